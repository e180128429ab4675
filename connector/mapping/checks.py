"""Is a mapping right about the fields that are really there? All that is not, each with its line (F3).

| what                                                     | severity                                              |
|----------------------------------------------------------|-------------------------------------------------------|
| a field or property that is not there                    | error                                                 |
| types between which the transform does not carry         | error                                                 |
| a rule that writes what nobody, or not this user, may    | error; a warning where only blanks would be filled    |
| a value map or default that names no option              | error                                                 |
| what a new record requires, and no entry fills           | error                                                 |
| values of a list without a counterpart                   | warning, each named                                   |
| what is lost on the way: time of day, lines, formats     | warning                                               |
| values seen that the other side is too short for         | warning, with the longest                             |
| keys that have no effect; match keys that are not mapped | warning                                               |
| texts and numbers that might be too long                 | note, one for each file                               |

Pure: mappings and schemas are plain data, wherever they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from connector.core.model import FieldRule, OnTargetEdit, Pair, Rule, Side
from connector.errors import Finding, Severity
from connector.mapping.compatibility import describe_loss, describe_mismatch
from connector.mapping.documents import Part
from connector.mapping.files import MappingFile
from connector.mapping.option_checks import find_option_faults
from connector.mapping.roles import RoleFile
from connector.mapping.schema import LONGEST_TEXT, NUMBERS, OPTIONAL, TEXTS, FieldFacts, Kind, ObjectFacts, Schemas
from connector.mapping.suggestions import suggest
from connector.mapping.transforms import StagePair

NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
_TWO_WAYS = frozenset({Rule.TWO_WAY, Rule.HOLD, Rule.DONT_SYNC})


@dataclass(frozen=True, slots=True)
class Seen:
    """What the records of one side that were observed hold in one field."""

    records: int = 0
    filled: int = 0
    longest: int = 0
    decimals: int = 0
    longest_in: str = ""
    """The id of the record with the longest value."""


SeenFields = Mapping[tuple[Side, str], Seen]
"""By side and field."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """One entry of a mapping file, and what is known of its fields."""

    pair: Pair
    rule: FieldRule
    find: Callable[[Part], tuple[int, int]]
    facts: Mapping[Side, FieldFacts]

    def tell(self, text: str, remedy: str, severity: Severity = Severity.ERROR, part: Part = ()) -> Finding:
        line, column = self.find(part)
        return Finding(self.rule.place[0], line, text, remedy, column, severity)


def check_pair(
    pair: Pair, file: MappingFile, schemas: Schemas, zone: ZoneInfo, seen: SeenFields
) -> Iterator[Finding]:
    """All that is wrong with one mapping file, given both schemas. An object that they lack is not checked."""
    objects = _objects_of(pair, schemas)
    for position, rule in enumerate(pair.fields):
        find = partial(_find_in, file, position)
        yield from _check_keys(_Subject(pair, rule, find, {}))
        if rule.rule is not Rule.DONT_SYNC:
            yield from _check_entry(pair, rule, find, objects, zone, seen)
    yield from _check_match_keys(pair, file)
    yield from _check_required(pair, file, objects)
    yield from _check_lengths(pair, file, objects)


def _find_in(file: MappingFile, position: int, part: Part) -> tuple[int, int]:
    return file.find("fields", position, *part)


def find_missing(pair: Pair, rules: Iterable[FieldRule], schemas: Schemas) -> Iterator[Finding]:
    """The fields of these rules that are not there, or not seen: with these no run begins to sync them (F3)."""
    objects = _objects_of(pair, schemas)
    for rule in rules:
        if rule.rule is not Rule.DONT_SYNC:
            yield from _check_names(_Subject(pair, rule, _at_entry(rule), {}), objects)


def find_misfits(pair: Pair, schemas: Schemas, zone: ZoneInfo) -> Iterator[Finding]:
    """The entries whose transform does not carry between their fields: with these nothing may run (F3)."""
    objects = _objects_of(pair, schemas)
    for rule in pair.fields:
        facts = _facts_of(rule, objects)
        if facts is None or isinstance(rule.transform, StagePair) or rule.rule is Rule.DONT_SYNC:
            continue
        if mismatch := describe_mismatch(rule, facts, zone):
            yield _Subject(pair, rule, _at_entry(rule), facts).tell(*mismatch)


def _at_entry(rule: FieldRule) -> Callable[[Part], tuple[int, int]]:
    """Of a pair without its file, the line of the entry is all that is known."""
    return lambda _: (rule.place[1], 0)


def _objects_of(pair: Pair, schemas: Schemas) -> Mapping[Side, ObjectFacts | None]:
    return {side: schemas.get(side, {}).get(pair.object(side)) for side in Side}


def _facts_of(rule: FieldRule, objects: Mapping[Side, ObjectFacts | None]) -> Mapping[Side, FieldFacts] | None:
    """What is known of the (first) field of each side; None unless both sides have all fields of the rule."""
    found = {
        side: known[rule.names(side)[0]]
        for side, known in objects.items()
        if known and all(name in known for name in rule.names(side))
    }
    return found if len(found) == len(Side) else None


# --- entries ----------------------------------------------------------------------------------------------


def _check_entry(
    pair: Pair,
    rule: FieldRule,
    find: Callable[[Part], tuple[int, int]],
    objects: Mapping[Side, ObjectFacts | None],
    zone: ZoneInfo,
    seen: SeenFields,
) -> Iterator[Finding]:
    subject = _Subject(pair, rule, find, {})
    yield from _check_names(subject, objects)
    for side, known in objects.items():
        for name in rule.names(side):
            if known and name in known:
                yield from _check_writable(subject, side, known[name])
    facts = _facts_of(rule, objects)
    if facts is None or isinstance(rule.transform, StagePair):
        return
    subject = _Subject(pair, rule, find, facts)
    if mismatch := describe_mismatch(rule, facts, zone):
        yield subject.tell(*mismatch)
        return
    for fault in find_option_faults(rule, facts):
        part: Part = ("values", fault.value) if fault.value is not None else ()
        yield subject.tell(fault.message, fault.remedy, fault.severity, part)
    if loss := describe_loss(rule, facts):
        yield subject.tell(loss, "map a field that keeps it, if that matters", Severity.WARNING)
    yield from _check_seen(subject, seen)


def _check_names(subject: _Subject, objects: Mapping[Side, ObjectFacts | None]) -> Iterator[Finding]:
    for side, known in objects.items():
        for name in subject.rule.names(side):
            if known is not None and name not in known and name not in OPTIONAL:
                yield _unknown(subject, side, name, known)


def _unknown(subject: _Subject, side: Side, name: str, known: ObjectFacts) -> Finding:
    object_ = subject.pair.object(side)
    what = "field" if side is Side.SALESFORCE else "property"
    if not known:
        remedy = f"give the connector's user access to {object_}"
        return subject.tell(f"{NAMES[side]} shows no {what} of {object_}", remedy, part=(side.value,))
    advice = suggest(name, known) or by_label(name, known)
    remedy = f"make the {what}, or give the connector access to it"
    text = f"{NAMES[side]} {object_} has no {what} {name}, or the connector may not see it"
    return subject.tell(text, f"{advice} Otherwise {remedy}" if advice else remedy, part=(side.value,))


def by_label(name: str, known: ObjectFacts) -> str:
    """What a person may have meant who wrote the label instead of the name."""
    found = [one.name for one in known.values() if one.label.casefold() == name.casefold()]
    return f"its name is `{found[0]}`." if len(found) == 1 else ""


def _check_writable(subject: _Subject, side: Side, facts: FieldFacts) -> Iterator[Finding]:
    rule = subject.rule
    may = facts.createable if rule.at_creation_only else facts.updateable
    if may or not rule.rule.writes(side):
        return
    name = f"{NAMES[side]} {subject.pair.object(side)}.{facts.name}"
    one_way = "always_salesforce" if side is Side.SALESFORCE else "always_hubspot"
    remedy = f"use `rule: {one_way}`, which never writes it, or map another field"
    if facts.computed:
        yield subject.tell(f"{name} is {facts.computed}, but `rule: {rule.rule}` writes it", remedy)
        return
    blanks = side is Side.SALESFORCE and rule.rule is Rule.PREFER_SALESFORCE_UNLESS_BLANK
    text = f"{name} may not be edited by the connector's user, but `rule: {rule.rule}` writes it"
    text += "; blanks there stay blank" if blanks else ""
    severity = Severity.WARNING if blanks else Severity.ERROR
    yield subject.tell(text, f"give the user edit access to it, or {remedy}", severity)


def _check_keys(subject: _Subject) -> Iterator[Finding]:
    """Keys that are right in themselves, and have no effect where they stand."""
    rule = subject.rule
    if rule.on_target_edit is OnTargetEdit.LEAVE and rule.rule in _TWO_WAYS:
        text = f"`on_target_edit` has no effect with `rule: {rule.rule}`, which has no target of its own"
        yield subject.tell(text, "take it out, or use a one-way rule", Severity.WARNING, ("on_target_edit",))
    own = {side for side in rule.defaults if not rule.rule.writes(side)}
    if own and not _is_owner_default(rule):
        side = min(own)
        text = f"`default` of {side} has no effect: `rule: {rule.rule}` writes nothing there"
        yield subject.tell(text, "take it out, or use another rule", Severity.WARNING, ("default", side.value))


def _is_owner_default(rule: FieldRule) -> bool:
    """Default owners come from the settings, and are not this entry's fault."""
    return rule.salesforce == ("OwnerId",)


