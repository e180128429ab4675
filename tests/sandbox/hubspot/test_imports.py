"""Imports: forms and files, what rows mean and write, what is wrong with them, and how long it takes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connector.sandbox.wire import Request
from tests.sandbox.hubspot.conftest import COMPANY_OF_CONTACT, HOST, Hub

PATH = "/crm/v3/imports"
BOUNDARY = "a-boundary"


def column(name: str, property_name: str | None, kind: str = "0-1", **more: Any) -> dict[str, Any]:
    return {"columnName": name, "propertyName": property_name, "columnObjectTypeId": kind, **more}


EMAIL = column("Email", "email", columnType="HUBSPOT_ALTERNATE_ID")
FIRST = column("First name", "firstname")
NAME = column("Name", "name", "0-2")
DOMAIN = column("Domain", "domain", "0-2", columnType="HUBSPOT_ALTERNATE_ID")


def form(request: Any, files: dict[str, str]) -> bytes:
    """A multipart form of an import."""
    parts = [('name="importRequest"', orjson.dumps(request))]
    parts += [(f'name="files"; filename="{name}"', text.encode()) for name, text in files.items()]
    lines = [
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    ]
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


def send(hub: Hub, request: Any, files: dict[str, str], expect: int = 200, path: str = PATH) -> Any:
    headers = {"Authorization": f"Bearer {hub.token}", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = hub.sandbox(Request.make("POST", HOST + path, headers, form(request, files)))
    assert answer.status == expect, answer.body
    return orjson.loads(answer.body)


def ordered(*files: tuple[str, list[dict[str, Any]]], **more: Any) -> dict[str, Any]:
    pages = [
        {"fileName": name, "fileFormat": "CSV", "fileImportPage": {"hasHeader": True, "columnMappings": columns}}
        for name, columns in files
    ]
    return {"name": "Test", "files": pages, **more}


def run(hub: Hub, columns: list[dict[str, Any]], text: str, **more: Any) -> dict[str, Any]:
    """An import of one file, to its end."""
    return finish(hub, send(hub, ordered(("a.csv", columns), **more), {"a.csv": text}))


def finish(hub: Hub, started: dict[str, Any]) -> dict[str, Any]:
    hub.advance(2)
    return hub.call("GET", f"{PATH}/{started['id']}")


def errors(hub: Hub, done: dict[str, Any]) -> list[dict[str, Any]]:
    return hub.call("GET", f"{PATH}/{done['id']}/errors")["results"]


def people(hub: Hub, *names: str) -> list[dict[str, Any]]:
    query = "properties=" + ",".join(names or ("email", "firstname"))
    rows = hub.call("GET", f"/crm/v3/objects/contacts?limit=100&{query}")["results"]
    return [{name: row["properties"][name] for name in names or ("email", "firstname")} for row in rows]


# -- how it goes


def test_an_import_takes_its_time(hub):
    """STARTED, PROCESSING and DONE by the clock; nothing is written before the end."""
    text = "Email,First name\na@example.com,Ann\nb@example.com,Bob\n"
    started = send(hub, ordered(("a.csv", [EMAIL, FIRST])), {"a.csv": text})
    assert (started["state"], started["importName"], started["mappedObjectTypeIds"]) == ("STARTED", "Test", ["0-1"])
    hub.advance(1)
    assert hub.call("GET", f"{PATH}/{started['id']}")["state"] == "PROCESSING"
    assert people(hub) == []
    hub.advance(1)
    assert [one["firstname"] for one in people(hub)] == ["Ann", "Bob"]
    done = hub.call("GET", f"{PATH}/{started['id']}")
    assert done["state"] == "DONE"
    assert done["metadata"]["counters"] == {
        "TOTAL_ROWS": 2, "CREATED_OBJECTS": 2, "PROPERTY_VALUES_EMITTED": 4, "UNIQUE_OBJECTS_WRITTEN": 2,
    }  # fmt: skip
    assert errors(hub, done) == []


def test_the_import_is_the_source_of_its_values(hub):
    """The history names it, by its id."""
    done = run(hub, [EMAIL, FIRST], "Email,First name\na@example.com,Ann\n")
    contact = hub.found("contacts")[0]
    shown = hub.call("GET", f"/crm/v3/objects/contacts/{contact}?propertiesWithHistory=firstname")
    version = shown["propertiesWithHistory"]["firstname"][0]
    assert (version["sourceType"], version["sourceId"]) == ("IMPORT", done["id"])


def test_three_run_at_once(hub):
    """The fourth waits until one of them is over."""
    request, files = ordered(("a.csv", [EMAIL])), {"a.csv": "Email\na@example.com\n"}
    ids = [send(hub, request, files)["id"] for _ in range(4)]
    states = [row["state"] for row in hub.call("GET", PATH)["results"]]
    assert states == ["STARTED"] * 3 + ["DEFERRED"]
    hub.advance(2)
    assert hub.call("GET", f"{PATH}/{ids[0]}")["state"] == "DONE"
    assert hub.call("GET", f"{PATH}/{ids[3]}")["state"] == "STARTED"
    hub.advance(2)
    assert hub.call("GET", f"{PATH}/{ids[3]}")["state"] == "DONE"


def test_an_import_can_be_cancelled(hub):
    """Before it is over; nothing is written, and a waiting one takes its place."""
    request, files = ordered(("a.csv", [EMAIL])), {"a.csv": "Email\na@example.com\n"}
    first, *_, last = [send(hub, request, files)["id"] for _ in range(4)]
    answer = hub.call("POST", f"{PATH}/{first}/cancel")
    assert answer["status"] == "COMPLETE"
    assert hub.call("GET", f"{PATH}/{first}")["state"] == "CANCELED"
    assert hub.call("GET", f"{PATH}/{last}")["state"] == "STARTED"
    hub.call("POST", f"{PATH}/{first}/cancel", expect=400)
    hub.call("POST", f"{PATH}/1/cancel", expect=404)


def test_imports_are_listed_page_by_page(hub):
    """Those of the same app only."""
    request, files = ordered(("a.csv", [EMAIL])), {"a.csv": "Email\na@example.com\n"}
    ids = [send(hub, request, files)["id"] for _ in range(3)]
    first = hub.call("GET", f"{PATH}?limit=2")
    after = first["paging"]["next"]["after"]
    second = hub.call("GET", f"/crm/imports/2026-09?limit=2&after={after}")
    assert [row["id"] for page in (first, second) for row in page["results"]] == ids
    assert "paging" not in second
    hub.call("GET", f"{PATH}?limit=0", expect=400)
    client = {"client_id": hub.sandbox.client_id, "client_secret": hub.sandbox.client_secret}
    other = Hub(hub.sandbox)
    other.token = hub.form(
        "/oauth/v1/token", **client, grant_type="refresh_token", refresh_token=hub.sandbox.refresh_token
    )["access_token"]
    assert other.call("GET", PATH)["results"] == []
    other.call("GET", f"{PATH}/{ids[0]}", expect=404)


def test_an_import_survives_a_snapshot(hub):
    """One that was under way when the portal was saved is under way again, and comes to its end."""
    started = send(hub, ordered(("a.csv", [EMAIL])), {"a.csv": "Email\na@example.com\n"})
    hub.call("POST", "/_sandbox/snapshots", {"name": "s"}, 204)
    hub.advance(2)
    assert len(people(hub)) == 1
    hub.call("POST", "/_sandbox/restore", {"name": "s"}, 204)
    assert hub.call("GET", f"{PATH}/{started['id']}")["state"] == "DONE"
    assert [one["email"] for one in people(hub)] == ["a@example.com"]


# -- which records are meant


@pytest.mark.parametrize(("operation", "names", "wrong"), [
    ("UPSERT", ["Ann", "Bob"], []),
    ("CREATE", ["old", "Bob"], ["CREATE_ONLY_IMPORT"]),
    ("UPDATE", ["Ann"], ["UPDATE_ONLY_IMPORT"]),
])  # fmt: skip
@pytest.mark.parametrize("key", [EMAIL, column("Email", "email")])
def test_operations(hub, operation, names, wrong, key):
    """Contacts are told apart by their address, whether or not the column says so."""
    hub.create("contacts", {"email": "a@example.com", "firstname": "old"})
    text = "Email,First name\nA@example.com,Ann\nb@example.com,Bob\n"
    done = run(hub, [key, FIRST], text, importOperations={"0-1": operation})
    assert [one["firstname"] for one in people(hub)] == names
    assert [error["errorType"] for error in errors(hub, done)] == wrong


def test_without_an_operation_it_is_an_upsert(hub):
    """HubSpot's default."""
    hub.create("contacts", {"email": "a@example.com"})
    done = run(hub, [EMAIL, FIRST], "Email,First name\na@example.com,Ann\nb@example.com,Bob\n")
    assert [done["metadata"]["counters"][f"{what}_OBJECTS"] for what in ("CREATED", "UPDATED")] == [1, 1]


