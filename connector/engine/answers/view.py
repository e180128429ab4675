"""One record and its partner: as both CRMs show them now, or as they were seen last.

Nothing is written anywhere, and no lease is taken: a run may be under way meanwhile. Where a CRM cannot be asked,
what was seen last is told instead, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from connector.adapters.base import Usage, Wanted
from connector.adapters.hubspot import HubSpot
from connector.adapters.salesforce import Salesforce
from connector.core.model import ContactRole, Link, LinkState, Pair, Record, Side
from connector.engine.allocation import Allocation
from connector.engine.answers.references import Reference, no_such_record, read_reference
from connector.engine.hands import PretendedHands
from connector.engine.report import Report
from connector.engine.suspension import find_suspension
from connector.engine.work import Work, learn_partners
from connector.engine.world import CONTACTS, DEALS, Connection, get_to_know, recall_world
from connector.errors import Unreachable
from connector.mapping.files import PAIRS
from connector.settings import Settings
from connector.store.records import Labels
from connector.store.store import Store


class Unasked:
    """Stands where a CRM would be that nobody asks: it knows of no record."""

    def read(self, _object: str, _ids: object, _wanted: Wanted) -> dict[str, Record]:
        return {}

    def last_edits(self, _object: str, _fields: object) -> dict[tuple[str, str], str]:
        return {}

    def usage(self) -> Usage:
        return Usage(0, None)


def make_offline(settings: Settings, pairs: Mapping[str, Pair], store: Store, now: Any) -> Connection:
    """A connection for questions that the store alone answers. It needs no credentials."""
    salesforce, hubspot = cast("Salesforce", Unasked()), cast("HubSpot", Unasked())
    return Connection(
        settings, pairs, salesforce, hubspot, store, now, Allocation(settings.daily_calls(), store, now)
    )


@dataclass(frozen=True, slots=True)
class View:
    """A record (`side`, `object`, `id`), what it is linked to, and all that answers are made from.

    `pair` is None where its pair is switched off (P1, P2). `records` are as now or as seen last; None: never seen.
    `asked` says whether both CRMs were asked; if they were to be and could not, `why_not` says why.
    """

    work: Work
    pair_name: str
    pair: Pair | None
    side: Side
    object: str
    id: str
    link: Link | None
    records: Mapping[Side, Record | None]
    roles: Mapping[str, ContactRole]
    contacts: Labels
    asked: bool
    why_not: str = ""

    @property
    def record(self) -> Record | None:
        return self.records[self.side]

    @property
    def is_linked(self) -> bool:
        return self.link is not None and self.link.state is LinkState.LINKED


def look(c: Connection, text: str, *, ask: bool) -> View:
    """Find the record that `text` names, and look at it and its partner.

    Raises:
        BadConfiguration: there is no such record, or more than one.
    """
    reference = read_reference(text)
    why_not = ""
    if ask and (suspension := find_suspension(c.store)):
        ask, why_not = False, f"the sync is suspended: {suspension.message}"
    if ask:
        try:
            view = _look(c, reference, ask=True)
        except Unreachable as error:
            why_not = error.message
        else:
            return view
        finally:
            c.allocation.keep(ends=True)
    offline = make_offline(c.settings, c.pairs, c.store, c.now)
    return replace(_look(offline, reference, ask=False), why_not=why_not)


def look_offline(c: Connection, text: str) -> View:
    """The same, as both were seen last."""
    return look(c, text, ask=False)


def _look(c: Connection, reference: Reference, *, ask: bool) -> View:
    world = get_to_know(c) if ask else recall_world(c)
    work = Work(c, world, PretendedHands(c.salesforce, c.hubspot), Report())
    side, object_, id_ = find_record(work, reference, ask=ask)
    return make_view(work, side, object_, id_, ask=ask, reference=reference)


def make_view(
    work: Work, side: Side, object_: str, id_: str, *, ask: bool, reference: Reference | None = None
) -> View:
    """The view of a record whose place is known. Raises if it is nowhere and a `reference` named it."""
    c = work.c
    name = next(one for one, objects in PAIRS.items() if objects[side is Side.HUBSPOT] == object_)
    pair = c.pairs.get(name)
    link = c.store.links.by_ids(name, side, [id_]).get(id_)
    ids = {side: id_, side.other: link.id_of(side.other) if link else None}
    objects = dict(zip(Side, PAIRS[name], strict=True))
    records = {one: _read(work, pair, one, objects[one], ids[one], ask=ask) for one in Side}
    if reference is not None and pair is not None and records[side] is None and link is None:
        where = "Salesforce" if side is Side.SALESFORCE else "HubSpot"
        asked = f"and {where} shows none" if ask else f"and {where} was not asked"
        raise no_such_record(reference.text, f"no {object_} {id_} was ever seen, {asked}")
    if pair is not None:
        learn_partners(work, pair, [one for one in records.values() if one])
    roles, contacts = _read_contacts(work, pair, ids, ask=ask)
    return View(work, name, pair, side, object_, id_, link, records, roles, contacts, asked=ask)


def _read(work: Work, pair: Pair | None, side: Side, object_: str, id_: str | None, *, ask: bool) -> Record | None:
    if id_ is None:
        return None
    seen = work.c.store.records.load(side, object_, [id_]).get(id_)
    if not ask or pair is None:
        return seen
    now = work.c.crm(side).read(object_, [id_], work.world.wanted(pair, side)).get(id_)
    if now is None:
        return seen
    if seen is None:
        return now if now.present or now.survivor or now.presence.value != "invisible" else None
    if not now.present:
        return replace(seen, presence=now.presence, survivor=now.survivor or seen.survivor)
    return replace(now, fields={**seen.fields, **now.fields})


def _read_contacts(
    work: Work, pair: Pair | None, ids: Mapping[Side, str | None], *, ask: bool
) -> tuple[Mapping[str, ContactRole], Labels]:
    """The contact roles of an opportunity by id, and the contacts of its deal."""
    opportunity, deal = ids[Side.SALESFORCE], ids[Side.HUBSPOT]
    if pair is None or pair.name != DEALS or CONTACTS not in work.c.pairs:
        return {}, {}
    records, c = work.c.store.records, work.c
    if ask:
        roles = c.salesforce.roles_of([opportunity]) if opportunity else {}
        contacts: Labels = c.hubspot.deal_contacts([deal]).get(deal, {}) if deal else {}
        return roles, contacts
    return (
        records.roles_of([opportunity] if opportunity else []).get(opportunity or "", {}),
        records.associated_contacts([deal] if deal else []).get(deal or "", {}),
    )


# --- finding it -------------------------------------------------------------------------------------------


def find_record(work: Work, reference: Reference, *, ask: bool) -> tuple[Side, str, str]:
    """The side, object and id that a reference means.

    Raises:
        BadConfiguration: it means none, or more than one.
    """
    if reference.email:
        return _find_by_email(work, reference, ask=ask)
    if reference.object == "OpportunityContactRole":
        opportunity = work.c.store.standing.opportunity_of(reference.id)
        if opportunity is None:
            raise no_such_record(reference.text, f"no contact role {reference.id} was ever seen")
        return Side.SALESFORCE, "Opportunity", opportunity
    if reference.side is not None and reference.object is not None:
        return reference.side, reference.object, reference.id
    return _find_in_hubspot(work, reference, ask=ask)


def _find_in_hubspot(work: Work, reference: Reference, *, ask: bool) -> tuple[Side, str, str]:
    """A bare number may be the id of a deal, a contact or a company."""
    found = [one for side, one in work.c.store.standing.find(reference.id) if side is Side.HUBSPOT]
    if not found and ask:
        found = [
            pair.hubspot
            for pair in work.c.pairs.values()
            if any(
                one.present
                for one in work.c.hubspot.read(
                    pair.hubspot, [reference.id], work.world.wanted(pair, Side.HUBSPOT)
                ).values()
            )
        ]
    if not found:
        raise no_such_record(reference.text, f"no HubSpot record with the id {reference.id} was ever seen")
    if len(found) > 1:
        kinds = [_singular(one) for one in found]
        remedy = f"say which: {' or '.join(f'{kind}:{reference.id}' for kind in kinds)}"
        raise no_such_record(reference.text, f"{' and '.join(f'a {kind}' for kind in kinds)} have that id", remedy)
    return Side.HUBSPOT, found[0], reference.id


def _singular(object_: str) -> str:
    return {"deals": "deal", "contacts": "contact", "companies": "company"}[object_]


def _find_by_email(work: Work, reference: Reference, *, ask: bool) -> tuple[Side, str, str]:
    pair = work.c.pairs.get(CONTACTS)
    if pair is None:
        raise no_such_record(reference.text, "contacts are not synced (`sync.contacts: false`)")
    records, key = work.c.store.records, ("email", reference.email)
    found = [one for side in Side for one in records.with_keys(side, pair.object(side), [key]).get(key, ())]
    if not found and ask:
        found = list(
            work.c.hubspot.find(
                pair.hubspot, [reference.email], work.world.wanted(pair, Side.HUBSPOT), by="email"
            ).values()
        )
    links = {
        (side, id_): link.id
        for side in Side
        for id_, link in work.c.store.links.by_ids(
            pair.name, side, [one.id for one in found if one.side is side]
        ).items()
    }
    # Both records of one link are one answer.
    distinct = {links.get((one.side, one.id), (one.side, one.id)): one for one in reversed(found)}
    if not distinct:
        raise no_such_record(reference.text, f"no contact with the address {reference.email} was ever seen")
    if len(distinct) > 1:
        some = [f"contact:{one.id}" if one.side is Side.HUBSPOT else one.id for one in reversed(distinct.values())]
        text = f"{len(distinct)} contacts have the address {reference.email}"
        raise no_such_record(reference.text, text, f"say which: {', '.join(some)}")
    one = next(iter(distinct.values()))
    return one.side, one.object, one.id
