"""A sandbox on a port, plain and with TLS: requests arrive as they were sent, answers and failures as meant."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests

from connector.sandbox.server import listen, serving
from connector.sandbox.tls import Authority
from connector.sandbox.wire import Disconnected, Request, Response, TimedOut

BODY = bytes(range(256))


def handler(request: Request) -> Response:
    """Tells what was asked, or fails as the path says."""
    if request.path == "/gone":
        raise Disconnected
    if request.path == "/mute":
        raise TimedOut
    if request.path.startswith("/cut/"):
        return Response(200, BODY, {"Content-Type": "text/csv"}, cut=int(request.path.removeprefix("/cut/")))
    if request.path == "/empty":
        return Response(204)
    if request.path == "/broken":
        raise RuntimeError("a fault of the sandbox itself")
    told = {"method": request.method, "path": request.path, "query": request.query, "origin": request.origin}
    return Response.json({**told, "body": request.body.decode()}, headers={"Sforce-Limit-Info": "api-usage=1/2"})


@pytest.fixture(scope="module", params=["http", "https"])
def port(request, tmp_path_factory):
    """`(base URL, what to verify by)` of a handler on a port."""
    authority = Authority()
    bundle = authority.write_bundle(tmp_path_factory.mktemp("ca"))
    tls = authority.server_context() if request.param == "https" else None
    with serving(handler, tls=tls) as (url,):
        yield url, str(bundle)


@pytest.fixture
def client(port):
    with requests.Session() as session:
        session.trust_env = False
        session.verify = port[1]
        yield session


def test_a_request_arrives_as_it_was_sent(port, client):
    """Method, decoded path, repeated and encoded parameters, body; the origin is scheme, host and port."""
    answer = client.patch(f"{port[0]}/a%2525%20b/?x=1%2B&x=&y=%C3%A9", data="{}", timeout=5)
    assert answer.json() == {
        "method": "PATCH", "path": "/a%25 b/", "query": [["x", "1+"], ["x", ""], ["y", "é"]], "origin": port[0],
        "body": "{}",
    }  # fmt: skip


def test_any_method_reaches_the_sandbox(port, client):
    """What is not allowed is the vendor's to say."""
    assert client.request("PURGE", f"{port[0]}/", timeout=5).json()["method"] == "PURGE"


def test_the_host_that_a_client_names_is_the_origin(port, client):
    """Behind a tunnel a client means the vendor's host; the default port is not told, another one is."""
    scheme = urlsplit(port[0]).scheme
    default = {"http": 80, "https": 443}[scheme]
    for host, origin in (("a.hubapi.com", "a.hubapi.com"), (f"a:{default}", "a"), ("a:99", "a:99")):
        told = client.get(port[0], headers={"Host": host, "X-Forwarded-Proto": "gopher"}, timeout=5).json()
        assert told["origin"] == f"{scheme}://{origin}"


def test_headers_keep_their_spelling(port):
    """Salesforce writes `Sforce-Limit-Info`, and there are clients that look for exactly that."""
    address = urlsplit(port[0])
    if address.scheme == "https":
        context = ssl.create_default_context(cafile=port[1])
        line = http.client.HTTPSConnection(address.netloc, context=context, timeout=5)
    else:
        line = http.client.HTTPConnection(address.netloc, timeout=5)
    line.request("GET", "/")
    answer = line.getresponse()
    names = [name for name, _ in answer.getheaders()]
    line.close()
    assert names == ["Content-Type", "Sforce-Limit-Info", "Content-Length"]


def test_answers_are_not_held_back():
    """A connection is of the kind of its listener; only for one that says it is TCP asyncio puts nothing off."""
    with listen() as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP


def test_an_empty_answer_has_no_length(port, client):
    """204, and the connection is good for the next request."""
    assert "Content-Length" not in client.delete(f"{port[0]}/empty", timeout=5).headers
    assert client.get(port[0], timeout=5).ok


def test_a_broken_connection(port, client, caplog):
    """The client sees the end of the connection and no answer; the next request goes well; nothing is logged."""
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        client.get(f"{port[0]}/gone", timeout=5)
    assert "RemoteDisconnected" in repr(caught.value)
    assert client.get(port[0], timeout=5).ok
    assert caplog.records == []


def test_an_answer_that_never_comes(port, client, caplog):
    """The client waits until it gives up, while others are answered."""
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.get(f"{port[0]}/mute", timeout=(5, 0.05))
    assert client.get(port[0], timeout=5).ok
    assert caplog.records == []


def collect(answer, into):
    for piece in answer.iter_content(1):
        into += piece


@pytest.mark.parametrize("cut", [0, 1, len(BODY) - 1])
def test_a_cut_body(port, client, cut, caplog):
    """The whole length is announced, a part arrives, and the connection ends."""
    with client.get(f"{port[0]}/cut/{cut}", timeout=5, stream=True) as answer:
        assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(len(BODY)))
        arrived = bytearray()
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            collect(answer, arrived)
    assert arrived == BODY[:cut]
    assert client.get(port[0], timeout=5).ok
    assert caplog.records == []


def test_a_fault_of_the_sandbox_is_told(port, client, caplog):
    """An error that no vendor would make is a 500, and in the log."""
    assert client.get(f"{port[0]}/broken", timeout=5).status_code == 500
    assert "a fault of the sandbox itself" in caplog.text


def test_silence_has_an_end():
    """When the time for it is over, a connection without an answer breaks."""
    with serving(handler, patience=0) as (url,), pytest.raises(requests.exceptions.ConnectionError) as caught:
        requests.get(f"{url}/mute", timeout=30)
    assert not isinstance(caught.value, requests.exceptions.Timeout)


def test_a_client_that_leaves_early_asks_nothing():
    """Half a request never reaches the sandbox."""
    asked = []
    with serving(lambda request: asked.append(request.path) or Response(204)) as (url,):
        with socket.create_connection(("127.0.0.1", urlsplit(url).port)) as line:
            line.sendall(b"POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        requests.get(f"{url}/whole", timeout=5)
    assert asked == ["/whole"]


@pytest.mark.parametrize("secured", [False, True])
def test_stopping_waits_for_nobody(secured, tmp_path):
    """Neither an idle connection nor one that is held without an answer keeps a server from stopping."""
    authority = Authority()
    bundle = str(authority.write_bundle(tmp_path))
    held = threading.Event()
    failures = []

    def silent(request: Request) -> Response:
        if request.path == "/mute":
            held.set()
        return handler(request)

    def wait(url: str) -> None:
        try:
            requests.get(f"{url}/mute", timeout=60, verify=bundle)
        except requests.exceptions.RequestException as error:
            failures.append(type(error))

    with requests.Session() as idle:
        idle.trust_env = False
        idle.verify = bundle
        with serving(silent, tls=authority.server_context() if secured else None) as (url,):
            idle.get(url, timeout=5)
            waiting = threading.Thread(target=wait, args=(url,))
            waiting.start()
            assert held.wait(10)
            stopping = time.monotonic()
        assert time.monotonic() - stopping < 10
        waiting.join()
    assert failures == [requests.exceptions.ConnectionError]


class Busy:
    """A sandbox that does something of its own accord."""

    def __init__(self) -> None:
        self.ticked = threading.Event()

    def __call__(self, _: Request) -> Response:
        return Response(204)

    async def tick(self) -> None:
        self.ticked.set()


def test_a_sandbox_gets_its_moments_while_it_is_served():
    """What happens of its own accord, such as HubSpot's webhooks, needs no request to happen."""
    busy = Busy()
    with serving(busy):
        assert busy.ticked.wait(10)
