"""What does a check say? One thing that was looked at, how it is, of which class, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connector.adapters.hubspot import Property
from connector.adapters.salesforce import Schema
from connector.core.model import FieldRule, Pair, ProblemClass, Rule, Side
from connector.engine.scope import find_scope_faults
from connector.errors import Finding, Unreachable

NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
RIGHTS, MAPPING = ProblemClass.PERMISSIONS, ProblemClass.FIELD_MAPPING


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


@dataclass
class Definitions:
    """What the checks of either side read of its fields, for those that are about both."""

    salesforce: Schema = field(default_factory=lambda: Schema({}))
    hubspot: dict[str, Mapping[str, Property]] = field(default_factory=dict)


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


def check_filters(pair: Pair, side: Side, types: Mapping[str, str]) -> Iterator[Check]:
    """The conditions of a scope filter that ask for what is not there (A8). `types` are those of the fields."""
    yield from tell(f"{NAMES[side]} {pair.object(side)}", find_scope_faults(pair, side, types.get, types))


def tell(name: str, findings: Iterable[Finding]) -> Iterator[Check]:
    """What is wrong in a mapping file, each with its place."""
    for one in findings:
        yield Check(name, State.PROBLEM, f"{one.where}:{one.line}: {one.message}", one.remedy, MAPPING)
