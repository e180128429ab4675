"""simple-salesforce, unmodified, against the Salesforce sandbox over a real port."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce import SalesforceSandbox


@pytest.fixture(scope="module")
def sandbox():
    return SalesforceSandbox(Clock(datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)))


@pytest.fixture(autouse=True)
def empty(sandbox):
    sandbox.clock.set(datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC))
    sandbox.reset()


@pytest.fixture
def sf(salesforce_url, salesforce_session, sandbox):
    return Salesforce(session_id=sandbox.session_id, instance_url=salesforce_url, session=salesforce_session)


def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


LOGINS = {
    "SOAP with a security token": lambda s: {
        "username": s.username, "password": s.password, "security_token": s.security_token,
    },
    "SOAP from a trusted address": lambda s: {
        "username": s.username, "password": s.password, "organizationId": s.org.organization,
    },
    "OAuth with a password": lambda s: {
        "username": s.username, "password": s.password, "consumer_key": s.consumer_key,
        "consumer_secret": s.consumer_secret,
    },
    "OAuth with a JWT": lambda s: {
        "username": s.username, "consumer_key": s.consumer_key, "privatekey": private_key(),
    },
    "OAuth with client credentials": lambda s: {
        "consumer_key": s.consumer_key, "consumer_secret": s.consumer_secret, "domain": "example.my",
    },
}  # fmt: skip


@pytest.mark.parametrize("login", LOGINS)
def test_login(login, sandbox, salesforce_session):
    """Every way to sign in gives a client that works."""
    client = Salesforce(**LOGINS[login](sandbox), session=salesforce_session)
    assert client.session_id != sandbox.session_id
    assert client.is_sandbox() is False


@pytest.mark.parametrize("login", LOGINS)
def test_wrong_login(login, sandbox, salesforce_session):
    """Wrong credentials are understood as such."""
    wrong = {"password": "no", "consumer_key": "no", "consumer_secret": "no"}
    asked = LOGINS[login](sandbox)
    with pytest.raises(SalesforceAuthenticationFailed):
        Salesforce(**{name: wrong.get(name, value) for name, value in asked.items()}, session=salesforce_session)


def test_expired_session_is_renewed(sandbox, salesforce_session):
    """A client that signed in signs in again when its session ends."""
    client = Salesforce(**LOGINS["SOAP with a security token"](sandbox), session=salesforce_session)
    sandbox.entrance.sessions.end(client.session_id)
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] == 0


def test_expired_session_of_no_login(salesforce_url, salesforce_session):
    """A client that was given its session cannot renew it."""
    client = Salesforce(session_id="no", instance_url=salesforce_url, session=salesforce_session)
    with pytest.raises(SalesforceExpiredSession):
        client.restful("limits")


def test_rows(sf):
    """Create, read, change, delete, and by external id."""
    made = sf.Account.create({"Name": "Acme", "HubSpot_Id__c": "1"})
    assert made["success"] is True
    assert sf.Account.update(made["id"], {"Phone": "1"}) == 204
    assert sf.Account.get(made["id"])["Phone"] == "1"
    assert sf.Account.get_by_custom_id("HubSpot_Id__c", "1")["Id"] == made["id"]
    assert sf.Account.upsert("HubSpot_Id__c/1", {"Name": "Acme 2"}) == 200
    assert sf.Account.upsert("HubSpot_Id__c/2", {"Name": "Beta"}) == 201
    assert sf.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Account.get(made["id"])


def test_refusals(sf, sandbox):
    """Each status becomes the exception the client has for it, with the array of errors."""
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.Opportunity.create({"Name": "x", "CloseDate": "2026-01-01"})
    assert caught.value.content == [
        {
            "message": "Required fields are missing: [StageName]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["StageName"],
        }
    ]
    sandbox.admin.add("fields", [{"sobject": "Account", "name": "Key__c", "type": "string", "externalId": True}])
    for name in "ab":
        sf.Account.create({"Name": name, "Key__c": "k"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Account.get_by_custom_id("Key__c", "k")
    sandbox.admin.permissions({"PermissionsApiEnabled": False})
    with pytest.raises(SalesforceRefusedRequest):
        sf.query("SELECT Id FROM Account")


def test_query(sf):
    """query_all follows the pages; include_deleted sees the bin; a query with odd characters arrives whole."""
    for start in range(0, 2200, 200):
        records = [{"attributes": {"type": "Account"}, "Name": f"A&B + {start + n}%"} for n in range(200)]
        assert all(r["success"] for r in sf.restful("composite/sobjects", method="POST", json={"records": records}))
    found = sf.query_all("SELECT Id, Name FROM Account ORDER BY Id")
    assert (found["totalSize"], found["done"], len(found["records"])) == (2200, True, 2200)
    assert len(list(sf.query_all_iter("SELECT Id FROM Account"))) == 2200
    assert sf.query("SELECT Id FROM Account WHERE Name = 'A&B + 7%'")["totalSize"] == 1
    sf.Account.delete(found["records"][0]["Id"])
    assert sf.query_all("SELECT Id FROM Account")["totalSize"] == 2199
    assert sf.query_all("SELECT Id FROM Account", include_deleted=True)["totalSize"] == 2200


def test_describe(sf):
    """Describes of the org and of an object."""
    assert {"Account", "Contact", "Opportunity"} <= {each["name"] for each in sf.describe()["sobjects"]}
    assert sf.Contact.describe()["keyPrefix"] == "003"
    assert sf.Contact.metadata()["objectDescribe"]["name"] == "Contact"


def test_composite(sf):
    """`restful` reaches the composite resources."""
    url = f"/services/data/v{sf.sf_version}/sobjects"
    body = {"compositeRequest": [
        {"method": "POST", "url": f"{url}/Account", "referenceId": "a", "body": {"Name": "Acme"}},
        {"method": "GET", "url": url + "/Account/@{a.id}", "referenceId": "b"},
    ]}  # fmt: skip
    found = sf.restful("composite", method="POST", json=body)["compositeResponse"]
    assert [part["httpStatusCode"] for part in found] == [201, 200]
    assert found[1]["body"]["Name"] == "Acme"


def test_replication(sf, sandbox):
    """updated() and deleted() with aware datetimes."""
    made = sf.Account.create({"Name": "Acme"})
    sandbox.clock.advance(timedelta(minutes=5))
    start, end = datetime(2026, 3, 10, 12, tzinfo=UTC), datetime(2026, 3, 10, 12, 3, tzinfo=UTC)
    assert sf.Account.updated(start, end)["ids"] == [made["id"]]
    sf.Account.delete(made["id"])
    sandbox.clock.advance(timedelta(minutes=5))
    deleted = sf.Account.deleted(start, datetime(2026, 3, 10, 12, 8, tzinfo=UTC))["deletedRecords"]
    assert [record["id"] for record in deleted] == [made["id"]]


def test_limits(sf, sandbox):
    """The client reads the quota from the limits and from the header of each answer."""
    assert sf.limits()["DailyApiRequests"]["Max"] == 15000
    sf.query("SELECT Id FROM Account")
    assert sf.api_usage["api-usage"] == (sandbox.org.usage.daily, 15000)
    assert sf.oauth2("userinfo")["preferred_username"] == sandbox.username


def test_headers_over_the_port(salesforce_url, salesforce_session, sandbox):
    """There is one Date, the sandbox's, and the limit header in its own spelling."""
    with salesforce_session.get(f"{salesforce_url}/services/data/", timeout=5) as answer:
        pairs = answer.raw.headers
        assert pairs.getlist("Date") == ["Tue, 10 Mar 2026 12:00:30 GMT"]
        assert answer.headers["Sforce-Limit-Info"] == f"api-usage={sandbox.org.usage.daily}/15000"
        assert "server" not in answer.headers


