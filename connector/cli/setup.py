"""`init` and `check`: from an empty folder to a connection that works."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.printing import checks, terminal
from connector.errors import BadConfiguration, Finding

PANEL = "Set up"
FINE, PROBLEMS, NO_CONNECTION = 0, 1, 4
ATTEMPTS = 2
"""A person waits for the answer; a sync tries longer."""

FILES = ("config/*.yaml", "mappings/*.yaml")


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples("mkdir crm && cd crm && connector init", "connector init --force"),
    )(init)
    app.command(rich_help_panel=PANEL, epilog=terminal.make_examples("connector check", "connector check --json"))(
        check
    )


def init(force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False) -> None:
    """Write the settings and mappings into this folder, to be read and changed."""
    from connector.settings import Settings, defaults_folder  # noqa: PLC0415  # slow to import

    source, target = defaults_folder(), Path.cwd()
    names = sorted(path.relative_to(source) for pattern in FILES for path in source.glob(pattern))
    existing = [name for name in names if (target / name).exists()]
    if existing and not force:
        remedy = "`connector init --force` overwrites it"
        raise BadConfiguration([Finding(str(name), 0, "exists already", remedy) for name in existing])
    try:
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((source / name).read_bytes())
    except OSError as error:
        remedy = "choose a folder that you may write to"
        raise BadConfiguration([Finding(str(error.filename), 0, str(error.strerror), remedy)]) from None
    settings = Settings()
    checks.print_next_steps(names, settings.salesforce.environment, settings.hubspot.environment)


def check(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Look at both CRMs and say what is missing for a sync, and what to do about it. Writes nothing.

    Exit code 0: fine, perhaps with warnings; 1: problems; 2: bad configuration; 4: no connection.
    """
    from connector.engine.check import State  # noqa: PLC0415  # slow to import
    from connector.engine.check import check as look  # noqa: PLC0415  # slow to import
    from connector.engine.connect import connect  # noqa: PLC0415  # slow to import

    try:
        connection = connect(os.environ, Path.cwd(), attempts=ATTEMPTS)
    except BadConfiguration as error:
        if json:
            told = {"status": "bad configuration", "checks": [], "error": terminal.describe_stop(error)}
            terminal.print_json(told)
        raise
    found = look(connection)
    connection.store.close()
    states = {one.state for one in found}
    if json:
        terminal.print_json(checks.describe_checks(found))
    else:
        checks.print_checks(found)
    bad = PROBLEMS if State.PROBLEM in states else FINE
    raise typer.Exit(NO_CONNECTION if State.NO_CONNECTION in states else bad)
