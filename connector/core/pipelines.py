"""Which HubSpot pipeline and stages stand for which Salesforce record type? (O2-O4)

    record type (Opportunity)  ->  pipeline `Salesforce - <record type id>`; a single or no record type has
                                   `Salesforce - Default pipeline`
    its stages, in their order ->  stages with probability and won/lost taken from OpportunityStage

Pipelines and stages are found by the id this connector chose for them, else by their label, else created.
Nothing here removes a stage: deals may still use it.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector.core.model import Cannot, Side

DEFAULT_LABEL = "Salesforce - Default pipeline"


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
    """How pipelines are named, capped (O3) and assigned (record type id or name -> pipeline id)."""

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
    to_salesforce: Mapping[tuple[str, str], tuple[str | None, str]]
    pipelines: Mapping[str | None, str]
    closed: frozenset[str] = frozenset()
    won: frozenset[str] = frozenset()
    unsynced: Mapping[str | None, str] = field(default_factory=dict)
    """Record types that do not sync, with the reason."""

    def find(self, to: Side, group: str | None, stage: str) -> tuple[str | None, str] | Cannot:
        if to is Side.HUBSPOT:
            return self._find_in_hubspot(group, stage)
        found = self.to_salesforce.get((group or "", stage))
        if found is None:
            return Cannot(
                f"deal stage {stage!r} of pipeline {group!r} has no opportunity stage",
                "add the stage in Salesforce, or move the deal to a stage that both sides have",
            )
        return found

    def _find_in_hubspot(self, group: str | None, stage: str) -> tuple[str | None, str] | Cannot:
        if group in self.unsynced:
            return Cannot(self.unsynced[group], "raise the pipeline limit or assign an existing pipeline (O3)")
        if group not in self.pipelines:
            return Cannot(f"record type {group} has no pipeline", "check that the record type is active")
        found = self.to_hubspot.get((group, stage))
        if found is None:
            return Cannot(
                f"opportunity stage {stage!r} is not a stage of its record type",
                "add the stage to the record type's sales process in Salesforce",
            )
        return found

    def syncs(self, pipeline_id: str | None) -> bool:
        return pipeline_id in self.pipelines.values()


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """What to create or change in HubSpot, and the map that holds once that is done."""

    actions: tuple[PipelineAction, ...]
    stages: StageMap
    beyond_limit: tuple[RecordType, ...]


def plan_pipelines(
    record_types: Sequence[RecordType], existing: Sequence[Pipeline], settings: PipelineSettings
) -> PipelinePlan:
    """Decide the pipelines of all record types, oldest id first, up to the cap (O3)."""
    actions: list[PipelineAction] = []
    built: list[tuple[RecordType, Pipeline, Mapping[str, str]]] = []
    beyond: list[RecordType] = []
    unsynced: dict[str | None, str] = {}
    known = {pipeline.id: pipeline for pipeline in existing}
    designs = _design_all(record_types, settings)
    spoken_for = {wanted.id for wanted in designs} | set(settings.assigned.values())
    homes = [
        _assigned(record_type, settings) or _find(wanted, known, spoken_for)
        for record_type, wanted in zip(record_types, designs, strict=True)
    ]
    # All renames come before all new stages: a new one may take the label that another one gives up.
    for wanted, home in zip(designs, homes, strict=True):
        if home in known:
            updates, known[home] = _follow(wanted, known[home])
            actions += updates
    taken = len(existing)
    for record_type, wanted, home in zip(record_types, designs, homes, strict=True):
        name = f"record type {record_type.name!r}"
        if home in known:
            creations, ids, known[home] = _complete(record_type, wanted, known[home])
            actions += creations
            built.append((record_type, known[home], ids))
        elif home is not None:
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
    return PipelinePlan(tuple(actions), _map_stages(built, unsynced), tuple(beyond))


def _design_all(record_types: Sequence[RecordType], settings: PipelineSettings) -> list[Pipeline]:
    """The pipelines as they should be, those of one label told apart by their ids."""
    single = len(record_types) == 1
    designs = [_design(record_type, settings, single=single) for record_type in record_types]
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


def _design(record_type: RecordType, settings: PipelineSettings, *, single: bool) -> Pipeline:
    if single or record_type.id is None:
        identity, label = "sf_default", DEFAULT_LABEL
    else:
        identity = f"sf_{record_type.id.lower()}"
        label = settings.label.replace("{record_type.id}", record_type.id)
        label = label.replace("{record_type.name}", record_type.name)
    count = Counter(stage.label for stage in record_type.stages)
    stages = tuple(
        Stage(
            id=f"{identity}_{_slug(stage.name)}",
            label=stage.label if count[stage.label] == 1 else f"{stage.label} ({stage.name})",
            probability=stage_probability(stage, settings.probability_decimals),
            closed=stage.closed,
            order=position,
        )
        for position, stage in enumerate(record_type.stages)
    )
    return Pipeline(identity, label, stages)


def stage_probability(stage: StageDefinition, decimals: int) -> float:
    """0 to 1. Won is exactly 1 and lost exactly 0; open is neither, since HubSpot reads both as closed."""
    if stage.closed:
        return 1.0 if stage.won else 0.0
    step = 10.0**-decimals
    return round(min(max(stage.probability / 100, step), 1 - step), decimals)


def _slug(name: str) -> str:
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"{readable[:40]}_{zlib.crc32(name.encode()):08x}"


def _assigned(record_type: RecordType, settings: PipelineSettings) -> str | None:
    return settings.assigned.get(record_type.id or "") or settings.assigned.get(record_type.name)


def _find(wanted: Pipeline, known: Mapping[str, Pipeline], spoken_for: Container[str]) -> str | None:
    """By id, else by label: but not one that stands for another record type by its id or by assignment."""
    if wanted.id in known:
        return wanted.id
    free = (pipeline for pipeline in known.values() if pipeline.id not in spoken_for)
    return next((pipeline.id for pipeline in free if pipeline.label == wanted.label), None)


def _follow(wanted: Pipeline, found: Pipeline) -> tuple[list[PipelineAction], Pipeline]:
    """Follow renames and odds of our own stages; one that somebody else made keeps its meaning (O4)."""
    actions: list[PipelineAction] = []
    after = {stage.id: stage for stage in found.stages}
    for stage in wanted.stages:
        was = after.get(stage.id)
        if was is not None and (stage.label, stage.probability) != (was.label, was.probability):
            after[was.id] = replace(stage, order=was.order)
            actions.append(UpdateStage(found.id, after[was.id], was))
    return actions, replace(found, stages=tuple(after.values()))


def _complete(
    record_type: RecordType, wanted: Pipeline, found: Pipeline
) -> tuple[list[PipelineAction], Mapping[str, str], Pipeline]:
    """Add the stages that a pipeline lacks, and tell which stage stands for which; none is removed (O4)."""
    actions: list[PipelineAction] = []
    ids: dict[str, str] = {}
    after = {stage.id: stage for stage in found.stages}
    own_ids = {stage.id for stage in wanted.stages}
    # A label finds a stage only once, and never one that is known by its id.
    by_label = {stage.label: stage for stage in found.stages if stage.id not in own_ids}
    for definition, stage in zip(record_type.stages, wanted.stages, strict=True):
        was = after.get(stage.id) or by_label.pop(stage.label, None)
        if was is None:
            actions.append(CreateStage(found.id, stage))
            after[stage.id] = stage
        ids[definition.name] = (was or stage).id
    return actions, ids, replace(found, stages=tuple(after.values()))


def _map_stages(
    built: Sequence[tuple[RecordType, Pipeline, Mapping[str, str]]], unsynced: Mapping[str | None, str]
) -> StageMap:
    to_hubspot: dict[tuple[str | None, str], tuple[str, str]] = {}
    to_salesforce: dict[tuple[str, str], tuple[str | None, str]] = {}
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
    pipelines = {record_type.id: pipeline.id for record_type, pipeline, _ in built}
    if len(built) == 1 and not unsynced:
        # Opportunities made before the only record type existed have none (the master record type).
        (record_type, pipeline, _ids), *_ = built
        pipelines.setdefault(None, pipeline.id)
        to_hubspot |= {(None, stage.name): to_hubspot[record_type.id, stage.name] for stage in record_type.stages}
    return StageMap(
        to_hubspot=to_hubspot,
        to_salesforce=to_salesforce,
        pipelines=pipelines,
        closed=frozenset(closed),
        won=frozenset(won),
        unsynced=unsynced,
    )
