"""What does a check say? One thing that was looked at, how it is, of which class, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from connector.core.model import FieldRule, Pair, ProblemClass, Rule, Side
from connector.engine.fields import find_misfits
from connector.engine.scope import find_scope_faults
from connector.errors import Unreachable

NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
RIGHTS, MAPPING = ProblemClass.PERMISSIONS, ProblemClass.FIELD_MAPPING
_NEVER_WRITES = {
    Side.SALESFORCE: {Rule.ALWAYS_SALESFORCE, Rule.DONT_SYNC},
    Side.HUBSPOT: {Rule.ALWAYS_HUBSPOT, Rule.DONT_SYNC},
}


class State(StrEnum):
    """NO_CONNECTION: the whole side cannot be used."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NO_CONNECTION = "no connection"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `remedy` says what to do unless it is fine, `cause` whose matter that is."""

    name: str
    state: State
    detail: str
    remedy: str = ""
    cause: ProblemClass | None = None


def attempt(name: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """What `look` finds; if a CRM does not let it, that."""
    try:
        return list(look())
    except Unreachable as error:
        return [Check(name, State.PROBLEM, error.message, _remedy(error), ProblemClass(error.cause))]


def attempt_login(name: str, address: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """The same for the first call to a side, on which all others depend. `address`: the variable that has it."""
    try:
        return list(look())
    except Unreachable as error:
        lost = error.cause == ProblemClass.CONNECTION
        remedy = f"check {address}, the network, and the vendor's status page" if lost else _remedy(error)
        return [Check(name, State.NO_CONNECTION, error.message, remedy, ProblemClass(error.cause))]


def _remedy(error: Unreachable) -> str:
    """Whoever reads this has run `connector check` already."""
    return "" if "connector check" in error.remedy else error.remedy


# --- what mappings ask for --------------------------------------------------------------------------------


def mapped(pair: Pair, side: Side) -> Iterator[tuple[FieldRule, str]]:
    """The fields of a side that a rule reads or writes."""
    return ((rule, name) for rule in pair.fields if rule.rule is not Rule.DONT_SYNC for name in rule.names(side))


def writes(rule: FieldRule, side: Side) -> bool:
    return rule.rule not in _NEVER_WRITES[side]


def guess(name: str, known: Iterable[str]) -> str:
    """`did you mean Phone? `, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}? " if close else ""


def check_types(pair: Pair, side: Side, types: Mapping[str, str]) -> Iterator[Check]:
    """What asks for what is not there, or cannot take its type (F3, A8). `types` are those of the fields."""
    misfits = [one for rule in pair.fields for one in find_misfits(pair, side, rule, types.get)]
    for one in [*misfits, *find_scope_faults(pair, side, types.get)]:
        name = f"{NAMES[side]} {pair.object(side)}"
        yield Check(name, State.PROBLEM, f"{one.where}:{one.line}: {one.message}", one.remedy, MAPPING)
