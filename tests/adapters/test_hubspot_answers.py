"""What HubSpot's odder answers mean, told by hand where a sandbox is too well-behaved."""

from __future__ import annotations

import orjson
import pytest
import responses

from connector.adapters import hubspot as hubspot_adapter
from connector.adapters.base import Draft, Edit, Trouble, Wanted
from connector.adapters.http import Door
from connector.adapters.hubspot import HubSpot, HubSpotCredentials
from connector.core.model import ProblemClass, Side
from connector.core.pipelines import CreatePipeline, CreateStage, Pipeline, Stage, UpdateStage
from connector.errors import Unreachable

BASE = "https://api.hubapi.com"
DEALS = f"{BASE}/crm/v3/objects/deals"
TOKEN = "pat-na1-canary"
WANTED = Wanted(("dealname",), "salesforce_id")


@pytest.fixture
def crm():
    door = Door(Side.HUBSPOT, hubspot_adapter.judge, secrets=[TOKEN], sleep=lambda _: None)
    return HubSpot(door, HubSpotCredentials(BASE, TOKEN), searches_per_second=0, workers=1)


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


def inputs(call):
    return orjson.loads(call.request.body)["inputs"]


def create(crm, *keys):
    """Outcomes by key of creating a deal per key."""
    drafts = [Draft(key, {"dealname": f"Deal {key}", "salesforce_id": key}) for key in keys]
    return {one.key: one for some in crm.create("deals", drafts, WANTED) for one in some}


def update(crm, *ids):
    return {
        one.key: one for some in crm.update("deals", [Edit(id_, {"dealname": "x"}) for id_ in ids]) for one in some
    }


def made(key, id_, *, traced=True):
    """A row of `results`."""
    row = {"id": id_, "properties": {"salesforce_id": key}}
    return row | {"objectWriteTraceId": key} if traced else row


def error(category="VALIDATION_ERROR", message="no", **more):
    return {"status": "error", "category": category, "message": message} | more


def test_every_input_has_its_trace_id(crm, wire):
    """Without trace ids one bad input would have the whole batch refused."""
    wire.post(f"{DEALS}/batch/create", status=201, json={"results": [made("a", "1"), made("b", "2")]})
    create(crm, "a", "b")
    assert [one["objectWriteTraceId"] for one in inputs(wire.calls[0])] == ["a", "b"]


def test_results_are_matched_by_trace_id(crm, wire):
    """Results come back in any order; errors name their input."""
    refused = error(context={"objectWriteTraceId": ["b"]})
    body = {"results": [made("c", "3"), made("a", "1")], "numErrors": 1, "errors": [refused]}
    wire.post(f"{DEALS}/batch/create", status=207, json=body)
    outcomes = create(crm, "a", "b", "c")
    assert {key: one.id for key, one in outcomes.items()} == {"a": "1", "b": None, "c": "3"}
    assert outcomes["b"].refusal.trouble is Trouble.REFUSED


def test_results_without_trace_ids_are_matched_by_the_unique_property(crm, wire):
    """Where the vendor does not repeat trace ids, the partner's id tells which is which."""
    rows = [made("b", "2", traced=False), made("a", "1", traced=False)]
    wire.post(f"{DEALS}/batch/create", status=201, json={"results": rows})
    assert {key: one.id for key, one in create(crm, "a", "b").items()} == {"a": "1", "b": "2"}


def test_results_that_belong_to_no_input_are_passed_over(crm, wire):
    """A row that cannot be matched is not taken for somebody else's."""
    rows = [made("z", "9"), {"id": "8", "properties": {}}, {"id": "7"}, made("a", "1")]
    wire.post(f"{DEALS}/batch/create", status=201, json={"results": rows})
    outcomes = create(crm, "a", "b")
    assert (outcomes["a"].id, outcomes["b"].id) == ("1", None)
    assert outcomes["b"].refusal.code == "NOT_IN_RESULTS"


def test_missing_records_are_named_by_id(crm, wire):
    """An update of ids that are not there names all of them in one error."""
    gone = error("OBJECT_NOT_FOUND", "Could not get some DEAL objects", context={"ids": ["2", "3"]})
    wire.post(f"{DEALS}/batch/update", status=207, json={"results": [{"id": "1"}], "errors": [gone]})
    outcomes = update(crm, "1", "2", "3")
    assert outcomes["1"].id == "1"
    assert [outcomes[id_].refusal.trouble for id_ in "23"] == [Trouble.GONE, Trouble.GONE]


