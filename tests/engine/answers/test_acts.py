"""What a person does about problems, conflicts and links, and what the next runs make of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Lab

from connector.core.model import LinkState, Rule, Side
from connector.engine.answers.conflicts import list_conflicts, resolve
from connector.engine.answers.links import relink, show_link, unlink
from connector.engine.answers.problems import (
    ignore_problems,
    list_problems,
    problems_of,
    retry_problems,
)
from connector.engine.world import DEALS
from connector.errors import BadConfiguration, Busy

SF, HS = Side.SALESFORCE, Side.HUBSPOT


def refuse_big_deals(lab, message="Ask finance first"):
    rule = {"object": "Opportunity", "fullName": "Limit", "errorConditionFormula": "Amount > 1000"}
    lab.sandbox_post("salesforce", "validation_rules", [rule | {"errorMessage": message, "active": True}], "PUT")


def refused(lab):
    """An opportunity whose deal has an amount that Salesforce refuses."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync()
    refuse_big_deals(lab)
    lab.hs_edit("deals", lab.deal_of(opportunity), amount="5000")
    lab.advance(minutes=1)
    lab.sync()
    return opportunity


def set_rule(lab, rule):
    """The amount of deals goes by this rule."""
    pair = lab.pairs[DEALS]
    fields = tuple(replace(one, rule=rule) if one.hubspot == ("amount",) else one for one in pair.fields)
    lab.pairs = {**lab.pairs, DEALS: replace(pair, fields=fields)}


def conflict(lab, rule=Rule.TWO_WAY):
    """An opportunity whose amount was edited on both sides, and one run since: 2 in Salesforce, 3 in HubSpot."""
    set_rule(lab, rule)
    opportunity = lab.opportunity(Amount=1)
    lab.sync()
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    lab.advance(seconds=5)
    lab.hs_edit("deals", lab.deal_of(opportunity), amount="3")
    lab.advance(minutes=1)
    lab.sync()
    return opportunity


def amounts(lab, opportunity):
    here = lab.sf_get("Opportunity", opportunity)["Amount"]
    return here, lab.hs_get("deals", lab.deal_of(opportunity), "amount")["amount"]


# --- problems ---------------------------------------------------------------------------------------------


def test_E1_problems_are_listed_by_class_and_object(lab):
    """Each with the class, the remedy and the tries; a class or object chooses among them."""
    opportunity = refused(lab)
    [one] = list_problems(lab.store)
    assert (one.record_id, one.cause, one.attempts) == (opportunity, "custom code", 1)
    assert one.next_try is not None
    assert list_problems(lab.store, cause="custom code", object_="opportunity") == [one]
    assert list_problems(lab.store, cause="duplicates") == list_problems(lab.store, object_="deals") == []


def test_E2_a_problem_that_is_retried_is_due_in_the_next_run(lab):
    """Before its delay is over, and once what was amiss is mended it is solved."""
    opportunity = refused(lab)
    lab.sandbox_post("salesforce", "validation_rules", [], "PUT")
    lab.sync()
    assert amounts(lab, opportunity) == (1, "5000")
    retry_problems(lab.store, list_problems(lab.store))
    lab.sync_once()
    assert amounts(lab, opportunity) == (5000, "5000")
    assert list_problems(lab.store) == []


def test_E1_an_ignored_problem_is_hidden_until_it_changes(lab):
    """Counted apart, it no longer makes a run end with problems; another detail, and it is open again."""
    opportunity = refused(lab)
    assert lab.sync().status == "problems"
    ignore_problems(lab.store, list_problems(lab.store))
    report = lab.sync()
    assert (report.status, report.problems) == ("ok", 0)
    assert list_problems(lab.store) == []
    [hidden] = list_problems(lab.store, ignored=True)
    assert hidden.ignored_since is not None
    lab.advance(hours=1)
    lab.sync()
    assert list_problems(lab.store, ignored=True)[0].attempts == 2
    refuse_big_deals(lab, "Ask the chief first")
    lab.advance(hours=2)
    assert lab.sync().status == "problems"
    [again] = list_problems(lab.store)
    assert (again.record_id, again.ignored_since) == (opportunity, None)


