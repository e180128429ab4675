"""Turn the store back: links, edges and bases as if a run had not been, and its writes held (X2).

All in one transaction, before anything is written to a CRM. So a process that dies afterwards leaves nothing that a
run could take for an edit: what was not restored yet is on both sides as the run left it, and is agreed again; what
was restored is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.derived import LIFECYCLE_STAGE
from connector.core.inverse import Columns, Inverse, Key, Past, RoleBack
from connector.core.model import LinkState, Presence, Record, Side, Value
from connector.core.naming import CONTACT
from connector.core.undo import turn_link
from connector.engine.apply import COMPANY_EDGE
from connector.engine.derive import derive
from connector.engine.hands import PretendedHands
from connector.engine.held import lift
from connector.engine.report import Report, Written
from connector.engine.undoing.past import Story
from connector.engine.work import Work
from connector.engine.world import CONTACTS, DEALS
from connector.store.holds import Place
from connector.store.links import ROLE

_ROLE_VERBS = {"part": "connect", "join": "disconnect", "name": "name"}


@dataclass
class _Turn:
    """What is undone, by link: its fields per side, and the roles (deal, contact) by their links."""

    whole: set[int] = field(default_factory=set)
    ending: set[int] = field(default_factory=set)
    """Of the whole ones those that link nothing any more; the record of any other one is made anew."""
    fields: dict[int, dict[Side, set[str]]] = field(default_factory=dict)
    roles: set[tuple[int, int]] = field(default_factory=set)
    kept_stages: set[int] = field(default_factory=set)
    stages: set[int] = field(default_factory=set)
    """Whose lifecycle stage goes back."""


def turn_store(work: Work, story: Story, inverse: Inverse, root: int, *, holds: bool) -> None:
    """`root` is the run whose writes are held, or with `holds` False let go: that of which undos are undone."""
    store = work.c.store
    turn = _find_turn(work, story, inverse)
    deleted = {one.link_id: one.side for one in story.entries if one.verb == "delete"}
    with store.transaction():
        touched = {*turn.whole, *turn.fields, *(one for pair in turn.roles for one in pair)}
        touched |= {one.link_id for one in inverse.restorings if one.link_id is not None}
        store.links.derive_parents(touched)
        bereft = _find_bereft(work, turn)
        for id_ in sorted(turn.whole):
            _turn_whole(work, story, id_, deleted.get(id_))
        for id_, past in story.links.items():
            if id_ not in turn.whole and (id_ in turn.fields or id_ in touched):
                fields = turn.fields.get(id_, {})
                row = turn_link(past, fields, keeps_stage=id_ in turn.kept_stages)
                if row is not None and row != past.now:
                    store.images.put_link(id_, row)
        store.links.forget_bases(bereft)
        _turn_edges(work, story, turn)
        _forget_created(work, story, inverse)
        store.links.derive(touched)
        store.links.derive_parents(touched)
        _make_due(work, story, touched | bereft.keys())
        if holds:
            store.holds.hold(root, find_holds(story, inverse))
        else:
            lift(store, story.pairs, root)


def _find_turn(work: Work, story: Story, inverse: Inverse) -> _Turn:
    turn = _Turn()
    turn.ending |= {one.link_id for one in inverse.taking_back if one.link_id is not None and not one.gone}
    turn.ending |= inverse.unlinked
    turn.whole |= {one.link_id for one in inverse.remakings if one.link_id is not None and not one.new_id}
    turn.whole |= turn.ending
    for one in inverse.restorings:
        if one.link_id is None:
            continue
        by_side = turn.fields.setdefault(one.link_id, {side: set() for side in Side})
        for rule in story.pairs[one.object].fields:
            if not one.wrote.keys().isdisjoint(rule.names(one.side)):
                for side in Side:
                    by_side[side] |= set(rule.names(side))
    turn.kept_stages = {
        one.link_id for one in inverse.left if one.link_id is not None and LIFECYCLE_STAGE in one.field
    }
    turn.stages = {
        one.link_id for one in inverse.restorings if one.link_id is not None and LIFECYCLE_STAGE in one.wrote
    }
    for side in Side:
        roles = [one for one in inverse.roles if one.side is side]
        deals = work.c.store.links.by_ids(DEALS, side, [one.deal for one in roles])
        people = work.c.store.links.by_ids(CONTACTS, side, [one.contact for one in roles])
        turn.roles |= {
            (deals[one.deal].id, people[one.contact].id)
            for one in roles
            if one.deal in deals and one.contact in people
        }
    return turn


def _find_bereft(work: Work, turn: _Turn) -> dict[int, dict[Side, tuple[str, ...]]]:
    """What stays although the link of its company ends, with the fields that name the company, per side.

    Nothing is agreed on in them any more, so that they meet anew once the company is linked again. Else no run
    would see then who belongs to it: nothing has moved on either side.
    """
    links = work.c.store.links
    found: dict[int, dict[Side, tuple[str, ...]]] = {}
    for pair in work.c.pairs.values():
        if pair.name not in COMPANY_EDGE:
            continue
        rules = [one for one in pair.fields if PRIMARY_COMPANY in one.hubspot]
        names = {side: tuple(name for one in rules for name in one.names(side)) for side in Side}
        children = links.children_of(COMPANY_EDGE[pair.name], *turn.ending)
        found |= {one: names for one in children if one not in turn.whole and not _is_company_undone(turn, one)}
    return found


def _turn_whole(work: Work, story: Story, link_id: int, deleted: Side | None) -> None:
    """Make a link what it was before the run; one that was not there, or only begun, is nothing any more."""
    past = story.links.get(link_id)
    before = past.before if past else None
    if before is not None and before["state"] == LinkState.PENDING.value:
        before = None
    if before is not None and deleted is not None:
        # Its record is to be made anew, with another id.
        before = {**before, f"{deleted.value}_id": None, "state": LinkState.PENDING.value}
    work.c.store.images.put_link(link_id, before)


def _turn_edges(work: Work, story: Story, turn: _Turn) -> None:
    images = work.c.store.images
    for key, past in story.edges.items():
        kind, child, parent = key
        if turn.whole & {child, parent}:
            row = past.before
        else:
            row = past.now
            if (kind in COMPANY_EDGE.values() and _is_company_undone(turn, child) and past.now == past.after) or (
                kind == ROLE and (child, parent) in turn.roles
            ):
                row = past.before
            row = _with_applied(row, past, turn, parent)
        if row != past.now:
            images.put_edge(key, row)
    for id_ in turn.whole:
        known = story.links.get(id_)
        if known is None or known.before is None or known.before["state"] == LinkState.PENDING.value:
            for key in images.edges_at(id_):
                images.put_edge(key, None)


def _is_company_undone(turn: _Turn, child: int) -> bool:
    """Whether the primary company of a deal or a contact goes back."""
    return PRIMARY_COMPANY in turn.fields.get(child, {}).get(Side.HUBSPOT, ())


def _with_applied(row: Columns | None, past: Past, turn: _Turn, parent: int) -> Columns | None:
    """What the lifecycle had acted upon before the run: nothing, on an edge that the run made and that stays."""
    before, after = past.before, past.after
    if before is None and parent in turn.stages:
        before = {"applied": None}
    if row is None or before is None or after is None or parent in turn.kept_stages:
        return row
    return {**row, "applied": before.get("applied")} if row.get("applied") == after.get("applied") else row


def _forget_created(work: Work, story: Story, inverse: Inverse) -> None:
    """What is going to go is gone, and names nobody: so no run links it again, and none takes it for a deletion."""
    store = work.c.store
    by_place: dict[tuple[Side, str], list[str]] = {}
    for one in inverse.taking_back:
        if not one.gone:
            by_place.setdefault((one.side, one.object), []).append(one.record_id)
    for (side, object_), ids in by_place.items():
        store.records.forget_partner(side, object_, ids)
        store.records.mark_gone(side, object_, ids)
        pair = story.pairs[object_]
        for link in store.links.by_ids(pair.name, side, ids).values():
            # By now another link may have it: one that a run made which came between two tries at undoing.
            store.images.put_link(link.id, None)
            for key in store.images.edges_at(link.id):
                store.images.put_edge(key, None)


def _make_due(work: Work, story: Story, touched: Iterable[int]) -> None:
    """Both records of every link that was touched, as it was and as it is, are to be looked at by the next run."""
    store = work.c.store
    by_name = {pair.name: pair for pair in story.pairs.values()}
    numbers = set(touched)
    known = [one for id_, one in story.links.items() if id_ in numbers]
    rows = [row for past in known for row in (past.before, past.after, past.now) if row]
    ids = {(str(row["pair"]), side, row[f"{side.value}_id"]) for row in rows for side in Side}
    ids |= {(one.pair, side, one.id_of(side)) for one in store.links.load(numbers).values() for side in Side}
    going: dict[tuple[str, Side], list[str]] = {}
    for name, side, id_ in ids:
        if id_ and name in by_name:
            going.setdefault((name, side), []).append(str(id_))
    for (name, side), some in going.items():
        object_ = by_name[name].object(side)
        here = store.records.load(side, object_, some)
        due = [one.id for one in here.values() if one.present or _was_deleted_in_salesforce(one)]
        store.records.mark(side, object_, due)


def _was_deleted_in_salesforce(record: Record) -> bool:
    """A deletion that has still to travel (D1); what an undo takes back names nobody any more."""
    return record.side is Side.SALESFORCE and record.presence is Presence.DELETED


# --- holds ------------------------------------------------------------------------------------------------


def find_holds(story: Story, inverse: Inverse) -> dict[Place, dict[str, Value]]:
    """What is not to be written again. What was deleted is held once it is there anew (`hold_deletion`)."""
    found: dict[Place, dict[str, Value]] = {}
    for one in inverse.restorings:
        found.setdefault(Place("update", one.side, one.object, one.record_id), {}).update(one.wrote)
    for taken in inverse.taking_back:
        source = None if taken.gone else _source_of(story, taken.link_id, taken.key)
        if source:
            found[Place("create", taken.side, taken.object, source)] = dict(taken.values)
    for role in inverse.roles:
        found.setdefault(_place_of(role), {}).update(_held_role(role))
    return found


def _source_of(story: Story, link_id: int | None, key: Key) -> str | None:
    """The record that a created one was made for."""
    past = story.links.get(link_id or 0)
    for row in (past.after, past.now, past.before) if past else ():
        if row is not None and row[f"{key[0].other.value}_id"]:
            return str(row[f"{key[0].other.value}_id"])
    return None


def _place_of(role: RoleBack) -> Place:
    object_ = "OpportunityContactRole" if role.side is Side.SALESFORCE else "deals"
    return Place(_ROLE_VERBS[role.verb], role.side, object_, f"{role.deal}/{role.contact}")


def _held_role(role: RoleBack) -> Mapping[str, Value]:
    if role.verb == "name":
        return role.wrote
    return {CONTACT: role.contact if role.verb == "part" else None}


def hold_derived(work: Work, story: Story, root: int) -> None:
    """What would be derived now, from deals some of whose changes are held and others not, is held as well.

    Of the records that the run wrote to only, and until something else comes of their deals.
    """
    written = {(one.side, one.object, one.record_id) for one in story.entries if one.record_id}
    listener = _Listener()
    with work.c.store.pretending():
        pretended = replace(work, hands=PretendedHands(work.c.salesforce, work.c.hubspot), gates=(listener,))
        derive(replace(pretended, report=Report()), list(work.c.pairs))
    found = {
        Place("update", one.side, one.object, one.record): {change.field: change.new for change in one.changes}
        for one in listener.writes
        if one.record and (one.side, one.object, one.record) in written
    }
    with work.c.store.transaction():
        work.c.store.holds.hold(root, found)


class _Listener:
    """A gate that hears of everything and lets nothing pass."""

    keeps_due = False

    def __init__(self) -> None:
        self.writes: list[Written] = []

    def admit(self, write: Written) -> frozenset[str]:
        self.writes.append(write)
        return frozenset()

    def note(self, write: Written) -> None:
        raise AssertionError(write)  # nothing passes, so nothing is written


def hold_deletion(work: Work, root: int, side: Side, object_: str, new_id: str) -> None:
    """A record that was made anew is not deleted again."""
    work.c.store.holds.hold(root, {Place("delete", side, object_, new_id): {"": None}})
