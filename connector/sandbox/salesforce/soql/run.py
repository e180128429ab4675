"""The answer to a query: which rows, in which order, and how each is written.

Rows are picked once; writing them is left to whoever pages through the answer, so that a query over a million
rows holds references to rows and not a million JSON objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from connector.sandbox.salesforce import rules
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.schema import Field, SObject
from connector.sandbox.salesforce.soql.aggregates import Aggregator, is_aggregate, is_plain_count
from connector.sandbox.salesforce.soql.conditions import Compiler, Predicate
from connector.sandbox.salesforce.soql.parser import parse
from connector.sandbox.salesforce.soql.resolve import Column, Context, Scope, open_scope
from connector.sandbox.salesforce.soql.syntax import (
    Among,
    AmongRows,
    Call,
    Chain,
    Compare,
    Condition,
    Kind,
    Operand,
    Order,
    Path,
    Query,
)
from connector.sandbox.salesforce.store import Row, fold

MAX_FIELDS_ROWS = 200
MAX_GROUPS = 2000

Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows` in order, `write` to make the JSON object of one, and the `totalSize` to tell."""

    rows: list[Any]
    write: Reader
    total: int


def answer(context: Context) -> Answer:
    """Parse and answer the query of a context. Raises `ApiError`."""
    query = parse(context.text)
    scope = open_scope(context, query)
    if is_plain_count(query):
        counted = len(list(_window(query, _pick(scope, query))))
        return Answer([], dict, counted)
    if is_aggregate(query):
        return _answer_groups(scope, query)
    write = _writer(scope, query)
    rows = list(_window(query, _sort(scope, scope.column, query.order_by, _pick(scope, query))))
    return Answer(rows, write, len(rows))


