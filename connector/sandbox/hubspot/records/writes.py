"""What becomes of a record when it is created, changed or archived.

Every write has two steps: `prepare_*` checks it whole and touches nothing, `commit` carries it out. A batch that
must be written whole or not at all prepares all its inputs before it commits the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.hubspot.actors import Actor, setting
from connector.sandbox.hubspot.api.shapes import as_id
from connector.sandbox.hubspot.definitions.pipelines import Pipelines
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS, COMPANIES, CONTACTS, ObjectType
from connector.sandbox.hubspot.errors import (
    ApiError,
    InvalidValues,
    Problem,
    contact_exists,
    not_unique,
    refuse,
    refuse_json,
    required,
)
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.portal import PORTAL_ID, Portal
from connector.sandbox.hubspot.records import lifecycle
from connector.sandbox.hubspot.records.lifecycle import STAGE
from connector.sandbox.hubspot.records.records import Record
from connector.sandbox.hubspot.records.values import BadValue, append_choices, as_text

PRIMARY_COMPANY = "associatedcompanyid"
Changes = dict[str, str | None]
Claims = dict[tuple[str, str], int]


@dataclass(slots=True)
class Link:
    """An association that is created with a record."""

    pair: tuple[str, str]
    to: int
    types: tuple[int, ...]


@dataclass(slots=True)
class Draft:
    """A write that has passed all checks. `record` is `None` when it makes a new one with `record_id`."""

    kind: ObjectType
    record_id: int
    record: Record | None
    changes: Changes
    written: list[str]
    links: list[Link] = field(default_factory=list)


# -- finding the record that is meant


def locate(portal: Portal, kind: ObjectType, given: str, id_property: str | None) -> Record | None:
    """The live record of an id or unique value, also under an id that a merge has absorbed.

    Raises 400 for an `id_property` that does not identify records.
    """
    table = portal.tables[kind.name]
    if not id_property or id_property == "hs_object_id":
        return table.resolve(as_id(given))
    if id_property not in portal.properties[kind.name].identifying:
        raise not_unique(kind, id_property)
    holder = table.holder(id_property, normal_key(id_property, given))
    return None if holder is None else table.live.get(holder)


def normal_key(id_property: str, given: str) -> str:
    """A unique value as it is kept: e-mail addresses without regard to case."""
    return given.strip().lower() if id_property == "email" else given


# -- checking


def prepare_create(portal: Portal, kind: ObjectType, properties: Any, associations: Any, claims: Claims) -> Draft:
    """Check a new record. `claims` are the unique values of the batch so far, and take up this one's.

    Raises `ApiError`: 400 for values, requirements and associations, 409 for an e-mail address that is taken.
    """
    record_id = portal.next_id()
    changes = _read_values(portal, kind, properties, None)
    given = {name: value for name, value in changes.items() if value is not None}
    if kind.name == "deals":
        _settle_pipeline(portal, given, changes)
    missing = [name for name in kind.needs_all if name not in given]
    if missing or (kind.needs_one_of and not any(name in given for name in kind.needs_one_of)):
        raise required(kind, missing or kind.needs_one_of)
    links = _read_links(portal, kind, associations)
    _check_rules(portal, kind, changes, None)
    check_unique(portal, kind, changes, record_id, claims)
    return Draft(kind, record_id, None, changes, list(changes), links)


def prepare_update(portal: Portal, kind: ObjectType, record: Record, properties: Any, claims: Claims) -> Draft:
    """Check a change of a record; raises as `prepare_create`."""
    changes = _read_values(portal, kind, properties, record)
    written = list(changes)
    _check_rules(portal, kind, changes, record)
    check_unique(portal, kind, changes, record.id, claims)
    return Draft(kind, record.id, record, changes, written)


def _read_values(portal: Portal, kind: ObjectType, properties: Any, record: Record | None) -> Changes:
    """The values as they will be kept. Raises 400 that names every bad one."""
    if not isinstance(properties, dict):
        raise refuse_json()
    defined = portal.properties[kind.name].defined
    changes: Changes = {}
    problems = []
    for name, raw in properties.items():
        definition = defined.get(name)
        if definition is None:
            problems.append(Problem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
            continue
        if definition.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            problems.append(Problem(name, "READ_ONLY_VALUE", message))
            continue
        try:
            text = as_text(raw)
            if definition.field_type == "checkbox":
                text = append_choices(None if record is None else record.values.get(name), text)
            changes[name] = definition.normalise(text, definition.allowed) if text else None
        except BadValue as error:
            problems.append(Problem(name, error.code, error.message))
    if problems:
        raise InvalidValues(problems)
    return changes


def _check_rules(portal: Portal, kind: ObjectType, changes: Changes, record: Record | None) -> None:
    """The rules that look beyond one value. Raises 400 that names every broken one."""
    old = {} if record is None else record.values
    checks = (_check_owner, _CHECKS[kind.name])
    problems = [problem for check in checks if (problem := check(portal, kind, changes, old)) is not None]
    if problems:
        raise InvalidValues(problems)


def _check_owner(portal: Portal, kind: ObjectType, changes: Changes, _: dict[str, str]) -> Problem | None:
    """An owner must exist, of the record or in a property of users (the code of this refusal is not documented)."""
    defined = portal.properties[kind.name].defined
    for name, owner_id in changes.items():
        if owner_id is None or defined[name].external != "OWNER" or portal.owners.assignable(owner_id):
            continue
        return Problem(name, "INVALID_OWNER_ID", f"Owner with id {owner_id} does not exist")
    return None


def _check_contact(portal: Portal, kind: ObjectType, changes: Changes, old: dict[str, str]) -> Problem | None:
    company = changes.get(PRIMARY_COMPANY)
    if company is not None and as_id(company) not in portal.tables["companies"].live:
        return Problem(PRIMARY_COMPANY, "INVALID_COMPANY_ID", f"Company {company} does not exist")
    return _check_lifecycle(portal, kind, changes, old)


def _check_lifecycle(portal: Portal, kind: ObjectType, changes: Changes, old: dict[str, str]) -> Problem | None:
    """People in HubSpot's own pages may go back; for apps a setting says what becomes of it."""
    ranks = portal.properties[kind.name].defined[STAGE].allowed
    backward = "allow" if portal.actor.in_ui else portal.settings.lifecycle_backward
    return lifecycle.settle(changes, old.get(STAGE), ranks, backward)


