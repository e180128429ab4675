"""Who gave a property its values, and when: histories with their sources, and the source of a record."""

from __future__ import annotations

import sys

from connector.sandbox.hubspot.actors import APP, APP_ID
from connector.sandbox.hubspot.records.records import Record

OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}


def test_a_value_of_an_app_names_the_app(hub):
    """`INTEGRATION`, the app's id and its label; no user."""
    deal = hub.create("deals", {**OPEN, "amount": "1"})
    assert hub.history("deals", deal, "amount") == [
        {
            "value": "1",
            "timestamp": "2026-11-02T09:00:00.000Z",
            "sourceType": "INTEGRATION",
            "sourceId": APP_ID,
            "sourceLabel": APP.label,
        }
    ]


def test_a_value_of_a_person_names_the_person(hub):
    """`CRM_UI`, `userId:` and the user id, and the same number as the one who updated it."""
    deal = hub.create("deals", {**OPEN, "amount": "1"})
    hub.advance(1)
    with hub.person("ada@example.com"):
        hub.update("deals", deal, amount="2")
    owners = hub.call("GET", "/crm/v3/owners?email=ada@example.com")["results"]
    newest, oldest = hub.history("deals", deal, "amount")
    assert newest == {
        "value": "2",
        "timestamp": "2026-11-02T09:00:01.000Z",
        "sourceType": "CRM_UI",
        "sourceId": f"userId:{owners[0]['userId']}",
        "updatedByUserId": owners[0]["userId"],
    }
    assert oldest["sourceType"] == "INTEGRATION"


def test_only_what_was_written_has_a_new_source(hub):
    """An equal value is no version, so its source stays that of who set it."""
    deal = hub.create("deals", {**OPEN, "amount": "1"})
    with hub.person("ada@example.com"):
        hub.update("deals", deal, amount="1", description="x")
    assert [one["sourceType"] for one in hub.history("deals", deal, "amount")] == ["INTEGRATION"]
    assert [one["sourceType"] for one in hub.history("deals", deal, "description")] == ["CRM_UI"]


def test_a_cleared_value_has_its_source(hub):
    """Clearing is a version with an empty value, and so is what comes after."""
    deal = hub.create("deals", {**OPEN, "amount": "1"})
    with hub.person("ada@example.com"):
        hub.update("deals", deal, amount="")
    hub.update("deals", deal, amount="3")
    shown = [(one["value"], one["sourceType"]) for one in hub.history("deals", deal, "amount")]
    assert shown == [("3", "INTEGRATION"), ("", "CRM_UI"), ("1", "INTEGRATION")]


def test_what_hubspot_computes_is_calculated(hub):
    """Computed values have one version, of HubSpot itself; what belongs to the creation is the creator's."""
    deal = hub.create("deals", {**OPEN, "amount": "5"})
    (computed,) = hub.history("deals", deal, "amount_in_home_currency")
    assert (computed["value"], computed["sourceType"]) == ("5", "CALCULATED")
    assert "sourceId" not in computed
    (created,) = hub.history("deals", deal, "createdate")
    assert created["sourceType"] == "INTEGRATION"


def test_a_record_names_who_created_it(hub):
    """An app by its id and name, a person by the user id; who writes later changes nothing."""
    names = ("hs_object_source", "hs_object_source_label", "hs_object_source_id", "hs_object_source_user_id",
             "hs_object_source_detail_1", "hs_created_by_user_id")  # fmt: skip
    by_app = hub.create("companies", {"name": "A"})
    with hub.person("ada@example.com"):
        by_person = hub.create("companies", {"name": "B"})
        hub.update("companies", by_app, name="C")
    user = str(hub.call("GET", "/crm/v3/owners?email=ada@example.com")["results"][0]["userId"])
    shown = hub.read("companies", by_app, *names)
    assert [shown[name] for name in names] == ["INTEGRATION", "INTEGRATION", APP_ID, None, APP.label, None]
    shown = hub.read("companies", by_person, *names)
    assert [shown[name] for name in names] == ["CRM_UI", "CRM_UI", f"userId:{user}", user, "ada@example.com", user]


def test_a_record_keeps_versions_only_of_what_was_overwritten():
    """A hundred values written once cost no more than themselves."""
    record = Record(1, {f"p{number}": "x" for number in range(100)}, 0, APP)
    before = sys.getsizeof(record.past)
    record.write({"p1": "y"}, 1, APP)
    assert before == sys.getsizeof({})
    assert list(record.past) == ["p1"]
    assert [version.value for version in record.history("p2")] == ["x"]


def test_sources_survive_a_snapshot(hub):
    """A portal that is put back tells the same histories."""
    deal = hub.create("deals", OPEN)
    with hub.person("ada@example.com"):
        hub.update("deals", deal, amount="1")
    before = hub.history("deals", deal, "amount")
    hub.call("POST", "/_sandbox/snapshots", {"name": "s"}, 204)
    hub.update("deals", deal, amount="2")
    hub.call("POST", "/_sandbox/restore", {"name": "s"}, 204)
    assert hub.history("deals", deal, "amount") == before
