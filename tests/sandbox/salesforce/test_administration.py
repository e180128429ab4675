"""The administrator's acts."""

import pytest


def admin(client, method, act, body=None):
    return client(method, f"/_sandbox/{act}", body, headers={})


def test_usage(client):
    """Calls are counted under stable names; sign-in and administration are not."""
    record = client.create("Account", Name="Acme")
    client.row("Account", record)
    client("GET", "query", q="SELECT Id FROM Account")
    client("GET", "sobjects", headers={})
    client("GET", "")
    client("GET", "ui-api/object-info/x")
    client("GET", "composite/sobjects/Account", ids=record, fields="Id")
    by_resource = {
        "sobjects/Account": 2, "query": 1, "versions": 1, "ui-api/object-info": 1, "composite/sobjects": 1,
    }  # fmt: skip
    assert admin(client, "GET", "usage") == (200, {"total": 6, "by_resource": by_resource})
    assert admin(client, "POST", "usage/reset") == (204, None)
    assert admin(client, "GET", "usage")[1]["total"] == 0
    assert client.row("Account", record)["Name"] == "Acme"


def test_reset(client):
    """A reset empties the org, not the credentials."""
    client.create("Account", Name="Acme")
    admin(client, "PUT", "stages", [{"MasterLabel": "Only"}])
    assert admin(client, "POST", "reset") == (204, None)
    assert client.query("SELECT Id FROM Account", "queryAll") == []
    assert len(admin(client, "GET", "stages")[1]) == 10
    assert admin(client, "GET", "usage")[1] == {"total": 1, "by_resource": {"queryAll": 1}}
    assert admin(client, "GET", "reset")[0] == 405


def test_clock(client, clock):
    """The clock is told, set, moved, frozen and let run."""
    assert admin(client, "GET", "clock")[1] == {"now": "2026-03-10T12:00:30.500000+00:00", "frozen": True}
    _, body = admin(client, "POST", "clock", {"set": "2026-05-01T10:00:00+02:00", "advance": 60})
    assert body == {"now": "2026-05-01T08:01:00+00:00", "frozen": True}
    assert admin(client, "POST", "clock", {"frozen": False})[1]["frozen"] is False
    _, body = admin(client, "POST", "clock", {"frozen": True, "set": "2030-01-01T00:00:00"})
    assert body == {"now": "2030-01-01T00:00:00+00:00", "frozen": True}
    for bad in ({}, {"set": "soon"}, {"set": 5}, {"advance": "x"}, {"frozen": 1}, {"advance": 1e300}, [], {"x": 1}):
        assert admin(client, "POST", "clock", bad)[0] == 400
    assert admin(client, "POST", "clock", {"set": "9999-12-31T00:00:00", "advance": 1e6})[0] == 400
    assert admin(client, "GET", "clock")[1]["now"] == "2030-01-01T00:00:00+00:00"
    assert admin(client, "DELETE", "clock")[0] == 405


def test_stages(client):
    """Stages take sensible defaults, are replaced, and keep their ids by name."""
    status, made = admin(client, "POST", "stages", [{"MasterLabel": "Signed", "IsWon": True}, {"ApiName": "Dead",
                         "IsClosed": True, "SortOrder": 99}])  # fmt: skip
    assert (status, len(made)) == (201, 2)
    columns = "ApiName, IsActive, IsClosed, IsWon, SortOrder, DefaultProbability, ForecastCategory"
    rows = client.query(f"SELECT {columns} FROM OpportunityStage ORDER BY SortOrder DESC LIMIT 2")
    assert [list(row.values()) for row in rows] == [
        ["Dead", True, True, False, 99, 0.0, "Omitted"], ["Signed", True, True, True, 11, 100.0, "Closed"],
    ]  # fmt: skip
    status, kept = admin(
        client, "PUT", "stages", [{"MasterLabel": "New"}, {"MasterLabel": "Signed", "IsWon": True}]
    )
    assert (status, made[0] in kept) == (200, True)
    assert [row["ApiName"] for row in admin(client, "GET", "stages")[1]] == ["New", "Signed"]
    assert client.row("Opportunity", client.opportunity(StageName="Signed"))["IsWon"] is True


