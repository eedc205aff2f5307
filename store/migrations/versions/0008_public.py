"""contributors, their links and what they send, and what is public"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply: three empty tables."""
    op.create_table(
        "outside_link",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("cluster", sa.String(length=40), nullable=False),
        sa.Column("village", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=16), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_outside_link_created_by_person")),
        sa.ForeignKeyConstraint(["revoked_by"], ["person.id"], name=op.f("fk_outside_link_revoked_by_person")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_outside_link_station_station")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_outside_link_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_link")),
        sa.UniqueConstraint("hash", name=op.f("uq_outside_link_hash")),
    )
    op.create_index(
        op.f("ix_outside_link_unit_outside_link_created_at_outside_link_id"),
        "outside_link",
        ["unit", "created_at", "id"],
    )
    op.create_table(
        "contribution",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("link", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("village", sa.String(length=200), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=5000), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("credited", sa.Boolean(), nullable=False),
        sa.Column("picture", sa.String(length=64), nullable=True),
        sa.Column("had_picture", sa.Boolean(), nullable=False),
        sa.Column("voice", sa.String(length=20), nullable=False),
        sa.Column("voice_sha256", sa.String(length=64), nullable=True),
        sa.Column("voice_samples", sa.Integer(), nullable=False),
        sa.Column("voice_tries", sa.Integer(), nullable=False),
        sa.Column("voice_why_vi", sa.String(length=2000), nullable=False),
        sa.Column("voice_why_en", sa.String(length=2000), nullable=False),
        sa.Column("answer", sa.String(length=1000), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=16), nullable=True),
        sa.Column("segment", sa.String(length=16), nullable=True),
        sa.Column("script", sa.String(length=16), nullable=True),
        sa.Column("forgotten_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_contribution_decided_by_person")),
        sa.ForeignKeyConstraint(["link"], ["outside_link.id"], name=op.f("fk_contribution_link_outside_link")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_contribution_segment_segment")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_contribution_station_station")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_contribution_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contribution")),
    )
    op.create_index(
        op.f("ix_contribution_forgotten_at_contribution_decided_at"), "contribution", ["forgotten_at", "decided_at"]
    )
    op.create_index("ix_contribution_arrival", "contribution", ["station", "received_at", "id"])
    op.create_index(op.f("ix_contribution_link_contribution_received_at"), "contribution", ["link", "received_at"])
    op.create_index(op.f("ix_contribution_picture"), "contribution", ["picture"])
    op.create_index(op.f("ix_contribution_unit_contribution_state"), "contribution", ["unit", "state"])
    op.create_index(op.f("ix_contribution_voice"), "contribution", ["voice"])
    op.create_table(
        "publication",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("published_by", sa.String(length=16), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=16), nullable=True),
        sa.Column("media_bytes", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["published_by"], ["person.id"], name=op.f("fk_publication_published_by_person")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_publication_segment_segment")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_publication_station_station")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["person.id"], name=op.f("fk_publication_withdrawn_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("station", "segment", name=op.f("uq_publication_station_segment")),
    )
    op.create_index(op.f("ix_publication_segment"), "publication", ["segment"])
    op.create_index(op.f("ix_publication_station_publication_published_at"), "publication", ["station", "published_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("publication")
    op.drop_table("contribution")
    op.drop_table("outside_link")
