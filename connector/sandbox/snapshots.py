"""A sandbox as it was: taken whole under a name, and put back.

A snapshot is the pickled state, so that nothing done later can reach into it. The clock is not part of it: time
goes on when an old state is put back, as it does when a backup is restored.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from connector.sandbox.admin import read_body, refuse
from connector.sandbox.clock import Clock
from connector.sandbox.wire import Request, Response


class _Writer(pickle.Pickler):
    def persistent_id(self, obj: Any) -> str | None:
        return "clock" if isinstance(obj, Clock) else None


class _Reader(pickle.Unpickler):
    """Reads only what `_Writer` has written in this process."""

    def __init__(self, data: bytes, clock: Clock) -> None:
        super().__init__(io.BytesIO(data))
        self._clock = clock

    def persistent_load(self, _: Any) -> Clock:
        return self._clock


def freeze(state: Any) -> bytes:
    """A state as bytes."""
    buffer = io.BytesIO()
    _Writer(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(state)
    return buffer.getvalue()


def thaw(data: bytes, clock: Clock) -> Any:
    """A state again, whose clock is `clock`. May be done any number of times."""
    return _Reader(data, clock).load()


class Snapshots:
    """States by name. `tell` gives the present state, `take` puts a state in its place."""

    def __init__(self, clock: Clock, tell: Callable[[], Any], take: Callable[[Any], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._take = take
        self._kept: dict[str, bytes] = {}

    def save(self, name: str) -> None:
        """Keep the present state under a name; an older one of that name is replaced."""
        self._kept[name] = freeze(self._tell())

    def restore(self, name: str) -> None:
        """Go back to a kept state, which stays kept. Raises `ValueError` for an unknown name."""
        if name not in self._kept:
            raise ValueError(f"there is no snapshot {name}")
        self._take(thaw(self._kept[name], self._clock))

    def names(self) -> dict[str, int]:
        """The kept names, each with its size in bytes."""
        return {name: len(data) for name, data in self._kept.items()}


def snapshots_endpoint(snapshots: Snapshots, request: Request, act: str) -> Response:
    """`snapshots`: `GET` lists, `POST {"name"}` saves. `restore`: `POST {"name"}` goes back."""
    if act == "snapshots" and request.method == "GET":
        return Response.json(snapshots.names())
    try:
        body = read_body(request)
        name = body.get("name") if isinstance(body, dict) and body.keys() == {"name"} else None
        if not isinstance(name, str):
            return refuse('expected {"name": …}')
        (snapshots.save if act == "snapshots" else snapshots.restore)(name)
    except ValueError as error:
        return refuse(str(error))
    return Response(204)
