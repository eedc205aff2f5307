"""What people do in an emergency: order, confirm, stop, prepare; how orders reach stations and what came of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nacl.signing import SigningKey
from sqlalchemy.orm import Session

from link.door import StationDoor, StationStatus
from link.orders import seal_order
from schedules.emergency import (
    LONGEST_TONE_S,
    MOST_REPEATS,
    SHORTEST_TONE_S,
    Alert,
    AlertState,
    EmergencyOrder,
    EmergencyStop,
    OrderId,
    Urgency,
)
from schedules.errors import Conflict, NotAllowed, Refused, TooMany, Unknown
from schedules.findings import Finding, Severity
from schedules.segment import SAMPLE_RATE_HZ, SegmentId, SegmentState
from schedules.station import StationCode, UnitCode, units_above
from schedules.text import Text
from store import emergencies, segments, stations, tokens, units
from store.accounts import Person
from store.emergencies import Due, Message, OrderRecord, OrderState, Standing, TemplateRecord
from store.identity import new_id
from store.segments import SegmentRecord
from webui import auth
from webui.rights import can, permits, reach
from webui.services import Services, services
from webui.work import no_such, require, station_of, trace

LONGEST = timedelta(hours=24)
USUAL = timedelta(hours=1)
USUAL_REPEATS = 3
MOST_AN_HOUR = 6
"""Orders a person may give an hour, real ones and drills counted apart."""

MOST_MESSAGE_S = 30 * 60
_LONGEST_TEXT = 500
_HOUR = timedelta(hours=1)
_ID = re.compile(r"[a-z0-9]{10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An order as a person asks for it: a recording, or a template. None: as usual, or as the template says.

    id: what the order is to be called, so that a form sent twice is one order; None for a new name.
    """

    stations: tuple[StationCode, ...]
    segment: SegmentId | None = None
    template: str | None = None
    repeats: int | None = None
    urgency: Urgency | None = None
    expires_at: datetime | None = None
    drill: bool = False
    basis: str = ""
    id: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An order that may be given. alone: one person is enough for it."""

    message: Message
    template: TemplateRecord | None
    expires_at: datetime
    alone: bool


def check(wanted: Wanted, *, person: Person) -> Checked:
    """Return what would be ordered. Raises Refused with all that speaks against it, NotAllowed, Unknown, TooMany."""
    with services().database.reading() as session:
        return _check(session, wanted, person)


def order(wanted: Wanted, *, person: Person, password: str = "") -> OrderRecord:
    """Give an order. It awaits a second person, unless it is a drill or exactly what a template prepared.

    As `check`; besides, raises NotAllowed where a real order needs the password and `password` is not it.
    """
    here = services()
    auth.require_scope(tokens.EMERGENCY)
    if not wanted.drill:
        auth.assure(password)
    now = here.clock.now()
    made = wanted.id or new_id()
    with here.database.writing() as session:
        known = emergencies.find(session, made)
        if known is not None and known.ordered_by == person.id:
            return known
        if known is not None or not _ID.fullmatch(made):
            raise Conflict(_over())
        found = _check(session, wanted, person)
        emergencies.keep(
            session,
            order=made,
            stations=wanted.stations,
            message=found.message,
            drill=wanted.drill,
            template=wanted.template,
            basis=" ".join(wanted.basis.split()),
            person=person.id,
            now=now,
            expires_at=found.expires_at,
        )
        what = "drill.order" if wanted.drill else "emergency.order"
        trace(session, what, made, person, detail=f"{' '.join(wanted.stations)} {found.message.sha256}")
        if found.alone:
            _issue(session, _must(session, made), None, now)
    return _told(made)


def confirm(order: OrderId, *, person: Person, password: str = "") -> OrderRecord:
    """Confirm an order as the second person; it goes out at once.

    Raises NotAllowed for whoever gave it, Conflict where it does not wait any more or its recording was withdrawn.
    """
    here = services()
    auth.require_scope(tokens.EMERGENCY)
    auth.assure(password)
    now = here.clock.now()
    with here.database.writing() as session:
        known = _visible(session, order, person)
        for code in known.stations:
            require(person, "emergencies.confirm", station_of(session, code, person))
        if known.ordered_by == person.id:
            raise NotAllowed(_same_person())
        if known.state is not OrderState.AWAITING_SECOND or known.expires_at <= now:
            raise Conflict(_not_waiting())
        _still_approved(session, known.message)
        if not _issue(session, known, person, now):
            raise Conflict(_not_waiting())
        trace(session, "emergency.confirm", order, person, detail=known.message.sha256)
    return _told(order)


def stop(order: OrderId, *, person: Person, reason: str = "") -> OrderRecord:
    """End an order at once, at every one of its stations that the person reaches; one that waits is cancelled.

    Raises Conflict where it is over already.
    """
    here = services()
    auth.require_scope(tokens.EMERGENCY)
    now = here.clock.now()
    reason = " ".join(reason.split())[:_LONGEST_TEXT]
    with here.database.writing() as session:
        known = _visible(session, order, person)
        mine = _reached(session, known.stations, person, "emergencies.stop")
        if not mine:
            raise NotAllowed(auth.not_yours())
        if known.state is OrderState.AWAITING_SECOND:
            done = emergencies.cancel(session, order, person=person.id, reason=reason, now=now)
        else:
            ending = EmergencyStop(
                order=order,
                stations=mine,
                by=person.full_name,
                reason=reason,
                issued_at=now,
                # What still sounds after the order expired can be ended too.
                expires_at=max(known.expires_at, now + USUAL),
                drill=known.drill,
            )
            sealed = seal_order(ending, _key(known.drill))
            done = bool(
                emergencies.stop(session, order, mine, sealed, person=person.id, reason=reason, now=now)
                if known.state is OrderState.ISSUED
                else 0
            )
        if not done:
            raise Conflict(_over())
        trace(session, "emergency.stop", order, person, detail=reason)
    return _told(order)


def visible(order: OrderId, *, person: Person) -> OrderRecord:
    """Return an order for a station that the person reaches, as it stands now. Raises Unknown for every other one."""
    with services().database.reading() as session:
        known = _visible(session, order, person)
    return seen(known, _statuses(services(), (one.station for one in known.standings)))


def listing(
    *, person: Person, open_only: bool = False, before: OrderId | None = None, limit: int = 50
) -> tuple[OrderRecord, ...]:
    """Return the orders for stations that the person reaches, newest first."""
    with services().database.reading() as session:
        mine = _reach(session, person)
        known = emergencies.listing(session, open_only=open_only, before=before, limit=limit)
    return tuple(one for one in known if mine & set(one.stations))


def seen(known: OrderRecord, statuses: Mapping[StationCode, StationStatus]) -> OrderRecord:
    """Return the order with what the stations tell of it at this moment; what is kept follows by `deliver`."""
    return replace(known, standings=tuple(_now(one, known.id, statuses.get(one.station)) for one in known.standings))


def prepare(
    *,
    owner: UnitCode,
    name: str,
    segment: SegmentId,
    urgency: Urgency,
    repeats: int,
    tone_s: float,
    person: Person,
) -> str:
    """Prepare a template and return its id; one person is enough to order by it once another one approved it."""
    here = services()
    name = " ".join(name.split())
    with here.database.writing() as session:
        if owner not in reach(person):
            raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))
        require(person, "emergencies.prepare", owner)
        problems = [
            *([] if 1 <= len(name) <= 200 else [_wrong("name", "Hãy đặt tên mẫu.", "Give the template a name.")]),
            *_repeats_wrong(repeats),
            *_tone_wrong(tone_s),
        ]
        message, more = _message(session, segment, person, here.clock.now(), repeats=repeats, urgency=urgency)
        if message is None or problems or more:
            raise Refused(*problems, *more)
        made = new_id()
        emergencies.prepare(
            session,
            template=made,
            owner=owner,
            name=name,
            message=replace(message, tone_s=tone_s),
            person=person.id,
            now=here.clock.now(),
        )
        trace(session, "emergency.prepare", made, person, detail=message.sha256)
    return made


def approve_template(template: str, *, person: Person) -> None:
    """Approve a template that somebody else prepared: from then on one person may order by it."""
    here = services()
    auth.require_scope(tokens.EMERGENCY)
    with here.database.writing() as session:
        known = _template(session, template, person)
        require(person, "emergencies.approve", known.owner)
        if known.prepared_by == person.id:
            raise NotAllowed(_same_person())
        record = segments.find(session, known.segment)
        if not _sounds(record, known.sha256):
            raise Conflict(_recording_gone())
        if not emergencies.approve_template(session, template, person=person.id, now=here.clock.now()):
            raise Conflict(no_such("template_settled", "Mẫu này đã được duyệt hoặc đã bỏ.", "It was settled before."))
        trace(session, "emergency.template.approve", template, person, detail=known.sha256)


def retire_template(template: str, *, person: Person) -> None:
    """Take a template out of use."""
    here = services()
    with here.database.writing() as session:
        known = _template(session, template, person)
        require(person, "emergencies.prepare", known.owner)
        if not emergencies.retire_template(session, template, person=person.id, now=here.clock.now()):
            raise Conflict(no_such("template_settled", "Mẫu này đã bỏ trước đó.", "It was retired before."))
        trace(session, "emergency.template.retire", template, person)


def templates(*, person: Person) -> tuple[tuple[TemplateRecord, SegmentRecord | None], ...]:
    """Return the templates that the person may use, each with its recording; None where that is not good any more."""
    with services().database.reading() as session:
        return tuple(
            (one, record if _sounds(record, one.sha256) else None)
            for one in emergencies.templates(session, owners=_owners(session, person))
            for record in (segments.find(session, one.segment),)
        )


def deliver(here: Services, order: OrderId | None = None) -> int:
    """Tell the stations what they do not know yet, and keep what they tell; returns how many standings changed.

    Called at once for an order just given, and for all of them every few seconds.
    """
    now = here.clock.now()
    with here.database.reading() as session:
        due = emergencies.due(session, order)
        closing = emergencies.closing(session, now)
    if not due and not closing:
        return 0
    # The bytes first, to every station; looking at what came of them takes longer.
    told = [(one, _tell(one, here.doors.get(one.station), now)) for one in due]
    statuses = _statuses(here, (one.station for one in due))
    changed = 0
    with here.database.writing() as session:
        for one, heard in told:
            alert = _alert(statuses.get(one.station), one.order)
            if heard.stop_taken:
                emergencies.stop_taken(session, one.order, one.station)
            if alert is not None:
                changed += emergencies.learn_alert(session, one.station, alert, now)
            elif heard.state is not None:
                changed += emergencies.learn(session, one.order, one.station, heard.state, now, why=heard.why)
        emergencies.close(session, now)
    return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What a station answered. state: None where it is as before."""

    state: AlertState | None = None
    why: Text | None = None
    stop_taken: bool = False


