"""How is it told what the mapping files say, what is wrong with them, and what a change of them would do?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from connector.cli.printing.terminal import count, indent, moment, out, place
from connector.errors import Finding, Severity

if TYPE_CHECKING:
    from connector.engine.mappings.validation import Validation

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
            f"[bold]{escape(_shorten(place(one)))}[/]: [{colour}]{one.severity}[/]: {escape(one.message)}",
            soft_wrap=True,
        )
        if one.remedy:
            console.print(indent(f"→ {escape(one.remedy)}"))


def _shorten(path: str) -> str:
    """A path below the working folder as it is typed there."""
    return path.removeprefix(f"{Path.cwd()}/")


def describe_validation(found: Validation) -> dict[str, Any]:
    """The documented shape of `connector mappings validate --json`."""
    return {
        "status": next((one.value for one in Severity if found.of(one)), "ok"),
        "files": [_shorten(one) for one in found.files],
        "live": found.live,
        "read_at": found.read_at.isoformat() if found.read_at else None,
        "unchecked": list(found.unchecked),
        "findings": [describe_finding(one) for one in found.findings],
    }


def describe_finding(one: Finding) -> dict[str, Any]:
    return {
        "severity": one.severity.value,
        "where": _shorten(one.where),
        "line": one.line,
        "column": one.column,
        "message": one.message,
        "remedy": one.remedy,
    }
