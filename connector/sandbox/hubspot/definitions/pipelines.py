"""The pipelines of deals and their stages (HubSpot docs, "Pipelines").

A pipeline and all its stages are created by one call and their ids may be chosen. A stage has a probability
between 0 and 1; 1 is closed won, 0 closed lost, all else is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.hubspot.api.shapes import as_object, need, objects, take
from connector.sandbox.hubspot.errors import ApiError, not_found, refuse
from connector.sandbox.hubspot.moments import to_iso

MOST_STAGES = 100  # per pipeline (HubSpot docs, "Pipelines")
DEFAULT_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)


@dataclass(slots=True)
class Stage:
    id: str
    label: str
    order: int
    probability: float
    created: int
    updated: int
    archived: bool = False

    @property
    def closed(self) -> bool:
        return self.probability in {0.0, 1.0}

    @property
    def won(self) -> bool:
        return self.probability == 1.0

    def view(self) -> dict[str, Any]:
        closed = "true" if self.closed else "false"
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": self.order,
            "metadata": {"isClosed": closed, "probability": str(self.probability)},
            "createdAt": to_iso(self.created),
            "updatedAt": to_iso(self.updated),
            "archived": self.archived,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }


@dataclass(slots=True)
class Pipeline:
    id: str
    label: str
    order: int
    created: int
    updated: int
    stages: dict[str, Stage] = field(default_factory=dict)
    archived: bool = False

    def view(self) -> dict[str, Any]:
        stages = sorted(self.stages.values(), key=lambda stage: stage.order)
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": self.order,
            "createdAt": to_iso(self.created),
            "updatedAt": to_iso(self.updated),
            "archived": self.archived,
            "stages": [stage.view() for stage in stages],
        }


class Pipelines:
    """All deal pipelines.

    `now` gives the time in milliseconds, `next_id` a new id, `in_use` the stages (a set of ids) that deals
    stand in; `changed` is told when stages come, go, or get another name. What would leave such a deal without its
    stage is refused only where the call asks for that.
    """

    def __init__(
        self,
        now: Callable[[], int],
        next_id: Callable[[], int],
        in_use: Callable[[], set[str]],
        changed: Callable[[Pipelines], None],
    ) -> None:
        self._now = now
        self._next_id = next_id
        self._in_use = in_use
        self._changed = changed
        self._archived: dict[str, Pipeline] = {}
        self._audits: dict[str, list[dict[str, Any]]] = {}
        self.live: dict[str, Pipeline] = {}
        self.stages: dict[str, Stage] = {}
        stages = [
            {"stageId": stage_id, "label": label, "displayOrder": order, "metadata": {"probability": chance}}
            for order, (stage_id, label, chance) in enumerate(DEFAULT_STAGES)
        ]
        built_in = {"pipelineId": "default", "label": "Sales Pipeline", "displayOrder": 0, "stages": stages}
        self.create(built_in, most=1)

    def all(self, *, archived: bool = False) -> list[Pipeline]:
        pipelines = self._archived if archived else self.live
        return sorted(pipelines.values(), key=lambda pipeline: pipeline.order)

    def get(self, pipeline_id: str) -> Pipeline:
        pipeline = self.live.get(pipeline_id)
        if pipeline is None:
            raise not_found(f"Pipeline {pipeline_id} does not exist")
        return pipeline

    def options(self) -> dict[str, list[dict[str, Any]]]:
        """What the properties `pipeline` and `dealstage` may hold, as property options."""
        pipelines = self.all()
        stages = ((stage.id, stage.label) for pipeline in pipelines for stage in pipeline.stages.values())
        return {"PIPELINE": _options((one.id, one.label) for one in pipelines), "STAGE": _options(stages)}

    def audit(self, identifier: str) -> list[dict[str, Any]]:
        """What was done to a pipeline or stage, newest first."""
        return self._audits.get(identifier, [])[::-1]

    def _note(self, action: str, thing: Pipeline | Stage) -> None:
        """Write down what was done. The words of `action` are not documented."""
        entry = {
            "identifier": thing.id,
            "action": action,
            "timestamp": to_iso(self._now()),
            "message": f"{action} {thing.label}",
            "rawObject": thing.view(),
        }
        self._audits.setdefault(thing.id, []).append(entry)

    # -- pipelines

    def create(self, body: Any, *, most: int) -> Pipeline:
        """`{label, displayOrder, stages, pipelineId?}`.

        Raises 409 for a label that is taken, 400 for an id that is taken and beyond `most` pipelines. How
        HubSpot words that last refusal is not documented; it depends on the subscription.
        """
        label, order = _label_and_order(body)
        if len(self.live) >= most:
            raise refuse(
                f"Portal has reached its limit of {most} deal pipelines",
                sub_category="PipelineError.PIPELINE_LIMIT_REACHED",
            )
        pipeline_id = take(body, "pipelineId", "") or str(self._next_id())
        if pipeline_id in self.live or pipeline_id in self._archived:
            raise refuse(f"Pipeline id {pipeline_id} is already in use")
        self._check_label(label)
        pipeline = Pipeline(pipeline_id, label, order, self._now(), self._now())
        self._put_stages(pipeline, body.get("stages"))
        self.live[pipeline_id] = pipeline
        self._changed(self)
        self._note("CREATE", pipeline)
        return pipeline

    def replace(self, pipeline_id: str, body: Any, *, checked: bool) -> Pipeline:
        """Label, order and the full list of stages; stages that are not listed are gone."""
        pipeline = self.get(pipeline_id)
        label, order = _label_and_order(body)
        self._check_label(label, pipeline_id)
        stages = body.get("stages")
        kept = {_stage_id(stage) for stage in _listed(stages)}
        if checked:
            self._check_unused(pipeline.stages.keys() - kept)
        self._put_stages(pipeline, stages)
        pipeline.label, pipeline.order, pipeline.updated = label, order, self._now()
        self._changed(self)
        self._note("UPDATE", pipeline)
        return pipeline

    def update(self, pipeline_id: str, body: Any) -> Pipeline:
        """Label, order, or `archived: false` to bring an archived pipeline back."""
        body = as_object(body)
        returning = self._archived.get(pipeline_id) if body.get("archived") is False else None
        pipeline = returning or self.get(pipeline_id)
        label, order = take(body, "label", pipeline.label), take(body, "displayOrder", pipeline.order)
        self._check_label(label, pipeline_id)
        if returning is not None:
            self._restore(self._archived.pop(pipeline_id))
        pipeline.label, pipeline.order = label, order
        pipeline.updated = self._now()
        self._changed(self)
        self._note("UPDATE", pipeline)
        return pipeline

    def archive(self, pipeline_id: str, *, checked: bool) -> None:
        """Raises 400 for the last one, and for a stage in use if `checked`."""
        pipeline = self.get(pipeline_id)
        if len(self.live) == 1:
            raise refuse("The last deal pipeline cannot be deleted")
        if checked:
            self._check_unused(pipeline.stages.keys())
        del self.live[pipeline_id]
        for stage_id in pipeline.stages:
            del self.stages[stage_id]
        pipeline.archived = True
        self._archived[pipeline_id] = pipeline
        self._changed(self)
        self._note("DELETE", pipeline)

    def _restore(self, pipeline: Pipeline) -> None:
        pipeline.archived = False
        self.live[pipeline.id] = pipeline
        self.stages.update(pipeline.stages)

    def _check_label(self, label: str, own_id: str = "") -> None:
        taken = {pipeline.label.lower(): pipeline.id for pipeline in self.live.values()}
        if taken.get(label.lower(), own_id) != own_id:
            raise ApiError(409, "CONFLICT", f"A pipeline with label '{label}' already exists.")

    def _check_unused(self, stage_ids: Any) -> None:
        used = sorted(set(stage_ids) & self._in_use())
        if used:
            raise refuse(
                f"Stage ids {used} are in use by deals",
                sub_category="PipelineError.STAGE_ID_IN_USE",
                context={"stageIds": used},
            )

    # -- stages

    def _put_stages(self, pipeline: Pipeline, given: Any) -> None:
        """Give a pipeline exactly these stages; ids that it has already are kept."""
        stages = [self._read_stage(one, pipeline) for one in _listed(given)]
        if len(stages) > MOST_STAGES:
            raise refuse(f"A pipeline can have at most {MOST_STAGES} stages")
        for what, values in (("id", [s.id for s in stages]), ("label", [s.label.lower() for s in stages])):
            if len(set(values)) < len(values):
                raise refuse(f"The stages of a pipeline must have distinct {what}s")
        before, pipeline.stages = pipeline.stages, {stage.id: stage for stage in stages}
        for stage_id, stage in before.items():
            self.stages.pop(stage_id, None)
            if stage_id not in pipeline.stages:
                self._note("DELETE", stage)
        self.stages.update(pipeline.stages)
        for stage in stages:
            self._note("UPDATE" if stage.id in before else "CREATE", stage)

    def _read_stage(self, given: Any, pipeline: Pipeline) -> Stage:
        """A stage from `{label, displayOrder, metadata: {probability}, stageId?}`; raises 400."""
        label, order = _label_and_order(given)
        stage_id = _stage_id(given) or str(self._next_id())
        known = pipeline.stages.get(stage_id)
        if known is None and stage_id in self._all_stage_ids():
            raise refuse(f"Stage id {stage_id} is already in use")
        at = self._now()
        return Stage(
            stage_id, label, order, _probability(given.get("metadata")), known.created if known else at, at
        )

    def _all_stage_ids(self) -> set[str]:
        archived = (stage_id for pipeline in self._archived.values() for stage_id in pipeline.stages)
        return {*self.stages, *archived}

    def stage(self, pipeline_id: str, stage_id: str) -> Stage:
        stage = self.get(pipeline_id).stages.get(stage_id)
        if stage is None:
            raise not_found(f"Stage {stage_id} does not exist in pipeline {pipeline_id}")
        return stage

    def create_stage(self, pipeline_id: str, body: Any) -> Stage:
        pipeline = self.get(pipeline_id)
        stage = self._read_stage(body, pipeline)
        if stage.id in pipeline.stages:
            raise refuse(f"Stage id {stage.id} is already in use")
        self._check_stage_label(pipeline, stage.label)
        if len(pipeline.stages) >= MOST_STAGES:
            raise refuse(f"A pipeline can have at most {MOST_STAGES} stages")
        pipeline.stages[stage.id] = self.stages[stage.id] = stage
        self._changed(self)
        self._note("CREATE", stage)
        return stage

    def update_stage(self, pipeline_id: str, stage_id: str, body: Any, *, whole: bool) -> Stage:
        """Change a stage; with `whole` (PUT) label, order and probability must all be given."""
        stage = self.stage(pipeline_id, stage_id)
        body = as_object(body)
        if whole:
            _label_and_order(body)
        label, order = take(body, "label", stage.label), take(body, "displayOrder", stage.order)
        self._check_stage_label(self.get(pipeline_id), label, stage_id)
        if whole or "metadata" in body:
            stage.probability = _probability(body.get("metadata"))
        stage.label, stage.order = label, order
        stage.updated = self._now()
        self._changed(self)
        self._note("UPDATE", stage)
        return stage

    def delete_stage(self, pipeline_id: str, stage_id: str, *, checked: bool) -> None:
        stage = self.stage(pipeline_id, stage_id)
        if checked:
            self._check_unused({stage_id})
        del self.get(pipeline_id).stages[stage_id], self.stages[stage_id]
        self._changed(self)
        self._note("DELETE", stage)

    def _check_stage_label(self, pipeline: Pipeline, label: str, own_id: str = "") -> None:
        taken = {stage.label.lower(): stage.id for stage in pipeline.stages.values()}
        if taken.get(label.lower(), own_id) != own_id:
            raise refuse("The stages of a pipeline must have distinct labels")


def _label_and_order(body: Any) -> tuple[str, int]:
    body = as_object(body)
    if body.get("displayOrder") is None:
        raise refuse("displayOrder is required")
    return need(body, "label"), take(body, "displayOrder", 0)


def _listed(stages: Any) -> list[dict[str, Any]]:
    if not stages:
        raise refuse("A pipeline needs stages")
    return objects(stages)


def _stage_id(given: dict[str, Any]) -> str:
    """The id chosen for a stage, or that of one which the pipeline has; else empty."""
    return take(given, "stageId", "") or take(given, "id", "")


def _probability(metadata: Any) -> float:
    given = metadata.get("probability") if isinstance(metadata, dict) else None
    try:
        chance = float(str(given))
    except ValueError:
        chance = -1.0
    if not 0.0 <= chance <= 1.0:
        raise refuse("A deal stage needs metadata with a probability between 0.0 and 1.0")
    return chance


def _options(ids_and_labels: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(ids_and_labels)
    ]
