"""What would a person see who looks into each CRM? The demo's windows onto both, and its hands there.

Everything goes through the CRMs' own REST APIs, as any other client would, and nothing through the connector:
what is shown is what is there. Association types are HubSpot's own (Associations guide, "HubSpot defined
association types"): 3 is a deal's contact, 5 its primary company.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

VERSION = "v62.0"
_DEAL_TO_CONTACT, _DEAL_TO_PRIMARY_COMPANY = 3, 5
_MODIFIED = {"companies": "hs_lastmodifieddate", "contacts": "lastmodifieddate", "deals": "hs_lastmodifieddate"}


class _Window:
    """One CRM at an address. Raises `requests.HTTPError` with anything but a success."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        answer = self._session.request(method, self._base + path, json=body, params=query, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None


class SalesforceWindow(_Window):
    """The org."""

    def query(self, soql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ask("GET", f"/services/data/{VERSION}/query", q=soql)["records"]
        return rows

    def count(self, sobject: str) -> int:
        soql = f"SELECT COUNT() FROM {sobject}"  # noqa: S608  # SOQL, and the names are ours
        return int(self.ask("GET", f"/services/data/{VERSION}/query", q=soql)["totalSize"])

    def read(self, sobject: str, id_: str, *names: str) -> dict[str, Any]:
        """The named fields, or nothing if there is no such record any more."""
        rows = self.query(f"SELECT {', '.join(names)} FROM {sobject} WHERE Id = '{id_}'")  # noqa: S608  # SOQL, and the ids are ours
        return rows[0] if rows else {}

    def update(self, sobject: str, id_: str, **values: Any) -> None:
        self.ask("PATCH", f"/services/data/{VERSION}/sobjects/{sobject}/{id_}", values)

    def create(self, sobject: str, **values: Any) -> str:
        return str(self.ask("POST", f"/services/data/{VERSION}/sobjects/{sobject}", values)["id"])

    def delete(self, sobject: str, id_: str) -> None:
        self.ask("DELETE", f"/services/data/{VERSION}/sobjects/{sobject}/{id_}")

    def latest_write(self) -> list[str]:
        """When a record of each object was last written."""
        soql = "SELECT SystemModstamp FROM {} ORDER BY SystemModstamp DESC LIMIT 1"
        sobjects = ("Account", "Contact", "Opportunity", "OpportunityContactRole")
        return [row["SystemModstamp"] for one in sobjects for row in self.query(soql.format(one))]


@dataclass(frozen=True, slots=True)
class StageLabel:
    pipeline: str
    stage: str
    label: str
    won: bool


class HubSpotWindow(_Window):
    """The portal."""

    def count(self, objects: str) -> int:
        return int(self.ask("POST", f"/crm/v3/objects/{objects}/search", {"limit": 1})["total"])

    def find(self, objects: str, name: str, value: str) -> str | None:
        """The id of the record with that property value."""
        filters = [{"propertyName": name, "operator": "EQ", "value": value}]
        body = {"filterGroups": [{"filters": filters}], "limit": 1}
        hits = self.ask("POST", f"/crm/v3/objects/{objects}/search", body)["results"]
        return str(hits[0]["id"]) if hits else None

    def read(self, objects: str, id_: str, *names: str) -> dict[str, str | None]:
        """The named properties, or nothing if there is no such record any more."""
        inputs = {"inputs": [{"id": id_}], "properties": list(names)}
        hits = self.ask("POST", f"/crm/v3/objects/{objects}/batch/read", inputs)["results"]
        return dict(hits[0]["properties"]) if hits else {}

    def update(self, objects: str, id_: str, **values: str) -> None:
        self.ask("PATCH", f"/crm/v3/objects/{objects}/{id_}", {"properties": values})

    def create_deal(self, contact: str, company: str, **values: str) -> str:
        associations = [
            {"to": {"id": to}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]}
            for to, type_id in ((contact, _DEAL_TO_CONTACT), (company, _DEAL_TO_PRIMARY_COMPANY))
        ]
        body = {"properties": values, "associations": associations}
        return str(self.ask("POST", "/crm/v3/objects/deals", body)["id"])

    def delete(self, objects: str, id_: str) -> None:
        self.ask("DELETE", f"/crm/v3/objects/{objects}/{id_}")

    def associate(self, deal: str, contact: str) -> None:
        """Make somebody a contact of a deal."""
        body = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": _DEAL_TO_CONTACT}]
        self.ask("PUT", f"/crm/v4/objects/deals/{deal}/associations/contacts/{contact}", body)

    def disassociate(self, deal: str, contact: str) -> None:
        """Take somebody off a deal."""
        self.ask("DELETE", f"/crm/v4/objects/deals/{deal}/associations/contacts/{contact}")

    def contacts_of(self, deal: str) -> list[str]:
        rows = self.ask("GET", f"/crm/v4/objects/deals/{deal}/associations/contacts")["results"]
        return [str(row["toObjectId"]) for row in rows]

    def stages(self) -> Sequence[StageLabel]:
        """All stages of all deal pipelines."""
        return [
            StageLabel(
                pipeline["id"], stage["id"], stage["label"], won=float(stage["metadata"]["probability"]) == 1.0
            )
            for pipeline in self.ask("GET", "/crm/v3/pipelines/deals")["results"]
            for stage in pipeline["stages"]
        ]

    def latest_write(self) -> list[str]:
        """When a record of each object was last written."""
        moments = []
        for objects, name in _MODIFIED.items():
            body = {"sorts": [{"propertyName": name, "direction": "DESCENDING"}], "limit": 1}
            hits = self.ask("POST", f"/crm/v3/objects/{objects}/search", body)["results"]
            moments += [hit["updatedAt"] for hit in hits]
        return moments
