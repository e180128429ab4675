"""Properties, property groups and owners."""

from __future__ import annotations

import pytest

BASE = "/crm/v3/properties/deals"
TEXT = {"name": "note", "label": "Note", "groupName": "dealinformation", "type": "string", "fieldType": "text"}

# -- properties


@pytest.mark.parametrize("kind", ["contacts", "companies", "deals"])
def test_every_property_is_described_whole(hub, kind):
    """All of a type at once, each with every part of HubSpot's shape."""
    listed = hub.call("GET", f"/crm/v3/properties/{kind}")["results"]
    parts = {
        "name", "label", "type", "fieldType", "description", "groupName", "options", "createdAt", "updatedAt",
        "displayOrder", "calculated", "externalOptions", "archived", "hasUniqueValue", "hidden", "hubspotDefined",
        "formField", "modificationMetadata",
    }  # fmt: skip
    assert all(parts <= one.keys() for one in listed)
    assert {"archivable", "readOnlyDefinition", "readOnlyValue"} <= listed[0]["modificationMetadata"].keys()
    names = [one["name"] for one in listed]
    assert len(set(names)) == len(names)
    assert {"hs_object_id", "createdate", "hubspot_owner_id"} <= set(names)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("contacts", "num_associated_deals first_deal_created_date recent_deal_amount total_revenue days_to_close"),
        ("companies", "num_associated_deals recent_deal_close_date num_associated_contacts"),
        ("deals", "num_associated_contacts hs_is_closed hs_is_closed_won hs_deal_stage_probability"),
    ],
)
def test_computed_properties_say_that_they_are_read_only(hub, kind, names):
    """`calculated` and `readOnlyValue` are true."""
    for name in names.split():
        definition = hub.call("GET", f"/crm/v3/properties/{kind}/{name}")
        assert definition["calculated"] is True
        assert definition["modificationMetadata"]["readOnlyValue"] is True


def test_what_people_fill_can_be_written(hub):
    """A plain property and the associated company of a contact are not read only."""
    for path in ("/contacts/associatedcompanyid", "/contacts/closedate", "/deals/amount"):
        definition = hub.call("GET", f"/crm/v3/properties{path}")
        assert definition["modificationMetadata"]["readOnlyValue"] is False


def test_the_known_option_lists(hub):
    """Lifecycle stages in order, eight lead statuses, deal types."""

    def values(kind, name):
        options = hub.call("GET", f"/crm/v3/properties/{kind}/{name}")["options"]
        return [one["value"] for one in sorted(options, key=lambda one: one["displayOrder"])]

    stages = "subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer evangelist other"
    assert values("contacts", "lifecyclestage") == values("companies", "lifecyclestage") == stages.split()
    assert len(values("contacts", "hs_lead_status")) == 8
    assert values("deals", "dealtype") == ["newbusiness", "existingbusiness"]
    assert len(values("companies", "industry")) > 100


def test_a_property_is_made_changed_and_archived(hub):
    """201, PATCH, 204; its values go with it, and the name is free again."""
    made = hub.call("POST", BASE, {**TEXT, "description": "What was said"}, 201)
    assert (made["hubspotDefined"], made["calculated"], made["archived"]) == (False, False, False)
    deal = hub.create("deals", {"dealname": "D", "dealstage": "closedwon", "note": "x"})
    hub.advance(1)
    changed = hub.call("PATCH", f"{BASE}/note", {"label": "Remark", "fieldType": "textarea"})
    assert (changed["label"], changed["fieldType"]) == ("Remark", "textarea")
    assert changed["updatedAt"] > made["updatedAt"]
    hub.call("DELETE", f"{BASE}/note", expect=204)
    hub.call("GET", f"{BASE}/note", expect=404)
    assert "note" not in hub.read("deals", deal, "note")
    assert [one["name"] for one in hub.call("GET", f"{BASE}?archived=true")["results"]] == ["note"]
    assert hub.call("GET", f"{BASE}/note?archived=true")["archived"] is True
    hub.call("POST", BASE, TEXT, 201)
    assert hub.read("deals", deal, "note")["note"] is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "Note"}, 400),
        ({"name": "1st"}, 400),
        ({"name": "with space"}, 400),
        ({"name": "hs_own"}, 400),
        ({"name": None}, 400),
        ({"name": "amount"}, 409),
        ({"label": ""}, 400),
        ({"groupName": "nowhere"}, 400),
        ({"groupName": None}, 400),
        ({"type": "text"}, 400),
        ({"type": "number"}, 400),
        ({"type": "enumeration", "fieldType": "select", "options": [{"label": "A"}]}, 400),
        ({"type": "enumeration", "fieldType": "select", "options": [{"label": "A", "value": "a"}] * 2}, 400),
        ({"type": "bool", "fieldType": "booleancheckbox", "hasUniqueValue": True}, 400),
        ({"externalOptions": True, "referencedObjectType": "OWNER"}, 400),
        ({"type": "enumeration", "fieldType": "select", "externalOptions": True}, 400),
        ({"type": "enumeration", "fieldType": "select", "referencedObjectType": "OWNER"}, 400),
    ],
)
def test_a_wrong_definition_is_refused(hub, change, status):
    """Names, groups, types, options: 400; a name that exists: 409."""
    hub.call("POST", BASE, {**TEXT, **change}, status)
    hub.call("GET", f"{BASE}/note", expect=404)


