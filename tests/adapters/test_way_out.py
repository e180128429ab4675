"""Where requests go, and where they do not: certificates, plain http, redirects, hosts that an answer names."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests
import responses

from connector.adapters import hubspot, salesforce
from connector.adapters.http import Door, PlainLoopback
from connector.adapters.hubspot import HubSpot, HubSpotCredentials
from connector.adapters.salesforce import Salesforce, SalesforceCredentials
from connector.core.model import Side
from connector.errors import Unreachable
from connector.sandbox.server import serving
from connector.sandbox.tls import Authority
from connector.sandbox.wire import Response

ORG = "https://acme.my.salesforce.com"
TOKEN = "canary-token-51c0"
KEYS = {"consumer_key": "canary-key-0d11", "consumer_secret": "canary-secret-88f2"}
USER = {"username": "me@acme.com", "password": "canary-pass-word", "security_token": "canary-sec-tok"}


@contextmanager
def listening(answer=None, **more):
    """A server that keeps what it is sent: `(address, requests)`."""
    heard = []

    def hear(request):
        heard.append(request)
        return answer(request) if answer else Response.json({})

    with serving(hear, **more) as (url,):
        yield url, heard


# --- certificates -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """`(address, bundle, heard)` of a server whose certificate nobody vouches for but the bundle."""
    authority = Authority()
    bundle = authority.write_bundle(tmp_path_factory.mktemp("ca"))
    with listening(tls=authority.server_context()) as (url, heard):
        yield url, bundle, heard


@pytest.mark.parametrize(
    "variable",
    ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONHTTPSVERIFY", "HTTPS_PROXY"],
)
def test_no_variable_makes_a_strangers_certificate_good(stranger, monkeypatch, variable):
    """Neither a bundle, nor a blank one, nor a switch of Python's: nothing is sent to whom nobody vouches for."""
    url, bundle, heard = stranger
    values = {"PYTHONHTTPSVERIFY": "0", "SSL_CERT_DIR": str(bundle.parent), "HTTPS_PROXY": "http://127.0.0.1:9"}
    for value in (values.get(variable, str(bundle)), ""):
        monkeypatch.setenv(variable, value)
        door = Door(Side.HUBSPOT, hubspot.judge, sleep=lambda _: None, attempts=1)
        with pytest.raises(Unreachable, match="SSLError"):
            door.get(url, headers={"Authorization": f"Bearer {TOKEN}"})
    assert heard == []


def test_a_client_cannot_turn_the_check_off(stranger):
    """Whatever a client of the door asks for, the certificate is checked."""
    url, _, heard = stranger
    door = Door(Side.SALESFORCE, salesforce.judge, sleep=lambda _: None, attempts=1)
    with pytest.raises(Unreachable, match="SSLError"):
        door.get(url, verify=False)
    assert heard == []


def test_an_authority_that_the_settings_name_is_trusted(stranger):
    """`network.ca_bundle` is the one way."""
    url, bundle, heard = stranger
    door = Door(Side.HUBSPOT, hubspot.judge, ca_bundle=str(bundle))
    assert door.get(url).json() == {}
    assert len(heard) == 1
    heard.clear()


def test_netrc_puts_nobody_elses_credentials_in(tmp_path, monkeypatch):
    """A `.netrc` of the user neither replaces our token nor goes anywhere."""
    with listening() as (url, heard):
        (tmp_path / ".netrc").write_text(f"machine {urlsplit(url).hostname} login me password of-netrc\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        door = Door(Side.HUBSPOT, hubspot.judge)
        door.get(url, headers={"Authorization": f"Bearer {TOKEN}"})
        door.get(url)
    assert [one.headers.get("authorization") for one in heard] == [f"Bearer {TOKEN}", None]


# --- plain http -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://api.hubapi.com/x", "http://10.0.0.1/x", "http://127.0.0.1.evil.example/x", "http://0.0.0.0/x",
        "http://localhost@evil.example/x", "ftp://127.0.0.1/x",
    ],
)  # fmt: skip
def test_plain_http_leaves_this_machine_never(url):
    """Whoever asks for it: the door does not open."""
    with responses.RequestsMock() as wire:
        door = Door(Side.HUBSPOT, hubspot.judge)
        with pytest.raises(Unreachable, match="nothing is sent but to https"):
            door.get(url)
        assert len(wire.calls) == 0


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.0.0.1.evil.example", "evil.example"])
def test_what_speaks_plainly_to_this_machine_speaks_https_to_others(host):
    """A name that begins like a loopback address is none."""
    with responses.RequestsMock() as wire:
        wire.get(f"https://{host}/", json={})
        door = Door(Side.SALESFORCE, salesforce.judge, mounts={"https://": PlainLoopback()})
        assert door.get(f"https://{host}/").json() == {}


