"""Recurring programmes."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from schedules.programme import Order, Otherwise, Programme, ProgrammeCode
from store import tables
from store.rows import changed


def save(session: Session, programme: Programme) -> None:
    """Add the programme, or change it where the code is known. The caller bumps the intent."""
    table = tables.programme
    values = {
        "name": programme.name,
        "order": programme.order.value,
        "otherwise": [way.value for way in programme.otherwise],
        "separation_s": programme.separation_s,
    }
    if changed(session, update(table).where(table.c.code == programme.code).values(**values)) == 0:
        session.execute(insert(table).values(code=programme.code, **values))


def find(session: Session, code: ProgrammeCode) -> Programme | None:
    """Return the programme, or None."""
    return next((programme for programme in every(session) if programme.code == code), None)


def every(session: Session) -> tuple[Programme, ...]:
    """Return all programmes in order of code."""
    rows = session.execute(select(tables.programme).order_by(tables.programme.c.code))
    return tuple(
        Programme(
            code=row.code,
            name=row.name,
            order=Order(row.order),
            otherwise=tuple(Otherwise(way) for way in row.otherwise),
            separation_s=row.separation_s,
        )
        for row in rows
    )
