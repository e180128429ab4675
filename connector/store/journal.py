"""Every write, noted before it is made; and every record that could not be synced."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, or_, select, update

from connector.core.model import Change, Fields, Problem, Proof, Side, Value
from connector.core.naming import CONTACT
from connector.store.database import Database, chunks, close_up, dump, load
from connector.store.runs import UNDO
from connector.store.schema import journal, problem, run

RETRY_MINUTES = 15
RETRIES = 10
PAGE = 500
_SOLVE = delete(problem).where(  # built once: every window of a run says it
    problem.c.connection_id == bindparam("mine"),
    problem.c.side == bindparam("on"),
    problem.c.object == bindparam("of"),
    problem.c.record_id == bindparam("key"),
)


class Journal:
    """Old value, new value, why: for every write, in the order in which they were begun."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._db = database
        self._now = now

    def intend(self, run_id: int, verb: str, side: Side, object_: str, writes: Sequence[Intent]) -> list[int]:
        """Note writes that are about to be made; returns their journal numbers."""
        if not writes:
            return []
        at = self._now().isoformat()
        rows = [
            {
                "connection_id": self._db.connection_id,
                "run_id": run_id,
                "at": at,
                "state": "intended",
                "verb": verb,
                "side": side.value,
                "object": object_,
                "record_id": record_id,
                "link_id": link_id,
                "changes": dump([_row(self._db.veil.cover(verb, side, object_, one)) for one in changes]),
                "conflict": any(change.conflict for change in changes),
            }
            for record_id, link_id, changes in writes
        ]
        numbered = insert(journal).returning(journal.c.id, sort_by_parameter_order=True)
        with self._db.transaction():  # SQLite does not end one while rows are still to be fetched
            return [int(number) for number in self._db.execute(numbered, rows).scalars()]

    def note_made(self, made: Mapping[int, str]) -> None:
        """Note what writes made that is no record by itself: journal number -> id of a contact role."""
        self._db.execute(
            update(journal).where(journal.c.id == bindparam("number")).values(made=bindparam("role")),
            [{"number": number, "role": id_} for number, id_ in made.items()],
        )

    def claim(self, link_id: int, side: Side, record_id: str) -> None:
        """A record is known by its partner's id to come of an earlier try, whose answer was lost: it was made."""
        mine = journal.c.connection_id == self._db.connection_id
        tried = and_(mine, journal.c.verb == "create", journal.c.link_id == link_id, journal.c.side == side.value)
        lost = select(func.max(journal.c.id)).where(tried, journal.c.state == "intended")
        self._db.execute(
            update(journal).where(journal.c.id == lost.scalar_subquery()).values(state="done", record_id=record_id)
        )

    def find_unheard(self, links: Iterable[int]) -> set[int]:
        """The links of which an update was begun and never concluded: a run died over it."""
        mine = and_(journal.c.connection_id == self._db.connection_id, journal.c.verb == "update")
        unheard = and_(mine, journal.c.state == "intended")
        return {
            row.link_id
            for some in chunks(str(one) for one in links)
            for row in self._db.fetch(
                select(journal.c.link_id).where(unheard, journal.c.link_id.in_([int(one) for one in some]))
            )
        }

    def confirm(self, values: Mapping[int, Mapping[Side, Fields]], later: str = "") -> None:
        """Find out the fate of updates over which a run died. `values`: link id -> what each side holds.

        One was made if its side holds what was to be written, and if nothing was written to that side after it. A
        field that is written `later` than the others, by a request of its own, does not tell their fate: it is
        written anew if it is not there.
        """
        mine = journal.c.connection_id == self._db.connection_id
        for some in chunks(str(one) for one in values):
            of_links = and_(mine, journal.c.link_id.in_([int(one) for one in some]))
            unheard = and_(of_links, journal.c.verb == "update", journal.c.state == "intended")
            lost = self._db.fetch(
                select(journal.c.id, journal.c.link_id, journal.c.side, journal.c.changes).where(unheard)
            )
            if not lost:
                continue
            last = select(func.max(journal.c.id)).where(of_links).group_by(journal.c.link_id, journal.c.side)
            latest = {row[0] for row in self._db.fetch(last)}
            made = [
                row.id
                for row in lost
                if row.id in latest and self._holds(row, values[row.link_id][Side(row.side)], later)
            ]
            self.conclude(dict.fromkeys(made, (True, None)))

    def confirm_names(self, names: Mapping[int, Mapping[tuple[Side, str], Fields]]) -> None:
        """Find out the same of names of roles (R4).

        `names`: link of a deal -> how a role in Salesforce, by its id, and a contact in HubSpot, by its id, are
        named. Nothing was given to either after the write that is asked about.
        """
        mine = and_(journal.c.connection_id == self._db.connection_id, journal.c.verb == "name")
        for some in chunks(str(one) for one in names):
            of_links = and_(mine, journal.c.link_id.in_([int(one) for one in some]))
            unheard = select(journal.c.link_id).where(of_links, journal.c.state == "intended")
            rows = self._db.fetch(
                select(journal).where(of_links, journal.c.link_id.in_(unheard)).order_by(journal.c.id)
            )
            last = {(row.link_id, Side(row.side), _whose(row)): row for row in rows}
            made = [
                row.id
                for (deal, side, whose), row in last.items()
                if row.state == "intended"
                and (held := names[deal].get((side, whose))) is not None
                and self._holds(row, {CONTACT: whose, **held})
            ]
            self.conclude(dict.fromkeys(made, (True, None)))

    def _holds(self, row: Any, now: Fields, later: str = "") -> bool:
        """Whether all that an entry was to write is there now, but for what is written later than the rest.

        A conflict over that is settled only once it is there.
        """
        written = [(one[0], self._db.open_up(one[2]), one[0] == later and not one[5]) for one in load(row.changes)]
        first = [one for one in written if not one[2]] or written
        return all(now.get(name) == value for name, value, _ in first)

    def conclude(self, outcomes: Mapping[int, tuple[bool, str | None]]) -> None:
        """Note how writes went: journal number -> (done, id of the record)."""
        self._db.execute(
            update(journal)
            .where(journal.c.id == bindparam("number"))
            .values(
                state=bindparam("outcome"),
                record_id=func.coalesce(journal.c.record_id, bindparam("new_id")),
            ),
            [
                {"number": number, "outcome": "done" if done else "failed", "new_id": record_id}
                for number, (done, record_id) in outcomes.items()
            ],
        )

    def of_run(self, run_id: int) -> list[dict[str, Any]]:
        """A run's writes, in order."""
        return self._read(journal.c.run_id == run_id)

    def kinds_of_run(self, run_id: int) -> list[tuple[Side, str, str, int]]:
        """How many writes of each kind a run made: (side, object, verb, number), in the order in which it began."""
        mine = and_(journal.c.connection_id == self._db.connection_id, journal.c.run_id == run_id)
        rows = self._db.fetch(
            select(journal.c.side, journal.c.object, journal.c.verb, func.count().label("number"))
            .where(mine)
            .group_by(journal.c.side, journal.c.object, journal.c.verb)
            .order_by(func.min(journal.c.id))
        )
        return [(Side(row.side), row.object, row.verb, row.number) for row in rows]

    def first_of_kind(self, run_id: int, side: Side, object_: str, verb: str, limit: int) -> list[dict[str, Any]]:
        """The first writes of one kind that a run made, in order."""
        kind = and_(journal.c.side == side.value, journal.c.object == object_, journal.c.verb == verb)
        return self._read(and_(journal.c.run_id == run_id, kind), first=limit)

    def of_run_about(self, run_id: int, id_: str) -> list[dict[str, Any]]:
        """A run's writes to the record of this id, or in which it is a value, in order."""
        about = or_(journal.c.record_id == id_, journal.c.changes.contains(f'"{id_}"', autoescape=True))
        return self._read(and_(journal.c.run_id == run_id, about))

    def of_record(self, side: Side, object_: str, record_id: str) -> list[dict[str, Any]]:
        """All writes to one record, in order."""
        return self._read(
            and_(journal.c.side == side.value, journal.c.object == object_, journal.c.record_id == record_id)
        )

    def of_link(self, link_id: int) -> list[dict[str, Any]]:
        """All writes to both records of a link and to what belongs to it, in order."""
        return self._read(journal.c.link_id == link_id)

    def conflicts(self, since: str = "", limit: int | None = None) -> list[dict[str, Any]]:
        """The writes that settled a conflict, the latest first, from a moment on; with the link of each."""
        settled = and_(journal.c.conflict, journal.c.state == "done", journal.c.at >= since)
        return self._read(settled, journal.c.id.desc(), limit)

    def prove_created(self, run_id: int, side: Side, object_: str, ids: Iterable[str]) -> list[Proof]:
        """Of these records those that a run created. Nothing else makes a proof (D2)."""
        found: dict[str, Proof] = {}
        for some in chunks(ids):
            rows = self._db.fetch(
                select(journal.c.id, journal.c.record_id).where(
                    journal.c.connection_id == self._db.connection_id,
                    journal.c.run_id == run_id,
                    journal.c.verb == "create",
                    journal.c.state == "done",
                    journal.c.side == side.value,
                    journal.c.object == object_,
                    journal.c.record_id.in_(some),
                )
            )
            found |= {row.record_id: Proof(object_, row.record_id, row.id) for row in rows}
        return list(found.values())

    def restored(self, side: Side, object_: str, ids: Iterable[str]) -> dict[tuple[str, str], Value]:
        """What undoing wrote last to fields of these records, by (record id, field)."""
        found: dict[tuple[str, str], tuple[str, Value]] = {}
        for some in chunks(ids):
            rows = self._db.fetch(
                select(journal.c.record_id, journal.c.changes, run.c.kind)
                .join(run, run.c.id == journal.c.run_id)
                .where(
                    journal.c.connection_id == self._db.connection_id,
                    journal.c.side == side.value,
                    journal.c.object == object_,
                    journal.c.record_id.in_(some),
                    journal.c.state != "failed",
                )
                .order_by(journal.c.id)
            )
            for row in rows:
                found |= {
                    (row.record_id, one[0]): (row.kind, self._db.open_up(one[2])) for one in load(row.changes)
                }
        return {place: value for place, (kind, value) in found.items() if kind == UNDO}

    def refused_values(self, side: Side, object_: str, record_id: str) -> dict[str, Value]:
        """The fields of a record whose last write was refused, with what was to be written."""
        last: dict[str, tuple[str, Value]] = {}
        for one in self.of_record(side, object_, record_id):
            last |= {change["field"]: (one["state"], change["new"]) for change in one["changes"]}
        return {name: value for name, (state, value) in last.items() if state == "failed"}

    def last_written(self, side: Side, object_: str, record_id: str) -> dict[str, tuple[Value, str]]:
        """What was last written to each field of a record and taken by its CRM, and when."""
        done = [one for one in self.of_record(side, object_, record_id) if one["state"] == "done"]
        return {change["field"]: (change["new"], one["at"]) for one in done for change in one["changes"]}

    def hide_former(self) -> Iterator[int]:
        """Hide what entries hold of fields that are personal by now. Yields how many were changed at a time."""
        veil = self._db.veil
        for side, object_ in veil.personal:
            mine = and_(journal.c.connection_id == self._db.connection_id, journal.c.side == side.value)
            after, mine = 0, and_(mine, journal.c.object == object_)
            while rows := self._db.fetch(
                select(journal).where(mine, journal.c.id > after).order_by(journal.c.id).limit(PAGE)
            ):
                after = rows[-1].id
                hidden = {row.id: self._hide(row.verb, side, object_, row.changes) for row in rows}
                changed = [
                    {"number": row.id, "kept": hidden[row.id]} for row in rows if hidden[row.id] != row.changes
                ]
                self._db.execute(
                    update(journal).where(journal.c.id == bindparam("number")).values(changes=bindparam("kept")),
                    changed,
                )
                yield len(changed)

    def _hide(self, verb: str, side: Side, object_: str, kept: str) -> str:
        changes = [
            Change(name, self._db.open_up(old), self._db.open_up(new), *why) for name, old, new, *why in load(kept)
        ]
        return dump([_row(self._db.veil.cover(verb, side, object_, one)) for one in changes])

    def _read(self, condition: Any, order: Any = journal.c.id, first: int | None = None) -> list[dict[str, Any]]:
        mine = journal.c.connection_id == self._db.connection_id
        rows = self._db.fetch(select(journal).where(mine, condition).order_by(order).limit(first))
        return [
            {
                "number": row.id,
                "run": row.run_id,
                "at": row.at,
                "state": row.state,
                "verb": row.verb,
                "side": row.side,
                "object": row.object,
                "record_id": row.record_id,
                "link": row.link_id,
                "made": row.made,
                "changes": [
                    dict(
                        zip(
                            ("field", "old", "new", "rule", "cause", "conflict"),
                            (one[0], self._db.open_up(one[1]), self._db.open_up(one[2]), *one[3:]),
                            strict=True,
                        )
                    )
                    for one in load(row.changes)
                ],
            }
            for row in rows
        ]


