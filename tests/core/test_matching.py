"""What an unlinked record is to the other side: by stored id, by match key, or nobody (A2, A3, O8, O10, D8)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from core.examples import HS, SF, link, pair, record
from hypothesis import given
from hypothesis import strategies as st

from connector.core.matching import Adopt, Candidate, CreateThere, Ignore, SeverFrom, match_record
from connector.core.model import LinkState, MatchKey, Presence, Problem, ProblemClass


def words(value):
    """The words of a field, as the values of a key."""
    return tuple(str(value).split()) if value else ()


DEALS = pair()
EMAIL = MatchKey("email", "A3", {SF: ("Email",), HS: ("email", "more")}, words, oldest_links=True)
DOMAIN = MatchKey("domain", "A2", {SF: ("Website",), HS: ("domain",)}, words)
NAME = MatchKey("name", "A2", {SF: ("Name",), HS: ("name",)}, words)
CONTACTS = pair(name="contact-contact", creates=(HS,), match_on=(EMAIL,))
COMPANIES = pair(name="account-company", creates=(HS,), match_on=(DOMAIN, NAME))
OPPORTUNITY = record(SF, "006A")
DEAL = record(HS, "11")


def candidate_among(mapping, me, *others, links=(), **more):
    """A candidate with what a store with these records would tell of it."""
    everyone = [one for one in (me, *others) if one.present]
    keys = {(one.side, one.id): mapping.match_values(one) for one in everyone}
    alike = {}
    for one in everyone:
        for value in keys[one.side, one.id]:
            alike[value] = (*alike.get(value, ()), one)
    return Candidate(me, keys=keys, alike=alike, links=by_ids(*links), **more)


def by_ids(*links):
    """Links by side and id, as a candidate holds them."""
    return {(side, one.id_of(side)): one for one in links for side in (SF, HS) if one.id_of(side)}


@pytest.mark.parametrize("presence", [Presence.DELETED, Presence.MERGED, Presence.INVISIBLE])
def test_an_absent_record_concerns_nobody(presence):
    """What was never linked and is gone has no meaning for the other side (D6)."""
    gone = replace(OPPORTUNITY, presence=presence)
    assert match_record(DEALS, Candidate(gone, naming=(DEAL,))) == Ignore()


def test_A2_a_record_that_names_this_one_is_its_partner():
    """The id stored on the other side is believed first, before a match key."""
    me, alike = record(SF, "003A", {"Email": "a@x"}), record(HS, "12", {"email": "a@x"})
    candidate = candidate_among(CONTACTS, me, alike, naming=(DEAL,))
    assert match_record(CONTACTS, candidate) == Adopt(DEAL, "A2")


def test_A2_a_record_named_by_this_one_is_its_partner():
    """The id stored on this side is believed too."""
    deal = replace(DEAL, partner_id="006A")
    assert match_record(DEALS, Candidate(deal, named=OPPORTUNITY)) == Adopt(OPPORTUNITY, "A2")


def test_A2_of_several_that_name_it_the_oldest_free_one_is_adopted():
    """One in, one out: the others are held when it is their turn (law 7)."""
    old, young = record(HS, "20", created="2026-01-01"), record(HS, "10", created="2026-01-02")
    for naming in permutations((old, young)):
        assert match_record(DEALS, Candidate(OPPORTUNITY, naming=naming)) == Adopt(old, "A2")
    taken = by_ids(link("006B", "20"))
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(old, young), links=taken)) == Adopt(young, "A2")


def test_A2_a_named_record_with_another_partner_is_a_duplicate():
    """A copied deal carries the original's Salesforce id: the link is sticky, the copy is held."""
    copy = replace(DEAL, partner_id="006A")
    problem = match_record(DEALS, Candidate(copy, named=OPPORTUNITY, links=by_ids(link("006A", "99"))))
    assert isinstance(problem, Problem)
    assert (problem.cause, problem.code, problem.record_id) == (ProblemClass.DUPLICATES, "DUPLICATE", "11")
    assert "006A" in problem.detail


