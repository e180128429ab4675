"""What a run must know before it looks at records: owners, stages, properties, and what is still to be made.

Set-up that hardly ever changes (the describes of Salesforce, HubSpot's property definitions, the stages of
each record type) is remembered in the store for a day, so that an idle run does not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from connector.adapters.base import Refusal, Wanted
from connector.adapters.hubspot import PRIMARY_COMPANY, HubSpot, Owner, Property
from connector.adapters.salesforce import MASTER_ID, Salesforce, Schema, Setup, User
from connector.adapters.salesforce_deletion import ROLE
from connector.core.derived import LIFECYCLE_STAGE
from connector.core.model import Cannot, Link, Pair, Problem, ProblemClass, Side
from connector.core.pipelines import (
    CreatePipeline,
    PipelinePlan,
    RecordType,
    StageDefinition,
    StageMap,
    plan_pipelines,
)
from connector.core.rollups import RULES as ROLLUPS
from connector.engine.allocation import Allocation
from connector.engine.known_set_up import KnownSetUp, recall_set_up, remember_set_up
from connector.engine.labels import NO_LABEL, find_label_problems, find_missing_labels, know_labels
from connector.engine.needed import (
    CLOSE_DATE,
    DAYS_TO_CLOSE,
    NO_ID_FIELD,
    Needed,
    id_of,
    missing_id_field,
    missing_properties,
)
from connector.engine.schemas import remember_schemas, to_facts
from connector.settings import Settings
from connector.store.store import Store

T = TypeVar("T")
DEALS, CONTACTS, COMPANIES = "opportunity-deal", "contact-contact", "account-company"
REMEMBERED = timedelta(days=1)
PIPELINES = "pipelines"
NO_PIPELINE = "PIPELINE_LIMIT"
ASTRAY, UNKNOWN = "NO_SUCH_PIPELINE", "NO_SUCH_RECORD_TYPE"
NOT_TAKEN = "PIPELINE_REFUSED"
SET_UP_PROBLEMS = frozenset({NO_PIPELINE, NO_ID_FIELD, NO_LABEL, ASTRAY, UNKNOWN, NOT_TAKEN})
"""Codes of problems that are nobody's record: each run finds them anew."""


@dataclass
class Connection:
    """Everything a run works with. `now` returns aware datetimes."""

    settings: Settings
    pairs: Mapping[str, Pair]
    salesforce: Salesforce
    hubspot: HubSpot
    store: Store
    now: Callable[[], datetime]
    allocation: Allocation
    mapping: Mapping[str, str] = field(default_factory=dict)
    """The mapping files that `pairs` were read from, text by name."""

    def __post_init__(self) -> None:
        self.store.hide(self.pairs.values())

    def crm(self, side: Side) -> Salesforce | HubSpot:
        return self.salesforce if side is Side.SALESFORCE else self.hubspot

    @property
    def is_scarce(self) -> bool:
        """Whether most of the API calls are used, so that what failed is not tried again by itself (E2)."""
        return self.allocation.is_scarce({side: self.crm(side).usage() for side in Side})


@dataclass
class Knowledge:
    """Answers what transforms ask (`core.model.Known`), from what was observed."""

    users: Mapping[str, User]
    owners: Mapping[str, Owner]
    owner_map: Mapping[str, str]
    stages: StageMap
    _partners: dict[tuple[str, Side, str], str] = field(default_factory=dict)

    def learn(self, pair: str, side: Side, links: Iterable[Link]) -> None:
        """Take note of live links, by their id on `side`."""
        for link in links:
            here, there = link.id_of(side), link.id_of(side.other)
            if here and there:
                self._partners[pair, side.other, here] = there

    def forget(self) -> None:
        self._partners.clear()

    def partner(self, pair: str, to: Side, id_: str) -> str | None:
        return self._partners.get((pair, to, id_))

    def stage(self, to: Side, group: str | None, stage: str) -> tuple[str | None, str] | Cannot:
        return self.stages.find(to, group, stage)

    def owner(self, to: Side, id_: str) -> str | Cannot:
        """By the owner map, then by the e-mail of an active user (A5)."""
        if to is Side.HUBSPOT:
            return self._hubspot_owner(id_)
        owner = self.owners.get(id_)
        if owner is None:
            return _no_owner(Side.HUBSPOT, "owners", id_, f"HubSpot owner {id_} is unknown or deactivated")
        wanted = {here for here, there in self.owner_map.items() if there.lower() in {owner.email, owner.id}} or {
            owner.email
        }
        found = [
            user for user in self.users.values() if user.active and (user.id in wanted or user.email in wanted)
        ]
        if not found:
            return _no_owner(Side.HUBSPOT, "owners", id_, f"no active Salesforce user has the e-mail {owner.email}")
        return min(user.id for user in found)

    def _hubspot_owner(self, id_: str) -> str | Cannot:
        user = self.users.get(id_)
        if user is None:
            return _no_owner(Side.SALESFORCE, "User", id_, f"Salesforce user {id_} cannot be seen")
        wanted = self.owner_map.get(user.id) or self.owner_map.get(user.email) or user.email
        found = [owner for owner in self.owners.values() if wanted.lower() in {owner.id, owner.email}]
        if not found:
            return _no_owner(Side.SALESFORCE, "User", id_, f"no HubSpot owner has the e-mail {wanted}")
        return min((owner.id for owner in found), key=int)


