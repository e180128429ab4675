"""Runs, their lease, the cursors they read from, and what they remember of the CRMs' own set-up.

The lease is what lets one run of a connection write at a time. It ends five minutes after it was last renewed, and
every transaction of its run renews it.

| another run finds that the lease             | it                                                          |
|----------------------------------------------|-------------------------------------------------------------|
| has not ended                                | refuses, and says who holds it                              |
| has ended                                    | takes it over                                               |
| is of a process of this machine that is gone | takes it over at once (`holder.py`)                         |
| seems to last longer than a lease does       | refuses, and lets it end in five minutes by its own clock   |

The last row is a clock that was set back, or one that is behind that of another machine: it locks nobody out for
longer than the lease, and takes nothing from a run that is at work.

A run whose lease was taken over, because its process stood still or the clock was set forward, must write no more.
To the store it cannot: its transactions fail. Before every request that may write to a CRM it looks whether the
lease is still its own (`confirm`), also before that request is tried again. What remains is a process that stops
just between that look and the sending, for longer than the rest of its lease: then one request for each worker
reaches a CRM late. No CRM takes a token that could prevent that. Such a request is one that the run after it also
finds due: a creation collides with the other by its partner's id, an update writes what was agreed to then.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, insert, select, update
from sqlalchemy.sql import Executable

from connector.core.model import Side
from connector.errors import Busy, Fault, StoreUnusable
from connector.store.database import Database, dump, load
from connector.store.holder import Holder
from connector.store.integrity import Integrity
from connector.store.schema import cursor, lease, mapping, run

LEASE_SECONDS = 300.0
RENEWED_WITHIN = 60.0
"""A lease that was not renewed for so many seconds is renewed before the next request that may write."""
BY_HAND = "by hand"
"""The status of what a person did to the store alone, such as ending a link: a number to refer to, and no run."""
SYNC, UNDO = "sync", "undo"
ENDED = ("ok", "problems")
"""How a run ends that was neither cut short nor refused."""
RUNNING, DIED, GIVEN_UP = "running", "died", "given up"
# What a run says dozens of times is built once: that takes longer than to run it.
_READ = select(cursor.c.value).where(
    cursor.c.connection_id == bindparam("mine"), cursor.c.stream == bindparam("name")
)
_HELD = and_(lease.c.connection_id == bindparam("mine"), lease.c.token == bindparam("by"))
_LOOK = select(lease.c.token).where(_HELD)
_RENEW = update(lease).where(_HELD).values(expires=bindparam("ends"))
_Execute = Callable[[Executable, Mapping[str, Any]], int]


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
    forgotten: str | None = None
    """Since when its journal is."""

    @property
    def is_undo(self) -> bool:
        return self.kind == UNDO


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may write now, since when (None: an older version took it), and for how many seconds at most."""

    token: str
    seconds: float
    taken: str | None = None
    holder: Holder | None = None

    @property
    def holds(self) -> bool:
        """Whether another run has to wait for it."""
        return self.seconds > 0 and not (self.holder is not None and self.holder.is_gone)