def test_E1_an_ignored_field_is_shown_again_with_another_value(lab):
    """The same refusal of another value is another problem."""
    property_ = {"label": "Barter", "value": "Barter", "displayOrder": 9, "hidden": False}
    lab.hs("PATCH", "/crm/v3/properties/deals/dealtype", {"options": [property_]})
    opportunity = lab.opportunity()
    lab.sync()
    lab.sf_edit("Opportunity", opportunity, Type="New Customer")
    lab.sync()
    [one] = problems_of(lab.store, HS, "deals", lab.deal_of(opportunity))
    assert (one.field, one.refused) == ("dealtype", "newbusiness")
    ignore_problems(lab.store, [one])
    assert list_problems(lab.store) == []
    lab.sf_edit("Opportunity", opportunity, Type="Existing Business")
    lab.advance(minutes=1)
    lab.sync()
    [again] = list_problems(lab.store)
    assert again.refused == "existingbusiness"


def test_E1_ignoring_can_be_undone(lab):
    """It is as if it had never been said."""
    refused(lab)
    found = list_problems(lab.store)
    ignore_problems(lab.store, found)
    ignore_problems(lab.store, found, over=True)
    assert list_problems(lab.store) == found


# --- conflicts --------------------------------------------------------------------------------------------


def test_F2_a_settled_conflict_is_listed_with_what_lost(lab):
    """Who won, with which value, over which, in which run; and only those since a moment."""
    opportunity = conflict(lab)
    [one] = list_conflicts(lab.connection())
    assert (one.state, one.salesforce_id, one.field, one.winner) == ("settled", opportunity, "Amount", HS)
    assert (one.won, one.lost, one.salesforce, one.hubspot) == (3.0, 2, 2, 3.0)
    assert "by the property's history" in one.evidence
    assert list_conflicts(lab.connection(), since=lab.clock.now().isoformat()) == []


