"""Dates that are not ordinary ones: those of the law, computed anew at each start, and those that were decreed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.orm import Session

from schedules.grid import CalendarDay, DayKind
from store import tables
from store.rows import changed

_TABLE = tables.calendar_day
_DECREED = "decreed"
_NATIONAL = "national"


def decree(session: Session, day: CalendarDay) -> None:
    """Keep what a person entered for a date; the same kind on the same date is changed. The caller bumps the intent.

    It goes before what the law says of that date.
    """
    take_back(session, day.day, day.kind)
    session.execute(insert(_TABLE).values(**_values(day, _DECREED)))


def take_back(session: Session, day: date, kind: DayKind) -> bool:
    """Forget what a person entered; False where nothing was. The caller bumps the intent."""
    mine = (_TABLE.c.day == day, _TABLE.c.kind == kind.value, _TABLE.c.source == _DECREED)
    return changed(session, delete(_TABLE).where(*mine)) == 1


def set_national(session: Session, days: Iterable[CalendarDay], years: Iterable[int]) -> bool:
    """Write the days of the law for these years; True where anything changed, and the caller bumps the intent then.

    Days of other years are not taken, and what is known of other years, or was decreed, stays.
    """
    meant = frozenset(years)
    wanted = sorted({_order(day): day for day in days if day.day.year in meant}.values(), key=_order)
    present = [day for day in map(_day, _rows(session, _NATIONAL)) if day.day.year in meant]
    if present == wanted:
        return False
    for year in meant:
        of_year = _TABLE.c.day.between(date(year, 1, 1), date(year, 12, 31))
        session.execute(delete(_TABLE).where(_TABLE.c.source == _NATIONAL, of_year))
    for day in wanted:
        session.execute(insert(_TABLE).values(**_values(day, _NATIONAL)))
    return True


def decreed(session: Session) -> tuple[CalendarDay, ...]:
    """Return what people entered, in order of date."""
    return tuple(_day(row) for row in _rows(session, _DECREED))


def every(session: Session) -> tuple[CalendarDay, ...]:
    """Return what holds, in order of date: where something was decreed of a date, only that."""
    entered = decreed(session)
    dates = {day.day for day in entered}
    national = [_day(row) for row in _rows(session, _NATIONAL) if row.day not in dates]
    return tuple(sorted([*entered, *national], key=_order))


def _rows(session: Session, source: str) -> list[Row[Any]]:
    query = select(_TABLE).where(_TABLE.c.source == source).order_by(_TABLE.c.day, _TABLE.c.kind)
    return list(session.execute(query))


def _order(day: CalendarDay) -> tuple[date, str]:
    return day.day, day.kind.value


def _values(day: CalendarDay, source: str) -> dict[str, object]:
    return {
        "day": day.day,
        "kind": day.kind.value,
        "source": source,
        "name": day.name,
        "works_as": day.works_as,
        "document": day.document,
    }


def _day(row: Row[Any]) -> CalendarDay:
    return CalendarDay(day=row.day, kind=DayKind(row.kind), name=row.name, works_as=row.works_as, document=row.document)
