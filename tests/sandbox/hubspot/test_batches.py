"""A hundred records at a time: the six rules of `batches.py`, and conflicts inside a batch."""

from __future__ import annotations

import pytest

from .conftest import COMPANY_OF_DEAL

OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}
BAD = {**OPEN, "amount": "x"}
DEALS = "/crm/v3/objects/deals/batch/"


def inputs(*properties, traced=True):
    """Inputs of batch/create with trace ids `t0`, `t1`, …"""
    return {
        "inputs": [
            {"properties": one, **({"objectWriteTraceId": f"t{i}"} if traced else {})}
            for i, one in enumerate(properties)
        ]
    }


def ids(answer):
    return {row["id"] for row in answer["results"]}


def all_deals(hub):
    return ids(hub.call("GET", "/crm/v3/objects/deals?limit=100"))


def test_a_whole_batch_is_created(hub):
    """201 and COMPLETE with times; every result names its input by trace id."""
    company = hub.create("companies", {"name": "C"})
    body = inputs(*({**OPEN, "dealname": f"D{i}"} for i in range(100)))
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": COMPANY_OF_DEAL}]
    for one in body["inputs"]:
        one["associations"] = [{"to": {"id": company}, "types": types}]
    answer = hub.call("POST", DEALS + "create", body, 201)
    assert answer.keys() == {"status", "results", "startedAt", "completedAt"}
    assert answer["status"] == "COMPLETE"
    names = {row["objectWriteTraceId"]: row["properties"]["dealname"] for row in answer["results"]}
    assert names == {f"t{i}": f"D{i}" for i in range(100)}
    assert hub.read("companies", company, "num_associated_deals")["num_associated_deals"] == "100"


def test_results_come_in_any_order(hub):
    """Shuffled unless the setting says otherwise."""
    body = inputs(*({**OPEN, "dealname": f"D{i}"} for i in range(20)))
    in_order = [f"t{i}" for i in range(20)]
    shuffled = hub.call("POST", DEALS + "create", body, 201)["results"]
    assert [row["objectWriteTraceId"] for row in shuffled] != in_order
    hub.set(shuffle_batches=False)
    straight = hub.call("POST", DEALS + "create", body, 201)["results"]
    assert [row["objectWriteTraceId"] for row in straight] == in_order


@pytest.mark.parametrize("act", ["create", "read", "update", "upsert", "archive"])
def test_a_batch_takes_at_most_a_hundred(hub, act):
    """101 inputs, and none at all, are a 400."""
    many = [{"id": str(i), "properties": OPEN} for i in range(101)]
    assert "100" in hub.call("POST", DEALS + act, {"inputs": many}, 400)["message"]
    hub.call("POST", DEALS + act, {"inputs": []}, 400)


@pytest.mark.parametrize("act", ["read", "update", "upsert", "archive"])
@pytest.mark.parametrize("traced", [False, True])
def test_an_id_may_come_only_once(hub, act, traced):
    """The documented 400, with and without trace ids."""
    deal = hub.create("deals", OPEN)
    body = inputs({}, {}, traced=traced)
    for one in body["inputs"]:
        one["id"] = deal
    error = hub.call("POST", DEALS + act, body, 400)
    assert error["message"] == f"Duplicate IDs found in batch input: [{deal}]. IDs must be unique"
    assert error["context"] == {"ids": [deal]}


def test_addresses_that_differ_in_case_are_the_same_id(hub):
    """With `idProperty: email` two spellings of one address are duplicates."""
    spelled = [{"id": name, "idProperty": "email", "properties": {}} for name in ("A@example.com", "a@example.com")]
    hub.call("POST", "/crm/v3/objects/contacts/batch/upsert", {"inputs": spelled}, 400)


@pytest.mark.parametrize("partly", [False, True])
def test_without_trace_ids_one_bad_input_refuses_all(hub, partly):
    """Nothing is written, and the answer does not tell inputs apart; some trace ids are as good as none."""
    body = inputs(OPEN, BAD, {**OPEN, "nope": "1"}, traced=False)
    if partly:
        body["inputs"][0]["objectWriteTraceId"] = "t0"
    error = hub.call("POST", DEALS + "create", body, 400)
    assert [one["code"] for one in error["errors"]] == ["INVALID_NUMBER", "PROPERTY_DOESNT_EXIST"]
    assert "objectWriteTraceId" not in str(error)
    assert all_deals(hub) == set()


