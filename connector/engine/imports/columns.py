"""What does each column of a file mean, and what does each cell come to on the side where it goes?

A column is called by a mapped field of either side, by its API name or its label. One of the other side goes
through the mapping's transform, as in a sync; one of the side where it goes is taken as it is, once it is known to
be a value of that field. An owner may be named by e-mail, a company by its name or domain.

| column            | value                                                                 |
|-------------------|-----------------------------------------------------------------------|
| a mapped field    | what the transform makes of it                                        |
| the record's id   | on the side where it goes: which record is meant                      |
| the other side's  | which record is meant, if one is linked to it or stores it; else nothing |
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connector.core.model import Cannot, FieldRule, Pair, Rule, Side, Value
from connector.engine.imports.sheets import Line, Sheet
from connector.engine.world import Connection, World
from connector.errors import Finding
from connector.mapping.match_keys import KEYS
from connector.mapping.transforms import Boolean, Date, DateTime, Number, Owner, Picklist, Reference, StagePair

IDS = {Side.SALESFORCE: ("id",), Side.HUBSPOT: ("hs_object_id", "record id")}
_TRUTHS = frozenset({"true", "yes", "1", "false", "no", "0", ""})
OPTIONAL = frozenset({"RecordTypeId", "pipeline"})
"""Told by the stage, where only one of them syncs."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the rule and side of the field that it is, or the side whose ids it holds."""

    position: int
    name: str
    side: Side
    field: str = ""
    rule: FieldRule | None = None


