"""Bulk API 2.0 jobs that query: states, pages of CSV, what is refused, and whose rights count."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import orjson
import pytest

from connector.sandbox.wire import Request

JOBS = "jobs/query"


class Query:
    """A client of query jobs."""

    def __init__(self, client):
        self.client = client

    def make(self, soql, **more):
        status, body = self.client("POST", JOBS, {"operation": "query", "query": soql, **more})
        assert status == 200, body
        return body["id"]

    def state(self, job):
        return self.client("GET", f"{JOBS}/{job}")[1]["state"]

    def page(self, job, version=None, **query):
        """The status, headers and text of a page of results."""
        path = f"/services/data/v{version or self.client.version}/{JOBS}/{job}/results"
        url = self.client.origin + path + "?" + "&".join(f"{name}={value}" for name, value in query.items())
        answer = self.client.sandbox(Request.make("GET", url, self.client.headers, b""))
        return answer.status, answer.headers, answer.body.decode()

    def run(self, soql, **more):
        """The text of all results of a query."""
        job = self.make(soql, **more)
        assert self.state(job) == "JobComplete"
        return self.page(job)[2]

    def rows(self, soql, **more):
        return list(csv.reader(io.StringIO(self.run(soql, **more))))


@pytest.fixture
def bulk(client):
    return Query(client)


def settings(client, **wanted):
    status, body = client("PUT", "/_sandbox/bulk", wanted)
    assert status == 200, body


def test_a_job_is_told_as_documented(client, sandbox):
    """What creating a job answers, and what is added when it is asked for."""
    status, body = client("POST", JOBS, {"operation": "query", "query": "SELECT Id FROM Account"})
    created = {
        "id": body["id"], "operation": "query", "object": "Account", "createdById": sandbox.org.administrator,
        "createdDate": "2026-03-10T12:00:30.000+0000", "systemModstamp": "2026-03-10T12:00:30.000+0000",
        "state": "UploadComplete", "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": 62.0,
        "lineEnding": "LF", "columnDelimiter": "COMMA",
    }  # fmt: skip
    assert (status, body) == (200, created)
    assert body["id"].startswith("750")
    assert client("GET", f"{JOBS}/{body['id']}") == (200, {
        **created, "state": "JobComplete", "jobType": "V2Query", "numberRecordsProcessed": 0, "retries": 0,
        "totalProcessingTime": 0,
    })  # fmt: skip


def test_pages_follow_the_locator(client, bulk):
    """Results are cut by maxRecords; the locator leads on, until it is the word null."""
    for name in "abcde":
        client.create("Account", Name=name)
    job = bulk.make("SELECT Name FROM Account ORDER BY Name")
    bulk.state(job)
    found, locator, counts = "", None, []
    while locator != "null":
        more = {} if locator is None else {"locator": locator}
        status, headers, text = bulk.page(job, maxRecords=2, **more)
        assert status == 200
        assert text.startswith('"Name"\n')
        found, locator = found + text.removeprefix('"Name"\n'), headers["Sforce-Locator"]
        counts.append(headers["Sforce-NumberOfRecords"])
    assert (found, counts) == ('"a"\n"b"\n"c"\n"d"\n"e"\n', ["2", "2", "1"])


def test_pages_have_a_size_of_their_own(client, bulk):
    """Where the client does not say how many records it wants."""
    settings(client, rows_in_a_page=2)
    for name in "abc":
        client.create("Account", Name=name)
    job = bulk.make("SELECT Name FROM Account")
    bulk.state(job)
    _, headers, text = bulk.page(job)
    assert (headers["Sforce-NumberOfRecords"], text) == ("2", '"Name"\n"a"\n"b"\n')
    _, headers, text = bulk.page(job, locator=headers["Sforce-Locator"])
    assert (headers["Sforce-Locator"], text) == ("null", '"Name"\n"c"\n')


@pytest.mark.parametrize("query", [{"locator": "x"}, {"locator": "OTk"}, {"maxRecords": "0"}, {"maxRecords": "a"}])
def test_pages_that_are_not_there(bulk, query):
    """A locator that was never given, and a number that is none, are 400."""
    job = bulk.make("SELECT Id FROM Account")
    bulk.state(job)
    assert bulk.page(job, **query)[0] == 400


def test_values(client, bulk):
    """Columns in the order and spelling of the schema; null is empty; times end in Z; booleans are words."""
    account = client.create("Account", Name='The "A", Ltd.\nSecond line', AnnualRevenue=1234)
    contact = client.create("Contact", LastName="Ärmel", AccountId=account)
    lonely = client.create("Contact", LastName="Solo")
    deal = client.opportunity(AccountId=account, Amount=10)
    text = bulk.run(
        "SELECT lastname, account.name, Account.AnnualRevenue, id, CreatedDate FROM Contact ORDER BY Id"
    )
    assert text == (
        '"LastName","Account.Name","Account.AnnualRevenue","Id","CreatedDate"\n'
        f'"Ärmel","The ""A"", Ltd.\nSecond line","1234.0","{contact}","2026-03-10T12:00:30.000Z"\n'
        f'"Solo","","","{lonely}","2026-03-10T12:00:30.000Z"\n'
    )
    assert bulk.rows("SELECT Id, IsClosed, CloseDate, Amount, Description FROM Opportunity")[1:] == [
        [deal, "false", "2026-06-30", "10.0", ""]
    ]


def test_a_function_of_a_field(client, bulk):
    """toLabel() keeps the name of its field."""
    client.opportunity()
    assert bulk.rows("SELECT toLabel(StageName) FROM Opportunity") == [["StageName"], ["Prospecting"]]


@pytest.mark.parametrize(
    ("delimiter", "sign"),
    [("BACKQUOTE", "`"), ("CARET", "^"), ("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("TAB", "\t")],
)
def test_delimiters_and_line_endings(client, bulk, delimiter, sign):
    """Those the job asked for."""
    client.create("Account", Name="A", Phone="1")
    text = bulk.run("SELECT Name, Phone FROM Account", columnDelimiter=delimiter, lineEnding="CRLF")
    assert text == f'"Name"{sign}"Phone"\r\n"A"{sign}"1"\r\n'


def test_nothing_found(bulk):
    """The header alone."""
    job = bulk.make("SELECT Id, Name FROM Account")
    bulk.state(job)
    status, headers, text = bulk.page(job)
    assert (status, text) == (200, '"Id","Name"\n')
    assert (headers["Sforce-Locator"], headers["Sforce-NumberOfRecords"]) == ("null", "0")


def test_query_all(client, bulk):
    """A queryAll reads the recycle bin too."""
    kept, gone = client.create("Account", Name="a"), client.create("Account", Name="b")
    client("DELETE", f"sobjects/Account/{gone}")
    soql = "SELECT Id, IsDeleted FROM Account ORDER BY Name"
    assert bulk.rows(soql)[1:] == [[kept, "false"]]
    assert bulk.rows(soql, operation="queryAll")[1:] == [[kept, "false"], [gone, "true"]]


def test_a_job_takes_its_time(client, bulk, clock):
    """By polls and by the clock, whichever takes longer; meanwhile it is in progress."""
    settings(client, polls=2, seconds=60)
    job = bulk.make("SELECT Id FROM Account")
    assert [bulk.state(job) for _ in range(3)] == ["InProgress"] * 3
    clock.advance(timedelta(seconds=60))
    told = client("GET", f"{JOBS}/{job}")[1]
    assert (told["state"], told["totalProcessingTime"]) == ("JobComplete", 60_000)
    assert told["systemModstamp"] == "2026-03-10T12:01:30.000+0000"


def test_a_job_that_nobody_asks_for(client, bulk):
    """With no polls to wait for, a job is done before the next request."""
    settings(client, polls=0)
    job = bulk.make("SELECT Name FROM Account")
    client.create("Account", Name="too late")
    assert bulk.page(job)[2] == '"Name"\n'


def test_rows_are_those_of_the_moment(client, bulk):
    """What changes after the job has run is not in its results."""
    record = client.create("Account", Name="old")
    job = bulk.make("SELECT Name FROM Account")
    client("PATCH", f"sobjects/Account/{record}", {"Name": "new"})
    bulk.state(job)
    client("PATCH", f"sobjects/Account/{record}", {"Name": "newest"})
    client("DELETE", f"sobjects/Account/{record}")
    assert bulk.page(job)[2] == '"Name"\n"new"\n'


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        ("SELECT BillingAddress FROM Account", "Selecting compound data not supported in Bulk Query"),
        (
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "Aggregate Relationships not supported in Bulk V2 Query with CSV content type",
        ),
        ("SELECT COUNT() FROM Account", "Function COUNT not supported in Bulk Query"),
        ("SELECT MAX(Name) FROM Account", "Function MAX not supported in Bulk Query"),
        ("SELECT Name FROM Account GROUP BY Name", "GROUP BY not supported in Bulk Query"),
        ("SELECT Id FROM Account OFFSET 5", "OFFSET not supported in Bulk Query"),
        ("SELECT FIELDS(STANDARD) FROM Account", "Function FIELDS not supported in Bulk Query"),
    ],
)
def test_queries_that_bulk_excludes(client, sandbox, soql, message):
    """Refused at once; no job is made and none is counted."""
    assert client.refusal("POST", JOBS, {"operation": "query", "query": soql}) == (400, "API_ERROR", message)
    assert client("GET", JOBS)[1]["records"] == []
    assert sandbox.org.bulk.query_jobs.used == 0


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Nothing FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE Nope = 1", "INVALID_FIELD"),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account ORDER BY Nope", "INVALID_FIELD"),
    ],
)
def test_queries_that_are_wrong(client, soql, code):
    """In the same words as everywhere."""
    asked = {"operation": "query", "query": soql}
    status, found, message = client.refusal("POST", JOBS, asked)
    assert (status, found) == (400, code)
    assert message == client.refusal("GET", "query", q=soql)[2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"operation": "insert"}, {"operation": None}, {"query": ""}, {"query": 5}, {"contentType": "JSON"},
        {"columnDelimiter": ";"}, {"lineEnding": "CR"},
    ],
)  # fmt: skip
def test_jobs_that_make_no_sense(client, wrong):
    """A word that is none of the known ones is refused."""
    body = {"operation": "query", "query": "SELECT Id FROM Account", **wrong}
    assert client.refusal("POST", JOBS, body)[:2] == (400, "INVALIDJOB")


def test_results_too_early_and_in_another_version(bulk):
    """400 while the job is not done, 409 in another API version than the job's."""
    job = bulk.make("SELECT Id FROM Account")
    status, _, text = bulk.page(job)
    assert (status, orjson.loads(text)[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    bulk.state(job)
    assert bulk.page(job, version="61.0")[0] == 409
    assert bulk.page(job)[0] == 200


def test_abort(client, bulk):
    """A job that waits is aborted for good; one that is over cannot be."""
    settings(client, polls=2)
    job = bulk.make("SELECT Id FROM Account")
    assert client("PATCH", f"{JOBS}/{job}", {"state": "Aborted"})[1]["state"] == "Aborted"
    assert [bulk.state(job) for _ in range(3)] == ["Aborted"] * 3
    assert bulk.page(job)[0] == 400
    again = client.refusal("PATCH", f"{JOBS}/{job}", {"state": "Aborted"})
    assert again == (400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
    assert client.refusal("PATCH", f"{JOBS}/{job}", {"state": "UploadComplete"})[1] == "INVALIDJOB"


def test_delete(client, bulk):
    """Only a job that is over; then it is not there any more."""
    job = bulk.make("SELECT Id FROM Account")
    assert client.refusal("DELETE", f"{JOBS}/{job}")[:2] == (400, "INVALIDJOBSTATE")
    bulk.state(job)
    assert client("DELETE", f"{JOBS}/{job}") == (204, None)
    assert client.refusal("GET", f"{JOBS}/{job}")[:2] == (404, "NOT_FOUND")
    assert client.refusal("GET", f"{JOBS}/nonsense")[:2] == (404, "NOT_FOUND")


def test_a_job_that_fails(client, bulk, sandbox):
    """What was allowed when the job was made, and is not when it runs, is its errorMessage."""
    job = bulk.make("SELECT Id FROM Account")
    sandbox.admin.permissions({"objects": {"Account": {"read": False}}})
    told = client("GET", f"{JOBS}/{job}")[1]
    assert told["state"] == "Failed"
    assert told["errorMessage"].startswith("InvalidBatch : Failed to process query: INVALID_TYPE: ")
    assert bulk.page(job)[0] == 400


def test_a_job_has_the_rights_of_its_maker(client, bulk, sandbox):
    """Whoever polls it."""
    client.create("Account", Name="a")
    mine = bulk.make("SELECT Id, Phone FROM Account")
    other = sandbox.sign_in("other@example.com", in_ui=False)
    sandbox.admin.permissions({"fields": {"Account": {"Phone": {"read": False}}}}, "other@example.com")
    headers = {"Authorization": f"Bearer {other}"}
    assert client("GET", f"{JOBS}/{mine}", headers=headers)[1]["state"] == "JobComplete"
    refused = client("POST", JOBS, {"operation": "query", "query": "SELECT Phone FROM Account"}, headers)
    assert (refused[0], refused[1][0]["errorCode"]) == (400, "INVALID_FIELD")


def test_the_list_of_jobs(client, bulk):
    """1,000 at a time; the kind of job narrows it."""
    jobs = [bulk.make("SELECT Id FROM Account") for _ in range(1000)]
    assert client("GET", JOBS)[1]["done"] is True
    jobs.append(bulk.make("SELECT Id FROM Account"))
    first = client("GET", JOBS)[1]
    assert (first["done"], [job["id"] for job in first["records"]]) == (False, jobs[:1000])
    rest = client("GET", first["nextRecordsUrl"])[1]
    assert (rest["done"], rest["nextRecordsUrl"], [job["id"] for job in rest["records"]]) == (
        True,
        None,
        jobs[1000:],
    )
    assert rest["records"][0]["jobType"] == "V2Query"
    assert client("GET", JOBS, jobType="V2Ingest")[1]["records"] == []
    assert client("GET", JOBS, isPkChunkingEnabled="true")[1]["records"] == []
    assert client.refusal("GET", JOBS, jobType="Other")[:2] == (400, "INVALIDJOB")


def test_jobs_are_kept_for_seven_days(client, bulk, clock):
    """Then they are gone."""
    job = bulk.make("SELECT Id FROM Account")
    clock.advance(timedelta(days=7))
    assert bulk.state(job) == "JobComplete"
    clock.advance(timedelta(seconds=1))
    assert client("GET", f"{JOBS}/{job}")[0] == 404
    assert client("GET", JOBS)[1]["records"] == []


def test_the_quota_of_query_jobs(client, bulk, clock):
    """Counted in the limits, refused when used up, given back after 24 hours."""
    settings(client, query_jobs_a_day=2)
    bulk.make("SELECT Id FROM Account")
    assert client("GET", "limits")[1]["DailyBulkV2QueryJobs"] == {"Max": 2, "Remaining": 1}
    bulk.make("SELECT Id FROM Account")
    refused = client.refusal("POST", JOBS, {"operation": "query", "query": "SELECT Id FROM Account"})
    assert refused == (400, "LIMIT_EXCEEDED", "Max bulk v2 query jobs (2) per 24 hrs has been reached")
    clock.advance(timedelta(days=1))
    assert client("GET", "limits")[1]["DailyBulkV2QueryJobs"]["Remaining"] == 2
    bulk.make("SELECT Id FROM Account")


def test_each_call_counts(client, bulk, sandbox):
    """Making a job, every poll and every page are API calls."""
    before = sandbox.org.usage.view()["total"]
    bulk.run("SELECT Id FROM Account")
    assert sandbox.org.usage.view()["total"] - before == 3
    assert sandbox.org.usage.view()["by_resource"]["jobs/query"] == 3


def test_an_org_without_bulk(client):
    """No jobs can be made."""
    settings(client, enabled=False)
    refused = client.refusal("POST", JOBS, {"operation": "query", "query": "SELECT Id FROM Account"})
    assert refused == (400, "FEATURENOTENABLED", "Async API not enabled")


def test_jobs_survive_a_snapshot(client, bulk, sandbox):
    """A finished job has its results, and a waiting one runs, after the state is put back."""
    client.create("Account", Name="a")
    done, waiting = (bulk.make("SELECT Name FROM Account") for _ in range(2))
    bulk.state(done)
    sandbox.snapshots.save("s")
    sandbox.reset()
    sandbox.snapshots.restore("s")
    assert bulk.page(done)[2] == '"Name"\n"a"\n'
    assert bulk.state(waiting) == "JobComplete"
    assert bulk.page(waiting)[2] == '"Name"\n"a"\n'


def test_settings(client):
    """They are told, and changed one by one."""
    assert client("GET", "/_sandbox/bulk")[1] == {
        "polls": 1, "seconds": 0.0, "enabled": True, "hard_delete": True, "batches_a_day": 15_000,
        "query_jobs_a_day": 10_000, "rows_in_a_page": 100_000,
    }  # fmt: skip
    assert client("PUT", "/_sandbox/bulk", {"seconds": 1})[1]["seconds"] == 1


@pytest.mark.parametrize(
    "wrong",
    [[], {"nothing": 1}, {"polls": -1}, {"polls": True}, {"enabled": 1}, {"seconds": "1"}, {"rows_in_a_page": 0}],
)
def test_settings_that_are_wrong(client, wrong):
    """Refused as a whole."""
    before = client("GET", "/_sandbox/bulk")[1]
    assert client("PUT", "/_sandbox/bulk", wrong)[0] == 400
    assert client("GET", "/_sandbox/bulk")[1] == before
