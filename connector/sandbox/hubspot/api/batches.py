"""The calls on up to a hundred records (HubSpot docs, "Using object APIs" and "Handling errors").

1. More than 100 inputs: 400.  2. An id twice: 400.  3. An input that is not valid: nothing is written (400 or 409),
unless every input has an `objectWriteTraceId`.  4. With trace ids: the valid inputs are written, the others are
listed in a 207.  5. Missing ids: always a 207; ids that a merge absorbed are left out in silence.  6. Results come
back in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from connector.sandbox.hubspot.api.calls import MOST_INPUTS, Call, batch_answer, text_list
from connector.sandbox.hubspot.api.objects import MOST_WITH_HISTORY
from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.errors import ApiError, could_not_get, duplicate_ids, not_unique, refuse, refuse_json
from connector.sandbox.hubspot.records import privacy, writes
from connector.sandbox.hubspot.records.records import Record
from connector.sandbox.hubspot.records.views import View, viewer
from connector.sandbox.hubspot.records.writes import Claims, Draft
from connector.sandbox.wire import Response

_RECORD_ID = (None, "", "hs_object_id")  # what `idProperty` is when `id` is the record's own
Input = dict[str, Any]
Prepare = Callable[[Input, Claims], Draft | None]


def create(call: Call) -> Response:
    kind = call.kind

    def prepare(given: Input, claims: Claims) -> Draft:
        properties, associations = given.get("properties"), given.get("associations")
        return writes.prepare_create(call.portal, kind, properties, associations, claims)

    return _write(call, kind, prepare, _Missing(), 201)


def update(call: Call) -> Response:
    kind, missing = call.kind, _Missing()
    _check_ids(call, kind)

    def prepare(given: Input, claims: Claims) -> Draft | None:
        record = _find(call, kind, given, missing)
        if record is None:
            return None
        return writes.prepare_update(call.portal, kind, record, given.get("properties"), claims)

    return _write(call, kind, prepare, missing, 200, lists_refused=call.portal.settings.update_lists_refused)


def upsert(call: Call) -> Response:
    """Create what is not found by its unique property. By record id it is only an update."""
    kind, missing = call.kind, _Missing()
    _check_ids(call, kind)

    def prepare(given: Input, claims: Claims) -> Draft | None:
        name = given.get("idProperty")
        if name in _RECORD_ID:
            record = _find(call, kind, given, missing)
            if record is None:
                return None
        else:
            record = writes.locate(call.portal, kind, str(given.get("id")), name)
        properties = given.get("properties")
        if record is not None:
            return writes.prepare_update(call.portal, kind, record, properties, claims)
        if not isinstance(properties, dict):
            raise refuse_json()
        named = {name: given.get("id"), **properties}
        return writes.prepare_create(call.portal, kind, named, None, claims)

    return _write(call, kind, prepare, missing, 200, tells_new=True)


def read(call: Call) -> Response:
    """Records by id or by a unique property; it cannot tell associations."""
    body, kind = call.body(), call.kind
    history = text_list(body.get("propertiesWithHistory"))
    name = body.get("idProperty")
    if name is not None and not isinstance(name, str):
        raise refuse_json()
    inputs = call.inputs(MOST_WITH_HISTORY if history else MOST_INPUTS)
    _refuse_duplicates([(name, _id(given)) for given in inputs])
    view = viewer(call.portal, kind, text_list(body.get("properties")), history)
    missing, found = _Missing(), []
    archived = call.portal.tables[kind.name].archived if call.flag("archived") else None
    for given in inputs:
        if archived is None:
            record = _find(call, kind, {**given, "idProperty": name}, missing)
        else:
            record = archived.get(as_id(_id(given)))
            if record is None:
                missing.ids.append(_id(given))
        if record is not None:
            found.append(view(record))
    return batch_answer(call, found, missing.errors(kind), 200, shuffled=True)


def archive(call: Call) -> Response:
    kind = call.kind
    _check_ids(call, kind)
    live = call.portal.tables[kind.name].live
    for given in call.inputs(MOST_INPUTS):
        record = live.get(as_id(_id(given)))
        if record is not None:
            writes.archive(call.portal, kind, record)
    return Response(204)


class _Missing:
    """The ids of a batch that are not there, and the trace ids of their inputs."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.trace_ids: list[str] = []

    def note(self, given: Input) -> None:
        self.ids.append(_id(given))
        if given.get("objectWriteTraceId"):
            self.trace_ids.append(str(given["objectWriteTraceId"]))

    def errors(self, kind: ObjectType) -> list[dict[str, Any]]:
        return [could_not_get(kind, self.ids, self.trace_ids)] if self.ids else []


