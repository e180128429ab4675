"""The older Bulk API: jobs and batches in CSV, JSON and XML, as its clients send them."""

from __future__ import annotations

import csv
import gzip
import io
import xml.etree.ElementTree as ET
from datetime import timedelta

import orjson
import pytest

from connector.sandbox.wire import Request

NAMESPACE = "{http://www.force.com/2009/06/asyncapi/dataload}"
TYPES = {"CSV": "text/csv", "JSON": "application/json", "XML": "application/xml"}


def tree(element):
    """An element as nested dicts; what is there several times is a list."""
    if not len(element):
        return element.text
    found = {}
    for each in element:
        assert each.tag.startswith(NAMESPACE)
        found.setdefault(each.tag.removeprefix(NAMESPACE), []).append(tree(each))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


class Classic:
    """A client that speaks JSON about jobs."""

    def __init__(self, client):
        self.client = client
        self.session = client.sandbox.session_id
        self.last = None

    def __call__(self, method, path, body=b"", kind="application/json", **headers):
        """The status and the body: JSON, the tree of an XML document, or text."""
        url = f"{self.client.origin}/services/async/59.0/{path}"
        sent = {"X-SFDC-Session": self.session, "Content-Type": kind}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        self.last = answer = self.client.sandbox(Request.make(method, url, sent, content))
        told = answer.headers["Content-Type"]
        if told == "application/json":
            return answer.status, orjson.loads(answer.body)
        if told.startswith("application/xml"):
            root = ET.fromstring(answer.body)
            return answer.status, {root.tag.removeprefix(NAMESPACE): tree(root)}
        return answer.status, answer.body.decode()

    def make(self, operation="insert", sobject="Account", content="JSON", headers=None, **more):
        asked = {"operation": operation, "object": sobject, "contentType": content, **more}
        status, body = self("POST", "job", asked, **(headers or {}))
        assert status == 201, body
        return body["id"]

    def add(self, job, body, content="JSON"):
        status, told = self("POST", f"job/{job}/batch", body, TYPES[content])
        assert status == 201, told
        return (told if content == "JSON" else told["batchInfo"])["id"]

    def state(self, job, batch):
        told = self("GET", f"job/{job}/batch/{batch}")[1]
        return told.get("batchInfo", told)

    def result(self, job, batch):
        return self("GET", f"job/{job}/batch/{batch}/result")[1]

    def run(self, body, operation="insert", sobject="Account", content="JSON", **more):
        """Do a job of one batch and give back the result."""
        job = self.make(operation, sobject, content, **more)
        batch = self.add(job, body, content)
        state = self.state(job, batch)
        assert state["state"] == "Completed", state
        return self.result(job, batch)

    def query(self, soql, content="JSON", operation="query"):
        job = self.make(operation, "Account", content)
        batch = self.add(job, soql.encode(), content)
        assert self.state(job, batch)["state"] == "Completed"
        found = self.result(job, batch)
        (result,) = found if content == "JSON" else [found["result-list"]["result"]]
        return self("GET", f"job/{job}/batch/{batch}/result/{result}")[1]

    def refusal(self, *args, **kwargs):
        status, body = self(*args, **kwargs)
        assert status == 400, body
        return body["exceptionCode"], body["exceptionMessage"]


@pytest.fixture
def bulk(client):
    return Classic(client)


def settings(client, **wanted):
    status, body = client("PUT", "/_sandbox/bulk", wanted)
    assert status == 200, body