def _tell(one: Due, door: StationDoor | None, now: datetime) -> _Heard:
    waiting = one.state is AlertState.SENT
    expired = now >= one.expires_at
    if one.stop_document is not None:
        taken = door is not None and door.emergency(one.stop_document).taken
        # The order itself is not sent any more: what never came must not sound after its end.
        over = waiting and (taken or expired)
        return _Heard(state=AlertState.CANCELLED if over else None, stop_taken=taken)
    if not waiting:
        return _Heard()
    if expired:
        return _Heard(state=AlertState.EXPIRED, why=_NOT_REACHED)
    if door is None:
        return _Heard()
    receipt = door.emergency(one.document)
    if receipt.taken:
        return _Heard(state=AlertState.RECEIVED)
    return _Heard(state=AlertState.REFUSED, why=receipt.why)


_NOT_REACHED = Text(
    "Lệnh hết hạn trước khi liên lạc được với máy phát của đài.",
    "The order expired before the station could be reached.",
)


def _told(order: OrderId) -> OrderRecord:
    here = services()
    deliver(here, order)
    with here.database.reading() as session:
        return _must(session, order)


def _issue(session: Session, known: OrderRecord, second: Person | None, now: datetime) -> bool:
    message = known.message
    sealed = EmergencyOrder(
        id=known.id,
        stations=known.stations,
        segment=message.segment,
        title=message.title,
        sha256=message.sha256,
        pcm_sha256=message.pcm_sha256,
        samples=message.samples,
        urgency=message.urgency,
        repeats=message.repeats,
        tone_s=message.tone_s,
        gap_s=message.gap_s,
        issued_at=now,
        expires_at=known.expires_at,
        drill=known.drill,
        ordered_by=known.ordered_by_name,
        confirmed_by=None if second is None else second.full_name,
        template=known.template_name,
    )
    document = seal_order(sealed, _key(known.drill))
    return emergencies.issue(session, sealed, document, confirmed_by=None if second is None else second.id)


