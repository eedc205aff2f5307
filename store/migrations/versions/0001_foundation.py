"""units, people, recordings, grids, duties and the copy of the air log"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "airing",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=True),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("planned_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rehearsal", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("station", "seq", name=op.f("pk_airing")),
    )
    with op.batch_alter_table("airing", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_airing_planned_start_airing_station_airing_seq"),
            ["planned_start", "station", "seq"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_airing_slot"), ["slot"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_airing_station_airing_planned_start_airing_seq"),
            ["station", "planned_start", "seq"],
            unique=False,
        )

    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)

    op.create_table(
        "intent_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_intent_revision_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intent_revision")),
    )
    op.create_table(
        "programme",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("repeats", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_programme")),
    )
    op.create_table(
        "unit",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent", sa.String(length=40), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["unit.code"], name=op.f("fk_unit_parent_unit")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_unit")),
    )
    op.create_table(
        "duty",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("stations", sa.JSON(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("windows", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=500), nullable=False),
        sa.Column("topic_prefix", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_duty_owner_unit")),
        sa.ForeignKeyConstraint(["programme"], ["programme.code"], name=op.f("fk_duty_programme_programme")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_duty")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_person_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("name", name=op.f("uq_person_name")),
    )
    op.create_table(
        "station",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("permitted", sa.JSON(), nullable=False),
        sa.Column("self_approval", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_station_unit_unit")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_station")),
    )
    op.create_table(
        "invitation",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_invitation_person_person")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_invitation")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_person"), ["person"], unique=False)

    op.create_table(
        "segment",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=True),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evergreen", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reason_vi", sa.String(length=2000), nullable=False),
        sa.Column("reason_en", sa.String(length=2000), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("source_format", sa.String(length=80), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("original", sa.Boolean(), nullable=False),
        sa.Column("trim_head_s", sa.Float(), nullable=False),
        sa.Column("trim_tail_s", sa.Float(), nullable=False),
        sa.Column("pending_head_s", sa.Float(), nullable=False),
        sa.Column("pending_tail_s", sa.Float(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("pcm_sha256", sa.String(length=64), nullable=True),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("loudness_lufs", sa.Float(), nullable=True),
        sa.Column("true_peak_dbtp", sa.Float(), nullable=True),
        sa.Column("gain_db", sa.Float(), nullable=True),
        sa.Column("head_silence_s", sa.Float(), nullable=True),
        sa.Column("tail_silence_s", sa.Float(), nullable=True),
        sa.Column("uploader", sa.String(length=16), nullable=False),
        sa.Column("audio_by", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approver", sa.String(length=16), nullable=True),
        sa.Column("self_approved", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["approver"], ["person.id"], name=op.f("fk_segment_approver_person")),
        sa.ForeignKeyConstraint(["audio_by"], ["person.id"], name=op.f("fk_segment_audio_by_person")),
        sa.ForeignKeyConstraint(["owner"], ["unit.code"], name=op.f("fk_segment_owner_unit")),
        sa.ForeignKeyConstraint(["programme"], ["programme.code"], name=op.f("fk_segment_programme_programme")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_segment_station_station")),
        sa.ForeignKeyConstraint(["uploader"], ["person.id"], name=op.f("fk_segment_uploader_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
    )
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_segment_owner_segment_created_at_segment_id"), ["owner", "created_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_segment_state_segment_owner"), ["state", "owner"], unique=False)

    op.create_table(
        "session_rule",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("starts", sa.JSON(), nullable=False),
        sa.Column("length_s", sa.Integer(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_session_rule_station_station")),
        sa.PrimaryKeyConstraint("station", "id", name=op.f("pk_session_rule")),
    )
    op.create_table(
        "sign_in",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_sign_in_person_person")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_person"), ["person"], unique=False)

    op.create_table(
        "token",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_token_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_token_hash")),
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_token_person"), ["person"], unique=False)

    op.create_table(
        "one_off",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timing", sa.String(length=20), nullable=False),
        sa.Column("ordered_by", sa.String(length=16), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_by", sa.String(length=16), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["cancelled_by"], ["person.id"], name=op.f("fk_one_off_cancelled_by_person")),
        sa.ForeignKeyConstraint(["ordered_by"], ["person.id"], name=op.f("fk_one_off_ordered_by_person")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_one_off_segment_segment")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_one_off_station_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_off")),
    )
    with op.batch_alter_table("one_off", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_off_station_one_off_start"), ["station", "start"], unique=False)

    op.create_table(
        "segment_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=True),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_segment_event_person_person")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_segment_event_segment_segment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_event")),
    )
    with op.batch_alter_table("segment_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_segment_event_segment"), ["segment"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("segment_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_segment_event_segment"))

    op.drop_table("segment_event")
    with op.batch_alter_table("one_off", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_off_station_one_off_start"))

    op.drop_table("one_off")
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_token_person"))

    op.drop_table("token")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_person"))

    op.drop_table("sign_in")
    op.drop_table("session_rule")
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_segment_state_segment_owner"))
        batch_op.drop_index(batch_op.f("ix_segment_owner_segment_created_at_segment_id"))

    op.drop_table("segment")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_person"))

    op.drop_table("invitation")
    op.drop_table("station")
    op.drop_table("person")
    op.drop_table("duty")
    op.drop_table("unit")
    op.drop_table("programme")
    op.drop_table("intent_revision")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_at"))

    op.drop_table("audit")
    with op.batch_alter_table("airing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_airing_station_airing_planned_start_airing_seq"))
        batch_op.drop_index(batch_op.f("ix_airing_slot"))
        batch_op.drop_index(batch_op.f("ix_airing_planned_start_airing_station_airing_seq"))

    op.drop_table("airing")
