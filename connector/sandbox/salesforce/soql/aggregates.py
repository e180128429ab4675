"""COUNT, SUM and the like, with or without GROUP BY.

Rows are put into groups; from then on a group is what a row is elsewhere: HAVING filters groups, ORDER BY sorts
them, and each becomes one `AggregateResult`. Source: Salesforce "SOQL and SOSL Reference", "Aggregate
Functions" (nulls are not counted, except by COUNT()) and "GROUP BY".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.schema import NUMBER_TYPES, Field
from connector.sandbox.salesforce.soql.resolve import Column, Scope
from connector.sandbox.salesforce.soql.syntax import Call, Operand, Path, Query
from connector.sandbox.salesforce.store import Row, fold


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that agree in the grouped fields."""

    rows: list[Row]


def is_aggregate(query: Query) -> bool:
    """Whether a query answers groups instead of rows; a lone `COUNT()` answers neither."""
    called = [each.what for each in query.selected if isinstance(each.what, Call) and each.what.name != "FIELDS"]
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
        self._grouped = {self._key(path): scope.column(path, filtering=True) for path in query.group_by}

    def group(self, rows: Iterable[Row]) -> list[Group]:
        """The groups, in the order of their keys with nulls first; without GROUP BY one of all rows."""
        if not self._grouped:
            return [Group(list(rows))]
        groups: dict[tuple[Any, ...], Group] = {}
        columns = list(self._grouped.values())
        for row in rows:
            key = tuple(_sortable(fold(each.field, each.read(row))) for each in columns)
            groups.setdefault(key, Group([])).rows.append(row)
        return [groups[key] for key in sorted(groups)]

    def column(self, operand: Operand) -> Column:
        """How a grouped field, or an aggregate, is read from a group. Raises MALFORMED_QUERY for any other."""
        if isinstance(operand, Call):
            return self._aggregate(operand)
        grouped = self._grouped.get(self._key(operand))
        if grouped is None:
            self._scope.column(operand)
            message = f"Field must be grouped or aggregated: {operand.text}"
            raise self._scope.context.error("MALFORMED_QUERY", operand.pos, message)
        read = grouped.read
        return Column(grouped.field, _first_row(read))

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

    def _key(self, path: Path) -> tuple[str, ...]:
        return tuple(part.lower() for part in self._scope.without_prefix(path))

    def _aggregate(self, call: Call) -> Column:
        if call.name == "FIELDS":
            message = "FIELDS may not be used with aggregates"
            raise self._scope.context.error("MALFORMED_QUERY", call.pos, message)
        if call.argument is None:
            raise self._scope.context.error("MALFORMED_QUERY", call.pos, "COUNT() must be the only thing selected")
        column = self._scope.column(call.argument, filtering=True)
        field, read = column.field, column.read
        if call.name in {"SUM", "AVG"} and field.type not in NUMBER_TYPES:
            message = f"field {field.name} does not support aggregate operator {call.name}"
            raise self._scope.context.error("MALFORMED_QUERY", call.argument.pos, message)
        compute = _COMPUTE[call.name]
        result = {"COUNT": "int", "COUNT_DISTINCT": "int", "AVG": "double"}.get(call.name, field.type)

        def value(group: Any) -> Any:
            return compute(field, [found for row in group.rows if (found := read(row)) is not None])

        return Column(Field(call.name, result, call.name, scale=field.scale), value)


def _first_row(read: Callable[[Row], Any]) -> Callable[[Any], Any]:
    return lambda group: read(group.rows[0])


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, 0 if value is None else value)


_COMPUTE: dict[str, Callable[[Field, list[Any]], Any]] = {
    "COUNT": lambda _, values: len(values),
    "COUNT_DISTINCT": lambda field, values: len({fold(field, value) for value in values}),
    "SUM": lambda field, values: round(sum(values), field.scale) if values else None,
    "AVG": lambda _, values: sum(values) / len(values) if values else None,
    "MIN": lambda field, values: min(values, key=lambda value: fold(field, value), default=None),
    "MAX": lambda field, values: max(values, key=lambda value: fold(field, value), default=None),
}
