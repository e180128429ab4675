"""Which HubSpot pipeline and stages stand for which Salesforce record type? (O2-O4, O11)

    record type (Opportunity)  ->  pipeline `Salesforce - <record type id>`; a single or no record type has
                                   `Salesforce - Default pipeline`
    its stages, in their order ->  stages with probability and won/lost taken from OpportunityStage

A record type's pipeline is the assigned one, else the one it had before, else the one with the id this connector
chose for it, else `Salesforce - Default pipeline` for the first record type that has none of its own (so nothing
moves when a second record type appears), else one with its label, else a new one. Several record types may share a
pipeline: an opportunity then keeps its own, and that of a new deal is the first that has the stage.

Nothing here removes a stage or a pipeline: deals may still use it, and what a stage without an opportunity stage
means (won, lost or open) is what HubSpot says. Only pipelines that are ours are put in order.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from connector.core.model import Cannot, Side

DEFAULT_ID, DEFAULT_LABEL = "sf_default", "Salesforce - Default pipeline"
RECORD_TYPE = "record type"


@dataclass(frozen=True, slots=True)
class StageDefinition:
    """One OpportunityStage. `probability` is in percent, as Salesforce has it."""

    name: str
    label: str
    probability: float
    closed: bool
    won: bool


@dataclass(frozen=True, slots=True)
class RecordType:
    """An opportunity record type with its stages in order. `id` is None for an org that has none."""

    id: str | None
    name: str
    stages: tuple[StageDefinition, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A HubSpot deal stage. `probability` is 0 to 1."""

    id: str
    label: str
    probability: float
    closed: bool
    order: int = 0


