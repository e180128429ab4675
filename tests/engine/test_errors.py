"""What happens to what a CRM refuses: listed, tried again, and never in the way of anything else (E1, E2, F4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from engine.lab import Lab

from connector.core.model import Rule
from connector.engine.run import Wish
from connector.mapping.transforms import Text


@pytest.fixture
def lab():
    lab = Lab()
    lab.sync()
    return lab


def paired_deal(lab: Lab, **fields: Any) -> tuple[str, str]:
    opportunity = lab.opportunity(**fields)
    lab.sync_once()
    return opportunity, lab.deal_of(opportunity)


IDLE = 2
"""Salesforce calls of a run that finds nothing to do."""


def rule_for(lab: Lab, pair: str, salesforce: str, **changes: Any) -> None:
    """Change the mapping of one field, as an administrator does in the mapping file."""
    old = lab.pairs[pair]
    fields = tuple(replace(one, **changes) if one.salesforce == (salesforce,) else one for one in old.fields)
    assert fields != old.fields
    lab.pairs = {**lab.pairs, pair: replace(old, fields=fields)}


def administer(lab: Lab, what: str, body: Any, method: str = "PUT") -> None:
    """An act of Salesforce's administrator."""
    lab.sandbox_post("salesforce", what, body, method)


def add_validation_rule(lab: Lab, condition: str, message: str, **more: Any) -> None:
    rule = {"object": "Opportunity", "fullName": "Rule", **more}
    administer(lab, "validation_rules", [rule | {"errorConditionFormula": condition, "errorMessage": message}])


def shown(lab: Lab, *names: str) -> list[tuple[Any, ...]]:
    """Open problems, by some of what is told of them."""
    return [tuple(one[name] for name in names) for one in lab.problems()]


# --- E1: what is listed -----------------------------------------------------------------------------------


def test_E1_a_record_that_fails_is_listed_and_the_others_go_on(lab):
    """With class, cause, remedy and attempts; mended, it is gone from the list."""
    opportunity, deal = paired_deal(lab)
    _, other = paired_deal(lab, Name="Other")
    lab.hs_edit("deals", deal, dealname="x" * 200)  # Salesforce takes at most 120 characters
    lab.hs_edit("deals", other, dealname="Fine")
    report = lab.sync()
    assert report.status == "problems"
    names = {row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity")}
    assert names == {"Big deal", "Fine"}
    (problem,) = lab.problems()
    assert (problem["record_id"], problem["cause"], problem["attempts"]) == (opportunity, "property values", 1)
    assert problem["detail"]
    assert problem["remedy"]
    lab.hs_edit("deals", deal, dealname="Mended")
    report = lab.sync_once()
    assert (report.status, lab.problems()) == ("ok", [])
    assert lab.sf_get("Opportunity", opportunity)["Name"] == "Mended"


@pytest.mark.parametrize("amount", ["9" * 30, "-9223372036854775809", "1e30", "1e300"])
def test_E1_an_amount_beyond_all_bounds_waits_alone(lab, amount):
    """HubSpot takes it and Salesforce does not: it is listed, and all else goes on."""
    opportunity, deal = paired_deal(lab, Amount=5)
    other, other_deal = paired_deal(lab, Name="Other", Amount=5)
    lab.hs_edit("deals", deal, amount=amount, description="arrives")
    lab.hs_edit("deals", other_deal, amount="6")
    lab.sync()
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["Amount"], row["Description"]) == (5, "arrives")
    assert lab.sf_get("Opportunity", other)["Amount"] == 6
    told = (opportunity, "Amount", "property values", "NUMBER_OUTSIDE_VALID_RANGE")
    assert shown(lab, "record_id", "field", "cause", "code") == [told]
    assert lab.sync().writes == 0
    lab.hs_edit("deals", deal, amount="7")
    lab.sync_once()
    assert (lab.sf_get("Opportunity", opportunity)["Amount"], lab.problems()) == (7, [])


