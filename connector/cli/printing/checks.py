"""How is the set-up told? What was written, what to do next, and what a check found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from connector.cli.printing.terminal import count, out

if TYPE_CHECKING:
    from connector.engine.check import Check


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
