"""What a run would write, and why: creations, merges, roles and derived values."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from core.examples import HS, SF, Known, Rule, link, pair, record, rule

from connector.core.actions import Adoption, Creation, Deletion, Freezing, Settlement, Severance, Update, Wait
from connector.core.matching import Candidate
from connector.core.model import Base, Change, LinkState, Presence, Problem, ProblemClass
from connector.core.plan import Situation, plan_candidate, plan_link
from connector.mapping.transforms import Date, Number, Owner, Picklist, Reference, StagePair

NAME = rule("Name", "dealname")
AMOUNT = rule("Amount", "amount", transform=Number())
CLOSE = rule("CloseDate", "closedate", transform=Date(ZoneInfo("UTC")))
STAGE = rule("RecordTypeId+StageName", "pipeline+dealstage", transform=StagePair())
OWNER = rule("OwnerId", "hubspot_owner_id", transform=Owner(), defaults={HS: ("900",)})
ACCOUNT = rule("AccountId", "primary_company", transform=Reference("account-company"))
CURRENCY = rule("CurrencyIsoCode", "deal_currency_code", at_creation_only=True)
REQUIRED = {SF: ("Name", "StageName", "CloseDate"), HS: ("dealname", "dealstage")}
IDS = {HS: "sf_record_id", SF: "HubSpot_Id__c"}
DEALS = pair(
    NAME, AMOUNT, CLOSE, STAGE, OWNER, ACCOUNT, CURRENCY,
    required=REQUIRED, partner_field=IDS, deletes=frozenset({SF}),
)  # fmt: skip

KNOWN = Known(
    partners={("account-company", HS, "001A"): "50", ("account-company", SF, "50"): "001A"},
    owners={(HS, "005A"): "7", (SF, "7"): "005A"},
    stages={
        (HS, "012A", "Prospecting"): ("p1", "s1"),
        (HS, "012A", "Closed Won"): ("p1", "won"),
        (SF, "p1", "s1"): ("012A", "Prospecting"),
        (SF, "p1", "won"): ("012A", "Closed Won"),
    },
)
CLOSED = frozenset({"won"})
HERE = {
    "Name": "Acme",
    "Amount": 1054,
    "CloseDate": "2026-06-30",
    "RecordTypeId": "012A",
    "StageName": "Prospecting",
    "OwnerId": "005A",
    "AccountId": "001A",
    "CurrencyIsoCode": "EUR",
}
THERE = {
    "dealname": "Acme",
    "amount": "1054",
    "closedate": "2026-06-30T00:00:00.000Z",
    "pipeline": "p1",
    "dealstage": "s1",
    "hubspot_owner_id": "7",
    "primary_company": "50",
    "deal_currency_code": "EUR",
}
BASE = Base(HERE, THERE)


def opportunity(**fields):
    return record(SF, "006A", HERE | fields, modified="2026-02-01")


def deal(partner_id="006A", **fields):
    return record(HS, "11", THERE | fields, modified="2026-01-01", partner_id=partner_id)


def create(source, mapping=DEALS, known=KNOWN, contacts=(), **more):
    return plan_candidate(mapping, Candidate(source, **more), known, contacts)


def merge(here, there, base=BASE, mapping=DEALS, known=KNOWN, **how):
    situation = Situation(link("006A", "11", base=base), here, there, **how)
    return plan_link(mapping, situation, known, CLOSED)


def only(actions, kind):
    (one,) = [action for action in actions if isinstance(action, kind)]
    return one


# --- creations --------------------------------------------------------------------------------------------


def test_T1_a_new_opportunity_makes_a_deal_with_everything_mapped():
    """All fields travel converted, with the partner's id and the reason; the base is what both sides hold."""
    (creation,) = create(opportunity(), contacts=("5", "6"))
    assert (creation.to, creation.object, creation.contacts) == (HS, "deals", ("5", "6"))
    assert creation.values == THERE | {"sf_record_id": "006A"}
    assert {change.rule for change in creation.changes} == {"T1", "O10"}
    assert creation.changes[0].cause == "Opportunity 006A appeared"
    assert creation.base == Base(HERE, THERE)


