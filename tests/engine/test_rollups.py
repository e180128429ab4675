"""What a contact's and a company's deals add up to (U), seen through HubSpot's own API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from engine.lab import Lab

from connector.core.model import Base, Link, LinkState, Side
from connector.engine.derive import is_of

NUMBER, FIRST, AMOUNT, CLOSE, REVENUE = (
    "sf_num_associated_deals",
    "sf_first_deal_created_date",
    "sf_recent_deal_amount",
    "sf_recent_deal_close_date",
    "sf_total_revenue",
)
NAMES = (NUMBER, FIRST, AMOUNT, CLOSE, REVENUE)
NONE_LEFT = {NUMBER: "0", FIRST: None, AMOUNT: None, CLOSE: None, REVENUE: None}
PRIMARY_COMPANY_OF_DEAL = 5
BOTH = pytest.mark.parametrize("object_", ["contacts", "companies"])


@pytest.fixture
def lab():
    lab = Lab()
    lab.sync()
    return lab


@pytest.fixture
def people(lab):
    """A synced account and its contact, by HubSpot object."""
    account = lab.sf_create("Account", Name="Umbrella")
    contact = lab.sf_create("Contact", LastName="Owl", Email="owl@umbrella.example", AccountId=account)
    lab.sync_once()
    return {"companies": account, "contacts": contact}


def deal(lab: Lab, people: dict[str, str], name: str, **fields: Any) -> str:
    """An opportunity of the account, on which the contact has a role."""
    opportunity = lab.opportunity(name, AccountId=people["companies"], **fields)
    lab.role(opportunity, people["contacts"])
    return opportunity


def shown(lab: Lab, object_: str, record: str) -> dict[str, str | None]:
    row = lab.hs_get(object_, lab.partner(object_, record), *NAMES)
    return {name: row.get(name) or None for name in NAMES}


@BOTH
def test_U1_to_U5_what_the_deals_add_up_to(lab, people, object_):
    """Number, first creation, the amount and close date of the deal created last, and what was won."""
    deal(lab, people, "first", Amount=100, StageName="Closed Won", CloseDate="2026-12-24")
    lab.advance(days=1)
    deal(lab, people, "second", Amount=20.5, StageName="Closed Won", CloseDate="2026-04-01")
    lab.advance(days=1)
    deal(lab, people, "third", Amount=3, CloseDate="2026-05-01")
    lab.sync_once()
    assert shown(lab, object_, people[object_]) == {
        NUMBER: "3",
        FIRST: "2026-03-02T09:00:03.000Z",
        AMOUNT: "3",
        CLOSE: "2026-05-01T00:00:00.000Z",
        REVENUE: "120.5",
    }


@BOTH
def test_U3_U4_recent_means_created_last_not_closed_last(lab, people, object_):
    """A deal closed today that is older than an open one does not count as recent."""
    old = deal(lab, people, "old", Amount=100)
    lab.advance(days=1)
    deal(lab, people, "new", Amount=7, CloseDate="2026-05-01")
    lab.sync_once()
    lab.sf_edit("Opportunity", old, StageName="Closed Won", CloseDate="2026-12-31")
    lab.sync_once()
    result = shown(lab, object_, people[object_])
    assert (result[AMOUNT], result[CLOSE][:10], result[REVENUE]) == ("7", "2026-05-01", "100")


@BOTH
def test_U5_lost_and_open_deals_bring_no_revenue(lab, people, object_):
    """Only what was won counts, and a reopened deal counts no longer."""
    won = deal(lab, people, "won", Amount=100, StageName="Closed Won")
    deal(lab, people, "lost", Amount=50, StageName="Closed Lost")
    lab.sync_once()
    assert shown(lab, object_, people[object_])[REVENUE] == "100"
    lab.sf_edit("Opportunity", won, StageName="Prospecting")
    lab.sync_once()
    assert shown(lab, object_, people[object_])[REVENUE] == "0"
    assert shown(lab, object_, people[object_])[NUMBER] == "2"


@BOTH
def test_U6_of_deals_made_at_one_moment_the_larger_hubspot_id_is_recent(lab, people, object_):
    """Compared as a number."""
    made = {deal(lab, people, f"deal {each}", Amount=each): str(each) for each in (1, 2, 3)}
    lab.sync_once()
    last = max(made, key=lambda opportunity: int(lab.deal_of(opportunity)))
    assert shown(lab, object_, people[object_])[AMOUNT] == made[last]


@BOTH
def test_U6_a_deal_without_amount_counts_and_adds_nothing(lab, people, object_):
    """As the most recent deal it leaves the recent amount empty."""
    deal(lab, people, "priced", Amount=100, StageName="Closed Won")
    lab.advance(days=1)
    deal(lab, people, "without", StageName="Closed Won", CloseDate="2026-05-01")
    lab.sync_once()
    result = shown(lab, object_, people[object_])
    assert (result[NUMBER], result[AMOUNT], result[REVENUE]) == ("2", None, "100")
    assert result[CLOSE][:10] == "2026-05-01"


@BOTH
def test_U6_values_fall_when_deals_go_and_clear_when_none_is_left(lab, people, object_):
    """Deleted one by one."""
    first = deal(lab, people, "first", Amount=100, StageName="Closed Won")
    lab.advance(days=1)
    second = deal(lab, people, "second", Amount=7, StageName="Closed Won")
    lab.sync_once()
    lab.sf_delete("Opportunity", second)
    lab.sync_once()
    result = shown(lab, object_, people[object_])
    assert (result[NUMBER], result[AMOUNT], result[REVENUE]) == ("1", "100", "100")
    lab.sf_delete("Opportunity", first)
    lab.sync_once()
    assert shown(lab, object_, people[object_]) == NONE_LEFT


def test_U6_a_company_that_loses_a_deal_to_another_is_recomputed(lab, people):
    """The opportunity moves to another account: one company falls, the other rises."""
    other = lab.sf_create("Account", Name="Other")
    moved = deal(lab, people, "moved", Amount=5)
    lab.sync_once()
    lab.sf_edit("Opportunity", moved, AccountId=other)
    lab.sync_once()
    assert shown(lab, "companies", people["companies"]) == NONE_LEFT
    assert shown(lab, "companies", other)[NUMBER] == "1"
    assert shown(lab, "contacts", people["contacts"])[NUMBER] == "1"


def test_U7_our_own_properties_stand_in_one_group_and_leave_hubspots_alone(lab, people):
    """HubSpot computes its own of these; ours are made by set-up, in a group of their own."""
    deal(lab, people, "one", Amount=5)
    lab.sync_once()
    for object_ in ("contacts", "companies"):
        properties = {one["name"]: one for one in lab.hs("GET", f"/crm/v3/properties/{object_}")["results"]}
        groups = {
            one["name"]: one["label"] for one in lab.hs("GET", f"/crm/v3/properties/{object_}/groups")["results"]
        }
        assert {groups[properties[name]["groupName"]] for name in NAMES} == {"Salesforce sync"}
        assert properties["num_associated_deals"]["modificationMetadata"]["readOnlyValue"]
        assert shown(lab, object_, people[object_])[NUMBER] == "1"


def test_U8_a_change_to_one_deal_writes_only_to_those_it_touches(lab, people):
    """Of two contacts and companies one each is updated."""
    account, contact, opportunity = lab.business(Amount=1)
    deal(lab, people, "another", Amount=2)
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, Amount=10)
    report = lab.sync_once()
    assert report.updated["hubspot"] == {"deals": 1, "contacts": 1, "companies": 1}
    assert shown(lab, "contacts", contact)[AMOUNT] == "10"
    assert shown(lab, "companies", account)[AMOUNT] == "10"
    assert shown(lab, "contacts", people["contacts"])[AMOUNT] == "2"


def test_U8_a_change_that_concerns_no_rollup_writes_to_nobody_else(lab, people):
    """A renamed deal adds up to the same."""
    opportunity = deal(lab, people, "one", Amount=2)
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, Name="renamed", Description="new")
    assert lab.sync_once().updated["hubspot"] == {"deals": 1}


@BOTH
def test_U6_who_was_away_when_a_deal_went_counts_it_no_longer_once_back(lab, people, object_):
    """Deleted in HubSpot, met by the write that had none, and restored before the pair ended."""
    opportunity = deal(lab, people, "one", Amount=5)
    lab.sync_until_rest()
    id_ = lab.partner(object_, people[object_])
    lab.hs_delete(object_, id_)
    lab.sf_delete("Opportunity", opportunity)
    lab.sync()
    lab.sandbox_post("hubspot", "restore_records", {"objectType": object_, "ids": [id_]})
    lab.sync_until_rest()
    assert shown(lab, object_, people[object_]) == NONE_LEFT


@BOTH
def test_U6_a_deal_that_an_older_store_knows_nothing_of_does_not_count_once_gone(lab, people, object_):
    """Nothing but the rollups is left to tell that there was one."""
    older = lab.durable_store()
    opportunity = deal(lab, people, "one", Amount=5, StageName="Closed Won")
    lab.sync_until_rest()
    assert shown(lab, object_, people[object_])[NUMBER] == "1"
    lab.put_back(older)
    lab.hs_delete("deals", lab.deal_of(opportunity))
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_until_rest()
    assert shown(lab, object_, people[object_]) == NONE_LEFT


@BOTH
def test_U8_a_rollup_that_somebody_overwrote_is_added_up_anew(lab, people, object_):
    """As any target of a rule that only goes one way; nobody else is written to."""
    deal(lab, people, "one", Amount=5, StageName="Closed Won")
    lab.sync_until_rest()
    before = shown(lab, object_, people[object_])
    lab.hs_edit(object_, lab.partner(object_, people[object_]), **{REVENUE: "12345"})
    assert lab.sync_once().updated["hubspot"] == {object_: 1}
    assert shown(lab, object_, people[object_]) == before


@BOTH
def test_U8_a_rollup_that_somebody_overwrote_is_met_by_a_write_before_search_shows_it(lab, people, object_):
    """Read again for that write, the record differs; when search shows it, it does so no more."""
    deal(lab, people, "one", Amount=5, StageName="Closed Won")
    lab.sync_until_rest()
    before = shown(lab, object_, people[object_])
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, "PUT")
    lab.hs_edit(object_, lab.partner(object_, people[object_]), **{REVENUE: "12345"})
    lab.sf_edit({"contacts": "Contact", "companies": "Account"}[object_], people[object_], Phone="555")
    lab.sync_until_rest()
    lab.advance(hours=1)
    lab.sync_until_rest()
    assert shown(lab, object_, people[object_]) == before


@BOTH
def test_U9_deals_of_hubspot_alone_do_not_count(lab, people, object_):
    """A deal in a pipeline that does not sync is nobody's."""
    alone = lab.hs_create("deals", dealname="Alone", pipeline="default", dealstage="qualifiedtobuy", amount="9")
    type_id = {"contacts": 3, "companies": 5}[object_]
    lab.hs_associate("deals", alone, object_, lab.partner(object_, people[object_]), type_id)
    deal(lab, people, "ours", Amount=5)
    lab.sync_once()
    assert shown(lab, object_, people[object_])[NUMBER] == "1"
    assert shown(lab, object_, people[object_])[AMOUNT] == "5"


