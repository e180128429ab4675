"""Where does a plan go: to the screen, or to a file of which form? What `plan` and `audit` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from connector.cli.opening import now
from connector.cli.printing import reports, terminal
from connector.errors import BadConfiguration, Finding
from connector.private_files import write_privately

if TYPE_CHECKING:
    from connector.engine.plan_file import PlannedFor
    from connector.engine.report import Report
    from connector.engine.run import Wish
    from connector.engine.world import Connection

FORMATS = ("table", "json", "markdown", "html")
_BY_SUFFIX = {".json": "json", ".md": "markdown", ".html": "html", ".htm": "html", ".txt": "table"}


def choose_form(given: str | None, out: Path | None, *, json: bool) -> str:
    if json and given not in {None, "json"}:
        raise typer.BadParameter("--json is --format json: give one of both", param_hint="--format")
    if given is not None and given not in FORMATS:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(FORMATS)}", param_hint="--format")
    if given or json:
        return given or "json"
    if out is None:
        return "table"
    if out.suffix.lower() not in _BY_SUFFIX:
        raise typer.BadParameter(
            f"{out.name} does not say which form it is to have: end it in .json, .html or .md, or give --format",
            param_hint="--out",
        )
    return _BY_SUFFIX[out.suffix.lower()]


def check_folder(out: Path | None) -> None:
    """Before anything is asked of a CRM: a plan that cannot be kept is a waste of calls."""
    if out is not None and (not out.parent.is_dir() or out.is_dir()):
        what = "is a folder" if out.is_dir() else f"cannot be written: there is no folder {out.parent}"
        raise typer.BadParameter(f"{out} {what}", param_hint="--out")


def save(path: Path, option: str, text: str) -> None:
    """Keep a plan, which holds customers' data, in a file.

    Raises:
        BadConfiguration: it cannot be written.
    """
    try:
        write_privately(path, text)
    except OSError as error:
        remedy = "name a file that you may write"
        raise BadConfiguration([Finding(option, 0, f"{path}: {error.strerror}", remedy)]) from None


def make_text(form: str, report: Report, told: dict[str, Any]) -> str:
    from connector.cli.printing import plan_page  # noqa: PLC0415  # slow to import

    match form:
        case "json":
            return terminal.make_json(told)
        case "html":
            return plan_page.make_html(report, told)
        case "markdown":
            return plan_page.make_markdown(report, told)
        case _:
            return reports.make_plan_text(report)


def planned_for(c: Connection) -> PlannedFor:
    from connector.engine.plan_file import PlannedFor  # noqa: PLC0415  # slow to import

    return PlannedFor(connection=c.settings.connection, salesforce=c.salesforce.address, hubspot=c.hubspot.address)


def describe(c: Connection, wish: Wish, report: Report) -> dict[str, Any]:
    from connector.engine.plan_file import PlannedWish, describe_plan  # noqa: PLC0415  # slow to import

    asked = PlannedWish(records=wish.records, objects=wish.pairs, create=wish.create, deletes=wish.deletes)
    return describe_plan(report, planned_for(c), asked, now())
