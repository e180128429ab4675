"""Who is whom among accounts, companies, contacts and owners (A1-A5)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Lab

from connector.core.model import FieldRule, Rule, Side
from connector.mapping.transforms import Owner
from connector.settings import load_mapping, load_settings

COMPANY_OF_CONTACT, CONTACT_OF_DEAL = 1, 3


@pytest.fixture
def lab():
    return Lab()


def add_contact(lab, name="ada", **fields):
    return lab.sf_create("Contact", **{"LastName": name.title(), "Email": f"{name}@acme.example", **fields})


def add_user(lab, email, **fields):
    [made] = lab.sandbox_post("salesforce", "users", [{"Username": email, **fields}])
    return made["id"]


def add_owner(lab, email, **fields):
    [made] = lab.sandbox_post("hubspot", "owners", [{"email": email, "firstName": "Some", **fields}])
    return made["id"]


def owner_of(lab, object_, id_):
    return lab.hs_get(object_, id_, "hubspot_owner_id")["hubspot_owner_id"]


# --- A1, A2: accounts and companies -------------------------------------------------------------------------


def test_A1_a_new_account_makes_a_company_without_any_contact(lab):
    """With its fields."""
    account = lab.sf_create("Account", Name="Acme", Website="https://www.acme.example/about", Phone="1")
    lab.sync_once()
    company = lab.hs_get("companies", lab.partner("companies", account), "name", "domain", "phone")
    assert (company["name"], company["domain"], company["phone"]) == ("Acme", "acme.example", "1")


def test_A1_a_company_alone_makes_no_account(lab):
    """Nor does a contact that is only in HubSpot make one."""
    company = lab.hs_create("companies", name="Only here")
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": COMPANY_OF_CONTACT}]
    lab.hs_create("contacts", [{"to": {"id": company}, "types": types}], email="eve@example.com")
    lab.sync_once()
    assert lab.sf_all("SELECT Id FROM Account") == []
    assert lab.sf_all("SELECT Id FROM Contact") == []


def test_A2_a_stored_id_links_account_and_company(lab):
    """A company that carries the account's id is its partner, whatever it is called."""
    account = lab.sf_create("Account", Name="Acme")
    lab.configure(SYNC__COMPANIES="true")
    lab.sync()
    lab.forget()
    company = lab.partner("companies", account)
    lab.hs_edit("companies", company, name="Renamed meanwhile")
    lab.sync_until_rest()
    assert list(lab.hs_all("companies")) == [company]
    assert lab.hs_get("companies", company, "name")["name"] == "Acme"


# --- A3: contacts -------------------------------------------------------------------------------------------


def test_A3_contacts_match_by_e_mail_whatever_its_case(lab):
    """One contact on each side, linked: no third is made."""
    person = lab.hs_create("contacts", email="ada.lovelace@acme.example", jobtitle="Countess")
    contact = add_contact(lab, Email="Ada.Lovelace@ACME.example")
    lab.sync_once()
    assert lab.partner("contacts", contact) == person
    assert list(lab.hs_all("contacts")) == [person]
    assert lab.sf_get("Contact", contact)["Title"] == "Countess"


def test_A3_a_hubspot_contact_that_comes_later_is_matched_too(lab):
    """The Salesforce contact could not be made in HubSpot; a person makes it there by hand."""
    contact = add_contact(lab)
    lab.configure(SYNC__FIRST_SYNC="triggers_only")
    lab.sync_once()
    person = lab.hs_create("contacts", email="ADA@acme.example")
    lab.sync_once()
    assert lab.partner("contacts", contact) == person
    assert list(lab.hs_all("contacts")) == [person]