def test_with_trace_ids_the_good_inputs_are_written(hub):
    """207: results and errors, each error with its trace id."""
    answer = hub.call("POST", DEALS + "create", inputs(OPEN, BAD, {"dealname": "no stage"}), 207)
    assert [row["objectWriteTraceId"] for row in answer["results"]] == ["t0"]
    assert answer["numErrors"] == 2
    first, second = answer["errors"]
    assert (first["status"], first["category"]) == ("error", "VALIDATION_ERROR")
    assert first["message"].startswith("Property values were not valid: [")
    assert first["context"] == {"objectWriteTraceId": ["t1"]}
    assert second["context"] == {"properties": ["dealstage"], "objectWriteTraceId": ["t2"]}
    assert all_deals(hub) == ids(answer)


def test_trace_ids_must_differ(hub):
    """One trace id for two inputs is a 400."""
    body = inputs(OPEN, OPEN)
    body["inputs"][1]["objectWriteTraceId"] = "t0"
    hub.call("POST", DEALS + "create", body, 400)


@pytest.mark.parametrize("named", [False, True])
def test_a_taken_address_is_an_error_of_its_input(hub, named):
    """207 CONFLICT; whether the context names the existing contact is a switch, off by default."""
    hub.set(conflict_names_existing=named)
    existing = hub.create("contacts", {"email": "ada@example.com"})
    body = inputs({"email": "Ada@example.com"}, {"email": "new@example.com"})
    answer = hub.call("POST", "/crm/v3/objects/contacts/batch/create", body, 207)
    (error,) = answer["errors"]
    assert error["category"] == "CONFLICT"
    assert error["message"] == f"Contact already exists. Existing ID: {existing}"
    expected = {"objectWriteTraceId": ["t0"]} | ({"existingId": [existing]} if named else {})
    assert error["context"] == expected
    assert len(answer["results"]) == 1


def test_a_taken_address_refuses_an_untraced_batch(hub):
    """409 for the whole batch, nothing written."""
    existing = hub.create("contacts", {"email": "ada@example.com"})
    body = inputs({"email": "new@example.com"}, {"email": "ada@example.com"}, traced=False)
    assert hub.call("POST", "/crm/v3/objects/contacts/batch/create", body, 409)["category"] == "CONFLICT"
    assert ids(hub.call("GET", "/crm/v3/objects/contacts")) == {existing}


@pytest.mark.parametrize("named", [False, True])
def test_a_taken_unique_value_is_an_error_of_its_input(hub, named):
    """207 with code CONFLICTING_UNIQUE_VALUE; the holder is named only where the switch says so."""
    hub.set(conflict_names_existing=named)
    hub.unique_property("deals")
    existing = hub.create("deals", {**OPEN, "sf_id": "006A"})
    answer = hub.call("POST", DEALS + "create", inputs({**OPEN, "sf_id": "006A"}, {**OPEN, "sf_id": "006B"}), 207)
    (error,) = answer["errors"]
    assert error["category"] == "VALIDATION_ERROR"
    assert [one["code"] for one in error["errors"]] == ["CONFLICTING_UNIQUE_VALUE"]
    assert error["context"] == {"objectWriteTraceId": ["t0"]} | ({"existingId": [existing]} if named else {})
    assert (existing in str(error)) is named


@pytest.mark.parametrize("traced", [False, True])
def test_a_batch_can_collide_with_itself(hub, traced):
    """The second input with a value loses against the first; without trace ids both do."""
    hub.unique_property("deals")
    body = inputs({**OPEN, "sf_id": "006A"}, {**OPEN, "sf_id": "006A"}, traced=traced)
    answer = hub.call("POST", DEALS + "create", body, 207 if traced else 400)
    assert len(all_deals(hub)) == (1 if traced else 0)
    if traced:
        assert answer["errors"][0]["context"]["objectWriteTraceId"] == ["t1"]


