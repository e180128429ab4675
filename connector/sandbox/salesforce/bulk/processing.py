"""How jobs come to run: before each request, those whose turn has come; each as the user who made it.

A query is answered, and an upload saved, in one go. What spoils a task as a whole is its error; what spoils a
record is the outcome of that record. With PK chunking, a batch of a query is answered by further batches that have
a part each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connector.sandbox.admin import read_body, refuse
from connector.sandbox.salesforce.api.options import WriteOptions
from connector.sandbox.salesforce.bulk import extracts, notations
from connector.sandbox.salesforce.bulk.jobs import Job, Stage, Task
from connector.sandbox.salesforce.bulk.loads import Reader, Record, Saver
from connector.sandbox.salesforce.bulk.tables import SpoiltError, check_ending
from connector.sandbox.salesforce.definitions.schema import SObject
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.soql.resolve import Context
from connector.sandbox.wire import Request, Response

RECORDS_IN_A_BATCH = 10_000

_NO_HARD_DELETE = (
    "hardDelete operation requires special user profile permission, please contact your system administrator"
)


def run_due(org: Org) -> None:
    """Do the work whose turn has come."""
    for job, task in org.bulk.due():
        with _acting_as(org, job.user):
            _run(org, job, task)
        task.finished = org.bulk.now()


def context(org: Org, job: Job, text: str) -> Context:
    return Context(text, org.store, org.access, job.operation == "queryAll", job.version)


def target(org: Org, operation: str, name: Any, key: Any) -> tuple[str, str | None]:
    """The object an upload is for and the field an upsert finds records by, as the schema spells them.

    Raises INVALIDENTITY, INVALIDJOB or FEATURENOTENABLED.
    """
    found = _visible(org, name) if isinstance(name, str) else None
    if found is None:
        raise ApiError("INVALIDENTITY", f"Unable to find object: {name}")
    if operation == "hardDelete" and not org.bulk.settings.hard_delete:
        raise ApiError("FEATURENOTENABLED", _NO_HARD_DELETE)
    if operation != "upsert":
        return found.name, None
    if not key:
        message = f"External ID was blank for {found.name}. An External ID must be specified for upsert."
        raise ApiError("INVALIDJOB", message)
    field = found.find(key) if isinstance(key, str) else None
    if field is None or not (field.external_id or field.name == "Id"):
        message = (
            f"Field name provided, {key} does not match an External ID, Salesforce Id, or indexed field for "
            f"{found.name}"
        )
        raise ApiError("INVALIDJOB", message)
    return found.name, field.name


def administer(org: Org, request: Request) -> Response:
    """`GET` tells the settings of the Bulk APIs, `PUT` changes those that are named."""
    if request.method == "PUT":
        try:
            org.bulk.settings.change(read_body(request))
        except ValueError as error:
            return refuse(str(error))
    return Response.json(org.bulk.settings.view())


def _visible(org: Org, name: str) -> SObject | None:
    """The object with this name, if the user may see it."""
    found = org.schema.find(name)
    return found if found is not None and org.access.may_read(found.name) else None


def _run(org: Org, job: Job, task: Task) -> None:
    try:
        if job.reads:
            _read(org, job, task)
        else:
            _load(org, job, task)
    except SpoiltError as error:
        task.stage, task.error = Stage.FAILED, str(error)
    except extracts.ExcludedError as error:
        task.stage, task.error = Stage.FAILED, error.classic
    except ApiError as error:
        message = f"InvalidBatch : Failed to process query: {error.code}: {error.message}"
        task.stage, task.error = Stage.FAILED, message


def _read(org: Org, job: Job, task: Task) -> None:
    extract = extracts.run(context(org, job, task.content.decode(errors="replace")))
    if not job.chunk_size:
        _keep(org, job, task, extract)
        return
    parts = extracts.chunks(extract, _ids(org, job), job.chunk_size)
    task.stage = Stage.DROPPED
    for part in parts:
        now = org.bulk.now()
        batch = Task(org.bulk.new_id("751"), now, task.content, queued=task.queued, finished=now)
        _keep(org, job, batch, part)
        job.tasks[batch.id] = batch
        org.bulk.batches.spend(1)


def _keep(org: Org, job: Job, task: Task, extract: extracts.Extract) -> None:
    task.stage, task.extract = Stage.DONE, extract
    if job.kind == "Classic":
        pages = max(1, -(-len(extract.rows) // org.bulk.settings.rows_in_a_page))
        task.rows_in_a_page = org.bulk.settings.rows_in_a_page
        task.results = [org.bulk.new_id("752")[:15] for _ in range(pages)]


def _ids(org: Org, job: Job) -> list[str]:
    table = org.store.table(org.schema[job.sobject].name)
    return [row["Id"] for row in table.rows(job.operation == "queryAll")]


def _load(org: Org, job: Job, task: Task) -> None:
    sobject = _visible(org, job.sobject)
    if sobject is None:
        raise SpoiltError(f"InvalidBatch : Unable to find object: {job.sobject}")
    if job.uploads > 1:
        raise SpoiltError(
            f"ClientInputError : Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' "
            "the current Job then create a new Job and make sure you only do 'PUT' once on a given Job."
        )
    key = sobject.find(job.key) if job.key else None
    records = _records(Reader(org.store, org.access, sobject), job, task)
    task.load = Saver(org.store, org.writer, sobject, job.operation, key).save(records)
    task.stage = Stage.DONE
    if job.kind != "Classic":
        org.bulk.batches.spend(-(-len(task.load.outcomes) // RECORDS_IN_A_BATCH))


def _records(reader: Reader, job: Job, task: Task) -> Iterator[Record]:
    if job.content_type == "CSV":
        if job.kind != "Classic":
            check_ending(task.content, job.dialect.ending)
        names, records = reader.table(task.content, job.dialect)
    else:
        given = (
            notations.read_json(task.content) if job.content_type == "JSON" else notations.read_xml(task.content)
        )
        records = iter(reader.objects(given))
        names = {name.capitalize() for each in given for name in each if name != "attributes"}
    if job.operation in {"delete", "hardDelete"} and names - {"Id"}:
        raise SpoiltError(f"InvalidBatch : The '{job.operation}' batch must contain only ids")
    return records


@contextmanager
def _acting_as(org: Org, user: str) -> Iterator[None]:
    """Rows are read and saved as this user, and with none of the headers of the request that is being answered."""
    before, org.store.user = org.store.user, user
    try:
        with org.writer.under(WriteOptions()):
            yield
    finally:
        org.store.user = before
