"""What marketing gets out of it: lifecycle stages and rollups of a contact and of its company, from their deals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from connector.cli.demo.cast import newcomer, partner
from connector.cli.demo.stage import Edit, Play, change, play_steps
from connector.cli.printing import terminal
from connector.core.model import Side

FIRST, LATER = "Pilot (lifecycle)", "Follow-up (lifecycle)"
REASONS = {"L2": "first deal", "L3": "deal won", "L7": "contact role"}
ROLLUPS = {
    "sf_num_associated_deals": "number of deals",
    "sf_first_deal_created_date": "first deal created",
    "sf_recent_deal_amount": "amount of the latest deal",
    "sf_recent_deal_close_date": "close date of the latest deal",
    "sf_total_revenue": "revenue of won deals",
    "closedate": "became a customer",
    "sf_days_to_close": "days to close",
}


def show_lifecycle(play: Play) -> None:
    person = newcomer(play, suits=lambda row: _stage_of_company(play, row["AccountId"]) != "customer")
    play.person = person["Id"]
    contact, company = partner(play, "contacts", person["Id"]), partner(play, "companies", person["AccountId"])
    name = " ".join(part for part in (person["FirstName"], person["LastName"]) if part)
    play.begin(
        "Lifecycle stages go forward, and only when something happened",
        f"{name}, who has no deal yet, and the company, in HubSpot:",
    )

    def stage(objects: str, id_: str) -> Callable[[], str]:
        return lambda: play.hubspot.read(objects, id_, "lifecyclestage")["lifecyclestage"] or "-"

    play_steps(
        play,
        ("contact", "company", "because"),
        (stage("contacts", contact), stage("companies", company), lambda: _reason(play, contact)),
        [
            Edit("Salesforce: a first opportunity", lambda: _sell(play, FIRST, 30_000), ()),
            Edit("HubSpot: wins it 12 days later", lambda: _win(play, FIRST), ()),
            Edit("Salesforce: another one", lambda: _sell(play, LATER, 8_000), ()),
            Edit("Salesforce: loses that one", lambda: _lose(play, LATER), ()),
            Edit("HubSpot: sets lead by hand", lambda: _lower(play, contact), ()),
        ],
    )


def _stage_of_company(play: Play, account: str) -> str | None:
    company = partner(play, "companies", account)
    return play.hubspot.read("companies", company, "lifecyclestage")["lifecyclestage"] if company else None


def show_rollups(play: Play) -> None:
    contact = partner(play, "contacts", play.person)
    company = partner(play, "companies", play.salesforce.read("Contact", play.person, "AccountId")["AccountId"])
    before = _rollups(play, "contacts", contact)
    of_company = _rollups(play, "companies", company)
    opportunity = _find(play, FIRST)
    play.salesforce.update("Opportunity", opportunity, Amount=45_000)
    play.sync()
    play.begin(
        "Rollups follow the deals",
        "The same two, when Salesforce corrects the amount won from 30000 to 45000:",
    )
    table = terminal.make_table("property", "contact", "company")
    now, now_of_company = _rollups(play, "contacts", contact), _rollups(play, "companies", company)
    for key, label in ROLLUPS.items():
        table.add_row(label, change(before[key], now[key]), change(of_company[key], now_of_company[key]))
    play.console.print(table)


def _rollups(play: Play, objects: str, id_: str) -> dict[str, str]:
    """Moments as days."""
    found = play.hubspot.read(objects, id_, *ROLLUPS)
    return {key: (found.get(key) or "-").split("T")[0] for key in ROLLUPS}


def _reason(play: Play, contact: str) -> str:
    """Why the last run moved the contact's stage, as its journal says; `-` if it did not."""
    with play.store() as store:
        last = store.runs.last()
        entries = store.journal.of_run(last["run"]) if last else []
    rules = [
        one["rule"]
        for entry in entries
        if entry["side"] == Side.HUBSPOT.value and entry["record_id"] == contact
        for one in entry["changes"]
        if one["field"] == "lifecyclestage"
    ]
    return f"{REASONS.get(rules[-1], 'other')} ({rules[-1]})" if rules else "-"


def _sell(play: Play, name: str, amount: int) -> None:
    """An opportunity of the person's account, on which the person has a role."""
    record_type = play.salesforce.query("SELECT Id FROM RecordType WHERE Name = 'New Business'")[0]["Id"]
    opportunity = play.salesforce.create(
        "Opportunity",
        Name=name,
        AccountId=play.salesforce.read("Contact", play.person, "AccountId")["AccountId"],
        RecordTypeId=record_type,
        StageName="Qualification",
        CloseDate="2026-10-01",
        Amount=amount,
    )
    play.salesforce.create("OpportunityContactRole", OpportunityId=opportunity, ContactId=play.person)


def _win(play: Play, name: str) -> None:
    play.clock.advance(timedelta(days=12))
    deal = partner(play, "deals", _find(play, name))
    pipeline = play.hubspot.read("deals", deal, "pipeline")["pipeline"]
    won = next(one.stage for one in play.hubspot.stages() if one.pipeline == pipeline and one.won)
    play.hubspot.update("deals", deal, dealstage=won)


def _lose(play: Play, name: str) -> None:
    play.salesforce.update("Opportunity", _find(play, name), StageName="Closed Lost")


def _lower(play: Play, contact: str) -> None:
    """As a person does it: HubSpot clears a stage before it goes back."""
    play.hubspot.update("contacts", contact, lifecyclestage="")
    play.hubspot.update("contacts", contact, lifecyclestage="lead")


def _find(play: Play, name: str) -> str:
    rows = play.salesforce.query(f"SELECT Id FROM Opportunity WHERE Name = '{name}'")  # noqa: S608  # the name is ours
    return str(rows[0]["Id"])
