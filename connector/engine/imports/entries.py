"""What does each line of a file come to, and which record of the side where it goes is it?

Looked for in this order; the first that answers decides:

1. an id that the line gives: of this side, or of the other one whose record is linked or stored here
2. what an earlier import made of a line with the same content
3. the keys of the mapping's `match_on`: one record, or of an e-mail's several the oldest (A3); else it is held (A2)
4. a line before it with the same key: the two are one, and the later one is held

Of two lines with the same content the second is another record: a file of deals may well have it so.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector.core.model import KeyValue, Pair, Record, Side, Value
from connector.engine.imports.columns import Columns
from connector.engine.imports.sheets import Line, Sheet
from connector.engine.world import Connection
from connector.errors import Finding

IMPORT_KEY = "sf_import_key"
"""The unique HubSpot property that holds a line's fingerprint."""
EARLIER = "earlier import"
LISTED = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """A line, the values it comes to, and whom it matches by which key. `held` says why it matches nobody."""

    line: Line
    values: dict[str, Value]
    fingerprint: str
    keys: tuple[KeyValue, ...]
    record_id: str | None = None
    key: str = ""
    held: str = ""
    faulty: bool = False
    """Some of its cells cannot be read."""

    @property
    def row_id(self) -> str:
        return f"{self.line.number:09d}"

    def matched(self, record_id: str | None, key: str, held: str = "") -> Entry:
        return replace(self, record_id=record_id, key=key, held=held)


@dataclass
class Entries:
    """Makes entries of the lines of a file, which have to come in order, from the first one on."""

    c: Connection
    pair: Pair
    columns: Columns
    sheet: Sheet
    _seen: dict[KeyValue, int] = field(default_factory=dict)
    """The keys of lines that have no record yet, with the line."""
    _alike: Counter[str] = field(default_factory=Counter)
    """How many lines there were of each content."""

    @property
    def side(self) -> Side:
        return self.columns.to

    @property
    def object(self) -> str:
        return self.pair.object(self.columns.to)

    def enter(self, lines: Sequence[Line], findings: list[Finding]) -> list[Entry]:
        """Entries of some lines; what is wrong with their cells goes to `findings`."""
        entries: list[Entry] = []
        for line in lines:
            values, faults = self.columns.convert(line)
            for column, fault in faults:
                self._find(findings, line, f"column {column!r}: {fault.reason}", fault.remedy)
            if not values and not faults:
                self._find(findings, line, "has no value", "take the line out")
            record = Record(self.side, self.object, "", "", values)
            keys = self.pair.match_values(record)
            entries.append(Entry(line, values, self._fingerprint(values), keys, faulty=bool(faults)))
        return self._match(entries, findings)

    def _find(self, findings: list[Finding], line: Line, message: str, remedy: str) -> None:
        findings.append(Finding(str(self.sheet.path), line.number, message, remedy))

    def _fingerprint(self, values: Mapping[str, Value]) -> str:
        content = json.dumps([self.object, self.side.value, sorted(values.items())], ensure_ascii=False)
        self._alike[content] += 1
        return hashlib.sha256(f"{self._alike[content]} {content}".encode()).hexdigest()[:40]

    def _match(self, entries: Sequence[Entry], findings: list[Finding]) -> list[Entry]:
        store = self.c.store
        given = {one.row_id: self.columns.ids(one.line) for one in entries}
        here = {id_ for some in given.values() if (id_ := some.get(self.side))}
        partners = self._find_partners({id_ for some in given.values() if (id_ := some.get(self.side.other))})
        known = store.records.load(self.side, self.object, here)
        made = store.imports.made_of(self.object, [one.fingerprint for one in entries])
        alike = store.records.with_keys(self.side, self.object, {key for one in entries for key in one.keys})
        found = []
        for one in entries:
            own = given[one.row_id].get(self.side, "")
            partner = partners.get(given[one.row_id].get(self.side.other, ""))
            if own:
                if own not in known or not known[own].present:
                    message = f"{self.side.value} has no {self.object} with the id {own}"
                    self._find(findings, one.line, message, "correct the id, or leave it blank")
                found.append(one.matched(own, "id"))
            elif partner:
                found.append(one.matched(partner, "id"))
            elif one.fingerprint in made:
                for value in one.keys:
                    self._seen.setdefault(value, one.line.number)
                found.append(one.matched(made[one.fingerprint], EARLIER))
            else:
                found.append(self._match_by_keys(one, alike))
        return found

    def _find_partners(self, others: set[str]) -> dict[str, str]:
        """The records of this side that are linked to, or store, records of the other one."""
        naming = self.c.store.records.naming(self.side, self.object, others)
        found = {other: one.id for other, some in naming.items() for one in some if one.present}
        links = self.c.store.links.by_ids(self.pair.name, self.side.other, others)
        return found | {other: id_ for other, link in links.items() if (id_ := link.id_of(self.side))}

    def _match_by_keys(self, entry: Entry, alike: Mapping[KeyValue, Sequence[Record]]) -> Entry:
        for key in self.pair.match_on:
            values = [one for one in entry.keys if one[0] == key.name]
            found = {one.id: one for value in values for one in alike.get(value, ())}
            if len(found) == 1 or (found and key.oldest_links):
                oldest = min(found.values(), key=lambda one: (one.created, one.id))
                return entry.matched(oldest.id, key.name)
            if found:
                listed = ", ".join(sorted(found)[:LISTED])
                return entry.matched(None, key.name, f"by its {key.name} it may be any of {self.object} {listed}")
        for value in entry.keys:
            line = self._seen.setdefault(value, entry.line.number)
            if line != entry.line.number:
                return entry.matched(None, value[0], f"has the same {value[0]} as line {line}")
        return entry
