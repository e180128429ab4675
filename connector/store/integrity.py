"""Is the store's file sound? Asked before a run, so that none goes by what a failing disk has made of it.

SQLite reads the whole file for an answer (`PRAGMA quick_check`: all but whether indexes tell what their tables do).
So it is asked

    file              before
    ----------------  ---------------------------------------------------------------
    up to 64 MB       every run
    larger            the first run in 24 hours, and one after a run that was cut off
    none, a server    no run: memory does not rot, and PostgreSQL has checksums of its own
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text

from connector.errors import Fault
from connector.store.database import Database, dump, file_of, load
from connector.store.faults import make_unusable
from connector.store.schema import cursor

SMALL = 64 * 2**20
"""Bytes that are read in a moment."""
EVERY = timedelta(hours=24)
_STREAM = "integrity"


class Integrity:
    """The file of one store."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._db = database
        self._now = now

    def check(self, *, cut_off: bool) -> None:
        """Look through the file, if that is due. `cut_off`: the last run did not come to its end.

        Raises:
            StoreUnusable: it is damaged.
        """
        path = file_of(self._db.url)
        if path is None:
            return
        is_small = self._measure(path) <= SMALL
        if not (is_small or cut_off or self._is_due()):
            return
        found = [row[0] for row in self._db.fetch(text("PRAGMA quick_check(3)"))]
        if found != ["ok"]:
            raise make_unusable(Fault.DAMAGED, self._db.url, "; ".join(" ".join(one.split()) for one in found))
        if not is_small:
            noted = {"connection_id": self._db.connection_id, "stream": _STREAM}
            self._db.upsert(cursor, [{**noted, "value": dump({"at": self._now().isoformat()})}], update=["value"])

    def _measure(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except OSError as error:
            raise make_unusable(Fault.NOT_THERE, self._db.url, error.strerror or str(error)) from None

    def _is_due(self) -> bool:
        mine = (cursor.c.connection_id == self._db.connection_id, cursor.c.stream == _STREAM)
        rows = self._db.fetch(select(cursor.c.value).where(*mine))
        if not rows:
            return True
        age = self._now() - datetime.fromisoformat(load(rows[0].value)["at"])
        return not timedelta(0) <= age < EVERY