def test_tooling(sf, sandbox):
    """`toolingexecute` and `restful` make a custom field; permission sets, as records, open it to the user."""
    body = {
        "FullName": "Opportunity.Partner_Id__c",
        "Metadata": {"type": "Text", "label": "Partner", "length": 40, "unique": True, "externalId": True},
    }
    made = sf.toolingexecute("sobjects/CustomField/", method="POST", data=body)
    assert made["success"]
    with pytest.raises(SalesforceMalformedRequest, match="There is already a field named Partner_Id"):
        sf.restful("tooling/sobjects/CustomField/", method="POST", json=body)
    assert "Partner_Id__c" not in {field["name"] for field in sf.Opportunity.describe()["fields"]}
    granting = sf.PermissionSet.create({"Name": "Sync", "Label": "Sync"})["id"]
    sf.FieldPermissions.create({
        "ParentId": granting, "SobjectType": "Opportunity", "Field": "Opportunity.Partner_Id__c",
        "PermissionsRead": True, "PermissionsEdit": True,
    })  # fmt: skip
    sf.PermissionSetAssignment.create({"PermissionSetId": granting, "AssigneeId": sandbox.org.administrator})
    assert "Partner_Id__c" in {field["name"] for field in sf.Opportunity.describe()["fields"]}
    soql = "SELECT FullName, Metadata FROM CustomField WHERE DeveloperName = 'Partner_Id'"
    [row] = sf.toolingexecute("query", params={"q": soql})["records"]
    assert row["Metadata"]["externalId"] is True
    sf.restful(f"tooling/sobjects/CustomField/{made['id']}", method="DELETE")
    assert sf.toolingexecute("query", params={"q": soql})["totalSize"] == 0
