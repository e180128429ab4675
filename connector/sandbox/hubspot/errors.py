"""What HubSpot answers when it refuses: error bodies, and the exception that carries one to the door.

Shapes are those of HubSpot docs, "Handling errors", and of the `Error` schema of its API specification. Where a
shape is not documented, the function that makes it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.wire import Response

SCOPES_PAGE = "https://developers.hubspot.com/scopes"

Context = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """A refused request, or a refused input of a batch.

    `existing` is the id of the record that already holds a value that must be unique.
    """

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        sub_category: str | None = None,
        errors: Sequence[dict[str, Any]] = (),
        context: Context | None = None,
        links: dict[str, str] | None = None,
        existing: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.sub_category = sub_category
        self.errors = list(errors)
        self.context = dict(context or {})
        self.links = links
        self.existing = existing

    def body(self) -> dict[str, Any]:
        """The error as JSON, without the correlation id that only a whole answer has."""
        optional = {
            "subCategory": self.sub_category,
            "errors": self.errors,
            "context": self.context,
            "links": self.links,
        }
        return {
            "status": "error",
            "message": self.message,
            "category": self.category,
            **{name: value for name, value in optional.items() if value},
        }

    def headers(self) -> dict[str, str]:
        """What the answer says beside its body."""
        return {}

    def without_holder(self) -> ApiError:
        """The error as a batch gives it, where HubSpot is not known to name the record that has a value.

        A taken e-mail address is named in the message all the same.
        """
        return self

    def of_input(self, trace_id: str | None, *, names_existing: bool) -> dict[str, Any]:
        """The error as one of a 207's `errors`, found again by the trace id of its input."""
        context: dict[str, Sequence[str]] = dict(self.context)
        if trace_id is not None:
            context["objectWriteTraceId"] = [trace_id]
        if names_existing and self.existing is not None:
            context["existingId"] = [str(self.existing)]
        return {**self.body(), "context": context}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one property of one input. `holder` is the record that has the unique value.

    `unnamed` is the message that does not name it.
    """

    name: str
    code: str
    message: str
    holder: int | None = None
    unnamed: str = ""

    def validation(self) -> dict[str, Any]:
        return {
            "isValid": False,
            "message": self.message,
            "error": self.code,
            "name": self.name,
            "localizedErrorMessage": self.message,
        }

    def detail(self) -> dict[str, Any]:
        return {"message": self.message, "code": self.code, "context": {"propertyName": [self.name]}}


class InvalidValues(ApiError):
    """400 for property values, each problem both in the message and in `errors`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        listed = orjson.dumps([problem.validation() for problem in problems]).decode()
        super().__init__(
            400,
            "VALIDATION_ERROR",
            f"Property values were not valid: {listed}",
            errors=[problem.detail() for problem in problems],
            existing=next((problem.holder for problem in problems if problem.holder is not None), None),
        )
        self._problems = problems

    def without_holder(self) -> ApiError:
        return InvalidValues(
            [
                problem if problem.holder is None else replace(problem, message=problem.unnamed, holder=None)
                for problem in self._problems
            ]
        )


class RateLimited(ApiError):
    """429: one call too many for a policy, `TEN_SECONDLY_ROLLING`, `SECONDLY` or `DAILY`.

    Shape of HubSpot docs, "API usage guidelines and limits", with the category that newer answers have. `wait` are
    the seconds of `Retry-After`, which HubSpot does not document.
    """

    def __init__(self, policy: str, wait: int | None = None) -> None:
        super().__init__(429, "RATE_LIMITS", f"You have reached your {policy.lower()} limit.")
        self._policy = policy
        self._wait = wait

    def body(self) -> dict[str, Any]:
        return {**super().body(), "errorType": "RATE_LIMIT", "policyName": self._policy}

    def headers(self) -> dict[str, str]:
        return {} if self._wait is None else {"Retry-After": str(self._wait)}


_OAUTH_CODES = {
    "BAD_CLIENT_ID": "invalid_client",
    "BAD_CLIENT_SECRET": "invalid_client",
    "BAD_GRANT_TYPE": "unsupported_grant_type",
}


