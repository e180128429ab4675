"""Pages of a query that is longer than one: `nextRecordsUrl` and what it leads to.

Source: Salesforce REST API Developer Guide, "Query" and "Query Options Headers": at most 2,000 rows a page, the
header `Sforce-Query-Options: batchSize=200..2000` asks for fewer; a locator is valid for two days, and a user
has at most ten open, the oldest of which gives way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.soql.run import Answer

MAX_PAGE = 2000
MIN_PAGE = 200
MAX_OPEN = 10
LIFETIME = timedelta(days=2)

_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d{1,9})", re.IGNORECASE)
_LOCATOR = re.compile(r"(01g\w{15})-(\d{1,9})")


@dataclass(frozen=True, slots=True)
class _Cursor:
    answer: Answer
    size: int
    resource: str
    opened: datetime


class Cursors:
    """The open cursors of one org."""

    def __init__(self, clock: Clock, instance: str) -> None:
        self._clock = clock
        self._instance = instance
        self._open: dict[str, _Cursor] = {}
        self._issued = 0

    def first(self, answer: Answer, options: str | None, resource: str) -> dict[str, Any]:
        """The first page of an answer. `options` is the header's value, `resource` the address of the query."""
        size = page_size(options)
        cursor = _Cursor(answer, size, resource, self._clock.now())
        locator = ""
        if len(answer.rows) > size:
            self._issued += 1
            locator = ids.make("01g", self._instance, self._issued)
            while len(self._open) >= MAX_OPEN:
                del self._open[next(iter(self._open))]
            self._open[locator] = cursor
        return _page(cursor, locator, 0)

    def more(self, text: str) -> dict[str, Any]:
        """The page a locator leads to. Raises INVALID_QUERY_LOCATOR."""
        match = _LOCATOR.fullmatch(text)
        cursor = self._open.get(match[1]) if match else None
        if match is None or cursor is None or self._clock.now() - cursor.opened > LIFETIME:
            raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
        offset = int(match[2])
        if offset >= len(cursor.answer.rows):
            raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return _page(cursor, match[1], offset)


def page_size(options: str | None) -> int:
    """How many rows a page has for the value of `Sforce-Query-Options`."""
    match = _BATCH_SIZE.search(options or "")
    return min(max(int(match[1]), MIN_PAGE), MAX_PAGE) if match else MAX_PAGE


def _page(cursor: _Cursor, locator: str, offset: int) -> dict[str, Any]:
    answer, end = cursor.answer, offset + cursor.size
    done = end >= len(answer.rows)
    page: dict[str, Any] = {"totalSize": answer.total, "done": done}
    if not done:
        page["nextRecordsUrl"] = f"{cursor.resource}/{locator}-{end}"
    page["records"] = [answer.write(row) for row in answer.rows[offset:end]]
    return page
