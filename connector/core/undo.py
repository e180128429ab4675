"""What would take a run back? Only what still holds the value that the run wrote (X2).

| the run                    | as long as                             | undoing                                    |
|----------------------------|----------------------------------------|--------------------------------------------|
| wrote a field              | it holds what was written              | writes the value before                    |
| created a record           | nobody touched it, nothing hangs on it | archives it, or deletes it in Salesforce   |
| deleted a record           | nothing took its place                 | makes it anew, with a new id               |
| added a contact, or a role | it is as it was added                  | removes it                                 |
| removed one                | it is still missing                    | adds it                                    |
| named one                  | it has that name                       | gives it the name before                   |

Whatever has moved on is left, and told. Fields that only make sense together go back together or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from connector.core.hiding import Hidden, reveal, without_hidden
from connector.core.inverse import (
    ABOUT_ROLES,
    BASES,
    RULE,
    Columns,
    Entry,
    Inverse,
    Key,
    Left,
    Now,
    Past,
    Remaking,
    Restoring,
    TakingBack,
    read_labels,
)
from connector.core.model import Change, ContactRole, Fields, Pair, Record, Side, Value
from connector.core.naming import CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES
from connector.core.sameness import fields_of, group_fields, same_fields
from connector.core.undo_roles import turn_roles

HIDDEN = "the value before is hidden as personal, and nothing else has it (G3)"


def invert(entries: Sequence[Entry], now: Now, pairs: Mapping[str, Pair], cause: str) -> Inverse:
    """Plan what takes these writes of one run back. `pairs` are by the names of their objects."""
    made = [one for one in entries if one.state != "failed"]
    inverse = Inverse()
    _take_back(inverse, made, entries, now, pairs)
    _remake(inverse, made, now, pairs)
    _restore(inverse, made, now, pairs, cause)
    turn_roles(inverse, made, now, cause)
    return inverse


# --- fields -----------------------------------------------------------------------------------------------


def _restore(inverse: Inverse, made: Sequence[Entry], now: Now, pairs: Mapping[str, Pair], cause: str) -> None:
    settled = {one.key for one in inverse.taking_back} | {
        (one.side, one.object, one.record_id) for one in inverse.left if not one.field
    }
    by_record = {key: some for key, some in _index_updates(made).items() if key not in settled}
    drafts = [
        _restore_record(inverse, key, some, now, pairs[key[1]], cause, None) for key, some in by_record.items()
    ]
    stays = {one.link_id for one in inverse.left} | {one.link_id for one in made if one.verb == "create"}
    touched = {one.link_id for one in made if one.link_id is not None}
    inverse.unlinked.update((now.unsettled & touched) - stays)
    ending = inverse.unlinked | {one.link_id for one in inverse.taking_back if not one.gone}
    for (key, some), draft in zip(by_record.items(), drafts, strict=True):
        pair = pairs[key[1]]
        ids = _restore_record(inverse, key, some, now, pair, cause, ending)
        whole = replace(draft, changes=draft.changes + ids.changes, wrote={**draft.wrote, **ids.wrote})
        if whole.wrote:
            inverse.restorings.append(whole)


def _restore_record(
    inverse: Inverse,
    key: Key,
    entries: Sequence[Entry],
    now: Now,
    pair: Pair,
    cause: str,
    ending: Collection[int | None] | None,
) -> Restoring:
    """The fields of one record; or, given the links that are `ending`, its partner's id, which goes with them."""
    side, object_, id_ = key
    partner_field = pair.partner_field.get(side)
    old: dict[str, Value] = {}
    written: list[dict[str, Value]] = []
    for entry in entries:
        mine = [one for one in entry.changes if (one.field == partner_field) is (ending is not None)]
        written.append({one.field: one.new for one in mine})
        old = {**{one.field: now.aliases.get((side, object_, one.field, one.old), one.old) for one in mine}, **old}
    link_id = next((one.link_id for one in reversed(entries) if one.link_id is not None), None)
    old = _reveal(old, link_id, now)
    record = now.records.get(key)
    restoring = Restoring(side, object_, id_, link_id, (), {})
    changes: list[Change] = []
    wrote: dict[str, Value] = {}
    for _, names in group_fields(pair, side, old):
        last = {name: next(one[name] for one in reversed(written) if name in one) for name in names}
        if record is None or not record.present:
            inverse.left.append(_left(restoring, names, last, {}, "the record is not there any more"))
            continue
        fields = fields_of(record, pair)
        if ending is not None and link_id in now.new_links and link_id not in ending:
            inverse.left.append(_left(restoring, names, last, fields, "the two records stay linked"))
        elif _cannot_know(pair, side, names, fields, old) and _holds(pair, side, names, fields, written, now, key):
            inverse.left.append(_left(restoring, names, last, fields, HIDDEN))
        elif same_fields(pair, side, names, fields, old) or _holds(pair, side, names, fields, written, now, key):
            wrote |= last
            changes += [
                Change(name, fields.get(name), old[name], RULE, cause)
                for name in names
                if not same_fields(pair, side, names, fields, old)
            ]
        else:
            inverse.left.append(_left(restoring, names, last, fields, "changed since"))
    return replace(restoring, changes=tuple(changes), wrote=wrote)


