"""Who wins a field now, and why?

| outcome       | the merge says (`core/merge.py`)                                                          |
|---------------|-------------------------------------------------------------------------------------------|
| in step       | both mean the same                                                                        |
| travels       | one side moved since they agreed, or both did: the next run writes the winner's value     |
| put back      | the side moved that the rule gives nothing to say (F6)                                    |
| held          | both moved, and the rule waits for a person (F2)                                          |
| waits         | its value names a record that has no partner yet (R5)                                     |
| blocked       | its value has no counterpart on the other side                                            |
| apart         | they differ, but neither moved since they agreed (F1), or the rule leaves it as it is     |
| still         | the pair as a whole is left alone; this is what both hold                                 |
| off           | `dont_sync`                                                                               |
| unread        | a side was never read                                                                     |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from connector.core.choices import Choice, Count, Put, weigh_choice
from connector.core.merge import (
    Agree,
    Blocked,
    Edits,
    Hold,
    Write,
    describe_edits,
    find_newer,
    have_one_meaning,
    merge_field,
)
from connector.core.model import Base, Cannot, FieldRule, Record, Rule, Side, Value, Values
from connector.core.plan import last_changes
from connector.engine.answers.references import no_such_record
from connector.engine.answers.view import View
from connector.engine.history import date_conflicts
from connector.engine.windows import situation_of
from connector.engine.work import Work
from connector.errors import BadConfiguration
from connector.mapping.suggestions import suggest
from connector.mapping.transforms import Date, Number, Owner, Reference, StagePair, name_of

NO_SUCH_FIELD = "(no such field)"


class Outcome(StrEnum):
    """What becomes of a field; the table above."""

    IN_STEP = "in step"
    TRAVELS = "travels"
    PUT_BACK = "put back"
    HELD = "held"
    WAITS = "waits"
    BLOCKED = "blocked"
    APART = "apart"
    STILL = "still"
    OFF = "off"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class SideOfField:
    """One side of a field. `words` says ids of owners, stages and records by name; `base` is what was agreed.

    `moved` is None where nothing was ever agreed.
    """

    fields: tuple[str, ...]
    values: Values | None
    words: str
    base: Values | None
    moved: bool | None


@dataclass(frozen=True, slots=True)
class FieldAnswer:
    """A mapped field, as it stands. `to`, `new` and `why` (a rule id) say what the next run would write.

    `evidence` tells which of two edits was the later one, and how that is known (F2).
    """

    label: str
    rule: str
    transform: str
    outcome: Outcome
    salesforce: SideOfField
    hubspot: SideOfField
    to: Side | None = None
    new: Values | None = None
    why: str = ""
    conflict: bool = False
    evidence: str = ""
    reason: str = ""
    remedy: str = ""
    chosen: str = ""
    """What a person chose, until it is written."""
    first_meeting: bool = False
    personal: bool = False
    """Whether the journal hides its values (G3)."""

    @property
    def needs_writing(self) -> bool:
        return self.outcome in {Outcome.TRAVELS, Outcome.PUT_BACK}

    def side(self, side: Side) -> SideOfField:
        return self.salesforce if side is Side.SALESFORCE else self.hubspot


def find_rule(view: View, name: str) -> FieldRule | None:
    """The mapped field with this name on either side, or with this label; None for what is derived or watched."""
    wanted = name.strip().casefold()
    rules = view.pair.fields if view.pair else ()
    for rule in rules:
        if wanted in {rule.label.casefold(), *(one.casefold() for side in Side for one in rule.names(side))}:
            return rule
    return None


def unknown_field(view: View, name: str, known: Iterable[str] = ()) -> BadConfiguration:
    """What is raised for a field that is neither mapped nor derived, with names that are close to it."""
    names = [one for rule in (view.pair.fields if view.pair else ()) for side in Side for one in rule.names(side)]
    names += list(known)
    meant = suggest(name, reversed(names))
    hint = f"{meant} Mapped" if meant else "mapped"
    return no_such_record(
        name,
        f"{name} of {view.object} is not mapped, so nothing carries it (T3)",
        f"{hint} are {', '.join(dict.fromkeys(names))}; a line in `mappings/{view.pair_name}.yaml` maps another",
    )


def answer_fields(view: View) -> tuple[FieldAnswer, ...]:
    """Every mapped field of a record, in the order of the mapping file."""
    if view.pair is None:
        return ()
    here, there = view.records[Side.SALESFORCE], view.records[Side.HUBSPOT]
    if view.link is None or here is None or there is None or not (here.present and there.present):
        return tuple(_describe(view, rule, Outcome.STILL) for rule in view.pair.fields)
    situation = situation_of(view.work, view.pair, view.link, here, there)
    [situation] = date_conflicts(view.work, view.pair, [situation])
    choices = {one.field: one for one in view.work.c.store.choices.of_link(view.link.id)}
    still = situation.still or not view.is_linked
    by_record = last_changes(here, there)
    answers = (
        _answer(
            view,
            rule,
            (here, there),
            situation.edits.get(rule.label, by_record),
            choices.get(rule.label),
            still=still,
        )
        for rule in view.pair.fields
    )
    holds = {side: _find_holds(view, side) for side in Side}
    return tuple(_hold_back(one, holds) for one in answers)


def _find_holds(view: View, side: Side) -> list[tuple[str, Value, int]]:
    """The values that are not written to the record of a side, since a run was undone: (field, value, run)."""
    record = view.records[side]
    if record is None or view.pair is None:
        return []
    found = view.work.c.store.holds.of_record(side, view.pair.object(side), [record.id])
    return [
        (one["field"], value, one["run"]) for one in found if one["verb"] == "update" for value in one["values"]
    ]


def _hold_back(one: FieldAnswer, holds: Mapping[Side, Sequence[tuple[str, Value, int]]]) -> FieldAnswer:
    """What the rules come to, but for what is held since the run that wrote it was undone (X2)."""
    if not one.needs_writing or one.to is None or one.new is None:
        return one
    places = list(zip(one.side(one.to).fields, one.new, strict=True))
    # Compared one by one: a hidden value equals what it is the hash of, but has another hash of its own (G3).
    held = [(name, value) for name, value, _ in holds[one.to]]
    if not all(place in held for place in places):
        return one
    runs = [run for name, value, run in holds[one.to] if (name, value) in places]
    reason = f"run {runs[0]} was undone, and this is what it wrote"
    return replace(one, outcome=Outcome.HELD, reason=reason, remedy=f"`connector resume {runs[0]}` lets it go")


def _answer(
    view: View, rule: FieldRule, both: tuple[Record, Record], edits: Edits, choice: Choice | None, *, still: bool
) -> FieldAnswer:
    here, there = both
    plain = _describe(view, rule, Outcome.APART)
    values = rule.values(Side.SALESFORCE, here.fields), rule.values(Side.HUBSPOT, there.fields)
    if rule.rule is Rule.DONT_SYNC:
        return replace(plain, outcome=Outcome.OFF)
    if values[0] is None or values[1] is None:
        return replace(plain, outcome=Outcome.UNREAD)
    if isinstance(rule.transform, Owner | StagePair) and not view.work.world.known.users:
        return replace(plain, outcome=Outcome.UNREAD, reason="owners and stages are not known before the next run")
    if choice is None and have_one_meaning(rule, values[0], values[1], view.work.world.knowledge):
        return replace(plain, outcome=Outcome.IN_STEP)
    if still:
        return replace(plain, outcome=Outcome.STILL)
    return plain if rule.at_creation_only else _merge(view, rule, both, plain, edits, choice)


def _merge(
    view: View,
    rule: FieldRule,
    both: tuple[Record, Record],
    plain: FieldAnswer,
    edits: Edits,
    choice: Choice | None,
) -> FieldAnswer:
    """What the next run makes of two values that differ."""
    here, there = both
    base = view.link.base if view.link else Base()
    known = view.work.world.knowledge
    match choice and weigh_choice(rule, choice, here.fields, there.fields, known):
        case Put(to, values):
            cause = choice.cause if choice else ""
            return replace(plain, outcome=Outcome.TRAVELS, to=to, new=values, why="F2", chosen=cause)
        case Count(settled):
            base, plain = base.merged(settled), replace(plain, chosen=choice.cause if choice else "")
    match merge_field(rule, here.fields, there.fields, base, find_newer(edits), known):
        case Write(to, values, why, conflict):
            told = describe_edits(edits) if conflict and rule.rule is Rule.TWO_WAY else ""
            outcome = Outcome.PUT_BACK if why == "F6" else Outcome.TRAVELS
            return replace(plain, outcome=outcome, to=to, new=values, why=why, conflict=conflict, evidence=told)
        case Hold():
            return replace(plain, outcome=Outcome.HELD, why="F2", conflict=True)
        case Blocked(to, cannot):
            outcome = Outcome.WAITS if cannot.needs else Outcome.BLOCKED
            return replace(plain, outcome=outcome, to=to, reason=cannot.reason, remedy=cannot.remedy)
        case Agree():
            return replace(plain, outcome=Outcome.IN_STEP)
        case _:
            return plain


# --- how a value is told ----------------------------------------------------------------------------------


def _describe(view: View, rule: FieldRule, outcome: Outcome) -> FieldAnswer:
    sides = {side: _describe_side(view, rule, side) for side in Side}
    return FieldAnswer(
        label=rule.label,
        rule=rule.rule.value,
        transform=name_of(rule.transform),
        outcome=outcome,
        salesforce=sides[Side.SALESFORCE],
        hubspot=sides[Side.HUBSPOT],
        personal=rule.personal,
        first_meeting=view.link is not None and any(one.base is None for one in sides.values()),
    )


def _describe_side(view: View, rule: FieldRule, side: Side) -> SideOfField:
    record = view.records[side]
    values = rule.values(side, record.fields) if record else None
    agreed = view.link.base if view.link else Base()
    base = rule.values(side, agreed.salesforce if side is Side.SALESFORCE else agreed.hubspot)
    moved = None
    if values is not None and base is not None:
        moved = rule.transform.meaning(side, values) != rule.transform.meaning(side, base)
    words = say(view.work, rule, side, values) if _exists(view, rule, side) else NO_SUCH_FIELD
    return SideOfField(rule.names(side), values, words, base, moved)


def _exists(view: View, rule: FieldRule, side: Side) -> bool:
    """Whether the side has the field, as far as its schema is known."""
    known = view.pair is not None and view.work.world.schema.objects
    if not known or view.pair is None:
        return True
    return all(view.work.world.type_of(view.pair, side, name) is not None for name in rule.names(side))


def say(work: Work, rule: FieldRule, side: Side, values: Values | None) -> str:
    """Values as a person knows them: owners by e-mail, stages by label, records by name."""
    if values is None:
        return "(not read)"
    if all(value in (None, "") for value in values):
        return "(empty)"
    known = work.world.known
    match rule.transform:
        case Owner():
            people = {one.id: one.email for one in (known.users if side is Side.SALESFORCE else known.owners)}
            return people.get(str(values[0]), str(values[0]))
        case StagePair() if side is Side.HUBSPOT:
            pipeline, stage = (str(value) for value in values)
            found, met = known.find_pipeline(pipeline), known.find_stage(pipeline, stage)
            return f"{found.label if found else pipeline} / {met.label if met else stage}"
        case StagePair():
            types = {one.id: one.name for one in known.record_types}
            group = types.get(str(values[0]), str(values[0])) if values[0] else ""
            return f"{group} / {values[1]}" if group else str(values[1])
        case Number():
            number = rule.transform.carry(Side.HUBSPOT, values, work.world.knowledge)
            return str(values[0] if isinstance(number, Cannot) else number[0])
        case Date() if side is Side.HUBSPOT:
            day = rule.transform.carry(Side.SALESFORCE, values, work.world.knowledge)
            return str(values[0] if isinstance(day, Cannot) else day[0])
        case Reference(name) if name in work.c.pairs:
            object_ = work.c.pairs[name].object(side)
            record = work.c.store.records.load(side, object_, [str(values[0])]).get(str(values[0]))
            return name_record(record) if record else str(values[0])
        case _:
            return " / ".join("(empty)" if value is None else str(value) for value in values)


def name_record(record: Record | None) -> str:
    """What a person calls a record."""
    if record is None:
        return ""
    for names in (("Name",), ("dealname",), ("name",), ("FirstName", "LastName"), ("firstname", "lastname")):
        words = [str(record.fields[one]) for one in names if record.fields.get(one)]
        if words:
            return " ".join(words)
    return str(record.fields.get("Email") or record.fields.get("email") or record.id)
