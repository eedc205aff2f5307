"""texts that become sound, templates, comments, guidance"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply: empty tables."""
    op.create_table(
        "script",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=True),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=True),
        sa.Column("engine", sa.String(length=20), nullable=False),
        sa.Column("voice", sa.String(length=40), nullable=False),
        sa.Column("pace", sa.String(length=20), nullable=False),
        sa.Column("spoken", sa.Boolean(), nullable=False),
        sa.Column("airs_at", UtcDateTime(), nullable=True),
        sa.Column("airs_on", sa.String(length=40), nullable=True),
        sa.Column("created_by", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=16), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_script_owner_unit")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_script_station_station")),
        sa.ForeignKeyConstraint(["programme"], ["programme.code"], name=op.f("fk_script_programme_programme")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_script_segment_segment")),
        sa.ForeignKeyConstraint(["airs_on"], ["station.code"], name=op.f("fk_script_airs_on_station")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_script_created_by_person")),
        sa.ForeignKeyConstraint(["updated_by"], ["person.id"], name=op.f("fk_script_updated_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script")),
        sa.UniqueConstraint("segment", name=op.f("uq_script_segment")),
    )
    op.create_index(op.f("ix_script_owner_script_updated_at_script_id"), "script", ["owner", "updated_at", "id"])
    op.create_table(
        "script_template",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.String(length=16), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_script_template_owner_unit")),
        sa.ForeignKeyConstraint(["updated_by"], ["person.id"], name=op.f("fk_script_template_updated_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_template")),
    )
    op.create_index(op.f("ix_script_template_owner"), "script_template", ["owner"])
    op.create_table(
        "pronunciation",
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("written", sa.String(length=80), nullable=False),
        sa.Column("said", sa.String(length=200), nullable=False),
        sa.Column("updated_by", sa.String(length=16), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_pronunciation_unit_unit")),
        sa.ForeignKeyConstraint(["updated_by"], ["person.id"], name=op.f("fk_pronunciation_updated_by_person")),
        sa.PrimaryKeyConstraint("unit", "written", name=op.f("pk_pronunciation")),
    )
    op.create_table(
        "onestop_week",
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("week", sa.String(length=10), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("online", sa.Integer(), nullable=False),
        sa.Column("on_time", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("notable", sa.String(length=2000), nullable=False),
        sa.Column("script", sa.String(length=16), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_by", sa.String(length=16), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_onestop_week_unit_unit")),
        sa.ForeignKeyConstraint(["script"], ["script.id"], name=op.f("fk_onestop_week_script_script")),
        sa.ForeignKeyConstraint(["updated_by"], ["person.id"], name=op.f("fk_onestop_week_updated_by_person")),
        sa.PrimaryKeyConstraint("unit", "week", name=op.f("pk_onestop_week")),
    )
    op.create_table(
        "segment_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_segment_comment_segment_segment")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_segment_comment_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_comment")),
    )
    op.create_index(op.f("ix_segment_comment_segment_segment_comment_id"), "segment_comment", ["segment", "id"])
    op.create_table(
        "listening",
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("ranges", sa.JSON(), nullable=False),
        sa.Column("heard_s", sa.Integer(), nullable=False),
        sa.Column("length_s", sa.Integer(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_listening_segment_segment")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_listening_person_person")),
        sa.PrimaryKeyConstraint("segment", "sha256", "person", name=op.f("pk_listening")),
    )
    op.create_table(
        "approval_listening",
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("heard_s", sa.Integer(), nullable=False),
        sa.Column("length_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_approval_listening_segment_segment")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_approval_listening_person_person")),
        sa.PrimaryKeyConstraint("segment", "at", name=op.f("pk_approval_listening")),
    )
    op.create_table(
        "listening_rule",
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("longer_than_s", sa.Integer(), nullable=True),
        sa.Column("updated_by", sa.String(length=16), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_listening_rule_unit_unit")),
        sa.ForeignKeyConstraint(["updated_by"], ["person.id"], name=op.f("fk_listening_rule_updated_by_person")),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_listening_rule")),
    )
    op.create_table(
        "guidance",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=16), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_guidance_owner_unit")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_guidance_segment_segment")),
        sa.ForeignKeyConstraint(["updated_by"], ["person.id"], name=op.f("fk_guidance_updated_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guidance")),
    )
    op.create_index(
        op.f("ix_guidance_owner_guidance_updated_at_guidance_id"), "guidance", ["owner", "updated_at", "id"]
    )
    op.create_table(
        "guidance_file",
        sa.Column("guidance", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["guidance"], ["guidance.id"], name=op.f("fk_guidance_file_guidance_guidance")),
        sa.PrimaryKeyConstraint("guidance", name=op.f("pk_guidance_file")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("guidance_file")
    op.drop_index(op.f("ix_guidance_owner_guidance_updated_at_guidance_id"), table_name="guidance")
    op.drop_table("guidance")
    op.drop_table("listening_rule")
    op.drop_table("approval_listening")
    op.drop_table("listening")
    op.drop_index(op.f("ix_segment_comment_segment_segment_comment_id"), table_name="segment_comment")
    op.drop_table("segment_comment")
    op.drop_table("onestop_week")
    op.drop_table("pronunciation")
    op.drop_index(op.f("ix_script_template_owner"), table_name="script_template")
    op.drop_table("script_template")
    op.drop_index(op.f("ix_script_owner_script_updated_at_script_id"), table_name="script")
    op.drop_table("script")
