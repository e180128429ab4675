"""The older Bulk API: jobs whose batches the client makes itself.

| under `/services/async/NN.0/` | methods |
|---|---|
| `job` | POST makes a job |
| `job/{job}` | GET tells it, POST and PATCH close or abort it |
| `job/{job}/batch` | POST adds a batch: records, or the text of a query; GET lists batches |
| `job/{job}/batch/{batch}` | GET tells its state |
| `job/{job}/batch/{batch}/request` | GET: what was sent |
| `job/{job}/batch/{batch}/result` | GET: the outcome of each record, or the ids of a query's results |
| `job/{job}/batch/{batch}/result/{result}` | GET: the rows of a query, in the notation of the job |

The session is carried by `X-SFDC-Session`. Refusals are 400 with an exceptionCode. With the header
`Sforce-Enable-PKChunking` a query's batch is not processed, and further batches answer parts of it. Source:
Salesforce "Bulk API 2.0 and Bulk API Developer Guide", "Bulk API" and the pages below it, "PK Chunking Header",
"Errors".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from connector.sandbox.salesforce.bulk import extracts, notations, processing, tables
from connector.sandbox.salesforce.bulk.jobs import LOADS, QUERIES, Job, Stage, Task
from connector.sandbox.salesforce.bulk.loads import Outcome
from connector.sandbox.salesforce.bulk.tables import CSV_TYPE, Dialect
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records.store import write_moment
from connector.sandbox.salesforce.sign_in.sessions import Session
from connector.sandbox.wire import Request, Response

CHUNK, MAX_CHUNK = 100_000, 250_000

_ADDRESS = re.compile(r"/services/async/(\d+)\.0/job(?:/(.*))?")
_CHUNK_SIZE = re.compile(r"chunkSize\s*=\s*(\d{1,9})", re.IGNORECASE)
_STATES = {
    Stage.QUEUED: "Queued", Stage.RUNNING: "InProgress", Stage.DONE: "Completed", Stage.FAILED: "Failed",
    Stage.DROPPED: "NotProcessed",
}  # fmt: skip
_CONTENT_TYPES = {"CSV": "text/csv", "XML": "application/xml", "JSON": "application/json"}
_CODES = {
    "INVALIDENTITY": "InvalidEntity", "INVALIDJOB": "InvalidJob", "FEATURENOTENABLED": "FeatureNotEnabled",
    "INVALID_SESSION_ID": "InvalidSessionId", "REQUEST_LIMIT_EXCEEDED": "ExceededQuota",
}  # fmt: skip


class ClassicError(Exception):
    """A refusal: `code` is the exceptionCode."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ClassicCall:
    """One call. `parts` are those of the address after `job`."""

    org: Org
    request: Request
    version: str
    parts: tuple[str, ...]

    @property
    def content(self) -> bytes:
        """The body, without its compression. Raises ClientInputError."""
        try:
            return tables.unpack(self.request)
        except tables.SpoiltError as error:
            raise ClassicError("ClientInputError", str(error)) from None

    @property
    def in_json(self) -> bool:
        kind = self.request.headers.get("content-type") or self.request.headers.get("accept", "")
        return "json" in kind.lower()

    def tell(self, name: str, value: Any, status: int = 200) -> Response:
        """A job, in the notation of the request."""
        if self.in_json:
            return notations.answer_json(value, status)
        return notations.answer_xml(name, _in_xml(value), status)

    def body(self) -> Mapping[str, Any]:
        """The job that the request describes. Raises InvalidJob."""
        if not self.in_json:
            described = notations.read_elements(self.content)
        else:
            try:
                described = orjson.loads(self.content)
            except ValueError:
                described = None
        if not isinstance(described, dict):
            raise ClassicError("InvalidJob", "Unable to parse Job")
        return described


Check = Callable[[Org, Request], Session]


def is_address(path: str) -> bool:
    return _ADDRESS.fullmatch(path.rstrip("/")) is not None


def answer(org: Org, check: Check, request: Request) -> Response:
    """Answer a call of this API. `check` finds the session of a request that has it as a bearer token."""
    match = _ADDRESS.fullmatch(request.path.rstrip("/"))
    version, rest = (match[1], match[2]) if match is not None else ("", None)
    call = ClassicCall(org, request, f"{version}.0", tuple(rest.split("/")) if rest else ())
    try:
        _let_in(call, check)
        return _respond(call)
    except ClassicError as error:
        return _refuse(call, error.code, str(error))
    except ApiError as error:
        message = "Invalid session id" if error.code == "INVALID_SESSION_ID" else error.message
        return _refuse(call, _CODES.get(error.code, "ClientInputError"), message)


def _let_in(call: ClassicCall, check: Check) -> None:
    token = call.request.headers.get("x-sfdc-session", "")
    carrying = replace(call.request, headers={**call.request.headers, "authorization": f"Bearer {token}"})
    session = check(call.org, carrying)
    call.org.sign_in(session.user, counted=not session.in_ui)
    if not (call.org.access.api_enabled and call.org.bulk.settings.enabled):
        raise ClassicError("FeatureNotEnabled", "Async API not enabled")
    call.org.count("async/job")
    processing.run_due(call.org)