def test_A2_a_record_named_by_one_with_another_partner_gets_no_second_one_made():
    """The one that names it may be on its way to it, from an older link."""
    taken = by_ids(link("006B", "11"))
    problem = match_record(DEALS, Candidate(OPPORTUNITY, naming=(replace(DEAL, partner_id="006A"),), links=taken))
    assert is_held(problem, "11")
    assert problem.detail == "is named by a record that already has another partner: deals 11 in hubspot"
    merged = replace(DEAL, partner_id="006Y")  # names what was merged into the opportunity
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(merged,), links=taken)) == CreateThere()
    gone = replace(DEAL, partner_id="006A", presence=Presence.MERGED)
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone,), links=taken)) == CreateThere()


def test_A2_who_is_named_by_another_record_is_not_taken_for_what_is_alike():
    """A stored id is believed before an e-mail address or a domain."""
    assert match_contact(OLDEST, PERSON) == Adopt(PERSON, "A3", "email")
    assert is_held(match_contact(OLDEST, PERSON, claimed=frozenset({PERSON.id})), PERSON.id)
    assert match_contact(OLDEST, PERSON, claimed=frozenset({"elsewhere"})) == Adopt(PERSON, "A3", "email")


@pytest.mark.parametrize("other_id", [None, "11"])
def test_a_pending_link_does_not_take_a_record_away(other_id):
    """A creation whose outcome is unknown is finished by adopting what it made (law 4)."""
    pending = link("006A", other_id, LinkState.PENDING)
    candidate = Candidate(replace(DEAL, partner_id="006A"), named=OPPORTUNITY, links=by_ids(pending))
    assert match_record(DEALS, candidate) == Adopt(OPPORTUNITY, "A2")


def test_O10_a_deal_with_an_unreadable_salesforce_id_never_creates_an_opportunity():
    """It is a problem of class associations that names the id."""
    problem = match_record(DEALS, Candidate(replace(DEAL, partner_id="006Z")))
    assert isinstance(problem, Problem)
    assert problem.cause is ProblemClass.ASSOCIATIONS
    assert problem.code == "PARTNER_NOT_READABLE"
    assert "006Z" in problem.detail


@pytest.mark.parametrize("presence", [Presence.DELETED, Presence.MERGED, Presence.INVISIBLE])
def test_O10_a_named_opportunity_that_is_absent_is_not_created_anew(presence):
    """Whatever the reason of its absence."""
    gone = replace(OPPORTUNITY, presence=presence)
    problem = match_record(DEALS, Candidate(replace(DEAL, partner_id="006A"), named=gone))
    assert isinstance(problem, Problem)
    assert problem.code == "PARTNER_NOT_READABLE"


def test_D8_an_opportunity_whose_deal_is_archived_is_severed():
    """With an empty store the archived deal that names it is found: the deletion is remembered (D3)."""
    old, young = (
        record(HS, "20", presence=Presence.DELETED, created="2026-01-01", partner_id="006A"),
        record(HS, "10", presence=Presence.DELETED, created="2026-01-02", partner_id="006A"),
    )
    for naming in permutations((young, old)):
        assert match_record(DEALS, Candidate(OPPORTUNITY, naming=naming)) == SeverFrom("20")


def test_D8_a_live_partner_beats_an_archived_one():
    """A deal that was made again is the partner, though an archived one names the opportunity too."""
    gone = record(HS, "10", presence=Presence.DELETED, created="2025-01-01", partner_id="006A")
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone, DEAL))) == Adopt(DEAL, "A2")


