"""Salesforce: how many records meet a condition, and all of them, page by page, by the way that costs fewer calls.

| way  | how                                                              | calls                             |
|------|------------------------------------------------------------------|-----------------------------------|
| REST | `WHERE … AND Id > last ORDER BY Id LIMIT 2000`                    | 1 per 2,000 records               |
| Bulk | a job of Bulk API 2.0: made, asked for until done, then its pages | 1 + questions + 1 per 20,000      |

Both go on where they were left, in a process that knows nothing but a cursor: REST by the last id, since a query
locator ends after two days or ten others (SOQL and SOSL Reference, "Query Cursors"); Bulk by the id of the job and
the locator of its page, which Salesforce keeps for seven days (Bulk API 2.0 Developer Guide, "Limits"). A query
without ORDER BY and LIMIT is one that Salesforce may divide among its servers ("Bulk API 2.0 Query", PK chunking).

simple-salesforce's `bulk2` is not used: it sleeps by itself, and keeps the session of its beginning for ever.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests

from connector.adapters.answers import (
    Answer,
    Count,
    Job,
    JobState,
    Misshapen,
    QueryPage,
    RecordRow,
    SalesforceError,
    check_columns,
    expect,
    read_json,
    salesforce_errors,
)
from connector.adapters.base import Refusal, Trouble, Wanted
from connector.adapters.salesforce_soql import quote_text
from connector.core.model import ProblemClass, Record, Side
from connector.errors import Unreachable

PAGE, BULK_PAGE = 2000, 20_000
"""Records on a page: REST's own most, and what a process holds of a bulk job at a time."""
POLLS = 3
"""Questions after a bulk job that a price reckons with."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
PATIENCE = 3600.0
"""Seconds to wait for a bulk job in all; a later process may go on waiting for the same one."""

_NUMBERS = {"double": float, "currency": float, "percent": float, "int": int, "long": int}
_SYSTEM_TIMES = frozenset({"CreatedDate", "LastModifiedDate", "SystemModstamp"})


@dataclass(frozen=True, slots=True)
class Extract:
    """Records of one object that meet a condition, in SOQL; none: all. `most` of them, None: every one."""

    object: str
    wanted: Wanted
    condition: str = ""
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on. REST: `after` is the last id that was read. Bulk: `job`, and `after` the page's locator."""

    after: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class Portion:
    """One page, and where the next begins; None: this was the last."""

    records: tuple[Record, ...]
    following: Cursor | None


class JobLost(Exception):
    """A bulk job is not there any more, or came to nothing; another one has to be made."""


@dataclass(frozen=True, slots=True)
class Api:
    """What the adapter lends: its calls, and its knowledge of columns and records.

    `columns` are those to select, `type_of` the described type of a field (blank if it is not known), and `record`
    makes one of a row as REST gives it. `queries` sends at most five in one call and gives status and body of each;
    `fetch` (method, path, body) is one call with its answer, whatever the status. `wait` lets seconds pass.
    """

    columns: Callable[[str, Wanted], list[str]]
    type_of: Callable[[str, str], str]
    record: Callable[[str, Wanted, Mapping[str, Any]], Record]
    queries: Callable[[Mapping[str, str]], dict[str, Answer]]
    fetch: Callable[..., requests.Response]
    wait: Callable[[float], None]


