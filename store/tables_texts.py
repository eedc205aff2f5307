"""Tables: texts and scripts for the air, their templates, weekly forms, comments, and the guidance library."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table
from sqlalchemy import Text as LongText

from store.tables import UtcDateTime, metadata

script = Table(
    "script",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", ForeignKey("unit.code"), nullable=False),
    Column("station", ForeignKey("station.code")),
    Column("programme", ForeignKey("programme.code"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("topics", JSON, nullable=False),
    Column("language", String(16), nullable=False),
    Column("author", String(200), nullable=False),
    Column("body", LongText, nullable=False),
    Column("revision", Integer, nullable=False),
    # The recording that was made of it; None while it is only a text.
    Column("segment", ForeignKey("segment.id"), unique=True),
    # The engine and the voice that are to speak it, empty where a person reads it.
    Column("engine", String(20), nullable=False),
    Column("voice", String(40), nullable=False),
    Column("pace", String(20), nullable=False),
    # Spoken by a machine: its person has to hear it before it is submitted.
    Column("spoken", Boolean(create_constraint=False), nullable=False),
    # When it is to air once it is approved.
    Column("airs_at", UtcDateTime),
    Column("airs_on", ForeignKey("station.code")),
    Column("created_by", ForeignKey("person.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_by", ForeignKey("person.id"), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    Index(None, "owner", "updated_at", "id"),
)

script_template = Table(
    "script_template",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", ForeignKey("unit.code"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("programme", String(40), nullable=False),
    Column("topic", String(40), nullable=False),
    Column("body", LongText, nullable=False),
    Column("updated_by", ForeignKey("person.id"), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
)

pronunciation = Table(
    "pronunciation",
    metadata,
    Column("unit", ForeignKey("unit.code"), primary_key=True),
    Column("written", String(80), primary_key=True),
    Column("said", String(200), nullable=False),
    Column("updated_by", ForeignKey("person.id"), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

onestop_week = Table(
    "onestop_week",
    metadata,
    Column("unit", ForeignKey("unit.code"), primary_key=True),
    Column("week", String(10), primary_key=True),
    Column("received", Integer, nullable=False),
    Column("online", Integer, nullable=False),
    Column("on_time", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("notable", String(2000), nullable=False),
    Column("script", ForeignKey("script.id")),
    Column("revision", Integer, nullable=False),
    Column("updated_by", ForeignKey("person.id"), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

segment_comment = Table(
    "segment_comment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("segment", ForeignKey("segment.id"), nullable=False),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", String(2000), nullable=False),
    Index(None, "segment", "id"),
)

listening = Table(
    "listening",
    metadata,
    Column("segment", ForeignKey("segment.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("person", ForeignKey("person.id"), primary_key=True),
    # Whole seconds that were heard, as [first, end) pairs in order.
    Column("ranges", JSON, nullable=False),
    Column("heard_s", Integer, nullable=False),
    Column("length_s", Integer, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

approval_listening = Table(
    "approval_listening",
    metadata,
    Column("segment", ForeignKey("segment.id"), primary_key=True),
    Column("at", UtcDateTime, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("heard_s", Integer, nullable=False),
    Column("length_s", Integer, nullable=False),
)

listening_rule = Table(
    "listening_rule",
    metadata,
    Column("unit", ForeignKey("unit.code"), primary_key=True),
    # Items longer than this are heard whole before they are approved; None: no item has to be.
    Column("longer_than_s", Integer),
    Column("updated_by", ForeignKey("person.id"), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

guidance = Table(
    "guidance",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", ForeignKey("unit.code"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("body", LongText, nullable=False),
    # An approved recording of the owner's that goes with it.
    Column("segment", ForeignKey("segment.id")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_by", ForeignKey("person.id"), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    Index(None, "owner", "updated_at", "id"),
)

guidance_file = Table(
    "guidance_file",
    metadata,
    Column("guidance", ForeignKey("guidance.id"), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
)
