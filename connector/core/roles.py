"""The contacts of a deal and the contact roles of its opportunity: who is to be added where?

A three-way merge of presence, as fields are merged by value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.core.actions import Action, RoleAddition, Wait
from connector.core.model import Link, Record, Side

CONTACT_PAIR = "contact-contact"


@dataclass(frozen=True, slots=True)
class Roles:
    """The contacts of one linked opportunity and deal, as each side shows them, and those agreed before.

    `salesforce` and `agreed` hold Salesforce contact ids; `hubspot` HubSpot contact ids, or None if the
    deal's associations were never read.
    """

    deal: Link
    salesforce: frozenset[str]
    hubspot: frozenset[str] | None
    agreed: frozenset[str]


def plan_roles(roles: Roles, record: Record, contacts: Mapping[tuple[Side, str], Link]) -> list[Action]:
    """Merge the presence of contacts (R1, R2, R5). `contacts` are the live contact links, by side and id."""
    actions: list[Action] = []
    for contact_id in sorted(roles.salesforce - roles.agreed):
        link = contacts.get((Side.SALESFORCE, contact_id))
        if link is None:
            actions.append(Wait(record, (CONTACT_PAIR, Side.SALESFORCE, contact_id)))
        elif roles.hubspot is not None and link.hubspot_id in roles.hubspot:
            actions.append(RoleAddition(None, roles.deal, link, "R1", "on both sides"))
        else:
            cause = f"contact role of contact {contact_id}"
            actions.append(RoleAddition(Side.HUBSPOT, roles.deal, link, "R1", cause))
    for contact_id in sorted(roles.hubspot or ()):
        link = contacts.get((Side.HUBSPOT, contact_id))
        if link is None:
            actions.append(Wait(record, (CONTACT_PAIR, Side.HUBSPOT, contact_id)))
        elif link.salesforce_id not in roles.salesforce | roles.agreed:
            cause = f"contact {contact_id} is associated with the deal"
            actions.append(RoleAddition(Side.SALESFORCE, roles.deal, link, "R2", cause))
    return actions
