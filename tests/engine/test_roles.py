"""Contact roles and contacts of deals, and what waits for whom (R1-R6)."""

from __future__ import annotations

import pytest
from engine.lab import Lab

from connector.adapters.hubspot import HubSpot
from connector.core.model import Side
from connector.engine.run import Wish

CONTACT_OF_DEAL, COMPANY_OF_DEAL = 3, 5


@pytest.fixture
def lab():
    return Lab()


def add_contact(lab, name="ada", **fields):
    return lab.sf_create("Contact", LastName=name.title(), **{"Email": f"{name}@acme.example", **fields})


def contacts_of(lab, deal):
    return set(lab.hs_associated("deals", deal, "contacts"))


def roles_of(lab, opportunity):
    rows = lab.sf_all(f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{opportunity}'")
    return sorted(one["ContactId"] for one in rows)


# --- R1 -----------------------------------------------------------------------------------------------------


def test_R1_roles_associate_a_new_deal_with_its_contacts(lab):
    """Each contact with a role is associated; a contact of the same account without one is not."""
    account = lab.sf_create("Account", Name="Acme")
    ada, bob, eve = (add_contact(lab, name, AccountId=account) for name in ("ada", "bob", "eve"))
    opportunity = lab.opportunity(AccountId=account)
    lab.role(opportunity, ada)
    lab.role(opportunity, bob)
    lab.sync_once()
    people = {one: lab.partner("contacts", one) for one in (ada, bob, eve)}
    assert contacts_of(lab, lab.deal_of(opportunity)) == {people[ada], people[bob]}
    assert people[eve]


def test_R1_a_role_added_to_an_existing_pair_associates_the_contact(lab):
    """One association more, and nothing else is written."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.sync_once()
    lab.role(opportunity, ada)
    report = lab.sync_once()
    types = lab.hs_associated("deals", lab.deal_of(opportunity), "contacts")
    assert types == {lab.partner("contacts", ada): {CONTACT_OF_DEAL}}
    assert report.associations_added == 1


def test_R1_two_roles_of_one_contact_are_one_association(lab):
    """Salesforce may hold a person in two roles; HubSpot knows them once."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.role(opportunity, ada, Role="Decision Maker")
    lab.role(opportunity, ada, Role="Evaluator")
    lab.sync_once()
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", ada)}
    assert len(roles_of(lab, opportunity)) == 2


# --- R2 -----------------------------------------------------------------------------------------------------


def test_R2_a_contact_of_a_deal_becomes_a_role(lab):
    """Associated later with a deal that was born in Salesforce; once, however often runs follow."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.sync_once()
    lab.hs_associate("deals", lab.deal_of(opportunity), "contacts", lab.partner("contacts", ada), CONTACT_OF_DEAL)
    report = lab.sync_once()
    assert roles_of(lab, opportunity) == [ada]
    assert report.associations_added == 1


def test_R2_added_on_both_sides_is_agreed_without_a_write(lab):
    """Somebody was quicker: the role and the association are the same thing."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    lab.sync_once()
    lab.role(opportunity, ada)
    lab.hs_associate("deals", lab.deal_of(opportunity), "contacts", lab.partner("contacts", ada), CONTACT_OF_DEAL)
    assert lab.sync_once().associations_added == 0
    assert roles_of(lab, opportunity) == [ada]


def test_R2_a_contact_that_is_only_in_hubspot_makes_no_role_and_no_contact(lab):
    """It waits, visibly; linked by its e-mail later, it becomes a role."""
    opportunity = lab.opportunity()
    lab.sync_once()
    stranger = lab.hs_create("contacts", email="eve@acme.example")
    lab.hs_associate("deals", lab.deal_of(opportunity), "contacts", stranger, CONTACT_OF_DEAL)
    assert lab.sync_once().waiting == 1
    assert roles_of(lab, opportunity) == []
    eve = add_contact(lab, "eve")
    report = lab.sync_once()
    assert roles_of(lab, opportunity) == [eve]
    assert report.waiting == 0


# --- R3 -----------------------------------------------------------------------------------------------------


@pytest.fixture
def couple(lab):
    """An opportunity and its deal, with ada and bob on both, at rest."""
    ada, bob, opportunity = add_contact(lab, "ada"), add_contact(lab, "bob"), lab.opportunity()
    for one in (ada, bob):
        lab.role(opportunity, one, Role="Evaluator")
    lab.sync_once()
    return opportunity, ada, bob


def role_ids(lab, opportunity, contact):
    rows = lab.sf_all(
        f"SELECT Id FROM OpportunityContactRole WHERE OpportunityId = '{opportunity}' AND ContactId = '{contact}'"
    )
    return [one["Id"] for one in rows]


def delete_roles(lab, opportunity, contact):
    for one in role_ids(lab, opportunity, contact):
        lab.sf_delete("OpportunityContactRole", one)
    lab.advance(minutes=2)  # Salesforce tells of deletions by the minute


def dissociate(lab, opportunity, contact):
    deal, who = lab.deal_of(opportunity), lab.partner("contacts", contact)
    lab.hs("DELETE", f"/crm/v4/objects/deals/{deal}/associations/contacts/{who}")


def removals(lab):
    """What was taken away, as the journal of the last run but one has it: side and old values by field."""
    run = lab.store.runs.last()["run"]
    entries = [one for number in (run - 1, run) for one in lab.store.journal.of_run(number)]
    return [
        (one["side"], one["state"], {change["field"]: change["old"] for change in one["changes"]})
        for one in entries
        if one["verb"] == "disconnect"
    ]


def test_R3_T1_a_role_deleted_in_salesforce_takes_its_association_away(lab, couple):
    """That of this contact only; the journal says what there was."""
    opportunity, ada, bob = couple
    delete_roles(lab, opportunity, ada)
    report = lab.sync_once()
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", bob)}
    assert (report.associations_removed, report.associations_added) == (1, 0)
    assert roles_of(lab, opportunity) == [bob]
    assert removals(lab) == [("hubspot", "done", {"contact": lab.partner("contacts", ada)})]


def test_R3_T2_an_association_removed_in_hubspot_takes_the_contact_role_away(lab, couple):
    """HubSpot moves no date for it; the next run finds it all the same."""
    opportunity, ada, bob = couple
    dissociate(lab, opportunity, ada)
    report = lab.sync_once()
    assert roles_of(lab, opportunity) == [bob]
    assert report.associations_removed == 1
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", bob)}
    old = {"contact": ada, "Role": "Evaluator", "IsPrimary": False}
    assert removals(lab) == [("salesforce", "done", old)]


def test_R3_every_role_of_a_contact_goes_with_the_association(lab):
    """And while one of several is left in Salesforce, nothing goes (R5: several count once)."""
    ada, opportunity = add_contact(lab), lab.opportunity()
    first = lab.role(opportunity, ada, Role="Evaluator")
    for name in ("Decision Maker", "Influencer"):
        lab.role(opportunity, ada, Role=name)
    lab.sync_once()
    lab.sf_delete("OpportunityContactRole", first)
    lab.advance(minutes=2)
    assert lab.sync_once().writes == 0
    dissociate(lab, opportunity, ada)
    assert lab.sync_once().associations_removed == 2
    assert roles_of(lab, opportunity) == []


def test_R3_removed_on_both_sides_is_forgotten_without_a_write(lab, couple):
    """And may be added again on either."""
    opportunity, ada, _ = couple
    delete_roles(lab, opportunity, ada)
    dissociate(lab, opportunity, ada)
    report = lab.sync_once()
    assert (report.associations_added, report.associations_removed) == (0, 0)
    lab.role(opportunity, ada)
    assert lab.sync_once().associations_added == 1
    assert lab.partner("contacts", ada) in contacts_of(lab, lab.deal_of(opportunity))


def test_R3_a_role_that_moves_to_another_contact_moves_the_association(lab, couple):
    """One is removed, one added."""
    opportunity, ada, bob = couple
    eve = add_contact(lab, "eve")
    (role,) = role_ids(lab, opportunity, ada)
    lab.sf_edit("OpportunityContactRole", role, ContactId=eve)
    report = lab.sync_once()
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", one) for one in (bob, eve)}
    assert (report.associations_added, report.associations_removed) == (1, 1)


def test_R3_what_was_never_agreed_on_is_not_removed(lab, couple):
    """With an empty store nobody can tell a removal from an addition: what either side has is kept."""
    opportunity, ada, _ = couple
    delete_roles(lab, opportunity, ada)
    lab.forget()
    report = lab.sync_once()
    assert report.associations_removed == 0
    assert ada in roles_of(lab, opportunity)


def test_R3_U6_lifecycle_and_rollups_follow_a_removal(lab, couple):
    """The contact has one deal less; the stage it reached stays (L1)."""
    opportunity, ada, bob = couple
    name = "sf_num_associated_deals"
    stages = ("lifecyclestage", name)
    assert lab.hs_get("contacts", lab.partner("contacts", ada), name)[name] == "1"
    dissociate(lab, opportunity, ada)
    lab.sync_once()
    gone, left = (lab.hs_get("contacts", lab.partner("contacts", one), *stages) for one in (ada, bob))
    assert (gone[name], left[name]) == ("0", "1")
    assert gone["lifecyclestage"] == left["lifecyclestage"]


@pytest.mark.parametrize("remove", [delete_roles, dissociate])
def test_R3_a_plan_shows_a_removal_with_its_reason_and_its_price(lab, couple, remove):
    """What it says is what a sync then does and pays."""
    opportunity, ada, _ = couple
    remove(lab, opportunity, ada)
    planned = lab.plan()
    (action,) = [one for one in planned.actions if one.verb == "disconnect"]
    assert {change.rule for change in action.changes} == {"R3"}
    assert "contact" in action.changes[0].cause
    done = lab.sync()
    assert done.associations_removed == planned.associations_removed == 1
    for side in Side:
        assert planned.calls[side] + planned.price[side] == done.calls[side]
    assert lab.sync().writes == 0


@pytest.mark.parametrize("remove", [delete_roles, dissociate])
def test_R3_T6_a_single_record_is_synced_with_its_removals(lab, couple, remove):
    """On demand, and at once: roles are read themselves, not the list of deleted ones."""
    opportunity, ada, bob = couple
    remove(lab, opportunity, ada)
    assert lab.sync(Wish(records=(opportunity,))).associations_removed == 1
    assert roles_of(lab, opportunity) == [bob]
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", bob)}


# --- R3 with D6: absence needs a reason ---


def test_R3_D6_a_contact_deleted_in_salesforce_takes_no_association_away(lab, couple):
    """Salesforce deletes its roles with it; that is no removal of a role."""
    opportunity, ada, _ = couple
    partner = lab.partner("contacts", ada)
    lab.sf_delete("Contact", ada)
    lab.advance(minutes=2)
    assert lab.sync_once().associations_removed == 0
    assert partner in contacts_of(lab, lab.deal_of(opportunity))


def test_R3_D6_a_contact_deleted_in_hubspot_takes_no_role_away(lab, couple):
    """HubSpot drops its associations with it, and shows in no search that it is gone."""
    opportunity, ada, bob = couple
    lab.hs_delete("contacts", lab.partner("contacts", ada))
    lab.sync()
    assert lab.sync().associations_removed == 0
    assert roles_of(lab, opportunity) == sorted([ada, bob])
    lab.advance(hours=25)  # past the next look at archived records
    lab.sync_until_rest()
    assert roles_of(lab, opportunity) == sorted([ada, bob])


def test_R5_D6_a_contact_deleted_unseen_that_gets_roles_on_two_deals_is_waited_for_by_both(lab, couple):
    """HubSpot refuses each of them, and is asked about the contact once: it takes no id twice."""
    _, ada, bob = couple
    others = [lab.opportunity(name, AccountId=None) for name in ("Two", "Three")]
    lab.sync_until_rest()
    gone = lab.partner("contacts", ada)
    lab.hs_delete("contacts", gone)
    for one in others:
        lab.role(one, ada)
        lab.role(one, bob)
    lab.advance(minutes=2)
    lab.sync_until_rest()
    assert [contacts_of(lab, lab.deal_of(one)) for one in others] == [{lab.partner("contacts", bob)}] * 2
    assert lab.problems() == []


def test_R3_D2_a_deal_deleted_in_hubspot_takes_no_role_away(lab, couple):
    """Its associations are gone with it before anybody knows that it is."""
    opportunity, ada, bob = couple
    lab.hs_delete("deals", lab.deal_of(opportunity))
    lab.sync()
    lab.sync_until_rest()
    assert roles_of(lab, opportunity) == sorted([ada, bob])


def test_R3_O5_a_deal_in_a_pipeline_that_is_not_synced_takes_no_role_away(lab, couple):
    """Neither side changes the other while it is there; back again, the removal travels."""
    opportunity, ada, bob = couple
    deal = lab.deal_of(opportunity)
    body = {"label": "Elsewhere", "displayOrder": 9,
            "stages": [{"label": "New", "displayOrder": 0, "metadata": {"probability": "0.1"}}]}  # fmt: skip
    elsewhere = lab.hs("POST", "/crm/v3/pipelines/deals", body)
    lab.hs_edit("deals", deal, pipeline=elsewhere["id"], dealstage=elsewhere["stages"][0]["id"])
    dissociate(lab, opportunity, ada)
    lab.sync_once()
    assert roles_of(lab, opportunity) == sorted([ada, bob])
    lab.hs_edit("deals", deal, pipeline=lab.pipeline(), dealstage=lab.stages(lab.pipeline())["Prospecting"])
    lab.sync_until_rest()
    assert roles_of(lab, opportunity) == [bob]


def test_R3_D6_associations_that_could_not_be_read_take_no_role_away(lab, couple):
    """An error of HubSpot's about a deal is not the news that it has no contacts."""
    opportunity, ada, bob = couple
    honest = HubSpot._expect

    def fail(self, method, path, body, accept=None):
        answer = honest(self, method, path, body, accept)
        if path.endswith("/deals/contacts/batch/read"):
            ids = [row["from"]["id"] for row in answer["results"]]
            error = {
                "status": "error",
                "category": "INTERNAL",
                "message": "try later",
                "context": {"fromObjectId": ids},
            }
            return {"results": [], "errors": [error]}
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HubSpot, "_expect", fail)
        assert lab.sync_once().writes == 0
    assert roles_of(lab, opportunity) == sorted([ada, bob])


