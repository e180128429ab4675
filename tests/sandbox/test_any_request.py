"""Whatever is sent to a sandbox, at any of its addresses, is answered; only a fault on order may raise.

A request here is one that its address takes, of which something is bent: the method, parts of the path, the query,
headers, and any number of places in the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox.hubspot.conftest import newest
from sandbox.hubspot.test_robustness import CALLS, named
from sandbox.hubspot.test_robustness import fill as fill_path
from sandbox.salesforce.test_shapes import ASKS, fill

from connector.sandbox.admin import Methods
from connector.sandbox.clock import Clock
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.hubspot import administration as hubspot_acts
from connector.sandbox.hubspot.access.credentials import OAUTH_APP_ID
from connector.sandbox.hubspot.api.routes import LEGACY_ROUTES, ROUTES
from connector.sandbox.hubspot.portal import PORTAL_ID
from connector.sandbox.hubspot.webhooks.journal import SCOPES
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.salesforce import administration as salesforce_acts
from connector.sandbox.salesforce.api import routes
from connector.sandbox.salesforce.bulk import classic
from connector.sandbox.salesforce.sign_in.oauth import JWT_BEARER
from connector.sandbox.wire import Request, Response

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DIGITS = "9" * 5_000  # more than Python reads as a number
LONG = 10**400

ODD_VALUES = st.one_of(
    st.sampled_from(
        (
            None,
            True,
            -1,
            0,
            3,
            2.5,
            10**18,
            -(10**18),
            1e308,
            LONG,
            "",
            " ",
            "é",
            "\x00",
            DIGITS,
            "\ud800",
            [],
            {},
            [[]],
        )
    ),
    st.text(max_size=3),
    st.lists(st.sampled_from((None, "x", 1, [], {})), max_size=2),
    st.dictionaries(st.sampled_from(("x", "records", "attributes", "filters", "id")), st.none(), max_size=2),
)
ODD_TEXTS = st.one_of(
    st.sampled_from(
        ("", "x", "-1", "0", "1e3", "nan", "null", "true", "٣", "²", DIGITS, "é", "\x00", "a b", "../x", "{}", "%",
         "'", "1-1", "0-1", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-03-10",
         "@{a.b[0]}", "\r\nA: b")
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=4),
)  # fmt: skip
BROKEN = (
    b"", b" ", b"{", b"null", b"\xff\xfe", b"[" * 2_000, b"\x1f\x8b", b"a=%ff&b", b"<a>", b"x" * 4_000,
    b'<?xml version="1.0" encoding="x"?><a/>',
)  # fmt: skip
ODD_BODIES = st.sampled_from(BROKEN)
MULTIPART = "multipart/form-data; boundary=B"
GRANTS = ("client_credentials", "password", JWT_BEARER, "authorization_code", "refresh_token")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "x")


@dataclass(frozen=True)
class Ask:
    """A request that an address takes. `body` is JSON, bytes, or a form as a dictionary of texts with `form` set.

    `headers` are sent beside those that all requests have.
    """

    method: str
    path: str
    body: Any = None
    form: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def multipart(parts: dict[str, Any]) -> bytes:
    """A form of files, whose header is `MULTIPART`."""
    lines = []
    for name, value in parts.items():
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        file = "; filename=a.csv" if name in {"files", "content"} else ""
        lines.append(f'--B\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{text}\r\n')
    return "".join([*lines, "--B--\r\n"]).encode()


@st.composite
def bend(draw, value, rarity):
    """JSON like `value`, with something odd at one place in `rarity`, or without what is there."""
    if draw(st.integers(1, rarity)) == rarity:
        return draw(ODD_VALUES)
    if isinstance(value, dict):
        return {
            name: draw(bend(part, rarity)) for name, part in value.items() if draw(st.integers(1, rarity)) < rarity
        }
    if isinstance(value, list):
        return [draw(bend(part, rarity)) for part in value] * draw(st.sampled_from((1, 1, 1, 1, 1, 2)))
    return value


@st.composite
def requests(draw, asks, headers, names):
    """A request near one of those that the addresses take, with headers and parameters of these names."""
    ask = draw(st.sampled_from(asks))
    rarity = draw(st.sampled_from((4, 20, 100)))

    def rarely(odd: st.SearchStrategy[Any], value: Any) -> Any:
        return draw(odd) if draw(st.integers(1, rarity)) == rarity else value

    path, _, query = ask.path.partition("?")
    parts = path.split("/")
    if draw(st.integers(1, rarity)) == rarity:  # most paths have to be right for the rest to be looked at
        parts[draw(st.integers(1, len(parts) - 1))] = draw(ODD_TEXTS)
    url = "/".join(quote(part, safe="") for part in parts) + rarely(st.just("/"), "")
    pairs = [(name, rarely(ODD_TEXTS, value)) for name, value in parse_qsl(query)]
    pairs += draw(st.lists(st.tuples(st.sampled_from(names), ODD_TEXTS), max_size=1))
    known = {**headers, **ask.headers}
    sent = {
        name: rarely(ODD_TEXTS, known[name]) for name in draw(st.sets(st.sampled_from(sorted(known)), max_size=2))
    }
    sent = {**ask.headers, **sent}
    if isinstance(ask.body, bytes):
        body = rarely(st.sampled_from((ask.body[:-9], ask.body[9:], ask.body[:90])), ask.body)
    elif ask.form:
        body = urlencode({name: rarely(ODD_TEXTS, value) for name, value in ask.body.items()}).encode()
    else:
        body = b"" if ask.body is None else json.dumps(draw(bend(ask.body, rarity))).encode()
    method = rarely(st.sampled_from(METHODS), ask.method)
    return method, f"/{url.lstrip('/')}" + (f"?{urlencode(pairs)}" if pairs else ""), sent, rarely(ODD_BODIES, body)


def answer(
    sandbox: Callable[[Request], Response], host: str, sent: tuple[str, str, dict[str, str], bytes]
) -> Response:
    """What a sandbox answers; it can be sent as it is, and is JSON where it says so."""
    method, url, headers, body = sent
    response = sandbox(Request.make(method, host + url, headers, body))
    assert 200 <= response.status < 500 or "/Soap/" in url  # whose faults have a 500
    for name, value in response.headers.items():
        assert re.fullmatch(r"[\w-]+: [\x20-\x7e]*", f"{name}: {value}")
    if response.body and "json" in response.headers["Content-Type"]:
        orjson.loads(response.body)
    return response


def list_acts(methods: Methods) -> list[tuple[str, str]]:
    """Method and address of each act of an administrator."""
    return [(method, f"/_sandbox/{act}") for act, taken in methods.items() for method in taken]


# -- HubSpot

HUBAPI = "https://api.hubapi.com"
IMPORT = {
    "name": "I",
    "importOperations": {"0-1": "UPSERT"},
    "dateFormat": "YEAR_MONTH_DAY",
    "files": [
        {
            "fileName": "a.csv",
            "fileFormat": "CSV",
            "fileImportPage": {
                "hasHeader": True,
                "columnMappings": [
                    {
                        "columnObjectTypeId": "0-1",
                        "columnName": "Email",
                        "propertyName": "email",
                        "columnType": "HUBSPOT_ALTERNATE_ID",
                    }
                ],
            },
        }
    ],
}
SUBSCRIPTION = {"eventType": "contact.propertyChange", "propertyName": "email", "active": True}
INTEREST = {
    "subscriptionType": "OBJECT", "objectTypeId": "0-1", "portalId": PORTAL_ID, "actions": ["CREATE"],
    "properties": ["email"],
}  # fmt: skip
HUBSPOT_BODIES: dict[str, Any] = {
    "POST /webhooks/2026-09/{app}/subscriptions": SUBSCRIPTION,
    "PATCH /webhooks/2026-09/{app}/subscriptions/{id}": {"active": False},
    "POST /webhooks/2026-09/{app}/subscriptions/batch/update": {"inputs": [{"id": 1, "active": False}]},
    "PUT /webhooks/2026-09/{app}/settings": {
        "targetUrl": "http://127.0.0.1:9/",
        "throttling": {"maxConcurrentRequests": 10, "period": "SECONDLY"},
    },
    "POST /webhooks-journal/subscriptions/{version}": INTEREST,
    "POST /webhooks-journal/{journal}/{version}/batch/read": {"inputs": ["x"]},
    "POST /crm/imports/2026-09": multipart({"importRequest": IMPORT, "files": "Email\na@example.com\n"}),
    "POST /oauth/v2/private-apps/get/access-token-info": {"tokenKey": HubSpotSandbox(seed=7).access_token},
    "POST /_sandbox/clock": {"set": "2026-03-10T12:00:00Z", "advance": 5, "frozen": True},
    "POST /_sandbox/faults": {"kind": "status", "status": 503, "rate": 0.1, "nth": 9, "times": 1, "path": "x"},
    "POST /_sandbox/snapshots": {"name": "s"},
    "POST /_sandbox/restore": {"name": "s"},
    "POST /_sandbox/owners": [{"email": "o@example.com", "firstName": "O", "archived": False, "teams": []}],
    "PUT /_sandbox/owners": [{"email": "o@example.com"}],
    "POST /_sandbox/people": {"email": "p@example.com"},
    "POST /_sandbox/app": {"redirect_uri": "https://example.com"},
    "PUT /_sandbox/scopes": ["crm.import"],
    "PUT /_sandbox/settings": HubSpotSandbox().settings.view(),
    "POST /_sandbox/restore_records": {"objectType": "deals", "ids": ["GONE"]},
    "PUT /_sandbox/webhooks/hosts": {"example.com": "http://127.0.0.1:9"},
}


def open_portal() -> tuple[HubSpotSandbox, dict[str, str]]:
    """A portal with a few of everything, and their ids."""
    sandbox = HubSpotSandbox(Clock(frozen_at=NOW), seed=7)

    def make(path: str, body: Any, kind: str = "application/json", method: str = "POST") -> Any:
        headers = {"Authorization": f"Bearer {sandbox.access_token}", "Content-Type": kind}
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        answered = sandbox(Request.make(method, HUBAPI + path, headers, content))
        return orjson.loads(answered.body).get("id") if answered.body else None

    def create(kind: str, **properties: str) -> str:
        return make(f"/crm/v3/objects/{kind}", {"properties": properties})

    ids = {"COMPANY": create("companies", name="C"), "CONTACT": create("contacts", email="c@example.com")}
    for name in ("DEAL", "OTHER", "GONE"):
        ids[name] = create("deals", dealname="D", dealstage="closedwon")
    make(f"/crm/v3/objects/deals/{ids['GONE']}", None, method="DELETE")
    make("/crm/v3/properties/deals/groups", {"name": "kept", "label": "K"})
    make("/crm/v3/properties/deals", {**CALLS["POST", "/crm/properties/2026-09/{type}"], "name": "kept"})
    make("/crm/v4/associations/deals/companies/labels", {"label": "L", "name": "first"})
    ids["IMPORT"] = make("/crm/v3/imports", HUBSPOT_BODIES["POST /crm/imports/2026-09"], MULTIPART)
    ids["EXPORT"] = make("/crm/v3/exports/export/async", CALLS["POST", "/crm/exports/2026-09/export/async"])
    ids["HOOK"] = make(f"/webhooks/v3/{OAUTH_APP_ID}/subscriptions", SUBSCRIPTION)
    ids["OWNER"] = sandbox.add_owners([{"email": "o@example.com"}])[0]["id"]
    ids["JOURNAL"] = sandbox.webhooks.journal.grant(" ".join(SCOPES))["access_token"]
    ids["INTEREST"] = str(sandbox.webhooks.journal.subscribe(INTEREST).id)
    sandbox.snapshots.save("s")
    return sandbox, ids


IDS_IN = {
    "/imports/": "IMPORT", "/exports/": "EXPORT", "/owners/": "OWNER", "webhooks-journal": "INTEREST",
    "/webhooks/": "HOOK", "/companies/v2": "COMPANY", "/labels": "101",
}  # fmt: skip
PARTS = {
    "app": str(OAUTH_APP_ID), "journal": "journal", "version": "2026-03", "offset": "x", "count": "2", "token": "x",
    "name": "x.csv", "portal": "1",
}  # fmt: skip


def ask_hubspot() -> list[Ask]:
    """A right request for every address of HubSpot's sandbox."""
    sandbox, ids = open_portal()
    addresses = [(route.method, newest(route)) for route in ROUTES]
    addresses += [(route.method, f"/{route.path}") for route in LEGACY_ROUTES]
    addresses += list_acts(hubspot_acts.METHODS)
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    form = {**client, "grant_type": "refresh_token", "refresh_token": sandbox.refresh_token, "token": "t"}
    asks = []
    for method, path in dict.fromkeys(addresses):
        body = CALLS.get((method, path), HUBSPOT_BODIES.get(f"{method} {path}"))
        if path.startswith("/oauth") and method == "POST" and body is None:
            body = form
        known = next((name for part, name in IDS_IN.items() if part in path), None)
        filled = path if known is None else path.replace("{id}", ids.get(known, known))
        for name, value in PARTS.items():
            filled = filled.replace(f"{{{name}}}", value)
        headers = {"Content-Type": MULTIPART} if isinstance(body, bytes) else {}
        if "webhooks-journal" in path:
            headers = {"Authorization": f"Bearer {ids['JOURNAL']}"}
        asks.append(Ask(method, fill_path(filled, ids), named(body, ids), body is form, headers))
    return asks


