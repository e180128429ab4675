"""How notifications are delivered: portions, order, signatures, retries, and one receiver on a real port."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise

import pytest
import requests
from hubspot.utils.signature import Signature
from sandbox.hubspot.receiver import URL, Receiver

from connector.sandbox.hubspot.webhooks.delivery import MOST_RETRIES
from connector.sandbox.hubspot.webhooks.signatures import decode_uri

DAY = 24 * 60
DEAL = {"dealname": "D", "dealstage": "appointmentscheduled"}


@pytest.fixture
def app(hub):
    app = Receiver(hub)
    app.ask("deal.creation")
    return app


def create(hub, number):
    """New deals; answers their ids."""
    made = []
    for start in range(0, number, 100):
        inputs = [{"properties": DEAL} for _ in range(min(100, number - start))]
        answer = hub.call("POST", "/crm/v3/objects/deals/batch/create", {"inputs": inputs}, 201)
        made += [int(row["id"]) for row in answer["results"]]
    return made


def test_a_request_has_a_hundred_events_at_most(hub, app):
    """250 events come in three requests; nothing is sent twice."""
    made = create(hub, 250)
    assert sorted(event["objectId"] for event in app.take()) == sorted(made)
    assert [len(json.loads(request.body)) for request in app.requests] == [100, 100, 50]
    assert app.take() == []


def test_nothing_is_sent_by_itself(hub, app):
    """Events wait until what is due is delivered."""
    create(hub, 3)
    hub.advance(3600)
    assert (hub.sandbox.webhooks.pending(), app.requests) == (3, [])
    hub.sandbox.webhooks.deliver(app)
    assert (hub.sandbox.webhooks.pending(), len(app.requests)) == (0, 1)


def test_a_request_looks_like_hubspots(hub, app):
    """Method, URL and headers of a delivery."""
    create(hub, 1)
    app.take()
    (request,) = app.requests
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["User-Agent"].startswith("HubSpot Connect 2.0 ")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Host"] == "127.0.0.1:9999"
    assert request.headers["Content-Length"] == str(len(request.body))


@pytest.mark.parametrize("older", ["v1", "v2"])
def test_a_request_is_signed(hub, app, older):
    """HubSpot's own client finds both signatures valid for the app's secret; the moment is the sandbox clock's."""
    hub.set(webhook_signature=older)
    create(hub, 1)
    app.take()
    (request,) = app.requests
    headers, body = request.headers, request.body.decode()
    assert headers["X-HubSpot-Signature-Version"] == older
    assert headers["X-HubSpot-Request-Timestamp"] == "1793610000000"
    secret = hub.sandbox.client_secret
    assert headers["X-HubSpot-Signature"] == Signature.get_signature(secret, body, older, URL)
    expected = Signature.get_signature(secret, body, "v3", URL, "POST", "1793610000000")
    assert headers["X-HubSpot-Signature-v3"] == expected
    hub.call("PUT", "/_sandbox/settings", {"webhook_signature": "v3"}, 400)


def test_a_mapped_host_is_reached_here_and_signed_as_registered(hub, app):
    """The request goes to the mapped address with the registered host in its header and in its signature."""
    hub.call("PUT", "/_sandbox/webhooks/hosts", {"hooks.example.com": "http://127.0.0.1:9000"})
    url = "https://hooks.example.com/in%3Abox?key=a%2Fb"
    app.call("PUT", "settings", {"targetUrl": url, "throttling": {"maxConcurrentRequests": 10}})
    create(hub, 1)
    app.take()
    (request,) = app.requests
    assert request.url == "http://127.0.0.1:9000/in%3Abox?key=a%2Fb"
    assert request.headers["Host"] == "hooks.example.com"
    signed = Signature.get_signature(
        hub.sandbox.client_secret, request.body.decode(), "v3", decode_uri(url), "POST", "1793610000000"
    )
    assert request.headers["X-HubSpot-Signature-v3"] == signed


