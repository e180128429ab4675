"""What happens in a portal, told at once to whoever listens: webhooks, and the webhooks journal.

A listener names its topics, `(object type, event, property)`; the property is "" for all events but
`propertyChange`, where "*" stands for all of them. With no listener `wanted` is empty, and a portal pays nothing
for its events: ask it before anything is put together that only an event needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

Topic = tuple[str, str, str]
EVERY_PROPERTY = "*"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one record.

    `what` is `creation`, `deletion`, `merge`, `restore`, `privacyDeletion`, `propertyChange` or
    `associationChange`; `kind` the object type's name; `at` milliseconds since 1970; `source` and `source_id` the
    actor's. `details` are the further keys that HubSpot sends with this type of event. A `labelled` change is that
    of a label between two records, not of their association as such.
    """

    what: str
    kind: str
    record_id: int
    at: int
    source: str
    source_id: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    labelled: bool = False

    @property
    def topic(self) -> Topic:
        return self.kind, self.what, self.details.get("propertyName", "")


class Listener(Protocol):
    """Whoever wants to be told."""

    def hear(self, event: Event) -> None: ...


class Events:
    """The listeners by name, each with its topics. `wanted` are the topics of all of them."""

    def __init__(self) -> None:
        self.wanted: frozenset[Topic] = frozenset()
        self._listeners: dict[str, tuple[Listener, frozenset[Topic]]] = {}

    def listen(self, name: str, listener: Listener, topics: Iterable[Topic]) -> None:
        """From now on tell a listener of these topics, and of no others; of none without topics."""
        self._listeners.pop(name, None)
        if chosen := frozenset(topics):
            self._listeners[name] = (listener, chosen)
        self.wanted = frozenset(topic for _, each in self._listeners.values() for topic in each)

    def wants(self, kind: str, what: str, name: str = "") -> bool:
        return _matches(self.wanted, (kind, what, name))

    def add(self, event: Event) -> None:
        for listener, topics in self._listeners.values():
            if _matches(topics, event.topic):
                listener.hear(event)


def _matches(topics: frozenset[Topic], topic: Topic) -> bool:
    return topic in topics or (*topic[:2], EVERY_PROPERTY) in topics