@BOTH
def test_U9_a_severed_deal_counts_no_longer(lab, people, object_):
    """Deleted in HubSpot; its opportunity lives on."""
    opportunity = deal(lab, people, "one", Amount=5, StageName="Closed Won")
    lab.sync_once()
    lab.hs_delete("deals", lab.deal_of(opportunity))
    lab.advance(days=1)
    lab.sync_once()
    assert shown(lab, object_, people[object_]) == NONE_LEFT


@BOTH
def test_U9_a_stopped_deal_does_not_count_until_it_comes_back(lab, people, object_):
    """Moved to a pipeline that does not sync, and back again."""
    opportunity = deal(lab, people, "one", Amount=5)
    lab.sync_once()
    id_ = lab.deal_of(opportunity)
    before = lab.hs_get("deals", id_, "pipeline", "dealstage")
    lab.hs_edit("deals", id_, pipeline="default", dealstage="qualifiedtobuy")
    lab.sync_once()
    assert shown(lab, object_, people[object_]) == NONE_LEFT
    lab.hs_edit("deals", id_, pipeline=before["pipeline"], dealstage=before["dealstage"])
    lab.sync_once()
    assert shown(lab, object_, people[object_])[NUMBER] == "1"


def test_U9_a_deal_counts_for_its_companys_account_only(lab, people):
    """A contact's company gains nothing from a deal of another account."""
    other = lab.sf_create("Account", Name="Other")
    opportunity = lab.opportunity(AccountId=other, Amount=5)
    lab.role(opportunity, people["contacts"])
    lab.sync_once()
    assert shown(lab, "contacts", people["contacts"])[NUMBER] == "1"
    assert shown(lab, "companies", other)[NUMBER] == "1"
    assert shown(lab, "companies", people["companies"])[NUMBER] in {None, "0"}


