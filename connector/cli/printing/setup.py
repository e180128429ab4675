"""How is the way to a first sync told? What `init` wrote, what `setup` would make and made, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from connector.cli.printing.terminal import NAMES, count, indent, out
from connector.core.model import Side

if TYPE_CHECKING:
    from connector.engine.drafts import Answers, FileState
    from connector.engine.live import Live
    from connector.engine.setup import Step

_FILE_STATES = {
    "written": "wrote",
    "unchanged": "unchanged",
    "updated": "updated",
    "kept": "[yellow]kept[/]",
    "overwritten": "[yellow]overwrote[/]",
}


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `init` did. `missing`: environment variables that are not set yet."""

    files: Mapping[Path, FileState]
    live: Live
    answers: Answers
    missing: tuple[str, ...]
    offline: bool

    @property
    def unread(self) -> bool:
        """Whether there were credentials, and yet a CRM could not be read."""
        return bool(self.live.notes) and not self.live.missing

    def as_json(self) -> dict[str, Any]:
        """The documented shape of `connector init --json`."""
        return {
            "status": "problems" if self.unread else "done",
            "files": [{"path": path.as_posix(), "state": str(state)} for path, state in self.files.items()],
            "read": [str(side) for side in self.live.read],
            "notes": list(self.live.notes),
            "variables": [{"name": one, "set": one not in self.missing} for one in self.answers.variables()],
        }


def print_init(told: Initialised) -> None:
    """What was written and what was kept, from what, and what to do next."""
    console = out()
    for path, state in told.files.items():
        console.print(f"  {_FILE_STATES[state]} {escape(path.as_posix())}")
    kept = sum(state == "kept" for state in told.files.values())
    if kept:
        text = f"kept: {count(kept, 'file')} with changes of yours; `connector init --force` overwrites them"
        console.print(indent(text, 2))
    console.print()
    _print_reading(told, console)
    _print_next(told, console)


def _print_reading(told: Initialised, console: Console) -> None:
    if told.live.read:
        names = " and ".join(NAMES[side] for side in told.live.read)
        console.print(f"Fitted to what {names} {'have' if len(told.live.read) > 1 else 'has'} now.")
    for note in told.live.notes if not told.live.missing else ():
        console.print(f"[yellow]{escape(note)}[/]")
    if told.live.missing or told.offline:
        console.print(
            "As shipped: neither CRM was asked. Once the variables below are set, `connector init` fits the files"
            " to what both have."
        )


def _print_next(told: Initialised, console: Console) -> None:
    console.print("\n[bold]Next[/]")
    number = 1
    if told.missing:
        console.print("  1. Set in the environment (environment.example lists them):")
        for one in told.missing:
            console.print(f"       {one}")
        number = 2
    steps = (
        ("connector check", "tells what is missing on either side"),
        ("connector setup", "shows it, and makes it"),
        ("connector mappings validate --live", "tells whether mappings/ is right about the fields of both"),
        ("connector plan", "tells what would be written, and why"),
        ("connector sync", ""),
    )
    for place, (command, what) in enumerate(steps, number):
        console.print(f"  {place}. {command:<36}{what}".rstrip())


# --- setup ------------------------------------------------------------------------------------------------

_STEP_STATES = {
    "planned": "[cyan]would make[/]",
    "made": "[green]made[/]",
    "blocked": "[bold red]cannot make[/]",
    "refused": "[bold red]refused[/]",
}


def print_plan(steps: Sequence[Step]) -> None:
    """What is missing on each side."""
    console = out()
    if not steps:
        console.print("[bold green]Nothing is missing[/] on either side.")
        return
    for side in Side:
        some = [one for one in steps if one.side is side]
        if some:
            console.print(f"[bold]{NAMES[side]}[/]")
            for one in some:
                print_step(one, console)


def print_step(step: Step, console: Console | None = None) -> None:
    """One step, and what became of it."""
    console = console or out()
    console.print(f"  {_STEP_STATES[step.state]} {escape(step.what)}", soft_wrap=True)
    if step.detail:
        console.print(indent(escape(step.detail)))
    if step.remedy:
        console.print(indent(f"→ {escape(step.remedy)}"))


def print_summary(steps: Sequence[Step]) -> None:
    """How it ended."""
    made = sum(one.state == "made" for one in steps)
    left = sum(one.state in {"blocked", "refused"} for one in steps)
    ending = f", [bold red]{left} left[/] for a person" if left else ". `connector check` looks at the rest"
    out().print(f"[bold green]Made {made}[/]{ending}.")


def describe_setup(steps: Sequence[Step]) -> dict[str, Any]:
    """The documented shape of `connector setup --json`."""
    states = {str(one.state) for one in steps}
    status = "done" if states else "nothing to do"
    if "planned" in states:
        status = "planned"
    if states & {"blocked", "refused"}:
        status = "problems"
    return {"status": status, "steps": [one.as_json() for one in steps]}
