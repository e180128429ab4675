"""Everything in a store, row by row."""

from __future__ import annotations

import tracemalloc

from store.conftest import deal

from connector.core.model import Base, Side
from connector.store import export
from connector.store.schema import metadata


def test_every_row_of_every_table(store, stranger):
    """All connections, with their table; JSON as what it says, everything else as it is stored."""
    store.records.observe([deal("1", name="Big deal")], {})
    stranger.runs.remember("hubspot/deals", {"after": "x"})
    store.links.begin("deals", Side.SALESFORCE, {"006": Base({"Amount": 5}, {})})
    rows = list(store.read_all())
    assert rows[0][0] == "revision"
    assert ("connection", {"id": 2, "name": "stranger"}) in rows
    assert ("cursor", {"connection_id": 2, "stream": "hubspot/deals", "value": {"after": "x"}}) in rows
    (seen,) = [row for table, row in rows if table == "record"]
    assert (seen["id"], seen["fields"], seen["dirty"], seen["survivor"]) == ("1", {"name": "Big deal"}, True, None)
    (link,) = [row for table, row in rows if table == "link"]
    assert link["base_salesforce"] == {"Amount": 5}


def test_G3_the_key_of_what_is_hidden_is_left_out(store):
    """What leaves the store holds hashes alone, against which nobody can try out a guess (G3)."""
    key = store._database.make_key()
    store.runs.remember("hubspot/deals", {"after": "x"})
    rows = list(store.read_all())
    assert [row["stream"] for table, row in rows if table == "cursor"] == ["hubspot/deals"]
    assert key not in str(rows)


def test_no_column_of_json_is_forgotten():
    """What the schema's remarks call JSON is exported as JSON: as many columns as are dumped somewhere."""
    told = [column for table in metadata.tables.values() for column in table.columns if column.info]
    assert len(told) == 18


def test_an_export_is_one_moment(store, second, url):
    """What is written while it is read is not in it."""
    store.records.observe([deal(str(number)) for number in range(3)], {})
    rows = store.read_all()
    next(rows)
    if url != "sqlite://":  # in memory there is one connection, and no other process
        second.records.observe([deal("late")], {})
    assert sum(table == "record" for table, _ in rows) == 3


def test_an_export_holds_some_rows_at_a_time(store, monkeypatch):
    """Many times as many rows need no more memory."""
    monkeypatch.setattr(export, "ROWS", 50)

    def measure(number):
        store.records.observe([deal(f"{number}-{one}", note="x" * 1000) for one in range(number)], {})
        tracemalloc.start()
        for _ in store.read_all():
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    few = measure(100)
    assert measure(1500) < 2 * few
