"""The store of one connection: one object, its rooms by intention."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Engine, insert, select

from connector.core.hiding import Veil
from connector.core.model import Pair
from connector.errors import BadConfiguration, Finding, StoreUnusable
from connector.store.choices import Choices
from connector.store.database import Database, open_engine, read_only
from connector.store.export import read_all
from connector.store.holds import Holds
from connector.store.images import Images
from connector.store.imports import Imports
from connector.store.journal import Journal, Problems
from connector.store.links import Links
from connector.store.migrate import revision_of
from connector.store.people import People
from connector.store.records import Records
from connector.store.retention import Retention
from connector.store.runs import Runs
from connector.store.schema import connection
from connector.store.standing import Standings


class Store:
    """Everything remembered about one connection. Times come from `now`, which returns aware datetimes."""

    def __init__(self, engine: Engine, name: str, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self.name = name
        self._database = Database(engine, _connection_id(engine, name))
        self.records = Records(self._database)
        self.images = Images(self._database)
        self.links = Links(self._database, self.images)
        self.holds = Holds(self._database)
        self.journal = Journal(self._database, now)
        self.problems = Problems(self._database, now)
        self.runs = Runs(self._database, now)
        self.standing = Standings(self._database)
        self.choices = Choices(self._database)
        self.imports = Imports(self._database, now)
        self.retention = Retention(self._database, now)
        self.people = People(self._database)

    @classmethod
    def open(cls, url: str, name: str, now: Callable[[], datetime]) -> Store:
        """Open (and if need be create) the store at an SQLAlchemy URL.

        Raises:
            BadConfiguration: the URL is not usable, or the store is newer than this program.
            StoreUnusable: the store is damaged, locked, full or out of reach.
        """
        return cls(open_engine(url), name, now)

    @classmethod
    def open_all(cls, url: str | URL, now: Callable[[], datetime]) -> list[Store]:
        """The stores of all connections at a URL, by their names. Closing one closes all."""
        engine = open_engine(url)
        with read_only(engine) as opened:
            names = [row.name for row in opened.execute(select(connection.c.name).order_by(connection.c.name))]
        return [cls(engine, name, now) for name in names]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens inside becomes durable together, or not at all."""
        with self._database.transaction():
            yield

    @contextlib.contextmanager
    def pretending(self) -> Iterator[None]:
        """What happens inside is seen inside and forgotten afterwards."""
        with self._database.pretending():
            yield

    def hide(self, pairs: Iterable[Pair]) -> None:
        """From now on keep no former value of these pairs' personal fields, beside what is hidden already (G3)."""
        asked = Veil.over(pairs)
        if asked:
            self._database.veil = replace(self._database.veil.with_more(asked), key=self._database.make_key())

    @property
    def veil(self) -> Veil:
        """What is hidden, to be asked before something is shown or told."""
        return self._database.veil

    def wipe(self) -> bool:
        """Let nothing that was deleted stay in the files of the database. Returns whether it could be done now."""
        return self._database.wipe()

    def read_all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything in the store, of all connections, but for the keys of hashes: (table, values by column)."""
        return read_all(self._engine)

    def probe(self) -> str:
        """Write a trifle and take it back. Returns the revision of the schema.

        Raises:
            BadConfiguration: the store cannot be written to.
        """
        try:
            with self._database.pretending():
                self.runs.remember("probe", {})
            with read_only(self._engine) as opened:
                return revision_of(opened)
        except StoreUnusable as error:
            finding = Finding("CONNECTOR_STORE_URL", 0, f"cannot be written to: {error.detail}", error.remedy)
            raise BadConfiguration([finding]) from None

    def close(self) -> None:
        self._engine.dispose()


def _connection_id(engine: Engine, name: str) -> int:
    mine = select(connection.c.id).where(connection.c.name == name)
    with read_only(engine) as opened:
        found = opened.execute(mine).scalar()
    if found is None:
        with engine.connect() as opened, opened.begin():
            found = opened.execute(mine).scalar()  # somebody else may have been faster
            if found is None:
                opened.execute(insert(connection).values(name=name))
                found = opened.execute(mine).scalar_one()
    return int(found)
