"""What did both sides edit, who won, and what shall it be instead? (F2)

A conflict is settled by the field's rule, and the value that lost stands in the journal; or, by `hold`, it waits
for a person. Either way a person may choose: one of the two values, or another one. The next run plans and writes
it like any edit (`core/choices.py`); nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.core.choices import CHOSEN, Choice, find_decider
from connector.core.hiding import Hidden
from connector.core.merge import have_one_meaning
from connector.core.model import FieldRule, Side, Value, Values
from connector.engine.answers.fields import find_rule, name_record, unknown_field
from connector.engine.answers.references import no_such_record
from connector.engine.answers.view import View, look_offline
from connector.engine.hiding import COVERED
from connector.engine.world import Connection
from connector.errors import BadConfiguration, Finding
from connector.mapping.transforms import Boolean, Date, DateTime, Number
from connector.store.store import Store

HELD, SETTLED = "held", "settled"
KIND = "resolve"


@dataclass(frozen=True, slots=True)
class ConflictAnswer:
    """A field that both sides edited. `state`: held, for a person; or settled, and then by which run.

    `winner` had the value `won`, the other side the value `lost`; a held one has neither yet. `salesforce` and
    `hubspot` are the two values that met. `evidence` tells which edit was the later one.
    """

    state: str
    pair: str
    field: str
    salesforce_id: str | None
    hubspot_id: str | None
    name: str
    at: str
    run: int | None
    rule: str
    winner: Side | None
    won: Value
    lost: Value
    salesforce: Value
    hubspot: Value
    evidence: str = ""
    chosen: Value = None
    """What a person chose, until a run has written it."""
    overruled_in: int | None = None
    """The run that wrote what a person chose instead."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was chosen for a field. `takes` is in the form of `side`; `instead_of` is what both hold now."""

    field: str
    salesforce_id: str | None
    hubspot_id: str | None
    side: Side
    takes: Values
    instead_of: Mapping[str, Values]
    run: int
    writes_to: tuple[Side, ...]


def list_conflicts(c: Connection, *, since: str = "", limit: int | None = None) -> list[ConflictAnswer]:
    """The held ones, the oldest first, then the settled ones from a moment (ISO) on, the latest first."""
    held = [_answer_held(c, row) for row in c.store.problems.all() if row["code"] == "CONFLICT"]
    settled = [answer for row in c.store.journal.conflicts(since, limit) for answer in _answer_settled(c, row)]
    return [one for one in held if one is not None] + settled[: limit or None]


def _answer_held(c: Connection, row: Mapping[str, Any]) -> ConflictAnswer | None:
    side = Side(row["side"])
    pair = next((one for one in c.pairs.values() if one.object(side) == row["object"]), None)
    link = c.store.links.by_ids(pair.name, side, [row["record_id"]]).get(row["record_id"]) if pair else None
    rule = next((one for one in (pair.fields if pair else ()) if "+".join(one.names(side)) == row["field"]), None)
    if pair is None or link is None or rule is None:
        return None
    ids = {one: link.id_of(one) or "" for one in Side}
    records = {one: c.store.records.load(one, pair.object(one), [ids[one]]).get(ids[one]) for one in Side}
    shown = {one: rule.values(one, record.fields) if record else None for one, record in records.items()}
    return ConflictAnswer(
        state=HELD,
        pair=pair.name,
        field=rule.label,
        salesforce_id=link.salesforce_id,
        hubspot_id=link.hubspot_id,
        name=name_record(records[Side.SALESFORCE]),
        at=row["since"],
        run=None,
        rule=rule.rule.value,
        winner=None,
        won=None,
        lost=None,
        salesforce=_one(shown[Side.SALESFORCE]),
        hubspot=_one(shown[Side.HUBSPOT]),
        chosen=_find_chosen(c.store, link.id, rule.label),
    )


def _answer_settled(c: Connection, row: Mapping[str, Any]) -> Iterable[ConflictAnswer]:
    loser = Side(row["side"])
    link = c.store.links.load([row["link"]]).get(row["link"]) if row["link"] is not None else None
    pair = c.pairs.get(link.pair) if link else None
    seen = c.store.records.load(loser, row["object"], [row["record_id"]]).get(row["record_id"])
    for change in row["changes"]:
        if not change["conflict"]:
            continue
        rule = next((one for one in (pair.fields if pair else ()) if change["field"] in one.names(loser)), None)
        _, _, evidence = str(change["cause"]).partition(", edited later: ")
        yield ConflictAnswer(
            state=SETTLED,
            pair=link.pair if link else "",
            field=change["field"],
            salesforce_id=link.salesforce_id if link else None,
            hubspot_id=link.hubspot_id if link else None,
            name=name_record(seen),
            at=row["at"],
            run=row["run"],
            rule=rule.rule.value if rule else "",
            winner=loser.other,
            won=change["new"],
            lost=change["old"],
            salesforce=change["old"] if loser is Side.SALESFORCE else change["new"],
            hubspot=change["old"] if loser is Side.HUBSPOT else change["new"],
            evidence=f"edited later: {evidence}" if evidence else "",
            chosen=_find_chosen(c.store, link.id, rule.label) if link and rule else None,
            overruled_in=_find_overruling(c.store, link.id, rule, row["number"]) if link and rule else None,
        )


