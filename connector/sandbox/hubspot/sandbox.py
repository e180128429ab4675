"""The door of the HubSpot sandbox: credentials, scopes, limits in headers, and the administrator's side entrance.

Under `/_sandbox/` lies what an administrator does in HubSpot's settings pages, and what only a sandbox can do (its
clock, its counters, an empty portal). Those addresses need no credentials and are never counted as API calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from random import Random
from typing import Any
from uuid import UUID

from connector.sandbox.admin import find_act
from connector.sandbox.clock import Clock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot import administration
from connector.sandbox.hubspot.access import limits
from connector.sandbox.hubspot.access.account import Account
from connector.sandbox.hubspot.access.credentials import OAUTH_APP_ID, REDIRECT_URI, Bearer, Credentials
from connector.sandbox.hubspot.access.usage import Usage
from connector.sandbox.hubspot.actors import ADMINISTRATOR, APP, person
from connector.sandbox.hubspot.api.calls import Call
from connector.sandbox.hubspot.api.routes import Route, find
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS
from connector.sandbox.hubspot.errors import ApiError, RateLimited, missing_scopes, not_found, refuse_status
from connector.sandbox.hubspot.moments import to_ms
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records import automation, restoring
from connector.sandbox.hubspot.settings import Settings
from connector.sandbox.hubspot.transfers.exports import Exports
from connector.sandbox.hubspot.transfers.imports import Imports
from connector.sandbox.hubspot.webhooks import Webhooks
from connector.sandbox.snapshots import Snapshots
from connector.sandbox.wire import Request, Response

_OBJECT_TYPE_ARGS = {"type", "from", "to"}


_State = tuple[Portal, set[str], Webhooks, Imports, Exports]  # what a snapshot keeps


@dataclass(slots=True)
class _Visit:
    """What is known of a call so far: whose it is, and what it counts as."""

    who: Bearer | None = None
    resource: str = "unknown"
    bucket: str = limits.BURST


class HubSpotSandbox:
    """One HubSpot portal, a handler of requests.

    `access_token` is what clients send as bearer; with `client_id`, `client_secret` and `refresh_token` they
    sign in by OAuth. These and all ids follow from `seed`. `settings` are the switches of `settings.Settings`,
    at first and after a reset as given; `scopes` the scopes that the app's tokens hold, `faults` what goes wrong on
    order.
    """

    portal: Portal
    account: Account

    def __init__(self, clock: Clock | None = None, seed: int = 0, settings: Settings | None = None) -> None:
        self.clock = clock or Clock()
        self.seed = seed
        self._at_first = settings or Settings()
        self._random = Random(f"correlation {seed}")
        self._credentials = Credentials(seed)
        self.faults = Faults(seed, refuse_status)
        self.snapshots = Snapshots(self.clock, self._tell, self._take)
        self._begin()

    def _begin(self) -> None:
        self.portal = Portal(self.clock, self.seed, replace(self._at_first))
        self.account = Account(
            self._credentials, Webhooks(self.portal, OAUTH_APP_ID, self.client_secret, self.seed)
        )

    @property
    def access_token(self) -> str:
        return self._credentials.access_token

    @property
    def client_id(self) -> str:
        return self._credentials.client_id

    @property
    def client_secret(self) -> str:
        return self._credentials.client_secret

    @property
    def refresh_token(self) -> str:
        return self._credentials.refresh_token

    @property
    def usage(self) -> Usage:
        return self.account.usage

    @property
    def webhooks(self) -> Webhooks:
        return self.account.webhooks

    @property
    def scopes(self) -> set[str]:
        return self.account.scopes

    @scopes.setter
    def scopes(self, scopes: set[str]) -> None:
        self.account.scopes = scopes

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
        return self._credentials.admit(person(owner["userIdIncludingInactive"], owner["email"]))

    def _tell(self) -> _State:
        return self.portal, self.scopes, self.webhooks, self.account.imports, self.account.exports

    def _take(self, state: _State) -> None:
        self.portal, self.scopes, self.account.webhooks, self.account.imports, self.account.exports = state

    async def tick(self) -> None:
        """Do what HubSpot does of its own accord as time goes by: imports, webhooks. To be awaited every second."""
        self.account.imports.catch_up(self.portal)
        await self.webhooks.deliver_aside()

    def install_app(self, redirect_uri: str = REDIRECT_URI) -> str:
        """Consent to the OAuth app; answers the authorization code that HubSpot would send to `redirect_uri`."""
        return self._credentials.consent(redirect_uri, self.portal.now())

    def restore_records(self, object_type: str, record_ids: list[str]) -> None:
        """Bring archived records back, as somebody in HubSpot's own pages. Raises `ApiError`: nothing is done."""
        kind = self.portal.kind(object_type)
        self.portal.actor = ADMINISTRATOR
        restoring.restore(self.portal, kind, record_ids)
        automation.react(self.portal)

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
        act = find_act(request)
        if act is not None:
            return administration.answer(self, act, request)
        return self.faults.pass_on(request, self._answer)

    def _answer(self, request: Request) -> Response:
        now = self.clock.now()
        correlation_id, found = self._uuid(), find(request.method, request.path)
        visit = _Visit()
        try:
            if found is None:
                raise not_found()
            response = self._serve(request, visit, *found)
        except ApiError as error:
            body = {**error.body(), "correlationId": correlation_id}
            if isinstance(error, RateLimited):
                body["requestId"] = self._uuid()
            response = Response.json(body, error.status, error.headers())
        response.headers["Date"] = format_datetime(now, usegmt=True)
        response.headers["X-HubSpot-Correlation-Id"] = correlation_id
        if visit.who is None or not visit.who.actor.in_ui:
            self.usage.count(visit.resource)
            if visit.who is not None and visit.bucket != limits.SEARCH:
                response.headers |= self.account.limits.headers(visit.who, self.clock, self.settings)
        return response

    def _serve(self, request: Request, visit: _Visit, route: Route, version: str, args: dict[str, str]) -> Response:
        """Answer a call that has an address; `visit` takes note of it. Raises `ApiError`."""
        if route.bearer:
            authorization = request.headers.get("authorization", "")
            visit.who = self.account.credentials.bearer(authorization, self.portal.now())
        names = {name: self.portal.kind(args[name]).name for name in args.keys() & _OBJECT_TYPE_ARGS}
        visit.resource, visit.bucket = route.resource.format(**names), route.bucket
        if visit.who is not None:
            self._admit(visit.who, route.bucket, [scope.format(**names) for scope in route.scopes])
        self.account.imports.catch_up(self.portal)
        self.portal.actor = visit.who.actor if visit.who else APP
        response = route.answer(Call(request, self.portal, self.account, version, args))
        automation.react(self.portal)
        return response

    def _admit(self, who: Bearer, bucket: str, scopes: list[str]) -> None:
        """Raises 429 beyond a limit, 403 without a scope. People in HubSpot's pages know neither."""
        if who.actor.in_ui:
            return
        self.account.limits.admit(bucket, who, self.clock, self.settings)
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise missing_scopes(missing)

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))
