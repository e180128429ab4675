"""What follows from the deals of a contact or a company."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from core.examples import HS, SF, link, pair, record, rule

from connector.core.actions import Creation
from connector.core.derived import (
    Derivation,
    begin_with_stage,
    follows_salesforce,
    plan_derived,
)
from connector.core.lifecycle import CompanyEvent, DealEvent, LifecycleSettings, Move, Person, Status
from connector.core.model import Base, Change, Rule
from connector.core.rollups import NUMBER, REVENUE, DealFact, roll_up

ANN = link("003A", "5", pair="contact-contact", id_=2)
CONTACTS = pair(rule("LastName", "lastname"), name="contact-contact")
ORDER = {"lead": 0, "opportunity": 1, "customer": 2}
TARGETS = {NUMBER: "sf_num_associated_deals", REVENUE: "total_revenue"}
FACTS = [DealFact("11", "2026-01-01T00:00:00.000Z", Decimal("1054.50"), "2026-06-30", won=True)]
WON = DealEvent("11", Status.WON, Status.OPEN, with_creation=True, close_date="2026-06-30T00:00:00Z")
QUIET = LifecycleSettings(None, None, company_to_contacts=False, role_open=None, role_won=None)


def derive(fields=None, deals=(), settings=QUIET, facts=FACTS, targets=TARGETS, **more):
    person = Person(more.pop("stage", "lead"), more.pop("is_contact", True), deals)
    source = record(HS, "5", fields or {}, object="contacts", created=more.pop("created", "2026-06-01T08:00:00Z"))
    derivation = Derivation(CONTACTS, ANN, source, person, roll_up(facts), targets, **more)
    return plan_derived(derivation, settings, ORDER)


def test_U7_rollups_go_to_the_properties_that_take_them():
    """Each under the name that the portal offers, with the rule as reason."""
    update = derive({"total_revenue": "3"}).update
    assert (update.to, update.record_id) == (HS, "5")
    assert update.values == {"sf_num_associated_deals": "1", "total_revenue": "1054.5"}
    assert [(change.old, change.rule, change.cause) for change in update.changes] == [
        (None, "U1", "its deals"),
        ("3", "U5", "its deals"),
    ]


@pytest.mark.parametrize("number", ["1", 1])
def test_U_values_that_are_there_are_not_written_again(number):
    """The next run is quiet (law 1), whether a number comes as text or as a number."""
    assert derive({"sf_num_associated_deals": number, "total_revenue": "1054.5"}).update is None


def test_U2_times_compare_to_the_second():
    """HubSpot prints fractions of a second as it likes."""
    targets = {"first_deal_created_date": "first"}
    assert derive({"first": "2026-01-01T00:00:00Z"}, targets=targets).update is None
    assert derive({"first": "2026-01-01T00:00:01Z"}, targets=targets).update is not None
    assert derive({"first": "2026-01-01"}, targets=targets).update is not None


def test_U3_large_numbers_differ_in_their_last_digit():
    """Only times compare to the second."""
    huge = [replace(FACTS[0], amount=Decimal("12345678901234567890.5"))]
    targets = {REVENUE: "total_revenue"}
    assert derive({"total_revenue": "12345678901234567890.5"}, facts=huge, targets=targets).update is None
    assert derive({"total_revenue": "12345678901234567890"}, facts=huge, targets=targets).update is not None


def test_U5_a_revenue_of_nothing_is_written_though_a_number_of_nothing_is_not():
    """A deal that is not won yet brings 0; only who never had a deal is not written to."""
    still_open = [replace(FACTS[0], won=False)]
    assert derive({"sf_num_associated_deals": "1"}, facts=still_open).update.values == {"total_revenue": "0"}


@pytest.mark.parametrize("there", [None, "", 0])
def test_U6_what_was_cleared_is_not_cleared_again(there):
    """HubSpot shows a blank as nothing or as an empty text; a number of 0 is no blank, and is cleared."""
    update = derive({"total_revenue": there}, facts=[], targets={REVENUE: "total_revenue"}).update
    assert (update is None) is (there != 0)


def test_U6_values_fall_when_no_deal_is_left():
    """Number 0, revenue cleared; but someone who never had a deal is not written to."""
    assert derive({"sf_num_associated_deals": "2", "total_revenue": "9"}, facts=[]).update.values == {
        "sf_num_associated_deals": "0",
        "total_revenue": None,
    }
    assert derive({"total_revenue": ""}, facts=[]).update is None


def test_L_a_move_says_which_rule_and_deal_caused_it():
    """Stage before and after, rule and cause (L10)."""
    update = derive(deals=[WON], settings=LifecycleSettings(), targets={}).update
    (change,) = update.changes
    assert (change.field, change.old, change.new) == ("lifecyclestage", "lead", "customer")
    assert (change.rule, change.cause) == ("L3", "deal 11 won")


DATES = {"targets": {}, "stage": "customer", "settings": LifecycleSettings(), "deals": [WON]}


def test_L3_close_date_and_days_to_close_are_set_while_empty():
    """The won deal's date, and the days since the record was created."""
    update = derive(close_date="closedate", days_to_close="days_to_close", **DATES).update
    assert update.changes == (
        Change("closedate", None, "2026-06-30T00:00:00Z", "L3", "deal 11 won"),
        Change("days_to_close", None, "29", "L3", "deal 11 won"),
    )