def test_no_proxy_is_asked_for_this_machine():
    """What is plain would be read by the proxy."""
    with listening() as (proxy, at_proxy), listening() as (url, heard):
        door = Door(Side.HUBSPOT, hubspot.judge, proxy=proxy)
        door.get(url, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (len(at_proxy), len(heard)) == (0, 1)


# --- redirects --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 301), ("GET", 302), ("POST", 303), ("POST", 307), ("PUT", 308)]
)
def test_no_redirect_is_followed(method, status):
    """Neither the header nor the body goes where an answer points; the message names the host alone."""
    with listening() as (elsewhere, at_elsewhere):

        def send_on(_):
            return Response(status, b"", {"Location": f"{elsewhere}/?stolen={TOKEN}"})

        with listening(send_on) as (url, heard):
            door = Door(Side.SALESFORCE, salesforce.judge, secrets=[TOKEN])
            with pytest.raises(Unreachable, match=r"sends the call on to 127\.0\.0\.1, and redirects") as caught:
                door.request(method, url, data=TOKEN, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (len(heard), len(at_elsewhere)) == (1, 0)
    assert TOKEN not in f"{caught.value.message} {caught.value.remedy}"


def test_a_redirect_to_nowhere_is_not_taken_for_done():
    """A proxy that answers a deletion with 302 has deleted nothing."""
    door = Door(Side.HUBSPOT, hubspot.judge)
    crm = HubSpot(door, HubSpotCredentials("https://api.hubapi.com", TOKEN), searches_per_second=0)
    with responses.RequestsMock() as wire:
        wire.post("https://api.hubapi.com/crm/v3/objects/deals/batch/archive", status=302)
        with pytest.raises(Unreachable, match="redirects are not followed"):
            list(crm.delete("deals", ["1"]))


# --- hosts that an answer names ---------------------------------------------------------------------------


def salesforce_at(home, given):
    login = SalesforceCredentials(home, **given)
    door = Door(
        Side.SALESFORCE, salesforce.judge, home=home, secrets=login.secrets, sleep=lambda _: None, attempts=1
    )
    return Salesforce(door, login)


def signs_in_to(wire, given, server):
    """Lay ready a sign-in that leads to a server."""
    if "consumer_key" in given:
        wire.post(
            f"{ORG}/services/oauth2/token", json={"access_token": "canary-session-9a", "instance_url": server}
        )
    else:
        body = f"<r><sessionId>canary-session-9a</sessionId><serverUrl>{server}/services</serverUrl></r>"
        wire.post(f"{ORG}/services/Soap/u/62.0", body=body)


@pytest.mark.parametrize("given", [KEYS, USER], ids=["token", "soap"])
@pytest.mark.parametrize(
    "server",
    [
        "https://evil.example", "http://evil.example", "https://acme.my.salesforce.com.evil.example",
        "https://acme.my.salesforce.com@evil.example", "https://evilsalesforce.com", "https://127.0.0.1",
        "https://acme.my.salesforce.com:8443", "https://x\\.salesforce.com",
    ],
)  # fmt: skip
def test_a_sign_in_cannot_lead_out_of_salesforce(given, server):
    """The session goes to Salesforce or to the address of the settings, whatever the answer says."""
    with responses.RequestsMock() as wire:
        signs_in_to(wire, given, server)
        with pytest.raises(Unreachable) as caught:
            salesforce_at(ORG, given).probe()
        assert len(wire.calls) == 1
    told = f"{caught.value.message} {caught.value.remedy}"
    assert not any(one in told for one in ("canary", TOKEN))


@pytest.mark.parametrize("given", [KEYS, USER], ids=["token", "soap"])
@pytest.mark.parametrize("server", [ORG, "https://acme2.my.salesforce.com", "http://eu7.salesforce.com"])
def test_a_sign_in_may_lead_to_another_host_of_salesforce(given, server):
    """As after a My Domain got another name; by https, even if the answer says http."""
    host = urlsplit(server).hostname
    with responses.RequestsMock() as wire:
        signs_in_to(wire, given, server)
        wire.get(f"https://{host}/services/data/v62.0/limits", json={})
        salesforce_at(ORG, given).probe()
        assert wire.calls[-1].request.headers["Authorization"] == "Bearer canary-session-9a"


def test_a_next_page_cannot_lead_elsewhere():
    """The address of a next page is a path of the same host, whatever an answer makes of it."""
    page = {"done": False, "nextRecordsUrl": "@evil.example/next", "records": []}
    body = {"compositeResponse": [{"referenceId": name, "httpStatusCode": 200, "body": page} for name in NAMES]}
    with responses.RequestsMock() as wire:
        wire.post(f"{ORG}/services/data/v62.0/composite", json=body)
        with pytest.raises(Unreachable, match="nextRecordsUrl"):
            salesforce_at(ORG, {"session_id": TOKEN}).set_up()
        assert len(wire.calls) == 1


NAMES = ("users", "types", "stages")


@pytest.mark.parametrize("given", [KEYS, USER], ids=["token", "soap"])
@pytest.mark.parametrize("body", ["{}", "[]", '{"access_token": "x"}', "nothing", ""])
def test_a_sign_in_that_answers_nonsense_is_said(given, body):
    """No session in it, no JSON, no XML: a reason, and no traceback."""
    with responses.RequestsMock() as wire:
        wire.post(f"{ORG}/services/{'oauth2/token' if 'consumer_key' in given else 'Soap/u/62.0'}", body=body)
        with pytest.raises(Unreachable, match=r"refuses the login|answered the login"):
            salesforce_at(ORG, given).probe()


def test_an_app_that_nobody_approved_is_told_without_its_key():
    """simple-salesforce would print the key as a part of a warning."""
    with responses.RequestsMock() as wire, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        told = {"error": "invalid_grant", "error_description": "user hasn't approved this consumer"}
        wire.post(f"{ORG}/services/oauth2/token", status=400, json=told)
        with pytest.raises(Unreachable, match="approved this consumer"):
            salesforce_at(ORG, KEYS).probe()
    assert [str(one.message) for one in warned if KEYS["consumer_key"] in str(one.message)] == []


def test_sessions_of_requests_have_no_way_around(monkeypatch):
    """A prepared request that a client sends by itself passes the same checks."""
    door = Door(Side.HUBSPOT, hubspot.judge, home="https://api.hubapi.com")
    request = requests.Request("GET", "https://evil.example/").prepare()
    with responses.RequestsMock() as wire:
        with pytest.raises(Unreachable, match=r"nothing is sent but to api\.hubapi\.com"):
            door.send(request)
        assert len(wire.calls) == 0
