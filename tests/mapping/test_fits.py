"""Which types suit which transform: what could never work is named, all else is let through (F3)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from core.examples import HS, SF, rule

from connector.mapping.fits import find_better
from connector.mapping.transforms import (
    Boolean,
    Date,
    DateTime,
    Domain,
    Email,
    MultiPicklist,
    Number,
    Owner,
    Phone,
    Picklist,
    Reference,
    StagePair,
    Text,
    Url,
)

UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(("transform", "side", "type_", "better"), [
    (Text(), SF, "string", None),
    (Text(), SF, "double", "number"),
    (Text(), SF, "boolean", "boolean"),
    (Text(), HS, "enumeration", None),
    (Text(), HS, "number", "number"),
    (Number(), SF, "currency", None),
    (Number(), SF, "picklist", "picklist"),
    (Number(), HS, "string", None),
    (Number(), HS, "date", "date"),
    (Date(UTC), HS, "datetime", None),
    (Date(UTC), SF, "percent", "number"),
    (DateTime(), SF, "datetime", None),
    (DateTime(), SF, "string", ""),
    (Boolean(), SF, "boolean", None),
    (Boolean(), HS, "datetime", "datetime"),
    (MultiPicklist(), SF, "multipicklist", None),
    (Number(), SF, "multipicklist", "multi_picklist"),
    (Phone(), HS, "phone_number", None),
    (Url(), SF, "phone", ""),
    (Email(), SF, "email", None),
    (Email(), SF, "reference", ""),
    (Domain(), SF, "url", None),
    (Owner(), SF, "reference", None),
    (Owner(), HS, "bool", "boolean"),
    (Reference("account-company"), HS, "association", None),
    (Picklist({}), SF, "double", None),
    (StagePair(), SF, "reference", None),
    (Text(), SF, "a type of tomorrow", None),
])  # fmt: skip
def test_F3_what_a_field_of_a_type_needs(transform, side, type_, better):
    """None: the transform suits it; else the one to use instead, empty if none can be named."""
    assert find_better(rule(transform=transform), side, type_) == better
