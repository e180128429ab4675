"""Which events an app has asked for, and where it wants to be told of them (HubSpot docs, "Webhooks API").

A subscription is of one event type: `deal.creation`, or for any object type `object.creation` with an
`objectTypeId`. Those for what the sandbox does not hold (tickets, conversations …) are kept and stay silent.
How HubSpot words its refusals is not documented; a second subscription of the same kind is refused with 409 here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from connector.sandbox.hubspot.api.shapes import as_object, need, take
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS
from connector.sandbox.hubspot.errors import ApiError, not_found, refuse
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.records.events import Topic

MOST = 1_000  # subscriptions of an app
FEWEST_CONCURRENT = 6  # "must be a number greater than five"
CONCURRENT = 10
UNSUBSCRIBABLE = frozenset({"hs_lastmodifieddate", "num_unique_conversion_events"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_GENERIC = "object"
_KINDS = ("contact", "company", "deal", "ticket", "product", "line_item", _GENERIC)
_EVENTS = ("creation", "deletion", "merge", "restore", "propertyChange", "associationChange")
_OF_CONVERSATIONS = ("creation", "deletion", "newMessage", "privacyDeletion", "propertyChange")
EVENT_TYPES = frozenset(
    {
        *(f"{kind}.{event}" for kind in _KINDS for event in _EVENTS),
        *(f"conversation.{event}" for event in _OF_CONVERSATIONS),
        "contact.privacyDeletion",
    }
    - {"product.associationChange"}
)
_TYPE_ID = re.compile(r"\d+-\d+")


@dataclass
class Subscription:
    """`object_type_id` is set for the generic event types only, `property_name` for `propertyChange` only."""

    id: int
    event_type: str
    property_name: str
    object_type_id: str
    active: bool
    created: int
    updated: int

    @property
    def generic(self) -> bool:
        return bool(self.object_type_id)

    @property
    def what(self) -> tuple[str, str, str]:
        """All that tells two subscriptions apart."""
        return self.event_type, self.property_name, self.object_type_id

    @cached_property
    def topic(self) -> Topic | None:
        """What it listens to; None for records that the sandbox does not hold."""
        singular, _, event = self.event_type.partition(".")
        kind = BY_ALIAS.get(self.object_type_id or singular)
        return None if kind is None else (kind.name, event, self.property_name)

    def view(self) -> dict[str, Any]:
        optional = {"propertyName": self.property_name, "objectTypeId": self.object_type_id}
        return {
            "id": str(self.id),
            "eventType": self.event_type,
            "active": self.active,
            "createdAt": to_iso(self.created),
            "updatedAt": to_iso(self.updated),
            **{name: value for name, value in optional.items() if value},
        }


class Subscriptions:
    """The subscriptions of the app, by id."""

    def __init__(self, first_id: int) -> None:
        self._next_id = first_id
        self._all: dict[str, Subscription] = {}
        self._taken: set[tuple[str, str, str]] = set()

    def all(self) -> list[Subscription]:
        return list(self._all.values())

    def get(self, given: Any) -> Subscription:
        """Raises 404 for an id that is none."""
        found = self._all.get(str(given))
        if found is None:
            raise not_found(f"Subscription {given} does not exist")
        return found

    def create(self, body: Any, now: int) -> Subscription:
        """`{eventType, propertyName?, objectTypeId?, active?}`; without `active` it is paused.

        Raises 400 for what cannot be subscribed to and beyond a thousand subscriptions, 409 for one that exists.
        """
        body = as_object(body)
        event_type = need(body, "eventType")
        if event_type not in EVENT_TYPES:
            raise refuse(f"{event_type} is not an event type that can be subscribed to")
        property_name = _property(body) if event_type.endswith(".propertyChange") else ""
        object_type_id = read_type_id(body) if event_type.startswith(f"{_GENERIC}.") else ""
        active = take(body, "active", False)
        if len(self._all) >= MOST:
            raise refuse(f"An app can have at most {MOST} subscriptions")
        new = Subscription(self._next_id, event_type, property_name, object_type_id, active, now, now)
        if new.what in self._taken:
            raise ApiError(409, "CONFLICT", f"A subscription for {' '.join(filter(None, new.what))} already exists")
        self._next_id += 1
        self._all[str(new.id)] = new
        self._taken.add(new.what)
        return new

    def delete(self, given: Any) -> None:
        found = self.get(given)
        self._taken.discard(found.what)
        del self._all[str(found.id)]


def read_active(body: Any) -> bool:
    """The `active` of a change, which must be there."""
    active = as_object(body).get("active")
    if not isinstance(active, bool):
        raise refuse("active is required")
    return active


def _property(body: dict[str, Any]) -> str:
    name = need(body, "propertyName")
    if name in UNSUBSCRIBABLE:
        raise refuse(f"Changes of the property {name} cannot be subscribed to")
    return name


def read_type_id(body: dict[str, Any]) -> str:
    given = need(body, "objectTypeId")
    if not _TYPE_ID.fullmatch(given):
        raise refuse(f"{given} is not an object type id")
    return given


@dataclass(slots=True)
class Target:
    """Where an app is told, and by how many requests at a time."""

    url: str
    concurrent: int
    created: int
    updated: int

    def view(self, *, dated: bool) -> dict[str, Any]:
        """v3 names a `period` beside the number of requests, which the dated versions do not know."""
        period = {} if dated else {"period": "SECONDLY"}
        return {
            "targetUrl": self.url,
            "throttling": {"maxConcurrentRequests": self.concurrent, **period},
            "createdAt": to_iso(self.created),
            "updatedAt": to_iso(self.updated),
        }


def read_target(body: Any, hosts: dict[str, str]) -> tuple[str, int]:
    """`{targetUrl, throttling: {maxConcurrentRequests}}`.

    Raises 400 for fewer than six requests at a time, and for a URL that would lead out of this machine: its host
    is this machine's, or an `https` one for which `hosts` names an address here.
    """
    body = as_object(body)
    url = need(body, "targetUrl")
    concurrent = take(as_object(body.get("throttling") or {}), "maxConcurrentRequests", CONCURRENT)
    if concurrent < FEWEST_CONCURRENT:
        raise refuse("maxConcurrentRequests must be a number greater than five")
    if reach(url, hosts) is None:
        raise refuse(
            f"targetUrl {url}: the sandbox sends nothing beyond this machine. Use an address of this machine"
            " (http://127.0.0.1:…), or map the host to one under /_sandbox/webhooks/hosts"
        )
    return url, concurrent


def reach(url: str, hosts: dict[str, str]) -> str | None:
    """The URL on this machine that a target URL is delivered to; None when there is none."""
    if not (url.isascii() and url.isprintable()):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme in {"http", "https"} and host in LOOPBACK:
        return url
    if parts.scheme != "https" or host not in hosts:
        return None
    base = urlsplit(hosts[host])
    return parts._replace(scheme=base.scheme, netloc=base.netloc).geturl()


def read_hosts(body: Any) -> dict[str, str]:
    """`{host: "http://127.0.0.1:port"}`. Raises `ValueError` for an address that is not on this machine."""
    if not isinstance(body, dict):
        raise ValueError("expected an object of hosts and addresses")  # noqa: TRY004  # it is data that is wrong
    for host, address in body.items():
        if not isinstance(address, str) or reach(address, {}) is None:
            raise ValueError(f"{host}: {address} is not an address on this machine, such as http://127.0.0.1:9000")
    return {host.lower(): address for host, address in body.items()}