@dataclass(frozen=True, slots=True)
class Pipeline:
    id: str
    label: str
    stages: tuple[Stage, ...]
    order: int = 0


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How pipelines are named, capped (O3) and assigned (record type id or name -> pipeline id).

    Ids and names are compared without regard to case: variables of the environment have none.
    """

    label: str = "Salesforce - {record_type.id}"
    limit: int = 15
    assigned: Mapping[str, str] = field(default_factory=dict)
    probability_decimals: int = 2


@dataclass(frozen=True, slots=True)
class CreatePipeline:
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class CreateStage:
    pipeline_id: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class UpdateStage:
    """`stage` as it should be; `was` as it is."""

    pipeline_id: str
    stage: Stage
    was: Stage


PipelineAction = CreatePipeline | CreateStage | UpdateStage


@dataclass(frozen=True, slots=True)
class StageMap:
    """Record type and stage <-> pipeline and stage, and which stages are closed or won."""

    to_hubspot: Mapping[tuple[str | None, str], tuple[str, str]]
    to_salesforce: Mapping[tuple[str | None, str], tuple[str | None, str]]
    pipelines: Mapping[str | None, str]
    closed: frozenset[str] = frozenset()
    won: frozenset[str] = frozenset()
    """Of all stages in synced pipelines, also of those that no opportunity can be in any more."""
    unsynced: Mapping[str | None, str] = field(default_factory=dict)
    """Record types that do not sync, with the reason."""

    def find(self, to: Side, group: str | None, stage: str) -> tuple[str | None, str] | Cannot:
        if to is Side.HUBSPOT:
            return self._find_in_hubspot(group, stage)
        found = self.to_salesforce.get((group, stage))
        if found is None:
            return Cannot(
                f"deal stage {stage!r} of pipeline {group!r} has no opportunity stage",
                "add the stage in Salesforce, or move the deal to a stage that both sides have",
            )
        return found

    def _find_in_hubspot(self, group: str | None, stage: str) -> tuple[str | None, str] | Cannot:
        if group in self.unsynced:
            # Reported once, as the record type's own problem; its opportunities wait for it.
            return Cannot(self.unsynced[group], needs=(RECORD_TYPE, Side.SALESFORCE, group or ""))
        if group not in self.pipelines:
            return Cannot(
                f"record type {group} has no pipeline" if group else "an opportunity without a record type",
                "check that the record type is active, or give the opportunity another one",
            )
        found = self.to_hubspot.get((group, stage))
        if found is None:
            return Cannot(
                f"opportunity stage {stage!r} is not a stage of its record type",
                "add the stage to the record type's sales process in Salesforce",
            )
        return found

    def without(self, pipeline_id: str, reason: str) -> StageMap:
        """The same where a pipeline could not be made: its record types do not sync."""
        lost = [one for one, home in self.pipelines.items() if home == pipeline_id]
        left = {one: home for one, home in self.pipelines.items() if home != pipeline_id}
        return replace(self, pipelines=left, unsynced={**self.unsynced, **dict.fromkeys(lost, reason)})

    def syncs(self, pipeline_id: str | None) -> bool:
        return pipeline_id in self.pipelines.values()


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """What to create or change in HubSpot, and the map that holds once that is done."""

    actions: tuple[PipelineAction, ...]
    stages: StageMap
    beyond_limit: tuple[RecordType, ...]
    astray: tuple[tuple[RecordType, str], ...] = ()
    """Record types that are assigned to a pipeline, by its id, that does not exist."""
    unknown: tuple[str, ...] = ()
    """Assigned record types that do not exist."""


def plan_pipelines(
    record_types: Sequence[RecordType],
    existing: Sequence[Pipeline],
    settings: PipelineSettings,
    before: Mapping[str | None, str] | None = None,
) -> PipelinePlan:
    """Decide the pipelines of all record types, oldest id first, up to the cap (O3).

    `before` tells in which pipelines the record types were at the last run.
    """
    actions: list[PipelineAction] = []
    built: list[tuple[RecordType, Pipeline, Mapping[str, str]]] = []
    beyond: list[RecordType] = []
    astray: list[tuple[RecordType, str]] = []
    unsynced: dict[str | None, str] = {}
    known = {pipeline.id: pipeline for pipeline in existing}
    homes = _find_homes(record_types, known, settings, before or {})
    designs = _design_all(record_types, homes, known, settings)
    # All renames come before all new stages: a new one may take the label that another one gives up.
    for wanted, home in zip(designs, homes, strict=True):
        if home in known:
            updates, known[home] = _follow(wanted, known[home])
            actions += updates
    taken = len(existing)
    for record_type, wanted, home in zip(record_types, designs, homes, strict=True):
        name = f"record type {record_type.name!r}"
        if home in known:
            changes, ids, known[home] = _complete(record_type, wanted, known[home])
            actions += changes
            built.append((record_type, known[home], ids))
        elif home is not None:
            astray.append((record_type, home))
            unsynced[record_type.id] = f"{name} is assigned to pipeline {home!r}, which does not exist"
        elif taken >= settings.limit:
            beyond.append(record_type)
            unsynced[record_type.id] = f"{name} is beyond the limit of {settings.limit} pipelines"
        else:
            taken += 1
            new = _with_free_label(wanted, record_type, known.values())
            known[new.id] = new
            actions.append(CreatePipeline(new))
            stages = zip(record_type.stages, new.stages, strict=True)
            built.append((record_type, new, {stage.name: made.id for stage, made in stages}))
    return PipelinePlan(
        actions=tuple(actions),
        stages=_map_stages([(one, known[home.id], ids) for one, home, ids in built], unsynced),
        beyond_limit=tuple(beyond),
        astray=tuple(astray),
        unknown=_find_unknown(record_types, settings),
    )


def _find_homes(
    record_types: Sequence[RecordType],
    known: Mapping[str, Pipeline],
    settings: PipelineSettings,
    before: Mapping[str | None, str],
) -> list[str | None]:
    """The pipeline of each record type that has one, in the order of the table above."""
    homes = {one.id: _assigned(one, settings) for one in record_types}
    claimed: set[str | None] = set(settings.assigned.values())

    def settle(find: Callable[[RecordType], str | None]) -> None:
        for one in record_types:
            found = find(one)
            if not homes[one.id] and found in known and found not in claimed:
                homes[one.id] = found
                claimed.add(found)

    settle(lambda one: before.get(one.id))
    settle(_own_id)
    # Nor does it go to another one while its record type is not active.
    current = {one.id for one in record_types} | {None}
    if DEFAULT_ID not in {home for one, home in before.items() if one not in current}:
        settle(lambda _: DEFAULT_ID)
    # A label finds no pipeline that stands, by its id, for a record type.
    ours = {_own_id(one) for one in record_types} | {DEFAULT_ID}
    by_label = {pipeline.label: pipeline.id for pipeline in known.values() if pipeline.id not in ours}
    settle(lambda one: by_label.get(_label(one, settings, single=len(record_types) == 1)))
    return [homes[one.id] for one in record_types]


def _assigned(record_type: RecordType, settings: PipelineSettings) -> str | None:
    names = _names(record_type)
    return next((home for key, home in settings.assigned.items() if _fold(key) in names), None)


def _find_unknown(record_types: Sequence[RecordType], settings: PipelineSettings) -> tuple[str, ...]:
    names = {name for one in record_types for name in _names(one)}
    return tuple(key for key in settings.assigned if record_types and _fold(key) not in names)


def _names(record_type: RecordType) -> set[str]:
    """What a record type may be called in the settings."""
    return {_fold(name) for name in (record_type.id, record_type.name) if name}


def _fold(name: str) -> str:
    return name.strip().casefold()


def _own_id(record_type: RecordType) -> str:
    """The id of the pipeline that this connector makes for one record type of several."""
    return f"sf_{record_type.id.lower()}" if record_type.id else DEFAULT_ID


def _design_all(
    record_types: Sequence[RecordType],
    homes: Sequence[str | None],
    known: Mapping[str, Pipeline],
    settings: PipelineSettings,
) -> list[Pipeline]:
    """The pipelines as they should be, those of one label told apart by their ids."""
    single = len(record_types) == 1 and DEFAULT_ID not in known
    designs = [
        _design(record_type, home, settings, single=single)
        for record_type, home in zip(record_types, homes, strict=True)
    ]
    count = Counter(wanted.label for wanted in designs)
    return [
        _told_apart(wanted, record_type) if count[wanted.label] > 1 else wanted
        for record_type, wanted in zip(record_types, designs, strict=True)
    ]


def _with_free_label(wanted: Pipeline, record_type: RecordType, known: Iterable[Pipeline]) -> Pipeline:
    """A label that is still held, by a pipeline whose record type was renamed, cannot be used again."""
    taken = any(pipeline.label == wanted.label for pipeline in known)
    return _told_apart(wanted, record_type) if taken else wanted


def _told_apart(wanted: Pipeline, record_type: RecordType) -> Pipeline:
    """HubSpot wants the labels of pipelines unique."""
    return replace(wanted, label=f"{wanted.label} ({record_type.id})")


def _label(record_type: RecordType, settings: PipelineSettings, *, single: bool) -> str:
    if single or record_type.id is None:
        return DEFAULT_LABEL
    label = settings.label.replace("{record_type.id}", record_type.id)
    return label.replace("{record_type.name}", record_type.name)


def _design(record_type: RecordType, home: str | None, settings: PipelineSettings, *, single: bool) -> Pipeline:
    """The pipeline of a record type, with the id of its `home` if that is one of ours.

    Ids of stages are unique in a portal, and a record type may come to another pipeline: so they name theirs.
    """
    own = _own_id(record_type)
    identity = home if home in {own, DEFAULT_ID} else DEFAULT_ID if single else own
    prefix = identity if home in {None, identity} else f"{own}_in_{home}"
    labels = _tell_apart(record_type.stages)
    stages = tuple(
        Stage(
            id=f"{prefix}_{_slug(stage.name)}",
            label=labels[stage.name],
            probability=stage_probability(stage, settings.probability_decimals),
            closed=stage.closed,
            order=position,
        )
        for position, stage in enumerate(record_type.stages)
    )
    return Pipeline(identity, _label(record_type, settings, single=identity == DEFAULT_ID), stages)


def _tell_apart(stages: Sequence[StageDefinition]) -> dict[str, str]:
    """A label for each stage, by its name: several of one label have their names added, or what stands for them."""
    labels = {stage.name: stage.label for stage in stages}
    for tell in (lambda name: name, _slug):
        count = Counter(map(_fold, labels.values()))
        labels = {
            name: label if count[_fold(label)] == 1 else f"{label} ({tell(name)})" for name, label in labels.items()
        }
    return labels


def stage_probability(stage: StageDefinition, decimals: int) -> float:
    """0 to 1. Won is exactly 1 and lost exactly 0; open is neither, since HubSpot reads both as closed."""
    if stage.closed:
        return 1.0 if stage.won else 0.0
    step = 10.0**-decimals
    return round(min(max(stage.probability / 100, step), 1 - step), decimals)


def _slug(name: str) -> str:
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"{readable[:40]}_{zlib.crc32(name.encode()):08x}"


def _follow(wanted: Pipeline, found: Pipeline) -> tuple[list[PipelineAction], Pipeline]:
    """Follow renames and odds of our own stages; one that somebody else made keeps its meaning (O4).

    HubSpot wants the labels of a pipeline's stages unique at any time, whatever their case (Pipelines guide). So
    who gives its label to another one steps aside before; where a stage keeps it that is not ours, ids are added.
    """
    actions: list[PipelineAction] = []
    after = {stage.id: stage for stage in found.stages}
    ours = [replace(stage, order=after[stage.id].order) for stage in wanted.stages if stage.id in after]
    others = {_fold(after[id_].label) for id_ in after.keys() - {stage.id for stage in ours}}
    ours = [_with_id_in_label(stage) if _fold(stage.label) in others else stage for stage in ours]
    moved = [
        one for one in ours if (one.label, one.probability) != (after[one.id].label, after[one.id].probability)
    ]
    taken = {_fold(one.label): one.id for one in moved}
    aside = [was for one in moved if taken.get(_fold((was := after[one.id]).label), one.id) != one.id]
    for stage in [*map(_with_id_in_label, aside), *moved]:
        actions.append(UpdateStage(found.id, stage, after[stage.id]))
        after[stage.id] = stage
    return actions, replace(found, stages=tuple(after.values()))


def _with_id_in_label(stage: Stage) -> Stage:
    return replace(stage, label=f"{stage.label} ({stage.id})")


def _complete(
    record_type: RecordType, wanted: Pipeline, found: Pipeline
) -> tuple[list[PipelineAction], Mapping[str, str], Pipeline]:
    """Add the stages that a pipeline lacks, and tell which stage stands for which; none is removed (O4)."""
    ids: dict[str, str] = {}
    after = {stage.id: stage for stage in found.stages}
    by_label = {_fold(stage.label): stage for stage in found.stages}  # a label finds a stage only once
    new: list[Stage] = []
    for definition, stage in zip(record_type.stages, wanted.stages, strict=True):
        was = after.get(stage.id) or by_label.pop(_fold(stage.label), None)
        if was is None:
            new.append(stage)
        ids[definition.name] = (was or stage).id
    if found.id == wanted.id:
        actions, stages = _put_in_order(found, new, list(ids.values()))
    else:
        last = max((stage.order for stage in found.stages), default=-1)
        added = [replace(stage, order=last + number) for number, stage in enumerate(new, start=1)]
        actions, stages = [CreateStage(found.id, stage) for stage in added], (*found.stages, *added)
    return actions, ids, replace(found, stages=stages)


def _put_in_order(
    found: Pipeline, new: Sequence[Stage], mirrored: Sequence[str]
) -> tuple[list[PipelineAction], tuple[Stage, ...]]:
    """Our own pipeline in the order of Salesforce; a stage that Salesforce has no more stays behind its neighbour.

    Nothing is renumbered that stands in order already.
    """
    present = sorted(found.stages, key=lambda stage: (stage.order, stage.label))
    sequence = list(mirrored)
    for place, stage in enumerate(present):
        if stage.id not in sequence:
            neighbour = sequence.index(present[place - 1].id) + 1 if place else 0
            sequence.insert(neighbour, stage.id)
    orders = {stage.id: stage.order for stage in present}
    if not new and all(orders[one] < orders[next_] for one, next_ in pairwise(sequence)):
        return [], found.stages
    was = {stage.id: stage for stage in present}
    fresh = {stage.id: stage for stage in new}
    actions: list[PipelineAction] = []
    stages: list[Stage] = []
    for position, id_ in enumerate(sequence):
        stage = replace(fresh.get(id_) or was[id_], order=position)
        stages.append(stage)
        if id_ in fresh:
            actions.append(CreateStage(found.id, stage))
        elif stage != was[id_]:
            actions.append(UpdateStage(found.id, stage, was[id_]))
    return actions, tuple(stages)


def _map_stages(
    built: Sequence[tuple[RecordType, Pipeline, Mapping[str, str]]], unsynced: Mapping[str | None, str]
) -> StageMap:
    to_hubspot: dict[tuple[str | None, str], tuple[str, str]] = {}
    to_salesforce: dict[tuple[str | None, str], tuple[str | None, str]] = {}
    closed: set[str] = set()
    won: set[str] = set()
    for record_type, pipeline, ids in built:
        for definition in record_type.stages:
            stage_id = ids[definition.name]
            to_hubspot[record_type.id, definition.name] = (pipeline.id, stage_id)
            to_salesforce.setdefault((pipeline.id, stage_id), (record_type.id, definition.name))
            if definition.closed:
                closed.add(stage_id)
            if definition.won:
                won.add(stage_id)
    pipelines: dict[str | None, str] = {record_type.id: pipeline.id for record_type, pipeline, _ in built}
    for record_type, pipeline, _ in built:
        alone = len(built) == 1 and not unsynced
        if None not in pipelines and (alone or pipeline.id == DEFAULT_ID):
            # Opportunities made before the first record type existed have none (the master record type).
            pipelines[None] = pipeline.id
            to_hubspot |= {
                (None, stage.name): to_hubspot[record_type.id, stage.name] for stage in record_type.stages
            }
    # A stage that was deactivated in Salesforce, or made by hand: HubSpot says what it means.
    mapped = {stage_id for _, stage_id in to_salesforce}
    for _, pipeline, _ in built:
        others = [stage for stage in pipeline.stages if stage.id not in mapped and stage.closed]
        closed |= {stage.id for stage in others}
        won |= {stage.id for stage in others if stage.probability >= 1}
    return StageMap(
        to_hubspot=to_hubspot,
        to_salesforce=to_salesforce,
        pipelines=pipelines,
        closed=frozenset(closed),
        won=frozenset(won),
        unsynced=unsynced,
    )
