"""How does one record stand: is it known, due, waiting, out of scope; and since when is its pair linked?

What a run asks about thousands of records at once is in `records.py` and `links.py`; here is what a person asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, select

from connector.core.model import Presence, Side
from connector.store.database import Database
from connector.store.journal import is_due
from connector.store.schema import link, problem, record, role, run, waiting


@dataclass(frozen=True, slots=True)
class Standing:
    """What is noted of a record beside what was seen of it."""

    due: bool
    out_of_scope: bool
    waits_for: tuple[tuple[str, Side, str], ...]
    """(pair, side, id) of each record whose link it needs (R5)."""


@dataclass(frozen=True, slots=True)
class Linking:
    """When a pair was linked, and by what it was found.

    `matched_on` is a match key's name, or `hand`; None where its partner was made, or it is not known. `run` and
    `at` are None while nothing is linked yet.
    """

    run: int | None
    at: str | None
    matched_on: str | None


class Standings:
    """Questions about single records of one connection."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def find(self, id_: str) -> list[tuple[Side, str]]:
        """The (side, object) of every record that was seen with this id."""
        mine = and_(record.c.connection_id == self._db.connection_id, record.c.id == id_)
        rows = self._db.fetch(select(record.c.side, record.c.object).where(mine).order_by(record.c.object))
        return [(Side(row.side), row.object) for row in rows]

    def of(self, side: Side, object_: str, id_: str) -> Standing:
        """How a record stands; of one that was never seen, as if nothing were to be done with it."""
        mine = (self._db.connection_id, side.value, object_, id_)
        columns = (record.c.connection_id, record.c.side, record.c.object, record.c.id)
        known = [column == value for column, value in zip(columns, mine, strict=True)]
        rows = self._db.fetch(select(record.c.dirty, record.c.out_of_scope).where(*known))
        columns = (waiting.c.connection_id, waiting.c.side, waiting.c.object, waiting.c.record_id)
        sleeping = [column == value for column, value in zip(columns, mine, strict=True)]
        needs = self._db.fetch(
            select(waiting.c.pair, waiting.c.needs_side, waiting.c.needs_id)
            .where(*sleeping)
            .order_by(waiting.c.pair, waiting.c.needs_id)
        )
        return Standing(
            due=bool(rows and rows[0].dirty),
            out_of_scope=bool(rows and rows[0].out_of_scope),
            waits_for=tuple((row.pair, Side(row.needs_side), row.needs_id) for row in needs),
        )

    def linking(self, link_id: int) -> Linking:
        """Since when a link holds, and by what its records were found to be one."""
        rows = self._db.fetch(
            select(link.c.linked_run, link.c.matched_on, run.c.started)
            .join(run, run.c.id == link.c.linked_run, isouter=True)
            .where(link.c.id == link_id)
        )
        found = ((row.linked_run, row.started, row.matched_on) for row in rows)
        return Linking(*next(found, (None, None, None)))

    def opportunity_of(self, role_id: str) -> str | None:
        """The opportunity of a contact role."""
        mine = and_(role.c.connection_id == self._db.connection_id, role.c.id == role_id)
        return next((row.opportunity_id for row in self._db.fetch(select(role.c.opportunity_id).where(mine))), None)

    def count_due(self) -> dict[tuple[Side, str], int]:
        """Records to be looked at by the next run, by side and object."""
        mine = and_(record.c.connection_id == self._db.connection_id, record.c.dirty)
        rows = self._db.fetch(
            select(record.c.side, record.c.object, func.count().label("number"))
            .where(mine)
            .group_by(record.c.side, record.c.object)
            .order_by(record.c.object)
        )
        return {(Side(row.side), row.object): row.number for row in rows}

    def count_retries(self, now: str) -> int:
        """Problems whose next try is due."""
        mine = and_(problem.c.connection_id == self._db.connection_id, is_due(now))
        return int(self._db.fetch(select(func.count()).where(mine))[0][0])

    def count_seen(self) -> int:
        """Records that are there, of both sides."""
        present = record.c.presence == Presence.PRESENT.value
        mine = and_(record.c.connection_id == self._db.connection_id, present)
        return int(self._db.fetch(select(func.count()).where(mine))[0][0])
