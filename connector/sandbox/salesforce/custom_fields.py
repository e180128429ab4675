"""Fields that an administrator adds to the objects, given in the shape of a describe.

`{"sobject": "Opportunity", "name": "Score__c", "label", "type", "length", "precision", "scale", "nillable",
"createable", "updateable", "unique", "externalId", "caseSensitive", "restrictedPicklist", "picklistValues",
"referenceTo", "relationshipName"}`; the first two and the type are needed. Picklist values may be plain strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.errors import InputError
from connector.sandbox.salesforce.objects import EXTERNAL_ID
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.schema import Choice, Field, SObject

_LENGTHS = {
    "string": 255, "textarea": 255, "url": 255, "email": 80, "phone": 40, "picklist": 255, "multipicklist": 4099,
    "reference": 18, "boolean": 0, "date": 0, "datetime": 0, "int": 0, "double": 0, "currency": 0, "percent": 0,
}  # fmt: skip
_FLAGS = {
    "nillable": "nillable", "createable": "createable", "updateable": "updateable", "unique": "unique",
    "externalId": "external_id", "caseSensitive": "case_sensitive", "restrictedPicklist": "restricted",
}  # fmt: skip
_KNOWN = {
    "sobject", "name", "label", "type", "length", "precision", "digits", "scale", "picklistValues", "referenceTo",
    "relationshipName", "custom", "calculated", *_FLAGS,
}  # fmt: skip

Items = Iterable[Mapping[str, Any]]


def add(org: Org, items: Items) -> list[str]:
    """Add fields, or replace those of the same name, and give back their ids. Raises `InputError`."""
    made = [_make(org, item) for item in items]
    for sobject, field in made:
        sobject.add(field)
        org.store.table(sobject.name).index(field)
    return [_id(org, sobject, field) for sobject, field in made]


def replace(org: Org, items: Items) -> list[str]:
    """Make these the only added fields: the others go, with their values. The one the connector needs stays."""
    made = [_make(org, item) for item in items]
    kept = {(sobject.name, field.name) for sobject, field in made}
    for sobject, field in _added(org):
        if (sobject.name, field.name) not in kept and field.name != EXTERNAL_ID:
            _remove(org, sobject, field)
    for sobject, field in made:
        sobject.add(field)
        org.store.table(sobject.name).index(field)
    return [_id(org, sobject, field) for sobject, field in made]


def tell(org: Org) -> list[dict[str, Any]]:
    """The added fields, in the shape they are given in."""
    return [
        {
            "id": _id(org, sobject, field), "sobject": sobject.name, "name": field.name, "label": field.label,
            "type": field.type, "length": field.length, "precision": field.digits, "scale": field.scale,
            **{told: getattr(field, kept) for told, kept in _FLAGS.items()},
            "picklistValues": [
                {"value": each.value, "label": each.label, "active": each.active, "defaultValue": each.default}
                for each in field.choices
            ],
            "referenceTo": list(field.references), "relationshipName": field.relationship,
        }
        for sobject, field in _added(org)
    ]  # fmt: skip


def _added(org: Org) -> list[tuple[SObject, Field]]:
    return [(sobject, field) for sobject in org.schema for field in sobject.fields.values() if field.custom]


def _id(org: Org, sobject: SObject, field: Field) -> str:
    """Made from where the field stands, so it is the same whenever it is asked for."""
    place = list(sobject.fields).index(field.name.lower())
    return ids.make(
        "00N", org.organization[3:6], [each.name for each in org.schema].index(sobject.name) * 10_000 + place
    )


def _remove(org: Org, sobject: SObject, field: Field) -> None:
    table = org.store.table(sobject.name)
    for row in list(table.live.values()):
        if field.name in row:
            table.swap(row["Id"], {name: value for name, value in row.items() if name != field.name})
    table.by_key.pop(field.name, None)
    sobject.remove(field)


def _make(org: Org, item: Mapping[str, Any]) -> tuple[SObject, Field]:
    name, kind = item.get("name"), item.get("type")
    sobject = org.schema.find(str(item.get("sobject")))
    if sobject is None or not sobject.writable:
        raise InputError(f"fields cannot be added to {item.get('sobject')}")
    if not isinstance(name, str) or not name.endswith("__c"):
        raise InputError(f"the name of an added field ends in __c: {name}")
    if kind not in _LENGTHS:
        raise InputError(f"{name}: type is one of {', '.join(_LENGTHS)}")
    unknown = item.keys() - _KNOWN
    if unknown:
        raise InputError(f"{name}: not understood: {', '.join(sorted(unknown))}")
    flags = {kept: item[told] for told, kept in _FLAGS.items() if told in item}
    if any(not isinstance(value, bool) for value in flags.values()):
        raise InputError(f"{name}: {', '.join(_FLAGS)} are true or false")
    if kind == "boolean":
        flags |= {"nillable": False, "defaulted": True}
    if item.get("calculated"):
        flags |= {"createable": False, "updateable": False}
    numeric = kind in {"int", "double", "currency", "percent"}
    field = Field(
        name, kind, str(item.get("label") or name), length=_whole(item, "length", _LENGTHS[kind]),
        digits=_whole(item, "precision", _whole(item, "digits", 18)) if numeric else 0,
        scale=_whole(item, "scale", 2 if kind == "currency" else 0),
        choices=tuple(_choice(name, each) for each in item.get("picklistValues") or ()),
        **_reference(org, name, kind, item), **flags,
    )  # fmt: skip
    return sobject, field


def _reference(org: Org, name: str, kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    if kind != "reference":
        return {}
    targets = item.get("referenceTo") or []
    target = org.schema.find(str(targets[0])) if isinstance(targets, list) and len(targets) == 1 else None
    if target is None:
        raise InputError(f"{name}: referenceTo names one object")
    return {"references": (target.name,), "relationship": item.get("relationshipName") or f"{name[:-1]}r"}


def _whole(item: Mapping[str, Any], name: str, default: int) -> int:
    value = item.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{item.get('name')}: {name} is a whole number")
    return value


def _choice(name: str, given: Any) -> Choice:
    if isinstance(given, str):
        return Choice(given, given)
    if not isinstance(given, dict) or not isinstance(given.get("value"), str):
        raise InputError(f"{name}: each of picklistValues is a string, or an object with a value")
    value = given["value"]
    return Choice(
        value, str(given.get("label") or value), given.get("active") is not False, bool(given.get("defaultValue"))
    )
