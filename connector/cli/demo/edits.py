"""People go on working, on both sides: four edits, one sync."""

from __future__ import annotations

from collections.abc import Callable

from connector.cli.demo.cast import newcomer, open_opportunities, partner, roles, take
from connector.cli.demo.stage import Edit, Play, play_edits
from connector.cli.printing import terminal

NEW = "Second site (from HubSpot)"


def show_edits(play: Play) -> None:
    play.begin("People go on working, on both sides", "Four edits, then one sync:")
    play_edits(play, ("Salesforce", "HubSpot"), make_edits(play))


def make_edits(play: Play) -> list[Edit]:
    salesforce, hubspot = play.salesforce, play.hubspot
    raised, moved, *_ = open_opportunities(play)
    person = newcomer(play)
    deals = {one["Id"]: partner(play, "deals", take(play, one)["Id"]) for one in (raised, moved)}
    person_there = partner(play, "contacts", person["Id"])
    pipeline = hubspot.read("deals", deals[moved["Id"]], "pipeline")["pipeline"] or ""
    first_stage = next(one for one in hubspot.stages() if one.pipeline == pipeline)
    company = partner(play, "companies", person["AccountId"])
    new = {"dealname": NEW, "amount": "12500", "closedate": "2027-06-30"}
    new |= {"pipeline": pipeline, "dealstage": first_stage.stage}
    return [
        Edit(
            "Salesforce: an amount",
            lambda: salesforce.update("Opportunity", raised["Id"], Amount=77_000),
            (
                lambda: plain(salesforce.read("Opportunity", raised["Id"], "Amount")["Amount"]),
                of_deal(play, deals[raised["Id"]], "amount"),
            ),
        ),
        Edit(
            "HubSpot: a close date",
            lambda: hubspot.update("deals", deals[moved["Id"]], closedate="2027-01-31T00:00:00Z"),
            (
                lambda: str(salesforce.read("Opportunity", moved["Id"], "CloseDate")["CloseDate"]),
                lambda: (hubspot.read("deals", deals[moved["Id"]], "closedate")["closedate"] or "")[:10],
            ),
        ),
        Edit(
            "Salesforce: a phone",
            lambda: salesforce.update("Contact", person["Id"], Phone="555 0100"),
            (
                lambda: str(salesforce.read("Contact", person["Id"], "Phone")["Phone"]),
                lambda: hubspot.read("contacts", person_there, "phone")["phone"] or "-",
            ),
        ),
        Edit(
            "HubSpot: a new deal",
            lambda: hubspot.create_deal(person_there, company, **new),
            (
                lambda: tell_opportunity(play, NEW),
                lambda: "it, 1 contact" if hubspot.find("deals", "dealname", NEW) else "none",
            ),
        ),
    ]


def of_deal(play: Play, deal: str, name: str) -> Callable[[], str]:
    return lambda: play.hubspot.read("deals", deal, name)[name] or "-"


def plain(number: float) -> str:
    return f"{number:.2f}".removesuffix(".00")


def tell_opportunity(play: Play, name: str) -> str:
    """The opportunity of that name with what came along, or `none`."""
    rows = play.salesforce.query(f"SELECT Id FROM Opportunity WHERE Name = '{name}'")  # noqa: S608  # the name is ours
    if not rows:
        return "none"
    return f"it, {terminal.count(len(roles(play, rows[0]['Id'])), 'role')}"
