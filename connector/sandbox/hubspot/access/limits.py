"""How often an app may call, and what it is told when it calls too often.

| bucket | calls | most (setting) | within | whose |
|---|---|---|---|---|
| `burst` | all others | 190 (`burst_limit`), OAuth 110 (`oauth_burst_limit`) | ten seconds, rolling | each app's |
| `search` | searches | 5 (`search_limit`) | a second, rolling | the account's |
| `associations` | batches of associations | 150 (`association_limit`) | ten seconds, rolling | the account's |
| the day | all but those of OAuth apps | 625,000 (`daily_limit`) | to midnight | the account's |
| the day | batches of associations | 500,000 (`association_daily_limit`) | to midnight | the account's |

Numbers of Professional (HubSpot docs, "API usage guidelines and limits", "Search the CRM" and "Associate records").
All time is the sandbox's. Windows are counted only while the setting `enforce_limits` asks for it, the day always.
A refused call takes no room in a window; whether HubSpot counts it is not documented.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connector.sandbox.clock import Clock
from connector.sandbox.hubspot.access.credentials import Bearer
from connector.sandbox.hubspot.errors import RateLimited
from connector.sandbox.hubspot.moments import next_midnight, to_ms
from connector.sandbox.hubspot.settings import Settings

BURST, SEARCH, ASSOCIATIONS = "burst", "search", "associations"
_TEN_SECONDS, _SECOND = 10_000, 1_000


@dataclass(frozen=True, slots=True)
class _Policy:
    """A rolling window of `span` milliseconds; `setting` holds how many calls fit, `shared` by all apps."""

    name: str
    span: int
    setting: str
    shared: bool


_POLICIES = {
    BURST: _Policy("TEN_SECONDLY_ROLLING", _TEN_SECONDS, "burst_limit", shared=False),
    SEARCH: _Policy("SECONDLY", _SECOND, "search_limit", shared=True),
    ASSOCIATIONS: _Policy("TEN_SECONDLY_ROLLING", _TEN_SECONDS, "association_limit", shared=True),
}


class _Day:
    """A count that begins anew with every day."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._count = 0

    def at(self, day: date) -> int:
        return self._count if day == self._day else 0

    def add(self, day: date) -> None:
        self._count = self.at(day) + 1
        self._day = day


class Limits:
    """The calls of the present windows, and those of the day."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], deque[int]] = {}
        self._calls = _Day()
        self._associations = _Day()

    def today(self, now: datetime, settings: Settings) -> int:
        """The calls of private apps since midnight in the account's time zone."""
        return self._calls.at(_day(now, settings))

    def admit(self, bucket: str, who: Bearer, clock: Clock, settings: Settings) -> None:
        """Count a call. Raises `RateLimited` for one too many."""
        now = clock.now()
        day = _day(now, settings)
        if is_enforced(clock, settings):
            self._check_day(bucket, who, now, settings)
            self._check_window(bucket, who, now, settings)
        if not who.oauth:
            self._calls.add(day)
        if bucket == ASSOCIATIONS:
            self._associations.add(day)

    def _check_day(self, bucket: str, who: Bearer, now: datetime, settings: Settings) -> None:
        day = _day(now, settings)
        full = not who.oauth and self._calls.at(day) >= settings.daily_limit
        if full or (bucket == ASSOCIATIONS and self._associations.at(day) >= settings.association_daily_limit):
            midnight = next_midnight(now, ZoneInfo(settings.time_zone))
            raise _too_many("DAILY", to_ms(midnight) - to_ms(now), settings)

    def _check_window(self, bucket: str, who: Bearer, now: datetime, settings: Settings) -> None:
        policy, at = _POLICIES[bucket], to_ms(now)
        window = self._window(bucket, who, at)
        if len(window) >= _most(bucket, who, settings):
            wait = window[0] + policy.span - at if window else policy.span
            raise _too_many(policy.name, wait, settings)
        window.append(at)

    def _window(self, bucket: str, who: Bearer, at: int) -> deque[int]:
        """The calls that still count. A clock that was set back leaves none from the future behind."""
        policy = _POLICIES[bucket]
        window = self._windows.setdefault((bucket, "" if policy.shared else who.actor.source_id), deque())
        while window and window[0] <= at - policy.span:
            window.popleft()
        while window and window[-1] > at:
            window.pop()
        return window

    def headers(self, who: Bearer, clock: Clock, settings: Settings) -> dict[str, str]:
        """What HubSpot tells of its limits on every call but a search; nothing of the day to OAuth apps."""
        now, most = clock.now(), _most(BURST, who, settings)
        enforced = is_enforced(clock, settings)
        left = most - len(self._window(BURST, who, to_ms(now))) if enforced else most
        told = {
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(_TEN_SECONDS),
            "X-HubSpot-RateLimit-Max": str(most),
            "X-HubSpot-RateLimit-Remaining": str(max(left, 0)),
        }
        if not who.oauth:
            day_left = settings.daily_limit - self.today(now, settings)
            told["X-HubSpot-RateLimit-Daily"] = str(settings.daily_limit)
            told["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(day_left, 0))
        return told


def is_enforced(clock: Clock, settings: Settings) -> bool:
    """Whether calls beyond the limits are refused now."""
    return settings.enforce_limits == "always" or (settings.enforce_limits == "running" and not clock.frozen)


def _most(bucket: str, who: Bearer, settings: Settings) -> int:
    if bucket == BURST and who.oauth:
        return settings.oauth_burst_limit
    most: int = getattr(settings, _POLICIES[bucket].setting)
    return most


def _day(now: datetime, settings: Settings) -> date:
    return now.astimezone(ZoneInfo(settings.time_zone)).date()


def _too_many(policy: str, wait: int, settings: Settings) -> RateLimited:
    """`wait` is in milliseconds."""
    return RateLimited(policy, -(-wait // 1_000) if settings.send_retry_after else None)
