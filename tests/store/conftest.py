"""A store in memory, one in a file and, where `TEST_POSTGRES_URL` is set, one on that server; and a clock."""

from __future__ import annotations

import os
import shutil
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import create_engine, make_url, text

from connector.core.model import Record, Side
from connector.store.migrate import _config
from connector.store.store import Store

POSTGRES = os.environ.get("TEST_POSTGRES_URL")
KINDS = ["memory", "file", *(["postgres"] if POSTGRES else [])]


class Now:
    """The time, as a test turns it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def now():
    return Now()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """The file of an empty store, to be copied: a copy is made faster than a schema."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    Store.open(f"sqlite:///{path}", "default", Now()).close()
    return path


@pytest.fixture(params=KINDS)
def url(request, tmp_path, empty_store):
    """Where an empty store can be made."""
    if request.param == "memory":
        yield "sqlite://"
    elif request.param == "file":
        shutil.copy(empty_store, tmp_path / "store.db")
        yield f"sqlite:///{tmp_path}/store.db"
    else:
        schema = f"test_{uuid.uuid4().hex}"
        server = create_engine(POSTGRES)
        with server.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        inside = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
        yield inside.render_as_string(hide_password=False)
        with server.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        server.dispose()


@pytest.fixture
def store(url, now):
    opened = Store.open(url, "default", now)
    yield opened
    opened.close()


@pytest.fixture
def second(store, url, now):
    """The same store as another process sees it (in memory: as another part of this one does)."""
    opened = Store(store._engine, "default", now) if url == "sqlite://" else Store.open(url, "default", now)
    yield opened
    opened.close()


@pytest.fixture
def stranger(store, now):
    """Another connection in the same store, of which the first must never see anything."""
    return Store(store._engine, "stranger", now)


def deal(id_, version="1", side=Side.HUBSPOT, **more):
    """An observation of a deal; fields are given by name, everything else as in `Record`."""
    known = {
        name: more.pop(name)
        for name in ("partner_id", "presence", "survivor", "created", "modified")
        if name in more
    }
    return Record(side, "deals" if side is Side.HUBSPOT else "Opportunity", id_, version, more, **known)


@pytest.fixture
def old_store(tmp_path):
    """Makes a store as 0.1.0 left it, with the rows that the given statements put there; answers its URL."""

    def make(statements: str) -> str:
        url = f"sqlite:///{tmp_path / 'old.db'}"
        engine = create_engine(url)
        config = _config()
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            with connection.begin():
                command.upgrade(config, "0001")
                for statement in statements.split(";"):
                    connection.execute(text(statement))
        engine.dispose()
        return url

    return make