def _find_overruling(store: Store, link_id: int, rule: FieldRule, after: int) -> int | None:
    """The run in which a person's choice was written over what a conflict came to."""
    names = {name for side in Side for name in rule.names(side)}
    for row in store.journal.of_link(link_id):
        chosen = (one["field"] in names and one["cause"].startswith(CHOSEN) for one in row["changes"])
        if row["number"] > after and row["state"] == "done" and any(chosen):
            return int(row["run"])
    return None


def _one(values: Values | None) -> Value:
    """A field's value; those that only make sense together in one text."""
    if values is None or len(values) == 1:
        return values[0] if values else None
    return " / ".join("" if value is None else str(value) for value in values)


def _find_chosen(store: Store, link_id: int, label: str) -> Value:
    return next((_one(one.wanted) for one in store.choices.of_link(link_id) if one.field == label), None)


# --- choosing ---------------------------------------------------------------------------------------------


def resolve(c: Connection, record: str, field: str, take: str) -> Resolution:
    """Note what a field of a linked pair shall be: `salesforce`, `hubspot`, or a value as Salesforce writes it.

    A side is taken at what it holds; where the rule has overwritten that already, at what it held before.

    Raises:
        BadConfiguration: there is nothing to choose, or the value cannot be one.
        Busy: a run is under way.
    """
    view = look_offline(c, record)
    rule = find_rule(view, field)
    if rule is None:
        raise unknown_field(view, field)
    side, wanted, seen = _find_wanted(view, rule, take)
    link = view.link
    if link is None:
        raise _nothing_to_choose(view, "it has no partner")
    with c.store.runs.lease(), c.store.transaction():
        told = take if take.casefold() in {one.value for one in Side} or not rule.personal else COVERED
        run = c.store.runs.note_act(KIND, record=link.salesforce_id, field=rule.label, take=told)
        c.store.choices.choose(Choice(link.id, rule.label, side, wanted, seen, run), run)
        for one in Side:
            if id_ := link.id_of(one):
                c.store.records.mark(one, view.pair.object(one) if view.pair else "", [id_])
    return Resolution(
        field=rule.label,
        salesforce_id=link.salesforce_id,
        hubspot_id=link.hubspot_id,
        side=side,
        takes=wanted,
        instead_of={one.value: values for one, values in seen.items()},
        run=run,
        writes_to=_find_targets(rule, side, wanted, seen),
    )


def _find_wanted(view: View, rule: FieldRule, take: str) -> tuple[Side, Values, dict[Side, Values]]:
    here, there = (view.records[side] for side in Side)
    if not view.is_linked or here is None or there is None or not (here.present and there.present):
        raise _nothing_to_choose(view, "only records that are linked, and both there, have conflicts")
    seen = {one.side: rule.values(one.side, one.fields) for one in (here, there)}
    known = {side: values for side, values in seen.items() if values is not None}
    if len(known) < len(Side):
        raise _nothing_to_choose(view, f"{rule.label} was never read on both sides")
    if take.casefold() not in {side.value for side in Side}:
        return Side.SALESFORCE, (_read_value(view, rule, take),), known
    side = Side(take.casefold())
    lost = _find_lost(view, rule, side)
    if lost is not None and _agree(view, rule, known):
        if any(isinstance(value, Hidden) for value in lost):
            raise _nothing_to_choose(
                view, f"what {side} held is hidden as personal (G3); say the value itself with `--take`"
            )
        return side, lost, known
    if _agree(view, rule, known):
        raise _nothing_to_choose(
            view, f"both sides hold {_one(known[side])!r}, and no conflict took it from {side}"
        )
    return side, known[side], known


def _agree(view: View, rule: FieldRule, seen: Mapping[Side, Values]) -> bool:
    return have_one_meaning(rule, seen[Side.SALESFORCE], seen[Side.HUBSPOT], view.work.world.knowledge)


def _find_lost(view: View, rule: FieldRule, side: Side) -> Values | None:
    """What the last settled conflict of this field took from a side."""
    if view.link is None:
        return None
    for row in reversed(view.work.c.store.journal.of_link(view.link.id)):
        changes = {one["field"]: one for one in row["changes"] if one["conflict"]}
        names = rule.names(Side(row["side"]))
        if row["state"] != "done" or names[0] not in changes:
            continue
        return tuple(changes[name]["old"] for name in names) if Side(row["side"]) is side else None
    return None


def _read_value(view: View, rule: FieldRule, text: str) -> Value:
    """A value that a person typed, as Salesforce has it."""
    if len(rule.salesforce) > 1:
        raise _nothing_to_choose(view, f"{rule.label} is more than one field: take `salesforce` or `hubspot`")
    if not text.strip():
        return None
    if not isinstance(rule.transform, Number | Boolean | Date | DateTime):
        return text
    carried = rule.transform.carry(Side.SALESFORCE, (text,), view.work.world.knowledge)
    if not isinstance(carried, tuple):
        raise BadConfiguration([Finding("--take", 0, f"{text!r} cannot be: {carried.reason}", carried.remedy)])
    return carried[0]


def _find_targets(rule: FieldRule, side: Side, wanted: Values, seen: Mapping[Side, Values]) -> tuple[Side, ...]:
    """The sides that the next run will write, as far as that can be told before values are carried over."""
    decider = find_decider(rule, side)
    first = (
        decider
        if decider is not side or rule.transform.meaning(side, seen[side]) != rule.transform.meaning(side, wanted)
        else None
    )
    return tuple(one for one in Side if one is first or one is not decider)


def _nothing_to_choose(view: View, why: str) -> BadConfiguration:
    return no_such_record(
        view.id, f"there is nothing to choose: {why}", f"`connector explain {view.id}` shows how it stands"
    )
