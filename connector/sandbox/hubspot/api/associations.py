"""The calls under `/crm/v4/associations` and `/crm/v4/objects/…/associations` and their dated spellings.

HubSpot docs, "Associate records" and "Association schema". Ids of associated records are numbers in v4 and strings
in the dated versions; clients must take either.
"""

from __future__ import annotations

from typing import Any

from connector.sandbox.hubspot.api.calls import Call, batch_answer, page_answer
from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.definitions.associations import Pair
from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.errors import ApiError, not_found, refuse, refuse_json
from connector.sandbox.hubspot.records.views import MOST_ASSOCIATED
from connector.sandbox.wire import Response

MOST_WRITTEN = 2_000  # inputs; HubSpot states it for batch/create, other batch writes are held to it here too
MOST_READ = 1_000
Kinds = tuple[ObjectType, ObjectType]


def _names(kinds: Kinds) -> Pair:
    return kinds[0].name, kinds[1].name


def _id(call: Call, record_id: int) -> int | str:
    return str(record_id) if call.dated else record_id


def _given_id(given: Any) -> str:
    """The id in `{"id": …}`. Raises 400."""
    if not isinstance(given, dict) or not isinstance(given.get("id"), str | int):
        raise refuse_json()
    return str(given["id"])


def _live(call: Call, kind: ObjectType, given: str) -> int | None:
    return as_id(given) if as_id(given) in call.portal.tables[kind.name].live else None


def _both(call: Call, kinds: Kinds, start: str, end: str) -> tuple[int, int]:
    """Two live records. Raises 404 that names those which are missing."""
    one, other = _live(call, kinds[0], start), _live(call, kinds[1], end)
    if one is None or other is None:
        missing = [given for given, found in ((start, one), (end, other)) if found is None]
        raise not_found(
            f"One or both record IDs don't exist: {', '.join(missing)}",
            context={"fromObjectId": [start], "toObjectId": [end]},
        )
    return one, other


# -- many pairs


def batch_create(call: Call) -> Response:
    """Associate pairs under types; a set of labels replaces the labels which a pair had."""
    kinds = call.pair
    results, errors = [], []
    for given in call.inputs(MOST_WRITTEN):
        start, end = _given_id(given.get("from")), _given_id(given.get("to"))
        try:
            results.append(_associate(call, kinds, start, end, given.get("types")))
        except ApiError as error:
            errors.append(error.body())
    return batch_answer(call, results, errors, 201)


def batch_default(call: Call) -> Response:
    """Associate pairs without a label."""
    kinds = call.pair
    results: list[dict[str, Any]] = []
    errors = []
    for given in call.inputs(MOST_WRITTEN):
        start, end = _given_id(given.get("from")), _given_id(given.get("to"))
        try:
            results += _associate_default(call, kinds, start, end)
        except ApiError as error:
            errors.append(error.body())
    return batch_answer(call, results, errors, 200)


def batch_read(call: Call) -> Response:
    """What up to 1,000 records are associated with. One without any is an error of the 207, not an empty row."""
    kinds = call.pair
    results, errors = [], []
    for given in call.inputs(MOST_READ):
        start = _given_id(given)
        record_id = _live(call, kinds[0], start)
        rows, after = ([], None) if record_id is None else _page(call, kinds, record_id, given.get("after"))
        if rows:
            paging = {"paging": {"next": {"after": after}}} if after is not None else {}
            results.append({"from": {"id": start}, "to": rows, **paging})
        else:
            errors.append(_none_found(kinds, start))
    return batch_answer(call, results, errors, 200)


def _none_found(kinds: Kinds, start: str) -> dict[str, Any]:
    one, other = kinds[0].singular, kinds[1].singular
    return not_found(
        f"No {other} is associated with {one} {start}.",
        sub_category="crm.associations.NO_ASSOCIATIONS_FOUND",
        context={"fromObjectId": [start], "fromObjectType": [one], "toObjectType": [other]},
    ).body()


def batch_archive(call: Call) -> Response:
    """Remove every type between one record and others; what is not associated is passed over."""
    kinds = call.pair
    for given in call.inputs(MOST_WRITTEN):
        start, ends = _given_id(given.get("from")), given.get("to")
        if not isinstance(ends, list):
            raise refuse_json()
        for end in ends:
            _unlink(call, kinds, start, _given_id(end))
    return Response(204)


