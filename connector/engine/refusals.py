"""What becomes of a write that a CRM refused?

| the refusal                             | what happens                                                          |
|-----------------------------------------|-----------------------------------------------------------------------|
| names the fields that are at fault      | the write is made at once without them; a problem for each of them    |
| names none, or one it cannot do without | the record is not written; one problem for the record                 |

A second call is made only where the first met a refusal, for all the records of its batch together. What was
refused is not sent again within the run, nor is a field's value in later ones before its next try is due (E2),
unless a person asks for the record (T6).

What a refused field refers to is read: if it is gone, the record is planned anew in the same run, and the field
waits (R6).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from connector.adapters.base import Blame, Refusal, Trouble
from connector.core.actions import Creation, Update
from connector.core.model import Fields, Pair, Side, Value
from connector.core.remainder import leave_out_of_creation, leave_out_of_update
from connector.engine.observe import observe_records
from connector.engine.work import Work, describe_blame, describe_refusal, look_again, note_problems
from connector.mapping.transforms import Reference


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that was refused, and why."""

    blame: Blame
    value: Value


LeftOut = Mapping[str, Mapping[str, Fault]]
"""By source id: the fields that a creation leaves out."""


def spare_update(work: Work, pair: Pair, update: Update, refusal: Refusal) -> Update | None:
    """Note what is wrong with a refused update; returns what is left of it, to be tried at once."""
    side, object_, id_ = place = update.to, update.object, update.record_id
    values = update.values
    if refusal.trouble in {Trouble.REFUSED, Trouble.COLLIDED}:
        work.turned_down[place] = dict(values)
    faults = find_faults(values, refusal)
    if not faults:
        note_problems(work, [describe_refusal(side, object_, id_, refusal)])
        return None
    remember_left_out(work, place, faults)
    return leave_out_of_update(pair, update, faults, work.world.stages.closed)


def find_faults(values: Fields, refusal: Refusal) -> dict[str, Fault]:
    """The fields of a write that are at fault; none if it would be refused without them too."""
    if not all(one.field in values for one in refusal.blames):
        return {}
    return {one.field: Fault(one, values[one.field]) for one in refusal.blames}


def remember_left_out(work: Work, place: tuple[Side, str, str], faults: Mapping[str, Fault]) -> None:
    """Note a problem for each field that a record was written without, and what was not accepted of it."""
    if faults:
        work.left_out.setdefault(place, {}).update({name: one.value for name, one in faults.items()})
        note_problems(work, [describe_blame(*place, one.blame) for one in faults.values()])


def leave_out_known(work: Work, pair: Pair, updates: Sequence[Update]) -> list[Update]:
    """What of these updates is not known to be refused. All are of one side and object."""
    for one in updates[:1]:
        _recall_refused(work, one.to, one.object, updates)
    return [left for one in updates if (left := _leave_out_known(work, pair, one)) is not None]


def _recall_refused(work: Work, side: Side, object_: str, updates: Sequence[Update]) -> None:
    """Remember what earlier runs were refused, and what is not to be tried yet."""
    waiting = work.c.store.problems.not_due(side, object_) if work.only is None else {}
    for one in updates:
        place = side, object_, one.record_id
        names = waiting.get(one.record_id, frozenset()) & one.values.keys()
        if names and place not in work.left_out:
            refused = work.c.store.journal.refused_values(*place)
            work.left_out[place] = {name: refused[name] for name in names if name in refused}


def _leave_out_known(work: Work, pair: Pair, update: Update) -> Update | None:
    place = update.to, update.object, update.record_id
    values = update.values
    refused = work.left_out.get(place, {})
    again = {name for name, value in refused.items() if name in values and values[name] == value}
    work.troubled |= {(*place, name) for name in again}
    if again:
        return leave_out_of_update(pair, update, again, work.world.stages.closed)
    if work.turned_down.get(place) == values:
        work.troubled |= {where for where in work.noted if where[:3] == place}
        return None
    return update


def spare_creation(pair: Pair, creation: Creation, refusal: Refusal) -> Creation | None:
    """What is left of a refused creation, to be tried at once; None if it cannot do without what is at fault."""
    faults = find_faults(creation.values, refusal)
    return leave_out_of_creation(pair, creation, faults) if refusal.trouble is Trouble.REFUSED and faults else None


def look_for_referred(
    work: Work, pair: Pair, to: Side, refused: Mapping[str, tuple[Fields, Refusal]], planned_from: Side
) -> None:
    """What refused writes to a side refer to may be gone: find out, and let the fields wait for it (D6, R6).

    `refused` are the values and the refusals, by the record of `planned_from` that is planned anew then. HubSpot
    does not say of a creation that it was for the sake of its company.
    """
    for rule in pair.fields:
        if not isinstance(rule.transform, Reference) or rule.transform.pair not in work.c.pairs:
            continue
        [field] = rule.names(to)
        named = {
            id_: str(values[field])
            for id_, (values, refusal) in refused.items()
            if values.get(field) and (not refusal.blames or field in {one.field for one in refusal.blames})
        }
        gone = find_gone(work, work.c.pairs[rule.transform.pair], to, set(named.values()))
        look_again(work, pair, planned_from, [id_ for id_, referred in named.items() if referred in gone])


def find_gone(work: Work, pair: Pair, side: Side, ids: Collection[str]) -> set[str]:
    """Those of these records that turn out not to be as they were known: present, or gone for another reason."""
    if not ids:
        return set()
    known = work.c.store.records.load(side, pair.object(side), ids)
    found = observe_records(work.c, work.world, side, pair, sorted(ids))
    return {id_ for id_, one in found.items() if id_ in known and one.presence is not known[id_].presence}
