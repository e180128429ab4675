"""What do both CRMs lack for a sync, and how is it made? (P3, U7, O2, O10, R4)

    properties   the unique id of each object, and rollups where HubSpot's own are read-only
    pipelines    and their stages, as the record types have them
    labels       for contacts of deals, as the mapping names them
    id field     in Salesforce, where deals become opportunities; `connector setup` makes it, no sync does

Decided here alone, for `sync`, which makes what HubSpot lacks before anything else, and for `setup` and `check`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from connector.adapters.base import Refusal
from connector.adapters.hubspot import Property
from connector.core.model import Pair, Problem, ProblemClass, Side
from connector.core.pipelines import CreatePipeline, CreateStage, PipelineAction, UpdateStage
from connector.core.rollups import RULES as ROLLUPS
from connector.engine.labels import make_labels

if TYPE_CHECKING:
    from connector.engine.world import Connection

CLOSE_DATE, DAYS_TO_CLOSE = "closedate", "days_to_close"
NO_ID_FIELD = "NO_ID_FIELD"
MOST_UNIQUE = 10
_DEALS = "opportunity-deal"
_ROLLUP_TYPES = {
    "num_associated_deals": "number",
    "first_deal_created_date": "datetime",
    "recent_deal_amount": "number",
    "recent_deal_close_date": "datetime",
    "total_revenue": "number",
    "days_to_close": "number",
    "closedate": "datetime",
}


@dataclass(frozen=True, slots=True)
class NewProperty:
    """A property that has to be made in HubSpot before anything is synced."""

    object: str
    name: str
    label: str
    type: str
    unique: bool = False

    def definition(self) -> dict[str, Any]:
        kind = {"number": "number", "datetime": "date", "string": "text"}[self.type]
        made = {"name": self.name, "label": self.label, "type": self.type, "fieldType": kind}
        return made | ({"hasUniqueValue": True} if self.unique else {})


@dataclass(frozen=True, slots=True)
class Needed:
    """What HubSpot still lacks (P3, U7, O2)."""

    properties: tuple[NewProperty, ...] = ()
    pipelines: tuple[PipelineAction, ...] = ()
    labels: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.properties or self.pipelines or self.labels)

    def without(self, refused: Collection[str]) -> Needed:
        """The same without the pipelines and stages of these ids, and without these labels."""
        pipelines = tuple(one for one in self.pipelines if id_of(one) not in refused)
        return replace(self, pipelines=pipelines, labels=tuple(one for one in self.labels if one not in refused))

    def parts(self) -> Iterator[Needed]:
        """What is made by itself: the properties of each object, each pipeline action, and the labels."""
        for object_ in dict.fromkeys(one.object for one in self.properties):
            yield Needed(properties=tuple(one for one in self.properties if one.object == object_))
        yield from (Needed(pipelines=(one,)) for one in self.pipelines)
        if self.labels:
            yield Needed(labels=self.labels)


def make_needed(c: Connection, needed: Needed) -> Mapping[str, Refusal]:
    """Make in HubSpot what is missing there. Returns what HubSpot refused, by the label, or by the id of the
    pipeline or stage; of properties it raises.
    """
    by_object: dict[str, list[NewProperty]] = {}
    for one in needed.properties:
        by_object.setdefault(one.object, []).append(one)
    for object_, some in by_object.items():
        c.hubspot.make_properties(object_, [one.definition() for one in some])
    refused: dict[str, Refusal] = {}
    for action in needed.pipelines:
        if (refusal := c.hubspot.make_pipeline(action)) is not None:
            refused[id_of(action)] = refusal
    if needed.labels:
        refused |= make_labels(c, needed.labels)
    if needed.properties:
        c.store.runs.remember("set-up", None)
    return refused


def missing_properties(c: Connection, properties: Mapping[str, Mapping[str, Property]]) -> Iterable[NewProperty]:
    """Of our own properties those that are not among `properties`, by object and name."""
    for pair in c.pairs.values():
        known = properties[pair.hubspot]
        if c.settings.hubspot.id_property not in known:
            yield NewProperty(
                pair.hubspot, c.settings.hubspot.id_property, "Salesforce record id", "string", unique=True
            )
        if pair.name == _DEALS:
            continue
        for name in (*ROLLUPS, CLOSE_DATE, DAYS_TO_CLOSE):
            own = f"sf_{name}"
            if (name not in known or known[name].read_only) and own not in known:
                yield NewProperty(pair.hubspot, own, f"Salesforce: {name.replace('_', ' ')}", _ROLLUP_TYPES[name])


@dataclass(frozen=True, slots=True)
class UnfitProperty:
    """A property that cannot be used for our ids, or not be made. Only a person can help."""

    object: str
    name: str
    detail: str
    remedy: str


def find_unfit_properties(
    c: Connection, properties: Mapping[str, Mapping[str, Property]]
) -> Iterable[UnfitProperty]:
    """The id property where it is not unique, or where HubSpot has no room for one more that is.

    HubSpot takes ten unique properties an object (Properties guide, "Create unique identifier properties").
    """
    name = c.settings.hubspot.id_property
    for object_, known in properties.items():
        if name in known and not known[name].unique:
            remedy = "archive that property, or choose another name with `hubspot.id_property`"
            yield UnfitProperty(object_, name, "exists, but its values are not unique", remedy)
        elif name not in known and sum(one.unique for one in known.values()) >= MOST_UNIQUE:
            remedy = "archive one of the unique properties, or use one of them with `hubspot.id_property`"
            detail = f"cannot be made: {object_} have {MOST_UNIQUE} properties with unique values, and take no more"
            yield UnfitProperty(object_, name, detail, remedy)


def missing_id_field(pair: Pair, name: str) -> Problem:
    """O10: without the external id field nothing that was born in HubSpot can be created safely."""
    return Problem(
        Side.SALESFORCE,
        pair.salesforce,
        name,
        ProblemClass.FIELD_MAPPING,
        NO_ID_FIELD,
        f"{pair.salesforce} has no field {name}, so new HubSpot records wait",
        f"add a text field {name} (length 40, external id, unique) to {pair.salesforce}"
        " and give the connector's user access to it (O10)",
    )


def id_of(action: PipelineAction) -> str:
    """The id of the pipeline or stage that it is about."""
    return action.pipeline.id if isinstance(action, CreatePipeline) else action.stage.id


def describe_needed(needed: Needed) -> list[str]:
    """What is made in HubSpot, in words."""
    lines = [f"property {one.name} on {one.object}" for one in needed.properties]
    lines += [_describe(action) for action in needed.pipelines]
    return lines + [f"label {label!r} for contacts of deals" for label in needed.labels]


def _describe(action: PipelineAction) -> str:
    match action:
        case CreatePipeline(pipeline):
            return f"pipeline {pipeline.label!r} with {len(pipeline.stages)} stages"
        case CreateStage(pipeline_id, stage):
            return f"stage {stage.label!r} in pipeline {pipeline_id}"
        case UpdateStage(pipeline_id, stage, was):
            return f"stage {was.label!r} of pipeline {pipeline_id} becomes {stage.label!r} at {stage.probability}"


def price_of(needed: Needed) -> int:
    """Calls to make it: a group and a batch per object, one per pipeline, stage or label."""
    return 2 * len({one.object for one in needed.properties}) + len(needed.pipelines) + len(needed.labels)
