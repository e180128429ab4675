"""What is asked of a connector beside a sync, in the weather of a simulation.

| command  | what is asked                                                                                       |
|----------|-----------------------------------------------------------------------------------------------------|
| import   | all records of one Salesforce object, or what the import that was cut short has left                |
| apply    | a plan that was saved before somebody acted                                                         |
| repair   | the plan by which an audit of everything puts right what has drifted                                |
| backfill | what the mapping maps and nothing has carried yet                                                   |

A plan and an audit may end in an error as a run may; then there is nothing to apply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import orjson
from engine.lab import Lab

from connector.engine.audit import AuditWish, audit
from connector.engine.backfill import Backfill
from connector.engine.held import let_go, pairs_by_object
from connector.engine.imports.run import import_records
from connector.engine.imports.selection import PAIRS, Selection
from connector.engine.plan_file import PlanFile, PlannedFor, PlannedWish, describe_plan
from connector.engine.report import Report
from connector.engine.run import Wish, plan, sync
from connector.errors import Refused

HERE = PlannedFor(
    connection="default", salesforce="https://here.my.salesforce.com", hubspot="https://api.hubapi.com"
)


Interlude = Callable[[], None]
"""Lets somebody act before a command writes; from then on its process may die."""


def import_all(lab: Lab, what: str) -> None:
    """Import all of `what`, or go on with the import that was cut short."""
    c = lab.connection()
    import_records(c, None if c.store.imports.unfinished() else Selection(what))


def save(report: Report, wish: PlannedWish) -> PlanFile:
    """A plan as it is when it is read from its file."""
    told = describe_plan(report, HERE, wish, datetime.now(UTC))
    return PlanFile.model_validate(orjson.loads(orjson.dumps(told)))


def make_plan(lab: Lab) -> PlanFile:
    return save(plan(lab.connection(), Wish(deletes=True)), PlannedWish(deletes=True))


def make_repair(lab: Lab) -> PlanFile:
    found = audit(lab.connection(), AuditWish(everything=True))
    return save(found.repair, PlannedWish(records=found.records))


def carry_out(lab: Lab, saved: PlanFile) -> None:
    """Apply a plan; it is refused as a whole if the set-up of Salesforce has changed since it was made."""
    asked = saved.wish
    with suppress(Refused):
        sync(lab.connection(), Wish(asked.deletes, asked.records, pairs=asked.objects, agreed=saved))


def _import(what: str) -> Callable[[Lab, Interlude], None]:
    def carry_over(lab: Lab, act: Interlude) -> None:
        act()
        import_all(lab, what)

    return carry_over


def _apply(lab: Lab, act: Interlude) -> None:
    saved = make_plan(lab)
    act()
    carry_out(lab, saved)


def _repair(lab: Lab, act: Interlude) -> None:
    saved = make_repair(lab)
    act()
    if saved.actions:
        carry_out(lab, saved)


def _backfill(lab: Lab, act: Interlude) -> None:
    act()
    sync(lab.connection(), Wish(deletes=True, backfill=Backfill()))


COMMANDS: Mapping[str, Callable[[Lab, Interlude], None]] = {
    **{f"import {what}": _import(what) for what in PAIRS},
    "apply": _apply,
    "repair": _repair,
    "backfill": _backfill,
}


def finish_import(lab: Lab) -> None:
    """Whatever import was cut short is brought to its end."""
    if lab.store.imports.unfinished():
        import_records(lab.connection(), None)


def let_all_go(lab: Lab) -> None:
    """Nothing is held any more since a run was undone."""
    for run in lab.store.holds.count():
        let_go(lab.store, pairs_by_object(lab.connection().pairs.values()), run)
