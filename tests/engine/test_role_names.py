"""The names of contact roles and the labels of associations (R4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Lab
from engine.test_roles import CONTACT_OF_DEAL, add_contact, contacts_of, dissociate
from engine.undoing import undo_run

from connector.core.model import RoleRules, Rule, Side

LABELS = {"Decision Maker": "Decider", "Economic Buyer": "Decider", "Evaluator": "Evaluator"}


def configure(lab, labels=LABELS, primary="Main contact", rule=Rule.TWO_WAY, *, create=True):
    """Give the deals' mapping labels, as `mappings/contact-role.yaml` does."""
    deals = lab.pairs["opportunity-deal"]
    lab.pairs = {**lab.pairs, "opportunity-deal": replace(deals, roles=RoleRules(rule, labels, primary, create))}
    return lab


@pytest.fixture
def lab():
    return configure(Lab())


def define(lab, label):
    body = {"label": label, "name": f"own_{label}".lower().replace(" ", "_")}
    return lab.hs("POST", "/crm/v4/associations/deals/contacts/labels", body)["results"][0]["typeId"]


def types_of(lab):
    rows = lab.hs("GET", "/crm/v4/associations/deals/contacts/labels")["results"]
    return {row["label"]: row["typeId"] for row in rows if row["category"] == "USER_DEFINED"}


def labels_of(lab, opportunity, contact):
    texts = {id_: label for label, id_ in types_of(lab).items()}
    found = lab.hs_associated("deals", lab.deal_of(opportunity), "contacts")[lab.partner("contacts", contact)]
    return {texts[one] for one in found - {CONTACT_OF_DEAL}}


def label(lab, opportunity, contact, *labels):
    """A person labels an association anew."""
    types, deal = types_of(lab), lab.deal_of(opportunity)
    body = [{"associationCategory": "USER_DEFINED", "associationTypeId": types[one]} for one in labels]
    lab.hs("PUT", f"/crm/v4/objects/deals/{deal}/associations/contacts/{lab.partner('contacts', contact)}", body)


def roles_of(lab, opportunity):
    rows = lab.sf_all(
        "SELECT ContactId, Role, IsPrimary FROM OpportunityContactRole"
        f" WHERE OpportunityId = '{opportunity}' ORDER BY Id"
    )
    return [(one["ContactId"], one["Role"], one["IsPrimary"]) for one in rows]


def test_R4_off_by_default_nothing_of_names_is_read_or_written():
    """Without labels in the mapping, labels are neither asked for nor made."""
    lab = Lab()
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.role(opportunity, ada, Role="Decision Maker", IsPrimary=True)
    assert lab.sync_once().associations_named == 0
    assert types_of(lab) == {}


def test_R4_set_up_makes_the_labels_and_a_new_deal_gets_them(lab):
    """In the run that creates the deal; a plan made before says so."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.role(opportunity, ada, Role="Decision Maker", IsPrimary=True)
    planned = lab.plan()
    assert "label 'Decider' for contacts of deals" in planned.made
    report = lab.sync_once()
    assert labels_of(lab, opportunity, ada) == {"Decider", "Main contact"}
    assert report.associations_named == planned.associations_named == 1


def test_R4_both_ways_names_follow(lab):
    """A role renamed in Salesforce, a label changed in HubSpot, and a label taken away."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    role = lab.role(opportunity, ada, Role="Decision Maker")
    lab.sync_once()
    lab.sf_edit("OpportunityContactRole", role, Role="Evaluator")
    assert lab.sync_once().associations_named == 1
    assert labels_of(lab, opportunity, ada) == {"Evaluator"}
    label(lab, opportunity, ada, "Decider", "Main contact")
    lab.sync_once()
    assert roles_of(lab, opportunity) == [(ada, "Decision Maker", True)]
    lab.sf_edit("OpportunityContactRole", role, Role=None, IsPrimary=False)
    lab.sync_once()
    assert labels_of(lab, opportunity, ada) == set()
    assert lab.partner("contacts", ada) in contacts_of(lab, lab.deal_of(opportunity))


def test_R4_a_label_of_a_contact_added_in_hubspot_names_its_new_role(lab):
    """The role is made, and named in the same run."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.sync_once()
    label(lab, opportunity, ada, "Evaluator")
    lab.sync_once()
    assert roles_of(lab, opportunity) == [(ada, "Evaluator", False)]


def test_R4_X2_a_label_that_stayed_in_hubspot_names_a_further_role_unless_that_is_undone(lab):
    """A role without a name that came later takes it; taken back, it is held, and the label stays as it was."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.sync_once()
    label(lab, opportunity, ada, "Decider", "Evaluator")
    lab.sync_once()
    assert roles_of(lab, opportunity) == [(ada, "Decision Maker", False)]
    lab.role(opportunity, ada)
    run = lab.sync().run
    assert roles_of(lab, opportunity) == [(ada, "Decision Maker", False), (ada, "Evaluator", False)]
    undo_run(lab, run)
    lab.sync_until_rest()
    assert roles_of(lab, opportunity) == [(ada, "Decision Maker", False), (ada, None, False)]
    assert labels_of(lab, opportunity, ada) == {"Decider", "Evaluator"}


