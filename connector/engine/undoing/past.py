"""What did a run write, and what do both CRMs hold of that now? All that undoing it depends on (X2).

Read for this: every record that the run wrote to, the contacts of the deals it touched, and of records that it
created what hangs on them and whether somebody else has edited them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.derived import LIFECYCLE_STAGE
from connector.core.hiding import Hidden
from connector.core.inverse import CONTACT_ROLE, Entry, Key, Left, Now, Past
from connector.core.model import Change, ContactRole, Fields, LinkState, Pair, Record, Side, Value
from connector.engine.held import pairs_by_object
from connector.engine.observe import take_in
from connector.engine.roles import find_naming
from connector.engine.work import Work
from connector.engine.world import CONTACTS, DEALS
from connector.mapping.transforms import Reference
from connector.store.images import EdgeKey
from connector.store.people import FORGOTTEN
from connector.store.runs import Run

LIVE = {LinkState.LINKED.value, LinkState.FROZEN.value}
CHUNK = 1000
_IN_TWO_REQUESTS = {LIFECYCLE_STAGE, PRIMARY_COMPANY}


@dataclass(frozen=True, slots=True)
class Story:
    """One run, and what has become of it."""

    run: Run
    entries: tuple[Entry, ...]
    skipped: int
    """Writes to objects that do not sync any more."""
    forgotten: int
    """Writes of which nothing is known any more, since a person was forgotten."""
    now: Now
    links: Mapping[int, Past]
    edges: Mapping[EdgeKey, Past]
    pairs: Mapping[str, Pair]
    """By the names of their objects on either side, parents first."""


def tell(work: Work, run: Run) -> Story:
    """Read all that bears on undoing a run."""
    pairs = pairs_by_object(work.c.pairs.values())
    _claim_lost(work, run, pairs)
    written = [_entry(one) for one in work.c.store.journal.of_run(run.id)]
    every = [one for one in written if one.state != FORGOTTEN]
    entries = tuple(
        one for one in every if one.object in pairs or (one.object == CONTACT_ROLE and "deals" in pairs)
    )
    records = _read_records(work, entries, pairs)
    links = work.c.store.images.links_of(run.id)
    now = Now(
        records,
        roles=_read_roles(work, entries) if DEALS in work.c.pairs else {},
        contacts=_read_contacts(work, entries) if DEALS in work.c.pairs else {},
        ties=_read_ties(work, entries, records),
        strangers=_read_strangers(work, entries, records, pairs),
        blanked=_find_blanked(work, run),
        known=_find_known(work, entries, records, pairs),
        replaced=(replaced := _find_replaced(work, entries, links, pairs)),
        remade=(remade := _find_remade(work, run, replaced)),
        aliases=_find_aliases(work, entries, remade, pairs),
        new_links=frozenset(id_ for id_, one in links.items() if not _was_live(one) and _is_live(one)),
        unsettled=frozenset(
            id_ for id_, one in links.items() if not _was_live(one) and one.now == one.after and _is_live(one)
        ),
    )
    return Story(
        run,
        entries,
        len(every) - len(entries),
        len(written) - len(every),
        replace(now, labelled=_describe_labels(work, now)),
        links,
        work.c.store.images.edges_of(run.id),
        pairs,
    )


def _was_live(past: Past) -> bool:
    return past.before is not None and past.before["state"] in LIVE


def _is_live(past: Past) -> bool:
    return past.now is not None and past.now["state"] in LIVE


def _entry(row: Mapping[str, object]) -> Entry:
    changes = tuple(Change(**one) for one in row["changes"])  # type: ignore[attr-defined]  # JSON, as it was written
    return Entry(
        number=int(str(row["number"])),
        state=str(row["state"]),
        verb=str(row["verb"]),
        side=Side(str(row["side"])),
        object=str(row["object"]),
        record_id=_text(row["record_id"]),
        link_id=row["link"],  # type: ignore[arg-type]  # a number, or none
        made=_text(row["made"]),
        changes=changes,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _claim_lost(work: Work, run: Run, pairs: Mapping[str, Pair]) -> None:
    """Creations of a run that died, whose answers were lost: who names its source comes of them."""
    store = work.c.store
    lost = [
        one
        for one in store.journal.of_run(run.id)
        if one["verb"] == "create" and one["state"] == "intended" and one["object"] in pairs and one["link"]
    ]
    for (side, name), some in _by_place(lost).items():
        pair = pairs[name]
        links = store.links.load(int(str(one["link"])) for one in some)
        pending = {
            id_: link.id
            for link in links.values()
            if link.state is LinkState.PENDING and (id_ := link.id_of(side.other))
        }
        found = work.c.crm(side).find(name, sorted(pending), work.world.wanted(pair, side)) if pending else {}
        for source, record in found.items():
            if record.present and source in pending:
                store.journal.claim(pending[source], side, record.id)


def _by_place(rows: Iterable[Mapping[str, object]]) -> dict[tuple[Side, str], list[Mapping[str, object]]]:
    found: dict[tuple[Side, str], list[Mapping[str, object]]] = {}
    for one in rows:
        found.setdefault((Side(str(one["side"])), str(one["object"])), []).append(one)
    return found


# --- reading ----------------------------------------------------------------------------------------------


def _read_records(work: Work, entries: Sequence[Entry], pairs: Mapping[str, Pair]) -> dict[Key, Record]:
    ids: dict[tuple[Side, str], dict[str, None]] = {}
    for one in entries:
        if one.verb in {"create", "update", "delete"} and one.record_id:
            ids.setdefault((one.side, one.object), {})[one.record_id] = None
        if one.verb in {"connect", "disconnect"} and CONTACTS in work.c.pairs:
            for pair, id_ in ((work.c.pairs[DEALS], one.record_id), (work.c.pairs[CONTACTS], one.contact)):
                if id_:
                    ids.setdefault((one.side, pair.object(one.side)), {})[id_] = None
    return _read_keys(work, [(*place, id_) for place, some in ids.items() for id_ in some], pairs)


def _read_keys(work: Work, keys: Iterable[Key], pairs: Mapping[str, Pair]) -> dict[Key, Record]:
    ids: dict[tuple[Side, str], dict[str, None]] = {}
    for side, object_, id_ in keys:
        ids.setdefault((side, object_), {})[id_] = None
    found: dict[Key, Record] = {}
    for (side, object_), some in ids.items():
        pair = pairs[object_]
        for start in range(0, len(some), CHUNK):
            read = work.c.crm(side).read(object_, list(some)[start : start + CHUNK], work.world.wanted(pair, side))
            take_in(work.c, pair, list(read.values()))
            found |= {(side, object_, id_): one for id_, one in read.items()}
            work.progress(len(read))
    return found


def _deals_of(entries: Sequence[Entry], work: Work, side: Side) -> list[str]:
    """The opportunities or deals whose contacts an undo may change."""
    object_ = work.c.pairs[DEALS].object(side)
    roles = [one for one in entries if one.side is side and one.verb in {"connect", "disconnect", "name"}]
    ids: list[str | None] = [one.record_id for one in roles if one.verb != "name" or side is Side.HUBSPOT]
    ids += [one.record_id for one in entries if one.key[:2] == (side, object_) and one.verb == "create"]
    named = work.c.store.links.load(one.link_id for one in roles if one.link_id is not None)
    ids += [link.id_of(side) for link in named.values()]
    return sorted({one for one in ids if one})


def _read_roles(work: Work, entries: Sequence[Entry]) -> dict[str, ContactRole]:
    opportunities = _deals_of(entries, work, Side.SALESFORCE)
    return work.c.salesforce.roles_of(opportunities) if opportunities else {}


def _read_contacts(work: Work, entries: Sequence[Entry]) -> dict[str, dict[str, frozenset[int]]]:
    deals = _deals_of(entries, work, Side.HUBSPOT)
    return work.c.hubspot.deal_contacts(deals) if deals else {}


def _describe_labels(work: Work, now: Now) -> dict[tuple[str, str], Fields]:
    naming = find_naming(work) if DEALS in work.c.pairs else None
    if naming is None:
        return {}
    return {
        (deal, who): naming.describe_labels(types)
        for deal, some in now.contacts.items()
        for who, types in some.items()
    }


def _created(entries: Sequence[Entry], records: Mapping[Key, Record]) -> dict[tuple[Side, str], list[str]]:
    """The records that the run created and that are there, by side and object."""
    found: dict[tuple[Side, str], list[str]] = {}
    for one in entries:
        if one.verb == "create" and one.record_id and (record := records.get(one.key)) and record.present:
            found.setdefault((one.side, one.object), []).append(one.record_id)
    return found


def _read_ties(
    work: Work, entries: Sequence[Entry], records: Mapping[Key, Record]
) -> dict[Key, Collection[tuple[str, str]]]:
    return {
        (side, object_, id_): ties
        for (side, object_), ids in _created(entries, records).items()
        for id_, ties in work.c.crm(side).find_ties(object_, ids).items()
    }


def _read_strangers(
    work: Work, entries: Sequence[Entry], records: Mapping[Key, Record], pairs: Mapping[str, Pair]
) -> dict[Key, tuple[str, str]]:
    return {
        (side, object_, id_): (touch.who, touch.at)
        for (side, object_), ids in _created(entries, records).items()
        for id_, touch in work.c.crm(side)
        .find_strangers(object_, ids, work.world.wanted(pairs[object_], side))
        .items()
    }


# --- what the store knows ---------------------------------------------------------------------------------


def _find_blanked(work: Work, run: Run) -> frozenset[tuple[Side, str, str, str]]:
    """What an earlier try at undoing cleared by one request, and may not have come to set by the next (law 11)."""
    return frozenset(
        (Side(one["side"]), one["object"], one["record_id"], change["field"])
        for earlier in work.c.store.runs.undoing(run.id)
        for one in work.c.store.journal.of_run(earlier.id)
        if one["verb"] == "update" and one["state"] != "done" and one["record_id"]
        for change in one["changes"]
        if change["field"] in _IN_TWO_REQUESTS and change["old"] and change["new"]
    )


def _find_known(
    work: Work, entries: Sequence[Entry], records: Mapping[Key, Record], pairs: Mapping[str, Pair]
) -> dict[int, dict[str, list[Value]]]:
    """Of links with hidden values: what both records, and both sides of the base, have in the same fields (G3)."""
    hidden = {
        one.link_id: one
        for one in entries
        if one.link_id is not None and any(isinstance(each.old, Hidden) for each in one.changes)
    }
    links = work.c.store.links.load(id_ for id_ in hidden if id_ is not None)
    partners = {
        (one.side.other, pairs[one.object].object(one.side.other), id_)
        for link_id, one in hidden.items()
        if link_id in links and (id_ := links[link_id].id_of(one.side.other))
    }
    records = {**_read_keys(work, sorted(partners - records.keys()), pairs), **records}
    found: dict[int, dict[str, list[Value]]] = {}
    for link in links.values():
        pair = pairs[hidden[link.id].object]
        seen: dict[Side, list[Fields]] = {
            Side.SALESFORCE: [link.base.salesforce],
            Side.HUBSPOT: [link.base.hubspot],
        }
        for side in Side:
            id_ = link.id_of(side) or ""
            key = side, pair.object(side), id_
            seen[side] += [records[key].fields] if key in records else []
        for rule in pair.fields:
            for names in zip(*(rule.names(side) for side in Side), strict=True):
                values = [
                    one[name] for side, name in zip(Side, names, strict=True) for one in seen[side] if name in one
                ]
                found.setdefault(link.id, {}).update(dict.fromkeys(names, values))
    return found


def _find_replaced(
    work: Work, entries: Sequence[Entry], pasts: Mapping[int, Past], pairs: Mapping[str, Pair]
) -> dict[int, str]:
    """Of links of deleted records what took the place of that: in the same link, or in one that has its partner.

    Without an id: the partner has another link, and what comes of that is not this undo's business.
    """
    deleted = [one for one in entries if one.verb == "delete" and one.link_id is not None]
    links = work.c.store.links.load(one.link_id for one in deleted if one.link_id is not None)
    found: dict[int, str] = {}
    partners: dict[tuple[Side, str], dict[str, int]] = {}
    for one in deleted:
        link, past = links.get(one.link_id or 0), pasts.get(one.link_id or 0)
        if link is not None and link.state in {LinkState.LINKED, LinkState.FROZEN}:
            other = link.id_of(one.side)
            if other and other != one.record_id:
                found[link.id] = other
        if link is not None and past is not None and past.before is not None:
            partner = past.before[f"{one.side.other.value}_id"]
            partners.setdefault((one.side, one.object), {})[str(partner or "")] = link.id
    for (side, object_), mine in partners.items():
        for partner, holder in work.c.store.links.by_ids(pairs[object_].name, side.other, mine).items():
            if holder.id != mine[partner]:
                found[mine[partner]] = holder.id_of(side) or ""
    return found


def _find_remade(work: Work, run: Run, replaced: Mapping[int, str]) -> dict[int, str]:
    """Of replaced records those that an earlier try at undoing this run made anew."""
    made = {
        (one["link"], one["record_id"])
        for earlier in work.c.store.runs.undoing(run.id)
        for one in work.c.store.journal.of_run(earlier.id)
        if one["verb"] == "create" and one["state"] == "done"
    }
    return {link_id: new_id for link_id, new_id in replaced.items() if (link_id, new_id) in made}


def _find_aliases(
    work: Work, entries: Sequence[Entry], remade: Mapping[int, str], pairs: Mapping[str, Pair]
) -> dict[tuple[Side, str, str, Value], str]:
    """The new ids of records made anew by an earlier try, for the fields that held the old ones."""
    ids = {one.key: remade.get(one.link_id or 0, "") for one in entries if one.verb == "delete"}
    found: dict[tuple[Side, str, str, Value], str] = {}
    for one in entries if ids else ():
        if one.verb != "update" or one.object not in pairs:
            continue
        pair = pairs[one.object]
        objects = {pair.partner_field.get(one.side): (one.side.other, pair.object(one.side.other))}
        for rule in pair.fields:
            if isinstance(rule.transform, Reference) and rule.transform.pair in work.c.pairs:
                referred = work.c.pairs[rule.transform.pair]
                objects |= {name: (one.side, referred.object(one.side)) for name in rule.names(one.side)}
        for change in one.changes:
            if change.field in objects and (new := ids.get((*objects[change.field], str(change.old)))):
                found[one.side, one.object, change.field, change.old] = new
    return found


def name_those(work: Work, left: Sequence[Left], pairs: Mapping[str, Pair]) -> list[Left]:
    """The same, with who moved them on and when, as far as the CRMs tell."""
    asked: dict[tuple[Side, str], dict[str, list[str]]] = {}
    for one in left:
        if one.field and one.object in pairs and not one.who:
            by_id = asked.setdefault((one.side, one.object), {})
            by_id.setdefault(one.record_id, []).extend(one.field.split("+"))
    told = {
        (side, object_): work.c.crm(side).last_touches(object_, by_id) for (side, object_), by_id in asked.items()
    }
    named = []
    for one in left:
        touches = told.get((one.side, one.object), {})
        touch = max(
            (found for name in one.field.split("+") if (found := touches.get((one.record_id, name)))),
            key=lambda each: each.at,
            default=None,
        )
        named.append(replace(one, who=touch.who, when=touch.at) if touch else one)
    return named