def _check_seen(subject: _Subject, seen: SeenFields) -> Iterator[Finding]:
    """Values that are there today and will not fit."""
    rule = subject.rule
    for to in Side:
        (source,), (target,) = rule.names(to.other), rule.names(to)
        held, facts = seen.get((to.other, source)), subject.facts[to]
        if held is None or not rule.rule.writes(to):
            continue
        limit = _limit_of(to, facts)
        if limit is not None and held.longest > limit:
            text = (
                f"{source} has {held.longest:,} characters in the {NAMES[to.other]} record {held.longest_in}, but"
                f" {target} in {NAMES[to]} takes {limit:,}"
            )
            remedy = f"shorten such values, or make {target} longer; until then they are refused"
            yield subject.tell(text, remedy, Severity.WARNING)
        if to is Side.SALESFORCE and facts.kind in NUMBERS and held.decimals > _decimals(facts):
            kept = f"{target} in Salesforce keeps {_decimals(facts)}"
            text = f"{source} has {held.decimals} decimals in HubSpot, but {kept}"
            yield subject.tell(text, "expect such values to be rounded or refused", Severity.WARNING)


def _limit_of(side: Side, facts: FieldFacts) -> int | None:
    if facts.kind not in TEXTS:
        return None
    return LONGEST_TEXT if side is Side.HUBSPOT else facts.length or None


