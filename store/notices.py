"""Notices of people: what each should know, whether they read it, and whether it went out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.noticing import Colleague, Happening, NoticeKind, Pending, again, tell_at, whom
from schedules.station import Unit, units_above
from schedules.text import Text
from store import tables, tables_notices, units
from store.rows import changed

KEPT = timedelta(days=180)
STANDING = (NoticeKind.DUTY_AT_RISK, NoticeKind.SILENT, NoticeKind.FAULT, NoticeKind.UNAPPROVED, NoticeKind.WAITING)
"""Kinds that are over when their cause is; the others happened and stay as they are."""
_TABLE = tables_notices.notice
_CHOICE = tables_notices.person_choice
_DEPUTY = tables_notices.deputy
_LONGEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice of a person. times: how often the trouble came. over_at: since when it is not so any more."""

    id: int
    kind: NoticeKind
    text: Text
    path: str
    created_at: datetime
    times: int
    over_at: datetime | None
    read_at: datetime | None


def tell(
    session: Session,
    happening: Happening,
    now: datetime,
    *,
    rings: bool = True,
    among: Sequence[Colleague] | None = None,
    tree: tuple[Unit, ...] | None = None,
) -> int:
    """Note it for everybody who should know it; returns for how many it is news.

    Whoever has it already, or had it a short while ago, has it again without a ring. rings: False where the message
    goes out by itself. among, tree: `colleagues` and all units, where many things are told and they were read before.
    """
    people = happening.people
    if not people:
        above = frozenset(units_above(units.every(session) if tree is None else tree, happening.unit))
        people = whom(happening, colleagues(session, now) if among is None else among, above)
    silent = _muting(session, people, happening.kind)
    return sum(_tell(session, person, happening, now, rings=rings and person not in silent) for person in people)


def settle(session: Session, kinds: Collection[NoticeKind], true: Collection[str], now: datetime) -> int:
    """Note that of these kinds only what has one of the keys `true` is still so; returns how many are over now."""
    rows = session.execute(
        select(_TABLE.c.id, _TABLE.c.key).where(_TABLE.c.over_at.is_(None), _TABLE.c.kind.in_([k.value for k in kinds]))
    )
    gone = [row.id for row in rows if row.key not in true]
    for start in range(0, len(gone), 500):
        over = update(_TABLE).where(_TABLE.c.id.in_(gone[start : start + 500]))
        session.execute(over.values(over_at=now))
        # What went by before it could be told needs no message any more.
        session.execute(over.where(_TABLE.c.told_at.is_(None)).values(tell_at=None))
    return len(gone)


def known(session: Session, kinds: Collection[NoticeKind]) -> frozenset[str]:
    """Return the keys that are noted as being so, of these kinds."""
    query = select(_TABLE.c.key).where(_TABLE.c.over_at.is_(None), _TABLE.c.kind.in_([k.value for k in kinds]))
    return frozenset(session.scalars(query.distinct()))


def are_known(session: Session, keys: Sequence[str]) -> frozenset[str]:
    """Return those of the keys that somebody was told of."""
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        query = select(_TABLE.c.key).where(_TABLE.c.key.in_(keys[start : start + 500])).distinct()
        found.update(session.scalars(query))
    return frozenset(found)


def listing(
    session: Session, person: str, *, before: int | None = None, unread: bool = False, limit: int = 50
) -> tuple[Notice, ...]:
    """Return a person's notices, newest first; `before` is the id of the last of the page before."""
    query = select(_TABLE).where(_TABLE.c.person == person).order_by(_TABLE.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_TABLE.c.id < before)
    if unread:
        query = query.where(_TABLE.c.read_at.is_(None))
    return tuple(_notice(row) for row in session.execute(query))


def unread(session: Session, person: str, *, most: int = 100) -> int:
    """Return how many notices a person has not read, at most `most`."""
    some = select(_TABLE.c.id).where(_TABLE.c.person == person, _TABLE.c.read_at.is_(None)).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def read(session: Session, person: str, now: datetime, *, notice: int | None = None) -> int:
    """Note that the person read one notice, or all of theirs; returns how many were new."""
    query = update(_TABLE).where(_TABLE.c.person == person, _TABLE.c.read_at.is_(None))
    if notice is not None:
        query = query.where(_TABLE.c.id == notice)
    return changed(session, query.values(read_at=now))


