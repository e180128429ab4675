"""Contacts deleted for good, and the blocklist of their addresses."""

from __future__ import annotations

import pytest

from tests.sandbox.hubspot.conftest import COMPANY_OF_CONTACT, Hub

DELETE = "/crm/v3/objects/contacts/gdpr-delete"


def erase(hub, given, expect=204, path=DELETE, **more):
    return hub.call("POST", path, {"objectId": given, **more}, expect)


@pytest.fixture
def person(hub):
    """A client that acts as somebody in HubSpot's own pages."""
    client = Hub(hub.sandbox)
    client.token = hub.call("POST", "/_sandbox/people", {"email": "p@example.com"}, 201)["token"]
    return client


@pytest.mark.parametrize("path", [DELETE, "/crm/objects/2026-09/0-1/gdpr-delete"])
@pytest.mark.parametrize("by", ["id", "email"])
def test_a_contact_is_gone_for_good(hub, path, by):
    """By id or address: neither live nor archived, and nobody's associate any more."""
    company = hub.create("companies", {"name": "C"})
    contact = hub.create("contacts", {"email": "Ann@example.com"}, (company, COMPANY_OF_CONTACT))
    if by == "id":
        erase(hub, contact, path=path)
    else:
        erase(hub, "ANN@example.com", path=path, idProperty="email")
    for query in ("", "?archived=true"):
        hub.call("GET", f"/crm/v3/objects/contacts/{contact}{query}", expect=404)
        assert hub.call("GET", f"/crm/v3/objects/contacts{query}")["results"] == []
    assert hub.found("contacts") == []
    assert hub.call("GET", f"/crm/v4/objects/companies/{company}/associations/contacts")["results"] == []


@pytest.mark.parametrize("by", ["id", "email"])
def test_an_archived_contact_goes_too(hub, by):
    """By id or address, out of the recycling bin."""
    contact = hub.create("contacts", {"email": "ann@example.com"})
    hub.call("DELETE", f"/crm/v3/objects/contacts/{contact}", expect=204)
    erase(
        hub, *([contact] if by == "id" else ["ann@example.com"]), **({} if by == "id" else {"idProperty": "email"})
    )
    assert hub.call("GET", "/crm/v3/objects/contacts?archived=true")["results"] == []


def test_ids_that_led_to_it_lead_nowhere(hub):
    """What a merge absorbed is gone with the survivor."""
    kept, absorbed = (hub.create("contacts", {"email": f"{name}@example.com"}) for name in "ab")
    hub.call("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": kept, "objectIdToMerge": absorbed})
    erase(hub, absorbed)
    for one in (kept, absorbed):
        hub.call("GET", f"/crm/v3/objects/contacts/{one}", expect=404)


@pytest.mark.parametrize(("path", "body", "status"), [
    (DELETE, {"objectId": "1"}, 404),
    (DELETE, {"objectId": "x"}, 404),
    (DELETE, {}, 400),
    (DELETE, {"objectId": "1", "idProperty": "firstname"}, 400),
    ("/crm/v3/objects/deals/gdpr-delete", {"objectId": "1"}, 400),
])  # fmt: skip
def test_what_cannot_be_deleted_is_refused(hub, path, body, status):
    """No such contact, nothing named, a property that identifies nobody, another object type."""
    hub.call("POST", path, body, status)


def test_people_cannot_bring_an_address_back(hub, person):
    """In HubSpot's pages addresses of a deleted contact are refused, alone and in batches; apps may use them."""
    erase(hub, hub.create("contacts", {"email": "ann@example.com"}))
    new = {"properties": {"email": "ANN@example.com"}}
    error = person.call("POST", "/crm/v3/objects/contacts", new, 400)
    assert error["errors"][0]["code"] == "GDPR_BLACKLISTED_EMAIL"
    person.call("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": [new]}, 400)
    other = person.create("contacts", {"email": "bob@example.com"})
    person.update("contacts", other, 400, email="ann@example.com")
    hub.create("contacts", {"email": "ann@example.com"})


def test_an_unknown_address_is_blocked(hub, person):
    """It is put on the list although no contact has it."""
    erase(hub, "eve@example.com", idProperty="email")
    person.call("POST", "/crm/v3/objects/contacts", {"properties": {"email": "eve@example.com"}}, 400)


def test_every_address_of_a_merged_contact_is_blocked(hub, person):
    """Primary and additional ones."""
    kept, absorbed = (hub.create("contacts", {"email": f"{name}@example.com"}) for name in "ab")
    hub.call("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": kept, "objectIdToMerge": absorbed})
    erase(hub, kept)
    for name in "ab":
        person.call("POST", "/crm/v3/objects/contacts", {"properties": {"email": f"{name}@example.com"}}, 400)


def test_the_list_may_bind_apps(hub):
    """With the switch on, as the specification says it."""
    erase(hub, hub.create("contacts", {"email": "ann@example.com"}))
    hub.set(blocklist_binds_api=True)
    hub.call("POST", "/crm/v3/objects/contacts", {"properties": {"email": "ann@example.com"}}, 400)
    hub.call("POST", "/crm/v3/objects/contacts", {"properties": {"firstname": "Ann"}}, 201)
