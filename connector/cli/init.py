"""`init`: from an empty folder to settings and mappings that fit both CRMs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.printing import setup as printing
from connector.cli.printing import terminal
from connector.errors import BadConfiguration, Finding, Stop

if TYPE_CHECKING:
    from connector.engine.live import Live

DONE, WITH_PROBLEMS = 0, 1
_PREFIXES = ("salesforce_prefix", "hubspot_prefix")
ATTEMPTS = 2
"""A person waits for the answer; a sync tries longer."""


class SignIn(StrEnum):
    """As `engine.drafts.SignIn`, which is slow to import."""

    CLIENT_CREDENTIALS = "client-credentials"
    PASSWORD = "password"  # noqa: S105  # the name of a way, not a password
    SESSION = "session"


class FirstSync(StrEnum):
    IMPORT = "import"
    TRIGGERS_ONLY = "triggers_only"


_ABOUT = "Salesforce and HubSpot"
_CHOICES = "What is to sync"
_FILES = "Files"

InstanceUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Address of the Salesforce org, for environment.example.", rich_help_panel=_ABOUT
    ),
]
How = Annotated[
    SignIn | None, typer.Option("--sign-in", help="How to sign in to Salesforce.", rich_help_panel=_ABOUT)
]
Prefix = Annotated[
    str | None,
    typer.Option(metavar="PREFIX", help="What its environment variables begin with.", rich_help_panel=_ABOUT),
]
Zone = Annotated[
    str | None,
    typer.Option(
        metavar="ZONE",
        help="In which a Salesforce date is a day, e.g. Europe/Berlin; HubSpot's, if it can be asked.",
        rich_help_panel=_ABOUT,
    ),
]
Companies = Annotated[bool | None, typer.Option(help="Accounts and companies.", rich_help_panel=_CHOICES)]
Contacts = Annotated[bool | None, typer.Option(help="Contacts.", rich_help_panel=_CHOICES)]
Deals = Annotated[bool | None, typer.Option(help="Opportunities and deals.", rich_help_panel=_CHOICES)]
First = Annotated[
    FirstSync | None,
    typer.Option(help="Take in what exists, or wait until somebody changes it.", rich_help_panel=_CHOICES),
]
Names = Annotated[
    bool | None,
    typer.Option(
        "--pipeline-names/--pipeline-ids",
        help="Call pipelines by the name of their record type, or by its id.",
        show_default=False,
        rich_help_panel=_CHOICES,
    ),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask neither CRM: the files as they are shipped.", rich_help_panel=_FILES)
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that were changed.", rich_help_panel=_FILES)]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask no questions: flags, or the defaults.", rich_help_panel=_FILES)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text; asks no questions.")]


def init(
    instance_url: InstanceUrl = None,
    sign_in: How = None,
    salesforce_prefix: Prefix = None,
    hubspot_prefix: Prefix = None,
    time_zone: Zone = None,
    companies: Companies = None,
    contacts: Contacts = None,
    deals: Deals = None,
    first_sync: First = None,
    pipeline_names: Names = None,
    offline: Offline = False,
    force: Force = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Write settings, mappings and their schemas into this folder, fitted to both CRMs.

    Asks on a terminal what no flag says. With credentials in the environment both CRMs are read: fields that one
    lacks become comments, value maps are proposed from the values there are. No secret is asked for or written.

    Exit code 0: done; 1: done, but a CRM could not be read; 2: wrong usage, or the folder cannot be written to.
    """
    given = {
        "instance_url": instance_url,
        "sign_in": sign_in,
        "salesforce_prefix": salesforce_prefix,
        "hubspot_prefix": hubspot_prefix,
        "time_zone": time_zone,
        "companies": companies,
        "contacts": contacts,
        "deals": deals,
        "first_sync": first_sync,
        "pipeline_names": pipeline_names,
    }
    flags = {name: _plain(value) for name, value in given.items() if value is not None}
    try:
        told = _init(flags, offline=offline, force=force, quiet=yes or json)
    except Stop as error:
        if json:
            terminal.print_json({"status": "stopped", "error": terminal.describe_stop(error)})
        raise
    if json:
        terminal.print_json(told.as_json())
    else:
        printing.print_init(told)
    raise typer.Exit(WITH_PROBLEMS if told.unread else DONE)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


