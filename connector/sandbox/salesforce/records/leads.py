"""Lead conversion: a lead becomes a contact of an account, and an opportunity if wanted.

`{"leadId", "convertedStatus", "accountId", "contactId", "createOpportunity", "opportunityName"}`, all but the first
as one likes. An opportunity is made unless `createOpportunity` is false; without an account or contact to use, one
is made of the lead. The answer is `{"leadId", "accountId", "contactId", "opportunityId", "success": true}`, the
names of the SOAP API's convertLead (the REST API has no such call).

| of the lead | goes to |
|---|---|
| Company, LeadSource, Phone, Fax, Website, Industry, AnnualRevenue, NumberOfEmployees, Rating, address | account |
| names, Title, Phone, MobilePhone, Fax, Email, Description, LeadSource, address, opt-outs | contact |
| Company, LeadSource | opportunity: the first open stage, closing on the last day of the quarter |

A contact that is there already keeps its values and gets those it lacks; an account that is there keeps its own.
Custom fields are not mapped. Source: Salesforce SOAP API Developer Guide, "convertLead()"; Salesforce Help,
"Lead Conversion Field Mapping"; Object Reference, "Lead".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from connector.sandbox.salesforce.definitions.objects import CONVERTED_STATUS
from connector.sandbox.salesforce.errors import ApiError, InputError
from connector.sandbox.salesforce.records.store import Row, Store, trimmed
from connector.sandbox.salesforce.records.writes import Writer

_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_TO_ACCOUNT = {
    "Company": "Name", "LeadSource": "AccountSource",
    **{each: each for each in (
        "Phone", "Fax", "Website", "Industry", "AnnualRevenue", "NumberOfEmployees", "Rating",
    )},
    **{each: f"Billing{each}" for each in _ADDRESS},
}  # fmt: skip
_TO_CONTACT = {
    **{each: each for each in (
        "FirstName", "LastName", "Salutation", "Title", "Phone", "MobilePhone", "Fax", "Email", "Description",
        "LeadSource", "HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall",
    )},
    **{each: f"Mailing{each}" for each in _ADDRESS},
}  # fmt: skip
_TEXTS = ("leadId", "accountId", "contactId", "convertedStatus", "opportunityName")
_KNOWN = {"createOpportunity", *_TEXTS}


def convert(writer: Writer, store: Store, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a lead. Raises `InputError`, or `ApiError` as the writes it consists of do.

    To be called in a transaction: the lead, the account, the contact and the opportunity change together.
    """
    _check(wanted)
    schema = store.schema
    lead = writer.find(schema["Lead"], wanted["leadId"])
    if lead.get("IsConverted"):
        raise ApiError("CANNOT_UPDATE_CONVERTED_LEAD", "lead already converted", [])
    if wanted.get("contactId") and not wanted.get("accountId"):
        raise ApiError("INVALID_ID_FIELD", "if the contact id is specified, the account id must be too", [])
    account = _account(writer, store, lead, wanted)
    contact = _contact(writer, store, lead, account, wanted)
    opportunity = _opportunity(writer, store, lead, account, contact, wanted)
    _close(writer, store, lead, {
        "Status": wanted.get("convertedStatus") or CONVERTED_STATUS, "IsConverted": True,
        "ConvertedDate": store.now()[:10], "ConvertedAccountId": account, "ConvertedContactId": contact,
        "ConvertedOpportunityId": opportunity,
    })  # fmt: skip
    return {
        "leadId": lead["Id"], "accountId": account, "contactId": contact, "opportunityId": opportunity,
        "success": True,
    }  # fmt: skip


def _check(wanted: Mapping[str, Any]) -> None:
    if wanted.keys() - _KNOWN or not wanted.get("leadId"):
        raise InputError(f"a conversion has a leadId, and any of {', '.join(sorted(_KNOWN))}")
    if any(not isinstance(wanted.get(name, ""), str | None) for name in _TEXTS):
        raise InputError(f"{', '.join(_TEXTS)} are texts")
    if not isinstance(wanted.get("createOpportunity", True), bool):
        raise InputError("createOpportunity is true or false")
    if wanted.get("convertedStatus") not in {None, CONVERTED_STATUS}:
        raise ApiError("INVALID_STATUS", f"invalid convertedStatus: {wanted['convertedStatus']}", [])


def _account(writer: Writer, store: Store, lead: Row, wanted: Mapping[str, Any]) -> str:
    sobject = store.schema["Account"]
    if wanted.get("accountId"):
        return str(writer.find(sobject, wanted["accountId"])["Id"])
    return writer.create(sobject, {**_mapped(_TO_ACCOUNT, lead), "OwnerId": lead["OwnerId"]})


def _contact(writer: Writer, store: Store, lead: Row, account: str, wanted: Mapping[str, Any]) -> str:
    sobject, mapped = store.schema["Contact"], _mapped(_TO_CONTACT, lead)
    if not wanted.get("contactId"):
        return writer.create(sobject, {**mapped, "AccountId": account, "OwnerId": lead["OwnerId"]})
    contact = writer.find(sobject, wanted["contactId"])
    if contact.get("AccountId") != account:
        raise ApiError("INVALID_ID_FIELD", "the contact must be associated with the account", [])
    writer.update(sobject, contact["Id"], {name: value for name, value in mapped.items() if name not in contact})
    return str(contact["Id"])


def _opportunity(
    writer: Writer, store: Store, lead: Row, account: str, contact: str, wanted: Mapping[str, Any]
) -> str | None:
    if not wanted.get("createOpportunity", True):
        return None
    stages = sorted(store.table("OpportunityStage").rows(), key=lambda stage: stage["SortOrder"])
    stage = next((each for each in stages if each.get("IsActive") and not each.get("IsClosed")), stages[0])
    made = {
        "Name": wanted.get("opportunityName") or f"{lead['Company']}-", "AccountId": account, "ContactId": contact,
        "StageName": stage["ApiName"], "CloseDate": _end_of_quarter(store.clock.now().date()).isoformat(),
        "LeadSource": lead.get("LeadSource"), "OwnerId": lead["OwnerId"],
    }  # fmt: skip
    return writer.create(store.schema["Opportunity"], made)


def _close(writer: Writer, store: Store, lead: Row, changes: Row) -> None:
    """The lead's own fields, which nobody else may write."""
    now = store.now()
    stamps = {"LastModifiedDate": now, "LastModifiedById": store.user, "SystemModstamp": now}
    row = trimmed({**lead, **changes, **stamps}.items())
    writer.locks.need(store.schema["Lead"], lead)
    store.put(store.table("Lead"), row)
    writer.history.record(store.schema["Lead"], lead, row)


def _mapped(names: Mapping[str, str], lead: Row) -> Row:
    return {there: lead[here] for here, there in names.items() if here in lead}


def _end_of_quarter(today: date) -> date:
    month = (today.month - 1) // 3 * 3 + 4
    return date(today.year + month // 13, month if month <= 12 else 1, 1) - timedelta(days=1)
