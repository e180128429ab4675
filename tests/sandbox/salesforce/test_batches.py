"""sObject Collections: many records in one call."""

import pytest


def account(**fields):
    return {"attributes": {"type": "Account"}, **fields}


def count(client, sobject="Account"):
    return client.query(f"SELECT COUNT(Id) n FROM {sobject}")[0]["n"]


def test_each_for_itself(client):
    """A record that fails does not keep the others from being saved; types may be mixed."""
    contact = {"attributes": {"type": "contact"}, "LastName": "Doe"}
    status, results = client("POST", "composite/sobjects", {"records": [account(Name="a"), account(), contact]})
    assert status == 200
    assert [result["success"] for result in results] == [True, False, True]
    assert results[1] == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
            }
        ],
    }
    assert client.row("Contact", results[2]["id"])["LastName"] == "Doe"


def test_all_or_none(client):
    """With allOrNone one failure undoes all, ids and unique values included."""
    records = [account(Name="a", HubSpot_Id__c="1"), account()]
    _, results = client("POST", "composite/sobjects", {"allOrNone": True, "records": records})
    codes = [result["errors"][0]["statusCode"] for result in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert count(client) == 0
    client.create("Account", Name="b", HubSpot_Id__c="1")


def test_update(client):
    """Updates name their records by id, in either spelling and length."""
    first, second = (client.create("Account", Name=name) for name in "ab")
    records = [
        account(id=first[:15], Name="A"), account(Id=second, Name="B"), account(Name="C"),
        account(id="001000000000001AAA", Name="D"), account(id="nonsense", Name="E"),
    ]  # fmt: skip
    _, results = client("PATCH", "composite/sobjects", {"records": records})
    assert results[:2] == [{"id": record, "success": True, "errors": []} for record in (first, second)]
    assert [result["errors"][0]["statusCode"] for result in results[2:]] == [
        "MISSING_ARGUMENT", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID",
    ]  # fmt: skip
    assert client.query("SELECT Name FROM Account ORDER BY Name") == [{"Name": "A"}, {"Name": "B"}]


def test_all_or_none_update(client):
    """Undoing an update brings back the old values, also of rows it changed on the way."""
    ada, bob = (client.create("Contact", LastName=name) for name in ("Ada", "Bob"))
    deal = client.opportunity(ContactId=ada)
    role = {"attributes": {"type": "OpportunityContactRole"}}
    records = [{**role, "OpportunityId": deal, "ContactId": bob, "IsPrimary": True}, role]
    client("POST", "composite/sobjects", {"allOrNone": True, "records": records})
    assert client.query("SELECT ContactId, IsPrimary FROM OpportunityContactRole") == [
        {"ContactId": ada, "IsPrimary": True}
    ]


def test_delete(client):
    """Deletions of several objects at once, each with its result."""
    first = client.create("Account", Name="a")
    second = client.create("Contact", LastName="b")
    ids = f"{first},{second[:15]},{first},nonsense"
    _, results = client("DELETE", "composite/sobjects", ids=ids)
    assert [result["success"] for result in results] == [True, True, False, False]
    assert [result["errors"][0]["statusCode"] for result in results[2:]] == ["ENTITY_IS_DELETED", "MALFORMED_ID"]


def test_delete_all_or_none(client):
    """An undone deletion leaves nothing in the recycle bin or the log of deletions."""
    first = client.create("Account", Name="a")
    client("DELETE", "composite/sobjects", ids=f"{first},001000000000001AAA", allOrNone="true")
    assert client.query("SELECT IsDeleted FROM Account", "queryAll") == [{"IsDeleted": False}]
    assert client("PATCH", f"sobjects/Account/{first}", {"Name": "b"})[0] == 204


def test_upsert(client):
    """By external id: created or updated; a value twice in one call is refused both times."""
    client.create("Account", Name="old", HubSpot_Id__c="1")
    records = [
        account(Name="new", HubSpot_Id__c="1"), account(Name="other", hubspot_id__c="2"),
        account(Name="x", HubSpot_Id__c="3"), account(Name="y", HubSpot_Id__c="3"), account(Name="z"),
    ]  # fmt: skip
    _, results = client("PATCH", "composite/sobjects/Account/HubSpot_Id__c", {"records": records})
    assert [result.get("created") for result in results] == [False, True, None, None, None]
    assert [result["errors"][0]["statusCode"] for result in results[2:]] == [
        "DUPLICATE_VALUE", "DUPLICATE_VALUE", "MISSING_ARGUMENT",
    ]  # fmt: skip
    assert client.query("SELECT Name, HubSpot_Id__c FROM Account ORDER BY HubSpot_Id__c") == [
        {"Name": "new", "HubSpot_Id__c": "1"}, {"Name": "other", "HubSpot_Id__c": "2"},
    ]  # fmt: skip


def test_upsert_of_several(client, sandbox):
    """An external id that several records have fails that record only."""
    sandbox.admin.add("fields", [{"sobject": "Account", "name": "Key__c", "type": "string", "externalId": True}])
    for name in "ab":
        client.create("Account", Name=name, Key__c="k")
    records = [account(Name="c", Key__c="k"), account(Name="d", Key__c="l")]
    _, results = client("PATCH", "composite/sobjects/Account/Key__c", {"records": records})
    assert results[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"
    assert results[1]["created"] is True


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_read(client, method):
    """Reading many by id keeps their order; what is not there is null."""
    first, second = (client.create("Account", Name=name) for name in "ab")
    ids, fields = [second, "001000000000001AAA", first[:15]], ["Name"]
    if method == "GET":
        status, rows = client("GET", "composite/sobjects/Account", ids=",".join(ids), fields="Name")
    else:
        status, rows = client("POST", "composite/sobjects/Account", {"ids": ids, "fields": fields})
    assert status == 200
    assert [row and (row["Id"], row["Name"]) for row in rows] == [(second, "b"), None, (first, "a")]


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "composite/sobjects", {"records": [account(Name="x")] * 201}, "EXCEEDED_ID_LIMIT"),
        ("POST", "composite/sobjects", {"records": "x"}, "JSON_PARSER_ERROR"),
        ("POST", "composite/sobjects", {"records": [{"Name": "x"}]}, "INVALID_TYPE"),
        ("POST", "composite/sobjects", {"records": [{"attributes": {"type": "Nope"}}]}, "INVALID_TYPE"),
        ("POST", "composite/sobjects", {"allOrNone": 1, "records": []}, "JSON_PARSER_ERROR"),
        ("POST", "composite/sobjects", {"records": [account(Name="x"), account(Nope=1)]}, "INVALID_FIELD"),
        ("POST", "composite/sobjects", {"records": [account(Name="x"), account(Name=1)]}, "JSON_PARSER_ERROR"),
        ("PATCH", "composite/sobjects/Account/Name", {"records": []}, "NOT_FOUND"),
        ("POST", "composite/sobjects/Account", {"ids": ["x"] * 2001, "fields": ["Id"]}, "EXCEEDED_ID_LIMIT"),
        ("POST", "composite/sobjects/Account", {"ids": [], "fields": ["Id"]}, "MISSING_ARGUMENT"),
        ("POST", "composite/sobjects/Account", {"ids": "x", "fields": ["Id"]}, "JSON_PARSER_ERROR"),
        ("POST", "composite/sobjects/Account", {"ids": ["x"], "fields": ["Nope"]}, "INVALID_FIELD"),
        ("DELETE", "composite/sobjects", None, "MISSING_ARGUMENT"),
        ("DELETE", "composite/sobjects?ids=" + ",".join(["x"] * 201), None, "EXCEEDED_ID_LIMIT"),
    ],
)
def test_whole_refusals(client, method, path, body, code):
    """What is not a collection, or cannot be read as records, fails as a whole and saves nothing."""
    assert client.refusal(method, path, body)[1] == code
    assert count(client) == 0
