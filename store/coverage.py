"""What really aired, counted by topic and month, and how duties stand: projections that can be rebuilt at any time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.airing import Verdict
from schedules.duty import DutyOutcome, DutyStanding, DutyState
from schedules.station import StationCode
from store import tables, tables_dispatches
from store.shapes import load

_MARK = tables_dispatches.airing_mark
_TOPIC = tables_dispatches.topic_airing
_NOW = tables_dispatches.duty_now
_ROWS = tables.airing
_OUTCOME = tables.duty_outcome
_AT_ONCE = 5000
_AGAIN = timedelta(minutes=10)


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


def count(session: Session, zones: Mapping[StationCode, str], *, since: datetime | None, limit: int = _AT_ONCE) -> int:
    """Count the rows that came since the last time, of stations whose zone is known; return how many were read.

    since: only stations with a row planned since then are looked at; None for all of them, which reads an index whole.
    """
    newest = select(_ROWS.c.station, func.max(_ROWS.c.seq).label("seq")).group_by(_ROWS.c.station)
    if since is not None:
        newest = newest.where(_ROWS.c.planned_start >= since)
    marks = {row.station: row.seq for row in session.execute(select(_MARK.c.station, _MARK.c.seq))}
    read = 0
    for station, last in session.execute(newest).all():
        if station not in zones or last <= marks.get(station, 0):
            continue
        if read >= limit:
            break
        read += _count(session, station, ZoneInfo(zones[station]), marks.get(station), last, limit - read)
    return read


def forget(session: Session, station: StationCode) -> None:
    """Empty the counts of a station, to count its rows anew."""
    for table in (_MARK, _TOPIC):
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


def note_standings(session: Session, said: Mapping[StationCode, Collection[DutyStanding]], now: datetime) -> int:
    """Keep how the duties of these stations stand, in place of what they said before; return how many differed.

    What did not change is written again only now and then, so that it is known to be fresh.
    """
    known = {
        (row.station, row.duty, row.period): row
        for row in session.execute(select(_NOW.c.station, _NOW.c.duty, _NOW.c.period, _NOW.c.state, _NOW.c.looked_at))
    }
    current = {(code, one.duty, one.period): one for code, those in said.items() for one in those}
    gone = [key for key in known if key[0] in said and key not in current]
    for code, duty, period in gone:
        session.execute(delete(_NOW).where(_NOW.c.station == code, _NOW.c.duty == duty, _NOW.c.period == period))
    new = []
    again = []
    for key, one in current.items():
        before = known.get(key)
        values = {"state": one.state.value, "deadline": one.deadline, "looked_at": now}
        if before is None:
            new.append({"station": key[0], "duty": key[1], "period": key[2], **values})
        elif before.state != one.state.value or now - before.looked_at >= _AGAIN:
            again.append({"of_station": key[0], "of_duty": key[1], "of_period": key[2], **values})
    if new:
        session.execute(insert(_NOW), new)
    if again:
        session.connection().execute(
            update(_NOW).where(
                _NOW.c.station == bindparam("of_station"),
                _NOW.c.duty == bindparam("of_duty"),
                _NOW.c.period == bindparam("of_period"),
            ),
            again,
        )
    return len(gone) + len(new) + len(again)


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


def _count(session: Session, station: StationCode, zone: ZoneInfo, mark: int | None, last: int, limit: int) -> int:
    rows = session.execute(
        select(
            _ROWS.c.seq,
            _ROWS.c.planned_start,
            _ROWS.c.began,
            _ROWS.c.seconds,
            _ROWS.c.rehearsal,
            _ROWS.c.body["topics"].label("topics"),
        )
        .where(
            _ROWS.c.station == station,
            _ROWS.c.seq > (mark or 0),
            _ROWS.c.seq <= last,
            _ROWS.c.verdict == Verdict.AIRED.value,
        )
        .order_by(_ROWS.c.seq)
        .limit(limit)
    ).all()
    counted: dict[tuple[str, str, bool], list[tuple[datetime, float]]] = defaultdict(list)
    for row in rows:
        at = row.began or row.planned_start
        for topic in dict.fromkeys(row.topics or ()):
            counted[f"{at.astimezone(zone):%Y-%m}", str(topic)[:40], row.rehearsal].append((at, row.seconds or 0.0))
    for (month, topic, rehearsal), those in counted.items():
        _add(session, station, month, topic, rehearsal=rehearsal, those=those)
    reached = rows[-1].seq if len(rows) == limit else last
    if mark is None:
        session.execute(insert(_MARK).values(station=station, seq=reached))
    else:
        session.execute(update(_MARK).where(_MARK.c.station == station).values(seq=reached))
    return len(rows) + 1


def _add(
    session: Session,
    station: StationCode,
    month: str,
    topic: str,
    *,
    rehearsal: bool,
    those: Sequence[tuple[datetime, float]],
) -> None:
    where = and_(
        _TOPIC.c.station == station,
        _TOPIC.c.month == month,
        _TOPIC.c.topic == topic,
        _TOPIC.c.rehearsal == rehearsal,
    )
    seconds = sum(length for _at, length in those)
    latest = max(at for at, _length in those)
    known = session.execute(select(_TOPIC.c.last_at).where(where)).one_or_none()
    if known is None:
        session.execute(
            insert(_TOPIC).values(
                station=station,
                month=month,
                topic=topic,
                rehearsal=rehearsal,
                airings=len(those),
                seconds=seconds,
                last_at=latest,
            )
        )
        return
    session.execute(
        update(_TOPIC)
        .where(where)
        .values(
            airings=_TOPIC.c.airings + len(those),
            seconds=_TOPIC.c.seconds + seconds,
            last_at=max(known.last_at, latest),
        )
    )
