"""What really aired, counted by recording and by topic and month: projections of the air log, rebuilt at any time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.airing import Verdict
from schedules.clock import utc
from schedules.duty import DutyOutcome, DutyStanding, DutyState
from schedules.station import Station, StationCode
from store import tables, tables_dispatches
from store.rows import changed
from store.shapes import load

_MARK = tables_dispatches.airing_mark
_SEGMENT = tables_dispatches.segment_airing
_TOPIC = tables_dispatches.topic_airing
_NOW = tables_dispatches.duty_now
_ROWS = tables.airing
_OUTCOME = tables.duty_outcome
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMonth:
    """How often a topic aired whole in a local month, at all the stations that were asked about."""

    month: str
    topic: str
    airings: int
    seconds: float
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a duty stands or ended in a period at a station. seq: of the row that sealed it, None while it goes on."""

    station: StationCode
    duty: str
    period: str
    state: DutyState
    seq: int | None = None


def count(session: Session, station: Station) -> int:
    """Count the rows of a station that came since the last time; return how many. Does nothing where none came."""
    mark = session.scalar(select(_MARK.c.seq).where(_MARK.c.station == station.code)) or 0
    rows = session.execute(
        select(_ROWS).where(_ROWS.c.station == station.code, _ROWS.c.seq > mark).order_by(_ROWS.c.seq).limit(_AT_ONCE)
    ).all()
    if not rows:
        return 0
    zone = ZoneInfo(station.zone)
    for row in rows:
        _count(session, row, zone)
    last = rows[-1].seq
    if changed(session, update(_MARK).where(_MARK.c.station == station.code).values(seq=last)) == 0:
        session.execute(insert(_MARK).values(station=station.code, seq=last))
    return len(rows)


def is_behind(session: Session, station: StationCode) -> bool:
    """Return whether rows of a station are not counted yet."""
    mark = session.scalar(select(_MARK.c.seq).where(_MARK.c.station == station)) or 0
    there = select(_ROWS.c.seq).where(_ROWS.c.station == station, _ROWS.c.seq > mark).limit(1)
    return session.scalar(there) is not None


def forget(session: Session, station: StationCode) -> None:
    """Empty the counts of a station, to count its rows anew."""
    for table in (_MARK, _SEGMENT, _TOPIC):
        session.execute(delete(table).where(table.c.station == station))


def months(
    session: Session, stations: Collection[StationCode], *, since: str, rehearsals: bool
) -> tuple[TopicMonth, ...]:
    """Return the topics that aired whole since a month, in order. rehearsals: those on virtual outputs count too."""
    query = (
        select(
            _TOPIC.c.month,
            _TOPIC.c.topic,
            func.sum(_TOPIC.c.airings).label("n"),
            func.sum(_TOPIC.c.seconds).label("s"),
            func.max(_TOPIC.c.last_at).label("last"),
        )
        .where(_TOPIC.c.station.in_(stations), _TOPIC.c.month >= since)
        .group_by(_TOPIC.c.month, _TOPIC.c.topic)
        .order_by(_TOPIC.c.month, _TOPIC.c.topic)
    )
    if not rehearsals:
        query = query.where(_TOPIC.c.rehearsal.is_(False))
    return tuple(
        TopicMonth(month=row.month, topic=row.topic, airings=row.n, seconds=row.s, last_at=row.last)
        for row in session.execute(query)
    )


def note_standings(session: Session, station: StationCode, standings: Collection[DutyStanding], now: datetime) -> None:
    """Keep how the duties of a station stand now, in place of what it said before."""
    session.execute(delete(_NOW).where(_NOW.c.station == station))
    if standings:
        session.execute(
            insert(_NOW),
            [
                {
                    "station": station,
                    "duty": one.duty,
                    "period": one.period,
                    "state": one.state.value,
                    "deadline": one.deadline,
                    "looked_at": now,
                }
                for one in standings
            ],
        )


def standings(session: Session, periods: Collection[str], *, since: datetime) -> tuple[Standing, ...]:
    """Return how duties stand or ended in these periods, at every station, in one look.

    since: what a station said of a period that goes on before that moment is too old to be shown.
    """
    ended = select(
        _OUTCOME.c.station, _OUTCOME.c.duty, _OUTCOME.c.period, _OUTCOME.c.state, _OUTCOME.c.seq.label("seq")
    ).where(_OUTCOME.c.period.in_(periods))
    found: dict[tuple[str, str, str], Standing] = {}
    present = select(_NOW.c.station, _NOW.c.duty, _NOW.c.period, _NOW.c.state)
    for said in session.execute(present.where(_NOW.c.period.in_(periods), _NOW.c.looked_at >= since)):
        found[said.station, said.duty, said.period] = Standing(
            station=said.station, duty=said.duty, period=said.period, state=DutyState(said.state)
        )
    # What was sealed first stands, and goes before what was said while the period went on.
    for row in session.execute(ended.order_by(_OUTCOME.c.seq.desc())):
        found[row.station, row.duty, row.period] = Standing(
            station=row.station, duty=row.duty, period=row.period, state=DutyState(row.state), seq=row.seq
        )
    return tuple(found.values())


def outcome(session: Session, station: StationCode, seq: int) -> DutyOutcome | None:
    """Return a sealed outcome whole."""
    body = session.scalar(select(_OUTCOME.c.body).where(_OUTCOME.c.station == station, _OUTCOME.c.seq == seq))
    return None if body is None else load(DutyOutcome, body)


def looked_at(session: Session) -> Mapping[StationCode, datetime]:
    """Return when each station was asked about its duties last."""
    rows = session.execute(select(_NOW.c.station, func.max(_NOW.c.looked_at).label("at")).group_by(_NOW.c.station))
    return {row.station: row.at for row in rows}


def _count(session: Session, row: Row[Any], zone: ZoneInfo) -> None:
    body: Mapping[str, Any] = row.body
    started = None if body["started_at"] is None else utc(datetime.fromisoformat(body["started_at"]))
    if body["segment"] is not None:
        session.execute(
            insert(_SEGMENT).values(
                station=row.station,
                seq=row.seq,
                segment=body["segment"],
                slot=row.slot,
                planned_start=row.planned_start,
                started_at=started,
                verdict=row.verdict,
                rehearsal=row.rehearsal,
            )
        )
    if row.verdict != Verdict.AIRED.value:
        return
    at = started or row.planned_start
    month = f"{at.astimezone(zone):%Y-%m}"
    for topic in dict.fromkeys(body["topics"]):
        key = (
            _TOPIC.c.station == row.station,
            _TOPIC.c.month == month,
            _TOPIC.c.topic == topic,
            _TOPIC.c.rehearsal == row.rehearsal,
        )
        more = {
            "airings": _TOPIC.c.airings + 1,
            "seconds": _TOPIC.c.seconds + body["seconds_aired"],
            "last_at": at,
        }
        if changed(session, update(_TOPIC).where(*key, _TOPIC.c.last_at <= at).values(**more)) == 0:
            later = {"airings": more["airings"], "seconds": more["seconds"]}
            if changed(session, update(_TOPIC).where(*key).values(**later)) == 0:
                session.execute(
                    insert(_TOPIC).values(
                        station=row.station,
                        month=month,
                        topic=topic,
                        rehearsal=row.rehearsal,
                        airings=1,
                        seconds=body["seconds_aired"],
                        last_at=at,
                    )
                )
