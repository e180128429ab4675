"""One record at a time: shapes, values, rules, what HubSpot keeps and computes itself."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from .conftest import COMPANY_OF_CONTACT, COMPANY_OF_DEAL, CONTACT_OF_DEAL, HOST

OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}
WON = {"dealname": "D", "dealstage": "closedwon"}


def code(error):
    return error["errors"][0]["code"]


# -- shapes


def test_a_new_record_is_answered_whole(hub):
    """201 with id, times, the written and the default properties; defined but empty ones are null."""
    answer = hub.call("POST", "/crm/v3/objects/contacts", {"properties": {"email": "Ada@Example.com"}}, 201)
    assert answer == {
        "id": answer["id"],
        "properties": {
            "email": "ada@example.com",
            "firstname": None,
            "lastname": None,
            "createdate": "2026-11-02T09:00:00.000Z",
            "lastmodifieddate": "2026-11-02T09:00:00.000Z",
            "hs_object_id": answer["id"],
        },
        "createdAt": "2026-11-02T09:00:00.000Z",
        "updatedAt": "2026-11-02T09:00:00.000Z",
        "archived": False,
    }


def test_undefined_properties_are_left_out(hub):
    """A requested property that is not defined is omitted, an empty one is null."""
    properties = hub.read("deals", hub.create("deals", OPEN), "amount", "nonsense", "dealname")
    assert properties["amount"] is None
    assert properties["dealname"] == "D"
    assert "nonsense" not in properties


def test_properties_may_be_repeated_or_joined(hub):
    """`properties=a&properties=b` asks for the same as `properties=a,b`."""
    deal = hub.create("deals", OPEN)
    repeated = hub.call("GET", f"/crm/v3/objects/deals/{deal}?properties=amount&properties=dealname")
    assert repeated == hub.call("GET", f"/crm/v3/objects/deals/{deal}?properties=amount,dealname")


def test_lists_are_paged_by_the_next_id(hub):
    """`after` is the next record's id, `link` is absolute and leads to it, and the last page has no paging."""
    deals = [hub.create("deals", OPEN) for _ in range(3)]
    first = hub.call("GET", "/crm/v3/objects/deals?limit=2&properties=amount,dealname")
    assert [row["id"] for row in first["results"]] == deals[:2]
    assert first["paging"]["next"]["after"] == deals[2]
    link = first["paging"]["next"]["link"]
    assert link.startswith(HOST + "/crm/v3/objects/deals?")
    parts = urlsplit(link)
    second = hub.call("GET", f"{parts.path}?{parts.query}")
    assert [row["id"] for row in second["results"]] == deals[2:]
    assert "amount" in second["results"][0]["properties"]
    assert "paging" not in second


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "limit=x", "limit=51&propertiesWithHistory=dealname"])
def test_too_long_pages_are_refused(hub, query):
    """At most 100 records a page, 50 with history."""
    hub.call("GET", f"/crm/v3/objects/deals?{query}", expect=400)


def test_associations_are_shown_on_request(hub):
    """Each type of an association is an entry; object types without any are left out."""
    company = hub.create("companies", {"name": "C"})
    contact = hub.create("contacts", {"lastname": "L"})
    deal = hub.create("deals", OPEN, (company, COMPANY_OF_DEAL), (contact, CONTACT_OF_DEAL))
    shown = hub.call("GET", f"/crm/v3/objects/deals/{deal}?associations=companies,contact&associations=deals")
    assert shown["associations"] == {
        "companies": {
            "results": [
                {"id": company, "type": "deal_to_company"},
                {"id": company, "type": "deal_to_company_unlabeled"},
            ]
        },
        "contacts": {"results": [{"id": contact, "type": "deal_to_contact"}]},
    }
    assert "associations" not in hub.call("GET", f"/crm/v3/objects/deals/{deal}?associations=deals")


