"""`setup`: what is missing is made once, and what may not be made is told with what a person has to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import API, Lab

from connector.core.model import Side
from connector.engine.setup import StepState, plan_setup, set_up
from connector.errors import Busy

FIELD, SET = "Opportunity.HubSpot_Id__c", "HubSpot_Connector"


@pytest.fixture
def lab():
    return Lab()


def remove_id_field(lab):
    """As an org is that never heard of HubSpot."""
    soql = "SELECT Id FROM CustomField WHERE TableEnumOrId = 'Opportunity' AND DeveloperName = 'HubSpot_Id'"
    [row] = lab.sf("GET", f"{API}/tooling/query?q={soql}")["records"]
    lab.sf("DELETE", f"{API}/tooling/sobjects/CustomField/{row['Id']}")


def make_field(lab):
    """As somebody does who forgets field-level security."""
    metadata = {"type": "Text", "label": "HubSpot Id", "length": 40, "unique": True, "externalId": True}
    lab.sf("POST", f"{API}/tooling/sobjects/CustomField", {"FullName": FIELD, "Metadata": metadata})


def forbid(lab, *permissions):
    lab.sandbox_post("salesforce", "permissions", dict.fromkeys(permissions, False), "PUT")


def plan(lab):
    return plan_setup(lab.connection()).steps


def carry_out(lab):
    c = lab.connection()
    return set_up(c, plan_setup(c))


def of(steps, side):
    return [(one.kind, one.name, one.state) for one in steps if one.side is side]


def see_field(lab):
    return FIELD.partition(".")[2] in {
        one["name"] for one in lab.sf("GET", f"{API}/sobjects/Opportunity/describe")["fields"]
    }


def test_P3_everything_is_made_once(lab):
    """Field, access, properties, group and pipeline; then nothing is left, also for the sync that follows."""
    remove_id_field(lab)
    planned = plan(lab)
    assert of(planned, Side.SALESFORCE) == [
        ("field", "HubSpot_Id__c", StepState.PLANNED),
        ("access", "HubSpot_Id__c", StepState.PLANNED),
    ]
    assert not see_field(lab)
    assert {one.state for one in carry_out(lab)} == {StepState.MADE}
    assert see_field(lab)
    assert {one["unique"] for one in describe_field(lab)} == {True}
    groups = lab.hs("GET", "/crm/v3/properties/deals/groups")["results"]
    assert "Salesforce sync" in {one["label"] for one in groups}
    assert plan(lab) == ()
    assert carry_out(lab) == ()
    assert lab.sync().made == []


def describe_field(lab):
    fields = lab.sf("GET", f"{API}/sobjects/Opportunity/describe")["fields"]
    return [one for one in fields if one["name"] == "HubSpot_Id__c"]


def test_P3_planning_writes_to_neither_side(lab):
    """Until somebody says so, both CRMs are only read."""
    remove_id_field(lab)
    before = lab.hs("GET", "/crm/v3/properties/deals"), lab.hs("GET", "/crm/v3/pipelines/deals")
    plan(lab)
    assert (lab.hs("GET", "/crm/v3/properties/deals"), lab.hs("GET", "/crm/v3/pipelines/deals")) == before
    assert lab.sf_all("SELECT Id FROM PermissionSet") == []


def test_what_a_sync_makes_is_what_setup_makes(lab):
    """The decision is one: after a first sync only what no sync may make is left."""
    remove_id_field(lab)
    in_hubspot = {one.what.partition(",")[0] for one in plan(lab) if one.side is Side.HUBSPOT}
    assert set(lab.sync().made) == in_hubspot
    assert of(plan(lab), Side.HUBSPOT) == []
    assert [one.kind for one in plan(lab)] == ["field", "access"]


def test_O10_a_field_that_is_hidden_is_opened_not_made(lab):
    """Somebody made it, and forgot field-level security: the permission set is all that lacks."""
    remove_id_field(lab)
    make_field(lab)
    steps = carry_out(lab)
    assert of(steps, Side.SALESFORCE) == [("access", "HubSpot_Id__c", StepState.MADE)]
    assert see_field(lab)
    [granted] = lab.sf_all("SELECT Name, (SELECT Field, PermissionsEdit FROM FieldPerms) FROM PermissionSet")
    assert granted["Name"] == SET
    assert [(one["Field"], one["PermissionsEdit"]) for one in granted["FieldPerms"]["records"]] == [(FIELD, True)]


def test_O10_a_permission_set_that_is_there_is_used(lab):
    """Half of a setup was done before: the rest is added to it, and nothing is made twice."""
    remove_id_field(lab)
    carry_out(lab)
    [assignment] = lab.sf_all("SELECT Id FROM PermissionSetAssignment")
    lab.sf_delete("PermissionSetAssignment", assignment["Id"])
    assert of(carry_out(lab), Side.SALESFORCE) == [("access", "HubSpot_Id__c", StepState.MADE)]
    assert len(lab.sf_all("SELECT Id FROM PermissionSet")) == 1
    assert len(lab.sf_all("SELECT Id FROM FieldPermissions")) == 1


def test_O10_a_field_that_a_profile_hides_is_opened(lab):
    """The permission set adds to what the user may otherwise."""
    lab.sandbox_post(
        "salesforce", "permissions", {"fields": {"Opportunity": {"HubSpot_Id__c": {"read": False}}}}, "PUT"
    )
    assert of(carry_out(lab), Side.SALESFORCE) == [("access", "HubSpot_Id__c", StepState.MADE)]
    assert see_field(lab)
    assert plan(lab) == ()


def test_O10_access_that_was_granted_in_vain_is_told(lab, monkeypatch):
    """Salesforce took it, and the field is still not seen: nothing is claimed."""
    remove_id_field(lab)
    monkeypatch.setattr("connector.engine.setup.open_fields", lambda *_: None)
    field, access = (one for one in carry_out(lab) if one.side is Side.SALESFORCE)
    assert (field.state, access.state) == (StepState.MADE, StepState.REFUSED)
    assert access.detail.startswith("STILL_HIDDEN")


def test_P3_a_session_that_does_not_tell_whose_it_is(lab):
    """Without the user's id nothing can be assigned: an administrator does it."""
    remove_id_field(lab)
    lab.sandbox_post("salesforce", "faults", {"kind": "status", "status": 404, "path": "userinfo"})
    [access] = [one for one in carry_out(lab) if one.kind == "access"]
    assert access.state is StepState.REFUSED
    assert "does not tell whose session this is" in access.detail
    assert "Manage Assignments, Add Assignment" in access.remedy


