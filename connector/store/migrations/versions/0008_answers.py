"""What answers need: by what a pair was found, which writes settled a conflict, and what a person decided.

Of pairs that were linked before, it is not known by what they were found.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("link", sa.Column("matched_on", sa.String(length=20), nullable=True))
    op.add_column("problem", sa.Column("ignored", sa.Text(), nullable=True))
    op.add_column("journal", sa.Column("conflict", sa.Boolean(), nullable=False, server_default=sa.false()))
    _find_conflicts()
    op.create_index(
        "ix_journal_conflict",
        "journal",
        ["connection_id", "id"],
        sqlite_where=sa.text("conflict"),
        postgresql_where=sa.text("conflict"),
    )
    op.create_index("ix_journal_link", "journal", ["connection_id", "link_id"])
    op.create_table(
        "choice",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_choice_connection_id")),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_choice_link_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_choice_run_id")),
        sa.PrimaryKeyConstraint("connection_id", "link_id", "field", name=op.f("pk_choice")),
    )


def _find_conflicts() -> None:
    """The last entry of a change says whether it was one: `[field, old, new, rule, cause, conflict]`."""
    op.execute("UPDATE journal SET conflict = (1 = 1) WHERE changes LIKE '%,true]%'")
