"""Duplicate rules."""

import pytest

RULE = {
    "object": "Contact", "name": "Same", "matchOn": [["Email"], ["FirstName", "LastName"]], "action": "alert",
}  # fmt: skip
ALLOW = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true"}


def set_rules(client, *rules):
    status, body = client("PUT", "/_sandbox/duplicate_rules", list(rules), headers={})
    assert status == 200, body
    return body


def test_a_duplicate_is_refused_and_told(client):
    """The answer names the rule and the records that are there already."""
    set_rules(client, RULE)
    ada = client.create("Contact", LastName="Doe", FirstName="Ada", Email="ada@x.example")
    status, body = client("POST", "sobjects/Contact", {"LastName": "Roe", "Email": "ADA@x.example"})
    record = {"attributes": {"type": "Contact", "url": f"/services/data/v62.0/sobjects/Contact/{ada}"}, "Id": ada}
    match = {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record}
    results = {
        "entityType": "Contact", "errors": [], "matchEngine": "ExactMatchEngine", "matchRecords": [match],
        "rule": "Same", "size": 1, "success": True,
    }  # fmt: skip
    assert (status, body) == (400, [{
        "duplicateResut": {
            "allowSave": True, "duplicateRule": "Same", "duplicateRuleEntityType": "Contact",
            "errorMessage": "Use one of these records?", "matchResults": [results],
        },
        "errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?",
    }])  # fmt: skip
    assert client.refusal("POST", "sobjects/Contact", {"LastName": "doe", "FirstName": "ada"})[1] == (
        "DUPLICATES_DETECTED"
    )
    client.create("Contact", LastName="Doe")
    assert len(client.query("SELECT Id FROM Contact")) == 2


def test_an_alert_passes_when_the_request_allows_it(client):
    """The header counts from version 52.0 on, and never for a rule that blocks."""
    set_rules(client, RULE)
    client.create("Contact", LastName="Doe", Email="a@x.example")
    body, headers = {"LastName": "Roe", "Email": "a@x.example"}, {**client.headers, **ALLOW}
    assert client("POST", "/services/data/v51.0/sobjects/Contact", body, headers)[0] == 400
    assert client("POST", "sobjects/Contact", body, headers)[0] == 201
    assert client("POST", "sobjects/Contact", body)[0] == 400  # the header was that of one request
    set_rules(client, {**RULE, "action": "block", "alertText": "Never"})
    status, (error,) = client("POST", "sobjects/Contact", body, headers)
    assert (status, error["message"], error["duplicateResut"]["allowSave"]) == (400, "Never", False)
    set_rules(client, {**RULE, "active": False})
    assert client("POST", "sobjects/Contact", body)[0] == 201


def test_the_fields_of_the_duplicates_when_asked(client):
    """`includeRecordDetails=true` gives them all."""
    client.create("Contact", LastName="Doe", Email="a@x.example", Title="CEO")
    client.create("Contact", LastName="Roe")
    set_rules(client, RULE)
    headers = {**client.headers, "Sforce-Duplicate-Rule-Header": "includeRecordDetails=true"}
    _, (error,) = client("POST", "sobjects/Contact", {"LastName": "Roe", "Email": "a@x.example"}, headers)
    record = error["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]
    assert (record["Title"], record["Name"]) == ("CEO", "Doe")


def test_a_change_is_held_against_the_rules_it_touches(client):
    """A record is no duplicate of itself, and may keep being one of another."""
    set_rules(client, RULE)
    client.create("Contact", LastName="Doe", Email="a@x.example")
    other = client.create("Contact", LastName="Roe", Email="b@x.example")
    path = f"sobjects/Contact/{other}"
    assert client("PATCH", path, {"Email": "b@x.example"})[0] == 204
    assert client.refusal("PATCH", path, {"Email": "a@x.example"})[1] == "DUPLICATES_DETECTED"
    client("PATCH", path, {"Email": "a@x.example"}, {**client.headers, **ALLOW})
    assert client("PATCH", path, {"Title": "CEO"})[0] == 204


def test_in_a_collection_and_in_composite(client):
    """The record's own error says no more than code and text; a part has its own headers."""
    set_rules(client, RULE)
    client.create("Contact", LastName="Doe", Email="a@x.example")
    body = {"LastName": "Roe", "Email": "a@x.example"}
    records = [{"attributes": {"type": "Contact"}, **body}]
    _, (result,) = client("POST", "composite/sobjects", {"records": records})
    assert result == {"success": False, "errors": [
        {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
    ]}  # fmt: skip
    url = "/services/data/v62.0/sobjects/Contact"
    parts = [
        {"method": "POST", "url": url, "referenceId": name, "body": body, "httpHeaders": headers}
        for name, headers in (("a", ALLOW), ("b", {}))
    ]
    _, answer = client("POST", "composite", {"compositeRequest": parts}, {**client.headers, **ALLOW})
    assert [part["httpStatusCode"] for part in answer["compositeResponse"]] == [201, 400]


def test_duplicate_rules_are_listed(client):
    """In the shape they are given in; one of the same name takes the other's place and id."""
    (made,) = set_rules(client, RULE)
    told = {**RULE, **made, "active": True, "alertText": "Use one of these records?"}
    assert client("GET", "/_sandbox/duplicate_rules", headers={}) == (200, [told])
    assert client("POST", "/_sandbox/duplicate_rules", [{**told, "active": False}], headers={}) == (201, [made])


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"object": "User"}, {"action": "report"}, {"matchOn": []}, {"matchOn": [[]]},
     {"matchOn": ["Email"]}, {"matchOn": [["Name"]]}, {"matchOn": [["Description"]]}, {"matchOn": [["Nope"]]},
     {"active": 1}, {"x": 1}],
)  # fmt: skip
def test_a_wrong_duplicate_rule_is_refused(client, wrong):
    """With a reason; the rules stay as they were."""
    set_rules(client, RULE)
    assert client("PUT", "/_sandbox/duplicate_rules", [{**RULE, **wrong}], headers={})[0] == 400
    assert len(client("GET", "/_sandbox/duplicate_rules", headers={})[1]) == 1


def test_a_field_that_a_duplicate_rule_names_stays(client):
    """Taking it away is refused as long as the rule is there."""
    client("POST", "/_sandbox/fields", [{"sobject": "Contact", "name": "Key__c", "type": "string"}], headers={})
    set_rules(client, {**RULE, "matchOn": [["Key__c"]]})
    assert client("PUT", "/_sandbox/fields", [], headers={})[0] == 400
    client.create("Contact", LastName="a", Key__c="1")
    assert client("POST", "sobjects/Contact", {"LastName": "b", "Key__c": "1"})[0] == 400
