"""In which portions do the selected records come, by which way, and from where does a killed import go on?

| way     | when                                                                      | calls               |
|---------|---------------------------------------------------------------------------|---------------------|
| `known` | all records are meant, and this store has just looked at every one of them | none                |
| `rest`  | there are few                                                              | 1 per 2,000         |
| `bulk`  | it costs fewer calls than `rest`                                           | 4 and 1 per 20,000  |

A reading is data: what it says is stored with the portion that it was made for, and a new process goes on from it.
A bulk job that is lost is made anew; what was dealt with before is then read again, and found to be in step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from connector.adapters.base import Refusal
from connector.adapters.salesforce_selections import Cursor, Extract, JobLost, Selections, price
from connector.core.model import Record, Side
from connector.engine.world import Connection

PORTION = 2000
JOBS = 2
"""So many bulk jobs are made for one reading before it goes on by REST."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the reading of a selection came. `offset`: records of the bulk page in hand that are dealt with."""

    way: str
    total: int
    done: int = 0
    after: str = ""
    job: str = ""
    jobs: int = 0
    offset: int = 0
    over: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Reading:
        return cls(**told)


def choose_way(total: int) -> str:
    """The way to read so many records that costs fewer calls."""
    calls = price(total)
    return "bulk" if calls["bulk"] < calls["rest"] else "rest"


def read_portions(
    c: Connection, extract: Extract, reading: Reading, keep: Callable[[], None]
) -> Iterator[tuple[Sequence[Record], Reading]]:
    """The records that are left, in portions, each with the reading that holds once it is dealt with.

    `keep` is called while a bulk job is waited for: that may take longer than a lease lasts.
    """
    selections = c.salesforce.selections()
    selections.tick = keep
    now = reading
    while not now.over:
        if now.way == "known":
            portions = _read_known(c, extract, now)
        elif now.way == "rest":
            portions = _read_by_rest(selections, extract, now)
        else:
            portions = _read_in_bulk(selections, extract, now)
        for records, following in portions:
            now = following
            yield records, following


def _read_known(c: Connection, extract: Extract, reading: Reading) -> Iterator[tuple[Sequence[Record], Reading]]:
    found = c.store.records.page(Side.SALESFORCE, extract.object, reading.after, PORTION)
    over = len(found) < PORTION
    after = found[-1].id if found else reading.after
    yield found, replace(reading, after=after, done=reading.done + len(found), over=over)


def _read_by_rest(
    selections: Selections, extract: Extract, reading: Reading
) -> Iterator[tuple[Sequence[Record], Reading]]:
    portion = selections.read(extract, Cursor(reading.after), reading.done)
    done = reading.done + len(portion.records)
    after = portion.following.after if portion.following else reading.after
    over = portion.following is None or (extract.most is None and done >= reading.total)
    yield portion.records, replace(reading, after=after, done=done, over=over)


def _read_in_bulk(
    selections: Selections, extract: Extract, reading: Reading
) -> Iterator[tuple[Sequence[Record], Reading]]:
    if not reading.job:
        begun = selections.begin(extract) if reading.jobs < JOBS else None
        if begun is None or isinstance(begun, Refusal):
            yield (), Reading("rest", reading.total)
            return
        reading = replace(reading, job=begun.job, jobs=reading.jobs + 1, after="", offset=0, done=0)
        yield (), reading  # the job is remembered before anything is waited for
    some: list[Record] = []
    following: Cursor | None = None
    try:
        for number, one in enumerate(selections.read_bulk(extract, Cursor(reading.after, reading.job))):
            if isinstance(one, Cursor):
                following = one
            elif number >= reading.offset:
                some.append(one)
            if len(some) == PORTION:
                reading = replace(reading, offset=number + 1, done=reading.done + len(some))
                yield some, reading
                some = []
    except JobLost:
        yield (), replace(reading, job="", after="", offset=0, done=0)
        return
    after = following.after if following else ""
    over = following is None
    yield some, replace(reading, after=after, offset=0, done=reading.done + len(some), over=over)
