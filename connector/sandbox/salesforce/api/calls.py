"""What a resource is given to answer one call, and what resources have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.errors import ApiError, DeserializationError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.wire import Request, Response

_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `arguments` are the parts of the path that the route left open; `respond` answers a call made
    within this one.
    """

    org: Org
    request: Request
    version: str
    arguments: tuple[str, ...]
    respond: Callable[[Org, Request], Response]

    @property
    def base(self) -> str:
        """The path up to the version."""
        return f"/services/data/v{self.version}"

    def body(self) -> Any:
        """The JSON body. Raises JSON_PARSER_ERROR."""
        try:
            return self.request.json()
        except ValueError as error:
            raise DeserializationError("JSON_PARSER_ERROR", f"The body is not JSON: {error}") from None

    def object_body(self) -> Mapping[str, Any]:
        """The JSON body, which must be an object. Raises JSON_PARSER_ERROR."""
        body = self.body()
        if not isinstance(body, dict):
            raise DeserializationError("JSON_PARSER_ERROR", "The HTTP entity body is required, and is an object")
        return body


def flag(body: Mapping[str, Any], name: str) -> bool:
    """A switch in a body, off when it is not there. Raises JSON_PARSER_ERROR for anything but a boolean."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise DeserializationError("JSON_PARSER_ERROR", f"{name} is neither true nor false")
    return value


def entries(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects in a body. Raises JSON_PARSER_ERROR."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise DeserializationError("JSON_PARSER_ERROR", f"{name} is not a list of objects")
    return value


def too_many_records(most: int) -> ApiError:
    message = f"record limit reached. cannot submit more than {most} records into this call"
    return ApiError("EXCEEDED_ID_LIMIT", message)


def too_many_operations(most: int) -> ApiError:
    """For calls within a call. The wording is not documented, but quoted from answers to composites."""
    return ApiError("LIMIT_EXCEEDED", f"The request can\u2019t contain more than {most} operations.")


def whole_number(text: str) -> int | None:
    """A whole number in digits, below a thousand million million; None for anything else."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def refused(error: ApiError) -> Response:
    """An error as a whole answer."""
    return Response.json(error.body(), error.status)
