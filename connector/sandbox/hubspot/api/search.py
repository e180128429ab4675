"""Which records a search finds (HubSpot docs, "Search the CRM").

A filter becomes a test of one record; groups of filters are OR-ed. The search that an incremental sync makes, by
time of the last write, is answered from the order that `records.ModifiedOrder` keeps, however large the portal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from connector.sandbox.hubspot.api.calls import Call, text_list
from connector.sandbox.hubspot.api.shapes import as_object, need, objects, take
from connector.sandbox.hubspot.definitions.properties import EMAIL
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS, ObjectType
from connector.sandbox.hubspot.errors import refuse
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records.fields import reader
from connector.sandbox.hubspot.records.records import Record
from connector.sandbox.hubspot.records.values import comparable
from connector.sandbox.hubspot.records.views import viewer
from connector.sandbox.wire import Response

MOST_PER_PAGE = 200
MOST_RESULTS = 10_000
MOST_BODY = 3_000  # characters
MOST_GROUPS, MOST_FILTERS_PER_GROUP, MOST_FILTERS = 5, 6, 18
_FAR_PAST, _FAR_FUTURE = -(1 << 60), 1 << 60
_WORDS = re.compile(r"[\w*]+")

Test = Callable[[Record], bool]
Ordered = float | str


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition.

    `span` is what it says of the time of the last write, both ends included; `ids` are the only records that can
    pass, where an index knows them; `behind` is the id that all which pass are greater than.
    """

    test: Test
    span: tuple[int, int] | None = None
    ids: frozenset[int] | None = None
    behind: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """`sort` is a property and whether it descends."""

    groups: Sequence[Sequence[Filter]]
    text: Test | None
    sort: tuple[str, bool] | None
    limit: int
    after: int


def search(call: Call) -> Response:
    """The records that match, one page of at most 200. Raises 400 for all that is beyond the limits."""
    if len(call.request.body.decode(errors="replace")) > MOST_BODY:
        raise refuse(f"The request body is longer than {MOST_BODY} characters")
    body, kind = call.body(), call.kind
    query = _read(call.portal, kind, body)
    rows, total = _find(call.portal, kind, query)
    view = viewer(call.portal, kind, text_list(body.get("properties")))
    answer: dict[str, Any] = {"total": total, "results": [view(row) for row in rows]}
    end = query.after + len(rows)
    if query.limit and end < total:
        answer["paging"] = {"next": {"after": str(end)}}
    return Response.json(answer)


def every(portal: Portal, kind: ObjectType, body: dict[str, Any]) -> list[Record]:
    """All records that a search of this body would find, however many, as search sees them now (for exports)."""
    query = replace(_read(portal, kind, body), limit=len(portal.tables[kind.name].live), after=0)
    return _find(portal, kind, query, most=query.limit)[0]


# -- reading the request


def _read(portal: Portal, kind: ObjectType, body: dict[str, Any]) -> Query:
    # Filters without a group are one; HubSpot's own example of a search through associations writes them so.
    given = body.get("filterGroups") or ([{"filters": body["filters"]}] if body.get("filters") else [])
    groups = [objects(group.get("filters") or []) for group in objects(given)]
    if len(groups) > MOST_GROUPS:
        raise refuse(f"There can be at most {MOST_GROUPS} filter groups")
    if any(len(group) > MOST_FILTERS_PER_GROUP for group in groups):
        raise refuse(f"There can be at most {MOST_FILTERS_PER_GROUP} filters in a group")
    if sum(map(len, groups)) > MOST_FILTERS:
        raise refuse(f"There can be at most {MOST_FILTERS} filters in all")
    limit, after = _number(body.get("limit", 10)), _number(body.get("after") or 0)
    if not 0 <= limit <= MOST_PER_PAGE:
        raise refuse(f"limit must be at most {MOST_PER_PAGE}, not {limit}")
    if not 0 <= after < MOST_RESULTS:
        raise refuse(f"Search results are limited to {MOST_RESULTS}; after={after} is beyond them")
    read = [[_filter(portal, kind, one) for one in group] for group in groups]
    return Query(read, _text_test(kind, body.get("query")), _sort(portal, kind, body), limit, after)


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise refuse(f"{value} is not a number") from None


