"""A store of 0.1.0 with records in it, brought to the schema with several match keys and survivors of merges."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, text

from connector.core.model import Side
from connector.store.migrate import _config
from connector.store.store import Store

OLD = """
INSERT INTO connection (id, name) VALUES (1, 'default');
INSERT INTO record (connection_id, side, object, id, version, created, modified, match_key, presence, fields, dirty)
    VALUES (1, 'hubspot', 'contacts', '5', '1', '', '', 'ada@x', 'present', '{"email": "ada@x"}', 1),
    (1, 'hubspot', 'contacts', '6', '1', '', '', NULL, 'deleted', '{}', 0)
"""


def make_old_store(path):
    """A store as 0.1.0 left it."""
    engine = create_engine(f"sqlite:///{path}")
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        with connection.begin():
            command.upgrade(config, "0001")
            for statement in OLD.split(";"):
                connection.execute(text(statement))
    engine.dispose()


def test_A2_records_of_an_older_store_are_as_they_were_and_get_their_keys_anew(tmp_path, now):
    """Nothing is lost but the one key, which the next run reads from the fields again."""
    make_old_store(tmp_path / "old.db")
    store = Store.open(f"sqlite:///{tmp_path / 'old.db'}", "default", now)
    place = Side.HUBSPOT, "contacts"
    [one] = store.records.page(*place, "", 10)
    assert (one.id, one.fields, one.survivor) == ("5", {"email": "ada@x"}, None)
    assert store.records.dirty(*place, "", 10) == ["5"]
    assert store.records.keys_of(*place, ["5"]) == {}
    store.records.set_keys(*place, {"5": [("email", "ada@x")]})
    assert list(store.records.with_keys(*place, [("email", "ada@x")])) == [("email", "ada@x")]
    assert store.records.merged(*place) == []
    store.close()
