"""What can a person ask of a run? The options that `plan` and `sync` share, and the wish that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from connector.engine.run import Wish

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
RecordIds = Annotated[
    list[str] | None,
    typer.Option(
        "--record",
        metavar="ID",
        help="Only this record, now: a Salesforce id, or deal:ID, contact:ID, company:ID. May be repeated.",
    ),
]
Create = Annotated[
    bool,
    typer.Option(
        "--create",
        help="With --record: make its partner on the other side even where the rules would make none, such as an"
        " account for a company without contacts.",
    ),
]
Deletes = Annotated[
    bool | None,
    typer.Option(
        "--allow-deletes/--without-deletes",
        help="Delete even more records than the guard allows / delete none and do everything else.",
        show_default=False,
    ),
]
Objects = Annotated[
    list[str] | None,
    typer.Option(
        "--object",
        metavar="NAME",
        help="Only accounts (or companies), contacts, or opportunities (or deals), with the parents that they wait"
        " for. May be repeated.",
    ),
]
_PAIRS = {
    "accounts": "account-company",
    "companies": "account-company",
    "contacts": "contact-contact",
    "opportunities": "opportunity-deal",
    "deals": "opportunity-deal",
}


def make_wish(record: list[str] | None, object_: list[str] | None, *, create: bool, deletes: bool | None) -> Wish:
    from connector.engine.run import Wish  # noqa: PLC0415  # slow to import

    if create and not record:
        raise typer.BadParameter("name the records to create partners for with --record", param_hint="--create")
    if record and object_:
        raise typer.BadParameter("a record says itself what it is: give one of both", param_hint="--object")
    return Wish(deletes=deletes, records=tuple(record or ()), create=create, pairs=read_pairs(object_))


def read_pairs(objects: list[str] | None) -> tuple[str, ...]:
    """The pairs that names of objects stand for."""
    for name in objects or ():
        if name.lower() not in _PAIRS:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(_PAIRS)}", param_hint="--object")
    return tuple(dict.fromkeys(_PAIRS[name.lower()] for name in objects or ()))
