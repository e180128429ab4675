"""Which lifecycle stage contacts and companies end in, and why (L), seen through HubSpot's own API."""

from __future__ import annotations

import pytest
from engine.lab import Lab

from connector.core.model import Side

NO_ROLES = {"CONNECTOR__LIFECYCLE__ROLE_OPEN": "", "CONNECTOR__LIFECYCLE__ROLE_WON": ""}
NOTHING = NO_ROLES | {"CONNECTOR__LIFECYCLE__DEAL_CREATED": "", "CONNECTOR__LIFECYCLE__DEAL_WON": ""}
COMPANY_DECIDES = {"CONNECTOR__LIFECYCLE__COMPANY_TO_CONTACTS": "true"}


def begin(environment: dict[str, str] | None = None) -> Lab:
    lab = Lab(environment)
    lab.sync()
    return lab


@pytest.fixture
def lab():
    return begin()


def stage(lab: Lab, object_: str, salesforce_id: str) -> str | None:
    return lab.hs_get(object_, lab.partner(object_, salesforce_id), "lifecyclestage")["lifecyclestage"]


def stages(lab: Lab, account: str, contact: str) -> tuple[str | None, str | None]:
    """Of the company and of the contact."""
    return stage(lab, "companies", account), stage(lab, "contacts", contact)


def set_by_hand(lab: Lab, object_: str, salesforce_id: str, wanted: str) -> None:
    """As a person does it in HubSpot: going back means clearing first (L8)."""
    id_ = lab.partner(object_, salesforce_id)
    lab.hs_edit(object_, id_, lifecyclestage="")
    lab.hs_edit(object_, id_, lifecyclestage=wanted)


def colleague(lab: Lab, account: str, name: str) -> str:
    return lab.sf_create("Contact", LastName=name, Email=f"{name}@acme.example", AccountId=account)


# --- L1, L2 -----------------------------------------------------------------------------------------------


def test_L2_the_first_deal_moves_its_contacts_and_company(lab):
    """Both had no stage; both become opportunity."""
    account, contact, _ = lab.business()
    lab.sync_once()
    assert stages(lab, account, contact) == ("opportunity", "opportunity")


def test_L2_the_stage_is_a_setting_of_its_own():
    """Without L7, a first deal moves contact and company to the stage of the setting."""
    lab = begin(NO_ROLES | {"CONNECTOR__LIFECYCLE__DEAL_CREATED": "salesqualifiedlead"})
    account, contact, _ = lab.business()
    lab.sync_once()
    assert stages(lab, account, contact) == ("salesqualifiedlead", "salesqualifiedlead")


def test_L2_a_deal_made_in_hubspot_counts_as_well(lab):
    """The deal becomes an opportunity, and its company moves."""
    account = lab.sf_create("Account", Name="Acme")
    lab.sync()
    deal = lab.hs_create("deals", dealname="Ours", pipeline=lab.pipeline(), dealstage=lab.stages()["Prospecting"],
                         closedate="2026-06-30T00:00:00Z")  # fmt: skip
    lab.hs_associate("deals", deal, "companies", lab.partner("companies", account), 5)
    lab.sync_until_rest()
    assert stage(lab, "companies", account) == "opportunity"


def test_L2_a_contact_associated_later_is_not_moved_by_it():
    """With L7 off, a role added to a deal that was there before moves nobody."""
    lab = begin(NO_ROLES)
    account, _, opportunity = lab.business()
    lab.sync_once()
    late = colleague(lab, account, "late")
    lab.sync_once()
    lab.role(opportunity, late)
    lab.sync_once()
    assert stage(lab, "contacts", late) is None


def test_L2_only_the_first_deal_moves():
    """Lowered by hand between two deals, with L7 off: the second deal changes nothing."""
    lab = begin(NO_ROLES)
    account, contact, _ = lab.business()
    lab.sync_once()
    set_by_hand(lab, "companies", account, "lead")
    set_by_hand(lab, "contacts", contact, "lead")
    lab.role(lab.opportunity("Second", AccountId=account), contact)
    lab.sync_once()
    assert stages(lab, account, contact) == ("lead", "lead")


