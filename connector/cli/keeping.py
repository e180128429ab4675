"""`backup`, `restore` and `export`: keep what the store knows."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.opening import now, opened_store
from connector.cli.options import Json
from connector.cli.printing import keeping as printing
from connector.cli.printing import terminal
from connector.errors import BadConfiguration, Finding
from connector.private_files import writing_privately

if TYPE_CHECKING:
    from connector.settings import Settings

PANEL = "The store"

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it is there.")]


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples("connector backup", "connector backup /mnt/backups/connector.db --overwrite"),
    )(backup)
    app.command(
        rich_help_panel=PANEL, epilog=terminal.make_examples("connector restore /mnt/backups/connector.db")
    )(restore)
    app.command(
        rich_help_panel=PANEL,
        epilog=terminal.make_examples("connector export store.jsonl", "connector export --overwrite store.jsonl"),
    )(export)


def backup(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Where to put it; in a folder, or without one, it is named by the time."
        ),
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Copy the store as it is now, also while a run is under way. Asks neither CRM.

    The copy is looked through for damage before it takes its place.

    Exit code 0: here it is; 2: it cannot be put there, or the store is no file; 4: the store is damaged, or the
    disk is full.
    """
    from connector.store.backup import back_up, find_file  # noqa: PLC0415  # slow to import

    store = find_file(_settings().store)
    named = file if file is not None else store.parent
    target = (
        named / f"{store.stem}-{now().astimezone(UTC):%Y%m%dT%H%M%SZ}{store.suffix}" if named.is_dir() else named
    )
    _check_free(target, store, overwrite=overwrite)
    contents = back_up(store, target)
    if json:
        terminal.print_json(printing.describe_backup(target, contents))
    else:
        printing.print_backup(target, contents)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, as `connector backup` made it.")],
    json: Json = False,
) -> None:
    """Put a backup in the place of the store, which is kept beside it. Asks neither CRM.

    Nothing is changed before the backup is looked through and brought up to this version. The next run reads all
    that changed since it was made: look at `connector plan` first.

    Exit code 0: done; 2: FILE is damaged or no backup, or the store is no file; 4: a run is under way, another
    program has the store open, or the disk is full.
    """
    from connector.engine.restore import restore as put_back  # noqa: PLC0415  # slow to import

    done = put_back(_settings().store, file, now)
    if json:
        terminal.print_json(printing.describe_restored(done))
    else:
        printing.print_restored(done)


def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where to write it; without one, to standard output.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write everything in the store as JSON Lines: one object for each row, with its table. Asks neither CRM.

    It is the store as it is at one moment, of all its connections, also while a run is under way.

    Exit code 0: done; 2: FILE cannot be written; 4: the store cannot be read.
    """
    if file is not None:
        _check_free(file, None, overwrite=overwrite)
    with opened_store() as (_, store), _writing(file) as write:
        for table, row in store.read_all():
            write(terminal.make_json({"table": table, "row": row}))


@contextlib.contextmanager
def _writing(file: Path | None) -> Iterator[Callable[[str], object]]:
    """To standard output, or to a file."""
    if file is None:
        yield sys.stdout.write
        return
    try:
        with writing_privately(file) as opened:
            yield opened.write
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise BadConfiguration([Finding(str(file), 0, message, "name another place, or make room")]) from None


def _settings() -> Settings:
    from connector.settings import load_settings  # noqa: PLC0415  # slow to import

    return load_settings(os.environ, Path.cwd())


def _check_free(target: Path, store: Path | None, *, overwrite: bool) -> None:
    """See that nothing is overwritten that nobody meant to."""
    try:
        is_there = target.exists()
        is_store = store is not None and is_there and store.exists() and target.samefile(store)
    except OSError as error:  # a folder that may not be looked into
        raise typer.BadParameter(f"{target}: {error.strerror or error}", param_hint="FILE") from None
    if is_store:
        raise typer.BadParameter("that is the store itself", param_hint="FILE")
    if is_there and not overwrite:
        raise typer.BadParameter(f"{target} is there already: say --overwrite to replace it", param_hint="FILE")
