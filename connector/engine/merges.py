"""Let links follow the records that were merged, before anything else is planned for them (A7).

The adapters tell what a record was merged into. A survivor that was never seen is read now: one call more for
those of one object and side, and only when there are any.
"""

from __future__ import annotations

from collections.abc import Iterable

from connector.core.merges import FOLLOWED, Follow, Retire, follow_merge
from connector.core.model import Link, LinkState, Pair, Presence, Record, Side
from connector.engine.observe import observe_records
from connector.engine.roles import look_at_deals_of
from connector.engine.work import Work, look_again
from connector.engine.world import CONTACTS

LONGEST_CHAIN = 10
_FREE = {LinkState.PENDING, LinkState.CLOSED, LinkState.SEVERED}
_GONE = {Presence.DELETED, Presence.MERGED}


def follow_merges(work: Work, pair: Pair) -> None:
    """Re-point or close the links of all records of a pair that were merged since the last run."""
    for side in Side:
        losers = {
            one.id: one for one in work.c.store.records.merged(side, pair.object(side)) if _is_asked(work, one)
        }
        if losers:
            _follow(work, pair, side, losers)


def _is_asked(work: Work, loser: Record) -> bool:
    return work.only is None or (loser.side, loser.object, loser.id) in work.only


def _follow(work: Work, pair: Pair, side: Side, losers: dict[str, Record]) -> None:
    store, object_ = work.c.store, pair.object(side)
    links = store.links.by_ids(pair.name, side, losers)
    linked = {id_: one for id_, one in links.items() if one.state in FOLLOWED}
    survivors = find_survivors(work, pair, side, [losers[id_] for id_ in linked])
    partners = [one.id_of(side.other) or "" for one in linked.values()]
    known = store.records.load(side.other, pair.object(side.other), partners)
    deleted = {id_ for id_, one in known.items() if one.presence is Presence.DELETED}

    def turn(id_: str) -> tuple[bool, int]:
        """Of several linked losers that pair follows whose other record names the survivor, or else the oldest."""
        link, survivor = linked[id_], survivors.get(id_)
        partner = known.get(link.id_of(side.other) or "")
        return survivor is None or partner is None or partner.partner_id != survivor.id, link.id

    with store.transaction():
        for id_ in sorted(linked, key=turn):
            link, survivor = linked[id_], survivors.get(id_)
            its_link = _find_link(work, pair, side, survivor) if survivor else None
            partner = known.get(link.id_of(side.other) or "")
            named = survivor is not None and (
                _is_named(work, pair, side, survivor) or _names_another(work, pair, side, survivor, partner)
            )
            deserted = link.id_of(side.other) in deleted
            match follow_merge(link, losers[id_], survivor, its_link, named=named, deserted=deserted):
                case Follow(_, _, survivor_id):
                    store.links.repoint(pair.name, side, link.id, survivor_id)
                    look_again(work, pair, side, [survivor_id])
                    if pair.name == CONTACTS:  # a role that ended meanwhile, of either record, is due
                        look_at_deals_of(work, [link.id, *([its_link.id] if its_link else [])])
                    store.records.wake(pair.name, [(side, survivor_id)])  # it has a partner now
                case Retire():
                    store.links.end(link.id, LinkState.CLOSED)
                    look_again(work, pair, side, [survivor.id] if survivor and deserted else [])
            if survivor is not None:
                look_again(work, pair, side.other, [other for other in [link.id_of(side.other)] if other])
        ended = [one.id_of(side.other) for id_, one in links.items() if id_ not in linked]
        look_again(work, pair, side.other, [other for other in ended if other])  # it may be left over now
        done = [id_ for id_ in losers if id_ not in linked or id_ in survivors]
        store.records.mark(side, object_, done, dirty=False)
        store.problems.solve([(side, object_, id_) for id_ in done])
        # What waited for a merged record waits for nothing any more; it is planned anew from what it names now.
        store.records.wake(pair.name, [(side, id_) for id_ in done])


