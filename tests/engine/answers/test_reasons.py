"""Why does a record not sync? One table: what was done to it, the reason, its rule, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from engine.lab import Lab

from connector.core.model import Presence, Rule, Side
from connector.core.scope import Condition, Question, Scope
from connector.engine.answers.explain import Verdict, explain
from connector.engine.run import Wish
from connector.engine.world import COMPANIES, DEALS
from connector.errors import Unreachable

SWEEP = {"CONNECTOR__HUBSPOT__SWEEP_HOURS": "0.0001"}


def set_scope(lab: Lab, side: Side, *conditions: Condition) -> None:
    lab.pairs = {**lab.pairs, DEALS: replace(lab.pairs[DEALS], scope={side: Scope(conditions)})}


NOT_PARTNER = Condition("Type", Question.IS_NOT, ("Partner",), place=("mappings/opportunity-deal.yaml", 9))


# Each situation is a function of a lab that returns the record to ask about.


def nothing_was_synced(lab: Lab) -> str:
    lab.forget()
    return lab.opportunity()


def deals_are_off(lab: Lab) -> str:
    id_ = lab.opportunity()
    lab.configure(SYNC__DEALS="false")
    lab.sync()
    return id_


def companies_are_off(lab: Lab) -> str:
    id_ = lab.sf_create("Account", Name="Acme")
    lab.configure(SYNC__COMPANIES="false")
    lab.sync()
    return id_


def suspended(lab: Lab) -> str:
    id_ = lab.opportunity()
    lab.sync()
    lab.environment["HUBSPOT_ACCESS_TOKEN"] = "wrong"
    with pytest.raises(Unreachable):
        lab.sync()
    return id_


def never_seen(lab: Lab) -> str:
    return lab.opportunity()


def out_of_scope(lab: Lab) -> str:
    id_ = lab.opportunity(Type="Partner")
    set_scope(lab, Side.SALESFORCE, NOT_PARTNER)
    lab.sync()
    return id_


def out_of_any_scope(lab: Lab) -> str:
    id_ = lab.opportunity(Amount=5)
    either = Scope((Condition("Amount", Question.AT_LEAST, (10,)), NOT_PARTNER), every=False)
    lab.pairs = {**lab.pairs, DEALS: replace(lab.pairs[DEALS], scope={Side.SALESFORCE: Scope((either,))})}
    lab.sf_edit("Opportunity", id_, Type="Partner")
    lab.sync()
    return id_


def frozen(lab: Lab) -> str:
    id_ = lab.opportunity()
    set_scope(lab, Side.SALESFORCE, NOT_PARTNER)
    lab.sync()
    lab.sf_edit("Opportunity", id_, Type="Partner")
    lab.sync()
    return f"deal:{lab.deal_of(id_)}"


def severed(lab: Lab) -> str:
    id_ = lab.opportunity()
    lab.environment |= SWEEP
    lab.sync()
    lab.hs_delete("deals", lab.deal_of(id_))
    lab.advance(minutes=1)
    lab.sync()
    return id_


def opportunity_deleted(lab: Lab) -> str:
    id_ = lab.opportunity()
    lab.sync()
    lab.sf_delete("Opportunity", id_)
    return id_


def deal_deleted(lab: Lab) -> str:
    id_ = lab.opportunity()
    lab.sync()
    lab.hs_delete("deals", lab.deal_of(id_))
    return id_


def both_gone(lab: Lab) -> str:
    id_ = opportunity_deleted(lab)
    lab.advance(minutes=2)
    lab.sync(Wish(deletes=True))
    return id_


def merged(lab: Lab) -> str:
    first, second = (lab.sf_create("Contact", LastName="Fox", Email=f"{name}@acme.example") for name in "ab")
    lab.sync()
    lab.sandbox_post("salesforce", "merge", {"sobject": "Contact", "master": first, "losers": [second]})
    return second


def a_run_died_over_it(lab: Lab) -> str:
    id_ = lab.opportunity()
    assert lab.sync_and_die(-1, after_delivery=True)
    return id_


def stopped(lab: Lab) -> str:
    id_ = lab.opportunity()
    lab.sync()
    lab.hs_edit("deals", lab.deal_of(id_), pipeline="default", dealstage="appointmentscheduled")
    return id_


def in_another_pipeline(lab: Lab) -> str:
    id_ = lab.hs_create("deals", dealname="Elsewhere", pipeline="default", dealstage="appointmentscheduled")
    lab.advance(minutes=1)
    lab.sync()
    return f"deal:{id_}"


def waits_for_its_account(lab: Lab) -> str:
    account = lab.sf_create("Account", Name="Acme", Website="acme.example")
    lab.hs_create("companies", name="One", domain="acme.example")
    lab.hs_create("companies", name="Two", domain="shop.acme.example")
    id_ = lab.opportunity(AccountId=account)
    lab.sync()
    return id_


def several_contacts_with_one_address(lab: Lab) -> str:
    lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    lab.advance(seconds=1)
    id_ = lab.sf_create("Contact", LastName="Foxx", Email="FOX@acme.example")
    lab.sync()
    return id_


def a_company_that_may_be_several(lab: Lab) -> str:
    for name in ("Acme", "ACME "):
        lab.sf_create("Account", Name=name)
    id_ = lab.hs_create("companies", name="acme")
    lab.sync()
    return f"company:{id_}"


def refused(lab: Lab) -> str:
    id_ = lab.opportunity(Name="x", CloseDate="2026-06-30")
    lab.sync()
    rule = {"object": "Opportunity", "fullName": "Limit", "errorConditionFormula": "Amount > 1000"}
    rule |= {"errorMessage": "Ask finance first", "active": True}
    lab.sandbox_post("salesforce", "validation_rules", [rule], "PUT")
    lab.hs_edit("deals", lab.deal_of(id_), amount="5000")
    lab.advance(minutes=1)
    lab.sync()
    return id_


def held(lab: Lab) -> str:
    pair = lab.pairs[DEALS]
    fields = tuple(replace(one, rule=Rule.HOLD) if one.hubspot == ("amount",) else one for one in pair.fields)
    lab.pairs = {**lab.pairs, DEALS: replace(pair, fields=fields)}
    id_ = lab.opportunity(Amount=1)
    lab.sync()
    lab.sf_edit("Opportunity", id_, Amount=2)
    lab.hs_edit("deals", lab.deal_of(id_), amount="3")
    lab.advance(minutes=1)
    lab.sync()
    return id_


def none_is_made_there(lab: Lab) -> str:
    id_ = lab.hs_create("contacts", lastname="Hare", email="hare@acme.example")
    lab.sync()
    return "hare@acme.example" if id_ else ""


def a_company_without_contacts(lab: Lab) -> str:
    lab.pairs = {**lab.pairs, COMPANIES: replace(lab.pairs[COMPANIES], creates=frozenset(Side))}
    id_ = lab.hs_create("companies", name="Lonely")
    lab.sync()
    return f"company:{id_}"


def nobody_touched_it(lab: Lab) -> str:
    lab.forget()
    lab.configure(SYNC__FIRST_SYNC="triggers_only")
    id_ = lab.opportunity()
    lab.sync()
    return id_


def its_partner_was_deleted(lab: Lab) -> str:
    id_ = lab.opportunity(HubSpot_Id__c="4711")
    lab.advance(minutes=1)
    return id_


TABLE = [
    (nothing_was_synced, "no run", "", "connector sync"),
    (deals_are_off, "switched off", "P1", "sync.deals: true"),
    (companies_are_off, "switched off", "P2", "sync.companies: true"),
    (suspended, "suspended", "E4", "connector resume"),
    (never_seen, "never seen", "T1", "--record 006"),
    (out_of_scope, "out of scope", "A8", "change the record or the filter"),
    (out_of_any_scope, "out of scope", "A8", "change the record or the filter"),
    (frozen, "frozen", "A8", "goes on where it was"),
    (severed, "severed", "D3", "connector links relink 006"),
    (opportunity_deleted, "deleted", "D1", "deletes its deal too"),
    (deal_deleted, "deleted", "D2", "ends the link"),
    (both_gone, "closed", "D1", "restored"),
    (merged, "merged", "A7", "the link follows it"),
    (a_run_died_over_it, "pending", "O10", "the next run finds out"),
    (stopped, "stopped", "O5", "pipelines.assigned"),
    (in_another_pipeline, "other pipeline", "O6", "pipelines.assigned"),
    (waits_for_its_account, "waits", "R5", "merge the duplicates"),
    (several_contacts_with_one_address, "ambiguous", "A3", "merge the duplicates"),
    (a_company_that_may_be_several, "ambiguous", "A2", "merge the duplicates"),
    (refused, "problem", "E1", "validation rule"),
    (held, "conflict", "F2", "connector conflicts resolve 006"),
    (none_is_made_there, "not created", "A1", "--create"),
    (a_company_without_contacts, "no contact", "A1", "make it the primary company"),
    (nobody_touched_it, "untouched", "P4", "change it, or `connector sync --record 006"),
    (its_partner_was_deleted, "severed", "D8", "connector links relink 006"),
]


@pytest.mark.parametrize(
    ("situation", "why", "rule", "remedy"), TABLE, ids=lambda one: getattr(one, "__name__", None)
)
def test_X3_why_a_record_does_not_sync(lab: Lab, situation: Callable[[Lab], str], why, rule, remedy):
    """Each situation has its reason, with the rule that it follows from and what to do about it."""
    record = situation(lab)
    found = explain(lab.connection(), record)
    reasons = {one.why.value: one for one in found.reasons}
    assert why in reasons, [(one.why.value, one.text) for one in found.reasons]
    assert reasons[why].rule == rule
    assert remedy in reasons[why].remedy
    assert found.verdict in {Verdict.NOT_SYNCING, Verdict.PARTLY}


def test_X3_a_record_in_step_has_no_reason(lab, ask):
    """Nothing keeps it, so nothing is said to."""
    id_ = lab.business()[2]
    lab.sync_until_rest()
    found = ask(id_)
    assert (found.verdict, found.reasons) == (Verdict.IN_STEP, ())


def test_X3_what_is_out_of_sight_is_told_from_what_is_deleted(lab, ask):
    """A record that the connector's user may not see keeps its pair as it is (D6)."""
    id_ = lab.opportunity()
    lab.sync()
    seen = lab.store.records.load(Side.SALESFORCE, "Opportunity", [id_])[id_]
    lab.store.records.observe([replace(seen, presence=Presence.INVISIBLE)], {})
    [reason] = ask(id_, offline=True).reasons
    assert (reason.why.value, reason.rule) == ("out of sight", "D6")
    assert "give that user access" in reason.remedy


