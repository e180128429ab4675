"""A Salesforce org in memory: a function from request to response.

A request goes to the sign-in addresses, to the administrator's, or through the gate to the REST API, where it is
counted. Every answer is dated by the sandbox's clock and tells the use of the daily quota, as Salesforce's do.
"""

from __future__ import annotations

import random
import string
from email.utils import format_datetime

from connector.sandbox.admin import clock_endpoint, refuse
from connector.sandbox.clock import Clock
from connector.sandbox.salesforce import administration, routes
from connector.sandbox.salesforce.administration import Administration
from connector.sandbox.salesforce.auth import Credentials, Gate
from connector.sandbox.salesforce.calls import refused
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.org import DAILY_REQUESTS, Org, default_stages
from connector.sandbox.wire import Request, Response

_ADMIN = "/_sandbox/"


class SalesforceSandbox:
    """A `Handler`, called by one thread at a time. Everything is the same again for the same seed and clock.

    `admin` holds the administrator's acts as methods; they are also answered under `/_sandbox/`.
    """

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        self.clock = clock or Clock()
        rng = random.Random(seed)
        self._instance = "".join(rng.choices(string.ascii_letters, k=3))
        self.reset()
        self.credentials = Credentials.make(rng, self.org.organization)
        self.gate = Gate(self.credentials, rng, self.clock)

    @property
    def session_id(self) -> str:
        return self.credentials.session_id

    @property
    def username(self) -> str:
        return self.credentials.username

    @property
    def password(self) -> str:
        return self.credentials.password

    @property
    def security_token(self) -> str:
        return self.credentials.security_token

    @property
    def consumer_key(self) -> str:
        return self.credentials.consumer_key

    @property
    def consumer_secret(self) -> str:
        return self.credentials.consumer_secret

    def reset(self) -> None:
        """Begin with an empty org again. Credentials and sessions stay valid, the clock stays where it is."""
        self.org = Org(self.clock, self._instance, "admin@example.com")
        self.admin = Administration(self.org)
        self.admin.add("stages", default_stages())

    def __call__(self, request: Request) -> Response:
        if request.path.startswith(_ADMIN):
            response = self._administer(request.path.removeprefix(_ADMIN).rstrip("/"), request)
        else:
            response = self._answer(request)
        response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        response.headers["Sforce-Limit-Info"] = f"api-usage={self.org.calls}/{DAILY_REQUESTS}"
        if request.method == "HEAD":
            response.body = b""
        return response

    def _administer(self, act: str, request: Request) -> Response:
        if act == "clock":
            return clock_endpoint(self.clock, request)
        if act == "reset":
            if request.method != "POST":
                return refuse(f"{request.method} is not for reset", 405)
            self.reset()
            return Response(204)
        return administration.answer(self.admin, act, request)

    def _answer(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        user = self.org.store.user
        if path == "/services/oauth2/token":
            return self.gate.token(request, user)
        if path == "/services/oauth2/userinfo":
            return self.gate.userinfo(request, self.org.store.table("User").live[user])
        if path.startswith("/services/Soap/"):
            return self.gate.soap(request, user)
        if path == "/services/data" and request.method == "GET":
            return Response.json(routes.versions())
        return self._let_in(request)

    def _let_in(self, request: Request) -> Response:
        found = routes.split(request.path)
        if found is None:
            return refused(ApiError("NOT_FOUND", "The requested resource does not exist"))
        try:
            self.gate.check(request)
        except ApiError as error:
            return refused(error)
        if not self.org.access.api_enabled:
            message = "The REST API is not enabled for this Organization."
            return refused(ApiError("API_DISABLED_FOR_ORG", message))
        name = routes.name(found[1])
        if name != "composite/batch":  # whose parts are counted instead
            self.org.count(name)
        return routes.respond(self.org, request)
