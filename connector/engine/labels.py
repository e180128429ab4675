"""Which labels of associations does the portal have, and which are to be made? (R4)

Asked only where the mapping names labels; remembered for a day, as all set-up is. HubSpot takes ten for each
pair of objects, and only with some subscriptions (Association schema guide, limits). A label that it lacks and
does not take is not carried: its roles go without a name, which is told once and tried again the next day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connector.adapters.base import Refusal
from connector.core.model import Problem, ProblemClass, RoleRules, Side

if TYPE_CHECKING:
    from connector.engine.world import Connection

MOST_LABELS = 10
NO_LABEL = "NO_LABEL"
REMEMBERED = timedelta(days=1)
_DEALS = "opportunity-deal"
_KNOWN, _TRIED = "labels", "labels tried"


def know_labels(c: Connection) -> Mapping[str, int]:
    """The labels that people defined for contacts of deals: type ids by text."""
    rules = _rules(c)
    if rules is None:
        return {}
    found = _recall(c, _KNOWN)
    if found is None:
        found = {"labels": c.hubspot.labels()}
        _remember(c, _KNOWN, found)
    labels: Mapping[str, int] = found["labels"]
    return labels


def find_missing_labels(c: Connection, labels: Mapping[str, int]) -> tuple[str, ...]:
    """The labels to make, in the order of the mapping file, as far as there is room, and not refused today."""
    rules = _rules(c)
    if rules is None or not rules.creates_labels:
        return ()
    tried = (_recall(c, _TRIED) or {"labels": []})["labels"]
    missing = [one for one in rules.every_label if one not in labels]
    return tuple(one for one in missing[: max(MOST_LABELS - len(labels), 0)] if one not in tried)


def make_labels(c: Connection, labels: Iterable[str]) -> dict[str, Refusal]:
    """Make labels, and return those that HubSpot refused. A sync tries them again the next day."""
    tried = ((one, c.hubspot.make_label(one)) for one in labels)
    refused = {label: refusal for label, refusal in tried if refusal is not None}
    _remember(c, _TRIED, {"labels": list(refused)})
    c.store.runs.remember(_KNOWN, None)
    return refused


def forget_labels(c: Connection) -> None:
    """Ask anew which labels there are, and try again those that HubSpot refused."""
    for stream in (_KNOWN, _TRIED):
        c.store.runs.remember(stream, None)


def find_label_problems(c: Connection, labels: Mapping[str, int]) -> Iterable[Problem]:
    """One problem for all labels that are not there and are not going to be."""
    rules = _rules(c)
    if rules is None:
        return
    coming = find_missing_labels(c, labels)
    without = [one for one in rules.every_label if one not in labels and one not in coming]
    if without:
        yield Problem(
            Side.HUBSPOT,
            "labels",
            "deals to contacts",
            ProblemClass.FIELD_MAPPING,
            NO_LABEL,
            f"HubSpot has no label {', '.join(repr(one) for one in without)}: roles go without it",
            f"make it in HubSpot, which takes {MOST_LABELS} labels of a paid subscription,"
            " or let several roles share a label in `mappings/contact-role.yaml` (R4)",
        )


def _rules(c: Connection) -> RoleRules | None:
    deals = c.pairs.get(_DEALS)
    return deals.roles if deals is not None else None


def _recall(c: Connection, stream: str) -> Any:
    found = c.store.runs.read(stream)
    rules = _rules(c)
    if not found or rules is None or found["of"] != list(rules.every_label):
        return None
    age = c.now() - datetime.fromisoformat(found["at"])
    return found if timedelta(0) <= age < REMEMBERED else None


def _remember(c: Connection, stream: str, value: Mapping[str, object]) -> None:
    rules = _rules(c)
    of = list(rules.every_label) if rules else []
    c.store.runs.remember(stream, {"of": of, "at": c.now().isoformat(), **value})
