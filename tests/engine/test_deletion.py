"""What one side's deletions do to the other: the asymmetry (D), seen through both CRMs' own APIs."""

from __future__ import annotations

from typing import Any

import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.run import Wish
from connector.errors import ConnectorError, Refused

OPPORTUNITY_FIELDS = "Id, Name, StageName, Amount, CloseDate, Description, LastModifiedDate, HubSpot_Id__c"


@pytest.fixture
def lab():
    lab = Lab()
    lab.sync()
    return lab


def opportunities(lab: Lab) -> list[dict[str, Any]]:
    return lab.sf_all(f"SELECT {OPPORTUNITY_FIELDS} FROM Opportunity ORDER BY Id")


def let_a_day_pass(lab: Lab) -> None:
    """A day passes, so that deletions in HubSpot have been looked for, and two runs."""
    lab.advance(days=1)
    lab.sync()
    assert lab.sync().writes == 0


def import_some(lab: Lab, number: int) -> list[str]:
    made = [lab.opportunity(f"Deal {each}") for each in range(number)]
    lab.sync()
    return made


# --- D1, D2, D3: opportunities and deals ------------------------------------------------------------------


def test_D1_a_deleted_opportunity_takes_its_deal_along(lab):
    """The deal is archived; its contact and company stay."""
    account, contact, opportunity = lab.business()
    lab.sync()
    deal = lab.deal_of(opportunity)
    lab.sf_delete("Opportunity", opportunity)
    report = lab.sync_once()
    assert report.deleted["hubspot"] == {"deals": 1}
    assert deal not in lab.hs_all("deals")
    assert deal in lab.hs_all("deals", archived=True)
    assert lab.partner("contacts", contact)
    assert lab.partner("companies", account)


def test_D1_a_deal_born_in_hubspot_goes_with_its_opportunity_too(lab):
    """Where a pair was born does not matter."""
    deal = lab.hs_create("deals", dealname="Ours", dealstage=lab.stages()["Prospecting"], pipeline=lab.pipeline(),
                         closedate="2026-06-30T00:00:00Z")  # fmt: skip
    lab.sync()
    lab.sf_delete("Opportunity", opportunities(lab)[0]["Id"])
    lab.sync_once()
    assert deal not in lab.hs_all("deals")


def test_D1_the_journal_keeps_every_value_of_a_deleted_deal(lab):
    """Before the deal goes, all it held is written down, with rule and cause."""
    *_, opportunity = lab.business(Amount=1054.5, Description="two\nlines")
    lab.sync()
    deal = lab.deal_of(opportunity)
    held = lab.hs_get("deals", deal, "dealname", "amount", "closedate", "pipeline", "dealstage", "description")
    lab.sf_delete("Opportunity", opportunity)
    run = lab.sync().run
    (entry,) = [one for one in lab.store.journal.of_run(run) if one["verb"] == "delete"]
    assert (entry["state"], entry["record_id"]) == ("done", deal)
    assert {change["rule"] for change in entry["changes"]} == {"D1"}
    assert all(opportunity in change["cause"] for change in entry["changes"])
    kept = {change["field"]: change["old"] for change in entry["changes"]}
    for name in ("dealname", "amount", "closedate", "pipeline", "dealstage", "description"):
        assert kept[name] == held[name], name


def test_D1_what_somebody_typed_into_a_deal_just_before_it_goes_is_in_the_journal(lab):
    """The deal is read again before it is deleted: an edit that no run has seen is kept as well (law 5)."""
    *_, opportunity = lab.business()
    lab.sync()
    deal = lab.deal_of(opportunity)
    lab.sf_delete("Opportunity", opportunity)
    lab.hs_edit("deals", deal, description="seen by the run")
    before_the_second_look = lab.copy()
    report = lab.sync()
    assert "seen by the run" in _journalled_at_deletion(lab, report.run)

    def edit() -> None:
        lab_of_edit.hs_edit("deals", deal, description="typed in the last moment")

    lab_of_edit = before_the_second_look
    report = lab_of_edit.sync_before("/batch/read", edit)
    assert deal not in lab_of_edit.hs_all("deals")
    assert "typed in the last moment" in _journalled_at_deletion(lab_of_edit, report.run)


