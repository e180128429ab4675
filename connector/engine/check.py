"""Would a sync work, and if not, what is to be done?

    Salesforce   login, rights, objects and fields, the external id field, API calls left
    HubSpot      token, scopes, properties, our own properties, API calls left
    both         whether every record type gets a pipeline

Reads both CRMs and writes to neither. A check that fails does not keep those from being made that do not
depend on it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from connector.adapters.base import Usage
from connector.adapters.hubspot import PRIMARY_COMPANY, Property
from connector.adapters.salesforce import Schema
from connector.core.model import FieldRule, Pair, ProblemClass, Rule, Side
from connector.core.pipelines import plan_pipelines
from connector.engine.scope import find_scope_faults
from connector.engine.world import (
    DEALS,
    Connection,
    find_pipeline_problems,
    missing_id_field,
    missing_properties,
    remembered_homes,
)
from connector.errors import Unreachable

FEW_CALLS = 1000
OPTIONAL = {"RecordTypeId", "CurrencyIsoCode", PRIMARY_COMPANY}
"""Fields that many orgs do not have, and the association that is no property."""

_DEMANDED_ELSEWHERE = {
    "PermissionsModifyAllData": "Modify All Data",
    "PermissionsModifyMetadata": "Modify Metadata Through Metadata API Functions",
}
_NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}


class State(StrEnum):
    """NO_CONNECTION: the whole side cannot be used."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NO_CONNECTION = "no connection"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `remedy` says what to do unless it is fine."""

    name: str
    state: State
    detail: str
    remedy: str = ""


def check(c: Connection) -> list[Check]:
    """Look at everything a sync needs. Takes about six Salesforce calls and seven HubSpot calls."""
    checks = [_check_mapping(c)]
    salesforce = list(_check_salesforce(c))
    hubspot = list(_check_hubspot(c))
    checks += salesforce + hubspot
    connected = all(one.state is not State.NO_CONNECTION for one in checks)
    if connected and DEALS in c.pairs:
        checks += _attempt("pipelines", lambda: _check_pipelines(c))
    for side, usage in ((Side.SALESFORCE, c.salesforce.usage()), (Side.HUBSPOT, c.hubspot.usage())):
        checks += _check_calls_left(side, usage)
    return checks


