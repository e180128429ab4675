"""The contacts of deals and the contact roles of opportunities: gathered, planned, written.

Who belongs to whom is kept as edges between links, so that a side's own ids never meet the other's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.adapters.base import Edit, Labelling, Outcome, Refusal, Trouble
from connector.core.actions import Action, RoleAction, RoleAddition, RoleNaming, RoleRemoval, Wait
from connector.core.model import Change, ContactRole, Fields, Link, LinkState, Pair, Record, Side, Value
from connector.core.naming import BETWEEN, CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES, Naming, plan_names
from connector.core.plan import Situation
from connector.core.roles import Agreement, Roles, plan_roles
from connector.engine.gate import passes
from connector.engine.observe import observe_deals, syncs, take_in
from connector.engine.refusals import find_gone
from connector.engine.report import Written
from connector.engine.work import Work, count, describe_refusal, look_again, note_problems
from connector.engine.world import CONTACTS, DEALS
from connector.store.links import ROLE
from connector.store.records import Labels

# --- planning ---------------------------------------------------------------------------------------------


def contacts_at_creation(
    work: Work, pair: Pair, records: Sequence[Record]
) -> dict[str, tuple[tuple[str, ...], list[Wait]]]:
    """By opportunity: the HubSpot contacts that its new deal starts with (R1), and who is waited for (R5)."""
    if pair.name != DEALS or CONTACTS not in work.c.pairs:
        return {}
    opportunities = {one.id: one for one in records if one.side is Side.SALESFORCE}
    roles = work.c.store.records.roles_of(opportunities)
    everyone = {one.contact for some in roles.values() for one in some.values()}
    links = work.c.store.links.by_ids(CONTACTS, Side.SALESFORCE, everyone)
    absent = _find_absent(work, links.values())
    live = {
        id_: one.hubspot_id
        for id_, one in links.items()
        if one.state is LinkState.LINKED and one.hubspot_id and (Side.HUBSPOT, one.hubspot_id) not in absent
    }
    return {
        id_: (
            tuple(sorted(live[who] for who in by_contact(some) if who in live)),
            [
                Wait(opportunities[id_], (CONTACTS, Side.SALESFORCE, who))
                for who in sorted(by_contact(some).keys() - live.keys())
            ],
        )
        for id_, some in roles.items()
    }


def plan_roles_of(work: Work, situations: Sequence[Situation]) -> list[Action]:
    store = work.c.store
    live = [
        one
        for one in situations
        if one.salesforce and one.salesforce.present and one.hubspot and one.hubspot.present
        if not (one.still or one.claimed)
    ]
    roles = store.records.roles_of([one.salesforce.id for one in live if one.salesforce])
    deals = [one.hubspot.id for one in live if one.hubspot]
    agreed = store.links.agreed_roles([one.link.id for one in live])
    _read_survivors(work, [one.link for one in live], agreed)
    read = store.records.associations_known(deals)
    associated = store.records.associated_contacts(deals)
    here = {one.contact for some in roles.values() for one in some.values()}
    there = {id_ for some in associated.values() for id_ in some}
    contacts = {
        (side, id_): link
        for side, some in ((Side.SALESFORCE, here), (Side.HUBSPOT, there))
        for id_, link in store.links.by_ids(CONTACTS, side, some).items()
        if link.state is LinkState.LINKED
    }
    naming = find_naming(work)
    people = [*contacts.values(), *(one.contact for some in agreed.values() for one in some)]
    absent = _find_absent(work, {one.id: one for one in people}.values())
    actions: list[Action] = []
    for one in live:
        if one.salesforce is None or one.hubspot is None:
            continue
        shown = associated.get(one.hubspot.id, {}) if one.hubspot.id in read else None
        own = by_contact(roles.get(one.salesforce.id, {}))
        state = Roles(one.link, own, shown, agreed.get(one.link.id, ()), absent)
        actions += plan_roles(state, one.salesforce, contacts)
        if naming is not None:
            # A deal that was just made was never read, but who is on it is known.
            made = replace(state, hubspot=associated.get(one.hubspot.id, {}))
            actions += plan_names(made, naming, work.world.knowledge)
    return actions


def _read_survivors(work: Work, links: Sequence[Link], agreed: Mapping[int, Sequence[Agreement]]) -> None:
    """Read the contacts of deals that took over what was agreed on, and were never read themselves (A7, R3).

    Of a deal that was just made it is known who is on it.
    """
    store = work.c.store
    theirs = {
        one.hubspot_id: {each.contact.hubspot_id for each in agreed[one.id]}
        for one in links
        if one.id in agreed and one.hubspot_id
    }
    unread = theirs.keys() - store.records.associations_known(theirs)
    known = store.records.associated_contacts(unread) if unread else {}
    if doubtful := sorted(deal for deal in unread if not theirs[deal] <= known.get(deal, {}).keys()):
        observe_deals(work.c, doubtful, work.report.run)


def find_naming(work: Work) -> Naming | None:
    """How names of roles are carried in this portal, if they are (R4)."""
    rules = work.c.pairs[DEALS].roles
    return Naming(rules, work.world.labels) if rules is not None and work.world.labels else None


def by_contact(roles: Mapping[str, ContactRole]) -> dict[str, dict[str, ContactRole]]:
    """Roles of one opportunity, by contact and id: a contact may have several."""
    found: dict[str, dict[str, ContactRole]] = {}
    for id_, one in roles.items():
        found.setdefault(one.contact, {})[id_] = one
    return found


def _find_absent(work: Work, links: Iterable[Link]) -> frozenset[tuple[Side, str]]:
    """The records of contact links that are known not to be there."""
    pair, found, links = work.c.pairs[CONTACTS], set(), list(links)
    for side in Side:
        ids = [id_ for link in links if (id_ := link.id_of(side))]
        found |= {(side, id_) for id_ in work.c.store.records.absent(side, pair.object(side), ids)}
    return frozenset(found)


def look_at_deals_of(work: Work, contacts: Iterable[int]) -> None:
    """Merge the roles of these contact links anew, on all deals that they were agreed to belong to, or are on.

    For what leads to another record now, or takes part again: what was left alone meanwhile is due. A record may
    come from another pair, and with it the deals that were agreed on there.
    """
    links, records, contacts = work.c.store.links, work.c.store.records, list(contacts)
    if DEALS not in work.c.pairs or not contacts:
        return
    agreed = links.load(set(links.children_of(ROLE, *contacts)))
    people = [one.hubspot_id for one in links.load(contacts).values() if one.hubspot_id]
    shown = links.by_ids(DEALS, Side.HUBSPOT, records.deals_of(people))
    opportunities = [one.salesforce_id for one in (*agreed.values(), *shown.values()) if one.salesforce_id]
    records.mark(Side.SALESFORCE, work.c.pairs[DEALS].salesforce, opportunities)


# --- carrying out -----------------------------------------------------------------------------------------


def apply_roles(work: Work, roles: Sequence[RoleAction]) -> None:
    """Carry out what is planned: what needs no write first, then one request a side for as many as it takes."""
    if not roles:
        return  # the pairs that roles are between may be switched off (P1)
    additions = [one for one in roles if isinstance(one, RoleAddition)]
    removals = [one for one in roles if isinstance(one, RoleRemoval)]
    _agree_roles(work, [one for one in additions if one.to is None])
    _forget_roles(work, [one for one in removals if one.to is None])
    for side in (Side.HUBSPOT, Side.SALESFORCE):
        _connect(work, side, [one for one in additions if one.to is side])
    for side in (Side.HUBSPOT, Side.SALESFORCE):
        _disconnect(work, side, [one for one in removals if one.to is side])
    apply_names(work, [one for one in roles if isinstance(one, RoleNaming)])


def _agree_roles(work: Work, roles: Sequence[RoleAddition]) -> None:
    with work.c.store.transaction():
        for one in roles:
            _join(work, one)


def _join(work: Work, role: RoleAddition) -> None:
    fresh = work.c.store.links.was_just_made(role.deal.id, work.report.run)
    work.c.store.links.join(ROLE, [(role.deal.id, role.contact.id)], with_creation=fresh)
    name_later(work, [role.deal.salesforce_id or ""])


def name_later(work: Work, opportunities: Collection[str]) -> None:
    """Who is new on a deal is on both sides now; what they call it is merged in the next round (R4)."""
    if opportunities and find_naming(work) is not None:
        look_again(work, work.c.pairs[DEALS], Side.SALESFORCE, opportunities)


def _connect(work: Work, side: Side, roles: Sequence[RoleAddition]) -> None:
    roles = [one for one in roles if _passes(work, "connect", side, one, [_joining(side, one)])]
    if not roles:
        return
    store = work.c.store
    by_key = {f"{one.deal.id_of(side)}/{one.contact.id_of(side)}": one for one in roles}
    changes = {key: [_joining(side, one)] for key, one in by_key.items()}
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "connect",
            side,
            object_of(side),
            [(one.deal.id_of(side), one.deal.id, changes[key]) for key, one in by_key.items()],
        )
    journal = dict(zip(by_key, numbers, strict=True))
    pairs = [(one.deal.id_of(side) or "", one.contact.id_of(side) or "") for one in by_key.values()]
    gone: list[RoleAddition] = []
    for outcomes in work.hands.connect(side, pairs):
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, None) for one in outcomes})
            if side is Side.SALESFORCE:
                store.journal.note_made({journal[one.key]: one.id for one in outcomes if one.id and not one.found})
            for one in outcomes:
                role = by_key[one.key]
                if one.refusal is not None:
                    _note_refusal(work, role.deal, one.refusal)
                    gone += [role] if one.refusal.trouble is Trouble.GONE else []
                    continue
                _connected(work, side, role, one.id or "")
                _count(work, "connect", side, role, changes[one.key])
    opportunities = [one.deal.salesforce_id or "" for one in gone]
    look_for_gone(work, side, opportunities, [one.contact.id_of(side) or "" for one in gone])


def look_for_gone(work: Work, side: Side, opportunities: Collection[str], contacts: Collection[str]) -> None:
    """A deal could not be joined to contacts, which may be gone: find out, and let it wait for those (D6, R5)."""
    if find_gone(work, work.c.pairs[CONTACTS], side, contacts):
        look_again(work, work.c.pairs[DEALS], Side.SALESFORCE, opportunities)


def _joining(side: Side, one: RoleAddition) -> Change:
    return Change(CONTACT, None, one.contact.id_of(side), one.rule, one.cause)


def _connected(work: Work, side: Side, role: RoleAddition, new_id: str) -> None:
    _join(work, role)
    if side is Side.HUBSPOT:
        unlabelled = {role.contact.hubspot_id or "": frozenset[int]()}
        work.c.store.records.add_associations({role.deal.hubspot_id or "": unlabelled})
    else:
        new = ContactRole(role.deal.salesforce_id or "", role.contact.salesforce_id or "")
        work.c.store.records.observe_roles({new_id: new}, ())


# --- removing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Held:
    """What a removal takes away: the key that the adapter's outcome has, and what it was for the journal."""

    key: str
    removal: RoleRemoval
    changes: tuple[Change, ...]


