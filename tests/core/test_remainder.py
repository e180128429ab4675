"""What is left of a write without the fields that were refused (F4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF, rule
from hypothesis import given
from hypothesis import strategies as st

from connector.core.actions import Creation, Update
from connector.core.model import Base, Change, FieldRule, Link, LinkState, Pair, Record, Rule
from connector.core.remainder import base_of_left_out, find_left_out, leave_out_of_creation, leave_out_of_update
from connector.mapping.transforms import Text

STAGE = FieldRule(("RecordTypeId", "StageName"), ("pipeline", "dealstage"), Rule.TWO_WAY, Text())
PAIR = Pair(
    "opportunity-deal",
    "Opportunity",
    "deals",
    (rule("Name", "dealname"), rule("Amount", "amount"), STAGE),
    frozenset({HS, SF}),
    required={SF: ("Name",)},
    partner_field={SF: "HubSpot_Id__c"},
)
CLOSED = frozenset({"won"})
LINK = Link(1, PAIR.name, "006A", "1", LinkState.LINKED, SF)
VALUES = {"dealname": "n", "amount": "5", "pipeline": "p", "dealstage": "s", "lifecyclestage": "x"}
HERE = {"Name": "n", "Amount": 5, "RecordTypeId": "t", "StageName": "S"}
THERE = {name: VALUES[name] for name in ("dealname", "amount", "pipeline", "dealstage")}


def changes(values):
    return tuple(Change(name, None, value, "F1", "why") for name, value in values.items())


UPDATE = Update(
    PAIR.name, HS, "deals", LINK, "1", changes(VALUES), Base(HERE, THERE), frozenset({"lifecyclestage"})
)
BORN = Creation(
    PAIR.name,
    SF,
    "Opportunity",
    Record(HS, "deals", "1", "", THERE),
    changes({**HERE, "HubSpot_Id__c": "1"}),
    Base(HERE, THERE),
)


@pytest.mark.parametrize(
    ("refused", "left", "settled"),
    [
        (
            {"amount"},
            {"dealname", "pipeline", "dealstage", "lifecyclestage"},
            {"Name", "RecordTypeId", "StageName"},
        ),
        ({"dealstage"}, {"dealname", "amount", "lifecyclestage"}, {"Name", "Amount"}),
        ({"lifecyclestage"}, set(THERE), set(HERE)),
        ({"amount", "dealname", "pipeline"}, {"lifecyclestage"}, set()),
    ],
)
def test_F4_an_update_goes_without_what_was_refused(refused, left, settled):
    """Nor with what only makes sense beside it; what is left out is not agreed upon either."""
    found = leave_out_of_update(PAIR, UPDATE, refused, CLOSED)
    assert found.values.keys() == left
    assert found.settles.salesforce.keys() == settled
    assert found.clears_first == frozenset({"lifecyclestage"}) - refused


def test_F7_a_close_date_that_goes_with_a_closed_stage_stays_behind_with_it():
    """Beside the stage alone it is needed; an edit of the date goes by itself."""
    dated = replace(PAIR, fields=(*PAIR.fields, rule("CloseDate", "closedate")))
    settles = Base({**HERE, "CloseDate": "2026-01-31"}, {**THERE, "closedate": "2026-01-31"})
    carried = Change("closedate", None, "2026-01-31", "F7", "goes with its closed stage")
    closing = replace(UPDATE, changes=(*UPDATE.changes, carried), settles=settles)
    left = leave_out_of_update(dated, closing, {"dealstage"}, CLOSED)
    assert left.values.keys() == {"dealname", "amount", "lifecyclestage"}
    assert left.settles.salesforce.keys() == {"Name", "Amount"}
    assert "closedate" in leave_out_of_update(dated, closing, {"amount"}, CLOSED).values
    moved = replace(closing, changes=(*UPDATE.changes, replace(carried, rule="F1")))
    assert "closedate" in leave_out_of_update(dated, moved, {"dealstage"}, CLOSED).values
    alone = replace(
        closing, changes=tuple(one for one in closing.changes if one.field in {"dealstage", "closedate"})
    )
    assert leave_out_of_update(dated, alone, {"dealstage"}, CLOSED) is None


@pytest.mark.parametrize(
    ("stage", "old", "new", "left"),
    [
        ("won", "2026-01-31", "2026-02-01", [("2026-01-31", "2026-01-31", "F7")]),
        ("open", "2026-01-31", "2026-02-01", []),
        ("won", None, "2026-02-01", []),
        ("won", "2026-01-31", "2026-01-31", []),
    ],
)
def test_F7_a_stage_that_closes_goes_with_the_date_that_is_there_if_another_one_is_left_out(stage, old, new, left):
    """An open stage needs none; a date that was refused although it is there already is not sent again."""
    moved = [Change("dealstage", "s", stage, "F1", "why"), Change("closedate", old, new, "F1", "why")]
    found = leave_out_of_update(PAIR, replace(UPDATE, changes=tuple(moved)), {"closedate"}, CLOSED)
    assert found.values["dealstage"] == stage
    assert [(one.old, one.new, one.rule) for one in found.changes if one.field == "closedate"] == left


def test_F7_only_a_date_that_is_left_out_is_repeated_and_only_beside_a_stage_that_closes():
    """Whatever else goes or stays; a text that reads like a stage is none."""
    date, amount = Change("closedate", "1", "2", "F1", "why"), Change("amount", "4", "5", "F1", "why")
    name, stage = Change("dealname", "n", "won", "F1", "why"), Change("dealstage", "s", "won", "F1", "why")

    def leave(refused, *moved):
        found = leave_out_of_update(PAIR, replace(UPDATE, changes=moved), refused, CLOSED)
        return {one.field: (one.old, one.new) for one in found.changes}

    repeated = {"dealname": ("n", "won"), "dealstage": ("s", "won"), "closedate": ("1", "1")}
    assert leave({"closedate", "amount"}, name, stage, date, amount) == repeated
    assert leave({"amount"}, name, stage, date, amount)["closedate"] == ("1", "2")
    assert leave({"closedate"}, name, date) == {"dealname": ("n", "won")}


@pytest.mark.parametrize("refused", [set(VALUES), {"unknown"}, set()])
def test_F4_nothing_is_left_of_an_update(refused):
    """All of it is refused, or something that it is not about."""
    assert leave_out_of_update(PAIR, UPDATE, refused, CLOSED) is None


def test_F4_a_creation_goes_without_what_was_refused():
    """The base says that its source is blank, so that its value is an edit that has yet to travel."""
    found = leave_out_of_creation(PAIR, BORN, {"Amount"})
    assert found.values.keys() == {"Name", "RecordTypeId", "StageName", "HubSpot_Id__c"}
    assert found.base.hubspot == {**THERE, "amount": None}
    assert found.base.salesforce == {**HERE, "Amount": None}


def test_F4_a_creation_goes_without_what_only_makes_sense_beside_the_refused_field():
    """A record type without its stage; and what no mapping has, such as the stage that L6 adds."""
    assert leave_out_of_creation(PAIR, BORN, {"StageName"}).values.keys() == {"Name", "Amount", "HubSpot_Id__c"}
    begun = replace(BORN, changes=(*BORN.changes, *changes({"lifecyclestage": "lead"})))
    assert leave_out_of_creation(PAIR, begun, {"lifecyclestage"}) == BORN


@pytest.mark.parametrize("refused", [{"Name"}, {"HubSpot_Id__c"}, {"unknown"}, set()])
def test_F4_a_creation_that_needs_what_was_refused_is_not_made(refused):
    """What the partner requires, and the id by which it is found again (O10)."""
    assert leave_out_of_creation(PAIR, BORN, refused) is None


def test_F4_a_creation_of_nothing_is_not_made():
    """One field, and that is refused."""
    bare = replace(BORN, to=HS, changes=changes({"amount": "5"}))
    assert leave_out_of_creation(PAIR, bare, {"amount"}) is None


def test_F4_what_a_crm_fills_in_is_agreed_upon():
    """The partner is agreed to look as it does, its source to be blank."""
    now = {"Amount": 7, "RecordTypeId": "t", "StageName": "S", "Name": "n"}
    found = base_of_left_out(PAIR, SF, {"Amount", "StageName", "HubSpot_Id__c"}, now)
    assert found.salesforce == {"Amount": 7, "RecordTypeId": "t", "StageName": "S"}
    assert found.hubspot == {"amount": None, "pipeline": None, "dealstage": None}


@pytest.mark.parametrize(
    ("noted", "source", "left"),
    [
        ({}, {"amount": "5", "dealstage": "s"}, {"Amount", "StageName", "RecordTypeId"}),
        ({"Amount": None, "Name": "n"}, {"amount": "5", "dealname": "n"}, {"Amount"}),
        ({"Amount": 7, "StageName": "S", "RecordTypeId": "t"}, {"amount": "5", "dealstage": "s"}, set()),
        ({}, {"amount": None, "dealname": ""}, set()),
    ],
)
def test_F4_A5_what_a_creation_left_out_has_a_value_at_its_source_and_none_in_what_was_noted(noted, source, left):
    """Whether it was refused, or has no counterpart; of what the record shows."""
    made = Record(SF, "Opportunity", "006A", "1", {"Amount": 7, "Name": "n", "StageName": "S", "RecordTypeId": "t"})
    deal = Record(HS, "deals", "1", "1", source)
    assert find_left_out(PAIR, Base(noted, {}), deal, made) == left
    assert find_left_out(PAIR, Base(noted, {}), deal, replace(made, fields={})) == set()
    turned = find_left_out(
        PAIR, Base({}, {"amount": "5"}), made, replace(deal, fields={"amount": "5", "dealname": "n"})
    )
    assert turned == {"dealname"}


@given(st.sets(st.sampled_from([*VALUES, "unknown"])))
def test_F4_what_is_left_is_a_part_of_what_was_asked_for(refused):
    """Never anything new, never anything refused, and the base only knows what is written."""
    found = leave_out_of_update(PAIR, UPDATE, refused, CLOSED)
    if found is not None:
        assert set(found.changes) < set(UPDATE.changes)
        assert not refused & found.values.keys()
        assert found.settles.hubspot.keys() <= found.values.keys()
