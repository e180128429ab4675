"""`audit` finds what no trigger tells, says how much there is, and plans the repair (X4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from engine.lab import Lab

from connector.core.model import Change, FieldRule, Rule, Side
from connector.engine.audit import Audit, AuditWish, audit
from connector.engine.plan_file import PlannedFor, PlannedWish, describe_plan, read_plan
from connector.engine.run import Wish
from connector.mapping.transforms import Number

DEALS, CONTACTS, COMPANIES = "opportunity-deal", "contact-contact", "account-company"
DAYS = 24 * 60


@pytest.fixture
def lab():
    """A synced opportunity with a contact and a company, at rest, long after."""
    return at_rest(Lab())


def at_rest(lab: Lab) -> Lab:
    lab.sync()
    lab.business(Amount=100)
    lab.sync_until_rest()
    lab.advance(minutes=2 * DAYS)
    lab.sync_until_rest()
    return lab


def look(lab: Lab, **wish) -> Audit:
    lab.fate.revive()
    return audit(lab.connection(), AuditWish(**wish))


def kinds(found: Audit) -> dict[tuple[str, str], set[str]]:
    """What was found: by object and kind, the fields."""
    told: dict[tuple[str, str], set[str]] = {}
    for one in found.drifts:
        told.setdefault((one.object, str(one.kind)), set()).add(one.field)
    return told


def the(lab: Lab, sobject: str) -> str:
    return str(lab.sf_all(f"SELECT Id FROM {sobject} ORDER BY Id")[0]["Id"])


def versions(lab: Lab) -> tuple[object, object]:
    return lab.sf_all("SELECT Id, SystemModstamp FROM Opportunity"), lab.hs_all("deals", "hs_lastmodifieddate")


def repair(lab: Lab, found: Audit, path: Path) -> None:
    """Keep the repair in a file and apply it; nothing drifts afterwards."""
    here = PlannedFor(connection="default", salesforce="", hubspot="")
    told = describe_plan(found.repair, here, PlannedWish(records=found.records), datetime.now(UTC))
    path.write_bytes(orjson.dumps(told))
    saved = read_plan(path)
    report = lab.sync(Wish(records=saved.wish.records, agreed=saved))
    assert report.agreement is not None
    assert report.agreement.unmade == ()
    assert look(lab, everything=True).drifts == []


def miss(lab: Lab, act) -> None:
    """Let something happen in HubSpot that its search shows only when no look reaches back to it any more."""
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 7200}, "PUT")
    act()
    for _ in range(2):
        lab.advance(minutes=65)
        lab.sync()
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 0}, "PUT")


def test_X4_without_drift_there_is_none_and_both_crms_are_left_alone(lab):
    """Every link is looked at, nothing is found, written, or remembered but whose turn it is."""
    before = versions(lab)
    found = look(lab)
    assert (found.drifts, found.records, found.repair.actions) == ([], (), [])
    shares = {pair: (one.drifted, one.looked_at, one.all) for pair, one in found.shares.items()}
    assert shares == dict.fromkeys((COMPANIES, CONTACTS, DEALS), (0, 1, 1))
    assert before == versions(lab)
    assert lab.plan().writes == 0


def test_X4_what_is_merely_due_is_no_drift(lab):
    """An edit that the next sync takes up is counted apart."""
    lab.sf_edit("Opportunity", the(lab, "Opportunity"), Name="Due")
    found = look(lab)
    assert found.drifts == []
    assert found.due == 1
    lab.sync_once()


def test_X4_T3_a_formula_over_another_record_that_changed(tmp_path):
    """It moves no modification date; the audit tells it from an edit, and repairs it."""
    lab = Lab()
    field = {"name": "Staff__c", "type": "double", "calculatedFormula": "Account.NumberOfEmployees"}
    lab.sandbox_post("salesforce", "fields", [{"sobject": "Opportunity", **field}])
    staff = {"name": "staff", "label": "Staff", "type": "number", "fieldType": "number"}
    lab.hs("POST", "/crm/v3/properties/deals", {**staff, "groupName": "dealinformation"})
    pair = lab.pairs[DEALS]
    rule = FieldRule(("Staff__c",), ("staff",), Rule.ALWAYS_SALESFORCE, Number())
    lab.pairs = {**lab.pairs, DEALS: replace(pair, fields=(*pair.fields, rule))}
    at_rest(lab)
    lab.sf_edit("Account", the(lab, "Account"), NumberOfEmployees=10)
    lab.sf_edit("Opportunity", the(lab, "Opportunity"), Description="touched")
    lab.sync_until_rest()
    for _ in range(2):  # until no look reaches back to when it was touched
        lab.advance(minutes=60)
        lab.sync()
    lab.sf_edit("Account", the(lab, "Account"), NumberOfEmployees=99)
    lab.sync_until_rest()
    deal = lab.deal_of(the(lab, "Opportunity"))
    assert lab.hs_get("deals", deal, "staff")["staff"] == "10"
    found = look(lab)
    assert kinds(found) == {("Opportunity", "formula"): {"Staff__c"}}
    repair(lab, found, tmp_path / "repair.json")
    assert lab.hs_get("deals", deal, "staff")["staff"] == "99"


def test_X4_an_edit_that_no_look_noticed(lab, tmp_path):
    """Shown by HubSpot's search only when no look reached back to it any more."""
    deal = lab.deal_of(the(lab, "Opportunity"))
    miss(lab, lambda: lab.hs_edit("deals", deal, dealname="Unnoticed"))
    assert lab.sf_get("Opportunity", the(lab, "Opportunity"))["Name"] == "Big deal"
    found = look(lab)
    assert kinds(found) == {("deals", "missed edit"): {"dealname"}}
    assert [(one.seen, one.now) for one in found.drifts] == [("Big deal", "Unnoticed")]
    assert found.records == (f"deal:{deal}",)
    repair(lab, found, tmp_path / "repair.json")
    assert lab.sf_get("Opportunity", the(lab, "Opportunity"))["Name"] == "Unnoticed"


