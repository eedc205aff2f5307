"""Loudspeaker stations, as their units set them up."""

from __future__ import annotations

from datetime import time
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from schedules.station import DaySpan, Station, StationCode
from store import tables
from store.rows import changed


def save(session: Session, station: Station) -> None:
    """Add the station, or change it where the code is known. The caller bumps the intent."""
    table = tables.station
    values = {
        "name": station.name,
        "unit": station.unit,
        "zone": station.zone,
        "permitted": [[span.start.isoformat(), span.end.isoformat()] for span in station.permitted],
        "self_approval": station.self_approval,
    }
    if changed(session, update(table).where(table.c.code == station.code).values(**values)) == 0:
        session.execute(insert(table).values(code=station.code, **values))


def find(session: Session, code: StationCode) -> Station | None:
    """Return the station, or None."""
    row = session.execute(select(tables.station).where(tables.station.c.code == code)).one_or_none()
    return None if row is None else _station(row)


def every(session: Session) -> tuple[Station, ...]:
    """Return all stations in order of code."""
    return tuple(_station(row) for row in session.execute(select(tables.station).order_by(tables.station.c.code)))


def _station(row: Row[Any]) -> Station:
    return Station(
        code=row.code,
        name=row.name,
        unit=row.unit,
        zone=row.zone,
        permitted=tuple(
            DaySpan(start=time.fromisoformat(start), end=time.fromisoformat(end)) for start, end in row.permitted
        ),
        self_approval=row.self_approval,
    )