def test_D4_a_creation_under_way_is_not_severed_from_the_deal_it_replaces():
    """While a pending link says that a deal is being made again, the archived one does not count."""
    gone = record(HS, "10", presence=Presence.DELETED, partner_id="006A")
    pending = by_ids(link("006A", None, LinkState.PENDING))
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone,), links=pending)) == CreateThere()
    born_there = replace(OPPORTUNITY, partner_id="10")
    assert match_record(DEALS, Candidate(born_there, naming=(gone,), links=pending)) == CreateThere()
    severed = by_ids(link("006A", "10", LinkState.SEVERED))
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone,), links=severed)) == SeverFrom("10")


def test_D3_a_person_may_have_a_deal_made_anew_for_one_whose_deal_is_archived():
    """Wherever the pair was born."""
    gone = record(HS, "10", presence=Presence.DELETED, partner_id="006A")
    born_there = replace(OPPORTUNITY, partner_id="10")
    for one in (OPPORTUNITY, born_there):
        assert match_record(DEALS, Candidate(one, naming=(gone,), forced=True)) == CreateThere()
    assert match_record(DEALS, Candidate(born_there, forced=True)) == CreateThere()


def test_A7_D6_the_deleted_partner_of_a_record_that_was_merged_into_it_severs_nobody():
    """That record had its own partner, and lost it; this one has none yet, and gets one."""
    gone = record(HS, "10", presence=Presence.DELETED, partner_id="006Merged")
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone,))) == CreateThere()


def test_D2_an_opportunity_born_in_hubspot_does_not_come_back_as_a_deal():
    """It stores the id of a deal that is gone: severed, not created (D8)."""
    born_there = replace(OPPORTUNITY, partner_id="77")
    assert match_record(DEALS, Candidate(born_there)) == SeverFrom("77")


@pytest.mark.parametrize("presence", [Presence.MERGED, Presence.INVISIBLE])
def test_D6_a_naming_record_out_of_sight_neither_links_nor_severs(presence):
    """Only *deleted* has consequences."""
    hidden = replace(DEAL, presence=presence, partner_id="006A")
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(hidden,))) == CreateThere()


def test_O8_deals_are_not_matched_by_name():
    """Equal names are no evidence: without a stored id a deal of the same name is created."""
    named = record(SF, "006A", {"Name": "Big deal"})
    assert match_record(DEALS, Candidate(named)) == CreateThere()


def test_O6_out_of_scope_nothing_is_created():
    """A deal in a pipeline that does not sync stays alone; but a partner it has is adopted all the same."""
    assert match_record(DEALS, Candidate(DEAL, in_scope=False)) == Ignore()
    assert match_record(DEALS, Candidate(DEAL, naming=(OPPORTUNITY,), in_scope=False)) == Adopt(OPPORTUNITY, "A2")


def test_A1_a_side_in_which_nothing_is_created():
    """A HubSpot contact makes no Salesforce contact unless the mapping says so."""
    contact = record(HS, "5", object="contacts")
    assert match_record(CONTACTS, Candidate(contact)) == Ignore()
    assert match_record(CONTACTS, Candidate(record(SF, "003A", object="Contact"))) == CreateThere()


def test_D1_what_was_made_for_a_record_that_is_deleted_by_now_is_its_partner():
    """A try that never learnt of its success noted the link; without one, nobody knows whose it was."""
    gone = replace(OPPORTUNITY, presence=Presence.DELETED)
    mine = replace(DEAL, partner_id=gone.id)
    pending = by_ids(link(gone.id, None, LinkState.PENDING))
    assert match_record(DEALS, Candidate(mine, named=gone, links=pending)) == Adopt(gone, "D1")
    assert isinstance(match_record(DEALS, Candidate(mine, named=gone)), Problem)
    assert isinstance(match_record(DEALS, Candidate(mine, named=gone, links=by_ids(link(gone.id, "9")))), Problem)


@pytest.mark.parametrize("presence", [Presence.MERGED, Presence.INVISIBLE])
def test_D6_what_was_made_for_a_record_that_is_out_of_sight_is_held(presence):
    """It is nobody's partner until somebody can see what became of that record."""
    away = replace(OPPORTUNITY, presence=presence)
    pending = by_ids(link(away.id, None, LinkState.PENDING))
    match = match_record(DEALS, Candidate(replace(DEAL, partner_id=away.id), named=away, links=pending))
    assert isinstance(match, Problem)
    assert match.code == "PARTNER_NOT_READABLE"


