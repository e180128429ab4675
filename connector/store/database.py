"""How statements reach the database: one connection, short transactions, and a fence around each.

SQLite is set up as its manual recommends for one writer and many readers: WAL, a busy timeout, `BEGIN IMMEDIATE`
for those who write, while those who only read wait for nobody. No transaction is ever open across a call to a CRM,
except while pretending, when all is rolled back.

A commit is on the disk when it returns (`synchronous=FULL`, and on macOS `fullfsync`): with less, WAL forgets the
last transactions when the power fails, and the journal would not know what a write has replaced that a CRM took
already. Transactions are of batches and pages, so that costs one flush for hundreds of records.
"""

from __future__ import annotations

import contextlib
import functools
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
from sqlalchemy import URL, Connection, Engine, Row, Table, and_, create_engine, event, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.sql import Executable

from connector.core.hiding import Hidden, Veil
from connector.core.model import Value
from connector.errors import BadConfiguration, Fault, Finding, StoreUnusable
from connector.private_files import make_privately
from connector.secrecy import Secrets
from connector.store.faults import make_unusable, translate_errors
from connector.store.migrate import is_current, upgrade
from connector.store.schema import cursor, metadata

_HIDDEN = "hidden"
KEY = "hiding/key"
"""Under which name the key of the hashes is remembered, beside the cursors."""
CHUNK = 500
"""How many ids go into one IN list."""
BUSY_MILLISECONDS = 10_000
"""How long a transaction waits for that of another process."""
_MISPLACED = {Fault.NO_STORE, Fault.FORBIDDEN, Fault.NOT_THERE}
"""What is wrong with the URL rather than with the store, if it is met when that is opened."""


def open_engine(url: str | URL) -> Engine:
    """An engine for a store URL, with its schema brought up to date.

    Raises:
        BadConfiguration: the URL is not one, its driver is missing, or no store is there and none can be made.
        StoreUnusable: there is one, and it is damaged, locked, full or out of reach.
    """
    try:
        engine = _make_engine(url)
        try:
            _bring_up_to_date(engine)
        except BaseException:
            engine.dispose()
            raise
    except StoreUnusable as error:
        if error.fault not in _MISPLACED:
            raise
        raise _cannot_be_used(error.detail, error.remedy) from None
    except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
        raise _cannot_be_used(tell_reason(url, error), "e.g. sqlite:///connector.db") from None
    return engine


def _cannot_be_used(reason: str, remedy: str) -> BadConfiguration:
    return BadConfiguration([Finding("CONNECTOR_STORE_URL", 0, f"cannot be used: {reason}", remedy)])


def tell_reason(url: str | URL, error: Exception) -> str:
    """Why a store cannot be opened, without the password in its URL, nor any part of it that stands elsewhere."""
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    user = text.partition("://")[2].rpartition("@")[0]
    if not user:
        return str(error)
    if isinstance(error, ValueError | ArgumentError):
        return "the part before or after its @ is not as it should be; / : @ in a password are written %2F %3A %40"
    secret = user.partition(":")[2]
    return Secrets(text, user, secret, unquote(secret)).redact(str(error))


def exists(url: str) -> bool:
    """Whether there is a store at a URL that could be opened; only of a file is it known that there is none."""
    try:
        path = file_of(url)
    except (ArgumentError, ValueError):
        return True  # opening it says what is wrong
    return path is None or path.exists()


def file_of(given: str | URL) -> Path | None:
    """The file that an SQLite URL names; None for a store in memory or on a server."""
    url = make_url(given)
    name = url.database
    if url.get_backend_name() != "sqlite" or name in (None, "", ":memory:"):
        return None
    if not (name.startswith("file:") and url.query.get("uri") == "true"):
        return Path(name)
    path = unquote(urlsplit(name).path)  # SQLite's manual, "Uniform Resource Identifiers"
    return None if path in ("", ":memory:") or url.query.get("mode") == "memory" else Path(path)


def _make_engine(url: str | URL) -> Engine:
    parsed = make_url(url)
    path = file_of(parsed)
    if path is not None and parsed.query.get("mode") not in ("ro", "rw"):  # such a file has to be there
        path.resolve().parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # SQLite tells what is in the way
            make_privately(path)  # its logs get the mode of the database
    engine = create_engine(parsed)
    translate_errors(engine)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_immediately)
    return engine


def _bring_up_to_date(engine: Engine) -> None:
    with read_only(engine) as connection:
        current = is_current(connection)
    if not current:
        with engine.connect() as connection:
            upgrade(connection)


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "fullfsync=ON",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("reads_once"):
        connection.exec_driver_sql("BEGIN" if options.get("reads_only") else "BEGIN IMMEDIATE")


def read_only(engine: Engine) -> Connection:
    """A connection that waits for no writer, and must not write."""
    return engine.connect().execution_options(reads_only=True)


def _read_once(engine: Engine) -> Connection:
    """The same for one query alone, which sees one state of the store by itself: SQLite begins nothing for it."""
    return engine.connect().execution_options(reads_once=True)


