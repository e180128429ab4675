"""Whether a record still holds what was written to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF, pair, record, rule
from hypothesis import given
from hypothesis import strategies as st

from connector.core.hiding import Veil
from connector.core.sameness import fields_of, group_fields, same_fields, same_value


class Together:
    """Values that only mean something together, in capitals or not."""

    def meaning(self, side, values):
        return tuple(str(value).lower() for value in values)


NAME = rule("Name", "dealname")
STAGE = rule("RecordTypeId+StageName", "pipeline+dealstage", transform=Together())
DEALS = pair(NAME, STAGE, partner_field={HS: "sf_record_id"})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "A", False),
        # blank is blank, and zero and false are values
        (None, None, True),
        (None, "", True),
        ("", "", True),
        (None, "0", False),
        (None, 0, False),
        ("", False, False),
        ("a", None, False),
        # numbers
        ("1", 1, True),
        ("1.0", 1, True),
        ("1.10", 1.1, True),
        (1, 2, False),
        ("1", "a", False),
        ("a", "1", False),
        # words that could be taken for numbers
        ("Infinity", "inf", False),
        ("Nan", "NaN", False),
        ("sNaN", "1", False),
        # truth
        (True, "True", True),
        (True, False, False),
        # times
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:00.999Z", "2026-01-01T00:00:00.000+0000", True),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00Z", True),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z", False),
        ("2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00Z", False),
        ("2026-01-01", "2026-01-01T00:00:00Z", False),
        ("2026-01-01", "2026-01-02", False),
        # what is no time, though a T is in it
        ("The Tower of London, north", "The Tower of London, south", False),
        ("Extension of Tower Hill A", "Extension of Tower Hill B", False),
        ("the Trust", "the Tower", False),
        ("Extension Tower A", "Extension Tower B", False),
    ],
)
def test_X2_values_are_the_same_as_a_crm_prints_them(one, other, same):
    """Numbers by their value, times by the second, texts by the letter, blank is blank; whichever comes first."""
    assert same_value(one, other) is same
    assert same_value(other, one) is same


values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=25))


@given(values)
def test_X2_every_value_is_the_same_as_itself(value):
    """And as its text."""
    assert same_value(value, value)
    assert same_value(value, "" if value is None else str(value))


@pytest.mark.parametrize(
    ("names", "one", "other", "same"),
    [
        # by what the mapping means
        (["dealname"], {"dealname": "a"}, {"dealname": " a"}, True),
        (["dealname"], {"dealname": "a"}, {"dealname": "b"}, False),
        (["pipeline", "dealstage"], {"pipeline": "P", "dealstage": "s"}, {"pipeline": "p", "dealstage": "S"}, True),
        (["dealstage"], {"dealstage": "s"}, {"dealstage": "t"}, False),
        (
            ["pipeline", "dealstage"],
            {"pipeline": "p", "dealstage": "s"},
            {"pipeline": "p", "dealstage": "t"},
            False,
        ),
        # by what a CRM prints, where no rule says what it means, or not all that belongs together is known
        (["amount"], {"amount": "1.0"}, {"amount": 1}, True),
        (["amount"], {"amount": "1"}, {"amount": "2"}, False),
        (["dealstage"], {"dealstage": "s"}, {"dealstage": "S"}, False),
        (["pipeline", "dealstage"], {"pipeline": "p"}, {"pipeline": "p", "dealstage": "s"}, True),
        (["pipeline", "dealstage"], {"pipeline": "p"}, {"pipeline": "q", "dealstage": "s"}, False),
        (["pipeline", "dealstage"], {"pipeline": "p", "dealstage": "s"}, {"pipeline": "q"}, False),
        # what is not known of both says nothing
        (["dealname", "amount"], {"dealname": "a"}, {"amount": "1"}, True),
        ([], {"dealname": "a"}, {"dealname": "b"}, True),
        (["amount"], {"amount": 1, "dealname": "a"}, {"amount": 1, "dealname": "b"}, True),
        # all of them have to be the same, the first and the last
        (["dealname", "amount"], {"dealname": "a", "amount": 1}, {"dealname": "a", "amount": 2}, False),
        (["dealname", "amount"], {"dealname": "a", "amount": 1}, {"dealname": "b", "amount": 1}, False),
    ],
)
def test_X2_fields_are_the_same_by_what_they_mean(names, one, other, same):
    """As far as both records are known."""
    assert same_fields(DEALS, HS, names, one, other) is same
    assert same_fields(DEALS, HS, names, other, one) is same


HIDE = Veil("key", {(HS, "deals"): frozenset({"dealname", "dealstage"})}).hide_fields


@pytest.mark.parametrize(
    ("former", "shown", "same"),
    [
        ({"dealname": "Fox"}, {"dealname": "Fox"}, True),
        ({"dealname": "Fox"}, {"dealname": "Wolf"}, False),
        # by the letter, though the mapping would take both for one
        ({"dealname": "Fox"}, {"dealname": "FOX"}, False),
        ({"pipeline": "p", "dealstage": "s"}, {"pipeline": "p", "dealstage": "s"}, True),
        ({"pipeline": "p", "dealstage": "s"}, {"pipeline": "q", "dealstage": "s"}, False),
        ({"pipeline": "p", "dealstage": "s"}, {"pipeline": "p", "dealstage": "S"}, False),
    ],
)
def test_G3_a_hidden_field_is_the_same_as_the_value_that_it_is_the_hash_of(former, shown, same):
    """What the mapping takes it to mean cannot be told of a hash; whichever comes first, and hidden twice too."""
    hidden = HIDE(HS, "deals", former)
    assert same_fields(DEALS, HS, former, hidden, shown) is same
    assert same_fields(DEALS, HS, former, shown, hidden) is same
    assert same_fields(DEALS, HS, former, hidden, HIDE(HS, "deals", shown)) is same


def test_X2_fields_are_grouped_by_the_rule_that_they_have_in_common():
    """In the order of the mapping, then those that no rule is about, in the order given; each once."""
    names = ["notes", "dealstage", "dealname", "pipeline", "amount", "notes"]
    assert list(group_fields(DEALS, HS, names)) == [
        (NAME, ("dealname",)),
        (STAGE, ("pipeline", "dealstage")),
        (None, ("notes",)),
        (None, ("amount",)),
    ]
    assert list(group_fields(DEALS, SF, ["StageName", "dealname"])) == [
        (STAGE, ("StageName",)),
        (None, ("dealname",)),
    ]


def test_X2_a_field_that_two_rules_are_about_is_compared_by_the_first():
    """Once is enough."""
    twice = pair(NAME, replace(NAME, transform=Together()))
    assert list(group_fields(twice, HS, ["dealname"])) == [(NAME, ("dealname",))]


def test_X2_the_partners_id_is_a_field_where_a_side_stores_it():
    """Also while it is blank."""
    here, there = record(SF, "006A", {"Name": "a"}, partner_id="1"), record(HS, "1", {"dealname": "a"})
    assert fields_of(replace(there, partner_id="006A"), DEALS) == {"dealname": "a", "sf_record_id": "006A"}
    assert fields_of(there, DEALS) == {"dealname": "a", "sf_record_id": None}
    assert fields_of(here, DEALS) == {"Name": "a"}