def test_a_merged_record_simply_lacks(crm, wire):
    """What is neither among the results nor the errors was merged away."""
    wire.post(f"{DEALS}/batch/update", json={"results": [{"id": "1"}]})
    outcome = update(crm, "1", "2")["2"]
    assert (outcome.id, outcome.refusal.trouble) == (None, Trouble.GONE)


def refuse_whole(culprits, status=400, body=None):
    """A vendor that refuses every batch with a culprit in it, whole."""

    def answer(request):
        keys = [one["objectWriteTraceId"] for one in orjson.loads(request.body)["inputs"]]
        if culprits & set(keys):
            return status, {}, orjson.dumps(body or error(message="Property values were not valid"))
        return 201, {}, orjson.dumps({"results": [made(key, f"id-{key}") for key in reversed(keys)]})

    return answer


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
@pytest.mark.parametrize("culprits", [{"k0"}, {"k13", "k14"}, {"k99"}, {f"k{n}" for n in range(0, 100, 9)}])
def test_a_whole_batch_refused_is_halved(crm, wire, culprits, status):
    """The culprits stand alone in the end, everything else is made, and each input is made once."""
    wire.add_callback("POST", f"{DEALS}/batch/create", refuse_whole(culprits, status))
    keys = [f"k{number}" for number in range(100)]
    outcomes = create(crm, *keys)
    assert list(outcomes) == keys
    assert {key for key, one in outcomes.items() if one.refusal} == culprits
    done = [
        one["objectWriteTraceId"] for call in wire.calls if call.response.status_code == 201 for one in inputs(call)
    ]
    assert sorted(done) == sorted(set(keys) - culprits)


@pytest.mark.parametrize(
    ("body", "existing"),
    [
        (error("CONFLICT", "Contact already exists. Existing ID: 17"), "17"),
        (error("CONFLICT", "taken", context={"existingId": ["18"]}), "18"),
        (error("CONFLICT", "taken"), None),
        (error(errors=[{"message": "x", "code": "CONFLICTING_UNIQUE_VALUE"}]), None),
        (error(message='Property values were not valid: [{"error":"CONFLICTING_UNIQUE_VALUE"}]'), None),
    ],
)
def test_conflicts_name_the_existing_record_or_not(crm, wire, body, existing):
    """A taken unique value is a collision, named holder or not, in a 207 and as a whole."""
    in_207 = body | {"context": {"objectWriteTraceId": ["a"]} | body.get("context", {})}
    wire.post(f"{DEALS}/batch/create", status=207, json={"results": [], "errors": [in_207]})
    wire.post(f"{DEALS}/batch/create", status=409, json=body)
    for _ in range(2):
        refusal = create(crm, "a")["a"].refusal
        assert (refusal.trouble, refusal.cause) == (Trouble.COLLIDED, ProblemClass.DUPLICATES)
        assert refusal.existing_id == existing


@pytest.mark.parametrize(
    ("body", "code", "cause", "field"),
    [
        (
            error(errors=[{"code": "INVALID_OPTION", "context": {"propertyName": ["dealstage"]}}]),
            "INVALID_OPTION",
            ProblemClass.PROPERTY_VALUES,
            "dealstage",
        ),
        (
            error(message='Property values were not valid: [{"isValid":false,"error":"PROPERTY_DOESNT_EXIST"}]'),
            "PROPERTY_DOESNT_EXIST",
            ProblemClass.FIELD_MAPPING,
            "",
        ),
        (error(), "VALIDATION_ERROR", ProblemClass.PROPERTY_VALUES, ""),
        ({}, "REFUSED", ProblemClass.PROPERTY_VALUES, ""),
        ([], "REFUSED", ProblemClass.PROPERTY_VALUES, ""),
    ],
)
def test_refusals_say_why(crm, wire, body, code, cause, field):
    """Code, class and field of a refusal are found wherever HubSpot puts them; some text is always there."""
    wire.post(f"{DEALS}/batch/create", status=400, json=body)
    refusal = create(crm, "a")["a"].refusal
    assert (refusal.trouble, refusal.code, refusal.cause, refusal.field) == (Trouble.REFUSED, code, cause, field)
    assert refusal.message