def test_X4_a_record_that_no_look_has_shown(lab, tmp_path):
    """Only a look at everything finds it; its repair makes its partner."""
    unseen = {"dealname": "Unseen", "pipeline": lab.pipeline(), "closedate": "2026-12-01"}
    stage = lab.stages()["Prospecting"]
    miss(lab, lambda: lab.hs_create("deals", **unseen, dealstage=stage))
    assert look(lab).drifts == []
    found = look(lab, everything=True)
    assert kinds(found) == {("deals", "never seen"): {""}}
    repair(lab, found, tmp_path / "repair.json")
    assert {one["Name"] for one in lab.sf_all("SELECT Name FROM Opportunity")} == {"Big deal", "Unseen"}


def test_X4_a_deletion_in_hubspot_that_no_sweep_has_met(lab):
    """The pair is severed once it is looked at; nothing is deleted for it (D2)."""
    lab.configure(HUBSPOT__SWEEP_HOURS="8000", HUBSPOT__ASSOCIATIONS_PER_RUN="0")
    deal = lab.deal_of(the(lab, "Opportunity"))
    lab.hs_delete("deals", deal)
    found = look(lab)
    assert ("deals", "missed deletion") in kinds(found)
    assert not [one for one in found.repair.actions if one.side is Side.SALESFORCE]
    lab.sync(Wish(records=found.records))
    assert lab.store.links.count_by_state()[DEALS] == {"severed": 1}
    assert look(lab).drifts == []


def test_X4_L8_a_lifecycle_stage_that_hubspot_took_and_did_not_keep(lab):
    """HubSpot answers 200 to a stage that would go back, and the old one stays: it is not taken for an edit."""
    contact = next(iter(lab.hs_all("contacts")))
    lab.hs_edit("contacts", contact, lifecyclestage="customer")
    lab.sync_until_rest()
    lab.advance(minutes=2 * DAYS)
    lab.sync_until_rest()
    lowered = Change("lifecyclestage", "customer", "lead", "F1", "as if a rule had lowered it")
    lab.store.records.overwrite(Side.HUBSPOT, "contacts", {contact: {"lifecyclestage": "lead"}}, {})
    run = lab.store.runs.begin()
    number, *_ = lab.store.journal.intend(run, "update", Side.HUBSPOT, "contacts", [(contact, None, [lowered])])
    lab.store.journal.conclude({number: (True, contact)})
    lab.store.runs.finish(run, "ok", {})
    assert kinds(look(lab))["contacts", "not kept"] == {"lifecyclestage"}


