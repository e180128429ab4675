"""Take up what is to be done, window by window: gather all that bears on some records, plan them, apply it.

A window is up to a thousand records of one object, so nothing ever holds all records. Objects come in order
of dependency, so that a record's parents are there before it.

A record stays dirty until its window is through. A few rounds per object settle what follows from what was
just done: a record that was adopted is merged, an opportunity that was created gets its contact roles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from connector.core.actions import Action, Creation, Deletion, Severance, Wait
from connector.core.matching import Candidate
from connector.core.model import (
    Link,
    LinkState,
    Pair,
    Problem,
    Record,
    Side,
)
from connector.core.plan import Situation, plan_candidate, plan_link
from connector.engine.apply import apply_actions, delete_deals, sever
from connector.engine.observe import match_key, syncs
from connector.engine.roles import contacts_at_creation, plan_roles_of
from connector.engine.work import Work, note_problems
from connector.engine.world import CONTACTS, DEALS
from connector.mapping.transforms import Reference

WINDOW = 1000
ROUNDS = 4


def apply_pair(work: Work, pair: Pair) -> None:
    """Bring all dirty records of a pair into step, but leave deletions for later."""
    for _ in range(ROUNDS):
        more = [_apply_side(work, pair, side) for side in Side]
        if not any(more):
            return


def _apply_side(work: Work, pair: Pair, side: Side) -> bool:
    """One round over one side's dirty records; whether another round may find something to do."""
    after, more = "", False
    while ids := _next_window(work, pair, side, after):
        after = ids[-1]
        more |= _apply_window(work, pair, side, ids)
        work.progress(len(ids))
    return more


def _next_window(work: Work, pair: Pair, side: Side, after: str) -> list[str]:
    object_ = pair.object(side)
    if work.only is None:
        return work.c.store.records.dirty(side, object_, after, WINDOW)
    mine = sorted(id_ for where, name, id_ in work.only if (where, name) == (side, object_) and id_ > after)
    dirty = set(work.c.store.records.dirty(side, object_, after, 10**9)) if mine else set()
    return [id_ for id_ in mine if id_ in dirty][:WINDOW]


def _apply_window(work: Work, pair: Pair, side: Side, ids: Sequence[str]) -> bool:
    store = work.c.store
    records = store.records.load(side, pair.object(side), ids)
    links = store.links.by_ids(pair.name, side, ids)
    linked = [one for one in links.values() if one.state is LinkState.LINKED]
    single = [records[id_] for id_ in ids if _may_begin(records[id_], links.get(id_))]
    others = store.records.load(
        side.other, pair.object(side.other), [id_ for one in linked if (id_ := one.id_of(side.other))]
    )
    work.again, work.troubled = set(), set()
    _learn(work, pair, [*records.values(), *others.values()])
    actions: list[Action] = []
    contacts = contacts_at_creation(work, pair, single)
    restored = {id_ for id_, one in links.items() if one.state is LinkState.CLOSED}
    for candidate in _candidates(work, pair, single, restored):
        own, waits = contacts.get(candidate.record.id, ((), []))
        planned = plan_candidate(pair, candidate, work.world.knowledge, own)
        actions += [*planned, *waits] if any(isinstance(one, Creation) for one in planned) else planned
    situations = [_situation(work, pair, one, side, records, others) for one in linked]
    for situation in situations:
        actions += plan_link(pair, situation, work.world.knowledge, work.world.stages.closed)
    if pair.name == DEALS and CONTACTS in work.c.pairs:
        actions += plan_roles_of(work, situations)
    if pair.name == DEALS:
        # A deal that leaves a synced pipeline, or comes back, is written nowhere, yet counts differently (U9).
        store.links.derive_parents([one.id for one in linked])
    looked_at = [*records.values(), *others.values()]
    actions = _hold_creations(work, pair, actions)
    _note(work, looked_at, actions)
    deletions = {action.link.id for action in actions if isinstance(action, Deletion)}
    apply_actions(work, pair, actions)
    # Only now: a problem that is met again is the same one, with its attempts and its beginning (E1, E2).
    store.problems.solve([(one.side, one.object, one.id) for one in looked_at], still=work.troubled)
    _clear(work, pair, looked_at, {one.salesforce_id for one in linked if one.id in deletions})
    return bool(work.again)


def _may_begin(record: Record, link: Link | None) -> bool:
    """Whether a record is looked at as one without a partner.

    A severed one stays as it is (D3). A closed one begins anew only if it was restored in Salesforce.
    """
    if link is None or link.state is LinkState.PENDING:
        return True
    return link.state is LinkState.CLOSED and record.side is Side.SALESFORCE and record.present


def _situation(
    work: Work,
    pair: Pair,
    link: Link,
    side: Side,
    records: Mapping[str, Record],
    others: Mapping[str, Record],
) -> Situation:
    here = records.get(link.id_of(side) or "")
    there = others.get(link.id_of(side.other) or "")
    salesforce, hubspot = (here, there) if side is Side.SALESFORCE else (there, here)
    stopped = pair.name == DEALS and hubspot is not None and hubspot.present and not syncs(work.world, hubspot)
    return Situation(link, salesforce, hubspot, stopped)


