"""Who is told what, and when: at once, in the morning's summary, or at night only where lives may hang on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from schedules.calendar import instant
from schedules.station import UnitCode
from schedules.text import Text

QUIET_FROM, QUIET_UNTIL = time(21), time(6)
SUMMARY_AT = time(7, 30)
GAP = timedelta(minutes=15)
"""How long after a message the next one may ring: what happens meanwhile comes with it."""
SAME_TROUBLE = timedelta(hours=6)
"""A trouble that comes back within this is the one of before, and does not ring again."""
LISTED = 5
"""How many of a kind a message lists; the others are counted."""


class NoticeKind(StrEnum):
    """What a notice is about."""

    EMERGENCY = "emergency"
    DUTY_AT_RISK = "duty_at_risk"
    SILENT = "silent"
    FAULT = "fault"
    RETURNED = "returned"
    UNAPPROVED = "unapproved"
    GUESSING = "guessing"
    NEW_DEVICE = "new_device"
    WAITING = "waiting"
    SENT_DOWN = "sent_down"
    INBOX = "inbox"
    TICKET = "ticket"
    TICKET_OVERDUE = "ticket_overdue"
    ASSIGNED = "assigned"
    REPORT_READY = "report_ready"


class Ring(StrEnum):
    """How loud a notice is: urgent rings at night too, at_once by day, summary waits for the morning."""

    URGENT = "urgent"
    AT_ONCE = "at_once"
    SUMMARY = "summary"


RINGS: Mapping[NoticeKind, Ring] = MappingProxyType(
    {
        NoticeKind.EMERGENCY: Ring.URGENT,
        NoticeKind.DUTY_AT_RISK: Ring.AT_ONCE,
        NoticeKind.SILENT: Ring.AT_ONCE,
        NoticeKind.FAULT: Ring.AT_ONCE,
        NoticeKind.RETURNED: Ring.AT_ONCE,
        NoticeKind.UNAPPROVED: Ring.AT_ONCE,
        NoticeKind.GUESSING: Ring.AT_ONCE,
        NoticeKind.NEW_DEVICE: Ring.AT_ONCE,
        NoticeKind.WAITING: Ring.SUMMARY,
        NoticeKind.SENT_DOWN: Ring.SUMMARY,
        NoticeKind.INBOX: Ring.SUMMARY,
        NoticeKind.TICKET: Ring.SUMMARY,
        NoticeKind.TICKET_OVERDUE: Ring.SUMMARY,
        NoticeKind.ASSIGNED: Ring.SUMMARY,
        NoticeKind.REPORT_READY: Ring.SUMMARY,
    }
)

NAMES: Mapping[NoticeKind, Text] = MappingProxyType(
    {
        NoticeKind.EMERGENCY: Text("Lệnh khẩn cấp", "Emergency order"),
        NoticeKind.DUTY_AT_RISK: Text("Nhiệm vụ có nguy cơ không đạt", "Duty at risk"),
        NoticeKind.SILENT: Text("Đài mất liên lạc", "Station without contact"),
        NoticeKind.FAULT: Text("Sự cố ở đài", "Fault at a station"),
        NoticeKind.RETURNED: Text("Bài bị trả lại", "Item returned"),
        NoticeKind.UNAPPROVED: Text("Bài chưa duyệt mà sắp tới giờ phát", "Item not approved before its window"),
        NoticeKind.GUESSING: Text("Có người thử đoán mật khẩu", "Somebody guesses at a password"),
        NoticeKind.NEW_DEVICE: Text("Đăng nhập trên thiết bị mới", "Sign-in on a new device"),
        NoticeKind.WAITING: Text("Bài chờ duyệt", "Item waiting for approval"),
        NoticeKind.SENT_DOWN: Text("Cấp trên gửi bài", "Item sent down"),
        NoticeKind.INBOX: Text("Tin thôn gửi", "Contribution of a village"),
        NoticeKind.TICKET: Text("Phiếu sự cố thiết bị", "Equipment ticket"),
        NoticeKind.TICKET_OVERDUE: Text("Phiếu sự cố quá hạn", "Ticket overdue"),
        NoticeKind.ASSIGNED: Text("Việc được giao", "Assignment"),
        NoticeKind.REPORT_READY: Text("Báo cáo đã có", "Report ready"),
    }
)

_OPERATOR, _APPROVER, _CENTRE = "operator", "approver", "centre"
# Whom of a unit: roles there; True: the centres of the units above as well.
_RESPONSIBLE: Mapping[NoticeKind, tuple[frozenset[str], bool]] = MappingProxyType(
    {
        NoticeKind.EMERGENCY: (frozenset({_OPERATOR, _APPROVER, _CENTRE}), True),
        NoticeKind.DUTY_AT_RISK: (frozenset({_OPERATOR, _APPROVER}), False),
        NoticeKind.SILENT: (frozenset({_OPERATOR, _APPROVER}), True),
        NoticeKind.FAULT: (frozenset({_OPERATOR, _APPROVER}), True),
        NoticeKind.UNAPPROVED: (frozenset({_APPROVER}), False),
        NoticeKind.WAITING: (frozenset({_APPROVER}), False),
        NoticeKind.SENT_DOWN: (frozenset({_OPERATOR}), False),
        NoticeKind.INBOX: (frozenset({_OPERATOR}), False),
        NoticeKind.TICKET: (frozenset({_OPERATOR, _APPROVER}), False),
        NoticeKind.TICKET_OVERDUE: (frozenset({_OPERATOR, _APPROVER}), True),
    }
)
_APPROVALS = frozenset({NoticeKind.UNAPPROVED, NoticeKind.WAITING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody who may be told. role: as in interfaces.md. deputy: units in which they approve for somebody now."""

    id: str
    role: str
    unit: UnitCode
    deputy: frozenset[UnitCode] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that people should know. key: the same key is the same trouble. path: the page that solves it.

    unit: where it is. people: exactly these are told, whoever is responsible there.
    """

    kind: NoticeKind
    key: str
    text: Text
    path: str
    unit: UnitCode = ""
    people: tuple[str, ...] = ()
    zone: str = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A notice of one person that was not sent yet. tell_at: the earliest time to send it."""

    id: int
    kind: NoticeKind
    text: Text
    path: str
    tell_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes out to one person: everything that is due, in one. notices: ids of what it holds."""

    subject: str
    text: str
    urgent: bool
    notices: tuple[int, ...]


def whom(happening: Happening, people: Iterable[Colleague], above: Collection[UnitCode]) -> tuple[str, ...]:
    """Return the ids of those who are told, in their order. above: the units above the happening's."""
    if happening.people:
        return happening.people
    roles, upwards = _RESPONSIBLE.get(happening.kind, (frozenset(), False))
    return tuple(
        one.id
        for one in people
        if (one.unit == happening.unit and one.role in roles)
        or (upwards and one.role == _CENTRE and one.unit in above)
        or (happening.kind in _APPROVALS and happening.unit in one.deputy)
    )


