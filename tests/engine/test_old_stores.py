"""Stores of every earlier revision, with rows in every table, are brought up to date; and a sync goes on with them.

What a store holds after some work is put into the tables as they were at a revision, as far as they had columns for
it. So each migration meets rows of each kind.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from engine.lab import Lab
from sqlalchemy import create_engine

import connector as package
from connector.core.choices import Choice
from connector.core.model import Problem, ProblemClass, Record, Side
from connector.store.holds import Place
from connector.store.imports import Row
from connector.store.migrate import _config
from connector.store.schema import metadata
from connector.store.store import Store

REVISIONS = [one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
NOT_DATA = {"alembic_version", "lease"}
NOBODY = "006000000000999AAA"
STATEMENTS = 20
"""After how many statements of a migration its process is killed: in the middle of the way from 0001."""


@pytest.fixture(scope="module")
def worked():
    """A lab at rest, whose store has rows in every table."""
    lab = Lab()
    _, contact, _ = lab.business(Amount=100)
    lab.role(lab.opportunity("Second deal", Amount=5), contact)
    lab.sync_until_rest()
    _fill_the_rest(lab.store)
    return lab


def _fill_the_rest(store):
    """Rows of the tables that a quiet sync leaves empty, about a record that there is not."""
    act = store.runs.begin(files={"a.yaml": "pair: a"})
    store.runs.finish(act, "ok", {})
    store.links.end_unlinked("opportunity-deal", NOBODY, "999999", Side.SALESFORCE)
    (ended,) = store.links.by_ids("opportunity-deal", Side.SALESFORCE, [NOBODY]).values()
    store.choices.choose(Choice(ended.id, "amount", Side.HUBSPOT, (5,), {Side.HUBSPOT: (5,)}, act), act)
    store.holds.hold(act, {Place("update", Side.HUBSPOT, "deals", "999999"): {"amount": 2}})
    number = store.imports.begin({}, {}).id
    store.imports.note(number, [Row("Account", "001", "made")])
    store.imports.finish(number)
    values = ProblemClass.PROPERTY_VALUES
    store.problems.note(
        [Problem(Side.HUBSPOT, "deals", "999999", values, "X", "no", "mend", "amount")], retry=False
    )
    nobody = Record(Side.SALESFORCE, "Opportunity", NOBODY, "1", {})
    store.records.wait([(nobody, ("contact-contact", Side.SALESFORCE, "003000000000999AAA"))])


def _make_old(path, worked, revision):
    """A store of a revision with what `worked` holds; answers the tables' names and columns."""
    head = path.with_name("head.db")
    head.write_bytes(worked.durable_store())
    engine, config = create_engine(f"sqlite:///{path}"), _config()
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute(f"ATTACH '{head}' AS head")
        tables = {}
        for (name,) in old.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            if name in NOT_DATA:
                continue
            known = {row[1] for row in old.execute(f"PRAGMA head.table_info('{name}')")}
            columns = [row[1] for row in old.execute(f"PRAGMA main.table_info('{name}')") if row[1] in known]
            tables[name] = ", ".join(f'"{one}"' for one in columns)
            old.execute(f"INSERT INTO main.'{name}' ({tables[name]}) SELECT {tables[name]} FROM head.'{name}'")
    return tables


def _read(path, tables):
    with closing(sqlite3.connect(path)) as store:
        return {
            name: sorted(store.execute(f"SELECT {columns} FROM '{name}'"), key=repr)
            for name, columns in tables.items()
        }


def test_there_are_rows_in_every_table(worked, tmp_path):
    """Those tests would be about less than they say, if a table were empty."""
    tables = _make_old(tmp_path / "store.db", worked, REVISIONS[-1])
    assert set(tables) == set(metadata.tables) - NOT_DATA
    assert [name for name, rows in _read(tmp_path / "store.db", tables).items() if not rows] == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_any_revision_is_brought_up_to_date(worked, tmp_path, revision):
    """Nothing of it is lost; the next sync finds all in step, and carries the next edit."""
    path = tmp_path / "store.db"
    tables = _make_old(path, worked, revision)
    before = _read(path, tables)
    assert all(before.values())
    Store.open(f"sqlite:///{path}", "default", worked.clock.now).close()
    if revision == "0001":  # roles are read once more, since their names never were
        before["cursor"] = [row for row in before["cursor"] if row[1] != "salesforce/OpportunityContactRole"]
    assert _read(path, tables) == before
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA journal_mode=DELETE")
    lab = worked.copy(store=path.read_bytes())
    (big,) = lab.sf_all("SELECT Id FROM Opportunity WHERE Name = 'Big deal'")
    lab.sf_edit("Opportunity", big["Id"], Description="edited since")
    assert lab.sync().writes == 1
    assert lab.hs_get("deals", lab.deal_of(big["Id"]), "description")["description"] == "edited since"


def test_a_migration_that_is_killed_leaves_the_old_store(worked, tmp_path):
    """All of it is one transaction; the next time it is made from the beginning."""
    path = tmp_path / "store.db"
    tables = _make_old(path, worked, REVISIONS[0])
    before = _read(path, tables)
    code = f"""
import os, signal
from sqlalchemy import Engine, event
from connector.store.database import open_engine
left = [{STATEMENTS}]
@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, *_):
    left[0] -= statement.startswith(("ALTER", "CREATE", "UPDATE", "DELETE", "DROP"))
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
open_engine("sqlite:///{path}")
"""
    environment = {"PYTHONPATH": str(Path(package.__file__).parents[1])}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert _read(path, tables | {"alembic_version": "version_num"}) == before | {"alembic_version": [("0001",)]}
    store = Store.open(f"sqlite:///{path}", "default", lambda: datetime.now(UTC))
    assert store.probe() == REVISIONS[-1]
    store.close()