def test_a_job_is_told_as_documented(bulk, sandbox):
    """In JSON to a client that sends JSON, in XML to one that sends XML."""
    told = {
        "operation": "insert", "object": "Account", "createdById": sandbox.org.administrator,
        "createdDate": "2026-03-10T12:00:30.000+0000", "systemModstamp": "2026-03-10T12:00:30.000+0000",
        "state": "Open", "externalIdFieldName": None, "concurrencyMode": "Parallel", "contentType": "JSON",
        "numberBatchesQueued": 0, "numberBatchesInProgress": 0, "numberBatchesCompleted": 0,
        "numberBatchesFailed": 0, "numberBatchesTotal": 0, "numberRecordsProcessed": 0, "numberRetries": 0,
        "apiVersion": 59.0, "numberRecordsFailed": 0, "totalProcessingTime": 0, "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }  # fmt: skip
    status, body = bulk("POST", "job", {"operation": "insert", "object": "account", "contentType": "JSON"})
    assert (status, body) == (201, {"id": body["id"], **told})
    assert body["id"].startswith("750")
    asked = (
        b'<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
        b"<operation>insert</operation><object>Account</object><contentType>XML</contentType></jobInfo>"
    )
    status, body = bulk("POST", "job", asked, "application/xml; charset=UTF-8")
    job = body["jobInfo"]
    assert (status, job["contentType"], job["state"], job["apiVersion"]) == (201, "XML", "Open", "59.0")
    assert job["createdDate"] == "2026-03-10T12:00:30.000Z"
    assert "externalIdFieldName" not in job
    assert bulk("GET", f"job/{job['id']}", kind="application/xml")[1] == body


def test_a_batch_is_told_as_documented(bulk):
    """From queued to completed, with the numbers of records; in the notation of the job."""
    job = bulk.make()
    status, queued = bulk("POST", f"job/{job}/batch", [{"Name": "a"}, {"Phone": "1"}])
    told = {
        "id": queued["id"], "jobId": job, "state": "Queued", "stateMessage": None,
        "createdDate": "2026-03-10T12:00:30.000+0000", "systemModstamp": "2026-03-10T12:00:30.000+0000",
        "numberRecordsProcessed": 0, "numberRecordsFailed": 0, "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0, "apexProcessingTime": 0,
    }  # fmt: skip
    assert (status, queued) == (201, told)
    assert queued["id"].startswith("751")
    done = {**told, "state": "Completed", "numberRecordsProcessed": 2, "numberRecordsFailed": 1}
    assert bulk("GET", f"job/{job}/batch/{queued['id']}") == (200, done)
    assert bulk("GET", f"job/{job}/batch") == (200, {"batchInfo": [done]})
    counted = bulk("GET", f"job/{job}")[1]
    assert (counted["numberBatchesCompleted"], counted["numberBatchesTotal"]) == (1, 1)
    assert (counted["numberRecordsProcessed"], counted["numberRecordsFailed"]) == (2, 1)


def test_batches_of_a_csv_job_are_told_in_xml(bulk):
    """Even to a client that says JSON of itself."""
    job = bulk.make(content="CSV")
    batch = bulk.add(job, b"Name\na\n", "CSV")
    assert bulk.state(job, batch)["state"] == "Completed"
    listed = bulk("GET", f"job/{job}/batch")[1]
    assert listed["batchInfoList"]["batchInfo"]["id"] == batch


MISSING = "Required fields are missing: [Name]"
FAILED = "InvalidBatch : Failed to process query"


def test_json_records(client, bulk):
    """Results in JSON, each at the place of its record."""
    found = bulk.run([{"Name": "a", "attributes": {"type": "Account"}}, {"Phone": "1"}])
    record = client.query("SELECT Id FROM Account")[0]["Id"]
    error = {
        "statusCode": "REQUIRED_FIELD_MISSING", "message": MISSING, "fields": ["Name"],
        "extendedErrorDetails": None,
    }  # fmt: skip
    assert found == [
        {"success": True, "created": True, "id": record, "errors": []},
        {"success": False, "created": False, "id": None, "errors": [error]},
    ]


def test_csv_records(client, bulk):
    """Results in CSV with four columns."""
    found = bulk.run(b"Name,Phone\r\na,1\r\n,2\r\n", content="CSV")
    record = client.query("SELECT Id FROM Account")[0]["Id"]
    assert found == (
        f'"Id","Success","Created","Error"\n"{record}","true","true",""\n'
        f'"","false","false","REQUIRED_FIELD_MISSING:{MISSING}:Name --"\n'
    )


def test_xml_records(client, bulk):
    """Results in XML; nil is null, empty leaves alone, a parent is found by its key."""
    parent = client.create("Account", Name="parent", HubSpot_Id__c="1")
    contact = client.create("Contact", LastName="c", Phone="1", Email="c@example.com")
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><sObjects xmlns="http://www.force.com/2009/06/asyncapi/dataload" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<sObject><Id>{contact}</Id><Phone xsi:nil="true"/><Email></Email><Account><sObject><HubSpot_Id__c>1'
        "</HubSpot_Id__c></sObject></Account></sObject><sObject><LastName>d</LastName></sObject></sObjects>"
    )
    found = bulk.run(body.encode(), "update", "Contact", "XML")
    assert found == {
        "results": {
            "result": [
                {"success": "true", "created": "false", "id": contact},
                {
                    "success": "false", "created": "false",
                    "errors": {"statusCode": "MISSING_ARGUMENT", "message": "Id not specified in an update call"},
                },
            ]
        }
    }  # fmt: skip
    row = client.row("Contact", contact)
    assert (row["Phone"], row["Email"], row["AccountId"]) == (None, "c@example.com", parent)


