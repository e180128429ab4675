"""Several calls in one."""

import pytest

BASE = "/services/data/v62.0"


def part(reference, method, path, body=None, **extra):
    made = {"referenceId": reference, "method": method, "url": f"{BASE}/{path}", **extra}
    return made if body is None else {**made, "body": body}


def run(client, *parts, **switches):
    status, body = client("POST", "composite", {"compositeRequest": list(parts), **switches})
    assert status == 200, body
    return body["compositeResponse"]


def test_references(client):
    """Later parts use what earlier ones answered, in url and body."""
    results = run(
        client,
        part("acc", "POST", "sobjects/Account", {"Name": "Acme"}),
        part("con", "POST", "sobjects/Contact", {"LastName": "Doe", "AccountId": "@{acc.id}"}),
        part("both", "GET", "query?q=SELECT+Id,(SELECT+LastName+FROM+Contacts)+FROM+Account+WHERE+Id='@{acc.id}'"),
        part("upd", "PATCH", "sobjects/Contact/@{con.id}",
             {"Title": "@{both.records[0].Contacts.records[0].LastName}"}),
        part("many", "POST", "composite/sobjects",
             {"records": [{"attributes": {"type": "Account"}, "Name": "@{acc.success}"}]}),
        part("last", "GET", "sobjects/Account/@{many[0].id}"),
    )  # fmt: skip
    assert [result["httpStatusCode"] for result in results] == [201, 201, 200, 204, 200, 200]
    assert [result["referenceId"] for result in results] == ["acc", "con", "both", "upd", "many", "last"]
    assert results[0]["httpHeaders"] == {"Location": f"{BASE}/sobjects/Account/{results[0]['body']['id']}"}
    assert results[3]["body"] is None
    assert client.row("Contact", results[1]["body"]["id"])["Title"] == "Doe"
    assert results[5]["body"]["Name"] == "true"


def test_dependents_halt(client):
    """A part that refers to a failed one is halted, the others go on."""
    results = run(
        client,
        part("acc", "POST", "sobjects/Account", {}),
        part("con", "POST", "sobjects/Contact", {"LastName": "Doe", "AccountId": "@{acc.id}"}),
        part("ok", "POST", "sobjects/Account", {"Name": "Acme"}),
    )
    assert [result["httpStatusCode"] for result in results] == [400, 400, 201]
    assert results[1]["body"] == [
        {
            "message": "Invalid reference specified. No value for acc.id found in acc. Provided referenceId"
            " ('acc.id') must start with a letter or a number, and it can contain only letters, numbers and"
            " underscores ('_').",
            "errorCode": "PROCESSING_HALTED",
        }
    ]


def test_all_or_none(client):
    """With allOrNone a failure undoes the parts that had succeeded."""
    results = run(
        client,
        part("one", "POST", "sobjects/Account", {"Name": "Acme"}),
        part("two", "POST", "composite/sobjects", {"records": [{"attributes": {"type": "Account"}, "Name": "b"}]}),
        part("bad", "POST", "sobjects/Account", {}),
        allOrNone=True,
    )
    assert [result["body"][0]["errorCode"] for result in results] == [
        "PROCESSING_HALTED", "PROCESSING_HALTED", "REQUIRED_FIELD_MISSING",
    ]  # fmt: skip
    assert client.query("SELECT Id FROM Account", "queryAll") == []


def test_everything_it_may_hold(client):
    """Rows, external ids, describes, replication and next pages are answered; what is not supported is refused."""
    client.create("Account", Name="Acme", HubSpot_Id__c="1")
    results = run(
        client,
        part("a", "GET", "sobjects"),
        part("b", "GET", "sobjects/Account/describe"),
        part("c", "GET", "sobjects/Account/HubSpot_Id__c/1"),
        part("d", "GET", "sobjects/Account/deleted?start=2026-03-09T00:00:00Z&end=2026-03-10T12:00:00Z"),
        part("e", "GET", "limits"),
        part("f", "POST", "composite", {"compositeRequest": []}),
        part("g", "GET", "query/01g000000000000AAA-2000"),
        part("h", "PUT", "sobjects"),
        part("i", "GET", "query?q=SELECT+Id+FROM+Account", httpHeaders={"Sforce-Query-Options": "batchSize=200"}),
    )
    codes = [result["httpStatusCode"] for result in results]
    assert codes == [200, 200, 200, 200, 400, 400, 400, 405, 200]
    assert results[6]["body"][0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part("a", "GET", "sobjects"), part("a", "GET", "sobjects")],
        [part("a-b", "GET", "sobjects")],
        [{"referenceId": "a", "method": "GET"}],
        [part(f"q{n}", "GET", "query?q=SELECT+Id+FROM+Account") for n in range(6)],
        [part("q", "GET", "queryAll?q=x"), *(part(f"c{n}", "POST", "composite/sobjects", {}) for n in range(5))],
        "nonsense",
    ],
)
def test_refused(client, parts):
    """Too many parts, too many heavy ones, and parts without a name are refused as a whole."""
    status, body = client("POST", "composite", {"compositeRequest": parts})
    assert (status, len(body)) == (400, 1)


def test_dependents_halt_in_older_words(client):
    """Before version 52.0 nothing is said about the characters of reference ids."""
    client.version = "51.0"
    lost = part("con", "POST", "sobjects/Contact", {"LastName": "Doe", "AccountId": "@{acc.id}"})
    _, body = client("POST", "composite", {"compositeRequest": [lost]})
    told = body["compositeResponse"][0]["body"][0]["message"]
    assert told == "Invalid reference specified. No value for acc.id found in acc."


def test_too_many_parts(client):
    """More than 25 parts are answered by one result that is none of theirs, and nothing is done."""
    parts = [part(f"a{n}", "POST", "sobjects/Account", {"Name": "x"}) for n in range(26)]
    status, body = client("POST", "composite", {"compositeRequest": parts})
    error = {"errorCode": "LIMIT_EXCEEDED", "message": "The request can\u2019t contain more than 25 operations."}
    result = {"body": [error], "httpHeaders": {}, "httpStatusCode": 400, "referenceId": None}
    assert (status, body) == (200, {"compositeResponse": [result]})
    assert client.refusal("POST", "composite/batch", {"batchRequests": [{}] * 26})[1] == "LIMIT_EXCEEDED"
    assert client.query("SELECT Id FROM Account") == []


def test_counted_once(client):
    """A composite is one call, a batch is one for each part."""
    run(client, *(part(f"s{n}", "GET", "sobjects") for n in range(3)))
    requests = [{"method": "GET", "url": "v62.0/sobjects"}] * 4
    client("POST", "composite/batch", {"batchRequests": requests})
    assert client.sandbox.admin.usage() == {"total": 5, "by_resource": {"composite": 1, "composite/batch": 4}}


def test_batch(client):
    """A batch answers each part for itself; with haltOnError the rest after a failure is not tried."""
    requests = [
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "a"}},
        {"method": "POST", "url": "/services/data/v62.0/sobjects/Account", "richInput": {}},
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "c"}},
    ]
    _, body = client("POST", "composite/batch", {"batchRequests": requests})
    assert body["hasErrors"] is True
    assert [result["statusCode"] for result in body["results"]] == [201, 400, 201]
    _, body = client("POST", "composite/batch", {"batchRequests": requests, "haltOnError": True})
    assert [result["statusCode"] for result in body["results"]] == [201, 400, 412]
    assert body["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert client.refusal("POST", "composite/batch", {"batchRequests": [{}]})[1] == "INVALID_INPUT"
