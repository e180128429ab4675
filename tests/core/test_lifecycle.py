"""Which stage is due, and why: events move contacts and companies forward, never back (L1-L5, L7, L8)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.lifecycle import (
    CompanyEvent,
    DealEvent,
    LifecycleSettings,
    Move,
    Person,
    Status,
    choose_move,
    fallback_moves,
    is_ahead,
    is_backward,
    role_moves,
    won_close_date,
)

STAGES = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
ORDER = {stage: position for position, stage in enumerate(STAGES)}
DEFAULTS = LifecycleSettings()
ALL_OFF = LifecycleSettings(None, None, False, None, None)  # in the order of the fields
OPEN, WON, LOST = Status.OPEN, Status.WON, Status.LOST


def deal(status, applied=None, *, with_creation=True, id_="1", close=None, has_roles=True):
    return DealEvent(id_, status, applied, with_creation, close, has_roles)


def company(*deals, stage="lead", **more):
    return Person(stage, False, deals, **more)


def contact(*deals, stage="lead", **more):
    return Person(stage, True, deals, **more)


def stage_of(move):
    return None if move is None else (move.stage, move.rule)


@pytest.mark.parametrize("kind", [company, contact], ids=["company", "contact"])
def test_L2_the_first_deal_makes_an_opportunity(kind):
    """Both contacts and companies move when their first deal is created."""
    move = choose_move(kind(deal(OPEN)), replace(DEFAULTS, role_open=None), ORDER)
    assert move == Move("opportunity", "L2", "first deal 1 created")


def test_L2_only_the_first_deal_counts():
    """A record that had a deal before does not move when another one is created."""
    old = deal(LOST, LOST, id_="1")
    assert choose_move(company(old, deal(OPEN, id_="2")), DEFAULTS, ORDER) is None


@pytest.mark.parametrize("status", [OPEN, WON])
def test_L2_a_contact_that_comes_to_an_existing_deal_is_not_moved_by_it(status):
    """That is L7's case only, also for a won deal; a company's first deal may have been there before."""
    late = deal(status, with_creation=False, close="2026-05-05")
    no_roles = replace(DEFAULTS, role_open=None, role_won=None)
    assert choose_move(contact(late), no_roles, ORDER) is None
    assert won_close_date(contact(late), no_roles) is None
    due = {OPEN: ("opportunity", "L2"), WON: ("customer", "L3")}
    assert stage_of(choose_move(company(late), no_roles, ORDER)) == due[status]


def test_L3_a_contact_that_came_later_is_there_when_the_deal_is_won():
    """Only the association was late; the winning is as new to this contact as to all others."""
    won = deal(WON, OPEN, with_creation=False, close="2026-05-05")
    no_roles = replace(DEFAULTS, role_won=None)
    assert choose_move(contact(won), no_roles, ORDER) == Move("customer", "L3", "deal 1 won")
    assert won_close_date(contact(won), no_roles) == won


@pytest.mark.parametrize("kind", [company, contact], ids=["company", "contact"])
def test_L2_who_had_a_deal_once_has_no_first_deal_any_more(kind):
    """The earlier one may be deleted, or the role removed."""
    no_roles = replace(DEFAULTS, role_open=None)
    assert choose_move(kind(deal(OPEN), had_deal=True), no_roles, ORDER) is None


@pytest.mark.parametrize("kind", [company, contact], ids=["company", "contact"])
def test_L2_L4_a_deal_that_is_lost_when_first_seen_moves_nobody(kind):
    """An open one that came with it does."""
    assert choose_move(kind(deal(LOST)), DEFAULTS, ORDER) is None
    both = kind(deal(LOST), deal(OPEN, id_="2"))
    assert choose_move(both, replace(DEFAULTS, role_open=None), ORDER).cause == "first deal 2 created"


def test_a_stage_that_salesforce_decides_is_left_to_it():
    """No event moves who takes the stage from there, so that the two never fight."""
    assert choose_move(contact(deal(WON), follows_salesforce=True), DEFAULTS, ORDER) is None


def test_L2_the_stage_is_a_setting():
    """Another stage, or none at all."""
    earlier = replace(DEFAULTS, deal_created="salesqualifiedlead")
    assert stage_of(choose_move(company(deal(OPEN)), earlier, ORDER)) == ("salesqualifiedlead", "L2")
    assert choose_move(company(deal(OPEN)), replace(DEFAULTS, deal_created=None), ORDER) is None


@pytest.mark.parametrize("applied", [None, OPEN, LOST])
def test_L3_a_deal_that_is_won_makes_a_customer(applied):
    """However the deal stood before."""
    assert stage_of(choose_move(company(deal(WON, applied)), DEFAULTS, ORDER)) == ("customer", "L3")


def test_L3_off_touches_nothing():
    """Neither stage nor close date."""
    off = replace(DEFAULTS, deal_won=None)
    won = company(deal(WON, OPEN, close="2026-05-05"))
    assert choose_move(won, off, ORDER) is None
    assert won_close_date(won, off) is None


def test_L3_the_close_date_is_that_of_the_earliest_deal_just_won():
    """Deals won long ago, open ones and ones without a date do not count; ties go by id."""
    late = deal(WON, OPEN, id_="1", close="2026-06-01")
    early = deal(WON, OPEN, id_="3", close="2026-05-01")
    twin = deal(WON, OPEN, id_="2", close="2026-05-01")
    long_ago = deal(WON, WON, id_="4", close="2020-01-01")
    still_open = deal(OPEN, None, id_="5", close="2020-01-01")
    dateless = deal(WON, OPEN, id_="6")
    assert won_close_date(company(late, early, twin, long_ago, still_open, dateless), DEFAULTS) == twin
    assert won_close_date(company(long_ago, still_open, dateless), DEFAULTS) is None


def test_L4_a_lost_deal_moves_nobody():
    """Neither company nor contact."""
    assert choose_move(company(deal(LOST, OPEN)), DEFAULTS, ORDER) is None
    assert choose_move(contact(deal(LOST, OPEN)), DEFAULTS, ORDER) is None


@pytest.mark.parametrize("later", [deal(LOST, OPEN, id_="2"), deal(OPEN, id_="2"), deal(LOST, WON, id_="2")])
def test_L4_a_customer_stays_a_customer(later):
    """When a later deal is created, lost, or the won one is lost after all."""
    assert choose_move(contact(deal(WON, WON), later, stage="customer"), DEFAULTS, ORDER) is None


@pytest.mark.parametrize(("status", "stage"), [(OPEN, "opportunity"), (WON, "customer"), (LOST, None)])
def test_L7_a_role_moves_a_contact_also_when_it_is_added_later(status, stage):
    """With the automations of deals off, the role alone does it; for companies it never does."""
    roles_only = replace(ALL_OFF, role_open="opportunity", role_won="customer")
    late = deal(status, with_creation=False)
    assert stage_of(choose_move(contact(late), roles_only, ORDER)) == ((stage, "L7") if stage else None)
    assert choose_move(company(late), roles_only, ORDER) is None


def test_L7_is_caused_by_an_event_not_by_a_state():
    """What a person lowered by hand stays low until something new happens."""
    lowered = contact(deal(WON, WON), stage="subscriber")
    assert choose_move(lowered, DEFAULTS, ORDER) is None


def test_L7_names_its_cause():
    """The deal and how it stands (L10)."""
    assert role_moves([deal(OPEN), deal(WON, OPEN, id_="2")], DEFAULTS) == [
        Move("opportunity", "L7", "role on open deal 1"),
        Move("customer", "L7", "role on won deal 2"),
    ]
    assert role_moves([deal(OPEN)], replace(DEFAULTS, role_open=None)) == []


@pytest.mark.parametrize(("status", "stage"), [(OPEN, "opportunity"), (WON, "customer"), (LOST, None)])
def test_L7_without_roles_a_deal_moves_all_contacts_of_its_company_if_that_is_switched_on(status, stage):
    """Only the event counts, and only where nobody has a role."""
    on = replace(DEFAULTS, account_fallback=True)
    alone = deal(status, has_roles=False)
    cause = f"{status} deal 1 of the company, without roles"
    assert fallback_moves([alone], on) == ([Move(stage, "L7", cause)] if stage else [])
    assert fallback_moves([alone], DEFAULTS) == []
    assert fallback_moves([deal(status), replace(alone, applied=status)], on) == []


def test_L7_what_the_company_hands_on_moves_its_contact_while_that_is_switched_on():
    """And never by the switch of L5."""
    handed = (Move("opportunity", "L7", "open deal 1 of the company, without roles"),)
    on = replace(ALL_OFF, account_fallback=True)
    assert choose_move(contact(handed_on=handed), on, ORDER) == handed[0]
    assert choose_move(contact(handed_on=handed), ON, ORDER) is None


# --- companies and their contacts -------------------------------------------------------------------------

ON = replace(ALL_OFF, company_to_contacts=True)
LEAD = CompanyEvent("9", "lead", None, None)


@pytest.mark.parametrize(
    ("stage", "moves"), [("subscriber", True), ("opportunity", False), ("lead", False), (None, True)]
)
def test_L5_a_lead_company_moves_only_those_behind_it(stage, moves):
    """The rule's example: company lead, contacts subscriber and opportunity; and one without a stage."""
    move = choose_move(contact(stage=stage, company=LEAD), ON, ORDER)
    assert move == (Move("lead", "L5", "primary company 9") if moves else None)


