"""Contact roles and contacts of deals, and what waits for whom (R1, R2, R5, R6)."""

from __future__ import annotations

import pytest
from engine.lab import Lab

CONTACT_OF_DEAL, COMPANY_OF_DEAL = 3, 5


@pytest.fixture
def lab():
    return Lab()


def add_contact(lab, name="ada", **fields):
    return lab.sf_create("Contact", LastName=name.title(), **{"Email": f"{name}@acme.example", **fields})


def contacts_of(lab, deal):
    return set(lab.hs_associated("deals", deal, "contacts"))


def roles_of(lab, opportunity):
    rows = lab.sf_all(f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{opportunity}'")
    return sorted(one["ContactId"] for one in rows)


# --- R1 -----------------------------------------------------------------------------------------------------


def test_R1_roles_associate_a_new_deal_with_its_contacts(lab):
    """Each contact with a role is associated; a contact of the same account without one is not."""
    account = lab.sf_create("Account", Name="Acme")
    ada, bob, eve = (add_contact(lab, name, AccountId=account) for name in ("ada", "bob", "eve"))
    opportunity = lab.opportunity(AccountId=account)
    lab.role(opportunity, ada)
    lab.role(opportunity, bob)
    lab.sync_once()
    people = {one: lab.partner("contacts", one) for one in (ada, bob, eve)}
    assert contacts_of(lab, lab.deal_of(opportunity)) == {people[ada], people[bob]}
    assert people[eve]


def test_R1_a_role_added_to_an_existing_pair_associates_the_contact(lab):
    """One association more, and nothing else is written."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.sync_once()
    lab.role(opportunity, ada)
    report = lab.sync_once()
    types = lab.hs_associated("deals", lab.deal_of(opportunity), "contacts")
    assert types == {lab.partner("contacts", ada): {CONTACT_OF_DEAL}}
    assert report.associations_added == 1


def test_R1_two_roles_of_one_contact_are_one_association(lab):
    """Salesforce may hold a person in two roles; HubSpot knows them once."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.role(opportunity, ada, Role="Decision Maker")
    lab.role(opportunity, ada, Role="Evaluator")
    lab.sync_once()
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", ada)}
    assert len(roles_of(lab, opportunity)) == 2


# --- R2 -----------------------------------------------------------------------------------------------------


def test_R2_a_contact_of_a_deal_becomes_a_role(lab):
    """Associated later with a deal that was born in Salesforce; once, however often runs follow."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.sync_once()
    lab.hs_associate("deals", lab.deal_of(opportunity), "contacts", lab.partner("contacts", ada), CONTACT_OF_DEAL)
    report = lab.sync_once()
    assert roles_of(lab, opportunity) == [ada]
    assert report.associations_added == 1


def test_R2_added_on_both_sides_is_agreed_without_a_write(lab):
    """Somebody was quicker: the role and the association are the same thing."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.sync_once()
    lab.role(opportunity, ada)
    lab.hs_associate("deals", lab.deal_of(opportunity), "contacts", lab.partner("contacts", ada), CONTACT_OF_DEAL)
    assert lab.sync_once().associations_added == 0
    assert roles_of(lab, opportunity) == [ada]


def test_R2_a_contact_that_is_only_in_hubspot_makes_no_role_and_no_contact(lab):
    """It waits, visibly; linked by its e-mail later, it becomes a role."""
    opportunity = lab.opportunity()
    lab.sync_once()
    stranger = lab.hs_create("contacts", email="eve@acme.example")
    lab.hs_associate("deals", lab.deal_of(opportunity), "contacts", stranger, CONTACT_OF_DEAL)
    assert lab.sync_once().waiting == 1
    assert roles_of(lab, opportunity) == []
    eve = add_contact(lab, "eve")
    report = lab.sync_once()
    assert roles_of(lab, opportunity) == [eve]
    assert report.waiting == 0


# --- R5 -----------------------------------------------------------------------------------------------------


def blocked_contact(lab, name="late"):
    """A contact that HubSpot refuses until its e-mail is mended."""
    return add_contact(lab, name, Email=f"{name}:@acme.example")


def test_R5_a_role_waits_for_its_contact_visibly_and_nothing_else_waits(lab):
    """The deal is made, with the other contact and every field; the role follows when the contact arrives."""
    ada, late = add_contact(lab), blocked_contact(lab)
    opportunity = lab.opportunity(Amount=5)
    lab.role(opportunity, ada)
    lab.role(opportunity, late)
    assert lab.sync_once().waiting == 1
    deal = lab.deal_of(opportunity)
    assert contacts_of(lab, deal) == {lab.partner("contacts", ada)}
    assert lab.hs_get("deals", deal, "amount")["amount"] == "5"
    lab.sf_edit("Opportunity", opportunity, Amount=6)
    assert lab.sync_once().waiting == 1
    assert lab.hs_get("deals", deal, "amount")["amount"] == "6"
    lab.sf_edit("Contact", late, Email="late@acme.example")
    report = lab.sync_once()
    assert contacts_of(lab, deal) == {lab.partner("contacts", ada), lab.partner("contacts", late)}
    assert report.waiting == 0
    assert lab.problems() == []


def test_R5_a_role_that_is_deleted_while_it_waits_is_waited_for_no_longer(lab):
    """The contact comes later and is associated with nothing."""
    late, opportunity = blocked_contact(lab), lab.opportunity()
    role = lab.role(opportunity, late)
    assert lab.sync_once().waiting == 1
    lab.sf_delete("OpportunityContactRole", role)
    lab.advance(minutes=2)  # Salesforce tells of deletions by the minute
    assert lab.sync_once().waiting == 0
    lab.sf_edit("Contact", late, Email="late@acme.example")
    lab.sync_once()
    assert lab.partner("contacts", late)
    assert contacts_of(lab, lab.deal_of(opportunity)) == set()


# --- R6 -----------------------------------------------------------------------------------------------------


def primary_company(lab, deal):
    found = lab.hs_associated("deals", deal, "companies")
    return next((id_ for id_, types in found.items() if COMPANY_OF_DEAL in types), None)


def test_R6_the_account_becomes_the_deals_primary_company_and_moves_with_it(lab):
    """At creation, when the account changes, and when it is taken away."""
    first, second = (lab.sf_create("Account", Name=name) for name in ("First", "Second"))
    opportunity = lab.opportunity(AccountId=first)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    assert primary_company(lab, deal) == lab.partner("companies", first)
    lab.sf_edit("Opportunity", opportunity, AccountId=second)
    lab.sync_once()
    assert set(lab.hs_associated("deals", deal, "companies")) == {lab.partner("companies", second)}
    assert primary_company(lab, deal) == lab.partner("companies", second)
    lab.sf_edit("Opportunity", opportunity, AccountId=None)
    lab.sync_once()
    assert lab.hs_associated("deals", deal, "companies") == {}
    assert lab.sf_get("Opportunity", opportunity)["AccountId"] is None


def test_R6_a_company_that_somebody_added_stays_when_the_account_changes(lab):
    """Only the association that both sides had agreed on is replaced."""
    first, second = (lab.sf_create("Account", Name=name) for name in ("First", "Second"))
    opportunity = lab.opportunity(AccountId=first)
    lab.sync_once()
    deal, partner = lab.deal_of(opportunity), lab.hs_create("companies", name="Partner firm")
    lab.hs_associate("deals", deal, "companies", partner, 341)
    lab.sf_edit("Opportunity", opportunity, AccountId=second)
    lab.sync_once()
    assert set(lab.hs_associated("deals", deal, "companies")) == {partner, lab.partner("companies", second)}
    assert primary_company(lab, deal) == lab.partner("companies", second)
