"""`plan` and `apply`: read what a sync would write, keep it, and have exactly that carried out (X1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.opening import exit_code, last_report, nothing_planned, run_connected
from connector.cli.plan_output import FORMATS, check_folder, choose_form, describe, make_text, planned_for, save
from connector.cli.printing import reports, terminal
from connector.cli.wishes import Create, Deletes, Json, Objects, RecordIds, make_wish

if TYPE_CHECKING:
    from connector.engine.report import Report
    from connector.engine.run import Wish
    from connector.engine.world import Connection

PANEL = "Sync"

Progress = Callable[[str, int], None]


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector plan",
            "connector plan --object opportunities --all",
            "connector plan --record deal:123456789 --json",
            "connector plan --out plan.json",
            "connector plan --out plan.html",
        ),
    )(plan)
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples("connector plan --out plan.json", "connector apply plan.json"),
    )(apply)


def plan(
    json: Json = False,
    record: RecordIds = None,
    object_: Objects = None,
    create: Create = False,
    deletes: Deletes = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Show every action, not only the first 20 of a kind.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write the plan to a file: .json can be applied later, .html is a page to read and search,"
            " .md goes into a review.",
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="|".join(FORMATS), help="The form, where no file name says it."),
    ] = None,
) -> None:
    """Show what a sync would write now, why, and its price in API calls. Writes to neither CRM.

    Exit code 0: fine; 1: there are problems, see `connector problems list`; 2: bad configuration; 3: the guard
    would refuse this; 4: no connection.
    """
    from connector.engine import run  # noqa: PLC0415  # slow to import

    form = choose_form(format_, out, json=json)
    check_folder(out)
    told: dict[str, Any] = {}

    def act(c: Connection, wish: Wish, tell: Progress) -> Report:
        report = run.plan(c, wish, tell)
        told.update(describe(c, wish, report))
        return report

    wish = make_wish(record, object_, create=create, deletes=deletes)
    report = run_connected(
        act, wish, told=nothing_planned if form == "json" and out is None else None, writes=False
    )
    if out is not None:
        save(out, "--out", make_text(form, report, told))
        reports.print_saved_plan(report, out, applicable=form == "json")
    elif form == "table":
        reports.print_plan(report, everything=all_)
    else:
        typer.echo(make_text(form, report, told), nl=False)
    raise typer.Exit(exit_code(report.status))


def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `connector plan --out FILE.json` wrote.")],
    json: Json = False,
) -> None:
    """Carry out a saved plan, and nothing else.

    A row is made only if a sync would come to the same row now. What has drifted since is refused and listed, what
    has become due since is left for the next sync; rows that were taken out of the file are not made.

    Exit code 0: all was made; 1: some was not, or there are problems; 2: no plan of this connection; 3: refused by
    the guard; 4: no connection.
    """
    from connector.engine import run  # noqa: PLC0415  # slow to import
    from connector.engine.plan_file import check_plan, read_plan  # noqa: PLC0415  # slow to import

    saved = read_plan(file)

    def act(c: Connection, wish: Wish, tell: Progress) -> Report:
        check_plan(file, saved, planned_for(c))
        return run.sync(c, wish, tell)

    asked = saved.wish
    wish = run.Wish(asked.deletes, asked.records, asked.create, asked.objects, saved)
    report = run_connected(act, wish, told=last_report if json else None)
    if json:
        terminal.print_json(report.as_json())
    else:
        reports.print_report(report)
    raise typer.Exit(exit_code(report.status))
