"""What do the nouns and words of a story mean in each CRM? Tables, and the values behind the words.

| noun | lives in | its HubSpot object | fields that a story can name |
|---|---|---|---|
| account, contact, opportunity | Salesforce | companies, contacts, deals | the first of each pair below |
| company, hubspot contact, deal | HubSpot | | the second |
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.core.model import Side


@dataclass(frozen=True)
class Noun:
    """A kind of record on one side. Records of a family with one name are the two halves of a pair."""

    family: str
    side: Side
    object: str
    name_field: str
    """The field that a record's name in the story is written into when it is made."""


NOUNS = {
    "account": Noun("firm", Side.SALESFORCE, "Account", "Name"),
    "company": Noun("firm", Side.HUBSPOT, "companies", "name"),
    "contact": Noun("person", Side.SALESFORCE, "Contact", "LastName"),
    "hubspot contact": Noun("person", Side.HUBSPOT, "contacts", "lastname"),
    "opportunity": Noun("deal", Side.SALESFORCE, "Opportunity", "Name"),
    "deal": Noun("deal", Side.HUBSPOT, "deals", "dealname"),
}

OBJECTS = {(noun.family, noun.side): noun for noun in NOUNS.values()}

# Word -> (Salesforce field, HubSpot property); None where that side has no such thing.
_ALL = {"name": ("Name", "name"), "phone": ("Phone", "phone"), "owner": ("OwnerId", "hubspot_owner_id")}
_LIFECYCLE = {
    "lifecycle stage": (None, "lifecyclestage"),
    "close date": (None, "closedate"),
    "number of deals": (None, "sf_num_associated_deals"),
    "recent amount": (None, "sf_recent_deal_amount"),
    "recent close date": (None, "sf_recent_deal_close_date"),
    "revenue": (None, "sf_total_revenue"),
}
WORDS: dict[str, dict[str, tuple[str | None, str | None]]] = {
    "firm": {
        **_ALL,
        **_LIFECYCLE,
        "website": ("Website", "domain"),
        "description": ("Description", "description"),
    },
    "person": {
        **_ALL,
        **_LIFECYCLE,
        "name": ("LastName", "lastname"),
        "e-mail": ("Email", "email"),
        "title": ("Title", "jobtitle"),
        "company text": (None, "company"),
        "second owner": ("Second_Owner__c", "second_owner"),
        "account": ("AccountId", None),
        "company": (None, "primary_company"),
    },
    "deal": {
        "name": ("Name", "dealname"),
        "owner": ("OwnerId", "hubspot_owner_id"),
        "amount": ("Amount", "amount"),
        "close date": ("CloseDate", "closedate"),
        "stage": ("StageName", "dealstage"),
        "record type": ("RecordTypeId", None),
        "pipeline": (None, "pipeline"),
        "type": ("Type", "dealtype"),
        "description": ("Description", "description"),
        "next step": ("NextStep", "hs_next_step"),
        "account": ("AccountId", None),
        "company": (None, "primary_company"),
    },
}

DATES = {"closedate", "CloseDate", "sf_recent_deal_close_date"}
"""Fields of which a story means the day."""


def equals(field: str, expected: object, found: object) -> bool:
    """Whether a field holds what a story says: nothing is nothing, numbers are numbers, days are days."""
    wanted, held = ("" if value is None else str(value) for value in (expected, found))
    if field in DATES:
        return wanted == held[:10]
    try:
        return float(wanted) == float(held)
    except ValueError:
        return wanted == held
