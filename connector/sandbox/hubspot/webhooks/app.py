"""The webhooks of the portal's one app: what it is subscribed to, and what it is still to be told.

`Webhooks` listens to the portal's events, keeps those that an active subscription asks for, and delivers what is
due by the sandbox's clock when it is told to. A notification is signed over the URL as it is registered, also when
a mapping of hosts leads it to an address of this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import requests

from connector.sandbox.hubspot.errors import not_found
from connector.sandbox.hubspot.portal import PORTAL_ID, Portal
from connector.sandbox.hubspot.records.events import Event, Topic
from connector.sandbox.hubspot.webhooks.delivery import TIMEOUT_SECONDS, Batch, Outbox
from connector.sandbox.hubspot.webhooks.journal import Journal
from connector.sandbox.hubspot.webhooks.payloads import render
from connector.sandbox.hubspot.webhooks.signatures import signature_headers
from connector.sandbox.hubspot.webhooks.subscriptions import (
    Subscription,
    Subscriptions,
    Target,
    reach,
    read_active,
    read_target,
)

USER_AGENT = (
    "HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)"
    " - WebhooksExecutorDaemon-executor"
)
_REPEATED_IDS = 0.05  # how many events have the id of the one before: "not guaranteed to be unique"

Send = Callable[[requests.PreparedRequest], int]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signed request on its way. There is none when the URL leads nowhere on this machine any more."""

    batch: Batch
    url: str
    request: requests.PreparedRequest | None

    def make(self, send: Send) -> int | None:
        """Send it; answers the status, None for no answer. Touches nothing of the sandbox."""
        if self.request is None:
            return None
        try:
            return send(self.request)
        except OSError:
            return None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that was made. `status` is None when there was no answer."""

    url: str
    events: list[dict[str, Any]]
    attempt: int
    status: int | None

    def view(self) -> dict[str, Any]:
        return {"url": self.url, "events": self.events, "attempt": self.attempt, "status": self.status}


def post(request: requests.PreparedRequest) -> int:
    """Send a request as HubSpot does: five seconds at most, no redirects. Answers the status.

    Raises `requests.RequestException` when there is no answer.
    """
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between the sandbox and this machine
        return session.send(request, timeout=TIMEOUT_SECONDS, allow_redirects=False).status_code


class Webhooks:
    """The webhooks of one app in one portal. `client_secret` is what its notifications are signed with.

    `developer_key` is the `hapikey` of the calls that set it up; `hosts` maps hosts of target URLs to addresses of
    this machine. `journal` is the same to be read instead of to be told.
    """

    def __init__(self, portal: Portal, app_id: int, client_secret: str, seed: int) -> None:
        self._portal = portal
        self._random = Random(f"webhook ids {seed}")
        self._event_id = self._random.randrange(1, 1 << 32)
        self._subscriptions = Subscriptions(self._random.randrange(1_000_000, 9_000_000))
        self._outbox = Outbox(seed)
        self._target: Target | None = None
        self._by_topic: dict[Topic, list[Subscription]] = {}
        self.app_id = app_id
        self.client_secret = client_secret
        self.developer_key = str(UUID(int=self._random.getrandbits(128), version=4))
        self.hosts: dict[str, str] = {}
        self.journal = Journal(portal, app_id, seed)

    # -- where to

    def target(self) -> Target:
        """Raises 404 when there is none."""
        if self._target is None:
            raise not_found(f"No webhook settings found for app {self.app_id}")
        return self._target

    def aim(self, body: Any) -> Target:
        """Set or change where the app is told; raises as `read_target`."""
        url, concurrent = read_target(body, self.hosts)
        created = self._portal.now() if self._target is None else self._target.created
        self._target = Target(url, concurrent, created, self._portal.now())
        self._listen()
        return self._target

    def forget_target(self) -> None:
        """No notifications from now on; those that wait are dropped. Raises 404 when there is no target."""
        self.target()
        self._target = None
        self._outbox.clear()
        self._listen()

    # -- subscriptions

    def subscriptions(self) -> list[Subscription]:
        return self._subscriptions.all()

    def subscription(self, given: Any) -> Subscription:
        return self._subscriptions.get(given)

    def subscribe(self, body: Any) -> Subscription:
        """`{eventType, propertyName?, objectTypeId?, active?}`; raises as `Subscriptions.create`."""
        new = self._subscriptions.create(body, self._portal.now())
        self._listen()
        return new

    def pause_or_resume(self, given: Any, body: Any) -> Subscription:
        """`{active}`; raises 404 for an unknown id, 400 for another body."""
        found, active = self._subscriptions.get(given), read_active(body)
        found.active, found.updated = active, self._portal.now()
        self._listen()
        return found

    def unsubscribe(self, given: Any) -> None:
        self._subscriptions.delete(given)
        self._listen()

    def _listen(self) -> None:
        """Keep what is listened to in step with the active subscriptions."""
        self._by_topic = {}
        for each in self._subscriptions.all():
            if self._target is not None and each.active and each.topic is not None:
                self._by_topic.setdefault(each.topic, []).append(each)
        self._portal.events.listen("webhooks", self, self._by_topic)

    # -- events

    def hear(self, event: Event) -> None:
        """Keep a notification for each subscription that asks for an event."""
        if self._random.random() >= _REPEATED_IDS:
            self._event_id = self._random.randrange(1, 1 << 32)
        for subscription in self._by_topic[event.topic]:
            if subscription.generic or not event.labelled:
                rendered = render(event, subscription, self._event_id, self._portal.settings.webhook_created_flag)
                self._outbox.put({**rendered, "portalId": PORTAL_ID, "appId": self.app_id})

    # -- delivery

    def pending(self) -> int:
        """How many notifications wait for their first or a further attempt."""
        return self._outbox.pending()

    @property
    def lost(self) -> int:
        """How many notifications were given up after the last retry."""
        return self._outbox.lost

    def deliver(self, send: Send = post) -> list[Delivery]:
        """Send what is due by the clock, retries that fall due meanwhile included; answers what was sent.

        `send` gets a prepared request and answers the status; an `OSError` (as all errors of `requests` are) stands
        for no answer.
        """
        made: list[Delivery] = []
        while due := self.take_due():
            made.extend(self.settle(attempt, attempt.make(send)) for attempt in due)
        return made

    async def deliver_aside(self, send: Send = post) -> None:
        """As `deliver`, but sent from other threads, as many at a time as the app's settings allow.

        The event loop goes on meanwhile, so that a receiver may ask the sandbox about what it is told.
        """
        loop = asyncio.get_running_loop()
        while due := self.take_due():
            with ThreadPoolExecutor(max_workers=self.target().concurrent) as threads:
                sending = [loop.run_in_executor(threads, attempt.make, send) for attempt in due]
                for attempt, status in zip(due, sending, strict=True):
                    self.settle(attempt, await status)

    def take_due(self) -> list[Attempt]:
        """The attempts that are due now. Each has to be made, and its result given to `settle`."""
        settings = self._portal.settings
        due = self._outbox.take_due(
            self._portal.now(), shuffle=settings.webhook_shuffle, duplicates=settings.webhook_duplicates
        )
        return [self._prepare(batch, self.target().url) for batch in due]

    def settle(self, attempt: Attempt, status: int | None) -> Delivery:
        """Note how an attempt went; without an answer, and from 400 on, it is due again."""
        if self._target is not None:
            self._outbox.settle(attempt.batch, status)
        return Delivery(attempt.url, attempt.batch.events(), attempt.batch.attempt, status)

    def _prepare(self, batch: Batch, url: str) -> Attempt:
        reached = reach(url, self.hosts)
        if reached is None:
            return Attempt(batch, url, None)
        body = orjson.dumps(batch.events())
        older, now = self._portal.settings.webhook_signature, self._portal.now()
        headers = {
            "Content-Type": "application/json",
            "Accept": "*/*",
            "Host": urlsplit(url).netloc.rpartition("@")[2],
            "User-Agent": USER_AGENT,
            "X-HubSpot-Timeout-Millis": str(TIMEOUT_SECONDS * 1000),
            **signature_headers(older, self.client_secret, "POST", url, body, now),
        }
        return Attempt(batch, url, requests.Request("POST", reached, headers=headers, data=body).prepare())