def _forget_roles(work: Work, removals: Sequence[RoleRemoval]) -> None:
    with work.c.store.transaction():
        work.c.store.links.part(ROLE, [(one.deal.id, one.contact.id) for one in removals])


def _disconnect(work: Work, side: Side, removals: Sequence[RoleRemoval]) -> None:
    """Remove on `side` what is gone on the other one (R3), once both have been looked at again.

    In HubSpot an association goes, in Salesforce every role that the contact has on the opportunity. Neither is
    a record's deletion: the guard (D7) does not count them, and the journal keeps what it takes to bring them
    back.
    """
    removals = [one for one in removals if _passes(work, "disconnect", side, one, [_parting(side, one)])]
    removals = _still_gone(work, side.other, removals)
    held = _hold_roles(work, removals) if side is Side.SALESFORCE else _hold_associations(work, removals)
    store, object_ = work.c.store, object_of(side)
    here = {one.removal.contact.id for one in held}
    _forget_roles(work, [one for one in removals if one.contact.id not in here])
    if not held:
        return
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "disconnect",
            side,
            object_,
            [(one.removal.deal.id_of(side), one.removal.deal.id, one.changes) for one in held],
        )
    journal = {one.key: number for one, number in zip(held, numbers, strict=True)}
    by_key = {one.key: one for one in held}
    if side is Side.SALESFORCE:
        answers = work.hands.remove_roles([one.key for one in held])
    else:
        answers = work.hands.remove_contacts([_ends(side, one.removal) for one in held])
    for outcomes in answers:
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, None) for one in outcomes})
            for one in outcomes:
                _disconnected(work, side, by_key[one.key], one)


