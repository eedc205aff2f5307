"""Failed tries at names, passwords and codes, kept so that a restart forgives nobody; and where people are known."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from store import tables_notices
from store.accounts import Person
from store.identity import fingerprint
from store.rows import changed

KEPT = timedelta(hours=24)
_KNOWN_FOR = timedelta(days=180)
# A clock that was set back must not make failures last for ever.
_AHEAD = timedelta(minutes=2)
_TABLE = tables_notices.failure
_PLACE = tables_notices.known_place


def note(session: Session, kind: str, key: str, now: datetime) -> None:
    """Count a failure of that kind."""
    session.execute(insert(_TABLE).values(kind=kind, key=fingerprint(key), at=now))


def nth_newest(
    session: Session, kind: str, key: str, number: int, *, since: datetime, now: datetime
) -> datetime | None:
    """Return when the `number`-th newest failure in `(since, now]` was; None where there were fewer."""
    found: datetime | None = session.scalar(
        select(_TABLE.c.at)
        .where(*_of(kind, key, since, now))
        .order_by(_TABLE.c.at.desc(), _TABLE.c.id.desc())
        .offset(number - 1)
        .limit(1)
    )
    return found


def forgive(session: Session, kind: str, key: str) -> None:
    """Forget the failures of that kind: it was the person after all."""
    session.execute(delete(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.key == fingerprint(key)))


def sweep(session: Session, now: datetime) -> int:
    """Remove what counts no more; returns how many."""
    gone = changed(session, delete(_TABLE).where(or_(_TABLE.c.at <= now - KEPT, _TABLE.c.at > now + _AHEAD)))
    session.execute(delete(_PLACE).where(_PLACE.c.last_at <= now - _KNOWN_FOR))
    return gone


def known(session: Session, key: str, now: datetime) -> bool:
    """Return whether somebody proved who they are there, within half a year."""
    found = session.scalar(
        select(_PLACE.c.key).where(_PLACE.c.key == fingerprint(key), _PLACE.c.last_at > now - _KNOWN_FOR)
    )
    return found is not None


def anywhere(session: Session, person: Person) -> bool:
    """Return whether the person proved who they are anywhere before."""
    return session.scalar(select(_PLACE.c.key).where(_PLACE.c.person == person.id).limit(1)) is not None


def know(session: Session, key: str, person: Person, now: datetime) -> bool:
    """Remember where the person proved who they are; returns whether that is new."""
    place = fingerprint(key)
    if changed(session, update(_PLACE).where(_PLACE.c.key == place).values(last_at=now)):
        return False
    session.execute(insert(_PLACE).values(key=place, person=person.id, first_at=now, last_at=now))
    return True


def _of(kind: str, key: str, since: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (_TABLE.c.kind == kind, _TABLE.c.key == fingerprint(key), _TABLE.c.at > since, _TABLE.c.at <= now + _AHEAD)
