"""People who may sign in: who they are, what they are for, and their passwords as Argon2 hashes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import UnitCode
from schedules.text import Text
from store import tables
from store.identity import fingerprint, new_id
from store.rows import changed

# NIST SP 800-63B-4 for a single factor; nothing about capitals or digits, which only make passwords worse.
SHORTEST = 15
# Not a rule about people: only so that nobody makes the server hash a book.
LONGEST = 1024
_REMAINS = 8
_COMMON = (
    "password",
    "passw0rd",
    "matkhau",
    "mậtkhẩu",
    "truyenthanh",
    "truyềnthanh",
    "phatthanh",
    "phátthanh",
    "ubnd",
    "admin",
    "iloveyou",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "1234567890",
    "123456789",
    "12345678",
    "1234567",
    "123456",
    "12345",
    "abcdef",
    "anhyeuem",
    "emyeuanh",
    "vietnam",
    "việtnam",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,79}")
_YEAR = re.compile(r"(?:19|20)\d\d")
# OWASP's smallest recommended cost; a Raspberry Pi must stand it.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Of a random password that nobody kept: an unknown name costs as much time as a known one.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
_TABLE = tables.person


class Role(StrEnum):
    """What a person is for, in their unit and the units below it."""

    OPERATOR = "operator"
    APPROVER = "approver"
    CENTRE = "centre"
    INSPECTOR = "inspector"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account. `name` is what they sign in with, `full_name` stands in logs."""

    id: str
    name: str
    full_name: str
    role: Role
    unit: UnitCode
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person's account as an administrator sees it."""

    person: Person
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool


def folded(name: str) -> str:
    """Return the one spelling under which a sign-in name is kept."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def create(
    session: Session,
    *,
    name: str,
    role: Role,
    unit: UnitCode,
    full_name: str,
    now: datetime,
    demo: bool = False,
) -> Person:
    """Add an account without a password: it is chosen by its owner, through an invitation.

    Raises Conflict where the name is taken, Refused where it cannot be one, Unknown for an unknown unit.
    """
    name = folded(name)
    full_name = " ".join(full_name.split())[:200] or name
    if not _NAME.fullmatch(name):
        raise Refused(
            _finding(
                "name_unusable",
                "Tên đăng nhập gồm 2 đến 80 chữ cái không dấu, chữ số, dấu chấm hoặc gạch nối.",
                "A sign-in name is 2 to 80 letters a to z, digits, dots, dashes or underscores.",
                where="name",
            )
        )
    if session.scalar(select(tables.unit.c.code).where(tables.unit.c.code == unit)) is None:
        raise Unknown(_finding("unit_unknown", f"Không có đơn vị {unit}.", f"There is no unit {unit}.", where="unit"))
    if session.scalar(select(_TABLE.c.id).where(_TABLE.c.name == name)) is not None:
        raise Conflict(
            _finding(
                "name_taken",
                f"Tên đăng nhập {name} đã có người dùng. Hãy chọn tên khác.",
                f"The sign-in name {name} is taken. Choose another one.",
                where="name",
            )
        )
    person = Person(id=new_id(), name=name, full_name=full_name, role=role, unit=unit, demo=demo)
    session.execute(
        insert(_TABLE).values(
            id=person.id,
            name=name,
            full_name=full_name,
            role=role.value,
            unit=unit,
            demo=demo,
            created_at=now,
        )
    )
    return person


def find(session: Session, person: str) -> Person | None:
    """Return the enabled person with that id, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == person, _TABLE.c.disabled_at.is_(None))).one_or_none()
    return None if row is None else _person(row)


def named(session: Session, name: str) -> Person | None:
    """Return the enabled person who signs in with that name, or None."""
    row = session.execute(
        select(_TABLE).where(_TABLE.c.name == folded(name), _TABLE.c.disabled_at.is_(None))
    ).one_or_none()
    return None if row is None else _person(row)


def every(session: Session) -> tuple[Account, ...]:
    """Return all accounts, disabled ones too, in order of name."""
    return tuple(_account(row) for row in session.execute(select(_TABLE).order_by(_TABLE.c.name)))


def of_units(session: Session, units: Iterable[UnitCode], *, after: str = "", limit: int = 50) -> tuple[Account, ...]:
    """Return the accounts of these units in order of name; `after` is the name of the last of the page before."""
    query = select(_TABLE).where(_TABLE.c.unit.in_(tuple(units)), _TABLE.c.name > after)
    return tuple(_account(row) for row in session.execute(query.order_by(_TABLE.c.name).limit(limit)))


