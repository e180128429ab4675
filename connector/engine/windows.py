"""Take up what is to be done, window by window: gather all that bears on some records, plan them, apply it.

A window is up to a thousand records of one object, so nothing ever holds all records. Objects come in order
of dependency, so that a record's parents are there before it.

A record stays dirty until its window is through. A few rounds per object settle what follows from what was
just done: a record that was adopted is merged, an opportunity that was created gets its contact roles. Parents
that a child waits for and that nobody has looked at are dealt with before the child.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from connector.core.actions import Action, Adoption, Creation, Deletion, Freezing, Wait
from connector.core.merges import FOLLOWED
from connector.core.model import (
    Link,
    LinkState,
    Pair,
    Presence,
    Problem,
    Record,
    Side,
)
from connector.core.plan import Situation, plan_candidate, plan_link
from connector.engine.apply import apply_actions
from connector.engine.candidates import find_next_partners, gather_candidates, is_anothers
from connector.engine.choices import recall_choices
from connector.engine.fields import leave_out
from connector.engine.half_done import take_up_half_done
from connector.engine.history import date_conflicts
from connector.engine.left_over import leave_over_again, left_over_from, list_all_left_over, look_at_left_over
from connector.engine.merges import follow_merges
from connector.engine.needed import missing_id_field
from connector.engine.observe import observe_records, syncs
from connector.engine.roles import contacts_at_creation, plan_roles_of
from connector.engine.scope import freeze, is_frozen, note_scope
from connector.engine.stages import arrange_stages
from connector.engine.window import Window, load_window
from connector.engine.work import Work, learn_partners, look_again, note_problems
from connector.engine.world import CONTACTS, DEALS
from connector.store.store import Store

WINDOW = 1000
ROUNDS = 4


def apply_pair(work: Work, pair: Pair) -> None:
    """Bring all dirty records of a pair into step, but leave deletions for later."""
    for _ in range(ROUNDS):
        follow_merges(work, pair)
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
    return work.c.store.records.dirty_among(side, object_, mine)[:WINDOW]


def _apply_window(work: Work, pair: Pair, side: Side, ids: Sequence[str]) -> bool:
    store = work.c.store
    window = load_window(work, pair, side, ids)
    if _read_again_what_is_spared(work, pair, window):
        window = load_window(work, pair, side, ids)
    actions = _plan_window(work, pair, window)
    if _pull_parents(work, actions):
        window = load_window(work, pair, side, ids)
        actions = _plan_window(work, pair, window)
    _note(work, window.looked_at, actions)
    deletions = [action for action in actions if isinstance(action, Deletion)]
    freeze(work, pair, [one for one in actions if isinstance(one, Freezing)])
    apply_actions(work, pair, actions)
    note_scope(work, pair, window.looked_at, actions)
    _wake_for_those_back(work, pair, window)
    look_at_left_over(work, pair, window)
    # Only now: a problem that is met again is the same one, with its attempts and its beginning (E1, E2).
    pending = {(one.to.other, one.link.id_of(one.to.other)) for one in deletions}
    tried = {(where, pair.object(where), id_ or "", "") for where, id_ in pending}
    unfollowed = _find_unfollowed(store, pair, window)
    done = [(one.side, one.object, one.id) for one in window.looked_at if (one.side, one.id) not in unfollowed]
    store.problems.solve(done, still=work.troubled | tried)
    merged = {(one.side, one.id) for one in window.looked_at if one.presence is Presence.MERGED}
    clear(work, pair, window.looked_at, pending | (unfollowed & merged))
    return bool(work.again)


def _read_again_what_is_spared(work: Work, pair: Pair, window: Window) -> bool:
    """Ask HubSpot for what would outlive its partner as the pair is stopped or frozen; search may lag (D9, D1)."""
    known = window.known
    left = [
        one
        for one in window.linked
        if (gone := known.get(one.salesforce_id or "")) and gone.presence is Presence.DELETED
        if (there := known.get(one.hubspot_id or "")) and there.present
    ]
    situations = [make_situation(work, pair, one, window.side, window.records, window.others) for one in left]
    spared = [one.link.hubspot_id or "" for one in situations if one.still]
    return bool(spared and observe_records(work.c, work.world, Side.HUBSPOT, pair, spared))


def _plan_window(work: Work, pair: Pair, window: Window) -> list[Action]:
    side, links = window.side, window.links
    single = [one for one in window.records.values() if _may_begin(work, window, one)]
    there = window.records if side is Side.HUBSPOT else window.others
    linked = take_up_half_done(work, pair, window.linked, there)
    work.again, work.troubled = set(), set()
    pair = leave_out(work.world, pair)
    learn_partners(work, pair, window.looked_at)
    actions: list[Action] = []
    contacts = contacts_at_creation(work, pair, single)
    restored = {id_ for id_, one in links.items() if _is_restored(window, one)}
    for candidate in gather_candidates(work, pair, single, restored):
        own, waits = contacts.get(candidate.record.id, ((), []))
        planned = plan_candidate(pair, candidate, work.world.knowledge, own)
        actions += [*planned, *waits] if any(isinstance(one, Creation) for one in planned) else planned
    actions += list_all_left_over(pair, window)
    linked += _find_restored(work, pair, window)
    situations = [make_situation(work, pair, one, side, window.records, window.others) for one in linked]
    situations = recall_choices(work, pair, date_conflicts(work, pair, situations))
    for situation in situations:
        actions += plan_link(pair, situation, work.world.knowledge, work.world.stages.closed)
    if pair.name == DEALS and CONTACTS in work.c.pairs:
        actions += plan_roles_of(work, situations)
    if pair.name == DEALS:
        # A deal that leaves a synced pipeline, or comes back, is written nowhere, yet counts differently (U9).
        work.c.store.links.derive_parents([one.id for one in linked])
    actions = leave_over_again(work, pair, window, _adopt_each_once(work, pair, window, actions))
    return arrange_stages(work, pair, _hold_creations(work, pair, actions))


def _adopt_each_once(work: Work, pair: Pair, window: Window, actions: list[Action]) -> list[Action]:
    """Of several that are to get one partner it is the first one's; the others are looked at again (law 7).

    Who names it itself comes before who names what was merged into it (A7), and the older before the younger.
    """

    def claim(one: Adoption) -> tuple[bool, str, str]:
        ids = {Side.SALESFORCE: one.salesforce_id, Side.HUBSPOT: one.hubspot_id}
        record = window.records[ids[window.side]]
        return record.partner_id != ids[window.side.other], record.created, record.id

    taken: set[str] = set()
    late: list[Adoption] = []
    for one in sorted((one for one in actions if isinstance(one, Adoption)), key=claim):
        if one.salesforce_id in taken or one.hubspot_id in taken:
            late.append(one)
        else:
            taken |= {one.salesforce_id, one.hubspot_id}
    here = [one.salesforce_id if window.side is Side.SALESFORCE else one.hubspot_id for one in late]
    look_again(work, pair, window.side, here)
    return [one for one in actions if one not in late]


def _may_begin(work: Work, window: Window, record: Record) -> bool:
    """Whether a record is looked at as one without a partner.

    A severed one stays as it is (D3), unless a person asks for a partner, and a closed one begins anew only if it
    was restored in Salesforce; either does if its partner, or the record that it names, was merged into another one
    that is free by now, and a closed one whose partner went to another record: that one may be gone again, and the
    two name one another.
    """
    link = window.links.get(record.id)
    if link is None or link.state is LinkState.PENDING:
        return True
    if not link.has_ended or not record.present or left_over_from(window, record.id):
        return False
    if (record.side, record.object, record.id) in work.forced and record.side is Side.SALESFORCE:
        return True
    if _is_restored(window, link) or link.id_of(window.side.other) is None:
        return True
    former = link.id_of(window.side.other)
    named_anew = window.was_merged(record.partner_id) and window.others[record.partner_id or ""].survivor != former
    return window.was_merged(former) or named_anew


def _is_restored(window: Window, link: Link) -> bool:
    """Whether a pair of a present record ended because that was deleted in Salesforce, as far as is known (D4)."""
    closed = link.state is LinkState.CLOSED and window.side is Side.SALESFORCE
    return closed and not window.was_merged(link.id_of(window.side.other))


def _find_restored(work: Work, pair: Pair, window: Window) -> list[Link]:
    """Severed pairs whose record is back in HubSpot. Search may lag, so it is asked for by its id (D3)."""
    severed = [one for one in window.links.values() if one.state is LinkState.SEVERED]
    known = window.known
    back = [
        one
        for one in severed
        if all((record := known.get(one.id_of(side) or "")) and record.present for side in Side)
    ]
    if not back:
        return []
    fresh = observe_records(work.c, work.world, Side.HUBSPOT, pair, [one.hubspot_id or "" for one in back])
    return [one for one in back if (record := fresh.get(one.hubspot_id or "")) and record.present]


def _pull_parents(work: Work, actions: Iterable[Action]) -> bool:
    """Deal now with what these records wait for, if it was never looked at; whether anything came of it.

    A parent may have been seen and not looked at (P4), not seen since it changed last, or become one that gets a
    partner only by its child (A1). Each is pulled once in a run, so that records that wait for one another all end;
    what has a problem has tries of its own (E2).
    """
    needs = {
        one.needs
        for one in actions
        if isinstance(one, Wait) and _is_record(work, one.needs) and one.needs not in work.pulled
    }
    work.pulled |= needs
    parents: dict[str, dict[Side, list[str]]] = {}
    for name, side, id_ in sorted(needs):
        parents.setdefault(name, {}).setdefault(side, []).append(id_)
    pulled = [_pull(work, work.c.pairs[name], some) for name, some in parents.items()]
    return any(pulled)


def _is_record(work: Work, needs: tuple[str, Side, str]) -> bool:
    """Whether a record is waited for, of a pair that syncs, and not the field that its id would go to (O10)."""
    name, side, id_ = needs
    return name in work.c.pairs and id_ != work.c.pairs[name].partner_field.get(side)


def _pull(work: Work, parent: Pair, wanted: Mapping[Side, Sequence[str]]) -> bool:
    store = work.c.store
    only: set[tuple[Side, str, str]] = set()
    for side, some in wanted.items():
        object_ = parent.object(side)
        troubled = store.problems.troubled(side, object_, some)
        ids = [id_ for id_ in some if id_ not in troubled]
        known = store.records.load(side, object_, ids)
        if missing := [id_ for id_ in ids if id_ not in known]:
            observe_records(work.c, work.world, side, parent, missing)
        store.records.mark(side, object_, ids)
        only |= {(side, object_, id_) for id_ in ids}
    apply_pair(replace(work, only=frozenset(only), again=set(), troubled=set()), parent)
    linked = [
        one
        for side, ids in wanted.items()
        for one in store.links.by_ids(parent.name, side, ids).values()
        if one.state is LinkState.LINKED
    ]
    return bool(linked)


def make_situation(
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
    return situation_of(work, pair, link, salesforce, hubspot)


def situation_of(
    work: Work, pair: Pair, link: Link, salesforce: Record | None, hubspot: Record | None
) -> Situation:
    """A link with its records, and whether they are to be left alone (O5, A8) or are others' by now (D6, A2)."""
    stopped = pair.name == DEALS and hubspot is not None and hubspot.present and not syncs(work.world, hubspot)
    claimed = (
        _is_claimed(work, pair, salesforce, hubspot)
        or _is_claimed(work, pair, hubspot, salesforce)
        or _are_others(work, pair, link, salesforce, hubspot)
    )
    return Situation(link, salesforce, hubspot, stopped, is_frozen(pair, salesforce, hubspot), claimed)


