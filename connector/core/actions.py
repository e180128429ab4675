"""What a plan is made of: one type for each thing that a run may do, and why.

Everything here is data. `plan.py`, `roles.py` and `derived.py` make it, the engine carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.core.model import Base, Change, ContactRole, Fields, Link, Problem, Record, Side, Value


@dataclass(frozen=True, slots=True)
class Creation:
    """Create a partner on side `to` for `source`. `base` is what both sides look like once it is there."""

    pair: str
    to: Side
    object: str
    source: Record
    changes: tuple[Change, ...]
    base: Base
    contacts: tuple[str, ...] = ()
    """HubSpot contacts that a new deal is associated with in the same call."""

    @property
    def values(self) -> dict[str, Value]:
        return {change.field: change.new for change in self.changes}


@dataclass(frozen=True, slots=True)
class Update:
    """Write `changes` to one linked record; once written, the base takes over `settles`."""

    pair: str
    to: Side
    object: str
    link: Link
    record_id: str
    changes: tuple[Change, ...]
    settles: Base = field(default_factory=Base)
    clears_first: frozenset[str] = frozenset()
    """Fields that have to be cleared by a request of their own before they are set (L8)."""

    @property
    def values(self) -> dict[str, Value]:
        return {change.field: change.new for change in self.changes}

    @property
    def superseded(self) -> dict[str, Value]:
        """Old values that go when the new ones come: those agreed before, and those that are cleared.

        An association is replaced only if both sides had agreed on it; one that somebody else made stays
        beside the new one (P2).
        """
        agreed = self.link.base.hubspot if self.to is Side.HUBSPOT else self.link.base.salesforce
        return {
            change.field: change.old
            for change in self.changes
            if change.new is None or agreed.get(change.field) == change.old
        }


@dataclass(frozen=True, slots=True)
class Deletion:
    """Delete one linked record, because its partner was deleted. `record` is what will be lost."""

    pair: str
    to: Side
    object: str
    link: Link
    record: Record
    rule: str
    cause: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """Link two records that exist on both sides. `key` is what told that they are the same."""

    pair: str
    salesforce_id: str
    hubspot_id: str
    born: Side
    rule: str
    link: Link | None = None
    key: str = "id"
    """By what they were found: the name of a match key, or a stored id."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Both sides agree already: only the base moves."""

    link: Link
    base: Base


@dataclass(frozen=True, slots=True)
class Severance:
    """End a link without writing anything. `closed` when nothing is left on either side worth linking."""

    pair: str
    salesforce_id: str | None
    hubspot_id: str | None
    rule: str
    closed: bool
    link: Link | None = None
    born: Side = Side.SALESFORCE
    """Of a pair that was never linked here: the side that it was born on."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A record without a partner that gets none: it, or the partner it would get, is out of scope (A8)."""

    record: Record


@dataclass(frozen=True, slots=True)
class Freezing:
    """One of the two records has left scope (A8). Nothing is written.

    With `over` the pair goes on: both are in scope again, or the one that was deleted in HubSpot is back (D3).
    """

    pair: str
    link: Link
    over: bool


@dataclass(frozen=True, slots=True)
class RoleAddition:
    """A contact of a deal, to be added on side `to`; or, with `to` None, found on both sides and agreed."""

    to: Side | None
    deal: Link
    contact: Link
    rule: str
    cause: str


@dataclass(frozen=True, slots=True)
class RoleRemoval:
    """A contact that no longer belongs to a deal: to be removed on side `to`; or, with `to` None, forgotten."""

    to: Side | None
    deal: Link
    contact: Link
    rule: str
    cause: str


@dataclass(frozen=True, slots=True)
class RoleNaming:
    """How a contact's role is to be named on side `to` (R4); or, with `to` None, both sides agree already.

    `seen` is what that side showed, in the words of `changes`. `settles` is what both look like afterwards.
    `edits` are the contact roles that change, by id, as they are then.
    """

    to: Side | None
    deal: Link
    contact: Link
    changes: tuple[Change, ...]
    seen: Fields
    settles: Base
    edits: Mapping[str, ContactRole] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """A record waits for (pair, side, id) to be linked (R5)."""

    record: Record
    needs: tuple[str, Side, str]


RoleAction = RoleAddition | RoleRemoval | RoleNaming
Action = (
    Creation
    | Update
    | Deletion
    | Adoption
    | Settlement
    | Severance
    | Outside
    | Freezing
    | RoleAction
    | Wait
    | Problem
)
