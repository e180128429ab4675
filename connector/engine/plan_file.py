"""How is a plan kept in a file, to be read, reviewed, and applied later exactly as it stands (X1)?

It is the JSON that `connector plan --json` prints. Only what `apply` goes by is checked here: what the plan was
made for, and its rows. A row that is taken out is not made; a row that is changed no longer matches, and is not
made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from connector.core.model import Change, Side
from connector.engine.report import Report, Written
from connector.errors import BadConfiguration, Finding

FORMAT, VERSION = "connector plan", 1
_PLAN_AGAIN = "make it anew with `connector plan --out FILE`"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlannedFor(_Strict):
    """Which connection a plan was made for."""

    connection: str
    salesforce: str
    hubspot: str


class PlannedWish(_Strict):
    """What a person asked of the plan, so that `apply` looks at the same."""

    records: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    create: bool = False
    deletes: bool | None = None


class _Change(_Strict):
    field: str
    old: StrictStr | StrictInt | StrictFloat | StrictBool | None
    new: StrictStr | StrictInt | StrictFloat | StrictBool | None
    rule: str
    cause: str
    conflict: bool = False


class _Row(_Strict):
    verb: Literal["create", "update", "delete", "connect", "disconnect", "name"]
    side: Side
    object: str
    record: str | None
    of: str
    changes: tuple[_Change, ...]


class PlanFile(BaseModel):
    """A saved plan, as far as `apply` goes by it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal["connector plan"]
    version: Literal[1]
    planned_at: AwareDatetime
    planned_for: PlannedFor
    wish: PlannedWish
    made: tuple[str, ...] = ()
    actions: tuple[_Row, ...]

    @property
    def writes(self) -> list[Written]:
        return [
            Written(
                one.verb,
                one.side,
                one.object,
                one.record,
                one.of,
                [Change(**change.model_dump()) for change in one.changes],
            )
            for one in self.actions
        ]


def describe_plan(report: Report, planned_for: PlannedFor, wish: PlannedWish, now: datetime) -> dict[str, Any]:
    """The documented shape of `connector plan --json`, which is also that of a saved plan."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "planned_at": now.isoformat(),
        "planned_for": planned_for.model_dump(),
        "wish": wish.model_dump(mode="json"),
        **report.plan_as_json(),
    }


def read_plan(path: Path) -> PlanFile:
    """The plan in a file.

    Raises:
        BadConfiguration: it cannot be read, or is no plan of this version.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        remedy = "name a file that `connector plan --out` wrote"
        raise _unusable(path, f"cannot be read: {error.strerror}", remedy) from None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _unusable(path, f"is not JSON: {error.msg}", _PLAN_AGAIN, error.lineno) from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise _unusable(path, "is no plan", _PLAN_AGAIN)
    if value.get("version") != VERSION:
        remedy = f"apply it with the version of the connector that made it, or {_PLAN_AGAIN}"
        raise _unusable(path, f"is a plan of version {value.get('version')}, and this is version {VERSION}", remedy)
    try:
        return PlanFile.model_validate(value)
    except ValidationError as error:
        findings = [
            Finding(str(path), 0, f"{'.'.join(map(str, one['loc']))}: {one['msg']}", _PLAN_AGAIN)
            for one in error.errors(include_url=False)
        ]
        raise BadConfiguration(findings) from None


def check_plan(path: Path, plan: PlanFile, here: PlannedFor) -> None:
    """Raise `BadConfiguration` if a plan was made for another connection."""
    names: list[tuple[str, Callable[[PlannedFor], str]]] = [
        ("connection", lambda one: one.connection),
        ("Salesforce org", lambda one: one.salesforce),
        ("HubSpot", lambda one: one.hubspot),
    ]
    findings = [
        Finding(
            str(path), 0, f"was made for the {name} {told(plan.planned_for)}, and this is {told(here)}", _PLAN_AGAIN
        )
        for name, told in names
        if told(plan.planned_for) != told(here)
    ]
    if findings:
        raise BadConfiguration(findings)


def _unusable(path: Path, message: str, remedy: str, line: int = 0) -> BadConfiguration:
    return BadConfiguration([Finding(str(path), line, message, remedy)])
