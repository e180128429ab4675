"""Records that somebody else is changing right now, so that a write which needs one of them is refused.

A write needs the record itself and the records it points to: creating, changing or deleting a contact or an
opportunity locks its account as well. A lock ends at a time, or after it has refused a number of writes.
Source: Salesforce, "Record Locking Cheatsheet"; REST API Developer Guide, "Status Codes and Error Responses".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connector.sandbox.salesforce.definitions.schema import SObject
from connector.sandbox.salesforce.errors import ApiError, InputError
from connector.sandbox.salesforce.ids import normalise
from connector.sandbox.salesforce.records.store import Row, Store, write_moment

_USERS = {"User", "RecordType"}


@dataclass(slots=True)
class _Lock:
    """`until` as the store writes times; `refusals` that are left. None: no end of that kind."""

    until: str | None
    refusals: int | None


class Locks:
    """The locks held by others in an org."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, _Lock] = {}

    def hold(self, wanted: Mapping[str, Any]) -> None:
        """Lock records: `{"ids": […], "seconds": 5}` or `{"ids": […], "requests": 2}`. Raises `InputError`."""
        given = wanted.get("ids")
        ids = (
            [normalise(each) if isinstance(each, str) else None for each in given]
            if isinstance(given, list)
            else []
        )
        kinds = [name for name in ("seconds", "requests") if name in wanted]
        amount = _count(wanted.get(kinds[0])) if len(kinds) == 1 else None
        if not ids or None in ids or wanted.keys() - {"ids", *kinds} or amount is None:
            raise InputError('a lock is {"ids": […]} with either "seconds" or "requests", a whole number from 1')
        until = None
        if kinds == ["seconds"]:
            try:
                until = write_moment(self._store.clock.now() + timedelta(seconds=amount))
            except OverflowError:
                raise InputError("that time is beyond the calendar") from None
        for record in filter(None, ids):
            self._held[record] = _Lock(until, amount if until is None else None)

    def free(self) -> None:
        """End all locks."""
        self._held.clear()

    def tell(self) -> list[dict[str, Any]]:
        """The locks that last: `{"id", "until", "requests"}`."""
        return [
            {"id": record, "until": lock.until, "requests": lock.refusals}
            for record, lock in self._held.items()
            if not self._is_over(lock)
        ]

    def need(self, sobject: SObject, *rows: Row | None) -> None:
        """Take what a change of a row needs, before and after it. Raises UNABLE_TO_LOCK_ROW."""
        if not self._held:
            return
        for record in dict.fromkeys(_needed(sobject, rows)):
            lock = self._held.get(record)
            if lock is None:
                continue
            if self._is_over(lock):
                del self._held[record]
                continue
            if lock.refusals is not None:
                lock.refusals -= 1
            message = f"unable to obtain exclusive access to this record or 1 records: {record}"
            raise ApiError("UNABLE_TO_LOCK_ROW", message, [])

    def _is_over(self, lock: _Lock) -> bool:
        return lock.refusals == 0 or (lock.until is not None and lock.until <= self._store.now())


def _needed(sobject: SObject, rows: Iterable[Row | None]) -> Iterable[str]:
    names = ["Id"]
    names += [
        field.name for field in sobject.fields.values() if field.references and _USERS.isdisjoint(field.references)
    ]
    for row in rows:
        for name in names:
            if row is not None and name in row:
                yield row[name]


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None
