"""What did a run leave half done in HubSpot, between two requests of one write?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.derived import stage_rule
from connector.core.half_done import blank_base, may_be_half_done, was_replacing
from connector.core.model import Base, Change, FieldRule, Link, Pair, Record
from connector.engine.work import Work


def take_up_half_done(work: Work, pair: Pair, links: Sequence[Link], seen: Mapping[str, Record]) -> list[Link]:
    """These links; where a write cleared a field and did not come to set it, their base is blank too.

    So the blank is no edit of HubSpot's, and what Salesforce holds is still to be written (law 11). `seen` are the
    HubSpot records by id.
    """
    half_done: dict[int, Base] = {}
    for rule in _written_in_two(pair):
        for link in links:
            record = seen.get(link.hubspot_id or "")
            if record and may_be_half_done(link, record, rule) and was_replacing(_last_change(work, record, rule)):
                half_done[link.id] = half_done.get(link.id, Base()).merged(blank_base(rule))
    with work.c.store.transaction():
        work.c.store.links.settle(half_done)
    settled = work.c.store.links.load(half_done)
    return [settled.get(one.id, one) for one in links]


def _written_in_two(pair: Pair) -> Iterator[FieldRule]:
    """The fields of which the old value is cleared by a request of its own."""
    stage = stage_rule(pair)
    if stage is not None and stage.may_go_backwards:
        yield stage
    yield from (rule for rule in pair.fields if rule.hubspot == (PRIMARY_COMPANY,))


def _last_change(work: Work, record: Record, rule: FieldRule) -> Change | None:
    """The last write of this field, unless it came to its end."""
    entries = work.c.store.journal.of_record(record.side, record.object, record.id)
    writes = [
        (one["state"], change) for one in entries for change in one["changes"] if change["field"] in rule.hubspot
    ]
    return Change(**writes[-1][1]) if writes and writes[-1][0] != "done" else None
