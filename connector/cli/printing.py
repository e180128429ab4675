"""How is it said? All sentences and tables that a person reads are made here.

Results go to stdout; progress, warnings and errors to stderr. Rich leaves out colours where there is no
terminal or where NO_COLOR is set.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connector.core.model import Side
from connector.errors import BadConfiguration, Finding, Stop

if TYPE_CHECKING:
    from connector.engine.report import Report

NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
WIDTH = 100
"""Columns where there is no terminal to ask."""


def print_json(value: Any) -> None:
    """One line of JSON on stdout, sent off at once."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def out() -> Console:
    """Standard output, for results."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)


def err() -> Console:
    """Standard error, for progress and errors."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDTH)


def warn(sentence: str) -> None:
    err().print(f"[yellow]{escape(sentence)}[/]")


# --- errors -----------------------------------------------------------------------------------------------


def print_stop(error: Stop) -> None:
    """What happened and what to do; for a bad configuration everything that is wrong, with its place."""
    console = err()
    console.print(f"[bold red]{_headline(error)}[/]")
    if isinstance(error, BadConfiguration):
        for finding in error.findings:
            console.print(f"  [bold]{escape(place(finding))}[/]: {escape(finding.message)}")
            if finding.remedy:
                console.print(f"    → {escape(finding.remedy)}")
        return
    console.print(f"  {escape(error.message)}")
    if error.remedy:
        console.print(f"  → {escape(error.remedy)}")


def _headline(error: Stop) -> str:
    return {2: "The configuration is not usable", 3: "Refused: nothing was written"}.get(
        error.exit_code, "Stopped: no connection"
    )


def place(finding: Finding) -> str:
    """`file:line`, or what else is meant."""
    return f"{finding.where}:{finding.line}" if finding.line else finding.where


def describe_stop(error: Stop) -> dict[str, Any]:
    """The `error` of a JSON answer."""
    told: dict[str, Any] = {"message": error.message, "remedy": error.remedy}
    if isinstance(error, BadConfiguration):
        told["findings"] = [
            {"where": one.where, "line": one.line, "message": one.message, "remedy": one.remedy}
            for one in error.findings
        ]
        told["message"] = "; ".join(f"{place(one)}: {one.message}" for one in error.findings)
        told["remedy"] = "; ".join(one.remedy for one in error.findings if one.remedy)
    return told


# --- progress ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str, int], None]]:
    """A line on stderr that counts records while the block runs; on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415  # rarely

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f} records"), TimeElapsedColumn())
    with Progress(*columns, console=err(), transient=True) as shown:
        task = shown.add_task("asking", total=None)
        current = ""

        def tell(what: str, number: int) -> None:
            nonlocal current
            if what != current:
                current = what
                shown.update(task, description=what, completed=0)
            shown.advance(task, number)

        yield tell


# --- reports ----------------------------------------------------------------------------------------------


def print_report(report: Report, console: Console | None = None) -> None:
    """What a run did."""
    console = console or out()
    seconds = f"{report.seconds:.1f} s"
    if report.status == "problems":
        console.print(f"[bold yellow]Synced in {seconds}, with problems[/]")
    else:
        console.print(f"[bold green]Synced in {seconds}[/]")
    for line in report.made:
        console.print(f"  made in HubSpot: {escape(line)}")
    console.print(_counts(report) if report.writes else "  nothing to write: both sides agree")
    console.print(f"  API calls: {'; '.join(_calls(report, side) for side in Side)}")
    if report.conflicts:
        console.print(
            f"  conflicts: {report.conflicts:,} fields were edited on both sides and settled by their rule"
        )
    if report.waiting:
        console.print(f"  waiting: {report.waiting:,} records wait for another one to be synced")
    if report.problems:
        console.print(f"  [yellow]problems: {report.problems:,} open; `connector status` lists them[/]")
    for note in report.notes:
        console.print(f"  note: {escape(note)}")


def _calls(report: Report, side: Side) -> str:
    left = report.left[side]
    rest = "" if left is None else f" ({left:,} left today)"
    return f"{NAMES[side]} {report.calls[side]:,}{rest}"


def _counts(report: Report) -> Table:
    table = make_table("", "", "created>", "updated>", "deleted>")
    for side in Side:
        name = NAMES[side]
        counts = (report.created[side], report.updated[side], report.deleted[side])
        for object_ in sorted({key for count in counts for key in count}):
            table.add_row(name, object_, *(f"{count[object_]:,}" if count[object_] else "-" for count in counts))
            name = ""
    if report.associations_added or report.associations_removed:
        removed = f"{report.associations_removed:,}" if report.associations_removed else "-"
        table.add_row("both", "contacts of deals", f"{report.associations_added:,}", "-", removed)
    return table


def make_table(*columns: str) -> Table:
    """A table without lines, set in a little. A column whose name ends in `>` is of numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    for column in columns:
        table.add_column(column.removesuffix(">"), justify="right" if column.endswith(">") else "left")
    return table
