"""What an object and a field are, and how they are found by name.

Everything that differs from object to object is data made of these types (`objects.py`); a sandbox copies that
data into a `Schema` of its own, to which an administrator may add fields. Names are compared without case, as
Salesforce does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from connector.sandbox.salesforce.formula import Formula

TEXT_TYPES = frozenset(
    {"string", "textarea", "picklist", "multipicklist", "email", "phone", "url", "combobox", "id", "reference"}
)
NUMBER_TYPES = frozenset({"int", "double", "currency", "percent"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a picklist."""

    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object, as its describe tells it.

    `derived` fields have no stored value: a function of the row makes it (`formulas.py`), or the `formula`, for
    which a blank number is zero with `zeroes`. Of a new record a field that is not given is filled from `preset`,
    or counted on in the shape of `numbering` (`A-{0000}`). A reference says in `children` under which name its
    parent lists the rows that point to it, and in `cascade` whether they are deleted together with it.
    """

    name: str
    type: str
    label: str
    length: int = 0
    digits: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    derived: bool = False
    defaulted: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    choices: tuple[Choice, ...] = ()
    references: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    cascade: bool = False
    name_field: bool = False
    compound: str | None = None
    formula: Formula | None = None
    zeroes: bool = False
    preset: Formula | None = None
    numbering: str | None = None

    @property
    def filled(self) -> bool:
        """Whether a new record gets a value of its own accord."""
        chosen = any(choice.default for choice in self.choices)
        return chosen or self.preset is not None or self.numbering is not None

    @property
    def custom(self) -> bool:
        return self.name.lower().endswith("__c")

    @property
    def required(self) -> bool:
        """Whether a record cannot be created without it."""
        return self.createable and not self.nillable and not self.defaulted

    @property
    def keyed(self) -> bool:
        """Whether rows are found by its value without a scan."""
        return self.unique or self.external_id

    @property
    def filterable(self) -> bool:
        """Long text, addresses and the values of a history take part in no WHERE, ORDER BY or GROUP BY."""
        return self.type not in {"address", "anyType"} and not (self.type == "textarea" and self.length > 255)

    @property
    def indexed(self) -> bool:
        """Whether a parent is asked for the rows that point to it."""
        return self.children is not None


@dataclass(slots=True)
class SObject:
    """An object: its names, what may be done with it, and its fields by lower-case name, in order."""

    name: str
    prefix: str | None
    label: str
    plural: str
    fields: dict[str, Field] = field(default_factory=dict)
    writable: bool = True
    mergeable: bool = False
    recycled: bool = True
    relations: dict[str, Field] = field(default_factory=dict)
    required: dict[str, None] = field(default_factory=dict)
    filled: dict[str, None] = field(default_factory=dict)

    def add(self, added: Field) -> None:
        self.fields[added.name.lower()] = added
        self.required.pop(added.name, None)
        self.filled.pop(added.name, None)
        if added.required:
            self.required[added.name] = None
        if added.filled:
            self.filled[added.name] = None
        if added.relationship:
            self.relations[added.relationship.lower()] = added

    def remove(self, gone: Field) -> None:
        del self.fields[gone.name.lower()]
        self.relations.pop((gone.relationship or "").lower(), None)
        self.required.pop(gone.name, None)
        self.filled.pop(gone.name, None)

    def find(self, name: str) -> Field | None:
        return self.fields.get(name.lower())

    def related(self, name: str) -> Field | None:
        """The reference whose relationship has this name."""
        return self.relations.get(name.lower())

    @property
    def deletable(self) -> bool:
        return "isdeleted" in self.fields


class Schema:
    """The objects of one org."""

    def __init__(self, objects: Iterable[SObject]) -> None:
        self._objects: dict[str, SObject] = {}
        for original in objects:
            self.add(original)

    def add(self, original: SObject) -> SObject:
        """Take in a copy of an object and give it back."""
        own = replace(
            original, fields=dict(original.fields), relations=dict(original.relations),
            required=dict(original.required), filled=dict(original.filled),
        )  # fmt: skip
        self._objects[own.name.lower()] = own
        return own

    def remove(self, name: str) -> None:
        del self._objects[name.lower()]

    def find(self, name: str) -> SObject | None:
        return self._objects.get(name.lower())

    def __getitem__(self, name: str) -> SObject:
        return self._objects[name.lower()]

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._objects.values())

    def children(self, parent: str) -> Iterator[tuple[SObject, Field]]:
        """Each object and reference field by which rows hang below an object."""
        for child in self:
            for reference in child.fields.values():
                if reference.children is not None and parent in reference.references:
                    yield child, reference

    def by_prefix(self, prefix: str) -> SObject | None:
        return next((each for each in self if each.prefix == prefix), None)
