"""Field history: who changed which tracked field of a record, when, and from what to what.

| what happens | rows |
|---|---|
| a record of an object with tracked fields is created | one, `Field` is `created` |
| a tracked field changes | one, with both values; long text without them |
| a tracked lookup changes | two: one with the ids, one with the names |

`Field` is the field's name; a standard lookup is named by its relationship (`Owner`). Nothing is tracked until an
administrator says so, and at most 20 fields of an object. Rows go to the recycle bin with their record, and are
kept without end, where Salesforce keeps them for 18 months. Source: Salesforce Object Reference,
"StandardObjectNameHistory", "OpportunityFieldHistory"; Salesforce Help, "Field History Tracking".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.sandbox.salesforce.definitions.objects import HISTORIES
from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import InputError
from connector.sandbox.salesforce.records.formulas import getter
from connector.sandbox.salesforce.records.store import Row, Store, Table, trimmed

MAX_TRACKED = 20

_DATA_TYPES = {
    "boolean": "Boolean", "currency": "Currency", "date": "DateOnly", "datetime": "DateTime", "double": "Double",
    "int": "Double", "email": "Email", "multipicklist": "MultiEnum", "percent": "Percent", "phone": "Phone",
    "picklist": "DynamicEnum", "textarea": "MultiLineText", "url": "Url",
}  # fmt: skip


class FieldHistory:
    """Which fields are tracked, by object; the rows are in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tracked: dict[str, list[str]] = {}

    def tell(self) -> dict[str, list[str]]:
        """`{"Opportunity": ["Amount", "StageName"]}`."""
        return {name: list(fields) for name, fields in self._tracked.items()}

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Track these fields of these objects, and no others, from now on. Raises `InputError`."""
        self._tracked = {name: self._fields(name, given) for name, given in wanted.items()}

    def forget(self, sobject: str, field: str) -> None:
        """Stop tracking a field that is taken away."""
        if field in self._tracked.get(sobject, []):
            self._tracked[sobject].remove(field)

    def record(self, sobject: SObject, before: Row | None, row: Row) -> None:
        """Keep what a change that has been stored did to the tracked fields."""
        tracked = self._tracked.get(sobject.name)
        if not tracked:
            return
        if before is None:
            self._keep(sobject, row, "created", "Text", None, None)
            return
        for name in tracked:
            field = sobject.fields[name.lower()]
            read = getter(self._store, sobject, field)
            old, new = read(before), read(row)
            if old != new:
                for label, data_type, was, became in self._entries(field, old, new):
                    self._keep(sobject, row, label, data_type, was, became)

    def _entries(self, field: Field, old: Any, new: Any) -> Iterator[tuple[str, str, Any, Any]]:
        if field.references:
            label = field.name if field.custom else field.relationship or field.name
            parents = self._store.table(field.references[0])
            yield label, "Text", _name(self._store, parents, old), _name(self._store, parents, new)
            yield label, "EntityId", old, new
        elif field.filterable:
            yield field.name, _DATA_TYPES.get(field.type, "Text"), old, new
        else:
            yield field.name, _DATA_TYPES.get(field.type, "Text"), None, None

    def _keep(self, sobject: SObject, row: Row, label: str, data_type: str, old: Any, new: Any) -> None:
        store, table = self._store, self._store.table(HISTORIES[sobject.name])
        now = store.now()
        kept = {
            "Id": store.new_id(table), f"{sobject.name}Id": row["Id"], "Field": label, "DataType": data_type,
            "CreatedDate": now, "CreatedById": store.user, "SystemModstamp": now,
        }  # fmt: skip
        # A checkbox that was false is told as false here: the values of a history have no type of their own.
        store.put(table, {**trimmed(kept.items()), **_values(old, new)})

    def _fields(self, name: str, given: Any) -> list[str]:
        sobject = self._store.schema.find(name)
        if sobject is None or sobject.name not in HISTORIES or sobject.name != name:
            raise InputError(f"history is kept of {', '.join(HISTORIES)}, not of {name}")
        if not isinstance(given, list) or len(given) > MAX_TRACKED:
            raise InputError(f"{name}: a list of at most {MAX_TRACKED} fields")
        found = [sobject.find(each) if isinstance(each, str) else None for each in given]
        fields = [each.name for each in found if each is not None and each.updateable]
        if len(fields) != len(given):
            raise InputError(f"{name}: fields that can be changed, by their API names")
        return list(dict.fromkeys(fields))


def _name(store: Store, table: Table, record: str | None) -> str | None:
    """How a page shows a record: by its name field."""
    row = table.get(record or "", deleted=True)
    named = next((each for each in table.sobject.fields.values() if each.name_field), None)
    return None if row is None or named is None else getter(store, table.sobject, named)(row)


def _values(old: Any, new: Any) -> Row:
    return {name: value for name, value in (("OldValue", old), ("NewValue", new)) if value is not None}