def _check(session: Session, wanted: Wanted, person: Person) -> Checked:
    here = services()
    now = here.clock.now()
    _key(wanted.drill)
    for code in wanted.stations:
        require(person, "emergencies.order", station_of(session, code, person))
    problems: list[Finding] = []
    if not wanted.stations or len(set(wanted.stations)) != len(wanted.stations):
        problems.append(_wrong("stations", "Hãy chọn ít nhất một đài.", "Choose at least one station, each once."))
    expires_at = wanted.expires_at or now + USUAL
    if not now < expires_at <= now + LONGEST:
        problems.append(
            _wrong(
                "expires",
                "Lệnh phải hết hạn trong vòng 24 giờ tới.",
                "An order has to expire within the next 24 hours.",
            )
        )
    if wanted.repeats is not None:
        problems += _repeats_wrong(wanted.repeats)
    if len(wanted.basis) > _LONGEST_TEXT:
        problems.append(
            _wrong(
                "basis",
                f"Căn cứ dài nhất {_LONGEST_TEXT} ký tự.",
                f"The basis has at most {_LONGEST_TEXT} characters.",
            )
        )
    template = None if wanted.template is None else _template(session, wanted.template, person)
    if (template is None) == (wanted.segment is None):
        problems.append(
            _wrong(
                "segment",
                "Hãy chọn một mẫu hoặc một bài đã duyệt.",
                "Choose either a template or an approved recording.",
            )
        )
        raise Refused(*problems)
    message, more = _message(
        session,
        wanted.segment if template is None else template.segment,
        person,
        now,
        repeats=wanted.repeats or (USUAL_REPEATS if template is None else template.repeats),
        urgency=wanted.urgency or (Urgency.SEVERE if template is None else template.urgency),
    )
    if template is not None:
        more = (*more, *_template_wrong(template, message))
    if message is None or problems or more:
        raise Refused(*problems, *more)
    _not_too_many(session, person, now, drill=wanted.drill)
    if template is not None:
        message = replace(message, tone_s=template.tone_s, gap_s=template.gap_s)
    as_prepared = template is not None and message.repeats == template.repeats and message.urgency is template.urgency
    return Checked(message=message, template=template, expires_at=expires_at, alone=wanted.drill or as_prepared)


