"""Which lifecycle stage a record has after a write.

HubSpot docs, "Contacts" and "Companies": the API moves a stage forward only; to go back it is cleared first and
set by a separate request. People in HubSpot's own pages may lower it at once (HubSpot Knowledge Base, "Use
lifecycle stages"). The order is that of the property's options, so renamed and added stages count. What the server
answers to a backward write is not established; the setting `lifecycle_backward` says it.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.hubspot.errors import Problem

STAGE = "lifecyclestage"


def is_backward(ranks: Mapping[str, int], old: str | None, new: str | None) -> bool:
    """Whether `new` comes before `old`. Clearing is not going back, and from no stage all is forward."""
    if old is None or new is None or old not in ranks or new not in ranks:
        return False
    return ranks[new] < ranks[old]


def is_forward(ranks: Mapping[str, int], old: str | None, new: str) -> bool:
    """Whether `new` is a stage that comes after `old`; after none, and after one that is gone, come all."""
    return new in ranks and ranks[new] > ranks.get(old or "", -1)


def settle(
    changes: dict[str, str | None], old: str | None, ranks: Mapping[str, int], backward: str
) -> Problem | None:
    """Drop a backward move from `changes`, or say what is wrong with it. How HubSpot would word that is unknown."""
    if backward == "allow" or STAGE not in changes or not is_backward(ranks, old, changes[STAGE]):
        return None
    if backward == "error":
        message = f"Lifecycle stage cannot move backward from {old} to {changes[STAGE]}"
        return Problem(STAGE, "INVALID_LIFECYCLE_STAGE", message)
    del changes[STAGE]
    return None
