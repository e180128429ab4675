"""The OAuth endpoints, and the one door to sessions behind them.

| address | what |
|---|---|
| `/services/oauth2/token` | client credentials, password, JWT bearer, authorization code, refresh token |
| `/services/oauth2/authorize` | a code for the web server flow, as if the administrator had agreed at once |
| `/services/oauth2/revoke`, `…/introspect`, `…/userinfo` | a token's end, its state, its user |
| `/id/{organization}/{user}` | who that is |
| `/services/Soap/u/NN.0` | `login()` |

Source: Salesforce Help, "OAuth 2.0 Client Credentials Flow", "Username-Password Flow", "JWT Bearer Flow", "Web
Server Flow", "Refresh Token Flow", "Revoke OAuth Tokens", "OpenID Connect Token Introspection". Only the
administrator has a password and a refresh token from the start; everybody can come by a JWT.
"""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote, urlencode

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce.errors import ApiError, InputError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records.store import Row
from connector.sandbox.salesforce.sign_in import soap
from connector.sandbox.salesforce.sign_in.assertions import BadAssertionError, read_claims, read_key
from connector.sandbox.salesforce.sign_in.credentials import LETTERS, Credentials
from connector.sandbox.salesforce.sign_in.hosts import instance_url
from connector.sandbox.salesforce.sign_in.sessions import Session, Sessions
from connector.sandbox.wire import Request, Response

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CODE_LIFE = timedelta(minutes=15)

_OF_ADDRESSES = ":/?#[]@!$&'()*+,;=%"  # characters that mean something in one

Form = Mapping[str, str]


