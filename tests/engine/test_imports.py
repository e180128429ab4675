"""Importing selected records of Salesforce: what comes along, what becomes of each, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from engine.import_kills import fill, run, usage
from engine.lab import Died, Lab

from connector.adapters import salesforce_selections
from connector.core.model import Side
from connector.core.scope import Condition, Question, Scope
from connector.engine.allocation import Allocation
from connector.engine.imports import reading
from connector.engine.imports.run import abandon, import_records, rehearse
from connector.engine.imports.selection import Selection
from connector.engine.report import Report
from connector.engine.run import make_ready
from connector.engine.world import COMPANIES, DEALS
from connector.errors import BadConfiguration, Unreachable


@pytest.fixture
def lab():
    return Lab()


def bring(lab, what, **given):
    """Import, and return what became of each record: {record: (outcome, key)}, with the report."""
    rows = []
    lab.fate.revive()
    report = import_records(lab.connection(), Selection(what, **given), rows=rows.extend)
    lab.advance(seconds=1)
    return {one.record_id: (one.outcome, one.key) for one in rows}, report


def preview(lab, what, **given):
    rows = []
    report = rehearse(lab.connection(), Selection(what, **given), rows=rows.extend)
    return {one.record_id: (one.outcome, one.key, one.detail) for one in rows}, report


def everything(lab):
    """All that HubSpot shows, with the times of its last changes."""
    return {
        name: lab.hs_all(name, "name", "email", "dealname", "domain", "sf_record_id")
        for name in ("companies", "contacts", "deals")
    }


# --- what comes along -------------------------------------------------------------------------------------


def test_I1_only_what_was_selected_gets_a_partner(lab):
    """Of two accounts the one that meets the condition becomes a company; the next sync makes the other."""
    acme, other = lab.sf_create("Account", Name="Acme"), lab.sf_create("Account", Name="Other")
    became, report = bring(lab, "accounts", where="Name = 'Acme'")
    assert became == {acme: ("created", "")}
    assert (report.selected, report.status) == (1, "ok")
    assert (lab.partner("companies", acme) is None, lab.partner("companies", other)) == (False, None)
    assert lab.sync_once().created["hubspot"] == {"companies": 1}


def test_I1_an_opportunity_brings_its_account_and_its_roles_contacts(lab):
    """They come first, are told, and the deal is associated with both (P2)."""
    account, contact, opportunity = lab.business(Amount=5)
    stranger = lab.sf_create("Contact", LastName="Stranger", Email="s@x.example")
    became, report = bring(lab, "opportunities")
    assert became == dict.fromkeys((account, contact, opportunity), ("created", ""))
    deal = lab.deal_of(opportunity)
    assert lab.hs_associated("deals", deal, "contacts").keys() == {lab.partner("contacts", contact)}
    assert lab.hs_associated("deals", deal, "companies").keys() == {lab.partner("companies", account)}
    assert lab.partner("contacts", stranger) is None
    assert any("1 account(s) came first" in note for note in report.report.notes)


def test_I1_what_is_derived_from_deals_comes_too(lab):
    """Rollups and lifecycle stages are there when the import is through (U1, L7)."""
    account, _, _ = lab.business(Amount=5)
    bring(lab, "opportunities")
    company = lab.hs_get(
        "companies", lab.partner("companies", account), "lifecyclestage", "sf_num_associated_deals"
    )
    assert (company["lifecyclestage"], company["sf_num_associated_deals"]) == ("opportunity", "1")


def test_I1_parents_out_of_scope_do_not_come(lab):
    """A filter holds for what an opportunity refers to as well (A8)."""
    account, _, opportunity = lab.business()
    nobody = Scope((Condition("Name", Question.IS, ("Somebody else",)),))
    lab.pairs = {**lab.pairs, COMPANIES: replace(lab.pairs[COMPANIES], scope={Side.SALESFORCE: nobody})}
    became, _ = bring(lab, "opportunities")
    assert became[account] == ("out_of_scope", "")
    assert lab.partner("companies", account) is None
    assert became[opportunity] == ("created", "")


def test_I1_dates_are_those_of_creation_or_of_the_last_change(lab):
    """`--since` and `--until` choose by CreatedDate, by SystemModstamp if asked."""
    old = lab.sf_create("Account", Name="Old")
    lab.advance(days=10)
    new = lab.sf_create("Account", Name="New")
    lab.sf_edit("Account", old, Phone="1")
    became, _ = bring(lab, "accounts", since="2026-03-10T00:00:00Z")
    assert became.keys() == {new}
    became, _ = bring(lab, "accounts", since="2026-03-10T00:00:00Z", by="modified")
    assert became.keys() == {old, new}


def test_I1_no_more_than_the_limit(lab):
    """The first ones by their ids."""
    ids = sorted(lab.sf_create("Account", Name=f"Firm {number}") for number in range(4))
    became, report = bring(lab, "accounts", limit=2)
    assert (list(became), report.selected) == (ids[:2], 2)


def test_P1_an_import_with_deals_switched_off_imports_none_and_says_why(lab):
    """Nothing is asked of either CRM but to sign in; the message names the setting."""
    opportunity = lab.opportunity()
    lab.configure(SYNC__DEALS="false")
    with pytest.raises(BadConfiguration) as refused:
        bring(lab, "opportunities")
    assert "sync.deals" in refused.value.findings[0].where
    assert "(P1)" in refused.value.findings[0].message
    assert lab.store.runs.last() is None
    lab.configure(SYNC__DEALS="true")
    assert bring(lab, "opportunities")[0][opportunity][0] == "created"


def test_P2_an_import_without_company_sync_says_that_companies_are_missing(lab):
    """Deals come without a company, and the import says so."""
    _, _, opportunity = lab.business()
    lab.configure(SYNC__COMPANIES="false")
    _, report = bring(lab, "opportunities")
    assert not lab.hs_associated("deals", lab.deal_of(opportunity), "companies")
    assert any("come without their company (P2)" in note for note in report.report.notes)


def test_P4_an_import_brings_what_waits_for_triggers(lab):
    """With `first_sync: triggers_only` nothing comes by itself, but what is imported does, and stays in step."""
    lab.configure(SYNC__FIRST_SYNC="triggers_only")
    account = lab.sf_create("Account", Name="Acme")
    lab.sync()
    assert lab.partner("companies", account) is None
    assert bring(lab, "accounts")[0] == {account: ("created", "")}
    lab.sf_edit("Account", account, Phone="5")
    lab.sync_once()
    assert lab.hs_get("companies", lab.partner("companies", account), "phone")["phone"] == "5"


def test_I1_a_deal_deleted_in_hubspot_does_not_come_back(lab):
    """An import is no way around D3: the record is left alone, and told."""
    opportunity = lab.opportunity()
    lab.sync()
    lab.hs_delete("deals", lab.deal_of(opportunity))
    lab.advance(days=2)
    lab.sync()
    became, _ = bring(lab, "opportunities")
    assert became == {opportunity: ("left_alone", "")}
    assert lab.partner("deals", opportunity) is None


def test_D1_what_is_deleted_between_an_import_and_the_first_sync_is_followed(lab):
    """D1, R3: the first sync looks for deletions since the import began, of opportunities and of contact roles."""
    _, _, opportunity = lab.business()
    gone = lab.opportunity("Gone")
    bring(lab, "opportunities")
    deal, lost = lab.deal_of(opportunity), lab.deal_of(gone)
    lab.sf_delete("Opportunity", gone)
    (role,) = lab.sf_all("SELECT Id FROM OpportunityContactRole")
    lab.sf_delete("OpportunityContactRole", role["Id"])
    lab.advance(minutes=3)
    lab.sync()
    assert lost not in lab.hs_all("deals")
    assert lab.hs_associated("deals", deal, "contacts") == {}


def test_I1_an_empty_store_finds_archived_deals_before_it_makes_new_ones(lab):
    """A deal that was deleted stays deleted, also where nothing is remembered (D8)."""
    opportunity = lab.opportunity()
    lab.sync()
    lab.hs_delete("deals", lab.deal_of(opportunity))
    lab.forget()
    became, _ = bring(lab, "opportunities")
    assert became == {opportunity: ("left_alone", "")}


# --- matching ---------------------------------------------------------------------------------------------


def people_and_firms(lab):
    """One of each kind of match: by id, by e-mail, by domain, by name, ambiguous, and none."""
    lab.sync()
    ids = {
        "domain": lab.sf_create("Account", Name="A", Website="https://www.acme.example/x"),
        "name": lab.sf_create("Account", Name="Byte  Works"),
        "held": lab.sf_create("Account", Name="Twin"),
        "none": lab.sf_create("Account", Name="Nobody"),
    }
    ids["id"] = lab.sf_create("Account", Name="Known")
    lab.hs_create("companies", name="Other", domain="acme.example")
    lab.hs_create("companies", name="byte works")
    lab.hs_create("companies", name="Twin")
    lab.hs_create("companies", name="twin")
    lab.hs_create("companies", name="Quite different", sf_record_id=ids["id"])
    return ids


@pytest.mark.parametrize("begun", [True, False])
def test_I3_a_dry_run_tells_how_each_record_is_matched(lab, begun):
    """By which key, held with all candidates, or unmatched; and it changes nothing on either side."""
    ids = people_and_firms(lab)
    if not begun:
        lab.forget()
    before = everything(lab)
    became, report = preview(lab, "accounts")
    assert {name: became[id_][:2] for name, id_ in ids.items()} == {
        "domain": ("matched", "domain"),
        "name": ("matched", "name"),
        "id": ("matched", "id"),
        "held": ("held", ""),
        "none": ("created", ""),
    }
    assert became[ids["held"]][2].count("companies ") == 2
    assert (everything(lab), report.status, report.dry_run) == (before, "problems", True)
    if not begun:  # nothing else was called since the store is new: each call is noted, also of a rehearsal (E3)
        noted = Allocation(dict.fromkeys(Side), lab.store, lab.clock.now).as_json()
        assert {side: one["used"] for side, one in noted.items()} == report.report.calls
    assert report.report.price["hubspot"] > 0
    assert lab.store.imports.unfinished() is None


def test_I3_what_a_dry_run_tells_is_what_becomes_of_the_records(lab):
    """The import that follows says the same of every record."""
    people_and_firms(lab)
    told, _ = preview(lab, "accounts")
    became, report = bring(lab, "accounts")
    assert became == {id_: (outcome, key) for id_, (outcome, key, _) in told.items()}
    assert report.status == "problems"


def test_I1_a_part_of_the_contacts_is_matched_in_sight_of_all(lab):
    """Of two contacts with one e-mail the older one links, also if only the younger was selected (A3)."""
    old = lab.sf_create("Contact", LastName="Old", Email="ada@x.example")
    lab.advance(days=1)
    young = lab.sf_create("Contact", LastName="Young", Email="ada@x.example")
    lab.hs_create("contacts", email="ada@x.example")
    became, _ = bring(lab, "contacts", where="LastName = 'Young'")
    assert became == {young: ("held", "")}
    assert bring(lab, "contacts")[0] == {young: ("held", ""), old: ("matched", "email")}


def test_I1_accounts_that_may_not_be_read_are_not_taken_for_none(lab):
    """A first import stops if Salesforce does not count them; once it does, that goes on in sight of all."""
    lab.sf_create("Account", Name="Acme", Website="acme.example")
    lab.hs_create("companies", name="Acme Inc", domain="acme.example")
    make_ready(lab.connection(), Report())  # the fields are known for a day
    _show_accounts(lab, False)
    with pytest.raises(Unreachable, match="INVALID_TYPE"):
        bring(lab, "accounts")
    _show_accounts(lab, True)
    assert import_records(lab.connection(), None).counts == [("Account", "matched", "domain", 1)]


def _show_accounts(lab, shows):
    rights = {"objects": {"Account": {"read": shows, "edit": shows}}}
    lab.sandbox_post("salesforce", "permissions", rights, method="PUT")


def _show_description(lab, object_, shows):
    rights = {"fields": {object_: {"Description": {"read": shows, "edit": shows}}}}
    lab.sandbox_post("salesforce", "permissions", rights, method="PUT")


def test_F3_a_first_import_holds_the_mapping_against_both_schemas(lab):
    """As a first sync does: nothing comes without a field that the mapping names and Salesforce does not show."""
    lab.sf_create("Account", Name="Acme", Description="makes anvils")
    _show_description(lab, "Account", False)
    with pytest.raises(BadConfiguration) as refused:
        bring(lab, "accounts")
    (finding,) = refused.value.findings
    assert "has no field Description" in finding.message
    assert lab.hs_all("companies") == {}


def test_F1_I1_an_edit_that_an_import_could_not_see_travels_once_the_field_is_shown(lab):
    """The import saw the edited record without it, so no later look finds it again: the field is read anew."""
    lab.sync()
    opportunity = lab.opportunity(Description="agreed")
    lab.sync_until_rest()
    lab.session_of_people = lab.salesforce.sign_in("clerk@acme.example")  # whose rights stay as they are
    _show_description(lab, "Opportunity", False)
    lab.advance(hours=26)  # past what is remembered of the set-up
    lab.sf_edit("Opportunity", opportunity, Description="meanwhile")
    lab.advance(hours=2)
    bring(lab, "opportunities")
    lab.advance(hours=26)
    _show_description(lab, "Opportunity", True)
    lab.sync_until_rest()
    assert lab.hs_get("deals", lab.deal_of(opportunity), "description")["description"] == "meanwhile"


def test_I1_imported_twice_the_second_writes_nothing(lab):
    """The first creates, the second finds all in step (T7)."""
    lab.business(Amount=7)
    bring(lab, "opportunities")
    before = everything(lab)
    became, report = bring(lab, "opportunities")
    assert {outcome for outcome, _ in became.values()} == {"unchanged"}
    assert (everything(lab), report.report.writes) == (before, 0)
    assert lab.sync_once().writes == 0


def test_I1_an_empty_store_is_safe(lab):
    """What was in step before the store was lost is found by the stored ids, and nothing is written."""
    account, contact, opportunity = lab.business(Amount=7)
    lab.sync()
    before = everything(lab)
    lab.forget()
    became, report = bring(lab, "opportunities")
    assert became == dict.fromkeys((account, contact, opportunity), ("matched", "id"))
    assert report.report.associations_added == 0
    lab.sync_once()
    assert everything(lab) == before


def test_I1_what_cannot_come_is_told_with_the_reason(lab):
    """The rest goes on; the record's row names the field and what to do (E1)."""
    pair = lab.pairs[DEALS]
    lab.pairs = {**lab.pairs, DEALS: replace(pair, required={Side.HUBSPOT: ("dealname", "dealstage", "dealtype")})}
    good, bad = lab.opportunity(Type="New Customer"), lab.opportunity()
    rows = []
    report = import_records(lab.connection(), Selection("opportunities"), rows=rows.extend)
    became = {one.record_id: one for one in rows}
    assert (became[good].outcome, became[bad].outcome, report.status) == ("created", "refused", "problems")
    assert "dealtype" in became[bad].detail
    assert "→ fill" in became[bad].detail