def _attempt(name: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """What `look` finds; if a CRM does not let it, that."""
    try:
        return list(look())
    except Unreachable as error:
        return [Check(name, State.PROBLEM, error.message, _remedy(error))]


def _attempt_login(name: str, address: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """The same for the first call to a side, on which all others depend. `address`: the variable that has it."""
    try:
        return list(look())
    except Unreachable as error:
        lost = error.cause == ProblemClass.CONNECTION
        remedy = f"check {address}, the network, and the vendor's status page" if lost else _remedy(error)
        return [Check(name, State.NO_CONNECTION, error.message, remedy)]


def _remedy(error: Unreachable) -> str:
    """Whoever reads this has run `connector check` already."""
    return "" if "connector check" in error.remedy else error.remedy


def _check_mapping(c: Connection) -> Check:
    fields = sum(len(pair.fields) for pair in c.pairs.values())
    return Check("settings and mappings", State.OK, f"{', '.join(c.pairs)}; {fields} mapped fields")


# --- Salesforce -------------------------------------------------------------------------------------------


def _check_salesforce(c: Connection) -> Iterator[Check]:
    address = f"{c.settings.salesforce.environment}_INSTANCE_URL"
    login = _attempt_login("Salesforce login", address, lambda: _check_rights(c))
    yield from login
    if login[0].state is State.NO_CONNECTION:
        return
    yield from _attempt("Salesforce fields", lambda: _check_schema(c))


def _check_rights(c: Connection) -> Iterator[Check]:
    rights = c.salesforce.permissions()
    yield Check("Salesforce login", State.OK, "is let in")
    missing = [title for name, title in _DEMANDED_ELSEWHERE.items() if not rights.get(name)]
    if len(missing) < len(_DEMANDED_ELSEWHERE):
        yield Check("Salesforce rights", State.OK, "sees and edits all records")
        return
    yield Check(
        "Salesforce rights",
        State.WARNING,
        f"the user has neither {' nor '.join(missing)}, which HubSpot's own integration demands;"
        " here everything works that the user may see and edit, and records out of sight are left alone",
        "give the user one of both, or share all records that are to be synced with it (P3)",
    )


def _check_schema(c: Connection) -> Iterator[Check]:
    schema = c.salesforce.describe([pair.salesforce for pair in c.pairs.values()])
    for pair in c.pairs.values():
        name = f"Salesforce {pair.salesforce}"
        if not schema.objects.get(pair.salesforce):
            remedy = f"give the user's profile or a permission set read and edit access to {pair.salesforce}"
            yield Check(name, State.PROBLEM, "the user cannot see this object", remedy)
            continue
        found = [*_check_fields(pair, schema), *_check_id_field(pair, schema)]
        known = schema.objects[pair.salesforce]
        found += _check_scope(pair, Side.SALESFORCE, {field: str(one["type"]) for field, one in known.items()})
        number = sum(len(rule.salesforce) for rule in pair.fields)
        yield from found or [Check(name, State.OK, f"all of {number} mapped fields can be used")]


def _check_fields(pair: Pair, schema: Schema) -> Iterator[Check]:
    """Mapped fields that lack, and those that a rule writes but the user may not."""
    known = schema.objects[pair.salesforce]
    closed: dict[bool, list[str]] = {True: [], False: []}
    for rule, field in _mapped(pair, Side.SALESFORCE):
        if field not in known:
            if field not in OPTIONAL:
                name = f"Salesforce {pair.salesforce}.{field}"
                yield Check(name, State.PROBLEM, "is mapped, but the user sees no such field", _lacks(field, known))
            continue
        right = "createable" if rule.at_creation_only else "updateable"
        if rule.rule.writes(Side.SALESFORCE) and not known[field][right]:
            closed[rule.rule is Rule.PREFER_SALESFORCE_UNLESS_BLANK].append(field)
    remedy = "give the user edit access to the object and these fields, or map them with `rule: always_salesforce`"
    name = f"Salesforce {pair.salesforce}"
    if closed[False]:
        detail = f"the user may not edit {', '.join(closed[False])}, but their rules write them"
        yield Check(name, State.PROBLEM, detail, remedy)
    if closed[True]:
        detail = f"the user may not edit {', '.join(closed[True])}, so blanks there stay blank"
        yield Check(name, State.WARNING, detail, remedy)


def _check_scope(pair: Pair, side: Side, types: Mapping[str, str]) -> Iterator[Check]:
    """The conditions of a scope filter that ask for what is not there (A8). `types` are those of the fields."""
    for one in find_scope_faults(pair, side, types.get):
        name = f"{_NAMES[side]} {pair.object(side)}"
        yield Check(name, State.PROBLEM, f"{one.where}:{one.line}: {one.message}", one.remedy)


def _check_id_field(pair: Pair, schema: Schema) -> Iterator[Check]:
    """The external id field that keeps what was born in HubSpot from being created twice (O10)."""
    name = pair.partner_field.get(Side.SALESFORCE)
    if name is None or Side.SALESFORCE not in pair.creates:
        return
    known = schema.objects[pair.salesforce].get(name)
    title = f"Salesforce {pair.salesforce}.{name}"
    if known is None:
        lacking = missing_id_field(pair, name)
        yield Check(title, State.PROBLEM, lacking.detail, lacking.remedy)
        return
    wrong = [
        word
        for word, fact in (("unique", "unique"), ("an external id", "externalId"), ("editable", "createable"))
        if not known.get(fact)
    ]
    if wrong:
        remedy = "tick External ID and Unique in the field's definition, and give the user edit access to it"
        yield Check(title, State.PROBLEM, f"is not {' and not '.join(wrong)}", remedy)


# --- HubSpot ----------------------------------------------------------------------------------------------


def _check_hubspot(c: Connection) -> Iterator[Check]:
    address = f"{c.settings.hubspot.environment}_BASE_URL"
    login = _attempt_login("HubSpot token", address, lambda: _check_account(c))
    yield from login
    if login[0].state is State.NO_CONNECTION:
        return
    yield from _attempt("HubSpot scopes", lambda: _check_scopes(c))
    properties: dict[str, Mapping[str, Property]] = {}
    for pair in c.pairs.values():
        yield from _attempt(f"HubSpot {pair.hubspot}", partial(_check_properties, c, pair, properties))
    if len(properties) == len(c.pairs):
        yield from _check_own_properties(c, properties)


def _check_account(c: Connection) -> Iterator[Check]:
    account = c.hubspot.account()
    currency, zone = account.get("companyCurrency"), account.get("timeZone")
    yield Check("HubSpot token", State.OK, f"portal {account.get('portalId')}, {currency}, {zone}")


def needed_scopes(pairs: Iterable[Pair]) -> list[str]:
    """The scopes that an access token must have to sync these pairs."""
    scopes = ["crm.objects.owners.read"]
    for pair in pairs:
        for area in ("objects", "schemas"):
            scopes += [f"crm.{area}.{pair.hubspot}.{act}" for act in ("read", "write")]
    return scopes


def _check_scopes(c: Connection) -> Iterator[Check]:
    needed, held = needed_scopes(c.pairs.values()), c.hubspot.scopes()
    if held is None:
        detail = "HubSpot does not tell the scopes of this kind of token"
        remedy = f"make sure that it has {', '.join(needed)}"
        yield Check("HubSpot scopes", State.WARNING, detail, remedy)
        return
    missing = [scope for scope in needed if scope not in held]
    if missing:
        remedy = "add them in HubSpot: Settings, Integrations, Private Apps, your app, Scopes"
        yield Check("HubSpot scopes", State.PROBLEM, f"the token lacks {', '.join(missing)}", remedy)
    else:
        yield Check("HubSpot scopes", State.OK, f"all {len(needed)} that are needed")


def _check_properties(c: Connection, pair: Pair, properties: dict[str, Mapping[str, Property]]) -> Iterator[Check]:
    """Mapped properties that lack, and those that a rule writes but nobody may. Adds to `properties`."""
    known = properties[pair.hubspot] = c.hubspot.properties(pair.hubspot)
    fine = True
    for rule, name in _mapped(pair, Side.HUBSPOT):
        title = f"HubSpot {pair.hubspot}.{name}"
        if name not in known:
            if name in OPTIONAL:
                continue
            fine = False
            yield Check(title, State.PROBLEM, "is mapped, but there is no such property", _lacks(name, known))
        elif known[name].read_only and rule.rule.writes(Side.HUBSPOT):
            fine = False
            detail = f"is read-only, but its rule {rule.rule} writes it"
            yield Check(title, State.PROBLEM, detail, "map it with `rule: always_hubspot`, or map another property")
    faults = list(_check_scope(pair, Side.HUBSPOT, {name: one.type for name, one in known.items()}))
    yield from faults
    if fine and not faults:
        number = sum(len(rule.hubspot) for rule in pair.fields)
        yield Check(f"HubSpot {pair.hubspot}", State.OK, f"all of {number} mapped properties can be used")


def _check_own_properties(c: Connection, properties: Mapping[str, Mapping[str, Property]]) -> Iterator[Check]:
    name = c.settings.hubspot.id_property
    for object_, known in properties.items():
        if name in known and not known[name].unique:
            remedy = "archive that property, or choose another name with `hubspot.id_property`"
            yield Check(f"HubSpot {object_}.{name}", State.PROBLEM, "exists, but its values are not unique", remedy)
    missing = list(missing_properties(c, properties))
    if missing:
        detail = f"{len(missing)} will be made by the first sync, such as {missing[0].object}.{missing[0].name}"
        yield Check("HubSpot own properties", State.OK, detail)
    else:
        yield Check("HubSpot own properties", State.OK, "are there")


# --- both -------------------------------------------------------------------------------------------------


def _check_pipelines(c: Connection) -> Iterator[Check]:
    """Whether there is room for a pipeline of each record type (O2, O3)."""
    record_types = c.salesforce.record_types(c.salesforce.set_up())
    plan = plan_pipelines(record_types, c.hubspot.pipelines(), c.settings.pipeline_settings(), remembered_homes(c))
    problems = list(find_pipeline_problems(plan, c.settings.pipelines.limit))
    yield from (Check("pipelines", State.PROBLEM, one.detail, one.remedy) for one in problems)
    if not problems:
        number = len(plan.actions)
        later = f"; the next sync makes or changes {number} pipelines or stages" if number else ""
        yield Check("pipelines", State.OK, f"{len(record_types)} record types, each with its pipeline{later}")


def _check_calls_left(side: Side, usage: Usage) -> Iterator[Check]:
    if usage.left is None:
        return
    name, detail = f"{_NAMES[side]} API calls", f"{usage.left:,} left today"
    if usage.left < FEW_CALLS:
        remedy = "`connector plan` tells the price of a sync; run it when more calls are free"
        yield Check(name, State.WARNING, detail, remedy)
    else:
        yield Check(name, State.OK, detail)


def _mapped(pair: Pair, side: Side) -> Iterator[tuple[FieldRule, str]]:
    return ((rule, name) for rule in pair.fields if rule.rule is not Rule.DONT_SYNC for name in rule.names(side))


def _lacks(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}correct the name in `mappings/`, or make the field and give the connector access to it"
