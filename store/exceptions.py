"""Exceptions to sessions: one date, or all from a date on, cancelled or moved; taken back they stay for the past."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.grid import Change, SessionException, SessionRule
from schedules.station import StationCode
from store import tables
from store.identity import new_id
from store.rows import changed

_TABLE = tables.session_exception


def decide(session: Session, exception: SessionException, now: datetime) -> SessionException:
    """Put the exception in force from `now` on, under an id of its own, and return it. The caller bumps the intent."""
    made = replace(exception, id=exception.id or new_id(), since=now, until=None)
    _insert(session, made)
    return made


def take_back(session: Session, exception: str, now: datetime) -> bool:
    """End it at `now`; False where it is unknown or has ended. The caller bumps the intent."""
    statement = update(_TABLE).where(_TABLE.c.id == exception, _TABLE.c.until.is_(None))
    return changed(session, statement.values(until=now)) == 1


def find(session: Session, exception: str) -> SessionException | None:
    """Return it, ended or not, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == exception)).one_or_none()
    return None if row is None else _exception(row)


def in_force(session: Session, station: StationCode) -> tuple[SessionException, ...]:
    """Return those of the station that nobody took back and that meet a session in force, in order of date."""
    rule = tables.session_rule
    rows = session.execute(
        select(_TABLE)
        .join(rule, and_(rule.c.station == _TABLE.c.station, rule.c.id == _TABLE.c.session))
        .where(
            _TABLE.c.station == station,
            _TABLE.c.until.is_(None),
            rule.c.until.is_(None),
            or_(_TABLE.c.following.is_(True), rule.c.valid_until.is_(None), _TABLE.c.day <= rule.c.valid_until),
        )
        .order_by(_TABLE.c.day, _TABLE.c.since, _TABLE.c.id)
    )
    return tuple(_exception(row) for row in rows)


def since(
    session: Session, moment: datetime, day: date, stations: Collection[StationCode] | None = None
) -> tuple[SessionException, ...]:
    """Return those that were in force at `moment` or later and touch `day` or a later date. stations: None for all."""
    query = select(_TABLE).where(
        or_(_TABLE.c.until.is_(None), _TABLE.c.until > moment),
        or_(_TABLE.c.following.is_(True), _TABLE.c.day >= day, _TABLE.c.to_day >= day),
    )
    if stations is not None:
        query = query.where(_TABLE.c.station.in_(stations))
    rows = session.execute(query.order_by(_TABLE.c.station, _TABLE.c.day, _TABLE.c.since, _TABLE.c.id))
    return tuple(_exception(row) for row in rows)


def carry_over(session: Session, old: SessionRule, new: SessionRule, *, from_day: date | None = None) -> None:
    """Let what was decided about the session `old` hold for its next version `new` too.

    from_day: the first local date of the new version, before which the old one goes on; None: the old one has ended.
    The old one keeps what was decided about it: what it moved into the past stays there.
    """
    rows = session.execute(
        select(_TABLE).where(_TABLE.c.station == old.station, _TABLE.c.session == old.id, _TABLE.c.until.is_(None))
    )
    for exception in [_exception(row) for row in rows]:
        over = from_day is not None and exception.day < from_day and not exception.following
        if not over and (exception.number is None or exception.number <= len(new.starts)):
            # `since` stays: of several for one date, the one decided last holds, also under the new name.
            _insert(session, replace(exception, id=new_id(), session=new.id))


def _insert(session: Session, exception: SessionException) -> None:
    session.execute(
        insert(_TABLE).values(
            id=exception.id,
            station=exception.station,
            session=exception.session,
            day=exception.day,
            change=exception.change.value,
            following=exception.following,
            number=exception.number,
            to_day=exception.to_day,
            to_start=exception.to_start,
            reason=exception.reason,
            since=exception.since,
            until=exception.until,
        )
    )


def _exception(row: Row[Any]) -> SessionException:
    return SessionException(
        id=row.id,
        station=row.station,
        session=row.session,
        day=row.day,
        change=Change(row.change),
        following=row.following,
        number=row.number,
        to_day=row.to_day,
        to_start=row.to_start,
        reason=row.reason,
        since=row.since,
        until=row.until,
    )