def test_A7_nobody_gets_the_partner_of_a_merged_record_while_another_one_that_names_it_is_not_free():
    """The one that names it itself may be about to lose its partner; and so from the other side."""
    mine, merged = replace(DEAL, partner_id="006A"), record(HS, "22", partner_id="006Z")
    held = match_record(DEALS, Candidate(OPPORTUNITY, naming=(merged, mine), links=by_ids(link("006B", "11"))))
    assert is_held(held, "11")
    held = match_record(DEALS, Candidate(merged, named=OPPORTUNITY, claimed=frozenset({"006A"})))
    assert is_held(held, "006A")
    assert held.detail.startswith("names what was merged into a record that is another one's: ")
    assert match_record(DEALS, Candidate(merged, named=OPPORTUNITY)) == Adopt(OPPORTUNITY, "A2")
    assert match_record(DEALS, Candidate(mine, named=OPPORTUNITY, claimed=frozenset({"006A"}))) == Adopt(
        OPPORTUNITY, "A2"
    )


def test_A7_who_names_a_record_comes_before_who_names_one_that_was_merged_into_it():
    """Whichever is older; the other one is left over."""
    left = record(HS, "10", created="2026-01-01", partner_id="006B")
    mine = record(HS, "11", created="2026-01-02", partner_id="006A")
    for naming in permutations([left, mine]):
        assert match_record(DEALS, Candidate(OPPORTUNITY, naming=naming)) == Adopt(mine, "A2")


BORN_THERE = replace(OPPORTUNITY, partner_id="11")
OF_ANOTHER = replace(OPPORTUNITY, partner_id="10")  # a deal that may have been merged into 11
THEIRS = record(SF, "006B", partner_id="12")


@pytest.mark.parametrize(
    ("opportunity", "named", "naming", "told"),
    [
        (OPPORTUNITY, None, (), False),
        (BORN_THERE, None, (), True),
        (OF_ANOTHER, None, (), False),
        # the deal that it names was merged into this one
        (OF_ANOTHER, DEAL, (OF_ANOTHER,), True),
        (OF_ANOTHER, DEAL, (THEIRS, OF_ANOTHER), True),
        # or into another one
        (OF_ANOTHER, record(HS, "12"), (THEIRS,), False),
    ],
)
def test_O10_a_pair_is_told_by_salesforce_if_the_opportunity_names_the_deal(opportunity, named, naming, told):
    """Or one that was merged into it; whichever of the two is asked, and whomever the deal names."""
    assert Candidate(opportunity, named=named, naming=(DEAL,)).is_told_by_salesforce(DEAL) is told
    assert Candidate(DEAL, named=opportunity, naming=naming).is_told_by_salesforce(opportunity) is told


# --- by e-mail --------------------------------------------------------------------------------------------

OLDEST = record(SF, "003B", {"Email": "a@x"}, created="2026-01-01", object="Contact")
TWIN = record(SF, "003C", {"Email": "a@x"}, created="2026-01-01", object="Contact")
YOUNGEST = record(SF, "003A", {"Email": "a@x"}, created="2026-03-01", object="Contact")
PERSON = record(HS, "5", {"email": "a@x"}, created="2026-01-01", object="contacts")
LATER_PERSON = record(HS, "4", {"email": "a@x"}, created="2026-02-01", object="contacts")


def match_contact(me, *others, links=(), **more):
    return match_record(CONTACTS, candidate_among(CONTACTS, me, *others, links=links, **more))


def is_held(match, *named):
    """Whether it is a problem of class duplicates that names these records."""
    return (
        isinstance(match, Problem)
        and match.cause is ProblemClass.DUPLICATES
        and all(f" {id_} in" in match.detail for id_ in named)
    )