def test_operations(client, bulk):
    """Upsert, update, delete and hardDelete, with null and parents in JSON."""
    made = bulk.run([{"HubSpot_Id__c": "1", "Name": "a"}], "upsert", externalIdFieldName="HubSpot_Id__c")[0]
    again = bulk.run([{"HubSpot_Id__c": "1", "Phone": "1"}], "upsert", externalIdFieldName="HubSpot_Id__c")[0]
    assert (made["created"], again["created"], again["id"]) == (True, False, made["id"])
    child = bulk.run([{"LastName": "c", "Account": {"HubSpot_Id__c": "1"}}], sobject="Contact")[0]["id"]
    assert client.row("Contact", child)["AccountId"] == made["id"]
    assert bulk.run([{"Id": made["id"], "Phone": None}], "update")[0]["success"]
    assert client.row("Account", made["id"])["Phone"] is None
    assert bulk.run([{"Id": child}], "delete", "Contact")[0] == {
        "success": True, "created": False, "id": child, "errors": [],
    }  # fmt: skip
    assert len(client.query("SELECT Id FROM Contact", "queryAll")) == 1
    assert bulk.run([{"Id": made["id"]}], "hardDelete")[0]["success"]
    assert client.query("SELECT Id FROM Account", "queryAll") == []


def test_query_in_json(client, bulk):
    """Rows as REST writes them, but date-times are milliseconds since 1970; dates stay as they are."""
    account = client.create("Account", Name="Ä")
    deal = client.opportunity(AccountId=account)
    lonely = client.opportunity(Name="Lonely")
    url = "/services/data/v59.0/sobjects/"
    rows = bulk.query(
        "SELECT Id, CloseDate, CreatedDate, IsWon, Account.Name, Account.CreatedDate FROM Opportunity"
    )
    own = {"CloseDate": "2026-06-30", "CreatedDate": 1773144030000, "IsWon": False}
    assert rows == [
        {
            "attributes": {"type": "Opportunity", "url": f"{url}Opportunity/{deal}"}, "Id": deal, **own,
            "Account": {
                "attributes": {"type": "Account", "url": f"{url}Account/{account}"}, "Name": "Ä",
                "CreatedDate": 1773144030000,
            },
        },
        {
            "attributes": {"type": "Opportunity", "url": f"{url}Opportunity/{lonely}"}, "Id": lonely, **own,
            "Account": None,
        },
    ]  # fmt: skip