def test_T2_O6_a_new_deal_makes_an_opportunity():
    """With the pipeline's record type, the company's account and the deal's id."""
    (creation,) = create(deal(partner_id=None))
    assert (creation.to, creation.object) == (SF, "Opportunity")
    assert creation.values == HERE | {"HubSpot_Id__c": "11"}
    assert {change.rule for change in creation.changes} == {"T2", "O10"}
    assert creation.base == Base(HERE, THERE)


def test_a_creation_settles():
    """Merging source and partner right after the creation finds nothing to do (law 1)."""
    (creation,) = create(opportunity())
    made = {name: value for name, value in creation.values.items() if name != "sf_record_id"}
    assert merge(opportunity(), deal(**made), creation.base) == []


def test_blanks_are_not_written_into_a_new_record():
    """But they are agreed, so that filling one later counts as an edit."""
    (creation,) = create(opportunity(Amount=None))
    assert "amount" not in creation.values
    assert creation.base.hubspot["amount"] is None


def test_a_field_that_was_not_observed_is_not_invented():
    """No right to read it: neither written nor agreed."""
    here = {name: value for name, value in HERE.items() if name != "Amount"}
    (creation,) = create(record(SF, "006A", here))
    assert "amount" not in creation.values
    assert "amount" not in creation.base.hubspot


@pytest.mark.parametrize(
    ("who", "side", "travels"),
    [
        (Rule.DONT_SYNC, SF, False),
        (Rule.DONT_SYNC, HS, False),
        (Rule.ALWAYS_SALESFORCE, SF, True),
        (Rule.ALWAYS_SALESFORCE, HS, False),
        (Rule.ALWAYS_HUBSPOT, SF, False),
        (Rule.ALWAYS_HUBSPOT, HS, True),
        (Rule.PREFER_SALESFORCE_UNLESS_BLANK, HS, True),
        (Rule.HOLD, SF, True),
    ],
)
def test_F_a_creation_carries_what_the_rule_lets_travel(who, side, travels):
    """The source's side decides, as it does for edits."""
    mapping = pair(rule("Name", "dealname", who))
    (creation,) = create(record(side, "1", {"Name": "x", "dealname": "x"}), mapping)
    assert creation.values == ({mapping.fields[0].names(side.other)[0]: "x"} if travels else {})


def test_O9_what_salesforce_requires_and_hubspot_lacks_blocks_that_deal():
    """The problem names the fields on both sides."""
    (problem,) = create(deal(partner_id=None, dealname=" ", closedate=None))
    assert (problem.side, problem.record_id, problem.code) == (HS, "11", "REQUIRED_FIELD_MISSING")
    assert problem.cause is ProblemClass.PROPERTY_VALUES
    assert problem.detail == "salesforce requires Name, CloseDate, which dealname and closedate leaves empty"
    assert problem.field == "Name,CloseDate"


def test_O9_a_required_field_that_nothing_is_mapped_to_is_named_too():
    """A mapping without it cannot create anything."""
    (problem,) = create(record(HS, "11", {"dealname": "x"}), pair(NAME, required={SF: ("StageName",)}))
    assert "no mapped field leaves empty" in problem.detail


def test_O9_E1_a_missing_field_is_told_beside_the_trouble_of_another_one():
    """An owner that nobody knows does not explain why a deal has no name."""
    mapping = pair(replace(OWNER, defaults={}), NAME, required={HS: ("dealname", "hubspot_owner_id")})
    owner, missing = create(record(SF, "006A", {"Name": None, "OwnerId": "005Z"}), mapping)
    assert (owner.record_id, owner.code) == ("005Z", "NO_COUNTERPART")
    assert (missing.record_id, missing.field) == ("006A", "dealname")


def test_R5_a_required_reference_that_is_not_linked_yet_explains_itself():
    """The record waits, and is no problem."""
    mapping = pair(ACCOUNT, NAME, required={HS: ("dealname", "primary_company")})
    (wait,) = create(opportunity(AccountId="001Z"), mapping)
    assert isinstance(wait, Wait)


