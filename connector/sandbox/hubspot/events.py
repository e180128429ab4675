"""What has happened in a portal, in order, for whoever wants to be told of it (webhooks).

Nothing is kept unless somebody listens: a portal without subscriptions pays nothing for its events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one record.

    `what` is `creation`, `deletion`, `merge`, `restore`, `privacyDeletion`, `propertyChange` or
    `associationChange`; `kind` the object type's name; `at` milliseconds since 1970; `source` the actor's.
    `details` are the further keys that HubSpot sends with this type of event.
    """

    what: str
    kind: str
    record_id: int
    at: int
    source: str
    details: dict[str, Any] = field(default_factory=dict)


class Events:
    """`wanted` are the pairs of object type and event that somebody listens to."""

    def __init__(self) -> None:
        self.wanted: set[tuple[str, str]] = set()
        self._pending: list[Event] = []

    def add(self, event: Event) -> None:
        if (event.kind, event.what) in self.wanted:
            self._pending.append(event)

    def take(self) -> list[Event]:
        """All that happened since they were last taken."""
        taken, self._pending = self._pending, []
        return taken
