"""The `scope:` of a mapping file: what may be written there, and the filter it means (A8).

    scope:
      salesforce:                          # all of these
        - {field: Type, is_not: Partner}
        - any:                             # one of these
            - {field: Amount, at_least: 10000}
            - {field: StageName, in: [Negotiation/Review, Closed Won]}
      hubspot:
        any:
          - {field: region, filled: true}
          - {field: sync_to_salesforce, is: true}

Numbers are compared as numbers, dates (2026-01-31) as days in the time zone of the settings, anything in quotes as
text without regard to upper and lower case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from connector.core.model import Side
from connector.core.scope import Bound, Condition, Question, Scope

Given = str | int | float | bool | date | datetime
Place = Callable[[tuple[int | str, ...]], tuple[str, int]]
"""Where a part of the document stands: (file, line)."""

_LISTS = {Question.IN, Question.NOT_IN}
_SWITCHES = {Question.FILLED, Question.BLANK}
_BOUNDS = {Question.AT_LEAST, Question.AT_MOST}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Entry(_Strict):
    """A condition (`field` and one question), or conditions combined by `all` or `any`."""

    field: str | None = Field(None, min_length=1, description="the field or property that the condition is about")
    is_: Any = Field(None, alias="is", description="it has this value")
    is_not: Any = Field(None, description="it has another value, or none")
    in_: list[Any] | None = Field(None, alias="in", min_length=1, description="it has one of these values")
    not_in: list[Any] | None = Field(None, min_length=1, description="it has none of these values")
    contains: str | None = Field(None, min_length=1, description="this text is in it, in upper or lower case")
    at_least: Any = Field(None, description="it is this number or date, or a larger one")
    at_most: Any = Field(None, description="it is this number or date, or a smaller one")
    filled: bool | None = Field(None, description="it has a value")
    blank: bool | None = Field(None, description="it has no value")
    all_: list[Entry] | None = Field(None, alias="all", min_length=1, description="all of these conditions")
    any_: list[Entry] | None = Field(None, alias="any", min_length=1, description="one of these conditions")

    @field_validator("is_", "is_not", "in_", "not_in", "at_least", "at_most")
    @classmethod
    def _is_plain(cls, given: Any, info: ValidationInfo) -> Any:
        for one in given if info.field_name in {"in_", "not_in"} and given is not None else [given]:
            if one is not None and not isinstance(one, str | int | float | bool | date):
                raise ValueError("should be text, a number, a date, or true or false")
            if isinstance(one, float) and not Decimal(str(one)).is_finite():
                raise ValueError("should be a number that is finite")
            if info.field_name in {"at_least", "at_most"} and isinstance(one, str | bool):
                raise ValueError("should be a number or a date (2026-01-31), without quotes")
        return given

    @model_validator(mode="after")
    def _ask_one_thing(self) -> Entry:
        groups = [one for one in (self.all_, self.any_) if one is not None]
        asked = self.questions
        if self.field is None and len(groups) == 1 and not asked:
            return self
        if self.field is None or groups or len(asked) != 1:
            names = ", ".join(Question)
            raise ValueError(
                f"a condition is a `field` and one of {names}; or it is a list under `all` or `any`"
                " → e.g. {field: Type, is: Customer}"
            )
        return self

    @property
    def questions(self) -> dict[Question, Any]:
        given = {
            Question.IS: self.is_, Question.IS_NOT: self.is_not, Question.IN: self.in_,
            Question.NOT_IN: self.not_in, Question.CONTAINS: self.contains, Question.AT_LEAST: self.at_least,
            Question.AT_MOST: self.at_most, Question.FILLED: self.filled, Question.BLANK: self.blank,
        }  # fmt: skip
        return {question: value for question, value in given.items() if value is not None}


def _show_lists(schema: dict[str, Any]) -> None:
    """A file may also say a list, which the model takes for `all` of it."""
    for side in schema["properties"].values():
        entry = next(one for one in side["anyOf"] if "$ref" in one)
        side["anyOf"].insert(1, {"type": "array", "items": dict(entry), "minItems": 1})


class Scopes(_Strict):
    """The filters of both sides; a list is `all` of it."""

    model_config = ConfigDict(json_schema_extra=_show_lists)

    salesforce: Entry | None = Field(None, description="which Salesforce records sync")
    hubspot: Entry | None = Field(None, description="which HubSpot records sync")

    @field_validator("salesforce", "hubspot", mode="before")
    @classmethod
    def _take_list(cls, given: Any) -> Any:
        return {"all": given} if isinstance(given, list) else given

    def build(self, zone: tzinfo, place: Place) -> Mapping[Side, Scope]:
        """The filters. `place` tells where a part of this document stands."""
        given = {Side.SALESFORCE: self.salesforce, Side.HUBSPOT: self.hubspot}
        return {side: _group(entry, zone, place, (side.value,)) for side, entry in given.items() if entry}


def _group(entry: Entry, zone: tzinfo, place: Place, at: tuple[int | str, ...]) -> Scope:
    for name, parts in (("all", entry.all_), ("any", entry.any_)):
        if parts is not None:
            built = tuple(_part(one, zone, place, (*at, name, number)) for number, one in enumerate(parts))
            return Scope(built, every=name == "all")
    return Scope((_condition(entry, zone, place(at)),))


def _part(entry: Entry, zone: tzinfo, place: Place, at: tuple[int | str, ...]) -> Condition | Scope:
    return _group(entry, zone, place, at) if entry.field is None else _condition(entry, zone, place(at))


def _condition(entry: Entry, zone: tzinfo, place: tuple[str, int]) -> Condition:
    [(question, value)] = entry.questions.items()
    if question in _SWITCHES:
        if value is False:  # not filled is blank, and the other way round
            question = (_SWITCHES - {question}).pop()
        return Condition(entry.field or "", question, (), zone, place)
    values = value if question in _LISTS else [value]
    return Condition(entry.field or "", question, tuple(_bound(one) for one in values), zone, place)


def _bound(given: Given) -> Bound:
    match given:
        case bool() | str():
            return given
        case int() | float():
            return Decimal(str(given))
        case datetime():
            return given if given.tzinfo else given.replace(tzinfo=UTC)
        case _:
            return given
