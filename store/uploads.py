"""Recordings that are still on their way: how many bytes are safe, whose they are, and when they are given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.errors import TooMany
from schedules.findings import Finding, Severity
from schedules.segment import Priority, SegmentId, SegmentKind
from schedules.text import Text
from store import tables_uploads
from store.accounts import Person
from store.rows import changed
from store.segments import Card

LIFE = timedelta(days=7)
"""How long an upload waits for its next byte; a weekend without a link must not cost anybody an hour of sending."""
EMPTY_LIFE = timedelta(days=1)
"""The same while nothing has come: often its sender never learned the address, and asked for another one."""
REMEMBERED = timedelta(days=7)
"""How long it is still known that there was one."""

_TABLE = tables_uploads.upload


class UploadState(Enum):
    """Where an upload is. WHOLE: everything is there, and its card is not."""

    ARRIVING = "arriving"
    WHOLE = "whole"
    TAKEN = "taken"
    ENDED = "ended"


_WAITING = (UploadState.ARRIVING.value, UploadState.WHOLE.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file on its way.

    length, offset: bytes it will have and bytes that are safe. said: the sender's own words about it, unread.
    card: what it becomes when it is whole; None where that is said later. segment: what it became.
    script: the id of the text that is read aloud in it, None where there is none.
    """

    id: str
    person: str
    length: int
    offset: int
    file_name: str
    said: str
    card: Card | None
    script: str | None
    state: UploadState
    segment: SegmentId | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


def begin(
    session: Session,
    *,
    upload: str,
    person: Person,
    length: int,
    file_name: str,
    said: str,
    card: Card | None,
    now: datetime,
    script: str | None = None,
    most: int,
    most_bytes: int,
) -> Upload:
    """Expect a file. Raises TooMany where the person has `most` on their way, or more than `most_bytes` with this."""
    waiting = select(func.count(), func.coalesce(func.sum(_TABLE.c.length), 0)).where(
        _TABLE.c.person == person.id, _TABLE.c.state.in_(_WAITING), _TABLE.c.expires_at > now
    )
    count, total = session.execute(waiting).one()
    if count >= most or total + length > most_bytes:
        raise TooMany(_too_many(count, total))
    session.execute(
        insert(_TABLE).values(
            id=upload,
            person=person.id,
            length=length,
            offset=0,
            file_name=file_name[:200],
            said=said,
            card=None if card is None else _dump(card),
            script=script,
            state=UploadState.ARRIVING.value,
            created_at=now,
            updated_at=now,
            expires_at=now + EMPTY_LIFE,
        )
    )
    found = find(session, upload)
    if found is None:
        raise LookupError(upload)
    return found


def find(session: Session, upload: str) -> Upload | None:
    """Return the upload, also one that is over; None where it was never or is forgotten."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == upload)).one_or_none()
    return None if row is None else _upload(row)


def advance(session: Session, upload: str, *, before: int, offset: int, whole: bool, now: datetime) -> bool:
    """Note that so many bytes are safe; False where it did not stand at `before` any more."""
    state = UploadState.WHOLE if whole else UploadState.ARRIVING
    return (
        changed(
            session,
            update(_TABLE)
            .where(_TABLE.c.id == upload, _TABLE.c.offset == before, _TABLE.c.state == UploadState.ARRIVING.value)
            .values(offset=offset, state=state.value, updated_at=now, expires_at=now + LIFE),
        )
        == 1
    )


def take(session: Session, upload: str, *, segment: SegmentId, now: datetime) -> bool:
    """Note that it is whole and a recording now; False where it was taken or ended before."""
    return (
        changed(
            session,
            update(_TABLE)
            .where(_TABLE.c.id == upload, _TABLE.c.state.in_(_WAITING))
            .values(
                offset=_TABLE.c.length,
                state=UploadState.TAKEN.value,
                segment=segment,
                updated_at=now,
                expires_at=now + LIFE,
            ),
        )
        == 1
    )


def end(session: Session, upload: str, now: datetime) -> bool:
    """Give it up; False where that had happened before. A recording that it became stays what it is."""
    return (
        changed(
            session,
            update(_TABLE)
            .where(_TABLE.c.id == upload, _TABLE.c.state != UploadState.ENDED.value)
            .values(state=UploadState.ENDED.value, updated_at=now),
        )
        == 1
    )


def waiting(session: Session, now: datetime) -> frozenset[str]:
    """Return the ids of those whose bytes are still needed."""
    query = select(_TABLE.c.id).where(_TABLE.c.state.in_(_WAITING), _TABLE.c.expires_at > now)
    return frozenset(session.scalars(query))


def of_person(session: Session, person: str, now: datetime, *, limit: int = 20) -> tuple[Upload, ...]:
    """Return what the person still has on the way, newest first."""
    query = (
        select(_TABLE)
        .where(_TABLE.c.person == person, _TABLE.c.state.in_(_WAITING), _TABLE.c.expires_at > now)
        .order_by(_TABLE.c.updated_at.desc(), _TABLE.c.id)
        .limit(limit)
    )
    return tuple(_upload(row) for row in session.execute(query))


def forget(session: Session, now: datetime) -> int:
    """Remove the rows of what was over long ago; returns how many."""
    return changed(session, delete(_TABLE).where(_TABLE.c.expires_at <= now - REMEMBERED))


def _upload(row: Row[Any]) -> Upload:
    values = dict(row._mapping)
    card = values.pop("card")
    return Upload(
        **values | {"state": UploadState(values["state"]), "card": None if card is None else _load(card)},
    )


def _dump(card: Card) -> dict[str, Any]:
    return asdict(card) | {
        "kind": card.kind.value,
        "priority": card.priority.value,
        "topics": list(card.topics),
        "valid_from": None if card.valid_from is None else card.valid_from.isoformat(),
        "valid_until": None if card.valid_until is None else card.valid_until.isoformat(),
    }


def _load(values: Mapping[str, Any]) -> Card:
    card = Card(**values)
    return replace(
        card,
        kind=SegmentKind(values["kind"]),
        priority=Priority(values["priority"]),
        topics=tuple(values["topics"]),
        valid_from=_moment(values["valid_from"]),
        valid_until=_moment(values["valid_until"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _too_many(count: int, total_bytes: int) -> Finding:
    megabytes = round(total_bytes / 1024 / 1024)
    return Finding(
        code="too_many_uploads",
        severity=Severity.ERROR,
        message=Text(
            f"Đang gửi dở {count} tệp, tổng cộng {megabytes} MB. Tệp mới chưa được nhận, các tệp kia vẫn giữ.",
            f"{count} files of {megabytes} MB in all are still being sent. The new one was not taken; those are kept.",
        ),
        hint=Text(
            "Hãy gửi xong hoặc hủy bớt các tệp đó rồi gửi lại.",
            "Finish or cancel some of them, then send it again.",
        ),
    )
