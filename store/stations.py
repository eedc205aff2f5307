"""Loudspeaker stations, as their units set them up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import time
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from schedules.station import ClusterGroup, DaySpan, Limits, Station, StationCode
from store import tables
from store.rows import changed
from store.shapes import dump, dumps, load, loads


def save(session: Session, station: Station) -> None:
    """Add the station, or change it where the code is known. The caller bumps the intent."""
    table = tables.station
    values = {
        "name": station.name,
        "unit": station.unit,
        "zone": station.zone,
        "permitted": dumps(station.permitted),
        "self_approval": station.self_approval,
        "quiet": dumps(station.quiet),
        "limits": dump(station.limits),
        "groups": dumps(station.groups),
        "valid_from": station.valid_from,
        "valid_until": station.valid_until,
        "successor": station.successor,
        "ended_by": station.ended_by,
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


def of_codes(session: Session, codes: Collection[StationCode]) -> tuple[Station, ...]:
    """Return those of these codes, in order of code."""
    query = select(tables.station).where(tables.station.c.code.in_(codes)).order_by(tables.station.c.code)
    return tuple(_station(row) for row in session.execute(query))


def merged_into(session: Session, codes: Collection[StationCode]) -> frozenset[StationCode]:
    """Return the codes of the stations whose successor is one of these."""
    table = tables.station
    return frozenset(session.scalars(select(table.c.code).where(table.c.successor.in_(codes))))


def _station(row: Row[Any]) -> Station:
    return Station(
        code=row.code,
        name=row.name,
        unit=row.unit,
        zone=row.zone,
        permitted=_spans(row.permitted),
        self_approval=row.self_approval,
        quiet=_spans(row.quiet),
        limits=load(Limits, row.limits),
        groups=loads(ClusterGroup, row.groups),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        successor=row.successor,
        ended_by=row.ended_by,
    )


def _spans(stored: Sequence[Any]) -> tuple[DaySpan, ...]:
    # A pair of times is how the first version wrote a stretch, before stretches had weekdays.
    return tuple(
        load(DaySpan, span)
        if isinstance(span, dict)
        else DaySpan(start=time.fromisoformat(span[0]), end=time.fromisoformat(span[1]))
        for span in stored
    )
