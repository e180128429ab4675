"""What does forgetting a person take out of the store, and what stays? Asks neither CRM, and writes to none.

    1  lease     no run is under way, and none begins
    2  find      their records on both sides, by any e-mail that one of them has, or by id (`store/people.py`)
    3  remove    in one transaction, noted among the runs by numbers alone
    4  wipe      the database is written anew, so that no deleted byte stays in its files

As long as the person is in a CRM, the next run that meets the record there takes it in again: the CRMs are the
masters. So delete there first, and let a sync see it. A death between 3 and 4 is made good by the next time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from connector.core.model import Side
from connector.engine.answers.references import Reference, no_such_record, read_reference
from connector.engine.wiping import note_deleted, wipe
from connector.engine.world import CONTACTS
from connector.errors import BadConfiguration
from connector.mapping.files import PAIRS
from connector.store.people import Person
from connector.store.store import Store

OBJECTS = dict(zip(Side, PAIRS[CONTACTS], strict=True))
KIND = "forget"


@dataclass(frozen=True, slots=True)
class Known:
    """A record of the person as it was last seen. `present`: it was in its CRM then."""

    side: Side
    object: str
    id: str
    name: str
    present: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, or would be. `run` is 0 and `wiped` false while nothing was.

    `removed` are rows by table: `journal` entries are blanked, and a `text` is a report or such in which the words
    that named the person are covered. `mentions` are records of others that name the person; they stay.
    """

    run: int
    records: tuple[Known, ...]
    removed: Mapping[str, int]
    mentions: int
    wiped: bool

    @property
    def still_there(self) -> tuple[Known, ...]:
        """Those that the next run would meet again."""
        return tuple(one for one in self.records if one.present)

    def as_json(self) -> dict[str, Any]:
        """The documented shape of `connector forget --json`."""
        return asdict(self) | {"records": [asdict(one) for one in self.records]}


def show_forgetting(store: Store, who: str) -> Forgotten:
    """What `forget` would remove now. Changes nothing.

    Raises:
        BadConfiguration: nobody is found, or it is no person.
        Busy: a run is under way.
    """
    with store.runs.lease():
        person = _find(store, who)
        told = _describe(store, person)
        with store.pretending():
            return replace(told, removed=store.people.forget(person))


def forget(store: Store, who: str) -> Forgotten:
    """Remove a person from the store. Raises as `show_forgetting` does."""
    with store.runs.lease():
        try:
            person = _find(store, who)
        except BadConfiguration:
            wipe(store)
            raise
        told = _describe(store, person)
        with store.transaction():
            removed = store.people.forget(person)
            run = store.runs.note_act(KIND, records=len(told.records), removed=removed)
            note_deleted(store)
        return replace(told, run=run, removed=removed, wiped=wipe(store))


def _find(store: Store, who: str) -> Person:
    reference = read_reference(who)
    if reference.object is not None and reference.object not in OBJECTS.values():
        raise no_such_record(
            who, "that is no person: only contacts are forgotten", "name the contact, or an e-mail"
        )
    ids = [(reference.side, reference.id)] if reference.side is not None else []
    person = store.people.find(CONTACTS, OBJECTS, email=reference.email, ids=ids)
    if not person.every_id and not _is_mentioned(store, person, reference):
        raise no_such_record(
            who,
            "nobody like that is in the store",
            "nothing is to be forgotten here; records that a run has never seen are in the CRMs alone",
        )
    return person


def _is_mentioned(store: Store, person: Person, reference: Reference) -> bool:
    """Whether there is something to remove of somebody without a record, such as a line that was refused."""
    if not reference.email:
        return False
    with store.pretending():
        return bool(store.people.forget(person))


def _describe(store: Store, person: Person) -> Forgotten:
    records = [
        Known(side, object_, id_, name, present)
        for side, object_ in OBJECTS.items()
        for id_, name, present in _known(store, person, side, object_)
    ]
    return Forgotten(0, tuple(records), {}, store.people.count_mentions(person), wiped=False)


def _known(store: Store, person: Person, side: Side, object_: str) -> list[tuple[str, str, bool]]:
    seen = store.records.load(side, object_, person.ids[side])
    found = []
    for id_ in sorted(person.ids[side]):
        fields = {name.casefold(): value for name, value in (seen[id_].fields if id_ in seen else {}).items()}
        name = " ".join(str(fields[one]) for one in ("firstname", "lastname") if fields.get(one))
        found.append((id_, name, id_ in seen and seen[id_].present))
    return found
