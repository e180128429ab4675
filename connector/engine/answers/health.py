"""Is all well? What `status` tells at a glance, from the store alone.

| concern     | when                                                                                            |
|-------------|-------------------------------------------------------------------------------------------------|
| suspended   | a condition of a whole CRM keeps runs from beginning (E4)                                       |
| failed      | the last run was stopped, refused by the guard, or died                                         |
| overdue     | runs came at regular intervals, and the next one should have come long ago; or `max_age` is over|
| no calls    | the calls that the settings allow are used up (E3)                                              |
| problems    | something could not be synced, and nobody has said to ignore it (E1)                            |

Nothing of this: all is well. A heartbeat is seen where at least five of the last runs came at intervals that differ
from the usual one by less than a half; then a run is overdue after three such intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Any

from connector.core.model import Side
from connector.engine.allocation import Allocation
from connector.engine.answers.runs import KIND, RunAnswer, make_run
from connector.engine.ignored import find_ignored, place_of
from connector.engine.suspension import Suspension, find_suspension
from connector.settings import Settings
from connector.store.runs import BY_HAND, ENDED, SYNC, Lease
from connector.store.store import Store

LOOKED_BACK = 20
FEWEST_INTERVALS, TOLERANCE, OVERDUE_AFTER = 5, 0.5, 3
RECENT = timedelta(days=7)
CONFLICT = "CONFLICT"


class Worry(StrEnum):
    """The table above."""

    SUSPENDED = "suspended"
    FAILED = "failed"
    OVERDUE = "overdue"
    NO_CALLS = "no calls"
    PROBLEMS = "problems"


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that a person should see to."""

    worry: Worry
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far each side was read, and when the last good run began. Ages in seconds; None: never.

    `read_up_to` is the oldest of the side's cursors with the overlap added that a look goes back.
    """

    last_good_run: int | None
    last_good_at: str | None
    age: float | None
    read_up_to: Mapping[str, str | None]
    interval: float | None
    """The usual seconds between runs, if they come regularly."""


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Open problems of one class."""

    cause: str
    number: int
    oldest: str


@dataclass(frozen=True, slots=True)
class Budget:
    """API calls of one side in the last 24 hours. `left`: as the settings and the last run's answers have it."""

    used: int
    allowed: int | None
    left: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """All that `status` tells. `under_way`: a run holds the lease now.

    `holder` is who has the lease, also if its process is gone: `host`, `pid`, `since` and `gone`.
    """

    connection: str
    healthy: bool
    concerns: tuple[Concern, ...]
    suspension: Mapping[str, Any] | None
    under_way: bool
    holder: Mapping[str, Any] | None
    freshness: Freshness
    last_run: RunAnswer | None
    due: Mapping[str, int]
    waiting: int
    retries_due: int
    out_of_scope: int
    held: Mapping[str, int]
    """Writes that are held since a run was undone, by the number of that run (X2)."""
    links: Mapping[str, Mapping[str, int]]
    calls: Mapping[str, Budget]
    problems: tuple[ProblemGroup, ...]
    ignored: int
    conflicts_held: int
    conflicts_settled: int
    """In the last seven days."""

    def as_json(self) -> dict[str, Any]:
        """The documented shape of `connector status --json`."""
        return asdict(self)


def look_after(settings: Settings, store: Store, now: datetime, max_age: timedelta | None = None) -> Health:
    """How the sync stands. `max_age`: the last good run must not be older; None: go by the heartbeat."""
    ignored = find_ignored(store)
    open_ = [one for one in store.problems.all() if place_of(one) not in ignored]
    suspension = find_suspension(store)
    freshness = _find_freshness(settings, store, now)
    last = store.runs.last()
    last_run = make_run(last) if last else None
    calls = _find_budgets(settings, store, last, now)
    lease = store.runs.find_lease()
    causes: dict[str, list[str]] = {}
    for one in open_:
        causes.setdefault(one["cause"], []).append(one["since"])
    concerns = (
        *_of_suspension(suspension),
        *_of_runs(last_run, freshness, now, max_age),
        *_of_calls(calls),
        *_of_problems(len(open_)),
    )
    return Health(
        connection=settings.connection,
        healthy=not concerns,
        concerns=concerns,
        suspension=suspension.as_json() if suspension else None,
        under_way=lease is not None and lease.holds,
        holder=_describe_holder(lease),
        freshness=freshness,
        last_run=last_run,
        due={f"{side} {object_}": number for (side, object_), number in store.standing.count_due().items()},
        waiting=store.records.count_waiting(),
        retries_due=store.standing.count_retries(now.isoformat()),
        out_of_scope=sum(store.records.count_out_of_scope().values()),
        held={str(run): number for run, number in store.holds.count().items()},
        links=store.links.count_by_state(),
        calls=calls,
        problems=tuple(ProblemGroup(cause, len(some), min(some)) for cause, some in sorted(causes.items())),
        ignored=len(ignored),
        conflicts_held=sum(one["code"] == CONFLICT for one in open_),
        conflicts_settled=sum(
            sum(change["conflict"] for change in one["changes"])
            for one in store.journal.conflicts(since=(now - RECENT).isoformat())
        ),
    )