def _refuse(call: ClassicCall, code: str, message: str) -> Response:
    return call.tell("error", {"exceptionCode": code, "exceptionMessage": message}, 400)


def _respond(call: ClassicCall) -> Response:
    resource = _RESOURCES.get((call.request.method, *_shape(call.parts)))
    if resource is None:
        raise ClassicError("InvalidUrl", f"Destination URL not valid: {call.request.method} {call.request.path}")
    return resource(call)


def _shape(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of an address with the ids left out: `750…/batch/751…` is `{}, batch, {}`."""
    return tuple(part if place % 2 else "{}" for place, part in enumerate(parts))


# -- jobs


def _create(call: ClassicCall) -> Response:
    body, bulk = call.body(), call.org.bulk
    operation = body.get("operation")
    if not isinstance(operation, str) or operation not in QUERIES | LOADS:
        raise ClassicError("InvalidJob", f"Unknown operation: {operation}")
    content_type = body.get("contentType") or "XML"
    if not isinstance(content_type, str) or content_type not in _CONTENT_TYPES:
        raise ClassicError("InvalidJob", f"contentType is one of CSV, JSON and XML here: {content_type}")
    sobject, key = processing.target(call.org, operation, body.get("object"), body.get("externalIdFieldName"))
    mode = "Serial" if body.get("concurrencyMode") in ("Serial", "1", 1) else "Parallel"
    job = Job(
        bulk.new_id("750"), "Classic", operation, sobject, call.version, call.org.store.user, bulk.now(), key=key,
        content_type=content_type, mode=mode, chunk_size=_chunk_size(call, operation),
    )  # fmt: skip
    bulk.keep(job)
    return call.tell("jobInfo", _job_info(job), 201)


def _chunk_size(call: ClassicCall, operation: str) -> int:
    """How many ids a chunk spans; 0 without chunking. The header is `true`, or has a `chunkSize` in it."""
    wanted = call.request.headers.get("sforce-enable-pkchunking", "false").strip()
    if wanted.lower() == "false" or operation not in QUERIES:
        return 0
    match = _CHUNK_SIZE.search(wanted)
    size = int(match[1]) if match else CHUNK
    if not 1 <= size <= MAX_CHUNK:
        raise ClassicError("InvalidJob", f"chunkSize must be between 1 and {MAX_CHUNK}")
    return size


def _read_job(call: ClassicCall) -> Response:
    job = _job(call)
    _poll(call, job, *job.tasks.values())
    return call.tell("jobInfo", _job_info(job))


def _update_job(call: ClassicCall) -> Response:
    job = _job(call)
    state = call.body().get("state")
    if not isinstance(state, str) or state not in {"Closed", "Aborted"}:
        raise ClassicError("InvalidJobState", f"A job can be Closed or Aborted: {state}")
    if job.state == "Aborted" or (job.state == "Closed" and state == "Closed"):
        raise ClassicError("InvalidJobState", f"The job is {job.state} already")
    job.state = state
    if state == "Aborted":
        for task in job.tasks.values():
            if task.stage in {Stage.QUEUED, Stage.RUNNING}:
                call.org.bulk.drop(task)
    return call.tell("jobInfo", _job_info(job))


# -- batches


def _add_batch(call: ClassicCall) -> Response:
    job, bulk = _job(call), call.org.bulk
    if job.state != "Open":
        raise ClassicError("InvalidJobState", f"Unable to add a batch: the job is {job.state}")
    if bulk.batches.used >= bulk.settings.batches_a_day:
        raise ClassicError("ExceededQuota", "ApiBatchItems Limit exceeded.")
    task = Task(bulk.new_id("751"), bulk.now(), call.content)
    job.tasks[task.id] = task
    bulk.queue(job, task)
    bulk.batches.spend(1)
    return _tell_batch(job, "batchInfo", _batch_info(job, task), 201)


def _list_batches(call: ClassicCall) -> Response:
    job = _job(call)
    _poll(call, job, *job.tasks.values())
    return _tell_batch(job, "batchInfoList", {"batchInfo": [_batch_info(job, task) for task in job.tasks.values()]})


def _read_batch(call: ClassicCall) -> Response:
    job, task = _batch(call)
    _poll(call, job, task)
    return _tell_batch(job, "batchInfo", _batch_info(job, task))


def _read_request(call: ClassicCall) -> Response:
    job, task = _batch(call)
    return Response(200, task.content, {"Content-Type": f"{_CONTENT_TYPES[job.content_type]}; charset=UTF-8"})


def _read_result(call: ClassicCall) -> Response:
    job, task = _batch(call)
    if task.stage in {Stage.QUEUED, Stage.RUNNING}:
        raise ClassicError("InvalidBatch", "Batch not completed")
    if task.stage is not Stage.DONE:
        raise ClassicError("InvalidBatch", "Records not processed")
    if task.load is None:
        return _tell_batch(
            job, "result-list", task.results if job.content_type == "JSON" else {"result": task.results}
        )
    outcomes = task.load.outcomes
    if job.content_type == "CSV":
        rows = ([each.record, _word(not each.errors), _word(each.created), each.error] for each in outcomes)
        return Response(200, tables.write(("Id", "Success", "Created", "Error"), rows, Dialect()), dict(CSV_TYPE))
    results = [_result(outcome) for outcome in outcomes]
    return _tell_batch(job, "results", results if job.content_type == "JSON" else {"result": results})


def _read_rows(call: ClassicCall) -> Response:
    job, task = _batch(call)
    extract = task.extract
    if extract is None or call.parts[4] not in task.results:
        raise ClassicError("InvalidBatch", f"Unable to find result: {call.parts[4]}")
    start = task.results.index(call.parts[4]) * task.rows_in_a_page
    span = slice(start, start + task.rows_in_a_page)
    if job.content_type == "JSON":
        return notations.answer_json(list(extracts.write_objects(extract, span)))
    if job.content_type == "XML":
        return notations.answer_records(extracts.write_objects(extract, span))
    if not extract.rows:
        return Response(200, b"Records not found for this query\n", dict(CSV_TYPE))
    return Response(200, extracts.write_csv(extract, span, Dialect()), dict(CSV_TYPE))


# -- how they are found and told


def _job(call: ClassicCall) -> Job:
    job = call.org.bulk.find(call.parts[0], {"Classic"})
    if job is None:
        raise ClassicError("InvalidJob", f"Unable to find a job for ID: {call.parts[0]}")
    return job


def _batch(call: ClassicCall) -> tuple[Job, Task]:
    job = _job(call)
    task = job.tasks.get(call.parts[2])
    if task is None:
        raise ClassicError("InvalidBatch", f"Unable to find batch: {call.parts[2]}")
    return job, task


def _poll(call: ClassicCall, _: Job, *tasks: Task) -> None:
    for task in tasks:
        call.org.bulk.poll(task)
    processing.run_due(call.org)


def _tell_batch(job: Job, name: str, value: Any, status: int = 200) -> Response:
    """A batch or its results, in the notation of the job."""
    if job.content_type == "JSON":
        return notations.answer_json(value, status)
    return notations.answer_xml(name, _in_xml(value), status)


def _job_info(job: Job) -> dict[str, Any]:
    tasks = list(job.tasks.values())
    count = {stage: sum(task.stage is stage for task in tasks) for stage in Stage}
    changed = max((task.changed for task in tasks), default=job.created)
    spent = sum(task.milliseconds for task in tasks)
    return {
        "id": job.id, "operation": job.operation, "object": job.sobject, "createdById": job.user,
        "createdDate": write_moment(job.created), "systemModstamp": write_moment(changed), "state": job.state,
        "externalIdFieldName": job.key, "concurrencyMode": job.mode, "contentType": job.content_type,
        "numberBatchesQueued": count[Stage.QUEUED], "numberBatchesInProgress": count[Stage.RUNNING],
        "numberBatchesCompleted": count[Stage.DONE], "numberBatchesFailed": count[Stage.FAILED],
        "numberBatchesTotal": len(tasks), "numberRecordsProcessed": sum(task.processed for task in tasks),
        "numberRetries": 0, "apiVersion": float(job.version),
        "numberRecordsFailed": sum(task.failed for task in tasks), "totalProcessingTime": spent,
        "apiActiveProcessingTime": spent, "apexProcessingTime": 0,
    }  # fmt: skip


def _batch_info(job: Job, task: Task) -> dict[str, Any]:
    return {
        "id": task.id, "jobId": job.id, "state": _STATES[task.stage], "stateMessage": task.error,
        "createdDate": write_moment(task.created), "systemModstamp": write_moment(task.changed),
        "numberRecordsProcessed": task.processed, "numberRecordsFailed": task.failed,
        "totalProcessingTime": task.milliseconds, "apiActiveProcessingTime": task.milliseconds,
        "apexProcessingTime": 0,
    }  # fmt: skip


def _result(outcome: Outcome) -> dict[str, Any]:
    return {
        "success": not outcome.errors,
        "created": outcome.created,
        "id": outcome.record or None,
        "errors": [{**error, "extendedErrorDetails": None} for error in outcome.errors],
    }


def _in_xml(value: Any) -> Any:
    """XML writes times with a Z where JSON writes an offset."""
    if isinstance(value, dict):
        return {name: _in_xml(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_in_xml(each) for each in value]
    if isinstance(value, str) and value.endswith(".000+0000"):
        return value.removesuffix("+0000") + "Z"
    return value


def _word(value: bool) -> str:
    return "true" if value else "false"


_RESOURCES: dict[tuple[str, ...], Callable[[ClassicCall], Response]] = {
    ("POST",): _create,
    ("GET", "{}"): _read_job,
    ("POST", "{}"): _update_job,
    ("PATCH", "{}"): _update_job,
    ("POST", "{}", "batch"): _add_batch,
    ("GET", "{}", "batch"): _list_batches,
    ("GET", "{}", "batch", "{}"): _read_batch,
    ("GET", "{}", "batch", "{}", "request"): _read_request,
    ("GET", "{}", "batch", "{}", "result"): _read_result,
    ("GET", "{}", "batch", "{}", "result", "{}"): _read_rows,
}
