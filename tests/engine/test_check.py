"""Every precondition (P3): with a CRM, the settings or the store in a bad state, the check says so, in its class.

Above all, what the user may not do is told as a matter of permissions, never as a fault of a field.
"""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest
from engine.lab import API, Lab

from connector.engine.check import State, check
from connector.engine.run import sync
from connector.errors import Unreachable

RIGHTS, MAPPING = "permissions", "field mapping"


@pytest.fixture
def lab():
    return Lab()


def look(lab):
    return check(lab.connection())


def amiss(lab):
    """Everything that is not ok, as (name, state, class)."""
    return [(one.name, str(one.state), one.cause) for one in look(lab) if one.state is not State.OK]


def find(lab, name):
    [found] = [one for one in look(lab) if one.name == name]
    return found


def allow(lab, **wanted):
    lab.sandbox_post("salesforce", "permissions", wanted, "PUT")


def map_field(lab, tmp_path, old, new, name="account-company"):
    """Change a line of a mapping file."""
    from connector.settings import defaults_folder, load_mapping, load_settings

    folder = tmp_path / "mappings"
    folder.mkdir(exist_ok=True)
    for path in (defaults_folder() / "mappings").glob("*.yaml"):
        text = path.read_text()
        assert path.stem != name or old in text
        (folder / path.name).write_text(text.replace(old, new) if path.stem == name else text)
    lab.pairs = load_mapping(load_settings(lab.environment, tmp_path), tmp_path)


def test_P3_nothing_is_amiss(lab):
    """In a fresh portal and org all is well, and looking costs few calls."""
    c = lab.connection()
    assert [one for one in check(c) if one.state is not State.OK] == []
    assert c.salesforce.usage().calls <= 8
    assert c.hubspot.usage().calls <= 10


# --- the store, this machine, the calendar ------------------------------------------------------------------


def test_P3_a_store_that_cannot_be_written_to(lab):
    """A file of somebody else's."""
    with closing(lab.engine.raw_connection()) as connection:
        connection.driver_connection.execute("PRAGMA query_only=ON")
    found = look_at_store(lab)
    assert [(one.name, one.state) for one in found] == [("store", State.PROBLEM)]
    assert "readonly" in found[0].detail
    assert "let this program's user write" in found[0].remedy


def look_at_store(lab):
    from connector.engine.checks.both import check_store

    c = lab.connection()
    return list(check_store(c))


def test_E4_a_suspended_sync_is_told(lab):
    """The check says that runs are refused, and how that ends."""
    token, lab.environment["HUBSPOT_ACCESS_TOKEN"] = lab.environment["HUBSPOT_ACCESS_TOKEN"], "pat-wrong"
    with pytest.raises(Unreachable):
        sync(lab.connection())
    lab.environment["HUBSPOT_ACCESS_TOKEN"] = token
    found = find(lab, "suspension")
    assert (found.state, found.cause) == (State.WARNING, RIGHTS)
    assert "connector resume" in found.remedy


@pytest.mark.parametrize("side", ["salesforce", "hubspot"])
def test_P3_clocks_that_differ(lab, side):
    """This machine's clock against that of a CRM."""
    c = lab.connection()
    c.now = lambda: lab.clock.now() + timedelta(minutes=20)
    clocks = {one.name: one for one in check(c) if one.name.startswith("clock")}
    found = clocks[f"clock against {'Salesforce' if side == 'salesforce' else 'HubSpot'}"]
    assert found.state is State.WARNING
    assert "20 minutes apart" in found.detail


def test_F7_a_time_zone_that_is_not_the_portals(lab):
    """Dates would look a day off in HubSpot."""
    lab.sandbox_post("hubspot", "settings", {"time_zone": "America/New_York"}, "PUT")
    found = find(lab, "time zone")
    assert found.state is State.WARNING
    assert found.remedy.startswith("set `time_zone: America/New_York`, or ")
    lab.configure(TIME_ZONE="US/Eastern")
    assert find(lab, "time zone").state is State.OK