def _journalled_at_deletion(lab: Lab, run: int) -> set[Any]:
    entries = [one for one in lab.store.journal.of_run(run) if one["verb"] == "delete"]
    return {change["old"] for one in entries for change in one["changes"]}


def test_D2_a_deleted_deal_leaves_its_opportunity_untouched(lab):
    """Not deleted, not edited, not even touched: its modification date stands still."""
    *_, opportunity = lab.business(Amount=5)
    lab.sync_once()
    before = opportunities(lab)
    lab.hs_delete("deals", lab.deal_of(opportunity))
    let_a_day_pass(lab)
    assert opportunities(lab) == before


@pytest.mark.parametrize("noticed", ["by the daily look", "by the write that meets it"])
def test_D3_later_edits_do_not_bring_a_deleted_deal_back(lab, noticed):
    """A severed pair stays severed, however its deletion was noticed."""
    _, contact, opportunity = lab.business()
    lab.sync_once()
    lab.hs_delete("deals", lab.deal_of(opportunity))
    if noticed == "by the daily look":
        let_a_day_pass(lab)
    for name in ("Renamed", "Renamed twice"):
        lab.sf_edit("Opportunity", opportunity, Name=name, StageName="Closed Won")
        lab.sync()
        assert lab.hs_all("deals") == {}
    other = lab.sf_create("Contact", LastName="Late", Email="late@acme.example")
    lab.role(opportunity, other)
    let_a_day_pass(lab)
    assert lab.hs_all("deals") == {}
    assert lab.sf_get("Opportunity", opportunity)["Name"] == "Renamed twice"
    assert lab.partner("contacts", contact)


def test_D3_deleting_the_opportunity_of_a_severed_pair_does_nothing(lab):
    """Both are gone, and nothing is left to delete."""
    *_, opportunity = lab.business()
    lab.sync_once()
    lab.hs_delete("deals", lab.deal_of(opportunity))
    let_a_day_pass(lab)
    lab.sf_delete("Opportunity", opportunity)
    assert lab.sync().deleted["hubspot"] == {}
    assert lab.problems() == []


def test_D1_a_deal_made_by_a_run_that_died_goes_with_its_opportunity(lab):
    """The deal is there, the run never learnt of it, and the opportunity is deleted before the next one."""
    lab.sync_once()
    opportunity = lab.opportunity()
    assert lab.sync_and_die(-1, after_delivery=True)
    assert len(lab.hs_all("deals")) == 1
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_until_rest()
    assert lab.hs_all("deals") == {}
    assert lab.problems() == []


