"""What did the runs do? Their list, and one of them with all its writes.

What a person did to the store alone, such as ending a link, has a number here too: its status is `by hand`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.core.model import Side
from connector.engine.answers.history import WriteAnswer, make_write
from connector.errors import BadConfiguration, Finding
from connector.store.store import Store

KIND = "kind"
"""Where a run, or the report of what was done by hand, names what kind it is of."""


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """A run: what kind, how it ended, how long it took, what it wrote, and its API calls.

    `status`: ok, problems, drifted, interrupted, refused, stopped, died, by hand, given up; or running: under way,
    or its process is gone and no run has begun since. The counts are of records and, under `associations`, of
    contacts of deals; `report` is what the command printed. `forgotten`: since when it is not known any more what
    it wrote.
    """

    run: int
    kind: str
    status: str
    started: str
    finished: str | None
    seconds: float | None
    created: int
    updated: int
    deleted: int
    associations: int
    conflicts: int
    problems: int
    calls: Mapping[str, int]
    report: Mapping[str, Any] | None
    forgotten: str | None = None


def list_runs(store: Store, *, limit: int, before: int | None = None) -> list[RunAnswer]:
    """The latest runs; `before` a number, for the next page."""
    return [make_run(row) for row in store.runs.page(limit, before)]


@dataclass(frozen=True, slots=True)
class KindOfWrites:
    """What a run did to one object of a side, how often, and some of it, in order."""

    side: Side
    object: str
    verb: str
    number: int
    writes: tuple[WriteAnswer, ...]


def show_run(
    store: Store, number: int, *, record: str = "", limit: int | None = None
) -> tuple[RunAnswer, tuple[KindOfWrites, ...]]:
    """One run with its writes by kind: the first `limit` of each, or with `record` all those about that id.

    Raises:
        BadConfiguration: there is no such run.
    """
    row = store.runs.get(number)
    if row is None:
        last = next(iter(store.runs.page(1)), None)
        known = f"the runs go up to {last['run']}" if last else "nothing was ever synced"
        if 0 < number <= store.retention.last_forgotten():
            known = "it is forgotten, as `journal.keep_days` says"
        raise BadConfiguration([Finding(str(number), 0, f"there is no run {number}", f"{known}: `connector runs`")])
    if record:
        return make_run(row), _group(store.journal.of_run_about(number, record))
    kinds = (
        KindOfWrites(
            *kind,
            tuple(make_write(one) for one in store.journal.first_of_kind(number, *kind[:3], limit or kind[3])),
        )
        for kind in store.journal.kinds_of_run(number)
    )
    return make_run(row), tuple(kinds)


def _group(rows: Iterable[Mapping[str, Any]]) -> tuple[KindOfWrites, ...]:
    groups: dict[tuple[Side, str, str], list[WriteAnswer]] = {}
    for one in map(make_write, rows):
        groups.setdefault((one.side, one.object, one.verb), []).append(one)
    return tuple(KindOfWrites(*kind, len(some), tuple(some)) for kind, some in groups.items())


def make_run(row: Mapping[str, Any]) -> RunAnswer:
    """A row of the store as an answer."""
    report: Mapping[str, Any] = row["report"] or {}
    sides = [report.get(side.value, {}) for side in Side]
    associations = report.get("associations", {})
    started, finished = row["started"], row["finished"]
    seconds = (
        (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds() if finished else None
    )
    return RunAnswer(
        run=row["run"],
        kind=report.get(KIND, row[KIND]),
        status=row["status"],
        started=started,
        finished=finished,
        seconds=seconds,
        created=sum(sum(one.get("created", {}).values()) for one in sides),
        updated=sum(sum(one.get("updated", {}).values()) for one in sides),
        deleted=sum(sum(one.get("deleted", {}).values()) for one in sides),
        associations=sum(associations.values()),
        conflicts=report.get("conflicts", 0),
        problems=report.get("problems", 0),
        calls={side.value: report.get(side.value, {}).get("api_calls", 0) for side in Side},
        report=row["report"],
        forgotten=row["forgotten"],
    )
