"""Assignments: who makes what by when, for which programme, topic or village, and whether it is done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict, Refused
from schedules.findings import Finding, Severity
from schedules.programme import ProgrammeCode
from schedules.station import StationCode, UnitCode
from schedules.text import Text
from store import steps, tables, tables_equipment
from store.accounts import Person
from store.identity import new_id
from store.rows import changed
from store.steps import Subject

_TABLE = tables_equipment.assignment


class AssignmentState(StrEnum):
    """The way of an assignment."""

    GIVEN = "given"
    TAKEN = "taken"
    DONE = "done"
    CANCELLED = "cancelled"


_OPEN = (AssignmentState.GIVEN.value, AssignmentState.TAKEN.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be made. assignee: an account, else only `assignee_name`. duty, period: where it came from."""

    unit: UnitCode
    title: str
    due: date
    station: StationCode | None = None
    note: str = ""
    programme: ProgrammeCode | None = None
    topic: str = ""
    village: str = ""
    duty: str = ""
    period: str = ""
    assignee: str | None = None
    assignee_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One assignment. given_by: the name of who gave it."""

    id: str
    task: Task
    state: AssignmentState
    segment: str | None
    given_by: str
    given_at: datetime
    done_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.state.value in _OPEN


class Which(StrEnum):
    """What a list of assignments shows."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a page of assignments ended."""

    due: date
    id: str


def give(session: Session, task: Task, *, person: Person, now: datetime) -> str:
    """Give an assignment and return its id; one that is open for the same duty and period is that one.

    Raises Refused without a title or somebody to do it.
    """
    if not task.title.strip():
        raise Refused(_wrong("title", "Hãy ghi việc cần làm. Chưa giao gì.", "Write what is to be done."))
    if task.assignee is None and not task.assignee_name.strip():
        raise Refused(_wrong("assignee", "Hãy chọn người làm. Chưa giao gì.", "Choose who is to do it."))
    if task.duty:
        known = of_duty(session, task.duty, task.period, task.station)
        if known is not None:
            return known.id
    made = new_id()
    session.execute(
        insert(_TABLE).values(
            id=made,
            unit=task.unit,
            station=task.station,
            title=task.title.strip()[:200],
            note=task.note.strip()[:1000],
            programme=task.programme,
            topic=task.topic[:40],
            village=task.village.strip()[:200],
            duty=task.duty,
            period=task.period,
            assignee=task.assignee,
            assignee_name=task.assignee_name.strip()[:200],
            due=task.due,
            state=AssignmentState.GIVEN.value,
            given_by=person.id,
            given_at=now,
        )
    )
    steps.add(session, Subject.ASSIGNMENT, made, "given", at=now, person=person, details={"to": task.assignee_name})
    return made


def find(session: Session, assignment: str) -> Assignment | None:
    """Return the assignment, or None."""
    row = session.execute(_select().where(_TABLE.c.id == assignment)).one_or_none()
    return None if row is None else _assignment(row)


def of_duty(session: Session, duty: str, period: str, station: StationCode | None) -> Assignment | None:
    """Return the open assignment that came from this duty, or None."""
    row = session.execute(
        _select()
        .where(
            _TABLE.c.duty == duty,
            _TABLE.c.period == period,
            _TABLE.c.station == station if station is not None else _TABLE.c.station.is_(None),
            _TABLE.c.state.in_(_OPEN),
        )
        .limit(1)
    ).one_or_none()
    return None if row is None else _assignment(row)


def move(
    session: Session, assignment: str, state: AssignmentState, *, text: str = "", person: Person, now: datetime
) -> None:
    """Say that it was taken, is done or is not needed. Raises Conflict where it is over."""
    ends = state in (AssignmentState.DONE, AssignmentState.CANCELLED)
    query = update(_TABLE).where(_TABLE.c.id == assignment, _TABLE.c.state.in_(_OPEN))
    if changed(session, query.values(state=state.value, done_at=now if ends else None)) != 1:
        raise Conflict(
            Finding(
                code="assignment_over",
                severity=Severity.ERROR,
                message=Text(
                    "Việc này đã kết thúc. Chưa có gì thay đổi.", "This is over already. Nothing was changed."
                ),
            )
        )
    steps.add(session, Subject.ASSIGNMENT, assignment, state.value, at=now, person=person, text=text.strip())


def mine(session: Session, person: Person, *, limit: int = 10) -> tuple[Assignment, ...]:
    """Return what the person still has to do, what is due first, first: for Today."""
    rows = session.execute(
        _select()
        .where(_TABLE.c.assignee == person.id, _TABLE.c.state.in_(_OPEN))
        .order_by(_TABLE.c.due, _TABLE.c.id)
        .limit(limit)
    )
    return tuple(_assignment(row) for row in rows)


def listing(
    session: Session,
    *,
    units: Collection[UnitCode],
    which: Which,
    today: date,
    assignee: str | None = None,
    station: StationCode | None = None,
    after: Mark | None = None,
    limit: int = 50,
) -> tuple[Assignment, ...]:
    """Return assignments: open ones by the day they are due, the others newest first."""
    by_due = which is not Which.DONE
    keys = (_TABLE.c.due, _TABLE.c.id)
    query = _select().where(_TABLE.c.unit.in_(units), _which(which, today)).limit(limit)
    query = query.order_by(*(key if by_due else key.desc() for key in keys))
    if assignee is not None:
        query = query.where(_TABLE.c.assignee == assignee)
    if station is not None:
        query = query.where(_TABLE.c.station == station)
    if after is not None:
        mark = tuple_(after.due, after.id, types=[key.type for key in keys])
        query = query.where(tuple_(*keys) > mark if by_due else tuple_(*keys) < mark)
    return tuple(_assignment(row) for row in session.execute(query))


def counts(session: Session, *, units: Collection[UnitCode], today: date) -> tuple[int, int]:
    """Return how many are open, and how many of those are overdue."""
    found = {
        which: session.scalar(select(func.count()).where(_TABLE.c.unit.in_(units), _which(which, today))) or 0
        for which in (Which.OPEN, Which.OVERDUE)
    }
    return found[Which.OPEN], found[Which.OVERDUE]


def count_mine(session: Session, person: Person) -> int:
    """Return how many assignments the person still has to do."""
    query = select(func.count()).where(_TABLE.c.assignee == person.id, _TABLE.c.state.in_(_OPEN))
    return session.scalar(query) or 0


def _which(which: Which, today: date) -> ColumnElement[bool]:
    still = _TABLE.c.state.in_(_OPEN)
    match which:
        case Which.OPEN:
            return still
        case Which.OVERDUE:
            return and_(still, _TABLE.c.due < today)
    return or_(_TABLE.c.state == AssignmentState.DONE.value, _TABLE.c.state == AssignmentState.CANCELLED.value)


def _select() -> Any:  # noqa: ANN401 - SQLAlchemy's Select is generic over nothing useful
    giver = tables.person
    return select(_TABLE, giver.c.full_name.label("giver")).join(giver, giver.c.id == _TABLE.c.given_by)


def _assignment(row: Row[Any]) -> Assignment:
    return Assignment(
        id=row.id,
        task=Task(
            unit=row.unit,
            title=row.title,
            due=row.due,
            station=row.station,
            note=row.note,
            programme=row.programme,
            topic=row.topic,
            village=row.village,
            duty=row.duty,
            period=row.period,
            assignee=row.assignee,
            assignee_name=row.assignee_name,
        ),
        state=AssignmentState(row.state),
        segment=row.segment,
        given_by=row.giver,
        given_at=row.given_at,
        done_at=row.done_at,
    )


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
