"""Both sandboxes over ports of this machine, until interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from connector.sandbox.wire import Handler, Request

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]


def application(handler: Handler) -> Starlette:
    """An ASGI application around one sandbox. Requests are answered one at a time, in order of arrival."""

    async def endpoint(incoming: HttpRequest) -> HttpResponse:
        headers = dict(incoming.headers.items())
        answer = handler(Request.make(incoming.method, str(incoming.url), headers, await incoming.body()))
        return HttpResponse(answer.body, answer.status, answer.headers)

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=_METHODS)])


class _Server(uvicorn.Server):
    """One of several servers in a process: the signals are handled once, by whoever runs them all."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int = 0) -> socket.socket:
    """A listening socket on the loopback address; port 0 takes a free one. Raises `OSError` if taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


def serve(served: dict[socket.socket, Handler], ready: Callable[[], None] = lambda: None) -> None:
    """Serve each handler on its socket until SIGINT or SIGTERM; `ready` is called once all of them answer."""
    asyncio.run(_serve(served, ready))


async def _serve(served: dict[socket.socket, Handler], ready: Callable[[], None]) -> None:
    servers = {sock: _new_server(handler) for sock, handler in served.items()}

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


def _new_server(handler: Handler) -> _Server:
    # A sandbox dates its answers by its own clock, so uvicorn must not add a second Date header.
    config = uvicorn.Config(
        application(handler),
        log_level="warning",
        access_log=False,
        lifespan="off",
        date_header=False,
        server_header=False,
    )
    return _Server(config)


@contextlib.contextmanager
def serving(*handlers: Handler) -> Iterator[list[str]]:
    """Serve handlers in a background thread while the block runs; yields their base URLs in order."""
    socks = [listen() for _ in handlers]
    servers = [_new_server(handler) for handler in handlers]

    async def run() -> None:
        await asyncio.gather(*(server.serve(sockets=[s]) for server, s in zip(servers, socks, strict=True)))

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    while not all(server.started for server in servers):
        thread.join(0.01)
    try:
        yield [f"http://127.0.0.1:{sock.getsockname()[1]}" for sock in socks]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()
        for sock in socks:
            sock.close()
