"""How many API calls have been made: in all, for what, and today."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any

DAILY_LIMIT = 625_000  # Professional (HubSpot docs, "API usage guidelines and limits")
BURST_LIMIT = 190  # per ten seconds


class Usage:
    """Every call counts one, a batch or a search too. The day is that of the portal's time zone, UTC."""

    def __init__(self) -> None:
        self._by_resource: Counter[str] = Counter()
        self._day: date | None = None
        self._today = 0

    def count(self, resource: str, now: datetime) -> None:
        self._by_resource[resource] += 1
        if now.date() != self._day:
            self._day, self._today = now.date(), 0
        self._today += 1

    def today(self, now: datetime) -> int:
        return self._today if now.date() == self._day else 0

    def reset(self) -> None:
        """Begin counting anew what tests look at; the vendor's own count of the day goes on."""
        self._by_resource.clear()

    def view(self) -> dict[str, Any]:
        counted = dict(sorted(self._by_resource.items()))
        return {"total": sum(counted.values()), "by_resource": counted}

    def headers(self, now: datetime) -> dict[str, str]:
        """What HubSpot tells of its limits on every call but a search. The burst limit is not enforced."""
        return {
            "X-HubSpot-RateLimit-Daily": str(DAILY_LIMIT),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(DAILY_LIMIT - self.today(now), 0)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": str(BURST_LIMIT),
            "X-HubSpot-RateLimit-Remaining": str(BURST_LIMIT),
        }