def _no_owner(side: Side, object_: str, id_: str, reason: str) -> Cannot:
    remedy = "invite the person on the other side, or add a line to `owners.map` or a default owner (A5)"
    return Cannot(reason, remedy, about=(side, object_, id_))


@dataclass
class World:
    """What is known when a run begins."""

    knowledge: Knowledge
    schema: Schema
    properties: Mapping[str, Mapping[str, Property]]
    pipeline_plan: PipelinePlan
    needed: Needed
    problems: tuple[Problem, ...]
    labels: Mapping[str, int] = field(default_factory=dict)
    """Labels for contacts of deals, type ids by text (R4); one that is still to be made has a negative one."""
    known: KnownSetUp = field(default_factory=KnownSetUp)
    """The people, record types and pipelines of both sides, with their names."""
    read_again: set[str] = field(default_factory=set)
    """HubSpot objects whose property definitions were read anew in this run."""

    @property
    def stages(self) -> StageMap:
        return self.knowledge.stages

    def rollup_targets(self, object_: str) -> dict[str, str]:
        """The property that takes each rollup: HubSpot's own where it may be written, else ours (U7)."""
        return {name: self.target(object_, name) for name in ROLLUPS}

    def target(self, object_: str, name: str) -> str:
        known = self.properties.get(object_, {}).get(name)
        return name if known is not None and not known.read_only else f"sf_{name}"

    def stage_order(self, object_: str) -> dict[str, int]:
        """The portal's lifecycle stages in their order (L1)."""
        known = self.properties.get(object_, {}).get(LIFECYCLE_STAGE)
        return {stage: position for position, stage in enumerate(known.options if known else ())}

    def type_of(self, pair: Pair, side: Side, name: str) -> str | None:
        """The vendor's name of a field's type; None if there is no such field, or it cannot be seen."""
        if side is Side.SALESFORCE:
            known = self.schema.objects.get(pair.salesforce, {}).get(name)
            return str(known["type"]) if known else None
        if name == PRIMARY_COMPANY:
            return "association"
        found = self.properties[pair.hubspot].get(name)
        return found.type if found else None

    def names(self, pair: Pair, side: Side) -> Sequence[str]:
        """The fields of one side's object that are remembered."""
        known = (
            self.schema.objects.get(pair.salesforce, {})
            if side is Side.SALESFORCE
            else self.properties[pair.hubspot]
        )
        return list(known)

    def wanted(self, pair: Pair, side: Side) -> Wanted:
        """The fields to read of one side's object."""
        names = [name for rule in pair.fields for name in rule.names(side)]
        names += pair.match_fields(side)
        names += _scope_fields(pair, side)
        if side is Side.HUBSPOT and pair.name != DEALS:
            derived = [*self.rollup_targets(pair.hubspot).values(), LIFECYCLE_STAGE]
            derived += [self.target(pair.hubspot, name) for name in (CLOSE_DATE, DAYS_TO_CLOSE)]
            names += derived
        return Wanted(tuple(dict.fromkeys(names)), pair.partner_field.get(side))


def get_to_know(c: Connection) -> World:
    """Read what a run needs to know. Two Salesforce calls less on an idle day, five HubSpot calls less."""
    remembered = _recall(c)
    if remembered is None:
        objects = [*(pair.salesforce for pair in c.pairs.values()), ROLE]
        schema = c.salesforce.describe(objects)
        properties = {pair.hubspot: c.hubspot.properties(pair.hubspot) for pair in c.pairs.values()}
        with c.store.transaction():
            _remember(c, schema, properties)
            remember_schemas(c.store, to_facts(schema, properties), c.now())
    else:
        schema, properties = remembered
    c.salesforce.use_schema(schema)
    setup = c.salesforce.set_up()
    known = KnownSetUp(
        users=setup.users,
        owners=c.hubspot.owners(),
        record_types=_record_types(c, setup) if DEALS in c.pairs else (),
        pipelines=c.hubspot.pipelines() if DEALS in c.pairs else (),
    )
    remember_set_up(c.store, known)
    knowledge, plan = _put_together(c, known)
    labels = know_labels(c)
    coming = find_missing_labels(c, labels)
    needed = Needed(tuple(missing_properties(c, properties)), plan.actions, coming)
    problems = (*_find_problems(c, schema, plan), *find_label_problems(c, labels))
    labels = {**labels, **{label: -number for number, label in enumerate(coming, 1)}}
    return World(knowledge, schema, properties, plan, needed, problems, labels, known)


