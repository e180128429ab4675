"""`connector check`: every precondition of a sync, broken one at a time, with what to do about it (P3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.check import State, check, needed_scopes
from connector.engine.run import Wish
from connector.errors import Refused

ROLE = "OpportunityContactRole"
CLOSED = {"PermissionsModifyAllData": False, "PermissionsModifyMetadata": False, "PermissionsViewAllData": False}


@pytest.fixture
def lab():
    return Lab()


def findings(lab, state=State.PROBLEM):
    """What is not fine, as (name, what, what to do)."""
    return [(one.name, one.detail, one.remedy) for one in check(lab.connection()) if one.state is state]


def permit(lab, **rights):
    lab.sandbox_post("salesforce", "permissions", rights, method="PUT")


def test_P3_nothing_is_missing(lab):
    """Every line is fine, and neither CRM is written to."""
    assert {one.state for one in check(lab.connection())} == {State.OK}
    assert "sf_default" not in [one["id"] for one in lab.hs("GET", "/crm/v3/pipelines/deals")["results"]]


RIGHTS = {
    "an object out of sight": (
        {"objects": {"Opportunity": {"read": False}}},
        ("Salesforce Opportunity", "cannot see this object", "read and edit access to Opportunity"),
    ),
    "an object that is read-only": (
        {"objects": {"Contact": {"edit": False}}},
        ("Salesforce Contact", "may not edit OwnerId", "edit access to the object"),
    ),
    "a mapped field out of sight": (
        {"fields": {"Opportunity": {"Amount": {"read": False}}}},
        ("Salesforce Opportunity.Amount", "sees no such field", "give the connector access to it"),
    ),
    "a mapped field that is read-only": (
        {"fields": {"Opportunity": {"Amount": {"edit": False}}}},
        ("Salesforce Opportunity", "may not edit Amount", "`rule: always_salesforce`"),
    ),
    "the external id field out of sight": (
        {"fields": {"Opportunity": {"HubSpot_Id__c": {"read": False}}}},
        ("Salesforce Opportunity.HubSpot_Id__c", "has no field HubSpot_Id__c", "add a text field HubSpot_Id__c"),
    ),
    "the external id field read-only": (
        {"fields": {"Opportunity": {"HubSpot_Id__c": {"edit": False}}}},
        ("Salesforce Opportunity.HubSpot_Id__c", "is not editable", "edit access to it"),
    ),
    "contact roles out of sight": (
        {"objects": {ROLE: {"read": False}}},
        ("Salesforce contact roles", "cannot see this object", "read access to Opportunity and Contact"),
    ),
    "contact roles that are read-only": (
        {"objects": {ROLE: {"edit": False}}},
        ("Salesforce contact roles", "may not make and delete contact roles", "edit access to Opportunity"),
    ),
}


@pytest.mark.parametrize("broken", RIGHTS)
def test_P3_a_right_that_lacks_in_salesforce(lab, broken):
    """Named by object and field, with what to grant; all else is looked at and fine."""
    rights, (name, detail, remedy) = RIGHTS[broken]
    permit(lab, **rights)
    (found,) = findings(lab)
    assert (found[0], detail in found[1], remedy in found[2]) == (name, True, True), found


def test_P3_the_right_to_all_data_is_missed_but_not_needed(lab):
    """What HubSpot's own integration demands is a warning: records out of sight are left alone."""
    permit(lab, **CLOSED)
    assert findings(lab) == []
    ((name, detail, remedy),) = findings(lab, State.WARNING)
    assert name == "Salesforce rights"
    assert "Modify All Data nor Modify Metadata" in detail
    assert "(P3)" in remedy


def test_D5_what_deleting_needs_is_looked_for_where_the_mapping_wants_it(lab):
    """The right to delete, and for accounts to see all records."""
    permit(lab, **CLOSED, objects={"Account": {"edit": False}})
    assert not any("on_delete" in detail for _, detail, _ in findings(lab))
    name = "account-company"
    lab.pairs = lab.pairs | {name: replace(lab.pairs[name], deletes=frozenset({Side.HUBSPOT}))}
    found = {name: remedy for name, detail, remedy in findings(lab) if "on_delete" in detail}
    assert "View All Data" in found["Salesforce rights"]
    assert "delete access to Account" in found["Salesforce Account"]


