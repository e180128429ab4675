"""Links, their bases, and the edges between them.

An edge joins two links that belong together, as both sides agreed: a deal and its contacts (`role`), a deal
and its company, a contact and its company. What is derived from deals is computed along edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, delete, func, insert, select, update

from connector.core.lifecycle import Move, Status
from connector.core.model import Base, Link, LinkState, Side
from connector.core.roles import Agreement
from connector.store.database import CHUNK, Database, chunks, dump, load
from connector.store.images import LOAD_LINKS, Images
from connector.store.runs import ENDED
from connector.store.schema import edge, link, record, run

ROLE, DEAL_COMPANY, CONTACT_COMPANY = "role", "deal_company", "contact_company"
LIVE_STATES = frozenset({LinkState.LINKED, LinkState.FROZEN})
_COLUMN = {Side.SALESFORCE: link.c.salesforce_id, Side.HUBSPOT: link.c.hubspot_id}
_IS_NOTHING = and_(link.c.salesforce_id.is_(None), link.c.hubspot_id.is_(None))
"""What is left of a link that an undo unmade."""

# What a run says for every window, again and again, is built once: that takes longer than to run it.
_OF = and_(link.c.connection_id == bindparam("mine"), link.c.pair == bindparam("of"))
_IS_LINKED = link.c.state == LinkState.LINKED.value
_BY_ID = {
    side: select(link).where(_OF, column.in_(bindparam("keys", expanding=True))) for side, column in _COLUMN.items()
}
_TO_DERIVE = (
    select(link)
    .where(_OF, link.c.derive, _IS_LINKED, link.c.id > bindparam("after"))
    .order_by(link.c.id)
    .limit(bindparam("most"))
)
_PARENTS = select(edge.c.parent).where(
    edge.c.connection_id == bindparam("mine"), edge.c.child.in_(bindparam("keys", expanding=True))
)
_DERIVE_PARENTS = update(link).where(link.c.id.in_(_PARENTS), _IS_LINKED).values(derive=True)
_SETTLE = (
    update(link)
    .where(link.c.id == bindparam("key"))
    .values(base_salesforce=bindparam("here"), base_hubspot=bindparam("there"))
)


@dataclass(frozen=True, slots=True)
class Completion:
    """A pending link whose partner is there. `base` replaces the noted one, unless None."""

    link_id: int
    new_id: str
    base: Base | None


@dataclass(frozen=True, slots=True)
class LinkedDeal:
    """A deal along an edge: its link, both records' fields, and what the lifecycle last applied for it."""

    link: Link
    salesforce_created: str
    hubspot_created: str
    hubspot_fields: Mapping[str, Any]
    with_creation: bool
    applied: Status | None


