"""What an administrator may do to either sandbox: how the acts are reached, and the clock, which is one of them.

An act is what follows `/_sandbox/`, where no vendor has an address; acts need no credentials and are never counted
as API calls. Each sandbox has a table of its acts and the methods that each takes. `GET /_sandbox/` answers it, and
whatever is not in it is refused by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.sandbox.clock import Clock
from connector.sandbox.wire import Request, Response

_ADDRESS = "/_sandbox/"
_FIRST, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)

Methods = Mapping[str, tuple[str, ...]]
COMMON: Methods = {
    "clock": ("GET", "POST"),
    "faults": ("GET", "POST", "DELETE"),
    "people": ("POST",),
    "reset": ("POST",),
    "restore": ("POST",),
    "settings": ("GET", "PUT"),
    "snapshots": ("GET", "POST"),
    "usage": ("GET",),
    "usage/reset": ("POST",),
}


def find_act(request: Request) -> str | None:
    """The act that a request asks for, None when it is for the vendor's API. `""` is the list of all."""
    if not f"{request.path}/".startswith(_ADDRESS):
        return None
    return request.path.removeprefix(_ADDRESS.rstrip("/")).strip("/")


def check_act(methods: Methods, act: str, method: str) -> Response | None:
    """The list of acts, if that is asked for, or a refusal; None when the act may be done."""
    if act == "" and method == "GET":
        return Response.json(dict(sorted(methods.items())))
    taken = methods.get(act)
    if taken is None:
        return refuse(f"there is no {method} {_ADDRESS}{act}; GET {_ADDRESS} lists what there is", 404)
    if method not in taken:
        return refuse(f"{act} takes {' or '.join(taken)}, not {method}", 405)
    return None


def read_body(request: Request) -> Any:
    """The JSON in the body of an act; None when it is empty. Raises `ValueError` with a sentence for people."""
    try:
        return request.json()
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None


def clock_endpoint(clock: Clock, request: Request) -> Response:
    """`{"now": ISO 8601 in UTC, "frozen": bool}`, after doing what a `POST` body asks for.

    The body holds any of `"set"` (ISO 8601; without an offset it is UTC), `"advance"` (seconds, may be
    negative) and `"frozen"` (bool), applied in the order frozen, set, advance, so that
    `{"frozen": true, "set": …}` stands exactly there. A body that is none of this is answered 400 and
    changes nothing, as is a time that vendors could not tell.
    """
    if request.method == "GET":
        return _tell(clock)
    try:
        moment, step, frozen = _orders(read_body(request))
    except (ValueError, OverflowError) as error:
        return refuse(str(error))
    before, was_frozen = clock.now(), clock.frozen
    try:
        _freeze(clock, frozen)
        if moment is not None:
            clock.set(moment)
        if step is not None:
            clock.advance(step)
        fits = _FIRST <= clock.now() < _END
    except OverflowError:
        fits = False
    if not fits:
        clock.set(before)
        _freeze(clock, was_frozen)
        return refuse(f"the clock goes from {_FIRST.year} to {_END.year - 1}")
    return _tell(clock)


def refuse(message: str, status: int = 400) -> Response:
    """The shape of every refusal under `/_sandbox/`."""
    return Response.json({"error": message}, status)


def _tell(clock: Clock) -> Response:
    return Response.json({"now": clock.now().isoformat(), "frozen": clock.frozen})


def _freeze(clock: Clock, frozen: bool | None) -> None:
    if frozen:
        clock.freeze()
    elif frozen is not None:
        clock.run()


def _orders(body: Any) -> tuple[datetime | None, timedelta | None, bool | None]:
    if not isinstance(body, dict) or not body or body.keys() - {"set", "advance", "frozen"}:
        raise ValueError('expected an object with any of "set", "advance" and "frozen"')
    moment = step = None
    if "set" in body:
        try:
            moment = datetime.fromisoformat(body["set"])
        except (TypeError, ValueError):
            raise ValueError('"set" is a date and time in ISO 8601') from None
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if "advance" in body:
        if isinstance(body["advance"], bool) or not isinstance(body["advance"], int | float):
            raise ValueError('"advance" is a number of seconds')
        step = timedelta(seconds=body["advance"])
    frozen = body.get("frozen")
    if "frozen" in body and not isinstance(frozen, bool):
        raise ValueError('"frozen" is true or false')
    return moment, step, frozen