def test_history_lists_the_newest_value_first(hub):
    """Every value with its time and source; equal writes add nothing, clearing is an empty value."""
    deal = hub.create("deals", {**OPEN, "amount": "1"})
    for amount in ("2", "2", "", "3"):
        hub.advance(1)
        hub.update("deals", deal, amount=amount)
    path = f"/crm/v3/objects/deals/{deal}?propertiesWithHistory=amount,dealname,description"
    shown = hub.call("GET", path)["propertiesWithHistory"]
    assert [entry["value"] for entry in shown["amount"]] == ["3", "", "2", "1"]
    assert shown["amount"][0]["timestamp"] == "2026-11-02T09:00:04.000Z"
    assert shown["amount"][-1]["timestamp"] == "2026-11-02T09:00:00.000Z"
    assert {entry["sourceType"] for entry in shown["amount"]} == {"INTEGRATION"}
    assert len(shown["dealname"]) == 1
    assert shown["description"] == []


def test_archived_records_leave_lists_and_reads(hub):
    """204; then only `archived=true` shows the record, with the time of its end."""
    deal = hub.create("deals", OPEN)
    hub.call("DELETE", f"/crm/v3/objects/deals/{deal}", expect=204)
    hub.call("GET", f"/crm/v3/objects/deals/{deal}", expect=404)
    hub.update("deals", deal, expect=404, amount="1")
    assert hub.call("GET", "/crm/v3/objects/deals")["results"] == []
    listed = hub.call("GET", "/crm/v3/objects/deals?archived=true")["results"]
    assert [row["id"] for row in listed] == [deal]
    assert listed[0]["archived"] is True
    assert listed[0]["archivedAt"] > listed[0]["createdAt"]
    assert hub.call("GET", f"/crm/v3/objects/deals/{deal}?archived=true")["id"] == deal
    hub.call("DELETE", f"/crm/v3/objects/deals/{deal}", expect=204)


def test_ids_grow(hub):
    """Ids are numeric strings in the order of creation, with gaps."""
    ids = [hub.create("companies", {"name": "A"}), hub.create("contacts", {"lastname": "B"})]
    ids += [hub.create("deals", OPEN) for _ in range(20)]
    numbers = [int(record_id) for record_id in ids]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] > len(ids)


# -- values


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("amount", "1054.0", "1054.0"),
        ("amount", " 12.5 ", "12.5"),
        ("amount", 7, "7"),
        ("amount", "1e3", "1e3"),
        ("amount", "", None),
        ("amount", None, None),
        ("closedate", "2026-01-02", "2026-01-02T00:00:00.000Z"),
        ("closedate", "2026-01-02T03:04:05.6789+02:00", "2026-01-02T01:04:05.678Z"),
        ("closedate", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
        ("closedate", "1767322800123", "2026-01-02T03:00:00.123Z"),
        ("signed_on", "2026-01-02", "2026-01-02"),
        ("signed_on", "1767312000000", "2026-01-02"),
        ("urgent", "TRUE", "true"),
        ("urgent", False, "false"),
        ("dealtype", "newbusiness", "newbusiness"),
        ("colours", "red;blue", "red;blue"),
        ("description", "a;b\nc", "a;b\nc"),
    ],
)
def test_values_are_kept_as_hubspot_prints_them(hub, own_properties, name, given, kept):
    """Strings or null: numbers as sent, moments in UTC with milliseconds, choices as they are."""
    deal = hub.create("deals", {**OPEN, name: given})
    assert hub.read("deals", deal, name)[name] == kept


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("amount", "12,5", "INVALID_NUMBER"),
        ("amount", "NaN", "INVALID_NUMBER"),
        ("amount", "1_000", "INVALID_NUMBER"),
        ("amount", "1e999999", "INVALID_NUMBER"),
        ("amount", "1e-999999", "INVALID_NUMBER"),
        ("amount", {"a": 1}, "INVALID_FORMAT"),
        ("closedate", "soon", "INVALID_DATE"),
        ("closedate", "99999999999999999", "INVALID_DATE"),
        ("signed_on", "1767312000001", "INVALID_DATE"),
        ("signed_on", "2026-02-30", "INVALID_DATE"),
        ("urgent", "maybe", "INVALID_OPTION"),
        ("dealtype", "NEWBUSINESS", "INVALID_OPTION"),
        ("colours", "red;green", "INVALID_OPTION"),
        ("description", "x" * 65_537, "PROPERTY_TOO_LONG"),
        ("nonsense", "x", "PROPERTY_DOESNT_EXIST"),
        ("createdate", "2026-01-02", "READ_ONLY_VALUE"),
        ("hs_object_id", "5", "READ_ONLY_VALUE"),
        ("hs_is_closed", "true", "READ_ONLY_VALUE"),
        ("num_associated_contacts", "3", "READ_ONLY_VALUE"),
        ("hubspot_owner_id", "1", "INVALID_OWNER_ID"),
        ("dealstage", "nowhere", "INVALID_OPTION"),
        ("pipeline", "nowhere", "INVALID_OPTION"),
    ],
)
def test_bad_values_are_refused(hub, own_properties, name, given, expected):
    """400 names the property and what is wrong with it; nothing is written."""
    error = hub.call("POST", "/crm/v3/objects/deals", {"properties": {**OPEN, name: given}}, 400)
    assert error["category"] == "VALIDATION_ERROR"
    assert error["message"].startswith("Property values were not valid: [{")
    assert [(one["code"], one["context"]) for one in error["errors"]] == [(expected, {"propertyName": [name]})]
    assert hub.call("GET", "/crm/v3/objects/deals")["results"] == []


