"""From the text of a formula to its syntax. What is no formula is refused in Salesforce's words.

From loosely to tightly bound: `||`, `&&`, comparisons, `&`, `+ -`, `* /`, `^`, then the prefixes `-`, `+` and `!`.
Names of functions and fields know no case; text stands in single or double quotes, with a backslash before what
would end it; `/* … */` is a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from connector.sandbox.salesforce.formula.syntax import Call, FormulaError, Literal, Node, Reference

MAX_LENGTH = 3_900
MAX_DEPTH = 100

_TOKEN = re.compile(
    r"""\s*(?:/\*.*?\*/\s*)*(?:
        (?P<number>\d+(?:\.\d*)?|\.\d+)
      | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<name>\$?[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)
      | (?P<sign>&&|\|\||==|!=|<>|<=|>=|[-+*/^&=<>(),!])
      | (?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_STRENGTHS = {
    sign: strength
    for strength, signs in enumerate(
        (("||",), ("&&",), ("=", "<>", "<", "<=", ">", ">="), ("&",), ("+", "-"), ("*", "/"), ("^",)), 1
    )
    for sign in signs
}
_SAME = {"==": "=", "!=": "<>"}
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}


def parse(text: str) -> Node:
    """The syntax of a formula. Raises `FormulaError`."""
    if len(text) > MAX_LENGTH:
        message = f"Formula is too long ({len(text):,} characters). Maximum length is {MAX_LENGTH:,} characters."
        raise FormulaError(message, MAX_LENGTH)
    return _Parser(text).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _split(text)
        self._next = 0
        self._open = 0

    def whole(self) -> Node:
        node = self._expression(1)
        token = self._token
        if token.kind != "end":
            message = "Syntax error. Extra ')'" if token.text == ")" else f"Syntax error. Found '{token.text}'"
            raise FormulaError(message, token.position)
        return node

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, sign: str) -> bool:
        if self._token.kind != "sign" or self._token.text != sign:
            return False
        self._next += 1
        return True

    def _expression(self, weakest: int) -> Node:
        self._open += 1
        if self._open > MAX_DEPTH:
            raise FormulaError("Compiled formula is too big to execute", self._token.position)
        left = self._operand()
        while self._token.kind == "sign":
            sign, position = _SAME.get(self._token.text, self._token.text), self._token.position
            strength = _STRENGTHS.get(sign, 0)
            if strength < weakest:
                break
            self._next += 1
            left = _call(sign, (left, self._expression(strength + 1)), position)
        self._open -= 1
        return left

    def _operand(self) -> Node:
        token = self._token
        self._next += 1
        if token.kind == "number":
            return Literal(Decimal(token.text), token.position)
        if token.kind == "text":
            return Literal(_ESCAPE.sub(_unescape, token.text[1:-1]), token.position)
        if token.kind == "name":
            return self._named(token)
        if token.text == "(":
            node = self._expression(1)
            self._close()
            return node
        prefix = {"-": "negate", "+": "keep", "!": "NOT"}.get(token.text)
        if prefix is None or token.kind == "end":
            found = "end of formula" if token.kind == "end" else f"'{token.text}'"
            raise FormulaError(f"Syntax error. Found {found}", token.position)
        operand = self._expression(len(_STRENGTHS))
        return operand if prefix == "keep" else _call(prefix, (operand,), token.position)

    def _named(self, token: _Token) -> Node:
        if self._take("("):
            return _call(token.text.upper(), self._arguments(), token.position)
        if token.text.upper() in _CONSTANTS:
            return Literal(_CONSTANTS[token.text.upper()], token.position)
        return Reference(tuple(part.strip() for part in token.text.split(".")), token.position)

    def _arguments(self) -> tuple[Node, ...]:
        arguments: list[Node] = []
        if self._take(")"):
            return ()
        arguments.append(self._expression(1))
        while self._take(","):
            arguments.append(self._expression(1))
        self._close()
        return tuple(arguments)

    def _close(self) -> None:
        if not self._take(")"):
            found = f", found '{self._token.text}'" if self._token.text else ""
            raise FormulaError(f"Syntax error. Missing ')'{found}", self._token.position)


def _call(name: str, arguments: tuple[Node, ...], position: int) -> Call:
    depth = 1 + max((each.depth for each in arguments), default=0)
    if depth > MAX_DEPTH:
        raise FormulaError("Compiled formula is too big to execute", position)
    return Call(name, arguments, position, depth)


def _split(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while not tokens or tokens[-1].kind != "end":
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise FormulaError(f"Syntax error. Found '{text[place]}'", place)
        tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return tokens


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])