@pytest.mark.parametrize("winner", [SF, HS])
@pytest.mark.parametrize("after", [False, True])
def test_F2_a_conflict_settled_by_a_run_that_died_is_listed_once(lab, winner, after):
    """Whether its write got through, without an answer, or the next run has made it anew."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync()
    deal = lab.deal_of(opportunity)
    edits = [
        lambda: lab.sf_edit("Opportunity", opportunity, Amount=2),
        lambda: lab.hs_edit("deals", deal, amount="3"),
    ]
    for edit in edits if winner is HS else reversed(edits):
        edit()
        lab.advance(seconds=5)
    assert lab.sync_and_die(-1, after_delivery=after)
    assert list_conflicts(lab.connection()) == []
    lab.sync()
    assert [one.winner for one in list_conflicts(lab.connection())] == [winner]
    assert lab.sync().writes == 0


@pytest.mark.parametrize(
    ("rule", "loser", "won", "lost"), [(Rule.TWO_WAY, SF, 3, 2), (Rule.ALWAYS_SALESFORCE, HS, 2, 3)]
)
def test_F2_the_loser_of_a_settled_conflict_is_brought_back(lab, rule, loser, won, lost):
    """By the next run, on both sides, with its reason in the journal; then there is nothing left of it."""
    opportunity = conflict(lab, rule)
    assert amounts(lab, opportunity) == (won, str(won))
    chosen = resolve(lab.connection(), opportunity, "amount", loser.value)
    assert (chosen.side, [float(one) for one in chosen.takes]) == (loser, [lost])
    assert float(list_conflicts(lab.connection())[0].chosen) == lost
    report = lab.sync_once()
    assert amounts(lab, opportunity) == (lost, str(lost))
    causes = [change["cause"] for row in lab.store.journal.of_run(report.run) for change in row["changes"]]
    assert f"chosen by a person (run {chosen.run})" in causes
    assert lab.store.choices.of_pair(DEALS) == []


@pytest.mark.parametrize(("take", "value"), [("salesforce", 2), ("hubspot", 3), ("7", 7), ("", None)])
def test_F2_a_held_conflict_is_resolved_by_a_person(lab, take, value):
    """It is listed with both values, waits however many runs there are, and goes the way that was chosen."""
    opportunity = conflict(lab, Rule.HOLD)
    lab.sync()
    assert amounts(lab, opportunity) == (2, "3")
    [one] = list_conflicts(lab.connection())
    assert (one.state, one.salesforce, one.hubspot) == ("held", 2, "3")
    resolve(lab.connection(), opportunity, "Amount", take)
    lab.sync_once()
    here, there = amounts(lab, opportunity)
    assert (here, there or None) == (value, None if value is None else str(value))
    assert list_problems(lab.store) == []


def test_F2_a_choice_is_void_once_a_side_is_edited(lab):
    """Nothing newer is overwritten by an older choice; the run says so, and the conflict stands."""
    opportunity = conflict(lab, Rule.HOLD)
    resolve(lab.connection(), opportunity, "Amount", "salesforce")
    lab.hs_edit("deals", lab.deal_of(opportunity), amount="9")
    lab.advance(minutes=1)
    report = lab.sync()
    assert any("was not written: a side was edited since" in note for note in report.notes)
    assert amounts(lab, opportunity) == (2, "9")
    assert [one.hubspot for one in list_conflicts(lab.connection())] == ["9"]


def test_F2_a_choice_survives_the_death_of_its_run(lab):
    """Whichever write it dies at, the next run ends with the chosen value on both sides."""
    opportunity = conflict(lab)
    for at in (-1, -2):
        twin = lab.copy()
        resolve(twin.connection(), opportunity, "Amount", "7")
        assert twin.sync_and_die(at, after_delivery=True)
        twin.sync_until_rest()
        assert amounts(twin, opportunity) == (7, "7")
        assert twin.store.choices.of_pair(DEALS) == []


def test_X1_a_plan_shows_what_was_chosen(lab):
    """With the reason, before anything is written; and forgets nothing."""
    opportunity = conflict(lab)
    resolve(lab.connection(), opportunity, "Amount", "7")
    changes = [change for one in lab.plan().actions for change in one.changes if change.rule == "F2"]
    assert [(one.field, one.new) for one in changes] == [("Amount", 7)]
    assert amounts(lab, opportunity) == (3, "3")
    assert len(lab.store.choices.of_pair(DEALS)) == 1


@pytest.mark.parametrize(
    ("field", "take", "says"),
    [
        ("Name", "hubspot", "both sides hold 'Big deal', and no conflict took it from hubspot"),
        ("Amount", "hubspot", "both sides hold"),
        ("Amount", "a lot", "cannot be"),
        ("StageName", "Closed Won", "is more than one field"),
        ("Nonsense", "hubspot", "is not mapped"),
    ],
)
def test_F2_what_cannot_be_chosen_says_why(lab, field, take, says):
    """Nothing is noted then."""
    opportunity = conflict(lab)
    with pytest.raises(BadConfiguration) as raised:
        resolve(lab.connection(), opportunity, field, take)
    assert says in raised.value.findings[0].message
    assert lab.store.choices.of_pair(DEALS) == []


def test_F2_a_record_without_partner_has_no_conflict(lab):
    """There is nothing to choose between."""
    contact = lab.hs_create("contacts", lastname="Hare", email="hare@acme.example")
    lab.sync()
    with pytest.raises(BadConfiguration) as raised:
        resolve(lab.connection(), f"contact:{contact}", "lastname", "hubspot")
    assert "only records that are linked" in raised.value.findings[0].message


# --- links ------------------------------------------------------------------------------------------------


def test_D3_an_ended_link_carries_nothing_and_is_taken_up_where_it_was(lab):
    """What was edited meanwhile is merged: on one side it travels, and nothing was lost."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync()
    deal = lab.deal_of(opportunity)
    assert show_link(lab.connection(), opportunity).link.state is LinkState.LINKED
    ended = unlink(lab.connection(), f"deal:{deal}")
    assert (ended.salesforce_id, ended.hubspot_id) == (opportunity, deal)
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    lab.sync_once()
    assert amounts(lab, opportunity) == (1 + 1, "1")
    found = relink(lab.connection(), opportunity, deal)
    assert (found.taken_up, [(one.label, one.to, one.new) for one in found.writes]) == (
        True, [("Amount ↔ amount", HS, ("2",))]
    )  # fmt: skip
    lab.sync_once()
    assert amounts(lab, opportunity) == (2, "2")