def test_D4_an_opportunity_restored_from_the_bin_gets_a_deal_again(lab):
    """A new deal, with the same values and contact."""
    _, contact, opportunity = lab.business(Amount=7)
    lab.sync_once()
    first = lab.deal_of(opportunity)
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_once()
    lab.sandbox_post("salesforce", "undelete", {"ids": [opportunity]})
    lab.sync()
    again = lab.deal_of(opportunity)
    assert again != first
    assert lab.hs_get("deals", again, "amount")["amount"] == "7"
    roles = lab.sf_all(f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{opportunity}'")
    assert {row["ContactId"] for row in roles} == {contact}
    assert set(lab.hs_associated("deals", again, "contacts")) == {lab.partner("contacts", contact)}
    assert lab.sync().writes == 0


def test_D4_a_restored_opportunity_born_in_hubspot_gets_a_deal_again(lab):
    """It still names the deal that is gone; the new one is its partner all the same."""
    lab.hs_create("deals", dealname="Ours", dealstage=lab.stages()["Prospecting"], pipeline=lab.pipeline(),
                  closedate="2026-06-30T00:00:00Z")  # fmt: skip
    lab.sync_until_rest()
    opportunity = opportunities(lab)[0]["Id"]
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_once()
    lab.sandbox_post("salesforce", "undelete", {"ids": [opportunity]})
    lab.sync_until_rest()
    assert list(lab.hs_all("deals")) == [lab.deal_of(opportunity)]
    assert len(opportunities(lab)) == 1


def test_D4_a_restored_opportunity_born_in_hubspot_gets_its_deal_though_the_run_died(lab):
    """The creation that did not get through is tried again, whatever deal the opportunity still names."""
    lab.hs_create("deals", dealname="Ours", dealstage=lab.stages()["Prospecting"], pipeline=lab.pipeline(),
                  closedate="2026-06-30T00:00:00Z")  # fmt: skip
    lab.sync_until_rest()
    opportunity = opportunities(lab)[0]["Id"]
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_once()
    lab.sandbox_post("salesforce", "undelete", {"ids": [opportunity]})
    assert lab.sync_and_die(-1, after_delivery=False)
    assert lab.hs_all("deals") == {}
    lab.sync_until_rest()
    assert list(lab.hs_all("deals")) == [lab.deal_of(opportunity)]


@pytest.mark.parametrize("lag", [0, 3600])
def test_D3_a_deal_restored_in_hubspot_goes_on_with_its_opportunity(lab, lag):
    """What was edited meanwhile in Salesforce travels; the deal as it was when it was deleted is no edit."""
    _, contact, opportunity = lab.business(Amount=7)
    lab.sync_once()
    deal, person = lab.deal_of(opportunity), lab.partner("contacts", contact)
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": lag}, "PUT")
    lab.hs_delete("deals", deal)
    lab.sync_until_rest()
    let_a_day_pass(lab)
    assert lab.hs_get("contacts", person, "sf_num_associated_deals")["sf_num_associated_deals"] == "0"
    lab.sf_edit("Opportunity", opportunity, Amount=8)
    lab.sync_once()
    lab.sandbox_post("hubspot", "restore_records", {"objectType": "deals", "ids": [deal]})
    let_a_day_pass(lab)
    assert lab.deal_of(opportunity) == deal
    assert lab.hs_get("deals", deal, "amount")["amount"] == "8"
    assert lab.hs_get("contacts", person, "sf_num_associated_deals")["sf_num_associated_deals"] == "1"
    lab.hs_edit("deals", deal, dealname="Back again")
    let_a_day_pass(lab)
    assert lab.sf_get("Opportunity", opportunity)["Name"] == "Back again"
    assert lab.problems() == []


@pytest.mark.parametrize(("sobject", "object_"), [("Account", "companies"), ("Contact", "contacts")])
def test_D5_restored_in_hubspot_they_go_on_with_their_partners(lab, sobject, object_):
    """Else both would be there, and silently part."""
    given = {"Account": {"Name": "Solo"}, "Contact": {"LastName": "Solo", "Email": "solo@x.example"}}[sobject]
    record = lab.sf_create(sobject, **given)
    lab.sync_once()
    partner = lab.partner(object_, record)
    lab.hs_delete(object_, partner)
    let_a_day_pass(lab)
    lab.sf_edit(sobject, record, Phone="1")
    let_a_day_pass(lab)
    lab.sandbox_post("hubspot", "restore_records", {"objectType": object_, "ids": [partner]})
    let_a_day_pass(lab)
    assert lab.hs_get(object_, partner, "phone")["phone"] == "1"
    assert lab.partner(object_, record) == partner


# --- D5: accounts, companies, contacts --------------------------------------------------------------------


@pytest.mark.parametrize(("sobject", "object_"), [("Account", "companies"), ("Contact", "contacts")])
def test_D5_deleted_in_salesforce_they_stay_in_hubspot(lab, sobject, object_):
    """The pair is unlinked, and nothing is deleted."""
    given = {"Account": {"Name": "Solo"}, "Contact": {"LastName": "Solo", "Email": "solo@x.example"}}[sobject]
    record = lab.sf_create(sobject, **given)
    lab.sync_once()
    partner = lab.partner(object_, record)
    before = lab.hs_all(object_, "name", "lastname", "email")
    lab.sf_delete(sobject, record)
    let_a_day_pass(lab)
    assert partner in before
    assert lab.hs_all(object_, "name", "lastname", "email") == before


@pytest.mark.parametrize(("sobject", "object_"), [("Account", "companies"), ("Contact", "contacts")])
def test_D5_deleted_in_hubspot_they_stay_in_salesforce(lab, sobject, object_):
    """The record stays, and a later edit does not bring the partner back."""
    given = {"Account": {"Name": "Solo"}, "Contact": {"LastName": "Solo", "Email": "solo@x.example"}}[sobject]
    record = lab.sf_create(sobject, **given)
    lab.sync_once()
    lab.hs_delete(object_, lab.partner(object_, record))
    let_a_day_pass(lab)
    lab.sf_edit(sobject, record, Phone="123")
    let_a_day_pass(lab)
    assert lab.sf_get(sobject, record)["Phone"] == "123"
    assert lab.hs_all(object_) == {}


# --- D6: absence needs a reason ---------------------------------------------------------------------------


@pytest.mark.parametrize("sobject", ["Opportunity", "Contact", "Account"])
def test_D6_what_may_no_longer_be_seen_is_not_deleted(lab, sobject):
    """The right to read an object is taken away: whatever the run says about it, HubSpot keeps its records."""
    lab.business()
    lab.sync_once()
    before = {each: set(lab.hs_all(each)) for each in ("deals", "contacts", "companies")}
    rights = {"objects": {sobject: {"read": False}}}
    lab.sandbox_post("salesforce", "permissions", rights, method="PUT")
    for _ in range(2):
        try:
            assert lab.sync(Wish(deletes=True)).deleted["hubspot"] == {}
        except ConnectorError as stopped:
            assert sobject in str(stopped)  # noqa: PT017  # either answer is right, if nothing is deleted
        lab.advance(days=1, hours=1)
    assert {each: set(lab.hs_all(each)) for each in before} == before
    lab.sandbox_post("salesforce", "permissions", {"objects": {sobject: {"read": True}}}, method="PUT")
    lab.advance(days=1)
    lab.sync_until_rest()
    assert {each: set(lab.hs_all(each)) for each in before} == before


def test_D6_a_deal_merged_away_in_hubspot_leaves_both_opportunities(lab):
    """A merge is not a deletion: Salesforce keeps its records."""
    first, second = import_some(lab, 2)
    kept, lost = lab.deal_of(first), lab.deal_of(second)
    merged = lab.hs("POST", "/crm/v3/objects/deals/merge", {"primaryObjectId": kept, "objectIdToMerge": lost})
    let_a_day_pass(lab)
    lab.sf_edit("Opportunity", second, Description="still here")
    let_a_day_pass(lab)
    assert {one["Id"] for one in opportunities(lab)} == {first, second}
    assert set(lab.hs_all("deals")) == {merged["id"]}


def test_D6_a_contact_merged_away_in_salesforce_stays_in_hubspot(lab):
    """The loser of a merge is gone from Salesforce, yet was not deleted."""
    winner = lab.sf_create("Contact", LastName="One", Email="one@x.example")
    loser = lab.sf_create("Contact", LastName="Two", Email="two@x.example")
    lab.sync_once()
    before = set(lab.hs_all("contacts"))
    lab.sandbox_post("salesforce", "merge", {"sobject": "Contact", "master": winner, "losers": [loser]})
    let_a_day_pass(lab)
    assert set(lab.hs_all("contacts")) == before
    assert len(before) == 2


def test_D6_a_contact_merged_away_in_hubspot_stays_in_salesforce(lab):
    """Both Salesforce contacts live on."""
    one = lab.sf_create("Contact", LastName="One", Email="one@x.example")
    two = lab.sf_create("Contact", LastName="Two", Email="two@x.example")
    lab.sync_once()
    merge = {"primaryObjectId": lab.partner("contacts", one), "objectIdToMerge": lab.partner("contacts", two)}
    lab.hs("POST", "/crm/v3/objects/contacts/merge", merge)
    let_a_day_pass(lab)
    assert {row["Id"] for row in lab.sf_all("SELECT Id FROM Contact")} == {one, two}


# --- D7: the guard ----------------------------------------------------------------------------------------


def test_D7_ten_deletions_go_through(lab):
    """The limit itself is allowed."""
    for each in import_some(lab, 12)[:10]:
        lab.sf_delete("Opportunity", each)
    assert lab.sync(Wish()).deleted["hubspot"] == {"deals": 10}
    assert len(lab.hs_all("deals")) == 2


def test_D7_a_run_that_would_delete_more_is_refused_whole(lab):
    """Exit code 3, and nothing written to either CRM: other people's edits wait as well."""
    made = import_some(lab, 12)
    for each in made[:11]:
        lab.sf_delete("Opportunity", each)
    lab.sf_edit("Opportunity", made[11], Amount=99)
    lab.sf_create("Account", Name="Newcomer")
    deals, properties = lab.hs_all("deals", "hs_lastmodifieddate"), ("amount",)
    with pytest.raises(Refused) as refused:
        lab.sync(Wish())
    assert refused.value.exit_code == 3
    assert "11" in refused.value.message
    assert lab.hs_all("deals", "hs_lastmodifieddate") == deals
    assert lab.hs_all("companies") == {}
    assert lab.hs_get("deals", lab.deal_of(made[11]), *properties)["amount"] is None
    with pytest.raises(Refused):
        lab.sync(Wish())


def test_D7_without_deletes_everything_else_is_done(lab):
    """The deletions wait; a later run with leave to delete does them."""
    made = import_some(lab, 12)
    for each in made[:11]:
        lab.sf_delete("Opportunity", each)
    lab.sf_edit("Opportunity", made[11], Amount=99)
    report = lab.sync(Wish(deletes=False))
    assert report.deleted["hubspot"] == {}
    assert len(lab.hs_all("deals")) == 12
    assert lab.hs_get("deals", lab.deal_of(made[11]), "amount")["amount"] == "99"
    with pytest.raises(Refused):
        lab.sync(Wish())
    assert lab.sync(Wish(deletes=True)).deleted["hubspot"] == {"deals": 11}
    assert len(lab.hs_all("deals")) == 1


@pytest.mark.parametrize(("deleted", "refused"), [(2, False), (3, True)])
def test_D7_the_limit_grows_with_the_number_of_links(deleted, refused):
    """With 5 % alone, two of forty may go, three may not."""
    lab = Lab({"CONNECTOR__GUARD__RECORDS": "0"})
    made = import_some(lab, 40)
    for each in made[:deleted]:
        lab.sf_delete("Opportunity", each)
    if refused:
        with pytest.raises(Refused):
            lab.sync(Wish())
    else:
        lab.sync(Wish())
    assert len(lab.hs_all("deals")) == (40 if refused else 40 - deleted)


# --- D8, D9 -----------------------------------------------------------------------------------------------


def test_D8_an_empty_store_does_not_bring_deleted_deals_back(lab):
    """The archived deal still says whose it was; the next edits change nothing about that."""
    gone, stays = import_some(lab, 2)
    lab.hs_delete("deals", lab.deal_of(gone))
    lab.forget()
    lab.sync()
    assert lab.partner("deals", gone) is None
    lab.sf_edit("Opportunity", gone, Name="Edited")
    let_a_day_pass(lab)
    assert list(lab.hs_all("deals")) == [lab.deal_of(stays)]
    assert len(opportunities(lab)) == 2


def test_D9_a_stopped_deal_survives_its_opportunity(lab):
    """A deal in a pipeline that does not sync stays, and does not come back as an opportunity."""
    *_, opportunity = lab.business()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.hs_edit("deals", deal, pipeline="default", dealstage="qualifiedtobuy")
    lab.sync()
    lab.sf_delete("Opportunity", opportunity)
    let_a_day_pass(lab)
    assert list(lab.hs_all("deals")) == [deal]
    lab.hs_edit("deals", deal, pipeline=lab.pipeline(), dealstage=lab.stages()["Prospecting"])
    let_a_day_pass(lab)
    assert list(lab.hs_all("deals")) == [deal]
    assert opportunities(lab) == []


def test_D9_an_opportunity_deleted_in_the_same_breath_as_its_deal_stops_leaves_the_deal(lab):
    """Both happen between two runs."""
    *_, opportunity = lab.business()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.hs_edit("deals", deal, pipeline="default", dealstage="qualifiedtobuy")
    lab.sf_delete("Opportunity", opportunity)
    let_a_day_pass(lab)
    assert list(lab.hs_all("deals")) == [deal]


def test_D1_a_deal_that_came_back_goes_with_its_opportunity_though_search_still_shows_it_away(lab):
    """It is asked for by its id before the pair ends without it: the next run would do nothing about it."""
    *_, opportunity = lab.business()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.hs_edit("deals", deal, pipeline="default", dealstage="qualifiedtobuy")
    lab.sync_once()
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, "PUT")
    lab.hs_edit("deals", deal, pipeline=lab.pipeline(), dealstage=lab.stages()["Prospecting"])
    lab.sf_delete("Opportunity", opportunity)
    lab.advance(minutes=2)
    lab.sync_once()
    assert lab.hs_all("deals") == {}


