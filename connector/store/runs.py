"""Runs, their lease, the cursors they read from, and what they remember of the CRMs' own set-up."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from connector.core.model import Side
from connector.errors import Busy
from connector.store.database import Database, dump, load
from connector.store.schema import cursor, lease, mapping, run

LEASE_SECONDS = 300.0
BY_HAND = "by hand"
"""The status of what a person did to the store alone, such as ending a link: a number to refer to, and no run."""
SYNC, UNDO = "sync", "undo"
ENDED = ("ok", "problems")
"""How a run ends that was neither cut short nor refused."""
GIVEN_UP = "given up"
# A run says these two dozens of times. They are built once: that takes longer than to run them.
_RENEW = (
    update(lease)
    .where(lease.c.connection_id == bindparam("mine"), lease.c.token == bindparam("held"))
    .values(expires=bindparam("until"))
)
_READ = select(cursor.c.value).where(
    cursor.c.connection_id == bindparam("mine"), cursor.c.stream == bindparam("name")
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what kind it was, how it ended, and what it took back, if anything."""

    id: int
    kind: str
    status: str
    started: str
    finished: str | None
    of_run: int | None
    report: Mapping[str, Any]

    @property
    def is_undo(self) -> bool:
        return self.kind == UNDO


class Runs:
    """One run at a time per connection, each with a number and a report."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._db = database
        self._now = now

    @contextlib.contextmanager
    def lease(self) -> Iterator[None]:
        """Hold the connection's lease. Every transaction renews it, and fails if another run has taken it.

        Raises:
            Busy: another run holds it, and it has not expired.
        """
        token = uuid.uuid4().hex
        self._take(token)
        self._db.fence = lambda _: self._renew(token)
        try:
            yield
        finally:
            self._db.fence = None
            self._db.execute(
                delete(lease).where(lease.c.connection_id == self._db.connection_id, lease.c.token == token)
            )

    def _take(self, token: str) -> None:
        mine = lease.c.connection_id == self._db.connection_id
        try:
            self._replace_lease(token, mine)
        except IntegrityError:  # some databases let two look at the same moment, but only one insert
            raise Busy("another run of this connection has just begun", "wait for it") from None

    def _replace_lease(self, token: str, mine: ColumnElement[bool]) -> None:
        moment = self._now().timestamp()
        with self._db.transaction():
            held = self._db.fetch(select(lease).where(mine))
            # A clock that was set back must not lock anybody out for longer than the lease.
            if held and moment < held[0].expires <= moment + LEASE_SECONDS:
                seconds = int(held[0].expires - moment)
                raise Busy(
                    "another run of this connection is under way",
                    f"wait for it; if it was killed, its lease ends in {seconds} s",
                )
            for row in held:
                self._db.execute(delete(lease).where(mine, lease.c.token == row.token))
            self._db.execute(
                insert(lease).values(
                    connection_id=self._db.connection_id, token=token, expires=moment + LEASE_SECONDS
                )
            )

    def _renew(self, token: str) -> None:
        until = self._now().timestamp() + LEASE_SECONDS
        given = {"mine": self._db.connection_id, "held": token, "until": until}
        renewed = self._db.execute(_RENEW, [given])
        if renewed.rowcount != 1:
            raise Busy("another run has taken over", "this one was paused for too long; nothing is lost")

    def begin(self, kind: str = SYNC, of_run: int | None = None, files: Mapping[str, str] | None = None) -> int:
        """Start a run and return its number.

        `of_run` is the one that it takes back; `files` are the mapping files that it goes by, text by name.
        """
        mine = self._db.connection_id
        text = dump(dict(sorted(files.items()))) if files else None
        digest = hashlib.sha256(text.encode()).hexdigest() if text else None
        with self._db.transaction():
            if digest is not None:
                self._db.upsert(mapping, [{"connection_id": mine, "digest": digest, "files": text}])
            result = self._db.execute(
                insert(run).values(
                    connection_id=mine,
                    started=self._now().isoformat(),
                    status="running",
                    kind=kind,
                    of_run=of_run,
                    mapping=digest,
                )
            )
        self._db.run_id = int(result.inserted_primary_key[0])
        return self._db.run_id

    def last_mapping(self) -> tuple[int, dict[str, str]] | None:
        """The last run that noted its mapping files, and their texts by name."""
        rows = self._db.fetch(
            select(run.c.id, mapping.c.files)
            .join(mapping, and_(mapping.c.connection_id == run.c.connection_id, mapping.c.digest == run.c.mapping))
            .where(run.c.connection_id == self._db.connection_id)
            .order_by(run.c.id.desc())
            .limit(1)
        )
        return (rows[0].id, load(rows[0].files)) if rows else None

    def finish(self, run_id: int, status: str, report: dict[str, Any]) -> None:
        self._db.run_id = None
        self._db.execute(
            update(run)
            .where(run.c.id == run_id)
            .values(finished=self._now().isoformat(), status=status, report=dump(report))
        )

    def note_act(self, kind: str, **told: Any) -> int:
        """Give what a person does to the store a number of its own; `told` stands in its report."""
        number = self.begin()
        self.finish(number, BY_HAND, {"run": number, "kind": kind, **told})
        return number

    def find(self, run_id: int) -> Run | None:
        """A run of this connection by its number."""
        rows = self._db.fetch(select(run).where(run.c.connection_id == self._db.connection_id, run.c.id == run_id))
        return _run(rows[0]) if rows else None

    def undoing(self, run_id: int) -> list[Run]:
        """The runs that took back a run, or began to, in order."""
        mine = run.c.connection_id == self._db.connection_id
        rows = self._db.fetch(
            select(run).where(mine, run.c.of_run == run_id, run.c.kind == UNDO).order_by(run.c.id)
        )
        return [_run(row) for row in rows]

    def find_cut_short(self) -> Run | None:
        """The run that an undo began to take back and did not come to the end of, unless a later try did."""
        mine = run.c.connection_id == self._db.connection_id
        rows = self._db.fetch(select(run).where(mine, run.c.kind == UNDO).order_by(run.c.id.desc()).limit(1))
        if not rows or rows[0].status in (*ENDED, GIVEN_UP):
            return None
        return self.find(rows[0].of_run)

    def give_up(self, run_id: int) -> None:
        """Undos of a run that were cut short are not to be completed any more."""
        open_ = run.c.status.not_in((*ENDED, GIVEN_UP))
        mine = run.c.connection_id == self._db.connection_id
        self._db.execute(
            update(run).where(mine, run.c.of_run == run_id, run.c.kind == UNDO, open_).values(status=GIVEN_UP)
        )

    def last(self) -> dict[str, Any] | None:
        """The last finished run: {"run", "started", "finished", "status", "report"}."""
        rows = self._db.fetch(
            select(run)
            .where(
                run.c.connection_id == self._db.connection_id, run.c.finished.is_not(None), run.c.status != BY_HAND
            )
            .order_by(run.c.id.desc())
            .limit(1)
        )
        return _told(rows[0]) if rows else None

    def page(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """Runs as `last` gives them, the latest first, those under way too; `before` a run's number."""
        mine = run.c.connection_id == self._db.connection_id
        earlier = mine if before is None else and_(mine, run.c.id < before)
        rows = self._db.fetch(select(run).where(earlier).order_by(run.c.id.desc()).limit(limit))
        return [_told(row) for row in rows]

    def acts(self, limit: int = 1000) -> list[dict[str, Any]]:
        """What people did to the store by hand, as `last` gives runs, the latest first."""
        mine = and_(run.c.connection_id == self._db.connection_id, run.c.status == BY_HAND)
        return [
            _told(row) for row in self._db.fetch(select(run).where(mine).order_by(run.c.id.desc()).limit(limit))
        ]

    def get(self, run_id: int) -> dict[str, Any] | None:
        """One run as `last` gives it."""
        mine = and_(run.c.connection_id == self._db.connection_id, run.c.id == run_id)
        return next((_told(row) for row in self._db.fetch(select(run).where(mine))), None)

    def is_under_way(self) -> bool:
        """Whether a run holds the lease now."""
        moment = self._now().timestamp()
        mine = select(lease.c.expires).where(lease.c.connection_id == self._db.connection_id)
        return any(moment < row.expires <= moment + LEASE_SECONDS for row in self._db.fetch(mine))

    def cursors(self, side: Side) -> list[Any]:
        """From where each object of a side is read on, as the adapters have it."""
        mine = and_(cursor.c.connection_id == self._db.connection_id, cursor.c.stream.startswith(f"{side}/"))
        rows = self._db.fetch(select(cursor.c.stream, cursor.c.value).where(mine))
        return [load(row.value) for row in rows if not row.stream.endswith("/deleted")]

    def read(self, stream: str) -> Any | None:
        """What was last remembered under a name: a cursor, or a cached answer of a CRM."""
        rows = self._db.fetch(_READ, {"mine": self._db.connection_id, "name": stream})
        return load(rows[0].value) if rows else None

    def remember(self, stream: str, value: Any) -> None:
        row = {"connection_id": self._db.connection_id, "stream": stream, "value": dump(value)}
        self._db.upsert(cursor, [row], update=["value"])


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        "run": row.id,
        "started": row.started,
        "finished": row.finished,
        "status": row.status,
        "kind": row.kind,
        "report": load(row.report),
    }


def _run(row: Row[Any]) -> Run:
    report = load(row.report) or {}
    return Run(row.id, row.kind, row.status, row.started, row.finished, row.of_run, report)
