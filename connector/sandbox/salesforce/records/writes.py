"""What happens when a client creates, changes or deletes a record: the steps every object shares.

A body is read (unknown names and wrong types fail here), each value is held against its field, references and
unique values against the store, then the rules of the object add what follows from the change (`rules.py`); last
come validation rules, duplicate rules and the locks of others. Only after all that is anything stored, so a
refused record leaves no trace. Field history follows what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connector.sandbox.salesforce.access import Access
from connector.sandbox.salesforce.api.options import WriteOptions
from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import ApiError, DeserializationError, NoSuchRecordError
from connector.sandbox.salesforce.ids import normalise
from connector.sandbox.salesforce.records import rules, values
from connector.sandbox.salesforce.records.duplicates import Duplicates
from connector.sandbox.salesforce.records.evaluation import stored
from connector.sandbox.salesforce.records.formulas import fields_of
from connector.sandbox.salesforce.records.history import FieldHistory
from connector.sandbox.salesforce.records.locks import Locks
from connector.sandbox.salesforce.records.store import Deletion, Row, Store, Table, trimmed
from connector.sandbox.salesforce.records.validation import Validation
from connector.sandbox.salesforce.settings import Settings


class Writer:
    """Changes records on behalf of the signed-in user. Every method raises `ApiError` and then changed nothing."""

    def __init__(self, store: Store, access: Access, settings: Settings) -> None:
        self._store = store
        self._access = access
        self._settings = settings
        self._options = WriteOptions()
        self.validation = Validation(store)
        self.duplicates = Duplicates(store)
        self.locks = Locks(store)
        self.history = FieldHistory(store)

    @contextmanager
    def under(self, options: WriteOptions) -> Iterator[None]:
        """Write as the headers of a request ask, until it is answered. Requests nest."""
        before, self._options = self._options, options
        try:
            yield
        finally:
            self._options = before

    def create(self, sobject: SObject, body: Mapping[str, Any]) -> str:
        """Insert a record and give back its id."""
        given = self._given(sobject, body, creating=True)
        self._allow(sobject)
        changes = {name: self._checked(sobject, name, value) for name, value in given.items()}
        self._fill(sobject, changes)
        self._require(sobject, changes, creating=True)
        table = self._store.table(sobject.name)
        kept = {name: value for name, value in changes.items() if not sobject.fields[name.lower()].derived}
        rules.complete(self._store, sobject, None, kept)
        self._be_unique(table, None, kept)
        now, user = self._store.now(), self._store.user
        row = {
            **trimmed(kept.items()), "CreatedDate": now, "CreatedById": user,
            "LastModifiedDate": now, "LastModifiedById": user, "SystemModstamp": now,
        }  # fmt: skip
        self._admit(sobject, row, None, kept)
        row = {"Id": self._store.new_id(table), **row, **_numbers(table, sobject)}
        self._store.put(table, row)
        rules.follow(self._store, sobject, row, changes)
        self.history.record(sobject, None, row)
        return str(row["Id"])

    def update(self, sobject: SObject, record: str, body: Mapping[str, Any]) -> None:
        """Change a record. Writing what is there already is a change too: the record's times move."""
        given = self._given(sobject, body, creating=False)
        old = self.find(sobject, record)
        self._allow(sobject)
        table = self._store.table(sobject.name)
        changes = {name: self._checked(sobject, name, value) for name, value in given.items()}
        self._require(sobject, changes, creating=False)
        rules.complete(self._store, sobject, old, changes)
        self._be_unique(table, old["Id"], changes)
        now = self._store.now()
        stamped = {"LastModifiedDate": now, "LastModifiedById": self._store.user, "SystemModstamp": now}
        row = trimmed({**old, **changes, **stamped}.items())
        self._admit(sobject, row, old, changes)
        self._store.put(table, row)
        rules.follow(self._store, sobject, row, changes)
        self.history.record(sobject, old, row)

    def upsert(
        self, sobject: SObject, key: Field, value: str, body: Mapping[str, Any], *, update_only: bool = False
    ) -> tuple[str, bool]:
        """Update the record whose `key` field has this value, or else create it: its id, and whether it is new.

        Raises `SeveralRecordsError` when the key fits more than one record.
        """
        if any(name.lower() == key.name.lower() for name in body):
            message = f"The {key.name} field should not be specified in the sobject data."
            raise ApiError("INVALID_FIELD", message, [key.name])
        found = self.matching(sobject, key, value)
        if len(found) > 1:
            raise SeveralRecordsError(sobject, found)
        if found:
            self.update(sobject, found[0], body)
            return found[0], False
        if update_only or key.name == "Id":
            raise NoSuchRecordError
        return self.create(sobject, {**body, key.name: value}), True

    def matching(self, sobject: SObject, key: Field, value: str) -> list[str]:
        """The ids of the live records whose key field has this value; `key` may be the Id."""
        table = self._store.table(sobject.name)
        if key.name == "Id":
            full = normalise(value)
            return [full] if full in table.live else []
        return table.keyed(key.name, values.read(key, value))

    def delete(self, sobject: SObject, record: str) -> None:
        """Move a record, and those that cannot be without it, to the recycle bin."""
        row = self.find(sobject, record)
        self._allow(sobject)
        if not self._settings.delete_won_opportunities:
            rules.keep_won(self._store, sobject, row)
        self.locks.need(sobject, row)
        self._store_away(self._store.table(sobject.name), row["Id"], row["Id"])

    def find(self, sobject: SObject, record: str) -> Row:
        """The live row with this id, in either length. Raises MALFORMED_ID, NOT_FOUND or ENTITY_IS_DELETED."""
        full = normalise(record)
        if full is None or full[:3] != sobject.prefix:
            message = f"{sobject.label} ID: id value of incorrect type: {record}"
            raise ApiError("MALFORMED_ID", message, ["Id"])
        table = self._store.table(sobject.name)
        row = table.live.get(full)
        if row is not None:
            return row
        if full in table.deletions:
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", [])
        raise NoSuchRecordError

    def merge(self, sobject: SObject, master: str, losers: list[str]) -> None:
        """Move what hangs below the losers to the master, then bin the losers with their MasterRecordId."""
        kept = self.find(sobject, master)["Id"]
        rows = [self.find(sobject, loser) for loser in losers]
        for row in rows:
            self._hand_over(sobject, row["Id"], kept)
            self._store_away(self._store.table(sobject.name), row["Id"], row["Id"], {"MasterRecordId": kept})

    def undelete(self, record: str) -> None:
        """Bring a record back from the recycle bin, with all that went there because of it."""
        full = normalise(record) or ""
        sobject = self._store.schema.by_prefix(full[:3])
        if sobject is None or full not in self._store.table(sobject.name).bin:
            raise ApiError("UNDELETE_FAILED", "Entity is not in the recycle bin", [])
        for each in self._store.schema:
            table = self._store.table(each.name)
            for found, deletion in list(table.deletions.items()):
                if deletion.root == full and found in table.bin:
                    self._restore(table, table.bin[found])

    def _restore(self, table: Table, binned: Row) -> None:
        gone = {"IsDeleted", "MasterRecordId"}
        row = {name: value for name, value in binned.items() if name not in gone}
        self._be_unique(table, row["Id"], row)
        self._store.bring_back(table, {**row, "SystemModstamp": self._store.now()})

    def _store_away(self, table: Table, record: str, root: str, extra: Row | None = None) -> None:
        now = self._store.now()
        for child, reference in self._store.schema.children(table.sobject.name):
            below = self._store.table(child.name)
            for found in below.below(reference.name, record):
                if reference.cascade:
                    self._store_away(below, found, root)
                else:
                    self._repoint(below, found, reference, None)
        row = table.live[record]
        stamps = {"LastModifiedDate": now, "LastModifiedById": self._store.user, "SystemModstamp": now}
        # A role deleted for itself does not go through the recycle bin, one deleted with its parent does
        # (Object Reference, OpportunityContactRole).
        shown = table.sobject.recycled or record != root
        binned = {**row, **stamps, "IsDeleted": True, **(extra or {})} if shown else None
        self._store.take(table, record, Deletion(now, root), binned)

    def _hand_over(self, sobject: SObject, loser: str, master: str) -> None:
        for child, reference in self._store.schema.children(sobject.name):
            below = self._store.table(child.name)
            # The history of a loser stays its own.
            for found in below.below(reference.name, loser) if child.writable else ():
                self._repoint(below, found, reference, None if found == master else master)

    def _repoint(self, table: Table, record: str, reference: Field, parent: str | None) -> None:
        row = {**table.live[record], "SystemModstamp": self._store.now(), reference.name: parent}
        self._store.put(table, trimmed(row.items()))

    def _given(self, sobject: SObject, body: Mapping[str, Any], *, creating: bool) -> Row:
        given: Row = {}
        for name, value in body.items():
            if name == "attributes":
                continue
            field = self._visible(sobject, sobject.find(name))
            if field is not None:
                given[field.name] = values.read(field, value)
                continue
            reference = self._visible(sobject, sobject.related(name))
            if reference is None or not isinstance(value, dict):
                message = f"No such column '{name}' on sobject of type {sobject.name}"
                raise DeserializationError("INVALID_FIELD", message)
            given[reference.name] = self._resolve(reference, value)
        locked = [
            name for name in given
            if not _may_set(sobject.fields[name.lower()], creating)
            or not self._access.may_edit_field(sobject.name, name)
        ]  # fmt: skip
        if locked:
            raise ApiError(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set.",
                locked,
            )
        return given

    def _visible(self, sobject: SObject, field: Field | None) -> Field | None:
        """The field, unless the user may not see it."""
        return field if field is not None and self._access.may_read_field(sobject.name, field.name) else None

    def _resolve(self, reference: Field, described: Mapping[str, Any]) -> str:
        """The id of the parent that a body names by an external id: `"Account": {"HubSpot_Id__c": "1"}`."""
        parent = self._store.schema[reference.references[0]]
        keys = {name: value for name, value in described.items() if name != "attributes"}
        name, value = next(iter(keys.items()), ("", None))
        key = parent.find(name)
        if len(keys) != 1 or key is None or not (key.keyed or key.name == "Id"):
            message = f"{reference.relationship}: exactly one external id field must name the {parent.name}"
            raise DeserializationError("INVALID_FIELD", message)
        found = self.matching(parent, key, value) if isinstance(value, str) else []
        if len(found) != 1:
            message = f"Foreign key external ID: {value} not found for field {key.name} in entity {parent.name}"
            raise ApiError("INVALID_FIELD", message, [])
        return found[0]

    def _checked(self, sobject: SObject, name: str, value: Any) -> Any:
        field = sobject.fields[name.lower()]
        checked = values.check(field, value)
        if checked is not None and field.references:
            self._check_reference(field, checked)
        return checked

    def _check_reference(self, field: Field, record: str) -> None:
        parent = self._store.schema[field.references[0]]
        if parent.prefix != record[:3]:
            raise values.malformed(field, record)
        if parent.name == "RecordType":
            return  # which of them fit is a rule of its own
        table = self._store.table(parent.name)
        if record in table.deletions:
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", [field.name])
        if record not in table.live:
            raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])

    def _fill(self, sobject: SObject, changes: Row) -> None:
        """Give a new record the default values of the fields it does not name."""
        for name in sobject.filled:
            if name in changes:
                continue
            field = sobject.fields[name.lower()]
            if field.preset is not None:
                record = fields_of(self._store, sobject).record(changes, is_new=True)
                changes[name] = values.check(field, stored(field, field.preset.evaluate(record)))
            elif field.choices:
                changes[name] = next((each.value for each in field.choices if each.default and each.active), None)

    def _admit(self, sobject: SObject, row: Row, old: Row | None, changes: Row) -> None:
        """Ask those who may still refuse a row that is whole."""
        self.validation.check(sobject, row, old)
        self.duplicates.check(sobject, row, changes, self._options)
        self.locks.need(sobject, row, old)

    def _require(self, sobject: SObject, changes: Row, *, creating: bool) -> None:
        missing = [name for name in sobject.required if (creating or name in changes) and changes.get(name) is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise ApiError("REQUIRED_FIELD_MISSING", message, missing)

    def _be_unique(self, table: Table, record: str | None, changes: Row) -> None:
        for name in table.by_key:
            value = changes.get(name)
            if value is None or not table.sobject.fields[name.lower()].unique:
                continue
            other = next((found for found in table.keyed(name, value) if found != record), None)
            if other is not None:
                message = f"duplicate value found: {name} duplicates value on record with id: {other[:15]}"
                raise ApiError("DUPLICATE_VALUE", message, [name])

    def _allow(self, sobject: SObject) -> None:
        if not sobject.writable:
            message = f"entity type cannot be inserted, updated or deleted: {sobject.label}"
            raise ApiError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])
        if not self._access.may_edit(sobject.name):
            message = "insufficient access rights on object id"
            raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", message, [])


class SeveralRecordsError(Exception):
    """An external id that more than one record has: answered 300 with the records' addresses."""

    def __init__(self, sobject: SObject, found: list[str]) -> None:
        super().__init__(f"{len(found)} records of {sobject.name}")
        self.sobject = sobject
        self.found = found


def _may_set(field: Field, creating: bool) -> bool:
    return field.createable if creating else field.updateable


def _numbers(table: Table, sobject: SObject) -> Row:
    """The next values of the fields that count up."""
    numbers: Row = {}
    for name in sobject.filled:
        shape = sobject.fields[name.lower()].numbering
        if shape is not None:
            head, _, rest = shape.partition("{")
            digits, _, tail = rest.partition("}")
            numbers[name] = f"{head}{table.count_on(name):0{len(digits)}d}{tail}"
    return numbers
