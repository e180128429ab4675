"""Carry out a plan: re-read -> journal the old value -> write -> settle.

Each batch is settled in one transaction as soon as its answer is in: after a crash, what was settled is not
done again, and what was not is found again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from connector.adapters.base import Draft, Edit, Outcome, Refusal, Trouble
from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.actions import (
    Action,
    Adoption,
    Creation,
    RoleAction,
    Settlement,
    Severance,
    Update,
)
from connector.core.merge import is_same
from connector.core.model import (
    Base,
    Change,
    Fields,
    Link,
    LinkState,
    Pair,
    Presence,
    ProblemClass,
    Record,
    Side,
)
from connector.core.remainder import base_of_left_out, find_left_out
from connector.engine.candidates import find_next_partners, find_unlinked_alike, is_anothers
from connector.engine.gate import (
    join_at_creation,
    let_creations_pass,
    let_updates_pass,
    write_of,
)
from connector.engine.held import end_agreed
from connector.engine.left_over import find_left_over
from connector.engine.observe import find_keys, take_in
from connector.engine.refusals import (
    Fault,
    LeftOut,
    find_faults,
    leave_out_known,
    look_for_referred,
    remember_left_out,
    spare_creation,
    spare_update,
)
from connector.engine.report import Written
from connector.engine.roles import apply_roles, look_at_deals_of, look_for_gone, name_later
from connector.engine.work import Work, count, describe_refusal, look_again, note_problems
from connector.engine.world import COMPANIES, CONTACTS, DEALS
from connector.store.links import CONTACT_COMPANY, DEAL_COMPANY, ROLE, Completion

COMPANY_EDGE = {DEALS: DEAL_COMPANY, CONTACTS: CONTACT_COMPANY}
"""The kind of edge to its company that the records of a pair have."""


def apply_actions(work: Work, pair: Pair, actions: Sequence[Action]) -> None:
    _adopt(work, pair, [one for one in actions if isinstance(one, Adoption)])
    sever(work, [one for one in actions if isinstance(one, Severance)])
    _settle(work, pair, [one for one in actions if isinstance(one, Settlement)])
    for side in (Side.HUBSPOT, Side.SALESFORCE):
        creations = let_creations_pass(
            work, [one for one in actions if isinstance(one, Creation) and one.to is side]
        )
        if creations:
            create(work, pair, side, creations)
    for side in (Side.HUBSPOT, Side.SALESFORCE):
        update(work, pair, side, [one for one in actions if isinstance(one, Update) and one.to is side])
    apply_roles(work, [one for one in actions if isinstance(one, RoleAction)])


def _adopt(work: Work, pair: Pair, adoptions: Sequence[Adoption]) -> None:
    adopted: list[int] = []
    with work.c.store.transaction():
        _look_at_former_partners(work, pair, adoptions)
        for one in adoptions:
            run = work.report.run
            key = None if _claim(work, one) else one.key
            link_id = work.c.store.links.adopt(one.pair, one.salesforce_id, one.hubspot_id, one.born, run, key)
            _rejoin_company(work, pair, link_id)
            work.on_match(one)
            if pair.name == CONTACTS:
                adopted.append(link_id)
            work.c.store.records.wake(
                one.pair, [(Side.SALESFORCE, one.salesforce_id), (Side.HUBSPOT, one.hubspot_id)]
            )
            look_again(work, pair, Side.SALESFORCE, [one.salesforce_id])
            look_again(work, pair, Side.HUBSPOT, [one.hubspot_id])
        look_at_deals_of(work, adopted)


def _look_at_former_partners(work: Work, pair: Pair, adoptions: Sequence[Adoption]) -> None:
    """Whom one of both leaves has no link any more: who names somebody is to be met or listed (A2, O10).

    Not whom a person parted from it before.
    """
    store = work.c.store
    for side in Side:
        now = {_id_of(one, side): _id_of(one, side.other) for one in adoptions}
        links = store.links.by_ids(pair.name, side, now)
        former = {id_: one.id_of(side.other) for id_, one in links.items() if one.state is not LinkState.UNLINKED}
        left = [other for id_, other in former.items() if other not in {None, now[id_]}]
        found = store.records.load(side.other, pair.object(side.other), [other for other in left if other])
        look_again(work, pair, side.other, [id_ for id_, one in found.items() if one.present and one.partner_id])


def _id_of(one: Adoption, side: Side) -> str:
    return one.salesforce_id if side is Side.SALESFORCE else one.hubspot_id


def _claim(work: Work, one: Adoption) -> bool:
    """Whether a partner came of a creation that was begun before: it names its source, so it was made, not met."""
    if one.link is None or one.link.state is not LinkState.PENDING:
        return False
    made = Side.HUBSPOT if one.link.hubspot_id is None else Side.SALESFORCE
    ids = {Side.HUBSPOT: one.hubspot_id, Side.SALESFORCE: one.salesforce_id}
    partner = work.c.store.records.load(made, work.c.pairs[one.pair].object(made), [ids[made]]).get(ids[made])
    if partner is None or partner.partner_id != ids[made.other]:
        return False
    work.c.store.journal.claim(one.link.id, made, partner.id)
    source = work.c.store.records.load(made.other, work.c.pairs[one.pair].object(made.other), [ids[made.other]])
    if made is Side.SALESFORCE and source:
        _settle_left_out(work, work.c.pairs[one.pair], [(one.link, source[ids[made.other]], partner)])
    return True


def sever(work: Work, severances: Sequence[Severance]) -> None:
    for one in severances:
        state = LinkState.CLOSED if one.closed else LinkState.SEVERED
        with work.c.store.transaction():
            if one.link is not None and one.link.state in {LinkState.LINKED, LinkState.FROZEN}:
                if work.c.store.links.was_just_matched(one.link.id, work.report.run):
                    # It was gone when they were taken for the same: nobody deleted the partner of this one.
                    state = LinkState.CLOSED
                    look_again(work, work.c.pairs[one.pair], Side.SALESFORCE, [one.link.salesforce_id or ""])
                work.c.store.links.end(one.link.id, state)
                look_at_next_partners(work, work.c.pairs[one.pair], one.link)
            else:
                work.c.store.links.end_unlinked(one.pair, one.salesforce_id, one.hubspot_id, one.born)


def look_at_next_partners(work: Work, pair: Pair, ended: Link) -> None:
    """Who belongs to a record that is free now, or is alike to it, was held as long as it had a partner (A2, A3).

    One that names another record than its partner may be left over of a merge of that one (A7). What a merge into
    either of both left over is so no longer.
    """
    for side in Side:
        id_, other = ended.id_of(side) or "", ended.id_of(side.other)
        look_again(work, pair, side.other, find_left_over(work, pair, side, id_))
        free = work.c.store.records.load(side, pair.object(side), [id_]).get(id_)
        if free is not None and free.present:
            look_again(work, pair, side.other, find_next_partners(work, pair, free, other))
            look_again(work, pair, side.other, find_unlinked_alike(work, pair, free))
            look_again(work, pair, side, [id_] if free.partner_id not in {None, other} else [])


def _settle(work: Work, pair: Pair, settlements: Sequence[Settlement]) -> None:
    if not settlements:
        return
    with work.c.store.transaction():
        work.c.store.links.settle({one.link.id: one.base for one in settlements})
        held = {
            one.link.id: {Side.SALESFORCE: one.base.salesforce, Side.HUBSPOT: one.base.hubspot}
            for one in settlements
        }
        work.c.store.journal.confirm(held, later=PRIMARY_COMPANY)
        end_agreed(work.c, pair, settlements)
        for one in settlements:
            _follow_company(work, pair, one.link.id, one.base.hubspot)
        work.c.store.links.derive_parents([one.link.id for one in settlements])
        work.c.store.links.derive([one.link.id for one in settlements])


def _follow_company(work: Work, pair: Pair, link_id: int, written: Fields) -> None:
    """Keep the edge to the primary company in step with the agreed field."""
    kind = COMPANY_EDGE.get(pair.name)
    if kind is None or PRIMARY_COMPANY not in written or COMPANIES not in work.c.pairs:
        return
    company_id = written[PRIMARY_COMPANY]
    found = work.c.store.links.by_ids(COMPANIES, Side.HUBSPOT, [str(company_id)] if company_id else [])
    parent = next((one.id for one in found.values()), None)
    fresh = work.c.store.links.is_new(link_id, work.report.run)
    work.c.store.links.replace_parent(kind, link_id, parent, with_creation=fresh)


# --- creating ---------------------------------------------------------------------------------------------


def create(
    work: Work, pair: Pair, side: Side, creations: Sequence[Creation], left_out: LeftOut | None = None
) -> None:
    """Create partners on `side`. The link is noted first, with the base that will hold once they are there.

    What is refused for the sake of some fields is tried again at once without them (F4); then `left_out` has them.
    """
    store, left_out = work.c.store, left_out or {}
    spared: dict[str, Creation] = {}
    faults: dict[str, dict[str, Fault]] = {}
    by_source = {one.source.id: one for one in creations}
    with store.transaction():
        pending = store.links.by_ids(pair.name, side.other, by_source)
        links = store.links.begin(pair.name, side.other, {key: one.base for key, one in by_source.items()})
        numbers = store.journal.intend(
            work.report.run,
            "create",
            side,
            pair.object(side),
            [(None, links[key], [*one.changes, *_joined(one)]) for key, one in by_source.items()],
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
            for creation, partner in made:
                place = (side, creation.object, partner.new_id)
                remember_left_out(work, place, left_out.get(creation.source.id, {}))
            store.journal.conclude({journal[one.key]: (one.id is not None, one.id) for one in outcomes})
            for one in outcomes:
                refused = by_source[one.key]
                if one.refusal and (left := spare_creation(pair, refused, one.refusal)):
                    spared[one.key] = left
                    faults[one.key] = {**left_out.get(one.key, {}), **find_faults(refused.values, one.refusal)}
            _refused(
                work,
                pair,
                side.other,
                [one for one in outcomes if one.refusal and one not in collided],
                links,
                spared,
            )
        odd = {Trouble.REFUSED, Trouble.GONE}  # HubSpot does not say that it was for the sake of another record
        refusals = {one.key: one.refusal for one in outcomes if one.refusal and one.refusal.trouble in odd}
        lost = [by_source[key] for key in refusals if key not in spared and by_source[key].contacts]
        look_for_gone(work, side, [one.source.id for one in lost], {who for one in lost for who in one.contacts})
        values = {key: (by_source[key].values, refusal) for key, refusal in refusals.items()}
        look_for_referred(work, pair, side, values, side.other)
        if side is Side.SALESFORCE:
            _take_in_defaults(work, pair, side, [one.id for one in outcomes if one.id is not None])
            records = store.records.load(side, pair.object(side), [one.new_id for _, one in made])
            noted = store.links.load([one.link_id for _, one in made])
            _settle_left_out(
                work, pair, [(noted[one.link_id], creation.source, records[one.new_id]) for creation, one in made]
            )
        named = _find_naming(work, pair, side, [one.key for one in collided])
        for one in collided:
            was_pending = one.key in pending and pending[one.key].state is LinkState.PENDING
            found = named.get(one.key) or _find_existing(work, pair, side, by_source[one.key], one)
            _resolve_collision(work, pair, side, by_source[one.key], links[one.key], one, found, was_pending)
    if spared:
        create(work, pair, side, list(spared.values()), faults)


def _joined(creation: Creation) -> list[Change]:
    """The contacts that a new deal is created with, for the journal."""
    return [change for who in creation.contacts for change in join_at_creation(creation, who).changes]


def _settle_left_out(work: Work, pair: Pair, made: Iterable[tuple[Link, Record, Record]]) -> None:
    """What Salesforce filled in by itself, in place of what was left out of a creation, is nobody's edit.

    `made` are links as they were noted, their sources, and the new records. What was left out goes on being an edit
    that has yet to travel.
    """
    bases = {
        link.id: base_of_left_out(pair, partner.side, names, partner.fields)
        for link, source, partner in made
        if (names := find_left_out(pair, link.base, source, partner))
    }
    if bases:
        with work.c.store.transaction():
            work.c.store.links.settle(bases)


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
    store.records.observe(records, find_keys(work.c, pair, records))
    store.records.mark(side, object_, [one.id for one in records], dirty=False)
    _join_company(work, pair, {one.link_id: creation.base.hubspot for creation, one in made})
    _join_contacts(work, {one.link_id: (one.new_id, creation.contacts) for creation, one in made})
    sources = [(creation.source.side, creation.source.id) for creation, _ in made]
    store.records.wake(pair.name, [*sources, *((side, one.new_id) for _, one in made)])
    if pair.name == CONTACTS:  # who had a partner before is on deals, and the new one is not
        look_at_deals_of(work, [one.link_id for _, one in made])
    if side is Side.SALESFORCE:
        # Its contact roles and the id that the deal stores come in the next round.
        look_again(work, pair, side.other, [id_ for _, id_ in sources])
    name_later(work, [creation.source.id for creation, _ in made if creation.contacts])
    for creation, one in made:
        source = creation.source.id
        count(work, Written("create", side, object_, one.new_id, source, creation.changes))
        for contact in creation.contacts:
            count(work, join_at_creation(creation, contact, one.new_id))


def _take_in_defaults(work: Work, pair: Pair, side: Side, ids: Sequence[str]) -> None:
    """What the vendor filled in by itself, such as the owner, travels back in this same run."""
    fresh = work.hands.reread(side, pair.object(side), ids, work.world.wanted(pair, side)) if ids else None
    if fresh:
        take_in(work.c, pair, list(fresh.values()))


def _join_company(work: Work, pair: Pair, written: Mapping[int, Fields]) -> None:
    """The edges from newly linked records to their primary companies."""
    kind = COMPANY_EDGE.get(pair.name)
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
    unlabelled = {deal: dict.fromkeys(some, frozenset[int]()) for deal, some in contacts.values()}
    work.c.store.records.add_associations(unlabelled)
    links = work.c.store.links.by_ids(CONTACTS, Side.HUBSPOT, everyone)
    pairs = [(key, links[who].id) for key, (_, some) in contacts.items() for who in some]
    work.c.store.links.join(ROLE, pairs, with_creation=True)


def _refused(
    work: Work,
    pair: Pair,
    source: Side,
    outcomes: Sequence[Outcome],
    links: Mapping[str, int],
    spared: Collection[str],
) -> None:
    for one in outcomes:
        if one.refusal is None:
            continue
        if one.refusal.trouble is Trouble.REFUSED:
            work.c.store.links.forget(links[one.key])
        if one.key not in spared:
            note_problems(work, [describe_refusal(source, pair.object(source), one.key, one.refusal)])


def _resolve_collision(
    work: Work,
    pair: Pair,
    side: Side,
    creation: Creation,
    link_id: int,
    outcome: Outcome,
    found: Record | None,
    was_pending: bool,
) -> None:
    """Somebody was there before: an earlier try of ours, or a record that matches. Adopt it.

    Only an earlier try of ours looked like the base that was noted for it.
    """
    store, source = work.c.store, creation.source
    holder = store.links.by_ids(pair.name, side, [found.id]).get(found.id) if found else None
    if found is None or not found.present or (holder is not None and holder.id != link_id):
        refusal = outcome.refusal or _NO_REASON
        with store.transaction():
            store.links.forget(link_id)
            problem = describe_refusal(source.side, source.object, source.id, refusal)
            note_problems(work, [problem])
        return
    with store.transaction():
        take_in(work.c, pair, [found])
        ours = found.partner_id == source.id and was_pending
        if ours:
            store.journal.claim(link_id, side, found.id)
            if side is Side.SALESFORCE:
                _settle_left_out(work, pair, [(store.links.load([link_id])[link_id], source, found)])
        completion = Completion(link_id, found.id, None if ours else Base())
        met = None if ours else "id" if found.partner_id == source.id else "collision"
        store.links.complete(pair.name, side, [completion], work.report.run, met)
        if not ours and source.partner_id == found.id and source.side is Side.SALESFORCE:
            store.links.note_birth(link_id, Side.HUBSPOT)  # Salesforce names those only that were born there (O10)
        _rejoin_company(work, pair, link_id)
        if pair.name == CONTACTS:
            look_at_deals_of(work, [link_id])
        store.records.wake(pair.name, [(source.side, source.id), (side, found.id)])
        look_again(work, pair, source.side, [source.id])
        look_again(work, pair, side, [found.id])


def _find_naming(work: Work, pair: Pair, side: Side, sources: Sequence[str]) -> dict[str, Record]:
    """The records of `side` that store these ids: earlier tries of ours, by batches, as they were lost."""
    crm = work.c.salesforce if side is Side.SALESFORCE else work.c.hubspot
    return crm.find(pair.object(side), sources, work.world.wanted(pair, side)) if sources else {}


def _find_existing(work: Work, pair: Pair, side: Side, creation: Creation, outcome: Outcome) -> Record | None:
    """What else a creation collided with."""
    wanted, object_ = work.world.wanted(pair, side), pair.object(side)
    crm = work.c.salesforce if side is Side.SALESFORCE else work.c.hubspot
    if outcome.refusal is not None and outcome.refusal.existing_id:
        return crm.read(object_, [outcome.refusal.existing_id], wanted).get(outcome.refusal.existing_id)
    # Of all match keys an e-mail alone is unique in HubSpot.
    key = next((key.fields[side][0] for key in pair.match_on if key.oldest_links), None)
    value = creation.values.get(key) if key else None
    if side is Side.HUBSPOT and key and value:
        return work.c.hubspot.find(object_, [str(value)], wanted, by=key).get(str(value))
    return None


_NO_REASON = Refusal(Trouble.REFUSED, ProblemClass.CONNECTION, "UNKNOWN", "no reason given")


# --- updating ---------------------------------------------------------------------------------------------


def update(work: Work, pair: Pair, side: Side, updates: Sequence[Update]) -> set[int]:
    """Re-read, compare, journal, write, settle. Returns the links whose update went through as a whole.

    What is refused for the sake of some fields is tried again at once without them (F4).
    """
    if not updates:
        return set()
    updates = _still_have_a_source(work, pair, side, updates)
    todo = leave_out_known(work, pair, let_updates_pass(work, pair, updates))
    todo = _still_true(work, pair, side, todo) if todo else []
    whole = {one.record_id: len(one.changes) for one in updates}
    done: set[int] = set()
    while todo:
        written, todo = _send_updates(work, pair, side, todo)
        done |= {one.link.id for one in written if len(one.changes) == whole[one.record_id]}
    return done


def _still_have_a_source(work: Work, pair: Pair, side: Side, updates: Sequence[Update]) -> list[Update]:
    """Leave out what would be taken over from a record that is gone by now, or is no partner any more.

    The writes to the other side, which come first, may have shown that. It is planned anew then.
    """
    store = work.c.store
    links = store.links.load([one.link.id for one in updates])
    ids = [one.link.id_of(side.other) or "" for one in updates]
    sources = store.records.load(side.other, pair.object(side.other), ids)
    return [
        one
        for one, id_ in zip(updates, ids, strict=True)
        if (link := links.get(one.link.id)) is not None
        and (link.id_of(side), link.id_of(side.other)) == (one.link.id_of(side), id_)
        and (id_ not in sources or sources[id_].presence not in {Presence.DELETED, Presence.MERGED})
    ]


def _send_updates(
    work: Work, pair: Pair, side: Side, updates: Sequence[Update]
) -> tuple[list[Update], list[Update]]:
    """Journal, write, settle. Returns what was written, and what is left of what was refused."""
    store, object_ = work.c.store, pair.object(side)
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
    edits = [Edit(one.record_id, one.values, one.superseded, one.clears_first) for one in by_id.values()]
    done: list[Update] = []
    spared: list[Update] = []
    for outcomes in work.hands.update(side, object_, edits):
        with store.transaction():
            written = [by_id[one.key] for one in outcomes if one.id is not None]
            _updated(work, pair, side, written, {one.key: one.version for one in outcomes if one.version})
            store.journal.conclude({journal[one.key]: (one.id is not None, one.key) for one in outcomes})
        refused = {
            one.key: one.refusal for one in outcomes if one.refusal and one.refusal.trouble is not Trouble.GONE
        }
        if refused:
            mistaken = _meet_who_is_named(work, pair, side, [by_id[key] for key in refused], refused)
            with store.transaction():
                left = [
                    spare_update(work, pair, by_id[key], refused[key]) for key in refused if key not in mistaken
                ]
            spared += [one for one in left if one is not None]
            values = {key: (by_id[key].values, refusal) for key, refusal in refused.items() if refusal.blames}
            look_for_referred(work, pair, side, values, side)
        done += written
        gone = [one.key for one in outcomes if one.refusal and one.refusal.trouble is Trouble.GONE]
        if gone:
            _classify(work, pair, side, gone)
    return done, spared


def _meet_who_is_named(
    work: Work, pair: Pair, side: Side, updates: Sequence[Update], refused: Mapping[str, Refusal]
) -> set[str]:
    """Records that are not their partner's, as another one names that already (A2).

    They were matched by what is alike, or name another one: a search may lag, or the store be an older one. The
    partner's id, which is unique, is refused then: who names it is linked in their place, and nothing is written to
    them, unless a person linked them. Their ids are returned.
    """
    field = pair.partner_field.get(side)
    doubtful = {
        one.link.id_of(side.other) or "": one
        for one in updates
        if any(blame.field == field for blame in refused[one.record_id].blames)
        and (_names_another(work, pair, one, field) or work.c.store.links.is_new(one.link.id, work.report.run))
        and not work.c.store.links.was_made_by_hand(one.link.id)
    }
    if not doubtful:
        return set()
    found = _find_naming(work, pair, side, list(doubtful))
    held = work.c.store.links.by_ids(pair.name, side, [one.id for one in found.values()])
    free = {id_: one for id_, one in found.items() if one.present and one.id not in held}
    take_in(work.c, pair, list(free.values()))
    met = [(doubtful[id_].link, {side: one.id, side.other: id_}) for id_, one in free.items()]
    _adopt(
        work,
        pair,
        [
            Adoption(pair.name, ids[Side.SALESFORCE], ids[Side.HUBSPOT], link.born, "A2", None, "id")
            for link, ids in met
        ],
    )
    mistaken = {doubtful[id_].record_id for id_ in free}
    look_again(work, pair, side, mistaken)
    return mistaken


def _names_another(work: Work, pair: Pair, update: Update, field: str | None) -> bool:
    """Whether what was to get its partner's id names another one."""
    named = next((str(one.old) for one in update.changes if one.field == field and one.old), None)
    return is_anothers(work, pair, update.link.salesforce_id or "", named)


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
        # A property that was deleted since is not in the answer: whether it is to be written, the CRM says.
        names = [
            change.field for change in one.changes if change.field != partner_field and change.field in now.fields
        ]
        live = now.present and pair.admits(side, now.fields)
        if live and before and all(is_same(now.fields.get(n), before.fields.get(n)) for n in names):
            true.append(one)
    # Everything read is taken in, also what this write does not touch: the version that our write makes
    # must not hide an edit of another field.
    changed = take_in(work.c, pair, list(fresh.values()))
    look_again(work, pair, side, {*changed, *(fresh.keys() - {one.record_id for one in true})})
    return true


def _classify(work: Work, pair: Pair, side: Side, ids: Sequence[str]) -> None:
    """A record to be written to is not there: find out why, and plan it anew from that (D6)."""
    crm = work.c.salesforce if side is Side.SALESFORCE else work.c.hubspot
    found = crm.read(pair.object(side), ids, work.world.wanted(pair, side))
    take_in(work.c, pair, list(found.values()))
    look_again(work, pair, side, ids)


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
    keyed = {*pair.match_fields(side), PRIMARY_COMPANY}
    rekeyed = [id_ for id_, values in written.items() if not keyed.isdisjoint(values)]
    records = store.records.load(side, object_, rekeyed).values()
    store.records.set_keys(side, object_, find_keys(work.c, pair, records))
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
        count(work, write_of(one))
