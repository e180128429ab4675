"""What would a changed mapping do to today's records, before it is used? (T4)

Using it writes nothing by itself: values move when somebody edits them. Counted is what would be written if the
changed fields were filled in for all linked records, as at a first meeting. The planner of the runs says so, of the
records that were seen; it is asked for one field at a time. Neither CRM is asked, so a field that no run has read
yet is told as such, unless somebody lets it be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.adapters.base import Wanted
from connector.core.actions import Update, Wait
from connector.core.merge import is_blank
from connector.core.model import Base, FieldRule, Fields, Link, Pair, Problem, Record, Rule, Side
from connector.core.plan import Situation, plan_link
from connector.engine.mappings.agreed import PAGE, AsAgreed, pages
from connector.engine.mappings.versions import Version
from connector.engine.world import Connection
from connector.mapping.description import DescribedPair, describe_mapping
from connector.mapping.transforms import Owner, StagePair
from connector.store.store import Store

Read = Callable[[Side, Pair, Sequence[str], Sequence[str]], Mapping[str, Fields]]
"""Reads fields (side, pair, ids, names) that no run has read, by record id."""


@dataclass
class Counts:
    """Values of one field on one side that would be written to all linked records."""

    filled: int = 0
    changed: int = 0
    cleared: int = 0

    @property
    def total(self) -> int:
        return self.filled + self.changed + self.cleared


@dataclass
class Effect:
    """What one changed field comes to, in linked records.

    `unread`: the field was never read of one of both. `untold`: it is an owner or stage whose
    counterpart no linked record shows.
    """

    writes: dict[Side, Counts] = field(default_factory=lambda: {side: Counts() for side in Side})
    links: int = 0
    unread: int = 0
    untold: int = 0
    waiting: int = 0
    without_counterpart: int = 0
    out_of_scope: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """One setting, before and after; None: it was not there."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class FieldChange:
    """An entry that is `added`, `removed` or `changed`. `effect` is None where nothing would ever be written."""

    salesforce: str
    hubspot: str
    kind: str
    changes: tuple[Changed, ...] = ()
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class ScopeEffect:
    """Records that a changed filter leaves out, and lets in; `unread`: of which it asks what was never read."""

    leaves: int
    enters: int
    unread: int


