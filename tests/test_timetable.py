"""When something is due: intervals and cron expressions (T5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connector.timetable import Cron, Every, read_times

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
WINTER = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("15 minutes", 15 * MINUTE),
        ("every 15 minutes", 15 * MINUTE),
        ("1 minute", MINUTE),
        ("2 Hours", 120 * MINUTE),
        (" 1 day ", timedelta(days=1)),
    ],
)
def test_T5_an_interval_is_said_in_words(text, interval):
    """Minutes, hours or days."""
    assert read_times(text, UTC_ZONE) == Every(interval)


@pytest.mark.parametrize("text", ["", "soon", "0 minutes", "999 days", "61 * * * *", "* * * *", "0 0 31 2 *", "15"])
def test_T5_what_is_no_time_is_refused_in_words(text):
    """With what was given and an example."""
    with pytest.raises(ValueError, match=r"is no time|is not between"):
        read_times(text, UTC_ZONE)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, NOON),
        (NOON - 5 * MINUTE, NOON + 10 * MINUTE),
        (NOON - 15 * MINUTE, NOON),
        (NOON - timedelta(days=3), NOON - timedelta(days=3) + 15 * MINUTE),
    ],
    ids=["never", "just now", "long enough ago", "missed many"],
)
def test_T5_an_interval_counts_from_the_last_beginning(last, due):
    """At once if there was none."""
    assert Every(15 * MINUTE).after(last, NOON) == due


@pytest.mark.parametrize(
    ("expression", "zone", "last", "due"),
    [
        ("*/15 * * * *", UTC_ZONE, NOON, NOON + 15 * MINUTE),
        ("0 8 * * 1-5", UTC_ZONE, NOON, datetime(2026, 11, 30, 8, 0, tzinfo=UTC)),
        ("0 8 * * *", BERLIN, NOON, datetime(2026, 11, 28, 7, 0, tzinfo=UTC)),
        ("0 8 * * *", UTC_ZONE, NOON - timedelta(days=3), datetime(2026, 11, 25, 8, 0, tzinfo=UTC)),
        ("0 0 29 2 *", UTC_ZONE, NOON, datetime(2028, 2, 29, 0, 0, tzinfo=UTC)),
        # Clocks go forward at 2:00 on 2026-03-29 in Berlin: half past two is made up for at three.
        ("30 2 * * *", BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        # Clocks go back at 3:00 on 2026-10-25: half past two comes twice, and is done once.
        (
            "30 2 * * *",
            BERLIN,
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
        ),
    ],
)
def test_T5_cron_fields_are_read_in_the_zone_of_the_settings(expression, zone, last, due):
    """Leap days and changes of the clocks included; the first moment after the last one, also if it is past."""
    assert Cron(expression, zone).after(last, NOON) == due
