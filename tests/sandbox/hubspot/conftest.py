"""A portal with a standing clock, and a client that speaks to it in process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.hubspot.api.routes import Route
from connector.sandbox.wire import Request

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOST = "https://api.hubapi.com"
COMPANY_OF_CONTACT, COMPANY_OF_DEAL, CONTACT_OF_DEAL = 279, 341, 3


def newest(route: Route) -> str:
    """The newest spelling of a route's address, variable parts in braces."""
    area, slash, rest = route.path.partition("/")
    if route.version == "v3 only":
        return f"/crm/v3/{route.path}"
    prefix = "" if area in {"account-info", "oauth", "webhooks"} else "/crm"
    return f"{prefix}/{area}/{route.version or '2026-09'}{slash}{rest}"


@dataclass
class Answer:
    """A status, its JSON and its headers."""

    status: int
    json: Any
    headers: dict[str, str] = field(default_factory=dict)


class Hub:
    """A client of one sandbox. `call` expects a status and answers the JSON."""

    def __init__(self, sandbox: HubSpotSandbox) -> None:
        self.sandbox = sandbox
        self.token = sandbox.access_token

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        data = b"" if body is None else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.sandbox(Request.make(method, HOST + path, headers, data))
        return Answer(answer.status, orjson.loads(answer.body) if answer.body else None, answer.headers)

    def form(self, path: str, expect: int = 200, **fields: str) -> Any:
        """`POST` a form without credentials."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.sandbox(Request.make("POST", HOST + path, headers, urlencode(fields).encode()))
        assert answer.status == expect, answer.body
        return orjson.loads(answer.body) if answer.body else None

    def call(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        answer = self.send(method, path, body)
        assert answer.status == expect, answer.json
        return answer.json

    def create(self, kind: str, properties: dict[str, Any], *links: tuple[str, int]) -> str:
        """A new record with inline associations `(id, type id)`; answers its id."""
        associations = [
            {
                "to": {"id": to},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}],
            }
            for to, type_id in links
        ]
        body = {"properties": properties, "associations": associations}
        return self.call("POST", f"/crm/v3/objects/{kind}", body, 201)["id"]

    def update(self, kind: str, record_id: str, expect: int = 200, **properties: Any) -> Any:
        return self.call("PATCH", f"/crm/v3/objects/{kind}/{record_id}", {"properties": properties}, expect)

    def read(self, kind: str, record_id: str, *names: str) -> dict[str, Any]:
        """The properties of a record."""
        path = f"/crm/v3/objects/{kind}/{record_id}?properties={','.join(names)}"
        return self.call("GET", path)["properties"]

    def history(self, kind: str, record_id: str, name: str) -> list[dict[str, Any]]:
        """The versions of one property, newest first."""
        path = f"/crm/v3/objects/{kind}/{record_id}?propertiesWithHistory={name}"
        return self.call("GET", path)["propertiesWithHistory"][name]

    @contextmanager
    def person(self, email: str) -> Iterator[None]:
        """What is done within is done by somebody in HubSpot's own pages."""
        app, self.token = self.token, self.call("POST", "/_sandbox/people", {"email": email}, 201)["token"]
        yield
        self.token = app

    def search(self, kind: str, *filters: dict[str, Any], expect: int = 200, **more: Any) -> Any:
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], **more}
        return self.call("POST", f"/crm/v3/objects/{kind}/search", body, expect)

    def found(self, kind: str, *filters: dict[str, Any], **more: Any) -> list[str]:
        return [row["id"] for row in self.search(kind, *filters, **more)["results"]]

    def set(self, **settings: Any) -> None:
        self.call("PUT", "/_sandbox/settings", settings)

    def advance(self, seconds: float) -> None:
        self.sandbox.clock.advance(timedelta(seconds=seconds))

    def unique_property(self, kind: str, name: str = "sf_id") -> str:
        body = {
            "name": name,
            "label": name,
            "type": "string",
            "fieldType": "text",
            "groupName": f"{SINGULAR[kind]}information",
            "hasUniqueValue": True,
        }
        return self.call("POST", f"/crm/v3/properties/{kind}", body, 201)["name"]


SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal"}


@pytest.fixture
def hub() -> Hub:
    return Hub(HubSpotSandbox(Clock(frozen_at=START), seed=7))
