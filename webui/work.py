"""What people do: each act checks the right in that unit, changes the store, leaves a trace, and wakes the stations."""

from __future__ import annotations

import contextlib
import errno
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import IO

from flask import has_request_context, request
from sqlalchemy.orm import Session

from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.findings import Finding, Severity, errors
from schedules.grid import OneOff, Timing
from schedules.planner import check_one_off, one_off_slot
from schedules.segment import SegmentId, SegmentState
from schedules.station import Station, StationCode, units_above
from schedules.text import Text
from store import (
    accounts,
    airings,
    audit,
    authority,
    intent,
    one_offs,
    programmes,
    revision,
    segments,
    stations,
    tokens,
    units,
)
from store.accounts import Person
from store.identity import new_id
from store.segments import Card, SegmentRecord
from webui import arrival, auth, heard
from webui.auth import by_token
from webui.rights import can, reach
from webui.services import services

UNDO = timedelta(seconds=30)
"""How long a decision can be undone; the page offers it for 10 s, the rest is the way of a slow phone."""

_LONGEST_REASON = 500
_LEAST_LEFT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A one-off airing that was taken: its slot, and what it will cost (warnings)."""

    one_off: OneOff
    slot: str
    findings: tuple[Finding, ...]


def visible_segment(segment: SegmentId, *, person: Person) -> SegmentRecord:
    """Return a recording that the person may see: of their units, or approved by a unit above for those below.

    Raises Unknown for every other one, so that nobody learns what exists elsewhere.
    """
    with services().database.reading() as session:
        return _visible(session, segment, person)


def visible_station(code: StationCode, *, person: Person) -> Station:
    """Return a station that the person reaches. Raises Unknown for every other one."""
    with services().database.reading() as session:
        return station_of(session, code, person)


def receive_upload(*, stream: IO[bytes], file_name: str, card: Card, person: Person) -> SegmentRecord:
    """Take a recording in; it is analysed afterwards. Raises Refused, NotAllowed, TooMany, Unknown.

    file_name: the sender's; it is only shown and never becomes a path.
    """
    here = services()
    segment = new_id()
    now = here.clock.now()
    with here.database.reading() as session:
        card = checked_card(session, card, person)
    original = here.intake.original(segment)
    try:
        arrival.keep(stream, original)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise Refused(_disk_full()) from error
    with contextlib.ExitStack() as unless_kept:
        unless_kept.callback(original.unlink, missing_ok=True)
        with here.database.writing() as session:
            record = segments.receive(
                session,
                segment=segment,
                card=card,
                uploader=person,
                file_name=label(file_name),
                now=now,
                most_drafts=here.settings.most_drafts,
            )
            trace(session, "segment.create", segment, person)
        unless_kept.pop_all()
    here.intake.notify()
    return record


def progress(segment: SegmentId) -> float:
    """Return how far the analysis of a recording is, 0 to 1; 0 where none is under way."""
    return services().intake.progress(segment)


def edit(segment: SegmentId, *, card: Card, revision: int, person: Person) -> None:
    """Change the card; an approved recording leaves the intent until it is approved again."""
    here = services()
    with here.database.writing() as session:
        _own(session, segment, person, "segments.create")
        card = checked_card(session, card, person)
        segments.edit(session, segment, card, revision=revision, person=person, now=here.clock.now())
        trace(session, "segment.edit", segment, person)
    here.wake()


def trim(segment: SegmentId, *, head_s: float, tail_s: float, revision: int, person: Person) -> None:
    """Have `head_s` and `tail_s` seconds cut off: a new file, which needs a new approval."""
    here = services()
    with here.database.writing() as session:
        record = _own(session, segment, person, "segments.create")
        length_s = record.duration_s or 0.0
        if head_s < 0 or tail_s < 0 or head_s + tail_s <= 0 or head_s + tail_s > length_s - _LEAST_LEFT_S:
            raise Refused(
                Finding(
                    code="trim_wrong",
                    severity=Severity.ERROR,
                    where="head_s",
                    message=Text(
                        "Số giây cần cắt không hợp với độ dài của bài. Bài chưa thay đổi.",
                        "The seconds to cut do not fit the recording's length. Nothing was changed.",
                    ),
                )
            )
        segments.trim(
            session,
            segment,
            head_s=head_s,
            tail_s=tail_s,
            revision=revision,
            person=person,
            now=here.clock.now(),
        )
        trace(session, "segment.trim", segment, person)
    here.intake.notify()
    here.wake()


def submit(segment: SegmentId, *, person: Person) -> None:
    """Ask for approval."""
    here = services()
    with here.database.writing() as session:
        heard.before_submitting(session, _own(session, segment, person, "segments.submit"), person)
        segments.submit(session, segment, person=person, now=here.clock.now())
        trace(session, "segment.submit", segment, person)


def approve(segment: SegmentId, *, sha256: str, revision: int, person: Person) -> None:
    """Approve exactly this audio and card; from then on the stations may air it.

    Raises ProofNeeded where the authority wants it and the person proved who they are too long ago.
    """
    here = services()
    with here.database.reading() as session:
        asked = authority.value(session, authority.ASK_FOR_APPROVAL)
    if asked and has_request_context():
        auth.require_proof()
    with here.database.writing() as session:
        record = _own(session, segment, person, "segments.approve")
        station = stations.find(session, record.card.station) if record.card.station else None
        segments.approve(
            session,
            segment,
            sha256=sha256,
            revision=revision,
            person=person,
            now=here.clock.now(),
            self_approval=station is not None and station.self_approval,
        )
        by_program = has_request_context() and by_token()
        now = here.clock.now()
        heard.before_approving(session, record, person, sha256=sha256, by_program=by_program, now=now)
        trace(session, "segment.approve", segment, person, detail=f"{sha256} r{revision}")
    here.intake.forget_original(segment)
    here.wake()


def send_back(segment: SegmentId, *, reason: str, person: Person) -> None:
    """Return it to its maker with a reason."""
    here = services()
    with here.database.writing() as session:
        _own(session, segment, person, "segments.approve")
        segments.send_back(session, segment, reason=reason, person=person, now=here.clock.now())
        trace(session, "segment.return", segment, person, detail=reason)


def take_back(segment: SegmentId, *, person: Person) -> None:
    """Undo the person's own approval or return of a moment ago. Raises Conflict where it is too late."""
    here = services()
    now = here.clock.now()
    on_air = {status.on_air.segment for door in here.doors.values() if (status := door.status()).on_air is not None}
    if segment in on_air:
        raise Conflict(
            no_such(
                "on_air",
                "Bài này đang phát nên không hoàn tác được. Cần dừng thì bấm Dừng phát ở trang của đài.",
                "This is on air and cannot be undone. To stop it, use Stop on the station's page.",
            )
        )
    with here.database.writing() as session:
        _own(session, segment, person, "segments.approve")
        segments.take_back(session, segment, person=person, since=now - UNDO, now=now)
        for one in one_offs.of_segment(session, segment):
            # What the approval ordered along with it, such as the time that a text asked for.
            if one.cancelled_at is None and one.ordered_at >= now - UNDO and one.ordered_by == person.full_name:
                one_offs.cancel(session, one.id, person=person.id, now=now)
        trace(session, "segment.take_back", segment, person)
    here.wake()


