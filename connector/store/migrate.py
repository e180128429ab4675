"""Is the store's schema the one this program was written for? Alembic, scripts inside the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from connector.errors import BadConfiguration, Finding


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date.

    Raises:
        BadConfiguration: the store was written by a newer version of this program.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    with connection.begin():
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in {one.revision for one in script.walk_revisions()}:
            finding = Finding("CONNECTOR_STORE_URL", 0, "was written by a newer connector", "install that version")
            raise BadConfiguration([finding])
        if current != script.get_current_head():
            command.upgrade(config, "head")
