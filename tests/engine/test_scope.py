"""Scope filters: who takes part, what leaving freezes, and what coming back resumes (A8, D9)."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from engine.lab import Lab
from engine.test_preconditions import hubspot_deal

from connector.core.model import LinkState, Side
from connector.engine.check import State, check
from connector.errors import BadConfiguration
from connector.mapping.scope_files import Scopes

DEALS, CONTACTS, COMPANIES = "opportunity-deal", "contact-contact", "account-company"
NO_PARTNERS = [{"field": "Type", "is_not": "Partner"}]
NOT_PRIVATE = [{"field": "dealtype", "is_not": "existingbusiness"}]


def narrow(lab, pair=DEALS, **sides):
    """Write a scope into a mapping file, as an administrator does between two runs."""
    scope = Scopes.model_validate(sides).build(ZoneInfo("UTC"), lambda part: ("deals.yaml", len(part)))
    lab.pairs = {**lab.pairs, pair: replace(lab.pairs[pair], scope=scope)}


@pytest.fixture
def lab():
    """Opportunities of type Partner are out of scope, and deals of existing business."""
    lab = Lab()
    narrow(lab, salesforce=NO_PARTNERS, hubspot=NOT_PRIVATE)
    return lab


def state_of(lab, pair, id_):
    return lab.store.links.by_ids(pair, Side.SALESFORCE, [id_])[id_].state


def outside(report):
    return [note for note in report.notes if "out of scope" in note]


# --- records without a partner ------------------------------------------------------------------------------


def test_A8_a_record_out_of_scope_is_not_made_on_the_other_side_until_it_comes_in(lab):
    """It is counted by the plan, the run and nobody else; an edit that brings it in makes it a deal."""
    outsider, insider = lab.opportunity("Out", Type="Partner"), lab.opportunity("In", Type="Customer")
    assert outside(lab.plan()) == ["out of scope, and left alone on both sides: 1 salesforce Opportunity (A8)"]
    assert outside(lab.sync_once()) == outside(lab.plan())
    assert lab.partner("deals", outsider) is None
    assert lab.deal_of(insider)
    lab.sf_edit("Opportunity", outsider, Type="Customer")
    assert outside(lab.sync_once()) == []
    assert lab.hs_get("deals", lab.deal_of(outsider), "dealname")["dealname"] == "Out"


def test_A8_the_filter_of_hubspot_keeps_deals_from_becoming_opportunities(lab):
    """Each side has its own."""
    lab.sync_once()
    deal = hubspot_deal(lab, "sf_default", dealtype="existingbusiness")
    assert outside(lab.sync_once()) == ["out of scope, and left alone on both sides: 1 hubspot deals (A8)"]
    assert lab.sf_all("SELECT Id FROM Opportunity") == []
    lab.hs_edit("deals", deal, dealtype="newbusiness")
    lab.sync_once()
    assert [row["HubSpot_Id__c"] for row in lab.sf_all("SELECT HubSpot_Id__c FROM Opportunity")] == [deal]


def test_A8_a_partner_that_would_be_out_of_scope_is_not_made(lab):
    """An opportunity whose deal the filter of HubSpot would shut out waits outside, too."""
    opportunity = lab.opportunity(Type="Existing Business")
    assert outside(lab.sync_once())
    assert lab.partner("deals", opportunity) is None


def test_A8_a_contact_out_of_scope_is_not_made_once_more(lab):
    """Somebody inside who is the same person as one outside is linked with them, frozen, and nothing is written."""
    narrow(lab, CONTACTS, hubspot=[{"field": "jobtitle", "is_not": "Rival"}])
    theirs = lab.hs_create("contacts", email="fox@acme.example", lastname="Fox", jobtitle="Rival")
    contact = lab.sf_create("Contact", LastName="Foxx", Email="fox@acme.example")
    assert lab.sync_once().writes == 0
    assert list(lab.hs_all("contacts")) == [theirs]
    assert state_of(lab, CONTACTS, contact) is LinkState.FROZEN


def test_A8_a_double_that_is_out_of_scope_takes_nobodys_place(lab):
    """Of two contacts with one e-mail the younger one links if the elder is outside (A3)."""
    narrow(lab, CONTACTS, salesforce=[{"field": "LastName", "is_not": "Former"}])
    lab.sf_create("Contact", LastName="Former", Email="fox@acme.example")
    lab.advance(days=1)
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    lab.sync_once()
    assert lab.partner("contacts", contact)
    assert lab.problems() == []


# --- pairs that leave and come back --------------------------------------------------------------------------


def leave(lab, side, opportunity, **more):
    """One of the two leaves scope, and is edited in the very same moment."""
    if side is Side.SALESFORCE:
        lab.sf_edit("Opportunity", opportunity, Type="Partner", Name="Edited outside", **more)
    else:
        lab.hs_edit(
            "deals", lab.deal_of(opportunity), dealtype="existingbusiness", dealname="Edited outside", **more
        )


def come_back(lab, side, opportunity):
    if side is Side.SALESFORCE:
        lab.sf_edit("Opportunity", opportunity, Type="Customer")
    else:
        lab.hs_edit("deals", lab.deal_of(opportunity), dealtype="")


def names(lab, opportunity):
    row, deal = lab.sf_get("Opportunity", opportunity), lab.hs_get("deals", lab.deal_of(opportunity), "dealname")
    return row["Name"], deal["dealname"]


@pytest.mark.parametrize("side", list(Side))
def test_A8_leaving_scope_freezes_the_pair_and_the_edit_that_did_it_is_not_written(lab, side):
    """No edit of either side crosses while one of them is outside; back inside, both do."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync_once()
    deal, before = lab.deal_of(opportunity), names(lab, opportunity)
    leave(lab, side, opportunity)
    assert outside(lab.plan())
    report = lab.sync_once()
    assert report.writes == 0
    assert outside(report)
    assert names(lab, opportunity) != before
    assert state_of(lab, DEALS, opportunity) is LinkState.FROZEN
    frozen = names(lab, opportunity)
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    lab.hs_edit("deals", deal, description="Written in HubSpot")
    assert lab.sync_once().writes == 0
    assert names(lab, opportunity) == frozen
    come_back(lab, side, opportunity)
    planned = lab.plan()
    report = lab.sync_once()
    assert outside(report) == []
    assert report.updated == planned.updated
    assert names(lab, opportunity) == ("Edited outside", "Edited outside")
    assert lab.hs_get("deals", deal, "amount")["amount"] == "2"
    assert lab.sf_get("Opportunity", opportunity)["Description"] == "Written in HubSpot"
    assert state_of(lab, DEALS, opportunity) is LinkState.LINKED


