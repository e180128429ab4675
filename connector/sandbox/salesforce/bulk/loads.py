"""What a bulk upload does to the records of an object, and what became of each.

| in CSV | in XML | in JSON | means |
|---|---|---|---|
| an empty value | an empty element | a name left out | leave the field alone |
| `#N/A` | `xsi:nil="true"` | null | make it null |
| column `Account.Key__c` | `<Account><sObject><Key__c>` | `"Account": {"Key__c"}` | the account with this key |

Each record is saved by the same rules, and as the same user, as a single one would be, and fails for itself. Values
come as text and are taken for what their field holds. Records are saved two hundred together; among those an
external id may be named once. Source: Salesforce "Bulk API 2.0 and Bulk API Developer Guide", "Valid CSV Record
Rows", "Relationship Fields in a Header Row", "Valid Date Format in Records" and "Get Batch Results".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from connector.sandbox.salesforce.access import Access
from connector.sandbox.salesforce.bulk import tables
from connector.sandbox.salesforce.bulk.tables import Dialect, SpoiltError
from connector.sandbox.salesforce.definitions.schema import NUMBER_TYPES, Field, SObject
from connector.sandbox.salesforce.errors import ApiError, DeserializationError
from connector.sandbox.salesforce.ids import normalise
from connector.sandbox.salesforce.records import values
from connector.sandbox.salesforce.records.store import Store, fold
from connector.sandbox.salesforce.records.writes import SeveralRecordsError, Writer

SAVED_TOGETHER = 200
NULL = "#N/A"

Record = dict[str, Any]

_TYPED = NUMBER_TYPES | {"boolean", "date", "datetime"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record: saved, unless there are errors, each `{"statusCode", "message", "fields"}`."""

    record: str = ""
    created: bool = False
    errors: tuple[dict[str, Any], ...] = ()

    @property
    def error(self) -> str:
        """`CODE:message:fields --` for each error, one behind the other."""
        return "".join(_told(each) for each in self.errors)


@dataclass(slots=True)
class Load:
    """The outcomes of an upload, in its order."""

    outcomes: list[Outcome] = field(default_factory=list)
    failed: int = 0

    def add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.failed += bool(outcome.errors)


class Reader:
    """Turns an upload into records: values by field name, None for null, objects for parents known by a key."""

    def __init__(self, store: Store, access: Access, sobject: SObject) -> None:
        self._schema = store.schema
        self._access = access
        self._sobject = sobject

    def table(self, content: bytes, dialect: Dialect) -> tuple[set[str], Iterator[Record]]:
        """The columns and the records of a CSV, which is read to its end first: one that is not sound shall change
        nothing. Raises `SpoiltError`, also for a column that is none of the object's.
        """
        for _ in tables.read(content, dialect):
            pass
        rows = tables.read(content, dialect)
        header = next(rows, [])
        places = [self._place(name) for name in header]
        repeated = [name for name, times in Counter(name.lower() for name in header).items() if times > 1]
        if repeated:
            raise SpoiltError(f"InvalidBatch : Duplicate field name found : {repeated[0]}")
        names = {known.name if key is None else name for name, (known, key) in zip(header, places, strict=True)}
        return names, (_fill(places, row) for row in rows)

    def objects(self, given: Iterable[Record]) -> list[Record]:
        """The records of a JSON or XML upload. Raises `SpoiltError`."""
        records = []
        for each in given:
            record: Record = {}
            for name, value in each.items():
                if name == "attributes":
                    continue
                if isinstance(value, dict):
                    keys = {key: inner for key, inner in value.items() if key != "attributes"}
                    if len(keys) != 1:
                        raise _not_found(name)
                    key, inner = next(iter(keys.items()))
                    _put(record, self._place(f"{name}.{key}"), inner)
                else:
                    _put(record, self._place(name), value)
            records.append(record)
        return records

    def _place(self, name: str) -> tuple[Field, Field | None]:
        """What a column means: a field; or a reference, and the key field of the parent it is found by."""
        relationship, dot, key_name = name.partition(".")
        if not dot:
            known = self._readable(self._sobject, name)
            if known is None:
                raise _not_found(name)
            return known, None
        reference = self._sobject.related(relationship)
        if reference is None:
            raise _not_found(name)
        key = self._readable(self._schema[reference.references[0]], key_name)
        if key is None or not (key.keyed or key.name == "Id"):
            raise _not_found(name)
        return reference, key

    def _readable(self, sobject: SObject, name: str) -> Field | None:
        known = sobject.find(name)
        return known if known is not None and self._access.may_read_field(sobject.name, known.name) else None


