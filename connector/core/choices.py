"""A person chose a value for a field that both sides had edited: what does that come to? (F2)

There is no second way to write. The value goes to the side whose edits the field's rule lets through, and from then
on both sides count as having agreed on what the *other* one holds: so the value is an edit of that side, and the
ordinary merge carries it over, in the next round of the same run.

| rule                                                     | the side that decides       |
|----------------------------------------------------------|-----------------------------|
| two_way, hold                                            | the one the value is of     |
| always_salesforce, prefer_salesforce_unless_blank        | Salesforce                  |
| always_hubspot                                           | HubSpot                     |

A choice is about what both sides held when it was made: if either was edited since, it is void.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.core.model import Base, Cannot, FieldRule, Fields, Known, Rule, Side, Values

CHOSEN = "chosen by a person"
"""How the cause of what a person chose begins, in a plan and in the journal."""
_SOURCES = {
    Rule.ALWAYS_SALESFORCE: Side.SALESFORCE,
    Rule.PREFER_SALESFORCE_UNLESS_BLANK: Side.SALESFORCE,
    Rule.ALWAYS_HUBSPOT: Side.HUBSPOT,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """`wanted` in the form of `side`, for the field of a link whose rule has the label `field`.

    `seen` is what both sides held when a person chose, `run` the number under which that is noted.
    """

    link_id: int
    field: str
    side: Side
    wanted: Values
    seen: Mapping[Side, Values]
    run: int

    @property
    def cause(self) -> str:
        return f"{CHOSEN} (run {self.run})"


@dataclass(frozen=True, slots=True)
class Void:
    """A side was edited since, or both hold the value by now: nothing is left of the choice."""

    done: bool


@dataclass(frozen=True, slots=True)
class Put:
    """`values` go to side `to`; then both count as agreed on `base`."""

    to: Side
    values: Values
    base: Base


@dataclass(frozen=True, slots=True)
class Count:
    """The deciding side holds it already: both count as agreed on `base`, so that it is an edit."""

    base: Base


def find_decider(rule: FieldRule, side: Side) -> Side:
    """The side whose edits travel by this rule, for a value of `side`."""
    return _SOURCES.get(rule.rule, side)


def weigh_choice(
    rule: FieldRule, choice: Choice, salesforce: Fields, hubspot: Fields, known: Known
) -> Void | Put | Count | Cannot:
    """What is left to do for a choice, given what both sides hold now."""
    now = {side: rule.values(side, fields) for side, fields in zip(Side, (salesforce, hubspot), strict=True)}
    to = find_decider(rule, choice.side)
    here, there = now[to], now[to.other]
    target = choice.wanted if to is choice.side else rule.transform.carry(to, choice.wanted, known)
    if here is None or there is None:
        return Void(done=False)
    if isinstance(target, Cannot):
        return target
    holds = _alike(rule, to, here, target)
    if there != choice.seen[to.other]:
        carried = rule.transform.carry(to.other, target, known)
        return Void(done=holds and not isinstance(carried, Cannot) and _alike(rule, to.other, there, carried))
    if not holds and here != choice.seen[to]:
        return Void(done=False)
    agreed = rule.transform.carry(to, there, known)
    before = here if isinstance(agreed, Cannot) else agreed
    base = Base.make(
        to,
        dict(zip(rule.names(to), before, strict=True)),
        dict(zip(rule.names(to.other), there, strict=True)),
    )
    if holds:
        return Void(done=True) if _alike(rule, to, here, before) else Count(base)
    return Put(to, target, base)


def _alike(rule: FieldRule, side: Side, one: Values, other: Values) -> bool:
    return rule.transform.meaning(side, one) == rule.transform.meaning(side, other)
