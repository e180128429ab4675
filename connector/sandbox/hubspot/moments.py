"""How HubSpot writes a moment: milliseconds since 1970 in what it compares, ISO 8601 in what it answers.

Moments are whole milliseconds in UTC here, so that they are cheap to keep and to order.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
DAY = 86_400_000


def to_ms(moment: datetime) -> int:
    return (moment - EPOCH) // _MILLISECOND


@lru_cache(maxsize=8192)
def to_iso(ms: int) -> str:
    """`2026-01-02T03:04:05.678Z`: UTC with milliseconds (HubSpot docs, "Properties")."""
    return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=8192)
def from_iso(text: str) -> int:
    """Milliseconds of an ISO 8601 date or date-time; without an offset it is UTC. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def read_ms(text: str) -> int:
    """Milliseconds of ISO 8601 or of epoch milliseconds in digits. Raises `ValueError` for all else."""
    if not text.lstrip("-").isdecimal():
        return from_iso(text)
    try:
        to_iso(int(text))
    except OverflowError:
        raise ValueError("beyond the calendar") from None
    return int(text)


def next_midnight(moment: datetime, zone: tzinfo) -> datetime:
    """When the day of a moment ends in a time zone."""
    local = moment.astimezone(zone)
    return datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=1)