def _sort(portal: Portal, kind: ObjectType, body: dict[str, Any]) -> tuple[str, bool] | None:
    """`{propertyName, direction}`, or the name alone with `-` before it for descending."""
    sorts: list[Any] = take(body, "sorts", [])
    if len(sorts) > 1:
        raise refuse("A search takes one sort only")
    if not sorts:
        return None
    given = sorts[0]
    if isinstance(given, str):
        name, descending = given.removeprefix("-"), given.startswith("-")
    else:
        given = as_object(given)
        name, descending = need(given, "propertyName"), given.get("direction") == "DESCENDING"
    if reader(portal, kind, name) is None:
        raise _unknown(name)
    return name, descending


def _unknown(name: str) -> Exception:
    return refuse(f'Property "{name}" does not exist', context={"propertyName": [name]})


# -- filters


def _filter(portal: Portal, kind: ObjectType, given: dict[str, Any]) -> Filter:
    name, operator = str(given.get("propertyName", given.get("property"))), str(given.get("operator"))
    make = _OPERATORS.get(operator)
    if make is None:
        raise refuse(f"{operator} is not a search operator")
    if name.startswith("associations."):
        return Filter(_association_test(portal, kind, name, operator, given))
    read = reader(portal, kind, name)
    if read is None:
        raise _unknown(name)
    value_type = portal.properties[kind.name].defined[name].type
    operands = _Operands(given, value_type)
    span = _span(operator, _Operands(given, "datetime")) if name == kind.modified else None
    behind = int(float(operands.one())) if (name, operator) == ("hs_object_id", "GT") else None
    return Filter(make(read, operands), span, _ids(portal, kind, name, operator, operands), behind)


class _Operands:
    """The values a filter compares with, in the form that its property is compared in."""

    def __init__(self, given: dict[str, Any], value_type: str) -> None:
        self._given = given
        self.type = value_type

    def one(self, name: str = "value") -> Ordered:
        return self.read(self.text(name))

    def text(self, name: str = "value") -> str:
        value = self._given.get(name)
        if value is None or isinstance(value, list | dict):
            raise refuse(f"operator {self._given.get('operator')} needs a {name}")
        return str(value).lower() if isinstance(value, bool) else str(value)

    def many(self) -> set[Ordered]:
        """The `values` of IN. Strings must be lower case to match; enumerations match as they are."""
        values = self._given.get("values")
        if not isinstance(values, list) or not values:
            raise refuse(f"operator {self._given.get('operator')} needs values")
        if self.type in {"string", "phone_number"}:
            return {str(value) for value in values}
        return {self.read(str(value)) for value in values}

    def read(self, text: str) -> Ordered:
        try:
            return comparable(self.type, text)
        except ValueError:
            raise refuse(f"{text} is not a {self.type}") from None


_Read = Callable[[Record], str | None]


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[_Read, _Operands], Test]:
    def make(read: _Read, operands: _Operands) -> Test:
        wanted, value_type = operands.one(), operands.type
        return lambda record: (text := read(record)) is not None and test(comparable(value_type, text), wanted)

    return make


def _between(read: _Read, operands: _Operands) -> Test:
    low, high, value_type = operands.one(), operands.one("highValue"), operands.type

    def test(record: Record) -> bool:
        text = read(record)
        return text is not None and low <= comparable(value_type, text) <= high  # type: ignore[operator]  # one type

    return test


def _in(read: _Read, operands: _Operands) -> Test:
    wanted, value_type = operands.many(), operands.type
    return lambda record: (text := read(record)) is not None and comparable(value_type, text) in wanted


def _not_in(read: _Read, operands: _Operands) -> Test:
    wanted, value_type = operands.many(), operands.type
    return lambda record: (text := read(record)) is not None and comparable(value_type, text) not in wanted


def _has(read: _Read, _: _Operands) -> Test:
    return lambda record: read(record) is not None


def _has_not(read: _Read, _: _Operands) -> Test:
    return lambda record: read(record) is None


