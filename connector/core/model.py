"""The words of this program, as types.

    record   what one CRM holds (id, version, fields)        link     two records that are the same thing
    seen     the latest observation of a record              base     how each side looked when they agreed
    rule     which side of a field wins                      plan     what a run would write, and why
    problem  a record that could not be synced

Values are what JSON has: text, number, true/false, or None for blank. Times are ISO 8601 text in UTC.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Value = str | int | float | bool | None
Values = tuple[Value, ...]
Fields = Mapping[str, Value]


class Side(StrEnum):
    SALESFORCE = "salesforce"
    HUBSPOT = "hubspot"

    @property
    def other(self) -> Side:
        return Side.HUBSPOT if self is Side.SALESFORCE else Side.SALESFORCE


class Presence(StrEnum):
    """Absence needs a reason (D6): only DELETED may ever propagate."""

    PRESENT = "present"
    DELETED = "deleted"
    MERGED = "merged"
    INVISIBLE = "invisible"


@dataclass(frozen=True, slots=True)
class Record:
    """One observation of one record. `partner_id` is the id of the other side's record that it stores."""

    side: Side
    object: str
    id: str
    version: str
    fields: Fields
    created: str = ""
    modified: str = ""
    partner_id: str | None = None
    presence: Presence = Presence.PRESENT

    @property
    def present(self) -> bool:
        return self.presence is Presence.PRESENT


class LinkState(StrEnum):
    """PENDING: a creation was begun and its outcome is not known yet. SEVERED: D3. CLOSED: both are gone."""

    PENDING = "pending"
    LINKED = "linked"
    SEVERED = "severed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Base:
    """How each side looked when they last agreed; per side, so that no conversion looks like an edit."""

    salesforce: Fields = field(default_factory=dict)
    hubspot: Fields = field(default_factory=dict)

    @classmethod
    def make(cls, side: Side, here: Fields, there: Fields) -> Base:
        """The base whose `side` looks like `here` and whose other side looks like `there`."""
        return cls(here, there) if side is Side.SALESFORCE else cls(there, here)

    def merged(self, other: Base) -> Base:
        """This base with everything `other` knows put over it."""
        return Base({**self.salesforce, **other.salesforce}, {**self.hubspot, **other.hubspot})

    def __bool__(self) -> bool:
        return bool(self.salesforce or self.hubspot)


@dataclass(frozen=True, slots=True)
class Link:
    """Two records known to be the same thing. An id may be None only while the link is pending."""

    id: int
    pair: str
    salesforce_id: str | None
    hubspot_id: str | None
    state: LinkState
    born: Side
    base: Base = field(default_factory=Base)

    def id_of(self, side: Side) -> str | None:
        return self.salesforce_id if side is Side.SALESFORCE else self.hubspot_id


class Rule(StrEnum):
    """Who wins, per field (section F)."""

    PREFER_SALESFORCE_UNLESS_BLANK = "prefer_salesforce_unless_blank"
    ALWAYS_SALESFORCE = "always_salesforce"
    TWO_WAY = "two_way"
    DONT_SYNC = "dont_sync"
    ALWAYS_HUBSPOT = "always_hubspot"
    HOLD = "hold"


class OnTargetEdit(StrEnum):
    """What becomes of an edit on the target of a one-way rule (F6)."""

    RESTORE = "restore"
    LEAVE = "leave"


class ProblemClass(StrEnum):
    """The classes of section E."""

    ASSOCIATIONS = "associations"
    CUSTOM_CODE = "custom code"
    DUPLICATES = "duplicates"
    PERMISSIONS = "permissions"
    PROPERTY_VALUES = "property values"
    FIELD_MAPPING = "field mapping"
    API_LIMIT = "API limit"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Cannot:
    """A value that has no counterpart on the other side.

    `needs` is (pair, side, id) when the counterpart may still come: then the field waits instead of failing.
    `about` is (side, object, id) when it is something else's fault, such as an owner's: reported once (A5).
    """

    reason: str
    remedy: str = ""
    needs: tuple[str, Side, str] | None = None
    about: tuple[Side, str, str] | None = None


class Known(Protocol):
    """What a transform may ask about the world; answered from what was observed, never from the network."""

    def partner(self, pair: str, to: Side, id_: str) -> str | None:
        """The id of the linked record on side `to`."""

    def owner(self, to: Side, id_: str) -> str | Cannot:
        """The owner on side `to` for an owner id of the other side (A5)."""

    def stage(self, to: Side, group: str | None, stage: str) -> tuple[str | None, str] | Cannot:
        """(record type, stage) <-> (pipeline, stage), by ids and API names (O2-O4)."""


class Transform(Protocol):
    """A pair of conversions, forth and back, with an idea of equality on each side.

    Laws: `carry(to, carry(from, carry(to, x))) == carry(to, x)`, and meaning is what counts as an edit:
    two values of one meaning are the same value (F7).
    """

    def meaning(self, side: Side, values: Values) -> Hashable:
        """What `values` of `side` mean; equal meanings are no edit."""

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        """The values of the other side, as side `to` writes them."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One mapped pair of fields: one field a side, or two that only make sense together (stage)."""

    salesforce: tuple[str, ...]
    hubspot: tuple[str, ...]
    rule: Rule
    transform: Transform
    on_target_edit: OnTargetEdit = OnTargetEdit.RESTORE
    at_creation_only: bool = False
    defaults: Mapping[Side, Values] = field(default_factory=dict)
    skip_untranslatable: bool = False

    def names(self, side: Side) -> tuple[str, ...]:
        return self.salesforce if side is Side.SALESFORCE else self.hubspot

    def values(self, side: Side, fields: Fields) -> Values | None:
        """This rule's values in `fields`, or None if they were not observed."""
        names = self.names(side)
        return tuple(fields[name] for name in names) if all(name in fields for name in names) else None

    @property
    def label(self) -> str:
        return f"{'+'.join(self.salesforce)} ↔ {'+'.join(self.hubspot)}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two objects that are kept in step, and how."""

    name: str
    salesforce: str
    hubspot: str
    fields: tuple[FieldRule, ...]
    creates: frozenset[Side]
    required: Mapping[Side, tuple[str, ...]] = field(default_factory=dict)
    partner_field: Mapping[Side, str] = field(default_factory=dict)
    match_on: Mapping[Side, str] = field(default_factory=dict)
    deletes: frozenset[Side] = frozenset()
    """The sides from which a deletion travels to the other one (D1, D2, D5)."""

    def object(self, side: Side) -> str:
        return self.salesforce if side is Side.SALESFORCE else self.hubspot


@dataclass(frozen=True, slots=True)
class Change:
    """One field that is to be written, and why: `rule` is a rule id, `cause` names what moved."""

    field: str
    old: Value
    new: Value
    rule: str
    cause: str
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that could not be synced, or one of its fields."""

    side: Side
    object: str
    record_id: str
    cause: ProblemClass
    code: str
    detail: str
    remedy: str = ""
    field: str = ""