def _parting(side: Side, one: RoleRemoval) -> Change:
    return Change(CONTACT, one.contact.id_of(side), None, one.rule, one.cause)


def _disconnected(work: Work, side: Side, held: _Held, outcome: Outcome) -> None:
    store, removal = work.c.store, held.removal
    if outcome.refusal is not None:
        _note_refusal(work, removal.deal, outcome.refusal)
        return
    if side is Side.HUBSPOT:
        store.records.remove_associations([_ends(side, removal)])
    else:
        store.records.observe_roles({}, [held.key])
    opportunity, contact = _ends(Side.SALESFORCE, removal)
    left = by_contact(store.records.roles_of([opportunity]).get(opportunity, {}))
    if side is Side.HUBSPOT or contact not in left:
        store.links.part(ROLE, [(removal.deal.id, removal.contact.id)])
    _count(work, "disconnect", side, removal, held.changes)


def object_of(side: Side) -> str:
    """Where roles are written."""
    return "OpportunityContactRole" if side is Side.SALESFORCE else "deals"


def _ends(side: Side, one: RoleAction) -> tuple[str, str]:
    return one.deal.id_of(side) or "", one.contact.id_of(side) or ""


def _still_gone(work: Work, side: Side, removals: Sequence[RoleRemoval]) -> list[RoleRemoval]:
    """Leave out what `side` shows again, and what is gone there for another reason than a removal (D6).

    The deal or the contact may be deleted, merged or out of sight by now, and a HubSpot record that was archived
    shows in no search. Their roles are planned anew from what they are.
    """
    true = list(removals)
    for pair, ids in (
        (work.c.pairs[DEALS], {one.deal.id_of(side) or "" for one in removals}),
        (work.c.pairs[CONTACTS], {one.contact.id_of(side) or "" for one in removals}),
    ):
        wanted = work.world.wanted(pair, side)
        fresh = work.hands.reread(side, pair.object(side), sorted(ids), wanted) if ids else None
        if fresh is None:
            continue
        stay = {id_ for id_, one in fresh.items() if one.present and _is_synced(work, pair, one)}
        true = [one for one in true if (one.deal if pair.name == DEALS else one.contact).id_of(side) in stay]
        look_again(work, pair, side, take_in(work.c, pair, list(fresh.values())))
    true = [one for one in true if not _shows(work, side, true).get(_ends(side, one))]
    left_out = [one.deal for one in removals if one not in true]
    look_again(work, work.c.pairs[DEALS], Side.SALESFORCE, [one.salesforce_id or "" for one in left_out])
    return true


