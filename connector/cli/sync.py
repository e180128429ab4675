"""`plan`, `sync` and `status`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import printing
from connector.errors import Busy, Stop

if TYPE_CHECKING:
    from connector.engine.world import Connection

PANEL = "Sync"
DONE, WITH_PROBLEMS, REFUSED = 0, 1, 3

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
RecordIds = Annotated[
    list[str] | None,
    typer.Option(
        "--record",
        metavar="ID",
        help="Only this record, now: a Salesforce id, or deal:ID, contact:ID, company:ID. May be repeated.",
    ),
]
Deletes = Annotated[
    bool | None,
    typer.Option(
        "--allow-deletes/--without-deletes",
        help="Delete even more deals than the guard allows / delete none and do everything else.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog="Examples: connector sync · connector sync --record 006XXXXXXXXXXXXXXX · connector sync --json",
    )(sync)


def sync(json: Json = False, record: RecordIds = None, deletes: Deletes = None) -> None:
    """Bring both CRMs into step."""
    from connector.engine import run  # noqa: PLC0415  # slow to import
    from connector.engine.connect import connect  # noqa: PLC0415  # slow to import

    wish = run.Wish(deletes=deletes, records=tuple(record or ()))
    connection = None
    try:
        connection = connect(os.environ, Path.cwd())
        with printing.progress(quiet=json) as tell:
            report = run.sync(connection, wish, tell)
    except Stop as error:
        if json:
            printing.print_json(_stopped(connection, error))
        raise
    if json:
        printing.print_json(report.as_json())
    else:
        printing.print_report(report)
    raise typer.Exit(exit_code(report.status))


def exit_code(status: str) -> int:
    """What a report's status means to a shell."""
    return {"problems": WITH_PROBLEMS, "refused": REFUSED}.get(status, DONE)


def _stopped(connection: Connection | None, error: Stop) -> dict[str, Any]:
    """The report of a run that did not come to its end, as far as it came."""
    from connector.engine.report import Report  # noqa: PLC0415  # slow to import

    told = Report().as_json()
    if connection is not None and not isinstance(error, Busy):  # then the last run is not ours
        last = connection.store.runs.last()
        told |= last["report"] if last else {}
    status = "refused" if error.exit_code == REFUSED else "stopped"
    return told | {"status": status, "error": printing.describe_stop(error)}
