"""One run, top to bottom.

    1 lease      one run per connection at a time
    2 observe    what changed on both sides since the last look
    3 plan       in windows, by `core`
    4 guard      refuse a run that would delete too much
    5 apply      parents before children, then deletions, then what is derived from deals
    6 report     counts, API calls, conflicts, problems

`plan` is the same run with hands that only pretend, on a store that forgets it afterwards. Neither begins while
the connection is suspended (E4).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from connector.core.guard import find_excesses
from connector.core.model import Pair, ProblemClass, Side
from connector.core.pipelines import RECORD_TYPE, CreatePipeline, CreateStage, PipelineAction, UpdateStage
from connector.engine.derive import derive
from connector.engine.hands import Hands, PretendedHands, RealHands
from connector.engine.mappings.validation import check_types
from connector.engine.observe import (
    has_begun,
    is_sweep_due,
    observe,
    observe_deals,
    observe_records,
    observe_roles,
    sweep_price,
)
from connector.engine.pipelines import resume_pipelines
from connector.engine.report import Report
from connector.engine.scope import apply_changed_scope, check_scope, describe_out_of_scope, learn_scope_fields
from connector.engine.suspension import THEN_RESUME, check_suspension, suspend
from connector.engine.windows import apply_pair, delete
from connector.engine.work import Only, Work
from connector.engine.world import (
    CONTACTS,
    DEALS,
    SET_UP_PROBLEMS,
    Connection,
    Needed,
    World,
    get_to_know,
    make_needed,
)
from connector.errors import BadConfiguration, Finding, Refused, Suspended, Unreachable


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked of a run. `deletes`: None as the guard sees fit, True all, False none (D7)."""

    deletes: bool | None = None
    records: tuple[str, ...] = ()
    """Ids of records to sync now, from either side; empty: all that is due (T6)."""
    create: bool = False
    """Whether these records get a partner made even where the rules would make none (A1)."""


_DEALS_OFF = "deal sync is switched off (`sync.deals: false`)"

_SCARCE = "most of the API calls are used: what failed is not tried again until more are free (E2)"

Progress = Callable[[str, int], None]
"""Called with what is being done and how many more records of it are done."""


def sync(c: Connection, wish: Wish | None = None, progress: Progress = lambda *_: None) -> Report:
    """Bring both CRMs into step.

    Raises:
        Stop: the run could not be done, or not to its end; everything done so far is settled.
    """
    wish, began = wish or Wish(), time.monotonic()
    progress = _keep_count(c, progress)
    with c.store.runs.lease(), _usable(c):
        report = Report(run=c.store.runs.begin(c.mapping))
        try:
            world = get_to_know(c)
            if world.needed:
                report.made = describe_needed(world.needed)
                make_needed(c, world.needed)
                world = get_to_know(c)
            only = _look(c, world, wish, report, progress)
            _guard(c, wish)
            _apply(c, world, wish, RealHands(c.salesforce, c.hubspot), report, progress, only)
        except Unreachable:
            report.status = "stopped"
            raise
        except Refused:
            report.status = "refused"
            raise
        except BaseException:
            report.status = "died"
            raise
        finally:
            report.seconds = time.monotonic() - began
            _count(c, report)
            c.store.runs.finish(report.run, report.status, report.as_json())
    return report


def plan(c: Connection, wish: Wish | None = None, progress: Progress = lambda *_: None) -> Report:
    """What `sync` would write now, with its price. Reads both CRMs; writes to neither.

    The status is `refused` where the guard would refuse; the plan then shows the deletions too.
    """
    wish, began = wish or Wish(), time.monotonic()
    with c.store.runs.lease(), _usable(c):
        report = Report(keep_actions=True)
        world = get_to_know(c)
        report.made = describe_needed(world.needed)
        only = _look(c, world, wish, report, progress)
        try:
            _guard(c, wish)
        except Refused as refused:
            report.status = "refused"
            report.notes.append(f"`sync` would refuse: {refused.message}; {refused.remedy}")
            wish = Wish(deletes=True, records=wish.records)
        hands = PretendedHands(c.salesforce, c.hubspot)
        hands.price[Side.HUBSPOT] += _price_of(world.needed)
        with c.store.pretending():
            report.run = c.store.runs.begin()
            _apply(c, world, wish, hands, report, progress, only)
            _count(c, report)
        report.run = 0
        report.price = hands.price
        report.notes += _find_shortages(report)
        if not is_sweep_due(c):
            report.notes.append(
                f"deletions in HubSpot are looked for every {c.settings.hubspot.sweep_hours:g} h,"
                f" for about {sweep_price(c)} HubSpot call(s), and whenever a write meets one"
            )
        report.seconds = time.monotonic() - began
    return report