def test_A3_contacts_meet_by_their_key():
    """A free record of the other side with the same e-mail is the same person."""
    assert match_contact(OLDEST, PERSON) == Adopt(PERSON, "A3", "email")
    assert match_contact(PERSON, OLDEST) == Adopt(OLDEST, "A3", "email")


def test_A3_of_several_on_the_other_side_the_oldest_free_one_is_adopted():
    """In every order in which they may have been read."""
    for alike in permutations((PERSON, LATER_PERSON)):
        assert match_contact(OLDEST, *alike) == Adopt(PERSON, "A3", "email")
        assert match_contact(OLDEST, *alike, links=[link("003Z", "5")]) == Adopt(LATER_PERSON, "A3", "email")


def test_A3_of_several_with_one_key_the_oldest_links_and_the_others_are_held():
    """Oldest by (created, id); the others are problems of class duplicates."""
    people = (OLDEST, TWIN, YOUNGEST)
    for one in people:
        for siblings in permutations(other for other in people if other is not one):
            match = match_contact(one, PERSON, *siblings)
            assert match == Adopt(PERSON, "A3", "email") if one is OLDEST else is_held(match, "003B")


def test_A3_a_link_is_sticky_even_to_an_older_newcomer():
    """An older record that appears later (restored, or shared late) does not take a linked one's partner."""
    assert is_held(match_contact(OLDEST, PERSON, YOUNGEST, links=[link("003A", "5")]), "003A")


def test_A3_a_key_whose_owner_is_taken_is_a_duplicate():
    """The only person with that e-mail already has a partner elsewhere: held, never created twice."""
    match = match_contact(OLDEST, PERSON, links=[link("003Z", "5")])
    assert is_held(match)
    assert "contacts 5" in match.detail


def test_D4_a_restored_record_gets_a_partner_anew():
    """That its partner is archived, or that it stores the id of one that is gone, is no reason now."""
    gone = record(HS, "10", presence=Presence.DELETED, partner_id="006A")
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone,), restored=True)) == CreateThere()
    born_there = replace(OPPORTUNITY, partner_id="77")
    assert match_record(DEALS, Candidate(born_there, restored=True)) == CreateThere()


def test_A8_D8_a_record_out_of_scope_is_severed_from_an_archived_partner_all_the_same():
    """What was deleted is remembered, whether the record takes part or not."""
    gone = record(HS, "10", presence=Presence.DELETED, partner_id="006A")
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone,), outside=True)) == SeverFrom("10")


def test_A3_who_is_older_is_told_where_nobody_has_the_key_on_the_other_side():
    """The younger one is not created beside the oldest."""
    assert is_held(match_contact(YOUNGEST, OLDEST), "003B")


def test_A3_a_twin_in_hubspot_is_listed_though_it_makes_no_contact_in_salesforce():
    """Somebody has to merge the two."""
    assert is_held(match_contact(LATER_PERSON, PERSON, OLDEST), "5")


def test_A3_a_contact_whose_creation_is_under_way_does_not_stand_in_its_own_way():
    """Its pending link is its own (law 4)."""
    pending = [link("003B", None, LinkState.PENDING)]
    assert match_contact(OLDEST, PERSON, links=pending) == Adopt(PERSON, "A3", "email")


def test_A3_the_further_addresses_of_somebody_elses_partner_do_not_count():
    """Only of those who may become the partner of this one."""
    taken = record(HS, "5", {"email": "a@x", "more": "b@x"}, object="contacts")
    elder = record(SF, "003D", {"Email": "b@x"}, created="2025-01-01", object="Contact")
    match = match_contact(OLDEST, taken, LATER_PERSON, elder, links=[link("003Z", "5")])
    assert match == Adopt(LATER_PERSON, "A3", "email")
    match = match_contact(OLDEST, taken, LATER_PERSON, elder, claimed=frozenset({"5"}))
    assert match == Adopt(LATER_PERSON, "A3", "email")


