"""Which commands are there?

    sync      plan, apply                  `cli/plan.py`
              sync                         `cli/sync.py`
              undo, resume                 `cli/undo.py`
              forget                       `cli/forget.py`
              schedule, audit, backfill    a file each in `cli/`
              import                       `cli/imports.py`
    answers   explain, status, runs        a file each in `cli/`
              problems, conflicts, links   the same, each with commands of its own
    store     backup, restore, export      `cli/keeping.py`
    set up    init                         `cli/init.py`
              check, setup                 `cli/setup.py`
              mappings validate, …         `cli/mappings.py`
    try it    demo, sandbox serve          `cli/demo/`, `cli/sandbox.py`

Every error a command raises on purpose is told in one place, `Commands.invoke`, and becomes an exit code:
0 done, 1 done with problems, 2 bad usage or configuration, 3 refused by the guard, 4 no connection. An error that
nobody foresaw is `__main__`'s: 70.
What is slow to import is imported inside the commands, so that `--help` is not.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from connector import __version__
from connector.cli import (
    audit,
    backfill,
    conflicts,
    explain,
    forget,
    imports,
    keeping,
    links,
    mappings,
    plan,
    problems,
    runs,
    sandbox,
    schedule,
    setup,
    status,
    sync,
    undo,
)
from connector.cli.demo import command as demo
from connector.errors import Stop

INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Commands(TyperGroup):
    """A group of commands that tells what went wrong instead of raising it."""

    def invoke(self, ctx: Any) -> Any:
        from connector.cli.printing import terminal  # noqa: PLC0415  # only when something is to be run

        try:
            return super().invoke(ctx)
        except Stop as error:
            terminal.print_stop(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            terminal.warn("interrupted; what was written is settled, the next run goes on from there")
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    cls=Commands,
    name="connector",
    help="Keeps Salesforce and HubSpot in step, both ways: plan first, then sync.",
    epilog="Begin with: connector demo. For your own CRMs: connector init, then check, setup, plan and sync.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
plan.register(app)
sync.register(app)
undo.register(app)
forget.register(app)
schedule.register(app)
audit.register(app)
backfill.register(app)
explain.register(app)
status.register(app)
runs.register(app)
problems.register(app)
conflicts.register(app)
links.register(app)
imports.register(app)
keeping.register(app)
setup.register(app)
mappings.register(app)
demo.register(app)
sandbox.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"connector {__version__}")
        raise typer.Exit


@app.callback()
def connector(
    version: Annotated[  # answered by its callback
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keeps Salesforce and HubSpot in step, both ways: plan first, then sync."""
