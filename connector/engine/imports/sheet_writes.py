"""What is written of the lines of a file, and what became of it when a process died.

| a line that            | is written                                                                     |
|------------------------|--------------------------------------------------------------------------------|
| matches a record       | re-read -> blank values, or with `--overwrite` other ones too -> journal, write |
| matches nobody         | journal -> made                                                                |
| may be any of several  | not at all: it is held                                                         |

No line is ever made twice, whenever a process dies:

| side       | what tells that a creation whose answer was lost got through                              |
|------------|-------------------------------------------------------------------------------------------|
| HubSpot    | the unique property `sf_import_key`, made of the line's content: it collides              |
| Salesforce | the batch in hand is noted first; records made since then with exactly its values are it  |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.adapters.base import Draft, Edit, Trouble, Wanted
from connector.adapters.base import Outcome as Answer
from connector.adapters.salesforce_selections import Cursor, Extract
from connector.core.merge import is_blank
from connector.core.model import Change, FieldRule, Pair, Record, Side, Value
from connector.engine.hands import Hands, RealHands
from connector.engine.hiding import cover_words, values_to_cover
from connector.engine.imports.columns import Columns
from connector.engine.imports.entries import EARLIER, IMPORT_KEY, Entries, Entry
from connector.engine.imports.outcomes import ON_CREATION, Outcome
from connector.engine.imports.report import ImportReport
from connector.engine.imports.run import Tell
from connector.engine.imports.sheets import Line, Order, Sheet
from connector.engine.report import Written
from connector.engine.world import Connection, World
from connector.store.imports import Row, Unfinished

PORTION = 1000
"""Lines that are written at a time: what one call to Salesforce takes."""
RULE = "I4"
MARGIN = timedelta(minutes=1)
"""The server's clock is told to the second, and a transaction has the time at which it began."""


@dataclass
class SheetImport:
    """An import of a file in hand."""

    c: Connection
    world: World
    pair: Pair
    order: Order
    sheet: Sheet
    columns: Columns
    told: ImportReport
    tell: Tell
    hands: Hands
    task: Unfinished

    @property
    def side(self) -> Side:
        return self.order.side

    def read(self) -> Entries:
        """Makes entries of lines, from the first line on."""
        return Entries(self.c, self.pair, self.columns, self.sheet)

    @property
    def object(self) -> str:
        return self.pair.object(self.order.side)

    @property
    def wanted(self) -> Wanted:
        names = (*self.columns.fields, *self.pair.match_fields(self.side))
        return Wanted(tuple(dict.fromkeys(names)), IMPORT_KEY if self.side is Side.HUBSPOT else None)


def portions(lines: Iterable[Line]) -> Iterator[list[Line]]:
    some: list[Line] = []
    for line in lines:
        some.append(line)
        if len(some) == PORTION:
            yield some
            some = []
    if some:
        yield some


# --- writing ----------------------------------------------------------------------------------------------


def write_all(job: SheetImport) -> None:
    job.tell("importing", 0, job.sheet.total)
    entries_of = job.read()
    for lines in portions(job.sheet.lines()):
        entries = entries_of.enter(lines, [])
        last = lines[-1].number
        if last > job.task.progress["line"]:
            _write_portion(job, entries)
            save(job, line=last)
        job.tell("importing", len(lines), job.sheet.total)


def _write_portion(job: SheetImport, entries: Sequence[Entry]) -> None:
    noted = job.c.store.imports.known(job.task.id, job.object, [one.row_id for one in entries])
    todo = [one for one in entries if one.row_id not in noted]
    held = [one for one in todo if one.held]
    _note(job, [(one, Outcome.HELD, None, one.held) for one in held])
    todo = [one for one in todo if not one.held]
    _update(job, [one for one in todo if one.record_id is not None])
    _create(job, [one for one in todo if one.record_id is None])


def _note(job: SheetImport, outcomes: Iterable[tuple[Entry, Outcome, str | None, str]]) -> None:
    rows = [
        Row(job.object, one.row_id, outcome, one.key, record_id, detail, one.fingerprint)
        for one, outcome, record_id, detail in outcomes
    ]
    job.c.store.imports.note(job.task.id, rows)


