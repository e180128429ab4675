"""What Salesforce's odder answers mean, told by hand where a sandbox is too well-behaved."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
import requests
import responses
from adapters.conformance import flat, make
from adapters.conftest import START, never

from connector.adapters import salesforce as salesforce_adapter
from connector.adapters.answers import Misshapen
from connector.adapters.base import Draft, Edit, Trouble, Wanted
from connector.adapters.http import Door
from connector.adapters.salesforce import Salesforce, SalesforceCredentials, Schema
from connector.core.model import ProblemClass, Side
from connector.errors import Unreachable
from connector.sandbox.transport import SandboxAdapter
from connector.sandbox.wire import Response

ORG = "https://acme.my.salesforce.com"
DATA = f"{ORG}/services/data/v62.0"
SECRET = "canary-77aa"
WANTED = Wanted(("Name",), "HubSpot_Id__c")
SCHEMA = Schema({"Opportunity": {name: {} for name in ("Name", "Amount", "HubSpot_Id__c")}})


def adapter(**credentials):
    login = SalesforceCredentials(ORG, **(credentials or {"session_id": SECRET}))
    door = Door(
        Side.SALESFORCE,
        salesforce_adapter.judge,
        counts=salesforce_adapter.is_counted,
        secrets=login.secrets,
        sleep=lambda _: None,
    )
    crm = Salesforce(door, login)
    crm.use_schema(SCHEMA)
    return crm


@pytest.fixture
def crm():
    return adapter()


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


def composite(wire, *parts, **more):
    """Lay ready the answer to one composite: (status, body) of each sub-request, in order."""

    def answer(request):
        asked = orjson.loads(request.body)["compositeRequest"]
        assert len(asked) == len(parts)
        told = [
            {"referenceId": one["referenceId"], "httpStatusCode": status, "body": body, "httpHeaders": {}}
            for one, (status, body) in zip(asked, parts, strict=True)
        ]
        return 200, more, orjson.dumps({"compositeResponse": told})

    wire.add_callback("POST", f"{DATA}/composite", answer, content_type="application/json")


def error(code, message="no", **more):
    return {"statusCode": code, "message": message, "fields": []} | more


def saved(id_):
    return {"id": id_, "success": True, "errors": []}


def failed(*errors):
    return {"success": False, "errors": list(errors)}


def create(crm, *keys):
    drafts = [Draft(key, {"Name": key, "HubSpot_Id__c": key}) for key in keys]
    return {one.key: one for one in flat(crm.create("Opportunity", drafts, WANTED))}


def asked(wire, number=0):
    """The sub-requests of a composite that was sent."""
    return orjson.loads(wire.calls[number].request.body)["compositeRequest"]


@pytest.mark.parametrize(
    ("code", "trouble", "cause"),
    [
        ("UNABLE_TO_LOCK_ROW", Trouble.PASSING, ProblemClass.CONNECTION),
        ("REQUEST_RUNNING_TOO_LONG", Trouble.PASSING, ProblemClass.CONNECTION),
        ("SERVER_UNAVAILABLE", Trouble.PASSING, ProblemClass.CONNECTION),
        ("ENTITY_IS_DELETED", Trouble.REFUSED, ProblemClass.ASSOCIATIONS),
        ("DUPLICATE_VALUE", Trouble.COLLIDED, ProblemClass.DUPLICATES),
        ("DUPLICATES_DETECTED", Trouble.REFUSED, ProblemClass.DUPLICATES),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", Trouble.REFUSED, ProblemClass.CUSTOM_CODE),
        ("REQUIRED_FIELD_MISSING", Trouble.REFUSED, ProblemClass.PROPERTY_VALUES),
        ("INSUFFICIENT_ACCESS_OR_READONLY", Trouble.REFUSED, ProblemClass.PERMISSIONS),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", Trouble.REFUSED, ProblemClass.CUSTOM_CODE),
        ("INVALID_CROSS_REFERENCE_KEY", Trouble.REFUSED, ProblemClass.ASSOCIATIONS),
    ],
)
def test_errors_of_single_records(crm, wire, code, trouble, cause):
    """Each record of a collection has its own outcome: what to do, the class, and the vendor's own words."""
    refused = failed(error(code, "because", fields=["Name", "Amount"]))
    composite(wire, (200, [saved("00600000000000A"), refused, saved("00600000000000B")]))
    outcomes = create(crm, "a", "b", "c")
    assert {key: one.id for key, one in outcomes.items()} == {
        "a": "00600000000000A",
        "b": None,
        "c": "00600000000000B",
    }
    refusal = outcomes["b"].refusal
    assert (refusal.trouble, refusal.cause, refusal.code) == (trouble, cause, code)
    assert (refusal.message, refusal.field) == ("because", "Name,Amount")


