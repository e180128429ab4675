"""Sessions, and the ways to get one."""

from base64 import b64encode, urlsafe_b64encode
from datetime import timedelta
from functools import cache
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connector.sandbox.salesforce import SalesforceSandbox

TOKEN = "/services/oauth2/token"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def ask(client, headers=None, **form):
    return client("POST", TOKEN, urlencode(form).encode(), headers or {})


@cache
def make_key(_number=0):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def assertion(number=0, **claims):
    return jwt.encode(claims, make_key(number), algorithm="RS256")


def public_pem(number=0):
    public = make_key(number).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def works(client, token, scheme="Bearer"):
    return client("GET", "sobjects", headers={"Authorization": f"{scheme} {token}"})[0] == 200


def test_sessions(client, sandbox):
    """The first session works, in both spellings; anything else is 401 in the array shape."""
    assert works(client, sandbox.session_id)
    assert works(client, sandbox.session_id, "OAuth")
    for headers in ({}, {"Authorization": "Bearer nope"}, {"Authorization": f"Basic {sandbox.session_id}"}):
        assert client("GET", "sobjects", headers=headers) == (
            401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
        )  # fmt: skip
    sandbox.entrance.sessions.end(sandbox.session_id)
    assert not works(client, sandbox.session_id)


def test_client_credentials(client, sandbox):
    """Key and secret, as a basic header or in the form, give a token and the instance's address."""
    pair = {"client_id": sandbox.consumer_key, "client_secret": sandbox.consumer_secret}
    basic = b64encode(f"{sandbox.consumer_key}:{sandbox.consumer_secret}".encode()).decode()
    for headers, form in (({"Authorization": f"Basic {basic}"}, {}), ({}, pair)):
        status, body = ask(client, headers, grant_type="client_credentials", **form)
        assert (status, body["instance_url"], body["token_type"]) == (200, client.origin, "Bearer")
        assert body["issued_at"] == "1773144030500"
        assert body["id"].startswith(f"{client.origin}/id/00D")
        assert works(client, body["access_token"])


def test_password_and_jwt(client, sandbox):
    """The password flow takes the password with or without the token; a JWT is read for issuer and subject."""
    pair = {"client_id": sandbox.consumer_key, "client_secret": sandbox.consumer_secret}
    for password in (sandbox.password, sandbox.password + sandbox.security_token):
        status, body = ask(client, grant_type="password", username=sandbox.username, password=password, **pair)
        assert status == 200
        assert works(client, body["access_token"])
    claims = {
        "iss": sandbox.consumer_key,
        "sub": sandbox.username,
        "aud": "https://login.salesforce.com",
        "exp": "1",
    }
    status, body = ask(client, grant_type=JWT, assertion=assertion(**claims))
    assert status == 200
    assert works(client, body["access_token"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "device"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "nope"}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "nope"}, "invalid_grant"),
        ({"client_id": "nope"}, "invalid_client_id"),
        ({"client_secret": "nope"}, "invalid_client"),
        ({"password": "nope"}, "invalid_grant"),
        ({"username": "nope"}, "invalid_grant"),
        ({"grant_type": JWT, "assertion": "a.b"}, "invalid_grant"),
        ({"grant_type": JWT, "assertion": assertion(iss="nope", aud="x", exp="1")}, "invalid_client_id"),
        ({"grant_type": JWT, "assertion": "e30.e30.x"}, "invalid_grant"),
    ],
)
def test_refused(client, sandbox, changes, error):
    """Wrong credentials are refused in OAuth's shape."""
    form = {
        "grant_type": "password", "client_id": sandbox.consumer_key, "client_secret": sandbox.consumer_secret,
        "username": sandbox.username, "password": sandbox.password, **changes,
    }  # fmt: skip
    status, body = ask(client, **form)
    assert (status, body["error"], body.keys()) == (400, error, {"error", "error_description"})


def test_refused_details(client, sandbox):
    """A wrong subject or audience, a broken header, a form that is no text, and GET are refused."""
    iss = {"iss": sandbox.consumer_key}
    for claims in ({**iss, "sub": "nope"}, {**iss, "sub": sandbox.username}):
        assert ask(client, grant_type=JWT, assertion=assertion(**claims))[1]["error"] == "invalid_grant"
    broken = {"Authorization": "Basic !"}
    assert ask(client, broken, grant_type="client_credentials")[1]["error"] == "invalid_client"
    assert client("POST", TOKEN, b"\xff", {})[1]["error"] == "invalid_request"
    assert client("GET", TOKEN, headers={})[1]["error"] == "invalid_request"


def soap(client, username, password, version="59.0", prefix="n1"):
    envelope = (
        f'<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:{prefix}="urn:x"><env:Body>'
        f"<{prefix}:login><{prefix}:username>{username}</{prefix}:username>"
        f"<{prefix}:password>{password}</{prefix}:password></{prefix}:login></env:Body></env:Envelope>"
    )
    return post_soap(client, envelope, version)


