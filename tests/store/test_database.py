"""The database file: migrations, the two ways in, and time that keeps its zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, inspect, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.schema import CreateTable

from schedules.duty import Duty, DutyWindow
from schedules.errors import ConfigError
from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.programme import Otherwise, Programme
from schedules.segment import Priority
from schedules.station import DaySpan, Station, Unit
from store import schema, tables, units
from store.database import Database, DatabaseDamaged, _alembic
from store.intent import load_intent


def test_migrations_give_exactly_the_tables(database):
    """What the migrations build is what the code expects: no table, column or index differs."""
    with database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_migrations_can_be_taken_back_and_applied_again(tmp_path):
    """Each migration has a working way back."""
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.connect() as connection:
        config = _alembic(connection)
        command.upgrade(config, "head")
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        command.upgrade(config, "head")
        assert "segment" in inspect(connection).get_table_names()
    engine.dispose()


def test_what_the_first_version_kept_goes_on(tmp_path):
    """A database of the first version, with rows in it, is read with what the old columns meant."""
    path = tmp_path / "loa.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        command.upgrade(_alembic(connection), "0001")
        for statement in _OF_THE_FIRST_VERSION:
            connection.execute(text(statement))
        connection.commit()
    engine.dispose()
    database = Database(f"sqlite:///{path}")
    database.start()
    with database.reading() as session:
        intent = load_intent(session, datetime(2026, 11, 23, tzinfo=UTC), demo=False)
        assert [row.priority for row in session.execute(select(tables.segment))] == ["normal"]
    database.stop()
    since = datetime(2026, 11, 1, tzinfo=UTC)
    assert intent.units == (Unit(code="LONGHIEP", name="Long Hiệp"),)
    assert intent.stations == (
        Station(
            code="LONGHIEP",
            name="Đài",
            unit="LONGHIEP",
            permitted=(DaySpan(start=time(5), end=time(6, 30)), DaySpan(start=time(16), end=time(0))),
        ),
    )
    assert intent.programmes == (
        Programme(code="CDS", name="Chuyển đổi số"),
        Programme(code="TIN", name="Tin", otherwise=(Otherwise.CENTRE,)),
    )
    (rule,) = intent.sessions
    assert rule == SessionRule(
        id="sang",
        station="LONGHIEP",
        name="Sáng",
        weekdays=(1, 2),
        starts=(time(5, 0),),
        length_s=1800,
        items=(SessionItem(id="cds", kind=ItemKind.SEGMENT, programme="CDS"),),
        since=since,
    )
    assert intent.duties == (
        Duty(
            code="CDS",
            name="CĐS",
            owner="LONGHIEP",
            stations=("LONGHIEP",),
            programme="CDS",
            since=since,
            windows=(DutyWindow(weekday=5, start=time(17), end=time(18, 30)),),
            document="485",
            topic_prefix="DX-",
        ),
    )
    assert [one.priority for one in intent.one_offs] == [Priority.NORMAL]
    assert [*tmp_path.glob("loa.db.before-*")] != []


_AT = "'2026-11-01 00:00:00.000000'"
_OF_THE_FIRST_VERSION = (
    "INSERT INTO unit (code, name) VALUES ('LONGHIEP', 'Long Hiệp')",
    "INSERT INTO programme (code, name, repeats) VALUES ('CDS', 'Chuyển đổi số', 1), ('TIN', 'Tin', 0)",
    "INSERT INTO station (code, name, unit, zone, permitted, self_approval) VALUES ('LONGHIEP', 'Đài', 'LONGHIEP', "
    """'Asia/Ho_Chi_Minh', '[["05:00:00", "06:30:00"], ["16:00:00", "00:00:00"]]', 0)""",
    "INSERT INTO person (id, name, full_name, role, unit, demo, created_at) "
    f"VALUES ('p1', 'an', 'An', 'operator', 'LONGHIEP', 0, {_AT})",
    "INSERT INTO segment (id, owner, programme, title, kind, topics, language, author, origin, evergreen, state, "
    "revision, reason_vi, reason_en, warnings, file_name, source_format, attempts, original, trim_head_s, trim_tail_s, "
    "pending_head_s, pending_tail_s, samples, uploader, audio_by, created_at, updated_at, self_approved) VALUES "
    "('seg1', 'LONGHIEP', 'CDS', 'Tin', 'bai', '[]', 'vi', '', 'own', 0, 'ready', 1, '', '', '[]', '', '', 1, 1, 0, 0, "
    f"0, 0, 1, 'p1', 'p1', {_AT}, {_AT}, 0)",
    "INSERT INTO session_rule (station, id, name, weekdays, starts, length_s, items, since) VALUES "
    """('LONGHIEP', 'sang', 'Sáng', '[1, 2]', '["05:00:00"]', 1800, '[{"id": "cds", "kind": "segment", """
    f""""programme": "CDS", "segment": null, "optional": false}}]', {_AT})""",
    "INSERT INTO one_off (id, station, segment, start, timing, ordered_by, ordered_at) VALUES "
    f"('o1', 'LONGHIEP', 'seg1', {_AT}, 'hard', 'p1', {_AT})",
    "INSERT INTO duty (code, name, owner, stations, programme, since, count, period, windows, document, topic_prefix) "
    f"""VALUES ('CDS', 'CĐS', 'LONGHIEP', '["LONGHIEP"]', 'CDS', {_AT}, 1, 'week', """
    """'[{"weekday": 5, "start": "17:00:00", "end": "18:30:00"}]', '485', 'DX-')""",
)