def _find_link(work: Work, pair: Pair, side: Side, survivor: Record) -> Link | None:
    """The link that a survivor has, or ought to have: that of the partner it names.

    HubSpot makes a new record of two, which takes after the primary: what it names is the primary's partner, so
    that pair goes on, whatever is known of the other merged record yet (search may lag).
    """
    links = work.c.store.links
    own = links.by_ids(pair.name, side, [survivor.id]).get(survivor.id)
    if own is not None or survivor.partner_id is None:
        return own
    named = links.by_ids(pair.name, side.other, [survivor.partner_id]).get(survivor.partner_id)
    if named is None or named.state not in FOLLOWED:
        return None
    links.repoint(pair.name, side, named.id, survivor.id)
    if side is Side.HUBSPOT and named.hubspot_id not in find_absorbed(work, pair, side, [survivor.id]):
        links.note_birth(named.id, Side.SALESFORCE)  # an older store takes it for the one that it was born as (U10)
    look_again(work, pair, side, [survivor.id])
    return named


def _is_named(work: Work, pair: Pair, side: Side, survivor: Record) -> bool:
    """Whether a record of the other side and the survivor name one another, either way, and will be linked.

    That one is free, or was the survivor's partner before, or that of one that was merged into it; or it names the
    survivor, and whom an older store takes for its partner is deleted, or was merged into another one.
    """
    store, object_ = work.c.store, pair.object(side.other)
    naming = store.records.naming(side.other, object_, [survivor.id]).get(survivor.id, [])
    named = store.records.load(side.other, object_, [survivor.partner_id] if survivor.partner_id else [])
    present = {one.id for one in (*naming, *named.values()) if one.present}
    links = store.links.by_ids(pair.name, side.other, present)
    former = {one.id: links[one.id].id_of(side) or "" for one in naming if one.id in links}
    known = store.records.load(side, pair.object(side), former.values())
    own = {None, *find_absorbed(work, pair, side, [survivor.id])}
    gone = {id_ for id_, one in known.items() if one.presence in _GONE} - own
    deserted = {id_ for id_, one in former.items() if one in gone}
    return any(
        id_ not in links or id_ in deserted or (links[id_].state in _FREE and links[id_].id_of(side) in own)
        for id_ in present
    )


def _names_another(work: Work, pair: Pair, side: Side, survivor: Record, partner: Record | None) -> bool:
    """Whether HubSpot says that the partner of a merged record belongs to one that has none, which is no survivor.

    An older store does not know (A2). An id of one that has a partner is a mistake, and is put right (O10).
    """
    if side is Side.HUBSPOT or partner is None or not partner.present or partner.partner_id is None:
        return False
    store, name = work.c.store, partner.partner_id
    if name in find_absorbed(work, pair, side, [survivor.id]):
        return False
    named = store.records.load(side, pair.object(side), [name]).get(name)
    link = store.links.by_ids(pair.name, side, [name]).get(name)
    return named is not None and named.present and (link is None or link.state in _FREE)


def find_survivors(work: Work, pair: Pair, side: Side, losers: list[Record]) -> dict[str, Record]:
    """The records that merged ones ended up in, through further merges, by the merged one's id."""
    store, object_ = work.c.store, pair.object(side)
    ends = {one.id: one.survivor for one in losers if one.survivor}
    found: dict[str, Record] = {}
    for _ in range(LONGEST_CHAIN):
        wanted = {id_ for id_ in ends.values() if id_ not in found}
        if not wanted:
            break
        known = store.records.load(side, object_, wanted)
        if missing := sorted(wanted - known.keys()):
            observe_records(work.c, work.world, side, pair, missing, keep_deleted=True)
            known |= store.records.load(side, object_, missing)
        found |= known
        further = {id_: known[end].survivor for id_, end in ends.items() if end in known and known[end].survivor}
        ends |= {id_: end for id_, end in further.items() if end}
        if not further:
            break
    return {id_: found[end] for id_, end in ends.items() if end in found}


def find_absorbed(work: Work, pair: Pair, side: Side, ids: Iterable[str]) -> dict[str, str]:
    """By the id of each record of one side, and of each that was merged into one of them, the id of that one."""
    store = work.c.store
    owners = {id_: id_ for id_ in ids}
    latest = dict(owners)
    while latest := store.records.absorbed(side, pair.object(side), latest):
        latest = {id_: survivor for id_, survivor in latest.items() if id_ not in owners}
        owners |= {id_: owners[survivor] for id_, survivor in latest.items()}
    return owners