def _answer_groups(scope: Scope, query: Query) -> Answer:
    aggregator = Aggregator(scope, query)
    outputs = aggregator.outputs()
    groups: Iterable[Any] = aggregator.group(_pick(scope, query))
    if query.having is not None:
        compiler = Compiler(scope.context, aggregator.column, lambda inner: _ids_meant(scope.context, inner))
        groups = filter(compiler.compile(query.having), groups)
    found = list(_window(query, _sort(scope, aggregator.column, query.order_by, groups)))
    if len(found) > MAX_GROUPS:
        message = (
            "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        )
        raise ApiError("EXCEEDED_ID_LIMIT", message)

    def write(group: Any) -> dict[str, Any]:
        return {"attributes": {"type": "AggregateResult"}, **{name: read(group) for name, read in outputs}}

    return Answer(found, write, len(found))


# -- which rows


def _pick(scope: Scope, query: Query) -> Iterator[Row]:
    if query.where is None:
        return iter(scope.table.rows(scope.context.deleted))
    compiler = _row_compiler(scope)
    fits = compiler.compile(query.where)
    few = _candidates(scope, compiler, query.where)
    if few is None:
        return filter(fits, scope.table.rows(scope.context.deleted))
    found = (scope.table.get(record, scope.context.deleted) for record in sorted(few))
    return (row for row in found if row is not None and fits(row))


def _row_compiler(scope: Scope) -> Compiler:
    def resolve(operand: Operand) -> Column:
        if isinstance(operand, Call):
            raise scope.context.refuse_call(operand.pos)
        return scope.column(operand, filtering=True)

    return Compiler(scope.context, resolve, lambda inner: _ids_meant(scope.context, inner))


def _ids_meant(context: Context, query: Query) -> set[str]:
    """The ids that the sub-query of a semi-join answers."""
    inner = open_scope(context, query)
    what = query.selected[0].what
    column = inner.column(what) if isinstance(what, Path) else None
    if len(query.selected) != 1 or column is None or column.field.type not in {"id", "reference"}:
        message = "a semi join sub-select must select exactly one id or reference field"
        raise context.error("MALFORMED_QUERY", query.pos, message)
    return {value for row in _pick(inner, query) if (value := column.read(row)) is not None}


def _candidates(scope: Scope, compiler: Compiler, where: Condition) -> set[str] | None:
    """The ids that can fit at all, where an index tells; None where only looking at all rows will."""
    if isinstance(where, Chain):
        if where.operator == "OR":
            return None
        found = (_candidates(scope, compiler, part) for part in where.parts)
        return next((each for each in found if each is not None), None)
    if not isinstance(where, Compare | Among | AmongRows) or not isinstance(where.left, Path):
        return None
    column = scope.column(where.left)
    field = column.field
    if column.direct and isinstance(where, Compare) and field.name == "SystemModstamp":
        return _changed_since(scope, compiler, where)
    # The indexes know no deleted rows, except by their id.
    if not column.direct or not (field.name == "Id" or (_indexed(field) and not scope.context.deleted)):
        return None
    if isinstance(where, AmongRows):
        values = None if where.negated else compiler.rows_meant(column, where)
    elif isinstance(where, Compare):
        values = {compiler.value(field, where.right)} if where.operator == "=" else None
    else:
        fitting = where.operator == "IN" and not where.negated
        values = {compiler.value(field, each) for each in where.values} if fitting else None
    if values is None or None in values:
        return None
    return _look_up(scope, field, values)


def _changed_since(scope: Scope, compiler: Compiler, where: Compare) -> set[str] | None:
    if where.operator not in {">", ">="} or where.right.kind is not Kind.MOMENT:
        return None
    found = scope.table.since(compiler.value(Field("", "datetime", ""), where.right))
    binned = scope.table.bin if scope.context.deleted else ()
    return None if found is None else {*found, *binned}


def _indexed(field: Field) -> bool:
    return field.indexed or field.keyed


def _look_up(scope: Scope, field: Field, values: set[Any]) -> set[str]:
    if field.name == "Id":
        return values
    table = scope.table
    find = table.below if field.indexed else table.keyed
    return {record for value in values for record in find(field.name, value)}


# -- in which order


def _sort(
    scope: Scope, resolve: Callable[[Any], Column], orders: tuple[Order, ...], rows: Iterable[Any]
) -> Iterable[Any]:
    if not orders:
        return rows
    found = list(rows)
    for order in reversed(orders):
        if isinstance(order.what, Call) and resolve == scope.column:
            raise scope.context.refuse_call(order.what.pos)
        column = resolve(order.what)
        if not column.field.filterable:
            message = f"field '{column.field.name}' can not be sorted in a query call"
            raise scope.context.error("MALFORMED_QUERY", order.what.pos, message)
        found = _sorted(found, column.read, _sort_key(scope, column.field), order)
    return found


def _sorted(rows: list[Any], read: Reader, key: Reader, order: Order) -> list[Any]:
    nulls = [row for row in rows if read(row) is None]
    rest = [row for row in rows if read(row) is not None]
    rest.sort(key=lambda row: key(read(row)), reverse=order.descending)
    return nulls + rest if order.nulls_first else rest + nulls


def _sort_key(scope: Scope, field: Field) -> Reader:
    """Text sorts without case, and a picklist in the order of its values, not of the alphabet."""
    if field.type != "picklist":
        return lambda value: fold(field, value)
    choices = rules.choices(scope.context.store, field)
    ranks = {choice.value: rank for rank, choice in enumerate(choices)}
    return lambda value: (ranks.get(value, len(ranks)), fold(field, value))


def _window(query: Query, rows: Iterable[Any]) -> Iterator[Any]:
    stop = None if query.limit is None else query.offset + query.limit
    return islice(rows, query.offset, stop)


# -- how a row is written


def _writer(scope: Scope, query: Query) -> Reader:
    tree: dict[str, Any] = {}
    for selected in query.selected:
        if selected.alias is not None:
            raise scope.context.error(
                "MALFORMED_QUERY", selected.what.pos, "only aggregate expressions use field aliasing"
            )
        if isinstance(selected.what, Query):
            name, read = _child_reader(scope, selected.what)
            _plant(scope, tree, name, read, selected.what.pos)
        elif isinstance(selected.what, Call):
            for field in _fields_meant(scope, query, selected.what):
                path = Path((field.name,), selected.what.pos)
                _plant(scope, tree, field.name, scope.column(path).read, path.pos)
        else:
            _plant_path(scope, tree, selected.what)
    return _row_writer(scope.context, scope.sobject, tree)


def _plant(scope: Scope, tree: dict[str, Any], name: str, what: Any, pos: int) -> None:
    if name in tree:
        raise scope.context.error("INVALID_FIELD", pos, f"duplicate field selected: {name}")
    tree[name] = what


def _plant_path(scope: Scope, tree: dict[str, Any], path: Path) -> None:
    """Add a path to the tree: a leaf is a reader, an inner node `(way to the parent, its object, its tree)`."""
    sobject = scope.sobject
    parts = scope.without_prefix(path)
    for name in parts[:-1]:
        reference, target = scope.step(sobject, name, path)
        known = reference.relationship or name
        if known not in tree:
            tree[known] = (scope.parent_reader(sobject, reference, target), target, {})
        sobject, tree = target, tree[known][2]
    column = Scope(scope.context, sobject).column(Path(parts[-1:], path.pos))
    _plant(scope, tree, column.field.name, column.read, path.pos)


def _row_writer(context: Context, sobject: SObject, tree: dict[str, Any]) -> Reader:
    readers: list[tuple[str, Reader]] = []
    for name, what in tree.items():
        if isinstance(what, tuple):
            way, target, below = what
            readers.append((name, _parent_writer(way, _row_writer(context, target, below))))
        else:
            readers.append((name, what))
    url = f"/services/data/v{context.version}/sobjects/{sobject.name}/"
    kind = sobject.name

    def write(row: Row) -> dict[str, Any]:
        written: dict[str, Any] = {"attributes": {"type": kind, "url": url + row["Id"]}}
        for name, read in readers:
            written[name] = read(row)
        return written

    return write


def _parent_writer(way: Reader, write: Reader) -> Reader:
    def read(row: Row) -> Any:
        parent = way(row)
        return None if parent is None else write(parent)

    return read


def _fields_meant(scope: Scope, query: Query, call: Call) -> list[Field]:
    which = call.argument.text.upper() if call.argument is not None and call.name == "FIELDS" else ""
    if which not in {"ALL", "STANDARD", "CUSTOM"}:
        raise scope.context.error("MALFORMED_QUERY", call.pos, f"unexpected function: {call.name}")
    if which != "STANDARD" and (query.limit is None or query.limit > MAX_FIELDS_ROWS):
        message = f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_ROWS}"
        raise scope.context.error("MALFORMED_QUERY", call.pos, message)
    fields = scope.sobject.fields.values()
    return [field for field in fields if which == "ALL" or field.custom == (which == "CUSTOM")]