@pytest.mark.parametrize("side", ["salesforce", "hubspot"])
def test_E3_few_calls_are_left(lab, side):
    """Of those that the settings allow, or of the vendor's own."""
    lab.configure(**{f"{side.upper()}__DAILY_CALLS": "500"})
    name = "Salesforce" if side == "salesforce" else "HubSpot"
    assert amiss(lab) == [(f"{name} API calls", "warning", "API limit")]


# --- Salesforce ---------------------------------------------------------------------------------------------


def test_P3_a_version_that_salesforce_no_longer_speaks(lab):
    """It is told with the version to set, and nothing else of Salesforce is asked in vain."""
    lab.configure(SALESFORCE__API_VERSION="20.0")
    found = find(lab, "Salesforce API version")
    assert (found.state, found.cause) == (State.PROBLEM, "connection")
    assert 'set `salesforce.api_version: "68.0"`' in found.remedy
    assert amiss(lab) == [("Salesforce API version", "problem", "connection")]


def test_P3_a_session_that_is_over(lab):
    """Not let in: the whole side cannot be used, which is a matter of permissions."""
    lab.environment["SALESFORCE_SESSION_ID"] = "over"
    assert amiss(lab) == [("Salesforce login", "no connection", RIGHTS)]


def test_P3_an_object_that_is_hidden(lab):
    """It is told as a right that lacks, with where to grant it."""
    allow(lab, objects={"Contact": {"read": False}})
    found = find(lab, "Salesforce Contact")
    assert (found.detail, found.cause) == ("the user cannot see this object", RIGHTS)
    assert "Object Settings, Contacts, Edit: tick Read" in found.remedy


def test_P3_an_object_that_may_not_be_edited(lab):
    """Opportunities are created and edited: two rights, each told once, and no field is blamed."""
    allow(lab, objects={"Opportunity": {"read": True, "edit": False}})
    told = [one.detail for one in look(lab) if one.name == "Salesforce Opportunity"]
    assert told == ["the user may not create opportunities", "the user may not edit opportunities at all"]
    assert [cause for name, _, cause in amiss(lab) if name == "Salesforce Opportunity"] == [RIGHTS, RIGHTS]


def test_P3_a_field_that_is_hidden_is_no_unknown_field(lab):
    """It stands in the list of all fields: field-level security hides it."""
    allow(lab, fields={"Account": {"Phone": {"read": False}}})
    found = find(lab, "Salesforce Account.Phone")
    assert (found.detail, found.cause) == ("is there, but field-level security hides it from the user", RIGHTS)
    assert "tick Read and Edit Access of Phone" in found.remedy


def test_P3_a_field_that_is_not_there_is_no_hidden_field(lab, tmp_path):
    """A typo is one, with the name that was probably meant."""
    map_field(lab, tmp_path, "salesforce: Phone", "salesforce: Phoen")
    found = find(lab, "Salesforce Account.Phoen")
    assert (found.state, found.cause) == (State.PROBLEM, MAPPING)
    assert found.remedy.startswith("did you mean `Phone`? ")


def test_P3_fields_that_may_not_be_edited(lab):
    """A problem where a rule writes them in any case, a warning where it only fills blanks."""
    allow(lab, fields={"Account": {"OwnerId": {"edit": False}, "Phone": {"edit": False}}})
    told = {one.state: one for one in look(lab) if one.name == "Salesforce Account"}
    assert told[State.PROBLEM].detail == "the user may not edit OwnerId, but their rules write them"
    assert told[State.WARNING].detail == "the user may not edit Phone, so blanks there stay blank"
    assert {one.cause for one in told.values()} == {RIGHTS}
    assert "Edit Access of OwnerId" in told[State.PROBLEM].remedy


