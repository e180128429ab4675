"""Stores that are damaged, truncated, locked, read-only, full or gone: each is said, with what to do about it."""

from __future__ import annotations

import os
import shutil
import sqlite3

import pytest
from sqlalchemy import make_url
from store.conftest import deal

from connector.core.model import Side
from connector.errors import BadConfiguration, Fault, StoreUnusable
from connector.store import database, faults, integrity
from connector.store.store import Store

HUB = Side.HUBSPOT, "deals"
SECRET = "hunter2"


@pytest.fixture
def path(tmp_path, empty_store):
    """The file of an empty store."""
    shutil.copy(empty_store, tmp_path / "store.db")
    return tmp_path / "store.db"


@pytest.fixture
def opened(path, now):
    store = Store.open(f"sqlite:///{path}", "default", now)
    yield store
    store.close()


def observe(store, *ids):
    store.records.observe([deal(id_, note="x" * 500) for id_ in ids], {})


def fill(path, now):
    """Give a store a few hundred pages."""
    store = Store.open(f"sqlite:///{path}", "default", now)
    observe(store, *map(str, range(1500)))
    store.close()


def overwrite(path, page, what=b"\xa5" * 4096):
    """A disk writes something else over a page of a file."""
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(what)


def stopped(caught, fault):
    """What is told of a store that cannot be used; it has to say what to do."""
    error = caught.value
    assert (error.fault, error.exit_code) == (fault, 4)
    assert error.remedy
    return error


