"""What an import does with its rows: which records they mean, what is written, and what is wrong with them.

A row is a record of each object type that its columns belong to, and these are associated with one another. Empty
cells change nothing. A value that cannot be read is left out and listed, as is a row whose record cannot be written
(HubSpot docs, "CRM API | Imports"; HubSpot Knowledge Base, "Troubleshoot import errors"). References are followed
once all rows of all files are written, so that the order of files says nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connector.sandbox.hubspot.definitions.associations import Pair
from connector.sandbox.hubspot.definitions.properties import Definition
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS, COMPANIES, CONTACTS, ObjectType
from connector.sandbox.hubspot.errors import ApiError
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records import privacy, writes
from connector.sandbox.hubspot.transfers.import_files import RECORD_ID, Column, File, Order

# The error types of HubSpot's specification of imports, by the code of a refused value.
_ERROR_TYPES = {
    "INVALID_OPTION": "INVALID_ENUMERATION_OPTION",
    "INVALID_EMAIL": "INVALID_EMAIL",
    "INVALID_INTEGER": "COULD_NOT_PARSE_NUMBER",
    "INVALID_NUMBER": "COULD_NOT_PARSE_NUMBER",
    "INVALID_LONG": "COULD_NOT_PARSE_DATE",
    "INVALID_DATE": "COULD_NOT_PARSE_DATE",
    "INVALID_OWNER_ID": "COULD_NOT_FIND_OWNER",
    "CONFLICTING_UNIQUE_VALUE": "DUPLICATE_UNIQUE_PROPERTY_VALUE",
}
# What tells records apart even where no column is said to.
_USUAL_KEYS = ((CONTACTS, "email"), (COMPANIES, "domain"))


class RowError(Exception):
    """What is wrong with one row, or with the value at `place`; `kind` is one of HubSpot's import error types."""

    def __init__(
        self, kind: str, message: str = "", *, of: ObjectType | None = None, place: int | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.of = of
        self.place = place


@dataclass(slots=True)
class Outcome:
    """What has come of an import. `errors` are in HubSpot's shape but for their ids."""

    counters: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, Any]] = field(default_factory=list)


def carry_out(portal: Portal, order: Order) -> Outcome:
    """Write all rows, as the portal's actor of the moment."""
    run = _Run(portal, order)
    rows = [(file, number, row) for file in order.files for number, row in enumerate(file.rows, 2)]
    for file, number, row in rows:
        run.write(file, number, row)
    for file, number, row in rows:
        run.associate(file, number, row)
    return run.outcome


