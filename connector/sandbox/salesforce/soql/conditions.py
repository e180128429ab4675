"""WHERE and HAVING as functions: compiled once for a query, called once for a row.

| written | text | number, date, date-time | checkbox |
|---|---|---|---|
| `=` `!=` | without case; `''` is null | equal | equal |
| `<` … `>=` | without case | null never fits | refused |
| `LIKE` | `%` and `_`, without case | refused | refused |

Ids are compared by their 18 characters, with case, and also by order: clients page by them (Bulk API Developer
Guide, "PK Chunking Header"). `!=`, `NOT IN`, `EXCLUDES` and NOT fit null values too: a condition holds or does not,
there is no third value. A date literal is a period: `=` is inside it, `<` before its start, `>` after its end. An
amount with an ISO code is compared by its worth. Source: Salesforce "SOQL and SOSL Reference", "Comparison
Operators", "Condition Expression Syntax (WHERE Clause)", "Querying Currency Fields in Multi-Currency Orgs".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.definitions.schema import NUMBER_TYPES, Field
from connector.sandbox.salesforce.records.formulas import Getter
from connector.sandbox.salesforce.soql.currencies import Rates
from connector.sandbox.salesforce.soql.periods import period
from connector.sandbox.salesforce.soql.resolve import Column, Context
from connector.sandbox.salesforce.soql.syntax import (
    Among,
    AmongRows,
    Chain,
    Compare,
    Condition,
    Kind,
    Literal,
    Not,
    Operand,
    Query,
)

Predicate = Callable[[Any], bool]
Resolver = Callable[[Operand], Column]
SubQuery = Callable[[Column, Query], set[str]]

_ID_TYPES = frozenset({"id", "reference"})
_LITERALS_OF = {"boolean": {Kind.BOOLEAN}, "date": {Kind.DATE, Kind.PERIOD}, "datetime": {Kind.MOMENT, Kind.PERIOD}}
_XSD = {"datetime": "dateTime", "currency": "double", "percent": "double", "reference": "id"}


class Compiler:
    """Turns conditions into predicates. `resolve` tells what an operand is, `run` answers a semi-join."""

    def __init__(self, context: Context, resolve: Resolver, run: SubQuery) -> None:
        self._context = context
        self._resolve = resolve
        self._run = run
        self._meant: dict[int, set[str]] = {}

    def compile(self, condition: Condition) -> Predicate:
        if isinstance(condition, Chain):
            return _joined(condition.operator, [self.compile(part) for part in condition.parts])
        if isinstance(condition, Not):
            inner = self.compile(condition.inner)
            return lambda row: not inner(row)
        column = self._resolve(condition.left)
        if isinstance(condition, Compare):
            return self._compare(column, condition)
        if isinstance(condition, AmongRows):
            return _among(column.read, self.rows_meant(column, condition), condition.negated)
        if condition.operator == "INCLUDES":
            return self._includes(column, condition)
        if any(literal.kind is Kind.MONEY for literal in condition.values):
            return self._among_amounts(column, condition)
        values = {self.value(column.field, literal) for literal in condition.values}
        return _among(_folding(column), values, condition.negated)

    def rows_meant(self, column: Column, condition: AmongRows) -> set[str]:
        """The ids a semi-join compares with."""
        if column.field.type not in _ID_TYPES:
            message = f"The left operand of a semi join must be an id or reference field: {column.field.name}"
            raise self._context.error("MALFORMED_QUERY", condition.query.pos, message)
        if id(condition) not in self._meant:
            self._meant[id(condition)] = self._run(column, condition.query)
        return self._meant[id(condition)]

    def value(self, field: Field, literal: Literal) -> Any:
        """What a literal is compared as with this field; null is None. Raises when the types do not fit."""
        if literal.kind is Kind.NULL:
            return None
        self._check_kind(field, literal)
        if literal.kind is Kind.PERIOD:
            message = f"date literals are not accepted here: {literal.text}"
            raise self._context.error("MALFORMED_QUERY", literal.pos, message)
        if field.type in NUMBER_TYPES:
            return float(literal.text)
        if field.type == "boolean":
            return literal.text == "TRUE"
        if field.type == "date":
            return self._calendar(lambda: datetime.fromisoformat(literal.text).date().isoformat(), literal)
        if field.type == "datetime":
            return self._calendar(lambda: _write_exactly(datetime.fromisoformat(literal.text.upper())), literal)
        text = re.sub(r"\\(.)", r"\1", literal.text)
        if field.type in _ID_TYPES:
            return self._id(text, literal)
        return (text if field.case_sensitive else text.casefold()) or None

    def _compare(self, column: Column, condition: Compare) -> Predicate:
        field, operator, literal = column.field, condition.operator, condition.right
        if operator == "LIKE":
            return self._like(column, literal)
        if literal.kind is Kind.MONEY:
            return _compared(self._worth(column, literal), operator, self._amount(literal))
        if literal.kind is Kind.PERIOD:
            self._check_kind(field, literal)
            if column.computed:
                message = f"a date literal cannot be compared with a date function: {literal.text}"
                raise self._context.error("MALFORMED_QUERY", literal.pos, message)
            return _within(column.read, operator, *self._bounds(field, literal))
        bound = self.value(field, literal)
        if operator not in {"=", "!="} and (bound is None or field.type == "boolean"):
            message = f"invalid operator on {_XSD.get(field.type, field.type)} field"
            raise self._context.error("INVALID_FIELD", literal.pos, message)
        return _compared(_folding(column), operator, bound)

    def _among_amounts(self, column: Column, condition: Among) -> Predicate:
        other = next((each for each in condition.values if each.kind is not Kind.MONEY), None)
        if other is not None:
            message = "amounts with and without an ISO code cannot be mixed"
            raise self._context.error("MALFORMED_QUERY", other.pos, message)
        values = {self._amount(literal) for literal in condition.values}
        return _among(self._worth(column, condition.values[0]), values, condition.negated)

    def _amount(self, literal: Literal) -> float | None:
        """What an amount with an ISO code is in the corporate currency."""
        rates, iso = Rates(self._context.store), literal.text[:3]
        if iso not in rates.active:
            message = f"{iso} is not the code of an active currency"
            raise self._context.error("MALFORMED_QUERY", literal.pos, message)
        return rates.in_corporate(float(literal.text[3:]), iso)

    def _worth(self, column: Column, literal: Literal) -> Getter:
        """How the amounts of a column are read in the corporate currency."""
        rates, read, iso = Rates(self._context.store), column.read, column.iso
        if iso is None:
            message = f"an amount with an ISO code cannot be compared with field '{column.field.name}'"
            raise self._context.error("INVALID_FIELD", literal.pos, message)
        return lambda row: rates.in_corporate(read(row), iso(row))

    def _like(self, column: Column, literal: Literal) -> Predicate:
        field = column.field
        if field.type in NUMBER_TYPES | _ID_TYPES | {"boolean", "date", "datetime"}:
            message = f"invalid operator on {_XSD.get(field.type, field.type)} field"
            raise self._context.error("INVALID_FIELD", literal.pos, message)
        self._check_kind(field, literal)
        fits = like(literal.text).fullmatch
        read = column.read

        def predicate(row: Any) -> bool:
            value = read(row)
            return value is not None and fits(value) is not None

        return predicate

    def _includes(self, column: Column, condition: Among) -> Predicate:
        if column.field.type != "multipicklist":
            message = "includes and excludes are only valid on multi-select picklist fields"
            raise self._context.error("INVALID_FIELD", condition.values[0].pos, message)
        wanted = [
            frozenset(part.strip() for part in (self.value(column.field, literal) or "").split(";"))
            for literal in condition.values
        ]
        read, negated = _folding(column), condition.negated

        def predicate(row: Any) -> bool:
            held = set((read(row) or "").split(";"))
            return any(parts <= held for parts in wanted) != negated

        return predicate

    def _check_kind(self, field: Field, literal: Literal) -> None:
        default = {Kind.NUMBER} if field.type in NUMBER_TYPES else {Kind.TEXT}
        if literal.kind in _LITERALS_OF.get(field.type, default):
            return
        quoted = "should be enclosed in quotes" if default == {Kind.TEXT} else "should not be enclosed in quotes"
        if field.type in _LITERALS_OF:
            quoted = "should not be enclosed in quotes"
        kind = _XSD.get(field.type, "string" if quoted == "should be enclosed in quotes" else field.type)
        message = f"value of filter criterion for field '{field.name}' must be of type {kind} and {quoted}"
        raise self._context.error("INVALID_FIELD", literal.pos, message)

    def _id(self, text: str, literal: Literal) -> str:
        full = ids.normalise(text)
        if full is None:
            message = f"invalid ID field: {text}"
            raise self._context.error("INVALID_QUERY_FILTER_OPERATOR", literal.pos, message)
        return full

    def _bounds(self, field: Field, literal: Literal) -> tuple[str, str]:
        today = self._context.store.clock.now().astimezone(UTC).date()
        try:
            start, end = period(literal.text, literal.n, today)
        except OverflowError:
            message = f"date literal is outside of the calendar: {literal.text}:{literal.n}"
            raise self._context.error("MALFORMED_QUERY", literal.pos, message) from None
        tail = "T00:00:00.000+0000" if field.type == "datetime" else ""
        return start.isoformat() + tail, end.isoformat() + tail

    def _calendar(self, read: Callable[[], str], literal: Literal) -> str:
        try:
            return read()
        except (ValueError, OverflowError):
            message = f"Invalid date/time in filter criterion: {literal.text}"
            raise self._context.error("MALFORMED_QUERY", literal.pos, message) from None


def like(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern as a regular expression: `%` is any text, `_` one character, a backslash takes that away."""
    made = re.sub(r"\\(.)|(%)|(_)|(.)", _like_part, pattern, flags=re.DOTALL)
    return re.compile(made, re.IGNORECASE | re.DOTALL)


