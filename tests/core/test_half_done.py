"""Was a write to HubSpot that takes two requests left half done (law 11)?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, link, record, rule

from connector.core.half_done import blank_base, may_be_half_done, was_agreed_on, was_replacing
from connector.core.model import Base, Change, Presence

ANN = link("003A", "5", pair="contact-contact", base=Base({"Stage__c": "x"}, {"lifecyclestage": "customer"}))
STAGE = rule("Stage__c", "lifecyclestage")
BLANK = record(HS, "5", {"lifecyclestage": None}, object="contacts")


def change(new, old="customer"):
    return Change("lifecyclestage", old, new, "F1", "Stage__c of Contact 003A")


def test_law_11_a_blank_may_be_ours():
    """It is then asked what was written last: at once if something else had been agreed on."""
    assert may_be_half_done(BLANK, STAGE) is True
    assert was_agreed_on(ANN, STAGE) is True
    assert was_agreed_on(replace(ANN, base=Base({"Stage__c": "x"}, {"lifecyclestage": None})), STAGE) is False


@pytest.mark.parametrize(
    "seen",
    [replace(BLANK, fields={"lifecyclestage": "lead"}), replace(BLANK, presence=Presence.DELETED)],
    ids=["is not blank", "is gone"],
)
def test_law_11_nothing_else_is(seen):
    """There is nothing to complete."""
    assert may_be_half_done(seen, STAGE) is False


@pytest.mark.parametrize(
    ("last", "expected"),
    [(change("lead"), True), (change(None), False), (change("lead", None), False)],
    ids=["was to replace", "was to clear", "was to set"],
)
def test_law_11_a_blank_is_ours_if_a_value_was_being_replaced(last, expected):
    """Any other one is somebody's edit."""
    assert was_replacing(last) is expected


def test_law_11_what_was_left_half_done_is_agreed_by_neither_side():
    """So whatever Salesforce holds by now is written, also what it held before."""
    assert blank_base(STAGE) == Base({"Stage__c": None}, {"lifecyclestage": None})
