"""Tables: equipment, fault tickets, inspection rounds, complaints and assignments."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Date, Float, ForeignKey, Index, Integer, String, Table

from store.tables import UtcDateTime, metadata

device = Table(
    "device",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("station", ForeignKey("station.code"), nullable=False),
    # A cluster group of the station, empty for what serves all of them.
    Column("cluster", String(40), nullable=False),
    Column("code", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("name", String(200), nullable=False),
    Column("maker", String(200), nullable=False),
    Column("model", String(200), nullable=False),
    Column("serial", String(80), nullable=False),
    Column("in_service", Date),
    Column("warranty_until", Date),
    Column("contract", String(200), nullable=False),
    Column("contract_until", Date),
    Column("place", String(200), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("state", String(20), nullable=False),
    Column("note", String(1000), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("uq_device_station_code", "station", "code", unique=True),
    Index(None, "station", "state"),
)

spare_part = Table(
    "spare_part",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("station", ForeignKey("station.code"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("measure", String(20), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("place", String(200), nullable=False),
    Column("note", String(1000), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

ticket = Table(
    "ticket",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("station", ForeignKey("station.code"), nullable=False),
    Column("cluster", String(40), nullable=False),
    Column("device", ForeignKey("device.id"), index=True),
    Column("trouble", String(20), nullable=False),
    Column("what", String(1000), nullable=False),
    Column("place", String(200), nullable=False),
    # As it is compared: case, accents and spaces folded.
    Column("place_key", String(200), nullable=False),
    # system, staff, link, inspection or complaint.
    Column("origin", String(20), nullable=False),
    # Of the register of faults; empty where people opened it. The newest row that was looked at.
    Column("fault_code", String(200), nullable=False),
    Column("fault_seq", Integer, nullable=False),
    Column("silent", Boolean(create_constraint=False), nullable=False),
    # Nothing was heard there from `silent_since` on, until `silent_until` where that is known.
    Column("silent_since", UtcDateTime),
    Column("silent_until", UtcDateTime),
    Column("state", String(20), nullable=False),
    Column("reports", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_by", ForeignKey("person.id")),
    Column("assignee", ForeignKey("person.id")),
    Column("repairer", String(200), nullable=False),
    Column("due", Date),
    Column("assigned_at", UtcDateTime),
    Column("repaired_at", UtcDateTime),
    Column("repaired_by", ForeignKey("person.id")),
    Column("accepted_at", UtcDateTime),
    Column("accepted_by", ForeignKey("person.id")),
    Column("returned", Integer, nullable=False),
    Column("reopened", Integer, nullable=False),
    Column("urged", Integer, nullable=False),
    Column("urged_at", UtcDateTime),
    # How many tiers above it has been told of it.
    Column("tiers", Integer, nullable=False),
    Column("told_at", UtcDateTime),
    Index(None, "station", "state"),
    Index(None, "state", "opened_at"),
    Index(None, "station", "fault_code"),
)

step = Table(
    "upkeep_step",
    metadata,
    Column("id", Integer, primary_key=True),
    # ticket, device, spare, complaint, assignment, inspection or round, and its id.
    Column("kind", String(20), nullable=False),
    Column("subject", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # None: Loa itself, or somebody with a link.
    Column("person", ForeignKey("person.id")),
    Column("name", String(200), nullable=False),
    Column("what", String(20), nullable=False),
    Column("text", String(2000), nullable=False),
    Column("details", JSON, nullable=False),
    Column("picture", String(64)),
    Column("phone", String(40), nullable=False),
    Index(None, "kind", "subject", "id"),
)

air_day = Table(
    "air_day",
    metadata,
    # Not a foreign key, as for airings: a projection of them, a row a station and local day.
    Column("station", String(40), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("due", Integer, nullable=False),
    Column("heard", Integer, nullable=False),
    Column("first", UtcDateTime, nullable=False),
    Column("last", UtcDateTime, nullable=False),
    Column("reason_vi", String(2000), nullable=False),
    Column("reason_en", String(2000), nullable=False),
    # The newest row of the station's journal that is counted in.
    Column("seq", Integer, nullable=False),
    Index(None, "station", "heard", "day"),
)

inspection_round = Table(
    "inspection_round",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("unit", ForeignKey("unit.code"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("document", String(500), nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("items", JSON, nullable=False),
    Column("created_by", ForeignKey("person.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
)

inspection = Table(
    "inspection",
    metadata,
    Column("id", String(16), primary_key=True),
    # None: the commune looks after its own equipment.
    Column("round", ForeignKey("inspection_round.id"), index=True),
    Column("station", ForeignKey("station.code"), nullable=False),
    Column("items", JSON, nullable=False),
    Column("day", Date),
    Column("state", String(20), nullable=False),
    Column("inspector", ForeignKey("person.id")),
    Column("inspector_name", String(200), nullable=False),
    Column("present", String(500), nullable=False),
    Column("conclusion", String(2000), nullable=False),
    Column("next_on", Date),
    Column("created_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Index(None, "station", "done_at"),
)

inspection_item = Table(
    "inspection_item",
    metadata,
    Column("inspection", ForeignKey("inspection.id"), primary_key=True),
    # A code of the check list, or `cluster:` and the code of a cluster group.
    Column("item", String(60), primary_key=True),
    Column("result", String(10), nullable=False),
    Column("remark", String(1000), nullable=False),
    Column("picture", String(64)),
    Column("ticket", ForeignKey("ticket.id")),
)

complaint = Table(
    "complaint",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("station", ForeignKey("station.code"), nullable=False),
    Column("cluster", String(40), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("sender", String(200), nullable=False),
    Column("contact", String(200), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("about", String(20), nullable=False),
    Column("text", String(2000), nullable=False),
    Column("due", Date, nullable=False),
    Column("state", String(20), nullable=False),
    Column("answer", String(4000), nullable=False),
    Column("answered_on", Date),
    Column("answered_by", ForeignKey("person.id")),
    Column("segment", ForeignKey("segment.id")),
    Column("ticket", ForeignKey("ticket.id")),
    Column("created_by", ForeignKey("person.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "state", "due"),
    Index(None, "station", "received_on"),
)

assignment = Table(
    "assignment",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("station", ForeignKey("station.code")),
    Column("title", String(200), nullable=False),
    Column("note", String(1000), nullable=False),
    Column("programme", ForeignKey("programme.code")),
    Column("topic", String(40), nullable=False),
    Column("village", String(200), nullable=False),
    # The duty and period that it came from, empty for none.
    Column("duty", String(40), nullable=False),
    Column("period", String(10), nullable=False),
    Column("assignee", ForeignKey("person.id")),
    Column("assignee_name", String(200), nullable=False),
    Column("due", Date, nullable=False),
    Column("state", String(20), nullable=False),
    Column("segment", ForeignKey("segment.id")),
    Column("given_by", ForeignKey("person.id"), nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Index(None, "state", "unit", "due"),
    Index(None, "assignee", "state"),
)
