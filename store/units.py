"""Units of the administration."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from schedules.station import Unit, UnitCode
from store import tables
from store.rows import changed


def save(session: Session, unit: Unit) -> None:
    """Add the unit, or change it where the code is known. The caller bumps the intent."""
    values = {
        "name": unit.name,
        "parent": unit.parent,
        "valid_from": unit.valid_from,
        "valid_until": unit.valid_until,
        "successor": unit.successor,
    }
    if changed(session, update(tables.unit).where(tables.unit.c.code == unit.code).values(**values)) == 0:
        session.execute(insert(tables.unit).values(code=unit.code, **values))


def find(session: Session, code: UnitCode) -> Unit | None:
    """Return the unit, or None."""
    return next((unit for unit in every(session) if unit.code == code), None)


def every(session: Session) -> tuple[Unit, ...]:
    """Return all units in order of code."""
    rows = session.execute(select(tables.unit).order_by(tables.unit.c.code))
    return tuple(
        Unit(
            code=row.code,
            name=row.name,
            parent=row.parent,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            successor=row.successor,
        )
        for row in rows
    )
