"""Which values of a list have no counterpart on the other side? (F4, each named)

A value of a HubSpot list has to be one of its options; of a Salesforce picklist, one of its values if it is
restricted. What has no counterpart stays behind when somebody chooses it, record by record, unless the entry says
what to do then: `otherwise: skip_field`, or a default. So it is a warning; a value map that names an option that
does not exist is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.core.model import Cannot, FieldRule, Side
from connector.errors import Severity
from connector.mapping.schema import TEXTS, FieldFacts, Kind
from connector.mapping.suggestions import suggest
from connector.mapping.transforms import MultiPicklist, Picklist, name_of

SHOWN = 50
_NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
_LISTS = frozenset({Kind.CHOICE, Kind.CHOICES})


@dataclass(frozen=True, slots=True)
class OptionFault:
    """What is wrong with values. `value` is the key of the value map that it is about, if it is about one."""

    severity: Severity
    message: str
    remedy: str
    value: str | None = None


def find_option_faults(rule: FieldRule, facts: Mapping[Side, FieldFacts]) -> Iterator[OptionFault]:
    """All that the options of both fields say about an entry."""
    picklist = _picklist_of(rule)
    if picklist is None:
        return
    yield from _find_wrong_targets(picklist, facts[Side.HUBSPOT])
    yield from _find_unknown_sources(picklist, facts[Side.SALESFORCE])
    decided = rule.skip_untranslatable
    for to in Side:
        if rule.rule.writes(to) and not (decided or to in rule.defaults):
            yield from _find_strays(picklist, facts, to)
    for side, values in rule.defaults.items():
        given, known = values[0], facts[side].values
        if known and facts[side].closed and str(given) not in known:
            text = f"the default {given!r} is no option of {facts[side].name} in {_NAMES[side]}"
            yield OptionFault(Severity.ERROR, text, suggest(str(given), known) or f"use one of {_list(known)}")


def _picklist_of(rule: FieldRule) -> Picklist | None:
    """The value map by which a rule carries values of lists; text carries each as it is."""
    match rule.transform:
        case Picklist():
            return rule.transform
        case MultiPicklist(one=one):
            return one
        case _:
            return Picklist() if name_of(rule.transform) == "text" else None


def _find_wrong_targets(picklist: Picklist, there: FieldFacts) -> Iterator[OptionFault]:
    if not (there.closed and there.options):
        return
    for here, value in picklist.to_hubspot.items():
        if value not in there.values:
            by_label = {label.casefold(): known for known, label in there.options}
            meant = by_label.get(value.casefold())
            text = f"`values` maps {here!r} to {value!r}, which is no option of {there.name} in HubSpot"
            remedy = f"its option with that label is `{meant}`" if meant else suggest(value, there.values)
            yield OptionFault(Severity.ERROR, text, remedy or f"use one of {_list(there.values)}", here)


def _find_unknown_sources(picklist: Picklist, here: FieldFacts) -> Iterator[OptionFault]:
    """Salesforce's list may hold values that are no longer active: a map that has them is not wrong."""
    if here.kind not in _LISTS or not here.options:
        return
    for value in picklist.to_hubspot:
        if value not in here.values:
            text = f"`values` maps {value!r}, which is no active value of {here.name} in Salesforce"
            meant = suggest(value, here.values)
            remedy = meant or "take the line out, unless records still hold the value"
            yield OptionFault(Severity.WARNING if meant else Severity.NOTE, text, remedy, value)


def _find_strays(picklist: Picklist, facts: Mapping[Side, FieldFacts], to: Side) -> Iterator[OptionFault]:
    """Values of one side's list without a counterpart on side `to`."""
    source, target = facts[to.other], facts[to]
    if not (target.closed and target.options) and not picklist.to_hubspot:
        return
    if source.kind in TEXTS and target.kind in _LISTS and target.closed:
        text = (
            f"{source.name} takes any text in {_NAMES[to.other]}, but {target.name} in {_NAMES[to]} only its"
            f" {len(target.options)} options"
        )
        remedy = "map a list, or say `otherwise: skip_field` to leave out what does not fit"
        yield OptionFault(Severity.WARNING, text, remedy)
        return
    strays = [value for value in source.values if not _arrives(picklist, target, to, value)]
    if strays:
        kind = "value" if len(strays) == 1 else "values"
        text = (
            f"{len(strays)} {kind} of {source.name} in {_NAMES[to.other]} without a counterpart in {target.name}:"
            f" {_list(strays)}"
        )
        remedy = "add them to `values`, or say `otherwise: skip_field`, or give a default"
        yield OptionFault(Severity.WARNING, text, remedy)


def _arrives(picklist: Picklist, target: FieldFacts, to: Side, value: str) -> bool:
    there = picklist.translate(to, value)
    if isinstance(there, Cannot):
        return False
    return not (target.closed and target.options) or there in target.values


def _list(values: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(repr(one) for one in values[:SHOWN]) + more
