"""The mapping files that a run went by: no run before this noted them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "mapping",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_mapping_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "digest", name=op.f("pk_mapping")),
    )
    op.add_column("run", sa.Column("mapping", sa.String(length=64), nullable=True))
