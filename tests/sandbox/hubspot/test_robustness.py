"""No request, however odd, is more than a refusal: every body that a call takes, bent in every place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.sandbox.hubspot.routes import ROUTES

ODD: tuple[Any, ...] = (None, True, -1, 3, 10**18, 2.5, "", "é", "x", [], ["x"], [[]], {}, {"x": {}})
STATUSES = {200, 201, 204, 207, 400, 404, 409}

_STAGE = {"label": "S", "displayOrder": 0, "metadata": {"probability": "0.5"}, "stageId": "s"}
_TYPES = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}]
_LINK = {"from": {"id": "DEAL"}, "to": {"id": "COMPANY"}, "types": _TYPES}
_NEW = {
    "properties": {"dealname": "D", "dealstage": "closedwon", "amount": "1", "closedate": "2026-01-01"},
    "associations": [{"to": {"id": "COMPANY"}, "types": _TYPES}],
}
_CHANGE = {"id": "DEAL", "idProperty": "hs_object_id", "objectWriteTraceId": "t", "properties": {"amount": "1"}}
_FILTERS = [
    {"propertyName": "amount", "operator": "BETWEEN", "value": "1", "highValue": "9"},
    {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "0"},
    {"propertyName": "dealtype", "operator": "IN", "values": ["newbusiness"]},
    {"propertyName": "dealname", "operator": "CONTAINS_TOKEN", "value": "d*"},
    {"propertyName": "hs_object_id", "operator": "IN", "values": ["DEAL"]},
]
_PROPERTY = {
    "name": "note",
    "label": "Note",
    "groupName": "dealinformation",
    "type": "enumeration",
    "fieldType": "select",
    "hasUniqueValue": False,
    "displayOrder": 1,
    "description": "d",
    "hidden": False,
    "formField": True,
    "options": [{"label": "A", "value": "a", "displayOrder": 1, "hidden": False, "description": "d"}],
}
# What the calls of each path take, by method; those that are not here take no body.
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "objects/{type}"): _NEW,
    ("PATCH", "objects/{type}/{id}"): {"properties": {"amount": "1", "dealstage": "closedlost"}},
    ("POST", "objects/{type}/search"): {
        "filterGroups": [{"filters": [one]} for one in _FILTERS],
        "sorts": [{"propertyName": "amount", "direction": "DESCENDING"}],
        "query": "d",
        "properties": ["amount"],
        "limit": 10,
        "after": "0",
    },
    ("POST", "objects/{type}/merge"): {"primaryObjectId": "DEAL", "objectIdToMerge": "OTHER"},
    ("POST", "objects/{type}/batch/create"): {"inputs": [_NEW]},
    ("POST", "objects/{type}/batch/update"): {"inputs": [_CHANGE]},
    ("POST", "objects/{type}/batch/upsert"): {"inputs": [_CHANGE]},
    ("POST", "objects/{type}/batch/archive"): {"inputs": [{"id": "DEAL"}]},
    ("POST", "objects/{type}/batch/read"): {
        "inputs": [{"id": "DEAL"}],
        "idProperty": "hs_object_id",
        "properties": ["amount"],
        "propertiesWithHistory": ["amount"],
    },
    ("PUT", "objects/{from}/{id}/associations/{to}/{other}"): _TYPES,
    ("POST", "associations/{from}/{to}/batch/create"): {"inputs": [_LINK]},
    ("POST", "associations/{from}/{to}/batch/associate/default"): {"inputs": [_LINK]},
    ("POST", "associations/{from}/{to}/batch/labels/archive"): {"inputs": [_LINK]},
    ("POST", "associations/{from}/{to}/batch/archive"): {"inputs": [{**_LINK, "to": [{"id": "COMPANY"}]}]},
    ("POST", "associations/{from}/{to}/batch/read"): {"inputs": [{"id": "DEAL", "after": "0"}]},
    ("POST", "associations/{from}/{to}/labels"): {"label": "L", "name": "l", "inverseLabel": "I"},
    ("PUT", "associations/{from}/{to}/labels"): {"associationTypeId": 101, "label": "L", "inverseLabel": "I"},
    ("POST", "properties/{type}"): _PROPERTY,
    ("PATCH", "properties/{type}/{id}"): _PROPERTY,
    ("POST", "properties/{type}/groups"): {"name": "group", "label": "G", "displayOrder": 1},
    ("POST", "properties/{type}/batch/create"): {"inputs": [_PROPERTY]},
    ("POST", "properties/{type}/batch/read"): {"inputs": [{"name": "amount"}], "archived": False},
    ("POST", "properties/{type}/batch/archive"): {"inputs": [{"name": "kept"}]},
    ("POST", "pipelines/{type}"): {"label": "P", "displayOrder": 1, "pipelineId": "p", "stages": [_STAGE]},
    ("PUT", "pipelines/{type}/{id}"): {"label": "P", "displayOrder": 1, "stages": [_STAGE]},
    ("PATCH", "pipelines/{type}/{id}"): {"label": "P", "displayOrder": 1, "archived": False},
    ("POST", "pipelines/{type}/{id}/stages"): _STAGE,
    ("PUT", "pipelines/{type}/{id}/stages/{stage}"): _STAGE,
    ("PATCH", "pipelines/{type}/{id}/stages/{stage}"): _STAGE,
}


def bent(value: Any) -> Iterator[Any]:
    """The value with one part of it replaced by something odd, or left out."""
    yield from ODD
    if isinstance(value, dict):
        for name, part in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: odd} for odd in bent(part))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], odd, *value[place + 1 :]] for odd in bent(part))


def named(value: Any, ids: dict[str, str]) -> Any:
    """The body with the names of records replaced by their ids."""
    if isinstance(value, dict):
        return {name: named(part, ids) for name, part in value.items()}
    if isinstance(value, list):
        return [named(part, ids) for part in value]
    return ids.get(value, value) if isinstance(value, str) else value


def address(path: str, ids: dict[str, str]) -> str:
    """A path with what exists in the variable places."""
    things = {"pipelines": "default", "properties": "kept"}
    area, rest = path.split("/", 1)
    values = {"type": "deals", "from": "deals", "to": "companies", "stage": "closedwon"}
    values |= {"id": things.get(area, ids["DEAL"]), "other": ids["COMPANY"]}
    return f"/crm/{area}/2026-09/{rest.format(**values)}"


@pytest.fixture
def ids(hub):
    company = hub.create("companies", {"name": "C"})
    deal, other = (hub.create("deals", {"dealname": "D", "dealstage": "closedwon"}) for _ in range(2))
    kept = {**_PROPERTY, "name": "kept"}
    hub.call("POST", "/crm/v3/properties/deals", kept, 201)
    hub.call("POST", "/crm/v4/associations/deals/companies/labels", {"label": "L", "name": "first"})
    return {"DEAL": deal, "OTHER": other, "COMPANY": company}


def test_every_call_with_a_body_is_bent():
    """The table has all calls that take a body, and no other."""
    takes = {(route.method, route.path) for route in ROUTES if route.method in {"POST", "PUT", "PATCH"}}
    without = {("PUT", "objects/{from}/{id}/associations/default/{to}/{other}")}
    assert BODIES.keys() == takes - without


@pytest.mark.parametrize(("method", "path"), BODIES, ids=lambda part: part)
def test_a_bent_body_is_answered(hub, ids, method, path):
    """The right body is taken, and every bent one is answered with a status of HubSpot's."""
    right = named(BODIES[method, path], ids)
    for body in bent(right):
        answer = hub.send(method, address(path, ids), body)
        assert answer.status in STATUSES
        assert (answer.json is None) is (answer.status == 204)


@pytest.mark.parametrize(("method", "path"), BODIES, ids=lambda part: part)
def test_the_bodies_are_right_before_they_are_bent(hub, ids, method, path):
    """So that bending them proves something."""
    answer = hub.send(method, address(path, ids), named(BODIES[method, path], ids))
    assert answer.status in STATUSES - {400, 404, 409}, answer.json


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize("value", ["99999999999999999999", "é", "-1", "0-2", "x y"])
def test_odd_paths_and_parameters_are_answered(hub, ids, route, value):
    """Arbitrary path parts, page sizes and offsets."""
    segments = [value if part.startswith("{") else part for part in route.path.split("/")]
    area, rest = segments[0], "/".join(segments[1:])
    prefix = "" if area == "account-info" else "/crm"
    for query in ("", f"limit={value}", f"after={value}", f"idProperty={value}", f"associations={value}"):
        answer = hub.send(route.method, f"{prefix}/{area}/2026-09/{rest}?{query}")
        assert answer.status in STATUSES
