"""`conflicts`: what did both sides edit, who won, and what shall it be instead?"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from connector.cli.opening import opened_offline
from connector.cli.options import ANSWERS, LIMIT, Json
from connector.cli.printing import terminal

commands = typer.Typer(
    no_args_is_help=True, help="Fields that both sides edited: who won, and what to take instead."
)


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="conflicts", rich_help_panel=ANSWERS)


@commands.command(
    "list", epilog=terminal.make_examples("connector conflicts list", "connector conflicts list --since 2026-03-01")
)
def list_(
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
            metavar="DAY",
            help="Settled ones from this day on, or from a moment such as 2026-03-01T18:00, in UTC.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many settled ones to show.")] = LIMIT,
    json: Json = False,
) -> None:
    """List the conflicts that wait for a person, then those that a rule settled, with the value that lost.

    Asks neither CRM.
    """
    from connector.engine.answers.conflicts import list_conflicts  # noqa: PLC0415  # slow to import

    moment = since.replace(tzinfo=UTC).isoformat() if since else ""
    with opened_offline() as connection:
        found = list_conflicts(connection, since=moment, limit=limit)
    if json:
        terminal.print_json({"conflicts": [asdict(one) for one in found]})
        return
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables

    lists.print_conflicts(found, limit)


@commands.command(
    epilog=terminal.make_examples(
        "connector conflicts resolve 006XXXXXXXXXXXXXXX Amount --take hubspot",
        "connector conflicts resolve deal:123456 amount --take 7500",
    )
)
def resolve(
    record: Annotated[
        str, typer.Argument(metavar="RECORD", help="Either record, as `connector explain` takes it.")
    ],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="The field, by its name on either side.")],
    take: Annotated[
        str,
        typer.Option(
            metavar="SIDE|VALUE",
            help="salesforce or hubspot: what that side holds, or held before a rule overwrote it; or a value,"
            " as Salesforce writes it.",
        ),
    ],
    json: Json = False,
) -> None:
    """Choose what a field shall be; the next run writes it. Void if a side is edited before. Asks neither CRM.

    Exit code 0: so it is noted; 2: there is nothing to choose; 4: a run is under way.
    """
    from connector.engine.answers.conflicts import resolve as choose  # noqa: PLC0415  # slow to import

    with opened_offline() as connection:
        found = choose(connection, record, field, take)
    if json:
        terminal.print_json(asdict(found))
        return
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables

    lists.print_resolution(found)