def test_D9_E3_a_deal_is_asked_for_by_its_id_only_if_it_would_outlive_its_opportunity(lab):
    """Neither one whose pair is stopped and goes on being so, nor one that will be deleted, costs that call."""
    stopped, live = lab.opportunity("Stopped"), lab.opportunity("Live")
    lab.sync_once()
    lab.hs_edit("deals", lab.deal_of(stopped), pipeline="default", dealstage="qualifiedtobuy")
    lab.sync_once()
    quiet = lab.plan().calls[Side.HUBSPOT]
    lab.sf_edit("Opportunity", stopped, Amount=5)
    lab.sf_delete("Opportunity", live)
    lab.advance(minutes=2)
    assert lab.plan().calls[Side.HUBSPOT] == quiet
    lab.sf_delete("Opportunity", stopped)
    lab.advance(minutes=2)
    assert lab.plan().calls[Side.HUBSPOT] > quiet


def test_D9_a_deal_that_left_its_pipeline_stays_though_search_still_shows_it_there(lab):
    """What is to be deleted is read by its id, and planned anew if the pair is stopped by now."""
    opportunity = lab.opportunity()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, "PUT")
    lab.hs_edit("deals", deal, pipeline="default", dealstage="qualifiedtobuy")
    lab.sf_delete("Opportunity", opportunity)
    lab.advance(minutes=2)
    lab.sync_once()
    assert list(lab.hs_all("deals")) == [deal]


@pytest.mark.parametrize("empty", [False, True], ids=["known", "empty store"])
def test_D3_a_person_may_have_the_deal_of_a_severed_opportunity_made_anew(lab, empty):
    """No edit brings it back; `sync --record ID --create` does, and the pair goes on from there."""
    opportunity = lab.opportunity("Big deal")
    lab.sync()
    lab.hs_delete("deals", lab.deal_of(opportunity))
    lab.advance(days=2)
    lab.sync()
    if empty:
        lab.forget()
        lab.sync()
    lab.sf_edit("Opportunity", opportunity, Amount=7)
    lab.sync()
    assert lab.partner("deals", opportunity) is None
    lab.sync(Wish(records=(opportunity,), create=True))
    deal = lab.deal_of(opportunity)
    assert lab.hs_get("deals", deal, "amount")["amount"] == "7"
    lab.hs_edit("deals", deal, amount="8")
    lab.advance(hours=1)
    lab.sync()
    assert lab.sf_get("Opportunity", opportunity)["Amount"] == 8
