"""What becomes of a link whose record was merged into another one (A7)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF, link, pair, record

from connector.core.merges import LEFT_OVER, Follow, Retire, follow_merge, is_left_over, list_left_over
from connector.core.model import LinkState, Presence, ProblemClass

CONTACTS = pair(name="contact-contact")
LOSER = record(SF, "003L", presence=Presence.MERGED, survivor="003M", object="Contact")
MASTER = record(SF, "003M", object="Contact")
MINE, ITS = link("003L", "1"), link("003M", "2", id_=2)
GONE = record(HS, "1", presence=Presence.MERGED, survivor="2", object="contacts")


def test_A7_a_link_follows_to_a_survivor_without_a_partner():
    """Its own was never made, or is over."""
    assert follow_merge(MINE, LOSER, MASTER, None) == Follow(MINE, SF, "003M")
    for state in (LinkState.CLOSED, LinkState.SEVERED):
        assert follow_merge(MINE, LOSER, MASTER, replace(ITS, state=state)) == Follow(MINE, SF, "003M")


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("state", [LinkState.LINKED, LinkState.PENDING, LinkState.FROZEN])
def test_A7_a_survivor_keeps_its_own_partner(state, named):
    """Also one that is just being made, or out of scope for now."""
    assert follow_merge(MINE, LOSER, MASTER, replace(ITS, state=state), named=named) == Retire(MINE, SF)


@pytest.mark.parametrize("its", [None, replace(ITS, state=LinkState.CLOSED), replace(ITS, state=LinkState.SEVERED)])
def test_A7_a_survivor_keeps_a_partner_that_names_it_and_will_be_linked(its):
    """One that an older store does not know, or that it had before it was deleted and restored."""
    assert follow_merge(MINE, LOSER, MASTER, its, named=True) == Retire(MINE, SF)


@pytest.mark.parametrize("named", [True, False])
def test_A7_a_link_that_has_followed_follows_no_further(named):
    """A crash between following and forgetting the loser changes nothing, whoever names the survivor."""
    assert follow_merge(MINE, LOSER, MASTER, MINE, named=named) == Follow(MINE, SF, "003M")


def test_A7_A8_a_frozen_link_follows_too():
    """It stays frozen, until its records take part again."""
    frozen = replace(MINE, state=LinkState.FROZEN)
    assert follow_merge(frozen, LOSER, MASTER, None) == Follow(frozen, SF, "003M")
    assert follow_merge(frozen, LOSER, MASTER, ITS) == Retire(frozen, SF)


@pytest.mark.parametrize("its", [None, replace(ITS, state=LinkState.CLOSED), ITS])
def test_A7_D6_a_pair_whose_partner_was_deleted_ends_with_a_merge_in_salesforce(its):
    """Whatever the survivor has. After a merge in HubSpot the pair goes on, so that a deletion reaches the deal."""
    assert follow_merge(MINE, LOSER, MASTER, its, deserted=True) == Retire(MINE, SF)
    assert follow_merge(MINE, GONE, record(HS, "2"), None, deserted=True) == Follow(MINE, HS, "2")


def test_A7_an_unknown_survivor_is_waited_for():
    """The link stays as it is until the survivor is seen."""
    assert follow_merge(MINE, LOSER, None, None) is None


@pytest.mark.parametrize("state", [LinkState.PENDING, LinkState.SEVERED, LinkState.CLOSED])
def test_A7_only_live_links_follow(state):
    """What is over stays over (D3)."""
    assert follow_merge(replace(MINE, state=state), LOSER, MASTER, None) is None


@pytest.mark.parametrize(
    ("own", "partner", "kept", "left"),
    [
        (LinkState.CLOSED, GONE, LinkState.LINKED, True),
        (LinkState.CLOSED, GONE, LinkState.PENDING, True),
        (LinkState.CLOSED, GONE, LinkState.SEVERED, True),
        (LinkState.CLOSED, GONE, LinkState.UNLINKED, True),
        (LinkState.SEVERED, GONE, LinkState.LINKED, True),
        (LinkState.UNLINKED, GONE, LinkState.LINKED, False),
        (LinkState.CLOSED, GONE, LinkState.CLOSED, False),
        (LinkState.CLOSED, GONE, None, False),
        (LinkState.CLOSED, None, LinkState.LINKED, False),
        (LinkState.CLOSED, record(HS, "1"), LinkState.LINKED, False),
        (LinkState.LINKED, GONE, LinkState.LINKED, False),
        (None, GONE, LinkState.LINKED, False),
    ],
)
def test_A7_what_is_left_over_by_a_merge(own, partner, kept, left):
    """Its pair was closed or severed, its partner merged into another one, and that is somebody's partner still."""
    mine = replace(MINE, state=own) if own else None
    its = replace(ITS, state=kept) if kept else None
    assert is_left_over(mine, partner, its, None) is left
    assert is_left_over(mine, partner, its, record(HS, "9")) is left


def test_A7_a_link_that_followed_and_ended_leaves_nobody_over():
    """It is the survivor's own: the record may still name the one that was merged away."""
    its = replace(MINE, hubspot_id="2", state=LinkState.SEVERED)
    assert is_left_over(its, GONE, its, None) is False


@pytest.mark.parametrize(
    ("kept", "left"), [(LinkState.SEVERED, False), (LinkState.UNLINKED, False), (LinkState.LINKED, True)]
)
def test_A7_nothing_is_left_over_if_the_other_one_was_deleted(kept, left):
    """As far as that is known of its link: the survivor is free then, unlike when it was deleted itself (D2)."""
    twin = record(HS, "9", presence=Presence.DELETED)
    assert is_left_over(replace(MINE, state=LinkState.CLOSED), GONE, replace(ITS, state=kept), twin) is left


def test_A7_the_remedy_is_to_merge_there_too_but_for_opportunities():
    """Which cannot be merged in Salesforce."""
    contact = list_left_over(CONTACTS, record(SF, "003L", object="Contact"), GONE, ITS)
    assert (contact.cause, contact.code, contact.record_id) == (ProblemClass.DUPLICATES, LEFT_OVER, "003L")
    assert "contacts 1" in contact.detail
    assert "merge 003L and 003M in salesforce" in contact.remedy
    twin = link("006M", "2")
    deal = record(HS, "1", presence=Presence.MERGED, survivor="2")
    opportunity = list_left_over(pair(), record(SF, "006L"), deal, twin)
    assert "delete the superfluous one of 006L and 006M" in opportunity.remedy
    assert "merge 1 and 2 in hubspot" in list_left_over(pair(), record(HS, "1"), record(SF, "006L"), twin).remedy
