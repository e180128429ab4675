"""A Salesforce org in memory: a function from request to response.

A request goes to the sign-in addresses, to the administrator's, or through the gate to the REST API, where it is
counted. Every answer is dated by the sandbox's clock and tells the use of the daily quota, as Salesforce's do.
"""

from __future__ import annotations

import random
import string
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any

from connector.sandbox.admin import check_act, clock_endpoint, find_act, read_body, refuse
from connector.sandbox.clock import Clock
from connector.sandbox.faults import Faults, faults_endpoint
from connector.sandbox.salesforce import administration
from connector.sandbox.salesforce.administration import Administration
from connector.sandbox.salesforce.api import routes
from connector.sandbox.salesforce.api.calls import refused
from connector.sandbox.salesforce.bulk import classic, processing
from connector.sandbox.salesforce.errors import ApiError, InputError, refuse_status
from connector.sandbox.salesforce.org import Org, default_stages
from connector.sandbox.salesforce.sign_in.credentials import Credentials
from connector.sandbox.salesforce.sign_in.oauth import SignIn
from connector.sandbox.snapshots import Snapshots, snapshots_endpoint
from connector.sandbox.wire import Request, Response


class SalesforceSandbox:
    """A `Handler`, called by one thread at a time. Everything is the same again for the same seed and clock.

    `admin` holds the administrator's acts as methods; they are also answered under `/_sandbox/`.
    """

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        self.clock = clock or Clock()
        rng = random.Random(seed)
        self._instance = "".join(rng.choices(string.ascii_letters, k=3))
        self.faults = Faults(seed, refuse_status)
        self.snapshots = Snapshots(self.clock, self._tell, self._take)
        self.reset()
        self.credentials = Credentials.make(rng, self.org.organization)
        self.entrance = SignIn(self.credentials, self.org.administrator, rng, self.clock)

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

    @property
    def refresh_token(self) -> str:
        return self.credentials.refresh_token

    def reset(self) -> None:
        """Begin with an empty org again, without faults. Credentials and sessions stay valid, the clock stays
        where it is.
        """
        self._take(Org(self.clock, self._instance, "admin@example.com"))
        self.admin.add("stages", default_stages())
        self.faults.clear()

    def sign_in(self, email: str, *, in_ui: bool = True) -> str:
        """A session to act as a person, in Salesforce's own pages or through the API.

        Somebody who is no active user yet becomes one; `email` is their user name too.
        """
        users = self.org.store.table("User").rows()
        found = next((row for row in users if row["Username"].casefold() == email.casefold()), None)
        user = found["Id"] if found is not None else self.admin.add("users", [{"Email": email}])[0]
        return self.entrance.sessions.open(user, in_ui=in_ui).token

    def _tell(self) -> Org:
        return self.org

    def _take(self, org: Org) -> None:
        self.org = org
        self.admin = Administration(org)

    def __call__(self, request: Request) -> Response:
        act = find_act(request)
        if act is None:
            response = self.faults.pass_on(request, self._answer)
        else:
            response = check_act(administration.METHODS, act, request.method) or self._administer(act, request)
        response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        if request.method == "HEAD":
            response.body = b""
        return response

    def _administer(self, act: str, request: Request) -> Response:
        match act:
            case "clock":
                return clock_endpoint(self.clock, request)
            case "bulk":
                return processing.administer(self.org, request)
            case "faults":
                return faults_endpoint(self.faults, request)
            case "snapshots" | "restore":
                return snapshots_endpoint(self.snapshots, request, act)
        own = {"reset": self._reset, "people": self._admit, "certificate": self._certify, "sessions": self._end}
        if act not in own:
            return administration.answer(self.admin, act, request)
        try:
            return own[act](read_body(request))
        except (ApiError, ValueError) as error:
            return refuse(str(error))

    def _reset(self, _: Any) -> Response:
        self.reset()
        return Response(204)

    def _admit(self, given: Any) -> Response:
        names = _read(given, {"email", "via"})
        via = names.get("via", "ui")
        if "email" not in names or via not in {"ui", "api"}:
            raise InputError('expected {"email": …, "via": "ui" or "api"}')
        return Response.json({"session_id": self.sign_in(names["email"], in_ui=via == "ui")}, 201)

    def _certify(self, given: Any) -> Response:
        self.entrance.certify(_read(given, {"pem"}).get("pem"))
        return Response(204)

    def _end(self, given: Any) -> Response:
        """All sessions that a sign-in has opened end, or the one that is named."""
        named = _read(given or {}, {"end"})
        if "end" in named:
            self.entrance.sessions.end(named["end"])
        else:
            self.entrance.sessions.end_all()
        return Response(204)

    def _answer(self, request: Request) -> Response:
        response = self.entrance.answer(self.org, request)
        if response is None and request.path.rstrip("/") == "/services/data" and request.method == "GET":
            response = Response.json(routes.versions())
        if response is None:
            response = self._let_in(request)
        used, most = self.org.usage.daily, self.org.settings.daily_requests
        response.headers["Sforce-Limit-Info"] = f"api-usage={used}/{most}"
        return response

    def _let_in(self, request: Request) -> Response:
        if classic.is_address(request.path):
            return classic.answer(self.org, self.entrance.check, request)
        found = routes.split(request.path)
        if found is None:
            return refused(ApiError("NOT_FOUND", "The requested resource does not exist"))
        try:
            session = self.entrance.check(self.org, request)
            self.org.sign_in(session.user, counted=not session.in_ui)
            if not self.org.access.api_enabled:
                message = "The REST API is not enabled for this Organization."
                raise ApiError("API_DISABLED_FOR_ORG", message)  # noqa: TRY301  # one refusal among three
            name = routes.name(found[1])
            if name != "composite/batch":  # whose parts are counted instead
                self.org.count(name)
        except ApiError as error:
            return refused(error)
        processing.run_due(self.org)
        return routes.respond(self.org, request)


def _read(given: Any, known: set[str]) -> Mapping[str, str]:
    """A flat object of texts. Raises `InputError`."""
    if not isinstance(given, dict) or given.keys() - known or not all(isinstance(v, str) for v in given.values()):
        raise InputError(f"expected an object with some of {', '.join(sorted(known))}")
    return given
