"""A store of 0.1.0, brought to the schema that knows which records are out of scope (A8)."""

from __future__ import annotations

from connector.core.model import Side
from connector.store.store import Store

OLD = """
INSERT INTO connection (id, name) VALUES (1, 'default');
INSERT INTO record (connection_id, side, object, id, version, created, modified, presence, fields, dirty)
    VALUES (1, 'salesforce', 'Opportunity', '006A', '1', '', '', 'present', '{"Type": "Partner"}', 1),
    (1, 'hubspot', 'deals', '11', '1', '', '', 'present', '{}', 0)
"""


def test_A8_nothing_is_out_of_scope_in_a_store_that_knew_no_scope(old_store, now):
    """The records stay as they were, and can be marked from then on."""
    store = Store.open(old_store(OLD), "default", now)
    assert store.records.count_out_of_scope() == {}
    assert store.records.dirty(Side.SALESFORCE, "Opportunity", "", 10) == ["006A"]
    store.records.mark_scope(Side.SALESFORCE, "Opportunity", ["006A"], outside=True)
    assert store.records.count_out_of_scope() == {(Side.SALESFORCE, "Opportunity"): 1}
    store.records.mark_scope(Side.SALESFORCE, "Opportunity", ["006A"], outside=False)
    assert store.records.count_out_of_scope() == {}
    store.close()