def _init(flags: Mapping[str, Any], *, offline: bool, force: bool, quiet: bool) -> printing.Initialised:
    from connector.engine import drafts  # noqa: PLC0415  # slow to import
    from connector.engine.live import Live, read_live  # noqa: PLC0415  # slow to import
    from connector.secret_sources import sources_of  # noqa: PLC0415  # with them

    decided = {**drafts.read_answers(Path.cwd()), **flags}
    prefixes = {name: str(decided.get(name, name.removesuffix("_prefix"))).upper() for name in _PREFIXES}
    for name, value in prefixes.items():
        if not value.isidentifier() or not value.isascii():
            remedy = "use letters, digits and underscores, such as SALESFORCE"
            raise BadConfiguration([Finding(f"--{name.replace('_', '-')}", 0, f"{value!r} is no prefix", remedy)])
    decided |= {name: value for name, value in prefixes.items() if name in decided}
    environment = _environment(prefixes)
    live = Live() if offline else read_live(environment, attempts=ATTEMPTS)
    if url := environment.get(f"{prefixes['salesforce_prefix']}_INSTANCE_URL"):
        decided.setdefault("instance_url", url)
    if not quiet and is_terminal():
        decided |= ask(flags, decided, live)
    answers = drafts.Answers(**decided)
    files = drafts.write_files(Path.cwd(), drafts.draft_files(answers, live), decided, force=force)
    missing = [one for one in answers.variables() if not sources_of(environment, one)]
    return printing.Initialised(files, live, answers, tuple(missing), offline)


def _environment(prefixes: Mapping[str, str]) -> dict[str, str]:
    """The environment in which both CRMs are read: without a settings file, which is yet to be written."""
    environment = {name: value for name, value in os.environ.items() if name != "CONNECTOR_CONFIG"}
    for name, value in prefixes.items():
        environment[f"CONNECTOR__{name.removesuffix('_prefix').upper()}__ENVIRONMENT"] = value
    return environment


# --- questions --------------------------------------------------------------------------------------------


def is_terminal() -> bool:
    """Whether somebody is there who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(flags: Mapping[str, Any], decided: Mapping[str, Any], live: Live) -> dict[str, Any]:
    """Ask for what no flag says, and offer what was decided before."""

    def text(name: str, question: str, otherwise: str) -> tuple[str, Callable[[], Any]]:
        return name, lambda: typer.prompt(question, decided.get(name, otherwise))

    def choice(name: str, question: str, choices: type[StrEnum]) -> tuple[str, Callable[[], Any]]:
        first = next(iter(choices)).value
        return name, lambda: _choose(question, choices, decided.get(name, first))

    def switch(name: str, question: str, otherwise: bool) -> tuple[str, Callable[[], Any]]:
        return name, lambda: typer.confirm(question, default=decided.get(name, otherwise))

    questions: Sequence[tuple[str, Callable[[], Any]]] = (
        text("instance_url", "Address of the Salesforce org", "https://yourcompany.my.salesforce.com"),
        choice("sign_in", "How to sign in to Salesforce", SignIn),
        text("time_zone", "Time zone in which a date is a day", live.time_zone or "UTC"),
        switch("companies", "Sync accounts and companies?", True),
        switch("contacts", "Sync contacts?", True),
        switch("deals", "Sync opportunities and deals?", True),
        choice("first_sync", "What a first sync does with what exists", FirstSync),
        switch("pipeline_names", "Call pipelines by the names of record types, not by ids?", False),
    )
    return {name: question() for name, question in questions if name not in flags}


def _choose(question: str, choices: type[StrEnum], default: str) -> str:
    names = [one.value for one in choices]

    def pick(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"say one of {', '.join(names)}")
        return text

    return str(typer.prompt(f"{question} ({', '.join(names)})", default, value_proc=pick))
