"""What happens on the way between the connector and the CRMs? Orders of faults, for as long as a weather lasts.

The faults are those of `connector/sandbox/faults.py`, put on the connector's own way only: people work on. Beside
them an answer may be slow, which moves the clock. The weather counts the calls, by the hour of the connector's
clock, so that the budget can be held against them (E3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from engine.lab import Lab

from connector.core.model import Side
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.errors import refuse_status as refuse_as_hubspot
from connector.sandbox.salesforce.errors import refuse_status as refuse_as_salesforce
from connector.sandbox.wire import Handler, Request, Response

Order = Mapping[str, Any]
"""A fault as the sandboxes take it, and which `side` it strikes; or `{"side", "slow": seconds, "rate"}`."""

BEFORE_OR_AFTER: tuple[Order, ...] = (
    *({"kind": kind, "when": when} for kind in ("disconnect", "timeout") for when in ("before", "after")),
    *(
        {"kind": "status", "status": status, "when": when}
        for status in (500, 502, 504)
        for when in ("before", "after")
    ),
)
KINDS: Mapping[Side, tuple[Order, ...]] = {
    Side.SALESFORCE: (
        *BEFORE_OR_AFTER,
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 401, "times": 1},
        {"kind": "status", "status": 403, "times": 1},
        {"kind": "cut"},
        {"kind": "garbage"},
        {"slow": 45},
        {"slow": 400},
    ),
    Side.HUBSPOT: (
        *BEFORE_OR_AFTER,
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}},
        {"kind": "status", "status": 423},
        {"kind": "status", "status": 477, "headers": {"Retry-After": "30"}},
        {"kind": "status", "status": 401, "times": 1},
        {"kind": "cut"},
        {"kind": "garbage"},
        {"slow": 45},
        {"slow": 400},
    ),
}
HOW_OFTEN: tuple[Order, ...] = (
    {"rate": 0.05},
    {"rate": 0.2},
    {"rate": 0.2, "times": 3},
    *({"nth": number, "times": 1} for number in range(1, 25)),
    {"times": 12},
    {},  # always: the CRM is not to be had
)


class Weather:
    """Stands between a lab's connector and its CRMs."""

    def __init__(self, lab: Lab, seed: int = 0) -> None:
        self.lab = lab
        self._random = Random(f"weather {seed}")
        refusals = {Side.SALESFORCE: refuse_as_salesforce, Side.HUBSPOT: refuse_as_hubspot}
        self._faults = {side: Faults(seed, refuse) for side, refuse in refusals.items()}
        self._slow: list[tuple[Side, float, float]] = []
        self._struck_before: Counter[str] = Counter()
        self.calls: dict[Side, Counter[str]] = {side: Counter() for side in Side}
        """Calls by hour, in UTC by the connector's clock, such as `2026-03-02T09`."""
        lab.between = self._stand_between

    def change(self, orders: Sequence[Order]) -> None:
        """Another weather; of no orders it is calm."""
        self._struck_before = self.by_kind()
        for faults in self._faults.values():
            faults.clear()
        self._slow = [(Side(one["side"]), one["slow"], one.get("rate", 0.1)) for one in orders if "slow" in one]
        for one in orders:
            if "slow" not in one:
                self._faults[Side(one["side"])].order({key: value for key, value in one.items() if key != "side"})

    def forget_calls(self) -> None:
        """The store that knew of them is gone."""
        for calls in self.calls.values():
            calls.clear()

    @property
    def struck(self) -> int:
        """How many calls were struck by a fault so far."""
        return self.by_kind().total()

    def by_kind(self) -> Counter[str]:
        """The same, by what struck them, such as `hubspot 502 after`."""
        found = Counter(self._struck_before)
        for side, faults in self._faults.items():
            for one in faults.orders:
                found[f"{side} {one.status or one.kind} {one.when}"] += one.struck
        return +found

    def _stand_between(self, side: Side, handler: Handler) -> Handler:
        def answer(request: Request) -> Response:
            self.calls[side][self.lab.now().strftime("%Y-%m-%dT%H")] += 1
            for where, seconds, rate in self._slow:
                if where is side and self._random.random() < rate:
                    self.lab.clock.advance(timedelta(seconds=seconds))
            return self._faults[side].pass_on(request, handler)

        return answer
