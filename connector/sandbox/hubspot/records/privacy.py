"""Deleting a contact for good (HubSpot docs, "Permanently delete a contact (GDPR-compliant)").

The record is gone with its past, its associations and every id that led to it, live or archived. Its addresses go
on a blocklist, as does an address that no contact has: neither people nor imports can bring them back, but apps can
(HubSpot Knowledge Base, "Perform a permanent delete in HubSpot"). The specification does not except apps; the
setting `blocklist_binds_api` goes by it.
"""

from __future__ import annotations

from typing import Any

from connector.sandbox.hubspot.api.calls import Call
from connector.sandbox.hubspot.api.shapes import as_id, need, take
from connector.sandbox.hubspot.definitions.schema import CONTACTS, ObjectType
from connector.sandbox.hubspot.errors import InvalidValues, Problem, not_found, refuse
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records import writes
from connector.sandbox.hubspot.records.records import Record
from connector.sandbox.wire import Response


def delete(call: Call) -> Response:
    """`{objectId, idProperty?}`. Raises 400 for other objects than contacts, 404 for an id that is not there."""
    if call.kind is not CONTACTS:
        raise refuse(f"{call.kind.singular.upper()} records cannot be deleted for privacy")
    body = call.body()
    given, id_property = need(body, "objectId"), take(body, "idProperty", "")
    record = writes.locate(call.portal, CONTACTS, given, id_property) or _archived(call.portal, given, id_property)
    if record is not None:
        _erase(call.portal, record)
    elif id_property == "email":
        call.portal.blocked_emails.add(writes.normal_key("email", given))
    else:
        raise not_found()
    return Response(204)


def is_blocked(portal: Portal, email: str) -> bool:
    return writes.normal_key("email", email) in portal.blocked_emails


def check(portal: Portal, kind: ObjectType, properties: Any) -> None:
    """Raises 400 where somebody may not write a blocked address (how HubSpot words that is not documented)."""
    bound = portal.actor.in_ui or portal.settings.blocklist_binds_api
    if kind is not CONTACTS or not bound or not isinstance(properties, dict):
        return
    email = properties.get("email")
    if isinstance(email, str) and is_blocked(portal, email):
        message = f"{email} belongs to a contact that was permanently deleted and cannot be used"
        raise InvalidValues([Problem("email", "GDPR_BLACKLISTED_EMAIL", message)])


def _archived(portal: Portal, given: str, id_property: str) -> Record | None:
    table = portal.tables[CONTACTS.name]
    if not id_property:
        return table.archived.get(as_id(given))
    key = writes.normal_key(id_property, given)
    return next((record for record in table.archived.values() if record.values.get(id_property) == key), None)


def _erase(portal: Portal, record: Record) -> None:
    portal.blocked_emails.update(_addresses(record))
    writes.release_all(portal, CONTACTS, record)
    portal.associations.forget(CONTACTS.name, record.id)
    portal.tables[CONTACTS.name].purge(record)
    portal.news.erased(CONTACTS.name, record.id)


def _addresses(record: Record) -> set[str]:
    more = record.values.get("hs_additional_emails", "").split(";")
    return {address for address in (record.values.get("email", ""), *more) if address}