def test_A3_of_two_contacts_with_one_e_mail_the_older_links_and_the_other_is_held(lab):
    """It is listed as a duplicate, its role waits, and both are freed when its e-mail is changed."""
    older = add_contact(lab, "older", Email="team@acme.example")
    lab.advance(minutes=1)
    newer = add_contact(lab, "newer", Email="TEAM@acme.example")
    opportunity = lab.opportunity()
    lab.role(opportunity, older)
    lab.role(opportunity, newer)
    assert lab.sync_once().waiting == 1
    [person] = lab.hs_all("contacts")
    assert lab.partner("contacts", older) == person
    [problem] = lab.problems()
    assert (problem["cause"], problem["object"], problem["record_id"]) == ("duplicates", "Contact", newer)
    assert "merge" in problem["remedy"]
    assert set(lab.hs_associated("deals", lab.deal_of(opportunity), "contacts")) == {person}
    lab.sf_edit("Contact", newer, Email="newer@acme.example")
    assert lab.sync_once().waiting == 0
    both = {person, lab.partner("contacts", newer)}
    assert set(lab.hs_associated("deals", lab.deal_of(opportunity), "contacts")) == both
    assert lab.problems() == []


def test_A3_the_newer_one_does_not_link_just_because_it_is_touched_first(lab):
    """Age decides, not the order of edits: it is held even while the older one has no partner yet."""
    lab.configure(SYNC__FIRST_SYNC="triggers_only")
    older = add_contact(lab, "older", Email="team@acme.example")
    lab.advance(minutes=1)
    newer = add_contact(lab, "newer", Email="team@acme.example")
    lab.sync_once()
    lab.sf_edit("Contact", newer, Title="Touched")
    lab.sync_once()
    assert lab.hs_all("contacts") == {}
    assert [(one["cause"], one["record_id"]) for one in lab.problems()] == [("duplicates", newer)]
    lab.sf_edit("Contact", older, Title="Touched")
    lab.sync_once()
    assert list(lab.hs_all("contacts")) == [lab.partner("contacts", older)]


def test_A3_a_held_duplicate_is_freed_when_the_other_one_changes(lab):
    """Nobody has to touch the contact that was held."""
    older = add_contact(lab, "older", Email="team@acme.example")
    lab.advance(minutes=1)
    newer = add_contact(lab, "newer", Email="team@acme.example")
    lab.sync_once()
    lab.sf_edit("Contact", older, Email="older@acme.example")
    lab.sync_until_rest()
    lab.advance(minutes=16)
    lab.sync_once()
    assert lab.partner("contacts", newer) not in (None, lab.partner("contacts", older))
    assert lab.problems() == []


def test_A3_a_newer_namesake_does_not_take_over_a_link(lab):
    """The linked contact loses its e-mail to another one: the link stays, the other gets a partner of its own."""
    ada = add_contact(lab)
    lab.sync_once()
    person = lab.partner("contacts", ada)
    lab.sf_edit("Contact", ada, Email="countess@acme.example")
    bob = add_contact(lab, "bob", Email="ada@acme.example")
    lab.sync_until_rest()
    lab.advance(minutes=16)  # what could not be made at once is tried again
    lab.sync_once()
    assert lab.problems() == []
    assert lab.partner("contacts", ada) == person
    assert lab.hs_get("contacts", person, "email")["email"] == "countess@acme.example"
    assert lab.partner("contacts", bob) not in (None, person)


def test_A3_a_contact_without_e_mail_is_linked_by_its_id_alone(lab):
    """People with one name and no e-mail are different people; an empty store finds each by the stored id."""
    one, other = add_contact(lab, "smith", Email=None), add_contact(lab, "smith", Email=None)
    stranger = lab.hs_create("contacts", lastname="Smith")
    lab.sync_once()
    partners = [lab.partner("contacts", one), lab.partner("contacts", other)]
    assert len({*partners, stranger}) == 3
    lab.forget()
    lab.sync_until_rest()
    assert [lab.partner("contacts", one), lab.partner("contacts", other)] == partners
    assert len(lab.hs_all("contacts")) == 3