def _settle_pipeline(portal: Portal, given: dict[str, str], changes: Changes) -> None:
    """A new deal that names no pipeline goes into the only one there is."""
    if "pipeline" not in given:
        if len(portal.pipelines.live) > 1:
            raise required(BY_ALIAS["deals"], ["pipeline"])
        changes["pipeline"] = next(iter(portal.pipelines.live))


def _check_deal(portal: Portal, _: ObjectType, changes: Changes, old: dict[str, str]) -> Problem | None:
    """The stage must be one of the deal's pipeline; closing a deal sets its close date if none is given.

    Not so if it was closed already in the same way (HubSpot Knowledge Base, "HubSpot's default deal properties").
    """
    if "dealstage" not in changes and "pipeline" not in changes:
        return None
    pipeline_id = changes.get("pipeline", old.get("pipeline"))
    stage_id = changes.get("dealstage", old.get("dealstage"))
    problem = _misplaced(portal.pipelines, pipeline_id, stage_id)
    if problem is not None or stage_id is None:
        return problem
    stage, before = portal.pipelines.stages[stage_id], portal.pipelines.stages.get(old.get("dealstage", ""))
    as_before = before is not None and before.closed and before.won is stage.won
    if stage.closed and not as_before and not changes.get("closedate"):
        changes["closedate"] = to_iso(portal.now())
    return None