class OAuthError(ApiError):
    """400 of the token endpoints: HubSpot's own `status`, and beside it the words of RFC 6749.

    HubSpot docs, "Manage OAuth access tokens using the v3 APIs"; `v1` has the status and the message only, which is
    less than a client may rely on.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(400, code, message)

    def body(self) -> dict[str, Any]:
        return {
            "status": self.category,
            "message": self.message,
            "error": _OAUTH_CODES.get(self.category, "invalid_grant"),
            "error_description": self.message,
        }


def refuse(message: str, **more: Any) -> ApiError:
    """400 VALIDATION_ERROR."""
    return ApiError(400, "VALIDATION_ERROR", message, **more)


_STATUS_BODIES = {
    401: ("INVALID_AUTHENTICATION", "Authentication credentials not found or invalid."),
    403: ("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call."),
    423: ("LOCKED", "The record is locked by another request. Try again after two seconds."),
    477: ("MIGRATION_IN_PROGRESS", "A migration of the account is in progress."),
}


def refuse_status(status: int) -> Response:
    """The answer of a status that comes from HubSpot's edge and not from a call: 429, 423, 477, 5xx."""
    if status >= 500:
        return Response(status, b"<html><body>error</body></html>", {"Content-Type": "text/html"})
    if status == 429:
        return Response.json(RateLimited("TEN_SECONDLY_ROLLING").body(), status)
    category, message = _STATUS_BODIES.get(status, ("VALIDATION_ERROR", "The request was refused."))
    return Response.json({"status": "error", "message": message, "category": category}, status)


def refuse_json() -> ApiError:
    """400 for a body that is not the JSON which the call expects (the exact text is not documented)."""
    return refuse("Invalid input JSON: the request body is not what this call takes")


def not_found(message: str = "resource not found", **more: Any) -> ApiError:
    return ApiError(404, "OBJECT_NOT_FOUND", message, **more)


def not_unique(kind: ObjectType, name: str) -> ApiError:
    """400 for an `idProperty` that does not identify records."""
    return refuse(f"Unable to perform update/upsert by non-unique {kind.type_id} property {name}")


def contact_exists(record_id: int) -> ApiError:
    """409 for an e-mail address that another contact has (undocumented, but parsed by many clients)."""
    message = f"Contact already exists. Existing ID: {record_id}"
    return ApiError(409, "CONFLICT", message, existing=record_id)


def required(kind: ObjectType, names: Iterable[str]) -> ApiError:
    """400 for a record created without what it needs."""
    return refuse(
        f"Error creating {kind.singular.upper()}. Some required properties were not set.",
        context={"properties": list(names)},
    )


def could_not_get(kind: ObjectType, ids: Sequence[str], trace_ids: Sequence[str] = ()) -> dict[str, Any]:
    """The one error of a 207 that lists all ids of a batch which are not there."""
    noun = kind.singular.upper()
    message = f"Could not get some {noun} objects, they may be deleted or not exist. Check that ids are valid."
    context = {"ids": list(ids)} | ({"objectWriteTraceId": list(trace_ids)} if trace_ids else {})
    return not_found(message, context=context).body()


def duplicate_ids(ids: Iterable[str]) -> ApiError:
    """400 for a batch that names a record twice; it is given with and without trace ids."""
    ids = list(ids)
    return refuse(
        f"Duplicate IDs found in batch input: [{', '.join(ids)}]. IDs must be unique", context={"ids": ids}
    )


def not_authenticated() -> ApiError:
    return ApiError(
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find"
        " more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
    )


def expired(ended: int, now: int) -> ApiError:
    """401 after the end of an OAuth token (undocumented, but quoted in many issues of clients)."""
    seconds = (now - ended) // 1_000
    count, unit = next(((seconds // size, name) for size, name in _UNITS if seconds >= size), (seconds, "second"))
    return ApiError(
        401,
        "EXPIRED_AUTHENTICATION",
        f"The OAuth token used to make this call expired {count} {unit}(s) ago.",
        context={"expire time": [to_iso(ended)]},
    )


_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def missing_scopes(scopes: Sequence[str]) -> ApiError:
    """403 that names the scopes which the call needs."""
    return ApiError(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes"
        f" here: {SCOPES_PAGE}.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(scopes)},
            }
        ],
        links={"scopes": SCOPES_PAGE},
    )
