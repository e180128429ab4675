"""Has Salesforce the field that stores HubSpot's id, and may our user write it? If not, who can do what about it?

    there     nothing is to be done
    missing   it has to be made, and opened to our user
    hidden    it is there, and field-level security keeps it from our user
    unknown   our user sees none, and may not look whether there is one
    unfit     it is there, and is not unique, no external id, or read-only

Only where deals, contacts or companies become Salesforce records (O10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from connector.adapters.salesforce import Schema
from connector.adapters.salesforce_setup import (
    ASSIGN,
    CUSTOMIZE,
    ID_LENGTH,
    MANAGE,
    PERMISSION_SET_LABEL,
    find_custom_field,
)
from connector.core.model import Side

if TYPE_CHECKING:
    from connector.engine.world import Connection

PLURALS = {"Account": "Accounts", "Contact": "Contacts", "Opportunity": "Opportunities"}


class IdFieldState(StrEnum):
    THERE = "there"
    MISSING = "missing"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class IdField:
    """The external id field of one object. `wrong` says what an unfit one is not."""

    object: str
    name: str
    state: IdFieldState
    wrong: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.object}.{self.name}"

    @property
    def label(self) -> str:
        return self.name.removesuffix("__c").replace("_", " ")


def find_id_fields(c: Connection, schema: Schema) -> Iterator[IdField]:
    """The id field of each object in which records are created. One call for each that our user does not see."""
    for pair in c.pairs.values():
        name = pair.partner_field.get(Side.SALESFORCE)
        if name is None or Side.SALESFORCE not in pair.creates:
            continue
        known = schema.objects.get(pair.salesforce, {}).get(name)
        if known is None:
            there = find_custom_field(c.salesforce, pair.salesforce, name)
            states = {None: IdFieldState.UNKNOWN, True: IdFieldState.HIDDEN, False: IdFieldState.MISSING}
            yield IdField(pair.salesforce, name, states[there])
            continue
        facts = (("unique", "unique"), ("an external id", "externalId"), ("editable", "createable"))
        wrong = tuple(word for word, fact in facts if not known.get(fact))
        yield IdField(pair.salesforce, name, IdFieldState.UNFIT if wrong else IdFieldState.THERE, wrong)


def describe_making(one: IdField) -> str:
    """What an administrator clicks to make the field."""
    return (
        f"Setup, Object Manager, {one.object}, Fields & Relationships, New: Text, Field Label `{one.label}`,"
        f" Length {ID_LENGTH}, Field Name `{one.name.removesuffix('__c')}`, tick Unique (case sensitive) and"
        " External ID; make it visible to the connector's user"
    )


def describe_opening(one: IdField) -> str:
    """What an administrator clicks to let our user see and edit the field."""
    return (
        f"Setup, Permission Sets, New `{PERMISSION_SET_LABEL}` (or one that the connector's user has), Object"
        f" Settings, {PLURALS.get(one.object, one.object)}, Edit: tick Read and Edit Access of {one.label}, Save;"
        " Manage Assignments, Add Assignment: the connector's user"
    )


def describe_mending(one: IdField) -> str:
    """What an administrator clicks to make an unfit field fit."""
    if one.wrong == ("editable",):
        return describe_opening(one)
    return (
        f"Setup, Object Manager, {one.object}, Fields & Relationships, {one.label}, Edit: tick External ID and"
        " Unique; or choose another field with `salesforce.id_field`"
    )


_TITLES = {
    CUSTOMIZE: "Customize Application",
    MANAGE: "Manage Profiles and Permission Sets",
    ASSIGN: "Assign Permission Sets",
}
TO_MAKE, TO_OPEN = (CUSTOMIZE,), (MANAGE, ASSIGN)
"""The permissions that it takes to make a field, and to open one to our user."""


def missing_rights(rights: Mapping[str, bool], needed: Iterable[str]) -> list[str]:
    """Those of the permissions that our user lacks, by the titles that an administrator knows."""
    return [_TITLES[name] for name in needed if not rights.get(name)]
