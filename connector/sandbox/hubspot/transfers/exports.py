"""Exports: a file of records, written a little after it is asked for (HubSpot docs, "Exports").

| status | while |
|---|---|
| `PENDING` | another export is under way: one is written at a time |
| `PROCESSING` | the time that the setting `job_seconds` gives |
| `COMPLETE` | afterwards; the status has an address of the file, a new one each time, good for five minutes |

Thirty exports in 24 hours. A file shows what there was when it was asked for. It is a CSV, zipped beyond 2 MB, and
lies on the sandbox's own host; other formats, lists, and other languages than English are not there.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connector.sandbox.hubspot.api import search
from connector.sandbox.hubspot.api.calls import Call, text_list
from connector.sandbox.hubspot.api.shapes import as_id, as_object, need, take
from connector.sandbox.hubspot.definitions.associations import LinkType
from connector.sandbox.hubspot.definitions.properties import Definition
from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.errors import ApiError, not_found, refuse
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records.fields import Reader, reader
from connector.sandbox.hubspot.records.records import Record
from connector.sandbox.wire import Response

MOST_A_DAY = 30
MOST_TYPES = 4
MOST_ASSOCIATED = 1_000  # per row
_DAY = 86_400_000
_URL_LIFE = 300_000  # milliseconds
_ZIPPED_BEYOND = 2 * 1024 * 1024
_ZIP_DATE = (2026, 1, 1, 0, 0, 0)  # so that the same records make the same bytes
_INTERNAL = ("NAMES", "VALUES")
# What a record is called by (HubSpot docs, "Custom objects": the primary display property).
_DISPLAYED = {"contacts": ("firstname", "lastname"), "companies": ("name",), "deals": ("dealname",)}

Cell = Callable[[Record], str]


@dataclass(slots=True)
class Export:
    """One export. Times are milliseconds since 1970; `begun` is when its turn comes."""

    id: int
    request: dict[str, Any]
    type_id: str
    created: int
    begun: int
    ends: int
    count: int
    content: bytes

    def status_at(self, now: int) -> str:
        if now < self.begun:
            return "PENDING"
        return "PROCESSING" if now < self.ends else "COMPLETE"

    @property
    def file_name(self) -> str:
        return "export.zip" if self.content[:2] == b"PK" else "export.csv"


@dataclass(slots=True)
class Exports:
    """The exports of a portal, and the addresses that were given out: token, the export's id, when it ends."""

    all: dict[int, Export] = field(default_factory=dict)
    addresses: dict[str, tuple[int, int]] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: Random("exports"))


# -- calls


def create(call: Call) -> Response:
    """Raises 400 for a request that is not right, 429 for the thirty-first in 24 hours (in words of our own)."""
    exports, portal, now = call.account.exports, call.portal, call.portal.now()
    request = call.body()
    kind, rows, content = _write(portal, request)
    if sum(one.created > now - _DAY for one in exports.all.values()) >= MOST_A_DAY:
        raise ApiError(429, "RATE_LIMITS", f"At most {MOST_A_DAY} exports can be made within 24 hours")
    begun = max([now, *(one.ends for one in exports.all.values())])
    ends = begun + int(portal.settings.job_seconds * 1_000)
    one = Export(portal.next_id(), request, kind.type_id, now, begun, ends, rows, content)
    exports.all[one.id] = one
    link = f"{call.request.origin}/crm/v3/exports/export/async/tasks/{one.id}/status"
    return Response.json({"id": str(one.id), "links": {"status": link}}, 202)


def read_status(call: Call) -> Response:
    """How far an export is; a new address of its file once it is complete."""
    one, now, exports = _export(call), call.portal.now(), call.account.exports
    status = one.status_at(now)
    told = {"status": status, "requestedAt": to_iso(one.created), "startedAt": to_iso(one.begun)}
    if status == "COMPLETE":
        token = f"{exports.random.getrandbits(128):032x}"
        exports.addresses = {old: given for old, given in exports.addresses.items() if given[1] > now - _DAY}
        exports.addresses[token] = one.id, now + _URL_LIFE
        told |= {"completedAt": to_iso(one.ends), "result": _address(call, token, one)}
    return Response.json(told)