def test_U9_a_deal_without_contacts_counts_for_its_company(lab, people):
    """No role, so no contact is touched."""
    lab.opportunity(AccountId=people["companies"], Amount=5)
    lab.sync_once()
    assert shown(lab, "companies", people["companies"])[NUMBER] == "1"
    assert shown(lab, "contacts", people["contacts"])[NUMBER] in {None, "0"}


def test_U9_a_deal_counts_for_a_company_while_hubspot_has_it_there(lab, people):
    """Moved to a company without an account, and its opportunity to none: nothing new is agreed on until then."""
    opportunity = deal(lab, people, "one", Amount=5, StageName="Closed Won")
    lab.sync_once()
    before = shown(lab, "companies", people["companies"])
    id_, company = lab.deal_of(opportunity), lab.partner("companies", people["companies"])
    stranger = lab.hs_create("companies", name="Stranger")
    lab.hs_associate("deals", id_, "companies", stranger, PRIMARY_COMPANY_OF_DEAL)
    lab.sf_edit("Opportunity", opportunity, AccountId=None)
    lab.sync_until_rest()
    assert shown(lab, "companies", people["companies"]) == NONE_LEFT
    assert shown(lab, "contacts", people["contacts"])[NUMBER] == "1"
    lab.hs_associate("deals", id_, "companies", company, PRIMARY_COMPANY_OF_DEAL)
    lab.sf_edit("Opportunity", opportunity, AccountId=people["companies"])
    lab.sync_until_rest()
    assert shown(lab, "companies", people["companies"]) == before