def test_A7_A8_a_frozen_pair_follows_a_merge_and_goes_on_when_it_comes_back(lab):
    """The contact was out of scope when its partner was merged; back in, it belongs to the survivor."""
    narrow(lab, CONTACTS, hubspot=[{"field": "city", "is_not": "Nowhere"}])
    loser = lab.sf_create("Contact", LastName="Loser", Email="loser@acme.example")
    lab.sync_once()
    contact = lab.partner("contacts", loser)
    lab.hs_edit("contacts", contact, city="Nowhere")
    lab.sync_until_rest()
    master = lab.sf_create("Contact", LastName="Master")
    merged = {"sobject": "Contact", "master": master, "losers": [loser]}
    lab.sandbox_post("salesforce", "merge", merged)
    lab.sync_until_rest()
    assert state_of(lab, CONTACTS, master) is LinkState.FROZEN
    assert lab.hs_get("contacts", contact, "lastname")["lastname"] == "Loser"
    lab.hs_edit("contacts", contact, city="Somewhere")
    lab.sync_until_rest()
    assert lab.partner("contacts", master) == contact
    assert lab.hs_get("contacts", contact, "lastname")["lastname"] == "Master"


def test_A8_a_record_that_our_own_write_takes_out_of_scope_is_frozen_in_that_run(lab):
    """The edit inside is carried; what comes after it is not."""
    opportunity = lab.opportunity(Type="New Business")
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, Type="Existing Business")
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(opportunity), "dealtype")["dealtype"] == "existingbusiness"
    assert state_of(lab, DEALS, opportunity) is LinkState.FROZEN
    lab.sf_edit("Opportunity", opportunity, Amount=77)
    assert lab.sync_once().writes == 0


