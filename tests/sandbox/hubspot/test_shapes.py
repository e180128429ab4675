"""What every call answers, whole: which keys, of which types, when it goes well and when it is refused.

The shapes are written by hand from HubSpot's API specifications and guides, not from the sandbox's code: SDKs take
missing fields in silence, so that passing one proves nothing here. A shape is a type, a literal, a list with the
shape of its elements (not an empty one), or an object whose keys must be exactly these; `name?` may be missing,
and `*` stands for any names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from connector.sandbox.hubspot.api.routes import ROUTES
from connector.sandbox.wire import Request
from tests.sandbox.hubspot.conftest import COMPANY_OF_DEAL, HOST, Hub, newest

_PATTERNS = {
    "MOMENT": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "ID": re.compile(r"\d+"),
    "UUID": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


@dataclass(frozen=True)
class Text:
    """A string of a certain form."""

    form: str


@dataclass(frozen=True)
class Maybe:
    """Null, or this; a list may be empty."""

    shape: Any


MOMENT, ID, UUID = Text("MOMENT"), Text("ID"), Text("UUID")
VALUE = Maybe(str)


def differ(shape: Any, value: Any, where: str = "") -> list[str]:
    """What is wrong with a value, each with its place."""
    if isinstance(shape, Maybe):
        return [] if value is None or value == [] else differ(shape.shape, value, where)
    if isinstance(shape, Text):
        fits = isinstance(value, str) and _PATTERNS[shape.form].fullmatch(value)
        return [] if fits else [f"{where} is no {shape.form}: {value!r}"]
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return [f"{where} is no filled list: {value!r}"]
        return [each for at, one in enumerate(value) for each in differ(shape[0], one, f"{where}[{at}]")]
    if isinstance(shape, dict):
        return differ_keys(shape, value, where)
    if isinstance(shape, type):
        return [] if type(value) is shape else [f"{where} is no {shape.__name__}: {value!r}"]
    return [] if value == shape else [f"{where} is not {shape!r}: {value!r}"]


def differ_keys(shape: dict[str, Any], value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is no object: {value!r}"]
    if "*" in shape:
        return [each for name, one in value.items() for each in differ(shape["*"], one, f"{where}.{name}")]
    known = {name.removesuffix("?"): part for name, part in shape.items()}
    missing = [name for name in shape if not name.endswith("?") and name not in value]
    found = [f"{where}.{name} is missing" for name in missing]
    found += [f"{where}.{name} is not documented" for name in value.keys() - known.keys()]
    return found + [
        each for name in known.keys() & value for each in differ(known[name], value[name], f"{where}.{name}")
    ]


# -- parts

DETAIL = {"message": str, "code?": str, "in?": str, "subCategory?": str, "context?": {"*": [str]}}
_REFUSED = {
    "status": "error", "message": str, "category": str, "subCategory?": str, "errors?": [DETAIL],
    "context?": {"*": [str]}, "links?": {"*": str},
}  # fmt: skip
ERROR = {**_REFUSED, "correlationId": UUID}
OAUTH_ERROR = {"status": str, "message": str, "error": str, "error_description": str, "correlationId": UUID}
PAGING = {"next": {"after": str, "link?": str}}


def page(shape: Any) -> dict[str, Any]:
    return {"results": [shape], "paging?": PAGING}


def batch(shape: Any) -> dict[str, Any]:
    return {
        "status": "COMPLETE", "results": [shape], "startedAt": MOMENT, "completedAt": MOMENT,
        "requestedAt?": MOMENT, "links?": {"*": str}, "numErrors?": int, "errors?": [_REFUSED],
    }  # fmt: skip


VERSION = {
    "value": str, "timestamp": MOMENT, "sourceType": str, "sourceId?": str, "sourceLabel?": str,
    "updatedByUserId?": int,
}  # fmt: skip
LINKED = {"results": [{"id": ID, "type": str}], "paging?": PAGING}
RECORD = {
    "id": ID, "properties": {"*": VALUE}, "createdAt": MOMENT, "updatedAt": MOMENT, "archived": bool,
    "archivedAt?": MOMENT, "url?": str, "objectWriteTraceId?": str,
}  # fmt: skip
WITH_MORE = {**RECORD, "propertiesWithHistory": {"*": [VERSION]}, "associations": {"*": LINKED}}
WITH_HISTORY = {**RECORD, "propertiesWithHistory": {"*": [VERSION]}}
UPSERTED = {**RECORD, "new": bool}
LINK_TYPE = {"category": str, "typeId": int, "label": VALUE}
ASSOCIATED = {"toObjectId": str, "associationTypes": [LINK_TYPE]}
LABELLED = {
    "fromObjectTypeId": str, "fromObjectId": str, "toObjectTypeId": str, "toObjectId": str, "labels": Maybe([str]),
}  # fmt: skip
DEFAULTED = {
    "from": {"id": ID}, "to": {"id": ID}, "associationSpec": {"associationCategory": str, "associationTypeId": int},
}  # fmt: skip
OLD_PAIR = {"from": {"id": ID}, "to": {"id": ID}, "type": str}
OPTION = {"label": str, "value": str, "displayOrder": int, "hidden": bool, "description?": str}
PROPERTY = {
    "name": str, "label": str, "type": str, "fieldType": str, "description": str, "groupName": str,
    "options": Maybe([OPTION]), "createdAt": MOMENT, "updatedAt": MOMENT, "archivedAt?": MOMENT,
    "displayOrder": int, "calculated": bool, "externalOptions": bool, "archived": bool, "hasUniqueValue": bool,
    "hidden": bool, "hubspotDefined": bool, "formField": bool, "dataSensitivity": str, "referencedObjectType?": str,
    "modificationMetadata": {
        "archivable": bool, "readOnlyDefinition": bool, "readOnlyValue": bool, "readOnlyOptions?": bool,
    },
}  # fmt: skip
GROUP = {"name": str, "label": str, "displayOrder": int, "archived": bool}
STAGE = {
    "id": str, "label": str, "displayOrder": int, "metadata": {"isClosed": str, "probability": str},
    "createdAt": MOMENT, "updatedAt": MOMENT, "archived": bool, "archivedAt?": MOMENT, "writePermissions": str,
}  # fmt: skip
PIPELINE = {
    "id": str, "label": str, "displayOrder": int, "createdAt": MOMENT, "updatedAt": MOMENT, "archived": bool,
    "archivedAt?": MOMENT, "stages": [STAGE],
}  # fmt: skip
AUDIT = {
    "portalId": int, "identifier": str, "action": str, "timestamp?": MOMENT, "message?": str,
    "rawObject?": dict, "fromUserId?": int,
}  # fmt: skip
OWNER = {
    "id": ID, "email": str, "type": "PERSON", "firstName": str, "lastName": str, "userId": int,
    "userIdIncludingInactive": int, "createdAt": MOMENT, "updatedAt": MOMENT, "archived": bool,
    "teams?": [{"id": str, "name": str, "primary": bool}],
}  # fmt: skip
ACCOUNT = {
    "portalId": int, "accountType": str, "timeZone": str, "companyCurrency": str,
    "additionalCurrencies": Maybe([str]), "utcOffset": str, "utcOffsetMilliseconds": int, "uiDomain": str,
    "dataHostingLocation": str,
}  # fmt: skip
USAGE = {
    "name": str, "usageLimit": int, "currentUsage": int, "collectedAt": MOMENT, "fetchStatus": str,
    "resetsAt": MOMENT,
}  # fmt: skip
TOKENS = {"token_type": "bearer", "refresh_token": str, "access_token": str, "expires_in": 1_800}
NEW_TOKENS = {**TOKENS, "hub_id": int, "scopes": [str], "user_id": int, "token_use": "access_token"}
_OWNED = {
    "token": str,
    "user": str,
    "user_id": int,
    "hub_domain": str,
    "hub_id": int,
    "scopes": [str],
    "token_type": str,
}
SIGNED = {
    "expiresAt": int, "scopes": str, "hubId": int, "userId": int, "appId": int, "signature": str,
    "newSignature": str, "scopeToScopeGroupPks": str, "hublet": str, "trialScopes": str,
    "trialScopeToScopeGroupPks": str, "isUserLevel": bool, "isPrivateDistribution": bool, "isServiceAccount": bool,
    "installingUserId": int, "appInstallId?": str, "audience?": str,
}  # fmt: skip
ACCESS = {
    **_OWNED, "app_id": int, "expires_in": int, "is_private_distribution": bool, "signed_access_token": SIGNED,
}  # fmt: skip
_ACTIVE = {"active": True, "client_id": str, "app_id": int, "token_use": "access_token"}

IMPORT = {
    "id": ID, "state": str, "createdAt": MOMENT, "updatedAt": MOMENT, "importName?": str, "importSource?": "API",
    "importRequestJson?": dict, "mappedObjectTypeIds": [str], "optOutImport": False,
    "metadata": {"counters": {"*": int}, "fileIds": [ID], "objectLists": Maybe([dict])},
}  # fmt: skip
IMPORT_ERROR = {
    "id": ID, "createdAt": int, "errorType": str, "errorMessage?": str, "objectType?": str, "objectTypeId?": str,
    "knownColumnNumber?": int, "invalidValue?": str, "invalidValueToDisplay?": str, "extraContext?": str,
    "sourceData": {
        "fileId": int, "pageName?": str, "lineNumber": int, "rowData": [str], "containsEncryptedProperties": False,
    },
}  # fmt: skip
EXPORT = {
    "id": ID, "exportName": str, "exportType": "VIEW", "objectType": str, "objectProperties": [str],
    "createdAt": MOMENT, "updatedAt": MOMENT, "exportState": str, "recordCount": int,
}  # fmt: skip
CSV = "a file"


# -- calls


@dataclass(frozen=True)
class Case:
    """A call that goes well, and how the same call is refused: with another body, query, or part of its path."""

    status: int
    shape: Any
    body: Any = None
    query: str = ""
    refused: int = 400
    wrong: Any = None
    args: dict[str, str] | None = None
    error: Any = None


LOST = {"id": "1"}
_TYPES = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}]
_PAIR = {"from": {"id": "OTHER"}, "to": {"id": "COMPANY"}}
_NEW = {"properties": {"dealname": "D", "dealstage": "closedwon", "pipeline": "default"}}
_CHANGE = {"id": "DEAL", "properties": {"amount": "7"}, "objectWriteTraceId": "t"}
_STAGE = {"label": "S", "displayOrder": 9, "metadata": {"probability": "0.5"}}
_PROPERTY = {
    "name": "note", "label": "Note", "groupName": "dealinformation", "type": "enumeration", "fieldType": "select",
    "options": [{"label": "A", "value": "a", "displayOrder": 1, "hidden": False}],
}  # fmt: skip
_NO_TYPE = {"type": "unicorns"}
_OBJECTS = "/crm/objects/2026-09/{type}"
_LINKS = "/crm/associations/2026-09/{from}/{to}"
_BESIDE = "/crm/objects/2026-09/{from}/{id}/associations"
_OLD_LINKS = "/crm/v3/associations/{from}/{to}"
_OLD_BESIDE = "/crm/v3/objects/{from}/{id}/associations/{to}"
_PROPERTIES = "/crm/properties/2026-09/{type}"
_PIPELINES = "/crm/pipelines/2026-09/{type}"
_STAGES = _PIPELINES + "/{id}/stages"
_SIGN_IN = {"client_id": "CLIENT", "client_secret": "SECRET"}
_REFRESH = {**_SIGN_IN, "grant_type": "refresh_token", "refresh_token": "REFRESH"}

_FORM = {
    "importRequest": orjson.dumps({
        "name": "I", "files": [{"fileName": "i.csv", "fileFormat": "CSV", "fileImportPage": {"columnMappings": [
            {"columnName": "Email", "propertyName": "email", "columnObjectTypeId": "0-1"},
        ]}}],
    }).decode(),
    "files": "Email\nnone\n",
}  # fmt: skip
_EXPORT = "/crm/exports/2026-09/export/async"
_VIEW = {
    "exportType": "VIEW", "exportName": "E", "format": "CSV", "objectType": "0-3", "objectProperties": ["dealname"],
}  # fmt: skip

CASES: dict[tuple[str, str], Case] = {
    # records
    ("GET", _OBJECTS): Case(
        200, page(WITH_MORE), query="?limit=1&propertiesWithHistory=dealname&associations=companies",
        wrong="?limit=101",
    ),
    ("POST", _OBJECTS): Case(201, RECORD, _NEW, wrong={"properties": {"dealname": "D", "x": "y"}}),
    ("POST", _OBJECTS + "/search"): Case(
        200, {"total": int, **page(RECORD)}, {"limit": 1}, wrong={"sorts": ["x", "y"]}
    ),
    ("POST", _OBJECTS + "/merge"): Case(
        200, RECORD, {"primaryObjectId": "DEAL", "objectIdToMerge": "OTHER"}, refused=404,
        wrong={"primaryObjectId": "DEAL", "objectIdToMerge": "1"},
    ),
    ("POST", _OBJECTS + "/gdpr-delete"): Case(
        204, None, {"objectId": "CONTACT"}, args={"type": "contacts"}, refused=404, wrong={"objectId": "1"}
    ),
    ("GET", _OBJECTS + "/{id}"): Case(
        200, WITH_MORE, query="?propertiesWithHistory=dealname&associations=companies", refused=404, wrong=LOST
    ),
    ("PATCH", _OBJECTS + "/{id}"): Case(
        200, RECORD, {"properties": {"amount": "7"}}, wrong={"properties": {"amount": "much"}}
    ),
    ("DELETE", _OBJECTS + "/{id}"): Case(204, None, wrong=_NO_TYPE),
    ("POST", _OBJECTS + "/batch/create"): Case(201, batch(RECORD), {"inputs": [_NEW]}, wrong={"inputs": []}),
    ("POST", _OBJECTS + "/batch/read"): Case(
        207, batch(WITH_HISTORY), {"inputs": [{"id": "DEAL"}, {"id": "1"}], "propertiesWithHistory": ["dealname"]},
        wrong={"inputs": [{"id": "DEAL"}, {"id": "DEAL"}]},
    ),
    ("POST", _OBJECTS + "/batch/update"): Case(
        207, batch(RECORD), {"inputs": [_CHANGE, {**_CHANGE, "id": "1", "objectWriteTraceId": "u"}]},
        wrong={"inputs": [{"id": "DEAL", "properties": {"amount": "much"}}]},
    ),
    ("POST", _OBJECTS + "/batch/upsert"): Case(
        200, batch(UPSERTED), {"inputs": [_CHANGE]}, wrong={"inputs": [{**_CHANGE, "idProperty": "dealname"}]}
    ),
    ("POST", _OBJECTS + "/batch/archive"): Case(204, None, {"inputs": [{"id": "DEAL"}]}, wrong={"inputs": 7}),
    # associations
    ("GET", _BESIDE + "/{to}"): Case(200, page(ASSOCIATED), refused=404, wrong=LOST),
    ("PUT", _BESIDE + "/{to}/{other}"): Case(201, LABELLED, _TYPES, wrong=[{"associationTypeId": 1}]),
    ("DELETE", _BESIDE + "/{to}/{other}"): Case(204, None, wrong={"to": "unicorns"}),
    ("PUT", _BESIDE + "/default/{to}/{other}"): Case(200, batch(DEFAULTED), refused=404, wrong=LOST),
    ("POST", _LINKS + "/batch/create"): Case(
        201, batch(LABELLED), {"inputs": [{**_PAIR, "types": _TYPES}]}, wrong={"inputs": [{"from": 1}]}
    ),
    ("POST", _LINKS + "/batch/associate/default"): Case(
        200, batch(DEFAULTED), {"inputs": [_PAIR]}, wrong={"inputs": [{}]}
    ),
    ("POST", _LINKS + "/batch/read"): Case(
        207, batch({"from": {"id": ID}, "to": [ASSOCIATED], "paging?": PAGING}),
        {"inputs": [{"id": "DEAL"}, {"id": "1"}]}, wrong={"inputs": ["x"]},
    ),
    ("POST", _LINKS + "/batch/archive"): Case(
        204, None, {"inputs": [{"from": {"id": "DEAL"}, "to": [{"id": "COMPANY"}]}]}, wrong={"inputs": [_PAIR]}
    ),
    ("POST", _LINKS + "/batch/labels/archive"): Case(
        204, None, {"inputs": [{**_PAIR, "types": _TYPES}]}, wrong={"inputs": [{**_PAIR, "types": 7}]}
    ),
    ("GET", _LINKS + "/labels"): Case(200, {"results": [LINK_TYPE]}, wrong={"to": "unicorns"}),
    ("POST", _LINKS + "/labels"): Case(
        200, {"results": [LINK_TYPE]}, {"label": "Z", "name": "z", "inverseLabel": "Y"}, wrong={"label": "Z"}
    ),
    ("PUT", _LINKS + "/labels"): Case(
        204, None, {"associationTypeId": 101, "label": "M"}, refused=404,
        wrong={"associationTypeId": 5, "label": "M"},
    ),
    ("DELETE", _LINKS + "/labels/{id}"): Case(204, None, args={"id": "101"}, refused=404, wrong={"id": "5"}),
    ("GET", _OLD_BESIDE): Case(200, LINKED, refused=404, wrong=LOST),
    ("PUT", _OLD_BESIDE + "/{other}/{label}"): Case(
        200, {**RECORD, "associations": {"*": LINKED}}, wrong={"label": "x"}
    ),
    ("DELETE", _OLD_BESIDE + "/{other}/{label}"): Case(204, None, wrong={"label": "x"}),
    ("POST", _OLD_LINKS + "/batch/create"): Case(
        201, batch(OLD_PAIR), {"inputs": [{**_PAIR, "type": "5"}]}, wrong={"inputs": [_PAIR]}
    ),
    ("POST", _OLD_LINKS + "/batch/archive"): Case(
        204, None, {"inputs": [{**_PAIR, "type": "5"}]}, wrong={"inputs": [{**_PAIR, "type": "x"}]}
    ),
    ("POST", _OLD_LINKS + "/batch/read"): Case(
        207, batch({"from": {"id": ID}, "to": LINKED["results"], "paging?": PAGING}),
        {"inputs": [{"id": "DEAL"}, {"id": "1"}]}, wrong={"inputs": [{}]},
    ),
    ("GET", _OLD_LINKS + "/types"): Case(200, {"results": [{"id": ID, "name": str}]}, wrong={"to": "unicorns"}),
    # properties
    ("GET", _PROPERTIES): Case(200, {"results": [PROPERTY]}, wrong=_NO_TYPE),
    ("POST", _PROPERTIES): Case(201, PROPERTY, _PROPERTY, refused=409, wrong={**_PROPERTY, "name": "kept"}),
    ("GET", _PROPERTIES + "/groups"): Case(200, {"results": [GROUP]}, wrong=_NO_TYPE),
    ("POST", _PROPERTIES + "/groups"): Case(201, GROUP, {"name": "g", "label": "G"}, wrong={"name": "g"}),
    ("GET", _PROPERTIES + "/groups/{id}"): Case(200, GROUP, refused=404, wrong={"id": "x"}),
    ("PATCH", _PROPERTIES + "/groups/{id}"): Case(200, GROUP, {"label": "G"}, wrong={"label": 7}),
    ("DELETE", _PROPERTIES + "/groups/{id}"): Case(204, None, refused=404, wrong={"id": "x"}),
    ("GET", _PROPERTIES + "/{id}"): Case(200, PROPERTY, refused=404, wrong={"id": "x"}),
    ("PATCH", _PROPERTIES + "/{id}"): Case(200, PROPERTY, {"label": "K"}, wrong={"label": 7}),
    ("DELETE", _PROPERTIES + "/{id}"): Case(204, None, wrong={"id": "dealname"}),
    ("POST", _PROPERTIES + "/batch/create"): Case(
        207, batch(PROPERTY), {"inputs": [_PROPERTY, {**_PROPERTY, "name": "kept"}]}, wrong={"inputs": []}
    ),
    ("POST", _PROPERTIES + "/batch/read"): Case(
        207, batch(PROPERTY), {"archived": False, "inputs": [{"name": "kept"}, {"name": "x"}]}, wrong={}
    ),
    ("POST", _PROPERTIES + "/batch/archive"): Case(
        204, None, {"inputs": [{"name": "kept"}]}, wrong={"inputs": [{"name": "dealname"}]}
    ),
    # pipelines
    ("GET", _PIPELINES): Case(200, {"results": [PIPELINE]}, wrong={"type": "contacts"}),
    ("POST", _PIPELINES): Case(
        201, PIPELINE, {"label": "Q", "displayOrder": 1, "stages": [_STAGE]},
        wrong={"label": "Q", "displayOrder": 1},
    ),
    ("GET", _PIPELINES + "/{id}"): Case(200, PIPELINE, refused=404, wrong={"id": "x"}),
    ("PUT", _PIPELINES + "/{id}"): Case(
        200, PIPELINE, {"label": "Q", "displayOrder": 1, "stages": [_STAGE]}, wrong={"label": "Q"}
    ),
    ("PATCH", _PIPELINES + "/{id}"): Case(200, PIPELINE, {"label": "Q"}, wrong={"label": 7}),
    ("DELETE", _PIPELINES + "/{id}"): Case(204, None, refused=404, wrong={"id": "x"}),
    ("GET", _STAGES): Case(200, {"results": [STAGE]}, refused=404, wrong={"id": "x"}),
    ("POST", _STAGES): Case(201, STAGE, _STAGE, wrong={**_STAGE, "metadata": {}}),
    ("GET", _STAGES + "/{stage}"): Case(200, STAGE, refused=404, wrong={"stage": "x"}),
    ("PUT", _STAGES + "/{stage}"): Case(200, STAGE, _STAGE, wrong={"label": "S"}),
    ("PATCH", _STAGES + "/{stage}"): Case(200, STAGE, {"label": "S"}, wrong={"label": 7}),
    ("DELETE", _STAGES + "/{stage}"): Case(204, None, refused=404, wrong={"stage": "x"}),
    ("GET", _PIPELINES + "/{id}/audit"): Case(200, {"results": [AUDIT]}, refused=404, wrong={"id": "x"}),
    ("GET", _STAGES + "/{stage}/audit"): Case(200, {"results": [AUDIT]}, refused=404, wrong={"stage": "x"}),
    # files of many records
    ("POST", "/crm/imports/2026-09"): Case(200, IMPORT, _FORM, wrong={"importRequest": "{}"}),
    ("GET", "/crm/imports/2026-09"): Case(200, page(IMPORT), wrong="?limit=0"),
    ("GET", "/crm/imports/2026-09/{id}"): Case(200, IMPORT, args={"id": "IMPORT"}, refused=404, wrong=LOST),
    ("GET", "/crm/imports/2026-09/{id}/errors"): Case(
        200, page(IMPORT_ERROR), args={"id": "FAILED"}, refused=404, wrong=LOST
    ),
    ("POST", "/crm/imports/2026-09/{id}/cancel"): Case(
        200, {"status": str, "startedAt": MOMENT, "completedAt": MOMENT, "requestedAt?": MOMENT},
        args={"id": "IMPORT"}, wrong={"id": "FAILED"},
    ),
    ("POST", _EXPORT): Case(202, {"id": ID, "links?": {"*": str}}, _VIEW, wrong={**_VIEW, "format": "PDF"}),
    ("GET", _EXPORT + "/tasks/{id}/status"): Case(
        200,
        {"status": "COMPLETE", "result": str, "requestedAt?": MOMENT, "startedAt": MOMENT, "completedAt": MOMENT},
        args={"id": "EXPORT"}, refused=404, wrong=LOST,
    ),
    ("GET", "/crm/exports/2026-09/export/{id}"): Case(
        200, EXPORT, args={"id": "EXPORT"}, refused=404, wrong=LOST
    ),
    ("GET", "/crm/v3/exports/files/{token}/{name}"): Case(
        200, CSV, args={"token": "FILE", "name": "export.csv"}, refused=404, wrong={"token": "x"}
    ),
    # owners, account, object types
    ("GET", "/crm/owners/2026-09"): Case(200, page(OWNER), wrong="?limit=501"),
    ("GET", "/crm/owners/2026-09/{id}"): Case(200, OWNER, args={"id": "OWNER"}, refused=404, wrong={"id": "1"}),
    ("GET", "/account-info/2026-09/details"): Case(200, ACCOUNT, refused=401),
    ("GET", "/account-info/2026-09/api-usage/daily/private-apps"): Case(200, {"results": [USAGE]}, refused=401),
    ("GET", "/crm/schemas/2026-09"): Case(200, {"results": Maybe([dict])}, refused=401),
    # OAuth
    ("POST", "/oauth/v1/token"): Case(
        200, TOKENS, _REFRESH, wrong={**_REFRESH, "refresh_token": "x"}, error=OAUTH_ERROR
    ),
    ("POST", "/oauth/2026-09/token"): Case(
        200, NEW_TOKENS, _REFRESH, wrong={**_REFRESH, "grant_type": "x"}, error=OAUTH_ERROR
    ),
    ("POST", "/oauth/2026-09/token/introspect"): Case(
        200, {**ACCESS, **_ACTIVE}, {**_SIGN_IN, "token": "ACCESS"}, wrong={"token": "ACCESS"}, error=OAUTH_ERROR
    ),
    ("POST", "/oauth/2026-09/token/revoke"): Case(
        200, None, {**_SIGN_IN, "token": "ACCESS"}, wrong={"token": "ACCESS"}, error=OAUTH_ERROR
    ),
    ("GET", "/oauth/v1/access-tokens/{id}"): Case(
        200, ACCESS, args={"id": "ACCESS"}, refused=404, wrong={"id": "x"}
    ),
    ("GET", "/oauth/v1/refresh-tokens/{id}"): Case(
        200, {**_OWNED, "client_id": str}, args={"id": "REFRESH"}, refused=404, wrong={"id": "x"}
    ),
    ("DELETE", "/oauth/v1/refresh-tokens/{id}"): Case(
        204, None, args={"id": "REFRESH"}, refused=404, wrong={"id": "x"}
    ),
    ("POST", "/oauth/v2/private-apps/get/access-token-info"): Case(
        200, {"userId": int, "hubId": int, "appId": int, "scopes": [str]}, {"tokenKey": "TOKEN"}, refused=404,
        wrong={"tokenKey": "x"},
    ),
}  # fmt: skip


@pytest.fixture
def things(hub: Hub) -> dict[str, str]:
    """What exists, under the names that bodies and addresses have for it."""
    company, contact = hub.create("companies", {"name": "C"}), hub.create("contacts", {"email": "a@example.com"})
    deals = [
        hub.create("deals", {"dealname": name, "dealstage": "closedwon"}, (company, COMPANY_OF_DEAL))
        for name in "DE"
    ]
    hub.call("POST", "/crm/v3/properties/deals/groups", {"name": "kept", "label": "Kept"}, 201)
    hub.call("POST", "/crm/v3/properties/deals", {**_PROPERTY, "name": "kept"}, 201)
    hub.call("POST", "/crm/v4/associations/deals/companies/labels", {"label": "L", "name": "l"})
    stages = [{**_STAGE, "label": label, "stageId": label.lower()} for label in "RT"]
    body = {"label": "P", "displayOrder": 1, "pipelineId": "p", "stages": stages}
    hub.call("POST", "/crm/v3/pipelines/deals", body, 201)
    imported = [send(hub, "POST", "/crm/v3/imports", _FORM)[1]["id"]]
    export = hub.call("POST", _EXPORT, _VIEW, 202)["id"]
    hub.advance(2)
    imported.append(send(hub, "POST", "/crm/v3/imports", _FORM)[1]["id"])
    file = hub.call("GET", f"{_EXPORT}/tasks/{export}/status")["result"]
    sandbox = hub.sandbox
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    refresh = {"grant_type": "refresh_token", "refresh_token": sandbox.refresh_token}
    return {
        "COMPANY": company, "CONTACT": contact, "DEAL": deals[0], "OTHER": deals[1], "TOKEN": hub.token,
        "CLIENT": sandbox.client_id, "SECRET": sandbox.client_secret, "REFRESH": sandbox.refresh_token,
        "ACCESS": hub.form("/oauth/v1/token", **client, **refresh)["access_token"],
        "FAILED": imported[0], "IMPORT": imported[1], "EXPORT": export, "FILE": file.split("/")[-2],
        "OWNER": hub.call("GET", "/crm/v3/owners")["results"][0]["id"],
    }  # fmt: skip


def named(value: Any, things: dict[str, str]) -> Any:
    """The value with the names of things replaced by their ids."""
    if isinstance(value, dict):
        return {name: named(part, things) for name, part in value.items()}
    if isinstance(value, list):
        return [named(part, things) for part in value]
    return things.get(value, value) if isinstance(value, str) else value


def address(path: str, args: dict[str, str], things: dict[str, str]) -> str:
    usual = {"properties": "kept", "pipelines": "p"}
    known = next((thing for area, thing in usual.items() if f"/{area}/" in path), "DEAL")
    values = {"type": "deals", "from": "deals", "to": "companies", "other": "COMPANY", "stage": "r", "label": "341"}
    return path.format(**named({**values, "id": known, **args}, things))


def send(hub: Hub, method: str, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
    """A call whose body is sent as its address expects it: as JSON, a form, or a form of several parts."""
    if path.startswith("/oauth/") and "private-apps" not in path:
        headers, data = {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(body or {}).encode()
    elif isinstance(body, dict) and "importRequest" in body:
        parts = [f'name="importRequest"\r\n\r\n{body["importRequest"]}']
        parts += [f'name="files"; filename="i.csv"\r\n\r\n{body["files"]}'] if "files" in body else []
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        data = "".join(
            [*(f"--b\r\nContent-Disposition: form-data; {one}\r\n" for one in parts), "--b--\r\n"]
        ).encode()
    else:
        headers, data = {}, b"" if body is None else orjson.dumps(body)
    answer = hub.sandbox(
        Request.make(method, HOST + path, {"Authorization": f"Bearer {hub.token}", **headers}, data)
    )
    found = orjson.loads(answer.body) if answer.body and "json" in answer.headers["Content-Type"] else None
    return answer.status, found if found is not None or not answer.body else CSV, answer.headers


def test_every_route_has_a_shape():
    """The table has all calls and no other; those of webhooks are in `test_webhooks.py`."""
    calls = {(route.method, newest(route)) for route in ROUTES if not route.path.startswith("webhooks/")}
    assert CASES.keys() == calls


@pytest.mark.parametrize(("method", "path"), CASES, ids=lambda part: part)
def test_an_answer_has_its_shape(hub, things, method, path):
    """Every key that HubSpot documents as always there is there, and none that it does not document."""
    case = CASES[method, path]
    target = address(path, case.args or {}, things) + case.query
    status, found, headers = send(hub, method, target, named(case.body, things))
    assert status == case.status, found
    if case.shape is None:
        assert found is None
    else:
        assert differ(case.shape, found) == []
        kind = "text/csv" if case.shape == CSV else "application/json;charset=UTF-8"
        assert headers["Content-Type"] == kind


@pytest.mark.parametrize(("method", "path"), CASES, ids=lambda part: part)
def test_a_refusal_has_its_shape(hub, things, method, path):
    """Whatever is wrong, the answer has HubSpot's shape of an error, and a correlation id."""
    case = CASES[method, path]
    args, body, query = dict(case.args or {}), case.body, case.query
    if case.refused == 401:
        hub.token = "nobody's"
    elif isinstance(case.wrong, str):
        query = case.wrong
    elif isinstance(case.wrong, dict) and all(f"{{{name}}}" in path for name in case.wrong) and case.wrong:
        args |= case.wrong
    else:
        body = case.wrong
    target = address(path, args, things) + query
    status, found, headers = send(hub, method, target, named(body, things))
    assert status == case.refused, found
    assert differ(case.error or ERROR, found) == []
    assert found["correlationId"] == headers["X-HubSpot-Correlation-Id"]


@pytest.mark.parametrize(("shape", "value"), [
    ({"a": str}, {}), ({"a": str}, {"a": None}), ({"a?": int}, {"a": True}), ({"a": str}, {"a": "x", "b": 1}),
    ([str], []), ([str], ["x", 1]), (MOMENT, "2026-11-02"), (ID, 7), ("COMPLETE", "PENDING"),
    ({"*": str}, {"x": 1}), (Maybe(str), 7), ({"a": str}, []),
])  # fmt: skip
def test_a_wrong_shape_is_noticed(shape, value):
    """So that the tests above prove something."""
    assert differ(shape, value)
