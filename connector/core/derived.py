"""What follows from the deals of a contact or a company: rollups (U) and lifecycle (L), in one update.

Also the stage that a new record begins with (L6), which goes along with its creation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from connector.core.actions import Creation, Update
from connector.core.lifecycle import (
    LifecycleSettings,
    Move,
    Person,
    choose_move,
    fallback_moves,
    is_ahead,
    role_moves,
    won_close_date,
)
from connector.core.model import Change, FieldRule, Link, Pair, Record, Rule, Side, Value
from connector.core.rollups import NUMBER, Rollup
from connector.core.rollups import RULES as ROLLUP_RULES

LIFECYCLE_STAGE = "lifecyclestage"


@dataclass(frozen=True, slots=True)
class Derivation:
    """All that the derived values of one linked contact or company depend on.

    `targets` names the property that takes each rollup on this object (U7), and `close_date`,
    `days_to_close` those of L3; None where the portal offers none.
    """

    pair: Pair
    link: Link
    record: Record
    person: Person
    rollup: Rollup
    targets: Mapping[str, str]
    close_date: str | None = None
    days_to_close: str | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """The update that derived values need, if any, and moves for others.

    Of a contact, those that L5 hands on to its colleagues; of a company, those of the account fallback (L7).
    """

    update: Update | None
    handed_on: tuple[Move, ...] = ()


def plan_derived(derivation: Derivation, settings: LifecycleSettings, order: Mapping[str, int]) -> Derived:
    """Rollups (U) and the lifecycle (L) of one record, in one update."""
    fields = derivation.record.fields
    changes = [
        Change(target, fields.get(target), derivation.rollup.values[name], ROLLUP_RULES[name], "its deals")
        for name, target in derivation.targets.items()
        if not _same_text(fields.get(target), derivation.rollup.values[name])
        and not (name == NUMBER and derivation.rollup.values[name] == "0" and not fields.get(target))
    ]
    person = derivation.person
    move = choose_move(person, settings, order)
    if move is not None:
        changes.append(Change(LIFECYCLE_STAGE, person.stage, move.stage, move.rule, move.cause))
    changes += _plan_close_date(derivation, settings)
    handed = _hand_on(person, settings, order)
    if not changes:
        return Derived(None, handed)
    link = derivation.link
    pair = derivation.pair
    update = Update(pair.name, Side.HUBSPOT, pair.hubspot, link, derivation.record.id, tuple(changes))
    return Derived(update, handed)


def begin_with_stage(
    creation: Creation, pair: Pair, settings: LifecycleSettings, order: Mapping[str, int]
) -> Creation:
    """A new contact or company begins with the chosen stage, unless the mapping gives it one (L6)."""
    rule = stage_rule(pair)
    decided = LIFECYCLE_STAGE in creation.values or (rule is not None and rule.rule is Rule.ALWAYS_SALESFORCE)
    if creation.to is not Side.HUBSPOT or settings.new_record not in order or decided:
        return creation
    cause = f"{creation.source.object} {creation.source.id} appeared"
    first = Change(LIFECYCLE_STAGE, None, settings.new_record, "L6", cause)
    return replace(creation, changes=(*creation.changes, first))


def stage_rule(pair: Pair) -> FieldRule | None:
    """The mapping rule that the lifecycle stage has, if it is mapped at all."""
    return next((rule for rule in pair.fields if rule.hubspot == (LIFECYCLE_STAGE,)), None)


def follows_salesforce(pair: Pair, link: Link) -> bool:
    """Whether the mapping puts Salesforce's value over any other: then no event moves the stage.

    By `prefer_salesforce_unless_blank` that is so as long as the Salesforce field is filled.
    """
    rule = stage_rule(pair)
    if rule is None:
        return False
    filled = any(rule.values(Side.SALESFORCE, link.base.salesforce) or ())
    return rule.rule is Rule.ALWAYS_SALESFORCE or (rule.rule is Rule.PREFER_SALESFORCE_UNLESS_BLANK and filled)


def _hand_on(person: Person, settings: LifecycleSettings, order: Mapping[str, int]) -> tuple[Move, ...]:
    if not person.is_contact:
        return tuple(fallback_moves(person.deals, settings))
    if not settings.company_to_contacts or person.follows_salesforce:
        return ()
    own = [one for one in role_moves(person.deals, settings) if is_ahead(one.stage, person.stage, order)]
    return tuple(replace(one, rule="L5", cause=f"{one.cause} of a colleague") for one in own)


def _same_text(one: Value, other: Value) -> bool:
    """Whether two derived values are the same as HubSpot prints them; times compare to the second."""
    first, second = ("" if value is None else str(value) for value in (one, other))
    return first[:19] == second[:19] if "T" in first else first == second


def _plan_close_date(derivation: Derivation, settings: LifecycleSettings) -> Iterable[Change]:
    """Close date of the deal just won, and the days it took, each written only while empty (L3).

    Where somebody, or HubSpot itself, was first with the close date, the days are those until that date.
    """
    fields = derivation.record.fields
    deal = won_close_date(derivation.person, settings)
    if deal is None or derivation.close_date is None:
        return
    cause = f"deal {deal.deal_id} won"
    closed = str(fields.get(derivation.close_date) or deal.close_date)
    if not fields.get(derivation.close_date):
        yield Change(derivation.close_date, None, closed, "L3", cause)
    if derivation.days_to_close and fields.get(derivation.days_to_close) in (None, ""):
        days = _days_between(derivation.record.created, closed)
        if days is not None:
            yield Change(derivation.days_to_close, None, str(days), "L3", cause)


def _days_between(first: str, last: str) -> int | None:
    """None where either is no date: the property that takes the close date may hold any text."""
    try:
        return max((date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days, 0)
    except ValueError:
        return None
