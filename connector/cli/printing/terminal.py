"""What do all commands print with? Consoles, errors, progress, tables and the wording of values.

Results go to stdout; progress, warnings and errors to stderr. Rich leaves out colours where there is no
terminal or where NO_COLOR is set.

Values come from two CRMs and may hold anything. What would act on a terminal is shown as a sign that stands for it.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from connector.core.model import Side, Value
from connector.errors import (
    BadConfiguration,
    Busy,
    Condition,
    Finding,
    Halted,
    Spent,
    Stop,
    StoreUnusable,
    Suspended,
    Unreachable,
)
from connector.secrecy import redact_everything

NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
WIDTH = 100
"""Columns where there is no terminal to ask."""


VERSION = 1
"""The version of every JSON shape. It grows when a key goes or means something else, not when one is added."""


def print_json(value: Mapping[str, Any]) -> None:
    """One object as one line of JSON on stdout, headed by the version of its shape, sent off at once."""
    sys.stdout.write(make_json(value))
    sys.stdout.flush()


def make_json(value: Mapping[str, Any]) -> str:
    return json.dumps({"version": VERSION, **value}) + "\n"


def make_examples(*commands: str) -> str:
    """The end of a command's help: one example on each line."""
    return "\n\n".join(["Examples:", *(f"  {command}" for command in commands)])


_HARMLESS = {"\n", "\t"}
_SIGNS = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in _HARMLESS}
_SIGNS |= {0x7F: "␡"} | dict.fromkeys([*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "�")
"""Control characters, escapes of a terminal among them, and those that turn the direction of what follows."""


def show_controls(text: str) -> str:
    """A text in which nothing acts: its control characters are shown."""
    return text.translate(_SIGNS)


class Screen(Console):
    """A console on which control characters of what is printed are shown, and do nothing."""

    def render_str(self, text: str, *args: Any, **kwargs: Any) -> Text:
        return super().render_str(show_controls(text), *args, **kwargs)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for one in super().render(renderable, options):  # what is a text of rich's own passes here alone
            yield one if one.control else Segment(show_controls(one.text), one.style)


def out() -> Console:
    """Standard output, for results."""
    return Screen(highlight=False, width=None if sys.stdout.isatty() else WIDTH)


def err() -> Console:
    """Standard error, for progress and errors."""
    return Screen(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDTH)


def warn(sentence: str) -> None:
    err().print(f"[yellow]{escape(sentence)}[/]")


# --- values -----------------------------------------------------------------------------------------------


def show(value: Value) -> str:
    """A value as a person would write it; long texts are cut."""
    if value is None:
        return "(empty)"
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).replace("\n", "␊")
    return f"{text[:57]}…" if len(text) > 58 else text


def count(number: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def indent(what: RenderableType, by: int = 4) -> Padding:
    return Padding(what, (0, 0, 0, by), expand=False)


def make_table(*columns: str) -> Table:
    """A table without lines, set in a little. A column whose name ends in `>` is of numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    for column in columns:
        table.add_column(column.removesuffix(">"), justify="right" if column.endswith(">") else "left")
    return table


def moment(iso: str) -> str:
    """`2026-11-22 17:03 UTC`."""
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def describe_age(seconds: float) -> str:
    """How long something takes or ago it is, in one unit: `0.4 s`, `17 min`, `3 h`, `12 days`."""
    for unit, most, one in (("s", 90, 1), ("min", 90 * 60, 60), ("h", 48 * 3600, 3600)):
        if seconds < most:
            return f"{seconds / one:.1f} {unit}" if seconds < 10 and one == 1 else f"{seconds / one:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"


# --- errors -----------------------------------------------------------------------------------------------


def print_stop(error: Stop) -> None:
    """What happened and what to do; for a bad configuration everything that is wrong, with its place."""
    console = err()
    console.print(f"[bold red]{_headline(error)}[/]")
    if isinstance(error, BadConfiguration):
        for finding in error.findings:
            # Not wrapped: a place that is torn apart cannot be clicked or copied.
            console.print(f"  [bold]{escape(place(finding))}[/]: {escape(finding.message)}", soft_wrap=True)
            if finding.remedy:
                console.print(indent(f"→ {escape(finding.remedy)}"))
        return
    console.print(indent(escape(error.message), 2))
    if error.remedy:
        console.print(indent(f"→ {escape(error.remedy)}", 2))


def print_fault(error: BaseException) -> None:
    """An error that nobody foresaw: where it came from, for whoever mends it, without any secret."""
    told = redact_everything("".join(traceback.format_exception(error)))
    sys.stderr.write(
        f"This is a fault of the connector ({type(error).__name__}). What was written is settled, and the next\n"
        "run goes on from there. Please report it with the lines below: they hold no credentials, but perhaps a\n"
        f"value of a record.\n\n{show_controls(told)}"
    )


def _headline(error: Stop) -> str:
    if isinstance(error, Suspended):
        return "Suspended: nothing was begun"
    if isinstance(error, Halted):
        return "Ended: nothing was begun"
    if isinstance(error, Busy):
        return "Stopped: one run at a time"
    if isinstance(error, Unreachable) and error.condition is Condition.PUT_BACK:
        return "Stopped: nothing was written"
    if isinstance(error, Spent):
        return "Stopped: no API calls left"
    if isinstance(error, StoreUnusable):
        return "Stopped: the store cannot be used"
    return {2: "Please mend this first", 3: "Refused: nothing was written"}.get(
        error.exit_code, "Stopped: no connection"
    )


def place(finding: Finding) -> str:
    """`file:line:column`, as far as it is known, or what else is meant."""
    return ":".join([finding.where, *(str(one) for one in (finding.line, finding.column) if one)])


def describe_stop(error: Stop) -> dict[str, Any]:
    """The `error` of a JSON answer."""
    told: dict[str, Any] = {"message": error.message, "remedy": error.remedy}
    if isinstance(error, BadConfiguration):
        told["findings"] = [
            {"where": one.where, "line": one.line, "message": one.message, "remedy": one.remedy}
            for one in error.findings
        ]
        told["message"] = "; ".join(f"{place(one)}: {one.message}" for one in error.findings)
        told["remedy"] = "; ".join(one.remedy for one in error.findings if one.remedy)
    return told


# --- progress ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str, int], None]]:
    """A line on stderr that counts records while the block runs; on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415  # rarely

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f} records"), TimeElapsedColumn())
    with Progress(*columns, console=err(), transient=True) as shown:
        task = shown.add_task("asking", total=None)
        current = ""

        def tell(what: str, number: int) -> None:
            nonlocal current
            if what != current:
                current = what
                shown.update(task, description=what, completed=0)
            shown.advance(task, number)

        yield tell
