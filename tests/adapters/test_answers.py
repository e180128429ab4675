"""An answer that is not what its API promises ends the run, with the side, the call and the place; never a value.

Nothing is made of such an answer: not of its good parts either. What is merely odd is read as far as it can be.
"""

from __future__ import annotations

import orjson
import pytest
import responses

from connector.adapters import hubspot as hubspot_adapter
from connector.adapters import salesforce as salesforce_adapter
from connector.adapters.answers import Misshapen, Pages, hubspot_error, read_json, salesforce_errors
from connector.adapters.base import Draft, Edit, Wanted
from connector.adapters.http import Door
from connector.adapters.hubspot import HubSpot, HubSpotCredentials
from connector.adapters.hubspot_refusals import read_refusal as read_hubspot
from connector.adapters.salesforce import Salesforce, SalesforceCredentials, Schema
from connector.adapters.salesforce_refusals import read_refusal as read_salesforce
from connector.core.model import ProblemClass, Side
from connector.errors import Unreachable

PORTAL, ORG = "https://api.hubapi.com", "https://acme.my.salesforce.com"
DATA = f"{ORG}/services/data/v62.0"
DEALS = f"{PORTAL}/crm/v3/objects/deals"
SECRET = "canary-41cd"
WANTED = Wanted(("dealname",), "salesforce_id")
NAMED = Wanted(("Name",), "HubSpot_Id__c")
STAMP = "2026-03-02T09:00:00.000Z"


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def hubspot():
    door = Door(Side.HUBSPOT, hubspot_adapter.judge, secrets=[SECRET], sleep=lambda _: None)
    return HubSpot(door, HubSpotCredentials(PORTAL, SECRET), searches_per_second=0, workers=1)


@pytest.fixture
def salesforce():
    door = Door(Side.SALESFORCE, salesforce_adapter.judge, secrets=[SECRET], sleep=lambda _: None)
    crm = Salesforce(door, SalesforceCredentials(ORG, session_id=SECRET))
    crm.use_schema(Schema({"Opportunity": {name: {} for name in ("Name", "HubSpot_Id__c")}}))
    return crm


def stopped(act, *words):
    """That it ends with a stop which has these words, and no secret."""
    with pytest.raises(Unreachable) as caught:
        act()
    said = caught.value.message
    assert all(word in said for word in words), said
    assert SECRET not in said
    assert caught.value.remedy
    assert caught.value.condition is None  # the next run may just try again
    return caught.value


def row(id_="1", **more):
    return {"id": id_, "properties": {"dealname": "A"}, "createdAt": STAMP, "updatedAt": STAMP} | more


# --- HubSpot ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "results"),
        ([], "the whole"),
        ({"results": None}, "results"),
        ({"results": ["x"]}, "results.0"),
        ({"results": [{"properties": {}}]}, "results.0.id"),
        ({"results": [row(properties=[])]}, "results.0.properties"),
        ({"results": [row(properties={"dealname": {"secret": SECRET}})]}, "results.0.properties.dealname"),
        ({"results": [row(updatedAt=f"{SECRET}")]}, "results.0.updatedAt"),
        ({"results": [row(properties={"hs_lastmodifieddate": "2026-99-99"})]}, "results.0.properties"),
        ({"results": [row(updatedAt="2026-03-02")]}, "results.0.updatedAt"),
        ({"results": [row()], "paging": {"next": {"after": {}}}}, "paging.next.after"),
        ({"status": "error", "errors": [{"message": "no"}]}, "results"),
    ],
)
def test_a_list_of_another_shape_ends_the_run(hubspot, wire, body, place):
    """Of whatever is wrong the first place is named, and no customer's value."""
    wire.get(DEALS, json=body)
    found = stopped(
        lambda: list(hubspot.changes({"deals": WANTED}, {})), "HubSpot", "GET /crm/v3/objects/deals", place
    )
    assert (found.side, found.cause) == (Side.HUBSPOT, ProblemClass.CONNECTION)


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 5_000, b"NaN", b"1e999", b'"x"', b"null", b"\xff", b'{"a":"\\ud800"}', b"<html>"]
)
def test_what_is_no_json_ends_the_run(hubspot, wire, body):
    """Neither an answer that is cut off nor one that is nested without end is more than that."""
    wire.get(DEALS, body=body, content_type="application/json")
    stopped(lambda: list(hubspot.changes({"deals": WANTED}, {})), "GET /crm/v3/objects/deals")


