"""What an office's papers bear: its letterhead as it was typed last, and templates of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from schedules.station import UnitCode
from store import tables_reports
from store.identity import new_id
from store.rows import changed

_HEAD = tables_reports.letterhead
_TEMPLATE = tables_reports.paper_template


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """A unit's letterhead. basis: the order that its reports follow."""

    above: str = ""
    agency: str
    symbol: str = "BC-UBND"
    place: str = ""
    signer_title: str = ""
    signer: str = ""
    recipients: tuple[str, ...] = ()
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTemplate:
    """A DOCX template of a unit for one kind of paper; the newest one that was not ended is used."""

    id: str
    unit: UnitCode
    kind: str
    name: str
    sha256: str
    added_by: str
    added_at: datetime
    content: bytes = b""


def save_head(session: Session, unit: UnitCode, head: StoredHead) -> None:
    """Keep the letterhead in the place of the one before."""
    values = {
        "above": head.above,
        "agency": head.agency,
        "symbol": head.symbol,
        "place": head.place,
        "signer_title": head.signer_title,
        "signer": head.signer,
        "recipients": list(head.recipients),
        "basis": head.basis,
    }
    if changed(session, update(_HEAD).where(_HEAD.c.unit == unit).values(**values)) == 0:
        session.execute(insert(_HEAD).values(unit=unit, **values))


def head(session: Session, unit: UnitCode) -> StoredHead | None:
    """Return the letterhead, or None where none was typed yet."""
    row = session.execute(select(_HEAD).where(_HEAD.c.unit == unit)).one_or_none()
    if row is None:
        return None
    return StoredHead(
        above=row.above,
        agency=row.agency,
        symbol=row.symbol,
        place=row.place,
        signer_title=row.signer_title,
        signer=row.signer,
        recipients=tuple(row.recipients),
        basis=row.basis,
    )


def add_template(
    session: Session, *, unit: UnitCode, kind: str, name: str, sha256: str, content: bytes, by: str, now: datetime
) -> str:
    """Use this template from now on and return its id."""
    end_template(session, unit=unit, kind=kind, now=now)
    made = new_id()
    session.execute(
        insert(_TEMPLATE).values(
            id=made, unit=unit, kind=kind, name=name, sha256=sha256, content=content, added_by=by, added_at=now
        )
    )
    return made


def end_template(session: Session, *, unit: UnitCode, kind: str, now: datetime) -> bool:
    """Go back to the template that Loa brings; False where that is used already."""
    mine = (_TEMPLATE.c.unit == unit, _TEMPLATE.c.kind == kind, _TEMPLATE.c.ended_at.is_(None))
    return changed(session, update(_TEMPLATE).where(*mine).values(ended_at=now)) > 0


def template(session: Session, unit: UnitCode, kind: str, *, whole: bool = True) -> PaperTemplate | None:
    """Return the template in use, None for the one that Loa brings. whole: with its content."""
    columns = [column for column in _TEMPLATE.c if whole or column.name != "content"]
    row = session.execute(
        select(*columns)
        .where(_TEMPLATE.c.unit == unit, _TEMPLATE.c.kind == kind, _TEMPLATE.c.ended_at.is_(None))
        .order_by(_TEMPLATE.c.added_at.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return PaperTemplate(
        id=row.id,
        unit=row.unit,
        kind=row.kind,
        name=row.name,
        sha256=row.sha256,
        added_by=row.added_by,
        added_at=row.added_at,
        content=row.content if whole else b"",
    )
