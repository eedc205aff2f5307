"""A small authority in a real SQLite file: one centre, two communes, a programme and five people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schedules.programme import Programme
from schedules.station import Station, Unit
from store import accounts, programmes, stations, units
from store.accounts import Role
from store.database import Database

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'loa.db'}")
    database.start()
    with database.writing() as session:
        units.save(session, Unit(code="MINHLONG", name="Minh Long"))
        for code, name in (("LONGHIEP", "Long Hiệp"), ("LONGMAI", "Long Mai")):
            units.save(session, Unit(code=code, name=name, parent="MINHLONG"))
            stations.save(session, Station(code=code, name=f"Đài {name}", unit=code))
        programmes.save(session, Programme(code="CDS", name="Chuyển đổi số"))
    yield database
    database.stop()


@pytest.fixture
def now():
    """The moment at which everything in these tests happens."""
    return NOW


@pytest.fixture
def people(database):
    with database.writing() as session:
        return {
            role: accounts.create(
                session, name=role.value, role=role, unit="LONGHIEP", full_name=f"Người {role.value}", now=NOW
            )
            for role in Role
        }
