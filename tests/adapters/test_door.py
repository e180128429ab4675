"""What the door promises of every call: a timeout, patience where it helps, a count, and silence about secrets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import responses

from connector.adapters import hubspot, salesforce
from connector.adapters.http import ATTEMPTS, LONGEST_WAIT, TIMEOUT, Door, PlainLoopback
from connector.core.model import ProblemClass, Side
from connector.errors import Busy, Unreachable

URL = "https://crm.example/objects"
SECRET = "canary-5f1d"  # what no message may contain


@pytest.fixture
def waits():
    """The seconds that the door has waited, one by one; nobody waits in fact."""
    return []


@pytest.fixture
def door(waits):
    """A door to HubSpot."""
    with Door(Side.HUBSPOT, hubspot.judge, secrets=[SECRET], sleep=waits.append) as opened:
        yield opened


@pytest.fixture
def wire():
    """The network; every answer that a test lays ready has to be fetched."""
    with responses.RequestsMock() as mock:
        yield mock


def answer(wire, *statuses, **more):
    for status in statuses:
        wire.get(URL, status=status, **({"json": {}} | more))


def test_every_call_has_a_timeout(door, wire):
    """Whoever names no timeout gets the door's; whoever does keeps it."""
    answer(wire, 200, 200)
    door.get(URL)
    door.get(URL, timeout=3)
    assert [call.request.req_kwargs["timeout"] for call in wire.calls] == [TIMEOUT, 3]


def test_environment_does_not_reroute(door, wire, monkeypatch):
    """A proxy in the environment is ignored: only the settings say where data goes."""
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere.example")
    answer(wire, 200)
    door.get(URL)
    assert not wire.calls[0].request.req_kwargs["proxies"]


def test_settings_name_proxy_and_certificates(wire):
    """The proxy and the certificates of the settings are used for every call."""
    door = Door(Side.HUBSPOT, hubspot.judge, proxy="http://proxy.example", ca_bundle="/etc/ca.pem")
    answer(wire, 200)
    door.get(URL)
    used = wire.calls[0].request.req_kwargs
    assert used["proxies"] == {"https": "http://proxy.example"}
    assert used["verify"] == "/etc/ca.pem"


def test_cookies_are_not_kept(door, wire):
    """A cookie of one answer does not go out with the next call."""
    answer(wire, 200, headers={"Set-Cookie": "session=1"})
    answer(wire, 200)
    door.get(URL)
    door.get(URL)
    assert "Cookie" not in wire.calls[1].request.headers


@pytest.mark.parametrize("status", [423, 429, 477, 500, 502, 503, 504, 521, 526])
def test_passing_conditions_are_tried_again(door, wire, waits, status):
    """What passes by itself is tried again, and only once if that is enough."""
    answer(wire, status, 200)
    assert door.get(URL).status_code == 200
    assert len(waits) == 1
    assert waits[0] > 0


@pytest.mark.parametrize("status", [200, 201, 207, 400, 404, 409, 414, 520, 527])
def test_other_answers_are_handed_over(door, wire, waits, status):
    """Everything else is for the adapter to judge, at once."""
    answer(wire, status)
    assert door.get(URL).status_code == status
    assert waits == []


@pytest.mark.parametrize(
    ("body", "seconds"),
    [({"policyName": "TEN_SECONDLY_ROLLING"}, 10.0), ({"policyName": "SECONDLY"}, 1.0), ({}, 10.0), ([], 10.0)],
)
def test_limits_are_waited_for_by_policy(door, wire, waits, body, seconds):
    """A spent limit names its policy, and so how long to wait."""
    wire.get(URL, status=429, json=body)
    answer(wire, 200)
    door.get(URL)
    assert waits == [seconds]


def test_daily_limit_stops(door, wire, waits):
    """Nobody waits for tomorrow."""
    wire.get(URL, status=429, json={"policyName": "DAILY"}, headers={"Retry-After": "1"})
    with pytest.raises(Unreachable, match="used up") as caught:
        door.get(URL)
    assert (caught.value.cause, waits) == (ProblemClass.API_LIMIT, [])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 2.0), ("0", 2.0), ("86400", LONGEST_WAIT), ("inf", LONGEST_WAIT)],
)
def test_retry_after_is_obeyed(door, wire, waits, header, seconds):
    """The vendor says how long, up to two minutes; a locked record's two seconds are the least."""
    answer(wire, 423, headers={"Retry-After": header})
    answer(wire, 200)
    door.get(URL)
    assert waits == [seconds]


