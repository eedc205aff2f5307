"""Tables: schedules under the pencil: edits of a week that are not yet published."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table

from store.tables import UtcDateTime, metadata

grid_draft = Table(
    "grid_draft",
    metadata,
    Column("person", ForeignKey("person.id"), primary_key=True),
    Column("station", ForeignKey("station.code"), primary_key=True),
    # What the grid was when the pencil was taken up: its fingerprint, the intent's number, the moment.
    Column("base", String(64), nullable=False),
    Column("base_revision", Integer, nullable=False),
    Column("base_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # Grows with every change, so that two windows of one person do not write over each other.
    Column("version", Integer, nullable=False),
    Column("steps", JSON, nullable=False),
    # The steps that were thrown away last, to be had back.
    Column("dropped", JSON, nullable=False),
    Index(None, "station"),
)