def test_a_bad_inline_association_is_an_error_of_its_input(hub):
    """Neither a missing record nor a type of another direction can be associated."""
    contact = hub.create("contacts", {"lastname": "L"})
    body = inputs(OPEN, OPEN, OPEN)
    for one, to, type_id in zip(body["inputs"], (contact, "12", contact), (3, 3, 4), strict=True):
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
        one["associations"] = [{"to": {"id": to}, "types": types}]
    answer = hub.call("POST", DEALS + "create", body, 207)
    assert [error["context"]["objectWriteTraceId"] for error in answer["errors"]] == [["t1"], ["t2"]]
    assert answer["errors"][0]["message"] == "CONTACT=12 is not valid"


@pytest.mark.parametrize("traced", [False, True])
def test_missing_records_are_listed_always(hub, traced):
    """batch/update answers 207 for ids that are not there, with or without trace ids."""
    deal, gone = hub.create("deals", OPEN), hub.create("deals", OPEN)
    hub.call("DELETE", f"/crm/v3/objects/deals/{gone}", expect=204)
    body = inputs({"amount": "1"}, {"amount": "2"}, {"amount": "3"}, traced=traced)
    for one, record_id in zip(body["inputs"], (deal, gone, "12"), strict=True):
        one["id"] = record_id
    answer = hub.call("POST", DEALS + "update", body, 207)
    assert ids(answer) == {deal}
    (error,) = answer["errors"]
    assert error["category"] == "OBJECT_NOT_FOUND"
    assert error["message"] == (
        "Could not get some DEAL objects, they may be deleted or not exist. Check that ids are valid."
    )
    trace_ids = {"objectWriteTraceId": ["t1", "t2"]} if traced else {}
    assert error["context"] == {"ids": [gone, "12"], **trace_ids}
    assert hub.read("deals", deal, "amount")["amount"] == "1"


def test_absorbed_ids_are_left_out_in_silence(hub):
    """batch/read and batch/update answer 200 without them; the survivor is untouched."""
    hub.set(merge_mints_new_id=False)
    first, second = (hub.create("deals", OPEN) for _ in range(2))
    hub.call("POST", "/crm/v3/objects/deals/merge", {"primaryObjectId": first, "objectIdToMerge": second})
    read = hub.call("POST", DEALS + "read", {"inputs": [{"id": second}, {"id": first}]})
    assert ids(read) == {first}
    by_name = {"inputs": [{"id": second}], "idProperty": "hs_object_id"}
    assert hub.call("POST", DEALS + "read", by_name)["results"] == []
    update = hub.call("POST", DEALS + "update", {"inputs": [{"id": second, "properties": {"amount": "1"}}]})
    assert update["results"] == []
    assert hub.read("deals", first, "amount")["amount"] is None


def test_an_invalid_update_refuses_an_untraced_batch(hub):
    """All or nothing for values; with trace ids the good input is written."""
    deals = [hub.create("deals", OPEN) for _ in range(2)]
    for traced, status, kept in ((False, 400, None), (True, 207, "1")):
        body = inputs({"amount": "1"}, {"amount": "x"}, traced=traced)
        for one, deal in zip(body["inputs"], deals, strict=True):
            one["id"] = deal
        hub.call("POST", DEALS + "update", body, status)
        assert hub.read("deals", deals[0], "amount")["amount"] == kept


def test_upsert_creates_or_updates_by_a_unique_property(hub):
    """`new` tells which; the unique property is set on a new record."""
    hub.unique_property("deals")
    existing = hub.create("deals", {**OPEN, "sf_id": "006A"})
    body = inputs({"amount": "1"}, {**OPEN, "amount": "2"}, {"amount": "3"})
    for one, sf_id in zip(body["inputs"], ("006A", "006B", "006C"), strict=True):
        one |= {"id": sf_id, "idProperty": "sf_id"}
    answer = hub.call("POST", DEALS + "upsert", body, 207)
    by_trace = {row["objectWriteTraceId"]: row for row in answer["results"]}
    assert (by_trace["t0"]["id"], by_trace["t0"]["new"]) == (existing, False)
    assert by_trace["t1"]["new"] is True
    assert hub.read("deals", by_trace["t1"]["id"], "sf_id")["sf_id"] == "006B"
    assert answer["errors"][0]["context"]["objectWriteTraceId"] == ["t2"]


