"""Does a record still hold what was written to it? By what its mapping means, or as a CRM prints it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from connector.core.hiding import Hidden
from connector.core.model import FieldRule, Fields, Pair, Record, Side, Value


def same_value(one: Value, other: Value) -> bool:
    """Whether two values are the same as a CRM prints them: numbers by their value, times by the second."""
    if isinstance(one, Hidden) or isinstance(other, Hidden):
        return one == other
    first, second = ("" if value is None else str(value) for value in (one, other))
    return first == second or any(read(first) == read(second) is not None for read in (_read_number, _read_time))


def _read_number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _read_time(text: str) -> datetime | None:
    """A date and a time of day, as ISO 8601 has them; a date alone is none."""
    if text[10:11] != "T":
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.replace(microsecond=0, tzinfo=time.tzinfo or UTC)


def same_fields(pair: Pair, side: Side, names: Collection[str], one: Fields, other: Fields) -> bool:
    """Whether two records mean the same by these fields, as far as both are known."""
    for rule, group in group_fields(pair, side, names):
        known = [name for name in group if name in one and name in other]
        if rule is not None and len(known) == len(rule.names(side)):
            if not _means_same(rule, side, one, other):
                return False
        elif not all(same_value(one[name], other[name]) for name in known):
            return False
    return True


def _means_same(rule: FieldRule, side: Side, one: Fields, other: Fields) -> bool:
    first, second = (tuple(each[name] for name in rule.names(side)) for each in (one, other))
    if any(isinstance(value, Hidden) for value in (*first, *second)):
        return first == second
    return rule.transform.meaning(side, first) == rule.transform.meaning(side, second)


def group_fields(
    pair: Pair, side: Side, names: Iterable[str]
) -> Iterator[tuple[FieldRule | None, tuple[str, ...]]]:
    """Fields by the rule that they have in common; those without one stand alone."""
    left = dict.fromkeys(names)
    for rule in pair.fields:
        own = tuple(name for name in rule.names(side) if name in left)
        if own:
            yield rule, own
            for name in own:
                del left[name]
    for name in left:
        yield None, (name,)


def fields_of(record: Record, pair: Pair) -> dict[str, Value]:
    """A record's fields, and the partner's id that it stores."""
    partner = pair.partner_field.get(record.side)
    return {**record.fields, **({partner: record.partner_id} if partner else {})}
