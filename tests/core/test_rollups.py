"""What a contact's deals add up to (U)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.rollups import (
    FIRST_CREATED,
    NUMBER,
    RECENT_AMOUNT,
    RECENT_CLOSE,
    REVENUE,
    RULES,
    DealFact,
    plain,
    roll_up,
)

EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"


def deal(id_, created=EARLY, amount="100", close="2026-12-31", *, won=False, currency=None):
    return DealFact(id_, created, None if amount is None else Decimal(amount), close, won, currency)


def test_U1_to_U5_of_three_deals():
    """Number, first creation, amount and close date of the deal created last, and revenue of the won ones."""
    deals = [
        deal("1", EARLY, "100.50", "2026-12-31", won=True),
        deal("2", LATE, "20", "2026-03-01"),
        deal("3", "2026-01-15T00:00:00.000Z", "7.5", "2027-01-01", won=True),
    ]
    assert roll_up(deals).values == {
        NUMBER: "3",
        FIRST_CREATED: EARLY,
        RECENT_AMOUNT: "20",
        RECENT_CLOSE: "2026-03-01",
        REVENUE: "108",
    }


def test_U1_to_U5_each_has_its_name_and_its_rule():
    """The names are HubSpot's own, and of the properties that stand in for them (U7)."""
    assert RULES == {
        "num_associated_deals": "U1",
        "first_deal_created_date": "U2",
        "recent_deal_amount": "U3",
        "recent_deal_close_date": "U4",
        "total_revenue": "U5",
    }
    assert list(RULES) == [NUMBER, FIRST_CREATED, RECENT_AMOUNT, RECENT_CLOSE, REVENUE]


def test_U3_U4_recent_means_created_last_not_closed_last():
    """The older deal that closes later gives neither amount nor date."""
    values = roll_up([deal("9", EARLY, "1", "2030-01-01"), deal("1", LATE, "2", "2026-02-02")]).values
    assert (values[RECENT_AMOUNT], values[RECENT_CLOSE]) == ("2", "2026-02-02")


def test_U6_of_deals_created_at_one_moment_the_larger_id_is_recent():
    """Ids compare as numbers: 10 is larger than 9."""
    assert roll_up([deal("10", amount="10"), deal("9", amount="9")]).values[RECENT_AMOUNT] == "10"
    assert roll_up([deal("9", amount="9"), deal("10", amount="10")]).values[RECENT_AMOUNT] == "10"


def test_U6_an_id_that_is_no_number_comes_first():
    """HubSpot's ids are digits; anything else loses the tie instead of failing the run."""
    assert roll_up([deal("1", amount="1"), deal("x", amount="2")]).values[RECENT_AMOUNT] == "1"
    assert roll_up([deal("x", amount="2"), deal("1", amount="1")]).values[RECENT_AMOUNT] == "1"


def test_U6_an_empty_amount_counts_as_a_deal_and_adds_nothing():
    """Its recent amount is empty, too: not that of the deal before it."""
    values = roll_up([deal("1", EARLY, "50", won=True), deal("2", LATE, None, None, won=True)]).values
    assert values == {
        NUMBER: "2",
        FIRST_CREATED: EARLY,
        RECENT_AMOUNT: None,
        RECENT_CLOSE: None,
        REVENUE: "50",
    }


def test_U6_no_deals_left_is_zero_and_the_others_cleared():
    """Values may fall, down to nothing."""
    assert roll_up([]).values == dict.fromkeys(RULES) | {NUMBER: "0"}
    assert roll_up([]).currencies == frozenset()


def test_U5_open_and_lost_deals_bring_no_revenue():
    """Without a won deal revenue is 0, which is not the same as cleared."""
    assert roll_up([deal("1")]).values[REVENUE] == "0"


def test_U9_currencies_are_added_as_bare_numbers_and_named():
    """100 EUR and 100 USD are 200; who reports it is told the two."""
    rollup = roll_up([deal("1", won=True, currency="EUR"), deal("2", won=True, currency="USD"), deal("3")])
    assert rollup.values[REVENUE] == "200"
    assert rollup.currencies == {"EUR", "USD"}
    assert roll_up([DealFact("1", EARLY, None, None, won=False)]).currencies == frozenset()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1054.0", "1054"),
        ("0.10", "0.1"),
        ("1E+3", "1000"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("100", "100"),
        ("1E-3", "0.001"),
    ],
)
def test_numbers_are_written_as_people_write_them(number, text):
    """No exponent, no trailing zeros, no negative zero."""
    assert plain(Decimal(number)) == text


facts = st.builds(
    DealFact,
    hubspot_id=st.integers(1, 30).map(str),
    created=st.sampled_from([EARLY, LATE, "2026-01-15T12:00:00.000Z"]),
    amount=st.one_of(st.none(), st.decimals(-1000, 10**6, places=2)),
    close_date=st.one_of(st.none(), st.dates().map(str)),
    won=st.booleans(),
    currency=st.sampled_from([None, "EUR", "USD"]),
)
portfolios = st.lists(facts, max_size=8, unique_by=lambda one: one.hubspot_id)


@given(portfolios, st.randoms(use_true_random=False))
def test_U10_any_order_of_deals_gives_the_same(deals, random):
    """The fold does not depend on how the database returned the deals."""
    shuffled = list(deals)
    random.shuffle(shuffled)
    assert roll_up(shuffled) == roll_up(deals)


@given(portfolios)
def test_U1_to_U6_equal_a_plain_recomputation(deals):
    """The same, computed naively: sort, take the last, add up fractions."""
    values = roll_up(deals).values
    by_age = sorted(deals, key=lambda one: (one.created, int(one.hubspot_id)))
    assert values[NUMBER] == str(len(deals))
    if deals:
        assert values[FIRST_CREATED] == by_age[0].created
        assert values[RECENT_CLOSE] == by_age[-1].close_date
        shown = values[RECENT_AMOUNT]
        assert (None if shown is None else Fraction(shown)) == (
            None if by_age[-1].amount is None else Fraction(by_age[-1].amount)
        )
        won = [Fraction(one.amount) for one in deals if one.won and one.amount is not None]
        assert Fraction(values[REVENUE]) == sum(won, Fraction(0))


@given(portfolios, facts)
def test_U6_a_deal_that_leaves_takes_its_part_along(deals, leaving):
    """Number and revenue fall by exactly what the deal had brought."""
    others = [one for one in deals if one.hubspot_id != leaving.hubspot_id]
    before, after = roll_up([*others, leaving]).values, roll_up(others).values
    assert int(before[NUMBER]) - int(after[NUMBER]) == 1
    brought = leaving.amount if leaving.won and leaving.amount else 0
    revenue = Fraction(before[REVENUE]) - Fraction(after[REVENUE] or 0)
    assert revenue == Fraction(brought)