def test_U9_what_a_link_by_hand_means_for_rollups(lab, ask):
    """An ended pair counts no more, one that is taken up counts again."""
    _, contact, opportunity = lab.business(Amount=5)
    lab.sync_until_rest()

    def number():
        properties = lab.hs_get("contacts", lab.partner("contacts", contact), "sf_num_associated_deals")
        return properties["sf_num_associated_deals"]

    unlink(lab.connection(), opportunity)
    lab.sync_until_rest()
    assert number() == "0"
    relink(lab.connection(), opportunity, lab.deal_of(opportunity))
    lab.sync_until_rest()
    assert number() == "1"
    assert [one.kind for one in ask(opportunity).acts] == ["relink", "unlink"]


def test_D3_a_deleted_deal_comes_anew_when_a_person_says_so(lab):
    """`relink` of the opportunity alone puts the ended pair aside, and the next run makes it a deal."""
    opportunity = lab.opportunity()
    lab.environment["CONNECTOR__HUBSPOT__SWEEP_HOURS"] = "0.0001"
    lab.sync()
    deal = lab.deal_of(opportunity)
    lab.hs_delete("deals", deal)
    lab.advance(minutes=1)
    lab.sync_once()
    with pytest.raises(BadConfiguration) as raised:
        relink(lab.connection(), opportunity, f"deal:{deal}")
    assert "is deleted" in raised.value.findings[0].message
    relink(lab.connection(), opportunity)
    lab.sync_once()
    assert lab.deal_of(opportunity) != deal


def test_A2_two_that_never_were_one_are_linked_by_hand(lab, ask):
    """They are one from then on: their values are merged by rule, and no duplicate is made."""
    lab.configure(SYNC__FIRST_SYNC="import")
    account = lab.sf_create("Account", Name="Acme Incorporated", Phone="1")
    company = lab.hs_create("companies", name="ACME")
    lab.sync()
    other = lab.partner("companies", account)
    unlink(lab.connection(), account)
    found = relink(lab.connection(), account, f"company:{company}")
    assert (found.taken_up, "Name ↔ name" in {one.label for one in found.writes}) == (False, True)
    lab.hs_edit("companies", other, sf_record_id="")
    lab.sync_until_rest()
    assert lab.hs_get("companies", company, "name", "phone", "sf_record_id") | {} == {
        **lab.hs_get("companies", company, "name", "phone", "sf_record_id"),
        "name": "Acme Incorporated",
        "phone": "1",
        "sf_record_id": account,
    }
    assert ask(account).link.matched_on == "hand"


def test_A2_a_link_by_hand_is_not_ended_by_the_ids_that_are_stored(lab):
    """Two pairs were wrong, and one is put right: that the former partner has the id still is listed, no more."""
    first, second = (lab.sf_create("Account", Name=name) for name in ("One", "Two"))
    lab.sync()
    former, right = lab.partner("companies", first), lab.partner("companies", second)
    for account in (first, second):
        unlink(lab.connection(), account)
    relink(lab.connection(), first, f"company:{right}")
    lab.sync_once()
    assert lab.store.links.by_ids("account-company", SF, [first])[first].hubspot_id == right
    assert lab.hs_get("companies", right, "name")["name"] == "One"
    assert {one["record_id"]: one["code"] for one in lab.problems()} == {
        former: "DUPLICATE",
        right: "CONFLICTING_UNIQUE_VALUE",
    }
    lab.hs_edit("companies", former, sf_record_id="")
    lab.advance(minutes=16)
    lab.sync_once()
    assert lab.partner("companies", first) == right
    assert lab.problems() == []


