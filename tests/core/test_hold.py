"""Which planned writes repeat what an undo took back (X2)."""

from __future__ import annotations

import pytest
from core.examples import HS, SF, rule

from connector.core.hold import find_held_fields, is_creation_held, is_role_held
from connector.core.model import Change, FieldRule, Pair, Rule
from connector.mapping.transforms import Text

STAGE = FieldRule(("RecordTypeId", "StageName"), ("pipeline", "dealstage"), Rule.TWO_WAY, Text())
PAIR = Pair("opportunity-deal", "Opportunity", "deals", (rule("Amount", "amount"), STAGE), frozenset({HS, SF}))


def fields(values):
    """Changes of a record's fields, from something else to these values."""
    return [Change(name, "before", value, "F1", "") for name, value in values.items()]


@pytest.mark.parametrize(
    ("planned", "held", "found"),
    [
        ({"a": 1, "b": 2}, {"a": [1], "b": [3]}, {"a"}),
        ({"a": 1, "b": 2}, {"a": [1], "b": [2]}, {"a", "b"}),
        ({"a": 1}, {"a": [3, 1]}, {"a"}),
        ({"a": "1.0"}, {"a": [1]}, {"a"}),
        ({"a": None}, {"a": [""]}, {"a"}),
        ({"a": 1}, {"a": []}, set()),
        ({"a": 1}, {"b": [1]}, set()),
    ],
)
def test_X2_a_field_is_held_as_long_as_the_same_value_is_to_be_written(planned, held, found):
    """Any of those that were taken back, as a CRM prints it; another value passes, and so does another field."""
    assert find_held_fields(fields(planned), held, PAIR, HS) == found


@pytest.mark.parametrize(
    ("planned", "found"),
    [
        ({"pipeline": "p", "dealstage": "s"}, {"pipeline", "dealstage"}),
        ({"pipeline": "p", "dealstage": "t"}, set()),
        ({"pipeline": "q", "dealstage": "s"}, set()),
    ],
)
def test_X2_a_stage_is_held_in_its_pipeline(planned, found):
    """Another stage of the same pipeline is something else to be written, and so is its namesake in another one."""
    held = {"pipeline": ["p"], "dealstage": ["s"]}
    assert find_held_fields(fields({**planned, "amount": 1}), held, PAIR, HS) == found


@pytest.mark.parametrize(
    ("planned", "held", "is_held"),
    [
        ({"a": 1}, {"a": [1]}, True),
        ({"a": 1}, {"a": [2, 1]}, True),
        ({"a": 2}, {"a": [1]}, False),
        # one value of several is another one, be it the first or the last
        ({"a": 1, "b": 2}, {"a": [1], "b": [2]}, True),
        ({"a": 1, "b": 3}, {"a": [1], "b": [2]}, False),
        ({"a": 3, "b": 2}, {"a": [1], "b": [2]}, False),
        # a value more, a value less
        ({"a": 1}, {"a": [1], "b": [2]}, False),
        ({"a": 1, "b": 2}, {"a": [1]}, False),
        # what is blank is as good as not there, on either side
        ({"a": 1, "b": None}, {"a": [1]}, True),
        ({"a": 1, "b": ""}, {"a": [1]}, True),
        ({"a": 1}, {"a": [1], "b": [None]}, True),
        ({"a": 1}, {"a": [1], "b": ["", None]}, True),
        ({"a": 1}, {"a": [1], "b": [None, 2]}, False),
        ({"a": 1, "b": 2}, {"a": [1], "b": [None, 2]}, True),
        # but for ids of records that may have been made anew
        ({"a": 1}, {"a": [1], "company": [2]}, True),
        ({"a": 1, "company": 3}, {"a": [1], "company": [2]}, True),
        ({"a": 1, "company": 3}, {"a": [1]}, True),
        # nothing was taken back
        ({"a": 1}, {}, False),
        ({"a": None}, {}, False),
    ],
)
def test_X2_a_creation_is_held_as_long_as_its_source_says_the_same(planned, held, is_held):
    """All of it: with one value that is another, it is another record."""
    changes = [Change(name, None, value, "T1", "") for name, value in planned.items()]
    assert is_creation_held(changes, held, {"company"}) is is_held


ANN = Change("contact", None, "5", "R1", "")
ANN_REMOVED = Change("contact", "5", None, "R3", "")
OF_ANN = Change("contact", "5", "5", "R4", "")
DECIDER = Change("labels", None, "Decider", "R4", "")
MAIN = Change("primary label", None, True, "R4", "")


@pytest.mark.parametrize(
    ("planned", "held", "is_held"),
    [
        ([ANN], {"contact": ["5"]}, True),
        ([ANN], {"contact": ["6"]}, False),
        ([ANN_REMOVED], {"contact": [None]}, True),
        ([OF_ANN, DECIDER], {"labels": ["Decider"]}, True),
        ([OF_ANN, DECIDER], {"labels": ["User"]}, False),
        ([OF_ANN, DECIDER], {"contact": ["5"]}, False),
        ([OF_ANN, DECIDER, MAIN], {"labels": ["Decider"], "primary label": [True]}, True),
        ([OF_ANN, DECIDER, MAIN], {"labels": ["Decider"]}, False),
        ([Change("labels", "Decider", "Decider", "R4", ""), MAIN], {"primary label": [True]}, False),
        ([OF_ANN], {"contact": ["5"]}, False),
        ([], {}, False),
    ],
)
def test_X2_a_contact_its_removal_and_its_names_are_held_as_a_whole(planned, held, is_held):
    """Whose names they are is no change; with one name that is another, all of it passes."""
    assert is_role_held(planned, held) is is_held