@pytest.mark.parametrize(
    ("event", "happened"),
    [
        (CompanyEvent("9", "lead", "9", "lead"), False),
        (CompanyEvent("9", "lead", "9", "subscriber"), True),
        (CompanyEvent("9", "lead", "8", "lead"), True),
        (CompanyEvent("9", None, "8", "lead"), True),
    ],
)
def test_L5_happens_with_a_new_company_or_a_new_stage_of_it(event, happened):
    """Not again for what was applied before; a company without a stage hands on nothing."""
    assert event.happened is happened
    move = choose_move(contact(stage="subscriber", company=event), ON, ORDER)
    assert (move is not None) is (happened and event.stage is not None)


def test_L5_off_and_never_for_companies():
    """The setting is off by default, and a company has no company to follow."""
    assert choose_move(contact(stage="subscriber", company=LEAD), DEFAULTS, ORDER) is None
    assert choose_move(Person("subscriber", False, (), company=LEAD), ON, ORDER) is None


def test_L5_takes_what_a_colleague_hands_on():
    """A colleague's L7 move reaches this contact while L5 is on."""
    handed = (Move("opportunity", "L5", "role on open deal 1 of a colleague"),)
    assert choose_move(contact(stage="lead", handed_on=handed), ON, ORDER) == handed[0]
    assert choose_move(contact(stage="lead", handed_on=handed), ALL_OFF, ORDER) is None


