"""Bulk API 2.0: jobs that write.

| under `jobs/ingest` | methods |
|---|---|
| | POST makes a job, alone or with its content (multipart); GET lists jobs |
| `{job}` | GET tells its state, PATCH says that the upload is complete or aborts it, DELETE forgets it |
| `{job}/batches` | PUT takes the content, once |
| `{job}/successfulResults`, `failedResults`, `unprocessedrecords` | GET: CSV |

Results are written from the content and the outcomes when they are asked for, in the order of the content. Source:
Salesforce "Bulk API 2.0 and Bulk API Developer Guide", "Bulk API 2.0 Ingest" and the pages below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import orjson

from connector.sandbox.salesforce.api.calls import Call
from connector.sandbox.salesforce.bulk import processing, shapes, tables
from connector.sandbox.salesforce.bulk.jobs import LOADS, Job, Stage
from connector.sandbox.salesforce.bulk.loads import Outcome
from connector.sandbox.salesforce.bulk.tables import CSV_TYPE
from connector.sandbox.salesforce.errors import ApiError, DeserializationError
from connector.sandbox.wire import Response

MAX_MULTIPART = 100_000

_WAITING = {Stage.QUEUED, Stage.RUNNING}
_OVER = {Stage.DONE, Stage.FAILED, Stage.DROPPED}
_UNFINISHED = {Stage.FAILED, Stage.DROPPED}


def create(call: Call) -> Response:
    shapes.require_bulk(call.org)
    body, content = _parts(call)
    bulk = call.org.bulk
    operation = shapes.choice(body, "operation", LOADS)
    sobject, key = processing.target(call.org, operation, body.get("object"), body.get("externalIdFieldName"))
    job = Job(
        bulk.new_id("750"), "V2Ingest", operation, sobject, call.version, call.org.store.user, bulk.now(), key=key,
        dialect=shapes.dialect_of(body),
    )  # fmt: skip
    bulk.keep(job)
    if content is not None:
        job.task.content, job.uploads = content, 1
        bulk.queue(job, job.task)
    return Response.json(_tell(job))


def listing(call: Call) -> Response:
    return shapes.listing(call, "ingest", {"V2Ingest", "Classic"}, _tell_fully)


def read(call: Call) -> Response:
    job = _find(call)
    shapes.poll(call.org, job.task)
    return Response.json(_tell_fully(job))


def upload(call: Call) -> Response:
    job = _find(call)
    if job.task.stage is not Stage.OPEN:
        raise ApiError("INVALIDJOBSTATE", f"The job is not open for data: {shapes.STATES[job.task.stage]}")
    try:
        job.task.content = tables.unpack(call.request)
    except tables.SpoiltError as error:
        raise ApiError("CLIENTINPUTERROR", str(error)) from None
    job.uploads += 1
    return Response(201)


def update(call: Call) -> Response:
    job = _find(call)
    state = shapes.choice(call.object_body(), "state", {"UploadComplete", "Aborted"})
    if state == "Aborted":
        if job.task.stage in _OVER:
            raise ApiError("INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
        call.org.bulk.drop(job.task)
    else:
        if job.task.stage is not Stage.OPEN:
            raise ApiError("INVALIDJOBSTATE", "Closing already Completed Job not allowed")
        call.org.bulk.queue(job, job.task)
    return Response.json(_tell(job))


def delete(call: Call) -> Response:
    job = _find(call)
    if job.task.stage not in {Stage.QUEUED, *_OVER}:
        message = "Deleting a Job that is not UploadComplete, Completed, Aborted or Failed not allowed"
        raise ApiError("INVALIDJOBSTATE", message)
    call.org.bulk.forget(job)
    return Response(204)


def results(call: Call) -> Response:
    """One of the three lists of records, by the name at the end of the address, whatever its case."""
    job, kind = _find(call), call.arguments[1].lower()
    if kind == "successfulresults":
        return _csv(job, ("sf__Id", "sf__Created"), _saved(job))
    if kind == "failedresults":
        return _csv(job, ("sf__Id", "sf__Error"), _refused(job))
    if kind == "unprocessedrecords":
        return _csv(job, (), _unprocessed(job))
    raise ApiError("NOT_FOUND", "The requested resource does not exist")


def _saved(job: Job) -> Iterator[list[str]]:
    for outcome, row in _pairs(job):
        if not outcome.errors:
            yield [outcome.record, "true" if outcome.created else "false", *row]


def _refused(job: Job) -> Iterator[list[str]]:
    for outcome, row in _pairs(job):
        if outcome.errors:
            yield [outcome.record, outcome.error, *row]


def _unprocessed(job: Job) -> Iterator[list[str]]:
    """All of the content of a job that failed or was aborted; nothing of one that was done."""
    if job.task.stage in _UNFINISHED:
        rows = tables.read(job.task.content, job.dialect)
        next(rows, None)
        yield from rows


def _pairs(job: Job) -> Iterator[tuple[Outcome, list[str]]]:
    if job.task.load is not None:
        rows = tables.read(job.task.content, job.dialect)
        next(rows, None)
        yield from zip(job.task.load.outcomes, rows, strict=True)


def _csv(job: Job, own: tuple[str, ...], rows: Iterator[list[str]]) -> Response:
    if job.task.stage not in _OVER:
        message = f"Results are not available: the job is in the state {shapes.STATES[job.task.stage]}"
        raise ApiError("INVALIDJOBSTATE", message)
    try:
        header = next(tables.read(job.task.content, job.dialect), [])
        return Response(200, tables.write((*own, *header), rows, job.dialect), dict(CSV_TYPE))
    except tables.SpoiltError:
        # What cannot be read as a table is given back as it came.
        return Response(200, b"" if own else job.task.content, dict(CSV_TYPE))


def _parts(call: Call) -> tuple[Mapping[str, Any], bytes | None]:
    """The description of a job, and its content where it came along. Raises JSON_PARSER_ERROR."""
    kind = call.request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        return call.object_body(), None
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.request.body)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
    payloads = {name: part.get_payload(decode=True) for name, part in parts.items()}
    described, content = payloads.get("job"), payloads.get("content")
    if not isinstance(described, bytes) or not isinstance(content, bytes):
        raise DeserializationError("JSON_PARSER_ERROR", "A multipart request has the parts job and content")
    if len(content) > MAX_MULTIPART:
        raise ApiError("API_ERROR", f"The content of a multipart request has at most {MAX_MULTIPART} characters")
    try:
        body = orjson.loads(described)
    except ValueError as error:
        raise DeserializationError("JSON_PARSER_ERROR", f"The part job is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise DeserializationError("JSON_PARSER_ERROR", "The part job is not an object")
    return body, content


def _find(call: Call) -> Job:
    return shapes.find(call, {"V2Ingest"})


def _tell(job: Job) -> dict[str, Any]:
    told = shapes.tell(job)
    if job.task.stage is Stage.OPEN:
        told["contentUrl"] = f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"
    return told


def _tell_fully(job: Job) -> Mapping[str, Any]:
    task = job.task
    told = {
        **_tell(job), "jobType": job.kind, "numberRecordsProcessed": task.processed,
        "numberRecordsFailed": task.failed, "retries": 0, "totalProcessingTime": task.milliseconds,
        "apiActiveProcessingTime": task.milliseconds, "apexProcessingTime": 0,
    }  # fmt: skip
    return told if task.error is None else {**told, "errorMessage": task.error}
