"""Which fields do both CRMs have? As plain data for the checks of mappings, and remembered.

Remembered whole, beside the few definitions that every run needs, whenever a run or a command reads them: so
mappings can be checked, and names suggested, without a call to either CRM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connector.adapters.hubspot import PRIMARY_COMPANY, Property
from connector.adapters.salesforce import Schema
from connector.adapters.salesforce_deletion import ROLE
from connector.core.model import Pair, Side
from connector.mapping.schema import OWNERS, FieldFacts, Schemas, dump_schemas, load_schemas
from connector.store.store import Store

if TYPE_CHECKING:
    from connector.engine.world import Connection

SCHEMAS = "schemas"
_WITH_COMPANY = frozenset({"contacts", "deals"})


@dataclass(frozen=True, slots=True)
class KnownSchemas:
    """Schemas, and when they were read; None: never."""

    schemas: Schemas
    at: datetime | None = None


def read_schemas(c: Connection, pairs: Iterable[Pair]) -> Schemas:
    """Both schemas, fresh. One Salesforce call, and one HubSpot call for each object."""
    some = list(pairs)
    schema = c.salesforce.describe([*(pair.salesforce for pair in some), ROLE])
    c.salesforce.use_schema(schema)
    properties = {pair.hubspot: c.hubspot.properties(pair.hubspot) for pair in some}
    return to_facts(schema, properties)


def to_facts(schema: Schema, properties: Mapping[str, Mapping[str, Property]]) -> Schemas:
    """What both vendors tell of their fields, in one form."""
    there = {name: {one.name: _property_facts(one) for one in some.values()} for name, some in properties.items()}
    for name in _WITH_COMPANY & there.keys():
        there[name][PRIMARY_COMPANY] = FieldFacts(PRIMARY_COMPANY, "association", "Primary company")
    here = {
        object_: {name: _field_facts(name, facts) for name, facts in fields.items()}
        for object_, fields in schema.objects.items()
    }
    return {Side.SALESFORCE: here, Side.HUBSPOT: there}


def _field_facts(name: str, facts: Mapping[str, Any]) -> FieldFacts:
    """A field of `salesforce.Schema` (sObject Describe Result)."""
    computed = "a formula" if facts.get("calculated") else "an auto number" if facts.get("autoNumber") else ""
    required = not facts.get("nillable", True) and facts.get("createable") and not facts.get("defaultedOnCreate")
    return FieldFacts(
        name=name,
        type=str(facts["type"]),
        label=facts.get("label") or "",
        createable=bool(facts.get("createable")),
        updateable=bool(facts.get("updateable")),
        computed=computed,
        required=bool(required) and facts["type"] != "boolean",
        length=facts.get("length") or None,
        digits=facts.get("precision") or None,
        scale=facts.get("scale"),
        options=tuple((str(value), str(label)) for value, label in facts.get("options") or ()),
        closed=bool(facts.get("restrictedPicklist")),
        rich=bool(facts.get("htmlFormatted")),
        owner=name in OWNERS or facts.get("referenceTo") == ["User"],
    )


def _property_facts(one: Property) -> FieldFacts:
    labels = one.option_labels or one.options
    owner = one.refers_to == "OWNER" or one.name in OWNERS
    return FieldFacts(
        name=one.name,
        type=one.type,
        label=one.label,
        entered_as=one.field_type,
        createable=not one.read_only,
        updateable=not one.read_only,
        computed="" if not one.read_only else "calculated by HubSpot" if one.calculated else "read-only",
        options=tuple(zip(one.options, labels, strict=True)),
        closed=one.type == "enumeration" and bool(one.options) and not owner,
        rich=one.field_type == "html",
        owner=owner,
    )


def remember_schemas(store: Store, schemas: Schemas, at: datetime) -> None:
    """Keep schemas; objects that were read before and not now stay as they were."""
    known = recall_schemas(store).schemas
    merged = {side: {**known.get(side, {}), **schemas[side]} for side in Side}
    store.runs.remember(SCHEMAS, {"at": at.isoformat(), **dump_schemas(merged)})


def recall_schemas(store: Store) -> KnownSchemas:
    """What was last read of both schemas; nothing, if nobody ever did."""
    found = store.runs.read(SCHEMAS)
    if not found:
        return KnownSchemas({side: {} for side in Side})
    return KnownSchemas(load_schemas(found), datetime.fromisoformat(found["at"]))
