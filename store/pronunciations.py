"""How words of a place are said: a unit's own list, with those of the units above it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.station import UnitCode
from schedules.text import Text
from store import tables_texts
from store.accounts import Person
from store.rows import changed

_TABLE = tables_texts.pronunciation

MOST = 500
"""Words that a unit may have: each of them is looked for in every text."""


def save(session: Session, unit: UnitCode, written: str, said: str, *, person: Person, now: datetime) -> None:
    """Keep how a word is said in the unit; an earlier way is forgotten. Raises Refused where it is not one."""
    written, said = " ".join(written.split()), " ".join(said.split())
    if not written or len(written) > 80:
        raise Refused(_wrong("written", "Hãy ghi từ, từ 1 đến 80 ký tự.", "Give a word of 1 to 80 characters."))
    if not any(letter.isalnum() for letter in said) or len(said) > 200:
        raise Refused(_wrong("said", "Hãy ghi cách đọc, từ 1 đến 200 ký tự.", "Say it in 1 to 200 characters."))
    remove(session, unit, written)
    count = session.scalar(select(func.count()).select_from(_TABLE).where(_TABLE.c.unit == unit)) or 0
    if count >= MOST:
        raise Refused(
            _wrong(
                "written", f"Danh sách đã có {MOST} từ; hãy bỏ bớt.", f"The list has {MOST} words already; remove some."
            )
        )
    session.execute(insert(_TABLE).values(unit=unit, written=written, said=said, updated_by=person.id, updated_at=now))


def remove(session: Session, unit: UnitCode, written: str) -> bool:
    """Forget how a word is said in the unit; False where nothing was known."""
    return changed(session, delete(_TABLE).where(_TABLE.c.unit == unit, _TABLE.c.written == written)) == 1


def of_unit(session: Session, unit: UnitCode) -> dict[str, str]:
    """Return the unit's own words, by the written form."""
    rows = session.execute(select(_TABLE).where(_TABLE.c.unit == unit).order_by(_TABLE.c.written))
    return {row.written: row.said for row in rows}


def along(session: Session, line: Sequence[UnitCode]) -> dict[str, str]:
    """Return the words that hold for the last unit of a line from above; the nearest unit decides."""
    rows = session.execute(select(_TABLE).where(_TABLE.c.unit.in_(line)))
    ranked = sorted(rows, key=lambda row: line.index(row.unit))
    return {row.written: row.said for row in ranked}


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
