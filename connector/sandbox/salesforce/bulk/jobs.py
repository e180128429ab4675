"""What a bulk job is, when its turn comes, and where an org keeps its jobs.

| a task is | Bulk API 2.0 job | Bulk API batch |
|---|---|---|
| OPEN | Open | |
| QUEUED | UploadComplete | Queued |
| RUNNING | InProgress | InProgress |
| DONE | JobComplete | Completed |
| FAILED | Failed | Failed |
| DROPPED | Aborted | NotProcessed |

A job of Bulk API 2.0 has one task, one of the Bulk API a task for each batch. Source: Salesforce "Bulk API 2.0 and
Bulk API Developer Guide", "How Requests Are Processed"; "Bulk API and Bulk API 2.0 Limits and Allocations" for the
quotas and for the seven days after which a job is gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.bulk.extracts import Extract
from connector.sandbox.salesforce.bulk.loads import Load
from connector.sandbox.salesforce.bulk.tables import Dialect
from connector.sandbox.salesforce.errors import ApiError, InputError

RETENTION = timedelta(days=7)
QUERIES = frozenset({"query", "queryAll"})
LOADS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})

_DAY = timedelta(days=1)
_LEAST = {"rows_in_a_page": 1}
_MOST = 1_000_000_000


class Stage(Enum):
    """How far a task has come."""

    OPEN = "open"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"


class JobError(ApiError):
    """A refusal of Bulk API 2.0 with a status of its own."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code, message)
        self._status = status

    @property
    def status(self) -> int:
        return self._status


@dataclass(slots=True)
class BulkSettings:
    """How long work takes, and what is allowed.

    polls: how often the state of a job or batch must be asked for before its work is done.
    seconds: how long that takes at least, by the sandbox's clock.
    enabled: whether the org has the Bulk APIs at all.
    hard_delete: whether the user may delete records for good.
    batches_a_day, query_jobs_a_day: the quotas of any 24 hours.
    rows_in_a_page: how many rows a result has at most where the client does not say; Salesforce goes by their size.
    """

    polls: int = 1
    seconds: float = 0.0
    enabled: bool = True
    hard_delete: bool = True
    batches_a_day: int = 15_000
    query_jobs_a_day: int = 10_000
    rows_in_a_page: int = 100_000

    def change(self, given: Any) -> None:
        """Set some of them, or none. Raises `InputError` for an unknown name or a wrong value."""
        if not isinstance(given, dict):
            raise InputError("expected an object of settings")
        types = {item.name: type(item.default) for item in fields(self)}
        for name, value in given.items():
            if name not in types:
                raise InputError(f"there is no setting {name}")
            fits = isinstance(value, int | float if types[name] is float else types[name])
            least = _LEAST.get(name, 0)
            if not fits or isinstance(value, bool) != (types[name] is bool) or not least <= value <= _MOST:
                raise InputError(f"{name} takes a {types[name].__name__} from {least} to {_MOST}")
        for name, value in given.items():
            setattr(self, name, value)

    def view(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Task:
    """A piece of work and what came of it: an extract, a load, or an error."""

    id: str
    created: datetime
    content: bytes = b""
    stage: Stage = Stage.OPEN
    queued: datetime | None = None
    finished: datetime | None = None
    polls: int = 0
    extract: Extract | None = None
    load: Load | None = None
    results: list[str] = field(default_factory=list)  # the ids of the pages of a batch that read
    rows_in_a_page: int = 0
    error: str | None = None

    @property
    def processed(self) -> int:
        """How many records have been read or tried to be written."""
        if self.extract is not None:
            return len(self.extract.rows)
        return len(self.load.outcomes) if self.load is not None else 0

    @property
    def failed(self) -> int:
        return self.load.failed if self.load is not None else 0

    @property
    def changed(self) -> datetime:
        return self.finished or self.queued or self.created

    @property
    def milliseconds(self) -> int:
        """From the queue to the end, by the sandbox's clock."""
        if self.finished is None or self.queued is None:
            return 0
        return (self.finished - self.queued) // timedelta(milliseconds=1)


@dataclass(slots=True)
class Job:
    """A job of either API. `kind` is its jobType: V2Query, V2Ingest or Classic."""

    id: str
    kind: str
    operation: str
    sobject: str
    version: str
    user: str
    created: datetime
    query: str = ""
    key: str | None = None
    content_type: str = "CSV"
    dialect: Dialect = field(default_factory=Dialect)
    mode: str = "Parallel"
    chunk_size: int = 0
    state: str = "Open"  # of a Classic job: Open, Closed or Aborted
    uploads: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)

    @property
    def reads(self) -> bool:
        return self.operation in QUERIES

    @property
    def task(self) -> Task:
        """The one task of a job of Bulk API 2.0."""
        return next(iter(self.tasks.values()))


