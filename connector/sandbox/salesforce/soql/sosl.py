"""SOSL text to what is searched for: `FIND {…} IN … FIELDS RETURNING … LIMIT n`.

What stands in the parentheses behind an object's name is the inside of a SOQL query, and is read as one. WITH and
UPDATE clauses, USING ListView and parentheses between the words are refused. Source: Salesforce "SOQL and SOSL
Reference", "SOSL Syntax" and "FIND {SearchQuery}".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.soql.parser import Parser, place
from connector.sandbox.salesforce.soql.syntax import Path, Query, Selected

GROUPS = frozenset({"ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"})

_FIND = re.compile(r"\s*FIND\s*\{((?:[^\\}]|\\.)*)\}", re.IGNORECASE | re.DOTALL)
_WORDS = re.compile(r'"((?:[^\\"]|\\.)*)"|((?:[^\s"\\]|\\.)+)', re.DOTALL)
_TOKEN = re.compile(r"\\(.)|([*?])|([^\W_]+)|(.)", re.DOTALL)
_OPERATORS = frozenset({"AND", "OR", "NOT"})


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or a phrase of several, as patterns of single words; `negated` behind AND NOT."""

    words: tuple[re.Pattern[str], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for: one of the `choices`, all of whose terms must fit, in a group of fields. `queries` are
    for the objects to answer, None when none is named.
    """

    choices: tuple[tuple[Term, ...], ...]
    group: str = "ALL"
    queries: tuple[Query, ...] | None = None
    limit: int | None = None


def parse_search(text: str) -> Search:
    """The search a SOSL text means. Raises `ApiError` MALFORMED_SEARCH."""
    found = _FIND.match(text)
    if found is None:
        raise _malformed(place(text, 0, "expecting FIND {search words}"))
    return _SearchParser(text, found.end()).search(parse_words(found[1]))


def parse_words(text: str) -> tuple[tuple[Term, ...], ...]:
    """The search words: choices between which OR stands, of terms that must all fit. Raises MALFORMED_SEARCH."""
    choices: list[list[Term]] = [[]]
    last = ""  # nothing yet, an operator, or a term
    for phrase, word in _WORDS.findall(text):
        operator = word.upper() if word.upper() in _OPERATORS else ""
        if operator and (last != "AND" if operator == "NOT" else last != "term"):
            raise _malformed(f"unexpected operator: {word}")
        if operator == "OR":
            choices.append([])
        elif not operator:
            choices[-1].append(Term(_patterns(phrase or word), negated=last == "NOT"))
        last = operator or "term"
    if last != "term":
        raise _malformed("No search term found. The search term must be enclosed in braces.")
    return tuple(tuple(choice) for choice in choices)


def split_words(text: str) -> list[str]:
    """The words of a text, as the search engine breaks it at blanks and punctuation, without case."""
    return re.findall(r"[^\W_]+", text.casefold())


def _patterns(text: str) -> tuple[re.Pattern[str], ...]:
    words, made, plain = [], "", 0
    for escaped, wildcard, letters, _ in [*_TOKEN.findall(text), ("", "", "", " ")]:
        if letters:
            made, plain = made + re.escape(letters.casefold()), plain + len(letters)
        elif wildcard and made:
            made += ".*" if wildcard == "*" else "."
        elif wildcard:
            raise _malformed(f"a wildcard cannot be the first character of a word: {text}")
        elif made:
            words.append((made, plain))
            made, plain = "", 0
        if escaped.isalnum():
            made, plain = made + re.escape(escaped.casefold()), plain + 1
    if sum(plain for _, plain in words) < 2:
        raise _malformed(f"search term must be longer than one character: {text}")
    return tuple(re.compile(word, re.DOTALL) for word, _ in words)


def _malformed(message: str) -> ApiError:
    return ApiError("MALFORMED_SEARCH", message)


class _SearchParser(Parser):
    """Reads what comes after the search words."""

    def search(self, choices: tuple[tuple[Term, ...], ...]) -> Search:
        group = self._group() if self._skip("IN") else "ALL"
        queries = None
        if self._skip("RETURNING"):
            queries = (self._returning(), *self._more())
        limit = self._whole_number() if self._skip("LIMIT") else None
        if self._next.kind != "end":
            raise self._unexpected()
        return Search(choices, group, queries, limit)

    def _error(self, pos: int, message: str) -> ApiError:
        return _malformed(place(self._text, pos, message))

    def _group(self) -> str:
        name = self._name().upper()
        if name not in GROUPS:
            raise self._unexpected()
        self._need("FIELDS")
        return name

    def _more(self) -> tuple[Query, ...]:
        queries = []
        while self._skip(","):
            queries.append(self._returning())
        return tuple(queries)

    def _returning(self) -> Query:
        pos = self._next.pos
        name = self._name()
        if not self._skip("("):
            return returning(name, pos)
        query = self._clauses(self._selection(children=False), name, pos, None, pos, top=False)
        self._need(")")
        return query


def returning(name: str, pos: int = 0) -> Query:
    """The query for an object of which only the ids are answered."""
    selected = (Selected(Path(("Id",), pos), None),)
    return Query(selected, name, pos, None, None, (), None, (), None, 0, pos)
