"""SOQL text to syntax: a recursive descent, one method for each rule of the grammar.

Source: Salesforce "SOQL and SOSL Reference", "SOQL SELECT Syntax" and the pages below it. Names and keywords
are read without case. Everything that does not fit is MALFORMED_QUERY, with the place it was found; SOQL has no
comments. Clauses that change nothing here are read and passed over: FOR VIEW, REFERENCE or UPDATE, ALL ROWS, and
WITH SECURITY_ENFORCED or USER_MODE, since REST always acts with the user's own rights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.soql.syntax import (
    FUNCTIONS,
    Among,
    AmongRows,
    Call,
    Chain,
    Compare,
    Condition,
    Kind,
    Literal,
    Not,
    Operand,
    Order,
    Path,
    Query,
    Selected,
)

MAX_LENGTH = 100_000
MAX_OFFSET = 2000
MAX_DIGITS = 15  # of a whole number
MAX_CHILDREN = 20
MAX_GROUPED_TOGETHER = 3

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<moment>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|z|[+-]\d{2}:?\d{2}))
    | (?P<date>\d{4}-\d{2}-\d{2}(?![\dT]))
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w]))
    | (?P<money>[A-Za-z]{3}\d+\.\d+(?!\w))
    | (?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)
    | (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<sign><=|>=|!=|<>|[=<>(),:])
    | (?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {
    "n": "\n", "N": "\n", "r": "\r", "R": "\r", "t": "\t", "T": "\t", "b": "\b", "B": "\b", "f": "\f", "F": "\f",
    "'": "'", '"': '"',
    "\\": "\\\\", "_": "\\_", "%": "\\%",  # still escaped: LIKE has to tell them from its wildcards
}  # fmt: skip

_MONEY = re.compile(r"[A-Z]{3}\d+(?:\.\d+)?")
_PERIOD = re.compile(
    r"YESTERDAY|TODAY|TOMORROW|(?:LAST|NEXT)_90_DAYS"
    r"|(?:LAST|THIS|NEXT)_(?:WEEK|MONTH|(?:FISCAL_)?(?:QUARTER|YEAR))"
)
_COUNTED_PERIOD = re.compile(
    r"(?:LAST|NEXT)_N_(?:DAY|WEEK|MONTH|(?:FISCAL_)?(?:QUARTER|YEAR))S"
    r"|N_(?:DAY|WEEK|MONTH|(?:FISCAL_)?(?:QUARTER|YEAR))S_AGO"
)
_CLAUSES = frozenset(
    ["FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL", "USING", "WITH", "UPDATE"]
)
_NEVER_NAMES = frozenset(["FROM", "WHERE", "HAVING", "LIMIT", "OFFSET", "USING", "WITH"])
_COMPARISONS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    pos: int

    @property
    def word(self) -> str:
        """The token as a keyword; empty when it cannot be one."""
        return self.text.upper() if self.kind == "name" else ""


def parse(text: str) -> Query:
    """The query a text means. Raises `ApiError` MALFORMED_QUERY, or QUERY_TOO_COMPLICATED beyond all bounds."""
    if len(text) > MAX_LENGTH:
        raise ApiError("QUERY_TOO_COMPLICATED", f"SOQL statement is longer than {MAX_LENGTH} characters")
    try:
        return Parser(text).parse()
    except RecursionError:
        raise ApiError("QUERY_TOO_COMPLICATED", "the conditions are nested too deeply") from None


def place(text: str, pos: int, message: str, width: int = 0) -> str:
    """An error message with the text around it and a caret below, the way Salesforce shows where it stumbled."""
    start = max(text.rfind("\n", 0, pos) + 1, pos - 45)
    end = text.find("\n", pos)
    shown = text[start : min(end if end >= 0 else len(text), pos + max(width, 1) + 40)]
    row = text.count("\n", 0, pos) + 1
    column = pos - text.rfind("\n", 0, pos)
    return f"\n{shown}\n{' ' * (pos - start)}^\nERROR at Row:{row}:Column:{column}\n{message}"


class Parser:
    """Reads one text. `start` is where its first token is looked for."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._text = text
        self._tokens = list(self._scan(start))
        self._at = 0

    def parse(self) -> Query:
        if self._next.kind == "end" and not self._text.strip():
            raise ApiError("MALFORMED_QUERY", "unexpected token: '<EOF>'")
        query = self._query(top=True)
        if self._next.kind != "end":
            raise self._unexpected()
        return query

    def _scan(self, at: int) -> list[_Token]:
        tokens: list[_Token] = []
        while not tokens or tokens[-1].kind != "end":
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                blank = re.compile(r"\s*").match(self._text, at)
                at = blank.end() if blank else at
                raise self._error(at, f"line 1:{at} no viable alternative at character '{self._text[at]}'")
            tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return tokens

    # -- what comes next

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _skip(self, *words: str) -> bool:
        """Pass these keywords or signs, if they are all next."""
        upcoming = self._tokens[self._at : self._at + len(words)]
        if len(upcoming) == len(words) and all(
            token.word == word or (token.kind == "sign" and token.text == word)
            for token, word in zip(upcoming, words, strict=True)
        ):
            self._at += len(words)
            return True
        return False

    def _need(self, *words: str) -> None:
        for word in words:
            if not self._skip(word):
                raise self._unexpected(expected=word)

    def _unexpected(self, expected: str | None = None) -> ApiError:
        token = self._next
        shown = "<EOF>" if token.kind == "end" else token.text
        message = f"unexpected token: '{shown}'"
        if expected is not None and token.kind == "end":
            message = f"expecting '{expected}', found '<EOF>'"
        return self._error(token.pos, message)

    def _error(self, pos: int, message: str) -> ApiError:
        return ApiError("MALFORMED_QUERY", place(self._text, pos, message))

    # -- the grammar

    def _query(self, *, top: bool = False, below: bool = False) -> Query:
        """`top` is the query itself, `below` one for the children of its rows; else it is a semi-join."""
        pos = self._next.pos
        self._need("SELECT")
        selected = self._selection(children=top or below)
        self._need("FROM")
        source_pos = self._next.pos
        source = self._dotted() if below else self._name()
        alias = self._alias()
        aliases = []
        while not below and self._skip(","):
            path = self._path()
            aliases.append((self._alias() or path.parts[-1], path))
        return replace(self._clauses(selected, source, source_pos, alias, pos, top=top), aliases=tuple(aliases))

    def _clauses(
        self,
        selected: tuple[Selected, ...],
        source: str,
        source_pos: int,
        alias: str | None,
        pos: int,
        *,
        top: bool,
    ) -> Query:
        """Everything from behind the FROM."""
        scope = self._name() if self._skip("USING", "SCOPE") else None
        where = self._condition() if self._skip("WHERE") else None
        if self._skip("WITH") and not (self._skip("SECURITY_ENFORCED") or self._skip("USER_MODE")):
            raise self._unexpected()
        grouping, group_by = self._groups() if self._skip("GROUP", "BY") else ("", ())
        having = self._condition() if group_by and self._skip("HAVING") else None
        order_by = self._orders() if self._skip("ORDER", "BY") else ()
        limit = self._whole_number() if self._skip("LIMIT") else None
        offset = self._offset() if self._skip("OFFSET") else 0
        self._purpose(top=top)
        return Query(
            selected, source, source_pos, alias, where, group_by, having, order_by, limit, offset, pos,
            grouping, scope,
        )  # fmt: skip

    def _selection(self, *, children: bool) -> tuple[Selected, ...]:
        selected = [self._selected(children=children)]
        while self._skip(","):
            selected.append(self._selected(children=children))
        queries = [each.what for each in selected if isinstance(each.what, Query)]
        if len(queries) > MAX_CHILDREN:
            message = f"no more than {MAX_CHILDREN} parent-to-child relationships can be specified in a query"
            raise self._error(queries[-1].pos, message)
        return tuple(selected)

    def _selected(self, *, children: bool) -> Selected:
        if children and self._skip("("):
            query = self._query(below=True)
            self._need(")")
            return Selected(query, None)
        what = self._operand()
        return Selected(what, self._alias())

    def _operand(self) -> Operand:
        token = self._next
        name = self._path()
        if not self._skip("("):
            return name
        called = name.text.upper()
        if called not in FUNCTIONS:
            raise self._error(token.pos, f"Invalid function: {name.text}")
        argument = None if called == "COUNT" and self._next.text == ")" else self._operand()
        self._need(")")
        return Call(called, argument, token.pos)

    def _groups(self) -> tuple[str, tuple[Operand, ...]]:
        """`a, b`, `ROLLUP(a, b)` or `CUBE(a, b)`."""
        together = self._next
        for grouping in ("ROLLUP", "CUBE"):
            if self._skip(grouping, "("):
                operands = self._operands()
                self._need(")")
                if len(operands) > MAX_GROUPED_TOGETHER:
                    message = f"{grouping} takes at most {MAX_GROUPED_TOGETHER} fields"
                    raise self._error(together.pos, message)
                return grouping, operands
        return "", self._operands()

    def _path(self) -> Path:
        token = self._next
        return Path(tuple(part.strip() for part in self._dotted().split(".")), token.pos)

    def _dotted(self) -> str:
        if self._next.kind != "name" or self._next.word in _NEVER_NAMES:
            raise self._unexpected()
        return self._take().text

    def _name(self) -> str:
        token = self._next
        name = self._dotted()
        if "." in name:
            raise self._error(token.pos, f"unexpected token: '{name}'")
        return name

    def _alias(self) -> str | None:
        if self._skip("AS"):
            return self._name()
        if self._next.kind == "name" and self._next.word not in _CLAUSES and "." not in self._next.text:
            return self._take().text
        return None

    def _operands(self) -> tuple[Operand, ...]:
        operands = [self._operand()]
        while self._skip(","):
            operands.append(self._operand())
        return tuple(operands)

    def _orders(self) -> tuple[Order, ...]:
        orders = [self._order()]
        while self._skip(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        what = self._operand()
        descending = self._skip("DESC")
        if not descending:
            self._skip("ASC")
        nulls_first = self._skip("NULLS", "FIRST") or not self._skip("NULLS", "LAST")
        return Order(what, descending, nulls_first)

    def _offset(self) -> int:
        offset = self._whole_number()
        if offset > MAX_OFFSET:
            raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        return offset

    def _whole_number(self) -> int:
        text = self._next.text
        if self._next.kind != "number" or not text.isdecimal() or len(text) > MAX_DIGITS:
            raise self._unexpected()
        return int(self._take().text)

    def _purpose(self, *, top: bool) -> None:
        """FOR VIEW, REFERENCE or UPDATE, and ALL ROWS: they change nothing over REST."""
        while top and (self._skip("FOR", "VIEW") or self._skip("FOR", "REFERENCE") or self._skip("FOR", "UPDATE")):
            pass
        if top:
            self._skip("ALL", "ROWS")

    def _condition(self) -> Condition:
        parts = [self._term()]
        joined = self._next.word
        if joined not in {"AND", "OR"}:
            return parts[0]
        while self._skip(joined):
            parts.append(self._term())
        if self._next.word in {"AND", "OR"}:
            raise self._unexpected()
        return Chain(joined, tuple(parts))

    def _term(self) -> Condition:
        if self._skip("NOT"):
            return Not(self._term())
        if self._skip("("):
            inner = self._condition()
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        left = self._operand()
        token = self._next
        if token.kind == "sign" and token.text in _COMPARISONS:
            self._take()
            return Compare(left, _COMPARISONS[token.text], self._literal())
        if self._skip("LIKE"):
            return Compare(left, "LIKE", self._literal())
        if self._skip("INCLUDES"):
            self._need("(")
            return Among(left, "INCLUDES", negated=False, values=self._literals())
        if self._skip("EXCLUDES"):
            self._need("(")
            return Among(left, "INCLUDES", negated=True, values=self._literals())
        negated = self._skip("NOT")
        if not self._skip("IN"):
            raise self._unexpected()
        self._need("(")
        if self._next.word == "SELECT":
            query = self._query()
            self._need(")")
            return AmongRows(left, negated, query)
        return Among(left, "IN", negated, self._literals())

    def _literals(self) -> tuple[Literal, ...]:
        """What stands behind an open parenthesis, with the one that closes it."""
        values = [self._literal()]
        while self._skip(","):
            values.append(self._literal())
        self._need(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self._next
        simple = {"number": Kind.NUMBER, "date": Kind.DATE, "moment": Kind.MOMENT}.get(token.kind)
        if simple is not None:
            self._take()
            return Literal(simple, token.text, token.pos)
        if token.kind == "text":
            self._take()
            return Literal(Kind.TEXT, self._unescaped(token), token.pos)
        if token.word == "NULL":
            self._take()
            return Literal(Kind.NULL, "", token.pos)
        if token.word in {"TRUE", "FALSE"}:
            self._take()
            return Literal(Kind.BOOLEAN, token.word, token.pos)
        if token.kind == "money" or _MONEY.fullmatch(token.word):
            self._take()
            return Literal(Kind.MONEY, token.text.upper(), token.pos)
        return self._period()

    def _period(self) -> Literal:
        token = self._next
        if _PERIOD.fullmatch(token.word):
            self._take()
            return Literal(Kind.PERIOD, token.word, token.pos)
        if _COUNTED_PERIOD.fullmatch(token.word):
            self._take()
            self._need(":")
            return Literal(Kind.PERIOD, token.word, token.pos, self._whole_number())
        raise self._unexpected()

    def _unescaped(self, token: _Token) -> str:
        def plain(match: re.Match[str]) -> str:
            escape = match[1]
            if len(escape) == 5:
                return chr(int(escape[1:], 16))
            if escape not in _ESCAPES:
                pos = token.pos + 1 + match.start()
                raise self._error(pos, f"Illegal escape sequence: \\{escape}")
            return _ESCAPES[escape]

        return _ESCAPE.sub(plain, token.text[1:-1])
