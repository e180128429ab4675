"""What do the mapping files say? YAML with line numbers -> validated models -> `core.model.Pair`.

All findings are gathered before anything is raised, each with its file and line (F3).
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning
from ruamel.yaml.reader import ReaderError

from connector.core.derived import LIFECYCLE_STAGE
from connector.core.model import FieldRule, MatchKey, OnTargetEdit, Pair, RoleRules, Rule, Side
from connector.errors import BadConfiguration, Finding
from connector.mapping.deletions import OnDelete
from connector.mapping.match_keys import ID, KEYS
from connector.mapping.roles import ROLE_PAIR, RoleFile
from connector.mapping.scope_files import Place, Scopes
from connector.mapping.transforms import NAMES, make_transform

PAIRS: Mapping[str, tuple[str, str]] = {
    "account-company": ("Account", "companies"),
    "contact-contact": ("Contact", "contacts"),
    "opportunity-deal": ("Opportunity", "deals"),
}
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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DefaultValue(_Strict):
    """What a side gets where the other one has nothing to offer (O9, F4)."""

    salesforce: str | float | bool | None = Field(None, description="what Salesforce gets where HubSpot is blank")
    hubspot: str | float | bool | None = Field(None, description="what HubSpot gets where Salesforce is blank")


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

    @model_validator(mode="after")
    def _agree(self) -> FieldEntry:
        if len(self.names(Side.SALESFORCE)) != len(self.names(Side.HUBSPOT)):
            raise ValueError("name as many Salesforce fields as HubSpot properties")
        if len(self.names(Side.SALESFORCE)) != (2 if self.transform == "stage" else 1):
            raise ValueError("a stage is two fields a side, everything else is one")
        if not all(name.strip() for side in Side for name in self.names(side)):
            raise ValueError("a field without a name")
        if self.transform == "stage" and self.default != DefaultValue():
            raise ValueError("a stage takes no `default`: it would be two values")
        if self.values and self.transform not in {"picklist", "multi_picklist"}:
            raise ValueError("`values` belongs to `transform: picklist` or `multi_picklist`")
        if self.otherwise == "default" and self.default == DefaultValue():
            raise ValueError("`otherwise: default` needs a `default`")
        if self.refers_to is not None and (self.transform != "reference" or self.refers_to not in PAIRS):
            raise ValueError(f"`refers_to` belongs to `transform: reference` and is one of {', '.join(PAIRS)}")
        if self.may_go_backwards and self.names(Side.HUBSPOT) != (LIFECYCLE_STAGE,):
            raise ValueError(f"`may_go_backwards` belongs to the HubSpot property {LIFECYCLE_STAGE}")
        return self

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


def load_pairs(files: Iterable[Path], settings: MappingSettings) -> dict[str, Pair]:
    """Read mapping files into pairs, by pair name, in order of dependency.

    Raises:
        BadConfiguration: with every finding of every file, each with its line.
    """
    findings: list[Finding] = []
    pairs: dict[str, Pair] = {}
    seen: set[str] = set()
    roles: RoleRules | None = None
    for path in files:
        parsed, place = _read(path, findings)
        if parsed is None:
            continue
        if parsed.pair in seen:
            findings.append(Finding(*place(("pair",)), f"pair {parsed.pair} is mapped by another file too"))
        seen.add(parsed.pair)
        if isinstance(parsed, RoleFile):
            roles = parsed.build()
        else:
            pairs[parsed.pair] = _build(parsed, settings, place)
    if findings:
        raise BadConfiguration(findings)
    pairs = {
        name: replace(pair, roles=roles) if name == "opportunity-deal" else pair for name, pair in pairs.items()
    }
    return {name: pairs[name] for name in PAIRS if name in pairs}


def read_yaml(path: Path, findings: list[Finding]) -> Any | None:
    """A YAML document with line numbers, or None with a finding."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML lets a later anchor take over
            return YAML(typ="rt").load(text)
    except FileNotFoundError:
        findings.append(Finding(str(path), 0, "there is no such file", "run `connector init`"))
    except UnicodeDecodeError:
        findings.append(Finding(str(path), 0, "is not UTF-8 text", "save it as UTF-8"))
    except OSError as error:
        findings.append(Finding(str(path), 0, f"cannot be read: {error.strerror}"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        findings.append(Finding(str(path), mark.line + 1 if mark else 0, f"is not YAML: {error.problem}"))
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        findings.append(Finding(str(path), line, f"is not YAML: {error.reason}"))
    except RecursionError:
        findings.append(Finding(str(path), 0, "is nested too deeply"))
    except Exception as error:  # noqa: BLE001  # on odd text the parser itself fails, in a dozen ways
        # 2020-99-99 is a ValueError, `!!bool maybe` a KeyError, a mapping merged into itself an AttributeError.
        findings.append(Finding(str(path), 0, f"is not YAML: {error}"))
    return None


def explain(error: ValidationError, document: Any, path: Path, model: type[BaseModel]) -> list[Finding]:
    """What a model found wrong with a document, as findings with lines and with suggestions for typos."""
    findings = []
    for one in error.errors(include_url=False):
        place = ".".join(str(part) for part in one["loc"])
        message, remedy = one["msg"].removeprefix("Value error, "), ""
        if one["type"] == "model_type":
            message = "should be a group of `key: value`"
        if one["type"] == "extra_forbidden":
            message = "is not a known key"
            close = difflib.get_close_matches(str(one["loc"][-1]), _keys_of(model), n=1)
            remedy = f"did you mean `{close[0]}`?" if close else ""
        findings.append(
            Finding(
                str(path), _line_of(document, one["loc"]), f"{place}: {message}" if one["loc"] else message, remedy
            )
        )
    return findings


def _keys_of(model: type[BaseModel]) -> list[str]:
    """All keys of a model and of those it contains."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return [key for part in parts for key in part.get("properties", {})]


def _line_of(document: Any, place: tuple[int | str, ...]) -> int:
    """The line of the innermost part of `place` that exists in the document, counted from 1."""
    line = 1
    for part in place:
        if isinstance(document, list) and isinstance(part, str):
            continue  # a list of conditions may stand for the group `all` of it (A8)
        try:
            line = document.lc.key(part)[0] + 1 if isinstance(part, str) else document.lc.item(part)[0] + 1
            document = document[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _read(path: Path, findings: list[Finding]) -> tuple[PairFile | RoleFile | None, Place]:
    """What a file says, or None with findings; and where each part of it stands."""
    before = len(findings)
    document = read_yaml(path, findings)

    def place(part: tuple[int | str, ...]) -> tuple[str, int]:
        return str(path), _line_of(document, part)

    if len(findings) > before:
        return None, place
    about_roles = isinstance(document, dict) and document.get("pair") == ROLE_PAIR
    model = RoleFile if about_roles else PairFile
    try:
        parsed = model.model_validate(document)
    except ValidationError as error:
        findings += explain(error, document, path, model)
        return None, place
    if isinstance(parsed, RoleFile):
        return parsed, place
    findings += _find_duplicates(parsed, document, path)
    unusable = [
        *_find_wrong_keys(parsed, document, path),
        *parsed.on_delete.find_faults(parsed.pair, place),
    ]
    findings += unusable
    if unusable:
        return None, place
    return parsed, place


def _find_duplicates(parsed: PairFile, document: Any, path: Path) -> list[Finding]:
    findings = []
    for side in Side:
        owners: dict[str, int] = {}
        for position, entry in enumerate(parsed.fields):
            for name in entry.names(side):
                if name in owners:
                    line = _line_of(document, ("fields", position))
                    text = f"{side} field {name} is mapped twice (first in entry {owners[name] + 1})"
                    findings.append(Finding(str(path), line, text, "map each field once"))
                owners.setdefault(name, position)
    return findings


def _match_keys(parsed: PairFile) -> tuple[MatchKey, ...]:
    known = KEYS[parsed.pair]
    return tuple(known[name] for name in (known if parsed.match_on is None else parsed.match_on[1:]))


def _find_wrong_keys(parsed: PairFile, document: Any, path: Path) -> list[Finding]:
    """A2, A3, O8: a stored id is believed before anything else, and each pair has its own further keys."""
    findings = []
    known = (ID, *KEYS[parsed.pair])
    if parsed.match_on is not None and parsed.match_on[:1] != [ID]:
        text = f"match_on: `{ID}` comes first: a stored id is believed before anything else"
        findings.append(Finding(str(path), _line_of(document, ("match_on",)), text, f"begin with `{ID}`"))
    for position, name in enumerate(parsed.match_on or ()):
        line = _line_of(document, ("match_on", position))
        if name not in known:
            text = f"match_on: {parsed.pair} is not matched on {name!r}"
            findings.append(Finding(str(path), line, text, f"use some of {', '.join(known)}"))
        elif name in (parsed.match_on or ())[:position]:
            findings.append(Finding(str(path), line, f"match_on: {name!r} stands there twice", "name it once"))
    return findings


def _build(parsed: PairFile, settings: MappingSettings, place: Place) -> Pair:
    salesforce, hubspot = PAIRS[parsed.pair]
    partner = {Side.HUBSPOT: settings.salesforce_id_property, Side.SALESFORCE: settings.hubspot_id_field}
    return Pair(
        name=parsed.pair,
        salesforce=salesforce,
        hubspot=hubspot,
        fields=tuple(
            _build_rule(entry, settings, place(("fields", number))) for number, entry in enumerate(parsed.fields)
        ),
        creates=frozenset(parsed.create_in),
        required=REQUIRED[parsed.pair],
        partner_field=partner,
        match_on=_match_keys(parsed),
        deletes=parsed.on_delete.travels_from(parsed.pair),
        scope=parsed.scope.build(settings.time_zone, lambda part: place(("scope", *part))),
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
            entry.transform, zone=settings.time_zone, values=entry.values, pair=entry.refers_to
        ),
        on_target_edit=entry.on_target_edit,
        at_creation_only=entry.at_creation_only,
        defaults=defaults,
        skip_untranslatable=entry.otherwise == "skip_field",
        may_go_backwards=entry.may_go_backwards,
        place=place,
    )