def test_L3_days_to_close_are_never_negative():
    """A deal that was closed before its contact was entered took no days."""
    update = derive(close_date="closedate", days_to_close="days", created="2027-01-01", **DATES).update
    assert update.values["days"] == "0"


@pytest.mark.parametrize(
    ("more", "written"),
    [
        ({"close_date": None, "days_to_close": "days"}, None),
        ({"fields": {"closedate": "2026-06-03"}, "close_date": "closedate", "days_to_close": None}, None),
        (
            {
                "fields": {"closedate": "2026-06-03", "days": "7"},
                "close_date": "closedate",
                "days_to_close": "days",
            },
            None,
        ),
        ({"close_date": "closedate", "days_to_close": None}, {"closedate"}),
        ({"close_date": "closedate", "days_to_close": "days", "created": ""}, {"closedate"}),
    ],
    ids=["no property", "filled", "both filled", "no days property", "creation unknown"],
)
def test_L3_what_is_filled_or_not_offered_is_left_alone(more, written):
    """Written only while empty, and only where the portal has the property."""
    update = derive(**DATES, **more).update
    assert (None if update is None else set(update.values)) == written


def test_L3_days_to_close_are_those_until_the_date_that_is_there():
    """HubSpot may have set the close date itself, or a person."""
    for blank in (None, ""):
        there = {"closedate": "2026-06-03T00:00:00Z", "days": blank}
        update = derive(there, close_date="closedate", days_to_close="days", **DATES).update
        assert update.values == {"days": "2"}


@pytest.mark.parametrize("text", ["soon", "1e+300", "2026-06"])
def test_L3_no_days_are_told_until_what_is_no_date(text):
    """The portal's property for the close date may hold any text; it stays, and nothing else waits for it."""
    assert derive({"closedate": text}, close_date="closedate", days_to_close="days", **DATES).update is None


def test_L3_off_writes_no_close_date():
    """The switch covers stage and dates."""
    off = DATES | {"settings": QUIET}
    assert derive(close_date="closedate", **off).update is None


def test_L5_L7_a_contacts_role_is_handed_on_to_its_colleagues():
    """Only moves ahead of the contact itself, as L5 with the deal as cause, and only while L5 is on."""
    on = replace(LifecycleSettings(), company_to_contacts=True)
    derived = derive(deals=[WON], settings=on, targets={})
    assert derived.handed_on == (Move("customer", "L5", "role on won deal 11 of a colleague"),)
    assert derive(deals=[WON], settings=on, targets={}, stage="customer").handed_on == ()
    assert derive(deals=[WON], settings=LifecycleSettings(), targets={}).handed_on == ()
    assert derive(deals=[WON], settings=on, targets={}, is_contact=False).handed_on == ()


