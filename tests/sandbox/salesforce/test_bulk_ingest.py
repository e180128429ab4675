"""Bulk API 2.0 jobs that write: uploads, what they do to records, and the three lists of results."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest

from connector.sandbox.wire import Request

JOBS = "jobs/ingest"


class Ingest:
    """A client of ingest jobs."""

    def __init__(self, client):
        self.client = client

    def make(self, sobject="Account", operation="insert", **more):
        asked = {"object": sobject, "operation": operation, "contentType": "CSV", **more}
        status, body = self.client("POST", JOBS, asked)
        assert status == 200, body
        return body["id"]

    def upload(self, job, content):
        data = content if isinstance(content, bytes) else content.encode()
        status, body = self.client("PUT", f"{JOBS}/{job}/batches", data)
        assert (status, body) == (201, None)

    def complete(self, job, state="UploadComplete"):
        return self.client("PATCH", f"{JOBS}/{job}", {"state": state})

    def told(self, job):
        return self.client("GET", f"{JOBS}/{job}")[1]

    def results(self, job, kind):
        url = f"{self.client.origin}/services/data/v{self.client.version}/{JOBS}/{job}/{kind}"
        answer = self.client.sandbox(Request.make("GET", url, self.client.headers, b""))
        assert answer.status == 200, answer.body
        assert answer.headers["Content-Type"] == "text/csv; charset=UTF-8"
        return answer.body.decode()

    def run(self, content, sobject="Account", operation="insert", **more):
        """Do a whole job: its id, and how it was told in the end."""
        job = self.make(sobject, operation, **more)
        self.upload(job, content)
        assert self.complete(job)[0] == 200
        return job, self.told(job)

    def errors(self, content, *args, **more):
        """The lines of the failed results without the header."""
        job, _ = self.run(content, *args, **more)
        return self.results(job, "failedResults").splitlines()[1:]


@pytest.fixture
def bulk(client):
    return Ingest(client)


@pytest.fixture
def keyed(sandbox):
    """Accounts have a key of their own that need not be unique."""
    sandbox.admin.add("fields", [{"sobject": "Account", "name": "Key__c", "type": "string", "externalId": True}])


def settings(client, **wanted):
    status, body = client("PUT", "/_sandbox/bulk", wanted)
    assert status == 200, body


def test_a_job_is_told_as_documented(client, sandbox):
    """From open, with the address for its content, to complete, with the numbers of records."""
    asked = {"object": "account", "operation": "insert", "contentType": "CSV"}
    status, body = client("POST", JOBS, asked)
    job = body["id"]
    common = {
        "id": job, "operation": "insert", "object": "Account", "createdById": sandbox.org.administrator,
        "createdDate": "2026-03-10T12:00:30.000+0000", "systemModstamp": "2026-03-10T12:00:30.000+0000",
        "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": 62.0, "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }  # fmt: skip
    url = f"services/data/v62.0/jobs/ingest/{job}/batches"
    assert (status, body) == (200, {**common, "state": "Open", "contentUrl": url})
    assert client("PUT", "/" + url, b'Name\nA\n""\n') == (201, None)
    assert client("PATCH", f"{JOBS}/{job}", {"state": "UploadComplete"}) == (
        200,
        {**common, "state": "UploadComplete"},
    )
    assert client("GET", f"{JOBS}/{job}") == (200, {
        **common, "state": "JobComplete", "jobType": "V2Ingest", "numberRecordsProcessed": 2,
        "numberRecordsFailed": 1, "retries": 0, "totalProcessingTime": 0, "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    })  # fmt: skip


def test_results(client, bulk):
    """Each record is in one of the lists, with what was sent for it; nothing is left unprocessed."""
    job, _ = bulk.run('Name,Phone,Website\nA,1,\n,2,\n"B ""b""\nb",3,x\n')
    first, second = (row["Id"] for row in client.query("SELECT Id FROM Account ORDER BY Phone"))
    assert bulk.results(job, "successfulResults") == (
        '"sf__Id","sf__Created","Name","Phone","Website"\n'
        f'"{first}","true","A","1",""\n'
        f'"{second}","true","B ""b""\nb","3","x"\n'
    )
    assert bulk.results(job, "failedResults") == (
        '"sf__Id","sf__Error","Name","Phone","Website"\n'
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","","2",""\n'
    )
    assert bulk.results(job, "unprocessedrecords") == '"Name","Phone","Website"\n'
    assert bulk.results(job, "unprocessedRecords") == bulk.results(job, "unprocessedrecords")
    assert client.refusal("GET", f"{JOBS}/{job}/otherResults")[:2] == (404, "NOT_FOUND")


def test_update(client, bulk):
    """Empty values leave a field alone, #N/A makes it null; a record is named by its id in either length."""
    kept, cleared = client.create("Account", Name="a", Phone="1"), client.create("Account", Name="b", Phone="2")
    job, told = bulk.run(f"Id,Phone,Website\n{kept[:15]},,x\n{cleared},#N/A,y\n", operation="update")
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (2, 0)
    assert client.query("SELECT Phone, Website FROM Account ORDER BY Name") == [
        {"Phone": "1", "Website": "x"},
        {"Phone": None, "Website": "y"},
    ]
    assert bulk.results(job, "successfulResults").splitlines()[1] == f'"{kept}","false","{kept[:15]}","","x"'


