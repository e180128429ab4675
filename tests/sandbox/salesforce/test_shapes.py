"""Every resource of the REST API answers in the whole shape that Salesforce documents.

Clients take what they need of an answer and do not notice what is missing, so the shapes are held here, one for
each resource and method, written from the REST API, Bulk API 2.0 and UI API developer guides.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sandbox.shapes import Each, Filled, anything, find_misfits

from connector.sandbox.salesforce.api import routes

ID = re.compile(r"[A-Za-z0-9]{18}")
URL = re.compile(r"/services/data/v62\.0/.+")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")
TEXT, WHOLE, SWITCH = str, int, bool

ATTRIBUTES = {"type": TEXT, "url": URL}
ERRORS = Filled({"message": TEXT, "errorCode": re.compile(r"[A-Z_]+"), "fields?": [TEXT]})
SAVED = {"id": ID, "success": True, "errors": []}
REFUSED = {
    "success": False,
    "errors": Filled({"statusCode": re.compile(r"[A-Z_]+"), "message": TEXT, "fields": [TEXT]}),
}
PAGE = {
    "totalSize": WHOLE, "done": SWITCH, "nextRecordsUrl?": re.compile(r"/services/data/v62\.0/query/01g\w{15}-\d+"),
    "records": Filled({"attributes": ATTRIBUTES, "Id": ID, "Owner": {"attributes": ATTRIBUTES, "Email": TEXT}}),
}  # fmt: skip
PART = {
    "body": anything, "httpHeaders": Each(TEXT), "httpStatusCode": WHOLE, "referenceId": TEXT,
}  # fmt: skip
SUMMARY = {
    **dict.fromkeys(
        ("activateable", "createable", "custom", "customSetting", "deepCloneable", "deletable",
         "deprecatedAndHidden", "feedEnabled", "hasSubtypes", "isInterface", "isSubtype", "layoutable", "mergeable",
         "mruEnabled", "queryable", "replicateable", "retrieveable", "searchable", "triggerable", "undeletable",
         "updateable"), SWITCH),
    "associateEntityType": (None, TEXT), "associateParentEntity": (None, TEXT),
    "keyPrefix": (None, re.compile(r"[A-Za-z0-9]{3}")), "label": TEXT, "labelPlural": TEXT, "name": TEXT,
    "urls": {"rowTemplate": URL, "describe": URL, "sobject": URL},
}  # fmt: skip
FIELD = {
    **dict.fromkeys(
        ("aggregatable", "aiPredictionField", "autoNumber", "calculated", "cascadeDelete", "caseSensitive",
         "createable", "custom", "defaultedOnCreate", "dependentPicklist", "deprecatedAndHidden",
         "displayLocationInDecimal", "encrypted", "externalId", "filterable", "formulaTreatNullNumberAsZero",
         "groupable", "highScaleNumber", "htmlFormatted", "idLookup", "nameField", "namePointing", "nillable",
         "permissionable", "polymorphicForeignKey", "queryByDistance", "restrictedDelete", "restrictedPicklist",
         "searchPrefilterable", "sortable", "unique", "updateable", "writeRequiresMasterRead"), SWITCH),
    **dict.fromkeys(("byteLength", "digits", "length", "precision", "scale"), WHOLE),
    **dict.fromkeys(
        ("calculatedFormula", "compoundFieldName", "controllerName", "defaultValueFormula", "extraTypeInfo",
         "filteredLookupInfo", "inlineHelpText", "mask", "maskType", "referenceTargetField", "relationshipName"),
        (None, TEXT)),
    "defaultValue": (None, SWITCH, TEXT), "relationshipOrder": (None, WHOLE), "label": TEXT, "name": TEXT,
    "soapType": re.compile(r"(tns|xsd|urn):\w+"), "type": TEXT, "referenceTo": [TEXT],
    "picklistValues": [
        {"active": SWITCH, "defaultValue": SWITCH, "label": TEXT, "validFor": (None, TEXT), "value": TEXT},
    ],
}  # fmt: skip
DESCRIBE = {
    **SUMMARY, "urls": {"rowTemplate": URL, "describe": URL, "sobject": URL, "uiDetailTemplate": TEXT},
    "actionOverrides": [], "compactLayoutable": SWITCH, "defaultImplementation": None, "extendedBy": None,
    "extendsInterfaces": None, "implementedBy": None, "implementsInterfaces": None, "listviewable": None,
    "lookupLayoutable": None, "namedLayoutInfos": [], "networkScopeFieldName": None, "searchLayoutable": SWITCH,
    "sobjectDescribeOption": "FULL", "supportedScopes": Filled({"label": TEXT, "name": TEXT}),
    "childRelationships": Filled({
        "cascadeDelete": SWITCH, "childSObject": TEXT, "deprecatedAndHidden": SWITCH, "field": TEXT,
        "junctionIdListNames": [], "junctionReferenceTo": [], "relationshipName": (None, TEXT),
        "restrictedDelete": SWITCH,
    }),
    "fields": Filled(FIELD),
    "recordTypeInfos": [{
        "active": SWITCH, "available": SWITCH, "defaultRecordTypeMapping": SWITCH, "developerName": TEXT,
        "master": SWITCH, "name": TEXT, "recordTypeId": ID, "urls": {"layout": URL},
    }],
}  # fmt: skip
LIMIT = {"Max": WHOLE, "Remaining": WHOLE}
PICKLIST = {
    "controllerValues": Each(WHOLE), "defaultValue": (None, anything), "eTag": TEXT, "url": URL,
    "values": Filled({"attributes": (None, Each(anything)), "label": TEXT, "validFor": [], "value": TEXT}),
}  # fmt: skip
SEARCHED = {"searchRecords": Filled({"attributes": ATTRIBUTES, "Id": ID})}


@dataclass(frozen=True)
class Ask:
    """One call that succeeds, and one that is refused. `{name}` in paths and bodies stands for what is set up."""

    path: str
    status: int
    shape: Any
    body: Any = None
    wrong_path: str | None = None
    wrong_body: Any = None
    wrong_status: int = 400
    headers: dict[str, str] = field(default_factory=dict)
    wrong_shape: Any = ERRORS


NEW = {"Name": "Acme"}
KEY = "sobjects/Account/Key__c"
TYPED = {"attributes": {"type": "Account"}}

ASKS = {
    ("", "GET"): Ask("", 200, Each(URL), wrong_path="nowhere", wrong_status=404),
    ("query", "GET"): Ask("query?q=SELECT+Id,Owner.Email+FROM+Account", 200, PAGE, wrong_path="query?q=SELECT"),
    ("queryAll", "GET"): Ask("queryAll?q=SELECT+Id,Owner.Email+FROM+Account", 200, PAGE, wrong_path="queryAll"),
    ("query/{}", "GET"): Ask("query/{locator}", 200, PAGE, wrong_path="query/01g000000000000AAA-2000"),
    ("queryAll/{}", "GET"): Ask("queryAll/{locator}", 200, PAGE, wrong_path="queryAll/nonsense"),
    ("search", "GET"): Ask("search?q=FIND+%7BAcme%7D", 200, SEARCHED, wrong_path="search?q=FIND"),
    ("parameterizedSearch", "GET"): Ask(
        "parameterizedSearch?q=Acme", 200, SEARCHED, wrong_path="parameterizedSearch"),
    ("parameterizedSearch", "POST"): Ask(
        "parameterizedSearch", 200, SEARCHED, {"q": "Acme", "sobjects": [{"name": "Account", "fields": ["Id"]}]},
        wrong_body={}),
    ("composite", "POST"): Ask(
        "composite", 200, {"compositeResponse": Filled(PART)},
        {"compositeRequest": [
            {"method": "GET", "referenceId": "a", "url": "/services/data/v62.0/sobjects/Account/{account}"},
            {"method": "GET", "referenceId": "b", "url": "/services/data/v62.0/sobjects/Account/nobody"},
        ]}, wrong_body={}),
    ("composite/batch", "POST"): Ask(
        "composite/batch", 200,
        {"hasErrors": True, "results": Filled({"statusCode": WHOLE, "result": anything})},
        {"batchRequests": [{"method": "GET", "url": "v62.0/limits"}, {"method": "GET", "url": "v62.0/nowhere"}]},
        wrong_body={}),
    ("composite/graph", "POST"): Ask(
        "composite/graph", 200,
        {"graphs": Filled({
            "graphId": TEXT, "graphResponse": {"compositeResponse": Filled(PART)}, "isSuccessful": SWITCH})},
        {"graphs": [{"graphId": "1", "compositeRequest": [
            {"method": "POST", "referenceId": "a", "url": "/services/data/v62.0/sobjects/Account", "body": NEW},
        ]}]}, wrong_body={}),
    ("composite/tree/{}", "POST"): Ask(
        "composite/tree/Account", 201, {"hasErrors": False, "results": Filled({"referenceId": TEXT, "id": ID})},
        {"records": [{"attributes": {"type": "Account", "referenceId": "a"}, "Name": "x"}]},
        wrong_body={"records": [{"attributes": {"type": "Account", "referenceId": "a"}}]},
        wrong_shape={"hasErrors": True, "results": Filled({
            "referenceId": TEXT, "errors": REFUSED["errors"]})}),
    ("composite/sobjects", "POST"): Ask(
        "composite/sobjects", 200, Filled((SAVED, REFUSED)), {"records": [{**TYPED, **NEW}, TYPED]}, wrong_body={}),
    ("composite/sobjects", "PATCH"): Ask(
        "composite/sobjects", 200, Filled((SAVED, REFUSED)),
        {"records": [{**TYPED, "id": "{account}", **NEW}, {**TYPED, **NEW}]}, wrong_body={"records": [NEW]}),
    ("composite/sobjects", "DELETE"): Ask(
        "composite/sobjects?ids={account},{contact},{gone}", 200, Filled((SAVED, REFUSED)),
        wrong_path="composite/sobjects"),
    ("composite/sobjects/{}", "GET"): Ask(
        "composite/sobjects/Account?ids={account},{gone}&fields=Name", 200,
        Filled((None, {"attributes": ATTRIBUTES, "Id": ID, "Name": TEXT})),
        wrong_path="composite/sobjects/Account"),
    ("composite/sobjects/{}", "POST"): Ask(
        "composite/sobjects/Account", 200, Filled((None, {"attributes": ATTRIBUTES, "Id": ID, "Name": TEXT})),
        {"ids": ["{account}", "{gone}"], "fields": ["Name"]}, wrong_body={}),
    ("composite/sobjects/{}/{}", "PATCH"): Ask(
        "composite/sobjects/Account/Key__c", 200, Filled(({**SAVED, "created": SWITCH}, REFUSED)),
        {"records": [{**TYPED, "Key__c": "k1", **NEW}, {**TYPED, "Key__c": "k9"}]},
        wrong_path="composite/sobjects/Account/Name", wrong_body={"records": [{**TYPED, **NEW}]}, wrong_status=404),
    ("sobjects", "GET"): Ask(
        "sobjects", 200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": Filled(SUMMARY)},
        wrong_path="sobjects/Nothing", wrong_status=404),
    ("sobjects/{}", "GET"): Ask(
        "sobjects/Account", 200,
        {"objectDescribe": SUMMARY, "recentItems": Filled({"attributes": ATTRIBUTES, "Id": ID})},
        wrong_path="sobjects/Nothing", wrong_status=404),
    ("sobjects/{}", "POST"): Ask("sobjects/Account", 201, SAVED, NEW, wrong_body={}),
    ("sobjects/{}/describe", "GET"): Ask(
        "sobjects/Opportunity/describe", 200, DESCRIBE, wrong_path="sobjects/Nothing/describe", wrong_status=404),
    ("sobjects/{}/updated", "GET"): Ask(
        "sobjects/Account/updated?start=2026-03-10T11:00:00Z&end=2026-03-10T12:05:00Z", 200,
        {"ids": Filled(ID), "latestDateCovered": MOMENT}, wrong_path="sobjects/Account/updated?start=x&end=y"),
    ("sobjects/{}/deleted", "GET"): Ask(
        "sobjects/Account/deleted?start=2026-03-10T11:00:00Z&end=2026-03-10T12:05:00Z", 200,
        {"deletedRecords": Filled({"id": ID, "deletedDate": MOMENT}), "earliestDateAvailable": MOMENT,
         "latestDateCovered": MOMENT}, wrong_path="sobjects/Account/deleted?start=2020-01-01&end=2020-01-02"),
    ("sobjects/{}/{}", "GET"): Ask(
        "sobjects/Account/{account}?fields=Name,AnnualRevenue,BillingAddress", 200,
        {"attributes": ATTRIBUTES, "Id": ID, "Name": TEXT, "AnnualRevenue": (None, float),
         "BillingAddress": (None, Each((None, TEXT, float)))},
        wrong_path="sobjects/Account/{gone}", wrong_status=404),
    ("sobjects/{}/{}", "PATCH"): Ask(
        "sobjects/Account/{account}", 204, None, NEW, wrong_body={"Nothing": 1}),
    ("sobjects/{}/{}", "DELETE"): Ask(
        "sobjects/Account/{account}", 204, None, wrong_path="sobjects/Account/{gone}", wrong_status=404),
    ("sobjects/{}/{}/{*}", "GET"): Ask(
        KEY + "/k1?fields=Name", 200, {"attributes": ATTRIBUTES, "Id": ID, "Name": TEXT},
        wrong_path=KEY + "/twice", wrong_status=300, wrong_shape=Filled(URL)),
    ("sobjects/{}/{}/{*}", "PATCH"): Ask(
        KEY + "/new", 201, {**SAVED, "created": True}, NEW, wrong_path=KEY + "/k1", wrong_body={"Name": None}),
    ("sobjects/{}/{}/{*}", "DELETE"): Ask(
        KEY + "/k1", 204, None, wrong_path=KEY + "/nobody", wrong_status=404),
    ("limits", "GET"): Ask("limits", 200, Each(LIMIT), wrong_path="limits/nothing", wrong_status=404),
    ("limits/recordCount", "GET"): Ask(
        "limits/recordCount?sObjects=Account", 200, {"sObjects": Filled({"count": WHOLE, "name": "Account"})},
        wrong_path="limits/nothing", wrong_status=404),
    ("tooling/query", "GET"): Ask(
        "tooling/query?q=SELECT+Id,Metadata+FROM+CustomField+WHERE+DeveloperName='Key'", 200,
        {"totalSize": 1, "done": True, "records": Filled(
            {"attributes": ATTRIBUTES, "Id": ID, "Metadata": Each((TEXT, WHOLE, SWITCH))})},
        wrong_path="tooling/query?q=SELECT+Id+FROM+Account"),
    ("tooling/query/{}", "GET"): Ask("tooling/query/{locator}", 200, PAGE, wrong_path="tooling/query/nonsense"),
    ("tooling/sobjects", "GET"): Ask(
        "tooling/sobjects", 200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": Filled(SUMMARY)},
        wrong_path="tooling/nothing", wrong_status=404),
    ("tooling/sobjects/{}", "POST"): Ask(
        "tooling/sobjects/CustomField", 201,
        {"id": ID, "success": True, "errors": [], "warnings": [], "infos": []},
        {"FullName": "Account.Colour__c", "Metadata": {"type": "Text", "label": "Colour", "length": 20}},
        wrong_body={}),
    ("tooling/sobjects/{}/describe", "GET"): Ask(
        "tooling/sobjects/CustomField/describe", 200, {**DESCRIBE, "childRelationships": []},
        wrong_path="tooling/sobjects/Nothing/describe", wrong_status=404),
    ("tooling/sobjects/{}/{}", "GET"): Ask(
        "tooling/sobjects/CustomField/{custom}", 200,
        {"attributes": ATTRIBUTES, "Id": ID, "DeveloperName": "Key", "TableEnumOrId": "Account",
         "NamespacePrefix": None, "FullName": "Account.Key__c", "Metadata": Each((TEXT, WHOLE, SWITCH))},
        wrong_path="tooling/sobjects/CustomField/{gone}", wrong_status=404),
    ("tooling/sobjects/{}/{}", "DELETE"): Ask(
        "tooling/sobjects/CustomField/{custom}", 204, None,
        wrong_path="tooling/sobjects/CustomField/{gone}", wrong_status=404),
    ("ui-api/object-info/{}/picklist-values/{}", "GET"): Ask(
        "ui-api/object-info/Opportunity/picklist-values/012000000000000AAA", 200,
        {"eTag": TEXT, "picklistFieldValues": Each(PICKLIST)},
        wrong_path="ui-api/object-info/Opportunity/picklist-values/x"),
    ("ui-api/object-info/{}/picklist-values/{}/{}", "GET"): Ask(
        "ui-api/object-info/Opportunity/picklist-values/012000000000000AAA/StageName", 200, PICKLIST,
        wrong_path="ui-api/object-info/Opportunity/picklist-values/012000000000000AAA/Name", wrong_status=404),
}  # fmt: skip


@pytest.fixture
def names(client):
    """Records, one that is gone, one key that two records share, and the locator of a second page."""
    [custom] = client.sandbox.admin.add(
        "fields", [{"sobject": "Account", "name": "Key__c", "type": "string", "length": 20, "externalId": True}]
    )
    account = client.create("Account", Name="Acme", Key__c="k1")
    for _ in range(2):
        client.create("Account", Name="Twin", Key__c="twice")
    contact = client.create("Contact", LastName="Doe")
    gone = client.create("Account", Name="Gone")
    client("DELETE", f"sobjects/Account/{gone}")
    for _ in range(2):
        records = [{"attributes": {"type": "Account"}, "Name": f"Acme {n}"} for n in range(200)]
        client("POST", "composite/sobjects", {"records": records})
    small = {**client.headers, "Sforce-Query-Options": "batchSize=200"}
    _, page = client("GET", "query", headers=small, q="SELECT Id, Owner.Email FROM Account")
    client.sandbox.clock.advance(timedelta(minutes=10))
    return {
        "{account}": account, "{contact}": contact, "{gone}": gone,
        "{locator}": page["nextRecordsUrl"].rpartition("/")[2], "{custom}": custom,
    }  # fmt: skip


def fill(given, names):
    text = given if isinstance(given, str) else orjson.dumps(given).decode()
    for name, value in names.items():
        text = text.replace(name, value)
    return text if isinstance(given, str) else orjson.loads(text)


def send(client, method, path, body, names, headers):
    filled = None if body is None else fill(body, names)
    return client(method, fill(path, names), filled, {**client.headers, **headers})


@pytest.mark.parametrize(("resource", "method"), ASKS)
def test_the_shape_of_success(client, names, resource, method):
    """The answer has every documented key, of the documented type, and no other."""
    ask = ASKS[resource, method]
    status, body = send(client, method, ask.path, ask.body, names, ask.headers)
    assert (status, find_misfits(body, ask.shape)) == (ask.status, []), body


@pytest.mark.parametrize(("resource", "method"), ASKS)
def test_the_shape_of_refusal(client, names, resource, method):
    """Errors are an array of objects with message and code."""
    ask = ASKS[resource, method]
    path = ask.path if ask.wrong_path is None else ask.wrong_path
    body = ask.body if ask.wrong_body is None else ask.wrong_body
    status, answer = send(client, method, path, body, names, ask.headers)
    assert (status, find_misfits(answer, ask.wrong_shape)) == (ask.wrong_status, []), answer


def test_every_resource_has_its_shape():
    """A resource without an entry here would go unnoticed. Those of the Bulk API are held in `test_bulk_shapes`."""
    there = {(path, method) for path, methods in routes._TABLE for method in methods if not path.startswith("jobs")}
    assert there == set(ASKS)
