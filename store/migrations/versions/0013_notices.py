"""notices and what goes out, second factors, deputies, failed sign-ins, settings of the authority"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure")),
    )
    op.create_index(op.f("ix_failure_at"), "failure", ["at"])
    op.create_index(op.f("ix_failure_kind_failure_key_failure_at"), "failure", ["kind", "key", "at"])
    op.create_table(
        "outgoing",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text", sa.String(length=20000), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing")),
    )
    op.create_index(op.f("ix_outgoing_created_at"), "outgoing", ["created_at"])
    op.create_table(
        "outgoing_attachment",
        sa.Column("outgoing", sa.String(length=16), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["outgoing"], ["outgoing.id"], name=op.f("fk_outgoing_attachment_outgoing_outgoing")),
        sa.PrimaryKeyConstraint("outgoing", "place", name=op.f("pk_outgoing_attachment")),
    )
    op.create_table(
        "channel",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("code_expires_at", UtcDateTime(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_channel_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
    )
    op.create_index(op.f("ix_channel_person"), "channel", ["person"])
    op.create_table(
        "deputy",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("leader", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("named_by", sa.String(length=16), nullable=False),
        sa.Column("named_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_by", sa.String(length=16), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["leader"], ["person.id"], name=op.f("fk_deputy_leader_person")),
        sa.ForeignKeyConstraint(["named_by"], ["person.id"], name=op.f("fk_deputy_named_by_person")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_deputy_person_person")),
        sa.ForeignKeyConstraint(["revoked_by"], ["person.id"], name=op.f("fk_deputy_revoked_by_person")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_deputy_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputy")),
    )
    op.create_index(op.f("ix_deputy_person"), "deputy", ["person"])
    op.create_index(op.f("ix_deputy_unit_deputy_until"), "deputy", ["unit", "until"])
    op.create_table(
        "known_place",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_known_place_person_person")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_known_place")),
    )
    op.create_index(op.f("ix_known_place_person"), "known_place", ["person"])
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("text_vi", sa.String(length=1000), nullable=False),
        sa.Column("text_en", sa.String(length=1000), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("over_at", UtcDateTime(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("tell_at", UtcDateTime(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_notice_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_key"), "notice", ["key"])
    op.create_index(op.f("ix_notice_over_at_notice_kind"), "notice", ["over_at", "kind"])
    op.create_index(op.f("ix_notice_person_notice_created_at_notice_id"), "notice", ["person", "created_at", "id"])
    op.create_index(op.f("ix_notice_person_notice_key_notice_id"), "notice", ["person", "key", "id"])
    op.create_index(op.f("ix_notice_told_at_notice_tell_at"), "notice", ["told_at", "tell_at"])
    op.create_table(
        "person_choice",
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("muted", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_person_choice_person_person")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_person_choice")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_recovery_code_person_person")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_person"), "recovery_code", ["person"])
    op.create_table(
        "second_factor",
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_second_factor_person_person")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["changed_by"], ["person.id"], name=op.f("fk_setting_changed_by_person")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("outgoing", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=True),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("why_vi", sa.String(length=500), nullable=False),
        sa.Column("why_en", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["channel"], ["channel.id"], name=op.f("fk_delivery_channel_channel")),
        sa.ForeignKeyConstraint(["outgoing"], ["outgoing.id"], name=op.f("fk_delivery_outgoing_outgoing")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_delivery_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_channel_delivery_ended_at"), "delivery", ["channel", "ended_at"])
    op.create_index(op.f("ix_delivery_outgoing"), "delivery", ["outgoing"])
    op.create_index(op.f("ix_delivery_state_delivery_next_at"), "delivery", ["state", "next_at"])
    op.add_column("sign_in", sa.Column("proven_at", UtcDateTime(), nullable=True))
    op.add_column("sign_in", sa.Column("agent", sa.String(length=200), nullable=True))
    op.add_column("token", sa.Column("used_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("token", "used_at")
    op.drop_column("sign_in", "agent")
    op.drop_column("sign_in", "proven_at")
    op.drop_index(op.f("ix_delivery_state_delivery_next_at"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_outgoing"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_channel_delivery_ended_at"), table_name="delivery")
    op.drop_table("delivery")
    op.drop_table("setting")
    op.drop_table("second_factor")
    op.drop_index(op.f("ix_recovery_code_person"), table_name="recovery_code")
    op.drop_table("recovery_code")
    op.drop_table("person_choice")
    op.drop_index(op.f("ix_notice_told_at_notice_tell_at"), table_name="notice")
    op.drop_index(op.f("ix_notice_person_notice_key_notice_id"), table_name="notice")
    op.drop_index(op.f("ix_notice_person_notice_created_at_notice_id"), table_name="notice")
    op.drop_index(op.f("ix_notice_over_at_notice_kind"), table_name="notice")
    op.drop_index(op.f("ix_notice_key"), table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_known_place_person"), table_name="known_place")
    op.drop_table("known_place")
    op.drop_index(op.f("ix_deputy_unit_deputy_until"), table_name="deputy")
    op.drop_index(op.f("ix_deputy_person"), table_name="deputy")
    op.drop_table("deputy")
    op.drop_index(op.f("ix_channel_person"), table_name="channel")
    op.drop_table("channel")
    op.drop_table("outgoing_attachment")
    op.drop_index(op.f("ix_outgoing_created_at"), table_name="outgoing")
    op.drop_table("outgoing")
    op.drop_index(op.f("ix_failure_kind_failure_key_failure_at"), table_name="failure")
    op.drop_index(op.f("ix_failure_at"), table_name="failure")
    op.drop_table("failure")
