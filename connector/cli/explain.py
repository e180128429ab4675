"""`explain`: why is this record, or this field of it, as it is?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from connector.cli.opening import IMPATIENT, connected, opened_offline
from connector.cli.options import ANSWERS, Json
from connector.cli.printing import terminal


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=ANSWERS,
        epilog=terminal.make_examples(
            "connector explain 006XXXXXXXXXXXXXXX",
            "connector explain deal:123456789 amount",
            "connector explain ada@example.com --offline",
            "connector explain https://app.hubspot.com/contacts/1234/record/0-3/123456789",
        ),
    )(explain)


def explain(
    record: Annotated[
        str,
        typer.Argument(
            metavar="RECORD",
            help="A Salesforce id, a HubSpot id (deal:ID, contact:ID, company:ID), the address of the record's page"
            " in either, or a contact's e-mail.",
        ),
    ],
    field: Annotated[
        str | None, typer.Argument(metavar="FIELD", help="One field, by its name on either side.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask neither CRM: tell what was seen last. Needs no credentials.")
    ] = False,
    json: Json = False,
) -> None:
    """Explain a record: its link, both sides, who wins each field and why, what was written, why it does not sync.

    Reads both CRMs and writes to neither. Exit code 0: here is the answer; 2: there is no such record or field.
    """
    from connector.engine.answers.explain import explain as answer  # noqa: PLC0415  # slow to import

    with opened_offline() if offline else connected(IMPATIENT) as connection:
        found = answer(connection, record, field, ask=not offline)
    if json:
        terminal.print_json(asdict(found))
    else:
        from connector.cli.printing import explanations  # noqa: PLC0415  # needs rich's tables

        explanations.print_explanation(found)
