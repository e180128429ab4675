"""How is it told which fields could be mapped, and which are mapped in vain?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from connector.cli.printing.mappings import shorten
from connector.cli.printing.terminal import NAMES, count, indent, out
from connector.core.model import Side

if TYPE_CHECKING:
    from connector.engine.mappings.suggestion import Suggestion, Unused
    from connector.mapping.checks import Seen
    from connector.mapping.proposals import Proposal


def print_suggestion(found: Suggestion) -> None:
    """Lines to paste, each under what speaks for it; then what is mapped in vain."""
    console = out()
    by_pair: dict[str, list[Proposal]] = {}
    for one in found.proposals:
        by_pair.setdefault(one.pair, []).append(one)
    for pair, some in by_pair.items():
        console.print(f"[bold]{escape(pair)}[/]: {count(len(some), 'proposal')}, to be pasted under `fields:`")
        for one in some:
            console.print(
                f"  [cyan]# {one.score:.2f}: {escape('; '.join(describe_reasons(one)))}[/]", soft_wrap=True
            )
            console.print(escape(one.as_yaml()), soft_wrap=True)
    if not found.proposals and not found.unknown:
        console.print("No field without a mapping looks like any property without one.")
    for entry in found.unused:
        _print_unused(entry, console)
    if found.unknown:
        listed = ", ".join(found.unknown)
        console.print(f"[yellow]no field is known of {listed}[/]: leave `--offline` out", soft_wrap=True)
    calls = "; ".join(f"{NAMES[side]} {count(number, 'call')}" for side, number in found.calls.items())
    console.print(f"[dim]Nothing was applied. {f'Asked: {calls}.' if calls else 'Neither CRM was asked.'}[/]")


def describe_reasons(one: Proposal) -> Iterator[str]:
    """What speaks for a proposal, and against it."""
    kind = "the same" if one.alike == 1 else "like"
    names = (one.salesforce.label, one.hubspot.label) if one.alike_by == "label" else ("", "")
    told = f" ({names[0]} / {names[1]})" if any(names) else ""
    yield f"{kind} {one.alike_by}{told}"
    yield f"{one.salesforce.described} → {one.hubspot.described}"
    if one.options:
        yield f"{one.matched} of {one.options} values have a counterpart"
    if one.compared:
        yield f"equal in {one.agree:,} of {one.compared:,} linked records with both"
    for side, seen in one.filled.items():
        if seen.records:
            yield f"filled in {_share(seen)} of {NAMES[side]} records"


def _share(seen: Seen) -> str:
    return f"{100 * seen.filled / seen.records:.0f} %" if seen.records else "none"


def _print_unused(entry: Unused, console: Console) -> None:
    where = f"{shorten(entry.line[0])}:{entry.line[1]}"
    records = ", ".join(
        f"{seen.records:,} {NAMES[side]} records" for side, seen in entry.seen.items() if seen.records
    )
    text = f"{entry.salesforce} ↔ {entry.hubspot} was blank in all of {records} where its values come from"
    console.print(f"[bold]{escape(where)}[/]: [yellow]unused[/]: {escape(text)}", soft_wrap=True)
    console.print(indent("→ take the entry out, or see why nobody fills it"))


def describe_suggestion(found: Suggestion) -> dict[str, Any]:
    """The documented shape of `connector mappings suggest --json`."""
    return {
        "calls": {side.value: number for side, number in found.calls.items()},
        "unknown": list(found.unknown),
        "proposals": [
            {
                "pair": one.pair,
                "salesforce": one.salesforce.name,
                "hubspot": one.hubspot.name,
                "transform": one.transform,
                "rule": one.rule.value,
                "values": dict(one.values),
                "score": one.score,
                "reasons": list(describe_reasons(one)),
                "yaml": one.as_yaml(),
            }
            for one in found.proposals
        ],
        "unused": [
            {
                "pair": entry.pair,
                "salesforce": entry.salesforce,
                "hubspot": entry.hubspot,
                "where": shorten(entry.line[0]),
                "line": entry.line[1],
                "seen": _seen_as_json(entry.seen),
            }
            for entry in found.unused
        ],
    }


def _seen_as_json(seen: Mapping[Side, Seen]) -> dict[str, Any]:
    return {side.value: {"records": one.records, "filled": one.filled} for side, one in seen.items()}
