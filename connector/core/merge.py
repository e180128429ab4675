"""Who moved, who wins? The three-way merge of one field.

Change is only ever detected against the *same* side's base, so the echo of our own write, and a lossy
conversion, look like nothing at all. The table (M = moved since the base, - = not):

    Salesforce  HubSpot   what happens
    equal in meaning      agree: the base moves, nothing is written (F2)
    -           -         nothing, even if unequal: nobody edited anything (F1)
    M           -         travels to HubSpot, if the rule lets it; else it is put back (F6)
    -           M         travels to Salesforce, if the rule lets it; else it is put back (F6)
    M           M         a conflict: the rule names the winner (F2)
    no base               a first meeting: the rule names the winner, but blank never beats filled two ways

Two ways, the side edited last wins. Of a conflict that is told by the history of the very field, where the CRM
keeps one, and by the record's last change where it does not (`Evidence`). A first meeting is no conflict, and
goes by the records: asking for histories would cost an import as many calls as all its reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connector.core.model import (
    Base,
    Cannot,
    FieldRule,
    Fields,
    Known,
    OnTargetEdit,
    Rule,
    Side,
    Value,
    Values,
)

SF, HS = Side.SALESFORCE, Side.HUBSPOT


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Agree:
    """Both sides mean the same: the base becomes what they hold now."""


@dataclass(frozen=True, slots=True)
class Write:
    """`values` go to side `to`. `why` is the rule id; a conflict overwrites an edit made on that side."""

    to: Side
    values: Values
    why: str
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """A true conflict that waits for a person."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """The winner's value has no counterpart on side `to`."""

    to: Side
    cannot: Cannot


Verdict = Keep | Agree | Write | Hold | Blocked


class Evidence(StrEnum):
    """How it is known when a value was edited."""

    PROPERTY_HISTORY = "the property's history"
    FIELD_HISTORY = "the field's history"
    RECORD = "the record's last change"
    UNDO = "an undo"
    """Nobody typed it anew: it is what lost against the other side's edit before, and was put back (X2)."""


@dataclass(frozen=True, slots=True)
class Edited:
    """When a side's value was edited, at the latest."""

    at: str
    by: Evidence


Edits = Mapping[Side, Edited]


def find_newer(edits: Edits) -> Side:
    """The side that was edited last; Salesforce if both were at once."""
    return HS if edits[HS].at > edits[SF].at else SF


def describe_edits(edits: Edits) -> str:
    """Which edit was the later one, and how that is known, for the journal."""
    newer = find_newer(edits)
    return f"edited later: {_tell(newer, edits[newer])}, {_tell(newer.other, edits[newer.other])}"


def _tell(side: Side, edited: Edited) -> str:
    if edited.by is Evidence.UNDO:
        return f"{side} before, which {edited.by} put back"
    return f"{side} at {edited.at} by {edited.by}"


def is_blank(values: Values) -> bool:
    return all(value is None or (isinstance(value, str) and not value.strip()) for value in values)


def is_same(one: Value, other: Value) -> bool:
    """Whether one side shows the same twice: blank is blank, and a number written as text comes back as text."""
    return one == other or _print(one) == _print(other)


def _print(value: Value) -> str:
    return "" if value is None else str(value)


def merge_field(
    rule: FieldRule, salesforce: Fields, hubspot: Fields, base: Base, newer: Side, known: Known
) -> Verdict:
    """Decide one field. `newer` is the side edited last; it only breaks two-way conflicts."""
    here = rule.values(SF, salesforce)
    there = rule.values(HS, hubspot)
    if rule.rule is Rule.DONT_SYNC or here is None or there is None:
        return Keep()
    agreed = _agreed(rule, base)
    if have_one_meaning(rule, here, there, known):
        return Keep() if (here, there) == agreed else Agree()
    first_meeting = agreed is None
    moved = _find_moved(rule, (here, there), agreed)
    if not (moved[SF] or moved[HS]):
        return Keep()
    winner = _winner(rule, {SF: here, HS: there}, moved, newer, first_meeting=first_meeting)
    if not isinstance(winner, Side):
        return winner
    carried = rule.transform.carry(winner.other, here if winner is SF else there, known)
    if isinstance(carried, Cannot):
        return Blocked(winner.other, carried)
    carried = rule.fit(winner.other, carried, there if winner is SF else here, known)
    conflict = moved[SF] and moved[HS] and not first_meeting
    why = "F6" if not moved[winner] else "F2" if conflict else "F1"
    return Write(winner.other, carried, why, conflict)


