"""Which properties an object type has, and how an administrator changes that (HubSpot docs, "Properties").

A `Definition` is kept for each; `Properties` answers the calls under `/crm/v3/properties/{type}` for one type.
Option lists that live elsewhere (owners, pipelines, stages) are filled in by whoever answers a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from connector.sandbox.hubspot.api.shapes import as_object, need, objects, take
from connector.sandbox.hubspot.definitions.schema import FIELDS, FORMS, GROUPS, YES_NO, Field, ObjectType
from connector.sandbox.hubspot.errors import ApiError, not_found, refuse
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.records import milestones
from connector.sandbox.hubspot.records.values import NORMALISERS

MOST_UNIQUE = 10  # unique properties per object type (HubSpot docs, "Properties")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_PAIRS: dict[str, frozenset[str]] = {
    "enumeration": frozenset({"booleancheckbox", "checkbox", "radio", "select"}),
    "bool": frozenset({"booleancheckbox"}),
    "string": frozenset({"text", "textarea", "html", "file", "phonenumber"}),
    "phone_number": frozenset({"phonenumber"}),
    "number": frozenset({"number", "calculation_equation"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date"}),
}
_UNIQUE_FIELDS = frozenset({"text", "number"})
_EDITABLE = frozenset({"label", "description", "groupName", "displayOrder", "hidden", "formField", "fieldType"})
EMAIL = ("contacts", "email")


@dataclass(slots=True)
class Definition:
    """One property. `options` are vendor-shaped; `read_only` values are refused when written."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    created: int
    updated: int
    options: list[dict[str, Any]] = field(default_factory=list)
    description: str = ""
    display_order: int = -1
    unique: bool = False
    hidden: bool = False
    form_field: bool = False
    hubspot_defined: bool = False
    calculated: bool = False
    read_only: bool = False
    edits_options: bool = True
    external: str | None = None
    archived_at: int | None = None
    allowed: dict[str, int] = field(default_factory=dict)  # option value -> rank by display order
    normalise: Callable[[str, Any], str] = NORMALISERS["string"]

    def rank_options(self) -> None:
        """Note what the options allow, and in which order, after they have changed."""
        ranked = sorted(self.options, key=lambda option: option["displayOrder"])
        self.allowed = {option["value"]: rank for rank, option in enumerate(ranked)}

    def view(self, options: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """The definition as HubSpot answers it; `options` replaces those which live elsewhere."""
        shown: dict[str, Any] = {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": self.options if options is None else options,
            "createdAt": to_iso(self.created),
            "updatedAt": to_iso(self.updated),
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.external is not None,
            "archived": self.archived_at is not None,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": self.hubspot_defined,
            "formField": self.form_field,
            "dataSensitivity": "non_sensitive",
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
        }
        if self.type in {"enumeration", "bool"}:
            shown["modificationMetadata"]["readOnlyOptions"] = not self.edits_options
        if self.external == "OWNER":
            shown["referencedObjectType"] = "OWNER"
        if self.archived_at is not None:
            shown["archivedAt"] = to_iso(self.archived_at)
        return shown


def _ship(kind: ObjectType, shipped: Field, order: int, at: int) -> Definition:
    """A definition of HubSpot's own."""
    value_type, field_type = FORMS[shipped.form]
    is_email = (kind.name, shipped.name) == EMAIL
    definition = Definition(
        name=shipped.name,
        label=shipped.label,
        type=value_type,
        field_type=field_type,
        group=GROUPS[kind.name][0][0],
        created=at,
        updated=at,
        options=_number_options(YES_NO if value_type == "bool" else shipped.options),
        display_order=order,
        form_field=shipped.writer == "people",
        hubspot_defined=True,
        calculated=shipped.writer == "calculation",
        read_only=shipped.writer != "people",
        edits_options=shipped.edits_options,
        external=shipped.external,
        normalise=NORMALISERS["email" if is_email else _normaliser(value_type, field_type)],
    )
    if shipped.external:  # what these may hold is checked against owners and pipelines
        definition.normalise = NORMALISERS["string"]
    definition.rank_options()
    return definition


def _normaliser(value_type: str, field_type: str) -> str:
    return "checkbox" if field_type == "checkbox" else value_type


def _number_options(pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(pairs)
    ]


class Properties:
    """The properties and property groups of one object type. `now` gives the time in milliseconds.

    `identifying` are the properties whose value names one record.
    """

    def __init__(self, kind: ObjectType, now: Callable[[], int]) -> None:
        self._kind = kind
        self._now = now
        born = now()
        self.defined = {
            shipped.name: _ship(kind, shipped, order, born) for order, shipped in enumerate(FIELDS[kind.name])
        }
        self._archived: dict[str, Definition] = {}
        self._of_stages: list[str] = []
        if milestones.LIFECYCLE_STAGE in self.defined:
            self._follow_lifecycle()
        self.identifying = [name for owner, name in (EMAIL,) if owner == kind.name]
        self._groups = {
            name: {"name": name, "label": label, "displayOrder": order, "archived": False}
            for order, (name, label) in enumerate(GROUPS[kind.name])
        }

    # -- definitions

    def all(self, *, archived: bool = False) -> list[Definition]:
        return list((self._archived if archived else self.defined).values())

    def get(self, name: str, *, archived: bool = False) -> Definition:
        """Raises 404 for a name that is not defined."""
        definition = (self._archived if archived else self.defined).get(name)
        if definition is None:
            raise not_found(f'Property "{name}" does not exist on object type {self._kind.type_id}')
        return definition

    def create(self, body: Any) -> Definition:
        """Define a property from a vendor-shaped body. Raises 400 for a bad definition, 409 if it exists."""
        body = as_object(body)
        name = need(body, "name")
        if not _NAME.fullmatch(name) or name.startswith("hs_"):
            raise refuse(f'Property name "{name}" is invalid: lower case, a letter first, then [a-z0-9_]')
        if name in self.defined:
            raise ApiError(409, "CONFLICT", f'A property named "{name}" already exists.')
        value_type, field_type = need(body, "type"), need(body, "fieldType")
        _check_pair(value_type, field_type)
        unique = take(body, "hasUniqueValue", False)
        if unique:
            self._check_unique(field_type)
        options: list[Any] = take(body, "options", [])
        if value_type == "bool" and not options:
            options = _number_options(YES_NO)
        external = _read_external(body, value_type)
        at = self._now()
        definition = Definition(
            name=name,
            label=need(body, "label"),
            type=value_type,
            field_type=field_type,
            group=self._known_group(need(body, "groupName")),
            created=at,
            updated=at,
            options=_read_options(options),
            description=take(body, "description", ""),
            display_order=take(body, "displayOrder", -1),
            unique=unique,
            hidden=take(body, "hidden", False),
            form_field=take(body, "formField", False),
            external=external,
            normalise=NORMALISERS["string" if external else _normaliser(value_type, field_type)],
        )
        definition.rank_options()
        self._archived.pop(name, None)
        self.defined[name] = definition
        if unique:
            self.identifying.append(name)
        return definition

    def update(self, name: str, body: Any) -> Definition:
        """Change what may be changed: for HubSpot's own properties at most the options."""
        definition, body = self.get(name), as_object(body)
        if _EDITABLE & body.keys() and definition.hubspot_defined:
            raise refuse(f'The definition of property "{name}" is read only')
        if "options" in body and (not definition.edits_options or definition.external):
            raise refuse(f'The options of property "{name}" are read only')
        options = _read_options(take(body, "options", definition.options))
        field_type = take(body, "fieldType", definition.field_type)
        _check_pair(definition.type, field_type)
        changed = replace(
            definition,
            label=take(body, "label", definition.label),
            description=take(body, "description", definition.description),
            group=self._known_group(take(body, "groupName", definition.group)),
            display_order=take(body, "displayOrder", definition.display_order),
            hidden=take(body, "hidden", definition.hidden),
            form_field=take(body, "formField", definition.form_field),
            field_type=field_type,
            options=options,
            updated=self._now(),
        )
        if not definition.hubspot_defined and definition.external is None:
            changed.normalise = NORMALISERS[_normaliser(changed.type, field_type)]
        changed.rank_options()
        self.defined[name] = changed
        if name == milestones.LIFECYCLE_STAGE and definition.hubspot_defined:
            self._follow_lifecycle()
        return changed

    def follow_stages(self, fields: Iterable[Field]) -> None:
        """Define the calculated properties of the stages there are now, in place of those there were."""
        known = {name: self.defined.pop(name) for name in self._of_stages}
        self._of_stages = []
        for shipped in fields:
            definition = known.get(shipped.name) or _ship(self._kind, shipped, len(self.defined), self._now())
            definition.label = shipped.label
            self.defined[shipped.name] = definition
            self._of_stages.append(shipped.name)

    def _follow_lifecycle(self) -> None:
        options = self.defined[milestones.LIFECYCLE_STAGE].options
        stages = ((one["value"], one["label"], milestones.LIFECYCLE_PIPELINE) for one in options)
        self.follow_stages(milestones.stage_fields(stages))

    def archive(self, name: str) -> None:
        """Raises 400 for HubSpot's own. The caller drops the values."""
        definition = self.get(name)
        if definition.hubspot_defined:
            raise refuse(f'Property "{name}" is defined by HubSpot and cannot be archived')
        definition.archived_at = self._now()
        self._archived[name] = self.defined.pop(name)
        if definition.unique:
            self.identifying.remove(name)

    def _check_unique(self, field_type: str) -> None:
        if field_type not in _UNIQUE_FIELDS:
            raise refuse("Only single-line text and number properties can have unique values")
        if sum(definition.unique for definition in self.defined.values()) >= MOST_UNIQUE:
            raise refuse(f"An object type can have at most {MOST_UNIQUE} properties with unique values")

    # -- groups

    def groups(self) -> list[dict[str, Any]]:
        return list(self._groups.values())

    def group(self, name: str) -> dict[str, Any]:
        if name not in self._groups:
            raise not_found(f'Property group "{name}" does not exist')
        return self._groups[name]

    def create_group(self, body: Any) -> dict[str, Any]:
        """`{name, label, displayOrder?}`. Raises 409 if the group exists."""
        body = as_object(body)
        name, label, order = need(body, "name"), need(body, "label"), take(body, "displayOrder", -1)
        if not _NAME.fullmatch(name):
            raise refuse(f'Property group name "{name}" is invalid')
        if name in self._groups:
            raise ApiError(409, "CONFLICT", f'A property group named "{name}" already exists.')
        self._groups[name] = {"name": name, "label": label, "displayOrder": order, "archived": False}
        return self._groups[name]

    def update_group(self, name: str, body: Any) -> dict[str, Any]:
        """Another label or place. Raises 404 for a group that does not exist."""
        group, body = self.group(name), as_object(body)
        changed = {part: take(body, part, group[part]) for part in ("label", "displayOrder")}
        self._groups[name] = {**group, **changed}
        return self._groups[name]

    def archive_group(self, name: str) -> None:
        """Raises 404 for a group that does not exist, 400 for one with properties (in words of our own)."""
        self.group(name)
        if any(definition.group == name for definition in self.defined.values()):
            raise refuse(f'Property group "{name}" still has properties and cannot be archived')
        del self._groups[name]

    def _known_group(self, name: str) -> str:
        if name not in self._groups:
            raise refuse(f'Property group "{name}" does not exist')
        return name


def _check_pair(value_type: str, field_type: str) -> None:
    if field_type not in _PAIRS.get(value_type, ()):
        raise refuse(f'Field type "{field_type}" does not go with type "{value_type}"')


def _read_external(body: dict[str, Any], value_type: str) -> str | None:
    """Whose ids the property takes for options: HubSpot's users, or nobody's (CRM API, "Create a property").

    Raises 400 for anything else, in words of our own.
    """
    wanted, referenced = take(body, "externalOptions", False), body.get("referencedObjectType")
    if not wanted and referenced is None:
        return None
    if not wanted or referenced != "OWNER" or value_type != "enumeration":
        raise refuse('"externalOptions" goes with type "enumeration" and the "referencedObjectType" "OWNER"')
    return "OWNER"


def _read_options(given: Any) -> list[dict[str, Any]]:
    """Options as they will be answered. Raises 400 for a missing label or value, or for a repeated one."""
    options = [
        {
            "label": need(option, "label"),
            "value": need(option, "value"),
            "displayOrder": take(option, "displayOrder", order),
            "hidden": take(option, "hidden", False),
            **({"description": option["description"]} if option.get("description") else {}),
        }
        for order, option in enumerate(objects(given))
    ]
    for part in ("value", "label"):
        if len({option[part] for option in options}) < len(options):
            raise refuse(f"Property options must have distinct {part}s")
    return options
