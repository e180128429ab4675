"""Write what takes a run back: re-read -> journal -> write -> note. In this order:

    1  records that were deleted are made anew, parents first
    2  fields go back
    3  contacts of deals and contact roles: removed, added, named
    4  records that were created go, children first

What a CRM refuses is left, and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from connector.adapters.base import Edit, Outcome
from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.derived import LIFECYCLE_STAGE
from connector.core.inverse import RULE, Left, Remaking, Restoring, TakingBack
from connector.core.lifecycle import is_backward
from connector.core.model import Change, Pair, Record, Side
from connector.core.plan import CLOSE_DATE, STAGE
from connector.core.sameness import fields_of, same_fields
from connector.engine.loss import describe_loss
from connector.engine.observe import find_keys, take_in
from connector.engine.refusals import find_faults
from connector.engine.report import Written
from connector.engine.stages import stage_order
from connector.engine.undoing.doing import Doing
from connector.engine.undoing.remaking import remake, with_new_ids
from connector.engine.undoing.roles import turn_roles
from connector.engine.windows import WINDOW
from connector.engine.work import count
from connector.engine.world import DEALS

T = TypeVar("T")


def carry_out(doing: Doing) -> None:
    """Write all that the inverse holds, in windows: between two of them all that was begun is settled."""
    work, inverse = doing.work, doing.inverse
    for pair in work.c.pairs.values():
        for side in Side:
            for remakings in _windows(doing, [one for one in inverse.remakings if _is_of(one, pair, side)]):
                remake(doing, pair, side, remakings)
    for pair in work.c.pairs.values():
        for side in Side:
            back = [one for one in inverse.restorings if _is_of(one, pair, side) and one.changes]
            for restorings in _windows(doing, back):
                _restore(doing, pair, side, restorings)
    if DEALS in work.c.pairs:
        turn_roles(doing)
    for pair in reversed(list(work.c.pairs.values())):
        for side in Side:
            gone = [one for one in inverse.taking_back if _is_of(one, pair, side) and not one.gone]
            for taken in _windows(doing, gone):
                _take_back(doing, pair, side, taken)


def _is_of(one: Remaking | Restoring | TakingBack, pair: Pair, side: Side) -> bool:
    return (one.side, one.object) == (side, pair.object(side))


def _windows(doing: Doing, todo: Sequence[T]) -> Iterator[Sequence[T]]:
    """Portions of what is to be done; the progress is told after each."""
    for start in range(0, len(todo), WINDOW):
        some = todo[start : start + WINDOW]
        yield some
        doing.work.progress(len(some))


# --- 2 fields ---------------------------------------------------------------------------------------------


def _restore(doing: Doing, pair: Pair, side: Side, restorings: Sequence[Restoring]) -> None:
    todo = _still_true(doing, pair, side, restorings)
    spared = _update(doing, pair, side, todo)
    if spared:
        _update(doing, pair, side, spared)


def _still_true(doing: Doing, pair: Pair, side: Side, restorings: Sequence[Restoring]) -> list[Restoring]:
    """What still holds what it held a moment ago. An edit that came between stays."""
    if not restorings:
        return []
    work, object_ = doing.work, pair.object(side)
    fresh = work.hands.reread(side, object_, [one.record_id for one in restorings], work.world.wanted(pair, side))
    if fresh is None:
        return list(restorings)
    true = []
    for one in restorings:
        record = fresh[one.record_id]
        old = {change.field: change.old for change in one.changes}
        if record.present and same_fields(pair, side, list(old), fields_of(record, pair), old):
            true.append(one)
        else:
            name = "+".join(old)
            doing.inverse.left.append(
                Left(side, object_, one.record_id, name, None, None, "changed just now", link_id=one.link_id)
            )
    take_in(work.c, pair, list(fresh.values()))
    return true


def _update(doing: Doing, pair: Pair, side: Side, restorings: Sequence[Restoring]) -> list[Restoring]:
    """Returns what is left of those of which single fields were refused."""
    if not restorings:
        return []
    work, object_ = doing.work, pair.object(side)
    by_id = {one.record_id: one for one in restorings}
    changes = {id_: _complete(doing, pair, one) for id_, one in by_id.items()}
    with work.c.store.transaction():
        numbers = work.c.store.journal.intend(
            work.report.run,
            "update",
            side,
            object_,
            [(id_, one.link_id, changes[id_]) for id_, one in by_id.items()],
        )
    journal = dict(zip(by_id, numbers, strict=True))
    edits = [_edit(doing, pair, id_, changes[id_]) for id_ in by_id]
    spared: list[Restoring] = []
    for outcomes in work.hands.update(side, object_, edits):
        with work.c.store.transaction():
            work.c.store.journal.conclude({journal[one.key]: (one.id is not None, one.key) for one in outcomes})
            _note_written(doing, pair, side, {one.key: changes[one.key] for one in outcomes if one.id}, outcomes)
            for outcome in outcomes:
                one = by_id[outcome.key]
                if outcome.refusal is None:
                    partner = ""
                    count(work, Written("update", side, object_, outcome.key, partner, changes[outcome.key]))
                    continue
                faults = find_faults({each.field: each.new for each in changes[outcome.key]}, outcome.refusal)
                left = tuple(each for each in one.changes if each.field not in faults)
                if faults and left:
                    spared.append(replace(one, changes=left))
                doing.refuse(one, outcome.refusal, "+".join(faults))
    return spared


def _complete(doing: Doing, pair: Pair, one: Restoring) -> list[Change]:
    """The changes with new ids; a stage that closes goes with its close date, or HubSpot would make one up (F7)."""
    values = with_new_ids(doing, pair, one.side, {each.field: each.new for each in one.changes})
    changes = [replace(each, new=values[each.field]) for each in one.changes]
    if (
        one.side is Side.HUBSPOT
        and values.get(STAGE) in doing.work.world.stages.closed
        and CLOSE_DATE not in values
    ):
        record = doing.work.c.store.records.load(one.side, one.object, [one.record_id]).get(one.record_id)
        own = record.fields.get(CLOSE_DATE) if record else None
        changes += [Change(CLOSE_DATE, own, own, "F7", doing.cause)] if own else []
    return changes


def _edit(doing: Doing, pair: Pair, id_: str, changes: Sequence[Change]) -> Edit:
    """A lifecycle stage that goes back is cleared first (L8); a company that is replaced goes."""
    stage = next((one for one in changes if one.field == LIFECYCLE_STAGE), None)
    clears: frozenset[str] = frozenset()
    if stage is not None and stage.old and stage.new:
        order = stage_order(doing.work, pair, [str(stage.old), str(stage.new)])
        if is_backward(str(stage.old), str(stage.new), order):
            clears = frozenset({LIFECYCLE_STAGE})
    old = {one.field: one.old for one in changes if one.field == PRIMARY_COMPANY or one.new is None}
    return Edit(id_, {one.field: one.new for one in changes}, old, clears)


def _note_written(
    doing: Doing, pair: Pair, side: Side, written: Mapping[str, Sequence[Change]], outcomes: Sequence[Outcome]
) -> None:
    """What was written is what is seen now."""
    store, object_ = doing.work.c.store, pair.object(side)
    partner_field = pair.partner_field.get(side)
    values = {
        id_: {one.field: one.new for one in some if one.field != partner_field} for id_, some in written.items()
    }
    store.records.overwrite(side, object_, values, {one.key: one.version for one in outcomes if one.version})
    records = store.records.load(side, object_, values).values()
    store.records.set_keys(side, object_, find_keys(doing.work.c, pair, records))
    for id_, some in written.items():
        for one in some:
            if one.field == partner_field and one.new is None:
                store.records.forget_partner(side, object_, [id_])
            elif one.field == partner_field:
                store.records.set_partner(side, object_, {id_: str(one.new)})


# --- 4 created records ------------------------------------------------------------------------------------


def _take_back(doing: Doing, pair: Pair, side: Side, taken: Sequence[TakingBack]) -> None:
    """Once more each is read as it is, and kept whole in the journal before it goes."""
    if not taken:
        return
    work, store, object_ = doing.work, doing.work.c.store, pair.object(side)
    by_id = {one.record_id: one for one in taken}
    fresh = work.hands.reread_whole(side, object_, list(by_id), work.world.wanted(pair, side))
    if fresh is None:
        fresh = {key[2]: record for key, record in doing.story.now.records.items() if key[:2] == (side, object_)}
    for id_ in [id_ for id_, one in by_id.items() if not _is_untouched(pair, one, fresh[id_])]:
        one = by_id.pop(id_)
        take_in(work.c, pair, [fresh[id_]])
        doing.inverse.left.append(Left(side, object_, id_, "", None, None, "changed just now", link_id=one.link_id))
    contacts = doing.story.now.contacts
    roles = doing.story.now.roles.values()
    losses = {
        id_: describe_loss(
            pair,
            fresh[id_],
            contacts.get(id_, {}) if object_ == "deals" else {},
            RULE,
            doing.cause,
            [role for role in roles if role.opportunity == id_] if object_ == "Opportunity" else (),
        )
        for id_ in by_id
    }
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "delete",
            side,
            object_,
            [(id_, one.link_id, losses[id_]) for id_, one in by_id.items()],
        )
    journal = dict(zip(by_id, numbers, strict=True))
    for outcomes in _let_go(doing, side, object_, list(by_id)) if by_id else ():
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, one.key) for one in outcomes})
            for outcome in outcomes:
                if outcome.refusal is None:
                    count(work, Written("delete", side, object_, outcome.key, "", losses[outcome.key]))
                    continue
                doing.refuse(by_id[outcome.key], outcome.refusal)
                take_in(work.c, pair, [fresh[outcome.key]])


def _is_untouched(pair: Pair, one: TakingBack, record: Record) -> bool:
    """Its own partner's id aside, which the undo may have cleared."""
    names = [name for name in one.expected if name != pair.partner_field.get(one.side)]
    return record.present and same_fields(pair, one.side, names, record.fields, one.expected)


def _let_go(doing: Doing, side: Side, object_: str, ids: Sequence[str]) -> Iterable[list[Outcome]]:
    if side is Side.HUBSPOT:
        return doing.work.hands.delete(side, object_, ids)
    return doing.work.hands.take_back(
        doing.work.c.store.journal.prove_created(doing.story.run.id, side, object_, ids)
    )