def _like_part(match: re.Match[str]) -> str:
    if match[2]:
        return ".*"
    return "." if match[3] else re.escape(match[1] or match[4])


def _write_exactly(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    # Half a second after is neither the second before nor the one after, so the comparison keeps milliseconds.
    return f"{utc.isoformat()[:19]}.{utc.microsecond // 1000:03d}+0000"


def _folding(column: Column) -> Getter:
    field, read = column.field, column.read
    if field.case_sensitive or field.type in {*NUMBER_TYPES, *_ID_TYPES, "boolean", "date", "datetime"}:
        return read

    def folded(row: Any) -> Any:
        value = read(row)
        return value.casefold() if value is not None else None

    return folded


def _joined(operator: str, parts: list[Predicate]) -> Predicate:
    if len(parts) == 2:
        first, second = parts
        if operator == "AND":
            return lambda row: first(row) and second(row)
        return lambda row: first(row) or second(row)
    if operator == "AND":
        return lambda row: all(part(row) for part in parts)
    return lambda row: any(part(row) for part in parts)


def _among(read: Getter, values: Iterable[Any], negated: bool) -> Predicate:
    held = frozenset(values)
    if negated:
        return lambda row: read(row) not in held
    return lambda row: read(row) in held


def _compared(read: Getter, operator: str, bound: Any) -> Predicate:
    if operator == "=":
        return lambda row: bool(read(row) == bound)
    if operator == "!=":
        return lambda row: bool(read(row) != bound)
    return _ordered(read, operator, bound)


def _ordered(read: Getter, operator: str, bound: Any) -> Predicate:
    def below(row: Any) -> bool:
        value = read(row)
        return value is not None and value < bound

    def at_most(row: Any) -> bool:
        value = read(row)
        return value is not None and value <= bound

    def above(row: Any) -> bool:
        value = read(row)
        return value is not None and value > bound

    def at_least(row: Any) -> bool:
        value = read(row)
        return value is not None and value >= bound

    return {"<": below, "<=": at_most, ">": above, ">=": at_least}[operator]


def _within(read: Getter, operator: str, start: str, end: str) -> Predicate:
    if operator == "<":
        return _ordered(read, "<", start)
    if operator == "<=":
        return _ordered(read, "<", end)
    if operator == ">":
        return _ordered(read, ">=", end)
    if operator == ">=":
        return _ordered(read, ">=", start)

    def inside(row: Any) -> bool:
        value = read(row)
        return value is not None and start <= value < end

    return inside if operator == "=" else lambda row: not inside(row)