HUBSPOT_ASKS = ask_hubspot()
HUBSPOT_NAMES = (
    "limit", "after", "offset", "count", "properties", "propertiesWithHistory", "associations", "archived",
    "idProperty", "email", "hapikey", "validateReferencesBeforeDelete", "includeAssociations", "expires", "token",
)  # fmt: skip
HUBSPOT_HEADERS = {
    "Authorization": f"Bearer {HubSpotSandbox(seed=7).access_token}", "Content-Type": MULTIPART, "Host": "x",
}  # fmt: skip


@settings(max_examples=150)
@given(sent=requests(HUBSPOT_ASKS, HUBSPOT_HEADERS, HUBSPOT_NAMES))
def test_any_request_to_hubspot(sent):
    """At every address, bent in every way: an answer below 500 that is JSON where it says so."""
    sandbox, _ = open_portal()
    method, url, headers, body = sent
    answer(sandbox, HUBAPI, (method, url, {**HUBSPOT_HEADERS, **headers}, body))


# -- Salesforce

SESSION = SalesforceSandbox(seed=7).session_id
MY_DOMAIN = "https://example.my.salesforce.com"
DATA, JOBS = "/services/data/v62.0/", "/services/async/62.0/job"
SOAP = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b'<login xmlns="urn:partner.soap.sforce.com">'
    b"<username>u</username><password>p</password></login></e:Body></e:Envelope>"
)
JOB_XML = b"<jobInfo><operation>insert</operation><object>Account</object><contentType>CSV</contentType></jobInfo>"
INGEST = {
    "object": "Account", "operation": "upsert", "externalIdFieldName": "Id", "contentType": "CSV",
    "lineEnding": "LF", "columnDelimiter": "COMMA",
}  # fmt: skip
CONTENT = multipart({"job": INGEST, "content": "Id,Name\n,x\n"})
KEY = {"sobject": "Account", "name": "Key__c", "type": "string", "length": 20, "externalId": True}
FIELDS = [
    {
        "sobject": "Account",
        "name": "Extra__c",
        "type": "picklist",
        "picklistValues": [{"value": "a"}],
        "label": "X",
    },
    {"sobject": "Account", "name": "Other__c", "type": "string", "length": 20, "externalId": True, "unique": True},
    {
        "sobject": "Lead",
        "name": "Key__c",
        "type": "double",
        "precision": 18,
        "scale": 2,
        "defaultValueFormula": "1",
    },
    {
        "sobject": "Account",
        "name": "Sum__c",
        "type": "double",
        "calculatedFormula": "AnnualRevenue * 2",
        "scale": 2,
    },
    {
        "sobject": "Account",
        "name": "Up__c",
        "type": "reference",
        "referenceTo": ["Contact"],
        "relationshipName": "Up",
    },
]
VALIDATION = {
    "object": "Account", "fullName": "R", "active": True, "errorConditionFormula": "ISBLANK(Name)",
    "errorMessage": "No", "errorDisplayField": "Name",
}  # fmt: skip
DUPLICATE = {
    "object": "Account", "name": "D", "matchOn": [["Name"], ["Phone", "Website"]], "action": "block",
    "active": True, "alertText": "There is one",
}  # fmt: skip
CURRENCIES = [
    {"IsoCode": "USD", "ConversionRate": 1, "DecimalPlaces": 2, "IsActive": True, "IsCorporate": True},
    {"IsoCode": "EUR", "ConversionRate": 0.9, "DecimalPlaces": 2, "IsActive": True},
]
SALESFORCE_ASKS_BESIDE = [
    Ask("POST", "/services/Soap/u/59.0", SOAP),
    Ask("GET", "/services/oauth2/userinfo"),
    Ask("GET", "/id/00D/005"),
    Ask("GET", "/services/data"),
    Ask("POST", DATA + "jobs/query", {"operation": "query", "query": "SELECT Id FROM Account", "lineEnding": "LF"}),
    Ask("GET", DATA + "jobs/query"),
    Ask("GET", DATA + "jobs/query/{query}"),
    Ask("PATCH", DATA + "jobs/query/{query}", {"state": "Aborted"}),
    Ask("DELETE", DATA + "jobs/query/{queried}"),
    Ask("GET", DATA + "jobs/query/{queried}/results?maxRecords=1&locator=MQ"),
    Ask("POST", DATA + "jobs/ingest", INGEST),
    Ask("POST", DATA + "jobs/ingest", CONTENT, headers={"Content-Type": MULTIPART}),
    Ask("GET", DATA + "jobs/ingest?isPkChunkingEnabled=true"),
    Ask("GET", DATA + "jobs/ingest/{ingest}"),
    Ask("PATCH", DATA + "jobs/ingest/{ingest}", {"state": "UploadComplete"}),
    Ask("DELETE", DATA + "jobs/ingest/{loaded}"),
    Ask("PUT", DATA + "jobs/ingest/{ingest}/batches", b"Name\nx\n"),
    Ask("GET", DATA + "jobs/ingest/{loaded}/failedResults"),
    Ask("POST", JOBS, {"operation": "query", "object": "Account", "contentType": "JSON"}),
    Ask("POST", JOBS, JOB_XML, headers={"Content-Type": "application/xml"}),
    Ask("GET", JOBS + "/{classic}"),
    Ask("POST", JOBS + "/{classic}", {"state": "Closed"}),
    Ask("PATCH", JOBS + "/{classic}", {"state": "Aborted"}),
    Ask("POST", JOBS + "/{classic}/batch", [{"Name": "x", "Owner": {"Username": "x"}}]),
    Ask("GET", JOBS + "/{classic}/batch"),
    Ask("GET", JOBS + "/{classic}/batch/{batch}"),
    Ask("GET", JOBS + "/{classic}/batch/{batch}/request"),
    Ask("GET", JOBS + "/{closed}/batch/{done}/result"),
    Ask("GET", JOBS + "/{reading}/batch/{read}/result/{result}"),
]
SALESFORCE_ACTS: dict[str, Any] = {
    "clock": {"set": "2026-03-10T12:00:00Z", "advance": 5, "frozen": True},
    "people": {"email": "p@example.com", "via": "ui"},
    "sessions": {"end": "x"},
    "certificate": {"pem": "x"},
    "stages": [{"MasterLabel": "S", "IsWon": True, "SortOrder": 1, "DefaultProbability": 5}],
    "record_types": [{"Name": "R", "picklistValues": {"StageName": ["Prospecting"]}}],
    "users": [{"Email": "u@example.com", "IsActive": False}],
    "fields": FIELDS,
    "validation_rules": [VALIDATION],
    "duplicate_rules": [DUPLICATE],
    "currencies": CURRENCIES,
    "field_history": {"Opportunity": ["Amount"]},
    "locks": {"ids": ["{account}"], "seconds": 5},
    "permissions": {"objects": {"Account": {"read": True, "edit": False}}, "PermissionsApiEnabled": True},
    "settings": SalesforceSandbox().admin.settings(),
    "bulk": {"polls": 1, "seconds": 1},
    "merge": {"sobject": "Account", "master": "{account}", "losers": ["{other}"]},
    "undelete": {"ids": ["{gone}"]},
    "convert_lead": {"leadId": "{lead}", "convertedStatus": "Closed - Converted"},
    "faults": [{"kind": "cut", "rate": 0.1, "method": "GET"}],
    "snapshots": {"name": "s"},
    "restore": {"name": "s"},
}


