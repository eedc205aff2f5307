"""What people do with items that a unit sends down: send, receive, use, decline, release, recall."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from schedules.calendar import deadline as due_at
from schedules.calendar import period_interval, period_name
from schedules.choosing import libraries_of
from schedules.duty import Duty, Period
from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.owing import matches
from schedules.programme import Otherwise
from schedules.segment import Priority, SegmentId, SegmentState
from schedules.station import Station, StationCode
from schedules.text import Text
from store import accounts, dispatches, duties, outgoing, programmes, revision, segments, stations, units
from store.accounts import Person, Role
from store.dispatches import Dispatch, Receipt, Step
from store.identity import new_id
from store.segments import SegmentRecord
from webui.rights import can, reach
from webui.services import services
from webui.work import no_such, require, station_of, trace, visible_segment

LATEST = timedelta(days=366)
SOONEST = timedelta(hours=1)
_LONGEST_NOTE = 1000
_LONGEST_REASON = 500
_LONGEST_DOCUMENT = 200
_TOLD = frozenset({Role.OPERATOR, Role.APPROVER})


def send(
    segment: SegmentId,
    *,
    codes: Collection[StationCode],
    must: bool,
    priority: Priority,
    deadline: datetime | None,
    document: str,
    note: str,
    person: Person,
) -> str:
    """Send an approved item of one's own unit to stations below it; return the id of the sending.

    Raises Refused with everything that is wrong, Conflict where all of them have it already, NotAllowed, Unknown.
    """
    here = services()
    now = here.clock.now()
    record = visible_segment(segment, person=person)
    require(person, "dispatch.send", record.card.owner)
    document, note = _line(document), note.strip()
    with here.database.writing() as session:
        wrong = [
            *_not_sendable(session, record, must=must, priority=priority),
            *_times_wrong(deadline, now),
            *_words_wrong(document, note),
        ]
        chosen = [station_of(session, code, person) for code in sorted(set(codes))]
        tree = units.every(session)
        chosen = [station for station in chosen if record.card.owner in libraries_of(tree, station)]
        if not chosen:
            wrong.append(
                _problem("stations", "Hãy chọn ít nhất một xã nhận bài.", "Choose at least one commune to receive it.")
            )
        if wrong or deadline is None:
            raise Refused(*wrong)
        there = _open_at(session, segment, now)
        fresh = [station for station in chosen if station.code not in there]
        if not fresh:
            raise Conflict(
                _problem(
                    "stations",
                    "Các xã đã chọn đều đang có bài này. Chưa gửi thêm lần nào.",
                    "All chosen communes have this item already. Nothing was sent.",
                )
            )
        dispatch = new_id()
        dispatches.send(
            session,
            dispatch=dispatch,
            owner=record.card.owner,
            segment=segment,
            stations=[station.code for station in fresh],
            must=must,
            priority=priority,
            deadline=deadline,
            document=document,
            note=note,
            revision=revision.bump(session),
            person=person,
            now=now,
        )
        trace(session, "dispatch.send", dispatch, person, detail=f"{segment} {len(fresh)} must={must}")
        _tell_communes(session, record, fresh, must=must, deadline=deadline, person=person, now=now)
    here.wake()
    return dispatch


def visible(dispatch: str, *, person: Person) -> Dispatch:
    """Return a sending that the person's unit, or one below it, sent or received. Raises Unknown for all others."""
    with services().database.reading() as session:
        return _visible(session, dispatch, person)


def receipt_of(dispatch: Dispatch, station: StationCode, *, person: Person) -> Receipt:
    """Return the receipt of a station that the person reaches. Raises Unknown for all others."""
    with services().database.reading() as session:
        station_of(session, station, person)
        found = dispatches.receipts(session, [dispatch.id], stations=[station]).get(dispatch.id, ())
    if not found:
        raise Unknown(_none())
    return found[0]


def receive(dispatch: str, station: StationCode, *, person: Person) -> None:
    """Confirm that the commune has it, in the person's name; once is enough."""
    here = services()
    with here.database.writing() as session:
        _at(session, dispatch, station, person)
        if dispatches.receive(session, dispatch, station, person=person, now=here.clock.now()):
            trace(session, "dispatch.receive", dispatch, person, detail=station)


