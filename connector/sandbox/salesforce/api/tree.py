"""`/composite/tree/{object}`: records with the records below them, created in one call, all or none.

Source: Salesforce REST API Developer Guide, "sObject Tree": at most 200 records, five levels and five objects; each
record has a `referenceId` of its own; of a tree that fails, only the records at fault are answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.api.calls import Call
from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import ApiError, DeserializationError
from connector.sandbox.wire import Response

MAX_RECORDS = 200
MAX_LEVELS = 5
MAX_OBJECTS = 5


@dataclass(frozen=True, slots=True)
class _Node:
    """One record: what it is called in the answer, and how it hangs below its parent, if it has one."""

    sobject: SObject
    reference: str
    fields: Mapping[str, Any]
    parent: str | None = None
    link: Field | None = None


def create(call: Call) -> Response:
    root = call.org.readable(call.arguments[0])
    nodes = list(_walk(call, root, call.object_body().get("records"), 1))
    _check(nodes)
    ids: dict[str, str] = {}
    with call.org.store.transaction() as transaction:
        for node in nodes:
            link = {} if node.link is None or node.parent is None else {node.link.name: ids[node.parent]}
            try:
                ids[node.reference] = call.org.writer.create(node.sobject, {**node.fields, **link})
            except ApiError as error:
                transaction.roll_back()
                result = {"referenceId": node.reference, "errors": error.results()}
                return Response.json({"hasErrors": True, "results": [result]}, 400)
    results = [{"referenceId": reference, "id": record} for reference, record in ids.items()]
    return Response.json({"hasErrors": False, "results": results}, 201)


def _walk(
    call: Call, sobject: SObject, records: Any, level: int, parent: str | None = None, link: Field | None = None
) -> Iterator[_Node]:
    """The records in the order in which they are created: each before those below it."""
    if not isinstance(records, list) or not records or not all(isinstance(each, dict) for each in records):
        raise DeserializationError("JSON_PARSER_ERROR", "records is not a list of objects")
    if level > MAX_LEVELS:
        raise ApiError("INVALID_INPUT", f"a tree has at most {MAX_LEVELS} levels")
    for record in records:
        attributes = record.get("attributes")
        attributes = attributes if isinstance(attributes, dict) else {}
        reference, named = attributes.get("referenceId"), attributes.get("type")
        if not isinstance(reference, str) or not isinstance(named, str):
            raise ApiError("INVALID_INPUT", "each record needs attributes with a type and a referenceId")
        if call.org.schema.find(named) is not sobject:
            raise ApiError("INVALID_INPUT", f"{reference}: the type here is {sobject.name}, not {named}")
        below = {name: value for name, value in record.items() if _is_tree(value)}
        fields = {name: value for name, value in record.items() if name not in below and name != "attributes"}
        yield _Node(sobject, reference, fields, parent, link)
        for name, inner in below.items():
            child, up = _child(call, sobject, name)
            yield from _walk(call, child, inner["records"], level + 1, reference, up)


def _is_tree(value: Any) -> bool:
    return isinstance(value, dict) and "records" in value


def _child(call: Call, parent: SObject, relationship: str) -> tuple[SObject, Field]:
    for child, reference in call.org.schema.children(parent.name):
        if (reference.children or "").lower() == relationship.lower() and call.org.access.may_read(child.name):
            return child, reference
    message = f"No such column '{relationship}' on sobject of type {parent.name}"
    raise DeserializationError("INVALID_FIELD", message)


def _check(nodes: list[_Node]) -> None:
    if len({node.reference for node in nodes}) < len(nodes):
        raise ApiError("INVALID_INPUT", "each referenceId may be used only once")
    if len(nodes) > MAX_RECORDS:
        raise ApiError("INVALID_INPUT", f"a request creates at most {MAX_RECORDS} records")
    if len({node.sobject.name for node in nodes}) > MAX_OBJECTS:
        raise ApiError("INVALID_INPUT", f"a request has at most {MAX_OBJECTS} objects")