def open_org() -> tuple[SalesforceSandbox, dict[str, str]]:
    """An org with a few records and jobs, some of them done, and their ids."""
    sandbox = SalesforceSandbox(Clock(frozen_at=NOW), seed=7)

    def call(path: str, body: Any = None, method: str = "POST", kind: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {SESSION}", "X-SFDC-Session": SESSION, "Content-Type": kind}
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        made = sandbox(Request.make(method, MY_DOMAIN + path, headers, content)).body
        return orjson.loads(made) if made else {}

    [custom] = sandbox.admin.add("fields", [KEY])
    ids = {"custom": custom} | {
        name: call(DATA + "sobjects/Account", {"Name": "Acme", "Key__c": key})["id"]
        for name, key in (("account", "k1"), ("other", "twice"), ("twin", "twice"), ("gone", "k3"))
    }
    ids["contact"] = call(DATA + "sobjects/Contact", {"LastName": "Doe", "AccountId": ids["account"]})["id"]
    ids["lead"] = call(DATA + "sobjects/Lead", {"LastName": "Doe", "Company": "Acme"})["id"]
    call(f"{DATA}sobjects/Account/{ids['gone']}", None, "DELETE")
    for name in ("query", "queried"):
        ids[name] = call(DATA + "jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"})["id"]
    ids["ingest"] = call(DATA + "jobs/ingest", INGEST)["id"]
    ids["loaded"] = call(DATA + "jobs/ingest", CONTENT, kind=MULTIPART)["id"]
    for name in ("classic", "closed", "reading"):
        operation = "query" if name == "reading" else "insert"
        job = {"operation": operation, "object": "Account", "contentType": "JSON"}
        ids[name] = call(JOBS, job)["id"]
    for name, job, content in (
        ("batch", "classic", [{"Name": "x"}]),
        ("done", "closed", [{"Name": "x"}, {}]),
        ("read", "reading", b"SELECT Id FROM Account"),
    ):
        ids[name] = call(f"{JOBS}/{ids[job]}/batch", content)["id"]
    for path in (
        "data/v62.0/jobs/query/{queried}",
        "data/v62.0/jobs/ingest/{loaded}",
        "async/62.0/job/{closed}/batch/{done}",
        "async/62.0/job/{reading}/batch/{read}",
    ):
        call("/services/" + path.format(**ids), method="GET")
    ids["result"] = call(f"{JOBS}/{ids['reading']}/batch/{ids['read']}/result", method="GET")[0]
    sandbox.snapshots.save("s")
    return sandbox, {f"{{{name}}}": given for name, given in ids.items()}


