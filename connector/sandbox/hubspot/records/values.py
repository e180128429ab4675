"""What a property value becomes when it is written, or why it is refused. One row per type in `NORMALISERS`.

All values are strings inside HubSpot (HubSpot docs, "Properties"): numbers as they were sent, moments as ISO
8601 in UTC, several choices joined by `;`. An empty string is no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from datetime import date
from decimal import Decimal, InvalidOperation
from math import isfinite

from connector.sandbox.hubspot.moments import DAY, read_ms, to_iso

_MOST_DIGITS = 308  # before or behind the point, as a double has
LONGEST = 65_536  # characters of a string value (HubSpot docs, "Properties")
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@.]+(\.[^\s@.]+)+")
_CALENDAR_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class BadValue(ValueError):
    """A value that cannot be kept. `code` is the `error` of HubSpot's validation entry."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def as_text(raw: object) -> str:
    """The string that HubSpot makes of a JSON value; `null` clears like an empty string."""
    if isinstance(raw, str):
        return raw
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int | float):
        return str(raw)
    raise BadValue("INVALID_FORMAT", "a property value is a string, a number or a boolean")


def normalise_string(text: str, _: Container[str]) -> str:
    if len(text) > LONGEST:
        raise BadValue("PROPERTY_TOO_LONG", f"the value is longer than {LONGEST} characters")
    return text


def normalise_email(text: str, _: Container[str]) -> str:
    """E-mail addresses are kept in lower case."""
    address = text.strip().lower()
    if not _EMAIL.fullmatch(address):
        raise BadValue("INVALID_EMAIL", f"Email address {text} is invalid")
    return address


def normalise_number(text: str, _: Container[str]) -> str:
    """A number of a size that a double can have."""
    number = text.strip()
    try:
        value = Decimal(number)
        kept = value.is_finite() and abs(value.adjusted()) <= _MOST_DIGITS
    except InvalidOperation:
        kept = False
    if not kept or "_" in number:
        raise BadValue("INVALID_NUMBER", f"{text} was not a valid number.")
    return number


def normalise_datetime(text: str, _: Container[str]) -> str:
    try:
        return to_iso(read_ms(text.strip()))
    except (ValueError, OverflowError):
        raise BadValue("INVALID_DATE", f"{text} was not a valid date.") from None


def normalise_date(text: str, _: Container[str]) -> str:
    """A calendar day, or midnight UTC of it; any other time of day is refused."""
    day = text.strip()
    try:
        if _CALENDAR_DAY.fullmatch(day):
            return date.fromisoformat(day).isoformat()
        ms = read_ms(day)
        if ms % DAY == 0:
            return to_iso(ms)[:10]
    except (ValueError, OverflowError):
        pass
    raise BadValue("INVALID_DATE", f"{text} was not a valid date: it is not midnight in UTC.")


def normalise_bool(text: str, _: Container[str]) -> str:
    answer = text.strip().lower()
    if answer not in {"true", "false"}:
        raise BadValue("INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]")
    return answer


def normalise_choice(text: str, options: Container[str]) -> str:
    """One of the options. They are case-sensitive."""
    if text not in options:
        raise BadValue("INVALID_OPTION", f"{text} was not one of the allowed options")
    return text


def normalise_choices(text: str, options: Container[str]) -> str:
    """Any of the options, joined by `;`."""
    for part in text.split(";"):
        normalise_choice(part, options)
    return text


NORMALISERS: dict[str, Callable[[str, Container[str]], str]] = {
    "string": normalise_string,
    "phone_number": normalise_string,
    "email": normalise_email,
    "number": normalise_number,
    "datetime": normalise_datetime,
    "date": normalise_date,
    "bool": normalise_bool,
    "enumeration": normalise_choice,
    "checkbox": normalise_choices,
}


def append_choices(old: str | None, text: str) -> str:
    """A leading `;` adds to the choices made before (HubSpot docs, "Properties")."""
    if not text.startswith(";"):
        return text
    chosen = [part for part in f"{old or ''}{text}".split(";") if part]
    return ";".join(dict.fromkeys(chosen))


def comparable(kind: str, text: str) -> float | str:
    """What a value is ordered by: numbers and milliseconds as numbers, strings without regard to case.

    Raises `ValueError` for text that is not of the type.
    """
    if kind == "number":
        number = float(text)
        if not isfinite(number):
            raise ValueError("not a finite number")
        return number
    if kind in {"datetime", "date"}:
        return read_ms(text)
    return text if kind == "enumeration" else text.lower()