def test_O9_defaults_fill_what_is_blank():
    """A default of the mapping takes the place of nothing, and is agreed as such."""
    close = replace(CLOSE, defaults={SF: ("2030-01-01",)})
    mapping = pair(NAME, close, required={SF: ("Name", "CloseDate")})
    (creation,) = create(record(HS, "11", {"dealname": "x", "closedate": ""}), mapping)
    assert creation.values == {"Name": "x", "CloseDate": "2030-01-01"}
    assert creation.base == Base(creation.values, {"dealname": "x", "closedate": ""})


def test_O11_a_stage_without_counterpart_blocks_once():
    """The stage is required: its own problem explains enough, a second one is not added."""
    (problem,) = create(opportunity(StageName="Unknown"))
    assert (problem.code, problem.field) == ("NO_COUNTERPART", "RecordTypeId+StageName")


def test_F4_one_bad_field_never_drops_the_record():
    """The record is created without it, and the field is listed."""
    kind = rule("Type", "dealtype", transform=Picklist.from_map({"New": "newbusiness"}))
    for fields in ((NAME, kind), (kind, NAME)):
        problem, creation = create(record(SF, "006A", {"Name": "x", "Type": "Odd"}), pair(*fields))
        assert isinstance(problem, Problem)
        assert problem.field == "Type"
        assert creation.values == {"dealname": "x"}


@pytest.mark.parametrize("required", [False, True])
def test_F4_skip_field_is_silent_unless_salesforce_requires_it(required):
    """`otherwise: skip_field` leaves the field out; a required one is named all the same."""
    kind = rule("Type", "dealtype", transform=Picklist.from_map({"New": "new"}), skip_untranslatable=True)
    mapping = pair(NAME, kind, required={SF: ("Type",)} if required else {})
    actions = create(record(HS, "11", {"dealname": "x", "dealtype": "odd"}), mapping)
    assert [type(action) for action in actions] == ([Problem] if required else [Creation])
    assert [action.code for action in actions if isinstance(action, Problem)] == ["NO_COUNTERPART"] * required


def test_F4_a_skipped_pair_of_fields_is_told_if_either_is_required():
    """A stage in no pipeline: nothing would explain why there is no deal."""
    stage = replace(STAGE, skip_untranslatable=True)
    (problem,) = create(opportunity(StageName="Unknown"), pair(NAME, stage, required={HS: ("dealstage",)}))
    assert problem.code == "NO_COUNTERPART"


def test_R5_a_reference_that_is_not_linked_yet_waits_and_nothing_else_does():
    """The deal is created without its company; the wait names the account."""
    wait, creation = create(opportunity(AccountId="001Z"))
    assert wait.needs == ("account-company", SF, "001Z")
    assert "primary_company" not in creation.values
    assert "primary_company" not in creation.base.hubspot


def test_A5_an_unknown_owner_is_replaced_and_reported_about_the_owner():
    """The record still syncs, with the default owner; the problem is the owner's, so it is reported once."""
    problem, creation = create(opportunity(OwnerId="005Z"))
    assert (problem.side, problem.object, problem.record_id) == (SF, "owners", "005Z")
    assert creation.values["hubspot_owner_id"] == "900"
    assert creation.base.salesforce["OwnerId"] == "005Z"


def test_A5_an_unknown_owner_without_a_default_is_left_out():
    """Even where untranslatable values are skipped in silence, a missing owner is told."""
    owner = replace(OWNER, defaults={}, skip_untranslatable=True)
    problem, creation = create(record(SF, "006A", {"Name": "x", "OwnerId": "005Z"}), pair(NAME, owner))
    assert problem.record_id == "005Z"
    assert creation.values == {"dealname": "x"}


# --- unlinked records that are not created ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("record_", "partner", "born"),
    [
        (opportunity(), deal(), SF),
        (deal(), opportunity(), SF),
        (replace(opportunity(), partner_id="11"), deal(partner_id=None), HS),
        (deal(), replace(opportunity(), partner_id="11"), HS),
        (opportunity(), deal(partner_id=None), SF),
    ],
    ids=["named by the deal", "names it", "names the deal", "both name each other", "neither"],
)
def test_O10_an_adoption_tells_where_the_pair_was_born(record_, partner, born):
    """Salesforce stores the deal's id only of pairs that were born in HubSpot."""
    (adoption,) = create(record_, naming=(partner,))
    assert adoption == Adoption("opportunity-deal", "006A", "11", born, "A2")


