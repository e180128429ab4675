"""`sync`: bring both CRMs into step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from connector.cli.opening import exit_code, last_report, run_connected
from connector.cli.printing import reports, terminal
from connector.cli.wishes import Create, Deletes, Json, Objects, RecordIds, make_wish

if TYPE_CHECKING:
    pass

PANEL = "Sync"


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector sync",
            "connector sync --without-deletes",
            "connector sync --record 006XXXXXXXXXXXXXXX --json",
        ),
    )(sync)


def sync(
    json: Json = False,
    record: RecordIds = None,
    object_: Objects = None,
    create: Create = False,
    deletes: Deletes = None,
) -> None:
    """Bring both CRMs into step.

    Exit code 0: done; 1: done, with problems; 2: bad configuration; 3: refused by the guard;
    4: no connection.
    """
    from connector.engine import run  # noqa: PLC0415  # slow to import

    wish = make_wish(record, object_, create=create, deletes=deletes)
    report = run_connected(run.sync, wish, told=last_report if json else None)
    if json:
        terminal.print_json(report.as_json())
    else:
        reports.print_report(report)
    raise typer.Exit(exit_code(report.status))
