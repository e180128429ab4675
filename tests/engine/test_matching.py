"""Who is whom at first sight: stored ids, domains, names and e-mails, each only where it is clear (A1-A3, O10)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.run import Wish
from connector.engine.world import DEALS
from connector.mapping.match_keys import KEYS

COMPANY_OF_CONTACT = 1


@pytest.fixture
def lab():
    return Lab()


def account(lab, name="Acme", website=None, **fields):
    return lab.sf_create("Account", Name=name, Website=website, **fields)


def company(lab, name="Acme", domain="", **properties):
    return lab.hs_create("companies", name=name, domain=domain, **properties)


def companies(lab):
    return set(lab.hs_all("companies"))


def held(lab):
    """The records held as duplicates, by side."""
    assert {one["cause"] for one in lab.problems()} <= {"duplicates"}
    return {(one["side"], one["record_id"]) for one in lab.problems()}


def creating_in_salesforce(lab, *pairs):
    """The mapping with `create_in: [hubspot, salesforce]`."""
    for name in pairs:
        lab.pairs = {**lab.pairs, name: replace(lab.pairs[name], creates=frozenset(Side))}


# --- A2: by domain ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "website", ["https://www.Acme.co.uk/about", "acme.co.uk", "http://shop.acme.co.uk:80/?x=1"]
)
def test_A2_account_and_company_meet_by_the_domain_of_the_website(lab, website):
    """Whatever they are called, and however the address is written."""
    mine, theirs = account(lab, "Acme Limited", website), company(lab, "ACME", "acme.co.uk")
    lab.sync_once()
    assert lab.partner("companies", mine) == theirs
    assert companies(lab) == {theirs}


@pytest.mark.parametrize("website", ["https://www.facebook.com/acme", "linkedin.com/company/acme", "gmail.com"])
def test_A2_what_many_share_is_no_domain_of_a_company(lab, website):
    """Two firms with pages on one social network are two firms."""
    mine, stranger = account(lab, "Acme", website), company(lab, "Other firm", website.split("/")[0])
    lab.sync_once()
    assert lab.partner("companies", mine) not in {None, stranger}
    assert lab.problems() == []


def test_A2_suffixes_under_which_anybody_registers_are_no_domain(lab):
    """`one.co.uk` and `two.co.uk` have nothing in common."""
    mine, stranger = account(lab, "One", "one.co.uk"), company(lab, "Two", "two.co.uk")
    lab.sync_once()
    assert lab.partner("companies", mine) not in {None, stranger}


def test_A2_the_stored_id_is_believed_before_the_domain(lab):
    """Though another company has the account's domain."""
    mine = account(lab, "Acme", "acme.example")
    lab.sync_once()
    theirs = lab.partner("companies", mine)
    lab.hs_edit("companies", theirs, domain="renamed.example")
    other = company(lab, "Acme", "acme.example")
    lab.forget()
    lab.sync_until_rest()
    assert lab.partner("companies", mine) == theirs
    assert lab.hs_get("companies", other, "sf_record_id")["sf_record_id"] is None


TYPED = {
    "of 15 characters": lambda id_: id_[:15],
    "without its capitals": str.lower,
    "all capitals": str.upper,
    "with blanks": lambda id_: f" {id_}\n",
}


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_A2_O10_a_salesforce_id_is_the_same_however_it_was_typed(lab, typed):
    """A report has 15 characters, a spreadsheet loses capitals: the pair is found, and nothing is made twice."""
    mine = lab.opportunity()
    lab.sync_once()
    deal = lab.deal_of(mine)
    lab.hs_edit("deals", deal, sf_record_id=typed(mine))
    lab.forget()
    lab.sync_once()
    assert set(lab.hs_all("deals")) == {deal}
    assert lab.store.links.by_ids(DEALS, Side.SALESFORCE, [mine])[mine].hubspot_id == deal
    assert lab.problems() == []


@pytest.mark.parametrize("typed", ["x" * 65_000, "\x00\x1b[2J", "\u202e😀", "'; --"])
def test_O10_what_is_no_id_is_listed_as_far_as_it_can_be_read(lab, typed):
    """Whatever its length: no store refuses it, and no screen is upset."""
    lab.sync()
    deal = lab.hs_create("deals", dealname="Odd", pipeline="default", dealstage="closedwon", sf_record_id=typed)
    lab.sync_once()
    [problem] = lab.problems()
    assert (problem["record_id"], problem["code"]) == (deal, "PARTNER_NOT_READABLE")
    assert problem["detail"].isprintable()
    [seen] = lab.store.records.load(Side.HUBSPOT, "deals", [deal]).values()
    assert len(seen.partner_id) <= 40
    assert lab.sf_all("SELECT Id FROM Opportunity") == []