def test_a_property_may_take_users(hub):
    """Its options are HubSpot's users; none of its own can be given."""
    body = {**TEXT, "type": "enumeration", "fieldType": "select", "externalOptions": True,
            "referencedObjectType": "OWNER"}  # fmt: skip
    made = hub.call("POST", BASE, body, 201)
    assert (made["externalOptions"], made["referencedObjectType"]) == (True, "OWNER")
    hub.call("PATCH", f"{BASE}/note", {"options": [{"label": "A", "value": "a"}]}, 400)
    assert hub.call("PATCH", f"{BASE}/note", {"label": "Helper"})["referencedObjectType"] == "OWNER"


@pytest.mark.parametrize(
    ("value_type", "field_type"),
    [
        ("enumeration", "checkbox"),
        ("enumeration", "radio"),
        ("bool", "booleancheckbox"),
        ("string", "html"),
        ("string", "phonenumber"),
        ("number", "number"),
        ("date", "date"),
        ("datetime", "date"),
    ],
)
def test_allowed_pairs_of_types(hub, value_type, field_type):
    """What HubSpot pairs can be made."""
    options = [{"label": "A", "value": "a"}] if value_type == "enumeration" else []
    body = {**TEXT, "type": value_type, "fieldType": field_type, "options": options}
    assert hub.call("POST", BASE, body, 201)["type"] == value_type


def test_at_most_ten_unique_properties(hub):
    """The eleventh is refused; archiving one makes room."""
    for number in range(10):
        hub.call("POST", BASE, {**TEXT, "name": f"key{number}", "hasUniqueValue": True}, 201)
    hub.call("POST", BASE, {**TEXT, "hasUniqueValue": True}, 400)
    hub.call("DELETE", f"{BASE}/key0", expect=204)
    hub.call("POST", BASE, {**TEXT, "hasUniqueValue": True}, 201)


def test_hubspot_properties_are_guarded(hub):
    """Neither renamed nor archived; options only where they may be edited."""
    hub.call("PATCH", f"{BASE}/amount", {"label": "Sum"}, 400)
    hub.call("DELETE", f"{BASE}/amount", expect=400)
    options = [{"label": "New", "value": "newbusiness"}, {"label": "Renewal", "value": "renewal"}]
    hub.call("PATCH", f"{BASE}/dealtype", {"options": options})
    hub.create("deals", {"dealname": "D", "dealstage": "closedwon", "dealtype": "renewal"})
    hub.call("PATCH", f"{BASE}/dealstage", {"options": options}, 400)
    hub.call("PATCH", f"{BASE}/hs_manual_forecast_category", {"options": options}, 400)


def test_properties_in_batches(hub):
    """Create, read and archive a hundred at a time; 207 with the names that failed."""
    inputs = [{**TEXT, "name": "one"}, {**TEXT, "name": "amount"}, {**TEXT, "name": "two"}]
    answer = hub.call("POST", f"{BASE}/batch/create", {"inputs": inputs}, 207)
    assert [one["name"] for one in answer["results"]] == ["one", "two"]
    assert answer["errors"][0]["context"] == {"name": ["amount"]}
    assert answer["errors"][0]["category"] == "CONFLICT"
    hub.call("POST", f"{BASE}/batch/create", {"inputs": [{**TEXT, "name": "three"}]}, 201)
    names = [{"name": name} for name in ("one", "two", "nope")]
    read = hub.call("POST", f"{BASE}/batch/read", {"inputs": names, "archived": False}, 207)
    assert [one["name"] for one in read["results"]] == ["one", "two"]
    hub.call("POST", f"{BASE}/batch/archive", {"inputs": names}, 204)
    read = hub.call("POST", f"{BASE}/batch/read", {"inputs": names[:2], "archived": True})
    assert all(one["archived"] for one in read["results"])
    hub.call("POST", f"{BASE}/batch/create", {"inputs": [{}] * 101}, 400)


def test_property_groups(hub):
    """A group is made before properties are put into it; its name is free only once."""
    group = {"name": "salesforce_sync", "label": "Salesforce sync"}
    made = hub.call("POST", f"{BASE}/groups", group, 201)
    assert made == {**group, "displayOrder": -1, "archived": False}
    assert hub.call("GET", f"{BASE}/groups/salesforce_sync") == made
    assert made in hub.call("GET", f"{BASE}/groups")["results"]
    assert hub.call("POST", BASE, {**TEXT, "groupName": made["name"]}, 201)["groupName"] == made["name"]
    hub.call("POST", f"{BASE}/groups", group, 409)
    hub.call("POST", f"{BASE}/groups", {"name": "No Name", "label": "x"}, 400)
    hub.call("POST", f"{BASE}/groups", {"name": "nolabel"}, 400)
    hub.call("GET", f"{BASE}/groups/nope", expect=404)


