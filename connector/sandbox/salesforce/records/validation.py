"""Validation rules: conditions under which a record is not saved, written by an administrator as formulas.

`{"object": "Opportunity", "fullName": "Amount_needed", "active": true, "errorConditionFormula": "ISBLANK(Amount)",
"errorMessage": "Give an amount", "errorDisplayField": "Amount"}`, the names of the Metadata API. All rules of an
object are asked when a record is created or updated, and the refusal tells of each whose condition is true, in
their order. A blank number is blank in a condition, and one that cannot be worked out is not met.

Source: Salesforce Metadata API Developer Guide, "ValidationRule"; Salesforce Help, "Validation Rules".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.definitions.schema import Schema, SObject
from connector.sandbox.salesforce.errors import ApiError, InputError
from connector.sandbox.salesforce.formula import Formula, FormulaError
from connector.sandbox.salesforce.records.evaluation import compile_for, expect
from connector.sandbox.salesforce.records.formulas import fields_of
from connector.sandbox.salesforce.records.rulebook import NamedRule, Rulebook
from connector.sandbox.salesforce.records.store import Row

_NEEDED = ("object", "fullName", "errorConditionFormula", "errorMessage")
_KNOWN = {"id", "active", "errorDisplayField", "description", *_NEEDED}
MAX_MESSAGE = 255
_CODE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


@dataclass(frozen=True, slots=True)
class ValidationRule(NamedRule):
    """One rule. `field` is where its message is shown, None for the top of the page."""

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


class Validation(Rulebook[ValidationRule]):
    """The validation rules of an org."""

    prefix = "03d"

    def tell(self) -> list[dict[str, Any]]:
        return [
            {
                "id": rule.id, "object": rule.sobject, "fullName": rule.name, "active": rule.active,
                "errorConditionFormula": rule.condition.text, "errorMessage": rule.message,
                "errorDisplayField": rule.field,
            }
            for rule in self._rules.values()
        ]  # fmt: skip

    def check(self, sobject: SObject, row: Row, before: Row | None) -> None:
        """Hold a row that is about to be saved against the rules of its object.

        Raises FIELD_CUSTOM_VALIDATION_EXCEPTION with the message and field of each rule it breaks.
        """
        rules = self._of(sobject.name)
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

    def _read(self, item: Mapping[str, Any]) -> ValidationRule:
        given = _checked(item)
        name = given["fullName"]
        sobject = self._store.schema.find(given["object"])
        condition = _compile(self._store.schema, sobject, name, given["errorConditionFormula"])
        field = _display_field(sobject, name, given.get("errorDisplayField"))
        on = sobject.name if sobject else ""
        return ValidationRule("", on, name, given.get("active", True), condition, given["errorMessage"], field)


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
