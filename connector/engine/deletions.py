"""Which deletions travel to the other side, and how are they carried out? Last in a run, and guarded (D).

Only what was seen to be *deleted* is here (D6), of pairs whose mapping lets it travel from that side (D1, D5). Each
partner is read again, journalled with all it held, and deleted, children before parents: an account whose contacts
go in the same run has none left when its turn comes.

A run may delete so many records of an object (D7). That is asked before anything is written, of both sides; what
only comes to light while the run writes is asked about once more, and waits for the next run if it is too much.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connector.adapters.base import Outcome, Trouble
from connector.adapters.salesforce_deletion import HAS_CHILDREN
from connector.core.actions import Action, Deletion, Severance
from connector.core.guard import Excess, find_excesses
from connector.core.model import LinkState, Pair, Record, Side
from connector.core.plan import plan_link
from connector.engine.apply import look_at_next_partners, sever
from connector.engine.gate import let_deletions_pass
from connector.engine.held import find_held_deletions
from connector.engine.loss import describe_loss
from connector.engine.observe import take_in
from connector.engine.report import Written
from connector.engine.windows import WINDOW, apply_pair, clear, make_situation
from connector.engine.work import Work, count, describe_refusal, look_again, note_problems
from connector.engine.world import Connection


def find_pending(c: Connection, pair: Pair, side: Side) -> list[str]:
    """The records of a side whose deletion is to travel to the other one, by id."""
    return c.store.links.pending_deletions(pair.name, side, pair.object(side)) if side in pair.deletes else []


def find_mass_deletions(c: Connection, pairs: Collection[str]) -> list[Excess]:
    """The objects of these pairs, on either side, of which a run would delete more than the limit allows (D7).

    What a CRM has refused to delete does not count: it was let through once, and is tried again by itself (E2). Nor
    does what is not deleted again since a run was undone (X2).
    """
    deletions, links = {}, {}
    for pair in (c.pairs[name] for name in pairs):
        for side in pair.deletes:
            ids = find_pending(c, pair, side)
            spared = c.store.problems.troubled(side, pair.object(side), ids) | find_held_deletions(
                c, pair, side, ids
            )
            name = f"{pair.object(side.other)} of {side.other.value}"
            deletions[name], links[name] = len(ids) - len(spared), c.store.links.count(pair.name)
    return find_excesses(deletions, links, c.settings.deletion_limit())


def delete(work: Work, pairs: Collection[str], *, guarded: bool) -> None:
    """Carry deletions over to the other side. `guarded`: nobody gave leave to delete more than the limit."""
    too_many = find_mass_deletions(work.c, pairs) if guarded else []
    if too_many:
        told = ", ".join(f"{one.deletions} of {one.links} {one.object}" for one in too_many)
        work.report.notes.append(f"more deletions came to light during this run ({told}); none was made (D7)")
        return
    some = [one for one in work.c.pairs.values() if one.name in pairs]
    freed = [_delete_from(work, one) for one in reversed(some)]
    if any(freed):  # who gets a partner now may be waited for by others, of any pair
        for pair in some:
            apply_pair(work, pair)


def _delete_from(work: Work, pair: Pair) -> bool:
    """Carry deletions of a pair's records over to their partners; whether others are to be looked at for that."""
    freed = False
    for side in Side:
        ids = find_pending(work.c, pair, side)
        if work.only is not None:
            ids = [id_ for id_ in ids if (side, pair.object(side), id_) in work.only]
        for start in range(0, len(ids), WINDOW):
            some = ids[start : start + WINDOW]
            again = _delete_window(work, pair, side, some)
            if gone_already := sorted({id_ for where, id_ in again if where is side} & set(some)):
                # By a run that died, or by a person: their links close.
                again |= _delete_window(work, pair, side, gone_already)
            work.progress(len(some))
            freed |= bool(again)
    return freed