def test_retry_after_may_be_a_date(door, wire, waits):
    """The other form that HTTP allows is understood too."""
    answer(
        wire, 503, headers={"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)}
    )
    answer(wire, 200)
    door.get(URL)
    assert waits == [pytest.approx(60, abs=2)]


@pytest.mark.parametrize("header", ["soon", "", "Thu, 99 Foo 2026"])
def test_strange_retry_after_is_passed_over(door, wire, waits, header):
    """A header that says nothing does not break the run; the wait is our own."""
    answer(wire, 503, headers={"Retry-After": header})
    answer(wire, 200)
    door.get(URL)
    assert 1 <= waits[0] <= 3


def page(wire, *bodies):
    for body in bodies:
        wire.get(URL, body=body, content_type="text/html;charset=UTF-8")


def test_a_page_in_place_of_data_is_no_answer(door, wire, waits):
    """A proxy or maintenance answers 200 with HTML: it is tried again, and not mistaken for data."""
    page(wire, "<html>Sorry</html>")
    answer(wire, 200)
    assert door.get(URL).json() == {}
    assert len(waits) == 1


def test_once_does_not_repeat_after_a_page(door, wire, waits):
    """Whether the call got through is not known."""
    page(wire, "<html>Sorry</html>")
    with door.once(), pytest.raises(Unreachable, match="must not be repeated"):
        door.get(URL)
    assert waits == []


def test_waits_grow_and_end(door, wire, waits):
    """Without advice the waits grow, and after the last try the CRM is unreachable."""
    answer(wire, *[503] * ATTEMPTS)
    with pytest.raises(Unreachable, match="HTTP 503") as caught:
        door.get(URL)
    assert (caught.value.side, caught.value.cause) == (Side.HUBSPOT, ProblemClass.CONNECTION)
    assert len(waits) == ATTEMPTS - 1
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0]
    assert door.calls == ATTEMPTS


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("reset"),
        requests.ConnectTimeout("slow"),
        requests.ReadTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("cut"),
        requests.exceptions.SSLError("reset while shaking hands"),
    ],
)
def test_lost_connections_are_tried_again(door, wire, waits, error):
    """A connection that was lost on the way is made anew."""
    wire.get(URL, body=error)
    answer(wire, 200)
    assert door.get(URL).status_code == 200
    assert len(waits) == 1


def test_wrong_addresses_are_not_tried_again(door, waits):
    """No patience mends an address."""
    with pytest.raises(Unreachable) as caught:
        door.get("gopher://crm.example/")
    assert (waits, caught.value.remedy) == ([], "check the address in the settings")


@pytest.mark.parametrize("error", [requests.ReadTimeout("slow"), requests.ConnectionError("reset")])
def test_once_does_not_repeat_the_unknown(door, wire, waits, error):
    """A call that may have got through is not sent twice where that would double a record."""
    wire.post(URL, body=error)
    with door.once(), pytest.raises(Unreachable, match="must not be repeated"):
        door.post(URL)
    assert (waits, door.calls) == ([], 1)


@pytest.mark.parametrize("status", [500, 502, 504, 522])
def test_once_does_not_repeat_after_a_broken_answer(door, wire, waits, status):
    """A gateway that lost the answer does not say whether the call got through."""
    wire.post(URL, status=status)
    with door.once(), pytest.raises(Unreachable, match="must not be repeated"):
        door.post(URL)
    assert waits == []


@pytest.mark.parametrize("status", [423, 429, 477, 503])
def test_once_repeats_what_was_turned_away(door, wire, waits, status):
    """A call that the vendor turned away can be made again without harm."""
    wire.post(URL, status=status)
    wire.post(URL, json={})
    with door.once():
        assert door.post(URL).status_code == 200
    assert len(waits) == 1


def test_once_repeats_what_was_never_sent(door, wire, waits):
    """A connection that was never made carried nothing."""
    wire.post(URL, body=requests.ConnectTimeout("slow"))
    wire.post(URL, json={})
    with door.once():
        door.post(URL)
    assert len(waits) == 1


