"""Which records changed, or were deleted, between two times.

Source: Salesforce REST API Developer Guide, "Get Updated" and "Get Deleted": both times lose their seconds, the
start lies at most 30 (15 for deletions) days back and before the end, the answer says up to when it is complete.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from connector.sandbox.salesforce.definitions.schema import SObject
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.records.store import Store, write_moment
from connector.sandbox.wire import Request

UPDATED_DAYS = 30
DELETED_DAYS = 15


def updated(store: Store, sobject: SObject, request: Request) -> dict[str, Any]:
    """`{"ids", "latestDateCovered"}`: the live records created or changed in the window."""
    start, end, covered = _window(store, sobject, request, UPDATED_DAYS)
    ids = [row["Id"] for row in store.table(sobject.name).live.values() if start <= row["SystemModstamp"] < end]
    return {"ids": ids, "latestDateCovered": covered}


def deleted(store: Store, sobject: SObject, request: Request) -> dict[str, Any]:
    """`{"deletedRecords": [{"id", "deletedDate"}], "earliestDateAvailable", "latestDateCovered"}`."""
    start, end, covered = _window(store, sobject, request, DELETED_DAYS)
    records = [
        {"deletedDate": deletion.when, "id": record}
        for record, deletion in store.table(sobject.name).deletions.items()
        if start <= deletion.when < end
    ]
    earliest = write_moment(store.clock.now() - timedelta(days=DELETED_DAYS))
    return {"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": covered}


def _window(store: Store, sobject: SObject, request: Request, days: int) -> tuple[str, str, str]:
    if not sobject.deletable:
        raise ApiError("INVALID_TYPE", f"sObject type '{sobject.name}' is not replicateable.")
    start, end = _minute(request, "start"), _minute(request, "end")
    now = store.clock.now()
    if start >= end:
        raise ApiError("INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    if start < now - timedelta(days=days):
        raise ApiError("INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
    covered = min(end, now.replace(second=0, microsecond=0))
    return write_moment(start), write_moment(end), write_moment(covered)


def _minute(request: Request, name: str) -> datetime:
    # A plus sign that was not escaped has become a space on its way.
    text = (request.first(name) or "").strip().replace(" ", "+")
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{name} parameter is not a valid date and time: '{text}'"
        raise ApiError("INVALID_REPLICATION_DATE" if text else "MISSING_ARGUMENT", message) from None
    return moment.replace(second=0, microsecond=0)