def test_U9_a_deal_that_has_no_company_counts_for_none():
    """A run that changes it and dies takes the old one away, and nothing is agreed on then."""
    company = Link(1, "account-company", "001A", "50", LinkState.LINKED, Side.SALESFORCE)
    deal = Link(2, "opportunity-deal", "006A", "11", LinkState.LINKED, Side.SALESFORCE)
    blank, agreed = (replace(deal, base=Base({}, {"primary_company": one})) for one in (None, "50"))
    assert not is_of(company, blank, {"primary_company": None})
    assert not is_of(company, agreed, {"primary_company": None})
    assert is_of(company, agreed, {})
    assert is_of(company, blank, {"primary_company": "50"})


@pytest.mark.parametrize("reread", ["0", "1000"])
def test_U9_A7_the_deals_of_a_merged_company_count_on(lab, people, reread):
    """Read with its new id yet or not, and while the opportunity waits for the company of another account."""
    lab.configure(HUBSPOT__ASSOCIATIONS_PER_RUN=reread)
    opportunity = deal(lab, people, "one", Amount=5)
    lab.sync_once()
    before = shown(lab, "companies", people["companies"])
    lab.hs_create("companies", name="Firm", domain="firm.example")
    waiting, _ = (lab.sf_create("Account", Name=one, Website="firm.example") for one in ("Firm", "Firm too"))
    lab.sf_edit("Opportunity", opportunity, AccountId=waiting)
    company, stranger = lab.partner("companies", people["companies"]), lab.hs_create("companies", name="Stranger")
    body = {"primaryObjectId": company, "objectIdToMerge": stranger}
    survivor = lab.hs("POST", "/crm/v3/objects/companies/merge", body)["id"]
    lab.sync_until_rest()
    assert lab.partner("companies", waiting) is None
    assert lab.partner("companies", people["companies"]) == survivor != company
    assert shown(lab, "companies", people["companies"]) == before


