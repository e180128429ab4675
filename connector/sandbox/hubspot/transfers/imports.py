"""Imports: files that are taken at once and written a little later (HubSpot docs, "CRM API | Imports").

| state | while |
|---|---|
| `DEFERRED` | three others are under way |
| `STARTED`, `PROCESSING` | the two halves of the time that the setting `job_seconds` gives |
| `DONE` | afterwards: all rows are written, what is wrong with some of them is listed |
| `FAILED` | a file was missing or could not be read; nothing is written |
| `CANCELED` | somebody cancelled it before it was done; nothing is written |

Rows are written together, when the time is over by the sandbox's clock. An import is the source of all that it
writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.hubspot.actors import Actor
from connector.sandbox.hubspot.api.calls import Call, page_answer
from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.errors import ApiError, not_found, refuse
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records import automation
from connector.sandbox.hubspot.transfers.import_files import Order, read_form, read_order
from connector.sandbox.hubspot.transfers.import_rows import Outcome, RowError, carry_out, mapped_types, show_error
from connector.sandbox.wire import Response

MOST_RUNNING = 3
MOST_BYTES = 512 * 1024 * 1024  # of a file
MOST_PER_PAGE = 100


@dataclass(slots=True)
class Import:
    """One import. Times are milliseconds since 1970; `state` stays `STARTED` until the import is over."""

    id: int
    app: str
    order: Order
    created: int
    updated: int
    state: str = "DEFERRED"
    begun: int = 0
    ends: int = 0
    outcome: Outcome = field(default_factory=Outcome)

    def state_at(self, now: int) -> str:
        half_over = 2 * (now - self.begun) >= self.ends - self.begun
        return "PROCESSING" if self.state == "STARTED" and half_over else self.state

    def view(self, now: int) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "state": self.state_at(now),
            "createdAt": to_iso(self.created),
            "updatedAt": to_iso(self.updated),
            "importName": self.order.name,
            "importSource": "API",
            "importRequestJson": self.order.request,
            "mappedObjectTypeIds": list(mapped_types(self.order)),
            "metadata": {
                "counters": dict(self.outcome.counters),
                "fileIds": [str(file.id) for file in self.order.files],
                "objectLists": [],
            },
            "optOutImport": False,
        }


class Imports:
    """The imports of a portal in the order of their creation; `open` are those that are not over."""

    def __init__(self) -> None:
        self.all: dict[int, Import] = {}
        self.open: dict[int, Import] = {}

    def catch_up(self, portal: Portal) -> None:
        """Finish what is due, oldest first, and begin what has waited for it."""
        while self.open:
            running = [one for one in self.open.values() if one.state == "STARTED"]
            due = min(running, key=lambda one: one.ends)
            if due.ends > portal.now():
                return
            del self.open[due.id]
            _finish(portal, due)
            self.begin_waiting(portal, due.ends)

    def begin_waiting(self, portal: Portal, at: int) -> None:
        """Begin deferred imports while fewer than three are under way."""
        for one in self.open.values():
            if sum(each.state == "STARTED" for each in self.open.values()) >= MOST_RUNNING:
                return
            if one.state == "DEFERRED":
                one.state, one.begun, one.updated = "STARTED", at, at
                one.ends = at + int(portal.settings.job_seconds * 1_000)


def _finish(portal: Portal, one: Import) -> None:
    """Write the rows, unless a file cannot be read. What follows from them follows at once."""
    one.updated = one.ends
    broken = [file for file in one.order.files if file.problem]
    if broken:
        one.state = "FAILED"
        one.outcome.errors = [show_error(portal, file, 1, [], RowError(file.problem)) for file in broken]
        return
    actor, portal.actor = portal.actor, Actor("IMPORT", str(one.id), one.order.name)
    one.outcome = carry_out(portal, one.order)
    automation.react(portal)
    portal.actor = actor
    one.state = "DONE"


# -- calls


def create(call: Call) -> Response:
    """Take the form of an import. Raises 400 for a request that is not right, 429 for a file that is too large."""
    portal, request, imports = call.portal, call.request, call.account.imports
    given, contents = read_form(request.headers.get("content-type", ""), request.body)
    order = read_order(portal, given, contents)
    too_large = any(len(content) > MOST_BYTES for content in contents.values())
    if too_large or any(len(file.rows) > portal.settings.import_rows for file in order.files):
        raise ApiError(429, "RATE_LIMITS", f"A file can have at most {portal.settings.import_rows} rows")
    now = portal.now()
    one = Import(portal.next_id(), portal.actor.source_id, order, now, now)
    imports.all[one.id] = imports.open[one.id] = one
    imports.begin_waiting(portal, now)
    imports.catch_up(portal)
    return Response.json(one.view(now))


def list_page(call: Call) -> Response:
    """The imports of the same app, in the order of their creation. `after` is the id of the next one."""
    limit = _limit(call)
    after, mine = call.number("after", 0), [one for one in call.account.imports.all.values() if _is_own(call, one)]
    rows = [one for one in mine if one.id >= after]
    following = str(rows[limit].id) if len(rows) > limit else None
    link = f"{call.request.origin}{call.request.path}?limit={limit}&after={following}"
    return page_answer([one.view(call.portal.now()) for one in rows[:limit]], following, link)


def read(call: Call) -> Response:
    return Response.json(_import(call).view(call.portal.now()))


def cancel(call: Call) -> Response:
    """Raises 400 for an import that is over."""
    one, now, imports = _import(call), call.portal.now(), call.account.imports
    if one.id not in imports.open:
        raise refuse(f"Import {one.id} is {one.state} and cannot be canceled")
    del imports.open[one.id]
    one.state, one.updated = "CANCELED", now
    imports.begin_waiting(call.portal, now)
    at = to_iso(now)
    return Response.json({"status": "COMPLETE", "requestedAt": at, "startedAt": at, "completedAt": at})


def list_errors(call: Call) -> Response:
    """What was wrong with the rows, in their order. `after` is how many have been seen."""
    limit, errors = _limit(call), _import(call).outcome.errors
    start = call.number("after", 0)
    after = str(start + limit) if start + limit < len(errors) else None
    link = f"{call.request.origin}{call.request.path}?limit={limit}&after={after}"
    return page_answer(errors[start : start + limit], after, link)


def _import(call: Call) -> Import:
    given = call.args["id"]
    one = call.account.imports.all.get(as_id(given))
    if one is None or not _is_own(call, one):
        raise not_found()
    return one


def _is_own(call: Call, one: Import) -> bool:
    return one.app == call.portal.actor.source_id


def _limit(call: Call) -> int:
    limit = call.number("limit", MOST_PER_PAGE)
    if not 1 <= limit <= MOST_PER_PAGE:
        raise refuse(f"limit must be between 1 and {MOST_PER_PAGE}, not {limit}")
    return limit
