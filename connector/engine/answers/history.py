"""What was written to a record and its partner, in which run, and why? From the journal, the latest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.core.derived import LIFECYCLE_STAGE
from connector.core.model import Side, Value
from connector.engine.answers.view import View


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one write: old, new, the rule's id, what moved; and whether an edit was overwritten (F2).

    `evidence` tells which of two edits was the later one, and by what that was known.
    """

    field: str
    old: Value
    new: Value
    rule: str
    cause: str
    conflict: bool
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """One write. `state`: done, failed (refused), intended: a run died over it; or forgotten, with the person.

    `verb`: create, update, delete; of contacts of deals connect, disconnect, name.
    """

    number: int
    run: int
    at: str
    state: str
    verb: str
    side: Side
    object: str
    record_id: str | None
    link_id: int | None
    changes: tuple[FieldChange, ...]


def answer_history(view: View, fields: Collection[str] | None = None) -> tuple[WriteAnswer, ...]:
    """The writes to both records, the latest first; with `fields` only what they did to these."""
    journal = view.work.c.store.journal
    rows = {one["number"]: one for one in journal.of_record(view.side, view.object, view.id)}
    if view.link is not None:
        rows |= {one["number"]: one for one in journal.of_link(view.link.id)}
    found = (make_write(rows[number], fields) for number in sorted(rows, reverse=True))
    return tuple(one for one in found if fields is None or one.changes)


def find_moves(history: Iterable[WriteAnswer]) -> tuple[WriteAnswer, ...]:
    """Of these writes those that moved a lifecycle stage, and nothing but that of each (L10)."""
    moves = ((one, tuple(change for change in one.changes if change.field == LIFECYCLE_STAGE)) for one in history)
    return tuple(_only(one, changes) for one, changes in moves if changes)


def make_write(row: Mapping[str, Any], fields: Collection[str] | None = None) -> WriteAnswer:
    """A row of the journal as an answer."""
    return WriteAnswer(
        number=row["number"],
        run=row["run"],
        at=row["at"],
        state=row["state"],
        verb=row["verb"],
        side=Side(row["side"]),
        object=row["object"],
        record_id=row["record_id"],
        link_id=row["link"],
        changes=tuple(_change(one) for one in row["changes"] if fields is None or one["field"] in fields),
    )


def _change(row: Mapping[str, Any]) -> FieldChange:
    cause, _, evidence = str(row["cause"]).partition(", edited later: ")
    return FieldChange(**{**row, "cause": cause}, evidence=f"edited later: {evidence}" if evidence else "")


def _only(one: WriteAnswer, changes: tuple[FieldChange, ...]) -> WriteAnswer:
    names = ("number", "run", "at", "state", "verb", "side", "object", "record_id", "link_id")
    return WriteAnswer(**{name: getattr(one, name) for name in names}, changes=changes)
