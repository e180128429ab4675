"""What does an absence mean for a linked pair? The record-level table, and its asymmetry.

| Salesforce | HubSpot  | opportunity and deal               | other pairs                       | rule       |
|------------|----------|------------------------------------|-----------------------------------|------------|
| present    | present  | merge their fields; or close       | the same                          | F, A2      |
| deleted    | present  | delete the deal; or close the link | close; or delete in HubSpot       | D1, D5     |
| present    | deleted  | sever: the opportunity stays       | sever; or delete in Salesforce    | D2, D3, D5 |
| present    | restored | a severed pair goes on             | the same                          | D3         |
| deleted    | deleted  | close the link                     | the same                          |            |
| merged, out of sight  | leave everything as it is          | the same                          | D6         |

What is to be deleted may be another one's by now, which an older store does not know: it names one that is there
and has no partner, or is named by it. Then it stays, and the pair ends as if no deletion travelled (D6). If
both are there, and each is another one's by now, the pair ends too: stored ids go before an older link (A2).

A pair that is frozen (A8) or stopped (O5) is in the first row left alone, in the second closed, and in the third
severed (D9). What stands behind the "or" of a deletion is what the mapping file may choose: whether it travels from
a side is data (`Pair.deletes`). That it never travels from deals to opportunities is not: a `Pair` of opportunities
cannot be made with it (D2, law 10).
"""

from __future__ import annotations

from enum import Enum, auto

from connector.core.model import LinkState, Pair, Presence, Side


class Fate(Enum):
    """What is to become of a linked pair."""

    MERGE = auto()
    DELETE_IN_HUBSPOT = auto()
    DELETE_IN_SALESFORCE = auto()
    SEVER = auto()
    RESUME = auto()
    CLOSE = auto()
    LEAVE = auto()


def decide_fate(
    pair: Pair, state: LinkState, salesforce: Presence, hubspot: Presence, *, claimed: bool = False
) -> Fate:
    """Read the table above. A severed pair may come back; pending and closed ones have no fate.

    `claimed`: what is left of the pair is another one's by now, or both are.
    """
    travels = frozenset() if claimed else pair.deletes
    if state is LinkState.SEVERED:
        both = salesforce is hubspot is Presence.PRESENT
        return Fate.RESUME if both and not claimed else Fate.LEAVE
    if state not in {LinkState.LINKED, LinkState.FROZEN}:
        return Fate.LEAVE
    match salesforce, hubspot:
        case Presence.PRESENT, Presence.PRESENT:
            return Fate.CLOSE if claimed else Fate.MERGE
        case Presence.DELETED, Presence.DELETED:
            return Fate.CLOSE
        case Presence.DELETED, Presence.PRESENT:
            return Fate.DELETE_IN_HUBSPOT if Side.SALESFORCE in travels else Fate.CLOSE
        case Presence.PRESENT, Presence.DELETED:
            return Fate.DELETE_IN_SALESFORCE if Side.HUBSPOT in travels else Fate.SEVER
        case _:
            return Fate.LEAVE
