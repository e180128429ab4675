"""What do the fields hold, in the records that were seen? From the store alone, and of a bounded number of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.core.model import Pair, Record, Side, Value
from connector.mapping.checks import Seen
from connector.store.store import Store

MOST, PAGE = 20_000, 1000
"""Records of one object and side that are looked at, and of them at a time."""


def look_at_fields(store: Store, pairs: Iterable[Pair]) -> dict[str, dict[tuple[Side, str], Seen]]:
    """What the mapped fields hold, by pair, then by side and field."""
    return {
        pair.name: {
            (side, name): one
            for side in Side
            for name, one in _look(store, side, pair.object(side), _names(pair, side)).items()
        }
        for pair in pairs
    }


def _names(pair: Pair, side: Side) -> list[str]:
    return list(dict.fromkeys(name for rule in pair.fields for name in rule.names(side)))


def _look(store: Store, side: Side, object_: str, names: Iterable[str]) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    wanted = list(names)
    after, looked_at = "", 0
    while looked_at < MOST and (some := store.records.page(side, object_, after, PAGE)):
        after, looked_at = some[-1].id, looked_at + len(some)
        found = tally(some, wanted, found)
    return found


def tally(records: Iterable[Record], names: Iterable[str], so_far: Mapping[str, Seen]) -> dict[str, Seen]:
    """What these records hold, added to what others did. A field that was never asked for does not count."""
    found = dict(so_far)
    wanted = list(names)
    for record in records:
        for name in wanted:
            if name in record.fields:
                found[name] = _add(found.get(name, Seen()), record.id, record.fields[name])
    return found


def _add(seen: Seen, id_: str, value: Value) -> Seen:
    if value is None or value == "":
        return Seen(seen.records + 1, seen.filled, seen.longest, seen.decimals, seen.longest_in)
    text = str(value)
    _, point, decimals = text.partition(".")
    places = len(decimals.rstrip("0")) if point and decimals.isdigit() else 0
    longer = len(text) > seen.longest
    return Seen(
        seen.records + 1,
        seen.filled + 1,
        max(seen.longest, len(text)),
        max(seen.decimals, places),
        id_ if longer else seen.longest_in,
    )
