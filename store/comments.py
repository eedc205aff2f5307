"""What people say to each other about a recording; nothing of it is changed or taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.segment import SegmentId
from schedules.text import Text
from store import tables, tables_texts
from store.accounts import Person, Role

_TABLE = tables_texts.segment_comment
_LONGEST = 2000
_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One remark. revision: of the recording's card when it was made."""

    at: datetime
    person_name: str
    role: Role
    revision: int
    body: str


def add(session: Session, segment: SegmentId, body: str, *, revision: int, person: Person, now: datetime) -> None:
    """Keep a remark. Raises Refused where there is nothing in it or too much."""
    body = body.strip()
    if not body or len(body) > _LONGEST:
        raise Refused(
            Finding(
                code="comment_wrong",
                severity=Severity.ERROR,
                where="comment",
                message=Text(
                    f"Hãy ghi góp ý, từ 1 đến {_LONGEST} ký tự. Chưa gửi.",
                    f"Write 1 to {_LONGEST} characters. Nothing was sent.",
                ),
            )
        )
    session.execute(insert(_TABLE).values(segment=segment, person=person.id, at=now, revision=revision, body=body))


def of_segment(session: Session, segment: SegmentId) -> tuple[Comment, ...]:
    """Return the newest remarks about a recording, oldest of them first."""
    rows = session.execute(
        select(_TABLE, tables.person.c.full_name, tables.person.c.role)
        .join(tables.person, tables.person.c.id == _TABLE.c.person)
        .where(_TABLE.c.segment == segment)
        .order_by(_TABLE.c.id.desc())
        .limit(_MOST)
    ).all()
    return tuple(
        Comment(at=row.at, person_name=row.full_name, role=Role(row.role), revision=row.revision, body=row.body)
        for row in reversed(rows)
    )