def test_records_are_found_by_id(hub):
    """`HUBSPOT_OBJECT_ID`; one that is not there is an error of its row."""
    contact = hub.create("contacts", {"email": "a@example.com"})
    key = column("Record ID", None, columnType="HUBSPOT_OBJECT_ID")
    done = run(hub, [key, FIRST], f"Record ID,First name\n{contact},Ann\n1,Bob\n")
    assert people(hub) == [{"email": "a@example.com", "firstname": "Ann"}]
    assert [error["errorType"] for error in errors(hub, done)] == ["INVALID_RECORD_ID"]


def test_records_are_found_by_a_unique_property(hub):
    """Any that was created with unique values."""
    name = hub.unique_property("contacts")
    hub.create("contacts", {name: "x", "firstname": "old"})
    run(hub, [column("Key", name, columnType="HUBSPOT_ALTERNATE_ID"), FIRST], "Key,First name\nx,Ann\ny,Bob\n")
    assert people(hub, name, "firstname") == [{name: "x", "firstname": "Ann"}, {name: "y", "firstname": "Bob"}]


def test_companies_are_found_by_domain(hub):
    """One of that domain is updated, also one of the same file; of several, none."""
    first = hub.create("companies", {"name": "old", "domain": "a.example"})
    for _ in range(2):
        hub.create("companies", {"name": "twin", "domain": "b.example"})
    done = run(hub, [DOMAIN, NAME], "Domain,Name\nA.example,A\nb.example,B\nc.example,C\nc.example,D\n")
    rows = hub.call("GET", "/crm/v3/objects/companies")["results"]
    assert sorted(row["properties"]["name"] for row in rows) == ["A", "D", "twin", "twin"]
    assert hub.read("companies", first, "name")["name"] == "A"
    assert [error["errorType"] for error in errors(hub, done)] == ["MULTIPLE_COMPANIES_WITH_THIS_DOMAIN"]