def is_contested(rule: FieldRule, salesforce: Fields, hubspot: Fields, base: Base, known: Known) -> bool:
    """Whether it matters which side was edited last: a two-way field, moved apart on both since they agreed."""
    here, there, agreed = rule.values(SF, salesforce), rule.values(HS, hubspot), _agreed(rule, base)
    if rule.rule is not Rule.TWO_WAY or here is None or there is None or agreed is None:
        return False
    return all(_find_moved(rule, (here, there), agreed).values()) and not have_one_meaning(rule, here, there, known)


def was_left(rule: FieldRule, salesforce: Fields, hubspot: Fields, base: Base, known: Known) -> bool:
    """Whether a field differs though nobody edited it: never carried, or left when it came to be mapped (T4).

    A default that stands for what has no counterpart differs as well, and is as it should be (A5, O9).
    """
    here, there, agreed = rule.values(SF, salesforce), rule.values(HS, hubspot), _agreed(rule, base)
    if here is None or there is None or have_one_meaning(rule, here, there, known):
        return False
    if _stands_in(rule, HS, here, there, known) or _stands_in(rule, SF, there, here, known):
        return False
    return agreed is None or not any(_find_moved(rule, (here, there), agreed).values())


def _stands_in(rule: FieldRule, to: Side, source: Values, target: Values, known: Known) -> bool:
    """Whether `target` holds the default of side `to` for a source that has nothing to offer."""
    if to not in rule.defaults or rule.defaults[to] != target:
        return False
    return is_blank(source) or isinstance(rule.transform.carry(to, source, known), Cannot)


def _agreed(rule: FieldRule, base: Base) -> tuple[Values, Values] | None:
    """What both sides held when they last agreed; None at a first meeting."""
    here, there = rule.values(SF, base.salesforce), rule.values(HS, base.hubspot)
    return None if here is None or there is None else (here, there)


def _find_moved(
    rule: FieldRule, now: tuple[Values, Values], agreed: tuple[Values, Values] | None
) -> dict[Side, bool]:
    """Which sides moved since they agreed; both, if they never did."""
    if agreed is None:
        return dict.fromkeys(Side, True)
    sides = zip(Side, now, agreed, strict=True)
    return {side: _differ(rule, side, one, before) for side, one, before in sides}


def have_one_meaning(rule: FieldRule, salesforce: Values, hubspot: Values, known: Known) -> bool:
    """Whether two values mean the same, seen from either side (F2): one conversion that meets is enough."""
    if is_blank(salesforce) and is_blank(hubspot):
        return True
    forth = rule.transform.carry(HS, salesforce, known)
    if not isinstance(forth, Cannot) and not _differ(rule, HS, forth, hubspot):
        return True
    back = rule.transform.carry(SF, hubspot, known)
    return not isinstance(back, Cannot) and not _differ(rule, SF, back, salesforce)


def _differ(rule: FieldRule, side: Side, one: Values, other: Values) -> bool:
    return rule.transform.meaning(side, one) != rule.transform.meaning(side, other)


def _winner(
    rule: FieldRule, values: dict[Side, Values], moved: dict[Side, bool], newer: Side, *, first_meeting: bool
) -> Side | Keep | Hold:
    both = moved[SF] and moved[HS]
    match rule.rule:
        case Rule.ALWAYS_SALESFORCE:
            return _one_way(rule, SF, moved)
        case Rule.ALWAYS_HUBSPOT:
            return _one_way(rule, HS, moved)
        case Rule.PREFER_SALESFORCE_UNLESS_BLANK:
            if not is_blank(values[SF]):
                return _one_way(rule, SF, moved)
            # Blank in Salesforce: its clearing travels, unless HubSpot has an edit to fill it with.
            return HS if moved[HS] else SF
        case _ if first_meeting and is_blank(values[SF]) != is_blank(values[HS]):
            return HS if is_blank(values[SF]) else SF
        case Rule.HOLD if both:
            return Hold()
        case _ if both:
            return newer
        case _:
            return SF if moved[SF] else HS


def _one_way(rule: FieldRule, source: Side, moved: dict[Side, bool]) -> Side | Keep:
    if not moved[source] and rule.on_target_edit is OnTargetEdit.LEAVE:
        return Keep()
    return source
