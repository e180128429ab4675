"""How do clients that know only the vendors' hosts find the sandbox? Through a proxy that leads nowhere else.

It speaks HTTP's CONNECT and looks at the host alone: of the vendors' hosts it opens a tunnel to the sandbox on
this machine, and every other one it refuses, so that nothing leaves the machine. TLS goes on between the client
and the sandbox; the proxy reads none of it. It runs in a thread of its own, since the sandboxes keep theirs busy.

| asked for | answer |
|---|---|
| `CONNECT` to port 443 of a vendor's host | 200, and a tunnel |
| `CONNECT` elsewhere | 403, with a sentence |
| anything else, such as `GET http://…` | 403, with a sentence |
| what is not HTTP | 400 |

Source: RFC 9110, "CONNECT".
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping

from connector.sandbox.hosts import vendor_of
from connector.sandbox.server import url_of

_CHUNK = 1 << 16
_HTTPS = 443
_REASONS = {400: "Bad Request", 403: "Forbidden"}


class Refusal(Exception):
    """The proxy will not do that; `status` says why in HTTP's words, the message in ours."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@contextlib.contextmanager
def proxying(listening: socket.socket, ports: Mapping[str, int]) -> Iterator[str]:
    """Run the proxy on a listening socket while the block runs; yields its URL, for `HTTPS_PROXY`.

    `ports` gives the port of this machine on which the sandbox of each vendor (`hosts.SALESFORCE`,
    `hosts.HUBSPOT`) speaks TLS.
    """
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(_run(listening, ports, stop)), daemon=True)
    thread.start()
    try:
        yield url_of(listening)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _run(listening: socket.socket, ports: Mapping[str, int], stop: asyncio.Event) -> None:
    tunnels: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_attend(reader, writer, ports))
        tunnels.add(task)
        task.add_done_callback(tunnels.discard)

    server = await asyncio.start_server(accept, sock=listening)
    await stop.wait()
    server.close()
    for task in tunnels:
        task.cancel()
    await asyncio.gather(*tunnels, return_exceptions=True)


async def _attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ports: Mapping[str, int]) -> None:
    with contextlib.suppress(ConnectionError):
        try:
            await _lead(reader, writer, _port(await _head(reader), ports))
        except Refusal as refusal:
            await _refuse(writer, refusal)
        finally:
            writer.close()


async def _lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    there, onward = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join((reader, onward), (there, writer))
    finally:
        onward.close()


async def _head(reader: asyncio.StreamReader) -> str:
    """The request line; the headers after it are read and matter to nobody."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise Refusal(400, "That is not an HTTP request.") from None
    return head.partition(b"\r\n")[0].decode("latin-1")


def _port(request_line: str, ports: Mapping[str, int]) -> int:
    """The port of this machine to which a request leads."""
    words = request_line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Refusal(400, "That is not an HTTP request.")
    method, target, _ = words
    if method != "CONNECT":
        raise Refusal(403, "This proxy opens tunnels (CONNECT) and nothing else: the vendors' APIs are HTTPS only.")
    host, _, number = target.rpartition(":")
    port = ports.get(vendor_of(host) or "")
    if port is None or number != str(_HTTPS):
        raise Refusal(403, f"{target} is not served by this sandbox, and nothing leaves this machine.")
    return port


async def _refuse(writer: asyncio.StreamWriter, refusal: Refusal) -> None:
    body = f"{refusal}\n".encode()
    writer.write(
        f"HTTP/1.1 {refusal.status} {_REASONS[refusal.status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    )
    writer.write(body)
    await writer.drain()


async def _join(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Carry bytes both ways until either end is gone."""
    tasks = [asyncio.create_task(_carry(*way)) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