def test_update_of_what_is_not_there(client, bulk):
    """The failed list has the id that was sent, if it was one."""
    gone = client.create("Account", Name="a")
    client("DELETE", f"sobjects/Account/{gone}")
    missing = "001000000000001AAA"
    assert bulk.errors(f"Id,Name\n{gone},A\n{missing},B\n,C\nnonsense,D\n", operation="update") == [
        f'"{gone}","ENTITY_IS_DELETED:entity is deleted:--","{gone}","A"',
        f'"{missing}","INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--","{missing}","B"',
        '"","MISSING_ARGUMENT:Id not specified in an update call:--","","C"',
        '"","MALFORMED_ID:Account ID: id value of incorrect type: nonsense:Id --","nonsense","D"',
    ]


def test_upsert(client, bulk):
    """By an external id: what is there is updated, what is not is created."""
    there = client.create("Account", Name="old", HubSpot_Id__c="1")
    job, _ = bulk.run(
        "HubSpot_Id__c,Name\n1,new\n2,two\n,three\n", operation="upsert", externalIdFieldName="hubspot_id__c"
    )
    made = client.query("SELECT Id, HubSpot_Id__c FROM Account WHERE Name = 'two'")[0]
    assert made["HubSpot_Id__c"] == "2"
    assert bulk.results(job, "successfulResults").splitlines()[1:] == [
        f'"{there}","false","1","new"',
        f'"{made["Id"]}","true","2","two"',
    ]
    assert bulk.results(job, "failedResults").splitlines()[1:] == [
        '"","MISSING_ARGUMENT:HubSpot_Id__c not specified:--","","three"'
    ]
    assert bulk.told(job)["externalIdFieldName"] == "HubSpot_Id__c"


def test_upsert_by_id(client, bulk):
    """With an id it is an update, without one an insert."""
    there = client.create("Account", Name="old")
    bulk.run(f"Id,Name\n{there},new\n,other\n", operation="upsert", externalIdFieldName="Id")
    assert client.query("SELECT Name FROM Account ORDER BY Name") == [{"Name": "new"}, {"Name": "other"}]


def test_upsert_of_the_same_key_twice(client, bulk):
    """All records of two hundred that share a key are refused; later ones are not."""
    rows = ["x,twice", *(f"k{n},filler" for n in range(198)), "X,twice", "x,later"]
    errors = bulk.errors(
        "HubSpot_Id__c,Name\n" + "\n".join(rows), operation="upsert", externalIdFieldName="HubSpot_Id__c"
    )
    assert errors == [
        '"","DUPLICATE_VALUE:Duplicate external id specified: x:HubSpot_Id__c --","x","twice"',
        '"","DUPLICATE_VALUE:Duplicate external id specified: X:HubSpot_Id__c --","X","twice"',
    ]
    assert client.query("SELECT Name FROM Account WHERE HubSpot_Id__c = 'x'") == [{"Name": "later"}]