def _decimals(facts: FieldFacts) -> int:
    return 0 if facts.kind is Kind.WHOLE or facts.scale is None else facts.scale


# --- the names of roles -----------------------------------------------------------------------------------

ROLE = ("OpportunityContactRole", "Role")


def check_roles(file: MappingFile, schemas: Schemas) -> Iterator[Finding]:
    """Roles that Salesforce's list does not have (R4)."""
    known = schemas.get(Side.SALESFORCE, {}).get(ROLE[0], {}).get(ROLE[1])
    if not isinstance(file.parsed, RoleFile) or known is None or not known.options:
        return
    for role in file.parsed.labels:
        if role.strip() not in known.values:
            line, column = file.find("labels", role)
            text = f"labels: Salesforce has no active role {role.strip()!r}"
            remedy = suggest(role, known.values) or f"use some of {', '.join(known.values)}"
            yield Finding(file.where, line, text, remedy, column, Severity.WARNING)


# --- the file as a whole ----------------------------------------------------------------------------------


def _check_match_keys(pair: Pair, file: MappingFile) -> Iterator[Finding]:
    mapped = {side: {name for rule in pair.fields for name in rule.names(side)} for side in Side}
    for position, key in enumerate(pair.match_on, 1):
        lacking = [f"{side} {key.fields[side][0]}" for side in Side if key.fields[side][0] not in mapped[side]]
        if lacking:
            line, column = file.find("match_on", position)
            text = f"match_on: {key.name!r} compares {' and '.join(lacking)}, which no entry maps"
            remedy = "map it, so that partners that are made here can be found by it, or take the key out"
            yield Finding(file.where, line, text, remedy, column, Severity.WARNING)


def _check_required(pair: Pair, file: MappingFile, objects: Mapping[Side, ObjectFacts | None]) -> Iterator[Finding]:
    """O9: what a new record needs, and gets from no entry."""
    for side in sorted(pair.creates):
        filled = {name for rule in pair.fields if rule.rule.writes(side) for name in rule.names(side)}
        filled.add(pair.partner_field.get(side, ""))
        known = objects[side] or {}
        needed = dict.fromkeys(
            [*pair.required.get(side, ()), *(one.name for one in known.values() if one.required)]
        )
        lacking = [name for name in needed if name not in filled and name not in OPTIONAL]
        if lacking:
            line, column = file.find("create_in")
            verb = "is" if len(lacking) == 1 else "are"
            text = (
                f"new {NAMES[side]} {pair.object(side)} need {', '.join(lacking)}, which {verb} filled by no entry:"
                " none could be made"
            )
            remedy = f"map it by a rule that writes to {NAMES[side]}, or take `{side}` out of `create_in`"
            yield Finding(file.where, line, text, remedy, column)


def _check_lengths(pair: Pair, file: MappingFile, objects: Mapping[Side, ObjectFacts | None]) -> Iterator[Finding]:
    """One note of all that Salesforce might be too short for."""
    here, there = (objects[side] or {} for side in Side)
    short = [
        one for one in _written(pair, here, there) if one.kind in TEXTS and 0 < (one.length or 0) < LONGEST_TEXT
    ]
    line, column = file.find("fields")
    if short:
        listed = ", ".join(f"{one.name} {one.length:,}" for one in short)
        text = f"Salesforce refuses texts beyond its lengths, HubSpot takes {LONGEST_TEXT:,} characters: {listed}"
        yield Finding(file.where, line, text, "nothing to do, unless such texts come", column, Severity.NOTE)
    numbers = [one for one in _written(pair, here, there) if one.kind in NUMBERS]
    if numbers:
        listed = ", ".join(f"{one.name} {_decimals(one)}" for one in numbers)
        text = f"Salesforce keeps so many decimals of numbers, HubSpot all: {listed}"
        yield Finding(file.where, line, text, "nothing to do, unless finer ones come", column, Severity.NOTE)


def _written(pair: Pair, here: ObjectFacts, there: ObjectFacts) -> Iterable[FieldFacts]:
    """The Salesforce fields that take values of HubSpot's texts and numbers."""
    for rule in pair.fields:
        name, other = rule.salesforce[0], rule.hubspot[0]
        if rule.rule.writes(Side.SALESFORCE) and name in here and other in there and len(rule.salesforce) == 1:
            kinds = {here[name].kind, there[other].kind}
            if kinds <= TEXTS or kinds <= NUMBERS:
                yield here[name]
