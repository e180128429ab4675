"""`status`: is all well?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from connector.cli.opening import DONE, WITH_PROBLEMS, now, opened_store
from connector.cli.options import ANSWERS, Json
from connector.cli.printing import terminal


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=ANSWERS,
        epilog=terminal.make_examples(
            "connector status", "connector status --max-age 60", "connector status --json"
        ),
    )(status)


def status(
    json: Json = False,
    max_age: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            min=0,
            help="The last good run must not be older. Without it, one is overdue where runs came regularly, and"
            " three in a row are missing.",
        ),
    ] = None,
) -> None:
    """Show at a glance whether all is well: freshness, backlog, problems, API calls, links. Asks neither CRM.

    Exit code 0: all is well; 1: something needs a person: the sync is suspended or overdue, the last run failed,
    the calls that the settings allow are used, or a problem is open that nobody has ignored.
    """
    from connector.engine.answers.health import look_after  # noqa: PLC0415  # slow to import

    oldest = None if max_age is None else timedelta(minutes=max_age)
    with opened_store() as (settings, store):
        found = look_after(settings, store, now(), oldest)
    if json:
        terminal.print_json(found.as_json())
    else:
        from connector.cli.printing import health  # noqa: PLC0415  # needs rich's tables

        health.print_health(found, now())
    raise typer.Exit(DONE if found.healthy else WITH_PROBLEMS)
