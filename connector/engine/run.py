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

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from connector.core.model import Side
from connector.core.pipelines import RECORD_TYPE
from connector.engine.agreed import AgreedGate
from connector.engine.backfill import Backfill, begin_backfill, check_backfill
from connector.engine.deletions import delete, find_mass_deletions
from connector.engine.derive import derive
from connector.engine.fields import check_fields, learn_returned
from connector.engine.frame import Progress, concluded, count_all, keep_count, usable
from connector.engine.growth import learn_mapping
from connector.engine.hands import Hands, PretendedHands, RealHands
from connector.engine.held import describe_held, make_gates
from connector.engine.hiding import hide_former
from connector.engine.named import DEALS_OFF, look_at
from connector.engine.needed import describe_needed, make_needed, price_of
from connector.engine.observe import is_sweep_due, observe, sweep_price
from connector.engine.pipelines import resume_pipelines
from connector.engine.plan_file import PlanFile
from connector.engine.report import Report
from connector.engine.scope import apply_changed_scope, check_scope, learn_scope_fields
from connector.engine.suspension import check_mode
from connector.engine.undo import describe_unfinished, finish_undo
from connector.engine.windows import apply_pair
from connector.engine.work import Gate, Only, Work
from connector.engine.world import (
    DEALS,
    SET_UP_PROBLEMS,
    Connection,
    World,
    get_to_know,
    set_aside,
)
from connector.errors import Refused
from connector.mapping.transforms import Owner
from connector.store.runs import SYNC


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked of a run. `deletes`: None as the guard sees fit, True all, False none (D7)."""

    deletes: bool | None = None
    records: tuple[str, ...] = ()
    """Ids of records to sync now, from either side; empty: all that is due (T6)."""
    create: bool = False
    """Whether these records get a partner made even where the rules would make none (A1)."""
    pairs: tuple[str, ...] = ()
    """The pairs that are synced, with the parents that they wait for; empty: all."""
    agreed: PlanFile | None = None
    """A saved plan: nothing is written that it does not say (X1)."""
    backfill: Backfill | None = None
    """What a mapping that grew is to fill in (T4)."""

    def includes(self, pair: str) -> bool:
        return not self.pairs or pair in self.pairs


OWNERS = frozenset({"User", "owners"})
PAGE = 1000

_SCARCE = "most of the API calls are used: what failed is not tried again until more are free (E2)"


def sync(c: Connection, wish: Wish | None = None, progress: Progress = lambda *_: None) -> Report:
    """Bring both CRMs into step; with a saved plan, only as far as that says.

    Raises:
        Stop: the run could not be done, or not to its end; everything done so far is settled.
    """
    check_mode(c.settings)
    wish = wish or Wish()
    progress = keep_count(c, progress)
    with c.store.runs.lease(), usable(c):
        finish_undo(c, progress)
        report = Report(run=c.store.runs.begin(_kind_of(wish), files=c.mapping))
        with concluded(c, report):
            progress("looking", 0)  # asked to end while an undo was completed, it ends here
            world = make_ready(c, report, wish)
            only = _look(c, world, wish, report, progress)
            _guard(c, wish)
            _apply(c, world, wish, RealHands(c.salesforce, c.hubspot), report, progress, only)
    return report


def _kind_of(wish: Wish) -> str:
    if wish.agreed is not None:
        return "apply"
    return SYNC if wish.backfill is None else "backfill"


def make_ready(c: Connection, report: Report, wish: Wish | None = None) -> World:
    """What has to be known, once HubSpot has all that it lacked."""
    world = get_to_know(c)
    if world.needed:
        report.made = describe_needed(world.needed)
        _check_needed(wish, report.made)
        refused = make_needed(c, world.needed)
        report.made = describe_needed(world.needed.without(refused))
        world = get_to_know(c)
        set_aside(world, refused)
    return world


def plan(c: Connection, wish: Wish | None = None, progress: Progress = lambda *_: None) -> Report:
    """What `sync` would write now, with its price. Reads both CRMs; writes to neither.

    The status is `refused` where the guard would refuse; the plan then shows the deletions too.
    """
    wish, began = wish or Wish(), time.monotonic()
    with c.store.runs.lease(), usable(c):
        report = Report(keep_actions=True, notes=describe_unfinished(c.store))
        world = get_to_know(c)
        report.made = describe_needed(world.needed)
        only = _look(c, world, wish, report, progress)
        try:
            _guard(c, wish)
        except Refused as refused:
            report.status = "refused"
            report.notes.append(f"`sync` would refuse: {refused.message}; {refused.remedy}")
            wish = replace(wish, deletes=True)
        hands = PretendedHands(c.salesforce, c.hubspot)
        hands.price[Side.HUBSPOT] += price_of(world.needed)
        with c.store.pretending():
            report.run = c.store.runs.begin()
            _apply(c, world, wish, hands, report, progress, only)
            count_all(c, report)
        report.run = 0
        report.price = hands.price
        if not c.settings.writes:
            report.notes.append("the settings say `mode: read_only`: `sync` would refuse (P3)")
        report.notes += _find_shortages(report)
        if not is_sweep_due(c):
            report.notes.append(
                f"deletions in HubSpot are looked for every {c.settings.hubspot.sweep_hours:g} h,"
                f" for about {sweep_price(c)} HubSpot call(s), and whenever a write meets one"
            )
        report.seconds = time.monotonic() - began
    return report


def _look(c: Connection, world: World, wish: Wish, report: Report, progress: Progress) -> Only | None:
    if DEALS not in c.pairs:
        report.notes.append(f"{DEALS_OFF}: no opportunity and no deal is touched (P1)")
    check_fields(c, world)
    check_scope(c, world)
    if wish.backfill is not None:
        check_backfill(c, wish.backfill)
    learn_returned(c, world, lambda number: progress("looking", number))
    learn_scope_fields(c, lambda number: progress("looking", number))
    learn_mapping(c, lambda number: progress("looking", number))
    if told := hide_former(c.store, lambda number: progress("hiding", number)):
        report.notes.append(told)
    if wish.records:
        return look_at(c, world, wish.records, report.run)
    seen = observe(c, world, report.run, lambda number: progress("looking", number))
    if c.is_scarce and c.store.problems.count():
        report.notes.append(_SCARCE)
    if seen.existing_deals:
        report.notes.append(
            f"{seen.existing_deals} existing deal(s) in assigned pipelines become opportunities"
            " once somebody changes them, or by `connector backfill --deals` (P4)"
        )
    return None


def _guard(c: Connection, wish: Wish) -> None:
    """Refuse to delete more than the limit allows, unless a person said so (D7)."""
    if wish.deletes is not None:
        return
    if excesses := find_mass_deletions(c, [name for name in c.pairs if wish.includes(name)]):
        told = ", ".join(f"{one.deletions} of {one.links} {one.object}" for one in excesses)
        raise Refused(
            f"this run would delete {told}",
            "see what happened on the other side; then `--allow-deletes` deletes them,"
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
    agreed = [AgreedGate(wish.agreed.writes, c.store.veil)] if wish.agreed else []
    report.notes += describe_held(c.store)
    gates: tuple[Gate, ...] = (*make_gates(c), *agreed)
    work = Work(c, world, hands, report, only, lambda number: progress("syncing", number), gates=gates)
    work.forced = only or frozenset() if wish.create else frozenset()
    settle_set_up(work)
    if wish.backfill is not None:
        begin_backfill(work, wish.backfill)
    for pair in c.pairs.values():
        if wish.includes(pair.name):
            apply_pair(work, pair)
    included = [name for name in c.pairs if wish.includes(name)]
    if wish.deletes is not False:
        delete(work, included, guarded=wish.deletes is None)
    for pair in derive(work, included):
        apply_pair(work, pair)
    for gate in agreed:
        gate.close(report)


def _check_needed(wish: Wish | None, needed: Sequence[str]) -> None:
    """Make nothing in HubSpot that a saved plan does not name."""
    more = [one for one in needed if wish and wish.agreed and one not in wish.agreed.made]
    if more:
        raise Refused(
            f"HubSpot needs what the plan does not have: {', '.join(more)}",
            "make the plan anew: the set-up of either CRM changed since",
        )


def settle_set_up(work: Work) -> None:
    """Before anything is planned: what follows from a set-up that is another one than at the last run."""
    apply_changed_scope(work)
    resume_pipelines(work)
    with work.c.store.transaction():
        _renew_standing_problems(work.c, work.world)


def _renew_standing_problems(c: Connection, world: World) -> None:
    """Problems that are not a record's own, such as a record type without a pipeline, or an owner's."""
    open_ = c.store.problems.all()
    standing = {(Side(one["side"]), one["object"], one["record_id"]): one["code"] for one in open_}
    still = {(one.side, one.object, one.record_id) for one in world.problems}
    over = []
    for side, object_, id_ in standing.keys() - still:
        owner = object_ in OWNERS and isinstance(world.knowledge.owner(side.other, id_), str)
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
    owners = {(side, id_) for side, object_, id_ in over if object_ in OWNERS}
    for side in {side for side, _ in owners}:
        _mark_owned(c, side, {id_ for where, id_ in owners if where is side})


def _mark_owned(c: Connection, side: Side, owners: Collection[str]) -> None:
    """Look again at what belongs to these owners, who have a counterpart now (A5); their records had no problem."""
    for pair in c.pairs.values():
        names = [name for rule in pair.fields if isinstance(rule.transform, Owner) for name in rule.names(side)]
        after = ""
        while names and (some := c.store.records.page(side, pair.object(side), after, PAGE)):
            after = some[-1].id
            owned = [one.id for one in some if any(one.fields.get(name) in owners for name in names)]
            c.store.records.mark(side, pair.object(side), owned)


def _find_shortages(report: Report) -> Iterable[str]:
    """What a sync could not do within the calls that are left (E3)."""
    for side, price in report.price.items():
        left = report.left[side]
        if left is not None and price > left:
            yield f"only {left} {side} calls are left: `sync` would stop there, and go on in a later run (E3)"
