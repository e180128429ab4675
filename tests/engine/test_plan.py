"""A plan writes nothing, says why, and tells what the sync after it does and costs (X1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.report import Report
from connector.engine.run import Wish

SIDES = ("salesforce", "hubspot")
OBSERVATIONS = ("lease", "cursor", "record", "record_key", "role", "association")
RECORDS = (
    "SELECT Id, SystemModstamp FROM Account", "SELECT Id, SystemModstamp FROM Contact",
    "SELECT Id, SystemModstamp FROM Opportunity", "SELECT Id, SystemModstamp FROM OpportunityContactRole",
)  # fmt: skip


# --- situations -------------------------------------------------------------------------------------------


def synced(lab: Lab) -> str:
    lab.sync()
    *_, opportunity = lab.business(Amount=100)
    lab.sync_until_rest()
    return opportunity


def at_rest(lab: Lab) -> None:
    synced(lab)


def first_import(lab: Lab) -> None:
    lab.sync()
    lab.business(Amount=100)


def an_edit_in_salesforce(lab: Lab) -> None:
    lab.sf_edit("Opportunity", synced(lab), Name="Renamed")


def an_edit_in_hubspot(lab: Lab) -> None:
    lab.hs_edit("deals", lab.deal_of(synced(lab)), dealname="Renamed")


def edits_that_collide(lab: Lab) -> None:
    opportunity = synced(lab)
    lab.sf_edit("Opportunity", opportunity, Description="here")
    lab.advance(minutes=1)
    lab.hs_edit("deals", lab.deal_of(opportunity), description="there")


def a_won_deal(lab: Lab) -> None:
    lab.sf_edit("Opportunity", synced(lab), StageName="Closed Won")


def a_deletion(lab: Lab) -> None:
    lab.sf_delete("Opportunity", synced(lab))


def a_role(lab: Lab) -> None:
    opportunity = synced(lab)
    contact = lab.sf_create("Contact", LastName="Owl", Email="owl@acme.example")
    lab.sync_until_rest()
    lab.role(opportunity, contact)


def two_hundred_edits(lab: Lab) -> None:
    """More than one batch: HubSpot takes 100 records in a call."""
    lab.sync()
    made = [lab.opportunity(f"Deal {each}") for each in range(101)]
    lab.sync_until_rest()
    for each in made:
        lab.sf_edit("Opportunity", each, Amount=5)


SITUATIONS: dict[str, Callable[[Lab], None]] = {
    "at rest": at_rest,
    "first import": first_import,
    "edit in Salesforce": an_edit_in_salesforce,
    "edit in HubSpot": an_edit_in_hubspot,
    "conflict": edits_that_collide,
    "won": a_won_deal,
    "deletion": a_deletion,
    "role": a_role,
    "more than a batch": two_hundred_edits,
}


@pytest.fixture(params=SITUATIONS)
def lab(request):
    lab = Lab()
    SITUATIONS[request.param](lab)
    return lab


def begin(situation: Callable[[Lab], None]) -> Lab:
    lab = Lab()
    situation(lab)
    return lab


# --- what can be seen -------------------------------------------------------------------------------------


def crms(lab: Lab) -> list[Any]:
    """Every record with its version, and the set-up, of both CRMs."""
    shown: list[Any] = [lab.sf_all(soql) for soql in RECORDS]
    shown += [
        lab.hs_all(object_, "hs_lastmodifieddate", "lastmodifieddate", archived=archived)
        for object_ in ("companies", "contacts", "deals")
        for archived in (False, True)
    ]
    shown += [lab.hs("GET", f"/crm/v3/properties/{object_}")["results"] for object_ in ("contacts", "deals")]
    return [*shown, lab.hs("GET", "/crm/v3/pipelines/deals")["results"]]


def decisions(lab: Lab) -> list[str]:
    """All the store has committed beyond observations."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(lab.durable_store())
        others = tuple(f'INSERT INTO "{name}"' for name in OBSERVATIONS)
        return [line for line in database.iterdump() if line.startswith("INSERT") and not line.startswith(others)]


def used(lab: Lab) -> dict[Side, int]:
    """API calls counted by the CRMs themselves, since the last reset."""
    return {Side(side): lab.sandbox_post(side, "usage", None, method="GET")["total"] for side in SIDES}


