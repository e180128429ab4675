"""No request, however odd, is more than a refusal: every body that a call takes, bent in every place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from connector.sandbox.hubspot.api.routes import ROUTES
from tests.sandbox.hubspot.conftest import newest

ODD: tuple[Any, ...] = (None, True, -1, 3, 10**18, 2.5, "", "é", "x", [], ["x"], [[]], {}, {"x": {}})
STATUSES = {200, 201, 202, 204, 207, 400, 404, 409, 429}

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
_BODIES: dict[tuple[str, str], Any] = {
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
    ("POST", "objects/{type}/gdpr-delete"): {"objectId": "CONTACT", "idProperty": "hs_object_id"},
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
    ("POST", "exports/export/async"): {
        "exportType": "VIEW",
        "exportName": "E",
        "format": "CSV",
        "language": "EN",
        "objectType": "0-3",
        "objectProperties": ["dealname"],
        "associatedObjectType": ["0-2"],
        "exportInternalValuesOptions": ["NAMES", "VALUES"],
        "publicCrmSearchRequest": {
            "query": "d",
            "filters": [_FILTERS[0]],
            "sorts": [{"propertyName": "amount", "order": "ASC"}],
        },
    },
    ("POST", "properties/{type}"): _PROPERTY,
    ("PATCH", "properties/{type}/{id}"): _PROPERTY,
    ("POST", "properties/{type}/groups"): {"name": "group", "label": "G", "displayOrder": 1},
    ("POST", "properties/{type}/batch/create"): {"inputs": [_PROPERTY]},
    ("POST", "properties/{type}/batch/read"): {"inputs": [{"name": "amount"}], "archived": False},
    ("POST", "properties/{type}/batch/archive"): {"inputs": [{"name": "kept"}]},
    ("PATCH", "properties/{type}/groups/{id}"): {"label": "G", "displayOrder": 1},
    ("POST", "pipelines/{type}"): {"label": "P", "displayOrder": 1, "pipelineId": "p", "stages": [_STAGE]},
    ("PUT", "pipelines/{type}/{id}"): {"label": "P", "displayOrder": 1, "stages": [_STAGE]},
    ("PATCH", "pipelines/{type}/{id}"): {"label": "P", "displayOrder": 1, "archived": False},
    ("POST", "pipelines/{type}/{id}/stages"): _STAGE,
    ("PUT", "pipelines/{type}/{id}/stages/{stage}"): _STAGE,
    ("PATCH", "pipelines/{type}/{id}/stages/{stage}"): _STAGE,
}


# The same for addresses that have no dated spelling.
_V3_LINK = {"from": {"id": "DEAL"}, "to": {"id": "COMPANY"}, "type": "deal_to_company"}
_OLD_BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/crm/v3/associations/{from}/{to}/batch/create"): {"inputs": [_V3_LINK]},
    ("POST", "/crm/v3/associations/{from}/{to}/batch/archive"): {"inputs": [_V3_LINK]},
    ("POST", "/crm/v3/associations/{from}/{to}/batch/read"): {"inputs": [{"id": "DEAL"}]},
}
OTHERS = {"oauth", "webhooks", "imports"}  # take forms, or have tests of their own
WITHOUT_BODY = {
    ("PUT", "/crm/objects/2026-09/{from}/{id}/associations/default/{to}/{other}"),
    ("PUT", "/crm/v3/objects/{from}/{id}/associations/{to}/{other}/{label}"),
}


def _find_calls() -> Iterator[tuple[tuple[str, str], Any]]:
    """Method and address of each call, and its body."""
    for route in ROUTES:
        bodies, path = (_OLD_BODIES, newest(route)) if route.version else (_BODIES, route.path)
        if (route.method, path) in bodies:
            yield (route.method, newest(route)), bodies[route.method, path]


CALLS = dict(_find_calls())


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


def fill(path: str, ids: dict[str, str]) -> str:
    """A path with what exists in the variable places."""
    things = {"pipelines": "default", "properties": "kept"}
    values = {"type": "contacts" if "gdpr" in path else "deals", "from": "deals", "to": "companies"}
    values |= {"stage": "closedwon", "label": "341", "other": ids["COMPANY"]}
    known = next((thing for area, thing in things.items() if f"/{area}/" in path), ids["DEAL"])
    return path.format(**values, id=known)


@pytest.fixture
def ids(hub):
    company = hub.create("companies", {"name": "C"})
    deal, other = (hub.create("deals", {"dealname": "D", "dealstage": "closedwon"}) for _ in range(2))
    hub.call("POST", "/crm/v3/properties/deals/groups", {"name": "kept", "label": "K"}, 201)
    kept = {**_PROPERTY, "name": "kept"}
    hub.call("POST", "/crm/v3/properties/deals", kept, 201)
    hub.call("POST", "/crm/v4/associations/deals/companies/labels", {"label": "L", "name": "first"})
    contact = hub.create("contacts", {"email": "c@example.com"})
    return {"DEAL": deal, "OTHER": other, "COMPANY": company, "CONTACT": contact}


def test_every_call_with_a_body_is_bent():
    """The table has all calls that take a body, and no other."""
    writing = [route for route in ROUTES if route.method in {"POST", "PUT", "PATCH"}]
    takes = {(route.method, newest(route)) for route in writing if route.path.split("/")[0] not in OTHERS}
    assert CALLS.keys() == takes - WITHOUT_BODY
    assert len(CALLS) == len(_BODIES) + len(_OLD_BODIES)


@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda part: part)
def test_a_bent_body_is_answered(hub, ids, method, path):
    """The right body is taken, and every bent one is answered with a status of HubSpot's."""
    right = named(CALLS[method, path], ids)
    for body in bent(right):
        answer = hub.send(method, fill(path, ids), body)
        assert answer.status in STATUSES
        assert (answer.json is None) is (answer.status == 204)


@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda part: part)
def test_the_bodies_are_right_before_they_are_bent(hub, ids, method, path):
    """So that bending them proves something."""
    answer = hub.send(method, fill(path, ids), named(CALLS[method, path], ids))
    assert answer.status in STATUSES - {400, 404, 409, 429}, answer.json


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {newest(route)}")
@pytest.mark.parametrize("value", ["99999999999999999999", "9" * 5_000, "é", "-1", "0-2", "x y", "{}"])
def test_odd_paths_and_parameters_are_answered(hub, ids, route, value):
    """Arbitrary path parts, page sizes and offsets."""
    path = re.sub(r"\{\w+\}", value, newest(route))
    for query in ("", f"limit={value}", f"after={value}", f"idProperty={value}", f"associations={value}"):
        answer = hub.send(route.method, f"{path}?{query}")
        assert answer.status in STATUSES | ({401} if "/webhooks/" in path else set())
