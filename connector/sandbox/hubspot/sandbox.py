"""The door of the HubSpot sandbox: credentials, scopes, limits in headers, and the administrator's side entrance.

Under `/_sandbox/` lies what an administrator does in HubSpot's settings pages, and what only a sandbox can do (its
clock, its counters, an empty portal). Those addresses need no credentials and are never counted as API calls.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from random import Random
from typing import Any
from uuid import UUID

from connector.sandbox.clock import Clock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot import administration, schema_calls
from connector.sandbox.hubspot.actors import APP, APP_ID, Actor, person
from connector.sandbox.hubspot.calls import Call
from connector.sandbox.hubspot.credentials import Credentials
from connector.sandbox.hubspot.errors import (
    ApiError,
    missing_scopes,
    not_authenticated,
    not_found,
    refuse_json,
    refuse_status,
)
from connector.sandbox.hubspot.moments import next_midnight, to_iso, to_ms
from connector.sandbox.hubspot.portal import PORTAL_ID, Portal
from connector.sandbox.hubspot.routes import find
from connector.sandbox.hubspot.schema import BY_ALIAS, OBJECT_TYPES
from connector.sandbox.hubspot.settings import Settings
from connector.sandbox.hubspot.usage import DAILY_LIMIT, Usage
from connector.sandbox.snapshots import Snapshots
from connector.sandbox.wire import Request, Response

ALL_SCOPES = (
    *(
        f"crm.{area}.{kind.name}.{act}"
        for area in ("objects", "schemas")
        for kind in OBJECT_TYPES
        for act in ("read", "write")
    ),
    "crm.objects.owners.read",
    "oauth",
)
_OBJECT_TYPE_ARGS = {"type", "from", "to"}
_TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"
_DAILY_USAGE = "/account-info/v3/api-usage/daily/private-apps"


class HubSpotSandbox:
    """One HubSpot portal, a handler of requests.

    `access_token` is what clients send as bearer; it and all ids follow from `seed`. `settings` are the switches
    of `settings.Settings`, `scopes` the scopes that the token holds, `faults` what goes wrong on order.
    """

    portal: Portal
    usage: Usage
    scopes: set[str]

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        self.clock = clock or Clock()
        self.seed = seed
        self._random = Random(f"correlation {seed}")
        self.credentials = Credentials(seed)
        self.faults = Faults(seed, refuse_status)
        self.snapshots = Snapshots(self.clock, self._tell, self._take)
        self._begin()

    def _begin(self) -> None:
        self.scopes = set(ALL_SCOPES)
        self.usage = Usage()
        self.portal = Portal(self.clock, self.seed, Settings())

    @property
    def access_token(self) -> str:
        return self.credentials.access_token

    @property
    def settings(self) -> Settings:
        return self.portal.settings

    # -- the administrator's acts

    def reset(self) -> None:
        """An empty portal with settings, scopes and counters as at first, and no faults; the tokens stay."""
        self._begin()
        self.faults.clear()

    def sign_in(self, email: str) -> str:
        """A token to act as a person in HubSpot's own pages, who becomes an owner unless they are one."""
        found = next((one for one in self.portal.owners.all() if one["email"].lower() == email.lower()), None)
        owner = found or self.portal.owners.add([{"email": email}])[0]
        return self.credentials.admit(person(owner["userIdIncludingInactive"], owner["email"]))

    def _tell(self) -> tuple[Portal, set[str]]:
        return self.portal, self.scopes

    def _take(self, state: tuple[Portal, set[str]]) -> None:
        self.portal, self.scopes = state

    def delay_index(self, object_type: str, record_id: str, until: datetime) -> None:
        """Keep the latest version of one record out of search until then."""
        kind = BY_ALIAS[object_type]
        table = self.portal.tables[kind.name]
        table.hide(table.live[int(record_id)], to_ms(until))

    def add_owners(self, owners: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Create owners from `{email, firstName, lastName, archived?}`; answers them as HubSpot shows them."""
        return self.portal.owners.add(owners)

    # -- the door

    def __call__(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox/"):
            return administration.answer(self, request)
        return self.faults.pass_on(request, self._answer)

    def _answer(self, request: Request) -> Response:
        now = self.clock.now()
        correlation_id = str(UUID(int=self._random.getrandbits(128), version=4))
        actor = self.credentials.actor_of(request.headers.get("authorization", ""))
        self.portal.actor = actor or APP
        resource, limits = "unknown", True
        try:
            found = find(request.method, request.path)
            if found is None:
                resource, response = self._answer_account(request, actor)
            else:
                route, version, args = found
                names = {name: self.portal.kind(args[name]).name for name in args.keys() & _OBJECT_TYPE_ARGS}
                resource, limits = route.resource.format(**names), route.limit_headers
                self._admit(actor, [scope.format(**names) for scope in route.scopes])
                response = route.answer(Call(request, self.portal, version, args))
        except ApiError as error:
            body = {**error.body(), "correlationId": correlation_id}
            response = Response.json(body, error.status)
        response.headers["Date"] = format_datetime(now, usegmt=True)
        response.headers["X-HubSpot-Correlation-Id"] = correlation_id
        if actor is None or not actor.in_ui:
            self.usage.count(resource, now)
            response.headers |= self.usage.headers(now) if limits else {}
        return response

    def _admit(self, actor: Actor | None, scopes: list[str]) -> None:
        """Raises 401 for nobody, 403 without a scope. People in HubSpot's pages need none."""
        if actor is None:
            raise not_authenticated()
        missing = [scope for scope in scopes if scope not in self.scopes and not actor.in_ui]
        if missing:
            raise missing_scopes(missing)

    def _answer_account(self, request: Request, actor: Actor | None) -> tuple[str, Response]:
        """The calls that are about the token and its use. Raises 404 for an address that is none."""
        path = request.path.rstrip("/")
        if (request.method, path) == ("POST", _TOKEN_INFO):
            return "oauth", self._token_info(request)
        if (request.method, path) == ("GET", _DAILY_USAGE):
            self._admit(actor, [])
            return "account-info", self._daily_usage()
        raise not_found()

    def _token_info(self, request: Request) -> Response:
        try:
            body = request.json()
        except ValueError:
            raise refuse_json() from None
        schema_calls.require_token(body, self.access_token)
        info = {"userId": 1, "hubId": PORTAL_ID, "appId": int(APP_ID), "scopes": sorted(self.scopes)}
        return Response.json(info)

    def _daily_usage(self) -> Response:
        """What private apps have used today (account information API)."""
        now = self.clock.now()
        usage = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": DAILY_LIMIT,
            "currentUsage": self.usage.today(now),
            "collectedAt": to_iso(to_ms(now)),
            "fetchStatus": "SUCCESS",
            "resetsAt": to_iso(to_ms(next_midnight(now))),
        }
        return Response.json({"results": [usage]})
