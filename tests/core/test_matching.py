"""What an unlinked record is to the other side: by stored id, by match key, or nobody (A2, A3, O8, O10, D8)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from core.examples import HS, SF, link, pair, record
from hypothesis import given
from hypothesis import strategies as st

from connector.core.matching import Adopt, Candidate, CreateThere, Ignore, SeverFrom, match_record
from connector.core.model import LinkState, Presence, Problem, ProblemClass

DEALS = pair()
CONTACTS = pair(name="contact-contact", creates=(HS,))
OPPORTUNITY = record(SF, "006A")
DEAL = record(HS, "11")


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
    other = record(HS, "12")
    candidate = Candidate(OPPORTUNITY, naming=(DEAL,), same_key=(other,))
    assert match_record(DEALS, candidate) == Adopt(DEAL, "A2")


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
        record(HS, "20", presence=Presence.DELETED, created="2026-01-01"),
        record(HS, "10", presence=Presence.DELETED, created="2026-01-02"),
    )
    for naming in permutations((young, old)):
        assert match_record(DEALS, Candidate(OPPORTUNITY, naming=naming)) == SeverFrom("20")


def test_D8_a_live_partner_beats_an_archived_one():
    """A deal that was made again is the partner, though an archived one names the opportunity too."""
    gone = record(HS, "10", presence=Presence.DELETED, created="2025-01-01")
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone, DEAL))) == Adopt(DEAL, "A2")


def test_D4_a_creation_under_way_is_not_severed_from_the_deal_it_replaces():
    """While a pending link says that a deal is being made again, the archived one does not count."""
    gone = record(HS, "10", presence=Presence.DELETED)
    pending = by_ids(link("006A", None, LinkState.PENDING))
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone,), links=pending)) == CreateThere()
    severed = by_ids(link("006A", "10", LinkState.SEVERED))
    assert match_record(DEALS, Candidate(OPPORTUNITY, naming=(gone,), links=severed)) == SeverFrom("10")


def test_D2_an_opportunity_born_in_hubspot_does_not_come_back_as_a_deal():
    """It stores the id of a deal that is gone: severed, not created (D8)."""
    born_there = replace(OPPORTUNITY, partner_id="77")
    assert match_record(DEALS, Candidate(born_there)) == SeverFrom("77")


@pytest.mark.parametrize("presence", [Presence.MERGED, Presence.INVISIBLE])
def test_D6_a_naming_record_out_of_sight_neither_links_nor_severs(presence):
    """Only *deleted* has consequences."""
    hidden = replace(DEAL, presence=presence)
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


# --- by match key -----------------------------------------------------------------------------------------

OLDEST = record(SF, "003B", created="2026-01-01", object="Contact")
TWIN = record(SF, "003C", created="2026-01-01", object="Contact")
YOUNGEST = record(SF, "003A", created="2026-03-01", object="Contact")
PERSON = record(HS, "5", created="2026-01-01", object="contacts")
LATER_PERSON = record(HS, "4", created="2026-02-01", object="contacts")


def test_A3_contacts_meet_by_their_key():
    """A free record of the other side with the same e-mail is the same person."""
    assert match_record(CONTACTS, Candidate(OLDEST, same_key=(PERSON,))) == Adopt(PERSON, "A3")


def test_A3_of_several_on_the_other_side_the_oldest_free_one_is_adopted():
    """In every order in which they may have been read."""
    for same_key in permutations((PERSON, LATER_PERSON)):
        assert match_record(CONTACTS, Candidate(OLDEST, same_key=same_key)) == Adopt(PERSON, "A3")
        taken = by_ids(link("003Z", "5"))
        candidate = Candidate(OLDEST, same_key=same_key, links=taken)
        assert match_record(CONTACTS, candidate) == Adopt(LATER_PERSON, "A3")


def test_A3_of_several_with_one_key_the_oldest_links_and_the_others_are_held():
    """Oldest by (created, id); the others are problems of class duplicates."""
    people = (OLDEST, TWIN, YOUNGEST)
    for one in people:
        for siblings in permutations(other for other in people if other is not one):
            match = match_record(CONTACTS, Candidate(one, same_key=(PERSON,), siblings=siblings))
            if one is OLDEST:
                assert match == Adopt(PERSON, "A3")
            else:
                assert isinstance(match, Problem)
                assert match.cause is ProblemClass.DUPLICATES
                assert "003B" in match.detail


def test_A3_a_link_is_sticky_even_to_an_older_newcomer():
    """An older record that appears later (restored, or shared late) does not take a linked one's partner."""
    taken = by_ids(link("003A", "5"))
    candidate = Candidate(OLDEST, same_key=(PERSON,), siblings=(YOUNGEST,), links=taken)
    match = match_record(CONTACTS, candidate)
    assert isinstance(match, Problem)
    assert "003A" in match.detail


def test_A3_a_key_whose_owner_is_taken_is_a_duplicate():
    """The only person with that e-mail already has a partner elsewhere: held, never created twice."""
    match = match_record(CONTACTS, Candidate(OLDEST, same_key=(PERSON,), links=by_ids(link("003Z", "5"))))
    assert isinstance(match, Problem)
    assert "contacts 5" in match.detail


def test_A3_a_younger_sibling_does_not_stand_in_the_way():
    """The oldest is created where nobody has its key yet."""
    assert match_record(CONTACTS, Candidate(OLDEST, siblings=(YOUNGEST,))) == CreateThere()


# --- laws -------------------------------------------------------------------------------------------------

moments = st.sampled_from(["2026-01-01", "2026-01-02"])
presences = st.sampled_from(list(Presence))


def records(side, prefix):
    """Distinct records of one side, of few ages, present or not."""
    return st.lists(
        st.builds(
            lambda number, created, presence: (f"{prefix}{number}", created, presence),
            st.integers(0, 5),
            moments,
            presences,
        ),
        max_size=4,
        unique_by=lambda one: one[0],
    ).map(lambda rows: [record(side, id_, created=created, presence=presence) for id_, created, presence in rows])


links = st.lists(
    st.builds(
        lambda here, there, state: link(f"00{here}", f"9{there}", state),
        st.integers(0, 6),
        st.integers(0, 6),
        st.sampled_from([LinkState.LINKED, LinkState.PENDING]),
    ),
    max_size=3,
)


@given(records(HS, "9"), records(HS, "9"), records(SF, "00"), links, st.randoms(use_true_random=False))
def test_the_order_of_reading_decides_nothing(naming, same_key, siblings, known, random):
    """Partners and siblings in any order lead to the same decision, word for word."""
    me = record(SF, "006", created="2026-01-02")
    siblings = [one for one in siblings if one.id != me.id]
    first = Candidate(
        me, naming=tuple(naming), same_key=tuple(same_key), siblings=tuple(siblings), links=by_ids(*known)
    )
    for some in (naming, same_key, siblings):
        random.shuffle(some)
    second = replace(first, naming=tuple(naming), same_key=tuple(same_key), siblings=tuple(siblings))
    assert match_record(CONTACTS, first) == match_record(CONTACTS, second)


@given(records(HS, "9"), records(HS, "9"), links)
def test_a_record_with_another_partner_is_never_adopted(naming, same_key, known):
    """One record never becomes two: whoever is adopted is present and free (law 7)."""
    me = record(SF, "006")
    table = by_ids(*known)
    match = match_record(CONTACTS, Candidate(me, naming=tuple(naming), same_key=tuple(same_key), links=table))
    if isinstance(match, Adopt):
        held = table.get((HS, match.partner.id))
        assert held is None or held.salesforce_id in (None, me.id)