def test_a_commit_is_on_the_disk(opened):
    """SQLite flushes the log at each commit: what is in the journal is there after a power failure too."""
    with opened._engine.connect() as connection:
        pragmas = ("synchronous", "fullfsync", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {one}").scalar() for one in pragmas]
    assert found == [2, 1, database.BUSY_MILLISECONDS]  # 2: FULL


# --- damage ---


def test_garbage_in_the_place_of_a_store(path, now):
    """A file that is no database is left as it is; the remedy says how to go on without one."""
    path.write_bytes(os.urandom(40_000))
    before = path.read_bytes()
    with pytest.raises(BadConfiguration) as caught:
        Store.open(f"sqlite:///{path}", "default", now)
    (finding,) = caught.value.findings
    assert finding.message == "cannot be used: file is not a database"
    assert "connector restore FILE" in finding.remedy
    assert path.read_bytes() == before


def test_damage_is_found_before_a_run(path, now):
    """Pages that no query of the run's beginning would meet are met by the check."""
    fill(path, now)
    overwrite(path, path.stat().st_size // 4096 - 20)
    store = Store.open(f"sqlite:///{path}", "default", now)
    with pytest.raises(StoreUnusable) as caught, store.runs.lease():
        raise AssertionError("the run began")
    error = stopped(caught, Fault.DAMAGED)
    assert str(path) in error.message
    assert "nothing is deleted" in error.remedy
    assert not store.runs.is_under_way()
    store.close()


def test_a_truncated_store(path, now):
    """Half a store is damaged, whatever is asked of it."""
    fill(path, now)
    os.truncate(path, path.stat().st_size // 2)

    def run():
        store = Store.open(f"sqlite:///{path}", "default", now)
        with store.runs.lease():
            raise AssertionError("the run began")

    with pytest.raises(StoreUnusable) as caught:
        run()
    stopped(caught, Fault.DAMAGED)


def test_a_store_that_somebody_takes_away(opened, path):
    """A file that is gone while its store is open is said before a run begins."""
    path.unlink()
    with pytest.raises(StoreUnusable) as caught, opened.runs.lease():
        raise AssertionError("the run began")
    stopped(caught, Fault.NOT_THERE)


def test_a_store_that_is_replaced_by_garbage_under_way(opened, path):
    """A run that meets it stops; it does not go on with what it remembers."""
    observe(opened, "1")
    opened._engine.dispose()  # as a connection that is made anew meets it
    path.write_bytes(b"garbage" * 5000)
    with pytest.raises(StoreUnusable) as caught:
        observe(opened, "2")
    stopped(caught, Fault.NO_STORE)


def test_values_that_are_no_values_any_more(opened):
    """A page may be sound and its content not: that is told too, and not its content."""
    observe(opened, "1")
    with opened._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE record SET fields = '{\"name\": secret'")
    with pytest.raises(StoreUnusable) as caught:
        opened.records.load(*HUB, ["1"])
    assert "secret" not in stopped(caught, Fault.DAMAGED).message


# --- when the file is looked through ---


@pytest.mark.parametrize(
    ("small", "cut_off", "hours", "looked"),
    [
        (True, False, 0, True),
        (False, False, 1, False),
        (False, True, 1, True),
        (False, False, 25, True),
        (False, False, -1, True),  # a clock was set back
    ],
)
def test_when_a_store_is_looked_through(opened, now, monkeypatch, small, cut_off, hours, looked):
    """A small one before each run, a large one once a day and after a run that was cut off."""
    monkeypatch.setattr(integrity, "SMALL", 0)
    with opened.runs.lease():  # the first look at a large one
        pass
    monkeypatch.setattr(integrity, "SMALL", 10**9 if small else 0)
    now.advance(hours=hours)
    if cut_off:
        killed = opened.runs.lease()
        killed.__enter__()
        opened._database.fence = None
        now.advance(minutes=6)
    asked = []
    fetch = opened._database.fetch

    def listen(statement):
        asked.append("quick_check" in str(statement))
        return fetch(statement)

    monkeypatch.setattr(opened._database, "fetch", listen)
    with opened.runs.lease():
        pass
    assert any(asked) is looked


def test_a_store_in_memory_is_not_looked_through(now, monkeypatch):
    """There is no file that could have changed."""
    store = Store.open("sqlite://", "default", now)
    fetch = store._database.fetch
    asked = []
    monkeypatch.setattr(store._database, "fetch", lambda one: (asked.append(str(one)), fetch(one))[1])
    with store.runs.lease():
        pass
    assert [one for one in asked if "quick_check" in one] == []
    store.close()


# --- what is in the way ---


def test_a_store_that_another_program_locks(opened, path, now, monkeypatch):
    """A browser that holds the file is waited for, and then named as the cause."""
    monkeypatch.setattr(database, "BUSY_MILLISECONDS", 50)
    opened._engine.dispose()
    with sqlite3.connect(path, isolation_level=None) as browser:
        browser.execute("PRAGMA locking_mode=EXCLUSIVE")
        browser.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnusable) as caught:
            observe(opened, "1")
        assert "locked by another program" in stopped(caught, Fault.LOCKED).message
        with pytest.raises(StoreUnusable) as caught:
            Store.open(f"sqlite:///{path}", "default", now)
        stopped(caught, Fault.LOCKED)
        browser.execute("ROLLBACK")
    browser.close()
    observe(opened, "1")
    assert opened.records.count(*HUB) == 1


def test_a_store_that_may_only_be_read(path, now):
    """It can be looked at, and says what it lacks as soon as something is to be noted."""
    Store.open(f"sqlite:///{path}", "default", now).close()
    url = f"sqlite:///file:{path}?mode=ro&uri=true"
    store = Store.open(url, "default", now)
    assert store.records.count(*HUB) == 0
    with pytest.raises(StoreUnusable) as caught:
        observe(store, "1")
    assert "may not be read or written" in stopped(caught, Fault.FORBIDDEN).message
    with pytest.raises(BadConfiguration, match="configuration"):
        store.probe()
    store.close()


def test_a_full_disk_takes_nothing_back(opened):
    """The transaction that finds no room is not there at all; those before it are, and work goes on after it."""
    observe(opened, "1")
    with opened._engine.connect() as connection:  # the only one, which the pool hands out again
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreUnusable) as caught:
        observe(opened, *map(str, range(2, 500)))
    assert "no room" in stopped(caught, Fault.FULL).message
    assert opened.records.count(*HUB) == 1
    with opened._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    observe(opened, *map(str, range(2, 500)))
    assert opened.records.count(*HUB) == 499


# --- what drivers say ---


class Said(Exception):
    """An error as a driver raises it."""

    def __init__(self, **told):
        super().__init__("said")
        self.__dict__ |= told


class OperationalError(Said):
    """The one that has no code."""


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (Said(sqlite_errorcode=5 | 2 << 8), Fault.LOCKED),
        (Said(sqlite_errorcode=10 | 3 << 8), Fault.OUT_OF_REACH),
        (Said(sqlite_errorcode=8 | 5 << 8), Fault.FORBIDDEN),
        (Said(sqlite_errorcode=1555), Fault.TAKEN),
        (Said(sqlite_errorcode=787), Fault.OTHER),  # a foreign key
        (Said(sqlstate="57P01"), Fault.OUT_OF_REACH),
        (Said(sqlstate="53100"), Fault.FULL),
        (Said(pgcode="28P01"), Fault.FORBIDDEN),
        (Said(sqlstate="3D000"), Fault.NOT_THERE),
        (Said(sqlstate="23505"), Fault.TAKEN),
        (Said(sqlstate="42P01"), Fault.OTHER),
        (OperationalError(sqlstate=None), Fault.OUT_OF_REACH),
        (Said(), Fault.OTHER),
    ],
)
def test_what_a_code_means(error, fault):
    """SQLite's extended codes are of the kind of their lower byte, PostgreSQL's of that of their prefix."""
    assert faults.find_fault(error) is fault


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_words_and_a_remedy(fault):
    """So it can be told whatever it is; the place is named without its password."""
    url = make_url(f"postgresql://me:{SECRET}@host/db")
    error = faults.make_unusable(fault, url, "said")
    assert error.message.startswith("the store postgresql://me:***@host/db ")
    assert error.message.endswith(": said")
    assert len(error.remedy) > 5


