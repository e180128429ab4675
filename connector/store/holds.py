"""What is not to be written again, because the run that wrote it was undone (X2).

A hold names one value of one place: it ends when something else is to be written there, when both sides agree on
it, or when a person lets it go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, select, update

from connector.core.model import Side, Value
from connector.store.database import Database, chunks, close_up, dump, load
from connector.store.schema import held


@dataclass(frozen=True, slots=True)
class Place:
    """What a write is about. `record`: of a creation its source's id, of a role `deal/contact` on that side."""

    verb: str
    side: Side
    object: str
    record: str


class Holds:
    """Holds of one connection, by the run that was undone."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def hold(self, run_id: int, places: Mapping[Place, Mapping[str, Value]]) -> None:
        """Hold values: place -> field -> what is not to be written, beside what is held there already."""
        known = self.of_run(run_id)
        rows = [
            {
                "connection_id": self._db.connection_id,
                "run_id": run_id,
                "verb": place.verb,
                "side": place.side.value,
                "object": place.object,
                "record": place.record,
                "field": name,
                "new": dump(
                    [close_up(one) for one in (*_others(known.get(place, {}).get(name, ()), value), value)]
                ),
            }
            for place, values in places.items()
            for name, value in self._db.veil.hide_fields(place.side, place.object, values).items()
        ]
        self._db.upsert(held, rows, update=["new"])

    def at(self, place: Place) -> dict[str, list[Value]]:
        """What is held at a place: field -> values, of as many runs as hold one."""
        found: dict[str, list[Value]] = {}
        for row in self._db.fetch(select(held.c.field, held.c.new).where(self._is(place))):
            found.setdefault(row.field, []).extend(self._open(row.new))
        return found

    def end(self, place: Place, fields: Iterable[str] | None = None) -> None:
        """The source has moved on: these fields (or all) of a place are held no more."""
        for some in chunks(fields) if fields is not None else [None]:
            about = held.c.field.in_(some) if some is not None else held.c.field.is_not(None)
            self._db.execute(delete(held).where(self._is(place), about))

    def of_run(self, run_id: int) -> dict[Place, dict[str, list[Value]]]:
        """What is held since a run was undone: field -> values, by place."""
        found: dict[Place, dict[str, list[Value]]] = {}
        rows = self._db.fetch(select(held).where(self._mine, held.c.run_id == run_id).order_by(*held.primary_key))
        for row in rows:
            place = Place(row.verb, Side(row.side), row.object, row.record)
            found.setdefault(place, {})[row.field] = self._open(row.new)
        return found

    def of_record(self, side: Side, object_: str, ids: Iterable[str]) -> list[dict[str, Any]]:
        """What is held of records, named by id or `deal/contact`: {"run", "verb", "record", "field", "values"}."""
        found: list[dict[str, Any]] = []
        for some in chunks(ids):
            mine = and_(self._mine, held.c.side == side.value, held.c.object == object_, held.c.record.in_(some))
            names = ("verb", "record", "field")
            found += [
                {"run": row.run_id, **{name: getattr(row, name) for name in names}, "values": self._open(row.new)}
                for row in self._db.fetch(select(held).where(mine).order_by(*held.primary_key))
            ]
        return found

    def count(self) -> dict[int, int]:
        """The number of writes held, by the run that was undone."""
        places = select(held.c.run_id, held.c.verb, held.c.side, held.c.object, held.c.record).where(self._mine)
        distinct = places.distinct().subquery()
        rows = self._db.fetch(
            select(distinct.c.run_id, func.count().label("number")).group_by(distinct.c.run_id).order_by("run_id")
        )
        return {row.run_id: row.number for row in rows}

    def lift(self, run_id: int) -> None:
        """Let go of all that is held since a run was undone."""
        self._db.execute(delete(held).where(self._mine, held.c.run_id == run_id))

    def hide_former(self) -> Iterator[int]:
        """Hide what is held of fields that are personal by now. Yields how many values were changed."""
        number = 0
        for row in self._db.fetch(select(held).where(self._mine, held.c.new.is_not(None))):
            values = [self._db.veil.hide(Side(row.side), row.object, row.field, one) for one in self._open(row.new)]
            kept = dump([close_up(one) for one in values])
            if kept != row.new:
                key = [column == getattr(row, column.name) for column in held.primary_key.columns]
                self._db.execute(update(held).where(*key).values(new=kept))
                number += 1
        yield number

    def _open(self, kept: str | None) -> list[Value]:
        return [self._db.open_up(one) for one in load(kept) or ()]

    @property
    def _mine(self) -> Any:
        return held.c.connection_id == self._db.connection_id

    def _is(self, place: Place) -> Any:
        return and_(
            self._mine,
            held.c.verb == place.verb,
            held.c.side == place.side.value,
            held.c.object == place.object,
            held.c.record == place.record,
        )


def _others(values: Iterable[Value], value: Value) -> list[Value]:
    return [one for one in values if one != value]
