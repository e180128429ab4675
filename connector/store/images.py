"""How links and edges were before a run first changed them, so that the run can be taken back (X2).

An image is kept in the same transaction as the change: a row as it was, or nothing where there was none. Only the
first one of a run counts. Whoever changes a link or an edge asks for it first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, select, update

from connector.core.hiding import reveal, without_hidden
from connector.core.inverse import Columns, Past
from connector.core.model import LinkState, Side, Value
from connector.store.database import Database, chunks, close_up, dump, load
from connector.store.schema import edge, image, link

LINK, EDGE = "link", "edge"
_LINK_COLUMNS = (
    "pair", "salesforce_id", "hubspot_id", "state", "born", "base_salesforce", "base_hubspot", "linked_run",
    "matched_on", "company_applied", "handed_on",
)  # fmt: skip
_EDGE_COLUMNS = ("with_creation", "applied", "agreed")
_BASES = ("base_salesforce", "base_hubspot")
LOAD_LINKS = select(link).where(link.c.id.in_(bindparam("keys", expanding=True)))
"""Links by their numbers. Built once: that takes longer than to run it, and it is asked before every change."""

NOTHING: Columns = {
    "salesforce_id": None, "hubspot_id": None, "state": LinkState.CLOSED.value, "base_salesforce": {},
    "base_hubspot": {}, "company_applied": None, "handed_on": None,
}  # fmt: skip

EdgeKey = tuple[str, int, int]
"""(kind, child link, parent link)"""


class Images:
    """Images of links and edges."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- keeping ---

    def keep_links(self, ids: Iterable[int]) -> None:
        """These links are about to be changed."""
        if self._db.run_id is None:
            return
        for some in chunks(str(one) for one in ids):
            rows = self._db.fetch(LOAD_LINKS, {"keys": [int(one) for one in some]})
            self._keep(LINK, {str(row.id): dump(self._close(_columns(row, _LINK_COLUMNS))) for row in rows})

    def keep_new_links(self, ids: Iterable[int]) -> None:
        """These links were just made."""
        self._keep(LINK, {str(one): None for one in ids})

    def keep_edges(self, condition: ColumnElement[bool]) -> None:
        """The edges that fulfil a condition are about to be changed."""
        if self._db.run_id is None:
            return
        rows = self._db.fetch(select(edge).where(edge.c.connection_id == self._db.connection_id, condition))
        self._keep(EDGE, {_edge_key(row): dump(_columns(row, _EDGE_COLUMNS)) for row in rows})

    def keep_edges_to_come(self, edges: Iterable[EdgeKey]) -> None:
        """These edges are about to be made, or made anew."""
        if self._db.run_id is None:
            return
        wanted = list(edges)
        found: dict[str, str | None] = {}
        for some in chunks(str(child) for _, child, _ in wanted):
            mine = and_(
                edge.c.connection_id == self._db.connection_id, edge.c.child.in_([int(one) for one in some])
            )
            rows = self._db.fetch(select(edge).where(mine))
            found |= {_edge_key(row): dump(_columns(row, _EDGE_COLUMNS)) for row in rows}
        keys = {_key(*one) for one in wanted}
        self._keep(EDGE, {key: found.get(key) for key in keys})

    def _keep(self, table: str, rows: Mapping[str, str | None]) -> None:
        if self._db.run_id is None:
            return
        common = {"connection_id": self._db.connection_id, "run_id": self._db.run_id, "table": table}
        self._db.upsert(image, [{**common, "key": key, "row": row} for key, row in rows.items()])

    # --- looking back ---

    def links_of(self, run_id: int) -> dict[int, Past]:
        """The links that a run changed, by id."""
        pasts = self._of(run_id, LINK)
        now: dict[str, Columns] = {}
        for some in chunks(pasts):
            rows = self._db.fetch(LOAD_LINKS, {"keys": [int(one) for one in some]})
            now |= {str(row.id): _columns(row, _LINK_COLUMNS) for row in rows}
        return {int(key): _of_link(self._past(one, now.get(key))) for key, one in pasts.items()}

    def edges_of(self, run_id: int) -> dict[EdgeKey, Past]:
        """The edges that a run changed."""
        pasts = self._of(run_id, EDGE)
        now: dict[str, Columns] = {}
        for some in chunks(key.split("/")[1] for key in pasts):
            mine = and_(
                edge.c.connection_id == self._db.connection_id, edge.c.child.in_([int(one) for one in some])
            )
            now |= {
                _edge_key(row): _columns(row, _EDGE_COLUMNS) for row in self._db.fetch(select(edge).where(mine))
            }
        return {_split(key): self._past(one, now.get(key)) for key, one in pasts.items()}

    def _of(self, run_id: int, table: str) -> dict[str, list[str | None]]:
        """By key: the row before a run, and the one that the next run that changed it found, if any did."""
        mine = and_(image.c.connection_id == self._db.connection_id, image.c.table == table)
        found = {row.key: [row.row] for row in self._db.fetch(select(image).where(mine, image.c.run_id == run_id))}
        for some in chunks(found):
            following = (
                select(image.c.key, func.min(image.c.run_id).label("run_id"))
                .where(mine, image.c.run_id > run_id, image.c.key.in_(some))
                .group_by(image.c.key)
                .subquery()
            )
            same = and_(image.c.key == following.c.key, image.c.run_id == following.c.run_id)
            for row in self._db.fetch(select(image).join(following, same).where(mine)):
                found[row.key].append(row.row)
        return found

    def _past(self, rows: list[str | None], now: Columns | None) -> Past:
        before, *later = (self._open(load(row)) for row in rows)
        return Past(before, later[0] if later else now, now)

    def _close(self, row: dict[str, Any]) -> dict[str, Any]:
        """A link as it is kept: former values of personal fields are hidden."""
        for side, name in zip(Side, _BASES, strict=True):
            hidden = self._db.veil.hide_base(row["pair"], side, row[name])
            row[name] = {field: close_up(value) for field, value in hidden.items()}
        return row

    def _open(self, row: Any) -> Any:
        for name in _BASES if row else ():
            if name in row:
                row[name] = {field: self._db.open_up(value) for field, value in row[name].items()}
        return row

    def _bases_of(self, link_id: int) -> dict[str, str]:
        rows = self._db.fetch(select(link.c.base_salesforce, link.c.base_hubspot).where(link.c.id == link_id))
        return {name: getattr(row, name) for row in rows for name in _BASES}

    def hide_former(self) -> Iterator[int]:
        """Hide what images hold of fields that are personal by now. Yields how many of each run were changed."""
        mine = and_(
            image.c.connection_id == self._db.connection_id, image.c.table == LINK, image.c.row.is_not(None)
        )
        for run in self._db.fetch(select(image.c.run_id).where(mine).distinct().order_by(image.c.run_id)):
            of_run = and_(mine, image.c.run_id == run.run_id)
            changed = []
            for one in self._db.fetch(select(image.c.key, image.c.row).where(of_run)):
                kept = dump(self._close(self._open(load(one.row))))
                if kept != one.row:
                    changed.append({"at": one.key, "kept": kept})
            self._db.execute(
                update(image).where(of_run, image.c.key == bindparam("at")).values(row=bindparam("kept")), changed
            )
            yield len(changed)

    # --- putting back ---

    def put_link(self, link_id: int, values: Columns | None) -> None:
        """Give a link these columns. None: it is nothing any more, but nobody else will ever have its number.

        Of a base that is hidden by now what is the same still is known; all else never agreed (G3).
        """
        self.keep_links([link_id])
        before = {name: load(one) for name, one in self._bases_of(link_id).items()}
        row = {
            name: dump(_without_unknown(one, before.get(name, {}))) if name in _BASES else one
            for name, one in (values or NOTHING).items()
        }
        self._db.execute(update(link).where(link.c.id == link_id).values(**row, derive=False))

    def put_edge(self, key: EdgeKey, values: Columns | None) -> None:
        """Make an edge what it was, or unmake it."""
        kind, child, parent = key
        self.keep_edges_to_come([key])
        row = {"connection_id": self._db.connection_id, "kind": kind, "child": child, "parent": parent}
        if values is not None:
            self._db.upsert(edge, [row | dict(values)], update=_EDGE_COLUMNS)
            return
        mine = and_(*(edge.c[name] == value for name, value in row.items()))
        self._db.execute(delete(edge).where(mine))

    def edges_at(self, link_id: int) -> list[EdgeKey]:
        """The edges that a link has now."""
        mine = edge.c.connection_id == self._db.connection_id
        rows = self._db.fetch(select(edge).where(mine, (edge.c.child == link_id) | (edge.c.parent == link_id)))
        return [(row.kind, row.child, row.parent) for row in rows]


def _of_link(past: Past) -> Past:
    """One that linked nothing, since an undo that died had got so far, was nothing."""
    ids = (past.before or {}).get("salesforce_id"), (past.before or {}).get("hubspot_id")
    return past if any(ids) else replace(past, before=None)


def _without_unknown(base: Any, known: Mapping[str, Value]) -> dict[str, Value]:
    found = {name: reveal(value, [known.get(name)]) for name, value in base.items()}
    return without_hidden(found)


def _columns(row: Row[Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: load(getattr(row, name)) if name in _BASES else getattr(row, name) for name in names}


def _key(kind: str, child: int, parent: int) -> str:
    return f"{kind}/{child}/{parent}"


def _edge_key(row: Row[Any]) -> str:
    return _key(row.kind, row.child, row.parent)


def _split(key: str) -> EdgeKey:
    kind, child, parent = key.split("/")
    return kind, int(child), int(parent)
