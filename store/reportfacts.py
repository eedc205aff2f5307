"""What reports count, read from the columns beside the rows of the air log: never from their bodies, a year is long."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from schedules.airing import Verdict
from schedules.clock import Interval
from schedules.grid import ItemKind
from schedules.programme import ProgrammeCode
from schedules.report import SPOKEN, Broadcast, ItemCard, Troubles, marked_repeats
from schedules.segment import SegmentId
from schedules.station import Station, StationCode
from schedules.text import Text
from store import tables

_AIRING = tables.airing
_SEGMENT = tables.segment
_FAULT = tables.fault
_SOUNDED = (Verdict.AIRED.value, Verdict.PARTIAL.value)
_SOME = 500
_VERDICTS = {verdict.value: verdict for verdict in Verdict}


def first_day(session: Session, station: Station) -> date | None:
    """Return the local day of the station's first row, None where it has none."""
    found = session.scalar(select(func.min(_AIRING.c.planned_start)).where(_AIRING.c.station == station.code))
    return None if found is None else found.astimezone(ZoneInfo(station.zone)).date()


def broadcasts(
    session: Session, station: StationCode, during: Interval, programme: ProgrammeCode | None, *, demo: bool
) -> tuple[Broadcast, ...]:
    """Return the spoken broadcasts planned in `during`, in order of time. programme: None for all.

    Each says whether its recording had aired whole there before, however long ago.
    """
    query = (
        select(
            _AIRING.c.slot,
            _AIRING.c.seq,
            _AIRING.c.kind,
            _AIRING.c.programme,
            _AIRING.c.segment,
            _AIRING.c.planned_start,
            _AIRING.c.began,
            _AIRING.c.verdict,
            _AIRING.c.rehearsal,
            _AIRING.c.seconds,
            _AIRING.c.clusters,
            _AIRING.c.clusters_whole,
        )
        .where(
            _AIRING.c.station == station,
            _AIRING.c.planned_start >= during.start,
            _AIRING.c.planned_start < during.end,
            _AIRING.c.kind.in_(SPOKEN),
        )
        .order_by(_AIRING.c.planned_start)
    )
    if programme is not None:
        query = query.where(_AIRING.c.programme == programme)
    rows = session.execute(query).all()
    # Only weeks of one programme are told with their reasons.
    failed = [row.seq for row in rows if row.verdict != Verdict.AIRED.value] if programme is not None else []
    reasons = _reasons(session, station, failed)
    found = [
        Broadcast(
            station=station,
            slot=row.slot,
            kind=row.kind,
            programme=row.programme,
            segment=row.segment,
            at=row.began or row.planned_start,
            verdict=_VERDICTS[row.verdict],
            rehearsal=row.rehearsal,
            seconds=row.seconds or 0.0,
            clusters=row.clusters or 0,
            clusters_whole=row.clusters_whole or 0,
            repeated=False,
            reason=reasons.get(row.seq),
        )
        for row in rows
    ]
    segments = {one.segment for one in found if one.segment is not None}
    return marked_repeats(found, _aired_before(session, station, segments, during.start, demo=demo), demo=demo)


def relay_seconds(session: Session, station: StationCode, during: Interval, *, demo: bool) -> float:
    """Return how long relays really sounded."""
    query = select(func.sum(_AIRING.c.seconds)).where(
        _AIRING.c.station == station,
        _AIRING.c.planned_start >= during.start,
        _AIRING.c.planned_start < during.end,
        _AIRING.c.kind == ItemKind.RELAY.value,
        _AIRING.c.verdict.in_(_SOUNDED),
    )
    return session.scalar(query if demo else query.where(_AIRING.c.rehearsal.is_(False))) or 0.0


def cards(session: Session, segments: Collection[SegmentId]) -> Mapping[SegmentId, ItemCard]:
    """Return what is known of these recordings."""
    return {
        row.id: ItemCard(id=row.id, owner=row.owner, origin=row.origin, topics=tuple(row.topics))
        for some in _parts(sorted(segments))
        for row in session.execute(
            select(_SEGMENT.c.id, _SEGMENT.c.owner, _SEGMENT.c.origin, _SEGMENT.c.topics).where(_SEGMENT.c.id.in_(some))
        )
    }


def troubles(session: Session, station: Station, during: Interval) -> Troubles:
    """Return the faults that began in `during`, those of them that are over, and the days without any sound.

    A silent day is a local day on which something was due and nothing sounded.
    """
    rows = session.execute(
        select(_FAULT.c.until).where(
            _FAULT.c.station == station.code, _FAULT.c.since >= during.start, _FAULT.c.since < during.end
        )
    ).all()
    return Troubles(
        tickets=len(rows),
        repaired=sum(row.until is not None for row in rows),
        silent_days=silent_days(session, station, during),
    )


def silent_days(session: Session, station: Station, during: Interval) -> int:
    """Return the number of local days on which something was due at the station and nothing sounded."""
    zone = ZoneInfo(station.zone)
    here = (
        _AIRING.c.station == station.code,
        _AIRING.c.planned_start >= during.start,
        _AIRING.c.planned_start < during.end,
    )
    missed = select(_AIRING.c.planned_start).where(*here, _AIRING.c.verdict == Verdict.MISSED.value)
    days = {moment.astimezone(zone).date() for moment in session.scalars(missed)}
    if not days:
        return 0
    around = (
        datetime.combine(min(days), datetime.min.time(), zone) - timedelta(hours=1),
        datetime.combine(max(days), datetime.max.time(), zone) + timedelta(hours=1),
    )
    sounded = select(_AIRING.c.planned_start).where(
        *here,
        _AIRING.c.verdict.in_(_SOUNDED),
        or_(_AIRING.c.seconds > 0, _AIRING.c.seconds.is_(None)),
        _AIRING.c.planned_start >= around[0],
        _AIRING.c.planned_start < around[1],
    )
    return len(days - {moment.astimezone(zone).date() for moment in session.scalars(sounded)})


def _aired_before(
    session: Session, station: StationCode, segments: Collection[SegmentId], moment: datetime, *, demo: bool
) -> set[SegmentId]:
    found: set[SegmentId] = set()
    for some in _parts(sorted(segments)):
        query = (
            select(_AIRING.c.segment)
            .where(
                _AIRING.c.segment.in_(some),
                _AIRING.c.planned_start < moment,
                _AIRING.c.station == station,
                _AIRING.c.verdict == Verdict.AIRED.value,
            )
            .distinct()
        )
        found.update(session.scalars(query if demo else query.where(_AIRING.c.rehearsal.is_(False))))
    return found


def _reasons(session: Session, station: StationCode, rows: Collection[int]) -> Mapping[int, Text]:
    found = {}
    for some in _parts(list(rows)):
        for row in session.execute(
            select(_AIRING.c.seq, _AIRING.c.body["reason"].label("reason")).where(
                _AIRING.c.station == station, _AIRING.c.seq.in_(some)
            )
        ):
            if row.reason is not None:
                found[row.seq] = Text(row.reason["vi"], row.reason["en"])
    return found


def _parts(values: list[SegmentId] | list[int]) -> Iterator[list[SegmentId] | list[int]]:
    for first in range(0, len(values), _SOME):
        yield values[first : first + _SOME]
