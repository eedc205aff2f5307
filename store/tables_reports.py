"""Tables: reports that were issued and are frozen, contributions and their pay, and reports by mail."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from store.tables import UtcDateTime, metadata

issued_report = Table(
    "issued_report",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(20), nullable=False),
    # Not foreign keys: what was issued is a document of its own and outlives what it speaks of.
    Column("unit", String(40), nullable=False),
    Column("station", String(40), nullable=False),
    Column("programme", String(40), nullable=False),
    Column("period", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("supersedes", String(16)),
    Column("reason", String(500), nullable=False),
    Column("number", String(40), nullable=False),
    Column("symbol", String(80), nullable=False),
    Column("place", String(80), nullable=False),
    Column("day", Date, nullable=False),
    Column("signer_title", String(200), nullable=False),
    Column("signer", String(200), nullable=False),
    Column("prepared_by", String(16), nullable=False),
    Column("prepared_name", String(200), nullable=False),
    Column("issued_by", String(16), nullable=False),
    Column("issued_name", String(200), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    # The table as it was computed, and the hash of its canonical JSON.
    Column("content", JSON, nullable=False),
    Column("sha256", String(64), nullable=False),
    # The entry of the authority's ledger that names all hashes.
    Column("entry", Integer, nullable=False),
    UniqueConstraint("kind", "unit", "station", "programme", "period", "version"),
    Index(None, "unit", "issued_at"),
    Index(None, "supersedes"),
)

issued_file = Table(
    "issued_file",
    metadata,
    Column("report", ForeignKey("issued_report.id"), primary_key=True),
    Column("format", String(10), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("content", LargeBinary, nullable=False),
)

report_scan = Table(
    "report_scan",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("report", ForeignKey("issued_report.id"), nullable=False, index=True),
    Column("media_type", String(80), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("content", LargeBinary, nullable=False),
    Column("added_by", String(16), nullable=False),
    Column("added_name", String(200), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)

paper_template = Table(
    "paper_template",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("name", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("added_by", String(200), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_paper_template_unit_kind", "unit", "kind", "ended_at"),
)

letterhead = Table(
    "letterhead",
    metadata,
    # What a unit's papers bear, as it was typed last.
    Column("unit", ForeignKey("unit.code"), primary_key=True),
    Column("above", String(200), nullable=False),
    Column("agency", String(200), nullable=False),
    Column("symbol", String(80), nullable=False),
    Column("place", String(80), nullable=False),
    Column("signer_title", String(200), nullable=False),
    Column("signer", String(200), nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("basis", String(500), nullable=False),
)

report_mailing = Table(
    "report_mailing",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("unit", ForeignKey("unit.code"), nullable=False, index=True),
    Column("station", String(40), nullable=False),
    Column("programme", String(40), nullable=False),
    Column("span", String(10), nullable=False),
    Column("days_after", Integer, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("people", JSON, nullable=False),
    Column("addresses", JSON, nullable=False),
    Column("formats", JSON, nullable=False),
    Column("added_by", String(16), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    # The newest period that was sent, so that none is sent twice.
    Column("sent", String(10)),
    Column("sent_at", UtcDateTime),
)

pay_rate = Table(
    "pay_rate",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("kind", String(20), nullable=False),
    # Đồng for one item.
    Column("amount", Integer, nullable=False),
    Column("rule", String(500), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("added_by", String(16), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    Index(None, "unit", "kind", "valid_from"),
)

pay_draft = Table(
    "pay_draft",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("period", String(10), nullable=False),
    Column("content", JSON, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("prepared_by", ForeignKey("person.id"), nullable=False),
    Column("prepared_at", UtcDateTime, nullable=False),
    # Not null: signed off as this report, or replaced by a newer draft.
    Column("ended_at", UtcDateTime),
    Column("report", String(16)),
    Index(None, "unit", "period"),
)
