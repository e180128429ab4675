"""Which runs' journals are forgotten: none was before this. The index is for looking whether a run may go."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("run", sa.Column("forgotten", sa.String(40), nullable=True))
    op.create_index("ix_image_run", "image", ["run_id"])