def meet_another(lab, **edited):
    """A contact is `edited` and deleted, and its partner meets another one since a backup.

    Returns the ids of the former contact, of the other one and of the partner, and the backup.
    """
    former = lab.sf_create("Contact", LastName="Former", Email="jane@acme.example")
    lab.sync_once()
    theirs, backup = lab.partner("contacts", former), lab.durable_store()
    if edited:
        lab.sf_edit("Contact", former, **edited)
    lab.sf_delete("Contact", former)
    lab.sync_once()
    mine = lab.sf_create("Contact", LastName="Mine", Email="jane@acme.example")
    lab.sync_once()
    assert lab.partner("contacts", mine) == theirs
    return former, mine, theirs, backup


def test_A2_a_record_meets_who_names_it_in_the_run_that_ends_that_ones_pair(lab):
    """An older store knows the partner as that of a contact that was deleted since."""
    _, mine, theirs, backup = meet_another(lab)
    lab.put_back(backup)
    lab.sync_once()
    assert lab.store.links.by_ids("contact-contact", Side.SALESFORCE, [mine])[mine].hubspot_id == theirs
    assert lab.problems() == []


@pytest.mark.parametrize("lag", [0, 600])
def test_A2_the_ids_that_both_records_store_are_believed_before_an_older_link(lab, lag):
    """A contact was deleted, its partner met another one, and it is back with a new one; search may not show it."""
    former, mine, theirs, backup = meet_another(lab, Email="former@acme.example")
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": lag}, "PUT")
    lab.sandbox_post("salesforce", "undelete", {"ids": [former]})
    lab.sync()
    its_new = lab.partner("contacts", former)
    assert its_new not in {None, theirs}
    lab.put_back(backup)
    lab.sync()
    links = lab.store.links.by_ids("contact-contact", Side.SALESFORCE, [mine, former])
    assert {id_: one.hubspot_id for id_, one in links.items()} == {mine: theirs, former: its_new}
    assert lab.hs_get("contacts", theirs, "lastname")["lastname"] == "Mine"
    assert lab.problems() == []


@pytest.mark.parametrize("lag", [0, 600])
def test_A2_who_names_a_record_goes_before_who_is_alike_whatever_an_older_store_knows(lab, lag):
    """A contact met another one since the backup, and a person made one that has that one's new address."""
    _, mine, theirs, backup = meet_another(lab)
    lab.sf_edit("Contact", mine, Email="new@acme.example")
    another = lab.hs_create("contacts", lastname="Another", email="new@acme.example")
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": lag}, "PUT")
    lab.put_back(backup)
    lab.sync()
    links = lab.store.links.by_ids("contact-contact", Side.SALESFORCE, [mine])
    assert links[mine].hubspot_id == theirs
    assert lab.hs_get("contacts", another, "lastname")["lastname"] == "Another"


def test_A2_who_a_record_names_goes_before_who_is_alike_with_an_empty_store(lab):
    """Somebody new has the address that the contact's partner still has in HubSpot, and waits for it to change."""
    mine = lab.sf_create("Contact", LastName="Mine", Email="jane@acme.example")
    lab.sync_once()
    theirs = lab.partner("contacts", mine)
    lab.sf_edit("Contact", mine, Email="new@acme.example")
    alike = lab.sf_create("Contact", LastName="Alike", Email="jane@acme.example")
    lab.forget()
    lab.sync_once()
    assert lab.partner("contacts", mine) == theirs
    assert lab.hs_get("contacts", theirs, "lastname")["lastname"] == "Mine"
    lab.advance(hours=1)
    lab.sync_once()
    assert lab.partner("contacts", alike) not in {None, theirs}
    assert lab.problems() == []


