"""A store of 0.1.0, brought to the schema that knows which mapping a run went by (T4)."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, text

from connector.store.migrate import _config
from connector.store.store import Store

OLD = """
INSERT INTO connection (id, name) VALUES (1, 'default');
INSERT INTO run (id, connection_id, started, finished, status, report)
    VALUES (1, 1, '2026-01-01', '2026-01-01', 'ok', '{}')
"""


def test_T4_a_run_of_an_old_store_went_by_no_mapping_that_is_known(tmp_path, now):
    """From then on each run notes its own."""
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
    assert store.runs.last_mapping() is None
    begun = store.runs.begin(files={"a.yaml": "pair: a"})
    assert store.runs.last_mapping() == (begun, {"a.yaml": "pair: a"})
    store.close()
