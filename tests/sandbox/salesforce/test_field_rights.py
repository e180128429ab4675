"""Field-level security: what a user may not see or change."""

import pytest


def allow(client, sobject, name, *, read=True, edit=True):
    wanted = {"fields": {sobject: {name: {"read": read, "edit": edit}}}}
    assert client("PUT", "/_sandbox/permissions", wanted, headers={})[0] == 200


def names(client, sobject):
    return {field["name"]: field for field in client("GET", f"sobjects/{sobject}/describe")[1]["fields"]}


def test_a_field_that_may_not_be_seen_is_not_there(client):
    """Neither in the describe, nor in rows, nor by its name."""
    account = client.create("Account", Name="Acme", Industry="Energy")
    allow(client, "Account", "Industry", read=False)
    assert "Industry" not in names(client, "Account")
    assert "Industry" not in client.row("Account", account)
    path = f"sobjects/Account/{account}"
    assert client.refusal("GET", path, fields="Name,Industry")[1] == "INVALID_FIELD"
    assert client.refusal("GET", "composite/sobjects/Account", ids=account, fields="Industry")[1] == "INVALID_FIELD"
    assert client.refusal("GET", "query", q="SELECT Industry FROM Account")[1] == "INVALID_FIELD"
    status, code, message = client.refusal("PATCH", path, {"Industry": "Media"})
    assert (status, code) == (400, "INVALID_FIELD")
    assert message.startswith("No such column 'Industry' on sobject of type Account")


def test_a_field_that_may_not_be_changed_is_read_only(client):
    """Writing it is refused with its name, on creation too, and the describe says so."""
    allow(client, "Account", "Industry", edit=False)
    told = names(client, "Account")["Industry"]
    assert (told["createable"], told["updateable"]) == (False, False)
    account = client.create("Account", Name="Acme")
    for method, path in (("PATCH", f"sobjects/Account/{account}"), ("POST", "sobjects/Account")):
        status, (error,) = client(method, path, {"Name": "x", "Industry": "Media"})
        assert (status, error["errorCode"], error["fields"]) == (
            400,
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ["Industry"],
        )
    assert client.row("Account", account)["Name"] == "Acme"


def test_a_relationship_that_may_not_be_seen_is_not_there(client):
    """A parent cannot be named through it, and the parent does not tell of its children."""
    allow(client, "Contact", "AccountId", read=False)
    body = {"LastName": "Doe", "Account": {"HubSpot_Id__c": "1"}}
    assert client.refusal("POST", "sobjects/Contact", body)[1] == "INVALID_FIELD"
    children = client("GET", "sobjects/Account/describe")[1]["childRelationships"]
    assert ("Contact", "AccountId") not in [(each["childSObject"], each["field"]) for each in children]


@pytest.mark.parametrize("sobject", ["Account", "Opportunity"])
def test_formulas_and_rules_see_everything(client, sobject):
    """They are not the user's, so a hidden field still counts."""
    field = {
        "sobject": sobject,
        "name": "Has__c",
        "type": "boolean",
        "calculatedFormula": "NOT(ISBLANK(Description))",
    }
    client("POST", "/_sandbox/fields", [field], headers={})
    new = {
        "Account": {"Name": "a"},
        "Opportunity": {"Name": "a", "StageName": "Prospecting", "CloseDate": "2026-01-01"},
    }
    record = client.create(sobject, **new[sobject], Description="x")
    allow(client, sobject, "Description", read=False)
    assert client.row(sobject, record)["Has__c"] is True
