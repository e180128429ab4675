"""How Salesforce says no.

One exception carries an error from wherever it is found to whoever answers: as an array of one object with the
HTTP status (a single request), or inside the result of one record (a collection). Salesforce REST API
Developer Guide, "Status Codes and Error Responses".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connector.sandbox.wire import Response

_STATUS = {
    "NOT_FOUND": 404,
    "ENTITY_IS_DELETED": 404,
    "INVALID_SESSION_ID": 401,
    "API_DISABLED_FOR_ORG": 403,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "METHOD_NOT_ALLOWED": 405,
    "PRECONDITION_FAILED": 412,
}


class ApiError(Exception):
    """A refusal: `code` is Salesforce's errorCode, `fields` the API names of the fields to blame."""

    def __init__(self, code: str, message: str, fields: Iterable[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)

    @property
    def status(self) -> int:
        """The HTTP status this error has when it is the whole answer."""
        return _STATUS.get(self.code, 400)

    def body(self) -> list[dict[str, Any]]:
        """`[{"message", "errorCode"[, "fields"]}]`; the fields are named only where a record was at fault."""
        answer: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            answer["fields"] = self.fields
        return [answer]

    def result(self) -> dict[str, Any]:
        """As the one entry of `errors` in a save result: `{"statusCode", "message", "fields"}`."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}

    def results(self) -> list[dict[str, Any]]:
        """All entries of `errors` in a save result."""
        return [self.result()]


class DeserializationError(ApiError):
    """The body could not be read as records, so the whole request fails, even one with many records."""


class InputError(ValueError):
    """What an administrator asked for is not understood, or makes no sense."""


class NoSuchRecordError(ApiError):
    """A well-formed id of no record: 404 where the id is in the address, a cross reference error elsewhere."""

    def __init__(self) -> None:
        super().__init__("NOT_FOUND", "The requested resource does not exist")

    def result(self) -> dict[str, Any]:
        """In a collection the id is part of the body, and the code another."""
        return {"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id", "fields": []}


_STATUS_BODIES = {
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    503: ("SERVER_UNAVAILABLE", "The server is unavailable. Try again later."),
}


def refuse_status(status: int) -> Response:
    """The answer of a status that is not about one call: an org that is down, a gateway's page, a limit."""
    if status not in _STATUS_BODIES:
        return Response(status, b"<html><body>error</body></html>", {"Content-Type": "text/html"})
    return Response.json(ApiError(*_STATUS_BODIES[status]).body(), status)