@dataclass(frozen=True, slots=True)
class PairChange:
    """One mapping file that is not as it was."""

    pair: str
    kind: str
    changes: tuple[Changed, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    scope: Mapping[Side, ScopeEffect] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions, and all that differs."""

    old: str
    new: str
    pairs: tuple[PairChange, ...]
    calls: Mapping[Side, int] = field(default_factory=dict)
    """API calls that were made; none if neither CRM was asked."""


def compare(old: Version, new: Version, store: Store | None, read: Read | None = None) -> Difference:
    """Compare two mappings, and plan the difference on what the store knows. `read` may ask a CRM for the rest."""
    before = {one.pair: one for one in describe_mapping(old.read)}
    after = {one.pair: one for one in describe_mapping(new.read)}
    names = list(dict.fromkeys([*after, *before]))
    found = (
        _compare_pair(
            before.get(name), after.get(name), old.read.pairs.get(name), new.read.pairs.get(name), store, read
        )
        for name in names
    )
    return Difference(old.title, new.title, tuple(one for one in found if one is not None))


def compare_live(c: Connection, old: Version, new: Version) -> Difference:
    """The same, with what no run has read yet: of all linked records, in batches. What is read is not kept."""
    before = {side: c.crm(side).usage().calls for side in Side}
    c.salesforce.use_schema(c.salesforce.describe([pair.salesforce for pair in new.read.pairs.values()]))  # 1 call

    def read(side: Side, pair: Pair, ids: Sequence[str], names: Sequence[str]) -> dict[str, Fields]:
        found = c.crm(side).read(pair.object(side), ids, Wanted(tuple(names)))
        return {id_: one.fields for id_, one in found.items() if one.present}

    found = compare(old, new, c.store, read)
    return replace(found, calls={side: c.crm(side).usage().calls - before[side] for side in Side})


def _compare_pair(
    before: DescribedPair | None,
    after: DescribedPair | None,
    old: Pair | None,
    new: Pair | None,
    store: Store | None,
    read: Read | None,
) -> PairChange | None:
    if before is None or after is None:
        there = after or before
        return PairChange(there.pair if there else "", "removed" if after is None else "added")
    changes = tuple(_compare_settings(before.settings(), after.settings()))
    fields = tuple(_compare_fields(before, after))
    if not changes and not fields:
        return None
    if store is None or old is None or new is None:
        return PairChange(after.pair, "changed", changes, fields)
    effects = _plan(store, old, new, fields, read)
    fields = tuple(replace(one, effect=effects.get((one.salesforce, one.hubspot))) for one in fields)
    scope = {side: one for side in Side if (one := _compare_scope(store, old, new, side)) is not None}
    return PairChange(after.pair, "changed", changes, fields, scope)


def _compare_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Changed]:
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict | None) and isinstance(new, dict | None) and (old or new):
            yield from (
                Changed(f"{key}: {one.key}", one.old, one.new) for one in _compare_settings(old or {}, new or {})
            )
        elif old != new:
            yield Changed(key, old, new)


def _compare_fields(before: DescribedPair, after: DescribedPair) -> Iterator[FieldChange]:
    olds = {one.names: one for one in before.fields}
    for one in after.fields:
        old = olds.pop(one.names, None)
        if old is None:
            yield FieldChange(*one.names, "added")
        elif changes := tuple(_compare_settings(old.settings(), one.settings())):
            yield FieldChange(*one.names, "changed", changes)
    for gone in olds.values():
        yield FieldChange(*gone.names, "removed")


# --- what would be written --------------------------------------------------------------------------------


def _plan(
    store: Store, old: Pair, new: Pair, fields: Iterable[FieldChange], read: Read | None
) -> dict[tuple[str, str], Effect]:
    """The effect of every changed entry, over all live links."""
    wanted = {(one.salesforce, one.hubspot) for one in fields if one.kind != "removed"}
    rules = {
        key: rule
        for rule in new.fields
        if (key := ("+".join(rule.salesforce), "+".join(rule.hubspot))) in wanted
        and rule.rule is not Rule.DONT_SYNC
        and not rule.at_creation_only
    }
    effects = {key: Effect() for key in rules}
    known = AsAgreed.learn(store, (old, new)) if rules else AsAgreed()
    for links in pages(store, new.name) if rules else ():
        records = _load(store, new, links, rules.values(), read)
        known.learn_partners(store, new, [one for some in records.values() for one in some.values()])
        for link in links:
            here, there = (records[side].get(link.id_of(side) or "") for side in Side)
            for key, rule in rules.items():
                _count(effects[key], new, rule, Situation(link, here, there), known)
    return effects


def _load(
    store: Store, pair: Pair, links: Sequence[Link], rules: Iterable[FieldRule], read: Read | None
) -> dict[Side, dict[str, Record]]:
    found = {}
    some = list(rules)
    for side in Side:
        records = store.records.load(side, pair.object(side), [id_ for one in links if (id_ := one.id_of(side))])
        names = list(dict.fromkeys(name for rule in some for name in rule.names(side)))
        lacking = [id_ for id_, one in records.items() if one.present and not set(names) <= one.fields.keys()]
        if read is not None and lacking:
            for id_, fields in read(side, pair, lacking, names).items():
                records[id_] = replace(records[id_], fields={**records[id_].fields, **fields})
        found[side] = records
    return found


def _count(effect: Effect, pair: Pair, rule: FieldRule, situation: Situation, known: AsAgreed) -> None:
    here, there = situation.salesforce, situation.hubspot
    if here is None or there is None or not (here.present and there.present):
        return
    effect.links += 1
    if not all(pair.admits(one.side, one.fields) for one in (here, there)):
        effect.out_of_scope += 1
        return
    if rule.values(Side.SALESFORCE, here.fields) is None or rule.values(Side.HUBSPOT, there.fields) is None:
        effect.unread += 1
        return
    alone = replace(pair, fields=(rule,), required={}, partner_field={}, match_on=(), scope={})
    first = replace(situation, link=replace(situation.link, base=Base()))
    for action in plan_link(alone, first, known, frozenset()):
        match action:
            case Update(to=to, changes=changes):
                old, new = (tuple(getattr(one, part) for one in changes) for part in ("old", "new"))
                counts = effect.writes[to]
                counts.filled += is_blank(old)
                counts.cleared += is_blank(new)
                counts.changed += not is_blank(old) and not is_blank(new)
            case Wait():
                effect.waiting += 1
            case Problem() if isinstance(rule.transform, Owner | StagePair):
                effect.untold += 1
            case Problem():
                effect.without_counterpart += 1
            case _:
                pass


def _compare_scope(store: Store, old: Pair, new: Pair, side: Side) -> ScopeEffect | None:
    """How many records of a side a changed filter leaves out or lets in (A8)."""
    before, now = old.scope.get(side), new.scope.get(side)
    if before == now:
        return None
    leaves = enters = unread = 0
    after = ""
    while some := store.records.page(side, new.object(side), after, PAGE):
        after = some[-1].id
        for one in some:
            was = before is None or before.admits(one.fields) is not False
            told = True if now is None else now.admits(one.fields)
            unread += told is None
            leaves += was and told is False
            enters += not was and told is not False
    return ScopeEffect(leaves, enters, unread)
