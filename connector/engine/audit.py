"""What has drifted that no trigger told? Linked records are read again and held against what was seen (X4).

    1  observe    as a run would, so that what is merely due is no drift
    2  look       both records of some links, their contacts, or of all of them and of what was never seen
    3  compare    with what was seen last: `core.audit` says of what kind each difference is
    4  plan       what a sync of just these records would write now: the repair

All of it happens in a store that forgets it afterwards; neither CRM is written to. A sample goes on where the last
one ended, so that repeated audits come round to everything. The repair is a plan like any other: it is applied by
`connector apply`, which reads these records again first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from connector.adapters.base import Wanted
from connector.core.audit import Drift, Kind, Share, Write, compare
from connector.core.model import Link, Pair, Record, Side, Value
from connector.core.rollups import RULES as ROLLUPS
from connector.engine.derive import derive
from connector.engine.frame import usable
from connector.engine.hands import PretendedHands
from connector.engine.held import make_gates
from connector.engine.observe import observe, observe_deals, observe_roles, take_in
from connector.engine.report import Report, Written, describe_write
from connector.engine.windows import apply_pair
from connector.engine.work import Work
from connector.engine.world import CONTACTS, DEALS, Connection, World, get_to_know

PAGE = 1000
SAMPLE = 500
"""Links of each pair that an audit looks at unless it is told otherwise."""

_TURN = "audit/"
"""Under which name the store remembers the last link of a pair that was looked at."""

_CALLS_EACH = 3 / 100
"""HubSpot calls for one link: a hundred records a call, and the contacts and companies of a thousand deals."""


@dataclass(frozen=True, slots=True)
class AuditWish:
    """How much to look at: so many links of each pair, or all; at most so many calls of each side; which pairs."""

    sample: int = SAMPLE
    everything: bool = False
    calls: int | None = None
    pairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Differing:
    """A rollup that HubSpot computes itself and that says something else than the connector's (U7). No drift."""

    object: str
    record_id: str
    property: str
    hubspot: Value
    ours: Value


@dataclass
class Audit:
    """What was found. `shares` are by pair; `repair` is the plan that puts it right, for `records`."""

    shares: dict[str, Share] = field(default_factory=dict)
    drifts: list[Drift] = field(default_factory=list)
    differing: list[Differing] = field(default_factory=list)
    records: tuple[str, ...] = ()
    """The ids of what has drifted, as `--record` takes them."""
    due: int = 0
    """Records that the next sync looks at anyway; they are no drift."""
    repair: Report = field(default_factory=Report)

    def as_json(self) -> dict[str, Any]:
        """The documented shape of `connector audit --json`, version 1."""
        return {
            "version": 1,
            "drift": {
                pair: {
                    "drifted": one.drifted,
                    "looked_at": one.looked_at,
                    "all": one.all,
                    "rate": round(one.rate, 6),
                    "between": [round(bound, 6) for bound in one.bounds],
                }
                for pair, one in self.shares.items()
            },
            "kinds": dict(Counter(str(one.kind) for one in self.drifts)),
            "found": [asdict(one) | {"side": one.side.value, "kind": str(one.kind)} for one in self.drifts],
            "hubspot_rollups": [asdict(one) for one in self.differing],
            "due": self.due,
            "records": list(self.records),
            "repair": [describe_write(one) for one in self.repair.actions],
            "api_calls": {side.value: self.repair.calls[side] for side in Side},
            "price": {side.value: self.repair.price[side] for side in Side},
        }


def audit(
    c: Connection, wish: AuditWish | None = None, progress: Callable[[str, int], None] = lambda *_: None
) -> Audit:
    """Look for drift. Reads both CRMs; writes to neither.

    Raises:
        Stop: the CRMs could not be read to the end; nothing is remembered of this audit then.
    """
    wish = wish or AuditWish()
    with c.store.runs.lease(), usable(c):
        world = get_to_know(c)
        found = Audit(repair=Report(keep_actions=True))
        turns: dict[str, int] = {}
        with c.store.pretending():
            report = found.repair
            report.run = c.store.runs.begin()
            observe(c, world, report.run, lambda number: progress("looking", number))
            found.due = c.store.records.count_dirty()
            looker = _Looker(c, world, found, lambda number: progress("auditing", number))
            for pair in _chosen(c, wish):
                turns[pair.name] = looker.look(pair, wish)
            _plan_repair(c, world, looker)
            looker.close()
            report.run = 0
        for name, last in turns.items():
            c.store.runs.remember(f"{_TURN}{name}", last)
        for side in Side:
            usage = c.crm(side).usage()
            found.repair.calls[side], found.repair.left[side] = usage.calls, usage.left
    return found


def _chosen(c: Connection, wish: AuditWish) -> list[Pair]:
    return [pair for pair in c.pairs.values() if not wish.pairs or pair.name in wish.pairs]


