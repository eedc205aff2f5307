"""What goes out to people by mail, Telegram or webhook: queued here with the change that causes it, delivered later."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.noticing import Happening, NoticeKind, tell_at
from schedules.text import Text
from store import notices, tables, tables_notices
from store.identity import new_id
from store.rows import changed

MOST_BYTES = 15 * 1024 * 1024
_OUTGOING = tables_notices.outgoing
_ATTACHMENT = tables_notices.outgoing_attachment
_DELIVERY = tables_notices.delivery
_CHANNEL = tables_notices.channel
ZONE = "Asia/Ho_Chi_Minh"
"""Where night and morning are those of the people who are told."""
_ABOUT = {
    "dispatch": (NoticeKind.SENT_DOWN, "/gui/den"),
    "assignment": (NoticeKind.ASSIGNED, "/thong-bao"),
    "ticket": (NoticeKind.TICKET, "/thiet-bi/phieu"),
    "report": (NoticeKind.REPORT_READY, "/bao-cao"),
    "inbox": (NoticeKind.INBOX, "/hop-tin"),
}
_LONGEST_SUBJECT = 300
_LONGEST_TEXT = 20_000
_LONGEST_ADDRESS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes along by mail; other channels only tell of it. name: without a folder."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way to one address. kind: mail, telegram or webhook. state: queued, sent or failed.

    channel: None for a plain mail address. secret: what a webhook is signed with. attempts: how often it was tried.
    files: whether files go along.
    """

    id: str
    outgoing: str
    about: str
    subject: str
    text: str
    urgent: bool
    created_at: datetime
    person: str | None
    channel: str | None
    kind: str
    address: str
    secret: str
    state: str
    attempts: int
    next_at: datetime
    ended_at: datetime | None
    why: Text | None
    files: bool


def queue(
    session: Session,
    *,
    to: Sequence[str] = (),
    addresses: Sequence[str] = (),
    subject: str,
    text: str,
    attachments: Sequence[Attachment] = (),
    kind: str,
    now: datetime,
    urgent: bool = False,
    not_before: datetime | None = None,
) -> str:
    """Keep a message for delivery and return its id; nothing is sent where `session` is taken back.

    to: ids of people; each finds it on their page of notices, and is reached by every channel that they confirmed, at
    the time that schedules.noticing gives it. addresses: further mail addresses, reached at once. kind: what it is
    about, such as `report`. not_before: the earliest time to send it. Raises Refused where the attachments are too
    large for a mail.
    """
    if sum(len(one.content) for one in attachments) > MOST_BYTES:
        raise Refused(
            Finding(
                code="mail_too_large",
                severity=Severity.ERROR,
                message=Text(
                    f"Tệp gửi kèm lớn quá {MOST_BYTES // 1024 // 1024} MB. Chưa gửi gì.",
                    f"The attachments exceed {MOST_BYTES // 1024 // 1024} MB. Nothing was sent.",
                ),
            )
        )
    message = new_id()
    session.execute(
        insert(_OUTGOING).values(
            id=message,
            kind=kind,
            subject=_line(subject)[:_LONGEST_SUBJECT],
            text=text[:_LONGEST_TEXT],
            urgent=urgent,
            created_at=now,
        )
    )
    for place, one in enumerate(attachments):
        session.execute(
            insert(_ATTACHMENT).values(
                outgoing=message,
                place=place,
                name=_line(one.name).replace("/", "_").replace("\\", "_")[:200],
                media_type=one.media_type,
                content=one.content,
            )
        )
    first = now if not_before is None else max(now, not_before)
    about, path = _about(kind, text)
    people = tuple(dict.fromkeys(to))
    if people:
        line = _line(subject)
        told = Happening(kind=about, key=f"message:{message}", text=Text(line, line), path=path, people=people)
        notices.tell(session, told, now, rings=False)
    # A report is asked for by its reader: it waits for the morning's quiet to end, not for the summary.
    ring = NoticeKind.RETURNED if attachments else about
    allowed = first if urgent else max(first, tell_at(ring, now, ZONE))
    for person in people:
        _queue_person(session, message, person, first=allowed)
    for address in dict.fromkeys(addresses):
        _insert(session, message, address=address[:_LONGEST_ADDRESS], next_at=first)
    return message