def test_R3_somebody_was_quicker_than_the_removal(lab, couple):
    """A role made anew between our look and our write keeps the association: it is looked at again first."""
    opportunity, ada, bob = couple
    delete_roles(lab, opportunity, ada)
    lab.sync_before("/deals/contacts/batch/archive", lambda: None)
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", bob)}
    lab.role(opportunity, ada)
    lab.sync_once()
    dissociate(lab, opportunity, ada)
    deal, who = lab.deal_of(opportunity), lab.partner("contacts", ada)

    def associate():
        lab.hs_associate("deals", deal, "contacts", who, CONTACT_OF_DEAL)

    lab.sync_before("/contacts/batch/read", associate)
    lab.sync_until_rest()
    assert sorted(roles_of(lab, opportunity)) == sorted([ada, bob])


@pytest.mark.parametrize("side", ["salesforce", "hubspot"])
def test_R3_F1_what_is_seen_of_a_record_before_a_removal_travels_too(lab, couple, side):
    """An edit that only the look before the removal showed is not taken for one that was dealt with."""
    opportunity, ada, _ = couple
    deal, who = lab.deal_of(opportunity), lab.partner("contacts", ada)
    if side == "hubspot":  # whose search lags: the removal is seen, and the edit is not yet
        lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, "PUT")
        dissociate(lab, opportunity, ada)
        lab.hs_edit("deals", deal, description="edited")
    else:
        delete_roles(lab, opportunity, ada)
        lab.sync_before(
            "/contacts/batch/read", lambda: lab.sf_edit("Opportunity", opportunity, Description="edited")
        )
    lab.sync_once()
    lab.advance(hours=2)
    lab.sync_until_rest()
    assert ada not in roles_of(lab, opportunity)
    assert who not in contacts_of(lab, deal)
    assert lab.sf_get("Opportunity", opportunity)["Description"] == "edited"
    assert lab.hs_get("deals", deal, "description")["description"] == "edited"


