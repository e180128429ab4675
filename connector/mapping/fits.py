"""Which of the vendors' field types suit which transform? (F3)

Only what could never work is refused: a transform that is not here, and a type that nobody listed, suit each other.
Names of types: Salesforce Object Reference, "Field Types"; HubSpot, "Properties". A HubSpot property of type
`string` may hold anything, so it suits every transform.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.core.model import FieldRule, Side
from connector.mapping.transforms import (
    Boolean,
    Date,
    DateTime,
    Domain,
    Email,
    MultiPicklist,
    Number,
    Owner,
    Phone,
    Reference,
    Text,
    Url,
)

_NUMBERS, _DAYS = {"double", "currency", "percent", "int", "long"}, {"date", "datetime"}
_WORDS = {"string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "combobox", "id", "reference"}
_OTHERS_HERE = {*_NUMBERS, *_DAYS, "boolean", "time", *_WORDS}
_OTHERS_THERE = {"number", "date", "datetime", "bool", "enumeration", "phone_number"}


def _only(here: set[str], there: set[str]) -> Mapping[Side, frozenset[str]]:
    return {
        Side.SALESFORCE: frozenset(_OTHERS_HERE - here),
        Side.HUBSPOT: frozenset(_OTHERS_THERE - there),
    }


_MISFITS: Mapping[type, Mapping[Side, frozenset[str]]] = {
    Text: _only(_WORDS, {"enumeration", "phone_number"}),
    Number: _only({*_NUMBERS, "string"}, {"number"}),
    Date: _only(_DAYS, _DAYS),
    DateTime: _only(_DAYS, _DAYS),
    Boolean: _only({"boolean", "picklist"}, {"bool", "enumeration"}),
    MultiPicklist: _only({"multipicklist", "string", "textarea"}, {"enumeration"}),
    Phone: _only({"phone", "string"}, {"phone_number"}),
    Url: _only({"url", "string", "textarea"}, set()),
    Email: _only({"email", "string"}, set()),
    Domain: _only({"url", "string", "textarea"}, set()),
    Owner: _only({"reference", "string", "id"}, {"enumeration", "number"}),
    Reference: _only({"reference", "string", "id"}, {"number"}),
}
"""The types of each side that a transform cannot read or write."""

_BETTER = {
    **dict.fromkeys([*_NUMBERS, "number"], "number"),
    **dict.fromkeys(["date"], "date"),
    **dict.fromkeys(["datetime"], "datetime"),
    **dict.fromkeys(["boolean", "bool"], "boolean"),
    **dict.fromkeys(["picklist", "enumeration"], "picklist"),
    "multipicklist": "multi_picklist",
}


def find_better(rule: FieldRule, side: Side, type_: str) -> str | None:
    """The transform that a field of this type needs instead of the rule's; None if the rule's suits it.

    Empty if there is none to name.
    """
    misfits = _MISFITS.get(type(rule.transform))
    if misfits is None or type_ not in misfits[side]:
        return None
    return _BETTER.get(type_, "")
