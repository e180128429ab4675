"""What stands for what on the other side, as far as linked records have agreed on it? Asks no CRM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from connector.core.merge import is_blank
from connector.core.model import Base, Cannot, FieldRule, Link, Pair, Record, Side
from connector.mapping.transforms import Owner, Reference, StagePair
from connector.store.store import Store

PAGE = 500
"""Links that are looked at at a time."""


def pages(store: Store, pair: str) -> Iterator[list[Link]]:
    """All live links of a pair."""
    after = 0
    while links := store.links.page(pair, after, PAGE):
        after = links[-1].id
        yield links


@dataclass
class AsAgreed:
    """Answers what transforms ask (`core.model.Known`) from what linked records agreed on, asking no CRM."""

    owners: dict[tuple[Side, str], str] = field(default_factory=dict)
    stages: dict[tuple[Side, str | None, str], tuple[str | None, str]] = field(default_factory=dict)
    partners: dict[tuple[str, Side, str], str] = field(default_factory=dict)

    @classmethod
    def learn(cls, store: Store, pairs: Iterable[Pair]) -> AsAgreed:
        """Which owners and which stages have stood for one another so far."""
        known = cls()
        for pair in pairs:
            rules = [rule for rule in pair.fields if isinstance(rule.transform, Owner | StagePair)]
            for links in pages(store, pair.name) if rules else ():
                for rule in rules:
                    for one in links:
                        known._learn(rule, one.base)
        return known

    def _learn(self, rule: FieldRule, base: Base) -> None:
        values = {Side.SALESFORCE: rule.values(Side.SALESFORCE, base.salesforce)}
        values[Side.HUBSPOT] = rule.values(Side.HUBSPOT, base.hubspot)
        for to in Side:
            source, target = values[to.other], values[to]
            if source is None or target is None or is_blank(source) or is_blank(target):
                continue
            texts, others = ([None if one is None else str(one) for one in some] for some in (source, target))
            if isinstance(rule.transform, Owner):
                self.owners.setdefault((to, texts[0] or ""), others[0] or "")
            else:
                self.stages.setdefault((to, texts[0], texts[1] or ""), (others[0], others[1] or ""))

    def learn_partners(self, store: Store, pair: Pair, records: Sequence[Record]) -> None:
        """Which records these refer to, and their partners."""
        for rule in pair.fields:
            if isinstance(rule.transform, Reference):
                for side in Side:
                    mine = [
                        one.fields.get(name) for one in records if one.side is side for name in rule.names(side)
                    ]
                    self._learn_links(store, rule.transform.pair, side, {str(one) for one in mine if one})

    def _learn_links(self, store: Store, pair: str, side: Side, ids: Iterable[str]) -> None:
        for id_, link in store.links.by_ids(pair, side, ids).items():
            if other := link.id_of(side.other):
                self.partners[pair, side.other, id_] = other

    def partner(self, pair: str, to: Side, id_: str) -> str | None:
        return self.partners.get((pair, to, id_))

    def owner(self, to: Side, id_: str) -> str | Cannot:
        return self.owners.get((to, id_)) or Cannot(f"no linked record shows who {id_} is in {to}")

    def stage(self, to: Side, group: str | None, stage: str) -> tuple[str | None, str] | Cannot:
        return self.stages.get((to, group, stage)) or Cannot(f"no linked record shows what {stage} is in {to}")