def test_E1_a_deal_without_what_salesforce_requires_waits_alone(lab):
    """No close date: that deal is listed with the field; given one, it becomes an opportunity (O9)."""
    base = {"pipeline": lab.pipeline(), "dealstage": lab.stages()["Prospecting"]}
    poor = lab.hs_create("deals", dealname="Poor", **base)
    lab.hs_create("deals", dealname="Good", closedate="2026-06-30T00:00:00Z", **base)
    lab.sync()
    assert [row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity")] == ["Good"]
    (problem,) = lab.problems()
    assert (problem["record_id"], problem["cause"]) == (poor, "property values")
    assert "CloseDate" in problem["detail"]
    lab.hs_edit("deals", poor, closedate="2026-07-31T00:00:00Z")
    lab.sync_once()
    assert {row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity")} == {"Good", "Poor"}
    assert lab.problems() == []


def test_E1_a_validation_rule_is_custom_code_in_its_own_words(lab):
    """Refused by the org's own rule: that record waits, with the rule's message; the others go on."""
    opportunity, deal = paired_deal(lab, Amount=5)
    other, other_deal = paired_deal(lab, Name="Other", Amount=5)
    add_validation_rule(lab, "Amount > 1000", "Ask finance first")
    lab.hs_edit("deals", deal, amount="5000")
    lab.hs_edit("deals", other_deal, amount="6")
    lab.sync()
    assert lab.sf_get("Opportunity", opportunity)["Amount"] == 5
    assert lab.sf_get("Opportunity", other)["Amount"] == 6
    names = ("record_id", "cause", "code", "detail", "attempts", "field")
    told = (opportunity, "custom code", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Ask finance first", 1, "")
    assert shown(lab, *names) == [told]
    assert "validation rule" in lab.problems()[0]["remedy"]
    administer(lab, "validation_rules", [])
    lab.advance(minutes=15)
    lab.sync_once()
    assert (lab.sf_get("Opportunity", opportunity)["Amount"], lab.problems()) == (5000, [])


def test_E1_a_locked_record_is_tried_again(lab):
    """Somebody else is changing it: a passing trouble of the connection, over in the next try."""
    opportunity, deal = paired_deal(lab, Amount=5)
    administer(lab, "locks", {"ids": [opportunity], "requests": 1}, "POST")
    lab.hs_edit("deals", deal, amount="6")
    lab.sync()
    assert shown(lab, "cause", "code") == [("connection", "UNABLE_TO_LOCK_ROW")]
    lab.advance(minutes=15)
    lab.sync_once()
    assert (lab.sf_get("Opportunity", opportunity)["Amount"], lab.problems()) == (6, [])


def test_E1_a_duplicate_rule_is_told_as_such(lab):
    """Salesforce says that there is such a record, and not which field makes it one."""
    lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example", Phone="1")
    lab.sf_create("Contact", LastName="Owl", Email="owl@acme.example")
    lab.sync_once()
    rule = {"object": "Contact", "name": "Phone", "matchOn": [["Phone"]], "action": "block"}
    administer(lab, "duplicate_rules", [rule], "PUT")
    owl = next(id_ for id_, row in lab.hs_all("contacts", "email").items() if row["email"] == "owl@acme.example")
    lab.hs_edit("contacts", owl, phone="1")
    lab.sync()
    assert shown(lab, "cause", "code", "field") == [("duplicates", "DUPLICATES_DETECTED", "")]


# --- F4: one bad field never drops its record -------------------------------------------------------------


def test_F4_a_value_that_is_refused_keeps_nothing_else_back(lab):
    """The rest arrives in the same run for one call more; the field is listed and tried again, alone."""
    opportunity, deal = paired_deal(lab, Amount=5)
    lab.hs_edit("deals", deal, dealname="x" * 200, amount="6", description="arrives")
    before = lab.salesforce.admin.usage()["total"]
    report = lab.sync()
    assert lab.salesforce.admin.usage()["total"] - before == IDLE + 3  # re-read, write, write the rest
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["Name"], row["Amount"], row["Description"]) == ("Big deal", 6, "arrives")
    told = (opportunity, "Name", "property values", "STRING_TOO_LONG")
    assert shown(lab, "record_id", "field", "cause", "code") == [told]
    assert report.updated["salesforce"]["Opportunity"] == 1
    assert lab.hs_get("deals", deal, "dealname")["dealname"] == "x" * 200
    lab.hs_edit("deals", deal, dealname="Fits")
    lab.sync_once()
    assert (lab.sf_get("Opportunity", opportunity)["Name"], lab.problems()) == ("Fits", [])


def test_F4_what_was_refused_and_what_was_left_is_in_the_journal(lab):
    """Two writes: one that failed, and one of what was left of it."""
    _, deal = paired_deal(lab, Amount=5)
    lab.hs_edit("deals", deal, dealname="x" * 200, amount="6")
    report = lab.sync()
    written = lab.store.journal.of_run(report.run)
    entries = [(one["state"], {each["field"] for each in one["changes"]}) for one in written]
    assert entries == [("failed", {"Name", "Amount"}), ("done", {"Amount"})]


def test_F4_a_batch_with_bad_fields_costs_one_call_more(lab):
    """However many records have one."""
    deals = []
    for number in range(30):
        lab.opportunity(f"Deal {number}", Amount=1)
    lab.sync_once()
    for id_, row in lab.hs_all("deals", "dealname").items():
        deals.append(id_)
        lab.hs_edit("deals", id_, amount="2", dealname=row["dealname"] + ("x" * 200 if len(deals) % 2 else ""))
    before = lab.salesforce.admin.usage()["total"]
    lab.sync()
    assert lab.salesforce.admin.usage()["total"] - before == IDLE + 3
    assert {row["Amount"] for row in lab.sf_all("SELECT Amount FROM Opportunity")} == {2}
    assert len(lab.problems()) == 15


def test_F4_a_partner_is_made_without_the_field_that_is_refused(lab):
    """HubSpot has no such option: the deal comes without its type, which arrives once the option is there."""
    rule_for(lab, "opportunity-deal", "Type", transform=Text())
    opportunity = lab.opportunity(Type="Barter", Amount=5)
    lab.sync()
    deal = lab.deal_of(opportunity)
    row = lab.hs_get("deals", deal, "dealtype", "amount")
    assert (row["dealtype"] or None, row["amount"]) == (None, "5")
    told = ("hubspot", deal, "dealtype", "property values", "INVALID_OPTION")
    assert shown(lab, "side", "record_id", "field", "cause", "code") == [told]
    lab.sync_until_rest()
    assert lab.sf_get("Opportunity", opportunity)["Type"] == "Barter"
    options = lab.hs("GET", "/crm/v3/properties/deals/dealtype")["options"]
    options.append({"label": "Barter", "value": "Barter", "displayOrder": 9, "hidden": False})
    lab.hs("PATCH", "/crm/v3/properties/deals/dealtype", {"options": options})
    lab.advance(hours=1)
    lab.sync_once()
    assert (lab.hs_get("deals", deal, "dealtype")["dealtype"], lab.problems()) == ("Barter", [])


def test_F4_a_property_that_somebody_deleted_keeps_nothing_else_back(lab):
    """HubSpot shows it no more, and says so when it is written: it is listed, and the amount arrives."""
    property_ = {"name": "own_text", "label": "Own", "groupName": "dealinformation"}
    lab.hs("POST", "/crm/v3/properties/deals", property_ | {"type": "string", "fieldType": "text"})
    rule_for(lab, "opportunity-deal", "Description", hubspot=("own_text",))
    opportunity, deal = paired_deal(lab, Amount=5, Description="before")
    assert lab.hs_get("deals", deal, "own_text")["own_text"] == "before"
    lab.hs("DELETE", "/crm/v3/properties/deals/own_text")
    lab.sf_edit("Opportunity", opportunity, Amount=6, Description="after")
    lab.sync()
    assert lab.hs_get("deals", deal, "amount")["amount"] == "6"
    told = ("hubspot", deal, "own_text", "field mapping", "PROPERTY_DOESNT_EXIST")
    assert shown(lab, "side", "record_id", "field", "cause", "code") == [told]
    assert lab.sync().writes == 0


def test_F4_what_salesforce_fills_in_for_a_refused_value_does_not_travel_back(lab):
    """The field may not be written: the opportunity comes without it, and the deal keeps what it has."""
    administer(lab, "permissions", {"fields": {"Opportunity": {"Description": {"read": True, "edit": False}}}})
    stage = {"pipeline": lab.pipeline(), "dealstage": lab.stages()["Prospecting"]}
    date = "2026-06-30T00:00:00Z"
    deal = lab.hs_create("deals", dealname="Ours", closedate=date, description="typed", amount="7", **stage)
    lab.sync()
    (row,) = lab.sf_all("SELECT Id, Name, Amount, Description FROM Opportunity")
    assert (row["Name"], row["Amount"], row["Description"]) == ("Ours", 7, None)
    told = ("salesforce", row["Id"], "Description", "permissions", 1)
    assert shown(lab, "side", "record_id", "field", "cause", "attempts") == [told]
    assert lab.sync().writes == 0
    assert lab.hs_get("deals", deal, "description")["description"] == "typed"
    administer(lab, "permissions", {"fields": {"Opportunity": {"Description": {"read": True, "edit": True}}}})
    lab.advance(minutes=15)
    lab.sync_once()
    assert (lab.sf_get("Opportunity", row["Id"])["Description"], lab.problems()) == ("typed", [])


def test_F4_a_record_that_cannot_do_without_the_field_waits(lab):
    """Salesforce requires a name: no opportunity is made of a deal whose name it does not take."""
    stage = {"pipeline": lab.pipeline(), "dealstage": lab.stages()["Prospecting"]}
    deal = lab.hs_create("deals", dealname="x" * 200, closedate="2026-06-30T00:00:00Z", **stage)
    lab.sync()
    assert lab.sf_all("SELECT Id FROM Opportunity") == []
    assert shown(lab, "side", "record_id", "code") == [("hubspot", deal, "STRING_TOO_LONG")]
    lab.hs_edit("deals", deal, dealname="Short")
    lab.sync_once()
    assert [row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity")] == ["Short"]
    assert lab.problems() == []


def test_F4_an_address_that_another_contact_has_keeps_nothing_else_back(lab):
    """HubSpot names the holder, and the address waits; the telephone number arrives."""
    lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    owl = lab.sf_create("Contact", LastName="Owl", Email="owl@acme.example")
    lab.sync_once()
    rule_for(lab, "contact-contact", "Email", rule=Rule.ALWAYS_SALESFORCE)
    partner = lab.partner("contacts", owl)
    lab.sf_edit("Contact", owl, Email="fox@acme.example", Phone="123")
    lab.sync()
    row = lab.hs_get("contacts", partner, "phone", "email")
    assert (row["phone"], row["email"]) == ("123", "owl@acme.example")
    assert ("hubspot", partner, "email", "duplicates") in shown(lab, "side", "record_id", "field", "cause")


def test_E2_F4_another_edit_of_the_record_does_not_try_the_bad_value_again(lab):
    """It waits for its time, whatever else is edited; asked for by a person, it is tried at once (T6)."""
    opportunity, deal = paired_deal(lab, Amount=5)
    lab.hs_edit("deals", deal, dealname="x" * 200)
    lab.sync()
    lab.hs_edit("deals", deal, amount="6")
    before = lab.salesforce.admin.usage()["total"]
    lab.sync()
    assert lab.salesforce.admin.usage()["total"] - before == IDLE + 2  # re-read, write
    assert lab.sf_get("Opportunity", opportunity)["Amount"] == 6
    assert shown(lab, "field", "attempts") == [("Name", 1)]
    lab.sync(Wish(records=(f"deal:{deal}",)))
    assert shown(lab, "field", "attempts") == [("Name", 2)]
    lab.hs_edit("deals", deal, dealname="y" * 200)
    lab.sync()
    assert shown(lab, "field", "attempts") == [("Name", 3)]


# --- E2: when it is tried again ---------------------------------------------------------------------------


def test_E2_what_failed_is_tried_again_with_a_growing_delay(lab):
    """After 15 minutes, then 30, then 60; between these it is left alone."""
    _, deal = paired_deal(lab)
    lab.hs_edit("deals", deal, dealname="x" * 200)
    lab.sync()
    (first,) = lab.problems()
    for attempts, minutes in ((1, 15), (2, 30), (3, 60)):
        (problem,) = lab.problems()
        last, due = (datetime.fromisoformat(problem[name]) for name in ("last", "next_try"))
        assert (problem["attempts"], due - last) == (attempts, timedelta(minutes=minutes))
        assert problem["since"] == first["since"]
        lab.advance(minutes=minutes / 2)
        lab.sync()
        assert lab.problems()[0]["attempts"] == attempts
        lab.advance(minutes=minutes / 2)
        lab.sync()
    assert lab.problems()[0]["attempts"] == 4