def _reveal(values: Fields, link_id: int | None, now: Now) -> dict[str, Value]:
    """The same with what is hidden told, where the value is known from elsewhere (G3)."""
    known = now.known.get(link_id or 0, {})
    return {name: reveal(value, known.get(name, ())) for name, value in values.items()}


def _cannot_know(pair: Pair, side: Side, names: Sequence[str], fields: Fields, old: Fields) -> bool:
    """Whether something would have to go back of which only the hash is left."""
    hidden = any(isinstance(old[name], Hidden) for name in names)
    return hidden and not same_fields(pair, side, names, fields, old)


def _holds(
    pair: Pair,
    side: Side,
    names: Sequence[str],
    fields: Fields,
    written: Sequence[Fields],
    now: Now,
    key: Key,
) -> bool:
    """Whether these fields hold what the run wrote, at one time or the other."""
    if len(names) == 1 and (*key, names[0]) in now.blanked and not fields.get(names[0]):
        return True
    return any(names[0] in one and same_fields(pair, side, names, fields, {**fields, **one}) for one in written)


def _left(restoring: Restoring, names: Sequence[str], wrote: Fields, fields: Fields, why: str) -> Left:
    name = "+".join(names)
    one = names[-1]
    return Left(
        restoring.side, restoring.object, restoring.record_id, name, wrote.get(one), fields.get(one), why,
        link_id=restoring.link_id,
    )  # fmt: skip


# --- created and deleted records --------------------------------------------------------------------------


def _take_back(
    inverse: Inverse, made: Sequence[Entry], entries: Sequence[Entry], now: Now, pairs: Mapping[str, Pair]
) -> None:
    """Children come first: what hangs on a record may go with it."""
    tried: dict[int | None, dict[str, Value]] = {}
    for one in entries:
        if one.verb == "create":
            tried[one.link_id] = {**tried.get(one.link_id, {}), **_values(one, "new")}
    created = [one for one in made if one.verb == "create" and one.state == "done" and one.record_id]
    own_ties = _find_own_ties(made)
    going: set[Key] = set()
    updates = _index_updates(made)
    order = {name: place for place, name in enumerate(pairs)}
    for one in sorted(created, key=lambda each: -order[each.object]):
        pair, record = pairs[one.object], now.records.get(one.key)
        expected = _expected(one, updates)
        taking = TakingBack(one.side, one.object, one.record_id or "", one.link_id, tried[one.link_id], expected)
        if record is None or not record.present:
            inverse.taking_back.append(replace(taking, gone=True))
            continue
        why = _touched(taking, record, now, pair, going, own_ties)
        if why:
            who, when = now.strangers.get(one.key, ("", ""))
            inverse.left.append(
                Left(one.side, one.object, record.id, "", None, None, why, who, when, link_id=one.link_id)
            )
        else:
            going.add(one.key)
            inverse.taking_back.append(taking)


def _index_updates(made: Sequence[Entry]) -> dict[Key, list[Entry]]:
    found: dict[Key, list[Entry]] = {}
    for one in made:
        if one.verb == "update":
            found.setdefault(one.key, []).append(one)
    return found


def _expected(created: Entry, updates: Mapping[Key, Sequence[Entry]]) -> dict[str, Value]:
    """What the run left a record that it created with."""
    expected = _values(created, "new")
    for one in updates.get(created.key, ()):
        expected |= _values(one, "new")
    return expected


def _values(entry: Entry, which: str) -> dict[str, Value]:
    return {one.field: getattr(one, which) for one in entry.changes if one.field not in ABOUT_ROLES}


def _contacts_of(entry: Entry) -> list[str]:
    """The contacts that an entry added to a deal."""
    if entry.verb not in {"connect", "create"}:
        return []
    return [str(one.new) for one in entry.changes if one.field == CONTACT and one.new]


def _find_own_ties(made: Sequence[Entry]) -> set[tuple[Side, str, str]]:
    """What the run itself hung on records, and what goes with or before them: (side, record, what hangs on it).

    A contact that a deal was created with hangs on the deal, which takes it off by going; that the contact has this
    deal keeps the contact, as long as the deal stays.
    """
    ties: set[tuple[Side, str, str]] = set()
    for one in made:
        id_ = one.record_id or ""
        for who in _contacts_of(one):
            ties.add((one.side, id_, who))
            if one.verb == "connect":
                ties.add((one.side, who, id_))
        if one.verb == "update":
            ties |= {(one.side, str(change.new), id_) for change in one.changes if change.new}
    return ties


