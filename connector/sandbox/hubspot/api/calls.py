"""One API call on its way through the sandbox: the request, the portal it acts on, and what its path says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector.sandbox.hubspot.api.shapes import as_number, as_object, objects
from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.errors import refuse, refuse_json
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from connector.sandbox.hubspot.access.account import Account

MOST_INPUTS = 100  # of a batch, unless it says otherwise (HubSpot docs, "Using object APIs")
_SINGLE = ("id", "idProperty", "objectWriteTraceId", "name")


@dataclass(frozen=True, slots=True)
class Call:
    """`args` are the variable parts of the path; `version` is `v3`, `v4` or a date such as `2026-09`."""

    request: Request
    portal: Portal
    account: Account
    version: str
    args: Mapping[str, str]

    @property
    def dated(self) -> bool:
        return not self.version.startswith("v")

    @property
    def kind(self) -> ObjectType:
        return self.portal.kind(self.args["type"])

    @property
    def pair(self) -> tuple[ObjectType, ObjectType]:
        return self.portal.kind(self.args["from"]), self.portal.kind(self.args["to"])

    def body(self) -> dict[str, Any]:
        """The body, a JSON object. Raises 400 for anything else."""
        return as_object(self.json())

    def json(self) -> Any:
        try:
            return self.request.json()
        except ValueError:
            raise refuse_json() from None

    def flag(self, name: str) -> bool:
        """A switch in the query. HubSpot's Python client writes `True`."""
        return (self.request.first(name) or "").lower() == "true"

    def number(self, name: str, default: int) -> int:
        """A query parameter that is a whole number. Raises 400 for another one."""
        given = self.request.first(name) or str(default)
        number = as_number(given)
        if number is None:
            raise refuse(f"{name} must be a number, not {given}")
        return number

    def inputs(self, most: int) -> list[dict[str, Any]]:
        """The `inputs` of a batch, whose ids are single values. Raises 400 for none, and for more than `most`."""
        inputs = objects(self.body().get("inputs"))
        if not inputs:
            raise refuse("A batch request needs inputs")
        if len(inputs) > most:
            raise refuse(f"The maximum number of inputs in a batch request is {most}, but got {len(inputs)}")
        if any(isinstance(one.get(name), list | dict) for one in inputs for name in _SINGLE):
            raise refuse_json()
        return inputs


def batch_answer(
    call: Call, results: list[Any], errors: list[dict[str, Any]], status: int, *, shuffled: bool = False
) -> Response:
    """The answer to a batch: 207 as soon as there is an error. With `shuffled`, the results are in no order."""
    portal = call.portal
    if shuffled and portal.settings.shuffle_batches:
        portal.random.shuffle(results)
    at = to_iso(portal.now())
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Response.json(body, 207 if errors else status)


def page_answer(results: list[Any], after: str | None, link: str | None = None) -> Response:
    """One page of a list; `paging` is absent on the last one."""
    body: dict[str, Any] = {"results": results}
    if after is not None:
        body["paging"] = {"next": {"after": after, **({"link": link} if link else {})}}
    return Response.json(body)


def text_list(value: Any) -> list[str]:
    """A list of strings, or nothing. Raises 400 for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise refuse_json()
    return value