class Saver:
    """Saves records for one operation. `key` is the field an upsert finds records by."""

    def __init__(self, store: Store, writer: Writer, sobject: SObject, operation: str, key: Field | None) -> None:
        self._store = store
        self._writer = writer
        self._sobject = sobject
        self._key = key
        self._operation = operation
        self._save = {
            "insert": self._insert, "update": self._update, "upsert": self._upsert, "delete": self._delete,
            "hardDelete": self._delete,
        }[operation]  # fmt: skip

    def save(self, records: Iterable[Record]) -> Load:
        """Save each record that can be saved."""
        load, waiting = Load(), iter(records)
        while together := list(islice(waiting, SAVED_TOGETHER)):
            repeated = self._repeated(together)
            for record in together:
                load.add(self._attempt(record, repeated))
        if self._operation == "hardDelete":
            self._forget({outcome.record for outcome in load.outcomes if not outcome.errors})
        return load

    def _attempt(self, record: Record, repeated: set[Any]) -> Outcome:
        given = record.get("Id")
        known = normalise(given) or "" if isinstance(given, str) else ""
        try:
            self._be_named_once(record, repeated)
            return Outcome(*self._save(record))
        except ApiError as error:
            return Outcome(known, errors=tuple(error.results()))
        except SeveralRecordsError as several:
            label = self._key.label if self._key else ""
            listed = ", ".join(several.found)
            message = f"{label}: more than one record found for external id field: [{listed}]"
            return Outcome(known, errors=(ApiError("DUPLICATE_EXTERNAL_ID", message).result(),))

    def _insert(self, record: Record) -> tuple[str, bool]:
        if record.get("Id"):
            raise ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        return self._writer.create(self._sobject, self._typed(record)), True

    def _update(self, record: Record) -> tuple[str, bool]:
        found = _id_of(record, "an update call")
        self._writer.update(self._sobject, found, self._typed(record))
        return normalise(found) or found, False

    def _upsert(self, record: Record) -> tuple[str, bool]:
        key = self._key
        value = None if key is None else record.get(key.name)
        if key is not None and key.name == "Id" and not value:
            return self._writer.create(self._sobject, self._typed(record)), True
        if key is None or value is None:
            raise ApiError("MISSING_ARGUMENT", f"{key.name if key else 'Id'} not specified", [])
        body = {name: each for name, each in self._typed(record).items() if name != key.name}
        return self._writer.upsert(self._sobject, key, str(value), body)

    def _delete(self, record: Record) -> tuple[str, bool]:
        found = _id_of(record, "a delete call")
        self._writer.delete(self._sobject, found)
        return normalise(found) or found, False

    def _typed(self, record: Record) -> Record:
        """The record without its id, and with values of the types that their fields hold."""
        return {name: self._value(name, each) for name, each in record.items() if name != "Id"}

    def _value(self, name: str, value: Any) -> Any:
        known = self._sobject.find(name)
        if known is None or known.type not in _TYPED or value is None:
            return value
        try:
            return values.read(known, _plain(known, value))
        except DeserializationError:
            message = f"{known.label}: value not of required type: {value}"
            raise ApiError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, [known.name]) from None

    def _be_named_once(self, record: Record, repeated: set[Any]) -> None:
        if self._key is not None and _key_of(self._key, record) in repeated:
            message = f"Duplicate external id specified: {record[self._key.name]}"
            raise ApiError("DUPLICATE_VALUE", message, [self._key.name])

    def _repeated(self, together: list[Record]) -> set[Any]:
        """The key values that more than one of the records has: Salesforce refuses all of them."""
        if self._key is None:
            return set()
        seen = Counter(_key_of(self._key, record) for record in together)
        return {value for value, times in seen.items() if times > 1 and value is not None}

    def _forget(self, roots: set[str]) -> None:
        """Empty the recycle bin of these records and of those that went there with them."""
        for sobject in self._store.schema:
            table = self._store.table(sobject.name)
            gone = [found for found, deletion in table.deletions.items() if deletion.root in roots]
            for found in gone:
                table.bin.pop(found, None)


def _told(error: Mapping[str, Any]) -> str:
    named = ", ".join(error["fields"]) + " " if error["fields"] else ""
    return f"{error['statusCode']}:{error['message']}:{named}--"


def _put(record: Record, place: tuple[Field, Field | None], value: Any) -> None:
    known, key = place
    if key is None or value is None:
        record[known.name] = value
    else:
        record[known.relationship or known.name] = {key.name: value}


def _fill(places: list[tuple[Field, Field | None]], row: list[str]) -> Record:
    record: Record = {}
    for place, cell in zip(places, row, strict=True):
        if cell:
            _put(record, place, None if cell == NULL else cell)
    return record


def _plain(known: Field, value: Any) -> Any:
    """The spellings of XML Schema that JSON does not have: 1 and 0 for booleans, a date with a Z."""
    if known.type == "boolean" and value in {"1", "0"}:
        return value == "1"
    if known.type == "date" and isinstance(value, str):
        return value.removesuffix("Z")
    return value


def _key_of(key: Field, record: Mapping[str, Any]) -> Any:
    value = record.get(key.name)
    return fold(key, value.strip()) if isinstance(value, str) else None


def _id_of(record: Record, act: str) -> str:
    found = record.get("Id")
    if not isinstance(found, str):
        raise ApiError("MISSING_ARGUMENT", f"Id not specified in {act}", [])
    return found


def _not_found(name: str) -> SpoiltError:
    return SpoiltError(f"InvalidBatch : Field name not found : {name}")
