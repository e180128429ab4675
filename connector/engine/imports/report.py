"""What an import did, or would do: what was asked, what it cost, and how many records became what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connector.core.model import Side
from connector.engine.imports.outcomes import TROUBLED
from connector.engine.report import Report

Counts = list[tuple[str, str, str, int]]
"""(object, outcome, key, number of records)."""

INTERRUPTED = "interrupted"


@dataclass
class ImportReport:
    """`selected` records were meant; `ways` are the calls that it takes to read them, by way; `way` was taken."""

    report: Report
    selection: dict[str, Any]
    number: int | None = None
    resumed: bool = False
    dry_run: bool = False
    selected: int = 0
    way: str = ""
    ways: dict[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=list)

    @property
    def status(self) -> str:
        """`interrupted`, if it was asked to end early; else `ok`, or `problems` if records were held or refused."""
        if self.report.status == INTERRUPTED:
            return INTERRUPTED
        return "problems" if any(outcome in TROUBLED for _, outcome, _, _ in self.counts) else "ok"

    def as_json(self) -> dict[str, Any]:
        """The documented shape of `connector import --json`."""
        told = self.report
        return {
            "import": self.number,
            "run": told.run,
            "status": self.status,
            "dry_run": self.dry_run,
            "resumed": self.resumed,
            "selection": self.selection,
            "selected": self.selected,
            "way": self.way,
            "ways": self.ways,
            "records": [
                {"object": object_, "outcome": outcome, "key": key or None, "number": number}
                for object_, outcome, key, number in self.counts
            ],
            "associations": {"added": told.associations_added, "removed": told.associations_removed},
            "api_calls": {side.value: told.calls[side] for side in Side},
            "calls_to_write": {side.value: told.price[side] for side in Side} if self.dry_run else None,
            "made": told.made,
            "notes": told.notes,
            "seconds": round(told.seconds, 3),
        }