class _Run:
    def __init__(self, portal: Portal, order: Order) -> None:
        self._portal = portal
        self._order = order
        self._written: dict[tuple[int, int], dict[str, int]] = {}
        self._found: dict[tuple[str, str], dict[str, int]] = {}
        self._domains: dict[str, list[int]] | None = None
        self._touched: set[tuple[str, int]] = set()
        self.outcome = Outcome()

    # -- records

    def write(self, file: File, number: int, row: list[str]) -> None:
        self.outcome.counters["TOTAL_ROWS"] += 1
        if len(row) != len(file.columns):
            message = f"The row has {len(row)} columns, not {len(file.columns)}"
            self._note(file, number, row, RowError("INCORRECT_NUMBER_OF_COLUMNS", message))
            return
        records: dict[str, int] = {}
        for kind in dict.fromkeys(column.of for column in file.columns):
            try:
                record_id = self._write_record(file, number, row, kind)
            except RowError as error:
                self._note(file, number, row, error)
            else:
                if record_id is not None:
                    records[kind.name] = record_id
        self._written[file.id, number] = records

    def _write_record(self, file: File, number: int, row: list[str], kind: ObjectType) -> int | None:
        """The id of the row's record of one type. Raises `RowError` if it cannot be written."""
        cells = [
            (column, place, row[place].strip())
            for place, column in enumerate(file.columns)
            if column.of == kind and column.kind in {"key", "value"} and row[place].strip()
        ]
        if not cells:
            return None
        record_id = self._identify(kind, cells)
        operation = self._order.operations.get(kind.name, "UPSERT")
        if record_id is None and operation == "UPDATE":
            raise RowError("UPDATE_ONLY_IMPORT", "No record was found to be updated", of=kind)
        if record_id is not None and operation == "CREATE":
            raise RowError("CREATE_ONLY_IMPORT", "The record exists already", of=kind)
        properties, places = self._values(file, number, row, kind, cells)
        if kind == CONTACTS and privacy.is_blocked(self._portal, properties.get("email", "")):
            raise RowError("GDPR_BLACKLISTED_EMAIL", "The contact was permanently deleted", of=kind)
        draft = self._prepare(file, number, row, kind, record_id, properties, places)
        writes.commit(self._portal, draft)
        self._count(kind, draft.record_id, created=draft.record is None, values=len(draft.written))
        self._remember(kind, draft.record_id, properties)
        return draft.record_id

    def _count(self, kind: ObjectType, record_id: int, *, created: bool, values: int) -> None:
        counters = self.outcome.counters
        counters["CREATED_OBJECTS" if created else "UPDATED_OBJECTS"] += 1
        counters["PROPERTY_VALUES_EMITTED"] += values
        self._touched.add((kind.name, record_id))
        counters["UNIQUE_OBJECTS_WRITTEN"] = len(self._touched)

    def _identify(self, kind: ObjectType, cells: list[tuple[Column, int, str]]) -> int | None:
        """The record that a row means, by its keys or by what usually tells records apart. Raises `RowError`."""
        keys = [(column.property, place, text) for column, place, text in cells if column.kind == "key"]
        usual = [name for owner, name in _USUAL_KEYS if owner == kind]
        keys += [(column.property, place, text) for column, place, text in cells if column.property in usual]
        for name, place, text in keys:
            found = self._find(kind, name, text, place)
            if found is None and name == RECORD_ID:
                raise RowError("INVALID_RECORD_ID", f"{text} is not the id of a record", of=kind, place=place)
            if found is not None:
                return found
        return None

    def _find(self, kind: ObjectType, name: str, text: str, place: int | None = None) -> int | None:
        """The live record with a key. Raises `RowError` for a domain that several companies have."""
        if (kind, name) == (COMPANIES, "domain"):
            holders = self._companies_at(text.lower())
            if len(holders) > 1:
                message = f"{len(holders)} companies have the domain {text}"
                raise RowError("MULTIPLE_COMPANIES_WITH_THIS_DOMAIN", message, of=kind, place=place)
            return holders[0] if holders else None
        record = writes.locate(self._portal, kind, text, name)
        return None if record is None else record.id

    def _companies_at(self, domain: str) -> list[int]:
        if self._domains is None:
            self._domains = {}
            for record in self._portal.tables[COMPANIES.name].live.values():
                self._domains.setdefault(record.values.get("domain", "").lower(), []).append(record.id)
        return self._domains.get(domain, [])

    def _remember(self, kind: ObjectType, record_id: int, properties: dict[str, str]) -> None:
        if kind == COMPANIES and self._domains is not None and "domain" in properties:
            holders = self._domains.setdefault(properties["domain"].lower(), [])
            if record_id not in holders:
                holders.append(record_id)

    # -- values

    def _values(
        self, file: File, number: int, row: list[str], kind: ObjectType, cells: list[tuple[Column, int, str]]
    ) -> tuple[dict[str, str], dict[str, int]]:
        """What is to be written, and the column of each property; what cannot be read is noted."""
        properties: dict[str, str] = {}
        places: dict[str, int] = {}
        defined = self._portal.properties[kind.name].defined
        for column, place, text in cells:
            if column.property == RECORD_ID:
                continue
            try:
                properties[column.property] = self._read(defined[column.property], text)
                places[column.property] = place
            except RowError as error:
                self._note(file, number, row, RowError(error.kind, error.message, of=kind, place=place))
        return properties, places

    def _read(self, definition: Definition, text: str) -> str:
        """A cell as the API takes it: labels become internal values, dates those of ISO 8601."""
        if definition.external == "OWNER":
            return self._read_owner(text)
        if definition.external in {"PIPELINE", "STAGE"}:
            options = self._portal.pipelines.options()[definition.external]
        else:
            options = definition.options
        if options:
            return _read_choices(options, text, many=definition.field_type == "checkbox")
        read = _READERS.get(definition.type)
        return text if read is None else read(text, self._order.date_format)

    def _read_owner(self, text: str) -> str:
        """An owner by id, address or name."""
        wanted = text.lower()
        found = [
            owner["id"]
            for owner in self._portal.owners.all()
            if wanted in {owner["id"], owner["email"].lower(), f"{owner['firstName']} {owner['lastName']}".lower()}
        ]
        if len(found) != 1:
            raise RowError("MULTIPLE_OWNERS_FOUND" if found else "COULD_NOT_FIND_OWNER", f"{text} is not one owner")
        owner_id: str = found[0]
        return owner_id

    def _prepare(
        self,
        file: File,
        number: int,
        row: list[str],
        kind: ObjectType,
        record_id: int | None,
        properties: dict[str, str],
        places: dict[str, int],
    ) -> writes.Draft:
        """Check the write; values that are refused are noted and left out. Raises `RowError` if nothing helps."""
        record = None if record_id is None else self._portal.tables[kind.name].live[record_id]
        while True:
            try:
                if record is None:
                    return writes.prepare_create(self._portal, kind, properties, None, {})
                return writes.prepare_update(self._portal, kind, record, properties, {})
            except ApiError as error:
                refused = [(name, detail) for detail in error.errors for name in detail["context"]["propertyName"]]
                refused = [(name, detail) for name, detail in refused if name in properties]
                if not refused:
                    missing = "required" in error.message
                    kind_of_error = "MISSING_REQUIRED_PROPERTY" if missing else "FAILED_VALIDATION"
                    raise RowError(kind_of_error, error.message, of=kind) from None
                for name, detail in refused:
                    error_type = _ERROR_TYPES.get(detail["code"], "FAILED_VALIDATION")
                    wrong = RowError(error_type, detail["message"], of=kind, place=places[name])
                    self._note(file, number, row, wrong)
                    properties.pop(name, None)

    # -- associations

    def associate(self, file: File, number: int, row: list[str]) -> None:
        """Associate the records of a row with one another, and with those that it refers to."""
        records = self._written.get((file.id, number), {})
        labels = {
            (column.of.name, column.other.name): (place, row[place].strip())
            for place, column in enumerate(file.columns)
            if column.kind == "label" and column.other is not None and row and records and row[place].strip()
        }
        names = list(records)
        for at, name in enumerate(names):
            for second in names[at + 1 :]:
                self._link(file, number, row, (name, second), records[name], records[second], labels)
        for place, column in enumerate(file.columns):
            other, start = column.other, records.get(column.of.name)
            if column.kind == "reference" and other is not None and start is not None and row[place].strip():
                try:
                    self._refer(column, other, start, row[place].strip(), place)
                except RowError as error:
                    self._note(file, number, row, error)

    def _link(
        self,
        file: File,
        number: int,
        row: list[str],
        pair: Pair,
        start: int,
        end: int,
        labels: dict[Pair, tuple[int, str]],
    ) -> None:
        types: tuple[int, ...] = ()
        for direction in (pair, pair[::-1]):
            place, label = labels.get(direction, (-1, ""))
            if label:
                known = {one.label: one for one in self._portal.associations.types(direction)}
                found = known.get(label)
                if found is None:
                    wrong = RowError("ASSOCIATION_LABEL_NOT_FOUND", f"There is no label {label}", place=place)
                    self._note(file, number, row, wrong)
                else:
                    types = (found.type_id if direction == pair else found.inverse,)
        self._portal.associations.link(pair, start, end, types)

    def _refer(self, column: Column, other: ObjectType, start: int, text: str, place: int) -> None:
        end = self._find(other, column.property or self._common_key(other), text, place)
        if end is None:
            message = f"{text} leads to no {other.singular}"
            raise RowError("UNKNOWN_ASSOCIATION_RECORD_ID", message, of=other, place=place)
        self._portal.associations.link((column.of.name, other.name), start, end, column.types)

    def _common_key(self, kind: ObjectType) -> str:
        """The property that another file says its records are found by."""
        columns = (column for file in self._order.files for column in file.columns)
        return next((one.property for one in columns if one.of == kind and one.identifies), RECORD_ID)

    # -- errors

    def _note(self, file: File, number: int, row: list[str], error: RowError) -> None:
        self.outcome.counters["ERRORS"] += 1
        self.outcome.errors.append(show_error(self._portal, file, number, row, error))