def test_A3_a_younger_sibling_does_not_stand_in_the_way():
    """The oldest is created where nobody has its key yet."""
    assert match_contact(OLDEST, YOUNGEST) == CreateThere()


def test_A3_the_further_addresses_of_a_person_count_too():
    """Both of two contacts name one person: the older one links."""
    person = record(HS, "5", {"email": "a@x", "more": "b@x"}, object="contacts")
    other = record(SF, "003D", {"Email": "b@x"}, created="2026-02-01", object="Contact")
    assert match_contact(other, person) == Adopt(person, "A3", "email")
    assert match_contact(OLDEST, person, other) == Adopt(person, "A3", "email")
    assert is_held(match_contact(other, person, OLDEST), "003B")
    elsewhere = [link("003B", "9")]
    assert match_contact(other, person, OLDEST, links=elsewhere) == Adopt(person, "A3", "email")


def test_A3_without_an_address_nobody_is_alike():
    """Two contacts without e-mail are two people."""
    nobody = record(SF, "003A", {"Email": None}, object="Contact")
    assert match_contact(nobody, record(HS, "5", {"email": ""}, object="contacts")) == CreateThere()


# --- by domain and name -----------------------------------------------------------------------------------


def account(id_="001A", domain=None, name=None, **more):
    return record(SF, id_, {"Website": domain, "Name": name}, object="Account", **more)


def company(id_="1", domain=None, name=None, **more):
    return record(HS, id_, {"domain": domain, "name": name}, object="companies", **more)


def match_company(me, *others, links=(), **more):
    return match_record(COMPANIES, candidate_among(COMPANIES, me, *others, links=links, **more))


ACME, FIRM = account("001A", "acme", "Acme"), company("1", "acme", "Firm")


def test_A2_a_company_that_another_account_names_is_not_taken_for_its_domain():
    """Nor for its name: a stored id is believed before either."""
    assert match_company(ACME, FIRM, claimed=frozenset({FIRM.id})) == CreateThere()
    namesake = company("2", None, "Acme")
    assert match_company(ACME, FIRM, namesake, claimed=frozenset({FIRM.id})) == Adopt(namesake, "A2", "name")


def test_A2_by_the_domain_and_then_by_the_name():
    """Each is enough where it is clear, and both sides see the same."""
    namesake = company("2", None, "Acme")
    assert match_company(ACME, FIRM) == Adopt(FIRM, "A2", "domain")
    assert match_company(FIRM, ACME) == Adopt(ACME, "A2", "domain")
    assert match_company(ACME, FIRM, namesake) == Adopt(FIRM, "A2", "domain")
    assert match_company(ACME, namesake) == Adopt(namesake, "A2", "name")
    assert match_company(namesake, ACME) == Adopt(ACME, "A2", "name")


def test_A2_one_with_two_domains_is_nobody_s_while_each_has_its_account():
    """Each account would see one company and itself alone; both would have adopted it (law 7)."""
    one, other, both = account("001A", "acme"), account("001B", "firm"), company("1", "acme firm")
    assert is_held(match_company(one, other, both), "1", "001B")
    assert is_held(match_company(other, one, both), "1", "001A")
    assert match_company(both, one, other) == Ignore()


def test_A2_of_two_domains_neither_may_be_somebody_elses():
    """One finds a company that is free, but by the other one the account is not the only one of its kind."""
    both, sharing = account("001A", "acme firm"), account("001B", "firm")
    assert is_held(match_company(both, sharing, company("1", "acme")), "1", "001B")
    assert match_company(both, company("1", "acme")).partner.id == "1"