class OAuthError(Exception):
    """A refusal of the token endpoint."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class SignIn:
    """Opens sessions for those who prove who they are, and recognises them afterwards."""

    def __init__(self, credentials: Credentials, user: str, rng: random.Random, clock: Clock) -> None:
        self.credentials = credentials
        self.sessions = Sessions(credentials, user, rng, clock)
        self._rng = rng
        self._clock = clock
        self._certificate: str | None = None
        self._refresh_tokens = {credentials.refresh_token: user}
        self._codes: dict[str, tuple[str, Form, float]] = {}

    # -- recognising

    def check(self, org: Org, request: Request) -> Session:
        """The session of a request: `Bearer x`, the older `OAuth x`, or the Bulk API's own header.

        Raises INVALID_SESSION_ID for none, one that has ended, and one whose user is gone or inactive.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"}:
            token = request.headers.get("x-sfdc-session", "")
        session = self._find(org, token.strip())
        if session is None:
            raise ApiError("INVALID_SESSION_ID", "Session expired or invalid")
        return session

    def certify(self, pem: str | None) -> None:
        """Give the app the certificate, or public key, that JWTs are checked against. Raises `InputError`."""
        if pem is not None:
            try:
                read_key(pem)
            except ValueError as error:
                raise InputError(f"that is no certificate of an RSA key: {error}") from None
        self._certificate = pem

    def _find(self, org: Org, token: str) -> Session | None:
        session = self.sessions.find(token, timedelta(minutes=org.settings.session_minutes))
        if session is None or not org.store.table("User").live.get(session.user, {}).get("IsActive"):
            return None
        return session

    # -- the endpoints

    def answer(self, org: Org, request: Request) -> Response | None:
        """Answer one of the addresses; None for any other."""
        path = request.path.rstrip("/")
        if path.startswith("/services/Soap/"):
            return self._log_in(org, request)
        if path.startswith("/id/"):
            return self._identify(org, request, path)
        endpoint = {
            "/services/oauth2/token": self._issue_token, "/services/oauth2/authorize": self._authorize,
            "/services/oauth2/revoke": self._revoke, "/services/oauth2/introspect": self._introspect,
            "/services/oauth2/userinfo": self._tell_user,
        }.get(path)  # fmt: skip
        try:
            return endpoint(org, request) if endpoint is not None else None
        except UnicodeDecodeError:
            return _refuse("invalid_request", "the form is not text")

    def _issue_token(self, org: Org, request: Request) -> Response:
        if request.method != "POST":
            return _refuse("invalid_request", "must use HTTP POST")
        try:
            form = request.form()
            grant = {
                "client_credentials": self._by_client, "password": self._by_password,
                JWT_BEARER: self._by_assertion, "authorization_code": self._by_code,
                "refresh_token": self._by_refresh_token,
            }.get(form.get("grant_type", ""))  # fmt: skip
            if grant is None:
                return _refuse("unsupported_grant_type", "grant type not supported")
            user, extra = grant(org, request, form)
        except OAuthError as error:
            return _refuse(error.error, error.description)
        server = instance_url(request.origin)
        return Response.json({
            "access_token": self.sessions.open(user).token, "instance_url": server,
            "id": f"{request.origin}/id/{self.credentials.organization}/{user}", "token_type": "Bearer",
            "issued_at": str(int(self._clock.now().timestamp() * 1000)),
            "signature": base64.b64encode(self._rng.randbytes(32)).decode(), "scope": "refresh_token api", **extra,
        })  # fmt: skip

    def _authorize(self, org: Org, request: Request) -> Response:
        wanted = {**dict(request.query), **(request.form() if request.body else {})}
        target = wanted.get("redirect_uri", "")
        if wanted.get("client_id") != self.credentials.consumer_key or "://" not in target:
            return _refuse("invalid_client_id", "client identifier invalid")
        if wanted.get("response_type") != "code":
            return _refuse("unsupported_response_type", "response type not supported")
        code = "aPrx" + "".join(self._rng.choices(LETTERS, k=60))
        self._codes[code] = (org.store.user, wanted, self._clock.now().timestamp())
        answer = {"code": code, **({"state": wanted["state"]} if "state" in wanted else {})}
        address = quote(target, safe=_OF_ADDRESSES)  # as a header can carry it
        return Response(302, b"", {"Location": f"{address}{'&' if '?' in target else '?'}{urlencode(answer)}"})

    def _revoke(self, _: Org, request: Request) -> Response:
        token = request.first("token") or request.form().get("token", "")
        user = self._refresh_tokens.pop(token, None)
        if user is None and not self.sessions.end(token):
            return _refuse("unsupported_token_type", "this token type is not supported")
        return Response(200)

    def _introspect(self, org: Org, request: Request) -> Response:
        form = request.form()
        try:
            self._check_client(request, form)
        except OAuthError as error:
            return _refuse(error.error, error.description, 401)
        token = form.get("token", "")
        session = self._find(org, token)
        user = session.user if session is not None else self._refresh_tokens.get(token)
        if user is None:
            return Response.json({"active": False})
        name = org.store.table("User").live[user]["Username"]
        return Response.json({
            "active": True, "scope": "refresh_token api", "client_id": self.credentials.consumer_key,
            "username": name, "sub": f"{request.origin}/id/{self.credentials.organization}/{user}",
            "token_type": "access_token" if session is not None else "refresh_token",
        })  # fmt: skip

    def _tell_user(self, org: Org, request: Request) -> Response:
        try:
            session = self.check(org, request)
        except ApiError:
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/html;charset=UTF-8"})
        return Response.json(self._claims(request, org.store.table("User").live[session.user]))

    def _identify(self, org: Org, request: Request, path: str) -> Response:
        user = org.store.table("User").live.get(path.rpartition("/")[2])
        try:
            self.check(org, request)
        except ApiError:
            user = None
        if user is None or path.split("/")[2:3] != [self.credentials.organization]:
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/html;charset=UTF-8"})
        claims = self._claims(request, user)
        names = {"username": claims["preferred_username"], "display_name": claims["name"], "id": claims["sub"]}
        return Response.json({**claims, **names, "asserted_user": True})

    def _claims(self, request: Request, user: Row) -> dict[str, Any]:
        name = " ".join(user[part] for part in ("FirstName", "LastName") if part in user)
        rest = f"{request.origin}/services/data/v{{version}}"
        return {
            "sub": f"{request.origin}/id/{self.credentials.organization}/{user['Id']}", "user_id": user["Id"],
            "organization_id": self.credentials.organization, "preferred_username": user["Username"],
            "nickname": user["Username"].split("@")[0], "name": name, "email": user.get("Email"),
            "email_verified": True, "given_name": user.get("FirstName"), "family_name": user.get("LastName"),
            "zoneinfo": "GMT", "locale": "en_US", "language": "en_US", "utcOffset": 0, "active": True,
            "user_type": "STANDARD", "is_app_installed": True,
            "urls": {"rest": f"{rest}/", "sobjects": f"{rest}/sobjects/", "query": f"{rest}/query/"},
        }  # fmt: skip

    def _log_in(self, org: Org, request: Request) -> Response:
        try:
            call = soap.read_login(request)
            user = self._user(org, call.username)
            if user is None or not self._is_password(call.username, call.password):
                said = "Invalid username, password, security token; or user locked out."
                return soap.answer_fault(soap.FaultError("INVALID_LOGIN", said))
        except soap.FaultError as fault:
            return soap.answer_fault(fault)
        session = self.sessions.open(user).token
        server = instance_url(request.origin)
        return soap.answer_login(call, server, self.credentials.organization, session, user)

    # -- the grants: each gives the user's id and what the answer says besides

    def _by_client(self, org: Org, request: Request, form: Form) -> tuple[str, Form]:
        self._check_client(request, form)
        return self._owner(org), {}

    def _by_password(self, org: Org, request: Request, form: Form) -> tuple[str, Form]:
        self._check_client(request, form)
        user = self._user(org, form.get("username", ""))
        if user is None or not self._is_password(form.get("username", ""), form.get("password", "")):
            raise OAuthError("invalid_grant", "authentication failure")
        return user, {}

    def _by_assertion(self, org: Org, _: Request, form: Form) -> tuple[str, Form]:
        if self._certificate is None and org.settings.jwt_needs_certificate:
            raise OAuthError("invalid_grant", "invalid assertion")
        try:
            claims = read_claims(form.get("assertion", ""), self._certificate, self._clock.now())
        except BadAssertionError as error:
            raise OAuthError("invalid_grant", str(error)) from None
        self._check_key(str(claims.get("iss")))
        user = self._user(org, str(claims.get("sub")))
        if user is None:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        return user, {}

    def _by_code(self, _: Org, request: Request, form: Form) -> tuple[str, Form]:
        self._check_key(form.get("client_id", ""))
        known = self._codes.pop(form.get("code", ""), None)
        if known is None:
            raise OAuthError("invalid_grant", "invalid authorization code")
        user, wanted, since = known
        if self._clock.now().timestamp() - since > CODE_LIFE.total_seconds():
            raise OAuthError("invalid_grant", "expired authorization code")
        if wanted["redirect_uri"] != form.get("redirect_uri"):
            raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
        if "code_challenge" in wanted:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != wanted["code_challenge"]:
                raise OAuthError("invalid_grant", "invalid code verifier")
        else:
            self._check_client(request, form)
        token = "5Aep861" + "".join(self._rng.choices(LETTERS, k=80))
        self._refresh_tokens[token] = user
        return user, {"refresh_token": token}

    def _by_refresh_token(self, org: Org, request: Request, form: Form) -> tuple[str, Form]:
        """The secret may be left out where the app does not require it; a wrong one is refused."""
        if form.get("client_secret") or "authorization" in request.headers:
            self._check_client(request, form)
        self._check_key(form.get("client_id", "") or self.credentials.consumer_key)
        user = self._refresh_tokens.get(form.get("refresh_token", ""))
        if user is None or user not in org.store.table("User").live:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        return user, {}

    # -- checks

    def _check_client(self, request: Request, form: Form) -> None:
        key, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                decoded = base64.b64decode(encoded, validate=True).decode()
            except ValueError:  # neither base64 nor text
                raise OAuthError("invalid_client", "invalid client credentials") from None
            key, _, secret = (unquote(part) for part in decoded.partition(":"))
        self._check_key(key)
        if secret != self.credentials.consumer_secret:
            raise OAuthError("invalid_client", "invalid client credentials")

    def _check_key(self, key: str) -> None:
        if key != self.credentials.consumer_key:
            raise OAuthError("invalid_client_id", "client identifier invalid")

    def _is_password(self, username: str, password: str) -> bool:
        return username.casefold() == self.credentials.username and self.credentials.is_password(password)

    def _owner(self, org: Org) -> str:
        """The user on whose behalf the app runs."""
        user = self._user(org, self.credentials.username)
        if user is None:
            raise OAuthError("invalid_grant", "no client credentials user enabled")
        return user

    def _user(self, org: Org, username: str) -> str | None:
        """The active user with this name."""
        users = org.store.table("User").rows()
        names = ((row["Id"], row) for row in users if row["Username"].casefold() == username.casefold())
        return next((record for record, row in names if row.get("IsActive")), None)


def _refuse(error: str, description: str, status: int = 400) -> Response:
    return Response.json({"error": error, "error_description": description}, status)
