"""Complaints of residents about loudspeakers: what about, by when they are answered, and by whom they were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict, Refused
from schedules.findings import Finding, Severity
from schedules.station import GroupCode, StationCode
from schedules.text import Text
from store import steps, tables_equipment
from store.accounts import Person
from store.identity import new_id
from store.rows import changed
from store.steps import Subject

_TABLE = tables_equipment.complaint
OPEN, ANSWERED = "open", "answered"


class Channel(StrEnum):
    """How it came."""

    IN_PERSON = "in_person"
    PHONE = "phone"
    LETTER = "letter"
    PORTAL = "portal"
    MEETING = "meeting"


class About(StrEnum):
    """What it is about."""

    NOISE = "noise"
    HOURS = "hours"
    CONTENT = "content"
    BROKEN = "broken"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a resident says. sender, contact: may be empty."""

    station: StationCode
    cluster: GroupCode
    received_on: date
    sender: str
    contact: str
    channel: Channel
    about: About
    text: str
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One complaint. segment: the item that answers it on air. ticket: of what is broken."""

    id: str
    number: int
    wish: Wish
    state: str
    answer: str
    answered_on: date | None
    answered_by: str | None
    segment: str | None
    ticket: str | None

    @property
    def name(self) -> str:
        """The number as it is written: `PA-0012`."""
        return f"PA-{self.number:04d}"

    @property
    def open(self) -> bool:
        """Whether nobody has answered it."""
        return self.state == OPEN

    @property
    def in_time(self) -> bool:
        """Whether it was answered by the day it was due; only for one that is answered."""
        return self.answered_on is not None and self.answered_on <= self.wish.due


class Which(StrEnum):
    """What a list of complaints shows."""

    OPEN = "open"
    OVERDUE = "overdue"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many complaints there are: open, overdue, answered in time and answered late."""

    open: int
    overdue: int
    in_time: int
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a page of complaints ended."""

    day: date
    id: str


def receive(session: Session, wish: Wish, *, ticket: str | None = None, person: Person, now: datetime) -> Complaint:
    """Enter a complaint. Raises Refused where it says nothing."""
    if not wish.text.strip():
        raise Refused(_wrong("text", "Hãy ghi người dân phản ánh điều gì.", "Write what the resident says."))
    complaint = new_id()
    session.execute(
        insert(_TABLE).values(
            id=complaint,
            number=(session.scalar(select(func.max(_TABLE.c.number))) or 0) + 1,
            station=wish.station,
            cluster=wish.cluster,
            received_on=wish.received_on,
            sender=wish.sender[:200],
            contact=wish.contact[:200],
            channel=wish.channel.value,
            about=wish.about.value,
            text=wish.text.strip()[:2000],
            due=wish.due,
            state=OPEN,
            answer="",
            ticket=ticket,
            created_by=person.id,
            created_at=now,
        )
    )
    steps.add(session, Subject.COMPLAINT, complaint, "received", at=now, person=person)
    found = find(session, complaint)
    assert found is not None
    return found


def find(session: Session, complaint: str) -> Complaint | None:
    """Return the complaint, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == complaint)).one_or_none()
    return None if row is None else _complaint(row)


def answer(session: Session, complaint: str, text: str, *, on: date, person: Person, now: datetime) -> None:
    """Keep the answer that was given. Raises Refused where it is empty, Conflict where there is one already."""
    words = text.strip()
    if not words:
        raise Refused(
            _wrong("answer", "Hãy ghi nội dung trả lời. Chưa lưu gì.", "Write the answer. Nothing was saved.")
        )
    query = update(_TABLE).where(_TABLE.c.id == complaint, _TABLE.c.state == OPEN)
    values = {"state": ANSWERED, "answer": words[:4000], "answered_on": on, "answered_by": person.id}
    if changed(session, query.values(**values)) != 1:
        raise Conflict(
            Finding(
                code="answered",
                severity=Severity.ERROR,
                message=Text(
                    "Phản ánh này đã có người trả lời. Câu trả lời trước vẫn giữ nguyên.",
                    "This complaint was answered already. That answer stays.",
                ),
            )
        )
    steps.add(session, Subject.COMPLAINT, complaint, "answered", at=now, person=person, text=words)