@pytest.mark.parametrize("scope", needed_scopes(Lab().pairs.values()))
def test_P3_a_scope_that_lacks_in_hubspot_is_named(lab, scope):
    """With the way to where it is granted."""
    held = [one for one in needed_scopes(lab.pairs.values()) if one != scope]
    lab.sandbox_post("hubspot", "scopes", held, method="PUT")
    found = {name: (detail, remedy) for name, detail, remedy in findings(lab)}
    assert found["HubSpot scopes"][0] == f"the token lacks {scope}"
    assert "Private Apps" in found["HubSpot scopes"][1]


def test_P3_an_id_property_that_is_not_unique(lab):
    """Somebody made one of that name: partners could not be told by it."""
    body = {"name": "sf_record_id", "label": "Id", "type": "string", "fieldType": "text",
            "groupName": "dealinformation"}  # fmt: skip
    lab.hs("POST", "/crm/v3/properties/deals", body)
    ((name, detail, remedy),) = findings(lab)
    assert (name, detail) == ("HubSpot deals.sf_record_id", "exists, but its values are not unique")
    assert "hubspot.id_property" in remedy


def test_P3_more_record_types_than_pipelines(lab):
    """Each that has none is told, with the setting."""
    lab.configure(PIPELINES__LIMIT="2")
    lab.sandbox_post("salesforce", "record_types", [{"Name": "One"}, {"Name": "Two"}])
    found = [one for one in findings(lab) if one[0] == "pipelines"]
    assert len(found) == 1
    assert "limit of 2" in found[0][1]
    assert "pipelines.limit" in found[0][2]


def test_P3_few_api_calls_left(lab):
    """A warning, with the figure."""
    lab.sandbox_post("salesforce", "settings", {"daily_requests": 300}, method="PUT")
    ((name, detail, remedy),) = findings(lab, State.WARNING)
    assert name == "Salesforce API calls"
    assert "left today" in detail
    assert "`connector plan`" in remedy


# --- read-only mode -------------------------------------------------------------------------------------------


@pytest.fixture
def reader(lab):
    """Records on both sides, and a connector that may read everything and write nothing, on either side."""
    lab.business(Amount=5)
    lab.hs_create("companies", name="Theirs")
    objects = ("Account", "Contact", "Opportunity", ROLE)
    permit(lab, objects={name: {"edit": False} for name in objects})
    lab.sandbox_post("hubspot", "scopes", needed_scopes(lab.pairs.values(), writes=False), method="PUT")
    lab.configure(MODE="read_only")
    return lab


def test_P3_read_only_mode_needs_no_right_to_write(reader):
    """`check` is fine and says which mode it is; `plan` shows all that a sync would do."""
    assert findings(reader) == []
    (mode,) = [one for one in check(reader.connection()) if one.name == "mode"]
    assert "`sync` refuses" in mode.detail
    report = reader.plan()
    assert report.created[Side.HUBSPOT] == {"companies": 1, "contacts": 1, "deals": 1}
    assert any("read_only" in note for note in report.notes)


@pytest.mark.parametrize("wish", [None, Wish(deletes=True)])
def test_P3_read_only_mode_writes_nothing(reader, wish):
    """`sync` refuses before it looks at anything, and says what to do; not even properties are made."""
    with pytest.raises(Refused) as refused:
        reader.sync(wish)
    assert "mode: read_only" in refused.value.message
    assert "mode: sync" in refused.value.remedy
    assert reader.store.runs.last() is None
    assert reader.hs_all("deals") == reader.hs_all("contacts") == {}
    assert "sf_record_id" not in [one["name"] for one in reader.hs("GET", "/crm/v3/properties/deals")["results"]]
