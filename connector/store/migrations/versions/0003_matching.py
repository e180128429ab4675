"""Several match keys of a record, in a table of their own (A2); and into whom a record was merged (A7).

The next run reads the keys anew from the fields that are known.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "record_key",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=320), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_record_key_connection_id")),
        sa.PrimaryKeyConstraint(
            "connection_id", "side", "object", "name", "value", "record_id", name=op.f("pk_record_key")
        ),
    )
    op.create_index("ix_record_key_record", "record_key", ["connection_id", "side", "object", "record_id"])
    op.add_column("record", sa.Column("survivor", sa.String(length=40), nullable=True))
    op.drop_index("ix_record_match_key", table_name="record")
    op.drop_column("record", "match_key")
    op.create_index("ix_record_survivor", "record", ["connection_id", "side", "object", "survivor"])