@pytest.mark.parametrize(
    ("told", "id_"),
    [
        ("record with id: 001D000000IRFma", "001D000000IRFmaIAH"),
        ("record with id: 001D000000IRFmaIAH", "001D000000IRFmaIAH"),
        ("record with id: <unknown>", None),
        ("somebody else's", None),
    ],
)
def test_a_duplicate_names_its_holder(crm, wire, told, id_):
    """The holder of a unique value is known by the form of its id that everything else answers, if it is told."""
    text = f"duplicate value found: HubSpot_Id__c duplicates value on {told}"
    composite(wire, (200, [failed(error("DUPLICATE_VALUE", text))]))
    assert create(crm, "a")["a"].refusal.existing_id == id_


def test_an_error_without_words(crm, wire):
    """A refusal always has a code and a text."""
    composite(wire, (200, [{"success": False}]))
    refusal = create(crm, "a")["a"].refusal
    assert (refusal.code, refusal.message) == ("UNKNOWN", "Salesforce gave no reason")


def test_a_halted_sub_request_passes(crm, wire):
    """What was not tried because something before it failed may be tried again."""
    halted = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back"}]
    composite(wire, (200, [saved(f"006{n:012}") for n in range(200)]), (400, halted))
    keys = [str(number) for number in range(201)]
    outcomes = create(crm, *keys)
    assert [key for key, one in outcomes.items() if one.refusal] == ["200"]
    assert outcomes["200"].refusal.trouble is Trouble.PASSING


@pytest.mark.parametrize(("status", "body"), [(500, [error("UNKNOWN_EXCEPTION")]), (404, [])])
def test_a_failing_collection_fails_all_its_records(crm, wire, status, body):
    """A collection without results per record gives each of its records the same refusal, and is sent once."""
    composite(wire, (status, body))
    outcomes = create(crm, "a", "b")
    assert list(outcomes) == ["a", "b"]
    assert all(one.id is None and one.refusal.message for one in outcomes.values())


@pytest.mark.parametrize("body", [[], [{"id": "1", "success": True}], {}, [{"success": True}, {"success": True}]])
def test_a_collection_that_tells_of_other_rows_ends_the_run(crm, wire, body):
    """What became of each row is unknown then: the next run looks, and nothing is guessed by position."""
    composite(wire, (200, body))
    with pytest.raises(Misshapen) as caught:
        create(crm, "a", "b")
    assert "POST composite/sobjects (w0)" in caught.value.message


