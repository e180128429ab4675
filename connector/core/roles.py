"""The contacts of a deal and the contact roles of its opportunity: who is to be added, removed, or named where?

A three-way merge of presence, as fields are merged by value. What was agreed is known by the records that
agreed on it, so that a link that leads elsewhere since then (to a new partner) removes nobody.

    agreed   Salesforce  HubSpot   what happens
    no       yes         yes       agreed from now on, nothing is written
    no       yes         no        added in HubSpot (R1)
    no       no          yes       added in Salesforce (R2)
    yes      yes         yes       nothing; their names are merged as a field is (R4)
    yes      no          yes       removed in HubSpot (R3)
    yes      yes         no        removed in Salesforce (R3)
    yes      no          no        forgotten

Absence needs a reason (D6): while either contact is deleted, merged or out of sight, or its link has ended, its
roles stay as they are, and nobody is added to the side on which the contact is not there: that waits (R5).
A contact in several roles on one opportunity is there once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.core.actions import Action, RoleAddition, RoleRemoval, Wait
from connector.core.model import Base, ContactRole, Link, LinkState, Record, Side

SF, HS = Side.SALESFORCE, Side.HUBSPOT
CONTACT_PAIR = "contact-contact"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contact that both sides agreed belongs to a deal, and how they named it then (`base`, R4).

    `ids` are the records that agreed, (opportunity, contact) and (deal, contact); a survivor of a merge stands for
    those that were merged. Once a link leads to another record, what is not there was never agreed on with *that*
    one.
    """

    contact: Link
    ids: Mapping[Side, tuple[str | None, str | None]]
    base: Base = field(default_factory=Base)

    def is_between(self, deal: Link) -> bool:
        """Whether these are still the records that are linked."""
        return all(self.ids[side] == (deal.id_of(side), self.contact.id_of(side)) for side in Side)


@dataclass(frozen=True, slots=True)
class Roles:
    """The contacts of one linked opportunity and deal, as each side shows them, and those agreed before.

    `salesforce` holds Salesforce contact ids with their roles by id; `hubspot` HubSpot contact ids with the type
    ids of their labels (None: not read), or is None if the deal's associations were never read. `absent` are
    contacts that are not there, whatever the reason.
    """

    deal: Link
    salesforce: Mapping[str, Mapping[str, ContactRole]]
    hubspot: Mapping[str, frozenset[int] | None] | None
    agreed: Sequence[Agreement] = ()
    absent: frozenset[tuple[Side, str]] = frozenset()

    def shows(self, side: Side, contact: Link) -> bool:
        """Whether a side shows a contact; associations that were never read are as agreed."""
        if side is SF:
            return contact.salesforce_id in self.salesforce
        return self.hubspot is None or contact.hubspot_id in self.hubspot

    def may_end(self, contact: Link) -> bool:
        """Whether an absence of this contact from the deal can mean that somebody removed it (D6)."""
        return contact.state is LinkState.LINKED and not any(
            (side, contact.id_of(side)) in self.absent for side in Side
        )


def plan_roles(roles: Roles, record: Record, contacts: Mapping[tuple[Side, str], Link]) -> list[Action]:
    """Merge the presence of contacts (R1-R3, R5). `contacts` are the live contact links, by side and id."""
    standing = [one for one in roles.agreed if one.is_between(roles.deal)]
    return [*_plan_endings(roles), *_plan_additions(roles, record, contacts, standing)]


def _plan_endings(roles: Roles) -> Iterator[Action]:
    for one in sorted(roles.agreed, key=lambda one: one.contact.id):
        shown = {side: roles.shows(side, one.contact) for side in Side}
        if all(shown.values()) or not roles.may_end(one.contact):
            continue
        if not any(shown.values()):
            yield RoleRemoval(None, roles.deal, one.contact, "R3", "on neither side any more")
        elif one.is_between(roles.deal):
            yield _end(roles.deal, one.contact, HS if shown[HS] else SF)


def _end(deal: Link, contact: Link, to: Side) -> RoleRemoval:
    causes = {
        HS: f"contact {contact.salesforce_id} has no role on the opportunity any more",
        SF: f"contact {contact.hubspot_id} is not associated with the deal any more",
    }
    return RoleRemoval(to, deal, contact, "R3", causes[to])


def _plan_additions(
    roles: Roles, record: Record, contacts: Mapping[tuple[Side, str], Link], standing: Sequence[Agreement]
) -> Iterator[Action]:
    agreed = {side: {one.contact.id_of(side) for one in standing} for side in Side}
    for contact_id in sorted(roles.salesforce.keys() - agreed[SF]):
        link = contacts.get((SF, contact_id))
        if link is None:
            yield Wait(record, (CONTACT_PAIR, SF, contact_id))
        elif roles.hubspot is not None and link.hubspot_id in roles.hubspot:
            yield RoleAddition(None, roles.deal, link, "R1", "on both sides")
        elif (HS, link.hubspot_id) in roles.absent:
            yield Wait(record, (CONTACT_PAIR, SF, contact_id))
        else:
            yield RoleAddition(HS, roles.deal, link, "R1", f"contact role of contact {contact_id}")
    for contact_id in sorted((roles.hubspot or {}).keys() - agreed[HS]):
        link = contacts.get((HS, contact_id))
        if link is None or (
            link.salesforce_id not in roles.salesforce and (SF, link.salesforce_id) in roles.absent
        ):
            yield Wait(record, (CONTACT_PAIR, HS, contact_id))
        elif link.salesforce_id not in roles.salesforce:
            yield RoleAddition(SF, roles.deal, link, "R2", f"contact {contact_id} is associated with the deal")
