"""What is shared by all that applies a plan: the work in hand, what to look at again, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from connector.adapters.base import Refusal
from connector.core.model import (
    Pair,
    Problem,
    ProblemClass,
    Side,
)
from connector.engine.hands import Hands
from connector.engine.report import Report
from connector.engine.world import Connection, World
from connector.store.journal import Place

Only = frozenset[tuple[Side, str, str]]
"""Records (side, object, id) that a run is limited to (T6)."""


@dataclass
class Work:
    """What applying needs: the connection, the world, the hands, and where to count."""

    c: Connection
    world: World
    hands: Hands
    report: Report
    only: Only | None = None
    progress: Callable[[int], None] = lambda _: None
    again: set[tuple[Side, str]] = field(default_factory=set)
    """Records of the window in hand that are to be looked at once more."""
    troubled: set[Place] = field(default_factory=set)
    """Where in the window in hand there is a problem: (side, object, id, field)."""


def look_again(work: Work, pair: Pair, side: Side, ids: Iterable[str]) -> None:
    some = list(ids)
    work.again |= {(side, id_) for id_ in some}
    work.c.store.records.mark(side, pair.object(side), some)


def note_problems(work: Work, problems: Iterable[Problem]) -> None:
    """All are tried again by themselves (E2): what is amiss may be mended on another record."""
    distinct = {(one.side, one.object, one.record_id, one.field): one for one in problems}
    work.troubled |= distinct.keys()
    work.c.store.problems.note(distinct.values(), retry=True)


_REMEDIES = {
    ProblemClass.ASSOCIATIONS: "check that the records it refers to exist and can be seen",
    ProblemClass.CUSTOM_CODE: "a flow, trigger or validation rule in Salesforce refused it; ask its owner",
    ProblemClass.DUPLICATES: "merge the duplicates, or change the value that makes them alike",
    ProblemClass.PERMISSIONS: "give the connector's user the right to write this",
    ProblemClass.PROPERTY_VALUES: "correct the value, or give the mapping a value map or a default",
    ProblemClass.FIELD_MAPPING: "correct the mapping file: this field does not exist or cannot be written",
    ProblemClass.API_LIMIT: "wait until API calls are free again",
    ProblemClass.CONNECTION: "nothing: it is tried again",
}


def describe_refusal(side: Side, object_: str, record_id: str, refusal: Refusal) -> Problem:
    remedy = _REMEDIES[refusal.cause]
    return Problem(side, object_, record_id, refusal.cause, refusal.code, refusal.message, remedy, refusal.field)
