"""What did a run leave half done in HubSpot, between two requests of one write?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.derived import stage_rule
from connector.core.half_done import blank_base, may_be_half_done, was_agreed_on, was_replacing
from connector.core.model import Base, Change, FieldRule, Link, Pair, Record
from connector.engine.work import Work


def take_up_half_done(work: Work, pair: Pair, links: Sequence[Link], seen: Mapping[str, Record]) -> list[Link]:
    """These links; where a write cleared a field and did not come to set it, their base is blank too.

    So the blank is no edit of HubSpot's, and what Salesforce holds is still to be written (law 11). The write over
    which a run died counts as made, with the conflict that it settled: what is written now is the rest of it.
    `seen` are the HubSpot records by id.
    """
    half_done: dict[int, Base] = {}
    unheard: list[int] = []
    for rule in _written_in_two(pair):
        blank = [
            (link, record)
            for link in links
            if (record := seen.get(link.hubspot_id or "")) and may_be_half_done(record, rule)
        ]
        died_over = work.c.store.journal.find_unheard(link.id for link, _ in blank)
        for link, record in blank:
            if link.id not in died_over and not was_agreed_on(link, rule):
                continue
            last = _last_write(work, record, rule)
            if last is not None and was_replacing(last.change):
                half_done[link.id] = half_done.get(link.id, Base()).merged(blank_base(rule))
                unheard += [last.number] if last.state == "intended" else []
    if not half_done:
        return list(links)
    with work.c.store.transaction():
        work.c.store.links.settle(half_done)
        work.c.store.journal.conclude(dict.fromkeys(unheard, (True, None)))
    settled = work.c.store.links.load(half_done)
    return [settled.get(one.id, one) for one in links]


def _written_in_two(pair: Pair) -> Iterator[FieldRule]:
    """The fields of which the old value is cleared by a request of its own."""
    stage = stage_rule(pair)
    if stage is not None and stage.may_go_backwards:
        yield stage
    yield from (rule for rule in pair.fields if rule.hubspot == (PRIMARY_COMPANY,))


class _Write(NamedTuple):
    """A field in an entry of the journal."""

    number: int
    state: str
    change: Change


def _last_write(work: Work, record: Record, rule: FieldRule) -> _Write | None:
    """The last write of this field, unless it came to its end."""
    writes = [
        _Write(one["number"], one["state"], Change(**change))
        for one in work.c.store.journal.of_record(record.side, record.object, record.id)
        for change in one["changes"]
        if change["field"] in rule.hubspot
    ]
    return writes[-1] if writes and writes[-1].state != "done" else None
