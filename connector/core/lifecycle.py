"""Which lifecycle stage should a contact or company move to, and why? (L1-L5, L7)

A move is caused by an event, never by a state: what a person lowered by hand stays low until something new
happens. An event is a difference between what a deal is now and what was last applied for it:

| event                                   | contact                        | company             | rule |
|-----------------------------------------|--------------------------------|---------------------|------|
| deal created, the record's first        | setting (opportunity)          | the same            | L2   |
| deal won                                | setting (customer), close date | the same            | L3   |
| deal lost                               | -                              | -                   | L4   |
| role on an open / won opportunity       | opportunity / customer         | -                   | L7   |
| the primary company's stage             | that stage                     | -                   | L5   |

Stages only move forward in the portal's order (L1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a deal stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class LifecycleSettings:
    """Each stage is the internal value of `lifecyclestage`; None switches that automation off."""

    deal_created: str | None = "opportunity"  # L2
    deal_won: str | None = "customer"  # L3
    company_to_contacts: bool = False  # L5
    role_open: str | None = "opportunity"  # L7
    role_won: str | None = "customer"  # L7


@dataclass(frozen=True, slots=True)
class DealEvent:
    """A deal associated with the record. `applied` is the status last acted upon, None for a new association.

    `with_creation` says that the association came with the deal's creation, not later.
    """

    deal_id: str
    status: Status
    applied: Status | None
    with_creation: bool
    close_date: str | None = None

    @property
    def happened(self) -> bool:
        return self.status is not self.applied


@dataclass(frozen=True, slots=True)
class CompanyEvent:
    """The contact's primary company: what it was last applied as, and what it is."""

    company_id: str
    stage: str | None
    applied_company_id: str | None
    applied_stage: str | None

    @property
    def happened(self) -> bool:
        return (self.company_id, self.stage) != (self.applied_company_id, self.applied_stage)


@dataclass(frozen=True, slots=True)
class Move:
    """A stage to move to: by which rule, because of which deal or company."""

    stage: str
    rule: str
    cause: str


@dataclass(frozen=True, slots=True)
class Person:
    """A contact or a company, as far as the lifecycle is concerned."""

    stage: str | None
    is_contact: bool
    deals: Sequence[DealEvent]
    company: CompanyEvent | None = None
    handed_on: Sequence[Move] = ()
    """Moves of other contacts of the same company by L7, which L5 hands on to this one."""


def choose_move(person: Person, settings: LifecycleSettings, order: Mapping[str, int]) -> Move | None:
    """The furthest forward of all moves that are due, or None if none is ahead of the present stage (L1).

    `order` maps the portal's stage values to their position; a stage that the portal lacks is never chosen.
    """
    ahead = [move for move in _due(person, settings) if is_ahead(move.stage, person.stage, order)]
    return max(ahead, key=lambda move: order[move.stage], default=None)


def is_ahead(stage: str, present: str | None, order: Mapping[str, int]) -> bool:
    if stage not in order:
        return False
    return present is None or order[stage] > order.get(present, -1)


def won_close_date(deals: Sequence[DealEvent], settings: LifecycleSettings) -> DealEvent | None:
    """The won deal whose close date becomes the record's, if one was just won and L3 is on."""
    if settings.deal_won is None:
        return None
    just_won = [deal for deal in deals if deal.happened and deal.status is Status.WON and deal.close_date]
    return min(just_won, key=lambda deal: (deal.close_date or "", deal.deal_id), default=None)


def role_moves(deals: Sequence[DealEvent], settings: LifecycleSettings) -> list[Move]:
    """L7: what roles on open and won opportunities do to their contact."""
    moves = []
    for deal in deals:
        stage = {Status.OPEN: settings.role_open, Status.WON: settings.role_won}.get(deal.status)
        if deal.happened and stage:
            moves.append(Move(stage, "L7", f"role on {deal.status} deal {deal.deal_id}"))
    return moves


def _due(person: Person, settings: LifecycleSettings) -> list[Move]:
    moves = []
    new = [deal for deal in person.deals if deal.applied is None]
    first = next((deal for deal in new if deal.with_creation), None)
    if settings.deal_created and first and len(new) == len(person.deals):
        moves.append(Move(settings.deal_created, "L2", f"first deal {first.deal_id} created"))
    if settings.deal_won:
        won = [deal for deal in person.deals if deal.happened and deal.status is Status.WON]
        moves += [Move(settings.deal_won, "L3", f"deal {deal.deal_id} won") for deal in won]
    if person.is_contact:
        moves += role_moves(person.deals, settings)
        if settings.company_to_contacts:
            moves += person.handed_on
            if person.company and person.company.happened and person.company.stage:
                cause = f"primary company {person.company.company_id}"
                moves.append(Move(person.company.stage, "L5", cause))
    return moves
