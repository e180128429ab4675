"""Fields that an administrator adds to the objects, given in the shape of a describe.

`{"sobject": "Opportunity", "name": "Score__c", "label", "type", "length", "precision", "scale", "nillable",
"createable", "updateable", "unique", "externalId", "caseSensitive", "restrictedPicklist", "picklistValues",
"referenceTo", "relationshipName", "childRelationshipName"}`; the first two and the type are needed. Picklist
values may be plain strings.

| also | makes it |
|---|---|
| `calculatedFormula`, `formulaTreatNullNumberAsZero` (true unless said) | a formula, worked out when read |
| `autoNumber`, `displayFormat` (`"A-{0000}"`), `startingNumber` | a number that counts up |
| `defaultValueFormula`, or `defaultValue` of a checkbox | filled in a new record that does not give it |

Source: Salesforce Metadata API Developer Guide, "CustomField"; Object Reference, "Field Types".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.definitions.objects import EXTERNAL_ID
from connector.sandbox.salesforce.definitions.schema import Choice, Field, Schema, SObject
from connector.sandbox.salesforce.errors import InputError
from connector.sandbox.salesforce.formula import Formula, FormulaError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records.evaluation import compile_for, expect, field_at, kind_of

_LENGTHS = {
    "string": 255, "textarea": 255, "url": 255, "email": 80, "phone": 40, "picklist": 255, "multipicklist": 4099,
    "reference": 18, "boolean": 0, "date": 0, "datetime": 0, "int": 0, "double": 0, "currency": 0, "percent": 0,
}  # fmt: skip
_FLAGS = {
    "nillable": "nillable", "createable": "createable", "updateable": "updateable", "unique": "unique",
    "externalId": "external_id", "caseSensitive": "case_sensitive", "restrictedPicklist": "restricted",
}  # fmt: skip
_SWITCHES = ("calculated", "autoNumber", "formulaTreatNullNumberAsZero")
_KNOWN = {
    "id", "sobject", "name", "label", "type", "length", "precision", "digits", "scale", "picklistValues",
    "referenceTo", "relationshipName", "custom", "calculatedFormula", "defaultValue", "defaultValueFormula",
    "displayFormat", "startingNumber", "childRelationshipName", *_SWITCHES, *_FLAGS,
}  # fmt: skip
_CALCULATED_TYPES = {"string", "boolean", "date", "datetime", "int", "double", "currency", "percent"}
_NUMBERING = re.compile(r"[^{}]*\{0+\}[^{}]*")

Items = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Made:
    """A field that was asked for, before its formulas are read."""

    sobject: str
    field: Field
    formula: str | None
    preset: str | None
    start: int


class CustomFields:
    """The added fields of an org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def add(self, items: Items) -> list[str]:
        """Add fields, or replace those of the same name, and give back their ids. Raises `InputError`."""
        return self._apply([_make(self._org, item) for item in items], [])

    def replace(self, items: Items) -> list[str]:
        """Make these the only added fields: the others go, with their values. The one the connector needs stays."""
        made = [_make(self._org, item) for item in items]
        kept = {(each.sobject, each.field.name) for each in made}
        return self._apply(made, [
            (sobject.name, field.name) for sobject, field in self._added()
            if (sobject.name, field.name) not in kept and field.name != EXTERNAL_ID
        ])  # fmt: skip

    def remove(self, sobject: str, name: str) -> None:
        """Take a field away, with its values. Raises `InputError` while a formula or a rule asks for it."""
        self._apply([], [(sobject, name)])

    def tell(self) -> list[dict[str, Any]]:
        """The added fields, in the shape they are given in."""
        return [{"id": self._id(sobject, field), **_told(sobject, field)} for sobject, field in self._added()]

    def _apply(self, made: list[_Made], gone: list[tuple[str, str]]) -> list[str]:
        fields = _read_formulas(self._org, made, gone)
        for name, field_name in gone:
            self._remove(self._org.schema[name], self._org.schema[name].fields[field_name.lower()])
        for each, (sobject, field) in zip(made, fields, strict=True):
            own = self._org.schema[sobject]
            own.add(field)
            table = self._org.store.table(sobject)
            table.index(field)
            if field.numbering:
                table.counted.setdefault(field.name, each.start - 1)
        return [self._id(self._org.schema[sobject], field) for sobject, field in fields]

    def _added(self) -> list[tuple[SObject, Field]]:
        return [
            (sobject, field) for sobject in self._org.schema for field in sobject.fields.values() if field.custom
        ]

    def _id(self, sobject: SObject, field: Field) -> str:
        """Made from where the field stands, so it is the same whenever it is asked for."""
        place = list(sobject.fields).index(field.name.lower())
        number = [each.name for each in self._org.schema].index(sobject.name) * 10_000 + place
        return ids.make("00N", self._org.organization[3:6], number)

    def _remove(self, sobject: SObject, field: Field) -> None:
        table = self._org.store.table(sobject.name)
        for row in list(table.live.values()):
            if field.name in row:
                table.swap(row["Id"], {name: value for name, value in row.items() if name != field.name})
        table.forget(field.name)
        table.counted.pop(field.name, None)
        self._org.writer.history.forget(sobject.name, field.name)
        self._org.access.closed.discard((sobject.name, field.name))
        sobject.remove(field)


