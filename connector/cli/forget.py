"""`forget`: remove a person from what the connector remembers."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from connector.cli.opening import DONE, WITH_PROBLEMS, opened_store
from connector.cli.options import Json
from connector.cli.printing import terminal

PANEL = "Take back"


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector forget ada@example.com --dry-run",
            "connector forget ada@example.com",
            "connector forget 003XXXXXXXXXXXXXXX --yes --json",
        ),
    )(forget)


def forget(
    who: Annotated[
        str, typer.Argument(metavar="WHO", help="The person's e-mail, or the id of their contact on either side.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it is done.")] = False,
    json: Json = False,
) -> None:
    """Remove a person from the store and its journal. Asks neither CRM; delete the person there first.

    Shows first what would go. As long as the person is in a CRM, a later run may take them in again. Backups and
    exports of the store, saved plans, reports in files and logs still have the person.

    Exit code 0: forgotten; 1: forgotten, but the files could not be wiped yet, or not confirmed; 2: nobody found;
    4: a run is under way.
    """
    from connector.cli.printing import forgetting  # noqa: PLC0415  # needs rich's tables
    from connector.engine.forget import forget as remove  # noqa: PLC0415  # slow to import
    from connector.engine.forget import show_forgetting  # noqa: PLC0415  # slow to import

    if not dry_run and not yes and (json or not sys.stdin.isatty()):
        raise typer.BadParameter(
            "nobody can be asked here: look with --dry-run, then say --yes", param_hint="--yes"
        )
    with opened_store() as (_, store):
        if dry_run or not yes:
            shown = show_forgetting(store, who)
            if json:
                terminal.print_json(shown.as_json())
            else:
                forgetting.print_forgetting(shown)
        if dry_run:
            return
        if not yes:
            typer.confirm("Forget this person now? It cannot be undone", abort=True, err=True)
        done = remove(store, who)
    if json:
        terminal.print_json(done.as_json())
    else:
        forgetting.print_forgotten(done)
    raise typer.Exit(DONE if done.wiped else WITH_PROBLEMS)
