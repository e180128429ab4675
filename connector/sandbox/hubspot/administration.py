"""What an administrator may do to a portal behind the API's back: the addresses under `/_sandbox/`.

| address | methods |
|---|---|
| `usage`, `usage/reset`, `reset` | GET; POST |
| `clock`, `faults`, `snapshots`, `restore` | see `admin.py`, `faults.py`, `snapshots.py` |
| `owners` | GET lists, POST adds, PUT replaces |
| `restore_records` | POST `{"objectType", "ids"}`: archived records come back, for 90 days |
| `people` | POST: a token to act as somebody in HubSpot's own pages |
| `app` | GET: how the OAuth app signs in; POST: somebody installs it, an authorization code |
| `scopes` | GET, PUT: what the app's token may do |
| `settings` | GET, PUT: the switches of `settings.py` |
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from connector.sandbox.admin import COMMON, check_act, clock_endpoint, read_body, refuse
from connector.sandbox.faults import faults_endpoint
from connector.sandbox.hubspot.access.credentials import OAUTH_APP_ID, REDIRECT_URI
from connector.sandbox.hubspot.definitions.schema import COMPANIES, CONTACTS, ObjectType
from connector.sandbox.hubspot.errors import ApiError
from connector.sandbox.hubspot.records.lifecycle import STAGE
from connector.sandbox.hubspot.webhooks import calls as webhook_calls
from connector.sandbox.hubspot.webhooks.journal_calls import FILES, read_file
from connector.sandbox.snapshots import snapshots_endpoint
from connector.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from connector.sandbox.hubspot.sandbox import HubSpotSandbox

Act = Callable[["HubSpotSandbox", Any], Response]


def answer(sandbox: HubSpotSandbox, name: str, request: Request) -> Response:
    """Answer one of the addresses, `name` being the act. What is not understood is refused and changes nothing."""
    if request.path.startswith(FILES):
        return read_file(sandbox.webhooks.journal, request)
    refused = check_act(METHODS, name, request.method)
    if refused is not None:
        return refused
    match name:
        case "clock":
            return clock_endpoint(sandbox.clock, request)
        case "faults":
            return faults_endpoint(sandbox.faults, request)
        case "snapshots" | "restore":
            return snapshots_endpoint(sandbox.snapshots, request, name)
        case "webhooks" | "webhooks/hosts" | "webhooks/deliver":
            return webhook_calls.webhooks_endpoint(sandbox.webhooks, request, name)
    try:
        return _ACTS[request.method, name](sandbox, read_body(request))
    except ApiError as error:
        return refuse(error.message, error.status)
    except ValueError as error:
        return refuse(str(error))


def _reset_usage(sandbox: HubSpotSandbox, _: Any) -> Response:
    sandbox.usage.reset()
    return Response(204)


def _reset(sandbox: HubSpotSandbox, _: Any) -> Response:
    sandbox.reset()
    return Response(204)


def _set_scopes(sandbox: HubSpotSandbox, scopes: Any) -> Response:
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise ValueError("expected a list of scope names")
    sandbox.scopes = set(scopes)
    return Response.json(sorted(sandbox.scopes))


def _set_settings(sandbox: HubSpotSandbox, given: Any) -> Response:
    stages = {"", *(stage for kind in (CONTACTS, COMPANIES) for stage in _stages(sandbox, kind))}
    for name, value in given.items() if isinstance(given, dict) else ():
        if name.startswith("stage_on_") and isinstance(value, str) and value not in stages:
            raise ValueError(f"there is no lifecycle stage {value}; there are {', '.join(sorted(stages - {''}))}")
    sandbox.settings.change(given)
    return Response.json(sandbox.settings.view())


def _stages(sandbox: HubSpotSandbox, kind: ObjectType) -> Collection[str]:
    return sandbox.portal.properties[kind.name].defined[STAGE].allowed


def _owners(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ValueError('expected a list of owners, such as [{"email": …, "firstName": …, "lastName": …}]')
    return given


def _restore(sandbox: HubSpotSandbox, given: Any) -> Response:
    if not isinstance(given, dict) or given.keys() != {"objectType", "ids"} or not isinstance(given["ids"], list):
        raise ValueError('expected {"objectType": …, "ids": […]}')
    sandbox.restore_records(str(given["objectType"]), [str(one) for one in given["ids"]])
    return Response(204)


def _admit(sandbox: HubSpotSandbox, given: Any) -> Response:
    if not isinstance(given, dict) or not isinstance(given.get("email"), str) or given.keys() != {"email"}:
        raise ValueError('expected {"email": …}')
    return Response.json({"token": sandbox.sign_in(given["email"])}, 201)


def _read_app(sandbox: HubSpotSandbox, _: Any) -> Response:
    return Response.json(
        {
            "app_id": OAUTH_APP_ID,
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "refresh_token": sandbox.refresh_token,
            "redirect_uri": REDIRECT_URI,
        }
    )


def _install_app(sandbox: HubSpotSandbox, given: Any) -> Response:
    uri = REDIRECT_URI if given is None or given == {} else None
    if isinstance(given, dict) and given.keys() == {"redirect_uri"} and isinstance(given["redirect_uri"], str):
        uri = given["redirect_uri"]
    if uri is None:
        raise ValueError('expected {"redirect_uri": …} or nothing')
    return Response.json({"code": sandbox.install_app(uri), "redirect_uri": uri}, 201)


_ACTS: dict[tuple[str, str], Act] = {
    ("GET", "usage"): lambda sandbox, _: Response.json(sandbox.usage.view()),
    ("POST", "usage/reset"): _reset_usage,
    ("POST", "reset"): _reset,
    ("GET", "owners"): lambda sandbox, _: Response.json(sandbox.portal.owners.all()),
    ("POST", "owners"): lambda sandbox, owners: Response.json(sandbox.portal.owners.add(_owners(owners)), 201),
    ("PUT", "owners"): lambda sandbox, owners: Response.json(sandbox.portal.owners.replace(_owners(owners))),
    ("POST", "people"): _admit,
    ("POST", "restore_records"): _restore,
    ("GET", "app"): _read_app,
    ("POST", "app"): _install_app,
    ("GET", "scopes"): lambda sandbox, _: Response.json(sorted(sandbox.scopes)),
    ("PUT", "scopes"): _set_scopes,
    ("GET", "settings"): lambda sandbox, _: Response.json(sandbox.settings.view()),
    ("PUT", "settings"): _set_settings,
}


def _methods() -> dict[str, tuple[str, ...]]:
    own = [*_ACTS, *webhook_calls.ACTS]
    return {**COMMON, **{name: tuple(method for method, act in own if act == name) for _, name in own}}


METHODS = _methods()