def test_a_failing_query_stops_the_look(crm, wire):
    """A sub-request that reads may not fail quietly: the run ends with Salesforce's own words."""
    text = "\nSELECT Foo FROM X\n       ^\nERROR at Row:1:Column:8\nNo such column 'Foo'"
    wire.get(f"{DATA}/limits", json={}, headers={"Date": "Mon, 02 Nov 2026 09:00:00 GMT"})
    composite(wire, (400, [{"errorCode": "INVALID_FIELD", "message": text}]))
    with pytest.raises(Unreachable) as caught:
        list(crm.changes({"Opportunity": WANTED}, {}))
    assert caught.value.message == "Salesforce: INVALID_FIELD: No such column 'Foo'"
    assert caught.value.cause == ProblemClass.FIELD_MAPPING
    assert "access to the object and its fields" in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "code", "cause", "text"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", ProblemClass.API_LIMIT, "used up"),
        (403, "API_DISABLED_FOR_ORG", ProblemClass.PERMISSIONS, "disabled"),
        (401, "INVALID_SESSION_ID", ProblemClass.PERMISSIONS, "expired"),
        (400, "JSON_PARSER_ERROR", ProblemClass.CONNECTION, "JSON_PARSER_ERROR"),
        (403, "SOMETHING_NEW", ProblemClass.CONNECTION, "SOMETHING_NEW"),
        (404, "NOT_FOUND", ProblemClass.CONNECTION, "NOT_FOUND"),
        (410, "UNSUPPORTED_API_VERSION", ProblemClass.CONNECTION, "UNSUPPORTED_API_VERSION"),
    ],
)
def test_refusals_of_whole_calls_stop_the_run(crm, wire, status, code, cause, text):
    """What concerns the whole connection ends the run, at once, and says what to do."""
    wire.post(f"{DATA}/composite", status=status, json=[{"errorCode": code, "message": f"see {SECRET}"}])
    with pytest.raises(Unreachable, match=text) as caught:
        create(crm, "a")
    assert (caught.value.side, caught.value.cause) == (Side.SALESFORCE, cause)
    assert caught.value.remedy
    assert SECRET not in str(caught.value)
    assert len(wire.calls) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_passing_troubles_are_waited_out(crm, wire, status):
    """A server that is busy is asked again."""
    wire.post(f"{DATA}/composite", status=status, body="busy")
    composite(wire, (200, [saved("00600000000000A")]))
    assert create(crm, "a")["a"].id == "00600000000000A"


@pytest.mark.parametrize("status", [200, 400, 404])
def test_what_is_not_json_stops_the_run(crm, wire, status):
    """A page of some proxy in place of an answer ends the run with a reason."""
    wire.post(f"{DATA}/composite", status=status, body="<html>Welcome</html>")
    with pytest.raises(Unreachable) as caught:
        create(crm, "a")
    assert caught.value.cause == ProblemClass.CONNECTION


def test_calls_left_are_told_by_the_answers(crm, wire):
    """The header of the last answer tells what the org has left today."""
    composite(wire, (200, [saved("00600000000000A")]), **{"Sforce-Limit-Info": "api-usage=14998/15000"})
    composite(wire, (200, [saved("00600000000000B")]), **{"Sforce-Limit-Info": "api-usage=15003/15000"})
    assert crm.usage().left is None
    create(crm, "a")
    assert crm.usage().left == 2
    create(crm, "b")
    assert (crm.usage().left, crm.usage().calls) == (0, 2)


def test_writes_name_their_object_and_only_known_fields(crm, wire):
    """Each row carries its type; a field that the org lacks is not sent; rows stand for themselves."""
    composite(wire, (200, [saved("00600000000000A")]))
    flat(crm.update("Opportunity", [Edit("00600000000000A", {"Name": None, "Nowhere__c": 1})]))
    (part,) = asked(wire)
    assert (part["method"], part["url"]) == ("PATCH", "/services/data/v62.0/composite/sobjects")
    row = {"attributes": {"type": "Opportunity"}, "Name": None, "id": "00600000000000A"}
    assert part["body"] == {"allOrNone": False, "records": [row]}


# --- contact roles ---


def people(bench, number):
    drafts = [Draft(str(n), {"LastName": f"Roe {n}"}) for n in range(number)]
    return [one.id for one in flat(bench.crm.create("Contact", drafts, Wanted(())))]