@pytest.mark.parametrize("present", ["customer", "evangelist", "other"])
def test_L1_nothing_moves_backwards(lab, present):
    """Who is further already stays there."""
    account, contact, opportunity = lab.business()
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_once()
    set_by_hand(lab, "companies", account, present)
    set_by_hand(lab, "contacts", contact, present)
    lab.role(lab.opportunity(AccountId=account, StageName="Closed Won"), contact)
    lab.sync_once()
    assert stages(lab, account, contact) == (present, present)


def test_L1_what_a_person_lowers_stays_low_until_something_happens(lab):
    """Edits of the deal are no reason; winning it is."""
    account, contact, opportunity = lab.business()
    lab.sync_once()
    set_by_hand(lab, "companies", account, "lead")
    set_by_hand(lab, "contacts", contact, "subscriber")
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, Amount=77, StageName="Qualification")
    lab.sync_once()
    assert stages(lab, account, contact) == ("lead", "subscriber")
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    assert stages(lab, account, contact) == ("customer", "customer")


def test_L1_a_stage_set_in_hubspot_while_a_run_is_under_way_is_not_lowered(lab):
    """Somebody makes the contact an evangelist just before the run re-reads it."""
    _, contact, opportunity = lab.business()
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    id_ = lab.partner("contacts", contact)
    lab.sync_before("contacts/batch/read", lambda: lab.hs_edit("contacts", id_, lifecyclestage="evangelist"))
    lab.sync_until_rest()
    assert stage(lab, "contacts", contact) == "evangelist"


# --- L3, L4 -----------------------------------------------------------------------------------------------


def test_L3_a_won_deal_makes_customers_with_close_date_and_days_to_close(lab):
    """The close date is the won deal's; days to close goes to our own property, HubSpot's being read-only."""
    account, contact, opportunity = lab.business(CloseDate="2026-03-12")
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    assert stages(lab, account, contact) == ("customer", "customer")
    for object_, record in (("contacts", contact), ("companies", account)):
        shown = lab.hs_get(object_, lab.partner(object_, record), "closedate", "sf_days_to_close")
        assert shown["closedate"][:10] == "2026-03-12"
        assert shown["sf_days_to_close"] == "10"  # the record was made on 2 March


@pytest.mark.parametrize("after_delivery", [True, False])
def test_L3_a_deal_that_was_won_when_it_was_made_counts_though_the_run_died_over_it(lab, after_delivery):
    """Whether HubSpot had made it or not: the contact came with its creation, and not later (L4)."""
    account = lab.sf_create("Account", Name="Acme", Website="acme.example")
    contact = lab.sf_create("Contact", LastName="Ann", Email="ann@acme.example", AccountId=account)
    lab.sync_once()
    lab.role(lab.opportunity("Won", AccountId=account, StageName="Closed Won", CloseDate="2026-03-12"), contact)
    assert lab.sync_and_die(-1, after_delivery=after_delivery)
    lab.sync_once()
    for object_, record in (("contacts", contact), ("companies", account)):
        shown = lab.hs_get(object_, lab.partner(object_, record), "closedate", "sf_days_to_close")
        assert (shown["closedate"][:10], shown["sf_days_to_close"]) == ("2026-03-12", "10")


def test_L3_the_close_date_is_written_only_while_empty(lab):
    """A second won deal leaves the first one's date; so does one entered by hand."""
    account, contact, opportunity = lab.business(CloseDate="2026-03-12")
    lab.sync_once()
    company = lab.partner("companies", account)
    lab.hs_edit("companies", company, closedate="2025-01-01T00:00:00Z")
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    lab.role(lab.opportunity("Second", AccountId=account, StageName="Closed Won", CloseDate="2026-05-05"), contact)
    lab.sync_once()
    assert lab.hs_get("companies", company, "closedate")["closedate"][:10] == "2025-01-01"
    assert lab.hs_get("contacts", lab.partner("contacts", contact), "closedate")["closedate"][:10] == "2026-03-12"


def test_L3_switched_off_neither_stage_nor_close_date_is_touched():
    """Nobody becomes a customer, and no date is set."""
    lab = begin({"CONNECTOR__LIFECYCLE__DEAL_WON": "", "CONNECTOR__LIFECYCLE__ROLE_WON": ""})
    account, contact, opportunity = lab.business()
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    assert stages(lab, account, contact) == ("opportunity", "opportunity")
    for object_, record in (("contacts", contact), ("companies", account)):
        shown = lab.hs_get(object_, lab.partner(object_, record), "closedate", "sf_days_to_close")
        assert not shown["closedate"]
        assert not shown["sf_days_to_close"]