def _touched(
    taking: TakingBack,
    record: Record,
    now: Now,
    pair: Pair,
    going: Collection[Key],
    own_ties: Collection[tuple[Side, str, str]],
) -> str:
    """Why a created record has to stay; empty: nobody has touched it."""
    fields = fields_of(record, pair)
    for _, names in group_fields(pair, taking.side, taking.expected):
        if not same_fields(pair, taking.side, names, fields, taking.expected):
            return f"{'+'.join(names)} was changed since"
    if taking.key in now.strangers:
        return "somebody else has edited it since"
    for object_, id_ in sorted(now.ties.get(taking.key, ())):
        own = (taking.side, object_, id_) in going or (taking.side, taking.record_id, id_) in own_ties
        if not own:
            return f"{object_} {id_} belongs to it"
    return ""


def _remake(inverse: Inverse, made: Sequence[Entry], now: Now, pairs: Mapping[str, Pair]) -> None:
    updates = _index_updates(made)
    for one in made:
        if one.verb != "delete":
            continue
        record = now.records.get(one.key)
        if record is not None and record.present:
            continue  # somebody has restored it
        new_id = now.remade.get(one.link_id or 0, "")
        if one.link_id in now.replaced and not new_id:
            continue
        values = _values(one, "old")
        for before in reversed(updates.get(one.key, ())):
            values |= _values(before, "old")
        values = _reveal(values, one.link_id, now)
        hidden = sorted(values.keys() - without_hidden(values).keys())
        if not new_id and not set(pairs[one.object].required.get(one.side, ())).isdisjoint(hidden):
            inverse.left.append(
                Left(one.side, one.object, one.record_id or "", "", None, None, HIDDEN, link_id=one.link_id)
            )
            continue
        if hidden:
            told = "+".join(hidden)
            inverse.left.append(
                Left(one.side, one.object, one.record_id or "", told, None, None, HIDDEN, link_id=one.link_id)
            )
        values = without_hidden(values)
        contacts = _read_contacts(one) if one.side is Side.HUBSPOT else {}
        inverse.remakings.append(
            Remaking(
                one.side, one.object, one.record_id or "", one.link_id, values, contacts, _read_roles(one), new_id
            )
        )


def _read_contacts(entry: Entry) -> dict[str, frozenset[int]]:
    """The contacts of a deleted deal: each change that names one may be followed by its labels."""
    found: dict[str, frozenset[int]] = {}
    last = ""
    for one in entry.changes:
        if one.field == CONTACT:
            last = str(one.old)
            found[last] = frozenset()
        elif one.field == LABELS and last:
            found[last] = read_labels(one.old)
    return found


def _read_roles(entry: Entry) -> tuple[ContactRole, ...]:
    """The contact roles of a deleted opportunity: each change that names a contact may be followed by its names."""
    found: list[ContactRole] = []
    for one in entry.changes if entry.side is Side.SALESFORCE else ():
        if one.field == CONTACT:
            found.append(ContactRole(entry.record_id or "", str(one.old)))
        elif one.field == ROLE_NAMES and found:
            found[-1] = found[-1]._replace(name=str(one.old))
        elif one.field == IS_PRIMARY and found:
            found[-1] = found[-1]._replace(primary=bool(one.old))
    return tuple(found)


# --- links ------------------------------------------------------------------------------------------------


def turn_link(past: Past, fields: Mapping[Side, Collection[str]], *, keeps_stage: bool) -> Columns | None:
    """A link that stays, with what the run agreed on taken back, field by field, where nothing came later.

    `fields` are those whose writes are undone; `keeps_stage`: the lifecycle stage has moved on. None: as it is.
    """
    if past.now is None:
        return None
    before, after = past.before or {}, past.after or {}
    row = dict(past.now)
    for side, column in BASES.items():
        base = dict(_mapping(row.get(column)))
        was, left = _mapping(before.get(column)), _mapping(after.get(column))
        for name in fields.get(side, ()):
            if base.get(name) == left.get(name):
                value = base.pop(name, None)
                base |= without_hidden({name: reveal(was[name], [value])}) if name in was else {}
        row[column] = base
    for column in () if keeps_stage else ("company_applied", "handed_on"):
        if row.get(column) == after.get(column):
            row[column] = before.get(column)
    return row


def _mapping(value: object) -> Mapping[str, Value]:
    return value if isinstance(value, Mapping) else {}
