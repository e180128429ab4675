"""Exports: how long they take, what is in the file, and how it is fetched."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest

from connector.sandbox.wire import Request
from tests.sandbox.hubspot.conftest import CONTACT_OF_DEAL, Hub

PATH = "/crm/v3/exports/export/async"
DEALS = {
    "exportType": "VIEW", "exportName": "Deals", "format": "CSV", "language": "EN", "objectType": "DEAL",
    "objectProperties": ["dealname", "amount"],
}  # fmt: skip


def start(hub: Hub, expect: int = 202, **change: Any) -> Any:
    return hub.call("POST", PATH, {**DEALS, **change}, expect)


def status(hub: Hub, export: dict[str, Any]) -> dict[str, Any]:
    return hub.call("GET", f"{PATH}/tasks/{export['id']}/status")


def fetch(hub: Hub, url: str) -> tuple[int, bytes]:
    """The file, without credentials."""
    answer = hub.sandbox(Request.make("GET", url, {}, b""))
    return answer.status, answer.body


def rows(hub: Hub, **change: Any) -> list[list[str]]:
    """The rows of an export, its header first."""
    export = start(hub, **change)
    hub.advance(2)
    code, content = fetch(hub, status(hub, export)["result"])
    assert code == 200
    return list(csv.reader(io.StringIO(content.decode())))


@pytest.fixture
def deals(hub):
    """Three deals."""
    return [
        hub.create(
            "deals", {"dealname": name, "dealstage": "closedwon", "amount": amount, "dealtype": "newbusiness"}
        )
        for name, amount in (("A", "1"), ("B", "20"), ("C", "3"))
    ]


def test_an_export_takes_its_time(hub, deals):
    """PROCESSING, then COMPLETE with an address that works without credentials."""
    export = start(hub)
    assert export["links"]["status"].endswith(f"/crm/v3/exports/export/async/tasks/{export['id']}/status")
    assert status(hub, export)["status"] == "PROCESSING"
    assert "result" not in status(hub, export)
    hub.advance(2)
    done = status(hub, export)
    assert (done["status"], done["completedAt"]) == ("COMPLETE", "2026-11-02T09:00:02.000Z")
    code, content = fetch(hub, done["result"])
    assert (code, content.decode().splitlines()[0]) == (200, '"Record ID","Deal Name","Amount"')


def test_an_address_is_good_for_five_minutes(hub, deals):
    """Then the file host refuses it; asking again gives a new one."""
    export = start(hub)
    hub.advance(2)
    url = status(hub, export)["result"]
    hub.advance(299)
    assert fetch(hub, url)[0] == 200
    hub.advance(1)
    code, content = fetch(hub, url)
    assert (code, b"expired" in content) == (403, True)
    again = status(hub, export)["result"]
    assert again != url
    assert fetch(hub, again)[0] == 200
    assert fetch(hub, url[:-20] + "x" * 20)[0] == 404


def test_one_export_at_a_time(hub, deals):
    """The next one waits for its turn."""
    first, second = start(hub), start(hub)
    assert [status(hub, one)["status"] for one in (first, second)] == ["PROCESSING", "PENDING"]
    hub.advance(2)
    assert [status(hub, one)["status"] for one in (first, second)] == ["COMPLETE", "PROCESSING"]
    hub.advance(2)
    assert status(hub, second)["status"] == "COMPLETE"


def test_thirty_exports_in_a_day(hub):
    """The next is refused until the first is 24 hours old."""
    for _ in range(30):
        start(hub)
    assert start(hub, 429)["category"] == "RATE_LIMITS"
    hub.advance(86_400)
    start(hub)


def test_an_export_can_be_described(hub, deals):
    """Its name, what it is of, and how many records it has."""
    export = start(hub)
    path = f"/crm/exports/2026-09/export/{export['id']}"
    assert hub.call("GET", path)["exportState"] == "PROCESSING"
    hub.advance(2)
    told = hub.call("GET", path)
    assert (told["exportState"], told["recordCount"], told["objectType"]) == ("DONE", 3, "0-3")
    assert (told["exportName"], told["objectProperties"]) == ("Deals", ["dealname", "amount"])
    hub.call("GET", "/crm/v3/exports/export/1", expect=404)


def test_a_file_shows_what_there_was(hub, deals):
    """At the time when it was asked for."""
    export = start(hub)
    hub.update("deals", deals[0], dealname="Z")
    hub.advance(2)
    assert b'"A"' in fetch(hub, status(hub, export)["result"])[1]


def test_columns_and_values_as_people_know_them(hub, deals):
    """Labels of properties, options, stages and owners; moments to the minute."""
    owner = hub.sandbox.add_owners([{"email": "o@example.com", "firstName": "Olga", "lastName": "Ode"}])[0]["id"]
    hub.update("deals", deals[0], hubspot_owner_id=owner, closedate="2027-02-28T10:30:00Z")
    names = ["dealstage", "dealtype", "hubspot_owner_id", "closedate", "amount"]
    header, first, *_ = rows(hub, objectProperties=names)
    assert header == ["Record ID", "Deal Stage", "Deal Type", "Owner", "Close Date", "Amount"]
    assert first == [deals[0], "Closed Won", "New Business", "Olga Ode", "2027-02-28 10:30", "1"]


def test_columns_and_values_as_the_api_knows_them(hub, deals):
    """With `NAMES` and `VALUES`, each by itself too."""
    change = {"objectProperties": ["dealstage", "hs_object_id"]}
    header, first, *_ = rows(hub, **change, exportInternalValuesOptions=["NAMES", "VALUES"])
    assert (header, first) == (["hs_object_id", "dealstage"], [deals[0], "closedwon"])
    header, first, *_ = rows(hub, **change, exportInternalValuesOptions=["VALUES"])
    assert (header, first) == (["Record ID", "Deal Stage"], [deals[0], "closedwon"])


@pytest.mark.parametrize(("request_", "names"), [
    ({"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "LT", "value": "10"}]}]}, "AC"),
    ({"filters": [{"property": "dealname", "operator": "EQ", "value": "b"}]}, "B"),
    ({"query": "b"}, "B"),
    ({"sorts": [{"propertyName": "amount", "order": "DESC"}]}, "BCA"),
    ({"sorts": [{"propertyName": "amount", "direction": "ASCENDING"}]}, "ACB"),
    ({"sorts": ["-dealname"]}, "CBA"),
    ({}, "ABC"),
])  # fmt: skip
def test_a_view_is_filtered_and_sorted(hub, deals, request_, names):
    """As a search, with the older words too."""
    assert "".join(row[1] for row in rows(hub, publicCrmSearchRequest=request_)[1:]) == names


def test_more_than_a_search_would_show(hub):
    """An export has no end at 10,000; a large file is zipped."""
    inputs = [
        {"properties": {"dealname": f"D{number} {'x' * 250}", "dealstage": "closedwon"}} for number in range(100)
    ]
    for _ in range(101):
        hub.call("POST", "/crm/v3/objects/deals/batch/create", {"inputs": inputs}, 201)
    export = start(hub)
    hub.advance(2)
    url = status(hub, export)["result"]
    assert url.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(fetch(hub, url)[1])) as packed:
        assert len(packed.read("export.csv").splitlines()) == 10_101


def test_associated_records_are_named(hub, deals):
    """Ids always, names for one type or when asked for, labels when asked for."""
    ann, bob = (hub.create("contacts", {"firstname": name, "lastname": "X"}) for name in ("Ann", "Bob"))
    hub.create("deals", {"dealname": "L", "dealstage": "closedwon"}, (ann, CONTACT_OF_DEAL), (bob, CONTACT_OF_DEAL))
    change = {"objectProperties": ["dealname"]}
    header, *_, last = rows(hub, **change, associatedObjectType="CONTACT")
    assert header[2:] == ["Associated Contact IDs", "Associated Contact"]
    assert last[2:] == [f"{ann};{bob}", "Ann X;Bob X"]
    both = {"associatedObjectType": ["CONTACT", "COMPANY"]}
    assert rows(hub, **change, **both)[0][2:] == ["Associated Contact IDs", "Associated Company IDs"]
    header = rows(hub, **change, **both, includeLabeledAssociations=True)[0]
    assert "Associated Contact Labels" in header


@pytest.mark.parametrize("change", [
    {"exportType": "LIST"}, {"format": "XLSX"}, {"language": "DE"}, {"objectType": "UNICORN"}, {"exportName": None},
    {"objectProperties": ["no_such"]}, {"objectProperties": "dealname"}, {"exportInternalValuesOptions": ["ALL"]},
    {"associatedObjectType": ["CONTACT"] * 5}, {"publicCrmSearchRequest": {"sorts": ["no_such"]}},
    {"publicCrmSearchRequest": 7},
])  # fmt: skip
def test_a_wrong_request_is_refused(hub, change):
    """400, also for what the sandbox has not; no export is made."""
    start(hub, 400, **change)
    hub.call("GET", f"{PATH}/tasks/1/status", expect=404)