def decline(dispatch: str, station: StationCode, *, reason: str, person: Person) -> None:
    """Say that the commune does not air it, and why. One that must be carried stays owed until the sender agrees."""
    here = services()
    now = here.clock.now()
    reason = _line(reason)
    with here.database.writing() as session:
        known, where = _at(session, dispatch, station, person)
        if not reason or len(reason) > _LONGEST_REASON:
            raise Refused(
                _problem(
                    "reason",
                    f"Hãy ghi lý do, từ 1 đến {_LONGEST_REASON} ký tự. Chưa báo gì cho đơn vị gửi.",
                    f"Give a reason of 1 to {_LONGEST_REASON} characters. The sender was told nothing.",
                )
            )
        if not dispatches.decline(session, dispatch, station, reason=reason, person=person, now=now):
            raise Conflict(no_such("declined", "Xã đã báo không phát trước đó.", "It was declined before."))
        dispatches.receive(session, dispatch, station, person=person, now=now)
        trace(session, "dispatch.decline", dispatch, person, detail=f"{station}: {reason}")
        _tell_sender(session, known, where, reason, person, now)


def undecline(dispatch: str, station: StationCode, *, person: Person) -> None:
    """Take back that the commune does not air it."""
    here = services()
    with here.database.writing() as session:
        _at(session, dispatch, station, person)
        if not dispatches.undecline(session, dispatch, station):
            raise Conflict(no_such("not_declined", "Xã không báo từ chối bài này.", "It was not declined."))
        trace(session, "dispatch.undecline", dispatch, person, detail=station)


def release(dispatch: str, station: StationCode, *, person: Person) -> None:
    """Agree that a commune need not air what it has to; from then on its station does not owe it any more."""
    here = services()
    with here.database.writing() as session:
        known = _visible(session, dispatch, person)
        require(person, "dispatch.send", known.owner)
        station_of(session, station, person)
        if not dispatches.release(session, dispatch, station, person=person, now=here.clock.now()):
            raise Conflict(no_such("released", "Xã này đã được miễn phát trước đó.", "It was released before."))
        revision.bump(session)
        trace(session, "dispatch.release", dispatch, person, detail=station)
    here.wake()


def recall(dispatch: str, *, reason: str, person: Person) -> None:
    """Take a sending back everywhere; what has aired stays aired."""
    here = services()
    reason = _line(reason)
    with here.database.writing() as session:
        known = _visible(session, dispatch, person)
        require(person, "dispatch.send", known.owner)
        if not reason or len(reason) > _LONGEST_REASON:
            raise Refused(
                _problem(
                    "reason",
                    f"Hãy ghi lý do, từ 1 đến {_LONGEST_REASON} ký tự. Bài chưa được rút lại.",
                    f"Give a reason of 1 to {_LONGEST_REASON} characters. It was not recalled.",
                )
            )
        if not dispatches.recall(session, dispatch, reason=reason, person=person, now=here.clock.now()):
            raise Conflict(no_such("recalled", "Bài này đã rút lại trước đó.", "It was recalled before."))
        revision.bump(session)
        trace(session, "dispatch.recall", dispatch, person, detail=reason)
    here.wake()


def weekly_duty(session: Session, station: Station, topics: Collection[str], programme: str) -> Duty | None:
    """Return the weekly duty of the station that an item with these topics could fulfil, the own programme first."""
    found = [
        duty
        for duty in duties.in_force(session)
        if duty.period is Period.WEEK
        and station.code in duty.stations
        and matches(duty, duty.programme or programme, topics)
    ]
    return min(found, key=lambda duty: (duty.programme not in (None, programme), duty.code), default=None)


