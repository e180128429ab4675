"""What does a large store cost? Looking it through, backing it up, exporting it, and forgetting what is old.

A store of N links is made, with a record of about 700 bytes on both sides, bases, and a journal of one write and
one image for each, all of a run 500 days ago. Then, each in processor time of this process and by the clock:

    check      what a run pays for a large store once a day (`store/integrity.py`)
    backup     `connector backup`: copy, look through
    restore    `connector restore`: look through, copy, make ready, put in place
    export     `connector export` without the printing; the peak of memory is told too
    forget     what runs take to forget the old run, in as many as that needs
    commits    1,000 transactions of one row, each flushed to the disk, and the same without flushing

    python benchmarks/store.py [--links N] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from connector.engine.restore import restore
from connector.store.backup import back_up
from connector.store.database import Database, open_engine
from connector.store.integrity import Integrity
from connector.store.store import Store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
OLD = (NOW - timedelta(days=500)).isoformat()
FIELDS = orjson.dumps({f"field_{number}": f"value {number} of a record" for number in range(18)}).decode()
CHANGES = orjson.dumps([["amount", 100, 200, "O1", "edited in Salesforce", False]]).decode()
BATCH = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        measure(Path(folder) / "store.db", arguments.links)


def measure(path: Path, links: int) -> None:
    url = f"sqlite:///{path}"
    Store.open(url, "default", lambda: NOW).close()
    fill(path, links)
    print(f"{links:,} links: {path.stat().st_size / 2**20:,.0f} MB")
    engine = open_engine(url)
    with timed("check"):
        Integrity(Database(engine, 1), lambda: NOW).check(cut_off=True)
    engine.dispose()
    with timed("backup"):
        back_up(path, path.with_name("backup.db"))
    with timed("restore"):
        restore(url, path.with_name("backup.db"), lambda: NOW)
    engine = open_engine(url)
    store = Store(engine, "default", lambda: NOW)
    with timed("export"):
        rows = sum(1 for _ in store.read_all())
    tracemalloc.start()
    for _ in store.read_all():
        pass
    print(f"export   {rows:,} rows, at most {tracemalloc.get_traced_memory()[1] / 2**20:.1f} MB of Python's memory")
    tracemalloc.stop()
    store.runs.finish(store.runs.begin(), "ok", {})
    runs = 0
    with timed("forget"):
        while store.retention.forget(NOW - timedelta(days=400)):
            runs += 1
    print(f"forget   took {runs} runs")
    for flushed in ("FULL", "NORMAL"):
        with contextlib.closing(engine.raw_connection()) as connection:  # the one that the pool hands out again
            connection.cursor().execute(f"PRAGMA synchronous={flushed}")
        with timed(f"commits, {flushed}"):
            for number in range(1000):
                store.runs.remember("benchmark", number)
    store.close()


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    began, spent = time.monotonic(), time.process_time()
    yield
    print(f"{what:8} {time.process_time() - spent:6.1f} s of a processor, {time.monotonic() - began:6.1f} s")


def fill(path: Path, links: int) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as store:
        store.execute("PRAGMA synchronous=OFF")
        store.execute("BEGIN")
        store.execute(
            "INSERT INTO run (id, connection_id, started, finished, status) VALUES (1, 1, ?, ?, 'ok')", (OLD, OLD)
        )
        for start in range(0, links, BATCH):
            numbers = range(start, min(start + BATCH, links))
            store.executemany(
                "INSERT INTO record (connection_id, side, object, id, version, created, modified, partner_id,"
                " presence, fields, dirty) VALUES (1, ?, ?, ?, '1', ?, ?, ?, 'present', ?, 0)",
                [
                    row
                    for one in numbers
                    for row in (
                        ("salesforce", "Opportunity", f"006{one:015}", OLD, OLD, str(one), FIELDS),
                        ("hubspot", "deals", str(one), OLD, OLD, f"006{one:015}", FIELDS),
                    )
                ],
            )
            store.executemany(
                "INSERT INTO link (id, connection_id, pair, salesforce_id, hubspot_id, state, born,"
                " base_salesforce, base_hubspot, linked_run, derive)"
                " VALUES (?, 1, 'opportunity-deal', ?, ?, 'linked', 'salesforce', ?, ?, 1, 0)",
                [(one + 1, f"006{one:015}", str(one), FIELDS, FIELDS) for one in numbers],
            )
            store.executemany(
                "INSERT INTO journal (connection_id, run_id, at, state, verb, side, object, record_id, link_id,"
                " changes) VALUES (1, 1, ?, 'done', 'update', 'hubspot', 'deals', ?, ?, ?)",
                [(OLD, str(one), one + 1, CHANGES) for one in numbers],
            )
            store.executemany(
                "INSERT INTO image (connection_id, run_id, \"table\", key, row) VALUES (1, 1, 'link', ?, ?)",
                [(str(one + 1), FIELDS) for one in numbers],
            )
        store.execute("COMMIT")


if __name__ == "__main__":
    main()