def batch_unlabel(call: Call) -> Response:
    """Remove only the given types of each pair."""
    kinds = call.pair
    for given in call.inputs(MOST_WRITTEN):
        start, end = _live(call, kinds[0], _given_id(given.get("from"))), _given_id(given.get("to"))
        other = _live(call, kinds[1], end)
        types = call.portal.associations.read_types(_names(kinds), given.get("types"))
        if start is not None and other is not None:
            call.portal.associations.unlabel(_names(kinds), start, other, types)
    return Response(204)


# -- one pair


def create(call: Call) -> Response:
    kinds = call.pair
    return Response.json(_associate(call, kinds, call.args["id"], call.args["other"], call.json()), 201)


def create_default(call: Call) -> Response:
    results = _associate_default(call, call.pair, call.args["id"], call.args["other"])
    return batch_answer(call, results, [], 200)


def delete(call: Call) -> Response:
    _unlink(call, call.pair, call.args["id"], call.args["other"])
    return Response(204)


def list_page(call: Call) -> Response:
    """The associated records of one record, at most 500 a page."""
    kinds = call.pair
    record_id = _live(call, kinds[0], call.args["id"])
    if record_id is None:
        raise not_found()
    limit = call.number("limit", MOST_ASSOCIATED)
    if not 1 <= limit <= MOST_ASSOCIATED:
        raise refuse(f"limit must be between 1 and {MOST_ASSOCIATED}, not {limit}")
    rows, after = _page(call, kinds, record_id, call.request.first("after"), limit)
    link = f"{call.request.origin}{call.request.path}?limit={limit}&after={after}"
    return page_answer(rows, after, link)


def _associate(call: Call, kinds: Kinds, start: str, end: str, specs: Any) -> dict[str, Any]:
    names, associations = _names(kinds), call.portal.associations
    types = associations.read_types(names, specs)
    one, other = _both(call, kinds, start, end)
    linked = associations.link(names, one, other, types)
    labels = [link_type.label for link_type in associations.describe(names, linked) if link_type.label]
    return {
        "fromObjectTypeId": kinds[0].type_id,
        "fromObjectId": _id(call, one),
        "toObjectTypeId": kinds[1].type_id,
        "toObjectId": _id(call, other),
        "labels": labels,
    }


def _associate_default(call: Call, kinds: Kinds, start: str, end: str) -> list[dict[str, Any]]:
    """Both directions of the new association."""
    one, other = _both(call, kinds, start, end)
    names, associations = _names(kinds), call.portal.associations
    associations.link(names, one, other)
    return [
        {
            "from": {"id": str(here)},
            "to": {"id": str(there)},
            "associationSpec": {
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": associations.default(pair),
            },
        }
        for pair, here, there in ((names, one, other), (names[::-1], other, one))
    ]


def _unlink(call: Call, kinds: Kinds, start: str, end: str) -> None:
    one, other = _live(call, kinds[0], start), _live(call, kinds[1], end)
    if one is not None and other is not None:
        call.portal.associations.unlink(_names(kinds), one, other)


def _page(
    call: Call, kinds: Kinds, record_id: int, after: Any, limit: int = MOST_ASSOCIATED
) -> tuple[list[dict[str, Any]], str | None]:
    """Associated records from id `after` on, and the id that the next page begins with."""
    names, associations = _names(kinds), call.portal.associations
    first = max(as_id(str(after)), 0)
    around = associations.neighbours(names, record_id)
    ids = sorted(other for other in around if other >= first)
    rows = [
        {
            "toObjectId": _id(call, other),
            "associationTypes": [one.view() for one in associations.describe(names, around[other])],
        }
        for other in ids[:limit]
    ]
    return rows, str(ids[limit]) if len(ids) > limit else None


# -- labels


def list_labels(call: Call) -> Response:
    types = call.portal.associations.types(_names(call.pair))
    return Response.json({"results": [link_type.view() for link_type in types]})


def create_label(call: Call) -> Response:
    made = call.portal.associations.create_label(_names(call.pair), call.json())
    return Response.json({"results": [link_type.view() for link_type in made]})


def update_label(call: Call) -> Response:
    call.portal.associations.update_label(_names(call.pair), call.json())
    return Response(204)


def delete_label(call: Call) -> Response:
    given = call.args["id"]
    call.portal.associations.delete_label(_names(call.pair), as_id(given))
    return Response(204)