def test_A3_a_link_outlives_a_change_of_e_mail_on_either_side(lab):
    """Fields go on syncing; nobody is doubled."""
    ada = add_contact(lab)
    lab.sync_once()
    person = lab.partner("contacts", ada)
    lab.sf_edit("Contact", ada, Email="new@acme.example")
    lab.sync_once()
    lab.hs_edit("contacts", person, email="typed.in.hubspot@acme.example")
    lab.sync_once()
    lab.sf_edit("Contact", ada, Title="Countess")
    lab.sync_once()
    assert list(lab.hs_all("contacts")) == [person]
    assert lab.hs_get("contacts", person, "jobtitle", "email")["jobtitle"] == "Countess"
    assert len(lab.sf_all("SELECT Id FROM Contact")) == 1


# --- A4 -----------------------------------------------------------------------------------------------------


def test_A4_a_contacts_account_is_its_primary_company_and_company_text_is_left_alone(lab):
    """Set at creation and when the account changes; what somebody typed under `company` stays."""
    first, second = (lab.sf_create("Account", Name=name) for name in ("First", "Second"))
    ada = add_contact(lab, AccountId=first)
    lab.sync_once()
    person = lab.partner("contacts", ada)
    assert not lab.hs_get("contacts", person, "company")["company"]
    lab.hs_edit("contacts", person, company="Typed by hand")
    lab.sf_edit("Contact", ada, AccountId=second)
    lab.sync_once()
    shown = lab.hs_get("contacts", person, "company", "associatedcompanyid")
    assert shown["associatedcompanyid"] == lab.partner("companies", second)
    assert shown["company"] == "Typed by hand"
    assert (
        COMPANY_OF_CONTACT in lab.hs_associated("contacts", person, "companies")[lab.partner("companies", second)]
    )


def test_A4_a_death_between_the_two_requests_that_change_a_company_makes_no_conflict(lab):
    """F2: the blank is nobody's edit, and the account of then is written, also if it is the first again."""
    first, second = (lab.sf_create("Account", Name=name) for name in ("First", "Second"))
    ada = add_contact(lab, AccountId=first)
    lab.sync_once()
    lab.sf_edit("Contact", ada, AccountId=second)
    assert lab.sync_and_die(-1, after_delivery=True)
    person = lab.partner("contacts", ada)
    assert lab.hs_associated("contacts", person, "companies") == {}
    again = lab.copy()
    again.sf_edit("Contact", ada, AccountId=first)
    for one, account in ((lab, second), (again, first)):
        one.sync_once()
        assert one.hs_associated("contacts", person, "companies").keys() == {one.partner("companies", account)}
        assert one.store.journal.conflicts() == []


@pytest.mark.parametrize("write", [1, 2])
def test_A4_a_conflict_beside_a_new_company_is_listed_wherever_the_run_dies(lab, write):
    """F2: the properties are written by a request of their own, before the company."""
    first, second = (lab.sf_create("Account", Name=name) for name in ("First", "Second"))
    ada = add_contact(lab, AccountId=first, Phone="1")
    lab.sync_once()
    person = lab.partner("contacts", ada)
    lab.hs_edit("contacts", person, phone="2")
    lab.sf_edit("Contact", ada, AccountId=second, Phone="3")
    assert lab.sync_and_die(-write, after_delivery=True)
    companies = lab.hs_associated("contacts", person, "companies")
    assert lab.partner("companies", second) not in companies
    assert bool(companies) is (write == 1)
    lab.sync_once()
    assert lab.hs_associated("contacts", person, "companies").keys() == {lab.partner("companies", second)}
    (conflict,) = lab.store.journal.conflicts()
    assert [one["field"] for one in conflict["changes"] if one["conflict"]] == ["phone"]


# --- A5: owners ---------------------------------------------------------------------------------------------


def test_A5_owners_match_by_e_mail_whatever_its_case(lab):
    """On all three kinds of records."""
    user, owner = add_user(lab, "Olga@Example.com"), add_owner(lab, "olga@example.com")
    account = lab.sf_create("Account", Name="Acme", OwnerId=user)
    contact = add_contact(lab, OwnerId=user)
    opportunity = lab.opportunity(OwnerId=user)
    lab.sync_once()
    for object_, id_ in (("companies", account), ("contacts", contact), ("deals", opportunity)):
        assert owner_of(lab, object_, lab.partner(object_, id_)) == owner, object_


