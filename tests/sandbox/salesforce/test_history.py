"""Field history."""

from datetime import timedelta

import pytest


def track(client, **tracked):
    status, body = client("PUT", "/_sandbox/field_history", tracked, headers={})
    assert (status, body) == (200, tracked)


def entries(client, soql):
    return [tuple(row.values()) for row in client.query(soql)]


def test_a_tracked_field_leaves_its_history(client, clock, sandbox):
    """Old and new value, when and by whom; other fields and writes without a change leave nothing."""
    track(client, Opportunity=["Amount", "StageName", "CloseDate"])
    deal = client.opportunity(Amount=5)
    clock.advance(timedelta(minutes=1))
    for change in ({"Amount": 7.5, "Name": "x"}, {"Amount": 7.5}, {"Amount": None, "StageName": "Closed Won"}):
        client("PATCH", f"sobjects/Opportunity/{deal}", change)
    soql = "SELECT OpportunityId, Field, DataType, OldValue, NewValue, CreatedDate, CreatedById FROM "
    later, user = "2026-03-10T12:01:30.000+0000", sandbox.org.store.user
    assert entries(client, soql + "OpportunityFieldHistory ORDER BY Id") == [
        (deal, "created", "Text", None, None, "2026-03-10T12:00:30.000+0000", user),
        (deal, "Amount", "Currency", 5.0, 7.5, later, user),
        (deal, "Amount", "Currency", 7.5, None, later, user),
        (deal, "StageName", "DynamicEnum", "Prospecting", "Closed Won", later, user),
    ]
    newest = (
        "SELECT Field FROM OpportunityFieldHistory WHERE CreatedDate > 2026-03-10T12:01:00Z AND Field = 'Amount'"
    )
    assert len(client.query(newest)) == 2
    (row,) = client.query("SELECT (SELECT Field FROM Histories WHERE Field = 'StageName') FROM Opportunity")
    assert row["Histories"]["totalSize"] == 1


def test_a_tracked_lookup_leaves_names_and_ids(client):
    """Two rows, and a standard lookup is called by its relationship."""
    track(client, Contact=["AccountId", "HasOptedOutOfEmail"])
    old, new = (client.create("Account", Name=name) for name in ("Old", "New"))
    contact = client.create("Contact", LastName="Doe", AccountId=old)
    client("PATCH", f"sobjects/Contact/{contact}", {"AccountId": new, "HasOptedOutOfEmail": True})
    soql = "SELECT Field, DataType, OldValue, NewValue FROM ContactHistory WHERE Field != 'created' ORDER BY Id"
    assert entries(client, soql) == [
        ("Account", "Text", "Old", "New"), ("Account", "EntityId", old, new),
        ("HasOptedOutOfEmail", "Boolean", False, True),
    ]  # fmt: skip


def test_long_text_is_tracked_without_its_values(client):
    """That it changed is all that is kept."""
    track(client, Account=["Description"])
    account = client.create("Account", Name="a", Description="x")
    client("PATCH", f"sobjects/Account/{account}", {"Description": "y"})
    soql = "SELECT DataType, OldValue, NewValue FROM AccountHistory WHERE Field = 'Description'"
    assert entries(client, soql) == [("MultiLineText", None, None)]


def test_history_goes_and_comes_with_its_record(client):
    """Into the recycle bin and out of it; a merge leaves the loser its own."""
    track(client, Account=["Name"])
    kept, lost = (client.create("Account", Name=name) for name in ("a", "b"))
    client("POST", "/_sandbox/merge", {"sobject": "Account", "master": kept, "losers": [lost]}, headers={})
    assert entries(client, "SELECT AccountId FROM AccountHistory") == [(kept,)]
    gone = "SELECT AccountId FROM AccountHistory WHERE IsDeleted = true"
    assert [row["AccountId"] for row in client.query(gone, "queryAll")] == [lost]
    client("POST", "/_sandbox/undelete", {"ids": [lost]}, headers={})
    assert len(client.query("SELECT Id FROM AccountHistory")) == 2


def test_a_refused_collection_leaves_no_history(client):
    """What is rolled back has not happened."""
    track(client, Account=["Name"])
    account = client.create("Account", Name="a")
    records = [{"attributes": {"type": "Account"}, "Id": account, "Name": name} for name in ("b", "x" * 300)]
    client("PATCH", "composite/sobjects", {"allOrNone": True, "records": records})
    assert entries(client, "SELECT Field FROM AccountHistory") == [("created",)]


def test_nothing_is_tracked_until_it_is_asked_for(client):
    """The objects are there and empty, and no client can write to them."""
    client("PATCH", f"sobjects/Opportunity/{client.opportunity()}", {"Amount": 1})
    assert client.query("SELECT Id FROM OpportunityFieldHistory") == []
    assert (
        client.refusal("POST", "sobjects/OpportunityFieldHistory", {})[1] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    )
    status, body = client("GET", "sobjects/OpportunityFieldHistory/describe")
    assert (status, body["createable"], body["replicateable"]) == (200, False, True)
    assert (
        client.refusal("GET", "query", q="SELECT Id FROM AccountHistory WHERE OldValue = 'x'")[1] == "INVALID_FIELD"
    )
    window = {"start": "2026-03-10T11:00:00Z", "end": "2026-03-10T13:00:00Z"}
    assert client("GET", "sobjects/AccountHistory/updated", **window)[1]["ids"] == []


@pytest.mark.parametrize(
    "wrong",
    [{"User": ["Email"]}, {"Nope": []}, {"Account": ["Nope"]}, {"Account": ["CreatedDate"]}, {"Account": "Name"},
     {"Account": [1]}, {"Account": ["Name"] * 21}],
)  # fmt: skip
def test_wrong_tracking_is_refused(client, wrong):
    """Only fields that can change, of four objects, and at most twenty."""
    assert client("PUT", "/_sandbox/field_history", wrong, headers={})[0] == 400
    assert client("GET", "/_sandbox/field_history", headers={})[1] == {}


def test_a_field_that_is_taken_away_is_tracked_no_more(client):
    """Its history stays."""
    field = {"sobject": "Account", "name": "Note__c", "type": "string"}
    client("POST", "/_sandbox/fields", [field], headers={})
    track(client, Account=["Note__c"])
    account = client.create("Account", Name="a", Note__c="x")
    client("PATCH", f"sobjects/Account/{account}", {"Note__c": "y"})
    client("PUT", "/_sandbox/fields", [], headers={})
    client("PATCH", f"sobjects/Account/{account}", {"Name": "b"})
    assert entries(client, "SELECT Field FROM AccountHistory ORDER BY Id") == [("created",), ("Note__c",)]
