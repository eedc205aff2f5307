"""Reports by mail: who gets which report, how long after its period; each period once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.report import Span
from schedules.station import UnitCode
from store import tables_reports
from store.identity import new_id
from store.rows import changed

_TABLE = tables_reports.report_mailing


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """One rule. station, programme: empty for all. span: of the period. days_after, hour: local, after its last day.

    people: ids; addresses: of others. formats: docx, pdf, xlsx, csv. added_by: in whose name it is computed.
    sent: the newest period that went out.
    """

    id: str
    unit: UnitCode
    station: str
    programme: str
    span: Span
    days_after: int
    hour: int
    people: tuple[str, ...]
    addresses: tuple[str, ...]
    formats: tuple[str, ...]
    added_by: str
    added_at: datetime
    sent: str | None = None
    sent_at: datetime | None = None


def add(
    session: Session,
    *,
    unit: UnitCode,
    station: str,
    programme: str,
    span: Span,
    days_after: int,
    hour: int,
    people: Collection[str],
    addresses: Collection[str],
    formats: Collection[str],
    person: str,
    sent: str,
    now: datetime,
) -> str:
    """Keep a rule and return its id. sent: the newest period that is not to be sent any more."""
    made = new_id()
    session.execute(
        insert(_TABLE).values(
            id=made,
            unit=unit,
            station=station,
            programme=programme,
            span=span.value,
            days_after=days_after,
            hour=hour,
            people=list(people),
            addresses=list(addresses),
            formats=list(formats),
            added_by=person,
            added_at=now,
            sent=sent,
        )
    )
    return made


def end(session: Session, mailing: str, now: datetime) -> bool:
    """Send nothing by this rule any more; False where it was ended."""
    return (
        changed(session, update(_TABLE).where(_TABLE.c.id == mailing, _TABLE.c.ended_at.is_(None)).values(ended_at=now))
        == 1
    )


def find(session: Session, mailing: str) -> Mailing | None:
    """Return the rule in force of that id, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == mailing, _TABLE.c.ended_at.is_(None))).one_or_none()
    return None if row is None else _mailing(row)


def in_force(session: Session, units: Collection[UnitCode] | None = None) -> tuple[Mailing, ...]:
    """Return the rules in force, oldest first; units: only of these."""
    query = select(_TABLE).where(_TABLE.c.ended_at.is_(None)).order_by(_TABLE.c.added_at, _TABLE.c.id)
    if units is not None:
        query = query.where(_TABLE.c.unit.in_(units))
    return tuple(_mailing(row) for row in session.execute(query))


def claim(session: Session, mailing: Mailing, period: str, now: datetime) -> bool:
    """Note that the period goes out now; False where somebody else did so first."""
    same = _TABLE.c.sent.is_(None) if mailing.sent is None else _TABLE.c.sent == mailing.sent
    query = update(_TABLE).where(_TABLE.c.id == mailing.id, _TABLE.c.ended_at.is_(None), same)
    return (
        changed(
            session, query.where(or_(_TABLE.c.sent.is_(None), _TABLE.c.sent != period)).values(sent=period, sent_at=now)
        )
        == 1
    )


def _mailing(row: Row[Any]) -> Mailing:
    return Mailing(
        id=row.id,
        unit=row.unit,
        station=row.station,
        programme=row.programme,
        span=Span(row.span),
        days_after=row.days_after,
        hour=row.hour,
        people=tuple(row.people),
        addresses=tuple(row.addresses),
        formats=tuple(row.formats),
        added_by=row.added_by,
        added_at=row.added_at,
        sent=row.sent,
        sent_at=row.sent_at,
    )
