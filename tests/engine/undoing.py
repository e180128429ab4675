"""Undoing in the lab: runs, undos of them, and what both CRMs show, under the names that people call records by."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from engine.lab import Died, Lab

from connector.engine.held import let_go, pairs_by_object
from connector.engine.run import Wish
from connector.engine.undo import Undone, plan_undo, undo

ALL = Wish(deletes=True)
ROLLUPS = (
    "sf_num_associated_deals", "sf_first_deal_created_date", "sf_recent_deal_amount", "sf_recent_deal_close_date",
    "sf_total_revenue", "sf_days_to_close", "closedate",
)  # fmt: skip
SALESFORCE = {
    "Account": ("Name", "Website", "Phone", "OwnerId", "HubSpot_Id__c"),
    "Contact": ("LastName", "Email", "Phone", "AccountId", "OwnerId", "HubSpot_Id__c"),
    "Opportunity": (
        "Name", "StageName", "Amount", "CloseDate", "Description", "AccountId", "OwnerId", "HubSpot_Id__c",
        "NextStep",
    ),
    "OpportunityContactRole": ("OpportunityId", "ContactId", "Role", "IsPrimary"),
}  # fmt: skip
HUBSPOT = {
    "companies": ("name", "domain", "phone", "hubspot_owner_id", "lifecyclestage", "sf_record_id", *ROLLUPS),
    "contacts": ("lastname", "email", "phone", "hubspot_owner_id", "lifecyclestage", "sf_record_id", *ROLLUPS),
    "deals": ("dealname", "pipeline", "dealstage", "amount", "closedate", "description", "hubspot_owner_id",
              "sf_record_id", "hs_priority"),
}  # fmt: skip
ASSOCIATIONS = (("deals", "contacts"), ("deals", "companies"), ("contacts", "companies"))


def view(lab: Lab) -> dict[str, Counter[str]]:
    """All live records, values and associations; ids of records are replaced by what people call the record."""
    rows = {name: lab.sf_all(f"SELECT Id, {', '.join(fields)} FROM {name}") for name, fields in SALESFORCE.items()}
    live = {name: lab.hs_all(name, *fields) for name, fields in HUBSPOT.items()}
    names = {row["Id"]: f"{name} {row[SALESFORCE[name][0]]}" for name, some in rows.items() for row in some}
    names |= {id_: f"{name} {row[HUBSPOT[name][0]]}" for name, some in live.items() for id_, row in some.items()}
    shown = {
        name: Counter(
            repr({field: names.get(row[field], row[field]) for field in SALESFORCE[name]}) for row in some
        )
        for name, some in rows.items()
    }
    for name, some in live.items():
        shown[name] = Counter(
            repr({field: names.get(str(row.get(field)), row.get(field) or None) for field in HUBSPOT[name]})
            for row in some.values()
        )
    for name, to in ASSOCIATIONS:
        shown[f"{name} to {to}"] = Counter(
            repr((names[id_], names.get(other, other), sorted(types)))
            for id_ in live[name]
            for other, types in lab.hs_associated(name, id_, to).items()
        )
    return shown


def differences(before: dict[str, Counter[str]], after: dict[str, Counter[str]]) -> list[str]:
    """What differs between two views, to be read by whoever looks into a failure."""
    lines = []
    for name, some in before.items():
        lines += [f"- {name}: {one}" for one in some - after[name]]
        lines += [f"+ {name}: {one}" for one in after[name] - some]
    return lines


def undo_run(lab: Lab, run: int) -> Undone:
    lab.fate.revive()
    done = undo(lab.connection(), run)
    lab.clock.advance(timedelta(seconds=1))
    return done


def show_undo(lab: Lab, run: int) -> Undone:
    lab.fate.revive()
    return plan_undo(lab.connection(), run)


def undo_and_die(lab: Lab, run: int, at: int, *, after_delivery: bool) -> bool:
    """Undo, and die at the given step, or at the given write if it is negative; returns whether it did."""
    lab.fate.revive()
    lab.fate.strike_at, lab.fate.after_delivery = (at if at > 0 else None), after_delivery
    lab.fate.strike_at_write = -at if at < 0 else None
    died = False
    try:
        undo(lab.connection(), run)
    except Died:
        died = True
    lab.fate.revive()
    lab.clock.advance(timedelta(minutes=6) if died else timedelta(seconds=1))
    return died


def resume(lab: Lab, run: int) -> int:
    return let_go(lab.store, pairs_by_object(lab.pairs.values()), run)


def actions(lab: Lab) -> Counter[str]:
    """What a plan would write now, without ids of our making and without causes, in which times stand."""
    names = _names(lab)
    return Counter(
        repr((one.verb, one.side.value, one.object, _known(names, one.of), change.field, _known(names, change.new)))
        for one in lab.plan(ALL).actions
        for change in one.changes
    )


def _names(lab: Lab) -> dict[str, str]:
    names = {}
    for name, fields in SALESFORCE.items():
        names |= {
            row["Id"]: f"{name} {row[fields[0]]}" for row in lab.sf_all(f"SELECT Id, {fields[0]} FROM {name}")
        }
    for name, fields in HUBSPOT.items():
        names |= {id_: f"{name} {row[fields[0]]}" for id_, row in lab.hs_all(name, fields[0]).items()}
    return names


def _known(names: dict[str, str], value: Any) -> Any:
    if isinstance(value, str):
        return "/".join(names.get(one.removeprefix("new-"), one) for one in value.split("/"))
    return value