@pytest.mark.parametrize("whose", [("006A", None), (None, "11")], ids=["own", "the partner's"])
def test_law_4_an_adoption_completes_a_pending_link(whose):
    """What an interrupted creation left behind is continued, not doubled."""
    pending = link(*whose, LinkState.PENDING)
    key = (SF, "006A") if whose[0] else (HS, "11")
    (adoption,) = create(opportunity(), naming=(deal(),), links={key: pending})
    assert adoption.link is pending


def test_D8_an_archived_deal_severs():
    """Nothing is written; the link that remembers it is severed."""
    gone = replace(deal(), presence=Presence.DELETED)
    (severance,) = create(opportunity(), naming=(gone,))
    assert severance == Severance("opportunity-deal", "006A", "11", "D8", closed=False)
    (told,) = create(replace(opportunity(), partner_id="11"), naming=(gone,))
    assert told.born is HS, "Salesforce names the deals of those pairs only that were born in HubSpot (O10)"
    (told,) = create(deal(partner_id=None), naming=(replace(GONE_HERE, partner_id="11"),))
    assert (told.salesforce_id, told.hubspot_id, told.born) == ("006A", "11", HS)
    severed = link("006A", "11", LinkState.SEVERED)
    (again,) = create(opportunity(), naming=(gone,), links={(SF, "006A"): severed})
    assert again.link is severed


def test_O10_a_problem_of_matching_is_the_whole_plan():
    """Nothing is created beside it."""
    (problem,) = create(deal(partner_id="006Z"))
    assert problem.code == "PARTNER_NOT_READABLE"


def test_what_concerns_nobody_plans_nothing():
    """A deal in a pipeline that does not sync."""
    assert create(deal(partner_id=None), in_scope=False) == []


# --- linked records ---------------------------------------------------------------------------------------


def test_law_1_what_agrees_with_its_base_is_at_rest():
    """No action of any kind."""
    assert merge(opportunity(), deal()) == []


def test_F2_agreement_moves_the_base_only():
    """Both edited to the same: a settlement of that field, no write."""
    (settlement,) = merge(opportunity(Name="New"), deal(dealname="New"))
    assert isinstance(settlement, Settlement)
    assert settlement.base == Base({"Name": "New"}, {"dealname": "New"})


def test_F1_each_edit_travels_to_its_other_side_in_one_update_each():
    """The changes carry old and new value, rule and cause; what settles is what will be there."""
    to_salesforce, to_hubspot = merge(opportunity(Name="New", Amount=2), deal(closedate="2026-07-01T12:00:00Z"))
    assert (to_salesforce.to, to_salesforce.record_id) == (SF, "006A")
    assert to_salesforce.values == {"CloseDate": "2026-07-01"}
    assert (to_hubspot.to, to_hubspot.record_id) == (HS, "11")
    assert to_hubspot.values == {"dealname": "New", "amount": "2"}
    name = to_hubspot.changes[0]
    assert (name.old, name.new, name.rule, name.cause) == ("Acme", "New", "F1", "Name of Opportunity 006A")
    assert to_hubspot.settles == Base({"Name": "New", "Amount": 2}, {"dealname": "New", "amount": "2"})


def test_F2_the_newer_record_wins_and_the_change_is_marked_as_a_conflict():
    """By the modification of the whole record; at the same moment Salesforce counts as newer."""
    here, there = opportunity(Name="S"), deal(dealname="H")
    assert only(merge(here, there), Update).values == {"dealname": "S"}
    assert only(merge(here, replace(there, modified="2026-03-01")), Update).values == {"Name": "H"}
    update = only(merge(here, replace(there, modified=here.modified)), Update)
    assert update.values == {"dealname": "S"}
    assert update.changes[0].conflict


def test_F_hold_asks_a_person():
    """A true conflict is a problem that names the field."""
    problem = only(
        merge(opportunity(Name="S"), deal(dealname="H"), mapping=pair(replace(NAME, rule=Rule.HOLD))), Problem
    )
    assert (problem.code, problem.field, problem.record_id) == ("CONFLICT", "Name", "006A")


