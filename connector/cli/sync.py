"""`plan`, `sync` and `resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.opening import exit_code, opened_store, run_connected
from connector.cli.printing import health, reports, terminal

if TYPE_CHECKING:
    from connector.engine.run import Wish
    from connector.engine.world import Connection

PANEL = "Sync"

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
RecordIds = Annotated[
    list[str] | None,
    typer.Option(
        "--record",
        metavar="ID",
        help="Only this record, now: a Salesforce id, or deal:ID, contact:ID, company:ID. May be repeated.",
    ),
]
Create = Annotated[
    bool,
    typer.Option(
        "--create",
        help="With --record: make its partner on the other side even where the rules would make none, such as an"
        " account for a company without contacts.",
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
        epilog=terminal.make_examples(
            "connector plan", "connector plan --all", "connector plan --record deal:123456789 --json"
        ),
    )(plan)
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector sync",
            "connector sync --without-deletes",
            "connector sync --record 006XXXXXXXXXXXXXXX --json",
        ),
    )(sync)
    app.command(rich_help_panel=PANEL, epilog=terminal.make_examples("connector resume"))(resume)


def plan(
    json: Json = False,
    record: RecordIds = None,
    create: Create = False,
    deletes: Deletes = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Show every action, not only the first 20 of a kind.")
    ] = False,
) -> None:
    """Show what a sync would write now, why, and its price in API calls. Writes nothing.

    Exit code 0: fine; 1: there are problems, see `connector status`; 3: the guard would refuse this.
    """
    from connector.engine import run  # noqa: PLC0415  # slow to import

    wish = _wish(record, create, deletes)
    report = run_connected(run.plan, wish, told=_nothing_planned if json else None)
    if json:
        terminal.print_json(report.plan_as_json())
    else:
        reports.print_plan(report, everything=all_)
    raise typer.Exit(exit_code(report.status))


def sync(json: Json = False, record: RecordIds = None, create: Create = False, deletes: Deletes = None) -> None:
    """Bring both CRMs into step.

    Exit code 0: done; 1: done, with problems; 2: bad configuration; 3: refused by the guard;
    4: no connection.
    """
    from connector.engine import run  # noqa: PLC0415  # slow to import

    wish = _wish(record, create, deletes)
    report = run_connected(run.sync, wish, told=_last_report if json else None)
    if json:
        terminal.print_json(report.as_json())
    else:
        reports.print_report(report)
    raise typer.Exit(exit_code(report.status))


def _wish(record: list[str] | None, create: bool, deletes: bool | None) -> Wish:
    from connector.engine.run import Wish  # noqa: PLC0415  # slow to import

    if create and not record:
        raise typer.BadParameter("name the records to create partners for with --record", param_hint="--create")
    return Wish(deletes=deletes, records=tuple(record or ()), create=create)


def resume(json: Json = False) -> None:
    """Let the next run try again after the sync was suspended. Asks neither CRM.

    Credentials that were refused and scopes that were missing suspend it until this is said.
    """
    from connector.engine.suspension import resume as end_suspension  # noqa: PLC0415  # slow to import

    with opened_store() as (_, store):
        ended = end_suspension(store)
    if json:
        terminal.print_json({"resumed": ended is not None, "suspension": ended.as_json() if ended else None})
    else:
        health.print_resumed(ended.as_json() if ended else None)


def _last_report(connection: Connection | None) -> dict[str, Any]:
    """How far the run came that has just stopped. `None`: it had not begun."""
    from connector.engine.report import Report  # noqa: PLC0415  # slow to import

    last = connection.store.runs.last() if connection else None
    return Report().as_json() | (last["report"] if last else {})


def _nothing_planned(_: Connection | None) -> dict[str, Any]:
    from connector.engine.report import Report  # noqa: PLC0415  # slow to import

    return Report().plan_as_json()
