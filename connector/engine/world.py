"""What a run must know before it looks at records: owners, stages, properties; and what it makes in HubSpot.

Set-up that hardly ever changes (the describes of Salesforce, HubSpot's property definitions, the stages of
each record type) is remembered in the store for a day, so that an idle run does not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from connector.adapters.base import Wanted
from connector.adapters.hubspot import PRIMARY_COMPANY, HubSpot, Owner, Property
from connector.adapters.salesforce import MASTER_ID, ROLE, Salesforce, Schema, Setup, User
from connector.core.derived import LIFECYCLE_STAGE
from connector.core.model import Cannot, Link, Pair, Problem, ProblemClass, Side
from connector.core.pipelines import (
    PipelineAction,
    PipelinePlan,
    RecordType,
    StageDefinition,
    StageMap,
    plan_pipelines,
)
from connector.core.rollups import RULES as ROLLUPS
from connector.engine.allocation import Allocation
from connector.engine.labels import NO_LABEL, find_label_problems, find_missing_labels, know_labels, make_labels
from connector.engine.schemas import remember_schemas, to_facts
from connector.settings import Settings
from connector.store.store import Store

T = TypeVar("T")
DEALS, CONTACTS, COMPANIES = "opportunity-deal", "contact-contact", "account-company"
CLOSE_DATE, DAYS_TO_CLOSE = "closedate", "days_to_close"
REMEMBERED = timedelta(days=1)
PIPELINES = "pipelines"
NO_PIPELINE, NO_ID_FIELD = "PIPELINE_LIMIT", "NO_ID_FIELD"
ASTRAY, UNKNOWN = "NO_SUCH_PIPELINE", "NO_SUCH_RECORD_TYPE"
SET_UP_PROBLEMS = frozenset({NO_PIPELINE, NO_ID_FIELD, NO_LABEL, ASTRAY, UNKNOWN})
"""Codes of problems that are nobody's record: each run finds them anew."""
_ROLLUP_TYPES = {
    "num_associated_deals": "number",
    "first_deal_created_date": "datetime",
    "recent_deal_amount": "number",
    "recent_deal_close_date": "datetime",
    "total_revenue": "number",
    "days_to_close": "number",
    "closedate": "datetime",
}


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
    owners = c.hubspot.owners()
    plan = plan_pipelines(
        _record_types(c, setup) if DEALS in c.pairs else (),
        c.hubspot.pipelines() if DEALS in c.pairs else (),
        c.settings.pipeline_settings(),
        remembered_homes(c),
    )
    knowledge = Knowledge(
        users={user.id: user for user in setup.users},
        owners={owner.id: owner for owner in owners},
        owner_map={here.lower() if "@" in here else here: there for here, there in c.settings.owners.map.items()},
        stages=plan.stages,
    )
    labels = know_labels(c)
    coming = find_missing_labels(c, labels)
    needed = Needed(tuple(missing_properties(c, properties)), plan.actions, coming)
    problems = (*_find_problems(c, schema, plan), *find_label_problems(c, labels))
    labels = {**labels, **{label: -number for number, label in enumerate(coming, 1)}}
    return World(knowledge, schema, properties, plan, needed, problems, labels)


def make_needed(c: Connection, needed: Needed) -> None:
    """Make in HubSpot what is missing there."""
    by_object: dict[str, list[NewProperty]] = {}
    for one in needed.properties:
        by_object.setdefault(one.object, []).append(one)
    for object_, some in by_object.items():
        c.hubspot.make_properties(object_, [one.definition() for one in some])
    for action in needed.pipelines:
        c.hubspot.make_pipeline(action)
    if needed.labels:
        make_labels(c, needed.labels)
    if needed.properties:
        c.store.runs.remember("set-up", None)


def missing_properties(c: Connection, properties: Mapping[str, Mapping[str, Property]]) -> Iterable[NewProperty]:
    """Of our own properties those that are not among `properties`, by object and name."""
    for pair in c.pairs.values():
        known = properties[pair.hubspot]
        if c.settings.hubspot.id_property not in known:
            yield NewProperty(
                pair.hubspot, c.settings.hubspot.id_property, "Salesforce record id", "string", unique=True
            )
        if pair.name == DEALS:
            continue
        for name in (*ROLLUPS, CLOSE_DATE, DAYS_TO_CLOSE):
            own = f"sf_{name}"
            if (name not in known or known[name].read_only) and own not in known:
                yield NewProperty(pair.hubspot, own, f"Salesforce: {name.replace('_', ' ')}", _ROLLUP_TYPES[name])


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
    properties = {
        object_: {name: Property(**{**one, **_tuples(one)}) for name, one in some.items()}
        for object_, some in found["properties"].items()
    }
    schema = Schema(found["schema"])
    if any(_find_missing_id_fields(c, schema)):
        return None  # somebody may have mended that since
    return schema, properties


def _tuples(one: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(one.get(name, ())) for name in ("options", "option_labels")}


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
    return [
        [
            pair.name,
            *(list(rule.names(side)) for rule in pair.fields for side in Side),
            *(list(pair.match_fields(side)) for side in Side),
            *(list(_scope_fields(pair, side)) for side in Side),
        ]
        for pair in pairs
    ] + [[ROLE]]


def _is_old(c: Connection, at: str) -> bool:
    age = c.now() - datetime.fromisoformat(at)
    return not timedelta(0) <= age < REMEMBERED


def unmapped(c: Connection, world: World) -> Sequence[tuple[Pair, Side, str]]:
    """Mapped fields that one side does not have: (pair, side, field)."""
    optional = {"RecordTypeId", "CurrencyIsoCode", PRIMARY_COMPANY}
    return [
        (pair, side, name)
        for pair in c.pairs.values()
        for rule in pair.fields
        for side in Side
        for name in rule.names(side)
        if name not in optional and not _exists(world, pair, side, name)
    ]


def _exists(world: World, pair: Pair, side: Side, name: str) -> bool:
    if side is Side.SALESFORCE:
        return world.schema.has(pair.salesforce, name)
    return name in world.properties[pair.hubspot]
