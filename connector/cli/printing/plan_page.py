"""How does a plan look in a review? As one page that stands alone, or as Markdown.

Values come from two CRMs and may hold anything: the page escapes everything, and a browser runs no script in it but
the one whose hash its policy names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from connector.cli.printing.reports import VERBS
from connector.cli.printing.terminal import NAMES, count, moment, show_controls
from connector.core.model import Side, Value
from connector.engine.report import Report, Written

_BADGES = {"create": "new", "update": "change", "delete": "delete", "connect": "add", "disconnect": "remove"}


def make_html(report: Report, told: Mapping[str, Any]) -> str:
    return _render("plan.html", report, told)


def make_markdown(report: Report, told: Mapping[str, Any]) -> str:
    return _render("plan.md", report, told)


def _render(template: str, report: Report, told: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("connector.cli.printing"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=_show_controls,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": _make_cell, "value": _show}
    script = _load_script()
    return environment.get_template(template).render(
        report=report,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        planned_at=moment(told["planned_at"]),
        planned_for=told["planned_for"],
        groups=_group(report.actions),
        counts=_count(report),
        prices=[
            {
                "side": NAMES[side],
                "spent": report.calls[side],
                "price": report.price[side],
                "left": report.left[side],
            }
            for side in Side
        ],
    )


def _load_script() -> str:
    return (Path(__file__).parent / "templates" / "plan.js").read_text(encoding="utf-8")


def _show_controls(told: object) -> object:
    """Whatever is put into a template; markup of the templates' own stays what it is."""
    return show_controls(told) if type(told) is str else told


def _group(actions: list[Written]) -> list[dict[str, Any]]:
    """The rows by side, object and verb, each with its changes and their reasons."""
    groups: dict[tuple[Side, str, str], list[dict[str, Any]]] = {}
    for one in actions:
        row = {
            "record": one.record if one.verb != "create" else None,
            "of": one.of,
            "changes": one.changes,
            "conflict": any(change.conflict for change in one.changes),
        }
        groups.setdefault((one.side, one.object, one.verb), []).append(row)
    return [
        {
            "title": f"{NAMES[side]} {object_}: {VERBS[verb]}",
            "badge": _BADGES.get(verb, verb),
            "verb": verb,
            "rows": rows,
            "number": count(len(rows), "row"),
        }
        for (side, object_, verb), rows in groups.items()
    ]


def _count(report: Report) -> list[dict[str, Any]]:
    counts = []
    for side in Side:
        tables = (report.created[side], report.updated[side], report.deleted[side])
        for object_ in sorted({key for table in tables for key in table}):
            created, updated, deleted = (table[object_] for table in tables)
            counts.append(
                {
                    "side": NAMES[side],
                    "object": object_,
                    "created": created,
                    "updated": updated,
                    "deleted": deleted,
                }
            )
    return counts


def _show(value: Value) -> str:
    return "(empty)" if value in (None, "") else str(value)


def _make_cell(text: object) -> str:
    """Text as it stands in a cell of a Markdown table: on one line, and meaning nothing."""
    plain = " ".join(_show(text if isinstance(text, str | int | float | bool) else None).split())
    for character in "\\`*_{}[]<>#|~&":
        plain = plain.replace(character, f"\\{character}")
    return plain