@pytest.fixture
def own_properties(hub):
    for name, value_type, field_type, options in (
        ("signed_on", "date", "date", []),
        ("urgent", "bool", "booleancheckbox", []),
        ("colours", "enumeration", "checkbox", ["red", "blue"]),
    ):
        body = {"name": name, "label": name, "groupName": "dealinformation"}
        listed = [{"label": option, "value": option} for option in options]
        body |= {"type": value_type, "fieldType": field_type, "options": listed}
        hub.call("POST", "/crm/v3/properties/deals", body, 201)


def test_a_leading_semicolon_adds_a_choice(hub, own_properties):
    """`;blue` adds to what was chosen before."""
    deal = hub.create("deals", {**OPEN, "colours": "red"})
    hub.update("deals", deal, colours=";blue")
    assert hub.read("deals", deal, "colours")["colours"] == "red;blue"


def test_all_bad_values_are_listed(hub):
    """One refusal names every bad property."""
    error = hub.call("POST", "/crm/v3/objects/deals", {"properties": {**OPEN, "amount": "x", "nope": "1"}}, 400)
    assert [one["code"] for one in error["errors"]] == ["INVALID_NUMBER", "PROPERTY_DOESNT_EXIST"]


@pytest.mark.parametrize("address", ["ada", "ada@example", "a b@example.com", "@example.com"])
def test_a_bad_email_address_is_refused(hub, address):
    """INVALID_EMAIL."""
    error = hub.call("POST", "/crm/v3/objects/contacts", {"properties": {"email": address}}, 400)
    assert code(error) == "INVALID_EMAIL"


@pytest.mark.parametrize(
    ("kind", "properties", "missing"),
    [
        ("companies", {"phone": "1"}, ["name", "domain"]),
        ("contacts", {"phone": "1"}, ["email", "firstname", "lastname"]),
        ("contacts", {"lastname": ""}, ["email", "firstname", "lastname"]),
        ("deals", {"dealname": "D"}, ["dealstage"]),
        ("deals", {"dealstage": "closedwon"}, ["dealname"]),
    ],
)
def test_a_record_needs_its_required_properties(hub, kind, properties, missing):
    """400 names what a new record lacks."""
    error = hub.call("POST", f"/crm/v3/objects/{kind}", {"properties": properties}, 400)
    assert error["context"]["properties"] == missing


