"""How is it told what was backed up or put back?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from connector.cli.printing.terminal import count, moment, out

if TYPE_CHECKING:
    from connector.engine.restore import Restored
    from connector.store.backup import Contents


def describe_backup(target: Path, contents: Contents) -> dict[str, Any]:
    """The documented shape of `connector backup --json`."""
    return {"file": str(target), "bytes": target.stat().st_size, **asdict(contents)}


def print_backup(target: Path, contents: Contents) -> None:
    size = f"{target.stat().st_size / 1e6:,.1f} MB"
    out().print(f"[bold green]Backed up[/] {escape(str(target))}: {_sum_up(contents)}, {size}", soft_wrap=True)


def describe_restored(done: Restored) -> dict[str, Any]:
    """The documented shape of `connector restore --json`."""
    return {"file": done.file, **asdict(done.contents), "run": done.run, "replaced": done.replaced}


def print_restored(done: Restored) -> None:
    console = out()
    console.print(f"[bold green]Put back[/] {escape(done.file)}: {_sum_up(done.contents)}", soft_wrap=True)
    if done.replaced is not None:
        console.print(f"  The store that was there is kept as {escape(done.replaced)}.", soft_wrap=True)
    console.print(f"  `connector runs` has it as number {done.run}. Look at `connector plan` before the next sync.")


def _sum_up(contents: Contents) -> str:
    last = f"last run {contents.last_run} of {moment(contents.last_at)}" if contents.last_at else "no run yet"
    return f"{count(contents.links, 'link')}, {last}"