def _told(sobject: SObject, field: Field) -> dict[str, Any]:
    return {
        "sobject": sobject.name, "name": field.name, "label": field.label,
        "type": field.type, "length": field.length, "precision": field.digits, "scale": field.scale,
        **{told: getattr(field, kept) for told, kept in _FLAGS.items()},
        "picklistValues": [
            {"value": each.value, "label": each.label, "active": each.active, "defaultValue": each.default}
            for each in field.choices
        ],
        "referenceTo": list(field.references), "relationshipName": field.relationship,
        "childRelationshipName": field.children,
        "calculated": field.formula is not None, "calculatedFormula": _text(field.formula),
        "formulaTreatNullNumberAsZero": field.zeroes, "defaultValueFormula": _text(field.preset),
        "autoNumber": field.numbering is not None, "displayFormat": field.numbering,
    }  # fmt: skip


def _text(formula: Formula | None) -> str | None:
    return None if formula is None else formula.text


def _read_formulas(org: Org, made: list[_Made], gone: list[tuple[str, str]]) -> list[tuple[str, Field]]:
    """The fields with their formulas, which are read as if the org had all its new fields already, so that a
    change that would break one is refused before anything has changed.
    """
    trial = Schema(org.schema)
    for name, field_name in gone:
        trial[name].remove(trial[name].fields[field_name.lower()])
    for each in made:
        trial[each.sobject].add(each.field)
    fields = []
    for each in made:
        field = replace(
            each.field,
            formula=_compiled(trial, each, each.formula), preset=_compiled(trial, each, each.preset),
        )  # fmt: skip
        trial[each.sobject].add(field)
        fields.append((each.sobject, field))
    check_against(org, trial)
    return fields


def check_against(org: Org, trial: Schema) -> None:
    """Raises `InputError` when a formula or a rule of the org could not be kept with these objects and fields."""
    _check_formulas(trial)
    org.writer.validation.check_against(trial)
    org.writer.duplicates.check_against(trial)


def _compiled(trial: Schema, made: _Made, text: str | None) -> Formula | None:
    if text is None:
        return None
    kind = kind_of(made.field) or ""
    expected = "text" if kind in {"picklist", "multipicklist"} else kind
    try:
        return expect(compile_for(trial, trial[made.sobject], text), expected, made.field.type)
    except FormulaError as error:
        raise InputError(f"{made.field.name}: {error}") from None


def _check_formulas(trial: Schema) -> None:
    """No formula names a field that goes, or comes back to itself."""
    for sobject in trial:
        for field in sobject.fields.values():
            for formula in (field.formula, field.preset):
                if formula is None:
                    continue
                try:
                    compile_for(trial, sobject, formula.text)
                except FormulaError as error:
                    raise InputError(f"{field.name}: {error}") from None
                if formula is field.formula:
                    _refuse_circles(trial, sobject, field)


def _refuse_circles(trial: Schema, sobject: SObject, field: Field) -> None:
    seen: set[tuple[str, str]] = set()
    ahead = [(sobject, field)]
    while ahead:
        at, current = ahead.pop()
        for path in current.formula.paths() if current.formula is not None else ():
            found = field_at(trial, at, path)
            if found is None or (found[0].name, found[1].name) in seen:
                continue
            if found[1] is field:
                raise InputError(f"{field.name}: the formula refers to itself")
            seen.add((found[0].name, found[1].name))
            ahead.append(found)