class Database:
    """One connection to the store for one connection of CRMs."""

    def __init__(self, engine: Engine, connection_id: int) -> None:
        self.connection_id = connection_id
        self.url = engine.url
        self._engine = engine
        self._open: Connection | None = None
        self.in_memory = engine.url.get_backend_name() == "sqlite" and file_of(engine.url) is None
        """Whether it is one thread's alone: another one would find another store."""
        self.is_pretending = False
        self._thread = threading.get_ident()
        self.fence: Callable[[Database], None] | None = None
        """Called at the end of every transaction; raises if another run has taken over."""
        self.run_id: int | None = None
        """The run that is under way, if any: links keep how they were before it (`images.py`)."""
        self._key: str | None = None
        self.veil = Veil()
        """What the journal and all that keeps former values hides (G3)."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside becomes durable together, or not at all. Nested ones join the outer one."""
        if self._open is not None:
            yield
            return
        with self._engine.connect() as connection:
            self._open = connection
            try:
                with connection.begin():
                    yield
                    if self.fence is not None:
                        self.fence(self)
            finally:
                self._open = None

    @contextlib.contextmanager
    def pretending(self) -> Iterator[None]:
        """Whatever is written inside is visible inside, and gone afterwards."""
        with self._engine.connect() as connection:
            self._open, run_id = connection, self.run_id
            self.is_pretending = True
            transaction = connection.begin()
            try:
                yield
            finally:
                transaction.rollback()
                self._open, self.run_id = None, run_id
                self.is_pretending = False

    def execute(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> Any:
        """Run a statement in the open transaction, or in one of its own."""
        if rows is not None and not rows:
            return None
        if self._open is not None:
            return self._run(self._open, statement, rows)
        with self.transaction():
            return self.execute(statement, rows)

    def fetch(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of a query; `values` are those of its parameters."""
        if self._open is not None:
            return self._open.execute(statement, values).fetchall()
        with _read_once(self._engine) as connection:
            return connection.execute(statement, values).fetchall()

    def change(self, statement: Executable, values: Mapping[str, Any]) -> int:
        """Change rows; `values` are those of the statement's parameters. Returns how many."""
        return int(self.execute(statement, [values]).rowcount)

    @property
    def has_beside(self) -> bool:
        """Whether another connection reaches this store now, and may write to it: not while this one pretends."""
        return not self.is_pretending and not (self.in_memory and threading.get_ident() != self._thread)

    def look_beside(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows of a query on a connection of its own, as others see the store now. From any thread."""
        if self.in_memory:
            return self.fetch(statement, values)
        with _read_once(self._engine) as connection:
            return connection.execute(statement, values).fetchall()

    def change_beside(self, statement: Executable, values: Mapping[str, Any]) -> int:
        """As `change`, on a connection of its own, durable at once. From any thread."""
        if self.in_memory:
            return self.change(statement, values)
        with self._engine.connect() as connection, connection.begin():
            return int(connection.execute(statement, values).rowcount)

    @contextlib.contextmanager
    def beside(self) -> Iterator[Database]:
        """This store in a transaction on a connection of its own, durable at its end. From any thread."""
        other = self if self.in_memory else Database(self._engine, self.connection_id)
        with other.transaction():
            yield other

    @staticmethod
    def _run(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]] | None) -> Any:
        return connection.execute(statement, list(rows)) if rows is not None else connection.execute(statement)

    def open_up(self, kept: Any) -> Value:
        """What `close_up` gave, as it was."""
        return Hidden(kept[_HIDDEN], self.key or "") if isinstance(kept, dict) else kept

    @property
    def key(self) -> str | None:
        """The key of this connection's hashes; None: nothing was ever hidden."""
        if self._key is None:
            mine = and_(cursor.c.connection_id == self.connection_id, cursor.c.stream == KEY)
            self._key = next((load(row.value) for row in self.fetch(select(cursor.c.value).where(mine))), None)
        return self._key

    def make_key(self) -> str:
        """The same, made if there is none yet."""
        if self.key is None:
            row = {"connection_id": self.connection_id, "stream": KEY, "value": dump(secrets.token_hex(32))}
            self.upsert(cursor, [row])  # of two that do so at once, the first one's counts
        return str(self.key)

    def wipe(self) -> bool:
        """Write the database anew, so that nothing that was deleted stays in its files.

        Returns whether that went through: on SQLite nobody else may be reading meanwhile. Takes as long as it takes
        to copy the database, and as much free space.
        """
        if self._engine.dialect.name == "postgresql":
            quote = self._engine.dialect.identifier_preparer.format_table
            tables = ", ".join(quote(one) for one in metadata.sorted_tables)
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql(f"VACUUM (FULL) {tables}")
            return True
        with contextlib.closing(self._engine.raw_connection()) as raw:
            driver: Any = raw.driver_connection
            try:
                driver.execute("VACUUM")
                busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.OperationalError:  # locked by a reader, or no room on the disk
                return False
        return not busy

    def upsert(self, table: Table, rows: Sequence[Mapping[str, Any]], update: Iterable[str] = ()) -> None:
        """Insert `rows` (all with the same keys); where the primary key exists, set the `update` columns.

        With no `update`, existing rows stay as they are.
        """
        if not rows:
            return
        self.execute(_make_upsert(self._engine.dialect.name, table, tuple(update)), rows)


@functools.cache
def _make_upsert(dialect: str, table: Table, update: tuple[str, ...]) -> Executable:
    """Built once: that takes longer than to run it, and every run of the connector upserts some dozen times."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    key = list(table.primary_key.columns)
    columns = {name: statement.excluded[name] for name in update}
    made: Executable = (
        statement.on_conflict_do_update(index_elements=key, set_=columns)
        if columns
        else statement.on_conflict_do_nothing(index_elements=key)
    )
    return made


def dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def load(text: str | None) -> Any:
    """What was dumped.

    Raises:
        StoreUnusable: a disk has made something else of it.
    """
    try:
        return None if text is None else orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise make_unusable(Fault.DAMAGED, None, f"not JSON where there should be some: {error}") from None


def close_up(value: Value) -> Any:
    """A value as JSON keeps it, so that no text of a CRM is ever taken for a hidden value."""
    return {_HIDDEN: str(value)} if isinstance(value, Hidden) else value


def chunks(items: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The distinct items, in order, in lists of at most `size`."""
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), size):
        yield unique[start : start + size]