class _Looker:
    """Looks at links, and keeps what differs and what a repair has to look at."""

    def __init__(self, c: Connection, world: World, found: Audit, progress: Callable[[int], None]) -> None:
        self.c, self.world, self.found, self.progress = c, world, found, progress
        self.only: set[tuple[Side, str, str]] = set()
        self._due = {
            (side, pair.object(side)): frozenset(c.store.records.dirty(side, pair.object(side), "", 10**9))
            for pair in c.pairs.values()
            for side in Side
        }
        self._links: dict[tuple[Side, str, str], tuple[str, int]] = {}
        """The pair and link of each record that was looked at."""
        self._looked_at: Counter[str] = Counter()
        self._strangers: dict[tuple[Side, str, str], str] = {}

    def look(self, pair: Pair, wish: AuditWish) -> int:
        """Look at some links of a pair, or at all; returns the last one."""
        links = self.c.store.links
        last = int(self.c.store.runs.read(f"{_TURN}{pair.name}") or 0)
        start, left = (0, links.count(pair.name)) if wish.everything else (last, self._afford(pair, wish))
        wrapped = False
        while left > 0:
            some = [one for one in links.page(pair.name, start, min(left, PAGE)) if not wrapped or one.id <= last]
            if not some:
                if wrapped or start == 0:
                    break
                start, wrapped = 0, True
                continue
            self._look_at(pair, [one for one in some if not self._is_due(pair, one)])
            start, left = some[-1].id, left - len(some)
        if wish.everything:
            self._look_for_strangers(pair)
        return start

    def _is_due(self, pair: Pair, link: Link) -> bool:
        """Whether the next sync looks at either record anyway."""
        return any(link.id_of(side) in self._due[side, pair.object(side)] for side in Side)

    def _afford(self, pair: Pair, wish: AuditWish) -> int:
        """How many links may be looked at: HubSpot's calls are what it takes."""
        number = min(wish.sample, self.c.store.links.count(pair.name))
        if wish.calls is None:
            return number
        return min(number, int(wish.calls / len(_chosen(self.c, wish)) / _CALLS_EACH))

    def _look_at(self, pair: Pair, links: Sequence[Link]) -> None:
        store = self.c.store
        self._looked_at[pair.name] += len(links)
        for side in Side:
            object_ = pair.object(side)
            ids = [id_ for one in links if (id_ := one.id_of(side))]
            now = self.c.crm(side).read(object_, ids, self._wanted(pair, side))
            self._compare(pair, side, list(now.values()))
            take_in(self.c, pair, list(now.values()))
            store.records.mark(side, object_, ids)
            self.only |= {(side, object_, id_) for id_ in ids}
            self._links |= {(side, object_, id_): (pair.name, one.id) for one in links if (id_ := one.id_of(side))}
        if pair.name == DEALS:
            self._look_at_contacts(pair, links)
        store.links.derive(one.id for one in links)
        self.progress(len(links))

    def _wanted(self, pair: Pair, side: Side) -> Wanted:
        """Besides what a run reads, the rollups that HubSpot computes itself."""
        wanted = self.world.wanted(pair, side)
        own = self._own_rollups(pair) if side is Side.HUBSPOT else {}
        return replace(wanted, fields=tuple(dict.fromkeys([*wanted.fields, *own])))

    def _own_rollups(self, pair: Pair) -> Mapping[str, str]:
        """Of the rollups that HubSpot computes too: its property, and ours."""
        known = self.world.properties.get(pair.hubspot, {})
        targets = self.world.rollup_targets(pair.hubspot) if pair.name != DEALS else {}
        return {name: ours for name, ours in targets.items() if name in ROLLUPS and ours != name and name in known}

    def _compare(self, pair: Pair, side: Side, records: Iterable[Record]) -> None:
        store, object_ = self.c.store, pair.object(side)
        by_id = {one.id: one for one in records}
        seen = store.records.load(side, object_, by_id)
        formulas = self._formulas(object_) if side is Side.SALESFORCE else frozenset[str]()
        for id_, now in by_id.items():
            differs = compare(seen.get(id_), now, formulas, {})
            if names := [one.field for one in differs if one.field]:
                differs = compare(seen.get(id_), now, formulas, self._written(side, object_, id_, names))
            self.found.drifts += differs
            if side is Side.HUBSPOT and now.present:
                self._compare_rollups(pair, now)

    def _written(self, side: Side, object_: str, id_: str, names: Sequence[str]) -> dict[str, Write]:
        """What was last written to these fields of a record, and since when they have their values."""
        known = self.c.store.journal.last_written(side, object_, id_)
        ours = [name for name in names if name in known]
        edits = self.c.crm(side).last_edits(object_, {id_: ours}) if ours else {}
        return {name: Write(*known[name], edits.get((id_, name), "")) for name in ours}

    def _formulas(self, object_: str) -> frozenset[str]:
        fields = self.world.schema.objects.get(object_, {})
        return frozenset(name for name, one in fields.items() if one.get("calculated"))

    def _compare_rollups(self, pair: Pair, now: Record) -> None:
        for name, ours in self._own_rollups(pair).items():
            theirs, mine = now.fields.get(name), now.fields.get(ours)
            if not _same_number(theirs, mine):
                self.found.differing.append(Differing(pair.hubspot, now.id, name, theirs, mine))

    def _look_at_contacts(self, pair: Pair, links: Sequence[Link]) -> None:
        """The contacts of deals and the roles of opportunities, whose changes move no date (R3)."""
        store = self.c.store
        opportunities = [one.salesforce_id for one in links if one.salesforce_id]
        deals = [one.hubspot_id for one in links if one.hubspot_id]
        roles, contacts = store.records.roles_of(opportunities), store.records.associated_contacts(deals)
        if CONTACTS in self.c.pairs:
            observe_roles(self.c, opportunities)
        observe_deals(self.c, deals, self.found.repair.run)
        for side, before, after in (
            (Side.SALESFORCE, roles, store.records.roles_of(opportunities)),
            (Side.HUBSPOT, contacts, store.records.associated_contacts(deals)),
        ):
            object_ = pair.object(side)
            for id_ in sorted(before.keys() | after.keys()):
                then, now = before.get(id_, {}), after.get(id_, {})
                if then != now and (side, object_, id_) in self.only:
                    self.found.drifts.append(
                        Drift(side, object_, id_, Kind.CONTACTS, "contacts", _name(then), _name(now))
                    )

    def _look_for_strangers(self, pair: Pair) -> None:
        """Records in scope that no look has ever shown: all there are, page by page."""
        for side in Side:
            object_ = pair.object(side)
            for page in self.c.crm(side).changes({object_: self.world.wanted(pair, side)}, {}):
                ids = [one.id for one in page.records]
                known = self.c.store.records.load_versions(side, object_, ids)
                strangers = [one for one in page.records if one.id not in known and one.present]
                strangers = [one for one in strangers if pair.admits(side, one.fields)]
                self.found.drifts += [Drift(side, object_, one.id, Kind.NEVER_SEEN) for one in strangers]
                take_in(self.c, pair, strangers, late=True)
                keys = {(side, object_, one.id) for one in strangers}
                self.only |= keys
                self._strangers |= dict.fromkeys(keys, pair.name)
                self.progress(len(ids))

    def close(self) -> None:
        """Count what drifted, and name what a repair has to look at."""
        told = {(one.side, one.object, one.record_id) for one in self.found.drifts}
        for write in self.found.repair.actions:
            key = _record_of(write)
            if not self._pair_drifted(key, told) and _source_of(write, self.c) not in told:
                told.add(key)
                self.found.drifts += [
                    Drift(write.side, write.object, key[2], Kind.NOT_WRITTEN, one.field, one.old, one.new)
                    for one in write.changes
                ]
        drifted: dict[str, set[int]] = {}
        for key in told:
            if key in self._links:
                pair, link = self._links[key]
                drifted.setdefault(pair, set()).add(link)
        for pair, number in self._looked_at.items():
            some = len(drifted.get(pair, ()))
            self.found.shares[pair] = Share(some, number, max(number, self.c.store.links.count(pair)))
        self.found.records = tuple(sorted(_name_record(self.c, key) for key in told))

    def _pair_drifted(self, key: tuple[Side, str, str], told: set[tuple[Side, str, str]]) -> bool:
        """Whether this record or its partner has been told of already: then the write is the repair of that."""
        own = self._links.get(key)
        return key in told or (own is not None and any(self._links.get(one) == own for one in told))


