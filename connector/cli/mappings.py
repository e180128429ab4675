"""`mappings validate`, `suggest`, `show` and `diff`: what the mapping files say, and what it comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.opening import connected, opened_store_if_any
from connector.cli.printing import mappings, terminal

WRONG, WARNED, FINE = 2, 1, 0

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
ObjectOption = Annotated[
    str | None,
    typer.Option(
        "--object",
        metavar="NAME",
        help="Only this pair: accounts, contacts or opportunities, by any of its names.",
    ),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Check, show, compare and complete the mapping files. None of these writes to a CRM.",
        no_args_is_help=True,
    )
    group.command(
        epilog=terminal.make_examples(
            "connector mappings validate",
            "connector mappings validate --live",
            "connector mappings validate --strict",
        )
    )(validate)
    app.add_typer(group, name="mappings", rich_help_panel="Set up")


def validate(
    live: Annotated[
        bool, typer.Option("--live", help="Read both schemas now, instead of those last read.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 if there are warnings.")] = False,
    json: Json = False,
) -> None:
    """Check the mapping files against the fields of both CRMs, and tell everything that is wrong at once.

    Without --live neither CRM is asked: the fields are those that a run or --live has last read.

    Exit code 0: fine, perhaps with warnings; 1: warnings, with --strict; 2: errors; 4: no connection.
    """
    from connector.engine.mappings.validation import validate_live, validate_offline  # noqa: PLC0415  # slow
    from connector.errors import Severity  # noqa: PLC0415  # with it

    if live:
        with connected() as connection:
            found = validate_live(connection, Path.cwd())
    else:
        with opened_store_if_any() as (settings, store):
            found = validate_offline(settings, Path.cwd(), store)
    if json:
        terminal.print_json(mappings.describe_validation(found))
    else:
        mappings.print_validation(found)
    if found.of(Severity.ERROR):
        raise typer.Exit(WRONG)
    raise typer.Exit(WARNED if strict and found.of(Severity.WARNING) else FINE)
