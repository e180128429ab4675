"""Who belongs to a deal, and what do the deals of a contact or company come to?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.core.derived import LIFECYCLE_STAGE
from connector.core.model import ContactRole, Link, LinkState, Record, Side, Value
from connector.core.rollups import RULES, roll_up
from connector.engine.answers.fields import name_record
from connector.engine.answers.view import View
from connector.engine.derive import Deals, is_of, load_deals
from connector.engine.needed import CLOSE_DATE, DAYS_TO_CLOSE
from connector.engine.observe import syncs
from connector.engine.roles import by_contact
from connector.engine.world import COMPANIES, CONTACTS, DEALS
from connector.store.links import DEAL_COMPANY, ROLE

_KINDS = {CONTACTS: ROLE, COMPANIES: DEAL_COMPANY}


@dataclass(frozen=True, slots=True)
class ContactAnswer:
    """A contact of a deal, as each side has it. `roles` are Salesforce's names, `labels` HubSpot's.

    `waits` where it has no partner yet (R5); `agreed` where both sides have had it.
    """

    name: str
    salesforce_id: str | None
    hubspot_id: str | None
    in_salesforce: bool
    in_hubspot: bool
    roles: tuple[str, ...]
    labels: tuple[str, ...]
    agreed: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class DealAnswer:
    """A deal of a contact or company. `counted` tells whether it is in the rollups; else `why_not` does (U9)."""

    salesforce_id: str | None
    hubspot_id: str | None
    name: str
    status: str
    amount: Value
    created: str
    close_date: Value
    counted: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class RollupAnswer:
    """A derived property of HubSpot: what it holds, what the deals come to, and the rule."""

    property: str
    rule: str
    value: Value
    computed: Value


def derived_properties(view: View) -> dict[str, str]:
    """What the connector computes for this object, with the rule of each."""
    if view.pair is None or view.pair_name == DEALS or DEALS not in view.work.c.pairs:
        return {}
    world, object_ = view.work.world, view.pair.hubspot
    found = {target: RULES[name] for name, target in world.rollup_targets(object_).items()}
    found |= {world.target(object_, name): "L3" for name in (CLOSE_DATE, DAYS_TO_CLOSE)}
    return found | {LIFECYCLE_STAGE: "L"}


# --- who belongs to a deal --------------------------------------------------------------------------------


def answer_contacts(view: View) -> tuple[ContactAnswer, ...]:
    """The contacts of a deal and of its opportunity, each once."""
    if view.pair_name != DEALS or CONTACTS not in view.work.c.pairs:
        return ()
    links, roles = view.work.c.store.links, by_contact(view.roles)
    here = links.by_ids(CONTACTS, Side.SALESFORCE, roles)
    there = links.by_ids(CONTACTS, Side.HUBSPOT, view.contacts)
    agreed = links.agreed_roles([view.link.id]).get(view.link.id, []) if view.link else []
    known = {one.contact.id: one.contact for one in agreed}
    live = {one.id: one for one in (*here.values(), *there.values(), *known.values()) if _is_live(one)}
    found = [
        _answer_contact(view, one.salesforce_id, one.hubspot_id, roles, agreed=one.id in known)
        for one in live.values()
    ]
    found += [_answer_contact(view, id_, None, roles) for id_ in roles if not _is_live(here.get(id_))]
    found += [_answer_contact(view, None, id_, roles) for id_ in view.contacts if not _is_live(there.get(id_))]
    return tuple(sorted(found, key=lambda one: (one.name, one.salesforce_id or "", one.hubspot_id or "")))


def _answer_contact(
    view: View,
    salesforce_id: str | None,
    hubspot_id: str | None,
    roles: Mapping[str, Mapping[str, ContactRole]],
    *,
    agreed: bool = False,
) -> ContactAnswer:
    own = roles.get(salesforce_id or "", {}).values()
    labels = view.contacts.get(hubspot_id or "") or frozenset()
    texts = {number: text for text, number in view.work.world.labels.items()}
    return ContactAnswer(
        name=_name(view, CONTACTS, salesforce_id, hubspot_id),
        salesforce_id=salesforce_id,
        hubspot_id=hubspot_id,
        in_salesforce=bool(own),
        in_hubspot=hubspot_id in view.contacts,
        roles=tuple(dict.fromkeys(one.name for one in own if one.name)),
        labels=tuple(texts.get(number, f"label {number}") for number in sorted(labels)),
        agreed=agreed,
        waits=salesforce_id is None or hubspot_id is None,
    )


def _name(view: View, pair: str, salesforce_id: str | None, hubspot_id: str | None) -> str:
    """What a person calls it, as it was seen last; its id if it never was."""
    for side, id_ in ((Side.SALESFORCE, salesforce_id), (Side.HUBSPOT, hubspot_id)):
        if id_ is not None:
            found = view.work.c.store.records.load(side, view.work.c.pairs[pair].object(side), [id_]).get(id_)
            if found is not None:
                return name_record(found)
    return salesforce_id or hubspot_id or ""


def _is_live(link: Link | None) -> bool:
    return link is not None and link.state is LinkState.LINKED


# --- what deals come to -----------------------------------------------------------------------------------


def answer_rollups(view: View) -> tuple[tuple[RollupAnswer, ...], tuple[DealAnswer, ...]]:
    """The rollups of a contact or company, and the deals that they come from or leave out (U1-U9)."""
    kind, record = _KINDS.get(view.pair_name), view.records[Side.HUBSPOT]
    if kind is None or view.pair is None or view.link is None or record is None or DEALS not in view.work.c.pairs:
        return (), ()
    counted = load_deals(view.work, kind, [view.link.id]).get(view.link.id, Deals())
    computed = roll_up(counted.facts).values
    targets = view.work.world.rollup_targets(view.pair.hubspot)
    rollups = tuple(
        RollupAnswer(target, RULES[name], record.fields.get(target), computed[name])
        for name, target in targets.items()
    )
    links = view.work.c.store.links.load(view.work.c.store.links.children_of(kind, view.link.id))
    records = view.work.c.store.records.load(
        Side.HUBSPOT, view.work.c.pairs[DEALS].hubspot, [one.hubspot_id for one in links.values() if one.hubspot_id]
    )
    return rollups, tuple(
        _answer_deal(view, one, records.get(one.hubspot_id or ""), counted) for one in links.values()
    )


def _answer_deal(view: View, link: Link, deal: Record | None, counted: Deals) -> DealAnswer:
    fact = next((one for one in counted.facts if one.hubspot_id == link.hubspot_id), None)
    status = counted.statuses.get(link.id)
    return DealAnswer(
        salesforce_id=link.salesforce_id,
        hubspot_id=link.hubspot_id,
        name=name_record(deal) if deal else link.salesforce_id or "",
        status=status.value if status else "",
        amount=deal.fields.get("amount") if deal else None,
        created=fact.created if fact else deal.created if deal else "",
        close_date=deal.fields.get("closedate") if deal else None,
        counted=link.id in counted.statuses,
        why_not="" if link.id in counted.statuses else _why_not(view, link, deal),
    )


def _why_not(view: View, link: Link, deal: Record | None) -> str:
    if link.state is not LinkState.LINKED:
        return f"its pair is {link.state.value}"
    if deal is None or not deal.present:
        return "it is gone"
    if not syncs(view.work.world, deal):
        return "its pipeline does not sync"
    if view.link is not None and view.pair_name == COMPANIES and not is_of(view.link, link, deal.fields):
        return "HubSpot has it with another company, or with none"
    return "its opportunity was never seen"