def _is_claimed(work: Work, pair: Pair, lost: Record | None, left: Record | None) -> bool:
    """Whether the deletion of `lost` would reach a record that is another one's by now."""
    if lost is None or left is None or lost.presence is not Presence.DELETED or not left.present:
        return False
    return lost.side in pair.deletes and bool(find_next_partners(work, pair, left, lost.id))


def _are_others(work: Work, pair: Pair, link: Link, salesforce: Record | None, hubspot: Record | None) -> bool:
    """Whether both are there, and each is another one's by now, which an older store does not know (A2).

    The HubSpot record names another one, and the Salesforce record is named by one without a partner. As no two may
    store one id, this pair's id could not be repaired, and its fields would go to somebody else. Whom a person
    linked stay a pair: that their ids say otherwise is what was to be put right.
    """
    if salesforce is None or hubspot is None or not (salesforce.present and hubspot.present):
        return False
    if hubspot.partner_id == salesforce.id or not is_anothers(work, pair, salesforce.id, hubspot.partner_id):
        return False
    store = work.c.store
    naming = store.records.naming(Side.HUBSPOT, pair.hubspot, [salesforce.id]).get(salesforce.id, [])
    present = {one.id for one in naming if one.present}
    free = present - store.links.by_ids(pair.name, Side.HUBSPOT, present).keys()
    return bool(free) and not store.links.was_made_by_hand(link.id)


