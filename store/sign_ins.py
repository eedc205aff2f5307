"""Sessions of people in their browsers, kept here so that any of them can be ended at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session

from store import accounts, tables
from store.accounts import Person
from store.identity import fingerprint, new_secret
from store.rows import changed

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
# Not every request writes: a sign-in may therefore end up to a minute early, never late.
_FRESH = timedelta(seconds=60)
_TABLE = tables.sign_in


def start(session: Session, person: Person, now: datetime, *, address: str) -> str:
    """Return the new secret of a session that begins now."""
    secret = new_secret()
    session.execute(
        insert(_TABLE).values(
            hash=fingerprint(secret), person=person.id, created_at=now, seen_at=now, address=address[:64]
        )
    )
    return secret


def find(session: Session, secret: str, now: datetime) -> tuple[Person, bool] | None:
    """Return whose session it is and whether `touch` is due; None where it ended, by time or by somebody."""
    row = session.execute(select(_TABLE).where(_TABLE.c.hash == fingerprint(secret))).one_or_none()
    if row is None or now - row.seen_at >= IDLE or now - row.created_at >= LONGEST:
        return None
    person = accounts.find(session, row.person)
    return None if person is None else (person, now - row.seen_at >= _FRESH)


def begun(session: Session, secret: str) -> datetime | None:
    """Return when the session began, that is when its person proved who they are; None where it ended."""
    found: datetime | None = session.scalar(select(_TABLE.c.created_at).where(_TABLE.c.hash == fingerprint(secret)))
    return found


def touch(session: Session, secret: str, now: datetime) -> None:
    """Note that the session is in use."""
    session.execute(update(_TABLE).where(_TABLE.c.hash == fingerprint(secret)).values(seen_at=now))


def end(session: Session, secret: str) -> None:
    """End one session."""
    session.execute(delete(_TABLE).where(_TABLE.c.hash == fingerprint(secret)))


def sweep(session: Session, now: datetime) -> int:
    """Remove sessions that time has ended; returns how many."""
    return changed(
        session, delete(_TABLE).where(or_(_TABLE.c.seen_at <= now - IDLE, _TABLE.c.created_at <= now - LONGEST))
    )
