"""The calls that describe and shape a portal: properties, pipelines and owners."""

from __future__ import annotations

from typing import Any

from connector.sandbox.hubspot.api.calls import MOST_INPUTS, Call, batch_answer, page_answer
from connector.sandbox.hubspot.definitions.pipelines import Pipelines
from connector.sandbox.hubspot.definitions.properties import Definition
from connector.sandbox.hubspot.definitions.schema import DEALS
from connector.sandbox.hubspot.errors import ApiError, refuse
from connector.sandbox.hubspot.portal import PORTAL_ID
from connector.sandbox.wire import Response

# -- properties


def list_properties(call: Call) -> Response:
    definitions = call.portal.properties[call.kind.name].all(archived=call.flag("archived"))
    return Response.json({"results": [_shown(call, definition) for definition in definitions]})


def create_property(call: Call) -> Response:
    return Response.json(_shown(call, call.portal.properties[call.kind.name].create(call.body())), 201)


def read_property(call: Call) -> Response:
    properties = call.portal.properties[call.kind.name]
    return Response.json(_shown(call, properties.get(call.args["id"], archived=call.flag("archived"))))


def update_property(call: Call) -> Response:
    definition = call.portal.properties[call.kind.name].update(call.args["id"], call.body())
    return Response.json(_shown(call, definition))


def archive_property(call: Call) -> Response:
    _archive_property(call, call.args["id"])
    return Response(204)


def create_properties(call: Call) -> Response:
    return _each_property(call, call.portal.properties[call.kind.name].create, 201)


def read_properties(call: Call) -> Response:
    archived = bool(call.body().get("archived"))
    properties = call.portal.properties[call.kind.name]
    return _each_property(call, lambda given: properties.get(str(given.get("name")), archived=archived), 200)


def archive_properties(call: Call) -> Response:
    """Names that are not defined are passed over."""
    defined = call.portal.properties[call.kind.name].defined
    for given in call.inputs(MOST_INPUTS):
        if given.get("name") in defined:
            _archive_property(call, given["name"])
    return Response(204)


def list_groups(call: Call) -> Response:
    return Response.json({"results": call.portal.properties[call.kind.name].groups()})


def read_group(call: Call) -> Response:
    return Response.json(call.portal.properties[call.kind.name].group(call.args["id"]))


def create_group(call: Call) -> Response:
    return Response.json(call.portal.properties[call.kind.name].create_group(call.body()), 201)


def update_group(call: Call) -> Response:
    return Response.json(call.portal.properties[call.kind.name].update_group(call.args["id"], call.body()))


def archive_group(call: Call) -> Response:
    call.portal.properties[call.kind.name].archive_group(call.args["id"])
    return Response(204)


def _archive_property(call: Call, name: str) -> None:
    call.portal.properties[call.kind.name].archive(name)
    call.portal.tables[call.kind.name].forget_property(name)


def _each_property(call: Call, act: Any, status: int) -> Response:
    results, errors = [], []
    for given in call.inputs(MOST_INPUTS):
        try:
            results.append(_shown(call, act(given)))
        except ApiError as error:
            errors.append(error.body() | {"context": {"name": [str(given.get("name"))]}})
    return batch_answer(call, results, errors, status)


def _shown(call: Call, definition: Definition) -> dict[str, Any]:
    """A definition with its options, which for pipelines and stages are those of the moment."""
    if definition.external in {"PIPELINE", "STAGE"}:
        return definition.view(call.portal.pipelines.options()[definition.external])
    return definition.view()


# -- pipelines


def _pipelines(call: Call) -> Pipelines:
    if call.kind is not DEALS:
        raise refuse(f"Object type {call.kind.type_id} does not have pipelines")
    return call.portal.pipelines


def _checked(call: Call) -> bool:
    """Whether the caller wants stages in use to be kept."""
    return call.flag("validateReferencesBeforeDelete") or call.flag("validateDealStageUsagesBeforeDelete")


def list_pipelines(call: Call) -> Response:
    pipelines = _pipelines(call).all(archived=call.flag("archived"))
    return Response.json({"results": [pipeline.view() for pipeline in pipelines]})


def create_pipeline(call: Call) -> Response:
    most = call.portal.settings.max_pipelines
    return Response.json(_pipelines(call).create(call.body(), most=most).view(), 201)


def read_pipeline(call: Call) -> Response:
    return Response.json(_pipelines(call).get(call.args["id"]).view())


def replace_pipeline(call: Call) -> Response:
    pipeline = _pipelines(call).replace(call.args["id"], call.body(), checked=_checked(call))
    return Response.json(pipeline.view())


def update_pipeline(call: Call) -> Response:
    return Response.json(_pipelines(call).update(call.args["id"], call.body()).view())


def archive_pipeline(call: Call) -> Response:
    _pipelines(call).archive(call.args["id"], checked=_checked(call))
    return Response(204)


def list_stages(call: Call) -> Response:
    return Response.json({"results": _pipelines(call).get(call.args["id"]).view()["stages"]})


def create_stage(call: Call) -> Response:
    return Response.json(_pipelines(call).create_stage(call.args["id"], call.body()).view(), 201)


def read_stage(call: Call) -> Response:
    return Response.json(_pipelines(call).stage(call.args["id"], call.args["stage"]).view())


def write_stage(call: Call) -> Response:
    whole = call.request.method == "PUT"
    stage = _pipelines(call).update_stage(call.args["id"], call.args["stage"], call.body(), whole=whole)
    return Response.json(stage.view())


def delete_stage(call: Call) -> Response:
    _pipelines(call).delete_stage(call.args["id"], call.args["stage"], checked=_checked(call))
    return Response(204)


def list_custom_types(_: Call) -> Response:
    """The custom object types of the portal: there are none (HubSpot docs, "Custom objects")."""
    return Response.json({"results": []})


def audit_pipeline(call: Call) -> Response:
    """What has become of a pipeline, newest first."""
    pipeline = _pipelines(call).get(call.args["id"])
    return _audited(call, pipeline.id)


def audit_stage(call: Call) -> Response:
    """What has become of a stage, newest first."""
    stage = _pipelines(call).stage(call.args["id"], call.args["stage"])
    return _audited(call, stage.id)


def _audited(call: Call, identifier: str) -> Response:
    results = [{"portalId": PORTAL_ID, **entry} for entry in call.portal.pipelines.audit(identifier)]
    return Response.json({"results": results})


# -- owners


def list_owners(call: Call) -> Response:
    request = call.request
    owners, after = call.portal.owners.page(
        email=request.first("email"),
        archived=call.flag("archived"),
        after=request.first("after"),
        limit=call.number("limit", 100),
    )
    link = f"{request.origin}{request.path}?after={after}"
    return page_answer(owners, after, link)


def read_owner(call: Call) -> Response:
    id_property = call.request.first("idProperty") or "id"
    owner = call.portal.owners.get(call.args["id"], id_property, archived=call.flag("archived"))
    return Response.json(owner)
