"""What do a contact's (or a company's) deals add up to? (U1-U10)

| rollup                 | meaning                                                        | rule |
|------------------------|----------------------------------------------------------------|------|
| num_associated_deals   | how many                                                       | U1   |
| first_deal_created_date| the earliest creation                                          | U2   |
| recent_deal_amount     | the amount of the deal created last                            | U3   |
| recent_deal_close_date | the close date of that same deal                               | U4   |
| total_revenue          | the sum of the amounts of won deals                            | U5   |

Counted are linked, unarchived deals in synced pipelines (U9); choosing them is the caller's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.core.model import Value

NUMBER = "num_associated_deals"
FIRST_CREATED = "first_deal_created_date"
RECENT_AMOUNT = "recent_deal_amount"
RECENT_CLOSE = "recent_deal_close_date"
REVENUE = "total_revenue"
RULES: Mapping[str, str] = {
    NUMBER: "U1",
    FIRST_CREATED: "U2",
    RECENT_AMOUNT: "U3",
    RECENT_CLOSE: "U4",
    REVENUE: "U5",
}


@dataclass(frozen=True, slots=True)
class DealFact:
    """What a rollup needs of one deal. Times are ISO text in UTC; `created` as U10 says."""

    hubspot_id: str
    created: str
    amount: Decimal | None
    close_date: str | None
    won: bool
    currency: str | None = None

    @property
    def recency(self) -> tuple[str, int]:
        """Orders deals by creation; of two created at one moment the larger HubSpot id is later (U6)."""
        return self.created, int(self.hubspot_id) if self.hubspot_id.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Rollup:
    """The values by rollup name, as HubSpot text, and the currencies added as bare numbers (U9)."""

    values: Mapping[str, Value]
    currencies: frozenset[str]


def roll_up(deals: Iterable[DealFact]) -> Rollup:
    """Fold any number of deals, in any order, in constant memory."""
    number, revenue, first = 0, Decimal(0), ""
    recent: DealFact | None = None
    currencies: set[str] = set()
    for deal in deals:
        number += 1
        first = min(first or deal.created, deal.created)
        if recent is None or deal.recency > recent.recency:
            recent = deal
        if deal.won and deal.amount is not None:
            revenue += deal.amount
        if deal.currency:
            currencies.add(deal.currency)
    if recent is None:
        return Rollup(dict.fromkeys(RULES) | {NUMBER: "0"}, frozenset())
    return Rollup(
        {
            NUMBER: str(number),
            FIRST_CREATED: first,
            RECENT_AMOUNT: None if recent.amount is None else plain(recent.amount),
            RECENT_CLOSE: recent.close_date,
            REVENUE: plain(revenue),
        },
        frozenset(currencies),
    )


def plain(number: Decimal) -> str:
    """A number as people write it: no exponent, no trailing zeros, no negative zero."""
    text = format(number or Decimal(0), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
