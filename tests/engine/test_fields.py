"""Whose value wins, how it is known which is the most recent, and what is no edit (F)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from engine.lab import Lab

from connector.core.model import OnTargetEdit, Rule, Side


@pytest.fixture
def lab():
    lab = Lab()
    lab.sync()
    return lab


def rule_for(lab: Lab, pair: str, salesforce: str, **changes: Any) -> None:
    """Change the mapping of one field, as an administrator does in the mapping file."""
    old = lab.pairs[pair]
    fields = tuple(replace(one, **changes) if one.salesforce == (salesforce,) else one for one in old.fields)
    assert fields != old.fields
    lab.pairs = {**lab.pairs, pair: replace(old, fields=fields)}


def paired_deal(lab: Lab, **fields: Any) -> tuple[str, str]:
    opportunity = lab.opportunity(**fields)
    lab.sync_once()
    return opportunity, lab.deal_of(opportunity)


def paired_contact(lab: Lab, **fields: Any) -> tuple[str, str]:
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example", **fields)
    lab.sync_once()
    return contact, lab.partner("contacts", contact)


def journalled(lab: Lab, run: int) -> list[tuple[str, str, Any, Any, str, bool]]:
    """(side, field, old, new, rule, conflict) of all that a run wrote."""
    return [
        (one["side"], change["field"], change["old"], change["new"], change["rule"], change["conflict"])
        for one in lab.store.journal.of_run(run)
        for change in one["changes"]
    ]


# --- F1, F2 -----------------------------------------------------------------------------------------------


def test_F1_only_the_field_that_moved_is_written(lab):
    """One edit in Salesforce is one property in HubSpot, and nothing in Salesforce."""
    opportunity, _ = paired_deal(lab, Amount=5, Description="kept")
    lab.sf_edit("Opportunity", opportunity, Name="New name")
    report = lab.sync_once()
    assert [one[:4] for one in journalled(lab, report.run)] == [("hubspot", "dealname", "Big deal", "New name")]


def test_F1_an_edit_made_while_a_field_was_out_of_sight_travels_once_it_may_be_read_again(lab):
    """Nobody may have touched the record since: the field is read again all the same."""
    opportunity, deal = paired_deal(lab, Description="agreed")
    lab.session_of_people = lab.salesforce.sign_in("clerk@acme.example")  # whose rights stay as they are
    for may in (False, True):
        rights = {"fields": {"Opportunity": {"Description": {"read": may, "edit": may}}}}
        lab.sandbox_post("salesforce", "permissions", rights, "PUT")
        lab.advance(hours=26)  # past what is remembered of the set-up
        lab.sync()
        if not may:
            lab.sf_edit("Opportunity", opportunity, Description="meanwhile")
            lab.advance(hours=2)
            lab.sync()
            assert lab.hs_get("deals", deal, "description")["description"] == "agreed"
    assert lab.hs_get("deals", deal, "description")["description"] == "meanwhile"


def test_F1_edits_of_different_fields_on_both_sides_travel_past_each_other(lab):
    """No conflict: each side gets the other's edit."""
    opportunity, deal = paired_deal(lab, Amount=5)
    lab.sf_edit("Opportunity", opportunity, Name="From Salesforce")
    lab.hs_edit("deals", deal, amount="9")
    report = lab.sync_once()
    assert report.conflicts == 0
    assert lab.hs_get("deals", deal, "dealname")["dealname"] == "From Salesforce"
    assert lab.sf_get("Opportunity", opportunity)["Amount"] == 9


@pytest.mark.parametrize("last", ["salesforce", "hubspot"])
def test_F2_of_two_edits_the_later_one_wins_and_the_loser_is_in_the_journal(lab, last):
    """The conflict is counted, and nothing that was typed is lost."""
    opportunity, deal = paired_deal(lab)
    edits = {
        "salesforce": lambda: lab.sf_edit("Opportunity", opportunity, Description="by Salesforce"),
        "hubspot": lambda: lab.hs_edit("deals", deal, description="by HubSpot"),
    }
    for side in sorted(edits, key=lambda each: each == last):
        edits[side]()
        lab.advance(minutes=1)
    report = lab.sync_once()
    winner, loser = ("by HubSpot", "by Salesforce") if last == "hubspot" else ("by Salesforce", "by HubSpot")
    assert lab.sf_get("Opportunity", opportunity)["Description"] == winner
    assert lab.hs_get("deals", deal, "description")["description"] == winner
    assert report.conflicts == 1
    (entry,) = journalled(lab, report.run)
    assert entry[2:] == (loser, winner, "F2", True)


