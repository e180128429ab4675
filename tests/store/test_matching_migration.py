"""A store of 0.1.0 with records in it, brought to the schema with several match keys and survivors of merges."""

from __future__ import annotations

from connector.core.model import Side
from connector.store.store import Store

OLD = """
INSERT INTO connection (id, name) VALUES (1, 'default');
INSERT INTO record (connection_id, side, object, id, version, created, modified, match_key, presence, fields, dirty)
    VALUES (1, 'hubspot', 'contacts', '5', '1', '', '', 'ada@x', 'present', '{"email": "ada@x"}', 1),
    (1, 'hubspot', 'contacts', '6', '1', '', '', NULL, 'deleted', '{}', 0)
"""


def test_A2_records_of_an_older_store_are_as_they_were_and_get_their_keys_anew(old_store, now):
    """Nothing is lost but the one key, which the next run reads from the fields again."""
    store = Store.open(old_store(OLD), "default", now)
    place = Side.HUBSPOT, "contacts"
    [one] = store.records.page(*place, "", 10)
    assert (one.id, one.fields, one.survivor) == ("5", {"email": "ada@x"}, None)
    assert store.records.dirty(*place, "", 10) == ["5"]
    assert store.records.keys_of(*place, ["5"]) == {}
    store.records.set_keys(*place, {"5": [("email", "ada@x")]})
    assert list(store.records.with_keys(*place, [("email", "ada@x")])) == [("email", "ada@x")]
    assert store.records.merged(*place) == []
    store.close()
