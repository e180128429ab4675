"""Which bearer token stands for whom, and how an OAuth app comes by one.

| token | of | lives |
|---|---|---|
| `access_token` | the portal's private app, or a service key: the same on the wire | for ever |
| access token | an app with OAuth | 30 minutes by the sandbox's clock |
| refresh token | that app | until it is revoked |
| authorization code | that app, after somebody has consented | ten minutes, and for one exchange |
| a person's | somebody in HubSpot's own pages | for ever |

HubSpot docs, "Manage OAuth access tokens". How long a code lives is not documented; ten minutes is the most that
RFC 6749 recommends. The same seed gives the same tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from uuid import UUID

from connector.sandbox.hubspot.actors import APP, Actor
from connector.sandbox.hubspot.errors import OAuthError, expired, not_authenticated

OAUTH_APP_ID = 2_417_310
OAUTH_APP = Actor("INTEGRATION", str(OAUTH_APP_ID), "Sandbox OAuth app")
REDIRECT_URI = "http://localhost:3000/oauth-callback"
LIFE = 1_800  # seconds of an access token (HubSpot docs, "Manage OAuth access tokens")
_CODE_LIFE = 600_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token stands for. Calls of an `oauth` app are counted apart (see `limits.py`)."""

    actor: Actor
    oauth: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """An access token and when it ends, in milliseconds since 1970."""

    token: str
    refresh_token: str
    ends: int


class Credentials:
    """The tokens of a portal. Times are milliseconds since 1970."""

    def __init__(self, seed: int) -> None:
        token = UUID(int=Random(f"token {seed}").getrandbits(128), version=4)
        self._people_random = Random(f"people {seed}")
        self._random = Random(f"oauth {seed}")
        self.access_token = f"pat-na1-{token}"
        self.client_id, self.client_secret = self._uuid(), self._uuid()
        self.refresh_token = self._new_refresh_token()
        self._people: dict[str, Actor] = {}
        self._codes: dict[str, tuple[str, int]] = {}
        self._refresh_tokens = {self.refresh_token}
        self._accesses: dict[str, Access] = {}

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _new_refresh_token(self) -> str:
        return f"na1-{self._uuid()}"

    def admit(self, actor: Actor) -> str:
        """A token for a person."""
        token = f"person-{UUID(int=self._people_random.getrandbits(128), version=4)}"
        self._people[token] = actor
        return token

    def bearer(self, authorization: str, now: int) -> Bearer:
        """Whom the header `Authorization: Bearer …` stands for. Raises 401 for nobody, and after its end."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise not_authenticated()
        if token == self.access_token:
            return Bearer(APP)
        if token in self._people:
            return Bearer(self._people[token])
        access = self._accesses.get(token)
        if access is None:
            raise not_authenticated()
        if access.ends <= now:
            raise expired(access.ends, now)
        return Bearer(OAUTH_APP, oauth=True)

    # -- OAuth

    def consent(self, redirect_uri: str, now: int) -> str:
        """The authorization code that HubSpot would send to `redirect_uri` after somebody has installed the app."""
        code = f"na1-{self._uuid()}"
        self._codes[code] = redirect_uri, now + _CODE_LIFE
        return code

    def check_client(self, client_id: str, client_secret: str) -> None:
        """Raises 400 for an app that is not this one."""
        if client_id != self.client_id:
            raise OAuthError("BAD_CLIENT_ID", "missing or unknown client id")
        if client_secret != self.client_secret:
            raise OAuthError("BAD_CLIENT_SECRET", "missing or invalid client secret")

    def exchange(self, code: str, redirect_uri: str, now: int) -> Access:
        """The first tokens, for an authorization code, which is then used up. Raises 400."""
        consented_uri, ends = self._codes.get(code, ("", 0))
        if not ends:
            raise OAuthError("BAD_AUTH_CODE", "missing or unknown auth code")
        if ends <= now:
            raise OAuthError("EXPIRED_AUTH_CODE", "the auth code has expired")
        if redirect_uri != consented_uri:
            raise OAuthError("BAD_REDIRECT_URI", "missing or invalid redirect uri")
        del self._codes[code]
        refresh_token = self._new_refresh_token()
        self._refresh_tokens.add(refresh_token)
        return self._grant(refresh_token, now)

    def refresh(self, refresh_token: str, now: int) -> Access:
        """A new access token; the refresh token stays as it is. Raises 400."""
        if refresh_token not in self._refresh_tokens:
            raise OAuthError("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        return self._grant(refresh_token, now)

    def _grant(self, refresh_token: str, now: int) -> Access:
        token = f"C{self._random.getrandbits(512):0128x}"
        access = self._accesses[token] = Access(token, refresh_token, now + LIFE * 1_000)
        return access

    def access(self, token: str, now: int) -> Access | None:
        """A living access token."""
        access = self._accesses.get(token)
        return access if access is not None and access.ends > now else None

    def knows_refresh_token(self, token: str) -> bool:
        return token in self._refresh_tokens

    def revoke(self, token: str) -> bool:
        """End a refresh or access token; whether there was one. Access tokens outlive their refresh token."""
        known = token in self._refresh_tokens or token in self._accesses
        self._refresh_tokens.discard(token)
        self._accesses.pop(token, None)
        return known
