"""Tables: notices and what goes out by mail, second factors, deputies, failed sign-ins, settings of the authority."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from store.tables import UtcDateTime, metadata

channel = Table(
    "channel",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("address", String(500), nullable=False),
    # What the receiver of a webhook checks our signature with; empty for the others.
    Column("secret", String(100), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Of the code that was sent there: nobody can have our messages sent to somebody else's address.
    Column("code_hash", String(64)),
    Column("code_expires_at", UtcDateTime),
    Column("code_tries", Integer, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
)

outgoing = Table(
    "outgoing",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("text", String(20000), nullable=False),
    Column("urgent", Boolean(create_constraint=False), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "created_at"),
)

outgoing_attachment = Table(
    "outgoing_attachment",
    metadata,
    Column("outgoing", ForeignKey("outgoing.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("outgoing", ForeignKey("outgoing.id"), nullable=False, index=True),
    Column("person", ForeignKey("person.id")),
    # None: a plain mail address that nobody has to have an account for.
    Column("channel", ForeignKey("channel.id")),
    Column("address", String(500), nullable=False),
    # queued, sent, failed.
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("why_vi", String(500), nullable=False),
    Column("why_en", String(500), nullable=False),
    Index(None, "state", "next_at"),
    Index(None, "channel", "ended_at"),
)

notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("kind", String(40), nullable=False),
    # What it is about: the same trouble again is the same notice.
    Column("key", String(200), nullable=False),
    Column("text_vi", String(1000), nullable=False),
    Column("text_en", String(1000), nullable=False),
    Column("path", String(300), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # The newest time that it was so, how often it came again, and since when it is not so any more.
    Column("seen_at", UtcDateTime, nullable=False),
    Column("times", Integer, nullable=False),
    Column("over_at", UtcDateTime),
    Column("read_at", UtcDateTime),
    # Where it may go out, and when it did; None: it stays on the pages, or waits for the morning.
    Column("tell_at", UtcDateTime),
    Column("told_at", UtcDateTime),
    Index(None, "person", "created_at", "id"),
    Index(None, "person", "key", "id"),
    Index(None, "key"),
    Index(None, "told_at", "tell_at"),
    Index(None, "over_at", "kind"),
)

person_choice = Table(
    "person_choice",
    metadata,
    Column("person", ForeignKey("person.id"), primary_key=True),
    # Kinds of notices that go out by no channel; they still stand on the page.
    Column("muted", JSON, nullable=False),
)

second_factor = Table(
    "second_factor",
    metadata,
    Column("person", ForeignKey("person.id"), primary_key=True),
    Column("secret", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),
    # The newest step whose code was taken: none is taken twice.
    Column("last_step", Integer, nullable=False),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("used_at", UtcDateTime),
)

deputy = Table(
    "deputy",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("leader", ForeignKey("person.id"), nullable=False),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("reason", String(500), nullable=False),
    Column("named_by", ForeignKey("person.id"), nullable=False),
    Column("named_at", UtcDateTime, nullable=False),
    Column("revoked_by", ForeignKey("person.id")),
    Column("revoked_at", UtcDateTime),
    Index(None, "unit", "until"),
)

failure = Table(
    "failure",
    metadata,
    Column("id", Integer, primary_key=True),
    # Fingerprints: into the field of the name people also type passwords.
    Column("kind", String(20), nullable=False),
    Column("key", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "kind", "key", "at"),
    Index(None, "at"),
)

known_place = Table(
    "known_place",
    metadata,
    # A person's name at an address, or with the cookie of a browser: floods from elsewhere do not keep them out.
    Column("key", String(64), primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    Column("key", String(60), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", ForeignKey("person.id")),
)
