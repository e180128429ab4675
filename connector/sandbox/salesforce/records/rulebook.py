"""Rules that an administrator has made, by their object and name.

Validation rules and duplicate rules are kept alike: in the order they were made, one of the same object and name
replaced with its id kept, and a list with a wrong one among them not taken at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.records.store import Store

Items = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class NamedRule:
    """What every rule has; `id` is empty until the rule is kept."""

    id: str
    sobject: str
    name: str
    active: bool


Rule = TypeVar("Rule", bound=NamedRule)


class Rulebook(ABC, Generic[Rule]):
    """The rules of one kind in an org."""

    prefix: str  # of their ids

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rules: dict[tuple[str, str], Rule] = {}
        self._issued = 0

    @abstractmethod
    def tell(self) -> list[dict[str, Any]]:
        """The rules, in the shape they are given in, each with its id."""

    @abstractmethod
    def _read(self, item: Mapping[str, Any]) -> Rule:
        """A rule as it was given, without an id. Raises `InputError`."""

    def add(self, items: Items) -> list[str]:
        """Add rules, or replace those of the same object and name, and give back their ids. Raises `InputError`."""
        made = self._make(items)
        self._rules |= made
        return [rule.id for rule in made.values()]

    def replace(self, items: Items) -> list[str]:
        """Make these the only rules. Raises `InputError`."""
        self._rules = self._make(items)
        return [rule.id for rule in self._rules.values()]

    def _of(self, sobject: str) -> list[Rule]:
        """The rules of an object that are in force."""
        return [rule for rule in self._rules.values() if rule.sobject == sobject and rule.active]

    def _make(self, items: Items) -> dict[tuple[str, str], Rule]:
        made: dict[tuple[str, str], Rule] = {}
        issued = self._issued
        for item in items:
            rule = self._read(item)
            key = (rule.sobject, rule.name)
            known = self._rules.get(key)
            issued += known is None
            made[key] = replace(rule, id=ids.make(self.prefix, "000", issued) if known is None else known.id)
        self._issued = issued
        return made
