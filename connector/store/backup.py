"""How is a store copied while it is used, and how is a copy put in its place?

    back up     a snapshot by SQLite's backup API, which lets a run go on writing; looked through, then moved to
                its place
    put back    look through the backup -> copy it beside the store, to be made ready there -> shut everybody out
                of the store -> keep it beside, and move the copy in

A store of PostgreSQL is backed up by PostgreSQL's own means.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError

from connector.errors import BadConfiguration, Busy, Fault, Finding, StoreUnusable
from connector.private_files import make_privately
from connector.store.database import BUSY_MILLISECONDS, file_of, tell_reason
from connector.store.faults import find_fault, make_unusable
from connector.store.holder import Holder
from connector.store.migrate import is_known
from connector.store.runs import LEASE_SECONDS, Lease

_LOGS = ("-wal", "-shm")
_TOKEN = "restore"  # noqa: S105  # of a lease
_UNREADABLE = {Fault.DAMAGED, Fault.NO_STORE}


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a store, of all its connections: the schema's revision, links, and the last run."""

    revision: str
    links: int
    last_run: int
    last_at: str | None
    """When the last run that ended did so."""


@dataclass(frozen=True, slots=True)
class Former:
    """What has to be known of the store that a backup is put in the place of."""

    last_run: int
    remembered: dict[tuple[str, str], str]
    """By (connection, stream): what it remembers, as JSON."""


def find_file(url: str) -> Path:
    """The file of a store that is one.

    Raises:
        BadConfiguration: it is none.
    """
    try:
        path = file_of(url)
    except (ArgumentError, ValueError) as error:
        reason = tell_reason(url, error)
        raise BadConfiguration([Finding("CONNECTOR_STORE_URL", 0, f"cannot be used: {reason}")]) from None
    if path is None:
        remedy = (
            "back up PostgreSQL by its own means, `pg_dump` and `pg_restore`; `connector export` reads any store"
        )
        raise BadConfiguration([Finding("CONNECTOR_STORE_URL", 0, "is no file of SQLite's", remedy)])
    return path


def back_up(source: Path, target: Path) -> Contents:
    """Copy a store as it is at this moment, also while a run is under way.

    A file that stands at `target` is replaced once the copy is whole.

    Raises:
        BadConfiguration: there is no store, or the copy cannot be put where it was to go.
        StoreUnusable: the store is damaged, or there is no room.
    """
    if not source.exists():
        raise BadConfiguration([Finding(str(source), 0, "there is no store yet", "begin with `connector sync`")])
    with _copied(source, target) as copy:
        with _told_of(source):
            contents = _look_into(copy)
        _replace(copy, target)
    return contents


def read_backup(path: Path) -> Contents:
    """Look through a backup for damage, and say what is in it.

    Raises:
        BadConfiguration: there is none, it is damaged, it is no store, or one of a newer version.
    """
    remedy = "name another file; nothing was changed"
    if not path.is_file():
        raise BadConfiguration([Finding(str(path), 0, "there is no such file", remedy)])
    try:
        return _look_into(path)
    except StoreUnusable as error:
        if error.fault not in _UNREADABLE:
            raise
        what = "is no store" if error.fault is Fault.NO_STORE else "is damaged"
        raise BadConfiguration([Finding(str(path), 0, f"{what}: {error.detail}", remedy)]) from None


@contextlib.contextmanager
def copied_beside(backup: Path, store: Path) -> Iterator[Path]:
    """A copy of a backup in the folder of the store, to be made ready; what was not moved by then is removed."""
    with _copied(backup, store) as copy:
        yield copy


@contextlib.contextmanager
def shut_out(store: Path, now: datetime) -> Iterator[Former | None]:
    """While nobody works with a store and no run begins: what has to be known of it, if it can be read.

    Raises:
        Busy: a run is under way.
        StoreUnusable: another program has it open.
    """
    former = None
    if store.exists():
        try:
            with _connected(store, "rw") as connection:
                former = _read_former(connection, now)
        except StoreUnusable as error:
            if error.fault not in _UNREADABLE:
                raise
    try:
        yield former
    except BaseException:
        if former is not None:
            with _connected(store, "rw") as connection:
                connection.execute("DELETE FROM lease WHERE token = ?", (_TOKEN,))
        raise


def put_in_place(copy: Path, store: Path, now: datetime) -> Path | None:
    """Move a copy to where the store is, and that aside; returns where it is kept.

    At every moment there is a whole store: the one or the other.
    """
    kept = store.with_name(f"{store.stem}.replaced-{now:%Y%m%dT%H%M%SZ}{store.suffix}")
    try:
        for end in _LOGS:  # only a store that cannot be read has any left
            if (log := store.with_name(store.name + end)).exists():
                log.rename(kept.with_name(kept.name + end))
        is_kept = store.exists()
        if is_kept:
            _link(store, kept)
    except OSError as error:
        raise _in_the_way(store, error) from None
    _replace(copy, store)
    return kept if is_kept else None


def _link(path: Path, other: Path) -> None:
    try:
        other.hardlink_to(path)
    except OSError:  # not every file system has hard links
        path.rename(other)