def _is_synced(work: Work, pair: Pair, record: Record) -> bool:
    return pair.name != DEALS or record.side is Side.SALESFORCE or syncs(work.world, record)


def _shows(work: Work, side: Side, roles: Sequence[RoleAction]) -> dict[tuple[str, str], Collection[str]]:
    """What `side` shows of these roles now, by its own ids: of Salesforce the ids of roles."""
    deals = sorted({_ends(side, one)[0] for one in roles})
    if not deals:
        return {}
    found: dict[tuple[str, str], Collection[str]] = {}
    if side is Side.SALESFORCE:
        for id_, one in observe_roles(work, deals).items():
            found[one.opportunity, one.contact] = [*found.get((one.opportunity, one.contact), ()), id_]
        return found
    for deal, contacts in observe_contacts(work, deals).items():
        found |= {(deal, contact): [contact] for contact in contacts}
    return found


def observe_roles(work: Work, opportunities: Sequence[str]) -> Mapping[str, ContactRole]:
    """The contact roles of opportunities as they are now, taken in; or what was seen, if nothing is read."""
    store = work.c.store
    known = {id_: one for some in store.records.roles_of(opportunities).values() for id_, one in some.items()}
    fresh = work.hands.reread_roles(opportunities)
    if fresh is None:
        return known
    with store.transaction():
        changed = store.records.observe_roles(fresh, known.keys() - fresh.keys())
        look_again(work, work.c.pairs[DEALS], Side.SALESFORCE, changed)
    return fresh


