"""`undo` and `resume`: take a run back, and let go on what was held or suspended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.ending import Ending
from connector.cli.opening import DONE, WITH_PROBLEMS, connected_to, opened_store
from connector.cli.printing import health, terminal
from connector.cli.printing import undo as printing
from connector.cli.wishes import Json

if TYPE_CHECKING:
    from connector.engine.frame import Progress
    from connector.engine.undo import Undone
    from connector.engine.world import Connection

PANEL = "Take back"

RunNumber = Annotated[int, typer.Argument(metavar="RUN", help="The run's number, as `sync` and `status` print it.")]


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector undo 12 --dry-run", "connector undo 12", "connector undo 12 --yes --json"
        ),
    )(undo)
    app.command(rich_help_panel=PANEL, epilog=terminal.make_examples("connector resume", "connector resume 12"))(
        resume
    )


def undo(
    run: RunNumber,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be restored.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it is done.")] = False,
    all_: Annotated[
        bool, typer.Option("--all", help="Show every action, not only the first 20 of a kind.")
    ] = False,
    json: Json = False,
) -> None:
    """Take a run back: restore, on both sides, what still holds the value that it wrote.

    Shows first what that is, and what has moved on since and stays. What was undone is not written again until its
    source changes or `connector resume RUN` lets it go. An undo is a run too, and can be undone.

    Exit code 0: done; 1: done, but something stays as it is; 2: no such run, or not confirmed; 4: no connection.
    """
    if not dry_run and not yes and (json or not sys.stdin.isatty()):
        raise typer.BadParameter(
            "nobody can be asked here: look with --dry-run, then say --yes", param_hint="--yes"
        )
    ending = Ending()
    done = connected_to(
        lambda c, tell: _act(c, tell, ending, run, dry_run=dry_run, yes=yes, everything=all_),
        json=json,
        ending=ending,
    )
    if done is None:
        return
    if json:
        terminal.print_json(done.as_json(planned=dry_run))
    else:
        printing.print_undone(done, planned=dry_run, everything=all_)
    raise typer.Exit(WITH_PROBLEMS if done.left and not dry_run else DONE)


def _act(
    c: Connection, tell: Progress, ending: Ending, run: int, *, dry_run: bool, yes: bool, everything: bool
) -> Undone | None:
    from connector.engine.undo import plan_undo, undo  # noqa: PLC0415  # slow to import

    if dry_run:
        return plan_undo(c, run, tell)
    if not yes:
        printing.print_undone(plan_undo(c, run, tell), planned=True, everything=everything)
        if not typer.confirm("Restore this now?"):
            return None
    with ending.listening():
        return undo(c, run, ending.watch(tell))


def resume(
    run: Annotated[
        int | None,
        typer.Argument(metavar="[RUN]", help="A run that was undone: what it wrote may be written again."),
    ] = None,
    json: Json = False,
) -> None:
    """Let the next run try again after the sync was suspended, or write again what an undo holds back.

    Credentials that were refused, scopes that were missing and a CRM that was put back to an earlier state suspend
    the sync until this is said. Asks no CRM.
    """
    from connector.engine.held import let_go, pairs_by_object  # noqa: PLC0415  # slow to import
    from connector.engine.suspension import resume as end_suspension  # noqa: PLC0415  # slow to import
    from connector.settings import load_mapping  # noqa: PLC0415  # slow to import

    with opened_store() as (settings, store):
        if run is not None:
            pairs = pairs_by_object(load_mapping(settings, Path.cwd()).values())
            number = let_go(store, pairs, run)
            if json:
                terminal.print_json({"run": run, "let_go": number})
            else:
                printing.print_let_go(run, number)
            return
        ended = end_suspension(store)
    if json:
        terminal.print_json({"resumed": ended is not None, "suspension": ended.as_json() if ended else None})
    else:
        health.print_resumed(ended.as_json() if ended else None)
