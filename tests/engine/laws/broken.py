"""Would the machine notice? Connectors that are broken on purpose, each with the shortest story that tells on it.

Each law has at least one. A story names the style it is played in, its steps, and the words with which the machine
says which law was broken; the same story told of the real connector has to end well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from engine.laws import hubspot_people as there
from engine.laws import salesforce_people as here
from engine.laws.story import Step

from connector.adapters import salesforce_deletion
from connector.adapters.hubspot import HubSpot
from connector.core import derived, lifecycle, matching, merge, plan
from connector.core.model import Base, Side
from connector.engine import apply, candidates, deletions, derive, merges, windows
from connector.mapping.transforms import Number
from connector.store.links import Links

Sabotage = Callable[[], AbstractContextManager[None]]


@contextmanager
def replaced(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    """While inside, each owner's attribute of that name is something else."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def rollups_are_always_due() -> AbstractContextManager[None]:
    """What was derived is derived again in every run, and written whatever HubSpot has."""
    return replaced((derived, "_same_text", lambda one, other: False), (Links, "derived", lambda self, ids: None))


def one_shared_base() -> AbstractContextManager[None]:
    """Both sides are compared with what HubSpot looked like."""
    honest = merge.merge_field

    def confused(rule: Any, salesforce: Any, hubspot: Any, base: Base, newer: Side, known: Any) -> Any:
        pairs = zip(rule.salesforce, rule.hubspot, strict=True)
        shared = {mine: base.hubspot[theirs] for mine, theirs in pairs if theirs in base.hubspot}
        return honest(rule, salesforce, hubspot, Base(shared, base.hubspot), newer, known)

    return replaced((plan, "merge_field", confused))


def equal_values_are_written() -> AbstractContextManager[None]:
    """That both sides came to mean the same is not noticed."""
    return replaced((merge, "have_one_meaning", lambda rule, salesforce, hubspot, known: False))


def settles_before_it_writes() -> AbstractContextManager[None]:
    """What is about to be written counts as agreed: a death in between loses it."""
    honest = apply._send_updates

    def hasty(work: Any, pair: Any, side: Side, updates: Any) -> Any:
        work.c.store.links.settle({one.link.id: one.settles for one in updates if one.settles})
        return honest(work, pair, side, updates)

    return replaced((apply, "_send_updates", hasty))


def no_reread() -> AbstractContextManager[None]:
    """What was seen is taken for what is there."""
    return replaced((apply, "_still_true", lambda work, pair, side, updates: list(updates)))


def stored_ids_are_not_believed() -> AbstractContextManager[None]:
    return replaced((matching, "_match_by_stored_id", lambda candidate: None))


def plain_create() -> AbstractContextManager[None]:
    """Deals are created without the id that would make a second try collide."""
    honest = HubSpot._creation

    def forgetful(self: HubSpot, object_: str, draft: Any) -> Any:
        body = honest(self, object_, draft)
        body["properties"].pop("sf_record_id", None)
        return body

    return replaced((HubSpot, "_creation", forgetful))


def one_deletion_holds_up_the_others() -> AbstractContextManager[None]:
    """In a window in which a record was deleted, nothing else is planned."""
    honest = windows._plan_window

    def timid(work: Any, pair: Any, window: Any) -> Any:
        planned = honest(work, pair, window)
        return planned if all(one.present for one in window.records.values()) else []

    return replaced((windows, "_plan_window", timid))


def amounts_are_rounded() -> AbstractContextManager[None]:
    """A transform that does not come back to where it began."""
    honest = Number.carry

    def rounded(self: Number, to: Side, values: Any, known: Any) -> Any:
        carried = honest(self, to, values, known)
        some = to is Side.HUBSPOT and isinstance(carried, tuple) and carried[0] is not None
        return (str(int(float(carried[0]))),) if some else carried

    return replaced((Number, "carry", rounded))


def deletions_travel_both_ways() -> AbstractContextManager[None]:
    """The opportunity of a deal that was deleted is deleted too."""
    honest = apply.sever

    def symmetrical(work: Any, severances: Any) -> None:
        honest(work, severances)
        for one in severances:
            list(work.c.salesforce.remove_roles([one.salesforce_id]))

    anything = {**salesforce_deletion.DELETABLE, salesforce_deletion.ROLE: r"\w{3}"}
    return replaced(
        (apply, "sever", symmetrical),
        (deletions, "sever", symmetrical),
        (salesforce_deletion, "DELETABLE", anything),
    )