def test_the_old_words_are_understood(hub):
    """`columnObjectType` and `idColumnType`, a foreign key in the file, and a column that is ignored."""
    company = hub.create("companies", {"name": "C"})
    columns = [
        {"columnName": "Email", "propertyName": "email", "columnObjectType": "CONTACT",
         "idColumnType": "HUBSPOT_ALTERNATE_ID", "foreignKeyType": None, "ignored": False},
        {"columnName": "Company ID", "propertyName": None, "columnObjectType": "CONTACT",
         "idColumnType": "HUBSPOT_OBJECT_ID",
         "foreignKeyType": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}},
        {"columnName": "Note", "propertyName": None, "columnObjectType": "CONTACT", "ignored": True},
    ]  # fmt: skip
    done = run(hub, columns, f"Email,Company ID,Note\na@example.com,{company},x\nb@example.com,1,\n")
    contact = hub.found("contacts", sorts=["createdate"])[0]
    linked = hub.call("GET", f"/crm/v4/objects/contacts/{contact}/associations/companies")["results"]
    assert str(linked[0]["toObjectId"]) == company
    assert {one["typeId"] for one in linked[0]["associationTypes"]} == {1, COMPANY_OF_CONTACT}
    assert [error["errorType"] for error in errors(hub, done)] == ["UNKNOWN_ASSOCIATION_RECORD_ID"]


