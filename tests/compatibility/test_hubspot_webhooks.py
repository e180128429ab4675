"""HubSpot's own Python client sets up webhooks on a real port and finds the signature of what it is sent valid."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from hubspot import HubSpot
from hubspot.utils.signature import Signature
from hubspot.webhooks import (
    ApiException,
    BatchInputSubscriptionBatchUpdateRequest,
    SettingsChangeRequest,
    SubscriptionBatchUpdateRequest,
    SubscriptionCreateRequest,
    SubscriptionPatchRequest,
    ThrottlingSettings,
)

from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.server import serving


@pytest.fixture(scope="module")
def served():
    sandbox = HubSpotSandbox(seed=12)
    with serving(sandbox) as (url,):
        yield sandbox, url


@contextmanager
def receiving():
    """An app's endpoint; yields its URL and the requests that it gets: target, headers, body."""
    got = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, dict(self.headers.items()), body.decode()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks?from=hubspot", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def client(served):
    sandbox, url = served
    sandbox.reset()
    return HubSpot(api_key=sandbox.webhooks.developer_key, host=url).webhooks


def aim(client, app_id, url):
    throttling = ThrottlingSettings(max_concurrent_requests=10)
    return client.settings_api.configure(app_id, SettingsChangeRequest(target_url=url, throttling=throttling))


def test_settings_by_the_client(served, client):
    """Written, read and cleared."""
    app_id = served[0].webhooks.app_id
    written = aim(client, app_id, "http://127.0.0.1:9/hooks")
    assert client.settings_api.get_all(app_id).to_dict() == written.to_dict()
    assert (written.target_url, written.throttling.max_concurrent_requests) == ("http://127.0.0.1:9/hooks", 10)
    client.settings_api.clear(app_id)
    with pytest.raises(ApiException) as refused:
        client.settings_api.get_all(app_id)
    assert refused.value.status == 404


def test_subscriptions_by_the_client(served, client):
    """Created, listed, read, changed alone and in a batch, archived."""
    app_id, api = served[0].webhooks.app_id, client.subscriptions_api
    new = SubscriptionCreateRequest(event_type="deal.propertyChange", property_name="amount", active=False)
    made = api.create(app_id, new)
    assert (made.event_type, made.property_name, made.active) == ("deal.propertyChange", "amount", False)
    assert [each.id for each in api.get_all(app_id).results] == [made.id]
    assert api.update(int(made.id), app_id, SubscriptionPatchRequest(active=True)).active is True
    inputs = [SubscriptionBatchUpdateRequest(id=int(made.id), active=False)]
    done = api.update_batch(app_id, BatchInputSubscriptionBatchUpdateRequest(inputs=inputs))
    assert (done.status, [each.active for each in done.results]) == ("COMPLETE", [False])
    assert api.get_by_id(int(made.id), app_id).active is False
    api.archive(int(made.id), app_id)
    assert api.get_all(app_id).results == []


@pytest.mark.parametrize("older", ["v1", "v2"])
def test_what_is_sent_is_valid_for_the_client(served, client, older):
    """The client's own check of all three versions, on a request that came over a socket."""
    sandbox, url = served
    sandbox.settings.webhook_signature = older
    with receiving() as (target, got), requests.Session() as session:
        aim(client, sandbox.webhooks.app_id, target)
        new = SubscriptionCreateRequest(event_type="deal.creation", active=True)
        client.subscriptions_api.create(sandbox.webhooks.app_id, new)
        properties = {"dealname": "Größe 🙂", "dealstage": "appointmentscheduled"}
        crm = HubSpot(access_token=sandbox.access_token, host=url).crm.deals.basic_api
        made = crm.create({"properties": properties})
        (sent,) = session.post(f"{url}/_sandbox/webhooks/deliver").json()
    ((path, headers, body),) = got
    assert path == "/hooks?from=hubspot"
    assert [event["objectId"] for event in json.loads(body)] == [int(made.id)]
    assert sent["status"] == 204
    secret, stamp = sandbox.client_secret, headers["X-HubSpot-Request-Timestamp"]
    assert Signature.is_valid(headers["X-HubSpot-Signature"], secret, body, target, "POST", older)
    assert Signature.is_valid(headers["X-HubSpot-Signature-v3"], secret, body, target, "POST", "v3", stamp)
    assert not Signature.is_valid(
        headers["X-HubSpot-Signature-v3"], secret, body + " ", target, "POST", "v3", stamp
    )