def _hold_creations(work: Work, pair: Pair, actions: list[Action]) -> list[Action]:
    """Nothing is created where its partner's id could not be stored: a crash would double it (O10).

    It waits for the field instead; what a person asked for says so, since no check of the set-up does.
    """
    name = pair.partner_field.get(Side.SALESFORCE)
    if name is None or work.world.schema.has(pair.salesforce, name):
        return actions
    needs = (pair.name, Side.SALESFORCE, name)
    held: list[Action] = []
    for one in actions:
        if not isinstance(one, Creation) or one.to is not Side.SALESFORCE:
            held.append(one)
            continue
        source = one.source
        held.append(Wait(source, needs))
        if (source.side, source.object, source.id) in work.forced:
            problem = missing_id_field(pair, name)
            held.append(replace(problem, side=source.side, object=source.object, record_id=source.id))
    return held


def _note(work: Work, looked_at: Sequence[Record], actions: Sequence[Action]) -> None:
    """Problems and waits of these records are what this plan says, and nothing older."""
    store = work.c.store
    problems = [action for action in actions if isinstance(action, Problem)]
    with store.transaction():
        store.records.stop_waiting(looked_at)
        store.records.wait((one.record, one.needs) for one in actions if isinstance(one, Wait))
        note_problems(work, problems)