def test_R3_a_new_deal_of_a_restored_opportunity_takes_no_role_away(lab, couple):
    """What was agreed with the old deal was not agreed with the new one (D4)."""
    opportunity, ada, bob = couple
    lab.sf_delete("Opportunity", opportunity)
    lab.advance(minutes=2)
    lab.sync(Wish(deletes=True))
    lab.sandbox_post("salesforce", "undelete", {"ids": [opportunity]})
    lab.sync_until_rest()
    assert roles_of(lab, opportunity) == sorted([ada, bob])
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", one) for one in (ada, bob)}


def test_R3_A7_contacts_merged_in_salesforce_take_no_association_away(lab, couple):
    """The master takes over the role; whoever was on the deal stays on it, and so do roles."""
    opportunity, ada, bob = couple
    deal = lab.deal_of(opportunity)
    before = contacts_of(lab, deal)
    lab.sandbox_post("salesforce", "merge", {"sobject": "Contact", "master": ada, "losers": [bob]})
    lab.advance(minutes=2)
    lab.sync_until_rest()
    assert contacts_of(lab, deal) == before
    assert set(roles_of(lab, opportunity)) == {ada}


def test_R3_A7_contacts_merged_in_hubspot_take_no_role_away(lab, couple):
    """The associations of the one that is gone are those of the survivor."""
    opportunity, ada, bob = couple
    kept, lost = (lab.partner("contacts", one) for one in (ada, bob))
    lab.hs("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": kept, "objectIdToMerge": lost})
    lab.sync_until_rest()
    assert roles_of(lab, opportunity) == sorted([ada, bob])