@pytest.mark.parametrize(
    "others",
    [
        [FIRM, account("001B", "acme")],
        [FIRM, company("2", "acme")],
        [company("2", "else", "Acme")],
        [company("2", None, "Acme"), company("3", None, "Acme")],
        [company("2", None, "Acme"), account("001B", None, "Acme")],
        [company("2", "two both", "Acme"), account("001B", "two"), account("001C", "both")],
    ],
    ids=["two here", "two there", "another domain", "namesakes there", "namesakes here", "claimed by two"],
)
def test_A2_what_is_not_clear_is_held_with_all_candidates(others):
    """By a key that is not unique on both sides, or that a better one speaks against."""
    me = ACME if others[0] is FIRM or others[0].fields["domain"] == "else" else account("001A", None, "Acme")
    named = [one.id for one in others if set(COMPANIES.match_values(one)) & set(COMPANIES.match_values(me))]
    for some in permutations(others):
        assert is_held(match_company(me, *some), *named)


def test_A2_a_long_list_of_candidates_is_cut():
    """The first ten are named, the others counted."""
    many = [company(str(number), "acme") for number in range(12)]
    match = match_company(ACME, *many)
    assert match.detail.endswith("and 2 more")


def test_A2_a_doubtful_company_that_makes_no_account_is_not_listed():
    """The accounts are; but where accounts are made of companies it is held and listed too."""
    assert match_company(FIRM, ACME, account("001B", "acme")) == Ignore()
    shared = [account("001A", "acme"), account("001B", "acme"), account("001C", None, "Firm")]
    assert match_company(FIRM, *shared) == Ignore()  # the next key is not asked
    both = replace(COMPANIES, creates=frozenset((SF, HS)))
    found = candidate_among(both, FIRM, ACME, account("001B", "acme"))
    assert is_held(match_record(both, found), "001A", "001B")


def test_A2_where_all_have_their_partners_nothing_is_left_to_guess():
    """A subsidiary that comes later gets a company of its own, unless a free one has its domain too."""
    child, taken = account("001B", "acme"), [link("001A", "1")]
    assert match_company(child, ACME, FIRM, links=taken) == CreateThere()
    assert is_held(match_company(child, ACME, FIRM, company("2", "acme"), links=taken), "1", "2", "001A")


def test_A2_a_better_key_goes_first_whoever_asks():
    """The company is clearly another account's by its domain: its namesake gets one of its own."""
    namesake, theirs = account("001B", None, "Acme"), company("1", "acme", "Acme")
    owner = account("001A", "acme", "Holding")
    assert match_company(owner, theirs, namesake) == Adopt(theirs, "A2", "domain")
    assert match_company(theirs, owner, namesake) == Adopt(owner, "A2", "domain")
    assert match_company(namesake, theirs, owner) == CreateThere()


def test_A2_the_best_key_that_says_anything_tells_whose_it_is():
    """One account shares the company's telephone number, but several its domain: nobody's claim is clear."""
    phone = MatchKey("phone", "A2", {SF: ("Phone",), HS: ("phone",)}, words)
    mapping = replace(COMPANIES, match_on=(DOMAIN, phone, NAME))
    theirs = record(HS, "1", {"domain": "acme", "phone": "7", "name": "Acme"}, object="companies")
    caller = record(SF, "001C", {"Phone": "7"}, object="Account")
    me, sharing = account("001D", None, "Acme"), (account("001A", "acme"), account("001B", "acme"))
    links = [link("001A", "9")]
    assert is_held(match_record(mapping, candidate_among(mapping, me, theirs, caller, *sharing, links=links)), "1")


def test_A2_a_better_key_of_a_linked_record_claims_nothing():
    """It has its partner; whether the two are alike by name is not its business."""
    namesake, theirs = account("001B", None, "Acme"), company("1", "acme", "Acme")
    owner = account("001A", "acme", "Holding")
    assert match_company(namesake, theirs, owner, links=[link("001A", "9")]) == Adopt(theirs, "A2", "name")


