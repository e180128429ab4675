"""Look at both CRMs, and put what changed into the store: each page and its cursor in one transaction.

What no change date tells is looked at in turn:

* Adding or removing a deal's contact moves no date in HubSpot. So each run reads the contacts and the
  company of the deals that changed and, up to `associations_per_run`, of those unread for longest: two
  calls per 1,000 deals. A portal with fewer synced deals than that is read anew in every run.
* A deletion in HubSpot shows in no search. Every `sweep_hours` the archived records are listed; before
  that, a write that meets an archived record finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connector.adapters.base import Page, Wanted
from connector.adapters.hubspot import PRIMARY_COMPANY, READ_ASSOCIATIONS
from connector.adapters.salesforce_deletion import ROLE
from connector.core.model import KeyValue, Pair, Record, Side
from connector.engine.witnesses import Witnesses, hear_all, since_of
from connector.engine.world import COMPANIES, CONTACTS, DEALS, Connection, World
from connector.store.links import CONTACT_COMPANY

SWEEP, BEGUN = "sweep", "begun"
CHUNK = 1000


@dataclass
class Seen:
    """What an observation brought: the number of changed records by object, and the deals to look into."""

    changed: dict[str, int] = field(default_factory=dict)
    deals: set[str] = field(default_factory=set)
    unknown: dict[str, set[str]] = field(default_factory=dict)
    """Salesforce ids that HubSpot records store and that were never seen, by pair."""
    existing_deals: int = 0
    """Deals that were in an assigned pipeline before; they wait for a trigger (P4)."""


def observe(c: Connection, world: World, run_id: int, progress: Callable[[int], None] = lambda _: None) -> Seen:
    """Take in everything that changed on both sides since the last look."""
    seen = Seen()
    renew_keys(c)
    observe_side(c, world, Side.SALESFORCE, seen, progress)
    observe_side(c, world, Side.HUBSPOT, seen, progress)
    _look_for_named(c, world, seen)
    if DEALS in c.pairs:
        _observe_associations(c, world, seen, run_id)
    if is_sweep_due(c):
        sweep(c, world)
    # Not yet begun is also what a first look leaves that was cut short.
    begun = c.store.runs.read(BEGUN) or _begin_quietly(c)
    if c.store.runs.last() is None:  # nothing but plans so far: the first run says it too
        seen.existing_deals = int(begun["existing_deals"])
    if not c.is_scarce:
        with c.store.transaction():
            c.store.records.mark_due(c.now().isoformat())
    return seen


def observe_side(
    c: Connection,
    world: World,
    side: Side,
    seen: Seen,
    progress: Callable[[int], None],
    among: Iterable[Pair] | None = None,
) -> None:
    """Take in what changed on one side, of all pairs or only `among` some.

    Raises:
        Unreachable: the CRM was put back to an earlier state (`witnesses.py`).
    """
    crm = c.salesforce if side is Side.SALESFORCE else c.hubspot
    pairs = {pair.object(side): pair for pair in (c.pairs.values() if among is None else among)}
    wanted = {name: world.wanted(pair, side) for name, pair in pairs.items()}
    streams = [f"{side}/{name}" for name in wanted]
    if side is Side.SALESFORCE:
        if c.pairs.keys() >= {DEALS, CONTACTS} and (among is None or c.pairs[DEALS] in pairs.values()):
            wanted[ROLE] = Wanted(())  # the adapter knows what there is to know of a role
        streams = [f"{side}/{name}{part}" for name in wanted for part in ("", "/deleted")]
    cursors = {stream: c.store.runs.read(stream) for stream in streams}
    witnesses = {name: Witnesses(c.store, side, name, since_of(cursors[f"{side}/{name}"])) for name in pairs}
    wanted |= {name: replace(wanted[name], also=one.asked) for name, one in witnesses.items()}
    for shown in crm.changes(wanted, cursors):
        page, witness = shown, witnesses.get(shown.object)
        with c.store.transaction():
            if witness is not None:
                witness.hear(shown.records)
                page = replace(shown, records=witness.without_asked(shown.records))
            _take_in(c, page, pairs.get(page.object), side, seen)
        progress(len(page.records) + len(page.roles))
    hear_all(witnesses.values(), crm)


def _take_in(c: Connection, page: Page, pair: Pair | None, side: Side, seen: Seen) -> None:
    if pair is not None and page.records:
        changed = c.store.records.observe(page.records, find_keys(c, pair, page.records))
        seen.changed[page.object] = seen.changed.get(page.object, 0) + len(changed)
        if side is Side.HUBSPOT:
            _note_unknown(c, pair, page.records, set(changed), seen)
        if pair.name == DEALS and side is Side.HUBSPOT:
            seen.deals.update(changed)
        if side is Side.HUBSPOT:
            _derive_anew(c, pair, changed)
    if page.roles or page.roles_gone:
        touched = c.store.records.observe_roles(page.roles, page.roles_gone)
        c.store.records.mark(Side.SALESFORCE, c.pairs[DEALS].salesforce, touched)
    for stream, value in page.cursors.items():
        c.store.runs.remember(stream, value)


def _note_unknown(c: Connection, pair: Pair, records: Iterable[Record], changed: set[str], seen: Seen) -> None:
    """Salesforce is looked at first: what HubSpot names and that look did not show is gone or out of sight."""
    named = {one.partner_id for one in records if one.present and one.partner_id and one.id in changed}
    known = c.store.records.load_versions(Side.SALESFORCE, pair.salesforce, named)
    if unknown := named - known.keys():
        seen.unknown.setdefault(pair.name, set()).update(unknown)


def _look_for_named(c: Connection, world: World, seen: Seen) -> None:
    """Learn into whom they were merged, which an empty store has never seen (A7). One call per 10,000, if any."""
    for name, ids in seen.unknown.items():
        observe_records(c, world, Side.SALESFORCE, c.pairs[name], sorted(ids))


def _derive_anew(c: Connection, pair: Pair, changed: Sequence[str]) -> None:
    """Who differs in HubSpot is added up anew, and a company's stage concerns its contacts (L5).

    What differs may be the rollups: by another hand, or by runs that an older store knows nothing of. And while a
    record was deleted, none were written (U6).
    """
    if pair.name not in {CONTACTS, COMPANIES}:
        return
    links = c.store.links
    found = [one.id for one in links.by_ids(pair.name, Side.HUBSPOT, changed).values()]
    links.derive(found)
    if pair.name == COMPANIES and c.settings.lifecycle.company_to_contacts:
        links.derive(links.children_of(CONTACT_COMPANY, *found))


def find_keys(c: Connection, pair: Pair, records: Iterable[Record]) -> dict[str, tuple[KeyValue, ...]]:
    """The values by which records are looked up: match keys (A2, A3), and the company of a contact (A1)."""
    return {one.id: (*pair.match_values(one), *_company_key(c, pair, one)) for one in records}


def _company_key(c: Connection, pair: Pair, record: Record) -> tuple[KeyValue, ...]:
    """Who works for a company is only asked before an account is made of it."""
    company = record.fields.get(PRIMARY_COMPANY)
    asked = COMPANIES in c.pairs and Side.SALESFORCE in c.pairs[COMPANIES].creates
    concerned = asked and pair.name == CONTACTS and record.side is Side.HUBSPOT and company
    return ((PRIMARY_COMPANY, str(company)),) if concerned else ()


def renew_keys(c: Connection) -> None:
    """Read the keys of all known records anew where the mapping takes other ones than those that are stored."""
    for pair in c.pairs.values():
        stream, asked = f"match keys/{pair.name}", _describe_keys(c, pair)
        if c.store.runs.read(stream) == asked:
            continue
        for side in Side:
            after = ""
            while some := c.store.records.page(side, pair.object(side), after, CHUNK):
                after = some[-1].id
                with c.store.transaction():
                    c.store.records.set_keys(side, pair.object(side), find_keys(c, pair, some))
        c.store.runs.remember(stream, asked)


def _describe_keys(c: Connection, pair: Pair) -> list[str]:
    staff = pair.name == CONTACTS and COMPANIES in c.pairs and Side.SALESFORCE in c.pairs[COMPANIES].creates
    return [key.name for key in pair.match_on] + ([PRIMARY_COMPANY] if staff else [])


def _observe_associations(c: Connection, world: World, seen: Seen, run_id: int) -> None:
    """The contacts and the primary company of changed deals, and of those unread for longest.

    New ones that a run had seen, and had not come so far to read them when it died, have not changed since.
    """
    pair = c.pairs[DEALS]
    concerned = [*seen.deals, *c.store.records.never_read(pair.hubspot)]
    changed = c.store.records.load(Side.HUBSPOT, pair.hubspot, concerned)
    ids = [one.id for one in changed.values() if one.present and syncs(world, one)]
    spare = max(c.settings.hubspot.associations_per_run, -(-len(ids) // READ_ASSOCIATIONS) * READ_ASSOCIATIONS)
    unread = c.store.records.longest_unread(pair.hubspot, spare)
    ids = list(dict.fromkeys([*ids, *unread]))[: max(spare, len(ids))]
    for start in range(0, len(ids), READ_ASSOCIATIONS):
        observe_deals(c, ids[start : start + READ_ASSOCIATIONS], run_id)


def observe_deals(c: Connection, ids: Sequence[str], run_id: int) -> None:
    """Read the contacts and the primary companies of these deals; whatever differs makes the deal dirty."""
    pair = c.pairs[DEALS]
    contacts = c.hubspot.deal_contacts(ids) if CONTACTS in c.pairs else {}
    companies = c.hubspot.primary_companies(ids) if COMPANIES in c.pairs else None
    known = c.store.records.load(Side.HUBSPOT, pair.hubspot, ids)
    with c.store.transaction():
        changed = c.store.records.observe_associations(pair.hubspot, contacts, run_id) if contacts else set()
        if companies is not None:
            moved = {
                id_: {PRIMARY_COMPANY: companies.get(id_)}
                for id_, one in known.items()
                if PRIMARY_COMPANY not in one.fields or one.fields[PRIMARY_COMPANY] != companies.get(id_)
            }
            c.store.records.overwrite(Side.HUBSPOT, pair.hubspot, moved)
            changed |= set(moved)
        c.store.records.mark(Side.HUBSPOT, pair.hubspot, changed)


def observe_roles(c: Connection, opportunities: Sequence[str]) -> None:
    """Read the contact roles of these opportunities, now; those that are gone make them dirty too."""
    pair, records = c.pairs[DEALS], c.store.records
    fresh = c.salesforce.roles_of(opportunities)
    known = {id_ for some in records.roles_of(opportunities).values() for id_ in some}
    with c.store.transaction():
        touched = records.observe_roles(fresh, known - fresh.keys())
        records.mark(Side.SALESFORCE, pair.salesforce, touched)


def syncs(world: World, deal: Record) -> bool:
    """Whether a deal is in a synced pipeline (O5, O6)."""
    pipeline = deal.fields.get("pipeline")
    return world.stages.syncs(str(pipeline) if pipeline else None)


def has_begun(c: Connection) -> bool:
    """Whether there was a first look, so that the store knows all records of both sides."""
    return c.store.runs.read(BEGUN) is not None


def is_sweep_due(c: Connection) -> bool:
    last = c.store.runs.read(SWEEP)
    if last is None:
        return True
    age = c.now() - datetime.fromisoformat(last["at"])
    return not timedelta(0) <= age < timedelta(hours=c.settings.hubspot.sweep_hours)


def sweep_price(c: Connection) -> int:
    """API calls that the next sweep takes, going by the last one: one per 100 archived records and object."""
    last = c.store.runs.read(SWEEP)
    return int(last["calls"]) if last else len(c.pairs)


def sweep(c: Connection, world: World, among: Iterable[Pair] | None = None) -> None:
    """List what was archived in HubSpot (D2, D8), of all pairs or only `among` some."""
    calls = 0
    for pair in c.pairs.values() if among is None else among:
        for records in c.hubspot.archived(pair.hubspot, world.wanted(pair, Side.HUBSPOT)):
            calls += 1
            with c.store.transaction():
                c.store.records.observe(records, {})
    if among is None:
        c.store.runs.remember(SWEEP, {"at": c.now().isoformat(), "calls": calls})


def _begin_quietly(c: Connection) -> dict[str, int]:
    """Leave alone what the very first look does (P4); returns what is remembered of it."""
    with c.store.transaction():
        waiting: Sequence[str] = ()
        if c.settings.sync.first_sync == "triggers_only":
            for pair in c.pairs.values():
                for side in Side:
                    c.store.records.clear_all(side, pair.object(side))
        elif DEALS in c.pairs:
            pair = c.pairs[DEALS]
            waiting = _find_existing_deals(c, pair)
            c.store.records.mark(Side.HUBSPOT, pair.hubspot, waiting, dirty=False)
        begun = {"existing_deals": len(waiting)}
        c.store.runs.remember(BEGUN, begun)
    return begun


def _find_existing_deals(c: Connection, pair: Pair) -> list[str]:
    """The deals that were in an assigned pipeline before the connector came."""
    assigned = set(c.settings.pipelines.assigned.values())
    if not assigned:
        return []
    ids = c.store.records.dirty(Side.HUBSPOT, pair.hubspot, "", 10**9)
    deals = c.store.records.load(Side.HUBSPOT, pair.hubspot, ids).values()
    return [one.id for one in deals if one.fields.get("pipeline") in assigned and one.partner_id is None]


def observe_records(
    c: Connection, world: World, side: Side, pair: Pair, ids: Iterable[str], *, keep_deleted: bool = False
) -> dict[str, Record]:
    """Read single records again, now; what differs is dirty."""
    crm = c.salesforce if side is Side.SALESFORCE else c.hubspot
    found = crm.read(pair.object(side), list(ids), world.wanted(pair, side))
    take_in(c, pair, list(found.values()), keep_deleted=keep_deleted)
    return found


def take_in(
    c: Connection, pair: Pair, records: Sequence[Record], *, late: bool = False, keep_deleted: bool = False
) -> list[str]:
    """Put records of one side that were read for another reason into the store; returns those that differ.

    `late`: they come from a search or a list, which may be behind what is known. `keep_deleted`: that one was
    deleted is to be known, though it was never seen.
    """
    with c.store.transaction():
        keys = find_keys(c, pair, records)
        changed = c.store.records.observe(records, keys, late=late, keep_deleted=keep_deleted)
        if records and records[0].side is Side.HUBSPOT:
            _derive_anew(c, pair, changed)
    return changed
