"""Which records take part: conditions and their combinations (A8), and what that means for a plan."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from core.examples import HS, NOTHING, SF, link, pair, record, rule
from hypothesis import given
from hypothesis import strategies as st

from connector.core.actions import Adoption, Creation, Freezing, Outside, Severance
from connector.core.matching import Candidate
from connector.core.model import Base, LinkState, Presence, ProblemClass
from connector.core.plan import Situation, plan_candidate, plan_link
from connector.core.scope import Condition, Question, Scope

BERLIN = ZoneInfo("Europe/Berlin")
DAY, MOMENT = date(2026, 6, 30), datetime(2026, 6, 30, 12, tzinfo=UTC)
Q = Question


# --- one condition ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "bounds", "value", "met"),
    [
        (Q.IS, ("Partner",), "Partner", True),
        (Q.IS, ("Partner",), " partner ", True),
        (Q.IS, (" partner ",), "PARTNER", True),
        (Q.IS, ("Partner",), "Partners", False),
        (Q.IS, ("Partner",), None, False),
        (Q.IS, ("",), None, True),
        (Q.IS, ("7",), "7.0", False),
        (Q.IS, (Decimal(7),), "7.0", True),
        (Q.IS, (Decimal(7),), 7, True),
        (Q.IS, (Decimal(7),), "seven", False),
        (Q.IS, (Decimal(0),), None, False),
        (Q.IS, (True,), True, True),
        (Q.IS, (True,), "true", True),
        (Q.IS, (True,), None, False),
        (Q.IS, (False,), False, True),
        (Q.IS, (False,), None, True),
        (Q.IS, ("true",), True, True),
        (Q.IS, ("false",), False, True),
        (Q.IS, (DAY,), "2026-06-30", True),
        (Q.IS, (DAY,), "2026-06-29T22:00:00Z", True),
        (Q.IS, (DAY,), "2026-06-30T22:00:00Z", False),
        (Q.IS, (MOMENT,), "2026-06-30T14:00:00+02:00", True),
        (Q.IS_NOT, ("Partner",), "partner", False),
        (Q.IS_NOT, ("Partner",), None, True),
        (Q.IN, ("A", Decimal(2)), "a", True),
        (Q.IN, ("A", Decimal(2)), "2.0", True),
        (Q.IN, ("A", Decimal(2)), "3", False),
        (Q.NOT_IN, ("A", "B"), "b", False),
        (Q.NOT_IN, ("A", "B"), "c", True),
        (Q.NOT_IN, ("A", "B"), None, True),
        (Q.CONTAINS, ("acme",), "The ACME Company", True),
        (Q.CONTAINS, ("acme",), "Ac me", False),
        (Q.CONTAINS, ("acme",), None, False),
        (Q.CONTAINS, ("lacks", "ACME"), "The acme Company", True),
        (Q.CONTAINS, (Decimal(66),), "Route 66", True),
        (Q.IS, (True,), "TRUE", True),
        (Q.FILLED, (), "x", True),
        (Q.FILLED, (), 0, True),
        (Q.FILLED, (), False, True),
        (Q.FILLED, (), "  ", False),
        (Q.FILLED, (), None, False),
        (Q.BLANK, (), None, True),
        (Q.BLANK, (), "", True),
        (Q.BLANK, (), "x", False),
        (Q.AT_LEAST, (Decimal(10),), "10", True),
        (Q.AT_LEAST, (Decimal(10),), "9.99", False),
        (Q.AT_LEAST, (Decimal(10),), 11, True),
        (Q.AT_LEAST, (Decimal(10),), None, False),
        (Q.AT_LEAST, (Decimal(10),), "NaN", False),
        (Q.AT_LEAST, (Decimal(10),), "much", False),
        (Q.AT_LEAST, ("a",), "b", False),
        (Q.AT_LEAST, (Decimal(10), Decimal(20)), 11, True),
        (Q.AT_MOST, (Decimal(10), Decimal(20)), 11, True),
        (Q.AT_MOST, (Decimal(10),), "10", True),
        (Q.AT_MOST, (Decimal(10),), "10.01", False),
        (Q.AT_MOST, (Decimal(10),), -3, True),
        (Q.AT_MOST, (Decimal(10),), None, False),
        (Q.AT_LEAST, (DAY,), "2026-07-01", True),
        (Q.AT_LEAST, (DAY,), "2026-06-29", False),
        (Q.AT_MOST, (DAY,), "2026-06-30", True),
        (Q.AT_MOST, (DAY,), "2026-06-30T21:59:59Z", True),
        (Q.AT_MOST, (DAY,), "2026-06-30T22:00:00Z", False),
        (Q.AT_MOST, (DAY,), "2026-06-3x", False),
        (Q.AT_LEAST, (DAY,), "yesterday", False),
        (Q.AT_LEAST, (MOMENT,), "2026-06-30T12:00:00Z", True),
        (Q.AT_LEAST, (MOMENT,), "2026-06-30T11:59:59Z", False),
        (Q.AT_MOST, (MOMENT,), "2026-06-30", True),
        (Q.AT_MOST, (MOMENT,), "never", False),
    ],
)
def test_A8_a_condition_asks_one_thing_of_one_field(question, bounds, value, met):
    """Text without regard to case, numbers as numbers, days in the zone of the settings; blank is a value."""
    assert Condition("F", question, bounds, BERLIN).admits({"F": value}) is met


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo"])
def test_A8_a_day_is_that_day_in_every_zone(zone):
    """Only a moment falls on one day here and on another there; the zone is UTC if nothing else is said."""
    assert Condition("F", Q.IS, (DAY,), ZoneInfo(zone)).admits({"F": "2026-06-30"})
    assert Condition("F", Q.IS, (DAY,)).admits({"F": "2026-06-30T23:59:59+00:00"})


@pytest.mark.parametrize("question", list(Question))
def test_A8_what_was_not_observed_is_not_known(question):
    """A record is kept out by what is known of it, never by what is not."""
    assert Condition("F", question, ("x",)).admits({"Other": "x"}) is None
    assert pair(scope={SF: Scope((Condition("F", question, ("x",)),))}).admits(SF, {"Other": "x"})


@pytest.mark.parametrize(
    ("bounds", "kind"),
    [
        ((), "any"),
        (("x",), "any"),
        ((Decimal(1), Decimal(2)), "number"),
        ((Decimal(1), "x"), "any"),
        ((True,), "truth"),
        ((DAY, MOMENT), "date"),
    ],
)
def test_A8_a_condition_tells_what_kind_of_field_it_needs(bounds, kind):
    """So that a number asked of a checkbox can be found before a run."""
    assert Condition("F", Q.IN, bounds).kind == kind


def test_A8_a_condition_is_what_it_asks_not_where_it_stands():
    """The file and the line are for messages; the zone tells a day, so it counts."""
    one = Condition("F", Q.IS, (DAY,), BERLIN, ("mappings/a.yaml", 3))
    assert one == Condition("F", Q.IS, (DAY,), BERLIN)
    assert one != Condition("F", Q.IS, (DAY,))
    assert repr(one).endswith("(name='F', question=<Question.IS: 'is'>, bounds=(datetime.date(2026, 6, 30),))")


# --- combined ---------------------------------------------------------------------------------------------

YES, NO, OPEN = (Condition(name, Q.FILLED) for name in ("yes", "no", "open"))
FIELDS = {"yes": "1", "no": None}


@pytest.mark.parametrize(
    ("parts", "every", "answer"),
    [
        ((YES, YES), True, True),
        ((YES, NO), True, False),
        ((OPEN, NO), True, False),
        ((YES, OPEN), True, None),
        ((), True, True),
        ((NO, YES), False, True),
        ((NO, NO), False, False),
        ((OPEN, YES), False, True),
        ((NO, OPEN), False, None),
        ((YES, Scope((NO, YES), every=False)), True, True),
        ((NO, Scope((YES, NO))), False, False),
    ],
)
def test_A8_conditions_are_combined_by_all_or_any(parts, every, answer):
    """To any depth; what is not known only matters where it would decide."""
    assert Scope(parts, every).admits(FIELDS) is answer


def test_A8_a_filter_names_the_fields_it_asks_for():
    """Each once, however deep."""
    scope = Scope((YES, Scope((NO, YES, Scope((OPEN,))), every=False)))
    assert scope.fields == ("yes", "no", "open")


values = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "A", "2", "2026-06-30"]))
bounds = st.one_of(
    st.booleans(), st.integers(-3, 3).map(Decimal), st.sampled_from(["a", "A ", "2"]), st.just(DAY), st.just(MOMENT)
)


@given(values, st.lists(bounds, min_size=1, max_size=3).map(tuple))
def test_A8_opposite_questions_have_opposite_answers(value, some):
    """Every value is either in a list or not in it, either filled or blank."""

    def ask(question):
        return Condition("F", question, some, BERLIN).admits({"F": value})

    assert ask(Q.IS) is not ask(Q.IS_NOT)
    assert ask(Q.IN) is not ask(Q.NOT_IN)
    assert ask(Q.FILLED) is not ask(Q.BLANK)


# --- in a plan --------------------------------------------------------------------------------------------

SCOPED = pair(
    rule("Name", "dealname"),
    scope={
        SF: Scope((Condition("Type", Q.IS_NOT, ("Partner",)),)),
        HS: Scope((Condition("dealname", Q.FILLED), Condition("region", Q.IS_NOT, ("APAC",)))),
    },
    deletes=frozenset({SF}),
)
AGREED = Base({"Name": "Old"}, {"dealname": "Old"})


def here(name="New", **more):
    return record(SF, "006A", {"Name": name, **more})


def there(name="Old", **more):
    return record(HS, "1", {"dealname": name, **more})


def decide(salesforce, hubspot, *, state=LinkState.LINKED, **more):
    situation = Situation(link(state=state, base=AGREED), salesforce, hubspot, **more)
    return plan_link(SCOPED, situation, NOTHING, frozenset())


def test_A8_a_pair_that_leaves_scope_is_frozen_and_the_edit_that_did_it_is_not_written():
    """Nothing else is in the plan."""
    (action,) = decide(here(Type="Partner"), there(), frozen=True)
    assert isinstance(action, Freezing)
    assert not action.over


def test_A8_a_frozen_pair_stays_as_it_is():
    """Whatever either side does to it."""
    assert decide(here("A"), there("B"), state=LinkState.FROZEN, frozen=True) == []


def test_A8_a_pair_that_comes_back_goes_on():
    """The link first; its fields are merged from the base it always had."""
    (action,) = decide(here(), there(), state=LinkState.FROZEN)
    assert isinstance(action, Freezing)
    assert action.over


@pytest.mark.parametrize(("state", "frozen"), [(LinkState.FROZEN, True), (LinkState.LINKED, True)])
def test_D9_the_deal_of_a_frozen_pair_survives_its_opportunity(state, frozen):
    """The link is closed instead."""
    gone = record(SF, "006A", {"Type": "Partner"}, presence=Presence.DELETED)
    (action,) = decide(gone, there(), state=state, frozen=frozen)
    assert (type(action), action.rule, action.closed) == (Severance, "D9", True)


def test_D9_a_pair_that_was_frozen_is_so_until_it_is_seen_back_in_scope():
    """An opportunity that came back and was deleted in one breath leaves its deal."""
    gone = record(SF, "006A", {"Type": "Customer"}, presence=Presence.DELETED)
    (action,) = decide(gone, there(), state=LinkState.FROZEN, frozen=False)
    assert (type(action), action.rule) == (Severance, "D9")


def test_D2_a_frozen_pair_whose_deal_is_deleted_is_severed():
    """As any other."""
    gone = record(HS, "1", {"dealname": "Old"}, presence=Presence.DELETED)
    (action,) = decide(here(), gone, state=LinkState.FROZEN, frozen=True)
    assert (type(action), action.rule, action.closed) == (Severance, "D3", False)


def decide_candidate(one, mapping=SCOPED, **more):
    return plan_candidate(mapping, Candidate(one, **more), NOTHING)


def test_A8_a_record_out_of_scope_gets_no_partner():
    """It is counted, and that is all, unless a person insists on breaking the filter."""
    outsider = here(Type="Partner")
    for forced in (False, True):
        assert decide_candidate(outsider, outside=True, forced=forced) == [Outside(outsider)]
    gone = record(SF, "006A", {"Type": "Partner"}, presence=Presence.DELETED)
    assert decide_candidate(gone, outside=True) == []


def test_A8_a_record_out_of_scope_is_known_by_a_stored_id():
    """So that an empty store makes nobody twice; the link is frozen as soon as it is there."""
    partner = record(HS, "1", {"dealname": "Old"}, partner_id="006A")
    (action,) = decide_candidate(here(Type="Partner"), outside=True, naming=(partner,))
    assert (type(action), action.hubspot_id) == (Adoption, "1")


def test_A8_troubles_of_a_record_out_of_scope_are_nobodys_business():
    """An id that cannot be read is a problem inside (O10), and nothing outside."""
    carrier = record(HS, "1", {"dealname": "X", "region": "APAC"}, partner_id="006GONE")
    (problem,) = decide_candidate(carrier)
    assert problem.cause is ProblemClass.ASSOCIATIONS
    assert decide_candidate(carrier, outside=True) == [Outside(carrier)]


def test_A8_a_partner_that_would_be_out_of_scope_is_not_made():
    """Judged by what is written of it; what the vendor will fill in is not known and keeps nothing out."""
    region = rule("Region", "region")
    mapping = pair(*SCOPED.fields, region, scope=SCOPED.scope)
    outsider = here(Region="APAC")
    assert decide_candidate(outsider, mapping) == [Outside(outsider)]
    for one in (here(Region="EMEA"), here()):
        (action,) = decide_candidate(one, mapping)
        assert isinstance(action, Creation)
