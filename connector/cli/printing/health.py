"""How is the state of the sync told? First whether all is well, then what it was judged by; on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connector.cli.printing.terminal import NAMES, count, describe_age, indent, make_table, moment, out
from connector.core.model import Side

if TYPE_CHECKING:
    from connector.engine.answers.health import Health


def print_health(found: Health, now: datetime) -> None:
    """The headline, what a person should see to, and the figures."""
    console = out()
    if found.last_run is None and not found.suspension and not found.holder:
        console.print("No run yet. Begin with `connector check`, then `connector plan`.")
        return
    _print_headline(found, console)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, text in _rows(found, now):
        grid.add_row(name, text)
    console.print(indent(grid, 2))
    _print_problems(found, console, now)
    _print_links(found, console)


def _print_headline(found: Health, console: Console) -> None:
    if found.healthy:
        console.print("[bold green]All is well[/]")
    elif found.suspension:
        print_suspension(found.suspension, console)
    else:
        console.print("[bold yellow]Something needs you[/]")
    for one in found.concerns:
        if one.worry.value != "suspended":
            console.print(indent(f"• {escape(one.text)}", 2))
            console.print(indent(f"→ {escape(one.remedy)}", 4))


def _rows(found: Health, now: datetime) -> list[tuple[str, str]]:
    last, fresh = found.last_run, found.freshness
    rows = []
    if last is not None:
        ended = f", ended {moment(last.finished)}" if last.finished else ""
        rows.append(("last run", f"{last.run}, {last.status}{ended}"))
    if fresh.last_good_at is not None and fresh.age is not None:
        usual = (
            f"; usually every {describe_age(fresh.interval)}" if fresh.interval else "; no regular schedule seen"
        )
        rows.append(("last good run", f"{describe_age(fresh.age)} ago{usual}"))
    if found.under_way or found.holder:
        rows.append(("now", _describe_holder(found)))
    read = [
        f"{NAMES[side]} up to {moment(at)} ({describe_age((now - datetime.fromisoformat(at)).total_seconds())} ago)"
        for side in Side
        if (at := found.freshness.read_up_to.get(side.value))
    ]
    if read:
        rows.append(("read", "\n".join(read)))
    due = ", ".join(f"{number:,} {name}" for name, number in found.due.items()) or "nothing"
    retries = f"; {count(found.retries_due, 'problem')} to try again" if found.retries_due else ""
    rows.append(("next run", f"{due} to look at{retries}"))
    if found.waiting:
        rows.append(("waiting", f"{count(found.waiting, 'record')} for another one to be linked first"))
    if found.out_of_scope:
        rows.append(("out of scope", f"{count(found.out_of_scope, 'record')}, left alone"))
    for run, number in found.held.items():
        told = f"{count(number, 'write')}, since run {run} was undone; `connector resume {run}` lets go"
        rows.append(("held", told))
    rows.append(("API calls", "\n".join(_describe_calls(side, found) for side in Side)))
    conflicts = (
        f"{found.conflicts_held:,} held for a person, {found.conflicts_settled:,} settled in the last 7 days"
    )
    rows.append(("conflicts", conflicts))
    return rows


def _describe_holder(found: Health) -> str:
    who = found.holder
    if who is None:
        return "a run is under way"
    process = f"process {who['pid']} on {escape(who['host'])}"
    if who["gone"]:
        return f"{process}, whose run was cut short, is gone; the next run goes on from there"
    return f"a run is under way since {moment(who['since'])}, in {process}"


def _describe_calls(side: Side, found: Health) -> str:
    budget = found.calls[side.value]
    allowed = "" if budget.allowed is None else f" of {budget.allowed:,} allowed"
    left = "" if budget.left is None else f", {budget.left:,} left"
    return f"{NAMES[side]} {budget.used:,}{allowed} in the last 24 hours{left}"


def _print_problems(found: Health, console: Console, now: datetime) -> None:
    hidden = f", {found.ignored:,} ignored" if found.ignored else ""
    total = sum(one.number for one in found.problems)
    style = "bold yellow" if total else "bold"
    console.print(f"[{style}]Problems: {f'{total:,}' if total else 'none'}[/]{hidden}")
    for one in found.problems:
        age = describe_age((now - datetime.fromisoformat(one.oldest)).total_seconds())
        console.print(indent(f"{one.number:,} {escape(one.cause)}, the oldest for {age}", 2))


def _print_links(found: Health, console: Console) -> None:
    if not found.links:
        return
    states = sorted({state for some in found.links.values() for state in some})
    table = make_table("linked pairs", *(f"{state}>" for state in states))
    for pair, some in found.links.items():
        table.add_row(pair, *(f"{some[state]:,}" if state in some else "-" for state in states))
    console.print(indent(table, 0))


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
