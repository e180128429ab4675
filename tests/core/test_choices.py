"""What a person chose for a field that both sides had edited (F2)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from connector.core.choices import Choice, Count, Put, Void, find_decider, weigh_choice
from connector.core.model import Base, Cannot, FieldRule, Link, LinkState, Pair, Record, Rule, Side, Values
from connector.core.plan import Situation, plan_link

SF, HS = Side.SALESFORCE, Side.HUBSPOT


@dataclass(frozen=True)
class Doubled:
    """HubSpot holds twice what Salesforce does, as a number or as text; nothing is the double of a word."""

    def meaning(self, side: Side, values: Values):
        return values[0] if side is SF else str(values[0])

    def carry(self, to: Side, values: Values, known):
        value = values[0]
        if not isinstance(value, int | None):
            return Cannot("not a number")
        return (None if value is None else value * 2 if to is HS else value // 2,)


def rule(kind: Rule = Rule.TWO_WAY) -> FieldRule:
    return FieldRule(("A",), ("a",), kind, Doubled())


def choice(side: Side, wanted: object, here: object, there: object) -> Choice:
    return Choice(1, "A ↔ a", side, (wanted,), {SF: (here,), HS: (there,)}, 9)


def weigh(given: Choice, here: object, there: object, kind: Rule = Rule.TWO_WAY):
    return weigh_choice(rule(kind), given, {"A": here}, {"a": there}, None)


@pytest.mark.parametrize(
    ("kind", "of_salesforce", "of_hubspot"),
    [
        (Rule.TWO_WAY, SF, HS),
        (Rule.HOLD, SF, HS),
        (Rule.ALWAYS_SALESFORCE, SF, SF),
        (Rule.PREFER_SALESFORCE_UNLESS_BLANK, SF, SF),
        (Rule.ALWAYS_HUBSPOT, HS, HS),
    ],
)
def test_F2_the_side_that_decides_is_the_one_whose_edits_travel(kind, of_salesforce, of_hubspot):
    """A chosen value of HubSpot goes to Salesforce first where only Salesforce's edits count, and so on."""
    assert find_decider(rule(kind), SF) is of_salesforce
    assert find_decider(rule(kind), HS) is of_hubspot


def test_F2_a_value_that_no_side_holds_is_put_to_the_deciding_one():
    """Then both count as agreed on what the other holds, in each side's own form."""
    assert weigh(choice(SF, 7, 1, 4), 1, 4) == Put(SF, (7,), Base({"A": 2}, {"a": 4}))
    assert weigh(choice(HS, 8, 1, 4), 1, 4, Rule.ALWAYS_SALESFORCE) == Put(SF, (4,), Base({"A": 2}, {"a": 4}))


def test_F2_a_value_that_the_deciding_side_holds_counts_as_its_edit():
    """Nothing is written there: only what both count as agreed on changes."""
    assert weigh(choice(SF, 1, 1, 4), 1, 4) == Count(Base({"A": 2}, {"a": 4}))


def test_F2_what_was_put_there_before_a_crash_is_not_put_again():
    """The deciding side holds the chosen value already, so it is an edit of it."""
    assert weigh(choice(SF, 7, 1, 4), 7, 4) == Count(Base({"A": 2}, {"a": 4}))


@pytest.mark.parametrize(
    ("here", "there", "done"),
    [
        (7, 14, True),
        (7, "14", True),
        (2, 4, False),
        (1, 6, False),
        (None, 6, False),
        (7, 6, False),
        (1, 14, False),
    ],
)
def test_F2_a_choice_is_void_once_it_is_done_or_a_side_was_edited(here, there, done):
    """Both hold the value: done. Either holds something that the person did not see: not done."""
    assert weigh(choice(SF, 7, 1, 4), here, there) == Void(done=done)


def test_F2_a_value_without_counterpart_is_not_done_where_the_other_side_was_edited():
    """The side that decides holds it, but the other one cannot mean the same."""
    assert weigh(choice(SF, "word", 1, 4), "word", 6) == Void(done=False)


@pytest.mark.parametrize("unread", ["A", "a"])
@pytest.mark.parametrize("here", [1, 7])
def test_F2_a_choice_is_void_where_a_side_is_not_read(unread, here):
    """Without both values nothing can be compared, be it done on the side that is read or not."""
    salesforce, hubspot = ({name: value} for name, value in {"A": here, "a": 4}.items())
    (salesforce if unread == "A" else hubspot).clear()
    assert weigh_choice(rule(), choice(SF, 7, 1, 4), salesforce, hubspot, None) == Void(done=False)


def test_F2_a_choice_that_both_sides_agree_on_already_is_done():
    """The side that decides holds the value, and the other one its counterpart."""
    assert weigh(choice(SF, 2, 2, 4), 2, 4) == Void(done=True)


def test_F2_a_value_without_counterpart_says_so():
    """It cannot be put to the side that decides."""
    assert weigh(choice(HS, "x", 1, 4), 1, 4, Rule.ALWAYS_SALESFORCE) == Cannot("not a number")


def test_F2_the_other_side_may_hold_what_has_no_counterpart():
    """Then both count as agreed on what the deciding side held, so the chosen value is its edit all the same."""
    assert weigh(choice(SF, 7, 1, "x"), 1, "x") == Put(SF, (7,), Base({"A": 1}, {"a": "x"}))


def plan(kind: Rule, given: Choice | None, here: object, there: object, base: Base):
    pair = Pair("p", "O", "o", (rule(kind),), frozenset(Side))
    link = Link(1, "p", "1", "2", LinkState.LINKED, SF, base)
    records = Record(SF, "O", "1", "", {"A": here}), Record(HS, "o", "2", "", {"a": there})
    situation = Situation(link, *records, choices={"A ↔ a": given} if given else {})
    return plan_link(pair, situation, None, frozenset())


def test_F2_a_held_conflict_goes_the_way_that_was_chosen():
    """`hold` plans nothing but a problem; with a choice, one write to the side that lost."""
    base = Base({"A": 0}, {"a": 0})
    [problem] = plan(Rule.HOLD, None, 1, 4, base)
    assert problem.code == "CONFLICT"
    [update] = plan(Rule.HOLD, choice(SF, 1, 1, 4), 1, 4, base)
    assert (update.to, update.values) == (HS, {"a": 2})
    assert update.settles == Base({"A": 1}, {"a": 2})


def test_F2_a_chosen_value_is_planned_with_its_reason():
    """The journal will say that a person chose it, and under which number."""
    [update] = plan(Rule.TWO_WAY, choice(SF, 7, 2, 4), 2, 4, Base({"A": 2}, {"a": 4}))
    [change] = update.changes
    assert (change.field, change.old, change.new, change.rule) == ("A", 2, 7, "F2")
    assert change.cause == "chosen by a person (run 9)"
    assert update.settles == Base({"A": 2}, {"a": 4})


def test_F2_a_void_choice_leaves_the_plan_as_it_is():
    """The ordinary merge decides."""
    base = Base({"A": 2}, {"a": 4})
    [update] = plan(Rule.TWO_WAY, choice(SF, 7, 1, 4), 2, 6, base)
    assert (update.to, update.values) == (SF, {"A": 3})
