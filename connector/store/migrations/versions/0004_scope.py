"""Which records are out of scope: nothing was, before there were scope filters."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("record", sa.Column("out_of_scope", sa.Boolean(), nullable=True))
