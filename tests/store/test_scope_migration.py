"""A store of 0.1.0, brought to the schema that knows which records are out of scope (A8)."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, text

from connector.core.model import Side
from connector.store.migrate import _config
from connector.store.store import Store

OLD = """
INSERT INTO connection (id, name) VALUES (1, 'default');
INSERT INTO record (connection_id, side, object, id, version, created, modified, presence, fields, dirty)
    VALUES (1, 'salesforce', 'Opportunity', '006A', '1', '', '', 'present', '{"Type": "Partner"}', 1),
    (1, 'hubspot', 'deals', '11', '1', '', '', 'present', '{}', 0)
"""


def test_A8_nothing_is_out_of_scope_in_a_store_that_knew_no_scope(tmp_path, now):
    """The records stay as they were, and can be marked from then on."""
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        with connection.begin():
            command.upgrade(config, "0001")
            for statement in OLD.split(";"):
                connection.execute(text(statement))
    engine.dispose()
    store = Store.open(f"sqlite:///{tmp_path}/store.db", "default", now)
    assert store.records.count_out_of_scope() == {}
    assert store.records.dirty(Side.SALESFORCE, "Opportunity", "", 10) == ["006A"]
    store.records.mark_scope(Side.SALESFORCE, "Opportunity", ["006A"], outside=True)
    assert store.records.count_out_of_scope() == {(Side.SALESFORCE, "Opportunity"): 1}
    store.records.mark_scope(Side.SALESFORCE, "Opportunity", ["006A"], outside=False)
    assert store.records.count_out_of_scope() == {}
    store.close()
