"""Inspections: rounds of the tier above over its stations, and the communes' own checks, item by item."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, case, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.checklist import CLUSTER, Result
from schedules.errors import Conflict
from schedules.findings import Finding, Severity
from schedules.station import Station, StationCode, UnitCode
from schedules.text import Text
from store import steps, tables, tables_equipment
from store.accounts import Person
from store.identity import new_id
from store.rows import changed
from store.steps import Subject

_ROUND = tables_equipment.inspection_round
_TABLE = tables_equipment.inspection
_ITEM = tables_equipment.inspection_item
OPEN, DONE = "open", "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round of inspections. items: codes of the check list. document: the decision that it rests on."""

    id: str
    unit: UnitCode
    name: str
    document: str
    first: date
    last: date
    items: tuple[str, ...]
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found at one item. picture: SHA-256 of a photo. ticket: what became of it."""

    result: Result
    remark: str = ""
    picture: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One inspection of one station. round: None for a commune's own check. present: who else was there."""

    id: str
    round: str | None
    station: StationCode
    items: tuple[str, ...]
    day: date | None
    state: str
    inspector: str | None
    inspector_name: str
    present: str
    conclusion: str
    next_on: date | None
    done_at: datetime | None
    found: Mapping[str, Found]

    @property
    def open(self) -> bool:
        """Whether it is still being made."""
        return self.state == OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a round is: inspections that are done and all, and items that were not right."""

    done: int
    all: int
    wrong: int


def open_round(
    session: Session,
    *,
    unit: UnitCode,
    name: str,
    document: str,
    first: date,
    last: date,
    items: Sequence[str],
    stations: Sequence[Station],
    person: Person,
    now: datetime,
) -> str:
    """Begin a round over these stations and return its id; each of their clusters is an item of its own."""
    made = new_id()
    session.execute(
        insert(_ROUND).values(
            id=made,
            unit=unit,
            name=name[:200],
            document=document[:500],
            first=first,
            last=last,
            items=list(items),
            created_by=person.id,
            created_at=now,
        )
    )
    for station in stations:
        _plan(session, station, items, round=made, now=now)
    return made


def open_own(session: Session, station: Station, items: Sequence[str], *, person: Person, now: datetime) -> str:
    """Begin the commune's own check, or go on with the one that is open; returns its id."""
    known = session.scalar(
        select(_TABLE.c.id).where(_TABLE.c.station == station.code, _TABLE.c.round.is_(None), _TABLE.c.state == OPEN)
    )
    if known is not None:
        return str(known)
    made = _plan(session, station, items, round=None, now=now)
    session.execute(
        update(_TABLE).where(_TABLE.c.id == made).values(inspector=person.id, inspector_name=person.full_name)
    )
    return made


def find(session: Session, inspection: str) -> Inspection | None:
    """Return the inspection with all that was found, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == inspection)).one_or_none()
    if row is None:
        return None
    found = session.execute(select(_ITEM).where(_ITEM.c.inspection == inspection))
    return _inspection(row, {one.item: _found(one) for one in found})


def find_round(session: Session, round: str) -> Round | None:
    """Return the round, or None."""
    row = session.execute(select(_ROUND).where(_ROUND.c.id == round)).one_or_none()
    return None if row is None else _round(row)


def progress(session: Session, rounds: Collection[str]) -> Mapping[str, Progress]:
    """Return how far each of these rounds is."""
    done = func.sum(case((_TABLE.c.state == DONE, 1), else_=0)).label("done")
    rows = session.execute(
        select(_TABLE.c.round, done, func.count().label("all"))
        .where(_TABLE.c.round.in_(rounds))
        .group_by(_TABLE.c.round)
    ).all()
    wrong = session.execute(
        select(_TABLE.c.round, func.count().label("n"))
        .join(_ITEM, _ITEM.c.inspection == _TABLE.c.id)
        .where(_TABLE.c.round.in_(rounds), _ITEM.c.result == Result.NOT.value)
        .group_by(_TABLE.c.round)
    )
    wrongs = {row.round: row.n for row in wrong}
    return {row.round: Progress(done=row.done, all=row.all, wrong=wrongs.get(row.round, 0)) for row in rows}


def concerns(session: Session, round: str, units: Collection[UnitCode]) -> bool:
    """Return whether a station of one of these units is inspected in the round."""
    station = tables.station
    query = (
        select(_TABLE.c.id)
        .join(station, station.c.code == _TABLE.c.station)
        .where(_TABLE.c.round == round, station.c.unit.in_(units))
    )
    return session.scalar(query.limit(1)) is not None


def rounds_with(session: Session, stations: Collection[StationCode], *, limit: int = 20) -> tuple[Round, ...]:
    """Return the rounds in which one of these stations is inspected, those that go on first."""
    mine = select(_TABLE.c.round).where(_TABLE.c.station.in_(stations), _TABLE.c.round.is_not(None))
    rows = session.execute(
        select(_ROUND)
        .where(_ROUND.c.id.in_(mine))
        .order_by(_ROUND.c.closed_at.is_not(None), _ROUND.c.first.desc(), _ROUND.c.id)
        .limit(limit)
    )
    return tuple(_round(row) for row in rows)


def of_round(
    session: Session, round: str, *, stations: Collection[StationCode], after: str = "", limit: int = 50
) -> tuple[Inspection, ...]:
    """Return the inspections of a round in order of station, without what was found. after: the last station before."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.round == round, _TABLE.c.station.in_(stations), _TABLE.c.station > after)
        .order_by(_TABLE.c.station)
        .limit(limit)
    )
    return tuple(_inspection(row, {}) for row in rows)


