"""What somebody should know, read from the store: duties at risk, items that wait or came back, tickets overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from schedules.duty import DutyState
from schedules.programme import ProgrammeCode
from schedules.segment import SegmentId, SegmentState
from schedules.station import StationCode, UnitCode
from schedules.upkeep import TicketState
from store import tables, tables_dispatches, tables_equipment

_NOW = tables_dispatches.duty_now
_DUTY = tables.duty
_SEGMENT = tables.segment
_TICKET = tables_equipment.ticket
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyAtRisk:
    """A duty that a station said is at risk. programme: None where it asks for topics only."""

    station: StationCode
    duty: str
    name: str
    programme: ProgrammeCode | None
    period: str
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A recording that waits for approval, or was returned. reason: why it was returned."""

    id: SegmentId
    revision: int
    owner: UnitCode
    station: StationCode | None
    programme: ProgrammeCode
    title: str
    uploader: str
    uploader_name: str
    reason: str
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A ticket whose day is past."""

    id: str
    number: int
    station: StationCode
    what: str
    due: date


def duties_at_risk(session: Session, *, by: datetime, since: datetime, now: datetime) -> tuple[DutyAtRisk, ...]:
    """Return the duties at risk whose deadline is in `(now, by]`, as stations said after `since`."""
    rows = session.execute(
        select(_NOW, _DUTY.c.name, _DUTY.c.programme)
        .join(_DUTY, and_(_DUTY.c.code == _NOW.c.duty, _DUTY.c.until.is_(None)))
        .where(
            _NOW.c.state == DutyState.AT_RISK.value,
            _NOW.c.deadline > now,
            _NOW.c.deadline <= by,
            _NOW.c.looked_at > since,
        )
        .order_by(_NOW.c.deadline, _NOW.c.station, _NOW.c.duty)
        .limit(_MOST)
    )
    return tuple(
        DutyAtRisk(
            station=row.station,
            duty=row.duty,
            name=row.name,
            programme=row.programme,
            period=row.period,
            deadline=row.deadline,
        )
        for row in rows
    )


def submitted(session: Session) -> tuple[Item, ...]:
    """Return what waits for approval, the oldest first."""
    return _items(session, SegmentState.SUBMITTED, None)


def returned(session: Session, since: datetime) -> tuple[Item, ...]:
    """Return what was returned after `since` and not sent in again, the oldest first."""
    return _items(session, SegmentState.RETURNED, since)


def overdue(session: Session, today: date) -> tuple[Overdue, ...]:
    """Return the tickets that are neither repaired nor accepted and whose day is before `today`."""
    rows = session.execute(
        select(_TICKET)
        .where(_TICKET.c.state.in_((TicketState.OPEN.value, TicketState.ASSIGNED.value)), _TICKET.c.due < today)
        .order_by(_TICKET.c.due, _TICKET.c.number)
        .limit(_MOST)
    )
    return tuple(Overdue(id=row.id, number=row.number, station=row.station, what=row.what, due=row.due) for row in rows)


def _items(session: Session, state: SegmentState, since: datetime | None) -> tuple[Item, ...]:
    query = (
        select(_SEGMENT, tables.person.c.full_name)
        .join(tables.person, tables.person.c.id == _SEGMENT.c.uploader)
        .where(_SEGMENT.c.state == state.value)
        .order_by(_SEGMENT.c.updated_at, _SEGMENT.c.id)
        .limit(_MOST)
    )
    if since is not None:
        query = query.where(_SEGMENT.c.updated_at > since)
    return tuple(
        Item(
            id=row.id,
            revision=row.revision,
            owner=row.owner,
            station=row.station,
            programme=row.programme,
            title=row.title,
            uploader=row.uploader,
            uploader_name=row.full_name,
            reason=row.reason_vi,
            updated_at=row.updated_at,
        )
        for row in session.execute(query)
    )
