"""When was each side of a conflict edited?

| side       | how that is known                                            | calls, only if there are conflicts |
|------------|--------------------------------------------------------------|------------------------------------|
| HubSpot    | the history of the property; the primary company has none    | 1 per 50 records                   |
| Salesforce | the history of the field, where an administrator has it kept | 1 per 1,000 records                |
| both       | else the record's last change                                | none                               |

The record's last change may be that of another field, so it is asked for only where nothing better is known. What
an undo put back was not edited then: it lost before, and so it does again (X2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from connector.core.merge import Edited, Edits, Evidence
from connector.core.model import FieldRule, Pair, Record, Side
from connector.core.plan import Situation, find_contested, last_changes
from connector.core.sameness import same_value
from connector.engine.work import Work

_EVIDENCE = {Side.SALESFORCE: Evidence.FIELD_HISTORY, Side.HUBSPOT: Evidence.PROPERTY_HISTORY}

Stamps = Mapping[tuple[str, str], str]
"""When fields were edited, by (record id, field)."""


def date_conflicts(work: Work, pair: Pair, situations: Sequence[Situation]) -> list[Situation]:
    """The same situations, and for contested fields when both sides were edited."""
    contested = {one.link.id: find_contested(pair, one, work.world.knowledge) for one in situations}
    if not any(contested.values()):
        return list(situations)
    stamps = {side: _ask(work, pair, side, situations, contested) for side in Side}
    restored = {side: _find_restored(work, pair, side, situations, contested) for side in Side}
    return [replace(one, edits=_edits(one, contested[one.link.id], stamps, restored)) for one in situations]


def _find_restored(
    work: Work, pair: Pair, side: Side, situations: Sequence[Situation], contested: Mapping[int, list[FieldRule]]
) -> set[tuple[str, str]]:
    """The contested fields, by (record id, field), that hold what an undo put back."""
    records = {
        record.id: record
        for one in situations
        if contested[one.link.id] and (record := one.record(side)) is not None
    }
    put_back = work.c.store.journal.restored(side, pair.object(side), records)
    return {
        (id_, name) for (id_, name), value in put_back.items() if same_value(records[id_].fields.get(name), value)
    }


def _ask(
    work: Work, pair: Pair, side: Side, situations: Sequence[Situation], contested: Mapping[int, list[FieldRule]]
) -> Stamps:
    crm = work.c.salesforce if side is Side.SALESFORCE else work.c.hubspot
    fields = {
        record.id: [name for rule in contested[one.link.id] for name in rule.names(side)]
        for one in situations
        if contested[one.link.id] and (record := one.record(side)) is not None
    }
    return crm.last_edits(pair.object(side), fields)


def _edits(
    situation: Situation,
    rules: Sequence[FieldRule],
    stamps: Mapping[Side, Stamps],
    restored: Mapping[Side, Collection[tuple[str, str]]],
) -> dict[str, Edits]:
    here, there = situation.salesforce, situation.hubspot
    if here is None or there is None:
        return {}
    by_record = last_changes(here, there)
    return {
        rule.label: {
            one.side: _edited(one, rule, stamps[one.side], restored[one.side]) or by_record[one.side]
            for one in (here, there)
        }
        for rule in rules
    }


def _edited(
    record: Record, rule: FieldRule, stamps: Stamps, restored: Collection[tuple[str, str]]
) -> Edited | None:
    """Of fields that only make sense together, the one edited last."""
    if any((record.id, name) in restored for name in rule.names(record.side)):
        return Edited("", Evidence.UNDO)
    known = [at for name in rule.names(record.side) if (at := stamps.get((record.id, name)))]
    return Edited(max(known), _EVIDENCE[record.side]) if known else None