def test_P3_a_formula_is_nobodys_right(lab, tmp_path):
    """No permission makes a formula editable: that is the mapping's matter."""
    lab.sandbox_post("salesforce", "fields", [
        {"sobject": "Account", "name": "Twice__c", "type": "double", "calculatedFormula": "AnnualRevenue * 2"},
    ])  # fmt: skip
    map_field(lab, tmp_path, "salesforce: AnnualRevenue", "salesforce: Twice__c")
    found = find(lab, "Salesforce Account.Twice__c")
    assert (found.state, found.cause) == (State.PROBLEM, MAPPING)
    assert found.detail.startswith("is a formula, which nobody can edit")


@pytest.mark.parametrize(
    ("rights", "detail"),
    [
        ({"read": False}, "the user cannot see this object"),
        ({"read": True, "edit": False}, "the user may not create or delete contact roles"),
    ],
)
def test_R3_contact_roles_that_may_not_be_changed(lab, rights, detail):
    """They are created and deleted, so both rights are looked at."""
    allow(lab, objects={"OpportunityContactRole": rights})
    found = find(lab, "Salesforce OpportunityContactRole")
    assert (found.state, found.detail, found.cause) == (State.PROBLEM, detail, RIGHTS)


def remove_id_field(lab):
    soql = "SELECT Id FROM CustomField WHERE TableEnumOrId = 'Opportunity' AND DeveloperName = 'HubSpot_Id'"
    [row] = lab.sf("GET", f"{API}/tooling/query?q={soql}")["records"]
    lab.sf("DELETE", f"{API}/tooling/sobjects/CustomField/{row['Id']}")


ID_FIELD = "Salesforce Opportunity.HubSpot_Id__c"


def test_O10_an_id_field_that_is_missing(lab):
    """`setup` makes it, if the user may; else an administrator is told what to click."""
    remove_id_field(lab)
    found = find(lab, ID_FIELD)
    assert (found.state, found.cause, found.remedy) == (State.PROBLEM, MAPPING, "`connector setup` makes it")
    allow(lab, PermissionsCustomizeApplication=False)
    assert find(lab, ID_FIELD).remedy.startswith("ask an administrator: Setup, Object Manager, Opportunity")


def test_O10_an_id_field_that_is_hidden(lab):
    """It is there; what lacks is access, and the check says so."""
    allow(lab, fields={"Opportunity": {"HubSpot_Id__c": {"read": False}}})
    found = find(lab, ID_FIELD)
    assert (found.state, found.cause) == (State.PROBLEM, RIGHTS)
    assert found.detail.startswith("is there, but field-level security hides it")
    allow(lab, PermissionsViewSetup=False)
    assert find(lab, ID_FIELD).detail.startswith("is not there, or hidden from the user, who may not look")


def test_O10_an_id_field_that_may_not_be_edited(lab):
    """Unique and an external id, but closed: a matter of permissions."""
    allow(lab, fields={"Opportunity": {"HubSpot_Id__c": {"edit": False}}})
    found = find(lab, ID_FIELD)
    assert (found.detail, found.cause) == ("is not editable", RIGHTS)


# --- HubSpot ------------------------------------------------------------------------------------------------


def test_P3_a_token_that_is_revoked(lab):
    """Not let in: the whole side cannot be used."""
    lab.environment["HUBSPOT_ACCESS_TOKEN"] = "pat-wrong"
    assert amiss(lab) == [("HubSpot token", "no connection", RIGHTS)]


def test_P3_a_version_that_hubspot_does_not_speak(lab):
    """It is told with what to set, and nothing else of HubSpot is asked in vain."""
    lab.configure(HUBSPOT__API_VERSION="2019-01")
    assert amiss(lab) == [("HubSpot API version", "problem", "connection")]
    assert "`hubspot.api_version: v3`" in find(lab, "HubSpot API version").remedy


