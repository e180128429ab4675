"""What the files of an import say: the parts of a form, the columns, and what each is mapped to.

| kind of column | says |
|---|---|
| `value` | a property of the row's record |
| `key` | which record it is: its id, its address or domain, or a property with unique values |
| `reference` | which other record it is associated with, and under which type |
| `label` | under which label the records of the row are associated |
| `ignored` | nothing |

HubSpot docs, "CRM API | Imports", which writes `columnType` and `columnObjectTypeId`, and in its older examples
`idColumnType` and `columnObjectType`. Only CSV files with a header are read (simplified).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from typing import Any

import orjson

from connector.sandbox.hubspot.api.shapes import as_object, need, objects, take
from connector.sandbox.hubspot.definitions.associations import Pair
from connector.sandbox.hubspot.definitions.schema import COMPANIES, ObjectType
from connector.sandbox.hubspot.errors import refuse, refuse_json
from connector.sandbox.hubspot.portal import Portal

DATE_FORMATS = {
    "MONTH_DAY_YEAR": ("month", "day", "year"),
    "DAY_MONTH_YEAR": ("day", "month", "year"),
    "YEAR_MONTH_DAY": ("year", "month", "day"),
}
OPERATIONS = ("UPSERT", "CREATE", "UPDATE")
RECORD_ID = "hs_object_id"
_COLUMN_TYPES = (
    "STANDARD", "HUBSPOT_OBJECT_ID", "HUBSPOT_ALTERNATE_ID", "FLEXIBLE_ASSOCIATION_LABEL", "ASSOCIATION_KEYS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One mapped column. `kind` is a word of the table above; `property` is "" where the other file names it.

    `other` is the object type that a reference or a label leads to, `types` the association types of a reference.
    """

    name: str
    kind: str
    of: ObjectType
    property: str = ""
    other: ObjectType | None = None
    types: tuple[int, ...] = ()
    identifies: bool = False


@dataclass(slots=True)
class File:
    """A file with its mapped columns. `rows` is empty, and `problem` an error type, if it cannot be read."""

    id: int
    name: str
    columns: list[Column]
    rows: list[list[str]] = field(default_factory=list)
    problem: str = ""


@dataclass(slots=True)
class Order:
    """What is to be imported. `request` is the JSON as it came."""

    name: str
    request: dict[str, Any]
    operations: dict[str, str]
    date_format: tuple[str, ...]
    files: list[File]


