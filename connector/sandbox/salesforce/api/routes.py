"""Which resource answers which address under `/services/data/vNN.0/`.

The table is the whole list. `{}` stands for one part of a path, `{*}` for the rest of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from connector.sandbox.salesforce.api import (
    batches,
    composite,
    describe,
    graph,
    records,
    replication,
    search,
    tooling,
    tree,
)
from connector.sandbox.salesforce.api.calls import Call, refused
from connector.sandbox.salesforce.api.options import WriteOptions
from connector.sandbox.salesforce.api.preconditions import under_conditions
from connector.sandbox.salesforce.bulk import ingest_jobs, query_jobs
from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.ids import normalise
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records import rules
from connector.sandbox.salesforce.soql.resolve import Context
from connector.sandbox.salesforce.soql.run import answer
from connector.sandbox.wire import Request, Response

OLDEST, NEWEST = 41, 68

Resource = Callable[[Call], Response]

_SEASONS = ("Winter", "Spring", "Summer")
_VERSIONED = re.compile(r"/services/data/v([1-9][0-9])\.0(?:/(.*))?")


def versions() -> list[dict[str, str]]:
    """`GET /services/data/`: three versions a year; 68.0 is Winter '27."""
    return [
        {
            "label": f"{_SEASONS[(number - NEWEST) % 3]} '{27 + (number - NEWEST) // 3}",
            "url": f"/services/data/v{number}.0",
            "version": f"{number}.0",
        }
        for number in range(OLDEST, NEWEST + 1)
    ]


def split(path: str) -> tuple[str, tuple[str, ...]] | None:
    """The version and the parts after it; None for an address that is not of this API."""
    match = _VERSIONED.fullmatch(path)
    if match is None or not OLDEST <= int(match[1]) <= NEWEST:
        return None
    rest = (match[2] or "").rstrip("/")
    return f"{int(match[1])}.0", tuple(rest.split("/")) if rest else ()


def name(parts: tuple[str, ...]) -> str:
    """The stable short name under which calls of a resource are counted."""
    if not parts:
        return "versions"
    if parts[0] in {"sobjects", "composite", "jobs", "limits", "tooling", "ui-api"} and len(parts) > 1:
        return f"{parts[0]}/{parts[1]}"
    return parts[0]


def respond(org: Org, request: Request) -> Response:
    """Answer a call that has been let in. Errors are answers too; nothing is raised."""
    found = split(request.path)
    if found is None:
        return refused(ApiError("NOT_FOUND", "The requested resource does not exist"))
    version, parts = found
    try:
        resource, arguments = _route(request.method, parts)
        with org.writer.under(WriteOptions.of(request.headers, version)):
            return resource(Call(org, request, version, arguments, respond))
    except ApiError as error:
        return refused(error)


def _route(method: str, parts: tuple[str, ...]) -> tuple[Resource, tuple[str, ...]]:
    for pattern, methods in _ROUTES.get(parts[0] if parts else "", ()):
        arguments = _match(pattern, parts)
        if arguments is None:
            continue
        resource = methods.get("GET" if method == "HEAD" else method)
        if resource is None:
            message = f"HTTP Method '{method}' not allowed. Allowed are {','.join(methods)}"
            raise ApiError("METHOD_NOT_ALLOWED", message)
        return resource, arguments
    raise ApiError("NOT_FOUND", "The requested resource does not exist")


def _match(pattern: tuple[str, ...], parts: tuple[str, ...]) -> tuple[str, ...] | None:
    if pattern and pattern[-1] == "{*}":
        if len(parts) < len(pattern):
            return None
    elif len(pattern) != len(parts):
        return None
    arguments = []
    for wanted, part in zip(pattern, parts, strict=False):
        if wanted.startswith("{"):
            arguments.append(part)
        elif wanted != part:
            return None
    return (*arguments, *parts[len(pattern) :])


# -- the resources that need no module of their own


def _list_resources(call: Call) -> Response:
    names = {path.partition("/")[0] for path, _ in _TABLE if path}
    return Response.json({each: f"{call.base}/{each}" for each in sorted(names)})


def _query(call: Call) -> Response:
    return _run_query(call, deleted=False)


def _query_all(call: Call) -> Response:
    return _run_query(call, deleted=True)


def _run_query(call: Call, *, deleted: bool) -> Response:
    text = call.request.first("q")
    if text is None:
        raise ApiError("MALFORMED_QUERY", "A query string has to be specified")
    org = call.org
    found = answer(Context(text, org.store, org.access, deleted, call.version))
    options = call.request.headers.get("sforce-query-options")
    # The pages of a queryAll are asked for under /query as well.
    return Response.json(org.cursors.first(found, options, f"{call.base}/query"))


def _query_more(call: Call) -> Response:
    return Response.json(call.org.cursors.more(call.arguments[0]))


def _describe_global(call: Call) -> Response:
    return Response.json(describe.describe_global(call.org.store, call.org.access, call.base))


