"""How is it said? All sentences and tables that a person reads are made here.

Results go to stdout; progress, warnings and errors to stderr. Rich leaves out colours where there is no
terminal or where NO_COLOR is set.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from connector.core.model import Change, Side, Value
from connector.errors import BadConfiguration, Finding, Spent, Stop, Suspended

if TYPE_CHECKING:
    from connector.engine.check import Check
    from connector.engine.report import Report, Written

NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
VERBS = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "connect": "add contacts to",
    "disconnect": "remove contacts from",
    "name": "name contacts of",
}
WIDTH = 100
"""Columns where there is no terminal to ask."""

SHOWN = 20
"""Actions of one kind that a plan shows unless asked for all."""

MADE_SHOWN = 20


def print_json(value: Any) -> None:
    """One line of JSON on stdout, sent off at once."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def make_examples(*commands: str) -> str:
    """The end of a command's help: one example on each line."""
    return "\n\n".join(["Examples:", *(f"  {command}" for command in commands)])


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
            # Not wrapped: a place that is torn apart cannot be clicked or copied.
            console.print(f"  [bold]{escape(place(finding))}[/]: {escape(finding.message)}", soft_wrap=True)
            if finding.remedy:
                console.print(_indent(f"→ {escape(finding.remedy)}"))
        return
    console.print(_indent(escape(error.message), 2))
    if error.remedy:
        console.print(_indent(f"→ {escape(error.remedy)}", 2))