def test_A5_the_owner_map_goes_before_the_e_mail(lab, tmp_path):
    """A user's records belong to the mapped owner, though another has the user's own e-mail; and back."""
    user = add_user(lab, "olga@example.com")
    add_owner(lab, "olga@example.com")
    mapped = add_owner(lab, "sales.team@example.com")
    path = tmp_path / "connector.yaml"
    path.write_text("owners:\n  map:\n    olga@example.com: sales.team@example.com\n", encoding="utf-8")
    lab.environment["CONNECTOR_CONFIG"] = str(path)
    opportunity, other = lab.opportunity(OwnerId=user), lab.opportunity("Other")
    lab.sync_once()
    assert owner_of(lab, "deals", lab.deal_of(opportunity)) == mapped
    lab.hs_edit("deals", lab.deal_of(other), hubspot_owner_id=mapped)
    lab.sync_once()
    assert lab.sf_get("Opportunity", other)["OwnerId"] == user


def test_A5_a_missing_owner_is_reported_once_and_the_records_still_sync(lab):
    """Three opportunities of one user without a counterpart: three deals, one problem; inviting them heals it."""
    user = add_user(lab, "lonely@example.com")
    opportunities = [lab.opportunity(f"Deal {number}", OwnerId=user) for number in range(3)]
    lab.sync_once()
    deals = [lab.deal_of(one) for one in opportunities]
    assert [owner_of(lab, "deals", one) for one in deals] == [None] * 3
    [problem] = lab.problems()
    assert (problem["object"], problem["record_id"]) == ("User", user)
    assert "lonely@example.com" in problem["detail"]
    assert "owners.map" in problem["remedy"]
    owner = add_owner(lab, "lonely@example.com")
    for one in opportunities:
        lab.sf_edit("Opportunity", one, Amount=1)
    lab.sync_once()
    assert [owner_of(lab, "deals", one) for one in deals] == [owner] * 3
    assert lab.problems() == []


@pytest.mark.parametrize("born", [True, False])
def test_A5_inviting_the_missing_owner_is_enough(lab, born):
    """Nobody has to touch what belongs to them, whether it was made with that owner or was given to them later."""
    user = add_user(lab, "lonely@example.com")
    given = {"OwnerId": user} if born else {}
    account = lab.sf_create("Account", Name="Acme", **given)
    opportunity = lab.opportunity(**given)
    lab.sync_once()
    if not born:
        lab.sf_edit("Account", account, OwnerId=user)
        lab.sf_edit("Opportunity", opportunity, OwnerId=user)
        lab.sync_once()
    lab.advance(hours=1)
    lab.sync_once()
    owner = add_owner(lab, "lonely@example.com")
    lab.sync_once()
    assert owner_of(lab, "companies", lab.partner("companies", account)) == owner
    assert owner_of(lab, "deals", lab.deal_of(opportunity)) == owner
    assert lab.problems() == []


def test_A5_who_has_no_owner_in_hubspot_any_more_keeps_the_one_in_salesforce(lab):
    """Salesforce has no records without one: nothing is tried, HubSpot's record is listed until it has an owner."""
    opportunity, born = lab.opportunity(), lab.opportunity("Other")
    lab.sync_once()
    before, deal = lab.sf_get("Opportunity", opportunity)["OwnerId"], lab.deal_of(opportunity)
    lab.hs_edit("deals", deal, hubspot_owner_id="", dealname="Renamed")
    lab.sync_once()
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["OwnerId"], row["Name"]) == (before, "Renamed")
    [problem] = lab.problems()
    assert (problem["code"], problem["record_id"], problem["field"]) == ("NO_COUNTERPART", deal, "hubspot_owner_id")
    assert "owners.default_salesforce" in problem["remedy"]
    written = lab.store.journal.of_record(Side.SALESFORCE, "Opportunity", opportunity)
    assert "OwnerId" not in {change["field"] for entry in written for change in entry["changes"]}
    lab.hs_edit("deals", deal, hubspot_owner_id=owner_of(lab, "deals", lab.deal_of(born)))
    lab.sync_once()
    assert lab.problems() == []


