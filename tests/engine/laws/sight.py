"""What do the two CRMs hold at this moment, and what belongs to what there?

Read from the sandboxes' own tables, which is what their APIs answer from, and quick enough to be asked after every
step. Nothing here, and nothing in the oracle that asks here, comes from the connector.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.lab import Lab

ORDER = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist",
    "other",
)  # fmt: skip
HUBSPOT_OF = {"Opportunity": "deals", "Contact": "contacts", "Account": "companies"}
SALESFORCE_OF = {there: here for here, there in HUBSPOT_OF.items()}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Opportunity": {
        "Name": "dealname",
        "Amount": "amount",
        "CloseDate": "closedate",
        "StageName": "dealstage",
        "Description": "description",
    },
    "Contact": {
        "FirstName": "firstname",
        "LastName": "lastname",
        "Email": "email",
        "Phone": "phone",
        "Title": "jobtitle",
    },
    "Account": {"Name": "name", "Website": "domain", "Phone": "phone", "Description": "description"},
}
"""The fields that people edit and that both sides have to agree on, but for owners and references."""
PRIMARY = {"deals": 5, "contacts": 1}
OWN_PIPELINE = "default"
"""HubSpot's own pipeline, which stands for no record type."""

Row = Mapping[str, Any]


def meaning(field: str, value: Any) -> Any:
    """What a value of either side means, written down independently of the connector."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if field == "Amount":
        return float(value)
    if field == "CloseDate":
        return str(value)[:10]
    text = str(value).replace("\r\n", "\n").strip()
    return text.lower() if field in {"Email", "Website"} else text


class Sight:
    """Both CRMs of a lab, as they are whenever they are looked at."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    # --- Salesforce ---

    def here(self, object_: str) -> dict[str, Row]:
        """The live rows of an object of Salesforce by id; blank fields are left out."""
        return self.lab.salesforce.org.store.table(object_).live

    def bin(self, object_: str) -> list[str]:
        """What somebody deleted by itself, and could be brought back: no loser of a merge, nothing taken along."""
        table = self.lab.salesforce.org.store.table(object_)
        alone = [id_ for id_, one in table.deletions.items() if one.root == id_ and id_ in table.bin]
        return [id_ for id_ in alone if not table.bin[id_].get("MasterRecordId")]

    def stages(self, *, active: bool = True) -> dict[str, Row]:
        """The opportunity stages by API name, in order."""
        rows = sorted(self.here("OpportunityStage").values(), key=lambda row: row["SortOrder"])
        return {row["ApiName"]: row for row in rows if row.get("IsActive") or not active}

    def roles(self) -> dict[str, Row]:
        return self.here("OpportunityContactRole")

    # --- HubSpot ---

    def there(self, object_: str) -> dict[str, Row]:
        """The live records of an object of HubSpot by id; blank properties are left out."""
        return {str(id_): one.values for id_, one in self.lab.hubspot.portal.tables[object_].live.items()}

    def archived(self, object_: str) -> dict[str, Row]:
        return {str(id_): one.values for id_, one in self.lab.hubspot.portal.tables[object_].archived.items()}

    def absorbed(self, object_: str) -> set[str]:
        """The ids of records that were merged into others."""
        return {str(id_) for id_ in self.lab.hubspot.portal.tables[object_].absorbed_by}

    def ids_of(self, object_: str, id_: str) -> set[str]:
        """The ids of a live record of HubSpot, and of those that were merged into it."""
        return {id_, *map(str, self.lab.hubspot.portal.tables[object_].live[int(id_)].absorbed)}

    def associated(self, object_: str, id_: str, to: str) -> dict[str, set[int]]:
        """The associated records with the type ids."""
        around = self.lab.hubspot.portal.associations.neighbours((object_, to), int(id_))
        return {str(other): set(types) for other, types in around.items()}

    def company(self, object_: str, id_: str) -> str | None:
        """The primary company of a deal or a contact."""
        around = self.associated(object_, id_, "companies").items()
        return next((other for other, types in around if PRIMARY[object_] in types), None)

    def pipelines(self) -> dict[str, Any]:
        return {one.id: one for one in self.lab.hubspot.portal.pipelines.all() if not one.archived}

    def stages_of(self, pipeline: str) -> dict[str, str]:
        """The labels of a pipeline's stages by id, in order."""
        known = self.pipelines().get(pipeline)
        stages = sorted(known.stages.values(), key=lambda one: one.order) if known else []
        return {one.id: one.label for one in stages if not one.archived}

    def label_of(self, deal: Row) -> str | None:
        """The label of the stage that a deal is in."""
        return self.stages_of(deal.get("pipeline", "")).get(deal.get("dealstage", ""))

    def odds_of(self, deal: Row) -> float | None:
        """The probability of the stage that a deal is in: 1 is won, 0 is lost."""
        pipeline = self.pipelines().get(deal.get("pipeline", ""))
        stage = pipeline.stages.get(deal.get("dealstage", "")) if pipeline else None
        return None if stage is None else float(stage.probability)

    # --- both ---

    def alive(self) -> dict[tuple[str, str], Row]:
        """Every live record of both CRMs by object and id."""
        found: dict[tuple[str, str], Row] = {}
        for here, there in HUBSPOT_OF.items():
            found |= {(here, id_): row for id_, row in self.here(here).items()}
            found |= {(there, id_): row for id_, row in self.there(there).items()}
        return found

    def pairs(self, object_: str) -> dict[str, str]:
        """The live pairs of an object of Salesforce: its id, and that of the HubSpot record that carries it."""
        rows = self.here(object_)
        named = {row.get("sf_record_id"): id_ for id_, row in self.there(HUBSPOT_OF[object_]).items()}
        return {one: named[one] for one in rows if one in named}

    def partner(self, object_: str, id_: str) -> str | None:
        """The live HubSpot record that carries a Salesforce id."""
        return next((one for one, row in self.there(object_).items() if row.get("sf_record_id") == id_), None)

    def owners(self) -> dict[str, str]:
        """HubSpot's owners who are there: e-mail by id."""
        rows = self.lab.hubspot.portal.owners.all()
        return {one["id"]: one["email"].lower() for one in rows if not one["archived"]}

    def users(self) -> dict[str, str]:
        """Salesforce's users: e-mail by id."""
        return {id_: row["Email"].lower() for id_, row in self.here("User").items()}
