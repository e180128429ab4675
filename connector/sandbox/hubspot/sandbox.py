"""The door of the HubSpot sandbox: credentials, scopes, limits in headers, and the administrator's side entrance.

Under `/_sandbox/` lies what an administrator does in HubSpot's settings pages, and what only a sandbox can do (its
clock, its counters, an empty portal). Those addresses need no credentials and are never counted as API calls.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from random import Random
from typing import Any
from uuid import UUID

from connector.sandbox.admin import clock_endpoint, refuse
from connector.sandbox.clock import Clock
from connector.sandbox.hubspot import schema_calls
from connector.sandbox.hubspot.calls import Call
from connector.sandbox.hubspot.errors import ApiError, missing_scopes, not_authenticated, not_found, refuse_json
from connector.sandbox.hubspot.moments import next_midnight, to_iso, to_ms
from connector.sandbox.hubspot.portal import APP_ID, PORTAL_ID, Portal
from connector.sandbox.hubspot.routes import find
from connector.sandbox.hubspot.schema import BY_ALIAS, OBJECT_TYPES
from connector.sandbox.hubspot.settings import Settings
from connector.sandbox.hubspot.usage import DAILY_LIMIT, Usage
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
    of `settings.Settings`, `scopes` the scopes that the token holds.
    """

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        self.clock = clock or Clock()
        self.seed = seed
        self._random = Random(f"correlation {seed}")
        token = UUID(int=Random(f"token {seed}").getrandbits(128), version=4)
        self.access_token = f"pat-na1-{token}"
        self.settings = Settings()
        self.scopes: set[str] = set(ALL_SCOPES)
        self.usage = Usage()
        self.portal = Portal(self.clock, seed, self.settings)

    # -- the administrator's acts

    def reset(self) -> None:
        """An empty portal with settings, scopes and counters as at first; the token stays."""
        self.settings = Settings()
        self.scopes = set(ALL_SCOPES)
        self.usage = Usage()
        self.portal = Portal(self.clock, self.seed, self.settings)

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
            return self._administer(request)
        now = self.clock.now()
        correlation_id = str(UUID(int=self._random.getrandbits(128), version=4))
        resource, limits = "unknown", True
        try:
            found = find(request.method, request.path)
            if found is None:
                resource, response = self._answer_account(request)
            else:
                route, version, args = found
                names = {name: self.portal.kind(args[name]).name for name in args.keys() & _OBJECT_TYPE_ARGS}
                resource, limits = route.resource.format(**names), route.limit_headers
                self._admit(request, [scope.format(**names) for scope in route.scopes])
                response = route.answer(Call(request, self.portal, version, args))
        except ApiError as error:
            body = {**error.body(), "correlationId": correlation_id}
            response = Response.json(body, error.status)
        self.usage.count(resource, now)
        response.headers["Date"] = format_datetime(now, usegmt=True)
        response.headers["X-HubSpot-Correlation-Id"] = correlation_id
        if limits:
            response.headers |= self.usage.headers(now)
        return response

    def _admit(self, request: Request, scopes: list[str]) -> None:
        """Raises 401 without the token, 403 without a scope."""
        if request.headers.get("authorization") != f"Bearer {self.access_token}":
            raise not_authenticated()
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise missing_scopes(missing)

    def _answer_account(self, request: Request) -> tuple[str, Response]:
        """The calls that are about the token and its use. Raises 404 for an address that is none."""
        path = request.path.rstrip("/")
        if (request.method, path) == ("POST", _TOKEN_INFO):
            return "oauth", self._token_info(request)
        if (request.method, path) == ("GET", _DAILY_USAGE):
            self._admit(request, [])
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

    # -- the side entrance

    def _administer(self, request: Request) -> Response:
        name = request.path.removeprefix("/_sandbox/").rstrip("/")
        if name == "clock":
            return clock_endpoint(self.clock, request)
        act = self._acts().get((request.method, name))
        if act is None:
            return refuse(f"there is no {request.method} {request.path}", 404)
        try:
            return act(request.json())
        except ApiError as error:
            return refuse(error.message, error.status)
        except ValueError as error:
            return refuse(str(error))

    def _acts(self) -> dict[tuple[str, str], Callable[[Any], Response]]:
        return {
            ("GET", "usage"): lambda _: Response.json(self.usage.view()),
            ("POST", "usage/reset"): lambda _: _done(self.usage.reset),
            ("POST", "reset"): lambda _: _done(self.reset),
            ("GET", "owners"): lambda _: Response.json(self.portal.owners.all()),
            ("POST", "owners"): lambda owners: Response.json(self.portal.owners.add(owners), 201),
            ("PUT", "owners"): lambda owners: Response.json(self.portal.owners.replace(owners)),
            ("GET", "scopes"): lambda _: Response.json(sorted(self.scopes)),
            ("PUT", "scopes"): self._set_scopes,
            ("GET", "settings"): lambda _: Response.json(self.settings.view()),
            ("PUT", "settings"): self._set_settings,
        }

    def _set_scopes(self, scopes: Any) -> Response:
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise ValueError("expected a list of scope names")
        self.scopes = set(scopes)
        return Response.json(sorted(self.scopes))

    def _set_settings(self, given: Any) -> Response:
        self.settings.change(given)
        return Response.json(self.settings.view())


def _done(act: Callable[[], None]) -> Response:
    act()
    return Response(204)
