"""An app that asks HubSpot for events, and gets them in process."""

from __future__ import annotations

import json
from typing import Any

import requests

URL = "http://127.0.0.1:9999/hooks?of=app"


class Receiver:
    """Asks for events and takes them. What `answers` holds is answered in turn, then 204; an error is raised."""

    def __init__(self, hub: Any, url: str = URL) -> None:
        self.hub = hub
        self.answers: list[int | OSError] = []
        self.requests: list[requests.PreparedRequest] = []
        hub.set(webhook_shuffle=False, webhook_duplicates=0)
        self.call("PUT", "settings", {"targetUrl": url, "throttling": {"maxConcurrentRequests": 10}})

    def call(self, method: str, path: str, body: Any = None, expect: int = 200, version: str = "v3") -> Any:
        """A call with the developer's key and no token."""
        token, self.hub.token = self.hub.token, ""
        webhooks = self.hub.sandbox.webhooks
        address = f"/webhooks/{version}/{webhooks.app_id}/{path}?hapikey={webhooks.developer_key}"
        try:
            return self.hub.call(method, address, body, expect)
        finally:
            self.hub.token = token

    def ask(self, *types: str, objects: str | None = None) -> list[str]:
        """Subscribe to event types (`deal.propertyChange:amount` names the property); answers the ids."""
        ids = []
        for each in types:
            event_type, _, name = each.partition(":")
            body = {"eventType": event_type, "active": True} | ({"propertyName": name} if name else {})
            body |= {"objectTypeId": objects} if objects else {}
            ids.append(self.call("POST", "subscriptions", body, 201)["id"])
        return ids

    def __call__(self, request: requests.PreparedRequest) -> int:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, OSError):
            raise answer
        return answer

    def take(self) -> list[dict[str, Any]]:
        """Have what is due delivered; answers the events of all requests, in order."""
        before = len(self.requests)
        self.hub.sandbox.webhooks.deliver(self)
        return [event for request in self.requests[before:] for event in json.loads(request.body)]
