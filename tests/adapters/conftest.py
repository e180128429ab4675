"""Both CRMs as the adapters' tests meet them: a sandbox, the adapter behind its door, and an administrator."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from adapters.drafts import Deals, Opportunities

from connector.adapters import hubspot as hubspot_adapter
from connector.adapters import salesforce as salesforce_adapter
from connector.adapters.http import Door
from connector.adapters.hubspot import HubSpot, HubSpotCredentials
from connector.adapters.salesforce import Salesforce, SalesforceCredentials
from connector.adapters.salesforce_deletion import ROLE
from connector.core.model import Side
from connector.sandbox.clock import Clock
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.transport import SandboxAdapter
from connector.sandbox.wire import Request, Response

pytest.register_assert_rewrite("adapters.conformance")

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
OBJECTS = ("Account", "Contact", "Opportunity", ROLE)
PARTNER = Deals.partner


@dataclass(repr=False)
class Line:
    """The way to a sandbox. `before` and `instead` let a test step in; `requests` are those that got through."""

    sandbox: Callable[[Request], Response]
    before: Callable[[Request], None] = lambda _: None
    instead: Callable[[Request], Response | None] = lambda _: None
    requests: list[Request] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)

    def __call__(self, request: Request) -> Response:
        with self.lock:  # a sandbox serves one request at a time
            self.before(request)
            self.requests.append(request)
            return self.instead(request) or self.sandbox(request)


def never(seconds: float) -> None:
    """Nothing in these tests has to wait."""
    raise AssertionError(f"waited {seconds} s")


@dataclass(repr=False)
class SalesforceBench(Opportunities):
    """A Salesforce org in a sandbox. The conformance suite runs on opportunities."""

    sandbox: SalesforceSandbox
    line: Line
    crm: Salesforce

    def sign_on(self) -> Salesforce:
        """A new adapter, as a new run has it: it knows the fields and the server's time."""
        mounts = {"https://": SandboxAdapter(self.line)}
        door = Door(
            Side.SALESFORCE,
            salesforce_adapter.judge,
            counts=salesforce_adapter.is_counted,
            mounts=mounts,
            sleep=never,
        )
        login = SalesforceCredentials("https://acme.my.salesforce.com", session_id=self.sandbox.session_id)
        self.crm = Salesforce(door, login)
        self.crm.use_schema(self.crm.describe(OBJECTS))
        return self.crm

    def remove(self, ids: Sequence[str]) -> None:
        query = "&".join(("allOrNone=true", f"ids={','.join(ids)}"))
        status, body = self.call("DELETE", f"composite/sobjects?{query}")
        assert status == 200, body

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What an administrator does by other means; not seen by `line`."""
        url = f"https://acme.my.salesforce.com/services/data/v62.0/{path}"
        headers = {"Authorization": f"Bearer {self.sandbox.session_id}"}
        answer = self.sandbox(Request.make(method, url, headers, b"" if body is None else orjson.dumps(body)))
        return answer.status, orjson.loads(answer.body) if answer.body else None

    def pass_time(self, by: timedelta) -> None:
        self.sandbox.clock.advance(by)

    def settle(self) -> None:
        """Nothing lags here."""


@dataclass(repr=False)
class HubSpotBench(Deals):
    """A HubSpot portal in a sandbox. The conformance suite runs on deals."""

    sandbox: HubSpotSandbox
    line: Line
    crm: HubSpot

    def sign_on(self, workers: int = 1, version: str = "v3") -> HubSpot:
        """A new adapter, as a new run has it: it knows the server's time."""
        mounts = {"https://": SandboxAdapter(self.line)}
        door = Door(Side.HUBSPOT, hubspot_adapter.judge, mounts=mounts, sleep=never)
        login = HubSpotCredentials("https://api.hubapi.com", self.sandbox.access_token)
        self.crm = HubSpot(door, login, version=version, searches_per_second=0, workers=workers)
        self.crm.account()
        return self.crm

    def remove(self, ids: Sequence[str]) -> None:
        body = {"inputs": [{"id": id_} for id_ in ids]}
        assert self.call("POST", "/crm/v3/objects/deals/batch/archive", body)[0] == 204

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What somebody else does in the portal; not seen by `line`."""
        headers = {"Authorization": f"Bearer {self.sandbox.access_token}"}
        data = b"" if body is None else orjson.dumps(body)
        answer = self.sandbox(Request.make(method, f"https://api.hubapi.com{path}", headers, data))
        return answer.status, orjson.loads(answer.body) if answer.body else None

    def pass_time(self, by: timedelta) -> None:
        self.sandbox.clock.advance(by)

    def settle(self) -> None:
        """Nothing lags here."""


@pytest.fixture
def clock():
    return Clock(START)


@pytest.fixture
def salesforce(clock):
    """An empty org and an adapter that is signed on."""
    sandbox = SalesforceSandbox(clock)
    bench = SalesforceBench(sandbox, Line(sandbox), None)
    bench.sign_on()
    return bench


@pytest.fixture
def hubspot(clock):
    """An empty portal with the unique property for the partner's id, and an adapter that is signed on."""
    sandbox = HubSpotSandbox(clock)
    bench = HubSpotBench(sandbox, Line(sandbox), None)
    bench.sign_on()
    unique = {"name": PARTNER, "label": "Salesforce id", "type": "string", "fieldType": "text"}
    for object_ in ("contacts", "companies", "deals"):
        bench.crm.make_properties(object_, [unique | {"hasUniqueValue": True}])
    return bench