def test_a_host_that_is_mapped_no_more_is_not_reached(hub, app):
    """No answer, nothing sent; it is tried again, and works when the host is mapped again."""
    hosts = {"hooks.example.com": "http://127.0.0.1:9000"}
    hub.call("PUT", "/_sandbox/webhooks/hosts", hosts)
    app.call("PUT", "settings", {"targetUrl": "https://hooks.example.com", "throttling": {}})
    create(hub, 1)
    hub.call("PUT", "/_sandbox/webhooks/hosts", {})
    assert [each.status for each in hub.sandbox.webhooks.deliver(app)] == [None]
    hub.call("PUT", "/_sandbox/webhooks/hosts", hosts)
    hub.advance(120)
    assert [event["attemptNumber"] for event in app.take()] == [1]


@pytest.mark.parametrize(
    "failure", [400, 404, 429, 500, 503, requests.exceptions.ReadTimeout(), requests.ConnectionError()]
)
def test_what_fails_is_tried_again(hub, app, failure):
    """A status of 400 and above, silence, a lost connection: the same events come again with the next number."""
    made = create(hub, 2)
    app.answers = [failure]
    first = app.take()
    assert app.take() == []
    hub.advance(120)
    again = app.take()
    assert sorted(event["objectId"] for event in again) == sorted(made)
    assert again == [{**event, "attemptNumber": 1} for event in first]
    hub.advance(DAY * 60)
    assert app.take() == []


@pytest.mark.parametrize("status", [200, 204, 302])
def test_what_is_answered_below_400_is_done(hub, app, status):
    """It is not sent again."""
    create(hub, 1)
    app.answers = [status]
    app.take()
    hub.advance(DAY * 60)
    assert app.take() == []


def test_it_is_tried_again_ten_times_within_a_day_and_then_given_up(hub, app):
    """Eleven attempts in all, the last within 24 hours of the first, later ones farther apart."""
    create(hub, 1)
    app.answers = [500] * 100
    made = []
    for minute in range(DAY + 1):
        made += [(minute, event["attemptNumber"]) for event in app.take()]
        hub.advance(60)
    assert [attempt for _, attempt in made] == list(range(MOST_RETRIES + 1))
    waits = [later - earlier for (earlier, _), (later, _) in pairwise(made)]
    assert waits == sorted(waits)
    assert made[-1][0] > DAY / 2
    assert (hub.sandbox.webhooks.pending(), hub.sandbox.webhooks.lost) == (0, 1)


def test_a_clock_that_jumps_misses_no_retry(hub, app):
    """All retries of a day are made at once when the day has passed at once."""
    create(hub, 1)
    app.answers = [500] * 100
    app.take()
    hub.advance(DAY * 60)
    assert [event["attemptNumber"] for event in app.take()] == list(range(1, MOST_RETRIES + 1))


def test_batches_fail_apart(hub, app):
    """Only the request that failed is sent again."""
    create(hub, 150)
    app.answers = [204, 500]
    app.take()
    hub.advance(120)
    again = app.take()
    assert (len(again), {event["attemptNumber"] for event in again}) == (50, {1})


def test_order_is_not_kept_unless_asked_for(hub, app):
    """With `webhook_shuffle`, the default, notifications come in another order, the same for the same seed."""
    hub.call("POST", "/_sandbox/snapshots", {"name": "before"}, 204)
    orders = []
    for shuffle in (False, True, True):
        hub.call("POST", "/_sandbox/restore", {"name": "before"}, 204)
        hub.set(webhook_shuffle=shuffle, shuffle_batches=False)
        create(hub, 50)
        orders.append([event["objectId"] for event in app.take()])
    assert orders[0] == sorted(orders[0])
    assert orders[1] == orders[2] != orders[0]
    assert sorted(orders[1]) == orders[0]


def test_some_notifications_come_twice(hub, app):
    """`webhook_duplicates` is the chance of each; those which come twice are alike."""
    hub.set(webhook_duplicates=0.2)
    create(hub, 200)
    counts = Counter(json.dumps(event, sort_keys=True) for event in app.take())
    assert len(counts) == 200
    assert set(counts.values()) == {1, 2}
    assert 20 < sum(counts.values()) - 200 < 60


def test_a_new_portal_shuffles_and_repeats(hub):
    """The defaults do not flatter: no order, and now and then a notification that comes twice."""
    settings = hub.sandbox.settings
    assert settings.webhook_shuffle
    assert 0 < settings.webhook_duplicates < 0.1