def test_F2_the_same_edit_on_both_sides_is_adopted_without_a_write(lab):
    """Equal in meaning is agreement: 1054 and 1054.0, and text but for blanks around it."""
    opportunity, deal = paired_deal(lab, Amount=5)
    lab.sf_edit("Opportunity", opportunity, Amount=1054, Description="the same")
    lab.hs_edit("deals", deal, amount="1054.0", description="  the same ")
    report = lab.sync_once()
    assert (report.writes, report.conflicts) == (0, 0)
    lab.hs_edit("deals", deal, amount="6")
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["Amount"] == 6


def causes(lab: Lab, run: int) -> list[str]:
    """Why, of all that a run wrote."""
    return [change["cause"] for one in lab.store.journal.of_run(run) for change in one["changes"]]


def track(lab: Lab, *fields: str) -> None:
    """An administrator has the history of these fields of opportunities kept."""
    lab.sandbox_post("salesforce", "field_history", {"Opportunity": list(fields)}, "PUT")


@pytest.mark.parametrize("tracked", [True, False], ids=["history kept", "no history"])
@pytest.mark.parametrize("first", ["salesforce", "hubspot"])
def test_F2_it_is_the_edit_of_that_field_that_counts(lab, first, tracked):
    """A later edit of another field makes no value more recent, where the CRM keeps the history of fields."""
    track(lab, *(["Type", "NextStep", "Amount"] if tracked else []))
    opportunity, deal = paired_deal(lab, Amount=1)
    acts = {
        "salesforce": lambda **more: lab.sf_edit("Opportunity", opportunity, **more),
        "hubspot": lambda **more: lab.hs_edit("deals", deal, **more),
    }
    second = "hubspot" if first == "salesforce" else "salesforce"
    fields = {"salesforce": {"Amount": 2}, "hubspot": {"amount": "3"}}
    others = {"salesforce": {"NextStep": "call"}, "hubspot": {"hs_next_step": "call"}}
    for side, values in ((first, fields[first]), (second, fields[second]), (first, others[first])):
        acts[side](**values)
        lab.advance(minutes=1)
    report = lab.sync_once()
    # Without its history Salesforce's value is as recent as its record.
    winner = "salesforce" if first == "salesforce" and not tracked else second
    assert lab.sf_get("Opportunity", opportunity)["Amount"] == (2 if winner == "salesforce" else 3)
    (cause,) = causes(lab, report.run)
    assert "hubspot at" in cause
    assert "by the property's history" in cause
    assert ("by the field's history" if tracked else "by the record's last change") in cause
    ((_, _, old, new, _, conflict),) = journalled(lab, report.run)
    assert {float(old), float(new)} == {2, 3}
    assert conflict


def test_F2_histories_are_asked_for_only_where_there_is_a_conflict(lab):
    """One call of each side for all the conflicts of a window; none for edits of one side."""
    pairs = [paired_deal(lab, Name=f"Deal {number}", Amount=1) for number in range(3)]

    def price() -> list[int]:
        for opportunity, _ in pairs:
            lab.sf_edit("Opportunity", opportunity, Amount=lab.sf_get("Opportunity", opportunity)["Amount"] + 1)
        lab.advance(minutes=1)
        report = lab.sync()
        lab.sync()
        return [report.calls[side] for side in Side]

    alone = price()
    for _, deal in pairs:
        lab.hs_edit("deals", deal, amount="-1")
    salesforce, hubspot = price()
    assert (salesforce - alone[0], hubspot - alone[1]) == (1, 1)


def test_F2_of_two_edits_of_an_owner_the_history_tells(lab):
    """A history calls a standard lookup by its relationship."""
    people = ("ann@x.com", "bob@x.com", "cy@x.com")
    users = lab.sandbox_post("salesforce", "users", [{"Email": one} for one in people])
    lab.sandbox_post("hubspot", "owners", [{"email": one} for one in people])
    owners = {one["email"]: one["id"] for one in lab.hs("GET", "/crm/v3/owners/?limit=100")["results"]}
    track(lab, "OwnerId", "NextStep")
    opportunity, deal = paired_deal(lab, OwnerId=users[0]["id"])
    lab.sf_edit("Opportunity", opportunity, OwnerId=users[1]["id"])
    lab.advance(minutes=1)
    lab.hs_edit("deals", deal, hubspot_owner_id=owners["cy@x.com"])
    lab.advance(minutes=1)
    lab.sf_edit("Opportunity", opportunity, NextStep="call")
    report = lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["OwnerId"] == users[2]["id"]
    assert any("by the field's history" in one for one in causes(lab, report.run))


# --- clearing ---------------------------------------------------------------------------------------------