def _message(
    session: Session,
    segment: SegmentId | None,
    person: Person,
    now: datetime,
    *,
    repeats: int,
    urgency: Urgency,
) -> tuple[Message | None, tuple[Finding, ...]]:
    record = segments.find(session, segment or "")
    if record is None or record.card.owner not in _owners(session, person):
        raise Unknown(no_such("segment_unknown", "Không có bài này.", "There is no such recording."))
    if record.state is not SegmentState.APPROVED or record.audio is None:
        return None, (_wrong("segment", "Bài này chưa được duyệt.", "This recording is not approved."),)
    problems = []
    valid_from, valid_until = record.card.valid_from, record.card.valid_until
    if (valid_from and now < valid_from) or (valid_until and now >= valid_until):
        problems.append(
            _wrong("segment", "Bài này chưa tới hoặc đã qua thời hạn dùng.", "This recording is outside its dates.")
        )
    if record.audio.samples > MOST_MESSAGE_S * SAMPLE_RATE_HZ:
        problems.append(
            _wrong(
                "segment",
                f"Bài khẩn cấp dài nhất {MOST_MESSAGE_S // 60} phút.",
                f"An emergency message lasts at most {MOST_MESSAGE_S // 60} minutes.",
            )
        )
    message = Message(
        segment=record.id,
        title=record.card.title,
        sha256=record.audio.sha256,
        pcm_sha256=record.audio.pcm_sha256,
        samples=record.audio.samples,
        urgency=urgency,
        repeats=repeats,
        tone_s=_TONE_S,
        gap_s=_GAP_S,
    )
    return message, tuple(problems)


