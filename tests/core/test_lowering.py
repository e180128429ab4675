"""May a plan take a lifecycle stage back (L8)?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF, link, pair, rule

from connector.core.actions import Settlement, Update
from connector.core.lowering import BACKWARD, hold_backward
from connector.core.model import Base, Change, Problem, ProblemClass

ORDER = {"lead": 0, "opportunity": 1, "customer": 2}
ANN = link("003A", "5", pair="contact-contact", base=Base({"Stage__c": "x"}, {"lifecyclestage": "customer"}))
STAGE = rule("Stage__c", "lifecyclestage")
NAME = rule("LastName", "lastname")
HELD = pair(NAME, STAGE, name="contact-contact")
FREE = pair(NAME, replace(STAGE, may_go_backwards=True), name="contact-contact")


def change(new, old="customer"):
    return Change("lifecyclestage", old, new, "F1", "Stage__c of Contact 003A")


def update(*changes, to=HS):
    settles = Base({"Stage__c": "y", "LastName": "Fox"}, {"lifecyclestage": "y", "lastname": "Fox"})
    return Update("contact-contact", to, "contacts", ANN, "5", changes, settles)


@pytest.mark.parametrize("new", ["lead", None], ids=["back", "away"])
def test_L8_a_step_back_is_not_written_but_told(new):
    """Neither side's base moves, so that nothing looks agreed."""
    name = Change("lastname", "Ox", "Fox", "F1", "LastName of Contact 003A")
    left, problem = hold_backward([update(name, change(new))], HELD, ORDER)
    assert left.changes == (name,)
    assert left.settles == Base({"LastName": "Fox"}, {"lastname": "Fox"})
    assert (problem.code, problem.record_id, problem.field) == (BACKWARD, "5", "lifecyclestage")


def test_L8_of_an_update_that_was_nothing_else_nothing_is_left():
    """Only the problem, which names both stages, also a custom one, whose name is a number."""
    remedy = "set the stage by hand, or let the mapping say `may_go_backwards: true` (L8)"
    for old, new, told in (
        ("customer", "lead", "HubSpot is at customer, and lead would be a step back"),
        ("customer", None, "HubSpot is at customer, and no stage would be a step back"),
        (81, "lead", "HubSpot is at 81, and lead would be a step back"),
    ):
        assert hold_backward([update(change(new, old))], HELD, {**ORDER, "81": 3}) == [
            Problem(
                HS,
                "contacts",
                "5",
                ProblemClass.PROPERTY_VALUES,
                "LIFECYCLE_BACKWARD",
                f"Stage__c ↔ lifecyclestage: {told}",
                remedy,
                "lifecyclestage",
            )
        ]


def test_L8_where_the_mapping_allows_it_the_stage_is_cleared_first():
    """One update, one change in the journal; the adapter makes two requests of it."""
    (one,) = hold_backward([update(change("lead"))], FREE, ORDER)
    assert one == replace(update(change("lead")), clears_first=frozenset({"lifecyclestage"}))


def test_L8_clearing_needs_no_second_request():
    """There is nothing to set."""
    (one,) = hold_backward([update(change(None))], FREE, ORDER)
    assert one == update(change(None))


@pytest.mark.parametrize(
    "action",
    [
        update(change("customer", "lead")),
        update(change("lead", None)),
        update(change("lead", "gone from the portal")),
        update(Change("lastname", "Ox", "Fox", "F1", "x")),
        update(change(None, None)),
        update(change("", None)),
        update(Change("lifecyclestage_of_the_parent", "customer", "lead", "F1", "x")),
        update(change("lead"), to=SF),
        Settlement(ANN, Base()),
    ],
    ids=[
        "forward",
        "from none",
        "from one that is gone",
        "another field",
        "still none",
        "still blank",
        "stages in another field",
        "to Salesforce",
        "another action",
    ],
)
def test_L8_everything_else_is_left_as_it_is(action):
    """Forward moves, other fields, Salesforce."""
    assert hold_backward([action], HELD, ORDER) == [action]
    assert hold_backward([action], FREE, ORDER) == [action]


def test_L8_a_stage_that_is_not_mapped_is_nobodys_business():
    """The plan stays as it is."""
    assert hold_backward([update(change("lead"))], pair(NAME, name="contact-contact"), ORDER) == [
        update(change("lead"))
    ]