def test_F_two_way_fields_are_cleared_both_ways(lab):
    """Emptied on one side, empty on the other."""
    opportunity, deal = paired_deal(lab, Amount=5, Description="text")
    lab.sf_edit("Opportunity", opportunity, Amount=None)
    lab.hs_edit("deals", deal, description="")
    lab.sync_once()
    assert not lab.hs_get("deals", deal, "amount")["amount"]
    assert lab.sf_get("Opportunity", opportunity)["Description"] is None


@pytest.mark.parametrize(
    ("agreed", "in_salesforce", "in_hubspot", "expected"),
    [
        pytest.param("1", "2", None, "2", id="edited in Salesforce"),
        pytest.param("1", "", None, None, id="cleared in Salesforce"),
        pytest.param("1", None, "3", "1", id="edited in HubSpot while filled"),
        pytest.param("1", None, "", "1", id="cleared in HubSpot while filled"),
        pytest.param("", None, "3", "3", id="edited in HubSpot while blank"),
        pytest.param("1", "2", "3", "2", id="edited on both sides"),
        pytest.param("1", "", "3", "3", id="cleared in Salesforce and edited in HubSpot"),
        pytest.param("", "2", "3", "2", id="filled on both sides"),
    ],
)
def test_F_prefer_salesforce_unless_blank(lab, agreed, in_salesforce, in_hubspot, expected):
    """The table of the default rule, on a contact's phone number."""
    contact, partner = paired_contact(lab, Phone=agreed or None)
    if in_salesforce is not None:
        lab.sf_edit("Contact", contact, Phone=in_salesforce or None)
    if in_hubspot is not None:
        lab.hs_edit("contacts", partner, phone=in_hubspot)
    lab.sync_once()
    assert lab.sf_get("Contact", contact)["Phone"] == expected
    assert (lab.hs_get("contacts", partner, "phone")["phone"] or None) == expected


# --- F4 ---------------------------------------------------------------------------------------------------


def test_F4_a_value_map_works_both_ways(lab):
    """Several Salesforce values may mean one in HubSpot; coming back it is the first of them."""
    opportunity, deal = paired_deal(lab, Type="New Customer")
    assert lab.hs_get("deals", deal, "dealtype")["dealtype"] == "newbusiness"
    lab.hs_edit("deals", deal, dealtype="existingbusiness")
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["Type"] == "Existing Customer - Upgrade"
    lab.sf_edit("Opportunity", opportunity, Type="Existing Customer - Downgrade")
    assert lab.sync_once().writes == 0


def test_F4_an_unmapped_value_skips_its_field_and_nothing_else(lab):
    """The deal keeps its type, and the rest of the edit arrives."""
    opportunity, deal = paired_deal(lab, Type="New Customer")
    lab.sf_edit("Opportunity", opportunity, Type="Barter", Name="Renamed")
    lab.sync_once()
    shown = lab.hs_get("deals", deal, "dealtype", "dealname")
    assert (shown["dealtype"], shown["dealname"]) == ("newbusiness", "Renamed")
    new = lab.opportunity("Another", Type="Barter")
    lab.sync_once()
    assert not lab.hs_get("deals", lab.deal_of(new), "dealtype")["dealtype"]


def test_F4_an_unmapped_value_is_a_problem_where_the_mapping_says_so(lab):
    """`otherwise: error` lists the field, and the rest of the edit arrives."""
    rule_for(lab, "opportunity-deal", "Type", skip_untranslatable=False)
    opportunity, deal = paired_deal(lab, Type="New Customer")
    lab.sf_edit("Opportunity", opportunity, Type="Barter", Name="Renamed")
    lab.sync()
    shown = lab.hs_get("deals", deal, "dealtype", "dealname")
    assert (shown["dealtype"], shown["dealname"]) == ("newbusiness", "Renamed")
    (problem,) = lab.problems()
    assert (problem["field"], problem["code"], problem["cause"]) == ("Type", "NO_COUNTERPART", "property values")
    assert "'Barter'" in problem["detail"]
    lab.sf_edit("Opportunity", opportunity, Type="New Customer")
    lab.sync_once()
    assert lab.problems() == []


def test_F4_an_unmapped_value_takes_the_default_where_the_mapping_has_one(lab):
    """`otherwise: default`: the target gets it, and the source keeps what it has."""
    rule_for(lab, "opportunity-deal", "Type", defaults={Side.HUBSPOT: ("existingbusiness",)})
    opportunity, deal = paired_deal(lab, Type="New Customer")
    lab.sf_edit("Opportunity", opportunity, Type="Barter")
    lab.sync_until_rest()
    assert lab.hs_get("deals", deal, "dealtype")["dealtype"] == "existingbusiness"
    assert lab.sf_get("Opportunity", opportunity)["Type"] == "Barter"