def test_A1_who_is_asked_for_gets_a_partner_in_spite_of_doubt():
    """Out of scope, not made by the mapping, or held; but what is clearly the same is still linked."""
    assert match_company(FIRM, ACME, account("001B", "acme"), forced=True) == CreateThere()
    assert match_company(ACME, FIRM, company("2", "acme"), forced=True) == CreateThere()
    assert match_company(FIRM, in_scope=False, forced=True) == CreateThere()
    assert match_company(FIRM, ACME, forced=True) == Adopt(ACME, "A2", "domain")


# --- laws -------------------------------------------------------------------------------------------------

moments = st.sampled_from(["2026-01-01", "2026-01-02"])
presences = st.sampled_from(list(Presence))
values = st.sampled_from([None, "a", "b", "a b"])
names = {SF: ("Email", "Website", "Name"), HS: ("email", "domain", "name")}


def records(side, prefix):
    """Distinct records of one side, of few ages and values, present or not."""
    return st.lists(
        st.builds(
            lambda number, created, presence, some: (f"{prefix}{number}", created, presence, some),
            st.integers(0, 5),
            moments,
            presences,
            st.tuples(values, values, values),
        ),
        max_size=4,
        unique_by=lambda one: one[0],
    ).map(
        lambda rows: [
            record(side, id_, dict(zip(names[side], some, strict=True)), created=created, presence=presence)
            for id_, created, presence, some in rows
        ]
    )


links = st.lists(
    st.builds(
        lambda here, there, state: link(f"00{here}", f"9{there}", state),
        st.integers(0, 6),
        st.integers(0, 6),
        st.sampled_from([LinkState.LINKED, LinkState.PENDING]),
    ),
    max_size=3,
    unique_by=(lambda one: one.salesforce_id, lambda one: one.hubspot_id),
)
mappings = st.sampled_from([CONTACTS, COMPANIES])


@given(mappings, records(HS, "9"), records(HS, "9"), records(SF, "00"), links, st.randoms(use_true_random=False))
def test_the_order_of_reading_decides_nothing(mapping, naming, there, here, known, random):
    """Partners and siblings in any order lead to the same decision, word for word."""
    me = record(SF, "006", {"Email": "a", "Website": "a", "Name": "b"}, created="2026-01-02")
    others = [one for one in (*there, *here) if one.id != me.id]
    first = candidate_among(mapping, me, *others, links=known, naming=tuple(naming))
    random.shuffle(naming)
    random.shuffle(others)
    second = candidate_among(mapping, me, *others, links=known, naming=tuple(naming))
    assert match_record(mapping, first) == match_record(mapping, second)


@given(mappings, records(HS, "9"), records(HS, "9"), links)
def test_a_record_with_another_partner_is_never_adopted(mapping, naming, there, known):
    """One record never becomes two: whoever is adopted is present and free (law 7)."""
    me = record(SF, "006", {"Email": "a", "Website": "a", "Name": "b"})
    match = match_record(mapping, candidate_among(mapping, me, *there, links=known, naming=tuple(naming)))
    if isinstance(match, Adopt):
        assert match.partner.present
        held = by_ids(*known).get((HS, match.partner.id))
        assert held is None or held.salesforce_id in (None, me.id)


@given(mappings, records(HS, "9"), records(SF, "00"), links)
def test_no_two_records_claim_one_partner(mapping, there, here, known):
    """Each decides for itself, and no two decide for the same, whichever is asked first (laws 7, 8)."""
    table = by_ids(*known)
    everyone = [one for one in (*there, *here) if one.present]
    pairs = {}
    for me in everyone:
        if (me.side, me.id) in table:
            continue
        match = match_record(mapping, candidate_among(mapping, me, *everyone, links=known))
        if isinstance(match, Adopt):
            pairs[me.side, me.id] = match.partner
    for side in (SF, HS):
        chosen = [one.id for (where, _), one in pairs.items() if where is side]
        assert len(chosen) == len(set(chosen))
    for (side, id_), partner in pairs.items():
        if (partner.side, partner.id) in pairs:
            back = pairs[partner.side, partner.id]
            assert (back.side, back.id) == (side, id_)
