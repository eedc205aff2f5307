"""One-time links: the first set-up of an authority, and the choice of a password by the one who will use it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from schedules.errors import Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import Unit, UnitCode
from schedules.text import Text
from store import accounts, revision, tables, units
from store.accounts import Person, Role
from store.identity import fingerprint, new_secret
from store.rows import changed

VALID_FOR = timedelta(hours=24)
_TABLE = tables.invitation


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that still works. Without a person it is the first set-up, which makes the first administrator."""

    person: Person | None
    expires_at: datetime


def issue(session: Session, person: Person | None, now: datetime) -> str:
    """Return a new secret for a link that works once within a day; earlier ones for the same purpose are void."""
    whose = _TABLE.c.person.is_(None) if person is None else _TABLE.c.person == person.id
    session.execute(delete(_TABLE).where(whose, _TABLE.c.used_at.is_(None)))
    secret = new_secret()
    session.execute(
        insert(_TABLE).values(
            hash=fingerprint(secret),
            person=None if person is None else person.id,
            created_at=now,
            expires_at=now + VALID_FOR,
        )
    )
    return secret


def find(session: Session, secret: str, now: datetime) -> Invitation | None:
    """Return the invitation while it works, else None."""
    row = session.execute(
        select(_TABLE).where(
            _TABLE.c.hash == fingerprint(secret), _TABLE.c.used_at.is_(None), _TABLE.c.expires_at > now
        )
    ).one_or_none()
    if row is None:
        return None
    if row.person is None:
        return Invitation(person=None, expires_at=row.expires_at)
    person = accounts.find(session, row.person)
    return None if person is None else Invitation(person=person, expires_at=row.expires_at)


def redeem(
    session: Session,
    secret: str,
    *,
    password: str,
    now: datetime,
    name: str = "",
    full_name: str = "",
    unit: UnitCode | None = None,
) -> Person:
    """Use the link up: set the password, for the first set-up of a new administrator called `name`.

    unit: whose administrator; by default the unit that has nobody above it, which is made where there is none.
    Raises Unknown for a link that does not work (any more), Refused for an unusable name or password; it then
    still works, as long as the caller leaves the transaction with the exception.
    """
    invitation = find(session, secret, now)
    claimed = changed(
        session,
        update(_TABLE)
        .where(_TABLE.c.hash == fingerprint(secret), _TABLE.c.used_at.is_(None), _TABLE.c.expires_at > now)
        .values(used_at=now),
    )
    if invitation is None or claimed != 1:
        raise Unknown(
            Finding(
                code="link_void",
                severity=Severity.ERROR,
                message=Text(
                    "Liên kết này đã dùng rồi hoặc đã quá 24 giờ.",
                    "This link was used already or is older than 24 hours.",
                ),
                hint=Text(
                    "Hãy xin quản trị viên một liên kết mới.",
                    "Ask the administrator for a new one.",
                ),
            )
        )
    person = invitation.person
    if person is None:
        if not name.strip():
            raise Refused(
                Finding(
                    code="name_unusable",
                    severity=Severity.ERROR,
                    where="name",
                    message=Text("Hãy nhập tên đăng nhập.", "Enter a sign-in name."),
                )
            )
        person = accounts.create(
            session,
            name=name,
            role=Role.ADMIN,
            unit=unit or _top(session),
            full_name=full_name,
            now=now,
        )
    accounts.set_password(session, person, password)
    return person


def setup_link_needed(session: Session) -> bool:
    """Return whether nobody can administer this authority yet; accounts of the demonstration do not count."""
    person = tables.person
    return (
        session.scalar(
            select(person.c.id)
            .where(
                person.c.role == Role.ADMIN.value,
                person.c.demo.is_(False),
                person.c.disabled_at.is_(None),
                person.c.password_hash.is_not(None),
            )
            .limit(1)
        )
        is None
    )


def _top(session: Session) -> UnitCode:
    known = units.every(session)
    top = next((unit.code for unit in known if unit.parent is None), None)
    if top is not None:
        return top
    units.save(session, Unit(code="TRUNGTAM", name="Trung tâm"))
    revision.bump(session)
    return "TRUNGTAM"
