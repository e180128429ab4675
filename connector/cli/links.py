"""`links`: which records are one? Shown, ended and made by hand."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.opening import opened_offline
from connector.cli.options import ANSWERS, Json
from connector.cli.printing import terminal

Record = Annotated[str, typer.Argument(metavar="RECORD", help="Either record, as `connector explain` takes it.")]

if TYPE_CHECKING:
    from connector.engine.answers.explain import LinkAnswer

commands = typer.Typer(no_args_is_help=True, help="Which records are one; links ended and made by hand.")


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="links", rich_help_panel=ANSWERS)


@commands.command(
    epilog=terminal.make_examples(
        "connector links show 006XXXXXXXXXXXXXXX", "connector links show deal:123456 --json"
    )
)
def show(record: Record, json: Json = False) -> None:
    """Show a record's link: both ids, since when, how it was found, and what was agreed. Asks neither CRM."""
    from connector.engine.answers.links import show_link  # noqa: PLC0415  # slow to import

    with opened_offline() as connection:
        found = show_link(connection, record)
    if json:
        told = {"pair": found.pair, "link": asdict(found.link) if found.link else None}
        agreed = [
            {"field": one.label, "salesforce": one.salesforce.base, "hubspot": one.hubspot.base}
            for one in found.fields
        ]
        terminal.print_json(told | {"records": [asdict(one) for one in found.records], "agreed": agreed})
        return
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables

    lists.print_link(found)


@commands.command(
    epilog=terminal.make_examples(
        "connector links unlink 006XXXXXXXXXXXXXXX", "connector links unlink deal:123456 --yes --json"
    )
)
def unlink(
    record: Record,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
    json: Json = False,
) -> None:
    """End a record's link: both records stay, and later edits travel no more. Asks neither CRM.

    Exit code 0: ended; 1: not, for want of a yes; 2: there is no such link; 4: a run is under way.
    """
    from connector.engine.answers.links import show_link  # noqa: PLC0415  # slow to import
    from connector.engine.answers.links import unlink as end  # noqa: PLC0415  # slow to import

    with opened_offline() as connection:
        if not yes:
            _confirm(show_link(connection, record).link)
        found = end(connection, record)
    if json:
        terminal.print_json(asdict(found))
        return
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables

    lists.print_unlinked(found)


def _confirm(link: LinkAnswer | None) -> None:
    """Ask a person; where nobody can be asked, `--yes` has to be given."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("no terminal to ask on: say --yes", param_hint="--yes")
    ids = f"{link.salesforce_id} and {link.hubspot_id}" if link else "these"
    typer.confirm(f"End the link of {ids}? Both records stay as they are", abort=True, err=True)


@commands.command(
    epilog=terminal.make_examples(
        "connector links relink 006XXXXXXXXXXXXXXX deal:123456", "connector links relink 006XXXXXXXXXXXXXXX"
    )
)
def relink(
    salesforce: Annotated[str, typer.Argument(metavar="SALESFORCE_ID", help="The Salesforce record.")],
    hubspot: Annotated[
        str | None,
        typer.Argument(
            metavar="HUBSPOT_ID", help="The HubSpot record. Without it, the next run finds or makes one."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Link two records, or take up a link again that was severed (D3). Asks neither CRM; the next run merges them.

    Exit code 0: linked; 2: it cannot be; 4: a run is under way.
    """
    from connector.engine.answers.links import relink as join  # noqa: PLC0415  # slow to import

    with opened_offline() as connection:
        found = join(connection, salesforce, hubspot)
    if json:
        terminal.print_json(asdict(found))
        return
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables

    lists.print_relinked(found)