@pytest.mark.parametrize("fresh", [False, True])
def test_a_list_that_comes_again_ends_the_run(hubspot, wire, fresh):
    """By a mark that was told before, and by records that were."""
    told = iter(range(100))

    def answer(_):
        mark = str(next(told)) if fresh else "100"
        return 200, {}, orjson.dumps({"results": [row()], "paging": {"next": {"after": mark}}})

    wire.add_callback("GET", DEALS, answer)
    stopped(lambda: list(hubspot.changes({"deals": WANTED}, {})), "come again and never end")
    assert len(wire.calls) <= 3


@pytest.mark.parametrize("rows", [[], [row("7")], [row("0")], [row("x")]])
def test_a_search_that_does_not_come_further_ends_the_run(hubspot, wire, rows):
    """The next page is what is behind the last id: so that has to be another one."""
    wire.post(f"{DEALS}/search", json={"results": [row("7")], "paging": {"next": {"after": "1"}}})
    wire.post(f"{DEALS}/search", json={"results": rows, "paging": {"next": {"after": "1"}}})
    stopped(lambda: list(hubspot.changes({"deals": WANTED}, {"hubspot/deals": {"since": STAMP}})), "next page")
    assert len(wire.calls) == 2


def test_associations_that_come_again_end_the_run(hubspot, wire):
    """Of one record, page by page."""
    target = {"toObjectId": 5, "associationTypes": [{"typeId": 3, "category": "HUBSPOT_DEFINED"}]}
    source = {"from": {"id": "1"}, "to": [target], "paging": {"next": {"after": "9"}}}
    wire.post(f"{PORTAL}/crm/v4/associations/deals/contacts/batch/read", json={"results": [source]})
    stopped(lambda: hubspot.deal_contacts(["1"]), "come again and never end")


def test_what_nobody_asked_for_is_no_answer(hubspot, wire):
    """A record or an association of somebody else is passed over."""
    target = {"toObjectId": 5, "associationTypes": [{"typeId": 3, "category": "HUBSPOT_DEFINED"}]}
    path = f"{PORTAL}/crm/v4/associations/deals/contacts/batch/read"
    wire.post(path, json={"results": [{"from": {"id": "2"}, "to": [target]}]})
    assert hubspot.deal_contacts(["1"]) == {"1": {}}
    wire.post(f"{DEALS}/batch/read", json={"results": [row("1"), row("2")]})
    assert set(hubspot.read("deals", ["1"], WANTED)) == {"1"}


@pytest.mark.parametrize(
    ("status", "said"), [(204, ""), (300, "HTTP 300"), (304, "HTTP 304"), (302, "redirects are not followed")]
)
def test_only_success_is_success(hubspot, wire, status, said):
    """A proxy that sends a deletion elsewhere has not deleted anything."""
    wire.post(f"{DEALS}/batch/archive", status=status)
    act = lambda: [one.id for some in hubspot.delete("deals", ["1"]) for one in some]  # noqa: E731  # two ends of it
    if status == 204:
        assert act() == ["1"]
    else:
        stopped(act, said)


@pytest.mark.parametrize(
    "body", [{}, {"results": {}}, {"results": [{"id": None}]}, {"errors": [{"message": "no"}]}]
)
def test_a_batch_that_does_not_tell_what_became_of_it_ends_the_run(hubspot, wire, body):
    """Its records are not taken for gone: the next run looks."""
    wire.post(f"{DEALS}/batch/update", json=body)
    stopped(lambda: list(hubspot.update("deals", [Edit("1", {"dealname": "x"})])), "batch/update")


@pytest.mark.parametrize("told", ["²", "9" * 5_000, "-1", "", "1.5"])
def test_odd_headers_say_nothing(hubspot, wire, told):
    """Of calls left what is no number is not known."""
    headers = {"X-HubSpot-RateLimit-Daily-Remaining": told, "Date": "Mon, 01 Jan 0001 00:00:00 +1400"}
    wire.get(DEALS, json={"results": []}, headers=headers)
    assert len(list(hubspot.changes({"deals": WANTED}, {}))) == 1
    assert hubspot.usage().left is None


