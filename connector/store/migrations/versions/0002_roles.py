"""What both sides agreed on of a role: which records, and under which names (R3, R4)."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("role", sa.Column("name", sa.String(length=255), nullable=True))
    op.add_column("role", sa.Column("is_primary", sa.Boolean(), nullable=True))
    op.add_column("association", sa.Column("labels", sa.Text(), nullable=True))
    op.add_column("edge", sa.Column("agreed", sa.Text(), nullable=True))
    _note_who_agreed()
    # Names of roles were never read: the next look reads all roles once more.
    op.execute("DELETE FROM cursor WHERE stream = 'salesforce/OpportunityContactRole'")


def _note_who_agreed() -> None:
    """The roles there are were agreed on by the records that are linked now."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT e.connection_id, e.child, e.parent, d.salesforce_id AS opportunity, d.hubspot_id AS deal,"
            " c.salesforce_id AS here, c.hubspot_id AS there FROM edge e"
            " JOIN link d ON d.id = e.child JOIN link c ON c.id = e.parent WHERE e.kind = 'role'"
        )
    ).fetchall()
    for row in rows:
        agreed = {"salesforce": [row.opportunity, row.here], "hubspot": [row.deal, row.there]}
        connection.execute(
            sa.text(
                "UPDATE edge SET agreed = :agreed"
                " WHERE connection_id = :connection AND kind = 'role' AND child = :child AND parent = :parent"
            ),
            {
                "agreed": json.dumps(agreed),
                "connection": row.connection_id,
                "child": row.child,
                "parent": row.parent,
            },
        )
