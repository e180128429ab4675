"""Who is calling: sessions, and the ways to get one.

| address | ways |
|---|---|
| `/services/oauth2/token` | client credentials, username and password, JWT bearer |
| `/services/Soap/u/NN.0` | `login`; gone from version 65.0 on |
| `/services/oauth2/userinfo` | who the session's user is |

The signature of a JWT is not verified, and its expiry only read: the sandbox knows no certificate, and its clock
may stand elsewhere than the client's. Source: Salesforce Help, "OAuth 2.0 Client Credentials Flow",
"Username-Password Flow", "JWT Bearer Flow"; SOAP API Developer Guide, "login()".
"""

from __future__ import annotations

import base64
import binascii
import random
import re
import string

# Parsing what a test client sends to a pretend org on this machine; entity tricks would only hurt itself.
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

import orjson

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.store import Row
from connector.sandbox.wire import Request, Response

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FIRST_VERSION_WITHOUT_SOAP_LOGIN = 65
MY_DOMAIN = "example"

_COMMON_SIGN_IN = {"login.salesforce.com", "test.salesforce.com"}

_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything a client may be configured with."""

    organization: str
    username: str
    password: str
    security_token: str
    consumer_key: str
    consumer_secret: str
    session_id: str

    @classmethod
    def make(cls, rng: random.Random, organization: str) -> Credentials:
        """Of the shapes Salesforce gives them, the same for the same generator."""

        def some(length: int, letters: str = _LETTERS) -> str:
            return "".join(rng.choices(letters, k=length))

        return cls(
            organization=organization,
            username="admin@example.com",
            password=some(12) + "7!",
            security_token=some(24),
            consumer_key="3MVG9" + some(80),
            consumer_secret=some(64, "0123456789ABCDEF"),
            session_id=f"{organization[:15]}!AQ{some(94)}",
        )


def instance_url(origin: str, instance: str) -> str:
    """Where the API of an org is for a client that signed in at `origin` (scheme and host, no path).

    From Salesforce's common sign-in hosts it is led to the org's own host, `<instance>.my.salesforce.com`;
    a client that already names a host of its own (a My Domain, a port of this machine) stays there. Source:
    Salesforce Help, "My Domain URL Formats".
    """
    if urlsplit(origin).hostname in _COMMON_SIGN_IN:
        return f"https://{instance}.my.salesforce.com"
    return origin


class OAuthError(Exception):
    """A refusal of the token endpoint."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Gate:
    """Issues sessions and recognises them."""

    def __init__(self, credentials: Credentials, rng: random.Random, clock: Clock) -> None:
        self._known = credentials
        self._rng = rng
        self._clock = clock
        self._sessions = {credentials.session_id}

    def check(self, request: Request) -> None:
        """Raises INVALID_SESSION_ID unless the request carries a session: `Bearer x`, or the older `OAuth x`."""
        scheme, _, session = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"} or session.strip() not in self._sessions:
            raise ApiError("INVALID_SESSION_ID", "Session expired or invalid")

    def end(self, session: str) -> None:
        """Let a session expire."""
        self._sessions.discard(session)

    def token(self, request: Request, user: str) -> Response:
        """Answer the token endpoint. `user` is the id of the user who signs in."""
        if request.method != "POST":
            return _refuse("invalid_request", "must use HTTP POST")
        try:
            form = request.form()
            check = {
                "client_credentials": self._check_client, "password": self._check_password,
                JWT_BEARER: self._check_assertion,
            }.get(form.get("grant_type", ""))  # fmt: skip
            if check is None:
                return _refuse("unsupported_grant_type", "grant type not supported")
            check(request, form)
        except OAuthError as error:
            return _refuse(error.error, error.description)
        except UnicodeDecodeError:
            return _refuse("invalid_request", "the form is not text")
        issued = str(int(self._clock.now().timestamp() * 1000))
        return Response.json({
            "access_token": self._open_session(), "instance_url": instance_url(request.origin, MY_DOMAIN),
            "id": f"{request.origin}/id/{self._known.organization}/{user}", "token_type": "Bearer",
            "issued_at": issued, "signature": base64.b64encode(self._rng.randbytes(32)).decode(),
            "scope": "api",
        })  # fmt: skip

    def userinfo(self, request: Request, user: Row) -> Response:
        """The claims about the user of a session."""
        try:
            self.check(request)
        except ApiError:
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/html;charset=UTF-8"})
        name = " ".join(user[part] for part in ("FirstName", "LastName") if part in user)
        return Response.json({
            "sub": f"{request.origin}/id/{self._known.organization}/{user['Id']}", "user_id": user["Id"],
            "organization_id": self._known.organization, "preferred_username": user["Username"],
            "nickname": user["Username"].split("@")[0], "name": name, "email": user.get("Email"),
            "email_verified": True, "given_name": user.get("FirstName"), "family_name": user.get("LastName"),
            "zoneinfo": "GMT", "locale": "en_US", "language": "en_US", "utcOffset": 0, "active": True,
            "user_type": "STANDARD", "is_app_installed": True, "urls": {
                "rest": f"{request.origin}/services/data/v{{version}}/",
                "sobjects": f"{request.origin}/services/data/v{{version}}/sobjects/",
                "query": f"{request.origin}/services/data/v{{version}}/query/",
            },
        })  # fmt: skip

    def soap(self, request: Request, user: str) -> Response:
        """Answer a SOAP login; elements are known by their local names, whatever their prefix."""
        version = re.fullmatch(r"/services/Soap/u/(\d+)\.0(?:/.*)?", request.path)
        if version is None:
            return _fault("UNKNOWN_EXCEPTION", "no such SOAP endpoint")
        if int(version[1]) >= FIRST_VERSION_WITHOUT_SOAP_LOGIN:
            return _fault("UNSUPPORTED_API_VERSION", f"login() is not available in version {version[1]}.0")
        try:
            root = ET.fromstring(request.body)  # noqa: S314  # see the import
        except ET.ParseError as error:
            return _fault("UNKNOWN_EXCEPTION", f"the envelope is not well-formed: {error}")
        said = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in root.iter()}
        if "login" not in said:
            return _fault("INVALID_OPERATION", "only login is known here")
        if not self._is_user(said.get("username", ""), said.get("password", "")):
            return _fault("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
        org = instance_url(request.origin, MY_DOMAIN)
        url = f"{org}/services/Soap/u/{version[1]}.0/{self._known.organization[:15]}"
        return _envelope(
            '<loginResponse xmlns="urn:partner.soap.sforce.com"><result>'
            f"<passwordExpired>false</passwordExpired><sandbox>true</sandbox><serverUrl>{escape(url)}</serverUrl>"
            f"<sessionId>{escape(self._open_session())}</sessionId><userId>{user}</userId>"
            "</result></loginResponse>"
        )

    def _open_session(self) -> str:
        token = "".join(self._rng.choices(_LETTERS, k=94))
        session = f"{self._known.organization[:15]}!AR{token}"
        self._sessions.add(session)
        return session

    def _check_client(self, request: Request, form: dict[str, str]) -> None:
        key, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                decoded = base64.b64decode(encoded, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise OAuthError("invalid_client", "invalid client credentials") from None
            key, _, secret = (unquote(part) for part in decoded.partition(":"))
        self._check_key(key)
        if secret != self._known.consumer_secret:
            raise OAuthError("invalid_client", "invalid client credentials")

    def _check_password(self, request: Request, form: dict[str, str]) -> None:
        self._check_client(request, form)
        if not self._is_user(form.get("username", ""), form.get("password", "")):
            raise OAuthError("invalid_grant", "authentication failure")

    def _check_assertion(self, _: Request, form: dict[str, str]) -> None:
        claims = _claims(form.get("assertion", ""))
        if claims.get("iss") != self._known.consumer_key:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if claims.get("sub") != self._known.username:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        if not isinstance(claims.get("aud"), str) or not str(claims.get("exp", "")).isdigit():
            raise OAuthError("invalid_grant", "invalid assertion")

    def _check_key(self, key: str) -> None:
        if key != self._known.consumer_key:
            raise OAuthError("invalid_client_id", "client identifier invalid")

    def _is_user(self, username: str, password: str) -> bool:
        """With or without the security token: from a trusted address it may be left out."""
        fitting = {self._known.password, self._known.password + self._known.security_token}
        return username.casefold() == self._known.username and password in fitting


def _claims(assertion: str) -> dict[str, Any]:
    parts = assertion.split(".")
    try:
        header, claims = (orjson.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2])
        fitting = len(parts) == 3 and bool(parts[2]) and header["alg"] == "RS256" and isinstance(claims, dict)
    except (ValueError, TypeError, KeyError):
        raise OAuthError("invalid_grant", "invalid assertion") from None
    if not fitting:
        raise OAuthError("invalid_grant", "invalid assertion")
    return dict(claims)


def _refuse(error: str, description: str) -> Response:
    return Response.json({"error": error, "error_description": description}, 400)


def _fault(code: str, message: str) -> Response:
    return _envelope(
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring>"
        '<detail><sf:LoginFault xsi:type="sf:LoginFault" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{escape(message)}</sf:exceptionMessage>"
        "</sf:LoginFault></detail></soapenv:Fault>",
        500,
    )


def _envelope(inner: str, status: int = 200) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>'
    )
    return Response(status, text.encode(), {"Content-Type": "text/xml;charset=UTF-8"})