def recall_world(c: Connection) -> World:
    """The world as the last look knew it, however long ago: neither CRM is asked. Before any look it is empty."""
    known = recall_set_up(c.store)
    knowledge, plan = _put_together(c, known)
    if not known.pipelines:  # the last look was that of an older version; in which pipelines deals sync, it noted
        knowledge.stages = replace(knowledge.stages, pipelines=remembered_homes(c))
    found = c.store.runs.read("set-up")
    empty: dict[str, dict[str, Property]] = {pair.hubspot: {} for pair in c.pairs.values()}
    schema, properties = _read_set_up(found) if found else (Schema({}), {})
    return World(knowledge, schema, empty | properties, plan, Needed(), (), known=known)


def _put_together(c: Connection, known: KnownSetUp) -> tuple[Knowledge, PipelinePlan]:
    plan = plan_pipelines(known.record_types, known.pipelines, c.settings.pipeline_settings(), remembered_homes(c))
    knowledge = Knowledge(
        users={user.id: user for user in known.users},
        owners={owner.id: owner for owner in known.owners},
        owner_map={here.lower() if "@" in here else here: there for here, there in c.settings.owners.map.items()},
        stages=plan.stages,
    )
    return knowledge, plan


def remembered_homes(c: Connection) -> dict[str | None, str]:
    """The pipelines in which record types were at the last run, so that none moves by itself (O2)."""
    return dict((c.store.runs.read(PIPELINES) or {"homes": ()})["homes"])


def find_pipeline_problems(plan: PipelinePlan, limit: int) -> Iterable[Problem]:
    """Record types without a pipeline, each once; their opportunities wait (O2, O3)."""
    beyond = "raise `pipelines.limit` with your HubSpot subscription, or assign an existing pipeline (O3)"
    for record_type in plan.beyond_limit:
        text = f"record type {record_type.name!r} has no pipeline: the limit of {limit} is reached"
        yield _pipeline_problem(record_type.id or "", NO_PIPELINE, text, beyond)
    for record_type, pipeline in plan.astray:
        text = f"record type {record_type.name!r} is assigned to pipeline {pipeline!r}, which does not exist"
        yield _pipeline_problem(record_type.id or "", ASTRAY, text, "correct the id in `pipelines.assigned` (O2)")
    for key in plan.unknown:
        text = f"`pipelines.assigned` names record type {key!r}, which does not exist or is not active"
        yield _pipeline_problem(key, UNKNOWN, text, "correct the name, or take the line out (O2)")


def set_aside(world: World, refused: Mapping[str, Refusal]) -> None:
    """List the pipelines and stages that HubSpot did not take; what needs such a pipeline waits for it (E1)."""
    found: dict[tuple[Side, str, str], Problem] = {}
    for action in world.needed.pipelines:
        refusal = refused.get(id_of(action))
        if refusal is None:
            continue
        if isinstance(action, CreatePipeline):
            text = f"HubSpot does not take pipeline {action.pipeline.label!r}: {refusal.message}"
            homes = world.stages.pipelines.items()
            mine = [one for one, home in homes if home == action.pipeline.id]
            some = [_pipeline_problem(one or "", NOT_TAKEN, text, refusal.remedy) for one in mine]
            world.knowledge.stages = world.stages.without(action.pipeline.id, text)
        else:
            text = f"HubSpot does not take stage {action.stage.label!r}: {refusal.message}"
            id_ = action.pipeline_id[:40]
            cause, remedy = refusal.cause, refusal.remedy
            some = [Problem(Side.HUBSPOT, "pipelines", id_, cause, NOT_TAKEN, text, remedy)]
        found |= {(one.side, one.object, one.record_id): one for one in some}
    world.problems += tuple(found.values())


def _pipeline_problem(record_type: str, code: str, text: str, remedy: str) -> Problem:
    return Problem(Side.SALESFORCE, "RecordType", record_type[:40], ProblemClass.FIELD_MAPPING, code, text, remedy)


def _find_problems(c: Connection, schema: Schema, plan: PipelinePlan) -> Iterable[Problem]:
    yield from find_pipeline_problems(plan, c.settings.pipelines.limit)
    yield from _find_missing_id_fields(c, schema)


