"""Which fields can a transform carry into which properties, and what is lost on the way? (F3, F5)

A transform suits the kinds of its row. Where a rule sends values one way only, more suits: anything can become
text, and a moment its day. HubSpot's own integration maps picklists, references, multipicklists, booleans, numbers,
texts and dates to their like; all that it maps, some transform here does.

| transform      | Salesforce                  | HubSpot                     | besides, one way                    |
|----------------|-----------------------------|-----------------------------|-------------------------------------|
| text           | texts, choice, reference    | texts, choice               | from any kind, into texts           |
| number         | numbers                     | numbers                     | into texts                          |
| date           | day                         | moment; day, if UTC         | from a moment, its time being lost  |
| day            | day                         | day                         | from a moment, its time being lost  |
| datetime       | moment                      | moment                      | into texts                          |
| boolean        | truth                       | truth, choice               | into texts                          |
| picklist       | choice, texts               | choice, truth, texts        |                                     |
| multi_picklist | choices                     | choices                     | into texts                          |
| email, phone   | texts                       | texts                       |                                     |
| url, domain    | texts                       | texts                       |                                     |
| country, state | texts, choice               | texts, choice               |                                     |
| owner          | owner, reference            | owner                       |                                     |
| reference      | reference                   | association, texts          |                                     |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from connector.core.model import FieldRule, Side
from connector.mapping.schema import NUMBERS, TEXTS, FieldFacts, Kind
from connector.mapping.transforms import name_of

Kinds = frozenset[Kind]
_ANY = frozenset(Kind) - {Kind.OTHER, Kind.UNKNOWN}


@dataclass(frozen=True, slots=True)
class _Suits:
    """Kinds on either side. Where values go one way only, also `target`; and sources that go `into` some kinds."""

    salesforce: Kinds
    hubspot: Kinds
    target: Kinds = frozenset()
    source: Kinds = frozenset()
    into: Kinds = frozenset()

    def on(self, side: Side) -> Kinds:
        return self.salesforce if side is Side.SALESFORCE else self.hubspot

    def carries(self, to: Side, source: Kind, target: Kind) -> bool:
        """Whether values may go from one kind to another, when none come back."""
        usual = source in self.on(to.other) and target in self.on(to) | self.target
        return usual or (source in self.source and target in self.into)


_DAY, _MOMENT, _TRUTH = frozenset({Kind.DAY}), frozenset({Kind.MOMENT}), frozenset({Kind.TRUTH})
_CHOICE, _CHOICES, _OWNER = frozenset({Kind.CHOICE}), frozenset({Kind.CHOICES}), frozenset({Kind.OWNER})
_REFERENCE = frozenset({Kind.REFERENCE})
_LIKE_TEXT = _Suits(TEXTS, TEXTS)
_REGION = _Suits(TEXTS | _CHOICE, TEXTS | _CHOICE)
SUITS: Mapping[str, _Suits] = {
    "text": _Suits(TEXTS | _CHOICE | _REFERENCE, TEXTS | _CHOICE, source=_ANY, into=TEXTS),
    "number": _Suits(NUMBERS, NUMBERS, target=TEXTS),
    "date": _Suits(_DAY, _MOMENT | _DAY, source=_MOMENT, into=_MOMENT | _DAY),
    "day": _Suits(_DAY, _DAY, source=_MOMENT, into=_DAY),
    "datetime": _Suits(_MOMENT, _MOMENT, target=TEXTS),
    "boolean": _Suits(_TRUTH, _TRUTH | _CHOICE, target=TEXTS),
    "picklist": _Suits(_CHOICE | TEXTS, _CHOICE | _TRUTH | TEXTS),
    "multi_picklist": _Suits(_CHOICES, _CHOICES, target=TEXTS),
    "email": _LIKE_TEXT,
    "phone": _LIKE_TEXT,
    "url": _LIKE_TEXT,
    "domain": _LIKE_TEXT,
    "country": _REGION,
    "state": _REGION,
    "owner": _Suits(_OWNER | _REFERENCE, _OWNER),
    "reference": _Suits(_REFERENCE, _REFERENCE | TEXTS),
}
_IN_THE_ORDER_OF_ADVICE = (
    "owner", "number", "boolean", "day", "date", "datetime", "multi_picklist", "picklist", "email", "phone", "url",
    "text", "reference",
)  # fmt: skip


def suits(transform: str, facts: Mapping[Side, FieldFacts], sides: frozenset[Side], zone: ZoneInfo) -> bool:
    """Whether a transform can carry between two fields. `sides` are those that values go to.

    Not asked of a stage, which is two fields: the pipelines see to that.
    """
    row = SUITS[transform]
    kinds = {side: facts[side].kind for side in Side}
    if Kind.UNKNOWN in kinds.values():
        return True  # no run stops because a vendor has a new type
    if transform == "date" and kinds[Side.HUBSPOT] is Kind.DAY and zone.key != "UTC" and Side.HUBSPOT in sides:
        return False
    both_ways = all(kinds[side] in row.on(side) for side in Side)
    if both_ways or len(sides) != 1:
        return both_ways
    (to,) = sides
    return row.carries(to, kinds[to.other], kinds[to])


def advise(facts: Mapping[Side, FieldFacts], sides: frozenset[Side], zone: ZoneInfo) -> str | None:
    """The transform that suits two fields best; None if there is none."""
    best = _best_for(facts)
    if best is not None and suits(best, facts, sides, zone):
        return best
    return next((name for name in _IN_THE_ORDER_OF_ADVICE if suits(name, facts, sides, zone)), None)


def _best_for(facts: Mapping[Side, FieldFacts]) -> str | None:
    """What the kind in Salesforce calls for."""
    by_kind = {
        Kind.EMAIL: "email", Kind.PHONE: "phone", Kind.LINK: "url", Kind.CHOICE: "picklist", Kind.TEXT: "text",
        Kind.LONG_TEXT: "text", Kind.REFERENCE: "reference",
    }  # fmt: skip
    return by_kind.get(facts[Side.SALESFORCE].kind)


def describe_mismatch(rule: FieldRule, facts: Mapping[Side, FieldFacts], zone: ZoneInfo) -> tuple[str, str] | None:
    """What does not fit and what to do about it; None if the rule's transform can carry between its fields."""
    sides = frozenset(side for side in Side if rule.rule.writes(side))
    name = name_of(rule.transform)
    if suits(name, facts, sides, zone):
        return None
    here, there = facts[Side.SALESFORCE], facts[Side.HUBSPOT]
    types = (
        f"{here.name} is of type {here.described} in Salesforce, {there.name} of type {there.described} in HubSpot"
    )
    text = f"{types}: `transform: {name}` does not carry between them"
    better = advise(facts, sides, zone)
    if better is not None:
        return text, f"use `transform: {better}`"
    one_way = [(to, advise(facts, frozenset({to}), zone)) for to in (Side.HUBSPOT, Side.SALESFORCE)]
    for to, possible in one_way:
        if possible is not None:
            rule_name = "always_salesforce" if to is Side.HUBSPOT else "always_hubspot"
            return (
                text,
                f"send it one way, by `rule: {rule_name}` and `transform: {possible}`, or map another field",
            )
    return text, "map fields of like types"


def describe_loss(rule: FieldRule, facts: Mapping[Side, FieldFacts]) -> str | None:
    """What of the values is lost on the way, if anything."""
    here, there = facts[Side.SALESFORCE], facts[Side.HUBSPOT]
    name = name_of(rule.transform)
    timed = [facts[to.other] for to in Side if rule.rule.writes(to) and facts[to.other].kind is Kind.MOMENT]
    if name == "day" or (name == "date" and here in timed):
        for source in timed:
            return f"the time of day of {source.name} is lost: only its day is carried"
    if rule.rule.writes(Side.SALESFORCE) and there.kind is Kind.LONG_TEXT and here.kind in TEXTS - {Kind.LONG_TEXT}:
        return f"line breaks of {there.name} are lost: {here.name} holds one line"
    if here.rich != there.rich and here.kind in TEXTS and there.kind in TEXTS:
        rich, plain = (here, there) if here.rich else (there, here)
        return f"{rich.name} is formatted text: its HTML tags show as text in {plain.name}"
    return None
