"""Signing in by OAuth: codes, tokens that end, what they are good for, and how they are revoked."""

from __future__ import annotations

import pytest

from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.wire import Request
from tests.sandbox.hubspot.conftest import HOST, Hub

TOKEN_PATHS = ("/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token", "/oauth/2026-09/token")


@pytest.fixture
def app(hub):
    """What the app shows to sign in."""
    told = hub.call("GET", "/_sandbox/app")
    return {name: told[name] for name in ("client_id", "client_secret")}


@pytest.fixture
def refreshing(hub, app):
    """The form that asks for a new access token."""
    return {**app, "grant_type": "refresh_token", "refresh_token": hub.sandbox.refresh_token}


@pytest.fixture
def token(hub, refreshing):
    return hub.form("/oauth/v1/token", **refreshing)["access_token"]


def sign_in(hub, token):
    other = Hub(hub.sandbox)
    other.token = token
    return other


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_a_refresh_token_gives_access(hub, refreshing, path):
    """For 1,800 seconds; the refresh token stays as it is, and later versions tell account and scopes too."""
    answer = hub.form(path, **refreshing)
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 1_800)
    assert answer["refresh_token"] == refreshing["refresh_token"]
    assert ("hub_id" in answer, "scopes" in answer) == (path != TOKEN_PATHS[0],) * 2
    assert sign_in(hub, answer["access_token"]).call("GET", "/crm/v3/objects/deals")["results"] == []


def test_an_access_token_ends(hub, token):
    """After half an hour of the sandbox's clock: 401 that says when."""
    other = sign_in(hub, token)
    hub.advance(1_799)
    other.call("GET", "/crm/v3/objects/deals")
    hub.advance(1)
    error = other.call("GET", "/crm/v3/objects/deals", expect=401)
    assert error["category"] == "EXPIRED_AUTHENTICATION"
    assert error["message"] == "The OAuth token used to make this call expired 0 second(s) ago."
    assert error["context"] == {"expire time": ["2026-11-02T09:30:00.000Z"]}


@pytest.mark.parametrize(
    ("seconds", "ago"), [(59, "59 second"), (150, "2 minute"), (7_300, "2 hour"), (200_000, "2 day")]
)
def test_the_refusal_says_how_long_ago(hub, token, seconds, ago):
    """In the largest unit that fits."""
    hub.advance(1_800 + seconds)
    error = sign_in(hub, token).call("GET", "/crm/v3/owners", expect=401)
    assert error["message"].endswith(f"expired {ago}(s) ago.")


def test_a_code_is_exchanged_once(hub, app):
    """Somebody installs the app; the code in the redirect gives tokens, and then nothing."""
    consent = hub.call("POST", "/_sandbox/app", expect=201)
    form = {**app, "grant_type": "authorization_code", **consent}
    answer = hub.form("/oauth/v3/token", **form)
    sign_in(hub, answer["access_token"]).call("GET", "/crm/v3/objects/deals")
    again = hub.form("/oauth/v1/token", **app, grant_type="refresh_token", refresh_token=answer["refresh_token"])
    assert again["access_token"] != answer["access_token"]
    assert hub.form("/oauth/v3/token", 400, **form)["status"] == "BAD_AUTH_CODE"


def test_a_code_belongs_to_its_redirect(hub, app):
    """Another redirect URI is refused, which leaves the code usable."""
    mine = "https://app.example.com/callback"
    consent = hub.call("POST", "/_sandbox/app", {"redirect_uri": mine}, 201)
    form = {**app, "grant_type": "authorization_code", "code": consent["code"]}
    assert hub.form("/oauth/v1/token", 400, **form, redirect_uri="https://other")["status"] == "BAD_REDIRECT_URI"
    hub.form("/oauth/v1/token", **form, redirect_uri=mine)


def test_a_code_ends_unused(hub, app):
    """After ten minutes."""
    consent = hub.call("POST", "/_sandbox/app", expect=201)
    hub.advance(600)
    answer = hub.form("/oauth/v1/token", 400, **app, grant_type="authorization_code", **consent)
    assert answer["status"] == "EXPIRED_AUTH_CODE"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_id": "x"}, "BAD_CLIENT_ID", "invalid_client"),
        ({"client_secret": "x"}, "BAD_CLIENT_SECRET", "invalid_client"),
        ({"refresh_token": "x"}, "BAD_REFRESH_TOKEN", "invalid_grant"),
        ({"grant_type": "authorization_code"}, "BAD_AUTH_CODE", "invalid_grant"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE", "unsupported_grant_type"),
        ({"grant_type": ""}, "BAD_GRANT_TYPE", "unsupported_grant_type"),
    ],
)
@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_a_wrong_sign_in_is_refused(hub, refreshing, path, change, status, error):
    """400 with HubSpot's own status, and the code of RFC 6749."""
    answer = hub.form(path, 400, **{**refreshing, **change})
    assert (answer["status"], answer["error"]) == (status, error)
    assert answer["message"] == answer["error_description"]


