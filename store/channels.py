"""Where a person wants to be told: mail, Telegram or a webhook, each confirmed by a code that was sent there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict, Refused, TooMany, Unknown
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import tables_notices
from store.identity import fingerprint, new_id, new_secret
from store.rows import changed

MOST = 6
CODE_FOR = timedelta(minutes=30)
_TRIES = 5
_TABLE = tables_notices.channel
_MAIL = re.compile(r"[^@\s<>\"',;:\\()\[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_CHAT = re.compile(r"-?\d{3,20}")


class ChannelKind(StrEnum):
    """The ways by which somebody can be told."""

    MAIL = "mail"
    TELEGRAM = "telegram"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One address of a person. confirmed_at: None until its code came back. secret: a webhook's, to check our mark."""

    id: str
    kind: ChannelKind
    address: str
    secret: str
    created_at: datetime
    confirmed_at: datetime | None

    @property
    def masked(self) -> str:
        """The address as others may see it."""
        return masked(self.kind.value, self.address)


def masked(kind: str, address: str) -> str:
    """Return an address of which only its owner sees all."""
    if kind == ChannelKind.MAIL and "@" in address:
        name, _, host = address.partition("@")
        return f"{name[:1]}…@{host}"
    if kind == ChannelKind.WEBHOOK:
        # The path of a webhook is often its password.
        return f"{urlsplit(address).scheme}://{urlsplit(address).hostname}/…"
    return f"…{address[-3:]}" if address else ""


def add(session: Session, person: str, kind: ChannelKind, address: str, now: datetime) -> tuple[str, str]:
    """Keep an address and return its id and the code to be sent there. Raises Refused, TooMany."""
    address = address.strip()
    if not _fits(kind, address):
        raise Refused(_wrong(kind))
    mine = (_TABLE.c.person == person, _TABLE.c.ended_at.is_(None))
    if (session.scalar(select(func.count()).where(*mine)) or 0) >= MOST:
        raise TooMany(
            _finding(
                "channels_many",
                f"Mỗi người có nhiều nhất {MOST} địa chỉ. Hãy bỏ bớt một địa chỉ.",
                f"A person has {MOST} addresses at most. Remove one first.",
            )
        )
    if session.scalar(select(_TABLE.c.id).where(*mine, _TABLE.c.kind == kind.value, _TABLE.c.address == address)):
        raise Conflict(_finding("channel_known", "Địa chỉ này đã có.", "This address is there already."))
    channel, code = new_id(), _code()
    session.execute(
        insert(_TABLE).values(
            id=channel,
            person=person,
            kind=kind.value,
            address=address,
            secret=new_secret() if kind is ChannelKind.WEBHOOK else "",
            created_at=now,
            code_hash=fingerprint(f"{channel} {code}"),
            code_expires_at=now + CODE_FOR,
            code_tries=0,
        )
    )
    return channel, code


def confirm(session: Session, person: str, channel: str, code: str, now: datetime) -> bool:
    """Take the code that came to the address; False where it is wrong. Five tries, then another code is needed.

    Raises Unknown where there is no such address that waits.
    """
    row = session.execute(
        select(_TABLE).where(
            _TABLE.c.id == channel,
            _TABLE.c.person == person,
            _TABLE.c.confirmed_at.is_(None),
            _TABLE.c.ended_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise Unknown(_finding("channel_unknown", "Không có địa chỉ này.", "There is no such address."))
    tries = update(_TABLE).where(_TABLE.c.id == channel, _TABLE.c.code_tries < _TRIES)
    if changed(session, tries.values(code_tries=_TABLE.c.code_tries + 1)) != 1 or row.code_expires_at <= now:
        return False
    if not secrets.compare_digest(row.code_hash, fingerprint(f"{channel} {''.join(code.split())}")):
        return False
    session.execute(update(_TABLE).where(_TABLE.c.id == channel).values(confirmed_at=now, code_hash=None))
    return True


def end(session: Session, person: str, channel: str, now: datetime) -> bool:
    """Send nothing there any more; False where there is no such address of the person."""
    mine = (_TABLE.c.id == channel, _TABLE.c.person == person, _TABLE.c.ended_at.is_(None))
    return changed(session, update(_TABLE).where(*mine).values(ended_at=now)) == 1


def of_person(session: Session, person: str) -> tuple[Channel, ...]:
    """Return the person's addresses in the order in which they were added."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.person == person, _TABLE.c.ended_at.is_(None))
        .order_by(_TABLE.c.created_at, _TABLE.c.id)
    )
    return tuple(_channel(row) for row in rows)


def mail_of(session: Session, person: str) -> str | None:
    """Return the id of the person's oldest confirmed mail address, None where there is none."""
    confirmed = [one for one in of_person(session, person) if one.confirmed_at is not None]
    return next((one.id for one in confirmed if one.kind is ChannelKind.MAIL), None)


def reached(session: Session, people: Sequence[str]) -> frozenset[str]:
    """Return those of the people who have a confirmed address."""
    rows = session.scalars(
        select(_TABLE.c.person).where(
            _TABLE.c.person.in_(people), _TABLE.c.confirmed_at.is_not(None), _TABLE.c.ended_at.is_(None)
        )
    )
    return frozenset(rows)


def _fits(kind: ChannelKind, address: str) -> bool:
    if len(address) > 500 or not address.isprintable():
        return False
    if kind is ChannelKind.MAIL:
        return _MAIL.fullmatch(address) is not None
    if kind is ChannelKind.TELEGRAM:
        return _CHAT.fullmatch(address) is not None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and port != 0


def _code() -> str:
    return "".join(secrets.choice("0123456789") for _ in range(8))


def _wrong(kind: ChannelKind) -> Finding:
    hints = {
        ChannelKind.MAIL: Text("Ví dụ: hanh@longhiep.vn", "Such as hanh@longhiep.vn"),
        ChannelKind.TELEGRAM: Text(
            "Số của cuộc trò chuyện, ví dụ 123456789. Nhắn /start cho bot để biết số.",
            "The number of the chat, such as 123456789. Send /start to the bot to learn it.",
        ),
        ChannelKind.WEBHOOK: Text("Ví dụ: https://may.vn/loa", "Such as https://host.vn/loa"),
    }
    message = Text("Địa chỉ này không dùng được. Chưa lưu gì.", "This address cannot be used. Nothing was kept.")
    return Finding(code="channel_wrong", severity=Severity.ERROR, where="address", message=message, hint=hints[kind])


def _finding(code: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where="address", message=Text(vi, en))


def _channel(row: Row[Any]) -> Channel:
    return Channel(
        id=row.id,
        kind=ChannelKind(row.kind),
        address=row.address,
        secret=row.secret,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
    )
