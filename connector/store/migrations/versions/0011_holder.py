"""Which process holds the lease: of one that was taken before this, nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("lease", sa.Column("taken", sa.String(40), nullable=True))
    op.add_column("lease", sa.Column("host", sa.String(255), nullable=True))
    op.add_column("lease", sa.Column("pid", sa.Integer(), nullable=True))
    op.add_column("lease", sa.Column("place", sa.String(80), nullable=True))
    op.add_column("lease", sa.Column("tick", sa.String(20), nullable=True))
