"""May this planned write be made? The gates that stand between a plan and the hands.

The planner says what the rules come to. A gate says what of it was agreed to: by a person who read a saved plan
(`agreed.py`), or what is not to be done again. Each write passes the gates before anything is read again for it,
journalled or sent. What does not pass costs nothing, settles nothing, and is found again by a later run.

| write                    | passes                                                                                |
|--------------------------|---------------------------------------------------------------------------------------|
| update                   | field by field; what only makes sense beside a field that does not pass stays with it |
| creation                 | as a whole; its contacts one by one                                                   |
| deletion, contact, role  | as a whole                                                                            |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.core.actions import Creation, Deletion, Update
from connector.core.model import Change, Pair, Side
from connector.core.naming import CONTACT
from connector.core.remainder import leave_out_of_update
from connector.engine.loss import describe_loss
from connector.engine.report import Written
from connector.engine.work import Work
from connector.engine.world import DEALS


def let_creations_pass(work: Work, creations: Sequence[Creation]) -> list[Creation]:
    if not work.gates:
        return list(creations)
    passed = []
    for one in creations:
        write = Written("create", one.to, one.object, None, one.source.id, one.changes)
        if not passes(work, write, (one.source.side, one.source.id)):
            continue
        contacts = tuple(who for who in one.contacts if _admit(work, join_at_creation(one, who)))
        if contacts != one.contacts:
            _withhold(work, one.source.side, one.source.id)
        passed.append(replace(one, contacts=contacts))
    return passed


def join_at_creation(creation: Creation, contact: str, record: str | None = None) -> Written:
    """One contact that a new deal is created with."""
    change = Change(CONTACT, None, contact, "R1", f"contact role on {creation.source.id}")
    return Written("connect", creation.to, creation.object, record, creation.source.id, [change])


def let_updates_pass(work: Work, pair: Pair, updates: Sequence[Update]) -> list[Update]:
    if not work.gates:
        return list(updates)
    passed = []
    for one in updates:
        write = write_of(one)
        withheld = _fields(write) - _admit(work, write)
        left = leave_out_of_update(pair, one, withheld, work.world.stages.closed) if withheld else one
        if withheld:
            for side in Side:
                _withhold(work, side, one.link.id_of(side))
        if left is not None:
            passed.append(left)
    return passed


def write_of(update: Update) -> Written:
    partner = update.link.id_of(update.to.other) or ""
    return Written("update", update.to, update.object, update.record_id, partner, update.changes)


def let_deletions_pass(work: Work, deletions: Sequence[Deletion]) -> list[Deletion]:
    if not work.gates:
        return list(deletions)
    passed = []
    deals = [one.record.id for one in deletions if one.pair == DEALS]
    contacts = work.c.store.records.associated_contacts(deals)
    for one in deletions:
        partner, people = one.link.id_of(one.to.other) or "", contacts.get(one.record.id, {})
        lost = describe_loss(work.c.pairs[one.pair], one.record, people, one.rule, one.cause)
        write = Written("delete", one.to, one.object, one.record.id, partner, lost)
        if passes(work, write, (one.to.other, write.of)):
            passed.append(one)
    return passed


def passes(work: Work, write: Written, *due: tuple[Side, str | None]) -> bool:
    """Whether a write may be made as a whole; else the records that are `due` stay so, if the gate wants that."""
    if _admit(work, write) == _fields(write):
        return True
    for side, id_ in due:
        _withhold(work, side, id_)
    return False


def _admit(work: Work, write: Written) -> frozenset[str]:
    fields = _fields(write)
    for gate in work.gates:
        fields &= gate.admit(write)
    return fields


def _fields(write: Written) -> frozenset[str]:
    return frozenset(change.field for change in write.changes)


def _withhold(work: Work, side: Side, id_: str | None) -> None:
    if id_ and any(gate.keeps_due for gate in work.gates):
        work.withheld.add((side, id_))
