"""An import that is killed at random, and its twin that is not: what both leave behind, and what the deaths cost.

Shared by the test (a few hundred records) and `benchmarks/import_kills.py` (20,000). Everything is in process: a
death is the end of all requests and commits, before or after the one in hand took effect.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from engine.lab import API, Died, Lab

from connector.engine.imports.report import ImportReport
from connector.engine.imports.run import import_records
from connector.engine.imports.selection import Selection

EVERYTHING = Selection("opportunities")
LEASE = timedelta(minutes=6)
ROLLUPS = ("lifecyclestage", "sf_num_associated_deals", "sf_total_revenue", "sf_recent_deal_amount")
SHOWN = {
    "companies": ("sf_record_id", "name", "domain", *ROLLUPS),
    "contacts": ("sf_record_id", "email", "lastname", "associatedcompanyid", *ROLLUPS),
    "deals": ("sf_record_id", "dealname", "amount", "dealstage", "closedate", "hubspot_owner_id"),
}
IDLE = {"salesforce": 2, "hubspot": 7}
"""Calls of a run that finds nothing to do."""


def fill(lab: Lab, opportunities: int, accounts: int = 20) -> None:
    """Accounts with a contact each, and opportunities of theirs; every third one has a contact role."""
    parents = _create(
        lab, "Account", [{"Name": f"Firm {n}", "Website": f"firm{n}.example"} for n in range(accounts)]
    )
    people = _create(
        lab,
        "Contact",
        [
            {"LastName": f"Fox {n}", "Email": f"fox{n}@firm{n}.example", "AccountId": parents[n]}
            for n in range(accounts)
        ],
    )
    stages = ("Prospecting", "Negotiation/Review", "Closed Won", "Closed Lost")
    made = _create(
        lab,
        "Opportunity",
        [
            {
                "Name": f"Deal {n}",
                "StageName": stages[n % len(stages)],
                "CloseDate": f"2026-{n % 12 + 1:02}-15",
                "Amount": n * 10,
                "AccountId": parents[n % accounts],
            }
            for n in range(opportunities)
        ],
    )
    roles = [{"OpportunityId": id_, "ContactId": people[n % accounts]} for n, id_ in enumerate(made) if n % 3 == 0]
    _create(lab, "OpportunityContactRole", roles)


def _create(lab: Lab, sobject: str, rows: list[dict[str, Any]]) -> list[str]:
    ids: list[str] = []
    for start in range(0, len(rows), 200):
        records = [{"attributes": {"type": sobject}, **row} for row in rows[start : start + 200]]
        answers = lab.sf("POST", f"{API}/composite/sobjects", {"allOrNone": True, "records": records})
        ids += [one["id"] for one in answers]
    return ids


def usage(lab: Lab) -> dict[str, int]:
    """Calls that the two sandboxes counted so far, by side."""
    return {side: lab.sandbox_post(side, "usage", None, "GET")["total"] for side in ("salesforce", "hubspot")}


def creations(lab: Lab) -> int:
    """Requests so far that create deals."""
    told = lab.sandbox_post("hubspot", "usage", None, "GET")
    return sum(
        number for name, number in told["by_resource"].items() if name.startswith("deals") and "create" in name
    )


def picture(lab: Lab) -> dict[str, list[Any]]:
    """All that HubSpot holds after an import, without ids of its own: records, and who belongs to each deal."""
    rows = {object_: lab.hs_all(object_, *names) for object_, names in SHOWN.items()}
    names = {id_: row["sf_record_id"] for some in rows.values() for id_, row in some.items()}
    shown: dict[str, list[Any]] = {
        object_: sorted(
            tuple((name, names.get(row[name], row[name])) for name in SHOWN[object_]) for row in some.values()
        )
        for object_, some in rows.items()
    }
    deals = sorted(rows["deals"])
    for to in ("contacts", "companies"):
        found = []
        for start in range(0, len(deals), 1000):
            inputs = [{"id": id_} for id_ in deals[start : start + 1000]]
            path = f"/crm/v4/associations/deals/{to}/batch/read"
            for row in lab.hs("POST", path, {"inputs": inputs}, ok=False)["results"]:
                found += [(names[str(row["from"]["id"])], names[str(one["toObjectId"])]) for one in row["to"]]
        shown[f"deals to {to}"] = sorted(found)
    return shown


def run(lab: Lab, selection: Selection | None = EVERYTHING) -> ImportReport:
    """One import that nothing happens to."""
    lab.fate.revive()
    report = import_records(lab.connection(), selection)
    lab.clock.advance(timedelta(seconds=1))
    return report


def run_until(lab: Lab, step: int, *, after_delivery: bool) -> ImportReport | None:
    """An import that dies at a step; None if it did. Its lease is left to expire."""
    lab.fate.revive()
    lab.fate.strike_at, lab.fate.after_delivery = step, after_delivery
    try:
        return import_records(lab.connection(), EVERYTHING)
    except Died:
        return None
    finally:
        lab.fate.revive()
        lab.clock.advance(LEASE)


def run_with_kills(lab: Lab, kills: int, steps: int, seed: int) -> tuple[int, ImportReport]:
    """Import, dying so many times at random within the steps that an undisturbed import takes."""
    chance = random.Random(seed)
    deaths = 0
    for _ in range(kills):
        report = run_until(lab, chance.randint(1, max(2, steps * 2 // kills)), after_delivery=chance.random() < 0.5)
        if report is not None:
            return deaths, report
        deaths += 1
    return deaths, run(lab)