_TONE_S = 6.0
_GAP_S = 2.0


def _template(session: Session, template: str, person: Person) -> TemplateRecord:
    known = emergencies.find_template(session, template)
    if known is None or known.owner not in _owners(session, person):
        raise Unknown(no_such("template_unknown", "Không có mẫu này.", "There is no such template."))
    return known


def _template_wrong(template: TemplateRecord, message: Message | None) -> tuple[Finding, ...]:
    if not template.approved:
        return (
            _wrong(
                "template",
                "Mẫu này chưa được người thứ hai duyệt, hoặc đã bỏ.",
                "This template was not approved by a second person, or was retired.",
            ),
        )
    return (_recording_gone(),) if message is not None and message.sha256 != template.sha256 else ()


def _not_too_many(session: Session, person: Person, now: datetime, *, drill: bool) -> None:
    count, first = emergencies.ordered_since(session, person.id, now - _HOUR, drill=drill)
    if count >= MOST_AN_HOUR and first is not None:
        raise TooMany(
            Finding(
                code="too_many_orders",
                severity=Severity.ERROR,
                message=Text(
                    f"Anh/chị đã ra {count} lệnh trong một giờ qua. Lệnh này chưa được gửi.",
                    f"You gave {count} orders within the last hour. This one was not sent.",
                ),
                hint=Text("Nếu vẫn cần, hãy nhờ người khác ra lệnh.", "If it is needed, ask somebody else."),
            ),
            retry_after_s=(first + _HOUR - now).total_seconds(),
        )


def _still_approved(session: Session, message: Message) -> None:
    if not _sounds(segments.find(session, message.segment), message.sha256):
        raise Conflict(_recording_gone())


def _sounds(record: SegmentRecord | None, sha256: str) -> bool:
    return (
        record is not None
        and record.state is SegmentState.APPROVED
        and record.audio is not None
        and record.audio.sha256 == sha256
    )


def _owners(session: Session, person: Person) -> frozenset[UnitCode]:
    """Return the units whose libraries the person may use: their own, those below and those above."""
    return reach(person) | set(units_above(units.every(session), person.unit))


def _reach(session: Session, person: Person) -> frozenset[StationCode]:
    mine = reach(person)
    return frozenset(one.code for one in stations.every(session) if one.unit in mine)


def _reached(
    session: Session, codes: Collection[StationCode], person: Person, permission: str
) -> tuple[StationCode, ...]:
    if not permits(person.role, permission):
        return ()
    known = {one.code: one for one in stations.every(session)}
    return tuple(code for code in codes if code in known and can(person, permission, known[code]))


