"""What becomes of two records that are merged into one.

| of both records | the survivor has |
|---|---|
| values | the primary's; where it has none, the other's |
| lifecycle stage | the one that is further on |
| creation, and who created it | the older one's |
| e-mail addresses | the primary's, and all others in `hs_additional_emails` |
| history | all versions of both |
| associations | those of both, of several primaries that of the primary record |
| ids, unique values | all go on leading to it |

Sources: HubSpot Knowledge Base, "Merge records"; HubSpot changelog, "Updated merge functionality for contacts and
companies" and "Announcement: Deals now support merging": the survivor has a new id, unless a setting says
otherwise, because HubSpot has done either. Simplified: the exceptions of contacts hold for all object types.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.hubspot.actors import MERGE
from connector.sandbox.hubspot.definitions.schema import CONTACTS, ObjectType
from connector.sandbox.hubspot.errors import ApiError, not_found, refuse
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records.lifecycle import STAGE
from connector.sandbox.hubspot.records.records import Record, Version
from connector.sandbox.hubspot.records.writes import claim_all, further_addresses, locate, release_all

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
    values = _joined(portal, kind, primary, absorbed)
    changed = [name for name, value in values.items() if primary.values.get(name) != value]
    at = portal.next_moment(primary)
    past = _joined_past(primary, absorbed, values, at)
    release_all(portal, kind, primary)
    release_all(portal, kind, absorbed)
    portal.associations.hand_over(kind.name, absorbed.id, primary.id)
    table = portal.tables[kind.name]
    portal.note_leaving(kind, absorbed)
    table.absorb(absorbed, primary.id)
    table.touch(primary, at)
    older = min(primary, absorbed, key=lambda record: record.created)
    survivor = _reissue(portal, kind, primary) if portal.settings.merge_mints_new_id else primary
    portal.news.changed(kind.name, survivor, values, at, MERGE)
    survivor.values, survivor.past, survivor.created, survivor.by = values, past, older.created, older.by
    survivor.absorbed = identities if survivor is primary else (*identities, primary.id)
    claim_all(portal, kind, survivor)
    portal.news.merged(kind.name, primary.id, absorbed.id, survivor.id, len(changed))
    portal.note_written(kind, survivor, changed)
    return survivor


def _joined(portal: Portal, kind: ObjectType, primary: Record, absorbed: Record) -> dict[str, str]:
    """What the survivor holds: the values of the primary, in its gaps those of the other, and the exceptions."""
    values = absorbed.values | primary.values
    if STAGE in values:
        ranks = portal.properties[kind.name].defined[STAGE].allowed
        both = [record.values[STAGE] for record in (primary, absorbed) if STAGE in record.values]
        values[STAGE] = max(both, key=lambda stage: ranks.get(stage, -1))
    listed = [
        address
        for record in (primary, absorbed)
        for address in (*further_addresses(record), record.values.get("email"))
        if address and address != values.get("email")
    ]
    if kind is CONTACTS and listed:
        values["hs_additional_emails"] = ";".join(dict.fromkeys(listed))
    return values


def _joined_past(primary: Record, absorbed: Record, values: Mapping[str, str], at: int) -> dict[str, list[Version]]:
    """The versions of both, and one of the merge where the last of them is not what the survivor holds.

    Of two versions of the same moment only the primary's is kept.
    """
    past = {}
    for name in primary.values.keys() | primary.past.keys() | absorbed.values.keys() | absorbed.past.keys():
        versions = {version.at: version for record in (absorbed, primary) for version in record.history(name)}
        past[name] = [versions[moment] for moment in sorted(versions)]
        value = values.get(name, "")
        if not past[name] or past[name][-1].value != value:
            past[name].append(Version(value, at, MERGE))
    return past


def _reissue(portal: Portal, kind: ObjectType, record: Record) -> Record:
    """The same record under a new id; the old one leads to it."""
    table = portal.tables[kind.name]
    fresh = Record(portal.next_id(), record.values, record.created, record.by)
    fresh.modified = record.modified
    portal.associations.hand_over(kind.name, record.id, fresh.id)
    portal.note_leaving(kind, record)
    table.absorb(record, fresh.id)
    table.add(fresh)
    return fresh
