"""Bulk API 2.0: jobs that query.

| under `jobs/query` | methods |
|---|---|
| | POST makes a job, GET lists jobs |
| `{job}` | GET tells its state, PATCH aborts it, DELETE forgets it |
| `{job}/results` | GET: CSV, a page at a time |

The next page is asked for with the locator in `Sforce-Locator`, which is the word `null` on the last one. Source:
Salesforce "Bulk API 2.0 and Bulk API Developer Guide", "Bulk API 2.0 Query" and the pages below it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from connector.sandbox.salesforce.api.calls import Call, whole_number
from connector.sandbox.salesforce.bulk import extracts, shapes
from connector.sandbox.salesforce.bulk.jobs import QUERIES, Job, JobError, Stage
from connector.sandbox.salesforce.bulk.processing import context
from connector.sandbox.salesforce.bulk.tables import CSV_TYPE
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.wire import Response

_OVER = {Stage.DONE, Stage.FAILED, Stage.DROPPED}


def create(call: Call) -> Response:
    body, bulk = call.object_body(), call.org.bulk
    shapes.require_bulk(call.org)
    operation = shapes.choice(body, "operation", QUERIES)
    text = body.get("query")
    if not isinstance(text, str) or not text.strip():
        raise ApiError("INVALIDJOB", "query is required for a query job")
    dialect = shapes.dialect_of(body)
    if bulk.query_jobs.used >= bulk.settings.query_jobs_a_day:
        message = f"Max bulk v2 query jobs ({bulk.settings.query_jobs_a_day}) per 24 hrs has been reached"
        raise ApiError("LIMIT_EXCEEDED", message)
    job = Job(
        "", "V2Query", operation, "", call.version, call.org.store.user, bulk.now(), query=text, dialect=dialect
    )
    try:
        job.sobject = extracts.check(context(call.org, job, text))
    except extracts.ExcludedError as error:
        raise ApiError("API_ERROR", str(error)) from None
    job.id = bulk.new_id("750")
    bulk.keep(job)
    job.task.content = text.encode()
    bulk.queue(job, job.task)
    bulk.query_jobs.spend(1)
    return Response.json(_tell(job))


def listing(call: Call) -> Response:
    return shapes.listing(call, "query", {"V2Query", "Classic"}, _tell_fully)


def read(call: Call) -> Response:
    job = _find(call)
    shapes.poll(call.org, job.task)
    return Response.json(_tell_fully(job))


def abort(call: Call) -> Response:
    job = _find(call)
    shapes.choice(call.object_body(), "state", {"Aborted"})
    if job.task.stage in _OVER:
        raise ApiError("INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
    call.org.bulk.drop(job.task)
    return Response.json(_tell(job))


def delete(call: Call) -> Response:
    job = _find(call)
    if job.task.stage not in _OVER:
        raise ApiError("INVALIDJOBSTATE", "Deleting a Job that is not Completed, Aborted or Failed not allowed")
    call.org.bulk.forget(job)
    return Response(204)


def results(call: Call) -> Response:
    job = _find(call)
    if job.version != call.version:
        message = f"The job was created in API version {job.version}, not in {call.version}"
        raise JobError("VERSION_MISMATCH", message, 409)
    extract = job.task.extract
    if extract is None:
        message = f"Results are not available: the job is in the state {shapes.STATES[job.task.stage]}"
        raise ApiError("INVALIDJOBSTATE", message)
    start = _offset(call.request.first("locator"), len(extract.rows))
    size = _size(call.request.first("maxRecords"), call.org.bulk.settings.rows_in_a_page)
    stop = min(start + size, len(extract.rows))
    body = extracts.write_csv(extract, slice(start, stop), job.dialect)
    locator = "null" if stop == len(extract.rows) else _locator(stop)
    return Response(200, body, {**CSV_TYPE, "Sforce-Locator": locator, "Sforce-NumberOfRecords": str(stop - start)})


def _find(call: Call) -> Job:
    return shapes.find(call, {"V2Query"})


def _tell(job: Job) -> dict[str, Any]:
    return shapes.tell(job)


def _tell_fully(job: Job) -> Mapping[str, Any]:
    task = job.task
    told = {
        **shapes.tell(job), "jobType": job.kind, "numberRecordsProcessed": task.processed, "retries": 0,
        "totalProcessingTime": task.milliseconds,
    }  # fmt: skip
    return told if task.error is None else {**told, "errorMessage": task.error}


def _size(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    size = whole_number(text)
    if not size:
        raise ApiError("API_ERROR", f"maxRecords is not a positive number: {text}")
    return size


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str | None, most: int) -> int:
    if locator is None:
        return 0
    try:
        offset = int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except (binascii.Error, ValueError):
        offset = -1
    if not 0 < offset < most:
        raise ApiError("INVALID_QUERY_LOCATOR", f"invalid locator: {locator}")
    return offset