def _delete_window(work: Work, pair: Pair, side: Side, ids: Sequence[str]) -> set[tuple[Side, str]]:
    """Deal with these deletions. Returns what is to be looked at again."""
    store = work.c.store
    links = list(store.links.by_ids(pair.name, side, ids).values())
    records = store.records.load(side, pair.object(side), ids)
    partners = [id_ for one in links if (id_ := one.id_of(side.other))]
    others = store.records.load(side.other, pair.object(side.other), partners)
    work.again, work.troubled = set(), set()
    actions: list[Action] = []
    for link in links:
        situation = make_situation(work, pair, link, side, records, others)
        actions += plan_link(pair, situation, work.world.knowledge, work.world.stages.closed)
    sever(work, [one for one in actions if isinstance(one, Severance)])
    _delete(work, pair, [one for one in actions if isinstance(one, Deletion)])
    places = [(side, pair.object(side), id_) for id_ in records]
    store.problems.solve(places, still=work.troubled)
    clear(work, pair, list(records.values()), set())
    return work.again


def _delete(work: Work, pair: Pair, deletions: Sequence[Deletion]) -> None:
    """Delete the records of one side: re-read, journal, write, settle."""
    deletions = let_deletions_pass(work, deletions)
    if not deletions:
        return
    store, to = work.c.store, deletions[0].to
    object_ = pair.object(to)
    by_id = {one.record.id: one for one in deletions}
    fresh = work.hands.reread_whole(to, object_, list(by_id), work.world.wanted(pair, to))
    if fresh is None:
        fresh = {id_: one.record for id_, one in by_id.items()}
    by_id = _keep_what_still_goes(work, pair, by_id, fresh)
    contacts = store.records.associated_contacts(by_id) if object_ == "deals" else {}
    changes = {
        id_: describe_loss(pair, fresh[id_], contacts.get(id_, {}), one.rule, one.cause)
        for id_, one in by_id.items()
    }
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "delete",
            to,
            object_,
            [(id_, one.link.id, changes[id_]) for id_, one in by_id.items()],
        )
    journal = dict(zip(by_id, numbers, strict=True))
    for outcomes in work.hands.delete(to, object_, list(by_id)) if by_id else ():
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, one.key) for one in outcomes})
            done = [by_id[one.key] for one in outcomes if one.id is not None]
            store.records.mark_gone(to, object_, [one.record.id for one in done])
            for one in done:
                store.links.end(one.link.id, LinkState.CLOSED)
                look_at_next_partners(work, pair, one.link)
                source = one.link.id_of(to.other) or ""
                count(work, Written("delete", to, object_, one.record.id, source, changes[one.record.id]))
        _refused(work, pair, by_id, [one for one in outcomes if one.refusal is not None])


def _keep_what_still_goes(
    work: Work, pair: Pair, by_id: Mapping[str, Deletion], fresh: Mapping[str, Record]
) -> dict[str, Deletion]:
    """Without what is not to be deleted any more, going by what was just read: that is planned anew.

    It may be gone by now, or was put where the pair is frozen or stopped since it was seen (D9).
    """
    to = next(iter(by_id.values())).to
    origins = {id_: one.link.id_of(to.other) or "" for id_, one in by_id.items()}
    sources = work.c.store.records.load(to.other, pair.object(to.other), origins.values())
    still = {id_: one for id_, one in by_id.items() if _still_goes(work, pair, one, fresh, sources)}
    if spared := by_id.keys() - still.keys():
        take_in(work.c, pair, [fresh[id_] for id_ in spared])
        look_again(work, pair, to.other, [origins[id_] for id_ in spared])
    return still


def _still_goes(
    work: Work, pair: Pair, one: Deletion, fresh: Mapping[str, Record], sources: Mapping[str, Record]
) -> bool:
    situation = make_situation(work, pair, one.link, one.to, fresh, sources)
    actions = plan_link(pair, situation, work.world.knowledge, work.world.stages.closed)
    return any(isinstance(action, Deletion) for action in actions)


def _refused(work: Work, pair: Pair, by_id: Mapping[str, Deletion], outcomes: Sequence[Outcome]) -> None:
    """List what a CRM would not delete. What must never be deleted is unlinked instead; the rest is tried again."""
    unlinked: list[Severance] = []
    for one in outcomes:
        deletion, refusal = by_id[one.key], one.refusal
        link = deletion.link
        source = deletion.to.other
        if refusal is None or refusal.trouble is Trouble.GONE:
            continue
        problem = describe_refusal(source, pair.object(source), link.id_of(source) or "", refusal)
        note_problems(work, [problem])
        if refusal.code == HAS_CHILDREN:
            ids = (link.salesforce_id, link.hubspot_id)
            unlinked.append(Severance(pair.name, *ids, "D5", closed=False, link=link))
    sever(work, unlinked)
