"""Does a record take part in the sync? The scope filters of the mapping files (A8).

    is, is_not            the value is this one; upper and lower case are the same
    in, not_in            the value is one of these
    contains              the value has this text in it
    at_least, at_most     a number or a date on this side of a bound, the bound included
    filled, blank         there is a value, there is none

Conditions are combined by all or any, to any depth. Blank is a value like any other: it is not `Partner`, it is
in no list, and it is neither at least nor at most anything. What was not observed is not known, and what is not
known keeps no record out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from connector.core.model import Fields, Value

Bound = str | Decimal | bool | date | datetime


class Question(StrEnum):
    """What a condition asks of a field."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    FILLED = "filled"
    BLANK = "blank"


NEGATED = {Question.IS_NOT, Question.NOT_IN, Question.BLANK}
"""Questions that say the opposite of another one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One field, asked one thing. `zone` tells on which day a moment falls; `place` is its (file, line)."""

    name: str
    question: Question
    bounds: tuple[Bound, ...] = ()
    zone: tzinfo = field(default=UTC, repr=False)
    place: tuple[str, int] = field(default=("", 0), repr=False, compare=False)

    @property
    def kind(self) -> str:
        """What its field must be for it to make sense: `number`, `date`, `truth`, or `any`."""
        kinds = {_kind(bound) for bound in self.bounds}
        return kinds.pop() if len(kinds) == 1 else "any"

    def admits(self, fields: Fields) -> bool | None:
        """Whether it is met; None while the field was never observed."""
        if self.name not in fields:
            return None
        negated = self.question in NEGATED
        return self._holds(fields[self.name]) is not negated

    def _holds(self, value: Value) -> bool:
        """Whether the question is met that this one is, or says the opposite of."""
        text = _text(value)
        match self.question:
            case Question.FILLED | Question.BLANK:
                return bool(text)
            case Question.CONTAINS:
                return any(str(bound).casefold() in text.casefold() for bound in self.bounds)
            case Question.AT_LEAST:
                return any(order is not None and order >= 0 for order in self._compare_all(value))
            case Question.AT_MOST:
                return any(order is not None and order <= 0 for order in self._compare_all(value))
            case _:
                return any(self._equals(value, bound) for bound in self.bounds)

    def _equals(self, value: Value, bound: Bound) -> bool:
        match bound:
            case bool():
                return (_text(value).casefold() == "true") is bound
            case str():
                return _text(value).casefold() == bound.strip().casefold()
            case _:
                return self._compare(value, bound) == 0

    def _compare_all(self, value: Value) -> Iterator[int | None]:
        return (self._compare(value, bound) for bound in self.bounds)

    def _compare(self, value: Value, bound: Bound) -> int | None:
        """-1, 0 or 1 as the value is before, at or after the bound; None if the two cannot be compared."""
        match bound:
            case Decimal():
                number = _number(value)
                return None if number is None else (number > bound) - (number < bound)
            case datetime():
                moment = _moment(value)
                return None if moment is None else (moment > bound) - (moment < bound)
            case date():
                day = self._day(value)
                return None if day is None else (day > bound) - (day < bound)
        return None

    def _day(self, value: Value) -> date | None:
        """A day as it is; of a moment, the day it falls on in the zone of the settings (F7)."""
        text = _text(value)
        if len(text) == len("YYYY-MM-DD"):
            try:
                return date.fromisoformat(text)
            except ValueError:
                return None
        moment = _moment(value)
        return None if moment is None else moment.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Scope:
    """Conditions of which all must be met, or any."""

    parts: tuple[Condition | Scope, ...] = ()
    every: bool = True

    def admits(self, fields: Fields) -> bool | None:
        """Whether a record with these fields is in scope; None while that cannot be told."""
        answers = [part.admits(fields) for part in self.parts]
        decisive = not self.every
        if decisive in answers:
            return decisive
        return None if None in answers else self.every

    def conditions(self) -> Iterator[Condition]:
        """Every condition in it, however deep."""
        for part in self.parts:
            if isinstance(part, Condition):
                yield part
            else:
                yield from part.conditions()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it asks about, each once."""
        return tuple(dict.fromkeys(one.name for one in self.conditions()))


def _kind(bound: Bound) -> str:
    match bound:
        case bool():
            return "truth"
        case Decimal():
            return "number"
        case date():
            return "date"
        case _:
            return "any"


def _text(value: Value) -> str:
    """A value as text, without blanks around it."""
    return "" if value is None else str(value).strip()


def _number(value: Value) -> Decimal | None:
    try:
        number = Decimal(_text(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(value: Value) -> datetime | None:
    """A moment; a day counts from its midnight in UTC. None for what is neither."""
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