def _headline(error: Stop) -> str:
    if isinstance(error, Suspended):
        return "Suspended: nothing was begun"
    if isinstance(error, Spent):
        return "Stopped: no API calls left"
    return {2: "Please mend this first", 3: "Refused: nothing was written"}.get(
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
    _print_made("made", report.made, console)
    print_counts(report, console)
    console.print(f"  API calls: {'; '.join(_calls(report, side) for side in Side)}")
    _print_notes(report, console)


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
                console.print(_indent(line))
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


def show(value: Value) -> str:
    """A value as a person would write it; long texts are cut."""
    if value is None:
        return "(empty)"
    text = str(value)
    return f"{text[:57]}…" if len(text) > 58 else text


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
        console.print(f"  [yellow]problems: {report.problems:,} open; `connector status` lists them[/]")
    for note in report.notes:
        console.print(_indent(f"note: {escape(note)}", 2))


def count(number: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
        for object_ in sorted({key for count in counts for key in count}):
            table.add_row(name, object_, *(f"{count[object_]:,}" if count[object_] else "-" for count in counts))
            name = ""
    if report.associations_added or report.associations_removed:
        removed = f"{report.associations_removed:,}" if report.associations_removed else "-"
        table.add_row("both", "contacts of deals", f"{report.associations_added:,}", "-", removed)
    console.print(_indent(table, 2))


def _indent(what: RenderableType, by: int = 4) -> Padding:
    return Padding(what, (0, 0, 0, by), expand=False)


def make_table(*columns: str) -> Table:
    """A table without lines, set in a little. A column whose name ends in `>` is of numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    for column in columns:
        table.add_column(column.removesuffix(">"), justify="right" if column.endswith(">") else "left")
    return table


# --- set-up -----------------------------------------------------------------------------------------------


def print_next_steps(written: Iterable[Path], salesforce: str, hubspot: str) -> None:
    """What `init` wrote, and the environment variables (by their prefixes) that are needed now."""
    console = out()
    for name in written:
        console.print(f"  wrote {escape(str(name))}")
    console.print("\n[bold]Next[/]")
    console.print("  1. Say where Salesforce is and how to get in, in the environment:")
    console.print(f"       {salesforce}_INSTANCE_URL   e.g. https://yourcompany.my.salesforce.com")
    console.print("     and one of")
    console.print(f"       {salesforce}_CONSUMER_KEY, {salesforce}_CONSUMER_SECRET   of a connected app")
    console.print(f"       {salesforce}_USERNAME, {salesforce}_PASSWORD, {salesforce}_SECURITY_TOKEN")
    console.print(f"       {salesforce}_SESSION_ID")
    console.print("  2. The same for HubSpot:")
    console.print(f"       {hubspot}_ACCESS_TOKEN   of a private app or a service key")
    console.print("  3. connector check   tells what is missing on either side")
    console.print("  4. connector plan    tells what would be written, and why")
    console.print("  5. connector sync")


_STATES = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "problem": "[bold red]problem[/]"}


def print_checks(found: Sequence[Check]) -> None:
    """One line for each thing that was looked at, and what to do about it."""
    console = out()
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for one in found:
        state = _STATES.get(one.state, f"[bold red]{one.state}[/]")
        remedy = f"\n→ {escape(one.remedy)}" if one.remedy else ""
        table.add_row(state, escape(one.name), escape(one.detail) + remedy)
    console.print(table)
    bad = [one for one in found if one.state not in {"ok", "warning"}]
    warnings = sum(one.state == "warning" for one in found)
    if bad:
        console.print(f"[bold red]{count(len(bad), 'problem')}[/], {count(warnings, 'warning')}")
    else:
        console.print(f"[bold green]Ready to sync[/], {count(warnings, 'warning')}")


def describe_checks(found: Sequence[Check]) -> dict[str, Any]:
    """The documented shape of `connector check --json`."""
    states = {str(one.state) for one in found}
    worst = next((state for state in ("no connection", "problem", "warning") if state in states), "ok")
    rows = [
        {"name": one.name, "state": str(one.state), "detail": one.detail, "remedy": one.remedy} for one in found
    ]
    return {"status": worst, "checks": rows}


# --- status -----------------------------------------------------------------------------------------------


def print_status(found: Mapping[str, Any]) -> None:
    """The last run, the links, and every open problem with what to do about it."""
    console = out()
    if found["suspension"]:
        print_suspension(found["suspension"], console)
    last = found["last_run"]
    if last is None:
        console.print("No run yet. Begin with `connector check`, then `connector plan`.")
    else:
        console.print(f"Last run: {last['run']}, {last['status']}, finished {moment(last['finished'])}")
    if found["links"]:
        states = sorted({state for some in found["links"].values() for state in some})
        table = make_table("linked pairs", *(f"{state}>" for state in states))
        for pair, some in found["links"].items():
            table.add_row(pair, *(f"{some[state]:,}" if state in some else "-" for state in states))
        console.print(_indent(table, 2))
    waiting = f"{count(found['waiting'], 'record')} for another one"
    console.print(f"To be looked at by the next run: {count(found['due'], 'record')}. Waiting: {waiting}.")
    calls = (_describe_calls(side, found["calls"][side]) for side in Side)
    console.print(f"API calls in the last 24 hours: {'; '.join(calls)}.")
    if found["out_of_scope"]:
        console.print(f"Out of scope, and left alone: {count(found['out_of_scope'], 'record')}.")
    problems = found["problems"]
    console.print(f"[bold yellow]Problems: {len(problems):,}[/]" if problems else "Problems: none")
    for one in problems:
        print_problem(one, console)


def print_suspension(one: Mapping[str, Any], console: Console) -> None:
    """Why nothing is synced, since when, and how it goes on."""
    console.print(f"[bold red]Suspended[/] since {moment(one['since'])}: {escape(one['message'])}")
    console.print(_indent(f"→ {escape(one['remedy'])}", 2))
    how = "by itself, in the first run after that" if one["ends_by_itself"] else "after `connector resume`"
    console.print(_indent(f"[dim]It goes on {how}. Runs refused so far: {one['refused']:,}.[/]", 2))


def print_resumed(ended: Mapping[str, Any] | None) -> None:
    """What `resume` ended, if anything."""
    if ended is None:
        out().print("Nothing is suspended.")
        return
    since = moment(ended["since"])
    out().print(f"[bold green]Resumed[/]: the next run tries again. It was suspended since {since}:")
    out().print(_indent(escape(ended["message"]), 2))


def _describe_calls(side: Side, calls: Mapping[str, Any]) -> str:
    allowed = "" if calls["allowed"] is None else f" of {calls['allowed']:,} allowed"
    return f"{NAMES[side]} {calls['used']:,}{allowed}"


def print_problem(one: Mapping[str, Any], console: Console) -> None:
    name = NAMES[Side(one["side"])]
    field = f", {one['field']}" if one["field"] else ""
    console.print(
        f"  [bold]{escape(one['cause'])}[/]: {name} {escape(one['object'])} {one['record_id']}{escape(field)}"
    )
    console.print(_indent(escape(one["detail"])))
    if one["remedy"]:
        console.print(_indent(f"→ {escape(one['remedy'])}"))
    tried = f"since {moment(one['since'])}, tried {count(one['attempts'], 'time')}"
    again = f"; next try {moment(one['next_try'])}" if one["next_try"] else "; next try when the record changes"
    console.print(_indent(f"[dim]{tried}{again}[/]"))


def moment(iso: str) -> str:
    """`2026-11-22 17:03 UTC`."""
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
