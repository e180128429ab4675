"""Sessions, and the ways to get one."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import urlencode

import orjson
import pytest

from connector.sandbox.salesforce import SalesforceSandbox

TOKEN = "/services/oauth2/token"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def ask(client, headers=None, **form):
    return client("POST", TOKEN, urlencode(form).encode(), headers or {})


def assertion(**claims):
    parts = ({"alg": "RS256"}, claims)
    encoded = [urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "signature"])


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
    sandbox.gate.end(sandbox.session_id)
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
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"client_id": "nope"}, "invalid_client_id"),
        ({"client_secret": "nope"}, "invalid_client"),
        ({"password": "nope"}, "invalid_grant"),
        ({"username": "nope"}, "invalid_grant"),
        ({"grant_type": JWT, "assertion": "a.b"}, "invalid_grant"),
        ({"grant_type": JWT, "assertion": assertion(iss="nope")}, "invalid_client_id"),
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
