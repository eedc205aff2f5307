"""Pay of contributions: rates as the units enter them, what aired first in a period, sheets that wait to be signed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.airing import Verdict
from schedules.clock import Interval
from schedules.remuneration import Rate
from schedules.segment import SegmentId, SegmentKind
from schedules.station import StationCode, UnitCode
from store import tables, tables_reports
from store.identity import new_id
from store.rows import changed

_RATE = tables_reports.pay_rate
_DRAFT = tables_reports.pay_draft
_AIRING = tables.airing
_SEGMENT = tables.segment
_SOME = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AiredItem:
    """A recording of these units that aired whole in the period. first: its first whole airing ever."""

    segment: SegmentId
    author: str
    title: str
    kind: SegmentKind
    first: datetime
    airings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A sheet that somebody prepared and nobody signed off yet."""

    id: str
    unit: UnitCode
    period: str
    content: Mapping[str, Any]
    sha256: str
    prepared_by: str
    prepared_name: str
    prepared_at: datetime


def aired(
    session: Session,
    *,
    owners: Collection[UnitCode],
    stations: Collection[StationCode],
    during: Interval,
    demo: bool,
) -> tuple[AiredItem, ...]:
    """Return the units' own recordings that aired whole at these stations in `during`.

    The author is who the card names, else who brought it in.
    """
    here = [_AIRING.c.station.in_(stations), _AIRING.c.verdict == Verdict.AIRED.value, _AIRING.c.segment.is_not(None)]
    if not demo:
        here.append(_AIRING.c.rehearsal.is_(False))
    counted = {
        row.segment: row.n
        for row in session.execute(
            select(_AIRING.c.segment, func.count().label("n"))
            .where(*here, _AIRING.c.planned_start >= during.start, _AIRING.c.planned_start < during.end)
            .group_by(_AIRING.c.segment)
        )
    }
    found: list[AiredItem] = []
    every = sorted(counted)
    for place in range(0, len(every), _SOME):
        some = every[place : place + _SOME]
        first = {
            row.segment: row.first
            for row in session.execute(
                select(_AIRING.c.segment, func.min(_AIRING.c.planned_start).label("first"))
                .where(*here, _AIRING.c.segment.in_(some))
                .group_by(_AIRING.c.segment)
            )
        }
        person = tables.person
        rows = session.execute(
            select(_SEGMENT.c.id, _SEGMENT.c.author, _SEGMENT.c.title, _SEGMENT.c.kind, person.c.full_name)
            .join(person, person.c.id == _SEGMENT.c.uploader)
            .where(_SEGMENT.c.id.in_(some), _SEGMENT.c.owner.in_(owners), _SEGMENT.c.origin == "own")
        )
        found += [
            AiredItem(
                segment=row.id,
                author=row.author.strip() or row.full_name,
                title=row.title,
                kind=SegmentKind(row.kind),
                first=first[row.id],
                airings=counted[row.id],
            )
            for row in rows
        ]
    return tuple(found)


def add_rate(session: Session, unit: UnitCode, rate: Rate, *, person: str, now: datetime) -> str:
    """Keep a rate and return its id."""
    made = new_id()
    session.execute(
        insert(_RATE).values(
            id=made,
            unit=unit,
            kind=rate.kind.value,
            amount=rate.amount,
            rule=rate.rule,
            valid_from=rate.valid_from,
            valid_until=rate.valid_until,
            added_by=person,
            added_at=now,
        )
    )
    return made


def remove_rate(session: Session, rate: str, units: Collection[UnitCode], now: datetime) -> bool:
    """Take a rate of one of these units out of use; False where there is none. Sheets that were signed keep theirs."""
    query = update(_RATE).where(_RATE.c.id == rate, _RATE.c.unit.in_(units), _RATE.c.removed_at.is_(None))
    return changed(session, query.values(removed_at=now)) == 1


def rates(session: Session, units: Sequence[UnitCode]) -> tuple[tuple[UnitCode, Rate], ...]:
    """Return the rates in use of these units, each with its unit, those that begin last first."""
    rows = session.execute(
        select(_RATE)
        .where(_RATE.c.unit.in_(units), _RATE.c.removed_at.is_(None))
        .order_by(_RATE.c.valid_from.desc(), _RATE.c.kind)
    )
    return tuple((row.unit, _rate(row)) for row in rows)


def prepare(
    session: Session,
    *,
    unit: UnitCode,
    period: str,
    content: Mapping[str, Any],
    sha256: str,
    person: str,
    now: datetime,
) -> str:
    """Keep a sheet to be signed off, in the place of an earlier one, and return its id."""
    session.execute(
        update(_DRAFT)
        .where(_DRAFT.c.unit == unit, _DRAFT.c.period == period, _DRAFT.c.ended_at.is_(None))
        .values(ended_at=now)
    )
    made = new_id()
    session.execute(
        insert(_DRAFT).values(
            id=made,
            unit=unit,
            period=period,
            content=dict(content),
            sha256=sha256,
            prepared_by=person,
            prepared_at=now,
        )
    )
    return made


def draft(session: Session, unit: UnitCode, period: str) -> Draft | None:
    """Return the sheet that waits to be signed off, or None."""
    person = tables.person
    row = session.execute(
        select(_DRAFT, person.c.full_name)
        .join(person, person.c.id == _DRAFT.c.prepared_by)
        .where(_DRAFT.c.unit == unit, _DRAFT.c.period == period, _DRAFT.c.ended_at.is_(None))
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Draft(
        id=row.id,
        unit=row.unit,
        period=row.period,
        content=row.content,
        sha256=row.sha256,
        prepared_by=row.prepared_by,
        prepared_name=row.full_name,
        prepared_at=row.prepared_at,
    )


def signed_off(session: Session, draft: str, report: str, now: datetime) -> bool:
    """Note which report a sheet became; False where it was signed off or replaced before."""
    query = update(_DRAFT).where(_DRAFT.c.id == draft, _DRAFT.c.ended_at.is_(None))
    return changed(session, query.values(ended_at=now, report=report)) == 1


def _rate(row: Row[Any]) -> Rate:
    until: date | None = row.valid_until
    return Rate(
        id=row.id,
        kind=SegmentKind(row.kind),
        amount=row.amount,
        rule=row.rule,
        valid_from=row.valid_from,
        valid_until=until,
    )
