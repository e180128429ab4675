"""What can go wrong, split by what to do next.

    ConnectorError
    ├── Stop                   this run cannot go on
    │   ├── BadConfiguration   settings or mappings are wrong: mend them (exit 2)
    │   ├── Refused            the guard or `mode: read_only` refuses, nothing was written (exit 3)
    │   ├── Busy               another run holds the lease (exit 4)
    │   ├── Halted             it was asked to end, and ends where everything begun is settled
    │   ├── StoreUnusable      the store cannot be read or written: damaged, locked, full, out of reach (exit 4)
    │   └── Unreachable        a CRM cannot be used: credentials, rights, limits, network (exit 4)
    │       ├── Suspended      it could not be used before, and nothing was tried since (exit 4)
    │       └── Spent          the calls that the settings allow are used up (exit 4)
    ├── Later                  nobody's fault; the same call may work after a while
    └── Skip                   one record cannot be synced; the others go on

Errors carry data; the sentences a person reads are made in the CLI.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ConnectorError(Exception):
    """The root of every error this program raises on purpose."""


class Stop(ConnectorError):
    """The run cannot go on. `remedy` says what a person can do."""

    exit_code = 4

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Severity(StrEnum):
    """Of a finding. ERROR: nothing runs with it. WARNING: some values will not fit. NOTE: good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in a file or in the environment.

    `line` and `column` count from 1; 0 means the whole file, and any column.
    """

    where: str
    line: int
    message: str
    remedy: str = ""
    column: int = 0
    severity: Severity = Severity.ERROR


class BadConfiguration(Stop):
    """Settings or mappings are wrong; `findings` holds all of them at once."""

    exit_code = 2

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} thing(s) to mend in the configuration")
        self.findings = findings


class Refused(Stop):
    """The guard refuses the plan (D7), or the settings refuse to write at all (P3). Nothing was written."""

    exit_code = 3


class Busy(Stop):
    """Another run of this connection holds the lease."""


class Halted(Stop):
    """The run was asked to end, and came to a place where all that was begun is settled."""

    exit_code = 0


class Fault(StrEnum):
    """Of a store: what keeps it from being read or written."""

    DAMAGED = "damaged"
    NO_STORE = "no store"
    LOCKED = "locked"
    FORBIDDEN = "forbidden"
    FULL = "full"
    NOT_THERE = "not there"
    OUT_OF_REACH = "out of reach"
    TAKEN = "taken"
    """A row with the same key is there already."""
    OTHER = "other"


class StoreUnusable(Stop):
    """The store cannot be read or written. `detail` is what the database said."""

    def __init__(self, fault: Fault, message: str, remedy: str, detail: str) -> None:
        super().__init__(message, remedy)
        self.fault = fault
        self.detail = detail


class Condition(StrEnum):
    """What keeps a whole CRM from being used until something changes there, and so suspends the sync (E4)."""

    API_DISABLED = "API disabled"
    LIMIT_REACHED = "limit reached"
    NOT_LET_IN = "not let in"
    SCOPE_MISSING = "scope missing"
    PUT_BACK = "put back"


class Unreachable(Stop):
    """A CRM cannot be used at all. `side` names it, `cause` is one of the problem classes (section E).

    `condition` is None where the next run may just try again, as after a network that was down.
    """

    def __init__(
        self, side: str, cause: str, message: str, remedy: str, condition: Condition | None = None
    ) -> None:
        super().__init__(message, remedy)
        self.side = side
        self.cause = cause
        self.condition = condition


class Suspended(Unreachable):
    """An earlier run met a condition of the whole connection, and it still holds (E4). Nothing was begun."""


class Spent(Unreachable):
    """The next call would be more than the settings allow in 24 hours (E3). What was done is settled."""


class Later(ConnectorError):
    """A passing condition. `after` is the number of seconds the vendor asked us to wait, if it did."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Skip(ConnectorError):
    """One record cannot be synced. `cause` is a problem class (section E), `code` the vendor's own."""

    def __init__(self, cause: str, code: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.code = code
        self.message = message
