"""How archived records come back: HubSpot lets people restore them for 90 days, and the API not at all.

They come with their values, their past and their associations; associations with what is archived itself come back
with the other record. HubSpot Knowledge Base, "Restore deleted records", which says of e-mail addresses that they
must not have been taken in the meantime; here that holds for every unique value.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.errors import contact_exists, not_found
from connector.sandbox.hubspot.moments import DAY
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records.records import Record
from connector.sandbox.hubspot.records.writes import Claims, check_unique, claim_all, further_addresses

RESTORABLE = 90 * DAY


def restore(portal: Portal, kind: ObjectType, record_ids: Sequence[str]) -> None:
    """Bring archived records back, all or none.

    Raises 404 for a record that is not archived, or has been for too long, and what a new record would raise if
    another one has one of its unique values.
    """
    claims: Claims = {}
    records = [_restorable(portal, kind, given, claims) for given in dict.fromkeys(record_ids)]
    for record in records:
        _bring_back(portal, kind, record)


def _restorable(portal: Portal, kind: ObjectType, given: str, claims: Claims) -> Record:
    record = portal.tables[kind.name].archived.get(as_id(given))
    if record is None or portal.now() - (record.archived_at or 0) > RESTORABLE:
        raise not_found()
    check_unique(portal, kind, dict(record.values), record.id, claims)
    for address in further_addresses(record):
        holder = portal.tables[kind.name].holder("email", address)
        if holder is not None and holder != record.id:
            raise contact_exists(holder)
    return record


def _bring_back(portal: Portal, kind: ObjectType, record: Record) -> None:
    table, record_id = portal.tables[kind.name], record.id
    table.restore(record, portal.next_moment(record))
    claim_all(portal, kind, record)
    portal.news.restored(kind.name, record)
    for pair, other_id, types in table.severed.pop(record_id, []):
        others = portal.tables[pair[1]]
        other = others.resolve(other_id)
        if other is not None:
            portal.associations.join(pair, record_id, other.id, types)
        elif other_id in others.archived:
            back = portal.associations.inverse(pair, types)
            others.severed[other_id].append(((pair[1], pair[0]), record_id, back))
    portal.note_written(kind, record)
