"""What does a refusal of Salesforce mean: whose fault is it, what can a person do, what is to be done next?

One row per error code that a write of records can meet, in the classes of section E. A code that is not here is
taken for a value that was not accepted, and is told in Salesforce's own words. Sources: SOAP API Developer Guide,
"StatusCode"; REST API Developer Guide, "Status Codes and Error Responses"; for what counts as custom code,
HubSpot Knowledge Base, "Manage Salesforce integration API calls and sync errors".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector.adapters.answers import SalesforceError, salesforce_errors
from connector.adapters.base import Blame, Meaning, Refusal, Trouble
from connector.adapters.salesforce_ids import full_id
from connector.core.model import ProblemClass

_VALUE, _CODE = ProblemClass.PROPERTY_VALUES, ProblemClass.CUSTOM_CODE
_RIGHT, _LINK = ProblemClass.PERMISSIONS, ProblemClass.ASSOCIATIONS
_TWICE, _MAPPING = ProblemClass.DUPLICATES, ProblemClass.FIELD_MAPPING
_LIMIT, _BUSY = ProblemClass.API_LIMIT, ProblemClass.CONNECTION

_ASK_ADMIN = "a validation rule, flow or trigger in Salesforce refused it; ask its owner, or change the value"
_SHOW_RECORD = "check that the record it refers to exists and that the connector's user can see it"
_GRANT_FIELD = "give the connector's user the right to edit this field, or map it one way only"
_GRANT_RECORD = "give the connector's user the right to edit this record"
_UNLOCK = "wait until its approval is over, or unlock the record in Salesforce"
_WAIT = "nothing: it is tried again"

MEANINGS: Mapping[str, Meaning] = {
    # values
    "BAD_CUSTOM_ENTITY_PARENT_DOMAIN": Meaning(_LINK, _SHOW_RECORD),
    "FIELD_INTEGRITY_EXCEPTION": Meaning(_VALUE, "correct the value: it does not fit the others of this record"),
    "INACTIVE_OWNER_OR_USER": Meaning(
        _VALUE, "give the record an active owner, map the owner to another user, or set a default owner (A5)"
    ),
    "INVALID_EMAIL_ADDRESS": Meaning(_VALUE, "correct the e-mail address"),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Meaning(
        _VALUE, "add the value to the picklist (and to the record type), or give the mapping a value map"
    ),
    "INVALID_TYPE_ON_FIELD_IN_RECORD": Meaning(_MAPPING, "give the mapping the transform that fits this field"),
    "JSON_PARSER_ERROR": Meaning(_MAPPING, "give the mapping the transform that fits this field"),
    "MALFORMED_ID": Meaning(_LINK, _SHOW_RECORD),
    "NUMBER_OUTSIDE_VALID_RANGE": Meaning(_VALUE, "enter a number that the field has room for"),
    "REQUIRED_FIELD_MISSING": Meaning(_VALUE, "fill the field, or give the mapping a default"),
    "STRING_TOO_LONG": Meaning(_VALUE, "shorten the text, or make the field in Salesforce longer"),
    "CANNOT_UPDATE_CONVERTED_LEAD": Meaning(_VALUE, "work with the contact that the lead was converted to"),
    # custom code
    "APEX_ERROR": Meaning(_CODE, _ASK_ADMIN),
    "CANNOT_EXECUTE_FLOW_TRIGGER": Meaning(_CODE, _ASK_ADMIN),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Meaning(_CODE, _ASK_ADMIN),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Meaning(_CODE, _ASK_ADMIN),
    "FLOW_EXCEPTION": Meaning(_CODE, _ASK_ADMIN),
    # duplicates
    "DUPLICATES_DETECTED": Meaning(
        _TWICE, "merge the duplicates, or let the connector's user pass this duplicate rule"
    ),
    "DUPLICATE_EXTERNAL_ID": Meaning(_TWICE, "leave the external id on one of the records only"),
    "DUPLICATE_VALUE": Meaning(
        _TWICE, "merge the records, or change or clear the value that both have", Trouble.COLLIDED
    ),
    # permissions
    "ENTITY_IS_LOCKED": Meaning(_RIGHT, _UNLOCK),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Meaning(_RIGHT, _SHOW_RECORD),
    "INSUFFICIENT_ACCESS_OR_READONLY": Meaning(_RIGHT, _GRANT_RECORD),
    "INVALID_FIELD_FOR_INSERT_UPDATE": Meaning(_RIGHT, _GRANT_FIELD),
    "TRANSFER_REQUIRES_READ": Meaning(_RIGHT, "give the new owner the right to read this object"),
    # associations
    "ENTITY_IS_DELETED": Meaning(_LINK, "nothing: the record was deleted in Salesforce", Trouble.GONE),
    "FIELD_FILTER_VALIDATION_EXCEPTION": Meaning(_LINK, "choose a record that the lookup filter lets through"),
    "INVALID_CROSS_REFERENCE_KEY": Meaning(_LINK, _SHOW_RECORD),
    "NOT_FOUND": Meaning(_LINK, "nothing: the record was deleted in Salesforce", Trouble.GONE),
    # field mapping
    "INVALID_FIELD": Meaning(_MAPPING, "correct the mapping file, or let the connector's user see the field"),
    "INVALID_TYPE": Meaning(_RIGHT, "let the connector's user see this object"),
    # limits and passing troubles
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": Meaning(_BUSY, _WAIT, Trouble.PASSING),
    "LIMIT_EXCEEDED": Meaning(_LIMIT, "raise the limit that Salesforce names", Trouble.PASSING),
    "PROCESSING_HALTED": Meaning(_BUSY, _WAIT, Trouble.PASSING),
    "REQUEST_RUNNING_TOO_LONG": Meaning(_BUSY, _WAIT, Trouble.PASSING),
    "SERVER_UNAVAILABLE": Meaning(_BUSY, _WAIT, Trouble.PASSING),
    "STORAGE_LIMIT_EXCEEDED": Meaning(_LIMIT, "free data storage in Salesforce"),
    "TXN_SECURITY_APEX_ERROR": Meaning(_CODE, _ASK_ADMIN),
    "UNABLE_TO_LOCK_ROW": Meaning(_BUSY, _WAIT, Trouble.PASSING),
    "UNKNOWN_EXCEPTION": Meaning(_BUSY, "give Salesforce support the error id in the text", Trouble.PASSING),
}
UNKNOWN = Meaning(_VALUE, "see what Salesforce says; correct the value, or map the field one way only")
_NO_REASON = "Salesforce gave no reason"

_NO_COLUMN = re.compile(r"No such column '(\w+)'")
_HOLDER = re.compile(r"record with id: (\w{15,18})")


def read_refusal(errors: Any) -> Refusal:
    """A refusal from the `errors` of a save result, or from the body of a whole answer."""
    told = salesforce_errors(errors)
    first: SalesforceError = told[0] if told else {}
    code, message = _code(first), first.get("message") or _NO_REASON
    fields = _fields(first)
    meaning = _meaning(code, fields)
    holder = _HOLDER.search(message) if meaning.trouble is Trouble.COLLIDED else None
    every = [_blames(one) for one in told]
    return Refusal(
        trouble=meaning.trouble,
        cause=meaning.cause,
        code=code,
        message=message,
        field=",".join(fields),
        existing_id=full_id(holder.group(1)) if holder else None,
        remedy=meaning.remedy,
        blames=tuple(blame for some in every for blame in some) if all(every) else (),
    )


def unknown_columns(errors: Any) -> frozenset[str]:
    """The fields for whose sake a whole collection is refused: they are no fields of the object (any more)."""
    return frozenset(
        name for one in salesforce_errors(errors) for name in _NO_COLUMN.findall(one.get("message") or "")
    )


def _code(error: SalesforceError) -> str:
    return error.get("statusCode") or error.get("errorCode") or "UNKNOWN"


def _fields(error: SalesforceError) -> Sequence[str]:
    return error.get("fields") or _NO_COLUMN.findall(error.get("message") or "")


def _meaning(code: str, fields: Sequence[str]) -> Meaning:
    if code == "ENTITY_IS_DELETED" and fields:  # what a field refers to, and not the record itself
        return Meaning(_LINK, _SHOW_RECORD)
    return MEANINGS.get(code, UNKNOWN)


def _blames(error: SalesforceError) -> list[Blame]:
    code, fields = _code(error), _fields(error)
    meaning = _meaning(code, fields)
    if meaning.trouble in {Trouble.PASSING, Trouble.GONE}:
        return []
    message = error.get("message") or _NO_REASON
    return [Blame(name, meaning.cause, code, message, meaning.remedy) for name in fields]