def test_U9_several_currencies_are_added_as_bare_numbers_and_reported(lab, people):
    """The sum is written, and a problem says that it mixes currencies."""
    made = {deal(lab, people, name, Amount=100, StageName="Closed Won"): name for name in ("USD", "EUR")}
    lab.sync_once()
    assert lab.problems() == []
    for opportunity, currency in made.items():
        lab.hs_edit("deals", lab.deal_of(opportunity), deal_currency_code=currency)
        lab.sf_edit("Opportunity", opportunity, Amount=150)
    lab.sync_once()
    assert shown(lab, "contacts", people["contacts"])[REVENUE] == "300"
    reported = {one["record_id"] for one in lab.problems() if one["code"] == "SEVERAL_CURRENCIES"}
    assert reported == {lab.partner(object_, people[object_]) for object_ in ("contacts", "companies")}


def deal_of_hubspot(lab, people):
    """A deal that HubSpot had first, of the contact."""
    id_ = lab.hs_create("deals", dealname="Ours", pipeline=lab.pipeline(), dealstage=lab.stages()["Prospecting"],
                        closedate="2026-06-30T00:00:00Z", amount="1")  # fmt: skip
    lab.hs_associate("deals", id_, "contacts", lab.partner("contacts", people["contacts"]), 3)
    return id_


def test_U10_created_is_the_opportunitys_date_for_pairs_born_in_salesforce(lab, people):
    """However much later its deal was made."""
    deal(lab, people, "one", Amount=1)
    created = lab.clock.now()
    lab.advance(days=3)
    lab.sync_once()
    assert shown(lab, "contacts", people["contacts"])[FIRST] == created.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_U10_created_is_the_deals_date_for_pairs_born_in_hubspot(lab, people):
    """However much later its opportunity was made."""
    id_ = deal_of_hubspot(lab, people)
    created = lab.hs_get("deals", id_, "createdate")["createdate"]
    lab.advance(days=3)
    lab.sync_until_rest()
    assert shown(lab, "contacts", people["contacts"])[FIRST][:19] == created[:19]


def test_U10_D4_a_deal_made_anew_for_a_restored_opportunity_was_born_in_salesforce(lab, people):
    """Wherever the first deal was born, and also if the store is an older one, which finds it by its stored id."""
    deal_of_hubspot(lab, people)
    lab.sync_until_rest()
    opportunity = lab.sf_all("SELECT Id, CreatedDate FROM Opportunity")[0]
    lab.sf_delete("Opportunity", opportunity["Id"])
    lab.sync_until_rest()
    older = lab.durable_store()
    lab.sandbox_post("salesforce", "undelete", {"ids": [opportunity["Id"]]})
    lab.advance(days=3)
    lab.sync_until_rest()
    before = shown(lab, "contacts", people["contacts"])
    lab.put_back(older)
    lab.sync_until_rest()
    assert shown(lab, "contacts", people["contacts"]) == before
    assert before[NUMBER] == "1"
    assert before[FIRST][:19] == opportunity["CreatedDate"][:19]


def test_U10_a_pair_that_is_restored_on_both_sides_was_born_where_it_was_born(lab, people):
    """Salesforce tells, which stores the id of the deal: the date is still the deal's."""
    id_ = deal_of_hubspot(lab, people)
    created = lab.hs_get("deals", id_, "createdate")["createdate"]
    lab.advance(days=3)
    lab.sync_until_rest()
    [opportunity] = [one["Id"] for one in lab.sf_all("SELECT Id FROM Opportunity")]
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_until_rest()
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, "PUT")
    lab.sandbox_post("salesforce", "undelete", {"ids": [opportunity]})
    lab.sandbox_post("hubspot", "restore_records", {"objectType": "deals", "ids": [id_]})
    lab.sync_until_rest()  # a deal is to be made, and meets the one that search does not show yet
    lab.advance(hours=1)
    lab.sync_until_rest()
    assert lab.deal_of(opportunity) == id_
    assert shown(lab, "contacts", people["contacts"])[FIRST][:19] == created[:19]
