"""Where does the store name a person, and how is all of it taken out?

| what is about the person                                   | becomes                                         |
|------------------------------------------------------------|-------------------------------------------------|
| their records, keys, roles, associations, what they wait   | nothing                                         |
| for, problems, choices, images, holds, edges, import rows  |                                                 |
| their links                                                | closed and empty; nobody ever gets their number |
| their entries of the journal                               | a verb and a time, in the state `forgotten`     |
| others' entries of the journal                             | the same without the changes that name them     |
| reports of runs, others' problems and import rows          | the same without the words that name them       |

What other records hold, such as the name of a deal, is an observation of that record and stays. So do the mapping
files, and what is remembered of either CRM's own users.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, false, func, or_, select, update

from connector.core.model import Side, Value
from connector.core.naming import CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES
from connector.store.database import Database, chunks, dump, load
from connector.store.images import EDGE, LINK, NOTHING
from connector.store.schema import (
    association,
    choice,
    cursor,
    edge,
    held,
    image,
    import_,
    import_row,
    journal,
    link,
    problem,
    record,
    record_key,
    role,
    run,
    waiting,
)

FORGOTTEN = "forgotten"
"""The state of a journal's entry of which only the verb and the time are kept, and what texts say instead."""
REMOVED = f"[{FORGOTTEN}]"
_NAMES_OF_ROLES = {LABELS, ROLE_NAMES, IS_PRIMARY}


@dataclass(frozen=True, slots=True)
class Person:
    """All records of a person, on either side, and the words by which texts name them.

    `words` are e-mail addresses and full names; case does not matter.
    """

    pair: str
    objects: Mapping[Side, str]
    ids: Mapping[Side, frozenset[str]]
    words: frozenset[str]
    present: tuple[tuple[Side, str], ...]
    """Those that were in their CRM when they were last looked at."""

    def is_own(self, side: str, object_: str, id_: str | None) -> bool:
        return any(side == one and object_ == self.objects[one] and id_ in self.ids[one] for one in Side)

    @property
    def every_id(self) -> frozenset[str]:
        return self.ids[Side.SALESFORCE] | self.ids[Side.HUBSPOT]


