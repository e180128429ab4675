"""An import from Salesforce, top to bottom.

    1 lease      as every run: one per connection at a time
    2 take up    the import that was cut short, or a new one; another one in between is refused
    3 look       at all of HubSpot that may match, and at all of Salesforce that may be the same
    4 read       what was selected, in portions, by the way that costs fewer calls
    5 apply      each portion through the ordinary windows; what it refers to comes before it
    6 derive     rollups and lifecycle stages
    7 report     what became of each record

Where it is, and what became of the records so far, is stored with every portion. A process that dies loses the
portion in hand: the next one reads it again, finds what was written already, and writes the rest.

What a match is can be told only where all is known that might be the same. So the first import of accounts or
contacts looks at all of them, whatever it selects; nothing of that is lost, since the next sync goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.adapters.base import Refusal, Wanted
from connector.adapters.salesforce_selections import Extract, price
from connector.core.actions import Adoption
from connector.core.model import Pair, Record, Side
from connector.engine.derive import derive
from connector.engine.fields import check_fields, learn_returned
from connector.engine.frame import concluded, count_all, keep_count, usable
from connector.engine.hands import Hands, PretendedHands, RealHands
from connector.engine.held import make_gates
from connector.engine.imports.looking import look_at_all, look_for_newcomers
from connector.engine.imports.outcomes import Outcome, tell_outcomes
from connector.engine.imports.reading import Reading, choose_way, read_portions
from connector.engine.imports.report import INTERRUPTED, ImportReport
from connector.engine.imports.selection import Selection
from connector.engine.needed import describe_needed, price_of
from connector.engine.observe import has_begun, observe_deals, observe_roles, take_in
from connector.engine.report import Report
from connector.engine.run import make_ready, settle_set_up
from connector.engine.scope import check_scope, learn_scope_fields
from connector.engine.suspension import check_mode
from connector.engine.undo import finish_undo
from connector.engine.windows import apply_pair
from connector.engine.work import Work
from connector.engine.world import COMPANIES, CONTACTS, DEALS, Connection, World, get_to_know
from connector.errors import BadConfiguration, Finding
from connector.store.imports import Row, Unfinished
from connector.store.links import LIVE_STATES
from connector.store.store import Store

SF, HS = Side.SALESFORCE, Side.HUBSPOT
INVOLVED = {COMPANIES: (COMPANIES,), CONTACTS: (COMPANIES, CONTACTS), DEALS: (COMPANIES, CONTACTS, DEALS)}
"""The pairs that an import of one has to look at: its own, and those that its records refer to."""
MOST_PULLED = 100_000
"""Parents kept in mind as looked at. One that is forgotten is looked at again, without a call."""
SWITCHES = {COMPANIES: ("companies", "P2"), CONTACTS: ("contacts", "P2"), DEALS: ("deals", "P1")}

Tell = Callable[[str, int, int | None], None]
"""Called with what is being done, how many more records of it are done, and of how many (None: not known)."""

Rows = Callable[[Iterable[Row]], None]


@dataclass
class _Import:
    """An import in hand."""

    c: Connection
    world: World
    pair: Pair
    selection: Selection
    told: ImportReport
    hands: Hands
    task: Unfinished
    tell: Tell
    runs: list[int]
    keep: Callable[[], None]
    """Notes the API calls made so far, and renews the lease; nothing while pretending."""
    pulled: set[tuple[str, Side, str]] = field(default_factory=set)
    brought: dict[str, int] = field(default_factory=dict)

    @property
    def extract(self) -> Extract:
        wanted = self.world.wanted(self.pair, SF)
        return Extract(self.pair.salesforce, wanted, self.selection.condition, self.selection.limit)


def import_records(
    c: Connection,
    selection: Selection | None,
    *,
    tell: Tell = lambda *_: None,
    rows: Rows = lambda _: None,
) -> ImportReport:
    """Import a selection, or go on with the one that was cut short (`selection` None, or the same one again).

    `rows` gets what became of each record, at the end.

    Raises:
        BadConfiguration: another import is unfinished, there is none to go on with, or Salesforce does not
            understand the condition. Nothing was written.
        Stop: the import could not be done, or not to its end; the next one goes on from there.
    """
    check_mode(c.settings)
    with c.store.runs.lease(), usable(c):
        finish_undo(c, keep_count(c, lambda *_: None))
        task = find_unfinished(c, selection.as_json() if selection else None)
        wanted = Selection.from_json(task.selection) if task else selection
        assert wanted is not None  # noqa: S101  # find_unfinished has just seen to it
        pair = check_switch(c, wanted.pair, wanted.what)
        told = ImportReport(Report(), wanted.as_json(), resumed=task is not None)
        told.selected = 0 if task or wanted.is_all else _count_selected(c, wanted, pair)
        told.report.run = c.store.runs.begin("import")
        with concluded(c, told.report):
            world = make_ready(c, told.report)
            task = task or c.store.imports.begin(wanted.as_json(), {"runs": [], "looked": False, "reading": None})
            told.number = task.id
            hands = RealHands(c.salesforce, c.hubspot)
            runs = [*task.progress["runs"], told.report.run]
            job = _Import(c, world, pair, wanted, told, hands, task, keep_calls(c, tell), runs, c.allocation.keep)
            _save(job, runs=runs)
            _look(job)
            _bring_in(job)
        told.counts = c.store.imports.counts(task.id) if task else []
        if told.status == INTERRUPTED:
            return told
        rows(c.store.imports.rows(task.id))  # if that fails, all the same is done: only this is left
        c.store.imports.finish(task.id)
    return told


def rehearse(
    c: Connection, selection: Selection, *, tell: Tell = lambda *_: None, rows: Rows = lambda _: None
) -> ImportReport:
    """What an import would do now, with its price. Reads both CRMs; writes to neither.

    What it looks at is remembered, so that the import need not look again.
    """
    began = time.monotonic()
    with c.store.runs.lease(), usable(c):
        pair = check_switch(c, selection.pair, selection.what)
        told = ImportReport(Report(), selection.as_json(), dry_run=True)
        told.selected = 0 if selection.is_all else _count_selected(c, selection, pair)
        world = get_to_know(c)
        told.report.made = describe_needed(world.needed)
        hands = PretendedHands(c.salesforce, c.hubspot)
        hands.price[HS] += price_of(world.needed)
        nothing = Unfinished(0, {}, {"looked": False, "reading": None, "runs": []}, "")
        job = _Import(c, world, pair, selection, told, hands, nothing, keep_calls(c, tell), [], c.allocation.keep)
        _look(job)
        job.tell, job.keep = tell, lambda: None  # what is noted while pretending is forgotten
        with c.store.pretending():
            told.report.run = c.store.runs.begin("import")
            job.runs = [told.report.run]
            job.task = c.store.imports.begin(selection.as_json(), job.task.progress)
            _bring_in(job)
            told.counts = c.store.imports.counts(job.task.id)
            rows(c.store.imports.rows(job.task.id))
            count_all(c, told.report)
        told.report.run = 0
        told.report.price = hands.price
        told.report.seconds = time.monotonic() - began
    return told


def abandon(store: Store) -> Unfinished | None:
    """Forget the import that was cut short; what it wrote stays. Returns it, None if there was none."""
    with store.runs.lease():
        task = store.imports.unfinished()
        if task is not None:
            store.imports.finish(task.id, "abandoned")
        return task


# --- may it begin? ----------------------------------------------------------------------------------------


def find_unfinished(c: Connection, selection: Mapping[str, Any] | None) -> Unfinished | None:
    """The import to go on with, if there is one.

    Raises:
        BadConfiguration: it is another one than `selection`; or there is none, and none was named.
    """
    task = c.store.imports.unfinished()
    if task is None and selection is None:
        finding = Finding("--resume", 0, "no import is unfinished", "begin one: connector import accounts")
        raise BadConfiguration([finding])
    if task is not None and selection is not None and task.selection != selection:
        what = describe_selection(task.selection)
        raise BadConfiguration(
            [
                Finding(
                    "connector import",
                    0,
                    f"another import is unfinished since {task.started[:16].replace('T', ' ')}: {what}",
                    "go on with it by `connector import --resume`,"
                    " or give it up by `connector import --abandon`: what it wrote stays",
                )
            ]
        )
    return task


def describe_selection(selection: Mapping[str, Any]) -> str:
    """A selection as it was typed, nearly."""
    if "file" in selection:
        return f"--from-csv {selection['file']} --object {selection['object']} --to {selection['to']}"
    options = [
        f"--{name} {selection[name]!r}" if name == "where" else f"--{name} {selection[name]}"
        for name in ("since", "until", "by", "where", "limit")
        if selection.get(name) and selection[name] != "created"
    ]
    return " ".join([str(selection["what"]), *options])


def check_switch(c: Connection, name: str, what: str) -> Pair:
    """An import of what is switched off imports nothing, and says why (P1, P2)."""
    if name not in c.pairs:
        switch, rule = SWITCHES[name]
        message = f"the sync of {switch} is switched off, so no {what} are imported ({rule})"
        raise BadConfiguration([Finding(f"sync.{switch}", 0, message, f"set `sync.{switch}: true` first")])
    return c.pairs[name]


def _count_selected(c: Connection, selection: Selection, pair: Pair) -> int:
    """How many records are meant; Salesforce looks at the condition before anything is begun. One call."""
    extract = Extract(pair.salesforce, Wanted(()), selection.condition, selection.limit)
    found = c.salesforce.selections().count({"selected": extract})["selected"]
    if isinstance(found, Refusal):
        raise BadConfiguration([_explain(selection, pair, found)])
    return found


def _explain(selection: Selection, pair: Pair, refusal: Refusal) -> Finding:
    """What Salesforce has against a condition, in plain words and then in its own."""
    plain = {
        "INVALID_FIELD": f"names a field that {pair.salesforce} lacks, or compares it in a way it cannot be",
        "MALFORMED_QUERY": "is not a condition that Salesforce can read",
        "INVALID_QUERY_FILTER_OPERATOR": "compares a field in a way that its type does not allow",
        "INVALID_TYPE": "names an object that is not there, or is out of the connector's sight",
        "QUERY_TOO_COMPLICATED": "is too complicated for Salesforce",
    }.get(refusal.code, "is refused by Salesforce")
    remedy = "text goes in single quotes, dates without any, such as CloseDate > 2026-01-31"
    place = "--where" if selection.where else "--since"
    return Finding(place, 0, f"{plain} ({refusal.code}: {refusal.message})", remedy)


# --- looking ----------------------------------------------------------------------------------------------


def keep_calls(c: Connection, tell: Tell) -> Tell:
    """Beside telling of progress, note the API calls made so far (E3)."""
    count = keep_count(c, lambda *_: None)

    def told(what: str, number: int, total: int | None) -> None:
        count(what, number)
        tell(what, number, total)

    return told


def _look(job: _Import) -> None:
    c, world, told = job.c, job.world, job.told
    check_fields(c, world)
    check_scope(c, world)
    learn_returned(c, world, lambda number: job.tell("looking", number, None))
    learn_scope_fields(c, lambda number: job.tell("looking", number, None))
    pairs = [c.pairs[name] for name in INVOLVED[job.pair.name] if name in c.pairs]
    if job.pair.name != COMPANIES and COMPANIES not in c.pairs:
        told.report.notes.append(
            f"the sync of companies is switched off: {job.selection.what} come without their company (P2)"
        )
    if job.pair.name == DEALS and CONTACTS not in c.pairs:
        told.report.notes.append("the sync of contacts is switched off: deals come without contacts")
    if job.task.progress["looked"]:
        look_for_newcomers(c, world, pairs, job.tell)
        return
    look_at_all(c, world, pairs, told.report.run, job.tell)
    _save(job, looked=True)


# --- reading and applying ---------------------------------------------------------------------------------


def _bring_in(job: _Import) -> None:
    c, told = job.c, job.told
    work = Work(c, job.world, job.hands, told.report, gates=make_gates(c))
    settle_set_up(work)
    reading = _begin_reading(job)
    told.selected, told.way = reading.total, reading.way
    told.ways = {"known": 0} if reading.way == "known" else price(reading.total)
    job.tell("importing", reading.done, reading.total)
    if not reading.over:
        for records, following in read_portions(c, job.extract, reading, job.keep):
            _take_portion(job, records, following)
            job.tell("importing", len(records), reading.total)
    for number, name in ((job.brought.get(name, 0), name) for name in INVOLVED[job.pair.name]):
        if number and name != job.pair.name:
            what = {COMPANIES: "account(s)", CONTACTS: "contact(s)"}[name]
            told.report.notes.append(f"{number:,} {what} came first, because {job.selection.what} name them (P2)")
    derive(Work(c, job.world, job.hands, told.report, gates=make_gates(c)), list(c.pairs))


def _begin_reading(job: _Import) -> Reading:
    """How the selection is read: as it was begun, or by the way that costs fewer calls."""
    if job.task.progress["reading"]:
        return Reading.from_json(job.task.progress["reading"])
    c, object_ = job.c, job.pair.salesforce
    if job.selection.is_all and c.store.runs.read(f"{SF.value}/{object_}") is not None:
        reading = Reading("known", c.store.records.count(SF, object_))
    else:
        number = job.told.selected or _count_selected(c, job.selection, job.pair)
        reading = Reading(choose_way(number), number, over=not number)
    _save(job, reading=reading.as_json())
    return reading


def _take_portion(job: _Import, records: Sequence[Record], following: Reading) -> None:
    """Bring some records over, then note what became of them together with where to go on."""
    c, pair, store = job.c, job.pair, job.c.store
    ids = [one.id for one in records]
    if ids:
        if following.way != "known":
            take_in(c, pair, list(records))
        store.records.mark(SF, pair.salesforce, ids)
        if pair.name == DEALS:
            _look_at_associations(job, ids)
        work = Work(
            c,
            job.world,
            job.hands,
            job.told.report,
            frozenset((SF, pair.salesforce, id_) for id_ in ids),
            gates=make_gates(c),
        )
        work.progress = lambda _: job.keep()
        work.pulled, before = job.pulled, set(job.pulled)
        work.on_match = lambda adoption: _note_match(job, adoption)
        apply_pair(work, pair)
        parents = job.pulled - before
        rows = tell_outcomes(c, pair, job.task.id, job.runs, ids)
        for name in {name for name, side, _ in parents if side is SF}:
            some = sorted(id_ for of, side, id_ in parents if (of, side) == (name, SF))
            mine = tell_outcomes(c, c.pairs[name], job.task.id, job.runs, some)
            made = sum(one.outcome in {Outcome.CREATED, Outcome.MATCHED} for one in mine)
            job.brought[name] = job.brought.get(name, 0) + made
            rows += mine
        if len(job.pulled) > MOST_PULLED:
            job.pulled.clear()
        with store.transaction():
            store.imports.note(job.task.id, rows)
            _save(job, reading=following.as_json())
    else:
        _save(job, reading=following.as_json())


def _look_at_associations(job: _Import, ids: Sequence[str]) -> None:
    """Who belongs to these opportunities, and to the deals that some of them have already (R1)."""
    c = job.c
    if not has_begun(c) and CONTACTS in c.pairs:
        observe_roles(c, ids)
    links = [one for one in c.store.links.by_ids(DEALS, SF, ids).values() if one.state in LIVE_STATES]
    ours = c.store.imports.written(job.runs, [one.id for one in links])
    deals = [one.hubspot_id for one in links if one.hubspot_id and "create" not in ours.get(one.id, ())]
    deals += [one.id for some in c.store.records.naming(HS, job.pair.hubspot, ids).values() for one in some]
    unread = sorted(set(deals) - c.store.records.associations_known(deals))
    named = c.store.links.by_ids(DEALS, HS, unread)
    unread = [id_ for id_ in unread if id_ not in named or "create" not in ours.get(named[id_].id, ())]
    if unread:
        observe_deals(c, unread, job.told.report.run)


def _note_match(job: _Import, adoption: Adoption) -> None:
    object_ = job.c.pairs[adoption.pair].salesforce
    row = Row(object_, adoption.salesforce_id, Outcome.MATCHED, adoption.key, adoption.hubspot_id)
    job.c.store.imports.note(job.task.id, [row])


def _save(job: _Import, **progress: Any) -> None:
    job.task.progress.update(progress)
    if job.task.id:
        job.c.store.imports.save(job.task.id, job.task.progress)