def test_A2_an_id_that_was_typed_over_in_salesforce_keeps_nobody_from_a_partner(lab):
    """The account has its company, which names it; the one that it names by mistake is another account's."""
    mistaken = account(lab, "Bolt", "bolt.example")
    lab.sync_once()
    its_own, theirs = lab.partner("companies", mistaken), company(lab, "Firm", "acme.example")
    lab.sf_edit("Account", mistaken, HubSpot_Id__c=theirs)
    lab.sync_once()
    mine = account(lab, "Acme", "acme.example")
    lab.sync_once()
    assert lab.partner("companies", mine) == theirs
    assert companies(lab) == {its_own, theirs}
    assert lab.problems() == []


def test_A2_O10_whose_id_was_typed_over_is_listed_when_another_deal_takes_its_place(lab):
    """A person wrote nonsense over the deal's id, and gave that to a new deal."""
    opportunity = lab.opportunity()
    lab.sync_once()
    former = lab.deal_of(opportunity)
    lab.hs_edit("deals", former, sf_record_id="see other deal")
    where = lab.hs_get("deals", former, "pipeline", "dealstage")
    other = lab.hs_create(
        "deals",
        dealname="Other",
        sf_record_id=opportunity,
        pipeline=where["pipeline"],
        dealstage=where["dealstage"],
    )
    lab.advance(minutes=16)
    lab.sync_once()
    assert lab.store.links.by_ids(DEALS, Side.SALESFORCE, [opportunity])[opportunity].hubspot_id == other
    assert [(one["record_id"], one["code"]) for one in lab.problems()] == [(former, "PARTNER_NOT_READABLE")]


def test_A2_no_contact_is_added_to_a_deal_that_is_another_ones_by_now(lab):
    """Since the backup a second opportunity was made, and a person gave each of both the other's deal."""
    person = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    first = lab.opportunity("First")
    lab.sync_until_rest()
    deal, backup = lab.partner("deals", first), lab.durable_store()
    second = lab.opportunity("Second")
    lab.sync_until_rest()
    new = lab.partner("deals", second)
    lab.hs_edit("deals", deal, sf_record_id="")
    lab.hs_edit("deals", new, sf_record_id=first)
    lab.hs_edit("deals", deal, sf_record_id=second)
    lab.role(first, person)
    lab.put_back(backup)
    lab.sync_once()
    assert (lab.partner("deals", first), lab.partner("deals", second)) == (new, deal)
    assert lab.hs_associated("deals", new, "contacts").keys() == {lab.partner("contacts", person)}
    assert not lab.hs_associated("deals", deal, "contacts")


def test_D6_what_is_another_ones_by_now_does_not_go_with_its_former_partner(lab):
    """Nor where deletions travel: an older store does not know that it was brought back for somebody else."""
    contacts = lab.pairs["contact-contact"]
    lab.pairs = {**lab.pairs, contacts.name: replace(contacts, deletes=frozenset(Side))}
    former = lab.sf_create("Contact", LastName="Former", Email="jane@acme.example")
    lab.sync_once()
    theirs, backup = lab.partner("contacts", former), lab.durable_store()
    lab.sf_delete("Contact", former)
    lab.sync_until_rest()
    lab.sandbox_post("hubspot", "restore_records", {"objectType": "contacts", "ids": [theirs]})
    lab.sync_until_rest()
    mine = lab.sf_create("Contact", LastName="Mine", Email="jane@acme.example")
    lab.sync_until_rest()
    assert lab.partner("contacts", mine) == theirs
    lab.put_back(backup)
    lab.sync_until_rest()
    assert lab.partner("contacts", mine) == theirs
    assert lab.problems() == []


def test_A2_a_record_that_names_one_meets_it_in_the_run_that_ends_that_ones_pair(lab):
    """A person deleted a company, and gave its account another one."""
    mine = account(lab, "Acme", "acme.example")
    lab.sync_once()
    lab.hs_delete("companies", lab.partner("companies", mine))
    theirs = company(lab, "Firm", "firm.example", sf_record_id=mine)
    lab.advance(hours=25)  # the next sweep
    lab.sync_once()
    assert lab.store.links.by_ids("account-company", Side.SALESFORCE, [mine])[mine].hubspot_id == theirs
    assert lab.problems() == []


