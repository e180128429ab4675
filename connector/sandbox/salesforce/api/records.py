"""Single records: by id, and by external id.

Source: Salesforce REST API Developer Guide, "sObject Rows", "sObject Rows by External ID", "sObject Basic
Information".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from connector.sandbox.salesforce.api.calls import Call
from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import ApiError, DeserializationError, NoSuchRecordError
from connector.sandbox.salesforce.ids import normalise
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records.formulas import getter
from connector.sandbox.salesforce.records.store import Row
from connector.sandbox.salesforce.records.writes import SeveralRecordsError
from connector.sandbox.salesforce.soql.resolve import unknown_column
from connector.sandbox.wire import Response

FIRST_VERSION_WITH_UPSERT_BODY = 46.0


def create(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    record = call.org.writer.create(sobject, call.object_body())
    location = {"Location": f"{call.base}/sobjects/{sobject.name}/{record}"}
    return Response.json({"id": record, "success": True, "errors": []}, 201, location)


def read(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    row = call.org.writer.find(sobject, record_id(call.arguments[1]))
    return Response.json(_writer(call, sobject)(row))


def update(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    body = call.object_body()
    if any(name.lower() == "id" for name in body):
        raise ApiError("INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"])
    call.org.writer.update(sobject, record_id(call.arguments[1]), body)
    return Response(204)


def delete(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    call.org.writer.delete(sobject, record_id(call.arguments[1]))
    return Response(204)


def read_by_key(call: Call) -> Response:
    sobject, row = _one_by_key(call)
    return Response.json(_writer(call, sobject)(row))


def delete_by_key(call: Call) -> Response:
    sobject, row = _one_by_key(call)
    call.org.writer.delete(sobject, row["Id"])
    return Response(204)


def upsert(call: Call) -> Response:
    sobject, key, value = _key(call)
    update_only = (call.request.first("updateOnly") or "").lower() == "true"
    try:
        record, created = call.org.writer.upsert(sobject, key, value, call.object_body(), update_only=update_only)
    except SeveralRecordsError as several:
        return _several(call, several)
    if not created and float(call.version) < FIRST_VERSION_WITH_UPSERT_BODY:
        return Response(204)
    body = {"id": record, "success": True, "errors": [], "created": created}
    return Response.json(body, 201 if created else 200)


def respond_several(read: Callable[[Call], Response]) -> Callable[[Call], Response]:
    """A resource that answers 300 with the addresses when an external id fits several records."""

    def resource(call: Call) -> Response:
        try:
            return read(call)
        except SeveralRecordsError as several:
            return _several(call, several)

    return resource


def row_writer(
    org: Org, sobject: SObject, names: Iterable[str] | None, base: str
) -> Callable[[Row], dict[str, Any]]:
    """A function that writes rows as JSON objects, with the named fields or all. Raises INVALID_FIELD."""
    seen = {
        each.name.lower(): each for each in sobject.fields.values()
        if org.access.may_read_field(sobject.name, each.name)
    }  # fmt: skip
    columns = []
    for name in names if names is not None else seen:
        field = seen.get(name.lower())
        if field is None:
            raise ApiError("INVALID_FIELD", unknown_column(name, sobject))
        columns.append((field.name, getter(org.store, sobject, field)))
    url = f"{base}/sobjects/{sobject.name}/"

    def write(row: Row) -> dict[str, Any]:
        written: dict[str, Any] = {"attributes": {"type": sobject.name, "url": url + row["Id"]}}
        for name, read in columns:
            written[name] = read(row)
        return written

    return write


def key_field(sobject: SObject, name: str) -> Field:
    """The field by which records are addressed. Raises NOT_FOUND when it is no external id."""
    field = sobject.find(name)
    if field is None or not (field.external_id or field.name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise ApiError("NOT_FOUND", message)
    return field


def _writer(call: Call, sobject: SObject) -> Callable[[Row], dict[str, Any]]:
    named = call.request.every("fields")
    return row_writer(call.org, sobject, ["Id", *_without_id(named)] if named else None, call.base)


def _without_id(names: list[str]) -> list[str]:
    return [stripped for name in names if (stripped := name.strip()).lower() != "id"]


def record_id(text: str) -> str:
    """An id in an address. What has not even the shape of one is taken for the name of a key field."""
    if normalise(text) is None:
        message = f"Provided external ID field does not exist or is not accessible: {text}"
        raise ApiError("NOT_FOUND", message)
    return text


def _key(call: Call) -> tuple[SObject, Field, str]:
    name, key, *rest = call.arguments
    sobject = call.org.readable(name)
    value = "/".join(rest)  # a slash in the value was escaped once, but the path comes unescaped
    if not value:
        raise DeserializationError("INVALID_FIELD", f"{key} has no value")
    return sobject, key_field(sobject, key), value


def _one_by_key(call: Call) -> tuple[SObject, Row]:
    sobject, key, value = _key(call)
    found = call.org.writer.matching(sobject, key, value)
    if not found:
        raise NoSuchRecordError
    if len(found) > 1:
        raise SeveralRecordsError(sobject, found)
    return sobject, call.org.store.table(sobject.name).live[found[0]]


def _several(call: Call, several: SeveralRecordsError) -> Response:
    url = f"{call.base}/sobjects/{several.sobject.name}/"
    return Response.json([url + record for record in several.found], 300)
