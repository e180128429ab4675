"""Which records take part, according to the scope filters of the mapping files (A8).

A pair syncs while both its records are in scope; the filters are asked anew whenever one of them is looked at. A
link whose record has left scope is frozen: nothing is written to either side, it counts in no rollup, and what
refers to it waits. It stays known, so that its deletion is noticed (D9) and its return resumes where it was.

A changed filter is a new start, never a mass edit: links that it leaves outside are frozen at once, but what it
lets in waits until somebody touches it. Only fields that no filter asked for before are read for it, by listing
the object once more; that alone makes no record due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from connector.adapters.base import Wanted
from connector.core.actions import Action, Freezing, Outside, Update
from connector.core.model import Pair, Record, Side
from connector.core.scope import Condition, Scope
from connector.engine.observe import observe_deals
from connector.engine.roles import look_at_deals_of
from connector.engine.work import Work, look_again
from connector.engine.world import CONTACTS, DEALS, Connection, World
from connector.errors import BadConfiguration, Finding
from connector.mapping.suggestions import suggest

ASKED, APPLIED = "scope fields", "scope"
PAGE = 1000

_NUMBERS = {"int", "double", "currency", "percent", "long", "number"}
_DAYS = {"date", "datetime"}
_TRUTHS = {"boolean", "bool"}


# --- is the filter one that can be asked? -----------------------------------------------------------------


def check_scope(c: Connection, world: World) -> None:
    """Whether every condition asks for a field that is there, in a way that suits its type.

    Raises:
        BadConfiguration: with the file and line of each condition that does not.
    """
    findings = [
        finding
        for pair in c.pairs.values()
        for side in Side
        for finding in find_scope_faults(pair, side, partial(world.type_of, pair, side), world.names(pair, side))
    ]
    if findings:
        c.store.runs.remember("set-up", None)  # somebody may mend it in the CRM
        raise BadConfiguration(findings)


def find_scope_faults(
    pair: Pair, side: Side, type_of: Callable[[str], str | None], names: Iterable[str] = ()
) -> list[Finding]:
    """The conditions of a side's filter that cannot be asked.

    `type_of` is None for a field that is not there; `names` are those of fields that are, to suggest from.
    """
    scope = pair.scope.get(side)
    conditions = scope.conditions() if isinstance(scope, Scope) else ()
    found = (_find_fault(pair, side, condition, type_of(condition.name), names) for condition in conditions)
    return [one for one in found if one is not None]


def _find_fault(
    pair: Pair, side: Side, condition: Condition, kind: str | None, names: Iterable[str]
) -> Finding | None:
    place = f"scope: {pair.object(side)} of {side.value}"
    if kind is None:
        meant = suggest(condition.name, names)
        remedy = "correct the name, or give the connector access to the field"
        remedy = f"{meant} Otherwise {remedy}" if meant else remedy
        return Finding(*condition.place, f"{place} has no field {condition.name}", remedy)
    wanted = condition.kind
    fits = {"number": _NUMBERS, "date": _DAYS, "truth": _TRUTHS}.get(wanted)
    if fits is None or kind in fits:
        return None
    article = {"number": "a number", "date": "a date", "truth": "true or false"}[wanted]
    text = f"{place}: {condition.name} is of type {kind}, but `{condition.question}` asks it for {article}"
    return Finding(*condition.place, text, "put text in quotes, or ask another field")


# --- what is done with single records ---------------------------------------------------------------------


def is_frozen(pair: Pair, *records: Record | None) -> bool:
    """Whether one of a pair's records is out of scope, as it was last seen."""
    return any(one is not None and not pair.admits(one.side, one.fields) for one in records)


def freeze(work: Work, pair: Pair, freezings: Sequence[Freezing]) -> None:
    """Freeze links, or let them go on: then they are looked at once more, and merged."""
    store = work.c.store
    over = [one.link for one in freezings if one.over]
    if pair.name == DEALS and over:
        # Nobody read their contacts meanwhile.
        observe_deals(work.c, [one.hubspot_id for one in over if one.hubspot_id], work.report.run)
    with store.transaction():
        store.links.freeze([one.link.id for one in freezings if not one.over])
        store.links.freeze([one.id for one in over], over=True)
        for side in Side:
            ids = [id_ for one in over if (id_ := one.id_of(side))]
            store.records.wake(pair.name, [(side, id_) for id_ in ids])
            look_again(work, pair, side, ids)
        if pair.name == CONTACTS:
            # A role may have been removed meanwhile, which is left alone while its contact is outside.
            look_at_deals_of(work, [one.id for one in over])


