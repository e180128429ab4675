"""How is an import told? Progress with rate and time left, counts by what became of the records, and a CSV file."""

from __future__ import annotations

import contextlib
import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from connector.cli.printing.terminal import NAMES, count, err, indent, make_table, out
from connector.core.model import Side
from connector.private_files import writing_privately

if TYPE_CHECKING:
    from rich.console import Console

    from connector.engine.imports.report import ImportReport
    from connector.store.imports import Row

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""
_SKIPPED = " '\xa0"
"""What may stand before it: an apostrophe too, so that a guarded text can be told from what was there."""

HEADER = ("object", "record", "outcome", "found_by", "partner", "detail")

MADE_SHOWN = 3

_WORDS = {
    "created": ("created", "unmatched, would be created"),
    "matched": ("matched", "matched"),
    "updated": ("updated", "would be updated"),
    "unchanged": ("in step already", "in step already"),
    "held": ("held: may be the same as several", "ambiguous, would be held"),
    "refused": ("refused", "would be refused"),
    "waiting": ("waiting for another record", "would wait for another record"),
    "out_of_scope": ("out of scope", "out of scope"),
    "left_alone": ("left alone", "left alone"),
}
_KEYS = {
    "id": "by id",
    "email": "by e-mail",
    "domain": "by domain",
    "name": "by name",
    "earlier import": "(made by an earlier import)",
    "on creation": "when it was to be made",
}
_TROUBLED = {"held", "refused"}
_WAYS = {"rest": "by REST", "bulk": "in bulk", "known": "from what was just looked at"}


def print_import(told: ImportReport, path: Path | None, console: Console | None = None) -> None:
    """What an import did, or would do."""
    console = console or out()
    seconds = f"{told.report.seconds:.1f} s"
    if told.dry_run:
        console.print(f"[bold]Rehearsed in {seconds}[/]; nothing was written")
    elif told.status == "interrupted":
        console.print(
            "[bold yellow]Ended early, as it was asked to[/]; `connector import --resume` goes on from there"
        )
    elif told.status == "problems":
        console.print(f"[bold yellow]Imported in {seconds}, with problems[/]")
    else:
        console.print(
            f"[bold green]Imported in {seconds}[/]" + (", from where it was cut short" if told.resumed else "")
        )
    made = told.report.made
    would = "would be made" if told.dry_run else "made"
    for line in made[:MADE_SHOWN]:
        console.print(f"  {would} in HubSpot: {escape(line)}")
    if len(made) > MADE_SHOWN:
        console.print(f"  … and {len(made) - MADE_SHOWN} more")
    _print_counts(told, console)
    _print_price(told, console)
    for note in told.report.notes:
        console.print(indent(f"note: {escape(note)}", 2))
    if path is not None:
        console.print(f"  each record: {escape(str(path))}", soft_wrap=True)
    if told.status == "problems":
        where = "the report has the reasons" if path else "`--report FILE.csv` has the reasons"
        console.print(f"  [yellow]{where}; `connector problems list` has them[/]")


def _print_counts(told: ImportReport, console: Console) -> None:
    if not told.counts:
        console.print("  nothing was selected: no record meets the condition")
        return
    table = make_table("", "records>", "")
    last = ""
    order = list(_WORDS)
    for object_, outcome, key, number in sorted(told.counts, key=lambda one: (one[0], order.index(one[1]), one[2])):
        words = _WORDS[outcome][told.dry_run]
        words += f" {_KEYS.get(key, key)}" if key else ""
        style = "[yellow]" if outcome in _TROUBLED else ""
        table.add_row("" if object_ == last else object_, f"{number:,}", f"{style}{escape(words)}")
        last = object_
    console.print(indent(table, 2))


def _print_price(told: ImportReport, console: Console) -> None:
    if told.ways.keys() >= {"rest", "bulk"}:
        other = "rest" if told.way == "bulk" else "bulk"
        price = f"{count(told.ways[told.way], 'call')}; {_WAYS[other]} it would be {told.ways[other]:,}"
        console.print(f"  {count(told.selected, 'record')}, read {_WAYS[told.way]}: {price}")
    calls = "; ".join(f"{NAMES[side]} {told.report.calls[side]:,}" for side in Side)
    console.print(f"  API calls: {calls}")
    if told.dry_run:
        writing = "; ".join(f"{NAMES[side]} {told.report.price[side]:,}" for side in Side)
        console.print(f"  the import would take about these more to write: {writing}")


def print_abandoned(what: str | None) -> None:
    """What `--abandon` gave up, if anything."""
    if what is None:
        out().print("No import is unfinished.")
        return
    out().print(f"[bold]Abandoned[/]: {escape(what)}. What it wrote stays, and syncs from now on.")


# --- the file ---------------------------------------------------------------------------------------------


def write_rows(path: Path, rows: Iterable[Row], *, dry_run: bool = False) -> None:
    """One line a record. The file is whole or not there.

    What would be created is told as unmatched by a dry run.

    Raises:
        OSError: it cannot be written.
    """
    with writing_privately(path, encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for one in rows:
            record = one.record_id if one.fingerprint is None else f"line {int(one.record_id)}"
            partner = "" if dry_run and one.outcome == "created" else one.partner_id or ""
            outcome = "unmatched" if dry_run and one.outcome == "created" else one.outcome
            cells = (one.object, record, outcome, one.key, partner, one.detail)
            writer.writerow([guard(cell) for cell in cells])


def guard(text: str) -> str:
    """A text that no spreadsheet takes for a formula, behind blanks or an apostrophe neither."""
    return f"'{text}" if text.lstrip(_SKIPPED).startswith(DANGEROUS) else text


# --- progress ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar on stderr with the rate and the time left, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.progress import (  # noqa: PLC0415  # rarely
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=err(), transient=True, speed_estimate_period=60) as shown:
        task = shown.add_task("asking", total=None, amount="")
        current, done = "", 0

        def tell(what: str, number: int, total: int | None) -> None:
            nonlocal current, done
            if what != current:
                current, done = what, 0
                shown.reset(task, description=what, total=total)
            done += number
            shown.update(task, completed=done, total=total)
            speed = shown.tasks[0].speed
            rate = f" {speed:,.0f}/s" if speed else ""
            amount = f"{done:,}" if total is None else f"{done:,} of {total:,}"
            shown.update(task, amount=f"{amount}{rate}")

        yield tell
