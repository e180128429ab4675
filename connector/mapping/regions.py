"""Which country or state is meant, however it is written? `Germany`, `DE`, `DEU` and `Deutschland` are one.

Salesforce has state and country as text or, with State and Country/Territory Picklists, as lists of names and of
codes; HubSpot has them as text. `write_as` says of each side whether names or codes are written there. What is not
recognised is text, and is carried as it is.

    countries   ISO 3166-1: the alpha-2 and alpha-3 codes, English names, and others in use (`countries.txt`)
    states      ISO 3166-2 of the countries that `states.txt` lists. Without `country`, a code means a state of
                `CODES_OF`, if only one of them has it: `CA` is California, and `WA` is left as it is, since it is
                Washington or Western Australia
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from connector.core.model import Cannot, Known, Side, Value, Values
from connector.mapping.values import text_of

Kind = Literal["country", "state"]
Spelling = Literal["name", "code"]
CODES_OF = frozenset({"US", "CA", "AU"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """A country or state: `of` is the country of a state."""

    of: str
    code: str
    name: str
    others: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.of}-{self.code}" if self.of else self.code


@dataclass(frozen=True, slots=True)
class Region:
    """A country or state by its meaning. `codes` are the sides on which codes are written, else names.

    `own` are spellings of the administrator's, (Salesforce, HubSpot): they are understood, and written.
    """

    kind: Kind
    country: str | None = None
    codes: frozenset[Side] = frozenset()
    own: tuple[tuple[str, str], ...] = ()
    _spelled: Mapping[Side, Mapping[str, str]] = field(init=False, repr=False, compare=False)
    _meant: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spelled: dict[Side, dict[str, str]] = {side: {} for side in Side}
        meant: dict[str, str] = {}
        for here, there in self.own:
            id_ = find_region(self.kind, here, self.country) or find_region(self.kind, there, self.country)
            meaning = meant.get(_fold(there)) or meant.get(_fold(here)) or id_ or _fold(here)
            spelled[Side.SALESFORCE].setdefault(meaning, here.strip())
            spelled[Side.HUBSPOT].setdefault(meaning, there.strip())
            meant |= {_fold(here): meaning, _fold(there): meaning}
        object.__setattr__(self, "_spelled", spelled)
        object.__setattr__(self, "_meant", meant)

    def meaning(self, side: Side, values: Values) -> Hashable:
        text = text_of(values[0])
        return text and (self._find(text) or text)

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        text = text_of(values[0])
        id_ = self._find(text) if text else None
        if id_ is None:
            return (text,)
        if own := self._spelled[to].get(id_):
            return (own,)
        entry = _entries(self.kind)[id_]
        return (entry.code if to in self.codes else entry.name,)

    def _find(self, text: str) -> str | None:
        return self._meant.get(_fold(text)) or find_region(self.kind, text, self.country)


def find_region(kind: Kind, value: Value, country: str | None = None) -> str | None:
    """The ISO code (`DE`, `US-CA`) that a text stands for; None if it stands for none, or for several."""
    key = _fold(str(value or ""))
    found = _names(kind).get(key, frozenset())
    if not found:
        found = frozenset(
            id_ for id_ in _codes(kind).get(key, ()) if kind == "country" or country or _is_common(id_)
        )
    if kind == "state" and country:
        found = frozenset(
            id_ for id_ in found | _codes(kind).get(key, frozenset()) if id_.startswith(f"{country}-")
        )
    return next(iter(found)) if len(found) == 1 else None


def countries_with_states() -> tuple[str, ...]:
    """The countries whose states are known."""
    return tuple(dict.fromkeys(one.of for one in _entries("state").values()))


def _is_common(id_: str) -> bool:
    return id_.partition("-")[0] in CODES_OF


def _fold(text: str) -> str:
    """Letters and digits alone, without accents and case: `Côte d'Ivoire` is `cotedivoire`."""
    plain = unicodedata.normalize("NFKD", text.replace("&", "and"))
    return "".join(one for one in plain.casefold() if one.isalnum())


@cache
def _entries(kind: Kind) -> Mapping[str, _Entry]:
    name = "countries.txt" if kind == "country" else "states.txt"
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    rows = [line.split("|") for line in lines if line and not line.startswith("#")]
    made = [_country(*row) if kind == "country" else _state(*row) for row in rows]
    return {one.id: one for one in made}


def _country(code: str, longer_code: str, name: str, *others: str) -> _Entry:
    return _Entry("", code, name, (longer_code, *others))


def _state(of: str, code: str, name: str, *others: str) -> _Entry:
    return _Entry(of, code, name, others)


@cache
def _names(kind: Kind) -> Mapping[str, frozenset[str]]:
    return _index((name, one.id) for one in _entries(kind).values() for name in (one.name, *one.others))


@cache
def _codes(kind: Kind) -> Mapping[str, frozenset[str]]:
    return _index((code, one.id) for one in _entries(kind).values() for code in {one.code, one.id})


def _index(pairs: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for text, id_ in pairs:
        found.setdefault(_fold(text), set()).add(id_)
    return {key: frozenset(ids) for key, ids in found.items()}
