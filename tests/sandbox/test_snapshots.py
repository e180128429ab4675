"""A sandbox as it was, and people who act in it, the same for both."""

import orjson
import pytest

from connector.sandbox.demo import load_demo
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.snapshots import freeze
from connector.sandbox.wire import Request


def ask(sandbox, method, path, body=None, token=None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    response = sandbox(Request.make(method, f"http://here{path}", headers, orjson.dumps(body) if body else b""))
    return response.status, orjson.loads(response.body) if response.body else None


@pytest.fixture
def both():
    salesforce, hubspot = SalesforceSandbox(seed=3), HubSpotSandbox(seed=3)
    load_demo(salesforce, hubspot, salesforce.session_id, hubspot.access_token, 3, accounts=3)
    return salesforce, hubspot


def names(salesforce, hubspot):
    query = "/services/data/v62.0/query?q=SELECT+Name+FROM+Opportunity+ORDER+BY+Name"
    opportunities = ask(salesforce, "GET", query, token=salesforce.session_id)[1]["records"]
    owners = ask(hubspot, "GET", "/crm/v3/owners", token=hubspot.access_token)[1]["results"]
    return [row["Name"] for row in opportunities], [owner["email"] for owner in owners]


def test_a_snapshot_is_gone_back_to_any_number_of_times(both):
    """What came after it is gone, what was deleted is there, and the credentials still work."""
    before = names(*both)
    assert before[0]
    for sandbox in both:
        assert ask(sandbox, "POST", "/_sandbox/snapshots", {"name": "loaded"})[0] == 204
        assert ask(sandbox, "GET", "/_sandbox/snapshots")[1]["loaded"] > 0
    for _ in range(2):
        for sandbox in both:
            sandbox.reset()
        assert names(*both) != before
        for sandbox in both:
            assert ask(sandbox, "POST", "/_sandbox/restore", {"name": "loaded"})[0] == 204
        assert names(*both) == before


def test_the_future_is_the_same_from_the_same_snapshot(both):
    """Ids that are given out after going back are those that were given out before."""
    salesforce, hubspot = both

    def create():
        account = ask(
            salesforce, "POST", "/services/data/v62.0/sobjects/Account", {"Name": "x"}, salesforce.session_id
        )
        company = ask(
            hubspot, "POST", "/crm/v3/objects/companies", {"properties": {"name": "x"}}, hubspot.access_token
        )
        return account[1]["id"], company[1]["id"]

    for sandbox in both:
        sandbox.snapshots.save("here")
    first = create()
    for sandbox in both:
        sandbox.snapshots.restore("here")
    assert create() == first


def test_the_clock_goes_on(both):
    """Time is no part of a snapshot: it does not jump when an old state is put back."""
    for sandbox in both:
        sandbox.snapshots.save("here")
        sandbox.clock.freeze()
        now = sandbox.clock.now()
        sandbox.snapshots.restore("here")
        assert sandbox.clock.now() == now
        assert freeze(sandbox.clock) == freeze(sandbox.clock)


@pytest.mark.parametrize("body", [{"name": "unknown"}, {"nom": "x"}, {"name": 7}, [], {"name": "x", "more": "y"}])
def test_restoring_nonsense(both, body):
    """It is refused with a sentence and changes nothing."""
    before = names(*both)
    for sandbox in both:
        status, answer = ask(sandbox, "POST", "/_sandbox/restore", body)
        assert (status, list(answer)) == (400, ["error"])
    assert names(*both) == before


# -- people


def test_somebody_in_salesforces_pages(both):
    """Their edits carry their name and make no API calls."""
    salesforce, _ = both
    status, admitted = ask(salesforce, "POST", "/_sandbox/people", {"email": "ada@example.com"})
    assert status == 201
    before = salesforce.admin.usage()["total"]
    made = ask(
        salesforce, "POST", "/services/data/v62.0/sobjects/Account", {"Name": "Hers"}, admitted["session_id"]
    )[1]["id"]
    assert salesforce.admin.usage()["total"] == before
    query = f"/services/data/v62.0/query?q=SELECT+CreatedBy.Username,Owner.Email+FROM+Account+WHERE+Id='{made}'"
    row = ask(salesforce, "GET", query, token=salesforce.session_id)[1]["records"][0]
    assert (row["CreatedBy"]["Username"], row["Owner"]["Email"]) == ("ada@example.com", "ada@example.com")


def test_somebody_through_salesforces_api(both):
    """`"via": "api"` counts as API calls do."""
    salesforce, _ = both
    session = ask(salesforce, "POST", "/_sandbox/people", {"email": "ada@example.com", "via": "api"})[1][
        "session_id"
    ]
    before = salesforce.admin.usage()["total"]
    ask(salesforce, "GET", "/services/data/v62.0/sobjects", token=session)
    assert salesforce.admin.usage()["total"] == before + 1
    assert ask(salesforce, "POST", "/_sandbox/people", {"email": "x@example.com", "via": "fax"})[0] == 400


def test_rights_are_each_users_own(both):
    """What one user may not do, another may."""
    salesforce, _ = both
    ada, bob = (salesforce.sign_in(f"{name}@example.com") for name in ("ada", "bob"))
    taken = {
        "objects": {"Opportunity": {"edit": False}}, "fields": {"Account": {"Website": {"read": False}}},
    }  # fmt: skip
    assert ask(salesforce, "PUT", "/_sandbox/permissions?user=ada@example.com", taken)[0] == 200
    query = "/services/data/v62.0/query?q=SELECT+Website+FROM+Account"
    deal = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-06-30"}
    seen = {
        who: (
            ask(salesforce, "POST", "/services/data/v62.0/sobjects/Opportunity", deal, session)[0],
            ask(salesforce, "GET", query, token=session)[0],
        )
        for who, session in (("ada", ada), ("bob", bob))
    }
    assert seen == {"ada": (403, 400), "bob": (201, 200)}
    assert ask(salesforce, "PUT", "/_sandbox/permissions?user=nobody", {})[0] == 400


def test_somebody_in_hubspots_pages(both):
    """Their edits are told apart in the property's history, and make no API calls."""
    _, hubspot = both
    token = ask(hubspot, "POST", "/_sandbox/people", {"email": "ada@example.com"})[1]["token"]
    new = {"properties": {"name": "Acme"}}
    company = ask(hubspot, "POST", "/crm/v3/objects/companies", new, hubspot.access_token)[1]["id"]
    before = hubspot.usage.view()["total"]
    path = f"/crm/v3/objects/companies/{company}"
    assert ask(hubspot, "PATCH", path, {"properties": {"phone": "1"}}, token)[0] == 200
    assert hubspot.usage.view()["total"] == before
    newest = ask(hubspot, "GET", f"{path}?propertiesWithHistory=phone", token=hubspot.access_token)[1][
        "propertiesWithHistory"
    ]["phone"][0]
    owners = ask(hubspot, "GET", "/crm/v3/owners?email=ada@example.com", token=hubspot.access_token)[1]["results"]
    assert (newest["sourceType"], newest["sourceId"]) == ("CRM_UI", f"userId:{owners[0]['userId']}")
