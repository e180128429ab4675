"""COUNT, SUM and the like, with or without GROUP BY.

Rows are put into groups; from then on a group is what a row is elsewhere: HAVING filters groups, ORDER BY sorts
them, and each becomes one `AggregateResult`. ROLLUP adds subtotals from right to left, CUBE those of every
combination; in them the fields that were summed over are null, and GROUPING() of these is 1. Source: Salesforce
"SOQL and SOSL Reference", "Aggregate Functions" (nulls are not counted, except by COUNT()), "GROUP BY", "GROUP BY
ROLLUP", "GROUP BY CUBE", "Considerations for GROUP BY".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

from connector.sandbox.salesforce.definitions.schema import NUMBER_TYPES, Field
from connector.sandbox.salesforce.records.formulas import Getter
from connector.sandbox.salesforce.records.store import Row, fold
from connector.sandbox.salesforce.soql.currencies import Rates
from connector.sandbox.salesforce.soql.functions import apply, misplaced, resolve
from connector.sandbox.salesforce.soql.resolve import Column, Scope
from connector.sandbox.salesforce.soql.syntax import AGGREGATES, DATE_FUNCTIONS, Call, Operand, Path, Query

_UNGROUPED_TYPES = frozenset({"currency", "double", "percent", "datetime", "multipicklist"})
_NEVER_AGGREGATED = frozenset({"boolean", "address"})

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that agree in the grouped fields, but for those that were summed over."""

    rows: list[Row]
    summed: frozenset[_Key] = frozenset()


def is_aggregate(query: Query) -> bool:
    """Whether a query answers groups instead of rows; a lone `COUNT()` answers neither."""
    called = any(isinstance(each.what, Call) and each.what.aggregates for each in query.selected)
    return bool(query.group_by or called) and not is_plain_count(query)


def is_plain_count(query: Query) -> bool:
    what = query.selected[0].what
    return (
        len(query.selected) == 1 and isinstance(what, Call) and what.name == "COUNT" and what.argument is None
        and not query.group_by
    )  # fmt: skip


