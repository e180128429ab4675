"""What is synced at all: the switches of deals and companies, and how a first sync begins (P1, P2, P4)."""

from __future__ import annotations

import pytest
from engine.lab import Lab

from connector.engine.run import Wish
from connector.errors import BadConfiguration

UNLABELLED_COMPANY, PRIMARY_COMPANY = 341, 5


@pytest.fixture
def lab():
    return Lab()


def everything_about_deals(lab):
    """All that both CRMs show of opportunities and deals, with their versions."""
    opportunities = lab.sf_all(
        "SELECT Id, Name, Amount, StageName, HubSpot_Id__c, SystemModstamp FROM Opportunity ORDER BY Id"
    )
    deals = lab.hs_all("deals", "dealname", "amount", "dealstage", "pipeline", "hs_lastmodifieddate")
    return opportunities, deals, lab.hs_all("deals", archived=True)


def hubspot_deal(lab, pipeline="default", **properties):
    stages = lab.stages(pipeline)
    given = {"dealname": "From HubSpot", "closedate": "2026-09-30T00:00:00Z", "amount": "70"}
    stage = stages[properties.pop("stage", next(iter(stages)))]
    return lab.hs_create("deals", **{**given, "pipeline": pipeline, "dealstage": stage, **properties})


# --- P1: deals switched off ---------------------------------------------------------------------------------


def test_P1_with_deals_switched_off_nothing_of_deals_or_opportunities_is_touched(lab):
    """Contacts and companies sync; opportunities and deals stay exactly as they were, pipelines too."""
    lab.configure(SYNC__DEALS="false")
    account = lab.sf_create("Account", Name="Acme")
    contact = lab.sf_create("Contact", LastName="Ada", Email="ada@acme.example", AccountId=account)
    lab.role(lab.opportunity(AccountId=account), contact)
    hubspot_deal(lab)
    before, pipelines = everything_about_deals(lab), lab.hs("GET", "/crm/v3/pipelines/deals")
    lab.sync_once()
    assert lab.partner("companies", account)
    assert lab.partner("contacts", contact)
    assert everything_about_deals(lab) == before
    assert lab.hs("GET", "/crm/v3/pipelines/deals") == pipelines


def test_P1_a_run_without_deals_says_why_it_makes_none(lab):
    """An import of opportunities with deal sync off names the setting, and so does a single opportunity."""
    lab.configure(SYNC__DEALS="false")
    opportunity = lab.opportunity()
    assert any("sync.deals" in note for note in lab.sync().notes)
    with pytest.raises(BadConfiguration) as refused:
        lab.sync(Wish(records=(opportunity,)))
    assert "sync.deals" in str(refused.value.findings[0])
    assert lab.hs_all("deals") == {}


def test_P1_edits_and_deletions_of_pairs_wait_until_deals_are_switched_on_again(lab):
    """While off, pairs made earlier are left alone; once on again, everything catches up."""
    kept, deleted = lab.opportunity("Kept"), lab.opportunity("Deleted")
    lab.sync_once()
    lab.configure(SYNC__DEALS="false")
    lab.sf_edit("Opportunity", kept, Name="Kept on")
    lab.sf_delete("Opportunity", deleted)
    born = hubspot_deal(lab, "sf_default")
    before = everything_about_deals(lab)
    lab.sync_once()
    assert everything_about_deals(lab) == before
    lab.configure(SYNC__DEALS="true")
    lab.sync_once()
    deals = lab.hs_all("deals", "dealname", "sf_record_id")
    assert {row["dealname"] for row in deals.values()} == {"Kept on", "From HubSpot"}
    assert lab.sf_get("Opportunity", deals[born]["sf_record_id"])["HubSpot_Id__c"] == born


# --- P2: companies switched off -----------------------------------------------------------------------------


def test_P2_without_companies_deals_sync_without_a_company(lab):
    """No company is made; the deal and its contact are there, associated with each other alone."""
    lab.configure(SYNC__COMPANIES="false")
    account = lab.sf_create("Account", Name="Acme")
    contact = lab.sf_create("Contact", LastName="Ada", Email="ada@acme.example", AccountId=account)
    opportunity = lab.opportunity(AccountId=account)
    lab.role(opportunity, contact)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    assert lab.hs_all("companies") == {}
    assert lab.hs_associated("deals", deal, "companies") == {}
    assert list(lab.hs_associated("deals", deal, "contacts")) == [lab.partner("contacts", contact)]


@pytest.mark.parametrize("touched_meanwhile", [False, True])
def test_P2_companies_switched_on_later_are_filled_in(lab, touched_meanwhile):
    """Old deals and contacts get their primary company, whether or not they were edited in between."""
    lab.configure(SYNC__COMPANIES="false")
    account = lab.sf_create("Account", Name="Acme")
    contact = lab.sf_create("Contact", LastName="Ada", Email="ada@acme.example", AccountId=account)
    opportunity = lab.opportunity(AccountId=account)
    lab.role(opportunity, contact)
    lab.sync_once()
    if touched_meanwhile:
        lab.sf_edit("Opportunity", opportunity, Amount=5)
        lab.sf_edit("Contact", contact, Title="Countess")
        lab.sync_once()
    lab.configure(SYNC__COMPANIES="true")
    lab.sync_until_rest()
    company, deal = lab.partner("companies", account), lab.deal_of(opportunity)
    assert company
    assert PRIMARY_COMPANY in lab.hs_associated("deals", deal, "companies")[company]
    person = lab.hs_get("contacts", lab.partner("contacts", contact), "associatedcompanyid")
    assert person["associatedcompanyid"] == company