# -- associations


def test_records_of_a_row_are_associated(hub):
    """One file with two types of objects, under the label that a column says."""
    hub.call("POST", "/crm/v4/associations/contacts/companies/labels", {"label": "Boss", "name": "boss"})
    label = column("Label", None, columnType="FLEXIBLE_ASSOCIATION_LABEL", toColumnObjectTypeId="0-2")
    text = "Email,Name,Label\na@example.com,A,Boss\nb@example.com,B,\nc@example.com,C,Friend\n,D,\n"
    done = run(hub, [EMAIL, NAME, label], text)
    found = []
    for contact in hub.found("contacts"):
        linked = hub.call("GET", f"/crm/v4/objects/contacts/{contact}/associations/companies")["results"]
        found.append({one["label"] for one in linked[0]["associationTypes"]} - {None, "Primary"})
    assert found == [{"Boss"}, set(), set()]
    assert len(hub.found("companies")) == 4
    assert [error["errorType"] for error in errors(hub, done)] == ["ASSOCIATION_LABEL_NOT_FOUND"]


@pytest.mark.parametrize("turned", [False, True])
def test_two_files_are_joined_by_a_common_column(hub, turned):
    """The order of the files says nothing; an address that leads nowhere is an error of its row."""
    foreign = {"associationTypeId": 280, "associationCategory": "HUBSPOT_DEFINED"}
    common = column("Email", None, "0-2", toColumnObjectTypeId="0-1", foreignKeyType=foreign)
    files = [
        ("contacts.csv", [{**EMAIL, "associationIdentifierColumn": True}, FIRST]),
        ("companies.csv", [DOMAIN, NAME, common]),
    ]
    texts = {
        "contacts.csv": "Email,First name\na@example.com,Ann\nb@example.com,Bob\n",
        "companies.csv": "Domain,Name,Email\nx.example,X,a@example.com\ny.example,Y,z@example.com\n",
    }
    done = finish(hub, send(hub, ordered(*(files[::-1] if turned else files)), texts))
    company = hub.found("companies", {"propertyName": "name", "operator": "EQ", "value": "X"})[0]
    linked = hub.call("GET", f"/crm/v4/objects/companies/{company}/associations/contacts")["results"]
    assert [hub.read("contacts", str(row["toObjectId"]), "firstname")["firstname"] for row in linked] == ["Ann"]
    wrong = errors(hub, done)
    assert [(error["errorType"], error["invalidValue"]) for error in wrong] == [
        ("UNKNOWN_ASSOCIATION_RECORD_ID", "z@example.com")
    ]


def test_records_of_one_type_are_associated(hub):
    """`ASSOCIATION_KEYS` names another record of the same type."""
    other = column("Colleague", "email", columnType="ASSOCIATION_KEYS")
    run(hub, [EMAIL, other], "Email,Colleague\na@example.com,b@example.com\nb@example.com,\n")
    first, second = hub.found("contacts")
    linked = hub.call("GET", f"/crm/v4/objects/contacts/{first}/associations/contacts")["results"]
    assert [str(row["toObjectId"]) for row in linked] == [second]


# -- values


