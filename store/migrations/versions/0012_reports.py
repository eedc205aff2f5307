"""issued reports, their scans, pay sheets, reports by mail, and what reports count beside the bodies of airings"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from store.tables import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_FROZEN = ("issued_report", "issued_file", "report_scan")
_OTHERS = ("pay_draft", "pay_rate", "report_mailing", "letterhead", "paper_template")
_REPORTED = [
    *("station", "planned_start", "kind", "programme", "verdict", "rehearsal", "segment", "began", "seconds"),
    *("clusters", "clusters_whole", "slot", "seq"),
]
_WHOLE = 0.95
_BATCH = 2000


def upgrade() -> None:
    """Apply: new columns of airings, filled from their bodies, and empty tables."""
    op.add_column("airing", sa.Column("segment", sa.String(length=80), nullable=True))
    op.add_column("airing", sa.Column("began", UtcDateTime(), nullable=True))
    op.add_column("airing", sa.Column("seconds", sa.Float(), nullable=True))
    op.add_column("airing", sa.Column("clusters", sa.Integer(), nullable=True))
    op.add_column("airing", sa.Column("clusters_whole", sa.Integer(), nullable=True))
    _fill()
    op.create_index("ix_airing_segment", "airing", ["segment", "planned_start"])
    op.create_index("ix_airing_report", "airing", _REPORTED)
    op.create_table(
        "issued_report",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("supersedes", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("symbol", sa.String(length=80), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("signer_title", sa.String(length=200), nullable=False),
        sa.Column("signer", sa.String(length=200), nullable=False),
        sa.Column("prepared_by", sa.String(length=16), nullable=False),
        sa.Column("prepared_name", sa.String(length=200), nullable=False),
        sa.Column("issued_by", sa.String(length=16), nullable=False),
        sa.Column("issued_name", sa.String(length=200), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_report")),
        sa.UniqueConstraint(
            "kind",
            "unit",
            "station",
            "programme",
            "period",
            "version",
            name=op.f("uq_issued_report_kind_unit_station_programme_period_version"),
        ),
    )
    op.create_index(op.f("ix_issued_report_supersedes"), "issued_report", ["supersedes"], unique=False)
    op.create_index(
        op.f("ix_issued_report_unit_issued_report_issued_at"), "issued_report", ["unit", "issued_at"], unique=False
    )
    op.create_table(
        "issued_file",
        sa.Column("report", sa.String(length=16), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["issued_report.id"], name=op.f("fk_issued_file_report_issued_report")),
        sa.PrimaryKeyConstraint("report", "format", name=op.f("pk_issued_file")),
    )
    op.create_index(op.f("ix_issued_file_sha256"), "issued_file", ["sha256"], unique=False)
    op.create_table(
        "report_scan",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("report", sa.String(length=16), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(length=16), nullable=False),
        sa.Column("added_name", sa.String(length=200), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["issued_report.id"], name=op.f("fk_report_scan_report_issued_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_scan")),
    )
    op.create_index(op.f("ix_report_scan_report"), "report_scan", ["report"], unique=False)
    op.create_index(op.f("ix_report_scan_sha256"), "report_scan", ["sha256"], unique=False)
    op.create_table(
        "paper_template",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(length=200), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_paper_template_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_template")),
    )
    op.create_index(
        "ix_paper_template_unit_kind",
        "paper_template",
        ["unit", "kind", "ended_at"],
        unique=False,
    )
    op.create_table(
        "letterhead",
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("above", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=200), nullable=False),
        sa.Column("symbol", sa.String(length=80), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("signer_title", sa.String(length=200), nullable=False),
        sa.Column("signer", sa.String(length=200), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("basis", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_letterhead_unit_unit")),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_letterhead")),
    )
    op.create_table(
        "report_mailing",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("span", sa.String(length=10), nullable=False),
        sa.Column("days_after", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("added_by", sa.String(length=16), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("sent", sa.String(length=10), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_report_mailing_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_mailing")),
    )
    op.create_index(op.f("ix_report_mailing_unit"), "report_mailing", ["unit"], unique=False)
    op.create_table(
        "pay_rate",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=500), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("added_by", sa.String(length=16), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_pay_rate_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pay_rate")),
    )
    op.create_index(
        op.f("ix_pay_rate_unit_pay_rate_kind_pay_rate_valid_from"),
        "pay_rate",
        ["unit", "kind", "valid_from"],
        unique=False,
    )
    op.create_table(
        "pay_draft",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("prepared_by", sa.String(length=16), nullable=False),
        sa.Column("prepared_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("report", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["prepared_by"], ["person.id"], name=op.f("fk_pay_draft_prepared_by_person")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_pay_draft_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pay_draft")),
    )
    op.create_index(op.f("ix_pay_draft_unit_pay_draft_period"), "pay_draft", ["unit", "period"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for table in _FROZEN:
            for act in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'what was issued does not change'); END"
                )


def downgrade() -> None:
    """Take back."""
    for table in (*_OTHERS, "report_scan", "issued_file", "issued_report"):
        op.drop_table(table)
    op.drop_index("ix_airing_report", table_name="airing")
    op.drop_index("ix_airing_segment", table_name="airing")
    for column in ("segment", "began", "seconds", "clusters", "clusters_whole"):
        op.drop_column("airing", column)


def _fill() -> None:
    """Take out of the bodies what is counted, some thousand rows at a time."""
    airing = sa.table(
        "airing",
        sa.column("station", sa.String()),
        sa.column("seq", sa.Integer()),
        sa.column("body", sa.JSON()),
        sa.column("segment", sa.String()),
        sa.column("began", UtcDateTime()),
        sa.column("seconds", sa.Float()),
        sa.column("clusters", sa.Integer()),
        sa.column("clusters_whole", sa.Integer()),
    )
    connection = op.get_bind()
    change = (
        sa.update(airing)
        .where(airing.c.station == sa.bindparam("at_station"), airing.c.seq == sa.bindparam("at_seq"))
        .values({name: sa.bindparam(name) for name in ("segment", "began", "seconds", "clusters", "clusters_whole")})
    )
    keys = (airing.c.station, airing.c.seq)
    last: tuple[str, int] = ("", 0)
    while True:
        rows = connection.execute(
            sa.select(airing.c.station, airing.c.seq, airing.c.body)
            .where(sa.tuple_(*keys) > sa.tuple_(sa.literal(last[0]), sa.literal(last[1])))
            .order_by(*keys)
            .limit(_BATCH)
        ).all()
        if not rows:
            return
        connection.execute(change, [_counted(row.station, row.seq, row.body) for row in rows])
        last = (rows[-1].station, rows[-1].seq)


def _counted(station: str, seq: int, body: dict[str, Any]) -> dict[str, Any]:
    outputs = body["outputs"]
    begun = body["started_at"]
    return {
        "at_station": station,
        "at_seq": seq,
        "segment": body["segment"],
        "began": None if begun is None else datetime.fromisoformat(begun),
        "seconds": body["seconds_aired"],
        "clusters": len(outputs),
        "clusters_whole": sum(one["samples"] >= max(1, _WHOLE * body["samples_expected"]) for one in outputs),
    }
