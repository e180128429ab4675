"""Transactions, pretending, and stores that cannot be used."""

from __future__ import annotations

import os
import sqlite3
import stat
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from store.conftest import deal

from connector.core.model import Base, Side
from connector.errors import BadConfiguration
from connector.store.database import CHUNK, chunks, open_engine
from connector.store.migrate import upgrade
from connector.store.schema import metadata
from connector.store.store import Store

HUB = Side.HUBSPOT, "deals"


def observe(store, id_):
    store.records.observe([deal(id_)], {})


def ids(store):
    return store.records.dirty(*HUB, "", 100)


# --- transactions ---


def test_a_transaction_is_all_or_nothing(store, second):
    """An error inside leaves nothing, of no table."""

    def work():
        with store.transaction():
            observe(store, "1")
            store.links.begin("deals", Side.SALESFORCE, {"006": Base()})
            store.runs.remember("stream", 1)
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        work()
    for one in (store, second):
        assert (ids(one), one.links.count_by_state(), one.runs.read("stream")) == ([], {}, None)


def test_a_transaction_sees_itself(store):
    """What is written inside is read inside."""
    with store.transaction():
        observe(store, "1")
        assert ids(store) == ["1"]


def test_nested_transactions_are_one(store):
    """The outer one decides: an inner one that ended well goes with it."""

    def work():
        with store.transaction():
            with store.transaction():
                observe(store, "1")
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        work()
    assert ids(store) == []
    with store.transaction(), store.transaction():
        observe(store, "2")
    assert ids(store) == ["2"]


def test_after_an_error_work_goes_on(store):
    """A transaction that failed does not spoil the next one."""
    with pytest.raises(RuntimeError, match="broken"), store.transaction():
        raise RuntimeError("broken")
    observe(store, "1")
    assert ids(store) == ["1"]


def test_others_see_nothing_before_the_end(store, second, url):
    """Another process sees a transaction when it is done, and not before."""
    if url == "sqlite://":  # in memory there is one connection, and no other process
        second = store
    with store.transaction():
        observe(store, "1")
        seen = ids(second)
    assert seen == (["1"] if second is store else [])
    assert ids(second) == ["1"]


def test_pretending_leaves_no_trace(store, second):
    """Inside, everything works as if it were real, transactions too; afterwards nothing of it is there."""
    observe(store, "0")
    with store.pretending():
        observe(store, "1")
        with store.transaction():
            link = store.links.begin("deals", Side.SALESFORCE, {"006": Base()})["006"]
            store.runs.remember("stream", 1)
        assert (ids(store), store.runs.read("stream")) == (["0", "1"], 1)
        assert store.links.load([link])
    for one in (store, second):
        assert (ids(one), one.links.count_by_state(), one.runs.read("stream")) == (["0"], {}, None)


def test_pretending_ends_with_an_error(store):
    """Also if it is left by an error, and work goes on in earnest."""

    def work():
        with store.pretending():
            observe(store, "1")
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        work()
    observe(store, "2")
    assert ids(store) == ["2"]


def test_a_store_can_be_looked_at_while_another_process_works(tmp_path, now):
    """Whoever only looks waits for no transaction, not even to open the store."""
    url = f"sqlite:///{tmp_path}/store.db"
    worker = Store.open(url, "default", now)
    observe(worker, "1")
    with worker.pretending():
        observe(worker, "2")
        began = time.monotonic()
        looker = Store.open(url, "default", now)
        assert ids(looker) == ["1"]
        assert time.monotonic() - began < 5  # a writer would have been waited for twice as long
    looker.close()
    worker.close()


def test_ids_go_in_pieces():
    """Distinct, in order, no more at a time than a statement takes."""
    given = [str(number % 1200) for number in range(3000)]
    pieces = list(chunks(given))
    assert [len(one) for one in pieces] == [CHUNK, CHUNK, 200]
    assert [one for some in pieces for one in some] == given[:1200]
    assert list(chunks([])) == []


# --- the schema ---