@pytest.mark.parametrize(("here", "there"), [(2, 1), (1, 2), (2, 2), (3, 1)])
def test_A2_a_domain_that_is_not_unique_on_both_sides_is_held(lab, here, there):
    """Parent and subsidiary with one domain: nobody is linked or made; each account is listed with all others."""
    mine = [account(lab, f"Account {number}", "acme.example") for number in range(here)]
    theirs = [company(lab, f"Company {number}", "acme.example") for number in range(there)]
    lab.sync_once()
    assert companies(lab) == set(theirs)
    assert all(lab.partner("companies", one) is None for one in mine)
    assert held(lab) == {("salesforce", one) for one in mine}
    for one in lab.problems():
        assert all(other in one["detail"] for other in {*mine, *theirs} - {one["record_id"]})
        assert "Salesforce id" in one["remedy"]


def test_A2_what_was_held_links_once_it_is_clear(lab):
    """The subsidiary gets a website of its own; nobody touches the other two again."""
    parent, child = account(lab, "Parent", "acme.example"), account(lab, "Child", "acme.example")
    theirs = company(lab, "Firm", "acme.example")
    lab.sync_once()
    lab.sf_edit("Account", child, Website="child.example")
    lab.sync_until_rest()
    lab.advance(minutes=16)
    lab.sync_until_rest()
    assert lab.partner("companies", parent) == theirs
    assert lab.partner("companies", child) not in {None, theirs}
    assert lab.problems() == []


def test_A2_a_person_ends_the_doubt_by_writing_the_id(lab):
    """As the remedy says; then the other account gets a company of its own, since nothing is left to doubt."""
    parent, child = account(lab, "Parent", "acme.example"), account(lab, "Child", "acme.example")
    theirs = company(lab, "Firm", "acme.example")
    lab.sync_once()
    lab.hs_edit("companies", theirs, sf_record_id=child)
    lab.sync_until_rest()
    lab.advance(minutes=16)
    lab.sync_until_rest()
    assert lab.partner("companies", child) == theirs
    assert lab.partner("companies", parent) not in {None, theirs}
    assert lab.problems() == []


def test_A2_a_newcomer_with_the_domain_of_a_linked_pair_gets_its_own_company(lab):
    """The only company with that domain has its partner already: there is nothing to guess."""
    parent = account(lab, "Parent", "acme.example")
    lab.sync_once()
    child = account(lab, "Child", "acme.example")
    lab.sync_once()
    assert lab.partner("companies", child) not in {None, lab.partner("companies", parent)}
    assert lab.problems() == []


# --- A2: by name --------------------------------------------------------------------------------------------


def test_A2_then_by_the_name(lab):
    """Spaces and capitals do not count; nothing else is forgiven."""
    same, other = account(lab, " Acme  Holding "), account(lab, "Bolt Inc.")
    theirs, stranger = company(lab, "ACME holding"), company(lab, "Bolt Inc")
    lab.sync_once()
    assert lab.partner("companies", same) == theirs
    assert lab.partner("companies", other) not in {None, stranger}


def test_A2_a_name_that_is_not_unique_is_held(lab):
    """One account, two companies of its name."""
    mine = account(lab)
    company(lab)
    company(lab)
    lab.sync_once()
    assert held(lab) == {("salesforce", mine)}


def test_A2_one_name_and_two_domains_are_held(lab):
    """The name says they are one, the better key says they are not."""
    mine = account(lab, "Acme", "acme.example")
    company(lab, "Acme", "acme-foods.example")
    lab.sync_once()
    assert held(lab) == {("salesforce", mine)}


def test_A2_a_better_key_is_another_accounts_first(lab):
    """The company goes to the account with its domain; its namesake without a website gets one of its own."""
    namesake, owner = account(lab, "Acme"), account(lab, "Acme Holding", "acme.example")
    theirs = company(lab, "Acme", "acme.example")
    lab.sync_once()
    assert lab.partner("companies", owner) == theirs
    assert lab.partner("companies", namesake) not in {None, theirs}
    assert lab.problems() == []


def test_A2_the_mapping_says_which_keys_count(lab):
    """`match_on: [id, name]`: the domain says nothing any more, also for what was seen before."""
    lab.configure(SYNC__FIRST_SYNC="triggers_only")
    mine = account(lab, "Acme", "acme.example")
    by_domain, by_name = company(lab, "Firm", "acme.example"), company(lab, "Acme")
    lab.sync_once()
    pair = lab.pairs["account-company"]
    lab.pairs = {**lab.pairs, pair.name: replace(pair, match_on=(KEYS[pair.name]["name"],))}
    lab.sf_edit("Account", mine, Phone="1")
    lab.sync_once()
    assert lab.partner("companies", mine) == by_name
    assert lab.hs_get("companies", by_domain, "sf_record_id")["sf_record_id"] is None