# --- conditions that Salesforce refuses -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "said"),
    [("Foo = 1", "INVALID_FIELD"), ("Amount >", "MALFORMED_QUERY"), ("Name > 5 AND", "MALFORMED_QUERY")],
)
def test_what_salesforce_has_against_a_condition_is_told(lab, condition, said):
    """In plain words and in its own, before anything is begun."""
    with pytest.raises(BadConfiguration) as refused:
        bring(lab, "opportunities", where=condition)
    (finding,) = refused.value.findings
    assert finding.where == "--where"
    assert said in finding.message
    assert (lab.store.imports.unfinished(), lab.store.runs.last()) == (None, None)


# --- another one is unfinished ----------------------------------------------------------------------------


def cut_short(lab, what="accounts", before="companies/batch/create", **given):
    """An import whose process dies just before a request; its lease is left to expire."""
    lab.fate.revive()
    lab.fate.interrupt_before, lab.fate.interruption = f"/crm/v3/objects/{before}", lab.fate.die
    with pytest.raises(Died):
        import_records(lab.connection(), Selection(what, **given))
    lab.fate.revive()
    lab.advance(minutes=6)


def test_I2_another_import_is_refused_while_one_is_unfinished(lab):
    """The message names the unfinished one, and how to go on or to give it up."""
    account = lab.sf_create("Account", Name="Acme")
    cut_short(lab, where="Name = 'Acme'")
    with pytest.raises(BadConfiguration) as refused:
        bring(lab, "accounts")
    (finding,) = refused.value.findings
    assert "accounts --where" in finding.message
    assert "--resume" in finding.remedy
    assert "--abandon" in finding.remedy
    report = import_records(lab.connection(), None)
    assert report.resumed
    assert report.counts == [("Account", "created", "", 1)]
    assert lab.partner("companies", account)