def _misplaced(pipelines: Pipelines, pipeline_id: str | None, stage_id: str | None) -> Problem | None:
    if pipeline_id not in pipelines.live:
        allowed = ", ".join(pipelines.live)
        message = f"{pipeline_id} was not one of the allowed options: [{allowed}]"
        return Problem("pipeline", "INVALID_OPTION", message)
    stages = pipelines.live[pipeline_id].stages
    if stage_id not in stages:
        message = f"{stage_id} was not one of the allowed options of pipeline {pipeline_id}: [{', '.join(stages)}]"
        return Problem("dealstage", "INVALID_OPTION", message)
    return None


_CHECKS: dict[str, Callable[[Portal, ObjectType, Changes, dict[str, str]], Problem | None]] = {
    "contacts": _check_contact,
    "companies": _check_lifecycle,
    "deals": _check_deal,
}


def check_unique(portal: Portal, kind: ObjectType, changes: Changes, record_id: int, claims: Claims) -> None:
    """Raises 409 for a taken e-mail address and 400 for another taken value; then claims all of them."""
    table = portal.tables[kind.name]
    mine: list[tuple[str, str]] = []
    for name in portal.properties[kind.name].identifying:
        value = changes.get(name)
        if value is None:
            continue
        holder = claims.get((name, value), table.holder(name, value))
        if holder is not None and holder != record_id:
            raise _conflict(kind, name, value, record_id, holder)
        mine.append((name, value))
    claims.update((claim, record_id) for claim in mine)


def _conflict(kind: ObjectType, name: str, value: str, record_id: int, holder: int) -> ApiError:
    if (kind.name, name) == ("contacts", "email"):
        return contact_exists(holder)
    cannot = (
        f"Cannot set PropertyValueCoordinates{{portalId={PORTAL_ID}, objectTypeId={kind.type_id},"
        f" propertyName={name}, value={value}}} on {record_id}."
    )
    named, unnamed = (f"{cannot} {who} already has that value." for who in (holder, "Another record"))
    return InvalidValues([Problem(name, "CONFLICTING_UNIQUE_VALUE", named, holder, unnamed)])


def _read_links(portal: Portal, kind: ObjectType, associations: Any) -> list[Link]:
    """The inline associations `[{to: {id}, types: [...]}]` of a new record. Raises 400 for a bad one."""
    if not associations:
        return []
    if not isinstance(associations, list):
        raise refuse_json()
    return [_read_link(portal, kind, given) for given in associations]


def _read_link(portal: Portal, kind: ObjectType, given: Any) -> Link:
    """The object type of the other record follows from the association types."""
    try:
        to, specs = str(given["to"]["id"]), given["types"]
        first = specs[0]["associationTypeId"]
    except (TypeError, KeyError, IndexError):
        raise refuse_json() from None
    pair = portal.associations.pair_of(kind.name, first)
    if pair is None:
        raise refuse(f"Association type id {first} doesn't exist from {kind.name}")
    types = portal.associations.read_types(pair, specs)
    if as_id(to) not in portal.tables[pair[1]].live:
        noun = BY_ALIAS[pair[1]].singular.upper()
        raise refuse(f"{noun}={to} is not valid", sub_category="crm.associations.INVALID_OBJECT_IDS")
    return Link(pair, int(to), types)


# -- carrying out


def commit(portal: Portal, draft: Draft) -> Record:
    """Carry out a checked write."""
    stored, company = _split_company(draft)
    if draft.record is None:
        record = _create(portal, draft, stored)
    else:
        record = draft.record
        overwrite(portal, draft.kind, record, stored, portal.actor)
    for link in draft.links:
        portal.associations.link(link.pair, record.id, link.to, link.types)
    _set_primary_company(portal, record.id, company)
    return record


def _create(portal: Portal, draft: Draft, stored: Changes) -> Record:
    values = {name: value for name, value in stored.items() if value is not None}
    record = Record(draft.record_id, values, portal.now(), portal.actor)
    stage = _first_stage(portal, draft.kind)
    if stage and STAGE not in values:
        record.fill(STAGE, stage, setting(portal.settings.automation_source))
    portal.tables[draft.kind.name].add(record)
    _claim(portal, draft.kind, record, values)
    portal.news.created(draft.kind.name, record)
    portal.note_written(draft.kind, record, values)
    return record


