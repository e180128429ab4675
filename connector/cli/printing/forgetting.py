"""How is it told what forgetting a person removes, and what is still to be done elsewhere?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from connector.cli.printing.terminal import NAMES, count, out

if TYPE_CHECKING:
    from connector.engine.forget import Forgotten

SHOWN = 20
WORDS = {
    "record": "observations of records",
    "record_key": "keys to find them by",
    "link": "links",
    "edge": "ties to deals and companies",
    "role": "contact roles",
    "association": "contacts of deals",
    "waiting": "records that wait",
    "problem": "problems",
    "choice": "choices",
    "image": "earlier states of links and ties",
    "held": "writes held since an undo",
    "import_row": "rows of imports",
    "journal": "journal entries, which keep verb and time",
    "text": "reports and other texts, in which the name or address is covered",
}


def print_forgetting(one: Forgotten, console: Console | None = None) -> None:
    """What would go."""
    console = console or out()
    console.print("[bold]Would be forgotten[/]; nothing was removed yet")
    _print_records(one, console)
    _print_removed(one, console)
    _print_rest(one, console)


def print_forgotten(one: Forgotten, console: Console | None = None) -> None:
    """What is gone, and what is left to do."""
    console = console or out()
    console.print(f"[bold green]Forgotten[/], noted as run {one.run} by numbers alone")
    _print_removed(one, console)
    _print_rest(one, console)
    console.print(
        "  Backups and exports of the store, saved plans, and output that was kept still have the person: delete"
        " those too."
    )
    if not one.wiped:
        console.print(
            "  [bold yellow]The files still hold deleted bytes[/]: something else reads the store, or the disk is"
            " full. Say the same again later."
        )


def _print_records(one: Forgotten, console: Console) -> None:
    for record in one.records[:SHOWN]:
        gone = "" if record.present else "  not in the CRM any more"
        name = f"  {escape(record.name)}" if record.name else ""
        console.print(f"  {NAMES[record.side]} contact {record.id}{name}[dim]{gone}[/]")
    if len(one.records) > SHOWN:
        console.print(f"  … and {len(one.records) - SHOWN} more")


def _print_removed(one: Forgotten, console: Console) -> None:
    for table, words in WORDS.items():
        if number := one.removed.get(table):
            console.print(f"  {number:>7,}  {words}")


def _print_rest(one: Forgotten, console: Console) -> None:
    if one.still_there:
        sides = " and ".join(dict.fromkeys(NAMES[record.side] for record in one.still_there))
        console.print(
            f"  When last seen, the person was still in {sides}: a later run may take them in again. Delete them"
            " there first."
        )
    if one.mentions:
        console.print(
            f"  {count(one.mentions, 'record')} of others, such as deals, name the person too. They are as the CRM"
            " has them: change them there."
        )
