"""The owners of a portal: read by the API, created only by the portal's administrator (HubSpot docs, "Owners").

`hubspot_owner_id` holds an owner's `id`, never the `userId`. Archived owners have no `userId` any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.errors import not_found, refuse, refuse_json
from connector.sandbox.hubspot.moments import to_iso

MOST_PER_PAGE = 500
FIRST_OWNER = {"email": "admin@example.com", "firstName": "Portal", "lastName": "Admin"}


class Owners:
    """`now` gives the time in milliseconds, `next_id` a new id."""

    def __init__(self, now: Callable[[], int], next_id: Callable[[], int]) -> None:
        self._now = now
        self._next_id = next_id
        self._owners: dict[str, dict[str, Any]] = {}
        self.add([FIRST_OWNER])

    def all(self) -> list[dict[str, Any]]:
        return list(self._owners.values())

    def add(self, given: Any) -> list[dict[str, Any]]:
        """Create owners from `{email, firstName, lastName, archived?, teams?}`; answers them with ids."""
        if not isinstance(given, list) or not all(isinstance(owner, dict) for owner in given):
            raise refuse_json()
        if not all(isinstance(owner.get("email"), str) for owner in given):
            raise refuse("An owner needs an email")
        added = [self._shape(owner) for owner in given]
        self._owners.update((owner["id"], owner) for owner in added)
        return added

    def replace(self, given: Any) -> list[dict[str, Any]]:
        before, self._owners = self._owners, {}
        try:
            return self.add(given)
        except Exception:
            self._owners = before
            raise

    def _shape(self, given: dict[str, Any]) -> dict[str, Any]:
        at, user_id = to_iso(self._now()), self._next_id()
        archived = bool(given.get("archived"))
        return {
            "id": str(given.get("id") or self._next_id()),
            "email": given["email"],
            "type": "PERSON",
            "firstName": given.get("firstName", ""),
            "lastName": given.get("lastName", ""),
            "userId": None if archived else user_id,
            "userIdIncludingInactive": user_id,
            "createdAt": at,
            "updatedAt": at,
            "archived": archived,
            **({"teams": given["teams"]} if given.get("teams") else {}),
        }

    def assignable(self, owner_id: str) -> bool:
        """Whether a record may be given to this owner."""
        owner = self._owners.get(owner_id)
        return owner is not None and not owner["archived"]

    def page(
        self, *, email: str | None, archived: bool, after: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Owners and the `after` of the next page. Raises 400 for a limit that is not 1 to 500."""
        if not 1 <= limit <= MOST_PER_PAGE:
            raise refuse(f"limit must be between 1 and {MOST_PER_PAGE}")
        rows = [
            owner
            for owner in self._owners.values()
            if owner["archived"] is archived and (not email or owner["email"].lower() == email.lower())
        ]
        start = max(as_id(after or ""), 0)
        end = start + limit
        return rows[start:end], str(end) if end < len(rows) else None

    def get(self, owner_id: str, id_property: str = "id", *, archived: bool = False) -> dict[str, Any]:
        if id_property not in {"id", "userId"}:
            raise refuse(f'idProperty "{id_property}" is neither id nor userId')
        for owner in self._owners.values():
            if str(owner[id_property]) == owner_id and owner["archived"] is archived:
                return owner
        raise not_found()
