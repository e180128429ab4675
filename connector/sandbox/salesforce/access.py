"""What each user may do: the system permissions, and reading and editing per object and per field.

An administrator of the sandbox changes it under `/_sandbox/permissions`. The permissions are what a client
sees as the one row of `UserPermissionAccess`. A field that a user may not read does not exist for them (Salesforce
Help, "Field-Level Security"). A field that was made through the Tooling API is closed to everybody, and opened by
`FieldPermissions` of a permission set that is assigned to the user (Object Reference, "FieldPermissions").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.salesforce.definitions.objects import PERMISSIONS
from connector.sandbox.salesforce.definitions.schema import Schema, SObject
from connector.sandbox.salesforce.errors import InputError
from connector.sandbox.salesforce.records.store import Store

_ALWAYS_READ = {"Id"}
_SETUP, _ASSIGN = "PermissionsViewSetup", "PermissionsAssignPermissionSets"
_MANAGE = "PermissionsManageProfilesPermissionsets"
_SEES_SETUP = {
    "FieldPermissions": {_SETUP},
    "PermissionSet": {_SETUP, _ASSIGN, _MANAGE},
    "PermissionSetAssignment": {_SETUP, _ASSIGN},
}
_CHANGES_SETUP = {
    "FieldPermissions": {_MANAGE}, "PermissionSet": {_MANAGE}, "PermissionSetAssignment": {_ASSIGN},
}  # fmt: skip
"""Which permission, any of these, an object of the set-up asks for (Object Reference, "Special Access Rules")."""

_Rights = dict[str, bool]


@dataclass(slots=True)
class UserRights:
    """Those of one user. Objects and fields that are not named may be read and edited."""

    permissions: _Rights = field(default_factory=lambda: dict.fromkeys(PERMISSIONS, True))
    objects: dict[str, _Rights] = field(default_factory=dict)
    fields: dict[tuple[str, str], _Rights] = field(default_factory=dict)

    def tell(self) -> dict[str, Any]:
        fields: dict[str, dict[str, _Rights]] = {}
        for (sobject, name), rights in self.fields.items():
            fields.setdefault(sobject, {})[name] = dict(rights)
        objects = {name: dict(rights) for name, rights in self.objects.items()}
        return {**self.permissions, "objects": objects, "fields": fields}


class Access:
    """Everything is allowed until it is taken away. The questions are about the user who is signed in now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._users: dict[str, UserRights] = {}
        self.closed: set[tuple[str, str]] = set()
        """Fields, by object and name, that only a permission set opens."""

    def of(self, user: str) -> UserRights:
        return self._users.get(user) or UserRights()

    @property
    def permissions(self) -> Mapping[str, bool]:
        return self.of(self._store.user).permissions

    @property
    def api_enabled(self) -> bool:
        return self.permissions["PermissionsApiEnabled"]

    def may_read(self, sobject: str) -> bool:
        return self._holds(_SEES_SETUP.get(sobject)) and self._may(sobject, "read")

    def may_edit(self, sobject: str) -> bool:
        return self._holds(_CHANGES_SETUP.get(sobject)) and self._may(sobject, "edit")

    def may_read_field(self, sobject: str, name: str) -> bool:
        """`name` as the schema spells it."""
        return name in _ALWAYS_READ or self._may_field(sobject, name, "read")

    def may_edit_field(self, sobject: str, name: str) -> bool:
        """`name` as the schema spells it."""
        return self._may_field(sobject, name, "edit")

    def tell(self, user: str) -> dict[str, Any]:
        """`{"PermissionsApiEnabled": true, …, "objects": {"Opportunity": {"read": true, "edit": false}},
        "fields": {"Opportunity": {"Amount": {"read": true, "edit": false}}}}`.
        """
        return self.of(user).tell()

    def change(self, user: str, wanted: Mapping[str, Any], schema: Schema) -> None:
        """Take over what is named, in the shape of `tell`. Raises `InputError` and changes nothing otherwise."""
        old = self.of(user)
        new = UserRights(dict(old.permissions), dict(old.objects), dict(old.fields))
        for name, value in wanted.items():
            if name == "objects" and isinstance(value, dict):
                new.objects |= {_object(schema, each).name: _rights(each, given) for each, given in value.items()}
            elif name == "fields" and isinstance(value, dict):
                new.fields |= _field_rights(schema, value)
            elif name in new.permissions and isinstance(value, bool):
                new.permissions[name] = value
            else:
                raise InputError(f"{name}: not one of the permissions, or neither true nor false")
        self._users[user] = new

    def _may(self, sobject: str, act: str) -> bool:
        rights = self._users.get(self._store.user)
        return rights is None or rights.objects.get(sobject, {}).get(act, True)

    def _holds(self, any_of: set[str] | None) -> bool:
        return any_of is None or any(self.permissions[name] for name in any_of)

    def _opens(self, sobject: str, name: str, act: str) -> bool:
        """Whether a permission set of the user opens a closed field."""
        assigned = {
            row["PermissionSetId"]
            for row in self._store.table("PermissionSetAssignment").rows()
            if row["AssigneeId"] == self._store.user
        }
        flag = {"read": "PermissionsRead", "edit": "PermissionsEdit"}[act]
        return any(
            row["Field"] == f"{sobject}.{name}" and row["ParentId"] in assigned and row.get(flag)
            for row in self._store.table("FieldPermissions").rows()
        )

    def _may_field(self, sobject: str, name: str, act: str) -> bool:
        rights = self._users.get(self._store.user)
        closed = (sobject, name) in self.closed
        allowed = not closed and (rights is None or rights.fields.get((sobject, name), {}).get(act, True))
        return allowed or self._opens(sobject, name, act)  # permission sets only ever add


def _field_rights(schema: Schema, given: Mapping[str, Any]) -> dict[tuple[str, str], _Rights]:
    found = {}
    for name, fields in given.items():
        sobject = _object(schema, name)
        if not isinstance(fields, dict):
            raise InputError(f"fields: {name} is given as an object of fields")
        for each, rights in fields.items():
            known = sobject.find(each)
            if known is None:
                raise InputError(f"fields: {name} has no field {each}")
            found[sobject.name, known.name] = _rights(f"{name}.{each}", rights)
    return found


def _object(schema: Schema, name: str) -> SObject:
    found = schema.find(name)
    if found is None:
        raise InputError(f"no object is called {name}")
    return found


def _rights(what: str, given: Any) -> _Rights:
    if not isinstance(given, dict) or given.keys() - {"read", "edit"}:
        raise InputError(f'{what} has other rights than "read" and "edit"')
    if any(not isinstance(value, bool) for value in given.values()):
        raise InputError(f"the rights of {what} are neither true nor false")
    rights = {"read": True, "edit": True, **given}
    return {**rights, "edit": rights["read"] and rights["edit"]}
