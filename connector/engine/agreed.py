"""Is a write one that somebody agreed to? The gate of `connector apply`: a saved plan, and what became of it (X1).

A row of the plan is made only if the run comes to the same row again: same record, same fields, same old and new
values. So a plan that lay about is as safe as a fresh one, and a row that was taken out of the file is not made.

| row       | means                                                                                   |
|-----------|-----------------------------------------------------------------------------------------|
| applied   | it was made                                                                             |
| drifted   | something else would be written there now: a side moved since. Nothing was written      |
| not due   | nothing is to be written there any more                                                 |
| refused   | the CRM did not take it as it stands; the problem says why                              |

Writes that are no row of the plan are not made, and stay due for the next sync. A rollup is agreed to as such,
not by its value: it sums up the deals as they are by then, and ties go by ids that no plan can know (U6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from connector.core.hiding import Veil
from connector.core.model import Change, Side, Value
from connector.engine.report import Agreement, Report, Unmade, Written, cover

Place = tuple[str, Side, str, str]
"""Verb, side, object and id: of a creation the source's, of a contact of a deal that of both, `deal/contact`."""

NEW = "new-"
"""How the id of a record begins that a plan says will be made; the id of its source follows."""

NOTHING_HIDDEN = Veil()


class _State(StrEnum):
    NOT_DUE = "not due"
    DRIFTED = "drifted"
    PASSED = "refused"
    MADE = "applied"


@dataclass
class _Row:
    write: Written
    state: _State = _State.NOT_DUE
    now: Written | None = None


class AgreedGate:
    """Lets pass what a saved plan says, and nothing else."""

    keeps_due = True

    def __init__(self, writes: Iterable[Written], veil: Veil = NOTHING_HIDDEN) -> None:
        self._veil = veil
        self._rows = [_Row(_recognise(one, veil)) for one in writes]
        self._by_place: dict[Place, list[_Row]] = {}
        self._new_ids: dict[str, set[str]] = {}
        self._unplanned: set[Place] = set()
        self._mentions: dict[str, list[_Row]] = {}
        for row in self._rows:
            self._by_place.setdefault(_place(row.write), []).append(row)
            for part in _place(row.write)[3].split("/"):
                if part.startswith(NEW):
                    self._mentions.setdefault(part, []).append(row)

    def admit(self, write: Written) -> frozenset[str]:
        fields = {one.field for one in write.changes}
        rows = [
            row
            for row in self._by_place.get(_place(write), ())
            if row.state is not _State.MADE and not fields.isdisjoint(one.field for one in row.write.changes)
        ]
        if not rows:
            self._unplanned.add(_place(write))
            return frozenset()
        alike = [row for row in rows if self._is_same(row.write, write)]
        for row in alike:
            row.state = _State.PASSED
        if alike:
            agreed = {one.field for row in alike for one in row.write.changes}
            sums_up = any(_is_rollup(one) for row in alike for one in row.write.changes)
            return frozenset(
                one.field for one in write.changes if one.field in agreed or (sums_up and _is_rollup(one))
            )
        for row in rows:
            row.state, row.now = _State.DRIFTED, write
        return frozenset()

    def note(self, write: Written) -> None:
        if write.verb == "create" and write.record is not None:
            self._learn(f"{NEW}{write.of}", write)
        for row in self._by_place.get(_place(write), ()):
            if row.state is _State.PASSED and self._has_all(row.write, write):
                row.state = _State.MADE

    def close(self, report: Report) -> None:
        """Say in the report what became of the plan."""
        report.agreement = Agreement(
            rows=len(self._rows),
            applied=sum(row.state is _State.MADE for row in self._rows),
            unmade=tuple(
                Unmade(
                    cover(row.write, self._veil), str(row.state), cover(row.now, self._veil) if row.now else None
                )
                for row in self._rows
                if row.state is not _State.MADE
            ),
            unplanned=len(self._unplanned),
        )

    def _learn(self, token: str, write: Written) -> None:
        """A record of the plan has its id now; rows about it are found under that."""
        new_id = str(write.record)
        self._new_ids.setdefault(token, set()).add(new_id)
        for row in self._mentions.get(token, ()):
            verb, side, object_, id_ = _place(row.write)
            for real in self._expand(id_):
                rows = self._by_place.setdefault((verb, side, object_, real), [])
                if row not in rows:
                    rows.append(row)

    def _expand(self, id_: str) -> list[str]:
        """All that an id in the plan may be by now."""
        found = [""]
        for number, part in enumerate(id_.split("/")):
            options = sorted(self._new_ids.get(part, ())) if part.startswith(NEW) else []
            between = "/" if number else ""
            found = [f"{start}{between}{option}" for start in found for option in options or [part]]
        return found

    def _is_same(self, planned: Written, write: Written) -> bool:
        """Whether the run came to this row again. An update may have come to more; the rest is not the row's."""
        if write.verb == "disconnect":  # asked for before the role's names are read
            return self._has_all(write, planned)
        whole = write.verb == "update" or len(planned.changes) == len(write.changes)
        return whole and self._has_all(planned, write)

    def _has_all(self, some: Written, more: Written) -> bool:
        by_field: Mapping[str, Change] = {one.field: one for one in more.changes}
        return all(
            (other := by_field.get(one.field)) is not None
            and self._is_equal(one.old, other.old)
            and self._is_equal(one.new, other.new)
            for one in some.changes
            if not _is_rollup(one)
        )

    def _is_equal(self, one: Value, other: Value) -> bool:
        """A value, or an id, in the plan's words or in today's."""
        if one == other or {one, other} <= {None, ""}:
            return True
        return any(
            isinstance(planned, str) and planned.startswith(NEW) and str(now) in self._new_ids.get(planned, ())
            for planned, now in ((one, other), (other, one))
        )


def _recognise(write: Written, veil: Veil) -> Written:
    """A row of the plan; what was hidden there can be told to be equal all the same (G3)."""
    return replace(
        write, changes=[veil.recognise(write.verb, write.side, write.object, one) for one in write.changes]
    )


def _place(write: Written) -> Place:
    id_ = write.record if write.verb in {"update", "delete"} else write.of
    return write.verb, write.side, write.object, id_ or ""


def _is_rollup(change: Change) -> bool:
    return change.rule.startswith("U")
