"""A store of 0.1.0, brought to the schema that knows which mapping a run went by (T4)."""

from __future__ import annotations

from connector.store.store import Store

OLD = """
INSERT INTO connection (id, name) VALUES (1, 'default');
INSERT INTO run (id, connection_id, started, finished, status, report)
    VALUES (1, 1, '2026-01-01', '2026-01-01', 'ok', '{}')
"""


def test_T4_a_run_of_an_old_store_went_by_no_mapping_that_is_known(old_store, now):
    """From then on each run notes its own."""
    store = Store.open(old_store(OLD), "default", now)
    assert store.runs.last_mapping() is None
    begun = store.runs.begin(files={"a.yaml": "pair: a"})
    assert store.runs.last_mapping() == (begun, {"a.yaml": "pair: a"})
    store.close()