def _update(job: SheetImport, entries: Sequence[Entry]) -> None:
    """Fill in what is blank, or overwrite: of records as they are now."""
    if not entries:
        return
    store, ids = job.c.store, list(dict.fromkeys(one.record_id or "" for one in entries))
    wanted = job.world.wanted(job.pair, job.side)
    fresh = job.hands.reread(job.side, job.object, ids, wanted)
    fresh = store.records.load(job.side, job.object, ids) if fresh is None else fresh
    edits: dict[str, dict[str, Change]] = {}
    touched: dict[str, list[Entry]] = {}
    for entry in entries:
        record = fresh.get(entry.record_id or "")
        if record is None or not record.present:
            detail = "its record was deleted since" if entry.key == EARLIER else "its record is not there any more"
            _note(job, [(entry, Outcome.LEFT_ALONE, None, detail)])
            continue
        known = edits.setdefault(record.id, {})
        known |= {change.field: change for change in _find_changes(job, entry, record) if change.field not in known}
        touched.setdefault(record.id, []).append(entry)
    writes = {id_: list(changes.values()) for id_, changes in edits.items() if changes}
    _note(
        job,
        [
            (entry, Outcome.UNCHANGED, id_, "")
            for id_, some in touched.items()
            if id_ not in writes
            for entry in some
        ],
    )
    if not writes:
        return
    links = store.links.by_ids(job.pair.name, job.side, writes)
    with store.transaction():
        intents = [(id_, links[id_].id if id_ in links else None, some) for id_, some in writes.items()]
        numbers = store.journal.intend(job.told.report.run, "update", job.side, job.object, intents)
    journal = dict(zip(writes, numbers, strict=True))
    drafts = [Edit(id_, {change.field: change.new for change in some}) for id_, some in writes.items()]
    for answers in job.hands.update(job.side, job.object, drafts):
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, one.key) for one in answers})
            for one in answers:
                outcome, detail = _judge(job, one, Outcome.UPDATED, writes[one.key])
                _note(job, [(entry, outcome, one.id, detail) for entry in touched[one.key]])
                if one.id is not None:
                    written = Written("update", job.side, job.object, one.id, job.order.name, writes[one.key])
                    job.told.report.count(written, store.veil)


def _judge(job: SheetImport, answer: Answer, good: Outcome, changes: Sequence[Change]) -> tuple[Outcome, str]:
    if answer.refusal is not None:
        remedy = f" → {answer.refusal.remedy}" if answer.refusal.remedy else ""
        personal = values_to_cover(job.c.store.veil, job.side, job.object, changes)
        return Outcome.REFUSED, cover_words(f"{answer.refusal.message}{remedy}", personal)
    return good, ", ".join(change.field for change in changes)


def _find_changes(job: SheetImport, entry: Entry, record: Record) -> Iterator[Change]:
    cause = f"line {entry.line.number} of {job.order.name}"
    for rule in {id(one.rule): one.rule for one in job.columns.columns if one.rule}.values():
        names = [name for name in rule.names(job.side) if name in entry.values]
        if not names or not all(name in record.fields for name in names):
            continue
        current = {name: record.fields[name] for name in names}
        filled = not is_blank(tuple(current.values()))
        if filled and (not job.order.overwrite or _means_the_same(job, rule, record, entry.values)):
            continue
        for name in names:
            if current[name] != entry.values[name]:
                yield Change(name, current[name], entry.values[name], RULE, cause)


def _means_the_same(job: SheetImport, rule: FieldRule, record: Record, values: dict[str, Value]) -> bool:
    """Whether a record has these values of a rule; those that are not given are as they are."""
    names = rule.names(job.side)
    now = tuple(record.fields.get(name) for name in names)
    then = tuple(values.get(name, record.fields.get(name)) for name in names)
    return rule.transform.meaning(job.side, now) == rule.transform.meaning(job.side, then)


def _create(job: SheetImport, entries: Sequence[Entry]) -> None:
    """Make records of lines. Those of Salesforce are noted as in doubt until their answer is in."""
    if not entries:
        return
    store, by_key = job.c.store, {one.fingerprint: one for one in entries}
    changes = {key: _changes_of_new(job, one) for key, one in by_key.items()}
    doubtful = job.side is Side.SALESFORCE and isinstance(job.hands, RealHands)
    since = job.c.salesforce.mark() if doubtful else ""
    with store.transaction():
        intents = [(None, None, changes[key]) for key in by_key]
        numbers = store.journal.intend(job.told.report.run, "create", job.side, job.object, intents)
        if doubtful:
            lines = [one.line.number for one in by_key.values()]
            save(job, in_doubt={"since": since, "lines": lines, "journal": numbers})
    journal = dict(zip(by_key, numbers, strict=True))
    drafts = [Draft(key, {change.field: change.new for change in changes[key]}) for key in by_key]
    for answers in job.hands.create(job.side, job.object, drafts, job.wanted):
        collided = [one.key for one in answers if one.refusal and one.refusal.trouble is Trouble.COLLIDED]
        ours = job.c.hubspot.find(job.object, collided, job.wanted) if collided else {}
        with store.transaction():
            made = {one.key: one.id or (ours[one.key].id if one.key in ours else None) for one in answers}
            store.journal.conclude({journal[key]: (id_ is not None, id_) for key, id_ in made.items()})
            for one in answers:
                _settle(job, by_key[one.key], one, made[one.key], changes[one.key])
    if doubtful:
        save(job, in_doubt=None)


