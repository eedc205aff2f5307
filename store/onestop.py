"""The weekly figures of the one-stop shop: what a commune's office received and solved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict
from schedules.findings import Finding, Severity
from schedules.station import UnitCode
from schedules.text import Text
from store import tables, tables_texts
from store.accounts import Person
from store.rows import changed

_TABLE = tables_texts.onestop_week


@dataclass(frozen=True, slots=True, kw_only=True)
class OneStopWeek:
    """A week's figures, all of them numbers of files. online: of those received. notable: what is worth telling."""

    unit: UnitCode
    week: str
    received: int
    online: int
    on_time: int
    late: int
    notable: str = ""
    script: str | None = None
    revision: int = 0
    updated_at: datetime | None = None
    updated_by: str = ""

    @property
    def solved(self) -> int:
        """Files that were closed, in time or not."""
        return self.on_time + self.late


def save(session: Session, week: OneStopWeek, *, person: Person, now: datetime) -> None:
    """Keep a week's figures. Raises Conflict where somebody else saved them meanwhile (revision)."""
    values = {
        "received": week.received,
        "online": week.online,
        "on_time": week.on_time,
        "late": week.late,
        "notable": week.notable,
        "revision": week.revision + 1,
        "updated_by": person.id,
        "updated_at": now,
    }
    if find(session, week.unit, week.week) is None and week.revision == 0:
        session.execute(insert(_TABLE).values(unit=week.unit, week=week.week, script=None, **values))
        return
    statement = (
        update(_TABLE)
        .where(_TABLE.c.unit == week.unit, _TABLE.c.week == week.week, _TABLE.c.revision == week.revision)
        .values(**values)
    )
    if changed(session, statement) == 0:
        raise Conflict(
            Finding(
                code="changed_meanwhile",
                severity=Severity.ERROR,
                message=Text(
                    "Phiếu tuần này đã được người khác lưu sau khi anh/chị mở. Số liệu của anh/chị chưa được lưu.",
                    "Somebody else saved this week's form after you opened it. Your figures were not saved.",
                ),
                hint=Text("Hãy tải lại trang rồi nhập lại.", "Reload the page and enter them again."),
            )
        )


def join(session: Session, unit: UnitCode, week: str, script: str) -> None:
    """Say which text was made of a week's figures."""
    session.execute(update(_TABLE).where(_TABLE.c.unit == unit, _TABLE.c.week == week).values(script=script))


def find(session: Session, unit: UnitCode, week: str) -> OneStopWeek | None:
    """Return a week's figures, None where nobody entered any."""
    row = session.execute(_select().where(_TABLE.c.unit == unit, _TABLE.c.week == week)).one_or_none()
    return None if row is None else _week(row)


def newest(session: Session, unit: UnitCode, *, limit: int = 12) -> tuple[OneStopWeek, ...]:
    """Return the newest weeks of a unit, newest first."""
    rows = session.execute(_select().where(_TABLE.c.unit == unit).order_by(_TABLE.c.week.desc()).limit(limit))
    return tuple(_week(row) for row in rows)


def _select() -> Any:  # noqa: ANN401 - a Select of SQLAlchemy with a joined name
    return select(_TABLE, tables.person.c.full_name).join(tables.person, tables.person.c.id == _TABLE.c.updated_by)


def _week(row: Row[Any]) -> OneStopWeek:
    return OneStopWeek(
        unit=row.unit,
        week=row.week,
        received=row.received,
        online=row.online,
        on_time=row.on_time,
        late=row.late,
        notable=row.notable,
        script=row.script,
        revision=row.revision,
        updated_at=row.updated_at,
        updated_by=row.full_name,
    )