def test_migrations_lead_to_the_schema(store):
    """A store that was migrated is one that the tables of this program describe, to the last index."""
    with store._engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_opening_again_changes_nothing(url, now):
    """A store that is up to date is opened as it is, and a connection keeps its number."""
    first = Store.open(url, "default", now)
    observe(first, "1")
    again = Store(first._engine, "default", now) if url == "sqlite://" else Store.open(url, "default", now)
    assert ids(again) == ["1"]
    again.close()
    first.close()


def findings(url):
    with pytest.raises(BadConfiguration) as caught:
        open_engine(url)
    (finding,) = caught.value.findings
    assert finding.where == "CONNECTOR_STORE_URL"
    assert finding.remedy
    return finding.message


def test_a_newer_store_is_refused(store, url, now):
    """A store that a newer version has written is left alone."""
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with store._engine.connect() as connection, pytest.raises(BadConfiguration):
        upgrade(connection)
    if url != "sqlite://":
        assert findings(url) == "was written by a newer connector"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "connector.db",
        "nosuch://host/db",
        "mysql://host/db",
        "sqlite+nosuch:///x.db",
        "postgresql://host:port/db",
        "sqlite:///:memory:?timeout=much",
    ],
)
def test_a_wrong_url_is_said(url):
    """A URL that is none, or whose driver is missing, is something to mend, not a crash."""
    assert findings(url).startswith("cannot be used: ")


def test_a_store_is_made_with_its_folder(tmp_path, now):
    """The folder of a new store need not be there."""
    store = Store.open(f"sqlite:///{tmp_path}/deep/below/store.db", "default", now)
    observe(store, "1")
    assert (tmp_path / "deep" / "below" / "store.db").stat().st_size > 0
    store.close()


def test_a_file_in_the_way(tmp_path):
    """A folder that cannot be made is said."""
    (tmp_path / "file").write_text("")
    assert "cannot be used" in findings(f"sqlite:///{tmp_path}/file/store.db")


def test_a_folder_in_the_way(tmp_path):
    """A store that is a folder cannot be opened."""
    assert "unable to open" in findings(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_store(tmp_path):
    """Somebody else's file is not overwritten."""
    path = tmp_path / "store.db"
    path.write_text("These are my notes, and they are long enough to be taken for pages of a database." * 100)
    assert "not a database" in findings(f"sqlite:///{path}")
    assert path.read_text().startswith("These are my notes")


def test_a_store_that_may_not_be_written(tmp_path):
    """A store in a place that is read only is said, whoever asks."""
    path = tmp_path / "store.db"
    sqlite3.connect(path).close()
    path.chmod(stat.S_IRUSR)
    assert "cannot be used" in findings(f"sqlite:///file:{path}?mode=ro&uri=true")


def test_sqlite_is_set_up_for_readers_beside_one_writer(tmp_path, now):
    """The journal is a write-ahead log, and foreign keys are kept."""
    store = Store.open(f"sqlite:///{tmp_path}/store.db", "default", now)
    with store._engine.connect() as connection:
        pragmas = {
            one: connection.execute(text(f"PRAGMA {one}")).scalar() for one in ("journal_mode", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1}
    store.close()


# --- secrets, and who may read ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:top-secret@host:port/db",
        "postgresql://me:top/secret:top-secret@host/db",
        "postgresql://me:top-secret:x@host:top-secret/db",
        "nosuch://me:top-secret@host/db",
        "mysql://me:top-secret@host/db",
        "sqlite://me:top-secret@host/db",
        "me:top-secret@host/db",
        "://me:top-secret@host/db",
        "postgresql+psycopg://me:top-secret@127.0.0.1:1/db",
    ],
)
def test_a_wrong_url_is_said_without_its_password(url):
    """Whatever part of it SQLAlchemy or a driver complains of."""
    assert "secret" not in findings(url)


def test_a_new_store_is_readable_by_its_owner_alone(tmp_path, now):
    """With its write-ahead log; what is there already keeps the mode that somebody chose."""
    before = os.umask(0)
    try:
        path = tmp_path / "store.db"
        store = Store.open(f"sqlite:///{path}", "default", now)
        observe(store, "1")
        files = sorted(tmp_path.iterdir())
        assert len(files) > 1
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
        store.close()
        path.chmod(0o640)
        Store.open(f"sqlite:///{path}", "default", now).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    finally:
        os.umask(before)
