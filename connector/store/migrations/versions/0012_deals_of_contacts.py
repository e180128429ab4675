"""On which deals a contact is, without reading all of them."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index("ix_association_contact", "association", ["connection_id", "contact_id"])
