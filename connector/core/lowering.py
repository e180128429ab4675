"""May this plan take a lifecycle stage back? (L8)

| HubSpot holds | the mapping would write | may go backwards | otherwise                               |
|---------------|-------------------------|------------------|-----------------------------------------|
| a stage       | a later one             | written          | written                                 |
| a stage       | an earlier one          | cleared, then set| not written; a problem says so, once    |
| a stage       | nothing                 | cleared          | not written; a problem says so, once    |

Clearing and setting are two requests; what becomes of a process that dies between them is in `half_done.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector.core.actions import Action, Update
from connector.core.derived import LIFECYCLE_STAGE, stage_rule
from connector.core.lifecycle import is_backward
from connector.core.model import Base, Change, FieldRule, Pair, Problem, ProblemClass, Side

BACKWARD = "LIFECYCLE_BACKWARD"


def hold_backward(actions: Sequence[Action], pair: Pair, order: Mapping[str, int]) -> list[Action]:
    """The same plan, in which stages go back only where the mapping says that they may."""
    rule = stage_rule(pair)
    if rule is None:
        return list(actions)
    planned: list[Action] = []
    for one in actions:
        planned += _hold(one, rule, order) if isinstance(one, Update) else [one]
    return planned


def _hold(update: Update, rule: FieldRule, order: Mapping[str, int]) -> list[Action]:
    change = _lowering(update, order)
    if change is None:
        return [update]
    if not rule.may_go_backwards:
        return _without(update, rule, change)
    return [replace(update, clears_first=frozenset({LIFECYCLE_STAGE})) if change.new else update]


def _lowering(update: Update, order: Mapping[str, int]) -> Change | None:
    """The change of an update that takes HubSpot's stage back or away."""
    if update.to is not Side.HUBSPOT:
        return None
    return next((one for one in update.changes if one.field == LIFECYCLE_STAGE and _lowers(one, order)), None)


def _lowers(change: Change, order: Mapping[str, int]) -> bool:
    old, new = _stage(change.old), _stage(change.new)
    return old is not None and (new is None or is_backward(old, new, order))


def _stage(value: object) -> str | None:
    return str(value) if value else None


def _without(update: Update, rule: FieldRule, change: Change) -> list[Action]:
    """What is left of an update, and the problem. Neither side's base moves, so that nothing looks agreed."""
    left = tuple(one for one in update.changes if one is not change)
    settles = Base(
        {name: value for name, value in update.settles.salesforce.items() if name not in rule.salesforce},
        {name: value for name, value in update.settles.hubspot.items() if name not in rule.hubspot},
    )
    problem = Problem(
        Side.HUBSPOT,
        update.object,
        update.record_id,
        ProblemClass.PROPERTY_VALUES,
        BACKWARD,
        f"{rule.label}: HubSpot is at {change.old}, and {change.new or 'no stage'} would be a step back",
        "set the stage by hand, or let the mapping say `may_go_backwards: true` (L8)",
        LIFECYCLE_STAGE,
    )
    return [replace(update, changes=left, settles=settles), problem] if left else [problem]