def test_A8_a_record_that_leaves_between_the_look_and_the_write_is_not_written(lab):
    """What is re-read before a write is asked again."""
    opportunity = lab.opportunity()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.sf_edit("Opportunity", opportunity, Name="Changed")
    lab.sync_before("/deals/batch/read", lambda: lab.hs_edit("deals", deal, dealtype="existingbusiness"))
    assert lab.hs_get("deals", deal, "dealname")["dealname"] == "Big deal"
    lab.sync_once()
    assert state_of(lab, DEALS, opportunity) is LinkState.FROZEN


@pytest.mark.parametrize("side", list(Side))
def test_D9_the_deal_of_a_frozen_pair_survives_its_opportunity(lab, side):
    """The deletion is noticed: the link is closed, and nothing follows from it, now or later."""
    opportunity = lab.opportunity()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    leave(lab, side, opportunity)
    lab.sync_once()
    lab.sf_delete("Opportunity", opportunity)
    assert lab.sync_once().writes == 0
    assert state_of(lab, DEALS, opportunity) is LinkState.CLOSED
    assert list(lab.hs_all("deals")) == [deal]


def test_D2_a_deal_that_is_deleted_while_frozen_severs_its_pair(lab):
    """The opportunity stays, and makes no deal when it comes back."""
    opportunity = lab.opportunity()
    lab.sync_once()
    leave(lab, Side.SALESFORCE, opportunity)
    lab.sync_once()
    lab.hs_delete("deals", lab.deal_of(opportunity))
    lab.advance(hours=25)
    lab.sync_once()
    assert state_of(lab, DEALS, opportunity) is LinkState.SEVERED
    lab.sf_edit("Opportunity", opportunity, Type="Customer")
    lab.sync_once()
    assert lab.hs_all("deals") == {}


def test_A8_with_an_empty_store_a_frozen_pair_is_known_again(lab):
    """By the stored id; nothing is written, nobody is made twice."""
    opportunity = lab.opportunity()
    lab.sync_once()
    leave(lab, Side.SALESFORCE, opportunity)
    lab.forget()
    assert lab.sync_once().writes == 0
    assert state_of(lab, DEALS, opportunity) is LinkState.FROZEN
    assert len(lab.hs_all("deals")) == 1


# --- what refers to a frozen record ---------------------------------------------------------------------------


def test_U9_a_frozen_deal_counts_in_no_rollup_until_it_comes_back(lab):
    """Its contact's number of deals falls and rises."""
    _, contact, opportunity = lab.business(Amount=5)
    lab.sync_once()
    person = lab.partner("contacts", contact)

    def counted():
        return lab.hs_get("contacts", person, "sf_num_associated_deals")["sf_num_associated_deals"]

    assert counted() == "1"
    leave(lab, Side.SALESFORCE, opportunity)
    lab.sync_once()
    assert counted() == "0"
    come_back(lab, Side.SALESFORCE, opportunity)
    lab.sync_once()
    assert counted() == "1"


def test_A8_R5_a_role_of_a_contact_out_of_scope_waits(lab):
    """The deal goes on without; when the contact comes in it is associated."""
    narrow(lab, CONTACTS, salesforce=[{"field": "Title", "is_not": "Secret"}])
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example", Title="Secret")
    opportunity = lab.opportunity()
    lab.role(opportunity, contact)
    assert lab.sync_once().waiting == 1
    deal = lab.deal_of(opportunity)
    assert lab.hs_associated("deals", deal, "contacts") == {}
    lab.sf_edit("Contact", contact, Title="Manager")
    lab.sync_once()
    assert list(lab.hs_associated("deals", deal, "contacts")) == [lab.partner("contacts", contact)]


