"""A formula that is ready to be evaluated, and its evaluation.

What cannot be worked out (a division by zero, text that is no number, a day that no month has) has no result,
as the API answers null where a page shows `#Error!`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from connector.sandbox.salesforce.formula.functions import FUNCTIONS, equal
from connector.sandbox.salesforce.formula.kinds import Checker
from connector.sandbox.salesforce.formula.parser import parse
from connector.sandbox.salesforce.formula.syntax import Call, Literal, Node, Path, Reference, Value


class Reader(Protocol):
    """The record a formula is evaluated for."""

    @property
    def now(self) -> datetime: ...

    @property
    def is_new(self) -> bool: ...

    def read(self, path: Path) -> Value:
        """The value of a field as it is, or is about to be."""

    def prior(self, path: Path) -> Value:
        """The value of a field before the change; of a new record, the one it is created with."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked formula: its text, and the kind of its result."""

    text: str
    kind: str
    root: Node

    def evaluate(self, reader: Reader) -> Value:
        """The result for a record; None when there is none, or it cannot be worked out."""
        try:
            result = _value(self.root, reader)
        except (ArithmeticError, ValueError, re.error):
            return None
        return None if result == "" else result

    def paths(self) -> Iterator[Path]:
        """The fields the formula names."""
        ahead = [self.root]
        while ahead:
            node = ahead.pop()
            if isinstance(node, Reference):
                yield node.path
            elif isinstance(node, Call):
                ahead.extend(node.arguments)


def compile_formula(text: str, find: Callable[[Path], str | None], *, rule: bool = False) -> Formula:
    """Read and check a formula. Raises `FormulaError` with the place of what is wrong.

    `find` gives the kind of the field at a path, None when there is none; `rule` allows the functions that ask
    what changes.
    """
    root = parse(text)
    return Formula(text, Checker(find, rule=rule).kind(root), root)


def _value(node: Node, reader: Reader) -> Any:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Reference):
        return reader.read(node.path)
    special = _SPECIAL.get(node.name)
    if special is not None:
        return special(node.arguments, reader)
    function = FUNCTIONS[node.name]
    values = [_value(each, reader) for each in node.arguments]
    if function.apply is None or (not function.lenient and None in values):
        return None
    return function.apply(*values)


def _all(arguments: tuple[Node, ...], reader: Reader) -> bool:
    return all(_value(each, reader) for each in arguments)


def _any(arguments: tuple[Node, ...], reader: Reader) -> bool:
    return any(_value(each, reader) for each in arguments)


def _if(arguments: tuple[Node, ...], reader: Reader) -> Any:
    condition, then, otherwise = arguments
    return _value(then if _value(condition, reader) else otherwise, reader)


def _case(arguments: tuple[Node, ...], reader: Reader) -> Any:
    compared = _value(arguments[0], reader)
    for value, result in zip(arguments[1:-1:2], arguments[2:-1:2], strict=True):
        if equal(compared, _value(value, reader)):
            return _value(result, reader)
    return _value(arguments[-1], reader)


def _is_changed(arguments: tuple[Node, ...], reader: Reader) -> bool:
    path = _path(arguments)
    return not reader.is_new and not equal(reader.read(path), reader.prior(path))


def _prior(arguments: tuple[Node, ...], reader: Reader) -> Value:
    return reader.prior(_path(arguments))


def _path(arguments: tuple[Node, ...]) -> Path:
    return next(each.path for each in arguments if isinstance(each, Reference))


_SPECIAL: dict[str, Callable[[tuple[Node, ...], Reader], Any]] = {
    "AND": _all,
    "&&": _all,
    "OR": _any,
    "||": _any,
    "IF": _if,
    "CASE": _case,
    "ISCHANGED": _is_changed,
    "PRIORVALUE": _prior,
    "ISNEW": lambda _, reader: reader.is_new,
    "TODAY": lambda _, reader: reader.now.astimezone(UTC).date(),
    "NOW": lambda _, reader: reader.now,
}
