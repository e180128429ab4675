"""`problems`: what could not be synced, and what is to be done about it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.opening import opened_offline, opened_store
from connector.cli.options import ANSWERS, LIMIT, Json
from connector.cli.printing import terminal
from connector.errors import BadConfiguration, Finding

if TYPE_CHECKING:
    from connector.engine.answers.problems import ProblemAnswer
    from connector.engine.world import Connection


Class = Annotated[
    str, typer.Option("--class", metavar="CLASS", help="Only this class, such as duplicates or 'property values'.")
]
Object = Annotated[
    str,
    typer.Option(
        "--object", metavar="OBJECT", help="Only this object, as either CRM calls it, such as Contact or deals."
    ),
]
Record = Annotated[
    str | None, typer.Argument(metavar="RECORD", help="The record, as `connector explain` takes it.")
]
Field = Annotated[str | None, typer.Argument(metavar="FIELD", help="Only the problem of this field.")]
All = Annotated[bool, typer.Option("--all", help="Every open problem.")]

commands = typer.Typer(no_args_is_help=True, help="What could not be synced, and what to do about it.")


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="problems", rich_help_panel=ANSWERS)


@commands.command(
    "list",
    epilog=terminal.make_examples(
        "connector problems list", "connector problems list --class duplicates", "connector problems list --json"
    ),
)
def list_(
    cause: Class = "",
    object_: Object = "",
    ignored: Annotated[bool, typer.Option("--ignored", help="Those that are ignored, instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many to show.")] = LIMIT,
    json: Json = False,
) -> None:
    """List the open problems, the oldest first, each with its class, remedy and next try. Asks neither CRM."""
    from connector.engine.answers.problems import list_problems  # noqa: PLC0415  # slow to import

    with opened_store() as (_, store):
        found = list_problems(store, cause=_check_class(cause), object_=object_, ignored=ignored)
        hidden = 0 if ignored else len(list_problems(store, ignored=True))
    if json:
        terminal.print_json({"problems": [asdict(one) for one in found], "ignored": hidden})
        return
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables

    lists.print_problems(found, hidden, limit)


@commands.command(
    epilog=terminal.make_examples(
        "connector problems show 006XXXXXXXXXXXXXXX", "connector problems show deal:123456"
    )
)
def show(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="The record, as `connector explain` takes it.")],
    json: Json = False,
) -> None:
    """Show the problems of one record and of its partner, ignored ones too. Asks neither CRM."""
    with opened_offline() as connection:
        found = _find(connection, record, None)
    if json:
        terminal.print_json({"problems": [asdict(one) for one in found]})
        return
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables

    lists.print_problems(found, 0, len(found) or 1)


@commands.command(
    epilog=terminal.make_examples(
        "connector problems retry 006XXXXXXXXXXXXXXX",
        "connector problems retry deal:123456 amount",
        "connector problems retry --class permissions",
        "connector problems retry --all",
    )
)
def retry(
    record: Record = None,
    field: Field = None,
    cause: Class = "",
    object_: Object = "",
    all_: All = False,
    json: Json = False,
) -> None:
    """Let the next run try again at once, whatever the delay. Asks neither CRM.

    Exit code 0: so it is noted; 2: there is no such problem.
    """
    from connector.engine.answers.problems import retry_problems  # noqa: PLC0415  # slow to import

    with opened_offline() as connection:
        found = _choose(connection, record, field, cause, object_, all_=all_)
        retry_problems(connection.store, found)
    _tell("retried", found, json=json)


@commands.command(
    epilog=terminal.make_examples(
        "connector problems ignore 003XXXXXXXXXXXXXXX",
        "connector problems ignore --class duplicates",
        "connector problems ignore 003XXXXXXXXXXXXXXX --undo",
    )
)
def ignore(
    record: Record = None,
    field: Field = None,
    cause: Class = "",
    object_: Object = "",
    undo: Annotated[bool, typer.Option("--undo", help="Show it again.")] = False,
    json: Json = False,
) -> None:
    """Hide a problem until it changes: another detail or another value, and it is open again. Asks neither CRM.

    It is tried again all the while, and no longer makes `sync` and `status` end with 1. Exit code 0: so it is
    noted; 2: there is no such problem.
    """
    from connector.engine.answers.problems import ignore_problems  # noqa: PLC0415  # slow to import

    with opened_offline() as connection:
        found = _choose(connection, record, field, cause, object_, all_=False)
        ignore_problems(connection.store, found, over=undo)
    _tell("shown" if undo else "ignored", found, json=json)


def _choose(
    connection: Connection, record: str | None, field: str | None, cause: str, object_: str, *, all_: bool
) -> Sequence[ProblemAnswer]:
    """The problems that a person means: of a record, of a class or object, or all."""
    from connector.engine.answers.problems import list_problems  # noqa: PLC0415  # slow to import

    if record is not None:
        found = _find(connection, record, field)
        return [one for one in found if _check_class(cause) in ("", one.cause)]
    if not (cause or object_ or all_):
        raise typer.BadParameter("name a record, or --class or --object", param_hint="RECORD")
    return list_problems(connection.store, cause=_check_class(cause), object_=object_)


def _find(connection: Connection, record: str, field: str | None) -> Sequence[ProblemAnswer]:
    """The problems of a record and its partner, or of what is no record, such as an owner or a record type."""
    from connector.engine.answers.problems import list_problems  # noqa: PLC0415  # slow to import
    from connector.engine.answers.view import look_offline  # noqa: PLC0415  # slow to import

    some = [*list_problems(connection.store), *list_problems(connection.store, ignored=True)]
    found = [one for one in some if one.record_id == record]
    if not found:
        view = look_offline(connection, record)
        ids = {(one.side, one.id) for one in view.records.values() if one is not None}
        found = [one for one in some if (one.side, one.record_id) in ids]
    if field is not None:
        found = [
            one for one in found if field.casefold() in {one.field.casefold(), *one.field.casefold().split("+")}
        ]
    if not found:
        what = f"{record} has no problem{f' with {field}' if field else ''}"
        raise BadConfiguration([Finding(record, 0, what, f"`connector explain {record}` shows how it stands")])
    return found


def _check_class(cause: str) -> str:
    from connector.core.model import ProblemClass  # noqa: PLC0415  # slow to import

    known = {one.value.casefold(): one.value for one in ProblemClass}
    if cause and cause.casefold() not in known:
        raise typer.BadParameter(f"is one of {', '.join(known.values())}", param_hint="--class")
    return known.get(cause.casefold(), "")


def _tell(what: str, found: Sequence[ProblemAnswer], *, json: bool) -> None:
    if json:
        terminal.print_json({what: [asdict(one) for one in found]})
        return
    from connector.cli.printing import lists  # noqa: PLC0415  # needs rich's tables

    lists.print_problem_act(what, found)