def test_O11_record_type_and_stage_travel_together():
    """One write with both, even if only one of them moved."""
    update = only(merge(opportunity(StageName="Closed Won"), deal()), Update)
    assert update.values["pipeline"] == "p1"
    assert update.values["dealstage"] == "won"


def test_O11_a_stage_missing_in_the_target_leaves_the_pair_where_it_was():
    """A problem of class property values; the other fields travel."""
    actions = merge(opportunity(StageName="Unknown", Amount=7), deal())
    assert only(actions, Problem).field == "RecordTypeId+StageName"
    assert only(actions, Update).values == {"amount": "7"}


def test_R5_a_reference_that_moved_to_something_unlinked_waits():
    """Its field keeps its value until the partner is there."""
    (wait,) = merge(opportunity(AccountId="001Z"), deal())
    assert isinstance(wait, Wait)
    assert wait.needs == ("account-company", SF, "001Z")


def test_A5_an_owner_that_moved_to_an_unknown_one_falls_back():
    """The default owner is written, the owner is reported, and the next run is quiet."""
    here = opportunity(OwnerId="005Z")
    problem, update = merge(here, deal())
    assert problem.record_id == "005Z"
    assert update.values == {"hubspot_owner_id": "900"}
    assert update.changes[0].rule == "A5"
    assert merge(here, deal(hubspot_owner_id="900"), BASE.merged(update.settles)) == []


def test_D3_a_severed_pair_goes_on_once_both_are_there():
    """Nothing is written yet: it is looked at once more, as a linked one."""
    severed = Situation(link("006A", "11", LinkState.SEVERED, base=BASE), opportunity(), deal())
    [resumed] = plan_link(DEALS, severed, KNOWN, CLOSED)
    assert (type(resumed), resumed.over) == (Freezing, True)


def test_A5_an_owner_that_was_taken_away_in_hubspot_is_not_taken_away_in_salesforce():
    """Salesforce has no records without one: it is told, or the default stands in; the other way it travels."""
    bare = pair(NAME, rule("OwnerId", "hubspot_owner_id", transform=Owner()))
    [problem] = merge(opportunity(), deal(hubspot_owner_id=None), mapping=bare)
    assert (problem.code, problem.field, problem.side) == ("NO_COUNTERPART", "hubspot_owner_id", HS)
    assert "every Salesforce record has an owner" in problem.detail
    fallback = pair(NAME, rule("OwnerId", "hubspot_owner_id", transform=Owner(), defaults={SF: ("005Z",)}))
    _, update = merge(opportunity(), deal(hubspot_owner_id=None), mapping=fallback)
    assert (update.to, update.values) == (SF, {"OwnerId": "005Z"})
    [update] = merge(opportunity(OwnerId=None), deal(), mapping=bare)
    assert (update.to, update.values) == (HS, {"hubspot_owner_id": None})


@pytest.mark.parametrize(
    ("there", "written"),
    [({"hubspot_owner_id": "8"}, {"OwnerId": "005B"}), ({"dealname": None}, {"Name": None})],
    ids=["another owner", "another field"],
)
def test_A5_only_an_owner_that_is_cleared_is_kept(there, written):
    """Another owner travels to Salesforce, and so does a clearing of any other field."""
    known = replace(KNOWN, owners=KNOWN.owners | {(SF, "8"): "005B"})
    [update] = merge(opportunity(), deal(**there), known=known)
    assert (update.to, update.values) == (SF, written)


def test_A5_a_fallback_that_is_there_already_is_not_written_again():
    """No write of a value already there (law 3)."""
    there = deal(hubspot_owner_id="900")
    actions = merge(opportunity(OwnerId="005Z"), there, Base(HERE, THERE | {"hubspot_owner_id": "900"}))
    assert [type(action) for action in actions] == [Problem]


def test_F4_a_skipped_field_of_a_linked_pair_is_silent():
    """`otherwise: skip_field` writes nothing and says nothing."""
    kind = rule("Type", "dealtype", transform=Picklist.from_map({"New": "new"}), skip_untranslatable=True)
    here, there = record(SF, "006A", {"Type": "Odd"}), record(HS, "11", {"dealtype": "new"})
    assert merge(here, there, Base({"Type": "New"}, {"dealtype": "new"}), pair(kind)) == []