@contextlib.contextmanager
def _usable(c: Connection) -> Iterator[None]:
    """The connection for as long as it can be used. What is met inside may suspend it (E4).

    What is remembered of the set-up may be why a CRM could not be read: then the next run asks for it anew.
    """
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
        c.allocation.keep()


def _keep_count(c: Connection, progress: Progress) -> Progress:
    """Beside telling of progress, note the API calls made so far: a process that dies has made them too (E3)."""

    def tell(what: str, number: int) -> None:
        c.allocation.keep()
        progress(what, number)

    return tell


def _look(c: Connection, world: World, wish: Wish, report: Report, progress: Progress) -> Only | None:
    if DEALS not in c.pairs:
        report.notes.append(f"{_DEALS_OFF}: no opportunity and no deal is touched (P1)")
    check_types(c, world)
    check_scope(c, world)
    learn_scope_fields(c, lambda number: progress("looking", number))
    if wish.records:
        return _look_at(c, world, wish.records, report)
    seen = observe(c, world, report.run, lambda number: progress("looking", number))
    if c.is_scarce and c.store.problems.count():
        report.notes.append(_SCARCE)
    if seen.existing_deals:
        report.notes.append(
            f"{seen.existing_deals} existing deal(s) in assigned pipelines become opportunities"
            " once somebody changes them (P4)"
        )
    return None


def _look_at(c: Connection, world: World, ids: Iterable[str], report: Report) -> Only:
    """Read single records now, with their partners and what they refer to (T6)."""
    if not has_begun(c):  # of an empty store nothing could be told apart: all is looked at, and this alone synced
        observe(c, world, report.run)
    only: set[tuple[Side, str, str]] = set()
    for given in ids:
        side, pair, id_ = _find(c, world, given)
        todo = [(side, id_)]
        partner = c.store.links.by_ids(pair.name, side, [id_]).get(id_)
        if partner and (other := partner.id_of(side.other)):
            todo.append((side.other, other))
        for where, one in todo:
            observe_records(c, world, where, pair, [one])
            c.store.records.mark(where, pair.object(where), [one])
            only.add((where, pair.object(where), one))
            if pair.name == DEALS and where is Side.HUBSPOT:
                observe_deals(c, [one], report.run)
            if pair.name == DEALS and where is Side.SALESFORCE and CONTACTS in c.pairs:
                observe_roles(c, [one])
    return frozenset(only)


def _find(c: Connection, world: World, given: str) -> tuple[Side, Pair, str]:
    """Which record an id means: `006…`, or `deal:123`, `company:123`, `contact:123`, or a known HubSpot id."""
    prefixes = {"001": "account-company", "003": "contact-contact", "006": DEALS}
    kind, _, id_ = given.rpartition(":")
    if not id_.isdigit() and id_[:3] in prefixes and prefixes[id_[:3]] in c.pairs:
        pair = c.pairs[prefixes[id_[:3]]]
        found = c.salesforce.read(pair.salesforce, [id_], world.wanted(pair, Side.SALESFORCE))
        return Side.SALESFORCE, pair, next((one.id for one in found.values() if one.present), id_)
    if id_.isdigit():
        for pair in reversed(list(c.pairs.values())):
            wanted = world.wanted(pair, Side.HUBSPOT)
            if kind and kind not in {pair.hubspot, pair.name.rpartition("-")[2]}:
                continue
            if any(one.present for one in c.hubspot.read(pair.hubspot, [id_], wanted).values()):
                return Side.HUBSPOT, pair, id_
    remedy = "give a Salesforce id (001…, 003…, 006…), or deal:ID, contact:ID or company:ID of HubSpot"
    if DEALS not in c.pairs:
        remedy = f"{_DEALS_OFF} (P1); {remedy}"
    raise BadConfiguration([Finding("--record", 0, f"no synced record has the id {given}", remedy)])


