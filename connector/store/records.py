"""What was seen: the latest observation of every record, and which of them a run still has to look at.

A record is *dirty* when an observation differs from the one before, when something it waited for has come,
or when it is due for another try; and until a run has dealt with it, so that a crash forgets no trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, delete, func, select, update

from connector.core.model import Fields, Presence, Record, Side
from connector.store.database import Database, chunks, dump, load
from connector.store.schema import association, link, problem, record, role, waiting


class Records:
    """Observations of records, of roles and of associations."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- observing ---

    def observe(self, seen: Sequence[Record], match_keys: Mapping[str, str | None]) -> list[str]:
        """Take in observations of one object; returns the ids of those that differ from what was known.

        Fields that an observation lacks keep their last known value. `match_keys` is by record id.
        Of an unknown record that is no longer present, nothing is kept unless it names a partner (D8).
        """
        if not seen:
            return []
        known = self._rows(seen[0].side, seen[0].object, [one.id for one in seen])
        rows: list[dict[str, Any]] = []
        changed: list[str] = []
        for one in {one.id: one for one in seen}.values():
            before = known.get(one.id)
            if before is None and not one.present and one.partner_id is None:
                continue
            row, differs = self._merge(one, before, match_keys.get(one.id))
            if row is not None:
                rows.append(row)
            if differs:
                changed.append(one.id)
        self._db.upsert(
            record,
            rows,
            update=[
                "version", "created", "modified", "partner_id", "match_key", "presence", "fields", "dirty",
            ],
        )  # fmt: skip
        return changed

    def _merge(self, one: Record, before: Row[Any] | None, key: str | None) -> tuple[dict[str, Any] | None, bool]:
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
            "match_key": key,
            "presence": one.presence.value,
            "fields": dump(dict(one.fields)),
            "dirty": one.present,
        }
        if before is None:
            return row, one.present
        if one.present and _is_stale(one, before):
            return None, False
        if not one.present:
            if before.presence == one.presence:
                return None, False
            row |= {
                name: getattr(before, name)
                for name in ("version", "created", "modified", "partner_id", "match_key", "fields")
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
        self._db.execute(
            update(record)
            .where(self._is(side, object_), record.c.id == bindparam("key"))
            .values(fields=bindparam("values"), version=bindparam("latest")),
            [
                {
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

    def set_match_keys(self, side: Side, object_: str, keys: Mapping[str, str | None]) -> None:
        """Note the match keys that records have now."""
        self._db.execute(
            update(record)
            .where(self._is(side, object_), record.c.id == bindparam("key"))
            .values(match_key=bindparam("new_key")),
            [{"key": id_, "new_key": key} for id_, key in keys.items()],
        )

    # --- what is to be done ---

    def dirty(self, side: Side, object_: str, after: str, limit: int) -> list[str]:
        """Ids of dirty records, ascending, after a given one."""
        rows = self._db.fetch(
            select(record.c.id)
            .where(self._is(side, object_), record.c.dirty, record.c.id > after)
            .order_by(record.c.id)
            .limit(limit)
        )
        return [row.id for row in rows]

    def count_dirty(self) -> int:
        return int(
            self._db.fetch(
                select(func.count()).where(record.c.connection_id == self._db.connection_id, record.c.dirty)
            )[0][0]
        )

    def mark(self, side: Side, object_: str, ids: Iterable[str], *, dirty: bool = True) -> None:
        for some in chunks(ids):
            self._db.execute(
                update(record).where(self._is(side, object_), record.c.id.in_(some)).values(dirty=dirty)
            )

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
        due = select(problem.c.side, problem.c.object, problem.c.record_id).where(mine, problem.c.next_try <= now)
        for row in self._db.fetch(due):
            self.mark(Side(row.side), row.object, [row.record_id])

    # --- looking up ---

    def load(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, Record]:
        return {id_: _record(row) for id_, row in self._rows(side, object_, ids).items()}

    def load_versions(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, str]:
        return {id_: row.version for id_, row in self._rows(side, object_, ids).items()}

    def naming(self, side: Side, object_: str, partner_ids: Iterable[str]) -> dict[str, list[Record]]:
        """Records of `side` by the partner id that they store."""
        return self._group(side, object_, record.c.partner_id, partner_ids)

    def with_key(self, side: Side, object_: str, keys: Iterable[str]) -> dict[str, list[Record]]:
        """Present records of `side` by match key."""
        found = self._group(side, object_, record.c.match_key, keys)
        return {key: [one for one in some if one.present] for key, some in found.items()}

    def _group(self, side: Side, object_: str, column: Any, values: Iterable[str]) -> dict[str, list[Record]]:
        groups: dict[str, list[Record]] = {}
        for some in chunks(values):
            rows = self._db.fetch(
                select(record, column.label("group_key")).where(self._is(side, object_), column.in_(some))
            )
            for row in rows:
                groups.setdefault(row.group_key, []).append(_record(row))
        return groups

    def match_keys(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, str]:
        rows = self._rows(side, object_, ids)
        return {id_: row.match_key for id_, row in rows.items() if row.match_key}

    def count(self, side: Side, object_: str) -> int:
        present = record.c.presence == Presence.PRESENT.value
        return int(self._db.fetch(select(func.count()).where(self._is(side, object_), present))[0][0])

    def _rows(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, Row[Any]]:
        rows: dict[str, Row[Any]] = {}
        for some in chunks(ids):
            found = self._db.fetch(select(record).where(self._is(side, object_), record.c.id.in_(some)))
            rows |= {row.id: row for row in found}
        return rows

    def _is(self, side: Side, object_: str) -> Any:
        return and_(
            record.c.connection_id == self._db.connection_id,
            record.c.side == side.value,
            record.c.object == object_,
        )

    # --- roles and associations ---

    def observe_roles(self, present: Mapping[str, tuple[str, str]], gone: Iterable[str]) -> set[str]:
        """Take in live roles (id -> opportunity, contact) and deleted ones; returns touched opportunities."""
        gone = list(gone)
        touched: set[str] = set()
        mine = role.c.connection_id == self._db.connection_id
        for some in chunks([*present, *gone]):
            known = {
                row.id: (row.opportunity_id, row.contact_id)
                for row in self._db.fetch(select(role).where(mine, role.c.id.in_(some)))
            }
            fresh = {id_: present[id_] for id_ in some if id_ in present and known.get(id_) != present[id_]}
            rows = [
                {"connection_id": self._db.connection_id, "id": id_, "opportunity_id": opp, "contact_id": who}
                for id_, (opp, who) in fresh.items()
            ]
            self._db.upsert(role, rows, update=["opportunity_id", "contact_id"])
            removed = [id_ for id_ in some if id_ not in present and id_ in known]
            self._db.execute(delete(role).where(mine, role.c.id.in_(removed)))
            touched |= {opp for opp, _ in fresh.values()} | {known[id_][0] for id_ in removed}
        return touched

    def roles_of(self, opportunity_ids: Iterable[str]) -> dict[str, set[str]]:
        """Contact ids by opportunity id."""
        found: dict[str, set[str]] = {}
        for some in chunks(opportunity_ids):
            rows = self._db.fetch(
                select(role.c.opportunity_id, role.c.contact_id).where(
                    role.c.connection_id == self._db.connection_id, role.c.opportunity_id.in_(some)
                )
            )
            for row in rows:
                found.setdefault(row.opportunity_id, set()).add(row.contact_id)
        return found

    def observe_associations(self, object_: str, contacts: Mapping[str, set[str]], run_id: int) -> set[str]:
        """Take in the contacts of deals (all of them, by deal id); returns the deals that differ."""
        known = self.associated_contacts(contacts)
        changed = {deal for deal, some in contacts.items() if known.get(deal, set()) != some}
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

    def add_associations(self, contacts: Mapping[str, Iterable[str]]) -> None:
        rows = [
            {"connection_id": self._db.connection_id, "deal_id": deal, "contact_id": contact}
            for deal, some in contacts.items()
            for contact in some
        ]
        self._db.upsert(association, rows)

    def associated_contacts(self, deal_ids: Iterable[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for some in chunks(deal_ids):
            rows = self._db.fetch(
                select(association).where(
                    association.c.connection_id == self._db.connection_id, association.c.deal_id.in_(some)
                )
            )
            for row in rows:
                found.setdefault(row.deal_id, set()).add(row.contact_id)
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
    )