def note_scope(work: Work, pair: Pair, records: Iterable[Record], actions: Sequence[Action]) -> None:
    """Note which of these records are out of scope, and look again at those that our own writes will put there."""
    if not pair.scope:
        return
    some = list(records)
    outside = {one.record.id for one in actions if isinstance(one, Outside)}
    outside |= {one.id for one in some if is_frozen(pair, one)}
    with work.c.store.transaction():
        for side in Side:
            ids = [one.id for one in some if one.side is side]
            _mark(work.c, pair, side, ids, outside)
    fields = {(one.side, one.id): one.fields for one in some}
    for action in actions:
        if not isinstance(action, Update) or action.pair != pair.name:
            continue
        after = {**fields.get((action.to, action.record_id), {}), **action.values}
        if not pair.admits(action.to, after):
            look_again(work, pair, action.to, [action.record_id])


def _mark(c: Connection, pair: Pair, side: Side, ids: Sequence[str], outside: set[str]) -> None:
    object_ = pair.object(side)
    c.store.records.mark_scope(side, object_, [id_ for id_ in ids if id_ in outside], outside=True)
    c.store.records.mark_scope(side, object_, [id_ for id_ in ids if id_ not in outside], outside=False)


# --- what a changed filter means --------------------------------------------------------------------------


def learn_scope_fields(c: Connection, progress: Callable[[int], None] = lambda _: None) -> None:
    """Read of known records what a filter asks for that none asked for before. Nothing becomes due by it."""
    asked: dict[str, list[str]] = c.store.runs.read(ASKED) or {}
    for pair in c.pairs.values():
        for side, scope in pair.scope.items():
            stream = f"{side}/{pair.object(side)}"
            if set(scope.fields) <= set(asked.get(stream, ())):
                continue
            if c.store.runs.read(stream) is not None:
                list_fields(c, pair, side, scope.fields, progress)
            asked[stream] = sorted({*asked.get(stream, ()), *scope.fields})
            c.store.runs.remember(ASKED, asked)


def list_fields(
    c: Connection, pair: Pair, side: Side, names: Sequence[str], progress: Callable[[int], None]
) -> None:
    """Read these fields of all known records; none becomes due by it."""
    crm = c.salesforce if side is Side.SALESFORCE else c.hubspot
    for page in crm.changes({pair.object(side): Wanted(tuple(names))}, {}):
        with c.store.transaction():
            c.store.records.overwrite(side, pair.object(side), {one.id: one.fields for one in page.records})
        progress(len(page.records))


def apply_changed_scope(work: Work) -> None:
    """Where a filter is not the one of the last run, freeze what it leaves outside, before anything is written."""
    before: dict[str, str] = work.c.store.runs.read(APPLIED) or {}
    for pair in work.c.pairs.values():
        now = repr(sorted(pair.scope.items())) if pair.scope else ""
        if before.get(pair.name, "") == now:
            continue
        with work.c.store.transaction():
            _judge_anew(work.c, pair)
            before = before | {pair.name: now}
            work.c.store.runs.remember(APPLIED, before)


def _judge_anew(c: Connection, pair: Pair) -> None:
    for side in Side:
        after = ""
        while some := c.store.records.page(side, pair.object(side), after, PAGE):
            after = some[-1].id
            _mark(c, pair, side, [one.id for one in some], {one.id for one in some if is_frozen(pair, one)})
    last = 0
    while links := c.store.links.page(pair.name, last):
        last = links[-1].id
        records = {
            side: c.store.records.load(side, pair.object(side), [id_ for one in links if (id_ := one.id_of(side))])
            for side in Side
        }
        outside = [
            one.id for one in links if is_frozen(pair, *(records[side].get(one.id_of(side) or "") for side in Side))
        ]
        c.store.links.freeze(outside)


def describe_out_of_scope(c: Connection) -> list[str]:
    """How many records are out of scope, in words."""
    counts = c.store.records.count_out_of_scope() if any(pair.scope for pair in c.pairs.values()) else {}
    if not counts:
        return []
    listed = ", ".join(f"{number:,} {side.value} {object_}" for (side, object_), number in counts.items())
    return [f"out of scope, and left alone on both sides: {listed} (A8)"]
