"""Tables: items that a centre sends to its communes with their receipts, and the portal's items."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Date, Float, ForeignKey, Index, Integer, String, Table

from store.tables import UtcDateTime, metadata

dispatch = Table(
    "dispatch",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", ForeignKey("unit.code"), nullable=False),
    Column("segment", ForeignKey("segment.id"), nullable=False, index=True),
    Column("must", Boolean(create_constraint=False), nullable=False),
    Column("priority", String(20), nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("document", String(200), nullable=False),
    Column("note", String(1000), nullable=False),
    # The intent that was the first to hold it: a station that has taken a later one has it.
    Column("revision", Integer, nullable=False),
    Column("sent_by", ForeignKey("person.id"), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("recalled_by", ForeignKey("person.id")),
    Column("recalled_at", UtcDateTime),
    Column("recall_reason", String(500), nullable=False),
    Index(None, "owner", "sent_at", "id"),
    Index(None, "deadline"),
)

dispatch_station = Table(
    "dispatch_station",
    metadata,
    Column("dispatch", ForeignKey("dispatch.id"), primary_key=True),
    Column("station", ForeignKey("station.code"), primary_key=True),
    Column("received_by", ForeignKey("person.id")),
    Column("received_at", UtcDateTime),
    # The commune's own card of the same sound, for a programme of its own.
    Column("copy", ForeignKey("segment.id"), index=True),
    # Till when the commune wants it before everything else in places of its programme.
    Column("wanted_until", UtcDateTime),
    Column("used_by", ForeignKey("person.id")),
    Column("used_at", UtcDateTime),
    Column("declined_by", ForeignKey("person.id")),
    Column("declined_at", UtcDateTime),
    Column("decline_reason", String(500), nullable=False),
    # The sender agreed that a must-carry item need not air here.
    Column("released_by", ForeignKey("person.id")),
    Column("released_at", UtcDateTime),
    # What the station said last; written anew from its door at any time.
    Column("loaded_at", UtcDateTime),
    Column("planned_slot", String(200), nullable=False),
    Column("planned_start", UtcDateTime),
    Column("looked_at", UtcDateTime),
    Index(None, "station", "dispatch"),
)

airing_mark = Table(
    "airing_mark",
    metadata,
    # How far the rows of `airing` are counted in the table below, which can be rebuilt from them.
    Column("station", String(40), primary_key=True),
    Column("seq", Integer, nullable=False),
)

topic_airing = Table(
    "topic_airing",
    metadata,
    Column("station", String(40), primary_key=True),
    # The local month, such as 2026-11.
    Column("month", String(7), primary_key=True),
    Column("topic", String(40), primary_key=True),
    Column("rehearsal", Boolean(create_constraint=False), primary_key=True),
    Column("airings", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Index(None, "month", "topic"),
)

duty_now = Table(
    "duty_now",
    metadata,
    # How duties of periods that go on stand, as the stations said last; what is over is in `duty_outcome`.
    Column("station", String(40), primary_key=True),
    Column("duty", String(40), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("looked_at", UtcDateTime, nullable=False),
    Index(None, "period", "station"),
)

portal_target = Table(
    "portal_target",
    metadata,
    Column("owner", ForeignKey("unit.code"), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("document", String(200), nullable=False),
)

portal_feed = Table(
    "portal_feed",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", ForeignKey("unit.code"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("url", String(1000), nullable=False),
    # Only what holds one of them is taken; none takes everything.
    Column("words", JSON, nullable=False),
    # Whether what came and fits the words counts without a person's look.
    Column("counts", Boolean(create_constraint=False), nullable=False),
    Column("added_by", ForeignKey("person.id"), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    Column("fetched_at", UtcDateTime),
    Column("trouble", String(500), nullable=False),
)

portal_item = Table(
    "portal_item",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", ForeignKey("unit.code"), nullable=False),
    Column("title", String(300), nullable=False),
    Column("url", String(1000), nullable=False),
    Column("published", Date, nullable=False),
    Column("topics", JSON, nullable=False),
    # portal, zalo or fanpage.
    Column("place", String(20), nullable=False),
    Column("text", String(20000), nullable=False),
    # waiting: came from a feed; counted; dismissed: looked at and not counted.
    Column("state", String(20), nullable=False),
    Column("feed", ForeignKey("portal_feed.id")),
    Column("guid", String(64)),
    Column("segment", ForeignKey("segment.id")),
    Column("added_by", ForeignKey("person.id")),
    Column("added_at", UtcDateTime, nullable=False),
    Column("decided_by", ForeignKey("person.id")),
    Column("decided_at", UtcDateTime),
    Index(None, "owner", "state", "published"),
    # A feed that tells of it again, or two feeds that tell of the same, give one item.
    Index("uq_portal_item_guid", "owner", "guid", unique=True),
)