def show_error(portal: Portal, file: File, number: int, row: list[str], error: RowError) -> dict[str, Any]:
    """An error in HubSpot's shape. Lines count from one, the header included; columns too."""
    shown: dict[str, Any] = {
        "id": str(portal.next_id()),
        "createdAt": portal.now(),
        "errorType": error.kind,
        "errorMessage": error.message,
        "sourceData": {
            "fileId": file.id,
            "pageName": file.name,
            "lineNumber": number,
            "rowData": row,
            "containsEncryptedProperties": False,
        },
    }
    if error.of is not None:
        shown |= {"objectType": error.of.singular.upper(), "objectTypeId": error.of.type_id}
    if error.place is not None:
        shown |= {"knownColumnNumber": error.place + 1, "invalidValue": row[error.place]}
    return shown


# -- reading cells


def _read_choices(options: list[dict[str, Any]], text: str, *, many: bool) -> str:
    parts = [part.strip() for part in text.split(";")] if many else [text]
    return ";".join(_read_choice(options, part) for part in parts if part)


def _read_choice(options: list[dict[str, Any]], text: str) -> str:
    """An option by its internal value, or by its label without regard to case."""
    if any(option["value"] == text for option in options):
        return text
    found = {str(option["value"]) for option in options if option["label"].lower() == text.lower()}
    if len(found) != 1:
        kind = "AMBIGUOUS_ENUMERATION_OPTION" if found else "INVALID_ENUMERATION_OPTION"
        raise RowError(kind, f"{text} is not one of the options")
    return found.pop()