@dataclass
class Columns:
    """All columns of a file. `to` is the side where its lines go."""

    c: Connection
    world: World
    pair: Pair
    to: Side
    columns: tuple[Column, ...]
    _companies: dict[str, str | Cannot] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that may be written, in order."""
        rules = {id(one.rule): one.rule for one in self.columns if one.rule}
        return tuple(dict.fromkeys(name for rule in rules.values() for name in rule.names(self.to)))

    def ids(self, line: Line) -> dict[Side, str]:
        """The ids that a line gives, by side."""
        return {
            one.side: line.cells[one.position] for one in self.columns if not one.rule and line.cells[one.position]
        }

    def convert(self, line: Line) -> tuple[dict[str, Value], list[tuple[str, Cannot]]]:
        """What the line comes to: values of the side where it goes, and by column what cannot be."""
        values: dict[str, Value] = {}
        faults: list[tuple[str, Cannot]] = []
        by_rule: dict[int, tuple[FieldRule, list[Column]]] = {}
        for one in self.columns:
            if one.rule is not None:
                by_rule.setdefault(id(one.rule), (one.rule, []))[1].append(one)
        for rule, some in by_rule.values():
            side = some[0].side
            given = {one.field: line.cells[one.position] or None for one in some}
            if not any(given.values()):
                continue
            carried = self._carry(rule, side, tuple(given.get(name) for name in rule.names(side)))
            if isinstance(carried, Cannot):
                faults.append((" and ".join(one.name for one in some), carried))
                continue
            values |= {
                name: value for name, value in zip(rule.names(self.to), carried, strict=True) if value is not None
            }
        return values, faults

    # --- values ---

    def _carry(self, rule: FieldRule, side: Side, given: tuple[str | None, ...]) -> tuple[Value, ...] | Cannot:
        transform, text = rule.transform, given[0] or ""
        match transform:
            case Owner():
                return self._owner(side, text)
            case Reference():
                return self._reference(transform.pair, side, text)
            case StagePair():
                return self._stage(side, given)
            case Boolean() if text.lower() not in _TRUTHS:
                return Cannot(f"{text!r} is neither true nor false", "write true or false")
        if side is not self.to:
            return transform.carry(self.to, given, self.world.knowledge)
        # Of this side already: what the transform cannot read is no value of this field.
        if isinstance(transform, Number | Date | DateTime | Boolean):
            return transform.carry(self.to, given, self.world.knowledge)
        if (
            isinstance(transform, Picklist)
            and (options := self._options(rule.names(side)[0]))
            and text not in options
        ):
            return Cannot(f"{text!r} is not one of its options", f"give one of {', '.join(options[:8])}")
        return given

    def _options(self, name: str) -> tuple[str, ...]:
        if self.to is Side.SALESFORCE:
            return ()
        known = self.world.properties.get(self.pair.hubspot, {}).get(name)
        return known.options if known else ()

    def _owner(self, side: Side, text: str) -> tuple[Value, ...] | Cannot:
        known = self.world.knowledge
        if "@" in text:
            people = known.users.values() if self.to is Side.SALESFORCE else known.owners.values()
            found = [one.id for one in people if one.email == text.lower() and getattr(one, "active", True)]
            if not found:
                return Cannot(f"no active owner in {self.to} has the e-mail {text}", "invite them, or name another")
            return (min(found),)
        if side is self.to:
            there = known.users if self.to is Side.SALESFORCE else known.owners
            return (text,) if text in there else Cannot(f"{self.to} has no owner {text}", "give an id or an e-mail")
        found_owner = known.owner(self.to, text)
        return found_owner if isinstance(found_owner, Cannot) else (found_owner,)

    def _reference(self, pair: str, side: Side, text: str) -> tuple[Value, ...] | Cannot:
        key = f"{pair}/{side}/{text}"
        if key not in self._companies:
            self._companies[key] = self._find_company(pair, text)
        found = self._companies[key]
        return found if isinstance(found, Cannot) else (found,)

    def _find_company(self, name: str, text: str) -> str | Cannot:
        """By an id of either side, else by what companies are matched by."""
        if name not in self.c.pairs:
            return Cannot(
                f"{text!r}: the sync of companies is switched off", "take the column out, or switch it on"
            )
        pair, store = self.c.pairs[name], self.c.store
        object_ = pair.object(self.to)
        if (here := store.records.load(self.to, object_, [text]).get(text)) and here.present:
            return text
        link = store.links.by_ids(name, self.to.other, [text]).get(text)
        if link and (partner := link.id_of(self.to)):
            return partner
        for match in KEYS[name].values():
            keys = [(match.name, value) for value in match.read(text)]
            found = {one.id for some in store.records.with_keys(self.to, object_, keys).values() for one in some}
            if len(found) == 1:
                return found.pop()
            if found:
                listed = ", ".join(sorted(found)[:5])
                return Cannot(f"{text!r} may be several in {self.to}: {listed}", "give the id of the right one")
        return Cannot(f"{self.to} has no {object_} {text!r}", "import it first, or give its id, name or domain")

    def _stage(self, side: Side, given: tuple[str | None, ...]) -> tuple[Value, ...] | Cannot:
        """A stage by its name or id. Where only one record type or pipeline syncs, it need not be named."""
        group, stage = given
        stages = self.world.stages
        if stage is None:
            return Cannot("a pipeline without a stage", "give the stage too")
        if side is Side.SALESFORCE:
            if group is None and None not in stages.pipelines and len(stages.pipelines) == 1:
                group = next(iter(stages.pipelines))
            there = stages.find(Side.HUBSPOT, group, stage)
            here: tuple[Value, ...] = (group, stage)
        else:
            found = [
                (pipeline, id_)
                for (pipeline, id_), (_, name) in stages.to_salesforce.items()
                if group in (None, pipeline) and stage.casefold() in {id_.casefold(), name.casefold()}
            ]
            if len(found) != 1:
                what = "is not a stage of a pipeline that syncs" if not found else "is a stage of several pipelines"
                return Cannot(f"{stage!r} {what}", "give the pipeline too, and the stage's name or id")
            here, there = found[0], stages.find(Side.SALESFORCE, *found[0])
        if isinstance(there, Cannot):
            return there
        return here if side is self.to else there


def find_columns(c: Connection, world: World, pair: Pair, to: Side, sheet: Sheet) -> tuple[Columns, list[Finding]]:
    """What the columns of a file are, and what is wrong with them."""
    majority = _find_side(pair, to, sheet.header)
    findings: list[Finding] = []
    found: dict[str, Column] = {}
    for position, name in enumerate(sheet.header):
        column = _find_column(world, pair, position, name, (majority, majority.other))
        if column is None:
            findings.append(_unknown(pair, sheet, name))
            continue
        what = column.field if column.rule is None else column.rule.label
        twin = next((one for one in found.values() if _same(one, column)), None)
        if twin is not None:
            message = f"the columns {twin.name!r} and {name!r} are the same field ({what})"
            findings.append(Finding(str(sheet.path), 1, message, "take one of them out"))
        found[name] = column
        if column.rule is not None and column.rule.rule is Rule.DONT_SYNC:
            message = f"column {name!r}: the mapping does not sync it"
            findings.append(Finding(str(sheet.path), 1, message, "take the column out, or change its rule"))
    return Columns(c, world, pair, to, tuple(found.values())), findings


def _find_side(pair: Pair, to: Side, header: Sequence[str]) -> Side:
    """The side whose field names the header has more of; of as many, the other than where it goes."""
    names = {side: {name for rule in pair.fields for name in rule.names(side)} for side in Side}
    return max((to.other, to), key=lambda side: len(names[side].intersection(header)))


def _find_column(world: World, pair: Pair, position: int, name: str, sides: Sequence[Side]) -> Column | None:
    """By its API name as it is written, then however it is written, then by its label."""
    checks: tuple[Callable[[Side, str], bool], ...] = (
        lambda _, one: one == name,
        lambda _, one: one.casefold() == name.casefold(),
        lambda side, one: _label(world, pair, side, one).casefold() == name.casefold(),
    )
    for matches in checks:
        for side in sides:
            for rule in pair.fields:
                for one in rule.names(side):
                    if matches(side, one):
                        return Column(position, name, side, one, rule)
    for side in sides:
        if name.casefold() in IDS[side]:
            return Column(position, name, side, "id")
    return None


def _label(world: World, pair: Pair, side: Side, name: str) -> str:
    if side is Side.SALESFORCE:
        return str((world.schema.objects.get(pair.salesforce, {}).get(name) or {}).get("label") or "")
    known = world.properties.get(pair.hubspot, {}).get(name)
    return known.label if known else ""


def _same(one: Column, other: Column) -> bool:
    if one.rule is None or other.rule is None:
        return one.rule is other.rule and one.side is other.side
    return one.rule is other.rule and (one.side is not other.side or one.field == other.field)


def _unknown(pair: Pair, sheet: Sheet, name: str) -> Finding:
    known = sorted({one for rule in pair.fields for side in Side for one in rule.names(side)})
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    remedy = (
        f"do you mean {close[0]!r}?"
        if close
        else f"rename it to a mapped field of {pair.name}, map it, or take it out"
    )
    return Finding(str(sheet.path), 1, f"column {name!r} is no mapped field of {pair.name}", remedy)


def name_columns(columns: Columns, name: str) -> str:
    """What a column for a field of the side where lines go may be called."""
    rule = next((rule for rule in columns.pair.fields if name in rule.names(columns.to)), None)
    names = [one for side in Side for one in rule.names(side)] if rule else [name]
    return " or ".join(one for one in dict.fromkeys(names) if one not in OPTIONAL)


def find_required(columns: Columns, given: Sequence[str] | Mapping[str, Value]) -> list[str]:
    """The fields that the side requires of a new record, and that are not among those given."""
    defaults = {
        name for rule in columns.pair.fields if rule.defaults.get(columns.to) for name in rule.names(columns.to)
    }
    return [
        name
        for name in columns.pair.required.get(columns.to, ())
        if name not in given and name not in OPTIONAL and name not in defaults
    ]