def test_a_target_forgotten_meanwhile_is_sent_nothing_more(hub, app):
    """What waits is dropped with the settings, also what is under way just then."""
    create(hub, 150)
    (first, second) = hub.sandbox.webhooks.take_due()
    assert (len(first.batch.notifications), len(second.batch.notifications)) == (100, 50)
    hub.sandbox.webhooks.settle(first, 500)
    app.call("DELETE", "settings", expect=204)
    hub.sandbox.webhooks.settle(second, 500)
    assert hub.sandbox.webhooks.pending() == 0


@contextmanager
def listening(status):
    """A receiver on a port of this machine, which answers every request alike; yields its URL and what it got."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(
                (self.path, dict(self.headers.items()), self.rfile.read(int(self.headers["Content-Length"])))
            )
            self.send_response(status)
            self.send_header("Location", "http://192.0.2.1/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [204, 307, 500])
def test_a_receiver_on_a_port_is_told(hub, app, status):
    """`/_sandbox/webhooks/deliver` posts to the real address, follows no redirects, and answers how it went."""
    with listening(status) as (url, got):
        app.call("PUT", "settings", {"targetUrl": url, "throttling": {"maxConcurrentRequests": 10}})
        made = create(hub, 1)
        (sent,) = hub.call("POST", "/_sandbox/webhooks/deliver")
    ((path, headers, body),) = got
    assert (path, json.loads(body)) == ("/hooks", sent["events"])
    assert (sent["url"], sent["attempt"], sent["status"]) == (url, 0, status)
    assert [event["objectId"] for event in sent["events"]] == made
    secret = hub.sandbox.client_secret
    assert headers["X-HubSpot-Signature"] == Signature.get_signature(secret, body.decode(), "v1")


def test_a_receiver_that_is_away_is_told_later(hub, app):
    """A refused connection is no answer; time passing, the sandbox tries again by itself."""
    with listening(204) as (url, _):
        app.call("PUT", "settings", {"targetUrl": url, "throttling": {"maxConcurrentRequests": 10}})
    create(hub, 1)
    (sent,) = hub.call("POST", "/_sandbox/webhooks/deliver")
    assert sent["status"] is None
    assert hub.sandbox.webhooks.pending() == 1
    hub.advance(120)
    asyncio.run(hub.sandbox.tick())
    assert hub.sandbox.webhooks.take_due() == []
    assert hub.sandbox.webhooks.pending() == 1


def test_as_many_requests_at_a_time_as_the_app_allows(hub, app):
    """With `maxConcurrentRequests` of six, six of eight requests are under way together, and never a seventh."""
    app.call("PUT", "settings", {"targetUrl": URL, "throttling": {"maxConcurrentRequests": 6}})
    create(hub, 800)
    lock, six, counts = threading.Lock(), threading.Barrier(6), {"begun": 0, "under way": 0, "most": 0}

    def send(_):
        with lock:
            counts["begun"] += 1
            number = counts["begun"]
            counts["under way"] += 1
            counts["most"] = max(counts["most"], counts["under way"])
        if number <= 6:
            six.wait(timeout=10)
        with lock:
            counts["under way"] -= 1
        return 204

    asyncio.run(hub.sandbox.webhooks.deliver_aside(send))
    assert (counts["begun"], counts["most"], hub.sandbox.webhooks.pending()) == (8, 6, 0)


def test_a_receiver_may_ask_the_sandbox_meanwhile(hub, app):
    """While a request is under way, the event loop goes on and the sandbox answers."""
    (made,) = create(hub, 1)
    asked = threading.Event()
    told = []

    def send(request):
        told.append(json.loads(request.body)[0]["objectId"])
        return 204 if asked.wait(timeout=10) else 500

    async def run():
        delivering = asyncio.create_task(hub.sandbox.webhooks.deliver_aside(send))
        await asyncio.sleep(0)
        assert hub.call("GET", f"/crm/v3/objects/deals/{made}")["id"] == str(made)
        asked.set()
        await delivering

    asyncio.run(run())
    assert (told, hub.sandbox.webhooks.pending()) == ([made], 0)
