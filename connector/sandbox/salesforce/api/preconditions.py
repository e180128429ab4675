"""Requests that are only to be answered if a record has, or has not, changed since a client saw it.

| header | where | otherwise |
|---|---|---|
| `If-Match`, `If-None-Match` with the `ETag` of an answer | rows of Account | 412; 304 when reading |
| `If-Modified-Since`, `If-Unmodified-Since` | rows of every object | 304; 412 |

Source: Salesforce REST API Developer Guide, "Conditional Requests". A DELETE takes no dates; a date that is none is
refused with 400. How a 412 is worded is not documented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from connector.sandbox.salesforce.api.calls import Call
from connector.sandbox.salesforce.api.records import record_id
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.records.store import Row
from connector.sandbox.wire import Response

_DATED = {"GET", "HEAD", "PATCH"}


def under_conditions(resource: Callable[[Call], Response]) -> Callable[[Call], Response]:
    """A resource for one record by id, held to the conditions of its request."""

    def conditional(call: Call) -> Response:
        row = call.org.writer.find(call.org.readable(call.arguments[0]), record_id(call.arguments[1]))
        if not _still_wanted(call, row):
            return Response(304)
        response = resource(call)
        if call.request.method in {"GET", "HEAD"}:
            response.headers["Last-Modified"] = format_datetime(_modified(row), usegmt=True)
            if row["Id"].startswith("001"):
                response.headers["ETag"] = _tag(row)
        return response

    return conditional


def _still_wanted(call: Call, row: Row) -> bool:
    """False when the client has it already. Raises PRECONDITION_FAILED, and INVALID_DATE_FORMAT for a bad date."""
    headers, reading = call.request.headers, call.request.method in {"GET", "HEAD"}
    if row["Id"].startswith("001"):
        if "if-match" in headers and not _names(headers["if-match"], _tag(row)):
            raise _failed()
        if "if-none-match" in headers and _names(headers["if-none-match"], _tag(row)):
            if reading:
                return False
            raise _failed()
    if call.request.method in _DATED:
        if "if-unmodified-since" in headers and _modified(row) > _date(headers["if-unmodified-since"]):
            raise _failed()
        if "if-modified-since" in headers and _modified(row) <= _date(headers["if-modified-since"]):
            if reading:
                return False
            raise _failed()
    return True


def _failed() -> ApiError:
    return ApiError("PRECONDITION_FAILED", "The precondition of the request is not fulfilled")


def _tag(row: Row) -> str:
    return f'"{hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()[:28]}"'


def _names(header: str, tag: str) -> bool:
    listed = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in listed or tag in listed


def _modified(row: Row) -> datetime:
    return datetime.strptime(row["SystemModstamp"], "%Y-%m-%dT%H:%M:%S.000%z").astimezone(UTC)


def _date(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        raise ApiError("INVALID_DATE_FORMAT", f"not a date and time of HTTP: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