def test_query_in_csv(client, bulk):
    """A table, or a sentence when nothing was found."""
    assert bulk.query("SELECT Id, Name FROM Account", "CSV") == "Records not found for this query\n"
    client.create("Account", Name='a "b"')
    text = bulk.query("SELECT Name, CreatedDate FROM Account", "CSV")
    assert text == '"Name","CreatedDate"\n"a ""b""","2026-03-10T12:00:30.000Z"\n'


def test_query_in_xml(client, bulk):
    """Records with their type, nulls told as such."""
    record = client.create("Account", Name="a & b")
    root = bulk.query("SELECT Id, Name, Phone, Owner.Email FROM Account", "XML")["queryResult"]
    assert root["records"] == {
        "type": "Account", "Id": record, "Name": "a & b", "Phone": None,
        "Owner": {"type": "User", "Email": "admin@example.com"},
    }  # fmt: skip
    assert b'<Phone xsi:nil="true"/>' in bulk.last.body
    assert b'<records xsi:type="sObject">' in bulk.last.body


@pytest.mark.parametrize("content", ["JSON", "CSV"])
def test_query_with_several_results(client, bulk, content):
    """A long answer is cut into results, all of which are listed."""
    settings(client, rows_in_a_page=2)
    for name in "abcde":
        client.create("Account", Name=name)
    job = bulk.make("query", content=content)
    batch = bulk.add(job, b"SELECT Name FROM Account", content)
    bulk.state(job, batch)
    listed = bulk.result(job, batch)
    results = listed if content == "JSON" else listed["result-list"]["result"]
    assert len(set(results)) == 3
    pages = [bulk("GET", f"job/{job}/batch/{batch}/result/{result}")[1] for result in results]
    if content == "CSV":
        pages = [list(csv.DictReader(io.StringIO(page))) for page in pages]
    assert [[row["Name"] for row in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]


def test_query_all(client, bulk):
    """A queryAll reads the recycle bin."""
    gone = client.create("Account", Name="a")
    client("DELETE", f"sobjects/Account/{gone}")
    assert bulk.query("SELECT Id FROM Account") == []
    assert [row["Id"] for row in bulk.query("SELECT Id FROM Account", operation="queryAll")] == [gone]


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        (
            "SELECT BillingAddress FROM Account",
            f"{FAILED}: FUNCTIONALITY_NOT_ENABLED: Selecting compound data not supported in Bulk Query",
        ),
        (
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "FeatureNotEnabled : Aggregate Relationships not supported in Bulk Query with CSV content type",
        ),
        ("SELECT Nope FROM Account", f"{FAILED}: INVALID_FIELD: "),
        ("", f"{FAILED}: MALFORMED_QUERY: "),
    ],
)
def test_queries_that_fail(bulk, soql, message):
    """The batch says why, and has no results."""
    job = bulk.make("query")
    batch = bulk.add(job, soql.encode())
    state = bulk.state(job, batch)
    assert state["state"] == "Failed"
    assert state["stateMessage"].startswith(message)
    refused = bulk.refusal("GET", f"job/{job}/batch/{batch}/result")
    assert refused == ("InvalidBatch", "Records not processed")
    assert bulk("GET", f"job/{job}")[1]["numberBatchesFailed"] == 1


@pytest.mark.parametrize(
    ("content", "body", "message"),
    [
        ("JSON", b"{", "InvalidBatch : Failed to parse JSON: "),
        ("JSON", b"{}", "InvalidBatch : Failed to parse JSON: a list of records is expected"),
        ("JSON", b'[{"Nope": 1}]', "InvalidBatch : Field name not found : Nope"),
        ("JSON", b'[{"Owner": {}}]', "InvalidBatch : Field name not found : Owner"),
        ("JSON", b'[{"Owner": {"Nope": "1"}}]', "InvalidBatch : Field name not found : Owner.Nope"),
        ("XML", b"<", "InvalidBatch : Failed to parse XML: "),
        ("XML", b"<other/>", "InvalidBatch : Failed to parse XML: sObjects are expected"),
        ("CSV", b"Nope\n1\n", "InvalidBatch : Field name not found : Nope"),
    ],
)
def test_batches_that_are_spoilt(client, bulk, content, body, message):
    """Fail as a whole."""
    job = bulk.make(content=content)
    state = bulk.state(job, bulk.add(job, body, content))
    assert state["state"] == "Failed"
    assert state["stateMessage"].startswith(message)
    assert client.query("SELECT Id FROM Account") == []


