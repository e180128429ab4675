"""One record or field, explained: the link, both sides, who wins and why, what was written (X3)."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from engine.undoing import undo_run

from connector.core.model import Side
from connector.engine.answers.explain import Verdict, explain
from connector.engine.answers.fields import Outcome
from connector.engine.world import CONTACTS
from connector.errors import BadConfiguration


def field(found, name):
    """The answer about one field."""
    return next(one for one in found.fields if name in (*one.salesforce.fields, *one.hubspot.fields))


# --- which record -----------------------------------------------------------------------------------------


def test_X3_either_id_address_or_e_mail_finds_the_pair(lab, ask):
    """All of them lead to the same link, with and without asking the CRMs."""
    _, contact, opportunity = lab.business()
    lab.sync()
    deal, there = lab.deal_of(opportunity), lab.partner("contacts", contact)
    for text in (
        opportunity, opportunity[:15], f"deal:{deal}", deal, f"https://app.hubspot.com/contacts/1/record/0-3/{deal}"
    ):  # fmt: skip
        assert ask(text, offline=True).link.salesforce_id == opportunity
    for text in (contact, f"contact:{there}", "Fox@Acme.example", there):
        assert ask(text, offline=True).link.hubspot_id == there
    [role] = lab.sf_all("SELECT Id FROM OpportunityContactRole")
    assert ask(role["Id"]).id == opportunity


def test_X3_one_address_of_two_contacts_asks_which(lab, ask):
    """Nothing is guessed: the ids to choose from are named."""
    ids = []
    for name in ("Fox", "Foxx"):
        ids.append(lab.sf_create("Contact", LastName=name, Email="fox@acme.example"))
        lab.advance(seconds=1)
    lab.sync()
    with pytest.raises(BadConfiguration) as raised:
        ask("fox@acme.example", offline=True)
    [finding] = raised.value.findings
    assert "2 contacts have the address" in finding.message
    assert ids[1] in finding.remedy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("006A0000006Vm9uIAC", "no Opportunity 006A0000006Vm9uIAC was ever seen, and Salesforce shows none"),
        ("deal:99", "no deals 99 was ever seen, and HubSpot shows none"),
        ("99", "no HubSpot record with the id 99 was ever seen"),
        ("nobody@acme.example", "no contact with the address nobody@acme.example was ever seen"),
        ("00K000000000001", "no contact role 00K000000000001EAA was ever seen"),
    ],
)
def test_X3_a_record_that_is_nowhere_is_said_to_be(ask, text, says):
    """What was looked for, and where."""
    with pytest.raises(BadConfiguration) as raised:
        ask(text)
    assert says in raised.value.findings[0].message


def test_X3_two_records_with_one_number_ask_which(lab, ask):
    """A bare number may be a deal's and a contact's id."""
    opportunity = lab.opportunity()
    lab.sync()
    deal = lab.deal_of(opportunity)
    seen = lab.store.records.load(Side.HUBSPOT, "deals", [deal])[deal]
    lab.store.records.observe([replace(seen, object="contacts")], {})
    with pytest.raises(BadConfiguration) as raised:
        ask(deal, offline=True)
    assert raised.value.findings[0].remedy == f"say which: contact:{deal} or deal:{deal}"


def test_X3_a_record_no_run_has_met_is_found_by_asking(lab, ask):
    """It is due to get a partner, unless something keeps it."""
    deal = lab.hs_create("deals", dealname="New", pipeline=lab.pipeline(), dealstage=lab.stages()["Prospecting"])
    found = ask(deal)
    assert (found.side, found.object, found.link) == (Side.HUBSPOT, "deals", None)
    assert [one.why.value for one in found.reasons] == ["never seen"]
    with pytest.raises(BadConfiguration):
        ask(deal, offline=True)


# --- the link ---------------------------------------------------------------------------------------------


def test_X3_how_a_pair_came_to_be(lab, ask):
    """Made for its partner, found by e-mail, domain or stored id: each is remembered with its run."""
    lab.hs_create("contacts", lastname="Fox", email="fox@acme.example")
    lab.hs_create("companies", name="The Acme", domain="acme.example")
    account, contact, opportunity = lab.business()
    run = lab.sync().run
    links = {
        name: ask(id_, offline=True).link for name, id_ in (("a", account), ("c", contact), ("o", opportunity))
    }
    assert {name: (one.matched_on, one.made) for name, one in links.items()} == {
        "a": ("domain", False),
        "c": ("email", False),
        "o": (None, True),
    }
    assert {one.run for one in links.values()} == {run}
    lab.forget()
    lab.sync()
    assert ask(opportunity, offline=True).link.matched_on == "id"


# --- both sides, now or as seen ---------------------------------------------------------------------------


def test_X3_both_crms_are_read_and_nothing_is_written(lab, ask):
    """What was edited since the last run shows, except with `offline`; the store and the CRMs stay as they are."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync()
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    runs, journal = lab.store.runs.page(100), lab.store.journal.of_run(1)
    live, seen = ask(opportunity, "amount"), ask(opportunity, "amount", offline=True)
    assert (field(live, "amount").salesforce.words, field(seen, "amount").salesforce.words) == ("2", "1")
    assert (live.asked_both, live.verdict) == (True, Verdict.DUE)
    assert (seen.asked_both, seen.verdict, seen.why_not) == (False, Verdict.IN_STEP, "")
    assert (lab.store.runs.page(100), lab.store.journal.of_run(1)) == (runs, journal)
    assert lab.hs_get("deals", lab.deal_of(opportunity), "amount")["amount"] == "1"