def tell_at(kind: NoticeKind, now: datetime, zone: str) -> datetime:
    """Return when a notice of that kind that arises now may go out."""
    here = ZoneInfo(zone)
    local = now.astimezone(here)
    ring = RINGS[kind]
    if ring is Ring.URGENT:
        return now
    if ring is Ring.SUMMARY:
        today = instant(here, local.date(), SUMMARY_AT)
        return today if now < today else instant(here, local.date() + timedelta(days=1), SUMMARY_AT)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return now
    morning = local.date() if local.time() < QUIET_UNTIL else local.date() + timedelta(days=1)
    return instant(here, morning, QUIET_UNTIL)


def again(over_at: datetime | None, now: datetime) -> bool:
    """Return whether a trouble that was over since then, or is not over, is still the same one."""
    return over_at is None or now - over_at < SAME_TROUBLE


def message(pending: Sequence[Pending], told_at: datetime | None, now: datetime, base_url: str) -> Message | None:
    """Return what goes out to a person now, None for nothing.

    pending: all their notices that were not sent. told_at: when they had their last message. base_url: in front of
    every path; nothing where it is not known, then there are no links.
    """
    due = [one for one in pending if one.tell_at <= now]
    urgent = any(RINGS[one.kind] is Ring.URGENT for one in due)
    if not due or (not urgent and told_at is not None and now - told_at < GAP):
        return None
    kinds = [kind for kind in NoticeKind if any(one.kind is kind for one in due)]
    blocks = [_block([one for one in due if one.kind is kind], base_url) for kind in kinds]
    ids = tuple(one.id for one in due)
    return Message(subject=_subject(due, kinds), text="\n\n".join(blocks), urgent=urgent, notices=ids)


def _subject(due: Sequence[Pending], kinds: Sequence[NoticeKind]) -> str:
    if len(due) == 1:
        return f"Loa: {due[0].text.vi}"
    if len(kinds) == 1:
        return f"Loa: {len(due)} × {NAMES[kinds[0]].vi.lower()}"
    return f"Loa: {len(due)} việc cần xem, trước hết: {NAMES[kinds[0]].vi.lower()}"


def _block(notices: Sequence[Pending], base_url: str) -> str:
    head = f"{NAMES[notices[0].kind].vi} ({len(notices)})"
    lines = [_line(one, base_url) for one in notices[:LISTED]]
    rest = len(notices) - LISTED
    return "\n".join([head, *lines, *([f"… và {rest} việc khác cùng loại."] if rest > 0 else [])])


def _line(notice: Pending, base_url: str) -> str:
    link = f"\n  {base_url.rstrip('/')}{notice.path}" if base_url else ""
    return f"- {notice.text.vi}{link}"
