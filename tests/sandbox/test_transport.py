"""A sandbox under a session, without a socket: what `requests` makes of its answers, and which hosts there are."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest
import requests

from connector.sandbox.hosts import vendor_of
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.transport import SandboxAdapter, sandbox_session
from connector.sandbox.wire import Disconnected, Request, Response, TimedOut


def failing(error):
    def handler(_: Request) -> Response:
        raise error

    return handler


def naming(name):
    return lambda request: Response.json({"who": name, "origin": request.origin})


@pytest.fixture
def session():
    with sandbox_session(naming("salesforce"), naming("hubspot")) as session:
        yield session


def test_every_host_of_a_vendor_is_its_sandbox(session):
    """One line, and clients that have the vendors' hosts built in reach the sandboxes, any My Domain included."""
    hosts = {
        "login.salesforce.com": "salesforce",
        "acme--uat.sandbox.my.salesforce.com": "salesforce",
        "api.hubapi.com": "hubspot",
    }
    for host, vendor in hosts.items():
        answer = session.get(f"https://{host}/x", timeout=1)
        assert answer.json() == {"who": vendor, "origin": f"https://{host}"}


def test_the_example_of_the_readme():
    """It runs as it stands, and its last line answers what is said beside it."""
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    lines = re.search(r"(?:^ {4}from connector\.sandbox.*\n)+\n(?:^ {4}.*\n)+", text, re.MULTILINE)[0]
    *setting, last = textwrap.dedent(lines).splitlines()
    call, said = last.split("  # ")
    names = {}
    exec("\n".join(setting), names)
    assert eval(call, names) == json.loads(said)


def test_no_other_host_exists():
    """Another host, or that of a vendor without a sandbox, cannot be reached."""
    with sandbox_session(hubspot=naming("hubspot")) as session:
        for url in ("https://example.com/", "http://127.0.0.1:1/", "https://login.salesforce.com/"):
            with pytest.raises(requests.exceptions.ConnectionError, match="nothing leaves this machine"):
                session.get(url, timeout=1)


@pytest.mark.parametrize(
    ("host", "vendor"),
    [
        ("login.salesforce.com", "salesforce"),
        ("TEST.Salesforce.com.", "salesforce"),
        ("acme.lightning.force.com", "salesforce"),
        ("api-eu1.hubapi.com", "hubspot"),
        ("api.hubspot.com", "hubspot"),
        ("www.hubspot.com", None),
        ("salesforce.com.example.com", None),
        ("notsalesforce.com", None),
        ("", None),
    ],
)
def test_whose_host(host, vendor):
    """A host is a vendor's by its ending, not by what is in it."""
    assert vendor_of(host) == vendor


@pytest.mark.parametrize(
    ("origin", "instance"),
    [
        ("https://login.salesforce.com", "https://example.my.salesforce.com"),
        ("https://test.salesforce.com", "https://example.my.salesforce.com"),
        ("https://other.my.salesforce.com", "https://other.my.salesforce.com"),
    ],
)
def test_signing_in_leads_to_the_org(origin, instance):
    """From the common sign-in hosts a client is sent to the org's My Domain; at a My Domain it stays."""
    org = SalesforceSandbox()
    form = {
        "grant_type": "password", "client_id": org.consumer_key, "client_secret": org.consumer_secret,
        "username": org.username, "password": org.password,
    }  # fmt: skip
    with sandbox_session(salesforce=org) as session:
        told = session.post(f"{origin}/services/oauth2/token", data=form, timeout=1).json()
        assert told["instance_url"] == instance
        session.headers["Authorization"] = f"Bearer {told['access_token']}"
        assert session.get(f"{told['instance_url']}/services/data/v62.0/sobjects", timeout=1).ok


@pytest.mark.parametrize(
    ("error", "raised"),
    [(Disconnected, requests.exceptions.ConnectionError), (TimedOut, requests.exceptions.ReadTimeout)],
)
def test_lost_answers_are_those_of_requests(error, raised):
    """A broken connection and an answer that never comes are what `requests` raises for them, with the request."""
    with sandbox_session(hubspot=failing(error)) as session, pytest.raises(raised) as caught:
        session.get("https://api.hubapi.com/x", timeout=1)
    assert type(caught.value) is raised
    assert caught.value.request.url == "https://api.hubapi.com/x"


@pytest.mark.parametrize("cut", [0, 4])
def test_a_cut_body_breaks_while_it_is_read(cut):
    """Status and headers arrive, with the whole length; then the body ends too early."""
    with sandbox_session(hubspot=lambda _: Response(200, b"0123456789", cut=cut)) as session:
        answer = session.get("https://api.hubapi.com/x", timeout=1, stream=True)
        assert (answer.status_code, answer.headers["Content-Length"]) == (200, "10")
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match=f"{cut} bytes read, {10 - cut} more"):
            answer.content  # noqa: B018  # reading is what fails
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get("https://api.hubapi.com/x", timeout=1)


def test_a_whole_body_is_whole():
    """The length announced is that of the body, also where nothing but the headers is asked for."""
    with sandbox_session(hubspot=lambda _: Response(200, b"0123456789")) as session:
        assert session.get("https://api.hubapi.com/x", timeout=1).content == b"0123456789"
        assert session.head("https://api.hubapi.com/x", timeout=1).headers["Content-Length"] == "10"


def test_no_length_where_no_body_may_be():
    """204 announces none."""
    with sandbox_session(hubspot=lambda _: Response(204)) as session:
        assert "Content-Length" not in session.delete("https://api.hubapi.com/x", timeout=1).headers


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [("text/csv", "ISO-8859-1"), ("text/csv; charset=UTF-8", "UTF-8"), ("application/json", "utf-8"), (None, None)],
)
def test_text_is_read_as_requests_reads_it(content_type, encoding):
    """The encoding is what the header says, or the default of `requests` for the type."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    with sandbox_session(hubspot=lambda _: Response(200, b"x", headers)) as session:
        assert session.get("https://api.hubapi.com/x", timeout=1).encoding == encoding


@pytest.mark.parametrize("body", [b"abc", "abc", bytearray(b"abc"), iter([b"a", b"bc"])])
def test_bodies_of_every_kind(body):
    """Bytes, text and streams arrive as the same bytes."""
    with sandbox_session(hubspot=lambda request: Response(200, request.body)) as session:
        assert session.post("https://api.hubapi.com/x", data=body, timeout=1).content == b"abc"


def test_a_sandbox_may_call_back():
    """A handler that uses the session it was called by is answered, instead of waiting for itself."""
    session = requests.Session()

    def handler(request: Request) -> Response:
        inner = session.get("https://api.hubapi.com/inner", timeout=1) if request.path == "/outer" else None
        return Response(200, inner.content + b"!" if inner else b"inner")

    session.mount("https://", SandboxAdapter(handler))
    assert session.get("https://api.hubapi.com/outer", timeout=1).content == b"inner!"
