"""What the value of one property of one record is: stored, kept by the system, or computed from other records.

Computed values are worked out when they are read (definitions as in HubSpot's default-property articles), so
they are never out of date and never move a modified date. `reader` is the one way to a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from connector.sandbox.hubspot.actors import APP_ID
from connector.sandbox.hubspot.moments import DAY, from_iso, to_iso
from connector.sandbox.hubspot.pipelines import Stage
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records import Record
from connector.sandbox.hubspot.schema import ObjectType

Reader = Callable[[Record], str | None]
_Compute = Callable[[Portal, Record], str | None]

# -- of the record itself


def _merged_ids(_: Portal, record: Record) -> str | None:
    return ";".join(map(str, record.absorbed)) or None


def _days_to_close(_: Portal, record: Record) -> str | None:
    closed = record.values.get("closedate")
    return None if closed is None else str(max(from_iso(closed) - record.created, 0) // DAY)


# -- of a deal's stage


def _stage(portal: Portal, deal: Record) -> Stage | None:
    return portal.pipelines.stages.get(deal.values.get("dealstage", ""))


def _is_closed(portal: Portal, deal: Record) -> str:
    stage = _stage(portal, deal)
    return "true" if stage is not None and stage.closed else "false"


def _is_closed_won(portal: Portal, deal: Record) -> str:
    stage = _stage(portal, deal)
    return "true" if stage is not None and stage.won else "false"


def _probability(portal: Portal, deal: Record) -> str | None:
    stage = _stage(portal, deal)
    return None if stage is None else str(stage.probability)


def _deal_days_to_close(portal: Portal, deal: Record) -> str | None:
    stage = _stage(portal, deal)
    return _days_to_close(portal, deal) if stage is not None and stage.closed else None


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
        deal for deal in _deals(portal, owner, record) if (stage := _stage(portal, deal)) is not None and stage.won
    )


def _first_created(owner: str) -> _Compute:
    def compute(portal: Portal, record: Record) -> str | None:
        first = min((deal.created for deal in _deals(portal, owner, record)), default=None)
        return None if first is None else to_iso(first)

    return compute


def _recent(owner: str, name: str) -> _Compute:
    """A value of the associated deal that was won most recently, by close date; the larger id breaks a tie."""

    def compute(portal: Portal, record: Record) -> str | None:
        closed = (deal for deal in _won_deals(portal, owner, record) if "closedate" in deal.values)
        recent = max(closed, key=lambda deal: (deal.values["closedate"], deal.id), default=None)
        return None if recent is None else recent.values.get(name)

    return compute


def _revenue(owner: str) -> _Compute:
    def compute(portal: Portal, record: Record) -> str | None:
        amounts = [deal.values["amount"] for deal in _won_deals(portal, owner, record) if "amount" in deal.values]
        return format(sum(map(Decimal, amounts), Decimal()), "f") if amounts else None

    return compute


def _rollups(owner: str) -> dict[str, _Compute]:
    return {
        "num_associated_deals": _count(owner, "deals"),
        "first_deal_created_date": _first_created(owner),
        "recent_deal_amount": _recent(owner, "amount"),
        "recent_deal_close_date": _recent(owner, "closedate"),
        "total_revenue": _revenue(owner),
        "days_to_close": _days_to_close,
    }


_SYSTEM: dict[str, _Compute] = {
    "hs_object_id": lambda _, record: str(record.id),
    "createdate": lambda _, record: to_iso(record.created),
    "hs_object_source": lambda *_: "INTEGRATION",
    "hs_object_source_id": lambda *_: APP_ID,
    "hs_object_source_label": lambda *_: "INTEGRATION",
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
    },
    "deals": {
        **_SYSTEM,
        "hs_lastmodifieddate": _modified,
        "num_associated_contacts": _count("deals", "contacts"),
        "hs_primary_associated_company": _associated("deals", "companies", 5),
        "hs_is_closed": _is_closed,
        "hs_is_closed_won": _is_closed_won,
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
    return lambda record: record.values.get(name)
