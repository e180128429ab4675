"""What the vendors' error codes come to, in words a person can act upon (E1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import connector.sandbox
from connector.adapters import hubspot_refusals, salesforce_refusals
from connector.adapters.base import Draft, Edit, Trouble, Wanted
from connector.core.model import ProblemClass

SANDBOX = Path(connector.sandbox.__file__).parent
WRITING = {
    "salesforce": (
        *("records/" + name for name in ("writes", "values", "rules", "validation", "duplicates", "locks")),
        "errors",
    ),
    "hubspot": tuple("records/" + name for name in ("writes", "values", "lifecycle", "privacy")),
}
NOT_OF_RECORDS = {
    # of whole calls, deletions and administrators' acts
    "API_DISABLED_FOR_ORG", "DELETE_FAILED", "INVALID_SESSION_ID", "METHOD_NOT_ALLOWED", "PRECONDITION_FAILED",
    "REQUEST_LIMIT_EXCEEDED", "UNDELETE_FAILED",
    # what JSON had in place of a value
    "START_ARRAY", "START_OBJECT", "VALUE_FALSE", "VALUE_NUMBER_FLOAT", "VALUE_NUMBER_INT", "VALUE_STRING",
    "VALUE_TRUE",
}  # fmt: skip


def codes(side: str) -> set[str]:
    """The codes that a sandbox can answer a write of a record with, read from its text."""
    texts = ((SANDBOX / side / f"{name}.py").read_text() for name in WRITING[side])
    return {code for text in texts for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', text)} - NOT_OF_RECORDS


@pytest.mark.parametrize(
    ("side", "meanings"),
    [("salesforce", salesforce_refusals.MEANINGS), ("hubspot", hubspot_refusals.MEANINGS)],
)
def test_E1_every_code_that_a_write_can_meet_is_known(side, meanings):
    """None of them is told as unknown."""
    found = codes(side)
    assert len(found) > 10
    assert found - meanings.keys() - {"OPEN_DEAL", "IN_PROGRESS"} == set()


@pytest.mark.parametrize("module", [salesforce_refusals, hubspot_refusals], ids=["salesforce", "hubspot"])
def test_E1_every_meaning_has_a_remedy(module):
    """In words, and in one of the classes of section E."""
    for code, meaning in [*module.MEANINGS.items(), ("unknown", module.UNKNOWN)]:
        assert meaning.cause in ProblemClass, code
        assert " " in meaning.remedy, code
        assert not meaning.remedy.endswith("."), code


def test_E1_an_unknown_code_is_told_in_the_vendors_words():
    """It gets a class, a remedy, and what the vendor said."""
    found = salesforce_refusals.read_refusal(
        [{"statusCode": "BRAND_NEW", "message": "because", "fields": ["Name"]}]
    )
    assert (found.code, found.message, found.cause) == ("BRAND_NEW", "because", ProblemClass.PROPERTY_VALUES)
    assert "Salesforce says" in found.remedy
    assert [(blame.field, blame.code) for blame in found.blames] == [("Name", "BRAND_NEW")]
    found = hubspot_refusals.read_refusal({"category": "BRAND_NEW", "message": "because"})
    assert (found.code, found.message, found.cause) == ("BRAND_NEW", "because", ProblemClass.PROPERTY_VALUES)
    assert "HubSpot says" in found.remedy


# --- who is to blame --------------------------------------------------------------------------------------


def of_salesforce(*errors):
    told = [{"statusCode": code, "message": "no", "fields": list(fields)} for code, *fields in errors]
    return salesforce_refusals.read_refusal(told)


@pytest.mark.parametrize(
    ("errors", "blamed"),
    [
        ([("STRING_TOO_LONG", "Name")], {"Name"}),
        ([("STRING_TOO_LONG", "Name"), ("INVALID_EMAIL_ADDRESS", "Email")], {"Name", "Email"}),
        ([("STRING_TOO_LONG", "Name"), ("FIELD_CUSTOM_VALIDATION_EXCEPTION",)], set()),
        ([("UNABLE_TO_LOCK_ROW", "Name")], set()),
        ([("INVALID_FIELD_FOR_INSERT_UPDATE", "Amount", "Type")], {"Amount", "Type"}),
        ([], set()),
    ],
)
def test_F4_fields_are_to_blame_if_everything_that_is_wrong_has_one(errors, blamed):
    """With one error that is no field's, leaving fields out would not help; nor does it with a passing trouble."""
    assert {blame.field for blame in of_salesforce(*errors).blames} == blamed


def test_E1_a_deleted_record_and_a_deleted_account_of_a_record_are_two_things():
    """With a field it is what the field refers to that is gone."""
    assert of_salesforce(("ENTITY_IS_DELETED",)).trouble is Trouble.GONE
    found = of_salesforce(("ENTITY_IS_DELETED", "AccountId"))
    assert (found.trouble, found.cause) == (Trouble.REFUSED, ProblemClass.ASSOCIATIONS)
    assert [blame.field for blame in found.blames] == ["AccountId"]


