"""Which values does the journal keep as a keyed hash only, and what can still be told of them? (G3)

| of a personal field                       | the journal keeps | so that                                          |
|-------------------------------------------|-------------------|--------------------------------------------------|
| a value                                   | `hidden:` + hash  | equal ones are told to be equal, and no more     |
| that it was blank                         | that              | an undo can blank it again                       |
| of a deleted record what is not mapped    | the same as above | nothing slips through that nobody thought to map |

Without the key nobody can try out names and addresses against the hashes. The key is random, one for each
connection, and stands in the store. That is on purpose: the store holds today's values in clear text anyway, so a
key kept elsewhere would protect former ones alone, and once lost, undo could do nothing more with them. What leaves
the store (plans, reports, answers) holds hashes without the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from connector.core.model import Change, Fields, Pair, Side, Value
from connector.core.naming import CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES

START = "hidden:"
_DIGITS = 16
_STRUCTURE = frozenset({CONTACT, LABELS, ROLE_NAMES, IS_PRIMARY})
_NUMBER = re.compile(r"[+-]?\d+\.\d+")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")

Place = tuple[Side, str]
"""Side and object."""


class Hidden(str):
    """A value that is not known any more, but for being equal to another one or not.

    It equals another hidden value with the same hash, and every plain value of which it is the hash, as long as it
    has the key. It is written to no CRM.
    """

    __slots__ = ("key",)
    key: str

    def __new__(cls, text: str, key: str = "") -> Self:
        made = super().__new__(cls, text)
        made.key = key
        return made

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Hidden):
            return str(self) == str(other)
        if other == "" or not isinstance(other, str | int | float):
            return False
        return bool(self.key) and str(self) == _digest(self.key, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Veil:
    """What is hidden: the personal fields by side and object, and there the fields that are mapped at all."""

    key: str = ""
    personal: Mapping[Place, frozenset[str]] = field(default_factory=dict)
    mapped: Mapping[Place, frozenset[str]] = field(default_factory=dict)
    objects: Mapping[str, Mapping[Side, str]] = field(default_factory=dict)
    """The objects of each pair, by its name."""

    @classmethod
    def over(cls, pairs: Iterable[Pair], key: str = "") -> Veil:
        """The veil that these pairs ask for."""
        personal: dict[Place, frozenset[str]] = {}
        mapped: dict[Place, frozenset[str]] = {}
        objects: dict[str, Mapping[Side, str]] = {}
        for pair in pairs:
            objects[pair.name] = {side: pair.object(side) for side in Side}
            for side in Side:
                names = frozenset(name for rule in pair.fields if rule.personal for name in rule.names(side))
                if names:
                    place = side, pair.object(side)
                    personal[place] = names
                    own = {pair.partner_field[side]} if side in pair.partner_field else set()
                    mapped[place] = frozenset({name for rule in pair.fields for name in rule.names(side)} | own)
        return cls(key, personal, mapped, objects)

    def with_more(self, other: Veil) -> Veil:
        """What either hides."""
        return Veil(
            self.key or other.key,
            {**self.personal, **other.personal},
            {**self.mapped, **other.mapped},
            {**self.objects, **other.objects},
        )

    def __bool__(self) -> bool:
        return bool(self.personal)

    def is_personal(self, side: Side, object_: str, name: str) -> bool:
        """Whether the mapping says so of a field, or of one in fields that are named together with `+`."""
        return not self.personal.get((side, object_), frozenset()).isdisjoint({name, *name.split("+")})

    def hide(self, side: Side, object_: str, name: str, value: Value) -> Value:
        """A value as it may be kept and shown."""
        return self._hide(value) if self.is_personal(side, object_, name) else value

    def hide_fields(self, side: Side, object_: str, values: Fields) -> dict[str, Value]:
        return {name: self.hide(side, object_, name, value) for name, value in values.items()}

    def hide_base(self, pair: str, side: Side, values: Fields) -> dict[str, Value]:
        """One side of what a pair agreed on."""
        return self.hide_fields(side, self.objects[pair][side], values) if pair in self.objects else dict(values)

    def cover(self, verb: str, side: Side, object_: str, change: Change) -> Change:
        """A change as it may be kept and shown."""
        if not self._is_covered(verb, side, object_, change.field):
            return change
        return replace(change, old=self._hide(change.old), new=self._hide(change.new))

    def recognise(self, verb: str, side: Side, object_: str, change: Change) -> Change:
        """A change out of a file: hidden again where it was hidden when it was written there."""
        if not self._is_covered(verb, side, object_, change.field):
            return change
        return replace(change, old=self._recognise(change.old), new=self._recognise(change.new))

    def _is_covered(self, verb: str, side: Side, object_: str, name: str) -> bool:
        mapped = self.mapped.get((side, object_))
        if mapped is None:
            return False
        unknown = verb == "delete" and name not in mapped and name not in _STRUCTURE
        return unknown or self.is_personal(side, object_, name)

    def _hide(self, value: Value) -> Value:
        if value is None or value == "" or isinstance(value, Hidden):
            return value
        return Hidden(_digest(self.key, value), self.key)

    def _recognise(self, value: Value) -> Value:
        return Hidden(value, self.key) if isinstance(value, str) and value.startswith(START) else value


def reveal(hidden: Value, known: Iterable[Value]) -> Value:
    """The first of these values that it is the hash of, else what was given."""
    if not isinstance(hidden, Hidden):
        return hidden
    return next((one for one in known if hidden == one and not isinstance(one, Hidden)), hidden)


def without_hidden(values: Fields) -> dict[str, Value]:
    return {name: value for name, value in values.items() if not isinstance(value, Hidden)}


def _digest(key: str, value: str | float) -> str:
    said = _say(value).encode()
    return START + hmac.new(key.encode(), said, hashlib.sha256).hexdigest()[:_DIGITS]


def _say(value: str | float) -> str:
    """A value in the form in which the CRMs' ways to print it are one: trimmed, numbers plain, addresses small."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value).strip()
    if isinstance(value, float) or _NUMBER.fullmatch(text):
        return f"{Decimal(text).normalize():f}"
    if moment := _MOMENT.match(text):
        return moment[0]
    return text.casefold() if "@" in text else text
