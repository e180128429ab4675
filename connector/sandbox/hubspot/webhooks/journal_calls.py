"""The calls on the webhooks journal: `/webhooks-journal/{journal,journal-local,subscriptions}/{version}/…`.

They are made with a token that the app gets for itself (`grant_type=client_credentials`) and count for no limit.
With one portal, the journal of all portals and that of one (`journal-local`) are the same. A call that finds
nothing is answered 204, batches with no results. The file of an entry is fetched without a token from the address
that the entry names, for an hour.
"""

from __future__ import annotations

from connector.sandbox.hubspot.api.calls import Call, batch_answer, text_list
from connector.sandbox.hubspot.errors import missing_scopes, not_found, refuse
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.portal import PORTAL_ID
from connector.sandbox.hubspot.webhooks.journal import MANAGE, READ, SEE, URL_LIFE, Entry, Journal
from connector.sandbox.wire import Request, Response

FILES = "/_sandbox/webhooks/journal/"
MOST = 100  # entries of a batch
_COUNTS = {str(count): count for count in range(1, MOST + 1)}
_VERSIONS = frozenset({"2026-03", "2026-09"})
_JOURNALS = frozenset({"journal", "journal-local", None})


def _enter(call: Call, scope: str) -> Journal:
    """Raises 401 for no token of the app's own, 403 for one without the scope, 404 for an address that is none."""
    journal = call.account.webhooks.journal
    if call.args["version"] not in _VERSIONS or call.args.get("journal") not in _JOURNALS:
        raise not_found()
    scheme, _, token = call.request.headers.get("authorization", "").partition(" ")
    if scope not in journal.scopes_of(token if scheme.lower() == "bearer" else ""):
        raise missing_scopes([scope])
    return journal


# -- subscriptions


def list_subscriptions(call: Call) -> Response:
    journal = _enter(call, SEE)
    return Response.json({"results": [each.view(journal.app_id) for each in journal.interests()]})


def subscribe(call: Call) -> Response:
    journal = _enter(call, MANAGE)
    return Response.json(journal.subscribe(call.json()).view(journal.app_id))


def read_subscription(call: Call) -> Response:
    journal = _enter(call, SEE)
    return Response.json(journal.interest(call.args["id"]).view(journal.app_id))


def unsubscribe(call: Call) -> Response:
    journal = _enter(call, MANAGE)
    journal.unsubscribe([journal.interest(call.args["id"])])
    return Response(204)


def unsubscribe_portal(call: Call) -> Response:
    journal = _enter(call, MANAGE)
    journal.unsubscribe(journal.interests() if call.args["portal"] == str(PORTAL_ID) else [])
    return Response(204)


# -- entries


def read_earliest(call: Call) -> Response:
    return _one(call, _enter(call, READ).entries()[:1])


def read_latest(call: Call) -> Response:
    return _one(call, _enter(call, READ).entries()[-1:])


def read_next(call: Call) -> Response:
    return _one(call, _enter(call, READ).after(call.args["offset"])[:1])


def read_earliest_batch(call: Call) -> Response:
    return _several(call, _enter(call, READ).entries()[: _count(call)])


def read_latest_batch(call: Call) -> Response:
    return _several(call, _enter(call, READ).entries()[-_count(call) :])


def read_next_batch(call: Call) -> Response:
    return _several(call, _enter(call, READ).after(call.args["offset"])[: _count(call)])


def read_batch(call: Call) -> Response:
    """`{inputs: [offset, …]}`; 207 with an error for all that are none."""
    entries = {entry.offset: entry for entry in _enter(call, READ).entries()}
    wanted = text_list(call.body().get("inputs"))
    if not 0 < len(wanted) <= MOST:
        raise refuse(f"A batch takes between 1 and {MOST} offsets, but got {len(wanted)}")
    missing = [offset for offset in wanted if offset not in entries]
    errors = (
        [not_found("Some offsets do not exist or have expired", context={"ids": missing}).body()] if missing else []
    )
    return batch_answer(call, [_pointer(call, entries[one]) for one in wanted if one in entries], errors, 200)


def read_file(journal: Journal, request: Request) -> Response:
    """The file of an entry, at the address that the entry has named; 403 when that has expired."""
    offset = request.path.removeprefix(FILES)
    found = next((entry for entry in journal.entries() if entry.offset == offset), None)
    if found is None or (request.first("expires") or "") < to_iso(journal.now()):
        return Response(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
    return Response.json(found.view())


def _count(call: Call) -> int:
    count = _COUNTS.get(call.args["count"])
    if count is None:
        raise refuse(f"count must be between 1 and {MOST}, not {call.args['count']}")
    return count


def _one(call: Call, entries: list[Entry]) -> Response:
    return Response.json(_pointer(call, entries[0])) if entries else Response(204)


def _several(call: Call, entries: list[Entry]) -> Response:
    return batch_answer(call, [_pointer(call, entry) for entry in entries], [], 200)


def _pointer(call: Call, entry: Entry) -> dict[str, str]:
    expires = to_iso(call.portal.now() + URL_LIFE)
    url = f"{call.request.origin}{FILES}{entry.offset}?expires={expires}"
    return {"url": url, "currentOffset": entry.offset, "expiresAt": expires}
