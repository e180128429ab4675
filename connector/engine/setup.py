"""What is missing on each side for a sync, and who makes it: this program, or an administrator?

    Salesforce   the external id field, and access to it     `id_fields.py`
    HubSpot      properties, pipelines and stages, labels     `needed.py`, which every sync asks too

`plan_setup` only looks; `set_up` makes what may be made, one thing after the other, and goes on where one is
refused. A second time there is nothing left to do. Nothing that exists is changed, but for stages that follow
Salesforce's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from connector.adapters.base import Refusal, Trouble
from connector.adapters.hubspot import GROUP_LABEL
from connector.adapters.salesforce_setup import make_id_field, open_fields
from connector.core.model import ProblemClass, Side
from connector.core.pipelines import CreatePipeline
from connector.engine.id_fields import (
    TO_MAKE,
    TO_OPEN,
    IdField,
    IdFieldState,
    describe_making,
    describe_mending,
    describe_opening,
    find_id_fields,
    missing_rights,
)
from connector.engine.labels import NO_LABEL, forget_labels
from connector.engine.needed import NO_ID_FIELD, Needed, describe_needed, find_unfit_properties, id_of, make_needed
from connector.engine.world import Connection, World, get_to_know
from connector.errors import Unreachable

Made = Callable[["Step"], None]
_TRY_AGAIN = "run `connector setup` again; `connector check` tells what is amiss"


class StepState(StrEnum):
    """PLANNED: it can be made. BLOCKED: a person has to do it. REFUSED: it was tried in vain."""

    PLANNED = "planned"
    MADE = "made"
    BLOCKED = "blocked"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is missing. `kind` is field, access, property, pipeline, stage or label."""

    side: Side
    kind: str
    object: str
    name: str
    what: str
    state: StepState = StepState.PLANNED
    detail: str = ""
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "side": str(self.side),
            "kind": self.kind,
            "object": self.object,
            "name": self.name,
            "what": self.what,
            "state": str(self.state),
            "detail": self.detail,
            "remedy": self.remedy,
        }

    def blocked(self, detail: str, remedy: str) -> Step:
        return replace(self, state=StepState.BLOCKED, detail=detail, remedy=remedy)

    def refused(self, detail: str, remedy: str) -> Step:
        return replace(self, state=StepState.REFUSED, detail=detail, remedy=remedy)


@dataclass(frozen=True, slots=True)
class _Task:
    """Steps that are made together, and how."""

    steps: tuple[Step, ...]
    make: Callable[[], Mapping[str, Refusal]]
    """Returns what was refused, by the step's name; raises `Unreachable` if all was."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is to be done. `steps` in the order in which it is."""

    tasks: tuple[_Task, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for task in self.tasks for step in task.steps)


def plan_setup(c: Connection) -> Setup:
    """Look at both sides, and write to neither. About eight calls to each.

    Raises:
        Unreachable: a CRM cannot be used.
    """
    c.store.runs.remember("set-up", None)  # somebody may have changed it since a run asked
    forget_labels(c)
    try:
        world = get_to_know(c)
        return Setup((*_plan_salesforce(c), *_plan_hubspot(c, world), *_plan_by_hand(world)))
    finally:
        c.allocation.keep(ends=True)


def set_up(c: Connection, setup: Setup, made: Made = lambda _: None) -> tuple[Step, ...]:
    """Make what is planned, and tell what became of each step; `made` hears of each at once.

    Raises:
        Busy: a run is under way.
    """
    done: list[Step] = []
    with c.store.runs.lease():
        try:
            for task in setup.tasks:
                for step in _carry_out(task):
                    done.append(step)
                    made(step)
        finally:
            c.store.runs.remember("set-up", None)
            c.allocation.keep(ends=True)
    return tuple(done)


def _carry_out(task: _Task) -> Iterator[Step]:
    planned = [one for one in task.steps if one.state is StepState.PLANNED]
    yield from (one for one in task.steps if one.state is not StepState.PLANNED)
    if not planned:
        return
    try:
        refused = task.make()
    except Unreachable as error:
        yield from (one.refused(error.message, error.remedy or _TRY_AGAIN) for one in planned)
        return
    for one in planned:
        refusal = refused.get(one.name)
        if refusal is None:
            yield replace(one, state=StepState.MADE)
        else:
            yield one.refused(f"{refusal.code}: {refusal.message}", refusal.remedy)


def _nothing() -> Mapping[str, Refusal]:
    return {}


# --- Salesforce -------------------------------------------------------------------------------------------


def _plan_salesforce(c: Connection) -> Iterator[_Task]:
    schema = c.salesforce.describe([pair.salesforce for pair in c.pairs.values()])
    lacking = [one for one in find_id_fields(c, schema) if one.state is not IdFieldState.THERE]
    rights = c.salesforce.permissions() if lacking else {}
    for one in lacking:
        if one.state is IdFieldState.UNFIT:
            step = Step(Side.SALESFORCE, "field", one.object, one.name, f"field {one.full_name}")
            detail = f"is there, but is not {' and not '.join(one.wrong)}"
            yield _Task((step.blocked(detail, describe_mending(one)),), _nothing)
            continue
        if one.state is IdFieldState.MISSING:
            yield (task := _plan_field(c, one, rights))
            if task.steps[0].state is StepState.BLOCKED:
                continue  # whoever makes it opens it too
        yield _plan_access(c, one, rights)