@pytest.mark.parametrize(("order", "forgotten"), list(product(range(3), [False, True])))
def test_A2_the_order_of_making_decides_nothing(lab, order, forgotten):
    """The same three accounts and two companies lead to the same links, with an empty store too."""
    makers = [
        lambda: account(lab, "Acme", "acme.example"),
        lambda: account(lab, "Acme Foods"),
        lambda: account(lab, "Bolt", "bolt.example"),
    ]
    makers = makers[order:] + makers[:order]
    made = [make() for make in makers]
    acme, foods, bolt = made[-order:] + made[:-order] if order else made
    first, second = company(lab, "A.", "acme.example"), company(lab, "acme foods")
    lab.sync_once()
    if forgotten:
        lab.forget()
        lab.sync_until_rest()
    partners = [lab.partner("companies", one) for one in (acme, foods, bolt)]
    assert partners[:2] == [first, second]
    assert companies(lab) == {*partners}
    assert len(partners) == len({*partners})


def test_A2_an_empty_store_holds_what_was_held(lab):
    """Doubt does not go by forgetting."""
    mine = [account(lab, f"Account {number}", "acme.example") for number in range(2)]
    theirs = company(lab, "Firm", "acme.example")
    lab.sync_once()
    lab.forget()
    lab.sync_until_rest()
    assert held(lab) == {("salesforce", one) for one in mine}
    assert companies(lab) == {theirs}


def test_T6_a_single_record_is_told_apart_with_an_empty_store(lab):
    """All is looked at first, and this one record alone is synced."""
    mine, other = account(lab, "Acme", "acme.example"), account(lab, "Bolt", "bolt.example")
    theirs = company(lab, "Firm", "acme.example")
    lab.sync(Wish(records=(mine,)))
    assert lab.partner("companies", mine) == theirs
    assert lab.partner("companies", other) is None
    lab.sync_once()
    assert lab.partner("companies", other) not in {None, theirs}


# --- A3 -----------------------------------------------------------------------------------------------------


def test_A3_a_further_address_of_a_hubspot_contact_counts_too(lab):
    """A merge left the address there; the Salesforce contact with it is the same person."""
    kept = lab.hs_create("contacts", email="ada@acme.example")
    gone = lab.hs_create("contacts", email="ada@home.example")
    merge = {"primaryObjectId": kept, "objectIdToMerge": gone}
    survivor = lab.hs("POST", "/crm/v3/objects/contacts/merge", merge)["id"]
    ada = lab.sf_create("Contact", LastName="Lovelace", Email="Ada@Home.example")
    lab.sync_until_rest()
    assert lab.partner("contacts", ada) == survivor
    assert list(lab.hs_all("contacts")) == [survivor]


def test_A3_a_contact_meets_who_is_alike_in_the_run_that_ends_that_ones_pair(lab):
    """Its former partner was deleted, and it was made with the same address, between two runs."""
    former = lab.sf_create("Contact", LastName="Former", Email="jane@acme.example")
    lab.sync_once()
    theirs = lab.partner("contacts", former)
    lab.sf_delete("Contact", former)
    mine = lab.sf_create("Contact", LastName="Mine", Email="jane@acme.example")
    lab.sync_once()
    assert lab.partner("contacts", mine) == theirs
    assert lab.problems() == []


def test_A3_two_salesforce_contacts_with_the_addresses_of_one_person(lab):
    """The older one links, the other is held: HubSpot knows both addresses as one person's."""
    kept = lab.hs_create("contacts", email="ada@acme.example")
    gone = lab.hs_create("contacts", email="ada@home.example")
    merge = {"primaryObjectId": kept, "objectIdToMerge": gone}
    survivor = lab.hs("POST", "/crm/v3/objects/contacts/merge", merge)["id"]
    older = lab.sf_create("Contact", LastName="Lovelace", Email="ada@home.example")
    lab.advance(minutes=1)
    younger = lab.sf_create("Contact", LastName="King", Email="ada@acme.example")
    lab.sync_until_rest()
    assert lab.store.links.by_ids("contact-contact", Side.SALESFORCE, [older])[older].hubspot_id == survivor
    assert held(lab) == {("salesforce", younger)}