def post_soap(client, envelope, version="59.0"):
    from connector.sandbox.wire import Request

    url = f"{client.origin}/services/Soap/u/{version}"
    response = client.sandbox(Request.make("POST", url, {}, envelope.encode()))
    return response.status, response.body.decode()


def test_soap(client, sandbox):
    """Login answers a session and the server's address, whatever the prefixes."""
    for prefix in ("n1", "urn"):
        status, text = soap(client, sandbox.username, sandbox.password + sandbox.security_token, prefix=prefix)
        assert status == 200
        assert f"<serverUrl>{client.origin}/services/Soap/u/59.0/00D" in text
        assert works(client, text.partition("<sessionId>")[2].partition("<")[0])


def test_soap_faults(client, sandbox):
    """Wrong credentials, new versions and nonsense are faults."""
    assert "<sf:exceptionCode>INVALID_LOGIN<" in soap(client, sandbox.username, "nope")[1]
    status, text = soap(client, sandbox.username, sandbox.password, version="65.0")
    assert (status, "UNSUPPORTED_API_VERSION" in text) == (500, True)
    for envelope, version in (("<a", "59.0"), ("<a/>", "59.0"), ("<a/>", "x")):
        assert post_soap(client, envelope, version)[0] == 500


def test_userinfo(client, sandbox):
    """Userinfo tells who the session's user is."""
    status, body = client("GET", "/services/oauth2/userinfo")
    assert (status, body["preferred_username"], body["email"]) == (200, sandbox.username, "admin@example.com")
    assert (body["user_id"], body["organization_id"]) == (sandbox.org.store.user, sandbox.org.organization)
    assert client.sandbox.admin.usage()["total"] == 0
    from connector.sandbox.wire import Request

    assert sandbox(Request("GET", "/services/oauth2/userinfo")).status == 403


def test_deterministic():
    """The same seed gives the same credentials, another seed others."""
    one, two, other = SalesforceSandbox(seed=1), SalesforceSandbox(seed=1), SalesforceSandbox(seed=2)
    assert one.credentials == two.credentials
    assert one.session_id != other.session_id


# -- what becomes of sessions and tokens


def app(sandbox):
    return {"client_id": sandbox.consumer_key, "client_secret": sandbox.consumer_secret}


def test_a_session_ends_when_it_is_not_used(client, sandbox):
    """Two hours without a call end a session; use keeps it alive; the ready-made session never ends."""
    token = ask(client, grant_type="client_credentials", **app(sandbox))[1]["access_token"]
    for _ in range(3):
        sandbox.clock.advance(timedelta(minutes=119))
        assert works(client, token)
    sandbox.clock.advance(timedelta(minutes=121))
    assert not works(client, token)
    assert works(client, sandbox.session_id)


def test_the_time_a_session_lives_is_a_setting(client, sandbox):
    """`session_minutes` is the organisation's session timeout."""
    client("PUT", "/_sandbox/settings", {"session_minutes": 15})
    token = ask(client, grant_type="client_credentials", **app(sandbox))[1]["access_token"]
    sandbox.clock.advance(timedelta(minutes=16))
    assert not works(client, token)


def test_an_administrator_ends_sessions(client, sandbox):
    """One by name, or all that a sign-in has opened."""
    first, second, third = (
        ask(client, grant_type="client_credentials", **app(sandbox))[1]["access_token"] for _ in range(3)
    )
    client("POST", "/_sandbox/sessions", {"end": first})
    assert [works(client, each) for each in (first, second, third)] == [False, True, True]
    client("POST", "/_sandbox/sessions")
    assert [works(client, each) for each in (second, third, sandbox.session_id)] == [False, False, True]