def test_L5_the_companys_stage_reaches_its_contact():
    """Through the same update as the rollups."""
    person = Person("lead", True, (), CompanyEvent("50", "customer", None, None))
    source = record(HS, "5", {}, object="contacts")
    derivation = Derivation(CONTACTS, ANN, source, person, roll_up(FACTS), TARGETS)
    update = plan_derived(derivation, replace(QUIET, company_to_contacts=True), ORDER).update
    assert update.values["lifecyclestage"] == "customer"
    assert len(update.changes) == 3


def test_L7_a_companys_deals_without_roles_are_handed_on_to_its_contacts():
    """Whatever the company's own stage is."""
    alone = replace(WON, has_roles=False)
    on = replace(LifecycleSettings(), account_fallback=True)
    derived = derive(deals=[alone], settings=on, targets={}, is_contact=False, stage="customer")
    assert derived.handed_on == (Move("customer", "L7", "won deal 11 of the company, without roles"),)
    assert derive(deals=[alone], settings=LifecycleSettings(), targets={}, is_contact=False).handed_on == ()
    assert derive(deals=[alone], settings=on, targets={}, stage="customer").handed_on == ()


def test_L5_who_follows_salesforce_hands_nothing_on():
    """Its stage did not move."""
    on = replace(LifecycleSettings(), company_to_contacts=True)
    person = Person("lead", True, [WON], follows_salesforce=True)
    source = record(HS, "5", {}, object="contacts")
    assert plan_derived(Derivation(CONTACTS, ANN, source, person, roll_up([]), {}), on, ORDER).handed_on == ()


# --- L6 ---------------------------------------------------------------------------------------------------

FIRST = replace(QUIET, new_record="lead")
SOURCE = record(SF, "003A", {"LastName": "Fox"}, object="Contact")
STAGE = rule("Stage__c", "lifecyclestage")


def begin(*, settings=FIRST, to=HS, changes=(), mapped=CONTACTS):
    creation = Creation("contact-contact", to, "contacts", SOURCE, tuple(changes), Base())
    return begin_with_stage(creation, mapped, settings, ORDER).changes


def test_L6_a_new_record_begins_with_the_chosen_stage():
    """In the call that creates it, and with the reason (L10)."""
    name = Change("lastname", None, "Fox", "T1", "mapped")
    assert begin(changes=[name]) == (
        name,
        Change("lifecyclestage", None, "lead", "L6", "Contact 003A appeared"),
    )


def test_L6_a_stage_given_at_creation_stays():
    """The mapping has one for it."""
    given = Change("lifecyclestage", None, "customer", "T1", "mapped")
    mapped = replace(CONTACTS, fields=(STAGE,))
    assert begin(changes=[given], mapped=mapped) == (given,)
    assert [change.new for change in begin(mapped=mapped)] == ["lead"]


@pytest.mark.parametrize(
    "more",
    [
        {"settings": QUIET},
        {"settings": replace(QUIET, new_record="missing")},
        {"to": SF},
        {"mapped": replace(CONTACTS, fields=(replace(STAGE, rule=Rule.ALWAYS_SALESFORCE),))},
    ],
    ids=["off", "no such stage", "in Salesforce", "Salesforce says that it has none"],
)
def test_L6_otherwise_nothing_is_added(more):
    """The stage stays empty."""
    assert begin(**more) == ()


@pytest.mark.parametrize(
    ("who", "filled", "follows"),
    [
        (Rule.ALWAYS_SALESFORCE, False, True),
        (Rule.PREFER_SALESFORCE_UNLESS_BLANK, True, True),
        (Rule.PREFER_SALESFORCE_UNLESS_BLANK, False, False),
        (Rule.TWO_WAY, True, False),
        (Rule.ALWAYS_HUBSPOT, True, False),
    ],
)
def test_the_stage_follows_salesforce_where_its_value_would_be_put_back(who, filled, follows):
    """As the rule of the mapped field says (F6); an unmapped stage follows nobody."""
    mapped = replace(CONTACTS, fields=(rule("LastName", "lastname"), replace(STAGE, rule=who)))
    agreed = replace(ANN, base=Base({"Stage__c": "lead" if filled else None}, {}))
    assert follows_salesforce(mapped, agreed) is follows
    assert follows_salesforce(mapped, replace(ANN, base=Base())) is (who is Rule.ALWAYS_SALESFORCE)
    assert not follows_salesforce(CONTACTS, agreed)
