"""What was seen: the latest observation of every record, and which of them a run still has to look at.

A record is *dirty* when an observation differs from the one before, when something it waited for has come,
or when it is due for another try; and until a run has dealt with it, so that a crash forgets no trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, delete, func, select, update

from connector.core.model import ContactRole, Fields, KeyValue, Presence, Record, Side
from connector.store.database import Database, chunks, dump, load
from connector.store.journal import is_due
from connector.store.schema import association, link, problem, record, record_key, role, waiting

Labels = Mapping[str, frozenset[int] | None]
"""Contacts of one deal, each with the type ids of its labels; None: not read."""

# What a run says for every window, again and again, is built once: that takes longer than to run it.
_IS = and_(
    record.c.connection_id == bindparam("mine"),
    record.c.side == bindparam("on"),
    record.c.object == bindparam("of"),
)
_AMONG = record.c.id.in_(bindparam("keys", expanding=True))
_LOAD = select(record).where(_IS, _AMONG)
_MARK = update(record).where(_IS, _AMONG).values(dirty=bindparam("now"))
_OVERWRITE = (
    update(record)
    .where(_IS, record.c.id == bindparam("key"))
    .values(fields=bindparam("values"), version=bindparam("latest"))
)
_DIRTY = (
    select(record.c.id)
    .where(_IS, record.c.dirty, record.c.id > bindparam("after"))
    .order_by(record.c.id)
    .limit(bindparam("most"))
)
_ABSENT = select(record.c.id, record.c.presence).where(_IS, _AMONG, record.c.presence != Presence.PRESENT.value)
_MERGED = select(record).where(
    _IS, record.c.dirty, record.c.presence == Presence.MERGED.value, record.c.survivor.is_not(None)
)
_FORGET_KEY = delete(record_key).where(
    record_key.c.connection_id == bindparam("mine"),
    record_key.c.side == bindparam("on"),
    record_key.c.object == bindparam("of"),
    record_key.c.record_id == bindparam("key"),
    record_key.c.name == bindparam("called"),
    record_key.c.value == bindparam("being"),
)


class Records:
    """Observations of records, of roles and of associations."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- observing ---

    def observe(
        self,
        seen: Sequence[Record],
        match_keys: Mapping[str, Iterable[KeyValue]],
        *,
        late: bool = True,
        keep_deleted: bool = False,
    ) -> list[str]:
        """Take in observations of one object; returns the ids of those that differ from what was known.

        Fields that an observation lacks keep their last known value. `match_keys` is by record id. `late`: they may
        be older than what is known, as those of a search; what was read by its id is as it is now.
        Of an unknown record that is no longer present, nothing is kept unless it names a partner (D8) or
        the record that it was merged into (A7); or with `keep_deleted`, that it was deleted.
        """
        if not seen:
            return []
        known = self._rows(seen[0].side, seen[0].object, [one.id for one in seen])
        rows: list[dict[str, Any]] = []
        changed: list[str] = []
        keys: dict[str, Iterable[KeyValue]] = {}
        for one in {one.id: one for one in seen}.values():
            before = known.get(one.id)
            told = one.present or one.partner_id is not None or one.survivor is not None
            if before is None and not told and not (keep_deleted and one.presence is Presence.DELETED):
                continue
            row, differs = self._merge(one, before, late=late)
            if row is not None:
                rows.append(row)
                if one.present:
                    keys[one.id] = match_keys.get(one.id, ())
            if differs:
                changed.append(one.id)
        self._db.upsert(
            record,
            rows,
            update=[
                "version", "created", "modified", "partner_id", "presence", "survivor", "fields", "dirty",
            ],
        )  # fmt: skip
        self._write_keys(seen[0].side, seen[0].object, keys, {id_: () for id_ in keys if id_ not in known})
        return changed

    def _merge(self, one: Record, before: Row[Any] | None, *, late: bool) -> tuple[dict[str, Any] | None, bool]:
        """The row to store (None: as it is), and whether what is known of the record differs now."""
        row = {
            "connection_id": self._db.connection_id,
            "side": one.side.value,
            "object": one.object,
            "id": one.id,
            "version": one.version,
            "created": one.created,
            "modified": one.modified,
            "partner_id": one.partner_id,
            "presence": one.presence.value,
            "survivor": one.survivor,
            "fields": dump(dict(one.fields)),
            "dirty": one.present,
        }
        if before is None:
            return row, one.present
        if late and one.present and _is_stale(one, before):
            return None, False
        if not one.present:
            if (before.presence, before.survivor) == (one.presence, one.survivor):
                return None, False
            row |= {
                name: getattr(before, name) for name in ("version", "created", "modified", "partner_id", "fields")
            }
            return row | {"dirty": True}, True
        fields = load(before.fields)
        merged = {**fields, **one.fields}
        row["fields"] = dump(merged)
        same = (merged, one.partner_id, one.presence) == (fields, before.partner_id, before.presence)
        if same and one.version == before.version:
            return None, False
        return row | {"dirty": bool(before.dirty) or not same}, not same

    def overwrite(
        self,
        side: Side,
        object_: str,
        written: Mapping[str, Fields],
        versions: Mapping[str, str] | None = None,
    ) -> None:
        """Put what we have just written over the last observations, without making them dirty.

        `versions` are those that the writes gave the records, where the vendor told.
        """
        given = versions or {}
        rows = self._rows(side, object_, written)
        mine = self._given(side, object_)
        self._db.execute(
            _OVERWRITE,
            [
                {
                    **mine,
                    "key": id_,
                    "values": dump({**load(rows[id_].fields), **fields}),
                    "latest": given.get(id_) or rows[id_].version,
                }
                for id_, fields in written.items()
                if id_ in rows
            ],
        )

    def set_partner(self, side: Side, object_: str, partners: Mapping[str, str]) -> None:
        """Note the partner id that a record now stores."""
        self._db.execute(
            update(record)
            .where(self._is(side, object_), record.c.id == bindparam("key"))
            .values(partner_id=bindparam("partner")),
            [{"key": id_, "partner": partner} for id_, partner in partners.items()],
        )

    def forget_partner(self, side: Side, object_: str, ids: Iterable[str]) -> None:
        """These records store no partner's id any more."""
        for some in chunks(ids):
            self._db.execute(
                update(record).where(self._is(side, object_), record.c.id.in_(some)).values(partner_id=None)
            )

    def set_keys(self, side: Side, object_: str, keys: Mapping[str, Iterable[KeyValue]]) -> None:
        """Note the match keys that records have now, by record id."""
        self._write_keys(side, object_, keys, self.keys_of(side, object_, keys))

    def _write_keys(
        self,
        side: Side,
        object_: str,
        keys: Mapping[str, Iterable[KeyValue]],
        new: Mapping[str, tuple[KeyValue, ...]],
    ) -> None:
        """Write keys where they differ. `new` holds those that records are known to have already."""
        known = {**self.keys_of(side, object_, keys.keys() - new.keys()), **new}
        mine = self._given(side, object_)
        common = {"connection_id": self._db.connection_id, "side": side.value, "object": object_}
        before = {(id_, *one) for id_, some in known.items() for one in some}
        after = {(id_, *one) for id_, some in keys.items() for one in some}
        gone = sorted(before - after)
        self._db.execute(
            _FORGET_KEY, [{**mine, "key": id_, "called": name, "being": value} for id_, name, value in gone]
        )
        fresh = sorted(after - before)
        rows = [{**common, "record_id": id_, "name": name, "value": value} for id_, name, value in fresh]
        self._db.upsert(record_key, rows)

    def mark_scope(self, side: Side, object_: str, ids: Iterable[str], *, outside: bool) -> None:
        """Note of records whether they are out of scope (A8)."""
        differs = record.c.out_of_scope.is_not(True) if outside else record.c.out_of_scope.is_(True)
        for some in chunks(ids):
            mine = and_(self._is(side, object_), record.c.id.in_(some), differs)
            self._db.execute(update(record).where(mine).values(out_of_scope=outside))

    def count_out_of_scope(self) -> dict[tuple[Side, str], int]:
        """Present records that are out of scope, by side and object."""
        rows = self._db.fetch(
            select(record.c.side, record.c.object, func.count().label("number"))
            .where(
                record.c.connection_id == self._db.connection_id,
                record.c.out_of_scope.is_(True),
                record.c.presence == Presence.PRESENT.value,
            )
            .group_by(record.c.side, record.c.object)
            .order_by(record.c.object)
        )
        return {(Side(row.side), row.object): row.number for row in rows}

    # --- what is to be done ---

    def dirty(self, side: Side, object_: str, after: str, limit: int) -> list[str]:
        """Ids of dirty records, ascending, after a given one."""
        rows = self._db.fetch(_DIRTY, {**self._given(side, object_), "after": after, "most": limit})
        return [row.id for row in rows]

    def dirty_among(self, side: Side, object_: str, ids: Iterable[str]) -> list[str]:
        """Of these records the dirty ones, ascending."""
        found: list[str] = []
        for some in chunks(ids):
            rows = self._db.fetch(
                select(record.c.id).where(self._is(side, object_), record.c.dirty, record.c.id.in_(some))
            )
            found += [row.id for row in rows]
        return sorted(found)

    def count_dirty(self) -> int:
        return int(
            self._db.fetch(
                select(func.count()).where(record.c.connection_id == self._db.connection_id, record.c.dirty)
            )[0][0]
        )

    def mark(self, side: Side, object_: str, ids: Iterable[str], *, dirty: bool = True) -> None:
        for some in chunks(ids):
            self._db.change(_MARK, {**self._given(side, object_), "keys": some, "now": dirty})

    def mark_gone(self, side: Side, object_: str, ids: Iterable[str]) -> None:
        """Note what we have deleted ourselves."""
        for some in chunks(ids):
            self._db.execute(
                update(record)
                .where(self._is(side, object_), record.c.id.in_(some))
                .values(presence=Presence.DELETED.value, dirty=False)
            )

    def clear_all(self, side: Side, object_: str) -> None:
        """Nothing of this object is to be done (P4: a first sync by triggers only)."""
        self._db.execute(update(record).where(self._is(side, object_)).values(dirty=False))

    def mark_due(self, now: str) -> None:
        """Make records dirty whose next try is due (E2)."""
        mine = problem.c.connection_id == self._db.connection_id
        due = select(problem.c.side, problem.c.object, problem.c.record_id).where(mine, is_due(now))
        for row in self._db.fetch(due):
            self.mark(Side(row.side), row.object, [row.record_id])

    # --- looking up ---

    def load(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, Record]:
        return {id_: _record(row) for id_, row in self._rows(side, object_, ids).items()}

    def absent(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, Presence]:
        """Of these records those that are not there, and why."""
        found: dict[str, Presence] = {}
        for some in chunks(ids):
            rows = self._db.fetch(_ABSENT, {**self._given(side, object_), "keys": some})
            found |= {row.id: Presence(row.presence) for row in rows}
        return found

    def load_versions(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, str]:
        return {id_: row.version for id_, row in self._rows(side, object_, ids).items()}

    def naming(self, side: Side, object_: str, partner_ids: Iterable[str]) -> dict[str, list[Record]]:
        """Records of `side` by the partner id that they store."""
        return self._group(side, object_, record.c.partner_id, partner_ids)

    def with_keys(self, side: Side, object_: str, keys: Iterable[KeyValue]) -> dict[KeyValue, list[Record]]:
        """Present records of `side` by match key."""
        by_name: dict[str, list[str]] = {}
        for name, value in keys:
            by_name.setdefault(name, []).append(value)
        found: dict[KeyValue, list[Record]] = {}
        for name, values in by_name.items():
            for some in chunks(values):
                statement = (
                    select(record, record_key.c.value.label("group_key"))
                    .join(
                        record_key,
                        and_(
                            record_key.c.connection_id == record.c.connection_id,
                            record_key.c.side == record.c.side,
                            record_key.c.object == record.c.object,
                            record_key.c.record_id == record.c.id,
                        ),
                    )
                    .where(
                        self._keyed(side, object_),
                        record_key.c.name == name,
                        record_key.c.value.in_(some),
                        record.c.presence == Presence.PRESENT.value,
                    )
                )
                for row in self._db.fetch(statement):
                    found.setdefault((name, row.group_key), []).append(_record(row))
        return found

    def _group(self, side: Side, object_: str, column: Any, values: Iterable[str]) -> dict[str, list[Record]]:
        groups: dict[str, list[Record]] = {}
        for some in chunks(values):
            rows = self._db.fetch(
                select(record, column.label("group_key")).where(self._is(side, object_), column.in_(some))
            )
            for row in rows:
                groups.setdefault(row.group_key, []).append(_record(row))
        return groups

    def keys_of(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, tuple[KeyValue, ...]]:
        """The match keys of records, by record id."""
        found: dict[str, tuple[KeyValue, ...]] = {}
        for some in chunks(ids):
            mine = self._keyed(side, object_)
            rows = self._db.fetch(
                select(record_key).where(mine, record_key.c.record_id.in_(some)).order_by(record_key.c.value)
            )
            for row in rows:
                found[row.record_id] = (*found.get(row.record_id, ()), (row.name, row.value))
        return found

    def _keyed(self, side: Side, object_: str) -> Any:
        return and_(
            record_key.c.connection_id == self._db.connection_id,
            record_key.c.side == side.value,
            record_key.c.object == object_,
        )

    def merged(self, side: Side, object_: str) -> list[Record]:
        """Records that are still to be dealt with and were merged into others (A7)."""
        return [_record(row) for row in self._db.fetch(_MERGED, self._given(side, object_))]

    def absorbed(self, side: Side, object_: str, survivors: Iterable[str]) -> dict[str, str]:
        """What was merged into these records, each with the one it was merged into."""
        found: dict[str, str] = {}
        for some in chunks(survivors):
            rows = self._db.fetch(
                select(record.c.id, record.c.survivor).where(self._is(side, object_), record.c.survivor.in_(some))
            )
            found |= {row.id: row.survivor for row in rows}
        return found

    def page(self, side: Side, object_: str, after: str, limit: int) -> list[Record]:
        """Present records in the order of their ids, after a given one."""
        present = record.c.presence == Presence.PRESENT.value
        rows = self._db.fetch(
            select(record)
            .where(self._is(side, object_), present, record.c.id > after)
            .order_by(record.c.id)
            .limit(limit)
        )
        return [_record(row) for row in rows]

    def count(self, side: Side, object_: str) -> int:
        present = record.c.presence == Presence.PRESENT.value
        return int(self._db.fetch(select(func.count()).where(self._is(side, object_), present))[0][0])

    def _rows(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, Row[Any]]:
        rows: dict[str, Row[Any]] = {}
        for some in chunks(ids):
            found = self._db.fetch(_LOAD, {**self._given(side, object_), "keys": some})
            rows |= {row.id: row for row in found}
        return rows

    def _given(self, side: Side, object_: str) -> dict[str, Any]:
        """The parameters of `_IS`."""
        return {"mine": self._db.connection_id, "on": side.value, "of": object_}

    def _is(self, side: Side, object_: str) -> Any:
        return and_(
            record.c.connection_id == self._db.connection_id,
            record.c.side == side.value,
            record.c.object == object_,
        )

    # --- roles and associations ---

    def observe_roles(self, present: Mapping[str, ContactRole], gone: Iterable[str]) -> set[str]:
        """Take in live roles (by id) and deleted ones; returns touched opportunities."""
        gone = list(gone)
        touched: set[str] = set()
        mine = role.c.connection_id == self._db.connection_id
        for some in chunks([*present, *gone]):
            known = {row.id: _role(row) for row in self._db.fetch(select(role).where(mine, role.c.id.in_(some)))}
            fresh = {id_: present[id_] for id_ in some if id_ in present and known.get(id_) != present[id_]}
            rows = [
                {
                    "connection_id": self._db.connection_id,
                    "id": id_,
                    "opportunity_id": one.opportunity,
                    "contact_id": one.contact,
                    "name": one.name,
                    "is_primary": one.primary,
                }
                for id_, one in fresh.items()
            ]
            self._db.upsert(role, rows, update=["opportunity_id", "contact_id", "name", "is_primary"])
            removed = [id_ for id_ in some if id_ not in present and id_ in known]
            self._db.execute(delete(role).where(mine, role.c.id.in_(removed)))
            touched |= {one.opportunity for one in fresh.values()} | {known[id_].opportunity for id_ in removed}
        return touched

    def roles_of(self, opportunity_ids: Iterable[str]) -> dict[str, dict[str, ContactRole]]:
        """Roles by their ids, by opportunity id."""
        found: dict[str, dict[str, ContactRole]] = {}
        for some in chunks(opportunity_ids):
            rows = self._db.fetch(
                select(role)
                .where(role.c.connection_id == self._db.connection_id, role.c.opportunity_id.in_(some))
                .order_by(role.c.id)
            )
            for row in rows:
                found.setdefault(row.opportunity_id, {})[row.id] = _role(row)
        return found

    def observe_associations(self, object_: str, contacts: Mapping[str, Labels], run_id: int) -> set[str]:
        """Take in the contacts of deals (all of them, by deal id); returns the deals that differ."""
        known = self.associated_contacts(contacts)
        changed = {deal for deal, some in contacts.items() if known.get(deal, {}) != some}
        mine = association.c.connection_id == self._db.connection_id
        for some in chunks(changed):
            self._db.execute(delete(association).where(mine, association.c.deal_id.in_(some)))
        self.add_associations({deal: contacts[deal] for deal in changed})
        for some in chunks(contacts):
            self._db.execute(
                update(record)
                .where(self._is(Side.HUBSPOT, object_), record.c.id.in_(some))
                .values(associations_read=run_id)
            )
        return changed

    def add_associations(self, contacts: Mapping[str, Labels]) -> None:
        """Note contacts of deals with the type ids of the labels that people gave them."""
        rows = [
            {
                "connection_id": self._db.connection_id,
                "deal_id": deal,
                "contact_id": contact,
                "labels": None if labels is None else dump(sorted(labels)),
            }
            for deal, some in contacts.items()
            for contact, labels in some.items()
        ]
        self._db.upsert(association, rows, update=["labels"])

    def remove_associations(self, pairs: Iterable[tuple[str, str]]) -> None:
        """These contacts (deal, contact) are no longer associated: we have seen to it ourselves."""
        self._db.execute(
            delete(association).where(
                association.c.connection_id == self._db.connection_id,
                association.c.deal_id == bindparam("deal"),
                association.c.contact_id == bindparam("contact"),
            ),
            [{"deal": deal, "contact": contact} for deal, contact in pairs],
        )

    def associated_contacts(self, deal_ids: Iterable[str]) -> dict[str, dict[str, frozenset[int] | None]]:
        """The contacts of deals with the labels of each, by deal id."""
        found: dict[str, dict[str, frozenset[int] | None]] = {}
        for some in chunks(deal_ids):
            rows = self._db.fetch(
                select(association).where(
                    association.c.connection_id == self._db.connection_id, association.c.deal_id.in_(some)
                )
            )
            for row in rows:
                labels = load(row.labels)
                known = None if labels is None else frozenset(labels)
                found.setdefault(row.deal_id, {})[row.contact_id] = known
        return found

    def deals_of(self, contacts: Iterable[str]) -> set[str]:
        """The deals that these contacts are associated with."""
        found: set[str] = set()
        for some in chunks(contacts):
            rows = self._db.fetch(
                select(association.c.deal_id).where(
                    association.c.connection_id == self._db.connection_id, association.c.contact_id.in_(some)
                )
            )
            found |= {row.deal_id for row in rows}
        return found

    def associations_known(self, deal_ids: Iterable[str]) -> set[str]:
        """The deals whose associations were ever read."""
        found: set[str] = set()
        for some in chunks(deal_ids):
            rows = self._db.fetch(
                select(record.c.id).where(
                    self._is(Side.HUBSPOT, "deals"),
                    record.c.id.in_(some),
                    record.c.associations_read.is_not(None),
                )
            )
            found |= {row.id for row in rows}
        return found

    def never_read(self, object_: str) -> list[str]:
        """Deals that are to be dealt with and whose associations were never read."""
        rows = self._db.fetch(
            select(record.c.id)
            .where(self._is(Side.HUBSPOT, object_), record.c.dirty, record.c.associations_read.is_(None))
            .order_by(record.c.id)
        )
        return [row.id for row in rows]

    def longest_unread(self, object_: str, limit: int) -> list[str]:
        """Linked, present deals whose associations were read longest ago: never read first."""
        linked = select(link.c.hubspot_id).where(
            link.c.connection_id == self._db.connection_id, link.c.state == "linked"
        )
        rows = self._db.fetch(
            select(record.c.id)
            .where(
                self._is(Side.HUBSPOT, object_),
                record.c.presence == Presence.PRESENT.value,
                record.c.id.in_(linked),
            )
            .order_by(case((record.c.associations_read.is_(None), 0), else_=1), record.c.associations_read)
            .limit(limit)
        )
        return [row.id for row in rows]

    # --- waiting ---

    def wait(self, waits: Iterable[tuple[Record, tuple[str, Side, str]]]) -> None:
        """Note what records wait for: (pair, side, id) (R5)."""
        rows = [
            {
                "connection_id": self._db.connection_id,
                "side": one.side.value,
                "object": one.object,
                "record_id": one.id,
                "pair": pair,
                "needs_side": side.value,
                "needs_id": id_,
            }
            for one, (pair, side, id_) in waits
        ]
        self._db.upsert(waiting, rows)

    def wake(self, pair: str, ids: Iterable[tuple[Side, str]]) -> None:
        """What these records were waited for has come: those who waited are dirty again."""
        by_side: dict[Side, list[str]] = {}
        for side, id_ in ids:
            by_side.setdefault(side, []).append(id_)
        for side, some_ids in by_side.items():
            for some in chunks(some_ids):
                condition = and_(
                    waiting.c.connection_id == self._db.connection_id,
                    waiting.c.pair == pair,
                    waiting.c.needs_side == side.value,
                    waiting.c.needs_id.in_(some),
                )
                woken: dict[tuple[str, str], list[str]] = {}
                for row in self._db.fetch(select(waiting).where(condition)):
                    woken.setdefault((row.side, row.object), []).append(row.record_id)
                for (where, object_), sleepers in woken.items():
                    self.mark(Side(where), object_, sleepers)
                if woken:
                    self._db.execute(delete(waiting).where(condition))

    def stop_waiting(self, records: Iterable[Record]) -> None:
        """Forget what these records wait for; planning them again will say it anew."""
        self._db.execute(
            delete(waiting).where(
                waiting.c.connection_id == self._db.connection_id,
                waiting.c.side == bindparam("on"),
                waiting.c.object == bindparam("of"),
                waiting.c.record_id == bindparam("key"),
            ),
            [{"on": one.side.value, "of": one.object, "key": one.id} for one in records],
        )

    def count_waiting(self) -> int:
        mine = waiting.c.connection_id == self._db.connection_id
        return int(self._db.fetch(select(func.count()).where(mine))[0][0])


def _is_stale(one: Record, before: Row[Any]) -> bool:
    """Whether an observation is older than what is known.

    HubSpot's search may lag and show a record as it was before our own write. Its versions are exact to the
    millisecond; Salesforce shows no old rows, but its versions are whole seconds, in which much can happen.
    So versions only ever order HubSpot's observations, and what changed is told by the values.
    """
    if one.side is not Side.HUBSPOT:
        return False
    gone = before.presence != Presence.PRESENT.value
    return bool(one.version <= before.version if gone else one.version < before.version)


def _role(row: Row[Any]) -> ContactRole:
    return ContactRole(row.opportunity_id, row.contact_id, row.name, row.is_primary)


def _record(row: Row[Any]) -> Record:
    return Record(
        side=Side(row.side),
        object=row.object,
        id=row.id,
        version=row.version,
        fields=load(row.fields),
        created=row.created,
        modified=row.modified,
        partner_id=row.partner_id,
        presence=Presence(row.presence),
        survivor=row.survivor,
    )
