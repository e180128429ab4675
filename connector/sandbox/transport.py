"""A sandbox as the transport under a `requests.Session`: same client code, no socket."""

from __future__ import annotations

import io
from http.client import responses as reasons
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from connector.sandbox.wire import Handler, Request


class SandboxAdapter(BaseAdapter):
    """Answers every request sent through it with `handler`, in the caller's own thread."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes | bytearray):
            body = b"".join(body)
        headers = {name: _text(value) for name, value in request.headers.items()}
        answer = self._handler(Request.make(request.method or "GET", request.url or "", headers, bytes(body)))

        response = requests.Response()
        response.status_code = answer.status
        response.reason = reasons.get(answer.status, "")
        response.headers = CaseInsensitiveDict(answer.headers)
        response.raw = HTTPResponse(
            body=io.BytesIO(answer.body), status=answer.status, headers=answer.headers, preload_content=False
        )
        response.encoding = "utf-8"
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is held open."""


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
