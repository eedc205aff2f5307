"""The database file: migrations, the two ways in, and time that keeps its zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, inspect, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.schema import CreateTable

from schedules.errors import ConfigError
from schedules.station import Unit
from store import tables, units
from store.database import Database, DatabaseDamaged, _alembic


def test_migrations_give_exactly_the_tables(database):
    """What the migrations build is what the code expects: no table, column or index differs."""
    with database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


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
    for table in tables.metadata.sorted_tables:
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
