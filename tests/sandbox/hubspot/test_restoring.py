"""Archived records that come back, and what is left of two that are merged."""

from __future__ import annotations

import pytest

from .conftest import COMPANY_OF_CONTACT, COMPANY_OF_DEAL, CONTACT_OF_DEAL

OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}
DAY = 86_400


def restore(hub, kind, *ids, expect=204):
    return hub.call("POST", "/_sandbox/restore_records", {"objectType": kind, "ids": list(ids)}, expect)


def delete(hub, kind, record):
    hub.call("DELETE", f"/crm/v3/objects/{kind}/{record}", expect=204)


def linked(hub, kind, record, other):
    rows = hub.call("GET", f"/crm/v4/objects/{kind}/{record}/associations/{other}")["results"]
    return {str(row["toObjectId"]): {one["typeId"] for one in row["associationTypes"]} for row in rows}


def merge(hub, kind, primary, absorbed):
    body = {"primaryObjectId": primary, "objectIdToMerge": absorbed}
    return hub.call("POST", f"/crm/v3/objects/{kind}/merge", body)["id"]


# -- restoring


def test_a_restored_record_is_as_it_was(hub):
    """Values, history, unique values and associations with their labels; only its modified date has moved."""
    company = hub.create("companies", {"name": "C"})
    contact = hub.create("contacts", {"email": "a@example.com", "city": "Rome"}, (company, COMPANY_OF_CONTACT))
    hub.update("contacts", contact, city="Oslo")
    before = linked(hub, "contacts", contact, "companies")
    assert before == {company: {1, 279}}
    delete(hub, "contacts", contact)
    hub.advance(60)
    restore(hub, "contacts", contact)
    shown = hub.call("GET", f"/crm/v3/objects/contacts/{contact}")
    assert (shown["archived"], shown["updatedAt"]) == (False, "2026-11-02T09:01:00.000Z")
    assert [one["value"] for one in hub.history("contacts", contact, "city")] == ["Oslo", "Rome"]
    assert linked(hub, "contacts", contact, "companies") == before
    assert [row["id"] for row in hub.call("GET", "/crm/v3/objects/contacts")["results"]] == [contact]
    assert hub.call("GET", "/crm/v3/objects/contacts?archived=true")["results"] == []
    assert hub.call("GET", "/crm/v3/objects/contacts/a@example.com?idProperty=email")["id"] == contact


def test_restored_records_stand_where_they_stood(hub):
    """Lists go by id and search by the last write, whatever came in between."""
    deals = [hub.create("deals", OPEN) for _ in range(3)]
    delete(hub, "deals", deals[1])
    hub.advance(60)
    restore(hub, "deals", deals[1])
    assert [row["id"] for row in hub.call("GET", "/crm/v3/objects/deals")["results"]] == deals
    found = hub.found("deals", sorts=[{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}])
    assert found == [deals[0], deals[2], deals[1]]


def test_records_that_were_archived_together_find_each_other_again(hub):
    """In whichever order they come back."""
    company = hub.create("companies", {"name": "C"})
    deal = hub.create("deals", OPEN, (company, COMPANY_OF_DEAL))
    delete(hub, "deals", deal)
    delete(hub, "companies", company)
    restore(hub, "deals", deal)
    assert linked(hub, "deals", deal, "companies") == {}
    restore(hub, "companies", company)
    assert linked(hub, "deals", deal, "companies") == {company: {5, 341}}


def test_a_restored_company_leaves_a_new_primary_alone(hub):
    """The contact has got another primary company in the meantime, and keeps it."""
    first, second = (hub.create("companies", {"name": name}) for name in "AB")
    contact = hub.create("contacts", {"lastname": "L"}, (first, COMPANY_OF_CONTACT))
    delete(hub, "companies", first)
    hub.update("contacts", contact, associatedcompanyid=second)
    restore(hub, "companies", first)
    assert linked(hub, "contacts", contact, "companies") == {first: {279}, second: {1, 279}}


@pytest.mark.parametrize(("days", "status"), [(90, 204), (91, 404)])
def test_records_can_be_restored_for_90_days(hub, days, status):
    """By the sandbox's clock."""
    deal = hub.create("deals", OPEN)
    delete(hub, "deals", deal)
    hub.advance(days * DAY)
    restore(hub, "deals", deal, expect=status)
    hub.call("GET", f"/crm/v3/objects/deals/{deal}", expect=200 if status == 204 else 404)