def observe_contacts(work: Work, deals: Sequence[str]) -> Mapping[str, Labels]:
    """The contacts of deals as they are now, taken in; or what was seen, if nothing is read.

    Of a deal that HubSpot did not answer for, it is what was agreed: nothing is written then.
    """
    store, pair = work.c.store, work.c.pairs[DEALS]
    known = store.records.associated_contacts(deals)
    fresh = work.hands.reread_contacts(deals)
    if fresh is None:
        return known
    with store.transaction():
        changed = store.records.observe_associations(pair.hubspot, fresh, work.report.run)
        look_again(work, pair, Side.HUBSPOT, changed)
    return fresh


def _hold_roles(work: Work, removals: Sequence[RoleRemoval]) -> list[_Held]:
    """The roles that are to be deleted, each as it is now."""
    roles = observe_roles(work, sorted({_ends(Side.SALESFORCE, one)[0] for one in removals})) if removals else {}
    by_ends = {_ends(Side.SALESFORCE, one): one for one in removals}
    held = []
    for id_, role in sorted(roles.items()):
        removal = by_ends.get((role.opportunity, role.contact))
        if removal is not None:
            old = {CONTACT: role.contact, ROLE_NAMES: role.name, IS_PRIMARY: role.primary}
            held.append(_Held(id_, removal, _taken_away(removal, old)))
    return held


def _hold_associations(work: Work, removals: Sequence[RoleRemoval]) -> list[_Held]:
    """The associations that are to be removed, each with the labels it has now."""
    if not removals:
        return []
    contacts = observe_contacts(work, sorted({_ends(Side.HUBSPOT, one)[0] for one in removals}))
    held = []
    for one in removals:
        deal, contact = _ends(Side.HUBSPOT, one)
        if contact in contacts.get(deal, {}):
            labels = sorted(contacts[deal][contact] or ())
            old = {CONTACT: contact, LABELS: BETWEEN.join(map(str, labels)) or None}
            held.append(_Held(f"{deal}/{contact}", one, _taken_away(one, old)))
    return held


def _taken_away(removal: RoleRemoval, old: Mapping[str, Value]) -> tuple[Change, ...]:
    return tuple(
        Change(name, value, None, removal.rule, removal.cause) for name, value in old.items() if value is not None
    )


# --- naming -----------------------------------------------------------------------------------------------


def apply_names(work: Work, namings: Sequence[RoleNaming]) -> None:
    """Carry names of roles over (R4): re-read, compare, journal, write, settle, as for fields."""
    agreed = [one for one in namings if one.to is None]
    naming = find_naming(work)
    with work.c.store.transaction():
        for one in agreed:
            work.c.store.links.settle_role(one.deal, one.contact, one.settles)
        if naming is not None:
            _confirm_names(work, naming, agreed)
    if naming is not None:
        _label(work, naming, [one for one in namings if one.to is Side.HUBSPOT])
        _name(work, naming, [one for one in namings if one.to is Side.SALESFORCE])