Place = tuple[Side, str, str, str]
"""Where a problem is: (side, object, record id, field)."""

Intent = tuple[str | None, int | None, Sequence[Change]]
"""(record id, link id, changes) of one intended write."""


def _whose(row: Any) -> str:
    """Whom a name was given to: a role, or in HubSpot the contact that heads the changes."""
    return str(row.record_id if row.side == Side.SALESFORCE.value else load(row.changes)[0][2])


def _row(change: Change) -> list[Any]:
    old, new = close_up(change.old), close_up(change.new)
    return [change.field, old, new, change.rule, change.cause, change.conflict]


class Problems:
    """Records that could not be synced (E1), with a growing delay between tries (E2)."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._db = database
        self._now = now

    def note(self, problems: Iterable[Problem], *, retry: bool, again: Container[Place] = ()) -> None:
        """Note problems. `retry`: try again by itself; else it waits for a change of the record.

        `again` holds places whose problem was noted in this run already: that is the same try.
        """
        moment = self._now()
        for one in problems:
            place = self._is(one.side, one.object, one.record_id, one.field)
            before = self._db.fetch(select(problem).where(place))
            same = (one.side, one.object, one.record_id, one.field) in again
            attempts = before[0].attempts + (not same) if before else 1
            values = {
                "cause": one.cause.value,
                "code": one.code,
                "detail": one.detail.replace("\0", "?"),  # a CRM may quote one, and PostgreSQL keeps none
                "remedy": one.remedy,
                "attempts": attempts,
                "last": moment.isoformat(),
                "next_try": (moment + retry_delay(attempts)).isoformat() if retry else None,
            }
            if before:
                self._db.execute(update(problem).where(place).values(values))
                continue
            key = {
                "connection_id": self._db.connection_id,
                "side": one.side.value,
                "object": one.object,
                "record_id": one.record_id,
                "field": one.field,
                "since": moment.isoformat(),
            }
            self._db.execute(insert(problem).values(key | values))

    def solve(self, records: Iterable[tuple[Side, str, str]], still: Iterable[Place] = ()) -> None:
        """These records (side, object, id) have no problem any more, except where they `still` have one."""
        kept: dict[tuple[Side, str, str], set[str]] = {}
        for side, object_, id_, name in still:
            kept.setdefault((side, object_, id_), set()).add(name)
        some = set(records)
        for side, object_, id_ in some & kept.keys():
            of_record = self._of(side, object_, id_)
            self._db.execute(delete(problem).where(of_record, problem.c.field.not_in(kept[side, object_, id_])))
        self._db.execute(
            _SOLVE,
            [
                {"mine": self._db.connection_id, "on": side.value, "of": object_, "key": id_}
                for side, object_, id_ in some - kept.keys()
            ],
        )

    def all(self) -> list[dict[str, Any]]:
        """Every open problem, the oldest first."""
        return self._read(problem.c.connection_id == self._db.connection_id)

    def of_record(self, side: Side, object_: str, record_id: str) -> list[dict[str, Any]]:
        """The problems of one record and of its fields, the oldest first."""
        return self._read(self._of(side, object_, record_id))

    def _read(self, condition: Any) -> list[dict[str, Any]]:
        rows = self._db.fetch(
            select(problem).where(condition).order_by(problem.c.since, problem.c.object, problem.c.record_id)
        )
        names = (
            "side", "object", "record_id", "field", "cause", "code", "detail", "remedy", "attempts", "since",
            "last", "next_try",
        )  # fmt: skip
        return [{name: getattr(row, name) for name in names} for row in rows]

    def ignore(self, place: Place, value: Value) -> None:
        """Hide a problem as long as it stays what it is now. `value` is what was refused, if anything was."""
        mine = self._is(*place)
        for row in self._db.fetch(select(problem).where(mine)):
            at, kept = self._now().isoformat(), close_up(value)
            noted = {"at": at, "code": row.code, "detail": row.detail, "value": kept}
            self._db.execute(update(problem).where(mine).values(ignored=dump(noted)))

    def ignored(self) -> dict[Place, dict[str, Any]]:
        """What each problem was that a person has ignored: {"at", "code", "detail", "value"}."""
        mine = problem.c.connection_id == self._db.connection_id
        rows = self._db.fetch(select(problem).where(mine, problem.c.ignored.is_not(None)))
        noted = {(Side(row.side), row.object, row.record_id, row.field): load(row.ignored) for row in rows}
        return {place: one | {"value": self._db.open_up(one["value"])} for place, one in noted.items()}

    def heed(self, place: Place) -> None:
        """A person does not ignore it any more."""
        self._db.execute(update(problem).where(self._is(*place)).values(ignored=None))

    def make_due(self, place: Place) -> None:
        """The next run tries this again, whatever its delay was."""
        self._db.execute(update(problem).where(self._is(*place)).values(next_try=self._now().isoformat()))

    def not_due(self, side: Side, object_: str) -> dict[str, frozenset[str]]:
        """Fields, by record, that are not to be tried again yet."""
        waiting = select(problem.c.record_id, problem.c.field).where(
            problem.c.connection_id == self._db.connection_id,
            problem.c.side == side.value,
            problem.c.object == object_,
            problem.c.field != "",
            problem.c.next_try.is_not(None),
            ~is_due(self._now().isoformat()),
        )
        found: dict[str, frozenset[str]] = {}
        for row in self._db.fetch(waiting):
            found[row.record_id] = found.get(row.record_id, frozenset()) | {row.field}
        return found

    def troubled(self, side: Side, object_: str, ids: Iterable[str]) -> set[str]:
        """Of these records those with an open problem, which has tries of its own (E2)."""
        found: set[str] = set()
        for some in chunks(ids):
            mine = (problem.c.connection_id, problem.c.side, problem.c.object)
            known = (self._db.connection_id, side.value, object_)
            conditions = [column == value for column, value in zip(mine, known, strict=True)]
            rows = self._db.fetch(select(problem.c.record_id).where(*conditions, problem.c.record_id.in_(some)))
            found |= {row.record_id for row in rows}
        return found

    def of_records(self, side: Side, object_: str, ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
        """The open problems of these records, by id: {"field", "code", "detail", "remedy"}."""
        found: dict[str, list[dict[str, str]]] = {}
        for some in chunks(ids):
            mine = (problem.c.connection_id, problem.c.side, problem.c.object)
            known = (self._db.connection_id, side.value, object_)
            conditions = [column == value for column, value in zip(mine, known, strict=True)]
            rows = self._db.fetch(
                select(problem).where(*conditions, problem.c.record_id.in_(some)).order_by(problem.c.field)
            )
            for row in rows:
                told = {name: str(getattr(row, name)) for name in ("field", "code", "detail", "remedy")}
                found.setdefault(row.record_id, []).append(told)
        return found

    def count(self) -> int:
        mine = problem.c.connection_id == self._db.connection_id
        return int(self._db.fetch(select(func.count()).where(mine))[0][0])

    def _is(self, side: Side, object_: str, record_id: str, field: str) -> Any:
        return and_(self._of(side, object_, record_id), problem.c.field == field)

    def _of(self, side: Side, object_: str, record_id: str) -> Any:
        return and_(
            problem.c.connection_id == self._db.connection_id,
            problem.c.side == side.value,
            problem.c.object == object_,
            problem.c.record_id == record_id,
        )


def is_due(now: str) -> ColumnElement[bool]:
    """Whether the next try of a problem is due.

    What was noted later than now was noted by a clock that was wrong, and so is its next try: it is due at once.
    """
    wrong = and_(problem.c.last > now, problem.c.next_try.is_not(None))
    return or_(problem.c.next_try <= now, wrong)


def retry_delay(attempts: int) -> timedelta:
    """15 minutes, doubled each time; after ten tries, nightly (E2)."""
    if attempts >= RETRIES:
        return timedelta(days=1)
    return timedelta(minutes=min(RETRY_MINUTES * 2 ** (attempts - 1), 24 * 60))
