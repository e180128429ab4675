"""What is in a store, all of it? Row by row, for programs that are not this one.

All connections, every table, each ordered by its key: equal stores give equal exports. It is one snapshot, also
while a run writes, and never more than some rows of it are held.

The keys by which former values are hidden are left out: without them nobody can try out guesses (G3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, select

from connector.store.database import KEY, load, read_only
from connector.store.migrate import revision_of
from connector.store.schema import JSON, cursor, metadata

ROWS = 1000
REVISION = "revision"
"""The table, so to speak, that comes first: its one row says which schema the others are of."""


def read_all(engine: Engine) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of every table, as (table, values by column); what is stored as JSON is given as what it says."""
    with read_only(engine) as connection:
        if engine.dialect.name == "postgresql":  # elsewhere a transaction is a snapshot anyway
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield REVISION, {"revision": revision_of(connection)}
        for table in metadata.sorted_tables:
            told = {column.name for column in table.columns if column.info == JSON}
            statement = select(table).order_by(*table.primary_key.columns)
            if table is cursor:
                statement = statement.where(cursor.c.stream != KEY)
            for row in connection.execute(statement.execution_options(yield_per=ROWS)).mappings():
                yield table.name, {name: load(value) if name in told else value for name, value in row.items()}
