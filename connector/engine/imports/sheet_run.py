"""An import of a file into either side, top to bottom.

    1 columns    what each of them is; what is unknown or missing is told
    2 look       at all records of the side that may be the same
    3 check      every line: what its cells come to, and whom it matches; nothing is written while a line is wrong
    4 write      in portions, by `sheet_writes.py`: new records are made, existing ones filled in or overwritten

A line is matched by an id that it gives, by what an earlier import made of the same line, then by the keys of the
mapping's `match_on`. Every write is journalled, and what a person sees next is an edit made on that side: the next
sync carries it on, by the rules of its fields.
"""

from __future__ import annotations

import time

from connector.core.model import Pair, Side
from connector.engine.frame import concluded, count_all, keep_count, usable
from connector.engine.hands import Hands, PretendedHands, RealHands
from connector.engine.imports.columns import Columns, find_columns, find_required, name_columns
from connector.engine.imports.entries import IMPORT_KEY
from connector.engine.imports.report import INTERRUPTED, ImportReport
from connector.engine.imports.run import Rows, Tell, check_switch, find_unfinished, keep_calls
from connector.engine.imports.sheet_writes import SheetImport, portions, resolve_doubt, save, write_all
from connector.engine.imports.sheets import Order, Sheet, refuse
from connector.engine.needed import NewProperty, describe_needed
from connector.engine.observe import Seen, observe_side, renew_keys
from connector.engine.report import Report
from connector.engine.run import make_ready
from connector.engine.suspension import check_mode
from connector.engine.undo import finish_undo
from connector.engine.world import COMPANIES, Connection, World, get_to_know
from connector.errors import BadConfiguration, Finding
from connector.mapping.transforms import Reference
from connector.store.imports import Unfinished


def import_sheet(
    c: Connection,
    order: Order,
    sheet: Sheet,
    *,
    dry_run: bool = False,
    tell: Tell = lambda *_: None,
    rows: Rows = lambda _: None,
) -> ImportReport:
    """Import a file, or go on with it if that was cut short. `rows` gets what became of each line, at the end.

    Raises:
        BadConfiguration: with everything that is wrong in the file, by line and column; nothing was written. Or
            another import is unfinished.
        Stop: the import could not be done, or not to its end; the next one goes on from there.
    """
    if not dry_run:
        check_mode(c.settings)
    began = time.monotonic()
    with c.store.runs.lease(), usable(c):
        _check_content(c, order, sheet)
        task = None if dry_run else find_unfinished(c, order.as_json())
        pair = check_switch(c, order.pair, order.object)
        if not dry_run:
            finish_undo(c, keep_count(c, lambda *_: None))
        told = ImportReport(Report(), order.as_json(), resumed=task is not None, dry_run=dry_run, way="file")
        told.selected = sheet.total
        world = get_to_know(c)
        columns, findings = find_columns(c, world, pair, order.side, sheet)
        refuse(findings)
        counting = keep_calls(c, tell)
        if task is None:
            _look(c, world, pair, columns, counting)
        nothing = Unfinished(0, {}, {"line": 0, "in_doubt": None, "runs": []}, "")
        hands: Hands = PretendedHands(c.salesforce, c.hubspot) if dry_run else RealHands(c.salesforce, c.hubspot)
        job = SheetImport(c, world, pair, order, sheet, columns, told, counting, hands, task or nothing)
        _check(job)
        if dry_run:
            _rehearse(job, tell, rows)
            told.report.seconds = time.monotonic() - began
        else:
            _carry_out(job, rows)
    return told


def _check_content(c: Connection, order: Order, sheet: Sheet) -> None:
    """An import that was cut short goes on with the same file, not with another one of its name."""
    task = c.store.imports.unfinished()
    begun = task.selection if task else {}
    if begun.get("file") == order.file and begun.get("digest") != sheet.digest:
        remedy = (
            "put it back as it was, or give that import up by `connector import --abandon` and begin anew:"
            " lines that were written are found again"
        )
        raise BadConfiguration([Finding(order.file, 0, "has changed since its import was cut short", remedy)])


def _rehearse(job: SheetImport, tell: Tell, rows: Rows) -> None:
    c, told = job.c, job.told
    told.report.made = describe_needed(job.world.needed) if job.side is Side.HUBSPOT else []
    job.tell = tell  # what is noted while pretending is forgotten
    with c.store.pretending():
        told.report.run = c.store.runs.begin("import")
        job.task = c.store.imports.begin(job.order.as_json(), job.task.progress)
        write_all(job)
        told.counts = c.store.imports.counts(job.task.id)
        rows(c.store.imports.rows(job.task.id))
        count_all(c, told.report)
    told.report.run = 0
    told.report.price = job.hands.price


def _carry_out(job: SheetImport, rows: Rows) -> None:
    c, told = job.c, job.told
    told.report.run = c.store.runs.begin("import")
    with concluded(c, told.report):
        if job.side is Side.HUBSPOT:
            job.world = job.columns.world = make_ready(c, told.report) if job.world.needed else job.world
            _make_key(job)
        if not job.task.id:
            job.task = c.store.imports.begin(job.order.as_json(), job.task.progress)
        told.number = job.task.id
        save(job, runs=[*job.task.progress["runs"], told.report.run])
        resolve_doubt(job)
        write_all(job)
    told.counts = c.store.imports.counts(job.task.id)
    if told.status == INTERRUPTED:
        return
    rows(c.store.imports.rows(job.task.id))  # if that fails, all the same is done: only this is left
    c.store.imports.finish(job.task.id)


def _look(c: Connection, world: World, pair: Pair, columns: Columns, tell: Tell) -> None:
    """All records of the side that lines may be, or may refer to."""
    refers = any(one.rule and isinstance(one.rule.transform, Reference) for one in columns.columns)
    pairs = [c.pairs[COMPANIES]] if refers and pair.name != COMPANIES and COMPANIES in c.pairs else []
    renew_keys(c)
    observe_side(c, world, columns.to, Seen(), lambda number: tell("looking", number, None), [*pairs, pair])


def _make_key(job: SheetImport) -> None:
    """The property that keeps lines from being made twice. Two calls, once."""
    stream = f"{IMPORT_KEY}/{job.object}"
    if job.c.store.runs.read(stream) is None:
        wanted = NewProperty(job.object, IMPORT_KEY, "Import key", "string", unique=True)
        job.c.hubspot.make_properties(job.object, [wanted.definition()])
        job.c.store.runs.remember(stream, True)


# --- what the lines are -----------------------------------------------------------------------------------


def _check(job: SheetImport) -> None:
    """Refuse the file if there is anything wrong with any line of it."""
    findings: list[Finding] = []
    lacking: dict[str, int] = {}
    entries_of = job.read()
    for some in portions(job.sheet.lines()):
        for entry in entries_of.enter(some, findings):
            if entry.record_id is not None or entry.held:
                continue
            for name in find_required(job.columns, entry.values):
                if name not in job.columns.fields:
                    lacking.setdefault(name, entry.line.number)
                if name not in job.columns.fields or entry.faulty:
                    continue
                message = f"{name} is blank, which {job.side.value} requires of a new record"
                findings.append(Finding(str(job.sheet.path), entry.line.number, message, "fill it"))
        job.tell("checking", len(some), job.sheet.total)
    missing = [
        Finding(
            str(job.sheet.path),
            1,
            f"has no column for {name}, which {job.side.value} requires of new records such as line {line}",
            f"add one called {name_columns(job.columns, name)}",
        )
        for name, line in lacking.items()
    ]
    refuse([*missing, *findings])