def _read_former(connection: sqlite3.Connection, now: datetime) -> Former | None:
    """What is remembered; and hold every lease from now on, so that no run begins in what is to be moved aside."""
    if not _tables(connection) >= {"lease", "run", "cursor", "connection"}:
        return None
    moment = now.timestamp()
    for held in _read_leases(connection, moment):
        if held.holds and held.seconds <= LEASE_SECONDS:
            who = f", in process {held.holder.pid} on {held.holder.host}" if held.holder else ""
            raise Busy(
                f"a run is under way in the store that is to be replaced{who}",
                f"wait for it; if it was killed, its lease ends in {int(held.seconds)} s",
            )
    # Refused while anybody else has the file open; and then there is no log that belongs to it.
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM lease")
    connection.execute(
        "INSERT INTO lease (connection_id, token, expires) SELECT id, ?, ? FROM connection",
        (_TOKEN, moment + LEASE_SECONDS),
    )
    connection.execute("COMMIT")
    ((last_run,),) = connection.execute("SELECT max(id) FROM run")
    rows = connection.execute(
        "SELECT c.name, u.stream, u.value FROM cursor u JOIN connection c ON c.id = u.connection_id"
        " WHERE u.stream LIKE 'calls/%'"
    )
    return Former(last_run or 0, {(name, stream): value for name, stream, value in rows})


def _read_leases(connection: sqlite3.Connection, moment: float) -> list[Lease]:
    """Those of all connections. A store of an older version does not say which process holds one."""
    tells = {row[1] for row in connection.execute("PRAGMA table_info(lease)")} >= {"host", "pid", "place", "tick"}
    holder = "host, pid, place, tick" if tells else "NULL, NULL, NULL, NULL"
    rows = connection.execute(f"SELECT token, expires, {holder} FROM lease").fetchall()  # noqa: S608  # one of the two above
    return [
        Lease(token, expires - moment, holder=Holder(host, pid, place, tick) if pid is not None else None)
        for token, expires, host, pid, place, tick in rows
    ]


def _look_into(path: Path) -> Contents:
    with _connected(path, "ro") as connection:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
        if found != ["ok"]:
            raise make_unusable(Fault.DAMAGED, _url(path), "; ".join(" ".join(one.split()) for one in found))
        if not _tables(connection) >= {"alembic_version", "connection", "run", "link"}:
            raise BadConfiguration([Finding(str(path), 0, "is no store of this program", "name another file")])
        ((revision,),) = connection.execute("SELECT version_num FROM alembic_version")
        if not is_known(revision):
            remedy = "install the version that wrote it, or name another file"
            raise BadConfiguration([Finding(str(path), 0, "was written by a newer connector", remedy)])
        ((links,),) = connection.execute("SELECT count(*) FROM link")
        ((last_run, last_at),) = connection.execute("SELECT max(id), max(finished) FROM run")
    return Contents(revision, links, last_run or 0, last_at)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _replace(copy: Path, target: Path) -> None:
    try:
        copy.replace(target)
    except OSError as error:
        raise _in_the_way(target, error) from None
    _flush_folder(target)


@contextlib.contextmanager
def _copied(source: Path, target: Path) -> Iterator[Path]:
    """A copy of a store in the folder of `target`, in one file, readable by this user alone."""
    copy = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            make_privately(copy)
        except OSError as error:
            raise _in_the_way(target, error) from None
        mode = "rw" if os.access(source, os.W_OK) else "ro"
        with _connected(source, mode) as here, _connected(copy, "rw", target) as there, _told_of(source):
            here.backup(there)  # all pages in one step are one snapshot, and writers are not kept waiting
            there.execute("PRAGMA journal_mode=DELETE")
        yield copy
    finally:
        for end in ("", *_LOGS, "-journal"):
            with contextlib.suppress(OSError):  # it was moved, or could not be made
                copy.with_name(copy.name + end).unlink()


@contextlib.contextmanager
def _connected(path: Path, mode: str, named: Path | None = None) -> Iterator[sqlite3.Connection]:
    """A file of SQLite's; of what is wrong with it is told under the name of what it is to become."""
    with _translated(named or path):
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}", timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, uri=True
        )
        try:
            yield connection
        finally:
            connection.close()


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise make_unusable(find_fault(error), _url(path), str(error)) from None


@contextlib.contextmanager
def _told_of(source: Path) -> Iterator[None]:
    """What is damaged in a copy is so in what it was copied from. That there is no room is said of the copy."""
    try:
        yield
    except (sqlite3.Error, StoreUnusable) as error:
        fault = error.fault if isinstance(error, StoreUnusable) else find_fault(error)
        if fault not in _UNREADABLE:
            raise
        detail = error.detail if isinstance(error, StoreUnusable) else str(error)
        raise make_unusable(fault, _url(source), detail) from None


def _url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


def _in_the_way(path: Path, error: OSError) -> BadConfiguration:
    remedy = "name a place where this program's user may write"
    return BadConfiguration([Finding(str(path), 0, f"cannot be written: {error.strerror or error}", remedy)])


def _flush_folder(path: Path) -> None:
    """Have it on the disk that a file has another name."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
