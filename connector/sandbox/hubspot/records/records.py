"""How the records of one object type are kept: their values, their past, and the orders they are found in.

A record costs what its values cost: versions are kept only of what was overwritten, and every value that never
was has the record's own time and creator. `Table` keeps three orders, so that no request walks over records it
does not answer: by id (lists), by unique value, and by time of the last write (the search that every incremental
sync makes).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from connector.sandbox.hubspot.actors import Actor


class Version(NamedTuple):
    """A value that a property had from `at` on (milliseconds since 1970); "" is a cleared one."""

    value: str
    at: int
    by: Actor


class Record:
    """One contact, company or deal. Times are milliseconds since 1970.

    `values` holds the properties that have a value, `by` is who created the record, `past` has all versions of
    what was written again, oldest first. `earlier` are the times of the writes before the last one.
    """

    __slots__ = ("absorbed", "archived_at", "by", "created", "earlier", "id", "modified", "past", "values")

    def __init__(self, record_id: int, values: dict[str, str], created: int, by: Actor) -> None:
        self.id = record_id
        self.values = values
        self.created = created
        self.modified = created
        self.by = by
        self.archived_at: int | None = None
        self.absorbed: tuple[int, ...] = ()
        self.earlier: list[int] = []
        self.past: dict[str, list[Version]] = {}

    def write(self, changes: Mapping[str, str | None], at: int, by: Actor) -> None:
        """Set or clear values at a moment later than the last write. Equal values make no history."""
        for name, value in changes.items():
            old = self.values.get(name)
            if old == value:
                continue
            self._versions(name).append(Version(value or "", at, by))
            if value is None:
                del self.values[name]
            else:
                self.values[name] = value
        self.touch(at)

    def touch(self, at: int) -> None:
        """Move the time of the last write and nothing else."""
        self.earlier.append(self.modified)
        self.modified = at

    def fill(self, name: str, value: str, by: Actor) -> None:
        """Give a new record a value that its creator did not give."""
        self.values[name] = value
        self.past[name] = [Version(value, self.created, by)]

    def _versions(self, name: str) -> list[Version]:
        """All versions, oldest first, to be appended to."""
        versions = self.past.get(name)
        if versions is None:
            first = self.values.get(name)
            versions = self.past[name] = [] if first is None else [Version(first, self.created, self.by)]
        return versions

    def history(self, name: str) -> list[Version]:
        """All versions of a property, newest first."""
        versions = self.past.get(name)
        if versions is not None:
            return versions[::-1]
        value = self.values.get(name)
        return [] if value is None else [Version(value, self.created, self.by)]

    def as_of(self, moment: int) -> Record:
        """The record as it was after the write at `moment`."""
        old = Record(self.id, dict(self.values), self.created, self.by)
        old.modified, old.absorbed = moment, self.absorbed
        for name, versions in self.past.items():
            if versions[-1].at > moment:
                value = next((version.value for version in reversed(versions) if version.at <= moment), "")
                old.values.pop(name, None)
                if value:
                    old.values[name] = value
        return old


class ModifiedOrder:
    """Record ids in the order of their last write. Outdated entries are swept out when it is next read."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int]] = []
        self._outdated: set[tuple[int, int]] = set()

    def add(self, record: Record) -> None:
        entry = (record.modified, record.id)
        if not self._entries or entry > self._entries[-1]:
            self._entries.append(entry)
        else:
            insort(self._entries, entry)

    def discard(self, record: Record) -> None:
        self._outdated.add((record.modified, record.id))

    def entries(self) -> list[tuple[int, int]]:
        """`(modified, id)` of every live record, in that order. Not to be changed."""
        if self._outdated:
            self._entries = [entry for entry in self._entries if entry not in self._outdated]
            self._outdated.clear()
        return self._entries

    def span(self, low: int, high: int) -> tuple[int, int]:
        """Where in `entries()` the writes from `low` to `high` lie, both included."""
        entries = self.entries()
        return bisect_left(entries, (low, -1)), bisect_left(entries, (high + 1, -1))


Severed = tuple[tuple[str, str], int, tuple[int, ...]]