class Links:
    """Links and edges of one connection."""

    def __init__(self, database: Database, images: Images) -> None:
        self._db = database
        self._images = images

    # --- reading ---

    def by_ids(self, pair: str, side: Side, ids: Iterable[str]) -> dict[str, Link]:
        """Links by the id of one side's record, whatever their state."""
        found: dict[str, Link] = {}
        for some in chunks(ids):
            rows = self._db.fetch(_BY_ID[side], {"mine": self._db.connection_id, "of": pair, "keys": some})
            found |= {getattr(row, f"{side.value}_id"): _link(row) for row in rows}
        return found

    def load(self, ids: Iterable[int]) -> dict[int, Link]:
        found: dict[int, Link] = {}
        for some in chunks(str(one) for one in ids):
            rows = self._db.fetch(LOAD_LINKS, {"keys": [int(one) for one in some]})
            found |= {row.id: _link(row) for row in rows}
        return found

    def count(self, pair: str) -> int:
        """Live links of a pair."""
        live = link.c.state == LinkState.LINKED.value
        return int(self._db.fetch(select(func.count()).where(self._of(pair), live))[0][0])

    def count_by_state(self) -> dict[str, dict[str, int]]:
        rows = self._db.fetch(
            select(link.c.pair, link.c.state, func.count().label("number"))
            .where(link.c.connection_id == self._db.connection_id, ~_IS_NOTHING)
            .group_by(link.c.pair, link.c.state)
        )
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row.pair, {})[row.state] = row.number
        return found

    def pending_deletions(self, pair: str, side: Side, object_: str) -> list[str]:
        """Records of `side` that were deleted, whose link is live and was not dealt with since (D7); by id."""
        gone = select(record.c.id).where(
            record.c.connection_id == self._db.connection_id,
            record.c.side == side.value,
            record.c.object == object_,
            record.c.dirty,
            record.c.presence == "deleted",
        )
        live, mine = link.c.state == LinkState.LINKED.value, _COLUMN[side]
        rows = self._db.fetch(select(mine.label("id")).where(self._of(pair), live, mine.in_(gone)).order_by(mine))
        return [row.id for row in rows]

    # --- writing ---

    def begin(self, pair: str, side: Side, bases: Mapping[str, Base]) -> dict[str, int]:
        """Note creations that are about to be tried, by source id; returns link ids.

        A link that is pending already keeps the base of its first try: if that try did get through, it is
        what both sides looked like. Whom a record belonged to that an undo could not make anew says nothing of the
        one that is made now.
        """
        known = self.by_ids(pair, side, bases)
        new = {source: base for source, base in bases.items() if source not in known}
        self._db.execute(
            insert(link),
            [
                {
                    "connection_id": self._db.connection_id,
                    "pair": pair,
                    "salesforce_id": source if side is Side.SALESFORCE else None,
                    "hubspot_id": source if side is Side.HUBSPOT else None,
                    "state": LinkState.PENDING.value,
                    "born": side.value,
                    "base_salesforce": dump(dict(base.salesforce)),
                    "base_hubspot": dump(dict(base.hubspot)),
                    "derive": False,
                }
                for source, base in new.items()
            ],
        )
        for source, before in known.items():
            if before.state is not LinkState.PENDING:
                # A pair that ended and begins anew (its record was restored): the old partner is gone.
                self._reset(before.id, side, bases[source])
            else:
                self.derive_parents([before.id])
                self._forget_parents(before.id)
        ids = {source: one.id for source, one in known.items()}
        made = {source: one.id for source, one in self.by_ids(pair, side, new).items()}
        self._images.keep_new_links(made.values())
        return ids | made

    def _reset(self, link_id: int, side: Side, base: Base) -> None:
        values: dict[str, Any] = {
            f"{side.other.value}_id": None,
            "state": LinkState.PENDING.value,
            "born": side.value,
            "base_salesforce": dump(dict(base.salesforce)),
            "base_hubspot": dump(dict(base.hubspot)),
        }
        self._images.keep_links([link_id])
        self._db.execute(update(link).where(link.c.id == link_id).values(values))
        # To whom the old partner belonged says nothing of the new one.
        self._forget_parents(link_id)
        if side is Side.SALESFORCE:
            self._forget_applied(link_id)

    def _forget_parents(self, link_id: int) -> None:
        own = and_(edge.c.connection_id == self._db.connection_id, edge.c.child == link_id)
        self._images.keep_edges(own)
        self._db.execute(delete(edge).where(own))

    def _forget_applied(self, link_id: int) -> None:
        """Another HubSpot record is the partner now: to that one no deal has done anything yet (L7)."""
        mine = and_(edge.c.connection_id == self._db.connection_id, edge.c.parent == link_id)
        self._images.keep_edges(edge.c.parent == link_id)
        self._images.keep_links([link_id])
        self._db.execute(update(edge).where(mine).values(applied=None, with_creation=False))
        self._db.execute(update(link).where(link.c.id == link_id).values(company_applied=None))

    def complete(
        self, pair: str, side: Side, made: Sequence[Completion], run_id: int, matched_on: str | None = None
    ) -> None:
        """Pending creations got their partners on `side`: new ones, or those that were found by a match key."""
        self._free(pair, side, {one.new_id: one.link_id for one in made})
        self._images.keep_links(one.link_id for one in made)
        column = f"{side.value}_id"
        common: dict[str, Any] = {
            column: bindparam("new_id"),
            "state": "linked",
            "linked_run": run_id,
            "matched_on": matched_on,
            "derive": True,
        }
        with_base: dict[str, Any] = {"base_salesforce": bindparam("here"), "base_hubspot": bindparam("there")}
        mine = link.c.id == bindparam("key")
        self._db.execute(
            update(link).where(mine).values(common | with_base),
            [
                {
                    "key": one.link_id,
                    "new_id": one.new_id,
                    "here": dump(dict(one.base.salesforce)),
                    "there": dump(dict(one.base.hubspot)),
                }
                for one in made
                if one.base is not None
            ],
        )
        self._db.execute(
            update(link).where(mine).values(common),
            [{"key": one.link_id, "new_id": one.new_id} for one in made if one.base is None],
        )

    def adopt(
        self, pair: str, salesforce_id: str, hubspot_id: str, born: Side, run_id: int, matched_on: str | None = None
    ) -> int:
        """Link two existing records without a base, or complete a pending link with the base noted there.

        `matched_on` says by what they were found: a match key's name, or `hand`.
        """
        known = [
            *self.by_ids(pair, Side.SALESFORCE, [salesforce_id]).values(),
            *self.by_ids(pair, Side.HUBSPOT, [hubspot_id]).values(),
        ]
        if known:
            mine = known[0]
            missing = Side.HUBSPOT if mine.salesforce_id == salesforce_id else Side.SALESFORCE
            new_id = hubspot_id if missing is Side.HUBSPOT else salesforce_id
            base = None if mine.state is LinkState.PENDING else Base()
            if missing is Side.HUBSPOT and mine.hubspot_id not in {None, hubspot_id}:
                self._forget_applied(mine.id)
            self.complete(pair, missing, [Completion(mine.id, new_id, base)], run_id, matched_on)
            if mine.state is not LinkState.PENDING and mine.id_of(missing) != new_id:
                # The pair that was linked here has ended; this one has a birth of its own (U10).
                self.note_birth(mine.id, born)
            return mine.id
        result = self._db.execute(
            insert(link).values(
                connection_id=self._db.connection_id,
                pair=pair,
                salesforce_id=salesforce_id,
                hubspot_id=hubspot_id,
                state=LinkState.LINKED.value,
                born=born.value,
                base_salesforce="{}",
                base_hubspot="{}",
                linked_run=run_id,
                matched_on=matched_on,
                derive=True,
            )
        )
        made = int(result.inserted_primary_key[0])
        self._images.keep_new_links([made])
        return made

    def note_birth(self, link_id: int, born: Side) -> None:
        """On which side the older of both records was made (U10)."""
        self._db.execute(update(link).where(link.c.id == link_id).values(born=born.value))

    def _free(self, pair: str, side: Side, owners: Mapping[str, int]) -> None:
        """No other link may hold an id that now belongs to another (`owners`: id -> link).

        What a person unlinked stays so, as only a person takes it up again.
        """
        for id_, holder in self.by_ids(pair, side, owners).items():
            if holder.id != owners[id_]:
                state = holder.state if holder.state is LinkState.UNLINKED else LinkState.CLOSED
                values: dict[str, Any] = {f"{side.value}_id": None, "state": state.value}
                self._images.keep_links([holder.id])
                self._db.execute(update(link).where(link.c.id == holder.id).values(values))

    def repoint(self, pair: str, side: Side, link_id: int, survivor: str) -> None:
        """The record of a link was merged: the link is the survivor's, with its base and its edges (A7)."""
        self._free(pair, side, {survivor: link_id})
        before = self.load([link_id])[link_id].id_of(side)
        values: dict[str, Any] = {f"{side.value}_id": survivor, "derive": True}
        self._images.keep_links([link_id])
        self._db.execute(update(link).where(link.c.id == link_id).values(values))
        self.derive_parents([link_id])
        self._rename(
            (edge.c.child == link_id) | (edge.c.parent == link_id),
            lambda both, agreed: agreed | _followed(link_id, side, before, both, agreed),
        )

    def settle(self, bases: Mapping[int, Base]) -> None:
        """Move bases: what `bases` knows is put over what was agreed before."""
        self._images.keep_links(bases)
        before = self.load(bases)
        rows = []
        for link_id, base in bases.items():
            merged = before[link_id].base.merged(base)
            rows.append(
                {
                    "key": link_id,
                    "here": dump(dict(merged.salesforce)),
                    "there": dump(dict(merged.hubspot)),
                }
            )
        self._db.execute(_SETTLE, rows)

    def forget_bases(self, fields: Mapping[int, Mapping[Side, Iterable[str]]]) -> None:
        """These fields, by link and side, never agreed: they meet for the first time again (T4)."""
        self._images.keep_links(fields)
        before = self.load(fields)
        rows = []
        for link_id, names in fields.items():
            bases = {Side.SALESFORCE: before[link_id].base.salesforce, Side.HUBSPOT: before[link_id].base.hubspot}
            gone = {side: set(names.get(side, ())) for side in Side}
            kept = {
                side: {name: value for name, value in base.items() if name not in gone[side]}
                for side, base in bases.items()
            }
            rows.append({"key": link_id, "here": dump(kept[Side.SALESFORCE]), "there": dump(kept[Side.HUBSPOT])})
        self._db.execute(_SETTLE, rows)

    def end(self, link_id: int, state: LinkState) -> None:
        """Sever or close a link; its edges no longer count, and what depended on them is derived anew."""
        self.derive_parents([link_id])
        self._images.keep_links([link_id])
        self._db.execute(update(link).where(link.c.id == link_id).values(state=state.value, derive=False))

    def take_up(self, link_id: int, run_id: int) -> None:
        """A severed pair is linked again where it was, by hand; what depends on it is derived anew (D3, U9)."""
        self._images.keep_links([link_id])
        values: dict[str, Any] = {"state": LinkState.LINKED.value, "derive": True, "matched_on": "hand"}
        self._db.execute(update(link).where(link.c.id == link_id).values(values | {"linked_run": run_id}))
        self.derive_parents([link_id])

    def freeze(self, ids: Iterable[int], *, over: bool = False) -> None:
        """Keep links still while a record is out of scope (A8), or with `over` let frozen and severed ones go on.

        A frozen link counts nowhere, so what depends on it is derived anew (U9).
        """
        before: tuple[LinkState, ...] = (LinkState.LINKED,)
        after = LinkState.FROZEN
        if over:
            before, after = (LinkState.FROZEN, LinkState.SEVERED), LinkState.LINKED
        numbers = list(ids)
        self.derive_parents(numbers)
        self._images.keep_links(numbers)
        for some in chunks(str(one) for one in numbers):
            mine = and_(link.c.id.in_([int(one) for one in some]), link.c.state.in_([one.value for one in before]))
            self._db.execute(update(link).where(mine).values(state=after.value, derive=over))

    def page(self, pair: str, after: int, limit: int = CHUNK, *, frozen_too: bool = False) -> list[Link]:
        """Live links of a pair in the order of their ids, after a given one."""
        states = [LinkState.LINKED.value, *([LinkState.FROZEN.value] if frozen_too else [])]
        live = link.c.state.in_(states)
        rows = self._db.fetch(
            select(link).where(self._of(pair), live, link.c.id > after).order_by(link.c.id).limit(limit)
        )
        return [_link(row) for row in rows]

    def end_unlinked(self, pair: str, salesforce_id: str | None, hubspot_id: str | None, born: Side) -> None:
        """Note a pair that is over before it was ever linked here (D8)."""
        for side, id_ in ((Side.SALESFORCE, salesforce_id), (Side.HUBSPOT, hubspot_id)):
            known = self.by_ids(pair, side, [id_] if id_ else [])
            if known:
                self.end(next(iter(known.values())).id, LinkState.SEVERED)
                return
        result = self._db.execute(
            insert(link).values(
                connection_id=self._db.connection_id,
                pair=pair,
                salesforce_id=salesforce_id,
                hubspot_id=hubspot_id,
                state=LinkState.SEVERED.value,
                born=born.value,
                base_salesforce="{}",
                base_hubspot="{}",
                derive=False,
            )
        )
        self._images.keep_new_links([int(result.inserted_primary_key[0])])

    def forget(self, link_id: int) -> None:
        """A pending creation did not happen and will not: nothing is linked.

        One that was to begin a pair anew leaves that pair ended, as it was: it is still the parent of others, and
        it is still known that its record was restored (D4).
        """
        pending = and_(link.c.id == link_id, link.c.state == LinkState.PENDING.value)
        anew = link.c.linked_run.is_not(None)
        self._db.execute(update(link).where(pending, anew).values(state=LinkState.CLOSED.value))
        self._db.execute(delete(link).where(pending, ~anew))

    def is_new(self, link_id: int, run_id: int) -> bool:
        """Whether a link was made in this run, or in one before it that did not come to its end."""
        ended = select(run.c.id).where(run.c.status.in_(ENDED), run.c.id >= link.c.linked_run, run.c.id < run_id)
        mine = ended.where(run.c.connection_id == self._db.connection_id).exists()
        rows = self._db.fetch(select(link.c.id).where(link.c.id == link_id, link.c.linked_run.is_not(None), ~mine))
        return bool(rows)

    def was_just_made(self, link_id: int, run_id: int) -> bool:
        """Whether a link is new as `is_new` says, and one of its records was made for it, not met."""
        made = select(link.c.id).where(link.c.id == link_id, link.c.matched_on.is_(None))
        return bool(self._db.fetch(made)) and self.is_new(link_id, run_id)

    def was_just_matched(self, link_id: int, run_id: int) -> bool:
        """Whether a link was made as `is_new` says, of records that were found to be alike."""
        met = and_(link.c.id == link_id, link.c.matched_on.not_in(["id", "hand", "collision"]))
        return bool(self._db.fetch(select(link.c.id).where(met))) and self.is_new(link_id, run_id)

    def was_made_by_hand(self, link_id: int) -> bool:
        """Whether a person linked the two, or took their link up again."""
        mine = select(link.c.id).where(link.c.id == link_id, link.c.matched_on == "hand")
        return bool(self._db.fetch(mine))

    # --- edges ---

    def join(self, kind: str, pairs: Iterable[tuple[int, int]], *, with_creation: bool) -> None:
        """Note agreed edges (child link, parent link); of a role also which records agreed on it."""
        pairs = list(pairs)
        ends = self.load(one for both in pairs for one in both) if kind == ROLE else {}
        rows = [
            {
                "connection_id": self._db.connection_id,
                "kind": kind,
                "child": child,
                "parent": parent,
                "with_creation": with_creation,
                "applied": None,
                "agreed": dump(_ends(ends[child], ends[parent])) if kind == ROLE else None,
            }
            for child, parent in pairs
        ]
        self._images.keep_edges_to_come((kind, child, parent) for child, parent in pairs)
        self._db.upsert(edge, rows, update=["agreed"])
        self.derive({parent for _, parent in pairs})
        if kind == CONTACT_COMPANY:
            self.derive({child for child, _ in pairs})

    def replace_parent(self, kind: str, child: int, parent: int | None, *, with_creation: bool) -> None:
        """The one parent of this kind that a child has (its primary company)."""
        mine = self._edges(kind, child)
        before = {row.parent for row in self._db.fetch(select(edge.c.parent).where(mine))}
        if before == ({parent} if parent is not None else set()):
            return
        self.derive(before)
        keep = edge.c.parent != (parent if parent is not None else -1)
        self._images.keep_edges(and_(mine, keep))
        self._db.execute(delete(edge).where(mine, keep))
        if parent is not None:
            self.join(kind, [(child, parent)], with_creation=with_creation)

    def part(self, kind: str, pairs: Iterable[tuple[int, int]]) -> None:
        """Forget edges (child link, parent link); what depended on them is derived anew (U6)."""
        pairs = list(pairs)
        self.derive({parent for _, parent in pairs})
        self._images.keep_edges_to_come((kind, child, parent) for child, parent in pairs)
        self._db.execute(
            delete(edge).where(
                edge.c.connection_id == self._db.connection_id,
                edge.c.kind == kind,
                edge.c.child == bindparam("deal"),
                edge.c.parent == bindparam("contact"),
            ),
            [{"deal": child, "contact": parent} for child, parent in pairs],
        )

    def agreed_roles(self, deals: Iterable[int]) -> dict[int, list[Agreement]]:
        """The contacts agreed on, by deal link."""
        rows: list[Row[Any]] = []
        for some in chunks(str(one) for one in deals):
            rows += self._db.fetch(
                select(edge.c.child, edge.c.parent, edge.c.agreed).where(
                    edge.c.connection_id == self._db.connection_id,
                    edge.c.kind == ROLE,
                    edge.c.child.in_([int(one) for one in some]),
                )
            )
        contacts = self.load({row.parent for row in rows})
        found: dict[int, list[Agreement]] = {}
        for row in rows:
            noted = load(row.agreed) or {}
            ids = {side: (one, other) for side in Side for one, other in [noted.get(side.value, (None, None))]}
            found.setdefault(row.child, []).append(Agreement(contacts[row.parent], ids, _names(noted)))
        return found

    def settle_role(self, deal: Link, contact: Link, base: Base) -> None:
        """Move what is agreed on the names of a role (R4): what `base` knows is put over what was agreed before."""
        mine = and_(self._edges(ROLE, deal.id), edge.c.parent == contact.id)
        before = next((load(row.agreed) for row in self._db.fetch(select(edge.c.agreed).where(mine))), None) or {}
        agreed = _names(before).merged(base)
        names = {"salesforce": dict(agreed.salesforce), "hubspot": dict(agreed.hubspot)}
        self._images.keep_edges(mine)
        self._db.execute(update(edge).where(mine).values(agreed=dump(_ends(deal, contact) | {"names": names})))

    def rename_ends(self, ids: Iterable[int]) -> None:
        """The records of these links are others now: what was agreed on their roles stands between the new ones."""
        for some in chunks(str(one) for one in ids):
            numbers = [int(one) for one in some]
            self._rename(
                edge.c.child.in_(numbers) | edge.c.parent.in_(numbers), lambda ends, agreed: agreed | _ends(*ends)
            )

    def _rename(
        self, which: ColumnElement[bool], rename: Callable[[tuple[Link, Link], dict[str, Any]], dict[str, Any]]
    ) -> None:
        """Change what was agreed on some roles; `rename` is given the deal's and the contact's link, and that."""
        mine = and_(edge.c.connection_id == self._db.connection_id, edge.c.kind == ROLE, which)
        self._images.keep_edges(mine)
        rows = self._db.fetch(select(edge).where(mine))
        links = self.load(one for row in rows for one in (row.child, row.parent))
        for row in rows:
            agreed = rename((links[row.child], links[row.parent]), load(row.agreed) or {})
            this = and_(mine, edge.c.child == row.child, edge.c.parent == row.parent)
            self._db.execute(update(edge).where(this).values(agreed=dump(agreed)))

    def parents_of(self, kind: str, children: Iterable[int]) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for some in chunks(str(one) for one in children):
            rows = self._db.fetch(
                select(edge.c.child, edge.c.parent).where(
                    edge.c.connection_id == self._db.connection_id,
                    edge.c.kind == kind,
                    edge.c.child.in_([int(one) for one in some]),
                )
            )
            for row in rows:
                found.setdefault(row.child, set()).add(row.parent)
        return found

    def children_of(self, kind: str, *parents: int) -> list[int]:
        rows: list[Row[Any]] = []
        for some in chunks(str(one) for one in parents):
            rows += self._db.fetch(
                select(edge.c.child).where(
                    edge.c.connection_id == self._db.connection_id,
                    edge.c.kind == kind,
                    edge.c.parent.in_([int(one) for one in some]),
                )
            )
        return [row.child for row in rows]

    def _edges(self, kind: str, child: int) -> Any:
        return and_(edge.c.connection_id == self._db.connection_id, edge.c.kind == kind, edge.c.child == child)

    # --- what is derived along edges ---

    def derive(self, ids: Iterable[int]) -> None:
        """Rollups and lifecycle of these links are to be computed."""
        for some in chunks(str(one) for one in ids):
            self._db.execute(
                update(link)
                .where(link.c.id.in_([int(one) for one in some]), link.c.state == LinkState.LINKED.value)
                .values(derive=True)
            )

    def derive_parents(self, children: Iterable[int]) -> None:
        """The same for the contacts and companies of these deals (U8)."""
        for some in chunks(str(one) for one in children):
            numbers = [int(one) for one in some]
            self._db.change(_DERIVE_PARENTS, {"mine": self._db.connection_id, "keys": numbers})

    def to_derive(self, pair: str, after: int, limit: int = CHUNK) -> list[Link]:
        given = {"mine": self._db.connection_id, "of": pair, "after": after, "most": limit}
        rows = self._db.fetch(_TO_DERIVE, given)
        return [_link(row) for row in rows]

    def derived(self, ids: Iterable[int]) -> None:
        """The derived values of these links are as they should be, and the lifecycle has acted."""
        some_ids = list(ids)
        for some in chunks(str(one) for one in some_ids):
            numbers = [int(one) for one in some]
            handed = select(link.c.id).where(link.c.id.in_(numbers), link.c.handed_on.is_not(None))
            self._images.keep_links(row.id for row in self._db.fetch(handed))
            self._db.execute(update(link).where(link.c.id.in_(numbers)).values(derive=False, handed_on=None))

    def apply(self, kind: str, statuses: Mapping[int, Mapping[int, Status]]) -> None:
        """Note the statuses that the lifecycle has acted upon: parent link -> deal link -> status."""
        self._images.keep_edges_to_come(
            (kind, child, parent) for parent, some in statuses.items() for child in some
        )
        self._db.execute(
            update(edge)
            .where(
                edge.c.connection_id == self._db.connection_id,
                edge.c.kind == kind,
                edge.c.parent == bindparam("record"),
                edge.c.child == bindparam("deal"),
            )
            .values(applied=bindparam("status")),
            [
                {"record": parent, "deal": child, "status": status.value}
                for parent, some in statuses.items()
                for child, status in some.items()
            ],
        )

    def apply_company(self, contact: int, company_id: str | None, stage: str | None) -> None:
        """Note the primary company and its stage that L5 has acted upon."""
        self._images.keep_links([contact])
        self._db.execute(update(link).where(link.c.id == contact).values(company_applied=dump([company_id, stage])))

    def company_applied(self, ids: Iterable[int]) -> dict[int, tuple[str | None, str | None]]:
        found: dict[int, tuple[str | None, str | None]] = {}
        for some in chunks(str(one) for one in ids):
            rows = self._db.fetch(
                select(link.c.id, link.c.company_applied).where(link.c.id.in_([int(one) for one in some]))
            )
            found |= {row.id: tuple(load(row.company_applied) or (None, None)) for row in rows}
        return found

    def hand_on(self, contacts: Iterable[int], moves: Sequence[Move]) -> None:
        """Give other contacts the moves of a colleague (L7 with L5)."""
        contacts = list(contacts)
        self._images.keep_links(contacts)
        for contact in contacts:
            before = self.handed_on([contact]).get(contact, [])
            known = [[one.stage, one.rule, one.cause] for one in [*before, *moves]]
            self._db.execute(update(link).where(link.c.id == contact).values(handed_on=dump(known), derive=True))

    def handed_on(self, ids: Iterable[int]) -> dict[int, list[Move]]:
        found: dict[int, list[Move]] = {}
        for some in chunks(str(one) for one in ids):
            rows = self._db.fetch(
                select(link.c.id, link.c.handed_on).where(link.c.id.in_([int(one) for one in some]))
            )
            found |= {row.id: [Move(*move) for move in load(row.handed_on) or ()] for row in rows}
        return found

    def deals_of(self, kind: str, parents: Sequence[int]) -> Iterator[tuple[int, LinkedDeal]]:
        """The live deals of contacts or companies, as (parent, deal), ordered by parent."""
        here, there = record.alias("here"), record.alias("there")
        for some in chunks(str(one) for one in parents):
            statement = (
                select(
                    edge.c.parent,
                    edge.c.with_creation,
                    edge.c.applied,
                    link,
                    here.c.created.label("salesforce_created"),
                    there.c.created.label("hubspot_created"),
                    there.c.fields.label("hubspot_fields"),
                )
                .join(link, link.c.id == edge.c.child)
                .join(here, self._seen(here, Side.SALESFORCE, "Opportunity", link.c.salesforce_id))
                .join(there, self._seen(there, Side.HUBSPOT, "deals", link.c.hubspot_id))
                .where(
                    edge.c.connection_id == self._db.connection_id,
                    edge.c.kind == kind,
                    edge.c.parent.in_([int(one) for one in some]),
                    link.c.state == LinkState.LINKED.value,
                    there.c.presence == "present",
                )
                .order_by(edge.c.parent, case((edge.c.applied.is_(None), 1), else_=0), edge.c.child)
            )
            for row in self._db.fetch(statement):
                deal = LinkedDeal(
                    link=_link(row),
                    salesforce_created=row.salesforce_created,
                    hubspot_created=row.hubspot_created,
                    hubspot_fields=load(row.hubspot_fields),
                    with_creation=row.with_creation,
                    applied=Status(row.applied) if row.applied else None,
                )
                yield row.parent, deal

    def _seen(self, table: Any, side: Side, object_: str, id_: Any) -> Any:
        return and_(
            table.c.connection_id == self._db.connection_id,
            table.c.side == side.value,
            table.c.object == object_,
            table.c.id == id_,
        )

    def _of(self, pair: str) -> Any:
        return and_(link.c.connection_id == self._db.connection_id, link.c.pair == pair)


def _ends(deal: Link, contact: Link) -> dict[str, Any]:
    return {side.value: [deal.id_of(side), contact.id_of(side)] for side in Side}


def _followed(
    merged: int, side: Side, before: str | None, links: tuple[Link, Link], agreed: Mapping[str, Any]
) -> dict[str, Any]:
    """The records of a side that agreed, with the survivor in the place of the one that was merged."""
    return {
        side.value: [
            one.id_of(side) if one.id == merged and id_ == before else id_
            for one, id_ in zip(links, agreed.get(side.value, ()), strict=False)
        ]
    }


def _names(agreed: Mapping[str, Any]) -> Base:
    names = agreed.get("names", {})
    return Base(names.get("salesforce", {}), names.get("hubspot", {}))


def _link(row: Row[Any]) -> Link:
    return Link(
        id=row.id,
        pair=row.pair,
        salesforce_id=row.salesforce_id,
        hubspot_id=row.hubspot_id,
        state=LinkState(row.state),
        born=Side(row.born),
        base=Base(load(row.base_salesforce), load(row.base_hubspot)),
    )
