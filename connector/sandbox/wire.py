"""How a request reaches a sandbox and an answer leaves it, whatever carries them.

The two types here are all that a sandbox knows of HTTP. `transport.py` makes them from prepared requests in
process, `server.py` from a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower case; `query` keeps repeated keys and their order."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = "http://127.0.0.1"

    @classmethod
    def make(cls, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Request:
        """From an absolute URL. The path is percent-decoded, a trailing slash is kept."""
        parts = urlsplit(url)
        return cls(
            method=method.upper(),
            path=unquote(parts.path) or "/",
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            origin=f"{parts.scheme}://{parts.netloc}",
        )

    def first(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def every(self, name: str) -> list[str]:
        """All values of a query parameter, repeated (`p=a&p=b`) and comma-joined (`p=a,b`) alike."""
        return [part for key, value in self.query if key == name for part in value.split(",") if part]

    def json(self) -> Any:
        """The body as JSON. Raises `ValueError` when it is not JSON; an empty body is `None`."""
        return orjson.loads(self.body) if self.body.strip() else None

    def form(self) -> dict[str, str]:
        """The body as a form (`application/x-www-form-urlencoded`)."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Disconnected(Exception):
    """Raised by a handler: the connection breaks, and the client gets no answer."""


class TimedOut(Exception):
    """Raised by a handler: no answer ever comes, and the client waits until it gives up."""


@dataclass(slots=True)
class Response:
    """One HTTP response. Header names are sent in the spelling given here.

    With `cut`, the connection breaks after so many bytes of the body, whose full length has been announced.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """A JSON answer."""
        typed = {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}
        return cls(status, orjson.dumps(value), typed)


Handler = Callable[[Request], Response]


@runtime_checkable
class Ticking(Protocol):
    """A handler that also does things of its own accord, given a moment for it every second while it is served."""

    async def tick(self) -> None: ...
