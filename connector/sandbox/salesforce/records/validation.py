"""Validation rules: conditions under which a record is not saved, written by an administrator as formulas.

`{"object": "Opportunity", "fullName": "Amount_needed", "active": true, "errorConditionFormula": "ISBLANK(Amount)",
"errorMessage": "Give an amount", "errorDisplayField": "Amount"}`, the names of the Metadata API. All rules of an
object are asked when a record is created or updated, and the refusal tells of each whose condition is true, in
their order. A blank number is blank in a condition, and one that cannot be worked out is not met.

Source: Salesforce Metadata API Developer Guide, "ValidationRule"; Salesforce Help, "Validation Rules".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.definitions.schema import Schema, SObject
from connector.sandbox.salesforce.errors import ApiError, InputError
from connector.sandbox.salesforce.formula import Formula, FormulaError
from connector.sandbox.salesforce.records.evaluation import compile_for, expect
from connector.sandbox.salesforce.records.formulas import fields_of
from connector.sandbox.salesforce.records.store import Row, Store

_NEEDED = ("object", "fullName", "errorConditionFormula", "errorMessage")
_KNOWN = {"id", "active", "errorDisplayField", "description", *_NEEDED}
MAX_MESSAGE = 255
_CODE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"

Items = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """One rule. `field` is where its message is shown, None for the top of the page."""

    id: str
    sobject: str
    name: str
    active: bool
    condition: Formula
    message: str
    field: str | None


class BrokenRulesError(ApiError):
    """What every rule that a record breaks has to say; the first speaks where there is room for one only."""

    def __init__(self, rules: list[ValidationRule]) -> None:
        errors = [
            ApiError(_CODE, rule.message, [] if rule.field is None else [rule.field]) for rule in rules
        ]  # fmt: skip
        super().__init__(_CODE, errors[0].message, errors[0].fields)
        self._errors = errors

    def body(self) -> list[dict[str, Any]]:
        return [entry for error in self._errors for entry in error.body()]

    def results(self) -> list[dict[str, Any]]:
        return [error.result() for error in self._errors]


class Validation:
    """The rules of an org, by object and name, in the order they were made."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rules: dict[tuple[str, str], ValidationRule] = {}
        self._issued = 0

    def tell(self) -> list[dict[str, Any]]:
        """The rules, in the shape they are given in, each with its id."""
        return [
            {
                "id": rule.id, "object": rule.sobject, "fullName": rule.name, "active": rule.active,
                "errorConditionFormula": rule.condition.text, "errorMessage": rule.message,
                "errorDisplayField": rule.field,
            }
            for rule in self._rules.values()
        ]  # fmt: skip

    def add(self, items: Items) -> list[str]:
        """Add rules, or replace those of the same object and name, and give back their ids. Raises `InputError`."""
        made = self._make(items)
        self._rules |= made
        return [rule.id for rule in made.values()]

    def replace(self, items: Items) -> list[str]:
        """Make these the only rules. Raises `InputError`."""
        self._rules = self._make(items)
        return [rule.id for rule in self._rules.values()]

    def check(self, sobject: SObject, row: Row, before: Row | None) -> None:
        """Hold a row that is about to be saved against the rules of its object.

        Raises FIELD_CUSTOM_VALIDATION_EXCEPTION with the message and field of each rule it breaks.
        """
        rules = [rule for rule in self._rules.values() if rule.sobject == sobject.name and rule.active]
        if not rules:
            return
        record = fields_of(self._store, sobject).record(row, before, is_new=before is None)
        broken = [rule for rule in rules if rule.condition.evaluate(record)]
        if broken:
            raise BrokenRulesError(broken)

    def check_against(self, schema: Schema) -> None:
        """Raises `InputError` when a rule could not be kept with these objects and fields."""
        for rule in self._rules.values():
            _compile(schema, schema.find(rule.sobject), rule.name, rule.condition.text)
            _display_field(schema.find(rule.sobject), rule.name, rule.field)

    def _make(self, items: Items) -> dict[tuple[str, str], ValidationRule]:
        made: dict[tuple[str, str], ValidationRule] = {}
        issued = self._issued
        for item in items:
            given = _checked(item)
            name = given["fullName"]
            sobject = self._store.schema.find(given["object"])
            condition = _compile(self._store.schema, sobject, name, given["errorConditionFormula"])
            field = _display_field(sobject, name, given.get("errorDisplayField"))
            key = (sobject.name if sobject else "", name)
            known = self._rules.get(key)
            issued += known is None
            record = ids.make("03d", "000", issued) if known is None else known.id
            made[key] = ValidationRule(
                record, key[0], name, given.get("active", True), condition, given["errorMessage"], field
            )
        self._issued = issued
        return made


def _checked(item: Mapping[str, Any]) -> Mapping[str, Any]:
    name = item.get("fullName")
    if any(not isinstance(item.get(each), str) or not item[each] for each in _NEEDED):
        raise InputError(f"a validation rule needs {', '.join(_NEEDED)}")
    if item.keys() - _KNOWN:
        raise InputError(f"{name}: not understood: {', '.join(sorted(item.keys() - _KNOWN))}")
    if not isinstance(item.get("active", True), bool):
        raise InputError(f"{name}: active is true or false")
    if len(item["errorMessage"]) > MAX_MESSAGE:
        raise InputError(f"{name}: errorMessage has at most {MAX_MESSAGE} characters")
    return item


def _compile(schema: Schema, sobject: SObject | None, name: str, text: str) -> Formula:
    if sobject is None or not sobject.writable:
        raise InputError(f"{name}: object is one whose records can be changed")
    try:
        return expect(compile_for(schema, sobject, text, rule=True), "boolean", "true or false")
    except FormulaError as error:
        raise InputError(f"{name}: {error}") from None


def _display_field(sobject: SObject | None, name: str, given: Any) -> str | None:
    if given is None or sobject is None:
        return None
    found = sobject.find(given) if isinstance(given, str) else None
    if found is None:
        raise InputError(f"{name}: errorDisplayField is a field of {sobject.name}")
    return found.name
