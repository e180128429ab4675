"""A child pulls the parent it waits for; nothing waits for ever, and nobody waits for the two of them (R5, R6)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Lab

from connector.core.model import FieldRule, Presence, Rule, Side
from connector.engine.run import Wish
from connector.mapping.transforms import Reference

PRIMARY_COMPANY_OF_DEAL, CONTACT_OF_DEAL, COMPANY_OF_CONTACT = 5, 3, 1


@pytest.fixture
def lab():
    return Lab()


@pytest.fixture
def quiet():
    """What is there before the first look is left alone until somebody touches it (P4)."""
    return Lab({"CONNECTOR__SYNC__FIRST_SYNC": "triggers_only"})


def primary_company(lab, deal):
    return {
        id_
        for id_, types in lab.hs_associated("deals", deal, "companies").items()
        if PRIMARY_COMPANY_OF_DEAL in types
    }


def test_P4_a_touched_opportunity_pulls_its_account_and_its_contact(quiet):
    """Nobody touched the two; without them the deal would have neither company nor contact."""
    account, contact, opportunity = quiet.business()
    stranger = quiet.sf_create("Account", Name="Stranger")
    quiet.sync_once()
    quiet.sf_edit("Opportunity", opportunity, Amount=5)
    quiet.sync_once()
    deal = quiet.deal_of(opportunity)
    assert primary_company(quiet, deal) == {quiet.partner("companies", account)}
    assert set(quiet.hs_associated("deals", deal, "contacts")) == {quiet.partner("contacts", contact)}
    assert quiet.partner("companies", stranger) is None


def test_P4_a_pulled_parent_is_matched_not_doubled(quiet):
    """The company was there all along."""
    account, _, opportunity = quiet.business()
    company = quiet.hs_create("companies", name="Acme Ltd", domain="acme.example")
    quiet.sync_once()
    quiet.sf_edit("Opportunity", opportunity, Amount=5)
    quiet.sync_once()
    assert quiet.partner("companies", account) == company
    assert primary_company(quiet, quiet.deal_of(opportunity)) == {company}


def test_T6_a_single_opportunity_brings_its_parents(quiet):
    """And them alone: `sync --record 006…`."""
    account, contact, opportunity = quiet.business()
    other = quiet.opportunity("Other")
    quiet.sync_once()
    quiet.sync(Wish(records=(opportunity,)))
    deal = quiet.deal_of(opportunity)
    assert primary_company(quiet, deal) == {quiet.partner("companies", account)}
    assert set(quiet.hs_associated("deals", deal, "contacts")) == {quiet.partner("contacts", contact)}
    assert quiet.partner("deals", other) is None


def test_R6_a_parent_that_search_never_showed_is_read(lab):
    """The company was made while HubSpot's search lagged, the deal is known: the company is asked for by its id."""
    lab.pairs = {
        **lab.pairs, "account-company": replace(lab.pairs["account-company"], creates=frozenset(Side)),
    }  # fmt: skip
    account = lab.sf_create("Account", Name="Acme", Website="acme.example")
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    lab.sync_once()
    person = lab.partner("contacts", contact)
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, method="PUT")
    company = lab.hs_create("companies", name="New firm")
    lab.advance(minutes=9)
    lab.hs_associate("contacts", person, "companies", company, COMPANY_OF_CONTACT)
    lab.sync(Wish(records=(contact,)))
    made = lab.sf_get("Contact", contact)["AccountId"]
    assert lab.sf_get("Account", made)["HubSpot_Id__c"] == company
    assert made != account


def test_O6_a_deal_brings_its_company_where_accounts_may_be_made(lab):
    """The account is made before the opportunity, which is written once, with its AccountId."""
    lab.pairs = {
        **lab.pairs, "account-company": replace(lab.pairs["account-company"], creates=frozenset(Side)),
    }  # fmt: skip
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    lab.sync_once()
    company = lab.hs_create("companies", name="Acme")
    person = lab.partner("contacts", contact)
    lab.hs_associate("contacts", person, "companies", company, COMPANY_OF_CONTACT)
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": PRIMARY_COMPANY_OF_DEAL}]
    deal = lab.hs_create(
        "deals", [{"to": {"id": company}, "types": types}], dealname="Born here", pipeline="sf_default",
        closedate="2026-09-30T00:00:00Z", dealstage=lab.stages("sf_default")["Prospecting"],
    )  # fmt: skip
    lab.sync_once()
    [row] = lab.sf_all(f"SELECT AccountId FROM Opportunity WHERE HubSpot_Id__c = '{deal}'")
    assert lab.sf_get("Account", row["AccountId"])["HubSpot_Id__c"] == company


def test_R5_a_parent_that_cannot_be_had_holds_nobody_up(lab):
    """The account is held as a duplicate: its opportunity becomes a deal without a company, and gets it later."""
    account, _, opportunity = lab.business()
    rival = lab.sf_create("Account", Name="Acme too", Website="acme.example")
    company = lab.hs_create("companies", name="Firm", domain="acme.example")
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    assert primary_company(lab, deal) == set()
    lab.sf_edit("Account", rival, Website="rival.example")
    lab.sync_until_rest()
    lab.advance(minutes=16)
    lab.sync_until_rest()
    assert lab.partner("companies", account) == company
    assert primary_company(lab, deal) == {company}
    assert lab.problems() == []


