"""What bears on the records of one window: their links, their partners, and whom those were merged into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.core.model import Link, LinkState, Pair, Record, Side
from connector.engine.work import Work


@dataclass(frozen=True, slots=True)
class Window:
    """Records of one side to be dealt with, and all that bears on them.

    `others` are those that their links name, and those that they name themselves if their pair ended.
    """

    side: Side
    records: Mapping[str, Record]
    links: Mapping[str, Link]
    others: Mapping[str, Record]
    kept: Mapping[str, Link]
    """Links of the records that `others` were merged into, by their id."""
    twins: Mapping[str, Record]
    """The records of this side that `kept` name."""

    @property
    def linked(self) -> list[Link]:
        return [one for one in self.links.values() if one.state in {LinkState.LINKED, LinkState.FROZEN}]

    @property
    def looked_at(self) -> list[Record]:
        live = {id_ for one in self.linked if (id_ := one.id_of(self.side.other))}
        return [*self.records.values(), *(one for id_, one in self.others.items() if id_ in live)]

    @property
    def known(self) -> dict[str, Record]:
        """The records of both sides, by their ids."""
        return {**self.records, **self.others}

    def was_merged(self, partner_id: str | None) -> bool:
        partner = self.others.get(partner_id or "")
        return partner is not None and partner.survivor is not None


def load_window(work: Work, pair: Pair, side: Side, ids: Sequence[str]) -> Window:
    """Read from the store all that bears on these records of one side."""
    store = work.c.store
    records = store.records.load(side, pair.object(side), ids)
    links = store.links.by_ids(pair.name, side, ids)
    partners = [id_ for one in links.values() if (id_ := one.id_of(side.other))]
    partners += [
        one.partner_id
        for one in records.values()
        if one.partner_id and (link := links.get(one.id)) and link.has_ended
    ]
    others = store.records.load(side.other, pair.object(side.other), partners)
    survivors = [one.survivor for one in others.values() if one.survivor]
    kept = store.links.by_ids(pair.name, side.other, survivors)
    twins = store.records.load(side, pair.object(side), [one.id_of(side) or "" for one in kept.values()])
    return Window(side, records, links, others, kept, twins)
