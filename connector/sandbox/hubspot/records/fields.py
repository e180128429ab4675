"""What the value of one property of one record is: stored, kept by the system, or computed from other records.

Computed values are worked out when they are read, so that they are never out of date; that others may take them for
written is told in `automation.py`. `reader` is the one way to a value.

| of a contact or a company | is |
|---|---|
| `num_associated_deals`, `first_deal_created_date` | of all its deals |
| `total_revenue` | the sum of its won deals |
| `recent_deal_amount`, `recent_deal_close_date` | of the won deal that closed last |
| `hs_num_open_deals`, `hs_total_deal_value` | of a company's deals that are not closed |
| `days_to_close` | whole days from its creation to its close date |

Amounts of these are in the company currency; archived deals do not count. Sources: HubSpot Knowledge Base, "How are
the properties used for revenue reporting calculated?", "HubSpot's default contact properties", "HubSpot's default
company properties" and "HubSpot's default deal properties". Simplified: a deal that has no forecast probability is
forecast whole, and open deals have no `days_to_close`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from connector.sandbox.hubspot.definitions.pipelines import Stage
from connector.sandbox.hubspot.definitions.schema import ObjectType
from connector.sandbox.hubspot.moments import DAY, from_iso, to_iso
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records import milestones
from connector.sandbox.hubspot.records.records import Record

Reader = Callable[[Record], str | None]
_Compute = Callable[[Portal, Record], str | None]

# -- of the record itself


def _merged_ids(_: Portal, record: Record) -> str | None:
    return ";".join(map(str, record.absorbed)) or None


def _creator(_: Portal, record: Record) -> str | None:
    """The user id of the person who created it."""
    return None if record.by.user is None else str(record.by.user)


def _days_to_close(_: Portal, record: Record) -> str | None:
    closed = record.values.get("closedate")
    return None if closed is None else str(max(from_iso(closed) - record.created, 0) // DAY)


# -- of a deal's stage


def stage_of(portal: Portal, deal: Record) -> Stage | None:
    """The stage that a deal is in; None if it has been removed."""
    return portal.pipelines.stages.get(deal.values.get("dealstage", ""))


def _is_closed(portal: Portal, deal: Record) -> str:
    stage = stage_of(portal, deal)
    return "true" if stage is not None and stage.closed else "false"


def _is_closed_won(portal: Portal, deal: Record) -> str:
    stage = stage_of(portal, deal)
    return "true" if stage is not None and stage.won else "false"


def _probability(portal: Portal, deal: Record) -> str | None:
    stage = stage_of(portal, deal)
    return None if stage is None else str(stage.probability)


def _deal_days_to_close(portal: Portal, deal: Record) -> str | None:
    return _days_to_close(portal, deal) if _is_closed(portal, deal) == "true" else None


def _is_closed_lost(portal: Portal, deal: Record) -> str:
    stage = stage_of(portal, deal)
    return "true" if stage is not None and stage.closed and not stage.won else "false"


def _as_number(test: _Compute, wanted: str = "true") -> _Compute:
    """1 or 0, for sums in reports."""
    return lambda portal, deal: "1" if test(portal, deal) == wanted else "0"


# -- of a deal's amount

_ONE = Decimal(1)


def _amount(_: Portal, deal: Record) -> Decimal | None:
    amount = deal.values.get("amount")
    return None if amount is None else Decimal(amount)


def _rate(portal: Portal, deal: Record) -> Decimal:
    """What one unit of the deal's currency is worth in the company currency."""
    code, settings = deal.values.get("deal_currency_code"), portal.settings
    if code is None or code == settings.home_currency or code not in settings.exchange_rates:
        return _ONE
    return Decimal(str(settings.exchange_rates[code]))


def _home_amount(portal: Portal, deal: Record) -> Decimal | None:
    amount = _amount(portal, deal)
    return None if amount is None else amount * _rate(portal, deal)


def _won_share(portal: Portal, deal: Record) -> Decimal:
    return _ONE if _is_closed_won(portal, deal) == "true" else Decimal()


def _likely_share(portal: Portal, deal: Record) -> Decimal:
    return Decimal(_probability(portal, deal) or 0)


def _forecast_share(_: Portal, deal: Record) -> Decimal:
    return Decimal(deal.values.get("hs_forecast_probability") or 1)


_Number = Callable[[Portal, Record], Decimal | None]


def _part(amount: _Number, share: Callable[[Portal, Record], Decimal]) -> _Compute:
    """A share of a deal's amount; 0 if it has none."""
    return lambda portal, deal: plain((amount(portal, deal) or Decimal()) * share(portal, deal))


def _whole(amount: _Number) -> _Compute:
    def compute(portal: Portal, deal: Record) -> str | None:
        value = amount(portal, deal)
        return None if value is None else plain(value)

    return compute


