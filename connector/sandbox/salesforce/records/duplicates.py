"""Duplicate rules: records that look like one that is there already are refused, or only with a second thought.

`{"object": "Contact", "name": "Same_email", "active": true, "matchOn": [["Email"], ["FirstName", "LastName"]],
"action": "block", "alertText": "Use one of these records?"}`. A record is a duplicate when all fields of one of
the lists are the same, but for case, and none of them is blank. `alert` lets it pass when the request allows the
save (`options.py`), `block` never does. A change is held against a rule when it touches a field of the rule.

Only exact matching is there, and only within one object. The property of an answer that tells of the duplicates is
spelled `duplicateResut`, as Salesforce's answers spell it. Source: Salesforce Help, "Duplicate Rules"; REST API
Developer Guide, "Duplicate Rule Header"; SOAP API Developer Guide, "DuplicateResult".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.api.options import WriteOptions
from connector.sandbox.salesforce.definitions.schema import Schema, SObject
from connector.sandbox.salesforce.errors import ApiError, InputError
from connector.sandbox.salesforce.records.formulas import getter
from connector.sandbox.salesforce.records.rulebook import NamedRule, Rulebook
from connector.sandbox.salesforce.records.store import Row, Table, fold

ALERT_TEXT = "Use one of these records?"

_KNOWN = {"id", "object", "name", "active", "matchOn", "action", "alertText"}


@dataclass(frozen=True, slots=True)
class DuplicateRule(NamedRule):
    """One rule: lists of field names, any of which suffices to match."""

    match_on: tuple[tuple[str, ...], ...]
    blocks: bool
    text: str

    def concerns(self, changes: Row) -> bool:
        return any(name in changes for group in self.match_on for name in group)


class DuplicatesError(ApiError):
    """A refusal that tells which records are there already. Inside a collection it only says so."""

    def __init__(self, rule: DuplicateRule, records: list[dict[str, Any]]) -> None:
        super().__init__("DUPLICATES_DETECTED", rule.text, [])
        self._result = {
            "allowSave": not rule.blocks, "duplicateRule": rule.name, "duplicateRuleEntityType": rule.sobject,
            "errorMessage": rule.text,
            "matchResults": [{
                "entityType": rule.sobject, "errors": [], "matchEngine": "ExactMatchEngine",
                "matchRecords": [
                    {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record}
                    for record in records
                ],
                "rule": rule.name, "size": len(records), "success": True,
            }],
        }  # fmt: skip

    def body(self) -> list[dict[str, Any]]:
        return [{"duplicateResut": self._result, "errorCode": self.code, "message": self.message}]


class Duplicates(Rulebook[DuplicateRule]):
    """The duplicate rules of an org."""

    prefix = "0Bm"

    def tell(self) -> list[dict[str, Any]]:
        return [
            {
                "id": rule.id, "object": rule.sobject, "name": rule.name, "active": rule.active,
                "matchOn": [list(group) for group in rule.match_on],
                "action": "block" if rule.blocks else "alert", "alertText": rule.text,
            }
            for rule in self._rules.values()
        ]  # fmt: skip

    def check(self, sobject: SObject, row: Row, changes: Row, options: WriteOptions) -> None:
        """Hold a row that is about to be saved against the rules of its object. Raises DUPLICATES_DETECTED."""
        for rule in self._of(sobject.name):
            if not rule.concerns(changes) or (options.allow_save and not rule.blocks):
                continue
            found = self._matches(rule, self._store.table(sobject.name), row)
            if found:
                raise DuplicatesError(rule, [self._shown(sobject, each, options) for each in found])

    def check_against(self, schema: Schema) -> None:
        """Raises `InputError` when a rule could not be kept with these objects and fields."""
        for rule in self._rules.values():
            for name in (name for group in rule.match_on for name in group):
                if schema[rule.sobject].find(name) is None:
                    raise InputError(f"{rule.name}: {rule.sobject} has no field {name}")

    def _matches(self, rule: DuplicateRule, table: Table, row: Row) -> list[Row]:
        found: dict[str, Row] = {}
        for group in rule.match_on:
            if any(name not in row for name in group):
                continue
            table.index_values(group[0])
            for record in table.keyed(group[0], row[group[0]]):
                other = table.live[record]
                if record != row.get("Id") and all(_same(table.sobject, name, row, other) for name in group):
                    found[record] = other
        return list(found.values())

    def _shown(self, sobject: SObject, row: Row, options: WriteOptions) -> dict[str, Any]:
        url = f"{options.base}/sobjects/{sobject.name}/{row['Id']}"
        shown: dict[str, Any] = {"attributes": {"type": sobject.name, "url": url}, "Id": row["Id"]}
        if options.record_details:
            shown |= {field.name: getter(self._store, sobject, field)(row) for field in sobject.fields.values()}
        return shown

    def _read(self, item: Mapping[str, Any]) -> DuplicateRule:
        sobject, groups = _checked(self._store.schema, item)
        return DuplicateRule(
            "", sobject.name, item["name"], item.get("active", True), groups, item["action"] == "block",
            item.get("alertText") or ALERT_TEXT,
        )  # fmt: skip


def _checked(schema: Schema, item: Mapping[str, Any]) -> tuple[SObject, tuple[tuple[str, ...], ...]]:
    name, groups = item.get("name"), item.get("matchOn")
    sobject = schema.find(str(item.get("object")))
    if not isinstance(name, str) or not name or sobject is None or not sobject.writable:
        raise InputError("a duplicate rule needs a name, and an object whose records can be changed")
    if item.keys() - _KNOWN or item.get("action") not in ("block", "alert"):
        raise InputError(f"{name}: action is block or alert; known are {', '.join(sorted(_KNOWN))}")
    if not isinstance(item.get("active", True), bool) or not isinstance(item.get("alertText", ""), str):
        raise InputError(f"{name}: active is true or false, alertText a text")
    if not isinstance(groups, list) or not groups or not all(isinstance(each, list) and each for each in groups):
        raise InputError(f'{name}: matchOn is a list of lists of fields, such as [["Email"]]')
    return sobject, tuple(tuple(_field(sobject, name, each) for each in group) for group in groups)


def _field(sobject: SObject, rule: str, name: Any) -> str:
    found = sobject.find(name) if isinstance(name, str) else None
    if found is None or found.derived or not found.filterable or found.type == "boolean":
        raise InputError(f"{rule}: {name} is no field of {sobject.name} that is stored and can be compared")
    return found.name


def _same(sobject: SObject, name: str, row: Row, other: Row) -> bool:
    field = sobject.fields[name.lower()]
    return name in other and bool(fold(field, row[name]) == fold(field, other[name]))