def amend(session: Session, complaint: str, text: str, *, person: Person, now: datetime) -> None:
    """Add a word after the answer; the answer itself stays as it was given. Raises Refused."""
    if not text.strip():
        raise Refused(_wrong("text", "Hãy ghi nội dung bổ sung.", "Write what is to be added."))
    steps.add(session, Subject.COMPLAINT, complaint, "remark", at=now, person=person, text=text.strip())


def listing(
    session: Session,
    *,
    stations: Collection[StationCode],
    which: Which | None,
    today: date,
    about: About | None = None,
    after: Mark | None = None,
    limit: int = 50,
) -> tuple[Complaint, ...]:
    """Return complaints: open ones by the day they are due, all others newest first."""
    by_due = which in (Which.OPEN, Which.OVERDUE)
    keys = (_TABLE.c.due if by_due else _TABLE.c.received_on, _TABLE.c.id)
    query = select(_TABLE).where(_TABLE.c.station.in_(stations)).limit(limit)
    query = query.order_by(*(key if by_due else key.desc() for key in keys))
    if which is not None:
        query = query.where(_which(which, today))
    if about is not None:
        query = query.where(_TABLE.c.about == about.value)
    if after is not None:
        mark = tuple_(after.day, after.id, types=[key.type for key in keys])
        query = query.where(tuple_(*keys) > mark if by_due else tuple_(*keys) < mark)
    return tuple(_complaint(row) for row in session.execute(query))


def counts(session: Session, *, stations: Collection[StationCode], today: date, since: date) -> Counts:
    """Return how many are open and overdue now, and how those received since then were answered."""
    late = _TABLE.c.answered_on > _TABLE.c.due
    done = and_(_TABLE.c.state == ANSWERED, _TABLE.c.received_on >= since)
    row = session.execute(
        select(
            func.sum(_one(_which(Which.OPEN, today))).label("open"),
            func.sum(_one(_which(Which.OVERDUE, today))).label("overdue"),
            func.sum(_one(and_(done, ~late))).label("in_time"),
            func.sum(_one(and_(done, late))).label("late"),
        ).where(_TABLE.c.station.in_(stations), or_(_TABLE.c.state == OPEN, _TABLE.c.received_on >= since))
    ).one()
    return Counts(open=row.open or 0, overdue=row.overdue or 0, in_time=row.in_time or 0, late=row.late or 0)


def count_open(session: Session, stations: Collection[StationCode]) -> int:
    """Return how many complaints nobody has answered."""
    query = select(func.count()).where(_TABLE.c.state == OPEN, _TABLE.c.station.in_(stations))
    return session.scalar(query) or 0


def _which(which: Which, today: date) -> ColumnElement[bool]:
    match which:
        case Which.OPEN:
            return _TABLE.c.state == OPEN
        case Which.OVERDUE:
            return and_(_TABLE.c.state == OPEN, _TABLE.c.due < today)
    return _TABLE.c.state == ANSWERED


def _one(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _complaint(row: Row[Any]) -> Complaint:
    return Complaint(
        id=row.id,
        number=row.number,
        wish=Wish(
            station=row.station,
            cluster=row.cluster,
            received_on=row.received_on,
            sender=row.sender,
            contact=row.contact,
            channel=Channel(row.channel),
            about=About(row.about),
            text=row.text,
            due=row.due,
        ),
        state=row.state,
        answer=row.answer,
        answered_on=row.answered_on,
        answered_by=row.answered_by,
        segment=row.segment,
        ticket=row.ticket,
    )


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