def _confirm_names(work: Work, naming: Naming, agreed: Sequence[RoleNaming]) -> None:
    """Names that both sides agree on may be those that a run gave before it died."""
    deals = {one.deal.id: one.deal for one in agreed}.values()
    roles = work.c.store.records.roles_of([one.salesforce_id or "" for one in deals])
    labels = work.c.store.records.associated_contacts([one.hubspot_id or "" for one in deals])
    names: dict[int, dict[tuple[Side, str], Fields]] = {}
    for one in deals:
        own, there = roles.get(one.salesforce_id or "", {}), labels.get(one.hubspot_id or "", {})
        names[one.id] = {
            (Side.SALESFORCE, id_): {ROLE_NAMES: role.name, IS_PRIMARY: role.primary} for id_, role in own.items()
        } | {
            (Side.HUBSPOT, contact): naming.describe_labels(types)
            for contact, types in there.items()
            if types is not None
        }
    work.c.store.journal.confirm_names(names)


def _label(work: Work, naming: Naming, namings: Sequence[RoleNaming]) -> None:
    """Give associations their labels; those that are not ours to give stay."""
    if not namings:
        return
    store = work.c.store
    contacts = observe_contacts(work, sorted({_ends(Side.HUBSPOT, one)[0] for one in namings}))
    todo: dict[str, tuple[RoleNaming, Labelling]] = {}
    for one in namings:
        deal, contact = _ends(Side.HUBSPOT, one)
        types = contacts.get(deal, {}).get(contact)
        if types is None or naming.describe_labels(types) != one.seen:
            look_again(work, work.c.pairs[DEALS], Side.HUBSPOT, [deal])
            continue
        own = naming.own_types()
        wanted = naming.types_for({**one.seen, **{change.field: change.new for change in one.changes}})
        if not _passes(work, "name", Side.HUBSPOT, one, _naming_changes(Side.HUBSPOT, one)):
            continue
        labelling = Labelling(deal, contact, (types - own) | wanted, (types & own) - wanted)
        todo[labelling.key] = one, labelling
    changes = {key: _naming_changes(Side.HUBSPOT, one) for key, (one, _) in todo.items()}
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "name",
            Side.HUBSPOT,
            object_of(Side.HUBSPOT),
            [(labelling.deal, one.deal.id, changes[key]) for key, (one, labelling) in todo.items()],
        )
    journal = dict(zip(todo, numbers, strict=True))
    for outcomes in work.hands.label_contacts([labelling for _, labelling in todo.values()]) if todo else ():
        with store.transaction():
            store.journal.conclude({journal[one.key]: (one.id is not None, None) for one in outcomes})
            for outcome in outcomes:
                one, labelling = todo[outcome.key]
                if outcome.refusal is not None:
                    _note_refusal(work, one.deal, outcome.refusal)
                    continue
                store.records.add_associations({labelling.deal: {labelling.contact: labelling.types}})
                store.links.settle_role(one.deal, one.contact, one.settles)
                _count(work, "name", Side.HUBSPOT, one, changes[outcome.key])


def _naming_changes(side: Side, one: RoleNaming) -> tuple[Change, ...]:
    """The changes, headed by whose role it is."""
    contact = one.contact.id_of(side)
    return (Change(CONTACT, contact, contact, "R4", one.changes[0].cause), *one.changes)