def account(session: Session, person: str) -> Account | None:
    """Return the account with that id, disabled or not, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == person)).one_or_none()
    return None if row is None else _account(row)


def rename(session: Session, person: Person, full_name: str) -> None:
    """Change the name that stands in logs from now on."""
    name = " ".join(full_name.split())[:200] or person.name
    session.execute(update(_TABLE).where(_TABLE.c.id == person.id).values(full_name=name))


def end_sessions(session: Session, person: Person) -> None:
    """Sign the person out everywhere."""
    _end_sessions(session, person.id)


def set_password(session: Session, person: Person, password: str) -> None:
    """Keep a new password and end every session of the person. Raises Refused for one too easy to guess."""
    found = password_findings(password, person, _places(session))
    if found:
        raise Refused(*found)
    session.execute(
        update(_TABLE).where(_TABLE.c.id == person.id).values(password_hash=_HASHER.hash(_normal(password)))
    )
    _end_sessions(session, person.id)


def check_password(session: Session, name: str, password: str) -> Person | None:
    """Return the enabled person, or None where name or password is wrong; both answers take the same time."""
    row = session.execute(
        select(_TABLE).where(_TABLE.c.name == folded(name)[:80], _TABLE.c.disabled_at.is_(None))
    ).one_or_none()
    kept = row.password_hash if row is not None and row.password_hash is not None else _NOBODY
    password = _normal(password)
    if len(password) > LONGEST:
        # Nobody has one so long, and none is cut off to fit; yet the answer takes its time.
        kept, password = _NOBODY, ""
    try:
        fits = _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return None
    return _person(row) if fits and row is not None and row.password_hash is not None else None


def password_mark(session: Session, person: Person) -> str:
    """Return what changes with the person's password and tells nothing about it."""
    kept = session.scalar(select(_TABLE.c.password_hash).where(_TABLE.c.id == person.id))
    return fingerprint(kept or "")[:16]


def set_role(session: Session, person: Person, role: Role, unit: UnitCode) -> None:
    """Give another role or unit and end every session, so that no page of the old role stays open."""
    session.execute(update(_TABLE).where(_TABLE.c.id == person.id).values(role=role.value, unit=unit))
    _end_sessions(session, person.id)


def disable(session: Session, person: Person, now: datetime) -> None:
    """Close the account: sessions end, tokens and open invitations are void."""
    session.execute(update(_TABLE).where(_TABLE.c.id == person.id).values(disabled_at=now))
    _end_sessions(session, person.id)
    token = tables.token
    session.execute(
        update(token).where(token.c.person == person.id, token.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    session.execute(
        delete(tables.invitation).where(tables.invitation.c.person == person.id, tables.invitation.c.used_at.is_(None))
    )


def enable(session: Session, person: str) -> bool:
    """Open a closed account again; False where it was not closed. Its tokens stay void."""
    return (
        changed(
            session,
            update(_TABLE).where(_TABLE.c.id == person, _TABLE.c.disabled_at.is_not(None)).values(disabled_at=None),
        )
        == 1
    )


def password_findings(password: str, person: Person, places: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return why this cannot be the person's password; empty where it can. places: names of communes and stations."""
    password = _normal(password)
    if len(password) < SHORTEST:
        return (
            _finding(
                "password_short",
                f"Mật khẩu cần ít nhất {SHORTEST} ký tự; bốn từ bất kỳ, cách nhau bằng dấu cách, là đủ.",
                f"A password needs at least {SHORTEST} characters; four words with spaces will do.",
                where="password",
            ),
        )
    if len(password) > LONGEST:
        return (
            _finding(
                "password_long",
                f"Mật khẩu dài quá {LONGEST} ký tự.",
                f"The password is longer than {LONGEST} characters.",
                where="password",
            ),
        )
    rest = _YEAR.sub("", _plain(password))
    words = {_plain(word) for word in (person.name, person.unit, person.full_name, *_COMMON, *places)}
    words |= {_plain(word) for word in person.full_name.split()}
    for word in sorted(words, key=len, reverse=True):
        if len(word) > 2:
            rest = rest.replace(word, "")
    if len(rest) < _REMAINS or len(set(rest)) < 5:
        return (
            _finding(
                "password_guessable",
                "Mật khẩu này dễ đoán. Hãy chọn những từ không gắn với tên người, tên xã hay dãy phím.",
                "This password is easy to guess. Choose words that are no names, places or rows of keys.",
                where="password",
            ),
        )
    return ()


def _normal(password: str) -> str:
    # The same letters typed on a phone and on a computer may come composed or decomposed.
    return unicodedata.normalize("NFC", password)


def _plain(text: str) -> str:
    """Return the text as a guesser would vary it: without capitals, spaces and marks."""
    letters = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(one for one in letters if not one.isspace() and unicodedata.category(one) != "Mn")


def _places(session: Session) -> tuple[str, ...]:
    """Return the names of units and stations: the first words that somebody who knows the commune would try."""
    names = [*session.scalars(select(tables.unit.c.name)), *session.scalars(select(tables.station.c.name))]
    return tuple(name for name in names if len(_plain(name)) > 3)


def _end_sessions(session: Session, person: str) -> None:
    session.execute(delete(tables.sign_in).where(tables.sign_in.c.person == person))


def _account(row: Row[Any]) -> Account:
    return Account(
        person=_person(row),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        has_password=row.password_hash is not None,
    )


def _person(row: Row[Any]) -> Person:
    return Person(id=row.id, name=row.name, full_name=row.full_name, role=Role(row.role), unit=row.unit, demo=row.demo)


def _finding(code: str, vi: str, en: str, *, where: str = "") -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en), where=where)
