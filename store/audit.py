"""The security log of the authority: who did, or tried to do, what, from where."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select
from sqlalchemy.orm import Session

from store import tables
from store.accounts import Person

_TABLE = tables.audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row. outcome: done or refused. subject: the id of the thing. name: as typed where nobody is signed in."""

    id: int
    at: datetime
    person: str | None
    name: str
    address: str
    what: str
    subject: str
    outcome: str
    detail: str


def note(
    session: Session,
    *,
    at: datetime,
    what: str,
    person: Person | None = None,
    name: str = "",
    address: str = "",
    subject: str = "",
    outcome: str = "done",
    detail: str = "",
) -> None:
    """Add a row. What came from outside is shortened, and control characters are made visible."""
    session.execute(
        insert(_TABLE).values(
            at=at,
            person=None if person is None else person.id,
            name=_plain(name if person is None else person.name, 80),
            address=_plain(address, 64),
            what=what,
            subject=_plain(subject, 200),
            outcome=outcome,
            detail=_plain(detail, 500),
        )
    )


def newest(
    session: Session, *, before: int | None = None, limit: int = 50, units: Collection[str] | None = None
) -> tuple[Entry, ...]:
    """Return rows, newest first; `before` is the id of the last row of the page before.

    units: only acts of people of these; None for all rows, those of strangers too.
    """
    query = select(_TABLE).order_by(_TABLE.c.id.desc()).limit(limit)
    if units is not None:
        person = tables.person
        query = query.where(_TABLE.c.person.in_(select(person.c.id).where(person.c.unit.in_(units))))
    if before is not None:
        query = query.where(_TABLE.c.id < before)
    return tuple(_entry(row) for row in session.execute(query))


def about(session: Session, *, subject: str, what: str, since: datetime, limit: int) -> tuple[Entry, ...]:
    """Return what was done since then to a thing and to what stands below it (`SUBJECT/…`), oldest first.

    what: how the names of the acts begin.
    """
    rows = session.execute(
        select(_TABLE)
        .where(
            _TABLE.c.at >= since,
            _TABLE.c.what.startswith(what, autoescape=True),
            _TABLE.c.outcome == "done",
            or_(_TABLE.c.subject == subject, _TABLE.c.subject.startswith(f"{subject}/", autoescape=True)),
        )
        .order_by(_TABLE.c.at, _TABLE.c.id)
        .limit(limit)
    )
    return tuple(_entry(row) for row in rows)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        person=row.person,
        name=row.name,
        address=row.address,
        what=row.what,
        subject=row.subject,
        outcome=row.outcome,
        detail=row.detail,
    )


def _plain(text: str, longest: int) -> str:
    # A line break, a terminal's escape or a right-to-left mark would let one row look like another.
    shown = "".join(
        f"\\u{ord(letter):04x}" if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else letter
        for letter in text[:longest]
    )
    return shown[:longest]