def test_an_email_address_belongs_to_one_contact(hub):
    """409 with the other's id in the message, on creation and on update, in any case."""
    first = hub.create("contacts", {"email": "ada@example.com"})
    second = hub.create("contacts", {"email": "bob@example.com"})
    expected = f"Contact already exists. Existing ID: {first}"
    body = {"properties": {"email": "ADA@example.com"}}
    for error in (
        hub.call("POST", "/crm/v3/objects/contacts", body, 409),
        hub.update("contacts", second, 409, email="Ada@Example.com"),
    ):
        assert (error["message"], error["category"]) == (expected, "CONFLICT")
    hub.update("contacts", first, email="ada@example.com")


def test_a_replaced_address_is_free_again(hub):
    """A contact may take an address that another has given up."""
    first = hub.create("contacts", {"email": "ada@example.com"})
    hub.update("contacts", first, email="new@example.com")
    hub.create("contacts", {"email": "ada@example.com"})
    hub.update("contacts", first, email="", lastname="L")
    hub.create("contacts", {"email": "new@example.com"})


def test_a_unique_value_belongs_to_one_record(hub):
    """400 CONFLICTING_UNIQUE_VALUE names the property and the record that has the value."""
    hub.unique_property("deals")
    holder = hub.create("deals", {**OPEN, "sf_id": "006A"})
    error = hub.call("POST", "/crm/v3/objects/deals", {"properties": {**OPEN, "sf_id": "006A"}}, 400)
    assert code(error) == "CONFLICTING_UNIQUE_VALUE"
    assert error["errors"][0]["context"] == {"propertyName": ["sf_id"]}
    assert f"{holder} already has that value" in error["message"]


@pytest.mark.parametrize(("keeps", "status"), [(False, 201), (True, 400)])
def test_whether_an_archived_record_keeps_its_value_is_a_switch(hub, keeps, status):
    """Not established at HubSpot; free by default."""
    hub.unique_property("deals")
    hub.set(archived_keeps_unique_value=keeps)
    deal = hub.create("deals", {**OPEN, "sf_id": "006A"})
    hub.call("DELETE", f"/crm/v3/objects/deals/{deal}", expect=204)
    hub.call("POST", "/crm/v3/objects/deals", {"properties": {**OPEN, "sf_id": "006A"}}, status)


def test_a_record_is_found_by_its_unique_values(hub):
    """By `idProperty` on read and update: e-mail in any case, unique properties, the id itself."""
    hub.unique_property("deals")
    contact = hub.create("contacts", {"email": "ada@example.com"})
    deal = hub.create("deals", {**OPEN, "sf_id": "006A"})
    assert hub.call("GET", "/crm/v3/objects/contacts/ADA@example.com?idProperty=email")["id"] == contact
    assert hub.call("GET", "/crm/v3/objects/deals/006A?idProperty=sf_id")["id"] == deal
    assert hub.call("GET", f"/crm/v3/objects/deals/{deal}?idProperty=hs_object_id")["id"] == deal
    body = {"properties": {"amount": "5"}}
    assert hub.call("PATCH", "/crm/v3/objects/deals/006A?idProperty=sf_id", body)["id"] == deal
    hub.call("GET", "/crm/v3/objects/deals/006B?idProperty=sf_id", expect=404)


@pytest.mark.parametrize(
    ("kind", "name", "type_id"), [("companies", "domain", "0-2"), ("deals", "dealname", "0-3")]
)
def test_what_is_not_unique_identifies_nothing(hub, kind, name, type_id):
    """The 400 that HubSpot gives for a non-unique idProperty; a company's domain is none."""
    error = hub.call("GET", f"/crm/v3/objects/{kind}/x?idProperty={name}", expect=400)
    assert error["message"] == f"Unable to perform update/upsert by non-unique {type_id} property {name}"


# -- times


def test_every_write_moves_the_modified_date(hub):
    """Strictly later each time, on a standing clock and for equal values too; the creation date stays."""
    deal = hub.create("deals", OPEN)
    times = [hub.update("deals", deal, amount="1")["updatedAt"] for _ in range(3)]
    assert times == sorted(set(times))
    properties = hub.read("deals", deal, "hs_lastmodifieddate", "createdate")
    assert properties["hs_lastmodifieddate"] == times[-1] > properties["createdate"]