def test_a_refresh_token_gives_new_sessions(client, sandbox):
    """Again and again, with the secret, without it, and no longer once it is revoked."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": sandbox.refresh_token,
        "client_id": sandbox.consumer_key,
    }
    for secret in ({}, {"client_secret": sandbox.consumer_secret}):
        status, body = ask(client, **form, **secret)
        assert (status, "refresh_token" in body) == (200, False)
        assert works(client, body["access_token"])
    assert ask(client, **form, client_secret="wrong")[1]["error"] == "invalid_client"
    revoke = urlencode({"token": sandbox.refresh_token}).encode()
    assert client("POST", "/services/oauth2/revoke", revoke, {})[0] == 200
    assert ask(client, **form)[1] == {
        "error": "invalid_grant", "error_description": "expired access/refresh token",
    }  # fmt: skip
    assert client("POST", "/services/oauth2/revoke", revoke, {})[1]["error"] == "unsupported_token_type"


def authorize(client, **wanted):
    from connector.sandbox.wire import Request

    url = f"{client.origin}/services/oauth2/authorize?{urlencode(wanted)}"
    response = client.sandbox(Request.make("GET", url, {}, b""))
    assert response.status == 302
    return {name: value for name, (value,) in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def test_the_web_server_flow(client, sandbox):
    """A code comes back with the state, is worth one session and a refresh token, and only once."""
    target = "https://app.example.com/callback"
    asked = {"response_type": "code", "client_id": sandbox.consumer_key, "redirect_uri": target}
    back = authorize(client, **asked, state="s 1")
    assert back["state"] == "s 1"
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": target, **app(sandbox)}
    status, body = ask(client, **form)
    assert status == 200
    assert works(client, body["access_token"])
    renewed = ask(client, grant_type="refresh_token", refresh_token=body["refresh_token"], **app(sandbox))
    assert works(client, renewed[1]["access_token"])
    assert ask(client, **form)[1]["error"] == "invalid_grant"


def test_a_code_proves_itself_by_its_verifier_and_in_time(client, sandbox):
    """With a code challenge the verifier stands for the secret; after fifteen minutes a code is worth nothing."""
    challenge = urlsafe_b64encode(sha256(b"verifier").digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": sandbox.consumer_key, "redirect_uri": "https://app.example.com/",
        "code_challenge": challenge,
    }  # fmt: skip
    form = {
        "grant_type": "authorization_code", "client_id": sandbox.consumer_key,
        "redirect_uri": "https://app.example.com/",
    }  # fmt: skip
    right = {**form, "code": authorize(client, **asked)["code"], "code_verifier": "verifier"}
    assert ask(client, **right)[0] == 200
    wrong = {**form, "code": authorize(client, **asked)["code"], "code_verifier": "other"}
    assert ask(client, **wrong)[1]["error"] == "invalid_grant"
    late = {**form, "code": authorize(client, **asked)["code"], "code_verifier": "verifier"}
    sandbox.clock.advance(timedelta(minutes=16))
    assert ask(client, **late)[1]["error_description"] == "expired authorization code"


def test_introspection(client, sandbox):
    """Tells whether a token is worth anything, and whose it is; without the app's secret it tells nothing."""
    token = ask(client, grant_type="client_credentials", **app(sandbox))[1]["access_token"]

    def look(of, **form):
        return client("POST", "/services/oauth2/introspect", urlencode({"token": of, **form}).encode(), {})

    status, body = look(token, **app(sandbox))
    assert (status, body["active"], body["username"]) == (200, True, sandbox.username)
    assert look(sandbox.refresh_token, **app(sandbox))[1]["token_type"] == "refresh_token"
    assert look("nope", **app(sandbox))[1] == {"active": False}
    assert look(token)[0] == 401


def test_a_jwt_is_checked_against_the_apps_certificate(client, sandbox):
    """Once there is a certificate, another key's signature and an expiry in the past are refused."""
    claims = {"iss": sandbox.consumer_key, "sub": sandbox.username, "aud": "https://login.salesforce.com"}
    now = int(sandbox.clock.now().timestamp())
    assert client("POST", "/_sandbox/certificate", {"pem": public_pem()})[0] == 204
    assert ask(client, grant_type=JWT, assertion=assertion(**claims, exp=str(now + 180)))[0] == 200
    for refused in (assertion(1, **claims, exp=now + 180), assertion(**claims, exp=now - 1)):
        assert ask(client, grant_type=JWT, assertion=refused)[1]["error"] == "invalid_grant"
    assert client("POST", "/_sandbox/certificate", {"pem": "nonsense"})[0] == 400


def test_a_jwt_without_certificate_is_a_switch(client, sandbox):
    """With `jwt_needs_certificate` an app that has none lets nobody in by a JWT."""
    claims = {"iss": sandbox.consumer_key, "sub": sandbox.username, "aud": "x", "exp": "1"}
    client("PUT", "/_sandbox/settings", {"jwt_needs_certificate": True})
    assert ask(client, grant_type=JWT, assertion=assertion(**claims))[1]["error"] == "invalid_grant"


def test_inactive_users_get_in_no_more(client, sandbox):
    """Nor do the sessions they have."""
    session = sandbox.sign_in("gone@example.com", in_ui=False)
    assert works(client, session)
    client("POST", "/_sandbox/users", [{"Username": "gone@example.com", "IsActive": False}])
    assert not works(client, session)
    claims = {"iss": sandbox.consumer_key, "sub": "gone@example.com", "aud": "x", "exp": "1"}
    assert ask(client, grant_type=JWT, assertion=assertion(**claims))[1]["error"] == "invalid_grant"


def test_identity(client, sandbox):
    """The address in a token's answer says who it is for; others see nothing of it."""
    _, body = ask(client, grant_type="client_credentials", **app(sandbox))
    path = urlsplit(body["id"]).path
    status, found = client("GET", path)
    assert (status, found["username"], found["user_id"]) == (200, sandbox.username, path.rpartition("/")[2])
    from connector.sandbox.wire import Request

    assert sandbox(Request("GET", path)).status == 403