def _address(call: Call, token: str, one: Export) -> str:
    return f"{call.request.origin}/crm/v3/exports/files/{token}/{one.file_name}"


def read_details(call: Call) -> Response:
    """What was exported, and how many records."""
    one, now = _export(call), call.portal.now()
    state = one.status_at(now)
    return Response.json(
        {
            "id": str(one.id),
            "exportName": one.request["exportName"],
            "exportType": one.request["exportType"],
            "objectType": one.type_id,
            "objectProperties": one.request.get("objectProperties") or [],
            "createdAt": to_iso(one.created),
            "updatedAt": to_iso(min(max(now, one.created), one.ends)),
            "exportState": "DONE" if state == "COMPLETE" else state,
            "recordCount": one.count,
        }
    )


def download(call: Call) -> Response:
    """The file, to whoever has its address. Raises 404 for an address that was never given out.

    After five minutes the answer is a file host's: 403, and not JSON.
    """
    export_id, ends = call.account.exports.addresses.get(call.args["token"], (0, 0))
    if not ends:
        raise not_found()
    if ends <= call.portal.now():
        gone = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
        return Response(403, gone, {"Content-Type": "application/xml"})
    one = call.account.exports.all[export_id]
    kind = "application/zip" if one.file_name.endswith("zip") else "text/csv"
    shown = {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{one.file_name}"'}
    return Response(200, one.content, shown)


def _export(call: Call) -> Export:
    given = call.args["id"]
    one = call.account.exports.all.get(as_id(given))
    if one is None:
        raise not_found()
    return one


# -- the file


def _write(portal: Portal, request: dict[str, Any]) -> tuple[ObjectType, int, bytes]:
    """The object type, how many records, and the file. Raises 400."""
    if request.get("exportType") != "VIEW":
        raise refuse("exportType is VIEW: there are no lists here")
    if need(request, "format").upper() != "CSV":
        raise refuse("format is CSV: other formats are not written here")
    need(request, "exportName")
    if take(request, "language", "EN") != "EN":
        raise refuse("language is EN: other languages are not spoken here")
    kind = portal.kind(need(request, "objectType").lower())
    internal = text_list(request.get("exportInternalValuesOptions"))
    if not set(internal) <= set(_INTERNAL):
        raise refuse(f"exportInternalValuesOptions are {' and '.join(_INTERNAL)}")
    columns = [
        *_property_columns(portal, kind, text_list(request.get("objectProperties")), internal),
        *_associated_columns(portal, kind, request),
    ]
    rows = _select(portal, kind, request.get("publicCrmSearchRequest"))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    writer.writerows([cell(row) for _, cell in columns] for row in rows)
    return kind, len(rows), _pack(buffer.getvalue().encode())


def _pack(content: bytes) -> bytes:
    if len(content) <= _ZIPPED_BEYOND:
        return content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("export.csv", _ZIP_DATE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _select(portal: Portal, kind: ObjectType, given: Any) -> list[Record]:
    """The records of a view. Its filters are those of a search, with `property` for `propertyName` too."""
    if given is None:
        return search.every(portal, kind, {})
    request = as_object(given)
    groups = request.get("filterGroups")
    if groups is None:
        groups = [{"filters": request["filters"]}] if request.get("filters") else []
    given_sorts: list[Any] = take(request, "sorts", [])
    sorts = [_sort(one) for one in given_sorts]
    body = {"filterGroups": groups, "sorts": sorts, "query": request.get("query")}
    return search.every(portal, kind, body)


def _sort(given: Any) -> Any:
    """`{propertyName, order: ASC or DESC}`, or as a search has it."""
    if not isinstance(given, dict) or "order" not in given:
        return given
    return {"propertyName": given.get("propertyName"), "direction": f"{given['order']}ENDING"}


def _property_columns(
    portal: Portal, kind: ObjectType, names: list[str], internal: list[str]
) -> list[tuple[str, Cell]]:
    """The record id, then each property. Raises 400 for one that is not defined."""
    defined = portal.properties[kind.name].defined
    unknown = [name for name in names if name not in defined]
    if unknown:
        raise refuse(f'Property "{unknown[0]}" does not exist', context={"propertyName": unknown})
    columns = []
    for name in dict.fromkeys(["hs_object_id", *names]):
        title = name if "NAMES" in internal else defined[name].label
        show = _plain if "VALUES" in internal else _speaking(portal, defined[name])
        columns.append((title, _cell(reader(portal, kind, name), show)))
    return columns


def _cell(read: Reader | None, show: Callable[[str], str]) -> Cell:
    return lambda record: show(read(record) or "") if read is not None else ""


def _plain(value: str) -> str:
    return value


def _speaking(portal: Portal, definition: Definition) -> Callable[[str], str]:
    """How a value is said to people: labels for options, names for owners, the minute for a moment."""
    if definition.external == "OWNER":
        labels = {one["id"]: f"{one['firstName']} {one['lastName']}".strip() for one in portal.owners.all()}
    elif definition.external in {"PIPELINE", "STAGE"}:
        labels = {one["value"]: one["label"] for one in portal.pipelines.options()[definition.external]}
    else:
        labels = {option["value"]: option["label"] for option in definition.options}
    if labels:
        return lambda value: ";".join(labels.get(part, part) for part in value.split(";"))
    if definition.type == "datetime":
        return lambda value: value[:16].replace("T", " ")
    return _plain


def _associated_columns(portal: Portal, kind: ObjectType, request: dict[str, Any]) -> list[tuple[str, Cell]]:
    """The ids of associated records of up to four types; their names if it is one type, or if asked for."""
    given = request.get("associatedObjectType") or []
    others = [portal.kind(alias.lower()) for alias in text_list([given] if isinstance(given, str) else given)]
    if len(others) > MOST_TYPES:
        raise refuse(f"At most {MOST_TYPES} associated object types can be exported")
    named = take(request, "includePrimaryDisplayPropertyForAssociatedObjects", len(others) == 1)
    labelled = take(request, "includeLabeledAssociations", False)
    most = None if take(request, "overrideAssociatedObjectsPerDefinitionPerRowLimit", False) else MOST_ASSOCIATED
    columns = []
    for other in others:
        around = _around(portal, kind, other, most)
        columns.append((f"Associated {other.singular.title()} IDs", _ids(around)))
        if named:
            columns.append((f"Associated {other.singular.title()}", _names(portal, other, around)))
        if labelled:
            columns.append((f"Associated {other.singular.title()} Labels", _labels(portal, kind, other, around)))
    return columns


_Around = Callable[[Record], list[tuple[int, tuple[int, ...]]]]


def _around(portal: Portal, kind: ObjectType, other: ObjectType, most: int | None) -> _Around:
    pair = (kind.name, other.name)
    return lambda record: sorted(portal.associations.neighbours(pair, record.id).items())[:most]


def _ids(around: _Around) -> Cell:
    return lambda record: ";".join(str(end) for end, _ in around(record))


def _names(portal: Portal, other: ObjectType, around: _Around) -> Cell:
    table = portal.tables[other.name].live

    def name(end: int) -> str:
        return " ".join(filter(None, (table[end].values.get(part) for part in _DISPLAYED[other.name])))

    return lambda record: ";".join(name(end) for end, _ in around(record))


def _labels(portal: Portal, kind: ObjectType, other: ObjectType, around: _Around) -> Cell:
    pair = (kind.name, other.name)

    def label(types: tuple[int, ...]) -> str:
        described: list[LinkType] = portal.associations.describe(pair, types)
        return ",".join(one.label for one in described if one.label)

    return lambda record: ";".join(label(types) for _, types in around(record))
