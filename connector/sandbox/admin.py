"""What an administrator may do to either sandbox: its clock.

`GET` tells the time, `POST` changes it. These addresses lie under `/_sandbox/`, where no vendor has any; they
need no credentials and are never counted as API calls.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from connector.sandbox.clock import Clock
from connector.sandbox.wire import Request, Response


def clock_endpoint(clock: Clock, request: Request) -> Response:
    """`{"now": ISO 8601 in UTC, "frozen": bool}`, after doing what a `POST` body asks for.

    The body holds any of `"set"` (ISO 8601; without an offset it is UTC), `"advance"` (seconds, may be
    negative) and `"frozen"` (bool), applied in the order frozen, set, advance, so that
    `{"frozen": true, "set": …}` stands exactly there. A body that is none of this is answered 400 and
    changes nothing.
    """
    if request.method == "GET":
        return _tell(clock)
    if request.method != "POST":
        return refuse("use GET or POST", 405)
    try:
        moment, step, frozen = _orders(request.json())
    except (ValueError, OverflowError) as error:
        return refuse(str(error))
    before, was_frozen = clock.now(), clock.frozen
    try:
        _freeze(clock, frozen)
        if moment is not None:
            clock.set(moment)
        if step is not None:
            clock.advance(step)
        clock.now()
    except OverflowError:
        clock.set(before)
        _freeze(clock, was_frozen)
        return refuse("that time is beyond the calendar")
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
        if not isinstance(body["set"], str):
            raise ValueError('"set" is a date and time in ISO 8601')
        moment = datetime.fromisoformat(body["set"])
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if "advance" in body:
        if isinstance(body["advance"], bool) or not isinstance(body["advance"], int | float):
            raise ValueError('"advance" is a number of seconds')
        step = timedelta(seconds=body["advance"])
    frozen = body.get("frozen")
    if "frozen" in body and not isinstance(frozen, bool):
        raise ValueError('"frozen" is true or false')
    return moment, step, frozen
