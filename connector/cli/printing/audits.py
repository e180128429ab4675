"""How is an audit told? How much has drifted, of which kind, for example what, and how it is put right."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from connector.cli.printing.reports import print_price
from connector.cli.printing.terminal import NAMES, count, indent, make_table, out, show

if TYPE_CHECKING:
    from connector.core.audit import Drift, Share
    from connector.engine.audit import Audit

SHOWN = 10
"""Examples of each kind."""

_KINDS = {
    "missed deletion": "deleted, and no look noticed",
    "missed merge": "merged into another record, and no look noticed",
    "not visible": "out of sight of the connector's user",
    "formula": "formulas over other records with another result (T3)",
    "not kept": "values that the CRM took and does not hold",
    "missed edit": "edits that no look noticed: committed late, or without a date",
    "contacts": "deals whose contacts or roles are others than was thought",
    "never seen": "records in scope that no look has shown",
    "not written": "seen as they are, and the rules would still write",
}


def print_audit(found: Audit, repair: Path | None) -> None:
    console = out()
    if not found.shares:
        console.print("Nothing is linked yet, so nothing can drift. Begin with `connector sync`.")
    elif not found.drifts:
        console.print("[bold green]No drift[/]")
    else:
        console.print("[bold yellow]Drift[/]")
    table = make_table("", "looked at>", "of>", "drifted>", "rate>", "whole lies between>")
    for pair, share in found.shares.items():
        table.add_row(pair, f"{share.looked_at:,}", f"{share.all:,}", f"{share.drifted:,}", *_rates(share))
    if found.shares:
        console.print(indent(table, 2))
    _print_kinds(found, console)
    _print_differing(found, console)
    if found.due:
        console.print(f"  Besides, the next sync has {count(found.due, 'record')} to look at; these are no drift.")
    if found.drifts:
        _print_repair(found, repair, console)


def _print_kinds(found: Audit, console: Console) -> None:
    for kind, words in _KINDS.items():
        some = [one for one in found.drifts if one.kind == kind]
        if some:
            console.print(f"[bold]{len(some):,}[/] {words}")
        for one in some[:SHOWN]:
            console.print(indent(_describe(one)))
        if len(some) > SHOWN:
            console.print(f"    … and {len(some) - SHOWN:,} more; `--json` lists them")


def _print_repair(found: Audit, repair: Path | None, console: Console) -> None:
    rows = len(found.repair.actions)
    console.print(f"[bold]Repair[/]: a plan of {count(rows, 'row')}")
    print_price(found.repair, console)
    if repair is None:
        console.print("Keep it with `--repair repair.json`, to be read and applied.")
        return
    console.print(f"  written to {escape(str(repair))}", soft_wrap=True)
    if repair.suffix == ".json" and rows:
        console.print(f"Carry it out with `connector apply {escape(str(repair))}`.", soft_wrap=True)


def _rates(share: Share) -> tuple[str, str]:
    low, high = share.bounds
    between = "-" if share.looked_at >= share.all else f"{low:.2%} and {high:.2%}"
    return f"{share.rate:.2%}", between


def _describe(one: Drift) -> Text:
    line = Text(f"{NAMES[one.side]} {one.object} {one.record_id}")
    if one.field:
        line.append(f"  {one.field}: ", "dim")
        line.append(f"{show(one.seen)} → {show(one.now)}")
    return line


def _print_differing(found: Audit, console: Console) -> None:
    """What HubSpot computes itself counts other deals, such as those that are in HubSpot alone (U7, U9)."""
    if not found.differing:
        return
    properties = Counter(one.property for one in found.differing)
    told = ", ".join(f"{name} {number:,}" for name, number in sorted(properties.items()))
    console.print(f"HubSpot's own rollups differ from the connector's, as they count all deals of HubSpot: {told}")
    for one in found.differing[:3]:
        values = f"{show(one.hubspot)}, the connector's {show(one.ours)}"
        console.print(indent(f"[dim]{one.object} {one.record_id}  {one.property}: {escape(values)}[/]"))