def test_A2_the_candidates_of_a_doubt_are_listed(lab, ask):
    """Everyone who is alike, on both sides, with the key, and who has a partner already."""
    other = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example")
    lab.advance(seconds=1)
    id_ = lab.sf_create("Contact", LastName="Foxx", Email="FOX@acme.example")
    lab.sync()
    [reason] = ask(id_).reasons
    partner = lab.partner("contacts", other)
    assert [(one.side.value, one.id, one.name, one.key, one.partner) for one in reason.alike] == [
        ("hubspot", partner, "Fox", "email", other),
        ("salesforce", other, "Fox", "email", partner),
    ]


def test_R5_a_record_that_waits_says_what_keeps_the_other_one(lab, ask):
    """Whom it waits for, by id and name, and that one's own first reason with its remedy."""
    id_ = waits_for_its_account(lab)
    [reason] = [one for one in ask(id_).reasons if one.why.value == "waits"]
    account = lab.sf_get("Opportunity", id_)["AccountId"]
    assert f"it waits for Account {account} 'Acme' to be linked, which does not sync: by its domain" in reason.text


def test_A8_the_condition_that_failed_is_named_with_its_place(lab, ask):
    """What was asked, what the record holds, and the line of the mapping file."""
    id_ = out_of_scope(lab)
    [reason] = ask(id_).reasons
    asked = "`Type is_not Partner` is not met by 'Partner' (mappings/opportunity-deal.yaml:9)"
    assert reason.text == f"Opportunity {id_} is out of scope: {asked}"


def test_E1_a_refused_field_stops_no_more_than_itself(lab, ask):
    """The record syncs in part; the field's problem has its remedy and the value that was refused."""
    found = ask(refused(lab), "amount")
    assert found.verdict is Verdict.PARTLY
    [problem] = found.problems
    assert (problem.code, problem.refused is not None or problem.field == "") == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        True,
    )
    assert "Ask finance first" in found.reasons[0].text
