"""How many API calls may this connector make: in any 24 hours, of each CRM, across runs (E3)?

Every call is allowed for before it is made, so that the number is never exceeded; the run then stops between two
calls, as it would at a network that is gone, and what was done is settled. Calls are counted by the hour, and an
hour counts until all of it is 24 hours ago. Salesforce's own limit is one of any 24 hours too (Salesforce
Developer Limits and Allocations, "API Request Limits and Allocations").

Where there is a limit, the store is told of some calls more than were made, for as long as a run goes on: a process
that dies between two notes has made calls that it could tell nobody of, and they count as made. Who has made that
many tells the store anew before the next one.

Above three quarters of what may be used, what failed is not tried again by itself, so that the rest is left for
new edits (E2; HubSpot Knowledge Base, "Why are my errored syncs not automatically retrying?").
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from connector.adapters.base import Usage
from connector.core.model import ProblemClass, Side
from connector.errors import Spent
from connector.store.store import Store

SCARCE = 0.75
AHEAD = 20
"""How many calls the store is told of before they are made."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

_SETTINGS = {Side.SALESFORCE: "salesforce.daily_calls", Side.HUBSPOT: "hubspot.daily_calls"}
_NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}


class Allocation:
    """The calls that the settings allow, and those made. `most` is by side; None: as many as the vendor allows."""

    def __init__(self, most: Mapping[Side, int | None], store: Store, now: Callable[[], datetime]) -> None:
        self._most = most
        self._store = store
        self._now = now
        self._lock = threading.Lock()  # batches are under way at a time
        self._before = {side: self._read(side) for side in Side}
        self._made: dict[Side, dict[str, int]] = {side: {} for side in Side}
        self._ahead: dict[Side, str] = {}
        """The hour in which the store counts calls that were not made yet."""

    def spend(self, side: Side) -> None:
        """A call is about to be made. Raises `Spent` if it would be one too many."""
        with self._lock:
            most = self._most[side]
            if most is not None and self._used(side) >= most:
                raise _too_many(side, most)
            if side in self._ahead and sum(self._made[side].values()) >= AHEAD:
                self._keep_beside(side)
            hour = _hour(self._now())
            self._made[side][hour] = self._made[side].get(hour, 0) + 1

    def left(self, side: Side) -> int | None:
        """The calls that the settings still allow now; None: they do not say."""
        with self._lock:
            most = self._most[side]
            return None if most is None else max(most - self._used(side), 0)

    def as_json(self) -> dict[str, dict[str, int | None]]:
        """As `connector status --json` shows it: the calls of the last 24 hours by side, and those allowed."""
        with self._lock:
            return {side.value: {"used": self._used(side), "allowed": self._most[side]} for side in Side}

    def is_scarce(self, usages: Mapping[Side, Usage]) -> bool:
        """Whether more than three quarters of a CRM's calls are used, be it ours or the vendor's own count."""
        return any(self._is_scarce(side, usage) for side, usage in usages.items())

    def _is_scarce(self, side: Side, usage: Usage) -> bool:
        own, most = self.left(side), self._most[side]
        counts = [(own, most), (usage.left, usage.limit)]
        return any(left is not None and limit and left < (1 - SCARCE) * limit for left, limit in counts)

    def keep(self, *, ends: bool = False) -> None:
        """Note in the store what was made since the last time, if anything. Not to be called while pretending.

        To be called before the first call of a run, too, so that the store is told of what is to come. Others may
        have made calls meanwhile, and noted them. With `ends`, nothing more is going to be made.
        """
        with self._lock:
            due = self._ahead.keys() if ends else {side for side in Side if self._most[side]} - self._ahead.keys()
            sides = {side for side in Side if self._made[side]} | due
            if not sides:
                return
            with self._store.transaction():
                for side in sides:
                    self._store.runs.remember(_stream(side), self._tell(side, self._read(side), ends=ends))

    def _keep_beside(self, side: Side) -> None:
        """In the middle of a request, in any thread. Who pretends tells of it in the end."""
        runs = self._store.runs
        if runs.may_revise_beside:
            runs.revise_beside(_stream(side), lambda known: self._tell(side, known or {}, ends=False))

    def _tell(self, side: Side, known: Mapping[str, int], *, ends: bool) -> Counter[str]:
        """What the store is to hold, going by what it is `known` to hold: that counts as told then."""
        noted = Counter(known)
        if side in self._ahead:
            noted[self._ahead.pop(side)] -= AHEAD
        noted.update(self._made[side])
        self._before[side], self._made[side] = noted, {}
        self._before[side] = self._by_hour(side)
        told = Counter(self._before[side])
        if self._most[side] is not None and not ends:
            self._ahead[side] = _hour(self._now())
            told[self._ahead[side]] += AHEAD
        return told

    def _used(self, side: Side) -> int:
        return sum(self._by_hour(side).values())

    def _by_hour(self, side: Side) -> dict[str, int]:
        """Calls by hour, of the hours that still count."""
        begins = _hour(self._now() - DAY)
        hours = {*self._before[side], *self._made[side]}
        before, made = self._before[side], self._made[side]
        return {hour: before.get(hour, 0) + made.get(hour, 0) for hour in sorted(hours) if hour >= begins}

    def _read(self, side: Side) -> dict[str, int]:
        return dict(self._store.runs.read(_stream(side)) or {})


def _hour(moment: datetime) -> str:
    """The hour that a moment lies in, such as `2026-03-02T09`; in UTC, and so in the order of time."""
    return moment.strftime("%Y-%m-%dT%H")


def _stream(side: Side) -> str:
    return f"calls/{side}"


def _too_many(side: Side, most: int) -> Spent:
    name = _NAMES[side]
    return Spent(
        side,
        ProblemClass.API_LIMIT,
        f"the {most:,} {name} calls that the settings allow in 24 hours are used",
        f"run again later: calls become free hour by hour; or raise `{_SETTINGS[side]}`",
    )
