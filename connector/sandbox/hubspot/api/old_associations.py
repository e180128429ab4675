"""The calls of associations v3, which clients still make beside those of v4 (HubSpot docs, "Associations v3").

| address | answers |
|---|---|
| `GET /crm/v3/objects/{from}/{id}/associations/{to}` | ids and types, a page of 500 associated records |
| `PUT`, `DELETE` …`/{toId}/{type}` | one type of one pair |
| `POST /crm/v3/associations/{from}/{to}/batch/create`, `…/archive` | types of up to 100 pairs |
| `POST /crm/v3/associations/{from}/{to}/batch/read` | ids and types, of up to 1,000 records |
| `GET /crm/v3/associations/{from}/{to}/types` | the types there are |

A type is named by its id, or by the object types: `deal_to_company`. Where two of HubSpot's own types would share
that name, the one with a label has it, and the other ends in `_unlabeled`. Both ends of a pair must be live
records.
"""

from __future__ import annotations

from typing import Any

from connector.sandbox.hubspot.api.calls import MOST_INPUTS, Call, batch_answer, page_answer
from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.definitions.associations import Pair
from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.errors import ApiError, not_found, refuse, refuse_json
from connector.sandbox.hubspot.records.views import MOST_ASSOCIATED, viewer
from connector.sandbox.wire import Response

MOST_READ = 1_000


def list_page(call: Call) -> Response:
    """The associated records in the order of their ids, an entry for each type. `after` is the next one's id."""
    names, request = _names(call), call.request
    record_id = _live(call, call.pair[0], call.args["id"])
    limit = call.number("limit", MOST_ASSOCIATED)
    if not 1 <= limit <= MOST_ASSOCIATED:
        raise refuse(f"limit must be between 1 and {MOST_ASSOCIATED}, not {limit}")
    around, first = call.portal.associations.neighbours(names, record_id), call.number("after", 0)
    ids = sorted(other for other in around if other >= first)
    named = call.portal.associations.names(names)
    results = [{"id": str(other), "type": named[one]} for other in ids[:limit] for one in around[other]]
    after = str(ids[limit]) if len(ids) > limit else None
    return page_answer(results, after, f"{request.origin}{request.path}?limit={limit}&after={after}")


def create(call: Call) -> Response:
    """Answers the record that the association begins at, with what it is associated with."""
    kind, other = call.pair
    start, end = _ends(call, call.args["id"], call.args["other"])
    type_id = _type_id(call, call.args["label"])
    call.portal.associations.link(_names(call), start, end, (type_id,))
    view = viewer(call.portal, kind, associations=[other], origin=call.request.origin)
    return Response.json(view(call.portal.tables[kind.name].live[start]))


def delete(call: Call) -> Response:
    """What is not associated is passed over."""
    _remove(call, *_ends(call, call.args["id"], call.args["other"]), call.args["label"])
    return Response(204)


def link_batch(call: Call) -> Response:
    """`{from: {id}, to: {id}, type}` each; a pair that cannot be associated is an error of the 207."""
    results, errors = [], []
    for start, end, name in _inputs(call):
        try:
            ends = _ends(call, start, end)
            call.portal.associations.link(_names(call), *ends, (_type_id(call, name),))
        except ApiError as error:
            errors.append(error.body())
        else:
            results.append({"from": {"id": start}, "to": {"id": end}, "type": name})
    return batch_answer(call, results, errors, 201)


def unlink_batch(call: Call) -> Response:
    """What is not there is passed over. Raises 400 for a type that does not exist, and then removes nothing."""
    inputs = _inputs(call)
    for _, _, name in inputs:
        _type_id(call, name)
    for start, end, name in inputs:
        try:
            _remove(call, *_ends(call, start, end), name)
        except ApiError:
            continue
    return Response(204)


def read_batch(call: Call) -> Response:
    """What records are associated with, an entry for each type; one without any is an error of the 207."""
    names, (kind, other) = _names(call), call.pair
    named = call.portal.associations.names(names)
    results, errors = [], []
    for given in call.inputs(MOST_READ):
        start = _id(given)
        around = call.portal.associations.neighbours(names, as_id(start))
        if around:
            to = [{"id": str(end), "type": named[one]} for end in sorted(around) for one in around[end]]
            results.append({"from": {"id": start}, "to": to})
        else:
            error = not_found(
                f"No {other.singular} is associated with {kind.singular} {start}.",
                sub_category="crm.associations.NO_ASSOCIATIONS_FOUND",
                context={"fromObjectId": [start]},
            )
            errors.append(error.body())
    return batch_answer(call, results, errors, 200)


def list_types(call: Call) -> Response:
    named = call.portal.associations.names(_names(call))
    return Response.json({"results": [{"id": str(type_id), "name": name} for type_id, name in named.items()]})


# -- parts


def _names(call: Call) -> Pair:
    return call.pair[0].name, call.pair[1].name


def _type_id(call: Call, given: str) -> int:
    for type_id, name in call.portal.associations.names(_names(call)).items():
        if given in {str(type_id), name}:
            return type_id
    raise refuse(f"{given} is not an association type between {call.pair[0].name} and {call.pair[1].name}")


def _live(call: Call, kind: ObjectType, given: str) -> int:
    if as_id(given) not in call.portal.tables[kind.name].live:
        raise not_found()
    return int(given)


def _ends(call: Call, start: str, end: str) -> tuple[int, int]:
    return _live(call, call.pair[0], start), _live(call, call.pair[1], end)


def _inputs(call: Call) -> list[tuple[str, str, str]]:
    """The ids and the type of every input. Raises 400."""
    return [
        (_id(given.get("from")), _id(given.get("to")), _text(given.get("type")))
        for given in call.inputs(MOST_INPUTS)
    ]


def _id(given: Any) -> str:
    if not isinstance(given, dict):
        raise refuse_json()
    return _text(given.get("id"))


def _text(given: Any) -> str:
    if not isinstance(given, str | int) or isinstance(given, bool):
        raise refuse_json()
    return str(given)


def _remove(call: Call, start: int, end: int, name: str) -> None:
    """The unlabelled type takes all others with it."""
    names, associations, type_id = _names(call), call.portal.associations, _type_id(call, name)
    if type_id == associations.default(names):
        associations.unlink(names, start, end)
    else:
        associations.unlabel(names, start, end, (type_id,))