@pytest.mark.parametrize("merged", [False, True])
def test_R6_A4_E1_nobody_is_held_up_by_a_company_that_is_gone(lab, merged):
    """HubSpot tells of it a day later: who is made, and who gets the account, does without it in the same run."""
    account = lab.sf_create("Account", Name="Acme", Website="acme.example")
    known = lab.opportunity("Known")
    lab.sync_once()
    gone = lab.partner("companies", account)
    if merged:
        body = {"primaryObjectId": lab.hs_create("companies", name="Other"), "objectIdToMerge": gone}
        gone = lab.hs("POST", "/crm/v3/objects/companies/merge", body)["id"]
    lab.hs_delete("companies", gone)
    lab.sf_edit("Opportunity", known, AccountId=account)
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example", AccountId=account)
    opportunity = lab.opportunity("New", AccountId=account)
    lab.advance(minutes=16)
    assert (lab.sync_once().waiting, lab.problems()) == (3, [])
    assert lab.partner("contacts", contact)
    assert lab.partner("deals", opportunity)


def test_R6_D3_what_did_without_its_company_gets_it_once_that_is_restored(lab):
    """It waits for it, and nobody has to touch it."""
    account = lab.sf_create("Account", Name="Acme", Website="acme.example")
    lab.sync_once()
    company = lab.partner("companies", account)
    lab.hs_delete("companies", company)
    opportunity = lab.opportunity(AccountId=account)
    lab.advance(minutes=16)
    lab.sync_once()
    lab.sandbox_post("hubspot", "restore_records", {"objectType": "companies", "ids": [company]})
    lab.advance(minutes=16)
    lab.sync_once()
    assert primary_company(lab, lab.deal_of(opportunity)) == {company}


def test_R6_E1_an_account_that_is_deleted_in_the_middle_of_a_run_is_waited_for(lab):
    """That it was refused is no problem of the opportunity, which is written without it."""
    account, opportunity = lab.sf_create("Account", Name="Acme"), lab.opportunity()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.hs_associate("deals", deal, "companies", lab.partner("companies", account), PRIMARY_COMPANY_OF_DEAL)
    lab.hs_edit("deals", deal, amount="5")
    lab.advance(minutes=16)
    report = lab.sync_before("/deals/companies/batch/read", lambda: lab.sf_delete("Account", account))
    assert (report.waiting, lab.problems()) == (1, [])
    assert lab.sf_get("Opportunity", opportunity)["Amount"] == 5


def test_R6_D6_an_account_out_of_sight_is_tried(lab):
    """Nobody tells when the connector's user may see it again: what is refused meanwhile is listed."""
    account, opportunity = lab.sf_create("Account", Name="Acme"), lab.opportunity()
    lab.sync_once()
    lab.advance(hours=2)
    lab.sync_once()  # from now on, no look shows it again
    seen = lab.store.records.load(Side.SALESFORCE, "Account", [account])[account]
    lab.store.records.observe([replace(seen, presence=Presence.INVISIBLE)], {})
    company = lab.partner("companies", account)
    lab.hs_associate("deals", lab.deal_of(opportunity), "companies", company, PRIMARY_COMPANY_OF_DEAL)
    lab.advance(minutes=16)
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["AccountId"] == account


def with_parent_accounts(lab):
    """Accounts refer to one another, as a mapping may have it."""
    pair = lab.pairs["account-company"]
    mapped = FieldRule(("ParentId",), ("about_us",), Rule.ALWAYS_SALESFORCE, Reference(pair.name))
    lab.pairs = {**lab.pairs, pair.name: replace(pair, fields=(*pair.fields, mapped))}


def test_R5_records_that_wait_for_one_another_all_end(quiet):
    """Two accounts, each the other's parent, and a third below them: all three are made, and all three settle."""
    with_parent_accounts(quiet)
    first, second = quiet.sf_create("Account", Name="First"), quiet.sf_create("Account", Name="Second")
    third = quiet.sf_create("Account", Name="Third", ParentId=second)
    quiet.sf_edit("Account", first, ParentId=second)
    quiet.sync_once()
    quiet.sf_edit("Account", third, Phone="1")
    quiet.sync_until_rest()
    partners = {one: quiet.partner("companies", one) for one in (first, second, third)}
    assert partners[first] is None  # it is nobody's parent, and nobody touched it
    assert None not in (partners[second], partners[third])
    assert quiet.hs_get("companies", partners[third], "about_us")["about_us"] == partners[second]


def test_R5_a_circle_of_parents_ends(quiet):
    """Each waits for the other: both are made, and each gets the other's id once it is there."""
    with_parent_accounts(quiet)
    first = quiet.sf_create("Account", Name="First")
    second = quiet.sf_create("Account", Name="Second", ParentId=first)
    quiet.sf_edit("Account", first, ParentId=second)
    quiet.sync_once()
    quiet.sf_edit("Account", first, Phone="1")
    quiet.sync_until_rest()
    partners = {one: quiet.partner("companies", one) for one in (first, second)}
    shown = {one: quiet.hs_get("companies", partners[one], "about_us")["about_us"] for one in partners}
    assert shown == {first: partners[second], second: partners[first]}
