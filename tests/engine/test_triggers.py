"""What makes a record sync, and what comes of runs and edits close together (T1, T2, T3, T6, T7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from engine.lab import Lab

from connector.engine.run import Wish
from connector.errors import BadConfiguration

CONTACT_OF_DEAL, COMPANY_OF_DEAL = 3, 5


class Office:
    """One account with a contact and an opportunity, in step with their HubSpot partners."""

    def __init__(self, lab):
        self.lab = lab
        lab.sandbox_post("hubspot", "owners", [{"email": "olga@example.com", "firstName": "Olga"}])
        [user] = lab.sandbox_post("salesforce", "users", [{"Username": "olga@example.com"}])
        self.user = user["id"]
        self.account = lab.sf_create("Account", Name="Acme")
        self.contact = lab.sf_create("Contact", LastName="Ada", Email="ada@acme.example")
        self.opportunity = lab.opportunity()
        lab.sync_once()
        self.company = lab.partner("companies", self.account)
        self.person = lab.partner("contacts", self.contact)
        self.deal = lab.deal_of(self.opportunity)

    def here(self, sobject):
        return {"Account": self.account, "Contact": self.contact, "Opportunity": self.opportunity}[sobject]

    def there(self, object_):
        return {"companies": self.company, "contacts": self.person, "deals": self.deal}[object_]

    @property
    def owner(self):
        owners = self.lab.hs("GET", "/crm/v3/owners?limit=100")["results"]
        return next(one["id"] for one in owners if one["email"] == "olga@example.com")


@pytest.fixture
def lab():
    return Lab()


@pytest.fixture
def office(lab):
    return Office(lab)


# --- T1: from Salesforce ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sobject", "field", "value", "object_", "property_", "expected"),
    [
        ("Account", "Phone", "123", "companies", "phone", "123"),
        ("Contact", "Title", "Countess", "contacts", "jobtitle", "Countess"),
        ("Opportunity", "Amount", 99.5, "deals", "amount", "99.5"),
    ],
)
def test_T1_a_changed_mapped_field_syncs(lab, office, sobject, field, value, object_, property_, expected):
    """Of each kind of record."""
    lab.sf_edit(sobject, office.here(sobject), **{field: value})
    report = lab.sync_once()
    assert lab.hs_get(object_, office.there(object_), property_)[property_] == expected
    assert report.writes == 1


@pytest.mark.parametrize(
    ("sobject", "object_"), [("Account", "companies"), ("Contact", "contacts"), ("Opportunity", "deals")]
)
def test_T1_a_changed_owner_syncs(lab, office, sobject, object_):
    """The new owner's counterpart owns the partner."""
    lab.sf_edit(sobject, office.here(sobject), OwnerId=office.user)
    lab.sync_once()
    assert lab.hs_get(object_, office.there(object_), "hubspot_owner_id")["hubspot_owner_id"] == office.owner


def test_T1_a_new_record_syncs(lab, office):
    """An account, a contact and an opportunity that appear get partners in the next run."""
    account = lab.sf_create("Account", Name="New")
    contact = lab.sf_create("Contact", LastName="New", Email="new@example.com")
    opportunity = lab.opportunity("New")
    report = lab.sync_once()
    assert lab.partner("companies", account)
    assert lab.partner("contacts", contact)
    assert lab.partner("deals", opportunity)
    assert sum(sum(one.values()) for one in report.created.values()) == 3


def test_T1_a_contact_role_added_later_syncs(lab, office):
    """A role alone is a trigger: nothing else of the opportunity changed."""
    lab.role(office.opportunity, office.contact)
    report = lab.sync_once()
    assert CONTACT_OF_DEAL in lab.hs_associated("deals", office.deal, "contacts")[office.person]
    assert report.associations_added == 1


def test_T1_a_contact_role_that_changes_its_contact_syncs(lab, office):
    """The contact that it now names is associated with the deal."""
    role = lab.role(office.opportunity, office.contact)
    bob = lab.sf_create("Contact", LastName="Bob", Email="bob@acme.example")
    lab.sync_once()
    lab.sf_edit("OpportunityContactRole", role, ContactId=bob)
    lab.sync_until_rest()
    assert lab.partner("contacts", bob) in lab.hs_associated("deals", office.deal, "contacts")


# --- T2: from HubSpot ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("object_", "property_", "value", "sobject", "field", "expected"),
    [
        ("companies", "phone", "123", "Account", "Phone", "123"),
        ("contacts", "jobtitle", "Countess", "Contact", "Title", "Countess"),
        ("deals", "amount", "99.5", "Opportunity", "Amount", 99.5),
    ],
)
def test_T2_a_changed_mapped_property_syncs(lab, office, object_, property_, value, sobject, field, expected):
    """Of each kind of record (where Salesforce is preferred unless blank, into a blank field)."""
    lab.hs_edit(object_, office.there(object_), **{property_: value})
    report = lab.sync_once()
    assert lab.sf_get(sobject, office.here(sobject))[field] == expected
    assert report.writes == 1


