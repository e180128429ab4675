"""How are a run and a plan told? Counts, actions with their reasons, and the price in API calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from connector.cli.printing.terminal import NAMES, WIDTH, Screen, count, indent, make_table, moment, out, show
from connector.core.model import Change, Side

if TYPE_CHECKING:
    from connector.engine.report import Agreement, Report, Written
    from connector.schedule import Event

VERBS = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "connect": "add contacts to",
    "disconnect": "remove contacts from",
    "name": "name contacts of",
}

SHOWN = 20
"""Actions of one kind that a plan shows unless asked for all."""

MADE_SHOWN = 20


def print_report(report: Report, console: Console | None = None) -> None:
    """What a run did."""
    console = console or out()
    seconds = f"{report.seconds:.1f} s"
    done = "Applied" if report.agreement else "Synced"
    if report.status == "drifted":
        console.print(f"[bold yellow]Applied in {seconds}, but not all of the plan[/]")
    elif report.status == "interrupted":
        console.print(f"[bold yellow]Ended early after {seconds}, as it was asked to[/]")
    elif report.status == "problems":
        console.print(f"[bold yellow]{done} in {seconds}, with problems[/]")
    else:
        console.print(f"[bold green]{done} in {seconds}[/]")
    _print_made("made", report.made, console)
    print_counts(report, console)
    console.print(f"  API calls: {'; '.join(_calls(report, side) for side in Side)}")
    if report.agreement:
        print_agreement(report.agreement, console)
    _print_notes(report, console)


_WHY = {
    "drifted": "drifted since the plan was made",
    "not due": "nothing is to be written there any more",
    "refused": "not taken by the CRM; see `connector problems list`",
}


def print_agreement(agreement: Agreement, console: Console) -> None:
    """What became of a saved plan: how many rows were made, and why each of the others was not."""
    console.print(f"  rows of the plan: {agreement.applied:,} of {agreement.rows:,} made")
    for why, words in _WHY.items():
        some = [one for one in agreement.unmade if one.why == why]
        if some:
            console.print(f"  [yellow]{len(some):,} {words}[/]")
        for one in some[:SHOWN]:
            console.print(indent(_describe_row(one.write)), soft_wrap=True)
            for line in describe_changes(one.write.changes):
                console.print(indent(line, 6))
            if one.now is not None:
                for line in describe_changes(one.now.changes):
                    console.print(indent(Text("now: ", "yellow").append_text(line), 6))
        if len(some) > SHOWN:
            console.print(f"    … and {len(some) - SHOWN:,} more; `--json` lists them")
    if agreement.unplanned:
        left = count(agreement.unplanned, "write")
        console.print(
            f"  {left} became due since and {'is' if agreement.unplanned == 1 else 'are'} left for a sync"
        )


def _describe_row(write: Written) -> str:
    return f"{NAMES[write.side]} {escape(write.object)}: {VERBS[write.verb]} {_name(write)}"


def print_saved_plan(report: Report, file: Path, *, applicable: bool) -> None:
    """Where a plan was kept, what it comes to, and how it goes on."""
    console = out()
    rows = count(len(report.actions), "row")
    console.print(f"[bold]Plan[/] of {rows} written to {escape(str(file))}", soft_wrap=True)
    print_counts(report, console)
    print_price(report, console)
    _print_notes(report, console)
    if applicable and report.actions:
        console.print(f"Carry it out with `connector apply {escape(str(file))}`.", soft_wrap=True)


def make_plan_text(report: Report) -> str:
    """The whole plan as plain text."""
    console = Screen(file=StringIO(), width=WIDTH, highlight=False)
    print_plan(report, console, everything=True)
    return console.file.getvalue() if isinstance(console.file, StringIO) else ""


def print_plan(report: Report, console: Console | None = None, *, everything: bool = False) -> None:
    """What a run would do, why, and what it would cost."""
    console = console or out()
    console.print(f"[bold]Plan[/], made in {report.seconds:.1f} s; nothing was written")
    _print_made("would be made", report.made, console, everything=everything)
    print_counts(report, console)
    print_actions(report.actions, console, limit=None if everything else SHOWN)
    print_price(report, console)
    _print_notes(report, console)


def print_price(report: Report, console: Console) -> None:
    """API calls that the plan took, and about how many the sync will take."""
    console.print("[bold]Price[/]")
    for side in Side:
        left = "" if report.left[side] is None else f", {report.left[side]:,} left today"
        spent = f"{report.calls[side]:,} calls to read (done)"
        console.print(f"  {NAMES[side]}: {spent}, about {report.price[side]:,} to write{left}")


def print_actions(actions: Sequence[Written], console: Console, limit: int | None) -> None:
    """Actions by side and object, at most `limit` of each kind; each field with old and new value and why."""
    groups: dict[tuple[Side, str, str], list[Written]] = {}
    for one in actions:
        groups.setdefault((one.side, one.object, one.verb), []).append(one)
    for (side, object_, verb), some in groups.items():
        console.print(f"[bold]{NAMES[side]} {escape(object_)}: {VERBS[verb]} {len(some):,}[/]")
        for one in some[:limit]:
            console.print(f"  {_name(one)}", soft_wrap=True)
            for line in describe_changes(one.changes):
                console.print(indent(line))
        if limit is not None and len(some) > limit:
            console.print(f"  … and {len(some) - limit:,} more; `--all` shows them")


def _name(written: Written) -> str:
    if written.verb == "create":
        return f"for {escape(written.of)}"
    return escape(f"{written.record} (partner of {written.of})" if written.of else str(written.record))


def describe_changes(changes: Iterable[Change]) -> Iterator[Text]:
    """One line for each reason: the fields, and in brackets the rule and what moved."""
    reasons: dict[tuple[str, str], list[Change]] = {}
    for one in changes:
        reasons.setdefault((one.rule, one.cause), []).append(one)
    for (rule, cause), some in reasons.items():
        line = Text()
        for number, one in enumerate(some):
            line.append(", " if number else "")
            line.append(f"{one.field}: ", "dim")
            if one.old is not None:
                line.append(f"{show(one.old)} → ")
            line.append(show(one.new))
            if one.conflict:
                line.append(" (conflict)", "yellow")
        line.append(f"  [{rule}: {cause}]", "cyan")
        yield line


def _print_made(what: str, made: Sequence[str], console: Console, *, everything: bool = False) -> None:
    shown = len(made) if everything else MADE_SHOWN
    for line in made[:shown]:
        console.print(f"  {what} in HubSpot: {escape(line)}")
    if len(made) > shown:
        console.print(f"  … and {len(made) - shown} more")


def _print_notes(report: Report, console: Console) -> None:
    if report.conflicts:
        console.print(f"  conflicts: {count(report.conflicts, 'field')} edited on both sides, settled by rule")
    if report.waiting:
        console.print(f"  waiting: {count(report.waiting, 'record')} for another one to be synced first")
    if report.problems:
        console.print(f"  [yellow]problems: {report.problems:,} open; `connector problems list` says what to do[/]")
    for note in report.notes:
        console.print(indent(f"note: {escape(note)}", 2))


def _calls(report: Report, side: Side) -> str:
    left = report.left[side]
    rest = "" if left is None else f" ({left:,} left today)"
    return f"{NAMES[side]} {report.calls[side]:,}{rest}"


def print_counts(report: Report, console: Console) -> None:
    """How many records of each object, by what is done to them."""
    if not report.writes:
        console.print("  nothing to write: both sides agree")
        return
    table = make_table("", "", "created>", "updated>", "deleted>")
    for side in Side:
        name = NAMES[side]
        counts = (report.created[side], report.updated[side], report.deleted[side])
        for object_ in sorted({key for some in counts for key in some}):
            table.add_row(name, object_, *(f"{some[object_]:,}" if some[object_] else "-" for some in counts))
            name = ""
    if report.associations_added or report.associations_removed:
        removed = f"{report.associations_removed:,}" if report.associations_removed else "-"
        table.add_row("both", "contacts of deals", f"{report.associations_added:,}", "-", removed)
    console.print(indent(table, 2))


def print_event(event: Event) -> None:
    """One line about a run of the schedule."""
    if event.report is not None:
        report = event.report
        colour = "green" if report.status == "ok" else "yellow"
        written = ", ".join(_summarise(report)) or "nothing to write"
        calls = "+".join(f"{report.calls[side]:,}" for side in Side)
        told = f"run {report.run} [{colour}]{report.status}[/]: {escape(written)}; {calls} API calls"
        if report.problems:
            told += f"; [yellow]{count(report.problems, 'problem')}[/]"
    else:
        remedy = f" → {event.error.remedy}" if event.error and event.error.remedy else ""
        told = f"[red]not synced[/]: {escape(f'{event.error}{remedy}')}"
    next_ = f"; next {moment(event.next.isoformat())}" if event.next else "; ends here"
    out().print(f"{moment(event.at.isoformat())}  {told}{next_}", soft_wrap=True)


def _summarise(report: Report) -> Iterator[str]:
    """`2 deals created in HubSpot`, for everything that was written."""
    for side in Side:
        for verb, table in (("created", report.created), ("updated", report.updated), ("deleted", report.deleted)):
            for object_, number in sorted(table[side].items()):
                yield f"{number:,} {object_} {verb} in {NAMES[side]}"
    if report.associations_added or report.associations_removed:
        yield f"{report.associations_added + report.associations_removed:,} contacts of deals"
