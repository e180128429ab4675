"""What surrounds a run, whatever it does: may it begin, what is counted, how is it noted that it is over?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from connector.core.model import ProblemClass, Side
from connector.engine.ignored import count_open
from connector.engine.report import Report
from connector.engine.scope import describe_out_of_scope
from connector.engine.suspension import THEN_RESUME, check_suspension, suspend
from connector.engine.world import Connection
from connector.errors import Halted, Refused, StoreUnusable, Suspended, Unreachable
from connector.store.runs import DIED, ENDED

Progress = Callable[[str, int], None]
"""Called with what is being done and how many more records of it are done.

Everything begun is settled whenever it is called: it may raise `Halted` to have the run end there.
"""


@contextlib.contextmanager
def concluded(c: Connection, report: Report) -> Iterator[None]:
    """However a run ends, it is noted how it did, with all that was counted. A good end is when to tidy up."""
    began = time.monotonic()
    try:
        yield
    except Halted:
        report.status = "interrupted"
        report.notes.append("it was asked to end early; the next run goes on from there")
    except (Unreachable, StoreUnusable):
        report.status = "stopped"
        raise
    except Refused:
        report.status = "refused"
        raise
    except BaseException:
        report.status = DIED
        raise
    finally:
        report.seconds = time.monotonic() - began
        count_all(c, report)
        c.store.runs.finish(report.run, report.status, report.as_json())
    if report.status in ENDED and c.settings.journal.keep_days is not None:
        c.store.retention.forget(c.now() - timedelta(days=c.settings.journal.keep_days))


@contextlib.contextmanager
def usable(c: Connection) -> Iterator[None]:
    """The connection for as long as it can be used. What is met inside may suspend it (E4).

    What is remembered of the set-up may be why a CRM could not be read: then the next run asks for it anew.
    """
    c.allocation.keep()
    try:
        check_suspension(c.store, c.crm, c.now())
        yield
    except Suspended:
        raise
    except Unreachable as error:
        suspended = suspend(c.store, error, c.now())
        if suspended is not None and not suspended.ends_by_itself:
            error.remedy = f"{error.remedy}; {THEN_RESUME}"
        if error.cause in {ProblemClass.FIELD_MAPPING, ProblemClass.PERMISSIONS}:
            c.store.runs.remember("set-up", None)
        raise
    finally:
        c.allocation.keep(ends=True)


def keep_count(c: Connection, progress: Progress) -> Progress:
    """Beside telling of progress, note the API calls made so far: a process that dies has made them too (E3)."""

    def tell(what: str, number: int) -> None:
        c.allocation.keep()
        progress(what, number)

    return tell


def count_all(c: Connection, report: Report) -> None:
    for side, crm in ((Side.SALESFORCE, c.salesforce), (Side.HUBSPOT, c.hubspot)):
        usage = crm.usage()
        left = [one for one in (usage.left, c.allocation.left(side)) if one is not None]
        report.calls[side], report.left[side] = usage.calls, min(left, default=None)
    report.problems = count_open(c.store)
    report.waiting = c.store.records.count_waiting()
    report.notes += describe_out_of_scope(c)
    if report.status == "ok" and report.problems:
        report.status = "problems"
    if report.status in {"ok", "problems"} and report.agreement and report.agreement.unmade:
        report.status = "drifted"