class Aggregator:
    """Groups the rows of one query and reads values from groups."""

    def __init__(self, scope: Scope, query: Query) -> None:
        self._scope = scope
        self._query = query
        self._rates = Rates(scope.context.store)
        self._grouped = {self._key(operand): self._groupable(operand) for operand in query.group_by}

    def group(self, rows: Iterable[Row]) -> list[Group]:
        """The groups, in the order of their keys with nulls first and subtotals last; without GROUP BY one of all
        rows.
        """
        if not self._grouped:
            return [Group(list(rows))]
        readers = [_sort_key(column) for column in self._grouped.values()]
        keyed = [([read(row) for read in readers], row) for row in rows]
        groups: dict[tuple[Any, ...], Group] = {}
        for kept in self._levels():
            summed = frozenset(key for place, key in enumerate(self._grouped) if place not in kept)
            for values, row in keyed:
                key = tuple((0, *value) if place in kept else _SUMMED for place, value in enumerate(values))
                groups.setdefault(key, Group([], summed)).rows.append(row)
        return [groups[key] for key in sorted(groups)]

    def column(self, operand: Operand) -> Column:
        """How a grouped field, or an aggregate, is read from a group. Raises MALFORMED_QUERY for any other."""
        grouped = self._grouped.get(self._key(operand))
        if grouped is not None:
            return Column(grouped.field, partial(_read_key, self._key(operand), grouped.read), iso=grouped.iso)
        if isinstance(operand, Path):
            self._scope.column(operand)
        elif operand.name in AGGREGATES:
            return self._aggregate(operand)
        elif operand.name == "GROUPING":
            return self._grouping(operand)
        elif operand.name == "FIELDS":
            message = "FIELDS may not be used with aggregates"
            raise self._scope.context.error("MALFORMED_QUERY", operand.pos, message)
        elif operand.argument is not None and (
            operand.name not in DATE_FUNCTIONS or self._is_grouped_day(operand.argument)
        ):
            return apply(self._scope, operand, self.column(operand.argument))
        message = f"Field must be grouped or aggregated: {_told(operand)}"
        raise self._scope.context.error("MALFORMED_QUERY", operand.pos, message)

    def outputs(self) -> list[tuple[str, Callable[[Any], Any]]]:
        """The keys of an `AggregateResult` and how each is read: aliases, field names, `expr0` …"""
        outputs: dict[str, Callable[[Any], Any]] = {}
        unnamed = 0
        for selected in self._query.selected:
            what = selected.what
            if isinstance(what, Query):
                raise self._scope.context.error(
                    "MALFORMED_QUERY", what.pos, "sub-queries are not allowed with aggregates"
                )
            column = self.column(what)
            if selected.alias is not None:
                name = selected.alias
            elif isinstance(what, Path):
                name = column.field.name
            else:
                name, unnamed = f"expr{unnamed}", unnamed + 1
            if name.lower() in {known.lower() for known in outputs}:
                raise self._scope.context.error("MALFORMED_QUERY", what.pos, f"duplicate alias: {name}")
            outputs[name] = column.read
        return list(outputs.items())

    def check(self) -> None:
        """Refuse what only a query with GROUP BY may have. Raises MALFORMED_QUERY."""
        if self._grouped:
            return
        if self._query.limit is not None:
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise self._scope.context.error("MALFORMED_QUERY", self._query.pos, message)
        for order in self._query.order_by:
            message = f"Ordered field must be grouped or aggregated: {_told(order.what)}"
            raise self._scope.context.error("MALFORMED_QUERY", order.what.pos, message)

    def _levels(self) -> Iterator[frozenset[int]]:
        """The places of the grouped fields that are kept: all, and for each kind of subtotal those it is for."""
        count = len(self._grouped)
        yield frozenset(range(count))
        if self._query.grouping == "ROLLUP":
            yield from (frozenset(range(kept)) for kept in range(count))
        elif self._query.grouping == "CUBE":
            yield from (frozenset(kept) for size in range(count) for kept in combinations(range(count), size))

    def _groupable(self, operand: Operand) -> Column:
        column = resolve(self._scope, operand, "GROUP BY")
        field = column.field
        if field.type in _UNGROUPED_TYPES:
            message = f"field '{field.name}' can not be grouped in a query call"
            raise self._scope.context.error("MALFORMED_QUERY", operand.pos, message)
        return column

    def _key(self, operand: Operand) -> _Key:
        if isinstance(operand, Path):
            return tuple(part.lower() for part in self._scope.without_prefix(operand))
        argument = operand.argument
        return (operand.name + "(", *(self._key(argument) if argument is not None else ()))

    def _is_grouped_day(self, operand: Operand) -> bool:
        """A date function of a grouped date needs no group of its own; one of a date-time does."""
        grouped = self._grouped.get(self._key(operand))
        return grouped is not None and grouped.field.type == "date"

    def _grouping(self, call: Call) -> Column:
        key = () if call.argument is None else self._key(call.argument)
        if not self._query.grouping or key not in self._grouped:
            message = f"GROUPING is only of a field in GROUP BY ROLLUP or GROUP BY CUBE: {_told(call)}"
            raise self._scope.context.error("MALFORMED_QUERY", call.pos, message)
        return Column(Field("GROUPING", "int", "GROUPING"), partial(_is_summed, key))

    def _aggregate(self, call: Call) -> Column:
        if call.argument is None:
            raise self._scope.context.error("MALFORMED_QUERY", call.pos, "COUNT() must be the only thing selected")
        if isinstance(call.argument, Call):
            raise misplaced(self._scope, call.argument, "an aggregate")
        column = self._scope.column(call.argument, "WHERE")
        field, read = column.field, self._comparable(column)
        sums = call.name in {"SUM", "AVG"}
        if field.type in _NEVER_AGGREGATED or (sums and field.type not in NUMBER_TYPES):
            message = f"field {field.name} does not support aggregate operator {call.name}"
            raise self._scope.context.error("MALFORMED_QUERY", call.argument.pos, message)
        compute = _COMPUTE[call.name]
        result = {"COUNT": "int", "COUNT_DISTINCT": "int", "AVG": "double"}.get(call.name, field.type)

        def value(group: Any) -> Any:
            return compute(field, [found for row in group.rows if (found := read(row)) is not None])

        return Column(Field(call.name, result, call.name, scale=field.scale), value)

    def _comparable(self, column: Column) -> Getter:
        """Aggregates of amounts are in the corporate currency."""
        rates, read, iso = self._rates, column.read, column.iso
        return read if iso is None or not rates else lambda row: rates.in_corporate(read(row), iso(row))


_SUMMED = (1, False, 0)


def _read_key(key: _Key, read: Getter, group: Any) -> Any:
    return None if key in group.summed else read(group.rows[0])


def _is_summed(key: _Key, group: Any) -> int:
    return int(key in group.summed)


def _sort_key(column: Column) -> Callable[[Row], tuple[bool, Any]]:
    field, read = column.field, column.read

    def key(row: Row) -> tuple[bool, Any]:
        value = fold(field, read(row))
        return (value is not None, 0 if value is None else value)

    return key


def _told(operand: Operand) -> str:
    if isinstance(operand, Path):
        return operand.text
    return f"{operand.name}({_told(operand.argument) if operand.argument is not None else ''})"


_COMPUTE: dict[str, Callable[[Field, list[Any]], Any]] = {
    "COUNT": lambda _, values: len(values),
    "COUNT_DISTINCT": lambda field, values: len({fold(field, value) for value in values}),
    "SUM": lambda field, values: round(sum(values), field.scale) if values else None,
    "AVG": lambda _, values: sum(values) / len(values) if values else None,
    "MIN": lambda field, values: min(values, key=lambda value: fold(field, value), default=None),
    "MAX": lambda field, values: max(values, key=lambda value: fold(field, value), default=None),
}
