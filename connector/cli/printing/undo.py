"""How is it told what an undo restores, what has moved on since, and what it costs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from connector.cli.printing.reports import SHOWN, print_actions, print_counts, print_price
from connector.cli.printing.terminal import NAMES, count, indent, moment, out

if TYPE_CHECKING:
    from connector.core.inverse import Left
    from connector.engine.undo import Undone


def print_undone(done: Undone, *, planned: bool, everything: bool = False, console: Console | None = None) -> None:
    """What was restored, or would be; then what stays."""
    console = console or out()
    report = done.report
    begun = moment(done.run.started)
    if planned:
        console.print(f"[bold]Undo of run {done.run.id}[/] of {begun}; nothing was written yet")
    elif report.status == "interrupted":
        console.print(
            f"[bold yellow]Ended early, as it was asked to[/]: undo of run {done.run.id}, as run {report.run}"
        )
    else:
        color = "yellow" if report.status == "problems" else "green"
        console.print(f"[bold {color}]Undid run {done.run.id}[/] of {begun}, as run {report.run}")
    print_counts(report, console)
    if planned:
        print_actions(report.actions, console, limit=None if everything else SHOWN)
        print_price(report, console)
    for note in report.notes:
        console.print(f"  {escape(note)}")
    _print_left(done.left, console)
    if not planned and report.writes and done.holds:
        console.print(
            f"  It is not written again until its source changes, or `connector resume {done.run.id}` lets it go."
        )


def _print_left(left: list[Left], console: Console) -> None:
    if not left:
        return
    console.print(f"[bold yellow]Stays as it is: {count(len(left), 'place')}[/]")
    for one in left:
        field = f", {one.field}" if one.field else ""
        console.print(f"  {NAMES[one.side]} {escape(one.object)} {escape(one.record_id + field)}", soft_wrap=True)
        console.print(indent(escape(_tell(one))))


def _tell(one: Left) -> str:
    values = f": the run wrote {one.wrote!r}, now it is {one.now!r}" if one.field and one.wrote != one.now else ""
    who = f"; last by {one.who}" if one.who else ""
    when = f" at {moment(one.when)}" if one.when else ""
    return f"{one.why}{values}{who}{when}"


def print_let_go(run: int, number: int) -> None:
    """What `resume RUN` let go."""
    if not number:
        out().print(f"Nothing is held since run {run} was undone.")
        return
    what = f"{count(number, 'write')} that run {run} had made"
    out().print(f"[bold green]Let go[/]: the next sync makes {what}, as far as both sides still call for them.")
