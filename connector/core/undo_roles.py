"""How do the contacts of deals, and contact roles, go back? (X2)

A contact that the run added goes only as it was added: who has been given another name since, stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connector.core.inverse import RULE, Entry, Inverse, Key, Left, Now, RoleBack, read_labels
from connector.core.model import Change, ContactRole, Fields, Side, Value
from connector.core.naming import BETWEEN, CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES
from connector.core.sameness import same_value


def turn_roles(inverse: Inverse, made: Sequence[Entry], now: Now, cause: str) -> None:
    going = {one.key for one in inverse.taking_back} | {
        (one.side, one.object, one.record_id) for one in inverse.left if not one.field
    }
    names = [one for one in made if one.verb == "name"]
    by_place: dict[tuple[Side, str, str], list[Entry]] = {}
    for one in names:
        by_place.setdefault(_place(one), []).append(one)
    there = {(one.opportunity, one.contact, one.name) for one in now.roles.values()}
    for one in made:
        if one.verb == "connect" and (one.side, _deal_object(one.side), one.record_id or "") not in going:
            _part(inverse, one, now, by_place, cause)
        elif one.verb == "disconnect":
            _join(inverse, one, now, there, cause)
    _rename(inverse, by_place, now, cause, going)


def _place(naming: Entry) -> tuple[Side, str, str]:
    """What was named: in HubSpot (deal, contact), in Salesforce a role."""
    return naming.side, naming.record_id or "", naming.contact if naming.side is Side.HUBSPOT else ""


def _deal_object(side: Side) -> str:
    return "Opportunity" if side is Side.SALESFORCE else "deals"


def _part(
    inverse: Inverse, entry: Entry, now: Now, names: Mapping[tuple[Side, str, str], Sequence[Entry]], cause: str
) -> None:
    deal, contact = entry.record_id or "", entry.contact
    if entry.side is Side.HUBSPOT:
        shown = now.contacts.get(deal, {})
        if contact not in shown:
            inverse.roles.append(RoleBack("part", entry.side, deal, contact, entry.link_id, (), needed=False))
            return
        labels = _given(names.get((entry.side, deal, contact), ()))
        named_now = now.labelled.get((deal, contact), {})
        own = read_labels(next((one.new for one in entry.changes if one.field == LABELS), None))
        unchanged = shown[contact] == own if not labels else _is_as_named(named_now, labels)
        old: dict[str, Value] = {CONTACT: contact, LABELS: BETWEEN.join(map(str, sorted(shown[contact]))) or None}
        role = ""
    else:
        role = entry.made or ""
        if role not in now.roles:
            mine = [id_ for id_, one in now.roles.items() if (one.opportunity, one.contact) == (deal, contact)]
            if not mine:
                inverse.roles.append(RoleBack("part", entry.side, deal, contact, entry.link_id, (), needed=False))
            elif not role:
                why = "whether this run made the role is not known: its answer was lost"
                inverse.left.append(_left_role(entry, mine[0], contact, why))
            return
        held = now.roles[role]
        own_names = [entry, *names.get((entry.side, role, ""), ())]
        named = {one.field: one.new for each in own_names for one in each.changes}
        unchanged = held.name == named.get(ROLE_NAMES) and bool(held.primary) == bool(named.get(IS_PRIMARY))
        old = {CONTACT: contact, ROLE_NAMES: held.name, IS_PRIMARY: held.primary or None}
    if not unchanged:
        inverse.left.append(_left_role(entry, role or deal, contact, "was given another name since"))
        return
    changes = tuple(Change(name, value, None, RULE, cause) for name, value in old.items() if value is not None)
    inverse.roles.append(RoleBack("part", entry.side, deal, contact, entry.link_id, changes, role))


def _is_as_named(shown: Fields, given: Fields) -> bool:
    return all(same_value(shown.get(name), value) for name, value in given.items())


def _given(given: Sequence[Entry]) -> dict[str, Value]:
    """The labels that the run gave to an association that it made."""
    found: dict[str, Value] = {}
    for one in given:
        found |= {change.field: change.new for change in one.changes if change.field != CONTACT}
    return found


def _left_role(entry: Entry, record: str, contact: str, why: str) -> Left:
    return Left(entry.side, entry.object, record, CONTACT, contact, contact, why, link_id=entry.link_id)


def _join(
    inverse: Inverse, entry: Entry, now: Now, there: Collection[tuple[str, str, str | None]], cause: str
) -> None:
    side, deal, contact = entry.side, entry.record_id or "", entry.contact
    if not now.is_there(side, _deal_object(side), deal) or not now.is_there(side, _contact_object(side), contact):
        inverse.left.append(_left_role(entry, deal, contact, "the deal or the contact is not there any more"))
        return
    old = {one.field: one.old for one in entry.changes}
    changes = tuple(Change(name, None, value, RULE, cause) for name, value in old.items())
    if side is Side.HUBSPOT:
        labels = read_labels(old.get(LABELS))
        needed = contact not in now.contacts.get(deal, {})
        inverse.roles.append(
            RoleBack("join", side, deal, contact, entry.link_id, changes, labels=labels, needed=needed)
        )
        return
    name = old.get(ROLE_NAMES)
    role = ContactRole(deal, contact, str(name) if name else None, bool(old.get(IS_PRIMARY)))
    needed = role[:3] not in there
    inverse.roles.append(RoleBack("join", side, deal, contact, entry.link_id, changes, remake=role, needed=needed))


def _contact_object(side: Side) -> str:
    return "Contact" if side is Side.SALESFORCE else "contacts"


def _rename(
    inverse: Inverse,
    names: Mapping[tuple[Side, str, str], Sequence[Entry]],
    now: Now,
    cause: str,
    going: Collection[Key],
) -> None:
    parted = {(one.side, one.deal, one.contact) for one in inverse.roles if one.verb == "part"}
    for (side, id_, who), entries in names.items():
        if side is Side.HUBSPOT:
            deal, contact, shown = id_, who, dict(now.labelled.get((id_, who), {}))
        elif id_ in now.roles:
            role = now.roles[id_]
            deal, contact = role.opportunity, role.contact
            shown = {ROLE_NAMES: role.name, IS_PRIMARY: bool(role.primary)}
        else:
            continue  # the role is gone, and with it its name
        if (side, deal, contact) in parted or (side, _deal_object(side), deal) in going or not shown:
            continue
        _rename_one(inverse, entries, side, deal, contact, id_ if side is Side.SALESFORCE else "", shown, cause)


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