def test_P2_an_update_names_the_old_values_that_go():
    """What both sides had agreed on, and what is cleared; a value somebody else put there since stays beside."""
    agreed = link("006A", "11", base=Base({}, {"primary_company": "50", "a": "1"}))
    changes = (
        Change("primary_company", "50", "51", "F1", "moved"),
        Change("a", "2", "3", "F2", "overwritten"),
        Change("b", "4", None, "F1", "cleared"),
    )
    update = Update("opportunity-deal", HS, "deals", agreed, "11", changes)
    assert update.superseded == {"primary_company": "50", "b": "4"}
    assert replace(update, to=SF).superseded == {"b": "4"}


# --- the close date of a closed stage ---------------------------------------------------------------------


def test_F7_a_closed_stage_always_carries_the_close_date():
    """Or HubSpot would make one up: the deal's own date is written again, as it is."""
    there = deal(closedate="2026-06-30T15:30:00.000Z")
    update = only(merge(opportunity(StageName="Closed Won"), there), Update)
    assert update.values == {"pipeline": "p1", "dealstage": "won", "closedate": "2026-06-30T15:30:00.000Z"}
    assert [change.rule for change in update.changes] == ["F1", "F1", "F7"]
    assert "closedate" not in update.settles.hubspot


def test_F7_a_close_date_that_travels_anyway_is_written_once():
    """Moved in Salesforce together with the stage."""
    update = only(merge(opportunity(StageName="Closed Won", CloseDate="2026-05-05"), deal()), Update)
    assert [change.new for change in update.changes if change.field == "closedate"] == ["2026-05-05T00:00:00.000Z"]


def test_F7_an_edit_of_the_date_in_hubspot_is_not_undone_by_the_stage():
    """Stage to HubSpot, date to Salesforce, in one plan: both sides end with the new date (law 5)."""
    there = deal(closedate="2026-07-15T00:00:00.000Z")
    to_salesforce, to_hubspot = merge(opportunity(StageName="Closed Won"), there)
    assert to_salesforce.values == {"CloseDate": "2026-07-15"}
    assert to_hubspot.values["closedate"] == "2026-07-15T00:00:00.000Z"


def test_F7_a_deal_without_a_date_gets_that_of_salesforce():
    """And the base takes it over."""
    base = Base(HERE, THERE | {"closedate": None})
    update = only(merge(opportunity(StageName="Closed Won"), deal(closedate=None), base), Update)
    assert update.values["closedate"] == "2026-06-30T00:00:00.000Z"
    assert update.settles.hubspot["closedate"] == "2026-06-30T00:00:00.000Z"


@pytest.mark.parametrize(
    ("close", "date"),
    [
        (replace(CLOSE, rule=Rule.DONT_SYNC), "2026-06-30"),
        (replace(CLOSE, rule=Rule.ALWAYS_HUBSPOT), "2026-06-30"),
        (CLOSE, "no date"),
        (None, "2026-06-30"),
    ],
    ids=["not synced", "hubspot's own", "not convertible", "not mapped"],
)
def test_F7_no_date_to_carry_is_no_reason_to_fail(close, date):
    """The rule forbids it, or there is none: the stage travels alone."""
    mapping = pair(STAGE, *([close] if close else []))
    here, there = opportunity(StageName="Closed Won", CloseDate=date), deal(closedate=None)
    base = Base(HERE | {"CloseDate": date}, THERE | {"closedate": None})
    assert only(merge(here, there, base, mapping), Update).values == {"pipeline": "p1", "dealstage": "won"}


def test_F7_an_unread_close_date_is_not_carried():
    """Without the right to read it in Salesforce."""
    here = {name: value for name, value in HERE.items() if name != "CloseDate"} | {"StageName": "Closed Won"}
    update = only(merge(record(SF, "006A", here), deal(closedate=None)), Update)
    assert "closedate" not in update.values


def test_F7_an_open_stage_needs_no_date():
    """Moving back to an open stage carries the stage only."""
    base = Base(HERE | {"StageName": "Closed Won"}, THERE | {"dealstage": "won"})
    assert set(only(merge(opportunity(), deal(dealstage="won"), base), Update).values) == {"pipeline", "dealstage"}


