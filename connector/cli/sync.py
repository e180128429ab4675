"""`plan`, `sync`, `status` and `resume`."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import printing
from connector.errors import Busy, Stop, Suspended

if TYPE_CHECKING:
    from connector.engine.report import Report
    from connector.engine.run import Wish
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
        epilog=printing.make_examples(
            "connector plan", "connector plan --all", "connector plan --record deal:123456789 --json"
        ),
    )(plan)
    app.command(
        rich_help_panel=PANEL,
        epilog=printing.make_examples(
            "connector sync",
            "connector sync --without-deletes",
            "connector sync --record 006XXXXXXXXXXXXXXX --json",
        ),
    )(sync)
    app.command(
        rich_help_panel=PANEL,
        epilog=printing.make_examples("connector status", "connector status --json"),
    )(status)
    app.command(rich_help_panel=PANEL, epilog=printing.make_examples("connector resume"))(resume)


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
    report = _run(run.plan, wish, told=_nothing_planned if json else None)
    if json:
        printing.print_json(report.plan_as_json())
    else:
        printing.print_plan(report, everything=all_)
    raise typer.Exit(exit_code(report.status))


def sync(json: Json = False, record: RecordIds = None, create: Create = False, deletes: Deletes = None) -> None:
    """Bring both CRMs into step.

    Exit code 0: done; 1: done, with problems; 2: bad configuration; 3: refused by the guard;
    4: no connection.
    """
    from connector.engine import run  # noqa: PLC0415  # slow to import

    wish = _wish(record, create, deletes)
    report = _run(run.sync, wish, told=_last_report if json else None)
    if json:
        printing.print_json(report.as_json())
    else:
        printing.print_report(report)
    raise typer.Exit(exit_code(report.status))


def _wish(record: list[str] | None, create: bool, deletes: bool | None) -> Wish:
    from connector.engine.run import Wish  # noqa: PLC0415  # slow to import

    if create and not record:
        raise typer.BadParameter("name the records to create partners for with --record", param_hint="--create")
    return Wish(deletes=deletes, records=tuple(record or ()), create=create)


def status(json: Json = False) -> None:
    """Show whether the sync is suspended, the last run, links, API calls and every open problem.

    Asks neither CRM.
    """
    from connector.engine.allocation import Allocation  # noqa: PLC0415  # slow to import
    from connector.engine.suspension import find_suspension  # noqa: PLC0415  # slow to import
    from connector.settings import load_settings  # noqa: PLC0415  # slow to import
    from connector.store.store import Store  # noqa: PLC0415  # slow to import

    settings = load_settings(os.environ, Path.cwd())
    store = Store.open(settings.store, settings.connection, lambda: datetime.now(UTC))
    suspension = find_suspension(store)
    found = {
        "connection": settings.connection,
        "suspension": suspension.as_json() if suspension else None,
        "calls": Allocation(settings.daily_calls(), store, lambda: datetime.now(UTC)).as_json(),
        "last_run": store.runs.last(),
        "links": store.links.count_by_state(),
        "due": store.records.count_dirty(),
        "waiting": store.records.count_waiting(),
        "out_of_scope": sum(store.records.count_out_of_scope().values()),
        "problems": store.problems.all(),
    }
    store.close()
    if json:
        printing.print_json(found)
    else:
        printing.print_status(found)


def resume(json: Json = False) -> None:
    """Let the next run try again after the sync was suspended. Asks neither CRM.

    Credentials that were refused and scopes that were missing suspend it until this is said.
    """
    from connector.engine.suspension import resume as end_suspension  # noqa: PLC0415  # slow to import
    from connector.settings import load_settings  # noqa: PLC0415  # slow to import
    from connector.store.store import Store  # noqa: PLC0415  # slow to import

    settings = load_settings(os.environ, Path.cwd())
    store = Store.open(settings.store, settings.connection, lambda: datetime.now(UTC))
    ended = end_suspension(store)
    store.close()
    if json:
        printing.print_json({"resumed": ended is not None, "suspension": ended.as_json() if ended else None})
    else:
        printing.print_resumed(ended.as_json() if ended else None)


def _run(
    act: Callable[[Connection, Wish, Callable[[str, int], None]], Report],
    wish: Wish,
    told: Callable[[Connection | None], dict[str, Any]] | None,
) -> Report:
    """Connect and run. With `told` a run that stops prints JSON: what that gives, and the error."""
    from connector.engine.connect import connect  # noqa: PLC0415  # slow to import

    connection = None
    try:
        connection = connect(os.environ, Path.cwd())
        with printing.progress(quiet=told is not None) as tell:
            return act(connection, wish, tell)
    except Stop as error:
        if told is not None:
            begun = None if isinstance(error, Busy | Suspended) else connection
            status = "refused" if error.exit_code == REFUSED else "stopped"
            printing.print_json(told(begun) | {"status": status, "error": printing.describe_stop(error)})
        raise
    finally:
        if connection:
            connection.store.close()


def _last_report(connection: Connection | None) -> dict[str, Any]:
    """How far the run came that has just stopped. `None`: it had not begun."""
    from connector.engine.report import Report  # noqa: PLC0415  # slow to import

    last = connection.store.runs.last() if connection else None
    return Report().as_json() | (last["report"] if last else {})


def _nothing_planned(_: Connection | None) -> dict[str, Any]:
    from connector.engine.report import Report  # noqa: PLC0415  # slow to import

    return Report().plan_as_json()


def exit_code(status: str) -> int:
    """What a report's status means to a shell."""
    return {"problems": WITH_PROBLEMS, "refused": REFUSED}.get(status, DONE)
