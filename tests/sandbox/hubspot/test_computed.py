"""What HubSpot works out from deals: amounts in two currencies, counters, and the totals of whoever has deals."""

from __future__ import annotations

import pytest

from .conftest import COMPANY_OF_DEAL, CONTACT_OF_DEAL

OPEN = {"dealname": "D", "dealstage": "qualifiedtobuy"}
WON = {"dealname": "D", "dealstage": "closedwon"}
LOST = {"dealname": "D", "dealstage": "closedlost"}


def read(hub, kind, record, *names):
    shown = hub.read(kind, record, *names)
    return [shown[name] for name in names]


# -- deals


@pytest.mark.parametrize(
    ("deal", "flags", "counts"),
    [
        (OPEN, ["false", "false", "false"], ["1", "0", "0"]),
        (WON, ["true", "true", "false"], ["0", "1", "1"]),
        (LOST, ["true", "false", "true"], ["0", "1", "0"]),
    ],
)
def test_a_deal_tells_how_it_stands(hub, deal, flags, counts):
    """Open, won or lost, as a flag and as a number for sums."""
    record = hub.create("deals", deal)
    assert read(hub, "deals", record, "hs_is_closed", "hs_is_closed_won", "hs_is_closed_lost") == flags
    assert read(hub, "deals", record, "hs_is_open_count", "hs_is_closed_count", "hs_closed_won_count") == counts


AMOUNTS = ("hs_closed_amount", "hs_projected_amount", "hs_forecast_amount", "amount_in_home_currency")


@pytest.mark.parametrize(
    ("deal", "amounts"),
    [
        ({**OPEN, "amount": "1000"}, ["0", "400", "1000", "1000"]),
        ({**OPEN, "amount": "1000", "hs_forecast_probability": "0.25"}, ["0", "400", "250", "1000"]),
        ({**WON, "amount": "1000.50"}, ["1000.5", "1000.5", "1000.5", "1000.5"]),
        ({**LOST, "amount": "1e3"}, ["0", "0", "1000", "1000"]),
        (OPEN, ["0", "0", "0", None]),
    ],
)
def test_a_deals_amount_is_weighed(hub, deal, amounts):
    """Closed amount if won, weighted by the stage's probability, forecast by its own."""
    assert read(hub, "deals", hub.create("deals", deal), *AMOUNTS) == amounts


def test_a_deal_of_another_currency_has_an_amount_in_the_companys(hub):
    """By the exchange rate of the portal; without one it is worth the same."""
    hub.set(home_currency="EUR", exchange_rates={"USD": 0.5})
    names = ("hs_exchange_rate", "amount_in_home_currency", "hs_closed_amount", "hs_closed_amount_in_home_currency",
             "hs_projected_amount_in_home_currency")  # fmt: skip
    shown = [
        read(hub, "deals", hub.create("deals", {**WON, "amount": "100", **code}), *names)
        for code in (
            {"deal_currency_code": "USD"},
            {"deal_currency_code": "EUR"},
            {"deal_currency_code": "GBP"},
            {},
        )
    ]
    assert shown == [["0.5", "50", "100", "50", "50"], *[["1", "100", "100", "100", "100"]] * 3]


@pytest.mark.parametrize("rates", [{"USD": 0}, {"USD": "1"}, {"USD": True}, []])
def test_exchange_rates_are_positive_numbers(hub, rates):
    """Anything else is refused."""
    hub.call("PUT", "/_sandbox/settings", {"exchange_rates": rates}, 400)


def test_moving_from_won_to_lost_sets_the_close_date_anew(hub):
    """But not moving from one won stage to another."""
    won_too = {"label": "Delivered", "displayOrder": 9, "metadata": {"probability": "1.0"}, "stageId": "delivered"}
    hub.call("POST", "/crm/v3/pipelines/deals/default/stages", won_too, 201)
    deal = hub.create("deals", WON)
    dates = []
    for stage in ("delivered", "closedlost", "appointmentscheduled", "closedwon"):
        hub.advance(86_400)
        hub.update("deals", deal, dealstage=stage)
        dates.append(hub.read("deals", deal, "closedate")["closedate"][8:10])
    assert dates == ["02", "04", "04", "06"]


# -- whoever has deals


@pytest.mark.parametrize(
    ("kind", "new", "type_id"),
    [("contacts", {"lastname": "L"}, CONTACT_OF_DEAL), ("companies", {"name": "C"}, COMPANY_OF_DEAL)],
)
def test_totals_are_in_the_company_currency(hub, kind, new, type_id):
    """The sum of won deals, and the amount of the one that closed last."""
    hub.set(exchange_rates={"EUR": 1.25})
    record = hub.create(kind, new)
    for amount, code, closed in (
        ("100", "EUR", "2026-10-01"),
        ("10", "USD", "2026-10-02"),
        ("8", "EUR", "2026-10-03"),
    ):
        deal = {**WON, "amount": amount, "deal_currency_code": code, "closedate": closed}
        hub.create("deals", deal, (record, type_id))
    names = ("total_revenue", "recent_deal_amount", "recent_deal_close_date")
    assert read(hub, kind, record, *names) == ["145", "10", "2026-10-03T00:00:00.000Z"]


def test_the_most_recent_deal_is_the_one_that_closed_last(hub):
    """Not the one that was created last, and only won deals count."""
    contact = hub.create("contacts", {"lastname": "L"})
    hub.create("deals", {**WON, "amount": "1", "closedate": "2026-10-20"}, (contact, CONTACT_OF_DEAL))
    hub.create("deals", {**WON, "amount": "2", "closedate": "2026-10-10"}, (contact, CONTACT_OF_DEAL))
    hub.create("deals", {**OPEN, "amount": "3", "closedate": "2026-12-01"}, (contact, CONTACT_OF_DEAL))
    assert read(hub, "contacts", contact, "recent_deal_amount", "num_associated_deals") == ["1", "3"]


def test_a_company_counts_its_open_deals(hub):
    """Their number and what they are worth together."""
    company = hub.create("companies", {"name": "C"})
    assert read(hub, "companies", company, "hs_num_open_deals", "hs_total_deal_value") == ["0", None]
    for deal in ({**OPEN, "amount": "1.5"}, {**OPEN, "amount": "2"}, OPEN, {**WON, "amount": "7"}):
        hub.create("deals", deal, (company, COMPANY_OF_DEAL))
    assert read(hub, "companies", company, "hs_num_open_deals", "hs_total_deal_value") == ["3", "3.5"]
