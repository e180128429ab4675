"""How do the contacts of deals, and contact roles, go back? (X2)

A contact that the run added goes only as it was added: who has been given another name since, stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connector.core.inverse import RULE, Entry, Inverse, Key, Left, Now, RoleBack, read_labels, read_role
from connector.core.model import Change, Fields, Side, Value
from connector.core.naming import BETWEEN, CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES
from connector.core.sameness import same_value

SF, HS = Side.SALESFORCE, Side.HUBSPOT

Place = tuple[Side, str, str]
"""What is named: in HubSpot (deal, contact), in Salesforce (role, nothing)."""


def turn_roles(inverse: Inverse, made: Sequence[Entry], now: Now, cause: str) -> None:
    created = inverse.created
    namings: dict[Place, list[Entry]] = {}
    for one in made:
        if one.verb == "name":
            namings.setdefault((one.side, one.record_id, one.contact if one.side is HS else ""), []).append(one)
    there = {(one.opportunity, one.contact, one.name) for one in now.roles.values()}
    for one in made:
        if one.verb == "connect" and (one.side, _deal_object(one.side), one.record_id) not in created:
            part = _part_contact if one.side is HS else _part_role
            part(inverse, one, now, namings, cause)
        elif one.verb == "disconnect":
            _join(inverse, one, now, there, cause)
    _rename(inverse, namings, now, cause, created)


def _deal_object(side: Side) -> str:
    return "Opportunity" if side is SF else "deals"


def _part_contact(
    inverse: Inverse, entry: Entry, now: Now, namings: Mapping[Place, Sequence[Entry]], cause: str
) -> None:
    deal, contact = entry.record_id, entry.contact
    shown = now.contacts.get(deal, {})
    if contact not in shown:
        inverse.roles.append(_gone(entry))
        return
    given = _given(namings.get((HS, deal, contact), ()))
    own = read_labels(next((one.new for one in entry.changes if one.field == LABELS), None))
    labelled = now.labelled.get((deal, contact), {})
    if not _is_as_named(labelled, given) if given else shown[contact] != own:
        inverse.left.append(_left_role(entry, deal, contact, "was given another name since"))
        return
    labels = BETWEEN.join(str(one) for one in sorted(shown[contact]))
    inverse.roles.append(_parting(entry, {CONTACT: contact, LABELS: labels or None}, "", cause))


def _part_role(
    inverse: Inverse, entry: Entry, now: Now, namings: Mapping[Place, Sequence[Entry]], cause: str
) -> None:
    deal, contact, id_ = entry.record_id, entry.contact, entry.made
    role = now.roles.get(id_)
    if role is None:
        mine = [each for each, one in now.roles.items() if (one.opportunity, one.contact) == (deal, contact)]
        if not mine:
            inverse.roles.append(_gone(entry))
        elif not id_:
            why = "whether this run made the role is not known: its answer was lost"
            inverse.left.append(_left_role(entry, mine[0], contact, why))
        return
    given = _given([entry, *namings.get((SF, id_, ""), ())])
    if role.name != given.get(ROLE_NAMES) or bool(role.primary) != bool(given.get(IS_PRIMARY)):
        inverse.left.append(_left_role(entry, id_, contact, "was given another name since"))
        return
    old = {CONTACT: contact, ROLE_NAMES: role.name, IS_PRIMARY: role.primary or None}
    inverse.roles.append(_parting(entry, old, id_, cause))


def _gone(entry: Entry) -> RoleBack:
    """Somebody else has taken it off already."""
    return RoleBack("part", entry.side, entry.record_id, entry.contact, entry.link_id, (), needed=False)


def _parting(entry: Entry, old: Mapping[str, Value], role: str, cause: str) -> RoleBack:
    changes = tuple(Change(name, value, None, RULE, cause) for name, value in old.items() if value is not None)
    return RoleBack("part", entry.side, entry.record_id, entry.contact, entry.link_id, changes, role)


def _is_as_named(shown: Fields, given: Fields) -> bool:
    return all(same_value(shown.get(name), value) for name, value in given.items())


def _given(given: Sequence[Entry]) -> dict[str, Value]:
    """The names that the run gave to an association, or a role, that it made."""
    found: dict[str, Value] = {}
    for one in given:
        found |= {change.field: change.new for change in one.changes if change.field != CONTACT}
    return found


def _left_role(entry: Entry, record: str, contact: str, why: str) -> Left:
    return Left(entry.side, entry.object, record, CONTACT, contact, contact, why, link_id=entry.link_id)


def _join(
    inverse: Inverse, entry: Entry, now: Now, there: Collection[tuple[str, str, str | None]], cause: str
) -> None:
    side, deal, contact = entry.side, entry.record_id, entry.contact
    if not now.is_there(side, _deal_object(side), deal) or not now.is_there(side, _contact_object(side), contact):
        inverse.left.append(_left_role(entry, deal, contact, "the deal or the contact is not there any more"))
        return
    old = {one.field: one.old for one in entry.changes}
    changes = tuple(Change(name, None, value, RULE, cause) for name, value in old.items())
    if side is HS:
        labels = read_labels(old.get(LABELS))
        needed = contact not in now.contacts.get(deal, {})
        inverse.roles.append(
            RoleBack("join", side, deal, contact, entry.link_id, changes, labels=labels, needed=needed)
        )
        return
    role = read_role(deal, old)
    needed = role[:3] not in there
    inverse.roles.append(RoleBack("join", side, deal, contact, entry.link_id, changes, remake=role, needed=needed))


def _contact_object(side: Side) -> str:
    return "Contact" if side is SF else "contacts"


def _rename(
    inverse: Inverse,
    namings: Mapping[Place, Sequence[Entry]],
    now: Now,
    cause: str,
    created: Collection[Key],
) -> None:
    parted = {(one.side, one.deal, one.contact) for one in inverse.roles if one.verb == "part"}
    for (side, id_, who), entries in namings.items():
        shown: Fields
        if side is HS:
            deal, contact, role, shown = id_, who, "", now.labelled.get((id_, who), {})
        elif id_ in now.roles:
            deal, contact, name, primary = now.roles[id_]
            role, shown = id_, {ROLE_NAMES: name, IS_PRIMARY: primary}
        else:
            continue  # the role is gone, and with it its name
        if (side, deal, contact) in parted or (side, _deal_object(side), deal) in created or not shown:
            continue
        _rename_one(inverse, entries, side, deal, contact, role, shown, cause)


def _rename_one(
    inverse: Inverse,
    entries: Sequence[Entry],
    side: Side,
    deal: str,
    contact: str,
    role: str,
    shown: Fields,
    cause: str,
) -> None:
    changes: list[Change] = []
    wrote: dict[str, Value] = {}
    for name in dict.fromkeys(one.field for entry in entries for one in entry.changes if one.field != CONTACT):
        mine = [one for entry in entries for one in entry.changes if one.field == name]
        old, last = mine[0].old, mine[-1].new
        if same_value(shown.get(name) or None, old or None):
            wrote[name] = last
        elif any(same_value(shown.get(name) or None, one.new or None) for one in mine):
            wrote[name] = last
            changes.append(Change(name, shown.get(name), old, RULE, cause))
        else:
            inverse.left.append(
                Left(side, entries[0].object, role or deal, name, last, shown.get(name), "changed since",
                     link_id=entries[0].link_id)
            )  # fmt: skip
    if wrote:
        inverse.roles.append(
            RoleBack(
                "name",
                side,
                deal,
                contact,
                entries[0].link_id,
                tuple(changes),
                role,
                wrote=wrote,
                needed=bool(changes),
            )
        )