def _guard(c: Connection, wish: Wish) -> None:
    """Refuse to delete more than the limit allows, unless a person said so (D7)."""
    if wish.deletes is not None or DEALS not in c.pairs:
        return
    pair = c.pairs[DEALS]
    deletions = {pair.hubspot: len(c.store.links.pending_deletions(pair.name, pair.salesforce))}
    links = {pair.hubspot: c.store.links.count(pair.name)}
    for excess in find_excesses(deletions, links, c.settings.deletion_limit()):
        raise Refused(
            f"this run would delete {excess.deletions} of {excess.links} {excess.object}",
            "see what happened in Salesforce; then `--allow-deletes` deletes them,"
            " and `--without-deletes` does everything else",
        )


def _apply(
    c: Connection,
    world: World,
    wish: Wish,
    hands: Hands,
    report: Report,
    progress: Progress,
    only: Only | None,
) -> None:
    work = Work(c, world, hands, report, only, lambda number: progress("syncing", number))
    work.forced = only or frozenset() if wish.create else frozenset()
    apply_changed_scope(work)
    resume_pipelines(work)
    with c.store.transaction():
        _renew_standing_problems(c, world)
    for pair in c.pairs.values():
        apply_pair(work, pair)
    if wish.deletes is not False and DEALS in c.pairs:
        delete(work, c.pairs[DEALS])
    for pair in derive(work):
        apply_pair(work, pair)


def _renew_standing_problems(c: Connection, world: World) -> None:
    """Problems that are not a record's own, such as a record type without a pipeline, or an owner's."""
    open_ = c.store.problems.all()
    standing = {(Side(one["side"]), one["object"], one["record_id"]): one["code"] for one in open_}
    still = {(one.side, one.object, one.record_id) for one in world.problems}
    over = []
    for side, object_, id_ in standing.keys() - still:
        owner = object_ in {"User", "owners"} and isinstance(world.knowledge.owner(side.other, id_), str)
        if owner or standing[side, object_, id_] in SET_UP_PROBLEMS:
            over.append((side, object_, id_))
    if over:
        _let_go_on(c, over, standing)
    c.store.problems.solve(over)
    c.store.problems.note(world.problems, retry=False)


def _let_go_on(c: Connection, over: Iterable[tuple[Side, str, str]], held: Iterable[tuple[Side, str, str]]) -> None:
    """Something that stood in the way is gone: look again at what waited for it and at what had a problem."""
    for side, object_, id_ in held:
        c.store.records.mark(side, object_, [id_])
    c.store.records.wake(RECORD_TYPE, [(side, id_) for side, object_, id_ in over if object_ == "RecordType"])
    for pair in c.pairs.values():
        c.store.records.wake(
            pair.name, [(side, id_) for side, object_, id_ in over if object_ == pair.object(side)]
        )


def _count(c: Connection, report: Report) -> None:
    for side, crm in ((Side.SALESFORCE, c.salesforce), (Side.HUBSPOT, c.hubspot)):
        usage = crm.usage()
        left = [one for one in (usage.left, c.allocation.left(side)) if one is not None]
        report.calls[side], report.left[side] = usage.calls, min(left, default=None)
    report.problems = c.store.problems.count()
    report.waiting = c.store.records.count_waiting()
    report.notes += describe_out_of_scope(c)
    if report.status == "ok" and report.problems:
        report.status = "problems"


def _find_shortages(report: Report) -> Iterable[str]:
    """What a sync could not do within the calls that are left (E3)."""
    for side, price in report.price.items():
        left = report.left[side]
        if left is not None and price > left:
            yield f"only {left} {side} calls are left: `sync` would stop there, and go on in a later run (E3)"


def describe_needed(needed: Needed) -> list[str]:
    """What is made in HubSpot, in words."""
    lines = [f"property {one.name} on {one.object}" for one in needed.properties]
    lines += [_describe(action) for action in needed.pipelines]
    return lines + [f"label {label!r} for contacts of deals" for label in needed.labels]


def _describe(action: PipelineAction) -> str:
    match action:
        case CreatePipeline(pipeline):
            return f"pipeline {pipeline.label!r} with {len(pipeline.stages)} stages"
        case CreateStage(pipeline_id, stage):
            return f"stage {stage.label!r} in pipeline {pipeline_id}"
        case UpdateStage(pipeline_id, stage, was):
            return f"stage {was.label!r} of pipeline {pipeline_id} becomes {stage.label!r} at {stage.probability}"


def _price_of(needed: Needed) -> int:
    """Calls to make it: a group and a batch per object, one per pipeline, stage or label."""
    return 2 * len({one.object for one in needed.properties}) + len(needed.pipelines) + len(needed.labels)