def fill_body(body: Any, ids: dict[str, str]) -> Any:
    return body if isinstance(body, bytes) else fill(body, ids)


def ask_salesforce() -> list[Ask]:
    """A right request for every address of Salesforce's sandbox."""
    sandbox, ids = open_org()
    token = {
        "grant_type": "password", "username": sandbox.username, "password": sandbox.password,
        "client_id": sandbox.consumer_key, "client_secret": sandbox.consumer_secret, "assertion": "a.b.c",
        "code": "x", "refresh_token": "x",
    }  # fmt: skip
    asks = [Ask("POST", "/services/oauth2/token", {**token, "grant_type": each}, form=True) for each in GRANTS]
    client = {"client_id": sandbox.consumer_key, "client_secret": sandbox.consumer_secret, "token": SESSION}
    web = {**client, "redirect_uri": "https://example.com/?a=b", "response_type": "code", "state": "s"}
    asks += [
        Ask("POST", f"/services/oauth2/{endpoint}", web if endpoint == "authorize" else client, form=True)
        for endpoint in ("authorize", "introspect", "revoke")
    ]
    asks += [Ask(method, DATA + ask.path, ask.body) for (_, method), ask in ASKS.items()]
    asks += SALESFORCE_ASKS_BESIDE
    asks += [
        Ask(method, path, None if method == "GET" else SALESFORCE_ACTS.get(path.removeprefix("/_sandbox/")))
        for method, path in list_acts(salesforce_acts.METHODS)
    ]
    return [replace(ask, path=fill(ask.path, ids), body=fill_body(ask.body, ids)) for ask in asks]