@pytest.mark.parametrize(("moves", "modified"), [(True, "09:01"), (False, "09:00")])
def test_whether_computed_values_move_the_modified_date_is_a_switch(hub, moves, modified):
    """Whether a company that is given a won deal counts as written, though nobody wrote to it."""
    hub.set(computed_moves_modified=moves)
    company = hub.create("companies", {"name": "C"})
    hub.advance(60)
    hub.create("deals", {**WON, "amount": "5"}, (company, COMPANY_OF_DEAL))
    assert hub.read("companies", company, "total_revenue")["total_revenue"] == "5"
    shown = hub.read("companies", company, "hs_lastmodifieddate")["hs_lastmodifieddate"]
    assert shown == f"2026-11-02T{modified}:00.000Z"


# -- deals


@pytest.mark.parametrize("stage", ["closedwon", "closedlost"])
def test_closing_a_deal_sets_its_close_date(hub, stage):
    """Now, unless the same write gives one; a deal that stays closed keeps it."""
    deal = hub.create("deals", {**OPEN, "closedate": "2027-01-01"})
    hub.update("deals", deal, dealstage=stage)
    assert hub.read("deals", deal, "closedate")["closedate"] == "2026-11-02T09:00:00.000Z"
    hub.update("deals", deal, closedate="2026-10-10")
    hub.advance(60)
    hub.update("deals", deal, dealstage=stage)
    assert hub.read("deals", deal, "closedate")["closedate"] == "2026-10-10T00:00:00.000Z"


def test_a_given_close_date_is_kept(hub):
    """Closing with a close date in the same write, on creation and later."""
    deal = hub.create("deals", {**WON, "closedate": "2026-10-10"})
    other = hub.create("deals", OPEN)
    hub.update("deals", other, dealstage="closedwon", closedate="2026-10-10")
    for record in (deal, other):
        assert hub.read("deals", record, "closedate")["closedate"] == "2026-10-10T00:00:00.000Z"
    assert hub.read("deals", hub.create("deals", WON), "closedate")["closedate"] == "2026-11-02T09:00:00.000Z"


def test_a_stage_belongs_to_its_pipeline(hub, second_pipeline):
    """With two pipelines one must be named, and the stage must be one of it, also when the pipeline changes."""
    error = hub.call("POST", "/crm/v3/objects/deals", {"properties": OPEN}, 400)
    assert error["context"]["properties"] == ["pipeline"]
    deal = hub.create("deals", {**OPEN, "pipeline": "default"})
    hub.update("deals", deal, 400, pipeline="renewals")
    hub.update("deals", deal, 400, dealstage="asked")
    hub.update("deals", deal, 400, dealstage="")
    hub.update("deals", deal, pipeline="renewals", dealstage="asked")
    shown = hub.read("deals", deal, "pipeline", "dealstage", "hs_deal_stage_probability")
    assert (shown["pipeline"], shown["dealstage"]) == ("renewals", "asked")
    assert shown["hs_deal_stage_probability"] == "0.5"


@pytest.fixture
def second_pipeline(hub):
    stages = [{"stageId": "asked", "label": "Asked", "displayOrder": 0, "metadata": {"probability": "0.5"}}]
    body = {"pipelineId": "renewals", "label": "Renewals", "displayOrder": 1, "stages": stages}
    hub.call("POST", "/crm/v3/pipelines/deals", body, 201)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("appointmentscheduled", ("false", "false", "0.2", None)),
        ("closedwon", ("true", "true", "1.0", "10")),
        ("closedlost", ("true", "false", "0.0", "10")),
    ],
)
def test_a_deal_tells_of_its_stage(hub, stage, expected):
    """Closed, won, probability and days to close follow from the stage."""
    deal = hub.create("deals", {"dealname": "D", "dealstage": stage, "closedate": "2026-11-13"})
    names = ("hs_is_closed", "hs_is_closed_won", "hs_deal_stage_probability", "days_to_close")
    shown = hub.read("deals", deal, *names)
    assert tuple(shown[name] for name in names) == expected


# -- rollups

