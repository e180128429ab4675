"""What does a look at a record show that no trigger told, and how much of it is there? (X4)

Held against what was seen last, a record as it is now differs for one of these reasons:

| kind             | what happened                                                                             |
|------------------|-------------------------------------------------------------------------------------------|
| missed deletion  | it was deleted, and nothing said so                                                       |
| missed merge     | it was merged into another one                                                            |
| not visible      | the connector's user does not see it any more                                             |
| formula          | a formula over other records has another result; no modification date moves (T3)          |
| not kept         | the CRM does not hold what was written to it, though it took the write                    |
| missed edit      | another value, though no look noticed: committed late, or written without a date          |
| contacts         | the contacts of the deal, or their roles, are others; no modification date moves (R3)      |
| never seen       | a record in scope that no look has shown                                                  |
| not written      | both were seen as they are, and the rules would still write                               |
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connector.core.merge import is_same
from connector.core.model import Presence, Record, Side, Value

_CONFIDENCE = 1.96
"""Standard deviations to either side that hold 95 of 100 samples."""


class Kind(StrEnum):
    MISSED_DELETION = "missed deletion"
    MISSED_MERGE = "missed merge"
    NOT_VISIBLE = "not visible"
    FORMULA = "formula"
    NOT_KEPT = "not kept"
    MISSED_EDIT = "missed edit"
    CONTACTS = "contacts"
    NEVER_SEEN = "never seen"
    NOT_WRITTEN = "not written"


_ABSENCES = {
    Presence.DELETED: Kind.MISSED_DELETION,
    Presence.MERGED: Kind.MISSED_MERGE,
    Presence.INVISIBLE: Kind.NOT_VISIBLE,
}


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as it was thought to be. `seen` and `now` are the values of `field`, if it is one."""

    side: Side
    object: str
    record_id: str
    kind: Kind
    field: str = ""
    seen: Value = None
    now: Value = None


@dataclass(frozen=True, slots=True)
class Write:
    """What was last written to a field, when, and since when the field has the value it has, if the CRM tells."""

    value: Value
    at: str
    changed: str = ""


def compare(
    seen: Record | None, now: Record, formulas: Collection[str], written: Mapping[str, Write]
) -> list[Drift]:
    """How a record differs from what was seen of it. `written` is what was last written to it, by field."""
    where = (now.side, now.object, now.id)
    if not now.present:
        known = seen is not None and not seen.present
        return [] if known else [Drift(*where, _ABSENCES[now.presence])]
    if seen is None:
        return [Drift(*where, Kind.NEVER_SEEN)]
    return [
        Drift(*where, _judge(name, before, now, formulas, written.get(name)), name, before, now.fields[name])
        for name, before in sorted(seen.fields.items())
        if name in now.fields and not is_same(before, now.fields[name])
    ]


def _judge(field: str, seen: Value, now: Record, formulas: Collection[str], write: Write | None) -> Kind:
    if field in formulas:
        return Kind.FORMULA
    if write is not None and is_same(write.value, seen) and not _is_after(write.changed or now.modified, write.at):
        return Kind.NOT_KEPT
    return Kind.MISSED_EDIT


def _is_after(one: str, other: str) -> bool:
    return one != "" and datetime.fromisoformat(one) > datetime.fromisoformat(other)


@dataclass(frozen=True, slots=True)
class Share:
    """Of `all` records `looked_at` were looked at, and of these `drifted` had drifted."""

    drifted: int
    looked_at: int
    all: int

    @property
    def rate(self) -> float:
        return self.drifted / self.looked_at if self.looked_at else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which rates the whole lies in 95 of 100 cases (Wilson's interval); exact if all were seen."""
        if self.looked_at >= self.all:
            return self.rate, self.rate
        if not self.looked_at:
            return 0.0, 1.0
        n, z = self.looked_at, _CONFIDENCE
        middle = (self.rate + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(self.rate * (1 - self.rate) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)
