"""Duties: what must air, by which order; each change is a new version, and none is ever rewritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from schedules.duty import Counting, Duty, DutyWindow, Period
from store import tables
from store.rows import changed
from store.shapes import dumps, loads

_TABLE = tables.duty


def save(session: Session, duty: Duty, now: datetime) -> Duty:
    """Put the duty in force and return it as it stands then. The caller bumps the intent.

    A code that no version in force has begins at the duty's own `since`, but not before an earlier version ended. A
    known one whose content differs ends at `now`, where the new version begins; the one in force when a period began
    goes on to govern it.
    """
    present = find(session, duty.code)
    if present is None:
        ended = max((known.until for known in _versions(session, duty.code) if known.until), default=duty.since)
        duty = replace(duty, since=max(duty.since, ended), until=None)
    elif replace(duty, since=present.since, until=None) == present:
        return present
    elif present.since >= now:
        # It never was in force: there is nothing to keep of it.
        session.execute(delete(_TABLE).where(_TABLE.c.code == duty.code, _TABLE.c.since == present.since))
        duty = replace(duty, since=present.since, until=None)
    else:
        remove(session, duty.code, now)
        duty = replace(duty, since=now, until=None)
    session.execute(insert(_TABLE).values(**_values(duty)))
    return duty


def remove(session: Session, code: str, now: datetime) -> bool:
    """End the duty at `now`; False where none is in force. The period that has begun is still owed.

    The caller bumps the intent.
    """
    return (
        changed(session, update(_TABLE).where(_TABLE.c.code == code, _TABLE.c.until.is_(None)).values(until=now)) == 1
    )


def find(session: Session, code: str) -> Duty | None:
    """Return the version of the duty that has not been ended, or None."""
    return next((duty for duty in _versions(session, code) if duty.until is None), None)


def in_force(session: Session) -> tuple[Duty, ...]:
    """Return the duties that have not been ended, one version each, in order of code."""
    return tuple(duty for duty in every(session) if duty.until is None)


def every(session: Session) -> tuple[Duty, ...]:
    """Return all duties with all their versions, in order of code and time."""
    return tuple(_duty(row) for row in session.execute(select(_TABLE).order_by(_TABLE.c.code, _TABLE.c.since)))


def _versions(session: Session, code: str) -> tuple[Duty, ...]:
    rows = session.execute(select(_TABLE).where(_TABLE.c.code == code).order_by(_TABLE.c.since))
    return tuple(_duty(row) for row in rows)


def _values(duty: Duty) -> dict[str, object]:
    return {
        "code": duty.code,
        "since": duty.since,
        "until": duty.until,
        "name": duty.name,
        "owner": duty.owner,
        "stations": list(duty.stations),
        "programme": duty.programme,
        "count": duty.count,
        "period": duty.period.value,
        "windows": dumps(duty.windows),
        "document": duty.document,
        "topic_prefix": duty.topic_prefix,
        "topics": list(duty.topics),
        "counting": duty.counting.value,
        "deadline_days": duty.deadline_days,
        "deadline_at": duty.deadline_at,
        "warn_days": duty.warn_days,
        "least_share": duty.least_share,
    }


def _duty(row: Row[Any]) -> Duty:
    return Duty(
        code=row.code,
        name=row.name,
        owner=row.owner,
        stations=tuple(row.stations),
        programme=row.programme,
        since=row.since,
        until=row.until,
        count=row._mapping["count"],
        period=Period(row.period),
        windows=loads(DutyWindow, row.windows),
        document=row.document,
        topic_prefix=row.topic_prefix,
        topics=tuple(row.topics),
        counting=Counting(row.counting),
        deadline_days=row.deadline_days,
        deadline_at=row.deadline_at,
        warn_days=row.warn_days,
        least_share=row.least_share,
    )
