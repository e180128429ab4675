"""`import`: records that a person selected in Salesforce, or has in a file, brought over now."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from connector.cli.ending import Ending
from connector.cli.opening import connected, exit_code, opened_store, tell_stop
from connector.cli.printing import imports as printing
from connector.cli.printing import terminal
from connector.errors import BadConfiguration, Finding, Stop

if TYPE_CHECKING:
    from connector.engine.imports.report import ImportReport
    from connector.engine.imports.run import Tell
    from connector.engine.imports.selection import Selection
    from connector.engine.imports.sheets import Sheet
    from connector.engine.world import Connection
    from connector.store.imports import Row

    Act = Callable[[Connection, Tell, Callable[[Iterable[Row]], None]], ImportReport]

PANEL = "Sync"
FROM_SALESFORCE, FROM_FILE, UNFINISHED = (
    "From Salesforce into HubSpot",
    "From a file",
    "An import that was cut short",
)

What = Annotated[
    str, typer.Argument(metavar="WHAT", help="accounts, contacts or opportunities.", show_default=False)
]


def register(app: typer.Typer) -> None:
    app.command(
        "import",
        rich_help_panel=PANEL,
        epilog=terminal.make_examples(
            "connector import accounts --dry-run --report accounts.csv",
            "connector import opportunities --since 2026-01-01 --where \"Type = 'New Business'\"",
            "connector import --resume",
            "connector import --from-csv leads.csv --object contacts --to hubspot --dry-run",
        ),
    )(import_)


def import_(
    what: What = "",
    since: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Made on this day or later.", rich_help_panel=FROM_SALESFORCE),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Made on this day or before.", rich_help_panel=FROM_SALESFORCE),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="created|modified",
            help="What --since and --until go by.",
            rich_help_panel=FROM_SALESFORCE,
        ),
    ] = "created",
    where: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION",
            help="A condition in SOQL, such as \"StageName = 'Closed Won'\".",
            rich_help_panel=FROM_SALESFORCE,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", help="No more than so many, by their ids.", rich_help_panel=FROM_SALESFORCE),
    ] = None,
    from_csv: Annotated[
        Path | None,
        typer.Option(
            "--from-csv", metavar="FILE", help="Read the records from a CSV file.", rich_help_panel=FROM_FILE
        ),
    ] = None,
    object_: Annotated[
        str | None,
        typer.Option(
            "--object",
            metavar="NAME",
            help="What its lines are: accounts, contacts, deals, …",
            rich_help_panel=FROM_FILE,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="hubspot|salesforce", help="Where they go.", rich_help_panel=FROM_FILE),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace values of records that exist, not only fill blank ones.",
            rich_help_panel=FROM_FILE,
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would become of each record; write nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="What became of each record, one a line.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with it, whatever it was.", rich_help_panel=UNFINISHED)
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Give it up; what it wrote stays.", rich_help_panel=UNFINISHED)
    ] = False,
) -> None:
    """Bring selected records of Salesforce into HubSpot now, or those of a file into either.

    An import that was cut short, even killed, goes on when the same command is given again.

    Exit code 0: done; 1: done, but records were held or refused; 2: wrong usage, or another import is unfinished;
    4: no connection.
    """
    selecting: dict[str, object] = {"--since": since, "--until": until, "--where": where, "--limit": limit}
    filing: dict[str, object] = {"--object": object_, "--to": to, "--overwrite": overwrite or None}
    _check_usage(
        what, from_csv, resume=resume, abandon=abandon, dry_run=dry_run, selecting=selecting, filing=filing
    )
    try:
        if report is not None:
            _check_report(report)
        if abandon:
            _abandon(json=json)
            return
        if from_csv is not None:
            act = _from_file(from_csv, str(object_), str(to), overwrite=overwrite, dry_run=dry_run)
        else:
            act = _from_salesforce(what, since, until, by, where, limit, resume=resume, dry_run=dry_run)
        ending = Ending()
        listening = contextlib.nullcontext() if dry_run else ending.listening()
        with connected(ending=ending) as connection, listening, printing.progress(quiet=json) as tell:
            told = act(connection, ending.watch(tell), _keeper(report, dry_run=dry_run))
    except Stop as error:
        if json:
            tell_stop(error, {})
        raise
    if json:
        terminal.print_json(told.as_json())
    else:
        printing.print_import(told, report)
    raise typer.Exit(exit_code(told.status))


def _check_usage(
    what: str,
    from_csv: Path | None,
    *,
    resume: bool,
    abandon: bool,
    dry_run: bool,
    selecting: dict[str, object],
    filing: dict[str, object],
) -> None:
    """Whether the options go together."""
    known = ("accounts", "contacts", "opportunities")
    given = [name for name, value in {**selecting, **filing}.items() if value is not None]
    if sum((bool(what), from_csv is not None, resume, abandon)) != 1:
        raise typer.BadParameter(
            f"say what to import ({', '.join(known)}), or give --from-csv, --resume or --abandon: one of them"
        )
    if (resume or abandon) and (given or dry_run):
        option = "--resume" if resume else "--abandon"
        raise typer.BadParameter(
            f"{option} goes alone: the import knows what it was", param_hint=(given or ["--dry-run"])[0]
        )
    if what and what not in known:
        raise typer.BadParameter(f"{what!r} is none of {', '.join(known)}", param_hint="what to import")
    if what and (wrong := [name for name in filing if name in given]):
        raise typer.BadParameter("goes with --from-csv only", param_hint=wrong[0])
    if from_csv is not None:
        if wrong := [name for name in selecting if name in given]:
            raise typer.BadParameter("selects records of Salesforce; of a file all are meant", param_hint=wrong[0])
        if missing := [name for name in ("--object", "--to") if name not in given]:
            raise typer.BadParameter("is needed with --from-csv", param_hint=missing[0])


def _from_salesforce(
    what: str,
    since: str | None,
    until: str | None,
    by: str,
    where: str | None,
    limit: int | None,
    *,
    resume: bool,
    dry_run: bool,
) -> Act:
    from connector.engine.imports import run  # noqa: PLC0415  # slow to import
    from connector.engine.imports.selection import COLUMNS, select_records  # noqa: PLC0415  # slow to import

    if by not in COLUMNS:
        raise typer.BadParameter(f"{by!r} is none of {', '.join(COLUMNS)}", param_hint="--by")

    def act(c: Connection, tell: Tell, rows: Callable[[Iterable[Row]], None]) -> ImportReport:
        if resume:
            return _resume(c, tell, rows)
        zone = ZoneInfo(c.settings.time_zone)
        selection: Selection = select_records(
            what, zone=zone, since=since, until=until, by=by, where=where, limit=limit
        )
        start = run.rehearse if dry_run else run.import_records
        return start(c, selection, tell=tell, rows=rows)

    return act


def _resume(c: Connection, tell: Tell, rows: Callable[[Iterable[Row]], None]) -> ImportReport:
    """Go on with whatever was cut short: an import of a file reads it again."""
    from connector.engine.imports import run, sheet_run, sheets  # noqa: PLC0415  # slow to import

    task = c.store.imports.unfinished()
    if task is None or "file" not in task.selection:
        return run.import_records(c, None, tell=tell, rows=rows)
    order = sheets.Order.from_json(task.selection)
    return sheet_run.import_sheet(c, order, _read(Path(order.file)), tell=tell, rows=rows)


def _from_file(path: Path, object_: str, to: str, *, overwrite: bool, dry_run: bool) -> Act:
    from connector.engine.imports import sheet_run, sheets  # noqa: PLC0415  # slow to import

    sheet = _read(path)
    order = sheets.make_order(str(path.resolve()), sheet.digest, object_, to, overwrite=overwrite)

    def act(c: Connection, tell: Tell, rows: Callable[[Iterable[Row]], None]) -> ImportReport:
        return sheet_run.import_sheet(c, order, sheet, dry_run=dry_run, tell=tell, rows=rows)

    return act


def _read(path: Path) -> Sheet:
    from connector.engine.imports.sheets import read_sheet  # noqa: PLC0415  # slow to import

    return read_sheet(path)


def _abandon(*, json: bool) -> None:
    from connector.engine.imports.run import abandon, describe_selection  # noqa: PLC0415  # slow to import

    with opened_store() as (_, store):
        task = abandon(store)
    if json:
        terminal.print_json({"abandoned": task is not None, "selection": task.selection if task else None})
    else:
        printing.print_abandoned(describe_selection(task.selection) if task else None)


def _check_report(path: Path) -> None:
    """Before anything is done: whether the report can be written."""
    problem = ""
    if path.is_dir():
        problem = "is a folder"
    elif not path.parent.is_dir():
        problem = f"there is no folder {path.parent}"
    if problem:
        raise BadConfiguration(
            [Finding("--report", 0, f"{path}: {problem}", "name a file in a folder that exists")]
        )


def _keeper(path: Path | None, *, dry_run: bool) -> Callable[[Iterable[Row]], None]:
    def keep(rows: Iterable[Row]) -> None:
        if path is None:
            return
        with _failing_clearly(path):
            printing.write_rows(path, rows, dry_run=dry_run)

    return keep


@contextlib.contextmanager
def _failing_clearly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = "name a file that you may write; the same command again only writes the report"
        raise BadConfiguration([Finding("--report", 0, f"{path}: {error.strerror}", remedy)]) from None
