"""What runs can be taken back by: what kind a run is, how links were before it, and what is held after an undo.

The runs before were all syncs. Of links they kept no images, so they cannot be undone to the last.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("run", sa.Column("kind", sa.String(20), nullable=False, server_default="sync"))
    op.add_column("run", sa.Column("of_run", sa.Integer(), nullable=True))
    op.add_column("journal", sa.Column("made", sa.String(40), nullable=True))
    op.create_table(
        "image",
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connection.id"), nullable=False),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("table", sa.String(10), nullable=False),
        sa.Column("key", sa.String(60), nullable=False),
        sa.Column("row", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", "run_id", "table", "key", name="pk_image"),
    )
    op.create_index("ix_image_key", "image", ["connection_id", "table", "key", "run_id"])
    op.create_table(
        "held",
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connection.id"), nullable=False),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("verb", sa.String(20), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("object", sa.String(80), nullable=False),
        sa.Column("record", sa.String(90), nullable=False),
        sa.Column("field", sa.String(200), nullable=False),
        sa.Column("new", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "connection_id", "run_id", "verb", "side", "object", "record", "field", name="pk_held"
        ),
    )
    op.create_index("ix_held_record", "held", ["connection_id", "side", "object", "record"])
