"""A linked record was merged into another one: what becomes of its link? (A7)

| the survivor                 | then                                                                             |
|------------------------------|----------------------------------------------------------------------------------|
| has no partner               | the link follows to it, with its base and its edges                              |
| is named by another record   | that is its partner, and will be linked; as if it were                           |
| is not whom HubSpot names    | the link is closed: that record is the other one's by now (A2)                   |
| has a partner of its own     | it keeps that one; this link is closed, and the record left over is a duplicate  |
| is not known                 | nothing, until it is                                                             |
| lives on in Salesforce, and  | the link is closed: that somebody deleted the partner of a record says nothing   |
| the partner was deleted      | of the one it was merged into, which gets its own                                |

A frozen link follows too, and stays frozen (A8). Nothing is ever deleted for a merge (D6). The record left over is
listed as long as it is there and the survivor has its other partner: it gets no new one, and no deletion reaches
it.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.core.model import Link, LinkState, Pair, Presence, Problem, ProblemClass, Record, Side

LEFT_OVER = "LEFT_OVER_BY_MERGE"
FOLLOWED = {LinkState.LINKED, LinkState.FROZEN}
_LIVE = FOLLOWED | {LinkState.PENDING}
PARTED = {LinkState.SEVERED, LinkState.UNLINKED}
_KEPT = _LIVE | PARTED
"""A survivor that was deleted later is still what the record left over belongs to (D2)."""


@dataclass(frozen=True, slots=True)
class Follow:
    """The link goes over to the survivor."""

    link: Link
    side: Side
    survivor: str


@dataclass(frozen=True, slots=True)
class Retire:
    """The link is closed: the survivor keeps its own partner, and the other record is left over, or was deleted."""

    link: Link
    side: Side


def follow_merge(
    link: Link,
    loser: Record,
    survivor: Record | None,
    its_link: Link | None,
    *,
    named: bool = False,
    deserted: bool = False,
) -> Follow | Retire | None:
    """Read the table above for a link whose record `loser` was merged into `survivor`.

    `named`: whether a record names the survivor that is not linked, but going to be: one that an older store knows
    nothing of, or the survivor's own from before it was deleted and restored; or the loser's partner names another
    one. `deserted`: whether the partner of
    the loser is known to be deleted.
    """
    if link.state not in FOLLOWED or survivor is None:
        return None
    has_partner = its_link.id != link.id if its_link is not None and its_link.state in _LIVE else named
    ends = has_partner or (deserted and loser.side is Side.SALESFORCE)
    return Retire(link, loser.side) if ends else Follow(link, loser.side, survivor.id)


def is_left_over(link: Link | None, partner: Record | None, kept: Link | None, twin: Record | None) -> bool:
    """Whether a record whose pair ended is one that a merge on the other side left over.

    `partner` is the merged record that the ended link names, `kept` the link of the one it was merged into, and
    `twin` the other partner of that one. A pair that was severed ends so too, when its record is restored after its
    partner was merged. If it is the twin that was deleted, the survivor is free for the record left over. A link
    that followed to the survivor and ended there leaves nobody over.
    """
    if link is None or kept is None or kept.id == link.id or kept.state not in _KEPT:
        return False
    merged = partner is not None and partner.survivor is not None
    gone = kept.state in PARTED and twin is not None and twin.presence is Presence.DELETED
    return link.has_ended and merged and not gone


def list_left_over(pair: Pair, record: Record, partner: Record, kept: Link) -> Problem:
    """The problem that a record left over by a merge is, until people merge it too."""
    twin = kept.id_of(record.side)
    return Problem(
        record.side,
        record.object,
        record.id,
        ProblemClass.DUPLICATES,
        LEFT_OVER,
        f"its partner, {partner.object} {partner.id} in {partner.side}, was merged into {partner.survivor}, whose"
        f" partner is {record.object} {twin}",
        f"delete the superfluous one of {record.id} and {twin}: {pair.salesforce} records cannot be merged (A7)"
        if (record.side, record.object) == (Side.SALESFORCE, "Opportunity")
        else f"merge {record.id} and {twin} in {record.side} too (A7)",
    )