@pytest.mark.parametrize(
    ("missing", "kinds", "words"),
    [
        ("PermissionsCustomizeApplication", [("field", "blocked")], "Fields & Relationships, New: Text"),
        (
            "PermissionsManageProfilesPermissionsets",
            [("field", "made"), ("access", "blocked")],
            "Read and Edit Access of HubSpot Id",
        ),
        ("PermissionsAssignPermissionSets", [("field", "made"), ("access", "blocked")], "Add Assignment"),
    ],
)
def test_P3_what_the_user_may_not_do_is_told_to_an_administrator(lab, missing, kinds, words):
    """Each with the permission that lacks and the clicks; everything else is made all the same."""
    remove_id_field(lab)
    forbid(lab, missing)
    steps = carry_out(lab)
    assert [(one.kind, one.state) for one in steps if one.side is Side.SALESFORCE] == kinds
    [blocked] = [one for one in steps if one.state is StepState.BLOCKED]
    assert "the user may not do that: it lacks" in blocked.detail
    assert words in blocked.remedy
    assert {one.state for one in steps if one.side is Side.HUBSPOT} == {StepState.MADE}


def test_P3_a_user_that_may_not_look(lab):
    """Without View Setup it is not known whether the field lacks: both ways are told."""
    remove_id_field(lab)
    make_field(lab)
    forbid(lab, "PermissionsViewSetup")
    [step] = [one for one in plan(lab) if one.side is Side.SALESFORCE]
    assert step.state is StepState.BLOCKED
    assert "If it is missing: Setup" in step.remedy
    assert "If not: Setup, Permission Sets" in step.remedy


