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
    read_role,
)
from connector.core.model import Change, Fields, Pair, Record, Side, Value
from connector.core.naming import CONTACT, LABELS
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
    created = inverse.created
    by_record = {key: some for key, some in _index_updates(made).items() if key not in created}
    drafts = [
        _restore_record(inverse, key, some, now, pairs[key[1]], cause, None) for key, some in by_record.items()
    ]
    stays = {one.link_id for one in inverse.left} | {one.link_id for one in made if one.verb == "create"}
    touched = {one.link_id for one in made}
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
    writes = [
        [one for one in entry.changes if (one.field == partner_field) is (ending is not None)] for entry in entries
    ]
    old: dict[str, Value] = {}
    for changes in reversed(writes):
        old |= {one.field: now.aliases.get((side, object_, one.field, one.old), one.old) for one in changes}
    link_id = next((one.link_id for one in reversed(entries) if one.link_id is not None), None)
    old = _reveal(old, link_id, now)
    states = [old]  # what was there before the run, and what each of its writes left
    for changes in writes:
        states.append(states[-1] | {one.field: one.new for one in changes})
    record = now.records.get(key)
    restoring = Restoring(side, object_, id_, link_id, (), {})
    back: list[Change] = []
    wrote: dict[str, Value] = {}
    for _, names in group_fields(pair, side, old):
        last = {name: states[-1][name] for name in names}
        if record is None or not record.present:
            inverse.left.append(_left(restoring, names, last, {}, "the record is not there any more"))
            continue
        fields = fields_of(record, pair)
        blanked = all((*key, name) in now.blanked and not fields.get(name) for name in names)
        if ending is not None and link_id in now.new_links and link_id not in ending:
            inverse.left.append(_left(restoring, names, last, fields, "the two records stay linked"))
        elif blanked or any(same_fields(pair, side, names, fields, state) for state in states):
            if _cannot_know(pair, side, names, fields, old):
                inverse.left.append(_left(restoring, names, last, fields, HIDDEN))
                continue
            wrote |= last
            if not same_fields(pair, side, names, fields, old):
                back += [Change(name, fields.get(name), old[name], RULE, cause) for name in names]
        else:
            inverse.left.append(_left(restoring, names, last, fields, "changed since"))
    return replace(restoring, changes=tuple(back), wrote=wrote)


def _reveal(values: Fields, link_id: int | None, now: Now) -> dict[str, Value]:
    """The same with what is hidden told, where the value is known from elsewhere (G3)."""
    known = now.known.get(link_id or 0, {})
    return {name: reveal(value, known.get(name, ())) for name, value in values.items()}


def _cannot_know(pair: Pair, side: Side, names: Sequence[str], fields: Fields, old: Fields) -> bool:
    """Whether something would have to go back of which only the hash is left."""
    hidden = any(isinstance(old[name], Hidden) for name in names)
    return hidden and not same_fields(pair, side, names, fields, old)


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
    created = [one for one in made if one.verb == "create" and one.state == "done"]
    own_ties = _find_own_ties(made)
    going: set[Key] = set()
    updates = _index_updates(made)
    order = {name: place for place, name in enumerate(pairs)}
    for one in sorted(created, key=lambda each: -order[each.object]):
        pair, record = pairs[one.object], now.records.get(one.key)
        expected = _expected(one, updates)
        taking = TakingBack(one.side, one.object, one.record_id, one.link_id, tried[one.link_id], expected)
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


def _find_own_ties(made: Sequence[Entry]) -> set[tuple[Side, Value, Value]]:
    """What the run itself hung on records, and what goes with or before them: (side, record, what hangs on it).

    A contact that a deal was created with hangs on the deal, which takes it off by going; that the contact has this
    deal keeps the contact, as long as the deal stays.
    """
    ties: set[tuple[Side, Value, Value]] = set()
    for one in made:
        if one.verb in {"connect", "create"}:
            ties |= {(one.side, one.record_id, who.new) for who in one.changes if who.field == CONTACT}
        if one.verb == "connect":
            ties.add((one.side, one.contact, one.record_id))
        if one.verb == "update":
            ties |= {(one.side, change.new, one.record_id) for change in one.changes}
    return ties


def _touched(
    taking: TakingBack,
    record: Record,
    now: Now,
    pair: Pair,
    going: Collection[Key],
    own_ties: Collection[tuple[Side, Value, Value]],
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
        hidden = [name for name, value in values.items() if isinstance(value, Hidden)]
        required = () if new_id else pairs[one.object].required.get(one.side, ())
        lacks = any(name in required for name in hidden)
        if hidden:
            named = "" if lacks else "+".join(hidden)
            inverse.left.append(Left(*one.key, named, None, None, HIDDEN, link_id=one.link_id))
        if lacks:
            continue
        values = without_hidden(values)
        told, in_hubspot = _read_contacts(one), one.side is Side.HUBSPOT
        contacts = {str(each[CONTACT]): read_labels(each.get(LABELS)) for each in told} if in_hubspot else {}
        roles = () if in_hubspot else tuple(read_role(one.record_id, each) for each in told)
        inverse.remakings.append(
            Remaking(one.side, one.object, one.record_id, one.link_id, values, contacts, roles, new_id)
        )


def _read_contacts(entry: Entry) -> list[dict[str, Value]]:
    """What a deletion tells of contacts: each change that names one is followed by those that are about it."""
    found: list[dict[str, Value]] = []
    about: dict[str, Value] = {}  # of the record itself, before the first contact
    for one in entry.changes:
        if one.field == CONTACT:
            found.append(about := {})
        about[one.field] = one.old
    return found


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
        base, was, left = (_mapping(one.get(column)) for one in (row, before, after))
        back = {name for name in fields.get(side, ()) if base.get(name) == left.get(name)}
        stays = {name: value for name, value in base.items() if name not in back}
        known = {name: reveal(value, [base.get(name)]) for name, value in was.items() if name in back}
        row[column] = stays | without_hidden(known)
    for column in () if keeps_stage else ("company_applied", "handed_on"):
        if row.get(column) == after.get(column):
            row[column] = before.get(column)
    return row


def _mapping(value: object) -> Mapping[str, Value]:
    return value if isinstance(value, Mapping) else {}
