"""The contacts of deals and the contact roles of opportunities: gathered, planned, written.

Who belongs to whom is kept as edges between links, so that a side's own ids never meet the other's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.core.actions import Action, RoleAddition, Wait
from connector.core.model import Change, LinkState, Pair, Record, Side
from connector.core.plan import Situation
from connector.core.roles import Roles, plan_roles
from connector.engine.report import Written
from connector.engine.work import Work, describe_refusal, note_problems
from connector.engine.world import CONTACTS, DEALS
from connector.store.links import ROLE

# --- planning ---------------------------------------------------------------------------------------------


def contacts_at_creation(
    work: Work, pair: Pair, records: Sequence[Record]
) -> dict[str, tuple[tuple[str, ...], list[Wait]]]:
    """By opportunity: the HubSpot contacts that its new deal starts with (R1), and who is waited for (R5)."""
    if pair.name != DEALS or CONTACTS not in work.c.pairs:
        return {}
    opportunities = {one.id: one for one in records if one.side is Side.SALESFORCE}
    roles = work.c.store.records.roles_of(opportunities)
    everyone = {id_ for some in roles.values() for id_ in some}
    links = work.c.store.links.by_ids(CONTACTS, Side.SALESFORCE, everyone)
    live = {id_: one.hubspot_id for id_, one in links.items() if one.state is LinkState.LINKED and one.hubspot_id}
    return {
        id_: (
            tuple(sorted(live[who] for who in some if who in live)),
            [Wait(opportunities[id_], (CONTACTS, Side.SALESFORCE, who)) for who in sorted(some - live.keys())],
        )
        for id_, some in roles.items()
    }


def plan_roles_of(work: Work, situations: Sequence[Situation]) -> list[Action]:
    store = work.c.store
    live = [
        one
        for one in situations
        if one.salesforce and one.salesforce.present and one.hubspot and one.hubspot.present and not one.stopped
    ]
    roles = store.records.roles_of([one.salesforce.id for one in live if one.salesforce])
    deals = [one.hubspot.id for one in live if one.hubspot]
    read = store.records.associations_known(deals)
    associated = store.records.associated_contacts(deals)
    edges = store.links.parents_of(ROLE, [one.link.id for one in live])
    parents = store.links.load({parent for some in edges.values() for parent in some})
    here = store.links.by_ids(CONTACTS, Side.SALESFORCE, {id_ for some in roles.values() for id_ in some})
    there = store.links.by_ids(CONTACTS, Side.HUBSPOT, {id_ for some in associated.values() for id_ in some})
    contacts = {
        (side, id_): link
        for side, some in ((Side.SALESFORCE, here), (Side.HUBSPOT, there))
        for id_, link in some.items()
        if link.state is LinkState.LINKED
    }
    actions: list[Action] = []
    for one in live:
        if one.salesforce is None or one.hubspot is None:
            continue
        shown = frozenset(associated.get(one.hubspot.id, ())) if one.hubspot.id in read else None
        agreed = frozenset(
            contact for parent in edges.get(one.link.id, ()) if (contact := parents[parent].salesforce_id)
        )
        state = Roles(one.link, frozenset(roles.get(one.salesforce.id, ())), shown, agreed)
        actions += plan_roles(state, one.salesforce, contacts)
    return actions


# --- carrying out -----------------------------------------------------------------------------------------


def apply_roles(work: Work, roles: Sequence[RoleAddition]) -> None:
    """Carry out what is planned: agreements first, then one request a side for as many as it takes."""
    _agree_roles(work, [one for one in roles if one.to is None])
    for side in (Side.HUBSPOT, Side.SALESFORCE):
        _connect(work, side, [one for one in roles if one.to is side])


def _agree_roles(work: Work, roles: Sequence[RoleAddition]) -> None:
    with work.c.store.transaction():
        for one in roles:
            _join(work, one)


def _join(work: Work, role: RoleAddition) -> None:
    fresh = work.c.store.links.is_new(role.deal.id, work.report.run)
    work.c.store.links.join(ROLE, [(role.deal.id, role.contact.id)], with_creation=fresh)


def _connect(work: Work, side: Side, roles: Sequence[RoleAddition]) -> None:
    if not roles:
        return
    store = work.c.store
    object_ = "OpportunityContactRole" if side is Side.SALESFORCE else "deals"
    by_key = {f"{one.deal.id_of(side)}/{one.contact.id_of(side)}": one for one in roles}
    changes = {
        key: [Change("contact", None, one.contact.id_of(side), one.rule, one.cause)] for key, one in by_key.items()
    }
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "connect",
            side,
            object_,
            [(one.deal.id_of(side), one.deal.id, changes[key]) for key, one in by_key.items()],
        )
    journal = dict(zip(by_key, numbers, strict=True))
    pairs = [(one.deal.id_of(side) or "", one.contact.id_of(side) or "") for one in by_key.values()]
    for outcomes in work.hands.connect(side, pairs):
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, None) for one in outcomes})
            for one in outcomes:
                role = by_key[one.key]
                if one.refusal is not None:
                    problem = describe_refusal(
                        Side.SALESFORCE, "Opportunity", role.deal.salesforce_id or "", one.refusal
                    )
                    note_problems(work, [replace(problem, field="contacts")])
                    continue
                _connected(work, side, role, one.id or "")
                deal = role.deal.id_of(side)
                work.report.count(Written("connect", side, object_, deal, one.key, changes[one.key]))


def _connected(work: Work, side: Side, role: RoleAddition, new_id: str) -> None:
    _join(work, role)
    if side is Side.HUBSPOT:
        work.c.store.records.add_associations({role.deal.hubspot_id or "": [role.contact.hubspot_id or ""]})
    else:
        both = (role.deal.salesforce_id or "", role.contact.salesforce_id or "")
        work.c.store.records.observe_roles({new_id: both}, ())
