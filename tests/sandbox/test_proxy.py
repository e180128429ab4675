"""The proxy: clients that know only the vendors' hosts reach the sandboxes through it, and nothing else."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
import requests

from connector.sandbox.hosts import HUBSPOT, SALESFORCE
from connector.sandbox.proxy import proxying
from connector.sandbox.server import listen, serving
from connector.sandbox.tls import Authority
from connector.sandbox.wire import Disconnected, Response


def naming(name):
    def handler(request):
        if request.path == "/gone":
            raise Disconnected
        if request.path == "/cut":
            return Response(200, b"0123456789", cut=4)
        return Response.json({"who": name, "origin": request.origin, "size": len(request.body)})

    return handler


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """`(proxy's URL, bundle)` in front of two handlers."""
    authority = Authority()
    bundle = authority.write_bundle(tmp_path_factory.mktemp("ca"))
    with serving(naming(SALESFORCE), naming(HUBSPOT), tls=authority.server_context()) as urls:
        ports = dict(zip((SALESFORCE, HUBSPOT), (urlsplit(url).port for url in urls), strict=True))
        with listen() as listening, proxying(listening, ports) as url:
            yield url, str(bundle)


@pytest.fixture
def client(proxied):
    """A client configured by the two things that the environment would tell it."""
    url, bundle = proxied
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": url, "http": url}
        session.verify = bundle
        yield session


def say(proxied, request: bytes) -> str:
    """What the proxy answers to some bytes, to its last one."""
    with socket.create_connection((urlsplit(proxied[0]).hostname, urlsplit(proxied[0]).port), timeout=5) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65_536), b"")).decode()


@pytest.mark.parametrize(
    ("host", "who"),
    [
        ("login.salesforce.com", SALESFORCE),
        ("test.salesforce.com", SALESFORCE),
        ("acme--uat.sandbox.my.salesforce.com", SALESFORCE),
        ("acme.lightning.force.com", SALESFORCE),
        ("api.hubapi.com", HUBSPOT),
        ("api.hubspot.com", HUBSPOT),
    ],
)
def test_a_vendors_host_is_its_sandbox(client, host, who):
    """The sandbox answers, its certificate holds, and the origin is the vendor's address."""
    told = client.get(f"https://{host}/x", timeout=5).json()
    assert told == {"who": who, "origin": f"https://{host}", "size": 0}


def test_large_bodies_pass(client):
    """A tunnel carries more than its buffers hold."""
    assert client.post("https://api.hubapi.com/x", data=b"x" * 3_000_000, timeout=20).json()["size"] == 3_000_000


def test_a_sandbox_that_breaks_off_is_seen_through_the_proxy(client):
    """The end of the connection behind the tunnel is its end in front of it, in the middle of a body too."""
    with pytest.raises(requests.exceptions.ConnectionError):
        client.get("https://api.hubapi.com/gone", timeout=5)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get("https://api.hubapi.com/cut", timeout=5)
    assert client.get("https://api.hubapi.com/x", timeout=5).ok


@pytest.mark.parametrize(
    "url", ["https://example.com/", "https://salesforce.com.example.com/", "https://127.0.0.1/"]
)
def test_nothing_leaves_the_machine(client, url):
    """A host that is no vendor's is refused with 403, as the client tells."""
    with pytest.raises(requests.exceptions.ProxyError, match="403 Forbidden"):
        client.get(url, timeout=5)


@pytest.mark.parametrize("target", ["example.com:443", "api.hubapi.com:80", "api.hubapi.com", "[::1]:443", ":443"])
def test_a_refused_tunnel_says_why(proxied, target):
    """Another host, or another port than that of HTTPS: 403 and a sentence that names it."""
    answer = say(proxied, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert answer.startswith("HTTP/1.1 403 Forbidden\r\n")
    assert answer.endswith(f"\r\n\r\n{target} is not served by this sandbox, and nothing leaves this machine.\n")


def test_plain_http_is_refused_with_a_sentence(client):
    """The vendors' APIs are HTTPS; what comes without a tunnel goes nowhere."""
    answer = client.get("http://api.hubapi.com/x", timeout=5)
    assert answer.status_code == 403
    assert answer.text.startswith("This proxy opens tunnels (CONNECT) and nothing else")


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"CONNECT api.hubapi.com:443 SMTP/1\r\n\r\n",
        b"GET",
        b"x" * (65_536 + 4),  # the first length that is too much, so that no byte is left unread
    ],
)
def test_what_is_not_http(proxied, request_):
    """Half a request, an endless one, or none at all is answered 400."""
    answer = say(proxied, request_)
    assert answer.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith("\r\n\r\nThat is not an HTTP request.\n")


def test_a_vendor_without_a_sandbox_is_refused():
    """Where only one sandbox is served, the other vendor's hosts lead nowhere."""
    with listen() as listening, proxying(listening, {HUBSPOT: 1}) as url:
        answer = say((url, None), b"CONNECT login.salesforce.com:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith("HTTP/1.1 403 Forbidden\r\n")


def test_a_sandbox_that_is_gone_ends_the_connection():
    """With nothing behind the port, the client is not kept waiting."""
    with listen() as gone:
        port = gone.getsockname()[1]
    with listen() as listening, proxying(listening, {HUBSPOT: port}) as url:
        assert say((url, None), b"CONNECT api.hubapi.com:443 HTTP/1.1\r\n\r\n") == ""


def test_stopping_ends_open_tunnels():
    """A tunnel in use does not outlive the proxy."""
    with listen() as behind, listen() as listening:
        with proxying(listening, {HUBSPOT: behind.getsockname()[1]}) as url:
            line = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=5)
            line.sendall(b"CONNECT api.hubapi.com:443 HTTP/1.1\r\n\r\n")
            assert line.recv(1000) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        with line:
            assert line.recv(1000) == b""
