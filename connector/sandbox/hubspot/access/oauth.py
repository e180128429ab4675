"""The calls under `/oauth`: tokens for an app that somebody has installed, and what a token is good for.

`v1`: HubSpot docs, "OAuth tokens"; `v3` and the dated versions: "Manage OAuth access tokens using the v3 APIs".
They need no bearer: a client shows its id and secret, or the token itself. All tokens hold the scopes of the
portal's app. Signatures are opaque values; `client_credentials` is for the webhooks journal alone.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from connector.sandbox.hubspot.access.credentials import LIFE, OAUTH_APP_ID, Access
from connector.sandbox.hubspot.actors import APP_ID
from connector.sandbox.hubspot.api.calls import Call
from connector.sandbox.hubspot.errors import OAuthError, not_found, refuse_json
from connector.sandbox.hubspot.portal import PORTAL_ID
from connector.sandbox.wire import Response

HUB_DOMAIN = "example.com"
_FIRST_VERSION = "v1"


def create_token(call: Call) -> Response:
    """Tokens for an authorization code, or a new access token for a refresh token.

    Raises 400 in OAuth's shape. `v1` takes the parameters from the query too.
    """
    form, credentials = _form(call), call.account.credentials
    credentials.check_client(form.get("client_id", ""), form.get("client_secret", ""))
    now = call.portal.now()
    match form.get("grant_type"):
        case "authorization_code":
            access = credentials.exchange(form.get("code", ""), form.get("redirect_uri", ""), now)
        case "refresh_token":
            access = credentials.refresh(form.get("refresh_token", ""), now)
        case "client_credentials":
            return Response.json(call.account.webhooks.journal.grant(form.get("scope", "")))
        case _:
            raise OAuthError("BAD_GRANT_TYPE", "missing or unknown grant type")
    told: dict[str, Any] = {
        "token_type": "bearer",
        "refresh_token": access.refresh_token,
        "access_token": access.token,
        "expires_in": LIFE,
    }
    if call.version != _FIRST_VERSION:
        told |= {"hub_id": PORTAL_ID, "scopes": _scopes(call), "token_use": "access_token"}
        told |= {"user_id": _user(call)[0]}
    return Response.json(told)


def read_access_token(call: Call) -> Response:
    access = call.account.credentials.access(call.args["id"], call.portal.now())
    if access is None:
        raise not_found("The access token does not exist or has expired")
    return Response.json({**_access(call, access), "token_type": "access"})


def read_refresh_token(call: Call) -> Response:
    token = call.args["id"]
    if not call.account.credentials.knows_refresh_token(token):
        raise not_found("The refresh token does not exist")
    return Response.json({**_owner(call, token), "token_type": "refresh", "client_id": _client_id(call)})


def delete_refresh_token(call: Call) -> Response:
    """Access tokens that were made with it live to their end."""
    if not call.account.credentials.revoke(call.args["id"]):
        raise not_found("The refresh token does not exist")
    return Response(204)


def introspect(call: Call) -> Response:
    """What a token is good for; one that is good for nothing is `{"active": false}` (RFC 7662)."""
    token = _presented(call)
    credentials = call.account.credentials
    access = credentials.access(token, call.portal.now())
    common = {"active": True, "client_id": _client_id(call), "app_id": OAUTH_APP_ID, "token_type": "Bearer"}
    if access is not None:
        return Response.json({**_access(call, access), **common, "token_use": "access_token"})
    if credentials.knows_refresh_token(token):
        return Response.json({**_owner(call, token), **common, "token_use": "refresh_token"})
    return Response.json({"active": False})


def revoke(call: Call) -> Response:
    """Ends a token; one that is not known is answered alike (RFC 7009)."""
    call.account.credentials.revoke(_presented(call))
    return Response(200)


def read_private_app_token(call: Call) -> Response:
    """Scopes of a private app's token (HubSpot docs, "Private apps"). Raises 404 for a token that is none."""
    body = call.body()
    if not isinstance(body.get("tokenKey"), str):
        raise refuse_json()
    if body["tokenKey"] != call.account.credentials.access_token:
        raise not_found("The token could not be found")
    told = {"userId": _user(call)[0], "hubId": PORTAL_ID, "appId": int(APP_ID), "scopes": _scopes(call)}
    return Response.json(told)


# -- parts


def _form(call: Call) -> dict[str, str]:
    """The parameters of a form. Raises 400 in OAuth's shape for what is no form."""
    try:
        form = call.request.form()
    except ValueError:
        raise OAuthError("BAD_GRANT_TYPE", "missing or unknown grant type") from None
    return {**dict(call.request.query), **form} if call.version == _FIRST_VERSION else form


def _presented(call: Call) -> str:
    """The token that a client asks about, after its id and secret have been checked."""
    form = _form(call)
    call.account.credentials.check_client(form.get("client_id", ""), form.get("client_secret", ""))
    hint = form.get("token_type_hint", "")
    return form.get("token") or form.get(hint, "")


def _access(call: Call, access: Access) -> dict[str, Any]:
    left = (access.ends - call.portal.now()) // 1_000
    return {
        **_owner(call, access.token),
        "app_id": OAUTH_APP_ID,
        "expires_in": left,
        "is_private_distribution": True,
        "signed_access_token": _signed(call, access),
    }


def _owner(call: Call, token: str) -> dict[str, Any]:
    """Whose token it is: the person who installed the app, and the account."""
    user_id, email = _user(call)
    return {
        "token": token,
        "user": email,
        "user_id": user_id,
        "hub_domain": HUB_DOMAIN,
        "hub_id": PORTAL_ID,
        "scopes": _scopes(call),
    }


def _signed(call: Call, access: Access) -> dict[str, Any]:
    user_id, _ = _user(call)
    opaque = sha256(access.token.encode()).hexdigest()
    return {
        "expiresAt": access.ends,
        "scopes": opaque[:24],
        "hubId": PORTAL_ID,
        "userId": user_id,
        "installingUserId": user_id,
        "appId": OAUTH_APP_ID,
        "appInstallId": opaque[24:48],
        "audience": "",
        "signature": opaque[:40],
        "newSignature": opaque[24:],
        "scopeToScopeGroupPks": opaque[8:32],
        "trialScopes": "",
        "trialScopeToScopeGroupPks": "",
        "hublet": "na1",
        "isUserLevel": False,
        "isServiceAccount": False,
        "isPrivateDistribution": True,
    }


def _user(call: Call) -> tuple[int, str]:
    """The portal's first owner installs its apps."""
    owners = call.portal.owners.all()
    return (owners[0]["userIdIncludingInactive"], owners[0]["email"]) if owners else (1, "")


def _scopes(call: Call) -> list[str]:
    return sorted(call.account.scopes)


def _client_id(call: Call) -> str:
    return call.account.credentials.client_id
