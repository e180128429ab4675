"""What the tests of the core are made of: short ways to say "a rule", "a record", "a link", "what is known"."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.core.model import (
    Base,
    Cannot,
    FieldRule,
    Link,
    LinkState,
    OnTargetEdit,
    Pair,
    Presence,
    Record,
    Rule,
    Side,
)
from connector.mapping.transforms import Text

SF, HS = Side.SALESFORCE, Side.HUBSPOT


@dataclass
class Known:
    """Answers from three dictionaries, as the store would."""

    partners: dict[tuple[str, Side, str], str] = field(default_factory=dict)
    owners: dict[tuple[Side, str], str] = field(default_factory=dict)
    stages: dict[tuple[Side, str | None, str], tuple[str | None, str]] = field(default_factory=dict)

    def partner(self, pair, to, id_):
        return self.partners.get((pair, to, id_))

    def owner(self, to, id_):
        about = (to.other, "owners", id_)
        return self.owners.get((to, id_)) or Cannot(f"owner {id_} has no counterpart", "map the owner", about=about)

    def stage(self, to, group, stage):
        return self.stages.get((to, group, stage)) or Cannot(f"no stage {stage}")


NOTHING = Known()


def rule(name="Name", other="name", who=Rule.TWO_WAY, transform=None, **more):
    """A mapped pair of fields; names with a plus are several."""
    return FieldRule(tuple(name.split("+")), tuple(other.split("+")), who, transform or Text(), **more)


def pair(*fields, name="opportunity-deal", creates=(SF, HS), **more):
    objects = {
        "opportunity-deal": ("Opportunity", "deals"),
        "contact-contact": ("Contact", "contacts"),
        "account-company": ("Account", "companies"),
    }
    return Pair(name, *objects[name], fields or (rule(),), frozenset(creates), **more)


def record(side, id_="1", fields=None, *, presence=Presence.PRESENT, created="2026-01-01", **more):
    object_ = more.pop("object", "Opportunity" if side is SF else "deals")
    return Record(side, object_, id_, "1", fields or {}, created, presence=presence, **more)


def link(
    salesforce="006A", hubspot="1", state=LinkState.LINKED, base=None, born=SF, pair="opportunity-deal", id_=1
):
    return Link(id_, pair, salesforce, hubspot, state, born, base or Base())


__all__ = ["HS", "NOTHING", "SF", "Known", "OnTargetEdit", "Rule", "link", "pair", "record", "rule"]