def read_form(content_type: str, body: bytes) -> tuple[Any, dict[str, bytes]]:
    """The `importRequest` and the files by name. Raises 400 for what is no such form."""
    if not content_type.lower().startswith("multipart/form-data"):
        raise refuse("An import is a multipart/form-data request")
    message = BytesParser(policy=policy.HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    files: dict[str, bytes] = {}
    request: Any = None
    for part in message.iter_parts() if message.is_multipart() else ():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        if name == "importRequest":
            request = _read_json(content)
        elif name == "files" and part.get_filename():
            files[str(part.get_filename())] = content
    if request is None:
        raise refuse("importRequest is required")
    return request, files


def _read_json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except ValueError:
        raise refuse_json() from None


def read_order(portal: Portal, request: Any, contents: dict[str, bytes]) -> Order:
    """Raises 400 for a request that cannot be carried out, however the files may look."""
    request = as_object(request)
    operations: dict[str, Any] = take(request, "importOperations", {})
    if any(operation not in OPERATIONS for operation in operations.values()):
        raise refuse(f"importOperations are one of {', '.join(OPERATIONS)}")
    date_format = take(request, "dateFormat", "MONTH_DAY_YEAR")
    if date_format not in DATE_FORMATS:
        raise refuse(f"dateFormat is one of {', '.join(DATE_FORMATS)}")
    given = objects(request.get("files"))
    if not given:
        raise refuse("files is required")
    files = [_read_file(portal, one, contents) for one in given]
    by_type = {portal.kind(alias).name: operation for alias, operation in operations.items()}
    return Order(need(request, "name"), request, by_type, DATE_FORMATS[date_format], files)


def _read_file(portal: Portal, given: dict[str, Any], contents: dict[str, bytes]) -> File:
    if take(given, "fileFormat", "CSV") != "CSV":
        raise refuse("Only files of the format CSV are imported here")
    page = as_object(given.get("fileImportPage"))
    if not take(page, "hasHeader", True):
        raise refuse("Only files with a header are imported here")
    columns = [_read_column(portal, one) for one in objects(page.get("columnMappings"))]
    if not columns:
        raise refuse("columnMappings is required")
    file = File(portal.next_id(), need(given, "fileName"), columns)
    content = contents.get(file.name)
    if content is None:
        file.problem = "FILE_NOT_FOUND"
        return file
    try:
        header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    except (ValueError, csv.Error):
        file.problem = "INVALID_FILE_TYPE"
        return file
    _arrange(file, header, [row for row in rows if row])
    return file


def _arrange(file: File, header: Sequence[str], rows: list[list[str]]) -> None:
    """Put the columns into the order of the file. A header that is not mapped makes every row too long."""
    places = {name.strip(): place for place, name in enumerate(header)}
    if any(column.name not in places for column in file.columns):
        file.problem = "INVALID_COLUMN_CONFIGURATION"
        return
    file.columns.sort(key=lambda column: places[column.name])
    file.rows = rows


def _read_column(portal: Portal, given: dict[str, Any]) -> Column:
    name = need(given, "columnName")
    of = portal.kind(take(given, "columnObjectTypeId", "") or _old_name(take(given, "columnObjectType", "")))
    column_type = take(given, "columnType", "") or take(given, "idColumnType", "") or "STANDARD"
    if column_type not in _COLUMN_TYPES:
        raise refuse(f"columnType is one of {', '.join(_COLUMN_TYPES)}")
    if take(given, "ignored", False):
        return Column(name, "ignored", of)
    property_name = take(given, "propertyName", "")
    other = take(given, "toColumnObjectTypeId", "")
    if column_type == "FLEXIBLE_ASSOCIATION_LABEL":
        return Column(name, "label", of, other=portal.kind(other))
    if column_type == "ASSOCIATION_KEYS":
        key = property_name or RECORD_ID
        return _refer(portal, Column(name, "reference", of, key, of), given.get("foreignKeyType"))
    if other:
        return _refer(portal, Column(name, "reference", of, other=portal.kind(other)), given.get("foreignKeyType"))
    if given.get("foreignKeyType") is not None:
        key = property_name or RECORD_ID
        return _refer(portal, Column(name, "reference", of, key), given["foreignKeyType"])
    identifies = take(given, "associationIdentifierColumn", False)
    if column_type == "HUBSPOT_OBJECT_ID" or property_name == RECORD_ID:
        return Column(name, "key", of, RECORD_ID, identifies=identifies)
    _check_property(portal, of, property_name, key=column_type == "HUBSPOT_ALTERNATE_ID" or identifies)
    kind = "key" if column_type == "HUBSPOT_ALTERNATE_ID" else "value"
    return Column(name, kind, of, property_name, identifies=identifies)


def _old_name(name: str) -> str:
    """`CONTACT`, as older requests name object types."""
    return name.lower()


def _refer(portal: Portal, column: Column, foreign: Any) -> Column:
    """A reference with its association types; where it does not say what it leads to, the types do."""
    if foreign is None:
        types: tuple[int, ...] = ()
    else:
        pair = portal.associations.pair_of(column.of.name, as_object(foreign).get("associationTypeId"))
        wanted = column.other.name if column.other else (pair[1] if pair else "")
        names: Pair = (column.of.name, wanted)
        if pair is None:
            raise refuse(f"Association type id {foreign.get('associationTypeId')} doesn't exist")
        types = portal.associations.read_types(names, [foreign])
        column = Column(column.name, column.kind, column.of, column.property, portal.kind(wanted))
    key = column.property
    if key and column.other is not None and key != RECORD_ID:
        _check_property(portal, column.other, key, key=True)
    return Column(column.name, column.kind, column.of, key, column.other, types)


def _check_property(portal: Portal, kind: ObjectType, name: str, *, key: bool) -> None:
    """Raises 400 for a property that is not defined, or that does not identify records where it has to."""
    properties = portal.properties[kind.name]
    if name not in properties.defined:
        raise refuse(f'Property "{name}" does not exist', context={"propertyName": [name]})
    if key and name not in properties.identifying and (kind, name) != (COMPANIES, "domain"):
        raise refuse(f'Property "{name}" does not identify {kind.name}', context={"propertyName": [name]})