def _contains(read: _Read, operands: _Operands) -> Test:
    wanted = operands.text().lower()
    return lambda record: (text := read(record)) is not None and has_token(text, wanted)


def _contains_not(read: _Read, operands: _Operands) -> Test:
    wanted = operands.text().lower()
    return lambda record: (text := read(record)) is None or not has_token(text, wanted)


_OPERATORS: dict[str, Callable[[_Read, _Operands], Test]] = {
    "EQ": _compare(lambda value, wanted: bool(value == wanted)),
    "NEQ": _compare(lambda value, wanted: bool(value != wanted)),
    "LT": _compare(lambda value, wanted: bool(value < wanted)),
    "LTE": _compare(lambda value, wanted: bool(value <= wanted)),
    "GT": _compare(lambda value, wanted: bool(value > wanted)),
    "GTE": _compare(lambda value, wanted: bool(value >= wanted)),
    "BETWEEN": _between,
    "IN": _in,
    "NOT_IN": _not_in,
    "HAS_PROPERTY": _has,
    "NOT_HAS_PROPERTY": _has_not,
    "CONTAINS_TOKEN": _contains,
    "NOT_CONTAINS_TOKEN": _contains_not,
}


def has_token(text: str, wanted: str) -> bool:
    """Whether a text contains a word, a run of words, or with `*` a pattern of either; `wanted` is lower case."""
    text = text.lower()
    words = _WORDS.findall(text)
    if "*" in wanted:
        return fnmatchcase(text, wanted) or any(fnmatchcase(word, wanted) for word in words)
    run = _WORDS.findall(wanted)
    return bool(run) and any(words[i : i + len(run)] == run for i in range(len(words) - len(run) + 1))


def _association_test(portal: Portal, kind: ObjectType, name: str, operator: str, given: dict[str, Any]) -> Test:
    """The pseudo-property `associations.contact`: EQ and IN of ids, and whether there are any."""
    other = BY_ALIAS.get(name.removeprefix("associations."))
    if other is None:
        raise _unknown(name)
    pair = (kind.name, other.name)
    associations, now = portal.associations, portal.now()

    def around(record: Record) -> set[int]:
        return portal.link_index.seen(associations, pair, record.id, now)

    if operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        return lambda record: bool(around(record)) is (operator == "HAS_PROPERTY")
    if operator not in {"EQ", "IN"}:
        raise refuse(f"operator {operator} does not apply to {name}")
    operands = _Operands(given, "number")
    ids = operands.many() if operator == "IN" else {operands.one()}
    return lambda record: not ids.isdisjoint(around(record))


def _text_test(kind: ObjectType, text: Any) -> Test | None:
    """Every word of the free text begins a word of one of the searched properties."""
    wanted = _WORDS.findall(str(text or "").lower())
    if not wanted:
        return None

    def test(record: Record) -> bool:
        values = (record.values.get(name, "") for name in kind.searched)
        words = _WORDS.findall(" ".join(values).lower())
        return all(any(word.startswith(start) for word in words) for start in wanted)

    return test


# -- finding


def _span(operator: str, operands: _Operands) -> tuple[int, int] | None:
    """The times of last write that a filter lets through, as whole milliseconds."""
    if operator == "BETWEEN":
        return int(operands.one()), int(operands.one("highValue"))
    if operator not in {"EQ", "LT", "LTE", "GT", "GTE"}:
        return None
    moment = int(operands.one())
    return {
        "EQ": (moment, moment),
        "LT": (_FAR_PAST, moment - 1),
        "LTE": (_FAR_PAST, moment),
        "GT": (moment + 1, _FAR_FUTURE),
        "GTE": (moment, _FAR_FUTURE),
    }[operator]


def _ids(portal: Portal, kind: ObjectType, name: str, operator: str, operands: _Operands) -> frozenset[int] | None:
    """The records that a filter by id or e-mail address names; older versions may have had the address too."""
    if operator not in {"EQ", "IN"} or (name != "hs_object_id" and (kind.name, name) != EMAIL):
        return None
    wanted = operands.many() if operator == "IN" else {operands.one()}
    if name == "hs_object_id":
        return frozenset(int(one) for one in wanted)
    table = portal.tables[kind.name]
    holders = (table.holder(name, str(one)) for one in wanted)
    return frozenset(holder for holder in holders if holder is not None)


