"""Which fields could be mapped that are not? Proposed from names, labels, types, options and what records hold.

A proposal is what could be written into a mapping file. Never proposed is what is mapped already, what nobody may
write, what the connector computes itself, and what no transform carries. The score is between 0 and 1:

    0.65   how alike names and labels are
    0.10   whether the transform is the one made for both kinds
    0.10   whether both sides are filled in the records that were looked at
    0.15   in how many linked records both sides mean the same; else how many options have a counterpart
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from zoneinfo import ZoneInfo

from connector.core.model import Pair, Rule, Side
from connector.mapping.checks import Seen
from connector.mapping.compatibility import advise
from connector.mapping.schema import TEXTS, FieldFacts, Kind, ObjectFacts

LEAST_ALIKE, LEAST_SCORE = 0.75, 0.6
ALIKE_WITHOUT_A_WORD = 0.85
"""How alike two names must be that have no word in common."""
ENOUGH = 5
"""Linked records filled on both sides from which on it counts whether they agree."""
_NOT_PROPOSED = frozenset({Kind.OTHER, Kind.UNKNOWN, Kind.REFERENCE, Kind.OWNER})


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pair of fields that could be mapped, and what speaks for it.

    `alike_by` is `label` or `name`; `agree` of `compared` linked records mean the same on both sides; of `options`
    Salesforce values `matched` have a counterpart; `filled` is what was seen on each side.
    """

    pair: str
    salesforce: FieldFacts
    hubspot: FieldFacts
    transform: str
    rule: Rule
    alike: float
    alike_by: str
    values: Mapping[str, str] = field(default_factory=dict)
    matched: int = 0
    options: int = 0
    filled: Mapping[Side, Seen] = field(default_factory=dict)
    agree: int = 0
    compared: int = 0

    @property
    def score(self) -> float:
        """How much speaks for it."""
        fitting = 1.0 if self.salesforce.kind is self.hubspot.kind or _are_texts(self) else 0.5
        both = [seen.filled > 0 for seen in self.filled.values()]
        filled = 0.5 if not both else sum(both) / len(Side)
        if self.compared >= ENOUGH:
            evidence = self.agree / self.compared
        else:
            evidence = self.matched / self.options if self.options else self.alike
        return round(0.65 * self.alike + 0.1 * fitting + 0.1 * filled + 0.15 * evidence, 2)

    @property
    def is_blank(self) -> bool:
        """Whether both fields were looked at, and nobody fills either."""
        return bool(self.filled) and all(seen.records and not seen.filled for seen in self.filled.values())

    def with_evidence(self, filled: Mapping[Side, Seen], agree: int, compared: int) -> Proposal:
        return replace(self, filled=filled, agree=agree, compared=compared)

    def as_yaml(self) -> str:
        """The lines of the mapping file."""
        head = [f"salesforce: {self.salesforce.name}", f"hubspot: {self.hubspot.name}"]
        if self.transform != "text":
            head.append(f"transform: {self.transform}")
        if self.rule is not Rule.PREFER_SALESFORCE_UNLESS_BLANK:
            head.append(f"rule: {self.rule}")
        if self.matched < self.options:
            head.append("otherwise: skip_field")
        if not self.values:
            return f"  - {{{', '.join(head)}}}"
        lines = [f"{'  - ' if number == 0 else '    '}{line}" for number, line in enumerate(head)]
        entries = [f"      {_scalar(here)}: {_scalar(there)}" for here, there in self.values.items()]
        return "\n".join([*lines, "    values:", *entries])


def _are_texts(one: Proposal) -> bool:
    return one.salesforce.kind in TEXTS and one.hubspot.kind in TEXTS


def _scalar(text: str) -> str:
    """A text as YAML has it, in quotes where it would be read as something else."""
    if re.fullmatch(r"[A-Za-z][\w &/.+()-]*", text) and text.lower() not in {"true", "false", "null", "yes", "no"}:
        return text.strip() if text == text.strip() else f"'{text}'"
    return "'" + text.replace("'", "''") + "'"


