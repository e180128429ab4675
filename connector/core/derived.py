"""What follows from the deals of a contact or a company: rollups (U) and lifecycle (L), in one update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from connector.core.actions import Update
from connector.core.lifecycle import LifecycleSettings, Move, Person, choose_move, is_ahead, role_moves
from connector.core.lifecycle import won_close_date as find_won_close_date
from connector.core.model import Change, Link, Pair, Record, Side, Value
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
    """The update that derived values need, if any, and the L7 moves that L5 hands on to colleagues."""

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
    handed: tuple[Move, ...] = ()
    if person.is_contact and settings.company_to_contacts:
        own = [one for one in role_moves(person.deals, settings) if is_ahead(one.stage, person.stage, order)]
        handed = tuple(replace(one, rule="L5", cause=f"{one.cause} of a colleague") for one in own)
    if not changes:
        return Derived(None, handed)
    link = derivation.link
    pair = derivation.pair
    update = Update(pair.name, Side.HUBSPOT, pair.hubspot, link, derivation.record.id, tuple(changes))
    return Derived(update, handed)


def _same_text(one: Value, other: Value) -> bool:
    """Whether two derived values are the same as HubSpot prints them; times compare to the second."""
    if one in (None, "") or other in (None, ""):
        return (one or None) == (other or None)
    first, second = str(one), str(other)
    if "T" in first and "T" in second:
        return first[:19] == second[:19]
    return first == second


def _plan_close_date(derivation: Derivation, settings: LifecycleSettings) -> Iterable[Change]:
    """Close date and days to close of the deal just won, written only while empty (L3)."""
    fields = derivation.record.fields
    deal = find_won_close_date(derivation.person.deals, settings)
    if deal is None or deal.close_date is None or derivation.close_date is None:
        return
    if fields.get(derivation.close_date):
        return
    cause = f"deal {deal.deal_id} won"
    yield Change(derivation.close_date, None, deal.close_date, "L3", cause)
    created = derivation.record.created
    if derivation.days_to_close and created:
        days = _days_between(created, deal.close_date)
        yield Change(derivation.days_to_close, fields.get(derivation.days_to_close), str(days), "L3", cause)


def _days_between(first: str, last: str) -> int:
    return max((date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days, 0)
