"""The guidance library: what a centre writes down for its communes, with a paper or a recording to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, Select, and_, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.segment import SegmentId
from schedules.station import UnitCode
from schedules.text import Text
from store import tables, tables_texts
from store.accounts import Person
from store.identity import new_id
from store.rows import changed

_TABLE = tables_texts.guidance
_FILE = tables_texts.guidance_file
_LONGEST = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """One page. segment: a recording to listen to. file_name: a paper to download, empty where there is none."""

    id: str
    owner: UnitCode
    title: str
    body: str
    segment: SegmentId | None
    file_name: str
    file_bytes: int
    writer_name: str
    updated_at: datetime


def save(
    session: Session,
    *,
    guidance: str,
    owner: UnitCode,
    title: str,
    body: str,
    segment: SegmentId | None,
    person: Person,
    now: datetime,
) -> str:
    """Keep a page; one without an id is new. Returns its id. Raises Refused for one without a title or too long."""
    title, body = " ".join(title.split()), body.strip()
    if not title or len(title) > 200:
        raise Refused(_wrong("title", "Hãy đặt tên, không quá 200 ký tự.", "Give a title of at most 200 characters."))
    if not body or len(body) > _LONGEST:
        raise Refused(_wrong("body", "Hãy viết nội dung, không quá 50.000 ký tự.", "Write 1 to 50,000 characters."))
    values = {"title": title, "body": body, "segment": segment, "updated_by": person.id, "updated_at": now}
    if guidance:
        session.execute(update(_TABLE).where(_TABLE.c.id == guidance).values(**values))
        return guidance
    identity = new_id()
    session.execute(insert(_TABLE).values(id=identity, owner=owner, created_at=now, **values))
    return identity


def attach(session: Session, guidance: str, *, name: str, content: bytes) -> None:
    """Put a paper to a page, in the place of the one before."""
    detach(session, guidance)
    session.execute(
        insert(_FILE).values(
            guidance=guidance,
            name=name[:200],
            size_bytes=len(content),
            sha256=sha256(content).hexdigest(),
            content=content,
        )
    )


def detach(session: Session, guidance: str) -> None:
    """Take a page's paper away."""
    session.execute(delete(_FILE).where(_FILE.c.guidance == guidance))


def file_of(session: Session, guidance: str) -> tuple[str, bytes] | None:
    """Return name and bytes of a page's paper, None where there is none."""
    row = session.execute(select(_FILE.c.name, _FILE.c.content).where(_FILE.c.guidance == guidance)).one_or_none()
    return None if row is None else (row.name, row.content)


def remove(session: Session, guidance: str, *, now: datetime) -> bool:
    """Take a page out of the library; False where there is none."""
    statement = update(_TABLE).where(_TABLE.c.id == guidance, _TABLE.c.removed_at.is_(None)).values(removed_at=now)
    return changed(session, statement) == 1


def restore(session: Session, guidance: str) -> bool:
    """Put a removed page back; False where it was not removed."""
    statement = update(_TABLE).where(_TABLE.c.id == guidance, _TABLE.c.removed_at.is_not(None)).values(removed_at=None)
    return changed(session, statement) == 1


def find(session: Session, guidance: str, *, removed: bool = False) -> Guidance | None:
    """Return a page, None where there is none; removed: also one that was taken out."""
    query = _select().where(_TABLE.c.id == guidance)
    if not removed:
        query = query.where(_TABLE.c.removed_at.is_(None))
    row = session.execute(query).one_or_none()
    return None if row is None else _guidance(row)


def listing(
    session: Session, owners: Collection[UnitCode], *, before: str | None = None, limit: int = 50
) -> tuple[Guidance, ...]:
    """Return pages of these units, the newest first. before: the last id of the page before."""
    query = (
        _select()
        .where(_TABLE.c.owner.in_(owners), _TABLE.c.removed_at.is_(None))
        .order_by(_TABLE.c.updated_at.desc(), _TABLE.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        mark = session.scalar(select(_TABLE.c.updated_at).where(_TABLE.c.id == before))
        if mark is None:
            return ()
        query = query.where(or_(_TABLE.c.updated_at < mark, and_(_TABLE.c.updated_at == mark, _TABLE.c.id < before)))
    return tuple(_guidance(row) for row in session.execute(query))


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))


def _select() -> Select[Any]:
    return (
        select(_TABLE, _FILE.c.name.label("file_name"), _FILE.c.size_bytes, tables.person.c.full_name)
        .outerjoin(_FILE, _FILE.c.guidance == _TABLE.c.id)
        .join(tables.person, tables.person.c.id == _TABLE.c.updated_by)
    )


def _guidance(row: Row[Any]) -> Guidance:
    return Guidance(
        id=row.id,
        owner=row.owner,
        title=row.title,
        body=row.body,
        segment=row.segment,
        file_name=row.file_name or "",
        file_bytes=row.size_bytes or 0,
        writer_name=row.full_name,
        updated_at=row.updated_at,
    )
