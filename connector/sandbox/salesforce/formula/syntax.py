"""What a formula is made of: literals, paths to fields, and calls. Operators are calls named by their sign.

| value | in Python |
|---|---|
| number, currency, percent (50 % is 0.5) | `Decimal` |
| text, picklist, id | `str`; blank is `""` |
| checkbox | `bool` |
| date, date and time | `date`, aware `datetime` |
| no number, no date | `None` |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Value = str | Decimal | bool | date | None
Path = tuple[str, ...]


class FormulaError(ValueError):
    """A formula that Salesforce would not let one save: why, and at which character (from 1)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (position {position + 1})")
        self.message = message
        self.position = position + 1


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the formula; there are no literals for dates. `None` is NULL."""

    value: str | Decimal | bool | None
    position: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of the record, of a parent (`Account.Industry`), or of the user (`$User.Id`)."""

    path: Path
    position: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator with what it is applied to. `depth` is how far calls are nested in it."""

    name: str
    arguments: tuple[Node, ...]
    position: int
    depth: int


Node = Literal | Reference | Call