def test_P3_a_scope_that_is_missing(lab):
    """Each is named."""
    held = lab.sandbox_post("hubspot", "scopes", None, "GET")
    lab.sandbox_post("hubspot", "scopes", [one for one in held if one != "crm.schemas.deals.write"], "PUT")
    found = find(lab, "HubSpot scopes")
    assert (found.detail, found.cause) == ("the token lacks crm.schemas.deals.write", RIGHTS)


@pytest.mark.parametrize(
    ("new", "detail"),
    [
        ("hubspot: phoen", "is mapped, but there is no such property"),
        ("hubspot: total_revenue", "is read-only, but its rule prefer_salesforce_unless_blank writes it"),
    ],
)
def test_P3_properties_that_cannot_be_used(lab, tmp_path, new, detail):
    """One that is not there, and one that HubSpot computes."""
    map_field(lab, tmp_path, "hubspot: phone", new)
    found = find(lab, f"HubSpot companies.{new.partition(': ')[2]}")
    assert (found.state, found.detail, found.cause) == (State.PROBLEM, detail, MAPPING)


def make_property(lab, object_, name, **more):
    group = {"companies": "companyinformation", "deals": "dealinformation"}[object_]
    body = {"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": group}
    lab.hs("POST", f"/crm/v3/properties/{object_}", {**body, **more})


def test_O10_an_id_property_that_is_not_unique_or_finds_no_room(lab):
    """Somebody's property of that name; ten others that are unique."""
    make_property(lab, "companies", "sf_record_id")
    for number in range(10):
        make_property(lab, "deals", f"key_{number}", hasUniqueValue=True)
    assert [(name, cause) for name, _, cause in amiss(lab)] == [
        ("HubSpot companies.sf_record_id", MAPPING),
        ("HubSpot deals.sf_record_id", MAPPING),
    ]


def test_R4_labels_without_room(lab, tmp_path):
    """HubSpot takes ten; with room they are told as coming, without it as a problem."""
    map_field(lab, tmp_path, "labels: {}", "labels: {Evaluator: Tester}", "contact-role")
    assert "1 will be made" in find(lab, "HubSpot labels").detail
    for number in range(10):
        body = {"label": f"Label {number}", "name": f"label_{number}"}
        lab.hs("POST", "/crm/v4/associations/deals/contacts/labels", body)
    found = find(lab, "HubSpot labels")
    assert (found.state, found.cause) == (State.PROBLEM, MAPPING)
    assert "'Tester'" in found.detail


def test_O3_a_record_type_without_room(lab):
    """The subscription's limit of pipelines."""
    lab.sandbox_post("salesforce", "record_types", [{"Name": "One"}, {"Name": "Two"}])
    lab.configure(PIPELINES__LIMIT="2")
    assert amiss(lab) == [("pipelines", "problem", MAPPING)]


def test_P3_one_side_that_is_gone_does_not_hide_the_other(lab):
    """With HubSpot out of reach everything of Salesforce is looked at all the same."""
    lab.sandbox_post("hubspot", "faults", {"kind": "status", "status": 503})
    names = {one.name for one in look(lab) if one.state is State.OK}
    assert {"Salesforce Account", "Salesforce Contact", "Salesforce Opportunity", "store"} <= names
    assert [name for name, state, _ in amiss(lab) if state == "no connection"] == ["HubSpot token"]


def test_a_store_that_others_may_read_is_told(lab, tmp_path):
    """It holds customers' data: a warning, with the command that closes it."""
    path = tmp_path / "connector.db"
    path.touch(mode=0o600)
    lab.environment["CONNECTOR_STORE_URL"] = f"sqlite:///{path}"
    path.chmod(0o600)
    assert [one.state for one in look_at_store(lab)] == [State.OK]
    path.chmod(0o640)
    (found,) = look_at_store(lab)
    assert (found.state, found.cause, found.remedy) == (State.WARNING, RIGHTS, f"chmod 600 {path}*")
