"""How notifications leave: in what portions, in what order, and how often they are tried again.

Nothing leaves by itself. What is due by the sandbox's clock is asked for (`take_due`), sent by whoever likes to,
and how it went is reported (`settle`), so that a test can play the receiver.

HubSpot sends at most 100 events in a request, promises neither an order nor that an event comes only once, waits
five seconds, and tries again whatever fails with a status of 400 and above, a lost connection or silence, at most
ten times within 24 hours (HubSpot docs, "Webhooks API"). It tells no exact times: those in `_WAITS` are made up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any

MOST_EVENTS = 100
TIMEOUT_SECONDS = 5
_MINUTE = 60_000

# Minutes before each retry, and how much longer one may be by chance: in all less than 24 hours.
_WAITS = (1, 5, 15, 30, 60, 120, 180, 240, 300, 360)
_JITTER = 0.09
MOST_RETRIES = len(_WAITS)


@dataclass(order=True, slots=True)
class Batch:
    """Up to a hundred notifications, which succeed or fail together. Times are milliseconds since 1970."""

    due: int
    number: int
    notifications: list[dict[str, Any]] = field(compare=False)
    attempt: int = field(default=0, compare=False)

    def events(self) -> list[dict[str, Any]]:
        """The notifications as this attempt sends them."""
        return [{**one, "attemptNumber": self.attempt} for one in self.notifications]


class Outbox:
    """What has not been delivered yet."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"webhooks {seed}")
        self._fresh: list[dict[str, Any]] = []
        self._batches: list[Batch] = []
        self._last_number = 0
        self.lost = 0

    def put(self, notification: dict[str, Any]) -> None:
        self._fresh.append(notification)

    def pending(self) -> int:
        """How many notifications wait for their first or a further attempt."""
        return len(self._fresh) + sum(len(batch.notifications) for batch in self._batches)

    def clear(self) -> None:
        self._fresh.clear()
        self._batches.clear()

    def take_due(self, now: int, *, shuffle: bool, duplicates: float) -> list[Batch]:
        """What is to be sent now, new and failed before. `duplicates` is the chance of each to come twice."""
        fresh = [one for one in self._fresh for _ in range(1 + self._strikes(duplicates))]
        self._fresh = []
        if shuffle:
            self._random.shuffle(fresh)
        for start in range(0, len(fresh), MOST_EVENTS):
            self._last_number += 1
            heappush(self._batches, Batch(now, self._last_number, fresh[start : start + MOST_EVENTS]))
        due = []
        while self._batches and self._batches[0].due <= now:
            due.append(heappop(self._batches))
        return due

    def _strikes(self, chance: float) -> bool:
        return chance > 0 and self._random.random() < chance

    def settle(self, batch: Batch, status: int | None) -> None:
        """How an attempt went: a status, or None for no answer. A failed one is due again, but for the last."""
        if status is not None and status < 400:
            return
        if batch.attempt >= MOST_RETRIES:
            self.lost += len(batch.notifications)
            return
        wait = _WAITS[batch.attempt] * _MINUTE * (1 + self._random.random() * _JITTER)
        heappush(self._batches, Batch(batch.due + int(wait), batch.number, batch.notifications, batch.attempt + 1))
