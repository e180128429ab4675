"""When is the next run, and what becomes of it? `connector schedule`: one process that starts run after run (T5).

    wait until something is due -> one run of all that is due -> one line about it -> wait again

What was missed while the process stood still is made up for once. A run never overlaps another one, also not one
that somebody started by hand: the lease sees to that, and the schedule tries again a little later. A run that
fails is told and ends nothing; the next one comes at its time. Settings and mappings are read anew for every run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from connector.engine.frame import Progress
from connector.engine.report import Report
from connector.engine.run import Wish, sync
from connector.engine.world import Connection
from connector.errors import BadConfiguration, Busy, Finding, Halted, Stop
from connector.timetable import Times

AGAIN = timedelta(seconds=30)
"""How soon to try again if another run was under way."""

BEGAN = "schedule"
"""Under which name the store remembers when each pair's run was last begun."""


class Waiting(Protocol):
    """A wait that can be cut short."""

    def wait(self, seconds: float) -> bool:
        """Wait that long; whether the schedule was asked to end."""

    @property
    def asked(self) -> bool:
        """Whether the schedule was asked to end."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a run that ended, or one that could not be made."""

    at: datetime
    pairs: tuple[str, ...]
    report: Report | None = None
    error: Stop | None = None
    next: datetime | None = None
    """When the next run is due. None: there is none, the schedule ends."""


@dataclass
class Schedule:
    """Runs at their times until it is asked to end.

    `open_connection` reads settings and mappings and puts the connection together; the store is closed after every
    run. `tell` is called once for every run.
    """

    open_connection: Callable[[], Connection]
    waiting: Waiting
    now: Callable[[], datetime]
    tell: Callable[[Event], None]
    progress: Progress = lambda *_: None
    _times: Mapping[str, Times] = field(init=False)
    _began: dict[str, datetime] = field(default_factory=dict)
    _started: datetime = field(init=False)
    _not_before: datetime | None = None

    def run(self) -> None:
        """Until the schedule is asked to end.

        Raises:
            BadConfiguration: what is wrong with settings and mappings when it starts; later, that is an event.
        """
        connection = self.open_connection()
        try:
            self._learn(connection)
        finally:
            connection.store.close()
        self._started = self.now()
        while not self.waiting.asked:
            moment = self.now()
            # A clock that was set back must not hold anything up.
            self._started = min(self._started, moment)
            self._began = {pair: min(began, moment) for pair, began in self._began.items()}
            next_ = self._next()
            if next_ > moment:
                # Not for longer than a minute: a machine that slept, or a clock that was set, is noticed.
                if self.waiting.wait(min((next_ - moment).total_seconds(), 60.0)):
                    return
                continue
            self.tell(self._run_due(moment))

    def _learn(self, c: Connection) -> None:
        """Take in the times, and when each pair was last begun."""
        if not c.pairs:
            raise BadConfiguration(
                [Finding("sync", 0, "everything is switched off", "switch on what is to be synced")]
            )
        self._times = {pair: times for pair, times in c.settings.timetable().items() if pair in c.pairs}
        known = c.store.runs.read(BEGAN) or {}
        self._began = {pair: datetime.fromisoformat(began) for pair, began in known.items()} | self._began

    def _next(self) -> datetime:
        due = min(self._due(pair) for pair in self._times)
        return max(due, self._not_before or due)

    def _due(self, pair: str) -> datetime:
        return self._times[pair].after(self._began.get(pair), self._started)

    def _run_due(self, moment: datetime) -> Event:
        due = tuple(pair for pair in self._times if self._due(pair) <= moment)
        report: Report | None = None
        error: Stop | None = None
        self._not_before = None
        try:
            report = self._sync(due)
        except Stop as stop:
            error = stop
        if isinstance(error, Busy):
            self._not_before = moment + AGAIN
        else:
            self._began |= dict.fromkeys(due, moment)
        return Event(moment, due, report, error, None if self.waiting.asked else self._next())

    def _sync(self, due: tuple[str, ...]) -> Report:
        connection = self.open_connection()
        try:
            self._learn(connection)
            wanted = tuple(pair for pair in due if pair in connection.pairs)
            began = self._began | dict.fromkeys(due, self.now())
            everything = len(wanted) == len(connection.pairs)
            report = sync(connection, Wish(pairs=() if everything else wanted), self._watch)
            if report.status != "interrupted":  # what was cut short is due at once when the schedule starts again
                connection.store.runs.remember(BEGAN, {pair: one.isoformat() for pair, one in began.items()})
        finally:
            connection.store.close()
        return report

    def _watch(self, what: str, number: int) -> None:
        """End the run where everything begun is settled, if the schedule was asked to end."""
        self.progress(what, number)
        if self.waiting.asked:
            raise Halted("asked to end")


def describe_event(event: Event) -> dict[str, Any]:
    """The documented shape of a line of `connector schedule --json`, version 1."""
    return {
        "version": 1,
        "at": event.at.isoformat(),
        "pairs": list(event.pairs),
        "report": event.report.as_json() if event.report else None,
        "next": event.next.isoformat() if event.next else None,
    }
