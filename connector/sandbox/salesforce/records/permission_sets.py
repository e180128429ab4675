"""What may a permission set grant, and to whom?

| object | rule |
|---|---|
| PermissionSet | a name of letters, digits and underscores, once in the org |
| PermissionSetAssignment | once for a user and a permission set |
| FieldPermissions | of a field that is there and may be granted, once in a permission set; never without read |

Source: Salesforce Object Reference, "PermissionSet", "PermissionSetAssignment", "FieldPermissions". The words of
the refusals are not documented; the codes are those of "Core Data Types Used in API Calls".
"""

from __future__ import annotations

import re

from connector.sandbox.salesforce.definitions.schema import SObject
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.records.store import Row, Store

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")


def complete(store: Store, sobject: SObject, old: Row | None, changes: Row) -> None:
    """Check a change to one of the three objects, and add what follows from it."""
    match sobject.name:
        case "PermissionSet":
            _name(store, old, changes)
        case "PermissionSetAssignment":
            _be_the_only_one(store, sobject, changes, ("AssigneeId", "PermissionSetId"))
        case "FieldPermissions":
            _grant(store, sobject, old, changes)


def _name(store: Store, old: Row | None, changes: Row) -> None:
    if old is None:
        changes["IsCustom"] = True
    name = changes.get("Name")
    if name is None:
        return
    if not _NAME.fullmatch(name):
        message = "The Name can only contain underscores and alphanumeric characters, and must begin with a letter"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, ["Name"])
    own = (old or {}).get("Id")
    if any(row["Name"] == name and row["Id"] != own for row in store.table("PermissionSet").rows()):
        raise ApiError("DUPLICATE_DEVELOPER_NAME", f"The name {name} is already in use", ["Name"])


def _grant(store: Store, sobject: SObject, old: Row | None, changes: Row) -> None:
    now = {**(old or {}), **changes}
    if not now.get("PermissionsRead"):
        message = "Field permissions have at least PermissionsRead; PermissionsEdit depends on it"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, ["PermissionsRead"])
    if old is not None:
        return
    owner = store.schema.find(now["SobjectType"])
    name = now["Field"].partition(".")[2]
    field = owner.find(name) if owner is not None and now["Field"].partition(".")[0] == owner.name else None
    if owner is None or field is None or not (field.nillable and (field.createable or field.derived)):
        message = f"Field Name: bad value for restricted picklist field: {now['Field']}"
        raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["Field"])
    changes |= {"SobjectType": owner.name, "Field": f"{owner.name}.{field.name}"}
    _be_the_only_one(store, sobject, changes, ("ParentId", "Field"))


def _be_the_only_one(store: Store, sobject: SObject, changes: Row, names: tuple[str, ...]) -> None:
    for row in store.table(sobject.name).rows():
        if all(row[name] == changes.get(name) for name in names):
            message = f"duplicate value found: {names[0]} duplicates value on record with id: {row['Id'][:15]}"
            raise ApiError("DUPLICATE_VALUE", message, [])