def _plan_repair(c: Connection, world: World, looker: _Looker) -> None:
    """What a sync of what was looked at would write now, with its price."""
    report = looker.found.repair
    hands = PretendedHands(c.salesforce, c.hubspot)
    work = Work(c, world, hands, report, frozenset(looker.only), gates=make_gates(c))
    for pair in c.pairs.values():
        apply_pair(work, pair)
    derive(work, list(c.pairs))
    mine = [one for one in report.actions if _record_of(one) in looker.only or _source_of(one, c) in looker.only]
    report.actions = mine
    report.price = hands.price


def _record_of(write: Written) -> tuple[Side, str, str]:
    """The record that a write is about; of a contact of a deal, the deal."""
    object_ = "Opportunity" if write.object == "OpportunityContactRole" else write.object
    return write.side, object_, write.record or ""


def _source_of(write: Written, c: Connection) -> tuple[Side, str, str]:
    """The record that a creation or a deletion is made for."""
    pair = next((one for one in c.pairs.values() if one.object(write.side) == write.object), None)
    return write.side.other, pair.object(write.side.other) if pair else "", write.of


def _name_record(c: Connection, key: tuple[Side, str, str]) -> str:
    """An id as `--record` takes it."""
    side, object_, id_ = key
    pair = next(one for one in c.pairs.values() if one.object(side) == object_)
    return id_ if side is Side.SALESFORCE else f"{pair.name.rpartition('-')[2]}:{id_}"


def _name(contacts: Mapping[str, Any]) -> Value:
    return ", ".join(sorted(str(getattr(one, "contact", id_)) for id_, one in contacts.items())) or None


def _same_number(one: Value, other: Value) -> bool:
    """Whether HubSpot and the connector say the same, as numbers or times; nothing is none, or zero."""
    first, second = (str(value or "0") for value in (one, other))
    try:
        return float(first) == float(second)
    except ValueError:
        return first[:19] == second[:19]
