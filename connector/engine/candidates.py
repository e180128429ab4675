"""Gather all that was observed of the possible partners of unlinked records.

All of it comes from the store: after the first look it holds every record of both sides, so what is alike and what
is not is known without asking a CRM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.matching import Candidate
from connector.core.model import KeyValue, Link, LinkState, Pair, Record, Side
from connector.engine.merges import find_absorbed, find_survivors
from connector.engine.observe import syncs
from connector.engine.work import Work
from connector.engine.world import COMPANIES, CONTACTS, DEALS

_LIVE = {LinkState.LINKED, LinkState.FROZEN, LinkState.PENDING}


def gather_candidates(
    work: Work, pair: Pair, records: Sequence[Record], restored: Collection[str]
) -> Iterable[Candidate]:
    """Unlinked records of one side, each with all that was observed of possible partners."""
    if not records:
        return
    side = records[0].side
    named = _find_named(work, pair, records)
    naming = _find_naming(work, pair, records)
    keys, alike = _find_alike(work, pair, records)
    partners = {one.id: one for some in alike.values() for one in some if one.side is not side}
    names = {one.id: one.partner_id for one in records}
    partners |= {one.id: one for id_, one in named.items() if one.id != names[id_]}
    claims = _find_claims(work, pair, side, partners)
    mentioned = [*records, *named.values()]
    mentioned += [one for some in (*naming.values(), *alike.values()) for one in some]
    links = _find_links(work, pair, mentioned)
    alike = {value: _drop_outsiders(pair, side, some, links) for value, some in alike.items()}
    may_be_made = _find_in_scope(work, pair, records)
    for one in records:
        yield Candidate(
            record=one,
            named=named.get(one.id),
            naming=tuple(naming.get(one.id, ())),
            claimed=frozenset(id_ for id_, claimants in claims.items() if claimants - {one.id}),
            keys=keys,
            alike=alike,
            links=links,
            in_scope=one.id in may_be_made,
            outside=not pair.admits(side, one.fields),
            restored=one.id in restored,
            forced=(side, one.object, one.id) in work.forced,
        )


def _find_named(work: Work, pair: Pair, records: Sequence[Record]) -> dict[str, Record]:
    """What each record names, or what that was merged into (A7), by the naming record's id."""
    side = records[0].side
    names = {one.id: one.partner_id for one in records if one.partner_id}
    found = work.c.store.records.load(side.other, pair.object(side.other), names.values())
    merged = [one for one in found.values() if one.survivor]
    survivors = find_survivors(work, pair, side.other, merged) if merged else {}
    return {id_: survivors.get(name, found[name]) for id_, name in names.items() if name in found}


def _find_naming(work: Work, pair: Pair, records: Sequence[Record]) -> dict[str, list[Record]]:
    """Who names each record, or one that was merged into it (A7), by the named record's id."""
    side, store = records[0].side, work.c.store
    owners = find_absorbed(work, pair, side, [one.id for one in records])
    found: dict[str, list[Record]] = {}
    for id_, some in store.records.naming(side.other, pair.object(side.other), owners).items():
        found.setdefault(owners[id_], []).extend(some)
    return found


def is_anothers(work: Work, pair: Pair, salesforce_id: str, named: str | None) -> bool:
    """Whether what a HubSpot record names is neither its partner nor what was merged into that (A2, A7)."""
    return named is not None and named not in find_absorbed(work, pair, Side.SALESFORCE, [salesforce_id])


def find_next_partners(work: Work, pair: Pair, record: Record, former: str | None) -> set[str]:
    """Who belongs to a record once its pair ended: names it, or is named by it, and has no partner of its own (A2).

    One whose pair ended has had a partner, and waits for no other one (D3), unless that was this record, or was
    merged into it (A7).
    """
    named = _find_named(work, pair, [record]).values()
    naming = _find_naming(work, pair, [record]).get(record.id, [])
    present = {one.id for one in (*naming, *named) if one.present} - {former}
    links = work.c.store.links.by_ids(pair.name, record.side.other, present)
    own = {None, *find_absorbed(work, pair, record.side, [record.id])}
    return {
        id_
        for id_ in present
        if (link := links.get(id_)) is None
        or link.state is LinkState.PENDING
        or (link.has_ended and link.id_of(record.side) in own)
    }


def find_unlinked_alike(work: Work, pair: Pair, record: Record) -> set[str]:
    """Who is alike to a record and has no partner: held for as long as that one had its own (A2, A3)."""
    side, store = record.side.other, work.c.store
    alike = store.records.with_keys(side, pair.object(side), pair.match_values(record)).values()
    ids = {one.id for some in alike for one in some}
    linked = {id_ for id_, one in store.links.by_ids(pair.name, side, ids).items() if one.state in _LIVE}
    return ids - linked


def _find_alike(
    work: Work, pair: Pair, records: Sequence[Record]
) -> tuple[dict[tuple[Side, str], tuple[KeyValue, ...]], dict[KeyValue, tuple[Record, ...]]]:
    """The key values of records and of those alike to them, and all present records by each of these values."""
    side = records[0].side
    keys = {(side, one.id): pair.match_values(one) for one in records}
    alike = _look_up(work, pair, {value for some in keys.values() for value in some})
    partners = [one for some in alike.values() for one in some if one.side is not side]
    keys |= {(one.side, one.id): pair.match_values(one) for one in partners}
    alike |= _look_up(work, pair, {value for some in keys.values() for value in some} - alike.keys())
    return keys, alike


