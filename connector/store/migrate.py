"""Is the store's schema the one this program was written for? Alembic, scripts inside the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from connector.errors import BadConfiguration, Finding


def is_current(connection: Connection) -> bool:
    """Whether the schema is up to date.

    Raises:
        BadConfiguration: the store was written by a newer version of this program.
    """
    script = ScriptDirectory.from_config(_config())
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {one.revision for one in script.walk_revisions()}:
        finding = Finding("CONNECTOR_STORE_URL", 0, "was written by a newer connector", "install that version")
        raise BadConfiguration([finding])
    return current == script.get_current_head()


def is_known(revision: str) -> bool:
    """Whether a revision is this program's, or an earlier one that it can bring up to date."""
    return revision in {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}


def revision_of(connection: Connection) -> str:
    """The revision of the schema, such as `0004`."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date, unless somebody else has just done so. Raises as `is_current` does."""
    config = _config()
    config.attributes["connection"] = connection
    with connection.begin():
        if not is_current(connection):
            command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
