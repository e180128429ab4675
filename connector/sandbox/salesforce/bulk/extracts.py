"""What a bulk query answers: which rows, kept as they were found, and the columns they are written in.

Only rows are kept; text is made of them page by page. Not all of SOQL may be asked in bulk:

| refused | because |
|---|---|
| compound fields (addresses) | they have no single value |
| child sub-queries | a table has no tables in it |
| aggregates, GROUP BY, OFFSET, FIELDS() | Bulk API 2.0 excludes them (FIELDS() only without a bound) |

Source: Salesforce "Bulk API 2.0 and Bulk API Developer Guide", "Understanding Bulk API 2.0 Query" and "SOQL
Considerations". The texts for compound fields and for sub-queries are Salesforce's; for the others none is
established.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connector.sandbox.salesforce.bulk import tables
from connector.sandbox.salesforce.definitions.schema import Field
from connector.sandbox.salesforce.records.store import Row
from connector.sandbox.salesforce.soql.functions import resolve
from connector.sandbox.salesforce.soql.parser import parse
from connector.sandbox.salesforce.soql.resolve import Context, Scope, open_scope
from connector.sandbox.salesforce.soql.run import Answer, answer_query
from connector.sandbox.salesforce.soql.syntax import Call, Path, Query, Selected


class ExcludedError(Exception):
    """A construct that bulk queries exclude. `classic` is how the older API words it, as a stateMessage."""

    def __init__(self, message: str, classic: str | None = None) -> None:
        super().__init__(message)
        failed = "InvalidBatch : Failed to process query: FUNCTIONALITY_NOT_ENABLED"
        self.classic = classic or f"{failed}: {message}"


@dataclass(frozen=True, slots=True)
class Extract:
    """An answered query, and those of its rows that are meant here."""

    context: Context
    query: Query
    answer: Answer
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Column:
    """What was selected: its path as the schema spells it, and how it is read from a row."""

    names: tuple[str, ...]
    field: Field
    read: Callable[[Row], Any]

    @property
    def header(self) -> str:
        return ".".join(self.names)


def check(context: Context) -> str:
    """The object that a query is about. Raises `ApiError`, or `ExcludedError` for what bulk queries exclude."""
    query = parse(context.text)
    scope = open_scope(context, query)
    _columns(scope, query)
    answer_query(context, query, among=())
    return scope.sobject.name


def run(context: Context) -> Extract:
    """Answer a query. Raises like `check`."""
    query = parse(context.text)
    _columns(open_scope(context, query), query)
    found = answer_query(context, query)
    return Extract(context, query, found, found.rows)


def write_csv(extract: Extract, span: slice, dialect: tables.Dialect) -> bytes:
    """Some of the rows, with a header."""
    columns = _columns(open_scope(extract.context, extract.query), extract.query)
    cells = [_cell_reader(column) for column in columns]
    rows = ([read(row) for read in cells] for row in extract.rows[span])
    return tables.write([column.header for column in columns], rows, dialect)


def write_objects(extract: Extract, span: slice) -> Iterator[dict[str, Any]]:
    """Some of the rows as JSON objects, date-times as milliseconds since 1970, as the older API writes them."""
    columns = _columns(open_scope(extract.context, extract.query), extract.query)
    moments = [column.names for column in columns if column.field.type == "datetime"]
    for row in extract.rows[span]:
        written = extract.answer.write(row)
        for names in moments:
            _count_milliseconds(written, names)
        yield written


def chunks(extract: Extract, ids: Iterable[str], size: int) -> list[Extract]:
    """The extract in parts, each with the rows between `size` successive ids of the object: PK chunking.

    Raises `ExcludedError` for a query with other clauses than WHERE.
    """
    if extract.query.order_by or extract.query.limit is not None:
        raise ExcludedError("PK chunking not supported for queries with ORDER BY or LIMIT")
    starts = sorted(ids)[::size]
    parts: list[list[Row]] = [[] for _ in starts]
    for row in extract.rows:
        parts[bisect_right(starts, row["Id"]) - 1].append(row)
    return [replace(extract, rows=rows) for rows in parts]


def _columns(scope: Scope, query: Query) -> list[Column]:
    for present, clause in ((query.group_by, "GROUP BY"), (query.offset, "OFFSET")):
        if present:
            raise ExcludedError(f"{clause} not supported in Bulk Query")
    return [_column(scope, selected) for selected in query.selected]


def _column(scope: Scope, selected: Selected) -> Column:
    what = selected.what
    if isinstance(what, Query):
        rest = "Query with CSV content type"
        classic = f"FeatureNotEnabled : Aggregate Relationships not supported in Bulk {rest}"
        raise ExcludedError(f"Aggregate Relationships not supported in Bulk V2 {rest}", classic)
    path = what if isinstance(what, Path) else what.innermost
    if path is None or (isinstance(what, Call) and (what.aggregates or what.name == "FIELDS")):
        name = what.name if isinstance(what, Call) else ""
        raise ExcludedError(f"Function {name} not supported in Bulk Query")
    column = resolve(scope, what, "SELECT")
    if column.field.type == "address":
        raise ExcludedError("Selecting compound data not supported in Bulk Query")
    if selected.alias is not None:
        return Column((selected.alias,), column.field, column.read)
    return Column((*_ways(scope, path), column.field.name), column.field, column.read)


def _ways(scope: Scope, path: Path) -> Iterator[str]:
    """The relationships of a path, as the schema spells them."""
    sobject = scope.sobject
    for name in scope.without_prefix(path)[:-1]:
        reference, sobject = scope.step(sobject, name, path)
        yield reference.relationship or name


def _cell_reader(column: Column) -> Callable[[Row], str | None]:
    read = column.read
    if column.field.type == "boolean":
        return lambda row: _BOOLEANS[read(row)]
    if column.field.type == "datetime":
        return lambda row: _with_z(read(row))
    return lambda row: None if (value := read(row)) is None else str(value)


_BOOLEANS = {True: "true", False: "false", None: None}


def _with_z(moment: str | None) -> str | None:
    return None if moment is None else moment.removesuffix("+0000") + "Z"


def _count_milliseconds(written: Any, names: tuple[str, ...]) -> None:
    for name in names[:-1]:
        written = written[name]
        if written is None:
            return
    moment = written[names[-1]]
    if moment is not None:
        written[names[-1]] = int(datetime.fromisoformat(moment).timestamp()) * 1000