def test_roles_that_exist_are_not_made_again(salesforce):
    """Adding a role twice leaves one, and both times says which."""
    deal, (contact, other) = make(salesforce, 1).popitem()[1], people(salesforce, 2)
    (first,) = flat(salesforce.crm.add_roles([(deal, contact)]))
    again = flat(salesforce.crm.add_roles([(deal, contact), (deal, other)]))
    assert {one.key for one in again} == {f"{deal}/{contact}", f"{deal}/{other}"}
    assert {one.key: one.id for one in again}[first.key] == first.id
    assert len(salesforce.sandbox.org.store.table("OpportunityContactRole").live) == 2


def test_a_role_of_someone_gone_is_refused_alone(salesforce):
    """One outcome per role, whatever is wrong with some."""
    deal, (contact, gone) = make(salesforce, 1).popitem()[1], people(salesforce, 2)
    salesforce.remove([gone])
    outcomes = {one.key: one for one in flat(salesforce.crm.add_roles([(deal, gone), (deal, contact)]))}
    assert outcomes[f"{deal}/{gone}"].refusal is not None
    assert outcomes[f"{deal}/{contact}"].refusal is None


@pytest.mark.parametrize("number", [1, 500, 501, 1000, 1001])
def test_the_price_of_roles_is_what_is_paid(salesforce, number):
    """Looking which roles exist is part of the price."""
    deals, (contact,) = list(make(salesforce, number).values()), people(salesforce, 1)
    before = salesforce.crm.usage().calls
    flat(salesforce.crm.add_roles([(deal, contact) for deal in deals]))
    assert salesforce.crm.usage().calls - before == salesforce.crm.price("connect", number)


@pytest.mark.parametrize("happening", [{"body": requests.ReadTimeout("slow")}, {"status": 504, "body": "gateway"}])
def test_a_role_is_not_made_twice_after_a_lost_answer(crm, wire, happening):
    """A role has no key of its own: if its answer is lost the run ends, and the next one looks."""
    composite(wire, (200, {"done": True, "records": []}))
    wire.post(f"{DATA}/composite", **happening)
    with pytest.raises(Unreachable, match="must not be repeated"):
        flat(crm.add_roles([("00600000000000A", "003A")]))
    assert len(wire.calls) == 2


# --- signing in ---


def sign_in(bench, **given):
    """A new adapter with these credentials, that has made one call."""
    mounts = {"https://": SandboxAdapter(bench.line)}
    login = SalesforceCredentials(ORG, **given)
    door = Door(
        Side.SALESFORCE,
        salesforce_adapter.judge,
        counts=salesforce_adapter.is_counted,
        secrets=login.secrets,
        mounts=mounts,
        sleep=never,
    )
    crm = Salesforce(door, login)
    crm.set_up()
    return crm


