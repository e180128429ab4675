"""What an amount is worth in another currency, in orgs that have several.

The rates are the rows of CurrencyType: how much of a currency one unit of the corporate currency buys. Source:
Salesforce Object Reference, "CurrencyType"; "SOQL and SOSL Reference", "Querying Currency Fields in Multi-Currency
Orgs". Dated exchange rates (advanced currency management) are not there.
"""

from __future__ import annotations

from connector.sandbox.salesforce.records.store import Store


class Rates:
    """The rates of an org; false where it has one currency only."""

    def __init__(self, store: Store) -> None:
        known = store.table("CurrencyType").live.values() if store.schema.find("CurrencyType") else ()
        self._rates: dict[str, float] = {row["IsoCode"]: row["ConversionRate"] for row in known}
        self.active = {row["IsoCode"] for row in known if row.get("IsActive")}
        self.corporate: str = next((row["IsoCode"] for row in known if row.get("IsCorporate")), "")

    def __bool__(self) -> bool:
        return bool(self._rates)

    def convert(self, amount: float | None, own: str | None, other: str) -> float | None:
        """An amount in another currency; as it is where the rate of its own is not known."""
        if amount is None or own not in self._rates or other not in self._rates:
            return amount
        return amount / self._rates[own] * self._rates[other]

    def in_corporate(self, amount: float | None, own: str | None) -> float | None:
        """An amount in the corporate currency."""
        return self.convert(amount, own, self.corporate)
