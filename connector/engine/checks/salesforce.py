"""Can Salesforce be used as the settings and mappings ask for it?

    version   the org still speaks it                        rights   what the user may do in general
    objects   seen, created and edited, by object            fields   there, seen, editable; or formulas
    id field  there, unique, an external id, editable        roles    of opportunities: created and deleted

What the user may not see looks to an API like what is not there. So each field that lacks is looked for in the
list of all fields too, and told as a matter of rights if it stands there (Object Reference, "FieldPermissions").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from connector.adapters.salesforce import Schema
from connector.adapters.salesforce_deletion import ROLE
from connector.adapters.salesforce_setup import find_field_names
from connector.core.model import FieldRule, Pair, ProblemClass, Rule, Side
from connector.engine.checks.found import (
    MAPPING,
    RIGHTS,
    Check,
    Definitions,
    State,
    attempt,
    attempt_login,
    check_filters,
    mapped,
)
from connector.engine.id_fields import (
    PLURALS,
    TO_MAKE,
    IdField,
    IdFieldState,
    describe_making,
    describe_mending,
    describe_opening,
    find_id_fields,
    missing_rights,
)
from connector.engine.world import COMPANIES, CONTACTS, DEALS, Connection
from connector.mapping.schema import OPTIONAL
from connector.mapping.suggestions import suggest

_DEMANDED_ELSEWHERE = {
    "PermissionsModifyAllData": "Modify All Data",
    "PermissionsModifyMetadata": "Modify Metadata Through Metadata API Functions",
}
_CLICKS = "Setup, Permission Sets, the one of the connector's user, Object Settings, {plural}, Edit: tick {acts}"


def check_salesforce(c: Connection, definitions: Definitions) -> Iterator[Check]:
    """About five calls. Adds to `definitions`."""
    address = f"{c.settings.salesforce.environment}_INSTANCE_URL"
    login = attempt_login("Salesforce login", address, lambda: _check_login(c))
    yield from login
    if any(one.state is State.NO_CONNECTION or one.cause is ProblemClass.CONNECTION for one in login):
        return
    yield from attempt("Salesforce fields", lambda: _check_schema(c, definitions))


def _check_login(c: Connection) -> Iterator[Check]:
    version, spoken = c.settings.salesforce.api_version, c.salesforce.versions()
    if spoken and version not in spoken:
        detail = f"the org does not speak {version} (any more); it speaks {spoken[0]} to {spoken[-1]}"
        remedy = f'set `salesforce.api_version: "{spoken[-1]}"`, or leave it out'
        yield Check("Salesforce API version", State.PROBLEM, detail, remedy, ProblemClass.CONNECTION)
        return
    rights = c.salesforce.permissions()
    yield Check("Salesforce login", State.OK, "is let in")
    yield Check("Salesforce API version", State.OK, version)
    yield from _check_sight(c, rights)
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
        RIGHTS,
    )


def _check_sight(c: Connection, rights: Mapping[str, bool]) -> Iterator[Check]:
    """An account is only deleted by a user who sees every opportunity that would go along (D2, D5)."""
    accounts = c.pairs.get(COMPANIES)
    sees_all = rights.get("PermissionsViewAllData") or rights.get("PermissionsModifyAllData")
    if accounts is not None and Side.HUBSPOT in accounts.deletes and not sees_all and c.settings.writes:
        detail = "`on_delete` lets deleted companies delete their accounts, but the user may not see all records"
        remedy = "give the user the permission View All Data, or let `on_delete` say `unlink` (D5)"
        yield Check("Salesforce rights", State.PROBLEM, detail, remedy, RIGHTS)


def _check_schema(c: Connection, definitions: Definitions) -> Iterator[Check]:
    schema = definitions.salesforce = c.salesforce.describe([*(pair.salesforce for pair in c.pairs.values()), ROLE])
    id_fields = {one.object: one for one in find_id_fields(c, schema) if schema.objects.get(one.object)}
    for pair in c.pairs.values():
        name = f"Salesforce {pair.salesforce}"
        if not schema.objects.get(pair.salesforce):
            remedy = _grant(pair.salesforce, "Read")
            yield Check(name, State.PROBLEM, "the user cannot see this object", remedy, RIGHTS)
            continue
        found = list(_check_missing_fields(c, pair, schema))
        if c.settings.writes:
            found += [*_check_object(pair, schema), *_check_deletion(pair, schema)]
        if c.settings.writes and schema.rights[pair.salesforce]["updateable"]:
            found += _check_closed_fields(pair, schema)
        if pair.salesforce in id_fields:
            found += _check_id_field(c, id_fields[pair.salesforce])
        known = schema.objects[pair.salesforce]
        found += check_filters(pair, Side.SALESFORCE, {field: str(one["type"]) for field, one in known.items()})
        number = sum(len(rule.salesforce) for rule in pair.fields)
        yield from found or [Check(name, State.OK, f"all of {number} mapped fields can be used")]
    if DEALS in c.pairs and CONTACTS in c.pairs:
        yield _check_roles(schema, writes=c.settings.writes)


def _check_deletion(pair: Pair, schema: Schema) -> Iterator[Check]:
    """The right to delete, where the mapping file wants it (D5)."""
    if Side.HUBSPOT in pair.deletes and not schema.rights[pair.salesforce]["deletable"]:
        detail = f"`on_delete` lets HubSpot's deletions delete records of {pair.salesforce}, but the user may not"
        remedy = f"{_grant(pair.salesforce, 'Delete')}; or let `on_delete` say `unlink` (D5)"
        yield Check(f"Salesforce {pair.salesforce}", State.PROBLEM, detail, remedy, RIGHTS)


def _grant(object_: str, acts: str) -> str:
    return _CLICKS.format(plural=PLURALS.get(object_, object_), acts=acts)


def _check_object(pair: Pair, schema: Schema) -> Iterator[Check]:
    """What the user may do with all records of the object, whatever the field."""
    name, rights = f"Salesforce {pair.salesforce}", schema.rights[pair.salesforce]
    if Side.SALESFORCE in pair.creates and not rights["createable"]:
        detail = f"the user may not create {PLURALS.get(pair.salesforce, pair.salesforce).lower()}"
        yield Check(name, State.PROBLEM, detail, _grant(pair.salesforce, "Create"), RIGHTS)
    written = [rule for rule in pair.fields if rule.rule.writes(Side.SALESFORCE) and not rule.at_creation_only]
    if written and not rights["updateable"]:
        always = any(rule.rule is not Rule.PREFER_SALESFORCE_UNLESS_BLANK for rule in written)
        detail = f"the user may not edit {PLURALS.get(pair.salesforce, pair.salesforce).lower()} at all"
        remedy = f"{_grant(pair.salesforce, 'Edit')}; or map every field with `rule: always_salesforce`"
        yield Check(name, State.PROBLEM if always else State.WARNING, detail, remedy, RIGHTS)


def _check_missing_fields(c: Connection, pair: Pair, schema: Schema) -> Iterator[Check]:
    """Mapped fields that the user does not see: hidden from it, or not there."""
    known = schema.objects[pair.salesforce]

    @cache
    def every() -> frozenset[str]:
        return find_field_names(c.salesforce, pair.salesforce)

    for _, field in mapped(pair, Side.SALESFORCE):
        if field in known or field in OPTIONAL:
            continue
        name = f"Salesforce {pair.salesforce}.{field}"
        if field in every():
            detail = "is there, but field-level security hides it from the user"
            yield Check(
                name, State.PROBLEM, detail, _open([field], pair.salesforce, "Read and Edit Access"), RIGHTS
            )
            continue
        remedy = "correct the name in `mappings/`, or make the field and give the connector access to it"
        detail = "is mapped, but the user sees no such field"
        yield Check(name, State.PROBLEM, detail, f"{suggest(field, known)} {remedy}".lstrip(), MAPPING)


def _open(fields: Sequence[str], object_: str, access: str) -> str:
    return f"{_grant(object_, access)} of {', '.join(fields)}"


def _check_closed_fields(pair: Pair, schema: Schema) -> Iterator[Check]:
    """Mapped fields that a rule writes but the user may not."""
    known, name = schema.objects[pair.salesforce], f"Salesforce {pair.salesforce}"
    closed: dict[bool, list[str]] = {True: [], False: []}
    for rule, field in mapped(pair, Side.SALESFORCE):
        if field not in known or not rule.rule.writes(Side.SALESFORCE) or _may_write(rule, field, schema, pair):
            continue
        if known[field].get("calculated"):
            remedy = "map it with `rule: always_salesforce`, or map another field"
            detail = f"is a formula, which nobody can edit, but its rule {rule.rule} writes it"
            yield Check(f"{name}.{field}", State.PROBLEM, detail, remedy, MAPPING)
            continue
        closed[rule.rule is Rule.PREFER_SALESFORCE_UNLESS_BLANK].append(field)
    for blank_only, fields in closed.items():
        if fields:
            state = State.WARNING if blank_only else State.PROBLEM
            what = "so blanks there stay blank" if blank_only else "but their rules write them"
            remedy = f"{_open(fields, pair.salesforce, 'Edit Access')}; or map them with `rule: always_salesforce`"
            yield Check(name, state, f"the user may not edit {', '.join(fields)}, {what}", remedy, RIGHTS)


def _may_write(rule: FieldRule, field: str, schema: Schema, pair: Pair) -> bool:
    right = "createable" if rule.at_creation_only else "updateable"
    return bool(schema.objects[pair.salesforce][field][right])


def _check_roles(schema: Schema, *, writes: bool) -> Check:
    """Contact roles are made and removed, never only edited (R1, R2, R3)."""
    name = f"Salesforce {ROLE}"
    if not schema.objects.get(ROLE):
        return Check(name, State.PROBLEM, "the user cannot see this object", _grant("Opportunity", "Read"), RIGHTS)
    if not writes:
        return Check(name, State.OK, "can be read")
    rights = schema.rights[ROLE]
    missing = [act for act, right in (("create", "createable"), ("delete", "deletable")) if not rights[right]]
    if missing:
        detail = f"the user may not {' or '.join(missing)} contact roles"
        remedy = _grant("Opportunity", "Edit") + ", on which contact roles depend"
        return Check(name, State.PROBLEM, detail, remedy, RIGHTS)
    return Check(name, State.OK, "can be created and deleted")


def _check_id_field(c: Connection, one: IdField) -> Iterator[Check]:
    """The external id field that keeps what was born in HubSpot from being created twice (O10)."""
    name, wait = f"Salesforce {one.full_name}", "so new HubSpot records wait"
    match one.state:
        case IdFieldState.MISSING:
            may = not missing_rights(c.salesforce.permissions(), TO_MAKE)
            remedy = "`connector setup` makes it" if may else f"ask an administrator: {describe_making(one)}"
            yield Check(name, State.PROBLEM, f"is not there, {wait}", remedy, MAPPING)
        case IdFieldState.HIDDEN:
            detail = f"is there, but field-level security hides it from the user, {wait}"
            remedy = f"`connector setup` opens it, or an administrator: {describe_opening(one)}"
            yield Check(name, State.PROBLEM, detail, remedy, RIGHTS)
        case IdFieldState.UNKNOWN:
            detail = f"is not there, or hidden from the user, who may not look; {wait}"
            remedy = (
                f"ask an administrator. If it is missing: {describe_making(one)}. If not: {describe_opening(one)}"
            )
            yield Check(name, State.PROBLEM, detail, remedy, RIGHTS)
        case IdFieldState.UNFIT if c.settings.writes or one.wrong != ("editable",):
            cause = RIGHTS if one.wrong == ("editable",) else MAPPING
            detail = f"is not {' and not '.join(one.wrong)}"
            yield Check(name, State.PROBLEM, detail, describe_mending(one), cause)