def _plan_field(c: Connection, one: IdField, rights: Mapping[str, bool]) -> _Task:
    what = f"field {one.full_name}: text, external id, unique"
    step = Step(Side.SALESFORCE, "field", one.object, one.name, what)
    if missing := missing_rights(rights, TO_MAKE):
        step = step.blocked(_lacks(missing), f"ask an administrator: {describe_making(one)}")

    def make() -> Mapping[str, Refusal]:
        refusal = make_id_field(c.salesforce, one.object, one.name)
        return {} if refusal is None else {one.name: replace(refusal, remedy=describe_making(one))}

    return _Task((step,), make)


def _plan_access(c: Connection, one: IdField, rights: Mapping[str, bool]) -> _Task:
    what = f"access of the connector's user to {one.full_name}, by a permission set"
    step = Step(Side.SALESFORCE, "access", one.object, one.name, what)
    missing = missing_rights(rights, TO_OPEN)
    if one.state is IdFieldState.UNKNOWN:
        detail = "the user sees no such field, and may not look whether there is one"
        remedy = f"ask an administrator. If it is missing: {describe_making(one)}. If not: {describe_opening(one)}"
        step = step.blocked(detail, remedy)
    elif missing:
        step = step.blocked(_lacks(missing), f"ask an administrator: {describe_opening(one)}")

    def make() -> Mapping[str, Refusal]:
        refusal = open_fields(c.salesforce, [one.full_name])
        if refusal is None and not c.salesforce.describe([one.object]).has(one.object, one.name):
            refusal = _STILL_HIDDEN
        return {} if refusal is None else {one.name: replace(refusal, remedy=describe_opening(one))}

    return _Task((step,), make)


_STILL_HIDDEN = Refusal(
    Trouble.REFUSED,
    ProblemClass.PERMISSIONS,
    "STILL_HIDDEN",
    "Salesforce granted it, but shows the field to the user still not",
)


def _lacks(titles: Iterable[str]) -> str:
    return f"the user may not do that: it lacks {' and '.join(titles)}"


# --- HubSpot ----------------------------------------------------------------------------------------------


def _plan_hubspot(c: Connection, world: World) -> Iterator[_Task]:
    unfit = {(one.object, one.name): one for one in find_unfit_properties(c, world.properties)}
    made = {(one.object, one.name) for one in world.needed.properties}
    for place, one in unfit.items():
        if place not in made:
            step = Step(Side.HUBSPOT, "property", one.object, one.name, f"property {one.name} on {one.object}")
            yield _Task((step.blocked(one.detail, one.remedy),), _nothing)
    scopes = c.hubspot.scopes() if world.needed else None
    for part in world.needed.parts():
        steps = tuple(_steps_of(part))
        no_room = next((unfit[one.object, one.name] for one in steps if (one.object, one.name) in unfit), None)
        if no_room is not None:  # one that cannot be made has the batch refused with it
            steps = tuple(one.blocked(no_room.detail, no_room.remedy) for one in steps)
        scope = f"crm.schemas.{steps[0].object}.write"
        if scopes is not None and scope not in scopes:
            remedy = f"add the scope {scope} in HubSpot: Settings, Integrations, Private Apps, your app, Scopes"
            steps = tuple(one.blocked(f"the access token lacks the scope {scope}", remedy) for one in steps)
        yield _Task(steps, _making(c, part))


def _making(c: Connection, part: Needed) -> Callable[[], Mapping[str, Refusal]]:
    return lambda: make_needed(c, part)


def _steps_of(part: Needed) -> Iterator[Step]:
    lines = iter(describe_needed(part))
    for one in part.properties:
        what = f"{next(lines)}, in the group `{GROUP_LABEL}`"
        yield Step(Side.HUBSPOT, "property", one.object, one.name, what)
    for action in part.pipelines:
        kind = "pipeline" if isinstance(action, CreatePipeline) else "stage"
        yield Step(Side.HUBSPOT, kind, "deals", id_of(action), next(lines))
    for label in part.labels:
        yield Step(Side.HUBSPOT, "label", "deals", label, next(lines))


def _plan_by_hand(world: World) -> Iterator[_Task]:
    """What cannot be made, and is a problem of every run: no room for a pipeline, or for a label."""
    for one in world.problems:
        if one.code == NO_ID_FIELD:
            continue  # has been told as a step
        kind = "label" if one.code == NO_LABEL else "pipeline"
        step = Step(Side.HUBSPOT, kind, "deals", one.record_id, f"{kind} for {one.record_id}")
        yield _Task((step.blocked(one.detail, one.remedy),), _nothing)