def _child_reader(scope: Scope, query: Query) -> tuple[str, Reader]:
    """The name of a child relationship, and the reader of `{"totalSize", "done", "records"}`, null when empty."""
    sobject, reference = scope.child(query)
    inner = Scope(scope.context, sobject, query.alias)
    fits: Predicate = _row_compiler(inner).compile(query.where) if query.where is not None else lambda _: True
    write = _writer(inner, query)
    if query.group_by:
        raise scope.context.error("MALFORMED_QUERY", query.pos, "GROUP BY is not allowed in a sub-query")
    below = _rows_below(inner, reference)

    def read(row: Row) -> dict[str, Any] | None:
        rows = filter(fits, below(row["Id"]))
        records = [write(each) for each in _window(query, _sort(inner, inner.column, query.order_by, rows))]
        return {"totalSize": len(records), "done": True, "records": records} if records else None

    return reference.children or "", read


def _rows_below(scope: Scope, reference: Field) -> Callable[[str], list[Row]]:
    table, name = scope.table, reference.name
    binned: dict[str, list[Row]] = {}
    for row in table.bin.values() if scope.context.deleted else ():
        binned.setdefault(row.get(name, ""), []).append(row)
    return lambda parent: [table.live[each] for each in table.below(name, parent)] + binned.get(parent, [])
