"""emergency orders, the templates prepared for them, how each station stands, and what a token may do beyond reading"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply: nothing was ordered before."""
    op.create_table(
        "emergency_template",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("urgency", sa.String(length=20), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("tone_s", sa.Float(), nullable=False),
        sa.Column("gap_s", sa.Float(), nullable=False),
        sa.Column("prepared_by", sa.String(length=16), nullable=False),
        sa.Column("prepared_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=16), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("retired_by", sa.String(length=16), nullable=True),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_emergency_template_owner_unit")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_emergency_template_segment_segment")),
        sa.ForeignKeyConstraint(["prepared_by"], ["person.id"], name=op.f("fk_emergency_template_prepared_by_person")),
        sa.ForeignKeyConstraint(["approved_by"], ["person.id"], name=op.f("fk_emergency_template_approved_by_person")),
        sa.ForeignKeyConstraint(["retired_by"], ["person.id"], name=op.f("fk_emergency_template_retired_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_template")),
    )
    op.create_table(
        "emergency",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("stations", sa.JSON(), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pcm_sha256", sa.String(length=64), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.String(length=20), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("tone_s", sa.Float(), nullable=False),
        sa.Column("gap_s", sa.Float(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("template", sa.String(length=16), nullable=True),
        sa.Column("basis", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("ordered_by", sa.String(length=16), nullable=False),
        sa.Column("ordered_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=16), nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("stopped_by", sa.String(length=16), nullable=True),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("stop_reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_emergency_segment_segment")),
        sa.ForeignKeyConstraint(
            ["template"], ["emergency_template.id"], name=op.f("fk_emergency_template_emergency_template")
        ),
        sa.ForeignKeyConstraint(["ordered_by"], ["person.id"], name=op.f("fk_emergency_ordered_by_person")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.id"], name=op.f("fk_emergency_confirmed_by_person")),
        sa.ForeignKeyConstraint(["stopped_by"], ["person.id"], name=op.f("fk_emergency_stopped_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency")),
    )
    op.create_index(op.f("ix_emergency_state_emergency_expires_at"), "emergency", ["state", "expires_at"])
    op.create_index(op.f("ix_emergency_ordered_by_emergency_ordered_at"), "emergency", ["ordered_by", "ordered_at"])
    op.create_table(
        "emergency_station",
        sa.Column("emergency", sa.String(length=16), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("said", sa.Integer(), nullable=False),
        sa.Column("why_vi", sa.String(length=2000), nullable=False),
        sa.Column("why_en", sa.String(length=2000), nullable=False),
        sa.Column("stop_document", sa.LargeBinary(), nullable=True),
        sa.Column("stop_taken", sa.Boolean(), nullable=False),
        sa.Column("stopped_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["stopped_by"], ["person.id"], name=op.f("fk_emergency_station_stopped_by_person")),
        sa.ForeignKeyConstraint(["emergency"], ["emergency.id"], name=op.f("fk_emergency_station_emergency_emergency")),
        sa.PrimaryKeyConstraint("emergency", "station", name=op.f("pk_emergency_station")),
    )
    # The version before writes no scopes: its tokens order no emergencies.
    op.add_column("token", sa.Column("scopes", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    """Take back."""
    op.drop_column("token", "scopes")
    op.drop_table("emergency_station")
    op.drop_index(op.f("ix_emergency_ordered_by_emergency_ordered_at"), table_name="emergency")
    op.drop_index(op.f("ix_emergency_state_emergency_expires_at"), table_name="emergency")
    op.drop_table("emergency")
    op.drop_table("emergency_template")
