"""Imports: what was selected, how far it came, and what became of each record, so that a killed one goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update

from connector.store.database import Database, chunks, dump, load
from connector.store.schema import import_, import_row, journal, link, record, waiting

PAGE = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one record. `key`: by what its partner was found. `detail`: why, in words.

    Of a line of a file `fingerprint` tells its content from that of others.
    """

    object: str
    record_id: str
    outcome: str
    key: str = ""
    partner_id: str | None = None
    detail: str = ""
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An import under way. `selection` and `progress` are its own affair."""

    id: int
    selection: dict[str, Any]
    progress: dict[str, Any]
    started: str


class Imports:
    """Imports of one connection; at most one is open at a time."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._db = database
        self._now = now

    def begin(self, selection: Mapping[str, Any], progress: Mapping[str, Any]) -> Unfinished:
        started = self._now().isoformat()
        row = {
            "connection_id": self._db.connection_id,
            "state": "open",
            "selection": dump(dict(selection)),
            "progress": dump(dict(progress)),
            "started": started,
        }
        number = int(self._db.execute(insert(import_).values(row)).inserted_primary_key[0])
        return Unfinished(number, dict(selection), dict(progress), started)

    def unfinished(self) -> Unfinished | None:
        """The import that was begun and is neither done nor abandoned."""
        mine = (import_.c.connection_id == self._db.connection_id, import_.c.state == "open")
        rows = self._db.fetch(select(import_).where(*mine).order_by(import_.c.id.desc()).limit(1))
        return (
            Unfinished(rows[0].id, load(rows[0].selection), load(rows[0].progress), rows[0].started)
            if rows
            else None
        )

    def save(self, number: int, progress: Mapping[str, Any]) -> None:
        """How far it came."""
        self._db.execute(update(import_).where(import_.c.id == number).values(progress=dump(dict(progress))))

    def finish(self, number: int, state: str = "done") -> None:
        """End it: `done`, or `abandoned`."""
        values = {"state": state, "finished": self._now().isoformat()}
        self._db.execute(update(import_).where(import_.c.id == number).values(values))

    # --- what became of its records ---

    def note(self, number: int, rows: Iterable[Row]) -> None:
        """Note what became of records; the latest news of one counts."""
        values = [
            {
                "import_id": number,
                "object": one.object,
                "record_id": one.record_id,
                "outcome": one.outcome,
                "key": one.key,
                "partner_id": one.partner_id,
                "detail": one.detail,
                "fingerprint": one.fingerprint,
            }
            for one in rows
        ]
        self._db.upsert(import_row, values, update=["outcome", "key", "partner_id", "detail", "fingerprint"])

    def known(self, number: int, object_: str, ids: Iterable[str]) -> dict[str, Row]:
        """What was noted of records, by id."""
        found: dict[str, Row] = {}
        for some in chunks(ids):
            mine = (import_row.c.import_id == number, import_row.c.object == object_)
            rows = self._db.fetch(select(import_row).where(*mine, import_row.c.record_id.in_(some)))
            found |= {row.record_id: _row(row) for row in rows}
        return found

    def made_of(self, object_: str, fingerprints: Iterable[str]) -> dict[str, str]:
        """The records that any import of this connection made or found of lines, by the lines' fingerprints."""
        found: dict[str, str] = {}
        for some in chunks(fingerprints):
            rows = self._db.fetch(
                select(import_row.c.fingerprint, import_row.c.partner_id)
                .join(import_, import_.c.id == import_row.c.import_id)
                .where(
                    import_.c.connection_id == self._db.connection_id,
                    import_row.c.object == object_,
                    import_row.c.fingerprint.in_(some),
                    import_row.c.partner_id.is_not(None),
                )
                .order_by(import_row.c.import_id)
            )
            found |= {row.fingerprint: row.partner_id for row in rows}
        return found

    def partners_among(self, number: int, ids: Iterable[str]) -> set[str]:
        """Of these records those that the import made or found."""
        found: set[str] = set()
        for some in chunks(ids):
            rows = self._db.fetch(
                select(import_row.c.partner_id).where(
                    import_row.c.import_id == number, import_row.c.partner_id.in_(some)
                )
            )
            found |= {row.partner_id for row in rows}
        return found

    def rows(self, number: int) -> Iterator[Row]:
        """All that was noted, by object and id; a page at a time, so that nothing holds all of it."""
        after = ("", "")
        while True:
            beyond = or_(
                import_row.c.object > after[0],
                (import_row.c.object == after[0]) & (import_row.c.record_id > after[1]),
            )
            some = self._db.fetch(
                select(import_row)
                .where(import_row.c.import_id == number, beyond)
                .order_by(import_row.c.object, import_row.c.record_id)
                .limit(PAGE)
            )
            yield from (_row(one) for one in some)
            if len(some) < PAGE:
                return
            after = (some[-1].object, some[-1].record_id)

    def counts(self, number: int) -> list[tuple[str, str, str, int]]:
        """How many records there are of each (object, outcome, key)."""
        columns = (import_row.c.object, import_row.c.outcome, import_row.c.key)
        rows = self._db.fetch(
            select(*columns, func.count().label("number"))
            .where(import_row.c.import_id == number)
            .group_by(*columns)
            .order_by(*columns)
        )
        return [(row.object, row.outcome, row.key, int(row.number)) for row in rows]

    # --- what can be told of records afterwards ---

    def written(self, runs: Sequence[int], links: Iterable[int]) -> dict[int, set[str]]:
        """By link: what these runs did to its records (`create`, `update`), or began to and may have done."""
        found: dict[int, set[str]] = {}
        for some in chunks(str(one) for one in links):
            rows = self._db.fetch(
                select(journal.c.link_id, journal.c.verb)
                .where(
                    journal.c.connection_id == self._db.connection_id,
                    journal.c.run_id.in_(runs),
                    journal.c.link_id.in_([int(one) for one in some]),
                    journal.c.verb.in_(("create", "update")),
                    journal.c.state != "failed",
                )
                .distinct()
            )
            for row in rows:
                found.setdefault(row.link_id, set()).add(row.verb)
        return found

    def linked_in(self, runs: Sequence[int], links: Iterable[int]) -> set[int]:
        """Of these links those that were made in these runs."""
        found: set[int] = set()
        for some in chunks(str(one) for one in links):
            rows = self._db.fetch(
                select(link.c.id).where(link.c.id.in_([int(one) for one in some]), link.c.linked_run.in_(runs))
            )
            found |= {row.id for row in rows}
        return found

    def awaited(self, side: str, object_: str, ids: Iterable[str]) -> dict[str, list[tuple[str, str, str]]]:
        """What records wait for, by their id: (pair, side, id)."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        for some in chunks(ids):
            rows = self._db.fetch(
                select(waiting).where(
                    waiting.c.connection_id == self._db.connection_id,
                    waiting.c.side == side,
                    waiting.c.object == object_,
                    waiting.c.record_id.in_(some),
                )
            )
            for row in rows:
                found.setdefault(row.record_id, []).append((row.pair, row.needs_side, row.needs_id))
        return found

    def out_of_scope(self, side: str, object_: str, ids: Iterable[str]) -> set[str]:
        """Of these records those that are out of scope."""
        found: set[str] = set()
        for some in chunks(ids):
            rows = self._db.fetch(
                select(record.c.id).where(
                    record.c.connection_id == self._db.connection_id,
                    record.c.side == side,
                    record.c.object == object_,
                    record.c.id.in_(some),
                    record.c.out_of_scope.is_(True),
                )
            )
            found |= {row.id for row in rows}
        return found


def _row(row: Any) -> Row:
    return Row(row.object, row.record_id, row.outcome, row.key, row.partner_id, row.detail, row.fingerprint)
