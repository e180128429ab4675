"""A sandbox as the transport under a `requests.Session`: same client code, no socket.

What `requests` makes of a broken connection it makes of it here too:

| the sandbox | `requests` raises |
|---|---|
| breaks the connection (`Disconnected`) | `ConnectionError` |
| never answers (`TimedOut`) | `ReadTimeout`, at once: nobody waits in process |
| cuts the body (`Response.cut`) | `ChunkedEncodingError`, when the body is read |
"""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from http.client import responses as reasons
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPResponse

from connector.sandbox.hosts import HUBSPOT, SALESFORCE, vendor_of
from connector.sandbox.wire import Disconnected, Handler, Request, Response, TimedOut


def sandbox_session(salesforce: Handler | None = None, hubspot: Handler | None = None) -> requests.Session:
    """A session for which the vendors' hosts are these sandboxes, and no other host exists.

    Any host of a vendor will do: Salesforce's sign-in hosts, every My Domain, `api.hubapi.com`. Another host,
    or that of a vendor without a sandbox, is a `requests.exceptions.ConnectionError`. Proxies, `.netrc` and
    certificates of the environment are not looked at.
    """
    given = {SALESFORCE: salesforce, HUBSPOT: hubspot}
    adapter = _ByHost({name: SandboxAdapter(handler) for name, handler in given.items() if handler is not None})
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class SandboxAdapter(BaseAdapter):
    """Answers every request sent through it with `handler`, in the caller's own thread, one at a time."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler
        self._turn = threading.RLock()  # a handler may call back through the session it was called by

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        headers = {name: _text(value) for name, value in request.headers.items()}
        asked = Request.make(request.method or "GET", request.url or "", headers, _body(request))
        try:
            with self._turn:
                answer = self._handler(asked)
        except Disconnected:
            raise requests.exceptions.ConnectionError("the sandbox broke the connection", request=request) from None
        except TimedOut:
            raise requests.exceptions.ReadTimeout("the sandbox does not answer", request=request) from None
        return self._respond(request, answer)

    def _respond(self, request: requests.PreparedRequest, answer: Response) -> requests.Response:
        response = requests.Response()
        response.status_code = answer.status
        response.reason = reasons.get(answer.status, "")
        response.headers = CaseInsensitiveDict(announced(answer))
        body = b"" if request.method == "HEAD" else answer.body[: answer.cut]
        response.raw = HTTPResponse(
            body=io.BytesIO(body),
            status=answer.status,
            headers=response.headers,
            reason=response.reason,
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        response.encoding = get_encoding_from_headers(response.headers)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is held open."""


class _ByHost(BaseAdapter):
    """Passes each request on to the vendor whose host it names."""

    def __init__(self, vendors: Mapping[str, SandboxAdapter]) -> None:
        super().__init__()
        self._vendors = vendors

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        host = urlsplit(request.url or "").hostname or ""
        adapter = self._vendors.get(vendor_of(host) or "")
        if adapter is None:
            message = f"no sandbox answers for {host}, and nothing leaves this machine"
            raise requests.exceptions.ConnectionError(message, request=request)
        return adapter.send(request, *args, **kwargs)

    def close(self) -> None:
        """Nothing is held open."""


def announced(answer: Response) -> dict[str, str]:
    """The headers as they are sent: with the length of the whole body, where a body may be."""
    if answer.status < 200 or answer.status in {204, 304}:
        return answer.headers
    return {**answer.headers, "Content-Length": str(len(answer.body))}


def _body(request: requests.PreparedRequest) -> bytes:
    body = request.body or b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray) else b"".join(body)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
