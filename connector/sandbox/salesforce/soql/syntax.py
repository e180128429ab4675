"""The parts of a SOQL query, as they were written. Positions are offsets into the text, for error messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Kind(Enum):
    """What a literal was written as."""

    TEXT = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    DATE = "date"
    MOMENT = "dateTime"
    PERIOD = "date literal"


@dataclass(frozen=True, slots=True)
class Literal:
    r"""A value. Text keeps the escapes of LIKE (`\%`, `\_`); a period is its name and, perhaps, its n."""

    kind: Kind
    text: str
    pos: int
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps over relationships: `Opportunity.Account.Name`."""

    parts: tuple[str, ...]
    pos: int

    @property
    def text(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Call:
    """`COUNT()`, `COUNT(x)`, `COUNT_DISTINCT(x)`, `SUM(x)`, `AVG(x)`, `MIN(x)`, `MAX(x)`; or `FIELDS(ALL)`."""

    name: str
    argument: Path | None
    pos: int


Operand: TypeAlias = Path | Call


@dataclass(frozen=True, slots=True)
class Selected:
    """One entry of the field list."""

    what: Path | Call | Query
    alias: str | None


@dataclass(frozen=True, slots=True)
class Compare:
    """`=`, `!=`, `<`, `<=`, `>`, `>=` or `LIKE`."""

    left: Operand
    operator: str
    right: Literal


@dataclass(frozen=True, slots=True)
class Among:
    """`IN`, `INCLUDES`, or their negations, with a list of values."""

    left: Operand
    operator: str
    negated: bool
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class AmongRows:
    """A semi-join: `AccountId IN (SELECT Id FROM Account …)`, or its negation."""

    left: Operand
    negated: bool
    query: Query


@dataclass(frozen=True, slots=True)
class Not:
    inner: Condition


@dataclass(frozen=True, slots=True)
class Chain:
    """Conditions joined by one operator only, AND or OR; Salesforce wants parentheses around a mixture."""

    operator: str
    parts: tuple[Condition, ...]


Condition: TypeAlias = Compare | Among | AmongRows | Not | Chain


@dataclass(frozen=True, slots=True)
class Order:
    """One entry of ORDER BY. Nulls come first unless it is said otherwise."""

    what: Operand
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A query or sub-query."""

    selected: tuple[Selected, ...]
    source: str
    source_pos: int
    alias: str | None
    where: Condition | None
    group_by: tuple[Path, ...]
    having: Condition | None
    order_by: tuple[Order, ...]
    limit: int | None
    offset: int
    pos: int