@pytest.mark.parametrize(
    ("object_", "sobject"), [("companies", "Account"), ("contacts", "Contact"), ("deals", "Opportunity")]
)
def test_T2_a_changed_owner_syncs(lab, office, object_, sobject):
    """The new owner's counterpart owns the Salesforce record."""
    lab.hs_edit(object_, office.there(object_), hubspot_owner_id=office.owner)
    lab.sync_once()
    assert lab.sf_get(sobject, office.here(sobject))["OwnerId"] == office.user


def test_T2_a_new_deal_in_a_synced_pipeline_syncs_and_one_elsewhere_does_not(lab, office):
    """The pipeline decides."""
    for pipeline in ("sf_default", "default"):
        stage = next(iter(lab.stages(pipeline).values()))
        lab.hs_create(
            "deals", dealname=pipeline, pipeline=pipeline, dealstage=stage, closedate="2026-09-30T00:00:00Z"
        )
    lab.sync_once()
    names = [row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity WHERE HubSpot_Id__c != null")]
    assert names == ["sf_default"]


def test_T2_a_contact_associated_later_with_an_existing_deal_syncs(lab, office):
    """The association becomes a contact role, also where it moves no modified date in HubSpot."""
    lab.sandbox_post("hubspot", "settings", {"computed_moves_modified": False}, method="PUT")
    before = lab.hs_get("deals", office.deal, "hs_lastmodifieddate")["hs_lastmodifieddate"]
    lab.hs_associate("deals", office.deal, "contacts", office.person, CONTACT_OF_DEAL)
    assert lab.hs_get("deals", office.deal, "hs_lastmodifieddate")["hs_lastmodifieddate"] == before
    lab.sync_once()
    roles = lab.sf_all(f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{office.opportunity}'")
    assert [one["ContactId"] for one in roles] == [office.contact]


def test_T2_a_primary_company_set_later_syncs(lab, office):
    """That moves no modified date either; the company's account becomes the opportunity's."""
    lab.hs_associate("deals", office.deal, "companies", office.company, COMPANY_OF_DEAL)
    lab.sync_once()
    assert lab.sf_get("Opportunity", office.opportunity)["AccountId"] == office.account


def test_T3_an_unmapped_field_is_no_trigger(lab, office):
    """The opportunity is seen to have changed, and nothing is written."""
    lab.sf_edit("Opportunity", office.opportunity, NextStep="Call")
    lab.hs_edit("deals", office.deal, hs_next_step="Call")
    assert lab.sync().writes == 0


# --- T6: by hand --------------------------------------------------------------------------------------------


def deal_id(office):
    return f"deal:{office.deal}"


def opportunity_id(office):
    return office.opportunity


def short_opportunity_id(office):
    return office.opportunity[:15]


def opportunity_id_without_capitals(office):
    return office.opportunity.lower()


def bare_deal_id(office):
    return office.deal


@pytest.mark.parametrize(
    "named",
    [opportunity_id, short_opportunity_id, opportunity_id_without_capitals, deal_id, bare_deal_id],
)
def test_T6_one_record_syncs_on_demand_from_either_sides_id(lab, office, named):
    """Both records of the pair are read anew, whichever was named; no other record is touched."""
    other = lab.opportunity("Other")
    lab.sync_once()
    lab.sf_edit("Opportunity", office.opportunity, Amount=5)
    lab.hs_edit("deals", office.deal, dealname="Renamed in HubSpot")
    lab.sf_edit("Opportunity", other, Amount=6)
    new = lab.opportunity("New")
    report = lab.sync(Wish(records=(named(office),)))
    assert lab.hs_get("deals", office.deal, "amount")["amount"] == "5"
    assert lab.sf_get("Opportunity", office.opportunity)["Name"] == "Renamed in HubSpot"
    assert lab.hs_get("deals", lab.deal_of(other), "amount")["amount"] is None
    assert lab.partner("deals", new) is None
    assert report.writes == 2
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(other), "amount")["amount"] == "6"
    assert lab.partner("deals", new)


def test_T6_a_list_of_new_records_gets_partners_on_demand(lab, office):
    """An opportunity and a deal that nobody has synced yet, and nothing beside them."""
    new, left = lab.opportunity("New"), lab.opportunity("Left")
    deal = lab.hs_create(
        "deals", dealname="Born here", pipeline="sf_default", closedate="2026-09-30T00:00:00Z",
        dealstage=lab.stages("sf_default")["Prospecting"],
    )  # fmt: skip
    lab.sync(Wish(records=(new, f"deal:{deal}")))
    assert lab.partner("deals", new)
    assert lab.sf_all("SELECT Name FROM Opportunity WHERE HubSpot_Id__c != null")[0]["Name"] == "Born here"
    assert lab.partner("deals", left) is None
    lab.sync_once()
    assert lab.partner("deals", left)


@pytest.mark.parametrize("typed", ["deal:1", "006", "006RNv000000001YAB", "0069999999999999AA"])
def test_T6_an_id_that_nothing_has_is_refused_by_name(lab, office, typed):
    """A typing error is told, before anybody is asked for it, and no run is recorded as done."""
    with pytest.raises(BadConfiguration) as refused:
        lab.sync(Wish(records=(typed,)))
    assert typed in str(refused.value.findings[0])


# --- T7 and the times between -------------------------------------------------------------------------------


def test_T7_a_busy_world_comes_to_rest_after_one_run(lab, office):
    """Edits on both sides, new records and new roles: the run after writes nothing at all."""
    lab.sf_edit("Opportunity", office.opportunity, Amount=5, Description="from here")
    lab.hs_edit("deals", office.deal, dealname="from there")
    lab.role(office.opportunity, office.contact)
    lab.role(lab.opportunity("New", AccountId=office.account), office.contact)
    versions = "SELECT Id, SystemModstamp FROM Opportunity ORDER BY Id"
    lab.sync()
    before = lab.sf_all(versions), lab.hs_all("deals", "hs_lastmodifieddate")
    lab.advance(minutes=15)
    assert lab.sync().writes == 0
    assert (lab.sf_all(versions), lab.hs_all("deals", "hs_lastmodifieddate")) == before


def test_two_runs_within_one_minute_carry_the_edits_between_them(lab, office):
    """Neither vendor's whole seconds nor the overlap hide an edit or repeat one."""
    for amount in (1, 2, 3):
        lab.sf_edit("Opportunity", office.opportunity, Amount=amount)
        assert lab.sync().writes == 1
        assert lab.hs_get("deals", office.deal, "amount")["amount"] == str(amount)
        lab.hs_edit("deals", office.deal, amount=str(amount * 10))
        assert lab.sync().writes == 1
        assert lab.sf_get("Opportunity", office.opportunity)["Amount"] == amount * 10


def test_an_edit_indexed_twenty_minutes_late_is_still_synced(lab, office):
    """HubSpot's search may lag: runs in between see nothing, and none of them loses the edit."""
    lab.hs_edit("deals", office.deal, dealname="Late")
    lab.hubspot.delay_index("deals", office.deal, lab.clock.now() + timedelta(minutes=20))
    for _ in range(2):
        assert lab.sync().writes == 0
        lab.advance(minutes=9)
    lab.advance(minutes=3)
    lab.sync_once()
    assert lab.sf_get("Opportunity", office.opportunity)["Name"] == "Late"


def test_a_new_deal_indexed_twenty_minutes_late_becomes_one_opportunity(lab, office):
    """It is found once it shows, and only once."""
    deal = lab.hs_create(
        "deals", dealname="Late", pipeline="sf_default", closedate="2026-09-30T00:00:00Z",
        dealstage=lab.stages("sf_default")["Prospecting"],
    )  # fmt: skip
    lab.hubspot.delay_index("deals", deal, lab.clock.now() + timedelta(minutes=20))
    for _ in range(4):
        lab.sync()
        lab.advance(minutes=7)
    lab.sync_once()
    rows = lab.sf_all("SELECT Name, HubSpot_Id__c FROM Opportunity WHERE Name = 'Late'")
    assert [one["HubSpot_Id__c"] for one in rows] == [deal]


def test_a_stale_search_row_reverts_nothing(lab, office):
    """The connector writes a deal; search goes on showing it as it was before: nobody takes that for an edit."""
    lab.sf_edit("Opportunity", office.opportunity, Amount=5, Name="Newer")
    lab.sync()
    lab.hubspot.delay_index("deals", office.deal, lab.clock.now() + timedelta(minutes=20))
    for _ in range(3):
        assert lab.sync().writes == 0
        lab.advance(minutes=8)
    assert lab.sf_get("Opportunity", office.opportunity)["Name"] == "Newer"
    assert lab.hs_get("deals", office.deal, "dealname", "amount")["dealname"] == "Newer"


def test_edits_at_any_moment_of_a_run_all_arrive(lab):
    """Somebody edits one field on each side at every step of a run: after the next runs both edits hold."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    for step in range(1, 16):
        lab.sf_edit("Opportunity", opportunity, Description=f"begun {step}")

        def meanwhile(step=step):
            lab.hs_edit("deals", deal, dealname=f"Name {step}")
            lab.sf_edit("Opportunity", opportunity, Amount=step)

        lab.sync_while(step, meanwhile)
        acted = lab.hs_get("deals", deal, "dealname")["dealname"] == f"Name {step}"
        lab.sync_until_rest()
        seen = (
            lab.sf_get("Opportunity", opportunity),
            lab.hs_get("deals", deal, "dealname", "amount", "description"),
        )
        assert seen[0]["Description"] == seen[1]["description"] == f"begun {step}"
        if acted:
            assert seen[0]["Name"] == seen[1]["dealname"] == f"Name {step}"
            assert seen[0]["Amount"] == float(seen[1]["amount"]) == step
    assert step == 15
