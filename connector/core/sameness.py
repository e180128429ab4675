"""Does a record still hold what was written to it? By what its mapping means, or as a CRM prints it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal, InvalidOperation

from connector.core.hiding import Hidden
from connector.core.model import FieldRule, Fields, Pair, Record, Side, Value


def same_value(one: Value, other: Value) -> bool:
    """Whether two values are the same as a CRM prints them; times compare to the second."""
    if isinstance(one, Hidden) or isinstance(other, Hidden):
        return one == other
    if one in (None, "") or other in (None, ""):
        return (one or None) == (other or None) or (one in (None, "") and other in (None, ""))
    first, second = str(one), str(other)
    if "T" in first and "T" in second:
        return first[:19] == second[:19]
    return first == second or _number(first) == _number(second) is not None


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


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
