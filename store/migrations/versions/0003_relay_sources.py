"""the list of sources that sessions may relay"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply: an empty list; nothing could be relayed before."""
    op.create_table(
        "relay_source",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=1000), nullable=False),
        sa.Column("hosts", sa.JSON(), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_relay_source")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("relay_source")
