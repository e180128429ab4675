"""Which lifecycle stage should a contact or company move to, and why? (L1-L8)

A move is caused by an event, never by a state: what a person lowered by hand stays low until something new
happens. An event is a difference between what a deal is now and what was last applied for it:

| event                                     | contact                        | company             | rule |
|-------------------------------------------|--------------------------------|---------------------|------|
| it is created                             | setting (none)                 | the same            | L6   |
| its first deal, unless lost already       | setting (opportunity)          | the same            | L2   |
| deal won                                  | setting (customer), close date | the same            | L3   |
| deal lost                                 | -                              | -                   | L4   |
| role on an open / won opportunity         | opportunity / customer         | -                   | L7   |
| its company's opportunity without roles   | the same, by a setting         | -                   | L7   |
| a new primary company, a new stage of it  | that stage                     | -                   | L5   |
| a colleague's move by L7                  | the same                       | -                   | L5   |

A contact that comes to a deal that was there before is L7's alone. Stages only move forward in the portal's order
(L1); going back is for a mapping rule that says `may_go_backwards`, and means clearing the stage first (L8).
Sources: HubSpot Knowledge Base, "Automatically sync lifecycle stages between certain records" and "Use lifecycle
stages"; HubSpot docs, "Contacts" and "Companies".
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
    new_record: str | None = None  # L6
    account_fallback: bool = False  # L7, for opportunities without roles


@dataclass(frozen=True, slots=True)
class DealEvent:
    """A deal associated with the record. `applied` is the status last acted upon, None for a new association.

    `with_creation` says that the association came with the deal's creation, not later; `has_roles`, that some
    contact has a role on it.
    """

    deal_id: str
    status: Status
    applied: Status | None
    with_creation: bool
    close_date: str | None = None
    has_roles: bool = True

    @property
    def happened(self) -> bool:
        return self.status is not self.applied

    @property
    def joined_later(self) -> bool:
        """Whether the association is new, but the deal is not."""
        return self.applied is None and not self.with_creation


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
    """What L5 hands on to this contact from a colleague, or the account fallback of L7 from its company."""
    had_deal: bool = False
    """Whether it ever had a deal that counted: the present ones are not its first then (L2)."""
    follows_salesforce: bool = False
    """Whether a mapping rule gives it the stage that Salesforce has: no event moves it then."""


def choose_move(person: Person, settings: LifecycleSettings, order: Mapping[str, int]) -> Move | None:
    """The furthest forward of all moves that are due, or None if none is ahead of the present stage (L1).

    `order` maps the portal's stage values to their position; a stage that the portal lacks is never chosen.
    """
    if person.follows_salesforce:
        return None
    ahead = [move for move in _due(person, settings) if is_ahead(move.stage, person.stage, order)]
    return max(ahead, key=lambda move: order[move.stage], default=None)


def is_ahead(stage: str, present: str | None, order: Mapping[str, int]) -> bool:
    """Whether `stage` comes after `present`. After none, and after one that the portal has no more, come all."""
    return stage in order and (present is None or present not in order or order[stage] > order[present])


def is_backward(old: str, new: str, order: Mapping[str, int]) -> bool:
    """Whether HubSpot's API would refuse or ignore this write (L8). Of a stage that it lacks it never would."""
    return old in order and new in order and order[new] < order[old]


def won_close_date(person: Person, settings: LifecycleSettings) -> DealEvent | None:
    """The won deal whose close date becomes the record's, if one was just won and L3 is on."""
    if settings.deal_won is None:
        return None
    dated = [deal for deal in _just_won(person) if deal.close_date]
    return min(dated, key=lambda deal: (str(deal.close_date), deal.deal_id), default=None)


def role_moves(deals: Sequence[DealEvent], settings: LifecycleSettings) -> list[Move]:
    """L7: what roles on open and won opportunities do to their contact."""
    return [
        Move(stage, "L7", f"role on {deal.status} deal {deal.deal_id}")
        for deal in deals
        if (stage := _role_stage(deal, settings))
    ]


def fallback_moves(deals: Sequence[DealEvent], settings: LifecycleSettings) -> list[Move]:
    """L7: what a company's deals that no contact has a role on do to all its contacts, if that is switched on."""
    return [
        Move(stage, "L7", f"{deal.status} deal {deal.deal_id} of the company, without roles")
        for deal in deals
        if settings.account_fallback and not deal.has_roles and (stage := _role_stage(deal, settings))
    ]


def _role_stage(deal: DealEvent, settings: LifecycleSettings) -> str | None:
    stage = {Status.OPEN: settings.role_open, Status.WON: settings.role_won}.get(deal.status)
    return stage if deal.happened else None


def _just_won(person: Person) -> list[DealEvent]:
    won = [deal for deal in person.deals if deal.happened and deal.status is Status.WON]
    return [deal for deal in won if not (person.is_contact and deal.joined_later)]


def _due(person: Person, settings: LifecycleSettings) -> list[Move]:
    moves = [*_of_first_deal(person, settings)]
    if settings.deal_won:
        moves += [Move(settings.deal_won, "L3", f"deal {deal.deal_id} won") for deal in _just_won(person)]
    if person.is_contact:
        moves += role_moves(person.deals, settings)
        moves += _of_company(person, settings)
    return moves


def _of_first_deal(person: Person, settings: LifecycleSettings) -> list[Move]:
    """L2. A deal that is lost when it is first seen is a first deal too, but raises nobody (L4)."""
    if not settings.deal_created or person.had_deal or any(deal.applied for deal in person.deals):
        return []
    return [
        Move(settings.deal_created, "L2", f"first deal {deal.deal_id} created")
        for deal in person.deals
        if deal.status is not Status.LOST and not (person.is_contact and deal.joined_later)
    ]


def _of_company(person: Person, settings: LifecycleSettings) -> list[Move]:
    """L5 from the primary company, and what was handed on by a rule that is still switched on."""
    on = {"L5": settings.company_to_contacts, "L7": settings.account_fallback}
    moves = [move for move in person.handed_on if on.get(move.rule)]
    company = person.company
    if settings.company_to_contacts and company and company.happened and company.stage:
        moves.append(Move(company.stage, "L5", f"primary company {company.company_id}"))
    return moves