def _visible(session: Session, order: OrderId, person: Person) -> OrderRecord:
    known = emergencies.find(session, order)
    if known is None or not _reach(session, person) & set(known.stations):
        raise Unknown(no_such("emergency_unknown", "Không có lệnh khẩn cấp này.", "There is no such emergency order."))
    return known


def _must(session: Session, order: OrderId) -> OrderRecord:
    known = emergencies.find(session, order)
    if known is None:
        raise Unknown(no_such("emergency_unknown", "Không có lệnh khẩn cấp này.", "There is no such emergency order."))
    return known


def _key(drill: bool) -> SigningKey:
    keys = services().order_keys
    if keys is None:
        raise Conflict(
            Finding(
                code="emergency_off",
                severity=Severity.ERROR,
                message=Text(
                    "Máy chủ này không có khóa ký lệnh khẩn cấp, nên không ra lệnh được.",
                    "This server has no key for emergency orders, so none can be given.",
                ),
                hint=Text("Hãy báo quản trị viên.", "Tell the administrator."),
            )
        )
    return keys.drill if drill else keys.real


def _statuses(here: Services, codes: Iterable[StationCode]) -> dict[StationCode, StationStatus]:
    return {code: here.doors[code].status() for code in set(codes) if code in here.doors}


def _alert(status: StationStatus | None, order: OrderId) -> Alert | None:
    return None if status is None else next((one for one in status.alerts if one.order.id == order), None)


def _now(one: Standing, order: OrderId, status: StationStatus | None) -> Standing:
    alert = _alert(status, order)
    if alert is None or one.final:
        return one
    return replace(
        one,
        state=alert.state,
        received_at=alert.received_at,
        started_at=alert.started_at,
        ended_at=alert.ended_at,
        said=alert.said,
        why=alert.why,
    )


def _repeats_wrong(repeats: int) -> list[Finding]:
    if 1 <= repeats <= MOST_REPEATS:
        return []
    return [_wrong("repeat", f"Phát từ 1 đến {MOST_REPEATS} lần.", f"A message is said 1 to {MOST_REPEATS} times.")]


def _tone_wrong(tone_s: float) -> list[Finding]:
    if SHORTEST_TONE_S <= tone_s <= LONGEST_TONE_S:
        return []
    return [
        _wrong(
            "tone",
            f"Tín hiệu báo động dài từ {SHORTEST_TONE_S:g} đến {LONGEST_TONE_S:g} giây.",
            f"The attention tone lasts {SHORTEST_TONE_S:g} to {LONGEST_TONE_S:g} seconds.",
        )
    ]


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))


def _recording_gone() -> Finding:
    return Finding(
        code="recording_changed",
        severity=Severity.ERROR,
        where="segment",
        message=Text(
            "Bài của lệnh hoặc mẫu này đã bị sửa hay thu hồi. Lệnh chưa được gửi.",
            "The recording of this order or template was changed or withdrawn. Nothing was sent.",
        ),
        hint=Text("Hãy chọn một bài đã duyệt khác.", "Choose another approved recording."),
    )


def _same_person() -> Finding:
    return Finding(
        code="four_eyes",
        severity=Severity.ERROR,
        message=Text(
            "Người ra lệnh hoặc soạn mẫu không tự xác nhận. Chưa có gì được gửi.",
            "Whoever gave the order or prepared the template cannot confirm it. Nothing was sent.",
        ),
        hint=Text("Hãy nhờ người thứ hai có quyền xác nhận.", "Ask a second person who may confirm."),
    )


def _not_waiting() -> Finding:
    return no_such(
        "order_not_waiting",
        "Lệnh này không còn chờ xác nhận: đã được xác nhận, đã hủy hoặc đã hết hạn.",
        "This order does not wait any more: it was confirmed, cancelled or has expired.",
    )


def _over() -> Finding:
    return no_such("order_over", "Lệnh này đã kết thúc từ trước.", "This order was over already.")