def test_upsert_that_fits_several(client, bulk, keyed):
    """The message names them."""
    first, second = (client.create("Account", Name=name, Key__c="k") for name in "ab")
    message = f"Key__c: more than one record found for external id field: [{first}, {second}]"
    assert bulk.errors("Key__c,Name\nk,c\n", operation="upsert", externalIdFieldName="Key__c") == [
        f'"","DUPLICATE_EXTERNAL_ID:{message}:--","k","c"'
    ]


def test_delete(client, bulk):
    """Records go to the recycle bin, each for itself."""
    gone, kept = client.create("Account", Name="a"), client.create("Account", Name="b")
    job, told = bulk.run(f"Id\n{gone}\n001000000000001AAA\n", operation="delete")
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (2, 1)
    assert bulk.results(job, "successfulResults") == f'"sf__Id","sf__Created","Id"\n"{gone}","false","{gone}"\n'
    assert client.query("SELECT Id, IsDeleted FROM Account ORDER BY Name", "queryAll") == [
        {"Id": gone, "IsDeleted": True},
        {"Id": kept, "IsDeleted": False},
    ]


def test_hard_delete(client, bulk):
    """Nothing is left in the recycle bin, of children neither; getDeleted still tells the records."""
    account, other = client.create("Account", Name="a"), client.create("Account", Name="b")
    contact = client.create("Contact", LastName="c", AccountId=account)
    client("DELETE", f"sobjects/Account/{other}")
    _, told = bulk.run(f"Id\n{account}\n", operation="hardDelete")
    assert told["numberRecordsFailed"] == 0
    assert client.query("SELECT Id FROM Account", "queryAll") == [{"Id": other}]
    assert client.query(f"SELECT Id FROM Contact WHERE Id = '{contact}'", "queryAll") == []
    client.sandbox.clock.advance(timedelta(minutes=2))
    span = {"start": "2026-03-10T12:00:00Z", "end": "2026-03-10T12:02:00Z"}
    told = client("GET", "sobjects/Account/deleted", **span)[1]["deletedRecords"]
    assert {record["id"] for record in told} == {account, other}


def test_hard_delete_needs_a_permission(client):
    """Without it there is not even a job."""
    settings(client, hard_delete=False)
    asked = {"object": "Account", "operation": "hardDelete", "contentType": "CSV"}
    assert client.refusal("POST", JOBS, asked) == (
        400,
        "FEATURENOTENABLED",
        "hardDelete operation requires special user profile permission, please contact your system administrator",
    )


def test_parents_by_their_keys(client, bulk):
    """A column `Relationship.Key` finds the parent; #N/A takes it away; an unknown key fails the record."""
    account = client.create("Account", Name="a", HubSpot_Id__c="1")
    content = "LastName,Account.HubSpot_Id__c\nFound,1\nNone,\nLost,2\n"
    job, told = bulk.run(content, "Contact")
    assert told["numberRecordsFailed"] == 1
    assert (
        bulk.results(job, "failedResults")
        .splitlines()[1]
        .startswith(
            '"","INVALID_FIELD:Foreign key external ID: 2 not found for field HubSpot_Id__c in entity Account:--"'
        )
    )
    assert client.query("SELECT AccountId FROM Contact ORDER BY LastName") == [
        {"AccountId": account},
        {"AccountId": None},
    ]
    found = client.query("SELECT Id FROM Contact WHERE LastName = 'Found'")[0]["Id"]
    bulk.run(f"Id,Account.HubSpot_Id__c\n{found},#N/A\n", "Contact", "update")
    assert client.row("Contact", found)["AccountId"] is None