@pytest.mark.parametrize("both", [False, True])
def test_A3_whom_a_person_parted_from_the_wrong_partner_meets_the_right_one(lab, both):
    """Though it stores the wrong one's id still, or each the other's."""
    wrong = lab.sf_create("Contact", LastName="Wrong", Email="jane@acme.example")
    lab.sync()
    jane = lab.partner("contacts", wrong)
    lab.sf_edit("Contact", wrong, HubSpot_Id__c=jane if both else None)
    unlink(lab.connection(), wrong)
    lab.sf_edit("Contact", wrong, Email="wrong@acme.example")
    right = lab.sf_create("Contact", LastName="Right", Email="jane@acme.example")
    lab.sync_once()
    assert lab.partner("contacts", right) == jane
    assert lab.problems() == []


def test_law_7_nothing_gets_two_partners(lab):
    """Linking to a record that has one is refused, and says which ends first."""
    first, second = lab.opportunity("One"), lab.opportunity("Two")
    lab.sync()
    deal = lab.deal_of(second)
    for here, there, says in (
        (first, f"deal:{deal}", f"Opportunity {first} has a partner already"),
        (first, f"deal:{lab.deal_of(first)}", "are linked already"),
        (f"deal:{deal}", None, "name the Salesforce record first"),
        (first, second, "can only be linked to a record of opportunity-deal"),
        (first, None, "has a partner already"),
    ):
        with pytest.raises(BadConfiguration) as raised:
            relink(lab.connection(), here, there)
        assert says in raised.value.findings[0].message
    unlink(lab.connection(), first)
    with pytest.raises(BadConfiguration) as raised:
        relink(lab.connection(), first, f"deal:{deal}")
    assert raised.value.findings[0].message == f"deals {deal} has a partner already: {second}"
    with pytest.raises(BadConfiguration) as raised:
        unlink(lab.connection(), first)
    assert "there is nothing to end: its link is unlinked" in raised.value.findings[0].message


def test_D3_nothing_is_done_by_hand_while_a_run_is_under_way(lab):
    """The lease keeps both apart."""
    opportunity = conflict(lab)
    with lab.store.runs.lease():
        for act in (
            lambda: unlink(lab.connection(), opportunity),
            lambda: resolve(lab.connection(), opportunity, "Amount", "7"),
        ):
            with pytest.raises(Busy):
                act()
    assert unlink(lab.connection(), opportunity).salesforce_id == opportunity


def test_A1_a_record_without_link_cannot_be_shown_one(lab):
    """It is said where the reason stands."""
    contact = lab.hs_create("contacts", lastname="Hare", email="hare@acme.example")
    lab.sync()
    with pytest.raises(BadConfiguration) as raised:
        show_link(lab.connection(), f"contact:{contact}")
    assert "connector explain" in raised.value.findings[0].remedy


def test_D3_what_a_person_unlinked_does_not_link_itself_again():
    """Both records are there, and edits of either do not count; only `relink` takes the pair up."""
    lab = Lab()
    lab.sync()
    opportunity = lab.opportunity("Apart")
    lab.sync_until_rest()
    unlink(lab.connection(), opportunity)
    lab.sf_edit("Opportunity", opportunity, Name="Moved on")
    lab.hs_edit("deals", lab.deal_of(opportunity), description="here too")
    assert lab.sync().writes == 0
    assert lab.store.links.count_by_state()["opportunity-deal"] == {"unlinked": 1}
