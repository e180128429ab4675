"""How many API calls have been made: for what, and in the last 24 hours.

Salesforce Developer Limits and Allocations, "API Request Limits and Allocations": the daily limit is one of any 24
hours, not of a calendar day. Hours are counted as wholes here.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from connector.sandbox.clock import Clock

_HOUR = timedelta(hours=1) // timedelta(seconds=1)
_DAY = 24


class Usage:
    """Every call counts one, that of a composite too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_resource: Counter[str] = Counter()
        self._by_hour: Counter[int] = Counter()

    def count(self, resource: str) -> None:
        self._by_resource[resource] += 1
        self._by_hour[self._hour()] += 1

    @property
    def daily(self) -> int:
        """Those of the last 24 hours."""
        now = self._hour()
        for hour in [each for each in self._by_hour if not now - _DAY < each <= now]:
            del self._by_hour[hour]
        return self._by_hour.total()

    def reset(self) -> None:
        """Begin counting anew, what tests look at and what the daily limit is about."""
        self._by_resource.clear()
        self._by_hour.clear()

    def view(self) -> dict[str, Any]:
        """`{"total": calls, "by_resource": {"query": calls, …}}` since the org began or the last reset."""
        return {"total": self._by_resource.total(), "by_resource": dict(self._by_resource)}

    def _hour(self) -> int:
        return int(self._clock.now().timestamp()) // _HOUR