def _basic(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    return Response.json(describe.basic(call.org.store, sobject, call.org.access, call.base))


def _describe(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    return Response.json(describe.describe(call.org.store, sobject, call.org.access, call.base))


def _updated(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    return Response.json(replication.updated(call.org.store, sobject, call.request))


def _deleted(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    return Response.json(replication.deleted(call.org.store, sobject, call.request))


def _limits(call: Call) -> Response:
    most = call.org.settings.daily_requests
    left = max(0, most - call.org.usage.daily)
    return Response.json({
        "DailyApiRequests": {"Max": most, "Remaining": left},
        **call.org.bulk.limits(),
        "DailyBulkV2QueryFileStorageMB": {"Max": 976562, "Remaining": 976562},
        "DailyStandardVolumePlatformEvents": {"Max": 10000, "Remaining": 10000},
        "DataStorageMB": {"Max": 5, "Remaining": 5},
        "FileStorageMB": {"Max": 20, "Remaining": 20},
    })  # fmt: skip


def _record_count(call: Call) -> Response:
    named = call.request.every("sObjects")
    wanted = [call.org.schema.find(each) for each in named] if named else list(call.org.schema)
    counts = [
        {"count": len(call.org.store.table(each.name).live), "name": each.name}
        for each in wanted
        if each is not None and call.org.access.may_read(each.name)
    ]
    return Response.json({"sObjects": counts})


def _picklist_values(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    field = sobject.find(call.arguments[2])
    record_type = _record_type(call, sobject)
    if field is None or field not in _picklists(call, sobject):
        raise ApiError("NOT_FOUND", "The requested resource does not exist")
    url = f"{call.base}/ui-api/object-info/{sobject.name}/picklist-values/{record_type}/{field.name}"
    return Response.json(describe.picklist_values(call.org.store, field, record_type, url))


def _all_picklist_values(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    record_type = _record_type(call, sobject)
    url = f"{call.base}/ui-api/object-info/{sobject.name}/picklist-values/{record_type}"
    found = {
        field.name: describe.picklist_values(call.org.store, field, record_type, f"{url}/{field.name}")
        for field in _picklists(call, sobject)
    }
    tag = "".join(each["eTag"][:8] for each in found.values())
    return Response.json({"eTag": tag, "picklistFieldValues": found})


def _picklists(call: Call, sobject: SObject) -> list[Field]:
    return [
        field
        for field in sobject.fields.values()
        if field.type in {"picklist", "multipicklist"} and call.org.access.may_read_field(sobject.name, field.name)
    ]


def _record_type(call: Call, sobject: SObject) -> str:
    """The record type an address names, which must be one of the object or the master's."""
    record_type = normalise(call.arguments[1])
    if record_type is None:
        raise ApiError("MALFORMED_ID", f"Record Type ID: id value of incorrect type: {call.arguments[1]}")
    known = call.org.store.table("RecordType").live
    if record_type != rules.MASTER_RECORD_TYPE and known.get(record_type, {}).get("SobjectType") != sobject.name:
        raise ApiError("NOT_FOUND", "The requested resource does not exist")
    return record_type


_TABLE: tuple[tuple[str, dict[str, Resource]], ...] = (
    ("", {"GET": _list_resources}),
    ("query", {"GET": _query}),
    ("queryAll", {"GET": _query_all}),
    ("query/{}", {"GET": _query_more}),
    ("queryAll/{}", {"GET": _query_more}),
    ("search", {"GET": search.search}),
    ("parameterizedSearch", {"GET": search.search_by_address, "POST": search.search_by_body}),
    ("composite", {"POST": composite.composite}),
    ("composite/batch", {"POST": composite.batch}),
    ("composite/graph", {"POST": graph.answer_graphs}),
    ("composite/tree/{}", {"POST": tree.create}),
    ("composite/sobjects", {"POST": batches.create, "PATCH": batches.update, "DELETE": batches.delete}),
    ("composite/sobjects/{}", {"GET": batches.read, "POST": batches.read}),
    ("composite/sobjects/{}/{}", {"PATCH": batches.upsert}),
    ("sobjects", {"GET": _describe_global}),
    ("sobjects/{}", {"GET": _basic, "POST": records.create}),
    ("sobjects/{}/describe", {"GET": _describe}),
    ("sobjects/{}/updated", {"GET": _updated}),
    ("sobjects/{}/deleted", {"GET": _deleted}),
    ("sobjects/{}/{}", {
        "GET": under_conditions(records.read), "PATCH": under_conditions(records.update),
        "DELETE": under_conditions(records.delete),
    }),
    ("sobjects/{}/{}/{*}", {
        "GET": records.respond_several(records.read_by_key), "PATCH": records.upsert,
        "DELETE": records.respond_several(records.delete_by_key),
    }),
    ("jobs/query", {"GET": query_jobs.listing, "POST": query_jobs.create}),
    ("jobs/query/{}", {"GET": query_jobs.read, "PATCH": query_jobs.abort, "DELETE": query_jobs.delete}),
    ("jobs/query/{}/results", {"GET": query_jobs.results}),
    ("jobs/ingest", {"GET": ingest_jobs.listing, "POST": ingest_jobs.create}),
    ("jobs/ingest/{}", {"GET": ingest_jobs.read, "PATCH": ingest_jobs.update, "DELETE": ingest_jobs.delete}),
    ("jobs/ingest/{}/batches", {"PUT": ingest_jobs.upload}),
    ("jobs/ingest/{}/{}", {"GET": ingest_jobs.results}),
    ("limits", {"GET": _limits}),
    ("limits/recordCount", {"GET": _record_count}),
    ("tooling/query", {"GET": tooling.query}),
    ("tooling/query/{}", {"GET": _query_more}),
    ("tooling/sobjects", {"GET": tooling.listing}),
    ("tooling/sobjects/{}", {"POST": tooling.create}),
    ("tooling/sobjects/{}/describe", {"GET": tooling.describe_one}),
    ("tooling/sobjects/{}/{}", {"GET": tooling.read, "DELETE": tooling.delete}),
    ("ui-api/object-info/{}/picklist-values/{}", {"GET": _all_picklist_values}),
    ("ui-api/object-info/{}/picklist-values/{}/{}", {"GET": _picklist_values}),
)  # fmt: skip

_ROUTES: dict[str, list[tuple[tuple[str, ...], dict[str, Resource]]]] = {}
for _path, _methods in _TABLE:
    _ROUTES.setdefault(_path.partition("/")[0], []).append((tuple(_path.split("/")) if _path else (), _methods))
