"""What people are told, word for word: every problem of the core with its remedy, and every reason of a change.

These sentences are in plans, in the journal and in the list of problems. Each says what happened, to which record
and field, and what to do: a word that is missing there is missed by somebody.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, NOTHING, SF, Rule, link, pair, record, rule

from connector.core.actions import Update
from connector.core.matching import Candidate, match_record
from connector.core.merge import Edited, Evidence
from connector.core.merges import list_left_over
from connector.core.model import (
    Base,
    Cannot,
    Change,
    ContactRole,
    MatchKey,
    Presence,
    Problem,
    ProblemClass,
    RoleRules,
)
from connector.core.naming import Naming, plan_names
from connector.core.pipelines import (
    PipelineSettings,
    RecordType,
    StageDefinition,
    plan_pipelines,
)
from connector.core.plan import Situation, plan_candidate, plan_link
from connector.core.roles import Agreement, Roles, plan_roles

OPPORTUNITY = record(SF, "006A", {"Name": "Acme", "CloseDate": "2026-06-30"}, modified="2026-02-02")
DEAL = record(HS, "11", {"dealname": "Acme"}, modified="2026-01-01", partner_id="006A")


class AsItIs:
    """A transform of any number of fields that changes nothing."""

    def meaning(self, side, values):
        return values

    def carry(self, to, values, known):
        return values


PAIR = link("006A", "11", base=Base({"Name": "Old"}, {"dealname": "Old"}))
NAME = rule("Name", "dealname")


# --- matching ---------------------------------------------------------------------------------------------

EMAIL = MatchKey("email", "A3", {SF: ("Email",), HS: ("email",)}, lambda value: (value,), oldest_links=True)
DOMAIN = MatchKey("domain", "A2", {SF: ("Website",), HS: ("domain",)}, lambda value: (value,))
DUPLICATES_REMEDY = (
    "merge the duplicates, change the value that makes them alike, or give the right HubSpot record the Salesforce"
    " id (A2, A3)"
)


def duplicate(me, detail):
    return Problem(me.side, me.object, me.id, ProblemClass.DUPLICATES, "DUPLICATE", detail, DUPLICATES_REMEDY)


def decide(key, me, *others, links=(), **more):
    mapping = pair(name="contact-contact", match_on=(key,))
    alike = {(key.name, "x"): (me, *others)}
    keys = {(one.side, one.id): ((key.name, "x"),) for one in (me, *others)}
    live = {(side, one.id_of(side)): one for one in links for side in (SF, HS)}
    return match_record(mapping, Candidate(me, keys=keys, alike=alike, links=live, **more))


ANN = record(SF, "003A", object="Contact", created="2026-01-02")


def test_A2_a_record_that_names_one_with_another_partner():
    """A copied deal, say."""
    copy = replace(DEAL, id="12")
    problem = match_record(pair(), Candidate(copy, named=OPPORTUNITY, links={(SF, "006A"): PAIR}))
    detail = "names a record that already has another partner: Opportunity 006A in salesforce"
    assert problem == duplicate(copy, detail)


def test_O10_a_deal_whose_salesforce_id_cannot_be_read():
    """The id, and the three things that may be done about it."""
    assert match_record(pair(), Candidate(DEAL)) == Problem(
        HS,
        "deals",
        "11",
        ProblemClass.ASSOCIATIONS,
        "PARTNER_NOT_READABLE",
        "carries the Salesforce id 006A, which cannot be read",
        "restore the Salesforce record, give the connector's user access to it, or clear the id (O10)",
    )


def test_A3_a_contact_with_the_address_of_an_older_one():
    """The older one is named."""
    elder = record(SF, "003B", object="Contact", created="2026-01-01")
    detail = "has the same match key as an older or linked record: Contact 003B in salesforce"
    assert decide(EMAIL, ANN, elder) == duplicate(ANN, detail)


def test_A3_a_contact_whose_counterparts_have_other_partners():
    """All of them are named."""
    five, six = record(HS, "5", object="contacts"), record(HS, "6", object="contacts")
    taken = [link("003Y", "5"), link("003Z", "6")]
    detail = "matches a record that is already another one's: contacts 5 in hubspot, contacts 6 in hubspot"
    assert decide(EMAIL, ANN, five, six, links=taken) == duplicate(ANN, detail)


@pytest.mark.parametrize(("number", "more"), [(10, ""), (11, " and 1 more"), (13, " and 3 more")])
def test_A2_a_record_that_may_be_the_same_as_many(number, more):
    """The first ten are named, the others counted."""
    many = [record(HS, str(10 + one), object="companies") for one in range(number)]
    listed = ", ".join(f"companies {10 + one} in hubspot" for one in range(10))
    detail = (
        "by its domain it may be the same as more than one record, or as one that a better key tells apart:"
        f" {listed}{more}"
    )
    assert decide(DOMAIN, ANN, *many) == duplicate(ANN, detail)


# --- merges -----------------------------------------------------------------------------------------------


def left_over(me, partner):
    twin = link("006M", "2")
    return list_left_over(pair(), me, replace(partner, presence=Presence.MERGED, survivor="M"), twin)


def test_A7_a_record_that_a_merge_on_the_other_side_left_over():
    """What became of its partner, and which two are to be made one."""
    assert left_over(DEAL, OPPORTUNITY) == Problem(
        HS,
        "deals",
        "11",
        ProblemClass.DUPLICATES,
        "LEFT_OVER_BY_MERGE",
        "its partner, Opportunity 006A in salesforce, was merged into M, whose partner is deals 2",
        "merge 11 and 2 in hubspot too (A7)",
    )
    opportunity = left_over(OPPORTUNITY, DEAL)
    assert (
        opportunity.detail
        == "its partner, deals 11 in hubspot, was merged into M, whose partner is Opportunity 006M"
    )
    remedy = "delete the superfluous one of 006A and 006M: Opportunity records cannot be merged (A7)"
    assert opportunity.remedy == remedy


# --- fields -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "detail", "remedy"),
    [
        (
            (
                rule("RecordTypeId+StageName", "pipeline+dealstage", transform=AsItIs()),
                rule("CloseDate", "closedate"),
            ),
            "salesforce requires StageName, CloseDate, which pipeline+dealstage and closedate leaves empty",
            "fill pipeline+dealstage and closedate, or set a default in the mapping (O9)",
        ),
        (
            (NAME,),
            "salesforce requires StageName, CloseDate, which no mapped field leaves empty",
            "fill it, or set a default in the mapping (O9)",
        ),
    ],
    ids=["mapped", "not mapped"],
)
def test_O9_a_new_record_without_what_the_other_side_requires(fields, detail, remedy):
    """The fields of both sides."""
    mapping = pair(*fields, required={SF: ("StageName", "CloseDate")})
    blank = {"pipeline": None, "dealstage": None, "closedate": None, "dealname": None}
    assert plan_candidate(mapping, Candidate(record(HS, "11", blank)), NOTHING) == [
        Problem(
            HS,
            "deals",
            "11",
            ProblemClass.PROPERTY_VALUES,
            "REQUIRED_FIELD_MISSING",
            detail,
            remedy,
            "StageName,CloseDate",
        )
    ]


class Refusing:
    """A transform with something to say about whatever it is given."""

    def __init__(self, **more):
        self.cannot = Cannot("no counterpart for this", "map it", **more)

    def meaning(self, side, values):
        return values

    def carry(self, to, values, known):
        return self.cannot


@pytest.mark.parametrize(
    ("about", "whose"), [(None, (SF, "Opportunity", "006A")), ((SF, "owners", "005Z"), (SF, "owners", "005Z"))]
)
def test_F4_a_value_without_a_counterpart(about, whose):
    """What the transform says, about the record or about something else (A5)."""
    mapping = pair(NAME, rule("A+B", "a+b", transform=Refusing(about=about)))
    problem, creation = plan_candidate(
        mapping, Candidate(replace(OPPORTUNITY, fields={"Name": "x", "A": 1, "B": 2})), NOTHING
    )
    assert problem == Problem(
        *whose, ProblemClass.PROPERTY_VALUES, "NO_COUNTERPART", "no counterpart for this", "map it", "A+B"
    )
    assert creation.values == {"dealname": "x"}


def merge(mapping, here=OPPORTUNITY, there=DEAL, **more):
    return plan_link(mapping, Situation(PAIR, here, there, **more), NOTHING, frozenset({"won"}))


def test_F_a_conflict_that_is_held():
    """Which fields."""
    stage = rule("Name+Stage", "dealname+dealstage", Rule.HOLD)
    here = replace(OPPORTUNITY, fields={"Name": "S", "Stage": "s"})
    there = replace(DEAL, fields={"dealname": "H", "dealstage": "h"})
    base = Base({"Name": "Old", "Stage": "o"}, {"dealname": "Old", "dealstage": "o"})
    assert plan_link(pair(stage), Situation(replace(PAIR, base=base), here, there), NOTHING, frozenset()) == [
        Problem(
            SF,
            "Opportunity",
            "006A",
            ProblemClass.FIELD_MAPPING,
            "CONFLICT",
            "Name+Stage ↔ dealname+dealstage was edited on both sides, and its rule is to hold",
            "give both sides the same value",
            "Name+Stage",
        )
    ]


def test_A5_an_owner_that_cannot_be_taken_away():
    """Which field is blank, and the two ways out."""
    owner = rule("OwnerId+Team", "hubspot_owner_id+team", transform=AsItIs())
    here = replace(OPPORTUNITY, fields={"OwnerId": "005A", "Team": "x"})
    there = replace(DEAL, fields={"hubspot_owner_id": None, "team": None})
    base = Base({"OwnerId": "005A", "Team": "x"}, {"hubspot_owner_id": "005A", "team": "x"})
    assert plan_link(pair(owner), Situation(replace(PAIR, base=base), here, there), NOTHING, frozenset()) == [
        Problem(
            HS,
            "deals",
            "11",
            ProblemClass.PROPERTY_VALUES,
            "NO_COUNTERPART",
            "every Salesforce record has an owner, and hubspot_owner_id+team is blank",
            "give it an owner in HubSpot, or name a default owner in `owners.default_salesforce` (A5)",
            "hubspot_owner_id+team",
        )
    ]


def test_O7_two_currencies():
    """Which ones, and that nothing is converted."""
    currency = rule("CurrencyIsoCode", "deal_currency_code", at_creation_only=True)
    here = replace(OPPORTUNITY, fields={"CurrencyIsoCode": "EUR"})
    there = replace(DEAL, fields={"deal_currency_code": "USD"})
    assert merge(pair(currency), here, there) == [
        Problem(
            HS,
            "deals",
            "11",
            ProblemClass.PROPERTY_VALUES,
            "DIFFERENT_CURRENCY",
            "CurrencyIsoCode ↔ deal_currency_code: EUR in Salesforce, USD in HubSpot;"
            " amounts are carried as they are",
            "make both the same by hand; amounts are never converted (O7)",
            "deal_currency_code",
        )
    ]


# --- the reasons of changes -------------------------------------------------------------------------------

EDITED = {SF: Edited("10:00", Evidence.FIELD_HISTORY), HS: Edited("09:00", Evidence.PROPERTY_HISTORY)}
BY_HISTORY = (
    ", edited later: salesforce at 10:00 by the field's history, hubspot at 09:00 by the property's history"
)
BY_RECORD = (
    ", edited later: salesforce at 2026-02-02 by the record's last change,"
    " hubspot at 2026-01-01 by the record's last change"
)


@pytest.mark.parametrize(
    ("who", "edits", "why"),
    [
        (Rule.TWO_WAY, {"Name ↔ dealname": EDITED}, BY_HISTORY),
        (Rule.TWO_WAY, {"another field": EDITED}, BY_RECORD),
        (Rule.ALWAYS_SALESFORCE, {"Name ↔ dealname": EDITED}, ""),
    ],
    ids=["the field's history", "the record", "one way"],
)
def test_F2_a_conflict_tells_which_edit_was_the_later_one_where_that_decided(who, edits, why):
    """And how it is known."""
    here, there = replace(OPPORTUNITY, fields={"Name": "S"}), replace(DEAL, fields={"dealname": "H"})
    (update,) = merge(pair(replace(NAME, rule=who)), here, there, edits=edits)
    cause = f"Name of Opportunity 006A{why}"
    assert update.changes == (Change("dealname", "H", "S", "F2", cause, conflict=True),)


def test_F1_an_edit_of_several_fields_names_them_all():
    """A stage has two; nobody else edited it, so nothing is said of times."""
    stage = rule("RecordTypeId+StageName", "pipeline+dealstage", transform=AsItIs())
    base = Base({"RecordTypeId": "t", "StageName": "s"}, {"pipeline": "t", "dealstage": "s"})
    there = replace(DEAL, fields=base.hubspot)
    here = replace(OPPORTUNITY, fields={"RecordTypeId": "t", "StageName": "z"})
    situation = Situation(replace(PAIR, base=base), here, there)
    (update,) = plan_link(pair(stage), situation, NOTHING, frozenset())
    cause = "RecordTypeId+StageName of Opportunity 006A"
    assert update.changes == (Change("pipeline", "t", "t", "F1", cause), Change("dealstage", "s", "z", "F1", cause))


STAGE, CLOSE = rule("StageName", "dealstage"), rule("CloseDate", "closedate")


@pytest.mark.parametrize(
    ("there", "change"),
    [
        (
            "2026-05-05",
            Change(
                "closedate",
                "2026-05-05",
                "2026-05-05",
                "F7",
                "the close date of deals 11 goes with its closed stage",
            ),
        ),
        (None, Change("closedate", None, "2026-06-30", "F7", "CloseDate of Opportunity 006A")),
    ],
    ids=["its own", "Salesforce's"],
)
def test_F7_the_close_date_that_goes_with_a_closed_stage(there, change):
    """Whose date it is."""
    base = Base({"StageName": "o", "CloseDate": "2026-06-30"}, {"dealstage": "o", "closedate": there})
    here = replace(OPPORTUNITY, fields={"StageName": "won", "CloseDate": "2026-06-30"})
    deal = replace(DEAL, fields={"dealstage": "o", "closedate": there})
    situation = Situation(replace(PAIR, base=base), here, deal)
    (update,) = plan_link(pair(STAGE, CLOSE), situation, NOTHING, frozenset({"won"}))
    assert update.changes == (Change("dealstage", "o", "won", "F1", "StageName of Opportunity 006A"), change)


def test_O10_the_partners_id():
    """On a new record, and where a linked deal lost it."""
    mapping = pair(NAME, partner_field={HS: "sf_record_id"})
    (creation,) = plan_candidate(mapping, Candidate(OPPORTUNITY), NOTHING)
    assert creation.changes == (
        Change("dealname", None, "Acme", "T1", "Opportunity 006A appeared"),
        Change("sf_record_id", None, "006A", "O10", "the partner's id"),
    )
    (repair,) = merge(pair(partner_field={HS: "sf_record_id"}), there=replace(DEAL, partner_id="006Z"))
    assert repair == Update(
        "opportunity-deal",
        HS,
        "deals",
        PAIR,
        "11",
        (Change("sf_record_id", "006Z", "006A", "O10", "the partner's id"),),
    )


# --- roles ------------------------------------------------------------------------------------------------

BOB = link("003B", "5", pair="contact-contact", id_=2)
AGREED = {SF: ("006A", "003B"), HS: ("11", "5")}


def role_action(here, there, *, agreed):
    own = {"003B": {"00K": ContactRole("006A", "003B")}} if here else {}
    shown = {"5": frozenset()} if there else {}
    standing = [Agreement(BOB, AGREED)] if agreed else []
    (action,) = plan_roles(Roles(PAIR, own, shown, standing), OPPORTUNITY, {(SF, "003B"): BOB, (HS, "5"): BOB})
    return action.to, action.rule, action.cause


def test_R1_R2_R3_why_a_contact_is_added_or_removed():
    """By the id of the side where it happened."""
    assert role_action(True, True, agreed=False) == (None, "R1", "on both sides")
    assert role_action(True, False, agreed=False) == (HS, "R1", "contact role of contact 003B")
    assert role_action(False, True, agreed=False) == (SF, "R2", "contact 5 is associated with the deal")
    gone_here = "contact 003B has no role on the opportunity any more"
    assert role_action(False, True, agreed=True) == (HS, "R3", gone_here)
    gone_there = "contact 5 is not associated with the deal any more"
    assert role_action(True, False, agreed=True) == (SF, "R3", gone_there)
    assert role_action(False, False, agreed=True) == (None, "R3", "on neither side any more")


def name_actions(here, there, who=Rule.TWO_WAY):
    naming = Naming(
        RoleRules(who, {"Buyer": "Purchaser", "User": "User"}, "Main"), {"Purchaser": 1, "User": 2, "Main": 3}
    )
    base = Base({"Role": None, "IsPrimary": None}, {"labels": None, "primary label": None})
    own = {"003B": {"00K": ContactRole("006A", "003B", here)}}
    return plan_names(Roles(PAIR, own, {"5": frozenset(there)}, [Agreement(BOB, AGREED, base)]), naming, NOTHING)


def test_R4_why_a_role_is_named_otherwise():
    """Which name of which contact on which record."""
    (there,) = name_actions("Buyer", ())
    assert there.changes == (Change("labels", None, "Purchaser", "R4", "F1: Role of contact 003B on 006A"),)
    (here,) = name_actions(None, (1,))
    assert here.changes == (Change("Role", None, "Buyer", "R4", "F1: labels of contact 5 on 11"),)
    (conflict,) = name_actions("Buyer", (2,))
    cause = "F2: Role of contact 003B on 006A"
    assert conflict.changes == (Change("labels", "User", "Purchaser", "R4", cause, conflict=True),)


def test_R4_a_name_that_is_held():
    """Both names."""
    assert name_actions("Buyer", (2,), Rule.HOLD) == [
        Problem(
            SF,
            "Opportunity",
            "006A",
            ProblemClass.PROPERTY_VALUES,
            "HELD",
            "contact 003B: Role ↔ labels was changed on both sides, to 'Buyer' and 'User'",
            "make both sides equal, or give `mappings/contact-role.yaml` another rule",
            "contacts",
        )
    ]


# --- pipelines --------------------------------------------------------------------------------------------

WON = StageDefinition("Won", "Won", 100, closed=True, won=True)
NEW, RENEWAL = (RecordType(id_, name, (WON,)) for id_, name in (("012N", "New"), ("012R", "Renewal")))


def find(to, group, stage, record_types=(NEW, RENEWAL), **more):
    return plan_pipelines(record_types, [], PipelineSettings(**more)).stages.find(to, group, stage)


def test_O2_O3_O11_why_a_stage_has_no_counterpart():
    """And what to do; a record type that does not sync is a problem of its own, for which its records wait."""
    assert find(SF, "sf_012n", "gone") == Cannot(
        "deal stage 'gone' of pipeline 'sf_012n' has no opportunity stage",
        "add the stage in Salesforce, or move the deal to a stage that both sides have",
    )
    assert find(SF, None, "gone").reason == "deal stage 'gone' of pipeline None has no opportunity stage"
    inactive = "check that the record type is active, or give the opportunity another one"
    assert find(HS, "012X", "Won") == Cannot("record type 012X has no pipeline", inactive)
    assert find(HS, None, "Won") == Cannot("an opportunity without a record type", inactive)
    assert find(HS, "012N", "Lost") == Cannot(
        "opportunity stage 'Lost' is not a stage of its record type",
        "add the stage to the record type's sales process in Salesforce",
    )
    assert find(HS, "012R", "Won", limit=1) == Cannot(
        "record type 'Renewal' is beyond the limit of 1 pipelines", needs=("record type", SF, "012R")
    )
    assert find(HS, "012R", "Won", assigned={"Renewal": "gone"}) == Cannot(
        "record type 'Renewal' is assigned to pipeline 'gone', which does not exist",
        needs=("record type", SF, "012R"),
    )
    alone = RecordType(None, "Opportunity", (WON,))
    assert find(HS, None, "Won", (alone,), limit=0).needs == ("record type", SF, "")
