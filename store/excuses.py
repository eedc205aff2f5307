"""Excuses: days on which a duty is not owed, each by a named document; a revoked one stays to be seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from schedules.duty import Excuse
from schedules.station import StationCode
from schedules.text import Text
from store import tables
from store.identity import new_id
from store.rows import changed

_TABLE = tables.excuse


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedExcuse:
    """An excuse with who granted and who revoked it; no name where Loa itself or the command line did."""

    id: str
    excuse: Excuse
    granted_at: datetime
    granted_by: str | None
    revoked_at: datetime | None
    revoked_by: str | None


def grant(session: Session, excuse: Excuse, now: datetime, *, person: str | None = None) -> str:
    """Keep the excuse that the person with that id granted, and return its id. The caller bumps the intent.

    Raises ValueError for one without a document, or that ends before it begins.
    """
    if not excuse.document.strip():
        raise ValueError("an excuse names its document")
    if excuse.last < excuse.first:
        raise ValueError("an excuse ends on or after its first day")
    made = new_id()
    session.execute(
        insert(_TABLE).values(
            id=made,
            station=excuse.station,
            duty=excuse.duty,
            first=excuse.first,
            last=excuse.last,
            document=excuse.document,
            reason_vi=excuse.reason.vi,
            reason_en=excuse.reason.en,
            granted_at=now,
            granted_by=person,
        )
    )
    return made


def revoke(session: Session, excuse: str, now: datetime, *, person: str | None = None) -> bool:
    """Take the excuse back; False where it is unknown or was taken back. The caller bumps the intent.

    What a station has sealed already stays excused.
    """
    statement = update(_TABLE).where(_TABLE.c.id == excuse, _TABLE.c.revoked_at.is_(None))
    return changed(session, statement.values(revoked_at=now, revoked_by=person)) == 1


def find(session: Session, excuse: str) -> GrantedExcuse | None:
    """Return it, revoked or not, or None."""
    return next((known for known in _all(session) if known.id == excuse), None)


def listing(session: Session, *, stations: Collection[StationCode]) -> tuple[GrantedExcuse, ...]:
    """Return all of these stations, revoked ones too, newest first."""
    return tuple(known for known in reversed(_all(session)) if known.excuse.station in stations)


def in_force(session: Session) -> tuple[Excuse, ...]:
    """Return those that nobody revoked, in order of their first day."""
    return tuple(known.excuse for known in _all(session) if known.revoked_at is None)


def _all(session: Session) -> list[GrantedExcuse]:
    granter, revoker = tables.person.alias("granter"), tables.person.alias("revoker")
    rows = session.execute(
        select(_TABLE, granter.c.full_name.label("granter_name"), revoker.c.full_name.label("revoker_name"))
        .outerjoin(granter, granter.c.id == _TABLE.c.granted_by)
        .outerjoin(revoker, revoker.c.id == _TABLE.c.revoked_by)
        .order_by(_TABLE.c.first, _TABLE.c.station, _TABLE.c.id)
    )
    return [_granted(row) for row in rows]


def _granted(row: Row[Any]) -> GrantedExcuse:
    return GrantedExcuse(
        id=row.id,
        excuse=Excuse(
            station=row.station,
            duty=row.duty,
            first=row.first,
            last=row.last,
            document=row.document,
            reason=Text(row.reason_vi, row.reason_en),
        ),
        granted_at=row.granted_at,
        granted_by=row.granter_name,
        revoked_at=row.revoked_at,
        revoked_by=row.revoker_name,
    )
