"""The journal of what happened in a portal, for an app to read: webhooks by asking (HubSpot docs, "Webhooks journal
and management APIs").

| subscription | actions |
|---|---|
| `OBJECT` | `CREATE`, `UPDATE` (of its `properties`), `DELETE`, `MERGE`, `RESTORE` |
| `ASSOCIATION` | `ASSOCIATION_ADDED`, `ASSOCIATION_REMOVED` |
| `GDPR_PRIVACY_DELETION` | `GDPR_DELETE` |

An entry of the journal is a file of up to 10,000 events, which is found under an offset for three days. Simplified:
it holds what has happened within a minute, or until somebody reads; an event is written once, however many
subscriptions ask for it; a subscription without `properties` hears of no property; the keys of association events
are those of the generic webhooks, because the documentation shows none. Filters, snapshots, lists and the events of
an app's life are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from connector.sandbox.hubspot.api.shapes import as_object, need
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS
from connector.sandbox.hubspot.errors import expired, not_authenticated, not_found, refuse
from connector.sandbox.hubspot.moments import DAY, to_iso
from connector.sandbox.hubspot.portal import PORTAL_ID, Portal
from connector.sandbox.hubspot.records.events import Event, Topic
from connector.sandbox.hubspot.webhooks.subscriptions import read_type_id

MOST_EVENTS = 10_000  # of a file (HubSpot changelog, "July 2026 rollup")
KEPT = 3 * DAY
FILE_SPAN = 60_000  # milliseconds from the first to the last event of a file
URL_LIFE = 3_600_000  # how long the address of a file is good; not documented
TOKEN_LIFE = 1_800  # seconds
READ, SEE, MANAGE = (
    f"developer.webhooks_journal.{right}" for right in ("read", "subscriptions.read", "subscriptions.write")
)
SCOPES = frozenset({READ, SEE, MANAGE})

_EVENTS = {
    "CREATE": "creation",
    "UPDATE": "propertyChange",
    "DELETE": "deletion",
    "MERGE": "merge",
    "RESTORE": "restore",
    "ASSOCIATION_ADDED": "associationChange",
    "ASSOCIATION_REMOVED": "associationChange",
    "GDPR_DELETE": "privacyDeletion",
}
_ACTIONS = {
    "OBJECT": frozenset({"CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE"}),
    "ASSOCIATION": frozenset({"ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"}),
    "GDPR_PRIVACY_DELETION": frozenset({"GDPR_DELETE"}),
}
_LINK_KEYS = (
    "fromObjectId", "toObjectId", "fromObjectTypeId", "toObjectTypeId", "associationTypeId", "associationCategory",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interest:
    """A subscription to the journal. Without `object_ids` it is for all records of its type."""

    id: int
    kind: str
    object_type_id: str
    actions: frozenset[str]
    properties: frozenset[str]
    object_ids: frozenset[int]
    created: int

    def topics(self) -> Iterator[Topic]:
        """What it has to hear. The values of a new record are told as changes, so `CREATE` hears of these too."""
        kind = BY_ALIAS.get(self.object_type_id)
        if kind is None:
            return
        for action in self.actions:
            if action in {"CREATE", "UPDATE"}:
                yield from ((kind.name, "propertyChange", name) for name in self.properties)
            if action != "UPDATE":
                yield kind.name, _EVENTS[action], ""

    def wants(self, action: str, type_id: str, record_id: int, name: str) -> bool:
        return (
            action in self.actions
            and type_id == self.object_type_id
            and (not self.object_ids or record_id in self.object_ids)
            and (not name or name in self.properties)
        )

    def view(self, app_id: int) -> dict[str, Any]:
        return {
            "id": self.id,
            "appId": app_id,
            "portalId": PORTAL_ID,
            "subscriptionType": self.kind,
            "objectTypeId": self.object_type_id,
            "actions": sorted(self.actions),
            "properties": sorted(self.properties),
            "objectIds": sorted(self.object_ids),
            "createdAt": to_iso(self.created),
            "updatedAt": to_iso(self.created),
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the journal."""

    offset: str
    published: int
    events: list[dict[str, Any]]

    def view(self) -> dict[str, Any]:
        return {"offset": self.offset, "journalEvents": self.events, "publishedAt": to_iso(self.published)}


