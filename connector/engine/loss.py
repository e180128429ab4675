"""What goes with a record that is deleted? The journal keeps all of it, so that it can be made anew (X2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from connector.core.model import Change, ContactRole, Pair, Record
from connector.core.naming import BETWEEN, CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES


def describe_loss(
    pair: Pair,
    record: Record,
    contacts: Mapping[str, Collection[int] | None],
    rule: str,
    cause: str,
    roles: Iterable[ContactRole] = (),
) -> list[Change]:
    """All that goes with a record, for the journal: its values, its partner's id, and whom it had as what."""
    values = {name: value for name, value in sorted(record.fields.items()) if value not in (None, "")}
    if (partner_field := pair.partner_field.get(record.side)) and record.partner_id:
        values[partner_field] = record.partner_id
    lost = [Change(name, value, None, rule, cause) for name, value in values.items()]
    for who, labels in sorted(contacts.items()):
        lost.append(Change(CONTACT, who, None, rule, cause))
        if labels:
            lost.append(Change(LABELS, BETWEEN.join(map(str, sorted(labels))), None, rule, cause))
    for role in roles:
        told = {CONTACT: role.contact, ROLE_NAMES: role.name, IS_PRIMARY: role.primary or None}
        lost += [Change(name, value, None, rule, cause) for name, value in told.items() if value is not None]
    return lost
