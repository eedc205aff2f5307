"""items sent down, their receipts, and items of the portal"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply: empty tables; what is counted of airings fills itself from the air log."""
    op.create_table(
        "airing_mark",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("station", name=op.f("pk_airing_mark")),
    )
    op.create_table(
        "duty_now",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("duty", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("deadline", UtcDateTime(), nullable=False),
        sa.Column("looked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("station", "duty", "period", name=op.f("pk_duty_now")),
    )
    op.create_index(op.f("ix_duty_now_period_duty_now_station"), "duty_now", ["period", "station"], unique=False)
    op.create_table(
        "topic_airing",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("rehearsal", sa.Boolean(), nullable=False),
        sa.Column("airings", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("station", "month", "topic", "rehearsal", name=op.f("pk_topic_airing")),
    )
    op.create_index(op.f("ix_topic_airing_month_topic_airing_topic"), "topic_airing", ["month", "topic"], unique=False)
    op.create_table(
        "portal_target",
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_portal_target_owner_unit")),
        sa.PrimaryKeyConstraint("owner", "year", name=op.f("pk_portal_target")),
    )
    op.create_table(
        "portal_feed",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(length=16), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.Column("fetched_at", UtcDateTime(), nullable=True),
        sa.Column("trouble", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_portal_feed_added_by_person")),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_portal_feed_owner_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_feed")),
    )
    op.create_index(op.f("ix_portal_feed_owner"), "portal_feed", ["owner"], unique=False)
    op.create_table(
        "dispatch",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("must", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.String(length=20), nullable=False),
        sa.Column("deadline", UtcDateTime(), nullable=False),
        sa.Column("document", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sent_by", sa.String(length=16), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("recalled_by", sa.String(length=16), nullable=True),
        sa.Column("recalled_at", UtcDateTime(), nullable=True),
        sa.Column("recall_reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_dispatch_owner_unit")),
        sa.ForeignKeyConstraint(["recalled_by"], ["person.id"], name=op.f("fk_dispatch_recalled_by_person")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_dispatch_segment_segment")),
        sa.ForeignKeyConstraint(["sent_by"], ["person.id"], name=op.f("fk_dispatch_sent_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
    )
    op.create_index(op.f("ix_dispatch_deadline"), "dispatch", ["deadline"], unique=False)
    op.create_index(
        op.f("ix_dispatch_owner_dispatch_sent_at_dispatch_id"), "dispatch", ["owner", "sent_at", "id"], unique=False
    )
    op.create_index(op.f("ix_dispatch_segment"), "dispatch", ["segment"], unique=False)
    op.create_table(
        "portal_item",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("published", sa.Date(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("place", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=20000), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("feed", sa.String(length=16), nullable=True),
        sa.Column("guid", sa.String(length=64), nullable=True),
        sa.Column("segment", sa.String(length=16), nullable=True),
        sa.Column("added_by", sa.String(length=16), nullable=True),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=16), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_portal_item_added_by_person")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_portal_item_decided_by_person")),
        sa.ForeignKeyConstraint(["feed"], ["portal_feed.id"], name=op.f("fk_portal_item_feed_portal_feed")),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_portal_item_owner_unit")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_portal_item_segment_segment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_item")),
    )
    op.create_index(
        op.f("ix_portal_item_owner_portal_item_state_portal_item_published"),
        "portal_item",
        ["owner", "state", "published"],
        unique=False,
    )
    op.create_index("uq_portal_item_guid", "portal_item", ["owner", "guid"], unique=True)
    op.create_table(
        "dispatch_station",
        sa.Column("dispatch", sa.String(length=16), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("received_by", sa.String(length=16), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=True),
        sa.Column("copy", sa.String(length=16), nullable=True),
        sa.Column("wanted_until", UtcDateTime(), nullable=True),
        sa.Column("used_by", sa.String(length=16), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("declined_by", sa.String(length=16), nullable=True),
        sa.Column("declined_at", UtcDateTime(), nullable=True),
        sa.Column("decline_reason", sa.String(length=500), nullable=False),
        sa.Column("released_by", sa.String(length=16), nullable=True),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.Column("loaded_at", UtcDateTime(), nullable=True),
        sa.Column("planned_slot", sa.String(length=200), nullable=False),
        sa.Column("planned_start", UtcDateTime(), nullable=True),
        sa.Column("looked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["copy"], ["segment.id"], name=op.f("fk_dispatch_station_copy_segment")),
        sa.ForeignKeyConstraint(["declined_by"], ["person.id"], name=op.f("fk_dispatch_station_declined_by_person")),
        sa.ForeignKeyConstraint(["dispatch"], ["dispatch.id"], name=op.f("fk_dispatch_station_dispatch_dispatch")),
        sa.ForeignKeyConstraint(["used_by"], ["person.id"], name=op.f("fk_dispatch_station_used_by_person")),
        sa.ForeignKeyConstraint(["received_by"], ["person.id"], name=op.f("fk_dispatch_station_received_by_person")),
        sa.ForeignKeyConstraint(["released_by"], ["person.id"], name=op.f("fk_dispatch_station_released_by_person")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_dispatch_station_station_station")),
        sa.PrimaryKeyConstraint("dispatch", "station", name=op.f("pk_dispatch_station")),
    )
    op.create_index(op.f("ix_dispatch_station_copy"), "dispatch_station", ["copy"], unique=False)
    op.create_index(
        op.f("ix_dispatch_station_station_dispatch_station_dispatch"),
        "dispatch_station",
        ["station", "dispatch"],
        unique=False,
    )


def downgrade() -> None:
    """Take back: what was sent and what the portal held is lost."""
    op.drop_index(op.f("ix_dispatch_station_station_dispatch_station_dispatch"), table_name="dispatch_station")
    op.drop_index(op.f("ix_dispatch_station_copy"), table_name="dispatch_station")
    op.drop_table("dispatch_station")
    op.drop_index("uq_portal_item_guid", table_name="portal_item")
    op.drop_index(op.f("ix_portal_item_owner_portal_item_state_portal_item_published"), table_name="portal_item")
    op.drop_table("portal_item")
    op.drop_index(op.f("ix_dispatch_segment"), table_name="dispatch")
    op.drop_index(op.f("ix_dispatch_owner_dispatch_sent_at_dispatch_id"), table_name="dispatch")
    op.drop_index(op.f("ix_dispatch_deadline"), table_name="dispatch")
    op.drop_table("dispatch")
    op.drop_index(op.f("ix_portal_feed_owner"), table_name="portal_feed")
    op.drop_table("portal_feed")
    op.drop_table("portal_target")
    op.drop_index(op.f("ix_topic_airing_month_topic_airing_topic"), table_name="topic_airing")
    op.drop_table("topic_airing")
    op.drop_index(op.f("ix_duty_now_period_duty_now_station"), table_name="duty_now")
    op.drop_table("duty_now")
    op.drop_table("airing_mark")
