"""How is it told what a changed mapping would do? Each changed entry, and how many values it would write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from connector.cli.printing.mappings import plain_text
from connector.cli.printing.terminal import NAMES, count, indent, out

if TYPE_CHECKING:
    from connector.engine.mappings.difference import Changed, Difference, Effect, FieldChange, PairChange


def print_difference(found: Difference) -> None:
    """Each changed entry, and how many values would be written if it were filled in everywhere."""
    console = out()
    console.print(f"From {escape(found.old)} to {escape(found.new)}:")
    if not found.pairs:
        console.print("[bold green]nothing differs[/] in what they say")
        return
    for pair in found.pairs:
        _print_pair_change(pair, console)
    asked = "; ".join(f"{NAMES[side]} {count(number, 'call')}" for side, number in found.calls.items())
    basis = f"as read now ({asked})" if asked else "as last seen; neither CRM was asked"
    console.print(
        f"[dim]Of linked records, {basis}. Using the new mapping writes none of this by itself: values move[/]"
    )
    console.print("[dim]when somebody edits them. No value is cleared because an entry is removed.[/]")


def _print_pair_change(pair: PairChange, console: Console) -> None:
    console.print(f"[bold]{escape(pair.pair)}[/]" + ("" if pair.kind == "changed" else f": {pair.kind}"))
    for one in pair.changes:
        console.print(indent(escape(describe_change(one)), 2))
    for side, scope in pair.scope.items():
        text = f"{NAMES[side]}: {scope.leaves:,} records leave scope, {scope.enters:,} come into it"
        text += (
            f"; of {scope.unread:,} it is not known, as the filter asks for what was never read"
            if scope.unread
            else ""
        )
        console.print(indent(text, 2))
    for entry in pair.fields:
        _print_field_change(entry, console)


_KINDS = {"added": "[green]+[/]", "removed": "[red]-[/]", "changed": "[yellow]~[/]"}


def _print_field_change(entry: FieldChange, console: Console) -> None:
    console.print(f"  {_KINDS[entry.kind]} {escape(entry.salesforce)} ↔ {escape(entry.hubspot)}")
    for one in entry.changes:
        console.print(indent(escape(describe_change(one)), 6))
    if entry.kind == "removed":
        console.print(indent("both values stay as they are", 6))
    if entry.effect is not None:
        for line in describe_effect(entry.effect):
            console.print(indent(line, 6))


def describe_change(one: Changed) -> str:
    """`rule: two_way → hold`."""
    if one.old is None:
        return f"{one.key}: {plain_text(one.new)}, new"
    if one.new is None:
        return f"{one.key}: {plain_text(one.old)}, taken out"
    return f"{one.key}: {plain_text(one.old)} → {plain_text(one.new)}"


def describe_effect(effect: Effect) -> Iterator[str]:
    """What would be written on each side, and of which records that cannot be told."""
    if not effect.links:
        yield "no linked records yet"
        return
    for side, counts in effect.writes.items():
        if counts.total:
            parts = [
                f"{number:,} {word}"
                for number, word in (
                    (counts.filled, "filled"), (counts.changed, "changed"), (counts.cleared, "cleared"),
                )
                if number
            ]  # fmt: skip
            yield f"in {NAMES[side]}: {', '.join(parts)}"
    written = sum(counts.total for counts in effect.writes.values())
    rest = [
        (effect.unread, "never read; `--live` reads them"),
        (effect.untold, "an owner or stage whose counterpart no linked record shows"),
        (effect.waiting, "waiting for a record without a partner"),
        (effect.without_counterpart, "a value without a counterpart"),
        (effect.out_of_scope, "out of scope"),
    ]
    for number, words in rest:
        if number:
            yield f"{number:,} of {effect.links:,}: {words}"
    if not written and not any(number for number, _ in rest):
        yield f"nothing: {count(effect.links, 'linked record')} agree already"


def describe_difference(found: Difference) -> dict[str, Any]:
    """The documented shape of `connector mappings diff --json`."""
    return {
        "old": found.old,
        "new": found.new,
        "calls": {side.value: number for side, number in found.calls.items()},
        "pairs": [
            {
                "pair": pair.pair,
                "change": pair.kind,
                "settings": [_change_as_json(one) for one in pair.changes],
                "scope": {
                    side.value: {"leaves": one.leaves, "enters": one.enters, "unread": one.unread}
                    for side, one in pair.scope.items()
                },
                "fields": [
                    {
                        "salesforce": one.salesforce.split("+"),
                        "hubspot": one.hubspot.split("+"),
                        "change": one.kind,
                        "settings": [_change_as_json(each) for each in one.changes],
                        "effect": _effect_as_json(one.effect) if one.effect else None,
                    }
                    for one in pair.fields
                ],
            }
            for pair in found.pairs
        ],
    }


def _change_as_json(one: Changed) -> dict[str, Any]:
    return {"key": one.key, "old": one.old, "new": one.new}


def _effect_as_json(effect: Effect) -> dict[str, Any]:
    writes = {
        side.value: {"filled": counts.filled, "changed": counts.changed, "cleared": counts.cleared}
        for side, counts in effect.writes.items()
    }
    return {
        **writes,
        "links": effect.links,
        "unread": effect.unread,
        "untold": effect.untold,
        "waiting": effect.waiting,
        "without_counterpart": effect.without_counterpart,
        "out_of_scope": effect.out_of_scope,
    }
