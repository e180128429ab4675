"""Would a sync work, and if not, what is to be done? (P3)

    store        can be written to, and nothing suspends the sync    `checks/both.py`
    Salesforce   version, login, rights, objects, fields, id field   `checks/salesforce.py`
    HubSpot      token, version, scopes, properties, labels          `checks/hubspot.py`
    both         types, pipelines, time zone, clocks, calls left      `checks/both.py`

Reads both CRMs and writes to neither. A check that fails does not keep those from being made that do not
depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.engine.checks.both import (
    check_calls_left,
    check_clocks,
    check_pipelines,
    check_store,
    check_time_zone,
    check_types,
)
from connector.engine.checks.found import Check, Definitions, State, attempt
from connector.engine.checks.hubspot import check_hubspot
from connector.engine.checks.salesforce import check_salesforce
from connector.engine.world import DEALS, Connection

__all__ = ["Check", "State", "check"]


def check(c: Connection) -> list[Check]:
    """Look at everything a sync needs. Takes about eight Salesforce calls and ten HubSpot calls.

    In `mode: read_only` no right to write is asked for.
    """
    definitions = Definitions()
    checks = [_check_mapping(c), *_check_mode(c), *check_store(c)]
    checks += [*check_salesforce(c, definitions), *check_hubspot(c, definitions), *check_types(c, definitions)]
    if all(one.state is not State.NO_CONNECTION and "API version" not in _trouble(one) for one in checks):
        if DEALS in c.pairs:
            checks += attempt("pipelines", lambda: check_pipelines(c))
        checks += attempt("time zone", lambda: check_time_zone(c))
    c.allocation.keep(ends=True)
    return [*checks, *check_clocks(c), *check_calls_left(c)]


def _trouble(one: Check) -> str:
    return one.name if one.state is State.PROBLEM else ""


def _check_mapping(c: Connection) -> Check:
    fields = sum(len(pair.fields) for pair in c.pairs.values())
    return Check("settings and mappings", State.OK, f"{', '.join(c.pairs)}; {fields} mapped fields")


def _check_mode(c: Connection) -> Iterator[Check]:
    if not c.settings.writes:
        detail = "read_only: `check` and `plan` work, `sync` refuses; rights to write are not looked for"
        yield Check("mode", State.OK, detail)
