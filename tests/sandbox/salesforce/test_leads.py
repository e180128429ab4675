"""Leads and their conversion."""

import pytest


def convert(client, **wanted):
    status, body = client("POST", "/_sandbox/convert_lead", wanted, headers={})
    assert status == 200, body
    return body


@pytest.fixture
def lead(client):
    return client.create(
        "Lead", FirstName="Ada", LastName="Doe", Company="Acme", Email="ada@x.example", Phone="1", City="Rome",
        LeadSource="Web", Industry="Energy", HasOptedOutOfEmail=True,
    )  # fmt: skip


def test_a_lead_is_a_record(client, lead):
    """With a status from a restricted list, and fields of its conversion that no client may write."""
    row = client.row("Lead", lead)
    assert lead.startswith("00Q")
    assert (row["Name"], row["Status"], row["IsConverted"], row["ConvertedContactId"]) == (
        "Ada Doe", "Open - Not Contacted", False, None,
    )  # fmt: skip
    path = f"sobjects/Lead/{lead}"
    assert client.refusal("PATCH", path, {"Status": "Hot"})[1] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert client.refusal("PATCH", path, {"IsConverted": True})[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert client.refusal("POST", "sobjects/Lead", {"LastName": "x"})[2] == "Required fields are missing: [Company]"


def test_a_lead_becomes_account_contact_and_opportunity(client, lead, clock):
    """Their values are the lead's, and the lead tells where it went."""
    made = convert(client, leadId=lead)
    row = client.row("Lead", lead)
    assert (row["IsConverted"], row["ConvertedDate"], row["Status"]) == (True, "2026-03-10", "Closed - Converted")
    assert (row["ConvertedAccountId"], row["ConvertedContactId"], row["ConvertedOpportunityId"]) == (
        made["accountId"], made["contactId"], made["opportunityId"],
    )  # fmt: skip
    account, contact = client.row("Account", made["accountId"]), client.row("Contact", made["contactId"])
    assert (account["Name"], account["Industry"], account["BillingCity"], account["AccountSource"]) == (
        "Acme", "Energy", "Rome", "Web",
    )  # fmt: skip
    assert (contact["Name"], contact["Email"], contact["AccountId"], contact["HasOptedOutOfEmail"]) == (
        "Ada Doe", "ada@x.example", account["Id"], True,
    )  # fmt: skip
    deal = client.row("Opportunity", made["opportunityId"])
    assert (deal["Name"], deal["StageName"], deal["CloseDate"], deal["ContactId"], deal["LeadSource"]) == (
        "Acme-", "Prospecting", "2026-03-31", contact["Id"], "Web",
    )  # fmt: skip


def test_a_lead_joins_what_is_there(client, lead):
    """An account keeps its values; a contact gets those it lacks; no opportunity is made unless wanted."""
    account = client.create("Account", Name="Acme Inc")
    contact = client.create("Contact", LastName="Smith", AccountId=account)
    made = convert(client, leadId=lead, accountId=account, contactId=contact, createOpportunity=False)
    assert made == {
        "leadId": lead, "accountId": account, "contactId": contact, "opportunityId": None, "success": True,
    }  # fmt: skip
    row = client.row("Contact", contact)
    assert (row["LastName"], row["FirstName"], row["Email"]) == ("Smith", "Ada", "ada@x.example")
    assert client.row("Account", account)["Industry"] is None
    assert client.query("SELECT Id FROM Opportunity") == []


def test_a_converted_lead_stays_as_it_is(client, lead):
    """It can be read, but neither changed nor converted again."""
    convert(client, leadId=lead, opportunityName="Big")
    assert client.query("SELECT Name FROM Opportunity") == [{"Name": "Big"}]
    assert client.query("SELECT Id FROM Lead WHERE IsConverted = true") == [{"Id": lead}]
    assert client.refusal("PATCH", f"sobjects/Lead/{lead}", {"Phone": "2"})[1:] == (
        "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead",
    )  # fmt: skip
    assert client("POST", "/_sandbox/convert_lead", {"leadId": lead}, headers={})[0] == 400


def test_leads_are_merged(client, lead):
    """As accounts and contacts are."""
    other = client.create("Lead", LastName="Doe", Company="Acme")
    body = {"sobject": "Lead", "master": lead, "losers": [other]}
    assert client("POST", "/_sandbox/merge", body, headers={})[0] == 204
    assert client.query("SELECT MasterRecordId FROM Lead WHERE IsDeleted = true", "queryAll") == [
        {"MasterRecordId": lead}
    ]


def test_a_conversion_that_fails_leaves_nothing(client, lead):
    """A rule that refuses the opportunity keeps the account and the contact from being made, too."""
    rule = {"object": "Opportunity", "fullName": "No", "errorConditionFormula": "TRUE", "errorMessage": "No!"}
    client("POST", "/_sandbox/validation_rules", [rule], headers={})
    status, body = client("POST", "/_sandbox/convert_lead", {"leadId": lead}, headers={})
    assert (status, body) == (400, {"error": "FIELD_CUSTOM_VALIDATION_EXCEPTION: No!"})
    assert client.query("SELECT Id FROM Account") == client.query("SELECT Id FROM Contact") == []
    assert client.row("Lead", lead)["IsConverted"] is False


@pytest.mark.parametrize(
    "wrong",
    [{"leadId": None}, {"leadId": "x"}, {"leadId": 1}, {"x": 1}, {"createOpportunity": "no"}, {"accountId": 5},
     {"convertedStatus": "Open - Not Contacted"}, {"contactId": "003000000000001"},
     {"accountId": "001000000000009"}],
)  # fmt: skip
def test_a_wrong_conversion_is_refused(client, lead, wrong):
    """The lead stays open."""
    assert client("POST", "/_sandbox/convert_lead", {"leadId": lead, **wrong}, headers={})[0] == 400
    assert client.row("Lead", lead)["IsConverted"] is False


def test_a_contact_of_another_account_is_refused(client, lead):
    """The contact to use has to be one of the account's."""
    account = client.create("Account", Name="a")
    contact = client.create("Contact", LastName="b")
    wanted = {"leadId": lead, "accountId": account, "contactId": contact}
    assert client("POST", "/_sandbox/convert_lead", wanted, headers={})[0] == 400
    assert client.row("Contact", contact)["AccountId"] is None
