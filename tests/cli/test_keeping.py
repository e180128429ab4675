"""`backup`, `restore` and `export`, as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import Crms, Run, read_json

STORE = "connector.db"


@pytest.fixture
def store(connector: Run, folder: Path) -> Path:
    """The store that a first command leaves."""
    connector("status")
    return folder / STORE


def test_a_store_is_lost_and_put_back(crms: Crms, connected: Run, connector: Run, folder: Path) -> None:
    """After a restore the plan is empty: what was synced since the backup is recognised."""
    connected("sync")
    told = read_json(connector("backup", "kept.db", "--json"))
    assert (told["file"], told["last_run"]) == ("kept.db", 1)
    assert told["bytes"] == (folder / "kept.db").stat().st_size
    account = crms.salesforce.query("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0]["Id"]
    crms.salesforce.update("Account", account, Phone="+1 555 0199")
    connected("sync")
    (folder / STORE).write_bytes(b"garbage" * 1000)
    assert connector("status").exit_code == 2
    done = read_json(connector("restore", "kept.db", "--json"))
    assert (folder / done["replaced"]).read_bytes() == b"garbage" * 1000
    assert read_json(connected("plan", "--json"))["actions"] == []
    assert read_json(connected("sync", "--json"))["run"] == done["run"] + 1
    listed = connector("runs").stdout
    assert "restore" in listed
    shown = read_json(connector("runs", str(done["run"]), "--json"))
    assert (shown["kind"], shown["status"], shown["report"]["file"]) == ("restore", "by hand", "kept.db")


def test_backups_are_told(connector: Run, store: Path, folder: Path) -> None:
    """Without a name, and in a folder, a backup is called after the store and the time."""
    (folder / "backups").mkdir()
    first, second = connector("backup"), connector("backup", "backups")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.startswith("Backed up connector-20")
    assert "0 links, no run yet" in first.stdout
    (made,) = (folder / "backups").iterdir()
    result = connector("restore", str(made))
    assert f"Put back {made}" in result.stdout
    assert "is kept as connector.replaced-20" in result.stdout
    assert made.exists()
    assert store.exists()


def test_nothing_is_overwritten_by_mistake(connector: Run, store: Path, folder: Path) -> None:
    """Neither a file that is there, unless it is said, nor the store itself."""
    (folder / "kept.db").write_text("something else")
    assert connector("backup", "kept.db").exit_code == 2
    assert connector("export", "kept.db").exit_code == 2
    assert (folder / "kept.db").read_text() == "something else"
    assert connector("backup", STORE, "--overwrite").exit_code == 2
    assert connector("backup", "kept.db", "--overwrite").exit_code == 0
    assert connector("export", "kept.db", "--overwrite").exit_code == 0
    assert {one.name for one in folder.iterdir()} == {"kept.db", STORE}


@pytest.mark.parametrize(
    ("args", "store", "said"),
    [
        (("backup",), "sqlite:///none.db", "there is no store yet"),
        (("backup",), "postgresql://me:secret@host/db", "pg_dump"),
        (("restore", "x"), "sqlite://", "is no file of SQLite's"),
        (("restore", "x"), "nonsense", "cannot be used"),
        (("restore", "x"), "sqlite:///none.db", "there is no such file"),
        (("backup", "file/kept.db"), f"sqlite:///{STORE}", "cannot be written"),
        (("export", "file/kept.jsonl"), f"sqlite:///{STORE}", "cannot be written"),
    ],
)
def test_what_cannot_be_done(connector: Run, folder: Path, args, store, said) -> None:
    """It is said with exit code 2, and nothing is made."""
    (folder / "file").write_text("")
    if STORE in store:
        connector("status")
    before = sorted(folder.rglob("*"))
    result = connector(*args, CONNECTOR_STORE_URL=store)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.split())
    assert "secret" not in result.stderr
    assert sorted(folder.rglob("*")) == before


def test_export(connector: Run, store: Path, folder: Path) -> None:
    """One object a line, with the version of the shape; a file is private, and the same as what is printed."""
    printed = connector("export").stdout
    lines = [json.loads(line) for line in printed.splitlines()]
    assert {(one["version"], *one) for one in lines} == {(1, "version", "table", "row")}
    assert lines[0]["table"] == "revision"
    assert {"version": 1, "table": "connection", "row": {"id": 1, "name": "default"}} in lines
    connector("export", "store.jsonl")
    assert (folder / "store.jsonl").read_text() == printed
    assert (folder / "store.jsonl").stat().st_mode & 0o777 == 0o600