@pytest.mark.parametrize("told", ["nan", "-nan", "Mon, 01 Jan 0001 00:00:00 +1400"])
def test_a_wait_that_is_none_is_not_waited(wire, told):
    """`Retry-After` is a number or a date; else the wait is our own."""
    waits: list[float] = []
    door = Door(Side.HUBSPOT, hubspot_adapter.judge, sleep=waits.append)
    wire.get(DEALS, status=503, headers={"Retry-After": told})
    wire.get(DEALS, json={})
    door.get(DEALS)
    assert len(waits) == 1
    assert 0 <= waits[0] < 60


# --- Salesforce -------------------------------------------------------------------------------------------


def composite(wire, status=200, body=None, **more):
    def answer(request):
        asked = orjson.loads(request.body)["compositeRequest"]
        told = [
            {"referenceId": one["referenceId"], "httpStatusCode": status, "body": body, **more} for one in asked
        ]
        return 200, {}, orjson.dumps({"compositeResponse": told})

    wire.add_callback("POST", f"{DATA}/composite", answer, content_type="application/json")


def look(crm):
    return lambda: list(crm.changes({"Opportunity": NAMED}, {}))


def opportunity(**more):
    times = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), "2026-03-02T09:00:00.000+0000")
    return {
        "attributes": {"type": "Opportunity"},
        "Id": "006A",
        "Name": "A",
        "HubSpot_Id__c": None,
        **times,
        **more,
    }


def query(*rows, **more):
    return {"records": list(rows), "done": True, "totalSize": len(rows)} | more


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([{"message": "no", "errorCode": "UNKNOWN_EXCEPTION"}], "GET query (Opportunity)"),
        ({"records": []}, "done"),
        (query("x"), "0"),
        (query({"Name": "A"}), "Id"),
        (query(opportunity(Name={"a": 1})), "Name"),
        (query(opportunity(SystemModstamp=None)), "moment"),
        (query(opportunity(CreatedDate=SECRET)), "moment"),
        (query({name: one for name, one in opportunity().items() if name != "Name"}), "has no Name"),
        (query(done=False), "does not say where"),
        (query(done=False, nextRecordsUrl=f"@{SECRET}.example/services/data"), "nextRecordsUrl"),
    ],
)
def test_a_query_of_another_shape_ends_the_run(salesforce, wire, body, words):
    """A column that was asked for and is not told is missed; a next page is on no other host."""
    composite(wire, body=body)
    wire.get(f"{DATA}/limits", json={}, headers={"Date": "Mon, 02 Mar 2026 09:00:00 GMT"})
    stopped(look(salesforce), "Salesforce", words)


@pytest.mark.parametrize(
    "told", [[], [{"referenceId": "x", "httpStatusCode": 200, "body": {}}], None, {}, "x", 7, True]
)
def test_a_composite_that_lacks_an_answer_ends_the_run(salesforce, wire, told):
    """Or that is none."""
    wire.post(f"{DATA}/composite", json={"compositeResponse": told} if isinstance(told, list) else told)
    stopped(salesforce.set_up, "Salesforce", "POST")


def test_pages_of_a_query_that_come_again_end_the_run(salesforce, wire):
    """By where the next one is."""
    following = "/services/data/v62.0/query/01gA-2000"
    composite(wire, body=query(opportunity(), done=False, nextRecordsUrl=following))
    wire.get(f"{ORG}{following}", json=query(opportunity(Id="006B"), done=False, nextRecordsUrl=following))
    wire.get(f"{DATA}/limits", json={}, headers={"Date": "Mon, 02 Mar 2026 09:00:00 GMT"})
    stopped(look(salesforce), "come again and never end")


