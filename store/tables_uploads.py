"""The table of recordings that are still on their way: how far each one is, and what it is to become."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Table

from store.tables import UtcDateTime, metadata

upload = Table(
    "upload",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("length", BigInteger, nullable=False),
    # Bytes that lie on the disk for good: never more than was synced, so that a crash takes nothing back.
    Column("offset", BigInteger, nullable=False),
    Column("file_name", String(200), nullable=False),
    # As the sender wrote it: the protocol gives it back letter by letter.
    Column("said", String(8000), nullable=False),
    # Null: the card comes later, with the call that makes a recording of it.
    Column("card", JSON(none_as_null=True)),
    # The text that is read aloud in it, null where there is none; not a foreign key, as below.
    Column("script", String(16)),
    # arriving, whole (has no card yet), taken (is a recording now) or ended.
    Column("state", String(20), nullable=False),
    # Not a foreign key: this row is gone long before or after the recording.
    Column("segment", String(16)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "person", "state"),
    Index(None, "expires_at"),
)
