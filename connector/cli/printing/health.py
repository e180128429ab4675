"""How is the state of the sync told? The last run, the links, suspension, and every problem with its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from connector.cli.printing.terminal import NAMES, count, indent, make_table, moment, out
from connector.core.model import Side


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
        console.print(indent(table, 2))
    waiting = f"{count(found['waiting'], 'record')} for another one"
    console.print(f"To be looked at by the next run: {count(found['due'], 'record')}. Waiting: {waiting}.")
    calls = (_describe_calls(side, found["calls"][side]) for side in Side)
    console.print(f"API calls in the last 24 hours: {'; '.join(calls)}.")
    if found["out_of_scope"]:
        console.print(f"Out of scope, and left alone: {count(found['out_of_scope'], 'record')}.")
    for run, number in found["held"].items():
        what = "write is" if number == 1 else "writes are"
        console.print(f"Held since run {run} was undone: {number:,} {what}; `connector resume {run}` lets go.")
    problems = found["problems"]
    console.print(f"[bold yellow]Problems: {len(problems):,}[/]" if problems else "Problems: none")
    for one in problems:
        print_problem(one, console)


def print_suspension(one: Mapping[str, Any], console: Console) -> None:
    """Why nothing is synced, since when, and how it goes on."""
    console.print(f"[bold red]Suspended[/] since {moment(one['since'])}: {escape(one['message'])}")
    console.print(indent(f"→ {escape(one['remedy'])}", 2))
    how = "by itself, in the first run after that" if one["ends_by_itself"] else "after `connector resume`"
    console.print(indent(f"[dim]It goes on {how}. Runs refused so far: {one['refused']:,}.[/]", 2))


def print_resumed(ended: Mapping[str, Any] | None) -> None:
    """What `resume` ended, if anything."""
    if ended is None:
        out().print("Nothing is suspended.")
        return
    since = moment(ended["since"])
    out().print(f"[bold green]Resumed[/]: the next run tries again. It was suspended since {since}:")
    out().print(indent(escape(ended["message"]), 2))


def _describe_calls(side: Side, calls: Mapping[str, Any]) -> str:
    allowed = "" if calls["allowed"] is None else f" of {calls['allowed']:,} allowed"
    return f"{NAMES[side]} {calls['used']:,}{allowed}"


def print_problem(one: Mapping[str, Any], console: Console) -> None:
    name = NAMES[Side(one["side"])]
    field = f", {one['field']}" if one["field"] else ""
    console.print(
        f"  [bold]{escape(one['cause'])}[/]: {name} {escape(one['object'])} {one['record_id']}{escape(field)}"
    )
    console.print(indent(escape(one["detail"])))
    if one["remedy"]:
        console.print(indent(f"→ {escape(one['remedy'])}"))
    tried = f"since {moment(one['since'])}, tried {count(one['attempts'], 'time')}"
    again = f"; next try {moment(one['next_try'])}" if one["next_try"] else "; next try when the record changes"
    console.print(indent(f"[dim]{tried}{again}[/]"))
