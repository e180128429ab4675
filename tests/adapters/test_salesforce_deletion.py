"""What can be deleted in Salesforce at all: never an opportunity, whatever is asked (D2, law 10)."""

from __future__ import annotations

import orjson
import pytest
from adapters.conformance import flat

from connector.adapters.salesforce_deletion import ACCOUNT, CONTACT, DELETABLE
from connector.core.model import OPPORTUNITY
from connector.sandbox.wire import Request


def make(salesforce, object_, **fields):
    """A record made by somebody else; its id."""
    status, body = salesforce.call("POST", f"sobjects/{object_}", fields)
    assert status == 201, body
    return body["id"]


def accounts(salesforce, number):
    rows = [{"attributes": {"type": ACCOUNT}, "Name": f"No. {each}"} for each in range(number)]
    made = []
    for start in range(0, number, 200):
        some = {"allOrNone": True, "records": rows[start : start + 200]}
        made += [one["id"] for one in salesforce.call("POST", "composite/sobjects", some)[1]]
    return made


def test_law_10_no_opportunity_is_among_what_can_be_deleted():
    """The table names three objects."""
    assert set(DELETABLE) == {"OpportunityContactRole", "Account", "Contact"}


@pytest.mark.parametrize("object_", [OPPORTUNITY, "opportunity", "Lead", ACCOUNT, CONTACT])
@pytest.mark.parametrize("id_", ["006000000000001AAA", "006000000000001", "", "00Q", "001000000000001,006"])
def test_law_10_an_opportunity_is_refused_under_any_name(salesforce, object_, id_):
    """Collections are deleted by ids alone, so its id is refused under another name too; nothing is sent."""
    sent = len(salesforce.line.requests)
    with pytest.raises(ValueError, match=r"never deleted|not records of"):
        flat(salesforce.crm.delete(object_, [id_]))
    assert len(salesforce.line.requests) == sent


def test_D5_contacts_are_deleted_and_those_that_are_gone_are_no_trouble(salesforce):
    """A run that died may have deleted one before. One call."""
    ids = [make(salesforce, CONTACT, LastName=f"No. {each}") for each in range(3)]
    before = salesforce.crm.usage().calls
    for _ in range(2):
        assert [(one.key, one.refusal) for one in flat(salesforce.crm.delete(CONTACT, ids))] == [
            (id_, None) for id_ in ids
        ]
    assert salesforce.crm.usage().calls - before == 2 * salesforce.crm.price("delete", 3)


@pytest.mark.parametrize(("object_", "fields", "said"), [
    (OPPORTUNITY, {"Name": "Big", "StageName": "Closed Won", "CloseDate": "2026-01-01"}, "1 opportunities"),
    (CONTACT, {"LastName": "Fox"}, "1 contacts"),
])  # fmt: skip
def test_D2_an_account_that_would_take_others_along_is_refused(salesforce, object_, fields, said):
    """Those beside it go."""
    full, bare = accounts(salesforce, 2)
    make(salesforce, object_, AccountId=full, **fields)
    outcomes = {one.key: one for one in flat(salesforce.crm.delete(ACCOUNT, [full, bare]))}
    assert outcomes[bare].refusal is None
    assert (outcomes[full].refusal.code, said in outcomes[full].refusal.message) == ("HAS_CHILDREN", True)
    assert set(salesforce.sandbox.org.store.table(ACCOUNT).live) == {full}


def test_D2_whoever_may_not_see_all_deletes_no_account(salesforce):
    """An opportunity that is out of sight would go along all the same."""
    (account,) = accounts(salesforce, 1)
    rights = {"PermissionsViewAllData": False, "PermissionsModifyAllData": False}
    url = "https://acme.my.salesforce.com/_sandbox/permissions"
    assert salesforce.sandbox(Request.make("PUT", url, {}, orjson.dumps(rights))).status == 200
    (outcome,) = flat(salesforce.crm.delete(ACCOUNT, [account]))
    assert (outcome.refusal.code, outcome.refusal.cause) == ("SEES_TOO_LITTLE", "permissions")
    assert account in salesforce.sandbox.org.store.table(ACCOUNT).live


@pytest.mark.parametrize("number", [1, 400, 401])
def test_D5_the_price_of_deleting_accounts_is_what_is_paid(salesforce, number):
    """With the questions before it."""
    ids = accounts(salesforce, number)
    crm, before = salesforce.crm, salesforce.crm.usage().calls
    assert all(one.refusal is None for one in flat(crm.delete(ACCOUNT, ids)))
    assert crm.usage().calls - before == crm.price("cascades", number) + crm.price("delete", number)
    assert salesforce.sandbox.org.store.table(ACCOUNT).live == {}
