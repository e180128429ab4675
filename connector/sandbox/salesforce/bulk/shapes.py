"""What the two kinds of Bulk API 2.0 jobs have in common on the wire: how a job is told, found and listed.

Source: Salesforce "Bulk API 2.0 and Bulk API Developer Guide", "Get Information About All Query Jobs" and "Get
Information About All Ingest Jobs".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from connector.sandbox.salesforce.api.calls import Call, whole_number
from connector.sandbox.salesforce.bulk import processing
from connector.sandbox.salesforce.bulk.jobs import Job, Stage, Task
from connector.sandbox.salesforce.bulk.tables import DELIMITERS, ENDINGS, Dialect
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records.store import write_moment
from connector.sandbox.wire import Response

LISTED_TOGETHER = 1000
KINDS = frozenset({"V2Query", "V2Ingest", "Classic"})
STATES = {
    Stage.OPEN: "Open", Stage.QUEUED: "UploadComplete", Stage.RUNNING: "InProgress", Stage.DONE: "JobComplete",
    Stage.FAILED: "Failed", Stage.DROPPED: "Aborted",
}  # fmt: skip


def tell(job: Job) -> dict[str, Any]:
    """A job as it is told right after it was made."""
    classic = job.kind == "Classic"
    changed = max((task.changed for task in job.tasks.values()), default=job.created)
    told: dict[str, Any] = {
        "id": job.id, "operation": job.operation, "object": job.sobject, "createdById": job.user,
        "createdDate": write_moment(job.created), "systemModstamp": write_moment(changed),
        "state": job.state if classic else STATES[job.task.stage], "concurrencyMode": job.mode,
        "contentType": job.content_type, "apiVersion": float(job.version),
    }  # fmt: skip
    if job.key is not None:
        told["externalIdFieldName"] = job.key
    if not classic:
        told |= {"lineEnding": job.dialect.ending, "columnDelimiter": job.dialect.delimiter}
    return told


def poll(org: Org, task: Task) -> None:
    """A client looks how far a task is, and so it may come to an end."""
    org.bulk.poll(task)
    processing.run_due(org)


def find(call: Call, kinds: set[str]) -> Job:
    """The job that is named in the address. Raises NOT_FOUND."""
    job = call.org.bulk.find(call.arguments[0], kinds)
    if job is None:
        raise ApiError("NOT_FOUND", "The requested resource does not exist")
    return job


def listing(
    call: Call, resource: str, kinds: Collection[str], tell_fully: Callable[[Job], Mapping[str, Any]]
) -> Response:
    """`{"done", "records", "nextRecordsUrl"}`, at most 1,000 jobs at a time, oldest first.

    `jobType` and `isPkChunkingEnabled` narrow the list.
    """
    kind, chunked, locator = (
        call.request.first(name) for name in ("jobType", "isPkChunkingEnabled", "queryLocator")
    )
    if kind is not None and kind not in KINDS:
        raise ApiError("INVALIDJOB", f"jobType is none of {', '.join(sorted(KINDS))}: {kind}")
    wanted = [
        job for job in call.org.bulk.listed()
        if job.kind in (kinds if kind is None else {kind}) and (chunked != "true" or job.chunk_size)
    ]  # fmt: skip
    start = whole_number(locator or "") or 0
    stop = start + LISTED_TOGETHER
    done = stop >= len(wanted)
    told = [tell(job) if job.kind == "Classic" else tell_fully(job) for job in wanted[start:stop]]
    url = None if done else f"{call.base}/jobs/{resource}?queryLocator={stop}"
    return Response.json({"done": done, "records": told, "nextRecordsUrl": url})


def require_bulk(org: Org) -> None:
    """Raises FEATURENOTENABLED for an org without the Bulk APIs."""
    if not org.bulk.settings.enabled:
        raise ApiError("FEATURENOTENABLED", "Async API not enabled")


def choice(body: Mapping[str, Any], name: str, allowed: Collection[str]) -> str:
    """One of a few words in a body. Raises INVALIDJOB."""
    value = body.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise ApiError("INVALIDJOB", f"{name} is one of {', '.join(sorted(allowed))}")
    return value


def dialect_of(body: Mapping[str, Any]) -> Dialect:
    """The delimiter and line ending that a body asks for; its contentType can only be CSV. Raises INVALIDJOB."""
    choice({"contentType": "CSV", **body}, "contentType", {"CSV"})
    return Dialect(
        choice({"columnDelimiter": "COMMA", **body}, "columnDelimiter", DELIMITERS),
        choice({"lineEnding": "LF", **body}, "lineEnding", ENDINGS),
    )