def test_only_the_first_version_reads_the_query(hub, refreshing):
    """Secrets in an address are `v1`'s alone."""
    query = "&".join(f"{name}={value}" for name, value in refreshing.items())
    assert "access_token" in hub.form(f"/oauth/v1/token?{query}")
    assert hub.form(f"/oauth/v3/token?{query}", 400)["status"] == "BAD_CLIENT_ID"


def test_a_body_that_is_no_form_is_refused(hub):
    """Bytes that are no text."""
    answer = hub.sandbox(Request.make("POST", HOST + "/oauth/v3/token", {}, b"\xff"))
    assert answer.status == 400


def test_an_access_token_tells_what_it_is_good_for(hub, token):
    """Whose it is, its scopes, and how long it still lives."""
    hub.advance(100)
    info = hub.call("GET", f"/oauth/v1/access-tokens/{token}")
    assert (info["token"], info["expires_in"], info["token_type"]) == (token, 1_700, "access")
    assert info["user"] == "admin@example.com"
    assert "crm.objects.deals.read" in info["scopes"]
    hub.advance(1_700)
    hub.call("GET", f"/oauth/v1/access-tokens/{token}", expect=404)
    hub.call("GET", f"/oauth/v1/access-tokens/{hub.token}", expect=404)


def test_a_refresh_token_can_be_deleted(hub, refreshing, token):
    """It tells whose it is until then; the access tokens made with it live on."""
    path = f"/oauth/v1/refresh-tokens/{refreshing['refresh_token']}"
    info = hub.call("GET", path)
    assert (info["token_type"], info["client_id"]) == ("refresh", refreshing["client_id"])
    hub.call("DELETE", path, expect=204)
    hub.call("DELETE", path, expect=404)
    hub.call("GET", path, expect=404)
    assert hub.form("/oauth/v1/token", 400, **refreshing)["status"] == "BAD_REFRESH_TOKEN"
    sign_in(hub, token).call("GET", "/crm/v3/objects/deals")


@pytest.mark.parametrize("base", ["/oauth/v3/token", "/oauth/2026-03/token"])
def test_tokens_are_looked_into_and_revoked(hub, app, refreshing, token, base):
    """Either kind of token, under `token` or under the name of its kind; afterwards it is not active."""
    refresh_token = refreshing["refresh_token"]
    access = hub.form(f"{base}/introspect", **app, token_type_hint="access_token", access_token=token)
    assert (access["active"], access["token_use"], access["expires_in"]) == (True, "access_token", 1_800)
    refresh = hub.form(f"{base}/introspect", **app, token=refresh_token)
    assert (refresh["active"], refresh["token_use"]) == (True, "refresh_token")
    for one in (token, refresh_token, "unknown"):
        hub.form(f"{base}/revoke", **app, token=one)
        assert hub.form(f"{base}/introspect", **app, token=one) == {"active": False}
    assert sign_in(hub, token).send("GET", "/crm/v3/owners").json["category"] == "INVALID_AUTHENTICATION"
    assert hub.form(f"{base}/introspect", 400, client_id="x", token=token)["status"] == "BAD_CLIENT_ID"


def test_an_oauth_token_needs_the_scopes_too(hub, token):
    """It holds those of the app."""
    hub.call("PUT", "/_sandbox/scopes", ["oauth"])
    error = sign_in(hub, token).call("GET", "/crm/v3/objects/deals", expect=403)
    assert error["category"] == "MISSING_SCOPES"


def test_an_oauth_app_is_another_source(hub, token):
    """What it writes is told apart in the history from what the private app writes."""
    properties = {"dealname": "D", "dealstage": "appointmentscheduled"}
    made = sign_in(hub, token).call("POST", "/crm/v3/objects/deals", {"properties": properties}, 201)["id"]
    path = f"/crm/v3/objects/deals/{made}?propertiesWithHistory=dealname"
    first = hub.call("GET", path)["propertiesWithHistory"]["dealname"][0]
    hub.update("deals", made, dealname="E")
    second = hub.call("GET", path)["propertiesWithHistory"]["dealname"][0]
    assert (first["sourceType"], second["sourceType"]) == ("INTEGRATION", "INTEGRATION")
    assert first["sourceId"] != second["sourceId"]


def test_tokens_follow_from_the_seed():
    """The same seed gives the same app."""
    one, same, other = (HubSpotSandbox(seed=seed) for seed in (3, 3, 4))
    assert (one.client_id, one.client_secret, one.refresh_token) == (
        same.client_id,
        same.client_secret,
        same.refresh_token,
    )
    assert one.client_secret != other.client_secret
    assert one.install_app() == same.install_app()


def test_a_wrong_installation_is_refused(hub):
    """The administrator names a redirect URI or nothing."""
    hub.call("POST", "/_sandbox/app", {"redirect": "x"}, 400)
    hub.call("POST", "/_sandbox/app", {"redirect_uri": 7}, 400)
