"""Validation rules."""

import pytest


def rule(formula, **more):
    return {
        "object": "Opportunity", "fullName": "Rule", "errorConditionFormula": formula, "errorMessage": "No!", **more
    }  # fmt: skip


def set_rules(client, *rules, method="POST"):
    status, body = client(method, "/_sandbox/validation_rules", list(rules), headers={})
    assert status == (201 if method == "POST" else 200), body
    return body


def test_a_rule_refuses_creation_and_change(client):
    """With its message and field, in a single request and in a collection; nothing is saved."""
    set_rules(client, rule("Amount > 100", errorDisplayField="Amount"))
    new = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-06-30", "Amount": 101}
    assert client("POST", "sobjects/Opportunity", new) == (400, [
        {"message": "No!", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Amount"]}
    ])  # fmt: skip
    deal = client.opportunity(Amount=100)
    assert client.refusal("PATCH", f"sobjects/Opportunity/{deal}", {"Amount": 200})[2] == "No!"
    records = [{"attributes": {"type": "Opportunity"}, **new}]
    _, (result,) = client("POST", "composite/sobjects", {"records": records})
    assert result["errors"] == [
        {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "No!", "fields": ["Amount"]}
    ]
    assert client.query("SELECT Amount FROM Opportunity") == [{"Amount": 100.0}]


def test_a_rule_sees_the_record_as_it_would_be(client):
    """Values that stay, values that follow from others, parents and what changes are all there."""
    account = client.create("Account", Name="Acme", Rating="Cold")
    set_rules(
        client,
        rule("AND(IsWon, ISBLANK(Amount))", fullName="Won", errorMessage="amount"),
        rule('AND(ISPICKVAL(Account.Rating, "Cold"), Amount > 10)', fullName="Cold", errorMessage="cold"),
        rule("AND(ISCHANGED(Name), NOT(ISNEW()))", fullName="Name", errorMessage="name"),
        rule("Amount < PRIORVALUE(Amount)", fullName="Less", errorMessage="less"),
    )
    deal = client.opportunity()
    path = f"sobjects/Opportunity/{deal}"
    assert client.refusal("PATCH", path, {"StageName": "Closed Won"})[2] == "amount"
    assert client("PATCH", path, {"StageName": "Closed Won", "Amount": 20})[0] == 204
    assert client.refusal("PATCH", path, {"AccountId": account})[2] == "cold"
    assert client.refusal("PATCH", path, {"Name": "Other"})[2] == "name"
    assert client("PATCH", path, {"Name": "Deal"})[0] == 204
    assert client.refusal("PATCH", path, {"Amount": 19})[2] == "less"


def test_every_rule_that_is_broken_is_told(client):
    """In their order, in a single request and in a collection."""
    set_rules(
        client,
        rule("Amount > 1", fullName="a", errorMessage="one", errorDisplayField="Amount"),
        rule("Amount > 9", fullName="b", errorMessage="nine"),
        rule("Amount > 5", fullName="c", errorMessage="five"),
    )
    deal = client.opportunity()
    _, body = client("PATCH", f"sobjects/Opportunity/{deal}", {"Amount": 6})
    assert [(error["message"], error["fields"]) for error in body] == [("one", ["Amount"]), ("five", [])]
    records = [{"attributes": {"type": "Opportunity"}, "Id": deal, "Amount": 10}]
    _, (result,) = client("PATCH", "composite/sobjects", {"records": records})
    assert [error["message"] for error in result["errors"]] == ["one", "nine", "five"]


def test_blank_numbers_in_a_rule(client):
    """A blank number is neither more nor less than anything, and a rule that cannot be worked out is not met."""
    set_rules(client, rule("Amount < 5", fullName="a"), rule("1 / Amount = 0", fullName="b"))
    deal = client.opportunity()
    assert client("PATCH", f"sobjects/Opportunity/{deal}", {"Amount": None, "Name": "x"})[0] == 204


def test_rules_are_listed_replaced_and_switched_off(client):
    """A rule of the same object and name takes the other's place and id; inactive ones refuse nothing."""
    (first,) = set_rules(client, rule("TRUE"))
    assert first["id"].startswith("03d")
    assert set_rules(client, rule("TRUE", active=False)) == [first]
    listed = client("GET", "/_sandbox/validation_rules", headers={})[1]
    assert listed == [{
        **first, "object": "Opportunity", "fullName": "Rule", "active": False, "errorConditionFormula": "TRUE",
        "errorMessage": "No!", "errorDisplayField": None,
    }]  # fmt: skip
    client.opportunity()
    assert set_rules(client, *listed, method="PUT") == [first]
    assert set_rules(client, method="PUT") == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (rule("Nope = 1"), "Field Nope does not exist. Check spelling. (position 1)"),
        (
            rule("Amount"),
            "Formula result is data type (number), incompatible with expected data type (true or false)",
        ),
        (rule("TRUE", object="Nope"), "object is one whose records can be changed"),
        (rule("TRUE", object="User"), "object is one whose records can be changed"),
        (rule("TRUE", errorDisplayField="Nope"), "errorDisplayField is a field of Opportunity"),
        (rule("TRUE", errorMessage=""), "a validation rule needs"),
        (rule("TRUE", errorMessage="x" * 256), "at most 255 characters"),
        (rule("TRUE", active="yes"), "active is true or false"),
        (rule("TRUE", nope=1), "not understood: nope"),
    ],
)
def test_a_wrong_rule_is_refused(client, wrong, why):
    """With a reason; the rules stay as they were."""
    set_rules(client, rule("FALSE", fullName="Kept"))
    status, body = client("PUT", "/_sandbox/validation_rules", [rule("TRUE", fullName="New"), wrong], headers={})
    assert status == 400
    assert why in body["error"]
    assert [each["fullName"] for each in client("GET", "/_sandbox/validation_rules", headers={})[1]] == ["Kept"]


def test_a_field_that_a_rule_names_stays(client):
    """Taking it away is refused as long as the rule is there."""
    client("POST", "/_sandbox/fields", [{"sobject": "Opportunity", "name": "Ok__c", "type": "boolean"}], headers={})
    set_rules(client, rule("NOT(Ok__c)"))
    status, body = client("PUT", "/_sandbox/fields", [], headers={})
    assert (status, "Ok__c does not exist" in body["error"]) == (400, True)
    client.opportunity(Ok__c=True)
