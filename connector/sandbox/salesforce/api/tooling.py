"""The Tooling API, as far as an integration needs it to set itself up: custom fields, and which fields there are.

| under `/services/data/vNN.0/tooling/` | |
|---|---|
| `sobjects/CustomField` | POST `{"FullName": "Opportunity.Score__c", "Metadata": {"type": "Number", "label": …}}` |
| `sobjects/CustomField/ID` | GET, with `FullName` and `Metadata`; DELETE |
| `sobjects`, `sobjects/X/describe` | the objects named here |
| `query?q=` | SOQL over CustomField and FieldDefinition |

Making a field asks for *Customize Application*, seeing CustomField for *View Setup and Configuration*; without the
latter FieldDefinition shows the fields that the user may read. A field made here is closed to everybody until a
permission set opens it.

Source: Tooling API Reference and Developer Guide, "REST Resources", "CustomField", "FieldDefinition"; Metadata API
Developer Guide, "CustomField"; Field-Level Security in the Security Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connector.sandbox.salesforce.api import describe
from connector.sandbox.salesforce.api.calls import Call
from connector.sandbox.salesforce.definitions.custom_fields import CustomFields
from connector.sandbox.salesforce.definitions.schema import Field, Schema, SObject
from connector.sandbox.salesforce.errors import ApiError, DeserializationError, InputError, NoSuchRecordError
from connector.sandbox.salesforce.ids import normalise
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records.store import Row, Store, trimmed
from connector.sandbox.salesforce.soql.parser import parse
from connector.sandbox.salesforce.soql.resolve import Context
from connector.sandbox.salesforce.soql.run import answer_query
from connector.sandbox.wire import Response

_TYPES = {
    "Text": "string", "Number": "double", "Currency": "currency", "Percent": "percent", "Checkbox": "boolean",
    "Date": "date", "DateTime": "datetime", "Email": "email", "Phone": "phone", "Url": "url",
    "TextArea": "textarea", "LongTextArea": "textarea", "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
}  # fmt: skip
_MEASURED = {
    "Text": ("length",), "LongTextArea": ("length",), "Number": ("precision", "scale"),
    "Currency": ("precision", "scale"), "Percent": ("precision", "scale"),
}  # fmt: skip
_FLAGS = {"unique": "unique", "externalId": "externalId", "caseSensitive": "caseSensitive"}
_IGNORED = {"description", "inlineHelpText", "trackHistory", "trackFeedHistory", "trackTrending", "fullName",
            "defaultValue", "visibleLines", "securityClassification"}  # fmt: skip
_KNOWN = {"type", "label", "length", "precision", "scale", "required", "valueSet", *_FLAGS, *_IGNORED}
_FULL_NAME = re.compile(r"(\w+)\.([A-Za-z]\w*__c)")
_MOST_EXTERNAL_IDS = 25
_REIFIED = re.compile(r"\b(EntityDefinition|DurableId)", re.IGNORECASE)
_ONE_ROW_ONLY = re.compile(r"\b(FullName|Metadata)\b", re.IGNORECASE)
_CUSTOM, _DEFINITION = "CustomField", "FieldDefinition"


def _columns(sobject: SObject, texts: tuple[str, ...], others: Mapping[str, str]) -> SObject:
    for name in texts:
        sobject.add(Field(name, "string", name, length=255, createable=False, updateable=False))
    for name, kind in others.items():
        sobject.add(Field(name, kind, name, createable=False, updateable=False))
    return sobject


_OBJECTS = {
    _CUSTOM: _columns(
        SObject(_CUSTOM, "00N", "Custom Field", "Custom Fields", writable=False),
        ("DeveloperName", "TableEnumOrId", "NamespacePrefix", "FullName"),
        {"Id": "id", "Metadata": "anyType"},
    ),
    _DEFINITION: _columns(
        SObject(_DEFINITION, None, "Field Definition", "Field Definitions", writable=False),
        ("DurableId", "QualifiedApiName", "DeveloperName", "EntityDefinitionId", "Label", "DataType"),
        {"Id": "id", "IsNillable": "boolean", "IsCalculated": "boolean"},
    ),
}


def create(call: Call) -> Response:
    """Make a custom field."""
    if call.arguments[0] != _CUSTOM:
        raise _not_there()
    body = call.object_body()
    absent = [name for name in ("FullName", "Metadata") if not body.get(name)]
    if absent:
        raise ApiError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(absent)}]", absent)
    unknown = sorted(body.keys() - {"FullName", "Metadata", "attributes"})
    if unknown:
        raise DeserializationError("INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type CustomField")
    if not call.org.access.permissions["PermissionsCustomizeApplication"]:
        raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [])
    record = _make(call.org, body["FullName"], body["Metadata"])
    location = {"Location": f"{call.base}/tooling/sobjects/{_CUSTOM}/{record}"}
    return Response.json({"id": record, "success": True, "errors": [], "warnings": [], "infos": []}, 201, location)


def read(call: Call) -> Response:
    row = _find(call)
    url = f"{call.base}/tooling/sobjects/{_CUSTOM}/{row['Id']}"
    told = {name.name: row.get(name.name) for name in _OBJECTS[_CUSTOM].fields.values()}
    return Response.json({"attributes": {"type": _CUSTOM, "url": url}, **told})


def delete(call: Call) -> Response:
    row = _find(call)
    if not call.org.access.permissions["PermissionsCustomizeApplication"]:
        raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [])
    try:
        CustomFields(call.org).remove(row["TableEnumOrId"], row["FullName"].partition(".")[2])
    except InputError as error:
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", str(error), []) from None
    return Response(204)


def query(call: Call) -> Response:
    text = call.request.first("q")
    if text is None:
        raise ApiError("MALFORMED_QUERY", "A query string has to be specified")
    context = Context(text, _rows_of(call.org), call.org.access, deleted=False, version=call.version)
    asked = parse(text)
    if asked.source.lower() == _DEFINITION.lower() and not _REIFIED.search(text):
        raise ApiError("MALFORMED_QUERY", "A filter on a reified column is required [EntityDefinition,DurableId]")
    found = answer_query(context, asked)
    if found.total > 1 and _ONE_ROW_ONLY.search(text[: asked.source_pos]):
        message = (
            "When retrieving results with Metadata or FullName fields, the query qualifications must specify no "
            f"more than one row for retrieval. Result size: {found.total}"
        )
        raise ApiError("MALFORMED_QUERY", message)
    options = call.request.headers.get("sforce-query-options")
    return Response.json(call.org.cursors.first(found, options, f"{call.base}/tooling/query"))


def listing(call: Call) -> Response:
    told = [describe.summary(each, call.org.access, f"{call.base}/tooling") for each in _OBJECTS.values()]
    return Response.json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": told})


def describe_one(call: Call) -> Response:
    sobject = _OBJECTS.get(call.arguments[0])
    if sobject is None:
        raise _not_there()
    return Response.json(describe.describe(_rows_of(call.org), sobject, call.org.access, f"{call.base}/tooling"))


def _not_there() -> ApiError:
    return ApiError("NOT_FOUND", "The requested resource does not exist")


def _find(call: Call) -> Row:
    if call.arguments[0] != _CUSTOM:
        raise _not_there()
    store = _rows_of(call.org)
    full = normalise(call.arguments[1])
    row = store.table(_CUSTOM).live.get(full or "") if store.schema.find(_CUSTOM) else None
    if row is None:
        raise NoSuchRecordError
    return row


def _rows_of(org: Org) -> Store:
    """The rows that a query asks for, as they are now."""
    sees_all = org.access.permissions["PermissionsViewSetup"]
    shown = [_OBJECTS[_CUSTOM], _OBJECTS[_DEFINITION]] if sees_all else [_OBJECTS[_DEFINITION]]
    store = Store(Schema(shown), org.store.clock, org.organization[3:6])
    if sees_all:
        for told in CustomFields(org).tell():
            full_name = f"{told['sobject']}.{told['name']}"
            store.put(store.table(_CUSTOM), trimmed({
                "Id": told["id"], "DeveloperName": told["name"].removesuffix("__c"),
                "TableEnumOrId": told["sobject"], "FullName": full_name, "Metadata": _metadata(told),
            }.items()))  # fmt: skip
    for sobject in org.schema:
        for field in sobject.fields.values():
            if sees_all or org.access.may_read_field(sobject.name, field.name):
                durable = f"{sobject.name}.{field.name}"
                store.put(store.table(_DEFINITION), trimmed({
                    "Id": durable, "DurableId": durable, "QualifiedApiName": field.name, "Label": field.label,
                    "DeveloperName": field.name.removesuffix("__c"), "EntityDefinitionId": sobject.name,
                    "DataType": field.type, "IsNillable": field.nillable,
                    "IsCalculated": field.formula is not None,
                }.items()))  # fmt: skip
    return store


def _metadata(told: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {kind: name for name, kind in reversed(_TYPES.items())}
    kind = kinds.get(told["type"], told["type"])
    if told["type"] == "textarea" and told["length"] > 255:
        kind = "LongTextArea"
    measured = {name: told[name] for name in _MEASURED.get(kind, ())}
    flags = {name: told[kept] for name, kept in _FLAGS.items()}
    return {"type": kind, "label": told["label"], "required": not told["nillable"], **measured, **flags}


def _make(org: Org, full_name: Any, metadata: Any) -> str:
    named = _FULL_NAME.fullmatch(full_name) if isinstance(full_name, str) else None
    if named is None or not isinstance(metadata, dict):
        message = "FullName is Object.Field__c, and Metadata an object"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, ["FullName"])
    owner = org.schema.find(named[1])
    if owner is None or not owner.writable:
        message = f"Entity Enumeration Or ID: bad value for restricted picklist field: {named[1]}"
        raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["TableEnumOrId"])
    if owner.find(named[2]) is not None:
        message = f"There is already a field named {named[2].removesuffix('__c')} on {owner.label}."
        raise ApiError("DUPLICATE_DEVELOPER_NAME", message, ["DeveloperName"])
    item = _read(owner, named[2], metadata)
    if item["externalId"] and sum(each.external_id for each in owner.fields.values()) >= _MOST_EXTERNAL_IDS:
        message = f"{owner.label} has {_MOST_EXTERNAL_IDS} external ID fields already"
        raise ApiError("LIMIT_EXCEEDED", message, [])
    try:
        [record] = CustomFields(org).add([item])
    except InputError as error:
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", str(error), []) from None
    if item["nillable"]:  # what is required cannot be hidden
        org.access.closed.add((owner.name, named[2]))
    return record


def _read(owner: SObject, name: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The field in the shape that the administrator's list takes it."""
    unknown = sorted(metadata.keys() - _KNOWN)
    if unknown:
        message = f"Cannot deserialize: {unknown[0]} is no property of CustomFieldMetadata, or is not imitated"
        raise DeserializationError("JSON_PARSER_ERROR", message)
    kind = metadata.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        message = f"Type: bad value for restricted picklist field: {kind}"
        raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["Metadata"])
    absent = [each for each in ("label", *_MEASURED.get(kind, ())) if metadata.get(each) is None]
    if absent:
        message = f"Must specify '{absent[0]}' for a CustomField of type {kind}"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, ["Metadata"])
    measured = {each: metadata[each] for each in _MEASURED.get(kind, ())}
    flags = {kept: metadata.get(told) or False for told, kept in _FLAGS.items()}
    required = metadata.get("required") or False
    return {
        "sobject": owner.name, "name": name, "label": metadata["label"], "type": _TYPES[kind], **measured, **flags,
        "nillable": not required, "picklistValues": _values(metadata.get("valueSet")),
    }  # fmt: skip


def _values(given: Any) -> list[dict[str, Any]]:
    definition = given.get("valueSetDefinition") if isinstance(given, dict) else None
    listed = definition.get("value") if isinstance(definition, dict) else None
    return [
        {"value": str(each.get("fullName")), "label": str(each.get("label") or each.get("fullName")),
         "defaultValue": bool(each.get("default"))}
        for each in (listed if isinstance(listed, list) else []) if isinstance(each, dict)
    ]  # fmt: skip
