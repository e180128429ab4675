"""Of what kind a difference is, and how much drift a sample tells (X4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.audit import Drift, Kind, Share, Write, compare
from connector.core.model import Presence, Record, Side

NIGHT, MORNING, NOON = (f"2026-03-02T{hour}:00:00+00:00" for hour in ("00", "08", "12"))


def deal(presence: Presence = Presence.PRESENT, modified: str = MORNING, **fields) -> Record:
    return Record(Side.HUBSPOT, "deals", "1", "7", fields, modified=modified, presence=presence)


def test_X4_the_kinds_of_drift_are_words_of_the_published_json():
    """Collectors count by them."""
    assert [str(kind) for kind in Kind] == [
        "missed deletion",
        "missed merge",
        "not visible",
        "formula",
        "not kept",
        "missed edit",
        "contacts",
        "never seen",
        "not written",
    ]


@pytest.mark.parametrize(
    ("presence", "kind"),
    [
        (Presence.DELETED, Kind.MISSED_DELETION),
        (Presence.MERGED, Kind.MISSED_MERGE),
        (Presence.INVISIBLE, Kind.NOT_VISIBLE),
    ],
)
def test_X4_an_absence_is_told_with_its_reason_once(presence, kind):
    """Unless it was known (D6)."""
    gone = deal(presence)
    assert compare(deal(name="a"), gone, (), {}) == [Drift(Side.HUBSPOT, "deals", "1", kind)]
    assert compare(None, gone, (), {}) == [Drift(Side.HUBSPOT, "deals", "1", kind)]
    assert compare(deal(presence), gone, (), {}) == []


def test_X4_a_record_that_was_never_seen():
    """Is told as a whole, not field by field."""
    assert compare(None, deal(name="a"), (), {}) == [Drift(Side.HUBSPOT, "deals", "1", Kind.NEVER_SEEN)]


@pytest.mark.parametrize(
    ("seen", "now", "same"),
    [("a", "a", True), ("a", "b", False), (None, "", True), (5, "5", True), (None, "a", False), ("a", None, False)],
)
def test_X4_only_what_differs_is_told(seen, now, same):
    """Blank is blank, and a number that was written as text comes back as text."""
    found = compare(deal(name=seen), deal(name=now, other="not asked for before"), (), {})
    assert found == ([] if same else [Drift(Side.HUBSPOT, "deals", "1", Kind.MISSED_EDIT, "name", seen, now)])


def test_X4_fields_are_told_in_the_order_of_their_names():
    """Whatever order they were read in; a field that is not read any more says nothing."""
    found = compare(deal(b=1, gone=1, a=1), deal(c=2, b=2, a=2), (), {})
    assert [one.field for one in found] == ["a", "b"]


@pytest.mark.parametrize(
    ("write", "modified", "kind"),
    [
        (None, NIGHT, Kind.MISSED_EDIT),
        (Write("other", MORNING), NIGHT, Kind.MISSED_EDIT),
        (Write("seen", MORNING), NIGHT, Kind.NOT_KEPT),
        (Write("seen", MORNING), MORNING, Kind.NOT_KEPT),
        (Write("seen", MORNING), NOON, Kind.MISSED_EDIT),
        (Write("seen", MORNING, changed=NIGHT), NOON, Kind.NOT_KEPT),
        (Write("seen", MORNING, changed=NOON), NIGHT, Kind.MISSED_EDIT),
        (Write("seen", MORNING), "", Kind.NOT_KEPT),
    ],
)
def test_X4_a_value_that_was_written_and_is_not_there_was_not_kept(write, modified, kind):
    """Unless somebody changed it afterwards: by the history of the field, else by the record's date."""
    written = {"name": write} if write else {}
    found = compare(deal(name="seen"), deal(modified=modified, name="now"), (), written)
    assert [one.kind for one in found] == [kind]


def test_X4_T3_a_formula_is_nobodys_edit():
    """Whatever was written or changed."""
    found = compare(deal(a=1, b=1), deal(modified=NOON, a=2, b=2), {"a"}, {"a": Write(1, MORNING)})
    assert [(one.field, one.kind) for one in found] == [("a", Kind.FORMULA), ("b", Kind.MISSED_EDIT)]


@pytest.mark.parametrize(
    ("share", "rate", "low", "high"),
    [
        (Share(0, 0, 0), 0, 0, 0),
        (Share(0, 0, 10), 0, 0, 1),
        (Share(3, 12, 12), 0.25, 0.25, 0.25),
        (Share(0, 100, 1000), 0, 0, 0.0370),
        (Share(50, 100, 1000), 0.5, 0.4038, 0.5962),
        (Share(100, 100, 1000), 1, 0.9630, 1),
    ],
)
def test_X4_a_sample_tells_between_which_bounds_the_whole_lies(share, rate, low, high):
    """Wilson's interval, with published values; exact where all were looked at."""
    assert share.rate == pytest.approx(rate)
    assert share.bounds == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 500), st.data())
def test_X4_the_rate_lies_within_its_bounds_and_more_looks_narrow_them(looked_at, data):
    """For any sample."""
    drifted = data.draw(st.integers(0, looked_at))
    share, more = Share(drifted, looked_at, 10**6), Share(drifted * 4, looked_at * 4, 10**6)
    low, high = share.bounds
    assert 0 <= low <= share.rate + 1e-12
    assert share.rate - 1e-12 <= high <= 1
    assert more.bounds[1] - more.bounds[0] < high - low