class Journal:
    """The journal of one app in one portal, the subscriptions to it, and the tokens that it is read with."""

    def __init__(self, portal: Portal, app_id: int, seed: int) -> None:
        self._portal = portal
        self._random = Random(f"journal {seed}")
        self._next_id = self._random.randrange(1_000_000, 9_000_000)
        self._interests: dict[str, Interest] = {}
        self._fresh: list[dict[str, Any]] = []
        self._fresh_since = self._fresh_until = 0
        self._entries: list[Entry] = []
        self._tokens: dict[str, tuple[frozenset[str], int]] = {}
        self.app_id = app_id

    def now(self) -> int:
        return self._portal.now()

    # -- tokens

    def grant(self, scope: str) -> dict[str, Any]:
        """A token for the app itself (`client_credentials`), with those scopes asked for that the journal has."""
        token = f"{self._random.getrandbits(512):0128x}"
        granted = SCOPES.intersection(scope.split())
        self._tokens[token] = (granted, self._portal.now() + TOKEN_LIFE * 1_000)
        return {
            "access_token": token,
            "expires_in": TOKEN_LIFE,
            "token_type": "bearer",
            "token_use": "client_credentials",
        }

    def scopes_of(self, token: str) -> frozenset[str]:
        """The scopes of a token. Raises 401 for another one, and after its end."""
        scopes, ends = self._tokens.get(token, (None, 0))
        if scopes is None:
            raise not_authenticated()
        if ends <= self._portal.now():
            raise expired(ends, self._portal.now())
        return scopes

    # -- subscriptions

    def interests(self) -> list[Interest]:
        return list(self._interests.values())

    def interest(self, given: str) -> Interest:
        """Raises 404 for an id that is none."""
        found = self._interests.get(given)
        if found is None:
            raise not_found(f"Subscription {given} does not exist")
        return found

    def subscribe(self, body: Any) -> Interest:
        """`{subscriptionType, objectTypeId, portalId, actions, properties?, objectIds?}`.

        One of the same type for the same object type is replaced ("Create or update a subscription"). Raises 400
        for a type or an action that is not there, and for another portal.
        """
        body = as_object(body)
        kind = need(body, "subscriptionType")
        if kind not in _ACTIONS:
            raise refuse(f"subscriptionType {kind} is not one of {', '.join(_ACTIONS)}")
        actions = _listed(body, "actions", str)
        if not actions or not actions <= _ACTIONS[kind]:
            raise refuse(f"actions of {kind} are {', '.join(sorted(_ACTIONS[kind]))}")
        if body.get("portalId") != PORTAL_ID:
            raise refuse(f"The app is not installed in portal {body.get('portalId')}")
        object_type_id = read_type_id(body)
        properties, object_ids = _listed(body, "properties", str), _listed(body, "objectIds", int)
        known = next(
            (one for one in self.interests() if (one.kind, one.object_type_id) == (kind, object_type_id)), None
        )
        if known is None:
            self._next_id += 1
        interest_id = self._next_id if known is None else known.id
        made = Interest(interest_id, kind, object_type_id, actions, properties, object_ids, self._portal.now())
        self._interests[str(made.id)] = made
        self._listen()
        return made

    def unsubscribe(self, interests: Iterable[Interest]) -> None:
        for each in interests:
            del self._interests[str(each.id)]
        self._listen()

    def _listen(self) -> None:
        topics = {topic for each in self._interests.values() for topic in each.topics()}
        self._portal.events.listen("journal", self, topics)

    # -- writing

    def hear(self, event: Event) -> None:
        if not self._fresh or event.at - self._fresh_since > FILE_SPAN:
            self._publish()
            self._fresh_since = event.at
        action = _action(event)
        type_id, name = BY_ALIAS[event.kind].type_id, event.details.get("propertyName", "")
        if action == "UPDATE" and self._belongs_to_last(event, type_id):
            self._note_value(self._fresh[-1], event)
        elif any(each.wants(action, type_id, event.record_id, name) for each in self._interests.values()):
            self._fresh.append(_render(event, action, type_id))
            self._fresh_until = event.at
            if name:
                self._note_value(self._fresh[-1], event)

    def _belongs_to_last(self, event: Event, type_id: str) -> bool:
        """Whether a value was written together with what was told last: all values of a write are one event."""
        if not self._fresh or self._fresh[-1].get("action") not in {"CREATE", "UPDATE"}:
            return False
        last = self._fresh[-1]
        here = (type_id, event.record_id, to_iso(event.at))
        name = event.details["propertyName"]
        return here == (last["objectTypeId"], last["objectId"], last["occurredAt"]) and any(
            each.wants(last["action"], type_id, event.record_id, name) for each in self._interests.values()
        )

    def _note_value(self, told: dict[str, Any], event: Event) -> None:
        told.setdefault("propertyChanges", {})[event.details["propertyName"]] = event.details["propertyValue"]

    def _publish(self) -> None:
        for start in range(0, len(self._fresh), MOST_EVENTS):
            offset = str(UUID(int=self._random.getrandbits(128), version=4))
            self._entries.append(Entry(offset, self._fresh_until, self._fresh[start : start + MOST_EVENTS]))
        self._fresh = []

    # -- reading

    def entries(self) -> list[Entry]:
        """All entries of the last three days, the oldest first."""
        self._publish()
        oldest = self._portal.now() - KEPT
        self._entries = [entry for entry in self._entries if entry.published >= oldest]
        return self._entries

    def after(self, offset: str) -> list[Entry]:
        """The entries that follow one. Raises 404 for an offset that is none, or none any more."""
        entries = self.entries()
        found = next((place for place, entry in enumerate(entries) if entry.offset == offset), None)
        if found is None:
            raise not_found(f"Offset {offset} does not exist or has expired")
        return entries[found + 1 :]


def _listed(body: dict[str, Any], name: str, wanted: type) -> frozenset[Any]:
    given = body.get(name) or []
    if not isinstance(given, list) or not all(
        isinstance(one, wanted) and not isinstance(one, bool) for one in given
    ):
        raise refuse(f"{name} is not a list of {wanted.__name__}")
    return frozenset(given)


def _action(event: Event) -> str:
    if event.what == "associationChange":
        return "ASSOCIATION_REMOVED" if event.details["associationRemoved"] else "ASSOCIATION_ADDED"
    return next(action for action, what in _EVENTS.items() if what == event.what)


def _render(event: Event, action: str, type_id: str) -> dict[str, Any]:
    common = {"portalId": PORTAL_ID, "occurredAt": to_iso(event.at), "action": action}
    if event.what == "associationChange":
        return {"type": "association", **common, **{name: event.details[name] for name in _LINK_KEYS}}
    merged = {"mergedObjectIds": event.details["mergedObjectIds"]} if action == "MERGE" else {}
    return {"type": "crmObject", **common, "objectTypeId": type_id, "objectId": event.record_id, **merged}
