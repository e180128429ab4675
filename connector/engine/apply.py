"""Carry out a plan, window by window: re-read -> journal the old value -> write -> settle.

A window is up to a thousand records of one object, so nothing ever holds all records. Objects come in order
of dependency, so that a record's parents are there before it. Each batch is settled in one transaction as
soon as its answer is in: after a crash, what was settled is not done again, and what was not is found again.

A record stays dirty until its window is through. A few rounds per object settle what follows from what was
just done: a record that was adopted is merged, an opportunity that was created gets its contact roles.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector.adapters.base import Draft, Edit, Outcome, Refusal, Trouble
from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.matching import Candidate
from connector.core.model import (
    Base,
    Change,
    Fields,
    Link,
    LinkState,
    Pair,
    Problem,
    ProblemClass,
    Record,
    Side,
)
from connector.core.plan import (
    Action,
    Adoption,
    Creation,
    Deletion,
    RoleAddition,
    Roles,
    Settlement,
    Severance,
    Situation,
    Update,
    Wait,
    plan_candidate,
    plan_link,
    plan_roles,
)
from connector.engine.hands import Hands
from connector.engine.observe import match_key, syncs, take_in
from connector.engine.report import Report, Written
from connector.engine.world import COMPANIES, CONTACTS, DEALS, Connection, World
from connector.mapping.transforms import Reference
from connector.store.journal import Place
from connector.store.links import CONTACT_COMPANY, DEAL_COMPANY, ROLE, Completion

WINDOW = 1000
_COMPANY_EDGE = {DEALS: DEAL_COMPANY, CONTACTS: CONTACT_COMPANY}
ROUNDS = 4

Only = frozenset[tuple[Side, str, str]]
"""Records (side, object, id) that a run is limited to (T6)."""


@dataclass
class Work:
    """What applying needs: the connection, the world, the hands, and where to count."""

    c: Connection
    world: World
    hands: Hands
    report: Report
    only: Only | None = None
    progress: Callable[[int], None] = lambda _: None
    again: set[tuple[Side, str]] = field(default_factory=set)
    """Records of the window in hand that are to be looked at once more."""
    troubled: set[Place] = field(default_factory=set)
    """Where in the window in hand there is a problem: (side, object, id, field)."""


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
    contacts = _linked_contacts(work, pair, single)
    restored = {id_ for id_, one in links.items() if one.state is LinkState.CLOSED}
    for candidate in _candidates(work, pair, single, restored):
        own, waits = contacts.get(candidate.record.id, ((), []))
        planned = plan_candidate(pair, candidate, work.world.knowledge, own)
        actions += [*planned, *waits] if any(isinstance(one, Creation) for one in planned) else planned
    situations = [_situation(work, pair, one, side, records, others) for one in linked]
    for situation in situations:
        actions += plan_link(pair, situation, work.world.knowledge, work.world.stages.closed)
    if pair.name == DEALS and CONTACTS in work.c.pairs:
        actions += _plan_roles(work, situations)
    if pair.name == DEALS:
        # A deal that leaves a synced pipeline, or comes back, is written nowhere, yet counts differently (U9).
        store.links.derive_parents([one.id for one in linked])
    looked_at = [*records.values(), *others.values()]
    actions = _hold_creations(work, pair, actions)
    _note(work, looked_at, actions)
    deletions = {action.link.id for action in actions if isinstance(action, Deletion)}
    _apply_actions(work, pair, actions)
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


# --- roles ------------------------------------------------------------------------------------------------


def _linked_contacts(
    work: Work, pair: Pair, records: Sequence[Record]
) -> dict[str, tuple[tuple[str, ...], list[Wait]]]:
    """By opportunity: the HubSpot contacts that its new deal starts with (R1), and who is waited for (R5)."""
    if pair.name != DEALS or CONTACTS not in work.c.pairs:
        return {}
    opportunities = {one.id: one for one in records if one.side is Side.SALESFORCE}
    roles = work.c.store.records.roles_of(opportunities)
    everyone = {id_ for some in roles.values() for id_ in some}
    links = work.c.store.links.by_ids(CONTACTS, Side.SALESFORCE, everyone)
    live = {id_: one.hubspot_id for id_, one in links.items() if one.state is LinkState.LINKED and one.hubspot_id}
    return {
        id_: (
            tuple(sorted(live[who] for who in some if who in live)),
            [Wait(opportunities[id_], (CONTACTS, Side.SALESFORCE, who)) for who in sorted(some - live.keys())],
        )
        for id_, some in roles.items()
    }


def _plan_roles(work: Work, situations: Sequence[Situation]) -> list[Action]:
    store = work.c.store
    live = [
        one
        for one in situations
        if one.salesforce and one.salesforce.present and one.hubspot and one.hubspot.present and not one.stopped
    ]
    roles = store.records.roles_of([one.salesforce.id for one in live if one.salesforce])
    deals = [one.hubspot.id for one in live if one.hubspot]
    read = store.records.associations_known(deals)
    associated = store.records.associated_contacts(deals)
    edges = store.links.parents_of(ROLE, [one.link.id for one in live])
    parents = store.links.load({parent for some in edges.values() for parent in some})
    here = store.links.by_ids(CONTACTS, Side.SALESFORCE, {id_ for some in roles.values() for id_ in some})
    there = store.links.by_ids(CONTACTS, Side.HUBSPOT, {id_ for some in associated.values() for id_ in some})
    contacts = {
        (side, id_): link
        for side, some in ((Side.SALESFORCE, here), (Side.HUBSPOT, there))
        for id_, link in some.items()
        if link.state is LinkState.LINKED
    }
    actions: list[Action] = []
    for one in live:
        if one.salesforce is None or one.hubspot is None:
            continue
        shown = frozenset(associated.get(one.hubspot.id, ())) if one.hubspot.id in read else None
        agreed = frozenset(
            contact for parent in edges.get(one.link.id, ()) if (contact := parents[parent].salesforce_id)
        )
        state = Roles(one.link, frozenset(roles.get(one.salesforce.id, ())), shown, agreed)
        actions += plan_roles(state, one.salesforce, contacts)
    return actions


# --- a window's actions -----------------------------------------------------------------------------------


def _note(work: Work, looked_at: Sequence[Record], actions: Sequence[Action]) -> None:
    """Problems and waits of these records are what this plan says, and nothing older."""
    store = work.c.store
    problems = [action for action in actions if isinstance(action, Problem)]
    with store.transaction():
        store.records.stop_waiting(looked_at)
        store.records.wait((one.record, one.needs) for one in actions if isinstance(one, Wait))
        _note_problems(work, problems)


def _note_problems(work: Work, problems: Iterable[Problem]) -> None:
    """All are tried again by themselves (E2): what is amiss may be mended on another record."""
    distinct = {(one.side, one.object, one.record_id, one.field): one for one in problems}
    work.troubled |= distinct.keys()
    work.c.store.problems.note(distinct.values(), retry=True)


def _apply_actions(work: Work, pair: Pair, actions: Sequence[Action]) -> None:
    _adopt(work, [one for one in actions if isinstance(one, Adoption)])
    _sever(work, [one for one in actions if isinstance(one, Severance)])
    _settle(work, pair, [one for one in actions if isinstance(one, Settlement)])
    for side in (Side.HUBSPOT, Side.SALESFORCE):
        creations = [one for one in actions if isinstance(one, Creation) and one.to is side]
        if creations:
            create(work, pair, side, creations)
    for side in (Side.HUBSPOT, Side.SALESFORCE):
        update(work, pair, side, [one for one in actions if isinstance(one, Update) and one.to is side])
    roles = [one for one in actions if isinstance(one, RoleAddition)]
    _agree_roles(work, [one for one in roles if one.to is None])
    for side in (Side.HUBSPOT, Side.SALESFORCE):
        _connect(work, side, [one for one in roles if one.to is side])


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


def _look_again(work: Work, pair: Pair, side: Side, ids: Iterable[str]) -> None:
    some = list(ids)
    work.again |= {(side, id_) for id_ in some}
    work.c.store.records.mark(side, pair.object(side), some)


def _adopt(work: Work, adoptions: Sequence[Adoption]) -> None:
    with work.c.store.transaction():
        for one in adoptions:
            pair = work.c.pairs[one.pair]
            run = work.report.run
            link_id = work.c.store.links.adopt(one.pair, one.salesforce_id, one.hubspot_id, one.born, run)
            _rejoin_company(work, pair, link_id)
            work.c.store.records.wake(
                one.pair, [(Side.SALESFORCE, one.salesforce_id), (Side.HUBSPOT, one.hubspot_id)]
            )
            _look_again(work, pair, Side.SALESFORCE, [one.salesforce_id])
            _look_again(work, pair, Side.HUBSPOT, [one.hubspot_id])


def _sever(work: Work, severances: Sequence[Severance]) -> None:
    for one in severances:
        state = LinkState.CLOSED if one.closed else LinkState.SEVERED
        with work.c.store.transaction():
            if one.link is not None and one.link.state is LinkState.LINKED:
                work.c.store.links.end(one.link.id, state)
            else:
                born = Side.HUBSPOT if one.rule == "D8" else Side.SALESFORCE
                work.c.store.links.end_unlinked(one.pair, one.salesforce_id, one.hubspot_id, born)


def _settle(work: Work, pair: Pair, settlements: Sequence[Settlement]) -> None:
    if not settlements:
        return
    with work.c.store.transaction():
        work.c.store.links.settle({one.link.id: one.base for one in settlements})
        for one in settlements:
            _follow_company(work, pair, one.link.id, one.base.hubspot)
        work.c.store.links.derive_parents([one.link.id for one in settlements])
        work.c.store.links.derive([one.link.id for one in settlements])


def _follow_company(work: Work, pair: Pair, link_id: int, written: Fields) -> None:
    """Keep the edge to the primary company in step with the agreed field."""
    kind = _COMPANY_EDGE.get(pair.name)
    if kind is None or PRIMARY_COMPANY not in written or COMPANIES not in work.c.pairs:
        return
    company_id = written[PRIMARY_COMPANY]
    found = work.c.store.links.by_ids(COMPANIES, Side.HUBSPOT, [str(company_id)] if company_id else [])
    parent = next((one.id for one in found.values()), None)
    fresh = work.c.store.links.is_new(link_id, work.report.run)
    work.c.store.links.replace_parent(kind, link_id, parent, with_creation=fresh)


# --- creating ---------------------------------------------------------------------------------------------


def create(work: Work, pair: Pair, side: Side, creations: Sequence[Creation]) -> None:
    """Create partners on `side`. The link is noted first, with the base that will hold once they are there."""
    store = work.c.store
    by_source = {one.source.id: one for one in creations}
    with store.transaction():
        pending = store.links.by_ids(pair.name, side.other, by_source)
        links = store.links.begin(pair.name, side.other, {key: one.base for key, one in by_source.items()})
        numbers = store.journal.intend(
            work.report.run,
            "create",
            side,
            pair.object(side),
            [(None, links[key], one.changes) for key, one in by_source.items()],
        )
    journal = dict(zip(by_source, numbers, strict=True))
    drafts = [Draft(key, one.values, one.contacts) for key, one in by_source.items()]
    wanted = work.world.wanted(pair, side)
    for outcomes in work.hands.create(side, pair.object(side), drafts, wanted):
        collided = [one for one in outcomes if one.refusal and one.refusal.trouble is Trouble.COLLIDED]
        with store.transaction():
            versions = {one.id: one.version for one in outcomes if one.id}
            made = [
                (by_source[one.key], Completion(links[one.key], one.id, by_source[one.key].base))
                for one in outcomes
                if one.id is not None
            ]
            _created(work, pair, side, made, versions)
            store.journal.conclude({journal[one.key]: (one.id is not None, one.id) for one in outcomes})
            _refused(
                work,
                pair,
                side.other,
                [one for one in outcomes if one.refusal and one not in collided],
                links,
            )
        if side is Side.SALESFORCE:
            _take_in_defaults(work, pair, side, [one.id for one in outcomes if one.id is not None])
        for one in collided:
            was_pending = one.key in pending and pending[one.key].state is LinkState.PENDING
            _resolve_collision(work, pair, side, by_source[one.key], links[one.key], one, was_pending=was_pending)


def _created(
    work: Work,
    pair: Pair,
    side: Side,
    made: Sequence[tuple[Creation, Completion]],
    versions: Mapping[str, str],
) -> None:
    """Settle a batch of creations. `versions` are those of the new records, by id."""
    store, object_ = work.c.store, pair.object(side)
    partner_field = pair.partner_field.get(side)
    store.links.complete(pair.name, side, [completion for _, completion in made], work.report.run)
    records = [
        Record(
            side=side,
            object=object_,
            id=completion.new_id,
            version=versions.get(completion.new_id, ""),
            fields={key: value for key, value in creation.values.items() if key != partner_field},
            created=creation.source.created,
            modified=creation.source.modified,
            partner_id=creation.source.id,
        )
        for creation, completion in made
    ]
    store.records.observe(records, {one.id: match_key(pair, one) for one in records})
    store.records.mark(side, object_, [one.id for one in records], dirty=False)
    _join_company(work, pair, {one.link_id: creation.base.hubspot for creation, one in made})
    _join_contacts(work, {one.link_id: (one.new_id, creation.contacts) for creation, one in made})
    sources = [(creation.source.side, creation.source.id) for creation, _ in made]
    store.records.wake(pair.name, [*sources, *((side, one.new_id) for _, one in made)])
    if side is Side.SALESFORCE:
        # Its contact roles and the id that the deal stores come in the next round.
        _look_again(work, pair, side.other, [id_ for _, id_ in sources])
    for creation, one in made:
        source = creation.source.id
        work.report.count(Written("create", side, object_, one.new_id, source, creation.changes))
        for contact in creation.contacts:
            change = Change("contact", None, contact, "R1", f"contact role on {source}")
            work.report.count(Written("connect", side, object_, one.new_id, source, [change]))


def _take_in_defaults(work: Work, pair: Pair, side: Side, ids: Sequence[str]) -> None:
    """What the vendor filled in by itself, such as the owner, travels back in this same run."""
    fresh = work.hands.reread(side, pair.object(side), ids, work.world.wanted(pair, side)) if ids else None
    if fresh:
        take_in(work.c, pair, list(fresh.values()))


def _join_company(work: Work, pair: Pair, written: Mapping[int, Fields]) -> None:
    """The edges from newly linked records to their primary companies."""
    kind = _COMPANY_EDGE.get(pair.name)
    companies = {key: str(id_) for key, some in written.items() if (id_ := some.get(PRIMARY_COMPANY))}
    if kind is None or COMPANIES not in work.c.pairs:
        return
    links = work.c.store.links.by_ids(COMPANIES, Side.HUBSPOT, companies.values())
    pairs = [(key, links[id_].id) for key, id_ in companies.items() if id_ in links]
    work.c.store.links.join(kind, pairs, with_creation=True)


def _rejoin_company(work: Work, pair: Pair, link_id: int) -> None:
    """The edge of a link whose first try got through before a crash: what was agreed then is not settled again."""
    agreed = work.c.store.links.load([link_id])[link_id].base
    _join_company(work, pair, {link_id: agreed.hubspot})


def _join_contacts(work: Work, contacts: Mapping[int, tuple[str, tuple[str, ...]]]) -> None:
    """The edges from new deals (link -> deal, contacts) to the contacts they were created with."""
    everyone = {who for _, some in contacts.values() for who in some}
    if not everyone:
        return
    work.c.store.records.add_associations(dict(contacts.values()))
    links = work.c.store.links.by_ids(CONTACTS, Side.HUBSPOT, everyone)
    pairs = [(key, links[who].id) for key, (_, some) in contacts.items() for who in some]
    work.c.store.links.join(ROLE, pairs, with_creation=True)


def _refused(work: Work, pair: Pair, source: Side, outcomes: Sequence[Outcome], links: Mapping[str, int]) -> None:
    for one in outcomes:
        if one.refusal is None:
            continue
        if one.refusal.trouble is Trouble.REFUSED:
            work.c.store.links.forget(links[one.key])
        problem = _problem(source, pair.object(source), one.key, one.refusal)
        _note_problems(work, [problem])


def _resolve_collision(
    work: Work, pair: Pair, side: Side, creation: Creation, link_id: int, outcome: Outcome, *, was_pending: bool
) -> None:
    """Somebody was there before: an earlier try of ours, or a record that matches. Adopt it.

    Only an earlier try of ours looked like the base that was noted for it.
    """
    found = _find_existing(work, pair, side, creation, outcome)
    store, source = work.c.store, creation.source
    holder = store.links.by_ids(pair.name, side, [found.id]).get(found.id) if found else None
    if found is None or not found.present or (holder is not None and holder.id != link_id):
        refusal = outcome.refusal or _NO_REASON
        with store.transaction():
            store.links.forget(link_id)
            problem = _problem(source.side, source.object, source.id, refusal)
            _note_problems(work, [problem])
        return
    with store.transaction():
        take_in(work.c, pair, [found])
        ours = found.partner_id == source.id and was_pending
        completion = Completion(link_id, found.id, None if ours else Base())
        store.links.complete(pair.name, side, [completion], work.report.run)
        _rejoin_company(work, pair, link_id)
        store.records.wake(pair.name, [(source.side, source.id), (side, found.id)])
        _look_again(work, pair, source.side, [source.id])
        _look_again(work, pair, side, [found.id])


def _find_existing(work: Work, pair: Pair, side: Side, creation: Creation, outcome: Outcome) -> Record | None:
    wanted, object_ = work.world.wanted(pair, side), pair.object(side)
    crm = work.c.salesforce if side is Side.SALESFORCE else work.c.hubspot
    by_partner = crm.find(object_, [creation.source.id], wanted).get(creation.source.id)
    if by_partner is not None:
        return by_partner
    if outcome.refusal is not None and outcome.refusal.existing_id:
        return crm.read(object_, [outcome.refusal.existing_id], wanted).get(outcome.refusal.existing_id)
    key = pair.match_on.get(side)
    value = creation.values.get(key) if key else None
    if side is Side.HUBSPOT and key and value:
        return work.c.hubspot.find(object_, [str(value)], wanted, by=key).get(str(value))
    return None


_NO_REASON = Refusal(Trouble.REFUSED, ProblemClass.CONNECTION, "UNKNOWN", "no reason given")
_REMEDIES = {
    ProblemClass.ASSOCIATIONS: "check that the records it refers to exist and can be seen",
    ProblemClass.CUSTOM_CODE: "a flow, trigger or validation rule in Salesforce refused it; ask its owner",
    ProblemClass.DUPLICATES: "merge the duplicates, or change the value that makes them alike",
    ProblemClass.PERMISSIONS: "give the connector's user the right to write this",
    ProblemClass.PROPERTY_VALUES: "correct the value, or give the mapping a value map or a default",
    ProblemClass.FIELD_MAPPING: "correct the mapping file: this field does not exist or cannot be written",
    ProblemClass.API_LIMIT: "wait until API calls are free again",
    ProblemClass.CONNECTION: "nothing: it is tried again",
}


def _problem(side: Side, object_: str, record_id: str, refusal: Refusal) -> Problem:
    remedy = _REMEDIES[refusal.cause]
    return Problem(side, object_, record_id, refusal.cause, refusal.code, refusal.message, remedy, refusal.field)


# --- updating ---------------------------------------------------------------------------------------------


def update(work: Work, pair: Pair, side: Side, updates: Sequence[Update]) -> set[int]:
    """Re-read, compare, journal, write, settle. Returns the links whose update went through."""
    if not updates:
        return set()
    store, object_ = work.c.store, pair.object(side)
    updates = _still_true(work, pair, side, updates)
    by_id = {one.record_id: one for one in updates}
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "update",
            side,
            object_,
            [(one.record_id, one.link.id, one.changes) for one in by_id.values()],
        )
    journal = dict(zip(by_id, numbers, strict=True))
    edits = [Edit(one.record_id, one.values, one.superseded) for one in by_id.values()]
    done: set[int] = set()
    for outcomes in work.hands.update(side, object_, edits) if edits else ():
        with store.transaction():
            written = [by_id[one.key] for one in outcomes if one.id is not None]
            _updated(work, pair, side, written, {one.key: one.version for one in outcomes if one.version})
            store.journal.conclude({journal[one.key]: (one.id is not None, one.key) for one in outcomes})
            for one in outcomes:
                if one.refusal is not None and one.refusal.trouble is not Trouble.GONE:
                    problem = _problem(side, object_, one.key, one.refusal)
                    _note_problems(work, [problem])
        done |= {one.link.id for one in written}
        gone = [one.key for one in outcomes if one.refusal and one.refusal.trouble is Trouble.GONE]
        if gone:
            _classify(work, pair, side, gone)
    return done


def _still_true(work: Work, pair: Pair, side: Side, updates: Sequence[Update]) -> list[Update]:
    """Leave out what somebody changed since it was seen: it is planned anew from what it is now."""
    object_ = pair.object(side)
    fresh = work.hands.reread(side, object_, [one.record_id for one in updates], work.world.wanted(pair, side))
    if fresh is None:
        return list(updates)
    partner_field = pair.partner_field.get(side)
    seen = work.c.store.records.load(side, object_, fresh)
    true = []
    for one in updates:
        now, before = fresh[one.record_id], seen.get(one.record_id)
        names = [change.field for change in one.changes if change.field != partner_field]
        if now.present and before and all(_same(now.fields.get(n), before.fields.get(n)) for n in names):
            true.append(one)
    # Everything read is taken in, also what this write does not touch: the version that our write makes
    # must not hide an edit of another field.
    changed = take_in(work.c, pair, list(fresh.values()))
    _look_again(work, pair, side, {*changed, *(fresh.keys() - {one.record_id for one in true})})
    return true


def _same(one: object, other: object) -> bool:
    """Blank is blank; a number that we wrote as text comes back as text."""
    return (one or None) == (other or None) or (one is not None and str(one) == str(other))


def _classify(work: Work, pair: Pair, side: Side, ids: Sequence[str]) -> None:
    """A record to be written to is not there: find out why, and plan it anew from that (D6)."""
    crm = work.c.salesforce if side is Side.SALESFORCE else work.c.hubspot
    found = crm.read(pair.object(side), ids, work.world.wanted(pair, side))
    take_in(work.c, pair, list(found.values()))
    _look_again(work, pair, side, ids)


def _updated(work: Work, pair: Pair, side: Side, updates: Sequence[Update], versions: Mapping[str, str]) -> None:
    """Settle a batch of updates. `versions` are what the writes made of the records, by id."""
    store, object_ = work.c.store, pair.object(side)
    partner_field = pair.partner_field.get(side)
    store.links.settle({one.link.id: one.settles for one in updates if one.settles})
    written = {
        one.record_id: {name: value for name, value in one.values.items() if name != partner_field}
        for one in updates
    }
    store.records.overwrite(side, object_, written, versions)
    rekeyed = [id_ for id_, values in written.items() if pair.match_on.get(side) in values]
    records = store.records.load(side, object_, rekeyed)
    store.records.set_match_keys(side, object_, {id_: match_key(pair, one) for id_, one in records.items()})
    partners = {
        one.record_id: str(one.values[partner_field])
        for one in updates
        if partner_field and partner_field in one.values
    }
    store.records.set_partner(side, object_, partners)
    moved = [one for one in updates if one.settles]
    for one in moved:
        _follow_company(work, pair, one.link.id, one.settles.hubspot)
    store.links.derive_parents([one.link.id for one in moved])
    for one in updates:
        work.report.count(
            Written("update", side, object_, one.record_id, one.link.id_of(side.other) or "", one.changes)
        )


# --- roles ------------------------------------------------------------------------------------------------


def _agree_roles(work: Work, roles: Sequence[RoleAddition]) -> None:
    with work.c.store.transaction():
        for one in roles:
            _join(work, one)


def _join(work: Work, role: RoleAddition) -> None:
    fresh = work.c.store.links.is_new(role.deal.id, work.report.run)
    work.c.store.links.join(ROLE, [(role.deal.id, role.contact.id)], with_creation=fresh)


def _connect(work: Work, side: Side, roles: Sequence[RoleAddition]) -> None:
    if not roles:
        return
    store = work.c.store
    object_ = "OpportunityContactRole" if side is Side.SALESFORCE else "deals"
    by_key = {f"{one.deal.id_of(side)}/{one.contact.id_of(side)}": one for one in roles}
    changes = {
        key: [Change("contact", None, one.contact.id_of(side), one.rule, one.cause)] for key, one in by_key.items()
    }
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "connect",
            side,
            object_,
            [(one.deal.id_of(side), one.deal.id, changes[key]) for key, one in by_key.items()],
        )
    journal = dict(zip(by_key, numbers, strict=True))
    pairs = [(one.deal.id_of(side) or "", one.contact.id_of(side) or "") for one in by_key.values()]
    for outcomes in work.hands.connect(side, pairs):
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, None) for one in outcomes})
            for one in outcomes:
                role = by_key[one.key]
                if one.refusal is not None:
                    problem = _problem(Side.SALESFORCE, "Opportunity", role.deal.salesforce_id or "", one.refusal)
                    _note_problems(work, [replace(problem, field="contacts")])
                    continue
                _connected(work, side, role, one.id or "")
                deal = role.deal.id_of(side)
                work.report.count(Written("connect", side, object_, deal, one.key, changes[one.key]))


def _connected(work: Work, side: Side, role: RoleAddition, new_id: str) -> None:
    _join(work, role)
    if side is Side.HUBSPOT:
        work.c.store.records.add_associations({role.deal.hubspot_id or "": [role.contact.hubspot_id or ""]})
    else:
        both = (role.deal.salesforce_id or "", role.contact.salesforce_id or "")
        work.c.store.records.observe_roles({new_id: both}, ())


# --- deleting ---------------------------------------------------------------------------------------------


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
    _sever(work, [one for one in actions if isinstance(one, Severance)])
    _delete(work, pair, [one for one in actions if isinstance(one, Deletion)])
    _clear(work, pair, list(records.values()), set())


def _delete(work: Work, pair: Pair, deletions: Sequence[Deletion]) -> None:
    if not deletions:
        return
    store, object_ = work.c.store, pair.hubspot
    by_id = {one.record.id: one for one in deletions}
    wanted = work.world.wanted(pair, Side.HUBSPOT)
    fresh = work.hands.reread(Side.HUBSPOT, object_, list(by_id), wanted)
    if fresh is None:
        fresh = {id_: one.record for id_, one in by_id.items()}
    gone = [one for one in fresh.values() if not one.present]
    if gone:
        take_in(work.c, pair, gone)
        _look_again(work, pair, Side.SALESFORCE, [by_id[one.id].link.salesforce_id or "" for one in gone])
    by_id = {id_: one for id_, one in by_id.items() if fresh[id_].present}
    changes = {
        id_: [
            Change(name, value, None, one.rule, one.cause)
            for name, value in sorted(fresh[id_].fields.items())
            if value not in (None, "")
        ]
        for id_, one in by_id.items()
    }
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "delete",
            Side.HUBSPOT,
            object_,
            [(id_, one.link.id, changes[id_]) for id_, one in by_id.items()],
        )
    journal = dict(zip(by_id, numbers, strict=True))
    for outcomes in work.hands.delete(object_, list(by_id)) if by_id else ():
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, one.key) for one in outcomes})
            done = [by_id[one.key] for one in outcomes if one.id is not None]
            store.records.mark_gone(Side.HUBSPOT, object_, [one.record.id for one in done])
            for one in done:
                store.links.end(one.link.id, LinkState.CLOSED)
                source = one.link.salesforce_id or ""
                work.report.count(
                    Written("delete", Side.HUBSPOT, object_, one.record.id, source, changes[one.record.id])
                )
