"""What does a changed mapping mean for the records that are linked already? A new start, never a mass edit (T4).

| in the mapping file                             | for linked records                                            |
|-------------------------------------------------|---------------------------------------------------------------|
| a field is mapped that was not, or not any more | what both sides hold is read once, and left as it is          |
| a rule, transform or value map is another one   | nothing: what has not moved since both agreed is no edit (F1) |
| a field is mapped no longer                     | nothing                                                       |

What is left as it is becomes the base of the field, though both sides differ. From then on an edit of either side
travels as any other; the rest is for `backfill.py`, when it is asked for. Reading takes a listing of the object on
both sides, once: a base that was guessed later could not tell an edit from what was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.model import Base, FieldRule, Link, Pair, Record, Rule, Side
from connector.engine.observe import has_begun
from connector.engine.scope import list_fields
from connector.engine.world import COMPANIES, DEALS, Connection

Key = list[list[str]]
"""A mapped pair of fields, as it is remembered: the names of Salesforce, then those of HubSpot."""
Progress = Callable[[int], None]


def learn_mapping(c: Connection, progress: Progress = lambda _: None) -> None:
    """Where a mapping names fields that it did not name before, take what is there as agreed to be left."""
    for pair in c.pairs.values():
        stream, now = f"mapped fields/{pair.name}", _describe(pair)
        before = c.store.runs.read(stream)
        if before is not None and has_begun(c):
            grown = [one for one in now if one not in before["fields"]]
            if grown:
                _leave_as_it_is(c, pair, grown, before, progress)
        if before is None or before != {"fields": now}:
            c.store.runs.remember(stream, {"fields": now})


def read_mapped(c: Connection, pair: Pair) -> Callable[[FieldRule], bool] | None:
    """Tells of a rule whether earlier runs knew its fields; None before the first run."""
    before = c.store.runs.read(f"mapped fields/{pair.name}")
    return None if before is None else lambda rule: _key(rule) in before["fields"]


def _describe(pair: Pair) -> list[Key]:
    """The fields that are kept in step."""
    return [_key(one) for one in pair.fields if one.rule is not Rule.DONT_SYNC and not one.at_creation_only]


def _key(rule: FieldRule) -> Key:
    return [list(rule.salesforce), list(rule.hubspot)]


def _leave_as_it_is(
    c: Connection, pair: Pair, grown: list[Key], before: Mapping[str, Any], progress: Progress
) -> None:
    """Read the fields of all records, then move the bases, page by page. A run that died goes on where it was."""
    stream = f"mapped fields/{pair.name}"
    rules = [one for one in pair.fields if _key(one) in grown]
    learning = before.get("learning")
    if learning is None or learning["fields"] != grown:
        for side in Side:
            list_fields(c, pair, side, [name for one in rules for name in one.names(side)], progress)
        learning = {"fields": grown, "after": 0}
        c.store.runs.remember(stream, {**before, "learning": learning})
    after = learning["after"]
    while links := c.store.links.page(pair.name, after, frozen_too=True):
        after = links[-1].id
        if pair.name == DEALS and COMPANIES in c.pairs and any(PRIMARY_COMPANY in one.hubspot for one in rules):
            _learn_companies(c, pair, links)
        seen = {
            side: c.store.records.load(side, pair.object(side), [id_ for one in links if (id_ := one.id_of(side))])
            for side in Side
        }
        bases = {one.id: base for one in links if (base := _as_it_is(rules, one, seen))}
        with c.store.transaction():
            c.store.links.settle(bases)
            c.store.runs.remember(stream, {**before, "learning": {**learning, "after": after}})


def _learn_companies(c: Connection, pair: Pair, links: Sequence[Link]) -> None:
    """The company of a deal is an association, which no listing shows. One call per 1,000."""
    ids = [one.hubspot_id for one in links if one.hubspot_id]
    companies = c.hubspot.primary_companies(ids)
    c.store.records.overwrite(
        Side.HUBSPOT, pair.hubspot, {id_: {PRIMARY_COMPANY: companies.get(id_)} for id_ in ids}
    )


def _as_it_is(rules: Sequence[FieldRule], link: Link, seen: Mapping[Side, Mapping[str, Record]]) -> Base:
    """What both records hold in these fields, where both were seen."""
    here, there = (seen[side].get(link.id_of(side) or "") for side in (Side.SALESFORCE, Side.HUBSPOT))
    found = Base()
    if here is None or there is None:
        return found
    for rule in rules:
        ours, theirs = rule.values(Side.SALESFORCE, here.fields), rule.values(Side.HUBSPOT, there.fields)
        if ours is not None and theirs is not None:
            found = found.merged(
                Base(dict(zip(rule.salesforce, ours, strict=True)), dict(zip(rule.hubspot, theirs, strict=True)))
            )
    return found