@pytest.mark.parametrize(("style", "text"), [
    ("MONTH_DAY_YEAR", "02/28/2027"), ("DAY_MONTH_YEAR", "28.02.2027"), ("YEAR_MONTH_DAY", "2027/2/28"),
    ("MONTH_DAY_YEAR", "2027-02-28"),
])  # fmt: skip
def test_dates_are_read_as_the_request_says(hub, style, text):
    """In any of HubSpot's three orders; ISO 8601 always."""
    columns = [
        column("Deal", "dealname", "0-3"),
        column("Stage", "dealstage", "0-3"),
        column("Close", "closedate", "0-3"),
    ]
    run(hub, columns, f"Deal,Stage,Close\nD,Closed Won,{text}\n", dateFormat=style)
    deal = hub.found("deals")[0]
    shown = hub.read("deals", deal, "closedate", "dealstage")
    assert (shown["closedate"], shown["dealstage"]) == ("2027-02-28T00:00:00.000Z", "closedwon")


def test_labels_names_and_numbers_are_read(hub):
    """Options by label, owners by address or name, numbers with separators."""
    owner = hub.sandbox.add_owners([{"email": "o@example.com", "firstName": "Olga", "lastName": "Ode"}])[0]["id"]
    columns = [
        column("Deal", "dealname", "0-3"), column("Stage", "dealstage", "0-3"), column("Amount", "amount", "0-3"),
        column("Owner", "hubspot_owner_id", "0-3"), column("Type", "dealtype", "0-3"),
    ]  # fmt: skip
    rows = ['D,qualifiedtobuy,"1,234.5",Olga Ode,new business', "E,Closed Lost,7,O@example.com,"]
    run(hub, columns, "\n".join(["Deal,Stage,Amount,Owner,Type", *rows]))
    found = [hub.read("deals", one, "amount", "hubspot_owner_id", "dealtype") for one in hub.found("deals")]
    assert [one["amount"] for one in found] == ["1234.5", "7"]
    assert [one["hubspot_owner_id"] for one in found] == [owner, owner]
    assert [one["dealtype"] for one in found] == ["newbusiness", None]


@pytest.mark.parametrize(("name", "kind", "text", "error"), [
    ("closedate", "0-3", "soon", "COULD_NOT_PARSE_DATE"),
    ("closedate", "0-3", "13/32/2027", "COULD_NOT_PARSE_DATE"),
    ("amount", "0-3", "much", "COULD_NOT_PARSE_NUMBER"),
    ("dealtype", "0-3", "strange", "INVALID_ENUMERATION_OPTION"),
    ("hubspot_owner_id", "0-3", "nobody", "COULD_NOT_FIND_OWNER"),
])  # fmt: skip
def test_a_wrong_value_is_left_out(hub, name, kind, text, error):
    """It is listed with its place; the rest of the row is written."""
    columns = [column("Deal", "dealname", kind), column("Stage", "dealstage", kind), column("Value", name, kind)]
    done = run(hub, columns, f"Deal,Stage,Value\nD,closedwon,{text}\n")
    assert done["state"] == "DONE"
    assert hub.read("deals", hub.found("deals")[0], "dealname")["dealname"] == "D"
    found = errors(hub, done)[0]
    assert (found["errorType"], found["invalidValue"], found["knownColumnNumber"]) == (error, text, 3)
    assert (found["objectTypeId"], found["sourceData"]["lineNumber"]) == (kind, 2)
    assert found["sourceData"]["rowData"] == ["D", "closedwon", text]
    assert done["metadata"]["counters"]["ERRORS"] == 1


def test_empty_cells_change_nothing(hub):
    """And a row of nothing else makes no record."""
    contact = hub.create("contacts", {"email": "a@example.com", "firstname": "Ann"})
    run(hub, [EMAIL, FIRST], "Email,First name\na@example.com,\n,\n")
    assert people(hub) == [{"email": "a@example.com", "firstname": "Ann"}]
    assert hub.found("contacts") == [contact]


@pytest.mark.parametrize(("columns", "text", "error"), [
    ([column("Deal", "dealname", "0-3")], "Deal\nD\n", "MISSING_REQUIRED_PROPERTY"),
    ([EMAIL, FIRST], "Email,First name\na@example.com\n", "INCORRECT_NUMBER_OF_COLUMNS"),
    ([EMAIL], "Email\nnot an address\n", "INVALID_EMAIL"),
])  # fmt: skip
def test_a_row_that_cannot_be_written_is_listed(hub, columns, text, error):
    """And the import goes on."""
    done = run(hub, columns, text)
    assert errors(hub, done)[0]["errorType"] == error
    assert hub.found("deals") == hub.found("contacts") == []


