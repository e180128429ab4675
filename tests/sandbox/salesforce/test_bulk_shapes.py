"""The jobs of Bulk API 2.0 answer in the whole shape that Salesforce documents."""

import re

import orjson
import pytest
from sandbox.shapes import Filled, find_misfits

from connector.sandbox.salesforce.api import routes
from connector.sandbox.wire import Request

ID = re.compile(r"[A-Za-z0-9]{18}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")
MADE = {
    "id": re.compile(r"750\w{15}"), "operation": str, "object": str, "createdById": ID, "createdDate": MOMENT,
    "systemModstamp": MOMENT, "state": str, "concurrencyMode": "Parallel", "contentType": "CSV",
    "apiVersion": 62.0, "lineEnding": ("LF", "CRLF"), "columnDelimiter": str,
}  # fmt: skip
PROGRESS = {"jobType": str, "numberRecordsProcessed": int, "retries": int, "totalProcessingTime": int}
ABORTED = {**MADE, "jobType?": str, **{f"{name}?": int for name in PROGRESS if name != "jobType"}}
QUERY = {**MADE, **PROGRESS, "jobType": "V2Query"}
INGEST = {
    **MADE, **PROGRESS, "jobType": "V2Ingest", "contentUrl?": str, "numberRecordsFailed": int,
    "apiActiveProcessingTime": int, "apexProcessingTime": int, "externalIdFieldName?": str,
    "assignmentRuleId?": str,
}  # fmt: skip
ERRORS = Filled({"message": str, "errorCode": re.compile(r"[A-Z_]+")})
LISTED = {"done": bool, "records": Filled(dict), "nextRecordsUrl": (None, str)}


class Calls:
    """Calls the sandbox, and keeps which resources have been called."""

    def __init__(self, client):
        self.client = client
        self.seen = set()

    def __call__(self, method, path, body=None, *, shape=None, status=200, **headers):
        pattern = re.sub(r"750\w{15}", "{}", path.partition("?")[0])
        self.seen.add((re.sub(r"(ingest/\{\}/)(?!batches)\w+", r"\1{}", pattern), method))
        content = body.encode() if isinstance(body, str) else b"" if body is None else orjson.dumps(body)
        url = f"{self.client.origin}/services/data/v62.0/{path}"
        answer = self.client.sandbox(Request.make(method, url, {**self.client.headers, **headers}, content))
        assert answer.status == status, answer.body
        if shape is None:
            return answer
        found = orjson.loads(answer.body)
        assert find_misfits(found, shape) == [], found
        return found


@pytest.fixture
def call(client):
    return Calls(client)


def test_jobs_have_their_shape(client, call):
    """Made, listed, looked at, carried out, asked for results, refused, ended: both kinds of job."""
    client.create("Account", Name="Acme")
    wanted = {"operation": "query", "query": "SELECT Id, Name FROM Account"}
    job = call("POST", "jobs/query", wanted, shape=MADE)["id"]
    call("POST", "jobs/query", {"operation": "query", "query": "SELECT"}, shape=ERRORS, status=400)
    call("GET", f"jobs/query/{job}", shape=QUERY)
    answer = call("GET", f"jobs/query/{job}/results")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert (answer.headers["Sforce-Locator"], answer.headers["Sforce-NumberOfRecords"]) == ("null", "1")
    call("GET", "jobs/query/750000000000000AAA/results", shape=ERRORS, status=404)
    call("GET", "jobs/query", shape=LISTED)
    call("DELETE", f"jobs/query/{job}", status=204)
    other = call("POST", "jobs/query", wanted, shape=MADE)["id"]
    call("PATCH", f"jobs/query/{other}", {"state": "Aborted"}, shape=ABORTED)

    load = {"object": "Account", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}
    job = call("POST", "jobs/ingest", load, shape={**MADE, "contentUrl": str})["id"]
    call("POST", "jobs/ingest", {"object": "Account"}, shape=ERRORS, status=400)
    call("PUT", f"jobs/ingest/{job}/batches", "Name\nNew\n\n", status=201, **{"Content-Type": "text/csv"})
    call("PATCH", f"jobs/ingest/{job}", {"state": "UploadComplete"}, shape={**MADE, "assignmentRuleId?": str})
    call("GET", f"jobs/ingest/{job}", shape=INGEST)
    for results in ("successfulResults", "failedResults", "unprocessedrecords"):
        assert call("GET", f"jobs/ingest/{job}/{results}").headers["Content-Type"].startswith("text/csv")
    call("GET", "jobs/ingest", shape=LISTED)
    call("DELETE", f"jobs/ingest/{job}", status=204)

    there = {(path, method) for path, methods in routes._TABLE for method in methods if path.startswith("jobs")}
    assert there == call.seen
