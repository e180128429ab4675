"""Would the simulation notice? Connectors that are broken on purpose, each with a short story that tells on it.

They are broken where only the simulation looks: at what faults, budgets, clocks, deaths and older stores do. For
the laws `engine/laws/broken.py` has connectors of its own; `LAWS` are those of them that are told here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from engine.lab import Lab
from engine.laws import broken
from engine.laws import hubspot_people as there
from engine.laws import salesforce_people as here
from engine.laws.broken import Case, replaced
from simulation import trouble
from sqlalchemy import delete

from connector.adapters.http import Door
from connector.adapters.salesforce import Salesforce
from connector.core import merges as rules_of_merges
from connector.core.model import LinkState, Presence, Side
from connector.engine import allocation, merges, run, windows
from connector.engine.allocation import Allocation
from connector.errors import Unreachable
from connector.store.links import Links
from connector.store.records import Records
from connector.store.runs import Runs
from connector.store.schema import link


def budget_is_counted_and_not_kept() -> AbstractContextManager[None]:
    """Every call is noted, and none is refused."""
    honest = Allocation.spend

    def generous(self: Allocation, side: Any) -> None:
        most, self._most = self._most, dict.fromkeys(self._most)
        try:
            honest(self, side)
        finally:
            self._most = most

    return replaced((Allocation, "spend", generous))


def calls_of_the_dead_are_forgotten() -> AbstractContextManager[None]:
    """The store is told of calls now and then when they were made, and never before."""
    return replaced((allocation, "AHEAD", 0), (Allocation, "_keep_beside", lambda self, side: None))


def nobody_holds_a_lease() -> AbstractContextManager[None]:
    """Whoever begins a run begins it, whoever else is at work, and nobody is told."""
    honest = Runs._replace_lease

    def brazen(self: Runs, token: str) -> Any:
        self.end_lease()
        return honest(self, token)

    return replaced(
        (Runs, "_replace_lease", brazen),
        (Runs, "_renew", lambda self, token, change: None),
        (Runs, "confirm", lambda self: None),
    )


def lost_answers_are_asked_for_again() -> AbstractContextManager[None]:
    """A creation carries no id that would tell it from a second one, and is sent again if it was not answered."""
    honest = Salesforce.create

    def blind(self: Salesforce, object_: str, drafts: Any, wanted: Any) -> Any:
        left = {wanted.partner_field}
        bare = [
            replace(one, values={name: value for name, value in one.values.items() if name not in left})
            for one in drafts
        ]
        return honest(self, object_, bare, wanted)

    return replaced((Door, "once", lambda self: nullcontext()), (Salesforce, "create", blind))


def refused_is_refused_for_ever() -> AbstractContextManager[None]:
    """What a CRM refused once is not tried again by itself."""
    return replaced((Records, "mark_due", lambda self, now: None))


def one_refused_holds_up_the_others() -> AbstractContextManager[None]:
    """In a window with a record that was refused before, nothing is planned."""
    honest = windows._plan_window

    def timid(work: Any, pair: Any, window: Any) -> Any:
        troubled = {one["record_id"] for one in work.c.store.problems.all()}
        return [] if troubled & window.records.keys() else honest(work, pair, window)

    return replaced((windows, "_plan_window", timid))


@contextmanager
def no_answer_means_deleted() -> Iterator[None]:
    """What Salesforce does not show, because it does not answer, is taken to be deleted."""

    def wire(c: Any) -> None:
        honest = c.salesforce.read

        def gullible(object_: str, ids: Any, wanted: Any) -> Any:
            try:
                return honest(object_, ids, wanted)
            except Unreachable:
                known = c.store.records.load(Side.SALESFORCE, object_, ids)
                return {id_: replace(one, presence=Presence.DELETED) for id_, one in known.items()}

        c.salesforce.read = gullible

    with _wired(wire):
        yield


def own_clock_is_believed() -> AbstractContextManager[None]:
    """From where to read on is told by the clock of the connector's machine, not by the vendor's."""

    def wire(c: Any) -> None:
        c.salesforce._now = c.hubspot._now = c.now

    return _wired(wire)


def _wired(wire: Callable[[Any], None]) -> AbstractContextManager[None]:
    """While inside, every connection is changed before it is used."""
    honest = Lab.connection

    def connect(self: Lab) -> Any:
        c = honest(self)
        wire(c)
        return c

    return replaced((Lab, "connection", connect))


def returned_fields_are_not_read() -> AbstractContextManager[None]:
    """A field that was out of sight for a while is read again only of records that change."""
    return replaced((run, "learn_returned", lambda *_: None))


def frozen_pairs_stay_behind() -> AbstractContextManager[None]:
    """A merge moves only pairs that take part."""
    alone = {LinkState.LINKED}
    return replaced((rules_of_merges, "FOLLOWED", alone), (merges, "FOLLOWED", alone), (windows, "FOLLOWED", alone))


def survivors_are_not_asked_whose_they_are() -> AbstractContextManager[None]:
    """Into whatever a record is merged, its partner goes along."""
    return replaced((merges, "_is_named", lambda *_: False))


def restored_is_forgotten() -> AbstractContextManager[None]:
    """A creation that was refused takes along what was known of the pair before (D4)."""

    def forgetful(self: Links, link_id: int) -> None:
        self._db.execute(delete(link).where(link.c.id == link_id, link.c.state == LinkState.PENDING.value))

    return replaced((Links, "forget", forgetful))


_DAY = (("wait", 90000), ("wait", 90000))
_RENAME = ("do", (here.edit, "Opportunity", 0, ("Name", "Alpha")))
_AMOUNT = ("do", (here.edit, "Opportunity", 0, ("Amount", 1054)))
_HUBSPOTS = ("do", (there.edit, "deals", 0, ("Description", "short")))
_CREATION = {"path": "composite", "nth": 3}
_SILENCE = ("weather", *[{"side": "salesforce", "kind": "status", "status": 500, "nth": 3}] * 12)
"""Salesforce answers twice, and then no more for a while; each order strikes the third call that reaches it."""
CASES = (
    Case(budget_is_counted_and_not_kept, "E3", "shipped",
         (*_DAY, ("budget", 8), ("run",), _RENAME, ("run",)), "E3"),
    Case(calls_of_the_dead_are_forgotten, "E3", "shipped", (*_DAY, ("budget", 15),
         *(("die", (here.edit, "Opportunity", 0, ("Amount", one)), 8, True) for one in range(6))), "E3"),
    Case(nobody_holds_a_lease, "one run at a time", "shipped", (_RENAME, ("twice", 3)), "one run at a time"),
    Case(lost_answers_are_asked_for_again, "7", "typed", (("do", (there.new_contact, "Alpha", "none", None)),
         ("weather", {"side": "salesforce", "kind": "timeout", "when": "after", **_CREATION}), ("run",)),
         "law 7"),
    Case(refused_is_refused_for_ever, "E2", "shipped", (("trouble", (trouble.poison, "Opportunity", 0)),
         ("do", (there.edit, "deals", 0, ("Description", "short"))), ("run",)), "a problem of the connector's own"),
    Case(one_refused_holds_up_the_others, "8, E1", "shipped", (("trouble", (trouble.give_odd_mail, 0)), ("run",),
         ("do", (here.edit, "Contact", 1, ("LastName", "Alpha")))), "law 2"),
    Case(no_answer_means_deleted, "10, D6", "shipped", (_HUBSPOTS, _SILENCE, ("run",)),
         "nobody says why it has no partner"),
    Case(own_clock_is_believed, "F1", "shipped", (("trouble", (trouble.set_clock_here, 90000)), ("run",), _AMOUNT,
         ("wait", 3700), ("run",)), "law 2"),
    Case(returned_fields_are_not_read, "F1, D6", "shipped",
         (("trouble", (trouble.forbid_field, 0, False)), ("run",), ("wait", 3700),
          ("do", (here.edit, "Opportunity", 0, ("Description", "short"))), ("wait", 3700), ("run",)), "law 2"),
    Case(frozen_pairs_stay_behind, "A7, A8", "scoped", (("do", (there.cross_border, "contacts", 0, True, None)),
         ("rest",), ("do", (here.merge, "Contact", 1, 0)), ("rest",),
         ("do", (there.cross_border, "contacts", 0, False, None))), "A7"),
    Case(survivors_are_not_asked_whose_they_are, "7", "shipped", (("back_up",),
         ("do", (here.new_contact, "Alpha", "own", None)), ("run",), ("put_back",),
         ("do", (here.merge, "Contact", 3, 0))), "law 7"),
    Case(restored_is_forgotten, "D4", "shipped", (("do", (here.delete, "Opportunity", 0)), ("rest",),
         ("meddle", (here.restore, "Opportunity", 0), 4, (there.delete, "contacts", 0))),
         "nobody says why it has no partner"),
)  # fmt: skip
LAWS = tuple(
    one
    for one in broken.CASES
    if one.sabotage
    in {
        broken.one_shared_base,
        broken.equal_values_are_written,
        broken.settles_before_it_writes,
        broken.no_reread,
        broken.plain_create,
        broken.deletions_travel_both_ways,
        broken.stages_are_set_whatever_they_are,
    }
)
