"""Make records anew that a run deleted: HubSpot's API restores none, nor does Salesforce's (X2).

They get a new id, all the values that the journal kept, and their contacts. Journal -> write -> link.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.adapters.base import Draft, Labelling
from connector.core.inverse import RULE, Remaking
from connector.core.model import Base, Change, ContactRole, Fields, Pair, Record, Side, Value
from connector.core.naming import CONTACT
from connector.engine.hands import RealHands
from connector.engine.observe import find_keys
from connector.engine.refusals import find_faults
from connector.engine.report import Written
from connector.engine.undoing.doing import Doing
from connector.engine.undoing.turning import hold_deletion
from connector.engine.work import count
from connector.mapping.transforms import Reference
from connector.store.links import Completion


def remake(doing: Doing, pair: Pair, side: Side, remakings: Sequence[Remaking]) -> None:
    if not remakings:
        return
    work = doing.work
    if side is Side.SALESFORCE and isinstance(work.hands, RealHands):
        work.c.salesforce.know_all_of(pair.salesforce)
    doing.ids |= {(side, one.object, one.record_id): one.new_id for one in remakings if one.new_id}
    missing = [one for one in remakings if not one.new_id]
    earlier = _find_made(doing, pair, side, missing)
    for one in missing:
        if one.record_id in earlier:
            with work.c.store.transaction():
                if one.link_id is not None:
                    work.c.store.journal.claim(one.link_id, side, earlier[one.record_id])
                _remade(doing, pair, one, earlier[one.record_id], "", one.values)
    todo = [one for one in missing if one.record_id not in earlier]
    spared = _create(doing, pair, todo, {one.record_id: one.values for one in todo})
    if spared:
        _create(doing, pair, [one for one in todo if one.record_id in spared], spared)
    _label_again(doing, remakings)
    _add_roles_again(doing, remakings)


def _find_made(doing: Doing, pair: Pair, side: Side, remakings: Sequence[Remaking]) -> dict[str, str]:
    """What an earlier try at this undo made anew: by the old ids. An older store may not know of such a try."""
    partner_field = pair.partner_field.get(side)
    if not partner_field or not remakings:
        return {}
    wanted = doing.work.world.wanted(pair, side)
    by_source = {str(one.values.get(partner_field) or ""): one.record_id for one in remakings}
    found = doing.work.c.crm(side).find(pair.object(side), sorted(filter(None, by_source)), wanted)
    return {by_source[source]: record.id for source, record in found.items() if record.present}


def _was_tried(doing: Doing) -> bool:
    """Whether there was another undo of this run before this one."""
    return any(one.id != doing.work.report.run for one in doing.work.c.store.runs.undoing(doing.story.run.id))


def _create(
    doing: Doing, pair: Pair, remakings: Sequence[Remaking], values: Mapping[str, Fields]
) -> dict[str, Fields]:
    """Make records anew; returns what is left of those of which single fields were refused."""
    if not remakings:
        return {}
    work, side = doing.work, remakings[0].side
    object_, wanted = pair.object(side), work.world.wanted(pair, side)
    by_id = {one.record_id: one for one in remakings}
    given = {id_: with_new_ids(doing, pair, side, values[id_]) for id_ in by_id}
    contacts = {id_: _contacts_there(doing, one) for id_, one in by_id.items()}
    changes = {
        id_: [Change(name, None, value, RULE, doing.cause) for name, value in given[id_].items()]
        + [Change(CONTACT, None, who, RULE, doing.cause) for who in contacts[id_]]
        + [Change(CONTACT, None, role.contact, RULE, doing.cause) for role in _roles_there(doing, by_id[id_], "")]
        for id_ in by_id
    }
    with work.c.store.transaction():
        numbers = work.c.store.journal.intend(
            work.report.run,
            "create",
            side,
            object_,
            [(None, one.link_id, changes[id_]) for id_, one in by_id.items()],
        )
    journal = dict(zip(by_id, numbers, strict=True))
    drafts = [Draft(id_, given[id_], tuple(contacts[id_])) for id_ in by_id]
    spared: dict[str, Fields] = {}
    for outcomes in work.hands.create(side, object_, drafts, wanted):
        with work.c.store.transaction():
            work.c.store.journal.conclude({journal[one.key]: (one.id is not None, one.id) for one in outcomes})
            for outcome in outcomes:
                one = by_id[outcome.key]
                if outcome.id is not None:
                    _remade(doing, pair, one, outcome.id, outcome.version, given[outcome.key])
                    count(work, Written("create", side, object_, outcome.id, outcome.key, changes[outcome.key]))
                elif outcome.refusal is not None:
                    faults = find_faults(given[outcome.key], outcome.refusal)
                    if faults:
                        left = {name: value for name, value in values[outcome.key].items() if name not in faults}
                        spared[outcome.key] = left
                    doing.refuse(one, outcome.refusal, "+".join(faults))
    return spared


def with_new_ids(doing: Doing, pair: Pair, side: Side, values: Fields) -> dict[str, Value]:
    """The values, in which records that were made anew go by their new ids."""
    found = dict(values)
    for rule in pair.fields:
        if isinstance(rule.transform, Reference):
            object_ = doing.work.c.pairs[rule.transform.pair].object(side) if _refers(doing, rule.transform) else ""
            for name in rule.names(side):
                if (old := found.get(name)) and (new := doing.ids.get((side, object_, str(old)))):
                    found[name] = new
    partner_field = pair.partner_field.get(side)
    partner = found.get(partner_field or "")
    if partner_field and partner:
        new_id = doing.ids.get((side.other, pair.object(side.other), str(partner)))
        found[partner_field] = new_id or partner
    return found


def _refers(doing: Doing, reference: Reference) -> bool:
    return reference.pair in doing.work.c.pairs


def _contacts_there(doing: Doing, one: Remaking) -> dict[str, frozenset[int]]:
    """The contacts of a deal that are still there, by their new ids if they were made anew."""
    ids = {doing.ids.get((one.side, "contacts", who), who): labels for who, labels in one.contacts.items()}
    here = doing.work.c.store.records.load(Side.HUBSPOT, "contacts", ids) if ids else {}
    return {who: labels for who, labels in ids.items() if who in here and here[who].present}


def _roles_there(doing: Doing, one: Remaking, opportunity: str) -> list[ContactRole]:
    """The roles of an opportunity that is made anew, of contacts that are still there."""
    ids = {role.contact: doing.ids.get((one.side, "Contact", role.contact), role.contact) for role in one.roles}
    here = doing.work.c.store.records.load(Side.SALESFORCE, "Contact", ids.values()) if ids else {}
    return [
        role._replace(opportunity=opportunity, contact=ids[role.contact])
        for role in one.roles
        if ids[role.contact] in here and here[ids[role.contact]].present
    ]


def _add_roles_again(doing: Doing, remakings: Sequence[Remaking]) -> None:
    by_id = {new_id: one for one in remakings if (new_id := doing.ids.get((one.side, one.object, one.record_id)))}
    with_roles = [new_id for new_id, one in by_id.items() if one.roles]
    # After an earlier try some may be there; of an opportunity made a moment ago it is known that none is.
    asked = with_roles if _was_tried(doing) else []
    there = set(doing.work.c.salesforce.roles_of(asked).values()) if asked else set()
    roles = [role for id_ in with_roles for role in _roles_there(doing, by_id[id_], id_) if role not in there]
    for outcomes in doing.work.hands.remake_roles(roles) if roles else ():
        made = {one.id: roles[int(one.key)] for one in outcomes if one.id is not None}
        with doing.work.c.store.transaction():
            doing.work.c.store.records.observe_roles(made, ())


def _remade(doing: Doing, pair: Pair, one: Remaking, new_id: str, version: str, values: Fields) -> None:
    store, side = doing.work.c.store, one.side
    doing.ids[side, one.object, one.record_id] = new_id
    wanted = doing.work.world.wanted(pair, side)
    past = doing.story.links.get(one.link_id or 0)
    before = past.before if past else None
    source = str(before[f"{side.other.value}_id"] or "") if before else ""
    source = doing.ids.get((side.other, pair.object(side.other), source), source)
    record = Record(
        side,
        one.object,
        new_id,
        version,
        {name: values.get(name) for name in wanted.fields},
        partner_id=source or None,
    )
    with store.transaction():
        store.records.observe([record], find_keys(doing.work.c, pair, [record]))
        if one.link_id is not None and before is not None:
            base = Base(before["base_salesforce"], before["base_hubspot"])  # type: ignore[arg-type]  # mappings, both
            store.links.complete(pair.name, side, [Completion(one.link_id, new_id, base)], doing.work.report.run)
            store.links.note_birth(one.link_id, side.other)  # the older one of both is there now (U10)
            store.links.rename_ends([one.link_id])
            store.links.derive_parents([one.link_id])
            if doing.holds:
                hold_deletion(doing.work, doing.root, side, one.object, new_id)
        if one.object == "deals":
            people = _contacts_there(doing, one)
            store.records.add_associations({new_id: dict.fromkeys(people, frozenset[int]())})


def _label_again(doing: Doing, remakings: Iterable[Remaking]) -> None:
    """The labels of contacts that a deal was made anew with."""
    labellings = [
        Labelling(new_id, who, labels)
        for one in remakings
        if (new_id := doing.ids.get((one.side, one.object, one.record_id)))
        for who, labels in _contacts_there(doing, one).items()
        if labels
    ]
    for outcomes in doing.work.hands.label_contacts(labellings) if labellings else ():
        with doing.work.c.store.transaction():
            done = {one.key for one in outcomes if one.id is not None}
            for each in labellings:
                if each.key in done:
                    doing.work.c.store.records.add_associations({each.deal: {each.contact: each.types}})