ROLLUPS = (
    "num_associated_deals", "first_deal_created_date", "recent_deal_amount", "recent_deal_close_date",
    "total_revenue",
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "type_id", "properties"),
    [("companies", COMPANY_OF_DEAL, {"name": "C"}), ("contacts", CONTACT_OF_DEAL, {"lastname": "L"})],
)
def test_rollups_follow_the_deals(hub, kind, type_id, properties):
    """Recent means most recently closed won; revenue is of won deals; empty without deals."""
    record = hub.create(kind, properties)
    assert list(map(hub.read(kind, record, *ROLLUPS).get, ROLLUPS)) == ["0", None, None, None, None]
    hub.create("deals", {**OPEN, "amount": "1000"}, (record, type_id))
    hub.advance(60)
    late = hub.create("deals", {**WON, "amount": "20.5", "closedate": "2026-10-20"}, (record, type_id))
    hub.create("deals", {**WON, "amount": "10", "closedate": "2026-10-10"}, (record, type_id))
    hub.create("deals", {**WON, "amount": "99"})
    assert list(map(hub.read(kind, record, *ROLLUPS).get, ROLLUPS)) == [
        "3", "2026-11-02T09:00:00.000Z", "20.5", "2026-10-20T00:00:00.000Z", "30.5",
    ]  # fmt: skip
    hub.call("DELETE", f"/crm/v3/objects/deals/{late}", expect=204)
    shown = hub.read(kind, record, *ROLLUPS)
    assert (shown["num_associated_deals"], shown["total_revenue"]) == ("2", "10")


def test_days_to_close_count_whole_days(hub):
    """From creation to the close date of a contact or a company; a person writes only the close date."""
    company = hub.create("companies", {"name": "C", "closedate": "2026-11-05T08:59:59Z"})
    assert hub.read("companies", company, "days_to_close")["days_to_close"] == "2"
    hub.update("companies", company, 400, days_to_close="3")
    hub.update("companies", company, closedate="")
    assert hub.read("companies", company, "days_to_close")["days_to_close"] is None


def test_numbers_of_associated_records(hub):
    """Contacts of companies and deals are counted, and a deal names its primary company."""
    company = hub.create("companies", {"name": "C"})
    contact = hub.create("contacts", {"lastname": "L"}, (company, COMPANY_OF_CONTACT))
    deal = hub.create("deals", OPEN, (company, COMPANY_OF_DEAL), (contact, CONTACT_OF_DEAL))
    assert hub.read("companies", company, "num_associated_contacts")["num_associated_contacts"] == "1"
    shown = hub.read("deals", deal, "num_associated_contacts", "hs_primary_associated_company")
    assert shown["num_associated_contacts"] == "1"
    assert shown["hs_primary_associated_company"] == company


def test_writing_the_associated_company_associates_it_as_primary(hub):
    """`associatedcompanyid` is writable on contacts; clearing it ends the association."""
    first, second = (hub.create("companies", {"name": name}) for name in "AB")
    contact = hub.create("contacts", {"lastname": "L", "associatedcompanyid": first})
    assert hub.read("contacts", contact, "associatedcompanyid")["associatedcompanyid"] == first
    hub.update("contacts", contact, associatedcompanyid=second)
    assert hub.read("contacts", contact, "associatedcompanyid")["associatedcompanyid"] == second
    assert hub.read("companies", first, "num_associated_contacts")["num_associated_contacts"] == "1"
    hub.update("contacts", contact, associatedcompanyid="")
    assert hub.read("contacts", contact, "associatedcompanyid")["associatedcompanyid"] is None
    hub.update("contacts", contact, 400, associatedcompanyid="12")


def test_every_record_names_its_source(hub):
    """What the API creates comes from an integration."""
    shown = hub.read("companies", hub.create("companies", {"name": "C"}), "hs_object_source_label")
    assert shown["hs_object_source_label"] == "INTEGRATION"


# -- owners


