"""What goes wrong between a client and a sandbox, on order.

| kind | the client sees |
|---|---|
| `status` | the vendor's answer of that status (`"status": 503`) |
| `disconnect` | the connection breaks, no answer |
| `timeout` | no answer, ever |
| `cut` | half of the answer's body, then the connection breaks |
| `garbage` | an answer of status 200 that is not JSON |
| `duplicate` | nothing unusual, but the request arrives twice |

`"when"` says whether the request is lost before it is carried out or its answer afterwards: a client cannot tell
these two apart, and has to stand both. `cut`, `garbage` and `duplicate` come after by nature.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connector.sandbox.admin import read_body, refuse
from connector.sandbox.wire import Disconnected, Handler, Request, Response, TimedOut

KINDS = ("status", "disconnect", "timeout", "cut", "garbage", "duplicate")
WHEN = ("before", "after")

_ALWAYS_AFTER = {"cut", "garbage", "duplicate"}
_NAMES = {"kind", "status", "when", "rate", "nth", "times", "method", "path", "headers"}


@dataclass(slots=True)
class Fault:
    """One order.

    It concerns the requests of its `method` whose path its `path` is found in (a regular expression); of these
    the `nth` (from one) or each with the chance `rate`, and at most so many `times`. `headers` are added to the
    answer of a `status`, such as `Retry-After`.
    """

    kind: str
    status: int = 0
    when: str = "before"
    rate: float = 1.0
    nth: int | None = None
    times: int | None = None
    method: str | None = None
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    met: int = 0
    struck: int = 0

    @classmethod
    def read(cls, given: Any) -> Fault:
        """From JSON. Raises `ValueError` that says what is wrong."""
        if not isinstance(given, dict) or given.keys() - _NAMES:
            raise ValueError(f"a fault is an object with some of {', '.join(sorted(_NAMES))}")
        if given.get("kind") not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        if given["kind"] == "status" and "status" not in given:
            raise ValueError('a fault of kind status says which, such as {"kind": "status", "status": 503}')
        fault = cls(**given)
        checks = {
            "status": _is_whole(fault.status) and (fault.kind != "status") == (fault.status == 0),
            "when": fault.when in WHEN,
            "rate": isinstance(fault.rate, int | float) and 0 <= fault.rate <= 1,
            "nth": fault.nth is None or (_is_whole(fault.nth) and fault.nth > 0),
            "times": fault.times is None or (_is_whole(fault.times) and fault.times > 0),
            "method": fault.method is None or isinstance(fault.method, str),
            "path": isinstance(fault.path, str) and _is_pattern(fault.path),
            "headers": isinstance(fault.headers, dict) and all(map(str.__instancecheck__, fault.headers.values())),
        }
        wrong = [name for name, fits in checks.items() if not fits]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: not a value that a fault of kind {fault.kind} may have")
        if fault.kind in _ALWAYS_AFTER:
            fault.when = "after"
        return fault

    def view(self) -> dict[str, Any]:
        """The order, and how many requests it has `met` and `struck` so far."""
        return {name: getattr(self, name) for name in (*sorted(_NAMES), "met", "struck")}

    def strikes(self, request: Request, random: Random) -> bool:
        """Whether it concerns this request; counts it."""
        if self.method not in {None, request.method} or re.search(self.path, request.path) is None:
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        self.met += 1
        if self.nth is not None and self.met != self.nth:
            return False
        if self.rate < 1 and random.random() >= self.rate:
            return False
        self.struck += 1
        return True


class Faults:
    """The orders in force. `refuse` writes the vendor's answer of a status."""

    def __init__(self, seed: int, refuse: Callable[[int], Response]) -> None:
        self._random = Random(f"faults {seed}")
        self._refuse = refuse
        self.orders: list[Fault] = []

    def order(self, *given: Any) -> None:
        """Add faults, given as JSON would give them. Raises `ValueError` and then adds none."""
        self.orders += [Fault.read(each) for each in given]

    def clear(self) -> None:
        self.orders.clear()

    def pass_on(self, request: Request, answer: Handler) -> Response:
        """Let `answer` answer a request, unless a fault strikes. Raises `Disconnected` and `TimedOut`."""
        fault = next((each for each in self.orders if each.strikes(request, self._random)), None)
        if fault is None:
            return answer(request)
        if fault.when == "before":
            return self._break(fault)
        response = answer(request)
        match fault.kind:
            case "cut":
                response.cut = len(response.body) // 2
                return response
            case "garbage":
                return Response(200, b"<html><body>Something went wrong</body>", {"Content-Type": "text/html"})
            case "duplicate":
                return answer(request)
        return self._break(fault)

    def _break(self, fault: Fault) -> Response:
        if fault.kind == "disconnect":
            raise Disconnected
        if fault.kind == "timeout":
            raise TimedOut
        response = self._refuse(fault.status)
        response.headers |= fault.headers
        return response


def faults_endpoint(faults: Faults, request: Request) -> Response:
    """`GET` lists the orders, `POST` adds one or a list of them, `DELETE` ends all."""
    try:
        if request.method == "POST":
            body = read_body(request)
            faults.order(*(body if isinstance(body, list) else [body]))
        elif request.method == "DELETE":
            faults.clear()
    except ValueError as error:
        return refuse(str(error))
    return Response.json([fault.view() for fault in faults.orders])


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True