def stages_are_set_whatever_they_are() -> AbstractContextManager[None]:
    """Every stage counts as a step ahead, and is cleared first so that HubSpot takes it."""
    honest = derive.plan_derived

    def careless(derivation: Any, settings: Any, order: Any) -> Any:
        found = honest(derivation, settings, order)
        clears = frozenset({"lifecyclestage"})
        return replace(found, update=replace(found.update, clears_first=clears)) if found.update else found

    return replaced((lifecycle, "is_ahead", lambda stage, present, order: True), (derive, "plan_derived", careless))


def scope_is_not_asked() -> AbstractContextManager[None]:
    return replaced((windows, "is_frozen", lambda pair, *records: False))


def every_pipeline_syncs() -> AbstractContextManager[None]:
    everywhere = lambda world, deal: True  # noqa: E731  # a function of one line, given to two rooms
    return replaced((windows, "syncs", everywhere), (candidates, "syncs", everywhere))


def merges_are_not_followed() -> AbstractContextManager[None]:
    return replaced((windows, "follow_merges", lambda work, pair: None), (merges, "LONGEST_CHAIN", 0))


def roles_are_only_added() -> AbstractContextManager[None]:
    from connector.core import roles

    return replaced((roles, "_plan_endings", lambda one: iter(())))


def deals_are_counted_once_and_for_all() -> AbstractContextManager[None]:
    """A deal that leaves the synced pipelines goes on counting."""
    return replaced((derive, "_counts", lambda work, deal: True))


@dataclass(frozen=True)
class Case:
    """A broken connector, the story that tells on it, and the first words of the judgement."""

    sabotage: Sabotage
    laws: str
    style: str
    steps: tuple[Step, ...]
    says: str


_RENAMED = ("do", (here.edit, "Opportunity", 0, ("Name", "Alpha")))
_STAGE = ("do", (there.edit, "deals", 0, ("StageName", 1)))
_AMOUNT = ("do", (here.edit, "Opportunity", 0, ("Amount", 1054.5)))
_SAME = (
    ("do", (here.edit, "Opportunity", 0, ("Description", "short"))),
    ("do", (there.edit, "deals", 0, ("Description", "short"))),
)
CASES = (
    Case(rollups_are_always_due, "1", "shipped", (_RENAMED,), "law 1"),
    Case(one_shared_base, "2", "shipped", (_STAGE, ("wait", 1), _RENAMED), "F1"),
    Case(equal_values_are_written, "3", "shipped", _SAME, "law 3"),
    Case(
        settles_before_it_writes, "4", "shipped",
        (("fork", (here.edit, "Opportunity", 0, ("Name", "Alpha")), -1),), "law 4",
    ),
    Case(
        no_reread, "5", "shipped",
        (("meddle", (there.edit, "deals", 0, ("Description", "short")), 8,
          (here.edit, "Opportunity", 0, ("Description", "first line\nsecond line"))),), "law 5",
    ),
    Case(
        stored_ids_are_not_believed, "6", "shipped", (("do", (there.delete, "deals", 0)), ("forget",)), "law 6",
    ),
    Case(
        plain_create, "7", "shipped",
        (("die", (here.new_opportunity, "Alpha", 1, "2026-06-30", 0, None, None), -1, True),), "law 7",
    ),
    Case(one_deletion_holds_up_the_others, "8", "shipped",
         (("isolate", (here.edit, "Opportunity", 0, ("Name", "Alpha")), 1),), "law 8"),
    Case(amounts_are_rounded, "2, 9", "shipped", (_AMOUNT,), "law 2"),
    Case(deletions_travel_both_ways, "10", "shipped", (("do", (there.delete, "deals", 0)),), "law 10"),
    Case(
        stages_are_set_whatever_they_are, "11", "shipped",
        (("do", (there.set_stage, "contacts", 2, "evangelist")), ("do", (here.add_role, 1, 2, None, False, False))),
        "law 11",
    ),
    Case(scope_is_not_asked, "A8", "scoped", (("do", (here.cross_border, "Opportunity", 0, True, "one")), ("rest",),
         ("do", (here.edit, "Opportunity", 0, ("Name", "Alpha")))), ""),
    Case(every_pipeline_syncs, "O5", "shipped", (("do", (there.move_deal, 0, 5, 1)), ("rest",),
         ("do", (here.edit, "Opportunity", 0, ("Name", "Alpha")))), ""),
    Case(merges_are_not_followed, "A7", "shipped", (("do", (here.new_contact, "Alpha", "own", None)),
         ("do", (here.merge, "Contact", 3, 2))), ""),
    Case(roles_are_only_added, "R3", "shipped", (("do", (here.remove_role, 0)),), "law 2, roles"),
    Case(deals_are_counted_once_and_for_all, "U9", "shipped", (("do", (there.move_deal, 0, 5, 1)),), "rollups"),
)  # fmt: skip
