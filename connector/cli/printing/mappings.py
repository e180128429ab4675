"""How is it told what the mapping files say, and what is wrong with them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connector.cli.printing.terminal import NAMES, count, indent, moment, out, place
from connector.core.model import Side
from connector.errors import Finding, Severity

if TYPE_CHECKING:
    from connector.engine.mappings.validation import Validation
    from connector.mapping.description import DescribedField, DescribedPair

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


# --- validate ---------------------------------------------------------------------------------------------


def print_validation(found: Validation) -> None:
    """Every finding with its place, and what was and was not checked."""
    console = out()
    print_findings(found.findings, console)
    numbers = [count(len(found.of(severity)), severity.value) for severity in Severity]
    colour = _COLOURS[Severity.ERROR] if found.of(Severity.ERROR) else "bold green"
    console.print(f"[{colour}]{count(len(found.files), 'mapping file')}[/]: {', '.join(numbers)}")
    console.print(f"[dim]{_describe_basis(found)}[/]")


def _describe_basis(found: Validation) -> str:
    if found.live:
        return "checked against the fields that both CRMs have now"
    if found.read_at is None:
        return (
            "the files alone were checked: no field of either CRM is known yet;"
            " `connector mappings validate --live` reads them"
        )
    text = f"checked against the fields as read {moment(found.read_at.isoformat())}; `--live` reads them anew"
    return text + (f"; never read, and so not checked: {', '.join(found.unchecked)}" if found.unchecked else "")


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    for one in findings:
        colour = _COLOURS[one.severity]
        # Not wrapped: a place that is torn apart cannot be clicked or copied.
        console.print(
            f"[bold]{escape(shorten(place(one)))}[/]: [{colour}]{one.severity}[/]: {escape(one.message)}",
            soft_wrap=True,
        )
        if one.remedy:
            console.print(indent(f"→ {escape(one.remedy)}"))


def shorten(path: str) -> str:
    """A path below the working folder as it is typed there."""
    return path.removeprefix(f"{Path.cwd()}/")


def describe_validation(found: Validation) -> dict[str, Any]:
    """The documented shape of `connector mappings validate --json`."""
    return {
        "status": next((one.value for one in Severity if found.of(one)), "ok"),
        "files": [shorten(one) for one in found.files],
        "live": found.live,
        "read_at": found.read_at.isoformat() if found.read_at else None,
        "unchecked": list(found.unchecked),
        "findings": [describe_finding(one) for one in found.findings],
    }


def describe_finding(one: Finding) -> dict[str, Any]:
    return {
        "severity": one.severity.value,
        "where": shorten(one.where),
        "line": one.line,
        "column": one.column,
        "message": one.message,
        "remedy": one.remedy,
    }


# --- show -------------------------------------------------------------------------------------------------

RULES = {
    "prefer_salesforce_unless_blank": "Salesforce, unless blank",
    "always_salesforce": "Salesforce → HubSpot",
    "always_hubspot": "HubSpot → Salesforce",
    "two_way": "both ways, last edit wins",
    "hold": "both ways, conflicts wait",
    "dont_sync": "not synced",
}


def print_shown(described: Sequence[DescribedPair]) -> None:
    """A table for each file: field, property, rule in words, transform, notes."""
    console = out()
    for number, one in enumerate(described):
        if number:
            console.print()
        console.print(f"[bold]{escape(one.pair)}[/]  [dim]{escape(shorten(one.file))}[/]")
        for line in _describe_head(one):
            console.print(indent(escape(line), 2))
        if one.fields:
            console.print(indent(_make_field_table(one), 2))


def _describe_head(one: DescribedPair) -> Iterator[str]:
    if one.roles:
        labels = one.roles.get("labels") or {}
        yield f"rule: {RULES[one.roles['rule']]}"
        listed = "; ".join(f"{role} ↔ {label}" for role, label in labels.items())
        yield f"roles: {listed or 'their names are not carried'}"
        if one.roles.get("primary_label"):
            yield f"primary role: {one.roles['primary_label']}"
        return
    made = " and ".join(NAMES[Side(side)] for side in one.create_in) or "neither side"
    keys = ", ".join(one.match_on)
    yield f"{one.salesforce} ↔ {one.hubspot}; a missing partner is made in {made}; matched by {keys}"
    for side in Side:
        if words := one.scope.get(side.value):
            yield f"only {NAMES[side]} records with {words}"


def _make_field_table(one: DescribedPair) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("Salesforce", "HubSpot", "who wins", "transform", "notes"):
        table.add_column(column, overflow="fold", no_wrap=column in {"who wins", "transform"})
    for entry in one.fields:
        notes = "; ".join(describe_notes(entry))
        names = (entry.salesforce.replace("+", " + "), entry.hubspot.replace("+", " + "))
        table.add_row(*(escape(cell) for cell in (*names, RULES[entry.rule], entry.transform, notes)))
    return table


_NOTES = {
    ("otherwise", "skip_field"): "other values are left out",
    ("otherwise", "default"): "other values become the default",
    ("at_creation_only", "True"): "only when the partner is made",
    ("may_go_backwards", "True"): "may go backwards",
    ("personal", "True"): "personal",
    ("on_target_edit", "leave"): "edits of the target are left",
}


def describe_notes(entry: DescribedField) -> Iterator[str]:
    """Whatever an entry says besides names, rule and transform, in words."""
    if entry.values:
        yield f"{count(len(entry.values), 'value')} mapped"
    for key, value in entry.more.items():
        yield _NOTES.get((key, str(value)), f"{key.replace('_', ' ')}: {plain_text(value)}")
    for side, value in entry.default.items():
        yield f"else {plain_text(value)} in {NAMES[Side(side)]}"


def plain_text(value: Any) -> str:
    """A setting as a person would say it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{key}: {plain_text(one)}" for key, one in value.items()) or "nothing"
        case list():
            return ", ".join(plain_text(one) for one in value) or "nothing"
        case _:
            return str(value)


def describe_shown(described: Sequence[DescribedPair]) -> dict[str, Any]:
    """The documented shape of `connector mappings show --json`."""
    return {
        "pairs": [
            {
                "pair": one.pair,
                "file": shorten(one.file),
                "salesforce": one.salesforce,
                "hubspot": one.hubspot,
                "create_in": list(one.create_in),
                "match_on": list(one.match_on),
                "scope": dict(one.scope),
                "fields": [
                    {
                        "salesforce": entry.salesforce.split("+"),
                        "hubspot": entry.hubspot.split("+"),
                        "rule": entry.rule,
                        "transform": entry.transform,
                        "values": dict(entry.values),
                        "default": dict(entry.default),
                        **entry.more,
                        "line": entry.line,
                    }
                    for entry in one.fields
                ],
            }
            if not one.roles
            else {"pair": one.pair, "file": shorten(one.file), **one.roles}
            for one in described
        ]
    }
