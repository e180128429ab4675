"""What does a mapping map that was never carried, and which deals never became opportunities? When asked (T4, P4).

A field that a mapping took up later was left on both sides as it was (`growth.py`). Backfilling forgets that, so
that the field meets for the first time: its rule names the winner, and of two ways blank never beats filled. Plan,
guard and writes are those of any run, and one that dies is finished by the next.

| is filled in                                             | is left alone                                         |
|----------------------------------------------------------|-------------------------------------------------------|
| a field that differs, and has not moved on either side   | what moved: it is an edit, or one that a rule leaves  |
| since it was left, or since a value map made it differ   | a default that stands for what has no counterpart     |
| a field that never had a base, as one with a problem     | frozen, severed and closed pairs                      |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.core.merge import was_left
from connector.core.model import FieldRule, Link, Pair, Record, Rule, Side
from connector.engine.observe import syncs
from connector.engine.work import Work, learn_partners
from connector.engine.world import COMPANIES, CONTACTS, DEALS, Connection
from connector.errors import BadConfiguration, Finding
from connector.mapping.suggestions import suggest

OBJECTS: Mapping[str, str] = {"accounts": COMPANIES, "contacts": CONTACTS, "opportunities": DEALS}
"""What a person calls the pairs."""
PAGE = 500


@dataclass(frozen=True, slots=True)
class Backfill:
    """What is to be filled in: mapped fields of these pairs, and opportunities of existing deals."""

    pairs: tuple[str, ...] = tuple(OBJECTS.values())
    fields: tuple[str, ...] = ()
    """Names of either side; empty: all that are mapped."""
    deals: bool = False
    """Whether deals that were in an assigned pipeline before become opportunities (P4)."""


def check_backfill(c: Connection, asked: Backfill) -> None:
    """Whether there is what is asked for.

    Raises:
        BadConfiguration: naming each field that no mapping has, and what is switched off.
    """
    findings = []
    names = {name for pair in _pairs(c, asked) for rule in pair.fields if _fills(rule) for name in _names(rule)}
    for name in asked.fields:
        if name not in names:
            remedy = suggest(name, sorted(names)) or "map it first, with a rule other than `dont_sync`"
            findings.append(Finding("--field", 0, f"{name} is no mapped field of these objects", remedy))
    if asked.deals and DEALS not in c.pairs:
        findings.append(Finding("--deals", 0, "deal sync is switched off (P1)", "set `sync.deals: true`"))
    if findings:
        raise BadConfiguration(findings)


def begin_backfill(work: Work, asked: Backfill) -> None:
    """Make due whatever is to be filled in; the run that follows does the rest."""
    for pair in _pairs(work.c, asked):
        rules = [
            one for one in pair.fields if _fills(one) and (not asked.fields or {*asked.fields} & {*_names(one)})
        ]
        number = sum(_reopen_page(work, pair, rules, links) for links in _pages(work, pair)) if rules else 0
        work.report.notes.append(f"backfill: {number:,} linked {pair.hubspot} differ in a field that was left (T4)")
    if asked.deals:
        work.report.notes.append(f"backfill: {_wake_deals(work):,} deals may become opportunities (P4)")


def _pairs(c: Connection, asked: Backfill) -> list[Pair]:
    return [pair for name, pair in c.pairs.items() if name in asked.pairs]


def _fills(rule: FieldRule) -> bool:
    return rule.rule is not Rule.DONT_SYNC and not rule.at_creation_only


def _names(rule: FieldRule) -> tuple[str, ...]:
    return (*rule.salesforce, *rule.hubspot)


def _pages(work: Work, pair: Pair) -> Iterator[list[Link]]:
    after = 0
    while links := work.c.store.links.page(pair.name, after, PAGE):
        yield links
        after = links[-1].id


def _reopen_page(work: Work, pair: Pair, rules: Sequence[FieldRule], links: Sequence[Link]) -> int:
    """Forget the bases of what was left; returns the number of pairs in which there is any."""
    store = work.c.store
    seen = {
        side: store.records.load(side, pair.object(side), [id_ for one in links if (id_ := one.id_of(side))])
        for side in Side
    }
    learn_partners(work, pair, [record for some in seen.values() for record in some.values()])
    left: dict[int, list[FieldRule]] = {}
    for link in links:
        here, there = (seen[side].get(link.id_of(side) or "") for side in (Side.SALESFORCE, Side.HUBSPOT))
        if here is not None and there is not None and here.present and there.present:
            left[link.id] = _find_left(work, rules, link, here, there)
    due = {id_: some for id_, some in left.items() if some}
    with store.transaction():
        store.links.forget_bases(
            {
                id_: {side: [name for one in some for name in one.names(side)] for side in Side}
                for id_, some in due.items()
            }
        )
        ids = [one.salesforce_id for one in links if one.id in due and one.salesforce_id]
        store.records.mark(Side.SALESFORCE, pair.salesforce, ids)
    return len(due)


def _find_left(work: Work, rules: Sequence[FieldRule], link: Link, here: Record, there: Record) -> list[FieldRule]:
    known = work.world.knowledge
    return [one for one in rules if was_left(one, here.fields, there.fields, link.base, known)]


def _wake_deals(work: Work) -> int:
    """Look at the deals of synced pipelines that have no partner and wait for somebody to change them."""
    store, pair, after, number = work.c.store, work.c.pairs[DEALS], "", 0
    while some := store.records.page(Side.HUBSPOT, pair.hubspot, after, PAGE):
        after = some[-1].id
        linked = store.links.by_ids(pair.name, Side.HUBSPOT, [one.id for one in some])
        ids = [one.id for one in some if one.id not in linked and not one.partner_id and syncs(work.world, one)]
        store.records.mark(Side.HUBSPOT, pair.hubspot, ids)
        number += len(ids)
    return number
