"""What search does not see yet of associations (HubSpot docs, "Search the CRM": changes take a few moments).

Versions of records that search does not see yet, and records that it does not know to be gone, are kept in
`records.Table`. Here are the pairs that were associated, or ceased to be, only a moment ago.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.sandbox.hubspot.definitions.associations import Associations, Pair


@dataclass(frozen=True, slots=True)
class _Change:
    """A pair that was `linked`, or not, before a change that search sees from `until` on."""

    end: int
    linked: bool
    until: int


class LinkIndex:
    """The associations of a portal as search sees them. Times are milliseconds since 1970."""

    def __init__(self) -> None:
        self._changes: dict[tuple[Pair, int], list[_Change]] = {}

    def note(self, pair: Pair, start: int, end: int, *, linked: bool, until: int) -> None:
        """A pair of records was `linked`, or not, until now."""
        for direction, one, other in ((pair, start, end), (pair[::-1], end, start)):
            self._changes.setdefault((direction, one), []).append(_Change(other, linked, until))

    def seen(self, associations: Associations, pair: Pair, record_id: int, now: int) -> set[int]:
        """The ids that a record is associated with, as far as search knows."""
        ids = set(associations.neighbours(pair, record_id))
        changes = [change for change in self._changes.pop((pair, record_id), ()) if change.until > now]
        if changes:
            self._changes[pair, record_id] = changes
        for change in reversed(changes):
            if change.linked:
                ids.add(change.end)
            else:
                ids.discard(change.end)
        return ids