def _find(call: Call, kind: ObjectType, given: Input, missing: _Missing) -> Record | None:
    """The record of an input; what is not there is noted, what a merge absorbed is not."""
    record = writes.locate(call.portal, kind, _id(given), given.get("idProperty"))
    if record is None:
        missing.note(given)
    elif given.get("idProperty") in _RECORD_ID and str(record.id) != _id(given):
        return None
    return record


def _write(
    call: Call,
    kind: ObjectType,
    prepare: Prepare,
    missing: _Missing,
    status: int,
    *,
    tells_new: bool = False,
    lists_refused: bool = True,
) -> Response:
    """Check all inputs, then write those that may be written."""
    inputs = call.inputs(MOST_INPUTS)
    traced = _all_traced(inputs)
    names_existing = call.portal.settings.conflict_names_existing
    claims: Claims = {}
    drafts: list[tuple[Draft, str | None]] = []
    refused: list[tuple[ApiError, str | None]] = []
    for given in inputs:
        trace_id = given.get("objectWriteTraceId")
        try:
            privacy.check(call.portal, kind, given.get("properties"))
            draft = prepare(given, claims)
        except ApiError as error:
            refused.append((error if names_existing else error.without_holder(), trace_id))
        else:
            if draft is not None:
                drafts.append((draft, trace_id))
    if refused and not (traced and lists_refused):
        raise _whole([error for error, _ in refused])
    show = _Show(call, kind, tells_new=tells_new)
    results = [show(draft, trace_id) for draft, trace_id in drafts]
    errors = [error.of_input(trace_id, names_existing=names_existing) for error, trace_id in refused]
    return batch_answer(call, results, [*errors, *missing.errors(kind)], status, shuffled=True)


class _Show:
    """Carries out drafts and shows what became of them; records with the same properties share a view."""

    def __init__(self, call: Call, kind: ObjectType, *, tells_new: bool) -> None:
        self._portal, self._kind, self._tells_new = call.portal, kind, tells_new
        self._views: dict[tuple[str, ...], View] = {}

    def __call__(self, draft: Draft, trace_id: str | None) -> dict[str, Any]:
        names = tuple(draft.written)
        view = self._views.get(names)
        if view is None:
            view = self._views[names] = viewer(self._portal, self._kind, [*names, *self._kind.defaults])
        shown = view(writes.commit(self._portal, draft))
        if trace_id is not None and self._portal.settings.echo_trace_ids:
            shown["objectWriteTraceId"] = trace_id
        if self._tells_new:
            shown["new"] = draft.record is None
        return shown


def _whole(errors: Sequence[ApiError]) -> ApiError:
    """The one refusal of a batch without trace ids, which does not tell the inputs apart."""
    first = errors[0]
    if first.status != 400:
        return first
    details = [detail for error in errors for detail in error.errors]
    return ApiError(400, first.category, first.message, errors=details, context=first.context)


def _all_traced(inputs: Sequence[Input]) -> bool:
    """Whether every input has a trace id of its own. Raises 400 for one that is used twice."""
    trace_ids = [given["objectWriteTraceId"] for given in inputs if given.get("objectWriteTraceId")]
    if len(set(trace_ids)) < len(trace_ids):
        raise refuse("objectWriteTraceId must be unique within a batch")
    return len(trace_ids) == len(inputs)


def _check_ids(call: Call, kind: ObjectType) -> None:
    """Raises 400 for an id twice, and for an `idProperty` that does not identify records."""
    inputs = call.inputs(MOST_INPUTS)
    _refuse_duplicates([(given.get("idProperty"), _id(given)) for given in inputs])
    for name in {given.get("idProperty") for given in inputs}:
        if name not in _RECORD_ID and name not in call.portal.properties[kind.name].identifying:
            raise not_unique(kind, str(name))


def _refuse_duplicates(ids: Sequence[tuple[str | None, str]]) -> None:
    keys = [(name, writes.normal_key(name or "", given)) for name, given in ids]
    twice = [given for (_, given), count in Counter(keys).items() if count > 1]
    if twice:
        raise duplicate_ids(twice)


def _id(given: Input) -> str:
    if not isinstance(given.get("id"), str | int):
        raise refuse_json()
    return str(given["id"])
