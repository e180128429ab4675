"""How does a shipped mapping file look in an org of which the fields are known? Text in, text out, comments kept.

| in the file | becomes |
|---|---|
| a field that one side lacks, or hides | a comment, with the reason |
| a property that HubSpot computes, and a rule writes | a comment, with the reason |
| a field that the user may not edit, and a rule writes | the same field, under a comment that says so |
| a value map | one of the values that both sides have; values without counterpart as comments |
| `labels` of contact roles | under a comment with the roles and the labels that there are |

Nothing is added that was not there: `mappings suggest` is for that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from connector.core.model import Rule, Side
from connector.mapping.schema import OPTIONAL

_SIDES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
_WRITERS = {
    Side.SALESFORCE: {Rule.TWO_WAY, Rule.ALWAYS_HUBSPOT, Rule.HOLD},
    Side.HUBSPOT: set(Rule) - {Rule.ALWAYS_HUBSPOT, Rule.DONT_SYNC},
}
"""Rules that write a side in any case. The default rule fills blanks in Salesforce, and can do without."""

_WIDTH = 116


@dataclass(frozen=True, slots=True)
class KnownField:
    """What is known of a field. `values` are those of a picklist, each with its label."""

    writable: bool = True
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KnownObject:
    """The fields of an object that the connector may see, and those that are hidden from it."""

    fields: Mapping[str, KnownField]
    hidden: frozenset[str] = field(default_factory=frozenset)


def fit_mapping(text: str, known: Mapping[Side, KnownObject]) -> str:
    """The file of a pair, fitted to what is known of the sides. A side of which nothing is known stays as it is."""
    document = YAML(typ="rt").load(text)
    lines = text.splitlines()
    entries = document["fields"]
    starts = [entries.lc.item(number)[0] for number in range(len(entries))]
    fitted = lines[: starts[0]]
    for entry, (start, end) in zip(entries, _blocks(lines, starts), strict=True):
        fitted += _fit_entry(entry, lines[start:end], known)
        fitted += lines[end : next((one for one in starts if one > start), len(lines))]
    return "\n".join(fitted) + "\n"


def fit_roles(text: str, roles: Sequence[str], labels: Sequence[str]) -> str:
    """The file of contact roles, with the roles of Salesforce and the labels of HubSpot in a comment."""
    told = [(name, some) for name, some in (("Roles", roles), ("Labels that HubSpot has", labels)) if some]
    comment = [line for name, some in told for line in _wrap(f"{name}: {', '.join(some)}", "# ")]
    lines = text.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("labels:"))
    return "\n".join([*lines[:place], *comment, *lines[place:]]) + "\n"


def write_scalar(text: str) -> str:
    """A text as YAML has it: plain where that means the same, else in quotes."""
    try:
        plain = YAML(typ="safe").load(f"{text}: {text}") == {text: text}
    except Exception:  # noqa: BLE001  # on odd text the parser itself fails, in a dozen ways
        plain = False
    if plain and "#" not in text and "\n" not in text:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)


def _blocks(lines: Sequence[str], starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From where to where each entry stands; comments before the next entry are not part of it."""
    for start, following in zip(starts, [*starts[1:], len(lines)], strict=True):
        end = following
        while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        yield start, end


def _fit_entry(entry: Mapping[str, Any], block: list[str], known: Mapping[Side, KnownObject]) -> list[str]:
    rule = Rule(entry.get("rule", Rule.PREFER_SALESFORCE_UNLESS_BLANK))
    lacking = [reason for side, some in known.items() for reason in _find_lacking(entry, side, some, rule)]
    if lacking:
        reasons = [line for one in lacking for line in _wrap(f"Left out: {one}", "  # ")]
        return reasons + [f"  # {line[2:]}".rstrip() for line in block]
    if rule in _WRITERS[Side.SALESFORCE] and Side.SALESFORCE in known:
        fields = known[Side.SALESFORCE].fields
        closed = [one for one in _names(entry, Side.SALESFORCE) if one in fields and not fields[one].writable]
        if closed:
            text = f"The connector's user may not edit {', '.join(closed)}: grant that, or use `always_salesforce`."
            block = [*_wrap(text, "  # "), *block]
    if entry.get("transform") == "picklist" and len(known) == len(Side):
        return _fit_values(entry, block, known)
    return block


def _names(entry: Mapping[str, Any], side: Side) -> list[str]:
    given = entry[side.value]
    return [given] if isinstance(given, str) else list(given)


def _find_lacking(entry: Mapping[str, Any], side: Side, known: KnownObject, rule: Rule) -> Iterator[str]:
    for name in _names(entry, side):
        if name in known.hidden:
            yield f"{name} is hidden from the connector's user by field-level security."
        elif name not in known.fields and name not in OPTIONAL:
            what = "field" if side is Side.SALESFORCE else "property"
            yield f"{_SIDES[side]} has no {what} {name}."
        elif side is Side.HUBSPOT and rule in _WRITERS[side] and _is_computed(known, name):
            yield f"HubSpot computes {name} itself and takes no value for it."


def _is_computed(known: KnownObject, name: str) -> bool:
    return name in known.fields and not known.fields[name].writable


def _fit_values(entry: Mapping[str, Any], block: list[str], known: Mapping[Side, KnownObject]) -> list[str]:
    """The block with a value map of the values that there are."""
    fields = [known[side].fields[_names(entry, side)[0]] for side in Side]
    here, there = (one.values for one in fields)
    place = next((number for number, line in enumerate(block) if line.strip().startswith("values:")), None)
    if place is None or not here or not there:
        return block
    shipped = {str(key): str(value) for key, value in (entry.get("values") or {}).items()}
    pad = " " * (len(block[place]) - len(block[place].lstrip()))
    end = place + 1
    while end < len(block) and (not block[end].strip() or block[end].startswith(f"{pad} ")):
        end += 1
    found = [(value, _find_counterpart(value, label, shipped, there)) for value, label in here]
    matched = [f"{pad}  {write_scalar(value)}: {write_scalar(other)}" for value, other in found if other]
    unmatched = [value for value, other in found if not other]
    lines = [f"{pad}values:" if matched else f"{pad}values: {{}}", *matched]
    if unmatched:
        options = ", ".join(f"{value} ({label})" if label != value else value for value, label in there)
        note = f"Without counterpart; {_names(entry, Side.HUBSPOT)[0]} has {options}:"
        lines += [*_wrap(note, f"{pad}  # "), *(f"{pad}  # {write_scalar(value)}:" for value in unmatched)]
    return [*block[:place], *lines, *block[end:]]


def _find_counterpart(
    value: str, label: str, shipped: Mapping[str, str], options: Iterable[tuple[str, str]]
) -> str | None:
    """The option that a value means: as shipped, else one that reads the same."""
    by_reading = {_reading(text): option for option, shown in reversed([*options]) for text in (shown, option)}
    if shipped.get(value) in by_reading.values():
        return shipped[value]
    return by_reading.get(_reading(value)) or by_reading.get(_reading(label))


def _reading(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _wrap(text: str, prefix: str) -> list[str]:
    """Comment lines that are not too long."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(prefix) + len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [f"{prefix}{line}" for line in lines]