def use_this_week(dispatch: str, station: StationCode, *, person: Person) -> Duty:
    """Have it aired for this week's duty before everything else; return that duty.

    Where the duty's programme is another one, the commune gets a card of its own of the same approved sound.
    """
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        known, where = _at(session, dispatch, station, person)
        record = segments.find(session, known.segment)
        if record is None or record.state is not SegmentState.APPROVED:
            raise Conflict(
                no_such(
                    "not_approved",
                    "Bài đã bị thu hồi hoặc đang chờ duyệt lại, chưa dùng được.",
                    "The item was withdrawn or waits for a new approval; it cannot be used now.",
                )
            )
        duty = weekly_duty(session, where, record.card.topics, record.card.programme)
        if duty is None:
            raise Refused(
                no_such(
                    "no_duty",
                    "Đài không có nhiệm vụ hằng tuần nào mà chủ đề của bài này hợp. Hãy xếp lịch phát riêng.",
                    "The station has no weekly duty that fits this item's topics. Order a single airing instead.",
                )
            )
        until = _week_ends(duty, where, now)
        if until <= now:
            raise Refused(
                no_such(
                    "week_over",
                    "Hạn của nhiệm vụ tuần này đã qua. Hãy dùng bài cho tuần sau.",
                    "This week's deadline has passed. Use the item next week.",
                )
            )
        copy = None
        here_it_is = next(iter(dispatches.receipts(session, [dispatch], stations=[station])[dispatch]))
        if duty.programme not in (None, record.card.programme) and here_it_is.copy is None:
            copy = dispatches.adopt(
                session,
                known.segment,
                owner=where.unit,
                station=station,
                programme=duty.programme or record.card.programme,
                now=now,
            )
            trace(session, "segment.adopt", copy, person, detail=f"{known.segment} {dispatch}")
        if not dispatches.use(session, dispatch, station, until=until, copy=copy, person=person, now=now):
            raise Conflict(no_such("used", "Bài này đã được chọn cho tuần này.", "It is used this week already."))
        dispatches.receive(session, dispatch, station, person=person, now=now)
        revision.bump(session)
        trace(session, "dispatch.use", dispatch, person, detail=f"{station} {duty.code} {until.isoformat()}")
    here.wake()
    return duty


def unuse(dispatch: str, station: StationCode, *, person: Person) -> None:
    """Let it wait for its turn again."""
    here = services()
    with here.database.writing() as session:
        _at(session, dispatch, station, person)
        if not dispatches.unuse(session, dispatch, station):
            raise Conflict(no_such("not_used", "Bài này không được chọn cho tuần này.", "It is not used this week."))
        revision.bump(session)
        trace(session, "dispatch.unuse", dispatch, person, detail=station)
    here.wake()


def may_act(person: Person, station: Station) -> bool:
    """Return whether the person answers for what that station receives."""
    return can(person, "dispatch.receive", station)


def trouble(step: Step) -> int:
    """Return where a state stands in a list that shows trouble first."""
    return _ORDER.index(step)


_ORDER = (
    Step.MISSED,
    Step.OBJECTED,
    Step.SENT,
    Step.RECEIVED,
    Step.DECLINED,
    Step.UNUSED,
    Step.SCHEDULED,
    Step.AIRED,
    Step.RELEASED,
    Step.RECALLED,
)


def _week_ends(duty: Duty, station: Station, now: datetime) -> datetime:
    zone = ZoneInfo(station.zone)
    week = period_name(Period.WEEK, now.astimezone(zone).date())
    return due_at(duty, period_interval(Period.WEEK, week, zone), zone)


def _visible(session: Session, dispatch: str, person: Person) -> Dispatch:
    known = dispatches.find(session, dispatch)
    if known is not None:
        if known.owner in reach(person):
            return known
        mine = {station.code for station in stations.every(session) if station.unit in reach(person)}
        if dispatches.receipts(session, [dispatch], stations=mine):
            return known
    raise Unknown(_none())


def _at(session: Session, dispatch: str, station: StationCode, person: Person) -> tuple[Dispatch, Station]:
    """Return a sending that can still be acted on and its station; the person answers for that station."""
    known = _visible(session, dispatch, person)
    where = station_of(session, station, person)
    if not dispatches.receipts(session, [dispatch], stations=[station]):
        raise Unknown(_none())
    require(person, "dispatch.receive", where)
    if known.recalled_at is not None:
        raise Conflict(
            no_such("recalled", "Đơn vị gửi đã rút bài này lại. Chưa có gì thay đổi.", "The sender recalled this item.")
        )
    return known, where


