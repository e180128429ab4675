"""What becomes of two records that are merged into one (HubSpot docs, "Merge records").

The survivor keeps its values and takes those it has not; ids and e-mail addresses of the absorbed record go on
leading to it. Whether the survivor gets a new id is a setting, because HubSpot does either.
"""

from __future__ import annotations

from connector.sandbox.hubspot.errors import ApiError, not_found, refuse
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records import Record
from connector.sandbox.hubspot.schema import CONTACTS, ObjectType
from connector.sandbox.hubspot.writes import Changes, locate, release_all

MOST_MERGED = 250  # "Cannot have more than 250 identities on a profile" (HubSpot docs, "Handling errors")


def merge(portal: Portal, kind: ObjectType, primary_id: str, absorbed_id: str) -> Record:
    """Merge two records; answers the survivor.

    Raises 404 for a missing record, 400 for one with itself, 414 beyond 250 identities.
    """
    primary, absorbed = (locate(portal, kind, given, None) for given in (primary_id, absorbed_id))
    if primary is None or absorbed is None:
        raise not_found()
    if primary is absorbed:
        raise refuse("A record cannot be merged with itself")
    identities = (*primary.absorbed, *absorbed.absorbed, absorbed.id)
    if len(identities) >= MOST_MERGED:
        raise ApiError(414, "VALIDATION_ERROR", f"Cannot have more than {MOST_MERGED} identities on a profile")
    table = portal.tables[kind.name]
    inherited = _inherited(kind, primary, absorbed)
    release_all(portal, kind, absorbed)
    portal.associations.hand_over(kind.name, absorbed.id, primary.id)
    table.absorb(absorbed, primary.id)
    table.write(primary, inherited, portal.next_moment(primary))
    primary.absorbed = identities
    if portal.settings.merge_mints_new_id:
        primary = _reissue(portal, kind, primary)
    _claim_all(portal, kind, primary)
    portal.note_written(kind, primary)
    return primary


def _inherited(kind: ObjectType, primary: Record, absorbed: Record) -> Changes:
    """What the survivor takes over: values where it has none, and further e-mail addresses."""
    changes: Changes = {name: value for name, value in absorbed.values.items() if name not in primary.values}
    if kind is CONTACTS:
        kept = primary.values.get("email") or absorbed.values.get("email")
        more = [
            address
            for record in (primary, absorbed)
            for address in (
                *record.values.get("hs_additional_emails", "").split(";"),
                record.values.get("email", ""),
            )
            if address and address != kept
        ]
        if more:
            changes["hs_additional_emails"] = ";".join(dict.fromkeys(more))
    return changes


def _reissue(portal: Portal, kind: ObjectType, record: Record) -> Record:
    """The same record under a new id; the old one leads to it."""
    table = portal.tables[kind.name]
    fresh = Record(portal.next_id(), record.values, record.created)
    fresh.modified = record.modified
    fresh.set_at, fresh.past = record.set_at, record.past
    fresh.absorbed = (*record.absorbed, record.id)
    portal.associations.hand_over(kind.name, record.id, fresh.id)
    table.absorb(record, fresh.id)
    table.add(fresh)
    return fresh


def _claim_all(portal: Portal, kind: ObjectType, record: Record) -> None:
    table = portal.tables[kind.name]
    for name in portal.properties[kind.name].identifying:
        if name in record.values:
            table.claim(name, record.values[name], record.id)
    for address in filter(None, record.values.get("hs_additional_emails", "").split(";")):
        table.claim("email", address, record.id)