class Table:
    """All records of one object type.

    `severed` are the associations that archived records had: the pair of object types, the other record, the types.
    """

    def __init__(self) -> None:
        self.live: dict[int, Record] = {}
        self.archived: dict[int, Record] = {}
        self.absorbed_by: dict[int, int] = {}
        self.by_modified = ModifiedOrder()
        self._live_ids: list[int] = []
        self._archived_ids: list[int] = []
        self.severed: dict[int, list[Severed]] = {}
        self._holders: dict[str, dict[str, int]] = {}
        self._hidden: dict[int, dict[int, int]] = {}
        self._lingering: dict[int, tuple[int, Record]] = {}

    # -- coming, changing, going

    def add(self, record: Record) -> None:
        self.live[record.id] = record
        self._live_ids.append(record.id)  # ids only grow
        self.by_modified.add(record)

    def write(self, record: Record, changes: Mapping[str, str | None], at: int, by: Actor) -> None:
        self.by_modified.discard(record)
        record.write(changes, at, by)
        self.by_modified.add(record)

    def touch(self, record: Record, at: int) -> None:
        self.by_modified.discard(record)
        record.touch(at)
        self.by_modified.add(record)

    def archive(self, record: Record, at: int) -> None:
        self.remove(record)
        record.archived_at = at
        self.archived[record.id] = record
        insort(self._archived_ids, record.id)

    def restore(self, record: Record, at: int) -> None:
        """Bring an archived record back."""
        del self.archived[record.id]
        del self._archived_ids[bisect_left(self._archived_ids, record.id)]
        record.archived_at = None
        self._lingering.pop(record.id, None)
        record.touch(at)
        self.live[record.id] = record
        insort(self._live_ids, record.id)
        self.by_modified.add(record)

    def purge(self, record: Record) -> None:
        """Forget a live or archived record for good, and every id that led to it."""
        if record.id in self.live:
            self.remove(record)
        else:
            del self.archived[record.id]
            del self._archived_ids[bisect_left(self._archived_ids, record.id)]
        self.severed.pop(record.id, None)
        self.absorbed_by = {old: target for old, target in self.absorbed_by.items() if target != record.id}

    def remove(self, record: Record) -> None:
        del self.live[record.id]
        del self._live_ids[bisect_left(self._live_ids, record.id)]
        self.by_modified.discard(record)
        self._hidden.pop(record.id, None)

    def absorb(self, record: Record, survivor: int) -> None:
        """Let the id of a record lead to another one from now on."""
        self.remove(record)
        for old, target in self.absorbed_by.items():
            if target == record.id:
                self.absorbed_by[old] = survivor
        self.absorbed_by[record.id] = survivor

    # -- finding

    def resolve(self, record_id: int) -> Record | None:
        """The live record of an id, or the survivor of the merge that took it."""
        return self.live.get(self.absorbed_by.get(record_id, record_id))

    def page(self, after: int, limit: int, *, archived: bool = False) -> tuple[list[Record], int | None]:
        """Records with ids from `after` on, and the id that the next page begins with."""
        ids, rows = (self._archived_ids, self.archived) if archived else (self._live_ids, self.live)
        start = bisect_left(ids, after)
        following = ids[start + limit] if start + limit < len(ids) else None
        return [rows[record_id] for record_id in ids[start : start + limit]], following

    # -- unique values

    def holder(self, name: str, value: str) -> int | None:
        """The id of the record that has a unique value."""
        return self._holders.get(name, {}).get(value)

    def claim(self, name: str, value: str, record_id: int) -> None:
        self._holders.setdefault(name, {})[value] = record_id

    def release(self, name: str, value: str) -> None:
        self._holders.get(name, {}).pop(value, None)

    def forget_property(self, name: str) -> None:
        """Drop every value of a property that is archived."""
        self._holders.pop(name, None)
        for record in (*self.live.values(), *self.archived.values()):
            record.values.pop(name, None)
            record.past.pop(name, None)

    # -- what search sees

    def hide(self, record: Record, until: int) -> None:
        """Keep the version of a record that is newest now out of search until then."""
        self._hidden.setdefault(record.id, {})[record.modified] = until

    def hidden_ids(self, now: int) -> Iterable[int]:
        """The records of which search does not yet see the newest version."""
        for record_id in list(self._hidden):
            left = {version: until for version, until in self._hidden[record_id].items() if until > now}
            if left:
                self._hidden[record_id] = left
            else:
                del self._hidden[record_id]
        return self._hidden.keys()

    def visible(self, record: Record) -> Record | None:
        """The newest version of a record that is not hidden; `hidden_ids` has just been asked."""
        hidden = self._hidden.get(record.id, {})
        if record.modified not in hidden:
            return record
        shown = next((version for version in reversed(record.earlier) if version not in hidden), None)
        return None if shown is None else record.as_of(shown)

    def linger(self, record: Record, until: int) -> None:
        """Let search go on showing a record that is about to go, as it shows it now, until then."""
        shown = self.visible(record)
        if shown is not None:
            self._lingering[record.id] = until, shown.as_of(shown.modified)

    def lingering(self, now: int) -> list[Record]:
        """The records that are gone, but not for search yet."""
        self._lingering = {one: kept for one, kept in self._lingering.items() if kept[0] > now}
        return [record for _, record in self._lingering.values()]

    def searchable(self, now: int, candidates: Iterable[Record] | None = None) -> Iterator[Record]:
        """What search sees of all records (or of `candidates`), unordered."""
        yield from self.lingering(now)
        hidden = self.hidden_ids(now)
        for record in self.live.values() if candidates is None else candidates:
            if record.id not in hidden:
                yield record
            elif (version := self.visible(record)) is not None:
                yield version