def _find_claims(work: Work, pair: Pair, side: Side, partners: Mapping[str, Record]) -> dict[str, set[str]]:
    """The present records of `side` whose a possible partner is, as stored ids tell, by the id of that one."""
    if not partners:
        return {}
    naming = work.c.store.records.naming(side, pair.object(side), partners)
    claims = {id_: {one.id for one in some if one.present} for id_, some in naming.items()}
    return claims if side is Side.HUBSPOT else _go_by_hubspot(work, pair, claims, partners)


def _go_by_hubspot(
    work: Work, pair: Pair, claims: Mapping[str, set[str]], partners: Mapping[str, Record]
) -> dict[str, set[str]]:
    """The same of Salesforce records: whom HubSpot names itself, and who is not named by another one there.

    Every pair's id in HubSpot is put right, and no two records have one; what Salesforce stores stays, right or
    wrong. Nobody claims whom a person parted from it.
    """
    store = work.c.store
    claimants = {id_ for some in claims.values() for id_ in some}
    naming = store.records.naming(Side.HUBSPOT, pair.hubspot, claimants)
    owners = {id_: {one.id for one in some if one.present} for id_, some in naming.items()}
    found = {id_: {one for one in claims.get(id_, ()) if not owners.get(one, set()) - {id_}} for id_ in partners}
    names = {id_: one.partner_id for id_, one in partners.items() if one.partner_id}
    named = store.records.load(Side.SALESFORCE, pair.salesforce, names.values())
    for id_, name in names.items():
        found[id_] |= {name} if name in named and named[name].present else set()
    for id_, link in store.links.by_ids(pair.name, Side.HUBSPOT, partners).items():
        found[id_] -= {link.salesforce_id} if link.state is LinkState.UNLINKED else set()
    return found


def _drop_outsiders(
    pair: Pair, side: Side, records: Iterable[Record], links: Mapping[tuple[Side, str], Link]
) -> tuple[Record, ...]:
    """Without those of this side that are out of scope and have no partner: they take nobody's place (A8).

    Those of the other side stay: whoever is the same as one of them must not be made there once more.
    """
    return tuple(
        one for one in records if one.side is not side or (side, one.id) in links or pair.admits(side, one.fields)
    )


def _look_up(work: Work, pair: Pair, values: Collection[KeyValue]) -> dict[KeyValue, tuple[Record, ...]]:
    found: dict[KeyValue, tuple[Record, ...]] = dict.fromkeys(values, ())
    for side in Side:
        for value, some in work.c.store.records.with_keys(side, pair.object(side), values).items():
            found[value] += tuple(some)
    return found


def _find_links(work: Work, pair: Pair, mentioned: Iterable[Record]) -> dict[tuple[Side, str], Link]:
    """The live links of records, by side and id."""
    ids: dict[Side, set[str]] = {side: set() for side in Side}
    for one in mentioned:
        ids[one.side].add(one.id)
    return {
        (side, id_): link
        for side, some in ids.items()
        for id_, link in work.c.store.links.by_ids(pair.name, side, some).items()
        if link.state in _LIVE
    }


# --- what may get a partner made --------------------------------------------------------------------------


def _find_in_scope(work: Work, pair: Pair, records: Sequence[Record]) -> set[str]:
    """Those that may get a partner made: deals in a synced pipeline (O6), companies of contacts that sync (A1)."""
    side = records[0].side
    if side is Side.HUBSPOT and pair.name == DEALS:
        return {one.id for one in records if syncs(work.world, one)}
    if side is Side.HUBSPOT and pair.name == COMPANIES and Side.SALESFORCE in pair.creates:
        return _with_syncing_contact(work, [one.id for one in records])
    return {one.id for one in records}


def _with_syncing_contact(work: Work, companies: Sequence[str]) -> set[str]:
    """Of these companies those that are the primary company of a contact that syncs to Salesforce (A1)."""
    if CONTACTS not in work.c.pairs:
        return set()
    pair, store = work.c.pairs[CONTACTS], work.c.store
    keys = [(PRIMARY_COMPANY, id_) for id_ in companies]
    staff = {key[1]: some for key, some in store.records.with_keys(Side.HUBSPOT, pair.hubspot, keys).items()}
    everyone = [one for some in staff.values() for one in some]
    if Side.SALESFORCE in pair.creates:
        return set(staff)
    links = store.links.by_ids(pair.name, Side.HUBSPOT, [one.id for one in everyone])
    syncing = {id_ for id_, link in links.items() if link.state in _LIVE - {LinkState.FROZEN}}
    # One that will be found by its e-mail in this very run syncs too: contacts come after their companies.
    values: Mapping[str, tuple[KeyValue, ...]] = {one.id: pair.match_values(one) for one in everyone}
    met = store.records.with_keys(
        Side.SALESFORCE, pair.salesforce, {one for some in values.values() for one in some}
    )
    syncing |= {id_ for id_, some in values.items() if any(value in met for value in some)}
    return {company for company, some in staff.items() if any(one.id in syncing for one in some)}