def _changes_of_new(job: SheetImport, entry: Entry) -> list[Change]:
    cause = f"line {entry.line.number} of {job.order.name}"
    defaults = {
        name: value
        for rule in job.pair.fields
        if rule.defaults.get(job.side) and not any(name in entry.values for name in rule.names(job.side))
        for name, value in zip(rule.names(job.side), rule.defaults[job.side], strict=True)
    }
    values = {**defaults, **entry.values}
    if job.side is Side.HUBSPOT:
        values[IMPORT_KEY] = entry.fingerprint
    return [Change(name, None, value, RULE, cause) for name, value in values.items()]


def _settle(job: SheetImport, entry: Entry, answer: Answer, new_id: str | None, changes: Sequence[Change]) -> None:
    if new_id is not None:
        _note(job, [(entry, Outcome.CREATED, new_id, "")])
        if answer.id is not None:
            written = Written("create", job.side, job.object, new_id, job.order.name, changes)
            job.told.report.count(written, job.c.store.veil)
        return
    existing = answer.refusal.existing_id if answer.refusal else None
    if existing is not None:
        detail = "it came there meanwhile; import the file again to fill in what is blank"
        _note(job, [(entry.matched(existing, ON_CREATION), Outcome.MATCHED, existing, detail)])
        return
    outcome, detail = _judge(job, answer, Outcome.CREATED, changes)
    _note(job, [(entry, outcome, None, detail)])


# --- what a process that died left behind -----------------------------------------------------------------


def resolve_doubt(job: SheetImport) -> None:
    """Find what became of creations in Salesforce whose answer was lost: what was made since, as it was sent."""
    doubt = job.task.progress["in_doubt"]
    if not doubt:
        return
    lines = set(doubt["lines"])
    entries_of = job.read()
    read = (entries_of.enter(portion, []) for portion in portions(job.sheet.lines()))
    entries = [one for portion in read for one in portion if one.line.number in lines]
    noted = job.c.store.imports.known(job.task.id, job.object, [one.row_id for one in entries])
    todo = [one for one in entries if one.row_id not in noted and one.record_id is None]
    since = datetime.fromisoformat(doubt["since"]) - MARGIN
    candidates = _read_since(job, since)
    taken = job.c.store.imports.partners_among(job.task.id, [one.id for one in candidates])
    free = [one for one in candidates if one.id not in taken]
    journal = dict(zip(doubt["lines"], doubt.get("journal", ()), strict=False))  # an older version kept no numbers
    with job.c.store.transaction():
        for entry in todo:
            found = next((one for one in free if _is_made_of(job, one, entry)), None)
            if found is not None:
                free.remove(found)
                _note(job, [(entry, Outcome.CREATED, found.id, "")])
            if number := journal.get(entry.line.number):
                job.c.store.journal.conclude({number: (found is not None, found.id if found else None)})
        save(job, in_doubt=None)


def _read_since(job: SheetImport, since: datetime) -> list[Record]:
    selections = job.c.salesforce.selections()
    stamp = since.isoformat(timespec="seconds").replace("+00:00", "Z")
    extract = Extract(job.object, job.wanted, f"CreatedDate >= {stamp}")
    found: list[Record] = []
    cursor: Cursor | None = Cursor()
    while cursor is not None:
        portion = selections.read(extract, cursor)
        found += portion.records
        cursor = portion.following
    return found


def _is_made_of(job: SheetImport, record: Record, entry: Entry) -> bool:
    rules = {id(one.rule): one.rule for one in job.columns.columns if one.rule}.values()
    return all(_means_the_same(job, rule, record, entry.values) for rule in rules)


def save(job: SheetImport, **progress: Any) -> None:
    job.task.progress.update(progress)
    if job.task.id:
        job.c.store.imports.save(job.task.id, job.task.progress)