def test_deletes_take_ids_only(bulk):
    """In JSON too, attributes aside."""
    job = bulk.make("delete")
    record = {"attributes": {"type": "Account"}, "id": "001000000000001AAA"}
    states = [bulk.state(job, bulk.add(job, [each])) for each in (record, {**record, "Name": "a"})]
    assert [state["state"] for state in states] == ["Completed", "Failed"]
    assert states[1]["stateMessage"] == "InvalidBatch : The 'delete' batch must contain only ids"


@pytest.mark.parametrize("header", ["chunkSize=2", "true; chunkSize=2; parent=Account", "TRUE; chunkSize = 2"])
def test_pk_chunking(client, bulk, header):
    """The batch is not processed; others have the rows between every so many ids, also none."""
    names = {}
    for name in "abcdefg":
        names[client.create("Account", Name=name)] = name
    job = bulk.make("queryAll", content="CSV", headers={"Sforce_Enable_PKChunking": header})
    bulk.add(job, b"SELECT Name FROM Account WHERE Name != 'c' AND Name != 'd'", "CSV")
    told = bulk("GET", f"job/{job}/batch")[1]["batchInfoList"]["batchInfo"]
    assert [(each["state"], each["numberRecordsProcessed"]) for each in told] == [
        ("NotProcessed", "0"), ("Completed", "2"), ("Completed", "0"), ("Completed", "2"), ("Completed", "1"),
    ]  # fmt: skip
    found = []
    for each in told[1:]:
        result = bulk.result(job, each["id"])["result-list"]["result"]
        text = bulk("GET", f"job/{job}/batch/{each['id']}/result/{result}")[1]
        found.append([row[0] for row in csv.reader(io.StringIO(text))][1:])
    assert found == [["a", "b"], [], ["e", "f"], ["g"]]
    assert bulk("GET", f"job/{job}/batch/{told[0]['id']}/result")[0] == 400
    assert client("GET", "jobs/query", isPkChunkingEnabled="true")[1]["records"][0]["id"] == job
    assert client("GET", "limits")[1]["DailyBulkApiBatches"]["Remaining"] == 15_000 - 5


def test_compressed_batches(client, bulk):
    """A body may be compressed by gzip; one that says so and is not is refused."""
    job = bulk.make(content="CSV")
    address = f"job/{job}/batch"
    told = bulk("POST", address, gzip.compress(b"Name\na\n"), "text/csv", Content_Encoding="gzip")[1]["batchInfo"]
    assert bulk.state(job, told["id"])["state"] == "Completed"
    assert client.query("SELECT Name FROM Account") == [{"Name": "a"}]
    assert bulk.refusal("POST", address, b"Name\na\n", Content_Encoding="gzip")[0] == "ClientInputError"


def test_pk_chunking_by_default(client, bulk):
    """100,000 ids a chunk; only queries are chunked; the header may say no; more than 250,000 are refused."""
    client.create("Account", Name="a")
    for operation, header, states in (
        ("query", "true", ["NotProcessed", "Completed"]),
        ("query", "false", ["Completed"]),
    ):
        job = bulk.make(operation, headers={"Sforce_Enable_PKChunking": header})
        bulk.add(job, b"SELECT Id FROM Account")
        assert [each["state"] for each in bulk("GET", f"job/{job}/batch")[1]["batchInfo"]] == states
    asked = {"operation": "query", "object": "Account", "contentType": "CSV"}
    refused = bulk.refusal("POST", "job", asked, Sforce_Enable_PKChunking="chunkSize=250001")
    assert refused == ("InvalidJob", "chunkSize must be between 1 and 250000")