def withdraw(segment: SegmentId, *, reason: str, person: Person) -> None:
    """Take it out for good; an approved one is not begun any more from this moment on."""
    here = services()
    with here.database.writing() as session:
        _own(session, segment, person, "segments.withdraw")
        segments.withdraw(session, segment, reason=reason, person=person, now=here.clock.now())
        trace(session, "segment.withdraw", segment, person, detail=reason)
    here.intake.forget_original(segment)
    here.wake()


def order_airing(
    *, station: StationCode, segment: SegmentId, start: datetime, timing: Timing, person: Person
) -> Ordered:
    """Order one airing. Raises Conflict with every finding that speaks against it."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        where = station_of(session, station, person)
        require(person, "airings.order", where)
        record = _visible(session, segment, person)
        if record.state is not SegmentState.APPROVED:
            raise Conflict(
                Finding(
                    code="not_approved",
                    severity=Severity.ERROR,
                    where="segment",
                    message=Text("Bài này chưa được duyệt.", "This recording is not approved."),
                )
            )
        one_off = OneOff(
            id=new_id(),
            station=station,
            segment=segment,
            start=start,
            timing=timing,
            ordered_by=person.full_name,
            ordered_at=now,
        )
        present = intent.load_intent(session, now, demo=here.demo)
        findings = check_one_off(present, one_off, now, _settled(session, one_off, present.one_offs))
        if errors(findings):
            raise Conflict(*findings)
        one_offs.order(session, one_off, person=person.id)
        revision.bump(session)
        trace(session, "airing.order", one_off.id, person, detail=f"{station} {segment} {start.isoformat()}")
    here.wake()
    return Ordered(one_off=one_off, slot=one_off_slot(station, one_off.id), findings=findings)


def _settled(session: Session, wanted: OneOff, orders: Iterable[OneOff]) -> frozenset[str]:
    """Return the slots around `wanted` that have their row in the air log: what was stopped early is over."""
    near = [o for o in orders if o.station == wanted.station and abs(o.start - wanted.start) < timedelta(days=1)]
    slots = [one_off_slot(order.station, order.id) for order in near]
    return frozenset(slot for slot in slots if airings.of_slot(session, slot) is not None)


def cancel_airing(one_off: str, *, person: Person) -> None:
    """Take a one-off out before it starts; the air log will name the person."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        known = one_offs.find(session, one_off)
        if known is None or not _reaches(session, known.station, person):
            raise Unknown(no_such("airing_unknown", "Không có lượt phát này.", "There is no such airing."))
        require(person, "airings.order", station_of(session, known.station, person))
        if known.start <= now:
            raise Conflict(
                no_such(
                    "airing_begun",
                    "Lượt phát này đã đến giờ, không hủy được nữa. Có thể dừng phát ở trang của đài.",
                    "This airing is due already and cannot be cancelled. It can be stopped at the station.",
                )
            )
        if not one_offs.cancel(session, one_off, person=person.id, now=now):
            raise Conflict(no_such("airing_cancelled", "Lượt phát này đã hủy trước đó.", "It was cancelled before."))
        revision.bump(session)
        trace(session, "airing.cancel", one_off, person)
    here.wake()