def _open_at(session: Session, segment: SegmentId, now: datetime) -> frozenset[StationCode]:
    return frozenset(
        receipt.station
        for known, receipts in dispatches.open_items(session, now)
        if known.segment == segment
        for receipt in receipts
        if receipt.released_at is None
    )


def _not_sendable(session: Session, record: SegmentRecord, *, must: bool, priority: Priority) -> list[Finding]:
    if record.state is not SegmentState.APPROVED:
        return [
            _problem(
                "segment",
                "Bài này chưa được duyệt nên chưa gửi được. Hãy trình duyệt trước.",
                "This item is not approved and cannot be sent. Have it approved first.",
            )
        ]
    if record.card.priority is Priority.EMERGENCY or priority is Priority.EMERGENCY:
        return [
            _problem(
                "priority",
                "Bài khẩn cấp chỉ phát theo lệnh phát khẩn cấp, không gửi theo lịch.",
                "An emergency item airs by an emergency order only.",
            )
        ]
    name = record.card.programme
    rule = programmes.find(session, name)
    closed = rule is not None and Otherwise.CENTRE not in rule.otherwise
    if must and closed and priority is Priority.NORMAL and record.card.priority is Priority.NORMAL:
        return [
            _problem(
                "priority",
                f"Chuyên mục “{name}” không tự lấy bài cấp trên. Hãy chọn mức Ưu tiên để bắt buộc phát.",
                f"Programme “{name}” takes no items from above. Choose Priority to have it carried.",
            )
        ]
    return []


def _times_wrong(deadline: datetime | None, now: datetime) -> list[Finding]:
    if deadline is None:
        return [_problem("deadline", "Hãy chọn hạn phát.", "Choose a deadline.")]
    if not now + SOONEST <= deadline <= now + LATEST:
        return [
            _problem(
                "deadline",
                "Hạn phát phải sau bây giờ ít nhất 1 giờ và không quá 1 năm.",
                "The deadline must be at least 1 hour and at most 1 year from now.",
            )
        ]
    return []


def _words_wrong(document: str, note: str) -> list[Finding]:
    found = []
    if len(document) > _LONGEST_DOCUMENT:
        found.append(_problem("document", "Số văn bản dài quá 200 ký tự.", "The document is over 200 characters."))
    if len(note) > _LONGEST_NOTE:
        found.append(_problem("note", "Lời dặn dài quá 1000 ký tự.", "The note is over 1000 characters."))
    return found


def _tell_communes(
    session: Session,
    record: SegmentRecord,
    chosen: Collection[Station],
    *,
    must: bool,
    deadline: datetime,
    person: Person,
    now: datetime,
) -> None:
    there = {station.unit for station in chosen}
    people = [
        account.person.id
        for account in accounts.every(session)
        if account.person.unit in there and account.person.role in _TOLD
    ]
    zone = ZoneInfo(next(iter(chosen)).zone)
    kind = "Bài bắt buộc phát" if must else "Bài cấp trên gửi"
    outgoing.queue(
        session,
        to=people,
        subject=f"{kind}: {record.card.title}",
        text=f"{person.full_name} gửi bài “{record.card.title}”, hạn phát {deadline.astimezone(zone):%H:%M %d/%m/%Y}. "
        "Mở Loa, mục Bài cấp trên gửi, để nghe và xác nhận đã nhận.",
        kind="dispatch",
        now=now,
    )


def _tell_sender(
    session: Session, known: Dispatch, station: Station, reason: str, person: Person, now: datetime
) -> None:
    people = [
        account.person.id
        for account in accounts.every(session)
        if account.person.unit == known.owner and account.person.role is Role.CENTRE
    ]
    outgoing.queue(
        session,
        to=people,
        subject=f"{station.name} báo không phát được: {known.title}",
        text=f"{person.full_name} báo: {reason}",
        kind="dispatch",
        now=now,
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _problem(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"dispatch_{where}", severity=Severity.ERROR, where=where, message=Text(vi, en))


def _none() -> Finding:
    return no_such("dispatch_unknown", "Không có bài gửi này.", "There is no such sending.")