@pytest.mark.parametrize("status", [200, 201, 400, 404])
def test_what_is_not_json_stops_the_run(crm, wire, status):
    """A page of some proxy in place of an answer ends the run with a reason; it is not taken for an outcome."""
    wire.post(f"{DEALS}/batch/create", status=status, body="<html>Welcome</html>")
    with pytest.raises(Unreachable, match="not JSON") as caught:
        create(crm, "a")
    assert caught.value.cause == ProblemClass.CONNECTION


def test_missing_scopes_are_named(crm, wire):
    """A 403 tells which scope the token needs."""
    context = {"requiredGranularScopes": ["crm.objects.deals.write"]}
    wire.post(f"{DEALS}/batch/create", status=403, json=error("MISSING_SCOPES", errors=[{"context": context}]))
    wire.post(f"{DEALS}/batch/create", status=403, body="Forbidden")
    for remedy in ("crm.objects.deals.write", "connector check"):
        with pytest.raises(Unreachable) as caught:
            create(crm, "a")
        assert caught.value.cause == ProblemClass.PERMISSIONS
        assert remedy in caught.value.remedy


def test_a_refused_token_is_said(crm, wire):
    """A 401 names the setting, and no part of the token."""
    wire.post(f"{DEALS}/batch/create", status=401, json=error("INVALID_AUTHENTICATION", f"token {TOKEN} expired"))
    with pytest.raises(Unreachable, match="refuses the access token") as caught:
        create(crm, "a")
    assert "HUBSPOT_ACCESS_TOKEN" in caught.value.remedy
    assert TOKEN not in f"{caught.value.message} {caught.value.remedy}"


def test_vendors_texts_are_cleaned(crm, wire):
    """A secret that the vendor repeats does not get into the message."""
    wire.get(DEALS, status=400, json=error(message=f"bad header Bearer {TOKEN}"))
    with pytest.raises(Unreachable, match="bad header") as caught:
        list(crm.changes({"deals": WANTED}, {}))
    assert TOKEN not in str(caught.value)


def test_redirects_are_not_followed(crm, wire):
    """The token goes nowhere but to the address in the settings."""
    wire.get(DEALS, status=302, headers={"Location": "https://elsewhere.example/"}, json={})
    with pytest.raises(Unreachable):
        list(crm.changes({"deals": WANTED}, {}))
    assert len(wire.calls) == 1


def test_calls_left_are_told_by_some_answers(crm, wire):
    """Answers to searches do not tell what is left; the last that told counts."""
    wire.get(f"{BASE}/account-info/v3/details", json={}, headers={"X-HubSpot-RateLimit-Daily-Remaining": "42"})
    wire.get(f"{BASE}/account-info/v3/details", json={}, headers={"X-HubSpot-RateLimit-Daily-Remaining": "unknown"})
    wire.get(f"{BASE}/account-info/v3/details", json={})
    assert crm.usage().left is None
    for number in range(1, 4):
        crm.account()
        assert (crm.usage().calls, crm.usage().left) == (number, 42)


def test_lists_are_read_to_the_end(crm, wire):
    """Owners come by pages; those without an address are kept."""
    wire.get(
        f"{BASE}/crm/v3/owners",
        json={"results": [{"id": 1, "email": "Ann@X.com"}], "paging": {"next": {"after": "9"}}},
        match=[responses.matchers.query_param_matcher({"limit": "100"})],
    )
    wire.get(
        f"{BASE}/crm/v3/owners",
        json={"results": [{"id": 2, "email": None}]},
        match=[responses.matchers.query_param_matcher({"limit": "100", "after": "9"})],
    )
    assert [(one.id, one.email) for one in crm.owners()] == [("1", "ann@x.com"), ("2", "")]


def test_properties_that_exist_are_left_alone(crm, wire):
    """Creating the connector's properties again is no error; any other refusal is."""
    root = f"{BASE}/crm/v3/properties/deals"
    exists = error("CONFLICT", "exists")
    for _ in range(2):
        wire.post(f"{root}/groups", status=409, json=exists)
    wire.post(f"{root}/batch/create", status=207, json={"results": [], "errors": [exists]})
    wire.post(f"{root}/batch/create", status=207, json={"results": [], "errors": [error(message="too many")]})
    crm.make_properties("deals", [{"name": "salesforce_id"}])
    with pytest.raises(Unreachable, match="too many"):
        crm.make_properties("deals", [{"name": "salesforce_id"}])