def test_stage_forecast(client):
    """A forecast category is given by its name or its code."""
    stages = [
        {"MasterLabel": "a", "ForecastCategory": "BestCase"},
        {"MasterLabel": "b", "ForecastCategoryName": "Commit"},
    ]
    admin(client, "PUT", "stages", stages)
    rows = client.query("SELECT ForecastCategory, ForecastCategoryName FROM OpportunityStage ORDER BY SortOrder")
    assert [tuple(row.values()) for row in rows] == [("BestCase", "Best Case"), ("Forecast", "Commit")]


def test_users(client):
    """Users come and go; the administrator stays."""
    _, (ada,) = admin(client, "POST", "users", [{"Email": "ada@x.example", "FirstName": "Ada", "LastName": "B"}])
    assert client.query(f"SELECT Name, Username, IsActive FROM User WHERE Id = '{ada['id']}'") == [
        {"Name": "Ada B", "Username": "ada@x.example", "IsActive": True}
    ]
    _, made = admin(client, "PUT", "users", [{"Username": "bob@x.example", "IsActive": False}])
    assert [row["Username"] for row in admin(client, "GET", "users")[1]] == ["admin@example.com", "bob@x.example"]
    assert len(made) == 1


def test_record_types(client):
    """Record types are listed by SOQL and with the stages they offer."""
    types = [
        {"Name": "New Business", "picklistValues": {"StageName": ["Prospecting"]}},
        {"Name": "Old", "IsActive": False},
    ]
    admin(client, "POST", "record_types", types)
    assert client.query("SELECT Name, DeveloperName, SobjectType, IsActive FROM RecordType") == [
        {"Name": "New Business", "DeveloperName": "New_Business", "SobjectType": "Opportunity", "IsActive": True},
        {"Name": "Old", "DeveloperName": "Old", "SobjectType": "Opportunity", "IsActive": False},
    ]
    listed = admin(client, "GET", "record_types")[1]
    assert listed[0]["picklistValues"] == {"StageName": ["Prospecting"]}
    body = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-01-01", "RecordTypeId": listed[1]["Id"]}
    assert client.refusal("POST", "sobjects/Opportunity", body)[1] == "INVALID_CROSS_REFERENCE_KEY"


