"""Single airings that named persons ordered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.orm import Session

from schedules.grid import OneOff, Timing
from schedules.segment import Priority, SegmentId
from schedules.station import StationCode
from store import tables
from store.rows import changed

_TABLE = tables.one_off


def order(session: Session, one_off: OneOff, *, person: str) -> None:
    """Keep the order of the person with that id. The caller bumps the intent."""
    session.execute(
        insert(_TABLE).values(
            id=one_off.id,
            station=one_off.station,
            segment=one_off.segment,
            start=one_off.start,
            timing=one_off.timing.value,
            ordered_by=person,
            ordered_at=one_off.ordered_at,
            priority=one_off.priority.value,
        )
    )


def cancel(session: Session, one_off: str, *, person: str, now: datetime) -> bool:
    """Take it out; False where it is unknown or was taken out before. The caller bumps the intent."""
    return (
        changed(
            session,
            update(_TABLE)
            .where(_TABLE.c.id == one_off, _TABLE.c.cancelled_at.is_(None))
            .values(cancelled_by=person, cancelled_at=now),
        )
        == 1
    )


def find(session: Session, one_off: str) -> OneOff | None:
    """Return it, cancelled or not, or None."""
    row = session.execute(_select().where(_TABLE.c.id == one_off)).one_or_none()
    return None if row is None else _one_off(row)


def since(session: Session, moment: datetime, stations: Collection[StationCode] | None = None) -> tuple[OneOff, ...]:
    """Return those that start at `moment` or later, in order of start. stations: None for all."""
    query = _select().where(_TABLE.c.start >= moment)
    if stations is not None:
        query = query.where(_TABLE.c.station.in_(stations))
    rows = session.execute(query.order_by(_TABLE.c.start, _TABLE.c.id))
    return tuple(_one_off(row) for row in rows)


def of_segment(session: Session, segment: SegmentId) -> tuple[OneOff, ...]:
    """Return the orders for one recording, newest start first."""
    rows = session.execute(_select().where(_TABLE.c.segment == segment).order_by(_TABLE.c.start.desc()))
    return tuple(_one_off(row) for row in rows)


def of_station(session: Session, station: StationCode, start: datetime, end: datetime) -> tuple[OneOff, ...]:
    """Return those of one station that start in `[start, end)`, in order."""
    rows = session.execute(
        _select()
        .where(_TABLE.c.station == station, _TABLE.c.start >= start, _TABLE.c.start < end)
        .order_by(_TABLE.c.start, _TABLE.c.id)
    )
    return tuple(_one_off(row) for row in rows)


def _select() -> Select[Any]:
    ordered = tables.person.alias("ordered")
    cancelled = tables.person.alias("cancelled")
    return (
        select(_TABLE, ordered.c.full_name.label("orderer"), cancelled.c.full_name.label("canceller"))
        .join(ordered, ordered.c.id == _TABLE.c.ordered_by)
        .outerjoin(cancelled, cancelled.c.id == _TABLE.c.cancelled_by)
    )


def _one_off(row: Row[Any]) -> OneOff:
    return OneOff(
        id=row.id,
        station=row.station,
        segment=row.segment,
        start=row.start,
        timing=Timing(row.timing),
        ordered_by=row.orderer,
        ordered_at=row.ordered_at,
        cancelled_by=row.canceller,
        cancelled_at=row.cancelled_at,
        priority=Priority(row.priority),
    )