def plain(number: Decimal) -> str:
    """A number without an exponent and without zeros at its end: `200`, `0.5`."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# -- of associated records


def _count(start: str, end: str) -> _Compute:
    return lambda portal, record: str(len(portal.associations.neighbours((start, end), record.id)))


def _associated(start: str, end: str, type_id: int) -> _Compute:
    def compute(portal: Portal, record: Record) -> str | None:
        found = portal.associations.holding((start, end), record.id, type_id)
        return None if found is None else str(found)

    return compute


def _deals(portal: Portal, owner: str, record: Record) -> Iterator[Record]:
    deals = portal.tables["deals"].live
    return (deals[deal_id] for deal_id in portal.associations.neighbours((owner, "deals"), record.id))


def _won_deals(portal: Portal, owner: str, record: Record) -> Iterator[Record]:
    return (
        deal
        for deal in _deals(portal, owner, record)
        if (stage := stage_of(portal, deal)) is not None and stage.won
    )


def _first_created(owner: str) -> _Compute:
    def compute(portal: Portal, record: Record) -> str | None:
        first = min((deal.created for deal in _deals(portal, owner, record)), default=None)
        return None if first is None else to_iso(first)

    return compute


def _recent(owner: str, tell: _Compute) -> _Compute:
    """Something of the associated deal that was won most recently, by close date; the larger id breaks a tie."""

    def compute(portal: Portal, record: Record) -> str | None:
        closed = (deal for deal in _won_deals(portal, owner, record) if "closedate" in deal.values)
        recent = max(closed, key=lambda deal: (deal.values["closedate"], deal.id), default=None)
        return None if recent is None else tell(portal, recent)

    return compute


def _revenue(owner: str) -> _Compute:
    def compute(portal: Portal, record: Record) -> str | None:
        amounts = [_home_amount(portal, deal) for deal in _won_deals(portal, owner, record)]
        known = [amount for amount in amounts if amount is not None]
        return plain(sum(known, Decimal())) if known else None

    return compute


def _open_deals(portal: Portal, record: Record) -> list[Record]:
    return [deal for deal in _deals(portal, "companies", record) if _is_closed(portal, deal) == "false"]


def _open_value(portal: Portal, record: Record) -> str | None:
    amounts = [_home_amount(portal, deal) for deal in _open_deals(portal, record)]
    known = [amount for amount in amounts if amount is not None]
    return plain(sum(known, Decimal())) if known else None


def _rollups(owner: str) -> dict[str, _Compute]:
    return {
        "num_associated_deals": _count(owner, "deals"),
        "first_deal_created_date": _first_created(owner),
        "recent_deal_amount": _recent(owner, _whole(_home_amount)),
        "recent_deal_close_date": _recent(owner, lambda _, deal: deal.values["closedate"]),
        "total_revenue": _revenue(owner),
        "days_to_close": _days_to_close,
    }


_SYSTEM: dict[str, _Compute] = {
    "hs_object_id": lambda _, record: str(record.id),
    "createdate": lambda _, record: to_iso(record.created),
    "hs_object_source": lambda _, record: record.by.source,
    "hs_object_source_id": lambda _, record: record.by.source_id or None,
    "hs_object_source_label": lambda _, record: record.by.source,
    "hs_object_source_detail_1": lambda _, record: record.by.label or None,
    "hs_object_source_user_id": _creator,
    "hs_created_by_user_id": _creator,
    "hs_merged_object_ids": _merged_ids,
}


def _modified(_: Portal, record: Record) -> str:
    return to_iso(record.modified)


_COMPUTED: dict[str, dict[str, _Compute]] = {
    "contacts": {
        **_SYSTEM,
        **_rollups("contacts"),
        "lastmodifieddate": _modified,
        "associatedcompanyid": _associated("contacts", "companies", 1),
    },
    "companies": {
        **_SYSTEM,
        **_rollups("companies"),
        "hs_lastmodifieddate": _modified,
        "num_associated_contacts": _count("companies", "contacts"),
        "hs_parent_company_id": _associated("companies", "companies", 14),
        "hs_num_open_deals": lambda portal, record: str(len(_open_deals(portal, record))),
        "hs_total_deal_value": _open_value,
    },
    "deals": {
        **_SYSTEM,
        "hs_lastmodifieddate": _modified,
        "num_associated_contacts": _count("deals", "contacts"),
        "hs_primary_associated_company": _associated("deals", "companies", 5),
        "hs_is_closed": _is_closed,
        "hs_is_closed_won": _is_closed_won,
        "hs_is_closed_lost": _is_closed_lost,
        "hs_is_closed_count": _as_number(_is_closed),
        "hs_closed_won_count": _as_number(_is_closed_won),
        "hs_is_open_count": _as_number(_is_closed, "false"),
        "hs_exchange_rate": lambda portal, deal: plain(_rate(portal, deal)),
        "amount_in_home_currency": _whole(_home_amount),
        "hs_closed_amount": _part(_amount, _won_share),
        "hs_closed_amount_in_home_currency": _part(_home_amount, _won_share),
        "hs_projected_amount": _part(_amount, _likely_share),
        "hs_projected_amount_in_home_currency": _part(_home_amount, _likely_share),
        "hs_forecast_amount": _part(_home_amount, _forecast_share),
        "hs_deal_stage_probability": _probability,
        "days_to_close": _deal_days_to_close,
    },
}


def reader(portal: Portal, kind: ObjectType, name: str) -> Reader | None:
    """How to read a property of a record; `None` if there is no such property."""
    if name not in portal.properties[kind.name].defined:
        return None
    compute = _COMPUTED[kind.name].get(name)
    if compute is not None:
        return lambda record: compute(portal, record)
    told = _milestone(portal, kind, name) if name.startswith("hs_") else None
    return told or (lambda record: record.values.get(name))


def _milestone(portal: Portal, kind: ObjectType, name: str) -> Reader | None:
    lifecycle = portal.properties[kind.name].defined.get(milestones.LIFECYCLE_STAGE)
    ranks = {} if lifecycle is None else lifecycle.allowed
    return milestones.teller(kind.name, name, ranks, fill_skipped=portal.settings.became_dates_fill_skipped)