def stop(station: StationCode, *, reason: str, person: Person) -> bool:
    """Silence a station now; True where something was cut. The reason goes into the air log."""
    here = services()
    where = visible_station(station, person=person)
    require(person, "stations.stop", where)
    reason = " ".join(reason.split())
    if not reason or len(reason) > _LONGEST_REASON:
        raise Refused(
            Finding(
                code="reason_missing",
                severity=Severity.ERROR,
                where="reason",
                message=Text(
                    f"Hãy ghi lý do, từ 1 đến {_LONGEST_REASON} ký tự. Đài chưa dừng.",
                    f"Give a reason of 1 to {_LONGEST_REASON} characters. The station was not stopped.",
                ),
            )
        )
    door = here.doors.get(station)
    cut = door.stop(by=person.full_name, reason=reason) if door is not None else False
    with here.database.writing() as session:
        trace(session, "station.stop", station, person, outcome="done" if cut else "nothing", detail=reason)
    return cut


def change_password(*, old: str, new: str, person: Person) -> None:
    """Choose a new password; every session of the person ends, this one too. Raises NotAllowed, Refused."""
    here = services()
    with here.database.reading() as session:
        if accounts.check_password(session, person.name, old) is None:
            raise NotAllowed(
                Finding(
                    code="password_wrong",
                    severity=Severity.ERROR,
                    where="old",
                    message=Text(
                        "Mật khẩu hiện tại không đúng. Mật khẩu chưa đổi.",
                        "The present password is wrong. It was not changed.",
                    ),
                )
            )
    with here.database.writing() as session:
        accounts.set_password(session, person, new)
        trace(session, "account.password", person.id, person)


