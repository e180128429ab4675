"""What a client may write into a field of each type, and what is stored of it.

Types are checked while the body is read, so a value of the wrong type fails the whole request
(`DeserializationError`); a value of the right type that breaks a rule fails its record only. Text loses white
space at both ends and is null when nothing is left. Salesforce Object Reference, "Primitive Data Types" and
"Field Types".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.definitions.schema import NUMBER_TYPES, Field
from connector.sandbox.salesforce.errors import ApiError, DeserializationError
from connector.sandbox.salesforce.records.store import write_moment

_EMAIL = re.compile(r"[^\s@,;<>()\[\]\\\"]+@[^\s@,;<>()\[\]\\\"]+\.[^\s@.,;<>()\[\]\\\"]{2,}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?")


def read(field: Field, value: Any) -> Any:
    """The stored form of a JSON value. Raises `DeserializationError` for a value of another type."""
    if value is None:
        return None
    if field.type == "boolean":
        return _boolean(value)
    if field.type in NUMBER_TYPES:
        return _number(field, value)
    if field.type == "date":
        return _parsed(_date, "date", value)
    if field.type == "datetime":
        return _parsed(_moment, "datetime", value)
    if not isinstance(value, str):
        raise _wrong_type("string", value)
    return value.strip() or None


def check(field: Field, value: Any) -> Any:
    """Hold a stored value against the field's own rules and give back what to store (an id in its long form).

    Raises `ApiError` with STRING_TOO_LONG, INVALID_EMAIL_ADDRESS, NUMBER_OUTSIDE_VALID_RANGE or MALFORMED_ID.
    """
    if value is None:
        return None
    if field.type in NUMBER_TYPES:
        return _in_range(field, value)
    if field.type in {"id", "reference"}:
        return ids.normalise(value) or _malformed(field, value)
    if isinstance(value, str) and field.length and len(value) > field.length:
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise ApiError("STRING_TOO_LONG", message, [field.name])
    if field.type == "email" and not _EMAIL.fullmatch(value):
        raise ApiError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", [field.name])
    return value


def malformed(field: Field, value: str) -> ApiError:
    """The error for an id that cannot be one of the objects a field refers to."""
    return ApiError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])


def _malformed(field: Field, value: str) -> str:
    raise malformed(field, value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise _wrong_type("boolean", value)


def _number(field: Field, value: Any) -> int | float | None:
    if isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong_type("double", value)
    try:
        exact = Decimal(str(value).strip())
    except InvalidOperation:
        raise _wrong_type(field.type if field.type == "int" else "double", value) from None
    if not exact.is_finite():
        raise _wrong_type("double", value)
    if field.type == "int":
        if exact != exact.to_integral_value():
            raise _wrong_type("int", value)
        return int(exact)
    if abs(exact) >= Decimal(10) ** 18:
        return float(exact)  # beyond any field, and beyond what could be rounded
    return float(exact.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP))


def _in_range(field: Field, value: float) -> float:
    whole_digits = field.digits - field.scale if field.digits else 18
    if abs(value) >= 10**whole_digits or (field.type == "percent" and field.digits == 3 and not 0 <= value <= 100):
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    return value


def _parsed(parse: Callable[[str], str], kind: str, value: Any) -> str | None:
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            return parse(value.strip())
        except ValueError:
            pass
    raise _wrong_type(kind, value)


def _date(text: str) -> str:
    if len(text) != 10:
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()


def _moment(text: str) -> str:
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    parsed = datetime.fromisoformat(text)
    return write_moment(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def _wrong_type(kind: str, value: Any) -> DeserializationError:
    token, shown = "VALUE_STRING", str(value)
    if isinstance(value, bool):
        token, shown = ("VALUE_TRUE", "true") if value else ("VALUE_FALSE", "false")
    elif isinstance(value, int):
        token = "VALUE_NUMBER_INT"
    elif isinstance(value, float):
        token = "VALUE_NUMBER_FLOAT"
    elif isinstance(value, dict):
        token, shown = "START_OBJECT", "{"
    elif isinstance(value, list):
        token, shown = "START_ARRAY", "["
    return DeserializationError(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a required "
        "field at [line:1, column:2]",
    )
