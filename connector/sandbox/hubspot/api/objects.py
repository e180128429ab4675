"""The calls on one record at a time, and the list of all (HubSpot docs, "Using object APIs")."""

from __future__ import annotations

from urllib.parse import urlencode

from connector.sandbox.hubspot.api.calls import Call, page_answer
from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS, ObjectType
from connector.sandbox.hubspot.errors import not_found, refuse
from connector.sandbox.hubspot.records import merges, privacy, writes
from connector.sandbox.hubspot.records.records import Record
from connector.sandbox.hubspot.records.views import View, viewer
from connector.sandbox.wire import Response

MOST_PER_PAGE = 100
MOST_WITH_HISTORY = 50


def list_page(call: Call) -> Response:
    """Records in the order of their ids. `after` is the id of the next one."""
    request, kind = call.request, call.kind
    most = MOST_WITH_HISTORY if request.every("propertiesWithHistory") else MOST_PER_PAGE
    limit = call.number("limit", 10)
    if not 1 <= limit <= most:
        raise refuse(f"limit must be between 1 and {most}, not {limit}")
    table = call.portal.tables[kind.name]
    rows, following = table.page(call.number("after", 0), limit, archived=call.flag("archived"))
    view = _view(call, kind)
    if following is None:
        return page_answer([view(row) for row in rows], None)
    query = [(name, value) for name, value in request.query if name != "after"]
    link = f"{request.origin}{request.path}?{urlencode([*query, ('after', following)])}"
    return page_answer([view(row) for row in rows], str(following), link)


def create(call: Call) -> Response:
    body, kind = call.body(), call.kind
    privacy.check(call.portal, kind, body.get("properties"))
    draft = writes.prepare_create(call.portal, kind, body.get("properties"), body.get("associations"), {})
    return Response.json(_written(call, kind, draft), 201)


def read(call: Call) -> Response:
    kind = call.kind
    record = _archived(call, kind) if call.flag("archived") else _live(call, kind)
    return Response.json(_view(call, kind)(record))


def update(call: Call) -> Response:
    kind = call.kind
    record, properties = _live(call, kind), call.body().get("properties")
    privacy.check(call.portal, kind, properties)
    draft = writes.prepare_update(call.portal, kind, record, properties, {})
    return Response.json(_written(call, kind, draft))


def archive(call: Call) -> Response:
    """Archiving what is not there, or no more, is answered 204 too."""
    kind = call.kind
    given = call.args["id"]
    record = call.portal.tables[kind.name].live.get(as_id(given))
    if record is not None:
        writes.archive(call.portal, kind, record)
    return Response(204)


def merge(call: Call) -> Response:
    body, kind = call.body(), call.kind
    primary, absorbed = str(body.get("primaryObjectId")), str(body.get("objectIdToMerge"))
    survivor = merges.merge(call.portal, kind, primary, absorbed)
    view = viewer(call.portal, kind, [*kind.defaults, "hs_merged_object_ids"])
    return Response.json(view(survivor))


def _view(call: Call, kind: ObjectType) -> View:
    request = call.request
    # Types that are not there are passed over (API specification "crm-objects", parameter `associations`).
    others = [BY_ALIAS[alias] for alias in request.every("associations") if alias in BY_ALIAS]
    history = request.every("propertiesWithHistory")
    return viewer(call.portal, kind, request.every("properties"), history, others, request.origin)


def _written(call: Call, kind: ObjectType, draft: writes.Draft) -> dict[str, object]:
    record = writes.commit(call.portal, draft)
    return viewer(call.portal, kind, [*draft.written, *kind.defaults])(record)


def _live(call: Call, kind: ObjectType) -> Record:
    record = writes.locate(call.portal, kind, call.args["id"], call.request.first("idProperty"))
    if record is None:
        raise not_found()
    return record


def _archived(call: Call, kind: ObjectType) -> Record:
    given = call.args["id"]
    record = call.portal.tables[kind.name].archived.get(as_id(given))
    if record is None:
        raise not_found()
    return record
