"""Where the rows of an org are: by id, by parent, by unique value, and in the recycle bin.

A row is a dict from field name to value, without the fields that are null (or, for checkboxes, false). Dates
and times are stored as they are answered, so that they compare as text. A row is never changed in place: a new
one replaces it, so that a query cursor, or a transaction that may have to go back, simply keeps the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from typing import Any

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.definitions.schema import Field, Schema, SObject

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deletion:
    """When a row was deleted and which row's deletion took it along (its own id when it was meant itself)."""

    when: str
    root: str


@dataclass(slots=True)
class Table:
    """The rows of one object."""

    sobject: SObject
    live: dict[str, Row] = field(default_factory=dict)
    bin: dict[str, Row] = field(default_factory=dict)
    deletions: dict[str, Deletion] = field(default_factory=dict)
    by_parent: dict[str, dict[str, dict[str, None]]] = field(default_factory=dict)
    by_key: dict[str, dict[str, dict[str, None]]] = field(default_factory=dict)
    issued: int = 0
    changes: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    _by_change: dict[str, str] = field(default_factory=dict)
    _newest: str = ""
    _in_order: bool = True

    def get(self, record: str, deleted: bool = False) -> Row | None:
        row = self.live.get(record)
        return self.bin.get(record) if row is None and deleted else row

    def rows(self, deleted: bool = False) -> Iterable[Row]:
        return chain(self.live.values(), self.bin.values()) if deleted else self.live.values()

    def since(self, stamp: str) -> list[str] | None:
        """The ids of the live rows whose SystemModstamp is not before `stamp`; None when they are so many that
        looking at all rows is no slower.
        """
        if not self._in_order:
            self._by_change = dict(sorted(self._by_change.items(), key=itemgetter(1)))
            self._newest = next(reversed(self._by_change.values()), "")
            self._in_order = True
        found: list[str] = []
        for record, changed in reversed(self._by_change.items()):
            if changed < stamp:
                return found
            if 4 * len(found) > len(self.live):
                return None
            found.append(record)
        return found

    def below(self, reference: str, parent: str) -> list[str]:
        """The ids of the live rows that point to a parent."""
        return list(self.by_parent.get(reference, {}).get(parent, ()))

    def keyed(self, name: str, value: Any) -> list[str]:
        """The ids of the live rows with this value in a unique or external id field."""
        return list(self.by_key.get(name, {}).get(fold(self.sobject.fields[name.lower()], value), ()))

    def swap(self, record: str, new: Row | None) -> Row | None:
        """Put `new` in the place of the live row (None removes it) and give back what was there."""
        old = self.live.get(record)
        for name, index, is_key in self._indexes():
            before = old.get(name) if old is not None else None
            after = new.get(name) if new is not None else None
            if before == after:
                continue
            known = self.sobject.fields[name.lower()]
            if before is not None:
                _forget(index, fold(known, before) if is_key else before, record)
            if after is not None:
                index.setdefault(fold(known, after) if is_key else after, {})[record] = None
        self.changes += 1
        self._by_change.pop(record, None)
        if new is None:
            self.live.pop(record, None)
        else:
            self.live[record] = new
            stamp = self._by_change[record] = new.get("SystemModstamp", "")
            # Time goes backwards when the clock is set back, and when a change is undone.
            self._in_order = self._in_order and stamp >= self._newest
            self._newest = max(self._newest, stamp)
        return old

    def index(self, added: Field) -> None:
        """Find rows by a field, new or changed, if it is one by which rows are found."""
        self.forget(added.name)
        if added.indexed:
            index = self.by_parent[added.name] = {}
            for record, row in self.live.items():
                if added.name in row:
                    index.setdefault(row[added.name], {})[record] = None
        if added.keyed:
            self.index_values(added.name)

    def index_values(self, name: str) -> None:
        """Find rows by a field that is no key, too, from now on."""
        if name in self.by_key:
            return
        known, index = self.sobject.fields[name.lower()], self.by_key.setdefault(name, {})
        for record, row in self.live.items():
            if name in row:
                index.setdefault(fold(known, row[name]), {})[record] = None

    def forget(self, name: str) -> None:
        """Find no rows by a field any more."""
        self.by_parent.pop(name, None)
        self.by_key.pop(name, None)

    def count_on(self, name: str) -> int:
        """The next number of an auto-number field; as in Salesforce, undoing a change gives none back."""
        self.counted[name] = self.counted.get(name, 0) + 1
        return self.counted[name]

    def _indexes(self) -> Iterator[tuple[str, dict[str, dict[str, None]], bool]]:
        for name, index in self.by_parent.items():
            yield name, index, False
        for name, index in self.by_key.items():
            yield name, index, True


