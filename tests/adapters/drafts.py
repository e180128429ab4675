"""The records on which the conformance suite tries an adapter, in a sandbox and in a live system alike."""

from __future__ import annotations

from typing import Any

from connector.adapters.base import Draft, Edit, Wanted


class Opportunities:
    """Those of Salesforce. `partner` is the field that stores the partner's id."""

    object = "Opportunity"
    blank = "NextStep"
    per_batch = 200
    per_page = 2000
    unknown = "006000000000001AAA"
    partner = "HubSpot_Id__c"

    @property
    def wanted(self) -> Wanted:
        return Wanted(("Name", "Amount", "NextStep"), self.partner)

    def draft(self, key: str) -> Draft:
        values = {"Name": f"Deal {key}", "StageName": "Prospecting", "CloseDate": "2026-12-31", "Amount": 10.5}
        return Draft(key, values | {self.partner: key})

    def bad_draft(self, key: str) -> Draft:
        """One that the vendor refuses: a required value is missing."""
        return Draft(key, {"StageName": "Prospecting", self.partner: key})

    def worse_draft(self, key: str) -> Draft:
        """One with a value of the wrong type, for which the vendor refuses whole requests."""
        return Draft(key, {**self.draft(key).values, "Amount": "much"})

    def edit(self, id_: str, text: str) -> Edit:
        return Edit(id_, {"Name": text})

    def bad_edit(self, id_: str) -> Edit:
        return Edit(id_, {"CloseDate": None})

    def name_of(self, fields: Any) -> Any:
        return fields["Name"]


class Deals:
    """Those of HubSpot, in its built-in pipeline. `partner` is the property that stores the partner's id."""

    object = "deals"
    blank = "hs_next_step"
    per_batch = 100
    per_page = 200
    unknown = "1"
    partner = "salesforce_id"

    @property
    def wanted(self) -> Wanted:
        return Wanted(("dealname", "amount", "hs_next_step"), self.partner)

    def draft(self, key: str) -> Draft:
        values = {"dealname": f"Deal {key}", "pipeline": "default", "dealstage": "qualifiedtobuy", "amount": 10.5}
        return Draft(key, values | {self.partner: key})

    def bad_draft(self, key: str) -> Draft:
        """One that the vendor refuses: its stage does not exist."""
        return Draft(key, {**self.draft(key).values, "dealstage": "nowhere"})

    def worse_draft(self, key: str) -> Draft:
        """One with a value of the wrong type."""
        return Draft(key, {**self.draft(key).values, "amount": "much"})

    def edit(self, id_: str, text: str) -> Edit:
        return Edit(id_, {"dealname": text})

    def bad_edit(self, id_: str) -> Edit:
        return Edit(id_, {"dealstage": "nowhere"})

    def name_of(self, fields: Any) -> Any:
        return fields["dealname"]