# --- partner ids and currencies ---------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [None, "006Z"])
def test_O10_the_partner_id_of_a_deal_is_repaired(stored):
    """Every linked deal stores its opportunity's id, so that an empty store loses nothing."""
    update = only(merge(opportunity(), deal(partner_id=stored)), Update)
    assert (update.to, update.values) == (HS, {"sf_record_id": "006A"})
    assert update.changes[0].rule == "O10"


def test_O7_a_difference_of_currencies_is_reported_not_corrected():
    """Neither code is written, and the amounts are left alone."""
    (problem,) = merge(opportunity(), deal(deal_currency_code="USD"))
    assert (problem.code, problem.field) == ("DIFFERENT_CURRENCY", "deal_currency_code")
    assert "EUR in Salesforce, USD in HubSpot" in problem.detail
    first = pair(CURRENCY, NAME)
    assert len(merge(opportunity(Name="New"), deal(deal_currency_code="USD"), mapping=first)) == 2


class InLowerCase:
    """A transform of codes that HubSpot spells as it likes."""

    def meaning(self, side, values):
        return tuple(str(value).lower() if side is HS else value for value in values)

    def carry(self, to, values, known):
        return values


def test_O7_currencies_are_compared_as_hubspot_names_them():
    """By the values of the mapping, if it has any, and by what they mean there."""
    spelled = pair(replace(CURRENCY, transform=InLowerCase()))
    for code in ("eur", "EUR"):
        assert merge(opportunity(), deal(deal_currency_code=code), mapping=spelled) == []
    mapped = pair(replace(CURRENCY, transform=Picklist.from_map({"EUR": "euro", "USD": "dollar"})))
    assert merge(opportunity(), deal(deal_currency_code="euro"), mapping=mapped) == []
    (problem,) = merge(opportunity(), deal(deal_currency_code="dollar"), mapping=mapped)
    assert problem.code == "DIFFERENT_CURRENCY"


@pytest.mark.parametrize(
    ("here", "there"),
    [("EUR", "EUR"), ("EUR", " EUR "), ("EUR", None), (None, "EUR")],
    ids=["equal", "equal in meaning", "hubspot has none", "salesforce has none"],
)
def test_O7_only_two_different_currencies_are_a_difference(here, there):
    """A blank is not a currency."""
    assert merge(opportunity(CurrencyIsoCode=here), deal(deal_currency_code=there)) == []


def test_O7_currencies_that_cannot_be_compared_are_not_reported():
    """One that was not observed, or has no counterpart."""
    unread = {name: value for name, value in HERE.items() if name != "CurrencyIsoCode"}
    assert merge(record(SF, "006A", unread, modified="2026-02-01"), deal()) == []
    unseen = {name: value for name, value in THERE.items() if name != "deal_currency_code"}
    assert merge(opportunity(), record(HS, "11", unread | unseen, partner_id="006A")) == []
    mapped = replace(CURRENCY, transform=Picklist.from_map({"EUR": "EUR"}))
    assert merge(opportunity(CurrencyIsoCode="XXX"), deal(), mapping=pair(mapped)) == []


# --- fates ------------------------------------------------------------------------------------------------

GONE_HERE = replace(opportunity(), presence=Presence.DELETED)
GONE_THERE = replace(deal(), presence=Presence.DELETED)


def test_D1_a_deleted_opportunity_deletes_its_deal():
    """The deletion keeps what will be lost, and says why."""
    (deletion,) = merge(GONE_HERE, deal())
    assert isinstance(deletion, Deletion)
    assert (deletion.to, deletion.object, deletion.rule) == (HS, "deals", "D1")
    assert deletion.record.fields == THERE
    assert deletion.cause == "Opportunity 006A was deleted"


def test_D2_D3_a_deleted_deal_severs_and_writes_nothing():
    """The opportunity stays, untouched, even if it was edited meanwhile."""
    (severance,) = merge(opportunity(Name="edited"), GONE_THERE)
    assert severance == Severance(
        "opportunity-deal", "006A", "11", "D3", closed=False, link=link("006A", "11", base=BASE)
    )