def test_a_record_whose_address_is_taken_stays_archived(hub):
    """409, and none of the others that were asked for comes back either."""
    contact, other = (hub.create("contacts", {"email": f"{name}@example.com"}) for name in "ab")
    delete(hub, "contacts", contact)
    delete(hub, "contacts", other)
    hub.create("contacts", {"email": "a@example.com"})
    restore(hub, "contacts", other, contact, expect=409)
    assert len(hub.call("GET", "/crm/v3/objects/contacts?archived=true")["results"]) == 2


def test_a_record_whose_further_address_is_taken_stays_archived(hub):
    """An address that a merge has left to it counts as its own."""
    contact = merge(hub, "contacts", *(hub.create("contacts", {"email": f"{name}@example.com"}) for name in "ab"))
    delete(hub, "contacts", contact)
    hub.create("contacts", {"email": "b@example.com"})
    restore(hub, "contacts", contact, expect=409)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"objectType": "contacts", "ids": ["1"]}, 404),
        ({"objectType": "contacts", "ids": ["x"]}, 404),
        ({"objectType": "planets", "ids": []}, 400),
        ({"objectType": "contacts"}, 400),
        ([], 400),
    ],
)
def test_only_what_is_archived_is_restored(hub, body, status):
    """What is not there is 404, what is not understood 400."""
    hub.call("POST", "/_sandbox/restore_records", body, status)


# -- merging


def test_a_merged_contact_is_as_far_as_the_further_one(hub):
    """The later lifecycle stage stays, whichever record had it."""
    for stages, kept in (
        (("lead", "customer"), "customer"),
        (("customer", "lead"), "customer"),
        (("", "lead"), "lead"),
    ):
        one, other = (hub.create("contacts", {"lastname": "L", "lifecyclestage": stage}) for stage in stages)
        survivor = merge(hub, "contacts", one, other)
        assert hub.read("contacts", survivor, "lifecyclestage")["lifecyclestage"] == kept


def test_a_merged_record_is_as_old_as_the_older_one(hub):
    """Creation and creator are those of the record that was there first."""
    with hub.person("ada@example.com"):
        older = hub.create("companies", {"name": "A"})
    hub.advance(60)
    younger = hub.create("companies", {"name": "B"})
    survivor = merge(hub, "companies", younger, older)
    shown = hub.read("companies", survivor, "name", "createdate", "hs_object_source")
    assert (shown["name"], shown["createdate"]) == ("B", "2026-11-02T09:00:00.000Z")
    assert shown["hs_object_source"] == "CRM_UI"


@pytest.mark.parametrize("mints", [False, True])
def test_a_merged_record_has_the_past_of_both(hub, mints):
    """All versions in the order of time, and one of the merge where the last one is not what it holds."""
    hub.set(merge_mints_new_id=mints)
    one = hub.create("deals", {**OPEN, "amount": "1"})
    hub.advance(1)
    other = hub.create("deals", {**OPEN, "amount": "2", "description": "x"})
    hub.advance(1)
    hub.update("deals", one, amount="3")
    hub.advance(1)
    hub.update("deals", other, amount="4")
    hub.advance(1)
    survivor = merge(hub, "deals", one, other)
    shown = [(entry["value"], entry["sourceType"]) for entry in hub.history("deals", survivor, "amount")]
    assert shown == [("3", "MERGE_OBJECTS"), *((value, "INTEGRATION") for value in ("4", "3", "2", "1"))]
    assert [entry["value"] for entry in hub.history("deals", survivor, "description")] == ["x"]
    hub.advance(1)
    hub.update("deals", survivor, amount="5")
    assert hub.history("deals", survivor, "amount")[0]["value"] == "5"


def test_a_merged_record_has_the_associations_of_both(hub):
    """Of two primary companies that of the primary record stays the primary one."""
    companies = [hub.create("companies", {"name": name}) for name in "AB"]
    contacts = [hub.create("contacts", {"lastname": "L"}, (company, COMPANY_OF_CONTACT)) for company in companies]
    deals = [hub.create("deals", OPEN, (contact, CONTACT_OF_DEAL)) for contact in contacts]
    survivor = merge(hub, "contacts", *contacts)
    assert linked(hub, "contacts", survivor, "companies") == {companies[0]: {1, 279}, companies[1]: {279}}
    assert linked(hub, "contacts", survivor, "deals").keys() == set(deals)


def test_the_last_choice_can_be_added_to_none(hub):
    """A leading `;` on a new record just chooses."""
    body = {"name": "colours", "label": "C", "groupName": "dealinformation", "type": "enumeration"}
    body |= {"fieldType": "checkbox", "options": [{"label": "Red", "value": "red"}]}
    hub.call("POST", "/crm/v3/properties/deals", body, 201)
    deal = hub.create("deals", {**OPEN, "colours": ";red"})
    assert hub.read("deals", deal, "colours")["colours"] == "red"
