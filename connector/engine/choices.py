"""What did a person choose for fields that both sides had edited, and what is left to be done of it? (F2)

Choices are planned and written with everything else (`core/choices.py`). A field of which nothing is left to do is
forgotten here; one that is still to be carried on has its records looked at once more in this run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.core.choices import Choice, Void, weigh_choice
from connector.core.model import FieldRule, Pair
from connector.core.plan import Situation
from connector.engine.work import Work, look_again


def recall_choices(work: Work, pair: Pair, situations: Sequence[Situation]) -> list[Situation]:
    """The same situations, and for their fields what a person chose."""
    choices: dict[int, list[Choice]] = {}
    for one in work.c.store.choices.of_pair(pair.name):
        choices.setdefault(one.link_id, []).append(one)
    if not choices:
        return list(situations)
    return [_recall(work, pair, one, choices.get(one.link.id, ())) for one in situations]


def _recall(work: Work, pair: Pair, situation: Situation, choices: Sequence[Choice]) -> Situation:
    here, there = situation.salesforce, situation.hubspot
    if not choices or situation.still or not (here and here.present and there and there.present):
        return situation
    rules = {rule.label: rule for rule in pair.fields}
    open_: dict[str, Choice] = {}
    for one in choices:
        rule = rules.get(one.field)
        left = (
            weigh_choice(rule, one, here.fields, there.fields, work.world.knowledge) if rule else Void(done=False)
        )
        if isinstance(left, Void):
            work.c.store.choices.forget([one])
            _tell(work, situation, one, rule, left)
        else:
            open_[one.field] = one
    if open_:
        for record in (here, there):
            look_again(work, pair, record.side, [record.id])
    return replace(situation, choices=open_)


def _tell(work: Work, situation: Situation, choice: Choice, rule: FieldRule | None, left: Void) -> None:
    if left.done:
        return
    why = "a side was edited since" if rule else "it is no longer mapped"
    work.report.notes.append(
        f"the value chosen for {choice.field} of {situation.link.salesforce_id} was not written: {why} (F2)"
    )