def test_fields(client):
    """Added fields are described, written, filtered, restricted, and taken away again with their values."""
    _, made = admin(client, "POST", "fields", [
        {"sobject": "Opportunity", "name": "Score__c", "type": "double", "precision": 5, "scale": 1},
        {"sobject": "Opportunity", "name": "Color__c", "type": "picklist", "restrictedPicklist": True,
         "picklistValues": ["Red", {"value": "blue", "label": "Blue"}, {"value": "Old", "active": False}]},
        {"sobject": "Opportunity", "name": "Friend__c", "type": "reference", "referenceTo": ["Contact"]},
        {"sobject": "Opportunity", "name": "Sum__c", "type": "currency", "calculated": True},
        {"sobject": "Opportunity", "name": "Flag__c", "type": "boolean"},
        {"sobject": "Opportunity", "name": "Must__c", "type": "string", "nillable": False, "length": 3},
    ])  # fmt: skip
    assert all(each["id"].startswith("00N") and len(each["id"]) == 18 for each in made)
    ada = client.create("Contact", LastName="Ada")
    deal = client.opportunity(Score__c=1.25, Color__c="red", Friend__c=ada, Must__c="abc")
    rows = client.query(
        "SELECT Score__c, Color__c, Friend__r.Name, Sum__c, Flag__c FROM Opportunity WHERE Score__c > 1"
    )
    del rows[0]["Friend__r"]["attributes"]
    assert rows == [
        {"Score__c": 1.3, "Color__c": "Red", "Friend__r": {"Name": "Ada"}, "Sum__c": None, "Flag__c": False}
    ]
    path = f"sobjects/Opportunity/{deal}"
    assert client.refusal("PATCH", path, {"Color__c": "Old"})[1] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert client.refusal("PATCH", path, {"Sum__c": 1})[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert client.refusal("PATCH", path, {"Must__c": "abcd"})[1] == "STRING_TOO_LONG"
    assert client.refusal("PATCH", path, {"Must__c": None})[1] == "REQUIRED_FIELD_MISSING"
    listed = admin(client, "GET", "fields")[1]
    assert {each["name"] for each in listed if each["sobject"] == "Opportunity"} >= {"Score__c", "HubSpot_Id__c"}
    assert admin(client, "PUT", "fields", [{"sobject": "Account", "name": "Only__c", "type": "string"}])[0] == 200
    names = {each["name"] for each in admin(client, "GET", "fields")[1]}
    assert names == {"HubSpot_Id__c", "Only__c"}
    assert client.refusal("GET", "query", q="SELECT Score__c FROM Opportunity")[1] == "INVALID_FIELD"
    assert "Score__c" not in client.row("Opportunity", deal)


@pytest.mark.parametrize(
    ("method", "act", "body"),
    [
        ("POST", "stages", {}),
        ("POST", "stages", [{}]),
        ("POST", "stages", [{"MasterLabel": "x", "Nope": 1}]),
        ("POST", "stages", [{"MasterLabel": "x", "IsWon": True, "IsClosed": False}]),
        ("POST", "stages", [{"MasterLabel": "x", "SortOrder": "first"}]),
        ("POST", "record_types", [{}]),
        ("POST", "record_types", [{"Name": "x", "picklistValues": ["Prospecting"]}]),
        ("PUT", "record_types", [{"Name": "x"}, {}]),
        ("POST", "users", [{}]),
        ("POST", "users", [{"Email": "no at"}]),
        ("POST", "fields", [{"sobject": "Nope", "name": "X__c", "type": "string"}]),
        ("POST", "fields", [{"sobject": "Account", "name": "X", "type": "string"}]),
        ("POST", "fields", [{"sobject": "Account", "name": "X__c", "type": "nope"}]),
        ("POST", "fields", [{"sobject": "Account", "name": "X__c", "type": "string", "length": "x"}]),
        ("POST", "fields", [{"sobject": "Account", "name": "X__c", "type": "string", "unique": 1}]),
        ("POST", "fields", [{"sobject": "Account", "name": "X__c", "type": "string", "nope": 1}]),
        ("POST", "fields", [{"sobject": "Account", "name": "X__c", "type": "picklist", "picklistValues": [1]}]),
        ("POST", "fields", [{"sobject": "Account", "name": "X__c", "type": "reference"}]),
        ("PUT", "permissions", []),
        ("PUT", "permissions", {"Nope": True}),
        ("PUT", "permissions", {"PermissionsApiEnabled": "x"}),
        ("PUT", "permissions", {"objects": {"Nope": {}}}),
        ("PUT", "permissions", {"objects": {"Account": {"fly": True}}}),
        ("PUT", "permissions", {"objects": {"Account": {"read": 1}}}),
        ("PUT", "permissions", {"objects": []}),
        ("POST", "merge", {}),
        ("POST", "merge", {"sobject": "Opportunity", "master": "x", "losers": ["y"]}),
        ("POST", "merge", {"sobject": "Account", "master": "x", "losers": ["y"]}),
        ("POST", "undelete", {"ids": ["x"]}),
        ("POST", "undelete", {}),
        ("POST", "merge", b"{oops"),
    ],
)  # fmt: skip
def test_bad_input(client, method, act, body):
    """Input that is not understood is refused with a reason and changes nothing."""
    lists = ("stages", "record_types", "users", "fields", "permissions")
    before = [admin(client, "GET", each)[1] for each in lists]
    status, answer = admin(client, method, act, body)
    assert (status, answer.keys()) == (400, {"error"})
    assert [admin(client, "GET", each)[1] for each in lists] == before


@pytest.mark.parametrize(
    ("method", "act", "status"),
    [("DELETE", "stages", 405), ("PUT", "usage", 405), ("GET", "merge", 405), ("GET", "nope", 404)],
)
def test_wrong_acts(client, method, act, status):
    """Other methods and addresses are refused."""
    assert admin(client, method, act)[0] == status


def test_permissions(client):
    """Permissions show in UserPermissionAccess; without the API all calls are refused."""
    assert client.query("SELECT PermissionsApiEnabled, PermissionsModifyAllData FROM UserPermissionAccess") == [
        {"PermissionsApiEnabled": True, "PermissionsModifyAllData": True}
    ]
    admin(client, "PUT", "permissions", {"PermissionsModifyAllData": False})
    assert client.query("SELECT PermissionsModifyAllData FROM UserPermissionAccess") == [
        {"PermissionsModifyAllData": False}
    ]
    assert admin(client, "GET", "permissions")[1]["PermissionsModifyAllData"] is False
    admin(client, "PUT", "permissions", {"PermissionsApiEnabled": False})
    assert client.refusal("GET", "sobjects")[:2] == (403, "API_DISABLED_FOR_ORG")


def test_object_access(client):
    """An object that may not be read is as if it were not there; one that may not be edited says so."""
    deal = client.opportunity()
    admin(client, "PUT", "permissions", {"objects": {"Opportunity": {"read": True, "edit": False}}})
    assert client.refusal("PATCH", f"sobjects/Opportunity/{deal}", {"Name": "x"})[:2] == (
        403, "INSUFFICIENT_ACCESS_OR_READONLY",
    )  # fmt: skip
    assert client("GET", "sobjects/Opportunity/describe")[1]["createable"] is False
    admin(client, "PUT", "permissions", {"objects": {"Opportunity": {"read": False}}})
    status, code, message = client.refusal("GET", "query", q="SELECT Id FROM Opportunity")
    assert (status, code) == (400, "INVALID_TYPE")
    assert "sObject type 'Opportunity' is not supported." in message
    assert client.refusal("GET", f"sobjects/Opportunity/{deal}")[0] == 404
    assert (
        client.refusal("GET", "query", q="SELECT (SELECT Id FROM Opportunities) FROM Account")[1] == "INVALID_TYPE"
    )
    soql = "SELECT Opportunity.Name FROM OpportunityContactRole"
    assert client.refusal("GET", "query", q=soql)[1] == "INVALID_FIELD"
    names = {each["name"] for each in client("GET", "sobjects")[1]["sobjects"]}
    assert "Opportunity" not in names


def test_merge(client):
    """The losers go to the bin with their master's id; what hung below them hangs below the master."""
    kept, lost = (client.create("Account", Name=name) for name in "ab")
    contact = client.create("Contact", LastName="Doe", AccountId=lost)
    deal = client.opportunity(AccountId=lost)
    client("PATCH", f"sobjects/Account/{kept}", {"ParentId": lost})
    assert admin(client, "POST", "merge", {"sobject": "Account", "master": kept, "losers": [lost]}) == (204, None)
    assert client.query("SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true", "queryAll") == [
        {"Id": lost, "MasterRecordId": kept}
    ]
    assert client.row("Contact", contact)["AccountId"] == client.row("Opportunity", deal)["AccountId"] == kept
    assert client.row("Account", kept)["ParentId"] is None


def test_undelete(client):
    """A record comes back with what its deletion had taken along, but not with what was deleted before."""
    account = client.create("Account", Name="Acme", HubSpot_Id__c="1")
    kept, gone = (client.create("Contact", LastName=name, AccountId=account) for name in ("Ada", "Bob"))
    client("DELETE", f"sobjects/Contact/{gone}")
    client("DELETE", f"sobjects/Account/{account}")
    assert admin(client, "POST", "undelete", {"ids": [account[:15]]}) == (204, None)
    assert [row["Id"] for row in client.query("SELECT Id FROM Contact")] == [kept]
    assert client.row("Account", account)["HubSpot_Id__c"] == "1"
    (deleted,) = client.query("SELECT Id FROM Contact WHERE IsDeleted = true", "queryAll")
    assert deleted["Id"] == gone


def test_undelete_keeps_unique_values(client):
    """A record whose unique value was given away meanwhile stays in the bin."""
    first = client.create("Account", Name="a", HubSpot_Id__c="1")
    client("DELETE", f"sobjects/Account/{first}")
    client.create("Account", Name="b", HubSpot_Id__c="1")
    assert admin(client, "POST", "undelete", {"ids": [first]})[0] == 400
    assert client.query("SELECT Name FROM Account") == [{"Name": "b"}]