def test_A5_a_new_deal_without_an_owner_belongs_to_the_connectors_user(lab):
    """As Salesforce does with all that is made without an owner; it is no problem, and the deal is told."""
    lab.sync_once()
    deal = lab.hs_create(
        "deals", dealname="New", closedate="2026-09-30T00:00:00Z", pipeline="sf_default",
        dealstage=lab.stages("sf_default")["Prospecting"],
    )  # fmt: skip
    lab.sync_once()
    assert lab.problems() == []
    assert owner_of(lab, "deals", deal)


@pytest.mark.parametrize("minutes", [0, 30])
def test_A5_a_new_deals_owner_who_is_no_user_keeps_it_however_late_its_opportunity_is_made(lab, minutes):
    """Salesforce gives the opportunity to the connector's user, which is nobody's edit."""
    lab.sync_once()
    owner = add_owner(lab, "lonely@example.com")
    deal = lab.hs_create(
        "deals", dealname="New", closedate="2026-09-30T00:00:00Z", pipeline="sf_default", hubspot_owner_id=owner,
        dealstage=lab.stages("sf_default")["Prospecting"],
    )  # fmt: skip
    lab.advance(minutes=minutes)
    lab.sync_until_rest()
    assert owner_of(lab, "deals", deal) == owner
    user = add_user(lab, "lonely@example.com")
    lab.advance(hours=1)
    lab.sync_until_rest()
    assert owner_of(lab, "deals", deal) == owner
    assert [one["OwnerId"] for one in lab.sf_all("SELECT OwnerId FROM Opportunity")] == [user]


def test_A5_the_default_owner_stands_in_both_ways(lab):
    """Named in the settings; the missing owner is reported all the same."""
    user, lonely = add_user(lab, "default@example.com"), add_user(lab, "lonely@example.com")
    owner, alone = add_owner(lab, "default@example.com"), add_owner(lab, "alone@example.com")
    lab.configure(OWNERS__DEFAULT_SALESFORCE=user, OWNERS__DEFAULT_HUBSPOT=owner)
    here = lab.opportunity(OwnerId=lonely)
    lab.sync_once()
    assert owner_of(lab, "deals", lab.deal_of(here)) == owner
    born = lab.hs_create(
        "deals", dealname="Born here", pipeline="sf_default", closedate="2026-09-30T00:00:00Z",
        dealstage=lab.stages("sf_default")["Prospecting"], hubspot_owner_id=alone,
    )  # fmt: skip
    lab.sync_once()
    [row] = lab.sf_all(f"SELECT OwnerId FROM Opportunity WHERE HubSpot_Id__c = '{born}'")
    assert row["OwnerId"] == user
    assert lab.sf_get("Opportunity", here)["OwnerId"] == lonely
    assert owner_of(lab, "deals", born) == alone
    assert {one["record_id"] for one in lab.problems()} == {lonely, alone}


def test_A5_an_inactive_user_is_never_made_an_owner(lab):
    """The deal still becomes an opportunity, owned by whoever may own it; the owner is reported."""
    add_user(lab, "former@example.com", IsActive=False)
    owner = add_owner(lab, "former@example.com")
    lab.sync_once()
    born = lab.hs_create(
        "deals", dealname="Born here", pipeline="sf_default", closedate="2026-09-30T00:00:00Z",
        dealstage=lab.stages("sf_default")["Prospecting"], hubspot_owner_id=owner,
    )  # fmt: skip
    lab.sync_once()
    [row] = lab.sf_all(f"SELECT Owner.IsActive FROM Opportunity WHERE HubSpot_Id__c = '{born}'")
    assert row["Owner"]["IsActive"] is True
    [problem] = lab.problems()
    assert (problem["object"], problem["record_id"]) == ("owners", owner)
    assert "no active Salesforce user" in problem["detail"]