def test_pk_chunking_knows_where_only(bulk):
    """A query with another clause fails."""
    job = bulk.make("query", headers={"Sforce_Enable_PKChunking": "true"})
    state = bulk.state(job, bulk.add(job, b"SELECT Id FROM Account ORDER BY Name"))
    assert state["state"] == "Failed"
    assert state["stateMessage"].endswith("PK chunking not supported for queries with ORDER BY or LIMIT")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_close(bulk, method):
    """A closed job takes no more batches; those it has are done; it cannot be closed again."""
    job = bulk.make()
    batch = bulk.add(job, [{"Name": "a"}])
    assert bulk(method, f"job/{job}", {"state": "Closed"})[1]["state"] == "Closed"
    assert bulk.refusal("POST", f"job/{job}/batch", [])[0] == "InvalidJobState"
    assert bulk.state(job, batch)["state"] == "Completed"
    assert bulk.refusal(method, f"job/{job}", {"state": "Closed"})[0] == "InvalidJobState"
    assert bulk.refusal(method, f"job/{job}", {"state": "Open"})[0] == "InvalidJobState"


def test_abort(client, bulk):
    """What has not been done is not processed; what has been stays done."""
    settings(client, polls=2)
    job = bulk.make()
    done, waiting = bulk.add(job, [{"Name": "a"}]), bulk.add(job, [{"Name": "b"}])
    assert [bulk.state(job, done)["state"] for _ in range(2)] == ["InProgress", "Completed"]
    closing = b'<jobInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload"><state>Aborted</state></jobInfo>'
    assert bulk("POST", f"job/{job}", closing, "application/xml")[1]["jobInfo"]["state"] == "Aborted"
    assert [bulk.state(job, batch)["state"] for batch in (done, waiting)] == ["Completed", "NotProcessed"]
    assert client.query("SELECT Name FROM Account") == [{"Name": "a"}]


def test_results_too_early(client, bulk, clock):
    """Refused until the batch is completed, by the clock too."""
    settings(client, seconds=60)
    job = bulk.make()
    batch = bulk.add(job, [{"Name": "a"}])
    assert bulk.state(job, batch)["state"] == "InProgress"
    assert bulk.refusal("GET", f"job/{job}/batch/{batch}/result") == ("InvalidBatch", "Batch not completed")
    clock.advance(timedelta(seconds=60))
    assert bulk.result(job, batch)[0]["success"]


def test_the_request_of_a_batch(bulk):
    """Is given back as it came."""
    job = bulk.make()
    body = [{"Name": "a", "Owner": {"Id": "x"}}]
    batch = bulk.add(job, body)
    assert bulk("GET", f"job/{job}/batch/{batch}/request") == (200, orjson.dumps(body).decode())
    assert bulk.last.headers["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        ({"object": "Nope"}, "InvalidEntity", "Unable to find object: Nope"),
        ({"operation": "other"}, "InvalidJob", "Unknown operation: other"),
        ({"contentType": "ZIP_CSV"}, "InvalidJob", "contentType is one of CSV, JSON and XML here: ZIP_CSV"),
        (
            {"operation": "upsert"},
            "InvalidJob",
            "External ID was blank for Account. An External ID must be specified for upsert.",
        ),
    ],
)
def test_jobs_that_make_no_sense(bulk, wrong, code, message):
    """Are refused with the API's own codes."""
    asked = {"operation": "insert", "object": "Account", "contentType": "JSON", **wrong}
    assert bulk.refusal("POST", "job", asked) == (code, message)


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
def test_jobs_that_cannot_be_read(bulk, body):
    """In JSON or in XML."""
    assert bulk.refusal("POST", "job", body)[0] == "InvalidJob"
    status, told = bulk("POST", "job", body, "application/xml")
    assert (status, told["error"]["exceptionCode"]) == (400, "InvalidJob")


