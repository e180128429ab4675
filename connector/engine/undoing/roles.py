"""Carry contacts of deals and contact roles back: removed, added, named; journal -> write -> note (X2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from connector.adapters.base import Edit, Labelling, Outcome, Trouble
from connector.core.inverse import RULE, RoleBack
from connector.core.model import Change, ContactRole, Side, Value
from connector.core.naming import CONTACT
from connector.engine.report import Written
from connector.engine.roles import find_naming, object_of
from connector.engine.undoing.doing import Doing
from connector.engine.work import count


def turn_roles(doing: Doing) -> None:
    for side in Side:
        mine = [_by_new_ids(doing, one) for one in doing.inverse.roles if one.side is side and one.needed]
        for verb in ("part", "join", "name"):
            some = [one for one in mine if one.verb == verb]
            if some:
                _write_roles(doing, side, verb, some)


def _by_new_ids(doing: Doing, one: RoleBack) -> RoleBack:
    deal_object = "Opportunity" if one.side is Side.SALESFORCE else "deals"
    contact_object = "Contact" if one.side is Side.SALESFORCE else "contacts"
    deal = doing.ids.get((one.side, deal_object, one.deal), one.deal)
    contact = doing.ids.get((one.side, contact_object, one.contact), one.contact)
    remake = one.remake._replace(opportunity=deal, contact=contact) if one.remake else None
    return replace(one, deal=deal, contact=contact, remake=remake)


_VERBS = {"part": "disconnect", "join": "connect", "name": "name"}


def _write_roles(doing: Doing, side: Side, verb: str, roles: Sequence[RoleBack]) -> None:
    work, store = doing.work, doing.work.c.store
    by_key = {_key(side, verb, number, one): one for number, one in enumerate(roles)}
    changes = {key: _headed(side, verb, one) for key, one in by_key.items()}
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            _VERBS[verb],
            side,
            object_of(side),
            [
                (one.role if verb == "name" and side is Side.SALESFORCE else one.deal, one.link_id, changes[key])
                for key, one in by_key.items()
            ],
        )
    journal = dict(zip(by_key, numbers, strict=True))
    for outcomes in _send(doing, side, verb, by_key):
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, None) for one in outcomes})
            if verb == "join" and side is Side.SALESFORCE:
                store.journal.note_made({journal[one.key]: one.id for one in outcomes if one.id})
            for outcome in outcomes:
                one = by_key[outcome.key]
                if outcome.refusal is not None and outcome.refusal.trouble is not Trouble.GONE:
                    doing.refuse(one, outcome.refusal, CONTACT)
                    continue
                _note_role(doing, verb, one, outcome.id or "")
                key = f"{one.deal}/{one.contact}"
                count(work, Written(_VERBS[verb], side, object_of(side), one.deal, key, changes[outcome.key]))
    if verb == "join" and side is Side.HUBSPOT:
        labellings = [Labelling(one.deal, one.contact, one.labels) for one in roles if one.labels]
        for outcomes in work.hands.label_contacts(labellings) if labellings else ():
            done = {one.key for one in outcomes if one.id}
            store.records.add_associations(
                {each.deal: {each.contact: each.types} for each in labellings if each.key in done}
            )


def _key(side: Side, verb: str, number: int, one: RoleBack) -> str:
    """As the adapters name what they were given."""
    if side is Side.HUBSPOT:
        return f"{one.deal}/{one.contact}"
    return str(number) if verb == "join" else one.role


def _headed(side: Side, verb: str, one: RoleBack) -> list[Change]:
    """In HubSpot the name of a role is headed by whose it is."""
    if verb != "name" or side is Side.SALESFORCE:
        return list(one.changes)
    cause = one.changes[0].cause
    return [Change(CONTACT, one.contact, one.contact, RULE, cause), *one.changes]


def _send(doing: Doing, side: Side, verb: str, roles: Mapping[str, RoleBack]) -> Iterable[list[Outcome]]:
    hands = doing.work.hands
    ends = [(one.deal, one.contact) for one in roles.values()]
    if side is Side.HUBSPOT:
        if verb == "part":
            return hands.remove_contacts(ends)
        return hands.connect(side, ends) if verb == "join" else hands.label_contacts(_labellings(doing, roles))
    if verb == "part":
        return hands.remove_roles(list(roles))
    if verb == "join":
        return hands.remake_roles([one.remake for one in roles.values() if one.remake])
    return hands.name_roles([Edit(id_, _values(one.changes)) for id_, one in roles.items()])


def _values(changes: Iterable[Change]) -> dict[str, Value]:
    return {one.field: one.new for one in changes}


def _labellings(doing: Doing, roles: Mapping[str, RoleBack]) -> list[Labelling]:
    naming = find_naming(doing.work)
    found = []
    for one in roles.values():
        types = doing.story.now.contacts.get(one.deal, {}).get(one.contact, frozenset())
        if naming is not None:
            own = naming.own_types()
            wanted = naming.types_for({**naming.describe_labels(types), **_values(one.changes)})
            found.append(Labelling(one.deal, one.contact, (types - own) | wanted, (types & own) - wanted))
    return found


def _note_role(doing: Doing, verb: str, one: RoleBack, new_id: str) -> None:
    records = doing.work.c.store.records
    if one.side is Side.HUBSPOT:
        if verb == "part":
            records.remove_associations([(one.deal, one.contact)])
        elif verb == "join":
            records.add_associations({one.deal: {one.contact: frozenset[int]()}})
        else:
            (labelling,) = _labellings(doing, {"": one})
            records.add_associations({one.deal: {one.contact: labelling.types}})
        return
    if verb == "part":
        records.observe_roles({}, [one.role])
    elif verb == "join" and one.remake is not None:
        records.observe_roles({new_id: one.remake}, ())
    else:
        role = doing.story.now.roles[one.role]
        values = _values(one.changes)
        name, primary = values.get("Role", role.name), values.get("IsPrimary", role.primary)
        known = ContactRole(one.deal, one.contact, str(name) if name else None, bool(primary))
        records.observe_roles({one.role: known}, ())