def _learn(work: Work, pair: Pair, records: Iterable[Record]) -> None:
    """Look up the partners of everything these records refer to, in one go per kind."""
    knowledge, links = work.world.knowledge, work.c.store.links
    knowledge.forget()
    some = list(records)
    for rule in pair.fields:
        if not isinstance(rule.transform, Reference):
            continue
        for side in Side:
            ids = {
                str(one.fields[name])
                for one in some
                if one.side is side
                for name in rule.names(side)
                if one.fields.get(name)
            }
            found = links.by_ids(rule.transform.pair, side, ids)
            live = [one for one in found.values() if one.state is LinkState.LINKED]
            knowledge.learn(rule.transform.pair, side, live)


def _candidates(
    work: Work, pair: Pair, records: Sequence[Record], restored: Collection[str]
) -> Iterable[Candidate]:
    """Unlinked records, each with all that was observed of possible partners."""
    if not records:
        return
    side = records[0].side
    store, here, there = work.c.store, pair.object(side), pair.object(side.other)
    named = store.records.load(side.other, there, [one.partner_id for one in records if one.partner_id])
    naming = store.records.naming(side.other, there, [one.id for one in records])
    keys = {one.id: key for one in records if (key := match_key(pair, one))}
    same_key = store.records.with_key(side.other, there, keys.values())
    siblings = store.records.with_key(side, here, keys.values())
    mentioned: dict[Side, set[str]] = {side: {one.id for one in records}, side.other: set()}
    mentioned[side.other] |= named.keys() | {one.id for some in naming.values() for one in some}
    mentioned[side.other] |= {one.id for some in same_key.values() for one in some}
    mentioned[side] |= {one.id for some in siblings.values() for one in some}
    links: dict[tuple[Side, str], Link] = {}
    for where, ids in mentioned.items():
        for id_, link in store.links.by_ids(pair.name, where, ids).items():
            if link.state in {LinkState.LINKED, LinkState.PENDING}:
                links[where, id_] = link
    for one in records:
        key = keys.get(one.id, "")
        yield Candidate(
            record=one,
            named=named.get(one.partner_id or ""),
            naming=tuple(naming.get(one.id, ())),
            same_key=tuple(same_key.get(key, ())),
            siblings=tuple(sibling for sibling in siblings.get(key, ()) if sibling.id != one.id),
            links=links,
            in_scope=side is Side.SALESFORCE or pair.name != DEALS or syncs(work.world, one),
            restored=one.id in restored,
        )


def _hold_creations(work: Work, pair: Pair, actions: list[Action]) -> list[Action]:
    """Nothing is created where its partner's id could not be stored: a crash would double it (O10).

    It waits for the field instead.
    """
    name = pair.partner_field.get(Side.SALESFORCE)
    if name is None or work.world.schema.has(pair.salesforce, name):
        return actions
    needs = (pair.name, Side.SALESFORCE, name)
    return [
        Wait(one.source, needs) if isinstance(one, Creation) and one.to is Side.SALESFORCE else one
        for one in actions
    ]


def _note(work: Work, looked_at: Sequence[Record], actions: Sequence[Action]) -> None:
    """Problems and waits of these records are what this plan says, and nothing older."""
    store = work.c.store
    problems = [action for action in actions if isinstance(action, Problem)]
    with store.transaction():
        store.records.stop_waiting(looked_at)
        store.records.wait((one.record, one.needs) for one in actions if isinstance(one, Wait))
        note_problems(work, problems)


def _clear(work: Work, pair: Pair, looked_at: Sequence[Record], kept: set[str | None]) -> None:
    """These records have been dealt with, except those to look at again and deletions still to come."""
    with work.c.store.transaction():
        for side in Side:
            ids = [
                one.id
                for one in looked_at
                if one.side is side
                and (side, one.id) not in work.again
                and not (side is Side.SALESFORCE and one.id in kept)
            ]
            work.c.store.records.mark(side, pair.object(side), ids, dirty=False)


def delete(work: Work, pair: Pair) -> None:
    """Carry the deletions of opportunities over to their deals (D1), each journalled with all it held."""
    store = work.c.store
    ids = store.links.pending_deletions(pair.name, pair.salesforce)
    if work.only is not None:
        ids = [id_ for id_ in ids if (Side.SALESFORCE, pair.salesforce, id_) in work.only]
    for start in range(0, len(ids), WINDOW):
        some = ids[start : start + WINDOW]
        _delete_window(work, pair, some)
        gone_already = sorted({id_ for side, id_ in work.again if side is Side.SALESFORCE})
        if gone_already:  # by a run that died, or by a person: their links close
            _delete_window(work, pair, gone_already)


def _delete_window(work: Work, pair: Pair, ids: Sequence[str]) -> None:
    store = work.c.store
    links = list(store.links.by_ids(pair.name, Side.SALESFORCE, ids).values())
    records = store.records.load(Side.SALESFORCE, pair.salesforce, ids)
    others = store.records.load(Side.HUBSPOT, pair.hubspot, [one.hubspot_id for one in links if one.hubspot_id])
    work.again = set()
    actions: list[Action] = []
    for link in links:
        situation = _situation(work, pair, link, Side.SALESFORCE, records, others)
        actions += plan_link(pair, situation, work.world.knowledge, work.world.stages.closed)
    sever(work, [one for one in actions if isinstance(one, Severance)])
    delete_deals(work, pair, [one for one in actions if isinstance(one, Deletion)])
    _clear(work, pair, list(records.values()), set())