def price(number: int) -> dict[str, int]:
    """Calls that it takes to read `number` records, by way."""
    return {"rest": max(1, -(-number // PAGE)), "bulk": 1 + POLLS + max(1, -(-number // BULK_PAGE))}


@dataclass
class Selections:
    """Counts and reads what meets a condition. `tick` is called whenever a bulk job has been asked for."""

    api: Api
    tick: Callable[[], None] = lambda: None
    patience: float = PATIENCE
    bulk_page: int = BULK_PAGE
    _waited: float = field(default=0.0, init=False)

    def count(self, extracts: Mapping[str, Extract]) -> dict[str, int | Refusal]:
        """How many records there are, by the caller's names (at most five); a refusal says what Salesforce has
        against the condition. One call.
        """
        names = {f"q{number}": name for number, name in enumerate(extracts)}
        asked = {number: extracts[name] for number, name in names.items()}
        told = self.api.queries(
            {number: f"SELECT COUNT() FROM {one.object}{_where(one.condition)}" for number, one in asked.items()}
        )
        found: dict[str, int | Refusal] = {}
        for number, answer in told.items():
            name = names[number]
            if answer.status != requests.codes.ok:
                found[name] = _refusal(answer.status, answer.body)
                continue
            most, size = extracts[name].most, answer.read(Count)["totalSize"]
            found[name] = size if most is None else min(size, most)
        return found

    def read(self, extract: Extract, cursor: Cursor, done: int = 0) -> Portion:
        """The next page by REST, of which `done` records were read before. One call.

        Raises:
            Unreachable: Salesforce does not answer the query.
        """
        size = PAGE if extract.most is None else min(PAGE, extract.most - done)
        if size <= 0:
            return Portion((), None)
        after = f"Id > {quote_text(cursor.after)}" if cursor.after else ""
        where = _where(extract.condition, after)
        columns = self.api.columns(extract.object, extract.wanted)
        soql = f"SELECT {', '.join(columns)} FROM {extract.object}{where} ORDER BY Id LIMIT {size}"
        answer = self.api.queries({"page": soql})["page"]
        if answer.status != requests.codes.ok:
            raise stopped(_refusal(answer.status, answer.body))
        rows = expect(list[RecordRow], answer.read(QueryPage)["records"], Side.SALESFORCE, answer.call)
        check_columns(answer.call, rows, columns)
        records = tuple(self.api.record(extract.object, extract.wanted, row) for row in rows)
        if records and len(records) == size and records[-1].id <= cursor.after:
            raise Misshapen(Side.SALESFORCE, answer.call, "its pages come again and never end")
        reached = extract.most is not None and done + len(records) >= extract.most
        following = Cursor(records[-1].id) if len(records) == size and not reached else None
        return Portion(records, following)

    # --- in bulk ---

    def begin(self, extract: Extract) -> Cursor | Refusal:
        """Make a bulk job. One call. A refusal: this org, or this query, has to be read by REST."""
        columns = ", ".join(self.api.columns(extract.object, extract.wanted))
        # Any order will do, and Salesforce is quicker without one; but the first so many are those by id.
        first = "" if extract.most is None else f" ORDER BY Id LIMIT {extract.most}"
        soql = f"SELECT {columns} FROM {extract.object}{_where(extract.condition)}{first}"
        answer = self.api.fetch("POST", "jobs/query", {"operation": "query", "query": soql})
        if answer.status_code != requests.codes.ok:
            return _refusal(answer.status_code, _json(answer))
        call = "POST jobs/query"
        told = read_json(answer.content, Side.SALESFORCE, call)
        return Cursor(job=expect(Job, told, Side.SALESFORCE, call)["id"])

    def read_bulk(self, extract: Extract, cursor: Cursor) -> Iterator[Record | Cursor]:
        """The records of a job's page, then where the next page begins, if there is one.

        The first page waits until the job is done. One call for the page, and those of waiting.

        Raises:
            JobLost: there is no such job, or it failed.
            Unreachable: it takes longer than the patience lasts.
        """
        if not cursor.after:
            self._wait_for(cursor.job)
        query = f"maxRecords={self.bulk_page}" + (f"&locator={cursor.after}" if cursor.after else "")
        answer = self.api.fetch("GET", f"jobs/query/{cursor.job}/results?{query}")
        if answer.status_code != requests.codes.ok:
            raise JobLost(_refusal(answer.status_code, _json(answer)).message)
        call = f"GET jobs/query/{cursor.job}/results"
        make = self._maker(extract, call)
        text = io.TextIOWrapper(io.BytesIO(answer.content), encoding="utf-8", newline="")  # decoded as it is read
        try:
            for row in csv.DictReader(text, strict=True):
                yield make(row)
        except (csv.Error, UnicodeDecodeError):
            raise Misshapen(Side.SALESFORCE, call, "it is not CSV in UTF-8") from None
        locator = answer.headers.get("Sforce-Locator", "null")
        if locator == cursor.after:
            raise Misshapen(Side.SALESFORCE, call, "its pages come again and never end")
        if locator != "null":
            yield Cursor(locator, cursor.job)

    def _wait_for(self, job: str) -> None:
        """Ask for the state of a job, at first soon, then ever more seldom."""
        pause = FIRST_WAIT
        while True:
            answer = self.api.fetch("GET", f"jobs/query/{job}")
            if answer.status_code != requests.codes.ok:
                raise JobLost(_refusal(answer.status_code, _json(answer)).message)
            call = f"GET jobs/query/{job}"
            told = expect(JobState, read_json(answer.content, Side.SALESFORCE, call), Side.SALESFORCE, call)
            if told["state"] == "JobComplete":
                return
            if told["state"] in {"Failed", "Aborted"}:
                raise JobLost(told.get("errorMessage") or f"the bulk job {job} was {told['state'].lower()}")
            if self._waited + pause > self.patience:
                raise Unreachable(
                    Side.SALESFORCE,
                    ProblemClass.CONNECTION,
                    f"Salesforce has not answered the bulk query {job} within {self.patience / 60:.0f} minutes",
                    "run the same command again: it goes on waiting for the same job",
                )
            self.tick()
            self.api.wait(pause)
            self._waited += pause
            pause = min(pause * 2, LONGEST_WAIT)

    def _maker(self, extract: Extract, call: str) -> Callable[[Mapping[str, str]], Record]:
        """Makes records of CSV rows, whose values are what REST would give: numbers, truths, times, blanks."""
        columns = self.api.columns(extract.object, extract.wanted)
        readers = {name: _reader(name, self.api.type_of(extract.object, name)) for name in columns}

        def make(row: Mapping[str, str]) -> Record:
            check_columns(call, [row], columns)
            try:
                values = {name: read(row[name]) if row[name] else None for name, read in readers.items()}
            except ValueError:
                raise Misshapen(Side.SALESFORCE, call, "a number is none") from None
            return self.api.record(extract.object, extract.wanted, expect(RecordRow, values, Side.SALESFORCE, call))

        return make


def _reader(name: str, kind: str) -> Callable[[str], Any]:
    if name in _SYSTEM_TIMES or kind == "datetime":
        return lambda text: f"{text[:-1]}+0000" if text.endswith("Z") else text
    if kind == "boolean":
        return lambda text: text.lower() == "true"
    return _NUMBERS.get(kind, str)


def _where(*conditions: str) -> str:
    given: Sequence[str] = [one for one in conditions if one]
    return f" WHERE {' AND '.join(given)}" if given else ""


def _json(answer: requests.Response) -> Any:
    try:
        return orjson.loads(answer.content)
    except ValueError:
        return []


def _refusal(status: int, body: Any) -> Refusal:
    """Salesforce's own code and words; of several lines the last, since the first ones repeat the query."""
    error = next(iter(salesforce_errors(body)), SalesforceError())
    text = (error.get("message", "").strip() or f"HTTP {status}").splitlines()
    code = error.get("errorCode") or f"HTTP {status}"
    return Refusal(Trouble.REFUSED, ProblemClass.FIELD_MAPPING, code, text[-1])


def stopped(refusal: Refusal) -> Unreachable:
    """What ends a run that cannot do without the answer."""
    return Unreachable(
        Side.SALESFORCE,
        ProblemClass.CONNECTION,
        f"Salesforce: {refusal.code}: {refusal.message}",
        "run `connector check`",
    )
