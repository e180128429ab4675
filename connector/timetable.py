"""When is something due? `15 minutes`, `2 hours`, `1 day`, or a cron expression such as `*/5 8-18 * * 1-5`.

Pure: the moment is handed in. Cron fields are read in the zone of the settings, and where the clocks are changed as
Debian's cron has it (cronsim): what is skipped in spring is made up for, what comes twice in autumn is done once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_UNITS = {"minute": 1, "hour": 60, "day": 24 * 60}
_EVERY = re.compile(r"(?:every\s+)?(\d+)\s*(minute|hour|day)s?", re.IGNORECASE)
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, after so much time."""

    interval: timedelta

    def after(self, last: datetime | None, start: datetime) -> datetime:
        """When it is due next, if it was last begun at `last`. If it never was: at the `start`."""
        return start if last is None else last + self.interval


@dataclass(frozen=True, slots=True)
class Cron:
    """At the moments that five cron fields name."""

    expression: str
    zone: ZoneInfo

    def after(self, last: datetime | None, start: datetime) -> datetime:
        """The first moment after `last`: one that lies in the past is to be made up for, once."""
        return next(CronSim(self.expression, (last or start).astimezone(self.zone))).astimezone(UTC)


Times = Every | Cron


def read_times(text: str, zone: ZoneInfo) -> Times:
    """What a setting means.

    Raises:
        ValueError: in words, if it means nothing.
    """
    found = _EVERY.fullmatch(text.strip())
    if found:
        interval = timedelta(minutes=int(found[1]) * _UNITS[found[2].lower()])
        if not timedelta(minutes=1) <= interval <= _LONGEST:
            raise ValueError(f"{text!r} is not between 1 minute and 366 days")
        return Every(interval)
    try:
        times = Cron(text.strip(), zone)
        times.after(None, datetime.now(UTC))
    except (CronSimError, StopIteration) as error:
        why = f": {str(error).lower()}" if str(error) else ""
        raise ValueError(f"{text!r} is no time{why}; e.g. 15 minutes, 2 hours, or */5 8-18 * * 1-5") from None
    return times