def test_a_cursor_that_is_gone_ends_the_run(salesforce, wire):
    """Salesforce keeps ten a user, for two days."""
    following = "/services/data/v62.0/query/01gA-2000"
    composite(wire, body=query(opportunity(), done=False, nextRecordsUrl=following))
    wire.get(f"{ORG}{following}", status=400, json=[{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid"}])
    wire.get(f"{DATA}/limits", json={}, headers={"Date": "Mon, 02 Mar 2026 09:00:00 GMT"})
    stopped(look(salesforce), "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize("body", [b"[]", b"{}", b"x", b'["x"]', b""])
def test_an_ended_session_that_does_not_say_so_is_a_login_refused(wire, body):
    """simple-salesforce looks for the code of the first error, which lacks."""
    door = Door(Side.SALESFORCE, salesforce_adapter.judge, sleep=lambda _: None)
    wire.get(f"{DATA}/limits", status=401, body=body)
    with pytest.raises(Unreachable, match="refuses the login"):
        door.get(f"{DATA}/limits")


@pytest.mark.parametrize("body", [{}, {"access_token": "x"}, [], "x", {"access_token": 1, "instance_url": 2}])
def test_a_login_that_is_none_ends_the_run(wire, body):
    """Whatever simple-salesforce makes of it."""
    login = SalesforceCredentials(ORG, consumer_key="k", consumer_secret=SECRET)
    door = Door(Side.SALESFORCE, salesforce_adapter.judge, secrets=login.secrets, sleep=lambda _: None)
    wire.post(f"{ORG}/services/oauth2/token", json=body)
    stopped(Salesforce(door, login).probe, "Salesforce", "login")


def test_a_result_of_another_record_ends_the_run(salesforce, wire):
    """An update is told record by record, in the order in which they were sent."""
    composite(wire, body=[{"id": "006B", "success": True, "errors": []}])
    stopped(lambda: list(salesforce.update("Opportunity", [Edit("006A", {"Name": "x"})])), "not of the record")


@pytest.mark.parametrize("told", [{}, {"id": None}, {"id": ""}, {"id": "9" * 5000}, {"id": "0069999999999999AA"}])
def test_a_record_that_was_made_has_an_id(salesforce, wire, told):
    """Else nothing could be linked to it, and what is no id would be written to HubSpot as its partner's."""
    composite(wire, body=[{"success": True, "errors": [], **told}])
    drafts = [Draft("1", {"Name": "x", "HubSpot_Id__c": "1"})]
    stopped(lambda: list(salesforce.create("Opportunity", drafts, NAMED)), "not of the record")


# --- both -------------------------------------------------------------------------------------------------

ODD_ERRORS = [
    None, [], {}, "x", 7, [None], ["x"], [[]], {"message": []}, {"errors": {}}, {"errors": ["x", {"code": {}}]},
    {"context": 3}, {"context": {"ids": 3, "existingId": [None], "objectWriteTraceId": [1, {}]}}, {"category": []},
    [{"errorCode": {}, "message": 1, "fields": "Name"}], [{"statusCode": [], "fields": [1, None]}],
    {"errors": [{"context": {"propertyName": 7}}]},
]  # fmt: skip


@pytest.mark.parametrize("body", ODD_ERRORS)
def test_an_error_is_read_as_far_as_it_is_one(body):
    """It is about to be told: there is no use in another one about its form."""
    assert isinstance(hubspot_error(body), dict)
    assert all(isinstance(one, dict) for one in salesforce_errors(body))
    for read in (read_hubspot, read_salesforce):
        refusal = read(body)
        assert refusal.message
        assert refusal.remedy


def test_pages_are_told_apart_by_mark_and_by_first_record():
    """Either that comes twice would come for ever."""
    pages = Pages(Side.HUBSPOT, "GET x")
    pages.check("1", "a")
    pages.check("2", "b")
    for mark, first in (("1", "c"), ("3", "a")):
        with pytest.raises(Misshapen):
            pages.check(mark, first)


def test_json_is_read_once_for_both():
    """An object or a list; large numbers are read as far as a float goes."""
    assert read_json(b'{"a": 123456789012345678901234567890}', Side.HUBSPOT, "GET x") == {
        "a": 1.2345678901234568e29
    }
    with pytest.raises(Misshapen):
        read_json(b"7", Side.SALESFORCE, "GET x")
