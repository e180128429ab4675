"""`mappings validate`, `suggest`, `show` and `diff`: what the mapping files say, and what it comes to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.opening import connected, opened_store_if_any
from connector.cli.printing import comparison, mappings, proposals, terminal
from connector.errors import Stop

if TYPE_CHECKING:
    from connector.core.model import Pair
    from connector.mapping.description import DescribedPair

WRONG, WARNED, FINE = 2, 1, 0

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
ObjectOption = Annotated[
    str | None,
    typer.Option(
        "--object",
        show_default=False,
        metavar="NAME",
        help="Only this pair: accounts, contacts or opportunities, by any of its names.",
    ),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Check, show, compare and complete the mapping files. None of these writes to a CRM.",
        no_args_is_help=True,
    )
    group.command(
        epilog=terminal.make_examples(
            "connector mappings validate",
            "connector mappings validate --live",
            "connector mappings validate --strict",
        )
    )(validate)
    group.command(
        epilog=terminal.make_examples("connector mappings show", "connector mappings show --object opportunities")
    )(show)
    group.command(
        epilog=terminal.make_examples(
            "connector mappings diff",
            "connector mappings diff HEAD~1",
            "connector mappings diff drafts/opportunity-deal.yaml --live",
        )
    )(diff)
    group.command(
        epilog=terminal.make_examples(
            "connector mappings suggest",
            "connector mappings suggest --object accounts",
            "connector mappings suggest --json",
        )
    )(suggest)
    app.add_typer(group, name="mappings", rich_help_panel="Set up")


def validate(
    live: Annotated[
        bool, typer.Option("--live", help="Read both schemas now, instead of those last read.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 if there are warnings.")] = False,
    json: Json = False,
) -> None:
    """Check the mapping files against the fields of both CRMs, and tell everything that is wrong at once.

    Without --live neither CRM is asked: the fields are those that a run or --live has last read.

    Exit code 0: fine, perhaps with warnings; 1: warnings, with --strict; 2: errors; 4: no connection.
    """
    from connector.engine.mappings.validation import validate_live, validate_offline  # noqa: PLC0415  # slow
    from connector.errors import Severity  # noqa: PLC0415  # with it

    with _telling(json=json):
        if live:
            with connected() as connection:
                found = validate_live(connection, Path.cwd())
        else:
            with opened_store_if_any() as (settings, store):
                found = validate_offline(settings, Path.cwd(), store)
    if json:
        terminal.print_json(mappings.describe_validation(found))
    else:
        mappings.print_validation(found)
    if found.of(Severity.ERROR):
        raise typer.Exit(WRONG)
    raise typer.Exit(WARNED if strict and found.of(Severity.WARNING) else FINE)


def show(object_: ObjectOption = None, json: Json = False) -> None:
    """Show what the mapping files say: each field with its property, who wins, and how values are carried.

    Exit code 0: done; 2: the files are wrong.
    """
    from connector.mapping.description import choose  # noqa: PLC0415  # slow to import

    with _telling(json=json):
        _, read = _read_here()
        chosen = choose(read, object_)
    if json:
        terminal.print_json(mappings.describe_shown(chosen))
    else:
        mappings.print_shown(chosen)


def diff(
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="[REV|PATH]",
            help="A revision of git to compare the files here with; or a draft, a file or a folder, to compare them"
            " to. Neither: what the last run went by.",
            show_default=False,
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Read the fields that no run has read yet, of all linked records.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell what a changed mapping would do to today's records, before it is used. Writes nothing.

    Using a changed mapping fills in and clears nothing by itself. Counted is what would be written if the changed
    fields were filled in for all linked records, as they were last seen; neither CRM is asked without --live.

    Exit code 0: done; 2: one of both versions is wrong, or there is none; 4: no connection.
    """
    from connector.engine.mappings.difference import compare, compare_live  # noqa: PLC0415  # slow to import
    from connector.engine.mappings.versions import find_versions  # noqa: PLC0415  # slow to import

    with _telling(json=json):
        if live:
            with connected() as connection:
                versions = find_versions(connection.settings, Path.cwd(), connection.store, other)
                found = compare_live(connection, *versions)
        else:
            with opened_store_if_any() as (settings, store):
                found = compare(*find_versions(settings, Path.cwd(), store, other), store)
    if json:
        terminal.print_json(comparison.describe_difference(found))
    else:
        comparison.print_difference(found)


def suggest(
    object_: ObjectOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask neither CRM: take the fields last read, and no sample.")
    ] = False,
    json: Json = False,
) -> None:
    """Propose fields to map, with what speaks for each, and name entries in which nothing was ever seen.

    Reads both schemas and a sample of 100 records of each object: 1 call to Salesforce for all, and for each object
    1 more to Salesforce and 2 to HubSpot. Nothing is applied: the lines can be pasted into the mapping files.

    Exit code 0: done; 2: the files are wrong; 4: no connection.
    """
    from connector.engine.mappings.suggestion import suggest_live, suggest_offline  # noqa: PLC0415  # slow
    from connector.mapping.description import choose  # noqa: PLC0415  # slow to import

    with _telling(json=json):
        pairs, described = _read_here()
        some = [pairs[one.pair] for one in choose(described, object_) if one.pair in pairs]
        if offline:
            with opened_store_if_any() as (settings, store):
                found = suggest_offline(settings, some, store)
        else:
            with connected() as connection:
                found = suggest_live(connection, some)
    if json:
        terminal.print_json(proposals.describe_suggestion(found))
    else:
        proposals.print_suggestion(found)


@contextlib.contextmanager
def _telling(*, json: bool) -> Iterator[None]:
    """What stops a command is told as JSON too, where JSON was asked for."""
    try:
        yield
    except Stop as error:
        if json:
            terminal.print_json({"status": "stopped", "error": terminal.describe_stop(error)})
        raise


def _read_here() -> tuple[Mapping[str, Pair], list[DescribedPair]]:
    """The mapping files of this folder: the pairs, and what they say."""
    from connector.errors import BadConfiguration  # noqa: PLC0415  # with the others
    from connector.mapping.description import describe_mapping  # noqa: PLC0415  # slow to import
    from connector.mapping.files import read_mapping  # noqa: PLC0415  # slow to import
    from connector.settings import load_settings, mapping_files  # noqa: PLC0415  # slow to import

    settings = load_settings(os.environ, Path.cwd())
    read = read_mapping(mapping_files(Path.cwd()), settings.mapping())
    if read.findings:
        raise BadConfiguration(list(read.findings))
    return read.pairs, describe_mapping(read)