class People:
    """Finds a person in the store of one connection, and forgets them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- finding ---

    def find(
        self, pair: str, objects: Mapping[Side, str], *, email: str = "", ids: Iterable[tuple[Side, str]] = ()
    ) -> Person:
        """The person with an e-mail (case-folded), or whom these records are; with partners and merged records.

        A record has the address if any of its values is it, or a list of addresses with it among them.
        """
        found: set[tuple[Side, str]] = set(ids)
        known = {(side, id_) for side, id_ in found if self._is_known(pair, objects, side, id_)}
        fresh = known | (self._with_email(pair, objects, email) if email else set())
        found = set()
        while fresh:
            found |= fresh
            fresh = self._kin(pair, objects, fresh) - found
        rows = self._records(objects, found)
        present = tuple(sorted((side, row.id) for side, row in rows if row.presence == "present"))
        words = {email} if email else set()
        for _, row in rows:
            words |= _words_of(load(row.fields))
        for row in self._links(pair, found):
            words |= _words_of(load(row.base_salesforce)) | _words_of(load(row.base_hubspot))
        own = {side: frozenset(id_ for one, id_ in found if one is side) for side in Side}
        return Person(pair, dict(objects), own, frozenset(words), present)

    def _is_known(self, pair: str, objects: Mapping[Side, str], side: Side, id_: str) -> bool:
        if self._records(objects, {(side, id_)}) or self._links(pair, {(side, id_)}):
            return True
        written = and_(self._mine(journal), journal.c.side == side.value, journal.c.object == objects[side])
        return bool(self._db.fetch(select(journal.c.id).where(written, journal.c.record_id == id_).limit(1)))

    def _with_email(self, pair: str, objects: Mapping[Side, str], email: str) -> set[tuple[Side, str]]:
        found: set[tuple[Side, str]] = set()
        for side, object_ in objects.items():
            mine = and_(self._mine(record), record.c.side == side.value, record.c.object == object_)
            rows = self._db.fetch(
                select(record.c.id, record.c.fields).where(mine, _mentions(record.c.fields, [email]))
            )
            found |= {(side, row.id) for row in rows if _holds_address(load(row.fields), email)}
            own = link.c.salesforce_id if side is Side.SALESFORCE else link.c.hubspot_id
            base = link.c.base_salesforce if side is Side.SALESFORCE else link.c.base_hubspot
            linked = and_(self._mine(link), link.c.pair == pair, own.is_not(None), _mentions(base, [email]))
            seen = select(record.c.id).where(mine, record.c.id == own).exists()
            # A base speaks for a record that was not seen since; of one that was, what was seen counts.
            for row in self._db.fetch(select(own.label("id"), base.label("base")).where(linked, ~seen)):
                if _holds_address(load(row.base), email):
                    found.add((side, row.id))
        return found

    def _kin(
        self, pair: str, objects: Mapping[Side, str], some: Collection[tuple[Side, str]]
    ) -> set[tuple[Side, str]]:
        """Partners of these records by link and by stored id, and those that were merged into them or they into."""
        kin: set[tuple[Side, str]] = set()
        for row in self._links(pair, some):
            kin |= {(Side.SALESFORCE, row.salesforce_id), (Side.HUBSPOT, row.hubspot_id)}
        for side, row in self._records(objects, some):
            kin |= {(side.other, row.partner_id), (side, row.survivor)}
        for side in Side:
            ids = [id_ for one, id_ in some if one is side]
            for group in chunks(ids):
                merged = and_(self._of(record, side, objects), record.c.survivor.in_(group))
                kin |= {(side, row.id) for row in self._db.fetch(select(record.c.id).where(merged))}
                naming = and_(self._of(record, side.other, objects), record.c.partner_id.in_(group))
                kin |= {(side.other, row.id) for row in self._db.fetch(select(record.c.id).where(naming))}
        return {(side, id_) for side, id_ in kin if id_}

    def _records(self, objects: Mapping[Side, str], some: Collection[tuple[Side, str]]) -> list[tuple[Side, Any]]:
        found = []
        for side in Side:
            for group in chunks(id_ for one, id_ in some if one is side):
                mine = and_(self._of(record, side, objects), record.c.id.in_(group))
                found += [(side, row) for row in self._db.fetch(select(record).where(mine))]
        return found

    def _links(self, pair: str, some: Collection[tuple[Side, str]]) -> list[Any]:
        found: dict[int, Any] = {}
        for side in Side:
            column = link.c.salesforce_id if side is Side.SALESFORCE else link.c.hubspot_id
            for group in chunks(id_ for one, id_ in some if one is side):
                mine = and_(self._mine(link), link.c.pair == pair, column.in_(group))
                found |= {row.id: row for row in self._db.fetch(select(link).where(mine))}
        return list(found.values())

    # --- what others say of them ---

    def count_mentions(self, person: Person) -> int:
        """Records of others, such as deals, in which a word that names the person stands. They stay."""
        rows = self._db.fetch(
            select(record.c.side, record.c.object, record.c.id).where(
                self._mine(record), _mentions(record.c.fields, person.words)
            )
        )
        return sum(not person.is_own(row.side, row.object, row.id) for row in rows)

    # --- forgetting ---

    def forget(self, person: Person) -> dict[str, int]:
        """Take a person out of every table. Returns how many rows of each were removed or blanked."""
        links = [row.id for row in self._links(person.pair, _places(person))]
        roles = self._roles_of(person)
        told: Counter[str] = Counter()
        told["journal"] = self._blank_entries(person, links, roles)
        told["image"] = self._delete_images(links)
        told["held"] = self._delete_held(person, roles)
        told["choice"] = self._delete(choice, choice.c.link_id, links)
        told["edge"] = self._delete(edge, edge.c.child, links) + self._delete(edge, edge.c.parent, links)
        told["link"] = self._empty_links(links)
        told["role"] = self._delete(role, role.c.contact_id, person.ids[Side.SALESFORCE])
        told["association"] = self._delete(association, association.c.contact_id, person.ids[Side.HUBSPOT])
        for side in Side:
            own = person.ids[side]
            awaited = and_(waiting.c.pair == person.pair, waiting.c.needs_side == side.value)
            told["waiting"] += self._delete(waiting, waiting.c.needs_id, own, awaited)
            for table, column in (
                (waiting, waiting.c.record_id),
                (problem, problem.c.record_id),
                (record_key, record_key.c.record_id),
                (record, record.c.id),
            ):
                at = and_(table.c.side == side.value, table.c.object == person.objects[side])
                told[str(table.name)] += self._delete(table, column, own, at)
            # Which records changed last is learnt anew by the next look (`engine/witnesses.py`).
            self._delete(cursor, cursor.c.stream, [f"witnesses/{side}/{person.objects[side]}"])
        told["import_row"] = self._delete_import_rows(person)
        told["text"] = self._remove_words(person)
        return {str(name): number for name, number in told.items() if number}

    def _delete(self, table: Any, column: Any, values: Iterable[Any], more: Any = None) -> int:
        some = list(values)
        number = 0
        for start in range(0, len(some), 500):
            mine = and_(self._mine(table), column.in_(some[start : start + 500]))
            number += self._db.execute(delete(table).where(mine if more is None else and_(mine, more))).rowcount
        return number

    def _roles_of(self, person: Person) -> frozenset[str]:
        """The ids of their contact roles, as they are seen now."""
        found: set[str] = set()
        for some in chunks(person.ids[Side.SALESFORCE]):
            mine = and_(self._mine(role), role.c.contact_id.in_(some))
            found |= {row.id for row in self._db.fetch(select(role.c.id).where(mine))}
        return frozenset(found)

    def _empty_links(self, links: Iterable[int]) -> int:
        some = list(links)
        row = {name: dump(one) if name.startswith("base_") else one for name, one in NOTHING.items()}
        more = {"linked_run": None, "matched_on": None, "derive": False}
        for start in range(0, len(some), 500):
            self._db.execute(update(link).where(link.c.id.in_(some[start : start + 500])).values(**row, **more))
        return len(some)

    def _delete_images(self, links: Iterable[int]) -> int:
        number = 0
        for id_ in links:
            at = and_(image.c.table == LINK, image.c.key == str(id_))
            ends = or_(image.c.key.like(f"%/{id_}/%"), image.c.key.like(f"%/{id_}"))
            about = or_(at, and_(image.c.table == EDGE, ends))
            number += self._db.execute(delete(image).where(self._mine(image), about)).rowcount
        return number

    def _delete_held(self, person: Person, roles: Collection[str]) -> int:
        """Of creations the source is named, so either side's ids may stand there; of roles `deal/contact`."""
        own = held.c.object.in_(list(person.objects.values()))
        number = self._delete(held, held.c.record, sorted(person.every_id), own)
        number += self._delete(held, held.c.record, sorted(roles))
        for id_ in sorted(person.every_id):
            between = held.c.record.like(f"%/{id_}")
            number += self._db.execute(delete(held).where(self._mine(held), between)).rowcount
        return number

    def _delete_import_rows(self, person: Person) -> int:
        mine = import_row.c.import_id.in_(select(import_.c.id).where(self._mine(import_)))
        own = import_row.c.object.in_(list(person.objects.values()))
        number = 0
        for some in chunks(sorted(person.every_id)):
            about = or_(import_row.c.record_id.in_(some), import_row.c.partner_id.in_(some))
            number += self._db.execute(delete(import_row).where(mine, own, about)).rowcount
        return number

    # --- the journal ---

    def _blank_entries(self, person: Person, links: Collection[int], roles: Collection[str]) -> int:
        nothing = {"record_id": None, "link_id": None, "made": None, "changes": "[]", "conflict": False}
        changed = 0
        for row in self._entries_about(person, links, roles):
            own = person.is_own(row.side, row.object, row.record_id) or row.link_id in links
            own = own or row.record_id in roles or row.made in roles
            changes = load(row.changes)
            kept = [] if own else list(_without(changes, person))
            if not own and len(kept) == len(changes):
                continue
            changed += 1
            if kept and row.verb in {"create", "update", "delete"}:
                values = {"changes": dump(kept), "conflict": any(one[5] for one in kept)}
            else:
                values = {"state": FORGOTTEN, **nothing}
            self._db.execute(update(journal).where(journal.c.id == row.id).values(values))
        return changed

    def _entries_about(self, person: Person, links: Collection[int], roles: Collection[str]) -> list[Any]:
        """The entries that may name a person; some of them may turn out not to."""
        found: dict[int, Any] = {}
        known = and_(self._mine(journal), journal.c.state != FORGOTTEN)
        ids = sorted(person.every_id | set(roles))
        about = [
            self._told(journal.c.changes, person),
            *(journal.c.link_id.in_([int(one) for one in some]) for some in chunks(map(str, links))),
            *(or_(journal.c.record_id.in_(some), journal.c.made.in_(some)) for some in chunks(ids)),
        ]
        for one in about:
            found |= {row.id: row for row in self._db.fetch(select(journal).where(known, one))}
        return list(found.values())

    # --- words ---

    def _remove_words(self, person: Person) -> int:
        """From what is told in words and is not the person's own."""
        number = 0
        for row in self._db.fetch(select(run).where(self._mine(run), self._told(run.c.report, person))):
            number += self._rewrite(run, row, {"report": dump(_clear(load(row.report), person))})
        columns = (problem.c.detail, problem.c.remedy, problem.c.ignored)
        told_of = or_(*(_mentions(column, person.words) for column in columns))
        for row in self._db.fetch(select(problem).where(self._mine(problem), told_of)):
            values = {
                "detail": _cover(row.detail, person),
                "remedy": _cover(row.remedy, person),
                "ignored": None if row.ignored is None else dump(_clear(load(row.ignored), person)),
            }
            number += self._rewrite(problem, row, values)
        return number + self._remove_from_imports(person)

    def _rewrite(self, table: Any, row: Any, values: Mapping[str, Any]) -> int:
        """Whether a row had to be written anew, as a number."""
        if all(getattr(row, name) == value for name, value in values.items()):
            return 0
        key = [column == getattr(row, column.name) for column in table.primary_key.columns]
        self._db.execute(update(table).where(*key).values(**values))
        return 1

    def _remove_from_imports(self, person: Person) -> int:
        number = 0
        mine = import_row.c.import_id.in_(select(import_.c.id).where(self._mine(import_)))
        for row in self._db.fetch(select(import_row).where(mine, _mentions(import_row.c.detail, person.words))):
            if _names(row.detail, person):
                number += self._rewrite(
                    import_row, row, {"detail": _cover(row.detail, person), "fingerprint": None}
                )
        for row in self._db.fetch(select(import_).where(self._mine(import_), import_.c.state != "open")):
            values = {name: dump(_clear(load(getattr(row, name)), person)) for name in ("selection", "progress")}
            number += self._rewrite(import_, row, values)
        return number

    def _told(self, column: Any, person: Person) -> ColumnElement[bool]:
        return _mentions(column, [*person.words, *(f'"{one}"' for one in sorted(person.every_id))])

    def _mine(self, table: Any) -> ColumnElement[bool]:
        mine: ColumnElement[bool] = table.c.connection_id == self._db.connection_id
        return mine

    def _of(self, table: Any, side: Side, objects: Mapping[Side, str]) -> ColumnElement[bool]:
        return and_(self._mine(table), table.c.side == side.value, table.c.object == objects[side])