def test_R3_a_role_that_is_removed_after_a_first_look_was_cut_short_is_known_to_be_gone(lab):
    """The look had told of the role, and not yet from where on to ask what is deleted."""
    opportunity, ada, bob = lab.opportunity(), add_contact(lab, "ada"), add_contact(lab, "bob")
    for one in (ada, bob):
        lab.role(opportunity, one)
    stream, step, twin = "salesforce/OpportunityContactRole", 0, lab.copy()
    while twin.store.runs.read(stream) is None:
        step, twin = step + 1, lab.copy()
        assert twin.sync_and_die(step, after_delivery=True)
    assert twin.store.runs.read(f"{stream}/deleted") is None
    delete_roles(twin, opportunity, ada)
    twin.advance(minutes=6)
    twin.sync_until_rest()
    assert roles_of(twin, opportunity) == [bob]
    assert contacts_of(twin, twin.deal_of(opportunity)) == {twin.partner("contacts", bob)}


def test_R1_D3_who_gets_another_partner_is_on_the_deal_again(lab, couple):
    """A person has the contact made anew that somebody deleted: its role was agreed on with the one gone."""
    opportunity, ada, bob = couple
    lab.hs_delete("contacts", lab.partner("contacts", ada))
    lab.advance(hours=25)
    lab.sync_until_rest()
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", bob)}
    lab.sync(Wish(records=(ada,), create=True))
    lab.sync_until_rest()
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", one) for one in (ada, bob)}


