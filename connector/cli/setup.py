"""`check` and `setup`: what both CRMs lack for a sync, and making it. `init.py` has what comes before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.init import ATTEMPTS, init, is_terminal
from connector.cli.printing import checks, terminal
from connector.cli.printing import setup as printing
from connector.errors import BadConfiguration, Finding, Stop

if TYPE_CHECKING:
    from connector.engine.setup import Setup, Step
    from connector.engine.world import Connection

PANEL = "Set up"
FINE, PROBLEMS, NO_CONNECTION = 0, 1, 4

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "mkdir crm && cd crm && connector init",
            "connector init --sign-in session --time-zone Europe/Berlin --yes",
            "connector init --offline --force",
        ),
    )(init)
    app.command(rich_help_panel=PANEL, epilog=terminal.make_examples("connector check", "connector check --json"))(
        check
    )
    app.command(
        name="setup",
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector setup --dry-run", "connector setup", "connector setup --yes --json"
        ),
    )(set_up)


def check(json: Json = False) -> None:
    """Look at both CRMs and say what is missing for a sync, and what to do about it. Writes nothing.

    Exit code 0: fine, perhaps with warnings; 1: problems; 2: bad configuration; 4: no connection.
    """
    from connector.engine.check import State  # noqa: PLC0415  # slow to import
    from connector.engine.check import check as look  # noqa: PLC0415  # slow to import
    from connector.engine.connect import connect  # noqa: PLC0415  # slow to import

    try:
        connection = connect(os.environ, Path.cwd(), attempts=ATTEMPTS)
    except Stop as error:
        if json:
            status = "bad configuration" if isinstance(error, BadConfiguration) else State.NO_CONNECTION.value
            told = {"status": status, "checks": [], "error": terminal.describe_stop(error)}
            terminal.print_json(told)
        raise
    try:
        found = look(connection)
    finally:
        connection.store.close()
    states = {one.state for one in found}
    if json:
        terminal.print_json(checks.describe_checks(found))
    else:
        checks.print_checks(found)
    bad = PROBLEMS if State.PROBLEM in states else FINE
    raise typer.Exit(NO_CONNECTION if State.NO_CONNECTION in states else bad)


def set_up(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is missing, and make nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Make it without asking.")] = False,
    json: Json = False,
) -> None:
    """Show what is missing on each side, then make it. A second time there is nothing to do.

    In Salesforce: the external id field, and access to it by a permission set. In HubSpot: properties, pipelines
    with their stages, labels. What the user or token may not make is told, with what an administrator has to click.

    Exit code 0: done, or nothing to do; 1: something is left for a person; 2: wrong usage or bad configuration;
    4: no connection, or a run is under way.
    """
    try:
        steps = _set_up(dry_run, yes, json)
    except Stop as error:
        if json:
            terminal.print_json({"status": "stopped", "steps": [], "error": terminal.describe_stop(error)})
        raise
    left = any(one.state in {"blocked", "refused"} for one in steps)
    if json:
        terminal.print_json(printing.describe_setup(steps))
    raise typer.Exit(PROBLEMS if left else FINE)


def _set_up(dry_run: bool, yes: bool, json: bool) -> tuple[Step, ...]:
    from connector.engine.connect import connect  # noqa: PLC0415  # slow to import
    from connector.engine.setup import plan_setup  # noqa: PLC0415  # slow to import

    if not (dry_run or yes) and (json or not is_terminal()):
        remedy = "say `--yes` to make what is missing, or `--dry-run` to see it"
        raise BadConfiguration([Finding("connector setup", 0, "there is nobody to ask", remedy)])
    connection = connect(os.environ, Path.cwd(), attempts=ATTEMPTS)
    try:
        setup = plan_setup(connection)
        if not json and not (yes and setup.steps):
            printing.print_plan(setup.steps)
        return setup.steps if dry_run else _make(connection, setup, yes, json)
    finally:
        connection.store.close()


def _make(connection: Connection, setup: Setup, yes: bool, json: bool) -> tuple[Step, ...]:
    from connector.engine.setup import set_up as make  # noqa: PLC0415  # slow to import

    planned = [one for one in setup.steps if one.state == "planned"]
    if not setup.steps or not (yes or (planned and typer.confirm(f"Make {len(planned)} of them?"))):
        return setup.steps
    done = make(connection, setup, (lambda _: None) if json else printing.print_step)
    if not json:
        printing.print_summary(done)
    return done