def test_a_contact_deleted_for_privacy_stays_deleted(hub):
    """Imports cannot bring its address back."""
    contact = hub.create("contacts", {"email": "a@example.com"})
    hub.call("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": contact}, 204)
    done = run(hub, [EMAIL], "Email\nA@example.com\nb@example.com\n")
    assert [one["email"] for one in people(hub)] == ["b@example.com"]
    assert errors(hub, done)[0]["errorType"] == "GDPR_BLACKLISTED_EMAIL"


def test_errors_are_paged(hub):
    """In the order of the rows."""
    done = run(hub, [EMAIL, FIRST], "Email,First name\n" + "a\n" * 5)
    first = hub.call("GET", f"{PATH}/{done['id']}/errors?limit=3")
    second = hub.call("GET", f"{PATH}/{done['id']}/errors?limit=3&after={first['paging']['next']['after']}")
    assert [row["sourceData"]["lineNumber"] for page in (first, second) for row in page["results"]] == [
        2,
        3,
        4,
        5,
        6,
    ]


# -- what is refused


@pytest.mark.parametrize(("files", "error"), [
    ({"b.csv": "Email\n"}, "FILE_NOT_FOUND"),
    ({"a.csv": ""}, "INVALID_FILE_TYPE"),
    ({"a.csv": "Mail\nx\n"}, "INVALID_COLUMN_CONFIGURATION"),
])  # fmt: skip
def test_an_import_fails_whole(hub, files, error):
    """For a file that is missing, empty, or without the columns that were named."""
    done = finish(hub, send(hub, ordered(("a.csv", [EMAIL])), files))
    assert done["state"] == "FAILED"
    assert [one["errorType"] for one in errors(hub, done)] == [error]


@pytest.mark.parametrize("change", [
    {"files": []},
    {"name": None},
    {"dateFormat": "YEAR"},
    {"importOperations": {"0-1": "DELETE"}},
    {"importOperations": {"unicorns": "CREATE"}},
    ordered(("a.csv", [])),
    ordered(("a.csv", [column("Email", "no_such")])),
    ordered(("a.csv", [column("First", "firstname", columnType="HUBSPOT_ALTERNATE_ID")])),
    ordered(("a.csv", [column("Email", "email", columnType="MAGIC")])),
    ordered(("a.csv", [column("Email", "email", "unicorns")])),
    ordered(("a.csv", [column("Email", None, foreignKeyType={"associationTypeId": 9999})])),
    {"files": [{"fileName": "a.csv", "fileFormat": "SPREADSHEET"}]},
    {"files": [{"fileName": "a.csv", "fileImportPage": {"hasHeader": False}}]},
])  # fmt: skip
def test_a_wrong_request_is_refused(hub, change):
    """400, and no import is made."""
    send(hub, {**ordered(("a.csv", [EMAIL])), **change}, {"a.csv": "Email\na@example.com\n"}, 400)
    assert hub.call("GET", PATH)["results"] == []


def test_what_is_no_form_is_refused(hub):
    """A JSON body, a form without a request, a request that is no JSON."""
    hub.call("POST", PATH, ordered(("a.csv", [EMAIL])), 400)
    headers = {"Authorization": f"Bearer {hub.token}", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    for body in (b"", form({}, {}).replace(b"importRequest", b"other"), form({}, {}).replace(b"{}", b"{")):
        assert hub.sandbox(Request.make("POST", HOST + PATH, headers, body)).status == 400


def test_a_file_has_a_limit(hub):
    """Too many rows are a 429."""
    hub.set(import_rows=1)
    error = send(hub, ordered(("a.csv", [EMAIL])), {"a.csv": "Email\na@example.com\nb@example.com\n"}, 429)
    assert error["category"] == "RATE_LIMITS"