def _describe_holder(lease: Lease | None) -> dict[str, Any] | None:
    """The process of a lease that has not ended, if it is known."""
    if lease is None or lease.holder is None or lease.seconds <= 0:
        return None
    who = lease.holder
    return {"host": who.host, "pid": who.pid, "since": lease.taken, "gone": who.is_gone}


# --- what a person should see to --------------------------------------------------------------------------


def _of_suspension(suspension: Suspension | None) -> list[Concern]:
    if suspension is None:
        return []
    return [Concern(Worry.SUSPENDED, f"the sync is suspended: {suspension.message}", suspension.remedy)]


def _of_runs(
    last: RunAnswer | None, freshness: Freshness, now: datetime, max_age: timedelta | None
) -> list[Concern]:
    concerns = []
    if last is not None and last.status not in ENDED:
        error = {"refused": "was refused by the guard", "stopped": "was stopped", "died": "died"}
        text = f"run {last.run} {error.get(last.status, last.status)}"
        concerns.append(Concern(Worry.FAILED, text, f"`connector runs {last.run}`; then `connector sync`"))
    most = max_age
    if most is None and freshness.interval is not None:
        most = timedelta(seconds=OVERDUE_AFTER * freshness.interval)
    if most is None or last is None:
        return concerns
    if freshness.last_good_at is None or now - datetime.fromisoformat(freshness.last_good_at) > most:
        remedy = "see whether the schedule runs (cron, systemd), and what its log says"
        concerns.append(Concern(Worry.OVERDUE, "no run has ended well for too long", remedy))
    return concerns


def _of_calls(calls: Mapping[str, Budget]) -> list[Concern]:
    return [
        Concern(
            Worry.NO_CALLS,
            f"no {side} API calls are left of the {budget.allowed:,} that the settings allow in 24 hours",
            f"wait, they become free hour by hour; or raise `{side}.daily_calls`",
        )
        for side, budget in calls.items()
        if budget.allowed is not None and budget.used >= budget.allowed
    ]


def _of_problems(number: int) -> list[Concern]:
    if not number:
        return []
    text = f"{number:,} problem{'' if number == 1 else 's'} {'is' if number == 1 else 'are'} open"
    return [Concern(Worry.PROBLEMS, text, "`connector problems list` says what to do about each")]


# --- how fresh --------------------------------------------------------------------------------------------


def _find_freshness(settings: Settings, store: Store, now: datetime) -> Freshness:
    runs = [one for one in store.runs.page(LOOKED_BACK * 2) if one["status"] != BY_HAND]
    syncs = [one for one in runs if one[KIND] == SYNC][:LOOKED_BACK]
    good = next((one for one in syncs if one["status"] in ENDED), None)
    overlaps = {
        Side.SALESFORCE: settings.salesforce.overlap_minutes,
        Side.HUBSPOT: settings.hubspot.overlap_minutes,
    }
    return Freshness(
        last_good_run=good["run"] if good else None,
        last_good_at=good["started"] if good else None,
        age=(now - datetime.fromisoformat(good["started"])).total_seconds() if good else None,
        read_up_to={side.value: _read_up_to(store, side, overlaps[side]) for side in Side},
        interval=find_interval([one["started"] for one in syncs]),
    )


def _read_up_to(store: Store, side: Side, overlap: float) -> str | None:
    """Up to which moment of the server's clock a side was read, by the oldest of its cursors."""
    stamps = [_stamp(one) for one in store.runs.cursors(side) if one]
    known = [one for one in stamps if one is not None]
    if not known:
        return None
    oldest = min(datetime.fromisoformat(one) for one in known)
    return (oldest + timedelta(minutes=overlap)).isoformat()


def _stamp(cursor: Any) -> str | None:
    found = cursor.get("since") if isinstance(cursor, dict) else cursor
    return found if isinstance(found, str) else None


def find_interval(started: Sequence[str]) -> float | None:
    """The usual seconds between runs, the latest first; None unless they come regularly."""
    moments = [datetime.fromisoformat(one) for one in started]
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(moments)]
    if len(gaps) < FEWEST_INTERVALS:
        return None
    usual = median(gaps)
    regular = Counter(abs(gap - usual) <= TOLERANCE * usual for gap in gaps)
    return usual if usual >= 1 and regular[True] >= max(FEWEST_INTERVALS, len(gaps) * 0.7) else None


# --- how many calls ---------------------------------------------------------------------------------------


def _find_budgets(
    settings: Settings, store: Store, last: Mapping[str, Any] | None, now: datetime
) -> dict[str, Budget]:
    allocation = Allocation(settings.daily_calls(), store, lambda: now)
    spent = allocation.as_json()
    found = {}
    for side in Side:
        told = ((last or {}).get("report") or {}).get(side.value, {}).get("api_left")
        own = allocation.left(side)
        left = min((one for one in (told, own) if one is not None), default=None)
        found[side.value] = Budget(spent[side.value]["used"] or 0, spent[side.value]["allowed"], left)
    return found
