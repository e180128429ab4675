"""How what is done in a portal becomes events: one method for each thing that can happen to a record.

| happens | events |
|---|---|
| a record is created | `creation`, and `propertyChange` for each of its values |
| values change | `propertyChange` for each that is another one now |
| a record is archived, restored | `deletion`, `restore` |
| a contact is deleted for good | `privacyDeletion` and `deletion` |
| two records are merged | `merge` |
| an association comes or goes | `associationChange` for each of its types, seen from either end |

A primary association is an unlabelled one too, and so has two events at each end. Whether HubSpot tells of the
associations that end with a record, or move in a merge, is not documented; here it does.
HubSpot docs, "Webhooks API".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connector.sandbox.hubspot.actors import Actor
from connector.sandbox.hubspot.definitions.associations import PRIMARY, Pair, Types
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS
from connector.sandbox.hubspot.records.events import Event
from connector.sandbox.hubspot.records.records import Record

if TYPE_CHECKING:
    from connector.sandbox.hubspot.portal import Portal


class News:
    """Tells a portal's events. Nobody listens, nothing is done."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def created(self, kind: str, record: Record) -> None:
        if self._portal.events.wanted:
            self._tell("creation", kind, record.id, record.created, record.by)
            for name, value in record.values.items():
                self._tell_value(kind, record, name, value, record.created, record.history(name)[0].by)

    def changed(self, kind: str, record: Record, changes: Mapping[str, str | None], at: int, by: Actor) -> None:
        """To be called before the changes are made, so that it can be seen which they are."""
        if self._portal.events.wanted:
            for name, value in changes.items():
                if record.values.get(name) != value:
                    self._tell_value(kind, record, name, value or "", at, by)

    def archived(self, kind: str, record: Record) -> None:
        self._tell("deletion", kind, record.id, self._portal.now(), self._portal.actor)

    def restored(self, kind: str, record: Record) -> None:
        self._tell("restore", kind, record.id, self._portal.now(), self._portal.actor)

    def erased(self, kind: str, record_id: int) -> None:
        """A record is deleted for good, which is told as a deletion too."""
        for what in ("privacyDeletion", "deletion"):
            self._tell(what, kind, record_id, self._portal.now(), self._portal.actor)

    def merged(self, kind: str, primary: int, absorbed: int, survivor: int, moved: int) -> None:
        """`moved` is how many values the survivor took over."""
        details = {
            "primaryObjectId": primary,
            "mergedObjectIds": [absorbed],
            "newObjectId": survivor,
            "numberOfPropertiesMoved": moved,
        }
        self._tell("merge", kind, survivor, self._portal.now(), self._portal.actor, details)

    def linked(self, pair: Pair, start: int, end: int, before: Types, now: Types) -> None:
        """The types between two records are others now; both ends are told of it."""
        if self._portal.events.wanted:
            for type_id in sorted({*before} ^ {*now}):
                removed = type_id in before
                (link_type,) = self._portal.associations.describe(pair, [type_id])
                self._tell_link(pair, start, end, type_id, removed=removed)
                self._tell_link(pair[::-1], end, start, link_type.inverse, removed=removed)

    def _tell_link(self, pair: Pair, start: int, end: int, type_id: int, *, removed: bool) -> None:
        portal, ends = self._portal, [BY_ALIAS[name] for name in pair]
        if not portal.events.wants(pair[0], "associationChange"):
            return
        (link_type,) = portal.associations.describe(pair, [type_id])
        primary = type_id == PRIMARY.get(pair) or link_type.inverse == PRIMARY.get(pair[::-1])
        details = {
            "associationType": "_TO_".join(kind.singular.upper() for kind in ends),
            "fromObjectId": start,
            "toObjectId": end,
            "associationRemoved": removed,
            "isPrimaryAssociation": primary,
            "associationTypeId": type_id,
            "associationCategory": link_type.category,
            "fromObjectTypeId": ends[0].type_id,
            "toObjectTypeId": ends[1].type_id,
        }
        labelled = not primary and type_id != portal.associations.default(pair)
        event = Event(
            "associationChange",
            pair[0],
            start,
            portal.now(),
            portal.actor.source,
            portal.actor.source_id,
            details,
            labelled=labelled,
        )
        portal.events.add(event)

    def _tell_value(self, kind: str, record: Record, name: str, value: str, at: int, by: Actor) -> None:
        if self._portal.events.wants(kind, "propertyChange", name):
            details = {"propertyName": name, "propertyValue": value}
            self._tell("propertyChange", kind, record.id, at, by, details)

    def _tell(
        self, what: str, kind: str, record_id: int, at: int, by: Actor, details: dict[str, Any] | None = None
    ) -> None:
        if self._portal.events.wanted:
            self._portal.events.add(Event(what, kind, record_id, at, by.source, by.source_id, details or {}))