# --- lead conversion ----------------------------------------------------------------------------------------


def convert(lab, **wanted):
    return lab.sandbox_post("salesforce", "convert_lead", wanted)


def test_A3_a_converted_lead_makes_nobody_twice(lab):
    """A person and a firm that HubSpot knew before the conversion are found by e-mail and domain."""
    firm, someone = company(lab, "Acme", "acme.example"), lab.hs_create("contacts", email="ada@acme.example")
    lead = lab.sf_create(
        "Lead", LastName="Lovelace", Company="Acme", Email="Ada@acme.example", Website="https://acme.example"
    )
    lab.sync_once()
    made = convert(lab, leadId=lead)
    lab.sync_once()
    assert lab.partner("companies", made["accountId"]) == firm
    assert lab.partner("contacts", made["contactId"]) == someone
    assert (companies(lab), set(lab.hs_all("contacts"))) == ({firm}, {someone})
    deal = lab.deal_of(made["opportunityId"])
    assert set(lab.hs_associated("deals", deal, "contacts")) == {someone}
    assert lab.problems() == []


def test_A3_a_lead_converted_into_a_linked_contact_and_account_makes_nothing_but_its_deal(lab):
    """Their links stay as they were."""
    firm, contact, _ = lab.business()
    lab.sync_once()
    before = companies(lab), set(lab.hs_all("contacts"))
    lead = lab.sf_create("Lead", LastName="Fox", Company="Acme", Email="fox@acme.example")
    made = convert(lab, leadId=lead, accountId=firm, contactId=contact)
    lab.sync_once()
    assert (companies(lab), set(lab.hs_all("contacts"))) == before
    assert lab.deal_of(made["opportunityId"])


# --- A1: accounts and contacts born in HubSpot --------------------------------------------------------------


def staff(lab, firm, email="eve@acme.example"):
    """A HubSpot contact whose primary company is `firm`."""
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": COMPANY_OF_CONTACT}]
    return lab.hs_create("contacts", [{"to": {"id": firm}, "types": types}], email=email, lastname="Eve")


def accounts(lab):
    return lab.sf_all("SELECT Id, Name, HubSpot_Id__c FROM Account")


def test_A1_a_company_becomes_an_account_only_with_a_contact_that_syncs(lab):
    """The mapping allows it; a company alone, and one whose contacts are only in HubSpot, still make none."""
    creating_in_salesforce(lab, "account-company")
    alone, foreign = company(lab, "Alone"), company(lab, "Foreign")
    staff(lab, foreign, "only@hubspot.example")
    firm = company(lab, "Acme")
    staff(lab, firm)
    contact = lab.sf_create("Contact", LastName="Eve", Email="eve@acme.example")
    lab.sync_once()
    [made] = accounts(lab)
    assert (made["Name"], made["HubSpot_Id__c"]) == ("Acme", firm)
    assert lab.hs_get("companies", firm, "sf_record_id")["sf_record_id"] == made["Id"]
    assert lab.sf_get("Contact", contact)["AccountId"] == made["Id"]
    assert lab.partner("companies", made["Id"]) not in {alone, foreign}


def test_A1_a_company_waits_for_its_contact_to_sync(lab):
    """Known for long, it becomes an account in the run in which its contact is found in Salesforce."""
    creating_in_salesforce(lab, "account-company")
    firm = company(lab, "Acme")
    staff(lab, firm)
    lab.sync_once()
    assert accounts(lab) == []
    contact = lab.sf_create("Contact", LastName="Eve", Email="eve@acme.example")
    lab.sync_once()
    [made] = accounts(lab)
    assert lab.sf_get("Contact", contact)["AccountId"] == made["Id"]


def test_A1_contacts_made_in_salesforce_bring_their_company_along(lab):
    """With both pairs allowed: one account, one contact on it, ids stored on both sides, nothing twice."""
    creating_in_salesforce(lab, "account-company", "contact-contact")
    firm = company(lab, "Acme")
    people = [staff(lab, firm, f"eve{number}@acme.example") for number in range(2)]
    lab.sync_once()
    [made] = accounts(lab)
    rows = lab.sf_all("SELECT Id, AccountId, HubSpot_Id__c FROM Contact")
    assert {row["HubSpot_Id__c"] for row in rows} == {*people}
    assert {row["AccountId"] for row in rows} == {made["Id"]}
    lab.forget()
    lab.sync_until_rest()
    assert (len(accounts(lab)), len(lab.sf_all("SELECT Id FROM Contact"))) == (1, 2)