@pytest.mark.parametrize("side", ["salesforce", "hubspot"])
def test_R3_A7_who_was_removed_before_a_merge_is_removed_after_it(lab, couple, side):
    """The survivor of a merge in HubSpot is still the contact that was agreed to belong to the deal."""
    opportunity, ada, bob = couple
    zoe = add_contact(lab, "zoe")
    lab.sync_once()
    kept, lost = (lab.partner("contacts", one) for one in (ada, zoe))
    if side == "salesforce":
        delete_roles(lab, opportunity, ada)
    else:
        dissociate(lab, opportunity, ada)
    lab.hs("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": kept, "objectIdToMerge": lost})
    lab.advance(hours=2)
    lab.sync_until_rest()
    assert roles_of(lab, opportunity) == [bob]
    assert contacts_of(lab, lab.deal_of(opportunity)) == {lab.partner("contacts", bob)}


# --- R5 -----------------------------------------------------------------------------------------------------


def held_contact(lab):
    """A contact with the e-mail of an older one: it is not linked until it has one of its own (A3)."""
    add_contact(lab, "older", Email="both@acme.example")
    lab.advance(seconds=1)
    return add_contact(lab, "late", Email="both@acme.example")


def test_R5_a_role_waits_for_its_contact_visibly_and_nothing_else_waits(lab):
    """The deal is made, with the other contact and every field; the role follows when the contact arrives."""
    ada, late = add_contact(lab), held_contact(lab)
    opportunity = lab.opportunity(Amount=5)
    lab.role(opportunity, ada)
    lab.role(opportunity, late)
    assert lab.plan().waiting == lab.sync_once().waiting == 1
    deal = lab.deal_of(opportunity)
    assert contacts_of(lab, deal) == {lab.partner("contacts", ada)}
    assert lab.hs_get("deals", deal, "amount")["amount"] == "5"
    lab.sf_edit("Opportunity", opportunity, Amount=6)
    assert lab.sync_once().waiting == 1
    assert lab.hs_get("deals", deal, "amount")["amount"] == "6"
    lab.sf_edit("Contact", late, Email="late@acme.example")
    report = lab.sync_once()
    assert contacts_of(lab, deal) == {lab.partner("contacts", ada), lab.partner("contacts", late)}
    assert report.waiting == 0
    assert lab.problems() == []


