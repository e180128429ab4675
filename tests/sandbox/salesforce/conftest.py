"""An org with a frozen clock, and a client that speaks to it in process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.wire import Request, Response


class Client:
    """Calls the sandbox and gives back `(status, body)`; `last` keeps the whole response."""

    origin = "https://example.my.salesforce.com"

    def __init__(self, sandbox: SalesforceSandbox, version: str = "62.0") -> None:
        self.sandbox = sandbox
        self.version = version
        self.headers = {"Authorization": f"Bearer {sandbox.session_id}"}
        self.last = Response()

    def __call__(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query):
        url = path if path.startswith("/") else f"/services/data/v{self.version}/{path}"
        if query:
            url += "?" + urlencode(query)
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        headers = self.headers if headers is None else headers
        self.last = self.sandbox(Request.make(method, self.origin + url, headers, content))
        return self.last.status, orjson.loads(self.last.body) if self.last.body else None

    def create(self, sobject: str, **fields: Any) -> str:
        status, body = self("POST", f"sobjects/{sobject}", fields)
        assert status == 201, body
        return body["id"]

    def opportunity(self, **fields: Any) -> str:
        return self.create(
            "Opportunity", **{"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-06-30", **fields}
        )

    def row(self, sobject: str, record: str) -> dict[str, Any]:
        status, body = self("GET", f"sobjects/{sobject}/{record}")
        assert status == 200, body
        return body

    def query(self, soql: str, resource: str = "query") -> list[dict[str, Any]]:
        """The records of a query, without their attributes."""
        status, body = self("GET", resource, q=soql)
        assert status == 200, body
        return [{name: value for name, value in row.items() if name != "attributes"} for row in body["records"]]

    def refusal(self, *args: Any, **kwargs: Any) -> tuple[int, str, str]:
        """The status, code and message of a call that must fail."""
        status, body = self(*args, **kwargs)
        assert status >= 400, body
        return status, body[0]["errorCode"], body[0]["message"]


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 10, 12, 0, 30, 500000, UTC))


@pytest.fixture
def sandbox(clock):
    return SalesforceSandbox(clock)


@pytest.fixture
def client(sandbox):
    return Client(sandbox)
