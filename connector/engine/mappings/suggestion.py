"""What could be mapped, and what is mapped in vain? Both schemas, and a sample of records, within a few calls.

    1 call to Salesforce and 1 to HubSpot for each object: its fields
    1 call to Salesforce and 1 to HubSpot for each object: a sample, of linked records if there are any

Nothing is applied. Of fields that are mapped already, the store knows what they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from connector.adapters.base import Wanted
from connector.core.derived import LIFECYCLE_STAGE
from connector.core.merge import have_one_meaning, is_blank
from connector.core.model import FieldRule, Pair, Record, Side
from connector.core.rollups import RULES as ROLLUPS
from connector.engine.mappings.agreed import AsAgreed
from connector.engine.mappings.seen import look_at_fields, tally
from connector.engine.needed import CLOSE_DATE, DAYS_TO_CLOSE
from connector.engine.schemas import read_schemas, recall_schemas, remember_schemas
from connector.engine.world import DEALS, Connection
from connector.mapping.checks import Seen
from connector.mapping.proposals import Proposal, choose_best, propose
from connector.mapping.schema import Schemas
from connector.mapping.transforms import make_transform
from connector.settings import Settings
from connector.store.store import Store

SAMPLE, MOST_FIELDS = 100, 100
"""Records, and fields of each side, that are read of one object."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A mapped entry of which nothing was ever seen where its values come from."""

    pair: str
    salesforce: str
    hubspot: str
    line: tuple[str, int]
    seen: Mapping[Side, Seen]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Proposals, entries that are mapped in vain, and what it cost. `unknown`: objects whose fields nobody read."""

    proposals: tuple[Proposal, ...]
    unused: tuple[Unused, ...]
    calls: Mapping[Side, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def suggest_live(c: Connection, pairs: Sequence[Pair]) -> Suggestion:
    """Propose from schemas that are read now, and from a sample of records."""
    before = {side: c.crm(side).usage().calls for side in Side}
    schemas = read_schemas(c, pairs)
    remember_schemas(c.store, schemas, c.now())
    proposals = _propose(c.settings, pairs, schemas)
    known = [one for pair in pairs for one in _look_closer(c, pair, [p for p in proposals if p.pair == pair.name])]
    calls = {side: c.crm(side).usage().calls - before[side] for side in Side}
    return Suggestion(_choose(known, pairs), tuple(find_unused(c.store, pairs)), calls)


def suggest_offline(settings: Settings, pairs: Sequence[Pair], store: Store | None) -> Suggestion:
    """Propose from the schemas that were last read; no record is looked at."""
    schemas: Schemas = recall_schemas(store).schemas if store else {}
    unknown = [
        pair.object(side) for pair in pairs for side in Side if pair.object(side) not in schemas.get(side, {})
    ]
    unused = tuple(find_unused(store, pairs)) if store else ()
    return Suggestion(_choose(_propose(settings, pairs, schemas), pairs), unused, unknown=tuple(unknown))


def _choose(proposals: Iterable[Proposal], pairs: Sequence[Pair]) -> tuple[Proposal, ...]:
    some = list(proposals)
    return tuple(one for pair in pairs for one in choose_best(one for one in some if one.pair == pair.name))


def _propose(settings: Settings, pairs: Sequence[Pair], schemas: Schemas) -> list[Proposal]:
    zone = settings.mapping().time_zone
    found = []
    for pair in pairs:
        here, there = (schemas.get(side, {}).get(pair.object(side), {}) for side in Side)
        found += propose(pair, here, there, zone, _written_by_us(pair))
    return found


def _written_by_us(pair: Pair) -> frozenset[str]:
    """Properties of contacts and companies that follow from deals (U1-U10, L3), and how they are called if ours."""
    if pair.name == DEALS:
        return frozenset({LIFECYCLE_STAGE})
    derived = {*ROLLUPS, CLOSE_DATE, DAYS_TO_CLOSE}
    return frozenset(derived | {f"sf_{name}" for name in derived} | {LIFECYCLE_STAGE})


# --- the sample -------------------------------------------------------------------------------------------


def _look_closer(c: Connection, pair: Pair, proposals: Sequence[Proposal]) -> list[Proposal]:
    """The same proposals with what a sample of records says for or against them."""
    if not proposals:
        return []
    names = {
        Side.SALESFORCE: list(dict.fromkeys(one.salesforce.name for one in proposals))[:MOST_FIELDS],
        Side.HUBSPOT: list(dict.fromkeys(one.hubspot.name for one in proposals))[:MOST_FIELDS],
    }
    links = c.store.links.page(pair.name, 0, SAMPLE)
    ids = {side: [id_ for one in links if (id_ := one.id_of(side))] for side in Side}
    sample = {side: _sample(c, pair, side, ids[side], names[side]) for side in Side}
    filled = {side: tally(sample[side].values(), names[side], {}) for side in Side}
    couples = [
        (sample[Side.SALESFORCE][one.salesforce_id], sample[Side.HUBSPOT][one.hubspot_id])
        for one in links
        if one.salesforce_id in sample[Side.SALESFORCE] and one.hubspot_id in sample[Side.HUBSPOT]
    ]
    return [_weigh(c, one, filled, couples) for one in proposals]


def _sample(c: Connection, pair: Pair, side: Side, ids: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
    crm, object_, wanted = c.crm(side), pair.object(side), Wanted(tuple(names))
    if ids:
        return {id_: one for id_, one in crm.read(object_, ids, wanted).items() if one.present}
    first = islice(crm.changes({object_: wanted}, {}), 1)
    return {one.id: one for page in first for one in page.records[:SAMPLE] if one.present}


def _weigh(
    c: Connection,
    one: Proposal,
    filled: Mapping[Side, Mapping[str, Seen]],
    couples: Iterable[tuple[Record, Record]],
) -> Proposal:
    zone = c.settings.mapping().time_zone
    transform = make_transform(one.transform, zone=zone, values=one.values, pair=None)
    rule = FieldRule((one.salesforce.name,), (one.hubspot.name,), one.rule, transform)
    agree = compared = 0
    for here, there in couples:
        values = rule.values(Side.SALESFORCE, here.fields), rule.values(Side.HUBSPOT, there.fields)
        if values[0] is None or values[1] is None or is_blank(values[0]) or is_blank(values[1]):
            continue
        compared += 1
        agree += have_one_meaning(rule, values[0], values[1], AsAgreed())
    seen = {
        Side.SALESFORCE: filled[Side.SALESFORCE].get(one.salesforce.name, Seen()),
        Side.HUBSPOT: filled[Side.HUBSPOT].get(one.hubspot.name, Seen()),
    }
    return one.with_evidence(seen, agree, compared)


# --- what is mapped in vain -------------------------------------------------------------------------------


def find_unused(store: Store, pairs: Sequence[Pair]) -> Iterable[Unused]:
    """Entries whose fields were blank in every record seen, wherever their values come from."""
    seen = look_at_fields(store, pairs)
    for pair in pairs:
        for rule in pair.fields:
            sources = [side for side in Side if rule.rule.writes(side.other)]
            found = {
                side: seen[pair.name].get((side, name), Seen()) for side in Side for name in rule.names(side)[-1:]
            }
            if sources and all(found[side].records > 0 and found[side].filled == 0 for side in sources):
                yield Unused(pair.name, "+".join(rule.salesforce), "+".join(rule.hubspot), rule.place, found)