# -- owners


@pytest.fixture
def owners(hub):
    given = [
        {"email": "ada@example.com", "firstName": "Ada", "lastName": "A"},
        {"email": "bob@example.com", "firstName": "Bob", "lastName": "B"},
        {"email": "old@example.com", "firstName": "Old", "lastName": "O", "archived": True},
    ]
    return hub.call("POST", "/_sandbox/owners", given, 201)


def test_owners_are_listed(hub, owners):
    """With and without a slash at the end; archived ones apart and without a user id."""
    listed = hub.call("GET", "/crm/v3/owners/")
    assert [one["email"] for one in listed["results"]] == [
        "admin@example.com", "ada@example.com", "bob@example.com",
    ]  # fmt: skip
    assert listed == hub.call("GET", "/crm/owners/2026-09")
    ada = listed["results"][1]
    assert ada.keys() == {
        "id", "email", "type", "firstName", "lastName", "userId", "userIdIncludingInactive", "createdAt",
        "updatedAt", "archived",
    }  # fmt: skip
    assert ada["id"] != str(ada["userId"])
    (old,) = hub.call("GET", "/crm/v3/owners?archived=true")["results"]
    assert (old["email"], old["userId"]) == ("old@example.com", None)
    assert old["userIdIncludingInactive"]


def test_owners_are_found_by_address(hub, owners):
    """The e-mail filter ignores case."""
    found = hub.call("GET", "/crm/v3/owners?email=ADA@example.com")["results"]
    assert [one["id"] for one in found] == [owners[0]["id"]]


def test_owners_are_paged(hub, owners):
    """`after` leads to the next page."""
    first = hub.call("GET", "/crm/v3/owners?limit=2")
    after = first["paging"]["next"]["after"]
    rest = hub.call("GET", f"/crm/v3/owners?limit=2&after={after}")
    assert [one["email"] for one in rest["results"]] == ["bob@example.com"]
    assert "paging" not in rest
    hub.call("GET", "/crm/v3/owners?limit=501", expect=400)


def test_an_owner_is_read_by_either_id(hub, owners):
    """By id or, with idProperty, by user id."""
    ada = owners[0]
    assert hub.call("GET", f"/crm/v3/owners/{ada['id']}") == ada
    assert hub.call("GET", f"/crm/v3/owners/{ada['userId']}?idProperty=userId") == ada
    hub.call("GET", f"/crm/v3/owners/{ada['userId']}", expect=404)
    hub.call("GET", f"/crm/v3/owners/{ada['id']}?idProperty=email", expect=400)
    hub.call("GET", f"/crm/v3/owners/{owners[2]['id']}", expect=404)


def test_owners_can_be_replaced(hub, owners):
    """PUT leaves exactly the given owners, with given ids kept; a wrong list changes nothing."""
    hub.call("PUT", "/_sandbox/owners", [{"firstName": "no address"}], 400)
    assert len(hub.call("GET", "/_sandbox/owners")) == 4
    hub.call("PUT", "/_sandbox/owners", [{"email": "new@example.com", "id": "77"}])
    assert [one["id"] for one in hub.call("GET", "/crm/v3/owners")["results"]] == ["77"]


def test_a_group_is_changed_and_archived(hub):
    """Its label and place; only an empty one goes."""
    path = "/crm/v3/properties/deals/groups"
    hub.call("POST", path, {"name": "extra", "label": "Extra"}, 201)
    changed = hub.call("PATCH", f"{path}/extra", {"label": "More", "displayOrder": 7})
    assert (changed["name"], changed["label"], changed["displayOrder"]) == ("extra", "More", 7)
    assert hub.call("GET", f"{path}/extra") == changed
    hub.call("DELETE", f"{path}/dealinformation", expect=400)
    hub.call("DELETE", f"{path}/extra", expect=204)
    for method in ("GET", "DELETE"):
        hub.call(method, f"{path}/extra", expect=404)
    hub.call("PATCH", f"{path}/extra", {"label": "Most"}, 404)


def test_owners_show_their_teams(hub):
    """Those who have any; one of them is the primary one."""
    teams = [{"id": "1", "name": "Sales", "primary": True}, {"id": "2", "name": "West", "primary": False}]
    given = [{"email": "t@example.com", "teams": teams}, {"email": "u@example.com"}]
    added = hub.call("POST", "/_sandbox/owners", given, 201)
    shown = {row["id"]: row for row in hub.call("GET", "/crm/v3/owners")["results"]}
    assert shown[added[0]["id"]]["teams"] == teams
    assert "teams" not in shown[added[1]["id"]]
