"""Both sandboxes over ports of this machine, until interrupted.

An application here is ASGI and no more: it reads a request, asks the sandbox, and sends the answer, each header
in the vendor's own spelling. Where the sandbox wants a connection to fail, it does so on the socket:

| the sandbox | the client sees |
|---|---|
| breaks the connection (`Disconnected`) | its end, without an answer |
| never answers (`TimedOut`) | nothing, until it leaves or ten minutes have passed |
| cuts the body (`Response.cut`) | the whole length announced, a part of the body, then the end |
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from connector.sandbox.transport import announced
from connector.sandbox.wire import Disconnected, Handler, Request, Response, Ticking, TimedOut

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PATIENCE = 600.0  # seconds for which a connection is held without an answer
_KEPT_ALIVE = 60  # seconds; longer than clients pause between two looks at a job
_TICK = 1  # seconds between two moments that a sandbox gets for what it does of its own accord
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Application:
    """An ASGI application around one sandbox. Requests are answered one at a time, in order of arrival."""

    def __init__(self, handler: Handler, patience: float = PATIENCE) -> None:
        self._handler = handler
        self._patience = patience

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        connection: asyncio.Transport = scope["state"]["connection"]
        try:
            answer = self._handler(_request(scope, body))
        except Disconnected:
            connection.abort()
        except TimedOut:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await _see_off(receive)
            connection.abort()
        else:
            await _answer(answer, send)
            if answer.cut is None:
                return
            connection.close()
        await _see_off(receive)


async def _read(receive: Receive) -> bytes | None:
    """The whole body of a request, or None when the client left before it was complete."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message["body"]
        if not message["more_body"]:
            return bytes(body)


def _request(scope: Message, body: bytes) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    scheme = scope["scheme"]
    host = headers.get("host") or ":".join(map(str, scope["server"]))
    target = scope["raw_path"].decode("ascii")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    origin = f"{scheme}://{host.removesuffix(_DEFAULT_PORTS[scheme])}"
    return Request.make(scope["method"], origin + target, headers, body)


async def _answer(answer: Response, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in announced(answer).items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    cut = answer.cut is not None
    await send({"type": "http.response.body", "body": answer.body[: answer.cut], "more_body": cut})


async def _see_off(receive: Receive) -> None:
    """Wait until the connection is gone, so that the server does not answer in the sandbox's place."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _Protocol(H11Protocol):
    """Tells the application which connection it answers on, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent does
        super().connection_made(transport)
        self.app_state = {"connection": transport}


class _Server(uvicorn.Server):
    """One of several servers in a process: the signals are handled once, by whoever runs them all."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Answers are complete as soon as they are begun. What is still open is idle, or held without an
        # answer, and over TLS each would be waited for.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def listen(port: int = 0) -> socket.socket:
    """A listening socket on the loopback address; port 0 takes a free one. Raises `OSError` if taken."""
    # Only of a socket that says it is TCP does asyncio switch Nagle's algorithm off, which would hold every answer
    # on a kept connection back for 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(listening: socket.socket, tls: ssl.SSLContext | None = None) -> str:
    """The base URL of what is served on a socket."""
    return f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}"


def serve(
    served: dict[socket.socket, Handler],
    ready: Callable[[], None] = lambda: None,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Serve each handler on its socket until SIGINT or SIGTERM; `ready` is called once all of them answer.

    With `tls`, over HTTPS only.
    """
    asyncio.run(_serve(served, ready, tls))


async def _serve(
    served: dict[socket.socket, Handler], ready: Callable[[], None], tls: ssl.SSLContext | None
) -> None:
    servers = {sock: _new_server(handler, tls) for sock, handler in served.items()}

    def stop() -> None:
        for server in servers.values():
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(server.serve(sockets=[sock])) for sock, server in servers.items()]
    while not all(server.started for server in servers.values()):  # noqa: ASYNC110  # uvicorn offers no event
        await asyncio.sleep(0.01)
    ready()
    await asyncio.gather(*tasks)


def _new_server(handler: Handler, tls: ssl.SSLContext | None, patience: float = PATIENCE) -> _Server:
    # A sandbox dates its answers by its own clock, so uvicorn must not add a second Date header; and clients
    # that send forwarding headers mean a vendor's load balancer, not this server.
    config = uvicorn.Config(
        Application(handler, patience),
        http=_Protocol,
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=_KEPT_ALIVE,
        callback_notify=handler.tick if isinstance(handler, Ticking) else None,
        timeout_notify=_TICK,
        ssl_context_factory=None if tls is None else lambda *_: tls,
    )
    return _Server(config)


@contextlib.contextmanager
def serving(
    *handlers: Handler, tls: ssl.SSLContext | None = None, patience: float = PATIENCE
) -> Iterator[list[str]]:
    """Serve handlers in a background thread while the block runs; yields their base URLs in order."""
    socks = [listen() for _ in handlers]
    servers = [_new_server(handler, tls, patience) for handler in handlers]

    async def run() -> None:
        await asyncio.gather(*(server.serve(sockets=[s]) for server, s in zip(servers, socks, strict=True)))

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    while not all(server.started for server in servers):
        thread.join(0.01)
    try:
        yield [url_of(sock, tls) for sock in socks]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()
        for sock in socks:
            sock.close()