def test_texts_become_values(client, bulk, sandbox):
    """Numbers, dates and booleans in the spellings of XML Schema."""
    sandbox.admin.add("fields", [{"sobject": "Account", "name": name, "type": type_} for name, type_ in (
        ("Flag__c", "boolean"), ("Day__c", "date"), ("Moment__c", "datetime"), ("Size__c", "double"),
    )])  # fmt: skip
    bulk.run(
        "Name,Flag__c,Day__c,Moment__c,NumberOfEmployees,AnnualRevenue\n"
        "a,1,2026-01-02Z,2026-01-02T03:04:05.678+01:00,12,1.5E3\n"
        "b,FALSE,2026-01-02,2026-01-02T03:04:05.000Z,0,-1\n"
    )
    fields = "Flag__c, Day__c, Moment__c, NumberOfEmployees, AnnualRevenue"
    assert client.query(f"SELECT {fields} FROM Account ORDER BY Name") == [
        {
            "Flag__c": True, "Day__c": "2026-01-02", "Moment__c": "2026-01-02T02:04:05.000+0000",
            "NumberOfEmployees": 12, "AnnualRevenue": 1500.0,
        },
        {
            "Flag__c": False, "Day__c": "2026-01-02", "Moment__c": "2026-01-02T03:04:05.000+0000",
            "NumberOfEmployees": 0, "AnnualRevenue": -1.0,
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("AnnualRevenue", "much", "Annual Revenue: value not of required type: much"),
        ("NumberOfEmployees", "1.5", "Employees: value not of required type: 1.5"),
    ],
)
def test_texts_of_no_value(bulk, column, value, message):
    """Fail their record only."""
    job, told = bulk.run(f"Name,{column}\ngood,1\nbad,{value}\n")
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (2, 1)
    said = f'"","INVALID_TYPE_ON_FIELD_IN_RECORD:{message}:{column} --","bad","{value}"'
    assert bulk.results(job, "failedResults").splitlines()[1] == said


def test_records_obey_the_rules_of_their_object(client, bulk):
    """Defaults, checks and what follows from a change are those of single records."""
    content = "Name,StageName,CloseDate,Amount\ngood,Closed Won,2026-05-01,10\nbad,Nowhere,2026-05-01,10\n"
    job, _ = bulk.run(content, "Opportunity")
    assert client.query("SELECT Name, IsWon, Probability, OwnerId FROM Opportunity") == [
        {"Name": "good", "IsWon": True, "Probability": 100.0, "OwnerId": client.sandbox.org.administrator}
    ]
    assert "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:Stage: bad value" in bulk.results(job, "failedResults")


def test_records_obey_the_rules_of_their_org(client, bulk, sandbox):
    """Validation rules, all that are broken, and locks."""
    rule = {
        "object": "Account", "fullName": "No_X", "active": True, "errorConditionFormula": 'Name = "X"',
        "errorMessage": "Not X, please", "errorDisplayField": "Name",
    }  # fmt: skip
    rules = [rule, {**rule, "fullName": "No_Y", "errorMessage": "Nor so", "errorDisplayField": None}]
    assert client("POST", "/_sandbox/validation_rules", rules)[0] in {200, 201}
    locked = client.create("Account", Name="a")
    assert client("POST", "/_sandbox/locks", {"ids": [locked], "requests": 1})[0] in {200, 201}
    errors = bulk.errors(f"Id,Name\n,X\n{locked},b\n", operation="upsert", externalIdFieldName="Id")
    broken = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    busy = f"unable to obtain exclusive access to this record or 1 records: {locked}"
    assert errors == [
        f'"","{broken}:Not X, please:Name --{broken}:Nor so:--","","X"',
        f'"{locked}","UNABLE_TO_LOCK_ROW:{busy}:--","{locked}","b"',
    ]
    assert bulk.errors(f"Id,Name\n{locked},c\n", operation="update") == []


def test_an_id_cannot_be_chosen(bulk):
    """An insert with an id is refused."""
    assert bulk.errors("Id,Name\n001000000000001AAA,a\n")[0].startswith(
        '"001000000000001AAA","INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --"'
    )