def detail(name, code, message="no"):
    return {"message": message, "code": code, "context": {"propertyName": [name]}}


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        ({"errors": [detail("amount", "INVALID_NUMBER"), detail("a", "INVALID_OPTION")]}, {"amount", "a"}),
        (
            {"message": 'Property values were not valid: [{"error":"INVALID_DATE","name":"closedate"}]'},
            {"closedate"},
        ),
        ({"message": 'Property values were not valid: [{"error":"INVALID_DATE"}]'}, set()),
        ({"message": "Property values were not valid: [{broken"}, set()),
        ({"errors": [{"code": "INVALID_OPTION"}], "message": "no"}, set()),
        ({"category": "CONFLICT", "message": "Contact already exists. Existing ID: 7"}, {"email"}),
        ({"category": "OBJECT_NOT_FOUND", "errors": [detail("amount", "INVALID_NUMBER")]}, set()),
    ],
)
def test_F4_properties_are_to_blame_wherever_hubspot_names_them(error, blamed):
    """In its list of errors or inside the message; without all names nobody is."""
    assert {blame.field for blame in hubspot_refusals.read_refusal(error).blames} == blamed


def test_F4_a_field_that_is_gone_does_not_cost_a_search_for_the_culprit(salesforce):
    """The answer names the column: rows that have it are refused, and the others are written in the next call."""
    keys = [f"k{number}" for number in range(6)]
    wanted = Wanted(("Name",), "HubSpot_Id__c")
    drafts = [Draft(key, {"LastName": key, "HubSpot_Id__c": key}) for key in keys]
    made = [one.id for some in salesforce.crm.create("Contact", drafts, wanted) for one in some]
    salesforce.crm.use_schema(Anything())
    edits = [Edit(id_, {"Phone": "1"} | ({"Gone__c": 1} if number % 2 else {})) for number, id_ in enumerate(made)]
    before = salesforce.crm.usage().calls
    outcomes = [one for some in salesforce.crm.update("Contact", edits) for one in some]
    assert salesforce.crm.usage().calls - before == 2
    assert [one.refusal is not None for one in outcomes] == [False, True] * 3
    assert {blame.field for one in outcomes if one.refusal for blame in one.refusal.blames} == {"Gone__c"}
    assert outcomes[1].refusal.cause is ProblemClass.FIELD_MAPPING


def test_F4_a_company_that_cannot_be_associated_is_one_fields_fault(hubspot):
    """The contact's properties are written, and it is not taken for gone."""
    wanted = Wanted(("phone",), "email")
    ((contact,),) = hubspot.crm.create("contacts", [Draft("k", {"email": "k@x.com"})], wanted)
    ((outcome,),) = hubspot.crm.update("contacts", [Edit(contact.id, {"phone": "1", "primary_company": "99999"})])
    assert outcome.refusal.trouble is Trouble.REFUSED
    assert outcome.refusal.cause is ProblemClass.ASSOCIATIONS
    assert [blame.field for blame in outcome.refusal.blames] == ["primary_company"]
    assert hubspot.crm.read("contacts", [contact.id], wanted)[contact.id].fields["phone"] == "1"


class Anything:
    """A schema in which every field is."""

    def has(self, *_):
        return True


# --- histories --------------------------------------------------------------------------------------------


def test_F2_hubspot_tells_when_a_property_was_edited(hubspot):
    """The latest entry counts; a property that never had a value has none, nor has the primary company."""
    drafts = [Draft(str(number), {"email": f"{number}@x.com", "phone": "1"}) for number in range(60)]
    made = [one.id for some in hubspot.crm.create("contacts", drafts, Wanted(("phone",), "email")) for one in some]
    before = hubspot.crm.usage().calls
    found = hubspot.crm.last_edits("contacts", {id_: ["phone", "jobtitle", "primary_company"] for id_ in made})
    assert hubspot.crm.usage().calls - before == 2
    assert found.keys() == {(id_, "phone") for id_ in made}
    assert hubspot.crm.last_edits("contacts", {made[0]: ["primary_company"]}) == {}
    assert hubspot.crm.usage().calls - before == 2


def test_F2_salesforce_tells_when_a_tracked_field_was_edited(salesforce):
    """One call for all; a standard lookup is found by the name that its history has, others not at all."""
    salesforce.sandbox.admin.field_history({"Contact": ["Phone", "AccountId"]})
    wanted = Wanted(("Phone",))
    ((contact,),) = salesforce.crm.create("Contact", [Draft("k", {"LastName": "Fox", "Title": "x"})], wanted)
    ((account,),) = salesforce.crm.create("Account", [Draft("a", {"Name": "Acme"})], wanted)
    edit = Edit(contact.id, {"Phone": "2", "AccountId": account.id, "Title": "y"})
    list(salesforce.crm.update("Contact", [edit]))
    before = salesforce.crm.usage().calls
    found = salesforce.crm.last_edits("Contact", {contact.id: ["Phone", "AccountId", "Title"]})
    assert salesforce.crm.usage().calls - before == 1
    assert found.keys() == {(contact.id, "Phone"), (contact.id, "AccountId")}
    assert all(at.endswith("Z") for at in found.values())


def test_F2_an_object_without_a_history_has_no_edits(salesforce):
    """An org that keeps none has not even the object; that is no error."""
    assert salesforce.crm.last_edits("Case", {"500000000000001AAA": ["Subject"]}) == {}


def test_E4_probing_takes_one_call(salesforce, hubspot):
    """Of each side."""
    for bench in (salesforce, hubspot):
        before = bench.crm.usage().calls
        bench.crm.probe()
        assert bench.crm.usage().calls - before == 1