class Store:
    """All rows of an org, and the transaction they are changed in.

    `user` is the id of the signed-in user; `record_type_values` narrows picklists, by record type and field name.
    """

    def __init__(self, schema: Schema, clock: Clock, instance: str) -> None:
        self.schema = schema
        self.clock = clock
        self.user = ""
        self.record_type_values: dict[str, dict[str, list[str]]] = {}
        self._instance = instance
        self._memos: dict[Callable[[Table], Any], tuple[int, Any]] = {}
        self._tables: dict[str, Table] = {}
        self._undo: list[tuple[Table, str, Row | None, Row | None, Deletion | None]] | None = None
        for each in schema:
            self.add_table(each)

    def add_table(self, sobject: SObject) -> Table:
        """Make room for the rows of an object that the schema has just got."""
        table = self._tables[sobject.name] = Table(sobject)
        for each in sobject.fields.values():
            table.index(each)
        return table

    def drop_table(self, name: str) -> None:
        del self._tables[name]

    def table(self, name: str) -> Table:
        """By the object's name as the schema spells it."""
        return self._tables[name]

    def now(self) -> str:
        """The time as Salesforce writes it: UTC, whole seconds, `2026-01-02T03:04:05.000+0000`."""
        return write_moment(self.clock.now())

    def memo(self, name: str, make: Callable[[Table], Any]) -> Any:
        """What `make` makes of a table, made again only when the table has changed."""
        table = self._tables[name]
        known = self._memos.get(make)
        if known is None or known[0] != table.changes:
            known = self._memos[make] = (table.changes, make(table))
        return known[1]

    def new_id(self, table: Table) -> str:
        table.issued += 1
        return ids.make(table.sobject.prefix or "000", self._instance, table.issued)

    def put(self, table: Table, row: Row) -> None:
        """Insert or replace a live row."""
        record = row["Id"]
        self._note(table, record)
        table.swap(record, row)

    def take(self, table: Table, record: str, deletion: Deletion, binned: Row | None) -> None:
        """Delete a live row; `binned` is what the recycle bin shows of it, if anything."""
        self._note(table, record)
        table.swap(record, None)
        table.deletions[record] = deletion
        if binned is not None:
            table.bin[record] = binned

    def bring_back(self, table: Table, row: Row) -> None:
        """Move a row from the recycle bin back among the living."""
        record = row["Id"]
        self._note(table, record)
        del table.bin[record]
        table.deletions.pop(record, None)
        table.swap(record, row)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Changes inside are undone by `Transaction.roll_back`, and when an exception leaves the block.
        Transactions nest.
        """
        outer = self._undo
        self._undo = []
        transaction = Transaction(self)
        try:
            yield transaction
        except BaseException:
            transaction.roll_back()
            raise
        finally:
            done, self._undo = self._undo, outer
            if outer is not None:
                outer.extend(done)

    def roll_back(self) -> None:
        while self._undo:
            table, record, live, binned, deletion = self._undo.pop()
            table.swap(record, live)
            _set(table.bin, record, binned)
            _set(table.deletions, record, deletion)

    def _note(self, table: Table, record: str) -> None:
        if self._undo is not None:
            before = table.live.get(record), table.bin.get(record), table.deletions.get(record)
            self._undo.append((table, record, *before))


@dataclass(frozen=True, slots=True)
class Transaction:
    """The open transaction of a store."""

    store: Store

    def roll_back(self) -> None:
        self.store.roll_back()


def write_moment(moment: datetime) -> str:
    """`2026-01-02T03:04:05.000+0000`; a part of a second is dropped, as Salesforce drops it."""
    return moment.astimezone(UTC).isoformat()[:19] + ".000+0000"


def fold(field: Field, value: Any) -> Any:
    """What two values of a field have in common when Salesforce takes them for equal."""
    if isinstance(value, str) and not field.case_sensitive and field.type not in {"id", "reference"}:
        return value.casefold()
    return value


def trimmed(pairs: Iterable[tuple[str, Any]]) -> Row:
    """A row of the pairs whose value needs to be stored."""
    return {name: value for name, value in pairs if value is not None and value is not False}


def _forget(index: dict[str, dict[str, None]], value: str, record: str) -> None:
    held = index[value]
    del held[record]
    if not held:
        del index[value]


def _set(target: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        target.pop(key, None)
    else:
        target[key] = value
