"""What does a mapping file say about deletions? (D1, D2, D5)

    on_delete:
      salesforce: unlink          # what becomes of the HubSpot record whose Salesforce record is deleted
      hubspot: delete_partner     # and the other way round

`unlink`: the link ends, and nothing is deleted. `delete_partner`: the partner is deleted too. Of opportunities and
deals there is half a choice: an opportunity takes its deal along unless the file says `unlink`, and nothing that is
done in HubSpot ever deletes an opportunity.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from connector.core.model import Side
from connector.errors import Finding
from connector.mapping.scope_files import Place


class OnPartner(StrEnum):
    """What becomes of the partner of a record that is deleted."""

    UNLINK = "unlink"
    DELETE_PARTNER = "delete_partner"


DEALS = "opportunity-deal"
_DEFAULT: Mapping[str, frozenset[Side]] = {DEALS: frozenset({Side.SALESFORCE})}
"""The sides from which deletions travel where the file says nothing (D1, D5)."""


class OnDelete(BaseModel):
    """The choice for each side on which a record may be deleted; None: as it is by default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    salesforce: OnPartner | None = Field(
        None, description="what becomes of the HubSpot record whose Salesforce record is deleted"
    )
    hubspot: OnPartner | None = Field(
        None,
        description="what becomes of the Salesforce record whose HubSpot record is deleted (D2)",
    )

    def travels_from(self, pair: str) -> frozenset[Side]:
        """The sides from which a deletion travels to the other one."""
        chosen = {Side.SALESFORCE: self.salesforce, Side.HUBSPOT: self.hubspot}
        default = _DEFAULT.get(pair, frozenset())
        return frozenset(
            side
            for side, choice in chosen.items()
            if choice is OnPartner.DELETE_PARTNER or (choice is None and side in default)
        )

    def find_faults(self, pair: str, place: Place) -> list[Finding]:
        """The one choice that there is not (D2, law 10)."""
        if pair != DEALS or self.hubspot is not OnPartner.DELETE_PARTNER:
            return []
        text = (
            "on_delete.hubspot: a deal that is deleted in HubSpot never deletes its opportunity;"
            " no setting changes that (D2)"
        )
        remedy = "take the line out, or say `hubspot: unlink`, which is what happens"
        return [Finding(*place(("on_delete", "hubspot")), text, remedy)]