def test_L_every_automation_can_be_switched_off():
    """With all settings empty a won deal moves nobody."""
    lab = begin(NOTHING)
    account, contact, opportunity = lab.business()
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    assert stages(lab, account, contact) == (None, None)


def test_L3_a_stage_that_the_portal_lacks_is_never_set():
    """A setting with a slip of the pen does not stop the run, nor move anybody."""
    lab = begin(NO_ROLES | {"CONNECTOR__LIFECYCLE__DEAL_CREATED": "oportunity"})
    account, contact, _ = lab.business()
    lab.sync_once()
    assert stages(lab, account, contact) == (None, None)


def test_L4_a_lost_deal_leaves_the_stages(lab):
    """Lost is no reason to move, neither forward nor back."""
    account, contact, opportunity = lab.business()
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Lost")
    lab.sync_once()
    assert stages(lab, account, contact) == ("opportunity", "opportunity")


@pytest.mark.parametrize("later", ["Prospecting", "Closed Lost"])
def test_L4_a_customer_stays_one_whatever_later_deals_do(lab, later):
    """A deal won before; another created, or lost."""
    account, contact, _ = lab.business(StageName="Closed Won")
    lab.sync_once()
    lab.role(lab.opportunity("Later", AccountId=account, StageName=later), contact)
    lab.sync_once()
    assert stages(lab, account, contact) == ("customer", "customer")


# --- L7 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sales_stage", "expected"), [("Prospecting", "opportunity"), ("Closed Won", "customer"),
                                                      ("Closed Lost", None)])  # fmt: skip
def test_L7_a_role_added_afterwards_moves_its_contact(lab, sales_stage, expected):
    """Open makes an opportunity, won a customer, lost nothing."""
    account, _, opportunity = lab.business(StageName=sales_stage)
    late = colleague(lab, account, "late")
    lab.sync_once()
    assert stage(lab, "contacts", late) is None
    lab.role(opportunity, late)
    lab.sync_once()
    assert stage(lab, "contacts", late) == expected


def test_L7_L3_with_an_empty_store_who_came_to_a_won_deal_later_gets_no_close_date_either(lab):
    """The deal was won before; that pairs are met anew makes no deal of today of it (law 6)."""
    account, _, opportunity = lab.business(StageName="Closed Won")
    late = colleague(lab, account, "late")
    lab.sync_once()
    lab.role(opportunity, late)
    lab.sync_once()
    before = lab.hs_get("contacts", lab.partner("contacts", late), "lifecyclestage", "closedate")
    assert (before["lifecyclestage"], before["closedate"]) == ("customer", None)
    lab.forget()
    lab.sync_until_rest()
    assert lab.hs_get("contacts", lab.partner("contacts", late), "lifecyclestage", "closedate")["closedate"] is None


def test_L7_an_opportunity_that_has_only_an_account_changes_no_contact(lab):
    """The account's contacts without a role stay where they are."""
    account, _, _ = lab.business(StageName="Closed Won")
    bystander = colleague(lab, account, "bystander")
    lab.sync_once()
    assert stage(lab, "contacts", bystander) is None


def test_L7_the_settings_name_the_stages():
    """One for roles on open opportunities, one for those on won ones."""
    lab = begin(
        NOTHING | {"CONNECTOR__LIFECYCLE__ROLE_OPEN": "lead", "CONNECTOR__LIFECYCLE__ROLE_WON": "evangelist"}
    )
    account, contact, opportunity = lab.business()
    lab.sync_once()
    assert stages(lab, account, contact) == (None, "lead")
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    assert stages(lab, account, contact) == (None, "evangelist")


# --- L5 ---------------------------------------------------------------------------------------------------


def test_L5_contacts_take_their_companys_stage_forward_only():
    """Company lead, contacts subscriber and opportunity: only the subscriber moves."""
    lab = begin(COMPANY_DECIDES)
    account = lab.sf_create("Account", Name="Acme")
    low, high = colleague(lab, account, "low"), colleague(lab, account, "high")
    lab.sync_once()
    set_by_hand(lab, "contacts", low, "subscriber")
    set_by_hand(lab, "contacts", high, "opportunity")
    set_by_hand(lab, "companies", account, "lead")
    lab.sync_once()
    assert (stage(lab, "contacts", low), stage(lab, "contacts", high)) == ("lead", "opportunity")
    assert stage(lab, "companies", account) == "lead"


