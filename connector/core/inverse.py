"""What takes a run back is made of: what the run wrote, what both CRMs hold now, and one type for each thing to do.

Everything here is data. `undo.py` and `undo_roles.py` make it, the engine carries it out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from connector.core.model import Change, ContactRole, Fields, Record, Side, Value
from connector.core.naming import BETWEEN, CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES

RULE = "X2"
CONTACT_ROLE = "OpportunityContactRole"
ABOUT_ROLES = {CONTACT, LABELS, ROLE_NAMES, IS_PRIMARY}
"""What the journal notes of the contacts of a record that is created or deleted. No record has such fields."""

Key = tuple[Side, str, str]
"""(side, object, record id)"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One write as the journal has it: `intended` ones may have been made or not."""

    number: int
    state: str
    verb: str
    side: Side
    object: str
    record_id: str
    """Empty if it never came to be, or nobody knows."""
    link_id: int | None
    made: str
    """The id of the contact role that it made; empty if its answer was lost."""
    changes: tuple[Change, ...]

    @property
    def key(self) -> Key:
        return self.side, self.object, self.record_id

    @property
    def contact(self) -> str:
        """Whose role an entry is about."""
        return next((str(one.old or one.new) for one in self.changes if one.field == CONTACT), "")


@dataclass(frozen=True, slots=True)
class Now:
    """Both CRMs as they are, as far as a run touched them. Records that are not there say why.

    `ties` are what hangs on created records, as (object, id); `strangers` those that somebody else has edited, with
    who and when; `blanked` the fields that an earlier try at undoing has cleared and did not come to set.
    `replaced` are the links of deleted records whose place another record has by now, in that link or another one.
    """

    records: Mapping[Key, Record]
    roles: Mapping[str, ContactRole] = field(default_factory=dict)
    contacts: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
    ties: Mapping[Key, Collection[tuple[str, str]]] = field(default_factory=dict)
    strangers: Mapping[Key, tuple[str, str]] = field(default_factory=dict)
    blanked: frozenset[tuple[Side, str, str, str]] = frozenset()
    replaced: Mapping[int, str] = field(default_factory=dict)
    remade: Mapping[int, str] = field(default_factory=dict)
    """Of these links those whose record an earlier try at undoing made anew, with its id."""
    aliases: Mapping[tuple[Side, str, str, Value], str] = field(default_factory=dict)
    """The new ids of such records, by (side, object, field, old id) of the fields that held the old ones."""
    new_links: frozenset[int] = frozenset()
    """Links that the run made, and that are still there."""
    unsettled: frozenset[int] = frozenset()
    """Those of them that nothing has changed since."""
    known: Mapping[int, Mapping[str, Sequence[Value]]] = field(default_factory=dict)
    """What is known by now of a link's records, in store and CRMs: values by field, for those that are hidden."""
    labelled: Mapping[tuple[str, str], Fields] = field(default_factory=dict)
    """What the associations of contacts (deal, contact) are labelled, in the words of the journal."""

    def is_there(self, side: Side, object_: str, id_: str) -> bool:
        record = self.records.get((side, object_, id_))
        return record is not None and record.present


Columns = Mapping[str, object]
"""The columns of a link or an edge; bases are mappings. That something is to be derived is no part of it."""

BASES = {Side.SALESFORCE: "base_salesforce", Side.HUBSPOT: "base_hubspot"}


@dataclass(frozen=True, slots=True)
class Past:
    """A row before a run, after it (as a later run first found it, or as it is), and now. None: no such row."""

    before: Columns | None
    after: Columns | None
    now: Columns | None


@dataclass(frozen=True, slots=True)
class Left:
    """Something that has moved on since, and stays. `who` and `when` are empty where the CRM does not tell."""

    side: Side
    object: str
    record_id: str
    field: str
    wrote: Value
    now: Value
    why: str
    who: str = ""
    when: str = ""
    link_id: int | None = None

    @property
    def key(self) -> Key:
        return self.side, self.object, self.record_id


@dataclass(frozen=True, slots=True)
class Restoring:
    """Fields of a record that go back. `changes` are those to be written; `wrote` all of them, as the run did."""

    side: Side
    object: str
    record_id: str
    link_id: int | None
    changes: tuple[Change, ...]
    wrote: Mapping[str, Value]

    @property
    def key(self) -> Key:
        return self.side, self.object, self.record_id


@dataclass(frozen=True, slots=True)
class TakingBack:
    """A record that the run created, and that goes. `values` it was created with, `expected` it was left with."""

    side: Side
    object: str
    record_id: str
    link_id: int | None
    values: Fields
    expected: Fields
    gone: bool = False
    """It is not there any more: nothing is to be written."""

    @property
    def key(self) -> Key:
        return self.side, self.object, self.record_id


@dataclass(frozen=True, slots=True)
class Remaking:
    """A record that the run deleted. `contacts` are those of a deal, with the type ids of their labels."""

    side: Side
    object: str
    record_id: str
    link_id: int | None
    values: Fields
    contacts: Mapping[str, frozenset[int]]
    roles: tuple[ContactRole, ...] = ()
    """Those of an opportunity."""
    new_id: str = ""
    """It was made anew already, by an earlier try; what it had may still be missing."""


@dataclass(frozen=True, slots=True)
class RoleBack:
    """A contact of a deal, or a contact role, that goes back: `part`, `join` or `name`.

    `role` is the contact role's id, `remake` what a new one is to be like, `labels` the type ids of a new
    association. `changes` are told and journalled; `wrote` are the names that the run had given.
    """

    verb: str
    side: Side
    deal: str
    contact: str
    link_id: int | None
    changes: tuple[Change, ...]
    role: str = ""
    remake: ContactRole | None = None
    labels: frozenset[int] = frozenset()
    wrote: Mapping[str, Value] = field(default_factory=dict)
    needed: bool = True
    """Whether something is to be written; else it is as it was already."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """All that takes a run back, and what is left."""

    restorings: list[Restoring] = field(default_factory=list)
    taking_back: list[TakingBack] = field(default_factory=list)
    remakings: list[Remaking] = field(default_factory=list)
    roles: list[RoleBack] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    unlinked: set[int] = field(default_factory=set)
    """Links that end with it although neither record was created: the run had found two that belong together."""

    @property
    def created(self) -> set[Key]:
        """The records that the run created: they go, or they stay with all that they have."""
        return {one.key for one in self.taking_back} | {one.key for one in self.left if not one.field}

    @property
    def writes(self) -> int:
        records = sum(1 for one in self.restorings if one.changes) + sum(
            1 for one in self.taking_back if not one.gone
        )
        remade = sum(1 for one in self.remakings if not one.new_id)
        return records + remade + sum(1 for one in self.roles if one.needed)


def read_role(opportunity: str, told: Fields) -> ContactRole:
    """A contact role, by what the journal tells of one that was taken away."""
    name = told.get(ROLE_NAMES)
    return ContactRole(opportunity, str(told[CONTACT]), str(name) if name else None, bool(told.get(IS_PRIMARY)))


def read_labels(text: Value) -> frozenset[int]:
    """The type ids of labels, as the journal keeps those of what was taken away."""
    return frozenset(int(one) for one in str(text or "").split(BETWEEN) if one)