def test_O10_a_field_that_is_unfit_is_left_to_a_person(lab):
    """What exists is not changed."""
    lab.configure(SALESFORCE__ID_FIELD="NextStep")
    [step] = [one for one in plan(lab) if one.side is Side.SALESFORCE]
    assert (step.state, step.detail) == (StepState.BLOCKED, "is there, but is not unique and not an external id")
    assert "tick External ID and Unique" in step.remedy


def test_P3_a_token_without_the_scope(lab):
    """What it may not make is blocked with the scope's name; the other objects get theirs."""
    held = lab.sandbox_post("hubspot", "scopes", None, "GET")
    lab.sandbox_post("hubspot", "scopes", [one for one in held if one != "crm.schemas.contacts.write"], "PUT")
    steps = carry_out(lab)
    states = {(one.object, one.state) for one in steps if one.kind == "property"}
    assert states == {("companies", "made"), ("contacts", "blocked"), ("deals", "made")}
    assert any("crm.schemas.contacts.write" in one.remedy for one in steps)


def test_O10_an_id_property_that_is_unfit(lab):
    """One of that name that is not unique is left to a person, and so is an object without room for one."""
    lab.hs("POST", "/crm/v3/properties/companies", {
        "name": "sf_record_id", "label": "x", "type": "string", "fieldType": "text",
        "groupName": "companyinformation",
    })  # fmt: skip
    for number in range(10):
        lab.hs("POST", "/crm/v3/properties/deals", {
            "name": f"key_{number}", "label": "x", "type": "string", "fieldType": "text",
            "groupName": "dealinformation", "hasUniqueValue": True,
        })  # fmt: skip
    blocked = {one.object: one.detail for one in plan(lab) if one.state is StepState.BLOCKED}
    assert blocked == {
        "companies": "exists, but its values are not unique",
        "deals": "cannot be made: deals have 10 properties with unique values, and take no more",
    }


def test_O3_a_pipeline_without_room_is_told(lab):
    """The subscription's limit is a matter for a person; the others are made."""
    lab.sandbox_post("salesforce", "record_types", [{"Name": "One"}, {"Name": "Two"}])
    lab.configure(PIPELINES__LIMIT="2")
    pipelines = [one for one in carry_out(lab) if one.kind == "pipeline"]
    assert [one.state for one in pipelines] == ["made", "blocked"]
    assert "the limit of 2 is reached" in pipelines[1].detail


def test_O10_every_object_in_which_records_are_made_gets_its_field(lab):
    """Contacts only where the mapping makes them in Salesforce."""
    soql = "SELECT Id FROM CustomField WHERE TableEnumOrId = 'Contact' AND DeveloperName = 'HubSpot_Id'"
    [row] = lab.sf("GET", f"{API}/tooling/query?q={soql}")["records"]
    lab.sf("DELETE", f"{API}/tooling/sobjects/CustomField/{row['Id']}")
    assert of(plan(lab), Side.SALESFORCE) == []
    contacts = lab.pairs["contact-contact"]
    lab.pairs = {**lab.pairs, "contact-contact": replace(contacts, creates=frozenset(Side))}
    made = [one for one in carry_out(lab) if one.side is Side.SALESFORCE]
    assert [(one.object, one.kind, one.state) for one in made] == [
        ("Contact", "field", StepState.MADE),
        ("Contact", "access", StepState.MADE),
    ]


def test_P3_what_hubspot_refuses_is_told_and_the_rest_goes_on(lab):
    """A refusal that nobody foresaw is told in the vendor's words."""
    lab.sandbox_post("hubspot", "faults", {"kind": "status", "status": 400, "path": "properties/contacts/batch"})
    steps = carry_out(lab)
    refused = {one.object for one in steps if one.state is StepState.REFUSED}
    assert refused == {"contacts"}
    assert {one.state for one in steps if one.object != "contacts"} == {StepState.MADE}


def test_setup_and_a_run_do_not_meet(lab):
    """While a run is under way nothing is made: it might make the same."""
    c = lab.connection()
    with lab.connection().store.runs.lease(), pytest.raises(Busy):
        set_up(c, plan_setup(c))
    assert len(plan(lab)) > 0