def _find_missing_id_fields(c: Connection, schema: Schema) -> Iterable[Problem]:
    for pair in c.pairs.values():
        name = pair.partner_field.get(Side.SALESFORCE)
        if name and Side.SALESFORCE in pair.creates and not schema.has(pair.salesforce, name):
            yield missing_id_field(pair, name)


def _record_types(c: Connection, setup: Setup) -> tuple[RecordType, ...]:
    fingerprint = [list(setup.record_types), [asdict(stage) for stage in setup.stages]]
    remembered = c.store.runs.read("record types")
    if remembered and remembered["of"] == _plain(fingerprint) and not _is_old(c, remembered["at"]):
        return tuple(
            RecordType(one["id"], one["name"], tuple(StageDefinition(**stage) for stage in one["stages"]))
            for one in remembered["record_types"]
        )
    found = c.salesforce.record_types(setup)
    c.store.runs.remember(
        "record types",
        {"of": fingerprint, "at": c.now().isoformat(), "record_types": [asdict(one) for one in found]},
    )
    return found


def _plain(value: Any) -> Any:
    """As JSON gives it back: tuples are lists."""
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _recall(c: Connection) -> tuple[Schema, dict[str, dict[str, Property]]] | None:
    """Describes and property definitions, unless they are old or another mapping asked for them."""
    found = c.store.runs.read("set-up")
    if not found or found["of"] != _fingerprint(c.pairs.values()) or _is_old(c, found["at"]):
        return None
    schema, properties = _read_set_up(found)
    if any(_find_missing_id_fields(c, schema)):
        return None  # somebody may have mended that since
    return schema, properties


def _read_set_up(found: Mapping[str, Any]) -> tuple[Schema, dict[str, dict[str, Property]]]:
    properties = {
        object_: {name: _property(one) for name, one in some.items()}
        for object_, some in found["properties"].items()
    }
    return Schema(found["schema"]), properties


def _property(kept: Mapping[str, Any]) -> Property:
    """As it was before JSON made lists of its tuples."""
    told: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in kept.items()}
    return Property(**told)


def _remember(c: Connection, schema: Schema, properties: Mapping[str, Mapping[str, Property]]) -> None:
    c.store.runs.remember(
        "set-up",
        {
            "of": _fingerprint(c.pairs.values()),
            "at": c.now().isoformat(),
            "schema": {
                pair.salesforce: _some(schema.objects[pair.salesforce], _needed_fields(pair))
                for pair in c.pairs.values()
            }
            | {ROLE: _some(schema.objects[ROLE], ("Role", "IsPrimary"))},
            "properties": {
                pair.hubspot: {
                    name: asdict(one)
                    for name, one in _some(properties[pair.hubspot], _needed_properties(c, pair)).items()
                }
                for pair in c.pairs.values()
            },
        },
    )


def _some(known: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    return {name: known[name] for name in names if name in known}


def _needed_fields(pair: Pair) -> set[str]:
    """The Salesforce fields that a run may ask about."""
    mapped = {name for rule in pair.fields for name in rule.salesforce} | {*pair.match_fields(Side.SALESFORCE)}
    mapped |= set(_scope_fields(pair, Side.SALESFORCE))
    return mapped | {pair.partner_field.get(Side.SALESFORCE, ""), MASTER_ID}


def _needed_properties(c: Connection, pair: Pair) -> set[str]:
    """The HubSpot properties that a run may ask about."""
    mapped = {name for rule in pair.fields for name in rule.hubspot} | {*_scope_fields(pair, Side.HUBSPOT)}
    derived = {name for one in (*ROLLUPS, CLOSE_DATE, DAYS_TO_CLOSE) for name in (one, f"sf_{one}")}
    return mapped | derived | {LIFECYCLE_STAGE, c.settings.hubspot.id_property}


def _scope_fields(pair: Pair, side: Side) -> tuple[str, ...]:
    """What the scope filter of a side asks for (A8)."""
    return pair.scope[side].fields if side in pair.scope else ()


def _fingerprint(pairs: Iterable[Pair]) -> list[list[Any]]:
    """What is asked for, and of properties which facts: an older version may have remembered fewer."""
    return [
        [
            pair.name,
            *(list(rule.names(side)) for rule in pair.fields for side in Side),
            *(list(pair.match_fields(side)) for side in Side),
            *(list(_scope_fields(pair, side)) for side in Side),
        ]
        for pair in pairs
    ] + [[ROLE], [one.name for one in fields(Property)]]


def _is_old(c: Connection, at: str) -> bool:
    age = c.now() - datetime.fromisoformat(at)
    return not timedelta(0) <= age < REMEMBERED
