"""`audit`: find what has drifted though no trigger told, and a plan that puts it right (X4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.opening import DONE, WITH_PROBLEMS, connected_to
from connector.cli.plan_output import check_folder, choose_form, describe, make_text, save
from connector.cli.printing import audits, terminal
from connector.cli.wishes import Json, Objects, read_pairs

if TYPE_CHECKING:
    from connector.engine.world import Connection

PANEL = "Sync"


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector audit",
            "connector audit --all --object opportunities",
            "connector audit --repair repair.json",
            "connector apply repair.json",
        ),
    )(audit)


def audit(
    json: Json = False,
    object_: Objects = None,
    sample: Annotated[
        int, typer.Option("--sample", min=1, metavar="N", help="Linked pairs of each object to look at.")
    ] = 500,
    all_: Annotated[
        bool, typer.Option("--all", help="Look at all of them, and for records that were never seen.")
    ] = False,
    calls: Annotated[
        int | None,
        typer.Option("--calls", min=1, metavar="N", help="Look at no more than so many HubSpot calls allow."),
    ] = None,
    repair: Annotated[
        Path | None,
        typer.Option("--repair", metavar="FILE", help="Write a plan that puts it right: .json, .html or .md."),
    ] = None,
) -> None:
    """Look for drift that no trigger tells, and say how much there is. Writes to neither CRM.

    Formulas over other records, changed contacts of deals, missed deletions, late commits, values that a CRM did
    not keep, HubSpot's own rollups. Without --all, each audit goes on where the last one ended.

    Exit code 0: no drift; 1: some; 2: bad configuration; 4: no connection.
    """
    from connector.engine.audit import AuditWish  # noqa: PLC0415  # slow to import
    from connector.engine.audit import audit as look  # noqa: PLC0415  # slow to import
    from connector.engine.run import Wish  # noqa: PLC0415  # slow to import

    form = choose_form(None, repair, json=False)
    check_folder(repair)
    if all_ and calls is not None:
        raise typer.BadParameter("all of them take what they take: give one of both", param_hint="--calls")
    pairs = read_pairs(object_)
    told: dict[str, Any] = {}

    def act(c: Connection, tell: Callable[[str, int], None]) -> Any:
        found = look(c, AuditWish(sample, all_, calls, pairs), tell)
        told.update(describe(c, Wish(records=found.records), found.repair))
        return found

    found = connected_to(act, json=json)
    if repair is not None:
        save(repair, "--repair", make_text(form, found.repair, told))
    if json:
        terminal.print_json(found.as_json())
    else:
        audits.print_audit(found, repair)
    raise typer.Exit(WITH_PROBLEMS if found.drifts else DONE)
