"""What does a refusal of HubSpot mean: whose fault is it, what can a person do, what is to be done next?

One row per code that a write of records can meet, in the classes of section E. A code that is not here is taken
for a value that was not accepted, and is told in HubSpot's own words. HubSpot says everything that is wrong with
a record at once, as `errors` of the input and again, as JSON, inside the message; either may lack. Source:
HubSpot docs, "Handling errors", "Properties"; the codes of single values are those of its answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from connector.adapters.answers import HubSpotError, hubspot_error
from connector.adapters.base import Blame, Meaning, Refusal, Trouble
from connector.core.model import ProblemClass

_VALUE, _RIGHT = ProblemClass.PROPERTY_VALUES, ProblemClass.PERMISSIONS
_LINK, _TWICE = ProblemClass.ASSOCIATIONS, ProblemClass.DUPLICATES
_MAPPING, _LIMIT = ProblemClass.FIELD_MAPPING, ProblemClass.API_LIMIT

_FIT = "give the mapping the transform that fits this property, or correct the value"

MEANINGS: Mapping[str, Meaning] = {
    # values
    "GDPR_BLACKLISTED_EMAIL": Meaning(
        _VALUE, "this person was deleted for privacy; HubSpot takes the address again only from a form"
    ),
    "INVALID_COMPANY_ID": Meaning(_LINK, "check that the company exists"),
    "INVALID_DATE": Meaning(_VALUE, _FIT),
    "INVALID_EMAIL": Meaning(_VALUE, "correct the e-mail address"),
    "INVALID_FORMAT": Meaning(_VALUE, _FIT),
    "INVALID_INTEGER": Meaning(_VALUE, _FIT),
    "INVALID_LIFECYCLE_STAGE": Meaning(
        _VALUE, "add the lifecycle stage in HubSpot, or choose another in the settings"
    ),
    "INVALID_LONG": Meaning(_VALUE, _FIT),
    "INVALID_NUMBER": Meaning(_VALUE, _FIT),
    "INVALID_OPTION": Meaning(_VALUE, "add the option in HubSpot, or give the mapping a value map"),
    "INVALID_OWNER_ID": Meaning(_VALUE, "map the owner to another one, or set a default owner (A5)"),
    "PROPERTY_TOO_LONG": Meaning(_VALUE, "shorten the text: HubSpot takes 65,536 characters"),
    "VALIDATION_ERROR": Meaning(_VALUE, "see what HubSpot says; correct the value, or give the mapping a default"),
    # others
    "CONFLICT": Meaning(_TWICE, "merge the records, or change or clear the value that both have", Trouble.COLLIDED),
    "CONFLICTING_UNIQUE_VALUE": Meaning(
        _TWICE, "merge the records, or change or clear the value that both have", Trouble.COLLIDED
    ),
    "FORBIDDEN": Meaning(_RIGHT, "give the connector's app the right to write this"),
    "NOT_IN_RESULTS": Meaning(_LINK, "nothing: the record was deleted or merged in HubSpot", Trouble.GONE),
    "OBJECT_NOT_FOUND": Meaning(_LINK, "nothing: the record was deleted in HubSpot", Trouble.GONE),
    "PROPERTY_DOESNT_EXIST": Meaning(_MAPPING, "make the property in HubSpot, or correct the mapping file"),
    "RATE_LIMITS": Meaning(_LIMIT, "nothing: it is tried again", Trouble.PASSING),
    "READ_ONLY_VALUE": Meaning(
        _MAPPING, "HubSpot computes this property: map it with `always_hubspot`, or not at all"
    ),
}
UNKNOWN = Meaning(_VALUE, "see what HubSpot says; correct the value, or map the property one way only")
_NO_REASON = "HubSpot gave no reason"

_EXISTING = re.compile(r"Existing ID: (\d+)")
_CODES = re.compile(r'"error":\s*"(\w+)"')
_CONTACT_EXISTS = "Contact already exists"


def read_refusal(error: Any, cause: ProblemClass | None = None) -> Refusal:
    """A refusal from one of a 207's `errors`, or from the body of a whole answer.

    `cause` is the class of a code that stands for no other one.
    """
    given = hubspot_error(error)
    message = given.get("message") or _NO_REASON
    blames = _blames(given, message)
    codes = {blame.code for blame in blames} | {one.get("code", "") for one in given.get("errors", ())}
    codes |= set(_CODES.findall(message))
    category = given.get("category") or ""
    code = next(iter(sorted(codes - {""})), category or "REFUSED")
    if category == "CONFLICT" or "CONFLICTING_UNIQUE_VALUE" in codes or "CONFLICTING_UNIQUE" in message:
        code = "CONFLICT"
    meaning = MEANINGS.get(code, UNKNOWN)
    if category == "OBJECT_NOT_FOUND":
        code, meaning = category, MEANINGS[category]
    return Refusal(
        trouble=meaning.trouble,
        cause=cause if cause and code in {category, "REFUSED"} else meaning.cause,
        code=code,
        message=message,
        field=",".join(blame.field for blame in blames),
        existing_id=_existing_id(given, message) if meaning.trouble is Trouble.COLLIDED else None,
        remedy=meaning.remedy,
        blames=blames if meaning.trouble in {Trouble.REFUSED, Trouble.COLLIDED} else (),
    )


def _blames(error: HubSpotError, message: str) -> tuple[Blame, ...]:
    """The properties at fault; none if something is wrong that is no property's."""
    found = _listed(error) or _spelled_out(message)
    if not found and _CONTACT_EXISTS in message:
        found = [("email", "CONFLICT", message)]
    if not found or not all(name for name, _, _ in found):
        return ()
    return tuple(_blame(name, code, text or message) for name, code, text in found)


def _blame(name: str, code: str, message: str) -> Blame:
    meaning = MEANINGS.get(code, UNKNOWN)
    return Blame(name, meaning.cause, code or "REFUSED", message, meaning.remedy)


def _listed(error: HubSpotError) -> list[tuple[str, str, str]]:
    """(property, code, text) of each of `errors`; none if one lacks a name, which the message may then have."""
    found = [
        (name, one.get("code", ""), one.get("message", ""))
        for one in error.get("errors", ())
        for name in one.get("context", {}).get("propertyName") or ("",)
    ]
    return found if all(name for name, _, _ in found) else []


def _spelled_out(message: str) -> list[tuple[str, str, str]]:
    """The same, from the JSON list inside `Property values were not valid: […]`."""
    start = message.find("[{")
    try:
        listed = orjson.loads(message[start:]) if start >= 0 else []
    except ValueError:
        return []
    return [
        (str(one.get("name") or ""), str(one.get("error") or ""), str(one.get("message") or ""))
        for one in listed
        if isinstance(one, dict)
    ]


def _existing_id(error: HubSpotError, message: str) -> str | None:
    named = error.get("context", {}).get("existingId") or [""]
    found = _EXISTING.search(message)
    return named[0] or (found.group(1) if found else None)
