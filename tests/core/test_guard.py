"""Is a plan too big to be meant? (D7)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.guard import DeletionLimit, Excess, find_excesses


@pytest.mark.parametrize(
    ("deletions", "links", "allowed"),
    [
        (10, 0, True),
        (11, 0, False),
        (10, 20, True),
        (11, 200, False),
        (11, 220, True),
        (50, 1000, True),
        (51, 1000, False),
    ],
)
def test_D7_ten_records_or_five_percent_whichever_is_larger(deletions, links, allowed):
    """The default limit, on both sides of both edges."""
    assert DeletionLimit().allows(deletions, links) is allowed


def test_D7_each_object_is_measured_against_its_own_links():
    """An excess names object, deletions and links, in order of names; objects without links count as none."""
    found = find_excesses(
        {"deals": 60, "contacts": 60, "companies": 11}, {"deals": 100, "contacts": 5000}, DeletionLimit()
    )
    assert found == [Excess("companies", 11, 0), Excess("deals", 60, 100)]


def test_D7_no_deletions_are_no_excess_even_under_a_limit_of_zero():
    """A limit of nothing forbids deletions, not plans without any."""
    assert find_excesses({"deals": 0}, {}, DeletionLimit(0, 0)) == []
    assert find_excesses({"deals": 1}, {}, DeletionLimit(0, 100)) == [Excess("deals", 1, 0)]
    assert find_excesses({"deals": 1}, {"deals": 10**6}, DeletionLimit(0, 0)) == [Excess("deals", 1, 10**6)]


@given(st.integers(0, 10**4), st.integers(0, 10**6), st.integers(0, 100), st.floats(0, 100))
def test_D7_more_links_never_allow_less(deletions, links, records, percent):
    """The limit grows with the number of links, and never falls below its number of records."""
    limit = DeletionLimit(records, percent)
    if limit.allows(deletions, links):
        assert limit.allows(deletions, links + 1)
    assert limit.allows(min(deletions, records), links)
