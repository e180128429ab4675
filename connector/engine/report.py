"""What a run did, or would do: counts a person can check, and the actions behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from connector.core.hiding import Hidden, Veil
from connector.core.model import Change, Side, Value


@dataclass(frozen=True, slots=True)
class Written:
    """One write, done or planned. `record` is None for a record that is to be created; `of` is its source."""

    verb: str
    side: Side
    object: str
    record: str | None
    of: str
    changes: Sequence[Change]


def cover(written: Written, veil: Veil) -> Written:
    """A write as it may be kept and shown."""
    if not veil:
        return written
    changes = [veil.cover(written.verb, written.side, written.object, one) for one in written.changes]
    return replace(written, changes=changes)


@dataclass(frozen=True, slots=True)
class Unmade:
    """A row of a saved plan that was not made: why, and what would be written there now if that is known."""

    write: Written
    why: str
    now: Written | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "why": self.why,
            "planned": describe_write(self.write),
            "now": describe_write(self.now) if self.now else None,
        }


@dataclass(frozen=True, slots=True)
class Agreement:
    """What became of a saved plan. `unplanned` counts writes that have become due since and were left."""

    rows: int
    applied: int
    unmade: tuple[Unmade, ...]
    unplanned: int

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "applied": self.applied,
            "unmade": [one.as_json() for one in self.unmade],
            "unplanned": self.unplanned,
        }


@dataclass
class Report:
    """Counts by side and object, associations, conflicts, and (for a plan) every action."""

    run: int = 0
    keep_actions: bool = False
    created: dict[Side, Counter[str]] = field(default_factory=lambda: {side: Counter() for side in Side})
    updated: dict[Side, Counter[str]] = field(default_factory=lambda: {side: Counter() for side in Side})
    deleted: dict[Side, Counter[str]] = field(default_factory=lambda: {side: Counter() for side in Side})
    associations_added: int = 0
    associations_removed: int = 0
    associations_named: int = 0
    conflicts: int = 0
    problems: int = 0
    waiting: int = 0
    calls: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    left: dict[Side, int | None] = field(default_factory=lambda: dict.fromkeys(Side))
    price: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    made: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    actions: list[Written] = field(default_factory=list)
    agreement: Agreement | None = None
    """Of a run that applied a saved plan: what became of it."""
    seconds: float = 0.0
    status: str = "ok"

    def count(self, written: Written, veil: Veil) -> None:
        """Count a write, and keep it if actions are kept: as it may be shown (G3)."""
        table = {"create": self.created, "update": self.updated, "delete": self.deleted}.get(written.verb)
        if table is not None:
            table[written.side][written.object] += 1
        if written.verb == "connect":
            self.associations_added += 1
        if written.verb == "disconnect":
            self.associations_removed += 1
        if written.verb == "name":
            self.associations_named += 1
        self.conflicts += sum(change.conflict for change in written.changes)
        if self.keep_actions:
            self.actions.append(cover(written, veil))

    @property
    def writes(self) -> int:
        """Everything written to records and associations."""
        counters = [*self.created.values(), *self.updated.values(), *self.deleted.values()]
        associations = self.associations_added + self.associations_removed + self.associations_named
        return sum(sum(one.values()) for one in counters) + associations

    def as_json(self) -> dict[str, Any]:
        """The documented shape of `connector sync --json`.

        `salesforce`, `hubspot`: `{"created": {object: number}, "updated": …, "deleted": …, "api_calls": number,
        "api_left": number or null}`.
        `status`: ok, problems (some records could not be synced), refused (by the guard), stopped, or died.
        `conflicts` counts fields, `problems` and `waiting` records, `associations` contacts of deals.
        `plan` is only there if a saved plan was applied: `{"rows", "applied", "unplanned", "unmade":
        [{"why", "planned", "now"}]}`.
        """
        agreed = {"plan": self.agreement.as_json()} if self.agreement else {}
        return {
            "run": self.run,
            "status": self.status,
            **{side.value: self._side(side) for side in Side},
            "associations": {
                "added": self.associations_added,
                "removed": self.associations_removed,
                "named": self.associations_named,
            },
            "conflicts": self.conflicts,
            "problems": self.problems,
            "waiting": self.waiting,
            "made": self.made,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
            **agreed,
        }

    def plan_as_json(self) -> dict[str, Any]:
        """The documented shape of `connector plan --json`: `as_json` with the price and every action.

        An id `new-…` stands for the record that will be created for the record `…`.
        """
        price = {
            side.value: {"spent": self.calls[side], "to_write": self.price[side], "left": self.left[side]}
            for side in Side
        }
        return self.as_json() | {"price": price, "actions": [describe_write(one) for one in self.actions]}

    def _side(self, side: Side) -> dict[str, Any]:
        return {
            "created": dict(self.created[side]),
            "updated": dict(self.updated[side]),
            "deleted": dict(self.deleted[side]),
            "api_calls": self.calls[side],
            "api_left": self.left[side],
        }


def describe_write(written: Written) -> dict[str, Any]:
    """A row of a plan, as JSON has it."""
    return {
        "verb": written.verb,
        "side": written.side.value,
        "object": written.object,
        "record": None if written.verb == "create" else written.record,
        "of": written.of,
        "changes": [
            asdict(change) | {"old": _plain(change.old), "new": _plain(change.new)} for change in written.changes
        ],
    }


def _plain(value: Value) -> Value:
    """Hidden values leave the program as the text that they are, without their key."""
    return str(value) if isinstance(value, Hidden) else value