class Quota:
    """What has been spent in the last 24 hours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: deque[tuple[datetime, int]] = deque()

    def spend(self, amount: int) -> None:
        self._spent.append((self._clock.now(), amount))

    @property
    def used(self) -> int:
        now = self._clock.now()
        while self._spent and now - self._spent[0][0] >= _DAY:
            self._spent.popleft()
        return sum(amount for _, amount in self._spent)


class Jobs:
    """All jobs of an org, and the queue of the tasks that wait for their turn."""

    def __init__(self, clock: Clock, instance: str) -> None:
        self.settings = BulkSettings()
        self.batches = Quota(clock)
        self.query_jobs = Quota(clock)
        self._clock = clock
        self._instance = instance
        self._jobs: dict[str, Job] = {}
        self._waiting: dict[str, tuple[Job, Task]] = {}
        self._issued = {"750": 0, "751": 0, "752": 0}

    def new_id(self, prefix: str) -> str:
        """750 is a job, 751 a batch, 752 a result."""
        self._issued[prefix] += 1
        return ids.make(prefix, self._instance, self._issued[prefix])

    def now(self) -> datetime:
        return self._clock.now()

    def keep(self, job: Job) -> None:
        """Take a job in, with a first task if it is one of Bulk API 2.0."""
        self._jobs[job.id] = job
        if job.kind != "Classic":
            job.tasks[job.id] = Task(job.id, job.created)

    def find(self, record: str, kinds: set[str]) -> Job | None:
        """The job with this id, in either length, if it is of one of these kinds and not too old."""
        job = self._jobs.get(ids.normalise(record) or "")
        if job is None or job.kind not in kinds or self._clock.now() - job.created > RETENTION:
            return None
        return job

    def listed(self) -> list[Job]:
        """The jobs that are not too old, in the order they were made."""
        now = self._clock.now()
        return [job for job in self._jobs.values() if now - job.created <= RETENTION]

    def forget(self, job: Job) -> None:
        del self._jobs[job.id]
        for task in job.tasks:
            self._waiting.pop(task, None)

    def queue(self, job: Job, task: Task) -> None:
        """Let a task wait for its turn."""
        task.stage, task.queued = Stage.QUEUED, self._clock.now()
        self._waiting[task.id] = (job, task)

    def drop(self, task: Task) -> None:
        """Never do what has not been done yet."""
        task.stage, task.finished = Stage.DROPPED, self._clock.now()
        self._waiting.pop(task.id, None)

    def poll(self, task: Task) -> None:
        """Note that a client looked how far a task is."""
        if task.id in self._waiting:
            task.polls += 1
            task.stage = Stage.RUNNING

    def due(self) -> Iterator[tuple[Job, Task]]:
        """Take the tasks out of the queue whose turn has come."""
        if not self._waiting:
            return
        now, wait = self._clock.now(), timedelta(seconds=self.settings.seconds)
        for job, task in list(self._waiting.values()):
            if task.polls >= self.settings.polls and task.queued is not None and now - task.queued >= wait:
                del self._waiting[task.id]
                yield job, task

    def limits(self) -> dict[str, dict[str, int]]:
        """As two entries of the limits resource."""
        batches, query_jobs = self.settings.batches_a_day, self.settings.query_jobs_a_day
        return {
            "DailyBulkApiBatches": {"Max": batches, "Remaining": max(0, batches - self.batches.used)},
            "DailyBulkV2QueryJobs": {"Max": query_jobs, "Remaining": max(0, query_jobs - self.query_jobs.used)},
        }
