"""What the signed-in user may do: the system permissions, and reading and editing per object.

An administrator of the sandbox changes it under `/_sandbox/permissions`. The permissions are what a client
sees as the one row of `UserPermissionAccess`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.sandbox.salesforce.errors import InputError
from connector.sandbox.salesforce.objects import PERMISSIONS


class Access:
    """Everything is allowed until it is taken away."""

    def __init__(self) -> None:
        self.permissions = dict.fromkeys(PERMISSIONS, True)
        self._objects: dict[str, dict[str, bool]] = {}

    @property
    def api_enabled(self) -> bool:
        return self.permissions["PermissionsApiEnabled"]

    def may_read(self, sobject: str) -> bool:
        return self._objects.get(sobject, {}).get("read", True)

    def may_edit(self, sobject: str) -> bool:
        return self._objects.get(sobject, {}).get("edit", True)

    def tell(self) -> dict[str, Any]:
        """`{"PermissionsApiEnabled": true, …, "objects": {"Opportunity": {"read": true, "edit": false}}}`."""
        return {**self.permissions, "objects": {name: dict(rights) for name, rights in self._objects.items()}}

    def change(self, wanted: Mapping[str, Any], known: set[str]) -> None:
        """Take over what is named, in the shape of `tell`. Raises `InputError` and changes nothing otherwise."""
        permissions, objects = dict(self.permissions), {**self._objects}
        for name, value in wanted.items():
            if name == "objects" and isinstance(value, dict):
                objects |= {each: _rights(each, rights, known) for each, rights in value.items()}
            elif name not in permissions or not isinstance(value, bool):
                raise InputError(f"{name}: not one of the permissions, or neither true nor false")
            else:
                permissions[name] = value
        self.permissions, self._objects = permissions, objects


def _rights(sobject: str, rights: Any, known: set[str]) -> dict[str, bool]:
    if sobject not in known:
        raise InputError(f"objects: no object is called {sobject}")
    if not isinstance(rights, dict) or rights.keys() - {"read", "edit"}:
        raise InputError(f'objects: {sobject} has other rights than "read" and "edit"')
    if any(not isinstance(value, bool) for value in rights.values()):
        raise InputError(f"objects: the rights of {sobject} are neither true nor false")
    return {"read": True, "edit": True, **rights}
