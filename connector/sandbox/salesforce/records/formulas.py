"""Values that are made from others whenever a row is read, and how any field is read.

Source: Salesforce Object Reference (Opportunity: IsClosed, IsWon and ForecastCategory follow the stage,
ExpectedRevenue is Amount times Probability; Contact and User: Name joins the name parts).
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import Any

from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.formula import Formula
from connector.sandbox.salesforce.records.evaluation import Fields, stored
from connector.sandbox.salesforce.records.store import Row, Store, Table

Getter = Callable[[Row], Any]

FORECAST_CODES = {"Best Case": "BestCase", "Commit": "Forecast", "Most Likely": "MostLikely"}


def stage_of(store: Store, name: str | None) -> Row:
    """The stage with this API name, whether active or not; an empty row when it was taken away since."""
    found: Row = store.memo("OpportunityStage", _stages_by_name).get((name or "").casefold(), {})
    return found


def _stages_by_name(stages: Table) -> dict[str, Row]:
    return {stage["ApiName"].casefold(): stage for stage in stages.rows()}


def getter(store: Store, sobject: SObject, field: Field) -> Getter:
    """A function from a row of the object to the value of the field; null is None, a checkbox is a bool."""
    if field.formula is not None:
        return _calculated(store, sobject, field, field.formula)
    if field.derived:
        if field.type == "address":
            return _address(field)
        formula = _FORMULAS[sobject.name, field.name]
        return lambda row: formula(store, row)
    name = field.name
    if field.type == "boolean":
        return lambda row: row.get(name, False)
    return methodcaller("get", name)


def fields_of(store: Store, sobject: SObject, *, zeroes: bool = False) -> Fields:
    """What formulas about an object read."""
    return Fields(store, sobject, getter, zeroes=zeroes)


def _calculated(store: Store, sobject: SObject, field: Field, formula: Formula) -> Getter:
    fields = fields_of(store, sobject, zeroes=field.zeroes)
    return lambda row: stored(field, formula.evaluate(fields.record(row)))


def _address(field: Field) -> Getter:
    prefix = field.name.removesuffix("Address")
    parts = {
        "city": f"{prefix}City", "country": f"{prefix}Country", "postalCode": f"{prefix}PostalCode",
        "state": f"{prefix}State", "street": f"{prefix}Street",
    }  # fmt: skip

    def read(row: Row) -> dict[str, Any] | None:
        found = {part: row.get(name) for part, name in parts.items()}
        if not any(found.values()):
            return None
        return {**found, "geocodeAccuracy": None, "latitude": None, "longitude": None}

    return read


def _full_name(_: Store, row: Row) -> str:
    return " ".join(row[part] for part in ("FirstName", "LastName") if part in row)


def _expected_revenue(_: Store, row: Row) -> float | None:
    amount = row.get("Amount")
    return None if amount is None else round(amount * row.get("Probability", 0.0) / 100, 2)


def _primary_contact(store: Store, row: Row) -> str | None:
    roles = store.table("OpportunityContactRole")
    for role in roles.below("OpportunityId", row.get("Id", "")):
        if roles.live[role].get("IsPrimary"):
            return str(roles.live[role]["ContactId"])
    return None


def _forecast_category(_: Store, row: Row) -> str | None:
    name = row.get("ForecastCategoryName")
    return None if name is None else FORECAST_CODES.get(name, name)


_FORMULAS: dict[tuple[str, str], Callable[[Store, Row], Any]] = {
    ("Contact", "Name"): _full_name,
    ("Lead", "Name"): _full_name,
    ("User", "Name"): _full_name,
    ("Opportunity", "ExpectedRevenue"): _expected_revenue,
    ("Opportunity", "IsClosed"): lambda store, row: stage_of(store, row.get("StageName")).get("IsClosed", False),
    ("Opportunity", "IsWon"): lambda store, row: stage_of(store, row.get("StageName")).get("IsWon", False),
    ("Opportunity", "ForecastCategory"): _forecast_category,
    ("Opportunity", "ContactId"): _primary_contact,
    # No products here, so no line items either.
    ("Opportunity", "HasOpportunityLineItem"): lambda _, __: False,
    # The fiscal year is the calendar year, Salesforce's default.
    ("Opportunity", "FiscalYear"): lambda _, row: int(row["CloseDate"][:4]),
    ("Opportunity", "FiscalQuarter"): lambda _, row: (int(row["CloseDate"][5:7]) + 2) // 3,
}