def waiting(session: Session, now: datetime, *, most: int = 200) -> dict[str, tuple[Pending, ...]]:
    """Return, by person, what was not sent yet, for those who have something due."""
    due = (_TABLE.c.told_at.is_(None), _TABLE.c.tell_at <= now)
    people = tuple(session.scalars(select(_TABLE.c.person).where(*due).distinct().limit(most)))
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.person.in_(people), _TABLE.c.told_at.is_(None), _TABLE.c.tell_at.is_not(None))
        .order_by(_TABLE.c.id)
        .limit(5000)
    )
    found: dict[str, list[Pending]] = {}
    for row in rows:
        found.setdefault(row.person, []).append(
            Pending(
                id=row.id,
                kind=NoticeKind(row.kind),
                text=Text(row.text_vi, row.text_en),
                path=row.path,
                tell_at=row.tell_at,
            )
        )
    return {person: tuple(pending) for person, pending in found.items()}


def told_at(session: Session, person: str, now: datetime) -> datetime | None:
    """Return when the person had their last message, None where that is long ago."""
    found: datetime | None = session.scalar(
        select(func.max(_TABLE.c.told_at)).where(_TABLE.c.person == person, _TABLE.c.created_at > now - KEPT)
    )
    return found


def told(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Note that they went out."""
    session.execute(update(_TABLE).where(_TABLE.c.id.in_(ids)).values(told_at=now))


def muted(session: Session, person: str) -> frozenset[NoticeKind]:
    """Return the kinds that the person wants on the page only."""
    kept = session.scalar(select(_CHOICE.c.muted).where(_CHOICE.c.person == person))
    return frozenset(kind for kind in NoticeKind if kind.value in (kept or ()))


def mute(session: Session, person: str, kinds: Iterable[NoticeKind]) -> None:
    """Keep which kinds the person wants on the page only."""
    session.execute(delete(_CHOICE).where(_CHOICE.c.person == person))
    session.execute(insert(_CHOICE).values(person=person, muted=sorted(kind.value for kind in kinds)))


def colleagues(session: Session, now: datetime) -> tuple[Colleague, ...]:
    """Return everybody who may be told, in order of name."""
    deputies: dict[str, set[str]] = {}
    for row in session.execute(
        select(_DEPUTY.c.person, _DEPUTY.c.unit).where(
            _DEPUTY.c.revoked_at.is_(None), _DEPUTY.c.since <= now, _DEPUTY.c.until > now
        )
    ):
        deputies.setdefault(row.person, set()).add(row.unit)
    person = tables.person
    rows = session.execute(
        select(person.c.id, person.c.role, person.c.unit)
        .where(person.c.disabled_at.is_(None), person.c.password_hash.is_not(None))
        .order_by(person.c.name)
    )
    return tuple(
        Colleague(id=row.id, role=row.role, unit=row.unit, deputy=frozenset(deputies.get(row.id, ()))) for row in rows
    )


def sweep(session: Session, now: datetime) -> int:
    """Remove notices that are older than `KEPT`; returns how many."""
    return changed(session, delete(_TABLE).where(_TABLE.c.created_at < now - KEPT))


def _tell(session: Session, person: str, happening: Happening, now: datetime, *, rings: bool) -> bool:
    row = session.execute(
        select(_TABLE.c.id, _TABLE.c.over_at, _TABLE.c.times)
        .where(_TABLE.c.person == person, _TABLE.c.key == happening.key)
        .order_by(_TABLE.c.id.desc())
        .limit(1)
    ).one_or_none()
    if row is not None and again(row.over_at, now):
        times = row.times + (row.over_at is not None)
        session.execute(
            update(_TABLE)
            .where(_TABLE.c.id == row.id)
            .values(
                over_at=None,
                seen_at=now,
                times=times,
                text_vi=happening.text.vi[:_LONGEST],
                text_en=happening.text.en[:_LONGEST],
                path=happening.path[:300],
            )
        )
        return False
    session.execute(
        insert(_TABLE).values(
            person=person,
            kind=happening.kind.value,
            key=happening.key[:200],
            text_vi=happening.text.vi[:_LONGEST],
            text_en=happening.text.en[:_LONGEST],
            path=happening.path[:300],
            created_at=now,
            seen_at=now,
            times=1,
            tell_at=tell_at(happening.kind, now, happening.zone) if rings else None,
        )
    )
    return True


def _muting(session: Session, people: Sequence[str], kind: NoticeKind) -> frozenset[str]:
    rows = session.execute(select(_CHOICE).where(_CHOICE.c.person.in_(people)))
    return frozenset(row.person for row in rows if kind.value in row.muted)


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        kind=NoticeKind(row.kind),
        text=Text(row.text_vi, row.text_en),
        path=row.path,
        created_at=row.created_at,
        times=row.times,
        over_at=row.over_at,
        read_at=row.read_at,
    )