def test_I2_an_abandoned_import_stays_as_it_is(lab):
    """What it wrote stays, and the next import is a new one."""
    account = lab.sf_create("Account", Name="Acme")
    cut_short(lab, where="Name = 'Acme'")
    assert abandon(lab.store) is not None
    assert abandon(lab.store) is None
    became, report = bring(lab, "accounts")
    assert (became, report.resumed) == ({account: ("created", "")}, False)
    assert lab.partner("companies", account)


def test_nothing_to_go_on_with(lab):
    """`--resume` without an unfinished import says so."""
    with pytest.raises(BadConfiguration, match="1 thing"):
        import_records(lab.connection(), None)


def test_a_dry_run_may_be_made_while_an_import_is_unfinished(lab):
    """It changes nothing of it."""
    lab.sf_create("Account", Name="Acme")
    cut_short(lab)
    preview(lab, "accounts", limit=1)
    assert lab.store.imports.unfinished() is not None


# --- what it costs ----------------------------------------------------------------------------------------


def test_the_way_that_costs_fewer_calls_is_taken():
    """By REST one call per 2,000 records; in bulk four, and one per 20,000."""
    assert [reading.choose_way(number) for number in (0, 1, 10_000, 10_001, 1_000_000)] == [
        "rest", "rest", "rest", "bulk", "bulk",
    ]  # fmt: skip
    assert salesforce_selections.price(20_000) == {"rest": 10, "bulk": 5}