def _make(org: Org, item: Mapping[str, Any]) -> _Made:
    name, kind = item.get("name"), item.get("type")
    sobject = org.schema.find(str(item.get("sobject")))
    if sobject is None or not sobject.writable:
        raise InputError(f"fields cannot be added to {item.get('sobject')}")
    if not isinstance(name, str) or not name.endswith("__c"):
        raise InputError(f"the name of an added field ends in __c: {name}")
    if not isinstance(kind, str) or kind not in _LENGTHS:
        raise InputError(f"{name}: type is one of {', '.join(_LENGTHS)}")
    unknown = item.keys() - _KNOWN
    if unknown:
        raise InputError(f"{name}: not understood: {', '.join(sorted(unknown))}")
    flags = {kept: item[told] for told, kept in _FLAGS.items() if told in item}
    switches = {each: item[each] for each in _SWITCHES if each in item}
    if any(not isinstance(value, bool) for value in (*flags.values(), *switches.values())):
        raise InputError(f"{name}: {', '.join((*_FLAGS, *_SWITCHES))} are true or false")
    if kind == "boolean":
        flags |= {"nillable": False, "defaulted": True}
    flags |= _nature(name, kind, item)
    numeric = kind in {"int", "double", "currency", "percent"}
    field = Field(
        name, kind, str(item.get("label") or name), length=_whole(item, "length", _LENGTHS[kind]),
        digits=_whole(item, "precision", _whole(item, "digits", 18)) if numeric else 0,
        scale=_whole(item, "scale", 2 if kind == "currency" else 0),
        choices=_choices(name, item.get("picklistValues") or []),
        **_reference(org, sobject, name, kind, item), **flags,
    )  # fmt: skip
    start = _whole(item, "startingNumber", 1)
    return _Made(sobject.name, field, _given_text(item, "calculatedFormula"), _preset(item, kind), start)


def _nature(name: str, kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """What being a formula, or a number that counts up, says about a field."""
    locked = {"createable": False, "updateable": False}
    keyed = bool(item.get("unique") or item.get("externalId"))
    if item.get("autoNumber"):
        shape = item.get("displayFormat") or "{0}"
        if kind != "string" or not isinstance(shape, str) or not _NUMBERING.fullmatch(shape):
            raise InputError(f'{name}: an auto-number is a string with a displayFormat such as "A-{{0000}}"')
        return {**locked, "nillable": False, "defaulted": True, "numbering": shape}
    if item.get("calculatedFormula") is not None:
        if kind not in _CALCULATED_TYPES or keyed or item.get("calculated") is False:
            raise InputError(f"{name}: a formula is one of {', '.join(sorted(_CALCULATED_TYPES))}, and no key")
        return {**locked, "derived": True, "zeroes": item.get("formulaTreatNullNumberAsZero", True)}
    return locked if item.get("calculated") else {}


def _given_text(item: Mapping[str, Any], name: str) -> str | None:
    text = item.get(name)
    if text is not None and not isinstance(text, str):
        raise InputError(f"{item.get('name')}: {name} is a text")
    return text


def _preset(item: Mapping[str, Any], kind: str) -> str | None:
    default = item.get("defaultValue")
    if default is None:
        return _given_text(item, "defaultValueFormula")
    if kind != "boolean" or not isinstance(default, bool):
        raise InputError(f"{item.get('name')}: defaultValue is that of a checkbox; others have defaultValueFormula")
    return "TRUE" if default else None


def _reference(org: Org, sobject: SObject, name: str, kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    if kind != "reference":
        return {}
    targets = item.get("referenceTo") or []
    target = org.schema.find(str(targets[0])) if isinstance(targets, list) and len(targets) == 1 else None
    if target is None or target.prefix is None:
        raise InputError(f"{name}: referenceTo names one object")
    children = item.get("childRelationshipName") or f"{name[:-3]}_{sobject.plural.replace(' ', '_')}__r"
    taken = [
        field.name for child, field in org.schema.children(target.name)
        if field.children == children and (child.name, field.name) != (sobject.name, name)
    ]  # fmt: skip
    if not isinstance(children, str) or taken:
        raise InputError(f"{name}: {target.name} has children called {children} already")
    relationship = _given_text(item, "relationshipName") or f"{name[:-1]}r"
    return {"references": (target.name,), "relationship": relationship, "children": children}


def _whole(item: Mapping[str, Any], name: str, default: int) -> int:
    value = item.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{item.get('name')}: {name} is a whole number")
    return value


def _choices(name: str, given: Any) -> tuple[Choice, ...]:
    if not isinstance(given, list):
        raise InputError(f"{name}: picklistValues is a list")
    return tuple(_choice(name, each) for each in given)


def _choice(name: str, given: Any) -> Choice:
    if isinstance(given, str):
        return Choice(given, given)
    if not isinstance(given, dict) or not isinstance(given.get("value"), str):
        raise InputError(f"{name}: each of picklistValues is a string, or an object with a value")
    value = given["value"]
    return Choice(
        value, str(given.get("label") or value), given.get("active") is not False, bool(given.get("defaultValue"))
    )
