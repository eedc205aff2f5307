"""Duties: what must air, by which order."""

from __future__ import annotations

from datetime import time

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from schedules.duty import Duty, DutyWindow, Period
from store import tables
from store.rows import changed


def save(session: Session, duty: Duty) -> None:
    """Add the duty, or change it where the code is known. The caller bumps the intent."""
    table = tables.duty
    values = {
        "name": duty.name,
        "owner": duty.owner,
        "stations": list(duty.stations),
        "programme": duty.programme,
        "since": duty.since,
        "count": duty.count,
        "period": duty.period.value,
        "windows": [
            {"weekday": window.weekday, "start": window.start.isoformat(), "end": window.end.isoformat()}
            for window in duty.windows
        ],
        "document": duty.document,
        "topic_prefix": duty.topic_prefix,
    }
    if changed(session, update(table).where(table.c.code == duty.code).values(**values)) == 0:
        session.execute(insert(table).values(code=duty.code, **values))


def remove(session: Session, code: str) -> bool:
    """Remove the duty; True where there was one. The caller bumps the intent."""
    return changed(session, delete(tables.duty).where(tables.duty.c.code == code)) == 1


def every(session: Session) -> tuple[Duty, ...]:
    """Return all duties in order of code."""
    rows = session.execute(select(tables.duty).order_by(tables.duty.c.code))
    return tuple(
        Duty(
            code=row.code,
            name=row.name,
            owner=row.owner,
            stations=tuple(row.stations),
            programme=row.programme,
            since=row.since,
            count=row._mapping["count"],
            period=Period(row.period),
            windows=tuple(
                DutyWindow(
                    weekday=window["weekday"],
                    start=time.fromisoformat(window["start"]),
                    end=time.fromisoformat(window["end"]),
                )
                for window in row.windows
            ),
            document=row.document,
            topic_prefix=row.topic_prefix,
        )
        for row in rows
    )
