"""The database itself: engines, migration at start, and the two ways in: reading, and writing one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from schedules.errors import ConfigError, LoaError
from schedules.findings import Finding, Severity
from schedules.text import Text

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 5000


class DatabaseDamaged(LoaError):
    """The database file does not pass SQLite's own check: it must be restored from a backup."""


class Database:
    """The authority's database. `start` before use; one process holds it (the lock on DATA sees to that).

    SQLite: one writing connection, several reading ones that cannot write. Everything else: one pool.
    """

    def __init__(self, url: str | URL) -> None:
        self._url = _url(url)
        self._writing = threading.Lock()
        self._owner: int | None = None
        self._writer: Engine | None = None
        self._reader: Engine | None = None

    @property
    def sqlite(self) -> bool:
        """Whether this is a SQLite file."""
        return self._url.get_backend_name() == "sqlite"

    def start(self) -> None:
        """Open, check and migrate. Raises DatabaseDamaged where the file is broken, ConfigError where none answers."""
        try:
            self._open()
            self._migrate()
        except (ArgumentError, ImportError) as error:
            raise ConfigError(_no_database(str(error))) from error
        except OperationalError as error:
            if self.sqlite:
                raise
            raise ConfigError(_no_database(str(error.orig))) from error

    def _open(self) -> None:
        if self.sqlite:
            self._writer = create_engine(self._url, pool_size=1, max_overflow=0)
            self._reader = create_engine(self._url, pool_size=4, max_overflow=16)
            event.listen(self._writer, "connect", _prepare_writer)
            event.listen(self._writer, "begin", _begin_immediate)
            event.listen(self._reader, "connect", _prepare_reader)
            event.listen(self._reader, "begin", _begin)
        else:
            self._writer = self._reader = create_engine(self._url, pool_pre_ping=True)

    def stop(self) -> None:
        """Close every connection."""
        for engine in {self._writer, self._reader} - {None}:
            assert engine is not None
            engine.dispose()
        self._writer = self._reader = None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session on one consistent state; on SQLite a write in it fails."""
        if self._reader is None:
            raise RuntimeError("the database is not started")
        with Session(self._reader) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are all kept at the end, or none of them when an exception leaves it."""
        if self._writer is None:
            raise RuntimeError("the database is not started")
        if self._owner == threading.get_ident():
            # It would wait for itself for ever.
            raise RuntimeError("this thread is writing already")
        with self._writing:
            self._owner = threading.get_ident()
            try:
                with Session(self._writer) as session, session.begin():
                    yield session
            finally:
                self._owner = None

    def copy(self, target: Path) -> None:
        """Write a consistent copy of a SQLite database while it is in use. `target` must not exist."""
        if self._writer is None or not self.sqlite:
            raise RuntimeError("only an open SQLite database can be copied to a file")
        with self._writing, self._writer.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            cursor = raw.cursor()
            cursor.execute("VACUUM INTO ?", (str(target),))
            cursor.close()

    def _migrate(self) -> None:
        assert self._writer is not None
        with self._writer.connect() as connection:
            config = _alembic(connection)
            newest = ScriptDirectory.from_config(config).get_current_head()
            if self.sqlite:
                _check(connection)
            present = MigrationContext.configure(connection).get_current_revision()
            connection.rollback()
            if present == newest:
                return
            if present is not None and self.sqlite and self._url.database:
                self._keep_a_copy(connection, Path(f"{self._url.database}.before-{newest}"))
            if self.sqlite:
                # A batch migration rebuilds tables: with foreign keys on, dropping the old one empties its children.
                _pragma(connection, "PRAGMA foreign_keys=OFF")
            command.upgrade(config, "head")
            connection.commit()
            if self.sqlite:
                _pragma(connection, "PRAGMA foreign_keys=ON")
                broken = connection.execute(text("PRAGMA foreign_key_check")).first()
                if broken is not None:
                    raise DatabaseDamaged(f"after the migration to {newest} a row points nowhere: {tuple(broken)}")

    def _keep_a_copy(self, connection: Connection, target: Path) -> None:
        target.unlink(missing_ok=True)
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.cursor().execute("VACUUM INTO ?", (str(target),))


def _url(url: str | URL) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise ConfigError(_no_database("not the address of a database")) from error


def _no_database(reason: str) -> Finding:
    message = Text(f"Không mở được cơ sở dữ liệu: {reason}", f"The database cannot be opened: {reason}")
    hint = Text(
        "Ví dụ: postgresql+psycopg://loa@127.0.0.1/loa. Bỏ LOA_DATABASE_URL để dùng DATA/loa.db.",
        "For example postgresql+psycopg://loa@127.0.0.1/loa. Leave LOA_DATABASE_URL out to use DATA/loa.db.",
    )
    return Finding(
        code="database_unreachable", severity=Severity.ERROR, where="LOA_DATABASE_URL", message=message, hint=hint
    )


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _check(connection: Connection) -> None:
    try:
        found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    except DatabaseError as error:
        raise DatabaseDamaged(str(error.orig)) from error
    if found != "ok":
        raise DatabaseDamaged(str(found))


def _pragma(connection: Connection, statement: str) -> None:
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.cursor().execute(statement)


def _prepare_writer(raw: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver's own way of opening transactions is too late for BEGIN IMMEDIATE.
    raw.isolation_level = None
    cursor = raw.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _prepare_reader(raw: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    raw.isolation_level = None
    cursor = raw.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    cursor.execute("PRAGMA query_only=ON")
    # Checkpoints by one connection only: two at once can damage the file in SQLite before 3.51.3.
    cursor.execute("PRAGMA wal_autocheckpoint=0")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