WAYS = {
    "session": (["session_id"], None),
    "client credentials": (["consumer_key", "consumer_secret"], "/services/oauth2/token"),
    "password": (["consumer_key", "consumer_secret", "username", "password"], "/services/oauth2/token"),
    "soap": (["username", "password", "security_token"], "/services/Soap/u/62.0"),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_sign_in(salesforce, way):
    """Session, client credentials, password flow and SOAP all lead into the org; signing in is no API call."""
    names, path = WAYS[way]
    salesforce.line.requests.clear()
    crm = sign_in(salesforce, **{name: getattr(salesforce.sandbox, name) for name in names})
    paths = [one.path for one in salesforce.line.requests]
    assert paths == ([path] if path else []) + ["/services/data/v62.0/composite"]
    assert crm.usage().calls == 1


@pytest.mark.parametrize("way", WAYS)
def test_wrong_credentials_are_said(salesforce, way):
    """A login that is refused ends the run at once, and tells which settings to check but no secret."""
    names, _ = WAYS[way]
    given = {name: getattr(salesforce.sandbox, name) for name in names} | {names[-1]: SECRET}
    with pytest.raises(Unreachable, match="refuses the login") as caught:
        sign_in(salesforce, **given)
    assert caught.value.cause == ProblemClass.PERMISSIONS
    assert "SALESFORCE_SESSION_ID" in caught.value.remedy
    told = f"{caught.value.message} {caught.value.remedy} {caught.value!r}"
    assert not any(secret in told for secret in (SECRET, salesforce.sandbox.consumer_secret))


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("way", ["client credentials", "password", "soap"])
def test_a_login_page_of_somebody_else(salesforce, way, status):
    """Whatever a proxy answers to a login, the run ends with a reason and without secrets."""
    names, path = WAYS[way]
    page = f"<html>You sent {SECRET}</html>".encode()
    salesforce.line.instead = lambda request: Response(status, page) if request.path == path else None
    with pytest.raises(Unreachable, match="refuses the login") as caught:
        sign_in(salesforce, **dict.fromkeys(names, SECRET))
    assert SECRET not in str(caught.value)


def test_a_look_that_is_the_first_call_knows_the_servers_time(salesforce):
    """Even then a cursor is made of the server's time, not of ours."""
    box = salesforce.sandbox
    box.clock.set(START + timedelta(days=4000))
    door = Door(Side.SALESFORCE, salesforce_adapter.judge, mounts={"https://": SandboxAdapter(box)}, sleep=never)
    crm = Salesforce(door, SalesforceCredentials(ORG, session_id=box.session_id))
    cursors = [page.cursors for page in crm.changes({"Account": Wanted(())}, {})]
    assert cursors[-1]["salesforce/Account"].startswith("2037-10-15T08:50")


# --- set-up ---


def test_set_up_is_one_call(salesforce):
    """Users, record types and stages come together, with the server's time."""
    salesforce.sandbox.admin.add("record_types", [{"Name": "Renewal"}, {"Name": "Old", "IsActive": False}])
    salesforce.sandbox.admin.add("users", [{"Email": "Ann@X.com"}, {"Email": "b@x.com", "IsActive": False}])
    before = salesforce.crm.usage().calls
    setup = salesforce.crm.set_up()
    assert salesforce.crm.usage().calls - before == 1
    assert [name for _, name in setup.record_types] == ["Renewal"]
    assert {one.email: one.active for one in setup.users} == {
        "admin@example.com": True,
        "ann@x.com": True,
        "b@x.com": False,
    }
    assert setup.stages[0].name == "Prospecting"
    assert [(one.name, one.probability) for one in setup.stages if one.won] == [("Closed Won", 100.0)]


def test_record_types_have_their_own_stages(salesforce):
    """A record type shows the stages of its sales process; an org without any has one master with all."""
    (master,) = salesforce.crm.record_types(salesforce.crm.set_up())
    assert (master.id, len(master.stages)) == (None, 10)
    narrowed = {"StageName": ["Prospecting", "Closed Won"]}
    salesforce.sandbox.admin.add("record_types", [{"Name": "Short", "picklistValues": narrowed}])
    (short,) = salesforce.crm.record_types(salesforce.crm.set_up())
    assert (short.name, [one.name for one in short.stages]) == ("Short", ["Prospecting", "Closed Won"])


def test_without_the_ui_api_a_record_type_has_all_stages(salesforce):
    """Where a user may not see picklists by record type, no stage is lost."""
    salesforce.sandbox.admin.add(
        "record_types", [{"Name": "Short", "picklistValues": {"StageName": ["Prospecting"]}}]
    )
    refused = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]
    salesforce.line.instead = lambda one: Response.json(refused, 403) if "/ui-api/" in one.path else None
    (short,) = salesforce.crm.record_types(salesforce.crm.set_up())
    assert len(short.stages) == 10


def test_what_the_user_may_do(salesforce):
    """System permissions are told by name."""
    assert salesforce.crm.permissions()["PermissionsApiEnabled"] is True


def test_objects_out_of_sight_have_no_fields(salesforce):
    """An object that the user may not see is described as empty, the others are not harmed."""
    salesforce.sandbox.admin.permissions({"objects": {"Contact": {"read": False, "edit": False}}})
    schema = salesforce.crm.describe(["Account", "Contact"])
    assert schema.has("Account", "Name")
    assert not schema.has("Contact", "LastName")
    assert not schema.has("Nothing", "Name")
