"""what was heard of airings, the register of faults, and the authority's own ledger of what people say"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply: three empty tables; the first two fill themselves from the journals."""
    op.create_table(
        "evidence",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("grade", sa.String(length=10), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("station", "seq", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_slot"), "evidence", ["slot"])
    op.create_table(
        "fault",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("station", "seq", name=op.f("pk_fault")),
    )
    op.create_index(op.f("ix_fault_station_fault_state"), "fault", ["station", "state"])
    op.create_index(op.f("ix_fault_since_fault_station_fault_seq"), "fault", ["since", "station", "seq"])
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("time", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger")),
        sa.UniqueConstraint("hash", name=op.f("uq_ledger_hash")),
    )
    op.create_index(op.f("ix_ledger_subject_ledger_seq"), "ledger", ["subject", "seq"])
    op.create_index(
        "uq_ledger_confirmation",
        "ledger",
        ["subject", "person"],
        unique=True,
        sqlite_where=sa.text("kind = 'confirmation'"),
        postgresql_where=sa.text("kind = 'confirmation'"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_no_{act.lower()} BEFORE {act} ON ledger "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )


def downgrade() -> None:
    """Take back."""
    op.drop_index("uq_ledger_confirmation", table_name="ledger")
    op.drop_index(op.f("ix_ledger_subject_ledger_seq"), table_name="ledger")
    op.drop_table("ledger")
    op.drop_index(op.f("ix_fault_since_fault_station_fault_seq"), table_name="fault")
    op.drop_index(op.f("ix_fault_station_fault_state"), table_name="fault")
    op.drop_table("fault")
    op.drop_index(op.f("ix_evidence_slot"), table_name="evidence")
    op.drop_table("evidence")