def test_a_record_goes_to_an_existing_owner(hub):
    """By the owner's id, not by the user id, and not to one who has left."""
    owners = [
        {"email": "ada@example.com", "firstName": "Ada"},
        {"email": "old@example.com", "archived": True},
    ]
    ada, old = hub.call("POST", "/_sandbox/owners", owners, 201)
    deal = hub.create("deals", {**OPEN, "hubspot_owner_id": ada["id"]})
    assert hub.read("deals", deal, "hubspot_owner_id")["hubspot_owner_id"] == ada["id"]
    for wrong in (str(ada["userId"]), old["id"]):
        hub.update("deals", deal, 400, hubspot_owner_id=wrong)
    hub.update("deals", deal, hubspot_owner_id="")


def test_a_property_of_users_takes_owners_only(hub):
    """Their owner ids, as the record's own owner."""
    body = {"name": "second", "label": "Second", "groupName": "dealinformation", "type": "enumeration",
            "fieldType": "select", "externalOptions": True, "referencedObjectType": "OWNER"}  # fmt: skip
    hub.call("POST", "/crm/v3/properties/deals", body, 201)
    [ada] = hub.call("POST", "/_sandbox/owners", [{"email": "ada@example.com"}], 201)
    deal = hub.create("deals", {**OPEN, "second": ada["id"]})
    assert hub.read("deals", deal, "second")["second"] == ada["id"]
    assert code(hub.update("deals", deal, 400, second=str(ada["userId"]))) == "INVALID_OWNER_ID"
    hub.update("deals", deal, second="")
    assert hub.read("deals", deal, "second")["second"] is None


# -- lifecycle


@pytest.mark.parametrize("kind", ["contacts", "companies"])
@pytest.mark.parametrize(
    ("backward", "status", "kept"),
    [("ignore", 200, "customer"), ("allow", 200, "lead"), ("error", 400, "customer")],
)
def test_a_backward_lifecycle_stage_is_a_switch(hub, kind, backward, status, kept):
    """Ignored by default: 200 and the old value, while the rest of the write is done."""
    hub.set(lifecycle_backward=backward)
    record = hub.create(kind, {"name": "C"} if kind == "companies" else {"lastname": "L"})
    assert hub.read(kind, record, "lifecyclestage")["lifecyclestage"] is None
    for _ in range(2):  # the same stage again is no step back
        hub.update(kind, record, lifecyclestage="customer")
    hub.update(kind, record, status, lifecyclestage="lead", city="Rome")
    shown = hub.read(kind, record, "lifecyclestage", "city")
    assert shown["lifecyclestage"] == kept
    assert shown["city"] == ("Rome" if status == 200 else None)


def test_a_lifecycle_stage_goes_back_by_clearing_first(hub):
    """Cleared and then set, in two requests."""
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "customer"})
    hub.update("contacts", contact, lifecyclestage="")
    hub.update("contacts", contact, lifecyclestage="lead")
    assert hub.read("contacts", contact, "lifecyclestage")["lifecyclestage"] == "lead"


def test_added_lifecycle_stages_count_by_their_order(hub):
    """The order is that of the property's options, whatever their values are."""
    options = hub.call("GET", "/crm/v3/properties/contacts/lifecyclestage")["options"]
    options = [{**option, "displayOrder": 2 * option["displayOrder"]} for option in options]
    options.append({"label": "Nurtured", "value": "4455667", "displayOrder": 3})
    hub.call("PATCH", "/crm/v3/properties/contacts/lifecyclestage", {"options": options})
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "lead"})
    for wanted, kept in (("4455667", "4455667"), ("lead", "4455667"), ("marketingqualifiedlead",) * 2):
        hub.update("contacts", contact, lifecyclestage=wanted)
        assert hub.read("contacts", contact, "lifecyclestage")["lifecyclestage"] == kept


# -- merge