def _first_stage(portal: Portal, kind: ObjectType) -> str:
    """The lifecycle stage of a new contact or company that is given none; "" is none.

    Whoever creates one in HubSpot's pages gives it the first stage even where the setting is off (HubSpot Knowledge
    Base, "Use lifecycle stages").
    """
    definition = portal.properties[kind.name].defined.get(STAGE)
    if definition is None:
        return ""
    chosen = portal.settings.stage_on_create
    if not chosen and portal.actor.in_ui:
        return min(definition.allowed, key=definition.allowed.__getitem__, default="")
    return chosen if chosen in definition.allowed else ""


def overwrite(portal: Portal, kind: ObjectType, record: Record, changes: Changes, by: Actor) -> None:
    """Write values that have passed all checks over those of a live record."""
    _release(portal, kind, record, changes)
    at = portal.next_moment(record)
    differing = [name for name, value in changes.items() if record.values.get(name) != value]
    portal.news.changed(kind.name, record, changes, at, by)
    portal.tables[kind.name].write(record, changes, at, by)
    _claim(portal, kind, record, changes)
    portal.note_written(kind, record, differing)


def _claim(portal: Portal, kind: ObjectType, record: Record, changes: Mapping[str, str | None]) -> None:
    """Take the unique values that a write gives."""
    for name in portal.properties[kind.name].identifying:
        value = changes.get(name)
        if value is not None:
            portal.tables[kind.name].claim(name, value, record.id)


_UNTOUCHED = "untouched"


def _split_company(draft: Draft) -> tuple[Changes, str | None]:
    """`associatedcompanyid` is no stored value: writing it associates the company as the primary one."""
    if draft.kind is not CONTACTS or PRIMARY_COMPANY not in draft.changes:
        return draft.changes, _UNTOUCHED
    rest = {name: value for name, value in draft.changes.items() if name != PRIMARY_COMPANY}
    return rest, draft.changes[PRIMARY_COMPANY]


def _set_primary_company(portal: Portal, contact: int, company: str | None) -> None:
    pair = (CONTACTS.name, COMPANIES.name)
    if company is None:
        old = portal.associations.primary(pair, contact)
        if old is not None:
            portal.associations.unlink(pair, contact, old)
    elif company != _UNTOUCHED:
        portal.associations.link(pair, contact, int(company), (1,))


def _release(portal: Portal, kind: ObjectType, record: Record, changes: Changes) -> None:
    """Free the unique values that a write replaces."""
    table = portal.tables[kind.name]
    for name in portal.properties[kind.name].identifying:
        old = record.values.get(name)
        if name in changes and old is not None and old != changes[name]:
            table.release(name, old)


def archive(portal: Portal, kind: ObjectType, record: Record) -> None:
    """Archive a live record: its associations end, and its unique values are free unless a setting keeps them."""
    table = portal.tables[kind.name]
    portal.note_leaving(kind, record)
    if not portal.settings.archived_keeps_unique_value:
        release_all(portal, kind, record)
    table.severed[record.id] = portal.associations.forget(kind.name, record.id)
    table.archive(record, portal.next_moment(record))
    portal.news.archived(kind.name, record)


def release_all(portal: Portal, kind: ObjectType, record: Record) -> None:
    """Free every unique value of a record that goes."""
    _release(portal, kind, record, dict.fromkeys(portal.properties[kind.name].identifying))
    for address in further_addresses(record):
        portal.tables[kind.name].release("email", address)


def claim_all(portal: Portal, kind: ObjectType, record: Record) -> None:
    """Take every unique value of a record that comes back, or takes another one's place."""
    _claim(portal, kind, record, record.values)
    for address in further_addresses(record):
        portal.tables[kind.name].claim("email", address, record.id)


def further_addresses(record: Record) -> list[str]:
    """The addresses of a contact beside its main one, which merges have left to it."""
    return [address for address in record.values.get("hs_additional_emails", "").split(";") if address]
