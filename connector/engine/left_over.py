"""Whom a merge left over (A7): a record whose partner was merged into one that has a partner of its own.

It stays without one, and is listed, for as long as the survivor's own partner is there.
"""

from __future__ import annotations

from connector.core.actions import Action, Adoption, Creation
from connector.core.merges import PARTED, is_left_over, list_left_over
from connector.core.model import Link, Pair, Presence, Problem, Record, Side
from connector.engine.merges import find_absorbed
from connector.engine.window import Window
from connector.engine.work import Work, look_again


def find_left_over(work: Work, pair: Pair, side: Side, id_: str) -> set[str]:
    """Who had, or names, what was merged into a record of `side`."""
    store = work.c.store
    merged = find_absorbed(work, pair, side, [id_]).keys() - {id_}
    naming = store.records.naming(side.other, pair.object(side.other), merged).values()
    links = list(store.links.by_ids(pair.name, side, merged).values())
    links += store.links.by_ids(pair.name, side.other, [one.id for some in naming for one in some]).values()
    return {other for one in links if one.has_ended and (other := one.id_of(side.other))}


def left_over_from(window: Window, id_: str) -> tuple[Record, Link] | None:
    """The merged partner of a record that the merge left over, and the link of its survivor.

    The record of the pair that ended, or the one that it names: it may have come of a merge itself.
    """
    there = window.side.other
    link, record = window.links.get(id_), window.records.get(id_)
    for other in (link.id_of(there) if link else None, record.partner_id if record else None):
        partner = window.others.get(other or "")
        kept = window.kept.get((partner.survivor if partner else None) or "")
        twin = window.twins.get((kept.id_of(window.side) if kept else None) or "")
        if is_left_over(link, partner, kept, twin) and partner is not None and kept is not None:
            return partner, kept
    return None


def list_all_left_over(pair: Pair, window: Window) -> list[Problem]:
    """What is said of those in a window that are to be synced."""
    return [
        list_left_over(pair, one, *left)
        for one in window.records.values()
        if one.present and pair.admits(window.side, one.fields) and (left := left_over_from(window, one.id))
    ]


def leave_over_again(work: Work, pair: Pair, window: Window, actions: list[Action]) -> list[Action]:
    """Make no partner for whose former one was merged into what becomes another record's by this very plan.

    It is left over by that one now, as is seen when it is looked at again.
    """
    there = window.side.other
    taken = {
        one.hubspot_id if there is Side.HUBSPOT else one.salesforce_id
        for one in actions
        if isinstance(one, Adoption)
    }
    former = {id_: window.others.get(link.id_of(there) or "") for id_, link in window.links.items()}
    held = [
        one
        for one in actions
        if isinstance(one, Creation) and (merged := former.get(one.source.id)) and merged.survivor in taken
    ]
    look_again(work, pair, window.side, [one.source.id for one in held])
    return [one for one in actions if one not in held]


def look_at_left_over(work: Work, pair: Pair, window: Window) -> None:
    """Nobody is left over any more by a survivor whose own partner is deleted after the two have parted."""
    to = window.side.other
    for id_, link in window.links.items():
        record = window.records.get(id_)
        if link.state in PARTED and record is not None and record.presence is Presence.DELETED:
            look_again(work, pair, window.side, find_left_over(work, pair, to, link.id_of(to) or ""))
