"""What could not be synced, and what did a person say about it?

An ignored problem is hidden for as long as it stays what it was: another code, another detail, or another refused
value, and it is open again. It is tried again all the while, as the rules have it (E2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.core.model import Side, Value
from connector.engine.ignored import find_ignored, find_refused, place_of
from connector.store.journal import Place
from connector.store.store import Store


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """A problem: where it is, what is wrong and what helps, how often it was tried, and what was refused (E1)."""

    side: Side
    object: str
    record_id: str
    field: str
    cause: str
    code: str
    detail: str
    remedy: str
    attempts: int
    since: str
    last: str
    next_try: str | None
    refused: Value = None
    """The value that was not accepted, where one field is at fault."""
    ignored_since: str | None = None

    @property
    def place(self) -> Place:
        return self.side, self.object, self.record_id, self.field


def list_problems(
    store: Store, *, cause: str = "", object_: str = "", ignored: bool = False
) -> list[ProblemAnswer]:
    """Open problems, the oldest first; with `ignored` those that a person has hidden instead.

    `cause` is a problem class, `object_` an object of either side.
    """
    found = (one for one in _answer(store, store.problems.all()) if (one.ignored_since is not None) is ignored)
    return [one for one in found if cause in ("", one.cause) and object_.casefold() in ("", one.object.casefold())]


def problems_of(store: Store, side: Side, object_: str, record_id: str) -> list[ProblemAnswer]:
    """All problems of one record and its fields, hidden or not."""
    return _answer(store, store.problems.of_record(side, object_, record_id))


def retry_problems(store: Store, some: Iterable[ProblemAnswer]) -> None:
    """The next run tries these again: their delay is over, and their records are looked at."""
    with store.transaction():
        for one in some:
            store.problems.make_due(one.place)
            store.records.mark(one.side, one.object, [one.record_id])


def ignore_problems(store: Store, some: Iterable[ProblemAnswer], *, over: bool = False) -> None:
    """Hide these until they change; with `over`, show them again."""
    with store.transaction():
        for one in some:
            if over:
                store.problems.heed(one.place)
            else:
                store.problems.ignore(one.place, one.refused)


def _answer(store: Store, rows: Iterable[Mapping[str, Any]]) -> list[ProblemAnswer]:
    ignored = find_ignored(store)
    found = []
    for row in rows:
        place = place_of(row)
        told = {**row, "side": place[0], "refused": find_refused(store, place)}
        found.append(ProblemAnswer(**told, ignored_since=ignored.get(place)))
    return found