def counts(report: Report) -> dict[str, Any]:
    return {
        "created": {side.value: dict(report.created[side]) for side in Side},
        "updated": {side.value: dict(report.updated[side]) for side in Side},
        "deleted": {side.value: dict(report.deleted[side]) for side in Side},
        "associations": (report.associations_added, report.associations_removed),
        "conflicts": report.conflicts,
    }


# --- X1 ---------------------------------------------------------------------------------------------------


def test_X1_a_plan_writes_to_neither_crm_and_decides_nothing(lab):
    """Every record keeps its version, and the store has learnt nothing but observations."""
    before, decided = crms(lab), decisions(lab)
    lab.plan()
    assert crms(lab) == before
    assert decisions(lab) == decided


def test_X1_a_plan_counts_what_the_sync_after_it_does(lab):
    """Records created, updated and deleted by object, associations, conflicts; and two plans say the same."""
    planned = counts(lab.plan())
    assert counts(lab.plan()) == planned
    assert counts(lab.sync()) == planned


def test_X1_a_plan_predicts_the_api_calls_of_writing(lab):
    """What a sync takes beyond what looking took is the price, for each side, by the CRMs' own count."""
    twin = lab.copy()
    before = used(twin)
    price = twin.plan().price
    looked = {side: calls - before[side] for side, calls in used(twin).items()}
    before = used(lab)
    lab.sync()
    synced_with = {side: calls - before[side] for side, calls in used(lab).items()}
    assert {side: synced_with[side] - looked[side] for side in Side} == price


def test_X1_a_plan_at_rest_is_empty_and_free():
    """Law 1: after a quiet run there is nothing to do, and it costs nothing."""
    report = begin(at_rest).plan()
    assert report.writes == 0
    assert report.actions == []
    assert report.price == dict.fromkeys(Side, 0)


def test_X1_a_plan_before_the_set_up_names_what_is_to_be_made():
    """Properties and the pipeline are listed, and none of them is made."""
    lab = Lab()
    before = crms(lab)
    made = lab.plan().made
    assert any("pipeline" in line for line in made)
    assert any("sf_record_id" in line for line in made)
    assert crms(lab) == before
    assert lab.sync().made == made


@pytest.mark.parametrize(
    ("situation", "field", "rule", "cause"),
    [
        (first_import, "dealname", "T1", "Opportunity 006"),
        (first_import, "lifecyclestage", "L", "deal"),
        (first_import, "sf_num_associated_deals", "U1", "deals"),
        (first_import, "sf_total_revenue", "U5", "deals"),
        (an_edit_in_salesforce, "dealname", "F1", "Name of Opportunity 006"),
        (an_edit_in_hubspot, "Name", "F1", "dealname of deals"),
        (edits_that_collide, "Description", "F2", "description of deals"),
        (a_won_deal, "closedate", "", "close date"),
        (a_won_deal, "lifecyclestage", "L", "won"),
        (a_deletion, "dealname", "D1", "was deleted"),
        (a_role, "contact", "R1", "contact role"),
    ],
)
def test_X1_every_planned_change_says_by_which_rule_and_why(situation, field, rule, cause):
    """Each with old and new value, rule id and cause."""
    actions = begin(situation).plan().plan_as_json()["actions"]
    assert all(change["rule"] and change["cause"] for action in actions for change in action["changes"])
    found = [change for action in actions for change in action["changes"] if change["field"] == field]
    assert any(change["rule"].startswith(rule) and cause in change["cause"] for change in found), found


def test_X1_a_plan_that_the_guard_would_refuse_says_so_and_shows_the_deletions():
    """Nothing is deleted, and the status is that of the sync to come (D7)."""
    lab = Lab()
    lab.sync()
    made = [lab.opportunity(f"Deal {each}") for each in range(11)]
    lab.sync()
    for each in made:
        lab.sf_delete("Opportunity", each)
    report = lab.plan(Wish())
    assert report.status == "refused"
    assert report.deleted[Side.HUBSPOT] == {"deals": 11}
    assert any("refuse" in note for note in report.notes)
    assert len(lab.hs_all("deals")) == 11
    assert lab.plan(Wish(deletes=False)).deleted[Side.HUBSPOT] == {}