# --- order ------------------------------------------------------------------------------------------------


def test_L1_the_furthest_of_all_moves_is_chosen():
    """A deal created and won within one run makes a customer at once."""
    move = choose_move(contact(deal(WON), stage=None), DEFAULTS, ORDER)
    assert stage_of(move) == ("customer", "L3")


@pytest.mark.parametrize(
    ("stage", "present", "ahead"),
    [
        ("customer", "lead", True),
        ("lead", "customer", False),
        ("lead", "lead", False),
        ("lead", None, True),
        ("lead", "gone from the portal", True),
        ("missing", None, False),
    ],
)
def test_L1_ahead_is_a_matter_of_the_portals_order(stage, present, ahead):
    """A record without a stage can move to any; a stage that the portal lacks is never chosen."""
    assert is_ahead(stage, present, ORDER) is ahead


@pytest.mark.parametrize(
    ("old", "new", "backward"),
    [
        ("customer", "lead", True),
        ("lead", "customer", False),
        ("lead", "lead", False),
        ("gone from the portal", "lead", False),
        ("customer", "missing", False),
    ],
)
def test_L8_backward_is_what_hubspot_would_not_take(old, new, backward):
    """Of stages that the portal lacks nobody knows."""
    assert is_backward(old, new, ORDER) is backward