def _places(person: Person) -> set[tuple[Side, str]]:
    return {(side, id_) for side in Side for id_ in person.ids[side]}


def _mentions(column: Any, words: Iterable[str]) -> ColumnElement[bool]:
    """Whether a text may hold one of these words; who reads it has to look again.

    SQLite knows no capitals beyond ASCII, and JSON writes some characters in ways of its own: of words that have
    such characters only the stretches between them are looked for.
    """
    text = func.lower(column)
    return or_(false(), *(and_(*(text.contains(part, autoescape=True) for part in _parts(one))) for one in words))


def _parts(word: str) -> list[str]:
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\' else "\n" for one in word)
    return [part.lower() for part in plain.split("\n") if part] or [""]


def _words_of(fields: Mapping[str, Value]) -> set[str]:
    """By which words texts may name the person whose values these are: addresses, and first and last name."""
    words = {one for value in fields.values() if isinstance(value, str) for one in _addresses(value)}
    folded = {name.casefold(): str(value).strip() for name, value in fields.items() if value}
    first, last = folded.get("firstname", ""), folded.get("lastname", "")
    return words | ({f"{first} {last}", f"{last}, {first}"} if first and last else set())


def _addresses(value: str) -> list[str]:
    """The e-mail addresses that a value is, or lists."""
    some = value.casefold().replace(";", " ").replace(",", " ").split()
    return some if some and all(one.strip("@") == one and one.count("@") == 1 for one in some) else []