def test_X4_R3_a_contact_that_was_taken_off_a_deal(lab, tmp_path):
    """Moves no date on either record; a run that reads no associations of it does not notice."""
    lab.configure(HUBSPOT__ASSOCIATIONS_PER_RUN="0")
    opportunity = the(lab, "Opportunity")
    deal, contact = lab.deal_of(opportunity), next(iter(lab.hs_all("contacts")))
    lab.hs("DELETE", f"/crm/v4/objects/deals/{deal}/associations/contacts/{contact}")
    assert lab.sync().writes == 0
    found = look(lab)
    assert kinds(found)["deals", "contacts"] == {"contacts"}
    repair(lab, found, tmp_path / "repair.json")
    assert lab.sf_all("SELECT Id FROM OpportunityContactRole") == []


def test_X4_U7_a_rollup_that_somebody_overwrote(lab, tmp_path):
    """Ours is computed anew; HubSpot's own, which counts deals that are in HubSpot alone, is no drift."""
    company = next(iter(lab.hs_all("companies")))
    overwritten = {"sf_total_revenue": "12345"}
    lab.hs_edit("companies", company, **overwritten)
    # A run that takes it in puts it right; one of an earlier version left it.
    lab.store.records.overwrite(Side.HUBSPOT, "companies", {company: overwritten})
    lab.sync_until_rest()
    alone = lab.hs_create("deals", dealname="Alone", pipeline="default", dealstage="appointmentscheduled")
    lab.hs_associate("deals", alone, "companies", company, 5)
    lab.advance(minutes=2 * DAYS)
    lab.sync_until_rest()
    found = look(lab)
    assert kinds(found) == {("companies", "not written"): {"sf_total_revenue"}}
    differing = {one.property: (one.hubspot, one.ours) for one in found.differing if one.object == "companies"}
    assert differing["num_associated_deals"] == ("2", "1")
    repair(lab, found, tmp_path / "repair.json")
    assert lab.hs_get("companies", company, "sf_total_revenue")["sf_total_revenue"] == "0"


def test_X4_audits_come_round_to_everything():
    """Each goes on where the last one ended, and begins anew at the end."""
    lab = Lab()
    lab.sync()
    for each in range(5):
        lab.opportunity(f"Deal {each}")
    lab.sync_until_rest()
    lab.advance(minutes=2 * DAYS)
    lab.sync_until_rest()
    deal = sorted(lab.hs_all("deals"), key=int)[3]
    miss(lab, lambda: lab.hs_edit("deals", deal, description="Unnoticed"))
    drifted = [look(lab, sample=2).shares[DEALS].drifted for _ in range(6)]
    assert sum(drifted[:3]) >= 1
    assert sum(drifted) >= 2
    share = look(lab, sample=2).shares[DEALS]
    assert (share.looked_at, share.all) == (2, 5)
    assert share.bounds[0] <= 1 / 5 <= share.bounds[1]


def test_X4_an_audit_keeps_to_its_calls(lab):
    """No more HubSpot calls are made for looking than were allowed, beyond those of an idle run."""
    for each in range(250):
        lab.opportunity(f"Deal {each}")
    lab.sync_until_rest()
    lab.advance(minutes=2 * DAYS)
    lab.sync_until_rest()
    idle = lab.sync().calls[Side.HUBSPOT]
    found = look(lab, sample=10_000, calls=6, pairs=(DEALS,))
    assert found.shares.keys() == {DEALS}
    assert 100 <= found.shares[DEALS].looked_at < 251
    assert found.repair.calls[Side.HUBSPOT] - idle <= 6