def test_R5_a_role_that_is_deleted_while_it_waits_is_waited_for_no_longer(lab):
    """The contact comes later and is associated with nothing."""
    late, opportunity = held_contact(lab), lab.opportunity()
    role = lab.role(opportunity, late)
    assert lab.sync_once().waiting == 1
    lab.sf_delete("OpportunityContactRole", role)
    lab.advance(minutes=2)  # Salesforce tells of deletions by the minute
    assert lab.sync_once().waiting == 0
    lab.sf_edit("Contact", late, Email="late@acme.example")
    lab.sync_once()
    assert lab.partner("contacts", late)
    assert contacts_of(lab, lab.deal_of(opportunity)) == set()


# --- R6 -----------------------------------------------------------------------------------------------------


def primary_company(lab, deal):
    found = lab.hs_associated("deals", deal, "companies")
    return next((id_ for id_, types in found.items() if COMPANY_OF_DEAL in types), None)


def test_R6_the_account_becomes_the_deals_primary_company_and_moves_with_it(lab):
    """At creation, when the account changes, and when it is taken away."""
    first, second = (lab.sf_create("Account", Name=name) for name in ("First", "Second"))
    opportunity = lab.opportunity(AccountId=first)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    assert primary_company(lab, deal) == lab.partner("companies", first)
    lab.sf_edit("Opportunity", opportunity, AccountId=second)
    lab.sync_once()
    assert set(lab.hs_associated("deals", deal, "companies")) == {lab.partner("companies", second)}
    assert primary_company(lab, deal) == lab.partner("companies", second)
    lab.sf_edit("Opportunity", opportunity, AccountId=None)
    lab.sync_once()
    assert lab.hs_associated("deals", deal, "companies") == {}
    assert lab.sf_get("Opportunity", opportunity)["AccountId"] is None


