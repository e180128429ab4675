"""May a run begin? Not one that writes, in `mode: read_only` (P3); and none while the connection is suspended (E4).

Conditions of the whole connection suspend it, until they are known to be gone.

| condition                     | a later run                                                                     |
|-------------------------------|---------------------------------------------------------------------------------|
| the API is switched off       | asks with one cheap call, and goes on by itself once it is answered             |
| the vendor's limit is reached | the same                                                                        |
| the credentials are refused   | refuses at once, as asking may lock the user out, until `connector resume`      |
| a scope is missing            | refuses at once, as no cheap call tells, until `connector resume`               |
| it was put back (`witnesses`) | refuses at once, as only a person can decide, until `connector resume`          |

A network that is down, or a vendor that is, is no such condition: the next run just tries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from connector.adapters.base import Crm
from connector.core.model import Side
from connector.errors import Condition, Refused, Suspended, Unreachable
from connector.settings import Settings
from connector.store.store import Store

STREAM = "suspension"
_ENDS_BY_ITSELF = frozenset({Condition.API_DISABLED, Condition.LIMIT_REACHED})
THEN_RESUME = "then `connector resume`"
_BY_ITSELF = "the next run goes on by itself once that is done"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why nothing is synced. `since` and `last` say when that was met first and at last."""

    side: str
    condition: str
    cause: str
    message: str
    remedy: str
    since: str
    last: str
    refused: int = 0
    """Runs that were refused for it."""

    def as_json(self) -> dict[str, Any]:
        """As `connector status --json` shows it: these fields, and whether it ends by itself."""
        return asdict(self) | {"ends_by_itself": self.ends_by_itself}

    @property
    def ends_by_itself(self) -> bool:
        return self.condition in _ENDS_BY_ITSELF


def check_mode(settings: Settings) -> None:
    """Whether anything may be written at all. Whatever writes to a CRM asks this first.

    Raises:
        Refused: the settings say `mode: read_only` (P3).
    """
    if not settings.writes:
        raise Refused(
            "the settings say `mode: read_only`: nothing is written to either CRM",
            "`connector plan` shows what would be; say `mode: sync` to let it be written (P3)",
        )


def find_suspension(store: Store) -> Suspension | None:
    """What suspends the connection now."""
    found = store.runs.read(STREAM)
    return Suspension(**found) if found else None


def suspend(store: Store, error: Unreachable, now: datetime) -> Suspension | None:
    """Take note of a condition that a run has met; None if it is none that suspends."""
    if error.condition is None:
        return None
    moment, before = now.isoformat(), find_suspension(store)
    same = before is not None and (before.side, before.condition) == (error.side, error.condition)
    found = Suspension(
        side=str(error.side),
        condition=str(error.condition),
        cause=str(error.cause),
        message=error.message,
        remedy=error.remedy,
        since=before.since if before and same else moment,
        last=moment,
        refused=before.refused if before and same else 0,
    )
    store.runs.remember(STREAM, asdict(found))
    return found


def resume(store: Store) -> Suspension | None:
    """Let the next run begin; returns what suspended the connection, if anything did."""
    found = find_suspension(store)
    if found is not None:
        store.runs.remember(STREAM, None)
    return found


def check_suspension(store: Store, crm: Callable[[Side], Crm], now: datetime) -> None:
    """Whether a run may begin; a suspension that is over ends here.

    Raises:
        Suspended: it may not, or not yet.
    """
    found = find_suspension(store)
    if found is None:
        return
    if found.ends_by_itself and _is_over(store, crm(Side(found.side)), now):
        resume(store)
        return
    latest = find_suspension(store) or found
    store.runs.remember(STREAM, asdict(latest) | {"refused": latest.refused + 1})
    how = _BY_ITSELF if latest.ends_by_itself else THEN_RESUME
    raise Suspended(
        latest.side,
        latest.cause,
        f"suspended since {latest.since}: {latest.message}",
        f"{latest.remedy}; {how}",
        Condition(latest.condition),
    )


def _is_over(store: Store, crm: Crm, now: datetime) -> bool:
    try:
        crm.probe()
    except Unreachable as error:
        suspend(store, error, now)
        return False
    return True