def test_scopes_are_told_or_not(crm, wire):
    """A private app's token tells its scopes; other kinds of token do not."""
    url = f"{BASE}/oauth/v2/private-apps/get/access-token-info"
    wire.post(url, json={"scopes": ["a", "b"]}, match=[responses.matchers.json_params_matcher({"tokenKey": TOKEN})])
    assert crm.scopes() == {"a", "b"}
    wire.replace("POST", url, status=404, json={})
    assert crm.scopes() is None


def test_pipelines_are_read(crm, wire):
    """Archived pipelines and stages are left out; numbers and booleans come as text."""
    stage = {"id": "won", "label": "Won", "displayOrder": 2, "metadata": {"probability": "1.0", "isClosed": "true"}}
    bare = {"id": "new", "label": "New"}
    pipeline = {"id": "p", "label": "Sales", "displayOrder": 3, "stages": [stage, bare, bare | {"archived": True}]}
    results = [pipeline, pipeline | {"id": "old", "archived": True}]
    wire.get(f"{BASE}/crm/v3/pipelines/deals", json={"results": results})
    won, new = Stage("won", "Won", 1.0, closed=True, order=2), Stage("new", "New", 0.0, closed=False, order=0)
    assert crm.pipelines() == (Pipeline("p", "Sales", (won, new), 3),)


def test_pipelines_are_made(hubspot):
    """What is created is what is read back, and changes arrive."""
    stages = (Stage("s1", "One", 0.1, closed=False, order=0), Stage("s2", "Won", 1.0, closed=True, order=1))
    crm = hubspot.crm
    crm.make_pipeline(CreatePipeline(Pipeline("mine", "Mine", stages, 5)))
    crm.make_pipeline(CreateStage("mine", Stage("s3", "Lost", 0.0, closed=True, order=2)))
    crm.make_pipeline(UpdateStage("mine", Stage("s1", "First", 0.2, closed=False, order=0), stages[0]))
    (found,) = [one for one in crm.pipelines() if one.id == "mine"]
    assert [(one.id, one.label, one.probability, one.closed) for one in found.stages] == [
        ("s1", "First", 0.2, False),
        ("s2", "Won", 1.0, True),
        ("s3", "Lost", 0.0, True),
    ]
    refusal = crm.make_pipeline(CreatePipeline(Pipeline("other", "Mine", stages, 5)))
    assert (refusal.code, refusal.message) == ("CONFLICT", "A pipeline with label 'Mine' already exists.")


def test_L8_a_stage_that_is_cleared_first_takes_a_second_batch(crm, wire):
    """One for all of them, in front of other edits; a record that the first one refuses is not in it."""
    path = f"{BASE}/crm/v3/objects/contacts/batch/update"
    refused = error(context={"objectWriteTraceId": ["2"]})
    done = {"status": "COMPLETE", "results": [{"id": "1", "objectWriteTraceId": "1"}, {"id": "3"}]}
    wire.post(path, status=207, json=done | {"errors": [refused]})
    wire.post(path, json={"results": [{"id": "1", "objectWriteTraceId": "1", "updatedAt": "2026-03-02T09:00:00Z"}]})
    back = {"lifecyclestage": "lead", "jobtitle": "Dr"}
    edits = [
        Edit("3", {"jobtitle": "Dr"}),
        Edit("1", back, clears_first=frozenset({"lifecyclestage"})),
        Edit("2", back, clears_first=frozenset({"lifecyclestage"})),
    ]
    outcomes = {one.key: one for some in crm.update("contacts", edits) for one in some}
    first, second = (inputs(call) for call in wire.calls)
    assert [(one["id"], one["properties"].get("lifecyclestage")) for one in first] == [
        ("1", ""), ("2", ""), ("3", None),
    ]  # fmt: skip
    assert [(one["id"], one["properties"]) for one in second] == [("1", {"lifecyclestage": "lead"})]
    assert (outcomes["1"].version, bool(outcomes["2"].refusal), outcomes["3"].id) == (
        "2026-03-02T09:00:00Z",
        True,
        "3",
    )
