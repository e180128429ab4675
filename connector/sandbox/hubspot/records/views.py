"""How a record is shown: HubSpot's object shape, with the properties, history and associations asked for.

Requested but undefined properties are left out; defined but empty ones are `null` (HubSpot docs, "Using object
APIs"). The time of creation, of the last write and the id are always there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from connector.sandbox.hubspot.actors import CALCULATION
from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records.fields import reader
from connector.sandbox.hubspot.records.records import Record, Version

MOST_ASSOCIATED = 500  # associations shown of one record per page
View = Callable[[Record], dict[str, Any]]


def viewer(
    portal: Portal,
    kind: ObjectType,
    properties: Sequence[str] = (),
    history: Sequence[str] = (),
    associations: Sequence[ObjectType] = (),
    origin: str = "",
) -> View:
    """How to show records of one request; worked out once, used for each of them."""
    asked = [*properties, "createdate", kind.modified, "hs_object_id"] if properties else kind.defaults
    readers = [(name, read) for name in dict.fromkeys(asked) if (read := reader(portal, kind, name)) is not None]

    def view(record: Record) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": str(record.id),
            "properties": {name: read(record) for name, read in readers},
            "createdAt": to_iso(record.created),
            "updatedAt": to_iso(record.modified),
            "archived": record.archived_at is not None,
        }
        if record.archived_at is not None:
            shown["archivedAt"] = to_iso(record.archived_at)
        if history:
            shown["propertiesWithHistory"] = _history(portal, kind, record, history)
        linked = {other.name: _linked(portal, kind, record, other, origin) for other in associations}
        if any(linked.values()):
            shown["associations"] = {name: page for name, page in linked.items() if page}
        return shown

    return view


def _history(
    portal: Portal, kind: ObjectType, record: Record, names: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Newest first. What HubSpot keeps or computes itself has no other history than its present value."""
    shown = {}
    defined = portal.properties[kind.name].defined
    for name in names:
        read = reader(portal, kind, name)
        if read is None:
            continue
        past = record.history(name)
        if not past and (value := read(record)) is not None:
            computed = defined[name].calculated or name == kind.modified
            at, by = (record.modified, CALCULATION) if computed else (record.created, record.by)
            past = [Version(value, at, by)]
        shown[name] = [_version(version) for version in past]
    return shown


def _version(version: Version) -> dict[str, Any]:
    """A value with its time and its source; what is not known of the source is left out."""
    by = version.by
    known = {"sourceId": by.source_id, "sourceLabel": "" if by.in_ui else by.label, "updatedByUserId": by.user}
    return {
        "value": version.value,
        "timestamp": to_iso(version.at),
        "sourceType": by.source,
        **{name: value for name, value in known.items() if value},
    }


def _linked(portal: Portal, kind: ObjectType, record: Record, other: ObjectType, origin: str) -> dict[str, Any]:
    """One page of associated records, an entry for each type; `{}` if there are none."""
    pair = (kind.name, other.name)
    around = sorted(portal.associations.neighbours(pair, record.id).items())
    page = around[:MOST_ASSOCIATED]
    names = portal.associations.names(pair) if page else {}
    results = [
        {"id": str(to), "type": names[link_type.type_id]}
        for to, types in page
        for link_type in portal.associations.describe(pair, types)
    ]
    if not results:
        return {}
    shown: dict[str, Any] = {"results": results}
    if len(around) > MOST_ASSOCIATED:
        after = str(around[MOST_ASSOCIATED][0])
        link = f"{origin}/crm/v4/objects/{kind.name}/{record.id}/associations/{other.name}?after={after}"
        shown["paging"] = {"next": {"after": after, "link": link}}
    return shown