@pytest.mark.parametrize("frozen", ["contact", "deal"])
def test_A8_a_role_of_a_frozen_record_waits(lab, frozen):
    """Added while one of both is outside, it crosses once it is back."""
    narrow(lab, CONTACTS, salesforce=[{"field": "Title", "is_not": "Secret"}])
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    opportunity = lab.opportunity()
    lab.sync_once()
    if frozen == "contact":
        lab.sf_edit("Contact", contact, Title="Secret")
    else:
        leave(lab, Side.SALESFORCE, opportunity)
    lab.role(opportunity, contact)
    assert lab.sync_once().writes == 0
    if frozen == "contact":
        lab.sf_edit("Contact", contact, Title="Manager")
    else:
        come_back(lab, Side.SALESFORCE, opportunity)
    lab.sync_once()
    assert list(lab.hs_associated("deals", lab.deal_of(opportunity), "contacts")) == [
        lab.partner("contacts", contact)
    ]


def test_A8_a_contact_associated_while_the_deal_was_frozen_gets_its_role_on_return(lab):
    """A frozen deal's contacts are not read, which costs nothing; on its return they are."""
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    opportunity = lab.opportunity()
    lab.sync_once()
    leave(lab, Side.SALESFORCE, opportunity)
    lab.sync_once()
    lab.hs_associate("deals", lab.deal_of(opportunity), "contacts", lab.partner("contacts", contact), 3)
    lab.sync_once()
    assert lab.sf_all("SELECT Id FROM OpportunityContactRole") == []
    come_back(lab, Side.SALESFORCE, opportunity)
    lab.sync_once()
    assert [row["ContactId"] for row in lab.sf_all("SELECT ContactId FROM OpportunityContactRole")] == [contact]


def test_A8_R3_a_role_that_is_removed_while_its_contact_is_outside_is_removed_on_return(lab):
    """The association with a frozen contact is left alone until then."""
    narrow(lab, CONTACTS, salesforce=[{"field": "Title", "is_not": "Secret"}])
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    opportunity = lab.opportunity()
    role = lab.role(opportunity, contact)
    lab.sync_once()
    deal, person = lab.deal_of(opportunity), lab.partner("contacts", contact)
    lab.sf_edit("Contact", contact, Title="Secret")
    lab.sf_delete("OpportunityContactRole", role)
    lab.advance(minutes=2)  # deleted records are listed by whole minutes
    lab.sync_once()
    assert list(lab.hs_associated("deals", deal, "contacts")) == [person]
    lab.sf_edit("Contact", contact, Title="Manager")
    lab.sync_once()
    assert lab.hs_associated("deals", deal, "contacts") == {}


def test_A8_a_frozen_contact_gets_no_rollup_and_no_stage(lab):
    """Neither is written to it, whatever its deals do; on its return both are right again."""
    narrow(lab, CONTACTS, salesforce=[{"field": "Title", "is_not": "Secret"}])
    _, contact, opportunity = lab.business(Amount=5)
    lab.sync_once()
    person = lab.partner("contacts", contact)
    lab.sf_edit("Contact", contact, Title="Secret")
    lab.sync_once()
    before = lab.hs_get("contacts", person, "lifecyclestage", "sf_total_revenue", "hs_lastmodifieddate")
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    after = lab.hs_get("contacts", person, "lifecyclestage", "sf_total_revenue", "hs_lastmodifieddate")
    assert (after["lifecyclestage"], after["sf_total_revenue"]) == (before["lifecyclestage"], "0")
    lab.sf_edit("Contact", contact, Title="Manager")
    lab.sync_once()
    after = lab.hs_get("contacts", person, "lifecyclestage", "sf_total_revenue")
    assert (after["lifecyclestage"], after["sf_total_revenue"]) == ("customer", "5")


def test_A8_an_account_out_of_scope_leaves_its_contacts_without_a_company(lab):
    """They sync, and get it when it comes in."""
    narrow(lab, COMPANIES, salesforce=[{"field": "Name", "contains": "Acme"}])
    account = lab.sf_create("Account", Name="Zenith")
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@zenith.example", AccountId=account)
    lab.sync_once()
    person = lab.partner("contacts", contact)
    assert lab.hs_all("companies") == {}
    lab.sf_edit("Account", account, Name="Acme Zenith")
    lab.sync_once()
    assert lab.hs_get("contacts", person, "associatedcompanyid")["associatedcompanyid"] == lab.partner(
        "companies", account
    )