def send(session: Session, *, person: str, subject: str, text: str, now: datetime, urgent: bool = False) -> str:
    """Keep a message that goes to every confirmed channel of a person at once, and return its id."""
    message = queue(session, subject=subject, text=text, kind="notices", now=now, urgent=urgent)
    _queue_person(session, message, person, first=now)
    return message


def queue_channel(session: Session, *, channel: str, subject: str, text: str, kind: str, now: datetime) -> str:
    """Keep a message for one channel, confirmed or not, and return its id: the code that confirms it."""
    message = queue(session, subject=subject, text=text, kind=kind, now=now, urgent=True)
    row = session.execute(select(_CHANNEL).where(_CHANNEL.c.id == channel)).one()
    _insert(session, message, person=row.person, channel=row.id, address=row.address, next_at=now)
    return message


def due(session: Session, now: datetime, *, limit: int = 50) -> tuple[Delivery, ...]:
    """Return what is to be sent now: urgent ones first, then in the order in which they became due."""
    rows = session.execute(
        _select()
        .where(_DELIVERY.c.state == "queued", _DELIVERY.c.next_at <= now)
        .order_by(_OUTGOING.c.urgent.desc(), _DELIVERY.c.next_at, _DELIVERY.c.id)
        .limit(limit)
    )
    return tuple(_delivery(row) for row in rows)


def newest(session: Session, *, limit: int = 50) -> tuple[Delivery, ...]:
    """Return the newest messages with what became of them."""
    rows = session.execute(_select().order_by(_OUTGOING.c.created_at.desc(), _DELIVERY.c.id).limit(limit))
    return tuple(_delivery(row) for row in rows)


def newest_of_units(session: Session, units: Collection[str], *, limit: int = 50) -> tuple[Delivery, ...]:
    """Return the newest messages to people of these units, and to plain addresses, with what became of them."""
    person = tables.person
    theirs = select(person.c.id).where(person.c.unit.in_(units))
    rows = session.execute(
        _select()
        .where(or_(_DELIVERY.c.person.is_(None), _DELIVERY.c.person.in_(theirs)))
        .order_by(_OUTGOING.c.created_at.desc(), _DELIVERY.c.id)
        .limit(limit)
    )
    return tuple(_delivery(row) for row in rows)


def of_message(session: Session, message: str) -> tuple[Delivery, ...]:
    """Return how one message fares at each address."""
    rows = session.execute(_select().where(_OUTGOING.c.id == message).order_by(_DELIVERY.c.id))
    return tuple(_delivery(row) for row in rows)


def attachments(session: Session, message: str) -> tuple[Attachment, ...]:
    """Return the files of a message in their order."""
    rows = session.execute(select(_ATTACHMENT).where(_ATTACHMENT.c.outgoing == message).order_by(_ATTACHMENT.c.place))
    return tuple(Attachment(name=row.name, media_type=row.media_type, content=row.content) for row in rows)


def sent(session: Session, delivery: str, now: datetime) -> None:
    """Note that it was taken at the other end."""
    _end(session, delivery, "sent", now, attempts=1, why=None)


def failed(session: Session, delivery: str, now: datetime, why: Text) -> None:
    """Note that it is given up, and why."""
    _end(session, delivery, "failed", now, attempts=1, why=why)


def postpone(session: Session, delivery: str, *, until: datetime, why: Text, tried: bool = True) -> None:
    """Try again later. tried: False where only a limit was reached."""
    session.execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.id == delivery, _DELIVERY.c.state == "queued")
        .values(next_at=until, attempts=_DELIVERY.c.attempts + int(tried), why_vi=why.vi[:500], why_en=why.en[:500])
    )


def sent_since(session: Session, channel: str, moment: datetime) -> int:
    """Return how many messages a channel has had since then."""
    found = session.scalar(
        select(func.count()).where(
            _DELIVERY.c.channel == channel, _DELIVERY.c.ended_at >= moment, _DELIVERY.c.state == "sent"
        )
    )
    return found or 0


