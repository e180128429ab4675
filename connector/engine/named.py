"""Which records did a person name, and how do they look now? For what is synced on demand (T6).

| named as                             | is                                                                     |
|--------------------------------------|------------------------------------------------------------------------|
| `001…`, `003…`, `006…`               | an account, contact or opportunity, whether it is there or not         |
| `company:1`, `contact:1`, `deal:1`   | that record of HubSpot, if it is there or was synced                   |
| `1`                                  | a deal of HubSpot with that id, else a contact, else a company         |

All are read again now, with their partners, in as few calls as their number takes.
"""

from __future__ import annotations

from collections.abc import Iterable

from connector.adapters.salesforce_ids import lengthen
from connector.core.model import Pair, Side
from connector.engine.observe import has_begun, observe, observe_deals, observe_records, observe_roles
from connector.engine.work import Only
from connector.engine.world import CONTACTS, DEALS, Connection, World
from connector.errors import BadConfiguration, Finding

DEALS_OFF = "deal sync is switched off (`sync.deals: false`)"
_PREFIXES = {"001": "account-company", "003": "contact-contact", "006": DEALS}

Named = dict[tuple[Side, str], dict[str, None]]
"""Ids by side and pair, in order and each once."""


def look_at(c: Connection, world: World, ids: Iterable[str], run_id: int) -> Only:
    """Read these records, their partners and what they refer to.

    Raises:
        BadConfiguration: an id is none of a synced record; all such ids are named.
    """
    if not has_begun(c):  # of an empty store nothing could be told apart: all is looked at, and this alone synced
        observe(c, world, run_id)
    named = _find(c, world, ids)
    for (side, name), some in list(named.items()):
        links = c.store.links.by_ids(name, side, some)
        c.store.links.derive(one.id for one in links.values())
        for link in links.values():
            if other := link.id_of(side.other):
                named.setdefault((side.other, name), {})[other] = None
    for (side, name), some in named.items():
        pair = c.pairs[name]
        observe_records(c, world, side, pair, some)
        c.store.records.mark(side, pair.object(side), some)
        if name == DEALS and side is Side.HUBSPOT:
            observe_deals(c, list(some), run_id)
        if name == DEALS and side is Side.SALESFORCE and CONTACTS in c.pairs:
            observe_roles(c, list(some))
    return frozenset(
        (side, c.pairs[name].object(side), id_) for (side, name), some in named.items() for id_ in some
    )


def _find(c: Connection, world: World, ids: Iterable[str]) -> Named:
    named: Named = {}
    findings: list[Finding] = []
    bare: dict[str, list[Pair]] = {}
    for given in ids:
        kind, _, id_ = given.rpartition(":")
        name = _PREFIXES.get(id_[:3], "")
        if not id_.isdigit() and name in c.pairs and (whole := _read_id(id_)):
            named.setdefault((Side.SALESFORCE, name), {})[whole] = None
        elif id_.isdigit() and (pairs := _named_so(c, kind)):
            bare[given] = pairs
        else:
            findings.append(_unknown(c, given))
    for name, pair in reversed(list(c.pairs.items())):
        asked = {given: given.rpartition(":")[2] for given, pairs in bare.items() if pair in pairs}
        there = _there(c, world, pair, set(asked.values())) if asked else set()
        for given, id_ in asked.items():
            if id_ in there:
                named.setdefault((Side.HUBSPOT, name), {})[id_] = None
                del bare[given]
    findings += [_unknown(c, given) for given in bare]
    if findings:
        raise BadConfiguration(findings)
    return named


def _named_so(c: Connection, kind: str) -> list[Pair]:
    """The pairs that `deal:`, `contact:` or `company:` stand for; all of them without a word."""
    return [one for one in c.pairs.values() if not kind or kind in {one.hubspot, one.name.rpartition("-")[2]}]


def _there(c: Connection, world: World, pair: Pair, ids: set[str]) -> set[str]:
    """Of these ids those of a HubSpot object that are there, or were."""
    known = c.store.links.by_ids(pair.name, Side.HUBSPOT, ids).keys()
    asked = sorted(ids - known)
    found = c.hubspot.read(pair.hubspot, asked, world.wanted(pair, Side.HUBSPOT)) if asked else {}
    return {*known, *(one.id for one in found.values() if one.present)}


def _read_id(text: str) -> str | None:
    """A Salesforce id as it answers with it: people have those of 15 characters too, or lose the capitals."""
    try:
        return lengthen(text)
    except ValueError:
        return None


def _unknown(c: Connection, given: str) -> Finding:
    remedy = "give a Salesforce id (001…, 003…, 006…), or deal:ID, contact:ID or company:ID of HubSpot"
    if DEALS not in c.pairs:
        remedy = f"{DEALS_OFF} (P1); {remedy}"
    return Finding("--record", 0, f"no synced record has the id {given}", remedy)
