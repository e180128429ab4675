"""The lifecycle stage as part of a plan: what new records begin with, what may go back, what is half done.

What deals do to the stage is in `derive.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.core.actions import Action, Creation, Update
from connector.core.derived import LIFECYCLE_STAGE, begin_with_stage, stage_rule
from connector.core.lowering import hold_backward, is_half_done
from connector.core.model import Base, Change, Link, Pair, Record, Side
from connector.engine.work import Work
from connector.engine.world import DEALS


def arrange_stages(work: Work, pair: Pair, actions: Sequence[Action]) -> list[Action]:
    """A stage for new contacts and companies (L6), and none that goes back without leave (L8)."""
    settings = work.c.settings.lifecycle_settings()
    named = [str(value) for one in actions for value in _stages_of(one, settings.new_record) if value]
    if pair.name == DEALS or not named:
        return list(actions)
    order = stage_order(work, pair, named)
    begun = [begin_with_stage(one, pair, settings, order) if isinstance(one, Creation) else one for one in actions]
    return hold_backward(begun, pair, order)


def _stages_of(action: Action, first: str | None) -> Iterable[object]:
    """The stages that bear on an action."""
    match action:
        case Creation(to=Side.HUBSPOT):
            yield first
        case Update(to=Side.HUBSPOT):
            for change in action.changes:
                if change.field == LIFECYCLE_STAGE:
                    yield from (change.old, change.new)


def stage_order(work: Work, pair: Pair, named: Iterable[str]) -> dict[str, int]:
    """The portal's stages in their order (L1).

    What is remembered of the portal may be a day old: if it lacks a stage, it is read again, once in a run.
    """
    order = work.world.stage_order(pair.hubspot)
    if order.keys() >= set(named) or pair.hubspot in work.world.read_again:
        return order
    work.world.read_again.add(pair.hubspot)
    work.world.properties = {**work.world.properties, pair.hubspot: work.c.hubspot.properties(pair.hubspot)}
    return work.world.stage_order(pair.hubspot)


def finish_lowerings(work: Work, pair: Pair, links: Sequence[Link], seen: Mapping[str, Record]) -> list[Link]:
    """These links; where a lowering cleared a stage and did not come to set it, their base is blank too.

    So the blank is no edit of HubSpot's, and the stage of Salesforce is still to be written (law 11). `seen` are
    the HubSpot records by id.
    """
    rule = stage_rule(pair)
    if rule is None or not rule.may_go_backwards:
        return list(links)
    half_done = [
        one
        for one in links
        if (record := seen.get(one.hubspot_id or "")) and is_half_done(one, record, _last_change(work, record))
    ]
    with work.c.store.transaction():
        work.c.store.links.settle({one.id: Base(hubspot={LIFECYCLE_STAGE: None}) for one in half_done})
    settled = work.c.store.links.load([one.id for one in half_done])
    return [settled.get(one.id, one) for one in links]


def _last_change(work: Work, record: Record) -> Change | None:
    """The last write of this record's stage, unless it came to its end."""
    if record.fields.get(LIFECYCLE_STAGE):
        return None  # nothing is blank, so the journal need not be asked
    entries = work.c.store.journal.of_record(record.side, record.object, record.id)
    writes = [
        (one["state"], change) for one in entries for change in one["changes"] if change["field"] == LIFECYCLE_STAGE
    ]
    return Change(**writes[-1][1]) if writes and writes[-1][0] != "done" else None
