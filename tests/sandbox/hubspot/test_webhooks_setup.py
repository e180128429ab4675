"""Subscriptions and settings of webhooks: who may set them up, what is refused."""

from __future__ import annotations

import pytest
from sandbox.hubspot.receiver import URL, Receiver

DEAL = {"dealname": "D", "dealstage": "appointmentscheduled"}


@pytest.fixture
def app(hub):
    return Receiver(hub)


@pytest.mark.parametrize(
    ("version", "throttling"),
    [
        ("v3", {"maxConcurrentRequests": 10, "period": "SECONDLY"}),
        ("2026-03", {"maxConcurrentRequests": 10}),
    ],
)
def test_the_settings_are_written_read_and_deleted(hub, app, version, throttling):
    """`PUT`, `GET` and `DELETE`, in v3 and dated; then there are none."""
    read = app.call("GET", "settings", version=version)
    assert read == {
        "targetUrl": URL,
        "throttling": throttling,
        "createdAt": "2026-11-02T09:00:00.000Z",
        "updatedAt": "2026-11-02T09:00:00.000Z",
    }
    hub.advance(60)
    changed = app.call("PUT", "settings", {"targetUrl": URL, "throttling": {"maxConcurrentRequests": 6}})
    assert changed["throttling"]["maxConcurrentRequests"] == 6
    assert (changed["createdAt"], changed["updatedAt"]) == ("2026-11-02T09:00:00.000Z", "2026-11-02T09:01:00.000Z")
    app.call("DELETE", "settings", expect=204, version=version)
    assert app.call("GET", "settings", expect=404)["category"] == "OBJECT_NOT_FOUND"
    app.call("DELETE", "settings", expect=404)


def test_five_requests_at_a_time_are_too_few(app):
    """`maxConcurrentRequests` must be greater than five; a refusal leaves the settings as they were."""
    before = app.call("GET", "settings")
    app.call("PUT", "settings", {"targetUrl": URL, "throttling": {"maxConcurrentRequests": 5}}, 400)
    assert app.call("GET", "settings") == before


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/x",
        "http://hooks.example.com/x",
        "http://10.0.0.1/x",
        "ftp://127.0.0.1/x",
        "http://127.0.0.1:port/x",
        "http://127.0.0.1.example.com/x",
        "http://[::1/x",
        "http://127.0.0.1/ü",
        "http://127.0.0.1/a\nb",
        "//127.0.0.1/x",
        "",
    ],
)
def test_nothing_beyond_this_machine_can_be_a_target(app, url):
    """Addresses elsewhere are refused with the reason."""
    error = app.call("PUT", "settings", {"targetUrl": url, "throttling": {"maxConcurrentRequests": 10}}, 400)
    assert error["message"].startswith(
        f"targetUrl {url}: the sandbox sends nothing beyond this machine" if url else "t"
    )
    assert app.call("GET", "settings")["targetUrl"] == URL


def test_a_mapped_host_can_be_a_target_over_https(hub, app):
    """An `https` host that stands for an address of this machine is taken, in any case of its letters."""
    hub.call("PUT", "/_sandbox/webhooks/hosts", {"Hooks.example.com": "http://127.0.0.1:9000"})
    assert hub.call("GET", "/_sandbox/webhooks/hosts") == {"hooks.example.com": "http://127.0.0.1:9000"}
    body = {"targetUrl": "https://hooks.Example.com/x", "throttling": {"maxConcurrentRequests": 10}}
    assert app.call("PUT", "settings", body)["targetUrl"] == "https://hooks.Example.com/x"
    app.call("PUT", "settings", {**body, "targetUrl": "http://hooks.example.com/x"}, 400)


@pytest.mark.parametrize("hosts", [[], {"a.com": "https://b.com"}, {"a.com": 1}, {"a.com": "127.0.0.1:9000"}])
def test_hosts_are_mapped_to_this_machine_only(hub, hosts):
    """Anything else is refused and leaves the mapping as it was."""
    hub.call("PUT", "/_sandbox/webhooks/hosts", {"c.com": "http://localhost:1"})
    hub.call("PUT", "/_sandbox/webhooks/hosts", hosts, 400)
    assert hub.call("GET", "/_sandbox/webhooks/hosts") == {"c.com": "http://localhost:1"}


def test_a_subscription_is_created_read_paused_and_deleted(hub, app):
    """The whole life of a subscription; without `active` it begins paused."""
    made = app.call("POST", "subscriptions", {"eventType": "deal.propertyChange", "propertyName": "amount"}, 201)
    assert made == {
        "id": made["id"],
        "eventType": "deal.propertyChange",
        "propertyName": "amount",
        "active": False,
        "createdAt": "2026-11-02T09:00:00.000Z",
        "updatedAt": "2026-11-02T09:00:00.000Z",
    }
    hub.advance(1)
    path = f"subscriptions/{made['id']}"
    changed = app.call("PATCH", path, {"active": True})
    assert changed == {**made, "active": True, "updatedAt": "2026-11-02T09:00:01.000Z"}
    assert app.call("GET", path) == changed
    assert app.call("GET", "subscriptions") == {"results": [changed]}
    app.call("DELETE", path, expect=204)
    assert app.call("GET", "subscriptions") == {"results": []}
    for method, body in (("GET", None), ("PATCH", {"active": True}), ("DELETE", None)):
        app.call(method, path, body, 404)


