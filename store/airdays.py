"""Days on air: what was due and what was heard a station and local day, a projection of the air log for silent days."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.airing import Verdict
from schedules.silence import AirDay, Outcome, air_days, joined
from schedules.station import StationCode
from schedules.text import Text
from store import tables, tables_equipment

_TABLE = tables_equipment.air_day
_AIRING = tables.airing
_BATCH = 2000


def follow(session: Session, station: StationCode, zone: str, *, demo: bool) -> bool:
    """Count in the station's newest rows of the air log, at most `_BATCH`; whether there may be more.

    demo: rehearsals count as heard, as they do for duties.
    """
    counted = session.scalar(select(func.max(_TABLE.c.seq)).where(_TABLE.c.station == station)) or 0
    rows = session.execute(
        select(
            _AIRING.c.seq,
            _AIRING.c.verdict,
            _AIRING.c.planned_start,
            _AIRING.c.rehearsal,
            _AIRING.c.body["reason"]["vi"].as_string().label("reason_vi"),
            _AIRING.c.body["reason"]["en"].as_string().label("reason_en"),
        )
        .where(_AIRING.c.station == station, _AIRING.c.seq > counted)
        .order_by(_AIRING.c.seq)
        .limit(_BATCH)
    ).all()
    if not rows:
        return False
    fresh = air_days((_outcome(row, demo) for row in rows), zone)
    for one in fresh:
        _count_in(session, station, one, rows[-1].seq)
    if not fresh:
        # Only rows that were not due: they must not be read again and again.
        newest = select(func.max(_TABLE.c.day)).where(_TABLE.c.station == station).scalar_subquery()
        session.execute(
            update(_TABLE).where(_TABLE.c.station == station, _TABLE.c.day == newest).values(seq=rows[-1].seq)
        )
    return len(rows) == _BATCH and bool(fresh)


def behind(session: Session, station: StationCode) -> bool:
    """Return whether the air log of the station has rows that are not counted in."""
    newest = session.scalar(select(func.max(_AIRING.c.seq)).where(_AIRING.c.station == station)) or 0
    counted = session.scalar(select(func.max(_TABLE.c.seq)).where(_TABLE.c.station == station)) or 0
    return newest > counted


def between(
    session: Session, stations: Collection[StationCode], first: date, last: date
) -> Mapping[StationCode, tuple[AirDay, ...]]:
    """Return the days from `first` to `last` of each of these stations that has some."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.station.in_(stations), _TABLE.c.day >= first, _TABLE.c.day <= last)
        .order_by(_TABLE.c.station, _TABLE.c.day)
    )
    found: dict[StationCode, list[AirDay]] = {}
    for row in rows:
        found.setdefault(row.station, []).append(_day(row))
    return {station: tuple(days) for station, days in found.items()}


def count_silent(
    session: Session, stations: Collection[StationCode], first: date, last: date
) -> Mapping[StationCode, int]:
    """Return how many silent days each station had; those with none are left out."""
    rows = session.execute(
        select(_TABLE.c.station, func.count().label("n"))
        .where(_TABLE.c.station.in_(stations), _TABLE.c.heard == 0, _TABLE.c.day >= first, _TABLE.c.day <= last)
        .group_by(_TABLE.c.station)
    )
    return {row.station: row.n for row in rows}


def forget(session: Session, station: StationCode) -> None:
    """Empty the days of one station, to count them anew."""
    session.execute(delete(_TABLE).where(_TABLE.c.station == station))


def _count_in(session: Session, station: StationCode, fresh: AirDay, seq: int) -> None:
    where = (_TABLE.c.station == station, _TABLE.c.day == fresh.day)
    row = session.execute(select(_TABLE).where(*where)).one_or_none()
    whole = fresh if row is None else joined(_day(row), fresh)
    values = {
        "due": whole.due,
        "heard": whole.heard,
        "first": whole.first,
        "last": whole.last,
        "reason_vi": "" if whole.reason is None else whole.reason.vi[:2000],
        "reason_en": "" if whole.reason is None else whole.reason.en[:2000],
        "seq": seq,
    }
    if row is None:
        session.execute(insert(_TABLE).values(station=station, day=fresh.day, **values))
    else:
        session.execute(update(_TABLE).where(*where).values(**values))


def _outcome(row: Any, demo: bool) -> Outcome:  # noqa: ANN401 - a row of six columns
    return Outcome(
        planned_start=row.planned_start,
        verdict=Verdict(row.verdict),
        real=demo or not row.rehearsal,
        reason=Text(row.reason_vi, row.reason_en) if row.reason_vi else None,
    )


def _day(row: Row[Any]) -> AirDay:
    return AirDay(
        day=row.day,
        due=row.due,
        heard=row.heard,
        first=row.first,
        last=row.last,
        reason=Text(row.reason_vi, row.reason_en) if row.reason_vi else None,
    )