def issue_token(*, name: str, person: Person) -> str:
    """Return a new bearer token of the person, shown this once."""
    here = services()
    with here.database.writing() as session:
        secret = tokens.issue(session, person, here.clock.now(), label=name)
        trace(session, "token.issue", person.id, person, detail=name)
    return secret


def revoke_token(token: str, *, person: Person) -> None:
    """Make one of the person's own tokens void."""
    here = services()
    with here.database.writing() as session:
        if not tokens.revoke(session, person, token, here.clock.now()):
            raise Unknown(no_such("token_unknown", "Không có mã truy cập này.", "There is no such token."))
        trace(session, "token.revoke", token, person)


def label(file_name: str) -> str:
    """Return a sender's file name as it may be shown: its last part, without anything invisible, shortened."""
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(letter for letter in unicodedata.normalize("NFC", name) if unicodedata.category(letter)[0] != "C")
    return " ".join(name.split())[:120] or "không tên"


def _visible(session: Session, segment: SegmentId, person: Person) -> SegmentRecord:
    record = segments.find(session, segment)
    if record is not None and record.card.owner in reach(person):
        return record
    if record is not None and record.state is SegmentState.APPROVED:
        above = units_above(units.every(session), person.unit)
        if record.card.owner in above:
            return record
    raise Unknown(no_such("segment_unknown", "Không có bài này.", "There is no such recording."))


def _own(session: Session, segment: SegmentId, person: Person, permission: str) -> SegmentRecord:
    record = _visible(session, segment, person)
    require(person, permission, record.card.owner)
    return record


def station_of(session: Session, code: StationCode, person: Person) -> Station:
    """Return a station that the person reaches. Raises Unknown for every other one."""
    station = stations.find(session, code)
    if station is None or station.unit not in reach(person):
        raise Unknown(no_such("station_unknown", "Không có đài này.", "There is no such station."))
    return station


def _reaches(session: Session, code: StationCode, person: Person) -> bool:
    station = stations.find(session, code)
    return station is not None and station.unit in reach(person)


def checked_card(session: Session, card: Card, person: Person) -> Card:
    """Return the card with its owner set from the station. Raises Unknown, NotAllowed."""
    if card.station is not None:
        station = station_of(session, card.station, person)
        card = replace(card, owner=station.unit)
    if card.owner not in reach(person):
        raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))
    require(person, "segments.create", card.owner)
    if programmes.find(session, card.programme) is None:
        raise Refused(
            Finding(
                code="programme_unknown",
                severity=Severity.ERROR,
                where="programme",
                message=Text("Không có chuyên mục này.", "There is no such programme."),
            )
        )
    return card


def require(person: Person, permission: str, of: Station | str) -> None:
    """Raise NotAllowed unless the person has the permission there."""
    if not can(person, permission, of):
        raise NotAllowed(
            Finding(
                code="not_allowed",
                severity=Severity.ERROR,
                message=Text(
                    "Anh/chị không có quyền làm việc này ở đây. Chưa có gì thay đổi.",
                    "You may not do this here. Nothing was changed.",
                ),
            )
        )


def trace(
    session: Session, what: str, subject: str, person: Person, *, outcome: str = "done", detail: str = ""
) -> None:
    """Leave a row in the security log."""
    audit.note(
        session,
        at=services().clock.now(),
        what=what,
        person=person,
        address=(request.remote_addr or "") if has_request_context() else "",
        subject=subject,
        outcome=outcome,
        detail=detail,
    )


def no_such(code: str, vi: str, en: str) -> Finding:
    """Return the sentence for something that is not there, or not any more."""
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en))


def _disk_full() -> Finding:
    return Finding(
        code="disk_full",
        severity=Severity.ERROR,
        message=Text(
            "Máy chủ đã hết chỗ lưu. Bài chưa được nhận.",
            "The server's disk is full. The recording was not taken.",
        ),
        hint=Text("Hãy báo quản trị viên.", "Tell the administrator."),
    )
