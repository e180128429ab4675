"""Whatever is wrong with the store, a command says what and what to do, with its exit code and no traceback."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
from cli.conftest import Run

from connector.store import database

STORE = "connector.db"
CREDENTIALS = {
    "SALESFORCE_INSTANCE_URL": "https://example.my.salesforce.com",
    "SALESFORCE_SESSION_ID": "x",
    "HUBSPOT_ACCESS_TOKEN": "x",
}


@pytest.fixture
def store(connector: Run, folder: Path) -> Path:
    """The store that a first command leaves."""
    connector("status")
    return folder / STORE


def scribble(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))


def break_off(path: Path) -> None:
    os.truncate(path, 6000)


def take_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("harm", "code", "said"),
    [(scribble, 2, "not a database"), (break_off, 4, "is damaged"), (take_place, 2, "unable to open")],
)
@pytest.mark.parametrize("command", [("status",), ("runs",), ("explain", "006000000000001AAA", "--offline")])
def test_a_store_that_cannot_be_used(connector: Run, store: Path, command, harm, code, said) -> None:
    """Commands that only look say it like any other."""
    harm(store)
    result = connector(*command)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "→" in result.stderr


@pytest.mark.parametrize(
    ("command", "status"), [("sync", "stopped"), ("plan", "stopped"), ("check", "no connection")]
)
def test_a_damaged_store_as_json(connector: Run, store: Path, command: str, status: str) -> None:
    """A command that cannot begin prints why, where programs read it."""
    break_off(store)
    result = connector(command, "--json", **CREDENTIALS)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["status"]) == (4, status)
    assert "connector restore" in told["error"]["remedy"]


def test_a_locked_store(connector: Run, store: Path, monkeypatch) -> None:
    """A program that holds the file is named as the cause; once it is gone, all is as before."""
    monkeypatch.setattr(database, "BUSY_MILLISECONDS", 50)
    with sqlite3.connect(store, isolation_level=None) as browser:
        browser.execute("PRAGMA locking_mode=EXCLUSIVE")
        browser.execute("BEGIN EXCLUSIVE")
        result = connector("resume")
        assert result.exit_code == 4
        assert "locked by another program" in " ".join(result.stderr.split())
        browser.execute("ROLLBACK")
    browser.close()
    assert connector("resume").exit_code == 0