class Runs:
    """One run at a time per connection, each with a number and a report."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._db = database
        self._now = now
        self._integrity = Integrity(database, now)
        self._token: str | None = None
        self._thread = 0
        self._renewed = 0.0
        self._renewing = threading.Lock()  # batches are under way at a time

    @contextlib.contextmanager
    def lease(self) -> Iterator[None]:
        """Hold the connection's lease. Every transaction renews it, and fails if another run has taken it.

        Raises:
            Busy: another run holds it.
            StoreUnusable: the store's file is damaged.
        """
        token = uuid.uuid4().hex
        left_behind = self._take(token)
        self._token = token
        self._thread = threading.get_ident()
        self._db.fence = lambda database: self._renew(token, database.change)
        try:
            self._integrity.check(cut_off=left_behind)
            yield
        finally:
            self._db.fence, self._token = None, None
            self._db.change(delete(lease).where(_HELD), self._held(token))

    def confirm(self) -> None:
        """Before a request that may write to a CRM: is the lease still this run's? From any thread.

        Raises:
            Busy: another run has taken over.
        """
        token, database = self._token, self._db
        if token is None or (database.in_memory and threading.get_ident() != self._thread):
            return  # a store in memory is one thread's alone, and so is its lease
        with self._renewing:
            if not database.look_beside(_LOOK, self._held(token)):
                raise _taken_over()
            age = self._now().timestamp() - self._renewed
            if not 0 <= age <= RENEWED_WITHIN and not database.is_pretending:
                self._renew(token, database.change_beside)

    def _take(self, token: str) -> bool:
        """Take the lease; whether a run that did not come to its end had left one behind."""
        try:
            is_taken, former = self._replace_lease(token)
        except StoreUnusable as error:
            if error.fault is not Fault.TAKEN:
                raise
            # Some databases let two look at the same moment, but only one insert.
            raise Busy("another run of this connection has just begun", "wait for it") from None
        if former is not None and not is_taken:
            raise _busy(former)
        return former is not None

    def _replace_lease(self, token: str) -> tuple[bool, Lease | None]:
        """Take the lease, unless another is in the way: whether that is done, and the one that was there."""
        moment, holder = self._now(), Holder.here()
        ends = moment.timestamp() + LEASE_SECONDS
        with self._db.transaction():
            held = self.find_lease()
            if held is not None and held.holds:
                shortened = _RENEW.where(lease.c.expires > bindparam("ends"))
                self._db.change(shortened, {**self._held(held.token), "ends": ends})
                return False, held
            if held is not None:
                self._db.change(delete(lease).where(_HELD), self._held(held.token))
            self._db.execute(
                insert(lease).values(
                    connection_id=self._db.connection_id,
                    token=token,
                    expires=ends,
                    taken=moment.isoformat(),
                    host=holder.host[:255],
                    pid=holder.pid,
                    place=holder.place,
                    tick=holder.tick,
                )
            )
            cut_short = and_(run.c.connection_id == self._db.connection_id, run.c.status == RUNNING)
            self._db.execute(update(run).where(cut_short).values(status=DIED))
        self._renewed = moment.timestamp()
        return True, held

    def _renew(self, token: str, change: _Execute) -> None:
        moment = self._now().timestamp()
        if change(_RENEW, {**self._held(token), "ends": moment + LEASE_SECONDS}) != 1:
            raise _taken_over()
        self._renewed = moment

    def _held(self, token: str) -> dict[str, Any]:
        return {"mine": self._db.connection_id, "by": token}

    def find_lease(self) -> Lease | None:
        """The lease as it stands, whether or not it still holds anybody up."""
        rows = self._db.fetch(select(lease).where(lease.c.connection_id == self._db.connection_id))
        if not rows:
            return None
        row = rows[0]
        holder = Holder(row.host, row.pid, row.place, row.tick) if row.pid is not None else None
        seconds = min(row.expires - self._now().timestamp(), LEASE_SECONDS)
        return Lease(row.token, seconds, row.taken, holder)

    def begin(
        self,
        kind: str = SYNC,
        of_run: int | None = None,
        files: Mapping[str, str] | None = None,
        number: int | None = None,
    ) -> int:
        """Start a run and return its number.

        `of_run` is the one that it takes back; `files` are the mapping files that it goes by, text by name;
        `number` is a free one to go on from, instead of the next.
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
                    status=RUNNING,
                    kind=kind,
                    of_run=of_run,
                    mapping=digest,
                    **({} if number is None else {"id": number}),
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

    def note_act(self, kind: str, *, number: int | None = None, **told: Any) -> int:
        """Give what a person does to the store a number of its own; `told` stands in its report."""
        given = self.begin(number=number)
        self.finish(given, BY_HAND, {"run": given, "kind": kind, **told})
        return given

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
        """The last finished run: {"run", "started", "finished", "status", "kind", "report", "forgotten"}."""
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

    def end_lease(self) -> None:
        """Whoever held the lease is gone: in a copy of a store nothing is under way."""
        self._db.execute(delete(lease).where(lease.c.connection_id == self._db.connection_id))

    def is_under_way(self) -> bool:
        """Whether a run holds the lease now."""
        held = self.find_lease()
        return held is not None and held.holds

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
        self._db.upsert(cursor, [self._remembered(stream, value)], update=["value"])

    @property
    def may_revise_beside(self) -> bool:
        """Whether `revise_beside` reaches the store that others see."""
        return self._db.has_beside

    def revise_beside(self, stream: str, revise: Callable[[Any | None], Any]) -> None:
        """Remember what `revise` makes of what others see remembered now, durable at once. From any thread."""
        with self._db.beside() as database:
            rows = database.fetch(_READ, {"mine": self._db.connection_id, "name": stream})
            value = revise(load(rows[0].value) if rows else None)
            database.upsert(cursor, [self._remembered(stream, value)], update=["value"])

    def _remembered(self, stream: str, value: Any) -> dict[str, Any]:
        return {"connection_id": self._db.connection_id, "stream": stream, "value": dump(value)}


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        "run": row.id,
        "started": row.started,
        "finished": row.finished,
        "status": row.status,
        "kind": row.kind,
        "report": load(row.report),
        "forgotten": row.forgotten,
    }


def _run(row: Row[Any]) -> Run:
    report = load(row.report) or {}
    return Run(row.id, row.kind, row.status, row.started, row.finished, row.of_run, report, row.forgotten)


def _busy(held: Lease) -> Busy:
    who = f", in process {held.holder.pid} on {held.holder.host}" if held.holder else ""
    since = f" since {held.taken[:19].replace('T', ' ')} UTC" if held.taken else ""
    return Busy(
        f"another run of this connection is under way{since}{who}",
        f"wait for it, or end that process; if it is gone, its lease ends in {int(held.seconds)} s",
    )


def _taken_over() -> Busy:
    return Busy(
        "another run has taken over, as this one did not renew its lease in time",
        "nothing is lost: the other run, or the next one, goes on from what is settled",
    )
