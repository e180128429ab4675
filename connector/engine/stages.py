"""The lifecycle stage as part of a plan: what new records begin with, what may go back.

What deals do to the stage is in `derive.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.core.actions import Action, Creation, Update
from connector.core.derived import LIFECYCLE_STAGE, begin_with_stage
from connector.core.lowering import hold_backward
from connector.core.model import Pair, Side
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