def _holds_address(fields: Mapping[str, Value], email: str) -> bool:
    return any(isinstance(one, str) and email in _addresses(one) for one in fields.values())


def _without(changes: Iterable[list[Any]], person: Person) -> Iterator[list[Any]]:
    """The changes that do not name the person. What a contact was called on a deal goes with the contact."""
    goes = False
    for one in changes:
        name, old, new = one[:3]
        if name == CONTACT:
            goes = not person.every_id.isdisjoint({str(old), str(new)})
        elif name not in _NAMES_OF_ROLES:
            goes = False
        own = {str(old), str(new)} & person.ids[Side.SALESFORCE]
        if not goes and not own and not any(_names(str(text), person) for text in (old, new, one[4])):
            yield one


def _pattern(person: Person) -> re.Pattern[str]:
    """Any word that names the person, where it is not a part of a longer one."""
    some = sorted(person.words, key=len, reverse=True)
    return re.compile(rf"(?<![\w.+-])(?:{'|'.join(map(re.escape, some))})(?![\w-]|\.\w)", re.IGNORECASE)


def _names(text: str, person: Person) -> bool:
    return bool(person.words and _pattern(person).search(text))


def _cover(text: str, person: Person) -> str:
    """A text without the words that name the person."""
    return _pattern(person).sub(REMOVED, text) if person.words else text


def _clear(told: Any, person: Person) -> Any:
    """The same JSON without ids, values and words of the person."""
    if isinstance(told, str):
        return REMOVED if told in person.ids[Side.SALESFORCE] else _cover(told, person)
    if isinstance(told, list):
        return [_clear(one, person) for one in told]
    if not isinstance(told, dict):
        return told
    cleared = {name: _clear(one, person) for name, one in told.items()}
    for name in ("record", "of", "hubspot_id"):
        if told.get(name) in person.ids[Side.HUBSPOT] and told.get("object", "") in {"", *person.objects.values()}:
            cleared[name] = REMOVED
    if "changes" in told and REMOVED in (cleared.get("record"), cleared.get("of")):
        cleared["changes"] = []
    return cleared
