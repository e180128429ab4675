"""The words of this program, as types.

    record   what one CRM holds (id, version, fields)        link     two records that are the same thing
    seen     the latest observation of a record              base     how each side looked when they agreed
    rule     which side of a field wins                      plan     what a run would write, and why
    problem  a record that could not be synced

Values are what JSON has: text, number, true/false, or None for blank. Times are ISO 8601 text in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

Value = str | int | float | bool | None
Values = tuple[Value, ...]
Fields = Mapping[str, Value]

OPPORTUNITY = "Opportunity"
"""The Salesforce object that no deletion of HubSpot's ever reaches (D2, law 10)."""


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
    survivor: str | None = None
    """The record that it was merged into (A7)."""

    @property
    def present(self) -> bool:
        return self.presence is Presence.PRESENT


class ContactRole(NamedTuple):
    """One OpportunityContactRole: whose, and as what. `name` is its picklist value `Role`; None: blank."""

    opportunity: str
    contact: str
    name: str | None = None
    primary: bool | None = False
    """None: not read."""


class LinkState(StrEnum):
    """PENDING: a creation was begun and its outcome is not known yet. SEVERED: D3. CLOSED: both are gone.
    UNLINKED: a person ended it, and only a person takes it up again.

    FROZEN: one of the two is out of scope (A8); nothing is written to either until both are in scope again.
    """

    PENDING = "pending"
    LINKED = "linked"
    FROZEN = "frozen"
    SEVERED = "severed"
    UNLINKED = "unlinked"
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

    @property
    def has_ended(self) -> bool:
        """Whether these two are no pair any more, and nobody decided that it stays so."""
        return self.state in {LinkState.CLOSED, LinkState.SEVERED}


class Rule(StrEnum):
    """Who wins, per field (section F)."""

    PREFER_SALESFORCE_UNLESS_BLANK = "prefer_salesforce_unless_blank"
    ALWAYS_SALESFORCE = "always_salesforce"
    TWO_WAY = "two_way"
    DONT_SYNC = "dont_sync"
    ALWAYS_HUBSPOT = "always_hubspot"
    HOLD = "hold"

    def writes(self, side: Side) -> bool:
        """Whether values ever go to `side` by this rule, be it only while that is blank."""
        match self:
            case Rule.DONT_SYNC:
                return False
            case Rule.ALWAYS_SALESFORCE:
                return side is Side.HUBSPOT
            case Rule.ALWAYS_HUBSPOT:
                return side is Side.SALESFORCE
            case _:
                return True


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


class Filter(Protocol):
    """Which records of one side take part in the sync (A8)."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it asks about."""

    def admits(self, fields: Fields) -> bool | None:
        """Whether a record with these fields takes part; None while that cannot be told."""


class Transform(Protocol):
    """A pair of conversions, forth and back, with an idea of equality on each side.

    Laws: `carry(to, carry(from, carry(to, x))) == carry(to, x)`, and meaning is what counts as an edit:
    two values of one meaning are the same value (F7).
    """

    def meaning(self, side: Side, values: Values) -> Hashable:
        """What `values` of `side` mean; equal meanings are no edit."""

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        """The values of the other side, as side `to` writes them."""


@runtime_checkable
class Fitting(Protocol):
    """A transform that has several ways to say one thing, and keeps the one that the target says already."""

    def fit(self, to: Side, values: Values, onto: Values, known: Known) -> Values:
        """`values` as they suit side `to`, which holds `onto`. Both ways mean the same on the other side."""


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
    may_go_backwards: bool = False
    """For the lifecycle stage: whether it may be lowered or cleared in HubSpot (L8)."""
    personal: bool = False
    """Whether the journal keeps hashes in place of its values (G3)."""
    place: tuple[str, int] = field(default=("", 0), repr=False, compare=False)
    """The file and line that it was read from."""

    def names(self, side: Side) -> tuple[str, ...]:
        return self.salesforce if side is Side.SALESFORCE else self.hubspot

    def values(self, side: Side, fields: Fields) -> Values | None:
        """This rule's values in `fields`, or None if they were not observed."""
        names = self.names(side)
        return tuple(fields[name] for name in names) if all(name in fields for name in names) else None

    def fit(self, to: Side, values: Values, onto: Values, known: Known) -> Values:
        """What is to be written over `onto`, in the way that suits it best."""
        return self.transform.fit(to, values, onto, known) if isinstance(self.transform, Fitting) else values

    @property
    def label(self) -> str:
        return f"{'+'.join(self.salesforce)} ↔ {'+'.join(self.hubspot)}"


@dataclass(frozen=True, slots=True)
class RoleRules:
    """How the names of contact roles and the labels of associations are carried (R4).

    `labels` is Role -> association label; several may have one. `primary` is the label that stands for
    IsPrimary. `creates_labels`: labels that HubSpot lacks may be made there.
    """

    rule: Rule
    labels: Mapping[str, str]
    primary: str | None = None
    creates_labels: bool = True

    @property
    def every_label(self) -> tuple[str, ...]:
        """The labels in the order of the mapping file, each once."""
        return tuple(dict.fromkeys([*([self.primary] if self.primary else ()), *self.labels.values()]))


KeyValue = tuple[str, str]
"""A match key's name and a record's value of it, in the form in which equal means alike."""


@dataclass(frozen=True, slots=True)
class MatchKey:
    """A value by which records without a partner find one another: e-mail, domain, name.

    `read` gives the values that a field's value stands for, in the form in which equal means alike; none if it
    says nothing. Of several records with one value the oldest links if `oldest_links` (A3); otherwise a value
    that is not unique on both sides tells nobody apart, and all of them are held (A2).
    """

    name: str
    rule: str
    fields: Mapping[Side, tuple[str, ...]]
    read: Callable[[Value], tuple[str, ...]]
    oldest_links: bool = False

    def values(self, record: Record) -> tuple[KeyValue, ...]:
        found = (one for name in self.fields[record.side] for one in self.read(record.fields.get(name)))
        return tuple((self.name, one) for one in dict.fromkeys(found))


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
    match_on: tuple[MatchKey, ...] = ()
    """By what records without a stored id find one another, best first (A2, A3)."""
    deletes: frozenset[Side] = frozenset()
    """The sides from which a deletion travels to the other one (D1, D2, D5); of opportunities never HubSpot."""
    scope: Mapping[Side, Filter] = field(default_factory=dict)
    """The records that take part (A8); of a side without a filter all do."""
    roles: RoleRules | None = None
    """Of opportunities and deals: how their contacts' roles are named (R4). None: names are not carried."""

    def __post_init__(self) -> None:
        if self.salesforce == OPPORTUNITY and Side.HUBSPOT in self.deletes:
            raise ValueError("nothing that is done in HubSpot deletes an opportunity (D2, law 10)")

    def object(self, side: Side) -> str:
        return self.salesforce if side is Side.SALESFORCE else self.hubspot

    def admits(self, side: Side, fields: Fields) -> bool:
        """Whether a record with these fields is in scope. What was never observed keeps no record out (A8)."""
        return side not in self.scope or self.scope[side].admits(fields) is not False

    def match_fields(self, side: Side) -> tuple[str, ...]:
        """The fields of a side that its match keys are read from."""
        return tuple(name for key in self.match_on for name in key.fields[side])

    def match_values(self, record: Record) -> tuple[KeyValue, ...]:
        """The values of all match keys of a record, best first."""
        return tuple(value for key in self.match_on for value in key.values(record))


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
class Proof:
    """That this connector created a record: the number of the journal's entry. Only the journal makes one."""

    object: str
    id: str
    entry: int


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
