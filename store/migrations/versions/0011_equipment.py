"""the register of equipment, tickets, inspections, complaints, assignments"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply: empty tables; days on air fill themselves from the air log."""
    op.create_table(
        "air_day",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("heard", sa.Integer(), nullable=False),
        sa.Column("first", UtcDateTime(), nullable=False),
        sa.Column("last", UtcDateTime(), nullable=False),
        sa.Column("reason_vi", sa.String(length=2000), nullable=False),
        sa.Column("reason_en", sa.String(length=2000), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("station", "day", name=op.f("pk_air_day")),
    )
    op.create_index(
        op.f("ix_air_day_station_air_day_heard_air_day_day"), "air_day", ["station", "heard", "day"], unique=False
    )
    op.create_table(
        "device",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("cluster", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("maker", sa.String(length=200), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("serial", sa.String(length=80), nullable=False),
        sa.Column("in_service", sa.Date(), nullable=True),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("contract", sa.String(length=200), nullable=False),
        sa.Column("contract_until", sa.Date(), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_device_station_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
    )
    op.create_index(op.f("ix_device_station_device_state"), "device", ["station", "state"], unique=False)
    op.create_index("uq_device_station_code", "device", ["station", "code"], unique=True)
    op.create_table(
        "inspection_round",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("document", sa.String(length=500), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_inspection_round_created_by_person")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_inspection_round_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_round")),
    )
    op.create_index(op.f("ix_inspection_round_unit"), "inspection_round", ["unit"], unique=False)
    op.create_table(
        "spare_part",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_spare_part_station_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spare_part")),
    )
    op.create_index(op.f("ix_spare_part_station"), "spare_part", ["station"], unique=False)
    op.create_table(
        "upkeep_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("picture", sa.String(length=64), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_upkeep_step_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upkeep_step")),
    )
    op.create_index(
        op.f("ix_upkeep_step_kind_upkeep_step_subject_upkeep_step_id"),
        "upkeep_step",
        ["kind", "subject", "id"],
        unique=False,
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=True),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("village", sa.String(length=200), nullable=False),
        sa.Column("duty", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("assignee", sa.String(length=16), nullable=True),
        sa.Column("assignee_name", sa.String(length=200), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("segment", sa.String(length=16), nullable=True),
        sa.Column("given_by", sa.String(length=16), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["assignee"], ["person.id"], name=op.f("fk_assignment_assignee_person")),
        sa.ForeignKeyConstraint(["given_by"], ["person.id"], name=op.f("fk_assignment_given_by_person")),
        sa.ForeignKeyConstraint(["programme"], ["programme.code"], name=op.f("fk_assignment_programme_programme")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_assignment_segment_segment")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_assignment_station_station")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_assignment_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index(op.f("ix_assignment_assignee_assignment_state"), "assignment", ["assignee", "state"], unique=False)
    op.create_index(
        op.f("ix_assignment_state_assignment_unit_assignment_due"), "assignment", ["state", "unit", "due"], unique=False
    )
    op.create_table(
        "inspection",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("round", sa.String(length=16), nullable=True),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("inspector", sa.String(length=16), nullable=True),
        sa.Column("inspector_name", sa.String(length=200), nullable=False),
        sa.Column("present", sa.String(length=500), nullable=False),
        sa.Column("conclusion", sa.String(length=2000), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["inspector"], ["person.id"], name=op.f("fk_inspection_inspector_person")),
        sa.ForeignKeyConstraint(["round"], ["inspection_round.id"], name=op.f("fk_inspection_round_inspection_round")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_inspection_station_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
    )
    op.create_index(op.f("ix_inspection_round"), "inspection", ["round"], unique=False)
    op.create_index(
        op.f("ix_inspection_station_inspection_done_at"), "inspection", ["station", "done_at"], unique=False
    )
    op.create_table(
        "ticket",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("cluster", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=True),
        sa.Column("trouble", sa.String(length=20), nullable=False),
        sa.Column("what", sa.String(length=1000), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("place_key", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("fault_code", sa.String(length=200), nullable=False),
        sa.Column("fault_seq", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("silent_since", UtcDateTime(), nullable=True),
        sa.Column("silent_until", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by", sa.String(length=16), nullable=True),
        sa.Column("assignee", sa.String(length=16), nullable=True),
        sa.Column("repairer", sa.String(length=200), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("assigned_at", UtcDateTime(), nullable=True),
        sa.Column("repaired_at", UtcDateTime(), nullable=True),
        sa.Column("repaired_by", sa.String(length=16), nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("accepted_by", sa.String(length=16), nullable=True),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("urged", sa.Integer(), nullable=False),
        sa.Column("urged_at", UtcDateTime(), nullable=True),
        sa.Column("tiers", sa.Integer(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["accepted_by"], ["person.id"], name=op.f("fk_ticket_accepted_by_person")),
        sa.ForeignKeyConstraint(["assignee"], ["person.id"], name=op.f("fk_ticket_assignee_person")),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_ticket_device_device")),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_ticket_opened_by_person")),
        sa.ForeignKeyConstraint(["repaired_by"], ["person.id"], name=op.f("fk_ticket_repaired_by_person")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_ticket_station_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("number", name=op.f("uq_ticket_number")),
    )
    op.create_index(op.f("ix_ticket_device"), "ticket", ["device"], unique=False)
    op.create_index(op.f("ix_ticket_state_ticket_opened_at"), "ticket", ["state", "opened_at"], unique=False)
    op.create_index(op.f("ix_ticket_station_ticket_fault_code"), "ticket", ["station", "fault_code"], unique=False)
    op.create_index(op.f("ix_ticket_station_ticket_state"), "ticket", ["station", "state"], unique=False)
    op.create_table(
        "complaint",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("cluster", sa.String(length=40), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("sender", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("answer", sa.String(length=4000), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("answered_by", sa.String(length=16), nullable=True),
        sa.Column("segment", sa.String(length=16), nullable=True),
        sa.Column("ticket", sa.String(length=16), nullable=True),
        sa.Column("created_by", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["answered_by"], ["person.id"], name=op.f("fk_complaint_answered_by_person")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_complaint_created_by_person")),
        sa.ForeignKeyConstraint(["segment"], ["segment.id"], name=op.f("fk_complaint_segment_segment")),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_complaint_station_station")),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"], name=op.f("fk_complaint_ticket_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("number", name=op.f("uq_complaint_number")),
    )
    op.create_index(op.f("ix_complaint_state_complaint_due"), "complaint", ["state", "due"], unique=False)
    op.create_index(
        op.f("ix_complaint_station_complaint_received_on"), "complaint", ["station", "received_on"], unique=False
    )
    op.create_table(
        "inspection_item",
        sa.Column("inspection", sa.String(length=16), nullable=False),
        sa.Column("item", sa.String(length=60), nullable=False),
        sa.Column("result", sa.String(length=10), nullable=False),
        sa.Column("remark", sa.String(length=1000), nullable=False),
        sa.Column("picture", sa.String(length=64), nullable=True),
        sa.Column("ticket", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["inspection"], ["inspection.id"], name=op.f("fk_inspection_item_inspection_inspection")
        ),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"], name=op.f("fk_inspection_item_ticket_ticket")),
        sa.PrimaryKeyConstraint("inspection", "item", name=op.f("pk_inspection_item")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("inspection_item")
    op.drop_index(op.f("ix_complaint_station_complaint_received_on"), table_name="complaint")
    op.drop_index(op.f("ix_complaint_state_complaint_due"), table_name="complaint")
    op.drop_table("complaint")
    op.drop_index(op.f("ix_ticket_station_ticket_state"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_station_ticket_fault_code"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_state_ticket_opened_at"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_device"), table_name="ticket")
    op.drop_table("ticket")
    op.drop_index(op.f("ix_inspection_station_inspection_done_at"), table_name="inspection")
    op.drop_index(op.f("ix_inspection_round"), table_name="inspection")
    op.drop_table("inspection")
    op.drop_index(op.f("ix_assignment_state_assignment_unit_assignment_due"), table_name="assignment")
    op.drop_index(op.f("ix_assignment_assignee_assignment_state"), table_name="assignment")
    op.drop_table("assignment")
    op.drop_index(op.f("ix_upkeep_step_kind_upkeep_step_subject_upkeep_step_id"), table_name="upkeep_step")
    op.drop_table("upkeep_step")
    op.drop_index(op.f("ix_spare_part_station"), table_name="spare_part")
    op.drop_table("spare_part")
    op.drop_index(op.f("ix_inspection_round_unit"), table_name="inspection_round")
    op.drop_table("inspection_round")
    op.drop_index("uq_device_station_code", table_name="device")
    op.drop_index(op.f("ix_device_station_device_state"), table_name="device")
    op.drop_table("device")
    op.drop_index(op.f("ix_air_day_station_air_day_heard_air_day_day"), table_name="air_day")
    op.drop_table("air_day")
