"""Bearer tokens for programs that use the API in a person's name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from store import accounts, tables
from store.accounts import Person
from store.identity import fingerprint, new_id, new_secret
from store.rows import changed

# Recognised by scanners that look for secrets in the wrong places.
PREFIX = "loa_"
# A token may do what its person may, except for what is named here: that has to be granted with the token.
EMERGENCY = "emergency"
SCOPES = frozenset({EMERGENCY})
_TABLE = tables.token
# Not every request writes.
_FRESH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of an issued token; never the token itself. scopes: see `EMERGENCY`. used_at: None for never."""

    id: str
    label: str
    created_at: datetime
    expires_at: datetime | None
    scopes: frozenset[str] = frozenset()
    used_at: datetime | None = None


def issue(
    session: Session,
    person: Person,
    now: datetime,
    *,
    label: str = "",
    expires_at: datetime | None = None,
    scopes: Collection[str] = (),
) -> str:
    """Return a new token; it is shown this once and only its hash is kept. Raises ValueError for an unknown scope."""
    if not SCOPES.issuperset(scopes):
        raise ValueError(f"no such scope: {', '.join(sorted(set(scopes) - SCOPES))}")
    secret = PREFIX + new_secret()
    session.execute(
        insert(_TABLE).values(
            id=new_id(),
            hash=fingerprint(secret),
            person=person.id,
            label=" ".join(label.split())[:80],
            created_at=now,
            expires_at=expires_at,
            scopes=sorted(scopes),
        )
    )
    return secret


def find(session: Session, secret: str, now: datetime) -> Person | None:
    """Return in whose name the token speaks; None where it is unknown, expired or void."""
    row = session.execute(
        select(_TABLE).where(_TABLE.c.hash == fingerprint(secret), _TABLE.c.revoked_at.is_(None))
    ).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return accounts.find(session, row.person)


def scopes(session: Session, secret: str) -> frozenset[str]:
    """Return what a token may do beyond the ordinary; nothing for an unknown one. `find` says whether it is good."""
    found = session.scalar(select(_TABLE.c.scopes).where(_TABLE.c.hash == fingerprint(secret)))
    return frozenset(found or ())


def stale(session: Session, secret: str, now: datetime) -> bool:
    """Return whether its last use was noted long enough ago to be noted again."""
    used_at = session.scalar(select(_TABLE.c.used_at).where(_TABLE.c.hash == fingerprint(secret)))
    return used_at is None or now - used_at >= _FRESH


def touch(session: Session, secret: str, now: datetime) -> None:
    """Note that the token is in use."""
    session.execute(update(_TABLE).where(_TABLE.c.hash == fingerprint(secret)).values(used_at=now))


def of_person(session: Session, person: Person) -> tuple[Token, ...]:
    """Return the person's tokens that are not void, newest first."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.person == person.id, _TABLE.c.revoked_at.is_(None))
        .order_by(_TABLE.c.created_at.desc())
    )
    return tuple(
        Token(
            id=row.id,
            label=row.label,
            created_at=row.created_at,
            expires_at=row.expires_at,
            scopes=frozenset(row.scopes),
            used_at=row.used_at,
        )
        for row in rows
    )


def revoke(session: Session, person: Person, token: str, now: datetime) -> bool:
    """Make one of the person's tokens void; False where there is none by that id."""
    return (
        changed(
            session,
            update(_TABLE)
            .where(_TABLE.c.id == token, _TABLE.c.person == person.id, _TABLE.c.revoked_at.is_(None))
            .values(revoked_at=now),
        )
        == 1
    )