def test_I1_many_records_come_in_bulk_and_are_the_same(lab, monkeypatch):
    """A bulk job reads what REST reads, in the fewest calls; waiting for it asks ever more seldom."""
    fill(lab, 60, accounts=2)
    twin = lab.copy()
    monkeypatch.setattr(salesforce_selections, "PAGE", 10)
    run(lab)
    assert lab.store.imports.unfinished() is None
    report = run(twin, Selection("opportunities", where="Amount >= 0"))
    assert (report.way, report.ways) == ("bulk", {"rest": 6, "bulk": 5})
    jobs = twin.sf("GET", "/services/data/v62.0/jobs/query")["records"]
    assert [job["state"] for job in jobs] == ["JobComplete", *["JobComplete"] * (len(jobs) - 1)]
    names = ("dealname", "amount", "dealstage", "closedate", "sf_record_id", "hubspot_owner_id")
    shown = [
        sorted(tuple(row[name] for name in names) for row in one.hs_all("deals", *names).values())
        for one in (lab, twin)
    ]
    assert shown[0] == shown[1]


def test_I1_without_the_bulk_api_everything_comes_by_rest(lab, monkeypatch):
    """An org without it answers 400; the import goes on by REST."""
    fill(lab, 60, accounts=2)
    monkeypatch.setattr(salesforce_selections, "PAGE", 10)
    lab.sandbox_post("salesforce", "bulk", {"enabled": False}, "PUT")
    report = run(lab)
    assert ("Opportunity", "created", "", 60) in report.counts


