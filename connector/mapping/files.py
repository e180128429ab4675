"""What do the mapping files say? YAML with line numbers -> validated models -> `core.model.Pair`.

All findings are gathered before anything is raised, each with its file and line (F3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from connector.core.derived import LIFECYCLE_STAGE
from connector.core.model import FieldRule, MatchKey, OnTargetEdit, Pair, Rule, Side
from connector.errors import BadConfiguration, Finding
from connector.mapping.deletions import OnDelete
from connector.mapping.documents import Origin, Part, explain, find_place, read_yaml
from connector.mapping.match_keys import ID, KEYS
from connector.mapping.regions import countries_with_states
from connector.mapping.roles import ROLE_PAIR, RoleFile
from connector.mapping.scope_files import Scopes
from connector.mapping.suggestions import suggest
from connector.mapping.transforms import NAMES, WITH_VALUES, make_transform

PAIRS: Mapping[str, tuple[str, str]] = {
    "account-company": ("Account", "companies"),
    "contact-contact": ("Contact", "contacts"),
    "opportunity-deal": ("Opportunity", "deals"),
}
DEALS = "opportunity-deal"
REQUIRED: Mapping[str, Mapping[Side, tuple[str, ...]]] = {
    "account-company": {Side.SALESFORCE: ("Name",), Side.HUBSPOT: ("name",)},
    "contact-contact": {Side.SALESFORCE: ("LastName",), Side.HUBSPOT: ("lastname",)},
    "opportunity-deal": {
        Side.SALESFORCE: ("Name", "StageName", "CloseDate"),
        Side.HUBSPOT: ("dealname", "dealstage"),
    },
}
"""What the vendors demand of a new record (Salesforce object reference; HubSpot's guides per object)."""

OWNER: Mapping[Side, tuple[str, ...]] = {Side.SALESFORCE: ("OwnerId",), Side.HUBSPOT: ("hubspot_owner_id",)}
"""The field that is the owner of a record, of which there is one (A5, A6)."""

REGIONS = ("country", "state")
UNHIDDEN = ("stage", "owner", "reference")
"""Transforms of ids, which say nothing of a person by themselves, and which the journal has to tell (X2, L10)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DefaultValue(_Strict):
    """What a side gets where the other one has nothing to offer (O9, F4)."""

    salesforce: str | float | bool | None = Field(None, description="what Salesforce gets where HubSpot is blank")
    hubspot: str | float | bool | None = Field(None, description="what HubSpot gets where Salesforce is blank")


class WriteAs(_Strict):
    """How a country or state is written on each side."""

    salesforce: Literal["name", "code"] = Field("name", description="what Salesforce gets")
    hubspot: Literal["name", "code"] = Field("name", description="what HubSpot gets")


class FieldEntry(_Strict):
    """One mapped pair of fields."""

    salesforce: str | list[str] = Field(description="API name of the Salesforce field (two for a stage)")
    hubspot: str | list[str] = Field(description="internal name of the HubSpot property (two for a stage)")
    rule: Rule = Field(Rule.PREFER_SALESFORCE_UNLESS_BLANK, description="which side wins")
    transform: Literal[NAMES] = Field(  # type: ignore[valid-type]  # the table is the one place of names
        "text", description="how a value of one side looks on the other"
    )
    values: dict[str, str] = Field(default_factory=dict, description="value map, Salesforce: HubSpot")
    otherwise: Literal["error", "skip_field", "default"] = Field(
        "error",
        description="of a value without counterpart: make it a problem, leave it out, or take `default`",
    )
    default: DefaultValue = Field(DefaultValue(), description="what a side gets where the other one is blank")
    on_target_edit: OnTargetEdit = Field(
        OnTargetEdit.RESTORE,
        description="what becomes of an edit on the side that a one-way rule writes: put back, or left (F6)",
    )
    at_creation_only: bool = Field(
        False, description="write it when the partner is made, and report later differences only"
    )
    refers_to: str | None = Field(None, description="of a reference: the pair that it refers to")
    may_go_backwards: bool = Field(
        False, description="let the mapping lower or clear a lifecycle stage, which HubSpot takes in two steps (L8)"
    )
    personal: bool = Field(
        False, description="keep no value of it in the journal, only a keyed hash: undo may not know it then (G3)"
    )
    write_as: WriteAs | None = Field(None, description="countries and states: whether names or codes are written")
    country: str | None = Field(None, description="of a state, when all are of one country: its code, such as US")

    @model_validator(mode="after")
    def _agree(self) -> FieldEntry:
        if len(self.names(Side.SALESFORCE)) != len(self.names(Side.HUBSPOT)):
            raise ValueError(
                "name as many Salesforce fields as HubSpot properties → a stage has two of each, all else one"
            )
        if len(self.names(Side.SALESFORCE)) != (2 if self.transform == "stage" else 1):
            raise ValueError(
                "a stage is two fields a side, everything else is one → name one field, or use `transform: stage`"
            )
        if not all(name.strip() for side in Side for name in self.names(side)):
            raise ValueError("a field without a name → write its API name")
        if self.transform == "stage" and self.default != DefaultValue():
            raise ValueError("a stage takes no `default`: it would be two values → take it out")
        if self.values and self.transform not in WITH_VALUES:
            kinds = "`, `".join(WITH_VALUES)
            raise ValueError(f"`values` belongs to `transform: {kinds}` → add that, or take it out")
        if self.otherwise == "default" and self.default == DefaultValue():
            raise ValueError("`otherwise: default` needs a `default` → add `default: {hubspot: …}`")
        if self.refers_to is not None and (self.transform != "reference" or self.refers_to not in PAIRS):
            known = ", ".join(PAIRS)
            raise ValueError(f"`refers_to` belongs to `transform: reference` → it is one of {known}")
        if self.write_as is not None and self.transform not in REGIONS:
            raise ValueError("`write_as` belongs to `transform: country` and `state` → add one, or take it out")
        if self.country is not None and (self.transform != "state" or self.country not in countries_with_states()):
            known = ", ".join(countries_with_states())
            raise ValueError(f"`country` belongs to `transform: state` → it is one of {known}")
        if self.may_go_backwards and self.names(Side.HUBSPOT) != (LIFECYCLE_STAGE,):
            raise ValueError(f"`may_go_backwards` belongs to the property {LIFECYCLE_STAGE} → take it out")
        if self.personal and (self.transform in UNHIDDEN or LIFECYCLE_STAGE in self.names(Side.HUBSPOT)):
            raise ValueError("`personal` belongs to values, not to stages, owners and references → take it out")
        return self

    @property
    def sides_with_codes(self) -> frozenset[Side]:
        return frozenset(side for side in Side if self.write_as and getattr(self.write_as, side.value) == "code")

    def names(self, side: Side) -> tuple[str, ...]:
        given = self.salesforce if side is Side.SALESFORCE else self.hubspot
        return (given,) if isinstance(given, str) else tuple(given)


class PairFile(_Strict):
    """One file of `mappings/`."""

    pair: Literal["account-company", "contact-contact", "opportunity-deal"] = Field(
        description="which objects this file is about"
    )
    create_in: list[Side] = Field(description="sides on which a missing partner is created")
    match_on: list[str] | None = Field(None, description="how an existing partner is found, best way first")
    scope: Scopes = Field(Scopes(), description="which records sync, per side; the others are left alone (A8)")
    on_delete: OnDelete = Field(OnDelete(), description="what becomes of the partner of a deleted record")
    fields: list[FieldEntry] = Field(min_length=1, description="the mapped fields, each named once")


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """What the mapping needs of the settings: time zone (F7), default owners (A5), id fields (O10)."""

    time_zone: ZoneInfo
    default_owner: Mapping[Side, str]
    salesforce_id_property: str
    hubspot_id_field: str


@dataclass(frozen=True, slots=True)
class MappingFile:
    """One file that could be read: what it says, and where each part of it stands."""

    where: str
    parsed: PairFile | RoleFile
    document: Any = field(repr=False)

    def find(self, *part: int | str) -> tuple[int, int]:
        """Line and column of a part, such as `("fields", 0, "rule")`."""
        return find_place(self.document, part)

    def place(self, part: Part) -> tuple[str, int]:
        return self.where, self.find(*part)[0]


@dataclass(frozen=True, slots=True)
class MappingRead:
    """All mapping files: the pairs in order of dependency, the files by pair, and everything that is wrong."""

    pairs: Mapping[str, Pair]
    files: Mapping[str, MappingFile]
    findings: tuple[Finding, ...]


def load_pairs(files: Iterable[Origin], settings: MappingSettings) -> dict[str, Pair]:
    """Read mapping files into pairs, by pair name, in order of dependency.

    Raises:
        BadConfiguration: with every finding of every file, each with its line.
    """
    read = read_mapping(files, settings)
    if read.findings:
        raise BadConfiguration(list(read.findings))
    return dict(read.pairs)


def read_mapping(files: Iterable[Origin], settings: MappingSettings) -> MappingRead:
    """The same without raising: what is right, and what is wrong."""
    findings: list[Finding] = []
    read: dict[str, MappingFile] = {}
    for origin in files:
        one = _read(origin, findings)
        if one is None:
            continue
        name = one.parsed.pair
        if name in read:
            text = f"pair {name} is mapped by another file too: {read[name].where}"
            findings.append(Finding(*one.place(("pair",)), text, "keep one of the two files"))
        read.setdefault(name, one)
    pairs = {name: _build(one, settings) for name, one in read.items() if isinstance(one.parsed, PairFile)}
    roles = read.get(ROLE_PAIR)
    if roles is not None and isinstance(roles.parsed, RoleFile) and DEALS in pairs:
        pairs[DEALS] = replace(pairs[DEALS], roles=roles.parsed.build())
    return MappingRead({name: pairs[name] for name in PAIRS if name in pairs}, read, tuple(findings))


def _read(origin: Origin, findings: list[Finding]) -> MappingFile | None:
    """What a file says; None, with findings, if that makes no mapping."""
    before = len(findings)
    document = read_yaml(origin, findings)
    where = str(origin) if isinstance(origin, Path) else origin.where
    if len(findings) > before:
        return None
    if document is None:
        findings.append(
            Finding(where, 0, "is empty", "write a mapping, or delete the file; `connector init` has some")
        )
        return None
    about_roles = isinstance(document, dict) and document.get("pair") == ROLE_PAIR
    model = RoleFile if about_roles else PairFile
    try:
        found = MappingFile(where, model.model_validate(document), document)
    except ValidationError as error:
        findings += explain(error, document, where, model)
        return None
    if isinstance(found.parsed, PairFile):
        findings += _find_duplicates(found, found.parsed)
        unusable = [
            *_find_wrong_keys(found, found.parsed),
            *found.parsed.on_delete.find_faults(found.parsed.pair, found.place),
        ]
        findings += unusable
        if unusable:
            return None
    return found


def _find_duplicates(file: MappingFile, parsed: PairFile) -> Iterator[Finding]:
    """Each field belongs to one entry: two would write over one another."""
    for side in Side:
        owners: dict[str, int] = {}
        for position, entry in enumerate(parsed.fields):
            for name in entry.names(side):
                if name in owners:
                    line, column = file.find("fields", position, side.value)
                    first, _ = file.find("fields", owners[name])
                    text = f"{side} field {name} is mapped twice (first in line {first})"
                    yield Finding(file.where, line, text, "map each field once", column=column)
                owners.setdefault(name, position)


def _match_keys(parsed: PairFile) -> tuple[MatchKey, ...]:
    known = KEYS[parsed.pair]
    return tuple(known[name] for name in (known if parsed.match_on is None else parsed.match_on[1:]))


def _find_wrong_keys(file: MappingFile, parsed: PairFile) -> list[Finding]:
    """A2, A3, O8: a stored id is believed before anything else, and each pair has its own further keys."""
    findings = []
    known = (ID, *KEYS[parsed.pair])
    if parsed.match_on is not None and parsed.match_on[:1] != [ID]:
        text = f"match_on: `{ID}` comes first: a stored id is believed before anything else"
        findings.append(Finding(*file.place(("match_on",)), text, f"begin with `{ID}`"))
    for position, name in enumerate(parsed.match_on or ()):
        line, column = file.find("match_on", position)
        if name not in known:
            text = f"match_on: {parsed.pair} is not matched on {name!r}"
            remedy = suggest(name, known) or f"use some of {', '.join(known)}"
            findings.append(Finding(file.where, line, text, remedy, column=column))
        elif name in (parsed.match_on or ())[:position]:
            text = f"match_on: {name!r} stands there twice"
            findings.append(Finding(file.where, line, text, "name it once", column=column))
    return findings


def _build(file: MappingFile, settings: MappingSettings) -> Pair:
    parsed = file.parsed
    assert isinstance(parsed, PairFile)  # noqa: S101  # `read_mapping` has asked
    salesforce, hubspot = PAIRS[parsed.pair]
    partner = {Side.HUBSPOT: settings.salesforce_id_property, Side.SALESFORCE: settings.hubspot_id_field}
    return Pair(
        name=parsed.pair,
        salesforce=salesforce,
        hubspot=hubspot,
        fields=tuple(
            _build_rule(entry, settings, file.place(("fields", position)))
            for position, entry in enumerate(parsed.fields)
        ),
        creates=frozenset(parsed.create_in),
        required=REQUIRED[parsed.pair],
        partner_field=partner,
        match_on=_match_keys(parsed),
        deletes=parsed.on_delete.travels_from(parsed.pair),
        scope=parsed.scope.build(settings.time_zone, lambda part: file.place(("scope", *part))),
    )


def _build_rule(entry: FieldEntry, settings: MappingSettings, place: tuple[str, int]) -> FieldRule:
    defaults = {side: (given,) for side in Side if (given := getattr(entry.default, side.value)) is not None}
    if entry.transform == "owner":
        # A further owner has none that stands for it: blank is blank (A6).
        own = {side: (owner,) for side, owner in settings.default_owner.items() if entry.names(side) == OWNER[side]}
        defaults = own | defaults
    return FieldRule(
        salesforce=entry.names(Side.SALESFORCE),
        hubspot=entry.names(Side.HUBSPOT),
        rule=entry.rule,
        transform=make_transform(
            entry.transform,
            zone=settings.time_zone,
            values=entry.values,
            pair=entry.refers_to,
            codes=entry.sides_with_codes,
            country=entry.country,
        ),
        on_target_edit=entry.on_target_edit,
        at_creation_only=entry.at_creation_only,
        defaults=defaults,
        skip_untranslatable=entry.otherwise == "skip_field",
        may_go_backwards=entry.may_go_backwards,
        personal=entry.personal,
        place=place,
    )