def test_a_second_start_changes_nothing(database, tmp_path):
    """Starting is idempotent and keeps the data."""
    database.stop()
    database.start()
    with database.reading() as session:
        assert len(units.every(session)) == 3
    assert sorted(path.name for path in tmp_path.glob("*.before-*")) == []


def test_writes_are_durable_and_guarded(database):
    """The writer commits through the write-ahead log with full syncs and obeys foreign keys."""
    with database.writing() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    with pytest.raises(IntegrityError), database.writing() as session:
        units.save(session, Unit(code="X", name="X", parent="NOWHERE"))


def test_reading_cannot_write(database):
    """A session meant for reading fails at the first write."""
    with pytest.raises(OperationalError), database.reading() as session:
        units.save(session, Unit(code="X", name="X"))


def test_a_failed_change_leaves_nothing(database):
    """An exception in the middle takes the whole change back."""
    with pytest.raises(RuntimeError), database.writing() as session:
        units.save(session, Unit(code="X", name="X"))
        raise RuntimeError("half way")
    with database.reading() as session:
        assert units.find(session, "X") is None


def test_a_write_inside_a_write_is_an_error(database):
    """A thread that is writing already is told so instead of waiting for itself; afterwards it may write again."""
    with database.writing(), pytest.raises(RuntimeError, match="already"), database.writing():
        raise AssertionError("not reached")
    with database.writing() as session:
        units.save(session, Unit(code="X", name="X"))


def test_the_tables_are_understood_by_postgresql():
    """Nothing in the tables is known to SQLite only."""
    for table in schema.metadata.sorted_tables:
        said = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert table.name in said
        assert all(len(index.name) <= 63 for index in table.indexes)


def test_a_reader_sees_one_state(database):
    """What is written while somebody reads does not appear in the middle of that reading."""
    with database.reading() as session:
        assert len(units.every(session)) == 3
        with database.writing() as writer:
            units.save(writer, Unit(code="X", name="X"))
        assert len(units.every(session)) == 3
    with database.reading() as session:
        assert len(units.every(session)) == 4


def test_times_come_back_in_utc(database):
    """A time with another offset comes back as the same moment in aware UTC; one without a zone is refused."""
    there = datetime(2026, 11, 23, 17, 0, 0, 123456, tzinfo=timezone(timedelta(hours=7)))
    row = {"name": "", "address": "", "what": "x", "subject": "", "outcome": "done", "detail": ""}
    with database.writing() as session:
        session.execute(insert(tables.audit).values(at=there, **row))
    with database.reading() as session:
        back = session.scalar(select(tables.audit.c.at))
    assert back == there
    assert back.tzinfo is UTC
    with pytest.raises(StatementError), database.writing() as session:
        session.execute(insert(tables.audit).values(at=there.replace(tzinfo=None), **row))


def test_a_damaged_file_is_not_opened(tmp_path):
    """A file that SQLite's own check refuses stops the start instead of being written on."""
    path = tmp_path / "loa.db"
    database = Database(f"sqlite:///{path}")
    database.start()
    with database.writing() as session:
        for number in range(400):
            units.save(session, Unit(code=f"U{number}", name="x" * 200))
    database.stop()
    content = bytearray(path.read_bytes())
    content[8192:20480] = b"\xff" * 12288
    path.write_bytes(content)
    broken = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseDamaged):
        broken.start()
    broken.stop()


@pytest.mark.parametrize(
    "url", ["nonsense", "", "nosuch://x", "postgresql+nosuch://x", "postgresql+psycopg://loa@127.0.0.1:1/loa"]
)
def test_a_database_that_cannot_be_reached_is_a_finding(url):
    """Whoever set LOA_DATABASE_URL is told in a sentence what is wrong with it."""
    with pytest.raises(ConfigError) as found:
        Database(url).start()
    assert found.value.findings[0].where == "LOA_DATABASE_URL"


def test_a_copy_is_whole(database, tmp_path):
    """A copy made while the database is open can be started like the original."""
    database.copy(tmp_path / "copy.db")
    copy = Database(f"sqlite:///{tmp_path / 'copy.db'}")
    copy.start()
    with copy.reading() as session:
        assert len(units.every(session)) == 3
    copy.stop()