def _read_number(text: str, _: tuple[str, ...]) -> str:
    return text.replace(",", "").replace(" ", "").lstrip("$€£")


def _read_date(text: str, parts: tuple[str, ...]) -> str:
    """A date of the import's format, or of ISO 8601, as `YYYY-MM-DD`."""
    found = re.fullmatch(r"(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})", text)
    named = dict(zip(parts, found.groups(), strict=True)) if found else {}
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        named = dict(zip(("year", "month", "day"), text.split("-"), strict=True))
    try:
        return date(int(named["year"]), int(named["month"]), int(named["day"])).isoformat()
    except (KeyError, ValueError):
        raise RowError("COULD_NOT_PARSE_DATE", f"{text} is not a date") from None


def _read_moment(text: str, parts: tuple[str, ...]) -> str:
    """A date, whose midnight in UTC is meant, or a moment of ISO 8601 as it is."""
    return text if "T" in text else _read_date(text, parts)


_READERS: dict[str, Callable[[str, tuple[str, ...]], str]] = {
    "number": _read_number,
    "date": _read_date,
    "datetime": _read_moment,
}


def mapped_types(order: Order) -> Iterator[str]:
    """The ids of the object types whose records are written."""
    kinds = {column.of.name for file in order.files for column in file.columns}
    return (BY_ALIAS[name].type_id for name in sorted(kinds))