def test_O10_a_death_at_any_step_makes_no_account_and_no_contact_twice(lab):
    """The ids that Salesforce stores keep a creation from being repeated."""
    creating_in_salesforce(lab, "account-company", "contact-contact")
    lab.sync_once()
    staff(lab, company(lab, "Acme"))
    step, died = 0, True
    while died:
        step += 4
        twin = lab.copy()
        died = twin.sync_and_die(step, after_delivery=step % 8 == 0)
        twin.sync_until_rest()
        assert len(accounts(twin)) == 1, step
        assert len(twin.sf_all("SELECT Id FROM Contact WHERE AccountId != null")) == 1, step


def test_A1_a_person_may_ask_for_an_account(lab):
    """`sync --record company:ID --create`: no contact is needed, and the mapping need not allow it."""
    firm, other = company(lab, "Acme"), company(lab, "Other")
    lab.sync_once()
    assert accounts(lab) == []
    lab.sync(Wish(records=(f"company:{firm}",), create=True))
    [made] = accounts(lab)
    assert (made["Name"], made["HubSpot_Id__c"]) == ("Acme", firm)
    lab.sync_once()
    assert [one["Id"] for one in accounts(lab)] == [made["Id"]]
    assert lab.hs_get("companies", other, "sf_record_id")["sf_record_id"] is None


def test_A1_asking_for_an_account_without_the_id_field_is_refused_with_the_remedy(lab):
    """A creation that cannot be recognised again is none (O10)."""
    lab.configure(SALESFORCE__ID_FIELD="Portal_Id__c")
    firm = company(lab, "Acme")
    lab.sync_once()
    lab.sync(Wish(records=(f"company:{firm}",), create=True))
    assert lab.sf_all("SELECT Id FROM Account") == []
    [problem] = [one for one in lab.problems() if one["object"] == "companies"]
    assert (problem["record_id"], problem["code"]) == (firm, "NO_ID_FIELD")
    assert "Portal_Id__c" in problem["remedy"]


def test_A1_a_person_ends_a_doubt_by_asking(lab):
    """What is held since it may be the same as another is made after all."""
    mine = account(lab, "Acme", "acme.example")
    stranger = company(lab, "Acme", "acme-foods.example")
    lab.sync_once()
    assert held(lab) == {("salesforce", mine)}
    lab.sync(Wish(records=(mine,), create=True))
    assert lab.partner("companies", mine) not in {None, stranger}
    assert lab.problems() == []


def test_A2_who_names_a_record_is_its_partner_though_search_does_not_show_that_yet():
    """An older store matches it by its address; HubSpot refuses the id, which is another one's."""
    lab = Lab()
    alike = lab.hs_create("contacts", email="ada@acme.example", lastname="Alike", phone="555")
    lab.advance(minutes=2)
    lab.sync_until_rest()
    older = lab.durable_store()
    ada = lab.sf_create("Contact", LastName="Lovelace", Email="love@acme.example")
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, "PUT")
    lab.sync()
    partner = lab.partner("contacts", ada)
    lab.sf_edit("Contact", ada, Email="ada@acme.example")
    lab.put_back(older)
    lab.sync()
    assert lab.store.links.by_ids("contact-contact", Side.SALESFORCE, [ada])[ada].hubspot_id == partner
    assert lab.hs_get("contacts", alike, "lastname")["lastname"] == "Alike"
    assert not lab.sf_get("Contact", ada)["Phone"], "nor is anything taken over from it"


def test_A3_D3_who_is_matched_with_a_contact_that_is_gone_gets_another_one(lab):
    """Nobody deleted *its* partner: that one was deleted before, which no search tells until the next sweep."""
    gone = lab.hs_create("contacts", email="ada@acme.example", lastname="Gone", phone="555")
    lab.advance(minutes=2)
    lab.sync_until_rest()
    lab.hs_delete("contacts", gone)
    ada = lab.sf_create("Contact", LastName="Lovelace", Email="ada@acme.example")
    lab.advance(minutes=2)
    lab.sync_until_rest()
    assert lab.partner("contacts", ada) not in {None, gone}
    assert not lab.sf_get("Contact", ada)["Phone"], "nothing is taken over from it"
    assert lab.problems() == []
