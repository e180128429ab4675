"""Which values did a person choose for fields that both sides had edited? Kept until they are written (F2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import and_, delete, select

from connector.core.choices import Choice
from connector.core.model import Side
from connector.store.database import Database, dump, load
from connector.store.schema import choice, link


class Choices:
    """Choices of one connection: at most one for each field of a link."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def choose(self, one: Choice, run_id: int) -> None:
        """Note a choice, in place of an earlier one for the same field."""
        row = {
            "connection_id": self._db.connection_id,
            "link_id": one.link_id,
            "field": one.field,
            "side": one.side.value,
            "wanted": dump(list(one.wanted)),
            "seen": dump({side.value: list(values) for side, values in one.seen.items()}),
            "run_id": run_id,
        }
        self._db.upsert(choice, [row], update=["side", "wanted", "seen", "run_id"])

    def of_pair(self, pair: str) -> list[Choice]:
        """The choices that are still to be written, in the order of their links."""
        return self._read(link.c.pair == pair)

    def of_link(self, link_id: int) -> list[Choice]:
        """Those of one link."""
        return self._read(link.c.id == link_id)

    def forget(self, some: Iterable[Choice]) -> None:
        """They are written, or are no longer about what both sides hold."""
        for one in some:
            mine = and_(choice.c.link_id == one.link_id, choice.c.field == one.field)
            self._db.execute(delete(choice).where(choice.c.connection_id == self._db.connection_id, mine))

    def _read(self, condition: Any) -> list[Choice]:
        rows = self._db.fetch(
            select(choice)
            .join(link, link.c.id == choice.c.link_id)
            .where(choice.c.connection_id == self._db.connection_id, condition)
            .order_by(choice.c.link_id, choice.c.field)
        )
        return [
            Choice(
                link_id=row.link_id,
                field=row.field,
                side=Side(row.side),
                wanted=tuple(load(row.wanted)),
                seen={Side(side): tuple(values) for side, values in load(row.seen).items()},
                run=row.run_id,
            )
            for row in rows
        ]