def sweep(session: Session, before: datetime) -> int:
    """Remove messages made before then whose deliveries have ended; returns how many."""
    open_ones = select(_DELIVERY.c.outgoing).where(_DELIVERY.c.state == "queued")
    old = select(_OUTGOING.c.id).where(_OUTGOING.c.created_at < before, _OUTGOING.c.id.not_in(open_ones))
    ids = tuple(session.scalars(old.limit(500)))
    for table, column in ((_ATTACHMENT, _ATTACHMENT.c.outgoing), (_DELIVERY, _DELIVERY.c.outgoing)):
        session.execute(delete(table).where(column.in_(ids)))
    return changed(session, delete(_OUTGOING).where(_OUTGOING.c.id.in_(ids)))


def _queue_person(session: Session, message: str, person: str, *, first: datetime) -> None:
    rows = session.execute(
        select(_CHANNEL)
        .where(_CHANNEL.c.person == person, _CHANNEL.c.confirmed_at.is_not(None), _CHANNEL.c.ended_at.is_(None))
        .order_by(_CHANNEL.c.id)
    )
    for row in rows.all():
        _insert(session, message, person=person, channel=row.id, address=row.address, next_at=first)


def _about(kind: str, text: str) -> tuple[NoticeKind, str]:
    """Return which kind of notice a message is, and the page that it names, else the one of its kind."""
    head = kind.partition(".")[0]
    about, path = _ABOUT.get(head, (NoticeKind.ASSIGNED, "/thong-bao"))
    named = re.findall(r"https?://[^/\s]+(/[^\s]*)", text)
    return about, named[-1] if named else path


def _insert(
    session: Session,
    message: str,
    *,
    address: str,
    next_at: datetime,
    person: str | None = None,
    channel: str | None = None,
) -> str:
    delivery = new_id()
    session.execute(
        insert(_DELIVERY).values(
            id=delivery,
            outgoing=message,
            person=person,
            channel=channel,
            address=address,
            state="queued",
            attempts=0,
            next_at=next_at,
            why_vi="",
            why_en="",
        )
    )
    return delivery


def _end(session: Session, delivery: str, state: str, now: datetime, *, attempts: int, why: Text | None) -> None:
    session.execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.id == delivery, _DELIVERY.c.state == "queued")
        .values(
            state=state,
            ended_at=now,
            attempts=_DELIVERY.c.attempts + attempts,
            why_vi="" if why is None else why.vi[:500],
            why_en="" if why is None else why.en[:500],
        )
    )


def _select() -> Any:  # noqa: ANN401 - SQLAlchemy's Select is generic over nothing useful
    return (
        select(
            _DELIVERY,
            _OUTGOING.c.kind.label("about"),
            _OUTGOING.c.subject,
            _OUTGOING.c.text,
            _OUTGOING.c.urgent,
            _OUTGOING.c.created_at,
            _CHANNEL.c.kind.label("channel_kind"),
            _CHANNEL.c.secret,
            exists().where(_ATTACHMENT.c.outgoing == _OUTGOING.c.id).label("files"),
        )
        .join(_OUTGOING, _OUTGOING.c.id == _DELIVERY.c.outgoing)
        .outerjoin(_CHANNEL, _CHANNEL.c.id == _DELIVERY.c.channel)
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        outgoing=row.outgoing,
        about=row.about,
        subject=row.subject,
        text=row.text,
        urgent=row.urgent,
        created_at=row.created_at,
        person=row.person,
        channel=row.channel,
        kind=row.channel_kind or "mail",
        address=row.address,
        secret=row.secret or "",
        state=row.state,
        attempts=row.attempts,
        next_at=row.next_at,
        ended_at=row.ended_at,
        why=Text(row.why_vi, row.why_en) if row.why_vi else None,
        files=bool(row.files),
    )


def next_try(attempts: int, now: datetime) -> datetime | None:
    """Return when to try again after so many tries: 1, 4, 16, 64 minutes, then every 4 hours; None after 2 days."""
    if attempts >= 16:
        return None
    return now + min(timedelta(minutes=4 ** min(attempts, 5)), timedelta(hours=4))


def _line(text: str) -> str:
    # A line break in a subject or file name would begin a new header.
    return " ".join("".join(" " if unicodedata.category(one)[0] == "C" else one for one in text).split())
