"""The second factor of people: time-based codes (RFC 6238) of a phone, and recovery codes on paper."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import tables_notices
from store.accounts import Person
from store.identity import fingerprint
from store.rows import changed

STEP_S = 30
_AROUND = 1
_CODES = 10
# Read aloud and typed from paper: no look-alikes. 50 bits each.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_TABLE = tables_notices.second_factor
_RECOVERY = tables_notices.recovery_code


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """What a person set up. confirmed_at: None until a first code was right. codes_left: recovery codes not used."""

    secret: str
    confirmed_at: datetime | None
    codes_left: int


def begin(session: Session, person: Person, now: datetime) -> str:
    """Return a new secret to be scanned; it counts when the first code of it was right.

    Raises Conflict where one is in use: that one is taken off first.
    """
    if in_use(session, person):
        raise Conflict(
            Finding(
                code="second_factor_in_use",
                severity=Severity.ERROR,
                message=Text(
                    "Xác thực hai bước đang dùng. Hãy tắt rồi bật lại để đổi điện thoại.",
                    "A second factor is in use. Switch it off first to change the phone.",
                ),
            )
        )
    session.execute(delete(_TABLE).where(_TABLE.c.person == person.id, _TABLE.c.confirmed_at.is_(None)))
    secret = pyotp.random_base32()
    session.execute(insert(_TABLE).values(person=person.id, secret=secret, created_at=now, last_step=-1))
    return secret


def find(session: Session, person: Person) -> SecondFactor | None:
    """Return what the person set up or began to, None where nothing."""
    row = session.execute(select(_TABLE).where(_TABLE.c.person == person.id)).one_or_none()
    if row is None:
        return None
    left = session.scalar(select(func.count()).where(_RECOVERY.c.person == person.id, _RECOVERY.c.used_at.is_(None)))
    return SecondFactor(secret=row.secret, confirmed_at=row.confirmed_at, codes_left=left or 0)


def in_use(session: Session, person: Person) -> bool:
    """Return whether a code is asked for when the person signs in."""
    found = session.scalar(
        select(_TABLE.c.person).where(_TABLE.c.person == person.id, _TABLE.c.confirmed_at.is_not(None))
    )
    return found is not None


def address(person: Person, secret: str, issuer: str) -> str:
    """Return the `otpauth:` address that a phone scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=person.name, issuer_name=issuer)


def confirm(session: Session, person: Person, code: str, now: datetime) -> tuple[str, ...] | None:
    """Put the factor in use and return its recovery codes, shown this once; None where the code is wrong."""
    if not _take(session, person, code, now):
        return None
    session.execute(
        update(_TABLE).where(_TABLE.c.person == person.id, _TABLE.c.confirmed_at.is_(None)).values(confirmed_at=now)
    )
    return new_recovery_codes(session, person)


def new_recovery_codes(session: Session, person: Person) -> tuple[str, ...]:
    """Return ten new codes, each good once; the earlier ones are void."""
    session.execute(delete(_RECOVERY).where(_RECOVERY.c.person == person.id))
    codes = tuple("-".join(_group() for _ in range(2)) for _ in range(_CODES))
    for code in codes:
        session.execute(insert(_RECOVERY).values(hash=_fingerprint(person, code), person=person.id))
    return codes


def check(session: Session, person: Person, code: str, now: datetime) -> bool:
    """Return whether the code is the person's and was not used before; it then is. Takes recovery codes as well."""
    return (in_use(session, person) and _take(session, person, code, now)) or _recover(session, person, code, now)


def remove(session: Session, person: Person) -> bool:
    """Take the factor off; False where there was none."""
    session.execute(delete(_RECOVERY).where(_RECOVERY.c.person == person.id))
    return changed(session, delete(_TABLE).where(_TABLE.c.person == person.id)) == 1


def _take(session: Session, person: Person, code: str, now: datetime) -> bool:
    row = session.execute(select(_TABLE).where(_TABLE.c.person == person.id)).one_or_none()
    typed = "".join(code.split())
    if row is None or len(typed) != 6 or not typed.isascii() or not typed.isdigit():
        return False
    step = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(row.secret)
    right = [one for one in range(step - _AROUND, step + _AROUND + 1) if _same(totp.generate_otp(one), typed)]
    if not right:
        return False
    # The claim is the row count: of two requests with one code, one is refused, and so is every replay.
    taken = update(_TABLE).where(_TABLE.c.person == person.id, _TABLE.c.last_step < right[0])
    return changed(session, taken.values(last_step=right[0])) == 1


def _recover(session: Session, person: Person, code: str, now: datetime) -> bool:
    mine = (_RECOVERY.c.hash == _fingerprint(person, code), _RECOVERY.c.used_at.is_(None))
    return changed(session, update(_RECOVERY).where(*mine).values(used_at=now)) == 1


def _fingerprint(person: Person, code: str) -> str:
    return fingerprint(f"{person.id} {''.join(one for one in code.casefold() if one.isalnum())}")


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(5))


def _same(right: str, typed: str) -> bool:
    return secrets.compare_digest(right, typed)