SALESFORCE_ASKS = ask_salesforce()
SALESFORCE_NAMES = (
    "q", "ids", "fields", "start", "end", "allOrNone", "updateOnly", "maxRecords", "locator", "user", "sobject",
    "in", "defaultLimit", "overallLimit", "sObjects", "token", "queryLocator", "jobType",
)  # fmt: skip
SIGNED_IN = {"Authorization": f"Bearer {SESSION}", "X-SFDC-Session": SESSION, "Content-Type": "application/json"}
SALESFORCE_HEADERS = {
    "Authorization": f"Bearer {SESSION}", "X-SFDC-Session": SESSION, "Content-Type": MULTIPART,
    "Sforce-Query-Options": "batchSize=200", "Sforce-Duplicate-Rule-Header": "allowSave=true", "Accept": "text/csv",
    "Sforce-Enable-PKChunking": "chunkSize=2", "If-Match": "*", "If-None-Match": "x", "Content-Encoding": "gzip",
    "If-Modified-Since": "Tue, 10 Mar 2026 12:00:00 GMT", "If-Unmodified-Since": "Tue, 10 Mar 2026 12:00:00 GMT",
}  # fmt: skip


@settings(max_examples=150)
@given(sent=requests(SALESFORCE_ASKS, SALESFORCE_HEADERS, SALESFORCE_NAMES))
def test_any_request_to_salesforce(sent):
    """At every address, bent in every way: an answer below 500 that is JSON where it says so."""
    sandbox, _ = open_org()
    method, url, headers, body = sent
    answer(sandbox, MY_DOMAIN, (method, url, {**SIGNED_IN, **headers}, body))