def test_a_merge_keeps_the_survivor(hub):
    """Its values stay, gaps are filled, and the absorbed id leads to it."""
    hub.set(merge_mints_new_id=False)
    company = hub.create("companies", {"name": "C"})
    first = hub.create("contacts", {"email": "a@example.com", "city": "Rome"})
    second = hub.create(
        "contacts", {"email": "b@example.com", "city": "Oslo", "phone": "5"}, (company, COMPANY_OF_CONTACT)
    )
    body = {"primaryObjectId": first, "objectIdToMerge": second}
    merged = hub.call("POST", "/crm/v3/objects/contacts/merge", body)
    assert merged["id"] == first
    assert merged["properties"]["hs_merged_object_ids"] == second
    by_old_id = hub.call("GET", f"/crm/v3/objects/contacts/{second}?properties=city,phone,associatedcompanyid")
    assert by_old_id["id"] == first
    shown = by_old_id["properties"]
    assert (shown["city"], shown["phone"], shown["associatedcompanyid"]) == ("Rome", "5", company)
    assert hub.update("contacts", second, city="Bern")["id"] == first
    assert [row["id"] for row in hub.call("GET", "/crm/v3/objects/contacts")["results"]] == [first]
    assert hub.call("GET", "/crm/v3/objects/contacts?archived=true")["results"] == []


def test_a_merged_contact_keeps_both_addresses(hub):
    """The absorbed address still leads to the survivor and is still taken."""
    hub.set(merge_mints_new_id=False)
    first, second = (hub.create("contacts", {"email": f"{name}@example.com"}) for name in "ab")
    hub.call("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": first, "objectIdToMerge": second})
    assert hub.call("GET", "/crm/v3/objects/contacts/b@example.com?idProperty=email")["id"] == first
    assert hub.read("contacts", first, "hs_additional_emails")["hs_additional_emails"] == "b@example.com"
    error = hub.call("POST", "/crm/v3/objects/contacts", {"properties": {"email": "b@example.com"}}, 409)
    assert error["message"].endswith(first)


def test_a_merge_may_mint_a_new_id(hub):
    """With the switch on, both old ids lead to a third."""
    hub.set(merge_mints_new_id=True)
    hub.unique_property("deals")
    deals = [hub.create("deals", {**OPEN, "sf_id": f"006{name}"}) for name in "AB"]
    body = {"primaryObjectId": deals[0], "objectIdToMerge": deals[1]}
    merged = hub.call("POST", "/crm/v3/objects/deals/merge", body)
    assert merged["id"] not in deals
    assert set(merged["properties"]["hs_merged_object_ids"].split(";")) == set(deals)
    for old in deals:
        assert hub.call("GET", f"/crm/v3/objects/deals/{old}")["id"] == merged["id"]
    assert hub.call("GET", "/crm/v3/objects/deals/006A?idProperty=sf_id")["id"] == merged["id"]
    third = hub.create("deals", OPEN)
    again = {"primaryObjectId": third, "objectIdToMerge": merged["id"]}
    survivor = hub.call("POST", "/crm/v3/objects/deals/merge", again)["id"]
    assert hub.call("GET", f"/crm/v3/objects/deals/{deals[0]}")["id"] == survivor


@pytest.mark.parametrize(("primary", "absorbed", "status"), [(0, 0, 400), (0, None, 404), (None, 0, 404)])
def test_a_merge_needs_two_records(hub, primary, absorbed, status):
    """Not with itself, not with what is not there."""
    ids = [hub.create("deals", OPEN)]
    one, other = ("12" if index is None else ids[index] for index in (primary, absorbed))
    hub.call("POST", "/crm/v3/objects/deals/merge", {"primaryObjectId": one, "objectIdToMerge": other}, status)


def test_a_profile_has_at_most_250_identities(hub):
    """The 250th merge into one record is a 414."""
    hub.set(merge_mints_new_id=False)
    survivor = hub.create("companies", {"name": "C"})
    for _ in range(249):
        body = {"primaryObjectId": survivor, "objectIdToMerge": hub.create("companies", {"name": "C"})}
        hub.call("POST", "/crm/v3/objects/companies/merge", body)
    body["objectIdToMerge"] = hub.create("companies", {"name": "C"})
    error = hub.call("POST", "/crm/v3/objects/companies/merge", body, 414)
    assert error["message"] == "Cannot have more than 250 identities on a profile"
