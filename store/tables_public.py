"""Tables: what comes from and goes to people without an account: links, the contributor inbox, published items."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from store.tables import UtcDateTime, metadata

outside_link = Table(
    "outside_link",
    metadata,
    Column("id", String(16), primary_key=True),
    # What it opens: the contributor's form or the report of a broken loudspeaker.
    Column("kind", String(20), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("station", ForeignKey("station.code"), nullable=False),
    # A loudspeaker group of the station, empty for all of it.
    Column("cluster", String(40), nullable=False),
    Column("village", String(200), nullable=False),
    # Whose link it is, empty for a whole village; forgotten with the other data of contributors.
    Column("holder", String(200), nullable=False),
    Column("quota", Integer, nullable=False),
    Column("created_by", ForeignKey("person.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", ForeignKey("person.id")),
    Column("used_at", UtcDateTime),
    Column("used", Integer, nullable=False),
    Index(None, "unit", "created_at", "id"),
)

contribution = Table(
    "contribution",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("link", ForeignKey("outside_link.id"), nullable=False),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("station", ForeignKey("station.code"), nullable=False),
    Column("village", String(200), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", String(20), nullable=False),
    # What the sender gave; all of it is emptied when its time is over.
    Column("text", String(5000), nullable=False),
    Column("name", String(200), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("credited", Boolean(create_constraint=False), nullable=False),
    Column("picture", String(64)),
    Column("had_picture", Boolean(create_constraint=False), nullable=False),
    # none, waiting, ready or refused; the sound itself lies in DATA under the contribution's id.
    Column("voice", String(20), nullable=False),
    Column("voice_sha256", String(64)),
    Column("voice_samples", Integer, nullable=False),
    Column("voice_tries", Integer, nullable=False),
    Column("voice_why_vi", String(2000), nullable=False),
    Column("voice_why_en", String(2000), nullable=False),
    Column("answer", String(1000), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", ForeignKey("person.id")),
    Column("segment", ForeignKey("segment.id")),
    Column("script", String(16)),
    Column("forgotten_at", UtcDateTime),
    Index("ix_contribution_arrival", "station", "received_at", "id"),
    Index(None, "unit", "state"),
    Index(None, "link", "received_at"),
    Index(None, "forgotten_at", "decided_at"),
    Index(None, "voice"),
    Index(None, "picture"),
)

publication = Table(
    "publication",
    metadata,
    # Stands in public addresses and is the feed's guid: it stays the same when the item is taken back and put up again.
    Column("id", String(16), primary_key=True),
    Column("station", ForeignKey("station.code"), nullable=False),
    Column("segment", ForeignKey("segment.id"), nullable=False),
    # What was approved when a person published it: another sound under the same segment is not public.
    Column("sha256", String(64), nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("published_by", ForeignKey("person.id"), nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("withdrawn_by", ForeignKey("person.id")),
    # Length of the file that strangers get, None until it is made.
    Column("media_bytes", BigInteger),
    UniqueConstraint("station", "segment"),
    Index(None, "station", "published_at"),
    Index(None, "segment"),
)
