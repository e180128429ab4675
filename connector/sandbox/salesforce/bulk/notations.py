"""JSON and XML as the older Bulk API reads and writes them.

Jobs are told in the notation of the request; batches and results in that of the job, where CSV goes with XML for
everything but records. In XML everything is in one namespace; a list of objects has an element for each. Source:
Salesforce "Bulk API 2.0 and Bulk API Developer Guide", "JobInfo", "BatchInfo", "Get Batch Results" and "Prepare XML
and JSON Files".
"""

from __future__ import annotations

# Parsing what a test client sends to a pretend org on this machine; entity tricks would only hurt itself.
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

import orjson

from connector.sandbox.salesforce.bulk.tables import SpoiltError
from connector.sandbox.wire import Response

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

_NIL = f"{{{INSTANCE}}}nil"


def read_json(content: bytes) -> list[dict[str, Any]]:
    """The records of a JSON upload. Raises `SpoiltError`."""
    try:
        records = orjson.loads(content)
    except ValueError as error:
        raise SpoiltError(f"InvalidBatch : Failed to parse JSON: {error}") from None
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise SpoiltError("InvalidBatch : Failed to parse JSON: a list of records is expected")
    return records


def read_xml(content: bytes) -> list[dict[str, Any]]:
    """The records of an XML upload, `<sObjects><sObject>…`. Raises `SpoiltError`."""
    root = _root(content)
    if root is None or _name(root) != "sObjects":
        raise SpoiltError("InvalidBatch : Failed to parse XML: sObjects are expected")
    return [_fields(each) for each in root]


def read_elements(content: bytes) -> dict[str, Any] | None:
    """The elements below the root as texts, None for what is not XML."""
    root = _root(content)
    return None if root is None else {_name(each): (each.text or "").strip() for each in root}


def answer_json(value: Any, status: int = 200) -> Response:
    """The content type is without a character set: clients compare it as a whole."""
    return Response(status, orjson.dumps(value), {"Content-Type": "application/json"})


def answer_xml(name: str, value: Any, status: int = 200) -> Response:
    """An element of the API's own namespace with everything in it."""
    return _document(f'<{name} xmlns="{NAMESPACE}">', _inside(value), name, status)


def answer_records(records: Iterable[dict[str, Any]]) -> Response:
    """The rows of a query as XML, told by `xsi:type` to be objects."""
    inner = "".join(f'<records xsi:type="sObject">{_record(each)}</records>' for each in records)
    head = f'<queryResult xmlns="{NAMESPACE}" xmlns:xsi="{INSTANCE}">'
    return _document(head, inner, "queryResult", 200)


def _document(head: str, inner: str, name: str, status: int) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>{head}{inner}</{name}>'
    return Response(status, text.encode(), {"Content-Type": "application/xml; charset=UTF-8"})


def _inside(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(_elements(name, each) for name, each in value.items())
    return escape(_text(value))


def _elements(name: str, value: Any) -> str:
    if value is None:
        return ""
    several = value if isinstance(value, list) else [value]
    return "".join(f"<{name}>{_inside(each)}</{name}>" for each in several)


def _record(record: Mapping[str, Any]) -> str:
    return f"<type>{record['attributes']['type']}</type>" + "".join(_cells(record))


def _cells(record: Mapping[str, Any]) -> Iterator[str]:
    for name, value in record.items():
        if name == "attributes":
            continue
        if value is None:
            yield f'<{name} xsi:nil="true"/>'
        elif isinstance(value, Mapping):
            yield f'<{name} xsi:type="sObject">{_record(value)}</{name}>'
        else:
            yield f"<{name}>{escape(_text(value))}</{name}>"


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _root(content: bytes) -> ET.Element | None:
    try:
        return ET.fromstring(content)  # noqa: S314  # see the import
    except (ET.ParseError, LookupError, ValueError):  # the latter two for an encoding that is none
        return None


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _fields(record: ET.Element) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for each in record:
        if each.get(_NIL) == "true":
            fields[_name(each)] = None
        elif len(each):
            fields[_name(each)] = _fields(each[0])
        elif each.text:
            fields[_name(each)] = each.text
    return fields
