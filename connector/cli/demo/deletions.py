"""Deletions are not symmetric: what each side's does to the other."""

from __future__ import annotations

from collections.abc import Callable

from connector.cli.demo.cast import newcomer, open_opportunities, partner, take
from connector.cli.demo.stage import GONE, Edit, Play, play_edits


def show_deletions(play: Play) -> None:
    play.begin(
        "Deletions are not symmetric",
        "An opportunity takes its deal along, a deal never takes its opportunity: no setting"
        " changes that. Contacts stay, unless a mapping file says otherwise.",
    )
    *_, first, second = open_opportunities(play)
    people = [newcomer(play) for _ in range(2)]
    play_edits(
        play,
        ("Salesforce", "HubSpot"),
        [
            _delete_here(play, "Opportunity", take(play, first)["Id"], "deals"),
            _delete_there(play, "Opportunity", take(play, second)["Id"], "deals"),
            _delete_here(play, "Contact", people[0]["Id"], "contacts"),
            _delete_there(play, "Contact", people[1]["Id"], "contacts"),
        ],
        days=1,
    )


def _delete_here(play: Play, sobject: str, id_: str, objects: str) -> Edit:
    what = f"Salesforce: deletes {_article(sobject)}"
    return Edit(what, lambda: play.salesforce.delete(sobject, id_), _looks(play, sobject, id_, objects))


def _delete_there(play: Play, sobject: str, id_: str, objects: str) -> Edit:
    there = partner(play, objects, id_)
    what = f"HubSpot: deletes {_article(objects.removesuffix('s'))}"
    return Edit(what, lambda: play.hubspot.delete(objects, there), _looks(play, sobject, id_, objects))


def _looks(play: Play, sobject: str, id_: str, objects: str) -> tuple[Callable[[], str], Callable[[], str]]:
    there = partner(play, objects, id_)
    return (
        lambda: sobject.lower() if play.salesforce.read(sobject, id_, "Id") else GONE,
        lambda: objects.removesuffix("s") if play.hubspot.read(objects, there, "createdate") else GONE,
    )


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'AO' else 'a'} {noun.lower()}"