def test_R4_labels_that_are_not_in_the_mapping_stay(lab):
    """HubSpot replaces all labels of an association at once, so all are sent."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    role = lab.role(opportunity, ada, Role="Evaluator")
    lab.sync_once()
    define(lab, "Golf partner")
    label(lab, opportunity, ada, "Evaluator", "Golf partner")
    assert lab.sync_once().associations_named == 0
    lab.sf_edit("OpportunityContactRole", role, Role="Decision Maker")
    lab.sync_once()
    assert labels_of(lab, opportunity, ada) == {"Decider", "Golf partner"}
    lab.sf_edit("OpportunityContactRole", role, Role=None)
    lab.sync_once()
    assert labels_of(lab, opportunity, ada) == {"Golf partner"}


def test_R4_the_primary_role_moves_to_another_contact(lab):
    """Salesforce has one per opportunity: who was it before loses the label, in the same run."""
    ada, bob, opportunity = add_contact(lab, "ada"), add_contact(lab, "bob"), lab.opportunity()
    lab.role(opportunity, ada, IsPrimary=True)
    lab.role(opportunity, bob)
    lab.sync_once()
    assert labels_of(lab, opportunity, ada) == {"Main contact"}
    label(lab, opportunity, bob, "Main contact")
    lab.sync_once()
    assert roles_of(lab, opportunity) == [(ada, None, False), (bob, None, True)]
    assert labels_of(lab, opportunity, ada) == set()
    assert labels_of(lab, opportunity, bob) == {"Main contact"}


@pytest.mark.parametrize("side", Side)
def test_R4_a_conflict_that_a_run_settled_before_it_died_is_listed(lab, side):
    """F2: the name is there, so the next run knows that it was given; one of another contact is no matter."""
    ada, bob, opportunity = add_contact(lab, "ada"), add_contact(lab, "bob"), lab.opportunity()
    role = lab.role(opportunity, ada, Role="Decision Maker")
    lab.role(opportunity, bob, Role="Decision Maker")
    lab.sync_once()
    if side is Side.SALESFORCE:
        deals = lab.pairs["opportunity-deal"]
        always = replace(deals.roles, rule=Rule.ALWAYS_HUBSPOT)
        lab.pairs = {**lab.pairs, "opportunity-deal": replace(deals, roles=always)}
    lab.sf_edit("OpportunityContactRole", role, Role="Evaluator" if side is Side.HUBSPOT else None)
    label(lab, opportunity, ada, *(["Main contact"] if side is Side.HUBSPOT else ["Evaluator"]))
    twin = lab.copy()
    twin.sync_once()
    assert lab.sync_and_die(-1, after_delivery=True)
    assert lab.store.journal.conflicts() == []
    lab.sync_once()
    assert [_told(one) for one in lab.store.journal.conflicts()] == [
        _told(one) for one in twin.store.journal.conflicts()
    ]
    assert {one["side"] for one in lab.store.journal.conflicts()} == {side}


def _told(conflict):
    return [conflict["side"], conflict["record_id"], *conflict["changes"]]


def test_R4_names_follow_the_mappings_rule():
    """Only from Salesforce: a label changed in HubSpot is put back (F6)."""
    lab = configure(Lab(), rule=Rule.ALWAYS_SALESFORCE)
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.role(opportunity, ada, Role="Evaluator")
    lab.sync_once()
    label(lab, opportunity, ada, "Decider")
    lab.sync_once()
    assert labels_of(lab, opportunity, ada) == {"Evaluator"}
    assert roles_of(lab, opportunity) == [(ada, "Evaluator", False)]


def test_R4_beyond_ten_labels_roles_go_without_and_it_is_told_once():
    """The rest is carried, and so are all associations."""
    lab = Lab()
    for number in range(8):
        define(lab, f"Taken {number}")
    configure(lab, {"Decision Maker": "Decider", "Evaluator": "Evaluator", "Influencer": "Influencer"}, None)
    people = {name: add_contact(lab, name) for name in ("ada", "bob")}
    opportunity = lab.opportunity()
    lab.role(opportunity, people["ada"], Role="Decision Maker")
    lab.role(opportunity, people["bob"], Role="Influencer")
    lab.sync_once()
    assert labels_of(lab, opportunity, people["ada"]) == {"Decider"}
    assert labels_of(lab, opportunity, people["bob"]) == set()
    (problem,) = lab.problems()
    assert (problem["code"], "'Influencer'" in problem["detail"]) == ("NO_LABEL", True)


def test_R4_labels_are_not_made_where_the_mapping_says_so():
    """What is missing is told; what is there is used."""
    lab = configure(Lab(), primary=None, create=False)
    define(lab, "Decider")
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.role(opportunity, ada, Role="Decision Maker")
    lab.sync_once()
    assert set(types_of(lab)) == {"Decider"}
    assert labels_of(lab, opportunity, ada) == {"Decider"}
    assert [one["code"] for one in lab.problems()] == ["NO_LABEL"]


def test_R3_R4_the_journal_of_a_removal_knows_the_labels(lab):
    """And that of a name the old one: with them it could be brought back."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    role = lab.role(opportunity, ada, Role="Evaluator")
    lab.sync_once()
    lab.sf_edit("OpportunityContactRole", role, Role="Decision Maker")
    report = lab.sync_once()
    (entry,) = [one for one in lab.store.journal.of_run(report.run) if one["verb"] == "name"]
    assert {"labels": ("Evaluator", "Decider")}.items() <= {
        one["field"]: (one["old"], one["new"]) for one in entry["changes"]
    }.items()
    lab.sf_delete("OpportunityContactRole", role)
    lab.advance(minutes=2)
    report = lab.sync_once()
    (entry,) = [one for one in lab.store.journal.of_run(report.run) if one["verb"] == "disconnect"]
    assert str(types_of(lab)["Decider"]) in [one["old"] for one in entry["changes"]]


