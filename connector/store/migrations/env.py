"""Runs a migration over the connection it is handed. It is never run from alembic's own command line."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
