"""What a plan is made of: one type for each thing that a run may do, and why.

Everything here is data. `plan.py`, `roles.py` and `derived.py` make it, the engine carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.core.model import Base, Change, Link, Problem, Record, Side, Value


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
    """Link two records that exist on both sides."""

    pair: str
    salesforce_id: str
    hubspot_id: str
    born: Side
    rule: str
    link: Link | None = None


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


@dataclass(frozen=True, slots=True)
class RoleAddition:
    """A contact of a deal, to be added on side `to`; or, with `to` None, found on both sides and agreed."""

    to: Side | None
    deal: Link
    contact: Link
    rule: str
    cause: str


@dataclass(frozen=True, slots=True)
class Wait:
    """A record waits for (pair, side, id) to be linked (R5)."""

    record: Record
    needs: tuple[str, Side, str]


Action = Creation | Update | Deletion | Adoption | Settlement | Severance | RoleAddition | Wait | Problem
