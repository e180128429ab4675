"""The calls that set webhooks up, and what an administrator may do with them.

They are made with the developer's key (`hapikey` in the query) in v3, with a token in the dated versions; either
will do for both here (simplified).

| method | address under `/_sandbox/` |
|---|---|
| GET | `webhooks`: the app's id, key and secret, and how many notifications wait or were given up |
| GET, PUT | `webhooks/hosts`: which host of a target URL stands for which address of this machine |
| POST | `webhooks/deliver`: send what is due; answers `[{url, events, attempt, status}]`. Nobody else |
| | is answered meanwhile, so a receiver must not ask the sandbox anything before it has answered |
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from connector.sandbox.admin import read_body
from connector.sandbox.admin import refuse as refuse_act
from connector.sandbox.hubspot.api.calls import Call, batch_answer
from connector.sandbox.hubspot.errors import ApiError, not_found
from connector.sandbox.hubspot.webhooks.app import Webhooks
from connector.sandbox.hubspot.webhooks.subscriptions import read_hosts
from connector.sandbox.wire import Request, Response

MOST_INPUTS = 100  # of a batch; not documented for this one, but the same in all others


def _enter(call: Call) -> Webhooks:
    """The webhooks of the app in the path.

    Raises 401 for a call with neither the developer's key nor a token, 404 for another app.
    """
    webhooks = call.account.webhooks
    key = call.request.first("hapikey") or ""
    if not hmac.compare_digest(key.encode(), webhooks.developer_key.encode()):
        call.account.credentials.bearer(call.request.headers.get("authorization", ""), call.portal.now())
    if call.args["app"] != str(webhooks.app_id):
        raise not_found()
    return webhooks


def read_settings(call: Call) -> Response:
    return Response.json(_enter(call).target().view(dated=call.dated))


def write_settings(call: Call) -> Response:
    return Response.json(_enter(call).aim(call.json()).view(dated=call.dated))


def delete_settings(call: Call) -> Response:
    _enter(call).forget_target()
    return Response(204)


def list_subscriptions(call: Call) -> Response:
    return Response.json({"results": [each.view() for each in _enter(call).subscriptions()]})


def subscribe(call: Call) -> Response:
    return Response.json(_enter(call).subscribe(call.json()).view(), 201)


def read_subscription(call: Call) -> Response:
    return Response.json(_enter(call).subscription(call.args["id"]).view())


def update_subscription(call: Call) -> Response:
    return Response.json(_enter(call).pause_or_resume(call.args["id"], call.json()).view())


def unsubscribe(call: Call) -> Response:
    _enter(call).unsubscribe(call.args["id"])
    return Response(204)


def update_subscriptions(call: Call) -> Response:
    """`{inputs: [{id, active}]}`; 207 with the errors of those that could not be changed."""
    webhooks = _enter(call)
    results, errors = [], []
    for given in call.inputs(MOST_INPUTS):
        try:
            results.append(webhooks.pause_or_resume(given.get("id"), given).view())
        except ApiError as error:
            errors.append(error.body())
    return batch_answer(call, results, errors, 200)


# -- the administrator


def webhooks_endpoint(webhooks: Webhooks, request: Request, name: str) -> Response:
    """Answer one of `ACTS`, by method and name. Refused input changes nothing."""
    try:
        return ACTS[request.method, name](webhooks, read_body(request))
    except ApiError as error:
        return refuse_act(error.message, error.status)
    except ValueError as error:
        return refuse_act(str(error))


def _tell(webhooks: Webhooks, _: Any) -> Response:
    told = {
        "appId": webhooks.app_id,
        "developerKey": webhooks.developer_key,
        "clientSecret": webhooks.client_secret,
        "pending": webhooks.pending(),
        "lost": webhooks.lost,
    }
    return Response.json(told)


def _map_hosts(webhooks: Webhooks, body: Any) -> Response:
    webhooks.hosts = read_hosts(body)
    return Response.json(webhooks.hosts)


ACTS: dict[tuple[str, str], Callable[[Webhooks, Any], Response]] = {
    ("GET", "webhooks"): _tell,
    ("GET", "webhooks/hosts"): lambda webhooks, _: Response.json(webhooks.hosts),
    ("PUT", "webhooks/hosts"): _map_hosts,
    ("POST", "webhooks/deliver"): lambda webhooks, _: Response.json([each.view() for each in webhooks.deliver()]),
}
