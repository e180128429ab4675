"""What is held back since a run was undone, until its source moves on or a person lets it go? (X2)

A gate like any other: what an undo took back is planned in every run, since its source still says so, and does not
pass. As soon as something else is to be written in its place, that passes, and the hold is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.core.actions import Settlement
from connector.core.hold import find_held_fields, is_creation_held, is_role_held
from connector.core.model import Base, Pair, Side
from connector.engine.report import Written
from connector.engine.world import DEALS, Connection
from connector.mapping.transforms import Reference
from connector.store.holds import Holds, Place
from connector.store.store import Store

ROLE_VERBS = ("connect", "disconnect", "name")


class HeldGate:
    """Lets pass what is not held."""

    keeps_due = False
    """What is held would be due for ever; whoever lets it go makes it due."""

    def __init__(self, holds: Holds, pairs: Mapping[str, Pair]) -> None:
        self.withheld = 0
        self._holds = holds
        self._pairs = pairs

    def admit(self, write: Written) -> frozenset[str]:
        fields = frozenset(change.field for change in write.changes)
        held = self._holds.at(place_of(write))
        if not held:
            return fields
        if write.verb == "update":
            passed = fields - find_held_fields(write.changes, held, self._pairs[write.object], write.side)
        elif write.verb == "create":
            passed = frozenset() if is_creation_held(write.changes, held, self._made_anew(write)) else fields
        elif write.verb in ROLE_VERBS:
            passed = frozenset() if is_role_held(write.changes, held) else fields
        else:
            passed = frozenset()
        self.withheld += passed != fields
        return passed

    def note(self, write: Written) -> None:
        """Something was written: what was held in its place, and in that of its source, is over.

        Not if what is there was only repeated, as the close date is beside a closed stage (F7).
        """
        fields = [change.field for change in write.changes if change.rule != "F7" or change.old != change.new]
        if write.verb == "create":
            self._holds.end(Place("create", write.side, write.object, write.of))
            return
        self._holds.end(place_of(write), fields)
        if write.verb == "update" and write.of and (pair := self._pairs.get(write.object)):
            other = write.side.other
            names = [
                name
                for rule in pair.fields
                if not set(rule.names(write.side)).isdisjoint(fields)
                for name in rule.names(other)
            ]
            self._holds.end(Place("update", other, pair.object(other), write.of), names)

    def _made_anew(self, write: Written) -> frozenset[str]:
        """Fields that hold ids of other records: these may have been taken back, and made anew, as well."""
        pair = self._pairs[write.object]
        return frozenset(
            name for rule in pair.fields if isinstance(rule.transform, Reference) for name in rule.names(write.side)
        )


def place_of(write: Written) -> Place:
    """What a planned write is about, as holds name it."""
    if write.verb == "create" or write.verb in ROLE_VERBS:
        return Place(write.verb, write.side, write.object, write.of)
    return Place(write.verb, write.side, write.object, write.record or "")


def make_gates(c: Connection) -> tuple[HeldGate, ...]:
    """The gate, if anything is held at all."""
    return (HeldGate(c.store.holds, pairs_by_object(c.pairs.values())),) if c.store.holds.count() else ()


def pairs_by_object(pairs: Iterable[Pair]) -> dict[str, Pair]:
    """Pairs by the names of their objects on either side, parents first."""
    return {pair.object(side): pair for pair in pairs for side in Side}


def end_agreed(c: Connection, pair: Pair, settlements: Sequence[Settlement]) -> None:
    """Both sides agree on something by themselves: nothing of it is held any more."""
    if not settlements or not c.store.holds.count():
        return
    for one in settlements:
        for side in Side:
            names = list(_base_of(one.base, side))
            if id_ := one.link.id_of(side):
                c.store.holds.end(Place("update", side, pair.object(side), id_), names)


def _base_of(base: Base, side: Side) -> Mapping[str, object]:
    return base.salesforce if side is Side.SALESFORCE else base.hubspot


def find_held_deletions(c: Connection, pair: Pair, side: Side, ids: Iterable[str]) -> set[str]:
    """Of records deleted on a side those whose partner stays since a run was undone: the guard leaves them out."""
    links = c.store.links.by_ids(pair.name, side, ids)
    partners = {other: id_ for id_, one in links.items() if (other := one.id_of(side.other))}
    held = c.store.holds.of_record(side.other, pair.object(side.other), partners)
    return {partners[one["record"]] for one in held if one["verb"] == "delete"}


def describe_held(store: Store) -> list[str]:
    """In words, by the run that was undone."""
    return [
        f"{number:,} write{' is' if number == 1 else 's are'} held since run {run_id} was undone;"
        f" `connector resume {run_id}` lets {'it' if number == 1 else 'them'} go (X2)"
        for run_id, number in store.holds.count().items()
    ]


def let_go(store: Store, pairs: Mapping[str, Pair], run_id: int) -> int:
    """Lift the holds of a run that was undone, or of the run that an undo took back; returns how many writes.

    Whatever was held is to be looked at by the next run. An undo that was cut short is not completed any more.
    """
    run = store.runs.find(run_id)
    while run is not None and run.is_undo and run.of_run is not None:
        run = store.runs.find(run.of_run)
    if run is None:
        return 0
    with store.transaction():
        number = lift(store, pairs, run.id)
        store.runs.give_up(run.id)
    return number


def lift(store: Store, pairs: Mapping[str, Pair], run_id: int) -> int:
    """Hold nothing any more of what a run wrote; whatever was held is due. Returns how many writes."""
    places = store.holds.of_run(run_id)
    for place in places:
        _wake(store, pairs, place)
    store.holds.lift(run_id)
    return len(places)


def _wake(store: Store, pairs: Mapping[str, Pair], place: Place) -> None:
    """Make the records that a hold is about due again, and what is derived for them."""
    side, record = place.side, place.record
    if place.verb in ROLE_VERBS:
        pair = next((one for one in pairs.values() if one.name == DEALS), None)
        record = record.partition("/")[0]
    else:
        pair = pairs.get(place.object)
    if pair is None:
        return
    side = side.other if place.verb == "create" else side
    store.records.mark(side, pair.object(side), [record])
    links = store.links.by_ids(pair.name, side, [record])
    for one in links.values():
        if other := one.id_of(side.other):
            store.records.mark(side.other, pair.object(side.other), [other])
    store.links.derive([one.id for one in links.values()])