def test_X3_a_crm_that_does_not_answer_leaves_what_was_seen(lab, ask):
    """The answer comes all the same, and says why it is an old one; a suspended CRM is not even asked."""
    opportunity = lab.opportunity()
    lab.sync()
    lab.environment["HUBSPOT_ACCESS_TOKEN"] = "wrong"
    found = ask(opportunity)
    assert not found.asked_both
    assert "HubSpot refuses the access token" in found.why_not
    assert found.verdict is Verdict.IN_STEP


def test_X3_the_calls_of_an_answer_are_counted(lab, ask):
    """They are calls of the last 24 hours like any other (E3)."""
    opportunity = lab.opportunity()
    lab.sync()
    before = lab.connection().allocation.as_json()["salesforce"]["used"]
    ask(opportunity)
    assert before < lab.connection().allocation.as_json()["salesforce"]["used"] <= before + 6


# --- fields -----------------------------------------------------------------------------------------------


def test_F1_a_field_that_moved_on_one_side_travels(lab, ask):
    """Which side moved, where it goes, and by which rule."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync()
    lab.hs_edit("deals", lab.deal_of(opportunity), amount="5")
    amount = field(ask(opportunity), "amount")
    assert (amount.outcome, amount.to, amount.new, amount.why) == (Outcome.TRAVELS, Side.SALESFORCE, (5.0,), "F1")
    assert (amount.salesforce.moved, amount.hubspot.moved) == (False, True)
    assert (amount.rule, amount.transform) == ("two_way", "number")
    assert amount.hubspot.base == ("1",)


def test_F2_a_conflict_says_which_edit_was_the_later_one_and_how_that_is_known(lab, ask):
    """Before it is settled, from the histories; afterwards, from the journal, with the value that lost."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync()
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    lab.advance(seconds=5)
    lab.hs_edit("deals", lab.deal_of(opportunity), amount="3")
    lab.advance(minutes=1)
    amount = field(ask(opportunity), "amount")
    assert (amount.outcome, amount.to, amount.conflict, amount.why) == (
        Outcome.TRAVELS,
        Side.SALESFORCE,
        True,
        "F2",
    )
    assert "hubspot at 2026-03-02T09:00:07" in amount.evidence
    assert "by the property's history" in amount.evidence
    assert "by the record's last change" in amount.evidence
    run = lab.sync().run
    [write] = [one for one in ask(opportunity, "Amount", offline=True).history if one.run == run]
    [change] = write.changes
    assert (change.old, change.new, change.rule, change.conflict) == (2, 3.0, "F2", True)
    assert change.evidence == amount.evidence
    assert change.cause == f"amount of deals {lab.deal_of(opportunity)}"