def test_L5_a_contact_takes_the_stage_when_the_company_becomes_its_primary_one():
    """Somebody who joins a customer becomes a customer."""
    lab = begin(COMPANY_DECIDES)
    account = lab.sf_create("Account", Name="Acme")
    newcomer = lab.sf_create("Contact", LastName="New", Email="new@x.example")
    lab.sync_once()
    set_by_hand(lab, "companies", account, "customer")
    lab.sync_once()
    assert stage(lab, "contacts", newcomer) is None
    lab.sf_edit("Contact", newcomer, AccountId=account)
    lab.sync_once()
    assert stage(lab, "contacts", newcomer) == "customer"


def test_L5_never_goes_from_contact_to_company():
    """A contact's own stage is no event for its company or its colleagues."""
    lab = begin(COMPANY_DECIDES)
    account = lab.sf_create("Account", Name="Acme")
    one, other = colleague(lab, account, "one"), colleague(lab, account, "other")
    lab.sync_once()
    set_by_hand(lab, "contacts", one, "customer")
    lab.sync_once()
    assert stage(lab, "companies", account) is None
    assert stage(lab, "contacts", other) is None


def test_L5_is_off_by_default(lab):
    """The company's stage concerns nobody else."""
    account = lab.sf_create("Account", Name="Acme")
    one = colleague(lab, account, "one")
    lab.sync_once()
    set_by_hand(lab, "companies", account, "customer")
    lab.sync_once()
    assert stage(lab, "contacts", one) is None


def test_L5_what_is_lowered_by_hand_stays_until_the_company_moves_again():
    """The company's present stage was acted upon; its next one is new."""
    lab = begin(COMPANY_DECIDES)
    account = lab.sf_create("Account", Name="Acme")
    one = colleague(lab, account, "one")
    lab.sync_once()
    set_by_hand(lab, "companies", account, "salesqualifiedlead")
    lab.sync_once()
    set_by_hand(lab, "contacts", one, "lead")
    lab.hs_edit("companies", lab.partner("companies", account), phone="1")
    lab.sync_once()
    assert stage(lab, "contacts", one) == "lead"
    set_by_hand(lab, "companies", account, "customer")
    lab.sync_once()
    assert stage(lab, "contacts", one) == "customer"


def test_L5_hands_a_contacts_transition_on_to_its_colleagues_for_one_hop():
    """A role on a won opportunity without account: the colleagues follow, the company does not."""
    lab = begin(COMPANY_DECIDES)
    account = lab.sf_create("Account", Name="Acme")
    elsewhere = lab.sf_create("Account", Name="Elsewhere")
    actor, low, high = (colleague(lab, account, name) for name in ("actor", "low", "high"))
    stranger = colleague(lab, elsewhere, "stranger")
    lab.sync_once()
    set_by_hand(lab, "contacts", low, "subscriber")
    set_by_hand(lab, "contacts", high, "evangelist")
    lab.role(lab.opportunity(StageName="Closed Won"), actor)
    lab.sync_once()
    shown = {name: stage(lab, "contacts", who) for name, who in
             {"actor": actor, "low": low, "high": high, "stranger": stranger}.items()}  # fmt: skip
    assert shown == {"actor": "customer", "low": "customer", "high": "evangelist", "stranger": None}
    assert stage(lab, "companies", account) is None
    assert stage(lab, "companies", elsewhere) is None


# --- L10 --------------------------------------------------------------------------------------------------


def test_L10_every_move_says_by_which_rule_and_because_of_what(lab):
    """The journal names rule, deal and run."""
    account, contact, opportunity = lab.business()
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    run = lab.sync_once().run
    deal = lab.deal_of(opportunity)
    for object_, record in (("contacts", contact), ("companies", account)):
        entries = lab.store.journal.of_record(Side.HUBSPOT, object_, lab.partner(object_, record))
        moves = [
            (one["run"], change["old"], change["new"], change["rule"], change["cause"])
            for one in entries
            for change in one["changes"]
            if change["field"] == "lifecyclestage"
        ]
        assert moves[-1][:3] == (run, "opportunity", "customer")
        assert moves[-1][3] in {"L3", "L7"}
        assert deal in moves[-1][4]
