"""What does an error of the database mean, and what is to be done about it?

Whatever the driver raises, wherever it does so, becomes a `StoreUnusable` here, by an event of SQLAlchemy's that
sees connecting, executing, fetching and committing. So no command ends with a traceback because of its store.

The codes are those of SQLite's "Result and Error Codes" and of PostgreSQL's "PostgreSQL Error Codes", of which a
prefix is enough. An error without a code comes from the driver, mostly because no server answers.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

from connector.errors import Fault, StoreUnusable
from connector.secrecy import Secrets

_SQLITE = {
    11: Fault.DAMAGED,  # SQLITE_CORRUPT
    24: Fault.DAMAGED,  # SQLITE_FORMAT
    26: Fault.NO_STORE,  # SQLITE_NOTADB
    5: Fault.LOCKED,  # SQLITE_BUSY
    6: Fault.LOCKED,  # SQLITE_LOCKED
    3: Fault.FORBIDDEN,  # SQLITE_PERM
    8: Fault.FORBIDDEN,  # SQLITE_READONLY
    23: Fault.FORBIDDEN,  # SQLITE_AUTH
    13: Fault.FULL,  # SQLITE_FULL
    10: Fault.OUT_OF_REACH,  # SQLITE_IOERR
    14: Fault.NOT_THERE,  # SQLITE_CANTOPEN
    1555: Fault.TAKEN,  # SQLITE_CONSTRAINT_PRIMARYKEY
    2067: Fault.TAKEN,  # SQLITE_CONSTRAINT_UNIQUE
}
_POSTGRES = {
    "08": Fault.OUT_OF_REACH,  # connection exception
    "57P": Fault.OUT_OF_REACH,  # operator intervention: the server shuts down or starts
    "28": Fault.FORBIDDEN,  # invalid authorization
    "42501": Fault.FORBIDDEN,  # insufficient privilege
    "25006": Fault.FORBIDDEN,  # read only transaction
    "3D000": Fault.NOT_THERE,  # no such database
    "53100": Fault.FULL,  # disk full
    "55P03": Fault.LOCKED,  # lock not available
    "40": Fault.LOCKED,  # deadlock, or a transaction that others overtook
    "XX": Fault.DAMAGED,  # internal error, data or index corrupted
    "23505": Fault.TAKEN,  # unique violation
}

BEGIN_ANEW = (
    "put a backup back with `connector restore FILE`; without one, move the file away: with an empty store nothing"
    " is deleted and nothing made twice, only the journal is lost"
)
_WORDS = {
    Fault.DAMAGED: ("is damaged", BEGIN_ANEW),
    Fault.NO_STORE: ("is no store", f"name the store's own file; if this was it: {BEGIN_ANEW}"),
    Fault.LOCKED: (
        "is locked by another program",
        "end what uses it, such as a database browser or a program that copies it, and run again",
    ),
    Fault.FORBIDDEN: (
        "may not be read or written",
        "let this program's user write to the database, and of a file to its folder too",
    ),
    Fault.FULL: (
        "has no room left",
        "make room where it lies and run again: what was begun is noted, and the next run goes on from there",
    ),
    Fault.NOT_THERE: (
        "cannot be opened",
        "see that its place is there, and that this program's user may write there",
    ),
    Fault.OUT_OF_REACH: (
        "cannot be reached",
        "see that its disk, or its server, works, and run again: what was begun is noted",
    ),
    Fault.TAKEN: ("was changed by another program meanwhile", "run again"),
    Fault.OTHER: (
        "cannot be used",
        "run again; if that is no help, see that nothing else changes it, and report what is said here",
    ),
}


def translate_errors(engine: Engine) -> None:
    """Let every error of an engine's driver be raised as a `StoreUnusable`."""

    def translate(context: ExceptionContext) -> BaseException | None:
        if not isinstance(context.sqlalchemy_exception, SQLAlchemyError):
            return None  # not the driver's
        fault = find_fault(context.original_exception, gone=context.is_disconnect)
        return make_unusable(fault, engine.url, str(context.original_exception).strip())

    event.listen(engine, "handle_error", translate)


def make_unusable(fault: Fault, url: URL | None, detail: str) -> StoreUnusable:
    """The error that tells of a fault of the store, with its place if that is known, and without its password."""
    what, remedy = _WORDS[fault]
    if url is not None and url.password:
        detail = Secrets(url.password, url.render_as_string(hide_password=False)).redact(detail)
    return StoreUnusable(fault, f"the store{_place(url)} {what}: {detail}", remedy, detail)


def _place(url: URL | None) -> str:
    if url is None:
        return ""
    if url.get_backend_name() == "sqlite":
        return f" {url.database}" if url.database else " in memory"
    return f" {url.render_as_string(hide_password=True)}"


def find_fault(error: Any, *, gone: bool = False) -> Fault:
    """What an error of a driver's means. `gone`: the connection does not answer any more."""
    if (code := getattr(error, "sqlite_errorcode", None)) is not None:
        return _SQLITE.get(code) or _SQLITE.get(code & 0xFF, Fault.OTHER)  # the upper bits say which of a kind
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    for prefix, fault in _POSTGRES.items():
        if state.startswith(prefix):
            return fault
    return Fault.OUT_OF_REACH if gone or (not state and type(error).__name__ == "OperationalError") else Fault.OTHER