def test_F6_an_edit_that_the_rule_does_not_let_through_is_put_back(lab, ask):
    """The side that may say nothing was edited."""
    _, contact, _ = lab.business()
    lab.sync()
    lab.hs_edit("contacts", lab.partner("contacts", contact), lastname="Wolf")
    name = field(ask(contact), "lastname")
    assert (name.outcome, name.to, name.new, name.why) == (Outcome.PUT_BACK, Side.HUBSPOT, ("Fox",), "F6")


def test_A5_owners_stages_and_companies_are_told_by_name(lab, ask):
    """Also when neither CRM is asked: the last look has learnt the names."""
    _, _, opportunity = lab.business()
    lab.sync()
    found = ask(opportunity, offline=True)
    assert field(found, "AccountId").hubspot.words == "Acme"
    assert field(found, "StageName").hubspot.words == "Salesforce - Default pipeline / Prospecting"
    assert "@" in field(found, "OwnerId").salesforce.words
    assert {one.outcome for one in found.fields} <= {Outcome.IN_STEP, Outcome.UNREAD}


def test_R5_a_reference_without_a_partner_waits(lab, ask):
    """The field says so; the rest of the record goes its way."""
    _, _, opportunity = lab.business()
    lab.sync()
    other = lab.sf_create("Account", Name="Later")
    lab.sf_edit("Opportunity", opportunity, AccountId=other)
    account = field(ask(opportunity), "AccountId")
    assert (account.outcome, account.to) == (Outcome.WAITS, Side.HUBSPOT)
    assert other in account.reason


def test_X3_one_field_is_told_alone(lab, ask):
    """By its name on either side, in any case: its values, and the writes that touched it."""
    _, _, opportunity = lab.business()
    lab.sync()
    for name in ("DEALNAME", "name", "Name ↔ dealname"):
        found = ask(opportunity, name, offline=True)
        assert [one.label for one in found.fields] == ["Name ↔ dealname"]
        assert [change.field for write in found.history for change in write.changes] == ["dealname"]
        assert found.contacts == ()


def test_T3_a_field_that_is_not_mapped_says_so(lab, ask):
    """With the mapped name that is closest to it."""
    opportunity = lab.opportunity()
    lab.sync()
    with pytest.raises(BadConfiguration) as raised:
        ask(opportunity, "Amounts", offline=True)
    [finding] = raised.value.findings
    assert "is not mapped, so nothing carries it (T3)" in finding.message
    assert finding.remedy.startswith("did you mean `Amount`? Mapped are Name, dealname")


# --- who belongs to it, and what follows ------------------------------------------------------------------


def test_R1_the_contacts_of_a_deal_on_both_sides(lab, ask):
    """A role and its association, and one whose contact has no partner yet (R5)."""
    _, contact, opportunity = lab.business()
    lab.sync()
    newcomer = lab.sf_create("Contact", LastName="Zander")
    lab.role(opportunity, newcomer, Role="Evaluator")
    found = ask(opportunity)
    second, first = found.contacts
    assert (first.name, first.salesforce_id, first.in_salesforce, first.in_hubspot, first.agreed) == (
        "Fox", contact, True, True, True
    )  # fmt: skip
    assert (second.salesforce_id, second.roles, second.in_hubspot, second.waits) == (
        newcomer, ("Evaluator",), False, True
    )  # fmt: skip


def test_R5_what_a_record_waits_for_does_not_hide_what_it_has(lab, ask):
    """One contact of a deal is held as a duplicate; the deal's other fields and contacts are in step."""
    _, contact, opportunity = lab.business()
    lab.advance(seconds=1)
    double = lab.sf_create("Contact", LastName="Foxx", Email="fox@acme.example")
    lab.role(opportunity, double)
    lab.sync_until_rest()
    found = ask(opportunity)
    [reason] = found.reasons
    assert (reason.why.value, reason.rule, reason.stops) == ("waits", "R5", False)
    assert f"it waits for Contact {double} 'Foxx' to be linked, which does not sync" in reason.text
    assert (found.verdict, field(found, "AccountId").outcome) == (Verdict.PARTLY, Outcome.IN_STEP)
    assert [one.waits for one in found.contacts if one.salesforce_id == contact] == [False]


