"""How does a command get at what it works with: the store alone, or both CRMs too, as this folder has them?"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from connector.cli.ending import Ending
from connector.cli.printing import terminal
from connector.errors import Busy, Stop, StoreUnusable, Suspended

if TYPE_CHECKING:
    from connector.engine.report import Report
    from connector.engine.run import Wish
    from connector.engine.world import Connection
    from connector.settings import Settings
    from connector.store.store import Store

T = TypeVar("T")
DONE, WITH_PROBLEMS, REFUSED = 0, 1, 3
IMPATIENT = 2
"""Attempts of a call for whose answer a person waits; a sync tries longer."""


def now() -> datetime:
    return datetime.now(UTC)


@contextlib.contextmanager
def opened_store() -> Iterator[tuple[Settings, Store]]:
    """The settings and the store, for a command that asks neither CRM."""
    from connector.settings import load_settings  # noqa: PLC0415  # slow to import
    from connector.store.store import Store  # noqa: PLC0415  # slow to import

    settings = load_settings(os.environ, Path.cwd())
    store = Store.open(settings.store, settings.connection, now)
    try:
        yield settings, store
    finally:
        store.close()


@contextlib.contextmanager
def opened_offline() -> Iterator[Connection]:
    """The store, the settings and the mapping, as a connection that asks neither CRM. Needs no credentials."""
    from connector.engine.answers.view import make_offline  # noqa: PLC0415  # slow to import
    from connector.settings import load_mapping  # noqa: PLC0415  # slow to import

    with opened_store() as (settings, store):
        yield make_offline(settings, load_mapping(settings, Path.cwd()), store, now)


@contextlib.contextmanager
def opened_store_if_any() -> Iterator[tuple[Settings, Store | None]]:
    """The same, but no store is made where there is none yet, as beside mapping files that are only looked at."""
    from connector.settings import load_settings  # noqa: PLC0415  # slow to import
    from connector.store.database import exists  # noqa: PLC0415  # slow to import

    settings = load_settings(os.environ, Path.cwd())
    if not exists(settings.store):
        yield settings, None
        return
    with opened_store() as (_, store):
        yield settings, store


@contextlib.contextmanager
def connected(attempts: int | None = None, ending: Ending | None = None) -> Iterator[Connection]:
    """Both CRMs and the store. Nothing is sent yet.

    `attempts`: how often a call is tried, if not as by a sync. `ending`: no call waits any more once that is asked.
    """
    from connector.adapters.http import ATTEMPTS  # noqa: PLC0415  # slow to import
    from connector.engine.connect import connect  # noqa: PLC0415  # slow to import

    sleep = ending.sleep if ending else time.sleep
    connection = connect(os.environ, Path.cwd(), attempts=attempts or ATTEMPTS, sleep=sleep)
    try:
        yield connection
    finally:
        connection.store.close()


def run_connected(
    act: Callable[[Connection, Wish, Callable[[str, int], None]], Report],
    wish: Wish,
    told: Callable[[Connection | None], dict[str, Any]] | None,
    *,
    writes: bool = True,
) -> Report:
    """Connect and run. With `told` a run that stops prints JSON: what that gives, and the error.

    What `writes` is ended by a signal where all is settled (`ending.py`).
    """
    begun, ending = None, Ending()
    try:
        with connected(ending=ending) as connection:
            begun = connection
            listening = ending.listening() if writes else contextlib.nullcontext()
            try:
                with listening, terminal.progress(quiet=told is not None) as tell:
                    return act(connection, wish, ending.watch(tell))
            except Stop as error:
                if told is not None:
                    untold = isinstance(error, Busy | Suspended | StoreUnusable)
                    tell_stop(error, told(None if untold else connection))
                raise
    except Stop as error:
        if begun is None and told is not None:
            tell_stop(error, told(None))
        raise


def connected_to(
    act: Callable[[Connection, Callable[[str, int], None]], T], *, json: bool, ending: Ending | None = None
) -> T:
    """Connect and do what is no sync. With `json` a stop is told as JSON too. `ending`: as of `connected`."""
    try:
        with connected(ending=ending) as connection, terminal.progress(quiet=json) as tell:
            return act(connection, tell)
    except Stop as error:
        if json:
            terminal.print_json({"error": terminal.describe_stop(error)})
        raise


def nothing_planned(_: Connection | None) -> dict[str, Any]:
    """What a plan prints that could not be made."""
    from connector.engine.report import Report  # noqa: PLC0415  # slow to import

    return Report().plan_as_json()


def tell_stop(error: Stop, told: dict[str, Any]) -> None:
    """What a command prints as JSON when it stops."""
    status = "refused" if error.exit_code == REFUSED else "stopped"
    terminal.print_json(told | {"status": status, "error": terminal.describe_stop(error)})


def exit_code(status: str) -> int:
    """What a report's status means to a shell."""
    return {"problems": WITH_PROBLEMS, "drifted": WITH_PROBLEMS, "refused": REFUSED}.get(status, DONE)


def last_report(connection: Connection | None) -> dict[str, Any]:
    """How far the run came that has just stopped. `None`: it had not begun."""
    from connector.engine.report import Report  # noqa: PLC0415  # slow to import

    last = connection.store.runs.last() if connection else None
    return Report().as_json() | (last["report"] if last else {})
