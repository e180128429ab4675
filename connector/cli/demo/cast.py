"""Who and what is there to play with? Looked up in the CRMs, always in the same order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.cli.demo.stage import Play

Row = dict[str, Any]


def open_opportunities(play: Play) -> list[Row]:
    """Open opportunities with an account, an amount and a contact, without those that a scene has used."""
    with_contact = {row["OpportunityId"] for row in roles(play)}
    rows = play.salesforce.query(
        "SELECT Id, Name, Amount, AccountId FROM Opportunity"
        " WHERE IsClosed = false AND Amount != null AND AccountId != null ORDER BY Id"
    )
    return [row for row in rows if row["Id"] in with_contact and row["Id"] not in play.taken]


def newcomer(play: Play, suits: Callable[[Row], bool] = lambda _: True) -> Row:
    """A contact with a company, but without any role, who is a HubSpot contact; if possible one who `suits`."""
    known = {row["ContactId"] for row in roles(play)} | play.taken
    people = play.salesforce.query(
        "SELECT Id, LastName, FirstName, AccountId, Email, Phone FROM Contact"
        " WHERE AccountId != null AND Email != null AND Phone != null ORDER BY Id"
    )
    free = [row for row in people if row["Id"] not in known and partner(play, "contacts", row["Id"])]
    return take(play, next((row for row in free if suits(row)), free[0]))


def roles(play: Play, opportunity: str = "") -> list[Row]:
    where = f" WHERE OpportunityId = '{opportunity}'" if opportunity else ""
    soql = f"SELECT Id, OpportunityId, ContactId FROM OpportunityContactRole{where} ORDER BY Id"  # noqa: S608  # ids are ours
    return play.salesforce.query(soql)


def partner(play: Play, objects: str, salesforce_id: str) -> str:
    """The HubSpot record of a Salesforce one; empty if there is none."""
    return play.hubspot.find(objects, "sf_record_id", salesforce_id) or ""


def take(play: Play, row: Row) -> Row:
    """Nobody else plays with it."""
    play.taken.add(row["Id"])
    return row