# -- every address


def test_every_address_of_salesforce_is_tried():
    """There is a request for each resource, and for each call of the older Bulk API."""
    tried = [(ask.method, ask.path.partition("?")[0]) for ask in SALESFORCE_ASKS]
    data = [(method, path.removeprefix(DATA)) for method, path in tried if path.startswith(DATA)]
    reached = {routes._route(method, tuple(path.split("/")) if path else ())[0] for method, path in data}
    assert reached == {resource for _, methods in routes._TABLE for resource in methods.values()}
    jobs = [(method, path.removeprefix(JOBS)) for method, path in tried if path.startswith(JOBS)]
    shapes = {(method, *classic._shape(tuple(path.strip("/").split("/")) if path else ())) for method, path in jobs}
    assert shapes == set(classic._RESOURCES)


def test_every_address_answers_anything():
    """The right request, every method, and bodies that are none."""
    for open_sandbox, host, common, asks in (
        (open_portal, HUBAPI, HUBSPOT_HEADERS, HUBSPOT_ASKS),
        (open_org, MY_DOMAIN, SIGNED_IN, SALESFORCE_ASKS),
    ):
        sandbox, _ = open_sandbox()
        for ask in asks:
            headers = {**common, **ask.headers}
            for method in METHODS:
                answer(sandbox, host, (method, quote(ask.path, safe="/?=&,+:%"), headers, b""))
            for body in BROKEN:
                answer(sandbox, host, (ask.method, quote(ask.path, safe="/?=&,+:%"), headers, body))
