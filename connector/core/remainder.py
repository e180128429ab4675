"""What is left of a write when a CRM refuses some of its fields? One bad field never drops the record (F4).

| write    | what becomes of a refused field                             | what the base says of it then           |
|----------|-------------------------------------------------------------|-----------------------------------------|
| update   | it is left out, with those that only make sense beside it   | what it said before: the edit waits     |
| creation | the same, unless the partner needs it: then there is none   | blank at its source: its value is new   |
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from connector.core.actions import Creation, Update
from connector.core.model import Base, FieldRule, Fields, Pair, Record, Side, Value
from connector.core.plan import CLOSE_DATE, STAGE, repeat_close_date


def leave_out_of_update(
    pair: Pair, update: Update, refused: Collection[str], closed_stages: Collection[Value]
) -> Update | None:
    """The update without these fields; None if nothing of it is left, or if it is not about them at all.

    A stage that closes keeps a close date beside it: the one that is there, in place of one that is left out (F7).
    """
    out = {*refused, *_names(_rules_about(pair, update.to, refused), update.to)}
    if STAGE in out:
        out |= {change.field for change in update.changes if change.rule == "F7"}  # the date of that stage
    rules = _rules_about(pair, update.to, out)
    changes = tuple(change for change in update.changes if change.field not in out)
    if not changes or len(changes) == len(update.changes):
        return None
    settles = Base(
        _without(update.settles.salesforce, _names(rules, Side.SALESFORCE)),
        _without(update.settles.hubspot, _names(rules, Side.HUBSPOT)),
    )
    if any(one.field == STAGE and one.new in closed_stages for one in changes):
        changes += tuple(
            repeat_close_date(update.object, update.record_id, one.old)
            for one in update.changes
            if one.field == CLOSE_DATE and one.field in out and one.old and one.old != one.new
        )
    return replace(update, changes=changes, settles=settles, clears_first=update.clears_first - out)


def leave_out_of_creation(pair: Pair, creation: Creation, refused: Collection[str]) -> Creation | None:
    """The creation without these fields; None if it needs one of them, or if it is not about them at all."""
    rules = _rules_about(pair, creation.to, refused)
    out = {*refused, *_names(rules, creation.to)}
    changes = tuple(change for change in creation.changes if change.field not in out)
    needed = {*pair.required.get(creation.to, ()), pair.partner_field.get(creation.to)}
    if out & needed or not changes or len(changes) == len(creation.changes):
        return None
    base = creation.base.merged(base_of_left_out(pair, creation.to, refused, {}))
    return replace(creation, changes=changes, base=base)


def find_left_out(pair: Pair, noted: Base, source: Record, made: Record) -> set[str]:
    """The fields of a new record that were left out of its creation, although its source has a value for them.

    One was refused, or has no counterpart there: nothing of it is in the base that was `noted`.
    """
    held = {
        name
        for rule in pair.fields
        if any(source.fields.get(one) for one in rule.names(source.side))
        for name in rule.names(made.side)
    }
    given = noted.salesforce if made.side is Side.SALESFORCE else noted.hubspot
    return {name for name in held & made.fields.keys() if given.get(name) is None}


def base_of_left_out(pair: Pair, to: Side, refused: Collection[str], now: Fields) -> Base:
    """What both sides agree of the fields that a creation on side `to` left out.

    Nothing at their source, so that their values are edits that have yet to travel; and on the new record what it
    holds `now`, so that what the CRM filled in by itself is nobody's edit and does not travel back.
    """
    rules = _rules_about(pair, to, refused)
    blank: Fields = dict.fromkeys(_names(rules, to.other))
    return Base.make(to.other, blank, {name: now.get(name) for name in _names(rules, to)})


def _rules_about(pair: Pair, side: Side, fields: Collection[str]) -> list[FieldRule]:
    return [rule for rule in pair.fields if any(name in fields for name in rule.names(side))]


def _names(rules: Collection[FieldRule], side: Side) -> list[str]:
    return [name for rule in rules for name in rule.names(side)]


def _without(fields: Fields, names: Collection[str]) -> Fields:
    return {name: value for name, value in fields.items() if name not in names}