def test_L1_custom_stages_count_by_their_place():
    """The order is the portal's: a custom stage between lead and opportunity is passed, not skipped over."""
    order = {"lead": 0, "81": 1, "opportunity": 2}
    assert is_ahead("81", "lead", order)
    assert not is_ahead("81", "opportunity", order)


statuses = st.sampled_from(list(Status))
deals = st.lists(
    st.builds(
        DealEvent,
        deal_id=st.integers(1, 5).map(str),
        status=statuses,
        applied=st.one_of(st.none(), statuses),
        with_creation=st.booleans(),
        has_roles=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda one: one.deal_id,
)
stages = st.one_of(st.none(), st.sampled_from([*STAGES, "unknown"]))


def test_L2_L3_L7_what_is_on_unless_somebody_says_otherwise():
    """HubSpot's own defaults; a deal counts as having roles until it is known that it has none."""
    assert LifecycleSettings() == LifecycleSettings(
        deal_created="opportunity",
        deal_won="customer",
        company_to_contacts=False,
        role_open="opportunity",
        role_won="customer",
        new_record=None,
        account_fallback=False,
    )
    assert DealEvent("1", OPEN, None, with_creation=True) == deal(OPEN)


settings = st.builds(LifecycleSettings, stages, stages, st.booleans(), stages, stages, stages, st.booleans())
companies = st.one_of(
    st.none(),
    st.builds(CompanyEvent, st.sampled_from("89"), stages, st.one_of(st.none(), st.sampled_from("89")), stages),
)
handed_on = st.lists(
    st.builds(Move, st.sampled_from(STAGES), st.sampled_from(["L5", "L7"]), st.just("another")), max_size=2
)
people = st.builds(Person, stages, st.booleans(), deals, companies, handed_on, st.booleans())


@given(people, settings, st.permutations(STAGES))
def test_L1_nothing_automatic_moves_backwards(person, chosen, stages_in_order):
    """Law 11, in whatever order the portal has its stages."""
    order = {stage: position for position, stage in enumerate(stages_in_order)}
    move = choose_move(person, chosen, order)
    if move is not None and person.stage in order:
        assert order[move.stage] > order[person.stage]


@given(people, settings)
def test_once_applied_nothing_moves_again(person, chosen):
    """With the events marked as applied and the stage set, the next run is quiet (law 1)."""
    move = choose_move(person, chosen, ORDER)
    company_then = person.company and replace(
        person.company, applied_company_id=person.company.company_id, applied_stage=person.company.stage
    )
    after = Person(
        move.stage if move else person.stage,
        person.is_contact,
        [replace(one, applied=one.status) for one in person.deals],
        company_then,
    )
    assert choose_move(after, chosen, ORDER) is None
    assert won_close_date(after, chosen) is None
    assert fallback_moves(after.deals, chosen) == []


@given(people, settings, st.randoms(use_true_random=False))
def test_the_order_of_deals_does_not_change_the_stage(person, chosen, random):
    """Which deal is named as cause may differ, the stage may not."""
    shuffled = list(person.deals)
    random.shuffle(shuffled)
    one, other = choose_move(person, chosen, ORDER), choose_move(replace(person, deals=shuffled), chosen, ORDER)
    assert (one and one.stage) == (other and other.stage)


@given(people)
def test_everything_off_moves_nobody(person):
    """Each automation has its switch."""
    assert choose_move(person, ALL_OFF, ORDER) is None
