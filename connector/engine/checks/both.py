"""What is about both sides, or about this machine: types, pipelines, days, clocks, calls, the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.core.model import ProblemClass, Side
from connector.core.pipelines import plan_pipelines
from connector.engine.checks.found import MAPPING, NAMES, RIGHTS, Check, Definitions, State, tell
from connector.engine.schemas import to_facts
from connector.engine.suspension import THEN_RESUME, find_suspension
from connector.engine.world import Connection, find_pipeline_problems, remembered_homes
from connector.errors import BadConfiguration
from connector.mapping.checks import find_misfits
from connector.private_files import is_private
from connector.store.database import file_of

FEW_CALLS = 1000
MOST_SKEW = timedelta(minutes=5)


def check_store(c: Connection) -> Iterator[Check]:
    """Whether it can be written to; opening it has brought its schema up to date."""
    try:
        revision = c.store.probe()
    except BadConfiguration as error:
        [finding] = error.findings
        yield Check("store", State.PROBLEM, finding.message, finding.remedy, ProblemClass.CONNECTION)
        return
    path = file_of(c.settings.store)
    if path is not None and not is_private(path):
        detail = f"can be written to, schema {revision}; but others on this machine may read or write {path}"
        yield Check("store", State.WARNING, detail, f"chmod 600 {path}*", RIGHTS)
    else:
        yield Check("store", State.OK, f"can be written to, schema {revision}")
    if suspended := find_suspension(c.store):
        detail = f"the sync is suspended since {suspended.since}: {suspended.message}"
        remedy = suspended.remedy if suspended.ends_by_itself else f"{suspended.remedy}; {THEN_RESUME}"
        yield Check("suspension", State.WARNING, detail, remedy, ProblemClass(suspended.cause))


def check_types(c: Connection, definitions: Definitions) -> Iterator[Check]:
    """The entries whose transform does not carry between their fields (F3), as far as both sides could be read."""
    schemas, zone = to_facts(definitions.salesforce, definitions.hubspot), c.settings.mapping().time_zone
    for pair in c.pairs.values():
        yield from tell(f"mapping {pair.name}", find_misfits(pair, schemas, zone))


def check_pipelines(c: Connection) -> Iterator[Check]:
    """Whether there is room for a pipeline of each record type (O2, O3)."""
    record_types = c.salesforce.record_types(c.salesforce.set_up())
    plan = plan_pipelines(record_types, c.hubspot.pipelines(), c.settings.pipeline_settings(), remembered_homes(c))
    problems = list(find_pipeline_problems(plan, c.settings.pipelines.limit))
    yield from (Check("pipelines", State.PROBLEM, one.detail, one.remedy, MAPPING) for one in problems)
    if not problems:
        number = len(plan.actions)
        later = f"; `connector setup` or the next sync makes or changes {number} of them and their stages"
        detail = f"{len(record_types)} record types, each with its pipeline{later if number else ''}"
        yield Check("pipelines", State.OK, detail)


def check_time_zone(c: Connection) -> Iterator[Check]:
    """Whether a Salesforce date is the same day in HubSpot (F7)."""
    ours, theirs = c.settings.time_zone, str(c.hubspot.account().get("timeZone") or "")
    try:
        zone = ZoneInfo(theirs)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return
    moments = [datetime(c.now().year, month, 1, tzinfo=UTC) for month in (1, 4, 7, 10)]
    if all(one.astimezone(zone).utcoffset() == one.astimezone(ZoneInfo(ours)).utcoffset() for one in moments):
        yield Check("time zone", State.OK, f"{ours}, as in HubSpot")
        return
    yield Check(
        "time zone",
        State.WARNING,
        f"a Salesforce date becomes midnight in {ours}, but HubSpot shows times in {theirs}:"
        " some dates may look a day off there",
        f"set `time_zone: {theirs}`, or the portal's own time zone in HubSpot: Settings, Account Defaults",
        MAPPING,
    )


def check_clocks(c: Connection) -> Iterator[Check]:
    """Whether this machine and both CRMs agree on the time. Cursors go by theirs, leases and retries by ours."""
    for side in Side:
        there = c.crm(side).server_time
        if there is None:
            continue
        skew = abs(c.now() - there)
        name = f"clock against {NAMES[side]}"
        if skew > MOST_SKEW:
            detail = f"this machine's clock and {NAMES[side]}'s are {skew.total_seconds() / 60:,.0f} minutes apart"
            remedy = "let the clock of this machine be set by the network (NTP)"
            yield Check(name, State.WARNING, detail, remedy, ProblemClass.CONNECTION)
        else:
            yield Check(name, State.OK, f"{skew.total_seconds():.0f} s apart")


def check_calls_left(c: Connection) -> Iterator[Check]:
    """Calls of today, of the vendor's limit and of the settings' own (E3)."""
    for side in Side:
        counts = [one for one in (c.crm(side).usage().left, c.allocation.left(side)) if one is not None]
        if not counts:
            continue
        name, detail = f"{NAMES[side]} API calls", f"{min(counts):,} left today"
        if min(counts) < FEW_CALLS:
            remedy = "`connector plan` tells the price of a sync; run it when more calls are free"
            yield Check(name, State.WARNING, detail, remedy, ProblemClass.API_LIMIT)
        else:
            yield Check(name, State.OK, detail)