# --- F6 ---------------------------------------------------------------------------------------------------


def test_F6_an_edit_of_the_target_alone_is_put_back_and_journalled(lab):
    """A one-way field equals its source again; what was typed is in the journal."""
    rule_for(lab, "opportunity-deal", "Description", rule=Rule.ALWAYS_SALESFORCE)
    opportunity, deal = paired_deal(lab, Description="source")
    lab.hs_edit("deals", deal, description="typed")
    report = lab.sync_once()
    assert lab.hs_get("deals", deal, "description")["description"] == "source"
    assert lab.sf_get("Opportunity", opportunity)["Description"] == "source"
    assert journalled(lab, report.run) == [("hubspot", "description", "typed", "source", "F6", False)]


def test_F6_leave_lets_the_targets_edit_stand_until_the_source_moves(lab):
    """With `on_target_edit: leave`."""
    leave = {"rule": Rule.ALWAYS_SALESFORCE, "on_target_edit": OnTargetEdit.LEAVE}
    rule_for(lab, "opportunity-deal", "Description", **leave)
    opportunity, deal = paired_deal(lab, Description="source")
    lab.hs_edit("deals", deal, description="typed")
    assert lab.sync_once().writes == 0
    assert lab.hs_get("deals", deal, "description")["description"] == "typed"
    lab.sf_edit("Opportunity", opportunity, Description="new source")
    lab.sync_once()
    assert lab.hs_get("deals", deal, "description")["description"] == "new source"


def test_F_always_hubspot_restores_salesforce(lab):
    """The same the other way round."""
    rule_for(lab, "opportunity-deal", "Description", rule=Rule.ALWAYS_HUBSPOT)
    opportunity, deal = paired_deal(lab)
    lab.hs_edit("deals", deal, description="source")
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, Description="typed")
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["Description"] == "source"
    lab.hs_edit("deals", deal, description="")
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["Description"] is None


def test_F_dont_sync_never_travels(lab):
    """Neither at creation nor later."""
    rule_for(lab, "opportunity-deal", "Description", rule=Rule.DONT_SYNC)
    opportunity, deal = paired_deal(lab, Description="mine")
    assert not lab.hs_get("deals", deal, "description")["description"]
    lab.hs_edit("deals", deal, description="theirs")
    assert lab.sync_once().writes == 0
    assert lab.sf_get("Opportunity", opportunity)["Description"] == "mine"


def test_F_hold_lets_one_sided_edits_pass_and_holds_a_conflict(lab):
    """Both edits stay where they are, and a problem names the field, until a person decides."""
    rule_for(lab, "opportunity-deal", "Description", rule=Rule.HOLD)
    opportunity, deal = paired_deal(lab, Description="agreed")
    lab.hs_edit("deals", deal, description="one-sided")
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["Description"] == "one-sided"
    lab.hs_edit("deals", deal, description="theirs")
    lab.sf_edit("Opportunity", opportunity, Description="mine")
    lab.sync_once()
    assert lab.hs_get("deals", deal, "description")["description"] == "theirs"
    assert lab.sf_get("Opportunity", opportunity)["Description"] == "mine"
    assert [one["code"] for one in lab.problems()] == ["CONFLICT"]
    lab.hs_edit("deals", deal, description="mine")
    lab.sync_once()
    assert lab.problems() == []


# --- F7 ---------------------------------------------------------------------------------------------------


def test_F7_a_date_is_midnight_in_the_configured_zone():
    """30 June in New York begins at 04:00 UTC; 03:00 UTC on 2 July is 1 July there."""
    lab = Lab({"CONNECTOR__TIME_ZONE": "America/New_York"})
    lab.sync()
    opportunity, deal = paired_deal(lab, CloseDate="2026-06-30")
    assert lab.hs_get("deals", deal, "closedate")["closedate"] == "2026-06-30T04:00:00.000Z"
    lab.hs_edit("deals", deal, closedate="2026-07-02T03:00:00Z")
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["CloseDate"] == "2026-07-01"
    assert lab.hs_get("deals", deal, "closedate")["closedate"] == "2026-07-02T03:00:00.000Z"


def test_F7_another_time_on_the_same_day_is_no_edit(lab):
    """Nothing is written, and HubSpot keeps the time."""
    _, deal = paired_deal(lab, CloseDate="2026-06-30")
    lab.hs_edit("deals", deal, closedate="2026-06-30T17:45:00Z")
    assert lab.sync_once().writes == 0
    assert lab.hs_get("deals", deal, "closedate")["closedate"] == "2026-06-30T17:45:00.000Z"