def test_I2_a_bulk_job_that_is_gone_is_made_anew(lab, monkeypatch):
    """What was brought over by the lost one is found in step, and the rest comes."""
    fill(lab, 60, accounts=2)
    monkeypatch.setattr(salesforce_selections, "PAGE", 10)
    monkeypatch.setattr(reading, "PORTION", 20)
    cut_short(lab, "opportunities", "deals/batch/create")
    job = lab.store.imports.unfinished().progress["reading"]["job"]
    lab.sf("DELETE", f"/services/data/v62.0/jobs/query/{job}")
    report = run(lab)
    assert report.resumed
    assert len(lab.hs_all("deals")) == 60
    assert [number for object_, outcome, _, number in report.counts if object_ == "Opportunity"] == [60]


def test_I2_going_on_costs_no_more_than_an_idle_run(lab):
    """Nothing that the import wrote is looked at again: who came to HubSpot meanwhile is asked for alone."""
    fill(lab, 30, accounts=2)
    before, twin = usage(lab), lab.copy()
    run(twin)
    cut_short(lab, "opportunities", "deals/batch/create")
    run(lab)
    extra = {side: usage(lab)[side] - usage(twin)[side] for side in before}
    assert extra["salesforce"] <= 2 + 1
    assert extra["hubspot"] <= 7 + 1


def test_I2_who_came_to_hubspot_meanwhile_is_matched(lab):
    """A company that somebody made while the import was down is not made again."""
    lab.sf_create("Account", Name="Acme")
    late = lab.sf_create("Account", Name="Late")
    cut_short(lab)
    lab.hs_create("companies", name="late")
    lab.advance(minutes=1)
    became, _ = bring(lab, "accounts")
    assert became[late] == ("matched", "name")


def test_the_clock_moves_while_a_job_is_waited_for(lab, monkeypatch):
    """Waiting is done by the door, never by sleeping here."""
    fill(lab, 60, accounts=2)
    monkeypatch.setattr(salesforce_selections, "PAGE", 10)
    lab.sandbox_post("salesforce", "bulk", {"seconds": 100, "polls": 3}, "PUT")
    began = lab.clock.now()
    run(lab)
    assert lab.clock.now() - began > timedelta(seconds=100)
