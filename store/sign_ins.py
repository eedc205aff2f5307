"""Sessions of people in their browsers, kept here so that any of them can be ended at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select, update
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
_NAMED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One browser in which somebody is signed in. id: names it on pages; no secret. agent: how it calls itself."""

    id: str
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str


def start(session: Session, person: Person, now: datetime, *, address: str, agent: str = "") -> str:
    """Return the new secret of a session that begins now."""
    secret = new_secret()
    session.execute(
        insert(_TABLE).values(
            hash=fingerprint(secret),
            person=person.id,
            created_at=now,
            seen_at=now,
            address=address[:64],
            agent=agent[:200],
        )
    )
    return secret


def name_of(secret: str) -> str:
    """Return what names a session on pages."""
    return fingerprint(secret)[:_NAMED]


def of_person(session: Session, person: Person, now: datetime) -> tuple[SignIn, ...]:
    """Return where the person is signed in now, the newest use first."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.person == person.id, _TABLE.c.seen_at > now - IDLE, _TABLE.c.created_at > now - LONGEST)
        .order_by(_TABLE.c.seen_at.desc(), _TABLE.c.hash)
        .limit(50)
    )
    return tuple(
        SignIn(
            id=row.hash[:_NAMED],
            created_at=row.created_at,
            seen_at=row.seen_at,
            address=row.address,
            agent=row.agent or "",
        )
        for row in rows
    )


def find(session: Session, secret: str, now: datetime) -> tuple[Person, bool] | None:
    """Return whose session it is and whether `touch` is due; None where it ended, by time or by somebody."""
    row = session.execute(select(_TABLE).where(_TABLE.c.hash == fingerprint(secret))).one_or_none()
    if row is None or now - row.seen_at >= IDLE or now - row.created_at >= LONGEST:
        return None
    person = accounts.find(session, row.person)
    return None if person is None else (person, now - row.seen_at >= _FRESH)


def proven(session: Session, secret: str) -> datetime | None:
    """Return when the person of the session last proved who they are; None where it ended."""
    row = session.execute(select(_TABLE).where(_TABLE.c.hash == fingerprint(secret))).one_or_none()
    if row is None:
        return None
    found: datetime = row.proven_at or row.created_at
    return found


def prove(session: Session, secret: str, now: datetime) -> None:
    """Note that the person of the session proved who they are once more."""
    session.execute(update(_TABLE).where(_TABLE.c.hash == fingerprint(secret)).values(proven_at=now))


def touch(session: Session, secret: str, now: datetime) -> None:
    """Note that the session is in use."""
    session.execute(update(_TABLE).where(_TABLE.c.hash == fingerprint(secret)).values(seen_at=now))


def end(session: Session, secret: str) -> None:
    """End one session."""
    session.execute(delete(_TABLE).where(_TABLE.c.hash == fingerprint(secret)))


def end_named(session: Session, person: Person, name: str) -> bool:
    """End one of the person's sessions by its name on pages; False where there is none."""
    mine = (_TABLE.c.person == person.id, func.substr(_TABLE.c.hash, 1, _NAMED) == name)
    return changed(session, delete(_TABLE).where(*mine)) > 0


def end_others(session: Session, person: Person, secret: str) -> int:
    """End every session of the person but this one; returns how many."""
    return changed(session, delete(_TABLE).where(_TABLE.c.person == person.id, _TABLE.c.hash != fingerprint(secret)))


def sweep(session: Session, now: datetime) -> int:
    """Remove sessions that time has ended; returns how many."""
    return changed(
        session, delete(_TABLE).where(or_(_TABLE.c.seen_at <= now - IDLE, _TABLE.c.created_at <= now - LONGEST))
    )
