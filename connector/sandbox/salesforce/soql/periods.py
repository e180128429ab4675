"""From when to when a date literal lasts: `TODAY`, `LAST_N_DAYS:7`, `THIS_QUARTER`.

Source: Salesforce "SOQL and SOSL Reference", "Date Formats and Date Literals". The user's time zone is GMT here,
weeks start on Sunday, and the fiscal year is the calendar year.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

_COUNTED = re.compile(r"(?:(LAST|NEXT)_N_(\w+)S|N_(\w+)S_AGO)")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_SIMPLE = {"YESTERDAY": ("DAY", -1), "TODAY": ("DAY", 0), "TOMORROW": ("DAY", 1)}
_OFFSETS = {"LAST": -1, "THIS": 0, "NEXT": 1}


def period(name: str, n: int | None, today: date) -> tuple[date, date]:
    """The first day of a date literal and the day after its last. Raises `OverflowError` outside the calendar."""
    name = name.replace("FISCAL_", "")
    if name in {"LAST_90_DAYS", "NEXT_90_DAYS"}:
        name, n = name.replace("90", "N"), 90
    if n is None:
        unit, offset = _SIMPLE.get(name) or (name[5:], _OFFSETS[name[:4]])
        return _start(unit, today, offset), _start(unit, today, offset + 1)
    match = _COUNTED.fullmatch(name)
    direction, unit = (match[1], match[2] or match[3]) if match else (None, name)
    if direction == "LAST":
        # The last n days include today; the last n weeks, months … end before the current one.
        return _start(unit, today, -n), _start(unit, today, 1 if unit == "DAY" else 0)
    if direction == "NEXT":
        return _start(unit, today, 1), _start(unit, today, n + 1)
    return _start(unit, today, -n), _start(unit, today, 1 - n)


def _start(unit: str, today: date, offset: int) -> date:
    """The first day of the unit that lies `offset` units from today's."""
    if unit == "DAY":
        return today + timedelta(days=offset)
    if unit == "WEEK":
        sunday = today - timedelta(days=today.isoweekday() % 7)
        return sunday + timedelta(weeks=offset)
    length = _MONTHS[unit]
    month = (today.month - 1) // length * length + offset * length
    year = today.year + month // 12
    if not date.min.year <= year <= date.max.year:
        raise OverflowError(year)
    return date(year, month % 12 + 1, 1)