def test_U9_rollups_come_with_the_deals_they_are_made_of(lab, ask):
    """Those that count, and why the others do not."""
    _, contact, opportunity = lab.business(Amount=10)
    other = lab.opportunity("Other", Amount=5)
    lab.role(other, contact)
    lab.sync_until_rest()
    lab.hs_edit("deals", lab.deal_of(other), pipeline="default", dealstage="appointmentscheduled")
    lab.advance(minutes=1)
    lab.sync_until_rest()
    found = ask(contact)
    assert {one.property: (one.value, one.rule) for one in found.rollups}["sf_num_associated_deals"] == ("1", "U1")
    deals = {one.salesforce_id: (one.status, one.amount, one.counted, one.why_not) for one in found.deals}
    assert deals == {
        opportunity: ("open", "10", True, ""),
        other: ("", "5", False, "its pipeline does not sync"),
    }
    assert [one.property for one in ask(contact, "sf_num_associated_deals").rollups] == ["sf_num_associated_deals"]


def test_U9_a_deal_that_hubspot_has_elsewhere_says_so(lab, ask):
    """It was the company's when both sides last agreed; the account that it waits for is not there."""
    account, _, opportunity = lab.business(Amount=10)
    lab.sync_until_rest()
    stranger = lab.hs_create("companies", name="Stranger")
    lab.hs_associate("deals", lab.deal_of(opportunity), "companies", stranger, 5)
    lab.sf_edit("Opportunity", opportunity, AccountId=None)
    lab.sync_until_rest()
    [found] = ask(account).deals
    assert (found.counted, found.why_not) == (False, "HubSpot has it with another company, or with none")


def test_L10_lifecycle_moves_say_which_rule_and_deal_moved_them(lab, ask):
    """And what HubSpot holds now."""
    _, contact, opportunity = lab.business(StageName="Closed Won")
    run = lab.sync().run
    found = ask(contact, "lifecyclestage")
    assert found.derived == {"lifecyclestage": "customer"}
    [move] = found.lifecycle
    [change] = move.changes
    assert (move.run, change.new, change.rule) == (run, "customer", "L3")
    assert change.cause == f"deal {lab.deal_of(opportunity)} won"


def test_X2_a_stage_is_told_as_held_as_long_as_it_is_the_one_that_was_undone(lab, ask):
    """Another one travels, though it is of the same pipeline."""
    *_, opportunity = lab.business()
    lab.sync_until_rest()
    lab.sf_edit("Opportunity", opportunity, StageName="Qualification")
    run = undo_run(lab, lab.sync().run).run
    told = field(ask(opportunity), "StageName")
    assert (told.outcome, told.remedy) == (Outcome.HELD, f"`connector resume {run.id}` lets it go")
    lab.sf_edit("Opportunity", opportunity, StageName="Needs Analysis")
    assert field(ask(opportunity), "StageName").outcome is Outcome.TRAVELS


def test_X3_an_explanation_is_plain_data(lab, ask):
    """What `--json` prints is all of it."""
    import json

    opportunity = lab.business()[2]
    lab.sync()
    told = json.loads(json.dumps(asdict(ask(opportunity))))
    assert told["link"]["state"] == "linked"
    assert told["verdict"] == "in step"
    assert {one["side"] for one in told["records"]} == {"salesforce", "hubspot"}
    assert told["fields"][0]["label"] == "Name ↔ dealname"


def test_P2_contacts_that_are_switched_off_cannot_be_asked_by_e_mail(lab):
    """The setting is named."""
    lab.configure(SYNC__CONTACTS="false")
    assert CONTACTS not in lab.pairs
    with pytest.raises(BadConfiguration) as raised:
        explain(lab.connection(), "fox@acme.example", ask=False)
    assert "sync.contacts: false" in raised.value.findings[0].message
