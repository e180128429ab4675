"""What is shared by all that applies a plan: the work in hand, what to look at again, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connector.adapters.base import Blame, Refusal
from connector.core.actions import Adoption
from connector.core.model import (
    Link,
    LinkState,
    Pair,
    Presence,
    Problem,
    Record,
    Side,
    Value,
)
from connector.engine.hands import Hands
from connector.engine.hiding import cover_problems
from connector.engine.report import Report, Written
from connector.engine.world import Connection, World
from connector.mapping.transforms import Reference
from connector.store.journal import Place

GONE: Mapping[Side, frozenset[Presence]] = {
    Side.SALESFORCE: frozenset({Presence.DELETED, Presence.MERGED}),
    Side.HUBSPOT: frozenset({Presence.DELETED, Presence.MERGED, Presence.INVISIBLE}),
}
"""Absences that make a field wait which would refer to the record.

What Salesforce does not show may be shared with the connector's user at any time, untold, so that it is tried.
HubSpot shows an app all records of an object or none: what is nowhere was merged, and its survivor deleted.
"""

Only = frozenset[tuple[Side, str, str]]
"""Records (side, object, id) that a run is limited to (T6)."""


class Gate(Protocol):
    """Decides about writes, and is told of those that were made."""

    keeps_due: bool
    """Whether a record of which something did not pass is to be looked at again by the next run."""

    def admit(self, write: Written) -> frozenset[str]:
        """The fields of this write that may be written; none: it may not be made."""

    def note(self, write: Written) -> None:
        """This write was made."""


@dataclass
class Work:
    """What applying needs: the connection, the world, the hands, and where to count."""

    c: Connection
    world: World
    hands: Hands
    report: Report
    only: Only | None = None
    progress: Callable[[int], None] = lambda _: None
    forced: Only = frozenset()
    """Records for which a person asked for a partner, whatever the rules of making one say (A1)."""
    gates: tuple[Gate, ...] = ()
    """What every planned write has to pass before it is made (`gate.py`)."""
    withheld: set[tuple[Side, str]] = field(default_factory=set)
    """Records of which something did not pass a gate, and which stay due."""
    pulled: set[tuple[str, Side, str]] = field(default_factory=set)
    """Parents (pair, side, id) that were looked at because a child of theirs waited for them."""
    again: set[tuple[Side, str]] = field(default_factory=set)
    """Records of the window in hand that are to be looked at once more."""
    troubled: set[Place] = field(default_factory=set)
    """Where in the window in hand there is a problem: (side, object, id, field)."""
    noted: set[Place] = field(default_factory=set)
    """Where in this run there was one."""
    left_out: dict[tuple[Side, str, str], dict[str, Value]] = field(default_factory=dict)
    """Fields that a CRM refused in this run, with their values: their records were written without them."""
    turned_down: dict[tuple[Side, str, str], dict[str, Value]] = field(default_factory=dict)
    """The values of whole writes that a CRM refused in this run."""
    on_match: Callable[[Adoption], None] = lambda _: None
    """Told of each two records that find one another, inside the transaction that links them."""


def count(work: Work, write: Written) -> None:
    """Count a write that was made."""
    work.report.count(write, work.c.store.veil)
    for gate in work.gates:
        gate.note(write)


def look_again(work: Work, pair: Pair, side: Side, ids: Iterable[str]) -> None:
    some = list(ids)
    work.again |= {(side, id_) for id_ in some}
    work.c.store.records.mark(side, pair.object(side), some)


def learn_partners(work: Work, pair: Pair, records: Iterable[Record]) -> None:
    """Look up the partners of everything these records refer to, in one go per kind."""
    knowledge, links = work.world.knowledge, work.c.store.links
    knowledge.forget()
    some = list(records)
    for rule in pair.fields:
        if not isinstance(rule.transform, Reference):
            continue
        for side in Side:
            ids = {
                str(one.fields[name])
                for one in some
                if one.side is side
                for name in rule.names(side)
                if one.fields.get(name)
            }
            found = links.by_ids(rule.transform.pair, side, ids)
            live = [one for one in found.values() if one.state is LinkState.LINKED]
            knowledge.learn(rule.transform.pair, side, _without_absent(work, rule.transform.pair, side, live))


def _without_absent(work: Work, name: str, side: Side, links: Sequence[Link]) -> list[Link]:
    """Without those whose partner nothing can refer to, and whose end or survivor is yet to come (D2, D5, A7)."""
    pair = work.c.pairs.get(name)
    if pair is None:
        return list(links)
    partners = [id_ for one in links if (id_ := one.id_of(side.other))]
    absent = work.c.store.records.absent(side.other, pair.object(side.other), partners)
    gone = {id_ for id_, presence in absent.items() if presence in GONE[side.other]}
    return [one for one in links if one.id_of(side.other) not in gone]


def note_problems(work: Work, problems: Iterable[Problem]) -> None:
    """All are tried again by themselves (E2): what is amiss may be mended on another record."""
    distinct = {(one.side, one.object, one.record_id, one.field): one for one in problems}
    work.troubled |= distinct.keys()
    kept = cover_problems(work.c.store, work.c.pairs, distinct.values())
    work.c.store.problems.note(kept, retry=True, again=work.noted)
    work.noted |= distinct.keys()


def describe_refusal(side: Side, object_: str, record_id: str, refusal: Refusal) -> Problem:
    """A problem of a record as a whole."""
    where = (side, object_, record_id)
    return Problem(*where, refusal.cause, refusal.code, refusal.message, refusal.remedy, refusal.field)


def describe_blame(side: Side, object_: str, record_id: str, blame: Blame) -> Problem:
    """A problem of one field; the rest of its record was written."""
    where = (side, object_, record_id)
    return Problem(*where, blame.cause, blame.code, blame.message, blame.remedy, blame.field)