@pytest.mark.parametrize(
    ("delimiter", "sign"),
    [("BACKQUOTE", "`"), ("CARET", "^"), ("PIPE", "|"), ("SEMICOLON", ";"), ("TAB", "\t")],
)
def test_delimiters_and_line_endings(client, bulk, delimiter, sign):
    """Results are written as the upload was."""
    job, _ = bulk.run(f"Name{sign}Phone\r\nA,B{sign}1\r\n", columnDelimiter=delimiter, lineEnding="CRLF")
    record = client.query("SELECT Id, Name, Phone FROM Account")[0]
    assert (record["Name"], record["Phone"]) == ("A,B", "1")
    expected = sign.join(f'"{word}"' for word in ("sf__Id", "sf__Created", "Name", "Phone")) + "\r\n"
    expected += sign.join(f'"{word}"' for word in (record["Id"], "true", "A,B", "1")) + "\r\n"
    assert bulk.results(job, "successfulResults") == expected


SPOILT = {
    "an unknown column": ("Name,Nope\na,b\n", "InvalidBatch : Field name not found : Nope"),
    "an unknown parent": ("Name,Nope.Id\na,b\n", "InvalidBatch : Field name not found : Nope.Id"),
    "a parent by what is no key": ("Name,Owner.Email\na,b\n", "InvalidBatch : Field name not found : Owner.Email"),
    "a column twice": ("Name,name\na,b\n", "InvalidBatch : Duplicate field name found : name"),
    "a longer row": ("Name\na\nb,c\n", "InvalidBatch : Failed to parse CSV: line 3 has 2 values, not 1"),
    "an open quotation mark": (
        'Name\na\n"b\n',
        "InvalidBatch : Failed to parse CSV: line 3: unexpected end of data",
    ),
    "bytes that are no text": (b"Name\n\xff\n", "InvalidBatch : Failed to parse CSV: the content is not UTF-8"),
    "another line ending": (
        "Name\r\na\r\n",
        "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_uploads_that_are_spoilt(client, bulk, what):
    """Fail as a whole and change nothing."""
    content, message = SPOILT[what]
    _, told = bulk.run(content)
    assert (told["state"], told["errorMessage"]) == ("Failed", message)
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (0, 0)
    assert client.query("SELECT Id FROM Account") == []


def test_unprocessed_records(bulk):
    """Of a job that failed: all that was sent; what is no table comes back as it is."""
    job, _ = bulk.run("Name,Nope\na,1\nb,2\n")
    assert bulk.results(job, "unprocessedrecords") == '"Name","Nope"\n"a","1"\n"b","2"\n'
    assert bulk.results(job, "successfulResults") == '"sf__Id","sf__Created","Name","Nope"\n'
    assert bulk.results(job, "failedResults") == '"sf__Id","sf__Error","Name","Nope"\n'
    job, _ = bulk.run('Name\na\n"b\n')
    assert bulk.results(job, "unprocessedrecords") == 'Name\na\n"b\n'
    assert bulk.results(job, "failedResults") == '"sf__Id","sf__Error","Name"\n'


def test_the_line_ending_of_a_crlf_job(bulk):
    """Is looked for as well."""
    _, told = bulk.run("Name\na\n", lineEnding="CRLF")
    assert told["errorMessage"].endswith("Current LineEnding setting is CRLF")


def test_deletes_take_ids_only(client, bulk):
    """Any other column spoils the upload."""
    record = client.create("Account", Name="a")
    _, told = bulk.run(f"Id,Name\n{record},a\n", operation="delete")
    assert (told["state"], told["errorMessage"]) == (
        "Failed",
        "InvalidBatch : The 'delete' batch must contain only ids",
    )
    assert client.row("Account", record)["Name"] == "a"


def test_content_can_be_sent_once(bulk):
    """A second upload spoils the job."""
    job = bulk.make()
    bulk.upload(job, "Name\na\n")
    bulk.upload(job, "Name\nb\n")
    bulk.complete(job)
    told = bulk.told(job)
    assert told["state"] == "Failed"
    assert told["errorMessage"].startswith(f"ClientInputError : Found multiple contents for job: <{job}>")


def test_nothing_but_a_header(bulk):
    """Is a job without records."""
    job, told = bulk.run("Name\n")
    assert (told["state"], told["numberRecordsProcessed"]) == ("JobComplete", 0)
    assert bulk.results(job, "successfulResults") == '"sf__Id","sf__Created","Name"\n'


def test_compressed_content(client, bulk):
    """A body may be compressed by gzip; one that says so and is not is refused."""
    job = bulk.make()
    headers = {**client.headers, "Content-Encoding": "gzip"}
    assert client("PUT", f"{JOBS}/{job}/batches", b"Name\n", headers=headers)[0] == 400
    assert client("PUT", f"{JOBS}/{job}/batches", gzip.compress(b"Name\na\n"), headers=headers)[0] == 201
    bulk.complete(job)
    assert bulk.told(job)["numberRecordsProcessed"] == 1


def multipart(job=b'{"object":"Account","operation":"insert","contentType":"CSV"}', content=b"Name\na\n\xc3\xa4"):
    return b"\r\n".join([
        b"--B", b"Content-Type: application/json", b'Content-Disposition: form-data; name="job"', b"", job,
        b"--B", b"Content-Type: text/csv", b'Content-Disposition: form-data; name="content"; filename="c"', b"",
        content, b"--B--", b"",
    ])  # fmt: skip


def test_a_job_with_its_content(client, bulk):
    """In one multipart request; it need not be completed."""
    headers = {**client.headers, "Content-Type": 'multipart/form-data; boundary="B"'}
    status, body = client("POST", JOBS, multipart(), headers=headers)
    assert (status, body["state"]) == (200, "UploadComplete")
    assert bulk.told(body["id"])["numberRecordsProcessed"] == 2
    assert client.query("SELECT Name FROM Account ORDER BY Name") == [{"Name": "a"}, {"Name": "ä"}]


@pytest.mark.parametrize(
    "body",
    [b"", b"--B--", multipart(job=b"{"), multipart(job=b"[]"), multipart(content=b"Name\n" + b"a\n" * 50_000)],
)
def test_a_job_with_its_content_that_is_spoilt(client, body):
    """400, and no job is made."""
    headers = {**client.headers, "Content-Type": "multipart/form-data; boundary=B"}
    assert client("POST", JOBS, body, headers=headers)[0] == 400
    assert client("GET", JOBS)[1]["records"] == []


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        ({"object": "Nothing"}, "INVALIDENTITY", "Unable to find object: Nothing"),
        ({"object": None}, "INVALIDENTITY", "Unable to find object: None"),
        (
            {"operation": "upsert"},
            "INVALIDJOB",
            "External ID was blank for Account. An External ID must be specified for upsert.",
        ),
        (
            {"operation": "upsert", "externalIdFieldName": "Name"},
            "INVALIDJOB",
            "Field name provided, Name does not match an External ID, Salesforce Id, or indexed field for Account",
        ),
        ({"operation": "query"}, "INVALIDJOB", None),
        ({"contentType": "XML"}, "INVALIDJOB", None),
    ],
)
def test_jobs_that_make_no_sense(client, wrong, code, message):
    """Are refused at once."""
    status, found, said = client.refusal("POST", JOBS, {"object": "Account", "operation": "insert", **wrong})
    assert (status, found, said) == (400, code, said if message is None else message)
    assert client("GET", JOBS)[1]["records"] == []


