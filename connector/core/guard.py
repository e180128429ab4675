"""Is this plan too big to be meant? (D7)"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeletionLimit:
    """A run may delete up to `records` records or `percent` of an object's links, whichever is larger."""

    records: int = 10
    percent: float = 5.0

    def allows(self, deletions: int, links: int) -> bool:
        return deletions <= max(self.records, links * self.percent / 100)


@dataclass(frozen=True, slots=True)
class Excess:
    """An object of which a run would delete too much."""

    object: str
    deletions: int
    links: int


def find_excesses(deletions: dict[str, int], links: dict[str, int], limit: DeletionLimit) -> list[Excess]:
    """The objects whose `deletions` (by object name) go beyond the limit, given the number of their links."""
    return [
        Excess(name, count, links.get(name, 0))
        for name, count in sorted(deletions.items())
        if not limit.allows(count, links.get(name, 0))
    ]
