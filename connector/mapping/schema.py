"""What is known of the fields of both CRMs, as far as a mapping can be right or wrong about them.

Plain data: the engine fills it from what the vendors tell, the store remembers it, and the checks ask it.

| kind        | Salesforce                          | HubSpot                                     |
|-------------|-------------------------------------|---------------------------------------------|
| text        | string, encryptedstring, id         | string                                      |
| long text   | textarea                            | string, entered as textarea or html         |
| email, link | email; url                          | -                                           |
| phone       | phone                               | phone_number; string, entered as one        |
| number      | double, currency, percent           | number                                      |
| whole       | int, long                           | -                                           |
| truth       | boolean                             | bool; enumeration, entered as booleancheckbox |
| choice      | picklist, combobox                  | enumeration                                 |
| choices     | multipicklist                       | enumeration, entered as checkbox            |
| day, moment | date; datetime                      | date; datetime                              |
| owner       | OwnerId                             | a HubSpot user                              |
| reference   | reference                           | the primary company, which is an association |
| other       | time, address, location, base64     | object_coordinates, json, file              |

A type that is not in the table is unknown, and nothing is held against it.

Sources: Salesforce, Object Reference, "Field Types"; HubSpot, guide "Properties", property type and fieldType.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connector.core.model import Side

OPTIONAL = frozenset({"RecordTypeId", "CurrencyIsoCode", "deal_currency_code", "primary_company"})
"""Mapped fields that many orgs or portals lack without harm, and the association that is no property."""
OWNERS = frozenset({"OwnerId", "hubspot_owner_id"})
LONGEST_TEXT = 65_536
"""Characters that a HubSpot property of type string takes (guide "Properties")."""


class Kind(StrEnum):
    """What sort of values a field holds."""

    TEXT = "text"
    LONG_TEXT = "long text"
    EMAIL = "e-mail"
    PHONE = "phone"
    LINK = "link"
    NUMBER = "number"
    WHOLE = "whole number"
    TRUTH = "true or false"
    CHOICE = "choice"
    CHOICES = "several choices"
    DAY = "day"
    MOMENT = "moment"
    OWNER = "owner"
    REFERENCE = "reference"
    OTHER = "other"
    UNKNOWN = "of a type that the vendor has made since"


TEXTS = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.PHONE, Kind.LINK})
NUMBERS = frozenset({Kind.NUMBER, Kind.WHOLE})


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One field or property, as the connector's user sees it. `None` and blank: not told.

    `type` is the vendor's word, `entered_as` HubSpot's fieldType. `computed` says in words who else writes it.
    `length` counts characters; `digits` those of a number in all, `scale` those after the point. `options` are
    (value, label); `closed`: no other value is taken. `required`: a new record needs it, and has no default.
    """

    name: str
    type: str
    label: str = ""
    entered_as: str = ""
    createable: bool = True
    updateable: bool = True
    computed: str = ""
    required: bool = False
    length: int | None = None
    digits: int | None = None
    scale: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    closed: bool = False
    rich: bool = False
    owner: bool = False

    @property
    def kind(self) -> Kind:
        if self.owner:
            return Kind.OWNER
        if self.type in {"string", "enumeration"} and self.entered_as in _BY_ENTRY:
            return _BY_ENTRY[self.entered_as]
        return _BY_TYPE.get(self.type, Kind.UNKNOWN)

    @property
    def values(self) -> tuple[str, ...]:
        """The values of its options."""
        return tuple(value for value, _ in self.options)

    @property
    def described(self) -> str:
        """Its type in the vendor's words: `currency`, `string (textarea)`."""
        plain = not self.entered_as or self.entered_as in {"text", self.type}
        return self.type if plain else f"{self.type} ({self.entered_as})"


_BY_ENTRY = {
    "textarea": Kind.LONG_TEXT, "html": Kind.LONG_TEXT, "phonenumber": Kind.PHONE, "file": Kind.OTHER,
    "booleancheckbox": Kind.TRUTH, "checkbox": Kind.CHOICES,
}  # fmt: skip
_BY_TYPE = {
    "string": Kind.TEXT, "encryptedstring": Kind.TEXT, "id": Kind.TEXT, "textarea": Kind.LONG_TEXT,
    "email": Kind.EMAIL, "phone": Kind.PHONE, "phone_number": Kind.PHONE, "url": Kind.LINK, "double": Kind.NUMBER,
    "currency": Kind.NUMBER, "percent": Kind.NUMBER, "number": Kind.NUMBER, "int": Kind.WHOLE, "long": Kind.WHOLE,
    "boolean": Kind.TRUTH, "bool": Kind.TRUTH, "picklist": Kind.CHOICE, "combobox": Kind.CHOICE,
    "enumeration": Kind.CHOICE, "multipicklist": Kind.CHOICES, "date": Kind.DAY, "datetime": Kind.MOMENT,
    "reference": Kind.REFERENCE, "association": Kind.REFERENCE,
    **dict.fromkeys(("time", "address", "location", "base64", "object_coordinates", "json", "file"), Kind.OTHER),
}  # fmt: skip

ObjectFacts = Mapping[str, FieldFacts]
"""The fields of one object by name."""
Schemas = Mapping[Side, Mapping[str, ObjectFacts]]
"""Of each side the objects by name. An object that is not in it is not known; one without fields is not seen."""


def dump_schemas(schemas: Schemas) -> dict[str, Any]:
    """As JSON has it."""
    return {
        side.value: {name: [_dump(one) for one in fields.values()] for name, fields in objects.items()}
        for side, objects in schemas.items()
    }


def load_schemas(dumped: Mapping[str, Any]) -> Schemas:
    """What `dump_schemas` made; what it does not know is left out, so that other versions' facts can be read."""
    return {
        side: {name: {one["name"]: _load(one) for one in fields} for name, fields in dumped.get(side, {}).items()}
        for side in Side
    }


def _dump(facts: FieldFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in FieldFacts.__dataclass_fields__}


def _load(dumped: Mapping[str, Any]) -> FieldFacts:
    known = {name: dumped[name] for name in FieldFacts.__dataclass_fields__ if name in dumped}
    return FieldFacts(**{**known, "options": tuple((str(value), str(label)) for value, label in known["options"])})
