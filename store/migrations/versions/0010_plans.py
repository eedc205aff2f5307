"""schedules that are edited and not yet published"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "grid_draft",
        sa.Column("person", sa.String(16), nullable=False),
        sa.Column("station", sa.String(40), nullable=False),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("base_revision", sa.Integer(), nullable=False),
        sa.Column("base_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("dropped", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_grid_draft_person_person"),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name="fk_grid_draft_station_station"),
        sa.PrimaryKeyConstraint("person", "station", name="pk_grid_draft"),
    )
    op.create_index("ix_grid_draft_station", "grid_draft", ["station"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_grid_draft_station", table_name="grid_draft")
    op.drop_table("grid_draft")