# --- what it costs, and a filter that changes -------------------------------------------------------------------


def test_A8_records_out_of_scope_cost_no_calls(lab):
    """They are seen with the others; a run that changes some of them is as cheap as an idle one."""
    outsiders = [lab.opportunity(f"Out {number}", Type="Partner") for number in range(5)]
    lab.sync_once()
    lab.advance(hours=1)
    idle = lab.sync().calls
    for id_ in outsiders:
        lab.sf_edit("Opportunity", id_, Amount=9)
    assert lab.sync().calls == idle


def test_A8_a_narrower_filter_freezes_at_once_and_writes_nothing(lab):
    """Also what nobody touches; the fields that it asks for first are read first."""
    _, _, opportunity = lab.business(Amount=5, LeadSource="Web")
    lab.sync_once()
    narrow(lab, salesforce=[{"field": "LeadSource", "is_not": "Web"}])
    assert outside(lab.plan())
    assert state_of(lab, DEALS, opportunity) is LinkState.LINKED
    report = lab.sync()
    assert state_of(lab, DEALS, opportunity) is LinkState.FROZEN
    assert dict(report.updated[Side.HUBSPOT]) == {"contacts": 1, "companies": 1}  # U9: it no longer counts
    assert lab.hs_get("deals", lab.deal_of(opportunity), "dealname")["dealname"] == "Big deal"
    assert lab.sync().writes == 0


def test_A8_a_wider_filter_is_no_mass_edit(lab):
    """What it lets in waits until somebody touches it (T4): neither made, nor merged."""
    outsider, frozen = lab.opportunity("Out", Type="Partner"), lab.opportunity("Frozen")
    lab.sync_once()
    leave(lab, Side.SALESFORCE, frozen)
    lab.sync_once()
    narrow(lab, hubspot=NOT_PRIVATE)
    report = lab.sync_once()
    assert report.writes == 0
    assert outside(report) == []
    assert lab.partner("deals", outsider) is None
    for one in (outsider, frozen):
        lab.sf_edit("Opportunity", one, Amount=3)
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(outsider), "amount")["amount"] == "3"
    assert names(lab, frozen) == ("Edited outside", "Edited outside")


def test_A8_P4_a_filter_is_asked_on_a_first_look_by_triggers_only(lab):
    """What was there before is counted, although nobody has touched it."""
    lab.configure(SYNC__FIRST_SYNC="triggers_only")
    narrow(lab, salesforce=NO_PARTNERS)
    lab.opportunity("Out", Type="Partner")
    assert lab.sync().writes == 0
    assert outside(lab.sync())


@pytest.mark.parametrize(
    ("side", "condition", "message"),
    [
        ("salesforce", {"field": "Tpye", "is": "Partner"}, "Opportunity of salesforce has no field Tpye"),
        ("hubspot", {"field": "dealtipe", "is": "x"}, "deals of hubspot has no field dealtipe"),
        (
            "salesforce",
            {"field": "Name", "at_least": 3},
            "Name is of type string, but `at_least` asks it for a number",
        ),
        (
            "hubspot",
            {"field": "amount", "is": True},
            "amount is of type number, but `is` asks it for true or false",
        ),
    ],
)
def test_A8_F3_a_filter_that_cannot_be_asked_stops_the_run_with_file_and_line(lab, side, condition, message):
    """Before anything is written; `connector check` says the same."""
    lab.opportunity()
    narrow(lab, **{side: [condition]})
    with pytest.raises(BadConfiguration) as caught:
        lab.sync()
    (finding,) = caught.value.findings
    assert (finding.where, finding.line) == ("deals.yaml", 3)
    assert message in finding.message
    assert lab.hs_all("deals") == {}
    found = [one for one in check(lab.connection()) if one.state is State.PROBLEM]
    assert any(message in one.detail and "deals.yaml:3" in one.detail for one in found), found
