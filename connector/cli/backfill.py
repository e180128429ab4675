"""`backfill`: fill in what a mapping that grew maps."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from connector.cli.opening import exit_code, last_report, nothing_planned, run_connected
from connector.cli.printing import reports, terminal

PANEL = "Sync"


class Kind(StrEnum):
    """The objects, as a person calls them."""

    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    OPPORTUNITIES = "opportunities"


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector backfill --dry-run",
            "connector backfill --object opportunities --field NextStep",
            "connector backfill --deals --dry-run",
        ),
    )(backfill)


def backfill(
    object_: Annotated[
        list[Kind] | None,
        typer.Option(
            "--object",
            metavar="NAME",
            help="Only accounts, contacts or opportunities, with their partners. May be repeated. Else all.",
        ),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="NAME", help="Only these fields, by a name of either side. Else all."),
    ] = None,
    deals: Annotated[
        bool,
        typer.Option(
            "--deals",
            help="Make opportunities of deals that were in an assigned pipeline before. Alone: nothing else.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the plan: every write, why, and the price. Writes nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="With --dry-run: show every action.")] = False,
) -> None:
    """Fill in what the mappings map and no edit has carried yet, for all linked records.

    Saving a mapping alone writes nothing: what a new field holds on both sides is left until somebody edits it,
    or until this. Where both sides hold something, the field's rule decides. Everything else that is due is synced
    too. Exit codes are those of `sync`.
    """
    from connector.engine import run  # noqa: PLC0415  # slow to import
    from connector.engine.backfill import OBJECTS, Backfill  # noqa: PLC0415  # slow to import

    asked = [OBJECTS[one] for one in object_ or (() if deals and not field else Kind)]
    wish = run.Wish(backfill=Backfill(tuple(asked), tuple(field or ()), deals))
    if dry_run:
        report = run_connected(run.plan, wish, told=nothing_planned if json else None, writes=False)
    else:
        report = run_connected(run.sync, wish, told=last_report if json else None)
    if json:
        terminal.print_json(report.plan_as_json() if dry_run else report.as_json())
    elif dry_run:
        reports.print_plan(report, everything=all_)
    else:
        reports.print_report(report)
    raise typer.Exit(exit_code(report.status))
