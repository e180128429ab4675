"""What do mapping files say, as plain data? For those who show it, and for those who compare two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.core.model import Pair, Side
from connector.core.scope import Condition, Scope
from connector.errors import BadConfiguration, Finding
from connector.mapping.files import FieldEntry, MappingFile, MappingRead, PairFile
from connector.mapping.roles import ROLE_PAIR, RoleFile
from connector.mapping.suggestions import suggest

ID = "id"


@dataclass(frozen=True, slots=True)
class DescribedField:
    """One entry: the names joined by `+`, and every key that is not as it is by default."""

    salesforce: str
    hubspot: str
    rule: str
    transform: str
    values: Mapping[str, str] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0

    @property
    def names(self) -> tuple[str, str]:
        return self.salesforce, self.hubspot

    def settings(self) -> dict[str, Any]:
        """All that may differ between two entries of the same fields, by key."""
        plain = {"rule": self.rule, "transform": self.transform, "values": dict(self.values)}
        return {**plain, "default": dict(self.default), **self.more}


@dataclass(frozen=True, slots=True)
class DescribedPair:
    """One file: `scope` is in words by side, `roles` what the file about contact roles says."""

    pair: str
    file: str
    salesforce: str = ""
    hubspot: str = ""
    create_in: tuple[str, ...] = ()
    match_on: tuple[str, ...] = ()
    scope: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[DescribedField, ...] = ()
    roles: Mapping[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """All that may differ between two files of the same pair, but for their entries."""
        plain = {"create_in": sorted(self.create_in), "match_on": list(self.match_on)}
        scope = {f"scope of {side}": words for side, words in self.scope.items()}
        return {**plain, **scope} if self.pair != ROLE_PAIR else dict(self.roles)


def describe_mapping(read: MappingRead) -> list[DescribedPair]:
    """All files, in order of dependency; the names of roles come last."""
    described = [_describe_pair(pair, read.files[name]) for name, pair in read.pairs.items()]
    roles = read.files.get(ROLE_PAIR)
    if roles is not None and isinstance(roles.parsed, RoleFile):
        told = roles.parsed.model_dump(mode="json", exclude={"pair"})
        described.append(DescribedPair(ROLE_PAIR, roles.where, roles=told))
    return described


def _describe_pair(pair: Pair, file: MappingFile) -> DescribedPair:
    parsed = file.parsed
    entries = parsed.fields if isinstance(parsed, PairFile) else []
    return DescribedPair(
        pair=pair.name,
        file=file.where,
        salesforce=pair.salesforce,
        hubspot=pair.hubspot,
        create_in=tuple(sorted(pair.creates)),
        match_on=(ID, *(key.name for key in pair.match_on)),
        scope={side.value: describe_scope(one) for side, one in pair.scope.items() if isinstance(one, Scope)},
        fields=tuple(
            _describe_field(entry, file.find("fields", position)[0]) for position, entry in enumerate(entries)
        ),
    )


def _describe_field(entry: FieldEntry, line: int) -> DescribedField:
    told = entry.model_dump(mode="json", exclude_defaults=True)
    for key in ("salesforce", "hubspot", "rule", "transform", "values", "default"):
        told.pop(key, None)
    return DescribedField(
        salesforce="+".join(entry.names(Side.SALESFORCE)),
        hubspot="+".join(entry.names(Side.HUBSPOT)),
        rule=entry.rule.value,
        transform=entry.transform,
        values=entry.values,
        default=entry.default.model_dump(mode="json", exclude_none=True),
        more=told,
        line=line,
    )


def describe_scope(scope: Scope | Condition) -> str:
    """`Type is_not Partner and (Amount at_least 10000 or LeadSource in Web, Referral)`."""
    if isinstance(scope, Condition):
        bounds = ", ".join(str(one) for one in scope.bounds)
        return f"{scope.name} {scope.question} {bounds}".strip()
    parts = [f"({describe_scope(one)})" if isinstance(one, Scope) else describe_scope(one) for one in scope.parts]
    return (" and " if scope.every else " or ").join(parts)


def choose(described: Iterable[DescribedPair], given: str | None) -> list[DescribedPair]:
    """The pairs that a person means: by the pair's name, by either object, in the singular or plural.

    Raises:
        BadConfiguration: no pair is called so.
    """
    some = list(described)
    if given is None:
        return some
    names = {name: one for one in some for name in _names_of(one)}
    folded = given.casefold()
    for name in (folded, f"{folded}s", folded.removesuffix("s")):
        if name in names:
            return [names[name]]
    remedy = suggest(given, names) or f"use one of {', '.join(one.pair for one in some)}"
    raise BadConfiguration([Finding("--object", 0, f"no pair is called {given}", remedy)])


def _names_of(one: DescribedPair) -> set[str]:
    parts = {one.pair, one.salesforce, one.hubspot, *one.pair.split("-")}
    if one.pair != ROLE_PAIR:
        parts |= {f"{name}s" for name in parts if name}
        parts |= {"opportunities"} if one.salesforce == "Opportunity" else set()
        parts |= {"companies"} if one.hubspot == "companies" else set()
    return {name.casefold() for name in parts if name}
