"""The parts of a SOQL query, as they were written. Positions are offsets into the text, for error messages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
DATE_FUNCTIONS = frozenset({
    "CALENDAR_MONTH", "CALENDAR_QUARTER", "CALENDAR_YEAR", "DAY_IN_MONTH", "DAY_IN_WEEK", "DAY_IN_YEAR", "DAY_ONLY",
    "FISCAL_MONTH", "FISCAL_QUARTER", "FISCAL_YEAR", "HOUR_IN_DAY", "WEEK_IN_MONTH", "WEEK_IN_YEAR",
})  # fmt: skip
# Those that only change how a value is shown, by their upper-case names.
SHOWING = frozenset({"FORMAT", "TOLABEL", "CONVERTCURRENCY"})
FUNCTIONS = AGGREGATES | DATE_FUNCTIONS | SHOWING | {"CONVERTTIMEZONE", "FIELDS", "GROUPING"}


class Kind(Enum):
    """What a literal was written as."""

    TEXT = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    DATE = "date"
    MOMENT = "dateTime"
    PERIOD = "date literal"
    MONEY = "currency"


@dataclass(frozen=True, slots=True)
class Literal:
    r"""A value. Text keeps the escapes of LIKE (`\%`, `\_`); a period is its name and, perhaps, its n; money is
    an ISO code with an amount right behind it (`USD5000`).
    """

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
    """A function, by its upper-case name, of a field or of another function: `FORMAT(MIN(CloseDate))`. Only
    `COUNT()` is of nothing.
    """

    name: str
    argument: Operand | None
    pos: int

    @property
    def innermost(self) -> Path | None:
        """The field that is worked on."""
        return self.argument.innermost if isinstance(self.argument, Call) else self.argument

    @property
    def aggregates(self) -> bool:
        """Whether its value is one of a group of rows."""
        inside = isinstance(self.argument, Call) and self.argument.aggregates
        return inside or self.name in AGGREGATES or self.name == "GROUPING"

    def of(self, path: Path) -> Call:
        """The same function of another field."""
        return replace(self, argument=self.argument.of(path) if isinstance(self.argument, Call) else path)


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
    """A semi-join: `AccountId IN (SELECT Id FROM Account …)`, or its negation, the anti-join."""

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
    """A query or sub-query. `grouping` is empty, ROLLUP or CUBE; `scope` is the name after USING SCOPE; `aliases`
    are the names for relationships in `FROM Contact c, c.Account a`.
    """

    selected: tuple[Selected, ...]
    source: str
    source_pos: int
    alias: str | None
    where: Condition | None
    group_by: tuple[Operand, ...]
    having: Condition | None
    order_by: tuple[Order, ...]
    limit: int | None
    offset: int
    pos: int
    grouping: str = ""
    scope: str | None = None
    aliases: tuple[tuple[str, Path], ...] = ()
