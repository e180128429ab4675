"""The record-level table, whole: what an absence means, and that it only travels one way (D)."""

from __future__ import annotations

from itertools import product

import pytest
from core.examples import HS, SF, pair

from connector.core.deletion import Fate, decide_fate
from connector.core.model import LinkState, Presence

P, D, M, I = Presence.PRESENT, Presence.DELETED, Presence.MERGED, Presence.INVISIBLE  # noqa: E741  # a table's letters
DEALS = pair(deletes=frozenset({SF}))
COMPANIES = pair(name="account-company")
DECIDED = {
    # (Salesforce, HubSpot): (opportunity and deal, other pairs); whatever is not here is left alone
    (P, P): (Fate.MERGE, Fate.MERGE),
    (D, P): (Fate.DELETE_IN_HUBSPOT, Fate.CLOSE),
    (P, D): (Fate.SEVER, Fate.SEVER),
    (D, D): (Fate.CLOSE, Fate.CLOSE),
}

DECIDED_BY_DEFAULT = {key: others for key, (_, others) in DECIDED.items()}


@pytest.mark.parametrize(("salesforce", "hubspot"), list(product(Presence, Presence)))
def test_D1_D2_D5_every_cell_of_the_table(salesforce, hubspot):
    """All presences of both sides, for deals and for the other pairs."""
    deals, others = DECIDED.get((salesforce, hubspot), (Fate.LEAVE, Fate.LEAVE))
    assert decide_fate(DEALS, LinkState.LINKED, salesforce, hubspot) is deals
    assert decide_fate(COMPANIES, LinkState.LINKED, salesforce, hubspot) is others


@pytest.mark.parametrize(("salesforce", "hubspot"), list(product(Presence, Presence)))
def test_A8_a_frozen_pair_has_the_fate_of_a_linked_one(salesforce, hubspot):
    """What a plan makes of it is another matter (D9)."""
    for one in (DEALS, COMPANIES):
        fates = {decide_fate(one, state, salesforce, hubspot) for state in (LinkState.LINKED, LinkState.FROZEN)}
        assert len(fates) == 1


@pytest.mark.parametrize("state", sorted(set(LinkState) - {LinkState.LINKED, LinkState.FROZEN}))
@pytest.mark.parametrize(("salesforce", "hubspot"), list(product(Presence, Presence)))
def test_D3_only_a_linked_pair_has_a_fate(state, salesforce, hubspot):
    """Pending and closed links are left as they are, whatever happens; a severed one goes on if both are there."""
    restored = state is LinkState.SEVERED and salesforce is hubspot is P
    for one in (DEALS, COMPANIES):
        assert decide_fate(one, state, salesforce, hubspot) is (Fate.RESUME if restored else Fate.LEAVE)


@pytest.mark.parametrize(("away", "other"), [(away, other) for away in (M, I) for other in Presence])
def test_D6_merged_and_out_of_sight_never_propagate(away, other):
    """Absence needs a reason: only *deleted* has consequences, on either side."""
    for kind in (DEALS, COMPANIES):
        assert decide_fate(kind, LinkState.LINKED, away, other) is Fate.LEAVE
        assert decide_fate(kind, LinkState.LINKED, other, away) is Fate.LEAVE


@pytest.mark.parametrize(("salesforce", "hubspot"), list(product(Presence, Presence)))
def test_D6_what_is_another_ones_by_now_ends_its_pair_and_stays(salesforce, hubspot):
    """The same as if no deletion travelled from either side; two that are there and others' by now part (A2)."""
    both = pair(name="account-company", deletes=frozenset({SF, HS}))
    expected = decide_fate(COMPANIES, LinkState.LINKED, salesforce, hubspot)
    expected = Fate.CLOSE if expected is Fate.MERGE else expected
    assert decide_fate(both, LinkState.LINKED, salesforce, hubspot, claimed=True) is expected
    assert decide_fate(DEALS, LinkState.LINKED, salesforce, hubspot, claimed=True) is expected


def test_A2_a_severed_pair_of_two_that_are_others_by_now_does_not_go_on():
    """Though both are there: each has its partner."""
    assert decide_fate(COMPANIES, LinkState.SEVERED, P, P, claimed=True) is Fate.LEAVE


def _name(one):
    """A test's name must not hold a set: it would be spelled differently in every process."""
    return getattr(one, "name", str(one))


@pytest.mark.parametrize(
    ("kind", "state", "hubspot"), list(product((DEALS, COMPANIES), LinkState, Presence)), ids=_name
)
def test_D2_law_10_nothing_hubspot_does_reaches_an_opportunity_that_is_there(kind, state, hubspot):
    """While Salesforce's record is present, HubSpot's absence can only sever; nothing is deleted anywhere."""
    assert decide_fate(kind, state, P, hubspot) in {Fate.MERGE, Fate.SEVER, Fate.RESUME, Fate.LEAVE}


def test_D2_law_10_no_pair_of_opportunities_passes_on_what_hubspot_deletes():
    """It cannot even be made; for the others it is a choice (D5)."""
    with pytest.raises(
        ValueError, match=r"^nothing that is done in HubSpot deletes an opportunity \(D2, law 10\)$"
    ):
        pair(deletes=frozenset({SF, HS}))
    assert pair(deletes=frozenset({SF})).deletes == {SF}


@pytest.mark.parametrize(("salesforce", "hubspot"), list(product(Presence, Presence)))
def test_D5_what_a_mapping_file_may_choose(salesforce, hubspot):
    """Accounts and contacts may take their partners along both ways, and an opportunity may leave its deal."""
    both = pair(name="account-company", deletes=frozenset({SF, HS}))
    chosen = {**DECIDED_BY_DEFAULT, (D, P): Fate.DELETE_IN_HUBSPOT, (P, D): Fate.DELETE_IN_SALESFORCE}
    fate = decide_fate(both, LinkState.LINKED, salesforce, hubspot)
    assert fate is chosen.get((salesforce, hubspot), Fate.LEAVE)
    left = decide_fate(pair(deletes=frozenset()), LinkState.LINKED, salesforce, hubspot)
    assert left is DECIDED_BY_DEFAULT.get((salesforce, hubspot), Fate.LEAVE)
