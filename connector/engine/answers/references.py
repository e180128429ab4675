"""Which record does a person mean? An id of either side, the address of its page, or an e-mail.

| given                                                            | is                                            |
|------------------------------------------------------------------|-----------------------------------------------|
| `006…`, `001…`, `003…`, of 15 or 18 characters                   | a Salesforce record                           |
| `deal:123`, `contact:123`, `company:123`                         | a HubSpot record                              |
| `123`                                                            | the HubSpot record of that id, if one alone   |
| `…/lightning/r/Opportunity/006…/view`, `…/006…`                  | the Salesforce record of that page            |
| `…/contacts/PORTAL/record/0-3/123`, `…/contacts/PORTAL/deal/123` | the HubSpot record of that page               |
| `ada@example.com`                                                | the contact with that address                 |

0-1 is HubSpot's type of contacts, 0-2 of companies, 0-3 of deals (HubSpot docs, "Understanding the CRM": object
type ids).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from connector.adapters import salesforce_ids
from connector.core.model import Side
from connector.errors import BadConfiguration, Finding

PREFIXES = {"001": "Account", "003": "Contact", "006": "Opportunity", "00K": "OpportunityContactRole"}
_OTHERS = {
    "00Q": "a lead", "00T": "a task", "00U": "an event", "005": "a user", "500": "a case", "012": "a record type",
    "01t": "a product", "701": "a campaign", "800": "a contract", "00k": "a product of an opportunity",
}  # fmt: skip
_KINDS = {
    "deal": "deals", "deals": "deals", "0-3": "deals",
    "contact": "contacts", "contacts": "contacts", "0-1": "contacts",
    "company": "companies", "companies": "companies", "0-2": "companies",
}  # fmt: skip
_PAGE = re.compile(r"/contacts/\d+/(?:record/)?([a-z]+|\d+-\d+)/(\d+)(?:/|$)")
REMEDY = (
    "give a Salesforce id (001…, 003…, 006…), deal:ID, contact:ID or company:ID of HubSpot, the address of the"
    " record's page in either, or a contact's e-mail"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A record as a person named it: an id, of one side and perhaps one object; or an e-mail."""

    text: str
    side: Side | None = None
    object: str | None = None
    id: str = ""
    email: str = ""


def read_reference(text: str) -> Reference:
    """What a person typed.

    Raises:
        BadConfiguration: it names no record that could be synced.
    """
    given = text.strip()
    if "/" in given:
        return _read_address(given)
    kind, _, id_ = given.rpartition(":")
    if id_.isdigit() and kind.lower() in _KINDS:
        return Reference(given, Side.HUBSPOT, _KINDS[kind.lower()], id_)
    if "@" in given:
        return Reference(given, email=given.casefold())
    if given.isdigit() and not (given.startswith("0") and salesforce_ids.is_id(given)):
        return Reference(given, Side.HUBSPOT, None, given)
    if salesforce_ids.is_id(given):
        return _read_salesforce(text, given)
    raise no_such_record(given, f"{given!r} is neither an id nor an address nor an e-mail")


def _read_address(given: str) -> Reference:
    parts = urlsplit(given if "//" in given else f"//{given}")
    path = f"{parts.path}/{parts.fragment}"
    if found := _PAGE.search(f"{parts.path}/"):
        kind, id_ = found.groups()
        if kind in _KINDS:
            return Reference(given, Side.HUBSPOT, _KINDS[kind], id_)
        raise no_such_record(given, f"the page is of a HubSpot object that does not sync ({kind})")
    words = [*path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    ids = [word for word in map(unquote, words) if salesforce_ids.is_id(word) and not word.isalpha()]
    if ids:
        return _read_salesforce(given, ids[0])
    raise no_such_record(given, "no record's id stands in that address")


def _read_salesforce(text: str, id_: str) -> Reference:
    try:
        whole = salesforce_ids.lengthen(id_)
    except ValueError as error:
        raise no_such_record(text, str(error)) from None
    object_ = PREFIXES.get(whole[:3])
    if object_ is None:
        kind = _OTHERS.get(whole[:3], f"of an object that does not sync ({whole[:3]}…)")
        raise no_such_record(text, f"{whole} is {kind}; accounts, contacts and opportunities sync")
    return Reference(text, Side.SALESFORCE, object_, whole)


def no_such_record(given: str, message: str, remedy: str = REMEDY) -> BadConfiguration:
    """What is raised for a record that is not there."""
    return BadConfiguration([Finding(given, 0, message, remedy)])