@pytest.mark.parametrize("said", ["hunter2", "postgresql://me:hunter2@host/db", "auth of me:hunter2@host failed"])
def test_no_driver_tells_the_password_of_the_url(said):
    """Whatever a server or its driver answers, neither the message nor its detail has it."""
    error = faults.make_unusable(Fault.FORBIDDEN, make_url(f"postgresql://me:{SECRET}@host/db"), said)
    assert SECRET not in error.message + error.detail
    assert "@host/db" in error.message


# --- where the file is ---


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("sqlite:///a/b.db", "a/b.db"),
        ("sqlite:////a/b.db?timeout=5", "/a/b.db"),
        ("sqlite:///file:/a/b%20c.db?mode=ro&uri=true", "/a/b c.db"),
        ("sqlite:///file:b.db?uri=true", "b.db"),
        ("sqlite:///file:///a/b.db?uri=true", "/a/b.db"),
        ("sqlite:///file::memory:?uri=true", None),
        ("sqlite:///file:x?mode=memory&cache=shared&uri=true", None),
        ("postgresql://host/db", None),
    ],
)
def test_where_the_file_of_a_url_is(url, file):
    """Plain paths and SQLite's own URIs; nothing where there is no file."""
    found = database.file_of(make_url(url))
    assert (found and str(found)) == file


def test_looking_for_a_store_makes_no_folder(tmp_path, monkeypatch, now):
    """What a URI only reads has to be there: no folder is made, least of all one called `file:`."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadConfiguration):
        Store.open(f"sqlite:///file:{tmp_path}/none/store.db?mode=ro&uri=true", "default", now)
    assert list(tmp_path.iterdir()) == []
    Store.open(f"sqlite:///file:{tmp_path}/made/store.db?uri=true", "default", now).close()
    assert [one.name for one in tmp_path.iterdir()] == ["made"]
    assert database.exists(f"sqlite:///file:{tmp_path}/made/store.db?uri=true")
    assert not database.exists(f"sqlite:///file:{tmp_path}/none/store.db?uri=true")
