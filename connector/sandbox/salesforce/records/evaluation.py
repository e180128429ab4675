"""Formulas over the rows of an org: which fields they may name, how a stored value looks to them, and back.

A formula sees a percent field as a fraction, a blank text as `""`, and a blank number as zero where the field
asks for that (`formulaTreatNullNumberAsZero`). It sees whatever the org holds, whoever is signed in. Salesforce
Help, "Build a Formula Field", "Tips for Working with Percent Fields in Formulas".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connector.sandbox.salesforce.definitions.schema import NUMBER_TYPES, Field, Schema, SObject
from connector.sandbox.salesforce.formula import Formula, FormulaError, Path, Value, compile_formula
from connector.sandbox.salesforce.records.store import Row, Store, write_moment

USER = "$user"

_KINDS = {
    "boolean": "boolean", "date": "date", "datetime": "datetime", "picklist": "picklist",
    "multipicklist": "multipicklist", **dict.fromkeys(NUMBER_TYPES, "number"),
}  # fmt: skip
_NO_KIND = {"address", "anyType"}
_TOO_LARGE = Decimal(10) ** 18


def field_at(schema: Schema, sobject: SObject, path: Path) -> tuple[SObject, Field] | None:
    """The field a path leads to, with its object; None when it leads nowhere."""
    if path[0].lower() == USER:
        sobject, path = schema["User"], path[1:]
    for name in path[:-1]:
        reference = sobject.related(name)
        if reference is None:
            return None
        sobject = schema[reference.references[0]]
    found = sobject.find(path[-1]) if path else None
    return None if found is None else (sobject, found)


def kind_of(field: Field) -> str | None:
    """What a formula takes a field for; None for those that none may name."""
    return None if field.type in _NO_KIND else _KINDS.get(field.type, "text")


def compile_for(schema: Schema, sobject: SObject, text: str, *, rule: bool = False) -> Formula:
    """A formula about records of an object. Raises `FormulaError`."""

    def find(path: Path) -> str | None:
        found = field_at(schema, sobject, path)
        return None if found is None else kind_of(found[1])

    return compile_formula(text, find, rule=rule)


def expect(formula: Formula, kind: str, shown: str) -> Formula:
    """The formula, when its result is of the kind. Raises `FormulaError` otherwise."""
    if formula.kind not in {kind, "null"}:
        message = f"Formula result is data type ({formula.kind}), incompatible with expected data type ({shown})."
        raise FormulaError(message, 0)
    return formula


class Fields:
    """Reads the values that formulas about one object name. Lives no longer than a request."""

    def __init__(
        self, store: Store, sobject: SObject, getter: Callable[[Store, SObject, Field], Callable[[Row], Any]],
        *, zeroes: bool,
    ) -> None:  # fmt: skip
        self.store = store
        self._sobject = sobject
        self._getter = getter
        self._zeroes = zeroes
        self._known: dict[Path, Callable[[Row], Value]] = {}

    def record(self, row: Row, before: Row | None = None, *, is_new: bool = False) -> Record:
        """A row as a formula sees it; `before` is what it was before a change."""
        return Record(self, row, row if before is None else before, is_new)

    def read(self, path: Path, row: Row) -> Value:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._follow(path)
        return known(row)

    def _follow(self, path: Path) -> Callable[[Row], Value]:
        store, sobject = self.store, self._sobject
        steps: list[Callable[[Row], Row | None]] = []
        if path[0].lower() == USER:
            sobject, path = store.schema["User"], path[1:]
            users, user = store.table("User"), store.user
            steps.append(lambda _: users.get(user, deleted=True))
        for name in path[:-1]:
            reference = sobject.relations[name.lower()]
            steps.append(self._step(sobject, reference))
            sobject = store.schema[reference.references[0]]
        field = sobject.fields[path[-1].lower()]
        read = self._getter(store, sobject, field)
        zeroes = self._zeroes

        def value(row: Row) -> Value:
            found: Row | None = row
            for step in steps:
                found = None if found is None else step(found)
            return _seen(field, None if found is None else read(found), zeroes=zeroes)

        return value

    def _step(self, sobject: SObject, reference: Field) -> Callable[[Row], Row | None]:
        read, table = self._getter(self.store, sobject, reference), self.store.table(reference.references[0])
        return lambda row: table.get(read(row) or "", deleted=True)


@dataclass(frozen=True, slots=True)
class Record:
    """One row, before and after a change."""

    fields: Fields
    row: Row
    before: Row
    is_new: bool

    @property
    def now(self) -> datetime:
        return self.fields.store.clock.now()

    def read(self, path: Path) -> Value:
        return self.fields.read(path, self.row)

    def prior(self, path: Path) -> Value:
        return self.fields.read(path, self.before)


def _seen(field: Field, value: Any, *, zeroes: bool) -> Value:
    kind = kind_of(field)
    if kind == "number":
        number = Decimal(0) if value is None and zeroes else None if value is None else Decimal(str(value))
        return number / 100 if number is not None and field.type == "percent" else number
    if kind == "boolean":
        return bool(value)
    if kind in {"date", "datetime"}:
        parse = date.fromisoformat if kind == "date" else datetime.fromisoformat
        return None if value is None else parse(value)
    return "" if value is None else str(value)


def stored(field: Field, value: Value) -> Any:
    """The result of a formula as the field's value, as it would be stored."""
    if field.type == "boolean":
        return bool(value)
    if isinstance(value, Decimal):
        number = value * 100 if field.type == "percent" else value
        if abs(number) >= _TOO_LARGE:
            return None
        if field.type == "int":
            return int(number.to_integral_value(ROUND_HALF_UP))
        return float(number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP))
    if isinstance(value, datetime):
        return write_moment(value)
    return value.isoformat() if isinstance(value, date) else value
