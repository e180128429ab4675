"""What became of each record that was to be imported?

| outcome      | means                                                                      |
|--------------|----------------------------------------------------------------------------|
| created      | it had no partner, and one was made                                        |
| matched      | its partner was there, and is linked to it now: `key` says how it was told  |
| updated      | they were linked before, and something was written                         |
| unchanged    | they were linked before, and agree                                         |
| held         | it may be the same as several: nobody guesses (A2, A3)                     |
| refused      | a value, or a CRM, stands in the way                                       |
| waiting      | it needs another record that has no partner yet                            |
| out_of_scope | a filter of the mapping leaves it, or its partner, out (A8)                |
| left_alone   | its partner was deleted, or the mapping makes none                         |

All of it is told from the store, so it does not matter which of several processes did what.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connector.core.model import Link, LinkState, Pair, Side
from connector.engine.world import Connection
from connector.store.imports import Row
from connector.store.links import LIVE_STATES

SF = Side.SALESFORCE


class Outcome(StrEnum):
    """In the order in which they are told."""

    CREATED = "created"
    MATCHED = "matched"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    HELD = "held"
    REFUSED = "refused"
    WAITING = "waiting"
    OUT_OF_SCOPE = "out_of_scope"
    LEFT_ALONE = "left_alone"


TROUBLED = frozenset({Outcome.HELD, Outcome.REFUSED})
ON_CREATION = "on creation"
"""The key of a partner that was only met when it was to be made: it has the same unique value."""


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of some records, by id; of links, by link."""

    links: Mapping[str, Link]
    written: Mapping[int, Collection[str]]
    fresh: Collection[int]
    before: Mapping[str, Row]
    problems: Mapping[str, Sequence[Mapping[str, str]]]
    waits: Mapping[str, Sequence[tuple[str, str, str]]]
    outside: Collection[str]


def tell_outcomes(c: Connection, pair: Pair, number: int, runs: Sequence[int], ids: Sequence[str]) -> list[Row]:
    """What became of Salesforce records in the import of this number, of which `runs` are the runs."""
    store, object_ = c.store, pair.salesforce
    links = store.links.by_ids(pair.name, SF, ids)
    numbers = [one.id for one in links.values()]
    known = _Known(
        links=links,
        written=store.imports.written(runs, numbers),
        fresh=store.imports.linked_in(runs, numbers),
        before=store.imports.known(number, object_, ids),
        problems=store.problems.of_records(SF, object_, ids),
        waits=store.imports.awaited(SF.value, object_, ids),
        outside=store.imports.out_of_scope(SF.value, object_, ids),
    )
    return [_tell(pair, id_, known) for id_ in ids]


def _tell(pair: Pair, id_: str, known: _Known) -> Row:
    link = known.links.get(id_)
    if link is not None and link.state in LIVE_STATES:
        return _tell_linked(pair, id_, link, known)
    problems = known.problems.get(id_, ())
    outcome, detail = Outcome.LEFT_ALONE, f"no {_one(pair, Side.HUBSPOT)} is made: see `create_in` of {pair.name}"
    if link is not None and link.state in {LinkState.SEVERED, LinkState.UNLINKED, LinkState.CLOSED}:
        detail = f"its {_one(pair, Side.HUBSPOT)} was deleted in HubSpot, or the pair has ended (D3)"
    elif problems:
        held = any(one["code"] == "DUPLICATE" for one in problems)
        outcome, detail = (Outcome.HELD if held else Outcome.REFUSED), _describe(problems)
    elif id_ in known.waits:
        outcome = Outcome.WAITING
        detail = "waits for " + ", ".join(f"{needs} in {side}" for _, side, needs in known.waits[id_])
    elif id_ in known.outside:
        outcome, detail = Outcome.OUT_OF_SCOPE, "a scope filter of the mapping leaves it out (A8)"
    return Row(pair.salesforce, id_, outcome, detail=detail)


def _tell_linked(pair: Pair, id_: str, link: Link, known: _Known) -> Row:
    written, before = known.written.get(link.id, ()), known.before.get(id_)
    key, outcome = "", Outcome.UPDATED if "update" in written else Outcome.UNCHANGED
    if link.id in known.fresh or (before is not None and before.key):
        if "create" in written and (before is None or before.key in {"", "id"}):
            outcome = Outcome.CREATED  # by an earlier try, if it was met by its id
        else:
            outcome, key = Outcome.MATCHED, (before.key if before else "") or ON_CREATION
    if link.state is LinkState.FROZEN:
        outcome = Outcome.OUT_OF_SCOPE
    details = [_describe(problems)] if (problems := known.problems.get(id_)) else []
    if outcome is Outcome.MATCHED and "update" in written:
        details.insert(0, "differences were settled by the rules")
    if id_ in known.waits:
        details.append("waits for " + ", ".join(f"{needs} in {side}" for _, side, needs in known.waits[id_]))
    return Row(pair.salesforce, id_, outcome, key, link.hubspot_id, "; ".join(details))


def _describe(problems: Sequence[Mapping[str, str]]) -> str:
    """What stands in the way and what to do, field by field."""
    return "; ".join(
        (f"{one['field']}: " if one["field"] else "")
        + one["detail"]
        + (f" → {one['remedy']}" if one["remedy"] else "")
        for one in problems
    )


def _one(pair: Pair, side: Side) -> str:
    return {"companies": "company", "contacts": "contact", "deals": "deal"}.get(pair.object(side), "partner")
