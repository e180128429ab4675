"""The calls older than v3 that readers of today still make: their addresses, and HubSpot's older shape of a record.

| address | answers |
|---|---|
| `GET /companies/v2/companies/paged`, `/deals/v1/deal/paged` | pages of records, by `offset` |
| `GET /companies/v2/companies/{id}`, `/deals/v1/deal/{id}` | one record with all that it holds |
| `GET /properties/v1/{type}/properties`, `/companies/v2/properties` | definitions |
| `GET /deals/v1/pipelines` | pipelines |

Numbers are numbers here: ids, and moments as milliseconds, in property values too. Simplified: records come in the
order of their ids, nothing can be written, and no call for what changed of late is here. Source: HubSpot docs,
"Get all companies", "Get a company", "Get all deals", "Get a deal", "Get all deal properties", "Get all company
properties", "Get all deal pipelines".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from connector.sandbox.hubspot.api.calls import Call
from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.definitions.pipelines import Pipeline, Stage
from connector.sandbox.hubspot.definitions.properties import Definition
from connector.sandbox.hubspot.definitions.schema import COMPANIES, CONTACTS, DEALS, ObjectType
from connector.sandbox.hubspot.errors import not_found, refuse
from connector.sandbox.hubspot.moments import from_iso
from connector.sandbox.hubspot.portal import PORTAL_ID, Portal
from connector.sandbox.hubspot.records.records import Record
from connector.sandbox.hubspot.records.views import viewer
from connector.sandbox.wire import Response

MOST_PER_PAGE = 250
USUAL_PER_PAGE = 100

# What the old shape calls the id of a record, a page of records, and whether there are more.
_ID = {COMPANIES.name: "companyId", DEALS.name: "dealId"}
_MORE = {COMPANIES.name: "has-more", DEALS.name: "hasMore"}
_LINKED = (("associatedVids", CONTACTS), ("associatedCompanyIds", COMPANIES), ("associatedDealIds", DEALS))
_MOMENTS = {"date", "datetime"}
_DEFINED = ("name", "label", "description", "groupName", "type", "fieldType", "options", "displayOrder",
            "formField", "hidden", "calculated", "externalOptions", "hubspotDefined")  # fmt: skip

_View = Callable[[Record], dict[str, Any]]


# -- records


def list_companies(call: Call) -> Response:
    return _list_page(call, COMPANIES)


def list_deals(call: Call) -> Response:
    return _list_page(call, DEALS)


def read_company(call: Call) -> Response:
    return _read(call, COMPANIES)


def read_deal(call: Call) -> Response:
    return _read(call, DEALS)


def _list_page(call: Call, kind: ObjectType) -> Response:
    """Live records from the id `offset` on. Raises 400 for a limit beyond 250."""
    limit = call.number("limit", USUAL_PER_PAGE)
    if not 1 <= limit <= MOST_PER_PAGE:
        raise refuse(f"limit must be between 1 and {MOST_PER_PAGE}, not {limit}")
    offset = call.number("offset", 0)
    rows, following = call.portal.tables[kind.name].page(offset, limit)
    past = call.request.every("propertiesWithHistory")
    names = _names(call.portal, kind) if call.flag("includeAllProperties") else call.request.every("properties")
    view = _viewer(call.portal, kind, names, past, linked=call.flag("includeAssociations"))
    return Response.json({
        kind.name: [view(row) for row in rows],
        _MORE[kind.name]: following is not None,
        "offset": following or (rows[-1].id if rows else 0),
    })  # fmt: skip


def _read(call: Call, kind: ObjectType) -> Response:
    given = call.args["id"]
    record = call.portal.tables[kind.name].resolve(as_id(given))
    if record is None:
        raise not_found()
    past = _names(call.portal, kind) if call.flag("includePropertyVersions") else ()
    return Response.json(_viewer(call.portal, kind, _names(call.portal, kind), past, linked=True)(record))


def _names(portal: Portal, kind: ObjectType) -> list[str]:
    return list(portal.properties[kind.name].defined)


def _viewer(portal: Portal, kind: ObjectType, names: Sequence[str], past: Sequence[str], *, linked: bool) -> _View:
    """How to show records of one request. Of the properties in `past` all versions are shown, else the newest."""
    asked = list(dict.fromkeys((*names, *past)))
    view, whole, defined = viewer(portal, kind, history=asked), set(past), portal.properties[kind.name].defined

    def show(record: Record) -> dict[str, Any]:
        properties = {
            name: _show_value(defined[name], versions if name in whole else versions[:1])
            for name, versions in view(record).get("propertiesWithHistory", {}).items()
            if versions
        }
        head = {"portalId": PORTAL_ID, _ID[kind.name]: record.id, "isDeleted": False}
        shown: dict[str, Any] = {**head, "properties": properties}
        if kind is COMPANIES:
            return {**shown, "additionalDomains": []}
        return {**shown, "associations": _linked(portal, record) if linked else None, "imports": []}

    return show


def _linked(portal: Portal, record: Record) -> dict[str, list[int]]:
    """The ids of what a deal is associated with, under the names that the old shape has for them."""
    return {
        name: sorted(portal.associations.neighbours((DEALS.name, kind.name), record.id)) for name, kind in _LINKED
    }


def _show_value(definition: Definition, versions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A property in the old shape, from its versions in the new one, newest first; `value` is the newest one's."""
    shown = [
        {
            "name": definition.name,
            "value": _show_text(definition, version["value"]),
            "timestamp": from_iso(version["timestamp"]),
            "source": version["sourceType"],
            "sourceId": version.get("sourceId"),
            "sourceVid": [],
        }
        for version in versions
    ]
    newest = {name: shown[0][name] for name in ("value", "timestamp", "source", "sourceId")}
    return {**newest, "versions": shown}


def _show_text(definition: Definition, value: str) -> str:
    return str(from_iso(value)) if value and definition.type in _MOMENTS else value


# -- what describes a portal


def list_company_properties(call: Call) -> Response:
    return _list_properties(call, COMPANIES)


def list_properties(call: Call) -> Response:
    return _list_properties(call, call.kind)


def _list_properties(call: Call, kind: ObjectType) -> Response:
    options = call.portal.pipelines.options()
    definitions = call.portal.properties[kind.name].all()
    return Response.json([_show_definition(one, options.get(one.external or "")) for one in definitions])


def _show_definition(definition: Definition, options: list[dict[str, Any]] | None) -> dict[str, Any]:
    shown = definition.view(options)
    return {
        **{name: shown[name] for name in _DEFINED},
        "readOnlyValue": definition.read_only,
        "readOnlyDefinition": definition.hubspot_defined,
        "createdAt": definition.created,
        "updatedAt": definition.updated,
    }


def list_pipelines(call: Call) -> Response:
    return Response.json([_show_pipeline(pipeline) for pipeline in call.portal.pipelines.all()])


def _show_pipeline(pipeline: Pipeline) -> dict[str, Any]:
    stages = sorted(pipeline.stages.values(), key=lambda stage: stage.order)
    return {
        "pipelineId": pipeline.id,
        "label": pipeline.label,
        "active": not pipeline.archived,
        "displayOrder": pipeline.order,
        "stages": [_show_stage(stage) for stage in stages],
    }


def _show_stage(stage: Stage) -> dict[str, Any]:
    return {
        "stageId": stage.id,
        "label": stage.label,
        "probability": stage.probability,
        "active": not stage.archived,
        "displayOrder": stage.order,
        "closedWon": stage.won,
    }