def test_R4_a_plan_says_what_a_sync_then_does_and_pays(lab):
    """In either direction."""
    ada, bob, opportunity = add_contact(lab, "ada"), add_contact(lab, "bob"), lab.opportunity()
    for one in (ada, bob):
        role = lab.role(opportunity, one, Role="Evaluator")
    lab.sync_once()
    lab.sf_edit("OpportunityContactRole", role, Role=None)
    label(lab, opportunity, ada, "Decider")
    planned = lab.plan()
    assert [(one.verb, one.side) for one in planned.actions] == [("name", Side.HUBSPOT), ("name", Side.SALESFORCE)]
    done = lab.sync()
    assert done.associations_named == planned.associations_named == 2
    for side in Side:
        assert planned.calls[side] + planned.price[side] == done.calls[side]
    assert lab.sync().writes == 0


def test_R2_R4_X1_a_plan_adds_a_contact_to_two_opportunities_and_takes_it_from_neither_deal(lab):
    """Each new role is looked at again for its name; that of one opportunity is not taken for that of the other."""
    ada, opportunities = add_contact(lab), [lab.opportunity("First"), lab.opportunity("Second")]
    lab.sync_once()
    for one in opportunities:
        label(lab, one, ada, "Decider")
    planned = lab.plan()
    done = lab.sync()
    assert planned.associations_removed == done.associations_removed == 0
    assert planned.associations_added == done.associations_added == 2
    assert planned.associations_named == done.associations_named == 2
    for side in Side:
        assert planned.calls[side] + planned.price[side] == done.calls[side]


def test_R4_a_label_given_in_the_middle_of_a_run_is_not_overwritten(lab):
    """What an association has is looked at again right before its labels are replaced."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    role = lab.role(opportunity, ada, Role="Evaluator")
    lab.sync_once()
    define(lab, "Golf partner")
    lab.sf_edit("OpportunityContactRole", role, Role="Decision Maker")
    act = lambda: label(lab, opportunity, ada, "Evaluator", "Golf partner")  # noqa: E731  # what somebody does
    lab.sync_before("/deals/contacts/batch/create", act)
    lab.sync_until_rest()
    dissociate(lab, opportunity, ada)
    lab.sync_until_rest()
    assert roles_of(lab, opportunity) == []


def test_R4_an_empty_store_takes_no_label_away_for_which_there_is_no_role(lab):
    """What both sides showed before the store was lost they show afterwards (law 6)."""
    opportunity, contact = lab.opportunity(), lab.sf_create("Contact", LastName="Ada", Email="ada@acme.example")
    lab.role(opportunity, contact, Role="Decision Maker")
    lab.sync_once()
    label(lab, opportunity, contact, "Decider", "Evaluator")
    lab.advance(hours=2)
    lab.sync_until_rest()
    before = labels_of(lab, opportunity, contact)
    assert before >= {"Decider", "Evaluator"}
    lab.forget()
    lab.sync_until_rest()
    assert labels_of(lab, opportunity, contact) == before
