"""What is too old to be kept: journals, and what nothing refers to any more? Forgotten in bounded portions.

    of a run that began before the moment    goes, unless
    ---------------------------------------  ----------------------------------------------------------------------
    its journal, and images of links         the run has to be kept whole
    the run itself                           that, or a link was made in it, which `explain` tells
    texts of mapping files                   a run that is there went by them
    imports, and what became of each record  they are not over

A run is kept whole whose writes are held since it was undone, which an undo takes back that is kept itself, or
which is the last of its kind: the last at all, that came to its end, that noted its mapping files, that took one
back. What people did by hand is kept for ever: it is little, and says why links are as they are.

A run whose journal begins to go is marked first: it cannot be undone any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, and_, delete, exists, func, or_, select, update

from connector.store.database import Database, chunks, dump, load
from connector.store.runs import BY_HAND, ENDED, UNDO
from connector.store.schema import cursor, held, image, import_, import_row, journal, link, mapping, run

EVERY = timedelta(hours=24)
PORTION = 2000
"""Rows that go in one transaction."""
AT_MOST = 50_000
"""Rows that go after one run; the rest go after the next."""
_STREAM = "retention"


class Retention:
    """What one connection forgets."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._db = database
        self._now = now

    def forget(self, before: datetime) -> int:
        """Forget what began before a moment, once a day; returns how many rows are gone."""
        last = (self._read() or {}).get("at")
        if last is not None and timedelta(0) <= self._now() - datetime.fromisoformat(last) < EVERY:
            return 0
        moment = before.isoformat()
        if not self._has_older(moment):
            return 0
        is_old = self._is_old(moment)
        gone = 0
        for step in (self._forget_writes, self._forget_runs, self._forget_imports, self._forget_mappings):
            gone += step(is_old, moment, AT_MOST - gone)
            if gone >= AT_MOST:
                return gone
        self._remember(at=self._now().isoformat())
        return gone

    def last_forgotten(self) -> int:
        """The highest number of a run that was there once; 0 if all are there."""
        return int((self._read() or {}).get("up_to", 0))

    # --- what is to go ---

    def _has_older(self, moment: str) -> bool:
        runs = select(run.c.id).where(self._mine(run), run.c.started < moment, run.c.status != BY_HAND).limit(1)
        imports = select(import_.c.id).where(self._is_over(moment)).limit(1)
        return bool(self._db.fetch(runs) or self._db.fetch(imports))

    def _is_old(self, moment: str) -> Any:
        mine = and_(self._mine(run), run.c.started < moment, run.c.status != BY_HAND)
        return and_(mine, run.c.id.not_in(self._find_kept(moment)))

    def _find_kept(self, moment: str) -> set[int]:
        mine = self._mine(run)
        kept = {row.run_id for row in self._db.fetch(select(held.c.run_id).where(self._mine(held)).distinct())}
        for last in (
            run.c.status != BY_HAND,
            run.c.status.in_(ENDED),
            run.c.mapping.is_not(None),
            run.c.kind == UNDO,
        ):
            kept |= {row[0] for row in self._db.fetch(select(func.max(run.c.id)).where(mine, last)) if row[0]}
        undos = self._db.fetch(
            select(run.c.id, run.c.of_run, run.c.started)
            .where(mine, run.c.of_run.is_not(None))
            .order_by(run.c.id.desc())  # an undo comes after what it takes back
        )
        for one in undos:
            if one.started >= moment or one.id in kept:
                kept.add(one.of_run)
        return kept

    def _is_over(self, moment: str) -> Any:
        return and_(self._mine(import_), import_.c.state != "open", import_.c.finished < moment)

    # --- forgetting it ---

    def _forget_writes(self, is_old: Any, _: str, at_most: int) -> int:
        """The journals and images of runs, run by run."""
        has_any = or_(exists().where(journal.c.run_id == run.c.id), exists().where(self._images(run.c.id)))
        gone = 0
        while gone < at_most:
            rows = self._db.fetch(select(run.c.id).where(is_old, has_any).order_by(run.c.id).limit(1))
            if not rows:
                break
            with self._db.transaction():
                marked = and_(run.c.id == rows[0].id, run.c.forgotten.is_(None))
                self._db.execute(update(run).where(marked).values(forgotten=self._now().isoformat()))
                gone += self._delete(journal, journal.c.run_id == rows[0].id, "id")
                gone += self._delete(image, self._images(rows[0].id), "table", "key")
        return gone

    def _forget_runs(self, is_old: Any, _: str, at_most: int) -> int:
        rows = self._db.fetch(select(run.c.id).where(is_old).order_by(run.c.id).limit(at_most))
        if not rows:
            return 0
        made = select(link.c.linked_run).where(self._mine(link), link.c.linked_run <= rows[-1].id).distinct()
        referred = {row.linked_run for row in self._db.fetch(made)}
        ids = [row.id for row in rows if row.id not in referred]
        for some in chunks(map(str, ids)):
            numbers = [int(one) for one in some]
            with self._db.transaction():
                self._db.execute(delete(run).where(run.c.id.in_(numbers)))
                self._remember(up_to=max(numbers[-1], self.last_forgotten()))
        return len(ids)

    def _forget_imports(self, _: Any, moment: str, at_most: int) -> int:
        gone = 0
        for row in self._db.fetch(select(import_.c.id).where(self._is_over(moment)).order_by(import_.c.id)):
            number, few = row.id, PORTION
            while few >= PORTION and gone < at_most:
                few = self._delete(import_row, import_row.c.import_id == number, "object", "record_id")
                gone += few
            if gone >= at_most:
                return gone
            self._db.execute(delete(import_).where(import_.c.id == number))
            gone += 1
        return gone

    def _forget_mappings(self, *_: Any) -> int:
        still = select(run.c.mapping).where(self._mine(run), run.c.mapping.is_not(None))
        return int(
            self._db.execute(delete(mapping).where(self._mine(mapping), mapping.c.digest.not_in(still))).rowcount
        )

    def _delete(self, table: Table, condition: Any, *key: str) -> int:
        """A portion of the rows that fulfil a condition; `key` tells them from one another."""
        columns = [table.c[name] for name in key]
        rows: Sequence[Any] = self._db.fetch(select(*columns).where(condition).limit(PORTION))
        *outer, last = columns
        groups: dict[tuple[Any, ...], list[Any]] = {}
        for row in rows:
            groups.setdefault(tuple(row[:-1]), []).append(row[-1])
        with self._db.transaction():
            for common, values in groups.items():
                same = [column == value for column, value in zip(outer, common, strict=True)]
                for start in range(0, len(values), 500):
                    some = last.in_(values[start : start + 500])
                    self._db.execute(delete(table).where(condition, *same, some))
        return len(rows)

    def _images(self, run_id: Any) -> Any:
        return and_(image.c.connection_id == self._db.connection_id, image.c.run_id == run_id)

    def _mine(self, table: Table) -> Any:
        return table.c.connection_id == self._db.connection_id

    def _read(self) -> dict[str, Any] | None:
        rows = self._db.fetch(select(cursor.c.value).where(self._mine(cursor), cursor.c.stream == _STREAM))
        return load(rows[0].value) if rows else None

    def _remember(self, **told: Any) -> None:
        """Note `at`, when all that was old was forgotten, or `up_to`, the highest number of a run that was."""
        value = dump((self._read() or {}) | told)
        row = {"connection_id": self._db.connection_id, "stream": _STREAM, "value": value}
        self._db.upsert(cursor, [row], update=["value"])
