"""`schedule`: sync again and again, in the foreground (T5)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.ending import Ending
from connector.cli.opening import now
from connector.cli.printing import reports, terminal

if TYPE_CHECKING:
    from connector.engine.world import Connection
    from connector.schedule import Event

PANEL = "Sync"


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples("connector schedule", "connector schedule --json >> sync.log"),
    )(schedule)


def schedule(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each run.")] = False,
) -> None:
    """Sync at the times that the settings name, until it is asked to end (Ctrl-C, SIGTERM).

    One line for each run. What was missed while it stood still is made up for once; runs never overlap. Asked to
    end, it finishes the batch in hand, settles it, and ends with exit code 0.

    Exit code 0: it was asked to end; 2: bad configuration.
    """
    from connector.engine.connect import connect  # noqa: PLC0415  # slow to import
    from connector.schedule import Schedule  # noqa: PLC0415  # slow to import

    ending = Ending()

    def open_connection() -> Connection:
        return connect(os.environ, Path.cwd(), sleep=ending.sleep)

    def tell(event: Event) -> None:
        if json:
            terminal.print_json(_describe(event))
        else:
            reports.print_event(event)

    with ending.listening():
        if not json:
            terminal.err().print("Syncing at its times; Ctrl-C ends it.")
        Schedule(open_connection, ending, now, tell).run()


def _describe(event: Event) -> dict[str, Any]:
    from connector.schedule import describe_event  # noqa: PLC0415  # slow to import

    error = terminal.describe_stop(event.error) if event.error else None
    return describe_event(event) | {"error": error}