def listing(
    session: Session, *, stations: Collection[StationCode], own: bool | None = None, limit: int = 20
) -> tuple[Inspection, ...]:
    """Return inspections that are done, newest first, without what was found."""
    query = select(_TABLE).where(_TABLE.c.station.in_(stations), _TABLE.c.state == DONE)
    if own is not None:
        query = query.where(_TABLE.c.round.is_(None) if own else _TABLE.c.round.is_not(None))
    return tuple(_inspection(row, {}) for row in session.execute(query.order_by(_TABLE.c.done_at.desc()).limit(limit)))


def open_ones(session: Session, stations: Collection[StationCode], *, limit: int = 50) -> tuple[Inspection, ...]:
    """Return the inspections of these stations that are not done yet, without what was found."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.station.in_(stations), _TABLE.c.state == OPEN)
        .order_by(_TABLE.c.created_at, _TABLE.c.id)
        .limit(limit)
    )
    return tuple(_inspection(row, {}) for row in rows)


def seen(session: Session, inspections: Collection[str]) -> Mapping[str, tuple[int, int]]:
    """Return how many items of each inspection were looked at, and how many were not right."""
    wrong = func.sum(case((_ITEM.c.result == Result.NOT.value, 1), else_=0)).label("wrong")
    rows = session.execute(
        select(_ITEM.c.inspection, func.count().label("n"), wrong)
        .where(_ITEM.c.inspection.in_(inspections), _ITEM.c.result != Result.UNSEEN.value)
        .group_by(_ITEM.c.inspection)
    )
    return {row.inspection: (row.n, row.wrong) for row in rows}


def last_own(session: Session, stations: Collection[StationCode]) -> Mapping[StationCode, date]:
    """Return the day of the last own check of each of these stations that made one."""
    rows = session.execute(
        select(_TABLE.c.station, func.max(_TABLE.c.day).label("day"))
        .where(_TABLE.c.station.in_(stations), _TABLE.c.round.is_(None), _TABLE.c.state == DONE)
        .group_by(_TABLE.c.station)
    )
    return {row.station: row.day for row in rows}


def note(session: Session, inspection: str, item: str, found: Found) -> None:
    """Write what was found at one item; photo and ticket stay. Raises Conflict once it is done."""
    known = find(session, inspection)
    if known is None or not known.open or item not in known.items:
        raise Conflict(_closed())
    values: dict[str, Any] = {"result": found.result.value, "remark": found.remark[:1000]}
    values |= {"picture": found.picture} if found.picture else {}
    values |= {"ticket": found.ticket} if found.ticket else {}
    where = (_ITEM.c.inspection == inspection, _ITEM.c.item == item)
    if changed(session, update(_ITEM).where(*where).values(**values)) == 0:
        session.execute(insert(_ITEM).values(inspection=inspection, item=item, **values))


def write(
    session: Session,
    inspection: str,
    *,
    day: date | None,
    present: str,
    conclusion: str,
    next_on: date | None,
    person: Person,
) -> None:
    """Write what stands around the items. Raises Conflict when it is done."""
    _change(
        session,
        inspection,
        day=day,
        present=present[:500],
        conclusion=conclusion[:2000],
        next_on=next_on,
        inspector=person.id,
        inspector_name=person.full_name,
    )


def finish(session: Session, inspection: str, *, person: Person, now: datetime) -> None:
    """Close it: from now on it is read only. Raises Conflict where it was before."""
    _change(session, inspection, state=DONE, done_at=now)
    steps.add(session, Subject.INSPECTION, inspection, "done", at=now, person=person)


def close_round(session: Session, round: str, now: datetime) -> None:
    """End a round; what was not inspected stays so."""
    session.execute(update(_ROUND).where(_ROUND.c.id == round, _ROUND.c.closed_at.is_(None)).values(closed_at=now))


def _plan(session: Session, station: Station, items: Sequence[str], *, round: str | None, now: datetime) -> str:
    made = new_id()
    whole = [*items, *(f"{CLUSTER}{group.code}" for group in station.groups)]
    session.execute(
        insert(_TABLE).values(
            id=made,
            round=round,
            station=station.code,
            items=whole,
            state=OPEN,
            inspector_name="",
            present="",
            conclusion="",
            created_at=now,
        )
    )
    return made


def _change(session: Session, inspection: str, **values: Any) -> None:  # noqa: ANN401 - columns
    query = update(_TABLE).where(_TABLE.c.id == inspection, _TABLE.c.state == OPEN)
    if changed(session, query.values(**values)) != 1:
        raise Conflict(_closed())


def _round(row: Row[Any]) -> Round:
    return Round(
        id=row.id,
        unit=row.unit,
        name=row.name,
        document=row.document,
        first=row.first,
        last=row.last,
        items=tuple(row.items),
        closed_at=row.closed_at,
    )


def _found(row: Row[Any]) -> Found:
    return Found(result=Result(row.result), remark=row.remark, picture=row.picture, ticket=row.ticket)


def _inspection(row: Row[Any], found: Mapping[str, Found]) -> Inspection:
    return Inspection(
        id=row.id,
        round=row.round,
        station=row.station,
        items=tuple(row.items),
        day=row.day,
        state=row.state,
        inspector=row.inspector,
        inspector_name=row.inspector_name,
        present=row.present,
        conclusion=row.conclusion,
        next_on=row.next_on,
        done_at=row.done_at,
        found=found,
    )


def _closed() -> Finding:
    return Finding(
        code="inspection_done",
        severity=Severity.ERROR,
        message=Text(
            "Biên bản này đã chốt, không sửa được nữa. Chưa có gì thay đổi.",
            "These minutes are closed and cannot be changed. Nothing was changed.",
        ),
    )
