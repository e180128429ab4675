"""How is a field made in Salesforce, and opened to the connector's user?

| what | how | asks for |
|---|---|---|
| is it there? | Tooling API, query of CustomField | View Setup and Configuration |
| which fields are there? | Tooling API, query of FieldDefinition | nothing; without that permission it shows less |
| make it | Tooling API, CustomField | Customize Application |
| open it | a permission set, FieldPermissions, an assignment | Manage Profiles and Permission Sets, Assign … |

A field that was made by an API is seen by nobody, not even by its maker, until field-level security opens it
(Object Reference, "FieldPermissions"). That is done by one permission set of the connector's own, which grants
nothing but these fields and is assigned to nobody but the connector's user.

Sources: Tooling API Reference and Developer Guide, "CustomField", "FieldDefinition"; Metadata API Developer Guide,
"CustomField"; Object Reference, "PermissionSet", "PermissionSetAssignment", "FieldPermissions"; the user's id by
the UserInfo endpoint (Salesforce Help, "Query for User Information").
"""  # fmt: skip

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from connector.adapters.answers import GrantRow, Made, QueryPage, expect
from connector.adapters.base import Refusal, Trouble
from connector.adapters.salesforce import Salesforce
from connector.adapters.salesforce_refusals import read_refusal
from connector.adapters.salesforce_soql import quote_text
from connector.core.model import ProblemClass, Side

PERMISSION_SET, PERMISSION_SET_LABEL = "HubSpot_Connector", "HubSpot connector"
CUSTOMIZE, MANAGE, ASSIGN = (
    "PermissionsCustomizeApplication",
    "PermissionsManageProfilesPermissionsets",
    "PermissionsAssignPermissionSets",
)
ID_LENGTH = 40
"""Room for any HubSpot id, which is a number of at most 20 digits today."""
_THERE = {"DUPLICATE_VALUE", "DUPLICATE_DEVELOPER_NAME"}
"""Somebody else was faster."""

_BOTH = {"PermissionsRead": True, "PermissionsEdit": True}
_DESCRIPTION = "Lets the connector's user see and edit the fields that store ids of HubSpot, and nothing else."
_GRANTS = (
    "SELECT Id, (SELECT Field, PermissionsEdit FROM FieldPerms), (SELECT AssigneeId FROM Assignments)"  # a constant
    f" FROM PermissionSet WHERE Name = {quote_text(PERMISSION_SET)}"
)


def find_custom_field(crm: Salesforce, object_: str, name: str) -> bool | None:
    """Whether a custom field is there, be it hidden from our user; None if that may not be asked. One call."""
    developer_name = name.removesuffix("__c")
    soql = (
        "SELECT Id FROM CustomField"
        f" WHERE TableEnumOrId = {quote_text(object_)} AND DeveloperName = {quote_text(developer_name)}"
    )
    rows = _tooling_rows(crm, soql)
    return None if rows is None else bool(rows)


def find_field_names(crm: Salesforce, object_: str) -> frozenset[str]:
    """The fields of an object, as far as our user may know of them, hidden ones included. One call."""
    soql = f"SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinitionId = {quote_text(object_)}"
    return frozenset(str(row.get("QualifiedApiName") or "") for row in _tooling_rows(crm, soql) or ())


def make_id_field(crm: Salesforce, object_: str, name: str) -> Refusal | None:
    """Make the text field that stores HubSpot's id: external id, unique, 40 characters. One call."""
    metadata = {
        "type": "Text",
        "label": name.removesuffix("__c").replace("_", " "),
        "length": ID_LENGTH,
        "unique": True,
        "caseSensitive": True,
        "externalId": True,
        "required": False,
        "description": "The id of this record's partner in HubSpot. Written by the connector; do not edit.",
    }
    body = {"FullName": f"{object_}.{name}", "Metadata": metadata}
    refusal = _refusal(crm.ask("POST", "tooling/sobjects/CustomField", body))
    return None if refusal is not None and refusal.code in _THERE else refusal


def open_fields(crm: Salesforce, fields: Iterable[str]) -> Refusal | None:
    """Let our user see and edit fields (`Opportunity.HubSpot_Id__c`), by the connector's own permission set.

    What is there already stays as it is: a call to look, and one for each thing to make.
    """
    user = crm.user_id()
    if user is None:
        return Refusal(
            Trouble.REFUSED,
            ProblemClass.PERMISSIONS,
            "NO_USER_ID",
            "Salesforce does not tell whose session this is",
        )
    status, found = crm.ask("GET", f"query?q={quote(_GRANTS)}")
    if status >= 300:
        return _refusal((status, found))
    granted: set[str] = set()
    parent = None
    assigned = False
    for row in _records(found, "GET query"):
        set_ = expect(GrantRow, row, Side.SALESFORCE, "GET query")
        parent = set_["Id"]
        fields_ = (set_.get("FieldPerms") or {}).get("records") or ()
        granted = {one["Field"] for one in fields_ if one["PermissionsEdit"]}
        assignments = (set_.get("Assignments") or {}).get("records") or ()
        assigned = any(one["AssigneeId"] == user for one in assignments)
    if parent is None:
        body = {"Name": PERMISSION_SET, "Label": PERMISSION_SET_LABEL, "Description": _DESCRIPTION}
        status, made = crm.ask("POST", "sobjects/PermissionSet", body)
        if status >= 300:
            return _refusal((status, made))
        parent = expect(Made, made, Side.SALESFORCE, "POST sobjects/PermissionSet")["id"]
    rows: list[tuple[str, dict[str, Any]]] = [
        ("FieldPermissions", {"ParentId": parent, "SobjectType": one.partition(".")[0], "Field": one, **_BOTH})
        for one in fields
        if one not in granted
    ]
    if not assigned:
        rows.append(("PermissionSetAssignment", {"PermissionSetId": parent, "AssigneeId": user}))
    refusals = (_refusal(crm.ask("POST", f"sobjects/{name}", row)) for name, row in rows)
    return next((one for one in refusals if one is not None and one.code not in _THERE), None)


def _records(body: Any, call: str) -> list[dict[str, Any]]:
    return expect(
        list[dict[str, Any]], expect(QueryPage, body, Side.SALESFORCE, call)["records"], Side.SALESFORCE, call
    )


def _tooling_rows(crm: Salesforce, soql: str) -> list[dict[str, Any]] | None:
    status, body = crm.ask("GET", f"tooling/query?q={quote(soql)}")
    return _records(body, "GET tooling/query") if status == 200 else None


def _refusal(answer: tuple[int, Any]) -> Refusal | None:
    status, body = answer
    if status < 300:
        return None
    return read_refusal(body)
