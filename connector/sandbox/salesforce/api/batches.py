"""Many records in one call: sObject Collections.

Each record succeeds or fails for itself, unless `allOrNone` is set; but a body that cannot be read as records
(an unknown field, a value of the wrong type) fails as a whole. Source: Salesforce REST API Developer Guide,
"sObject Collections": at most 200 records a call, 2,000 ids when reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connector.sandbox.salesforce.api.calls import Call, entries, flag, too_many_records
from connector.sandbox.salesforce.api.records import key_field, row_writer
from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import ApiError, DeserializationError
from connector.sandbox.salesforce.ids import normalise
from connector.sandbox.salesforce.records.store import fold
from connector.sandbox.salesforce.records.writes import SeveralRecordsError
from connector.sandbox.wire import Response

MAX_WRITTEN = 200
MAX_READ = 2000

_Result = dict[str, Any]
_ROLLED_BACK = ApiError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


def create(call: Call) -> Response:
    def save(record: Mapping[str, Any]) -> _Result:
        return _saved(call.org.writer.create(_object_of(call, record), record))

    return _each(call, save)


def update(call: Call) -> Response:
    def save(record: Mapping[str, Any]) -> _Result:
        sobject = _object_of(call, record)
        changes = {name: value for name, value in record.items() if name.lower() != "id"}
        given = next((value for name, value in record.items() if name.lower() == "id"), None)
        if not isinstance(given, str):
            raise ApiError("MISSING_ARGUMENT", "Id not specified in an update call", [])
        call.org.writer.update(sobject, given, changes)
        return _saved(normalise(given) or given)

    return _each(call, save)


def upsert(call: Call) -> Response:
    sobject = call.org.readable(call.arguments[0])
    key = key_field(sobject, call.arguments[1])
    records = entries(call.object_body(), "records")
    twice = _repeated(key, records)

    def save(record: Mapping[str, Any]) -> _Result:
        if _object_of(call, record) is not sobject:
            raise ApiError("INVALID_TYPE", f"all records must be of type {sobject.name}", [])
        value = _value_of(key, record)
        if not isinstance(value, str) or not value.strip():
            raise ApiError("MISSING_ARGUMENT", f"{key.name} not specified", [])
        if fold(key, value.strip()) in twice:
            message = f"Duplicate external id specified: {value}"
            raise ApiError("DUPLICATE_VALUE", message, [key.name])
        body = {name: each for name, each in record.items() if name.lower() != key.name.lower()}
        saved, created = call.org.writer.upsert(sobject, key, value, body)
        return {**_saved(saved), "created": created}

    return _each(call, save)


def delete(call: Call) -> Response:
    ids = call.request.every("ids")
    if not ids:
        raise ApiError("MISSING_ARGUMENT", "ids parameter is required")
    all_or_none = (call.request.first("allOrNone") or "").lower() == "true"

    def remove(record: str) -> _Result:
        full = normalise(record)
        sobject = call.org.schema.by_prefix(full[:3]) if full else None
        if full is None or sobject is None:
            raise ApiError("MALFORMED_ID", f"malformed id {record}", [])
        call.org.writer.delete(sobject, full)
        return _saved(full)

    return _run(call, ids, remove, all_or_none=all_or_none)


def read(call: Call) -> Response:
    """By `POST {"ids", "fields"}`, or by the same two parameters of a `GET`. What is not there is null."""
    sobject = call.org.readable(call.arguments[0])
    if call.request.method == "GET":
        ids, fields = call.request.every("ids"), call.request.every("fields")
    else:
        body = call.object_body()
        ids, fields = _texts(body, "ids"), _texts(body, "fields")
    if len(ids) > MAX_READ:
        raise too_many_records(MAX_READ)
    if not ids or not fields:
        raise ApiError("MISSING_ARGUMENT", "ids and fields are required")
    named = [field.strip() for field in fields]
    if not any(field.lower() == "id" for field in named):
        named.insert(0, "Id")
    write = row_writer(call.org, sobject, named, call.base)
    live = call.org.store.table(sobject.name).live
    rows = (live.get(normalise(record.strip()) or "") for record in ids)
    return Response.json([None if row is None else write(row) for row in rows])


def _each(call: Call, save: Callable[[Mapping[str, Any]], _Result]) -> Response:
    body = call.object_body()
    return _run(call, entries(body, "records"), save, all_or_none=flag(body, "allOrNone"))


def _run(call: Call, items: Iterable[Any], act: Callable[[Any], _Result], *, all_or_none: bool) -> Response:
    items = list(items)
    if len(items) > MAX_WRITTEN:
        raise too_many_records(MAX_WRITTEN)
    with call.org.store.transaction() as transaction:
        results = [_attempt(act, item) for item in items]
        if all_or_none and not all(result["success"] for result in results):
            transaction.roll_back()
            results = [_failed(_ROLLED_BACK) if result["success"] else result for result in results]
    return Response.json(results)


def _attempt(act: Callable[[Any], _Result], item: Any) -> _Result:
    try:
        return act(item)
    except DeserializationError:
        raise
    except ApiError as error:
        return _failed(error)
    except SeveralRecordsError as several:
        message = f"{len(several.found)} records found for external id"
        return _failed(ApiError("DUPLICATE_EXTERNAL_ID", message))


def _saved(record: str) -> _Result:
    return {"id": record, "success": True, "errors": []}


def _failed(error: ApiError) -> _Result:
    return {"success": False, "errors": error.results()}


def _object_of(call: Call, record: Mapping[str, Any]) -> SObject:
    attributes = record.get("attributes")
    named = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(named, str):
        raise DeserializationError("INVALID_TYPE", "each record needs attributes with a type")
    try:
        return call.org.readable(named)
    except ApiError:
        raise DeserializationError("INVALID_TYPE", f"sObject type '{named}' is not supported.") from None


def _value_of(key: Field, record: Mapping[str, Any]) -> Any:
    return next((value for name, value in record.items() if name.lower() == key.name.lower()), None)


def _repeated(key: Field, records: list[Mapping[str, Any]]) -> set[Any]:
    """The key values that more than one record has: Salesforce refuses all of them."""
    values = (_value_of(key, record) for record in records)
    seen = Counter(fold(key, value.strip()) for value in values if isinstance(value, str))
    return {value for value, times in seen.items() if times > 1}


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise DeserializationError("JSON_PARSER_ERROR", f"{name} is not a list of strings")
    return value