def test_what_is_not_there(bulk):
    """Jobs, batches, results and addresses."""
    job = bulk.make("query")
    batch = bulk.add(job, b"SELECT Id FROM Account")
    bulk.state(job, batch)
    assert bulk.refusal("GET", "job/750000000000001AAA")[0] == "InvalidJob"
    assert bulk.refusal("GET", f"job/{job}/batch/751000000000001AAA")[0] == "InvalidBatch"
    assert bulk.refusal("GET", f"job/{job}/batch/{batch}/result/752000000000001")[0] == "InvalidBatch"
    assert bulk.refusal("GET", f"job/{job}/other")[0] == "InvalidUrl"
    assert bulk.refusal("DELETE", f"job/{job}")[0] == "InvalidUrl"
    assert bulk.last.headers["Content-Type"] == "application/json"


def test_sessions(bulk, sandbox):
    """The header X-SFDC-Session is the credential; a wrong one is told in the notation of the client."""
    bulk.session = "no"
    assert bulk.refusal("POST", "job", {}) == ("InvalidSessionId", "Invalid session id")
    status, told = bulk("POST", "job", b"", "application/xml", Authorization=f"Bearer {sandbox.session_id}")
    assert (status, told) == (
        400,
        {"error": {"exceptionCode": "InvalidSessionId", "exceptionMessage": "Invalid session id"}},
    )


def test_records_belong_to_the_maker_of_the_job(client, bulk, sandbox):
    """Whoever polls it."""
    bulk.session = sandbox.sign_in("other@example.com", in_ui=False)
    job = bulk.make()
    batch = bulk.add(job, [{"Name": "a"}])
    bulk.session = sandbox.session_id
    assert bulk.state(job, batch)["state"] == "Completed"
    assert client.query("SELECT Owner.Email FROM Account")[0]["Owner"]["Email"] == "other@example.com"


def test_an_org_without_bulk(client, bulk, sandbox):
    """Is known by the code and the sentence that readers look for; so is a user without the API."""
    settings(client, enabled=False)
    assert bulk.refusal("POST", "job", {}) == ("FeatureNotEnabled", "Async API not enabled")
    settings(client, enabled=True)
    sandbox.admin.permissions({"PermissionsApiEnabled": False})
    assert bulk.refusal("POST", "job", {}) == ("FeatureNotEnabled", "Async API not enabled")


def test_quotas(client, bulk, sandbox):
    """Batches a day, and the API calls of the day."""
    settings(client, batches_a_day=1)
    job = bulk.make()
    bulk.add(job, [])
    assert client("GET", "limits")[1]["DailyBulkApiBatches"] == {"Max": 1, "Remaining": 0}
    assert bulk.refusal("POST", f"job/{job}/batch", []) == ("ExceededQuota", "ApiBatchItems Limit exceeded.")
    used = sandbox.org.usage.view()
    assert used["by_resource"]["async/job"] == 3
    sandbox.org.settings.change({"daily_requests": used["total"]})
    assert bulk.refusal("GET", f"job/{job}") == ("ExceededQuota", "TotalRequests Limit exceeded.")


def test_jobs_survive_a_snapshot(client, bulk, sandbox):
    """With their results, in JSON as well."""
    client.create("Account", Name="a")
    job = bulk.make("query")
    batch = bulk.add(job, b"SELECT Name, CreatedDate FROM Account")
    bulk.state(job, batch)
    (result,) = bulk.result(job, batch)
    before = bulk("GET", f"job/{job}/batch/{batch}/result/{result}")[1]
    assert before[0]["CreatedDate"] == 1773144030000
    sandbox.snapshots.save("s")
    sandbox.reset()
    sandbox.snapshots.restore("s")
    assert bulk("GET", f"job/{job}/batch/{batch}/result/{result}")[1] == before