def propose(
    pair: Pair, here: ObjectFacts, there: ObjectFacts, zone: ZoneInfo, taken: Collection[str] = ()
) -> list[Proposal]:
    """All pairs of fields that are alike and could be mapped, the most alike first; a field may be in several.

    `taken` are HubSpot properties that the connector writes by itself.
    """
    free_here = [one for one in _free(pair, Side.SALESFORCE, here) if one.updateable or one.computed]
    free_there = [one for one in _free(pair, Side.HUBSPOT, there) if one.updateable and one.name not in taken]
    found = [
        made for one in free_here for other in free_there if (made := _propose(pair, one, other, zone)) is not None
    ]
    return sorted(found, key=lambda one: (-one.alike, one.salesforce.name, one.hubspot.name))


def _free(pair: Pair, side: Side, known: ObjectFacts) -> Iterator[FieldFacts]:
    mapped = {name for rule in pair.fields for name in rule.names(side)} | {pair.partner_field.get(side, "")}
    return (one for one in known.values() if one.name not in mapped and one.kind not in _NOT_PROPOSED)


def _propose(pair: Pair, here: FieldFacts, there: FieldFacts, zone: ZoneInfo) -> Proposal | None:
    alike, by = _compare(pair, here, there)
    if alike < LEAST_ALIKE:
        return None
    rule = Rule.PREFER_SALESFORCE_UNLESS_BLANK if here.updateable else Rule.ALWAYS_SALESFORCE
    sides = frozenset(side for side in Side if rule.writes(side))
    transform = advise({Side.SALESFORCE: here, Side.HUBSPOT: there}, sides, zone)
    if transform is None:
        return None
    made = Proposal(pair.name, here, there, transform, rule, alike, by)
    if transform not in {"picklist", "multi_picklist"} or not (here.options and there.options):
        return made
    values = dict(_match_options(here, there))
    own = {} if all(one == other for one, other in values.items()) and len(values) == len(here.options) else values
    return replace(made, values=own, matched=len(values), options=len(here.options))


def _match_options(here: FieldFacts, there: FieldFacts) -> Iterator[tuple[str, str]]:
    by_text = {_fold(text): value for value, label in reversed(there.options) for text in (label, value)}
    for value, label in here.options:
        found = by_text.get(_fold(value)) or by_text.get(_fold(label))
        if found is not None:
            yield value, found


def _compare(pair: Pair, here: FieldFacts, there: FieldFacts) -> tuple[float, str]:
    objects = {
        pair.salesforce.lower(),
        pair.hubspot.rstrip("s").lower(),
        "company" if pair.hubspot == "companies" else "",
    }
    labels = (
        _alike(_words(here.label, objects), _words(there.label, objects)) if here.label and there.label else 0.0
    )
    names = _alike(_words(here.name, objects), _words(there.name, objects))
    return (labels, "label") if labels >= names else (names, "name")


def _words(text: str, objects: Collection[str]) -> tuple[str, ...]:
    """The words of a name or label: `Next_Step__c`, `hs_next_step` and `Next Step` have the same."""
    text = re.sub(r"__c$|^hs_", "", text)
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", text)
    words = tuple(part.lower() for part in parts)
    return tuple(word for word in words if word not in objects) or words


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    if not one or not other:
        return 0.0
    texts = "".join(one), "".join(other)
    if texts[0] == texts[1]:
        return 1.0
    shared = len(set(one) & set(other)) / len(set(one) | set(other))
    least = LEAST_ALIKE if shared else ALIKE_WITHOUT_A_WORD
    matcher = SequenceMatcher(None, *texts)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least or (ratio := matcher.ratio()) < least:
        return shared
    return max(shared, ratio)


def _fold(text: str) -> str:
    return "".join(one for one in text.casefold() if one.isalnum())


def choose_best(proposals: Iterable[Proposal]) -> list[Proposal]:
    """Each field once, the best proposals first; none that little speaks for, or that nobody fills."""
    chosen: list[Proposal] = []
    used: set[tuple[Side, str]] = set()
    for one in sorted(proposals, key=lambda one: (-one.score, one.salesforce.name, one.hubspot.name)):
        ends = {(Side.SALESFORCE, one.salesforce.name), (Side.HUBSPOT, one.hubspot.name)}
        if one.score >= LEAST_SCORE and not one.is_blank and used.isdisjoint(ends):
            used |= ends
            chosen.append(one)
    return chosen