def test_a_generic_subscription_names_its_object_type(app):
    """`object.*` needs an object type id, also of one that the sandbox does not hold."""
    made = app.call("POST", "subscriptions", {"eventType": "object.creation", "objectTypeId": "0-123"}, 201)
    assert made["objectTypeId"] == "0-123"
    app.call("POST", "subscriptions", {"eventType": "object.creation"}, 400)
    app.call("POST", "subscriptions", {"eventType": "object.creation", "objectTypeId": "deals"}, 400)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"eventType": "deal.exploded"},
        {"eventType": "product.associationChange"},
        {"eventType": "deal.propertyChange"},
        {"eventType": "deal.propertyChange", "propertyName": "hs_lastmodifieddate"},
        {"eventType": "contact.propertyChange", "propertyName": "num_unique_conversion_events"},
        {"eventType": "deal.creation", "active": "yes"},
    ],
)
def test_what_cannot_be_subscribed_to_is_refused(app, body):
    """Unknown events, unsubscribable properties, wrong types: 400, and no subscription."""
    assert app.call("POST", "subscriptions", body, 400)["category"] == "VALIDATION_ERROR"
    assert app.call("GET", "subscriptions") == {"results": []}


def test_the_same_thing_is_subscribed_to_once(app):
    """A second subscription of the same kind conflicts; one for another property does not."""
    app.ask("deal.propertyChange:amount", "deal.propertyChange:dealstage", "deal.creation")
    body = {"eventType": "deal.propertyChange", "propertyName": "amount"}
    assert app.call("POST", "subscriptions", body, 409)["category"] == "CONFLICT"


def test_an_app_has_a_thousand_subscriptions_at_most(app):
    """The thousand and first is refused."""
    app.ask(*(f"deal.propertyChange:p{number}" for number in range(1_000)))
    app.call("POST", "subscriptions", {"eventType": "deal.creation"}, 400)
    assert len(app.call("GET", "subscriptions")["results"]) == 1_000


def test_subscriptions_are_paused_in_batches(app):
    """Known ids are changed, unknown ones listed as errors in a 207."""
    one, other = app.ask("deal.creation", "deal.deletion")
    inputs = [{"id": int(one), "active": False}, {"id": int(other), "active": True}]
    done = app.call("POST", "subscriptions/batch/update", {"inputs": inputs})
    assert done["status"] == "COMPLETE"
    assert {each["id"]: each["active"] for each in done["results"]} == {one: False, other: True}
    mixed = app.call("POST", "subscriptions/batch/update", {"inputs": [*inputs, {"id": 1, "active": True}]}, 207)
    assert (len(mixed["results"]), mixed["numErrors"]) == (2, 1)
    app.call("POST", "subscriptions/batch/update", {"inputs": []}, 400)


def test_a_call_needs_the_developers_key_or_a_token(hub, app):
    """The key in the query, or a bearer token; with neither, or a wrong one, 401."""
    path = f"/webhooks/v3/{hub.sandbox.webhooks.app_id}/subscriptions"
    hub.call("GET", path)
    hub.token = "another"
    assert hub.call("GET", path, expect=401)["category"] == "INVALID_AUTHENTICATION"
    hub.call("GET", f"{path}?hapikey=wrong", expect=401)
    hub.call("GET", f"{path}?hapikey=%C3%BC", expect=401)
    assert app.call("GET", "subscriptions") == {"results": []}


def test_another_apps_webhooks_are_not_there(hub):
    """An app id that is not this one's: 404."""
    hub.call("GET", "/webhooks/v3/1/subscriptions", expect=404)


def test_an_administrator_sees_keys_and_counts(hub, app):
    """`/_sandbox/webhooks` tells how to sign in and to check signatures, and what waits."""
    app.ask("deal.creation")
    hub.create("deals", DEAL)
    webhooks = hub.sandbox.webhooks
    assert hub.call("GET", "/_sandbox/webhooks") == {
        "appId": webhooks.app_id,
        "developerKey": webhooks.developer_key,
        "clientSecret": hub.sandbox.client_secret,
        "pending": 1,
        "lost": 0,
    }
    hub.call("DELETE", "/_sandbox/webhooks", expect=405)


def test_webhooks_are_part_of_a_snapshot(hub, app):
    """Subscriptions and waiting notifications come back with a snapshot, and go with a reset."""
    app.ask("deal.creation")
    hub.create("deals", DEAL)
    hub.call("POST", "/_sandbox/snapshots", {"name": "before"}, 204)
    hub.call("POST", "/_sandbox/reset", expect=204)
    assert app.call("GET", "subscriptions") == {"results": []}
    hub.create("deals", DEAL)
    assert app.take() == []
    hub.call("POST", "/_sandbox/restore", {"name": "before"}, 204)
    hub.create("deals", DEAL)
    assert [event["subscriptionType"] for event in app.take()] == ["deal.creation"] * 2