def test_P2_switching_companies_on_removes_no_association(lab):
    """A company that somebody associated by hand stays associated when the account's company comes."""
    lab.configure(SYNC__COMPANIES="false")
    account = lab.sf_create("Account", Name="Acme")
    opportunity = lab.opportunity(AccountId=account)
    lab.sync_once()
    deal, by_hand = lab.deal_of(opportunity), lab.hs_create("companies", name="A reseller")
    lab.hs_associate("deals", deal, "companies", by_hand, UNLABELLED_COMPANY)
    lab.configure(SYNC__COMPANIES="true")
    lab.sync_until_rest()
    associated = lab.hs_associated("deals", deal, "companies")
    assert set(associated) == {by_hand, lab.partner("companies", account)}
    assert PRIMARY_COMPANY in associated[lab.partner("companies", account)]
    assert lab.sf_get("Opportunity", opportunity)["AccountId"] == account


def test_P2_switching_companies_off_again_takes_no_company_away(lab):
    """The association of a deal with its company outlives the switch."""
    account = lab.sf_create("Account", Name="Acme")
    opportunity = lab.opportunity(AccountId=account)
    lab.sync_once()
    before = lab.hs_associated("deals", lab.deal_of(opportunity), "companies")
    lab.configure(SYNC__COMPANIES="false")
    lab.sf_edit("Opportunity", opportunity, Amount=3)
    lab.sync_once()
    assert before
    assert lab.hs_associated("deals", lab.deal_of(opportunity), "companies") == before
    assert lab.sf_get("Opportunity", opportunity)["AccountId"] == account


# --- P4: the first sync -------------------------------------------------------------------------------------


def test_P4_a_first_sync_imports_what_exists(lab):
    """Everything in scope crosses over: accounts, contacts, opportunities; and deals of synced pipelines."""
    account = lab.sf_create("Account", Name="Acme")
    contact = lab.sf_create("Contact", LastName="Ada", Email="ada@acme.example")
    opportunity = lab.opportunity()
    lab.sync_once()
    for object_, id_ in (("companies", account), ("contacts", contact), ("deals", opportunity)):
        assert lab.partner(object_, id_), object_


def test_P4_triggers_only_leaves_what_exists_alone_until_it_is_touched(lab):
    """With `first_sync: triggers_only` old records stay where they are; new and edited ones sync."""
    lab.configure(SYNC__FIRST_SYNC="triggers_only")
    old, touched = lab.opportunity("Old"), lab.opportunity("Touched")
    lab.sf_create("Account", Name="Acme")
    lab.sync_once()
    assert lab.hs_all("deals") == {}
    assert lab.hs_all("companies") == {}
    lab.sf_edit("Opportunity", touched, Amount=12)
    new = lab.opportunity("New")
    lab.sync_once()
    assert lab.partner("deals", old) is None
    assert lab.hs_get("deals", lab.deal_of(touched), "amount", "dealname")["dealname"] == "Touched"
    assert lab.deal_of(new)


def assigned(lab):
    """One record type, whose opportunities go to the portal's own pipeline."""
    [record_type] = lab.sandbox_post("salesforce", "record_types", [{"Name": "renewal"}])
    lab.configure(PIPELINES__ASSIGNED__RENEWAL="default")
    return record_type["id"]


def test_P4_existing_deals_of_an_assigned_pipeline_wait_for_a_trigger_and_are_reported(lab):
    """They make no opportunities at first; the plan and the run count them; an edited one is synced."""
    record_type = assigned(lab)
    waiting = hubspot_deal(lab, dealname="Waits", stage="Closed Won")
    touched = hubspot_deal(lab, dealname="Is touched", stage="Closed Won")
    assert any("2 existing deal" in note for note in lab.plan().notes)
    assert any("2 existing deal" in note for note in lab.sync().notes)
    assert lab.sync().writes == 0
    assert lab.sf_all("SELECT Id FROM Opportunity") == []
    lab.hs_edit("deals", touched, amount="71")
    lab.sync_once()
    [opportunity] = lab.sf_all("SELECT Id, Name, Amount, RecordTypeId, HubSpot_Id__c FROM Opportunity")
    assert opportunity["HubSpot_Id__c"] == touched
    assert opportunity["Amount"] == 71
    assert opportunity["RecordTypeId"] == record_type
    assert lab.hs_get("deals", waiting, "sf_record_id").get("sf_record_id") is None


def test_P4_a_deal_that_is_new_in_an_assigned_pipeline_is_synced_at_once(lab):
    """Only what existed before the first look waits."""
    assigned(lab)
    lab.sync_once()
    deal = hubspot_deal(lab, stage="Closed Won")
    lab.sync_once()
    assert [row["HubSpot_Id__c"] for row in lab.sf_all("SELECT HubSpot_Id__c FROM Opportunity")] == [deal]
