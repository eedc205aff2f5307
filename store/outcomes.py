"""The authority's copy of how duties ended, as stations sealed them: a projection of their journals."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from schedules.duty import DutyOutcome
from schedules.station import StationCode
from store import tables
from store.shapes import dump, load

_TABLE = tables.duty_outcome


def record(session: Session, station: StationCode, seq: int, row_hash: str, outcome: DutyOutcome) -> bool:
    """Copy a duty row; False where the row with that number is here already."""
    known = session.scalar(select(_TABLE.c.hash).where(_TABLE.c.station == station, _TABLE.c.seq == seq))
    if known is not None:
        return False
    session.execute(
        insert(_TABLE).values(
            station=station,
            seq=seq,
            hash=row_hash,
            duty=outcome.duty,
            period=outcome.period,
            state=outcome.state.value,
            deadline=outcome.deadline,
            body=dump(outcome),
        )
    )
    return True


def last_seq(session: Session, station: StationCode) -> int:
    """Return the number of the newest duty row that was copied, 0 where there is none."""
    return session.scalar(select(func.max(_TABLE.c.seq)).where(_TABLE.c.station == station)) or 0


def forget(session: Session, station: StationCode) -> None:
    """Empty the copy of one station, to rebuild it from its journal."""
    session.execute(delete(_TABLE).where(_TABLE.c.station == station))


def listing(
    session: Session,
    *,
    stations: Collection[StationCode],
    periods: Collection[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> tuple[DutyOutcome, ...]:
    """Return outcomes in order of deadline. periods: only of these; start, end: whose deadline is in `[start, end)`.

    What a station sealed first stands, should one ever be there twice.
    """
    query = select(_TABLE.c.body).where(_TABLE.c.station.in_(stations))
    query = query.order_by(_TABLE.c.deadline, _TABLE.c.station, _TABLE.c.duty, _TABLE.c.seq)
    if periods is not None:
        query = query.where(_TABLE.c.period.in_(periods))
    if start is not None:
        query = query.where(_TABLE.c.deadline >= start)
    if end is not None:
        query = query.where(_TABLE.c.deadline < end)
    found: dict[tuple[str, str, str], DutyOutcome] = {}
    for body in session.scalars(query):
        outcome = load(DutyOutcome, body)
        found.setdefault((outcome.duty, outcome.station, outcome.period), outcome)
    return tuple(found.values())