def _wake_for_those_back(work: Work, pair: Pair, window: Window) -> None:
    """Roles and fields wait for a record that is linked and not to be seen on one side: it may be back (R5, R6)."""
    if pair.name == DEALS:
        return  # nobody waits for a deal
    known = {one.id for one in window.looked_at if one.present}
    back = [
        one
        for one in window.linked
        if one.state is LinkState.LINKED and all(one.id_of(side) in known for side in Side)
    ]
    work.c.store.records.wake(pair.name, [(side, one.id_of(side) or "") for one in back for side in Side])


def _find_unfollowed(store: Store, pair: Pair, window: Window) -> set[tuple[Side, str | None]]:
    """Both records of each pair of which one was merged, and whose link has not followed yet (A7).

    Its survivor is not in sight, or it was merged in the middle of this run. Nothing was tried for either.
    """
    merged = [one for one in window.looked_at if one.presence is Presence.MERGED]
    links = [
        link
        for side in Side
        for link in store.links.by_ids(pair.name, side, [one.id for one in merged if one.side is side]).values()
        if link.state in FOLLOWED
    ]
    return {(side, link.id_of(side)) for link in links for side in Side}


def clear(work: Work, pair: Pair, looked_at: Sequence[Record], kept: Collection[tuple[Side, str | None]]) -> None:
    """These records have been dealt with, except those to look at again, and what is `kept`."""
    due = {*work.again, *work.withheld, *kept}
    with work.c.store.transaction():
        for side in Side:
            ids = [one.id for one in looked_at if one.side is side and (side, one.id) not in due]
            work.c.store.records.mark(side, pair.object(side), ids, dirty=False)
