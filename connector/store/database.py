"""How statements reach the database: one connection, short transactions, and a fence around each.

SQLite is set up as its manual recommends for one writer and many readers: WAL, a busy timeout, `BEGIN IMMEDIATE`
for those who write, while those who only read wait for nobody. No transaction is ever open across a call to a CRM,
except while pretending, when all is rolled back.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.sql import Executable

from connector.errors import BadConfiguration, Finding
from connector.store.migrate import is_current, upgrade

CHUNK = 500
"""How many ids go into one IN list."""


def open_engine(url: str) -> Engine:
    """An engine for a store URL, with its schema brought up to date.

    Raises:
        BadConfiguration: the URL is not one, its driver is missing, or the store cannot be opened.
    """
    try:
        engine = _make_engine(url)
        try:
            _bring_up_to_date(engine)
        except BaseException:
            engine.dispose()
            raise
    except (ArgumentError, ImportError, OSError, DBAPIError, ValueError) as error:
        reason = getattr(error, "orig", None) or error
        raise BadConfiguration(
            [Finding("CONNECTOR_STORE_URL", 0, f"cannot be used: {reason}", "e.g. sqlite:///connector.db")]
        ) from None
    return engine


def exists(url: str) -> bool:
    """Whether there is a store at a URL that could be opened; only of a file is it known that there is none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return True  # opening it says what is wrong
    path = parsed.database
    if parsed.get_backend_name() != "sqlite" or path in (None, "", ":memory:"):
        return True
    return Path(str(path)).exists()


def _make_engine(url: str) -> Engine:
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and parsed.database not in (None, "", ":memory:"):
        Path(str(parsed.database)).resolve().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed)
    if is_sqlite:
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
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads_only")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def read_only(engine: Engine) -> Connection:
    """A connection that waits for no writer, and must not write."""
    return engine.connect().execution_options(reads_only=True)


class Database:
    """One connection to the store for one connection of CRMs."""

    def __init__(self, engine: Engine, connection_id: int) -> None:
        self.connection_id = connection_id
        self._engine = engine
        self._open: Connection | None = None
        self.fence: Callable[[Database], None] | None = None
        """Called at the end of every transaction; raises if another run has taken over."""
        self.run_id: int | None = None
        """The run that is under way, if any: links keep how they were before it (`images.py`)."""

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
            transaction = connection.begin()
            try:
                yield
            finally:
                transaction.rollback()
                self._open, self.run_id = None, run_id

    def execute(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> Any:
        """Run a statement in the open transaction, or in one of its own."""
        if rows is not None and not rows:
            return None
        if self._open is not None:
            return self._run(self._open, statement, rows)
        with self.transaction():
            assert self._open is not None  # noqa: S101  # transaction() has just opened it
            return self._run(self._open, statement, rows)

    def fetch(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of a query; `values` are those of its parameters."""
        if self._open is not None:
            return self._open.execute(statement, values).fetchall()
        with read_only(self._engine) as connection:
            return connection.execute(statement, values).fetchall()

    @staticmethod
    def _run(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]] | None) -> Any:
        return connection.execute(statement, list(rows)) if rows is not None else connection.execute(statement)

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
    return None if text is None else orjson.loads(text)


def chunks(items: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The distinct items, in order, in lists of at most `size`."""
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), size):
        yield unique[start : start + size]