@pytest.mark.parametrize("closed", ["Closed Won", "Closed Lost"])
def test_F7_a_closed_stage_carries_the_close_date_to_hubspot(lab, closed):
    """Without it HubSpot would put today's date, which would travel back."""
    opportunity, deal = paired_deal(lab, CloseDate="2026-06-30")
    lab.sf_edit("Opportunity", opportunity, StageName=closed)
    lab.sync_once()
    assert lab.hs_get("deals", deal, "closedate")["closedate"] == "2026-06-30T00:00:00.000Z"
    assert lab.sf_get("Opportunity", opportunity)["CloseDate"] == "2026-06-30"


def test_F7_a_stage_closed_in_hubspot_carries_its_close_date_to_salesforce(lab):
    """Whatever date the deal then has, the opportunity has the same."""
    opportunity, deal = paired_deal(lab, CloseDate="2026-06-30")
    lab.hs_edit("deals", deal, dealstage=lab.stages("Salesforce - Default pipeline")["Closed Won"])
    lab.sync_once()
    shown = lab.sf_get("Opportunity", opportunity)
    assert shown["StageName"] == "Closed Won"
    assert shown["CloseDate"] == lab.hs_get("deals", deal, "closedate")["closedate"][:10]


# --- law 5's exception ------------------------------------------------------------------------------------


def test_law5_an_edit_between_our_look_and_our_write_shows_in_hubspots_history(lab):
    """Neither vendor has a conditional batch write: that edit is overwritten, but HubSpot remembers it."""
    opportunity, deal = paired_deal(lab, Description="agreed")
    lab.sf_edit("Opportunity", opportunity, Description="ours")
    lab.sync_before("deals/batch/update", lambda: lab.hs_edit("deals", deal, description="in between"))
    answer = lab.hs("GET", f"/crm/v3/objects/deals/{deal}?propertiesWithHistory=description")
    history = [one["value"] for one in answer["propertiesWithHistory"]["description"]]
    assert history[:2] == ["ours", "in between"]


def test_law5_an_edit_just_before_our_look_is_not_overwritten_unseen(lab):
    """It is a conflict like any other: one of the two wins, and the other is in the journal."""
    opportunity, deal = paired_deal(lab, Description="agreed")
    lab.sf_edit("Opportunity", opportunity, Description="ours")
    lab.advance(seconds=5)
    lab.sync_before("deals/batch/read", lambda: lab.hs_edit("deals", deal, description="in between"))
    lab.sync_until_rest()
    winner = lab.hs_get("deals", deal, "description")["description"]
    assert winner == lab.sf_get("Opportunity", opportunity)["Description"] == "in between"
    runs = range(1, 20)
    assert "ours" in {old for run in runs for _, _, old, *_ in journalled(lab, run)}


def test_F1_D6_nothing_is_agreed_on_a_field_that_is_out_of_sight(lab):
    """What is edited on the other side meanwhile travels once the field is back, and is not lost."""

    def allow(*, may):
        rights = {"fields": {"Opportunity": {"Description": {"read": may, "edit": may}}}}
        lab.sandbox_post("salesforce", "permissions", rights, "PUT")
        lab.advance(days=1)  # by then the set-up is read anew
        lab.sync_until_rest()

    opportunity = lab.opportunity()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    allow(may=False)
    lab.hs_edit("deals", deal, description="typed")
    lab.sync_until_rest()
    allow(may=True)
    assert lab.hs_get("deals", deal, "description")["description"] == "typed"
    assert lab.sf_get("Opportunity", opportunity)["Description"] == "typed"


def test_O11_the_stage_travels_though_an_org_shows_no_record_types():
    """A field that many orgs do not have leaves out nothing beside itself: the stage is synced alone then."""
    lab = Lab()
    rights = {"fields": {"Opportunity": {"RecordTypeId": {"read": False, "edit": False}}}}
    lab.sandbox_post("salesforce", "permissions", rights, "PUT")
    opportunity = lab.opportunity()
    lab.sync()
    deal, stages = lab.deal_of(opportunity), lab.stages()
    lab.sf_edit("Opportunity", opportunity, StageName="Qualification")
    lab.sync()
    assert lab.hs_get("deals", deal, "dealstage")["dealstage"] == stages["Qualification"]
    lab.hs_edit("deals", deal, dealstage=stages["Needs Analysis"])
    lab.advance(hours=1)
    lab.sync()
    assert lab.sf_get("Opportunity", opportunity)["StageName"] == "Needs Analysis"