def test_states(client, bulk):
    """What can be done to a job follows from its state."""
    settings(client, polls=3)
    job = bulk.make()
    bulk.upload(job, "Name\na\n")
    assert client.refusal("DELETE", f"{JOBS}/{job}")[1] == "INVALIDJOBSTATE"
    assert client.refusal("GET", f"{JOBS}/{job}/successfulResults")[1] == "INVALIDJOBSTATE"
    assert bulk.told(job)["state"] == "Open"
    bulk.complete(job)
    assert client.refusal("PUT", f"{JOBS}/{job}/batches", b"Name\n")[1] == "INVALIDJOBSTATE"
    assert [bulk.told(job)["state"] for _ in range(3)] == ["InProgress", "InProgress", "JobComplete"]
    again = client.refusal("PATCH", f"{JOBS}/{job}", {"state": "UploadComplete"})
    assert again == (400, "INVALIDJOBSTATE", "Closing already Completed Job not allowed")
    again = client.refusal("PATCH", f"{JOBS}/{job}", {"state": "Aborted"})
    assert again == (400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
    assert client.refusal("PATCH", f"{JOBS}/{job}", {"state": "Open"})[1] == "INVALIDJOB"
    assert client("DELETE", f"{JOBS}/{job}") == (204, None)
    assert client.refusal("GET", f"{JOBS}/{job}")[:2] == (404, "NOT_FOUND")


def test_abort(client, bulk):
    """A job that is aborted before it ran writes nothing; a forgotten one neither."""
    settings(client, polls=2)
    aborted, forgotten = bulk.make(), bulk.make()
    for job in (aborted, forgotten):
        bulk.upload(job, "Name\na\n")
        bulk.complete(job)
    assert bulk.complete(aborted, "Aborted")[1]["state"] == "Aborted"
    assert client("DELETE", f"{JOBS}/{forgotten}") == (204, None)
    assert [bulk.told(aborted)["state"] for _ in range(3)] == ["Aborted"] * 3
    assert bulk.results(aborted, "unprocessedrecords") == '"Name"\n"a"\n'
    assert client.query("SELECT Id FROM Account") == []


def test_a_job_that_nobody_asks_for(client, bulk):
    """With no polls to wait for, its records are there for the next request of any kind."""
    settings(client, polls=0, seconds=30)
    job = bulk.make()
    bulk.upload(job, "Name\na\n")
    bulk.complete(job)
    assert client.query("SELECT Id FROM Account") == []
    client.sandbox.clock.advance(timedelta(seconds=30))
    assert len(client.query("SELECT Id FROM Account")) == 1


def test_records_belong_to_the_maker_of_the_job(client, bulk, sandbox):
    """Whoever polls it."""
    other = sandbox.sign_in("other@example.com", in_ui=False)
    client.headers = {"Authorization": f"Bearer {other}"}
    job = bulk.make()
    bulk.upload(job, "Name\na\n")
    bulk.complete(job)
    client.headers = {"Authorization": f"Bearer {sandbox.session_id}"}
    assert bulk.told(job)["state"] == "JobComplete"
    client.create("Account", Name="b")
    users = client.query("SELECT Owner.Email, CreatedBy.Email FROM Account ORDER BY Name")
    emails = [(row["Owner"]["Email"], row["CreatedBy"]["Email"]) for row in users]
    assert emails == [("other@example.com",) * 2, ("admin@example.com",) * 2]


def test_rights_to_fields(client, bulk, sandbox):
    """A column that the user may not see is not found; one that they may not edit fails each record."""
    rights = {"Phone": {"read": False}, "Website": {"edit": False}}
    sandbox.admin.permissions({"fields": {"Account": rights}})
    assert bulk.run("Name,Phone\na,1\n")[1]["errorMessage"] == "InvalidBatch : Field name not found : Phone"
    assert "INVALID_FIELD_FOR_INSERT_UPDATE" in bulk.errors("Name,Website\na,x\n")[0]


def test_every_ten_thousand_records_are_a_batch(client, bulk):
    """Of the daily quota of batches."""
    bulk.run("Id\n" + "001000000000001AAA\n" * 10_001, operation="delete")
    assert client("GET", "limits")[1]["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 14_998}


def test_the_list_of_jobs(client, bulk):
    """Ingest jobs, and query jobs where they are asked for."""
    job = bulk.make()
    query = client("POST", "jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"})[1]["id"]
    listed = client("GET", JOBS)[1]
    assert [(each["id"], each["jobType"], each["state"]) for each in listed["records"]] == [
        (job, "V2Ingest", "Open")
    ]
    assert [each["id"] for each in client("GET", JOBS, jobType="V2Query")[1]["records"]] == [query]


def test_results_survive_a_snapshot(client, bulk, sandbox):
    """The outcomes are part of the state."""
    job, _ = bulk.run('Name\na\n""\n')
    before = [bulk.results(job, kind) for kind in ("successfulResults", "failedResults")]
    sandbox.snapshots.save("s")
    sandbox.reset()
    sandbox.snapshots.restore("s")
    assert [bulk.results(job, kind) for kind in ("successfulResults", "failedResults")] == before
