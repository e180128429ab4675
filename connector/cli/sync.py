"""`sync` and `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from connector.cli.opening import exit_code, last_report, now, opened_store, run_connected
from connector.cli.printing import health, reports, terminal
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
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples("connector status", "connector status --json"),
    )(status)


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


def status(json: Json = False) -> None:
    """Show whether the sync is suspended, the last run, links, API calls and every open problem.

    Asks neither CRM.
    """
    from connector.engine.allocation import Allocation  # noqa: PLC0415  # slow to import
    from connector.engine.suspension import find_suspension  # noqa: PLC0415  # slow to import

    with opened_store() as (settings, store):
        suspension = find_suspension(store)
        found = {
            "connection": settings.connection,
            "suspension": suspension.as_json() if suspension else None,
            "calls": Allocation(settings.daily_calls(), store, now).as_json(),
            "last_run": store.runs.last(),
            "links": store.links.count_by_state(),
            "due": store.records.count_dirty(),
            "waiting": store.records.count_waiting(),
            "out_of_scope": sum(store.records.count_out_of_scope().values()),
            "problems": store.problems.all(),
            "held": {str(run): number for run, number in store.holds.count().items()},
        }
    if json:
        terminal.print_json(found)
    else:
        health.print_status(found)
