"""How are checks told? One line for each thing that was looked at, its class if it is amiss, and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from connector.cli.printing.terminal import count, out

if TYPE_CHECKING:
    from connector.engine.check import Check


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
        cause = f"[bold]{escape(one.cause)}:[/] " if one.cause else ""
        table.add_row(state, escape(one.name), cause + escape(one.detail) + remedy)
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
        {
            "name": one.name,
            "state": str(one.state),
            "class": str(one.cause) if one.cause else None,
            "detail": one.detail,
            "remedy": one.remedy,
        }
        for one in found
    ]
    return {"status": worst, "checks": rows}
