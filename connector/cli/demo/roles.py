"""Who belongs to a deal: contact roles and contacts, added and removed on either side."""

from __future__ import annotations

from connector.cli.demo.cast import newcomer, open_opportunities, partner, roles, take
from connector.cli.demo.stage import Edit, Play, play_steps


def show_roles(play: Play) -> None:
    play.begin(
        "Contact roles are kept in step, removals too",
        "One opportunity and its deal, with a sync after each act:",
    )
    opportunity = next(one for one in open_opportunities(play) if len(roles(play, one["Id"])) == 1)
    deal = partner(play, "deals", take(play, opportunity)["Id"])
    first = _who(play, roles(play, opportunity["Id"])[0]["ContactId"])
    second, third = newcomer(play), newcomer(play)
    there = {one["Id"]: partner(play, "contacts", one["Id"]) for one in (first, second, third)}
    steps = [
        Edit(
            f"Salesforce: gives {second['LastName']} a role",
            lambda: play.salesforce.create(
                "OpportunityContactRole", OpportunityId=opportunity["Id"], ContactId=second["Id"], Role="Evaluator"
            ),
            (),
        ),
        Edit(f"HubSpot: adds {third['LastName']}", lambda: play.hubspot.associate(deal, there[third["Id"]]), ()),
        Edit(
            f"Salesforce: deletes {second['LastName']}'s role",
            lambda: play.salesforce.delete("OpportunityContactRole", _role(play, opportunity["Id"], second["Id"])),
            (),
        ),
        Edit(
            f"HubSpot: takes {first['LastName']} off",
            lambda: play.hubspot.disassociate(deal, there[first["Id"]]),
            (),
        ),
    ]
    play_steps(
        play,
        ("roles in Salesforce", "contacts in HubSpot"),
        (lambda: _names_here(play, opportunity["Id"]), lambda: _names_there(play, deal)),
        steps,
    )


def _who(play: Play, contact: str) -> dict[str, str]:
    return {"Id": contact, **play.salesforce.read("Contact", contact, "LastName")}


def _role(play: Play, opportunity: str, contact: str) -> str:
    return next(str(row["Id"]) for row in roles(play, opportunity) if row["ContactId"] == contact)


def _names_here(play: Play, opportunity: str) -> str:
    return ", ".join(sorted(_who(play, row["ContactId"])["LastName"] for row in roles(play, opportunity))) or "-"


def _names_there(play: Play, deal: str) -> str:
    people = (play.hubspot.read("contacts", one, "lastname")["lastname"] for one in play.hubspot.contacts_of(deal))
    return ", ".join(sorted(one or "" for one in people)) or "-"
