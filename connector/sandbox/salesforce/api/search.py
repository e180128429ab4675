"""Searching: `/search/` with SOSL, and `/parameterizedSearch/` without.

A record fits when each word that is searched for is one of the words in its fields, without case; `*` and `?` stand
for letters of a word. Fields are broken into words at blanks and punctuation. Synonyms, stemming, spelling
corrections, snippets, relevance and the delay of the index are not there: what fits comes in the order of creation.

| `IN … FIELDS` | fields |
|---|---|
| ALL, SIDEBAR | all of text |
| NAME | names: Name, FirstName, LastName |
| EMAIL, PHONE | of that type |

Source: Salesforce "SOQL and SOSL Reference", "SOSL Syntax"; REST API Developer Guide, "Search", "Search with
Parameters in the URI", "Search with Parameters in the Request Body".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from connector.sandbox.salesforce.api.calls import Call, entries, whole_number
from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import ApiError, DeserializationError
from connector.sandbox.salesforce.records.formulas import getter
from connector.sandbox.salesforce.records.store import Row
from connector.sandbox.salesforce.soql.parser import parse
from connector.sandbox.salesforce.soql.resolve import Context, open_scope
from connector.sandbox.salesforce.soql.run import answer_query
from connector.sandbox.salesforce.soql.sosl import (
    GROUPS,
    Search,
    Term,
    parse_search,
    parse_words,
    returning,
    split_words,
)
from connector.sandbox.salesforce.soql.syntax import Query
from connector.sandbox.wire import Response

MAX_ROWS = 2000

_TEXTS = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox"})
_NAMES = frozenset({"Name", "FirstName", "LastName"})
_SEARCHABLE = ("Account", "Contact", "Lead", "Opportunity", "User")

Record = dict[str, Any]


def search(call: Call) -> Response:
    """`GET /search/?q=FIND {…} …` answers `{"searchRecords": […]}`."""
    text = call.request.first("q")
    if not text:
        raise ApiError("MALFORMED_SEARCH", "A search string has to be specified")
    context = Context(text, call.org.store, call.org.access, False, call.version)
    wanted = parse_search(text)
    queries = [(context, query) for query in wanted.queries or _every_object(context)]
    return Response.json({"searchRecords": _find(wanted, queries, wanted.limit)})


def search_by_address(call: Call) -> Response:
    """`GET /parameterizedSearch/?q=…&sobject=Account&Account.fields=Id,Name&Account.limit=10`."""
    first, every = call.request.first, call.request.every
    objects: list[Mapping[str, Any]] = [
        {
            "name": name,
            "fields": _names(first(f"{name}.fields") or first("fields")),
            "where": first(f"{name}.where"),
            "orderBy": first(f"{name}.orderBy"),
            "limit": first(f"{name}.limit") or first("defaultLimit"),
        }
        for name in (part for given in every("sobject") for part in _names(given))
    ]
    return _search_objects(call, first("q"), first("in"), objects, first("overallLimit"))


def search_by_body(call: Call) -> Response:
    """`POST /parameterizedSearch/` with `{"q", "in", "fields", "sobjects": [{"name", "fields", "where", "orderBy",
    "limit"}], "defaultLimit", "overallLimit"}`.
    """
    body = call.object_body()
    shared = {"fields": body.get("fields"), "limit": body.get("defaultLimit")}
    objects = entries(body, "sobjects") if "sobjects" in body else []
    objects = [{**shared, **each} for each in objects]
    return _search_objects(call, body.get("q"), body.get("in"), objects, body.get("overallLimit"))


def _search_objects(
    call: Call, words: Any, group: Any, objects: Iterable[Mapping[str, Any]], overall: Any
) -> Response:
    if not isinstance(words, str) or not words.strip():
        raise ApiError("MALFORMED_SEARCH", "A search string has to be specified")
    name = str(group or "ALL").upper().removesuffix("FIELDS").strip()
    if name not in GROUPS:
        raise ApiError("MALFORMED_SEARCH", f"in: not a group of fields: {group}")
    context = Context("", call.org.store, call.org.access, False, call.version)
    texts = [_written(each) for each in objects]
    queries = [(_about(context, text), parse(text)) for text in texts]
    wanted = Search(parse_words(words), name)
    found = queries or [(context, query) for query in _every_object(context)]
    limit = _bound("overallLimit", overall)
    return Response.json({"searchRecords": _find(wanted, found, limit)})


def _about(context: Context, text: str) -> Context:
    return Context(text, context.store, context.access, context.deleted, context.version)


def _every_object(context: Context) -> list[Query]:
    return [returning(name) for name in _SEARCHABLE if context.object(name) is not None]


def _written(wanted: Mapping[str, Any]) -> str:
    """One entry of `sobjects` as SOQL. Raises JSON_PARSER_ERROR for values of other types."""
    name, fields = wanted.get("name"), wanted.get("fields") or ["Id"]
    clauses = {"WHERE": wanted.get("where"), "ORDER BY": wanted.get("orderBy")}
    named = isinstance(name, str) and name.isidentifier()
    if not named or not isinstance(fields, list) or not all(isinstance(each, str) for each in fields):
        raise DeserializationError(
            "JSON_PARSER_ERROR", "each of sobjects has a name, and fields as a list of names"
        )
    if not all(isinstance(text, str | None) for text in clauses.values()):
        raise DeserializationError("JSON_PARSER_ERROR", f"{name}: where and orderBy are text")
    limit = _bound("limit", wanted.get("limit"))
    parts = ["SELECT", ", ".join(fields), "FROM", str(name)]
    parts += [f"{clause} {text}" for clause, text in clauses.items() if text]
    return " ".join(parts if limit is None else [*parts, f"LIMIT {limit}"])


def _names(listed: str | None) -> list[str]:
    return [name.strip() for name in listed.split(",")] if listed else []


def _bound(name: str, value: Any) -> int | None:
    if value is None:
        return None
    number = None if isinstance(value, bool) else whole_number(str(value))
    if number is None:
        raise ApiError("MALFORMED_SEARCH", f"{name}: not a whole number: {value}")
    return number


def _find(wanted: Search, queries: Iterable[tuple[Context, Query]], limit: int | None) -> list[Record]:
    """The records that fit, object by object."""
    found: list[Record] = []
    for context, query in queries:
        scope = open_scope(context, query)
        fits = _fits(context, scope.sobject, wanted)
        ids = [row["Id"] for row in scope.table.rows() if fits(row)]
        answered = answer_query(context, query, among=ids)
        found += [answered.write(row) for row in answered.rows]
    return list(islice(found, MAX_ROWS if limit is None else min(limit, MAX_ROWS)))


def _fits(context: Context, sobject: SObject, wanted: Search) -> Callable[[Row], bool]:
    readers = [
        getter(context.store, sobject, field)
        for field in sobject.fields.values()
        if _is_in(wanted.group, field) and context.field(sobject, field.name)
    ]

    def fits(row: Row) -> bool:
        fields = [split_words(value) for read in readers if (value := read(row)) is not None]
        return any(all(_has(fields, term) for term in choice) for choice in wanted.choices)

    return fits


def _is_in(group: str, field: Field) -> bool:
    if group in {"EMAIL", "PHONE"}:
        return field.type == group.lower()
    return field.type in _TEXTS and (group != "NAME" or field.name in _NAMES)


def _has(fields: list[list[str]], term: Term) -> bool:
    """Whether the words of a term stand side by side in one of the fields, or do not where it is negated."""
    length = len(term.words)
    there = any(
        all(word.fullmatch(part) for word, part in zip(term.words, words[start : start + length], strict=True))
        for words in fields
        for start in range(len(words) - length + 1)
    )
    return there != term.negated