def _find(portal: Portal, kind: ObjectType, query: Query, most: int = MOST_RESULTS) -> tuple[list[Record], int]:
    """The records of one page, and how many match in all."""
    table = portal.tables[kind.name]
    hidden = list(table.hidden_ids(portal.now()))
    end = min(query.after + query.limit, most)
    low, high = _bounds(query.groups)
    start, stop = table.by_modified.span(low, high)
    entries = table.by_modified.entries()
    indexed = not hidden and query.text is None and not table.lingering(portal.now())
    if indexed and query.sort == (kind.modified, False) and _is_span_only(query.groups):
        page = entries[min(start + query.after, stop) : min(start + end, stop)]
        return [table.live[record_id] for _, record_id in page], stop - start
    if indexed and query.sort == ("hs_object_id", False) and _is_walk(query.groups):
        behind = max((one.behind for group in query.groups for one in group if one.behind is not None), default=-1)
        ids = sorted(record_id for _, record_id in entries[start:stop] if record_id > behind)
        return [table.live[record_id] for record_id in ids[query.after : end]], len(ids)

    candidates: Iterable[Record] = table.live.values()
    named = _named(query.groups)
    if named is None and (low, high) != (_FAR_PAST, _FAR_FUTURE):
        named = {record_id for _, record_id in entries[start:stop]}
    if named is not None:
        candidates = [table.live[one] for one in named.union(hidden) if one in table.live]
    found = [row for row in table.searchable(portal.now(), candidates) if _matches(query, row)]
    found.sort(key=lambda record: record.id)
    if query.sort is not None:
        found = _sorted(portal, kind, found, *query.sort)
    return found[query.after : end], len(found)


def _named(groups: Sequence[Sequence[Filter]]) -> set[int] | None:
    """The only records that any group lets through, if every group has a filter that names them."""
    named: set[int] = set()
    for group in groups:
        ids = next((one.ids for one in group if one.ids is not None), None)
        if ids is None:
            return None
        named |= ids
    return named if groups else None


def _bounds(groups: Sequence[Sequence[Filter]]) -> tuple[int, int]:
    """The earliest and latest last write that any group lets through."""
    if not groups:
        return _FAR_PAST, _FAR_FUTURE
    spans = [[one.span for one in group if one.span is not None] for group in groups]
    lows = [max((low for low, _ in span), default=_FAR_PAST) for span in spans]
    highs = [min((high for _, high in span), default=_FAR_FUTURE) for span in spans]
    return min(lows), max(*highs, min(lows) - 1)


def _is_span_only(groups: Sequence[Sequence[Filter]]) -> bool:
    """Whether the bounds of the last write say all that the filters say."""
    return len(groups) <= 1 and all(one.span is not None for group in groups for one in group)


def _is_walk(groups: Sequence[Sequence[Filter]]) -> bool:
    """Whether the filters say nothing but bounds of the last write and ids to begin behind."""
    bounds = (one.span is not None or one.behind is not None for group in groups for one in group)
    return len(groups) <= 1 and all(bounds)


def _matches(query: Query, record: Record) -> bool:
    if query.text is not None and not query.text(record):
        return False
    return not query.groups or any(all(one.test(record) for one in group) for group in query.groups)


def _sorted(portal: Portal, kind: ObjectType, rows: list[Record], name: str, descending: bool) -> list[Record]:
    """By one property; what has no value comes last, and ids, ascending, break ties."""
    read = reader(portal, kind, name)
    if read is None:
        raise _unknown(name)
    value_type = portal.properties[kind.name].defined[name].type
    keyed = [(read(row), row) for row in rows]
    valued = [(comparable(value_type, text), row) for text, row in keyed if text is not None]
    valued.sort(key=lambda item: item[0], reverse=descending)
    return [*(row for _, row in valued), *(row for text, row in keyed if text is None)]
