"""`runs`: what did the runs do?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from connector.cli.opening import opened_store
from connector.cli.options import ANSWERS, LIMIT, Json
from connector.cli.printing import terminal

OF_A_KIND = 5
"""Writes of one kind that one run shows."""


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=ANSWERS,
        epilog=terminal.make_examples(
            "connector runs",
            "connector runs 7",
            "connector runs 7 --record 006XXXXXXXXXXXXXXX",
            "connector runs --json",
        ),
    )(runs)


def runs(
    run: Annotated[
        int | None, typer.Argument(metavar="RUN", help="The number of one run, to see its writes.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many runs to show (20), or writes of each kind of one run (5)."),
    ] = None,
    before: Annotated[int | None, typer.Option(metavar="RUN", help="Only runs before this one.")] = None,
    record: Annotated[
        str,
        typer.Option(metavar="ID", help="With a run: only what it wrote to this record, by its id of that side."),
    ] = "",
    json: Json = False,
) -> None:
    """List the runs, or show one of them with everything it wrote. Asks neither CRM.

    Exit code 0: here they are; 2: there is no such run.
    """
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables
    from connector.engine.answers.references import read_reference  # noqa: PLC0415  # slow to import
    from connector.engine.answers.runs import list_runs, show_run  # noqa: PLC0415  # slow to import

    if record and run is None:
        raise typer.BadParameter("name the run whose writes to look through", param_hint="--record")
    id_ = read_reference(record).id if record else ""
    if record and not id_:
        raise typer.BadParameter("give an id: writes are noted by the ids of their side", param_hint="--record")
    with opened_store() as (_, store):
        if run is None:
            most = limit or LIMIT
            found = list_runs(store, limit=most, before=before)
            if json:
                terminal.print_json({"runs": [asdict(one) for one in found]})
            else:
                lists.print_runs(found, most)
            return
        shown, kinds = show_run(store, run, record=id_, limit=limit if json else limit or OF_A_KIND)
    if json:
        terminal.print_json(asdict(shown) | {"writes": [asdict(one) for kind in kinds for one in kind.writes]})
    else:
        lists.print_run(shown, kinds)
