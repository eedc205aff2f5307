"""Texts for the air: what a person reads aloud or a machine speaks, and which recording came of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict, Refused
from schedules.findings import Finding, Severity
from schedules.programme import ProgrammeCode
from schedules.segment import SegmentId, SegmentKind
from schedules.station import StationCode, UnitCode
from schedules.text import Text
from store import tables, tables_texts
from store.accounts import Person
from store.identity import new_id
from store.rows import changed

_TABLE = tables_texts.script

LONGEST = 20_000
"""Characters of a text: about 25 minutes of speech."""

ScriptId = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What people write of a text.

    engine, voice, pace: what is to speak it; empty where a person reads it aloud. airs_at, airs_on: when and where it
    is to air once, as soon as it is approved.
    """

    owner: UnitCode
    station: StationCode | None
    programme: ProgrammeCode
    title: str
    body: str
    kind: SegmentKind = SegmentKind.BAI
    topics: tuple[str, ...] = ()
    language: str = "vi"
    author: str = ""
    engine: str = ""
    voice: str = ""
    pace: str = "usual"
    airs_at: datetime | None = None
    airs_on: StationCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One text. segment: the recording of it, None while there is none. spoken: a machine speaks that recording."""

    id: ScriptId
    wording: Wording
    revision: int
    segment: SegmentId | None
    spoken: bool
    writer: str
    writer_name: str
    created_at: datetime
    updated_at: datetime


def write(session: Session, wording: Wording, *, person: Person, now: datetime) -> ScriptId:
    """Keep a new text and return its id. Raises Refused where it is too long or has no title."""
    _check(wording)
    script = new_id()
    session.execute(
        insert(_TABLE).values(
            id=script,
            **_values(wording),
            revision=1,
            segment=None,
            spoken=False,
            created_by=person.id,
            created_at=now,
            updated_by=person.id,
            updated_at=now,
        )
    )
    return script


def rewrite(
    session: Session, script: ScriptId, wording: Wording, *, revision: int, person: Person, now: datetime
) -> None:
    """Change a text. Raises Conflict where somebody else changed it meanwhile, Refused as `write` does."""
    _check(wording)
    statement = (
        update(_TABLE)
        .where(_TABLE.c.id == script, _TABLE.c.revision == revision, _TABLE.c.removed_at.is_(None))
        .values(**_values(wording), revision=revision + 1, updated_by=person.id, updated_at=now)
    )
    if changed(session, statement) == 0:
        raise Conflict(_changed_meanwhile())


def join(session: Session, script: ScriptId, segment: SegmentId, *, spoken: bool, now: datetime) -> None:
    """Say which recording a text became; spoken: by a machine. The recording has no other text after this."""
    session.execute(
        update(_TABLE).where(_TABLE.c.segment == segment, _TABLE.c.id != script).values(segment=None, updated_at=now)
    )
    session.execute(update(_TABLE).where(_TABLE.c.id == script).values(segment=segment, spoken=spoken, updated_at=now))


def remove(session: Session, script: ScriptId, *, now: datetime) -> bool:
    """Take a text that became no recording out of sight; False where there is none."""
    return (
        changed(
            session,
            update(_TABLE)
            .where(_TABLE.c.id == script, _TABLE.c.segment.is_(None), _TABLE.c.removed_at.is_(None))
            .values(removed_at=now),
        )
        == 1
    )


def restore(session: Session, script: ScriptId) -> bool:
    """Bring a removed text back; False where it was not removed."""
    statement = update(_TABLE).where(_TABLE.c.id == script, _TABLE.c.removed_at.is_not(None)).values(removed_at=None)
    return changed(session, statement) == 1


def find(session: Session, script: ScriptId, *, removed: bool = False) -> Script | None:
    """Return a text, None where there is none; removed: also one that was taken out of sight."""
    query = _select().where(_TABLE.c.id == script)
    if not removed:
        query = query.where(_TABLE.c.removed_at.is_(None))
    row = session.execute(query).one_or_none()
    return None if row is None else _script(row)


def of_segment(session: Session, segment: SegmentId) -> Script | None:
    """Return the text of a recording, None where it has none."""
    row = session.execute(_select().where(_TABLE.c.segment == segment)).one_or_none()
    return None if row is None else _script(row)


def body_of_segment(session: Session, segment: SegmentId) -> str | None:
    """Return the words of a recording, None where nobody wrote them down."""
    found: str | None = session.scalar(select(_TABLE.c.body).where(_TABLE.c.segment == segment))
    return found


def wishes(session: Session, wanted: Collection[SegmentId]) -> dict[SegmentId, datetime]:
    """Return when those of these recordings are to air for which somebody wished a time."""
    rows = session.execute(
        select(_TABLE.c.segment, _TABLE.c.airs_at).where(_TABLE.c.segment.in_(wanted), _TABLE.c.airs_at.is_not(None))
    )
    return {row.segment: row.airs_at for row in rows}


def waiting(
    session: Session, owners: Collection[UnitCode], *, before: ScriptId | None = None, limit: int = 50
) -> tuple[Script, ...]:
    """Return texts that became no recording yet, newest first. before: the last id of the page before."""
    query = (
        _select()
        .where(_TABLE.c.owner.in_(owners), _TABLE.c.segment.is_(None), _TABLE.c.removed_at.is_(None))
        .order_by(_TABLE.c.updated_at.desc(), _TABLE.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        mark = session.scalar(select(_TABLE.c.updated_at).where(_TABLE.c.id == before))
        if mark is None:
            return ()
        query = query.where(or_(_TABLE.c.updated_at < mark, and_(_TABLE.c.updated_at == mark, _TABLE.c.id < before)))
    return tuple(_script(row) for row in session.execute(query))


def _check(wording: Wording) -> None:
    if not wording.title.strip() or len(wording.title) > 200:
        raise Refused(
            _wrong("title", "Hãy đặt tên, không quá 200 ký tự.", "Give it a title of at most 200 characters.")
        )
    if len(wording.body) > LONGEST:
        raise Refused(
            _wrong(
                "body",
                f"Lời đọc dài quá {LONGEST:,} ký tự. Chưa lưu.".replace(",", "."),
                f"The text is longer than {LONGEST:,} characters. It was not saved.",
            )
        )


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))


def _changed_meanwhile() -> Finding:
    return Finding(
        code="changed_meanwhile",
        severity=Severity.ERROR,
        message=Text(
            "Lời này đã được người khác sửa sau khi anh/chị mở. Bản của anh/chị chưa được lưu.",
            "Somebody else changed this text after you opened it. Your version was not saved.",
        ),
        hint=Text(
            "Hãy chép lại phần vừa viết, tải lại trang rồi sửa tiếp.",
            "Copy what you wrote, reload the page, then go on.",
        ),
    )


def _values(wording: Wording) -> dict[str, object]:
    return {
        "owner": wording.owner,
        "station": wording.station,
        "programme": wording.programme,
        "title": wording.title.strip(),
        "body": wording.body,
        "kind": wording.kind.value,
        "topics": list(wording.topics),
        "language": wording.language,
        "author": wording.author[:200],
        "engine": wording.engine,
        "voice": wording.voice,
        "pace": wording.pace,
        "airs_at": wording.airs_at,
        "airs_on": wording.airs_on,
    }


def _select() -> Select[Any]:
    return select(_TABLE, tables.person.c.full_name.label("writer_name")).join(
        tables.person, tables.person.c.id == _TABLE.c.updated_by
    )


def _script(row: Row[Any]) -> Script:
    return Script(
        id=row.id,
        wording=Wording(
            owner=row.owner,
            station=row.station,
            programme=row.programme,
            title=row.title,
            body=row.body,
            kind=SegmentKind(row.kind),
            topics=tuple(row.topics),
            language=row.language,
            author=row.author,
            engine=row.engine,
            voice=row.voice,
            pace=row.pace,
            airs_at=row.airs_at,
            airs_on=row.airs_on,
        ),
        revision=row.revision,
        segment=row.segment,
        spoken=row.spoken,
        writer=row.updated_by,
        writer_name=row.writer_name,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
