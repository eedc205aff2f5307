"""The tables of the authority's database: intent, people, drafts, and projections that can be rebuilt from journals."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Time,
    TypeDecorator,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Takes aware times only and gives back aware UTC, also from SQLite, which forgets zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment as stored; raises ValueError for a time without a zone."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a time without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    # Named from the first migration on: SQLite cannot drop or change a constraint that has no name.
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

revision = Table(
    "intent_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

unit = Table(
    "unit",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("parent", ForeignKey("unit.code")),
    Column("valid_from", Date),
    Column("valid_until", Date),
    # Deferred: who takes over may be written after whom it takes over.
    Column("successor", ForeignKey("unit.code", deferrable=True, initially="DEFERRED")),
)

station = Table(
    "station",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("permitted", JSON, nullable=False),
    Column("self_approval", Boolean(create_constraint=False), nullable=False),
    Column("quiet", JSON, nullable=False),
    Column("limits", JSON, nullable=False),
    Column("groups", JSON, nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("successor", ForeignKey("station.code", deferrable=True, initially="DEFERRED")),
    Column("ended_by", String(500), nullable=False),
)

programme = Table(
    "programme",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("order", String(20), nullable=False),
    Column("otherwise", JSON, nullable=False),
    Column("separation_s", Integer, nullable=False),
)

relay_source = Table(
    "relay_source",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("address", String(1000), nullable=False),
    Column("hosts", JSON, nullable=False),
    Column("format", String(20)),
)

person = Table(
    "person",
    metadata,
    Column("id", String(16), primary_key=True),
    # The name people sign in with, already folded (accounts.folded): one spelling, one account.
    Column("name", String(80), nullable=False, unique=True),
    Column("full_name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("password_hash", String(200)),
    # Made for the demonstration: may sign in only while it runs.
    Column("demo", Boolean(create_constraint=False), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
)

sign_in = Table(
    "sign_in",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("address", String(64), nullable=False),
    # When the person last proved who they are, where that is later than the beginning; by what program they came.
    Column("proven_at", UtcDateTime),
    Column("agent", String(200)),
)

token = Table(
    "token",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("label", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("scopes", JSON, nullable=False, server_default="[]"),
    Column("used_at", UtcDateTime),
)

invitation = Table(
    "invitation",
    metadata,
    Column("hash", String(64), primary_key=True),
    # None: the first set-up, which makes the first account.
    Column("person", ForeignKey("person.id"), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

segment = Table(
    "segment",
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
    Column("origin", String(20), nullable=False),
    Column("valid_from", UtcDateTime),
    Column("valid_until", UtcDateTime),
    Column("evergreen", Boolean(create_constraint=False), nullable=False),
    Column("state", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("reason_vi", String(2000), nullable=False),
    Column("reason_en", String(2000), nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("source_format", String(80), nullable=False),
    Column("attempts", Integer, nullable=False),
    # Whether the upload is still kept and is what a trim starts from.
    Column("original", Boolean(create_constraint=False), nullable=False),
    Column("trim_head_s", Float, nullable=False),
    Column("trim_tail_s", Float, nullable=False),
    Column("pending_head_s", Float, nullable=False),
    Column("pending_tail_s", Float, nullable=False),
    Column("sha256", String(64)),
    Column("pcm_sha256", String(64)),
    Column("samples", Integer, nullable=False),
    Column("loudness_lufs", Float),
    Column("true_peak_dbtp", Float),
    Column("gain_db", Float),
    Column("head_silence_s", Float),
    Column("tail_silence_s", Float),
    Column("uploader", ForeignKey("person.id"), nullable=False),
    # Who caused the sound that is in it now: the uploader, or whoever trimmed it last.
    Column("audio_by", ForeignKey("person.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("approved_at", UtcDateTime),
    Column("approver", ForeignKey("person.id")),
    Column("self_approved", Boolean(create_constraint=False), nullable=False),
    Column("episode", Integer),
    Column("priority", String(20), nullable=False),
    Index(None, "state", "owner"),
    Index(None, "owner", "created_at", "id"),
)

segment_event = Table(
    "segment_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("segment", ForeignKey("segment.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    # None: Loa itself.
    Column("person", ForeignKey("person.id")),
    Column("what", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sha256", String(64)),
    Column("reason", String(2000), nullable=False),
)

week_template = Table(
    "week_template",
    metadata,
    Column("station", ForeignKey("station.code"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("day_kinds", JSON, nullable=False),
    Column("document", String(500), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
)

session_rule = Table(
    "session_rule",
    metadata,
    Column("station", ForeignKey("station.code"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("weekdays", JSON, nullable=False),
    Column("starts", JSON, nullable=False),
    Column("length_s", Integer, nullable=False),
    Column("items", JSON, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("every_weeks", Integer, nullable=False),
    Column("anchor", Date),
    Column("month_days", JSON, nullable=False),
    Column("nth_weekdays", JSON, nullable=False),
    Column("only", JSON, nullable=False),
    Column("template", String(40)),
    Column("owner", ForeignKey("unit.code")),
    Column("targets", JSON, nullable=False),
    ForeignKeyConstraint(["station", "template"], ["week_template.station", "week_template.id"]),
)

session_exception = Table(
    "session_exception",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("station", String(40), nullable=False),
    Column("session", String(40), nullable=False),
    Column("day", Date, nullable=False),
    Column("change", String(20), nullable=False),
    Column("following", Boolean(create_constraint=False), nullable=False),
    Column("number", Integer),
    Column("to_day", Date),
    Column("to_start", Time),
    Column("reason", String(500), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
    ForeignKeyConstraint(["station", "session"], ["session_rule.station", "session_rule.id"]),
    Index(None, "station", "session"),
)

calendar_day = Table(
    "calendar_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("kind", String(20), primary_key=True),
    # decreed: entered by a person, with its document; national: computed from the law, written anew at each start.
    Column("source", String(20), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("works_as", Integer),
    Column("document", String(500), nullable=False),
)

one_off = Table(
    "one_off",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("station", ForeignKey("station.code"), nullable=False),
    Column("segment", ForeignKey("segment.id"), nullable=False),
    Column("start", UtcDateTime, nullable=False),
    Column("timing", String(20), nullable=False),
    Column("ordered_by", ForeignKey("person.id"), nullable=False),
    Column("ordered_at", UtcDateTime, nullable=False),
    Column("cancelled_by", ForeignKey("person.id")),
    Column("cancelled_at", UtcDateTime),
    Column("priority", String(20), nullable=False),
    Index(None, "station", "start"),
)

duty = Table(
    "duty",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("since", UtcDateTime, primary_key=True),
    Column("until", UtcDateTime),
    Column("name", String(200), nullable=False),
    Column("owner", ForeignKey("unit.code"), nullable=False),
    Column("stations", JSON, nullable=False),
    Column("programme", ForeignKey("programme.code")),
    Column("count", Integer, nullable=False),
    Column("period", String(10), nullable=False),
    Column("windows", JSON, nullable=False),
    Column("document", String(500), nullable=False),
    Column("topic_prefix", String(40), nullable=False),
    Column("topics", JSON, nullable=False),
    Column("counting", String(20), nullable=False),
    Column("deadline_days", Integer, nullable=False),
    Column("deadline_at", Time, nullable=False),
    Column("warn_days", Integer, nullable=False),
    Column("least_share", Float, nullable=False),
)

excuse = Table(
    "excuse",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("station", ForeignKey("station.code"), nullable=False),
    # A duty's code, of whichever version; None: all duties.
    Column("duty", String(40)),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("document", String(500), nullable=False),
    Column("reason_vi", String(2000), nullable=False),
    Column("reason_en", String(2000), nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("granted_by", ForeignKey("person.id")),
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", ForeignKey("person.id")),
    Index(None, "station", "first"),
)

duty_outcome = Table(
    "duty_outcome",
    metadata,
    # Not a foreign key, as for airings.
    Column("station", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("duty", String(40), nullable=False),
    Column("period", String(10), nullable=False),
    Column("state", String(20), nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "period", "station", "duty"),
)

airing = Table(
    "airing",
    metadata,
    # Not a foreign key: a copy of a station's journal must not fail for want of a row here.
    Column("station", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("slot", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("programme", String(40)),
    Column("verdict", String(20), nullable=False),
    Column("planned_start", UtcDateTime, nullable=False),
    Column("rehearsal", Boolean(create_constraint=False), nullable=False),
    Column("body", JSON, nullable=False),
    # Out of the body, for reports and for what became of a recording: reading the bodies of a year takes seconds.
    Column("segment", String(80)),
    Column("began", UtcDateTime),
    Column("seconds", Float),
    Column("clusters", Integer),
    Column("clusters_whole", Integer),
    Index(None, "slot"),
    Index("ix_airing_segment", "segment", "planned_start"),
    Index(
        "ix_airing_report",
        *("station", "planned_start", "kind", "programme", "verdict", "rehearsal", "segment", "began", "seconds"),
        *("clusters", "clusters_whole", "slot", "seq"),
    ),
    Index(None, "station", "planned_start", "seq"),
    Index(None, "planned_start", "station", "seq"),
)

emergency_template = Table(
    "emergency_template",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", ForeignKey("unit.code"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("segment", ForeignKey("segment.id"), nullable=False),
    # The sound that was approved: another one under the same segment is not what this template stands for.
    Column("sha256", String(64), nullable=False),
    Column("urgency", String(20), nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("tone_s", Float, nullable=False),
    Column("gap_s", Float, nullable=False),
    Column("prepared_by", ForeignKey("person.id"), nullable=False),
    Column("prepared_at", UtcDateTime, nullable=False),
    Column("approved_by", ForeignKey("person.id")),
    Column("approved_at", UtcDateTime),
    Column("retired_by", ForeignKey("person.id")),
    Column("retired_at", UtcDateTime),
)

emergency = Table(
    "emergency",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("stations", JSON, nullable=False),
    Column("segment", ForeignKey("segment.id"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("pcm_sha256", String(64), nullable=False),
    Column("samples", Integer, nullable=False),
    Column("urgency", String(20), nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("tone_s", Float, nullable=False),
    Column("gap_s", Float, nullable=False),
    Column("drill", Boolean(create_constraint=False), nullable=False),
    Column("template", ForeignKey("emergency_template.id")),
    Column("basis", String(500), nullable=False),
    Column("state", String(20), nullable=False),
    Column("ordered_by", ForeignKey("person.id"), nullable=False),
    Column("ordered_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("confirmed_by", ForeignKey("person.id")),
    Column("issued_at", UtcDateTime),
    # As signed: what is sent again is the same, byte for byte.
    Column("document", LargeBinary),
    Column("stopped_by", ForeignKey("person.id")),
    Column("stopped_at", UtcDateTime),
    Column("stop_reason", String(500), nullable=False),
    Index(None, "state", "expires_at"),
    Index(None, "ordered_by", "ordered_at"),
)

emergency_station = Table(
    "emergency_station",
    metadata,
    Column("emergency", ForeignKey("emergency.id"), primary_key=True),
    # Not a foreign key, as for airings.
    Column("station", String(40), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("said", Integer, nullable=False),
    Column("why_vi", String(2000), nullable=False),
    Column("why_en", String(2000), nullable=False),
    # Not null: it was ended here, by this document; others of the same order may go on.
    Column("stop_document", LargeBinary),
    Column("stop_taken", Boolean(create_constraint=False), nullable=False),
    Column("stopped_by", ForeignKey("person.id")),
)

evidence = Table(
    "evidence",
    metadata,
    # Not a foreign key, as for airings.
    Column("station", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("slot", String(200), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("grade", String(10), nullable=False),
    Column("body", JSON, nullable=False),
)

fault = Table(
    "fault",
    metadata,
    Column("station", String(40), primary_key=True),
    # The row that opened it, and the newest one that said something about it.
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("last_seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("code", String(200), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
    # open, closed, once, or restarted: still open when the station stopped.
    Column("state", String(20), nullable=False),
    # Whether the station believed its clock when it wrote `since`.
    Column("trusted", Boolean(create_constraint=False), nullable=False),
    Column("body", JSON, nullable=False),
    Column("told", JSON, nullable=False),
    Index(None, "station", "state"),
    Index(None, "since", "station", "seq"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("prev", String(64), nullable=False),
    # As it was hashed, letter by letter: a column of moments would write it anew.
    Column("time", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("person", String(16), nullable=False),
    Column("body", JSON, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("signature", String(128), nullable=False),
    Index(None, "subject", "seq"),
    # One confirmation a person and airing; remarks as many as there are.
    Index(
        "uq_ledger_confirmation",
        "subject",
        "person",
        unique=True,
        sqlite_where=text("kind = 'confirmation'"),
        postgresql_where=text("kind = 'confirmation'"),
    ),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("person", String(16)),
    Column("name", String(80), nullable=False),
    Column("address", String(64), nullable=False),
    Column("what", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("detail", String(500), nullable=False),
    Index(None, "at"),
)
