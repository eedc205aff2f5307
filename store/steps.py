"""What was done about equipment, tickets, complaints and assignments, step by step; nothing of it is ever changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from store import tables_equipment
from store.accounts import Person
from store.rows import changed

_TABLE = tables_equipment.step


class Subject(StrEnum):
    """What a step belongs to."""

    TICKET = "ticket"
    DEVICE = "device"
    SPARE = "spare"
    COMPLAINT = "complaint"
    ASSIGNMENT = "assignment"
    INSPECTION = "inspection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. person: None for Loa itself and for people with a link; name: as it was then.

    picture: SHA-256 of a photo in the place of all pictures. phone: empty once it is no longer kept.
    """

    id: int
    subject: str
    at: datetime
    person: str | None
    name: str
    what: str
    text: str
    details: Mapping[str, Any]
    picture: str | None
    phone: str


def add(
    session: Session,
    kind: Subject,
    subject: str,
    what: str,
    *,
    at: datetime,
    person: Person | None = None,
    name: str = "",
    text: str = "",
    details: Mapping[str, Any] | None = None,
    picture: str | None = None,
    phone: str = "",
) -> None:
    """Add a step. Texts are shortened to what the table holds."""
    session.execute(
        insert(_TABLE).values(
            kind=kind.value,
            subject=subject,
            at=at,
            person=None if person is None else person.id,
            name=(name if person is None else person.full_name)[:200],
            what=what,
            text=text[:2000],
            details=dict(details or {}),
            picture=picture,
            phone=phone[:40],
        )
    )


def of(session: Session, kind: Subject, subject: str, *, limit: int = 500) -> tuple[Step, ...]:
    """Return the steps of one thing, oldest first."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.kind == kind.value, _TABLE.c.subject == subject)
        .order_by(_TABLE.c.id)
        .limit(limit)
    )
    return tuple(_step(row) for row in rows)


def newest(session: Session, kind: Subject, subjects: Collection[str]) -> Mapping[str, Step]:
    """Return the last step of each of these things that has one."""
    last = (
        select(func.max(_TABLE.c.id))
        .where(_TABLE.c.kind == kind.value, _TABLE.c.subject.in_(subjects))
        .group_by(_TABLE.c.subject)
    )
    return {row.subject: _step(row) for row in session.execute(select(_TABLE).where(_TABLE.c.id.in_(last)))}


def find(session: Session, kind: Subject, subject: str, step: int) -> Step | None:
    """Return one step of a thing, or None."""
    row = session.execute(
        select(_TABLE).where(_TABLE.c.kind == kind.value, _TABLE.c.subject == subject, _TABLE.c.id == step)
    ).one_or_none()
    return None if row is None else _step(row)


def forget_phones(session: Session, before: datetime) -> int:
    """Remove the telephone numbers of people who reported before then; what they reported stays."""
    return changed(session, update(_TABLE).where(_TABLE.c.at < before, _TABLE.c.phone != "").values(phone=""))


def pictures(session: Session) -> frozenset[str]:
    """Return the hash of every photo that a step or an inspection shows: these must not be removed."""
    item = tables_equipment.inspection_item
    shown = [session.scalars(select(one.c.picture).where(one.c.picture.is_not(None))) for one in (_TABLE, item)]
    return frozenset(str(picture) for found in shown for picture in found)


def _step(row: Row[Any]) -> Step:
    return Step(
        id=row.id,
        subject=row.subject,
        at=row.at,
        person=row.person,
        name=row.name,
        what=row.what,
        text=row.text,
        details=row.details,
        picture=row.picture,
        phone=row.phone,
    )