def test_once_ends_with_its_block(door, wire, waits):
    """Behind the block calls are repeated again, even if it was left by an error."""
    wire.get(URL, body=requests.ReadTimeout("slow"))
    wire.get(URL, body=requests.ReadTimeout("slow"))
    answer(wire, 200)
    with pytest.raises(Unreachable), door.once():
        door.get(URL)
    door.get(URL)
    assert len(waits) == 1


def test_calls_are_counted_as_the_vendor_does(wire, waits):
    """Every try counts; a login does not."""
    door = Door(Side.SALESFORCE, salesforce.judge, counts=salesforce.is_counted, sleep=waits.append)
    login, data = "https://org.example/services/oauth2/token", "https://org.example/services/data/v62.0/limits"
    wire.post(login, json={})
    wire.get(data, status=503)
    wire.get(data, json={})
    door.post(login)
    door.get(data)
    assert door.calls == 2


def test_time_is_the_servers(door, wire):
    """The time of the last answer is known; of an answer that tells none or nonsense, the one before."""
    assert door.server_time is None
    stamp = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    answer(wire, 200, headers={"Date": format_datetime(stamp, usegmt=True)})
    answer(wire, 200)
    answer(wire, 200, headers={"Date": "some day"})
    for _ in range(3):
        door.get(URL)
        assert door.server_time == stamp


@pytest.mark.parametrize(
    "happening",
    [
        {"body": requests.ConnectionError(f"proxy said {SECRET}")},
        {"body": requests.exceptions.InvalidHeader(f"bad value: {SECRET}")},
        {"body": requests.TooManyRedirects(f"to {SECRET}")},
        {"status": 401, "json": {"message": f"bad token {SECRET}"}},
        {"status": 403, "json": {"message": f"{SECRET} may not"}},
        {"status": 503, "body": SECRET},
        {"status": 429, "json": {"policyName": "DAILY", "message": SECRET}},
    ],
)
def test_secrets_are_in_no_message(door, happening, caplog):
    """Whatever goes wrong, neither the error, what caused it, nor a log line tells a secret."""
    caplog.set_level(logging.DEBUG)
    with responses.RequestsMock() as wire:
        wire.get(URL, **happening)
        with pytest.raises(Unreachable) as caught:
            door.get(URL, headers={"Authorization": f"Bearer {SECRET}"})
    told = [caught.value.message, caught.value.remedy, str(caught.value), repr(caught.value), caplog.text]
    assert not any(SECRET in one for one in told)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_credentials_show_no_secret():
    """Credentials can be printed."""
    shown = repr(salesforce.SalesforceCredentials("https://x", SECRET, SECRET, SECRET, "me", SECRET, SECRET))
    assert "me" in shown
    assert SECRET not in shown + repr(hubspot.HubSpotCredentials("https://x", SECRET))


def test_plain_http_for_loopback(wire):
    """A client that insists on https reaches a plain port of this machine."""
    door = Door(Side.SALESFORCE, salesforce.judge, mounts={"https://127.0.0.1:9": PlainLoopback()})
    wire.get("http://127.0.0.1:9/services/data/", json=[])
    assert door.get("https://127.0.0.1:9/services/data/").json() == []


def test_a_request_that_may_write_is_confirmed_before_each_try(wire):
    """So that a run that lost its lease while it waited does not try again; what only reads needs no leave."""
    confirmed = []
    door = Door(
        Side.HUBSPOT,
        hubspot.judge,
        sleep=lambda _: None,
        writes=hubspot.may_write,
        confirm=lambda: confirmed.append(len(wire.calls)),
    )
    for status in (503, 429, 200):
        wire.post(URL, status=status, json={})
    assert door.post(URL, json={}).status_code == 200
    assert confirmed == [0, 1, 2]
    for method, path in (("GET", URL), ("POST", f"{URL}/search"), ("POST", f"{URL}/batch/read")):
        wire.add(method, path, json={})
        door.request(method, path)
    assert confirmed == [0, 1, 2]


def test_what_is_not_confirmed_is_not_sent(wire):
    """Nothing reaches the CRM, and nothing is counted."""

    def refuse() -> None:
        raise Busy("another run has taken over")

    door = Door(Side.HUBSPOT, hubspot.judge, confirm=refuse)
    with pytest.raises(Busy):
        door.post(URL, json={})
    assert (len(wire.calls), door.calls) == (0, 0)