def test_upsert_by_record_id_creates_nothing(hub):
    """A record id that is not there is missing."""
    answer = hub.call("POST", DEALS + "upsert", {"inputs": [{"id": "12", "properties": OPEN}]}, 207)
    assert answer["errors"][0]["context"] == {"ids": ["12"]}
    assert all_deals(hub) == set()


@pytest.mark.parametrize(("act", "kind", "name"), [
    ("upsert", "companies", "domain"), ("update", "deals", "dealname"), ("upsert", "deals", "nope"),
])  # fmt: skip
def test_a_batch_needs_an_identifying_property(hub, act, kind, name):
    """The whole batch is refused for a non-unique idProperty."""
    body = {"inputs": [{"id": "x", "idProperty": name, "properties": {}}]}
    error = hub.call("POST", f"/crm/v3/objects/{kind}/batch/{act}", body, 400)
    assert error["message"].startswith("Unable to perform update/upsert by non-unique 0-")


def test_batch_read_by_id_and_by_value(hub):
    """The properties asked for, by record id or a unique property; missing ids in one error of a 207."""
    hub.unique_property("deals")
    deal = hub.create("deals", {**OPEN, "sf_id": "006A", "amount": "5"})
    body = {"inputs": [{"id": deal}, {"id": "12"}, {"id": "13"}], "properties": ["amount"]}
    answer = hub.call("POST", DEALS + "read", body, 207)
    assert answer["results"][0]["properties"]["amount"] == "5"
    assert answer["errors"][0]["context"] == {"ids": ["12", "13"]}
    by_value = {"inputs": [{"id": "006A"}], "idProperty": "sf_id", "propertiesWithHistory": ["amount"]}
    (row,) = hub.call("POST", DEALS + "read", by_value)["results"]
    assert row["id"] == deal
    assert row["propertiesWithHistory"]["amount"][0]["value"] == "5"


def test_batch_read_with_history_takes_fifty(hub):
    """51 inputs with history are too many."""
    body = {"inputs": [{"id": str(i)} for i in range(51)], "propertiesWithHistory": ["amount"]}
    hub.call("POST", DEALS + "read", body, 400)


def test_batch_read_of_archived_records(hub):
    """`archived=true` reads only archived ones."""
    deal, live = hub.create("deals", OPEN), hub.create("deals", OPEN)
    hub.call("POST", DEALS + "archive", {"inputs": [{"id": deal}, {"id": "12"}]}, 204)
    answer = hub.call("POST", DEALS + "read?archived=true", {"inputs": [{"id": deal}, {"id": live}]}, 207)
    assert ids(answer) == {deal}
    assert answer["errors"][0]["context"] == {"ids": [live]}


@pytest.mark.parametrize("echoed", [True, False])
def test_results_may_echo_their_trace_ids(hub, echoed):
    """A switch, since it is not known whether HubSpot does."""
    hub.set(echo_trace_ids=echoed)
    inputs = [{"properties": {"email": "a@example.com"}, "objectWriteTraceId": "t"}]
    answer = hub.call("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs}, 201)
    assert answer["results"][0].get("objectWriteTraceId") == ("t" if echoed else None)


@pytest.mark.parametrize(("listed", "status"), [(True, 207), (False, 400)])
def test_updates_may_list_what_was_refused(hub, listed, status):
    """A switch, since only create and upsert are known to do so; either way nothing invalid is written."""
    hub.set(update_lists_refused=listed)
    ids = [hub.create("deals", {"dealname": name, "dealstage": "closedwon"}) for name in "AB"]
    inputs = [
        {"id": one, "properties": {"amount": amount}, "objectWriteTraceId": amount}
        for one, amount in zip(ids, ("7", "much"), strict=True)
    ]
    hub.call("POST", "/crm/v3/objects/deals/batch/update", {"inputs": inputs}, status)
    assert [hub.read("deals", one, "amount")["amount"] for one in ids] == ["7" if listed else None, None]