# --- A6: further owners -------------------------------------------------------------------------------------


@pytest.fixture
def office(lab):
    """Two people in both CRMs, and a second owner of opportunities: a user lookup here, a HubSpot user there."""
    lab.people = [(add_user(lab, one, Email=one), add_owner(lab, one)) for one in ("a@x.example", "b@x.example")]
    lookup = {"sobject": "Opportunity", "name": "Second_Owner__c", "type": "reference", "referenceTo": ["User"]}
    lab.sandbox_post("salesforce", "fields", [lookup])
    property_ = {"name": "second_owner", "label": "Second owner", "groupName": "dealinformation",
                 "type": "enumeration", "fieldType": "select", "externalOptions": True,
                 "referencedObjectType": "OWNER"}  # fmt: skip
    lab.hs("POST", "/crm/v3/properties/deals", property_)
    second = FieldRule(("Second_Owner__c",), ("second_owner",), Rule.TWO_WAY, Owner())
    pair = lab.pairs["opportunity-deal"]
    lab.pairs = lab.pairs | {pair.name: replace(pair, fields=(*pair.fields, second))}
    return lab


def second_owner(lab, deal):
    return lab.hs_get("deals", deal, "second_owner")["second_owner"]


def test_A6_a_further_owner_travels_both_ways_beside_the_owner(office):
    """Each for itself: the record's own owner is not touched by it."""
    (ada, ada_there), (bob, bob_there) = office.people
    opportunity = office.opportunity(OwnerId=ada, Second_Owner__c=bob)
    office.sync_once()
    deal = office.deal_of(opportunity)
    assert (owner_of(office, "deals", deal), second_owner(office, deal)) == (ada_there, bob_there)
    office.hs_edit("deals", deal, second_owner=ada_there)
    office.sync_once()
    row = office.sf_get("Opportunity", opportunity)
    assert (row["OwnerId"], row["Second_Owner__c"]) == (ada, ada)
    office.sf_edit("Opportunity", opportunity, Second_Owner__c=None)
    office.sync_once()
    assert (owner_of(office, "deals", deal), second_owner(office, deal)) == (ada_there, None)


def test_A6_a_further_owner_without_counterpart_is_left_out_and_told_once(office):
    """The record syncs; what is told is the person, however many records have them."""
    (ada, _), _ = office.people
    alone = add_user(office, "alone@x.example", Email="alone@x.example")
    made = [office.opportunity(f"No. {each}", OwnerId=ada, Second_Owner__c=alone) for each in range(3)]
    office.sync()
    assert [second_owner(office, office.deal_of(one)) for one in made] == [None] * 3
    (problem,) = office.problems()
    assert (problem["object"], problem["record_id"]) == ("User", alone)


def test_A6_no_default_owner_stands_for_a_further_one(tmp_path):
    """Blank is blank, and a person without counterpart is none; the owner itself has its default (A5)."""
    shipped = load_settings({"CONNECTOR__OWNERS__DEFAULT_HUBSPOT": "7"}, tmp_path)
    path = tmp_path / "mappings" / "opportunity-deal.yaml"
    path.parent.mkdir()
    path.write_text(
        "pair: opportunity-deal\ncreate_in: [hubspot]\nfields:\n"
        "  - {salesforce: OwnerId, hubspot: hubspot_owner_id, transform: owner}\n"
        "  - {salesforce: Second_Owner__c, hubspot: second_owner, transform: owner}\n"
    )
    owner, second = load_mapping(shipped, tmp_path)["opportunity-deal"].fields
    assert (owner.defaults, second.defaults) == ({Side.HUBSPOT: ("7",)}, {})