def _name(work: Work, naming: Naming, namings: Sequence[RoleNaming]) -> None:
    """Write the names of contact roles, each role journalled by its own id."""
    if not namings:
        return
    store = work.c.store
    roles = observe_roles(work, sorted({_ends(Side.SALESFORCE, one)[0] for one in namings}))
    todo: dict[str, RoleNaming] = {}
    for one in namings:
        now = [role for role in roles.values() if (role.opportunity, role.contact) == _ends(Side.SALESFORCE, one)]
        if not one.edits.keys() <= roles.keys() or naming.describe_roles(now) != one.seen:
            look_again(work, work.c.pairs[DEALS], Side.SALESFORCE, [one.deal.salesforce_id or ""])
            continue
        for id_, after in one.edits.items():
            if _passes(work, "name", Side.SALESFORCE, one, _edit_changes(roles[id_], after, one)):
                todo[id_] = one
    changes = {id_: _edit_changes(roles[id_], one.edits[id_], one) for id_, one in todo.items()}
    lowered = {id_: _find_lowered(id_, one.edits[id_], roles, todo) for id_, one in todo.items()}
    entries = [(id_, id_, changes[id_]) for id_ in todo]
    entries += [(id_, other, (_lowering(id_, "R4"),)) for id_, some in lowered.items() for other in some]
    with store.transaction():
        numbers = store.journal.intend(
            work.report.run,
            "name",
            Side.SALESFORCE,
            object_of(Side.SALESFORCE),
            [(written_to, todo[id_].deal.id, some) for id_, written_to, some in entries],
        )
    journal: dict[str, list[int]] = {}
    for (id_, *_), number in zip(entries, numbers, strict=True):
        journal.setdefault(id_, []).append(number)
    written: set[str] = set()
    edits = [Edit(id_, {change.field: change.new for change in changes[id_]}) for id_ in todo]
    for outcomes in work.hands.name_roles(edits) if edits else ():
        with store.transaction():
            store.journal.conclude(
                {number: (one.id is not None, one.key) for one in outcomes for number in journal[one.key]}
            )
            for outcome in outcomes:
                one = todo[outcome.key]
                if outcome.refusal is not None:
                    _note_refusal(work, one.deal, outcome.refusal)
                    continue
                _named(work, outcome.key, one.edits[outcome.key])
                written.add(outcome.key)
                _count(work, "name", Side.SALESFORCE, one, changes[outcome.key])
    with store.transaction():
        for one in namings:
            if one.edits.keys() <= written:
                store.links.settle_role(one.deal, one.contact, one.settles)


def _find_lowered(
    id_: str, after: ContactRole, roles: Mapping[str, ContactRole], edited: Collection[str]
) -> list[str]:
    """The roles that Salesforce itself lowers as this one becomes primary."""
    if not after.primary or roles[id_].primary:
        return []
    return [
        other
        for other, one in roles.items()
        if one.primary and one.opportunity == after.opportunity and other != id_ and other not in edited
    ]


def _lowering(by: str, rule: str) -> Change:
    return Change(IS_PRIMARY, True, False, rule, f"role {by} became the primary one")


def _edit_changes(before: ContactRole, after: ContactRole, one: RoleNaming) -> tuple[Change, ...]:
    cause, conflict = one.changes[0].cause, any(change.conflict for change in one.changes)
    pairs = ((ROLE_NAMES, before.name, after.name), (IS_PRIMARY, before.primary, after.primary))
    return tuple(Change(name, old, new, "R4", cause, conflict) for name, old, new in pairs if old != new)


def _named(work: Work, id_: str, role: ContactRole) -> None:
    """Note a role's new name. Salesforce lets one role of an opportunity be primary, the last one that was set."""
    records = work.c.store.records
    others = records.roles_of([role.opportunity]).get(role.opportunity, {}) if role.primary else {}
    lowered = {other: one._replace(primary=False) for other, one in others.items() if one.primary and other != id_}
    records.observe_roles({id_: role} | lowered, ())
    if lowered:
        look_again(work, work.c.pairs[DEALS], Side.SALESFORCE, [role.opportunity])


def _note_refusal(work: Work, deal: Link, refusal: Refusal) -> None:
    problem = describe_refusal(Side.SALESFORCE, "Opportunity", deal.salesforce_id or "", refusal)
    note_problems(work, [replace(problem, field="contacts")])


def _count(work: Work, verb: str, side: Side, one: RoleAction, changes: Sequence[Change]) -> None:
    deal, contact = _ends(side, one)
    count(work, Written(verb, side, object_of(side), deal, f"{deal}/{contact}", changes))


def _passes(work: Work, verb: str, side: Side, one: RoleAction, changes: Sequence[Change]) -> bool:
    deal, contact = _ends(side, one)
    write = Written(verb, side, object_of(side), deal, f"{deal}/{contact}", changes)
    return passes(work, write, *((where, one.deal.id_of(where)) for where in Side))