@pytest.mark.parametrize(
    ("there", "rule_id"),
    [(replace(deal(), object="companies"), "D5"), (replace(GONE_THERE, object="companies"), "D1")],
)
def test_D5_a_deleted_account_closes_its_link_and_deletes_nothing(there, rule_id):
    """The company stays as it is; where both are gone the link is closed as well."""
    companies = pair(NAME, name="account-company")
    (severance,) = merge(GONE_HERE, there, mapping=companies)
    whose = link("006A", "11", base=BASE)
    assert severance == Severance("account-company", "006A", "11", rule_id, closed=True, link=whose)


BOTH_WAYS = pair(NAME, name="account-company", deletes=frozenset({SF, HS}))


@pytest.mark.parametrize("away", [SF, HS])
def test_D5_a_deletion_travels_where_the_mapping_says_so(away):
    """Of accounts and companies from either side; the deletion keeps what will be lost, and says why."""
    here, there = record(SF, "001A", HERE, object="Account"), record(HS, "50", THERE, object="companies")
    gone, left = (here, there) if away is SF else (there, here)
    gone = replace(gone, presence=Presence.DELETED)
    whose = link("001A", "50", base=BASE, pair="account-company")
    situation = Situation(whose, *((gone, left) if away is SF else (left, gone)))
    why = f"{gone.object} {gone.id} was deleted"
    deletion = Deletion("account-company", left.side, left.object, whose, left, "D5", why)
    assert plan_link(BOTH_WAYS, situation, KNOWN, CLOSED) == [deletion]
    # while the pair is frozen (A8), what was deleted in Salesforce may come back there, and the pair with it (D4)
    severed = Severance("account-company", "001A", "50", "D9", closed=away is SF, link=whose)
    assert plan_link(BOTH_WAYS, replace(situation, frozen=True), KNOWN, CLOSED) == [severed]


def test_D6_a_deal_that_is_another_ones_by_now_is_not_deleted():
    """Its pair ends, as if the deletion did not travel."""
    (severance,) = merge(GONE_HERE, deal(), claimed=True)
    assert (type(severance), severance.closed) == (Severance, True)
    assert type(only(merge(GONE_HERE, deal()), Deletion)) is Deletion


def test_A2_a_pair_of_two_that_are_others_by_now_ends_and_nothing_is_written():
    """Neither the edit of the one nor its id goes to the other; nor if the pair is stopped or frozen (O5, A8)."""
    ends = Severance("opportunity-deal", "006A", "11", "A2", closed=True, link=link("006A", "11", base=BASE))
    for how in ({}, {"stopped": True}, {"frozen": True}):
        assert merge(opportunity(Name="x"), deal(partner_id="006Z"), claimed=True, **how) == [ends]


@pytest.mark.parametrize("presence", [Presence.MERGED, Presence.INVISIBLE])
def test_D6_out_of_sight_nothing_is_planned(presence):
    """Neither writes nor deletions, from either side."""
    assert merge(replace(opportunity(Name="x"), presence=presence), deal()) == []
    assert merge(opportunity(Name="x"), replace(deal(), presence=presence)) == []


def test_O5_a_stopped_pair_changes_neither_side():
    """While the deal is in another pipeline; back again, the merge resumes."""
    assert merge(opportunity(Name="S"), deal(amount="5"), stopped=True) == []
    assert len(merge(opportunity(Name="S"), deal(amount="5"))) == 2


def test_D9_a_stopped_pair_is_closed_instead_of_its_deal_deleted():
    """D1 does not reach into a pipeline that does not sync; D3 is remembered all the same."""
    (severance,) = merge(GONE_HERE, deal(), stopped=True)
    assert severance == Severance(
        "opportunity-deal", "006A", "11", "D9", closed=True, link=link("006A", "11", base=BASE)
    )
    assert only(merge(opportunity(), GONE_THERE, stopped=True), Severance).rule == "D3"


@pytest.mark.parametrize(("here", "there"), [(None, deal()), (opportunity(), None), (None, None)])
def test_a_side_that_was_never_seen_is_not_decided(here, there):
    """Not seen is not deleted."""
    assert merge(here, there) == []


def test_a_situation_answers_by_side():
    """Each side's latest observation."""
    situation = Situation(link(), opportunity(), deal())
    assert (situation.record(SF), situation.record(HS)) == (opportunity(), deal())
