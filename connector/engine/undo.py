"""Take a run back: on both sides, what still holds the value that the run wrote (X2).

    1  lease      one run per connection at a time: an undo is a run too, and can be undone itself
    2  read       what the run wrote, and what both CRMs hold of that now (`past.py`)
    3  plan       the inverse, by `core/undo.py`
    4  turn       links and bases as if the run had not been, its writes held (`turning.py`)
    5  write      re-read -> journal -> write -> note (`undoing/writing.py`)
    6  report     what was restored, and what has moved on since

`plan_undo` is the same with hands that only pretend. Killed at any point, it is completed by the next run, or by
being repeated: what was restored already holds the old value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from connector.core.inverse import Inverse, Left
from connector.core.model import Side
from connector.core.undo import invert
from connector.engine.frame import Progress, concluded, count_all, keep_count, usable
from connector.engine.hands import PretendedHands, RealHands
from connector.engine.report import Report
from connector.engine.suspension import check_mode
from connector.engine.undoing.doing import Doing
from connector.engine.undoing.past import Story, name_those, tell
from connector.engine.undoing.turning import hold_derived, turn_store
from connector.engine.undoing.writing import carry_out
from connector.engine.work import Work
from connector.engine.world import Connection, get_to_know
from connector.errors import BadConfiguration, Finding
from connector.store.runs import UNDO, Run
from connector.store.store import Store


@dataclass
class Undone:
    """What an undo did, or would do: its report, the run it takes back, and what is left as it is."""

    report: Report
    run: Run
    left: list[Left] = field(default_factory=list)
    holds: bool = True
    """Whether what was taken back is held; an undo of an undo lets it go."""

    def as_json(self, *, planned: bool = False) -> dict[str, Any]:
        """The documented shape of `connector undo --json`: that of `sync`, or if `planned` of `plan`, and two more.

        `undo_of` is the number of the run taken back. `left` are the places that have moved on since:
        `{"side", "object", "record", "field", "wrote", "now", "why", "who", "when"}`; no field: the whole record.
        """
        told = self.report.plan_as_json() if planned else self.report.as_json()
        return told | {"undo_of": self.run.id, "left": [_left_as_json(one) for one in self.left]}


def _left_as_json(one: Left) -> dict[str, Any]:
    row = asdict(one)
    row["record"] = row.pop("record_id")
    row["side"] = one.side.value
    del row["link_id"]
    return row


def undo(c: Connection, run_id: int, progress: Progress = lambda *_: None) -> Undone:
    """Take a run back.

    Raises:
        BadConfiguration: there is no such run, or what it wrote is forgotten.
        Stop: it could not be done, or not to its end; repeat it.
    """
    check_mode(c.settings)
    progress = keep_count(c, progress)
    with c.store.runs.lease(), usable(c):
        run = _find(c.store, run_id)
        if _find_unfinished(c.store, run) is not None:
            finish_undo(c, progress)
        return _undo(c, run, progress)


def finish_undo(c: Connection, progress: Progress) -> None:
    """Complete the undo that was cut short, if one was: a run must not meet half of it."""
    run = c.store.runs.find_cut_short()
    if run is not None:
        _undo(c, run, progress)


def describe_unfinished(store: Store) -> list[str]:
    """In words, for a plan."""
    run = store.runs.find_cut_short()
    return [f"the undo of run {run.id} was cut short: the next sync completes it first (X2)"] if run else []


def _find_unfinished(store: Store, run: Run) -> Run | None:
    """The run whose undo was cut short, but if just that is repeated, or is to be undone itself."""
    cut_short = store.runs.find_cut_short()
    return None if cut_short is None or cut_short.id in {run.id, run.of_run} else cut_short


def plan_undo(c: Connection, run_id: int, progress: Progress = lambda *_: None) -> Undone:
    """What `undo` would do now, with its price. Reads both CRMs; writes to neither."""
    with c.store.runs.lease(), usable(c):
        run = _find(c.store, run_id)
        report = Report(keep_actions=True)
        if (before := _find_unfinished(c.store, run)) is not None:
            report.notes.append(f"the undo of run {before.id} was cut short, and is completed first (X2)")
        done = Undone(report, run)
        hands = PretendedHands(c.salesforce, c.hubspot)
        world = get_to_know(c)
        work = Work(c, world, hands, report, progress=lambda number: progress("looking", number))
        story = tell(work, run)
        with c.store.pretending():
            report.run = c.store.runs.begin(UNDO, run_id)
            _carry_out(work, story, done)
            count_all(c, report)
        report.run = 0
        report.price = hands.price
    return done


def _undo(c: Connection, run: Run, progress: Progress) -> Undone:
    done = Undone(Report(run=c.store.runs.begin(UNDO, run.id)), run)
    with concluded(c, done.report):
        world, hands = get_to_know(c), RealHands(c.salesforce, c.hubspot)
        work = Work(c, world, hands, done.report, progress=lambda number: progress("undoing", number))
        story = tell(work, run)
        _carry_out(work, story, done)
        root, holds = find_root(c.store, run)
        if holds:
            hold_derived(work, story, root)
    return done


def _carry_out(work: Work, story: Story, done: Undone) -> None:
    root, holds = find_root(work.c.store, done.run)
    done.holds = holds
    cause = f"undo of run {done.run.id}"
    inverse = invert(story.entries, story.now, story.pairs, cause)
    inverse.left[:] = [_cover(work.c.store, one) for one in name_those(work, inverse.left, story.pairs)]
    lifted = 0 if holds else len(work.c.store.holds.of_run(root))
    done.report.notes += _describe(story, inverse, lifted)
    turn_store(work, story, inverse, root, holds=holds)
    carry_out(Doing(work, story, inverse, root, holds, cause))
    done.left = [_cover(work.c.store, one) for one in inverse.left]
    if any(one.why.startswith("refused") for one in inverse.left):
        done.report.status = "problems"


def _cover(store: Store, one: Left) -> Left:
    """The same as it may be told: both values hidden where the field is personal (G3)."""
    wrote, now = (store.veil.hide(one.side, one.object, one.field, value) for value in (one.wrote, one.now))
    return replace(one, wrote=wrote, now=now)


def find_root(store: Store, run: Run) -> tuple[int, bool]:
    """The run at the bottom of undos of undos, and whether its writes are held once this one is undone."""
    holds = True
    while run.is_undo and run.of_run is not None:
        before = store.runs.find(run.of_run)
        if before is None:
            break
        run, holds = before, not holds
    return run.id, holds


def _find(store: Store, run_id: int) -> Run:
    run = store.runs.find(run_id)
    if run is not None and run.forgotten is None:
        return run
    if run is not None or 0 < run_id <= store.retention.last_forgotten():
        since = f" since {run.forgotten[:10]}" if run is not None and run.forgotten else ""
        message = f"what run {run_id} wrote is forgotten{since}, and cannot be undone"
        remedy = "`journal.keep_days` says how long runs are kept; edit the records by hand, or undo a later run"
        raise BadConfiguration([Finding("RUN", 0, message, remedy)])
    last = store.runs.last()
    known = f"the last one was run {last['run']}" if last else "there was none yet"
    raise BadConfiguration(
        [Finding("RUN", 0, f"there is no run {run_id}", f"give the number that a run printed; {known}")]
    )


def _describe(story: Story, inverse: Inverse, lifted: int) -> Iterator[str]:
    """What is to be known beforehand. `lifted`: how many writes it holds no longer."""
    if not inverse.writes and not inverse.left:
        yield f"nothing of run {story.run.id} is left to undo"
        if lifted:
            yield f"{lifted:,} write(s) that are held since an undo are let go: the next sync makes them (X2)"
    remade = Counter((one.side, one.object) for one in inverse.remakings)
    for (side, object_), number in remade.items():
        if side is Side.HUBSPOT:
            yield (
                f"HubSpot's API cannot restore what was archived: {number} of {object_} is made anew, with a new"
                " id, all values that can be written, and its contacts and company (X2)"
            )
        else:
            yield f"{number} of {object_} is made anew in Salesforce, with a new id (X2)"
    taken = Counter(one.object for one in inverse.taking_back if one.side is Side.SALESFORCE and not one.gone)
    for object_, number in taken.items():
        yield (
            f"{number} of {object_} that run {story.run.id} created is deleted in Salesforce, where nobody has"
            " touched it since; it stays in the recycle bin for 15 days (X2)"
        )
    if made := story.run.report.get("made"):
        more = f" and {len(made) - 1} more" if len(made) > 1 else ""
        yield f"what run {story.run.id} made in HubSpot for all later runs stays: {made[0]}{more}"
    if story.skipped:
        yield f"{story.skipped} write(s) to objects that do not sync now are not undone"
    if story.forgotten:
        yield f"{story.forgotten} write(s) were about a person who was forgotten since; they are not undone (G1)"