def test_R6_a_company_that_somebody_added_stays_when_the_account_changes(lab):
    """Only the association that both sides had agreed on is replaced."""
    first, second = (lab.sf_create("Account", Name=name) for name in ("First", "Second"))
    opportunity = lab.opportunity(AccountId=first)
    lab.sync_once()
    deal, partner = lab.deal_of(opportunity), lab.hs_create("companies", name="Partner firm")
    lab.hs_associate("deals", deal, "companies", partner, 341)
    lab.sf_edit("Opportunity", opportunity, AccountId=second)
    lab.sync_once()
    assert set(lab.hs_associated("deals", deal, "companies")) == {partner, lab.partner("companies", second)}
    assert primary_company(lab, deal) == lab.partner("companies", second)


@pytest.mark.parametrize("fresh", [True, False])
def test_R5_D6_a_role_waits_for_a_contact_that_hubspot_no_longer_shows(lab, fresh):
    """It was deleted, which no search tells; a new deal is made without it, and it is there once it is restored."""
    contact, opportunity = add_contact(lab, "ada"), None if fresh else lab.opportunity()
    lab.sync_once()
    who = lab.partner("contacts", contact)
    lab.hs_delete("contacts", who)
    opportunity = opportunity or lab.opportunity()
    lab.role(opportunity, contact)
    lab.sync_until_rest()
    assert lab.problems() == []
    assert contacts_of(lab, lab.deal_of(opportunity)) == set()
    lab.sandbox_post("hubspot", "restore_records", {"objectType": "contacts", "ids": [who]})
    lab.hs_edit("contacts", who, jobtitle="Back")
    lab.advance(days=1)
    lab.sync_until_rest()
    assert contacts_of(lab, lab.deal_of(opportunity)) == {who}
    assert lab.problems() == []


def test_R5_A7_a_role_waits_for_a_contact_whose_survivor_is_gone(lab):
    """Merged and then deleted in HubSpot between two runs: a later write finds it, and nothing is refused again."""
    contact, opportunity = add_contact(lab, "ada"), lab.opportunity()
    lab.sync_once()
    other = lab.hs_create("contacts", email="other@acme.example")
    who = lab.partner("contacts", contact)
    lab.hs("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": who, "objectIdToMerge": other})
    (survivor,) = lab.hs_all("contacts")
    lab.hs_delete("contacts", survivor)
    lab.role(opportunity, contact)
    lab.sync_until_rest()
    assert [one["code"] for one in lab.problems()] == []
    assert lab.deal_of(opportunity)


# --- a contact that is another record now ---------------------------------------------------------------------


def test_R1_L7_a_contact_made_anew_in_hubspot_is_on_the_deals_of_its_partner(lab):
    """The first one was deleted; the new one, met by its e-mail, has the roles, and the stage they bring."""
    _, contact, opportunity = lab.business()
    lab.sync_once()
    lab.hs_delete("contacts", lab.partner("contacts", contact))
    lab.advance(days=2)
    lab.sync_until_rest()
    again = lab.hs_create("contacts", email="fox@acme.example")
    lab.sync_until_rest()
    assert lab.partner("contacts", contact) == again
    assert contacts_of(lab, lab.deal_of(opportunity)) == {again}
    shown = lab.hs_get("contacts", again, "lifecyclestage", "sf_num_associated_deals")
    assert (shown["lifecyclestage"], shown["sf_num_associated_deals"]) == ("opportunity", "1")
    assert lab.problems() == []


def test_R2_a_contact_made_anew_in_salesforce_has_the_roles_of_its_partner(lab):
    """The first one was deleted, and its roles with it; the contact of the deal becomes a role of the new one."""
    _, contact, opportunity = lab.business()
    lab.sync_once()
    person = lab.partner("contacts", contact)
    lab.sf_delete("Contact", contact)
    lab.sync_until_rest()
    again = add_contact(lab, Email="fox@acme.example")
    lab.sync_until_rest()
    assert lab.partner("contacts", again) == person
    rows = lab.sf_all(f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{opportunity}'")
    assert [row["ContactId"] for row in rows] == [again]
    assert lab.problems() == []
