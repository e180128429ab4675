"""What is remembered of imports, and how a store of before comes to it."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine

from connector.store.imports import PAGE, Row
from connector.store.migrate import _config
from connector.store.store import Store


def test_one_import_is_unfinished_until_it_is_done(store):
    """What it was, and how far it came, as it was saved last."""
    assert store.imports.unfinished() is None
    task = store.imports.begin({"what": "accounts"}, {"line": 0})
    store.imports.save(task.id, {"line": 5})
    found = store.imports.unfinished()
    assert (found.id, found.selection, found.progress) == (task.id, {"what": "accounts"}, {"line": 5})
    store.imports.finish(task.id)
    assert store.imports.unfinished() is None


def test_imports_of_other_connections_are_theirs(store, second):
    """Each connection of a store has its own."""
    other = Store(store._engine, "other", store.imports._now)
    task = other.imports.begin({}, {})
    other.imports.note(task.id, [Row("Account", "1", "created", fingerprint="f", partner_id="9")])
    assert store.imports.unfinished() is None
    assert store.imports.made_of("Account", ["f"]) == {}
    assert other.imports.made_of("Account", ["f"]) == {"f": "9"}


def test_the_latest_news_of_a_record_counts(store):
    """And is counted once."""
    task = store.imports.begin({}, {})
    store.imports.note(task.id, [Row("Account", "1", "waiting", detail="for 2")])
    store.imports.note(task.id, [Row("Account", "1", "matched", "name", "9"), Row("Contact", "1", "created")])
    assert store.imports.counts(task.id) == [("Account", "matched", "name", 1), ("Contact", "created", "", 1)]
    assert store.imports.known(task.id, "Account", ["1", "2"]) == {"1": Row("Account", "1", "matched", "name", "9")}
    assert store.imports.partners_among(task.id, ["9", "8"]) == {"9"}


def test_all_rows_come_in_order_page_by_page(store):
    """Also more than a page of them."""
    task = store.imports.begin({}, {})
    rows = [Row("Account", f"{number:06}", "created") for number in range(PAGE + 3)]
    store.imports.note(task.id, reversed(rows))
    assert list(store.imports.rows(task.id)) == rows


def test_a_store_of_before_knows_no_imports(tmp_path, now):
    """The tables come with the next opening."""
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        with connection.begin():
            command.upgrade(config, "0004")
    engine.dispose()
    store = Store.open(f"sqlite:///{tmp_path}/store.db", "default", now)
    task = store.imports.begin({}, {})
    assert store.imports.unfinished().id == task.id
    store.close()
