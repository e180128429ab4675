"""The answer to a query: which rows, in which order, and how each is written.

Rows are picked once; writing them is left to whoever pages through the answer, so that a query over a million
rows holds references to rows and not a million JSON objects. Source: Salesforce "SOQL and SOSL Reference", "SOQL
SELECT Syntax" and the pages below it. The children of a row are all in its page, however many they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.records import rules
from connector.sandbox.salesforce.records.store import Row, fold
from connector.sandbox.salesforce.soql.aggregates import Aggregator, is_aggregate, is_plain_count
from connector.sandbox.salesforce.soql.conditions import Compiler, Predicate
from connector.sandbox.salesforce.soql.currencies import Rates
from connector.sandbox.salesforce.soql.functions import resolve
from connector.sandbox.salesforce.soql.parser import parse
from connector.sandbox.salesforce.soql.resolve import Column, Context, Scope, open_scope
from connector.sandbox.salesforce.soql.semijoins import check_places, inner_column, refuse_any
from connector.sandbox.salesforce.soql.syntax import (
    SHOWING,
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

MAX_FIELDS_ROWS = 200
MAX_GROUPS = 2000
FIRST_VERSION_WITH_GRANDCHILDREN = 58.0
MAX_LEVELS_OF_CHILDREN = 4

Reader = Callable[[Any], Any]


class Answer:
    """`rows` in order, `write` to make the JSON object of one, and the `totalSize` to tell. It may be pickled."""

    def __init__(self, context: Context, query: Query, rows: list[Any], total: int, write: Reader) -> None:
        self.rows = rows
        self.total = total
        self._context = context
        self._query = query
        self._write: Reader | None = write

    def __getstate__(self) -> dict[str, Any]:
        """Without the writer, which is made again when it is needed."""
        return {**self.__dict__, "_write": None}

    def write(self, row: Any) -> Any:
        """The JSON object of a row."""
        if self._write is None:
            scope = open_scope(self._context, self._query)
            self._write = (
                _group_writer(Aggregator(scope, self._query))
                if is_aggregate(self._query)
                else _writer(scope, self._query)
            )
        return self._write(row)


def answer(context: Context) -> Answer:
    """Parse and answer the query of a context. Raises `ApiError`."""
    return answer_query(context, parse(context.text))


def answer_query(context: Context, query: Query, among: Collection[str] | None = None) -> Answer:
    """Answer a query; with `among`, only about the rows with these ids. Raises `ApiError`."""
    scope = open_scope(context, query)
    rows = _pick(scope, query, among)
    if is_plain_count(query):
        if query.order_by:
            message = "COUNT() cannot be used with ORDER BY, use COUNT(fieldName)"
            raise context.error("MALFORMED_QUERY", query.order_by[0].what.pos, message)
        return Answer(context, query, [], len(list(_window(query, rows))), dict)
    if is_aggregate(query):
        return _answer_groups(scope, query, rows)
    write = _writer(scope, query)
    sort = _sorter(scope, _ordering(scope), query.order_by)
    found = list(_window(query, sort(rows)))
    return Answer(context, query, found, len(found), write)


def _answer_groups(scope: Scope, query: Query, rows: Iterable[Row]) -> Answer:
    aggregator = Aggregator(scope, query)
    aggregator.check()
    write = _group_writer(aggregator)
    groups: Iterable[Any] = aggregator.group(rows)
    if query.having is not None:
        refuse_any(scope.context, query.having)
        compiler = Compiler(scope.context, aggregator.column, lambda *_: set())
        groups = filter(compiler.compile(query.having), groups)
    sort = _sorter(scope, aggregator.column, query.order_by)
    found = list(_window(query, sort(groups)))
    if len(found) > MAX_GROUPS:
        message = (
            "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        )
        raise ApiError("EXCEEDED_ID_LIMIT", message)

    return Answer(scope.context, query, found, len(found), write)


def _group_writer(aggregator: Aggregator) -> Reader:
    outputs = aggregator.outputs()

    def write(group: Any) -> dict[str, Any]:
        return {"attributes": {"type": "AggregateResult"}, **{name: read(group) for name, read in outputs}}

    return write


# -- which rows


def _pick(scope: Scope, query: Query, among: Collection[str] | None = None) -> Iterator[Row]:
    deleted = scope.context.deleted
    compiler = _row_compiler(scope)
    conditions = _conditions(scope, query, compiler)
    few = among
    if among is None and query.where is not None:
        few = _candidates(scope, compiler, query.where)
    if few is None:
        return _fitting(conditions, scope.table.rows(deleted))
    found = (scope.table.get(record, deleted) for record in sorted(few))
    return _fitting(conditions, (row for row in found if row is not None))


def _conditions(scope: Scope, query: Query, compiler: Compiler) -> list[Predicate]:
    """What a row must fit: the scope and the WHERE. Raises for what is wrong in either."""
    check_places(scope.context, query.where)
    conditions = _scoped(scope, query)
    if query.where is not None:
        conditions.append(compiler.compile(query.where))
    return conditions


def _scoped(scope: Scope, query: Query) -> list[Predicate]:
    """What USING SCOPE wants: nothing, or what the user owns. Raises MALFORMED_QUERY for any other."""
    name = (query.scope or "everything").lower()
    if name == "everything":
        return []
    if name != "mine" or scope.sobject.find("OwnerId") is None:
        message = f"The scope '{query.scope}' is not supported for {scope.sobject.name}"
        raise scope.context.error("MALFORMED_QUERY", query.source_pos, message)
    user = scope.context.store.user
    return [lambda row: bool(row.get("OwnerId") == user)]


def _fitting(conditions: list[Predicate], rows: Iterable[Row]) -> Iterator[Row]:
    for fits in conditions:
        rows = filter(fits, rows)
    return iter(rows)


def _row_compiler(scope: Scope) -> Compiler:
    def find(operand: Operand) -> Column:
        return resolve(scope, operand, "WHERE")

    return Compiler(scope.context, find, lambda left, inner: _ids_meant(scope, left, inner))


def _ids_meant(scope: Scope, left: Column, query: Query) -> set[str]:
    """The ids that the sub-query of a semi-join answers."""
    inner = open_scope(scope.context, query)
    column = inner_column(scope, left, inner, query)
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


def _ordering(scope: Scope) -> Callable[[Operand], Column]:
    """How the operands of an ORDER BY are read from rows; amounts by their worth."""
    rates = Rates(scope.context.store)

    def find(operand: Operand) -> Column:
        column = resolve(scope, operand, "ORDER BY")
        read, iso = column.read, column.iso
        if iso is None or not rates:
            return column
        return replace(column, read=lambda row: rates.in_corporate(read(row), iso(row)))

    return find


def _sorter(
    scope: Scope, find: Callable[[Operand], Column], orders: tuple[Order, ...]
) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """A function that puts rows, or groups, in order. Raises where a field cannot be sorted by."""
    columns = [(order, find(order.what)) for order in orders]
    keyed = [(order, column.read, _sort_key(scope, column.field)) for order, column in reversed(columns)]

    def sort(rows: Iterable[Any]) -> Iterable[Any]:
        for order, read, key in keyed:
            rows = _sorted(list(rows), read, key, order)
        return rows

    return sort


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


def _writer(scope: Scope, query: Query, depth: int = 0) -> Reader:
    tree: dict[str, Any] = {}
    for selected in query.selected:
        what = selected.what
        if isinstance(what, Query):
            name, read = _child_reader(scope, what, depth + 1)
            _plant(tree, name, read)
        elif isinstance(what, Call) and what.name == "FIELDS":
            for field in _fields_meant(scope, query, what):
                path = Path((field.name,), what.pos)
                _plant(tree, field.name, scope.column(path).read)
        elif selected.alias is None:
            _plant_value(scope, tree, what)
        elif isinstance(what, Call) and what.name in SHOWING:
            _plant(tree, selected.alias, resolve(scope, what, "SELECT").read)
        else:
            message = "only aggregate expressions use field aliasing"
            raise scope.context.error("MALFORMED_QUERY", what.pos, message)
    return _row_writer(scope.context, scope.sobject, tree)


def _plant(tree: dict[str, Any], name: str, what: Any) -> None:
    if name in tree:
        raise ApiError("INVALID_FIELD", f"duplicate field selected: {name}")
    tree[name] = what


def _plant_value(scope: Scope, tree: dict[str, Any], what: Operand) -> None:
    """Add a field, or a function of one, to the tree: a leaf is a reader, an inner node `(way to the parent, its
    object, its tree)`.
    """
    resolve(scope, what, "SELECT")
    path = what.innermost if isinstance(what, Call) else what
    if path is None:
        return
    sobject = scope.sobject
    parts = scope.without_prefix(path)
    for name in parts[:-1]:
        reference, target = scope.step(sobject, name, path)
        known = reference.relationship or name
        if known not in tree:
            tree[known] = (scope.parent_reader(sobject, reference, target), target, {})
        sobject, tree = target, tree[known][2]
    leaf = Path(parts[-1:], path.pos)
    column = resolve(Scope(scope.context, sobject), what.of(leaf) if isinstance(what, Call) else leaf, "SELECT")
    _plant(tree, column.field.name, column.read)


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
    which = call.innermost.text.upper() if call.innermost is not None else ""
    if which not in {"ALL", "STANDARD", "CUSTOM"}:
        raise scope.context.error("MALFORMED_QUERY", call.pos, f"unexpected function: {call.name}")
    if which != "STANDARD" and (query.limit is None or query.limit > MAX_FIELDS_ROWS):
        message = f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_ROWS}"
        raise ApiError("MALFORMED_QUERY", message)
    readable = (field for field in scope.sobject.fields.values() if scope.context.field(scope.sobject, field.name))
    return [field for field in readable if which == "ALL" or field.custom == (which == "CUSTOM")]


def _child_reader(scope: Scope, query: Query, depth: int) -> tuple[str, Reader]:
    """The name of a child relationship, and the reader of `{"totalSize", "done", "records"}`, null when empty."""
    deepest = MAX_LEVELS_OF_CHILDREN if float(scope.context.version) >= FIRST_VERSION_WITH_GRANDCHILDREN else 1
    if depth > deepest:
        message = f"no more than {deepest + 1} levels of parent-to-child relationships can be specified in a query"
        raise scope.context.error("MALFORMED_QUERY", query.pos, message)
    sobject, reference = scope.child(query)
    inner = Scope(scope.context, sobject, query.alias)
    conditions = _conditions(inner, query, _row_compiler(inner))
    if query.group_by or is_aggregate(query) or is_plain_count(query):
        raise scope.context.error("MALFORMED_QUERY", query.pos, "GROUP BY is not allowed in a sub-query")
    write = _writer(inner, query, depth)
    below, sort = _rows_below(inner, reference), _sorter(inner, _ordering(inner), query.order_by)

    def read(row: Row) -> dict[str, Any] | None:
        rows = _fitting(conditions, below(row["Id"]))
        records = [write(each) for each in _window(query, sort(rows))]
        return {"totalSize": len(records), "done": True, "records": records} if records else None

    return reference.children or "", read


def _rows_below(scope: Scope, reference: Field) -> Callable[[str], list[Row]]:
    table, name = scope.table, reference.name
    binned: dict[str, list[Row]] = {}
    for row in table.bin.values() if scope.context.deleted else ():
        binned.setdefault(row.get(name, ""), []).append(row)
    return lambda parent: [table.live[each] for each in table.below(name, parent)] + binned.get(parent, [])
