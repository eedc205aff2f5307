"""What reports count, read from the columns beside the rows of the air log: never from their bodies, a year is long."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from schedules.airing import Verdict
from schedules.clock import Interval
from schedules.grid import ItemKind
from schedules.programme import ProgrammeCode
from schedules.report import SPOKEN, Broadcast, ItemCard, Troubles, marked_repeats
from schedules.segment import SegmentId
from schedules.station import StationCode
from schedules.text import Text
from schedules.upkeep import TicketState
from store import airdays, tables, tables_equipment

T = TypeVar("T")

_AIRING = tables.airing
_SEGMENT = tables.segment
_STATION = tables.station
_TICKET = tables_equipment.ticket
_REPAIRED = (TicketState.REPAIRED.value, TicketState.ACCEPTED.value)
_SOUNDED = (Verdict.AIRED.value, Verdict.PARTIAL.value)
_SOME = 500
_VERDICTS = {verdict.value: verdict for verdict in Verdict}


def first_rows(session: Session, stations: Collection[StationCode]) -> Mapping[StationCode, datetime]:
    """Return when the first row of each station was planned; those without rows are left out."""
    # A search in the index for each station: a grouped minimum would walk through all rows.
    first = (
        select(func.min(_AIRING.c.planned_start)).where(_AIRING.c.station == _STATION.c.code).correlate(_STATION)
    ).scalar_subquery()
    rows = session.execute(select(_STATION.c.code, first.label("first")).where(_STATION.c.code.in_(stations)))
    return {row.code: row.first for row in rows if row.first is not None}


def broadcasts(
    session: Session,
    stations: Collection[StationCode],
    during: Interval,
    programme: ProgrammeCode | None,
    *,
    demo: bool,
) -> Mapping[StationCode, tuple[Broadcast, ...]]:
    """Return the spoken broadcasts planned in `during` by station, in order of time. programme: None for all.

    Each says whether its recording had aired whole there before, however long ago.
    """
    query = (
        select(
            _AIRING.c.station,
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
            _AIRING.c.station.in_(stations),
            _AIRING.c.planned_start >= during.start,
            _AIRING.c.planned_start < during.end,
            _AIRING.c.kind.in_(SPOKEN),
        )
        .order_by(_AIRING.c.station, _AIRING.c.planned_start)
    )
    if programme is not None:
        query = query.where(_AIRING.c.programme == programme)
    rows = session.execute(query).all()
    # Only weeks of one programme are told with their reasons.
    failed = [(row.station, row.seq) for row in rows if row.verdict != Verdict.AIRED.value] if programme else []
    reasons = _reasons(session, failed)
    found: dict[StationCode, list[Broadcast]] = {}
    for row in rows:
        found.setdefault(row.station, []).append(
            Broadcast(
                station=row.station,
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
                reason=reasons.get((row.station, row.seq)),
            )
        )
    segments = {row.segment for row in rows if row.segment is not None}
    before = _aired_before(session, found, segments, during.start, demo=demo)
    return {station: marked_repeats(its, before.get(station, frozenset()), demo=demo) for station, its in found.items()}


def relay_seconds(
    session: Session, stations: Collection[StationCode], during: Interval, *, demo: bool
) -> Mapping[StationCode, float]:
    """Return how long relays really sounded at each station; those without any are left out."""
    query = (
        select(_AIRING.c.station, func.sum(_AIRING.c.seconds).label("seconds"))
        .where(
            _AIRING.c.station.in_(stations),
            _AIRING.c.planned_start >= during.start,
            _AIRING.c.planned_start < during.end,
            _AIRING.c.kind == ItemKind.RELAY.value,
            _AIRING.c.verdict.in_(_SOUNDED),
        )
        .group_by(_AIRING.c.station)
    )
    rows = session.execute(query if demo else query.where(_AIRING.c.rehearsal.is_(False)))
    return {row.station: row.seconds or 0.0 for row in rows}


def cards(session: Session, segments: Collection[SegmentId]) -> Mapping[SegmentId, ItemCard]:
    """Return what is known of these recordings."""
    return {
        row.id: ItemCard(id=row.id, owner=row.owner, origin=row.origin, topics=tuple(row.topics))
        for some in _parts(sorted(segments))
        for row in session.execute(
            select(_SEGMENT.c.id, _SEGMENT.c.owner, _SEGMENT.c.origin, _SEGMENT.c.topics).where(_SEGMENT.c.id.in_(some))
        )
    }


def troubles(
    session: Session, stations: Collection[StationCode], during: Interval, first: date, last: date
) -> Mapping[StationCode, Troubles]:
    """Return for each station the tickets opened in `during`, those of them that were repaired, and silent days."""
    repaired = func.sum(case((_TICKET.c.state.in_(_REPAIRED), 1), else_=0))
    rows = session.execute(
        select(_TICKET.c.station, func.count().label("n"), repaired.label("repaired"))
        .where(
            _TICKET.c.station.in_(stations),
            _TICKET.c.opened_at >= during.start,
            _TICKET.c.opened_at < during.end,
        )
        .group_by(_TICKET.c.station)
    )
    tickets = {row.station: (row.n, row.repaired) for row in rows}
    silent = airdays.count_silent(session, stations, first, last)
    return {
        station: Troubles(
            tickets=tickets.get(station, (0, 0))[0],
            repaired=tickets.get(station, (0, 0))[1],
            silent_days=silent.get(station, 0),
        )
        for station in stations
    }


def approvers(session: Session, segments: Collection[SegmentId]) -> Mapping[SegmentId, str]:
    """Return who approved each of these recordings; those that nobody approved are left out."""
    person = tables.person
    return {
        row.id: row.full_name
        for some in _parts(sorted(segments))
        for row in session.execute(
            select(_SEGMENT.c.id, person.c.full_name)
            .join(person, person.c.id == _SEGMENT.c.approver)
            .where(_SEGMENT.c.id.in_(some))
        )
    }


def _aired_before(
    session: Session,
    stations: Collection[StationCode],
    segments: Collection[SegmentId],
    moment: datetime,
    *,
    demo: bool,
) -> Mapping[StationCode, set[SegmentId]]:
    found: dict[StationCode, set[SegmentId]] = {}
    for some in _parts(sorted(segments)):
        query = (
            select(_AIRING.c.station, _AIRING.c.segment)
            .where(
                _AIRING.c.segment.in_(some),
                _AIRING.c.planned_start < moment,
                _AIRING.c.station.in_(stations),
                _AIRING.c.verdict == Verdict.AIRED.value,
            )
            .distinct()
        )
        for row in session.execute(query if demo else query.where(_AIRING.c.rehearsal.is_(False))):
            found.setdefault(row.station, set()).add(row.segment)
    return found


def _reasons(session: Session, rows: Collection[tuple[StationCode, int]]) -> Mapping[tuple[StationCode, int], Text]:
    of_station: dict[StationCode, list[int]] = {}
    for station, seq in rows:
        of_station.setdefault(station, []).append(seq)
    found = {}
    for station, every in of_station.items():
        for some in _parts(every):
            for row in session.execute(
                select(_AIRING.c.seq, _AIRING.c.body["reason"].label("reason")).where(
                    _AIRING.c.station == station, _AIRING.c.seq.in_(some)
                )
            ):
                if row.reason is not None:
                    found[station, row.seq] = Text(row.reason["vi"], row.reason["en"])
    return found


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(values), _SOME):
        yield values[first : first + _SOME]
