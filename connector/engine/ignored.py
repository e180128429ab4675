"""Which problems has a person said to ignore, and are they still what they were then?

Another code, another detail or another refused value, and a problem is open again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.core.model import Side, Value
from connector.store.journal import Place
from connector.store.store import Store


def place_of(row: Mapping[str, Any]) -> Place:
    """Where a problem is, as the store gives it."""
    return Side(row["side"]), row["object"], row["record_id"], row["field"]


def count_open(store: Store) -> int:
    """Problems that nobody has hidden."""
    return store.problems.count() - len(find_ignored(store))


def find_refused(store: Store, place: Place) -> Value:
    """The value that a CRM did not accept, where one field is at fault."""
    side, object_, record_id, name = place
    return store.journal.refused_values(side, object_, record_id).get(name) if name else None


def find_ignored(store: Store) -> dict[Place, str]:
    """Since when problems are ignored that have not changed, by place."""
    noted = store.problems.ignored()
    if not noted:
        return {}
    now = {place_of(row): (row["code"], row["detail"]) for row in store.problems.all()}
    return {
        place: str(one["at"])
        for place, one in noted.items()
        if now.get(place) == (one["code"], one["detail"]) and find_refused(store, place) == one["value"]
    }
